"""Inference of LinearRegression: likelihood, tests, intervals, influence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_count,
    check_interval_kind,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.linear_tests import LinearTests
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.parameter_methods import ParameterMethods, RobustOptions, index_of
from mcmodels.estimators.profiled_model import positions
from mcmodels.estimators.streams import in_memory_but_X, of_blocks
from mcmodels.inference.estimate import check_level
from mcmodels.inference.influence import LINEAR_MEASURES, linear_influence
from mcmodels.inference.leverage import hat_matrix, leverage
from mcmodels.inference.profiles import f_tests, profile_of_normal_targets
from mcmodels.inference.summary import Summary
from mcmodels.records.linear import LinearFit
from mcmodels.records.record import INTERCEPT
from mcmodels.rows import Rows, RowStream
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import is_dask, refuse_parts

__all__ = ["LinearMethods"]


class LinearMethods(LinearTests):
    """Inference of LinearRegression; the noise has constant variance, over w for precisions.

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
        "R²: the explained share of the sum of squares of y: about its mean, with an intercept or "
        "columns that span a constant, else about zero. NaN for a constant y.",
    )
    adjusted_r_squared_ = Fitted(
        "adjusted_r_squared", "R² with sums of squares divided by their degrees of freedom."
    )
    f_test_ = Fitted("f_test", "Test that every slope is zero.")

    _influence_measures = LINEAR_MEASURES
    _is_quadratic = True
    _kinds = (*ParameterMethods._kinds, "CR2")

    def variance_inflation_factors(self) -> pd.Series:
        """Factors by which correlated columns increase the variances of the coefficients.

        Returns
        -------
        Series
            ``1/(1 - Rⱼ²)`` by the name of the column; Rⱼ² is that of column j on the other columns.
        """
        record: LinearFit = self._record()
        return pd.Series(record.model.variance_inflation_factors, index=list(record.names))

    def summary(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals, and measures of fit.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust covariance.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, ….

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        record, estimate = self._estimate(X, y, sample_weight, **robust)
        return record.summary(estimate, level)

    def profile_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The t intervals: of normal noise they are those that a likelihood-ratio test gives.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        level : float, default=0.95
            Coverage, in (0, 1).
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all parameters.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.
        """
        check_level(level)
        self._record().weighting.refuse_without_likelihood("an interval by the likelihood")
        _, estimate = self._warned_estimate(X, y, sample_weight, kind="nonrobust")
        chosen = positions(parameters, estimate.names)
        ends, names = estimate.intervals(level)[chosen], [estimate.names[k] for k in chosen]
        return pd.DataFrame(ends, index=names, columns=["lower", "upper"])

    def score_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The t intervals: with the variance of the whole model the score statistic is t².

        Parameters are those of :meth:`profile_intervals`.
        """
        return self.profile_intervals(X, y, sample_weight, level=level, parameters=parameters)

    def likelihood_profile(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.99,
        points: int = 21,
        parameters: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The profile along parameters, for plots: t² and t at values around the estimates.

        Parameters and the table are those of
        :meth:`mcmodels.GeneralizedLinearRegressor.likelihood_profile`.
        """
        check_count("points", points, at_least=3)
        check_level(level)
        self._record().weighting.refuse_without_likelihood("a profile of the likelihood")
        _, estimate = self._warned_estimate(X, y, sample_weight, kind="nonrobust")
        chosen = positions(parameters, estimate.names)
        return profile_of_normal_targets(estimate, chosen, level, points)

    def likelihood_ratio_tests(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        parameters: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """F tests that single parameters are zero: the squares of their t statistics.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all features.

        Returns
        -------
        DataFrame
            One row for each parameter; columns statistic, df and p_value.
        """
        self._record().weighting.refuse_without_likelihood("a likelihood-ratio test")
        _, estimate = self._warned_estimate(X, y, sample_weight, kind="nonrobust")
        if parameters is None:
            parameters = [name for name in estimate.names if not name.endswith(INTERCEPT)]
        return f_tests(estimate).iloc[positions(parameters, estimate.names)]

    @of_blocks
    def predict_interval(
        self, X: MatrixLike, level: float = 0.95, kind: str = "mean"
    ) -> pd.DataFrame:
        """Predictions with intervals, for the mean of the target or for a new observation.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean", "observation"}, default="mean"
            "mean": ``x̃ᵀθ``, with standard error ``σ̂√(x̃ᵀAx̃)``. "observation": a new observation
            at x, with standard error ``σ̂√(1 + x̃ᵀAx̃)``: where weights are precisions, one of weight
            1. With ``weights="probability"`` the variance of the mean is ``x̃ᵀVx̃``, V of HC1.

        Returns
        -------
        DataFrame
            Columns prediction, standard_error, lower, upper; it has the index of X.

        References
        ----------
        Greene (2018), *Econometric Analysis*, 8th ed., §4.8.1.
        """
        check_interval_kind(kind, "results(model).")
        record: LinearFit = self._record()
        check_level(level)
        record.refuse_several_targets("predict_interval")
        record.warn_of_perfect_fit()
        rows = self._unlabelled_rows(X)
        prediction, error = record.predictions(rows, kind)
        half_width = record.prediction_quantiles(rows, level) * error
        return pd.DataFrame(
            {
                "prediction": prediction,
                "standard_error": error,
                "lower": prediction - half_width,
                "upper": prediction + half_width,
            },
            index=index_of(X),
        )

    def influence(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> pd.DataFrame:
        """How much each training row changes the fit, without refitting.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        DataFrame
            One row for each training row, with the index of X. Columns leverage,
            standardized_residual, studentized_residual (external), cooks_distance, dffits, and
            dfbetas_<name> for each parameter.

        Warns
        -----
        LeverageWarning
            For rows with leverage 1; their other measures are NaN.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`. With
        ``weights="probability"`` residuals and errors are those of weights that sum to n.
        """
        self._record().refuse_several_targets("influence")
        return self._influence(X=X, y=y, sample_weight=sample_weight)

    def _influence_of(self, rows: Rows, index: pd.Index | None, scale: float) -> pd.DataFrame:
        record: LinearFit = self._record()
        model = record.model
        return linear_influence(
            model.whitening,
            rows,
            record.least_squares.params[0],
            record.residual_squares,
            model.df,
            model.weighting,
            model.names,
            index,
        )

    def leverage(self, X: MatrixLike, sample_weight: Weights = None) -> Array:
        """Leverage ``hᵢ = wᵢ x̃ᵢᵀ(X̃ᵀWX̃)⁺x̃ᵢ`` of rows on a fit to the training rows.

        For the training rows and weights this is the diagonal of the hat matrix: the change of a
        fitted value when its own observation changes by one. The cost is O(np²), and no n×n matrix
        is formed.

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
        record: LinearFit = self._unchecked_record()
        if is_dask(X):
            given = {"X": X, "sample_weight": sample_weight}
            return lazily(self, "_leverage_in_part", given, like=np.empty(0))
        refuse_other_order(X=X, sample_weight=sample_weight)
        X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
        rows, weights = self._unlabelled_rows(X), check_weights(sample_weight, X)
        return leverage(record.factored("leverage"), rows, weights)

    def _leverage_in_part(self, X: MatrixLike, sample_weight: Weights) -> Array:
        """Leverage of some rows, which may all have weight 0."""
        weights = check_weights(sample_weight, X, allow_all_zero=True)
        return leverage(self._record().factored("leverage"), self._unlabelled_rows(X), weights)

    def hat_matrix(self, X: MatrixLike, sample_weight: Weights = None) -> Array:
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
        record: LinearFit = self._unchecked_record()
        factored = record.factored("hat_matrix")
        refuse_parts("hat_matrix", X, sample_weight)
        X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
        record.training.require_features(self._unlabelled_rows(X, sample_weight))
        rows, weights = self._unlabelled_rows(X), check_weights(sample_weight, X)
        return hat_matrix(factored, rows, weights)
