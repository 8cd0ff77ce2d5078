"""What class_weight makes of the weights of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from mcmodels.rows.blocks import Array


@dataclass(frozen=True)
class ClassWeights:
    """A factor on the weights of the rows of each class.

    Parameters
    ----------
    by_label : dict
        The factor of each label; labels that are not in it have 1.
    """

    by_label: dict[Any, float]

    @classmethod
    def of(cls, class_weight: Any, y: Any, weights: Array | None) -> Self:
        """The factors that ``class_weight`` (a dict, "balanced" or None) means for these rows."""
        if class_weight is None:
            return cls({})
        if class_weight == "balanced" and weights is not None:
            y, weights = y[weights > 0], weights[weights > 0]
        labels = np.unique(y)
        factors = compute_class_weight(class_weight, classes=labels, y=y, sample_weight=weights)
        if not (np.isfinite(factors).all() and (factors >= 0).all()):
            raise ValueError(
                f"class_weight={class_weight!r} must hold finite numbers of at least 0."
            )
        return cls(dict(zip(labels.tolist(), factors.tolist(), strict=True)))

    def times(self, y: Any, weights: Array | None) -> Array | None:
        """Weights of rows times the factors of their classes; None stands for ones."""
        if not self.by_label:
            return weights
        labels, codes = np.unique(y, return_inverse=True)
        factors = np.array([self.by_label.get(label, 1.0) for label in labels.tolist()])
        return factors[codes] if weights is None else weights * factors[codes]
