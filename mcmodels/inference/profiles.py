"""Intervals and tests from the likelihood itself, given the profile of an objective.

=====================  =========================================================================
interval of θⱼ         where ``2(f(θⱼ) - f̂)/φ ≤ q²``, f the profile of the objective, f̂ its minimum
test of ``θⱼ = 0``     ``2(f(0) - f̂)/φ``, about χ² with one degree of freedom
=====================  =========================================================================

q is the quantile of the normal distribution; of Student's t where φ was estimated, and the test is
then about F. Sources: Cox and Hinkley (1974), *Theoretical Statistics*, §7.2; McCullagh and Nelder
(1989), *Generalized Linear Models*, 2nd ed., §8.3 (F).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.score_intervals import score_end
from mcmodels.solvers.profile import Information, Profile
from mcmodels.solvers.refits import BoundsOfProfile, Held

__all__ = [
    "FiniteProfiles",
    "LikelihoodProfiles",
    "Scale",
    "f_tests",
    "profile_of_normal_targets",
    "ratio_tests",
    "with_roots",
]

# A fit is not at the least value where the objective is elsewhere lower by so much, and by so much
# of its value: more than rounding, and what a statistic shows.
_LOWER, _LOWER_SHARE = 1e-6, 1e-10


@dataclass(frozen=True)
class Scale:
    """What turns a difference of objectives into a statistic.

    Parameters
    ----------
    dispersion : float
        φ.
    df : float
        Its degrees of freedom; infinite where it is known.
    """

    dispersion: float
    df: float

    def limit(self, level: float) -> float:
        """``φq²``, with the quantile q of a level."""
        return self.dispersion * float(stats.t.ppf((1 + level) / 2, self.df)) ** 2

    def statistic(self, excess: Array) -> Array:
        """``2(f - f̂)/φ`` of differences ``f - f̂``, which are negative by rounding alone."""
        return np.maximum(2.0 * excess / self.dispersion, 0.0)


class LikelihoodProfiles(ABC):
    """Profiles of the likelihood along parameters, each known by its position.

    What was not found is NaN.
    """

    scale: Scale

    def determined(self, chosen: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Which of the chosen parameters the data determine."""
        return np.ones(len(chosen), dtype=bool)

    @abstractmethod
    def ends(self, chosen: Sequence[int], level: float) -> Array:
        """The ends of profile intervals, shape (k, 2)."""

    @abstractmethod
    def score_ends(self, chosen: Sequence[int], level: float, information: Information) -> Array:
        """The ends of the intervals of score tests, shape (k, 2)."""

    @abstractmethod
    def points(self, chosen: Sequence[int], level: float, count: int) -> Array:
        """Values, ``2(f - f̂)/φ`` there and its signed root, shape (k, count, 3)."""

    @abstractmethod
    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is where parameters are zero, shape (k,)."""


@dataclass(frozen=True)
class FiniteProfiles(LikelihoodProfiles):
    """Profiles about a maximum.

    Where the objective need not be convex, steps along the profile may follow a minimum that is not
    the least one with the parameter held. So refits, which go out from other points, look for lower
    ones at every value that is reported.

    Parameters
    ----------
    profile : Profile
        Of minus the log-likelihood, times φ.
    refits : BoundsOfProfile or None
        Fits with a parameter held, which look for what the profile has not found.
    combinations : ndarray of shape (m, n)
        Combinations of the raveled parameters, which are what the profiles are of.
    centres, errors : ndarray of shape (m,)
        Their estimates and standard errors.
    scale : Scale
        φ.
    is_convex : bool
        Whether a minimum that was found is the only one.
    """

    profile: Profile
    refits: BoundsOfProfile | None
    combinations: Array
    centres: Array
    errors: Array
    scale: Scale
    is_convex: bool

    def ends(self, chosen: Sequence[int], level: float) -> Array:
        """The ends of profile intervals, shape (k, 2)."""
        rise = self.scale.limit(level) / 2
        ends = [[self._end(k, side, rise) for side in (-1.0, 1.0)] for k in chosen]
        return np.array(ends, dtype=np.float64).reshape(-1, 2)

    def _end(self, k: int, side: float, rise: float) -> float:
        found, error = self.profile.end(self.combinations[k], side, rise), float(self.errors[k])
        target = self.profile.minimum + rise
        if self.refits is None:
            return found
        if np.isnan(found):
            found = self.refits.end(k, side, target, error)
        if self.is_convex or not np.isfinite(found):
            return found
        found, least = self.refits.confirmed(k, side, target, error, found)
        self.above_minimum(least)
        return found

    def score_ends(self, chosen: Sequence[int], level: float, information: Information) -> Array:
        """The ends of the intervals of score tests, shape (k, 2)."""
        limit = self.scale.limit(level)

        def end(k: int, side: float) -> float:
            step, centre = side * float(self.errors[k]), float(self.centres[k])

            def held(value: float) -> Held:
                return Held(np.nan) if self.refits is None else self.refits.held(k, value)

            c = self.combinations[k]
            return score_end(self.profile, c, information, limit, centre, step, held)

        return np.array([[end(k, side) for side in (-1.0, 1.0)] for k in chosen]).reshape(-1, 2)

    def points(self, chosen: Sequence[int], level: float, count: int) -> Array:
        """Values, ``2(f - f̂)/φ`` there and its signed root, shape (k, count, 3)."""
        below, tables = count // 2, []
        for k, (lower, upper) in zip(chosen, self.ends(chosen, level), strict=True):
            centre = float(self.centres[k])
            left = np.linspace(lower, centre, below + 1)
            values = np.append(left, np.linspace(centre, upper, count - below)[1:])
            excess = [0.0 if j == below else self._excess(k, v) for j, v in enumerate(values)]
            tables.append(with_roots(values, self.scale.statistic(np.array(excess)), centre))
        return np.array(tables).reshape(-1, count, 3)

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is where parameters are zero, shape (k,)."""
        return np.array([self._excess(k, 0.0) for k in chosen])

    def _excess(self, k: int, value: float) -> float:
        """How much higher the objective is with one held; refits look for what was not found."""
        least = self.profile.least(self.combinations[k], value)
        if self.refits is not None and not (self.is_convex and np.isfinite(least)):
            least = float(np.fmin(least, self.refits.least(k, value)))
        return self.above_minimum(least)

    def above_minimum(self, least: float) -> float:
        """How much higher a value is than that of the fit. Raises where it is lower."""
        minimum = self.profile.minimum
        if not self.is_convex and minimum - least > _LOWER + _LOWER_SHARE * abs(minimum):
            raise InferenceError(
                "the fit has ended at a minimum that is not the least: with a parameter held the "
                f"objective has been found lower by {minimum - least:.1e}. Start elsewhere "
                "(warm_start=True after a fit with equal weights), or fit fewer columns."
            )
        return least - minimum


