"""Nodes of sums over an index: the index, the unit vector at its place, and the sum.

As in `nodes`, a node only stores its fields. The constructors are in `indices` and `summation`.
"""

from __future__ import annotations

from collections.abc import Mapping

from mcmodels.calculus.core.expression import Expression, node
from mcmodels.calculus.core.nodes import Number, Symbol
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["Index", "LogSumOver", "SumOver", "UnitAt", "WeightedExponential"]


class Index(Symbol):
    """A whole number that runs from 0 to ``over`` − 1, as i does in Σᵢ."""

    __slots__ = ("over",)
    __match_args__ = ("name", "over")

    def __init__(self, name: str, over: Size) -> None:
        self.over = over
        Symbol.__init__(self, name, ONE, ONE, frozenset(["integer"]))

    def __post_init__(self) -> None:
        self._identify((), (self.name, str(self.over)))
        self.used = frozenset([self])
        self.size_names = self.over.all_names

    def described(self) -> str:
        """What it is, for messages."""
        return f"an index over {self.over}"


@node
class UnitAt(Expression):
    """The vector with a one at the place of an index plus ``shift``, and zeros elsewhere.

    Row i of X is Xᵀeᵢ, as a column.
    """

    position: Expression
    shift: int
    rows: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.rows, ONE


@node
class SumOver(Expression):
    """The sum of a body over an index: of the terms where the condition is positive.

    Without a condition, that is the number 1. The index is bound: it is no symbol of the sum, and
    sums that differ only in its name are equal.
    """

    body: Expression
    condition: Expression
    name: str
    over: Size

    @property
    def index(self) -> Index:
        """The index."""
        return Index(self.name, self.over)

    @property
    def is_conditional(self) -> bool:
        """Whether terms may be left out."""
        return not (isinstance(self.condition, Number) and self.condition.value == 1)

    def __post_init__(self) -> None:
        self._identify((self.body, self.condition), (str(self.over),))
        own = self.index
        self.used = self.used - {own}
        self.size_names = self.size_names | self.over.all_names
        self.key = self.key_of([_key(child, {own: 0}, {}) for child in self.children])
        self.hash = hash(self.key)

    def _dimensions(self) -> tuple[Size, Size]:
        return self.body.rows, self.body.cols


@node
class WeightedExponential(Expression):
    """The term weight · exp(exponent) of a sum whose logarithm is taken."""

    weight: Expression
    exponent: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


class LogSumOver(SumOver):
    """The logarithm of a sum of `WeightedExponential`, for numbers: it does not overflow."""

    __slots__ = ()


def _key(e: Expression, levels: Mapping[Symbol, int], known: dict[bytes, bytes]) -> bytes:
    """The key of a part of a sum, in which indices count by the level of their sum."""
    if e in levels:
        return f"index {levels[e]}".encode()  # type: ignore[index]
    if e.used.isdisjoint(levels):
        return e.key
    if e.key not in known:
        if isinstance(e, SumOver):
            inside = {**levels, e.index: len(levels)}
            keys = [_key(child, inside, {}) for child in e.children]
        else:
            keys = [_key(child, levels, known) for child in e.children]
        known[e.key] = e.key_of(keys)
    return known[e.key]
