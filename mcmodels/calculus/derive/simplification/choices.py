"""Rewrites of entries that choose: relu(z)∘step(z) = relu(z)."""

from __future__ import annotations

from collections.abc import Sequence

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import hadamard, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["chosen_once", "is_complement"]


def chosen_once(e: N.Hadamard | N.Scaled) -> Expression | None:
    """relu(z)ᵏ∘step(z) = relu(z)ᵏ."""
    coefficient, scalars, array = parts(e)
    entries = array.children if isinstance(array, N.Hadamard) else ()
    fewer, shorter = _shortened(scalars), _shortened(entries)
    if fewer is None and shorter is None:
        return None
    kept = scalars if fewer is None else fewer
    body = array if shorter is None else hadamard(shorter)
    return scale(coefficient, *kept, *([] if body is None else [body]))


def _shortened(factors: Sequence[Expression]) -> list[Expression] | None:
    kept = {_argument_of_relu(factor) for factor in factors}
    for factor in factors:
        is_step = isinstance(factor, N.Elementwise) and factor.name == "step"
        if is_step and factor.children[0].key in kept:
            return [other for other in factors if other is not factor]
    return None


def _argument_of_relu(factor: Expression) -> bytes:
    """The key of z in a whole positive power of relu(z); empty of anything else."""
    base = factor
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        base = factor.base if factor.exponent.value >= 1 else factor
    is_relu = isinstance(base, N.Elementwise) and base.name == "relu"
    return base.children[0].key if is_relu else b""


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
