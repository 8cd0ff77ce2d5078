"""The length of a step that need not be Newton's: halved, or lengthened while it gains."""

from __future__ import annotations

import numpy as np

from mcmodels.objectives.user_loss import UserDerivatives, UserObjective
from mcmodels.rows import Slope
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.tolerances import MAX_HALVINGS_OF_A_GUESS, SUFFICIENT_DECREASE

# A modified step is lengthened by a factor while this share of its first slope is left at its end.
_STILL_STEEP, _LENGTHENING, _MAX_LENGTHENINGS = 0.5, 4.0, 40
# Where the next step ends below float64's range, the objective is compared at this many points on
# the way.
_ON_THE_WAY = 8


@np.errstate(over="ignore", invalid="ignore")
def lengthened(
    objective: UserObjective, current: NewtonIterate[UserDerivatives], curvature: float
) -> float:
    """A length that decreases the objective enough; 0 if none does, inf if there is no limit.

    ``curvature`` is that along the step.
    """
    step = current.direction.step
    value, slope = current.derivatives.value, -current.direction.decrease
    negative_curvature = min(curvature, 0.0)
    if not (slope < 0 or negative_curvature < 0):
        return 0.0

    def at(length: float) -> Slope:
        return objective.slope(current.params + length * step)

    def enough(length: float, reached: float) -> bool:
        predicted = length * slope + length**2 / 2 * negative_curvature
        return bool(reached < value and reached <= value + SUFFICIENT_DECREASE * predicted)

    length, trial, overflowed = 1.0, at(1.0), False
    for _ in range(MAX_HALVINGS_OF_A_GUESS):
        if trial.value > -np.inf and enough(length, trial.value):
            break
        overflowed = trial.value == -np.inf
        length /= 2
        trial = at(length)
    else:
        return 0.0
    if length < 1.0:
        return np.inf if overflowed and _only_falls(objective, current, length) else length
    steep = min(slope, float(trial.gradient @ step))
    for _ in range(_MAX_LENGTHENINGS):
        if not float(trial.gradient @ step) <= _STILL_STEEP * steep:
            return length
        further = at(_LENGTHENING * length)
        if further.value == -np.inf:
            return np.inf if _only_falls(objective, current, length, _LENGTHENING) else length
        if not further.value < trial.value:
            return length
        length, trial = _LENGTHENING * length, further
    return np.inf


def _only_falls(
    objective: UserObjective,
    current: NewtonIterate[UserDerivatives],
    length: float,
    factor: float = 2.0,
) -> bool:
    """Whether the objective decreases all the way to where it is below float64's range.

    A term that overflows too early may hide one that increases: then the values before increase.
    """
    last = current.derivatives.value
    for share in np.linspace(1.0, factor, _ON_THE_WAY):
        found = objective.value(current.params + share * length * current.direction.step)
        if not (found < last or found == -np.inf):
            return False
        last = found
    return True
