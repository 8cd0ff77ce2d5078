"""ObjectiveRegressor and ObjectiveClassifier: estimators for a loss that the user writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import type_of_target

from mcmodels.arrays import Array, Labels, MatrixLike, Values, VectorLike
from mcmodels.estimators.classes import (
    check_labels,
    encode,
    labels_of,
    refuse_single_class,
    refuse_unknown,
)
from mcmodels.estimators.conditional_methods import unless
from mcmodels.estimators.loss_rows import TrainingData
from mcmodels.estimators.offset_predictions import OffsetScore
from mcmodels.estimators.own_losses import LossEstimator
from mcmodels.estimators.pointwise import inverse_link
from mcmodels.estimators.stream_fits import Prepare, Survey
from mcmodels.estimators.streams import of_blocks

__all__ = ["ObjectiveClassifier", "ObjectiveRegressor"]


class ObjectiveRegressor(OffsetScore, RegressorMixin, LossEstimator):
    """Minimise ``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ + offsetᵢ) + α‖coef‖²/2 + l1‖coef‖₁`` for your own loss ℓ(y, η).

    The derivatives of the loss with respect to the linear predictor η come from
    :mod:`mcmodels.calculus` if the loss is an expression, from :mod:`mcmodels.autodiff` if it is a
    NumPy function. The gradient is ``X̃ᵀWℓ′ + α coef``, the Hessian ``X̃ᵀW diag(ℓ″) X̃ + αI`` on the
    coefficients. The fit is Newton's method, with the same passes over rows as the built-in models.
    Where ℓ″ is negative, the Hessian is modified so that each step is a descent direction. The
    minimum that is found may then be a local one, and a warning says so. Where the formula of the
    loss proves that it is convex, the minimum is global, and ``convexity_`` says so.

    Parameters
    ----------
    loss : Expression, str or callable
        ℓ of one row: an expression in the scalars ``y`` and ``eta``, its text, or a function
        ``loss(y, eta)`` of two arrays of shape (n,) that returns one of shape (n,). The loss of a
        row must not depend on other rows. Several threads call a function at the same time, each
        with a block of rows.
    inverse_link : Expression, str or callable, default=None
        The prediction as a function of ``eta``: ``np.exp`` for a Poisson loss. None: η itself.
    alpha : float, default=0.0
        Strength of the penalty; the intercept is never penalised.
    l1 : float, default=0.0
        Strength of a further penalty ``l1‖coef‖₁``: coefficients become exactly zero, the more the
        larger it is. Such a fit is by proximal Newton, and has no standard errors, as it has chosen
        the columns. ``gradient_`` and ``hessian_`` are of the smooth part, without this penalty.
        Auxiliary parameters are not penalised.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    log_likelihood : bool, default=False
        Whether the loss is ``-log p(y|η)`` up to terms without η. The covariance of the parameters
        is then the inverse Hessian. Otherwise it is the sandwich covariance of an M-estimator,
        which needs the training rows: ``summary(X, y, kind="HC0")``.
    tol : float, default=1e-8
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` and the next step
        is negligible, or when float64 can show no further decrease of the objective.
    max_iter : int, default=100
        Largest number of steps.
    warm_start : bool, default=False
        Whether to start from the parameters of the previous fit. They are used if their shape is
        right and the objective there is not larger than at the default start.
    weights : {"frequency", "precision", "probability"}, default="frequency"
        What ``sample_weight`` is: how often a row was there; its precision, the inverse of its
        variance up to a factor; or the inverse of the probability that it was sampled. The
        estimates are the same, what is said of their errors is not: docs/inference.md.
    auxiliary : dict of str to float or array-like of shape (k,), default=None
        Auxiliary parameters of the loss, such as ``{"log_scale": 0.0}`` or
        ``{"cuts": [-1.0, 1.0]}``, with their first values. They are the same in all rows, are
        estimated together with the coefficients, and are never penalised. An expression holds them
        by name (entries of a vector as ``cuts[0]``). A function takes them after ``eta``: by their
        names if it has arguments of these names, else in their order. So may ``inverse_link``, by
        name. docs/own_objectives.md has examples.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    intercept_ : float
        Intercept; 0.0 when none is fitted.
    auxiliary_ : dict of str to float or ndarray of shape (k,)
        The auxiliary parameters, in the form of ``auxiliary``; only with auxiliary parameters.
    params_ : ndarray of shape (P,)
        Coefficients, then the intercept when one is fitted, then the auxiliary parameters.
    gradient_ : ndarray of shape (P,)
        Gradient of the objective at ``params_``.
    hessian_ : ndarray of shape (P, P)
        Hessian of the objective at ``params_``; not available with more than 8192 parameters.
    objective_ : float
        The objective at ``params_``, on the training rows.
    n_iter_ : int
        Number of steps.
    converged_ : bool
        Whether the tolerance was met at a minimum.
    solver_ : {"newton", "newton-cg", "proximal-newton"}
        The algorithm that was used; "newton-cg" with more than 8192 parameters, "proximal-newton"
        with ``l1``.
    status_ : {"converged", "rank deficient", "no minimum", "not converged"}
        How the solver ended.
    convexity_ : {"convex", "not convex", "unknown"}
        What is known of the loss; if it is convex, the minimum is global.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    See Also
    --------
    mcmodels.LinearRegression, mcmodels.LogisticRegression : Estimators for the usual losses.

    References
    ----------
    McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.5; Huber and Ronchetti
    (2009), *Robust Statistics*, 2nd ed., chapter 7 (M-estimators in regression).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import ObjectiveRegressor
    >>> from mcmodels.calculus import exp, scalar
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> counts = np.array([1, 2, 6, 14])
    >>> y, eta = scalar("y"), scalar("eta")
    >>> poisson = ObjectiveRegressor(exp(eta) - y * eta, inverse_link=np.exp, log_likelihood=True)
    >>> poisson.fit(X, counts).params_.round(6)
    array([ 0.91095 , -0.085258])
    >>> poisson.standard_errors_.round(6)
    array([0.252146, 0.648366])
    >>> poisson.predict([[4.0]]).round(4)
    array([35.112])
    >>> years = np.array([1.0, 1.0, 2.0, 2.0])
    >>> poisson.fit(X, counts, offset=np.log(years)).predict([[4.0]], offset=np.log([2.0])).round(4)
    array([26.6072])
    >>> poisson = poisson.fit(X, counts)
    >>> written = ObjectiveRegressor(lambda y, eta: np.exp(eta) - y * eta).fit(X, counts)
    >>> bool(np.allclose(written.params_, poisson.params_, rtol=1e-12))
    True

    A normal distribution whose standard deviation is estimated, too:

    >>> normal = "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2"
    >>> model = ObjectiveRegressor(normal, auxiliary={"log_sigma": 0.0}, log_likelihood=True)
    >>> model.fit(X, [0.1, 1.2, 1.9, 3.1]).params_.round(4)
    array([ 0.97  ,  0.12  , -2.2664])
    """

    _for_y: dict[str, Any] = {"multi_output": False, "y_numeric": True}

    @of_blocks
    def predict(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """``inverse_link(η)`` of each row; η without an inverse link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        eta = self._linear_predictor(X, {"offset": offset}, keep_dtype=True)
        predicted = inverse_link(self._bound_link(), eta.astype(np.float64, copy=False))
        return predicted.astype(eta.dtype, copy=False)

    def _targets_of(self, y: Values, weights: Array | None) -> Array:
        return np.asarray(y, dtype=np.float64)

    def _targets_of_fit(self, y: Values, weights: Array | None) -> tuple[Array, None]:
        return self._targets_of(y, weights), None

    def _targets_of_stream(self, surveyed: Survey) -> tuple[Prepare, None]:
        return _as_numbers, None


def _without_link(estimator: ObjectiveClassifier) -> str | None:
    if estimator.inverse_link is not None:
        return None
    return (
        "needs inverse_link, the probability of classes_[1] as a function of eta. Set "
        "inverse_link; or call decision_function, which returns eta."
    )


class ObjectiveClassifier(OffsetScore, ClassifierMixin, LossEstimator):
    """Classify by minimising ``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ + offsetᵢ) + α‖coef‖²/2`` for a loss of your own.

    There are two classes. In the loss, y is 0 for ``classes_[0]`` and 1 for ``classes_[1]``; write
    ``2y - 1`` for labels of -1 and 1. All else is as in :class:`ObjectiveRegressor`.

    Parameters
    ----------
    loss : Expression, str or callable
        ℓ of one row, in ``y`` (0 or 1) and ``eta``.
    inverse_link : Expression, str or callable, default=None
        The probability of ``classes_[1]`` as a function of ``eta``, for ``predict_proba``.
    alpha, l1, fit_intercept, log_likelihood, tol, max_iter, warm_start, weights, auxiliary
        As in :class:`ObjectiveRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels of the classes.
    coef_ : ndarray of shape (1, n_features)
        Coefficients.
    intercept_ : ndarray of shape (1,)
        Intercept; zero when none is fitted.
    params_, auxiliary_, gradient_, hessian_, objective_, n_iter_, converged_, solver_, status_,
    convexity_
        As in :class:`ObjectiveRegressor`.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import ObjectiveClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> y = np.array(["no", "no", "yes", "no", "yes", "yes"])
    >>> squared_hinge = ObjectiveClassifier("relu(1 - (2*y - 1) * eta) ** 2")
    >>> squared_hinge.fit(X, y).predict([[0.5], [4.5]])
    array(['no', 'yes'], dtype='<U3')
    """

    _tracked = ("coef_", "intercept_", "classes_")
    _for_y: dict[str, Any] = {"multi_output": False}

    @of_blocks
    def decision_function(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """Linear predictor η of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._linear_predictor(X, {"offset": offset}, keep_dtype=True)

    @of_blocks
    def predict(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Labels:
        """Predicted class: ``classes_[1]`` if its probability exceeds ½, or η > 0 without a link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        eta = self._linear_predictor(X, {"offset": offset})
        is_second = eta > 0 if self.inverse_link is None else self._probability(eta) > 0.5
        return labels_of(self, 1)[is_second.astype(np.intp)]

    @unless(_without_link)
    @of_blocks
    def predict_proba(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """Probability of each class, by the inverse link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples, 2)
        """
        eta = self._linear_predictor(X, {"offset": offset}, keep_dtype=True)
        p = self._probability(eta.astype(np.float64, copy=False))
        return np.column_stack([1.0 - p, p]).astype(eta.dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _probability(self, eta: Array) -> Array:
        p = inverse_link(self._bound_link(), eta)
        outside = (p < 0) | (p > 1)
        if outside.any():
            k = int(outside.argmax())
            raise ValueError(
                f"inverse_link is {p[k]:g} at eta={eta[k]:g}; it must be a probability."
            )
        return p

    def _targets_of_stream(self, surveyed: Survey) -> tuple[Prepare, Labels]:
        check_labels(surveyed.labels)
        present = [surveyed.label_weights[label] > 0 for label in surveyed.labels.tolist()]
        classes = _exactly_two(surveyed.labels[np.array(present)])
        return lambda y, weights: (_indicator_of_second(y, classes), weights), classes

    def _targets_of_fit(self, y: Values, weights: Array | None) -> tuple[Array, Labels]:
        check_labels(y)
        labels, codes = encode(y if weights is None else y[weights > 0])
        classes = _exactly_two(labels)
        targets = codes.astype(np.float64) if weights is None else _indicator_of_second(y, classes)
        return targets, classes

    def _targets_of(self, y: Values, weights: Array | None) -> Array:
        classes = labels_of(self, 1)
        refuse_unknown(y, weights, classes)
        return _indicator_of_second(y, classes)

    def _attributes(self, params: Array, found: TrainingData) -> dict[str, Any]:
        intercept = params[-1:].copy() if self.fit_intercept else np.zeros(1)
        coef = params[np.newaxis, : found.features.n_features].copy()
        published = {"classes_": found.classes.copy(), "coef_": coef, "intercept_": intercept}
        return published | found.features.attributes


def _as_numbers(y: Values, weights: Array | None) -> tuple[Array, Array | None]:
    return np.asarray(y, dtype=np.float64), weights


def _indicator_of_second(y: Values, classes: Labels) -> Array:
    """1.0 where y is the second class, else 0.0."""
    return (y == classes[1]).astype(np.float64)


def _exactly_two(labels: Labels) -> Labels:
    """The labels, if there are two; raises ValueError if there are fewer or more."""
    if len(labels) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is "
            f"{type_of_target(labels, input_name='y')}: it holds {len(labels)} classes."
        )
    present = np.ones(len(labels), dtype=bool)
    refuse_single_class(labels, present, " in the rows of positive weight")
    return labels
