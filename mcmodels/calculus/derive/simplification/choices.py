"""Rewrites of entries that choose: relu(z)∘step(z) = relu(z), |z|∘sign(z) = z."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, is_zero, parts, power, scale
from mcmodels.calculus.core.arithmetic.entrywise import base_and_exponent
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import PAIRWISE

__all__ = ["choice", "chosen_once", "is_complement", "power_of_choice", "signs_joined"]

Shortening = Callable[[Sequence[Expression]], list[Expression] | None]


def chosen_once(e: N.Hadamard | N.Scaled) -> Expression | None:
    """relu(z)ᵏ∘step(z) = relu(z)ᵏ, and so for max(z, 0) and min(z, 0)."""
    return _with_fewer(e, _without_steps)


def signs_joined(e: N.Hadamard | N.Scaled) -> Expression | None:
    """|z|∘sign(z) = z, and z∘sign(z) = |z|."""
    return _with_fewer(e, _without_sign)


def power_of_choice(e: N.Power) -> Expression | None:
    """step(z)ᵏ = step(z) and (1 − step(z))ᵏ = 1 − step(z)."""
    is_choice = is_complement(e.base) or _is("step", e.base)
    return e.base if is_choice and _whole(e) > 0 else None


def _with_fewer(e: N.Hadamard | N.Scaled, shortened: Shortening) -> Expression | None:
    coefficient, scalars, array = parts(e)
    entries = array.children if isinstance(array, N.Hadamard) else ()
    fewer, shorter = shortened(scalars), shortened(entries)
    if fewer is None and shorter is None:
        return None
    kept = scalars if fewer is None else fewer
    body = array if shorter is None else hadamard(shorter)
    return scale(coefficient, *kept, *([] if body is None else [body]))


def _without_steps(factors: Sequence[Expression]) -> list[Expression] | None:
    found = (choice(base_and_exponent(factor)[0]) for factor in factors if _whole(factor) > 0)
    choices = [indicator for indicator, _ in filter(None, found)]
    kept = [factor for factor in factors if factor not in choices]
    return kept if len(kept) < len(factors) else None


def choice(e: Expression) -> tuple[Expression, Expression] | None:
    """Of relu(z), max(z, 0) and min(z, 0) what is 1 where it is z, else 0; and z."""
    if _is("relu", e):
        z = e.children[0]
        return elementwise("step", z), z
    if isinstance(e, F.Pairwise) and e.name in ("maximum", "minimum"):
        known = PAIRWISE[e.name]
        for slope, z, other in ((known.left, e.left, e.right), (known.right, e.right, e.left)):
            if is_zero(other):
                return slope(e.left, e.right, e), z
    return None


def _without_sign(factors: Sequence[Expression]) -> list[Expression] | None:
    for sign in factors:
        if not _is("sign", sign):
            continue
        z = sign.children[0]
        for factor in factors:
            base, exponent = base_and_exponent(factor)
            others = [other for other in factors if other is not sign and other is not factor]
            if _whole(factor) < 1:
                continue
            rest = power(base, add([exponent, number(-1)]))
            if base == z:
                return [*others, elementwise("abs", z), rest]
            if _is("abs", base) and base.children[0] == z:
                return [*others, z, rest]
    return None


def _is(name: str, e: Expression) -> bool:
    return isinstance(e, N.Elementwise) and e.name == name


def _whole(factor: Expression) -> int:
    """The exponent, where it is a whole number, else 0."""
    _, exponent = base_and_exponent(factor)
    value = exponent.value if isinstance(exponent, N.Number) else 0
    return int(value) if value == int(value) else 0


def is_complement(e: Expression) -> bool:
    """Whether it is 1 − step(z), which leaves out what stands beside it."""
    if not (isinstance(e, N.Sum) and len(e.children) == 2):
        return False
    for one, other in (e.children, e.children[::-1]):
        coefficient, scalars, array = parts(other)
        body = scalars[0] if len(scalars) == 1 and array is None else array
        step = isinstance(body, N.Elementwise) and body.name == "step"
        if step and coefficient == -1 and (array is None or not scalars):
            is_one = isinstance(one, N.Ones) if e.is_array else one == number(1)
            return bool(is_one)
    return False
