"""The cheapest order of a matrix product for the actual sizes, by dynamic programming.

Cormen, Leiserson, Rivest and Stein (2022), Introduction to Algorithms, 4th ed., 14.2; here a factor
may be cheap to apply (a diagonal scales rows) and expensive to form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE

__all__ = ["Tree", "best_order", "best_split", "cost_of_order", "is_inverse", "is_special"]

Tree = int | tuple["Tree", "Tree"]
Sizes = Mapping[str, int]

_SPECIAL = (
    N.DiagonalMatrix,
    N.Identity,
    N.Unit,
    N.Ones,
    N.Kron,
    N.Commutation,
    N.DiagonalSelection,
    N.Selection,
    N.Duplication,
    N.Elimination,
)


def is_special(factor: Expression) -> bool:
    """Whether a factor is applied without being formed."""
    inner = _inner(factor)
    if isinstance(inner, N.Kron) and ONE in (inner.rows, inner.cols):
        return False  # a vector
    return isinstance(inner, _SPECIAL) or is_inverse(inner) or _is_open_sum(inner)


def is_inverse(factor: Expression) -> bool:
    """Whether a factor is the inverse of a matrix, which is applied by solving."""
    return isinstance(factor, N.MatrixPower) and factor.is_inverse


def _is_open_sum(factor: Expression) -> bool:
    """A sum of matrices, which may be applied to a vector term by term."""
    return isinstance(factor, N.Sum) and ONE not in (factor.rows, factor.cols)


def best_order(factors: Sequence[Expression], sizes: Sizes) -> Tree:
    """The order of a product of two or more factors, as a tree of positions."""
    return _solved(factors, sizes)(0, len(factors) - 1)[1]


def cost_of_order(factors: Sequence[Expression], sizes: Sizes) -> float:
    """The multiplications of the cheapest order."""
    if len(factors) == 1:
        return 0.0
    return _solved(factors, sizes)(0, len(factors) - 1)[0]


def best_split(factors: Sequence[Expression], sizes: Sizes) -> int:
    """Where to cut a product whose trace is wanted, so that the two halves are cheapest."""
    solve = _solved(factors, sizes)
    last = len(factors) - 1

    def cost(k: int) -> float:
        left, right = solve(0, k)[0], solve(k + 1, last)[0]
        return left + right + _shape(factors, 0, k, sizes)[0] * _shape(factors, 0, k, sizes)[1]

    return min(range(last), key=cost) + 1


def _shape(factors: Sequence[Expression], i: int, j: int, sizes: Sizes) -> tuple[int, int]:
    return factors[i].rows.value(sizes), factors[j].cols.value(sizes)


def _solved(
    factors: Sequence[Expression], sizes: Sizes
) -> Callable[[int, int], tuple[float, Tree]]:
    @cache
    def solve(i: int, j: int) -> tuple[float, Tree]:
        if i == j:
            return 0.0, i
        options = []
        for k in range(i, j):
            (left_cost, left), (right_cost, right) = solve(i, k), solve(k + 1, j)
            own = _cost(factors, (i, k), (k + 1, j), sizes)
            options.append((left_cost + right_cost + own, k, (left, right)))
        cost, _, tree = min(options, key=lambda option: option[:2])
        return cost, tree

    return solve


def _cost(
    factors: Sequence[Expression], left: tuple[int, int], right: tuple[int, int], sizes: Sizes
) -> float:
    r, k = _shape(factors, *left, sizes)
    _, c = _shape(factors, *right, sizes)
    first = factors[left[0]] if left[0] == left[1] else None
    second = factors[right[0]] if right[0] == right[1] else None
    options = [float(r) * k * c + _forming(first, sizes) + _forming(second, sizes)]
    if first is not None and is_special(first):
        options.append(_applying(first, c, sizes) + _forming(second, sizes))
    if second is not None and is_special(second):
        options.append(_applying(second, r, sizes) + _forming(first, sizes))
    return min(options)


def _inner(factor: Expression) -> Expression:
    return factor.children[0] if isinstance(factor, N.Transpose) else factor


def _forming(factor: Expression | None, sizes: Sizes) -> float:
    """The cost of a special factor as a dense matrix."""
    if factor is None or not is_special(factor):
        return 0.0
    rows, cols = factor.rows.value(sizes), factor.cols.value(sizes)
    # An inverse is never formed to be multiplied with, if there is any other way.
    return 4.0 * rows**3 if is_inverse(_inner(factor)) else 2.0 * rows * cols


def _applying(factor: Expression, columns: int, sizes: Sizes) -> float:
    """The cost of a special factor times a matrix of so many columns."""
    inner = _inner(factor)
    rows, cols = inner.rows.value(sizes), inner.cols.value(sizes)
    if is_inverse(inner):
        return rows**3 / 3 + float(rows) ** 2 * columns
    if isinstance(inner, N.Sum):
        return float(len(inner.children)) * rows * cols * columns
    if isinstance(inner, N.Kron):
        (a, b), (c, d) = (
            (side.rows.value(sizes), side.cols.value(sizes)) for side in (inner.left, inner.right)
        )
        return float(columns) * (a * b * d + a * c * d)
    return float(max(rows, cols)) * columns
