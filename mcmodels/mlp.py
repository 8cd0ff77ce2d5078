"""MLPClassifier and MLPRegressor: feed-forward networks with gradient and Hessian."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin

from mcmodels.arrays import Array, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.callbacks import with_callbacks
from mcmodels.estimators.classes import (
    ClassPredictions,
    check_labels,
    codes_of,
    encode,
    labels_of,
    refuse_single_class,
    refuse_unknown,
    select,
)
from mcmodels.estimators.networks import NetworkEstimator, Targets
from mcmodels.estimators.stream_scores import StreamScore
from mcmodels.estimators.streams import in_memory_but_X, of_blocks
from mcmodels.estimators.validation import validated_pair
from mcmodels.estimators.verdicts import warn_constant_targets
from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.rows import RowStream

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(StreamScore, ClassPredictions, ClassifierMixin, NetworkEstimator):
    """Network classifier: minimise ``Σ wᵢ·crossentropy(yᵢ, pᵢ) + α/2 Σ ‖W_l‖²``.

    With two classes, p is the logistic function of one output; with K > 2 classes, the softmax of K
    outputs. The intercepts are not penalised. The objective is n times that of scikit-learn, which
    is a mean; both have the same minimisers.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; empty for a linear predictor.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers. relu has no derivative at 0. Its first derivative there is
        taken as 0, and its second derivative as 0 everywhere, so that ``hessian_`` at a kink is the
        Hessian on one side of it.
    solver : {"lbfgs", "newton-cg"}, default="lbfgs"
        "lbfgs": L-BFGS, as in scikit-learn. "newton-cg": trust-region steps from exact
        Hessian-vector products, with the curvature of single layers as preconditioner. It mostly
        needs fewer passes over the rows, but each pass costs a few times as much.
    alpha : float, default=1e-4
        Strength α of the penalty on the coefficients.
    max_iter : int, default=200
        Largest number of steps.
    tol : float, default=1e-4
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` (the same rule as
        that of "lbfgs" in scikit-learn). It has also converged when float64 shows no further
        decrease of the objective and the gradient predicts none. At a kink of relu the gradient
        predicts a decrease, so that the fit has not converged there.
    random_state : int, RandomState instance or None, default=None
        Source of the start values; the same state gives the same start as in scikit-learn.
    warm_start : bool, default=False
        Whether to start from the parameters of the last fit, if the layers are the same.
    compute_hessian : bool, default=False
        Whether to compute ``hessian_`` and ``critical_point_``; for at most 8192 parameters.

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
        Whether ``params_`` is a minimum, a saddle point or degenerate, by the eigenvalues of
        ``hessian_``; with ``compute_hessian=True``, for a fit that has converged. It is reliable
        only if the gradient is small; lower ``tol`` if in doubt.
    objective_ : float
        The objective at ``params_``, on the training rows.
    loss_ : float
        ``objective_ / Σ wᵢ``, as in scikit-learn.
    n_iter_ : int
        Number of steps.
    n_passes_ : int
        Passes over the rows: evaluations of value and gradient, and Hessian-vector products.
    converged_ : bool
        Whether the fit has converged; see ``tol``.
    status_ : {"converged", "not converged"}
        How the solver ended.
    n_layers_, n_outputs_ : int
        Number of layers, with the features as the first; number of outputs of the last layer.
    out_activation_ : {"logistic", "softmax"}
        The function that turns outputs into probabilities.
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

    _tracked = ("coefs_", "intercepts_", "classes_")

    @with_callbacks
    def fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too; it is walked once to see what there is,
            and once for each pass of the solver.
        y : array-like of shape (n_samples,)
            Class labels: numbers, booleans or strings, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. A row of weight 0 is ignored; a row of weight 2 counts twice.

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
            If ``max_iter`` steps did not suffice, or no step decreases the objective although the
            gradient is not small.
        """
        return self._train(X, y, sample_weight)

    @of_blocks
    def decision_function(self, X: MatrixLike) -> Array:
        """Outputs of the network: the log-odds of ``classes_[1]``, or K inputs of softmax.

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
        """Activation of the outputs: "logistic" with two classes, "softmax" with more."""
        return "logistic" if self.n_outputs_ == 1 else "softmax"

    def _targets_of_fit(self, y: Values, weights: Array | None, names: tuple[str, ...]) -> Targets:
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
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        X, y, sample_weight = in_memory_but_X(self, X, y, sample_weight, **self._for_y)
        X, y = validated_pair(self, X, y)
        weights = check_weights(sample_weight, X)
        classes = labels_of(self, self.n_outputs_)
        refuse_unknown(y, weights, classes)
        return self._objective_over(X, codes_of(y, classes), weights)


def _loss(n_outputs: int) -> Loss:
    return BinaryCrossEntropy() if n_outputs == 1 else SoftmaxCrossEntropy()


class MLPRegressor(StreamScore, MultiOutputMixin, RegressorMixin, NetworkEstimator):
    """Network regression: minimise ``½ Σ wᵢ ‖yᵢ - ŷᵢ‖² + α/2 Σ ‖W_l‖²``.

    The predictions ŷ are the outputs of the last layer. The intercepts are not penalised. The
    objective is n times that of scikit-learn, which is a mean; both have the same minimisers.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, max_iter, tol
        As in :class:`MLPClassifier`.
    random_state, warm_start, compute_hessian
        As in :class:`MLPClassifier`.

    Attributes
    ----------
    coefs_, intercepts_, params_, gradient_, hessian_, critical_point_, objective_, loss_
        As in :class:`MLPClassifier`.
    n_iter_, n_passes_, converged_, status_, n_layers_, n_outputs_
        As in :class:`MLPClassifier`.
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
    several targets, the loss here is a sum over them. scikit-learn reports the mean, but uses the
    gradient of the sum.

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
    def fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too; it is walked once to see what there is,
            and once for each pass of the solver.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. The default parameters suit targets of magnitude one.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. A row of weight 0 is ignored; a row of weight 2 counts twice.

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
            If a target takes a single value.
        ConvergenceWarning
            If ``max_iter`` steps did not suffice, or no step decreases the objective although the
            gradient is not small.
        """
        return self._train(X, y, sample_weight)

    @of_blocks
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

    def _targets_of_fit(self, y: Values, weights: Array | None, names: tuple[str, ...]) -> Targets:
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        targets = _targets_of_loss(y, n_outputs)
        counted = targets if weights is None else targets[weights > 0]
        constant = np.flatnonzero((counted == counted[0]).all(axis=0))
        if constant.size:
            warn_constant_targets(
                constant.tolist(),
                names,
                several=y.ndim > 1,
                consequence="there is nothing to learn",
            )
        if len(names) != n_outputs:
            names = ("y",) if n_outputs == 1 else tuple(f"y{k}" for k in range(n_outputs))
        return Targets(targets, names, y.shape[1:], self._loss(), n_outputs, {})

    def _loss(self) -> Loss:
        return HalfSquaredError()

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> NetworkObjective:
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        X, y, sample_weight = in_memory_but_X(self, X, y, sample_weight, **self._for_y)
        X, y = validated_pair(self, X, y, **self._for_y)
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        n_outputs = self.n_outputs_
        if n_targets != n_outputs:
            raise ValueError(f"y has {n_targets} target(s); the model was fitted to {n_outputs}.")
        targets = _targets_of_loss(y, n_outputs)
        return self._objective_over(X, targets, check_weights(sample_weight, X))


def _targets_of_loss(y: Values, n_outputs: int) -> Array:
    """Targets in the form that the loss needs: a vector if there is one output."""
    targets = np.asarray(y, dtype=np.float64)
    return targets.reshape(-1) if n_outputs == 1 else targets
