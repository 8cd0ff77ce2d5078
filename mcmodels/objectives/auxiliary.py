"""A loss with auxiliary parameters beside the linear predictor, and its objective.

A scale, a shape or thresholds are parameters of the loss itself. They are the same in all rows.
With a the auxiliary parameters and ``D = diag(∂²ℓ/∂η²)``:

================  ==========================================================================
objective         ``f(θ, a) = Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ, a) + α/2 Σ coef²``
gradient          ``(X̃ᵀW ∂ℓ/∂η + α coef, Σ wᵢ ∂ℓᵢ/∂a)``; neither intercept nor a is penalised
Hessian           ``[[X̃ᵀWDX̃ + α, X̃ᵀW ∂²ℓ/∂η∂a], [·ᵀ, Σ wᵢ ∂²ℓᵢ/∂a∂aᵀ]]``
================  ==========================================================================

Source: the chain rule for ``η = X̃θ``; Magnus and Neudecker (2019), *Matrix Differential Calculus*,
3rd ed., chapter 6 (Hessians of composite functions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.linear_predictor import Total
from mcmodels.objectives.user_loss import (
    CurvatureRange,
    PointwiseFunction,
    UserDerivatives,
    UserLoss,
    UserObjective,
    UserPointwise,
    row_not_finite,
    signed_curvature,
)
from mcmodels.rows import RowBlock, Rows, Slope

__all__ = [
    "AuxiliaryFunction",
    "AuxiliaryLoss",
    "AuxiliaryObjective",
    "AuxiliaryShapes",
    "HeldAuxiliary",
]


@dataclass(frozen=True)
class AuxiliaryShapes:
    """Names and shapes of auxiliary parameters, in the order in which they are in vectors.

    Parameters
    ----------
    shapes : tuple of (str, tuple of int)
        Name of each, and ``()`` for a number or ``(k,)`` for a vector.
    """

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def size(self) -> int:
        """How many numbers they are."""
        return sum(_size(shape) for _, shape in self.shapes)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each number: ``scale``, ``cuts[0]``, ``cuts[1]``."""
        found = []
        for name, shape in self.shapes:
            found += [f"{name}[{k}]" for k in range(_size(shape))] if shape else [name]
        return tuple(found)

    def ravel(self, values: Mapping[str, Any]) -> Array:
        """All numbers as a vector."""
        parts = [np.ravel(np.asarray(values[name], dtype=np.float64)) for name, _ in self.shapes]
        return np.concatenate(parts) if parts else np.zeros(0)

    def split(self, flat: Array) -> tuple[Any, ...]:
        """The numbers of a vector, each of its parameter's shape, as views."""
        parts, start = list[Any](), 0
        for _, shape in self.shapes:
            stop = start + _size(shape)
            parts.append(flat[start:stop] if shape else flat[start])
            start = stop
        return tuple(parts)

    def named(self, flat: Array) -> dict[str, Any]:
        """The same by name, as floats and new arrays."""
        parts = zip(self.shapes, self.split(flat), strict=True)
        return {name: np.array(part) if shape else float(part) for (name, shape), part in parts}


def _size(shape: tuple[int, ...]) -> int:
    return shape[0] if shape else 1


class AuxiliaryFunction(Protocol):
    """A loss of y, η and auxiliary parameters, with its derivatives row by row."""

    shapes: AuxiliaryShapes

    def __call__(self, y: Array, eta: Array, a: Array, order: int) -> tuple[Array, ...]:
        """ℓ, then up to the order its derivatives by ``(η, a)``.

        Of shapes (n,), (n, 1 + q) and (n, 1 + q, 1 + q).
        """
        ...

    def at(self, a: Array) -> PointwiseFunction:
        """The loss as a function of y and η alone, with a held."""
        ...


class HeldAuxiliary:
    """A loss with one of its auxiliary parameters held at a value.

    Parameters
    ----------
    function : AuxiliaryFunction
        The loss.
    position : int
        Which number of the auxiliary parameters is held.
    value : float
        Where.
    """

    def __init__(self, function: AuxiliaryFunction, position: int, value: float) -> None:
        names = function.shapes.names
        kept = tuple((name, ()) for k, name in enumerate(names) if k != position)
        self.shapes = AuxiliaryShapes(kept)
        self._function, self._position, self._value = function, position, value

    def __call__(self, y: Array, eta: Array, a: Array, order: int) -> tuple[Array, ...]:
        """ℓ, then up to the order its derivatives by ``(η, a)`` without the one that is held."""
        value, *derivatives = self._function(y, eta, self._whole(a), order)
        for rank, found in enumerate(derivatives, 1):
            for axis in range(1, rank + 1):
                found = np.delete(found, 1 + self._position, axis=axis)
            derivatives[rank - 1] = found
        return (value, *derivatives)

    def at(self, a: Array) -> PointwiseFunction:
        """The loss as a function of y and η alone."""
        return self._function.at(self._whole(a))

    def _whole(self, a: Array) -> Array:
        return np.insert(a, self._position, self._value)


class AuxiliaryLoss:
    """A loss that the user has written, with auxiliary parameters.

    Parameters
    ----------
    function : AuxiliaryFunction
        ℓ and its derivatives.
    """

    def __init__(self, function: AuxiliaryFunction) -> None:
        self.function = function

    @property
    def shapes(self) -> AuxiliaryShapes:
        """Names and shapes of the auxiliary parameters."""
        return self.function.shapes

    def at(self, a: Array) -> UserLoss:
        """The loss with the auxiliary parameters held."""
        return UserLoss(self.function.at(a))


