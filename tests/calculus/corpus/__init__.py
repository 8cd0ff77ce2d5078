"""Texts as people type them, with an independent answer: see `texts.py`."""
