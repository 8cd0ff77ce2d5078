"""``score`` of generalized linear models: the share of the deviance that is explained."""

from __future__ import annotations

from typing import Any

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.inference.scores import explained_deviance
from mcmodels.rows import RowStream

__all__ = ["DevianceScore"]


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
        """
        rows = self._rows_at(X, y, sample_weight, offset=offset, exposure=exposure)
        return explained_deviance(rows, self._loss(), self.params_)
