"""Whether values fit an expression: names, sizes and declarations. No NumPy is needed.

Arrays are NumPy's in `binding`, and lists of rows in `digits`; what is asked of them comes as
functions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Selection, Symbol, Unit
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.core.sizes import ShapeError

__all__ = [
    "Measures",
    "fitted",
    "known_names",
    "refuse_masked",
    "refuse_unknown",
    "require_declared",
    "require_indices",
    "require_shapes",
    "sizes_from",
]

_NOT_ONE = 1e-8  # allowed deviation of a sum of probabilities from 1; rounding is smaller
_ASYMMETRY = (
    1e-8  # relative; rounding in a product that is symmetric in exact arithmetic is far smaller
)

Array = TypeVar("Array")
Shape = tuple[int, ...]


def fitted(
    expression: Expression,
    values: Mapping[str, Any],
    read: Callable[[Symbol, Any], Array],
    shape: Callable[[Array], Shape],
) -> tuple[dict[Symbol, Array], dict[str, int]]:
    """Values as ``read`` gives them, in two dimensions, and the sizes.

    Raises
    ------
    ShapeError
        If a shape does not fit, or a size is missing.
    ValueError
        If a symbol is missing, or has a value that ``read`` refuses.
    """
    ordered = sorted(expression.used, key=lambda symbol: symbol.name)
    symbols = {symbol.name: symbol for symbol in ordered}
    _refuse_missing(symbols, values)
    refuse_unknown(expression, values)
    arrays = {symbols[name]: read(symbols[name], values[name]) for name in symbols}
    given = {name: values[name] for name in values if name in expression.size_names}
    beside = {s: read(s, values[s.name]) for s in expression.context if s.name in values}
    shapes = {symbol: shape(array) for symbol, array in arrays.items()}
    sizes = sizes_from(shapes | {s: shape(array) for s, array in beside.items()}, given)
    missing = sorted(expression.size_names - set(sizes))
    if missing:
        raise ShapeError(f"no symbol tells the size {missing[0]!r}; give it as {missing[0]}=…")
    require_shapes(shapes, sizes)
    return arrays, sizes


def _refuse_missing(symbols: Mapping[str, Symbol], values: Mapping[str, Any]) -> None:
    for name in symbols:
        if name not in values:
            raise ValueError(
                f"no value for {name!r}, {symbols[name].described()}; give it as {name}=…"
            )


def known_names(expression: Expression) -> frozenset[str]:
    """Names that may be given values: symbols and sizes, also of what this is a derivative of."""
    known = expression.known
    sizes = expression.size_names.union(*(symbol.size_names for symbol in known))
    return sizes | {symbol.name for symbol in known}


def refuse_unknown(expression: Expression, names: Iterable[str]) -> None:
    """Refuse a name that stands for nothing in the expression."""
    known = known_names(expression)
    for name in names:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes no values"
            raise ValueError(f"{name!r} does not occur in {expression}; {takes}")


def refuse_masked(what: str, value: Any) -> None:
    """Refuse an array with masked entries, which NumPy would read as if there were no mask.

    It would read masked arrays inside a list in the same way.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:  # without NumPy there are no masked arrays
        return
    if isinstance(value, list | tuple):
        for row, part in enumerate(value):
            if isinstance(part, numpy.ma.MaskedArray):
                refuse_masked(f"{what}, in row {row},", part)
    elif isinstance(value, numpy.ma.MaskedArray) and numpy.ma.is_masked(value):
        raise ValueError(
            f"{what} has masked entries, whose values are not meant to be read; fill them, by "
            ".filled(…)"
        )


# -- sizes -----------------------------------------------------------------------------------------


def sizes_from(shapes: Mapping[Symbol, Shape], given: Mapping[str, Any]) -> dict[str, int]:
    """Sizes by name: those given, and those that the shapes of arrays tell."""
    sizes: dict[str, int] = {}
    for name, value in given.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
            raise ShapeError(f"the size {name!r} must be a positive whole number; found {value!r}")
        sizes[name] = value.__index__()
    for symbol, shape in shapes.items():
        if len(shape) != len(symbol.axes):
            continue  # the entries of a tensor, which do not tell its sizes
        for size, length in zip(symbol.axes, shape, strict=True):
            if size.is_name:
                known = sizes.setdefault(size.names[0], length)
                if known != length:
                    raise ShapeError(_clash(symbol, shape, sizes))
    return sizes


