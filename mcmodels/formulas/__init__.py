"""What a formula says: its columns, the design matrix that it makes of a table, its left side."""
