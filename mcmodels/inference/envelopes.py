"""What sorted residuals look like by chance: quantiles of the normal, and simulated envelopes.

An envelope has, for each order statistic, the quantiles of what was simulated under the model
(Atkinson 1985, *Plots, Transformations and Regression*, §4.2). It covers each point with the given
probability; that some point of many lies outside is no surprise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from mcmodels.arrays import Array

__all__ = ["envelope_of_normal", "envelope_of_regression", "normal_scores", "order_positions"]

Positions = npt.NDArray[np.intp]

_MOST_POSITIONS = 500


def order_positions(n: int) -> Positions:
    """Which order statistics of n are shown: all, or 500 of them, both ends included."""
    if n <= _MOST_POSITIONS:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, _MOST_POSITIONS).round().astype(np.intp))


def normal_scores(n: int, positions: Positions) -> Array:
    """``Φ⁻¹((i - ½)/n)`` for the order statistics i, counted from 0 in ``positions``."""
    return special.ndtri((positions + 0.5) / n)


def envelope_of_normal(
    n: int, positions: Positions, level: float, n_draws: int, random: np.random.RandomState
) -> Array:
    """Quantiles of order statistics of n independent standard normal values, shape (k, 2)."""
    drawn = np.empty((n_draws, positions.size))
    for draw in drawn:
        draw[:] = np.sort(random.standard_normal(n))[positions]
    return _quantiles(drawn, level)


def envelope_of_regression(
    Z: Array, positions: Positions, level: float, n_draws: int, random: np.random.RandomState
) -> Array:
    """Quantiles of sorted standardized residuals of least squares with normal noise, shape (k, 2).

    The fit to noise e leaves ``r = e - Z(Zᵀe)``; the residuals are ``rᵢ/(σ̂√(1 - hᵢ))``, with
    ``σ̂² = rᵀr/(n - P)`` and leverages ``hᵢ = ‖zᵢ‖²``. So no model is fitted. Rows of leverage 1
    have the residual 0.

    Parameters
    ----------
    Z : ndarray of shape (n, P)
        An orthonormal basis of the columns of the design, rows times the roots of their weights.
    positions : ndarray of int
        Order statistics, counted from 0.
    level : float
        Probability that the envelope covers one of them.
    n_draws : int
        Number of simulated samples.
    random : RandomState
        Source of random numbers: the noise of one sample after another.
    """
    n, rank = Z.shape
    left = 1.0 - np.einsum("ij,ij->i", Z, Z)
    roots = np.sqrt(np.where(left > np.sqrt(np.finfo(np.float64).eps), left, np.inf))
    drawn = np.empty((n_draws, positions.size))
    for draw in drawn:
        e = random.standard_normal(n)
        r = e - Z @ (Z.T @ e)
        sigma = np.sqrt(r @ r / (n - rank))
        draw[:] = np.sort(r / (sigma * roots))[positions]
    return _quantiles(drawn, level)


def _quantiles(drawn: Array, level: float) -> Array:
    tail = (1.0 - level) / 2.0
    return np.quantile(drawn, [tail, 1.0 - tail], axis=0).T
