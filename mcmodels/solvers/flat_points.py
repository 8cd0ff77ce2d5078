"""Stationary points at which second derivatives decide nothing: minima, or points on a way down.

Where an eigenvalue of the Hessian is zero, the objective may have a minimum, a valley of equal
values, or an inflection from which it falls by its third or fourth derivative. Of the skew normal
distribution every fit with slant 0 is such a point, of a mixture every fit with equal components.
What is zero is judged in units of each parameter, and by the gradient near the point: it must
change as the eigenvalue says.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.auxiliary import AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import RowBlock
from mcmodels.solvers.newton import unverifiable_decrease

__all__ = ["flat_steps", "has_no_effect", "probes"]

# Eigenvalues up to this share of the losses are rounding errors; from the second on, an eigenvalue
# is what it seems.
_ROUNDING, _CLEAR = 1e-11, 1e-4
# The squared cosine from which on a direction is one of a parameter.
_NEAR_AXIS = 0.01
# The gradient is compared at this share of a unit, and must change by what the eigenvalue says up
# to this factor.
_NEAR, _FACTOR = 0.05, 2.0
# Lengths of the steps, in units of the parameters, from which other fits begin; and how many
# directions are tried.
_LENGTHS, _DIRECTIONS = (3.0, 1.0, 0.3), 3
# A loss that changes by less than this share has not changed.
_UNCHANGED = 1e-9
# How far a step without effect is followed.
_FAR = 8.0


def flat_steps(
    objective: AuxiliaryObjective, params: Array, known: UserDerivatives, condition: float
) -> list[Array]:
    """Directions along which the Hessian is zero, of the length of a unit of their parameters.

    A unit is the change that would double the sum of the losses by the curvature of this parameter
    alone; of an auxiliary parameter at most its size, or 1.

    Parameters
    ----------
    objective : AuxiliaryObjective
        In coordinates with orthonormal columns.
    params : ndarray of shape (P + q,)
        A stationary point.
    known : UserDerivatives
        The derivatives there.
    condition : float
        The root of the condition number of the Hessian, as :class:`ScaledCholesky` has it.
    """
    H = known.hessian
    _, a = objective.split(params)
    of_a = np.diagonal(H)[params.size - a.size :] * np.maximum(np.abs(a), 1.0) ** 2
    is_clear = condition**2 < 1.0 / _CLEAR and (of_a > _CLEAR * abs(known.value)).all()
    if is_clear or not np.isfinite(H).all():
        return []
    whole, units = _units(objective, params, np.diagonal(H))
    shares, V = linalg.eigh(H / whole * np.outer(units, units))

    def of_unit_length(scaled: Array) -> Array:
        return np.asarray(scaled * units / np.max(np.abs(scaled)))

    flat = [
        k
        for k in np.flatnonzero(shares <= _CLEAR).tolist()
        if shares[k] <= _ROUNDING
        or not _is_curved(objective, params, known, of_unit_length(V[:, k]))
    ]
    if not flat:
        return []
    # Of several directions any combination is one: those nearest to single parameters are taken.
    projection = V[:, flat] @ V[:, flat].T
    near = np.diagonal(projection)[params.size - objective.n_auxiliary :]
    axes = [params.size - near.size + k for k in np.argsort(-near) if near[k] >= _NEAR_AXIS]
    taken = [projection[:, k] for k in axes] or [V[:, k] for k in flat]
    return [of_unit_length(scaled) for scaled in taken]


def _units(objective: AuxiliaryObjective, params: Array, curvatures: Array) -> tuple[float, Array]:
    """The sum of the sizes of all losses, and the units of the parameters."""
    theta, a = objective.split(params)

    def size(block: RowBlock) -> float:
        value, _ = objective.auxiliary.function(block.y, block.linear_predictor(theta), a, 1)
        return float(block.weighted(np.abs(value)).sum())

    whole = max(objective.rows.reduce(size), np.finfo(float).tiny)
    with np.errstate(all="ignore"):
        units: Array = np.sqrt(whole / np.abs(curvatures))
    of_theta, of_a = objective.split(units)
    largest = np.max(of_theta[np.isfinite(of_theta)], initial=0.0)
    of_theta = np.where(np.isfinite(of_theta), of_theta, largest if largest > 0 else 1.0)
    of_a = np.minimum(of_a, np.maximum(np.abs(a), 1.0))
    return whole, np.concatenate([of_theta, of_a])


def _is_curved(
    objective: AuxiliaryObjective, params: Array, known: UserDerivatives, step: Array
) -> bool:
    """Whether the gradient changes along a step as the Hessian says."""
    expected = float(step @ known.hessian @ step)
    if not expected > 0:
        return False
    with np.errstate(all="ignore"):
        changes = [
            float((objective.slope(params + t * step).gradient - known.gradient) @ step) / t
            for t in (_NEAR, -_NEAR)
        ]
    return all(expected / _FACTOR <= change <= expected * _FACTOR for change in changes)


def probes(objective: AuxiliaryObjective, params: Array, steps: list[Array]) -> list[list[Array]]:
    """Points from which a fit may reach a lower value, of each direction those on both sides.

    A direction along which the objective stays the same has none.
    """
    with np.errstate(all="ignore"):
        value = objective.value(params)
        room = unverifiable_decrease(value)
        found = []
        for step in steps[:_DIRECTIONS]:
            points = [params + side * t * step for t in _LENGTHS for side in (1.0, -1.0)]
            reached = [objective.value(point) for point in points]
            if not all(abs(other - value) <= room for other in reached):
                pairs = zip(points, reached, strict=True)
                found.append([point for point, other in pairs if np.isfinite(other)])
    return found


def has_no_effect(objective: AuxiliaryObjective, params: Array, step: Array) -> bool:
    """Whether far along a step the loss of every row is what it was, up to rounding."""
    moved = params + _FAR * step

    def unchanged(block: RowBlock) -> list[bool]:
        losses = []
        for point in (params, moved):
            theta, a = objective.split(point)
            value, _ = objective.auxiliary.function(block.y, block.linear_predictor(theta), a, 1)
            losses.append(block.weighted(value))
        now, then = losses
        return [bool((np.abs(then - now) <= _UNCHANGED * np.abs(now)).all())]

    with np.errstate(all="ignore"):
        return all(objective.rows.reduce(unchanged))
