"""Sums over indices written by whole arrays: Σᵢ yᵢxᵢ = Xᵀy, Σᵢ dᵢxᵢxᵢᵀ = Xᵀ diag(d) X.

What depends on an index is written for all its values at once: a scalar as a vector with an entry
for each value, a vector as a matrix with a row for each. A scalar that depends on two indices is a
matrix. Functions of each entry, sums, multiples and products with constant matrices carry over.
"""

from __future__ import annotations

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    assemble,
    hadamard,
    matmul,
    ones,
    parts,
    power,
    scale,
    selection,
    total,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, LogSumOver, SumOver, UnitAt
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import rewrite, with_children
from mcmodels.calculus.core.sizes import ONE, Size
from mcmodels.calculus.core.summation import moved_inside
from mcmodels.calculus.derive.simplification import simplify

__all__ = ["by_whole_arrays", "matrix_form"]


def matrix_form(expression: Expression) -> Expression:
    """The work of `Expression.matrix_form`."""
    return simplify(by_whole_arrays(expression)).within(expression.known)


def by_whole_arrays(expression: Expression) -> Expression:
    """Every sum over an index that can be, by whole arrays; other sums as they are."""
    if not indices_in(expression):
        return expression

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, SumOver) or any(isinstance(s, Index) for s in part.used):
            return None
        try:
            return _log(part) if isinstance(part, LogSumOver) else _sum(part.body, part)
        except _NoArray:
            return None

    return rewrite(expression, replaced)


class _NoArray(Exception):
    """A part that no array of two dimensions holds for all values of an index."""


# -- sums ------------------------------------------------------------------------------------------


def _sum(body: Expression, e: SumOver) -> Expression:
    """Σ of a body over the index of a sum."""
    if e.is_conditional:
        raise _NoArray
    i = e.index
    if i not in body.used:
        return scale(functions.size(i.over), body)
    if body.is_scalar:
        return total(_column(body, i))
    if isinstance(body, N.Sum):
        return add([_sum(term, e) for term in body.children])
    body = _with_softmax(body)
    coefficient, scalars, array = parts(body)
    assert array is not None
    weights = _column(assemble(coefficient, scalars, None), i)
    if i not in array.used:
        return scale(total(weights), array)
    if isinstance(array, N.Transpose) or array.rows == ONE:
        return transpose(_sum(transpose(body), e))
    if array.is_column:
        return matmul([transpose(_rows(array, i)), weights])
    if isinstance(array, N.DiagonalMatrix):
        inner = assemble(coefficient, scalars, array.argument)
        return functions.diag(_sum(inner, e))
    if isinstance(array, SumOver) and not array.is_conditional and i not in array.condition.used:
        # Two sums in the other order, where the inner one then is known.
        inner = assemble(coefficient, scalars, array.body)
        swapped = SumOver(inner, e.condition, e.name, e.over)
        return _sum(_sum(inner, swapped), array)
    if isinstance(array, N.Product):
        return _between(array.children, weights, i)
    raise _NoArray


def _log(e: LogSumOver) -> Expression:
    weight, exponent = e.body.children
    if e.is_conditional or weight != number(1):
        raise _NoArray
    return N.LogSumExp(_column(exponent, e.index))


def _between(factors: tuple[Expression, ...], weights: Expression, i: Index) -> Expression:
    """Σᵢ dᵢ uᵢvᵢᵀ = Uᵀ diag(d) V."""
    for place in range(1, len(factors)):
        if factors[place - 1].cols == ONE:
            u, v = matmul(factors[:place]), transpose(matmul(factors[place:]))
            if i not in v.used:
                return matmul([transpose(_rows(u, i)), weights, transpose(v)])
            if i not in u.used:
                return matmul([u, transpose(weights), _rows(v, i)])
            return matmul([transpose(_rows(u, i)), functions.diag(weights), _rows(v, i)])
    raise _NoArray


def _with_softmax(e: Expression) -> Expression:
    """(Σⱼ exp(zᵢⱼ) xⱼ)/(Σⱼ exp(zᵢⱼ)) with the quotient inside of the sum, where it is a softmax."""
    coefficient, scalars, array = parts(e)
    below = [s for s in scalars if _is_reciprocal(s)]
    if len(below) != 1 or array is None:
        return e
    rest = assemble(coefficient, [s for s in scalars if s is not below[0]], array)
    found = moved_inside(rest, below, _is_exponential, scale)
    return e if found is None else found


