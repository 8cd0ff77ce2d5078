"""What a fit says: one frozen record a fit, its tables, and results of pipelines."""
