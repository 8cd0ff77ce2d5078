"""LinearRegression: ordinary and weighted least squares with its exact curvature."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from mcmodels.arrays import Array
from mcmodels.estimators.linear_methods import LinearMethods
from mcmodels.estimators.streams import refuse_other_arguments, stream_rows, survey
from mcmodels.estimators.validation import (
    Features,
    check_choice,
    check_flag,
    check_mergeable,
    check_number,
    check_same_sums,
    check_weights,
    continued_pair,
    features_of,
    refuse_not_finite,
    training_pair,
    validated_pair,
)
from mcmodels.estimators.verdicts import undetermined, warn_not_converged, warn_rank_deficient
from mcmodels.exceptions import ConstantTargetWarning
from mcmodels.objectives import LinearPredictorObjective, Objective, SquaredError
from mcmodels.results.linear import LinearFit
from mcmodels.results.record import digest
from mcmodels.rows import (
    ArrayRows,
    Rows,
    RowStream,
    Seen,
    StreamedMoments,
    StreamedSums,
    StreamedTriangle,
    added,
)
from mcmodels.solvers import Solution, Status, least_squares
from mcmodels.solvers.constant_targets import constant_targets
from mcmodels.solvers.least_squares import LeastSquares, MatrixFreeFit
from mcmodels.user_warnings import warn_user

__all__ = ["LinearRegression"]

_TARGETS = {"multi_output": True, "y_numeric": True}


class LinearRegression(MultiOutputMixin, RegressorMixin, LinearMethods):
    """Least squares: minimise ``Σ wᵢ (yᵢ - x̃ᵢᵀθ)²`` with ``x̃ = (x, 1)``.

    The gradient is ``2X̃ᵀW(X̃θ - y)`` and the Hessian ``2X̃ᵀWX̃``. Of several minimisers the one with
    the shortest coefficients is returned, and a :class:`RankDeficiencyWarning` names the columns.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never part of the norm that is minimised when the
        solution is not unique.
    solver : {"auto", "normal", "pinv"}, default="auto"
        "normal": normal equations by Cholesky. "pinv": orthogonal factorisation, row block by row
        block, and the pseudoinverse of its triangular factor. "auto": normal equations where they
        keep their digits; else one or more corrections from the rows, extra-precise when the
        condition calls for it. See docs/choosing.md.
    rcond : float, default=None
        Singular values of the design, its columns scaled to unit length, below ``rcond`` times the
        largest count as zero. None derives it from the precision of X.

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
        Hessian of the objective over ``params_.ravel()``; not there, and nor are ``singular_``,
        ``condition_number_`` and leverages, where ``solver_`` is "cg".
    rank_ : int
        Numerical rank of the (centred, weighted) features; the most that it can be with "cg".
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the (centred, weighted) features.
    condition_number_ : float
        ``singular_[0] / singular_[-1]``; inf when the rank is not full.
    solver_ : {"normal", "pinv", "cg"}
        The factorisation that was used, or conjugate gradients where it has no room.
    n_iter_ : int
        Corrections applied after the first solve.
    status_ : {"converged", "rank deficient", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    What follows from the curvature (``standard_errors_``, ``summary()``, tests, intervals,
    influence, robust covariances) is in docs/inference.md.

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
        self, *, fit_intercept: bool = True, solver: str = "auto", rcond: float | None = None
    ) -> None:
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rcond = rcond

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
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
        RankDeficiencyWarning
            When columns are linearly dependent.
        ConstantTargetWarning
            When a target takes one value only.
        """
        self._check_parameters()
        features, y_shape, rows = self._rows_of_fit(X, y, sample_weight)
        with refuse_not_finite(self, X):
            solution = least_squares.solve(rows, method=self._method, rcond=self.rcond)
        record = self._recorded(solution, features, Seen.of(rows), y_shape)
        self._warn_of(solution, features, record)
        self._warn_of_constant_targets(solution, rows, y_shape)
        return self._publish(self._attributes(record, features))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take in more rows; the model is then the fit to all rows so far.

        However the rows are divided, and in whatever order they come, the result is that of one fit
        to all of them, up to rounding. What is kept is of the size of the Hessian, and no row: with
        ``solver="normal"`` the scatter matrix (digits are lost with the square of the condition
        number), else the triangular factor of the rows (with the condition number itself; parts of
        at least as many rows as columns cost least).

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
        ``fit`` forgets the rows of earlier calls. While there are fewer rows than columns the
        shortest coefficients are given, and ``status_`` says so without a warning.
        """
        self._check_parameters()
        sums = self._sums
        features, X, y = continued_pair(self, X, y, first=sums is None, **_TARGETS)
        if sums is not None and y.shape[1:] != self._fit.params.shape[:-1]:
            before = self._fit.params.shape[:-1]
            raise ValueError(
                f"y has shape {y.shape}; the rows before had targets of shape "
                f"(n_samples, {', '.join(map(str, before))})."
            )
        weights = check_weights(sample_weight, X)
        intercept = bool(self.fit_intercept)
        rows = ArrayRows(X, y.reshape(X.shape[0], -1), weights, intercept=intercept)
        kind = StreamedMoments if self.solver == "normal" else StreamedTriangle
        check_same_sums(sums, kind, rows)
        with refuse_not_finite(self, X):
            part = kind.of(rows)
            return self._take_in(added(sums, part), features, y.shape[1:])

    def merge(self, other: LinearRegression) -> Self:
        """Take in the rows that another model has seen by :meth:`partial_fit`.

        Parameters
        ----------
        other : LinearRegression
            With the same parameters and features; it is not changed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When the two do not fit together, or have not been fitted by ``partial_fit``.
        """
        check_mergeable(self, other, ("fit_intercept", "solver"))
        shape, others = self._fit.params.shape, other._fit.params.shape
        if shape != others:
            raise ValueError(
                f"other has params_ of shape {others}, this model {shape}; both need the same "
                "targets."
            )
        return self._take_in(added(self._sums, other._sums), features_of(self), shape[:-1])

    def _take_in(self, sums: StreamedSums, features: Features, y_shape: tuple[int, ...]) -> Self:
        solution = least_squares.solve_sums(sums, rcond=self.rcond)
        record = self._recorded(solution, features, sums.seen, y_shape)
        if sums.seen.n_present > sums.seen.n_features:
            self._warn_of(solution, features, record)
        return self._publish(self._attributes(record, features) | {"_sums": sums})

    def _rows_of_fit(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Features, tuple[int, ...], Rows]:
        """The columns, the shape of a target, and the rows of a fit, checked."""
        intercept = bool(self.fit_intercept)
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            surveyed = survey(self, X, intercept=intercept, **_TARGETS)
            rows = stream_rows(
                X, surveyed, lambda y, weights: (y.reshape(len(y), -1), weights), **_TARGETS
            )
            return surveyed.features, surveyed.y_shape or (), rows
        features, X, y = training_pair(self, X, y, **_TARGETS)
        targets, weights = y.reshape(X.shape[0], -1), check_weights(sample_weight, X)
        single = self.solver == "auto"
        rows_in_memory = ArrayRows(X, targets, weights, intercept=intercept, single=single)
        return features, y.shape[1:], rows_in_memory

    def _check_parameters(self) -> None:
        check_flag("fit_intercept", self.fit_intercept)
        check_choice("solver", self.solver, ("auto", "normal", "pinv"))
        if self.rcond is not None:
            check_number("rcond", self.rcond, at_least=0)

    @property
    def _method(self) -> least_squares.Method:
        return cast(least_squares.Method, self.solver)

    def _recorded(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        features: Features,
        seen: Seen,
        y_shape: tuple[int, ...],
    ) -> LinearFit:
        fit = solution.value
        params = fit.params.reshape(*y_shape, -1)
        return LinearFit(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=features.names,
            seen=seen,
            digest=digest(_split(params, seen)),
            params=params,
            gradient=fit.gradient.reshape(params.shape),
            intercept=seen.intercept,
            undetermined=undetermined(features, solution, seen.n_present),
            least_squares=fit,
            rank=solution.rank,
        )

    def _attributes(self, record: LinearFit, features: Features) -> dict[str, Any]:
        coef, intercept = _split(record.params, record.seen)
        return {"_fit": record, "coef_": coef, "intercept_": intercept} | features.attributes

    def _warn_of(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        features: Features,
        record: LinearFit,
    ) -> None:
        if solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                "conjugate gradients could not reach the precision of float64; the columns are "
                f"nearly dependent. The gradient is at {np.abs(record.gradient).max():.1e}."
            )
        if solution.status is Status.RANK_DEFICIENT:
            warn_rank_deficient(
                features,
                solution,
                n_rows=record.seen.n_present,
                what="Predictions are unique, coefficients are the shortest that give them"
                f"{' where columns have unit length' if solution.method == 'cg' else ''}.",
            )

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predicted targets ``X̃θ``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return the standard deviation of an observation about its prediction, too,
            as scikit-learn's BayesianRidge does: ``σ̂√(1 + x̃ᵀAx̃)``; for one target.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            With ``return_std`` a pair of arrays of shape (n_samples,).
        """
        if return_std:
            record: LinearFit = self._record()
            record.refuse_several_targets("return_std")
            return record.predictions(self._unlabelled_rows(X), "observation")
        return self._linear_predictor(X)

    def _objective_on(self, X: Any, y: Any, sample_weight: Any) -> Objective:
        X, targets, weights = self._validated(X, y, sample_weight)
        if self._is_single:
            targets = targets[:, 0]
        rows = ArrayRows(X, targets, weights, intercept=self._has_intercept)
        return LinearPredictorObjective(rows, SquaredError())

    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """X, targets of shape (n_samples, n_targets), and weights."""
        X, y = validated_pair(self, X, y, **_TARGETS)
        targets = np.asarray(y, dtype=np.float64).reshape(X.shape[0], -1)
        n_targets = len(self._coefficients_of_outputs()[0])
        if targets.shape[1] != n_targets:
            raise ValueError(
                f"y has {targets.shape[1]} target(s); the model was fitted to {n_targets}."
            )
        return X, targets, check_weights(sample_weight, X)

    def _objective_of_fit(self, rows: Rows) -> Objective:
        return LinearPredictorObjective(rows, SquaredError())

    def _warn_of_constant_targets(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        rows: Rows,
        y_shape: tuple[int, ...],
    ) -> None:
        constant = constant_targets(rows, solution.value.moments)
        if constant.size:
            which = f"targets {constant.tolist()} of y" if y_shape else "y"
            warn_user(
                f"{which} takes a single value: coefficients are zero, and R² says nothing. Check "
                "the target, or the rows that were selected.",
                ConstantTargetWarning,
            )


def _split(params: Array, seen: Seen) -> tuple[Array, float | Array]:
    """``coef_`` and ``intercept_``: arrays of their own, for the user to change."""
    coef = params[..., : seen.n_features].copy()
    if not seen.intercept:
        return coef, 0.0
    last = params[..., -1]
    return coef, float(last) if last.ndim == 0 else last.copy()
