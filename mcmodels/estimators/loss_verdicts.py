"""Warnings about a loss that the user has written: negative curvature, and jumps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mcmodels.exceptions import (
    FitWarning,
    FlatObjectiveWarning,
    NonConvexLossWarning,
    NonSmoothLossWarning,
)
from mcmodels.objectives.loss_probe import Jump, is_negative, probe_near_rows
from mcmodels.objectives.user_loss import CurvatureRange, UserObjective
from mcmodels.solvers import Solution, Status, irls
from mcmodels.solvers.definiteness import is_positive, least_scaled_eigenvalue

__all__ = ["warnings_of_loss"]


def warnings_of_loss(
    objective: UserObjective, solution: Solution[irls.Optimum], visited: Sequence[CurvatureRange]
) -> Iterator[FitWarning]:
    """Warnings about jumps, and about negative curvature in or near the rows of the fit."""
    near = probe_near_rows(objective, solution.value.params)
    if near.jump is not None:
        yield NonSmoothLossWarning(_jump_text(near.jump))
    if solution.status is Status.CONVERGED and _is_singular(solution.value):
        yield FlatObjectiveWarning(
            "hessian_ is singular at the point reached: the objective is flat along some "
            "direction, and other parameters may fit as well. Check that the loss has curvature "
            "where the targets are, or penalise (alpha > 0)."
        )
    of_fit = sum(visited[1:], visited[0]) if visited else None
    for curvatures, where in (
        (of_fit, "in a row of the fit"),
        (near.curvature, "between its rows"),
    ):
        if curvatures is not None and is_negative(curvatures, near.curvature):
            yield NonConvexLossWarning(_convexity_text(curvatures, where, solution))
            return


def _is_singular(optimum: irls.Optimum) -> bool:
    hessian = optimum.accurate_hessian
    if hessian is None:
        return False
    least = least_scaled_eigenvalue(hessian)
    return bool(abs(least) <= np.finfo(np.float64).eps * len(hessian))


def _convexity_text(
    curvatures: CurvatureRange, where: str, solution: Solution[irls.Optimum]
) -> str:
    text = (
        f"the loss is not convex: its second derivative is {curvatures.smallest:.3g} at "
        f"y={curvatures.y:g}, eta={curvatures.eta:g}, {where}. "
    )
    if solution.status is not Status.UNBOUNDED:
        text += _point_text(solution.value)
    return text + "Compare fits from several starts (warm_start), or penalise more."


def _point_text(optimum: irls.Optimum) -> str:
    """Whether the Hessian is definite; in the coordinates of the fit, where it is most accurate."""
    hessian = optimum.accurate_hessian
    if hessian is None:
        return "Without hessian_ it is unknown whether the point reached is a minimum. "
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
