"""Rules for sums: like terms collected, products of sums multiplied out, terms in order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
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
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.core.rewriting import rebuilt
from mcmodels.calculus.derive.simplification.choices import is_complement
from mcmodels.calculus.derive.simplification.factors import terms_of

__all__ = ["collected", "distributed_elementwise", "mirror_images_in_order", "multiplied_out"]

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
    if sum(map(_pieces, e.children)) > _MOST_TERMS:
        return None
    return add([piece for term in e.children for piece in _opened(term)])


def distributed_elementwise(e: N.Hadamard) -> Expression | None:
    """A∘(B − C⊘A) as A∘B − C."""
    found = [factor for factor in e.children if isinstance(factor, N.Sum)]
    if len(found) != 1 or len(found[0].children) > _MOST_TERMS:
        return None
    others = [factor for factor in e.children if factor is not found[0]]
    below = {_below(factor) for term in found[0].children for factor in _entries(term)}
    if not any(factor.key in below for factor in others):
        return None
    return add([hadamard([*others, term]) for term in found[0].children])


def _entries(term: Expression) -> tuple[Expression, ...]:
    array = parts(term)[2]
    return array.children if isinstance(array, N.Hadamard) else () if array is None else (array,)


def _below(factor: Expression) -> bytes:
    """The key of what an elementwise factor divides by; empty where it does not divide."""
    if not (isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number)):
        return b""
    return factor.base.key if factor.exponent.value < 0 else b""


def _sums_in(term: Expression) -> list[Expression]:
    _, scalars, array = parts(term)
    factors = array.children if isinstance(array, N.Hadamard) else ()
    beside = len(scalars) + len(factors) > 1 or (scalars and array is not None)
    found: list[Expression] = [
        factor
        for factor in (*scalars, *factors)
        if isinstance(factor, N.Sum) and not (beside and is_complement(factor))
    ]
    return found + ([array] if isinstance(array, N.Sum) else [])


def _pieces(term: Expression) -> int:
    """How many terms a term is when it is multiplied out; an array of too many stays as it is."""
    found = math.prod(len(factor.children) for factor in _sums_in(term))
    return 1 if term.is_array and found > _MOST_TERMS else found


def _opened(term: Expression) -> list[Expression]:
    if _pieces(term) == 1:
        return [term]
    coefficient, scalars, array = parts(term)
    choices = [terms_of(scalar) for scalar in scalars]
    if array is None:
        return [scale(coefficient, *chosen) for chosen in itertools.product(*choices)]
    factors = array.children if isinstance(array, N.Hadamard) else (array,)
    arrays = [terms_of(factor) for factor in factors]
    products = [hadamard(chosen) for chosen in itertools.product(*arrays)]
    return [
        scale(coefficient, *chosen, product)
        for chosen in itertools.product(*choices)
        for product in products
    ]


def mirror_images_in_order(expression: Expression) -> Expression:
    """abᵀ + baᵀ rather than baᵀ + abᵀ, A + Aᵀ rather than Aᵀ + A, I + K, y∘σ(x), everywhere."""
    if not any(_is_out_of_order(part) for part in _objects(expression)):
        return expression
    known: dict[bytes, Expression] = {}  # the key of a sum is the same in any order

    def walk(part: Expression) -> Expression:
        if part.key not in known:
            children = [walk(child) for child in part.children]
            if isinstance(part, N.Hadamard):
                children.sort(key=_stands_later)
            elif _is_out_of_order(part):
                children.reverse()
            known[part.key] = rebuilt(part, children)
        return known[part.key]

    return walk(expression)


def _objects(expression: Expression) -> Iterator[Expression]:
    """Every part, also those that differ in their order alone, and so have one key."""
    seen: set[int] = set()
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            waiting.extend(part.children)
            yield part


def _stands_later(factor: Expression) -> bool:
    """Whether a factor stands after the letters among elementwise factors."""
    base = factor.base if isinstance(factor, N.Power) else factor
    return not isinstance(base, N.Symbol)


def _is_out_of_order(e: Expression) -> bool:
    if isinstance(e, N.Hadamard):
        later = [_stands_later(factor) for factor in e.children]
        return later != sorted(later)
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