def _is_reciprocal(s: Expression) -> bool:
    minus = number(-1)
    return isinstance(s, N.Power) and isinstance(s.base, SumOver) and s.exponent == minus


def _is_exponential(body: Expression) -> bool:
    _, scalars, _ = parts(body)
    return any(isinstance(s, N.Elementwise) and s.name == "exp" for s in scalars)


# -- what depends on one index ---------------------------------------------------------------------


def _column(e: Expression, i: Index) -> Expression:
    """A scalar that may depend on an index, as the vector of its values."""
    n = i.over
    if i not in e.used:
        return scale(e, ones(n, ONE))
    if isinstance(e, N.Sum):
        return add([_column(term, i) for term in e.children])
    if isinstance(e, N.Scaled):
        constant = [child for child in e.children if i not in child.used]
        columns = [_column(child, i) for child in e.children if i in child.used]
        return scale(e.coefficient, *constant, hadamard(columns))
    if isinstance(e, N.Power):
        if i in e.exponent.used:
            raise _NoArray
        return power(_column(e.base, i), e.exponent)
    if isinstance(e, _ENTRYWISE):
        return with_children(e, [_column(child, i) for child in e.children])
    if isinstance(e, N.Product):
        return _scalar_product(e.children, i)
    if isinstance(e, N.Norm | N.Total | N.LogSumExp) and e.argument.is_column:
        rows = _rows(e.argument, i)
        if isinstance(e, N.LogSumExp):
            return N.LogSumExp(rows)
        if isinstance(e, N.Total):
            return _row_sums(rows)
        return power(_row_sums(power(rows, number(2))), number(1) / 2)
    if isinstance(e, LogSumOver):
        weight, exponent = e.body.children
        if e.is_conditional or weight != number(1):
            raise _NoArray
        return N.LogSumExp(_pairs(exponent, i, e.index))
    if isinstance(e, SumOver) and not e.is_conditional:
        return _row_sums(_pairs(e.body, i, e.index))
    raise _NoArray


_ENTRYWISE = (N.Elementwise, F.Polygamma, F.Pairwise, F.Where)


def _row_sums(rows: Expression) -> Expression:
    return matmul([rows, ones(rows.cols, ONE)])


def _scalar_product(factors: tuple[Expression, ...], i: Index) -> Expression:
    """uᵢᵀAv, uᵀAvᵢ and uᵢᵀAvᵢ."""
    first, *middle, last = factors
    if any(i in factor.used for factor in middle):
        return _ended(factors, i)
    if i not in last.used:
        return matmul([_rows(transpose(first), i), *middle, last])
    if i not in first.used:
        return matmul([_rows(last, i), *(transpose(part) for part in reversed(middle)), first.T])
    left = matmul([_rows(transpose(first), i), *middle])
    return _row_sums(hadamard([left, _rows(last, i)]))


def _ended(factors: tuple[Expression, ...], i: Index) -> Expression:
    """The same, where a matrix beside an end depends on the index with it."""
    for place in range(1, len(factors)):
        left, right = factors[:place], factors[place:]
        try:
            u, v = _rows(transpose(matmul(left)), i), _rows(matmul(right), i)
        except _NoArray:
            continue
        return _row_sums(hadamard([u, v]))
    raise _NoArray


def _rows(e: Expression, i: Index) -> Expression:
    """A vector that may depend on an index, as the matrix whose rows are its values."""
    n = i.over
    if not e.is_column:
        raise _NoArray
    if e.is_scalar:
        return _column(e, i)
    if i not in e.used:
        return matmul([ones(n, ONE), transpose(e)])
    if isinstance(e, UnitAt):
        return selection(Size(e.shift), n, e.rows)
    if isinstance(e, N.Sum):
        return add([_rows(term, i) for term in e.children])
    if isinstance(e, N.Scaled):
        e = _with_softmax(e)
    if isinstance(e, N.Scaled):
        assert e.array is not None
        weights = _column(assemble(e.coefficient, e.scalars, None), i)
        if i not in e.array.used:
            return matmul([weights, transpose(e.array)])
        rows = _rows(e.array, i)
        constant = all(i not in s.used for s in e.scalars)
        if constant:
            return scale(e.coefficient, *e.scalars, rows)
        return matmul([functions.diag(weights), rows])
    if isinstance(e, N.Transpose):
        return _rows_of_transpose(e.argument, i)
    if isinstance(e, N.Product):
        *before, last = e.children
        if any(i in factor.used for factor in before):
            return _rows(_distributed(e.children, i), i)
        return matmul([_rows(last, i), *(transpose(part) for part in reversed(before))])
    if isinstance(e, N.Hadamard):
        return hadamard([_rows(child, i) for child in e.children])
    if isinstance(e, N.Power):
        if i in e.exponent.used:
            raise _NoArray
        return power(_rows(e.base, i), e.exponent)
    if isinstance(e, _ENTRYWISE):
        return with_children(e, [_rows(child, i) for child in e.children])
    if isinstance(e, N.Softmax):
        return N.Softmax(_rows(e.argument, i))
    if isinstance(e, SumOver) and not e.is_conditional:
        return _sum_of_pairs(e.body, i, e.index)
    raise _NoArray


