"""Declarations of symbols, as values or as text: ``("n", "n")``, ``"n,n:symmetric"``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.core.symbols import matrix, scalar, vector
from mcmodels.calculus.core.tensors import Tensor, tensor

__all__ = ["Declaration", "declaration", "is_declared_as_column", "symbol"]

_KINDS: dict[str, Callable[..., Any]] = {
    "scalar": scalar,
    "vector": vector,
    "matrix": matrix,
    "tensor": lambda name, *sizes: tensor(name, sizes),
}
_BY_COUNT = ("scalar", "vector", "matrix")
_PROPERTIES = {
    "scalar": ("integer",),
    "vector": ("probability",),
    "matrix": (
        "symmetric",
        "positive_definite",
        "diagonal",
        "lower_triangular",
        "upper_triangular",
        "orthogonal",
    ),
}
_FORMS = (
    "a size ('n' or 3) for a vector, two sizes ('m,n') for a matrix, more for a tensor, or "
    "'scalar'; a colon and a property may follow, as in 'n,n:symmetric'"
)


@dataclass(frozen=True)
class Declaration:
    """What is declared of a name.

    Attributes
    ----------
    kind : {"scalar", "vector", "matrix", "tensor"}
    sizes : tuple of Size, or None
        As many as the kind has, or None where they are to be inferred.
    properties : tuple of str
    is_guess : bool
        Whether only the first letter of the name tells its kind.
    is_column : bool
        Whether two sizes are declared, n×1: to NumPy, a vector has one axis.
    rank : int
        Of a tensor whose sizes are to be inferred.
    """

    kind: str
    sizes: tuple[Size, ...] | None
    properties: tuple[str, ...] = ()
    is_guess: bool = False
    rank: int = 0
    is_column: bool = False

    @property
    def is_square(self) -> bool:
        """Whether numbers of rows and columns are declared equal."""
        return bool(set(self.properties) - {"orthogonal"})

    def with_sizes(self, *sizes: Size) -> Declaration:
        """The same declaration of known sizes."""
        return replace(self, sizes=sizes)

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name."""
        if self.sizes is None:
            raise ShapeError(f"{name!r} is declared as a {self.kind} without sizes; write {_FORMS}")
        made = _KINDS[self.kind](name, *self.sizes, **dict.fromkeys(self.properties, True))
        made = made.entries if isinstance(made, Tensor) else made
        assert isinstance(made, Symbol)
        return made


def symbol(name: str, shape: Any) -> Symbol:
    """The symbol that a declaration makes; a symbol of that name is taken as it is."""
    if isinstance(shape, Tensor):
        shape = shape.entries
    if isinstance(shape, Symbol):
        if shape.name != name:
            raise ShapeError(f"{name!r} is declared as the symbol {shape.name!r}; write one name")
        return shape
    return declaration(name, shape).symbol(name)


def is_declared_as_column(shape: Any) -> bool:
    """Whether a shape, which `declaration` has read, is n×1, of two sizes."""
    sizes = shape.partition(":")[0].split(",") if isinstance(shape, str) else shape
    if not isinstance(sizes, tuple | list) or len(sizes) != 2:
        return False
    return str(sizes[1]).strip() == "1" != str(sizes[0]).strip()


def declaration(name: str, shape: Any) -> Declaration:
    """A declaration from a size, a pair of sizes, ``()``, or text as on the command line.

    Raises
    ------
    ShapeError
        If it is none of these.
    """
    if isinstance(shape, str):
        return _from_text(name, shape)
    sizes = shape if isinstance(shape, tuple | list) else (shape,)
    if isinstance(shape, Expression):
        raise ShapeError(f"the shape of {name!r} must be {_FORMS}; found {shape!r}")
    try:
        return _of_sizes(sizes)
    except ShapeError as error:
        raise ShapeError(f"the shape of {name!r}: {error}") from None


def _from_text(name: str, text: str) -> Declaration:
    shape, colon, after = text.partition(":")
    shape = shape.strip()
    properties = tuple(part.strip() for part in after.split(",")) if colon else ()
    if shape in _KINDS:
        found = Declaration(shape, () if shape == "scalar" else None)
    else:
        sizes = shape.split(",")
        try:
            found = _of_sizes([part.strip() for part in sizes])
        except ShapeError as error:
            raise ShapeError(
                f"the shape of {name!r} is {text!r}, where {error}; write {_FORMS}"
            ) from None
    for name_ in properties:
        if found.kind == "tensor":
            raise ShapeError(f"{name!r} is declared {name_!r}; a tensor has no properties")
        if name_ not in _PROPERTIES[found.kind]:
            raise ShapeError(
                f"{name!r} is declared {name_!r}; a {found.kind} may be "
                f"{' or '.join(_PROPERTIES[found.kind])}"
            )
    return replace(found, properties=properties)


def _of_sizes(sizes: Any) -> Declaration:
    found = tuple(Size.of(size) for size in sizes)
    if len(found) > 2:
        return Declaration("tensor", found)
    kept = found[:1] if len(found) == 2 and found[1] == Size(1) else found
    kept = () if kept == (Size(1),) else kept
    is_column = len(found) == 2 and len(kept) == 1
    return Declaration(_BY_COUNT[len(kept)], kept, is_column=is_column)
