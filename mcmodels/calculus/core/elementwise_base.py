"""What is known of a function of each entry, and the node that applies one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcmodels.calculus.core.arithmetic.exponentials import recognised
from mcmodels.calculus.core.nodes import Elementwise, Transpose

if TYPE_CHECKING:
    from mcmodels.calculus.core.expression import Expression

__all__ = ["ElementwiseFunction", "elementwise"]


@dataclass(frozen=True)
class ElementwiseFunction:
    """What is known of an elementwise function f.

    Attributes
    ----------
    name : str
        In Python text.
    statement : str
        Its derivative, as a formula.
    source : str
        Where that is proved.
    derivative : callable
        f′ as an expression of the argument and of the value f(argument).
    code : str
        NumPy or SciPy, with ``{}`` for the argument, or ``{0}`` where it stands more than once.
    kink : str or None
        Where it is not differentiable.
    """

    name: str
    statement: str
    source: str
    derivative: Callable[[Expression, Expression], Expression | int]
    code: str
    kink: str | None = None


def elementwise(name: str, argument: Expression) -> Expression:
    """The function of that name of each entry of the argument."""
    if isinstance(argument, Transpose):
        return Transpose(elementwise(name, argument.argument))
    found = recognised(name, argument)
    return Elementwise(name, argument) if found is None else found
