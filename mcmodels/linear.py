"""LinearRegression: ordinary and weighted least squares."""

from __future__ import annotations

from typing import Any, Self, cast

from sklearn.base import MultiOutputMixin, RegressorMixin

from mcmodels.arrays import Array, Matrix, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    check_number,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks, with_callbacks
from mcmodels.estimators.conditional_methods import unless
from mcmodels.estimators.linear_methods import LinearMethods
from mcmodels.estimators.parts import PreparedTargets, rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart, stream_rows, survey
from mcmodels.estimators.stream_scores import StreamScore
from mcmodels.estimators.streams import (
    checked_rows,
    of_blocks,
    refuse_other_arguments,
    refuse_stream,
)
from mcmodels.estimators.validation import (
    Features,
    check_mergeable,
    check_same_sums,
    continued_pair,
    features_of,
    refuse_not_finite,
    target_names,
    training_pair,
)
from mcmodels.estimators.verdicts import undetermined, warn_constant_targets, warn_of_least_squares
from mcmodels.estimators.weighting import refuse_other_weighting, rows_for_sums, weighting_of
from mcmodels.objectives import LinearPredictorObjective, Objective, SquaredError
from mcmodels.records.linear import LinearFit
from mcmodels.records.record import digest
from mcmodels.rows import (
    ArrayRows,
    Rows,
    RowStream,
    Seen,
    StreamedMoments,
    StreamedSums,
    StreamedTriangle,
    added,
    rows_of,
    with_rows,
)
from mcmodels.solvers import Solution, least_squares
from mcmodels.solvers.constant_targets import (
    constant_targets,
    with_constant_columns,
    with_constant_columns_of_sums,
)
from mcmodels.solvers.least_squares import LeastSquares, MatrixFreeFit
from mcmodels.tables.dask_stream import as_stream, in_parts

__all__ = ["LinearRegression"]

_TARGETS: dict[str, Any] = {"multi_output": True, "y_numeric": True}


def _reads_rows_again(estimator: LinearRegression) -> str | None:
    if estimator.solver != "refined":
        return None
    return (
        'keeps no rows, and solver="refined" reads them again. Set solver="auto", or fit a '
        "RowStream."
    )


