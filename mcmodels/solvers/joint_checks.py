"""What fits of coefficients and auxiliary parameters ask: of starts, growth, and rounding."""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.auxiliary import AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import RowBlock
from mcmodels.solvers.newton import unverifiable_decrease
from mcmodels.solvers.recession import column_squares

__all__ = [
    "CANCELLED",
    "PRECISE",
    "auxiliary_share",
    "grows_jointly",
    "has_cancelled_jointly",
    "is_lower_far_out",
    "refuse_start_not_finite",
    "units_of_step",
]

# Length of the last step in the metric of the Hessian, by the root of the total weight: that of the
# parameters is no measure where they are large beside their errors.
PRECISE = 1e-12
# Where no step is lower, a gradient above this share of its terms is not the rounding of a minimum.
CANCELLED = 1e-6
# Steps to the points where values show that the objective keeps decreasing.
_FAR = (8.0, 64.0)
# A step changes an auxiliary parameter by at most so many times its size, or this number.
_LONGEST = 5.0
# Derivatives of this share of the objective, over the longest step, are rounding errors.
_HIDDEN = 1e-13
# Near a minimum, a step changes what it changes by less than this share.
_GROWING = 1e-3


def refuse_start_not_finite(
    objective: AuxiliaryObjective, params: Array, known: UserDerivatives
) -> None:
    """Refuse a start at which the objective, or a derivative, is not finite; name a row."""
    if known.is_finite:
        return
    _, a = objective.split(params)
    names = objective.auxiliary.shapes.names
    where = ", ".join(f"{name}={v:g}" for name, v in zip(names, a, strict=True))
    row = objective.not_finite(params)
    if row:
        y, eta, value, first, second = row
        raise ValueError(
            f"the loss is not finite where the fit starts: at y={y:g}, eta={eta:g}, {where} it is "
            f"{value:g}, and sums of its first and second derivatives are {first:g} and "
            f"{second:g}. Change the first values in auxiliary, transform targets for which the "
            "loss is not defined, or fit an intercept."
        )
    raise ValueError("the sum of the losses overflows float64; divide the weights, or the loss.")


def auxiliary_share(objective: AuxiliaryObjective, params: Array, step: Array) -> float:
    """The share of a step that changes no auxiliary parameter by too much; at most 1."""
    _, a = objective.split(params)
    _, change = objective.split(step)
    with np.errstate(all="ignore"):
        shares = _LONGEST * np.maximum(np.abs(a), 1.0) / np.abs(change)
    return float(np.nanmin(shares, initial=1.0))


def units_of_step(params: Array, known: UserDerivatives) -> Array:
    """Roots of the diagonal of the Hessian, or of what would end a step of the longest length.

    Where there is hardly any curvature, a step is as long as parameters may change at once; but a
    parameter without effect, whose derivative is only rounding of the objective, stays where it is.
    """
    longest = _LONGEST * np.maximum(np.abs(params), 1.0)
    curvature = np.maximum(np.abs(np.diagonal(known.hessian)), np.abs(known.gradient) / longest)
    curvature = np.maximum(curvature, _HIDDEN * abs(known.value) / longest**2)
    units: Array = np.sqrt(curvature)
    return np.where(units > 0, units, 1.0)


def grows_jointly(objective: AuxiliaryObjective, params: Array, step: Array) -> bool:
    """Whether a step changes a linear predictor or an auxiliary parameter by some share."""
    theta, a = objective.split(params)
    along, change = objective.split(step)
    if (np.abs(change) > _GROWING * np.maximum(np.abs(a), 1.0)).any():
        return True

    def largest(block: RowBlock) -> list[Array]:
        now, moved = block.linear_predictor(theta), block.X.predictor(along)
        return [np.abs([now, moved]).max(axis=1, initial=0.0)]

    now, moved = np.max(objective.rows.reduce(largest), axis=0).tolist()
    return bool(moved > _GROWING * max(now, 1.0))


def is_lower_far_out(
    objective: AuxiliaryObjective, params: Array, step: Array, *, strictly: bool
) -> bool:
    """Whether the objective is still lower far beyond the end of a step, by more than rounding.

    Without ``strictly`` it may also be the same up to rounding.
    """
    value = objective.value(params)
    rounding = unverifiable_decrease(value)
    limit = value - rounding if strictly else value + rounding
    with np.errstate(all="ignore"):
        reached = [objective.value(params + length * step) for length in _FAR]
    return all(far < limit if strictly else far <= limit for far in reached)


def has_cancelled_jointly(
    objective: AuxiliaryObjective, params: Array, gradient: Array, share: float
) -> bool:
    """Whether the gradient is a share of the sizes of its terms, and of their rounding.

    Of a row these are ``|∂ℓ/∂η| + |η ∂²ℓ/∂η²|``, the second the change when η is rounded, and
    the same of auxiliary parameters.
    """
    theta, a = objective.split(params)

    def sizes(block: RowBlock) -> Array:
        eta = block.linear_predictor(theta)
        _, first, second = objective.auxiliary.function(block.y, eta, a, 2)
        terms = np.abs(first) + np.abs(eta[:, np.newaxis] * second[:, 0])
        of_a = block.weighted(terms[:, 1:]).sum(axis=0)
        return np.append(of_a, block.weighted(terms[:, 0] ** 2).sum())

    with np.errstate(all="ignore"):
        *of_a, of_theta = objective.rows.reduce(sizes)
    lengths = np.sqrt(column_squares(objective.rows))
    penalty = objective.penalty * np.abs(theta)
    terms = np.concatenate([np.sqrt(of_theta) * lengths + penalty, of_a])
    return bool((np.abs(gradient) <= share * terms).all())