def with_roots(values: Array, drops: Array, estimate: float) -> Array:
    """Values, drops and their roots with the sign of ``value - estimate``, shape (n, 3)."""
    sides = np.where(values == estimate, 0.0, np.where(values < estimate, -1.0, 1.0))
    return np.column_stack([values, drops, sides * np.sqrt(drops)])


def ratio_tests(
    excesses: Array, scale: Scale, df: int = 1, determined: npt.NDArray[np.bool_] | bool = True
) -> pd.DataFrame:
    """Tests from differences of objectives: statistic (NaN if not found), df, p_value.

    ``df`` is the number of restrictions in each; where φ was estimated the statistic, by df, is
    about F. Without a parameter that is not ``determined`` the fit is the same: df is 0.
    """
    statistic = scale.statistic(excesses)
    if np.isfinite(scale.df):
        statistic = statistic / df
        p = stats.f.sf(statistic, df, scale.df)
    else:
        p = stats.chi2.sf(statistic, df)
    counts = np.where(np.broadcast_to(determined, statistic.shape), df, 0)
    return pd.DataFrame({"statistic": statistic, "df": counts, "p_value": p})


def f_tests(estimate: Estimate) -> pd.DataFrame:
    """Tests that single parameters of a linear model are zero: statistic, df, p_value.

    Without a parameter that is not determined the fit is the same: it has no degree of freedom.
    """
    statistic = (estimate.params / estimate.standard_errors) ** 2
    p = stats.f.sf(statistic, 1.0, estimate.df)
    table = {"statistic": statistic, "df": estimate.determined.astype(int), "p_value": p}
    return pd.DataFrame(table, index=list(estimate.names))


def profile_of_normal_targets(
    estimate: Estimate, chosen: Sequence[int], level: float, points: int
) -> pd.DataFrame:
    """The table of profiles where they are parabolas: the roots are t."""
    quantile, below = estimate.quantile(level), points // 2
    left = np.linspace(-quantile, 0.0, below + 1)
    t = np.append(left, np.linspace(0.0, quantile, points - below)[1:])
    parts = [
        pd.DataFrame(
            {
                "parameter": estimate.names[k],
                "value": estimate.params[k] + t * estimate.standard_errors[k],
                "drop": t**2,
                "root": t,
            }
        )
        for k in chosen
    ]
    if not parts:
        return pd.DataFrame(columns=["parameter", "value", "drop", "root"])
    return pd.concat(parts, ignore_index=True)
