"""What is said of fits with ``l1``, which have chosen columns: no errors, and how far they came."""

from __future__ import annotations

import numpy as np

from mcmodels.estimators.validation import Features
from mcmodels.exceptions import RankDeficiencyWarning
from mcmodels.objectives.absolute_penalty import least_subgradient
from mcmodels.solvers import Solution
from mcmodels.solvers.fit_state import Optimum
from mcmodels.user_warnings import warn_user

__all__ = [
    "largest_subgradient",
    "warn_of_coefficients_not_unique",
    "why_no_errors_after_selection",
]


def why_no_errors_after_selection(l1: float) -> str:
    """Why a fit with ``l1`` has no standard errors.

    Intervals that ignore a choice by the same rows cover less than they say: Berk, Brown, Buja,
    Zhang and Zhao (2013), *Valid post-selection inference*, Annals of Statistics 41(2).
    """
    return (
        f"l1={l1:g} has shrunk the coefficients, and has chosen from these rows which are zero: "
        "standard errors, tests and intervals that ignore this choice do not hold. Choose "
        "the columns by a fit to one part of the rows, and fit these columns with l1=0 to the "
        "other part."
    )


def warn_of_coefficients_not_unique(features: Features, solution: Solution[Optimum]) -> None:
    """Warn that other coefficients of dependent columns have the same objective."""
    warn_user(
        f"some of the columns {features.name(solution.columns)}, whose coefficients are not zero, "
        "are combinations of others. Predictions are unique; these coefficients are not, and "
        "others have the same objective. Leave out columns that depend on others, or take "
        "alpha > 0.",
        RankDeficiencyWarning,
    )


def largest_subgradient(l1: float, optimum: Optimum, free: int) -> float:
    """Largest entry of the shortest subgradient of an objective with ``l1‖coef‖₁``.

    The last ``free`` parameters, the intercept and auxiliary ones, are not penalised.
    """
    strengths = np.full(optimum.params.size, l1)
    strengths[strengths.size - free :] = 0.0
    found = least_subgradient(optimum.params, optimum.gradient, strengths)
    return float(np.abs(found).max(initial=0.0))
