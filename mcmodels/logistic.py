"""LogisticRegression: two or more classes by Newton's method, with the exact curvature."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from mcmodels._callbacks import told_of_each_step
from mcmodels._class_probabilities import ClassProbabilitiesMixin
from mcmodels._class_weights import ClassWeights
from mcmodels._labels import encode, refuse_unknown, select, totals
from mcmodels._logistic_inference import LogisticInferenceMixin
from mcmodels._streams import refuse_other_arguments, stream_rows, survey
from mcmodels._validation import (
    check_choice,
    check_count,
    check_flag,
    check_number,
    check_weights,
    refuse_not_finite,
    validated_pair,
    validated_rows,
)
from mcmodels._verdicts import (
    undetermined,
    warn_not_converged,
    warn_rank_deficient,
    warn_separated,
)
from mcmodels.base import DifferentiableMixin
from mcmodels.objectives import (
    BinaryCrossEntropy,
    LinearPredictorObjective,
    Objective,
    SoftmaxCrossEntropy,
)
from mcmodels.rows import ArrayRows, Rows, RowStream, Seen
from mcmodels.rows.blocks import Array
from mcmodels.solvers import Solution, Status, irls

__all__ = ["LogisticRegression"]


class LogisticRegression(
    ClassProbabilitiesMixin,
    ClassifierMixin,
    LogisticInferenceMixin,
    DifferentiableMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Logistic regression: minimise ``Σ wᵢ·crossentropy(yᵢ, pᵢ) + ‖coef‖²/(2C)``.

    With two classes ``p = σ(x̃ᵀθ)``; the gradient is ``X̃ᵀW(p - y) + coef/C`` and the Hessian
    ``X̃ᵀWDX̃ + I/C`` with ``D = diag(p(1 - p))``. With K > 2 classes p is the softmax of K linear
    predictors, all classes alike, and the blocks of the Hessian are ``X̃ᵀW(diag(pₖ) - pₖpₗ)X̃``. The
    intercept is never penalised.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty; ``np.inf`` for maximum likelihood.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict or "balanced", default=None
        Weight of each class, a factor on the weights of its rows; "balanced" makes the classes
        weigh the same.
    solver : {"auto", "newton", "newton-cholesky", "newton-cg"}, default="auto"
        The first three are Newton's method with a line search ("newton-cholesky" is scikit-learn's
        name), whose steps conjugate gradients find where there are more than 8192 parameters;
        "newton-cg" asks for them in any case. See docs/choosing.md.
    tol : float, default=1e-8
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` and the next step
        would be negligible, or when float64 can show no further decrease of the objective.
    max_iter : int, default=100
        Largest number of Newton steps.
    warm_start : bool, default=False
        Whether to start from the parameters of the previous fit, when their shape agrees and they
        are better than none.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes that have rows of positive weight.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; zeros when none is fitted.
    params_ : ndarray of shape (P,) or (n_classes, P)
        Coefficients, then the intercept when one is fitted. With more than two classes, whatever
        is not penalised sums to zero over the classes.
    gradient_ : ndarray, the shape of ``params_``
        Gradient of the objective at ``params_``.
    hessian_ : ndarray of shape (params_.size, params_.size)
        Hessian of the objective over ``params_.ravel()``; not there with more than 8192
        parameters, where :meth:`hessian_vector_product` takes its place.
    objective_ : float
        The objective at ``params_``, on the training rows.
    n_iter_ : ndarray of shape (1,)
        Newton steps taken.
    converged_ : bool
        Whether the tolerance was met at a finite optimum.
    solver_ : {"newton", "newton-cg"}
        The algorithm that was used.
    status_ : {"converged", "rank deficient", "separated", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    scikit-learn's fit callbacks work: ``set_callbacks(sklearn.callback.ProgressBar())`` shows each
    Newton step (``pip install 'mcmodels[progress]'``), and a callback that returns True at the end
    of a step stops the fit there.

    What follows from the curvature (``standard_errors_``, ``summary()``, tests, intervals,
    influence, marginal effects) is in docs/inference.md.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, §4.3.2–4.3.4 (eq. 4.91, 4.97, 4.109,
    4.110).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LogisticRegression
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> y = np.array(["no", "no", "yes", "no", "yes", "yes"])
    >>> model = LogisticRegression(C=np.inf).fit(X, y)
    >>> model.params_.round(6)
    array([ 1.214028, -3.035069])
    >>> model.hessian_.shape, bool(abs(model.gradient_).max() < 1e-8)
    ((2, 2), True)
    >>> model.predict([[0.5], [4.5]])
    array(['no', 'yes'], dtype='<U3')
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        solver: str = "auto",
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too; it is walked once to see what there is,
            and once for each Newton step.
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
        SeparationWarning
            When no finite coefficients maximise the likelihood.
        RankDeficiencyWarning
            When columns are linearly dependent and nothing is penalised.
        ConvergenceWarning
            When ``max_iter`` steps did not suffice.
        """
        self._check_parameters()
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            objective = self._stream_objective(X)
            return self._conclude_fit(objective, self._iterate(objective, X, None, None))
        X, y = validated_pair(self, X, y, reset=True)
        if y.dtype.kind not in "biuUS":
            check_classification_targets(y)
        weights = check_weights(sample_weight, X)
        self._class_weights = ClassWeights.of(self.class_weight, y, weights)
        labels, codes = encode(y)
        present = self._present(labels, codes, weights, self._class_weights.times(y, weights))
        self.classes_, codes = select(labels, codes, present)
        row_weights = self._class_weights.times(y, weights)
        self._class_totals = totals(codes, row_weights, len(self.classes_))
        objective = self._objective_of(X, codes, row_weights)
        with refuse_not_finite(self, X):
            return self._conclude_fit(objective, self._iterate(objective, X, y, weights))

    def decision_function(self, X: Any) -> Array:
        """Linear predictor of each row: of the second class, or of every class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        rows = self._unlabelled_rows(X, None)
        return rows.map(lambda block: block.X.predictor(self.params_))

    @property
    def hessian_(self) -> Array:
        """Hessian of the objective over ``params_.ravel()``."""
        return self._formed_hessian()

    def _formed_hessian(self) -> Array:
        check_is_fitted(self)
        if self._hessian is None:
            raise AttributeError(
                f"hessian_ is not formed for {self.params_.size} parameters; call "
                "hessian_vector_product(X, y, vector=…) with the training rows, or hessian(X, y) "
                "if there is room for it."
            )
        return self._hessian

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_parameters(self) -> None:
        check_number("C", self.C, above=0)
        if 1.0 / float(self.C) == np.inf:
            raise ValueError(f"C={self.C!r} is so small that 1/C overflows float64.")
        check_flag("fit_intercept", self.fit_intercept)
        if self.class_weight is not None and not isinstance(self.class_weight, dict):
            check_choice("class_weight", self.class_weight, ("balanced",))
        check_choice("solver", self.solver, ("auto", "newton", "newton-cholesky", "newton-cg"))
        check_number("tol", self.tol, at_least=0)
        check_count("max_iter", self.max_iter, at_least=1)
        check_flag("warm_start", self.warm_start)

    def _present(
        self, labels: Any, codes: Any, weights: Array | None, class_weighted: Array | None
    ) -> Any:
        """Which labels have rows that count; refuses fewer than two."""
        where = "" if weights is None else " in the rows of positive weight"
        if class_weighted is None and len(labels) > 1:
            return np.ones(len(labels), dtype=bool)
        for row_weights in (weights, class_weighted):
            counted = codes if row_weights is None else codes[row_weights > 0]
            present = np.bincount(counted, minlength=len(labels)) > 0
            if np.count_nonzero(present) < 2:
                found = ", ".join(map(str, labels[present])) or "none"
                raise ValueError(
                    f"y holds only one class{where}: {found}. Classifying needs at least two "
                    "classes; check the target, or the rows that were selected."
                )
            where = " of positive class_weight"
        return present

    def _stream_objective(self, stream: RowStream) -> LinearPredictorObjective:
        """The objective over a stream, and the classes that it holds."""
        intercept = bool(self.fit_intercept)
        surveyed = survey(self, stream, intercept=intercept, labels=True, multi_output=False)
        labels = surveyed.labels
        check_classification_targets(labels)
        counted = np.array([surveyed.label_weights[label] for label in labels.tolist()])
        self._class_weights = ClassWeights.of(self.class_weight, labels, counted)
        weighted = np.asarray(self._class_weights.times(labels, counted))
        present = self._present(labels, np.arange(len(labels)), counted, weighted)
        self.classes_, self._class_totals = labels[present], weighted[present]

        def prepare(y: Any, weights: Array | None) -> tuple[Any, Array | None]:
            return self._codes(y), self._class_weights.times(y, weights)

        rows = stream_rows(self, stream, surveyed, prepare, multi_output=False)
        if self._class_weights.by_label:
            rows = rows.reweighted(float(weighted.sum()))
        return self._objective_over(rows)

    def _codes(self, y: Any) -> Any:
        """Positions in ``classes_``; rows without weight may be of a class that was not there."""
        return np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)

    def _objective_of(self, X: Any, codes: Any, weights: Array | None) -> LinearPredictorObjective:
        return self._objective_over(
            ArrayRows(X, codes, weights, intercept=bool(self.fit_intercept))
        )

    def _objective_over(self, rows: Rows) -> LinearPredictorObjective:
        loss = BinaryCrossEntropy() if len(self.classes_) == 2 else SoftmaxCrossEntropy()
        return LinearPredictorObjective(rows, loss, penalty=1.0 / self.C)

    def _objective_on(self, X: Any, y: Any, sample_weight: Any) -> Objective:
        X, codes, weights = self._validated(X, y, sample_weight)
        return self._objective_of(X, codes, weights)

    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """X, codes of shape (n_samples,), and weights with those of the classes."""
        X, y = validated_pair(self, X, y, reset=False)
        weights = check_weights(sample_weight, X)
        total = self._class_weights.times(y, weights)
        refuse_unknown(y, total, self.classes_)
        return X, self._codes(y), total

    def _unlabelled_rows(self, X: Any, sample_weight: Any) -> ArrayRows:
        X = validated_rows(self, X)
        weights = check_weights(sample_weight, X)
        return ArrayRows(X, weights=weights, intercept=bool(self.fit_intercept))

    def _start(self, objective: LinearPredictorObjective) -> Array:
        start = irls.log_odds_start(objective.rows, len(self.classes_))
        previous = getattr(self, "params_", None)
        if not self.warm_start or previous is None or previous.shape != start.shape:
            return start
        if previous.ndim == 2:
            previous = previous - previous.mean(axis=0)
        return previous if objective.value(previous) <= objective.value(start) else start

    def _iterate(
        self, objective: LinearPredictorObjective, X: Any, y: Any, weights: Array | None
    ) -> irls.Progress:
        """Run Newton's method, telling scikit-learn's callbacks of each step."""
        steps = irls.fit(
            objective,
            self._start(objective),
            tol=self.tol,
            max_iter=self.max_iter,
            conjugate_gradients=self.solver == "newton-cg",
        )
        for state in told_of_each_step(self, steps, X, y, weights):
            last = state
        return last

    def _as_attributes(self, params: Array) -> dict[str, Any]:
        """The attributes that predictions read."""
        rows = np.atleast_2d(params)
        return {
            "params_": params,
            "coef_": rows[:, : self.n_features_in_],
            "intercept_": rows[:, -1] if self.fit_intercept else np.zeros(len(rows)),
        }

    def _conclude_fit(self, objective: LinearPredictorObjective, last: irls.Progress) -> Self:
        solution = irls.conclude(objective, last)
        optimum = solution.value
        for name, value in self._as_attributes(optimum.params).items():
            setattr(self, name, value)
        self.gradient_ = optimum.gradient
        self._hessian = optimum.hessian
        self._seen = Seen.of(objective.rows)
        self._undetermined = undetermined(self, solution, objective.rows.n_present)
        self._inner = None if self._undetermined else optimum.inner
        self.objective_ = optimum.objective
        self.n_iter_ = np.array([solution.iterations], dtype=np.int32)
        self.converged_ = solution.status in (Status.CONVERGED, Status.RANK_DEFICIENT)
        self.solver_ = solution.method
        self.status_ = str(solution.status)
        self._warn_of(solution, objective.rows.n_present)
        return self

    def _warn_of(self, solution: Solution[irls.Optimum], n_rows: int) -> None:
        if solution.status is Status.SEPARATED:
            warn_separated(self, solution, stacklevel=6)
        elif solution.status is Status.RANK_DEFICIENT:
            warn_rank_deficient(
                self,
                solution,
                n_rows=n_rows,
                what="Probabilities are unique, parameters are the shortest that give them.",
                stacklevel=6,
            )
        elif solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                f"Newton's method stopped after {solution.iterations} steps with the gradient at "
                f"{np.abs(self.gradient_).max():.1e}. Raise max_iter, or scale the columns.",
                stacklevel=6,
            )
