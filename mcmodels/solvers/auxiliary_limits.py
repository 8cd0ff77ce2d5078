"""An auxiliary parameter that grows for ever, while the objective tends to a limit.

Of counts with less variance than a Poisson distribution has, the likelihood of the negative
binomial distribution increases as its dispersion goes to zero, and reaches its supremum nowhere.
The logarithm of the dispersion then falls without end. The derivative by it decreases like an
exponential, or of other parameters like a power, until rounding errors hide it: values of a loss
written as a difference of large terms even rise and fall at random there. So the evidence is
gathered before: the parameter is held at a ladder of points, the others are at their best at each,
and the derivatives must fall by the same factor from each point to the next, until rounding errors
are the reason why they no longer do, or until what is left to fall cannot be seen in the objective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.auxiliary import AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.newton_direction import NewtonDirection
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import UNVERIFIABLE_DECREASE

__all__ = ["LimitDirection", "has_gone_far", "towards_limit"]

# An auxiliary parameter has gone far if it has changed by so many times its size, or this number.
_FAR = 5.0
# Most points of a ladder.
_POINTS = 40
# So many ratios of neighbouring derivatives must be equal up to the share that is given second, and
# none may be larger than the third number: what is left to fall is then finite.
_RATIOS, _EQUAL, _LARGEST_RATIO = 5, 0.03, 0.75
# Moves over which a derivative changes by rounding alone; so many times their effect is noise.
_TINY_MOVE, _MARGIN = 1e-9, 10.0
# Steps to the best values of the other parameters, and halvings of each.
_STEPS, _HALVINGS = 30, 20
# These are at their best where a step would decrease the objective by this share of it; by the
# second, if rounding errors hide the decrease.
_NEGLIGIBLE, _HIDDEN = 1e-13, 1e-10


@dataclass(frozen=True)
class LimitDirection(NewtonDirection):
    """A step along an auxiliary parameter that grows for ever.

    Parameters
    ----------
    limit : float
        What the objective tends to.
    """

    limit: float = np.nan


@dataclass(frozen=True)
class _Point:
    """A point of a ladder to which derivatives have fallen by a constant factor.

    Parameters
    ----------
    params : ndarray of shape (P + q,)
        The parameters, all but one at their best.
    known : UserDerivatives
        The derivatives there.
    falling : float
        How fast the objective falls along the parameter that is held.
    ratio : float
        ``falling`` here, divided by that at the point before.
    place : float or None
        The parameter that is held, if it was doubled from point to point; None if 1 was added.
    """

    params: Array
    known: UserDerivatives
    falling: float
    ratio: float
    place: float | None

    @property
    def left(self) -> float:
        """What is left to fall.

        Of a derivative d that falls like ``e^(-ct)`` it is ``d/c``, of one like ``t^(-p)``
        ``dt/(p - 1)``.
        """
        decay = -float(np.log(self.ratio))
        if self.place is None:
            return self.falling / decay
        power = decay / np.log(2.0)
        return self.falling * abs(self.place) / (power - 1.0) if power > 1.0 else np.inf

    @property
    def is_hidden(self) -> bool:
        """Whether values of the objective cannot show what is left."""
        return self.left <= UNVERIFIABLE_DECREASE * abs(self.known.value)

    def ended(
        self, current: NewtonIterate[UserDerivatives], k: int, side: float
    ) -> NewtonIterate[UserDerivatives] | None:
        """The iterate here, where the fit ends; None if the objective has no limit."""
        if not self.left < np.inf:
            return None
        step = side * np.eye(1, self.params.size, k)[0]
        plain = replace(current.direction, step=step, decrease=self.falling)
        fields = {name: getattr(plain, name) for name in NewtonDirection.__dataclass_fields__}
        direction = LimitDirection(**fields, limit=self.known.value - self.left)
        return NewtonIterate(self.params, self.known, direction, current.count, Status.UNBOUNDED)


def towards_limit(
    objective: AuxiliaryObjective, current: NewtonIterate[UserDerivatives], start: Array
) -> NewtonIterate[UserDerivatives] | None:
    """The iterate where an auxiliary parameter is seen to grow for ever, or None.

    Parameters
    ----------
    objective : AuxiliaryObjective
        What is minimised.
    current : NewtonIterate
        Where the fit has ended.
    start : ndarray of shape (P + q,)
        Where it began.
    """
    moved = current.params - start
    far = has_gone_far(start, current.params)
    far[: objective.rows.n_params] = False
    for k in np.flatnonzero(far).tolist():
        side, first = float(np.sign(moved[k])), float(start[k])
        ladders = [first + side * np.arange(1.0, _POINTS)]
        if first * side > 0:
            ladders.append(first * 2.0 ** np.arange(1.0, _POINTS))
        for ladder in ladders:
            found = _along(objective, current, k, side, ladder)
            if found is not None:
                return found
    return None


def has_gone_far(first: Array, last: Array) -> npt.NDArray[np.bool_]:
    """Which auxiliary parameters have changed by several times their size, or by several units."""
    found: npt.NDArray[np.bool_] = np.abs(last - first) > _FAR * np.maximum(np.abs(first), 1.0)
    return found


def _along(
    objective: AuxiliaryObjective,
    current: NewtonIterate[UserDerivatives],
    k: int,
    side: float,
    ladder: Array,
) -> NewtonIterate[UserDerivatives] | None:
    """The last point of a ladder to which derivatives fall by a constant factor, or None."""
    params = current.params.copy()
    falls, last, explained = list[float](), None, True
    for place in ladder.tolist():
        params = params.copy()
        params[k] = place
        reached = _best_others(objective, params, k)
        if reached is None:
            explained = False
            break
        params, known = reached
        falls.append(-side * float(known.gradient[k]))
        if len(falls) <= _RATIOS:
            continue
        falling = np.array(falls[-_RATIOS - 1 :])
        with np.errstate(all="ignore"):
            ratios = falling[1:] / falling[:-1]
        steady = np.ptp(ratios) <= _EQUAL * ratios.mean() and ratios.max() <= _LARGEST_RATIO
        if (falling > 0).all() and steady:
            doubled = ladder[1] - ladder[0] != ladder[2] - ladder[1]
            last = _Point(params, known, falls[-1], float(ratios[-1]), place if doubled else None)
            if last.is_hidden:
                break
        elif last is not None:
            expected = last.falling * last.ratio
            explained = abs(falls[-1] - expected) <= _noise(objective, params, k)
            break
    if last is None or not (explained or last.is_hidden):
        return None
    return last.ended(current, k, side)


def _noise(objective: AuxiliaryObjective, params: Array, k: int) -> float:
    """How much rounding errors may change the derivative: by its spread over tiny moves."""
    moves = _TINY_MOVE * max(abs(params[k]), 1.0) * np.eye(1, params.size, k)[0]
    near = [float(objective.slope(params + m * moves).gradient[k]) for m in range(-4, 5)]
    return _MARGIN * float(np.ptp(near))


@np.errstate(all="ignore")  # the loss may not be defined at the end of a step
def _best_others(
    objective: AuxiliaryObjective, params: Array, k: int
) -> tuple[Array, UserDerivatives] | None:
    """The least objective with one parameter held, by Newton's method; None if it is not found."""
    known = objective.derivatives(params)
    others = np.delete(np.arange(params.size), k)
    for _ in range(_STEPS):
        if not known.is_finite:
            return None
        try:
            factor = linalg.cho_factor(known.hessian[np.ix_(others, others)], check_finite=False)
        except linalg.LinAlgError:
            return None
        step = np.zeros(params.size)
        step[others] = -linalg.cho_solve(factor, known.gradient[others], check_finite=False)
        decrease = -float(known.gradient @ step)
        if decrease <= _NEGLIGIBLE * abs(known.value):
            return params, known
        for halving in range(_HALVINGS):
            reached = objective.derivatives(params + 0.5**halving * step)
            if reached.value <= known.value:
                break
        else:
            return (params, known) if decrease <= _HIDDEN * abs(known.value) else None
        params, known = params + 0.5**halving * step, reached
    return None
