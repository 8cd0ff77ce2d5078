"""Where an expression is not defined, or has no derivative: the error, the warning, and choices."""

from __future__ import annotations

from collections.abc import Mapping

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = [
    "EvaluationError",
    "parts_of_choices",
    "place_of",
    "shape_of",
    "takes_step_or_sign",
    "warn_of_kink",
]


class EvaluationError(ValueError):
    """An expression that is not defined at the values given; the message names the part.

    Its arguments are a text, and what stands in its braces: that of a part is written only where
    the message is read, which a search among many values never does.
    """

    def __str__(self) -> str:
        text, *about = self.args
        return text.format(*map(_shortened, about)) if about else str(text)


_LONGEST = 200  # letters of a part in a message; forms that keep digits far out have thousands


def _shortened(part: object) -> str:
    text = str(part)
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


def parts_of_choices(expression: Expression) -> frozenset[bytes]:
    """Keys of the parts that stand in the branches of choices, and nowhere else."""
    everywhere: set[bytes] = set()
    branches: list[Expression] = []
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if part.key in everywhere:
            continue
        everywhere.add(part.key)
        if isinstance(part, F.Where):
            waiting.append(part.condition)
            branches += [part.left, part.right]
        else:
            waiting.extend(part.children)
    inside = {part.key for branch in branches for part in parts_of(branch)}
    return frozenset(inside - everywhere)


def shape_of(e: Expression, sizes: Mapping[str, int]) -> tuple[int, int]:
    """The numbers of rows and columns."""
    shape = e.rows.value(sizes), e.cols.value(sizes)
    if min(shape) < 1:
        raise EvaluationError(f"{e} has no entries here: its shape is {shape}")
    return shape


def place_of(e: N.Selection, sizes: Mapping[str, int]) -> tuple[int, int, int]:
    """Where a selection starts and stops, and how many entries there are."""
    start, stop = e.start.value(sizes), (e.start + e.rows).value(sizes)
    length = e.cols.value(sizes)
    if not 0 <= start < stop <= length:
        raise EvaluationError(f"the slice from {start} to {stop} is outside {length} entries")
    return start, stop, length


def takes_step_or_sign(part: Expression) -> bool:
    """Whether a part has a kink where its argument is 0."""
    return isinstance(part, N.Elementwise) and part.name in ("sign", "step")


def warn_of_kink(part: Expression) -> None:
    """Warn that a part of a derivative stands where there is none."""
    where, used = (
        ("the largest entry stands more than once", "the first")
        if isinstance(part, F.Hardmax)
        else ("its argument is 0", "0")
    )
    warn_user(
        f"{part} is part of a derivative and stands at a kink: where {where} there is no "
        f"derivative; {used} is used",
        NonDifferentiableWarning,
    )
