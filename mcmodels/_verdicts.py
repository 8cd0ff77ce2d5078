"""What a solver's status means to the user: warnings, and why there are no standard errors."""

from __future__ import annotations

import warnings
from typing import Any

from mcmodels._validation import name_columns
from mcmodels.exceptions import (
    ConvergenceWarning,
    NoMinimumWarning,
    RankDeficiencyWarning,
    SeparationWarning,
)
from mcmodels.solvers import Solution, Status


def warn_rank_deficient(
    estimator: Any, solution: Solution[Any], *, n_rows: int, what: str, stacklevel: int
) -> None:
    """Warn that ``what`` is one choice among many, naming the columns where they are known."""
    warnings.warn(
        f"{rank_deficient(estimator, solution, n_rows)}. {what} "
        "Drop columns, or penalise, to make the parameters mean something by themselves.",
        RankDeficiencyWarning,
        stacklevel=stacklevel,
    )


def warn_separated(estimator: Any, solution: Solution[Any], *, stacklevel: int) -> None:
    """Warn that the likelihood has no maximum."""
    warnings.warn(
        f"{separated(estimator, solution)}, and the coefficients and their curvature are those "
        "where the fit stopped. Penalise (a finite C), merge classes or categories, or drop a "
        "column.",
        SeparationWarning,
        stacklevel=stacklevel,
    )


def warn_no_minimum(estimator: Any, solution: Solution[Any], *, stacklevel: int) -> None:
    """Warn that the objective falls for ever."""
    warnings.warn(
        f"{no_minimum(estimator, solution)}, and the coefficients and their curvature are those "
        f"where the fit stopped. {_BOUND_IT}",
        NoMinimumWarning,
        stacklevel=stacklevel,
    )


def warn_not_converged(text: str, *, stacklevel: int) -> None:
    """Warn that a solver stopped early."""
    warnings.warn(text, ConvergenceWarning, stacklevel=stacklevel)


def undetermined(estimator: Any, solution: Solution[Any], n_rows: int) -> str:
    """Why the parameters have no standard errors; empty where they have them."""
    if solution.status is Status.SEPARATED:
        return (
            f"{separated(estimator, solution)}, and no curvature there. Penalise (a finite C), "
            "merge classes or categories, or drop a column."
        )
    if solution.status is Status.UNBOUNDED:
        return f"{no_minimum(estimator, solution)}, and no curvature there. {_BOUND_IT}"
    if solution.status is Status.RANK_DEFICIENT or solution.rank < estimator.n_features_in_:
        return (
            f"{rank_deficient(estimator, solution, n_rows)}. Single parameters are not "
            "determined, and have no standard error. Drop columns, or penalise."
        )
    return ""


def rank_deficient(estimator: Any, solution: Solution[Any], n_rows: int) -> str:
    """How far the rank is from full, and why."""
    n_columns = estimator.n_features_in_
    cause = (
        f"a linear dependency involves the columns {name_columns(estimator, solution.columns)}"
        if solution.columns
        else f"there are {n_rows} rows for {n_columns} columns"
    )
    return f"X has rank {solution.rank} where {n_columns} would be full: {cause}"


def separated(estimator: Any, solution: Solution[Any]) -> str:
    """Along which columns classes are separated."""
    return (
        "the classes are separated along a combination of the columns "
        f"{name_columns(estimator, solution.columns)}: the likelihood has no maximum"
    )


_BOUND_IT = (
    "Check the sign of the loss; penalise (alpha > 0), merge rare categories, or drop a column."
)


def no_minimum(estimator: Any, solution: Solution[Any]) -> str:
    """Along which columns an objective falls for ever."""
    where = "the intercept"
    if solution.columns:
        where = f"a combination of the columns {name_columns(estimator, solution.columns)}"
    return f"the objective falls for ever along {where}: it has no minimum"
