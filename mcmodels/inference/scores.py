"""How good predictions are, as sums over rows: R², and the share of correct classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array

__all__ = ["PredictionScore"]


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


def _columns(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(len(values), -1)
