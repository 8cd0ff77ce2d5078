"""Where fits of generalized linear models start: at means that the family can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.families import Binomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import RowBlock, Rows, WithoutFeatures
from mcmodels.solvers import irls
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.starts import intercept_start

__all__ = ["constant_predictor", "family_start", "least_squares_start", "rows_at_bounds"]

# The share of the constant mean in the first means of rows; R's and glum's start is the same.
_TOWARDS_THE_MEAN = 0.5
# Where the mean of a binomial target would be 0 or 1.
_CONTINUITY = 0.5
# Distances from the bounds of the domain that are tried, as shares of its width or of a typical η.
_MARGINS, _MAX_STEPS = (0.1, 1e-2, 1e-4, 1e-6, 1e-8), 50
# A distance from the bounds, by the largest η, that is none.
_AT_BOUNDS = 1e-8
# Gradient of a constant predictor, by the total weight.
_PRECISE = 1e-10


def family_start(objective: UserObjective, loss: FamilyLoss) -> Array | None:
    """Parameters at which every row has a mean of the family; None if none were found.

    With an intercept, zero coefficients and the best intercept. Where that gives a row no mean, or
    without an intercept where zero gives none, weighted least squares of ``g(m) - offset`` on the
    features, with m between each target and the mean of all.
    """
    with np.errstate(all="ignore"):  # what is not finite is no start
        mean, least, largest = _targets(objective, loss)
        centre = float(loss.link.predictor(np.array([mean]))[0])
        candidates = (centre, centre - least, centre - largest, -least + abs(centre))
        found = intercept_start(objective, [b for b in candidates if np.isfinite(b)])
        # Its coefficients are zero, so that no feature need be read.
        rows = objective.rows
        constant = objective.over(WithoutFeatures(rows, intercept=rows.intercept), 0.0)
        if np.isfinite(constant.value(found[rows.n_features :])):
            return found
        found = _least_squares(objective, loss, mean)
        if np.isfinite(objective.value(found)):
            return found
        return _inside(objective, loss, found, centre) if np.isfinite(found).all() else None


def least_squares_start(objective: UserObjective, loss: FamilyLoss) -> Array:
    """Weighted least squares of ``g(m) - offset`` on the features, m as in :func:`family_start`.

    Where features must make up for a large offset, zero coefficients are far from every minimum.
    """
    return _least_squares(objective, loss, _targets(objective, loss)[0])


def constant_predictor(rows: Rows, loss: FamilyLoss) -> Array:
    """The best intercept for rows without features, shape (1,)."""
    objective = UserObjective(rows, UserLoss(loss))
    start = family_start(objective, loss)
    if start is None:
        raise ValueError("with these offsets no intercept gives each row a mean of the family.")
    *_, step = fit_within_bounds(objective, loss, start, tol=_PRECISE, max_iter=100)
    return step.params


def _inside(
    objective: UserObjective, loss: FamilyLoss, start: Array, centre: float
) -> Array | None:
    """Parameters near ``start`` at which every η is inside the domain; None if none were found.

    They minimise the squares of what η lacks of a distance from the bounds. If that distance can be
    kept in all rows, the least sum is zero. Narrow domains need short distances.
    """
    least, largest = loss.domain
    room = largest - least if np.isfinite(largest - least) else abs(centre)
    for share in _MARGINS:
        margin = share * room
        distance = UserObjective(objective.rows, UserLoss(_Lack(least + margin, largest - margin)))
        *_, step = irls.fit(distance, start, tol=0.0, max_iter=_MAX_STEPS)
        if np.isfinite(objective.value(step.params)):
            return step.params
    return None


@dataclass(frozen=True)
class _Lack:
    """``(l - η)₊² + (η - u)₊²``, a loss that has no target."""

    least: float
    largest: float

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders."""
        lack = np.maximum(self.least - eta, 0.0) - np.maximum(eta - self.largest, 0.0)
        found = lack**2, -2.0 * lack, 2.0 * (lack != 0)
        return tuple(found[order] for order in orders)


