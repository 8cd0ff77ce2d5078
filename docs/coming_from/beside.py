"""Numbers of another program beside those of mcmodels, for the pages of this folder.

A page stops the build where they differ.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

__all__ = ["beside"]


def beside(program, theirs, ours, names=None, *, share=1e-6, units=0.5):
    """A table of both, if they are equal.

    Parameters
    ----------
    program : str
        Where the others come from.
    theirs : str or array-like
        Numbers; or text, as a program printed them. Text is compared in the digits that it has.
    ours : array-like
        The same numbers here, in the same order.
    names : list of str, optional
        Of the rows; by default those of ``ours``.
    share : float
        How far numbers may differ, as a share of them.
    units : float
        How far printed numbers may differ, in units of their last digit; half a unit is rounding.
    """
    if names is None:
        names = list(ours.index) if isinstance(ours, pd.Series) else list(range(np.size(ours)))
    values = np.asarray(ours, dtype=float).ravel()
    if isinstance(theirs, str):
        others = theirs.split()
        exponents = [int(Decimal(word).as_tuple().exponent) for word in others]
        reach = np.array([units * 1.001 * 10.0**exponent for exponent in exponents])
        numbers = np.array([float(word) for word in others])
    else:
        numbers = np.asarray(theirs, dtype=float).ravel()
        reach = share * np.abs(numbers) + 1e-12
        others = [f"{number:.7g}" for number in numbers]
    assert len(numbers) == len(values) == len(names), "as many numbers there as here"
    apart = np.abs(numbers - values) > reach
    assert not apart.any(), f"{program} has {numbers[apart]}, mcmodels {values[apart]}"
    return pd.DataFrame({program: others, "mcmodels": [f"{v:.7g}" for v in values]}, index=names)
