"""What all notations share: signs, fractions, entries, and where parentheses are needed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, parts, power
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import magnitude, number

__all__ = [
    "ATOM",
    "FACTOR",
    "OPERATION",
    "SUM",
    "TERM",
    "Graded",
    "Printer",
    "entry",
    "fraction",
    "is_half",
    "signed_terms",
]

# How tightly a text binds. It is put in parentheses where a tighter one is needed. In order: a sum
# or anything with a sign; an operation other than + (⊗, ∘, a quotient in one line); a product; a
# factor of a product (Xᵀ, √x); what can take a superscript.
SUM, OPERATION, TERM, FACTOR, ATOM = range(5)

Graded = tuple[str, int]
"""A text and how tightly it binds."""


class Printer:
    """Writes expressions; a notation says how each kind of node is written, and how tightly."""

    def __init__(self) -> None:
        self.writers: dict[type[Expression], Callable] = {}

    def write(self, e: Expression, tightness: int = SUM) -> str:
        """The text of an expression, in parentheses if it binds less tightly than asked for."""
        text, own = self.writers[type(e)](e)
        return text if own >= tightness else self.parenthesised(text)

    def parenthesised(self, text: str) -> str:
        """The text in parentheses."""
        return f"({text})"


def signed_terms(e: N.Sum, scalars_alone: bool = True) -> list[tuple[bool, Expression]]:
    """(whether subtracted, what) for each term, a term that is added first if there is one.

    With ``scalars_alone``, an array whose entries are all the same scalar is written as the scalar,
    as NumPy broadcasts it.
    """
    filled = [isinstance(parts(term)[2], N.Ones) for term in e.children]
    result = []
    for term, same in zip(e.children, filled, strict=True):
        coefficient, scalars, array = parts(term)
        negative = coefficient < 0
        if scalars_alone and same and not all(filled):
            array = None
        result.append((negative, assemble(magnitude(coefficient), scalars, array)))
    first = next((i for i, (negative, _) in enumerate(result) if not negative), 0)
    return [result[first], *result[:first], *result[first + 1 :]]


def fraction(factors: tuple[Expression, ...]) -> tuple[list[Expression], list[Expression]]:
    """Factors of numerator and denominator of an elementwise product."""
    above, below = [], []
    for factor in factors:
        if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
            exponent = factor.exponent.value
            if exponent < 0:
                below.append(power(factor.base, number(-exponent)))
                continue
        above.append(factor)
    return above, below


def entry(e: N.Product) -> tuple[N.Symbol, list[int]] | None:
    """(x, [i]) or (X, [i, j]) where the product is an entry of a symbol."""
    first, last = e.children[0], e.children[-1]
    if not (isinstance(first, N.Transpose) and isinstance(first.argument, N.Unit)):
        return None
    if len(e.children) == 2 and isinstance(last, N.Symbol) and last.is_column:
        return last, [first.argument.index]
    middle = e.children[1]
    if len(e.children) == 3 and isinstance(middle, N.Symbol) and isinstance(last, N.Unit):
        return middle, [first.argument.index, last.index]
    return None


def is_half(value: object) -> bool:
    """Whether an exponent is that of a square root."""
    return value == Fraction(1, 2)
