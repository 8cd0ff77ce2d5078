"""Inference and derivatives of generalized linear models, with offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, check_params
from mcmodels.estimators.conditional_methods import unless
from mcmodels.estimators.glm_rows import GlmRows
from mcmodels.estimators.missing_means import warn_without_means
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.parameter_methods import ParameterMethods, RobustOptions
from mcmodels.estimators.tuned_attributes import not_chosen
from mcmodels.inference.glm_residuals import KINDS, quantile_residuals, residuals_of
from mcmodels.inference.summary import Summary
from mcmodels.rows import RowStream

__all__ = ["GlmMethods"]


class GlmMethods(GlmRows):
    """Inference of :class:`mcmodels.GeneralizedLinearRegressor`.

    Methods that take the training rows need their ``offset`` and ``exposure``, too. Formulas and
    sources are in :mod:`mcmodels.inference.glm_model`.
    """

    _kinds = (*ParameterMethods._kinds, "expected")

    alpha_ = Fitted(
        "alpha", "alpha as it was given or chosen; of groups of columns a dict by their names."
    )
    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    converged_ = Fitted(
        "converged", "Whether the tolerance was met at a minimum.", describes_coefficients=False
    )
    n_iter_ = Fitted("n_iter", "Number of steps.", describes_coefficients=False)
    deviance_ = Fitted("deviance", "``Σ wᵢ d(yᵢ, μᵢ)`` on the training rows.")
    pearson_chi2_ = Fitted("pearson_chi2", "``Σ wᵢ (yᵢ - μᵢ)²/V(μᵢ)`` on the training rows.")
    theta_ = Fitted("theta", "θ of negative binomial targets, given or estimated.")
    theta_standard_error_ = Fitted("theta_standard_error", "Standard error of an estimated θ.")
    dispersion_ = Fitted("dispersion", "The dispersion φ; NaN where it cannot be estimated.")
    log_likelihood_ = Fitted(
        "log_likelihood",
        """Log-likelihood of the training rows with all constants, without the penalty.

        Of normal targets it takes the variance of largest likelihood, ``deviance/Σw``; of others
        ``dispersion_``, as statsmodels does. NaN for Tweedie powers outside (1, 2) other than 0, 1,
        2 and 3.
        """,
    )

    def covariance(
        self,
        X: MatrixLike | RowStream | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        kind: str | None = None,
        groups: VectorLike | None = None,
        use_correction: bool = True,
        df_correction: bool = True,
        max_lags: int | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """Covariance of ``params_``; with rows, under weaker assumptions than the model's.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream, default=None
            The training rows; a stream also holds y, the weights and the offset. None: the result
            is ``covariance_``.
        y : array-like of shape (n_samples,), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        kind : {"nonrobust", "expected", "HC0" to "HC3", "cluster", "HAC"}, default=None
            "expected" is φ times the inverse of the expected information, which R and statsmodels
            print; the others are those of :meth:`mcmodels.LinearRegression.covariance`. None:
            "nonrobust" without rows, and "HC3" with them; "HC1" with ``weights="probability"``.
        groups, use_correction, df_correction, max_lags
            As in :meth:`mcmodels.LinearRegression.covariance`.
        offset, exposure : array-like of shape (n_samples,), default=None
            Those of the fit.

        Returns
        -------
        ndarray of shape (P, P)

        Raises
        ------
        InferenceError
            If the parameters are not determined, there is a single cluster, or a row has leverage
            one.
        ValueError
            If the rows are not the training rows.
        """
        options = RobustOptions(
            kind=kind,
            groups=groups,
            use_correction=use_correction,
            df_correction=df_correction,
            max_lags=max_lags,
            offset=offset,
            exposure=exposure,
        )
        return self._warned_estimate(X, y, sample_weight, **options)[1].covariance.copy()

    def summary(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        p_values: bool | None = None,
        exponentiate: bool = False,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust covariance.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        p_values : bool, default=None
            Whether to print tests; by default only for fits without a penalty.
        exponentiate : bool, default=False
            Whether to show exp of the coefficients and of the ends of their intervals: rate ratios
            of the link log, odds ratios of the link logit. Standard errors are then by the delta
            method, and tests those of the coefficients.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, ``offset``, ….

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        options: dict[str, Any] = {"level": level, "p_values": p_values}
        return self._summary((X, y, sample_weight), robust, exponentiate, **options)

    @unless(not_chosen)
    def criterion_curve(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        values: VectorLike | None = None,
        group: str | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """As :meth:`mcmodels.LogisticRegression.criterion_curve`, with offset and exposure."""
        added = {"offset": offset, "exposure": exposure}
        return self._criterion_curve(X, y, sample_weight, values, group, added)

    def profile_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """As :meth:`mcmodels.LogisticRegression.profile_intervals`, with offset and exposure.

        Where the dispersion was estimated, with the quantile of Student's t.
        """
        added = {"offset": offset, "exposure": exposure}
        return self._profile_intervals(X, y, sample_weight, level, parameters, added)

    def likelihood_ratio_tests(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """As :meth:`mcmodels.LogisticRegression.likelihood_ratio_tests`, with offset and exposure.

        Where the dispersion was estimated, it is an F test.
        """
        added = {"offset": offset, "exposure": exposure}
        return self._likelihood_ratio_tests(X, y, sample_weight, parameters, added)

    def residuals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        kind: str = "deviance",
        random_state: RandomState = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """Residuals of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Rows; a stream also holds y, the weights and the offset. Of collections of Dask the
            residuals are computed when they are asked for.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Needed for the trials of binomial proportions, and where weights are precisions:
            pearson, deviance and anscombe are multiplied by their roots, as in R, and quantile
            residuals are of the variance ``φV(μ)/w``. Other weights change no residual.
        kind : {"deviance", "pearson", "anscombe", "response", "working", "quantile"}, \
