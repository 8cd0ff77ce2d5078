"""The forms of textbooks: like terms collected, common factors taken out, what cancels gone.

Every rule rewrites a node into an equal one and is kept only where the result is smaller, so that
rewriting ends; what comes out is what a person would print: (A + Aᵀ)x, Xᵀ(Xw − y), X(abᵀ + baᵀ).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from mcmodels.calculus import functions
from mcmodels.calculus import nodes as N
from mcmodels.calculus.arithmetic import (
    add,
    hadamard,
    inverse,
    kron,
    matmul,
    parts,
    scale,
    transpose,
)
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.numbers import Value, number
from mcmodels.calculus.rewriting import with_children

__all__ = ["simplify"]

_MOST_ROUNDS = 20
_LETTER = 3
_MOST_TERMS = 64  # of a product of sums that is multiplied out to see what cancels

Rule = Callable[[Any], Expression | None]


def simplify(expression: Expression) -> Expression:
    """An equal expression in the form that a textbook would print."""
    sizes: dict[bytes, int] = {}
    for _ in range(_MOST_ROUNDS):
        simpler = _round(expression, sizes)
        if simpler.key == expression.key:
            return simpler
        expression = simpler
    return expression


def _round(expression: Expression, sizes: dict[bytes, int]) -> Expression:
    """Every part once, children first."""
    known: dict[bytes, Expression] = {}

    def walk(part: Expression) -> Expression:
        if part.key in known:
            return known[part.key]
        children = [walk(child) for child in part.children]
        same = all(new is old for new, old in zip(children, part.children, strict=True))
        result = part if same else with_children(part, children)
        for rule in RULES.get(type(result), ()):
            shorter = rule(result)
            if shorter is not None and _size(shorter, sizes) < _size(result, sizes):
                result = shorter
                break
        known[part.key] = result
        return result

    return walk(expression)


def _size(expression: Expression, sizes: dict[bytes, int]) -> int:
    """How much there is to read: letters count more than operations, numbers as much."""
    if expression.key not in sizes:
        own = 1 if expression.children else _LETTER
        if isinstance(expression, N.Scaled) and abs(expression.coefficient) != 1:
            own += _LETTER
        sizes[expression.key] = own + sum(_size(child, sizes) for child in expression.children)
    return sizes[expression.key]


# -- sums ----------------------------------------------------------------------------------------

Term = tuple[Value, tuple[Expression, ...], Expression | None]


def _assemble(coefficient: Value, scalars: Sequence[Expression], *array: Expression) -> Expression:
    return scale(coefficient, *scalars, *array)


def _collected(e: N.Sum) -> Expression | None:
    """Scalars that are equal up to transposition or a cyclic shift are one term."""
    if not any(_could_turn(scalar) for term in e.children for scalar in parts(term)[1]):
        return None
    terms: dict[tuple[bytes, ...], tuple[Value, Expression]] = {}
    for term in e.children:
        coefficient, scalars, array = parts(term)
        names = sorted(_turned_key(scalar) for scalar in scalars)
        name = (b"" if array is None else array.key, *names)
        body = _assemble(1, scalars, *([] if array is None else [array]))
        total, first = terms.get(name, (Fraction(0), body))
        terms[name] = (total + coefficient, first)
    if len(terms) == len(e.children):
        return None
    return add([scale(coefficient, body) for coefficient, body in terms.values()])


def _could_turn(scalar: Expression) -> bool:
    base = scalar.base if isinstance(scalar, N.Power) else scalar
    return isinstance(base, N.Product | N.Trace)


def _turned_key(scalar: Expression) -> bytes:
    """A key that a scalar shares with its transpose, and a trace with its cyclic shifts."""
    if isinstance(scalar, N.Power):
        return _turned_key(scalar.base) + scalar.exponent.key
    if isinstance(scalar, N.Product):
        return min(scalar.key, matmul([transpose(c) for c in reversed(scalar.children)]).key)
    if isinstance(scalar, N.Trace):
        keys = []
        for argument in (scalar.argument, transpose(scalar.argument)):
            chain = argument.children if isinstance(argument, N.Product) else (argument,)
            names = [factor.key for factor in chain]
            keys += [b"".join(names[i:] + names[:i]) for i in range(len(names))]
        return min(keys)
    return scalar.key


def _multiplied_out(e: N.Sum) -> Expression | None:
    """Elementwise products of sums opened, where that lets terms cancel."""
    if not any(_sums_in(term) for term in e.children):
        return None
    opened = [piece for term in e.children for piece in _opened(term)]
    return add(opened) if len(opened) <= _MOST_TERMS else None


def _sums_in(term: Expression) -> list[Expression]:
    coefficient, scalars, array = parts(term)
    factors = array.children if isinstance(array, N.Hadamard) else ()
    found = [factor for factor in (*scalars, *factors) if isinstance(factor, N.Sum)]
    return found + ([array] if isinstance(array, N.Sum) else [])


def _opened(term: Expression) -> list[Expression]:
    coefficient, scalars, array = parts(term)
    pieces = [number(coefficient)]
    if array is not None:
        factors = array.children if isinstance(array, N.Hadamard) else (array,)
        pieces = [scale(coefficient, N.Ones(array.rows, array.cols))]
    for scalar in scalars:
        choices = scalar.children if isinstance(scalar, N.Sum) else (scalar,)
        pieces = [scale(piece, choice) for piece in pieces for choice in choices]
    if array is not None:
        for factor in factors:
            choices = factor.children if isinstance(factor, N.Sum) else (factor,)
            pieces = [hadamard([piece, choice]) for piece in pieces for choice in choices]
            if len(pieces) > _MOST_TERMS:
                return [term]
    return pieces


def _factored(e: N.Sum) -> Expression | None:
    """The factor that most terms share, on the left, on the right or elementwise, taken out."""
    for split, join in (_LEFT, _RIGHT, _ELEMENTWISE, _KRON_LEFT, _KRON_RIGHT, _DIAGONAL):
        groups: dict[bytes, list[tuple[int, Expression, Expression]]] = {}
        for i, term in enumerate(e.children):
            array = parts(term)[2]
            if array is None:
                continue
            for factor, rest in split(array):
                groups.setdefault(factor.key, []).append((i, factor, rest))
        shared = max(groups.values(), key=len, default=[])
        if len({i for i, _, _ in shared}) == len(shared) > 1:
            return _taken_out(e, shared, join)
    return None


def _taken_out(
    e: N.Sum,
    shared: list[tuple[int, Expression, Expression]],
    join: Callable[[Expression, Expression], Expression],
) -> Expression:
    rests = []
    for i, _, rest in shared:
        coefficient, scalars, _ = parts(e.children[i])
        rests.append(_assemble(coefficient, scalars, rest))
    outside, inside = _common_scalars(add(rests))
    product = scale(*outside, join(shared[0][1], inside))
    positions = {i for i, _, _ in shared}
    first = min(positions)
    terms = [
        product if i == first else term
        for i, term in enumerate(e.children)
        if i == first or i not in positions
    ]
    return add(terms)


def _common_scalars(e: Expression) -> tuple[list[Expression | Value], Expression]:
    """Numbers of equal size and scalar factors that all terms of a sum share, taken out."""
    if not isinstance(e, N.Sum):
        return [], e
    terms = [parts(term) for term in e.children]
    size = abs(terms[0][0])
    factor: Value = Fraction(1)
    if all(abs(coefficient) == size for coefficient, _, _ in terms):
        factor = size if any(coefficient > 0 for coefficient, _, _ in terms) else -size
    common = [s for s in terms[0][1] if all(s in scalars for _, scalars, _ in terms)]
    if factor == 1 and not common:
        return [], e
    inside = add(
        [
            _assemble(
                coefficient / factor,
                [s for s in scalars if s not in common],
                *([] if array is None else [array]),
            )
            for coefficient, scalars, array in terms
        ]
    )
    return [factor, *common], inside


def _split_left(array: Expression) -> list[tuple[Expression, Expression]]:
    if not isinstance(array, N.Product):
        return []
    return [(array.children[0], matmul(array.children[1:]))]


def _split_right(array: Expression) -> list[tuple[Expression, Expression]]:
    if not isinstance(array, N.Product):
        return []
    return [(array.children[-1], matmul(array.children[:-1]))]


def _split_elementwise(array: Expression) -> list[tuple[Expression, Expression]]:
    if isinstance(array, N.Hadamard):
        c = array.children
        return [(c[i], hadamard([*c[:i], *c[i + 1 :]])) for i in range(len(c))]
    return [(array, N.Ones(array.rows, array.cols))] if isinstance(array, N.Elementwise) else []


def _kron_sides(left: bool) -> Callable[[Expression], list[tuple[Expression, Expression]]]:
    def split(array: Expression) -> list[tuple[Expression, Expression]]:
        if not isinstance(array, N.Kron):
            return []
        return [(array.left, array.right) if left else (array.right, array.left)]

    return split


def _split_diagonal(array: Expression) -> list[tuple[Expression, Expression]]:
    if not isinstance(array, N.DiagonalMatrix):
        return []
    return [(N.Identity(array.rows), array.argument)]


_LEFT = (_split_left, lambda factor, rest: matmul([factor, rest]))
_RIGHT = (_split_right, lambda factor, rest: matmul([rest, factor]))
_ELEMENTWISE = (_split_elementwise, lambda factor, rest: hadamard([factor, rest]))
_KRON_LEFT = (_kron_sides(True), lambda factor, rest: kron(factor, rest))
_KRON_RIGHT = (_kron_sides(False), lambda factor, rest: kron(rest, factor))
_DIAGONAL = (_split_diagonal, lambda factor, rest: functions.diag(rest))


# -- products and functions ------------------------------------------------------------------------


def _inverses_opened(e: N.Product) -> Expression | None:
    """(AXB)⁻¹ as B⁻¹X⁻¹A⁻¹, where the neighbours cancel against it."""
    factors: list[Expression] = []
    for factor in e.children:
        flipped = isinstance(factor, N.Transpose)
        inner = factor.children[0] if flipped else factor
        opened = _opened_inverse(inner)
        factors.append(factor if opened is None else transpose(opened) if flipped else opened)
    if all(new is old for new, old in zip(factors, e.children, strict=True)):
        return None
    return matmul(factors)


def _opened_inverse(e: Expression) -> Expression | None:
    if (
        isinstance(e, N.MatrixPower)
        and isinstance(e.base, N.Product)
        and isinstance(e.exponent, N.Number)
        and e.exponent.value == -1
        and all(factor.is_square for factor in e.base.children)
    ):
        return matmul([inverse(factor) for factor in reversed(e.base.children)])
    return None


def _distributed(e: N.Product) -> Expression | None:
    """A sum opened, where its terms join with their neighbours."""
    for i, factor in enumerate(e.children):
        if isinstance(factor, N.Sum):
            before, after = e.children[:i], e.children[i + 1 :]
            return add([matmul([*before, term, *after]) for term in factor.children])
    return None


def _sum_of_elementwise(e: N.Product) -> Expression | None:
    """uᵀv as sum(u∘v), where something cancels in u∘v; 1ᵀy = 1 of a probability vector."""
    if not (e.is_scalar and len(e.children) == 2):
        return None
    left, right = transpose(e.children[0]), e.children[1]
    return _total(functions.sum(hadamard([left, right])))


def _total(e: Expression) -> Expression:
    coefficient, scalars, _ = parts(e)
    if len(scalars) == 1 and isinstance(scalars[0], N.Total):
        argument = scalars[0].argument
        if isinstance(argument, N.Symbol) and "probability" in argument.declared:
            return number(coefficient)
    return e


def _rotated(e: N.Trace) -> Expression | None:
    """tr(AB) as tr(BA), where the ends cancel or meet in a scalar."""
    if isinstance(e.argument, N.Product):
        c = e.argument.children
        for i in range(1, len(c)):
            turned = functions.trace(matmul([*c[i:], *c[:i]]))
            if turned.height < e.height or not isinstance(turned, N.Trace):
                return turned
    return None


RULES: dict[type[Expression], tuple[Rule, ...]] = {
    N.Sum: (_collected, _multiplied_out, _factored),
    N.Product: (_inverses_opened, _distributed, _sum_of_elementwise),
    N.Trace: (_rotated,),
    N.Total: (_total,),
}
