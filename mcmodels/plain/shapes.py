"""Shapes of arrays, and the places of their entries in a flat list."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

__all__ = ["Shape", "as_shape", "joint_shape", "nested", "places_of", "steps_of"]

Shape = tuple[int, ...]


def as_shape(shape: tuple[Any, ...]) -> Shape:
    """A shape from one argument or several."""
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    return tuple(operator.index(length) for length in shape)


def steps_of(shape: Shape) -> list[int]:
    """How far apart neighbours along each axis are."""
    steps, step = [], 1
    for length in reversed(shape):
        steps.append(step)
        step *= length
    return steps[::-1]


def places_of(shape: Shape, steps: Sequence[int]) -> list[int]:
    """Where the entries of an array are, row by row, if its axes have some steps."""
    places = [0]
    for length, step in zip(shape, steps, strict=True):
        places = [k + i * step for k in places for i in range(length)]
    return places


def joint_shape(*shapes: Shape) -> Shape:
    """The shape of what arrays of some shapes give entry by entry."""
    count = max((len(shape) for shape in shapes), default=0)
    full = [(1,) * (count - len(shape)) + shape for shape in shapes]
    found = []
    for lengths in zip(*full, strict=True):
        wanted = {length for length in lengths if length != 1}
        if len(wanted) > 1:
            raise ValueError(
                f"operands could not be broadcast together with shapes {' '.join(map(str, shapes))}"
            )
        found.append(wanted.pop() if wanted else 1)
    return tuple(found)


def nested(entries: list[Any], shape: Shape) -> Any:
    """Nested lists from the entries."""
    if not shape:
        return entries[0]
    if len(shape) == 1:
        return list(entries)
    step = math.prod(shape[1:])
    return [nested(entries[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
