"""Intervals and tests from a likelihood that has no maximum: some of their ends are infinite.

With f̂ the infimum of the objective, which its profile along a parameter approaches
(:mod:`mcmodels.solvers.limits`), all is as where there is a maximum:

=======================  ======================================================================
interval of θⱼ           where ``2(f(θⱼ) - f̂)/φ ≤ q²``
θⱼ diverges to ∞         the profile falls to f̂: the interval is (l, ∞), with ``2(f(l) - f̂)/φ = q²``
θⱼ diverges either way   the profile is f̂ everywhere, the interval is the whole line
other θⱼ                 their ordinary profile over the rows that rest
test of ``θⱼ = 0``       ``2(f(0) - f̂)/φ``
=======================  ======================================================================

Score intervals have the score statistic over the same rows in place of that difference: rows that
have grown have neither score nor information. Source: Geyer (2009), *Likelihood inference in
exponential families and directions of recession*, Electronic Journal of Statistics 3, §3.16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.profiles import FiniteProfiles, LikelihoodProfiles, Scale, with_roots
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.solvers.coordinates import orthonormal_coordinates
from mcmodels.solvers.crossing import crossing
from mcmodels.solvers.limits import Limit, limit_of
from mcmodels.solvers.profile import Information, Profile
from mcmodels.solvers.refits import BoundsOfProfile

__all__ = ["LimitProfiles"]

# Where an estimate is infinite, points of a profile end where its root is this share of that at the
# finite end; the last point is the estimate.
_NEAR_INFINITY = 0.1
# The drop of the objective at a typical end, by φ; searches begin where the drop is at least this
# share of it and at most as many times it, or after so many fits.
_TYPICAL, _FLAT, _MOST_STARTS = 2.0, 0.03, 60
# Distances towards infinity, by that over which the profile changes, in which a statistic falls
# below its limit.
_DISTANCES = tuple(2.0**j for j in range(20))


@dataclass(frozen=True)
class _OneSided:
    """The profile along a parameter whose estimate is infinite.

    Parameters
    ----------
    side : float
        1.0 where the estimate is ∞, -1.0 where it is -∞.
    profile : Profile
        Over the rows that rest where the parameter is held.
    combination : ndarray of shape (P,)
        The parameter.
    above : float
        How much higher than the infimum the objective is where searches begin.
    begin : float
        The value of the parameter there.
    position : int
        That of the parameter.
    refits : BoundsOfProfile
        Fits with the parameter held, for what the profile does not find; they give how much higher
        the objective is than the infimum.
    """

    side: float
    profile: Profile
    combination: Array
    above: float
    begin: float
    position: int
    refits: BoundsOfProfile

    def end(self, rise: float) -> float:
        """The value at which the profile is higher than the infimum by ``rise``."""
        found = self.profile.end(self.combination, -self.side, rise - self.above)
        if np.isnan(found):
            found = self.crossing_of(lambda value: self.excess(value) - rise)
        return found

    def excess(self, value: float) -> float:
        """How much higher than the infimum the profile is at a value."""
        least = self.profile.least(self.combination, value) - self.profile.minimum
        if np.isnan(least):
            return self.refits.least(self.position, value)
        return least + self.above

    def crossing_of(self, excess: Callable[[float], float]) -> float:
        """Where a function that falls towards infinity is zero; NaN if it was not found."""
        step = self.profile.scale_of(self.combination, self.above)
        step = self.side * (step if 0 < step < np.inf else 1.0)
        inside = (self.begin + step * distance for distance in (0.0, *_DISTANCES))
        centre = next((value for value in inside if excess(value) < 0), np.nan)
        return np.nan if np.isnan(centre) else crossing(excess, centre, -step)


class LimitProfiles(LikelihoodProfiles):
    """Profiles of a likelihood of one linear predictor that has no maximum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        Minus the log-likelihood, times φ, over the rows of the fit.
    params : ndarray of shape (P,)
        Where its fit has stopped.
    names : sequence of str
        Names of the parameters, for messages.
    scale : Scale
        φ, which must be known.
    """

    def __init__(
        self,
        objective: LinearPredictorObjective,
        params: Array,
        names: Sequence[str],
        scale: Scale,
    ) -> None:
        self._objective, self._params, self._names = objective, params, names
        self.scale = scale
        self._without: dict[int, Limit] = {}
        self._found: dict[int, _OneSided | None] = {}

    def ends(self, chosen: Sequence[int], level: float) -> Array:
        """The ends of profile intervals, shape (k, 2)."""
        rise = self.scale.limit(level) / 2

        def ends(k: int) -> Sequence[float]:
            one = self._one_sided(k)
            if one is not None:
                return _interval(one, one.end(rise))
            return self._ordinary.ends([k], level)[0] if self._is_determined(k) else _LINE

        return np.array([ends(k) for k in chosen], dtype=np.float64).reshape(-1, 2)

    def score_ends(self, chosen: Sequence[int], level: float, information: Information) -> Array:
        """The ends of the intervals of score tests, shape (k, 2)."""
        limit = self.scale.limit(level)

        def ends(k: int) -> Sequence[float]:
            one = self._one_sided(k)
            if one is None:
                known = self._is_determined(k)
                return self._ordinary.score_ends([k], level, information)[0] if known else _LINE

            def excess(value: float) -> float:
                found = one.profile.score(one.combination, value, information)
                if np.isnan(found):
                    found = self._score_of_a_fit(k, value, information)
                return found - limit

            return _interval(one, one.crossing_of(excess))

        return np.array([ends(k) for k in chosen], dtype=np.float64).reshape(-1, 2)

    def points(self, chosen: Sequence[int], level: float, count: int) -> Array:
        """Values, ``2(f - f̂)/φ`` there and its signed root, shape (k, count, 3).

        Where the estimate is infinite, it is the last value (the first, where it is -∞), and the
        others are evenly from the finite end to where the root is a tenth of that there.
        """
        rise, tables = self.scale.limit(level) / 2, []
        for k in chosen:
            one = self._one_sided(k)
            if one is None:
                if not self._is_determined(k):
                    raise InferenceError(
                        f"the likelihood comes as near its supremum at every value of "
                        f"{self._names[k]}: its profile is zero everywhere. Leave it out of "
                        "parameters."
                    )
                tables.append(self._ordinary.points([k], level, count)[0])
                continue
            values = np.linspace(one.end(rise), one.end(rise * _NEAR_INFINITY**2), count - 1)
            drops = self.scale.statistic(np.array([one.excess(value) for value in values]))
            infinite = one.side * np.inf
            table = with_roots(np.append(values, infinite), np.append(drops, 0.0), infinite)
            tables.append(table if one.side > 0 else table[::-1])
        return np.array(tables).reshape(-1, count, 3)

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the infimum is where parameters are zero, shape (k,)."""
        return np.array([self._limit_without(k).value - self._limit.value for k in chosen])

    @cached_property
    def _limit(self) -> Limit:
        return self._proved(self._limit_of(), "")

    def _limit_of(self, without: int | None = None, held: float = 0.0) -> Limit | None:
        """The infimum, with a parameter held at a value; None if it was not proved."""
        start = self._params if without is None else None
        return limit_of(self._objective, start, without, held)

    def _limit_without(self, k: int) -> Limit:
        if k not in self._without:
            self._without[k] = self._proved(self._limit_of(k), f" with {self._names[k]} held")
        return self._without[k]

    def _score_of_a_fit(self, k: int, value: float, information: Information) -> float:
        """The score statistic at a fit with a parameter held; NaN if its limit was not proved."""
        at = self._limit_of(k, value)
        if at is None or at.objective is None:
            return np.nan
        profile = Profile(at.objective, at.params, orthonormal_coordinates(at.objective.rows))
        return profile.score(np.eye(1, len(at.params), k)[0], value, information)

    def _held(self, minimum: float) -> BoundsOfProfile:
        """Fits with a parameter held, of which the infimum counts as ``minimum``."""
        return _HeldLimits(self._limit_of, self._limit.params, self._limit.value - minimum)

    def _proved(self, found: Limit | None, held: str) -> Limit:
        if found is None:
            raise InferenceError(
                "the likelihood has no maximum, and it could not be proved what its supremum"
                f"{held} is: too many rows lie on the border, the columns or weights are too far "
                "apart, or the loss is none whose limits are known. Drop or merge the columns that "
                "the warning of the fit names, subtract their means from columns far from zero, or "
                "fit with Jeffreys' prior (FirthLogisticRegression, prior='jeffreys')."
            )
        return found

    def _one_sided(self, k: int) -> _OneSided | None:
        """The profile along a parameter, if its estimate diverges to one side."""
        if k not in self._found:
            self._found[k] = self._diverging(k)
        return self._found[k]

    def _diverging(self, k: int) -> _OneSided | None:
        """The same, computed.

        Searches begin where it is neither nearly flat nor steep: there a quadratic model says
        little of how far its ends are.
        """
        whole, at = self._limit, self._limit_without(k)
        if at.n_resting == whole.n_resting or at.objective is None:
            return None
        side = next(float(np.sign(d[k])) for d in whole.directions if d[k] != 0)
        coordinates = orthonormal_coordinates(at.objective.rows)
        combination = np.eye(1, len(self._params), k)[0]
        typical, value = _TYPICAL * self.scale.dispersion, 0.0
        nearest, step = {-1.0: np.nan, 1.0: np.nan}, np.nan
        for _ in range(_MOST_STARTS):
            above = at.value - whole.value
            profile = Profile(at.objective, at.params, coordinates)
            found = _OneSided(side, profile, combination, above, value, k, self._held(0.0))
            if _FLAT * typical <= above <= typical / _FLAT:
                break
            towards = -side if above < typical else side
            nearest[towards] = value
            if np.isnan(step):
                step = profile.scale_of(combination, above)
                step = step if 0 < step < np.inf else 1.0
            between = (nearest[-1.0] + nearest[1.0]) / 2
            value = value + towards * step if np.isnan(between) else between
            step *= 2.0
            held = f" with {self._names[k]} held"
            at = self._proved(self._limit_of(k, value), held)
            assert at.objective is not None  # the same rows rest at all values
        return found

    def _is_determined(self, k: int) -> bool:
        """Whether the rows that rest tell a parameter that does not diverge to one side alone."""
        return self._limit_without(k).rank < self._limit.rank

    @cached_property
    def _ordinary(self) -> FiniteProfiles:
        """The profiles of the parameters that the rows that rest tell."""
        limit = self._limit
        assert limit.objective is not None  # they tell some parameter
        coordinates = orthonormal_coordinates(limit.objective.rows)
        profile, units = (
            Profile(limit.objective, limit.params, coordinates),
            np.eye(len(limit.params)),
        )
        errors = np.array([profile.standard_error(unit) for unit in units])
        errors *= np.sqrt(self.scale.dispersion)
        return FiniteProfiles(
            profile, self._held(profile.minimum), units, limit.params, errors, self.scale, True
        )


class _HeldLimits(BoundsOfProfile):
    """The infimum with a parameter held at a value, by a fit for each value.

    Parameters
    ----------
    limit_of : callable
        Takes a parameter and a value; returns the limit.
    params : ndarray of shape (P,)
        Where the infimum is approached.
    above : float
        What is subtracted.
    """

    def __init__(
        self, limit_of: Callable[[int, float], Limit | None], params: Array, above: float
    ) -> None:
        super().__init__(params)
        self._limit_of, self._above = limit_of, above

    def least(self, position: int, value: float) -> float:
        """The infimum with a parameter held, less what is subtracted; NaN if it was not proved."""
        found = self._limit_of(position, value)
        return np.nan if found is None else found.value - self._above


_LINE = (-np.inf, np.inf)


def _interval(one: _OneSided, end: float) -> tuple[float, float]:
    """From a finite end to infinity; both NaN where the end was not found."""
    if np.isnan(end):
        return np.nan, np.nan
    return (end, np.inf) if one.side > 0 else (-np.inf, end)
