"""Values of products of matrices: with slices at their ends, of Kronecker's kind, by blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.undefined import place_of
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.plain import np

__all__ = ["block_sum", "block_trace", "is_slice", "kron", "product", "slice_of"]


def product(c: list[Array]) -> Array:
    """From left to right, but (Au)(vᵀB) where a column meets a row: smaller than A(uvᵀ)B."""
    for i in range(len(c) - 2, -1, -1):
        if c[i].shape[1] == 1:
            return reduce(np.matmul, c[: i + 1]) @ reduce(np.matmul, c[i + 1 :])
    return reduce(np.matmul, c)


def slice_of(
    part: N.Product, value: Callable[[Expression], Array], sizes: Mapping[str, int]
) -> Array:
    """A product with selections at its ends, which need not be formed."""
    c = list(part.children)
    left = c.pop(0) if _selected(c[0]) else None
    right = c.pop() if _selected(c[-1]) and len(c) > 1 else None
    result = product([value(child) for child in c])
    if left is not None:
        result = _cut(left, result, sizes)
    return result if right is None else _cut(transpose(right), result.T, sizes).T


def is_slice(part: N.Product) -> bool:
    """Whether a product has a selection at an end."""
    return _selected(part.children[0]) or _selected(part.children[-1])


def _selected(factor: Expression) -> bool:
    inner = factor.argument if isinstance(factor, N.Transpose) else factor
    return isinstance(inner, N.Selection)


def _cut(factor: Any, array: Array, sizes: Mapping[str, int]) -> Array:
    """The rows of an array that a selection takes; zeros around them where it is transposed."""
    if isinstance(factor, N.Selection):
        start, stop, _ = place_of(factor, sizes)
        return array[start:stop]
    start, _, length = place_of(factor.argument, sizes)
    result = np.zeros((length, array.shape[1]), dtype=array.dtype) + 0 * array[:1]
    result[start : start + len(array)] = array
    return result


def _blocks(C: Array, rows: int, cols: int) -> Array:
    """C as blocks[i, j] of rows×cols."""
    return C.reshape(C.shape[0] // rows, rows, C.shape[1] // cols, cols).transpose(0, 2, 1, 3)


def block_sum(c: list[Array]) -> Array:
    """``Σᵢⱼ aᵢⱼ Cᵢⱼ`` over the blocks of C."""
    C, A = c
    blocks = _blocks(C, C.shape[0] // A.shape[0], C.shape[1] // A.shape[1])
    return (A[:, :, None, None] * blocks).sum(axis=(0, 1))


def block_trace(c: list[Array]) -> Array:
    """``tr(BᵀCᵢⱼ)`` of each block of C."""
    C, B = c
    return (_blocks(C, *B.shape) * B).sum(axis=(2, 3))


def kron(c: list[Array]) -> Array:
    """``A ⊗ B``."""
    A, B = c
    shape = (A.shape[0] * B.shape[0], A.shape[1] * B.shape[1])
    return (A[:, None, :, None] * B[None, :, None, :]).reshape(shape)
