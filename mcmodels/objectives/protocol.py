"""What every objective provides: value, gradient, Hessian and Hessian-vector product at a point."""

from __future__ import annotations

from typing import Protocol

from mcmodels.arrays import Array


class Objective(Protocol):
    """A twice differentiable function of parameters of any shape."""

    def value(self, params: Array) -> float:
        """The objective."""
        ...

    def gradient(self, params: Array) -> Array:
        """Its gradient, in the shape of params (denominator layout)."""
        ...

    def hessian(self, params: Array) -> Array:
        """Its Hessian over ``params.ravel()`` (C order)."""
        ...

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """Hessian times a vector in the shape of params, without forming the Hessian."""
        ...
