"""In which order the operands of an einsum are contracted, two at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.plain import np

__all__ = ["einsum_value", "order_of_contraction"]

_FEW = 5  # operands, of which the best of all orders is found at once


def order_of_contraction(
    subscripts: str, shapes: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Places in the list of operands, step by step: these are taken out, the result is put last.

    By opt_einsum (Smith & Gray, 2018) where it is installed, else by NumPy.
    """
    if len(shapes) < 3:
        return [tuple(range(len(shapes)))]
    try:
        import opt_einsum
    except ImportError:
        zero = np.zeros(())
        operands = [np.broadcast_to(zero, shape) for shape in shapes]
        how = "optimal" if len(shapes) <= _FEW else "greedy"
        path, _ = np.einsum_path(subscripts, *operands, optimize=how)
        return list(path[1:])
    path, _ = opt_einsum.contract_path(subscripts, *shapes, shapes=True)
    return list(path)


def einsum_value(e: Einsum, values: Sequence[Array], sizes: Mapping[str, int]) -> Array:
    """The value of an einsum as an array of two dimensions, from those of its operands."""
    lengths = [size.value(sizes) for size in e.lengths.of]
    operands = [
        value.reshape([lengths[axis] for axis in at])
        for value, at in zip(values, e.terms, strict=True)
    ]
    order: list[Any] = ["einsum_path"]
    order += order_of_contraction(e.subscripts, [operand.shape for operand in operands])
    result = np.einsum(e.subscripts, *operands, optimize=order)
    shape = [lengths[axis] for axis in e.output]
    return result.reshape(shape if len(shape) == 2 else (-1, 1))
