"""What the status of a fit means: warnings, and why there are no standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.estimators.validation import Features
from mcmodels.exceptions import (
    ConstantTargetWarning,
    ConvergenceWarning,
    NoMinimumWarning,
    RankDeficiencyWarning,
    ScaleWarning,
    SeparationWarning,
)
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.records.linear import LinearFit
from mcmodels.records.record import INTERCEPT
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.fit_state import Optimum
from mcmodels.user_warnings import warn_user

_SEPARATED_REMEDIES = (
    "Penalise (a finite C, or alpha > 0), merge classes or categories, or drop a column; with "
    "Jeffreys' prior estimates are finite (FirthLogisticRegression, or prior='jeffreys')."
)
# Of a family the sign of the loss is right.
REMEDIES_OF_FAMILIES = (
    "Penalise (alpha > 0), take prior='jeffreys', merge rare categories, or drop a column."
)
_UNBOUNDED_REMEDIES = (
    "Check the sign of the loss; penalise (alpha > 0), merge rare categories, or drop a column."
)


def warn_rank_deficient(
    features: Features, solution: Solution[Any], *, n_rows: int, what: str
) -> None:
    """Warn that the parameters are not unique; ``what`` says which of them the fit returns."""
    remedy = "Leave out columns that depend on others, or penalise"
    if (space := solution.value.row_space) is not None:
        names = [features.name([j]) for j in range(features.n_features)]
        centre = solution.value.row_centre
        remedy = EstimableSpace(space, centre, (*names, INTERCEPT)).remedy
    warn_user(
        f"{remedy}: {rank_deficient(features, solution, n_rows)}. {what}", RankDeficiencyWarning
    )


def warn_separated(features: Features, solution: Solution[Any]) -> None:
    """Warn that the likelihood has no maximum."""
    warn_user(
        f"{separated(features, solution)}. The coefficients and their curvature are those at "
        f"which the fit stopped. {_SEPARATED_REMEDIES}",
        SeparationWarning,
    )


def warn_no_minimum(
    features: Features, solution: Solution[Any], remedies: str = _UNBOUNDED_REMEDIES
) -> None:
    """Warn that the objective keeps decreasing."""
    warn_user(
        f"{no_minimum(features, solution)}. The coefficients and their curvature are those at "
        f"which the fit stopped. {remedies}",
        NoMinimumWarning,
    )


def warn_not_converged(text: str) -> None:
    """Warn that a solver stopped early."""
    warn_user(text, ConvergenceWarning)


def warn_columns_as_given(features: Features, centres: Array, sizes: Array) -> None:
    """Warn of columns that ``partial_fit`` leaves as they are; the others have size 1."""
    own = np.flatnonzero((sizes != 1.0) | (centres != 0.0))
    largest = np.max(np.hypot(centres, sizes)[own])
    what = (
        f"as large as given, with values of about {largest:.2g}: the first updates drive hidden "
        "units where they are flat, or the outputs far off"
    )
    if largest < 1.0:
        what = f"as small as given, with values of about {largest:.2g}: updates hardly see them"
    warn_user(
        f"partial_fit leaves {features.name(own.tolist())} {what}. Scale them before: scaler = "
        "StandardScaler().fit(X) on first rows, then partial_fit(scaler.transform(X), y) on these "
        "and all later ones; fit scales them itself.",
        ScaleWarning,
    )


def warn_small_targets(size: float, alpha: float, factor: float) -> None:
    """Warn of a penalty that outweighs all that the features could explain."""
    warn_user(
        f"targets are of size {size:.1e} only, and the penalty of alpha={alpha:g} on the "
        "coefficients outweighs all that the features could explain: predictions are close to "
        f"their mean. Divide y by {size:.0e}, as sklearn.compose.TransformedTargetRegressor "
        f"with a StandardScaler does, or set alpha to {alpha * factor:.0e} or less.",
        ScaleWarning,
    )


def warn_saddle(share: float) -> None:
    """Warn of a fit that has ended where the objective has negative curvature."""
    warn_user(
        "the fit has ended at a saddle point: the gradient is small, but the objective falls along "
        f"a direction (the least eigenvalue of hessian_ is -{share:.1e} of the largest). Lower "
        "tol, take another random_state, or fit with solver='newton-cg', which mostly leaves them.",
        ConvergenceWarning,
    )


def warn_small_columns(
    features: Features, sizes: Array, small: npt.NDArray[np.bool_], alpha: float
) -> None:
    """Warn of a penalty that outweighs what small columns could explain."""
    size = float(sizes[small].min())
    warn_user(
        f"{features.name(np.flatnonzero(small).tolist())} are of size {size:.1e} only, and the "
        f"penalty of alpha={alpha:g} on their coefficients, which must be large, may outweigh what "
        "they could explain: the fit may stay at the mean of the targets. Scale them, as "
        "sklearn.preprocessing.StandardScaler does, or set "
        f"alpha to {alpha * size:.0e} or less.",
        ScaleWarning,
    )


def warn_of_least_squares(features: Features, solution: Solution[Any], record: LinearFit) -> None:
    """Warn of how a least-squares fit has ended."""
    if solution.status is Status.NOT_CONVERGED:
        warn_not_converged(
            "conjugate gradients did not reach the precision of float64: the columns are nearly "
            "linearly dependent. The largest entry of the gradient is "
            f"{abs(record.gradient).max():.1e}."
        )
    if solution.status is Status.RANK_DEFICIENT:
        warn_rank_deficient(
            features,
            solution,
            n_rows=record.seen.n_present,
            what="Predictions are unique; the coefficients are those of smallest norm"
            f"{' when columns have unit length' if solution.method == 'cg' else ''}.",
        )


def warn_of_classes(
    features: Features, solution: Solution[Optimum], n_rows: int, max_iter: int
) -> None:
    """Warn of how a fit of classes has ended."""
    if solution.status is Status.SEPARATED:
        warn_separated(features, solution)
    elif solution.status is Status.RANK_DEFICIENT:
        warn_rank_deficient(
            features,
            solution,
            n_rows=n_rows,
            what="Probabilities are unique, parameters are the shortest that give them.",
        )
    elif solution.status is Status.NOT_CONVERGED:
        steps, gradient = solution.iterations, abs(solution.value.gradient).max()
        stopped = f"Newton's method stopped after {steps} steps with the gradient at {gradient:.1e}"
        if solution.nearly_separated:
            warn_not_converged(
                f"{stopped}: but for rounding errors in the columns, "
                f"{separated(features, solution)}. {_SEPARATED_REMEDIES}"
            )
            return
        remedy = "Raise max_iter, or scale the columns."
        if steps < max_iter:
            remedy = (
                "A callback stopped it, or float64 shows no further decrease: then penalise "
                "more (a smaller C), or scale the columns."
            )
        warn_not_converged(f"{stopped}. {remedy}")


def warn_constant_targets(
    columns: list[int], names: Sequence[str], *, several: bool, consequence: str
) -> None:
    """Warn that these columns of y are constant; ``several`` is whether y is a matrix."""
    constant = [names[k] for k in columns] if names else columns
    which = f"targets {constant} of y each take" if several else "y takes"
    warn_user(
        f"{which} a single value: {consequence}, and R² is not meaningful. Check the target, or "
        "the rows that were selected.",
        ConstantTargetWarning,
    )


def undetermined(
    features: Features,
    solution: Solution[Any],
    n_rows: int,
    remedies: str = _UNBOUNDED_REMEDIES,
) -> str:
    """Why the parameters have no standard errors; empty if they have them."""
    if solution.status is Status.SEPARATED:
        text = separated(features, solution)
        return f"{text}, and so no curvature at a maximum. {_SEPARATED_REMEDIES}"
    if solution.status is Status.UNBOUNDED:
        text = no_minimum(features, solution)
        return f"{text}, and so no curvature at a minimum. {remedies}"
    if solution.rank < features.n_features and solution.value.row_space is None:
        return (
            f"{rank_deficient(features, solution, n_rows)}. Single parameters are not "
            "determined and have no standard errors. Drop columns, or penalise."
        )
    return ""


def rank_deficient(features: Features, solution: Solution[Any], n_rows: int) -> str:
    """The rank, the full rank, and the cause, as text."""
    n_columns = features.n_features
    cause = (
        f"a linear dependency involves the columns {features.name(solution.columns)}"
        if solution.columns
        else f"there are {n_rows} rows for {n_columns} columns"
    )
    if solution.constant:
        cause += (
            f". Constant in every row: {features.name(solution.constant)}, though "
            "fit_intercept=True has fitted a constant already; leave such columns out, or set "
            "fit_intercept=False"
        )
    return f"X has rank {solution.rank} where {n_columns} would be full: {cause}"


def separated(features: Features, solution: Solution[Any]) -> str:
    """The columns along which the classes are separated, as text."""
    return (
        "the classes are separated along a combination of the columns "
        f"{features.name(solution.columns)}: the likelihood has no maximum"
    )


def no_minimum(features: Features, solution: Solution[Any]) -> str:
    """The columns along which the objective keeps decreasing, as text."""
    where = "the intercept"
    if solution.columns:
        where = f"a combination of the columns {features.name(solution.columns)}"
    return f"the objective keeps decreasing along {where}: it has no minimum"