default="deviance"
            The formulas are in :mod:`mcmodels.inference.glm_residuals`. "quantile" residuals are
            standard normal if the model is right; of discrete targets they are random.
        random_state : int, RandomState or None, default=None
            For quantile residuals of discrete targets.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        ndarray of shape (n_samples,)

        Raises
        ------
        InferenceError
            For quantile residuals of Tweedie's family, or without a dispersion.

        Warns
        -----
        NoMeanWarning
            When a linear predictor is outside the domain of the link; the residual is NaN.
        """
        check_choice("kind", kind, (*KINDS, "quantile"))
        given: dict[str, Any] = {"X": X, "y": y, "sample_weight": sample_weight}
        given |= {"offset": offset, "exposure": exposure}
        if kind != "quantile":
            return self._residuals(kind, **given)
        record, loss = self._record(), self._loss()
        record.model.refuse_without_dispersion()
        targets, eta, weights = self._targets_and_predictors(**given)
        of_rows = record.weighting.in_residuals(loss, weights)
        rng, mean = check_random_state(random_state), loss.link.mean(eta)
        phi = record.weighting.dispersion_of_rows(loss, record.dispersion, weights)
        return quantile_residuals(loss.family, targets, mean, of_rows, phi, rng)

    def _residuals_of(self, kind: str, targets: Array, eta: Array, weights: Array | None) -> Array:
        loss = self._loss()
        of_rows = self._record().weighting.in_residuals(loss, weights)
        return residuals_of(loss, kind, targets, eta, of_rows)

    def _targets_and_predictors(
        self, *rows: Any, **options: Any
    ) -> tuple[Array, Array, Array | None]:
        """The same; linear predictors outside the domain of the link are NaN, with a warning."""
        targets, eta, weights = super()._targets_and_predictors(*rows, **options)
        loss = self._loss()
        lost = warn_without_means(loss, loss.outside(eta), "residuals", eta)
        return targets, eta if lost is None else np.where(lost, np.nan, eta), weights

    def objective(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> float:
        """``Σ wᵢ ℓ(yᵢ, ηᵢ) + α‖coef‖²/2`` on the given rows, ℓ the kernel of the family.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; a stream also holds y, the weights and the offset.
        y : array-like of shape (n_samples,)
            Targets.
        params : array-like of shape (P,), default=None
            Parameters at which to evaluate; ``params_`` by default.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        float
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset, exposure=exposure).value(
            point
        )

    def gradient(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """The gradient of :meth:`objective` with respect to the parameters, shape (P,).

        Parameters are those of :meth:`objective`.
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset, exposure=exposure).gradient(
            point
        )

    def hessian(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """The Hessian of :meth:`objective`, shape (P, P).

        Parameters are those of :meth:`objective`.
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset, exposure=exposure).hessian(
            point
        )

    def hessian_vector_product(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        vector: VectorLike,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """The Hessian of :meth:`objective` times a vector of shape (P,), without forming it.

        The other parameters are those of :meth:`objective`.
        """
        point = self._point(params)
        direction = check_params(vector, point.shape, "vector")
        objective = self._objective_on(X, y, sample_weight, offset=offset, exposure=exposure)
        return objective.hessian_vector_product(point, direction)
