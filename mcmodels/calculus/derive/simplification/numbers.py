"""Rewrites that take numbers and scalars out of sums, open linear functions, and join σ and 1."""

from __future__ import annotations

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, ones, parts, power, scale, transpose
from mcmodels.calculus.core.arithmetic.exponentials import argument_of, function
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, number
from mcmodels.calculus.core.rewriting import substitute, with_children
from mcmodels.calculus.derive.simplification.factors import common_scalars
from mcmodels.calculus.derive.simplification.sums import multiplied_out

__all__ = [
    "complemented",
    "mirrored",
    "numbers_merged",
    "opened_total",
    "opened_trace",
    "powers_taken_out",
    "scalars_out_of_parts",
]


def scalars_out_of_parts(e: Expression) -> Expression | None:
    """(2A − 2B)C as 2(A − B)C, for any operation that is linear in each of its parts."""
    outside: list[Expression] = []
    children = []
    for child in e.children:
        taken, inside = _taken_from(child) if child.is_array else ([], child)
        outside += [x if isinstance(x, Expression) else number(x) for x in taken]
        children.append(inside)
    return scale(*outside, with_children(e, children)) if outside else None


def _taken_from(e: Expression) -> tuple[list[Expression | Value], Expression]:
    if not isinstance(e, N.Transpose):
        return common_scalars(e)
    taken, inside = common_scalars(e.argument)
    return taken, transpose(inside)


def numbers_merged(e: N.Scaled) -> Expression | None:
    """4Aᵀ(2x − 4y) as 8Aᵀ(x − 2y)."""
    if not isinstance(e.array, N.Product):
        return None
    simpler = scalars_out_of_parts(e.array)
    return None if simpler is None else scale(e.coefficient, *e.scalars, simpler)


def opened_total(e: N.Total) -> Expression | None:
    """sum(x − c1) = sum(x) − cn."""
    if not isinstance(e.argument, N.Sum):
        return None
    opened = []
    for term in e.argument.children:
        coefficient, scalars, array = parts(term)
        total = functions.sum(array if array is not None else term)
        inside = opened_total(total) if isinstance(total, N.Total) else None
        body = total if inside is None else inside
        opened.append(body if array is None else scale(coefficient, *scalars, body))
    return add(opened)


def opened_trace(e: N.Trace) -> Expression | None:
    """tr(A − cI) = tr(A) − cn."""
    if not isinstance(e.argument, N.Sum):
        return None
    return add([functions.trace(term) for term in e.argument.children])


def complemented(e: N.Sum) -> Expression | None:
    """1 − σ(−z) = σ(z), and 2σ(2z) − 1 = tanh(z)."""
    constant = [(i, parts(term)[0]) for i, term in enumerate(e.children) if _is_one(term)]
    for i, c in constant:
        for j, term in enumerate(e.children):
            coefficient, scalars, array = parts(term)
            rest = ([array] if array is not None else []) + [*scalars]
            z = argument_of("sigmoid", rest[0]) if len(rest) == 1 else None
            if z is None:
                continue
            if coefficient == -c:
                joined = scale(c, function("sigmoid", scale(-1, z)))
                if not _is_negative(z):
                    continue
            elif coefficient == -2 * c and _is_double(z):
                half = scale(number(1) / 2, z)
                sign = -1 if _is_negative(half) else 1
                joined = scale(-sign * c, function("tanh", scale(sign, half)))
            else:
                continue
            others = [t for k, t in enumerate(e.children) if k not in (i, j)]
            return add([*others, joined])
    return None


def mirrored(e: N.Sum) -> Expression | None:
    """yσ(z) + yσ(−z) = y."""
    found = {}
    for term in e.children:
        for part in _factors(term):
            z = argument_of("sigmoid", part)
            if z is not None:
                found[z.key] = part, z
    for part, z in sorted(found.values(), key=lambda pair: not _is_negative(pair[1])):
        other = found.get(scale(-1, z).key)
        if other is not None:
            one = ones(z.rows, z.cols)
            opened = substitute(e, {part: add([one, scale(-1, other[0])])})
            return multiplied_out(opened) if isinstance(opened, N.Sum) else opened
    return None


def _factors(term: Expression) -> list[Expression]:
    """The scalars, and the elementwise factors, of a term."""
    _, scalars, array = parts(term)
    if array is None:
        return [*scalars]
    return [*scalars, *(array.children if isinstance(array, N.Hadamard) else (array,))]


def _is_one(term: Expression) -> bool:
    _, scalars, array = parts(term)
    return not scalars and (array is None or isinstance(array, N.Ones))


def _is_double(z: Expression) -> bool:
    """Whether half of it has whole coefficients."""
    terms = z.children if isinstance(z, N.Sum) else (z,)
    return all(parts(term)[0] % 2 == 0 for term in terms)


def _is_negative(z: Expression) -> bool:
    """Whether a minus would be taken away."""
    terms = z.children if isinstance(z, N.Sum) else (z,)
    return all(parts(term)[0] < 0 for term in terms)


def powers_taken_out(e: N.Sum) -> Expression | None:
    """zσ(1 − σ)² + 2σ(1 − σ) as σ(1 − σ)(z(1 − σ) + 2), of scalars or entry by entry."""
    if e.is_array and not any(_is_entrywise(parts(term)[2]) for term in e.children):
        return None  # A/a − A/b is A(1/a − 1/b), of scalars
    first, *others = (_powers(term) for term in e.children)
    shared: dict[bytes, tuple[Expression, int]] = {}
    for key, (base, k) in first.items():
        least = min([k, *(other[key][1] if key in other else 0 for other in others)])
        if least > 0 and isinstance(base, N.Elementwise | N.Sum):
            shared[key] = base, least
    if not shared:
        return None
    outside = [power(base, number(k)) for base, k in shared.values()]
    below = [power(base, number(-k)) for base, k in shared.values()]
    if e.is_scalar:
        taken, inside = common_scalars(add([scale(term, *below) for term in e.children]))
        return scale(*taken, *outside, inside)
    taken, inside = common_scalars(add([hadamard([term, *below]) for term in e.children]))
    return scale(*taken, hadamard([*outside, inside]))


def _is_entrywise(array: Expression | None) -> bool:
    return isinstance(array, N.Hadamard | N.Power)


def _powers(term: Expression) -> dict[bytes, tuple[Expression, int]]:
    """The factors of a term, entry by entry, with their whole positive exponents."""
    _, scalars, array = parts(term)
    factors = scalars if array is None else _factors(array)
    result = {}
    for factor in factors:
        base, k = factor, 1
        if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
            value = factor.exponent.value
            if value != int(value) or value < 1:
                continue
            base, k = factor.base, int(value)
        result[base.key] = base, k
    return result
