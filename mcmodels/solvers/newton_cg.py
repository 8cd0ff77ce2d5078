"""Truncated Newton: steps by conjugate gradients, for more parameters than a Hessian has room for.

A step solves ``H δ = -gradient`` with Hessian-vector products alone, each one pass over the rows,
and only as precisely as the step deserves. Sources: Nocedal and Wright (2006), *Numerical
Optimization*, 2nd ed., algorithm 7.1 (line-search Newton-CG; here without negative curvature, as
the objectives are convex); how precisely, Eisenstat and Walker (1996), *Choosing the forcing terms
in an inexact Newton method*, SIAM J. Sci. Comput. 17(1), choice 2. Lengths and the condition come
from the Ritz values of the diagonally scaled Hessian, which conjugate gradients find on their way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Slope, single_threaded_blas
from mcmodels.solvers.conjugate_gradients import Jacobi, conjugate_gradients
from mcmodels.solvers.newton import (
    NEGLIGIBLE_STEP,
    Iterate,
    NewtonDirection,
    is_small,
    line_search,
    stalled,
)
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.solution import Status

# The first residual of a step, relative to the gradient, and the largest of any.
_FIRST_FORCING, _LARGEST_FORCING = 0.1, 0.5
# Eisenstat and Walker's γ, and the forcing above which it may not fall faster than its square.
_GAMMA, _SAFEGUARD = 0.9, 0.1
# The last step is to leave this share of what is allowed to be left.
_MARGIN = 0.3
# Smallest relative residual that float64 can be asked for.
_LEAST_FORCING = 1e-12
# Most products for one step: a direction of descent is then taken as it is.
_MAX_PRODUCTS = 1000
# Steps shorter than this, relative to the parameters, leave the diagonal as it was.
_SHORT_STEP = 0.1


def iterates(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
) -> Iterator[Iterate[Slope]]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it and the next step would be negligible:
        shorter than 1e-10 of the parameters, in the metric of the Hessian, as in
        :func:`mcmodels.solvers.newton.iterates`. Its length is not computed, but bounded through
        the least Ritz value μ: ``gᵀH⁻¹g ≤ gᵀM⁻¹g / μ`` with M the diagonal of H. Or when float64
        can show no further decrease.
    max_iter : int
        NOT_CONVERGED after this many steps.

    Yields
    ------
    Iterate
        Its direction's rank is not judged, and its condition is the estimate that Ritz values give.
    """
    start = objective.without_gauge(start)
    model = _Model(objective, gradient_tolerance)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = objective.slope(start)
        model.learn_diagonal(start)
    current = Iterate(start, slope, model.direction(start, slope), 0, None)
    if is_small(slope, gradient_tolerance) and _negligible(current):
        current = replace(current, status=Status.CONVERGED)
    yield current
    while current.status is None:
        current = _advance(model, current, gradient_tolerance, max_iter)
        yield current


def _advance(
    model: _Model, current: Iterate[Slope], gradient_tolerance: float, max_iter: int
) -> Iterate[Slope]:
    objective, count = model.objective, current.count + 1
    norm = model.preconditioner.norm
    accepted = line_search(objective.value, objective.slope, current, norm)
    if accepted is None:
        return replace(current, count=count, status=stalled(current, gradient_tolerance))
    params, slope = accepted
    if not current.direction.relative_length < _SHORT_STEP:
        model.learn_diagonal(params)
    if is_small(slope, gradient_tolerance):
        foreseen = Iterate(params, slope, model.foreseen(params, slope), count, None)
        if _negligible(foreseen):
            return replace(foreseen, status=Status.CONVERGED)
    status = Status.NOT_CONVERGED if count >= max_iter else None
    return Iterate(params, slope, model.direction(params, slope), count, status)


def _negligible(state: Iterate[Slope]) -> bool:
    return state.direction.relative_length <= NEGLIGIBLE_STEP


@dataclass
class _Model:
    """What is known of the Hessian, and how precisely the next step is wanted."""

    objective: LinearPredictorObjective
    gradient_tolerance: float
    preconditioner: Jacobi = field(init=False)
    smallest: float = np.inf
    largest: float = 0.0
    norm_before: float = np.inf
    forcing: float = _FIRST_FORCING

    def learn_diagonal(self, params: Array) -> None:
        """Take the diagonal of the Hessian at a point."""
        diagonal = self.objective.hessian_diagonal(params)
        refuse_overflow(np.atleast_2d(diagonal).max(axis=0))
        self.preconditioner = Jacobi.of(diagonal, self.objective.without_gauge)

    def direction(self, params: Array, slope: Slope) -> NewtonDirection:
        """The Newton step, as precisely as it deserves."""
        length = self._length_of(params)
        with single_threaded_blas():
            solved = conjugate_gradients(
                lambda vector: self.objective.hessian_vector_product(params, vector),
                -slope.gradient,
                self.preconditioner,
                tolerance=self._next_forcing(slope, length),
                max_steps=_MAX_PRODUCTS,
            )
        if solved.steps:
            self.smallest = min(self.smallest, solved.smallest)
            self.largest = max(self.largest, solved.largest)
        return self._described(solved.x, -float(np.vdot(slope.gradient, solved.x)), length)

    def foreseen(self, params: Array, slope: Slope) -> NewtonDirection:
        """A bound of the Newton step, without a product; the step is that of steepest descent."""
        bound = self.preconditioner.norm(slope.gradient) ** 2 / self.smallest
        step = -self.preconditioner.apply(slope.gradient)
        return self._described(step, bound, self._length_of(params))

    def _described(self, step: Array, decrease: float, length: float) -> NewtonDirection:
        condition = math.sqrt(self.largest / self.smallest) if self.smallest > 0 else np.inf
        relative = math.sqrt(max(decrease, 0.0)) / length if length > 0 else np.inf
        return NewtonDirection(step, decrease, relative, step.size, condition, ())

    def _length_of(self, params: Array) -> float:
        """``√(θᵀHθ)``."""
        if not params.any():
            return 0.0
        product = self.objective.hessian_vector_product(params, params)
        return math.sqrt(max(float(np.vdot(params, product)), 0.0))

    def _next_forcing(self, slope: Slope, length: float) -> float:
        norm = self.preconditioner.norm(slope.gradient)
        if np.isfinite(self.norm_before):
            before = _GAMMA * self.forcing**2
            chosen = _GAMMA * (norm / self.norm_before) ** 2
            self.forcing = min(max(chosen, before if before > _SAFEGUARD else 0), _LARGEST_FORCING)
        self.norm_before = norm
        largest = float(np.abs(slope.gradient).max(initial=0.0))
        if not (norm > 0 and largest > 0):
            return self.forcing
        # No more than what the end asks for: there is nothing after it to be precise for.
        known = self.smallest if np.isfinite(self.smallest) else 1.0
        enough = min(
            NEGLIGIBLE_STEP * length * math.sqrt(known) / norm, self.gradient_tolerance / largest
        )
        return max(self.forcing, _MARGIN * enough, _LEAST_FORCING)
