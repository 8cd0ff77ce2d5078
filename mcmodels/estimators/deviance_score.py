"""``score`` of generalized linear models: the share of the deviance that is explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.offsets import with_offsets
from mcmodels.exceptions import NoMeanWarning
from mcmodels.inference.glm_model import GlmSums
from mcmodels.rows import ArrayRows, RowStream, rows_of
from mcmodels.solvers.family_starts import constant_predictor
from mcmodels.user_warnings import warn_user

__all__ = ["DevianceScore"]

# Of a deviance that is zero, by the sum of the targets.
_ROUNDING = 1e-14


class DevianceScore:
    """The share of the deviance that a model explains; stands before scikit-learn's mixin."""

    def score(
        self: Any,
        X: MatrixLike | RowStream,
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
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; a stream also holds y, the weights and the offset.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        float

        Warns
        -----
        NoMeanWarning
            When a linear predictor is outside the domain of the link; the score is -inf.
        """
        loss = self._loss()
        X, y, sample_weight, _, offsets = with_offsets(
            X, y, sample_weight, offset=offset, exposure=exposure
        )
        self._check_order(X, **offsets)
        X, targets, weights = self._validated(X, y, sample_weight)
        extras = self._offsets_of(X, **offsets)
        rows = rows_of(X, targets, weights, extras, intercept=self._has_intercept)
        left = GlmSums.of(rows, loss, self.params_).deviance
        if not np.isfinite(left):
            warn_user(
                f"the deviance of these rows is {left:g}: some row has no mean of the family "
                f"{loss.family.name!r} with the link {loss.link.name!r}, or one that is too large "
                "or too small. The score is -inf.",
                NoMeanWarning,
            )
            return -np.inf
        present = targets if weights is None else targets[weights > 0]
        null = 0.0  # of a constant target, exactly
        if extras or np.ptp(present) > 0:
            empty = ArrayRows(np.zeros((len(targets), 0)), targets, weights, extras)
            null = GlmSums.of(empty, loss, constant_predictor(empty, loss)).deviance
        if null > 0:
            return 1.0 - left / null
        # As scikit-learn's R² of a constant target.
        return 1.0 if left <= _ROUNDING * float(np.abs(present).sum()) else 0.0
