"""Arguments at which functions of each entry are defined, and tame, whatever z is."""

from __future__ import annotations

from collections.abc import Callable

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.expression import Expression

_INSIDE: dict[str, Callable[[Expression], Expression]] = {
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "tan"), lambda z: 0.9 * mc.tanh(z)),
    "arccosh": lambda z: mc.softplus(z) + 1.25,
    "log1p": lambda z: mc.exp(z) - 0.5,
    **dict.fromkeys(("gammaln", "digamma"), lambda z: mc.softplus(z) + 0.25),
}


def inside(name: str, z: Expression) -> Expression:
    """An argument of the function of that name."""
    return _INSIDE.get(name, lambda z: z)(z)
