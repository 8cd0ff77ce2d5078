"""Most of the way to a minimum for few passes over many rows, with a Hessian that is kept.

A step needs the exact gradient of all rows, but not their exact Hessian. So the parameters are
first fitted to samples of growing size; then steps are taken on all rows with the gradient alone,
preconditioned by the Hessian of the last sample (or, where samples are too small to have one, of
the start) and by the secant updates of L-BFGS: Nocedal and Wright (2006), *Numerical Optimization*,
2nd ed., algorithm 7.4. Where that does not pay, the point is handed back as it is: Newton's method,
which judges the result in any case, goes on from there.
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
from mcmodels.solvers.modified_newton import iterates_of
from mcmodels.solvers.newton import NEGLIGIBLE_STEP, Iterate

# Entries of a design from which a pass over it costs more than the bookkeeping that may save it.
_LARGE = 2**19
# Shares of the rows in the samples, and the fewest rows a sample may have for each parameter: its
# Hessian is that of all rows but for a relative error of about 2√(parameters / rows).
_SHARES = (1 / 64, 1 / 8)
_ROWS_PER_PARAMETER = 20
# Rows for each parameter from which a Hessian costs so much more than a gradient that keeping it
# pays even without samples.
_FEWEST_ROWS_PER_PARAMETER = 4
_SAMPLE_STEPS = 12
_MAX_STEPS = 30
# A step pays when it leaves no more than this share of the length of the one before.
_PAYS = 0.7
_ARMIJO = 1e-4
# What overflows is no decrease, and Newton's method says what it was.
_QUIET = functools.partial(np.errstate, over="ignore", invalid="ignore")
# The last step is foreseen: it is to end within this of the step that counts as negligible.
_FORESIGHT = 0.7


@dataclass(frozen=True)
class Approach:
    """Where the approach stands.

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
class _Model:
    """A quadratic model of the objective: a factor of its Hessian, and secants seen since."""

    factor: ScaledCholesky
    secants: list[tuple[Array, Array, float]] = field(default_factory=list)

    def step(self, gradient: Array) -> Array:
        """Minus the inverse Hessian of the model times the gradient, by two loops."""
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
        """Remember how the gradient changed along a step."""
        s, y = step.ravel(), change.ravel()
        if s @ y > 0:
            self.secants.append((s, y, 1.0 / float(s @ y)))


def passes_are_dear(rows: Rows) -> bool:
    """Whether a pass over the rows costs more than the bookkeeping that may save it."""
    return rows.n_rows * rows.n_params > _LARGE


def approach(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_steps: int,
) -> Iterator[Approach]:
    """Yield points ever nearer to the minimum, as long as that costs less than Newton's method.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    start : ndarray
        First parameters.
    gradient_tolerance : float
        No entry of the gradient shall exceed it at the last point.
    max_steps : int
        Most steps on all rows.

    Yields
    ------
    Approach
        The last is where the minimum is expected; nothing is yielded where there is nothing to
        gain, and then the start stands.
    """
    rows = objective.rows
    if not passes_are_dear(rows):
        return
    if rows.n_present < _FEWEST_ROWS_PER_PARAMETER * start.size:
        return
    found = _from_samples(objective, start)
    if rows.walks_are_costly:
        # Every walk reads the rows anew, so the fewest walks win, and those are Newton's.
        if found is not None:
            yield Approach(found[0], 0)
        return
    if found is None:
        with _QUIET():
            derivatives = objective.derivatives(start)
        factor = _factor(objective, derivatives.hessian, start.shape)
        params, gradient = start, derivatives.gradient
    else:
        params, hessian = found
        factor = _factor(objective, hessian, start.shape)
        with _QUIET():
            gradient = objective.gradient(params)
    if factor is None or not np.isfinite(gradient).all():
        return
    yield from _descend(
        objective, params, gradient, _Model(factor), gradient_tolerance, min(max_steps, _MAX_STEPS)
    )


def _descend(
    objective: LinearPredictorObjective,
    params: Array,
    gradient: Array,
    model: _Model,
    gradient_tolerance: float,
    max_steps: int,
) -> Iterator[Approach]:
    """Steps with the kept Hessian; the last is taken without looking at where it leads.

    Gradients are a third of the work of values, and at both ends of a step they say what it gains:
    about ``(g₀ + g₁)ᵀs/2``.
    """
    before, contraction = np.inf, 1.0
    for count in range(1, max_steps + 1):
        with single_threaded_blas():
            step = model.step(gradient)
            length = _relative_length(gradient, step, params, model)
        latest = length / before
        if latest > _PAYS and count > 2:
            return
        foreseen, contraction = max(contraction, latest), latest
        small = np.abs(gradient).max(initial=0.0) * foreseen <= gradient_tolerance / 2
        if count > 2 and small and length * foreseen <= _FORESIGHT * NEGLIGIBLE_STEP:
            yield Approach(params + step, count)
            return
        with _QUIET():
            reached = objective.gradient(params + step)
        gained = float(np.vdot(gradient + reached, step)) / 2
        if not gained <= _ARMIJO * float(np.vdot(gradient, step)):
            return
        model.learn(step, reached - gradient)
        params, gradient, before = params + step, reached, length
        yield Approach(params, count)


def _relative_length(gradient: Array, step: Array, params: Array, model: _Model) -> float:
    """Length of the step relative to the parameters, both in the metric of the model."""
    decrease = -float(np.vdot(gradient, step))
    point = model.factor.lower.T @ (model.factor.scale * params.ravel())
    return float(np.sqrt(max(decrease, 0.0) / (point @ point))) if point.any() else np.inf


def _factor(
    objective: LinearPredictorObjective, hessian: Array, shape: tuple[int, ...]
) -> ScaledCholesky | None:
    with single_threaded_blas():
        fixed = objective.fix_gauge(hessian, shape)
        diagonal = np.diagonal(fixed)
        if not (np.isfinite(diagonal).all() and (diagonal > 0).all()):
            return None
        return ScaledCholesky.of(fixed, np.sqrt(diagonal))


def _from_samples(objective: LinearPredictorObjective, start: Array) -> tuple[Array, Array] | None:
    """Parameters and Hessian of all rows as the largest sample has them, or None."""
    rows, found = objective.rows, None
    for share in _SHARES:
        wanted = int(share * rows.n_present)
        if wanted < _ROWS_PER_PARAMETER * start.size:
            continue
        sample = rows.sample(wanted)
        if sample is rows or sample.n_present < _ROWS_PER_PARAMETER * start.size:
            return None
        scale = rows.total_weight / sample.total_weight
        part = objective.over(sample, objective.penalty / scale)
        # What more rows will move is not worth converging to.
        enough = 0.5 * np.sqrt(start.size / wanted)
        last = _newton(part, start if found is None else found[0], enough)
        if last is None:
            return None
        found = last.params + last.direction.step, scale * last.derivatives.hessian
    return found


def _newton(objective: LinearPredictorObjective, start: Array, enough: float) -> Iterate | None:
    """Newton's method until a step is no longer than ``enough``, or None when it never is."""
    try:
        newton = iterates_of(objective)
        for state in newton(objective, start, gradient_tolerance=0.0, max_iter=_SAMPLE_STEPS):
            if state.direction.relative_length <= enough:
                return state
    except ValueError:  # numbers that overflow: Newton's method on all rows says which
        pass
    return None
