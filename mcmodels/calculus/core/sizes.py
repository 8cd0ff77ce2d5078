"""Sizes of vectors and matrices: whole numbers, names, and products of them (n, 3, m·n)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword

__all__ = ["ONE", "ShapeError", "Size"]


class ShapeError(ValueError):
    """Shapes that do not fit together, or a name that stands for two things."""


@dataclass(frozen=True, repr=False)
class Size:
    """A monomial of names: ``factor`` times the product of ``names``, which are sorted.

    Products suffice: vec of an m×n matrix has m·n entries; a Kronecker product multiplies sizes.
    """

    factor: int
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: int | str | Size) -> Size:
        """The size that a number, a name, or text such as ``"m*n"`` stands for.

        Raises
        ------
        ShapeError
            If a number is not positive, or a text holds anything but names, numbers and ``*``.
        """
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            result = ONE
            for part in value.split("*"):
                part = part.strip()
                if part.isdecimal():
                    result *= cls.of(int(part))
                elif part.isidentifier() and not iskeyword(part):
                    result *= cls(1, (part,))
                else:
                    raise ShapeError(f"a size is a number, a name or a product; found {value!r}")
            return result
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ShapeError(f"a size is a positive whole number or a name; found {value!r}")
        number = value.__index__()
        if number < 1:
            raise ShapeError(f"a size must be at least 1; found {number}")
        return cls(number)

    def __mul__(self, other: Size) -> Size:
        return Size(self.factor * other.factor, tuple(sorted(self.names + other.names)))

    def divided_by(self, other: Size) -> Size | None:
        """The size s with s·other = self, or None where there is none."""
        names = list(self.names)
        for name in other.names:
            if name not in names:
                return None
            names.remove(name)
        if self.factor % other.factor:
            return None
        return Size(self.factor // other.factor, tuple(names))

    def value(self, sizes: Mapping[str, int]) -> int:
        """The number this size stands for when its names have the values in ``sizes``."""
        result = self.factor
        for name in self.names:
            result *= sizes[name]
        return result

    def __str__(self) -> str:
        parts = [str(self.factor)] if self.factor != 1 or not self.names else []
        return "*".join([*parts, *self.names])

    __repr__ = __str__


ONE = Size(1)
