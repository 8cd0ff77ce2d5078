"""Steps with a fixed Hessian: they approach the minimum in few passes over many rows.

A step needs the exact gradient of all rows, but not their exact Hessian. So the parameters are
first fitted to samples of growing size. Then steps are taken on all rows with the gradient alone.
Their Hessian is that of the last sample, with the secant updates of L-BFGS: Nocedal and Wright
(2006), *Numerical Optimization*, 2nd ed., algorithm 7.4. Where there are too few rows for samples,
it is the Hessian of all rows at the start. When steps no longer gain enough, Newton's method goes
on from the point that was reached; it decides on convergence in any case.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Rows, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.modified_newton import newton_iterates_for
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.tolerances import (
    LARGE_DESIGN,
    NEGLIGIBLE_STEP,
    ROWS_PER_PARAMETER,
    SUFFICIENT_DECREASE,
)

# Shares of the rows in the samples. Where walks are costly, all rows that are in memory follow. Of
# several classes, whose Hessian takes as long as many gradients, a large share is taken where the
# others have too few rows.
_SHARES, _LARGE_SHARE = (1 / 64, 1 / 8), 1 / 2
# Fewest rows of such a sample for each parameter: ten classes took a third to a half of the time
# that they take with 20.
_SAMPLED_ROWS_OF_CLASSES = 8
# Fewest rows for each parameter: with fewer, a Hessian costs too little for it to be worth keeping.
_FEWEST_ROWS_PER_PARAMETER = 4
# Largest numbers of Newton steps on a sample, and of steps with the kept Hessian.
_SAMPLE_STEPS, _MAX_STEPS = 12, 30
# The steps go on while each is shorter than this share of the one before.
_CONTRACTION = 0.7
# The last step is taken when the step after it is predicted to be shorter than this share of a
# negligible one.
_LAST_STEP_MARGIN = 0.7
# A step that overflows is not taken here; Newton's method reports the cause.
_QUIET = functools.partial(np.errstate, over="ignore", invalid="ignore")


@dataclass(frozen=True)
class Approach:
    """A point on the way to the minimum.

    Parameters
    ----------
    params : ndarray
        The parameters.
    count : int
        Steps taken on all rows.
    """

    params: Array
    count: int


@dataclass
class _SecantModel:
    """A quadratic model of the objective: a factor of its Hessian, and secants of later steps."""

    factor: ScaledCholesky
    secants: list[tuple[Array, Array, float]] = field(default_factory=list)

    def step(self, gradient: Array) -> Array:
        """Minus the inverse Hessian of the model times the gradient (two-loop recursion)."""
        q = gradient.ravel().copy()
        coefficients = []
        for s, y, rho in reversed(self.secants):
            a = rho * (s @ q)
            q -= a * y
            coefficients.append(a)
        r = self.factor.apply(q)
        for (s, y, rho), a in zip(self.secants, reversed(coefficients), strict=True):
            r += (a - rho * (y @ r)) * s
        return -r.reshape(gradient.shape)

    def learn(self, step: Array, change: Array) -> None:
        """Add the secant of a step: how the gradient changed along it."""
        s, y = step.ravel(), change.ravel()
        if s @ y > 0:
            self.secants.append((s, y, 1.0 / float(s @ y)))


def passes_are_expensive(rows: Rows) -> bool:
    """Whether a pass over the rows costs more than the computations that may save one."""
    return rows.n_rows * rows.n_params > LARGE_DESIGN


def saves_passes(rows: Rows, n_params: int) -> bool:
    """Whether steps with a kept Hessian may take less time than Newton's."""
    return passes_are_expensive(rows) and rows.n_present >= _FEWEST_ROWS_PER_PARAMETER * n_params


def approach(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_steps: int,
) -> Iterator[Approach]:
    """Yield points nearer and nearer to the minimum, while that costs less than Newton's method.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    start : ndarray
        First parameters.
    gradient_tolerance : float
        No entry of the gradient shall exceed it at the last point.
    max_steps : int
        Largest number of steps on all rows.

    Yields
    ------
    Approach
        The last one is near the minimum. Nothing is yielded if this method would save no time.
    """
    rows = objective.rows
    if not saves_passes(rows, start.size):
        return
    found = _from_samples(objective, start)
    if rows.walks_are_costly:
        # Each pass reads the rows from their source; Newton's method needs the fewest passes.
        if found is not None:
            yield Approach(found[0], 0)
        return
    gradient = None
    if found is None:
        with _QUIET():
            derivatives = objective.derivatives(start)
        found, gradient = (start, derivatives.hessian), derivatives.gradient
    yield from descend_from(
        objective,
        *found,
        gradient=gradient,
        gradient_tolerance=gradient_tolerance,
        max_steps=max_steps,
    )


