"""Newton's method in a trust region, by Hessian-vector products, for any smooth objective.

A step minimises the quadratic model ``gᵀs + ½ sᵀHs`` within ``‖s‖ ≤ Δ``, in a small subspace. The
subspace is spanned by the last step and the preconditioned gradient ``M⁻¹g``; for precise steps
also by preconditioned residuals ``M⁻¹(g + Hs)``, as in conjugate gradients. Each direction costs
one product with H, except the last step: its product is known from the change of the gradient. In
the subspace the model is minimised exactly, also on the boundary and with negative curvature.

Sources: Steihaug (1983), *The conjugate gradient method and trust regions in large scale
optimization*, SIAM J. Numer. Anal. 20(3); Nocedal and Wright (2006), *Numerical Optimization*, 2nd
ed., algorithms 4.1 and 7.2, theorem 4.1; the subspace, Gould, Lucidi, Roma and Toint (1999), SIAM
J. Optim. 9(2), and, with the last step, Martens and Grosse (2015), ICML, §7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg.blas import dnrm2 as norm
from scipy.optimize import brentq

from mcmodels.arrays import Array
from mcmodels.objectives.kronecker_curvature import ConditionedSlope
from mcmodels.rows import Slope, single_threaded_blas
from mcmodels.solvers.descent import DescentResult, refuse_undefined_start
from mcmodels.solvers.newton import gradient_is_small
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import (
    FLOAT64_EPSILON,
    FLOAT64_TINY,
    SUFFICIENT_DECREASE,
    UNVERIFIABLE_DECREASE,
)

# The first radius is at least the first number, and so large that the gradient predicts a decrease
# of the second share of the value: it can be seen in float64.
_FIRST_RADIUS, _FIRST_DECREASE = 1.0, 1e-6
# The radius shrinks when the decrease is less than the first share of what the model predicts, and
# grows when it is more than the second; by these factors. This is algorithm 4.1 of Nocedal and
# Wright, except that the radius grows by 4 instead of 2.
_POOR, _GOOD, _SHRINK, _GROW = 0.25, 0.75, 0.25, 4.0
# Damping of M as a share of the mean curvature: at first, and the least as the gradient falls.
_DAMPING, _LEAST_DAMPING = 0.1, 1e-7
# Steps become precise once a step has predicted a decrease below this share of the value. Before, a
# second product gains less than a second step. The last number limits the directions of a step.
_LATE, _MOST_DIRECTIONS = 1e-8, 100
# A direction counts as within the subspace when the part outside is below this share of its length.
_INSIDE_SUBSPACE = 1e-8


class Conditioned(Protocol):
    """What the trust region needs from an objective."""

    def conditioned_slope(self, params: Array) -> ConditionedSlope:
        """Value, gradient and approximate curvature."""
        ...

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector."""
        ...


class ModelStep(NamedTuple):
    """The minimiser of the quadratic model within a radius.

    Parameters
    ----------
    step : ndarray
        The minimiser.
    decrease : float
        The decrease that the model predicts.
    interior : bool
        Whether it is also the minimiser without the radius.
    """

    step: Array
    decrease: float
    interior: bool


@dataclass(frozen=True)
class Subspace:
    """Orthonormal directions, and the Hessian times each.

    Parameters
    ----------
    directions, products : tuple of ndarray
        The product of the first direction, the last step, may be the change of the gradient along
        it (a secant) instead.
    """

    directions: tuple[Array, ...] = ()
    products: tuple[Array, ...] = ()

    def extended(self, direction: Array, product: Array) -> Subspace:
        """With one more direction, orthogonal to the others and of length one."""
        return Subspace((*self.directions, direction), (*self.products, product))

    def new_part(self, direction: Array) -> Array | None:
        """The part of a direction outside the subspace, of length one; None if there is none."""
        before = norm(direction)
        for _ in range(2):
            for known in self.directions:
                direction = direction - (known @ direction) * known
        length = norm(direction)
        return direction / length if length > _INSIDE_SUBSPACE * before else None

    def minimiser(self, gradient: Array, radius: float) -> tuple[ModelStep, Array]:
        """The minimiser of the model, and the Hessian times it."""
        basis, products = np.array(self.directions), np.array(self.products)
        curvature = basis @ products.T
        # The product of the first direction may be a secant, so those of the others are used.
        curvature = np.triu(curvature) + np.triu(curvature, 1).T
        found = minimise_within(curvature, basis @ gradient, radius)
        return found._replace(step=found.step @ basis), found.step @ products