def require_shapes(shapes: Mapping[Symbol, Shape], sizes: Mapping[str, int]) -> None:
    """Refuse shapes that are not those of the symbols."""
    for symbol, shape in shapes.items():
        if shape != tuple(size.value(sizes) for size in symbol.axes):
            raise ShapeError(_clash(symbol, shape, sizes))


def require_indices(expression: Expression, sizes: Mapping[str, int]) -> None:
    """Refuse an entry outside its array."""
    for part in parts_of(expression):
        if isinstance(part, Unit):
            length = part.rows.value(sizes)
            if not -length <= part.index < length:
                raise ShapeError(f"index {part.index} is outside a vector of {length}")
        if isinstance(part, Selection):
            start, stop = part.start.value(sizes), (part.start + part.rows).value(sizes)
            length = part.cols.value(sizes)
            if not 0 <= start < stop <= length:
                raise ShapeError(f"the slice from {start} to {stop} is outside {length} entries")
        for size in (part.rows, part.cols):
            if size.rest is not None and size.value(sizes) < 1:
                raise ShapeError(
                    f"the size {size} is {size.value(sizes)} here; it must be positive"
                )


def _clash(symbol: Symbol, shape: Shape, sizes: Mapping[str, int]) -> str:
    known = ", ".join(f"{name} = {sizes[name]}" for name in symbol.size_names if name in sizes)
    shown = shape if shape[1] > 1 or not symbol.is_column else shape[:1]
    return f"{symbol.name!r} is {symbol.described()}; found shape {tuple(shown)}" + (
        f", where {known}" if known else ""
    )


# -- declarations ----------------------------------------------------------------------------------


class Measures(Protocol):
    """What a declaration is judged by, of the value of a symbol."""

    shape: Shape

    def largest(self) -> float:
        """The largest magnitude of an entry."""

    def asymmetry(self) -> float:
        """The largest difference of an entry and its mirror image."""

    def smallest_eigenvalue(self) -> float:
        """The smallest eigenvalue, or any positive number where all are positive."""

    def largest_outside(self, word: str) -> float:
        """The largest magnitude where a diagonal or triangular matrix has zeros."""

    def distance_from_orthogonal(self) -> float:
        """The largest entry of QᵀQ − I."""

    def total_and_smallest(self) -> tuple[float, float]:
        """The sum, and the smallest entry."""


def require_declared(symbol: Symbol, value: Measures) -> None:
    """Refuse a value that is not what is declared of its symbol."""
    name, declared = symbol.name, symbol.declared
    is_square = len(value.shape) == 2 and value.shape[0] == value.shape[1]
    if "probability" in declared:
        total, smallest = value.total_and_smallest()
        if smallest < 0 or abs(total - 1) > _NOT_ONE:
            raise ValueError(
                f"{name!r} is declared probability: entries of at least 0 that sum to 1; "
                f"found the sum {total:.9g} and the smallest entry {smallest:.3g}"
            )
    if "symmetric" in declared and is_square:
        asymmetry = value.asymmetry()
        if asymmetry > _ASYMMETRY * value.largest():
            raise ValueError(
                f"{name!r} is declared symmetric; found entries that differ by "
                f"{asymmetry:.3g} from their mirror image"
            )
    if "positive_definite" in declared and is_square:
        smallest = value.smallest_eigenvalue()
        if smallest <= 0:
            raise ValueError(
                f"{name!r} is declared positive definite; found the eigenvalue {smallest:.3g}"
            )
    if len(value.shape) < 2:
        return
    for word in ("diagonal", "lower_triangular", "upper_triangular"):
        outside = value.largest_outside(word) if word in declared else 0
        if outside:
            raise ValueError(
                f"{name!r} is declared {word.replace('_', ' ')}; found {outside:.3g} where "
                "entries are zero"
            )
    if "orthogonal" in declared:
        error = value.distance_from_orthogonal()
        if error > _NOT_ONE:
            raise ValueError(
                f"{name!r} is declared orthogonal; found QᵀQ that differs from I by {error:.3g}"
            )
