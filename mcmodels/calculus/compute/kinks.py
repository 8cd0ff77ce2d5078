"""Which kinks are warned of: those where the derivative jumps.

The derivative of |x|^1.5 is 1.5 √|x| sign(x). At 0 sign jumps, but it is multiplied by 0, so that
the derivative is continuous there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mcmodels.calculus.compute.undefined import takes_step_or_sign
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of

__all__ = ["kinks_that_count"]

Zeros = Callable[[Expression], list[bool]]
"""Which entries of the value of a part are 0."""


def kinks_that_count(
    expression: Expression, met: Iterable[Expression], zeros: Zeros
) -> list[Expression]:
    """Those of the steps and signs met where their argument is 0 with which the whole may jump."""
    return [part for part in met if _may_jump(part, expression, zeros)]


def _may_jump(kink: Expression, expression: Expression, zeros: Zeros) -> bool:
    """Whether the whole may jump with this part.

    It does not where the part stands only in products of which another factor is 0 there.
    """
    (argument,) = kink.children
    jumps = [place for place, zero in enumerate(zeros(argument)) if zero]
    own = {kink.key}  # and what jumps with it: its powers, multiples, and 1 − step
    for part in parts_of(expression):
        if _is_made_of(part, own):
            own.add(part.key)
    if expression.key in own:
        return True
    for parent in parts_of(expression):
        if parent.key in own or not any(child.key in own for child in parent.children):
            continue
        if not isinstance(parent, N.Hadamard | N.Scaled):
            return True
        others = [child for child in parent.children if child.key not in own]
        nothing = [_vanishing(other, zeros) for other in others]
        if kink.is_scalar:
            if not any(all(places) for places in nothing):
                return True
        elif not all(
            any(
                places[0 if other.is_scalar else jump]
                for other, places in zip(others, nothing, strict=True)
            )
            for jump in jumps
        ):
            return True
    return False


def _is_made_of(part: Expression, own: set[bytes]) -> bool:
    """Whether it is a power or a multiple of one of those parts, or one plus constants."""
    if isinstance(part, N.Power):
        whole = isinstance(part.exponent, N.Number) and part.exponent.value > 0
        return whole and part.base.key in own
    if isinstance(part, N.Scaled):
        return len(part.children) == 1 and part.children[0].key in own
    if isinstance(part, N.Sum):
        return all(child.key in own or not child.used for child in part.children) and any(
            child.key in own for child in part.children
        )
    return False


def _vanishing(factor: Expression, zeros: Zeros) -> list[bool]:
    """Where a factor is 0 and tends to 0 from all sides: not where it jumps itself."""
    if isinstance(factor, F.Where):  # both choices, for it changes between them
        chosen = zip(_vanishing(factor.left, zeros), _vanishing(factor.right, zeros), strict=True)
        return [left and right for left, right in chosen]
    inner = factor.base if isinstance(factor, N.Power) else factor
    if takes_step_or_sign(inner):
        jumping = zeros(inner.children[0])
        return [zero and not jump for zero, jump in zip(zeros(factor), jumping, strict=True)]
    found = zeros(factor)
    if any(isinstance(part, F.Where) for part in parts_of(factor)):
        return [False] * len(found)
    return found
