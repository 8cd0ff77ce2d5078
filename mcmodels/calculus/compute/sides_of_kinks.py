"""Values of derivatives at kinks that are none: where all sides of them give the same.

The derivative of log(cosh|x|) is tanh(|x|) sign(x), and its second derivative at 0 is 1, though
sign jumps there. Values on a side are those of the formula with sign, step and choices taken as
they are when x moves a little; the complex step tells which way their arguments move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.plain import np

__all__ = ["value_on_all_sides"]

_STEP = 1e-200  # its square is 0, so that real parts are the values themselves
_DIRECTIONS = 4
_SAME = 1e-9  # relative to the largest entry


class _UndecidedError(ArithmeticError):
    """An argument does not move where x does: its sign on a side is not known."""


def value_on_all_sides(
    compute: Callable[[Mapping[N.Symbol, Array], Any], Array],
    given: Mapping[N.Symbol, Array],
    result: Array,
) -> Array | None:
    """The value with NaN for each entry that is not the same on all sides; None where unknown.

    Parameters
    ----------
    compute : callable
        The value, from those of symbols and a function that replaces the values of parts, as
        `evaluate.walk` takes it.
    given : mapping of Symbol to array
    result : ndarray
        The value at the point, which is used where sides differ.
    """
    rng = np.random.default_rng(0)
    found: Array | None = None
    for _ in range(_DIRECTIONS):
        moves = {symbol: rng.standard_normal(array.shape) for symbol, array in given.items()}
        for sign in (1, -1):
            moved = {
                symbol: array
                if "integer" in symbol.declared
                else array + 1j * _STEP * sign * moves[symbol]
                for symbol, array in given.items()
            }
            try:
                value = np.real(compute(moved, _on_a_side))
            except (_UndecidedError, TypeError, ValueError):
                return None
            if not np.isfinite(value).all():
                return None
            if found is None:
                found = value
            size = _SAME * np.nanmax(np.abs(found), initial=0.0)
            found = np.where(np.abs(value - found) > size, np.nan, found)
            differ = np.isnan(found)
            if differ.any() and (differ | (np.abs(found - result) <= size)).all():
                return found  # other sides can change nothing
    return found


def _on_a_side(part: Expression, children: list[Array], result: Array) -> Array:
    """The value of a part, with the sign that its argument takes on a side where it is 0."""
    if isinstance(part, N.Elementwise) and part.name in ("abs", "relu", "sign", "step"):
        (z,) = children
        above = _is_above(z)
        match part.name:
            case "abs":
                return np.where(above, z, -z)
            case "relu":
                return np.where(above, z, 0)
            case "sign":
                return np.where(above, 1.0, -1.0)
        return np.where(above, 1.0, 0.0)
    if isinstance(part, F.Where):
        condition, left, right = children
        return np.where(_is_above(condition), left, right)
    if isinstance(part, F.Pairwise) and part.name in ("maximum", "minimum"):
        left, right = children
        if (left == right).all():
            return result
        above = _is_above(left - right)
        return np.where(above == (part.name == "maximum"), left, right)
    return result


def _is_above(z: Array) -> Array:
    """Whether numbers are above 0 on a side."""
    imaginary = np.imag(z)
    if ((np.real(z) == 0) & (imaginary == 0)).any():
        raise _UndecidedError
    return (np.real(z) > 0) | ((np.real(z) == 0) & (imaginary > 0))
