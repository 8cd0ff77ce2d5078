"""What the curvature says: leverage, the Gaussian of principal components, their number."""
