"""Names of few letters that differ where the names do, for tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["factors_of", "short_names"]

_ELLIPSIS = "…"
_LEAST = 5  # letters of a factor of a product


def short_names(names: Sequence[object], most: int) -> list[str]:
    """Names of at most so many letters, different ones where names differ.

    Letters in the middle are left out. Where names would then be equal, they are left out of each
    factor of a product (``bs(ag…4)[1]:C(re…th]``); where that is not enough, those in which the
    names are equal; then names are numbered. Breaks of lines are spaces, and what has no letter
    stands in quotation marks.

    Parameters
    ----------
    names : sequence
        Names; the text of others.
    most : int
        Letters of each; numbers of many names may take more.

    Returns
    -------
    list of str
        In the order of the names; equal ones for equal names.
    """
    texts = [str(name) for name in names]
    return _apart(texts, [" ".join(text.split()) or repr(text) for text in texts], most)


def _apart(texts: Sequence[str], written: Sequence[str], most: int) -> list[str]:
    short = [_cut(name, most) for name in written]
    steps: tuple[Callable[[Sequence[str], int], list[str]], ...] = (_by_factors, _about_difference)
    for step in steps:
        for where in _alike(texts, short):
            for k, text in zip(where, step([written[k] for k in where], most), strict=True):
                short[k] = text
    used = set(short)
    for where in _alike(texts, short):
        given: dict[str, str] = {}
        for k in where:
            if texts[k] not in given:
                given[texts[k]] = _numbered(written[k], most, len(given) + 1, used)
                used.add(given[texts[k]])
            short[k] = given[texts[k]]
    return short


def _alike(texts: Sequence[str], short: Sequence[str]) -> list[list[int]]:
    """Positions of names that differ and have been cut to the same text."""
    places: dict[str, list[int]] = {}
    for k, text in enumerate(short):
        places.setdefault(text, []).append(k)
    return [where for where in places.values() if len({texts[k] for k in where}) > 1]


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return name[: most - 1 - end] + _ELLIPSIS + (name[-end:] if end else "")


def _by_factors(names: Sequence[str], most: int) -> list[str]:
    """Products whose factors are cut one by one; other names are cut in the middle."""
    factors = [factors_of(name) for name in names]
    count = len(factors[0])
    room = most - (count - 1)
    if {len(of) for of in factors} != {count} or count < 2 or room < _LEAST * count:
        return [_cut(name, most) for name in names]
    found: list[list[str]] = [[] for _ in names]
    columns = [[of[j] for of in factors] for j in range(count)]
    letters = _shares([max(map(len, column)) for column in columns], room)
    for column, most_of_it in zip(columns, letters, strict=True):
        for of, text in zip(found, _apart(column, column, most_of_it), strict=True):
            of.append(text)
    return [":".join(of) for of in found]


def _shares(lengths: Sequence[int], room: int) -> list[int]:
    """Letters for each of several texts: short ones stay, the others share what is left."""
    found = [0] * len(lengths)
    left = len(lengths)
    for k in sorted(range(len(lengths)), key=lambda k: lengths[k]):
        found[k] = min(lengths[k], room // left)
        room, left = room - found[k], left - 1
    return found


def factors_of(name: str) -> list[str]:
    """The factors of a product such as ``a:C(b)[T.x]``; colons in brackets separate nothing."""
    parts, depth = [""], 0
    for letter in name:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _about_difference(names: Sequence[str], most: int) -> list[str]:
    """A window of each name about where it differs from the others, after its first letters."""
    start = _common(names)
    end = _common([name[start:][::-1] for name in names])
    head = most // 4
    found = []
    for name in names:
        room = most - head - 2
        first = max(start - max(room - (len(name) - end - start), 0) // 2, head)
        after = name[first : first + room]
        dots = _ELLIPSIS if first + room < len(name) else ""
        found.append(name[:head] + (_ELLIPSIS if first > head else "") + after + dots)
    return found


def _common(names: Sequence[str]) -> int:
    """How many first letters the names share."""
    least, most = min(names), max(names)
    pairs = zip(least, most, strict=False)
    return next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(least), len(most)))


def _numbered(name: str, most: int, number: int, used: set[str]) -> str:
    """A name with a number that no other one has."""
    while True:
        end = f"{_ELLIPSIS}#{number}"
        text = name[: max(most - len(end), 0)] + end
        if text not in used:
            return text
        number += 1
