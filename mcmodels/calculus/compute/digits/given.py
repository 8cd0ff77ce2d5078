"""The numbers a user gives, taken exactly: nested lists, or arrays of any kind."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath, number
from mcmodels.calculus.compute.digits.matrices import smallest_eigenvalue
from mcmodels.calculus.compute.digits.rows import (
    Rows,
    entries,
    identity,
    largest_of,
    mapped,
    product,
    transposed,
)
from mcmodels.calculus.compute.fitting import fitted, refuse_masked, require_declared
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["bind_exactly", "exact_rows"]

_LARGEST = 1e300  # stands for larger numbers in messages


def bind_exactly(
    expression: Expression, values: Mapping[str, Any]
) -> tuple[dict[Symbol, Rows], dict[str, int]]:
    """As `binding.bind`: the numbers as they are given, as lists of rows, and the sizes.

    They are what `exact_rows` takes, and are not rounded to the digits at work.
    """
    found, sizes = fitted(expression, values, _read, _lengths)
    return {symbol: _as_rows(nested) for symbol, nested in found.items()}, sizes


def exact_rows(given: Mapping[Symbol, Rows]) -> dict[Symbol, Rows]:
    """Numbers as they are given, as mpmath's, in the digits at work."""
    return {symbol: mapped(number, rows) for symbol, rows in given.items()}


def _read(symbol: Symbol, value: Any) -> Rows:
    refuse_masked(repr(symbol.name), value)
    if isinstance(value, mpmath().matrix):
        value = value.tolist()
        if symbol.is_column:
            value = [entry for row in value for entry in row]
    nested = _nested(value)
    found = _shape(symbol, nested)
    wanted = len(symbol.shape)
    exact = _numbers(symbol, nested)
    if len(found) != wanted:
        raise ShapeError(
            f"{symbol.name!r} is {symbol.described()}, an array of {wanted} dimensions; "
            f"found shape {found}"
        )
    if 0 in found:
        raise ShapeError(f"{symbol.name!r} is empty; found shape {found}")
    if "integer" in symbol.declared and wanted == 0 and exact != int(exact):
        raise ValueError(f"{symbol.name!r} is declared integer; found {float(exact)}")
    if symbol.declared:
        require_declared(symbol, _Measured(_in_two_dimensions(exact, wanted), found))
    return _in_two_dimensions(nested, wanted)


def _nested(value: Any) -> Any:
    """Lists of numbers from anything that is like an array."""
    if hasattr(getattr(value, "dtype", None), "kind") and value.ndim == 0:
        return value[()]  # of NumPy, a number that may have more digits than a float
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__array__"):
        return _nested(value.__array__())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_nested(part) for part in value]
    return value


def _shape(symbol: Symbol, nested: Any) -> tuple[int, ...]:
    if not isinstance(nested, list):
        return ()
    inner = [_shape(symbol, part) for part in nested]
    if len(set(inner)) > 1:
        raise ShapeError(f"{symbol.name!r} has rows of different lengths")
    return (len(nested), *(inner[0] if inner else ()))


def _numbers(symbol: Symbol, nested: Any) -> Any:
    if isinstance(nested, list):
        return [_numbers(symbol, part) for part in nested]
    limit = sys.get_int_max_str_digits()
    try:
        exact = number(nested)
    except (TypeError, ValueError):
        # mpmath 1.4 lifts Python's limit to read a text, and leaves it so where that fails.
        sys.set_int_max_str_digits(limit)
        raise ValueError(
            f"{symbol.name!r} must be real numbers (float, int, Fraction, Decimal, str or mpf); "
            f"found {nested!r}"
        ) from None
    if not mpmath().isfinite(exact):
        raise ValueError(f"{symbol.name!r} must be finite; found NaN or infinity")
    return exact


def _in_two_dimensions(nested: Any, dimensions: int) -> Any:
    """Rows; of a tensor of more than two dimensions, the nested lists as they are."""
    if dimensions == 0:
        return [[nested]]
    return [[entry] for entry in nested] if dimensions == 1 else nested


def _lengths(nested: Any) -> tuple[int, ...]:
    return (len(nested), *_lengths(nested[0])) if isinstance(nested, list) else ()


def _as_rows(nested: Any) -> Rows:
    """A tensor as the column of its entries; any other array as it is."""
    if len(_lengths(nested)) == 2:
        return nested
    return [[entry] for entry in _flat(nested)]


def _flat(nested: Any) -> list[Any]:
    return [e for part in nested for e in _flat(part)] if isinstance(nested, list) else [nested]


def _float(exact: Any) -> float:
    return max(-_LARGEST, min(_LARGEST, float(exact)))


class _Measured:
    """`fitting.Measures` of lists of rows."""

    def __init__(self, rows: Rows, given: tuple[int, ...]) -> None:
        self.rows, self.shape = rows, given

    def largest(self) -> float:
        return _float(largest_of(self.rows))

    def asymmetry(self) -> float:
        return _float(largest_of(mapped(lambda a, b: a - b, self.rows, transposed(self.rows))))

    def smallest_eigenvalue(self) -> float:
        return _float(smallest_eigenvalue(self.rows))

    def largest_outside(self, word: str) -> float:
        signs = {"diagonal": (-1, 1), "lower_triangular": (1,), "upper_triangular": (-1,)}[word]
        outside = (
            abs(entry)
            for i, row in enumerate(self.rows)
            for j, entry in enumerate(row)
            if (j > i) - (j < i) in signs
        )
        return _float(max(outside, default=0))

    def distance_from_orthogonal(self) -> float:
        square = product(transposed(self.rows), self.rows)
        return _float(largest_of(mapped(lambda a, b: a - b, square, identity(len(square)))))

    def total_and_smallest(self) -> tuple[float, float]:
        found = entries(self.rows)
        return _float(sum(found)), _float(min(found))
