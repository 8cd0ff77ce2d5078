"""QuantileRegressor: exact quantile regression with standard errors."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_flag,
    check_number,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.quantile_methods import QuantileMethods
from mcmodels.estimators.streams import of_blocks
from mcmodels.estimators.validation import refuse_not_finite, training_pair, validated_pair
from mcmodels.estimators.verdicts import (
    warn_constant_targets,
    warn_not_converged,
    warn_rank_deficient,
)
from mcmodels.records.quantile import QuantileFit
from mcmodels.rows import ArrayRows, RowStream
from mcmodels.solvers import Status
from mcmodels.solvers.quantile import fit_quantile
from mcmodels.tables.dask_stream import is_dask

__all__ = ["QuantileRegressor"]


class QuantileRegressor(RegressorMixin, QuantileMethods):
    """Quantile regression: minimise ``Σ wᵢ ρ(yᵢ - x̃ᵢᵀθ)``, ``ρ(r) = max(τr, (τ - 1)r)``.

    ``x̃ᵀθ`` estimates the τ-quantile of y given x; with ``quantile=0.5`` it is the median, and the
    fit has the least absolute deviations. There is no penalty. An interior-point method comes near
    the minimum, and pivots end at a vertex, where as many rows as there are parameters are fitted
    exactly. The dual proves that no other parameters have a smaller objective, to 1e-10 of it.

    Parameters
    ----------
    quantile : float, default=0.5
        τ, in (0, 1).
    fit_intercept : bool, default=True
        Whether to fit an intercept.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    intercept_ : float
        Intercept; 0.0 when none is fitted.
    params_ : ndarray of shape (P,)
        Coefficients, then the intercept when one is fitted.
    objective_ : float
        The least weighted sum of losses, at ``params_``.
    standard_errors_ : ndarray of shape (P,)
        Standard errors, of ``kind="robust"``; others are in ``covariance(kind="iid")``.
    pseudo_r_squared_ : float
        One minus the objective over that of the quantile of y alone.
    n_iter_ : int
        Steps of the interior-point method, and pivots.
    converged_ : bool
        Whether the minimum was proved by the dual.
    status_ : str
        "converged", "rank deficient" or "not converged"; with ", not unique" where another
        minimiser was found.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    See Also
    --------
    mcmodels.ObjectiveRegressor : Smooth losses of your own.

    Notes
    -----
    Weights count rows: weight 2 is a row given twice, weight 0 an absent row. Where several
    parameters have the least objective, as where the median lies between two values, the fit is one
    of them, the same for any order of the rows; ``status_`` says so where another one was found.
    Where columns depend on each other the coefficients are the shortest with these predictions.
    The rows are held in memory, with a dense copy of X in float64 while the fit runs.

    References
    ----------
    Koenker and Bassett (1978), *Regression quantiles*, Econometrica 46(1).
    Portnoy and Koenker (1997), *The Gaussian hare and the Laplacian tortoise*, Statistical Science
    12(4).

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import QuantileRegressor
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> model = QuantileRegressor(quantile=0.5).fit(cars[["wt"]], cars["mpg"])
    >>> model.params_.round(4)
    array([-4.5395, 34.2322])
    >>> model.confidence_intervals().round(2)
                 lower  upper
    wt           -6.23  -2.85
    (intercept)  28.55  39.92
    """

    def __init__(self, quantile: float = 0.5, *, fit_intercept: bool = True) -> None:
        self.quantile = quantile
        self.fit_intercept = fit_intercept

    def fit(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0: how often a row was there.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, wrong shapes, negative or all-zero weights, a parameter out
            of its range, or numbers of sizes beyond float64.

        Warns
        -----
        RankDeficiencyWarning
            When columns are linearly dependent.
        ConstantTargetWarning
            When y takes a single value.
        ConvergenceWarning
            When the dual does not prove the minimum.
        """
        self._check_parameters()
        _refuse_stream("fit", X)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        features, matrix, targets = training_pair(self, X, y, y_numeric=True)
        weights = check_weights(sample_weight, matrix)
        targets = targets.astype(np.float64, copy=False)
        rows = ArrayRows(matrix, targets, weights, intercept=bool(self.fit_intercept))
        with refuse_not_finite(self, X), rows.one_thread_for_algebra():
            solution = fit_quantile(rows, float(self.quantile))
        params = solution.value.params
        coef, intercept = (params[:-1], float(params[-1])) if rows.intercept else (params, 0.0)
        coef = coef.copy()
        tau = float(self.quantile)
        record = QuantileFit.of(solution, rows, tau, features.names, (coef, intercept))
        if solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                f"after {solution.iterations} steps the dual does not prove the minimum: the "
                f"objective is {record.objective:g}, the bound {record.bound:g}. Scale the "
                "columns and the weights to similar sizes."
            )
        if solution.rank < features.n_features:
            warn_rank_deficient(
                features,
                solution,
                n_rows=rows.n_present,
                what="The coefficients are the shortest with these predictions.",
            )
        present = solution.value.y
        if rows.intercept and present.min() == present.max():
            warn_constant_targets([0], (), several=False, consequence="coefficients are zero")
        published = features.attributes | {"coef_": coef, "intercept_": intercept}
        return self._publish(published | {"_fit": record})

    @of_blocks
    def predict(self, X: MatrixLike) -> Array:
        """The estimated quantile ``x̃ᵀθ`` of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._linear_predictor(X, keep_dtype=True)

    def score(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> float:
        """The share of the pinball loss that is explained, ``D²``; 1 is best.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.

        Returns
        -------
        float
            ``sklearn.metrics.d2_pinball_score`` with the quantile of the fit as ``alpha``.
        """
        _refuse_stream("score", X)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        predicted = self.predict(X)
        _, targets = validated_pair(self, X, y, y_numeric=True)
        tau = self._quantile
        return float(d2_pinball_score(targets, predicted, sample_weight=sample_weight, alpha=tau))

    def _check_parameters(self) -> None:
        check_number("quantile", self.quantile, above=0)
        if not float(self.quantile) < 1:
            raise ValueError(f"quantile={self.quantile!r} must be less than 1.")
        check_flag("fit_intercept", self.fit_intercept)


def _refuse_stream(method: str, X: object) -> None:
    if isinstance(X, RowStream) or is_dask(X):
        raise TypeError(
            f"QuantileRegressor.{method} needs its rows in memory, and X is a {type(X).__name__}. "
            "Pass arrays; or fit ObjectiveRegressor with a smoothed pinball loss "
            "(docs/own_objectives.md)."
        )
