"""The search for the penalties at which a criterion is least.

Each round fits at some penalties, from a start that the last fit predicts, computes the criterion
and its exact derivatives, and minimises a model of the criterion around the best point so far
(:mod:`mcmodels.reweighting.penalty_models`) within a trust region. As the slopes of the model are
exact there, its steps end only where they are zero, or at a bound: Alexandrov, Dennis, Lewis and
Torczon (1998), *A trust-region framework for managing the use of approximation models in
optimization*, Structural Optimization 15, §3. A criterion may have several minima: in small data
with few rows for each parameter a path from strong to weak penalties is computed first, and the
search begins at its lowest point; else it begins at the lowest point of the model over the range.

Where the models promise nothing more and the derivative is not zero, one penalty is found by cubics
or bisection in a bracket of points that were tried. Where the criterion is no number at a point, or
huge, as beside a pole, points of the whole range are tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import optimize

from mcmodels.arrays import Array
from mcmodels.reweighting.criteria import Aic, Evaluation
from mcmodels.reweighting.penalty_fits import PenaltyFits, Point, end_of
from mcmodels.reweighting.penalty_models import BentModel, PenaltyModel, Tried, penalty_model
from mcmodels.reweighting.penalty_range import range_of_penalties
from mcmodels.rows import single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.fit_state import Progress

__all__ = ["NoCriterionError", "NoLowerBoundError", "PenaltySearch"]

# The search ends where the model promises less than this, in nats.
_ENOUGH = 3e-5
# Most rounds with one penalty, and with several, after which a quasi-Newton method takes over, and
# its most fits.
_ROUNDS, _ROUNDS_OF_SEVERAL, _MOST_FITS = 40, 15, 150
# Entries of a design up to which a path is computed first, its step in log α, and how far from both
# bounds it begins and ends: nearer to them a criterion hardly changes.
_SMALL, _PATH_STEP, _MARGIN = 40_000, float(np.log(30.0)), float(np.log(1e4))
# Rows for each parameter from which criteria have one minimum, in all data that were tried.
_MANY_ROWS = 20
# Fewest and most points of a model of one penalty that are looked at, and their distance.
_FEWEST_POINTS, _MOST_POINTS, _POINT_STEP = 9, 97, 0.3
# Where a criterion is no number.
_HUGE = 1e100
# What counts as no difference between a point and a bound, in nats.
_NO_DIFFERENCE = 1e-7
# Derivatives that count as zero, in nats; how narrow a bracket may be, and one that ends at a pole;
# how far above the best point a criterion is beside a pole, in nats for each row; and how many
# other dips, and sides of poles, are looked at.
_FLAT, _NARROW, _NEAR_POLE, _POLE = 1e-2, 1e-6, 1e-2, 1e4
_MOST_DIPS, _MOST_SIDES = 3, 4
# Shares of the way between two points that are looked at.
_SHARES = np.linspace(0.0, 1.0, 201)
# Iterations of the minimisation of a model of several penalties.
_MODEL_STEPS = 200


class NoCriterionError(ValueError):
    """No penalty was found at which the criterion is a number."""


class NoLowerBoundError(ValueError):
    """Residuals vanish with weak penalties, and the criterion falls for ever."""


@dataclass(frozen=True)
class _Proposal:
    """Where to look next.

    Parameters
    ----------
    log_alphas : ndarray of shape (n_groups,)
        The point.
    jumps : ndarray of shape (n_groups,)
        Which penalties go to a bound.
    promised : float
        By how much the criterion falls, by its model.
    is_last : bool
        Whether the search ends if it does not.
    """

    log_alphas: Array
    jumps: npt.NDArray[np.bool_]
    promised: float
    is_last: bool


@dataclass
class PenaltySearch(PenaltyFits):
    """A search for penalties: its arguments are those of its fits."""

    # Penalties at which the criterion is no number, as ends of brackets.
    _barriers: list[Tried] = field(default_factory=list, init=False)

    def run(self) -> Iterator[Progress]:
        """Yield the states of all fits; the last one has a status, and is at the best penalties.

        Raises
        ------
        NoCriterionError
            If the criterion is not a number at any penalty that was tried.
        NoLowerBoundError
            If it falls for ever as residuals vanish.
        """
        objective = self._with_penalty(1.0)
        start = self.start(objective)
        rows, groups, self.n_params = self.objective.rows, self.groups, start.size
        P = min(rows.n_features, rows.n_present if groups.count == 1 else rows.n_features)
        if room.too_many(len(np.atleast_2d(start)) * (P + rows.intercept)):
            raise NoCriterionError
        self.lowest, self.highest, first = range_of_penalties(objective, start, self.groups)
        if self.n_params >= rows.n_present and self._has_no_dispersion:
            weakest = yield from self._fitted(start, self.lowest)
            if weakest is not None and self._falls_for_ever(weakest):
                raise NoLowerBoundError
        best = yield from self._first_points(start, first)
        unit = self._unit(best)
        radius = np.inf if not self._is_small else 1.5 * _PATH_STEP
        may_jump, any_side = self.groups.count > 1, not self._is_small
        for _ in range(_ROUNDS if self.groups.count == 1 else _ROUNDS_OF_SEVERAL):
            with single_threaded_blas():
                model = penalty_model(best.fit, self.criterion, best.evaluation)
                box = self._box(best, radius, any_side=any_side)
                next_ = self._proposed(best, model, box, unit, may_jump=may_jump)
            if np.array_equal(next_.log_alphas, best.log_alphas):
                break
            found = yield from self._refitted(best, next_.log_alphas)
            any_side, allowed = False, best.evaluation.value + _NO_DIFFERENCE * unit
            moved = np.abs(next_.log_alphas - best.log_alphas)[~next_.jumps]
            step = float(moved.max(initial=0.0))
            if found is None or not found.evaluation.value < allowed:
                if next_.is_last:
                    break
                may_jump, radius = False, radius if next_.jumps.any() else step / 4.0
                continue
            share = (best.evaluation.value - found.evaluation.value) / next_.promised
            if np.isinf(radius):  # the whole range was looked at
                radius = step
            if share > 0.75:
                radius = max(radius, 2.0 * step)
            elif share < 0.25:
                radius = step / 2.0
            best, may_jump = found, self.groups.count > 1
        else:
            if self.groups.count > 1:
                best = self._by_quasi_newton(best, unit)
        best = yield from self._to_the_end(best)
        if self._falls_for_ever(best):
            raise NoLowerBoundError
        self.has_converged = self._is_stationary(best)
        self.best, self.current_log_alphas = best, best.log_alphas
        self.current = self._with_penalty(np.exp(best.log_alphas))
        yield best.last

    def _proposed(
        self,
        best: Point,
        model: PenaltyModel,
        box: tuple[Array, Array],
        unit: float,
        *,
        may_jump: bool,
    ) -> _Proposal:
        """Where to look next; the best point itself where the model promises nothing more.

        Before that, and with ``may_jump`` at any time, penalties go to a bound at once where the
        model says that the criterion falls all the way.
        """
        at, bent = best.log_alphas, BentModel.of(model, best.log_alphas, self.tried)
        wanted = self._least_of(bent, at, *box)
        promised = best.evaluation.value - bent(wanted)[0]
        is_last = promised <= _ENOUGH * unit
        found = _Proposal(wanted, np.zeros(len(at), dtype=bool), max(promised, 0.0), is_last)
        is_flat = is_last and (promised <= 0 or self._is_stationary(best))
        if not (is_flat or may_jump):
            return found
        jumped = self._at_bounds(model, best, unit, weak=is_last)
        jumps = jumped != at
        if not jumps.any():
            return replace(found, log_alphas=at) if is_flat else found
        low, high = (np.where(jumps, jumped, side) for side in box)
        jumped = self._least_of(model, jumped, low, high)
        if not is_last and not model(jumped)[0] < bent(wanted)[0]:
            return found
        promised = max(best.evaluation.value - model(jumped)[0], _ENOUGH * unit)
        return _Proposal(jumped, jumps, promised, is_last)

    @property
    def _has_no_dispersion(self) -> bool:
        """Whether the criterion holds the logarithm of the losses, which may vanish."""
        return isinstance(self.criterion, Aic) and self.criterion.dispersion is None

    def _falls_for_ever(self, point: Tried) -> bool:
        """Whether residuals vanish as penalties weaken: by α, and their squares by α²."""
        if not self._has_no_dispersion:
            return False
        largest = min(float(self.n_params), float(self.objective.rows.n_present))
        if point.freedom < largest - 0.5 and not (point.log_alphas <= self.lowest).any():
            return False
        return float(point.evaluation.gradient.sum()) > self.criterion.n_observations / 2.0

    def _is_stationary(self, point: Tried) -> bool:
        """Whether the derivatives are nearly zero, or lead out of a bound."""
        slope = np.where(
            point.log_alphas >= self.highest,
            np.maximum(point.evaluation.gradient, 0.0),
            point.evaluation.gradient,
        )
        slope = np.where(point.log_alphas <= self.lowest, np.minimum(slope, 0.0), slope)
        return bool(np.abs(slope).max() <= _FLAT * self._unit(point))

    def _to_the_end(self, best: Point) -> Generator[Progress, None, Point]:
        """From where the models promise nothing more to where the derivatives are zero."""
        if self.groups.count > 1:
            return (
                best if self._is_stationary(best) else self._by_quasi_newton(best, self._unit(best))
            )
        best = yield from self._descended(best)
        if not all(self._is_number(point, best) for point in self.tried):
            best = yield from self._beyond_poles(best)
        for _ in range(_MOST_DIPS):
            dip = self._dip_below(best)
            if dip is None:
                break
            found = yield from self._near(best, dip)
            if found is not None:
                found = yield from self._descended(found)
                if found.evaluation.value < best.evaluation.value:
                    best = found
        return best

    def _beyond_poles(self, best: Point) -> Generator[Progress, None, Point]:
        """The lowest minimum of the whole range: one is looked for on each side of a pole."""
        low, high = float(self.lowest[0]), float(self.highest[0])
        points = np.linspace(high, low, int(np.ceil((high - low) / _PATH_STEP)) + 1)
        for wanted in points[points > low + _MARGIN]:
            if all(abs(float(p.log_alphas[0]) - wanted) > _PATH_STEP / 4.0 for p in self.tried):
                yield from self._near(best, float(wanted))
        known = sorted(self.tried, key=lambda p: float(p.log_alphas[0]))
        for left, right in itertools.pairwise(known):  # a pole may hide what is beyond it
            a, b = float(left.log_alphas[0]), float(right.log_alphas[0])
            sided = self._is_number(left, best) != self._is_number(right, best)
            if sided and b - a > _PATH_STEP / 4.0:
                yield from self._near(best, (a + b) / 2.0)
        known = sorted(self.tried, key=lambda p: float(p.log_alphas[0]))
        sides = itertools.groupby(known, lambda p: self._is_number(p, best))
        lowest = [
            min(side, key=lambda p: p.evaluation.value) for is_number, side in sides if is_number
        ]
        for point in sorted(lowest, key=lambda p: p.evaluation.value)[:_MOST_SIDES]:
            if np.array_equal(point.log_alphas, best.log_alphas):
                continue  # from there the search came
            found = yield from self._near(best, float(point.log_alphas[0]))
            if found is not None:
                found = yield from self._descended(found)
                if found.evaluation.value < best.evaluation.value:
                    best = found
        return best

    def _descended(self, best: Point) -> Generator[Progress, None, Point]:
        """The minimum of one penalty in a bracket: one end is the best point, whose slope leads in.

        The next point is that where a cubic is least, or the middle.
        """
        widths: list[float] = []
        for _ in range(_ROUNDS):
            if self._is_stationary(best):
                break
            other, at = self._end_of_bracket(best), float(best.log_alphas[0])
            if other is None:
                bound = self.highest if best.evaluation.gradient[0] < 0 else self.lowest
                wanted = float(bound[0])
            else:
                end = float(other.log_alphas[0])
                widths.append(abs(end - at))
                is_number = self._is_number(other, best)
                if widths[-1] < (_NARROW if is_number else _NEAR_POLE):
                    break
                share = _least_of_cubic(best, other)[0] if is_number else 0.5
                if len(widths) > 2 and widths[-1] > widths[-3] / 2.0:
                    share = 0.5
                wanted = at + float(np.clip(share, 0.1, 0.9)) * (end - at)
            found = yield from self._near(best, wanted)
            if found is None:
                no_number = Evaluation(np.inf, np.zeros(1), 1.0, np.zeros(0), np.zeros(0))
                self._barriers.append(Tried(np.array([wanted]), no_number, np.nan))
            elif found.evaluation.value < best.evaluation.value:
                best = found
        return best

    def _is_number(self, point: Tried, best: Tried) -> bool:
        """Whether the criterion is a number at a point, and not beside a pole."""
        above = point.evaluation.value - best.evaluation.value
        most = _POLE * self.criterion.n_observations * self._unit(best)
        return point.evaluation.is_finite and above < most

    def _end_of_bracket(self, best: Tried) -> Tried | None:
        """The next point on the side to which the criterion falls."""
        at, falls_up = float(best.log_alphas[0]), best.evaluation.gradient[0] < 0
        sign = 1.0 if falls_up else -1.0
        others = [p for p in self.tried + self._barriers if sign * (p.log_alphas[0] - at) > 0]
        return min(others, key=lambda p: abs(float(p.log_alphas[0]) - at), default=None)

    def _dip_below(self, best: Tried) -> float | None:
        """Where a cubic between neighbours among the points is least, if below the best one."""
        unit = self._unit(best)
        known = sorted(self.tried, key=lambda p: float(p.log_alphas[0]))
        dips = []
        for left, right in itertools.pairwise(known):
            if not (self._is_number(left, best) and self._is_number(right, best)):
                continue
            a, b = float(left.log_alphas[0]), float(right.log_alphas[0])
            falls = left.evaluation.gradient[0] < 0 < right.evaluation.gradient[0]
            if best is left or best is right or not falls or b - a < _NARROW:
                continue
            share, value = _least_of_cubic(left, right)
            if value < best.evaluation.value - _ENOUGH * unit:
                dips.append((value, a + float(np.clip(share, 0.1, 0.9)) * (b - a)))
        return min(dips)[1] if dips else None

    def _by_quasi_newton(self, best: Point, unit: float) -> Point:
        """L-BFGS-B on the criterion itself, where its models are too far from it."""
        latest = lowest = best

        def function(log_alphas: Array) -> tuple[float, Array]:
            nonlocal latest, lowest
            found = end_of(self._refitted(latest, log_alphas))
            if found is None:
                return _HUGE, np.zeros(self.groups.count)
            latest = found
            if found.evaluation.value < lowest.evaluation.value:
                lowest = found
            return found.evaluation.value / unit, found.evaluation.gradient / unit

        optimize.minimize(
            function,
            best.log_alphas,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(self.lowest, self.highest, strict=True)),
            options={"maxfun": _MOST_FITS, "ftol": 1e-7, "gtol": 1e-3},
        )
        return lowest

    @property
    def at_bound(self) -> Array:
        """-1 where a penalty is at its lower bound, 1 where it is at its upper bound, else 0."""
        if self.best is None:
            return np.zeros(self.groups.count)
        t = self.best.log_alphas
        return (t >= self.highest).astype(np.float64) - (t <= self.lowest)

    @property
    def _is_small(self) -> bool:
        rows = self.objective.rows
        few = rows.n_present < _MANY_ROWS * self.n_params
        return few and rows.n_rows * rows.n_params <= _SMALL and not rows.walks_are_costly

    def _first_points(self, start: Array, first: Array) -> Generator[Progress, None, Point]:
        """Fit at a first point; in small data along a path, whose lowest point is returned."""
        if not self._is_small:
            for shift in (0.0, 2.0, 4.0, 8.0):  # decades, towards strong penalties
                wanted = np.minimum(first + shift * np.log(10.0), self.highest)
                point = yield from self._fitted(start, wanted)
                if point is not None:
                    return point
            raise NoCriterionError
        best: Point | None = None
        last: Point | None = None
        least = float(self.lowest.min()) + _MARGIN
        most = float(self.highest.max()) - _MARGIN
        count = int(np.ceil((most - least) / _PATH_STEP)) + 1
        for common in np.linspace(most, least, count):
            wanted = np.clip(np.full(self.groups.count, common), self.lowest, self.highest)
            if last is None:
                found = yield from self._fitted(start, wanted)
            else:
                found = yield from self._refitted(last, wanted)
            if found is None:
                continue
            last = found
            if best is None or found.evaluation.value < best.evaluation.value:
                best = found
        if best is None:
            raise NoCriterionError
        return best

    def _box(self, best: Tried, radius: float, *, any_side: bool) -> tuple[Array, Array]:
        """Where the next point is looked for.

        Of one penalty it is on the side to which the criterion falls, before the next point there.
        """
        at = best.log_alphas
        low, high = np.maximum(self.lowest, at - radius), np.minimum(self.highest, at + radius)
        if self.groups.count > 1 or any_side:
            return low, high
        others = np.array([point.log_alphas[0] for point in self.tried])
        if best.evaluation.gradient[0] < 0:
            beyond = others[others > at[0]]
            return at, np.minimum(high, beyond.min(initial=np.inf))
        beyond = others[others < at[0]]
        return np.maximum(low, beyond.max(initial=-np.inf)), at

    def _least_of(
        self, model: BentModel | PenaltyModel, at: Array, low: Array, high: Array
    ) -> Array:
        """Where a model is least in a box."""
        if not isinstance(model, BentModel) or self.groups.count > 1:
            found = optimize.minimize(
                model,
                at,
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(low, high, strict=True)),
                options={"maxiter": _MODEL_STEPS, "gtol": 0.0, "ftol": 1e-12},
            )
            return np.clip(np.asarray(found.x), low, high)
        wanted = int((high[0] - low[0]) / _POINT_STEP)
        count = min(max(wanted, _FEWEST_POINTS), _MOST_POINTS)
        points = np.linspace(low[0], high[0], count)
        k = int(np.nanargmin(model.values(points)))
        left, right = points[max(k - 1, 0)], points[min(k + 1, count - 1)]
        if left < right and _slope(model, left) < 0 < _slope(model, right):
            return np.array([optimize.brentq(lambda t: _slope(model, t), left, right, xtol=1e-6)])
        end = points[k]
        if end == at[0] or end in (self.lowest[0], self.highest[0]) or not self._was_tried(end):
            return np.array([end])
        # The criterion is known to be higher at this end: the model is wrong in between.
        return np.array([(at[0] + end) / 2.0])

    def _was_tried(self, log_alpha: float) -> bool:
        return any(point.log_alphas[0] == log_alpha for point in self.tried)

    def _at_bounds(self, model: PenaltyModel, best: Tried, unit: float, *, weak: bool) -> Array:
        """The same point, with penalties at the bound to which the criterion falls, if it does.

        Without ``weak`` none is at its lower bound.
        """
        moved, value = best.log_alphas.copy(), model(best.log_alphas)[0]
        for k, slope in enumerate(best.evaluation.gradient):
            if slope > 0 and not weak:
                continue
            tried = moved.copy()
            tried[k] = self.lowest[k] if slope > 0 else self.highest[k]
            reached = model(tried)[0]
            if reached <= value + _NO_DIFFERENCE * unit:
                moved, value = tried, min(value, reached)
        return moved


def _cubic(left: Tried, right: Tried, share: Array) -> Array:
    """The cubic with the values and slopes of two points, at shares of the way between them."""
    width = float(right.log_alphas[0] - left.log_alphas[0])
    a, b = left.evaluation.value, right.evaluation.value
    rise, end = (width * float(point.evaluation.gradient[0]) for point in (left, right))
    third, second = rise + end - 2.0 * (b - a), 3.0 * (b - a) - 2.0 * rise - end
    return a + share * (rise + share * (second + share * third))


def _least_of_cubic(left: Tried, right: Tried) -> tuple[float, float]:
    """Where that cubic is least, as a share of the way, and its value there."""
    values = _cubic(left, right, _SHARES)
    k = int(np.argmin(values))
    return float(_SHARES[k]), float(values[k])


def _slope(model: BentModel, log_alpha: float) -> float:
    """The derivative of the model of one penalty."""
    return float(model(np.array([log_alpha]))[1][0])
