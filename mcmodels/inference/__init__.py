"""What the curvature says: for now, how many principal components the data support."""
