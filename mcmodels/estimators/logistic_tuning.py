"""A logistic regression whose C is chosen by a criterion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.arrays import Array
from mcmodels.estimators.logistic_rows import ClassRows
from mcmodels.estimators.penalty_groups import NamedGroups, named_groups
from mcmodels.estimators.penalty_tuning import GivenPenalty, PenaltyTuning
from mcmodels.estimators.weighting import weighting_of
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Rows
from mcmodels.solvers import irls
from mcmodels.solvers.starts import NullFit

__all__ = ["logistic_fitting", "logistic_tuning", "refuse_conjugate_gradients"]


def refuse_conjugate_gradients(model: Any, criterion: str | None) -> None:
    """Refuse a criterion of C with a solver that forms no Hessian."""
    if criterion is not None and model.solver == "newton-cg":
        raise ValueError(
            f"C={criterion!r} needs the Hessian, which solver='newton-cg' does not form. Take "
            "solver='newton', or give C a number."
        )


def logistic_fitting(
    model: Any, rows: Rows, found: ClassRows, null: NullFit | None
) -> GivenPenalty | PenaltyTuning:
    """The fit, or the fits of a search for C."""
    named = isinstance(model.C, str)
    penalty = 1.0 if named else model._stated_penalty("C", rows, found.features)
    objective = model._objective_over(rows, len(found.classes), penalty)
    if not named:
        given = model._given_penalties("C", found.features)
        return GivenPenalty(
            objective, lambda: model._steps(objective, found.class_totals, null), given
        )
    groups, weighting = named_groups(model.penalty_groups, found.features), model.weights

    def start(one: Any) -> Array:
        first: Array = model._start(one, found.class_totals, null)
        return first

    return logistic_tuning(model, model.C, groups, objective, weighting_of(weighting), start)


def logistic_tuning(
    model: Any,
    criterion: str,
    named: NamedGroups,
    objective: LinearPredictorObjective,
    weighting: Weighting,
    start: Callable[[Any], Array],
) -> PenaltyTuning:
    """The search for C; losses are cross-entropies, with the weights of the classes."""
    tol, max_iter = model.tol, model.max_iter
    return PenaltyTuning(
        "C",
        criterion,
        named,
        objective,
        values=objective.loss.value,
        dispersion=1.0,
        weighting=weighting,
        start=start,
        steps=lambda one, start: irls.fit(one, start, tol=tol, max_iter=max_iter),
        tol=tol,
        max_iter=max_iter,
    )
