"""Slopes of parts that a choice does not choose, which may be undefined, and must not count.

The derivative of ``where(x > 0, log(x), 0)`` is step(x)∘(1 ⊘ x). Where x is 0, the product would be
0 times an infinity. For numbers it is written as a choice again.
"""

from __future__ import annotations

from collections.abc import Callable

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
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import parts_of

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


def guarded(part: Expression, inner: Callable[[Expression], Expression]) -> Expression | None:
    """A product with a step as a choice, where the rest may be undefined or infinite; else None.

    ``inner`` is applied to the rest.
    """
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
        if isinstance(part, N.Hadamard):
            rest = hadamard(others)
        else:
            rest = scale(part.coefficient, *others)
        condition, positive = found
        if condition.is_scalar and rest.is_array:
            condition = scale(condition, N.Ones(rest.rows, rest.cols))
        rest = inner(rest)
        nothing = zeros_like(rest)
        condition = inner(condition)
        return choose(condition, rest, nothing) if positive else choose(condition, nothing, rest)
    return None


def _choice(factor: Expression) -> tuple[Expression, bool] | None:
    """Z of step(z), and of 1 − step(z) with False."""
    if isinstance(factor, N.Elementwise) and factor.name == "step":
        return factor.argument, True
    if isinstance(factor, N.Sum):
        other = add([ones(factor.rows, factor.cols), scale(-1, factor)])
        if isinstance(other, N.Elementwise) and other.name == "step":
            return other.argument, False
    return None


def _may_be_undefined(expression: Expression) -> bool:
    for part in parts_of(expression):
        if isinstance(part, N.Elementwise) and part.name in _LIMITED:
            return True
        if isinstance(part, N.Power) and not _is_whole(part.exponent):
            return True
        if isinstance(part, N.MatrixPower | F.Polygamma | F.MatrixFunction | F.Where):
            return True
    return False


def _is_whole(exponent: Expression) -> bool:
    value = exponent.value if isinstance(exponent, N.Number) else -1
    return value >= 0 and value == int(value)
