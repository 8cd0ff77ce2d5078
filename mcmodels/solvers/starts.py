"""Where fits start: zero coefficients and the best constant predictor, or an earlier fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective, Loss
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import RowBlock, Rows, WithoutFeatures
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.newton import newton_iterates, status_when_stalled
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import MAX_HALVINGS_OF_A_GUESS, SAMPLE_ROWS

# Largest number of steps in the intercept, and the relative length of a step at which to stop. A
# start need not be precise.
_MAX_STEPS, _SHORT_STEP = 20, 1e-2
# Of intercepts beside an offset: the gradient by the total weight, and the largest number of steps.
_PRECISE, _MOST_STEPS = 1e-12, 200


def log_odds_start(totals: Array, rows: Rows) -> Array:
    """Zero coefficients, and intercepts that give the share of each class.

    Parameters
    ----------
    totals : ndarray of shape (n_classes,)
        Weight of each class.
    rows : Rows
        Design rows.

    Returns
    -------
    ndarray of shape (P,) for two classes, (n_classes, P) for more
    """
    params = np.zeros((len(totals), rows.n_params))
    if rows.intercept:
        logarithms = np.log(totals)
        params[:, -1] = logarithms - logarithms.mean()
    return params if len(totals) > 2 else params[1] - params[0]


@dataclass(frozen=True)
class NullFit:
    """The best intercepts beside an offset, without features.

    Parameters
    ----------
    intercepts : ndarray of shape (1,) or (K, 1)
        The intercepts; of several classes they sum to zero.
    objective : float
        The least sum of losses; NaN where it was not found.
    """

    intercepts: Array
    objective: float


def null_fit(rows: Rows, loss: Loss, totals: Array) -> NullFit:
    """Fit intercepts alone beside the offsets of the rows, by Newton's method.

    Without an offset they would be the logarithms of the shares of the classes. With one there is
    no formula. There is a minimum, as each class has rows.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes and an offset.
    loss : Loss
        Their cross-entropy.
    totals : ndarray of shape (n_classes,)
        Weight of each class.
    """
    objective = LinearPredictorObjective(WithoutFeatures(rows), loss)
    bound = _PRECISE * rows.total_weight
    *_, last = newton_iterates(
        objective,
        log_odds_start(totals, objective.rows),
        gradient_tolerance=bound,
        max_iter=_MOST_STEPS,
        proof=MinimumProof(objective),
    )
    # That there is a minimum needs no proof here.
    found = status_when_stalled(last, bound) is Status.CONVERGED
    return NullFit(last.params, last.derivatives.value if found else np.nan)


def better_start(
    objective: LinearPredictorObjective, previous: Array | None, start: Array
) -> Array:
    """The previous parameters, where they fit no worse than the start; else the start.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What will be minimised.
    previous : ndarray or None
        Parameters of an earlier fit. They are not used if their shape is not that of ``start``. For
        softmax they are centred: their mean over the classes changes no probability.
    start : ndarray of shape (P,) or (K, P)
        The start of a fit without an earlier one.
    """
    if previous is None or previous.shape != start.shape:
        return start
    previous = objective.without_shift(previous)
    return previous if objective.value(previous) <= objective.value(start) else start


def intercept_start(objective: UserObjective, candidates: Sequence[float] = ()) -> Array:
    """Zero coefficients and an intercept at which the loss is small, if one is fitted.

    On a sample of the rows, Newton's method in the intercept alone starts from the best of 0, 1,
    -1, the mean and the median of the targets, and further candidates; beside an offset also from
    these minus its mean.
    """
    start = np.zeros(objective.rows.n_params)
    if not objective.rows.intercept:
        return start
    sample = objective.rows.sample(SAMPLE_ROWS)

    def targets(block: RowBlock) -> list[tuple[Array, Array, Array]]:
        return [(block.y, block.weights_or_ones, block.offset_or_zeros)]

    parts = sample.reduce(targets)
    y, weights, offset = (
        np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True)
    )
    weights = weights / weights.sum()

    def at(b: float) -> tuple[float, float, float]:
        found = objective.loss.derivatives(y, offset + b, (0, 1, 2))
        with np.errstate(over="ignore", invalid="ignore"):
            value, first, second = (float(weights @ part) for part in found)
        return (value if np.isfinite([value, first, second]).all() else np.inf), first, second

    candidates = (0.0, float(weights @ y), float(np.median(y)), 1.0, -1.0, *candidates)
    away = float(weights @ offset)
    candidates = (*candidates, *(b - away for b in candidates if away != 0))
    best = min(candidates, key=lambda b: at(b)[0])
    start[-1] = _refined(at, best)
    return start


def _refined(at: Callable[[float], tuple[float, float, float]], start: float) -> float:
    """Newton's method with halved steps; the start itself where it does not converge."""
    b, (value, first, second) = start, at(start)
    for _ in range(_MAX_STEPS):
        if not np.isfinite(value) or not second > 0:
            break
        step = -first / second
        for _ in range(MAX_HALVINGS_OF_A_GUESS):
            tried = at(b + step)
            if tried[0] <= value:
                break
            step /= 2
        else:
            return float(b)
        b, (value, first, second) = b + step, tried
        if abs(step) <= _SHORT_STEP * max(abs(b), 1.0):
            return float(b)
    return start
