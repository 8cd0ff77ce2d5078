"""A generalized linear model whose alpha is chosen by a criterion."""

from __future__ import annotations

from typing import Any

from mcmodels.estimators.family_choice import ESTIMATE
from mcmodels.estimators.penalty_groups import named_groups
from mcmodels.estimators.penalty_tuning import PenaltyTuning
from mcmodels.estimators.validation import Features
from mcmodels.estimators.weighting import weighting_of
from mcmodels.objectives.families import NegativeBinomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows
from mcmodels.solvers.bounded_means import fit_within_bounds

__all__ = ["glm_tuning", "refuse_other_choices"]


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


def glm_tuning(model: Any, rows: Rows, features: Features, loss: FamilyLoss) -> PenaltyTuning:
    """The search for alpha.

    Losses are half of the unit deviance. φ is given, or one; where it is estimated, "evidence" and
    "aic" are at the φ that is best for each penalty, and "loo" needs none.
    """
    dispersion: float | None = None
    if not isinstance(model.dispersion, str):
        dispersion = float(model.dispersion)
    elif model.dispersion == "auto" and not loss.family.has_dispersion:
        dispersion = 1.0
    tol, max_iter = model.tol, model.max_iter
    return PenaltyTuning(
        "alpha",
        model.alpha,
        named_groups(model.penalty_groups, features),
        UserObjective(rows, UserLoss(loss), 1.0),
        values=lambda y, eta: loss.deviance(y, eta) / 2.0,
        dispersion=dispersion,
        weighting=weighting_of(model.weights),
        start=lambda one: model._start(one, loss),
        steps=lambda one, start: fit_within_bounds(one, loss, start, tol=tol, max_iter=max_iter),
        tol=tol,
        max_iter=max_iter,
    )
