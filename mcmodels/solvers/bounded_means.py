"""Newton's method for links whose means have bounds: a second start from inside, where it is stuck.

A step may end at the bounds of the domain of η, far from the minimum, and then each further one
leaves it. From there a logarithmic barrier leads back: ``ℓ(y, η) - τ log(η - l) - τ log(u - η)`` is
minimised for ever smaller τ. Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., §19.6.
Where the largest likelihood is at the bounds, there is no minimum inside, and the fit ends near it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.solvers import irls
from mcmodels.solvers.fit_state import Progress
from mcmodels.solvers.solution import Status

__all__ = ["fit_within_bounds"]

# τ, beside losses of about one for each row. Larger ones outweigh losses that grow as a logarithm.
_BARRIERS = tuple(10.0**-k for k in range(2, 9))
# Gradients of the fits with a barrier, by the total weight: their minima are only starts.
_ROUGH = 1e-6


def fit_within_bounds(
    objective: UserObjective, loss: FamilyLoss, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, as :func:`mcmodels.solvers.irls.fit` does.

    Steps with a barrier are counted, and not yielded.
    """
    last: Progress | None = None
    for step in irls.fit(objective, start, tol=tol, max_iter=max_iter):
        if step.status is Status.NOT_CONVERGED and np.isfinite(loss.domain).any():
            last = step
            break
        yield step
    if last is None or last.iterate is None:
        return
    params, count = start, last.iterate.count
    for tau in _BARRIERS:
        if count >= max_iter:
            yield last
            return
        barrier = UserLoss(_WithBarrier(loss, tau, *loss.domain))
        within = UserObjective(objective.rows, barrier, objective.penalty)
        *_, step = irls.fit(within, params, tol=_ROUGH, max_iter=max_iter - count)
        count += _steps(step)
        if step.status is not Status.UNBOUNDED:
            params = step.params
    for step in irls.fit(objective, params, tol=tol, max_iter=max(max_iter - count, 1)):
        iterate = step.iterate
        if iterate is not None:
            step = replace(step, iterate=replace(iterate, count=iterate.count + count))
        yield step


def _steps(step: Progress) -> int:
    return step.count if step.iterate is None else step.iterate.count


@dataclass(frozen=True)
class _WithBarrier:
    """``ℓ(y, η) - τ log(η - l) - τ log(u - η)``; bounds that are infinite add nothing."""

    loss: FamilyLoss
    tau: float
    least: float
    largest: float

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders."""
        value, slope, curvature = self.loss(y, eta, (0, 1, 2))
        with np.errstate(all="ignore"):
            for bound, side in ((self.least, 1.0), (self.largest, -1.0)):
                if np.isfinite(bound):
                    distance = side * (eta - bound)
                    value = value - self.tau * np.log(np.maximum(distance, 0.0))
                    slope = slope - self.tau * side / distance
                    curvature = curvature + self.tau / distance**2
        return tuple((value, slope, curvature)[order] for order in orders)
