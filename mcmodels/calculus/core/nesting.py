"""The error for expressions that are nested deeper than Python's recursion limit allows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["NestingError", "refuses_depth"]

Method = TypeVar("Method", bound=Callable[..., Any])


class NestingError(ValueError):
    """An expression that is nested too deep."""


def refuses_depth(method: Method) -> Method:
    """A method that raises a `NestingError`, with advice, instead of a RecursionError."""

    @wraps(method)
    def bounded(self: Any, /, *args: Any, **options: Any) -> Any:
        try:
            return method(self, *args, **options)
        except RecursionError:
            expression = getattr(self, "expression", self)
            raise NestingError(
                f"an expression of {expression.height} levels is nested too deep for "
                f"{method.__name__}; sys.setrecursionlimit(), now {sys.getrecursionlimit()}, "
                "allows for more"
            ) from None

    return bounded  # type: ignore[return-value]
