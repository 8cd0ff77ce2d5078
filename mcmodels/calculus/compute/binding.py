"""From the arrays a user gives to the sizes they imply; whatever does not fit is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Selection, Symbol, Unit
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.core.sizes import ShapeError

__all__ = [
    "Array",
    "as_entries",
    "bind",
    "bind_sizes",
    "known_names",
    "real_numbers",
    "refuse_masked",
    "refuse_unknown",
    "require_indices",
    "require_shapes",
    "require_whole",
]

Array = np.ndarray[Any, Any]

_NOT_ONE = 1e-8  # allowed deviation of a sum of probabilities from 1; rounding is smaller
_ASYMMETRY = (
    1e-8  # relative; rounding in a product that is symmetric in exact arithmetic is far smaller
)


def bind(
    expression: Expression, values: Mapping[str, Any]
) -> tuple[dict[Symbol, Array], dict[str, int]]:
    """Values as float64 arrays of two dimensions, and the sizes; a tensor as its entries.

    Raises
    ------
    ShapeError
        If a shape does not fit, or a size is missing.
    ValueError
        If a symbol is missing, or has a value that is not finite or not as declared.
    """
    ordered = sorted(expression.used, key=lambda symbol: symbol.name)
    symbols = {symbol.name: symbol for symbol in ordered}
    _refuse_missing(symbols, values)
    refuse_unknown(expression, values)
    arrays = {symbols[name]: _array(symbols[name], values[name]) for name in symbols}
    given = {name: values[name] for name in values if name in expression.size_names}
    beside = {s: _array(s, values[s.name]) for s in expression.context if s.name in values}
    sizes = bind_sizes(arrays | beside, given)
    missing = sorted(expression.size_names - set(sizes))
    if missing:
        raise ShapeError(f"no symbol tells the size {missing[0]!r}; give it as {missing[0]}=…")
    require_shapes(arrays, sizes)
    return {symbol: as_entries(symbol, array) for symbol, array in arrays.items()}, sizes


def as_entries(symbol: Symbol, array: Array) -> Array:
    """A tensor as the column of its entries; any other array as it is."""
    return array.reshape(-1, 1) if isinstance(symbol, TensorSymbol) else array


def bind_sizes(arrays: Mapping[Symbol, Array], given: Mapping[str, Any]) -> dict[str, int]:
    """Sizes by name: those given, and those that the shapes of arrays tell."""
    sizes: dict[str, int] = {}
    for name, value in given.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
            raise ShapeError(f"the size {name!r} must be a positive whole number; found {value!r}")
        sizes[name] = value.__index__()
    for symbol, array in arrays.items():
        if array.ndim != len(symbol.axes):
            continue  # the entries of a tensor, which do not tell its sizes
        for size, length in zip(symbol.axes, array.shape, strict=True):
            if size.is_name:
                known = sizes.setdefault(size.names[0], length)
                if known != length:
                    raise ShapeError(_clash(symbol, array, sizes))
    return sizes


def require_shapes(arrays: Mapping[Symbol, Array], sizes: Mapping[str, int]) -> None:
    """Refuse arrays of two dimensions that have other shapes than their symbols."""
    for symbol, array in arrays.items():
        if array.shape != tuple(size.value(sizes) for size in symbol.axes):
            raise ShapeError(_clash(symbol, array, sizes))


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
    if isinstance(value, list | tuple):
        for row, part in enumerate(value):
            if isinstance(part, np.ma.MaskedArray):
                refuse_masked(f"{what}, in row {row},", part)
    elif isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(
            f"{what} has masked entries, whose values are not meant to be read; fill them, by "
            ".filled(…)"
        )


def real_numbers(symbol: Symbol, value: Any) -> Array:
    """The value of a symbol as float64, refused where it is no real number."""
    refuse_masked(repr(symbol.name), value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{symbol.name!r} must be real numbers; found {array.dtype}")
    return array.astype(float, copy=False)


def require_whole(symbol: Symbol, array: Array) -> None:
    """Refuse a value of a symbol declared integer that is none."""
    if array.ndim == 0 and float(array) != int(array):
        raise ValueError(f"{symbol.name!r} is declared integer; found {float(array)}")


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


def _array(symbol: Symbol, value: Any) -> Array:
    array = real_numbers(symbol, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{symbol.name!r} must be finite; found NaN or infinity")
    wanted = len(symbol.shape)
    if array.ndim != wanted:
        raise ShapeError(
            f"{symbol.name!r} is {symbol.described()}, an array of {wanted} dimensions; "
            f"found shape {array.shape}"
        )
    if array.size == 0:
        raise ShapeError(f"{symbol.name!r} is empty; found shape {array.shape}")
    if "integer" in symbol.declared:
        require_whole(symbol, array)
    if "probability" in symbol.declared:
        _require_probability(symbol, array)
    if "symmetric" in symbol.declared and array.shape[0] == array.shape[1]:
        asymmetry = np.abs(array - array.T).max()
        if asymmetry > _ASYMMETRY * np.abs(array).max():
            raise ValueError(
                f"{symbol.name!r} is declared symmetric; found entries that differ by "
                f"{asymmetry:.3g} from their mirror image"
            )
    if "positive_definite" in symbol.declared and array.shape[0] == array.shape[1]:
        smallest = np.linalg.eigvalsh(array)[0]
        if smallest <= 0:
            raise ValueError(
                f"{symbol.name!r} is declared positive definite; "
                f"found the eigenvalue {smallest:.3g}"
            )
    if array.ndim == 2:
        _require_structure(symbol, array)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def _require_structure(symbol: Symbol, array: Array) -> None:
    """Refuse entries where a diagonal or triangular matrix has none, and QᵀQ that is not I."""
    others = {
        "diagonal": lambda: array * (1 - np.eye(*array.shape)),
        "lower_triangular": lambda: np.triu(array, 1),
        "upper_triangular": lambda: np.tril(array, -1),
    }
    for word, outside in others.items():
        if word in symbol.declared and outside().any():
            raise ValueError(
                f"{symbol.name!r} is declared {word.replace('_', ' ')}; found "
                f"{np.abs(outside()).max():.3g} where entries are zero"
            )
    if "orthogonal" in symbol.declared:
        error = np.abs(array.T @ array - np.eye(array.shape[1])).max()
        if error > _NOT_ONE:
            raise ValueError(
                f"{symbol.name!r} is declared orthogonal; found QᵀQ that differs from I by "
                f"{error:.3g}"
            )


def _require_probability(symbol: Symbol, array: Array) -> None:
    total = array.sum()
    if array.min() < 0 or abs(total - 1) > _NOT_ONE:
        raise ValueError(
            f"{symbol.name!r} is declared probability: entries of at least 0 that sum to 1; "
            f"found the sum {total:.9g} and the smallest entry {array.min():.3g}"
        )


def _clash(symbol: Symbol, array: Array, sizes: Mapping[str, int]) -> str:
    known = ", ".join(f"{name} = {sizes[name]}" for name in symbol.size_names if name in sizes)
    shape = array.shape if array.shape[1] > 1 or not symbol.is_column else array.shape[:1]
    return f"{symbol.name!r} is {symbol.described()}; found shape {tuple(shape)}" + (
        f", where {known}" if known else ""
    )
