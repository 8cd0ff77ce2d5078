"""How a traced value was made, for the forms that are recognised."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tracing import Origin, Traced

__all__ = ["is_number", "made", "origin"]

_LONGEST = 4  # chain of origins


def origin(x: Any, kind: str) -> tuple[Any, ...] | None:
    """The arguments that a value was made of, by an operation of this kind."""
    if isinstance(x, Traced) and x.origin is not None and x.origin[0] == kind:
        return x.origin[1]
    return None


def made(kind: str, *args: Any) -> Origin | None:
    """An origin, for a value that was made of these; None if the chain of origins is long."""
    depth = 0
    for x in args:
        if isinstance(x, Traced) and x.origin is not None:
            depth = max(depth, x.origin[2])
    return (kind, args, depth + 1) if depth < _LONGEST else None


def is_number(x: Any) -> bool:
    """Whether it is one plain number."""
    return isinstance(x, float | int | np.floating | np.integer) and not isinstance(x, bool)
