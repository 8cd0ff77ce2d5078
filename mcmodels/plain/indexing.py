"""Which entries of an array an index takes: numbers, slices, masks and arrays of positions."""

from __future__ import annotations

import math
import operator
from itertools import product
from typing import Any

from mcmodels.plain.shapes import Shape, joint_shape, places_of, steps_of

__all__ = ["selected"]


class Positions:
    """Positions along an axis."""

    def __init__(self, entries: list[int], shape: Shape | None = None) -> None:
        self.entries, self.shape = entries, (len(entries),) if shape is None else shape

    def spread(self, shape: Shape) -> list[int]:
        """Repeated to a larger shape."""
        steps = [0] * (len(shape) - len(self.shape)) + steps_of(self.shape)
        own = (1,) * (len(shape) - len(self.shape)) + self.shape
        moved = [0 if length == 1 else step for length, step in zip(own, steps, strict=True)]
        return [self.entries[k] for k in places_of(shape, moved)]


def is_array(part: Any) -> bool:
    """Whether a part of an index is an array."""
    return hasattr(part, "entries")


def selected(shape_of: Shape, index: Any) -> tuple[list[int], Shape | None]:
    """The places of the entries that an index takes, and their shape; None of one entry."""
    if is_array(index) and index.kind == "b":
        if index.shape == shape_of:
            found = [k for k, chosen in enumerate(index.entries) if chosen]
            return found, (len(found),)
        index = ([k for k, chosen in enumerate(index.entries) if chosen],)
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        rest = len(shape_of) - sum(part is not None for part in parts) + 1
        parts[at : at + 1] = [slice(None)] * rest
    parts += [slice(None)] * (len(shape_of) - sum(part is not None for part in parts))
    parts = [_as_positions(part) for part in parts]
    if any(is_array(part) for part in parts):
        return _gathered(shape_of, parts)
    axes: list[tuple[int, int]] = []  # the length and the step of each axis that is left
    start, axis, steps = 0, 0, steps_of(shape_of)
    for part in parts:
        if part is None:
            axes.append((1, 0))
            continue
        length, step = shape_of[axis], steps[axis]
        axis += 1
        if isinstance(part, slice):
            begin, end, by = part.indices(length)
            axes.append((len(range(begin, end, by)), step * by))
            start += begin * step
        else:
            place = operator.index(part)
            if not -length <= place < length:
                raise IndexError(f"index {place} is out of bounds for size {length}")
            start += place % length * step
    shape = tuple(length for length, _ in axes)
    places = [start + k for k in places_of(shape, [step for _, step in axes])]
    return places, shape if axes else None


def _gathered(lengths_of: Shape, parts: list[Any]) -> tuple[list[int], Shape]:
    """With arrays of positions, which are matched entry by entry; slices keep their axes."""
    steps = steps_of(lengths_of)
    lists = [part for part in parts if is_array(part)]
    together = joint_shape(*(part.shape for part in lists))
    spread = iter([part.spread(together) for part in lists])
    count, offsets, inner = math.prod(together), [0] * math.prod(together), []
    before = isinstance(parts[0], slice)
    axis = 0
    for part in parts:
        if part is None:
            inner.append([0])
            continue
        length, step = lengths_of[axis], steps[axis]
        axis += 1
        if isinstance(part, slice):
            inner.append([k * step for k in range(*part.indices(length))])
        elif is_array(part):
            for i, place in enumerate(next(spread)):
                if not -length <= place < length:
                    raise IndexError(f"index {place} is out of bounds for size {length}")
                offsets[i] += place % length * step
        else:
            place = operator.index(part) % length * step
            offsets = [offset + place for offset in offsets]
    sums = [sum(chosen) for chosen in product(*inner)]
    own = tuple(len(part) for part in inner)
    if before:
        return [s + offset for s in sums for offset in offsets[:count]], own + together
    return [offset + s for offset in offsets for s in sums], together + own


def _as_positions(part: Any) -> Any:
    if is_array(part):
        if part.kind == "b":
            return Positions([k for k, chosen in enumerate(part.entries) if chosen])
        return operator.index(part) if part.ndim == 0 else Positions(part.entries, part.shape)
    return Positions(part) if isinstance(part, list) else part