@dataclass(frozen=True)
class TrustRegionIterate:
    """The state of the descent after a step.

    Parameters
    ----------
    params : ndarray of shape (n,)
        The parameters.
    slope : ConditionedSlope
        Value, gradient and approximate curvature there.
    radius : float
        Δ.
    subspace : Subspace
        Directions whose products with the Hessian there are known.
    share : float
        Norm of the gradient, relative to that at the start.
    predicted : float
        Decrease that the last accepted step predicted, relative to the value.
    count : int
        Steps tried so far.
    passes : int
        Passes over the rows so far.
    status : Status or None
        None while the descent goes on.
    """

    params: Array
    slope: ConditionedSlope
    radius: float
    subspace: Subspace
    share: float
    predicted: float
    count: int
    passes: int
    status: Status | None


def minimise_in_trust_region(
    objective: Conditioned,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
    after_step: Callable[[Array], bool] | None = None,
) -> Solution[DescentResult]:
    """Descend from a start; see :func:`trust_region_iterates`.

    Parameters
    ----------
    objective, start, gradient_tolerance, max_iter
        As in :func:`trust_region_iterates`.
    after_step : callable, default=None
        Called with the parameters after each step; True ends the descent there.
    """
    steps = trust_region_iterates(
        objective, start, gradient_tolerance=gradient_tolerance, max_iter=max_iter
    )
    current = next(steps)
    while current.status is None:
        current = next(steps)
        if after_step is not None and after_step(current.params) and current.status is None:
            current = replace(current, status=Status.NOT_CONVERGED)
    slope = Slope(current.slope.value, current.slope.gradient)
    minimum = DescentResult(current.params, slope, current.passes)
    return Solution(minimum, current.status, "newton-cg", current.count, start.size, np.inf)


