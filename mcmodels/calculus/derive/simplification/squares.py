"""sin² + cos² = 1 and cosh² − sinh² = 1, where a sum has both: A&S (1964), (4.3.10), (4.5.16)."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, ones, parts, scale
from mcmodels.calculus.core.arithmetic.quotients import named
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["squares_joined"]

# The other square, and the number before it relative to that of the first.
_PARTNERS = {"cos": ("sin", 1), "cosh": ("sinh", -1)}
_FUNCTIONS = {*_PARTNERS, "sin", "sinh"}
_TWO = number(2)


def squares_joined(e: N.Sum) -> Expression | None:
    """The sum with one such pair of terms, which may have the same further factors, as one term."""
    names = {name for term in e.children for name, _ in _named_squares(term)}
    if not any(name in names and other in names for name, (other, _) in _PARTNERS.items()):
        return None
    found: dict[tuple[str, bytes, bytes], tuple[int, Expression]] = {}
    for i, term in enumerate(e.children):
        for name, z, rest in _squares(term):
            found[name, z.key, rest.key] = (i, rest)
    for (name, z_key, rest_key), (i, rest) in found.items():
        if name not in _PARTNERS:
            continue
        other, sign = _PARTNERS[name]
        partner = found.get((other, z_key, rest_key if sign == 1 else scale(-1, rest).key))
        if partner is not None:
            others = [term for k, term in enumerate(e.children) if k not in (i, partner[0])]
            return add([*others, rest])
    return None


def _squares(term: Expression) -> list[tuple[str, Expression, Expression]]:
    """Of each factor that is a square of a function: name, argument, and the rest of the term."""
    coefficient, scalars, array = parts(term)
    arrays = _arrays(array)
    result = []
    for factor in (*scalars, *arrays):
        function = _named_square(factor)
        if function is None or function[0] not in _FUNCTIONS:  # other rests are costly, and unused
            continue
        left = [f for f in scalars if f is not factor]
        beside = [f for f in arrays if f is not factor]
        if arrays:
            left.append(hadamard(beside) if beside else ones(term.rows, term.cols))
        result.append((*function, scale(coefficient, *left)))
    return result


def _named_squares(term: Expression) -> list[tuple[str, Expression]]:
    """Name and argument alone of the same."""
    _, scalars, array = parts(term)
    found = map(_named_square, (*scalars, *_arrays(array)))
    return [function for function in found if function is not None]


def _arrays(array: Expression | None) -> tuple[Expression, ...]:
    return array.children if isinstance(array, N.Hadamard) else () if array is None else (array,)


def _named_square(factor: Expression) -> tuple[str, Expression] | None:
    base = _base_of_square(factor)
    return None if base is None else named(base)


def _base_of_square(factor: Expression) -> Expression | None:
    inner = factor.argument if isinstance(factor, N.Transpose) else factor
    if not isinstance(inner, N.Power) or inner.exponent != _TWO:
        return None
    return inner.base if inner is factor else N.Transpose(inner.base)
