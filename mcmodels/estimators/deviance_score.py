"""``score`` of generalized linear models: the share of the deviance that is explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.exceptions import NoMeanWarning
from mcmodels.inference.scores import explained_deviance
from mcmodels.rows import RowStream
from mcmodels.user_warnings import warn_user

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

        Warns
        -----
        NoMeanWarning
            When a linear predictor is outside the domain of the link; the score is -inf.
        """
        loss = self._loss()
        rows = self._rows_at(X, y, sample_weight, offset=offset, exposure=exposure)
        share = explained_deviance(rows, loss, self.params_)
        if not np.isfinite(share):
            warn_user(
                f"the deviance of these rows is not finite: some row has no mean of the family "
                f"{loss.family.name!r} with the link {loss.link.name!r}, or one that is too large "
                "or too small. The score is -inf.",
                NoMeanWarning,
            )
        return share
