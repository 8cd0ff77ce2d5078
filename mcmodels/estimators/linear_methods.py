"""What LinearRegression says beyond its coefficients: likelihood, intervals, influence."""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.parameter_methods import ParameterMethods, RobustOptions, index_of
from mcmodels.estimators.validation import check_choice, check_weights
from mcmodels.inference.diagnostics import breusch_pagan, squared_residuals
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.influence import linear_influence
from mcmodels.inference.leverage import hat_matrix, leverage
from mcmodels.inference.summary import Summary
from mcmodels.results.linear import LinearFit
from mcmodels.rows import ArrayRows

__all__ = ["LinearMethods"]


class LinearMethods(ParameterMethods):
    """Inference of LinearRegression; weights count rows, and noise is the same for every row.

    Formulas and sources are in :mod:`mcmodels.inference.linear_model`.
    """

    singular_ = Fitted(
        "singular",
        "Singular values of the (centred, weighted) features, descending.",
        describes_coefficients=False,
    )
    condition_number_ = Fitted(
        "condition_number",
        "Ratio of the extreme singular values; inf when the rank is not full.",
        describes_coefficients=False,
    )
    rank_ = Fitted(
        "rank", "Rank of the (centred, weighted) features.", describes_coefficients=False
    )
    n_iter_ = Fitted(
        "n_iter", "Corrections applied after the first solve.", describes_coefficients=False
    )
    r_squared_ = Fitted(
        "r_squared",
        "Share of the squares of y, about its mean if there is an intercept, that is explained.",
    )
    adjusted_r_squared_ = Fitted(
        "adjusted_r_squared", "R² with the squares divided by their degrees of freedom."
    )
    f_test_ = Fitted("f_test", "Test that every slope is zero.")

    def variance_inflation_factors(self) -> pd.Series:
        """How many times the variance of each coefficient is what it were with unrelated columns.

        Returns
        -------
        Series
            ``1/(1 - Rⱼ²)`` by the name of the column, with Rⱼ² that of column j on the others.
        """
        record: LinearFit = self._record()
        return pd.Series(record.model.variance_inflation_factors, index=list(record.names))

    def summary(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        level: float = 0.95,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals, and how good the fit is.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust ``kind``.
        level : float, default=0.95
            Of the intervals.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        record, estimate = self._estimate(X, y, sample_weight, **robust)
        return record.summary(estimate, level)

    def predict_interval(self, X: Any, level: float = 0.95, kind: str = "mean") -> pd.DataFrame:
        """Predictions with intervals, for the mean of the target or for one observation of it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean", "observation"}, default="mean"
            ``x̃ᵀθ`` itself, with standard error ``σ̂√(x̃ᵀAx̃)``; or a new observation there, with
            ``σ̂√(1 + x̃ᵀAx̃)``.

        Returns
        -------
        DataFrame
            Columns prediction, standard_error, lower, upper; the index of X.

        References
        ----------
        Greene (2018), *Econometric Analysis*, 8th ed., §4.8.1.
        """
        check_choice("kind", kind, ("mean", "observation"))
        record: LinearFit = self._record()
        quantile = record.estimate.quantile(level)
        record.refuse_several_targets("predict_interval")
        prediction, error = record.predictions(self._unlabelled_rows(X), kind)
        reach = quantile * error
        return pd.DataFrame(
            {
                "prediction": prediction,
                "standard_error": error,
                "lower": prediction - reach,
                "upper": prediction + reach,
            },
            index=index_of(X),
        )

    def influence(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """How much each training row moves the fit, without refitting.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        DataFrame
            One row a row, its index that of X; columns leverage, standardized_residual,
            studentized_residual (external), cooks_distance, dffits, and dfbetas_<name> for each
            parameter.

        Warns
        -----
        LeverageWarning
            For rows with leverage 1; their measures are NaN.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`.
        """
        record: LinearFit = self._record()
        model = record.model
        record.refuse_several_targets("influence")
        whitening, index = model.whitening, index_of(X)
        X, targets, weights = self._training_rows(X, y, sample_weight)
        extras = None if weights is None else {"frequency": weights}
        rows = ArrayRows(X, targets[:, 0], extras=extras, intercept=record.intercept)
        return linear_influence(
            whitening,
            rows,
            record.least_squares.params[0],
            record.residual_squares,
            model.df,
            model.names,
            index,
        )

    def breusch_pagan(self, X: Any, y: Any, sample_weight: Any = None) -> HypothesisTest:
        """Test whether the variance of the noise depends on the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        HypothesisTest
            Koenker's version, ``nR²`` of the squared residuals on the features: χ².
        """
        record: LinearFit = self._record()
        record.refuse_several_targets("breusch_pagan")
        X, targets, weights = self._training_rows(X, y, sample_weight)
        rows = ArrayRows(X, targets, intercept=record.intercept)
        squares = squared_residuals(rows, record.least_squares.params)
        return breusch_pagan(ArrayRows(X, squares, weights, intercept=True), record.rank)

    def leverage(self, X: Any, sample_weight: Any = None) -> Array:
        """Leverage ``hᵢ = wᵢ x̃ᵢᵀ(X̃ᵀWX̃)⁺x̃ᵢ`` of rows on a fit to the training rows.

        For the training rows and weights this is the diagonal of the hat matrix: what a fitted
        value moves when its own observation moves by one. O(np²), and no n×n matrix.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        record: LinearFit = self._record_of_any_fit()
        rows, weights = self._unlabelled_rows(X), check_weights(sample_weight, X)
        return leverage(record.factored("leverage"), rows, weights)

    def hat_matrix(self, X: Any, sample_weight: Any = None) -> Array:
        """Hat matrix ``H = X̃(X̃ᵀWX̃)⁺X̃ᵀW`` of the training rows, with ``ŷ = Hy``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        sample_weight : array-like of shape (n_samples,), default=None
            The training weights.

        Returns
        -------
        ndarray of shape (n_samples, n_samples)
        """
        record: LinearFit = self._record_of_any_fit()
        factored = record.factored("hat_matrix")
        record.training.require_features(self._unlabelled_rows(X, sample_weight))
        rows, weights = self._unlabelled_rows(X), check_weights(sample_weight, X)
        return hat_matrix(factored, rows, weights)
