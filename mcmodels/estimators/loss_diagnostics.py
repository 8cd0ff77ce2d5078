"""Residuals of rows, and their influence on the fit of a loss of the user's."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.base import is_classifier

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.loss_methods import LossMethods
from mcmodels.estimators.pointwise import inverse_link
from mcmodels.exceptions import InferenceError
from mcmodels.inference.joint_influence import joint_influence
from mcmodels.inference.loss_diagnostics import (
    LOSS_MEASURES,
    loss_influence,
    residual_scale,
    score_residuals,
    working_residuals,
)
from mcmodels.inference.loss_model import LossModelInference
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.auxiliary import AuxiliaryFit
from mcmodels.records.losses import LossFit
from mcmodels.rows import Rows, RowStream

__all__ = ["LossDiagnostics"]


class LossDiagnostics(LossMethods):
    """Residuals and influence of rows, by the derivatives of the loss."""

    _influence_measures = LOSS_MEASURES

    def residuals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        kind: str = "score",
        offset: VectorLike | None = None,
    ) -> Array:
        """Residuals of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Rows; a stream also holds y, the weights and the offset. Of collections of Dask the
            residuals are computed when they are asked for.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Where weights are precisions, score residuals are multiplied by their roots; other
            weights change no residual.
        kind : {"score", "working", "response"}, default="score"
            "score" is ``-ℓ′(y, η)``, "working" ``-ℓ′/ℓ″``, and "response" the target minus the
            prediction (of classes: 1 for ``classes_[1]``, else 0, minus its probability).
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)

        Raises
        ------
        InferenceError
            For "response" of classes without an inverse link.

        Warns
        -----
        FewCurvedRowsWarning
            When ℓ″ is not positive in some row; its working residual is NaN.

        Examples
        --------
        >>> import numpy as np
        >>> from mcmodels import ObjectiveRegressor
        >>> X, y = np.arange(6.0)[:, np.newaxis], np.array([1, 2, 2, 5, 9, 12])
        >>> poisson = ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)").fit(X, y)
        >>> poisson.residuals(X, y).round(2)
        array([-0.05,  0.27, -0.86,  0.28,  1.21, -0.85])
        >>> bool(np.allclose(poisson.residuals(X, y, kind="response"), poisson.residuals(X, y)))
        True
        """
        check_choice("kind", kind, ("score", "working", "response"))
        if kind == "response" and is_classifier(self) and self.inverse_link is None:
            raise InferenceError(
                f"kind='response' of {type(self).__name__} needs the probability of classes_[1]; "
                "set inverse_link, such as inverse_link='sigmoid(eta)', or take kind='score'."
            )
        return self._residuals(kind, X=X, y=y, sample_weight=sample_weight, offset=offset)

    def _residuals_of(self, kind: str, targets: Array, eta: Array, weights: Array | None) -> Array:
        if kind == "response":
            return targets - inverse_link(self._bound_link(), eta)
        if kind == "working":
            return working_residuals(self._own_loss(), targets, eta)
        found = score_residuals(self._own_loss(), targets, eta)
        return self._record().weighting.residuals(found, weights)

    def _own_loss(self) -> UserLoss:
        """The loss as a function of y and η, with the auxiliary parameters of the fit."""
        loss: Any = self._loss_of_user()
        record = self._record()
        return loss.at(record.auxiliary) if isinstance(record, AuxiliaryFit) else loss

    def influence(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """How much each training row changes the fit, by one Newton step.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`mcmodels.LogisticRegression.influence`.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each training row, with the index of X; of collections of Dask it is
            computed when it is asked for. Columns leverage, score_residual (``-ℓ′``, times the root
            of the weight), standardized_residual, cooks_distance, and dfbetas_<name> for each
            parameter.

        Raises
        ------
        InferenceError
            If the parameters are not determined, or were chosen by ``l1``.

        Warns
        -----
        LeverageWarning
            When a row alone determines a parameter; its measures are NaN.
        FewCurvedRowsWarning
            When ℓ″ is not positive in some row; its standardized residual is NaN.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.loss_diagnostics`, and of losses with
        auxiliary parameters, where a row changes these too, in
        :mod:`mcmodels.inference.joint_influence`. The measures are
        those of GeneralizedLinearRegressor where the loss is that of a family with a canonical
        link. Of squared errors, leverages, standardized residuals and Cook's distances are those of
        LinearRegression, whose DFBETAS have the noise without the row. With
        ``weights="probability"`` residuals and errors are those of weights that sum to n.
        """
        return self._influence(X=X, y=y, sample_weight=sample_weight, offset=offset)

    def _scale_of_influence(self, rows: Rows) -> float:
        return residual_scale(self._of_predictor(), self._own_loss(), rows)

    def _influence_of(self, rows: Rows, index: pd.Index | None, scale: float) -> pd.DataFrame:
        record: LossFit = self._record()
        options = rows, scale, record.unit_weight, index
        if isinstance(record, AuxiliaryFit):
            joint: Any = self._loss_of_user()
            return joint_influence(record.model, joint, *options)
        return loss_influence(record.model, self._own_loss(), *options)

    def _of_predictor(self) -> LossModelInference:
        """Inference on the linear predictor of the fit."""
        model = self._record().model
        found: LossModelInference = getattr(model, "of_predictor", model)
        return found
