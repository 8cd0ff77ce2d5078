"""Tests of a fit that read its rows again: equal variances, and columns that were left out."""

from __future__ import annotations

import numpy as np
from scipy import linalg
from scipy.special import expit

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.tolerances import CANDIDATE_REST, CANDIDATE_ROUNDING
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock, Rows, RowsWithoutWeights, RowsWithTargets
from mcmodels.solvers import least_squares
from mcmodels.solvers.least_squares import LeastSquares

__all__ = ["breusch_pagan", "score_test"]


def breusch_pagan(rows: Rows, params: Array, n_slopes: int, weighting: Weighting) -> HypothesisTest:
    """Whether the variance of the noise depends on the features: squared residuals fitted to them.

    The statistic ``n R²`` of that fit is χ² with one degree of freedom for each slope. This is the
    form of Koenker (1981), *A note on studentizing a test for heteroscedasticity*, Journal of
    Econometrics 17(1). It does not need normal noise, unlike that of Breusch and Pagan (1979),
    Econometrica 47(5).

    Of precisions the variances are ``σ²/wᵢ`` if the model is right: ``wᵢrᵢ²``, in which each row
    counts once, is fitted to the features.

    Parameters
    ----------
    rows : Rows
        The rows of the fit, with an intercept; y has shape (n, 1).
    params : ndarray of shape (1, P)
        The fit; the intercept, which is last, is zero where the fit has none.
    n_slopes : int
        Rank of the features.
    weighting : Weighting
        What the weights are.
    """
    if n_slopes == 0:
        raise InferenceError("X has no column that varies, for the variance to depend on.")

    def squared(block: RowBlock) -> Array:
        found: Array = (block.y - block.linear_predictor(params)) ** 2
        return found if weighting.counts_rows else block.weighted(found)

    squares: Rows = RowsWithTargets(rows, squared)
    if not weighting.counts_rows:
        squares = RowsWithoutWeights(squares)
    fit = least_squares.solve(squares, method="normal").value
    if not isinstance(fit, LeastSquares):
        raise InferenceError("there are too many features to form a matrix of them.")
    total = float(fit.moments.y_squares[0])
    left = float(fit.residual_scatter[0, 0])
    explained = 1.0 - left / total if total > 0 else 0.0
    statistic = float(squares.total_weight * max(explained, 0.0))
    return HypothesisTest("equal variances", statistic, n_slopes)


def score_test(whitening: Whitening, rows: Rows, params: Array, name: str) -> HypothesisTest:
    """Whether columns left out of a fit to two classes belong in it; χ², without refitting.

    The statistic is ``UᵀV⁻¹U``. ``U = CᵀW(y - p)`` is the gradient of the log-likelihood by the
    coefficients of the candidates C at the fit. V is the information on these coefficients, minus
    the part that the fitted columns explain. Sources: Rao (1948), *Large sample tests of
    statistical hypotheses*, Math. Proc. Cambridge Phil. Soc. 44(1); Agresti (2013), *Categorical
    Data Analysis*, 3rd ed., §1.3.3.

    Parameters
    ----------
    whitening : Whitening
        Of the fit.
    rows : Rows
        y has the codes, shape (n,); ``extras["candidate"]`` the candidates, shape (n, q).
    params : ndarray of shape (P,)
        The fit.
    name : str
        Name of the candidates in messages.
    """

    def curvature(block: RowBlock) -> Array:
        eta = block.linear_predictor(params)
        return block.weighted(expit(eta) * expit(-eta))

    def projected(block: RowBlock) -> Array:
        C = block.extras["candidate"]
        weighted = C.T * curvature(block)
        squares = np.einsum("ji,ij->j", weighted, C)
        return np.column_stack([weighted @ whitening.of(block), squares])

    total = rows.reduce(projected)
    B, size = total[:, :-1], np.sqrt(total[:, -1])
    if not size.all():
        raise InferenceError(f"{name} is zero in all rows of positive weight: nothing to test.")
    mean = 0.0 if whitening.constant is None else B[:, -1] * whitening.constant

    def score_and_information(block: RowBlock) -> Array:
        # R is the part of C that the fitted columns do not explain. It is computed row by row,
        # because a difference of sums would lose its digits.
        C, eta = block.extras["candidate"], block.linear_predictor(params)
        R, d = C - whitening.of(block) @ B.T, curvature(block)
        slope = R.T @ block.weighted(np.where(block.y > 0, expit(-eta), -expit(eta)))
        return np.column_stack([(R.T * d) @ R, slope, d @ (C - mean) ** 2])

    total = rows.reduce(score_and_information)
    V, U, scatter = total[:, :-2], total[:, -2], total[:, -1]
    rest = np.sqrt(np.diagonal(V))
    redundant = InferenceError(
        f"{name} is a linear combination of the fitted columns (or of the other "
        "candidates), and adds nothing to test."
    )
    if (rest <= np.maximum(CANDIDATE_ROUNDING * size, CANDIDATE_REST * np.sqrt(scatter))).any():
        raise redundant
    values, vectors = linalg.eigh(V / np.outer(rest, rest))
    if values[0] <= len(V) * CANDIDATE_REST**2:
        raise redundant
    statistic = float(np.sum((vectors.T @ (U / rest)) ** 2 / values))
    return HypothesisTest(f"{name} is not needed", statistic, len(V))
