"""Sums of arrays with constant weights, as one line of a tape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mcmodels.autodiff.tables import add, call
from mcmodels.autodiff.tracing import DerivativeRule

__all__ = ["combination"]


def combination(weights: Iterable[float], arrays: Sequence[Any]) -> Any:
    """``Σ wᵢxᵢ`` of arrays of one shape; those of weight 0 are left out."""
    kept = [(float(w), x) for w, x in zip(weights, arrays, strict=True) if w != 0]
    if not kept:
        return 0.0 * arrays[0]
    return call("combination", *(x for _, x in kept), weights=tuple(w for w, _ in kept))


def _combination(*arrays: Any, weights: tuple[float, ...]) -> Any:
    total = weights[0] * arrays[0]
    for w, x in zip(weights[1:], arrays[1:], strict=True):
        total = total + w * x
    return total


add(
    (
        "combination",
        DerivativeRule(
            "combination",
            _combination,
            "d Σ wᵢxᵢ = Σ wᵢdxᵢ",
            lambda i, dx, y, args, kwargs: kwargs["weights"][i] * dx,
            lambda i, g, y, args, kwargs: kwargs["weights"][i] * g,
            holomorphic=True,
        ),
    )
)
