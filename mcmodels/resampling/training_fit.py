"""A fitted model and its training rows as the sum over rows that the fit has minimised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.offsets import with_offsets
from mcmodels.exceptions import InferenceError
from mcmodels.inference.linear_model import LinearModelInference
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.jeffreys import Prior
from mcmodels.records.curvature import CurvatureFit
from mcmodels.records.linear import LinearFit
from mcmodels.reweighting.whitened_fit import Basis, WhitenedFit
from mcmodels.rows import rows_of
from mcmodels.solvers import Status

__all__ = ["TrainingFit", "has_prior", "is_served", "training_fit"]


@dataclass(frozen=True)
class TrainingFit:
    """A fitted model with its training rows.

    Parameters
    ----------
    model : estimator
        The fitted model.
    fit : WhitenedFit
        Its fit.
    index : Index or None
        Of the rows.
    X : Matrix or StreamedMatrix
        The features, checked.
    y : ndarray of shape (n,) or (n, n_targets)
        The targets as the loss takes them: of classes, their codes.
    weights : ndarray of shape (n,), or None
        The weights of the fit, times those of the classes.
    offset : ndarray of shape (n,) or (n, K), or None
        The offset, with the logarithm of the exposure.
    prior : Prior or None
        Jeffreys' prior, which is not in ``fit.loss``, but in the Hessian.
    """

    model: Any
    fit: WhitenedFit
    index: pd.Index | None
    X: Any
    y: Any
    weights: Array | None
    offset: Array | None
    prior: Prior | None = None

    def with_extras(self, extras: dict[str, Any]) -> TrainingFit:
        """The same with further arrays of the rows, by name."""
        known = {} if self.offset is None else {"offset": self.offset}
        if self.weights is not None:
            known["frequency"] = self.weights
        intercept = self.fit.rows.intercept
        rows = rows_of(self.X, self.y, extras=known | extras, intercept=intercept)
        return replace(self, fit=replace(self.fit, rows=rows))


def is_served(model: Any) -> bool:
    """Whether the fit of a model is a sum over rows of a loss, and a squared penalty or a prior."""
    if not isinstance(model, InfluenceMethods):
        return False
    record = model._record()
    if not isinstance(record, LinearFit | CurvatureFit):
        return False
    return not (
        (has_prior(model) and np.ndim(record.params) > 1)
        or getattr(record, "theta_derivatives", None) is not None
        or getattr(record, "is_limit", False)
        or getattr(model, "l1", 0)
        or getattr(model, "auxiliary", None)
    )


def has_prior(model: Any) -> bool:
    """Whether a fitted model has Jeffreys' prior."""
    return getattr(model._record(), "log_prior", None) is not None


def training_fit(
    model: Any,
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    extras: dict[str, Array] | None = None,
    with_prior: bool = False,
    **offsets: Any,
) -> TrainingFit:
    """The fit of a model with its training rows; other rows are refused.

    Parameters
    ----------
    model : estimator
        A fitted model of this package with linear predictors.
    X, y, sample_weight, **offsets
        The training rows, as they were given to ``fit``.
    extras : dict of str to ndarray, default=None
        Further values of each row, for what is summed.
    with_prior : bool, default=False
        Whether Jeffreys' prior is allowed for, which is no sum over rows.

    Raises
    ------
    TypeError
        For a model that is no sum over rows of a loss in a linear predictor.
    ValueError
        For rows that are not those of the fit.
    """
    if not isinstance(model, InfluenceMethods):
        raise TypeError(
            f"{type(model).__name__} has no fit that is known row by row; pass a fitted "
            "LinearRegression, LogisticRegression, GeneralizedLinearRegressor, ObjectiveRegressor "
            "or ObjectiveClassifier."
        )
    record = model._record()
    if record.status is Status.NOT_CONVERGED:
        raise InferenceError(
            f"the {type(model).__name__} did not converge, so that there is no minimum to start "
            "from. Fit it again with a larger max_iter, or scale the columns."
        )
    basis = _basis(record)  # raises if there is no unique minimum, before any row is read
    X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
    index = index_of(X)
    X, targets, weights = model._training_rows(X, y, sample_weight, **offsets)
    index = index_of(X) if index is None else index
    further = dict(model._offsets_of(X, **offsets))
    offset = further.get("offset")
    further |= extras or {}
    if weights is not None:
        further["frequency"] = weights
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    rows = rows_of(X, targets, extras=further, intercept=record.intercept)
    objective: Any = model._objective_of_fit(rows)
    prior = getattr(objective, "prior", None)
    is_sum = isinstance(objective, LinearPredictorObjective)
    if not is_sum or (prior is not None and not with_prior):
        raise InferenceError(
            f"{type(model).__name__} has minimised more than a sum over rows of a loss and a "
            "squared penalty, which cannot be reweighted."
        )
    params = np.asarray(record.params)
    if params.ndim == 2 and len(params) == 1:
        params = params[0]
    penalty = objective.penalty
    if np.ndim(penalty):  # of each parameter, also of the intercept, which has none
        penalty = penalty[: len(basis.centre)]
    fit = WhitenedFit(rows, objective.loss, params, basis, penalty)
    return TrainingFit(model, fit, index, X, targets, weights, offset, prior)


def _basis(record: Any) -> Basis:
    """T of a fit, about the centre of its rows."""
    model = record.model
    is_linear = isinstance(model, LinearModelInference)
    K = len(np.atleast_2d(record.params))
    if K > 1 and not is_linear:
        centred = model.centred_root
        return Basis(centred.reshape(K, len(centred) // K, -1), model.centre, record.intercept)
    whitening = model.whitening
    T = whitening.matrix_about(whitening.mean)
    if is_linear:
        T = T / np.sqrt(2.0)  # the Hessian is 2X̃ᵀWX̃
    root = np.zeros((K, len(T), K, T.shape[1]))
    for k in range(K):  # each target has coordinates of its own
        root[k, :, k] = T
    return Basis(root.reshape(K, len(T), -1), whitening.mean, record.intercept)
