"""Wrong gradients given as text: declarations, function, variable, claim, slip, and its name."""

from collections.abc import Callable
from typing import Any

from mcmodels.calculus import parse
from mcmodels.calculus.derive.gradients import derivative
from tests.calculus.students.student import Student

__all__ = ["row"]


def row(
    declared: str,
    f: str,
    x: str,
    wrong: str | Callable[..., Any],
    slip: str,
    name: str,
    says: str = "",
    remedy: str = "",
) -> Student:
    """A student whose right answer is derived: the tests compare it with differences."""
    shapes = dict(part.split("=") for part in declared.split())
    function = parse(f, **shapes)
    (symbol,) = (s for s in function.symbols if s.name == x)
    claimed = parse(wrong, **shapes) if isinstance(wrong, str) else wrong
    return Student(
        slip, function, symbol, derivative(function, symbol), claimed, (name,), says, remedy
    )
