"""The rows of a generalized linear model: checked, with offsets, and their objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.family_choice import ESTIMATE, chosen_loss, refuse_wrong_targets
from mcmodels.estimators.offset_methods import OffsetRows
from mcmodels.estimators.offsets import checked_offset
from mcmodels.estimators.parts import rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.estimators.streams import checked_rows
from mcmodels.estimators.tuned_attributes import TunedAttributes
from mcmodels.estimators.validation import Features
from mcmodels.estimators.weighting import weighting_of
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives import Objective
from mcmodels.objectives.expected_weights import ExpectedWeights
from mcmodels.objectives.families import Family, NegativeBinomial
from mcmodels.objectives.family_loss import ExpectedInformation, FamilyLoss
from mcmodels.objectives.jeffreys import Prior
from mcmodels.objectives.links import Link
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows, RowStream
from mcmodels.solvers import Status
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.family_starts import family_start
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.profile import Information
from mcmodels.solvers.refits import MAX_STEPS, PRECISE, Held

__all__ = ["OF_STREAMS", "GlmObjective", "GlmRows", "TargetsOfBlock"]

# What is minimised without Jeffreys' prior, and with it.
GlmObjective = UserObjective | PenalisedByInformation
OF_STREAMS: dict[str, Any] = {"multi_output": False, "y_numeric": True}


class GlmRows(TunedAttributes, OffsetRows):
    """What the methods of a generalized linear model need of rows."""

    _offset_names = ("offset", "exposure")

    family: str
    link: str
    alpha: float | str | Mapping[str, float]
    power: float
    theta: float | str
    prior: str | None
    dispersion: str | float
    weights: str

    # Of a copy that checks blocks: the link of the fit, which the parameters need not have now.
    _link_of_fit: Link | None = None

    def _added(self, X: Any, **offsets: Any) -> Array | None:
        link = self._link_of_fit or self._loss().link
        return checked_offset(X, offsets["offset"], offsets["exposure"], link)

    def _checker(self) -> Self:
        checker = super()._checker()
        checker._link_of_fit = self._loss().link
        return checker

    def _loss(self) -> FamilyLoss:
        """The loss of the fit; that of the parameters where coefficients were assigned."""
        if self._fit is not None:
            return self._fit.loss
        return chosen_loss(self.family, self.link, self.power, self.theta)

    def _objective_of(self, rows: Rows) -> Objective:
        return self._objective_over(rows, self._loss())

    def _objective_over(
        self, rows: Rows, loss: FamilyLoss, features: Features | None = None
    ) -> GlmObjective:
        """The objective that the parameters of the estimator ask for.

        ``features`` are the columns of the rows; by default those of the fit.
        """
        if self.prior is None:
            penalty = self._stated_penalty("alpha", rows, features)
            return UserObjective(rows, UserLoss(loss), penalty)
        return PenalisedByInformation(rows, UserLoss(loss), self._prior(loss))

    def _prior(self, loss: FamilyLoss) -> Prior:
        """Jeffreys' prior, given φ; where φ is not given the prior is flat, or φ is one."""
        given = not isinstance(self.dispersion, str)
        return Prior(ExpectedWeights(loss), float(self.dispersion) if given else 1.0)

    def _refuse_other_priors(self, loss: FamilyLoss) -> None:
        """Refuse what Jeffreys' prior does not go with."""
        if self.prior is None:
            return
        check_choice("prior", self.prior, ("jeffreys",))
        if isinstance(self.alpha, str | Mapping) or self.alpha > 0:
            raise ValueError(
                f"alpha={self.alpha!r} was given with prior='jeffreys': these are two priors. "
                "Leave one out."
            )
        if self.theta == ESTIMATE and isinstance(loss.family, NegativeBinomial):
            raise ValueError(
                "theta='estimate' was given with prior='jeffreys', which is that of the "
                "coefficients for a known theta. Give theta a number."
            )
        estimated = self.dispersion != "auto" or loss.family.has_dispersion
        if isinstance(self.dispersion, str) and estimated:
            if ExpectedWeights(loss).is_constant:
                return
            raise ValueError(
                f"dispersion={self.dispersion!r} is estimated with family={loss.family.name!r}, "
                "and prior='jeffreys' is that of the coefficients for a known dispersion, which "
                "says how much it counts. Give dispersion a number, that of a fit without the "
                "prior, say."
            )

    @property
    def _is_convex(self) -> bool:
        return self._loss().is_convex and self._record().log_prior is None

    def _fit_held(self, rows: Rows, start: Array) -> Held:
        loss = self._loss()
        objective = UserObjective(rows, UserLoss(loss), self._fit.penalty)
        is_bounded = bool(np.isfinite(loss.domain).any())
        first: Array | None = start
        if not np.isfinite(objective.value(start)):
            first = family_start(objective, loss)
        if first is None:
            return Held(np.inf if is_bounded else np.nan)
        *_, step = fit_within_bounds(objective, loss, first, tol=PRECISE, max_iter=MAX_STEPS)
        if step.status is Status.UNBOUNDED:
            return Held(np.nan)
        least = objective.value(step.params)
        if step.status is Status.NOT_CONVERGED:  # at the bounds of the link it is approached
            return Held(least if is_bounded else np.nan)
        return Held(least, step.params)

    @property
    def _information(self) -> Information:
        loss = UserLoss(ExpectedInformation(self._loss()))
        return lambda objective: UserObjective(objective.rows, loss)

    def _objective_of_fit(self, rows: Rows) -> Objective:
        record, loss = self._fit, self._loss_of_user()
        if record.log_prior is None:
            return UserObjective(rows, loss, record.penalty)
        dispersion = record.dispersion if np.isinf(record.df) else 1.0
        return PenalisedByInformation(rows, loss, Prior(ExpectedWeights(record.loss), dispersion))

    def _loss_of_user(self) -> UserLoss:
        return UserLoss(self._loss())

    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **options: Any
    ) -> tuple[Matrix, Array, Array | None]:
        X, y, weights = checked_rows(self, X, y, sample_weight, multi_output=False, **options)
        targets = np.asarray(y, dtype=np.float64)
        family, weighting = self._loss().family, self._weighting()
        refuse_wrong_targets(family, targets, weights, self.dispersion, weighting)
        return X, targets, weights

    def _weighting(self) -> Weighting:
        """What the weights of the fit are; before it, of the next one."""
        return weighting_of(self.weights) if self._fit is None else self._fit.weighting

    def _rows_in_parts(self, stream: RowStream, extras_of: ExtrasOfPart | None = None) -> Rows:
        options: dict[str, Any] = {"intercept": self._has_intercept, **OF_STREAMS}
        prepare = TargetsOfBlock(self._loss().family, self.dispersion, self._weighting())
        return rows_in_parts(self, stream, prepare, extras_of, **options)


@dataclass(frozen=True)
class TargetsOfBlock:
    """Targets of a block of a stream as numbers, which the family must have."""

    family: Family
    dispersion: str | float
    weighting: Weighting

    def __call__(self, y: Values, weights: Array | None) -> tuple[Array, Array | None]:
        """The numbers, and the weights."""
        targets = np.asarray(y, dtype=np.float64)
        how = self.dispersion, self.weighting
        refuse_wrong_targets(self.family, targets, weights, *how, " of a block")
        return targets, weights
