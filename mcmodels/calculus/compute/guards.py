"""Slopes of parts that a choice does not choose, which may be undefined, and must not count.

The derivative of ``where(x > 0, log(x), 0)`` is step(x)∘(1 ⊘ x). Where x is 0, the product would be
0 times an infinity. For numbers it is written as a choice again.
"""

from __future__ import annotations

from functools import lru_cache

from mcmodels.calculus.compute.slopes_of_powers import with_slopes_at_zero
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    ones,
    scale,
    zeros_like,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import parts_of, rewrite

__all__ = ["guarded"]

_LIMITED = frozenset(
    [
        "log",
        "log1p",
        "arcsin",
        "arccos",
        "arccosh",
        "arctanh",
        "tan",
        "gammaln",
        "digamma",
        "exp",
        "expm1",
        "sinh",
        "cosh",
    ]
)


def guarded(expression: Expression, keep_steps: bool) -> Expression:
    """An equal expression in which what a step leaves out of a product need not be defined.

    Parameters
    ----------
    expression : Expression
    keep_steps : bool
        Whether the steps stay beside the choices, so that `evaluate` can say where they have a
        kink.
    """
    expression = with_slopes_at_zero(expression)
    if not _needs_guards(expression):
        return expression

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, N.Hadamard | N.Scaled):
            return None
        factors = list(part.children)
        for i, factor in enumerate(factors):
            found = _choice(factor)
            if found is None:
                continue
            others = [*factors[:i], *factors[i + 1 :]]
            if not any(_may_be_undefined(other) for other in others):
                return None
            if isinstance(part, N.Scaled) and factor.is_scalar and _in_a_sum(part):
                array = [other for other in others if other.is_array]
                scalars = [other for other in others if other.is_scalar]
                if array and not _may_be_undefined(array[0]):  # eᵢ and rows stay what they are
                    chosen = replaced(scale(part.coefficient, factor, *scalars))
                    return None if chosen is None else scale(chosen, rewrite(array[0], replaced))
            number = part.coefficient if isinstance(part, N.Scaled) else None
            rest = hadamard(others) if number is None else scale(number, *others)
            z, positive = found
            if z.is_scalar and rest.is_array:
                z = scale(z, N.Ones(rest.rows, rest.cols))
            elif z.is_array and rest.is_scalar:
                rest = scale(rest, N.Ones(z.rows, z.cols))
            z, rest = rewrite(z, replaced), rewrite(rest, replaced)
            nothing = zeros_like(rest)
            chosen = choose(z, rest, nothing) if positive else choose(z, nothing, rest)
            if not keep_steps:
                return chosen
            return hadamard([factor, chosen]) if factor.is_array else scale(factor, chosen)
        return None

    return rewrite(expression, replaced).within(expression.context)


def _in_a_sum(part: Expression) -> bool:
    """Whether it is a part of the terms of a sum over an index."""
    return any(isinstance(s, Index) for s in part.used)


def _is_step(e: Expression) -> bool:
    return isinstance(e, N.Elementwise) and e.name == "step"


def _choice(factor: Expression) -> tuple[Expression, bool] | None:
    """Z of step(z), and of 1 − step(z) with False."""
    if isinstance(factor, N.Elementwise):
        return (factor.argument, True) if factor.name == "step" else None
    if not (isinstance(factor, N.Sum) and len(factor.children) == 2):
        return None
    for term in factor.children:
        if isinstance(term, N.Scaled) and term.coefficient == -1 and len(term.children) == 1:
            step = term.children[0]
            if isinstance(step, N.Elementwise) and step.name == "step":
                one = add([factor, step])
                return (step.argument, False) if one == ones(one.rows, one.cols) else None
    return None


@lru_cache(maxsize=512)
def _needs_guards(expression: Expression) -> bool:
    """Whether there are both a step and a part that may be undefined."""
    seen: set[bytes] = set()
    waiting = [expression]
    step = limited = False
    while waiting and not (step and limited):
        part = waiting.pop()
        if part.key not in seen:
            seen.add(part.key)
            step = step or _is_step(part)
            limited = limited or _is_limited(part)
            waiting.extend(part.children)
    return step and limited


def _may_be_undefined(expression: Expression) -> bool:
    return any(_is_limited(part) for part in parts_of(expression))


def _is_limited(part: Expression) -> bool:
    if isinstance(part, N.Elementwise):
        return part.name in _LIMITED
    if isinstance(part, N.Power):
        return not _is_whole(part.exponent)
    return isinstance(part, N.MatrixPower | F.Polygamma | F.MatrixFunction | F.Where)


def _is_whole(exponent: Expression) -> bool:
    value = exponent.value if isinstance(exponent, N.Number) else -1
    return value >= 0 and value == int(value)
