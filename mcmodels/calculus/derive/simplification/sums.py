"""Rules for sums: like terms collected, products of sums multiplied out, terms in order."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    assemble,
    hadamard,
    matmul,
    parts,
    scale,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, number
from mcmodels.calculus.core.rewriting import parts_of, rebuilt

__all__ = ["collected", "mirror_images_in_order", "multiplied_out"]

_MOST_TERMS = 64  # of a product of sums that is multiplied out to see what cancels


def collected(e: N.Sum) -> Expression | None:
    """Scalars that are equal up to transposition or a cyclic shift are one term."""
    if not any(_could_turn(scalar) for term in e.children for scalar in parts(term)[1]):
        return None
    terms: dict[tuple[bytes, ...], tuple[Value, Expression]] = {}
    for term in e.children:
        coefficient, scalars, array = parts(term)
        names = sorted(_key_up_to_transposition(scalar) for scalar in scalars)
        name = (b"" if array is None else array.key, *names)
        body = assemble(1, scalars, array)
        total, first = terms.get(name, (Fraction(0), body))
        terms[name] = (total + coefficient, first)
    if len(terms) == len(e.children):
        return None
    return add([scale(coefficient, body) for coefficient, body in terms.values()])


def _could_turn(scalar: Expression) -> bool:
    base = scalar.base if isinstance(scalar, N.Power) else scalar
    return isinstance(base, N.Product | N.Trace)


def _key_up_to_transposition(scalar: Expression) -> bytes:
    """A key that a scalar shares with its transpose, and a trace with its cyclic shifts."""
    if isinstance(scalar, N.Power):
        return _key_up_to_transposition(scalar.base) + scalar.exponent.key
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


def multiplied_out(e: N.Sum) -> Expression | None:
    """Elementwise products of sums opened, where that lets terms cancel."""
    if not any(_sums_in(term) for term in e.children):
        return None
    opened = [piece for term in e.children for piece in _opened(term)]
    return add(opened) if len(opened) <= _MOST_TERMS else None


def _sums_in(term: Expression) -> list[Expression]:
    _, scalars, array = parts(term)
    factors = array.children if isinstance(array, N.Hadamard) else ()
    found: list[Expression] = [
        factor for factor in (*scalars, *factors) if isinstance(factor, N.Sum)
    ]
    return found + ([array] if isinstance(array, N.Sum) else [])


def _opened(term: Expression) -> list[Expression]:
    coefficient, scalars, array = parts(term)
    pieces: list[Expression] = [number(coefficient)]
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


def mirror_images_in_order(expression: Expression) -> Expression:
    """abᵀ + baᵀ rather than baᵀ + abᵀ, A + Aᵀ rather than Aᵀ + A, I + K, everywhere."""
    if not any(_is_out_of_order(part) for part in parts_of(expression)):
        return expression
    known: dict[bytes, Expression] = {}  # the key of a sum is the same in any order

    def walk(part: Expression) -> Expression:
        if part.key not in known:
            children = [walk(child) for child in part.children]
            if _is_out_of_order(part):
                children.reverse()
            known[part.key] = rebuilt(part, children)
        return known[part.key]

    return walk(expression)


def _is_out_of_order(e: Expression) -> bool:
    if not (isinstance(e, N.Sum) and len(e.children) == 2):
        return False
    first, second = e.children
    if isinstance(first, N.Commutation) and isinstance(second, N.Identity):
        return True
    if isinstance(first, N.Transpose):
        return first.argument == second
    mirrored = isinstance(first, N.Product) and transpose(first) == second
    return mirrored and _names(second) < _names(first)


def _names(e: Expression) -> list[str]:
    """The symbols from left to right."""
    if isinstance(e, N.Symbol):
        return [e.name]
    return [name for child in e.children for name in _names(child)]
