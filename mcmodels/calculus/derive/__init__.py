"""Derivatives by rules: differentials, trace form, vec form, and the forms of textbooks."""
