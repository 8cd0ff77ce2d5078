"""Sums of products of entries (einsum) in the digits that mpmath is set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.rows import Rows, column, entries
from mcmodels.calculus.core.einsum_nodes import Einsum

__all__ = ["contracted"]

Axes = tuple[int, ...]
Table = dict[tuple[int, ...], Any]  # entries by the places of their indices


def contracted(e: Einsum, values: Sequence[Rows], sizes: Mapping[str, int]) -> Rows:
    """The value of an einsum: one operand after another, sums as soon as an index is done with."""
    lengths = [size.value(sizes) for size in e.lengths.of]
    terms = list(e.terms)
    axes: Axes = ()
    table: Table = {(): mpmath().mp.mpf(1)}
    for k, (at, value) in enumerate(zip(terms, values, strict=True)):
        needed = {*e.output, *(axis for later in terms[k + 1 :] for axis in later)}
        axes, table = _joined(axes, table, at, _entries_at(value, at, lengths), needed)
    zero = mpmath().mp.mpf(0)
    found = []
    for places in product(*(range(lengths[axis]) for axis in e.output)):
        place = dict(zip(e.output, places, strict=True))
        found.append(table.get(tuple(place[axis] for axis in axes), zero))
    if len(e.output) == 2:
        cols = lengths[e.output[1]]
        return [found[start : start + cols] for start in range(0, len(found), cols)]
    return column(found)


def _entries_at(value: Rows, at: Axes, lengths: Sequence[int]) -> Table:
    """The entries of an operand, which are row by row; of a repeated index, those of a diagonal."""
    places = product(*(range(lengths[axis]) for axis in at))
    return {
        place: entry
        for place, entry in zip(places, entries(value), strict=True)
        if len({*zip(at, place, strict=True)}) == len({*at})
    }


def _joined(
    axes: Axes, table: Table, at: Axes, entries_at: Table, needed: set[int]
) -> tuple[Axes, Table]:
    """The products of two tables with equal indices in both, summed over what is not needed."""
    shared = [axis for axis in axes if axis in at]
    kept = tuple(axis for axis in dict.fromkeys((*axes, *at)) if axis in needed)
    groups: dict[tuple[int, ...], list[tuple[dict[int, int], Any]]] = {}
    for place, entry in entries_at.items():
        known = dict(zip(at, place, strict=True))
        groups.setdefault(tuple(known[axis] for axis in shared), []).append((known, entry))
    result: Table = {}
    for place, entry in table.items():
        before = dict(zip(axes, place, strict=True))
        for known, other in groups.get(tuple(before[axis] for axis in shared), []):
            where = tuple({**before, **known}[axis] for axis in kept)
            product_here = entry * other
            result[where] = result[where] + product_here if where in result else product_here
    return kept, result
