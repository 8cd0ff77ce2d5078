"""Values of tensors, in their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute.binding import Array, bind
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.plain import np

__all__ = ["in_shape"]


def in_shape(tensor: Tensor, value: Any, values: Mapping[str, Any]) -> Array:
    """The entries of a tensor for given symbols, in its shape."""
    _, sizes = bind(tensor.entries, values)
    return np.reshape(value, [size.value(sizes) for size in tensor.dims.of])
