"""Value, gradient and Hessian of an objective at one point."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    hessian: Array
