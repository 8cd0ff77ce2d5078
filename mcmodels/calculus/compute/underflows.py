"""Whether it counts that a part of a value has underflowed.

What underflows is 0 or has few digits, and is off by less than the smallest normal float64. Mostly
it is added to something, and nothing comes of it. So the value is computed once more, with about as
much added to what has underflowed: where it is the same, no wider range of numbers is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np

__all__ = ["has_underflowed", "underflow_counts"]

_SMALLEST = float(np.finfo(np.float64).tiny)  # a normal number
_SAME = 1e-12  # relative
_FAR_ABOVE = 1e-200  # what is off is less than any share of a number of this size that counts
_LARGE = 1e20
_SHARES = 0.5 + np.arange(61) * 24 % 61 / 122  # no two that are near are alike, and could cancel
_FUNCTIONS = (N.Elementwise, N.Softmax, N.LogSumExp, AxisSoftmax, AxisLogSumExp)


def has_underflowed(part: Expression, children: list[Array], result: Array) -> bool:
    """Whether entries of a part may be off, where something has underflowed on the way to it."""
    return not _is_direct(part) or bool((np.abs(result) < _limit(part, children)).any())


def _is_direct(part: Expression) -> bool:
    """Whether an entry is off by the smallest number at most, or as many as terms are added.

    A norm, say, goes on with what has underflowed inside.
    """
    if isinstance(part, N.Scaled):
        return len(part.children) + (abs(part.coefficient) != 1) <= 2
    if isinstance(part, N.Hadamard | N.Product):
        return len(part.children) == 2
    if isinstance(part, N.Power):
        return isinstance(part.exponent, N.Number)
    return isinstance(part, _FUNCTIONS)


def _off(part: Expression, children: list[Array]) -> float:
    """How far an entry may be off, at most."""
    return _SMALLEST * (children[0].shape[1] if isinstance(part, N.Product) else 1)


def _limit(part: Expression, children: list[Array]) -> float:
    """The size from which an entry has all digits."""
    off = _off(part, children)
    return off * 2.0**53 if isinstance(part, N.Product) else off


def underflow_counts(
    expression: Expression,
    compute: Callable[[Any], Array],
    parts: Collection[Expression],
    result: Array,
) -> bool:
    """Whether a value may depend on what has underflowed.

    Parameters
    ----------
    expression : Expression
    compute : callable
        The value, from a function that replaces the values of parts.
    parts : collection of Expression
        Those that have underflowed.
    result : ndarray
        The value.
    """
    if not all(map(_is_direct, parts)):
        return True
    keys = {part.key for part in parts}
    if keys == {expression.key} and not isinstance(expression, N.Product):
        return False
    if keys <= _only_added(expression) and (np.abs(result) >= _FAR_ABOVE).all():
        return False

    def changed(part: Expression, children: list[Array], value: Array) -> Array:
        if part.key not in keys:
            return value
        more = _off(part, children) * np.resize(_SHARES, value.shape)
        is_off = np.abs(value) < _limit(part, children)
        return np.where(is_off, value + np.copysign(more, value), value)

    apart = np.abs(compute(changed) - result)
    return not bool((apart <= np.maximum(_SAME * np.abs(result), _SMALLEST)).all())


@lru_cache(maxsize=512)
def _only_added(expression: Expression) -> frozenset[bytes]:
    """Keys of the parts that are added to others, and nothing else is done with them."""
    found = {expression.key: True}
    for part in reversed(list(parts_of(expression))):  # parents before children
        only = found[part.key] and _adds(part)
        for child in part.children:
            found[child.key] = only and found.get(child.key, True)
    return frozenset(key for key, only in found.items() if only)


def _adds(part: Expression) -> bool:
    if isinstance(part, N.Scaled):
        return len(part.children) == 1 and abs(float(part.coefficient)) < _LARGE
    return isinstance(part, N.Sum | N.Total | N.Transpose | N.Vec)
