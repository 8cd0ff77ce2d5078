"""What LinearRegression says beyond its coefficients: likelihood, intervals, influence."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Unpack

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from mcmodels._parameter_inference import (
    ParameterInferenceMixin,
    RobustOptions,
    described,
    index_of,
)
from mcmodels._validation import check_choice, check_weights, validated_pair
from mcmodels.exceptions import InferenceError
from mcmodels.inference.diagnostics import breusch_pagan
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.influence import linear_influence
from mcmodels.inference.leverage import hat_matrix, leverage
from mcmodels.inference.linear_model import LinearModelInference, LinearRobustModel
from mcmodels.inference.summary import Summary, number, p_value
from mcmodels.rows import ArrayRows, Seen
from mcmodels.rows.blocks import Array
from mcmodels.solvers.least_squares import LeastSquares

_TARGETS = {"multi_output": True, "y_numeric": True}


class LinearInferenceMixin(ParameterInferenceMixin):
    """Inference of LinearRegression; weights count rows, and noise is the same for every row.

    Formulas and sources are in :mod:`mcmodels.inference.linear_model`.
    """

    fit_intercept: bool
    rank_: int
    _least_squares: Any
    _seen: Seen
    _undetermined: str

    @property
    def r_squared_(self) -> float | Array:
        """Share of the squares of y, about its mean if there is an intercept, that is explained."""
        return self._by_target(self._model().r_squared)

    @property
    def adjusted_r_squared_(self) -> float | Array:
        """R² with the squares divided by their degrees of freedom."""
        return self._by_target(self._model().adjusted_r_squared)

    @property
    def f_test_(self) -> HypothesisTest:
        """Test that every slope is zero."""
        return self._model().f_test

    def variance_inflation_factors(self) -> pd.Series:
        """How many times the variance of each coefficient is what it were with unrelated columns.

        Returns
        -------
        Series
            ``1/(1 - Rⱼ²)`` by the name of the column, with Rⱼ² that of column j on the others.
        """
        factors = self._model().variance_inflation_factors
        return pd.Series(factors, index=list(self._parameter_names())[: self.n_features_in_])

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
        estimate = self._estimate(X, y, sample_weight, **robust)
        model = self._model()
        facts = {
            "observations": number(model.n_observations),
            "degrees of freedom": number(estimate.df),
            "covariance": described(estimate),
            "intervals": f"{100 * level:g} %",
        }
        table = estimate.table(level)
        if model.n_targets == 1:
            tables = {"": table}
            deviation = number(float(np.sqrt(model.noise_covariance[0, 0])))
            conclusions = {"residual deviation": deviation}
            varies = self._least_squares.moments.y_squares[0] > 0
            conclusions["R²"] = number(float(model.r_squared[0])) if varies else "undefined"
            if varies:
                conclusions["adjusted R²"] = number(float(model.adjusted_r_squared[0]))
            if varies and self.rank_ and estimate.kind == "nonrobust":
                test = model.f_test
                conclusions["F"] = (
                    f"{number(test.statistic)} on {test.df:g} and {test.df_denominator:g} degrees "
                    f"of freedom, p-value {p_value(test.p_value)}"
                )
        else:
            P = len(self._parameter_names())
            tables = {
                f"y{k}": table.iloc[k * P : (k + 1) * P].set_axis(list(self._parameter_names()))
                for k in range(model.n_targets)
            }
            conclusions = {"R²": ", ".join(map(number, model.r_squared))}
        conclusions |= {
            "log-likelihood": number(self.log_likelihood_),
            "AIC": number(self.aic_),
            "BIC": number(self.bic_),
        }
        return Summary("Linear regression", facts, tables, conclusions)

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
        estimate = self._own_estimate()
        self._refuse_several_targets("predict_interval")
        prediction, error = self._with_errors(X, kind)
        reach = estimate.quantile(level) * error
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
        model = self._model()
        self._refuse_several_targets("influence")
        index = index_of(X)
        X, targets, weights = self._training_rows(X, y, sample_weight)
        extras = None if weights is None else {"frequency": weights}
        rows = ArrayRows(X, targets[:, 0], extras=extras, intercept=self.fit_intercept)
        squares = float(self._least_squares.residual_scatter[0, 0])
        return linear_influence(
            model.whitening,
            rows,
            self._least_squares.params[0],
            squares,
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
        check_is_fitted(self)
        self._refuse_several_targets("breusch_pagan")
        X, targets, weights = self._training_rows(X, y, sample_weight)
        rows = ArrayRows(X, targets, intercept=self.fit_intercept)
        params = self._least_squares.params
        squares = rows.map(lambda block: (block.y - block.X.predictor(params)) ** 2)
        return breusch_pagan(ArrayRows(X, squares, weights, intercept=True), self.rank_)

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
        return leverage(self._factored("leverage"), *self._rows_and_weights(X, sample_weight))

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
        return hat_matrix(self._factored("hat_matrix"), *self._rows_and_weights(X, sample_weight))

    def _factored(self, wanted: str) -> LeastSquares:
        """The fit, if it has formed the matrix that is ``wanted``."""
        check_is_fitted(self)
        if not isinstance(self._least_squares, LeastSquares):
            raise AttributeError(
                f"{wanted} is not there: a matrix of {self.n_features_in_} features was not "
                "formed. Call hessian_vector_product(X, y, vector=…) with the training rows, or "
                "hessian(X, y) if there is room for it; or fit with solver='normal'."
            )
        return self._least_squares

    @abstractmethod
    def _rows_and_weights(self, X: Any, sample_weight: Any) -> tuple[ArrayRows, Array | None]:
        """Validated rows without targets, and checked weights."""

    def _model(self) -> LinearModelInference:
        fit = self._factored("inference")
        names = self._parameter_names()
        if self.params_.ndim == 2:
            names = tuple(f"y{k}:{name}" for k in range(len(self.params_)) for name in names)
        return LinearModelInference(fit, self.rank_, self._undetermined, names)

    def _own_estimate(self) -> Estimate:
        return self._model().estimate

    def _identified(self, estimate: Estimate, reference: Any) -> Estimate:
        if reference is not None:
            raise ValueError("reference is for more than two classes; this is a linear model.")
        return estimate

    def _robust_estimate(
        self, X: Any, y: Any, sample_weight: Any, kind: str, groups: Any, correct: tuple[bool, bool]
    ) -> Estimate:
        model = self._model()
        robust = LinearRobustModel(model.whitening, self._least_squares.params)
        X, targets, weights = self._training_rows(X, y, sample_weight)
        sandwich, clusters = self._sandwich(robust, X, targets, weights, kind, groups, correct[0])
        df = model.df
        if clusters and correct[1]:
            df = min(clusters[:2]) - 1.0
        V, T = sandwich.covariance, sandwich.root
        return Estimate(self.params_.ravel(), V, model.names, df, kind, T)

    def _with_errors(self, X: Any, kind: str) -> tuple[Array, Array]:
        """Predictions of the one target and their standard errors."""
        model = self._model()
        variance = float(model.noise_covariance[0, 0])
        rows, _ = self._rows_and_weights(X, None)
        params = self._least_squares.params[0]
        whitening = model.whitening
        extra = 1.0 if kind == "observation" else 0.0

        def both(block: Any) -> Array:
            Z = whitening.of(block)
            spread = np.sqrt(variance * (extra + np.einsum("ij,ij->i", Z, Z)))
            return np.column_stack([block.X.predictor(params), spread])

        return tuple(rows.map(both).T)

    def _training_rows(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """The rows of the fit, validated; refused where they are not as many."""
        X, y = validated_pair(self, X, y, reset=False, **_TARGETS)
        weights = check_weights(sample_weight, X)
        self._refuse_other_rows(X, weights)
        targets = np.asarray(y, dtype=np.float64).reshape(X.shape[0], -1)
        if targets.shape[1] != len(self._least_squares.params):
            raise ValueError(
                f"y has {targets.shape[1]} target(s); the model was fitted to "
                f"{len(self._least_squares.params)}."
            )
        return X, targets, weights

    def _refuse_several_targets(self, what: str) -> None:
        if len(self._least_squares.params) > 1:
            raise InferenceError(
                f"{what} is for one target, and y had {len(self._least_squares.params)}; fit them "
                "one by one."
            )

    def _by_target(self, values: Array) -> float | Array:
        return float(values[0]) if self.params_.ndim == 1 else values
