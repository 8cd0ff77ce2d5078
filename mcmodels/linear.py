"""LinearRegression: ordinary and weighted least squares with its exact curvature."""

from __future__ import annotations

import warnings
from typing import Any, Self, cast

import numpy as np
from scipy import linalg
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from mcmodels._linear_inference import LinearInferenceMixin
from mcmodels._streams import refuse_other_arguments, stream_rows, survey
from mcmodels._validation import (
    check_choice,
    check_flag,
    check_mergeable,
    check_number,
    check_same_sums,
    check_weights,
    refuse_not_finite,
    validated_pair,
    validated_rows,
)
from mcmodels._verdicts import undetermined, warn_not_converged, warn_rank_deficient
from mcmodels.base import DifferentiableMixin
from mcmodels.exceptions import ConstantTargetWarning
from mcmodels.objectives import LinearPredictorObjective, Objective, SquaredError
from mcmodels.rows import (
    ArrayRows,
    ColumnMoments,
    Extent,
    FactoredMoments,
    Moments,
    Rows,
    RowStream,
    Seen,
    StreamedMoments,
    StreamedSums,
    StreamedTriangle,
    added,
)
from mcmodels.rows.blocks import Array
from mcmodels.solvers import Solution, Status, least_squares
from mcmodels.solvers.least_squares import LeastSquares, MatrixFreeFit

__all__ = ["LinearRegression"]

_TARGETS = {"multi_output": True, "y_numeric": True}


