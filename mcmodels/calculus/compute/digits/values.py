"""The value of each kind of node, from those of its children, as lists of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeGuard

from mcmodels.calculus.compute.digits.contractions import contracted
from mcmodels.calculus.compute.digits.functions import functions, mpmath, number
from mcmodels.calculus.compute.digits.matrices import (
    MATRIX_FUNCTIONS,
    determinant,
    eigh,
    frechet,
    inverse,
    pinv,
    polar,
    singular_values,
    vectors_of_distinct,
)
from mcmodels.calculus.compute.digits.rows import (
    Rows,
    added,
    column,
    entries,
    identity,
    made,
    mapped,
    product,
    shape,
    transposed,
)
from mcmodels.calculus.compute.stable.forms import PositiveLogDet
from mcmodels.calculus.compute.undefined import EvaluationError, place_of, shape_of
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import UnitAt

__all__ = ["VALUES", "chain_with_selections", "has_selections"]

Sizes = Mapping[str, int]


def _one(value: Any) -> Rows:
    return [[value]]


def _times(A: Rows, B: Rows) -> Rows:
    return mapped(lambda a, b: a * b, A, B)


# -- constants -------------------------------------------------------------------------------------


def _unit(e: N.Unit, sizes: Sizes) -> Rows:
    n = e.rows.value(sizes)
    if not -n <= e.index < n:
        raise EvaluationError(f"index {e.index} is outside a vector of {n}")
    return made(n, 1, lambda i, j: i == e.index % n)


def _unit_at(e: UnitAt, position: int, sizes: Sizes) -> Rows:
    if not 0 <= position + e.shift < e.rows.value(sizes):
        raise EvaluationError(f"index {position + e.shift} is outside a vector of {e.rows}")
    return made(e.rows.value(sizes), 1, lambda i, j: i == position + e.shift)


def _commutation(e: N.Commutation, sizes: Sizes) -> Rows:
    m, n = e.m.value(sizes), e.n.value(sizes)
    return made(m * n, m * n, lambda row, col: col == row % n * m + row // n)


def _diagonal_selection(e: N.DiagonalSelection, sizes: Sizes) -> Rows:
    n = e.n.value(sizes)
    return made(n * n, n, lambda row, col: row == col * (n + 1))


def _places(n: int) -> list[tuple[int, int]]:
    """Row and column of each entry of vech: on and below the diagonal, down the columns."""
    return [(i, j) for j in range(n) for i in range(j, n)]


def _elimination(e: N.Elimination, sizes: Sizes) -> Rows:
    n = e.n.value(sizes)
    taken = _places(n)
    return made(len(taken), n * n, lambda row, col: (col % n, col // n) == taken[row])


def _duplication(e: N.Duplication, sizes: Sizes) -> Rows:
    n = e.n.value(sizes)
    taken = _places(n)
    return made(
        n * n,
        len(taken),
        lambda row, col: taken[col] in ((row % n, row // n), (row // n, row % n)),
    )


def _selection(e: N.Selection, sizes: Sizes) -> Rows:
    start, stop, length = place_of(e, sizes)
    return made(stop - start, length, lambda row, col: col == start + row)


# -- products --------------------------------------------------------------------------------------


def _chain(c: list[Rows]) -> Rows:
    """From left to right, but (Au)(vᵀB) where a column meets a row: smaller than A(uvᵀ)B."""
    for i in range(len(c) - 2, -1, -1):
        if len(c[i][0]) == 1:
            return product(reduce(product, c[: i + 1]), reduce(product, c[i + 1 :]))
    return reduce(product, c)


def has_selections(e: Expression) -> TypeGuard[N.Product]:
    """Whether it is a product with selections at its ends, which need not be formed."""
    return isinstance(e, N.Product) and (_selected(e.factors[0]) or _selected(e.factors[-1]))


def chain_with_selections(e: N.Product, value: Callable[[Expression], Rows], sizes: Sizes) -> Rows:
    """The value of such a product: rows and columns are taken, or put back among zeros."""
    factors = list(e.factors)
    left = factors.pop(0) if _selected(factors[0]) else None
    right = factors.pop() if _selected(factors[-1]) and len(factors) > 1 else None
    result = _chain([value(factor) for factor in factors])
    if left is not None:
        result = _cut(left, False, result, sizes)
    return result if right is None else transposed(_cut(right, True, transposed(result), sizes))


def _selected(factor: Expression) -> bool:
    return isinstance(factor.argument if isinstance(factor, N.Transpose) else factor, N.Selection)


def _cut(factor: Any, flipped: bool, A: Rows, sizes: Sizes) -> Rows:
    """The rows that a selection takes, or puts back where it is transposed."""
    back = isinstance(factor, N.Transpose)
    start, stop, length = place_of(factor.argument if back else factor, sizes)
    if back == flipped:
        return A[start:stop]
    nothing = made(length, len(A[0]), lambda i, j: 0)
    return [*nothing[:start], *A, *nothing[stop:]]


def _kron(A: Rows, B: Rows) -> Rows:
    return [[a * b for a in line for b in row] for line in A for row in B]


def _block_sum(C: Rows, A: Rows) -> Rows:
    rows, cols = len(C) // len(A), len(C[0]) // len(A[0])
    return [
        [sum(A[i][j] * C[i * rows + p][j * cols + q] for i, j in _indices(A)) for q in range(cols)]
        for p in range(rows)
    ]


def _block_trace(C: Rows, B: Rows) -> Rows:
    rows, cols = shape(B)
    return [
        [
            sum(B[p][q] * C[i * rows + p][j * cols + q] for p, q in _indices(B))
            for j in range(len(C[0]) // cols)
        ]
        for i in range(len(C) // rows)
    ]


def _indices(A: Rows) -> list[tuple[int, int]]:
    rows, cols = shape(A)
    return [(i, j) for i in range(rows) for j in range(cols)]


# -- powers ----------------------------------------------------------------------------------------


def _power(e: N.Power, c: list[Rows], sizes: Sizes) -> Rows:
    if isinstance(e.exponent, N.Number):
        value = e.exponent.value
        if value == int(value):
            k, raised = int(value), functions()["power"]
            return mapped(lambda z: z**k if k > 0 else raised(z, k), c[0])
        if float(value) == 0.5:
            return mapped(functions()["sqrt"], c[0])
    return mapped(functions()["power"], *c)


def _matrix_power(e: N.MatrixPower, c: list[Rows], sizes: Sizes) -> Rows:
    base, exponent = c[0], c[1][0][0]
    k = int(exponent)
    if k != exponent:
        raise EvaluationError(f"{e} needs a whole exponent; {e.exponent} is {exponent} here")
    if k < 0:
        base, k = inverse(base), -k
    result = None
    while k:
        if k & 1:
            result = base if result is None else product(result, base)
        k >>= 1
        base = product(base, base) if k else base
    return identity(len(base)) if result is None else result


# -- functions -------------------------------------------------------------------------------------


def _by_lines(e: Any, A: Rows, function: Callable[[list[Any]], list[Any]]) -> Rows:
    """A function of a column, or of each row."""
    if e.argument.is_column:
        return column(function(entries(A)))
    return [function(row) for row in A]


def _softmax(line: list[Any]) -> list[Any]:
    mp, top = mpmath().mp, max(line)
    exponentials = [mp.exp(z - top) for z in line]
    total = sum(exponentials)
    return [entry / total for entry in exponentials]


def _logsumexp(line: list[Any]) -> list[Any]:
    mp, top = mpmath().mp, max(line)
    return [top + mp.log(sum(mp.exp(z - top) for z in line))]


def _grouped(values: list[Any], length: int) -> Rows:
    """Rows of a length."""
    return [values[start : start + length] for start in range(0, len(values), length)]


def _along_last(e: AxisSoftmax | AxisLogSumExp, A: Rows, sizes: Sizes) -> Rows:
    """The entries of a tensor in rows along its last axis."""
    return _grouped(entries(A), e.dims.of[-1].value(sizes))


def _log_of_positive(value: Any) -> Any:
    return mpmath().mp.log(value) if value > 0 else mpmath().mp.nan


def _hardmax(A: Rows) -> Rows:
    values = entries(A)
    place, cols = values.index(max(values)), len(A[0])
    return made(*shape(A), lambda i, j: i * cols + j == place)


def _frechet_matrix(name: str, A: Rows) -> Rows:
    n = len(A)
    columns = []
    for col in range(n):
        for row in range(n):
            E = made(n, n, _one_at(row, col))
            columns.append(entries(transposed(frechet(name, A, E))))
    return transposed(columns)


def _one_at(row: int, col: int) -> Callable[[int, int], bool]:
    return lambda i, j: (i, j) == (row, col)


def _reciprocal_gaps(v: Rows) -> Rows:
    values = entries(v)
    return [
        [mpmath().mpf(0) if i == j else 1 / (b - a) for j, b in enumerate(values)]
        for i, a in enumerate(values)
    ]


def _polygamma(e: F.Polygamma, A: Rows) -> Rows:
    function = functions()["polygamma"]
    return mapped(lambda z: function(e.order, z), A)


Values = Callable[[Any, list[Rows], Sizes], Rows]

VALUES: dict[type[Expression], Values] = {
    Einsum: lambda e, c, s: contracted(e, c, s),
    AxisSoftmax: lambda e, c, s: column(entries([_softmax(z) for z in _along_last(e, c[0], s)])),
    AxisLogSumExp: lambda e, c, s: _grouped(
        entries([_logsumexp(z) for z in _along_last(e, c[0], s)]), e.cols.value(s)
    ),
    UnitAt: lambda e, c, s: _unit_at(e, int(c[0][0][0]), s),
    N.Number: lambda e, c, s: _one(number(e.value)),
    N.NamedNumber: lambda e, c, s: _one(+getattr(mpmath().mp, e.name)),
    N.SizeValue: lambda e, c, s: _one(number(s[e.name])),
    N.Identity: lambda e, c, s: identity(shape_of(e, s)[0]),
    N.Zeros: lambda e, c, s: made(*shape_of(e, s), lambda i, j: 0),
    N.Ones: lambda e, c, s: made(*shape_of(e, s), lambda i, j: 1),
    N.Unit: lambda e, c, s: _unit(e, s),
    N.Commutation: lambda e, c, s: _commutation(e, s),
    N.DiagonalSelection: lambda e, c, s: _diagonal_selection(e, s),
    N.Triangle: lambda e, c, s: made(*shape_of(e, s), lambda i, j: i >= j),
    N.Duplication: lambda e, c, s: _duplication(e, s),
    N.Elimination: lambda e, c, s: _elimination(e, s),
    N.Selection: lambda e, c, s: _selection(e, s),
    N.Stack: lambda e, c, s: (
        [[entry for row in line for entry in row] for line in zip(*c, strict=True)]
        if e.axis
        else [row for block in c for row in block]
    ),
    N.Sum: lambda e, c, s: reduce(added, c),
    N.Scaled: lambda e, c, s: reduce(_times, c, _one(number(e.coefficient))),
    N.Product: lambda e, c, s: _chain(c),
    N.Hadamard: lambda e, c, s: reduce(_times, c),
    N.Power: _power,
    N.MatrixPower: _matrix_power,
    N.Transpose: lambda e, c, s: transposed(c[0]),
    N.Elementwise: lambda e, c, s: mapped(functions()[e.name], c[0]),
    N.Trace: lambda e, c, s: _one(sum(row[i] for i, row in enumerate(c[0]))),
    N.Det: lambda e, c, s: _one(determinant(c[0])),
    N.LogDet: lambda e, c, s: _one(mpmath().mp.log(abs(determinant(c[0])))),
    PositiveLogDet: lambda e, c, s: _one(_log_of_positive(determinant(c[0]))),
    N.Norm: lambda e, c, s: _one(mpmath().mp.sqrt(sum(z * z for z in entries(c[0])))),
    N.Total: lambda e, c, s: _one(sum(entries(c[0]))),
    N.DiagonalMatrix: lambda e, c, s: _times(c[0], identity(len(c[0]))),
    N.Diagonal: lambda e, c, s: column([row[i] for i, row in enumerate(c[0])]),
    N.Vec: lambda e, c, s: column(entries(transposed(c[0]))),
    N.Unvec: lambda e, c, s: [
        [row[0] for row in c[0][i :: shape_of(e, s)[0]]] for i in range(shape_of(e, s)[0])
    ],
    N.Kron: lambda e, c, s: _kron(*c),
    N.Softmax: lambda e, c, s: _by_lines(e, c[0], _softmax),
    N.LogSumExp: lambda e, c, s: _by_lines(e, c[0], _logsumexp),
    N.BlockSum: lambda e, c, s: _block_sum(*c),
    N.BlockTrace: lambda e, c, s: _block_trace(*c),
    F.Polygamma: lambda e, c, s: _polygamma(e, c[0]),
    F.Pairwise: lambda e, c, s: mapped(functions()[e.name], *c),
    F.Where: lambda e, c, s: mapped(lambda z, a, b: a if z > 0 else b, *c),
    F.Largest: lambda e, c, s: _one(max(entries(c[0]))),
    F.Hardmax: lambda e, c, s: _hardmax(c[0]),
    F.NuclearNorm: lambda e, c, s: _one(sum(singular_values(c[0]))),
    F.Polar: lambda e, c, s: polar(c[0]),
    F.Pinv: lambda e, c, s: pinv(c[0]),
    F.MatrixFunction: lambda e, c, s: MATRIX_FUNCTIONS[e.name](c[0]),
    F.Frechet: lambda e, c, s: frechet(e.name, *c),
    F.FrechetMatrix: lambda e, c, s: _frechet_matrix(e.name, c[0]),
    F.Eigenvalues: lambda e, c, s: column(eigh(c[0])[0]),
    F.Eigenvectors: lambda e, c, s: vectors_of_distinct(c[0]),
    F.ReciprocalGaps: lambda e, c, s: _reciprocal_gaps(c[0]),
}
