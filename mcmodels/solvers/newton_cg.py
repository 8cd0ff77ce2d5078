"""Truncated Newton: steps by conjugate gradients, where the Hessian takes too much memory.

A step solves ``H δ = -gradient`` with Hessian-vector products alone, each one pass over the rows.
Far from the minimum it is solved roughly, near it precisely. Sources: Nocedal and Wright (2006),
*Numerical Optimization*, 2nd ed., algorithm 7.1 (line-search Newton-CG; here without negative
curvature, as the objectives are convex); the precision (forcing term), Eisenstat and Walker (1996),
*Choosing the forcing terms in an inexact Newton method*, SIAM J. Sci. Comput. 17(1), choice 2. The
length of steps and the condition number come from the Ritz values of the diagonally scaled Hessian,
which conjugate gradients compute anyway.
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
    NewtonIterate,
    ProofOfMinimum,
    gradient_is_small,
    line_search,
    status_when_stalled,
)
from mcmodels.solvers.newton_direction import NewtonDirection
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import NEGLIGIBLE_STEP

# The forcing term is the residual of a step relative to the gradient: at first, and at most.
_FIRST_FORCING, _LARGEST_FORCING = 0.1, 0.5
# Eisenstat and Walker's γ and safeguard: where γη² is above the second number for the forcing term
# η, the next one is not below γη².
_GAMMA, _SAFEGUARD = 0.9, 0.1
# No step is solved more precisely than this share of what convergence requires.
_MARGIN = 0.3
# Smallest relative residual that float64 can be asked for.
_LEAST_FORCING = 1e-12
# Largest change of a difference of linear predictors by a step which shows that there is a minimum.
_PROOF = 0.5
# Largest number of products for one step. The approximate step at that point is a direction of
# descent.
_MAX_PRODUCTS = 1000
# After a step shorter than this, relative to the parameters, the diagonal is not computed again.
_SHORT_STEP = 0.1


def newton_cg_iterates(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
    proof: ProofOfMinimum | None = None,
) -> Iterator[NewtonIterate[Slope]]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it and the next step would be negligible, as
        in :func:`mcmodels.solvers.newton.newton_iterates`. Its length is not computed, but bounded
        by the least Ritz value μ: ``gᵀH⁻¹g ≤ gᵀM⁻¹g / μ`` with M the diagonal of H. Also CONVERGED
        when no further decrease can be seen in float64.
    max_iter : int
        NOT_CONVERGED after this many steps.
    proof : ProofOfMinimum, default=None
        Given for a cross-entropy. The status is then CONVERGED only where the step reaches so
        little that there is a minimum nearby; its precision is that of conjugate gradients.

    Yields
    ------
    NewtonIterate
        The rank of its direction is not determined; its condition is estimated by Ritz values.
    """
    start = objective.without_shift(start)
    model = _CurvatureModel(objective, gradient_tolerance, proof)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = objective.slope(start)
        model.learn_diagonal(start)
    current = NewtonIterate(start, slope, model.direction(start, slope), 0, None)
    small = gradient_is_small(slope, gradient_tolerance) and _negligible(current)
    if small and model.minimum_is_proved(current):
        current = replace(current, status=Status.CONVERGED)
    yield current
    while current.status is None:
        current = _advance(model, current, gradient_tolerance, max_iter)
        yield current


def _advance(
    model: _CurvatureModel, current: NewtonIterate[Slope], gradient_tolerance: float, max_iter: int
) -> NewtonIterate[Slope]:
    objective, count = model.objective, current.count + 1
    norm = model.preconditioner.norm
    accepted = line_search(objective.value, objective.slope, current, norm)
    if accepted is None:
        ended = status_when_stalled(current, gradient_tolerance)
        if ended is Status.CONVERGED and not model.minimum_is_proved(current):
            ended = Status.NOT_CONVERGED
        return replace(current, count=count, status=ended)
    params, slope = accepted
    if not current.direction.relative_length < _SHORT_STEP:
        model.learn_diagonal(params)
    if gradient_is_small(slope, gradient_tolerance):
        bounded = NewtonIterate(params, slope, model.bound(params, slope), count, None)
        if _negligible(bounded):
            if model.proof is None or model.proof.is_needless(params, bounded.direction):
                return replace(bounded, status=Status.CONVERGED)
            solved = replace(bounded, direction=model.direction(params, slope))
            if model.minimum_is_proved(solved):
                return replace(solved, status=Status.CONVERGED)
    status = Status.NOT_CONVERGED if count >= max_iter else None
    return NewtonIterate(params, slope, model.direction(params, slope), count, status)


def _negligible(state: NewtonIterate[Slope]) -> bool:
    return state.direction.relative_length <= NEGLIGIBLE_STEP


@dataclass
class _CurvatureModel:
    """Diagonal and Ritz values of the Hessian, and the forcing term of the next step."""

    objective: LinearPredictorObjective
    gradient_tolerance: float
    proof: ProofOfMinimum | None
    preconditioner: Jacobi = field(init=False)
    smallest: float = np.inf
    largest: float = 0.0
    norm_before: float = np.inf
    forcing: float = _FIRST_FORCING

    def minimum_is_proved(self, state: NewtonIterate[Slope]) -> bool:
        """Whether the step shows that there is a minimum nearby."""
        if self.proof is None or self.proof.is_needless(state.params, state.direction):
            return True
        return self.proof.reach(state.params, state.direction.step) <= _PROOF

    def learn_diagonal(self, params: Array) -> None:
        """Compute the diagonal of the Hessian at a point, the preconditioner of the next steps."""
        diagonal = self.objective.hessian_diagonal(params)
        refuse_overflow(np.atleast_2d(diagonal).max(axis=0))
        self.preconditioner = Jacobi.of(diagonal, self.objective.without_shift)

    def direction(self, params: Array, slope: Slope) -> NewtonDirection:
        """The Newton step, solved to the precision of the forcing term."""
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

    def bound(self, params: Array, slope: Slope) -> NewtonDirection:
        """A bound of the Newton step's length, without solving; the step is steepest descent."""
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
        # The last step need only be precise enough for the criterion of convergence.
        # Rounding may leave the smallest eigenvalue below zero.
        known = max(self.smallest, 0.0) if np.isfinite(self.smallest) else 1.0
        enough = min(
            NEGLIGIBLE_STEP * length * math.sqrt(known) / norm, self.gradient_tolerance / largest
        )
        return max(self.forcing, _MARGIN * enough, _LEAST_FORCING)