class AuxiliaryObjective(UserObjective):
    """``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ, a) + α‖coef‖²/2`` over the parameters ``(θ, a)``; one output.

    Parameters
    ----------
    rows : Rows
        Design rows, targets and weights.
    auxiliary : AuxiliaryLoss
        The loss.
    penalty : float, default=0.0
        α; neither the intercept nor the auxiliary parameters are penalised.
    """

    def __init__(self, rows: Rows, auxiliary: AuxiliaryLoss, penalty: Penalty = 0.0) -> None:
        self.rows = rows
        self.auxiliary = auxiliary
        self.penalty = penalty

    @property
    def n_auxiliary(self) -> int:
        """Number of auxiliary parameters, which are the last of all."""
        return self.auxiliary.shapes.size

    def over(self, rows: Rows, penalty: Penalty) -> Self:
        """The same objective over other rows, with another penalty."""
        return type(self)(rows, self.auxiliary, penalty)

    def split(self, params: Array) -> tuple[Array, Array]:
        """θ and a."""
        P = self.rows.n_params
        return params[:P], params[P:]

    def of_predictor(self, a: Array) -> UserObjective:
        """The objective of θ alone, with the auxiliary parameters held."""
        return UserObjective(self.rows, self.auxiliary.at(a), self.penalty)

    def value(self, params: Array) -> float:
        """The objective."""
        theta, a = self.split(params)
        return self.of_predictor(a).value(theta)

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""
        return self.slope(params).gradient

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian."""
        return self.derivatives(params).hessian

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector; no Hessian is formed."""
        theta, a = self.split(params)
        along, of_a = self.split(vector)

        def summarise(block: RowBlock) -> Array:
            eta = block.linear_predictor(theta)
            *_, second = self.auxiliary.function(block.y, eta, a, 2)
            moved = np.column_stack([block.X.predictor(along), np.tile(of_a, (len(eta), 1))])
            return self._by_parameters(block, np.einsum("njk,nk->nj", second, moved))

        return self.rows.reduce(summarise) + self._of_penalty(vector)

    def slope(self, params: Array) -> Slope:
        """Value and gradient in one pass over the rows."""
        theta, a = self.split(params)

        def summarise(block: RowBlock) -> Slope:
            eta = block.linear_predictor(theta)
            value, first = self.auxiliary.function(block.y, eta, a, 1)
            total = float(block.weighted(value).sum())
            return Slope(total, self._by_parameters(block, first))

        return self._penalised_slope(self.rows.reduce(summarise), params)

    def derivatives(self, params: Array) -> UserDerivatives:
        """Value, gradient, Hessian and the range of ∂²ℓ/∂η² in one pass over the rows."""
        theta, a = self.split(params)

        def summarise(block: RowBlock) -> Total:
            eta = block.linear_predictor(theta)
            value, first, second = self.auxiliary.function(block.y, eta, a, 2)
            curvature = np.ascontiguousarray(second[:, 0, 0])
            seen = CurvatureRange.of(block.y, eta, curvature)
            at = UserPointwise(value, first[:, 0], lambda: signed_curvature(curvature), seen)
            crossed = np.atleast_2d(block.X.adjoint(block.weighted(second[:, 0, 1:])))
            corner = block.weighted(second[:, 1:, 1:]).sum(axis=0)
            slope = Slope(float(block.weighted(value).sum()), self._by_parameters(block, first))
            return Total([slope, seen, self._curvature(block, at), crossed, corner])

        slope, seen, sums, crossed, corner = self.rows.reduce(summarise).parts
        slope = self._penalised_slope(slope, params)
        P = len(theta)
        hessian = np.empty((len(params), len(params)))
        hessian[:P, :P] = self._assembled(sums, theta)
        hessian[P:, :P], hessian[:P, P:], hessian[P:, P:] = crossed, crossed.T, corner
        return UserDerivatives(slope.value, slope.gradient, hessian, seen)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian."""
        return np.diagonal(self.derivatives(params).hessian).copy()

    def not_finite(self, params: Array) -> tuple[float, ...]:
        """``(y, η, ℓ, ℓ′, ℓ″)`` of a row in which a derivative is not finite, or ().

        ℓ′ and ℓ″ are the derivatives, by η or an auxiliary parameter, of which the row has one
        that is not finite.
        """
        theta, a = self.split(params)

        def summarise(block: RowBlock) -> list[tuple[float, ...]]:
            eta = block.linear_predictor(theta)
            value, first, second = self.auxiliary.function(block.y, eta, a, 2)
            sums = first.sum(axis=1), second.sum(axis=(1, 2))
            return row_not_finite(block.y, eta, value, *sums)

        return next(iter(self.rows.reduce(summarise)), ())

    def looks_quadratic(self, params: Array) -> bool:
        """Whether the Hessian is constant: of auxiliary parameters that is not looked for."""
        return False

    def _by_parameters(self, block: RowBlock, of_rows: Array) -> Array:
        """``Σ wᵢ (rᵢ₀ x̃ᵢ, rᵢ₁, …)`` for numbers r of shape (n, 1 + q)."""
        weighted = block.weighted(of_rows)
        of_theta = block.X.adjoint(np.ascontiguousarray(weighted[:, 0]))
        return np.concatenate([of_theta, weighted[:, 1:].sum(axis=0)])

    def _penalised_slope(self, slope: Slope, params: Array) -> Slope:
        theta, _ = self.split(params)
        P = len(theta)
        of_theta = self._with_penalty(Slope(slope.value, slope.gradient[:P]), theta)
        gradient = np.concatenate([of_theta.gradient, slope.gradient[P:]])
        return Slope(of_theta.value, gradient)

    def _of_penalty(self, vector: Array) -> Array:
        theta, a = self.split(vector)
        return np.concatenate([self.penalty * self._penalised(theta), np.zeros(len(a))])
