"""Values in as many digits as are asked for, by mpmath and plain Python: no NumPy is needed."""
