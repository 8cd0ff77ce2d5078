"""In which order the scalars of a product are written."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.text.printing.structure import (
    entry,
    is_at_index,
    is_half,
    is_slice,
    slices,
    vech_argument,
)

__all__ = ["is_product", "order"]


def is_product(e: Expression) -> bool:
    """Whether an expression is written as a product, and not as an entry, a slice or a vech."""
    if not isinstance(e, N.Product):
        return False
    return not (entry(e) or is_slice(e)) and vech_argument(e) is None


def _is_at_index(e: N.Product) -> bool:
    found = slices(e)
    return len(found) == 1 and is_at_index(found[0])


def order(scalar: Expression) -> int:
    """Where a scalar stands among others: powers of numbers, letters, functions, roots, groups."""
    if isinstance(scalar, N.Power):
        root = is_half(getattr(scalar.exponent, "value", None))
        return 3 if root else min(order(scalar.base), 4)
    if isinstance(scalar, N.Number | N.NamedNumber):
        return 0
    if isinstance(scalar, N.Symbol | N.SizeValue):
        return 1
    if isinstance(scalar, N.Sum):
        return 4
    if isinstance(scalar, N.Product) and _is_at_index(scalar):
        return 1
    return 5 if is_product(scalar) else 2
