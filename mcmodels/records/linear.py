"""The results of a fit of LinearRegression: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.bias_reduced import bias_reduced_covariance
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate, coverage
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.linear_model import (
    LinearModelInference,
    LinearRobustModel,
    refuse_large_covariance,
)
from mcmodels.inference.predictor_errors import PredictorErrors
from mcmodels.inference.robust import require_scores
from mcmodels.inference.summary import Summary, number
from mcmodels.inference.tolerances import LARGEST_STATISTIC, RESIDUAL_ROUNDING, SCORE_ROUNDING
from mcmodels.objectives import Objective
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind, described
from mcmodels.records.overall import in_words, overall_wald, wald_of_slopes
from mcmodels.records.record import ParameterFit, note_of_perfect_fit
from mcmodels.records.training_rows import TrainingRows
from mcmodels.rows import ColumnMoments, Rows
from mcmodels.solvers.least_squares import LeastSquares, MatrixFreeFit

__all__ = ["LinearFit"]


@dataclass(frozen=True, kw_only=True)
class LinearFit(ParameterFit):
    """A least-squares fit.

    Parameters
    ----------
    least_squares : LeastSquares or MatrixFreeFit
        The minimiser, and the moments of the rows that it came from.
    rank : int
        Rank of the (centred, weighted) features.
    named_targets : tuple of str
        Names of the targets; empty if they have none.
    log_weights : float
        ``Σ log wᵢ`` of weights that are precisions.
    """

    least_squares: LeastSquares | MatrixFreeFit
    rank: int
    named_targets: tuple[str, ...] = ()
    log_weights: float = 0.0

    @functools.cached_property
    def gradient(self) -> Array:
        """The gradient at the parameters, in their shape."""
        return self.least_squares.gradient.reshape(self.params.shape)

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return len(self.least_squares.params)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets: their own, or y0, y1, …."""
        if len(self.named_targets) == self.n_targets:
            return self.named_targets
        return ("y",) if self.n_targets == 1 else tuple(f"y{k}" for k in range(self.n_targets))

    @functools.cached_property
    def training(self) -> TrainingRows:
        """Sums that identify the rows of the fit, from its moments."""
        moments = self.least_squares.moments
        # Without an intercept the moments are about zero, and hold no mean.
        x_mean = moments.x_mean if self.intercept else None
        y_mean = moments.y_mean if self.intercept else None
        return TrainingRows(
            self.seen,
            self.names,
            self.targets,
            is_classes=False,
            x=None if x_mean is None else moments.weight * x_mean,
            y=None if y_mean is None else moments.weight * y_mean,
            y_squares=moments.y_squares,
            xy=None if isinstance(moments, ColumnMoments) else moments.Sxy.T,
            x_squares=moments.x_squares,
            x_mean=x_mean,
            y_mean=y_mean,
            rounding=getattr(moments, "rounding", float(np.finfo(np.float64).eps)),
        )

    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of these rows."""
        self.model.refuse_underflow()
        self.training.require(rows)
        self.weighting.require_same_count(rows, self.seen)
        params = self.least_squares.params
        expected = float(np.trace(self.factored("this").residual_scatter))
        rounding = self.training.rounding_of_losses(params, expected)
        rounding += self.training.rounding_of_squares(params, expected)
        self.training.require_objective(expected, objective.value(params), rounding)

    @functools.cached_property
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all."""
        fit = self.least_squares
        if not isinstance(fit, LeastSquares) or fit.row_space is None:
            return None
        names, precision = self.parameter_names, self.seen.epsilon
        return EstimableSpace(fit.row_space, fit.row_centre, names, self.n_targets, precision)

    @functools.cached_property
    def model(self) -> LinearModelInference:
        """The classical linear model. Raises if no matrix was formed."""
        names = self.parameter_names
        if self.params.ndim == 2:
            names = tuple(f"{target}:{name}" for target in self.targets for name in names)
        fit = self.factored("inference")
        return LinearModelInference(
            fit,
            self.rank,
            self.estimable,
            names,
            self.seen.n_present,
            self.weighting,
            self.log_weights,
        )

    def factored(self, wanted: str) -> LeastSquares:
        """The fit. Raises if it has not formed the matrix that ``wanted`` needs."""
        if not isinstance(self.least_squares, LeastSquares):
            raise InferenceError(
                f"{wanted} is not available: a matrix of {len(self.names)} features was not "
                "formed. Call hessian_vector_product(X, y, vector=…) with the training rows, or "
                "hessian(X, y) if it fits in memory; or fit with solver='normal'."
            )
        return self.least_squares

    @property
    def hessian(self) -> Array:
        """Hessian of the objective over the raveled parameters."""
        block = self.factored("hessian_").quadratic.hessian_of_one_target()
        if self.params.ndim == 1:
            return block
        refuse_large_covariance(self.params, "hessian_")
        return np.asarray(np.kron(np.eye(self.n_targets), block), dtype=np.float64)

    @functools.cached_property
    def singular(self) -> Array:
        """Singular values of the (centred, weighted) features, descending."""
        factor = self.factored("singular_").factor
        found = linalg.svdvals(factor) if self.rank else np.zeros(0)
        singular = np.zeros(min(self.seen.n_rows, self.seen.n_features))
        singular[: found.size] = found[: singular.size]
        return singular

    @property
    def condition_number(self) -> float:
        """Ratio of the extreme singular values; inf when the rank is not full."""
        if self.rank < len(self.names):
            return np.inf
        return float(self.singular[0] / self.singular[-1])

    @property
    def has_constant(self) -> bool:
        """Whether there is an intercept, or the features have a constant in their span."""
        return self.model.has_constant

    @property
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """Which features are known to be one in every row, shape (p,)."""
        training, left = self.training, getattr(self.least_squares.moments, "left_out", None)
        if left is not None:  # the moments are about zero, and hold no sums
            training = replace(training, x=left.x_sums, y=self.seen.total_weight * left.y_mean)
        return training.columns_of_ones

    @property
    def r_squared(self) -> float | Array:
        """R² of each target."""
        return self._by_target(self.model.r_squared)

    @property
    def adjusted_r_squared(self) -> float | Array:
        """R² of each target, with the squares divided by their degrees of freedom."""
        return self._by_target(self.model.adjusted_r_squared)

    @property
    def f_test(self) -> HypothesisTest:
        """Test that every slope is zero; of survey weights, Wald's with their errors."""
        if self.weighting.has_likelihood:
            return self.model.f_test
        self.refuse_several_targets("f_test_")
        return wald_of_slopes(self, self.estimate)

    @property
    def perfect_targets(self) -> tuple[str, ...]:
        """Names of the targets that are fitted perfectly, up to rounding."""
        saturated = self.seen.n_present <= self.rank + self.intercept
        perfect = np.ones(self.n_targets) if saturated else self.residuals_are_rounding
        return tuple(name for name, is_so in zip(self.targets, perfect, strict=True) if is_so)

    @property
    def residuals_are_rounding(self) -> Array:
        """Whether the residuals of each target are only rounding errors, shape (m,).

        Rounding errors are relative to the terms of ``y - x̃ᵀθ``.
        """
        fit = self.factored("this")
        moments, p = fit.moments, len(self.names)
        x_squares = moments.x_squares + moments.weight * moments.x_mean**2
        y_squares = moments.y_squares + moments.weight * moments.y_mean**2
        terms = np.sqrt(y_squares) + np.abs(fit.params[:, :p]) @ np.sqrt(x_squares)
        unit = RESIDUAL_ROUNDING * self.seen.epsilon
        # Of residuals in twice the working precision the sum may be negative by rounding.
        return np.diagonal(fit.residual_scatter) <= (unit * terms) ** 2

    @property
    def residual_squares(self) -> float:
        """``Σ wᵢrᵢ²`` of the one target."""
        return float(self.factored("this").residual_scatter[0, 0])

    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> Estimate:
        """All parameters, with a robust covariance from the training rows."""
        model = self.model
        self.refuse_saturated(self.rank + self.intercept)
        df, left = self.robust_freedom
        if robust.counts and robust.df_correction:
            df = min(robust.counts[:2]) - 1.0
        robust_model = self.robust_model()
        if robust.kind == "CR2":
            self.refuse_several_targets("kind='CR2'")
            count = robust.only_count("kind='CR2'")
            found, own = bias_reduced_covariance(robust_model, rows, count)
            of_each, space = own.of_each, self.estimable
            estimate = robust.of(found, self.params, model.names, of_each, left, space)
            return replace(estimate, satterthwaite=own)
        return robust.estimate(robust_model, rows, self.params, model.names, df, left)

    def robust_model(self, loss: UserLoss | None = None) -> LinearRobustModel:
        """The fit as robust covariances see it. Raises if the parameters are not determined."""
        return LinearRobustModel(self.model.whitening, self.least_squares.params, self.weighting)

    def with_rows(self, rows: Rows, loss: UserLoss | None = None) -> Self:
        """The record with what its kind of weights needs of the rows."""
        found = super().with_rows(rows, loss)
        return replace(found, log_weights=self.weighting.log_weights(rows))

    @property
    def robust_freedom(self) -> tuple[float, float]:
        """Degrees of freedom of robust errors, and the share of scores that a fit may leave."""
        return self.model.df, SCORE_ROUNDING

    def predictions(self, rows: Rows, kind: str) -> tuple[Array, Array]:
        """Predictions of the one target, and their standard errors.

        ``kind`` "mean" is of ``x̃ᵀθ`` itself, "observation" of a new observation there.
        """
        model = self.model
        variance = float(model.noise_covariance[0, 0])
        params, whitening = self.least_squares.params[0], model.whitening
        chosen = self._chosen_errors
        extra = 1.0 if kind == "observation" else 0.0
        root, of_mean = None, variance
        if not self.weighting.has_likelihood:
            robust_model = self.robust_model()
            root = require_scores(self.scores).root(robust_model.n_params, self.weighting)
            extra, of_mean = variance * extra, 1.0

        def errors_of(block: Any) -> Array:
            if chosen is not None:
                noise = variance if kind == "observation" else 0.0
                return np.sqrt(noise + chosen.of_one(block) ** 2)
            Z = whitening.of(block)
            if root is not None:
                Z = Z @ root
            return np.sqrt(of_mean * (extra + np.einsum("ij,ij->i", Z, Z)))

        def both(block: Any) -> Array:
            spread = errors_of(block)
            if (lost := whitening.without_errors(block)) is not None:
                spread[lost] = np.nan
            return np.column_stack([block.linear_predictor(params), spread])

        prediction, error = rows.map(both).T
        if self.estimable is not None:
            self.estimable.warn_of_rows(np.isnan(error))
        return prediction, error

    def prediction_quantiles(self, rows: Rows, level: float) -> float | Array:
        """Distance of the ends of intervals from predictions, in standard errors."""
        chosen = self._chosen_errors
        return self.estimate.quantile(level) if chosen is None else chosen.quantiles(rows, level)

    @property
    def _chosen_errors(self) -> PredictorErrors | None:
        if self.chosen is None:
            return None
        mean = self.model.whitening.mean
        return PredictorErrors.of(self.chosen, mean, intercept=self.intercept)

    def refuse_several_targets(self, what: str) -> None:
        """Raise if y had several targets: ``what`` is defined for one only."""
        if self.n_targets > 1:
            raise InferenceError(
                f"{what} is for one target, and y had {self.n_targets}; fit each separately."
            )

    def summary(self, estimate: Estimate, level: float) -> Summary:
        """Coefficients with their errors, tests and intervals, and how good the fit is."""
        model = self.model
        facts = {
            "observations": number(model.n_observations),
            "degrees of freedom": (
                number(estimate.df)
                if not isinstance(estimate.df, np.ndarray)
                else "Satterthwaite's, of each coefficient"
            ),
            "covariance": described(estimate),
            "intervals": coverage(level),
        } | self.facts_of_weights
        table, names = estimate.table(level), list(self.parameter_names)
        notes: tuple[str, ...] = ()
        perfect = self.residuals_are_rounding
        # A quotient by a rounding error is no number to read: as without any residual, it is inf.
        t = table[estimate.statistic_name]
        exact = np.repeat(perfect, len(names)) & (t.abs() > LARGEST_STATISTIC)
        table[estimate.statistic_name] = t.mask(exact, np.copysign(np.inf, t))
        if model.n_targets == 1:
            tables = {"": table}
            deviation = number(float(np.sqrt(model.noise_covariance[0, 0])))
            conclusions = {"residual deviation": deviation}
            conclusions["R²"] = number(float(model.r_squared[0]))
            varies = not np.isnan(model.r_squared[0])
            if varies:
                conclusions["adjusted R²"] = number(float(model.adjusted_r_squared[0]))
            if varies and model.n_slopes and not perfect.any():
                if estimate.kind == "nonrobust":
                    conclusions["F"] = in_words(model.f_test)
                overall, notes = overall_wald(self, estimate)
                conclusions |= overall
        else:
            P = len(names)
            tables = {
                target: table.iloc[k * P : (k + 1) * P].set_axis(names)
                for k, target in enumerate(self.targets)
            }
            conclusions = {"R²": ", ".join(map(number, model.r_squared))}
        name = self.weighting.likelihood_name
        conclusions |= {name: number(self.log_likelihood)} | self.criteria
        notes = (*estimate.notes, *notes)
        if perfect.any():
            which = "" if perfect.all() else f" of {', '.join(self.perfect_targets)}"
            notes = (*notes, note_of_perfect_fit(which))
        return Summary("Linear regression", facts, tables, conclusions, notes)

    def _by_target(self, values: Array) -> float | Array:
        return float(values[0]) if self.params.ndim == 1 else values