def trust_region_iterates(
    objective: Conditioned, start: Array, *, gradient_tolerance: float, max_iter: int
) -> Iterator[TrustRegionIterate]:
    """Yield the start and the state after each step, until one has a status.

    Parameters
    ----------
    objective : Conditioned
        What is minimised.
    start : ndarray of shape (n,)
        First parameters.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it, or when values show no further decrease
        and the model predicts none. At a kink the model predicts more: NOT_CONVERGED.
    max_iter : int
        NOT_CONVERGED after this many steps, or where the curvature overflows float64.

    Raises
    ------
    ValueError
        When value or gradient are not finite at the start.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        slope = objective.conditioned_slope(start)
        refuse_undefined_start(slope)
        first_norm = float(norm(slope.gradient))
        radius = max(_FIRST_RADIUS, _FIRST_DECREASE * abs(slope.value) / (first_norm or 1.0))
    small = gradient_is_small(slope, gradient_tolerance)
    status = Status.CONVERGED if small else None
    current = TrustRegionIterate(start, slope, radius, Subspace(), 1.0, np.inf, 0, 1, status)
    yield current
    while current.status is None:
        with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
            current = _advance(objective, current, first_norm, gradient_tolerance)
        if current.status is None and current.count >= max_iter:
            current = replace(current, status=Status.NOT_CONVERGED)
        yield current


def _advance(
    objective: Conditioned,
    current: TrustRegionIterate,
    first_norm: float,
    gradient_tolerance: float,
) -> TrustRegionIterate:
    subspace, proposed = _propose(objective, current)
    products = len(subspace.directions) - len(current.subspace.directions)
    if proposed is None:
        passes = current.passes + products
        return replace(current, passes=passes, status=Status.NOT_CONVERGED)
    params, slope = current.params + proposed.step, current.slope
    trial = objective.conditioned_slope(params)
    tried = replace(
        current,
        subspace=subspace,
        count=current.count + 1,
        passes=current.passes + products + 1,
    )
    ratio = _ratio(slope, trial, proposed)
    if ratio is None and current.predicted > _LATE:  # a precise step may do better
        return replace(tried, subspace=current.subspace, predicted=0.0)
    if ratio is None:
        predicted = _predicted_decrease(objective, current)
        exhausted = predicted <= UNVERIFIABLE_DECREASE * abs(slope.value)
        status = Status.CONVERGED if exhausted else Status.NOT_CONVERGED
        return replace(tried, passes=tried.passes + 1, status=status)
    radius, length = current.radius, float(norm(proposed.step))
    if ratio < _POOR:
        radius = _SHRINK * length
    elif ratio > _GOOD:
        radius = max(radius, _GROW * length)
    if ratio < SUFFICIENT_DECREASE:
        return replace(tried, radius=radius)
    secant = Subspace().extended(proposed.step / length, (trial.gradient - slope.gradient) / length)
    return replace(
        tried,
        params=params,
        slope=trial,
        radius=radius,
        subspace=secant,
        share=float(norm(trial.gradient)) / first_norm,
        predicted=proposed.decrease / (abs(slope.value) or 1.0),
        status=Status.CONVERGED if gradient_is_small(trial, gradient_tolerance) else None,
    )


def _ratio(slope: Slope, trial: Slope, proposed: ModelStep) -> float | None:
    """The decrease as a share of what was predicted; None where rounding hides it."""
    defined = np.isfinite(trial.value) and np.isfinite(trial.gradient).all()
    if proposed.decrease > UNVERIFIABLE_DECREASE * abs(slope.value):
        return (slope.value - trial.value) / proposed.decrease if defined else -np.inf
    # Rounding hides the decrease of the objective; the gradient is more accurate.
    better = norm(trial.gradient) < norm(slope.gradient)
    return 1.0 if defined and better else None


def _predicted_decrease(objective: Conditioned, current: TrustRegionIterate) -> float:
    """The decrease ``‖g‖²/2κ`` along -g with curvature κ, or less where that step is too long.

    The radius does not limit it. At a kink the radius has shrunk, but the decrease stays large.
    """
    length = float(norm(current.slope.gradient))
    unit = current.slope.gradient / length
    curvature = float(unit @ objective.hessian_vector_product(current.params, unit))
    longest = max(float(norm(current.params)), current.radius, _FIRST_RADIUS)
    return length * (min(length / (2 * curvature), longest) if curvature > 0 else longest)


def _propose(
    objective: Conditioned, current: TrustRegionIterate
) -> tuple[Subspace, ModelStep | None]:
    """A subspace, and the minimiser of the model there; None where curvature overflows."""
    gradient, curvature = current.slope.gradient, current.slope.curvature
    subspace = current.subspace
    if len(subspace.directions) > 1:  # the last step was rejected: only the radius is new
        return subspace, subspace.minimiser(gradient, current.radius)[0]
    damping = _DAMPING * max(current.share, _LEAST_DAMPING)
    direction = curvature.solve(gradient, damping)
    size = float(gradient @ direction)
    while True:
        if not np.isfinite(direction).all():
            return subspace, None
        new = subspace.new_part(direction)
        if new is not None:
            product = objective.hessian_vector_product(current.params, new)
            subspace = subspace.extended(new, product)
        if not (subspace.directions and np.isfinite(subspace.products).all()):
            return subspace, None
        found, curved = subspace.minimiser(gradient, current.radius)
        enough = len(subspace.directions) >= _MOST_DIRECTIONS or current.predicted > _LATE
        if new is None or enough or not found.interior:
            return subspace, found
        direction = curvature.solve(gradient + curved, damping)
        if float((gradient + curved) @ direction) <= current.share * size:
            return subspace, found


def minimise_within(curvature: Array, gradient: Array, radius: float) -> ModelStep:
    """The minimiser of ``gᵀs + ½ sᵀHs`` within ``‖s‖ ≤ radius``, for a small symmetric H.

    ``(H + λI)s = -g`` with λ ≥ 0 such that ``H + λI`` is positive semidefinite, and λ = 0 unless
    s is as long as allowed (Nocedal and Wright 2006, theorem 4.1 and §4.3).

    Parameters
    ----------
    curvature : ndarray of shape (k, k)
        H; need not be definite.
    gradient : ndarray of shape (k,)
        g.
    radius : float
        Largest length.
    """
    eigenvalues, vectors = np.linalg.eigh(curvature)
    g = vectors.T @ gradient
    lowest, largest = float(eigenvalues[0]), float(np.abs(eigenvalues).max())
    above = eigenvalues - lowest

    def step_at(least: float) -> Array:
        """The step for which the lowest eigenvalue of ``H + λI`` is ``least``."""
        return -g / (above + least)

    def excess(least: float) -> float:
        return 1.0 / radius - 1.0 / float(norm(step_at(least)))

    interior = lowest > 0 and norm(step_at(lowest)) <= radius
    if interior:
        s = step_at(lowest)
    else:
        length = float(norm(g))
        smallest = max(0.0, lowest) + FLOAT64_EPSILON * (largest + length / radius)
        s = step_at(smallest)
        if norm(s) > radius:
            # The root has the scale of H, so the absolute tolerance must be tiny.
            bound = (smallest + length / radius) * (1 + 8 * FLOAT64_EPSILON)
            s = step_at(brentq(excess, smallest, bound, xtol=FLOAT64_TINY))
        else:  # the hard case: the gradient has no component along the lowest curvature
            along = np.sqrt(max(radius**2 - float(s[1:] @ s[1:]), 0.0))
            s[0] = along if g[0] <= 0 else -along
    decrease = -float(g @ s + s @ (eigenvalues * s) / 2)
    return ModelStep(vectors @ s, decrease, bool(interior))
