"""What is known of the curvature of an expression in x, as a set of properties that are proved."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["AFFINE", "CONCAVE", "CONSTANT", "CONVEX", "UNKNOWN", "Curvature", "common", "times"]

# What is known: convex as a function of x, concave, both, or neither of them.
Curvature = frozenset[str]
CONVEX, CONCAVE = frozenset(["convex"]), frozenset(["concave"])
AFFINE = CONVEX | CONCAVE
CONSTANT = AFFINE | {"constant"}
UNKNOWN: Curvature = frozenset()


def common(found: Iterable[Curvature]) -> Curvature:
    """What holds of all."""
    result = CONSTANT
    for curvature in found:
        result &= curvature
    return result


def times(curvature: Curvature, sign: int) -> Curvature:
    """Of a multiple by what has this sign; 0 where that is not known."""
    if curvature >= AFFINE or sign == 1:
        return curvature
    if not sign or not curvature:
        return UNKNOWN
    return CONCAVE if curvature == CONVEX else CONVEX
