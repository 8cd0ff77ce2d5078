"""MLPClassifier and MLPRegressor: feed-forward networks with gradient and Hessian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights
from mcmodels.estimators.callbacks import with_callbacks
from mcmodels.estimators.network_kinds import NetworkOfClasses, NetworkOfNumbers
from mcmodels.estimators.stream_scores import StreamScore
from mcmodels.estimators.streams import of_blocks
from mcmodels.objectives.network_losses import mean_of_outputs
from mcmodels.rows import RowStream

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(StreamScore, NetworkOfClasses):
    """Network classifier: minimise ``Σ wᵢ·crossentropy(yᵢ, pᵢ) + α/2 Σ ‖W_l‖²``.

    With two classes, p is the logistic function of one output; with K > 2 classes, the softmax of K
    outputs. With several labels a row (y an indicator matrix), there is an output for each, whose
    logistic function is its probability, and the cross-entropies are summed. The intercepts are not
    penalised. The objective is n times that of scikit-learn, which is a mean; both have the same
    minimisers.

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
    class_weight : dict or "balanced", default=None
        Factors for the weights of the rows of each class, by label; one for classes left out.
        "balanced": inversely proportional to the weight of the rows of the class. Not for labels.
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
    early_stopping : bool, default=False
        Whether to hold out rows, score them after each step, and stop when the score no longer
        rises. The fit then has the parameters of the best score, which are at no minimum. Rows are
        held out at random, the same share of each class (of labels, of all rows), with their
        weights; the score is the accuracy, or R².
    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, in (0, 1).
    n_iter_no_change : int or inf, default=10
        Early stopping ends the fit after more steps than this in a row, each of which has not
        raised the best score by ``tol``.
    compute_hessian : bool, default=False
        Whether to compute ``hessian_`` and ``critical_point_``; for at most 8192 parameters.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes that have rows of positive weight; of several labels a row, the
        columns of y.
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
    status_ : {"converged", "not converged", "stopped early"}
        How the solver ended.
    validation_scores_ : list of float, or None
        Score of the rows that were held out, after each step; None without early stopping.
    best_validation_score_ : float or None
        The highest of them, that of ``params_``; None without early stopping.
    n_layers_, n_outputs_ : int
        Number of layers, with the features as the first; number of outputs of the last layer.
    out_activation_ : {"logistic", "softmax"}
        The function that turns outputs into probabilities.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    :meth:`objective`, :meth:`gradient`, :meth:`hessian` and :meth:`hessian_vector_product` evaluate
    at any rows and parameters; parameters and directions are vectors like ``params_``, or
    NetworkParameters like ``gradient_``. The objective is not convex: another start may end in
    another minimum. The formulas are those of :mod:`mcmodels.objectives.network_objective` and
    :mod:`mcmodels.objectives.network_losses`. With early stopping, ``objective_``, ``loss_`` and
    their derivatives are over the rows that were not held out.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, §5.2–5.4; Prechelt (1998), *Early
    Stopping – But When?*; Kingma and Ba (2015), *Adam* (``partial_fit``).

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

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "lbfgs",
        alpha: float = 1e-4,
        class_weight: Mapping[Any, float] | str | None = None,
        max_iter: int = 200,
        tol: float = 1e-4,
        random_state: RandomState = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float = 10,
        compute_hessian: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.compute_hessian = compute_hessian

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
            and once for each pass of the solver. Nothing as long as a stream is held in memory,
            except, with early stopping, y and the weights.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels: numbers, booleans or strings, of at least two classes. Or a matrix of
            several columns, 1 where the row has the label of the column and else 0.
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
        ConstantTargetWarning
            If a label is in every row, or in none.
        ConvergenceWarning
            If ``max_iter`` steps did not suffice, or no step decreases the objective although the
            gradient is not small.
        """
        return self._train(X, y, sample_weight)

    def partial_fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: Weights = None,
        classes: VectorLike | None = None,
    ) -> Self:
        """Update the parameters by one pass over these rows.

        Each batch of 200 rows, in the order given, is one update by Adam, with the gradient of the
        mean loss of the batch, penalty included: what scikit-learn's ``partial_fit`` does with
        ``solver="adam"`` and its other defaults, except that rows are not shuffled. Nothing is
        random but the start.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features. Shuffle rows that are sorted by their targets.
        y : array-like of shape (n_samples,), or (n_samples, n_labels)
            Class labels, or indicators of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. A row of weight 0 is absent.
        classes : array-like of shape (n_classes,), default=None
            All classes, also those without rows here; required in the first call. Not with labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in ``fit``; and for a class that is not among ``classes``, class_weight="balanced",
            and early stopping.

        Warns
        -----
        ScaleWarning
            In the first call, if columns have a root mean square above 10: they are not scaled.

        Notes
        -----
        The first call starts at random, a call after ``fit`` at its parameters; ``fit`` starts anew
        unless ``warm_start`` is set. No row is kept. So ``loss_`` is the mean loss of the rows of
        the last call, each batch before its update, ``n_iter_`` the number of updates,
        ``converged_`` is False, and ``gradient_``, ``objective_``, ``hessian_`` and :meth:`laplace`
        are refused: the parameters are at no minimum. Of few rows a call adds the whole penalty
        as of many, as in scikit-learn: with many small batches it weighs more than in ``fit``.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs the rows of all classes, and partial_fit sees some. "
                "Pass a dict, for example from sklearn.utils.class_weight.compute_class_weight on "
                "all labels."
            )
        return self._update(X, y, sample_weight, classes)

    @of_blocks
    def decision_function(self, X: MatrixLike) -> Array:
        """Outputs of the network: log-odds of ``classes_[1]`` or of labels, or inputs of softmax.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._outputs(X)


class MLPRegressor(StreamScore, NetworkOfNumbers):
    """Network regression: minimise ``½ Σ wᵢ ‖yᵢ - ŷᵢ‖² + α/2 Σ ‖W_l‖²``.

    The predictions ŷ are the outputs η of the last layer. With ``loss="poisson"``, for counts and
    other targets that are not negative, they are ``e^η``, and half the Poisson deviance,
    ``Σ wᵢ Σₖ [yᵢₖ log(yᵢₖ/ŷᵢₖ) - yᵢₖ + ŷᵢₖ]``, takes the place of the squares. The intercepts are
    not penalised. The objective is n times that of scikit-learn, which is a mean; both have the
    same minimisers.

    Parameters
    ----------
    hidden_layer_sizes, activation
        As in :class:`MLPClassifier`.
    loss : {"squared_error", "poisson"}, default="squared_error"
        What is minimised. By keyword: in scikit-learn it is the first argument.
    solver, alpha, max_iter, tol, random_state, warm_start
        As in :class:`MLPClassifier`.
    early_stopping, validation_fraction, n_iter_no_change, compute_hessian
        As in :class:`MLPClassifier`.

    Attributes
    ----------
    coefs_, intercepts_, params_, gradient_, hessian_, critical_point_, objective_, loss_
        As in :class:`MLPClassifier`.
    n_iter_, n_passes_, converged_, status_, n_layers_, n_outputs_
        As in :class:`MLPClassifier`.
    validation_scores_, best_validation_score_
        As in :class:`MLPClassifier`; the score is R².
    out_activation_ : {"identity", "exp"}
        The function that turns outputs into predictions.
    n_features_in_, feature_names_in_
        As in :class:`MLPClassifier`.

    Notes
    -----
    :meth:`objective`, :meth:`gradient`, :meth:`hessian` and :meth:`hessian_vector_product` evaluate
    at any rows and parameters; parameters and directions are vectors like ``params_``, or
    NetworkParameters like ``gradient_``. The objective is not convex: another start may end in
    another minimum. The formulas are those of :mod:`mcmodels.objectives.network_objective` and
    :mod:`mcmodels.objectives.network_losses`. With several targets, the loss here is a sum over
    them. scikit-learn reports the mean of squared errors, but uses the gradient of the sum.
    ``score`` is R² with either loss, as in scikit-learn.

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

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        loss: str = "squared_error",
        solver: str = "lbfgs",
        alpha: float = 1e-4,
        max_iter: int = 200,
        tol: float = 1e-4,
        random_state: RandomState = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float = 10,
        compute_hessian: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.compute_hessian = compute_hessian

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
        X, sample_weight
            As in :meth:`MLPClassifier.fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets; not negative with ``loss="poisson"``. Those far from zero, or not of size one,
            are measured in units of their own; the penalty stays on the coefficients as given.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, wrong shapes, negative or all-zero weights, negative
            counts, or a parameter out of its range.

        Warns
        -----
        ConstantTargetWarning
            If a target takes a single value.
        ScaleWarning
            If targets are so small that the penalty outweighs all that they could explain.
        ConvergenceWarning
            If ``max_iter`` steps did not suffice, or no step decreases the objective although the
            gradient is not small.
        """
        return self._train(X, y, sample_weight)

    def partial_fit(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> Self:
        """Update the parameters by one pass over these rows.

        Parameters
        ----------
        X, sample_weight
            As in :meth:`MLPClassifier.partial_fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.

        Returns
        -------
        self

        Notes
        -----
        As in :meth:`MLPClassifier.partial_fit`: each batch of 200 rows is one update by Adam. The
        first call decides in which units of the targets.
        """
        return self._update(X, y, sample_weight)

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
        eta = mean_of_outputs(self._loss(), self._outputs(X))
        shape = eta.shape[1:] if self._fit is None else self._fit.target_shape
        return eta.reshape(len(eta), *shape)
