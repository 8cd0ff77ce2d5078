"""Kinds of numbers, and operations that give NaN and infinity where Python raises."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["ORDER", "TYPES", "Kind", "divided", "joint", "kind_of", "raised", "times"]

ORDER = "bifcO"
_KINDS = {bool: "b", int: "i", float: "f", complex: "c", object: "O"}
TYPES = {kind: made for made, kind in _KINDS.items()}
_NAMES = {"b": "bool", "i": "int64", "f": "float64", "c": "complex128", "O": "object"}


class Kind:
    """What NumPy calls a dtype: of its letters there are b, i, f, c and O."""

    def __init__(self, of: Any) -> None:
        self.kind: str = of.kind if isinstance(of, Kind) else _KINDS.get(of, "f")

    def __eq__(self, other: object) -> bool:
        return self.kind == (other.kind if isinstance(other, Kind) else _KINDS.get(other))  # type: ignore[call-overload]

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return _NAMES[self.kind]

    def __call__(self, value: Any) -> Any:
        """A number of this kind."""
        return TYPES[self.kind](value)


def kind_of(value: Any) -> str:
    """The letter of the kind of a number."""
    return _KINDS.get(type(value)) or (
        "f" if isinstance(value, float) else "i" if isinstance(value, int) else "O"
    )


def joint(*kinds: str) -> str:
    """The kind that holds numbers of some kinds."""
    return max(kinds, key=ORDER.index) if kinds else "f"


# -- operations on numbers, which give NaN and infinity where Python raises ------------------------


def divided(a: Any, b: Any) -> Any:
    """A / b."""
    try:
        return a / b
    except ZeroDivisionError:
        if isinstance(a, complex) or isinstance(b, complex) or a == 0 or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1, b)
    except OverflowError:
        return math.inf


def raised(a: Any, b: Any) -> Any:
    """A ** b."""
    if not isinstance(a, complex) and not isinstance(b, complex) and a < 0 and b != int(b):
        return math.nan
    try:
        return a**b if not (isinstance(a, int) and b < 0) else float(a) ** b
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return -math.inf if not isinstance(a, complex) and a < 0 and b % 2 == 1 else math.inf


def times(a: Any, b: Any) -> Any:
    """A product; by a real number, no part of a complex one becomes NaN."""
    if isinstance(a, complex) and not isinstance(b, complex):
        return complex(a.real * b, a.imag * b)
    if isinstance(b, complex) and not isinstance(a, complex):
        return complex(a * b.real, a * b.imag)
    return a * b
