"""The pinball loss, whose minimisers are quantiles: ``ρ(r) = max(τr, (τ - 1)r)``, ``r = y - η``.

================  ==========================================================
objective         ``Σ wᵢ ρ(yᵢ - x̃ᵢᵀθ)``
gradient          ``-X̃ᵀW(τ - 1[r < 0])`` where no residual is zero
Hessian           zero where no residual is zero
================  ==========================================================

Source: Koenker and Bassett (1978), *Regression quantiles*, Econometrica 46(1).
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.rows import RowBlock, Rows

__all__ = ["PinballObjective", "pinball"]


def pinball(residuals: Array, quantile: float) -> Array:
    """``max(τr, (τ - 1)r)`` of each residual."""
    return np.maximum(quantile * residuals, (quantile - 1.0) * residuals)


class PinballObjective:
    """The sum of pinball losses of rows; its curvature is refused.

    Parameters
    ----------
    rows : Rows
        Design rows, targets of shape (n,) and weights.
    quantile : float
        τ, in (0, 1).
    """

    def __init__(self, rows: Rows, quantile: float) -> None:
        self.rows = rows
        self.quantile = quantile

    def value(self, params: Array) -> float:
        """The objective."""

        def summarise(block: RowBlock) -> float:
            residuals = block.y - block.linear_predictor(params)
            return float(block.weighted(pinball(residuals, self.quantile)).sum())

        return float(self.rows.reduce(summarise))

    def gradient(self, params: Array) -> Array:
        """Its gradient; refused where a residual is zero, because the loss has a kink there."""

        def summarise(block: RowBlock) -> Array:
            residuals = block.y - block.linear_predictor(params)
            at_kink = (residuals == 0) & (block.weights_or_ones > 0)
            slopes = np.where(residuals < 0, 1.0 - self.quantile, -self.quantile)
            weighted = block.weights_or_ones * slopes
            found = np.asarray(block.X.X.T @ weighted).ravel()
            if self.rows.intercept:
                found = np.append(found, weighted.sum())
            return np.append(found, float(np.count_nonzero(at_kink)))

        *gradient, kinks = self.rows.reduce(summarise)
        if kinks:
            raise InferenceError(
                f"gradient: {kinks:g} residuals are zero at these parameters, where the pinball "
                "loss has a kink and no gradient. A fit ends at such a point; gradients are at "
                "others, by params=…."
            )
        return np.array(gradient)

    def hessian(self, params: Array) -> NoReturn:
        """Refused: it is zero between the kinks of the loss, and does not exist at them."""
        raise InferenceError(_NO_CURVATURE.format("hessian"))

    def hessian_vector_product(self, params: Array, vector: Array) -> NoReturn:
        """Refused, as :meth:`hessian`."""
        raise InferenceError(_NO_CURVATURE.format("hessian_vector_product"))


_NO_CURVATURE = (
    "{}: the pinball loss is linear between its kinks, so that it has no curvature. Standard "
    "errors come from the density of the residuals at zero: summary(), covariance(kind=…)."
)
