"""Value, gradient and Hessian of an objective at one point."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mcmodels.arrays import Array


@dataclass(frozen=True)
class Slope:
    """Value and gradient of a sum over rows; ``+`` adds both.

    Parameters
    ----------
    value : float
        The objective.
    gradient : ndarray, the shape of the parameters
        Its gradient.
    """

    value: float
    gradient: Array

    def __add__(self, other: Slope) -> Slope:
        return Slope(self.value + other.value, self.gradient + other.gradient)


@dataclass(frozen=True)
class Derivatives(Slope):
    """Value, gradient and Hessian at one point.

    Parameters
    ----------
    value : float
        The objective.
    gradient : ndarray, the shape of the parameters
        Its gradient.
    hessian : ndarray of shape (n, n), n the number of parameters
        Its Hessian over the raveled parameters (C order).
    least_curvature : float, default=0.0
        Least ``wᵢ|∂²ℓ/∂ηₖ∂ηₗ|`` of any row, over the entries that are not zero by their formula;
        0 if it is not known.
    """

    hessian: Array
    least_curvature: float = field(default=0.0, kw_only=True)

    @property
    def is_finite(self) -> bool:
        """Whether value, gradient and Hessian are."""
        return all(np.isfinite(part).all() for part in (self.value, self.gradient, self.hessian))