def descend_from(
    objective: LinearPredictorObjective,
    params: Array,
    hessian: Array,
    *,
    gradient: Array | None = None,
    gradient_tolerance: float,
    max_steps: int,
) -> Iterator[Approach]:
    """The same from a point near the minimum, with a Hessian that is known to be near its own.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    params : ndarray
        The point.
    hessian : ndarray
        Of the objective somewhere near.
    gradient : ndarray, default=None
        At the point, where it is known.
    gradient_tolerance, max_steps
        Those of :func:`approach`.
    """
    factor = _factor(objective, hessian, params.shape)
    if gradient is None:
        with _QUIET():
            gradient = objective.gradient(params)
    if factor is None or not np.isfinite(gradient).all():
        return
    steps, model = min(max_steps, _MAX_STEPS), _SecantModel(factor)
    yield from _descend(objective, params, gradient, model, gradient_tolerance, steps)


def _descend(
    objective: LinearPredictorObjective,
    params: Array,
    gradient: Array,
    model: _SecantModel,
    gradient_tolerance: float,
    max_steps: int,
) -> Iterator[Approach]:
    """Steps with the kept Hessian; the last is taken without evaluating the objective at its end.

    Gradients are a third of the work of values. The gradients g₀, g₁ at both ends of a step s give
    what it gains: about ``(g₀ + g₁)ᵀs/2``.
    """
    before, contraction = np.inf, 1.0
    for count in range(1, max_steps + 1):
        with single_threaded_blas():
            step = model.step(gradient)
            length = _relative_length(gradient, step, params, model)
        if not length > 0:
            return
        latest = length / before
        if latest > _CONTRACTION and count > 2:
            return
        predicted, contraction = max(contraction, latest), latest
        small = np.abs(gradient).max(initial=0.0) * predicted <= gradient_tolerance / 2
        if count > 2 and small and length * predicted <= _LAST_STEP_MARGIN * NEGLIGIBLE_STEP:
            yield Approach(params + step, count)
            return
        with _QUIET():
            reached = objective.gradient(params + step)
        gained = float(np.vdot(gradient + reached, step)) / 2
        if not gained <= SUFFICIENT_DECREASE * float(np.vdot(gradient, step)):
            return
        model.learn(step, reached - gradient)
        params, gradient, before = params + step, reached, length
        yield Approach(params, count)


def _relative_length(gradient: Array, step: Array, params: Array, model: _SecantModel) -> float:
    """Length of the step relative to the parameters, both in the metric of the model."""
    decrease = -float(np.vdot(gradient, step))
    point = model.factor.lower.T @ (model.factor.scale * params.ravel())
    return float(np.sqrt(max(decrease, 0.0) / (point @ point))) if point.any() else np.inf


def _factor(
    objective: LinearPredictorObjective, hessian: Array, shape: tuple[int, ...]
) -> ScaledCholesky | None:
    if not np.isfinite(np.diagonal(hessian)).all():
        return None
    with single_threaded_blas():
        fixed = objective.with_shift_curvature(hessian, shape)
        diagonal = np.diagonal(fixed)
        if not (diagonal > 0).all():
            return None
        return ScaledCholesky.of(fixed, np.sqrt(diagonal))


def _from_samples(objective: LinearPredictorObjective, start: Array) -> tuple[Array, Array] | None:
    """Parameters and Hessian of all rows, estimated from the largest sample; None if that fails."""
    rows, found, before = objective.rows, None, 0
    several = start.ndim > 1
    fewest = (_SAMPLED_ROWS_OF_CLASSES if several else ROWS_PER_PARAMETER) * start.size
    for share in _shares(rows, start):
        wanted = int(share * rows.n_present)
        if wanted < fewest:
            continue
        if share == _LARGE_SHARE and found is not None:
            break
        sample = rows.sample(wanted)
        if sample.n_present <= before:
            break
        if sample is rows or sample.n_present < fewest:
            return None
        scale, before = rows.total_weight / sample.total_weight, sample.n_present
        part = objective.over(sample, objective.penalty / scale)
        # From the sample to all rows the parameters change by about this much, so more precision is
        # not needed.
        enough = 0.5 * np.sqrt(start.size / sample.n_present)
        last = _newton(part, start if found is None else found[0], enough)
        if last is None:
            return None
        found = last.params + last.direction.step, scale * last.derivatives.hessian
    return found


def _shares(rows: Rows, start: Array) -> tuple[float, ...]:
    if rows.walks_are_costly:
        return *_SHARES, 1.0
    return (*_SHARES, _LARGE_SHARE) if start.ndim > 1 else _SHARES


def _newton(
    objective: LinearPredictorObjective, start: Array, enough: float
) -> NewtonIterate | None:
    """Newton's method until a step is no longer than ``enough``; None if that fails."""
    try:
        newton = newton_iterates_for(objective)
        for state in newton(objective, start, gradient_tolerance=0.0, max_iter=_SAMPLE_STEPS):
            if state.direction.relative_length**2 <= enough:
                return state
    except ValueError:  # an overflow: Newton's method on all rows reports its cause
        pass
    return None
