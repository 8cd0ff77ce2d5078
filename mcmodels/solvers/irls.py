"""Iteratively reweighted least squares for classes: Newton, its start and its diagnosis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import Array
from mcmodels.solvers.newton import Iterate, iterates
from mcmodels.solvers.separation import separated
from mcmodels.solvers.solution import Solution, Status

# Share of the largest contribution to a direction that makes a column worth naming.
_NOTABLE = 1e-2


@dataclass(frozen=True)
class Optimum:
    """The minimiser of an objective and its derivatives there.

    Parameters
    ----------
    params, gradient : ndarray of shape (P,) or (K, P)
        The parameters, and the gradient at them.
    objective : float
        The least value.
    hessian : ndarray of shape (KP, KP)
        Over the raveled parameters.
    """

    params: Array
    objective: float
    gradient: Array
    hessian: Array


def log_odds_start(rows: Rows, n_classes: int) -> Array:
    """Zero coefficients, and the intercepts that reproduce the share of each class.

    Shape (P,) for two classes, (n_classes, P) for more.
    """

    def summarise(block: RowBlock) -> Array:
        weights = np.ones(block.X.n_rows) if block.weights is None else block.weights
        totals = np.bincount(block.y, weights=weights, minlength=n_classes)
        return totals.astype(np.float64)

    params = np.zeros((n_classes, rows.n_params))
    if rows.intercept:
        # A class without weight would start at -inf.
        share = np.maximum(rows.reduce(summarise) / rows.total_weight, 1e-9)
        params[:, -1] = np.log(share) - np.log(share).mean()
    return params if n_classes > 2 else params[1] - params[0]


def fit(
    objective: LinearPredictorObjective, start: Array, *, tol: float, max_iter: int
) -> Iterator[Iterate]:
    """Newton iterates until ``‖gradient‖∞ ≤ tol · Σ wᵢ``."""
    return iterates(
        objective,
        start,
        gradient_tolerance=tol * objective.rows.total_weight,
        max_iter=max_iter,
    )


def conclude(objective: LinearPredictorObjective, last: Iterate) -> Solution[Optimum]:
    """The Solution at the last iterate, with what is wrong with it."""
    rows, derivatives, direction = objective.rows, last.derivatives, last.direction
    status = last.status or Status.NOT_CONVERGED
    columns: tuple[int, ...] = ()
    if objective.penalty == 0 and separated(
        rows, last.params, direction.step, derivatives.gradient
    ):
        status = Status.SEPARATED
        columns = _notable_columns(rows, direction.step)
    elif status is Status.CONVERGED and direction.rank < last.params.size:
        status = Status.RANK_DEFICIENT
        columns = tuple(
            sorted(
                {
                    i % rows.n_params
                    for i in direction.dependent
                    if i % rows.n_params < rows.n_features
                }
            )
        )
    return Solution(
        Optimum(last.params, derivatives.value, derivatives.gradient, derivatives.hessian),
        status,
        "newton",
        last.count,
        _rank_of_features(rows, last.params, direction.rank),
        direction.condition,
        columns,
    )


def _rank_of_features(rows: Rows, params: Array, rank: int) -> int:
    """Rank of the features: a dependency costs a parameter of every class that is free."""
    free_classes = max(params.size // rows.n_params - 1, 1)
    return rows.n_features - (params.size - rank) // free_classes


def _notable_columns(rows: Rows, step: Array) -> tuple[int, ...]:
    """Columns that carry the direction, by what they contribute to the linear predictor."""

    def summarise(block: RowBlock) -> Array:
        return block.X.square_sums()

    length = np.sqrt(rows.reduce(summarise))
    contribution = np.abs(np.atleast_2d(step)[:, : rows.n_features]).max(axis=0) * length
    notable = contribution > _NOTABLE * contribution.max(initial=0.0)
    return tuple(int(j) for j in np.nonzero(notable)[0])
