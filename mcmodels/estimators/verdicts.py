"""What a solver's status means to the user: warnings, and why there are no standard errors."""

from __future__ import annotations

from typing import Any

from mcmodels.estimators.validation import Features
from mcmodels.exceptions import (
    ConvergenceWarning,
    NoMinimumWarning,
    RankDeficiencyWarning,
    SeparationWarning,
)
from mcmodels.solvers import Solution, Status
from mcmodels.user_warnings import warn_user


def warn_rank_deficient(
    features: Features, solution: Solution[Any], *, n_rows: int, what: str
) -> None:
    """Warn that ``what`` is one choice among many, naming the columns where they are known."""
    warn_user(
        f"{rank_deficient(features, solution, n_rows)}. {what} "
        "Drop columns, or penalise, to make the parameters mean something by themselves.",
        RankDeficiencyWarning,
    )


def warn_separated(features: Features, solution: Solution[Any]) -> None:
    """Warn that the likelihood has no maximum."""
    warn_user(
        f"{separated(features, solution)}, and the coefficients and their curvature are those "
        "where the fit stopped. Penalise (a finite C), merge classes or categories, or drop a "
        "column.",
        SeparationWarning,
    )


def warn_no_minimum(features: Features, solution: Solution[Any]) -> None:
    """Warn that the objective decreases without bound."""
    warn_user(
        f"{no_minimum(features, solution)}, and the coefficients and their curvature are those "
        f"where the fit stopped. {_BOUND_IT}",
        NoMinimumWarning,
    )


def warn_not_converged(text: str) -> None:
    """Warn that a solver stopped early."""
    warn_user(text, ConvergenceWarning)


def undetermined(features: Features, solution: Solution[Any], n_rows: int) -> str:
    """Why the parameters have no standard errors; empty where they have them."""
    if solution.status is Status.SEPARATED:
        return (
            f"{separated(features, solution)}, and no curvature there. Penalise (a finite C), "
            "merge classes or categories, or drop a column."
        )
    if solution.status is Status.UNBOUNDED:
        return f"{no_minimum(features, solution)}, and no curvature there. {_BOUND_IT}"
    if solution.status is Status.RANK_DEFICIENT or solution.rank < features.n_features:
        return (
            f"{rank_deficient(features, solution, n_rows)}. Single parameters are not "
            "determined, and have no standard error. Drop columns, or penalise."
        )
    return ""


def rank_deficient(features: Features, solution: Solution[Any], n_rows: int) -> str:
    """How far the rank is from full, and why."""
    n_columns = features.n_features
    cause = (
        f"a linear dependency involves the columns {features.name(solution.columns)}"
        if solution.columns
        else f"there are {n_rows} rows for {n_columns} columns"
    )
    return f"X has rank {solution.rank} where {n_columns} would be full: {cause}"


def separated(features: Features, solution: Solution[Any]) -> str:
    """Along which columns classes are separated."""
    return (
        "the classes are separated along a combination of the columns "
        f"{features.name(solution.columns)}: the likelihood has no maximum"
    )


_BOUND_IT = (
    "Check the sign of the loss; penalise (alpha > 0), merge rare categories, or drop a column."
)


def no_minimum(features: Features, solution: Solution[Any]) -> str:
    """Along which columns an objective decreases without bound."""
    where = "the intercept"
    if solution.columns:
        where = f"a combination of the columns {features.name(solution.columns)}"
    return f"the objective falls for ever along {where}: it has no minimum"
