"""Names that people type for what an expression has otherwise, and what they stand for."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core.aliases import dot_by
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["ALIASES", "aliased"]

# x.reshape(-1), x[:, None] and x[None, :] of NumPy: with a point, which no name in a text has.
_LINES = ("np.flat", "np.column", "np.row")

# How many arguments each takes. None of them is reserved: a symbol may have such a name.
# NumPy's x[:, None] and x[None, :] are read as np.column(x) and np.row(x): no text has these names.
ALIASES = {
    **dict.fromkeys(("T", "len", *_LINES, "tr", "transpose"), 1),
    **dict.fromkeys(("dot", "outer"), 2),
}


def aliased(name: str, algebra: Any, arguments: list[Any]) -> Any:
    """The meaning of a call by such a name in an algebra of expressions or shapes."""
    if name == "tr":
        return algebra.call("trace", arguments, None)
    if name in ("T", "transpose"):
        return algebra.transposed(arguments[0])
    if name == "len":
        return algebra.length(arguments[0])
    if name in _LINES:
        return _line(name, algebra, arguments[0])
    x, y = arguments
    if name == "outer":
        if not (x.is_column and y.is_column):
            raise ShapeError(f"outer takes two vectors; found {x} and {y}")
        return algebra.binary("@", x, algebra.transposed(y))
    return dot_by(
        lambda a, b: algebra.multiple([(False, a), (False, b)]),
        lambda a, b: algebra.binary("@", a, b),
        algebra.transposed,
        x,
        y,
    )


def _line(name: str, algebra: Any, x: Any) -> Any:
    """A vector as it is, or as a row."""
    if not x.is_column or x.is_scalar:
        raise ShapeError(
            f"[:, None], [None, :] and reshape are read of a vector alone; found {x}. Write "
            "vec(X.T) for the rows of a matrix one after the other"
        )
    return algebra.transposed(x) if name == "np.row" else x
