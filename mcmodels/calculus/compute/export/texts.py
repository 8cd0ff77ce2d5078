"""Texts of code: how tightly they bind, numbers, and names that a language reads."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from mcmodels.calculus.core.numbers import Value

__all__ = [
    "ATOM",
    "POWER",
    "PRODUCT",
    "SUM",
    "Graded",
    "group",
    "is_short",
    "name_in",
    "number_text",
    "snake_case",
]

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a text binds
Graded = tuple[str, int]


def is_short(text: str) -> bool:
    """Whether a text needs no name of its own: a name, or its transpose."""
    return re.fullmatch(r"\w+('|\.T|\.mT)?", text) is not None


def group(text: Graded, tightness: int = ATOM) -> str:
    """A text, in parentheses where it binds less tightly."""
    return text[0] if text[1] >= tightness else f"({text[0]})"


def number_text(value: Value) -> str:
    """A number as code."""
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < 2**53:
        return str(value.numerator)
    return repr(float(value))


def snake_case(name: str) -> str:
    """The name of a class as that of a function."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def name_in(name: str, taken: set[str], ascii_only: bool, letter_first: bool) -> str:
    """A name that the language reads, and that hides none that the code uses."""
    if ascii_only:
        name = "".join(char if char.isascii() else _spoken(char) for char in name)
    if letter_first and not name[0].isalpha():
        name = f"v{name}"
    while name in taken:
        name += "_"
    return name


def _spoken(char: str) -> str:
    """The name of a Greek letter, or the number of any other."""
    words = unicodedata.name(char, "").split()
    return words[-1].lower() if words[:1] == ["GREEK"] else f"u{ord(char):x}"
