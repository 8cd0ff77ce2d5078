"""The value of an expression, by a plain walk over its nodes or by compiled NumPy code."""
