"""What users call: models without some of their rows, and with other weights of rows."""
