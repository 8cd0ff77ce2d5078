"""Sums, products, powers and transposes, brought into a normal form as they are put together.

In normal form, sums and products are flat. Numbers come first, and like terms are added.
Transposes are moved to the symbols. Neighbours that cancel are removed. Scalars are taken out of
products, also xᵀy in the middle of one. Nothing is multiplied out and nothing is factored:
`derive.simplification` does that.

`constants` needs only nodes; `transposes`, `entrywise`, `stacks`, `products` and `traces` each
build on those before them. `entrywise` is one module because sums, multiples and powers are defined
by each other. So are the products of matrices and of Kronecker factors, and vec, in `products`.
"""

from mcmodels.calculus.core.arithmetic.constants import (
    commutation,
    identity,
    is_zero,
    ones,
    require_same_shape,
    selection,
    shape_text,
    unit,
    zeros,
    zeros_like,
)
from mcmodels.calculus.core.arithmetic.entrywise import (
    add,
    assemble,
    hadamard,
    parts,
    power,
    scale,
    size_value,
)
from mcmodels.calculus.core.arithmetic.products import (
    inverse,
    kron,
    matmul,
    matrix_power,
    unvec,
    vec,
)
from mcmodels.calculus.core.arithmetic.stacks import stack
from mcmodels.calculus.core.arithmetic.traces import (
    block_sum,
    block_trace,
    inner_product,
    total,
    trace,
)
from mcmodels.calculus.core.arithmetic.transposes import is_symmetric, transpose, upright

__all__ = [
    "add",
    "assemble",
    "block_sum",
    "block_trace",
    "commutation",
    "hadamard",
    "identity",
    "inner_product",
    "inverse",
    "is_symmetric",
    "is_zero",
    "kron",
    "matmul",
    "matrix_power",
    "ones",
    "parts",
    "power",
    "require_same_shape",
    "scale",
    "selection",
    "shape_text",
    "size_value",
    "stack",
    "total",
    "trace",
    "transpose",
    "unit",
    "unvec",
    "upright",
    "vec",
    "zeros",
    "zeros_like",
]
