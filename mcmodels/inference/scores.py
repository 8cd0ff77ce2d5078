"""How good predictions are, as sums over rows: R², share of correct classes, of the deviance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.glm_model import GlmSums
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import RowBlock, Rows, WithoutFeatures
from mcmodels.solvers.family_starts import constant_predictor

__all__ = ["PredictionScore", "explained_deviance", "null_deviance", "share_of_deviance"]

# Of a deviance that is zero, by the sum of the targets.
_ROUNDING = 1e-14


@dataclass(frozen=True)
class PredictionScore:
    """Weight, means and squares about them, and squares of residuals (or what is correct)."""

    weight: float
    mean: Array
    squares: Array
    left: Array

    @classmethod
    def of(cls, w: Array, y: Array, predicted: Array) -> PredictionScore:
        """The sums of some rows of a regression."""
        y, predicted = _columns(y), _columns(predicted)
        weight = float(w.sum())
        mean = w @ y / weight if weight > 0 else np.zeros(y.shape[1])
        return cls(weight, mean, w @ (y - mean) ** 2, w @ (y - predicted) ** 2)

    @classmethod
    def of_classes(cls, w: Array, correct: float) -> PredictionScore:
        """The sums of some rows of a classification, and the weight of those that are correct."""
        zero = np.zeros(1)
        return cls(float(w.sum()), zero, zero, np.array([float(correct)]))

    def __add__(self, other: PredictionScore) -> PredictionScore:
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        apart = other.mean - self.mean
        squares = self.squares + other.squares + self.weight * share * apart**2
        return PredictionScore(weight, self.mean + share * apart, squares, self.left + other.left)

    def score(self, of_classes: bool) -> float:
        """The measure that scikit-learn takes for arrays."""
        if of_classes:
            return float(self.left[0] / self.weight)
        varies = self.squares > 0
        ratio = np.divide(self.left, self.squares, out=np.ones_like(self.left), where=varies)
        # A constant target is explained by a prediction that is equal to it, as in scikit-learn.
        ratio[~varies & (self.left == 0)] = 0.0
        return float(np.mean(1.0 - ratio))


def explained_deviance(rows: Rows, loss: FamilyLoss, params: Array) -> float:
    """``1 - D(y, μ)/D(y, μ₀)``, μ₀ the best model of an intercept with the offset of the rows.

    Of a deviance D(y, μ₀) of zero it is 1 if that of the model is zero, too, and else 0, as R² of a
    constant target is in scikit-learn. Where a row has no mean, or its deviance is not finite, it
    is -inf.
    """
    left = GlmSums.of(rows, loss, params).deviance
    if not np.isfinite(left):
        return -np.inf
    return share_of_deviance(left, *null_deviance(rows, loss))


def null_deviance(rows: Rows, loss: FamilyLoss) -> tuple[float, float]:
    """``D(y, μ₀)``, zero of a constant target, and the sum of the magnitudes of the targets."""
    found = rows.reduce(_Targets.of)
    null = 0.0  # of a constant target, exactly
    if found.has_offset or found.largest > found.least:
        empty = WithoutFeatures(rows)
        null = GlmSums.of(empty, loss, constant_predictor(empty, loss)).deviance
    return null, found.sizes


def share_of_deviance(left: float, null: float, sizes: float) -> float:
    """``1 - D(y, μ)/D(y, μ₀)`` of two deviances, and the sum of the magnitudes of the targets."""
    if not np.isfinite(left):
        return -np.inf
    if null > 0:
        return 1.0 - left / null
    return 1.0 if left <= _ROUNDING * sizes else 0.0


@dataclass(frozen=True)
class _Targets:
    """Ends and sum of magnitudes of targets, and whether there is an offset; ``+`` merges two."""

    least: float
    largest: float
    sizes: float
    has_offset: bool

    @classmethod
    def of(cls, block: RowBlock) -> _Targets:
        y = block.y
        sizes = float(np.abs(y).sum())
        return cls(float(y.min()), float(y.max()), sizes, "offset" in block.extras)

    def __add__(self, other: _Targets) -> _Targets:
        return _Targets(
            min(self.least, other.least),
            max(self.largest, other.largest),
            self.sizes + other.sizes,
            self.has_offset or other.has_offset,
        )


def _columns(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(len(values), -1)
