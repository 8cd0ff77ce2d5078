"""MLPClassifier and MLPRegressor: feed-forward networks, with their gradient and curvature."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin

from mcmodels.arrays import Array, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.callbacks import with_callbacks
from mcmodels.estimators.classes import (
    ClassPredictions,
    check_labels,
    codes_of,
    encode,
    refuse_single_class,
    refuse_unknown,
    select,
)
from mcmodels.estimators.networks import NetworkEstimator, Targets
from mcmodels.estimators.validation import check_weights, validated_pair
from mcmodels.exceptions import ConstantTargetWarning
from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.user_warnings import warn_user

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(ClassPredictions, ClassifierMixin, NetworkEstimator):
    """Network classifier: minimise ``Σ wᵢ·crossentropy(yᵢ, pᵢ) + α/2 Σ ‖W_l‖²``.

    With two classes p is the logistic function of one output, with K > 2 the softmax of K. The
    intercepts are not penalised. It is a sum: n times what scikit-learn minimises, with the same
    minimisers.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; empty for a linear predictor.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. relu has no derivative at 0; its slope there is taken as 0, its
        curvature as 0 everywhere: at a kink ``hessian_`` is that of one side.
    solver : {"lbfgs", "newton-cg"}, default="lbfgs"
        "lbfgs" as in scikit-learn; "newton-cg" takes steps in a trust region from exact
        Hessian-vector products, conditioned by the curvature of single layers: mostly fewer
        passes over the rows, each of which costs a few times as much.
    alpha : float, default=1e-4
        Strength α of the penalty on the coefficients.
    max_iter : int, default=200
        Largest number of steps.
    tol : float, default=1e-4
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` (scikit-learn's
        "lbfgs" means the same), or when float64 can show no further decrease of the objective and
        the gradient promises none, as it does at a kink of relu.
    random_state : int, RandomState instance or None, default=None
        Where the descent starts: the same random state gives scikit-learn's start.
    warm_start : bool, default=False
        Whether to start from the parameters of the last fit, when the layers are the same.
    compute_hessian : bool, default=False
        Whether to keep ``hessian_`` and ``critical_point_``; for at most 8192 parameters.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes that have rows of positive weight.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Coefficients ``W_l`` of each layer.
    intercepts_ : list of ndarray of shape (fan_out,)
        Intercepts ``b_l`` of each layer.
    params_ : ndarray of shape (n_params,)
        All ``W_l`` raveled in C order, then all ``b_l``; ``coefs_`` and ``intercepts_`` are views.
    gradient_ : NetworkParameters
        Gradient of the objective at ``params_``: a pair (coefs, intercepts) of lists with the
        shapes of ``coefs_`` and ``intercepts_``; ``gradient_.ravel()`` is over ``params_``.
    hessian_ : ndarray of shape (n_params, n_params)
        Hessian of the objective over ``params_``, with ``compute_hessian=True``.
    critical_point_ : mcmodels.calculus.CriticalPoint
        Whether ``params_`` is a minimum, a saddle or degenerate by the eigenvalues of
        ``hessian_``; with ``compute_hessian=True``, for a fit that has converged. It is as
        reliable as the gradient is small: lower ``tol``.
    objective_ : float
        The objective at ``params_``, on the training rows.
    loss_ : float
        ``objective_ / Σ wᵢ``, as in scikit-learn.
    n_iter_ : int
        Steps taken.
    n_passes_ : int
        Walks over the rows: evaluations of value and gradient, and Hessian-vector products.
    converged_ : bool
        Whether the fit has converged, as ``tol`` says.
    status_ : {"converged", "not converged"}
        How the solver ended.
    n_layers_, n_outputs_ : int
        Layers, the features included; outputs of the last.
    out_activation_ : {"logistic", "softmax"}
        What makes probabilities of the outputs.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    :meth:`objective`, :meth:`gradient`, :meth:`hessian` and :meth:`hessian_vector_product` evaluate
    at any rows and parameters; parameters and directions are vectors like ``params_``, or
    NetworkParameters like ``gradient_``. The objective is not convex: another start may end in
    another minimum. The formulas are those of :mod:`mcmodels.objectives.network_objective`.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, §5.2–5.4.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import MLPClassifier
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array(["same", "other", "other", "same"])
    >>> model = MLPClassifier(
    ...     (4,), "tanh", alpha=0.01, tol=1e-9, max_iter=1000, random_state=0, compute_hessian=True
    ... ).fit(X, y)
    >>> model.predict(X)
    array(['same', 'other', 'other', 'same'], dtype='<U5')
    >>> [W.shape for W in model.gradient_.coefs], model.hessian_.shape
    ([(2, 4), (4, 1)], (17, 17))
    >>> model.critical_point_.kind
    'minimum'
    """

    @with_callbacks
    def fit(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied.
        y : array-like of shape (n_samples,)
            Class labels: numbers, booleans or strings, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0: weight 0 is an absent row, weight 2 a row given twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, a single class, wrong shapes, negative or all-zero weights,
            or a parameter out of its range.

        Warns
        -----
        ConvergenceWarning
            When ``max_iter`` steps did not suffice, or no step is a decrease where the gradient is
            not small.
        """
        return self._train(X, y, sample_weight)

    def decision_function(self, X: MatrixLike) -> Array:
        """Outputs of the network: the log-odds of ``classes_[1]``, or the K inputs of softmax.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._outputs(X)

    @property
    def out_activation_(self) -> str:
        """Activation of the outputs: "logistic" of two classes, "softmax" of more."""
        return "logistic" if self.n_outputs_ == 1 else "softmax"

    def _targets_of_fit(self, y: Values, weights: Array | None) -> Targets:
        check_labels(y)
        labels, codes = encode(y)
        counted = codes if weights is None else codes[weights > 0]
        present = np.bincount(counted, minlength=len(labels)) > 0
        where = "" if weights is None else " in the rows of positive weight"
        refuse_single_class(labels, present, where)
        classes, codes = select(labels, codes, present)
        n_outputs = 1 if len(classes) == 2 else len(classes)
        names = tuple(map(str, classes))
        return Targets(codes, names, (), _loss(n_outputs), n_outputs, {"classes_": classes})

    def _loss(self) -> Loss:
        return _loss(self.n_outputs_)

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> NetworkObjective:
        X, y = validated_pair(self, X, y)
        weights = check_weights(sample_weight, X)
        refuse_unknown(y, weights, self.classes_)
        return self._objective_over(X, codes_of(y, self.classes_), weights)


def _loss(n_outputs: int) -> Loss:
    return BinaryCrossEntropy() if n_outputs == 1 else SoftmaxCrossEntropy()


class MLPRegressor(MultiOutputMixin, RegressorMixin, NetworkEstimator):
    """Network regression: minimise ``½ Σ wᵢ ‖yᵢ - ŷᵢ‖² + α/2 Σ ‖W_l‖²``.

    The outputs ŷ are those of the last layer as they are. The intercepts are not penalised. It is
    a sum: n times what scikit-learn minimises, with the same minimisers.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; empty for a linear predictor.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Of the hidden layers. relu has no derivative at 0; its slope there is taken as 0, its
        curvature as 0 everywhere: at a kink ``hessian_`` is that of one side.
    solver : {"lbfgs", "newton-cg"}, default="lbfgs"
        "lbfgs" as in scikit-learn; "newton-cg" takes steps in a trust region from exact
        Hessian-vector products, conditioned by the curvature of single layers: mostly fewer
        passes over the rows, each of which costs a few times as much.
    alpha : float, default=1e-4
        Strength α of the penalty on the coefficients.
    max_iter : int, default=200
        Largest number of steps.
    tol : float, default=1e-4
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` (scikit-learn's
        "lbfgs" means the same), or when float64 can show no further decrease of the objective and
        the gradient promises none, as it does at a kink of relu.
    random_state : int, RandomState instance or None, default=None
        Where the descent starts: the same random state gives scikit-learn's start.
    warm_start : bool, default=False
        Whether to start from the parameters of the last fit, when the layers are the same.
    compute_hessian : bool, default=False
        Whether to keep ``hessian_`` and ``critical_point_``; for at most 8192 parameters.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Coefficients ``W_l`` of each layer.
    intercepts_ : list of ndarray of shape (fan_out,)
        Intercepts ``b_l`` of each layer.
    params_ : ndarray of shape (n_params,)
        All ``W_l`` raveled in C order, then all ``b_l``; ``coefs_`` and ``intercepts_`` are views.
    gradient_ : NetworkParameters
        Gradient of the objective at ``params_``: a pair (coefs, intercepts) of lists with the
        shapes of ``coefs_`` and ``intercepts_``; ``gradient_.ravel()`` is over ``params_``.
    hessian_ : ndarray of shape (n_params, n_params)
        Hessian of the objective over ``params_``, with ``compute_hessian=True``.
    critical_point_ : mcmodels.calculus.CriticalPoint
        Whether ``params_`` is a minimum, a saddle or degenerate by the eigenvalues of
        ``hessian_``; with ``compute_hessian=True``, for a fit that has converged. It is as
        reliable as the gradient is small: lower ``tol``.
    objective_ : float
        The objective at ``params_``, on the training rows.
    loss_ : float
        ``objective_ / Σ wᵢ``, as in scikit-learn.
    n_iter_ : int
        Steps taken.
    n_passes_ : int
        Walks over the rows: evaluations of value and gradient, and Hessian-vector products.
    converged_ : bool
        Whether the fit has converged, as ``tol`` says.
    status_ : {"converged", "not converged"}
        How the solver ended.
    n_layers_, n_outputs_ : int
        Layers, the features included; outputs of the last.
    out_activation_ : "identity"
        The outputs are the predictions.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    :meth:`objective`, :meth:`gradient`, :meth:`hessian` and :meth:`hessian_vector_product` evaluate
    at any rows and parameters; parameters and directions are vectors like ``params_``, or
    NetworkParameters like ``gradient_``. The objective is not convex: another start may end in
    another minimum. The formulas are those of :mod:`mcmodels.objectives.network_objective`. With
    m > 1 targets scikit-learn's loss is the mean over them, its gradient that of the sum, as here.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, §5.2–5.4.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import MLPRegressor
    >>> X = np.linspace(-2, 2, 9)[:, np.newaxis]
    >>> model = MLPRegressor((3,), "tanh", alpha=0.01, solver="newton-cg", random_state=0)
    >>> model.fit(X, np.sin(X[:, 0])).predict([[0.0], [1.0]]).round(1) + 0.0
    array([0. , 0.8])
    """

    _for_y = {"multi_output": True, "y_numeric": True}

    @with_callbacks
    def fit(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. The defaults suit targets of the size of one.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0: weight 0 is an absent row, weight 2 a row given twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, wrong shapes, negative or all-zero weights, or a parameter
            out of its range.

        Warns
        -----
        ConstantTargetWarning
            When a target takes one value only.
        ConvergenceWarning
            When ``max_iter`` steps did not suffice, or no step is a decrease where the gradient is
            not small.
        """
        return self._train(X, y, sample_weight)

    def predict(self, X: MatrixLike) -> Array:
        """Predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
        """
        eta = self._outputs(X)
        shape = eta.shape[1:] if self._fit is None else self._fit.target_shape
        return eta.reshape(len(eta), *shape)

    @property
    def out_activation_(self) -> str:
        """Activation of the outputs, which are the predictions: "identity"."""
        self._check_has_coefficients()
        return "identity"

    def _targets_of_fit(self, y: Values, weights: Array | None) -> Targets:
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        targets = _as_loss_takes(y, n_outputs)
        counted = targets if weights is None else targets[weights > 0]
        constant = np.atleast_1d((counted == counted[0]).all(axis=0))
        if constant.any():
            which = "y" if y.ndim == 1 else f"targets {np.flatnonzero(constant).tolist()} of y"
            warn_user(
                f"{which} takes a single value: there is nothing to learn, and R² says nothing. "
                "Check the target, or the rows that were selected.",
                ConstantTargetWarning,
            )
        names = ("y",) if n_outputs == 1 else tuple(f"y{k}" for k in range(n_outputs))
        return Targets(targets, names, y.shape[1:], self._loss(), n_outputs, {})

    def _loss(self) -> Loss:
        return HalfSquaredError()

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> NetworkObjective:
        X, y = validated_pair(self, X, y, **self._for_y)
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        n_outputs = self.n_outputs_
        if n_targets != n_outputs:
            raise ValueError(f"y has {n_targets} target(s); the model was fitted to {n_outputs}.")
        targets = _as_loss_takes(y, n_outputs)
        return self._objective_over(X, targets, check_weights(sample_weight, X))


def _as_loss_takes(y: Values, n_outputs: int) -> Array:
    """Targets as the loss takes them: a vector for one output."""
    targets = np.asarray(y, dtype=np.float64)
    return targets.reshape(-1) if n_outputs == 1 else targets
