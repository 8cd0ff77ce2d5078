"""How a fit with auxiliary parameters has ended: warnings, and why there are no errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.validation import Features
from mcmodels.estimators.verdicts import rank_deficient, warn_rank_deficient
from mcmodels.exceptions import (
    ConvergenceWarning,
    FlatObjectiveWarning,
    NoMinimumWarning,
    RankDeficiencyWarning,
)
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.auxiliary_limits import has_gone_far
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.joint_conclusion import JointSolution
from mcmodels.user_warnings import warn_user

__all__ = ["undetermined_with_auxiliary", "warn_of_auxiliary"]

# So small a share of its first value is near zero, beyond which a loss may not be defined.
_NEAR_ZERO = 1e-4
_REMEDY_EXACT = (
    "Fit fewer columns or more rows, or hold the scale (write a number for it into the loss)."
)
_REMEDY_UNBOUNDED = (
    "Check the sign of the loss; hold an auxiliary parameter (write a number for it into the "
    "loss), penalise (alpha > 0), merge rare categories, or drop a column."
)
_REMEDY_LIMIT = (
    "Fit the loss that it tends to there, which has no {name}; or write a number for {name} into "
    "the loss."
)
_REMEDY_TIED = (
    "Leave one of them out: set fit_intercept=False beside thresholds, or write a number for an "
    "auxiliary parameter into the loss."
)


_REMEDY_FLAT = (
    "If they stand in the loss as one product or sum alone, write a number for one of them; else "
    "give other first values in auxiliary, and compare objective_."
)


def _involved(features: Features, solution: JointSolution, names: tuple[str, ...]) -> str:
    """The parameters that take part in a direction, as text."""
    parts = []
    if solution.columns:
        parts.append(f"the columns {features.name(solution.columns)}")
    if solution.intercept:
        parts.append("the intercept")
    if solution.auxiliary:
        parts.append(f"auxiliary {listed([names[k] for k in solution.auxiliary])}")
    return " and ".join(parts) if parts else "the parameters"


def _cause(
    features: Features, solution: Solution[Optimum], names: tuple[str, ...], n_rows: int
) -> tuple[str, str]:
    """What is wrong with the end of a fit, and the remedy; empty if nothing is."""
    assert isinstance(solution, JointSolution)
    if solution.is_exact:
        return (
            "the fit is exact up to the rounding of float64, and the auxiliary parameters "
            f"{listed(list(names))} were estimated from rounding errors: where a scale goes to "
            "zero with the residuals, the objective has no minimum",
            _REMEDY_EXACT,
        )
    if solution.status is Status.UNBOUNDED and solution.limit is not None:
        (name,) = (names[k] for k in solution.auxiliary)
        moves = "rises" if solution.side > 0 else "falls"
        return (
            f"the objective keeps decreasing, to a limit of {solution.limit:.7g}, as {name} "
            f"{moves} for ever: it has no minimum",
            _REMEDY_LIMIT.format(name=name),
        )
    if solution.status is Status.UNBOUNDED:
        where = _involved(features, solution, names)
        return (
            f"the objective keeps decreasing along {where}: it has no minimum",
            _REMEDY_UNBOUNDED,
        )
    if solution.tied:
        where = _involved(features, solution, names)
        return (
            f"the objective does not change along a direction of {where}: they have no unique "
            "values",
            _REMEDY_TIED,
        )
    if solution.flat:
        where = _involved(features, solution, names)
        return (
            f"the Hessian is zero along a direction of {where}: other values may have the same "
            "objective, or a lower one",
            _REMEDY_FLAT,
        )
    if solution.rank < features.n_features and solution.value.row_space is None:
        return rank_deficient(features, solution, n_rows), "Drop columns, or penalise (alpha > 0)."
    return "", ""


def undetermined_with_auxiliary(
    features: Features, solution: Solution[Optimum], names: tuple[str, ...], n_rows: int
) -> str:
    """Why the parameters have no standard errors; empty if they have them.

    Parameters
    ----------
    features : Features
        The columns.
    solution : JointSolution
        How the fit has ended.
    names : tuple of str
        Names of the auxiliary parameters.
    n_rows : int
        Number of rows of positive weight.
    """
    cause, remedy = _cause(features, solution, names, n_rows)
    return f"{cause}, and so no curvature at a single minimum. {remedy}" if cause else ""


def warn_of_auxiliary(
    features: Features,
    solution: Solution[Optimum],
    names: tuple[str, ...],
    n_rows: int,
    first: Array,
    left: str,
) -> None:
    """Warn of how a fit with auxiliary parameters has ended; parameters as above.

    ``first`` are the first values of the auxiliary parameters, ``left`` says what is left of the
    gradient.
    """
    cause, remedy = _cause(features, solution, names, n_rows)
    stopped = "The parameters and their curvature are those at which the fit stopped."
    if solution.status is Status.UNBOUNDED:
        warn_user(f"{cause}. {stopped} {remedy}", NoMinimumWarning)
    elif solution.status is Status.RANK_DEFICIENT and not cause:
        of_predictor = replace(solution.value, params=solution.value.params[: -len(first)])
        warn_rank_deficient(
            features,
            replace(solution, value=of_predictor),
            n_rows=n_rows,
            what="Predictions are unique, coefficients are the shortest that give them.",
        )
    elif solution.status is Status.RANK_DEFICIENT:
        warn_user(f"{cause}. {stopped} {remedy}", RankDeficiencyWarning)
    elif cause and solution.status is Status.CONVERGED:
        warn_user(f"{cause}. {stopped} {remedy}", FlatObjectiveWarning)
    elif solution.status is Status.NOT_CONVERGED and cause:
        warn_user(f"{cause}. {stopped} {remedy}", ConvergenceWarning)
    elif solution.status is Status.NOT_CONVERGED:
        warn_user(
            f"Newton's method stopped after {solution.iterations} steps with {left}. "
            f"{_far_away(solution, names, first)}"
            "Raise max_iter, give better first values in auxiliary, scale the columns, or smooth "
            "the loss where it has kinks.",
            ConvergenceWarning,
        )


def _far_away(solution: Solution[Optimum], names: tuple[str, ...], first: Array) -> str:
    """Which auxiliary parameters have gone far: they may have no best value."""
    last = solution.value.params[len(solution.value.params) - len(first) :]
    far = has_gone_far(first, last) | (np.abs(last) < _NEAR_ZERO * np.abs(first))
    moves = [f"{names[k]} from {first[k]:g} to {last[k]:.3g}" for k in np.flatnonzero(far)]
    if not moves:
        return ""
    return (
        f"It has taken {listed(moves)}, and the objective may have no minimum there: then "
        "write a number for it into the loss, or take the loss at its limit. "
    )
