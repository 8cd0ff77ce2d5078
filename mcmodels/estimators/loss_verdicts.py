"""Warnings about a loss that the user has written: negative curvature, jumps, and flatness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.validation import Features
from mcmodels.exceptions import (
    FitWarning,
    FlatObjectiveWarning,
    NonConvexLossWarning,
    NonSmoothLossWarning,
)
from mcmodels.objectives.absolute_penalty import L1Objective
from mcmodels.objectives.loss_probe import Jump, is_negative, probe_near_rows
from mcmodels.objectives.user_loss import CurvatureRange, UserObjective
from mcmodels.rows import RowBlock
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.definiteness import is_positive, least_scaled_eigenvalue
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.flatness import columns_of, flat_directions
from mcmodels.solvers.kept_hessian import passes_are_expensive
from mcmodels.solvers.recession import curvature_is_everywhere
from mcmodels.solvers.tolerances import SAMPLE_ROWS

__all__ = ["warnings_of_loss"]


def warnings_of_loss(
    objective: UserObjective,
    solution: Solution[Optimum],
    visited: Sequence[CurvatureRange],
    features: Features,
    witness: CurvatureRange | None,
) -> Iterator[FitWarning]:
    """Warnings about jumps, flatness, and negative curvature, first in and near the rows.

    ``witness`` is where the loss is known to bend downwards, if anywhere.
    """
    flat = _flat_text(objective, solution, features)
    if flat:
        yield FlatObjectiveWarning(flat)
    near = probe_near_rows(objective, solution.value.params)
    if near.jump is not None:
        yield NonSmoothLossWarning(_jump_text(near.jump))
    if objective.loss.is_convex:
        return
    of_fit = sum(visited[1:], visited[0]) if visited else None
    for curvatures, where in (
        (of_fit, "in a row of the fit"),
        (near.curvature, "between its rows"),
    ):
        if curvatures is not None and is_negative(curvatures, near.curvature):
            yield NonConvexLossWarning(_convexity_text(curvatures, where, objective, solution))
            return
    if witness is not None:
        where = "away from the rows of the fit"
        yield NonConvexLossWarning(_convexity_text(witness, where, objective, solution))


def _flat_text(objective: UserObjective, solution: Solution[Optimum], features: Features) -> str:
    """Along what the Hessian is zero where the fit converged, or an empty text.

    Where the Hessian has a Cholesky factor, and curvature in every column, nothing is looked for;
    nor with a penalty on absolute values, which grow along every direction but the intercept.
    """
    hessian = solution.value.hessian
    converged = solution.status in (Status.CONVERGED, Status.RANK_DEFICIENT)
    if not converged or hessian is None or isinstance(objective, L1Objective):
        return ""
    rows = objective.rows
    sample = rows.sample(SAMPLE_ROWS) if passes_are_expensive(rows) else rows
    if np.isfinite(solution.condition) and curvature_is_everywhere(sample, hessian):
        return ""
    flat = flat_directions(objective, hessian)
    if not flat.size:
        return ""
    columns = columns_of(objective, flat)
    where = f"the columns {features.name(columns)}" if columns else "the intercept"
    everywhere = flat.shape[1] == hessian.shape[0]
    return (
        f"the Hessian is zero {'in all directions' if everywhere else 'along a direction'} of "
        f"{where} at the point reached. The loss of no row has curvature there: "
        "other parameters give other predictions and may have the same objective, and second "
        "derivatives do not tell whether this is a minimum. Check the loss where "
        f"eta is {_range_text(objective, solution.value.params)}, or penalise (alpha > 0)."
    )


def _range_text(objective: UserObjective, params: Array) -> str:
    def ends(block: RowBlock) -> list[float]:
        eta = block.linear_predictor(params)
        return [float(eta.min()), float(eta.max())]

    found = objective.rows.reduce(ends)
    low, high = min(found), max(found)
    return f"{low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}"


def _convexity_text(
    curvatures: CurvatureRange, where: str, objective: UserObjective, solution: Solution[Optimum]
) -> str:
    text = (
        f"the loss is not convex: its second derivative is {curvatures.smallest:.3g} at "
        f"y={curvatures.y:g}, eta={curvatures.eta:g}, {where}. "
    )
    if solution.status is not Status.UNBOUNDED:
        text += _point_text(objective, solution.value)
    return text + "Compare fits from several starts (warm_start), or penalise more."


def _point_text(objective: UserObjective, optimum: Optimum) -> str:
    """Whether the Hessian is definite; in the coordinates of the fit, where it is most accurate.

    With a penalty on absolute values, over the coefficients that are not zero.
    """
    hessian = optimum.accurate_hessian
    if hessian is None:
        return "Without hessian_ it is unknown whether the point reached is a minimum. "
    if isinstance(objective, L1Objective):
        moving = np.flatnonzero((optimum.params != 0) | (objective.strengths == 0))
        hessian = hessian[np.ix_(moving, moving)]
    least = least_scaled_eigenvalue(hessian)
    if np.isnan(least):
        return "hessian_ is not finite at the point reached. "
    eigenvalue = f"(least eigenvalue of the Hessian scaled to a unit diagonal: {least:.3g})"
    if is_positive(least):
        return f"The point reached is a minimum {eigenvalue}; there may be lower minima. "
    return f"The point reached is not a strict minimum {eigenvalue}. "


def _jump_text(jump: Jump) -> str:
    what = "the loss" if jump.order == 0 else "the derivative of the loss"
    return (
        f"{what} jumps by {jump.size:.3g} at y={jump.y:g}, eta={jump.eta:g}: Newton's method may "
        "stop before a minimum, and hessian_ is not valid there. Smooth the loss over a width h: "
        "write h*softplus(r/h) for relu(r), and sqrt(r**2 + h**2) for abs(r). The pinball loss of "
        "the quantile q becomes h*softplus((y-eta)/h) - (1-q)*(y-eta)."
    )
