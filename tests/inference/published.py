"""Figures that other programs printed, and the data in datasets/ that they were printed for."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from tests.certified import DATASETS


def data(name: str) -> pd.DataFrame:
    """The rows of a CSV in datasets/."""
    return pd.read_csv(DATASETS / f"{name}.csv")


def agree(found, printed: str, units: float = 0.5) -> None:
    """Each number, rounded to the digits that were printed, is the one that was printed.

    ``units`` are units of the last digit: half of one is rounding; a thousandth more is for
    rounding errors there, as of 19.21655002 that was printed as 19.2165.
    """
    words = printed.split()
    values = np.asarray(found, dtype=float).ravel()
    assert len(words) == len(values), f"{len(values)} numbers, and {len(words)} printed"
    for value, word in zip(values, words, strict=True):
        exponent = Decimal(word).as_tuple().exponent
        assert isinstance(exponent, int)
        reach = units * 1.001 * 10.0**exponent
        assert abs(value - float(word)) <= reach, f"{value!r}, and {word} was printed"


def same(found, expected, share: float) -> None:
    """Matrices whose entries differ by a share of the deviations, also where they are near zero."""
    size = np.sqrt(np.diag(expected))
    assert np.abs((found - expected) / np.outer(size, size)).max() < share


def indicators(column: pd.Series, levels) -> pd.DataFrame:
    """A column of zeros and ones for each of the levels."""
    return pd.DataFrame(
        {f"{column.name}_{level}": (column == level).astype(float) for level in levels}
    )
