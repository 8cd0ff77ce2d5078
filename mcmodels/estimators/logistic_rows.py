"""The rows of a logistic fit: labels as codes, their weights, and which classes count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes, Labels, MatrixLike, VectorLike
from mcmodels.estimators.classes import (
    ClassWeights,
    codes_of,
    refuse_single_class,
    refuse_unknown,
)
from mcmodels.estimators.validation import Features
from mcmodels.rows import Rows, RowStream

__all__ = ["ClassRows", "PreparedLabels", "present"]


@dataclass(frozen=True)
class PreparedLabels:
    """Codes of labels for a fitted model, and weights with those of the classes."""

    class_weights: ClassWeights
    classes: Labels

    def __call__(self, y: Labels, weights: Array | None) -> tuple[Codes, Array | None]:
        """Refuse labels that the model does not know."""
        total = self.class_weights.times(y, weights)
        refuse_unknown(y, total, self.classes)
        return codes_of(y, self.classes), total


@dataclass(frozen=True)
class ClassRows:
    """The rows of a fit, and what is known of them before it."""

    rows: Rows
    features: Features
    classes: Labels
    class_weights: ClassWeights
    class_totals: Array
    X: MatrixLike | RowStream
    y: VectorLike | None
    weights: Array | None
    intercept: bool
    has_offset: bool = False

    def attributes_of(self, params: Array) -> dict[str, Any]:
        """The attributes that predictions are made with."""
        by_output = np.atleast_2d(params)
        p = self.features.n_features
        intercept = by_output[:, -1].copy() if self.intercept else np.zeros(len(by_output))
        return {
            "classes_": self.classes.copy(),
            "coef_": by_output[:, :p].copy(),
            "intercept_": intercept,
        } | self.features.attributes


def present(
    labels: Labels, codes: Codes, weights: Array | None, class_weighted: Array | None
) -> npt.NDArray[np.bool_]:
    """Which labels have rows that count; refuses fewer than two."""
    where = "" if weights is None else " in the rows of positive weight"
    if class_weighted is None and len(labels) > 1:
        return np.ones(len(labels), dtype=bool)
    for row_weights in (weights, class_weighted):
        counted = codes if row_weights is None else codes[row_weights > 0]
        found = np.bincount(counted, minlength=len(labels)) > 0
        refuse_single_class(labels, found, where)
        where = " of positive class_weight"
    return found
