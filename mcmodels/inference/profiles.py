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

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.inference.estimate import Estimate
from mcmodels.solvers.profile import Profile
from mcmodels.solvers.refits import BoundsOfProfile

__all__ = [
    "f_tests",
    "profile_ends",
    "profile_of_normal_targets",
    "profile_points",
    "ratio_tests",
]


def f_tests(estimate: Estimate) -> pd.DataFrame:
    """Tests that single parameters of a linear model are zero: statistic, df, p_value."""
    statistic = (estimate.params / estimate.standard_errors) ** 2
    p = stats.f.sf(statistic, 1.0, estimate.df)
    table = {"statistic": statistic, "df": 1, "p_value": p}
    return pd.DataFrame(table, index=list(estimate.names))


def profile_ends(
    profile: Profile,
    refits: BoundsOfProfile | None,
    chosen: Sequence[int],
    level: float,
    dispersion: float,
    df: float,
    errors: Array,
) -> Array:
    """The ends of the intervals of some parameters, shape (k, 2); NaN where one was not found.

    ``errors`` are the standard errors of all parameters; refits look for what has not been found.
    """
    rise = dispersion * float(stats.t.ppf((1 + level) / 2, df)) ** 2 / 2

    def end(k: int, side: float) -> float:
        found = profile.end(profile.unit(k), side, rise)
        if np.isnan(found) and refits is not None:
            found = refits.end(k, side, profile.minimum + rise, float(errors[k]))
        return found

    ends = [[end(k, side) for side in (-1.0, 1.0)] for k in chosen]
    return np.array(ends, dtype=np.float64).reshape(-1, 2)


def profile_points(
    profile: Profile,
    refits: BoundsOfProfile | None,
    chosen: Sequence[int],
    ends: Array,
    params: Array,
    points: int,
    dispersion: float,
) -> Array:
    """Values of parameters, ``2(f - f̂)/φ`` there and its signed root, shape (k, points, 3).

    NaN where the least value was not found. ``ends`` has shape (k, 2).
    """

    def drop(k: int, value: float) -> float:
        least = profile.least(profile.unit(k), value)
        if np.isnan(least) and refits is not None:
            least = refits.least(k, value)
        return float(np.maximum(2.0 * (least - profile.minimum) / dispersion, 0.0))

    below = points // 2
    tables = []
    for k, (lower, upper) in zip(chosen, ends, strict=True):
        left = np.linspace(lower, params[k], below + 1)
        values = np.append(left, np.linspace(params[k], upper, points - below)[1:])
        drops = np.array([0.0 if j == below else drop(k, v) for j, v in enumerate(values)])
        tables.append(
            np.column_stack([values, drops, np.sign(values - params[k]) * np.sqrt(drops)])
        )
    return np.array(tables).reshape(-1, points, 3)


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


def ratio_tests(
    profile: Profile,
    refits: BoundsOfProfile | None,
    chosen: Sequence[int],
    dispersion: float,
    df: float,
    *,
    is_convex: bool,
) -> pd.DataFrame:
    """Tests that single parameters are zero: statistic (NaN if not found), df, p_value.

    Refits look for what has not been found, and for lower minima where there may be some.
    """

    def least_without(k: int) -> float:
        found = profile.least(profile.unit(k), 0.0)
        if refits is None or (is_convex and np.isfinite(found)):
            return found
        return float(np.fmin(found, refits.least(k, 0.0)))

    least = np.array([least_without(k) for k in chosen])
    statistic = np.maximum(2.0 * (least - profile.minimum) / dispersion, 0.0)
    of_f = np.isfinite(df)
    p = stats.f.sf(statistic, 1.0, df) if of_f else stats.chi2.sf(statistic, 1.0)
    return pd.DataFrame({"statistic": statistic, "df": 1, "p_value": p})
