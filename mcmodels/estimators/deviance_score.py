"""``score`` of generalized linear models: the share of the deviance that is explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.inference.glm_model import GlmSums
from mcmodels.rows import ArrayRows, rows_of
from mcmodels.solvers.family_starts import constant_predictor

__all__ = ["DevianceScore"]


class DevianceScore:
    """The share of the deviance that a model explains; stands before scikit-learn's mixin."""

    def score(
        self: Any,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> float:
        """The share of the deviance that the model explains, ``D² = 1 - D(y, μ)/D(y, μ₀)``.

        μ₀ is the best model of an intercept alone, with the same offset, on the same rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        float
        """
        loss, extras = self._loss(), self._offsets_of(X, offset=offset, exposure=exposure)
        self._refuse_missing_offset(extras)
        X, targets, weights = self._validated(X, y, sample_weight)
        rows = rows_of(X, targets, weights, extras, intercept=self._has_intercept)
        left = GlmSums.of(rows, loss, self.params_).deviance
        empty = ArrayRows(np.zeros((len(targets), 0)), targets, weights, extras)
        null = GlmSums.of(empty, loss, constant_predictor(empty, loss)).deviance
        if null <= 0:
            return 1.0 if left <= 0 else 0.0
        return 1.0 - left / null
