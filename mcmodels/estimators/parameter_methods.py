"""Inference on the parameters of a linear predictor: covariance, tests, intervals."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.rows_again import RowsAgain
from mcmodels.inference.delta import DeltaMethod
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.inference.hypotheses import HypothesisTest, wald_test
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.record import ParameterFit
from mcmodels.rows import RowStream

__all__ = ["ParameterMethods", "RobustOptions", "index_of", "output_table"]


class RobustOptions(TypedDict, total=False):
    """Options of the covariance; see :meth:`ParameterMethods.covariance`.

    The last two are of models that take them, for the training rows.
    """

    kind: str | None
    groups: VectorLike | None
    use_correction: bool
    df_correction: bool
    max_lags: int | None
    offset: VectorLike | None
    exposure: VectorLike | None


class ParameterMethods(RowsAgain):
    """Standard errors, tests and intervals of the parameters, from the curvature of the fit.

    Results that need no rows are available after every fit, also after ``partial_fit`` and
    unpickling. Robust covariances need the training rows: pass them again. Every method has the
    same default: without rows the covariance of the model, with rows the robust one of
    :meth:`covariance`.
    """

    gradient_ = Fitted("gradient", "Gradient of the objective at ``params_``.")
    hessian_ = Fitted("hessian", "Hessian of the objective over ``params_.ravel()``.")
    status_ = Fitted("status_text", "How the solver ended.", describes_coefficients=False)
    solver_ = Fitted("method", "The algorithm that was used.", describes_coefficients=False)
    log_likelihood_ = Fitted(
        "log_likelihood",
        "Log-likelihood at ``params_``, without the penalty; a linear fit assumes normal noise.",
    )
    n_observations_ = Fitted(
        "n_observations",
        "Number of observations: ``Σ wᵢ`` where weights count rows, else the number of rows of "
        "positive weight.",
    )
    n_free_params_ = Fitted(
        "n_free_params",
        "Number of parameters that the data determine, without the variance of the noise.",
    )
    aic_ = Fitted(
        "aic", "Akaike's criterion ``-2ℓ + 2k`` with k = ``n_free_params_`` (Akaike 1974)."
    )
    bic_ = Fitted("bic", "Schwarz's criterion ``-2ℓ + k log n`` (Schwarz 1978).")
    covariance_ = Fitted(
        "covariance",
        "Covariance of ``params_.ravel()`` if the model is right, or HC1 with "
        "``weights='probability'``; see docs/inference.md.",
    )
    standard_errors_ = Fitted("standard_errors", "Standard errors of ``params_``, in its shape.")

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
    ) -> Array:
        """Covariance of ``params_.ravel()``; with rows, under weaker assumptions than the model's.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream, default=None
            The training rows; a stream also holds y and the weights. None: the result is
            ``covariance_``.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        kind : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "CR2", "HAC"}, default=None
            "HC0" to "HC3" are valid under unequal variances, "cluster" also under dependence
            within groups, "HAC" also under serial correlation of rows in the order of time,
            "nonrobust" if the model is right. "CR2" is "cluster" for few clusters: residuals are
            adjusted for their leverage, and each coefficient has its own degrees of freedom; linear
            fits of one target have it. None: "nonrobust" without rows, and "HC3" with them; with
            more than two classes, where HC3 is not defined, "HC1". With ``weights="probability"``
            it is "HC1" in both cases, and "nonrobust" is refused.
        groups : array-like of shape (n_samples,) or (n_samples, 2), default=None
            The cluster of each row, in one grouping or in two ("CR2": one).
        use_correction : bool, default=True
            Whether cluster covariances are multiplied by ``G/(G-1) · (n-1)/(n-P)``, the
            small-sample correction of Stata's ``regress, vce(cluster)``, and "HAC" by
            ``n/(n-P)``. The name is that of statsmodels. For logistic fits statsmodels uses the
            same factor, Stata ``G/(G-1)``. "CR2" has no such factor.
        df_correction : bool, default=True
            Whether tests and intervals of a linear fit with clusters use the t distribution with
            G - 1 degrees of freedom, as in Stata and statsmodels, instead of n - P. "CR2" has
            Satterthwaite's degrees of freedom.
        max_lags : int, default=None
            Lags of ``kind="HAC"``: rows further apart are taken as uncorrelated.

        Returns
        -------
        ndarray of shape (n, n), n the size of ``params_``
            Rows and columns of parameters that the data do not determine are NaN.

        Raises
        ------
        InferenceError
            If there is no minimum or maximum, there is a single cluster, or a row has leverage
            one.
        ValueError
            If the rows are not the training rows.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.robust`,
        :mod:`mcmodels.inference.bias_reduced` and :mod:`mcmodels.inference.serial`.
        """
        options = RobustOptions(
            kind=kind,
            groups=groups,
            use_correction=use_correction,
            df_correction=df_correction,
            max_lags=max_lags,
        )
        return self._warned_estimate(X, y, sample_weight, **options)[1].covariance.copy()

    def confidence_intervals(
        self,
        level: float = 0.95,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        reference: object = None,
        **robust: Unpack[RobustOptions],
    ) -> pd.DataFrame:
        """Intervals that cover each parameter with probability ``level``.

        Parameters
        ----------
        level : float, default=0.95
            Probability that an interval covers its parameter, in (0, 1).
        X, y, sample_weight
            The training rows, for a robust covariance.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.
        """
        check_level(level)  # before X and y, which somebody may have passed first
        estimate = self._reported(X, y, sample_weight, reference, robust)
        return pd.DataFrame(
            estimate.intervals(level), index=list(estimate.names), columns=["lower", "upper"]
        )

    def wald_test(
        self,
        restrictions: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        reference: object = None,
        **robust: Unpack[RobustOptions],
    ) -> HypothesisTest:
        """Test linear restrictions on the parameters.

        Parameters
        ----------
        restrictions : str, array-like of shape (r, n_params) or pair (R, q)
            Text such as ``"income = 0, age = 2*tenure"``, or R and q of ``Rθ = q``. In the text,
            features have their names, and ``intercept`` is the intercept. Write names that are not
            plain words in backticks; ``sex[T.m]``, ``a:b`` and ``log(x)`` need none. With several
            targets or classes, write ``target:name`` or ``class:name``.
        X, y, sample_weight
            The training rows, for a robust covariance.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        HypothesisTest
            An F test for a linear model, else a χ² test.
        """
        return wald_test(self._reported(X, y, sample_weight, reference, robust), restrictions)

    def delta_method(
        self,
        g: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        **robust: Unpack[RobustOptions],
    ) -> DeltaMethod:
        """A smooth function of the parameters, with its standard error.

        Parameters
        ----------
        g : callable
            Takes an array with the shape of ``params_``; returns a number or an array.
        X, y, sample_weight
            The training rows, for a robust covariance.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        DeltaMethod
            With ``estimate``, ``standard_error``, ``covariance`` and ``interval(level)``.
        """
        record, estimate = self._warned_estimate(X, y, sample_weight, **robust)
        return record.delta_method(g, estimate)

    def _warned_estimate(self, *rows: Any, **options: Any) -> tuple[Any, Estimate]:
        """As :meth:`_estimate`, with a warning where the residuals are rounding errors."""
        record, estimate = self._estimate(*rows, **options)
        record.warn_of_perfect_fit()
        return record, estimate

    def _estimate(
        self,
        X: MatrixLike | None,
        y: VectorLike | None,
        sample_weight: Weights,
        **options: Any,
    ) -> tuple[Any, Estimate]:
        """The record of the fit, and the parameters with the covariance that was asked for."""
        record: ParameterFit = self._record()
        rows, robust = self._robust_rows(X, y, sample_weight, **options)
        if rows is None and options.get("kind") is None:
            return record, record.estimate
        if rows is None or robust.kind == "nonrobust":
            return record, record.fitted_estimate
        return record, record.robust_estimate(rows, robust, self._loss_of_user())

    def _reported(
        self,
        X: MatrixLike | None,
        y: VectorLike | None,
        sample_weight: Weights,
        reference: object,
        robust: RobustOptions,
    ) -> Estimate:
        record, estimate = self._warned_estimate(X, y, sample_weight, **robust)
        return record.reported(estimate, reference)

    def _loss_of_user(self) -> UserLoss | None:
        return None


def output_table(
    values: Array, columns: list[str], outputs: Any, level: str, index: pd.Index | None
) -> pd.DataFrame:
    """Table of values of shape (n_rows, n_outputs, n_columns).

    With several outputs the columns have two levels: the output, whose level has the name
    ``level``, and the column.
    """
    if values.shape[1] == 1:
        return pd.DataFrame(values[:, 0], columns=columns, index=index)
    levels = pd.MultiIndex.from_product([outputs, columns], names=[level, None])
    return pd.DataFrame(values.reshape(len(values), -1), columns=levels, index=index)
