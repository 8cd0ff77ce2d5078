"""Sizes of vectors and matrices: whole numbers, names, products and sums of them (n, m·n, n−1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from keyword import iskeyword

__all__ = ["ONE", "ShapeError", "Size", "half_of_square", "size_of_tree"]


_MOST_TERMS = 32  # of a size that is read from text; powers of sums would take long


class ShapeError(ValueError):
    """Shapes that do not fit together, or a name that stands for two things."""


@dataclass(frozen=True, repr=False)
class Size:
    """A sum of products of names: ``factor`` times the product of ``names``, plus ``rest``.

    vec of an m×n matrix has m·n entries, a Kronecker product multiplies sizes, a slice subtracts
    and a stack adds them, and vech of an n×n matrix has (n² + n)/2. The terms stand in a fixed
    order, the number last, so that equal sizes are equal.
    """

    factor: int | Fraction
    names: tuple[str, ...] = ()
    rest: Size | None = None

    @classmethod
    def of(cls, value: int | str | Size) -> Size:
        """The size that a number, a name, or text such as ``"m*n"`` or ``"n - 1"`` stands for.

        Raises
        ------
        ShapeError
            If a number is not positive, or a text holds anything but names, whole numbers,
            ``+ - *``, parentheses, and division by a number.
        """
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            named = value.isidentifier() and not iskeyword(value)
            return cls(1, (value,)) if named else cls._from_text(value)
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ShapeError(f"a size is a positive whole number or a name; found {value!r}")
        return cls(value.__index__()).checked()

    @classmethod
    def _from_text(cls, text: str) -> Size:
        try:
            return size_of_tree(ast.parse(text.strip(), mode="eval").body).checked()
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, ShapeError) and "at least 1" in str(error):
                raise
            raise ShapeError(
                f"a size is a number, a name, a product or a sum; found {text!r}"
            ) from None

    @classmethod
    def _of_terms(cls, terms: Mapping[tuple[str, ...], int | Fraction]) -> Size:
        result: Size | None = None
        for names in sorted(terms, key=lambda names: (-len(names), names), reverse=True):
            factor = terms[names]
            if factor:
                whole = int(factor) if factor == int(factor) else factor
                result = cls(whole, names, result)
        return cls(0) if result is None else result

    def checked(self) -> Size:
        """The size itself, where it is not a number below one or a fraction."""
        number = self.number
        if number is not None and (number < 1 or number != int(number)):
            raise ShapeError(f"a size must be at least 1, and whole; found {number}")
        return self

    # -- what it is made of ---------------------------------------------------------------------

    @property
    def terms(self) -> Iterator[tuple[int | Fraction, tuple[str, ...]]]:
        """Factor and names of each product."""
        term: Size | None = self
        while term is not None:
            yield term.factor, term.names
            term = term.rest

    @property
    def all_names(self) -> frozenset[str]:
        """The names in all terms."""
        return frozenset(name for _, names in self.terms for name in names)

    @property
    def number(self) -> int | Fraction | None:
        """The number that it is, where there are no names."""
        return None if self.names else self.factor

    @property
    def is_name(self) -> bool:
        """Whether it is a single name, which the shape of an array tells."""
        return len(self.names) == 1 and self.factor == 1 and self.rest is None

    # -- arithmetic -----------------------------------------------------------------------------

    def __mul__(self, other: Size) -> Size:
        if self.rest is None and other.rest is None and type(self.factor) is type(other.factor):
            return Size(self.factor * other.factor, tuple(sorted(self.names + other.names)))
        found: dict[tuple[str, ...], int | Fraction] = {}
        for factor, names in self.terms:
            for other_factor, other_names in other.terms:
                key = tuple(sorted(names + other_names))
                found[key] = found.get(key, 0) + factor * other_factor
        return Size._of_terms(found)

    def __add__(self, other: Size) -> Size:
        found = {names: factor for factor, names in self.terms}
        for factor, names in other.terms:
            found[names] = found.get(names, 0) + factor
        return Size._of_terms(found)

    def __sub__(self, other: Size) -> Size:
        return self + Size(-1) * other

    def divided_by(self, other: Size) -> Size | None:
        """The size s with s·other = self, or None where there is none."""
        result, left = Size(0), self
        while left.factor:
            names = list(left.names)
            for name in other.names:
                if name not in names:
                    return None
                names.remove(name)
            factor = Fraction(left.factor) / other.factor
            if factor.denominator != 1 and left.factor == int(left.factor):
                return None
            part = Size._of_terms({tuple(names): factor})
            result, left = result + part, left - part * other
        return result

    def value(self, sizes: Mapping[str, int]) -> int:
        """The number this size stands for when its names have the values in ``sizes``."""
        total: int | Fraction = 0
        for factor, names in self.terms:
            for name in names:
                factor *= sizes[name]
            total += factor
        return int(total)

    # -- text -----------------------------------------------------------------------------------

    def __str__(self) -> str:
        if self.rest is None and type(self.factor) is int:  # every node asks for two of these
            number = [str(self.factor)] if self.factor != 1 or not self.names else []
            return "*".join([*number, *self.names])
        divisor = max((Fraction(factor).denominator for factor, _ in self.terms), default=1)
        text = ""
        for factor, names in self.terms:
            factor = factor * divisor
            count = [str(abs(factor))] if abs(factor) != 1 or not names else []
            written = "*".join([*count, *names])
            if text:
                text += f" - {written}" if factor < 0 else f" + {written}"
            else:
                text = f"-{written}" if factor < 0 else written
        return text if divisor == 1 else f"({text})/{divisor}"

    __repr__ = __str__

    @property
    def grouped(self) -> str:
        """The text in parentheses where it is a sum."""
        return str(self) if self.rest is None else f"({self})"


def size_of_tree(node: ast.AST) -> Size:
    """The size that a syntax tree stands for.

    Raises
    ------
    ShapeError
        If the tree holds anything but names, whole numbers, ``+ - *`` and division by a number.
    """
    if isinstance(node, ast.Name) and not iskeyword(node.id):
        return Size(1, (node.id,))
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Size(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Size(-1) * size_of_tree(node.operand)
    if isinstance(node, ast.BinOp):
        left, right = size_of_tree(node.left), size_of_tree(node.right)
        result: Size | None = None
        if isinstance(node.op, ast.Add):
            result = left + right
        elif isinstance(node.op, ast.Sub):
            result = left - right
        elif isinstance(node.op, ast.Mult):
            result = left * right
        elif isinstance(node.op, ast.Div) and right.number:
            result = Size._of_terms({n: Fraction(f) / right.number for f, n in left.terms})
        if result is not None and len(list(result.terms)) <= _MOST_TERMS:
            return result
    raise ShapeError("a size is a number, a name, a product or a sum")


def half_of_square(n: Size) -> Size:
    """(n² + n)/2, the number of entries on and below the diagonal of an n×n matrix."""
    return (n * n + n) * Size(Fraction(1, 2))


ONE = Size(1)
