"""What is said of a loss that a user has written: where it curves down, and where it jumps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import FitWarning, NonConvexLossWarning, NonSmoothLossWarning
from mcmodels.objectives.loss_probe import Jump, find_jump, grid, least_curvature
from mcmodels.objectives.user_loss import CurvatureRange, UserObjective
from mcmodels.rows import RowBlock
from mcmodels.solvers import Solution, Status, irls

# So many rows, and different targets among them, are looked at between the predictors of the fit.
_ROWS, _TARGETS = 2048, 48
# ℓ″ within this share of the largest is zero but for rounding.
_ROUNDING = 1e-8
# And so are eigenvalues of a Hessian with unit diagonal.
_FLAT = 1e-12


def warnings_of_loss(
    objective: UserObjective, solution: Solution[irls.Optimum], visited: CurvatureRange | None
) -> Iterator[FitWarning]:
    """Warnings of jumps, and of curvature below zero in rows that the fit has visited or near."""
    y, eta = _seen(objective, solution.value.params)
    points = _around(eta)
    jump = find_jump(objective.loss, y, points)
    if jump is None and np.ptp(y) > 0:
        jump = find_jump(objective.loss, y, grid(float(y.min()), float(y.max())))
    if jump is not None:
        yield NonSmoothLossWarning(_jump_text(jump))
    between = least_curvature(objective.loss, y, points)
    for seen, where in ((visited, "in a row of the fit"), (between, "between its rows")):
        if seen is not None and _curves_down(seen, between):
            yield NonConvexLossWarning(_convexity_text(seen, where, solution))
            return


def _seen(objective: UserObjective, params: Array) -> tuple[Array, Array]:
    """Some different targets, and linear predictors, of a sample of the rows."""

    def pairs(block: RowBlock) -> list[tuple[Array, Array]]:
        return [(np.array(block.y), block.X.predictor(params))]

    parts = objective.rows.sample(_ROWS).reduce(pairs)
    y, eta = (np.concatenate(column) for column in zip(*parts, strict=True))
    different = np.unique(y)
    chosen = np.linspace(0, different.size - 1, min(different.size, _TARGETS)).astype(np.intp)
    return different[chosen].astype(np.float64), eta


def _around(eta: Array) -> Array:
    low, high = float(eta.min()), float(eta.max())
    reach = max((high - low) / 4, 1e-3 * max(abs(low), abs(high)), 1e-3)
    return grid(low - reach, high + reach)


def _curves_down(seen: CurvatureRange, between: CurvatureRange | None) -> bool:
    scale = max(abs(seen.smallest), seen.largest, 0.0 if between is None else between.largest)
    return seen.smallest < -_ROUNDING * scale


def _convexity_text(seen: CurvatureRange, where: str, solution: Solution[irls.Optimum]) -> str:
    text = (
        f"the loss is not convex: its second derivative is {seen.smallest:.3g} at y={seen.y:g}, "
        f"eta={seen.eta:g}, {where}. "
    )
    if solution.status is not Status.UNBOUNDED:
        text += _point_text(solution.value)
    return text + "Compare fits from several starts (warm_start), or penalise more."


def _point_text(optimum: irls.Optimum) -> str:
    """Whether the Hessian is definite: in the coordinates of the fit, where it has most digits."""
    hessian = optimum.hessian if optimum.inner is None else optimum.inner.hessian
    if hessian is None:
        return "Whether the point reached is a minimum was not judged, as there is no hessian_. "
    if not np.isfinite(hessian).all():
        return "hessian_ is not finite at the point reached. "
    size = np.sqrt(np.abs(np.diagonal(hessian)))
    size = np.where(size > 0, size, 1.0)
    least = float(np.linalg.eigvalsh(hessian / np.outer(size, size))[0])
    found = f"(least eigenvalue of the Hessian scaled to a unit diagonal: {least:.3g})"
    if least > _FLAT:
        return f"The point reached is a minimum {found}, and there may be lower ones. "
    return f"The point reached is not a strict minimum {found}. "


def _jump_text(jump: Jump) -> str:
    what = "the loss" if jump.order == 0 else "the derivative of the loss"
    return (
        f"{what} jumps by {jump.size:.3g} at y={jump.y:g}, eta={jump.eta:g}: Newton's method may "
        "stop short of a minimum there, and hessian_ does not describe it. Smooth the loss over a "
        "width h: write h*softplus(r/h) for relu(r), so that the pinball loss of the quantile q is "
        "h*softplus((y-eta)/h) - (1-q)*(y-eta); or sqrt(r**2 + h**2) for abs(r)."
    )
