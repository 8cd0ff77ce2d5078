"""Names that are written as digits in text files, and would be other names as numbers."""

from __future__ import annotations

import pandas as pd

__all__ = ["are_codes", "is_number"]

# What is lost where such text becomes a number: 02134 would be 2134, and 1e1 would be 10.
_CODE = r"\s*[-+]?0\d|\s*\+|.*[eE]"


def is_number(column: pd.Series | None) -> bool:
    """Whether a column holds numbers; None stands for a column that is not there."""
    return column is not None and pd.api.types.is_numeric_dtype(column)


def are_codes(texts: pd.Series) -> bool:
    """Whether some value of a column of numbers, as it is written, is no number but a name."""
    return bool(texts.astype("string").str.match(_CODE).any())
