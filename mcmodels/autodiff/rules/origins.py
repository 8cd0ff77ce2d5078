"""How a traced value was made, for the forms that are recognised."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.equal_values import equal, ratio
from mcmodels.autodiff.tracing import CHANGED, Origin, Traced

__all__ = ["is_number", "kind_of", "made", "negated", "origin", "same", "times"]

_LONGEST = 4  # chain of origins
_NUMBERS = (float, int, np.floating, np.integer)


def kind_of(x: Any) -> str | None:
    """The kind of operation that a value remembers; None if it remembers none."""
    return x.origin[0] if isinstance(x, Traced) and x.origin is not None else None


def origin(x: Any, kind: str) -> tuple[Any, ...] | None:
    """The arguments that a value was made of, by an operation of this kind."""
    x = _state(x)
    if not isinstance(x, Traced) or x.origin is None or x.origin[0] != kind:
        return None
    args = x.origin[1]
    for arg in args:
        if arg is not _state(arg):  # it was changed after that
            return None
    return args


def made(kind: str, *args: Any) -> Origin | None:
    """An origin, for a value that was made of these; None if the chain of origins is long."""
    depth, changed = 0, False
    for x in args:
        if not isinstance(x, Traced):
            continue
        x.held = True
        if x.origin is not None:
            changed = changed or x.origin[0] == CHANGED
            depth = max(depth, x.origin[2])
    if changed:
        return made(kind, *map(_state, args))
    return (kind, args, depth + 1) if depth < _LONGEST else None


def _state(x: Any) -> Any:
    """What a value that was changed in place is now; other values as they are."""
    if isinstance(x, Traced) and x.origin is not None and x.origin[0] == CHANGED:
        return x.origin[1][0]
    return x


def is_number(x: Any) -> bool:
    """Whether it is one plain number."""
    kind = type(x)
    if kind is float or kind is int:
        return True
    return isinstance(x, _NUMBERS) and kind is not bool


def same(u: Any, v: Any) -> bool:
    """Whether two values or numbers are known to be equal, also if each was computed anew."""
    if u is v:
        return True
    if isinstance(u, Traced) and isinstance(v, Traced):
        return equal(u, v)
    return is_number(u) and is_number(v) and bool(u == v)


def negated(u: Any, v: Any) -> bool:
    """Whether two values are known to be negatives of each other."""
    for x, y in ((u, v), (v, u)):
        if (found := origin(x, "negative")) is not None and found[0] is y:
            return True
    return times(u, v) == -1.0


def times(u: Any, v: Any) -> float | None:
    """The number c with u = c v, if it is known."""
    if u is v:
        return 1.0
    return ratio(u, v) if isinstance(u, Traced) and isinstance(v, Traced) else None
