"""Influence of single rows on a fit, without refitting and without an n×n matrix.

Rows are left out whole: a row of weight two that counts rows is two of them, which takes two
degrees of freedom from the noise without it, and a row of any other weight takes one. With the
leverage ``h = w x̃ᵀA x̃``, A the inverse of ``X̃ᵀWX̃`` (of the Hessian), and r the residual,

=====================  ==================================================  ====================
standardized residual  ``√w r / (σ̂ √(1 - h))``                            B, K & W eq. 2.26
studentized residual   the same with ``σ̂₍ᵢ₎``, the row left out            eq. 2.27
Cook's distance        ``t² h / ((1 - h) P)``, t standardized               Cook (1977), eq. 5
DFFITS                 ``t₍ᵢ₎ √(h / (1 - h))``, t₍ᵢ₎ studentized            eq. 2.11
DFBETAS                ``(θ̂ - θ̂₍ᵢ₎)ⱼ / (σ̂₍ᵢ₎ √Aⱼⱼ)``                     eq. 2.7
=====================  ==================================================  ====================

from Belsley, Kuh and Welsch (1980), *Regression Diagnostics*, ch. 2. For least squares
``θ̂ - θ̂₍ᵢ₎ = A x̃ w r / (1 - h)`` exactly. For classes the same formulas with ``w p(1-p)`` for w are
one Newton step from the fit without the row: Pregibon (1981), *Logistic regression diagnostics*,
Annals of Statistics 9(4), eq. 3. For generalized linear models ``w ℓ″`` takes its place, ``-ℓ′``
that of r in changes of the parameters, and √φ, which is held, that of σ̂: Williams (1987),
*Generalized linear model diagnostics using the deviance and single case deletions*, Applied
Statistics 36(2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError, LeverageWarning
from mcmodels.inference.glm_model import GlmInference
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import RowBlock, Rows
from mcmodels.user_warnings import warn_user

__all__ = [
    "LINEAR_MEASURES",
    "RESIDUAL_MEASURES",
    "MeasuresOfRows",
    "glm_influence",
    "influence_columns",
    "influence_table",
    "linear_influence",
    "logistic_influence",
    "one_minus",
    "studentized_residuals",
]

# Columns of the tables of linear fits, and of others, between leverage and DFBETAS.
LINEAR_MEASURES = ("standardized_residual", "studentized_residual", "cooks_distance", "dffits")
RESIDUAL_MEASURES = (
    "pearson_residual",
    "deviance_residual",
    "standardized_residual",
    "cooks_distance",
)


# From a block and the squared lengths of its rows z: leverages, factors, what these are divided by,
# and the columns of the table before DFBETAS. The DFBETAS of a row are its factor times Tz, scaled.
MeasuresOfRows = tuple[Array, Array, Array | float, tuple[Array, ...]]
Measures = Callable[[RowBlock, Array], MeasuresOfRows]


class StudentizedResiduals(NamedTuple):
    """Residuals of rows of a least-squares fit, by their standard deviation; each of shape (b,).

    ``leverage`` h and ``left`` ``1 - h`` (NaN for h = 1), ``weighted`` ``√w r``,
    ``noise_without`` ``σ̂₍ᵢ₎²``; the residuals ``standardized`` by σ̂, ``studentized`` by σ̂₍ᵢ₎.
    """

    leverage: Array
    left: Array
    weighted: Array
    noise_without: Array
    standardized: Array
    studentized: Array


def studentized_residuals(
    block: RowBlock,
    squares: Array,
    params: Array,
    residual_squares: float,
    df: float,
    weighting: Weighting,
) -> StudentizedResiduals:
    """Those of a block, of which ``squares`` are the squared lengths of the rows z.

    Other parameters are those of :func:`linear_influence`.
    """
    w = block.extras.get("frequency", 1.0)
    h = squares * w
    left = one_minus(h)
    r = np.sqrt(w) * (block.y - block.linear_predictor(params))
    without = np.clip(residual_squares - r**2 / left, 0.0, None) / (df - weighting.in_row(w))
    sigma = np.sqrt(residual_squares / df)
    with np.errstate(divide="ignore", invalid="ignore"):
        standardized = r / (sigma * np.sqrt(left))
        studentized = r / np.sqrt(without * left)
    for measure in (standardized, studentized):
        measure[(r == 0) & (left > 0)] = 0.0  # 0/0 if all residuals are zero
    return StudentizedResiduals(h, left, r, without, standardized, studentized)


def linear_influence(
    whitening: Whitening,
    rows: Rows,
    params: Array,
    residual_squares: float,
    df: float,
    weighting: Weighting,
    names: tuple[str, ...],
    index: pd.Index | None,
) -> pd.DataFrame:
    """One row of measures for each row of a least-squares fit.

    Parameters
    ----------
    whitening : Whitening
        Of the fit.
    rows : Rows
        Without weights, so that rows of weight 0 get measures, too; y has shape (n,). The weights
        of the fit, where it had any, are ``extras["frequency"]``.
    params : ndarray of shape (P,)
        The fit.
    residual_squares, df : float
        ``Σ wᵢ rᵢ²`` and its degrees of freedom.
    weighting : Weighting
        What the weights are: a row left out takes as many degrees of freedom as it counts.
    names : tuple of str
        Of the parameters.
    index : Index or None
        Of the rows.
    """
    if df <= 1:
        raise InferenceError(
            f"{df:g} degrees of freedom are left for the residuals; without a row there would be "
            "none to estimate the noise from."
        )

    def measures(block: RowBlock, squares: Array) -> MeasuresOfRows:
        found = studentized_residuals(block, squares, params, residual_squares, df, weighting)
        w = block.extras.get("frequency", 1.0)
        ratio = found.leverage / found.left
        cooks = found.standardized**2 * ratio / whitening.n_params
        dffits = found.studentized * np.sqrt(ratio)
        columns = (found.standardized, found.studentized, cooks, dffits)
        factor = np.sqrt(w) * found.weighted / found.left
        return found.leverage, factor, np.sqrt(found.noise_without), columns

    return influence_table(whitening, rows, measures, LINEAR_MEASURES, names, index)


def logistic_influence(
    whitening: Whitening,
    rows: Rows,
    params: Array,
    unit: float,
    names: tuple[str, ...],
    index: pd.Index | None,
) -> pd.DataFrame:
    """One row of measures for each row of a fit to two classes.

    Parameters are those of :func:`linear_influence`; y has the codes, 0 or 1. Residuals and errors
    are those of the weights times ``unit``, which is one but for weights of a survey.
    """

    def measures(block: RowBlock, squares: Array) -> MeasuresOfRows:
        w = block.extras.get("frequency", 1.0)
        y, eta = block.y, block.linear_predictor(params)
        p, q = expit(eta), expit(-eta)
        h = w * p * q * squares
        left = one_minus(h)
        r = y * q - (1.0 - y) * p
        pearson = np.sqrt(unit * w) * pearson_residual(y, eta)
        deviance = np.sqrt(unit * w) * deviance_residual(y, eta)
        standardized = pearson / np.sqrt(left)
        cooks = standardized**2 * h / left / whitening.n_params
        return h, w * r / left, unit**-0.5, (pearson, deviance, standardized, cooks)

    return influence_table(whitening, rows, measures, RESIDUAL_MEASURES, names, index)


def glm_influence(
    model: GlmInference,
    loss: FamilyLoss,
    rows: Rows,
    unit: float,
    index: pd.Index | None,
) -> pd.DataFrame:
    """One row of measures for each row of a generalized linear model.

    Parameters
    ----------
    model : GlmInference
        Of the fit.
    loss : FamilyLoss
        Family and link.
    rows, index
        Those of :func:`linear_influence`.
    unit : float
        That of :func:`logistic_influence`.
    """
    root_phi = np.sqrt(model.dispersion)

    def measures(block: RowBlock, squares: Array) -> MeasuresOfRows:
        w = block.extras.get("frequency", 1.0)
        y, eta = block.y, block.linear_predictor(model.params)
        slope, curvature = loss(y, eta, (1, 2))
        h = w * curvature * squares
        left = one_minus(h)
        pearson = np.sqrt(unit * w) * loss.pearson(y, eta)
        deviance = np.sign(pearson) * np.sqrt(unit * w * loss.deviance(y, eta).clip(0.0))
        standardized = pearson / (root_phi * np.sqrt(left))
        cooks = standardized**2 * h / left / model.whitening.n_params
        columns = (pearson, deviance, standardized, cooks)
        return h, -w * slope / left, root_phi / unit**0.5, columns

    return influence_table(model.whitening, rows, measures, RESIDUAL_MEASURES, model.names, index)


def pearson_residual(y: Array, eta: Array) -> Array:
    """``(y - p) / √(p(1 - p))`` for codes 0 and 1: ``±exp(∓η/2)``."""
    sign = np.where(y > 0, 1.0, -1.0)
    return sign * np.exp(-sign * eta / 2)


def deviance_residual(y: Array, eta: Array) -> Array:
    """Signed root of the contribution of a row to the deviance, ``±√(-2 log p(y))``."""
    sign = np.where(y > 0, 1.0, -1.0)
    return sign * np.sqrt(-2 * log_expit(sign * eta))


def one_minus(h: Array) -> Array:
    """``1 - h``; NaN where the row alone determines a parameter."""
    left = 1.0 - h
    return np.where(left > SMALLEST_REST, left, np.nan)


def influence_columns(measure_names: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """Names of the columns of a table of measures."""
    return ["leverage", *measure_names, *(f"dfbetas_{name}" for name in names)]


def influence_table(
    whitening: Whitening,
    rows: Rows,
    measures: Measures,
    measure_names: tuple[str, ...],
    names: tuple[str, ...],
    index: pd.Index | None,
) -> pd.DataFrame:
    """Measures of each row, then its DFBETAS; warns of rows that alone determine a parameter.

    Parameters
    ----------
    whitening : Whitening
        Of the fit.
    rows : Rows
        Without weights.
    measures : callable
        What :data:`Measures` says.
    measure_names : tuple of str
        Names of the columns between leverage and DFBETAS.
    names, index
        Those of :func:`linear_influence`.
    """
    T = whitening.matrix
    r = whitening.root.shape[1]
    # DFBETAS are scaled by √Aⱼⱼ, the lengths of the rows of T.
    lengths = np.linalg.norm(T, axis=1)
    if whitening.estimable is not None:
        lengths[~whitening.estimable.determined] = np.nan
    scaled = np.ascontiguousarray((T / lengths[:, np.newaxis]).T)
    undefined = np.zeros(rows.n_rows, dtype=bool)
    constant = whitening.constant or 0.0
    table = np.empty((rows.n_rows, 1 + len(measure_names) + len(T)))

    def fill(block: RowBlock) -> int:
        part = table[block.rows]
        Z = whitening.of_features(block)
        h, factor, spread, columns = measures(block, np.einsum("ij,ij->i", Z, Z) + constant**2)
        undefined[block.rows] = np.isnan(factor)
        for k, column in enumerate((h, *columns)):
            part[:, k] = column
        Z *= factor[:, np.newaxis]
        changes = part[:, 1 + len(measure_names) :]
        np.matmul(Z, scaled[:r], out=changes)
        if constant:  # the last entry of z changes only the intercept
            part[:, -1] += factor * (constant * scaled[r, -1])
        # Without a row the others may be fitted exactly: then its changes are infinite, or zero.
        still = changes == 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            changes /= np.reshape(spread, (-1, 1))
        changes[still] = 0.0
        return 0

    rows.reduce(fill)
    if undefined.any():
        alone = np.nonzero(undefined)[0]
        some = ", ".join(map(str, alone[:10])) + (", …" if alone.size > 10 else "")
        warn_user(
            f"row(s) {some} have leverage 1: each alone determines a parameter, its residual is "
            "zero whatever its target, and the fit without it is not defined (NaN).",
            LeverageWarning,
        )
    columns = influence_columns(measure_names, names)
    return pd.DataFrame(table, columns=columns, index=index, copy=False)
