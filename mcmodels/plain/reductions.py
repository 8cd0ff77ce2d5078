"""The largest entry of a line, and its place, as NumPy has them: NaN is the largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["extreme", "place"]


def extreme(choose: Callable[..., Any], line: list[Any], initial: Any) -> Any:
    """The largest entry, or the smallest; the first NaN where there is one."""
    if initial is not None:
        line = [initial, *line]
    if not line:
        raise ValueError("zero-size array to reduction operation which has no identity")
    odd = next((entry for entry in line if entry != entry), None)
    return choose(line) if odd is None else odd


def place(choose: Callable[..., Any], line: list[Any]) -> int:
    """The place of the largest entry, or the smallest; of the first NaN."""
    for k, entry in enumerate(line):
        if entry != entry:
            return k
    return line.index(choose(line))
