"""Names as pictures show them: short, different from each other, and as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcmodels.tables.packages import imported

__all__ = ["PLAIN", "labelled", "measure", "shortened", "unlabelled"]

# Of a text: no part of it is a formula, as between two dollar signs.
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}
_ELLIPSIS = "…"
# matplotlib leaves what starts with an underscore out of legends.
_MARK = "\N{ZERO WIDTH SPACE}"
_LETTER = 0.66  # width of a letter that names have room for, in sizes of the font
_FEWEST = 3  # letters


def labelled(name: str) -> str:
    """The label of an artist whose legend is this name; see :func:`unlabelled`."""
    return _MARK + name


def unlabelled(label: str) -> str:
    """The name in a label of :func:`labelled`."""
    return label.removeprefix(_MARK)


def shortened(names: Sequence[str], most: int) -> list[str]:
    """Names of at most so many letters, different ones where names differ.

    Letters in the middle are left out; where names would then be equal, those in which they are
    equal; and where that is not enough, they are numbered. Wide letters count more. Breaks of lines
    are spaces, and what has no letter stands in quotation marks.
    """
    written = [" ".join(text.split()) or repr(text) for text in map(str, names)]
    width = measure()
    for letters in range(most, _FEWEST - 1, -1):
        short = _of_letters(names, written, letters)
        if max(map(width, short), default=0.0) <= most * _LETTER:
            break
    return short


def measure() -> Any:
    """A function that gives the width of a text, in sizes of the font of matplotlib."""
    paths = imported("matplotlib.textpath", "plot", "a picture").text_to_path
    font = imported("matplotlib.font_manager", "plot", "a picture").FontProperties(size=1.0)

    def width(text: str) -> float:
        return float(paths.get_text_width_height_descent(text, font, False)[0])

    return width


def _of_letters(names: Sequence[str], written: Sequence[str], most: int) -> list[str]:
    """Names of at most so many letters."""
    short = [_cut(name, most) for name in written]
    for cut in (_about_difference, _numbered):
        for alike in {text for text in short if short.count(text) > 1}:
            where = [k for k, text in enumerate(short) if text == alike]
            if len({str(names[k]) for k in where}) > 1:
                for k, text in zip(where, cut([written[k] for k in where], most), strict=True):
                    short[k] = text
    return short


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return name[: most - 1 - end] + _ELLIPSIS + (name[-end:] if end else "")


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


def _numbered(names: Sequence[str], most: int) -> list[str]:
    found = []
    for k, name in enumerate(names, start=1):
        number = f"{_ELLIPSIS}#{k}"
        found.append(name[: max(most - len(number), 0)] + number)
    return found
