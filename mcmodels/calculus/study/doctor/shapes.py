"""Claims of a wrong shape: transposed, stacked, a column for a vector, or of something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.study.doctor.factors import Factor, ratios_of
from mcmodels.plain import np

__all__ = ["REMEDIES", "mismatch", "remedy", "reshaped"]

_USUAL_FACTORS = (1.0, -1.0, 2.0, 0.5, -2.0, -0.5)

Pairs = Sequence[tuple[Array, Array]]

_WAYS: tuple[tuple[str, str, Callable[[Array], Array]], ...] = (
    ("transposed layout", "it is the transpose", lambda right: right.T),
    (
        "transposed layout",
        "it is a row, and a vector is wanted (numerator layout)",
        lambda right: right[None, :] if right.ndim == 1 else right,
    ),
    (
        "wrong shape",
        "it is a column of two dimensions, and a vector of one is wanted; ravel() it",
        lambda right: right[:, None] if right.ndim == 1 else right,
    ),
    ("wrong shape", "its columns are stacked in a vector", lambda right: right.T.ravel()),
    ("wrong shape", "its rows are stacked in a vector", lambda right: right.ravel()),
    ("wrong shape", "axes of length 1 are missing or too many", np.squeeze),
    ("wrong shape", "the entries are summed", lambda right: np.asarray(right.sum())),
    (
        "wrong shape",
        "it has been made a diagonal matrix",
        lambda right: np.diag(right) if right.ndim == 1 else right,
    ),
    (
        "wrong shape",
        "it is only the diagonal",
        lambda right: np.diag(right) if right.ndim == 2 else right,
    ),
    (
        "wrong shape",
        "it is summed over the rows",
        lambda right: right.sum(axis=0) if right.ndim == 2 else right,
    ),
    (
        "wrong shape",
        "it is summed over the columns",
        lambda right: right.sum(axis=1) if right.ndim == 2 else right,
    ),
)


REMEDIES = {
    "gradient": "a gradient has the shape of its variable",
    "Jacobian": "a Jacobian has outputs as rows and inputs as columns",
    "Hessian": "a Hessian is square over x.ravel(), or has the shape of x twice",
}
"""What to do about a wrong shape, by what was claimed."""


def remedy(name: str, kind: str, factor: float) -> str:
    """What to do about a claim that `reshaped` explains."""
    text = f"transpose it: {REMEDIES[kind]}" if name == "transposed layout" else REMEDIES[kind]
    if factor == 1:
        return text
    return f"{text}; and {Factor(Fraction(factor)).remedy()}"


def mismatch(claimed: Array, right: Array, kind: str) -> str:
    """Both shapes, in words."""
    return f"it is {_described(claimed.shape)}, the right {kind} {_described(right.shape)}"


def _described(shape: tuple[int, ...]) -> str:
    return "a scalar" if shape == () else f"of shape {shape}"


def reshaped(pairs: Pairs, allowed: Sequence[float]) -> tuple[str, str, float] | None:
    """How the right values came into the claimed shape: kind, words, and by what multiplied."""
    for kind, words, way in _WAYS:
        turned = [(claimed, way(right)) for claimed, right in pairs]
        if any(
            c.shape != t.shape or c.shape == r.shape
            for (c, t), (_, r) in zip(turned, pairs, strict=True)
        ):
            continue
        ratios = ratios_of(turned, allowed)
        if ratios is None:
            continue
        for factor in _USUAL_FACTORS:
            if all(abs(ratio / factor - 1) <= 1e-4 for ratio in ratios):
                return kind, words, factor
    return None
