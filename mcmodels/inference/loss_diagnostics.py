"""Residuals and influence of single rows on the fit of a loss of the user's.

With ``ℓ′`` and ``ℓ″`` the derivatives of the loss of a row in its linear predictor, H the Hessian
of the objective, and the leverage ``h = w ℓ″ x̃ᵀH⁻¹x̃``,

=====================  ==========================================================================
score                  ``-ℓ′``: positive where a larger η fits better
working                ``-ℓ′/ℓ″``: what one Newton step adds to η of the row alone
standardized           ``-√w ℓ′ / √(φ ℓ″ (1 - h))``
θ̂ - θ̂₍ᵢ₎              ``-H⁻¹x̃ w ℓ′/(1 - h)``, one Newton step from the fit without the row
DFBETAS                the same, divided by ``√(φ (H⁻¹)ⱼⱼ)``
Cook's distance        ``(θ̂ - θ̂₍ᵢ₎)ᵀH(θ̂ - θ̂₍ᵢ₎)/(φP)``
=====================  ==========================================================================

Sources: Pregibon (1981), *Logistic regression diagnostics*, Annals of Statistics 9(4), and Williams
(1987), *Generalized linear model diagnostics using the deviance and single case deletions*, Applied
Statistics 36(2), of whose formulas only derivatives of the loss are used. Of a likelihood φ is 1.
Of other losses it is ``n/(n - P) · Σ wℓ′² / Σ wℓ″``, so that ``φH⁻¹`` is the covariance of Huber
and Ronchetti (2009), *Robust Statistics*, 2nd ed., §7.6, and a loss multiplied by a number has the
same measures. Of squared errors they are those of least squares.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.exceptions import FewCurvedRowsWarning, InferenceError
from mcmodels.inference.influence import (
    MeasuresOfRows,
    influence_columns,
    influence_table,
    one_minus,
)
from mcmodels.inference.loss_model import LossModelInference
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import RowBlock, Rows
from mcmodels.user_warnings import warn_user

__all__ = [
    "MEASURES",
    "loss_influence",
    "loss_influence_of_no_rows",
    "residual_scale",
    "score_residuals",
    "working_residuals",
]

MEASURES = ("score_residual", "standardized_residual", "cooks_distance")


def score_residuals(loss: UserLoss, y: Array, eta: Array) -> Array:
    """``-ℓ′`` of each row."""
    return -loss.gradient(y, eta)


def working_residuals(loss: UserLoss, y: Array, eta: Array) -> Array:
    """``-ℓ′/ℓ″`` of each row; zero where ℓ′ is, NaN with a warning where ``ℓ″ ≤ 0``."""
    slope, curvature = loss.derivatives(y, eta, (1, 2))
    found = _quotient(-slope, curvature)
    _warn_without_curvature(found, "working residual", "kind='score'")
    return found


def residual_scale(model: LossModelInference, loss: UserLoss, rows: Rows) -> float:
    """φ, from the training rows with their weights; 1 of a likelihood.

    Raises
    ------
    InferenceError
        If no rows are left to estimate it from, or the loss has no curvature on average.
    """
    if model.is_likelihood:
        return 1.0
    weighting, n = model.weighting, model.n_observations
    left = n - model.whitening.n_params

    def sums(block: RowBlock) -> Array:
        eta, w = block.linear_predictor(model.params), block.weights_or_ones
        slope, curvature = loss.derivatives(block.y, eta, (1, 2))
        counted = (w > 0).astype(np.float64) if weighting is Weighting.PRECISION else w
        return np.array([w @ slope**2, counted @ curvature, counted.sum()])

    squares, curvature, total = rows.reduce(sums).tolist()
    relative = weighting.relative(rows.total_weight, rows.n_present)
    if left <= 0 or not curvature > 0:
        why = (
            f"there are {n:g} observations for {model.whitening.n_params} parameters"
            if left <= 0
            else "the mean of ℓ″ over the rows is not positive"
        )
        raise InferenceError(
            f"influence measures changes by the scale of the scores, and {why}. If the loss is a "
            "negative log-likelihood, pass log_likelihood=True: its scale is 1."
        )
    return float(relative * squares / left * total / curvature)


def loss_influence(
    model: LossModelInference,
    loss: UserLoss,
    rows: Rows,
    scale: float,
    unit: float,
    index: pd.Index | None,
) -> pd.DataFrame:
    """One row of measures for each row of the fit of a loss.

    Parameters
    ----------
    model : LossModelInference
        Of the fit.
    loss : UserLoss
        Its loss.
    rows : Rows
        Without weights, so that rows of weight 0 get measures, too. The weights of the fit, where
        it had any, are ``extras["frequency"]``.
    scale : float
        φ.
    unit : float
        What weights are multiplied by in residuals: one but for those of a survey.
    index : Index or None
        Of the rows.
    """

    def measures(block: RowBlock, squares: Array) -> MeasuresOfRows:
        w = block.extras.get("frequency", 1.0)
        eta = block.linear_predictor(model.params)
        slope, curvature = loss.derivatives(block.y, eta, (1, 2))
        h = w * curvature * squares
        left = one_minus(h)
        score = np.sqrt(unit * w) * -slope
        standardized = _quotient(score, np.sqrt(np.maximum(scale * curvature * left, 0.0)))
        factor = -w * slope / left
        cooks = factor**2 * squares * unit / (scale * model.whitening.n_params)
        return h, factor, np.sqrt(scale / unit), (score, standardized, cooks)

    found = influence_table(model.whitening, rows, measures, MEASURES, model.names, index)
    lost = found["standardized_residual"].to_numpy()[found["cooks_distance"].notna().to_numpy()]
    _warn_without_curvature(lost, "standardized residual", "the column score_residual")
    return found


def loss_influence_of_no_rows(names: tuple[str, ...]) -> pd.DataFrame:
    """The table of :func:`loss_influence` without rows."""
    return pd.DataFrame(columns=influence_columns(MEASURES, names), dtype=np.float64)


def _quotient(above: Array, below: Array) -> Array:
    """``above/below``; zero where ``above`` is, and NaN where ``below`` is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(below > 0, above / below, np.nan)
    return np.where((above == 0) & ~np.isnan(below), 0.0, found)


def _warn_without_curvature(found: Array, what: str, instead: str) -> None:
    lost = int(np.count_nonzero(np.isnan(found)))
    if lost:
        warn_user(
            f"in {lost} of {found.size} rows the loss does not bend upwards (ℓ″ ≤ 0) where the fit "
            f"is, and their {what} is NaN; take {instead}.",
            FewCurvedRowsWarning,
        )
