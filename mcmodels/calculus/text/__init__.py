"""Text to expressions, and expressions to text."""
