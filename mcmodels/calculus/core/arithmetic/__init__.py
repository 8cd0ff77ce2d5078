"""Sums, products, powers and transposes, brought into a normal form as they are put together.

The normal form is what anyone would do without a word: sums and products are flat, numbers come
first and like terms are added, the transpose stands at the symbols, neighbours that cancel are gone
and scalars (xᵀy in the middle of a product, too) are taken out. Nothing is multiplied out and
nothing is factored: that is `simplification`.
"""

from mcmodels.calculus.core.arithmetic.constants import (
    commutation,
    identity,
    is_zero,
    ones,
    require_same_shape,
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
    "shape_text",
    "size_value",
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
