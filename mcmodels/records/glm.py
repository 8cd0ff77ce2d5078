"""The results of a generalized linear model: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate, coverage
from mcmodels.inference.glm_model import GlmInference, GlmSums, log_likelihood
from mcmodels.inference.loss_model import LossRobustModel
from mcmodels.inference.null_deviance import null_deviance
from mcmodels.inference.robust import HC_KINDS
from mcmodels.inference.summary import Summary, number
from mcmodels.inference.tolerances import LARGEST_STATISTIC, RESIDUAL_ROUNDING, WEIGHT_ROUNDING
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.families import Binomial, NegativeBinomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind, described
from mcmodels.records.curvature import CurvatureFit
from mcmodels.records.overall import overall_wald
from mcmodels.records.record import note_of_perfect_fit
from mcmodels.rows import Rows, RowsOfOutcomes, RowsWithCrossSums
from mcmodels.solvers import Solution
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.theta import ThetaDerivatives, theta_derivatives

__all__ = ["GlmFit"]

# A perfect fit whose steps have ended early leaves residuals that one more step would remove: their
# squares are then as large as what that step would change.
_STEPS_LEFT = 4.0
_SUMS = {"pearson": "Pearson's χ²", "deviance": "deviance"}


@dataclass(frozen=True, kw_only=True)
class GlmFit(CurvatureFit):
    """A fit of a generalized linear model.

    Parameters
    ----------
    loss : FamilyLoss
        Family and link.
    dispersion : float
        φ; NaN where it cannot be estimated.
    dispersion_text : str
        Where φ is from.
    df : float
        Degrees of freedom of φ; infinite where it is known.
    sums : GlmSums
        Deviance, Pearson's sum, and log-likelihood.
    theta_derivatives : ThetaDerivatives or None
        Derivatives in θ of negative binomial targets, where it was estimated.
    is_limit : bool
        Whether θ was estimated, and is zero: the family is Poisson's.
    """

    loss: FamilyLoss
    dispersion: float
    dispersion_text: str
    df: float
    sums: GlmSums
    theta_derivatives: ThetaDerivatives | None
    is_limit: bool

    @classmethod
    def of_rows(
        cls,
        solution: Solution[Optimum],
        rows: RowsWithCrossSums,
        *,
        loss: FamilyLoss,
        dispersion: str | float,
        theta_is_estimated: bool,
        weighting: Weighting,
        **of_the_fit: Any,
    ) -> GlmFit:
        """The record of a solution, with what one or two more passes over the rows say of it.

        ``dispersion`` is the parameter of the estimator, and ``weighting`` says what the weights
        are; the other arguments are those of
        :meth:`CurvatureFit.of`.
        """
        params, family = solution.value.params, loss.family
        n, total_weight = weighting.count_of(rows), rows.total_weight
        if dispersion == "auto":
            dispersion = "pearson" if family.has_dispersion else 1.0
        by_deviance = family.name == "normal"
        known = None if isinstance(dispersion, str) or by_deviance else float(dispersion)
        sums = GlmSums.of(rows, loss, params, known, weighting)
        left = n - solution.rank - rows.intercept
        if isinstance(dispersion, str):
            total = sums.pearson if dispersion == "pearson" else sums.deviance
            unit = weighting.relative(total_weight, rows.n_present)
            phi = unit * total / left if left > WEIGHT_ROUNDING * n else np.nan
            by = "" if weighting.has_likelihood else "by the mean weight "
            text, df = f"{_SUMS[dispersion]} {by}/ {left:g} degrees of freedom", left
        else:
            phi, text, df = float(dispersion), "given", np.inf
        if known is None:
            times = weighting.count_in_likelihood(total_weight, rows.n_present)
            of_likelihood = sums.deviance / times if by_deviance else phi
            likelihood = log_likelihood(rows, family, sums.deviance, of_likelihood, weighting)
            sums = replace(sums, log_likelihood=likelihood)
        return cls.of(
            solution,
            rows,
            targets=("y",),
            is_classes=False,
            loss=loss,
            dispersion=phi,
            dispersion_text=text,
            df=df,
            sums=sums,
            theta_derivatives=(
                theta_derivatives(rows, family.theta, loss.link, params)
                if theta_is_estimated and isinstance(family, NegativeBinomial)
                else None
            ),
            is_limit=theta_is_estimated and not isinstance(family, NegativeBinomial),
            weighting=weighting,
            **of_the_fit,
        ).with_rows(rows, UserLoss(loss))

    @functools.cached_property
    def model(self) -> GlmInference:
        """Inference from the Hessian. Raises if the Hessian was not formed."""
        return GlmInference(
            **self._of_model,
            n_observations=self.weighting.count_of(self.seen),
            family=self.loss.family,
            dispersion=self.dispersion,
            df=self.df,
            known_log_likelihood=self.sums.log_likelihood,
            theta=self.theta_derivatives,
        )

    @property
    def theta(self) -> float:
        """θ of negative binomial targets, given or estimated; 0 for the limit, Poisson's."""
        family = self.loss.family
        if isinstance(family, NegativeBinomial):
            return family.theta
        if self.is_limit:
            return 0.0
        raise InferenceError("theta_ is that of family='negative_binomial'.")

    @property
    def theta_standard_error(self) -> float:
        """Standard error of an estimated θ."""
        if self.is_limit:
            raise InferenceError(
                "theta_ is 0, the border of its range: the counts are not more dispersed than "
                "Poisson's, and there is no standard error there. The fit is Poisson's."
            )
        if self.theta_derivatives is None:
            raise InferenceError(
                "theta was not estimated: fit with family='negative_binomial', theta='estimate'."
            )
        return float(np.sqrt(self.model.theta_variance))

    @property
    def compared_log_likelihood(self) -> float | None:
        """``-D/(2φ)``, which differs by a constant alone; None where θ is another in each fit."""
        return None if self.likelihood_family != self.loss else -self.deviance / self.dispersion / 2

    @property
    def likelihood_family(self) -> Any:
        """What must be the same for likelihoods to be compared."""
        if self.theta_derivatives is not None or self.is_limit:
            return "negative binomial, θ estimated", self.loss.link
        return self.loss

    @property
    def deviance(self) -> float:
        """``Σ wᵢ d(yᵢ, μᵢ)``."""
        return self.sums.deviance

    @property
    def pearson_chi2(self) -> float:
        """``Σ wᵢ (yᵢ - μᵢ)²/V(μᵢ)``."""
        return self.sums.pearson

    @functools.cached_property
    def residuals_are_rounding(self) -> bool:
        """Whether an estimated dispersion is that of rounding errors, or of steps not taken.

        Rounding errors of residuals are relative to y and to the terms of η; the steps of Newton's
        method end where what they would still change is small, but need not be zero.
        """
        if not np.isfinite([self.df, self.dispersion]).all() or self.undetermined:
            return False
        size = self.training.size_of_predictors(self.params)
        terms = np.sqrt(self.sums.targets) + size * np.sqrt(self.sums.slopes)
        rounding = (RESIDUAL_ROUNDING * self.seen.epsilon * terms) ** 2
        return bool(self.sums.pearson <= max(rounding, _STEPS_LEFT * self.left_to_gain))

    @property
    def perfect_targets(self) -> tuple[str, ...]:
        """Names of the targets that are fitted perfectly, up to rounding."""
        return ("y",) if self.residuals_are_rounding else ()

    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> Estimate:
        """All parameters, with a robust covariance from the training rows."""
        model = self.model
        if robust.kind == "expected":
            return model.expected_estimate(rows, self.loss)
        if not self.is_penalised:
            self.refuse_saturated(self.rank + self.intercept)
        if robust.kind in HC_KINDS and self.counts_trials:
            rows = RowsOfOutcomes(rows)
        robust_model, names = self.robust_model(), model.names
        return robust.estimate(robust_model, rows, self.params, names, *self.robust_freedom)

    @property
    def counts_trials(self) -> bool:
        """Whether weights are trials of proportions, each of them a row of its own."""
        counted = self.weighting is Weighting.FREQUENCY and np.isinf(self.df)
        return bool(counted and isinstance(self.loss.family, Binomial))

    def robust_model(self, loss: UserLoss | None = None) -> LossRobustModel:
        """The fit as robust covariances see it. Raises if the parameters are not determined."""
        own = UserLoss(self.loss)
        return LossRobustModel(self.model.whitening, self.params, self.weighting, own)

    @property
    def likelihood_scale(self) -> tuple[float, float]:
        """The dispersion, and its degrees of freedom."""
        return self.dispersion, self.df

    def refuse_without_likelihood(self, what: str) -> None:
        """Raise also where the dispersion could not be estimated."""
        super().refuse_without_likelihood(what)
        self.model.refuse_without_dispersion()
        if self.theta_derivatives is not None:
            raise InferenceError(
                f"{what} would need theta to be estimated anew at each point; fit with "
                f"theta={self.theta:g} to hold it, or compare fits by "
                "likelihood_ratio_test(small, big)."
            )

    def at_maximum(self, what: str) -> GlmInference:
        """The inference. Raises if the fit is penalised."""
        self.model.refuse_penalised(what)
        self.model.refuse_undetermined()
        return self.model

    @property
    def null_deviance(self) -> float:
        """The deviance without slopes; NaN beside an offset, or where the sums do not tell it."""
        training = self.training
        if training.offset is not None or training.y is None:
            return np.nan
        coefficients = self.params * (np.arange(len(self.params)) < len(self.names))
        kernel = self.objective - half_squares(self.penalty, coefficients)
        return null_deviance(
            self.loss,
            self.deviance,
            kernel + (self.log_prior or 0.0),
            float(training.y[0]),
            self.seen.total_weight,
            intercept=self.intercept,
        )

    @property
    def ratio_name(self) -> str:
        """What exp of the coefficients are; raises for links that are no logarithm."""
        family, link = self.loss.family, self.loss.link.name
        if link == "logit":
            return "odds ratios"
        if link != "log":
            raise ValueError(
                f"exponentiate=True is for the links log and logit, and the fit has link={link!r}: "
                "exp of its coefficients are no ratios of means or odds."
            )
        if isinstance(family, Binomial):
            return "risk ratios"
        counts = isinstance(family, NegativeBinomial) or getattr(family, "power", 0.0) == 1.0
        return "rate ratios" if counts else "ratios of means"

    def summary(self, estimate: Estimate, level: float, p_values: bool | None) -> Summary:
        """Coefficients with their errors, tests and intervals."""
        model = self.model
        shown = not model.is_penalised if p_values is None else bool(p_values)
        facts = {
            "family": self.loss.family.description,
            "link": self.loss.link.name,
            "observations": number(model.n_observations),
            "covariance": described(estimate),
            "intervals": coverage(level),
        } | self.facts_of_weights
        dispersion = number(self.dispersion) if np.isfinite(self.dispersion) else "unknown"
        conclusions = {}
        if self.is_limit:
            conclusions["theta"] = "0 (Poisson's, the limit)"
        if self.theta_derivatives is not None:
            conclusions["theta"] = number(self.theta)
            if self.weighting.has_likelihood:
                error = number(self.theta_standard_error)
                conclusions["theta"] += f" (standard error {error})"
        conclusions |= {
            "dispersion": f"{dispersion} ({self.dispersion_text})",
            "deviance": number(self.deviance),
            "Pearson χ²": number(self.pearson_chi2),
        }
        if not self.is_penalised and np.isfinite(self.sums.log_likelihood):
            conclusions |= {self.weighting.likelihood_name: number(model.log_likelihood)}
        if self.log_prior is not None:
            facts["prior"] = "Jeffreys: φ/2 log det I"
        elif not self.is_penalised and np.isfinite(self.sums.log_likelihood):
            conclusions |= self.criteria
        notes = (*estimate.notes, *self.said_of_penalty(facts))
        table = estimate.table(level, p_values=shown)
        if shown and not self.residuals_are_rounding:
            overall, of_overall = overall_wald(self, estimate)
            conclusions |= overall
            notes = (*notes, *of_overall)
        if self.residuals_are_rounding:
            notes = (*notes, note_of_perfect_fit())
            # A quotient by a rounding error is no number to read: as without residuals, it is inf.
            for name in table.columns.intersection([estimate.statistic_name]):
                exact = table[name].abs() > LARGEST_STATISTIC
                table[name] = table[name].mask(exact, np.copysign(np.inf, table[name]))
        return Summary(
            "Generalized linear model",
            facts,
            {"": table},
            conclusions,
            (*notes, *self.notes_on_the_end()),
        )
