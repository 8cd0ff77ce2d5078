"""Where an array is wrong: rows, columns, the diagonal, one triangle, or single entries."""

from __future__ import annotations

from collections.abc import Sequence

from mcmodels.calculus.compute.binding import Array
from mcmodels.plain import np

__all__ = ["place_of", "worst_entry", "worst_index"]

_MOST_LISTED = 6  # indices in a message


def place_of(pairs: Sequence[tuple[Array, Array]], allowed: Sequence[float]) -> str | None:
    """Where claimed and right differ, in words.

    None unless it is a part of the entries, and the same part at all points.

    Parameters
    ----------
    pairs : sequence of (claimed, right)
    allowed : sequence of float
        How far entries may be apart.
    """
    masks = []
    for (claimed, right), limit in zip(pairs, allowed, strict=True):
        wrong = ~(np.abs(claimed - right) <= limit)
        if not wrong.any():
            return None
        masks.append(wrong)
    if masks[0].ndim == 0 or any(mask.all() for mask in masks):
        return None
    described = [_descriptions(mask) for mask in masks]
    common = [words for words in described[0] if all(words in other for other in described[1:])]
    if not common:
        return None
    return common[0] + _effect(pairs, masks)


def _descriptions(mask: Array) -> list[str]:
    """All ways in which a set of entries can be described, the simplest first."""
    if mask.ndim == 1:
        where = np.flatnonzero(mask)
        return _listed("entry", "entries", where, len(mask))
    if mask.ndim != 2:
        return [_entries(mask)]
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = []
    if len(rows) > 1 and len(cols) > 1:
        found += [name for name, shape in _SHAPES.items() if np.array_equal(mask, shape(mask))]
    whole_rows, whole_cols = np.zeros_like(mask), np.zeros_like(mask)
    whole_rows[rows], whole_cols[:, cols] = True, True
    if np.array_equal(mask, whole_rows):
        found += _listed("row", "rows", rows, mask.shape[0])
    if np.array_equal(mask, whole_cols):
        found += _listed("column", "columns", cols, mask.shape[1])
    if len(rows) == 1 and len(cols) > 1:
        found += [f"part of {words}" for words in _listed("row", "rows", rows, mask.shape[0])]
    if len(cols) == 1 and len(rows) > 1:
        found += [f"part of {words}" for words in _listed("column", "columns", cols, mask.shape[1])]
    return [*found, _entries(mask)]


_SHAPES = {
    "the diagonal": lambda mask: np.eye(*mask.shape) == 1,
    "the entries beside the diagonal": lambda mask: np.eye(*mask.shape) == 0,
    "the entries above the diagonal": lambda mask: np.triu(np.ones_like(mask), 1),
    "the entries below the diagonal": lambda mask: np.tril(np.ones_like(mask), -1),
    "the diagonal and above": lambda mask: np.triu(np.ones_like(mask)),
    "the diagonal and below": lambda mask: np.tril(np.ones_like(mask)),
}


def _listed(one: str, many: str, where: Array, count: int) -> list[str]:
    """Indices from the front, and from the back where sizes differ between points."""
    if len(where) == 1:
        index = int(where[0])
        return [f"{one} {index}", f"{one} {index - count} (from the end)"]
    if len(where) > _MOST_LISTED:
        first = ", ".join(str(int(i)) for i in where[:_MOST_LISTED])
        return [f"{len(where)} of {count} {many} ({first}, …)"]
    text = ", ".join(str(int(i)) for i in where)
    from_end = ", ".join(str(int(i) - count) for i in where)
    found = [f"{many} {text}", f"{many} {from_end} (from the end)"]
    if len(where) == count - 1:
        (right,) = set(range(count)) - {int(i) for i in where}
        found.append(f"all {many} but {right}")
    return found


def _entries(mask: Array) -> str:
    where = np.argwhere(mask)
    listed = ", ".join(str(tuple(int(i) for i in index)) for index in where[:_MOST_LISTED])
    if len(where) == 1:
        return f"entry {listed}"
    more = ", …" if len(where) > _MOST_LISTED else ""
    return f"{len(where)} of {mask.size} entries ({listed}{more})"


def _effect(pairs: Sequence[tuple[Array, Array]], masks: Sequence[Array]) -> str:
    """What the wrong entries have in common: a missing value, a sign or a factor."""
    claimed = np.concatenate([c[mask] for (c, _), mask in zip(pairs, masks, strict=True)])
    right = np.concatenate([r[mask] for (_, r), mask in zip(pairs, masks, strict=True)])
    if not claimed.any():
        return ": 0 stands there"
    if np.allclose(claimed, -right, rtol=1e-4, atol=0):
        return ": the sign is turned there"
    if len(claimed) > 1 and right.all():
        ratio = claimed / right
        if np.ptp(ratio) <= 1e-4 * abs(ratio[0]):
            return f": {ratio[0]:.6g} times the right value stands there"
    return ""


def worst_entry(claimed: Array, right: Array, allowed: Array | float = 1.0) -> str:
    """The entry that is most wrong, by what is allowed there, with both values."""
    index = worst_index(claimed, right, allowed)
    where = ", ".join(str(i) for i in index)
    place = f"[{where}]: " if where else ""
    return f"{place}claimed {claimed[index]:.6g}, right {right[index]:.6g}"


def worst_index(claimed: Array, right: Array, allowed: Array | float) -> tuple[int, ...]:
    """Where the deviation is largest, as a multiple of what is allowed."""
    deviation = np.abs(claimed - right) / allowed
    deviation = np.where(np.isnan(deviation), np.inf, deviation)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(deviation)), deviation.shape))
