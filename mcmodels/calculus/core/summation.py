"""Sums over an index, brought into a normal form, and indices renamed where two would be one.

What does not depend on the index is taken out of a sum, but for a matrix of which the index takes a
row: Σᵢ yᵢxᵢ stays, and is not written Xᵀ Σᵢ yᵢeᵢ. `derive.whole_arrays` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import (
    is_zero,
    matmul,
    ones,
    parts,
    scale,
    shape_text,
    size_value,
    transpose,
    zeros_like,
)
from mcmodels.calculus.core.arithmetic.transposes import transposes
from mcmodels.calculus.core.choices import condition_as_step
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.nodes import (
    DiagonalMatrix,
    Hadamard,
    Number,
    Product,
    Scaled,
    Transpose,
)
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import apart, constructs, rebuilt
from mcmodels.calculus.core.sizes import ONE, ShapeError

__all__ = ["mean_over", "moved_inside", "sum_over", "summed"]

_EVERY = number(1)  # the condition that always holds


def sum_over(x: Any, *indices: Any, where: Any = None) -> Expression:
    """The sum of an expression over one or more indices: Σᵢ f(xᵢ), Σᵢ Σⱼ f(xᵢ, xⱼ).

    Parameters
    ----------
    x : Expression
        A scalar, vector or matrix, in which entries and rows stand at the indices: ``y[i]``,
        ``X[i]``.
    *indices : Expression
        Made by `index`; the first is that of the outermost sum.
    where : Expression, default=None
        A comparison such as ``t[j] >= t[i]``, or several multiplied: terms for which it does not
        hold are left out, and need not be defined. Its derivative is taken to be 0.

    Returns
    -------
    Expression
        Of the shape of ``x``. `matrix_form` writes it by whole matrices, where it can be.

    Raises
    ------
    ShapeError
        If an index is none, or is given twice, or a size depends on it, or the condition is no
        scalar comparison.

    Examples
    --------
    >>> from mcmodels.calculus import index, log, exp, matrix, sum_over, vector
    >>> X, y, w = matrix("X", "n", "p"), vector("y", "n"), vector("w", "p")
    >>> i = index("i", over="n")
    >>> loss = sum_over(log(1 + exp(-y[i] * (X[i].T @ w))), i)
    >>> loss.gradient(w)
    −Σᵢ yᵢσ(−yᵢxᵢᵀw) xᵢ
    >>> loss.gradient(w).matrix_form()
    −Xᵀ(y ∘ σ(−y ∘ Xw))
    """
    body = as_expression(x)
    found = _required(indices)
    condition = _EVERY if where is None else condition_as_step(where)
    if not condition.is_scalar:
        raise ShapeError(
            f"the condition of a sum compares scalars; found {shape_text(condition)} ({where})"
        )
    for i in found:
        if i.name in body.size_names | condition.size_names:
            raise ShapeError(
                f"a size in the sum over {i.name} depends on {i.name}, as that of x[:{i.name}] "
                "does; sizes are the same in all terms. Leave terms out by a condition"
            )
    names = (body.known | condition.known) - frozenset(found)
    result = body
    for place, i in enumerate(reversed(found)):
        result = summed(result, condition if place == 0 else _EVERY, i)
    return result if names <= result.known else result.within(names | result.known)


def mean_over(x: Any, *indices: Any) -> Expression:
    """The mean of an expression over one or more indices; see `sum_over`.

    Examples
    --------
    >>> from mcmodels.calculus import index, mean_over, vector
    >>> y, i = vector("y", "n"), index("i", over="n")
    >>> mean_over(y[i] ** 2, i)
    (Σᵢ yᵢ²)/n
    """
    result = sum_over(x, *indices)
    for i in _required(indices):
        result = result / size_value(i.over)
    return result


def _required(indices: Sequence[Any]) -> list[Index]:
    if not indices:
        raise ShapeError("sum_over(f, i) takes an index, as made by i = index('i', over='n')")
    found: list[Index] = []
    for i in indices:
        if not isinstance(i, Index):
            raise ShapeError(
                f"a sum runs over an index, as made by index('i', over='n'); found {i!r}"
            )
        if any(i.name == other.name for other in found):
            raise ShapeError(f"the index {i.name} is given twice; use another for the second sum")
        found.append(i)
    return found


# -- normal form -----------------------------------------------------------------------------------


def summed(body: Expression, condition: Expression, i: Index) -> Expression:
    """Σ over an index of the terms where a condition is positive."""
    if is_zero(body) or is_zero(condition):
        return zeros_like(body)
    always = isinstance(condition, Number)
    if i not in body.used:
        if always:
            return scale(size_value(i.over), body)
        if not (isinstance(body, Number) and body.value == 1):
            return scale(_sum(_EVERY, condition, i), body)
        return _sum(body, condition, i)
    coefficient, scalars, array = parts(body)
    outside = [s for s in scalars if i not in s.used]
    if coefficient != 1 or outside:
        inside = [s for s in scalars if i in s.used]
        rest = scale(*inside, *([] if array is None else [array]))
        return scale(coefficient, *outside, summed(rest, condition, i))
    if isinstance(array, UnitAt) and not scalars and always and array.rows == i.over:
        return ones(array.rows, ONE)
    if isinstance(array, UnitAt) and always and len(scalars) == 1:
        whole = _whole(scalars[0], array, i)
        if whole is not None:
            return whole
    if array is not None and i not in array.used:
        return scale(summed(scale(*scalars), condition, i), array)
    if array is not None and (array.rows == ONE or isinstance(array, Transpose)):
        return transpose(summed(transpose(body), condition, i))
    if isinstance(array, DiagonalMatrix):
        return functions.diag(summed(scale(*scalars, array.argument), condition, i))
    if isinstance(array, Product):
        left, middle, right = _around(array.children, i)
        if left or right:
            inner = summed(scale(*scalars, matmul(middle)), condition, i)
            return matmul([*left, inner, *right])
    return _sum(body, condition, i)


def _sum(body: Expression, condition: Expression, i: Index) -> Expression:
    """The node; sums inside of it get an index of another name."""
    body, condition = (apart(part, frozenset([i.name])) for part in (body, condition))
    return SumOver(body, condition, i.name, i.over)


def _whole(entry: Expression, unit: UnitAt, i: Index) -> Expression | None:
    """The vector y of Σᵢ yᵢeᵢ = y, where the index runs over all of it; None of other sums."""
    if not (isinstance(entry, Product) and len(entry.children) == 2 and unit.rows == i.over):
        return None
    row, vector = entry.children
    is_entry = isinstance(row, Transpose) and row.argument == unit
    return vector if is_entry and unit.position == i and i not in vector.used else None


def _around(
    factors: tuple[Expression, ...], i: Index
) -> tuple[Sequence[Expression], Sequence[Expression], Sequence[Expression]]:
    """Factors before, with and after an index, and with it the matrices of which it takes rows."""
    uses = [place for place, factor in enumerate(factors) if i in factor.used]
    first, last = uses[0], uses[-1]
    if isinstance(factors[first], UnitAt) and first > 0:
        first -= 1
    if isinstance(factors[last], Transpose) and last + 1 < len(factors):
        unit = factors[last].children[0]
        last += isinstance(unit, UnitAt)
    return factors[:first], factors[first : last + 1], factors[last + 1 :]


@transposes(SumOver)
def _transposed(e: SumOver) -> Expression:
    body = transpose(e.body)
    if e.is_column or isinstance(parts(body)[2], Transpose):
        return Transpose(e)
    return summed(body, e.condition, e.index)


# -- factors moved into sums -----------------------------------------------------------------------


def moved_inside(
    e: Expression,
    units: Sequence[Expression],
    wanted: Callable[[Expression], bool],
    join: Callable[[Expression, Expression], Expression],
) -> Expression | None:
    """A product in which scalars stand inside of the sums among its factors; None without sums.

    Parameters
    ----------
    e : Expression
        The product of the other factors.
    units : sequence of Expression
        The scalars; with several sums, they are dealt out.
    wanted : callable
        Whether a scalar is to stand inside of a sum with this body.
    join : callable
        The product of a scalar and a body.
    """
    sums: list[SumOver] = []
    _find_sums(e, wanted, sums)
    if not sums:
        return None
    shares: list[list[Expression]] = [[] for _ in sums]
    for place, unit in enumerate(units):
        shares[place % len(sums)].append(unit)
    count = iter(shares)
    return _with_shares(e, wanted, count, join)


def _find_sums(e: Expression, wanted: Callable[[Expression], bool], found: list[SumOver]) -> None:
    if isinstance(e, SumOver):
        if wanted(e.body):
            found.append(e)
    elif isinstance(e, Scaled | Product | Hadamard | Transpose | DiagonalMatrix):
        for child in e.children:
            _find_sums(child, wanted, found)


def _with_shares(
    e: Expression,
    wanted: Callable[[Expression], bool],
    shares: Iterator[list[Expression]],
    join: Callable[[Expression, Expression], Expression],
) -> Expression:
    if isinstance(e, SumOver):
        if not wanted(e.body):
            return e
        for unit in next(shares):
            names = frozenset(s.name for s in unit.used if isinstance(s, Index))
            e = apart(e, names)
            assert isinstance(e, SumOver)
            body = join(apart(unit, frozenset([e.name])), e.body)
            e = SumOver(body, e.condition, e.name, e.over)
        return e
    if isinstance(e, Scaled | Product | Hadamard | Transpose | DiagonalMatrix):
        children = [_with_shares(child, wanted, shares, join) for child in e.children]
        return rebuilt(e, children)
    return e


@constructs(SumOver)
def _rebuilt(body: Expression, condition: Expression, name: str, over: Any) -> Expression:
    return summed(body, condition, Index(name, over))