class LinearRegression(
    MultiOutputMixin, RegressorMixin, LinearInferenceMixin, DifferentiableMixin, BaseEstimator
):
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

    _sums: StreamedSums | None

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
        self._sums = None
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            return self._fit_stream(X)
        X, y = validated_pair(self, X, y, reset=True, **_TARGETS)
        targets = y.reshape(X.shape[0], -1)
        weights = check_weights(sample_weight, X)
        intercept, single = bool(self.fit_intercept), self.solver == "auto"
        rows = ArrayRows(X, targets, weights, intercept=intercept, single=single)
        with refuse_not_finite(self, X):
            solution = least_squares.solve(rows, method=self._method, rcond=self.rcond)
        self._conclude(solution, Seen.of(rows), y.shape[1:])
        self._warn_of(solution, rows, stacklevel=4)
        self._warn_constant_target(solution.value.moments, rows)
        return self

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
        sums = getattr(self, "_sums", None)
        X, y = validated_pair(self, X, y, reset=sums is None, **_TARGETS)
        if sums is not None and y.shape[1:] != self.params_.shape[:-1]:
            raise ValueError(
                f"y has shape {y.shape}; the rows before had targets of shape "
                f"(n_samples, {', '.join(map(str, self.params_.shape[:-1]))})."
            )
        rows = self._rows(X, y.reshape(X.shape[0], -1), check_weights(sample_weight, X))
        kind = StreamedMoments if self.solver == "normal" else StreamedTriangle
        check_same_sums(sums, kind, rows)
        with refuse_not_finite(self, X):
            part = kind.of(rows)
            return self._take_in(added(sums, part), y.shape[1:])

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
        if self.params_.shape != other.params_.shape:
            raise ValueError(
                f"other has params_ of shape {other.params_.shape}, this model "
                f"{self.params_.shape}; both need the same targets."
            )
        return self._take_in(added(self._sums, other._sums), self.params_.shape[:-1])

    def _take_in(self, sums: StreamedSums, y_shape: tuple[int, ...]) -> Self:
        solution = least_squares.solve_sums(sums, rcond=self.rcond)
        self._sums = sums
        self._conclude(solution, sums.seen, y_shape)
        if sums.seen.n_present > sums.seen.n_features:
            self._warn_of(solution, sums.seen, stacklevel=5)
        return self

    def _fit_stream(self, stream: RowStream) -> Self:
        intercept = bool(self.fit_intercept)
        surveyed = survey(self, stream, intercept=intercept, **_TARGETS)
        rows = stream_rows(
            self,
            stream,
            surveyed,
            lambda y, weights: (y.reshape(len(y), -1), weights),
            **_TARGETS,
        )
        solution = least_squares.solve(rows, method=self._method, rcond=self.rcond)
        self._conclude(solution, surveyed.seen, surveyed.y_shape or ())
        self._warn_of(solution, rows, stacklevel=5)
        self._warn_constant_target(solution.value.moments, rows, stacklevel=4)
        return self

    def _check_parameters(self) -> None:
        check_flag("fit_intercept", self.fit_intercept)
        check_choice("solver", self.solver, ("auto", "normal", "pinv"))
        if self.rcond is not None:
            check_number("rcond", self.rcond, at_least=0)

    @property
    def _method(self) -> least_squares.Method:
        return cast(least_squares.Method, self.solver)

    def _conclude(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        seen: Seen,
        y_shape: tuple[int, ...],
    ) -> None:
        fit = solution.value
        shape = (*y_shape, -1)
        self._least_squares = fit
        self._seen = seen
        self._undetermined = undetermined(self, solution, seen.n_present)
        self.params_ = fit.params.reshape(shape)
        self.gradient_ = fit.gradient.reshape(shape)
        self.coef_ = self.params_[..., : self.n_features_in_]
        self.intercept_ = self._intercept()
        self.rank_ = solution.rank
        self.solver_ = solution.method
        self.n_iter_ = solution.iterations
        self.status_ = str(solution.status)

    def _warn_of(
        self,
        solution: Solution[LeastSquares] | Solution[MatrixFreeFit],
        extent: Extent,
        *,
        stacklevel: int,
    ) -> None:
        if solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                "conjugate gradients could not reach the precision of float64; the columns are "
                f"nearly dependent. The gradient is at {np.abs(self.gradient_).max():.1e}.",
                stacklevel=stacklevel,
            )
        if solution.status is Status.RANK_DEFICIENT:
            warn_rank_deficient(
                self,
                solution,
                n_rows=extent.n_present,
                what="Predictions are unique, coefficients are the shortest that give them"
                f"{' where columns have unit length' if solution.method == 'cg' else ''}.",
                stacklevel=stacklevel,
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
        check_is_fitted(self)
        if return_std:
            self._refuse_several_targets("return_std")
            return self._with_errors(X, "observation")
        X = validated_rows(self, X)
        return self._rows(X, None, None).map(lambda block: block.X.predictor(self.params_))

    @property
    def hessian_(self) -> Array:
        """Hessian of the objective over ``params_.ravel()``."""
        block = self._factored("hessian_").quadratic.hessian_of_one_target()
        if self.params_.ndim == 1:
            return block
        return np.asarray(np.kron(np.eye(len(self.params_)), block), dtype=np.float64)

    @property
    def singular_(self) -> Array:
        """Singular values of the (centred, weighted) features, descending."""
        factor = self._factored("singular_").factor
        found = linalg.svdvals(factor) if self.rank_ else np.zeros(0)
        singular = np.zeros(min(self._seen.n_rows, self._seen.n_features))
        singular[: found.size] = found[: singular.size]
        return singular

    @property
    def condition_number_(self) -> float:
        """Ratio of the extreme singular values; inf when the rank is not full."""
        check_is_fitted(self)
        if self.rank_ < self.n_features_in_:
            return np.inf
        return float(self.singular_[0] / self.singular_[-1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _rows(self, X: Any, y: Array | None, weights: Array | None) -> ArrayRows:
        return ArrayRows(X, y, weights, intercept=bool(self.fit_intercept))

    def _objective_on(self, X: Any, y: Any, sample_weight: Any) -> Objective:
        X, y = validated_pair(self, X, y, reset=False, **_TARGETS)
        n_targets = y.size // y.shape[0]
        if n_targets != len(np.atleast_2d(self.params_)):
            raise ValueError(
                f"y has {n_targets} target(s); the model was fitted to "
                f"{len(np.atleast_2d(self.params_))}."
            )
        targets = y.reshape(X.shape[0], *self.params_.shape[:-1])
        rows = self._rows(X, targets, check_weights(sample_weight, X))
        return LinearPredictorObjective(rows, SquaredError())

    def _rows_and_weights(self, X: Any, sample_weight: Any) -> tuple[ArrayRows, Array | None]:
        check_is_fitted(self)
        X = validated_rows(self, X)
        return self._rows(X, None, None), check_weights(sample_weight, X)

    def _intercept(self) -> float | Array:
        if not self.fit_intercept:
            return 0.0
        last = self.params_[..., -1]
        return float(last) if last.ndim == 0 else last

    def _warn_constant_target(
        self,
        moments: Moments | FactoredMoments | ColumnMoments,
        rows: Rows,
        *,
        stacklevel: int = 3,
    ) -> None:
        rounding_of_mean = moments.weight * (8 * np.finfo(np.float64).eps * moments.y_mean) ** 2
        if not self.fit_intercept or (moments.y_squares > rounding_of_mean).all():
            return
        ends = np.concatenate(rows.reduce(lambda block: [block.y.min(axis=0), block.y.max(axis=0)]))
        ends = ends.reshape(-1, moments.y_mean.size)
        (constant,) = np.nonzero(ends.min(axis=0) == ends.max(axis=0))
        if constant.size:
            which = "y" if self.params_.ndim == 1 else f"targets {constant.tolist()} of y"
            warnings.warn(
                f"{which} takes a single value: coefficients are zero, and R² says nothing. Check "
                "the target, or the rows that were selected.",
                ConstantTargetWarning,
                stacklevel=stacklevel,
            )
