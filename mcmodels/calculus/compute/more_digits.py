"""A value that float64 cannot compute, or not well, in more digits, where mpmath is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.compute.undefined import EvaluationError
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.plain import np

__all__ = ["value_by_digits"]

_DIGITS = 17  # those that a float64 can show
_MOST_ENTRIES = 400  # of the values given: beyond, it takes seconds


def value_by_digits(
    expression: Expression, bound: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> Array | None:
    """The value; None without mpmath, of too many numbers, and where float64 has no such value.

    Parameters
    ----------
    expression : Expression
    bound : mapping of Symbol to array of two dimensions
    sizes : mapping of str to int
    """
    if sum(array.size for array in bound.values()) > _MOST_ENTRIES:
        return None
    if importlib.util.find_spec("mpmath") is None:
        return None
    from mcmodels.calculus.compute.digits.certified import certified

    form = guarded(stabilised(expression, in_digits=True), keep_steps=True)
    given = {symbol: array.tolist() for symbol, array in bound.items()}
    try:
        found, _ = certified(form, given, sizes, _DIGITS)
    except (EvaluationError, ArithmeticError):
        return None
    value = np.array([[float(entry) for entry in row] for row in found])
    underflows = any(
        entry and not near
        for row, line in zip(found, value.tolist(), strict=True)
        for entry, near in zip(row, line, strict=True)
    )
    return None if underflows or not np.isfinite(value).all() else value