class LinearRegression(
    StreamScore, MultiOutputMixin, RegressorMixin, CallbackSupportMixin, LinearMethods
):
    """Least squares: minimise ``Σ wᵢ (yᵢ - x̃ᵢᵀθ)²`` with ``x̃ = (x, 1)``.

    The gradient is ``2X̃ᵀW(X̃θ - y)`` and the Hessian ``2X̃ᵀWX̃``. If the minimiser is not unique, the
    fit returns the one whose coefficients have the smallest norm, and a
    :class:`RankDeficiencyWarning` names the linearly dependent columns.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to fit an intercept. It never counts in the norm that selects one of several
        minimisers.
    solver : {"auto", "refined", "normal", "pinv"}, default="auto"
        "normal": normal equations by Cholesky. "pinv": orthogonal factorisation of one block of
        rows after another, and the pseudoinverse of the triangular factor. "auto": normal
        equations. If the condition number is large, a better factor or corrections computed from
        the rows follow, in extra precision if necessary. They leave an error of 1e-12 (1e-9 in data
        of more than 2¹⁸ entries) of a parameter or its standard error, whichever is larger.
        "refined": corrections until every digit is right. See docs/choosing.md.
    rcond : float, default=None
        Singular values below ``rcond`` times the largest count as zero. They are those of the
        design with columns scaled to unit length. None: chosen by the precision of X.
    weights : {"frequency", "precision", "probability"}, default="frequency"
        What ``sample_weight`` is: how often a row was there; its precision, the inverse of its
        variance up to a factor; or the inverse of the probability that it was sampled. The
        estimates are the same, what is said of their errors is not: docs/inference.md.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 when none is fitted.
    params_ : ndarray of shape (P,) or (n_targets, P)
        Coefficients, then the intercept when one is fitted.
    gradient_ : ndarray, the shape of ``params_``
        Gradient of the objective at ``params_``: zero up to rounding.
    hessian_ : ndarray of shape (P·n_targets, P·n_targets)
        Hessian of the objective over ``params_.ravel()``. When ``solver_`` is "cg", it is not
        available; nor are ``singular_``, ``condition_number_`` and leverages.
    rank_ : int
        Numerical rank of the (centred, weighted) features; an upper bound when ``solver_`` is "cg".
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the (centred, weighted) features.
    condition_number_ : float
        ``singular_[0] / singular_[-1]``; inf when the rank is not full.
    solver_ : {"normal", "pinv", "whitened", "cg"}
        The factorisation that was used. "whitened" is Cholesky's of rows that a rough factor has
        made nearly orthonormal. "cg" is conjugate gradients, which are used if a matrix of all
        features would be too large.
    n_iter_ : int
        Corrections applied after the first solve.
    status_ : {"converged", "rank deficient", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    docs/inference.md describes the results that follow from the Hessian: ``standard_errors_``,
    ``summary()``, tests, intervals, influence, robust covariances.

    References
    ----------
    Björck (1996), *Numerical Methods for Least Squares Problems*, §2.2 (normal equations), §2.4
    (orthogonal factorisation), §2.9 (iterative refinement).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> y = np.array([1.0, 3.0, 5.0, 6.0])
    >>> model = LinearRegression().fit(X, y)
    >>> model.params_.round(12)
    array([ 1.7, -0.5])
    >>> model.hessian_
    array([[60., 20.],
           [20.,  8.]])
    >>> bool(abs(model.gradient_).max() < 1e-12)
    True
    """

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        solver: str = "auto",
        rcond: float | None = None,
        weights: str = "frequency",
    ) -> None:
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rcond = rcond
        self.weights = weights

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
            copied. A stream also holds y and the weights.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. A row of weight 0 is ignored; ``weights`` says what others are.

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
        RankDeficiencyWarning
            When columns are linearly dependent.
        ConstantTargetWarning
            When a target takes a single value.
        """
        self._check_parameters()
        X, y, sample_weight, _ = as_stream(X, y, sample_weight)
        with FitCallbacks(self, X) as callbacks:
            features, y_shape, rows, targets = self._rows_of_fit(X, y, sample_weight)
            callbacks.know(X, y, sample_weight)
            callbacks.begin()
            with refuse_not_finite(self, X):
                method = cast(least_squares.Method, self.solver)
                solution = least_squares.solve(rows, method=method, rcond=self.rcond)
                solution = with_constant_columns(solution, rows)
                record = self._recorded(solution, features, Seen.of(rows), y_shape, targets)
                record = record.with_rows(rows)
            published = self._attributes(record, features)
            callbacks.conclude(published)
        warn_of_least_squares(features, solution, record)
        constant = constant_targets(rows, solution.value.moments)
        if constant.size:
            warn_constant_targets(
                constant.tolist(),
                targets,
                several=bool(y_shape),
                consequence="coefficients are zero",
            )
        return self._publish(published)

    @unless(_reads_rows_again)
    def partial_fit(
        self, X: MatrixLike, y: VectorLike | None = None, sample_weight: Weights = None
    ) -> Self:
        """Add rows; the model is then the fit to all rows so far.

        The result is that of one fit to all rows, up to rounding, whatever their division and
        order. No row is kept, but a matrix of the size of the Hessian. With ``solver="normal"`` it
        is the scatter matrix, whose rounding errors grow with the square of the condition number.
        Otherwise it is the triangular factor of the rows, whose rounding errors grow with the
        condition number itself; parts with at least as many rows as columns are the fastest.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.

        Returns
        -------
        self

        Notes
        -----
        ``fit`` discards the rows of earlier calls. While there are not more rows than columns, the
        coefficients are those of smallest norm; ``status_`` says so, but there is no warning.
        """
        self._check_parameters()
        refuse_stream(X)
        sums = self._sums
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        names = target_names(y) if sums is None else self._fit.named_targets
        given = X
        features, X, y = continued_pair(self, X, y, first=sums is None, **_TARGETS)
        if sums is not None and y.shape[1:] != self._fit.params.shape[:-1]:
            before = self._fit.params.shape[:-1]
            raise ValueError(
                f"y has shape {y.shape}; earlier rows had targets of shape "
                f"(n_samples, {', '.join(map(str, before))})."
            )
        weights = check_weights(sample_weight, X)
        intercept = bool(self.fit_intercept)
        rows = ArrayRows(X, y.reshape(X.shape[0], -1), weights, intercept=intercept)
        kind = StreamedMoments if self.solver == "normal" else StreamedTriangle
        check_same_sums(sums, kind, rows)
        weighting, before = weighting_of(self.weights), None if sums is None else self._fit
        refuse_other_weighting(before, weighting)
        with refuse_not_finite(self, given), rows.one_thread_for_algebra():
            grown = with_rows(sums, kind, rows)
            log_weights = weighting.log_weights(rows) + (before.log_weights if before else 0.0)
            return self._fit_sums(grown, features, y.shape[1:], names, log_weights)

    def merge(self, other: LinearRegression) -> Self:
        """Add the rows that another model has received by :meth:`partial_fit`.

        Parameters
        ----------
        other : LinearRegression
            A model with the same parameters and features; it is not changed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters, features or targets differ, or one was not fitted by ``partial_fit``.
        """
        check_mergeable(self, other, ("fit_intercept", "solver", "weights"))
        shape, others = self._fit.params.shape, other._fit.params.shape
        if shape != others:
            raise ValueError(
                f"other has params_ of shape {others} and this model of shape {shape}; both need "
                "the same number of targets."
            )
        sums, names = added(self._sums, other._sums), self._fit.named_targets
        refuse_other_weighting(self._fit, other._fit.weighting)
        log_weights = self._fit.log_weights + other._fit.log_weights
        return self._fit_sums(sums, features_of(self), shape[:-1], names, log_weights)

    def _fit_sums(
        self,
        sums: StreamedSums,
        features: Features,
        y_shape: tuple[int, ...],
        targets: tuple[str, ...],
        log_weights: float,
    ) -> Self:
        solution = least_squares.solve_sums(sums, rcond=self.rcond)
        solution = with_constant_columns_of_sums(solution, intercept=sums.seen.intercept)
        record = self._recorded(solution, features, sums.seen, y_shape, targets, log_weights)
        if sums.seen.n_present > sums.seen.n_features:
            warn_of_least_squares(features, solution, record)
        return self._publish(self._attributes(record, features) | {"_sums": sums})

    def _rows_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> tuple[Features, tuple[int, ...], Rows, tuple[str, ...]]:
        """The columns, the shape of the targets of one row, the rows, and names of the targets."""
        intercept = bool(self.fit_intercept)
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            X = rows_for_sums(X, weighting_of(self.weights), quadratic=True)
            surveyed = survey(self, X, intercept=intercept, moments_of=_in_columns, **_TARGETS)
            rows = stream_rows(X, surveyed, _in_columns, **_TARGETS)
            return surveyed.features, surveyed.y_shape or (), rows, surveyed.target_names
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        names = target_names(y)
        features, X, y = training_pair(self, X, y, **_TARGETS)
        targets, weights = y.reshape(X.shape[0], -1), check_weights(sample_weight, X)
        single = self.solver == "auto"
        rows_in_memory = ArrayRows(X, targets, weights, intercept=intercept, single=single)
        return features, y.shape[1:], rows_in_memory, names

    def _check_parameters(self) -> None:
        check_flag("fit_intercept", self.fit_intercept)
        check_choice("solver", self.solver, ("auto", "refined", "normal", "pinv"))
        if self.rcond is not None:
            check_number("rcond", self.rcond, at_least=0)
        weighting_of(self.weights)

    def _recorded(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        features: Features,
        seen: Seen,
        y_shape: tuple[int, ...],
        targets: tuple[str, ...],
        log_weights: float = 0.0,
    ) -> LinearFit:
        fit = solution.value
        params = fit.params.reshape(*y_shape, -1)
        return LinearFit(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=features.names,
            seen=seen,
            digest=digest(_split_params(params, seen)),
            params=params,
            intercept=seen.intercept,
            undetermined=undetermined(features, solution, seen.n_present),
            least_squares=fit,
            rank=solution.rank,
            named_targets=targets,
            weighting=weighting_of(self.weights),
            log_weights=log_weights,
        )

    def _attributes(self, record: LinearFit, features: Features) -> dict[str, Any]:
        coef, intercept = _split_params(record.params, record.seen)
        return {"_fit": record, "coef_": coef, "intercept_": intercept} | features.attributes

    @of_blocks
    def predict(self, X: MatrixLike, return_std: bool = False) -> Any:
        """Predicted targets ``X̃θ``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return also the standard deviation of a new observation about its prediction,
            ``σ̂√(1 + x̃ᵀAx̃)``, as scikit-learn's BayesianRidge does. For one target only.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            float32 for float32 rows, else float64. With ``return_std`` a pair of float64 arrays of
            shape (n_samples,).
        """
        check_flag("return_std", return_std)
        if return_std:
            record: LinearFit = self._record()
            record.refuse_several_targets("return_std")
            record.warn_of_perfect_fit()
            return record.predictions(self._unlabelled_rows(X), "observation")
        return self._linear_predictor(X, keep_dtype=True)

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> Objective:
        if (stream := in_parts(X, y, sample_weight)) is not None:
            return self._objective_of_fit(self._rows_in_parts(stream, single=self._is_single))
        X, targets, weights = self._validated(X, y, sample_weight)
        if self._is_single:
            targets = targets[:, 0]
        return self._objective_of_fit(rows_of(X, targets, weights, intercept=self._has_intercept))

    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **options: Any
    ) -> tuple[Matrix, Array, Array | None]:
        """X, targets of shape (n_samples, n_targets), and weights."""
        X, y, weights = checked_rows(self, X, y, sample_weight, **_TARGETS, **options)
        return X, *PreparedTargets(len(self._coefficients_of_outputs()[0]))(y, weights)

    def _rows_in_parts(
        self,
        stream: RowStream,
        extras_of: ExtrasOfPart | None = None,
        *,
        single: bool = False,
        intercept: bool | None = None,
    ) -> Rows:
        prepare = PreparedTargets(len(self._coefficients_of_outputs()[0]), single)
        intercept = self._has_intercept if intercept is None else intercept
        return rows_in_parts(self, stream, prepare, extras_of, intercept=intercept, **_TARGETS)

    def _objective_of_fit(self, rows: Rows) -> Objective:
        return LinearPredictorObjective(rows, SquaredError())


def _in_columns(y: Any, weights: Array | None) -> tuple[Any, Array | None]:
    """Targets of shape (n, m)."""
    return y.reshape(len(y), -1), weights


def _split_params(params: Array, seen: Seen) -> tuple[Array, float | Array]:
    """``coef_`` and ``intercept_``, as copies that the user may change."""
    coef = params[..., : seen.n_features].copy()
    if not seen.intercept:
        return coef, 0.0
    last = params[..., -1]
    return coef, float(last) if last.ndim == 0 else last.copy()
