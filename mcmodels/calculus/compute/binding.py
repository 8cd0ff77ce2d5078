"""From what a user gives to float64 arrays, and the sizes they imply; the rest is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute import fitting
from mcmodels.calculus.compute.fitting import (
    fitted,
    known_names,
    refuse_masked,
    refuse_unknown,
    require_declared,
    require_indices,
)
from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.plain import np

__all__ = [
    "Array",
    "as_entries",
    "bind",
    "bind_sizes",
    "known_names",
    "real_numbers",
    "refuse_masked",
    "refuse_unknown",
    "require_indices",
    "require_shapes",
    "require_whole",
]

Array = np.ndarray[Any, Any]


def bind(
    expression: Expression, values: Mapping[str, Any]
) -> tuple[dict[Symbol, Array], dict[str, int]]:
    """Values as float64 arrays of two dimensions, and the sizes; a tensor as its entries.

    Raises
    ------
    ShapeError
        If a shape does not fit, or a size is missing.
    ValueError
        If a symbol is missing, or has a value that is not finite or not as declared.
    """
    arrays, sizes = fitted(expression, values, _array, lambda array: array.shape)
    return {symbol: as_entries(symbol, array) for symbol, array in arrays.items()}, sizes


def as_entries(symbol: Symbol, array: Array) -> Array:
    """A tensor as the column of its entries; any other array as it is."""
    return array.reshape(-1, 1) if isinstance(symbol, TensorSymbol) else array


def bind_sizes(arrays: Mapping[Symbol, Array], given: Mapping[str, Any]) -> dict[str, int]:
    """Sizes by name: those given, and those that the shapes of arrays tell."""
    return fitting.sizes_from({symbol: array.shape for symbol, array in arrays.items()}, given)


def require_shapes(arrays: Mapping[Symbol, Array], sizes: Mapping[str, int]) -> None:
    """Refuse arrays of two dimensions that have other shapes than their symbols."""
    fitting.require_shapes({symbol: array.shape for symbol, array in arrays.items()}, sizes)


def real_numbers(symbol: Symbol, value: Any) -> Array:
    """The value of a symbol as float64, refused where it is no real number."""
    refuse_masked(repr(symbol.name), value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{symbol.name!r} must be real numbers; found {array.dtype}")
    return array.astype(float, copy=False)


def require_whole(symbol: Symbol, array: Array) -> None:
    """Refuse a value of a symbol declared integer that is none."""
    if array.ndim == 0 and float(array) != int(array):
        raise ValueError(f"{symbol.name!r} is declared integer; found {float(array)}")


def _array(symbol: Symbol, value: Any) -> Array:
    array = real_numbers(symbol, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{symbol.name!r} must be finite; found NaN or infinity")
    wanted = len(symbol.shape)
    if array.ndim != wanted:
        raise ShapeError(
            f"{symbol.name!r} is {symbol.described()}, an array of {wanted} dimensions; "
            f"found shape {array.shape}"
        )
    if array.size == 0:
        raise ShapeError(f"{symbol.name!r} is empty; found shape {array.shape}")
    if "integer" in symbol.declared:
        require_whole(symbol, array)
    if symbol.declared:
        require_declared(symbol, _Measured(array))
    return array.reshape(-1, 1) if array.ndim < 2 else array


class _Measured:
    """`fitting.Measures` of an array."""

    def __init__(self, array: Array) -> None:
        self.array, self.shape = array, array.shape

    def largest(self) -> float:
        return float(np.abs(self.array).max())

    def asymmetry(self) -> float:
        return float(np.abs(self.array - self.array.T).max())

    def smallest_eigenvalue(self) -> float:
        return float(np.linalg.eigvalsh(self.array)[0])

    def largest_outside(self, word: str) -> float:
        outside = {
            "diagonal": lambda: self.array * (1 - np.eye(*self.shape)),
            "lower_triangular": lambda: np.triu(self.array, 1),
            "upper_triangular": lambda: np.tril(self.array, -1),
        }
        return float(np.abs(outside[word]()).max())

    def distance_from_orthogonal(self) -> float:
        return float(np.abs(self.array.T @ self.array - np.eye(self.shape[1])).max())

    def total_and_smallest(self) -> tuple[float, float]:
        return float(self.array.sum()), float(self.array.min())
