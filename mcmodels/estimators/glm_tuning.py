"""A generalized linear model whose alpha is chosen by a criterion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.arrays import Array
from mcmodels.estimators.family_choice import ESTIMATE
from mcmodels.estimators.penalty_groups import NamedGroups, named_groups
from mcmodels.estimators.penalty_tuning import PenaltyTuning
from mcmodels.estimators.validation import Features
from mcmodels.estimators.weighting import weighting_of
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.families import NegativeBinomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows
from mcmodels.solvers.bounded_means import fit_within_bounds

__all__ = ["glm_tuning", "refuse_other_choices", "tuned_fitting"]


def refuse_other_choices(model: Any, criterion: str | None, loss: FamilyLoss) -> None:
    """Refuse a criterion of alpha with another parameter that is estimated beside it."""
    if criterion is None:
        return
    if isinstance(loss.family, NegativeBinomial) and model.theta == ESTIMATE:
        raise ValueError(
            f"alpha={criterion!r} was given with theta='estimate': each would be estimated for a "
            "value of the other. Fit with a number for alpha, and give theta the theta_ of that "
            "fit."
        )


def tuned_fitting(model: Any, rows: Rows, features: Features, loss: FamilyLoss) -> PenaltyTuning:
    """The fits of a search for alpha."""

    def start(one: Any) -> Array:
        first: Array = model._start(one, loss)
        return first

    groups = named_groups(model.penalty_groups, features)
    objective = UserObjective(rows, UserLoss(loss), 1.0)
    return glm_tuning(model, model.alpha, groups, objective, weighting_of(model.weights), start)


def glm_tuning(
    model: Any,
    criterion: str,
    named: NamedGroups,
    objective: UserObjective,
    weighting: Weighting,
    start: Callable[[Any], Array],
) -> PenaltyTuning:
    """The search for alpha.

    Losses are half of the unit deviance. φ is given, or one; where it is estimated, "evidence" and
    "aic" are at the φ that is best for each penalty, and "loo" needs none.
    """
    loss: Any = objective.loss.derivatives
    dispersion: float | None = None
    if not isinstance(model.dispersion, str):
        dispersion = float(model.dispersion)
    elif model.dispersion == "auto" and not loss.family.has_dispersion:
        dispersion = 1.0
    tol, max_iter = model.tol, model.max_iter
    return PenaltyTuning(
        "alpha",
        criterion,
        named,
        objective,
        values=lambda y, eta: loss.deviance(y, eta) / 2.0,
        dispersion=dispersion,
        weighting=weighting,
        start=start,
        steps=lambda one, start: fit_within_bounds(one, loss, start, tol=tol, max_iter=max_iter),
        tol=tol,
        max_iter=max_iter,
    )
