"""Forms of expressions that do not overflow, and keep their digits where terms cancel."""
