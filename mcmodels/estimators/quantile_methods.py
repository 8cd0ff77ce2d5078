"""Inference of quantile regression: covariances, intervals and tests, without the rows."""

from __future__ import annotations

from typing import Any, NoReturn, TypedDict, Unpack

import pandas as pd

from mcmodels.arrays import Array, Matrix, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_weights,
    refuse_other_order,
    refuse_unknown_keywords,
)
from mcmodels.estimators.linear_predictor import LinearPredictorModel
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.streams import of_blocks
from mcmodels.estimators.validation import validated_pair
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.delta import DeltaMethod
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.inference.hypotheses import HypothesisTest, wald_test
from mcmodels.inference.quantile_model import BANDWIDTHS, KERNELS, KINDS
from mcmodels.inference.summary import Summary
from mcmodels.objectives.pinball import PinballObjective
from mcmodels.records.quantile import QuantileFit
from mcmodels.rows import rows_of

__all__ = ["DensityOptions", "QuantileMethods"]


class DensityOptions(TypedDict, total=False):
    """Options of the covariance; see :meth:`QuantileMethods.covariance`."""

    kind: str | None
    kernel: str | None
    bandwidth: str | None


class QuantileMethods(LinearPredictorModel):
    """Standard errors, tests and intervals of quantile regression; none needs the rows.

    Formulas and sources are in :mod:`mcmodels.inference.quantile_model`.
    """

    quantile: float

    objective_ = Fitted("objective", "The least weighted sum of losses, at ``params_``.")
    status_ = Fitted("status_text", "How the solver ended.", describes_coefficients=False)
    converged_ = Fitted(
        "converged", "Whether the minimum was proved by the dual.", describes_coefficients=False
    )
    n_iter_ = Fitted("n_iter", "Steps and pivots.", describes_coefficients=False)
    solver_ = Fitted("method", "The algorithm that was used.", describes_coefficients=False)
    n_observations_ = Fitted("n_observations", "The sum of the weights.")
    n_free_params_ = Fitted("n_free_params", "Number of parameters that the data determine.")
    pseudo_r_squared_ = Fitted(
        "pseudo_r_squared", "One minus the objective over that of the quantile of y alone."
    )
    covariance_ = Fitted("covariance", "Covariance of ``params_``, of the default kind.")
    standard_errors_ = Fitted("standard_errors", "Standard errors of ``params_``.")

    def covariance(
        self,
        *,
        kind: str | None = None,
        kernel: str | None = None,
        bandwidth: str | None = None,
    ) -> Array:
        """Covariance of ``params_``, from the density of the residuals at zero.

        Parameters
        ----------
        kind : {"robust", "iid"}, default=None
            "iid" holds if residuals have the same density in all rows, "robust" also otherwise.
            None: "robust".
        kernel : {"epa", "biw", "cos", "gau", "par"}, default=None
            Kernel of the density: Epanechnikov, biweight, cosine, Gaussian, Parzen. None: "epa".
        bandwidth : {"hsheather", "bofinger", "chamberlain"}, default=None
            Rule of the bandwidth: Hall and Sheather (1988), Bofinger (1975), Chamberlain (1994).
            None: "hsheather".

        Returns
        -------
        ndarray of shape (P, P)

        Raises
        ------
        InferenceError
            If the density cannot be estimated from these residuals.
        """
        options = DensityOptions(kind=kind, kernel=kernel, bandwidth=bandwidth)
        return self._estimate(**options)[1].covariance.copy()

    def confidence_intervals(
        self, level: float = 0.95, **density: Unpack[DensityOptions]
    ) -> pd.DataFrame:
        """Intervals that cover each parameter with probability ``level``.

        Parameters
        ----------
        level : float, default=0.95
            Probability that an interval covers its parameter, in (0, 1).
        **density
            Options of :meth:`covariance`: ``kind``, ``kernel``, ``bandwidth``.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.
        """
        check_level(level)
        found = self._estimate(**density)[1]
        return pd.DataFrame(
            found.intervals(level), index=list(found.names), columns=["lower", "upper"]
        )

    def wald_test(self, restrictions: Any, **density: Unpack[DensityOptions]) -> HypothesisTest:
        """Test linear restrictions on the parameters.

        Parameters
        ----------
        restrictions : str, array-like of shape (r, n_params) or pair (R, q)
            Text such as ``"income = 0, age = 2*tenure"``, or R and q of ``Rθ = q``.
        **density
            Options of :meth:`covariance`: ``kind``, ``kernel``, ``bandwidth``.

        Returns
        -------
        HypothesisTest
            An F test.
        """
        return wald_test(self._estimate(**density)[1], restrictions)

    def delta_method(self, g: Any, **density: Unpack[DensityOptions]) -> DeltaMethod:
        """A smooth function of the parameters, with its standard error.

        Parameters
        ----------
        g : callable
            Takes an array of the shape of ``params_``; returns a number or an array.
        **density
            Options of :meth:`covariance`: ``kind``, ``kernel``, ``bandwidth``.

        Returns
        -------
        DeltaMethod
        """
        record, found = self._estimate(**density)
        return record.delta_method(g, found)

    @of_blocks
    def predict_interval(
        self,
        X: MatrixLike,
        level: float = 0.95,
        kind: str = "mean",
        *,
        kernel: str | None = None,
        bandwidth: str | None = None,
    ) -> pd.DataFrame:
        """The estimated quantile ``x̃ᵀθ`` of each row, with intervals that cover the true one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean"}, default="mean"
            What is covered: the quantile of the target, and not a new observation. A pair of fits,
            of the quantiles 0.05 and 0.95 say, predicts that.
        kernel, bandwidth : str, default=None
            As in :meth:`covariance`, which is of the kind "robust"; others are in use after
            ``results(model).with_covariance(kind="iid")``.

        Returns
        -------
        DataFrame
            Columns prediction, standard_error, lower and upper; it has the index of X.
        """
        check_level(level)
        if not isinstance(kind, str) or kind != "mean":
            raise InferenceError(
                f"kind={example_of(kind)}: a fit of one quantile gives intervals of that quantile, "
                "kind='mean', and none of an observation. Fit two quantiles, as 0.05 and 0.95."
            )
        record, found = self._estimate(kernel=kernel, bandwidth=bandwidth)
        rows, index = self._indexed_rows(X, weighted=False)
        prediction = rows.map(lambda block: block.linear_predictor(record.params))
        errors = record.prediction_errors(rows, found)
        reach = found.quantile(level) * errors
        columns = {
            "prediction": prediction,
            "standard_error": errors,
            "lower": prediction - reach,
            "upper": prediction + reach,
        }
        return pd.DataFrame(columns, index=index)

    def summary(self, *, level: float = 0.95, **density: Unpack[DensityOptions]) -> Summary:
        """Coefficients with standard errors, tests and intervals.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        **density
            Options of :meth:`covariance`: ``kind``, ``kernel``, ``bandwidth``.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        check_level(level)
        record, found = self._estimate(**density)
        return record.summary(found, level)

    def _estimate(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        **density: Any,
    ) -> tuple[QuantileFit, Estimate]:
        """The record of the fit, and the parameters with the covariance that was asked for."""
        if not (X is None and y is None and sample_weight is None):
            raise ValueError(
                "the covariance of quantile regression needs no rows; leave X, y and "
                "sample_weight out, and choose by kind, kernel and bandwidth."
            )
        refuse_unknown_keywords(density, ("kind", "kernel", "bandwidth"))
        density = {name: value for name, value in density.items() if value is not None}
        options = {"kind": "robust", "kernel": "epa", "bandwidth": "hsheather"} | density
        check_choice("kind", options["kind"], KINDS, {"nonrobust": "iid", "HC3": "robust"})
        check_choice("kernel", options["kernel"], tuple(KERNELS))
        check_choice("bandwidth", options["bandwidth"], BANDWIDTHS)
        record: QuantileFit = self._record()
        return record, record.estimate_by(**options) if density else record.estimate

    def _warned_estimate(self, *rows: Any, **density: Any) -> tuple[QuantileFit, Estimate]:
        """As :meth:`_estimate`: covariances of residuals that are zero are refused there."""
        return self._estimate(*rows, **density)

    def _training_rows(self, *rows: Any, **offsets: Any) -> NoReturn:
        """Refused: what reads training rows again does so for curvature."""
        raise InferenceError(
            "the pinball loss of quantile regression has no curvature, which this needs."
        )

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> PinballObjective:
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        matrix: Matrix
        matrix, targets = validated_pair(self, X, y, y_numeric=True)
        weights = check_weights(sample_weight, matrix)
        targets = targets.astype(float, copy=False)
        rows = rows_of(matrix, targets, weights, intercept=self._has_intercept)
        return PinballObjective(rows, self._quantile)

    @property
    def _quantile(self) -> float:
        """The quantile of the fit; of assigned coefficients, that of the argument."""
        return float(self.quantile if self._fit is None else self._fit.quantile)

    @property
    def gradient_(self) -> Array:
        """Not there: at the minimum of a pinball loss residuals are zero, at its kinks."""
        raise InferenceError(
            "gradient_: the pinball loss has kinks at the rows that the fit passes through; "
            "gradient(X, y, params=…) is for other points."
        )
