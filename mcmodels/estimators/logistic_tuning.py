"""A logistic regression whose C is chosen by a criterion."""

from __future__ import annotations

from typing import Any

from mcmodels.estimators.logistic_rows import ClassRows
from mcmodels.estimators.penalty_groups import named_groups
from mcmodels.estimators.penalty_tuning import PenaltyTuning
from mcmodels.estimators.weighting import weighting_of
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.solvers import irls
from mcmodels.solvers.starts import NullFit

__all__ = ["logistic_tuning", "refuse_conjugate_gradients"]


def refuse_conjugate_gradients(model: Any, criterion: str | None) -> None:
    """Refuse a criterion of C with a solver that forms no Hessian."""
    if criterion is not None and model.solver == "newton-cg":
        raise ValueError(
            f"C={criterion!r} needs the Hessian, which solver='newton-cg' does not form. Take "
            "solver='newton', or give C a number."
        )


def logistic_tuning(
    model: Any, objective: LinearPredictorObjective, found: ClassRows, null: NullFit | None
) -> PenaltyTuning:
    """The search for C; losses are cross-entropies, with the weights of the classes."""
    tol, max_iter = model.tol, model.max_iter
    return PenaltyTuning(
        "C",
        model.C,
        named_groups(model.penalty_groups, found.features),
        objective,
        values=objective.loss.value,
        dispersion=1.0,
        weighting=weighting_of(model.weights),
        start=lambda one: model._start(one, found.class_totals, null),
        steps=lambda one, start: irls.fit(one, start, tol=tol, max_iter=max_iter),
        tol=tol,
        max_iter=max_iter,
    )
