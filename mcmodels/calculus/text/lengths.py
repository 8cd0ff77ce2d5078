"""Sizes that are not known yet: lengths with variables, and equations between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import gcd

from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.core.subscripts import read_subscripts
from mcmodels.calculus.text.arguments import Index

__all__ = [
    "ONE_LONG",
    "Derived",
    "Equations",
    "Length",
    "Variable",
    "length_of",
    "length_of_index",
    "lengths_of_einsum",
    "size_of",
    "unknown",
]


class Variable:
    """An unknown size, which is not 1."""

    def __init__(self) -> None:
        self.bound: Length | None = None

    def told(self) -> Length | None:
        """What it is bound to."""
        return self.bound


@dataclass(frozen=True)
class Length:
    """A number times names and variables, in the order in which they count an array's entries."""

    factor: int
    parts: tuple[str | Size | Variable | Derived, ...] = ()

    def resolved(self) -> Length:
        """The same with known variables replaced by their values."""
        result = Length(self.factor)
        for part in self.parts:
            known = part.told() if isinstance(part, Variable | Derived) else None
            result *= Length(1, (part,)) if known is None else known.resolved()
        return result

    @property
    def is_told(self) -> bool:
        """Whether no variable is left."""
        return not any(isinstance(part, Variable | Derived) for part in self.resolved().parts)

    def __mul__(self, other: Length) -> Length:
        return Length(self.factor * other.factor, self.parts + other.parts)

    @property
    def is_one(self) -> bool:
        """Whether it is surely 1."""
        return self.resolved() == ONE_LONG

    def __str__(self) -> str:
        found = self.resolved()
        names = [_named(part) for part in found.parts]
        return "*".join([*([str(found.factor)] if found.factor != 1 or not names else []), *names])


ONE_LONG = Length(1)


def _named(part: str | Size | Variable | Derived) -> str:
    if isinstance(part, Size):
        return part.grouped
    return part if isinstance(part, str) else "?"


@dataclass(frozen=True, eq=False)
class Derived:
    """The length of a slice or a stack: the sum of other lengths, and a number."""

    lengths: tuple[Length, ...]
    more: Size

    def told(self) -> Length | None:
        """The length, where all it is made of is known."""
        if not all(length.is_told for length in self.lengths):
            return None
        total = self.more
        for length in self.lengths:
            total = total + size_of(length)
        return length_of(total.checked())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Derived) or self.more != other.more:
            return False
        mine, theirs = ([n.resolved() for n in made.lengths] for made in (self, other))
        return mine == theirs

    def __hash__(self) -> int:
        return hash(self.more)


def length_of_index(index: Index, whole: Length) -> Length:
    """How many entries an index takes."""
    if not isinstance(index, slice):
        return ONE_LONG
    start, stop = index.start, index.stop
    low = start if isinstance(start, Size) else Size(start or 0)
    if isinstance(stop, Size) or (isinstance(stop, int) and stop >= 0):
        high, from_end = stop if isinstance(stop, Size) else Size(stop), False
    else:
        high, from_end = Size(stop or 0), True
    if isinstance(start, int) and start < 0 and not from_end:
        raise ShapeError(
            f"the length of the slice {start}:{stop} cannot be told; declare its array"
        )
    if isinstance(start, int) and start < 0:
        return length_of((high - low).checked())
    if not from_end:
        return length_of((high - low).checked())
    if high == low == Size(0):
        return whole
    return Length(1, (Derived((whole,), high - low),)).resolved()


def lengths_of_einsum(
    subscripts: str,
    operands: Sequence[Sequence[Length]],
    require: Callable[[Length, Length, str], None],
) -> list[Length]:
    """The lengths of the axes of an einsum, of which those of one index are required equal."""
    terms, output = read_subscripts(subscripts, len(operands))
    known: dict[str, Length] = {}
    for term, lengths in zip(terms, operands, strict=True):
        if len(term) != len(lengths):
            raise ShapeError(
                f"einsum({subscripts!r}, …) has {len(term)} indices, {term!r}, for an array of "
                f"{len(lengths)} dimensions"
            )
        for letter, length in zip(term, lengths, strict=True):
            message = f"the index {letter!r} of einsum({subscripts!r}, …) has two sizes"
            require(known.setdefault(letter, length), length, message)
    return [known[letter] for letter in output]


class Equations:
    """Lengths that must be equal; an equation that cannot be solved yet waits."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Length, Length]] = []

    def equate(self, left: Length, right: Length) -> bool:
        """Whether two lengths can be equal; binds what has to be for that."""
        a, b = _without_common(left.resolved(), right.resolved())
        if a != b and ONE_LONG in (a, b):
            return False
        for one, other in ((a, b), (b, a)):
            if one.factor == 1 and len(one.parts) == 1 and isinstance(one.parts[0], Variable):
                if _holds(other, one.parts[0]):
                    return False
                one.parts[0].bound = other
                return True
        if a == b:
            return True
        if a.is_told and b.is_told:
            return False
        self.waiting.append((a, b))
        return True

    def settle(self) -> bool:
        """Whether the waiting equations can be solved; equally long products, factor by factor."""
        for by_order in chain([False], *([True, False] for _ in self.waiting)):
            waiting, self.waiting = self.waiting, []
            for left, right in waiting:
                a, b = _without_common(left.resolved(), right.resolved())
                alike = a.factor == b.factor and len(a.parts) == len(b.parts) > 1
                pairs = [(a, b)]
                if by_order and alike:
                    pairs = [
                        (Length(1, (p,)), Length(1, (q,)))
                        for p, q in zip(a.parts, b.parts, strict=True)
                    ]
                    by_order = False
                if not all(self.equate(*pair) for pair in pairs):
                    return False
        return not self.waiting


def _holds(length: Length, variable: Variable) -> bool:
    """Whether a length is that of a part of what the variable counts, as of x[1:] for x."""
    return any(
        part is variable
        or (isinstance(part, Derived) and any(_holds(n.resolved(), variable) for n in part.lengths))
        for part in length.parts
    )


def _without_common(a: Length, b: Length) -> tuple[Length, Length]:
    left, right = list(a.parts), []
    for part in b.parts:
        if part in left:
            left.remove(part)
        else:
            right.append(part)
    shared = gcd(a.factor, b.factor)
    return Length(a.factor // shared, tuple(left)), Length(b.factor // shared, tuple(right))


def unknown() -> Length:
    """A new unknown length."""
    return Length(1, (Variable(),))


def length_of(size: Size) -> Length:
    """A size as a length."""
    if size.rest is None and size.factor == int(size.factor):
        return Length(int(size.factor), size.names)
    return Length(1, (size,))


def size_of(length: Length) -> Size:
    """The size of a length without variables."""
    result = ONE
    found = length.resolved()
    for part in found.parts:
        assert isinstance(part, str | Size), "all variables are bound"
        result *= Size.of(part)
    return Size(found.factor) * result
