"""Influence of single rows on the fit of a loss with auxiliary parameters: on all parameters.

With ``J = [[x̃ᵀ, 0], [0, I]]``, which maps a change of ``(θ, a)`` to that of ``(η, a)`` in a row,
g and L the gradient and the Hessian of the loss of the row by ``(η, a)``, H the joint Hessian and
``G = J H⁻¹ Jᵀ``,

=====================  ==========================================================================
θ̂ - θ̂₍ᵢ₎              ``-H⁻¹Jᵀ (I - w L G)⁻¹ w g``, one Newton step from the fit without the row
leverage               ``w tr(L G)``: the row's share of the joint Hessian; P in all
standardized           ``-√w g_η / √(φ L_ηη (1 - w L_ηη G_ηη))``
DFBETAS                the change, divided by ``√(φ (H⁻¹)ⱼⱼ)``
Cook's distance        ``(θ̂ - θ̂₍ᵢ₎)ᵀH(θ̂ - θ̂₍ᵢ₎)/(φP)``, P the number of all parameters
=====================  ==========================================================================

The Hessian of the other rows is ``H - w JᵀLJ``; the first line is ``-(H - w JᵀLJ)⁻¹ Jᵀ w g``, of
which only a system of the size of ``(η, a)`` is solved in each row (Woodbury's identity). Without
auxiliary parameters, these are the measures of :mod:`mcmodels.inference.loss_diagnostics`, whose
φ they have.

Sources: Pregibon (1981), *Logistic regression diagnostics*, Annals of Statistics 9(4), and Cook
(1986), *Assessment of local influence*, JRSS B 48(2), for likelihoods of several parameters.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.exceptions import FewCurvedRowsWarning, LeverageWarning
from mcmodels.inference.auxiliary_model import AuxiliaryModelInference
from mcmodels.inference.influence import influence_columns, one_minus
from mcmodels.inference.loss_diagnostics import LOSS_MEASURES
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.auxiliary import AuxiliaryLoss
from mcmodels.rows import RowBlock, Rows
from mcmodels.user_warnings import warn_user

__all__ = ["joint_influence"]


def joint_influence(
    model: AuxiliaryModelInference,
    loss: AuxiliaryLoss,
    rows: Rows,
    scale: float,
    unit: float,
    index: pd.Index | None,
) -> pd.DataFrame:
    """One row of measures for each row of the fit of a loss with auxiliary parameters.

    Parameters
    ----------
    model : AuxiliaryModelInference
        Of the fit.
    loss : AuxiliaryLoss
        Its loss.
    rows, scale, unit, index
        Those of :func:`~mcmodels.inference.loss_diagnostics.loss_influence`.
    """
    T, at_centre, P = model.root, model.centred_root, len(model.predictor_params)
    p = P - model.intercept
    features = Whitening(at_centre[:p], model.centre, None)
    lengths = np.linalg.norm(T, axis=1)
    if model.estimable is not None:
        lengths[~model.estimable.determined] = np.nan
    scaled = (T / lengths[:, np.newaxis]).T * np.sqrt(unit / scale)
    table = np.empty((rows.n_rows, 1 + len(LOSS_MEASURES) + len(T)))

    def fill(block: RowBlock) -> int:
        w = np.asarray(block.extras.get("frequency", 1.0), dtype=np.float64)
        eta = block.linear_predictor(model.predictor_params)
        _, g, L = loss.function(block.y, eta, model.params[P:], 2)
        Z = features.of_features(block)
        if model.intercept:
            Z = Z + at_centre[p]
        of_a = np.broadcast_to(at_centre[P:], (len(Z), *at_centre[P:].shape))
        K = np.concatenate([Z[:, np.newaxis], of_a], axis=1)
        wide = np.reshape(w, (-1, 1, 1))
        G = K @ K.transpose(0, 2, 1)
        shares = wide * (L @ G)
        change = np.einsum("ik,ikr->ir", _solved(shares, wide[:, :, 0] * g), K)
        h = np.reshape(w, -1) * L[:, 0, 0] * G[:, 0, 0]
        score = np.sqrt(unit * w) * -g[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(scale * L[:, 0, 0] * one_minus(h))
            standardized = np.where(spread > 0, score / spread, np.nan)
        standardized[(score == 0) & (L[:, 0, 0] >= 0)] = 0.0
        cooks = np.einsum("ir,ir->i", change, change) * unit / (scale * model.n_params)
        part = table[block.rows]
        measures = np.einsum("ikk->i", shares), score, standardized, cooks
        part[:, : 1 + len(LOSS_MEASURES)] = np.stack(measures, axis=1)
        part[:, 1 + len(LOSS_MEASURES) :] = change @ scaled
        return 0

    rows.reduce(fill)
    found = pd.DataFrame(
        table, columns=influence_columns(LOSS_MEASURES, model.names), index=index, copy=False
    )
    _warn_of(found)
    return found


def _solved(shares: Array, gradient: Array) -> Array:
    """``-(I - w L G)⁻¹ w g`` of each row; NaN where the Hessian without the row is not definite.

    It is where all eigenvalues of ``w L G`` are below one. They are those of ``H⁻¹w JᵀLJ`` and so
    real, but for rounding.
    """
    left = np.eye(shares.shape[-1]) - shares
    lost = ~(np.linalg.eigvals(left).real.min(axis=1, initial=np.inf) > SMALLEST_REST)
    left[lost] = np.eye(shares.shape[-1])
    found: Array = np.array(-np.linalg.solve(left, gradient[:, :, np.newaxis])[:, :, 0], np.float64)
    found[lost] = np.nan
    return found


def _warn_of(found: pd.DataFrame) -> None:
    alone = np.flatnonzero(found["cooks_distance"].isna())
    if alone.size:
        some = ", ".join(map(str, alone[:10])) + (", …" if alone.size > 10 else "")
        warn_user(
            f"without row {some} the Hessian at the fit is not positive definite: each alone "
            "determines a parameter, and the fit without it is not near (NaN).",
            LeverageWarning,
        )
    kept = found[found["cooks_distance"].notna()]
    lost = int(kept["standardized_residual"].isna().sum())
    if lost:
        warn_user(
            f"in {lost} of {len(found)} rows the loss does not bend upwards in η where the fit is, "
            "and their standardized residual is NaN; take the column score_residual.",
            FewCurvedRowsWarning,
        )