def _targets(objective: UserObjective, loss: FamilyLoss) -> tuple[float, float, float]:
    """The mean of the targets, inside the range of means; the least and the largest offset."""
    rows = objective.rows

    def summarise(block: RowBlock) -> _Range:
        offset = block.offset_or_zeros
        total = float(block.weighted(block.y).sum())
        return _Range(total, float(offset.min(initial=np.inf)), float(offset.max(initial=-np.inf)))

    found = WithoutFeatures(rows).reduce(summarise)
    n = rows.total_weight
    if isinstance(loss.family, Binomial):
        mean = (found.total + _CONTINUITY) / (n + 2 * _CONTINUITY)
    else:
        mean = found.total / n
        if not loss.family.has_mean(np.array([mean]))[0]:
            mean = _CONTINUITY / n
    return mean, found.least, found.largest


def _least_squares(objective: UserObjective, loss: FamilyLoss, mean: float) -> Array:
    def summarise(block: RowBlock) -> Any:
        mu = _TOWARDS_THE_MEAN * block.y + (1.0 - _TOWARDS_THE_MEAN) * mean
        with np.errstate(all="ignore"):
            z = loss.link.predictor(mu) - block.offset_or_zeros
            weights = block.weighted(loss.expected_curvature(loss.link.predictor(mu)))
        usable = np.isfinite(z) & np.isfinite(weights)
        z, weights = np.where(usable, z, 0.0), np.where(usable, weights, 0.0)
        return _Normal(block.X.sandwich(weights), block.X.adjoint(weights * z))

    sums = objective.rows.reduce(summarise)
    matrix = sums.sandwich.matrix()
    if not (np.isfinite(matrix).all() and np.isfinite(sums.right).all()):
        return np.full(len(matrix), np.nan)  # LAPACK would print a complaint
    scale = np.sqrt(np.where(np.diagonal(matrix) > 0, np.diagonal(matrix), 1.0))
    solved = np.linalg.lstsq(matrix / np.outer(scale, scale), sums.right / scale, rcond=None)[0]
    return np.asarray(solved / scale)


def rows_at_bounds(objective: LinearPredictorObjective, loss: FamilyLoss, optimum: Optimum) -> int:
    """The number of rows that are at the bounds of the domain, or leave it by a Newton step."""
    least, largest = loss.domain
    if optimum.hessian is None or not np.isfinite([least, largest]).any():
        return 0
    solved = np.linalg.lstsq(optimum.hessian, -optimum.gradient, rcond=None)[0]
    step = np.asarray(solved, dtype=np.float64)
    size = objective.rows.reduce(
        lambda block: _Largest(np.abs(block.linear_predictor(optimum.params)).max(initial=0.0))
    ).value

    def count(block: RowBlock) -> int:
        eta = block.linear_predictor(optimum.params)
        at_bounds = np.minimum(eta - least, largest - eta) <= _AT_BOUNDS * size
        outside = loss.outside(eta + block.X.predictor(step))
        return int(np.count_nonzero(at_bounds if outside is None else at_bounds | outside))

    with np.errstate(all="ignore"):
        return objective.rows.reduce(count)


class _Largest:
    """The largest of some values; ``+`` merges two."""

    def __init__(self, value: float) -> None:
        self.value = float(value)

    def __add__(self, other: _Largest) -> _Largest:
        return _Largest(max(self.value, other.value))


class _Range:
    """A sum, and the least and the largest of some values; ``+`` merges two."""

    def __init__(self, total: float, least: float, largest: float) -> None:
        self.total, self.least, self.largest = total, least, largest

    def __add__(self, other: _Range) -> _Range:
        least, largest = min(self.least, other.least), max(self.largest, other.largest)
        return _Range(self.total + other.total, least, largest)


class _Normal:
    """Normal equations; ``+=`` adds those of other rows."""

    def __init__(self, sandwich: Any, right: Array) -> None:
        self.sandwich, self.right = sandwich, right

    def __iadd__(self, other: _Normal) -> _Normal:
        self.sandwich += other.sandwich
        self.right += other.right
        return self
