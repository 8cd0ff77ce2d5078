"""Slices: which entries an index takes, as the matrix whose product with the array takes them."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.indices import unit_at
from mcmodels.calculus.core.sizes import ShapeError, Size

__all__ = ["bounds", "row_taken"]


def row_taken(index: Any, size: Size) -> Expression:
    """The matrix E, so that E @ x is ``x[index]`` of a vector of that size.

    Raises
    ------
    ShapeError
        If the index is no whole number and no slice, or takes what is not there.
    """
    if isinstance(index, slice):
        start, stop = bounds(index, size)
        return arithmetic.selection(start, stop - start, size)
    if isinstance(index, Expression):
        return arithmetic.transpose(unit_at(index, size))
    if isinstance(index, bool) or not hasattr(index, "__index__"):
        raise ShapeError(f"an index is a whole number or a slice; found {index!r}")
    return arithmetic.transpose(arithmetic.unit(index.__index__(), size))


def bounds(index: slice, size: Size) -> tuple[Size, Size]:
    """Where a slice starts and stops, counted from 0.

    Raises
    ------
    ShapeError
        If it has a step, or takes nothing, or more than there is. (NumPy would shorten it.)
    """
    if index.step is not None and index.step != 1:
        raise ShapeError(f"a slice takes all entries between two bounds; found a step {index.step}")
    start = _bound(index.start, size, Size(0))
    stop = _bound(index.stop, size, size)
    for missing in (start.number, (stop - start - Size(1)).number, (size - stop).number):
        if missing is not None and missing < 0:
            raise ShapeError(
                f"the slice from {start} to {stop} takes nothing, or more than there is, of an "
                f"array of {size}"
            )
    return start, stop


def _bound(value: Any, size: Size, otherwise: Size) -> Size:
    """A bound of a slice; a negative number counts from the end."""
    if value is None:
        return otherwise
    if isinstance(value, str | Size):
        return Size.of(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ShapeError(f"a bound of a slice is a whole number or a size; found {value!r}")
    number = value.__index__()
    return Size(number) if number >= 0 else size + Size(number)
