"""The results of a fit of ObjectiveRegressor or ObjectiveClassifier: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate, coverage
from mcmodels.inference.loss_model import (
    LossModelInference,
    LossRobustModel,
    warn_of_few_curved_rows,
)
from mcmodels.inference.summary import Summary, number
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind, described
from mcmodels.records.curvature import CurvatureFit
from mcmodels.rows import Rows

__all__ = ["LossFit"]


@dataclass(frozen=True, kw_only=True)
class LossFit(CurvatureFit):
    """A fit of a loss that the user has written.

    Parameters
    ----------
    is_likelihood : bool
        Whether the user has declared the loss a negative log-likelihood up to terms without η.
    loss : Expression, str or callable
        The loss, as the user has given it.
    estimator_name, loss_text : str
        Name of the estimator, and the loss in words.
    l1 : float, default=0.0
        Strength of the penalty on absolute values of the coefficients.
    convexity : {"convex", "not convex", "unknown"}, default="unknown"
        What is known of the loss.
    """

    is_likelihood: bool
    loss: Any
    estimator_name: str
    loss_text: str
    l1: float = 0.0
    convexity: str = "unknown"

    @functools.cached_property
    def model(self) -> LossModelInference:
        """Inference from the Hessian. Raises if the Hessian was not formed."""
        return LossModelInference(**self._of_model)

    @property
    def _of_model(self) -> dict[str, Any]:
        return super()._of_model | {
            "n_observations": self.weighting.count_of(self.seen),
            "is_likelihood": self.is_likelihood,
            "l1": self.l1,
        }

    @property
    def log_likelihood(self) -> float:
        """Minus the sum of the losses. Raises if the loss is no negative log-likelihood."""
        self.model.refuse_other_losses("a log-likelihood", "")
        return self.model.log_likelihood

    def at_maximum(self, what: str) -> NoReturn:
        """Raises: the log-likelihood is known only up to terms without η."""
        self.model.refuse_other_losses(what, "")
        raise InferenceError(
            f"{what} needs all of the log-likelihood; a loss gives it only up to terms without "
            "eta. Compare fits of the same loss to the same rows: by "
            "likelihood_ratio_test(small, big), or by differences of "
            "-2 log_likelihood_ + 2 n_free_params_."
        )

    def refuse_without_likelihood(self, what: str) -> None:
        """Raise also if the user has not declared the loss a likelihood."""
        self.model.refuse_other_losses(what, "")
        super().refuse_without_likelihood(what)

    @property
    def model_estimate(self) -> Estimate:
        """All parameters, with the inverse Hessian as covariance, if the loss is a likelihood."""
        if self.l1:  # no declaration of the loss gives such a fit errors
            self.model.refuse_undetermined()
        self.model.refuse_other_losses(
            "the inverse of the Hessian as a covariance",
            "; else pass the training rows and a robust kind, as in covariance(X, y, kind='HC0')",
        )
        return self.model.estimate

    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> Estimate:
        """All parameters, with a robust covariance from the training rows."""
        if not self.penalty:
            self.refuse_saturated(self._n_by_rank)
        robust_model = self.robust_model(loss)
        self._warn_of_few_curved_rows(rows, loss)
        names = self.model.names
        return robust.estimate(robust_model, rows, self.params, names, *self.robust_freedom)

    def with_rows(self, rows: Rows, loss: UserLoss | None = None) -> Self:
        """The record with what its kind of weights needs of the rows; warns as robust errors do."""
        found = super().with_rows(rows, loss)
        if found.scores is not None:
            found._warn_of_few_curved_rows(rows, loss)
        return found

    def _warn_of_few_curved_rows(self, rows: Rows, loss: Any) -> None:
        warn_of_few_curved_rows(self.robust_model(loss), rows)

    def robust_model(self, loss: UserLoss | None = None) -> LossRobustModel:
        """The fit as robust covariances see it; residuals of rows need the loss."""
        return LossRobustModel(self.model.whitening, self.params, self.weighting, loss)

    def summary(self, estimate: Estimate, level: float, p_values: bool | None) -> Summary:
        """Coefficients with their errors, tests and intervals."""
        model = self.model
        shown = not model.penalty if p_values is None else bool(p_values)
        facts = {
            "observations": number(model.n_observations),
            "covariance": described(estimate),
            "intervals": coverage(level),
            "loss": self.loss_text,
        } | self.facts_of_weights
        conclusions = {"sum of losses": number(-model.log_likelihood)}
        if self.converged and self.convexity == "convex":
            conclusions["minimum"] = "global: the loss is convex"
        notes = (*estimate.notes, *self.said_of_penalty(facts))
        table = estimate.table(level, p_values=shown)
        return Summary(
            self.estimator_name, facts, {"": table}, conclusions, (*notes, *self.notes_on_the_end())
        )
