"""The results of a fit of QuantileRegressor: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate, coverage
from mcmodels.inference.predictor_errors import PredictorErrors
from mcmodels.inference.quantile_model import QuantileErrors
from mcmodels.inference.summary import Summary, number
from mcmodels.objectives import Objective
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind, described
from mcmodels.records.record import ParameterFit, digest
from mcmodels.rows import Rows, Seen
from mcmodels.solvers import Solution
from mcmodels.solvers.pseudoinverse import RowSpace
from mcmodels.solvers.quantile import QuantileOptimum

__all__ = ["QuantileFit"]


@dataclass(frozen=True, kw_only=True)
class QuantileFit(ParameterFit):
    """A fit of quantile regression.

    Parameters
    ----------
    quantile : float
        τ.
    objective, bound : float
        The least sum of losses, and the bound by the dual that proves it.
    has_others : bool
        Whether another minimiser was found.
    errors : QuantileErrors
        What covariances need of the rows.
    row_space : RowSpace or None
        The span of the rows about ``row_centre``, where columns depend on each other.
    row_centre : ndarray of shape (p,), or None
        The mean of the rows; None without an intercept.
    """

    quantile: float
    objective: float
    bound: float
    has_others: bool
    errors: QuantileErrors
    row_space: RowSpace | None
    row_centre: Array | None

    @classmethod
    def of(
        cls,
        solution: Solution[QuantileOptimum],
        rows: Rows,
        quantile: float,
        names: tuple[str, ...],
        coefficients: tuple[Any, ...],
    ) -> Self:
        """The record of a solution; ``coefficients`` as they will be published."""
        found = solution.value
        return cls(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=names,
            seen=Seen.of(rows),
            digest=digest(coefficients),
            params=found.params,
            intercept=rows.intercept,
            undetermined="",
            quantile=quantile,
            objective=found.objective,
            bound=found.bound,
            has_others=found.has_others,
            errors=QuantileErrors.of(found, quantile),
            row_space=found.row_space,
            row_centre=found.row_centre,
        )

    @property
    def status_text(self) -> str:
        """How the solver ended, and whether another minimiser was found."""
        return f"{self.status}, not unique" if self.has_others else str(self.status)

    @functools.cached_property
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all."""
        if self.row_space is None:
            return None
        names, precision = self.parameter_names, self.seen.epsilon
        return EstimableSpace(self.row_space, self.row_centre, names, 1, precision)

    @property
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """None is known."""
        return np.zeros(len(self.names), dtype=bool)

    @property
    def n_observations(self) -> float:
        """The sum of the weights."""
        return self.errors.n

    @property
    def n_free_params(self) -> int:
        """Parameters that the data determine."""
        return int(self.errors.root.shape[1])

    @property
    def pseudo_r_squared(self) -> float:
        """One minus the objective over that of the quantile of y alone; NaN where that is zero.

        Source: Koenker and Machado (1999), *Goodness of fit and related inference processes for
        quantile regression*, JASA 94(448).
        """
        null = self.errors.null_loss
        return 1.0 - self.objective / null if null > 0 else np.nan

    @property
    def model_estimate(self) -> Estimate:
        """All parameters, with the robust covariance."""
        return self.estimate_by("robust", "epa", "hsheather")

    def estimate_by(self, kind: str, kernel: str, bandwidth: str) -> Estimate:
        """All parameters, with the covariance of this kind and density."""
        root = self.errors.covariance_root(kind, kernel, bandwidth)
        df = self.n_observations - self.n_free_params
        said = f"{kind} ({kernel}, {bandwidth})"
        found = Estimate.of_root(self.params, root, self.parameter_names, df, said)
        return found.within(self.estimable)

    def prediction_errors(self, rows: Rows, estimate: Estimate) -> Array:
        """Standard errors of the estimated quantiles of rows; NaN where they are not determined."""
        centre = np.zeros(len(self.names)) if self.row_centre is None else self.row_centre
        of_parameters = PredictorErrors.of(estimate, centre, intercept=self.intercept)
        errors = rows.map(of_parameters.of_one)
        if (space := self.estimable) is not None:
            lost = rows.map(lambda block: space.contains(block).astype(np.float64)) == 0.0
            space.warn_of_rows(lost)
            errors[lost] = np.nan
        return errors

    @property
    def model(self) -> NoReturn:
        """Refused: there is no likelihood."""
        raise InferenceError(
            "quantile regression has no likelihood, so that there is no log-likelihood, AIC or "
            "BIC; pseudo_r_squared_ and score(X, y) compare fits."
        )

    @property
    def training(self) -> NoReturn:
        """Refused, as :attr:`model`: tests of nested models compare likelihoods by these sums."""
        raise InferenceError(
            "quantile regression has no likelihood, so that nested fits have no likelihood-ratio "
            "test; call wald_test of the larger model."
        )

    def robust_model(self, loss: UserLoss | None = None) -> NoReturn:
        """Refused, as are all covariances of scores."""
        raise InferenceError(
            "covariances of quantile regression come from the density of residuals: kind='robust' "
            "or 'iid', without rows."
        )

    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> NoReturn:
        """Refused, as :meth:`robust_model`."""
        self.robust_model()

    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows whose objective at the parameters is another than that of the fit."""
        found = objective.value(self.params)
        if abs(found - self.objective) > 1e-8 * max(found, self.objective):
            raise ValueError(
                f"the objective of these rows is {found:g}, that of the fit was "
                f"{self.objective:g}; pass the training rows."
            )

    def summary(self, estimate: Estimate, level: float) -> Summary:
        """Coefficients with their errors, tests and intervals."""
        facts = {
            "observations": number(self.n_observations),
            "quantile": number(self.quantile),
            "covariance": described(estimate),
            "intervals": coverage(level),
        }
        conclusions = {
            "sum of losses": number(self.objective),
            "pseudo R²": number(self.pseudo_r_squared),
        }
        notes = estimate.notes
        if self.has_others:
            notes += ("Other coefficients have the same sum of losses: the fit is one of them.",)
        if not self.converged:
            notes += (f"The fit ended as {self.status_text!r}.",)
        table = estimate.table(level)
        return Summary("QuantileRegressor", facts, {"": table}, conclusions, notes)
