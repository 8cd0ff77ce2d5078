"""Rewrites of sums over pairs of indices: i and j exchanged, so that terms of one kind meet."""

from __future__ import annotations

from collections.abc import Sequence

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, matmul, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.indices import fresh, indices_in
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import apart, rebuilt, renamed, rewrite
from mcmodels.calculus.core.summation import summed

__all__ = ["exchanged", "units_gathered"]

Known = dict[bytes, tuple[Expression, Expression]]

_ONE = number(1)
_ODD = frozenset(
    ["arcsin", "arcsinh", "arctan", "arctanh", "erf", "sign", "sin", "sinh", "tan", "tanh"]
)
_EVEN = frozenset(["abs", "cos", "cosh", "norm_pdf"])


def exchanged(e: SumOver) -> Expression | None:
    """Σᵢ (Σⱼ aᵢⱼ eᵢ + Σⱼ bᵢⱼ eⱼ) as Σᵢ Σⱼ (aᵢⱼ + bⱼᵢ) eᵢ; None where nothing is exchanged.

    Products such as xⱼᵀxᵢ and differences such as xⱼ − xᵢ are written in one order, so that they
    are seen to be equal.
    """
    factor, factors, sum_ = parts(e.body)
    if e.is_conditional or not isinstance(sum_, N.Sum):
        return None
    given = [scale(factor, *factors, term) for term in sum_.children]
    terms = []
    for term in given:
        coefficient, scalars, array = parts(term)
        inner, *behind = array.children if isinstance(array, N.Product) else (array,)
        if isinstance(inner, SumOver) and _starts_at(inner, e.index):
            term = _swapped(scale(coefficient, *scalars), e.index, inner, behind)
        terms.append(term)
    if all(new is old for new, old in zip(terms, given, strict=True)):
        return None
    body = add([_in_order(term, e.index) for term in terms])
    return summed(body, number(1), e.index)


def units_gathered(e: N.Sum) -> Expression | None:
    """aᵢeᵢ + bᵢeᵢ as (aᵢ + bᵢ)eᵢ."""
    terms: dict[bytes, list[Expression]] = {}
    units: dict[bytes, Expression] = {}
    for term in e.children:
        coefficient, scalars, array = parts(term)
        if isinstance(array, UnitAt):
            units[array.key] = array
            terms.setdefault(array.key, []).append(scale(coefficient, *scalars))
        else:
            terms.setdefault(term.key, []).append(term)
    if len(terms) == len(e.children):
        return None
    return add(
        [
            scale(add(found), units[key]) if key in units else found[0]
            for key, found in terms.items()
        ]
    )


def _starts_at(inner: SumOver, i: Index) -> bool:
    """Whether its terms are multiples of eⱼ, with an index over as many values as i."""
    array = parts(inner.body)[2]
    first = array.children[0] if isinstance(array, N.Product) else array
    if not (isinstance(first, UnitAt) and first.position == inner.index and first.shift == 0):
        return False
    return inner.over == i.over and first.rows == i.over


def _swapped(
    scalar: Expression, i: Index, inner: SumOver, behind: Sequence[Expression]
) -> Expression:
    """The term whose sum over i equals that of scalar · Σⱼ · behind, in which eⱼ is eᵢ."""
    j = inner.index
    names = frozenset([i.name, j.name])
    first, *others = (apart(part, names) for part in (inner.body, *behind))
    body = scale(apart(scalar, names), matmul([first, *others]))
    condition = apart(inner.condition, names)
    body, condition = (_with_names_exchanged(part, i, j) for part in (body, condition))
    return summed(body, condition, j)


def _with_names_exchanged(e: Expression, i: Index, j: Index) -> Expression:
    taken = {symbol.name for symbol in e.used} | indices_in(e) | e.size_names
    between = fresh(i.name, frozenset(taken | {i.name, j.name}))
    e = renamed(renamed(e, i, between), j, i.name)
    return renamed(e, Index(between, i.over), j.name)


def _in_order(e: Expression, i: Index) -> Expression:
    """The term with scalar products, and differences that only change their sign, in one order."""

    def ordered(part: Expression) -> Expression | None:
        if not (isinstance(part, SumOver) and part.over == i.over and i in part.used):
            return None
        j = part.index
        known: Known = {}
        body, condition = (_signed(child, i, j, known) for child in part.children)
        return summed(scale(*body), scale(*condition), j)

    return rewrite(e, ordered)


def _signed(e: Expression, i: Index, j: Index, known: Known) -> tuple[Expression, Expression]:
    """1 or −1, and what it multiplies, in which xᵢ − xⱼ stands for xⱼ − xᵢ, too."""
    if not {i, j} <= e.used or isinstance(e, SumOver):
        return _ONE, e
    if e.key not in known:
        known[e.key] = _signed_by_parts(e, i, j, [_signed(c, i, j, known) for c in e.children])
    return known[e.key]


def _signed_by_parts(
    e: Expression, i: Index, j: Index, inside: list[tuple[Expression, Expression]]
) -> tuple[Expression, Expression]:
    sign: Expression = _ONE
    if isinstance(e, N.Scaled | N.Product | N.Hadamard | N.Transpose) or _parity(e) == -1:
        sign = scale(*(found for found, _ in inside))
        result = rebuilt(e, [child for _, child in inside])
    elif _parity(e) == 1:
        result = rebuilt(e, [child for _, child in inside])
    else:
        result = rebuilt(e, [scale(*pair) for pair in inside])
    if isinstance(result, N.Product) and result.is_scalar:
        if not _stands_first(i, j, result.children):
            result = matmul([transpose(factor) for factor in reversed(result.children)])
    elif isinstance(result, N.Sum):
        rising = [term for term in result.children if parts(term)[0] > 0]
        opposite = scale(-1, result)
        if not _stands_first(i, j, rising) and _with_names_exchanged(result, i, j) == opposite:
            return scale(-1, sign), opposite
    return sign, result


def _stands_first(i: Index, j: Index, expressions: Sequence[Expression]) -> bool:
    """Whether the first part with one of two indices has i."""
    first = next((e for e in expressions if i in e.used or j in e.used), None)
    return first is None or i in first.used


def _parity(e: Expression) -> int:
    """1 where f(−z) = f(z), -1 where f(−z) = −f(z), else 0."""
    if isinstance(e, N.Norm):
        return 1
    if isinstance(e, N.Power) and isinstance(e.exponent, N.Number):
        p = e.exponent.value
        return 0 if p != int(p) else -1 if p % 2 else 1
    if not isinstance(e, N.Elementwise):
        return 0
    return -1 if e.name in _ODD else int(e.name in _EVEN)
