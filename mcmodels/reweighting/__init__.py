"""What a fit would be with other weights of its rows, or with another penalty; no estimators."""
