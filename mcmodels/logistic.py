"""LogisticRegression: two or more classes by Newton's method, with the exact curvature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin

from mcmodels.arrays import Array, Codes, Labels, Matrix, MatrixLike, Penalty, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks, with_callbacks
from mcmodels.estimators.classes import (
    ClassWeights,
    check_labels,
    codes_of,
    encode,
    labels_of,
    select,
    totals,
)
from mcmodels.estimators.logistic_methods import LogisticMethods
from mcmodels.estimators.logistic_rows import ClassRows, PreparedLabels, present
from mcmodels.estimators.logistic_tuning import (
    logistic_fitting,
    logistic_tuning,
    refuse_conjugate_gradients,
)
from mcmodels.estimators.offset_predictions import OffsetClassPredictions, OffsetScore
from mcmodels.estimators.offsets import offset_of_classes, refuse_other_outputs, with_offsets
from mcmodels.estimators.parts import rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart, stream_rows, survey
from mcmodels.estimators.streams import checked_rows, of_blocks, refuse_other_arguments
from mcmodels.estimators.validation import refuse_not_finite, training_pair
from mcmodels.estimators.verdicts import undetermined, warn_of_classes
from mcmodels.estimators.weighting import (
    check_newton_arguments,
    refuse_zero_factors,
    rows_for_sums,
    weighting_of,
)
from mcmodels.objectives import (
    BinaryCrossEntropy,
    LinearPredictorObjective,
    Objective,
    SoftmaxCrossEntropy,
)
from mcmodels.records.logistic import LogisticFit
from mcmodels.rows import ArrayRows, Rows, RowStream, RowsWithCrossSums
from mcmodels.solvers import Solution, irls
from mcmodels.solvers.conclusion import conclude
from mcmodels.solvers.constant_targets import with_constant_columns
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.starts import NullFit, better_start, log_odds_start, null_fit

__all__ = ["LogisticRegression"]


class LogisticRegression(
    OffsetScore, OffsetClassPredictions, ClassifierMixin, CallbackSupportMixin, LogisticMethods
):
    """Logistic regression: minimise ``Σ wᵢ·crossentropy(yᵢ, pᵢ) + ‖coef‖²/(2C)``.

    With two classes ``p = σ(x̃ᵀθ + offset)``; the gradient is ``X̃ᵀW(p - y) + coef/C`` and the
    Hessian ``X̃ᵀWDX̃ + I/C`` with ``D = diag(p(1 - p))``. With K > 2 classes p is the softmax of K
    linear predictors, all classes alike, and the blocks of the Hessian are
    ``X̃ᵀW(diag(pₖ) - pₖpₗ)X̃``. The intercept is never penalised.

    Parameters
    ----------
    C : float, {"loo", "evidence", "aic"}, or dict of str to float, default=1.0
        Inverse strength of the penalty; ``np.inf`` for maximum likelihood. A name chooses it, by
        leave-one-out, Laplace's marginal likelihood, or effective freedom: docs/tuning.md. A dict
        has a positive number for each of ``penalty_groups``, as ``C_`` has.
    penalty_groups : dict of str to list, or "each", default=None
        Groups of columns, by names or positions, each with a C of its own, chosen or given; the
        columns in no group are one more, "other". "each": every column has its own.
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
    weights : {"frequency", "precision", "probability"}, default="frequency"
        What ``sample_weight`` is: how often a row was there; its precision, the inverse of its
        variance up to a factor; or the inverse of the probability that it was sampled. The
        estimates are the same, what is said of their errors is not: docs/inference.md.

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
    hessian_ : ndarray of shape (n, n), n the size of ``params_``
        Hessian of the objective over ``params_.ravel()``; not there with more than 8192
        parameters, where :meth:`hessian_vector_product` takes its place.
    objective_ : float
        The objective at ``params_``, on the training rows.
    C_ : float or dict
        C as it was given or chosen, of groups by their names.
    criterion_, criterion_gradient_, criterion_path_, effective_freedom_
        Of a C that was chosen: the criterion, its derivative by log C, what was tried, and the
        effective degrees of freedom.
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
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    scikit-learn's fit callbacks work, where it has them (from 1.9 on):
    ``set_callbacks(sklearn.callback.ProgressBar())`` shows each Newton step
    (``pip install 'mcmodels[progress]'``), and a callback that returns True at the end of a step
    stops the fit there.

    What follows from the curvature (``standard_errors_``, ``summary()``, tests, intervals,
    influence, marginal effects) is in docs/inference.md.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, §4.3.2–4.3.4 (eq. 4.91, 4.97, 4.109,
    4.110); McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §6.2.1 (offsets).

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

    What is known beforehand of each row, as a log-odds:

    >>> known = np.array([0.0, 0.5, 0.0, -0.5, 0.0, 0.5])
    >>> updated = LogisticRegression(C=np.inf).fit(X, y, offset=known)
    >>> updated.params_.round(6)
    array([ 1.329079, -3.268733])
    >>> updated.predict_proba([[2.5]], offset=[1.0]).round(4)
    array([[0.2585, 0.7415]])
    """

    _tracked = ("coef_", "intercept_", "classes_")
    _tuning = logistic_tuning
    # Of a copy that checks blocks: the classes, if they are known.
    _classes_of_rows: Labels | None = None

    def __init__(
        self,
        *,
        C: float | str | Mapping[str, float] = 1.0,
        penalty_groups: Mapping[str, Any] | str | None = None,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        solver: str = "auto",
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
        weights: str = "frequency",
    ) -> None:
        self.C = C
        self.penalty_groups = penalty_groups
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.weights = weights

    @with_callbacks
    def fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> Self:
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
            Row weights ≥ 0. Weight 0 is an absent row; ``weights`` says what others are.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            A part of the linear predictor that has no coefficient: of shape (n_samples,) for two
            classes, else with a column for each class in the order of ``classes_``. What is known
            of each row beforehand, as a log-odds; the same number for all classes of a row changes
            nothing. A stream holds it in its blocks.

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
        X, y, sample_weight, *_ = with_offsets(X, y, sample_weight, offset=offset)
        several = isinstance(self.C, str)
        with FitCallbacks(self, X, "newton-step", several=several) as callbacks:
            found = self._rows_of_fit(X, y, sample_weight, offset)
            callbacks.know(found.X, found.y, found.weights, found.attributes_of)
            rows = RowsWithCrossSums(found.rows, len(found.classes))
            with refuse_not_finite(self, X), rows.one_thread_for_algebra():
                null = self._null_of(rows, found)
                fitting = logistic_fitting(self, rows, found, null)
                for step in fitting.steps():
                    if callbacks.end_after(step):
                        break
                solution = with_constant_columns(self._concluded(fitting.objective, step), rows)
                record = self._recorded(solution, found, rows, null)
                record = fitting.described(record).with_rows(rows)
            published = found.attributes_of(record.params)
            callbacks.conclude(published)
        fitting.warn()
        warn_of_classes(found.features, solution, rows.n_present, self.max_iter)
        return self._publish(published | {"_fit": record})

    @of_blocks
    def decision_function(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """Linear predictor of each row: of the second class, or of every class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._linear_predictor(X, {"offset": offset}, keep_dtype=True)

    def _check_parameters(self) -> None:
        criterion = self._check_penalty("C")
        if self.class_weight is not None and not isinstance(self.class_weight, dict):
            check_choice("class_weight", self.class_weight, ("balanced",))
        theirs = dict.fromkeys(("lbfgs", "liblinear", "sag", "saga"), "auto")
        choices = ("auto", "newton", "newton-cholesky", "newton-cg")
        check_choice("solver", self.solver, choices, theirs)
        refuse_conjugate_gradients(self, criterion)
        check_newton_arguments(self)

    def _rows_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights, offset: Any
    ) -> ClassRows:
        """The rows of a fit, checked, with the classes as codes."""
        intercept = bool(self.fit_intercept)
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            return self._rows_of_stream(rows_for_sums(X, weighting_of(self.weights)))
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, offset=offset)
        features, X, y = training_pair(self, X, y)
        check_labels(y)
        weights = check_weights(sample_weight, X)
        class_weights = ClassWeights.of(self.class_weight, y, weights)
        row_weights = class_weights.times(y, weights)
        labels, codes = encode(y)
        classes, codes = select(labels, codes, present(labels, codes, weights, row_weights))
        class_totals = totals(codes, row_weights, len(classes))
        added = offset_of_classes(X, offset, classes)
        extras = None if added is None else {"offset": added}
        rows = ArrayRows(X, codes, row_weights, extras, intercept=intercept)
        return ClassRows(
            rows,
            features,
            classes,
            class_weights,
            class_totals,
            X,
            y,
            weights,
            intercept,
            has_offset=added is not None,
        )

    def _rows_of_stream(self, stream: RowStream) -> ClassRows:
        """The same of a stream."""
        intercept = bool(self.fit_intercept)
        surveyed = survey(self, stream, intercept=intercept, labels=True, multi_output=False)
        labels = surveyed.labels
        check_labels(labels)
        counted = np.array([surveyed.label_weights[label] for label in labels.tolist()])
        class_weights = ClassWeights.of(self.class_weight, labels, counted)
        weighted = np.asarray(class_weights.times(labels, counted))
        known = present(labels, np.arange(len(labels)), counted, weighted)
        classes = labels[known]
        refuse_other_outputs(surveyed.offset_shape, classes)
        surveyed.checker._classes_of_rows = classes

        def prepare(y: Labels, weights: Array | None) -> tuple[Codes, Array | None]:
            return codes_of(y, classes), class_weights.times(y, weights)

        rows = stream_rows(stream, surveyed, prepare, multi_output=False)
        if class_weights.by_label:
            refuse_zero_factors(class_weights.by_label, weighting_of(self.weights))
            rows = rows.reweighted(float(weighted.sum()))
        return ClassRows(
            rows,
            surveyed.features,
            classes,
            class_weights,
            weighted[known],
            stream,
            None,
            None,
            intercept,
            has_offset=surveyed.offset_shape is not None,
        )

    def _added(self, X: Any, **offsets: Any) -> Array | None:
        offset = offsets["offset"]
        return None if offset is None else offset_of_classes(X, offset, self._known_classes())

    def _known_classes(self) -> Labels | None:
        """Labels of the classes; None before a fit has found them in a stream."""
        if self._classes_of_rows is not None or not self.__sklearn_is_fitted__():
            return self._classes_of_rows
        return labels_of(self, len(self._coefficients_of_outputs()[0]))

    def _checker(self) -> Self:
        checker = super()._checker()
        checker._classes_of_rows = self._known_classes()
        return checker

    def _objective_of(self, rows: Rows) -> Objective:
        n_classes = 2 if self._is_single else len(self.classes_)
        return self._objective_over(rows, n_classes, self._stated_penalty("C", rows))

    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **options: Any
    ) -> tuple[Matrix, Codes, Array | None]:
        """X, codes of shape (n_samples,), and weights with those of the classes."""
        X, labels, weights = checked_rows(self, X, y, sample_weight, multi_output=False, **options)
        return X, *self._preparation()(labels, weights)

    def _preparation(self) -> PreparedLabels:
        class_weights = ClassWeights({} if self._fit is None else self._fit.class_factors)
        classes = labels_of(self, len(self._coefficients_of_outputs()[0]))
        return PreparedLabels(class_weights, classes)

    def _rows_in_parts(self, stream: RowStream, extras_of: ExtrasOfPart | None = None) -> Rows:
        options: dict[str, Any] = {"intercept": self._has_intercept, "multi_output": False}
        return rows_in_parts(self, stream, self._preparation(), extras_of, **options)

    def _objective_of_fit(self, rows: Rows) -> Objective:
        return self._objective_over(rows, len(self._fit.classes), self._fit.penalty)

    def _objective_over(self, rows: Rows, n: int, penalty: Penalty) -> LinearPredictorObjective:
        loss = BinaryCrossEntropy() if n == 2 else SoftmaxCrossEntropy()
        return LinearPredictorObjective(rows, loss, penalty)

    def _null_of(self, rows: Rows, found: ClassRows) -> NullFit | None:
        """The intercepts alone beside an offset; None without one, where shares are enough."""
        if not found.has_offset:
            return None
        loss = BinaryCrossEntropy() if len(found.classes) == 2 else SoftmaxCrossEntropy()
        return null_fit(rows, loss, found.class_totals)

    def _steps(
        self, objective: Any, class_totals: Array, null: NullFit | None
    ) -> Iterator[Progress]:
        return irls.fit(
            objective,
            self._start(objective, class_totals, null),
            tol=self.tol,
            max_iter=self.max_iter,
            conjugate_gradients=self.solver == "newton-cg",
        )

    def _concluded(self, objective: Any, step: Progress) -> Solution[Optimum]:
        return conclude(objective, step)

    def _start(
        self, objective: LinearPredictorObjective, class_totals: Array, null: NullFit | None
    ) -> Array:
        start = log_odds_start(class_totals, objective.rows)
        if null is not None and objective.rows.intercept:
            start[..., -1:] = null.intercepts
        previous = self.params_ if self.warm_start and hasattr(self, "params_") else None
        return better_start(objective, previous, start)

    def _recorded(
        self,
        solution: Solution[Optimum],
        found: ClassRows,
        rows: RowsWithCrossSums,
        null: NullFit | None,
    ) -> LogisticFit:
        features = found.features
        published = found.attributes_of(solution.value.params)
        given = None if isinstance(self.C, str | Mapping) else float(self.C)
        return LogisticFit.of(
            solution,
            rows,
            names=features.names,
            coefficients=(published[name] for name in self._tracked),
            penalty=np.nan if given is None else 1.0 / given,
            given_C=given,
            undetermined=undetermined(features, solution, rows.n_present),
            targets=tuple(map(str, found.classes)),
            is_classes=True,
            classes=found.classes,
            class_totals=found.class_totals,
            class_factors=found.class_weights.by_label,
            null_of_offset=None if null is None else -null.objective,
            weighting=weighting_of(self.weights),
        )
