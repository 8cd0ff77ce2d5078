"""Code in other languages: one writer, and a table for each language."""
