"""The operations that a walk over a syntax tree calls: of expressions, or of shapes."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.text.arguments import Index

__all__ = ["Algebra", "Found"]

T = TypeVar("T")

Found = tuple[T, int, int]
"""An array with an index in brackets, the axis, and what is added to the index."""


class Algebra(Protocol[T]):
    """The operations that a walk over a syntax tree calls."""

    def number(self, value: int | float) -> T:
        """A number."""

    def name(self, name: str) -> T:
        """A name that is not in the place of a size."""

    def total(self, terms: list[tuple[bool, T]]) -> T:
        """A sum of two or more terms; of each, whether it is subtracted."""

    def multiple(self, factors: list[tuple[bool, T]]) -> T:
        """Two or more factors with ``*`` between; of each, whether it is a divisor."""

    def binary(self, operator: str, left: T, right: T) -> T:
        """``@``, ``**``, ``^``, or ``^-`` where the exponent starts with a minus."""

    def compared(self, operator: str, left: T, right: T) -> T:
        """A comparison by ``>``, ``>=``, ``<`` or ``<=``."""

    def negative(self, value: T) -> T:
        """``-value``."""

    def transposed(self, value: T) -> T:
        """``value.T``."""

    def as_row(self, value: T) -> T:
        """A vector as a row, which a matrix repeats."""

    def length(self, value: T) -> T:
        """The number of rows."""

    def size_of(self, value: T, less: int) -> Any:
        """The number of rows less a number, as a size."""

    def entry(self, value: T, index: tuple[Index, ...]) -> T:
        """``value[index]``."""

    def call(self, function: str, arguments: list[Any], axis: int | None) -> T:
        """A function; its arguments are of the kinds in `SIGNATURES`."""

    def opened(self, name: str, over: Size | None, found: list[Found[T]]) -> Any:
        """An index, from here on; what is returned closes it."""

    def closed(self, before: Any) -> None:
        """The end of what `opened` has opened."""

    def summed(self, body: T, condition: T | None, names: tuple[str, ...], is_mean: bool) -> T:
        """A sum over open indices, that of the outermost sum first."""
