"""Sums of products of entries of vectors and matrices, as products of matrices where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcmodels.calculus.core.arithmetic import (
    hadamard,
    identity,
    matmul,
    ones,
    parts,
    scale,
    total,
    trace,
    transpose,
    upright,
    zeros,
)
from mcmodels.calculus.core.einsum_nodes import Axes, Factor
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    Diagonal,
    DiagonalMatrix,
    Identity,
    Ones,
    Product,
    Transpose,
    Zeros,
)
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["product_of_matrices"]


def product_of_matrices(
    factors: Sequence[Factor], output: Axes, sizes: Mapping[int, Size]
) -> Expression | None:
    """The sum of products of entries, by products of matrices; None where there are none."""
    if len(output) > 2 or any(len(at) > 2 for _, at in factors):
        return None
    wide = tuple(axis for axis in output if sizes[axis] != ONE)
    left = _without_sums(list(factors), set(wide), sizes)
    if left is None:
        return None
    scalars = [e for e, at in left if not at]
    arrays = [(e, at) for e, at in left if at]
    result = scale(*scalars, _joined(arrays, wide, sizes))
    return transpose(result) if len(wide) == 1 and output[1:] == wide else result


def _without_sums(
    factors: list[Factor], kept: set[int], sizes: Mapping[int, Size]
) -> list[Factor] | None:
    """Equal in value, with the indices in ``kept`` alone; None where that is no matrix product."""
    while True:
        factors = _tidied(factors, kept)
        summed = sorted({axis for _, at in factors for axis in at} - kept)
        if not summed:
            return factors
        count, axis = min((len(_holding(axis, _matrices(factors))), axis) for axis in summed)
        if count > 2:
            return None
        rest = [factor for factor in factors if axis not in factor[1]]
        factors = [*rest, _summed(axis, _holding(axis, factors), sizes)]


def _matrices(factors: list[Factor]) -> list[Factor]:
    return [factor for factor in factors if len(factor[1]) == 2]


def _holding(axis: int, factors: list[Factor]) -> list[Factor]:
    return [factor for factor in factors if axis in factor[1]]


def _summed(axis: int, factors: list[Factor], sizes: Mapping[int, Size]) -> Factor:
    """The sum over an index of its vectors and at most two matrices."""
    vectors = [e for e, at in factors if len(at) == 1]
    # Matrices whose rows the index counts.
    matrices = [(e, at) if at[0] == axis else _flipped(e, at) for e, at in _matrices(factors)]
    if not matrices:
        if len(vectors) == 2:
            first, second = sorted(vectors, key=lambda e: not isinstance(e, Product))
            return matmul([transpose(first), second]), ()
        only = vectors[0]
        if len(vectors) == 1 and isinstance(only, Diagonal):
            return trace(only.argument), ()
        return total(hadamard(vectors)), ()
    matrix, at = matrices[0]
    if len(matrices) == 1:
        vector = hadamard(vectors) if vectors else ones(sizes[axis], ONE)
        return matmul([transpose(matrix), vector]), at[1:]
    other, end = matrices[1]
    middle = [diagonal_matrix(hadamard(vectors))] if vectors else []
    return matmul([transpose(matrix), *middle, other]), (at[1], end[1])


def _flipped(e: Expression, at: Axes) -> Factor:
    return transpose(e), at[::-1]


def _tidied(factors: list[Factor], kept: set[int]) -> list[Factor]:
    """Matrices with the same two indices as one; diagonals as vectors."""
    result: list[Factor] = []
    for e, at in factors:
        if len(at) == 2 and at[0] == at[1]:
            result.append((_diagonal(e), at[:1]))
            continue
        alone = sum(bool(set(axes) & set(at)) for _, axes in factors) == 1
        if len(at) == 2 and alone and not set(at) & kept:
            result.append((total(e), ()))
            continue
        place = next((i for i, (_, axes) in enumerate(result) if _same(at, axes)), None)
        if place is None:
            result.append((e, at))
            continue
        before, axes = result[place]
        closed = not set(at) & kept and sum(bool(set(a) & set(at)) for _, a in factors) == 2
        if closed:
            product = matmul([before if at != axes else transpose(before), e])
            turned = min(product, transpose(product), key=_count_of_transposes)
            result[place] = (trace(turned), ())
        else:
            result[place] = (hadamard([before, e if at == axes else transpose(e)]), axes)
    return result


def _count_of_transposes(e: Expression) -> int:
    factors = e.children if isinstance(e, Product) else (e,)
    return sum(isinstance(factor, Transpose) for factor in factors)


def _same(at: Axes, axes: Axes) -> bool:
    return len(at) == 2 and at in (axes, axes[::-1])


def _joined(factors: list[Factor], output: Axes, sizes: Mapping[int, Size]) -> Expression:
    """The product of arrays whose indices are all in the result."""
    if not output:
        return number(1)
    vectors = {axis: [e for e, at in factors if at == (axis,)] for axis in output}
    if len(output) == 1:
        return hadamard(vectors[output[0]])
    matrices = [e if at == output else transpose(e) for e, at in _matrices(factors)]
    sides = {axis: [hadamard(found)] if found else [] for axis, found in vectors.items()}
    row, column = (sides[axis] for axis in output)
    if not matrices:
        return matmul([*row, *(transpose(e) for e in column)])
    middle = hadamard(matrices)
    if any(isinstance(e, Identity) for e in matrices) and len(matrices) > 1:
        others = [e for e in matrices if not isinstance(e, Identity)]
        middle = diagonal_matrix(_diagonal(hadamard(others)))
    return matmul([*map(diagonal_matrix, row), middle, *map(diagonal_matrix, column)])


def diagonal_matrix(vector: Expression) -> Expression:
    """The diagonal matrix of a vector."""
    number_, scalars, array = parts(vector)
    if array is None:
        return vector
    if isinstance(array, Zeros):
        return zeros(array.rows, array.rows)
    inner = identity(array.rows) if isinstance(array, Ones) else DiagonalMatrix(array)
    return scale(number_, *scalars, inner)


def _diagonal(matrix: Expression) -> Expression:
    """The diagonal of a matrix, as a vector."""
    number_, scalars, array = parts(matrix)
    if array is None:
        return matrix
    array = upright(array)
    inner: Expression
    if isinstance(array, DiagonalMatrix):
        inner = array.argument
    elif isinstance(array, Identity | Ones):
        inner = ones(array.rows, ONE)
    elif isinstance(array, Zeros):
        inner = zeros(array.rows, ONE)
    else:
        inner = Diagonal(array)
    return scale(number_, *scalars, inner)
