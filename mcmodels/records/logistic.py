"""The results of a fit of LogisticRegression: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Labels
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.estimate import Estimate, coverage
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.logistic_model import (
    BinaryRobustModel,
    LogisticModelInference,
    MulticlassRobustModel,
)
from mcmodels.inference.robust import RobustModel
from mcmodels.inference.summary import Summary, number, short
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind, described
from mcmodels.records.curvature import CurvatureFit
from mcmodels.records.overall import in_words, overall_wald
from mcmodels.rows import Rows
from mcmodels.solvers.coordinates import InnerCurvature
from mcmodels.solvers.fit_state import Placed

__all__ = ["LogisticFit"]


@dataclass(frozen=True, kw_only=True)
class LogisticFit(CurvatureFit):
    """A logistic fit.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels of the classes.
    class_totals : ndarray of shape (n_classes,)
        Total weight of the rows of each class.
    class_factors : dict
        The factors by which ``class_weight`` multiplies the weights of the rows of each class.
    null_of_offset : float or None
        Log-likelihood of intercepts alone beside the offset, where there is one.
    given_C : float or None
        C as it was given; None where it was chosen, or given for each group of columns.
    """

    classes: Labels
    class_totals: Array
    class_factors: dict[Any, float]
    null_of_offset: float | None = None
    given_C: float | None = None

    _penalty_name, _penalty_sign = "C", -1.0

    @property
    def C(self) -> Any:
        """C: a number, or a dict by the names of groups."""
        if self.tuned is not None:
            return self.tuned.shown(np.exp(-self.tuned.log_alphas))
        if self.given is not None:
            return self.given.shown
        return self.given_C if self.given_C is not None else float(np.divide(1.0, self.penalty))

    @property
    def n_iter_array(self) -> npt.NDArray[np.int32]:
        """Number of steps, with shape (1,) as in scikit-learn's LogisticRegression."""
        return np.array([self.n_iter], dtype=np.int32)

    @functools.cached_property
    def model(self) -> LogisticModelInference:
        """Inference from the Hessian. Raises if the Hessian was not formed."""
        return LogisticModelInference(
            **self._of_model,
            class_weights=self.class_totals,
            classes=tuple(map(str, self.classes)),
            null_of_offset=self.null_of_offset,
            n_present=self.seen.n_present,
        )

    @property
    def null_log_likelihood(self) -> float:
        """Log-likelihood without slopes: of the shares of the classes, or beside the offset."""
        return self.model.null_log_likelihood

    @property
    def null_deviance(self) -> float:
        """``-2ℓ`` of two classes without slopes; without an intercept of probabilities 1/2."""
        if self.intercept:
            return np.nan if np.isnan(self.null_of_offset or 0.0) else -2 * self.null_log_likelihood
        if self.null_of_offset is not None:  # that of an intercept alone
            return np.nan
        return 2.0 * float(np.log(2.0)) * float(self.class_totals.sum())

    @property
    def mcfadden_r_squared(self) -> float:
        """``1 - ℓ/ℓ₀``."""
        return self.model.mcfadden_r_squared

    @property
    def likelihood_ratio_test(self) -> HypothesisTest:
        """Test that every slope is zero."""
        return self.model.likelihood_ratio_test

    def at_maximum(self, what: str) -> LogisticModelInference:
        """The inference. Raises if the fit is penalised: ``what`` needs the maximum likelihood."""
        self.model.refuse_penalised(what)
        return self.model

    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> Estimate:
        """All parameters, with a robust covariance from the training rows."""
        if robust.kind == "expected":
            return self._expected_estimate(rows)
        names = self.model.parameter_names
        return robust.estimate(self.robust_model(), rows, self.params, names, *self.robust_freedom)

    def robust_model(self, loss: UserLoss | None = None) -> RobustModel:
        """The fit as robust covariances see it. Raises if the parameters are not determined."""
        if self.params.ndim == 1:
            return BinaryRobustModel(self.model.whitening, self.params, self.weighting)
        return MulticlassRobustModel.of(self.model)

    def _expected_estimate(self, rows: Rows) -> Estimate:
        """All parameters, with the inverse of the information, which is the Hessian of the loss."""
        loss = BinaryCrossEntropy() if self.params.ndim == 1 else SoftmaxCrossEntropy()
        objective, inner = LinearPredictorObjective(rows, loss), None
        if self.inner is not None:
            placed = Placed(objective, self.inner.coordinates)
            information = placed.inner.hessian(placed.from_users(self.params))
            inner = InnerCurvature(information, self.inner.coordinates)
        hessian = objective.hessian(self.params)
        return replace(self.model, hessian=hessian, inner=inner).estimate_of_kind("expected")

    def reported(self, estimate: Estimate, reference: object = None) -> Estimate:
        """What the data determine: with more than two classes, differences from a reference."""
        if len(self.classes) > 2:
            return self.model.contrasts(estimate, self.position(reference))
        self.refuse_other_references(reference)
        return estimate

    @property
    def ratio_name(self) -> str:
        """What exp of the coefficients are."""
        return "odds ratios" if len(self.classes) == 2 else "relative risk ratios"

    def refuse_other_references(self, reference: object) -> None:
        """Raise if a class of two is not the first, which the log-odds are against."""
        if reference is not None and self.position(reference) != 0:
            raise ValueError(
                f"reference={example_of(reference)}; with two classes the log-odds are of "
                f"{self.classes[1]!s} against {self.classes[0]!s}."
            )

    def position(self, reference: object) -> int:
        """Position of the class ``reference`` among the classes."""
        if reference is None:
            return 0
        scalar = not hasattr(reference, "__len__") or isinstance(reference, str)
        found = np.flatnonzero(self.classes == reference) if scalar else np.zeros(0, dtype=int)
        if found.size != 1:
            raise ValueError(
                f"reference={example_of(reference)} is not a class; there are "
                f"{self.classes.tolist()}."
            )
        return int(found[0])

    def refuse_several_classes(self, what: str) -> None:
        """Raise if there are more than two classes: ``what`` is defined for two only."""
        if len(self.classes) > 2:
            raise InferenceError(
                f"{what} is for two classes, and there are {len(self.classes)}; fit "
                "a model to two of them."
            )

    def summary(
        self, estimate: Estimate, level: float, reference: object, p_values: bool | None
    ) -> Summary:
        """Coefficients with their errors, tests and intervals, and how good the fit is."""
        model = self.model
        identified = self.reported(estimate, reference)
        shown = not model.is_penalised if p_values is None else bool(p_values)
        table = identified.table(level, p_values=shown)
        facts = {
            "observations": number(model.n_observations),
            "covariance": described(estimate),
            "intervals": coverage(level),
        } | self.facts_of_weights
        names = list(self.parameter_names)
        if len(self.classes) == 2:
            against, of = (short(label) for label in self.classes)
            facts["log-odds of"] = f"{of} against {against}"
            tables = {"": table}
        else:
            base = self.position(reference)
            facts["log-odds against"] = short(self.classes[base], 80)
            others = [label for k, label in enumerate(self.classes.tolist()) if k != base]
            P = len(names)
            tables = {
                label: table.iloc[k * P : (k + 1) * P].set_axis(names)
                for k, label in enumerate(others)
            }
        has_null = self.null_of_offset is None or np.isfinite(self.null_of_offset)
        conclusions = {
            self.weighting.likelihood_name: number(model.log_likelihood),
            "null log-likelihood": number(model.null_log_likelihood) if has_null else "not found",
        }
        if self.log_prior is not None:
            facts["prior"] = "Jeffreys: log det I / 2"
            conclusions["penalised log-likelihood"] = number(-self.objective)
        notes = identified.notes
        if model.is_penalised:
            facts["penalty"] = f"|coefficients|²/(2C), {self._penalty_in_words}"
            posterior = (
                "standard errors and intervals are those of a normal approximation to the "
                "posterior under a normal prior of variance C, and their coverage is not that of "
                "maximum likelihood (C=np.inf)."
            )
            shrunk = "intervals are centred at coefficients that are shrunk towards zero."
            notes = (
                *notes,
                f"The fit is penalised: {posterior if estimate.kind == 'Laplace' else shrunk}",
                *self.notes_on_the_choice,
            )
        elif self.log_prior is None:
            if has_null:
                conclusions["McFadden's R²"] = number(model.mcfadden_r_squared)
            if has_null and model.intercept and self.rank and estimate.kind == "nonrobust":
                conclusions["likelihood ratio"] = in_words(model.likelihood_ratio_test)
            conclusions |= self.criteria
        if shown:
            overall, of_overall = overall_wald(self, identified)
            conclusions |= overall
            notes = (*notes, *of_overall)
        return Summary(
            "Logistic regression", facts, tables, conclusions, (*notes, *self.notes_on_the_end())
        )
