"""A step of Newton's method: the solution of ``hessian · δ = -gradient``, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Derivatives, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.pseudoinverse import from_gram
from mcmodels.solvers.tolerances import factorisation_error

# Largest share that rounding errors of the Hessian have in a step that proves something.
_ACCURATE = 0.1


class NewtonObjective(Protocol):
    """What Newton's method needs from an objective."""

    def value(self, params: Array) -> float:
        """The objective."""
        ...

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        ...

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian; with ``safe``, one that does not vanish far from the minimum."""
        ...

    def with_shift_curvature(self, hessian: Array, shape: tuple[int, ...]) -> Array:
        """The Hessian with curvature added along directions that never change the objective."""
        ...


@dataclass(frozen=True)
class NewtonDirection:
    """A Newton step: the solution of ``hessian · δ = -gradient``, the shortest of several.

    Parameters
    ----------
    step : ndarray, the shape of the parameters
        δ.
    decrease : float
        ``-gradientᵀδ = δᵀHδ``, twice the decrease that the quadratic model predicts.
    relative_length : float
        Length of δ relative to that of the parameters, both in the metric of the Hessian.
    rank : int
        Numerical rank of the Hessian.
    condition : float
        Square root of the condition number of the Hessian scaled to unit diagonal: the condition
        number of the weighted design with columns of unit length.
    dependent : tuple of int
        Parameters that take part in a linear dependency.
    dropped : float, default=0.0
        Least value of ``gᵀH⁻¹g`` in the directions that the step leaves out, as their curvature is
        hardly more than rounding: the square of the gradient over that rounding.
    """

    step: Array
    decrease: float
    relative_length: float
    rank: int
    condition: float
    dependent: tuple[int, ...]
    dropped: float = 0.0


def newton_direction(
    objective: NewtonObjective, params: Array, derivatives: Derivatives
) -> NewtonDirection:
    """The Newton step at a point, by Cholesky of the scaled Hessian, or its pseudo-inverse."""
    # Where hardly any row has curvature, a step may overflow: it then leads nowhere.
    with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
        return _newton_direction(objective, params, derivatives)


def _newton_direction(
    objective: NewtonObjective, params: Array, derivatives: Derivatives
) -> NewtonDirection:
    gradient = derivatives.gradient.ravel()
    hessian = objective.with_shift_curvature(derivatives.hessian, derivatives.gradient.shape)
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    factor = ScaledCholesky.of(hessian, scale)
    if factor is not None:
        step = -factor.apply(gradient)
        return direction_of(params, derivatives, step, gradient.size, factor.condition)
    if gradient.size == 0:
        return nowhere(params)
    noise = np.sqrt(factorisation_error(gradient.size))
    inverse = from_gram(hessian, scale, noise)
    step = -inverse.apply(gradient)
    found = direction_of(params, derivatives, step, inverse.rank, np.inf, inverse.dependent)
    left = (gradient + hessian @ step) / np.where(scale > 0, scale, 1.0)
    return replace(found, dropped=float((left / noise) @ (left / noise)))


def nowhere(params: Array) -> NewtonDirection:
    """The step of a design without parameters: all its columns are zero."""
    return NewtonDirection(params, 0.0, 0.0, 0, 1.0, ())


def direction_of(
    params: Array,
    derivatives: Derivatives,
    step: Array,
    rank: int,
    condition: float,
    dependent: tuple[int, ...] = (),
) -> NewtonDirection:
    """The direction of a step over the raveled parameters, with its predicted decrease."""
    decrease = -float(derivatives.gradient.ravel() @ step)
    point = params.ravel()
    length = float(point @ derivatives.hessian @ point)
    known = length > 0 and np.isfinite(decrease)
    return NewtonDirection(
        step.reshape(params.shape),
        decrease,
        float(np.sqrt(max(decrease, 0.0) / length)) if known else np.inf,
        rank,
        condition,
        dependent,
    )


def is_accurate(direction: NewtonDirection) -> bool:
    """Whether rounding errors of the Hessian hardly change a step."""
    size = direction.step.size
    return size == 0 or direction.condition**2 * factorisation_error(size) <= _ACCURATE
