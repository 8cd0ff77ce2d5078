"""The infimum of an objective that has no minimum, and of the same with a parameter held.

Along a direction of recession the rows that grow lose all of their loss, up to its infimum, and the
others do not change. If the others have a minimum, it is the infimum of all, less what those that
grow cannot lose: Geyer (2009), *Likelihood inference in exponential families and directions of
recession*, Electronic Journal of Statistics 3, theorem 6. If they have none, there is a direction
along which some of them grow, and so on; there are fewer of them each time.

Let C be the cone of all directions of recession, and c pick a parameter. The rows that rest along
all of C are those that rest in the end. Those that rest along all of C that leaves the parameter as
it is are found in the same way, without its column. They are the same or more:

- More: then c has one sign on C, as the sum of directions with both signs, scaled, would leave the
  parameter as it is, and make as many rows grow. The parameter diverges to that side, and its
  profile over the rows that rest without it falls to the infimum.
- The same, and the column of the parameter depends on the others in them: the profile is the
  infimum at all values.
- The same, and it does not: the parameter has its ordinary profile over the rows that rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import RowBlock, SelectedRows, Slope, WithoutColumn
from mcmodels.solvers import irls
from mcmodels.solvers.conclusion import separating_direction
from mcmodels.solvers.coordinates import orthonormal_coordinates
from mcmodels.solvers.family_starts import least_squares_start
from mcmodels.solvers.fit_state import Placed
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.proved_recession import has_minimum, proved_direction
from mcmodels.solvers.separation import grows
from mcmodels.solvers.starts import intercept_start

__all__ = ["Limit", "limit_of", "over_resting"]

# Fits of the rows that rest end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-11, 200


@dataclass(frozen=True)
class Limit:
    """The infimum of an objective, and where it is approached.

    Parameters
    ----------
    value : float
        The infimum.
    params : ndarray of shape (P,)
        A minimum over the rows that rest; the infimum is approached from here along the directions.
    objective : LinearPredictorObjective or None
        The objective over the rows that rest; None if there are none.
    grown : float
        What the other rows cannot lose: the sum of the infima of their losses.
    n_resting : int
        How many rows rest.
    rank : int
        Of their design.
    directions : tuple of ndarray of shape (P,)
        Directions of recession; along the second no row changes its side that rests along the
        first, and so on. Empty if there is a minimum.
    """

    value: float
    params: Array
    objective: LinearPredictorObjective | None
    grown: float
    n_resting: int
    rank: int
    directions: tuple[Array, ...]


def limit_of(
    objective: LinearPredictorObjective,
    start: Array | None,
    without: int | None = None,
    held: float = 0.0,
) -> Limit | None:
    """The infimum of an objective of one output without a penalty; None where it was not proved.

    Parameters
    ----------
    objective : LinearPredictorObjective
        The objective.
    start : ndarray of shape (P,), or None
        First parameters; zero coefficients and the best intercept if there are none.
    without : int, default=None
        The position of a parameter that is held.
    held : float, default=0.0
        At which value.
    """
    P = objective.rows.n_params

    def whole(params: Array, value: float) -> Array:
        return params if without is None else np.insert(params, without, value)

    kept = np.delete(np.arange(P), [] if without is None else [without])
    first, directions = None if start is None else start[kept], list[Array]()
    while True:
        resting = over_resting(objective, tuple(directions))
        if resting is None or not kept.size:
            nowhere = whole(np.zeros(kept.size), held)
            return _limit(objective, resting, tuple(directions), nowhere, 0)
        part = resting
        if without is not None:
            part = resting.over(WithoutColumn(resting.rows, without, held), 0.0)
        if first is None or not np.isfinite(part.value(first)):
            first = _start(part)
        direction = None
        for placed, state in _ends(part, first):
            first = placed.to_users(state.params)
            if has_minimum(placed, state):
                reached = whole(first, held)
                return _limit(objective, resting, tuple(directions), reached, state.params.size)
            if not isinstance(part, UserObjective):
                direction = separating_direction(placed, state)
            if direction is not None:
                break
        else:
            direction = proved_direction(placed, state)
        if direction is None:
            return None
        directions.append(whole(direction, 0.0))


def _ends(
    objective: LinearPredictorObjective, start: Array
) -> Iterator[tuple[Placed, NewtonIterate[Slope]]]:
    """The end of a fit, then that of one in the coordinates of orthonormal columns.

    Rows that rest may have columns that depend on each other.
    """
    *_, last = irls.fit(objective, start, tol=_PRECISE, max_iter=_MAX_STEPS)
    if last.iterate is not None:
        yield Placed(objective, last.coordinates), last.iterate
    placed = Placed(objective, orthonormal_coordinates(objective.rows))
    bound = _PRECISE * objective.rows.total_weight
    *_, state = placed.newton_iterates(placed.by_predictors(last.params), bound, _MAX_STEPS, 0)
    yield placed, state


def _limit(
    objective: LinearPredictorObjective,
    resting: LinearPredictorObjective | None,
    directions: tuple[Array, ...],
    params: Array,
    rank: int,
) -> Limit:
    grown = 0.0
    if directions:
        others = SelectedRows(objective.rows, lambda block: ~_rests(objective, directions, block))
        loss = objective.loss
        grown = others.reduce(lambda block: float(block.weighted(loss.infimum(block.y)).sum()))
    value, n_resting = grown, 0
    if resting is not None:
        value, n_resting = grown + resting.value(params), resting.rows.n_present
    return Limit(value, params, resting, grown, n_resting, rank, directions)


def over_resting(
    objective: LinearPredictorObjective, directions: tuple[Array, ...]
) -> LinearPredictorObjective | None:
    """The objective over the rows that rest along all of the directions; None if none does."""
    if not directions:
        return objective.over(objective.rows, 0.0)
    rows = SelectedRows(objective.rows, lambda block: _rests(objective, directions, block))
    return objective.over(rows, 0.0) if rows.n_present else None


def _rests(
    objective: LinearPredictorObjective, directions: tuple[Array, ...], block: RowBlock
) -> npt.NDArray[np.bool_]:
    """Which rows of a block rest along all of the directions."""
    coded = replace(block, y=objective.loss.falls(block.y))
    found = np.ones(block.X.n_rows, dtype=bool)
    for direction in directions:
        found &= ~grows(coded, direction)
    return found


def _start(objective: LinearPredictorObjective) -> Array:
    """Parameters at which the objective is small.

    Beside a parameter that is held, other features may have to make up for its large share of η.
    """
    if not isinstance(objective, UserObjective):
        return np.zeros(objective.rows.n_params)
    found, family = intercept_start(objective), objective.loss.derivatives
    if not isinstance(family, FamilyLoss):
        return found
    with np.errstate(all="ignore"):  # a value that is not finite is not the better one
        near = least_squares_start(objective, family)
        values = np.array([objective.value(found), objective.value(near)])
    return found if np.nan_to_num(values, nan=np.inf).argmin() == 0 else near
