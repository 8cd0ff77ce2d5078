"""The mergeable sum behind every objective: value, gradient and Hessian at one point."""

from __future__ import annotations

from dataclasses import dataclass

from mcmodels.rows.blocks import Array


@dataclass(frozen=True)
class Derivatives:
    """Value, gradient and Hessian of a sum over rows; they add.

    Parameters
    ----------
    value : float
        The objective.
    gradient : ndarray, the shape of the parameters
        Its gradient.
    hessian : ndarray of shape (n, n), n the number of parameters
        Its Hessian over the raveled parameters (C order).
    """

    value: float
    gradient: Array
    hessian: Array

    def __add__(self, other: Derivatives) -> Derivatives:
        return Derivatives(
            self.value + other.value,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )
