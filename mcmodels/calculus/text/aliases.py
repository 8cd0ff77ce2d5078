"""Names that people type for what an expression has otherwise, and what they stand for."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core.aliases import dot_by
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["ALIASES", "aliased"]

# How many arguments each takes. None of them is reserved: a symbol may have such a name.
ALIASES = {"T": 1, "dot": 2, "len": 1, "outer": 2, "tr": 1, "transpose": 1}


def aliased(name: str, algebra: Any, arguments: list[Any]) -> Any:
    """The meaning of a call by such a name in an algebra of expressions or shapes."""
    if name == "tr":
        return algebra.call("trace", arguments, None)
    if name in ("T", "transpose"):
        return algebra.transposed(arguments[0])
    if name == "len":
        return algebra.length(arguments[0])
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
