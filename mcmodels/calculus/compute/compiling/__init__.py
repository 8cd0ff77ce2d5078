"""From expressions to NumPy code: common parts once, products in the cheapest order."""