def _rows_of_transpose(e: Expression, i: Index) -> Expression:
    """Of a row, which is a sum or acts entry by entry."""
    if isinstance(e, N.Sum):
        return add([_rows(transpose(term), i) for term in e.children])
    if isinstance(e, (N.Hadamard, *_ENTRYWISE)):
        return _rows(with_children(e, [transpose(child) for child in e.children]), i)
    raise _NoArray


def _distributed(factors: tuple[Expression, ...], i: Index) -> Expression:
    """A product with the first sum that depends on an index multiplied out."""
    for place, factor in enumerate(factors):
        flipped = isinstance(factor, N.Transpose)
        inner = factor.children[0] if flipped else factor
        if isinstance(inner, N.Sum) and i in inner.used:
            terms = [transpose(term) if flipped else term for term in inner.children]
            return add([matmul([*factors[:place], t, *factors[place + 1 :]]) for t in terms])
    raise _NoArray


def _sum_of_pairs(e: Expression, i: Index, j: Index) -> Expression:
    """Σⱼ sᵢⱼvⱼ, for all i: SV."""
    if isinstance(e, N.Sum):
        return add([_sum_of_pairs(term, i, j) for term in e.children])
    coefficient, scalars, array = parts(e)
    assert array is not None
    if isinstance(array, N.Sum):
        terms = [assemble(coefficient, scalars, term) for term in array.children]
        return add([_sum_of_pairs(scale(term), i, j) for term in terms])
    weights = _pairs(assemble(coefficient, scalars, None), i, j)
    if i not in array.used:
        return matmul([weights, _rows(array, j)])
    if j not in array.used:
        return matmul([functions.diag(_row_sums(weights)), _rows(array, i)])
    raise _NoArray


# -- what depends on two indices -------------------------------------------------------------------


def _pairs(e: Expression, i: Index, j: Index) -> Expression:
    """A scalar that may depend on two indices, as the matrix of its values."""
    if j not in e.used:
        return matmul([_column(e, i), ones(ONE, j.over)])
    if i not in e.used:
        return matmul([ones(i.over, ONE), transpose(_column(e, j))])
    if isinstance(e, N.Sum):
        return add([_pairs(term, i, j) for term in e.children])
    if isinstance(e, N.Scaled):
        constant = [child for child in e.children if child.used.isdisjoint({i, j})]
        others = [child for child in e.children if not child.used.isdisjoint({i, j})]
        return scale(e.coefficient, *constant, hadamard([_pairs(c, i, j) for c in others]))
    if isinstance(e, N.Power):
        if not e.exponent.used.isdisjoint({i, j}):
            raise _NoArray
        return power(_pairs(e.base, i, j), e.exponent)
    if isinstance(e, _ENTRYWISE):
        return with_children(e, [_pairs(child, i, j) for child in e.children])
    if isinstance(e, N.Product):
        return _pairs_of_vectors(e.children, i, j)
    raise _NoArray


def _pairs_of_vectors(factors: tuple[Expression, ...], i: Index, j: Index) -> Expression:
    """uᵢᵀAvⱼ as UAVᵀ."""
    first, *middle, last = factors
    if any(not part.used.isdisjoint({i, j}) for part in middle):
        raise _NoArray
    for row, column, flipped in ((i, j, False), (j, i, True)):
        if column not in first.used and row not in last.used:
            left, right = _rows(transpose(first), row), _rows(last, column)
            found = matmul([left, *middle, transpose(right)])
            return transpose(found) if flipped else found
    raise _NoArray
