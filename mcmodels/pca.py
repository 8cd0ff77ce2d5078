"""PCA: principal components of weighted rows, accurate also for small variances."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    check_number,
    check_params,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks, with_callbacks
from mcmodels.estimators.component_count import checked_count, chosen_count
from mcmodels.estimators.component_methods import ComponentMethods
from mcmodels.estimators.model import coefficient_array
from mcmodels.estimators.numeric_columns import named_columns, refuse_dates
from mcmodels.estimators.parts import without_targets
from mcmodels.estimators.stream_fits import stream_rows, survey
from mcmodels.estimators.streams import (
    of_blocks,
    refuse_other_arguments,
    refuse_stream,
)
from mcmodels.estimators.validation import (
    Features,
    check_mergeable,
    check_same_sums,
    continued_features,
    features_of,
    refuse_not_finite,
    training_features,
)
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from mcmodels.inference.probabilistic_pca import inverse_deviations, rows_of_scores, scores
from mcmodels.inference.tolerances import WEIGHT_ROUNDING
from mcmodels.objectives import Objective, VarianceLagrangian
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.rows import (
    ArrayRows,
    Rows,
    RowsCovariance,
    RowStream,
    Seen,
    StreamedMoments,
    StreamedSums,
    StreamedTriangle,
    added,
    with_rows,
)
from mcmodels.rows.sizes import BLOCK_ENTRIES
from mcmodels.solvers import Solution, Status, principal_axes
from mcmodels.tables.dask_stream import as_stream
from mcmodels.user_warnings import warn_user

__all__ = ["PCA"]


class PCA(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, ComponentMethods
):
    """Principal components: directions v of unit length with the largest variance ``vᵀSv``.

    S is the unbiased sample covariance. Each component is a stationary point of
    ``vᵀSv - λ(vᵀv - 1)``, whose gradient is ``2Sv - 2λv`` and whose Hessian is ``2(S - λI)``.

    Parameters
    ----------
    n_components : int, float, "mle" or None, default=None
        How many components to keep. A float in (0, 1): the fewest that explain more than this
        share of the variance. "mle": the number with the largest evidence (Minka 2000; needs
        n ≥ p). None: ``min(n_samples, n_features)``.
    whiten : bool, default=False
        Whether :meth:`transform` divides the scores by their standard deviations. Components
        whose variance is only rounding noise are mapped to zero.
    solver : {"auto", "eigh", "deflation"}, default="auto"
        "eigh": the leading eigenvectors of S. "deflation": one component after another, by power
        and Rayleigh-quotient iteration. Both use the n×n Gram matrix when p ≥ n. "auto": "eigh",
        or singular vectors of the triangular factor of the rows if a variance is so small that S
        does not hold it accurately, or block Krylov iteration for a few components of large rows,
        whose variances are proved to be right to 1e-9. See docs/choosing.md.
    tol : float, default=1e-12
        Relative residual at which deflation accepts a component.
    random_state : int, RandomState instance or None, default=None
        Source of random start vectors for deflation.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Components by descending variance; in each, the entry of largest magnitude is positive (if
        several are equal up to rounding, the first of them).
    params_ : ndarray of shape (n_components, n_features)
        The same as ``components_``: the free parameters of the objective.
    eigenvalues_, explained_variance_ : ndarray of shape (n_components,)
        Variances along the components: the multipliers λ.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Their share of the total variance.
    singular_values_ : ndarray of shape (n_components,)
        Singular values of the centred, weighted rows.
    gradient_ : ndarray of shape (n_components, n_features)
        ``2Sv - 2λv`` for each component: zero up to rounding; of block Krylov iteration, what it
        has left.
    hessian_ : ndarray of shape (n_components, n_features, n_features)
        ``2(S - λI)`` for each component; computed when it is read.
    mean_ : ndarray of shape (n_features,)
        Weighted mean of the features.
    noise_variance_ : float
        Mean of the variances that are left out: the noise variance of probabilistic PCA.
    n_components_ : int
        Number of components.
    n_samples_ : int
        Number of training rows with positive weight.
    rank_ : int
        Number of components whose variance is above rounding noise.
    solver_ : {"eigh", "deflation", "svd", "krylov", "lanczos"}
        The algorithm that was used.
    status_ : {"converged", "rank deficient", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    Notes
    -----
    docs/inference.md describes standard errors, intervals, and rules for the number of components.

    References
    ----------
    Jolliffe (2002), *Principal Component Analysis*, 2nd ed., §1.1 and §3.5; Tipping and Bishop
    (1999), *Probabilistic principal component analysis*, JRSS B 61(3), §3; Minka (2000), *Automatic
    choice of dimensionality for PCA*, NIPS 13.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import PCA
    >>> X = np.array([[2.0, 1.0], [4.0, 3.0], [6.0, 4.0], [8.0, 8.0]])
    >>> model = PCA(n_components=1).fit(X)
    >>> model.components_.round(6)
    array([[0.657604, 0.753364]])
    >>> model.explained_variance_.round(6), round(model.noise_variance_, 6)
    (array([15.067868]), 0.265466)
    >>> bool(abs(model.gradient_).max() < 1e-12)
    True
    """

    _coefficients = ("components_", "mean_")
    _tracked = ("components_", "mean_", "explained_variance_", "noise_variance_")

    def __init__(
        self,
        n_components: int | float | str | None = None,
        *,
        whiten: bool = False,
        solver: str = "auto",
        tol: float = 1e-12,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.solver = solver
        self.tol = tol
        self.random_state = random_state

    @with_callbacks
    def fit(self, X: MatrixLike | RowStream, y: Any = None, sample_weight: Weights = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. A stream also holds the
            weights.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. A row of weight 0 is ignored; a row of weight 2 counts twice. S is
            divided by ``Σ wᵢ - 1``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, weights that do not sum to more than 1, or a parameter out
            of its range.

        Warns
        -----
        RankDeficiencyWarning
            If ``whiten=True`` and some components have no variance.
        ConvergenceWarning
            If deflation did not reach its tolerance.
        """
        self._check_parameters()
        X, _, sample_weight, _ = as_stream(X, None, sample_weight)
        with FitCallbacks(self, X) as callbacks:
            features, rows = self._rows_of_fit(X, sample_weight)
            callbacks.know(X, None, sample_weight)
            callbacks.begin()
            with refuse_not_finite(self, X):
                _require_covariance(rows, _precision(sample_weight))
                limit = min(principal_axes.row_count(rows), rows.n_features)
                count = checked_count(self.n_components, limit, rows)
                wanted = limit if count is None else count
                solution = principal_axes.solve(rows, wanted, **self._options())
            published = self._attributes(solution, features, Seen.of(rows), limit)
            callbacks.conclude(published)
        return self._publish(published)

    def _rows_of_fit(
        self, X: MatrixLike | RowStream, sample_weight: Weights
    ) -> tuple[Features, Rows]:
        """The columns and the rows of a fit, checked."""
        if isinstance(X, RowStream):
            refuse_other_arguments(None, sample_weight)
            X = X.for_sums()
            surveyed = survey(self, X, intercept=True)
            return surveyed.features, stream_rows(X, surveyed, without_targets)
        least = 2 if sample_weight is None else 1
        refuse_other_order(X=X, sample_weight=sample_weight)
        features, matrix = training_features(self, X, ensure_min_samples=least)
        return features, ArrayRows(matrix, weights=check_weights(sample_weight, matrix))

    def partial_fit(self, X: MatrixLike, y: object = None, sample_weight: Weights = None) -> Self:
        """Add rows; the model is then the fit to all rows so far.

        The result is that of one fit to all rows, up to rounding, whatever their division and
        order. (scikit-learn's IncrementalPCA is approximate: it keeps only the leading components.)
        No row is kept, but a matrix of p² entries: the triangular factor of the rows, or their
        scatter matrix with ``solver="eigh"`` or ``"deflation"``. The scatter matrix is faster, but
        inaccurate for variances below √ε times the largest. The first fit is made when there are at
        least two rows and at least ``n_components``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.

        Returns
        -------
        self

        Notes
        -----
        ``fit`` discards the rows of earlier calls.
        """
        self._check_parameters()
        refuse_stream(X)
        sums = self._sums
        refuse_other_order(X=X, sample_weight=sample_weight)
        features, X = continued_features(self, X, first=sums is None)
        rows = ArrayRows(X, weights=check_weights(sample_weight, X))
        kind = StreamedTriangle if self.solver == "auto" else StreamedMoments
        check_same_sums(sums, kind, rows)
        return self._fit_sums(with_rows(sums, kind, rows), features)

    def merge(self, other: PCA) -> Self:
        """Add the rows that another model has received by :meth:`partial_fit`.

        Parameters
        ----------
        other : PCA
            A model with the same solver and features; it is not changed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If solver or features differ, or one was not fitted by ``partial_fit``.
        """
        check_mergeable(self, other, ("solver",))
        return self._fit_sums(added(self._sums, other._sums), features_of(self))

    def _fit_sums(self, sums: StreamedSums, features: Features) -> Self:
        seen, wanted = sums.seen, self.n_components
        limit = min(principal_axes.row_count(seen), seen.n_features)
        needed = wanted if isinstance(wanted, Integral) and wanted <= seen.n_features else 1
        if wanted == "mle":
            needed = seen.n_features
        attributes = features.attributes
        if seen.total_weight - 1 > WEIGHT_ROUNDING * seen.total_weight and limit >= needed:
            count = checked_count(wanted, limit, seen)
            solution = principal_axes.solve_sums(
                sums, limit if count is None else count, **self._options()
            )
            attributes = self._attributes(solution, features, seen, limit)
        return self._publish(attributes | {"_sums": sums})

    def _check_parameters(self) -> None:
        check_flag("whiten", self.whiten)
        theirs = {"full": "eigh", "covariance_eigh": "eigh", "arpack": "deflation"}
        theirs["randomized"] = "auto"
        check_choice("solver", self.solver, ("auto", "eigh", "deflation"), theirs)
        check_number("tol", self.tol, at_least=0)

    def _options(self) -> dict[str, Any]:
        return {
            "method": self.solver,
            "tol": self.tol,
            "random": check_random_state(self.random_state),
        }

    @of_blocks
    def transform(self, X: MatrixLike) -> Array:
        """Scores of rows on the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            float32 for float32 rows, else float64.
        """
        rows = self._rows(X)
        mean, axes = coefficient_array("mean_", self.mean_), self.params_
        projected = rows.map(lambda block: scores(block, mean, axes))
        if self.whiten:
            rank = len(axes) if self._fit is None else self._fit.rank
            projected *= inverse_deviations(self._given("explained_variance_"), rank)
        return projected.astype(rows.dtype, copy=False)

    @of_blocks
    def inverse_transform(self, X: MatrixLike) -> Array:
        """Rows that have the given scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Scores, as :meth:`transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            float32 for float32 scores, else float64.
        """
        axes, mean = self.params_, coefficient_array("mean_", self.mean_)
        refuse_masked("X", X)
        given = X
        with named_columns(X=given):
            X = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        refuse_dates("X", given, getattr(getattr(given, "dtype", None), "kind", ""))
        k = len(axes)
        if X.shape[1] != k:
            raise ValueError(f"X has {X.shape[1]} columns; the model has {k} components.")
        variances = self._given("explained_variance_") if self.whiten else None
        # The result has more columns than X, so a block of it has fewer rows than one of X.
        rows = ArrayRows(X, block_rows=max(BLOCK_ENTRIES // axes.shape[1], 1))
        return rows.map(
            lambda block: rows_of_scores(block.X.dense(), mean, axes, variances).astype(
                rows.dtype, copy=False
            )
        )

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def params_(self) -> Array:
        """The components: the free parameters of the objective."""
        self._check_has_coefficients()
        axes = coefficient_array("components_", self.components_)
        if axes.ndim != 2:
            raise InferenceError(
                f"components_ has shape {axes.shape}; it needs two dimensions, with a row for "
                "each component."
            )
        return axes

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``components_``."""
        self.components_ = check_params(params, self.params_.shape).copy()

    @property
    def eigenvalues_(self) -> Array:
        """Variances along the components: the multipliers λ; the same as explained_variance_."""
        return self._given("explained_variance_")

    @property
    def n_components_(self) -> int:
        """Number of components."""
        return len(self.params_)

    def _attributes(
        self,
        solution: Solution[principal_axes.PrincipalAxes],
        features: Features,
        seen: Seen,
        limit: int,
    ) -> dict[str, Any]:
        """The attributes that a fit publishes. Warns if whitening or deflation has failed."""
        axes = solution.value
        k = chosen_count(self.n_components, axes.shares, axes.variances, seen.total_weight)
        names = tuple(f"{type(self).__name__.lower()}{j}" for j in range(k))
        record = PrincipalComponents.of(solution, features.names, names, seen, limit)
        rank, status = record.rank, record.status
        if self.whiten and rank < k:
            warn_user(
                f"only {rank} of {k} components have variance above rounding noise; "
                "whitening maps the others to zero. Set n_components to the rank to drop them.",
                RankDeficiencyWarning,
            )
        if status is Status.NOT_CONVERGED:
            warn_not_converged(
                f"deflation did not reach a relative residual of {self.tol:g}. Raise tol, or use "
                "solver='eigh'."
            )
        # Copies that the user may change; the record keeps the arrays of the fit.
        return {
            "components_": record.components.copy(),
            "mean_": record.mean.copy(),
            "explained_variance_": record.variances.copy(),
            "noise_variance_": record.noise_variance,
            "_fit": record,
        } | features.attributes

    def _objective_on(self, X: MatrixLike, y: object, sample_weight: Weights) -> Objective:
        rows = self._rows(X, sample_weight)
        _require_covariance(rows)
        return VarianceLagrangian(RowsCovariance(rows), self.eigenvalues_)


def _precision(weights: Weights) -> npt.DTypeLike:
    """The type in which the weights were rounded."""
    found = getattr(weights, "dtype", None)
    return found if found in (np.float16, np.float32) else np.float64


def _require_covariance(rows: Rows, precision: npt.DTypeLike = np.float64) -> None:
    """Refuse rows whose weights do not sum to a finite number above one, by more than rounding."""
    total = rows.total_weight
    if rows.n_rows == 1 and total <= 1:
        raise ValueError(
            "there is one row, and a covariance needs two; weights count rows, if there are any."
        )
    rounding = max(WEIGHT_ROUNDING, np.finfo(precision).eps * 8)
    if not rounding * total < total - 1 < np.inf:
        raise ValueError(
            f"the weights of the rows sum to {total:g}; weights count rows, and the "
            "covariance is divided by their sum minus one. Rescale sample_weight so that it sums "
            "to the number of rows."
        )
