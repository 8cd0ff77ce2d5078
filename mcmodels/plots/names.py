"""Names as pictures show them: short, different from each other, and as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcmodels.inference.short_names import short_names
from mcmodels.tables.packages import imported

__all__ = ["PLAIN", "labelled", "measure", "shortened", "unlabelled"]

# Of a text: no part of it is a formula, as between two dollar signs.
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}
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

    As :func:`mcmodels.inference.short_names.short_names`; wide letters count more.
    """
    width = measure()
    for letters in range(most, _FEWEST - 1, -1):
        short = short_names(names, letters)
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
