"""What a notation says: its signs, and how letters, scripts, functions and fractions look."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.text.printing.structure import Graded, Printer

__all__ = ["Notation"]


class Notation(Printer):
    """The signs of a notation, and how it writes what is not the same in all of them."""

    times: str
    over: str
    kronecker: str
    minus: str
    by: str
    plus: str
    star: str
    greater: str
    at_least: str
    unequal: str
    sigma: str
    transposed: str
    one: str
    psi: str
    delta: str
    numerator: int
    """How tightly a numerator must hold together."""
    indexed: int
    """How tightly what is sliced must hold together."""
    sized_identity: bool

    @abstractmethod
    def _name(self, stem: str, index: str) -> str:
        """A name of a stem with an index, which may be empty."""

    @abstractmethod
    def _literal_name(self, name: str) -> str:
        """A name letter by letter, where it would be taken for something else."""

    @abstractmethod
    def _differential(self, name: str) -> str:
        """The differential of a symbol of which the text is given."""

    @abstractmethod
    def _positive(self, value: Value) -> Graded:
        """A number that is not negative."""

    @abstractmethod
    def _raised(self, base: str, exponent: str) -> str:
        """A superscript."""

    @abstractmethod
    def _lowered(self, base: str, index: str) -> str:
        """A subscript."""

    @abstractmethod
    def _function(self, name: str, of_rows: bool = False) -> str:
        """The name of a function, which may be that of each row."""

    @abstractmethod
    def _bars(self, inside: str, double: bool = False, index: str = "") -> str:
        """Absolute value, or a norm."""

    @abstractmethod
    def _log_det(self, argument: str) -> str:
        """The logarithm of the absolute determinant."""

    @abstractmethod
    def _element(self, name: str, indices: str) -> str:
        """An entry of a symbol."""

    @abstractmethod
    def _root(self, radicand: Expression) -> str:
        """The square root."""

    @abstractmethod
    def _quotient(self, above: str, below: list[Expression], divisor: Value) -> Graded:
        """A fraction of scalars, or of an array by scalars."""

    @abstractmethod
    def _juxtaposed(self, texts: Sequence[str]) -> str:
        """Factors side by side."""

    @abstractmethod
    def is_scripted(self, text: str) -> bool:
        """Whether a text ends in a script."""

    @abstractmethod
    def _grid(self, rows: Sequence[Sequence[Expression]]) -> str:
        """A matrix of blocks."""

    @abstractmethod
    def _elementwise_power(self, base: str, exponent: str) -> str:
        """The power of each entry."""
