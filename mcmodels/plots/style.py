"""Axes, colours and labels that all displays share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.plots.names import PLAIN, measure, shortened, unlabelled
from mcmodels.tables.packages import imported

__all__ = [
    "BAND",
    "COLOURS",
    "DASHES",
    "GREY",
    "MARKERS",
    "WIDTH",
    "axes_of",
    "columns_of",
    "dress",
    "label_points",
    "label_rows",
    "legend",
    "log_ticks",
    "save",
]

# The palette of Okabe and Ito (2008), *Color Universal Design*, without its yellow, which is too
# light for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Groups differ in more than colour.
DASHES = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 2)), (0, (4, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#595959"
BAND = 0.2  # opacity
WIDTH = 3.4  # inches: a column of a journal
_SIZE, _SMALL = 8.0, 7.0  # points
_ROOM, _KEY = 205.0, 32.0  # points: of a legend beside an axis, and of a key with its gaps
# Where labels may stand: (to the right, above) of their points, the best first.
_PLACES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


def axes_of(ax: Any, shape: tuple[int, int], height: float) -> Array:
    """The axes that are given, or those of a new figure of column width; raveled.

    Raises
    ------
    ImportError
        Without matplotlib.
    ValueError
        If there are more or fewer axes than panels.
    TypeError
        If something is no axes.
    """
    module = imported("matplotlib.figure", "plot", "a picture")
    agg = imported("matplotlib.backends.backend_agg", "plot", "a picture")
    panels = shape[0] * shape[1]
    if ax is None:
        figure = module.Figure(figsize=(WIDTH, height), dpi=200, layout="constrained")
        agg.FigureCanvasAgg(figure)
        figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.04, hspace=0.04)
        return np.atleast_1d(figure.subplots(*shape)).ravel()
    given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(given) != panels:
        raise ValueError(
            f"ax has {len(given)} axes, and this picture has {panels} panels; pass "
            f"{'one' if panels == 1 else f'an array of {panels}'}, or leave ax out."
        )
    for one in given:
        if not hasattr(one, "get_xlim"):
            raise TypeError(
                f"ax must be matplotlib axes, one for each panel; found {type(one).__name__}."
            )
    return given


def dress(ax: Any, x: str = "", y: str = "", title: str = "") -> None:
    """Labels, and sizes of text that are read at column width."""
    ax.set_xlabel(x, fontsize=_SIZE, labelpad=2, **PLAIN)
    ax.set_ylabel(y, fontsize=_SIZE, labelpad=2, **PLAIN)
    if title:
        ax.set_title(title, fontsize=_SIZE, pad=4, **PLAIN)
    ax.tick_params(labelsize=_SMALL, length=2.5, width=0.6, pad=2)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_linewidth(0.6)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_offset_text().set_fontsize(_SMALL)
        if axis.get_scale() == "linear" and type(axis.get_major_locator()).__name__ == (
            "AutoLocator"
        ):
            ticker = imported("matplotlib.ticker", "plot", "a picture")
            locator = ticker.MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
            if axis is ax.xaxis:
                locator = import_module("mcmodels.plots.ticks").RoomyLocator(_SMALL)
            axis.set_major_locator(locator)
            # Long numbers have their power of ten at the end of the axis.
            axis.get_major_formatter().set_powerlimits((-3, 4))


def legend(ax: Any, title: str = "", **options: Any) -> None:
    """A legend without a frame; where it hides least, unless its place is given."""
    chosen = {"loc": "best", "frameon": False} | options
    if "bbox_to_anchor" in chosen and _power_of_ten(ax.yaxis):
        chosen["borderaxespad"] = 1.7  # the power of ten stands between axes and legend
    found = ax.legend(fontsize=_SMALL, title=title, title_fontsize=_SMALL, **chosen)
    for text in (*found.get_texts(), found.get_title()):
        text.set(text=unlabelled(text.get_text()), **PLAIN)
    found.set_in_layout(chosen["loc"] != "best")


def label_rows(ax: Any, names: Sequence[str], most: int = 22) -> None:
    """Names beside the rows 0, 1, … of a picture, the first on top.

    Where rows are lower than letters, as with many in a given axes, letters are smaller.
    """
    count = len(names)
    ax.set_ylim(count - 0.4, -0.6)
    ax.set_yticks(range(count), shortened(names, most), **PLAIN)
    height = 72.0 * ax.get_window_extent().height / ax.figure.dpi / (count + 0.2)
    ax.tick_params(axis="y", labelsize=float(np.clip(height / 1.25, 1.0, _SMALL)), length=0)


def _power_of_ten(axis: Any) -> str:
    """The factor of the numbers of an axis that stands at its end; empty if there is none."""
    form = axis.get_major_formatter()
    form.format_ticks(axis.get_majorticklocs())
    return str(form.get_offset())


def columns_of(names: Sequence[str], rows: Sequence[str] = ()) -> int:
    """How many columns a legend has beside each other, three at most; ``rows`` are left of it."""
    width = measure()
    widest, left = (max(map(width, of), default=0.0) * _SMALL for of in (names, rows))
    return max(1, min(3, len(names), int((_ROOM - left) / (widest + _KEY))))


def log_ticks(axis: Any, lower: float, upper: float) -> None:
    """A few ticks on a logarithmic axis, written as plain numbers where that is short."""
    ticker = imported("matplotlib.ticker", "plot", "a picture")
    powers = np.arange(np.floor(np.log10(lower)), np.ceil(np.log10(upper)) + 1)
    for steps in ([1.0, 2.0, 5.0], [1.0, 3.0], [1.0]):
        ticks = np.array([s * 10.0**k for k in powers for s in steps])
        ticks = ticks[(ticks >= lower) & (ticks <= upper)]
        if len(ticks) <= 5:
            break
    ticks = ticks[:: max(1, -(-len(ticks) // 5))]
    if len(ticks) < 2:
        ticks = np.geomspace(lower, upper, 3)
    axis.set_major_locator(ticker.FixedLocator(ticks))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(_plain))


def _plain(value: float, _: Any = None) -> str:
    """A number as short as it can be: powers of ten where there are many zeros."""
    power = np.log10(value)
    if abs(power) >= 3 and abs(power - round(power)) < 1e-9:
        return f"$10^{{{round(power)}}}$"
    return f"{value:.3g}"


def label_points(
    ax: Any,
    points: Array,
    texts: Sequence[str],
    clear: Array | None = None,
    others: Array | None = None,
) -> list[Any]:
    """Texts beside points, which neither overlap nor leave the axes; one without room is left out.

    Parameters
    ----------
    ax : matplotlib Axes
        Where the points are; its limits should be final.
    points : ndarray of shape (k, 2)
        The points; those first in order are served first.
    texts : sequence of str
        Their labels.
    clear : ndarray of shape (k, 2), default=None
        Half the width and height about each point that stay clear, in the units of the axes.
    others : ndarray of shape (m, 2), default=None
        Points of which a label covers as few as it can.

    Returns
    -------
    list of matplotlib Annotation
        Those that are shown.
    """
    figure = ax.figure
    figure.draw_without_rendering()  # settles the layout, so that sizes are known
    inside, shown = ax.get_window_extent(), []
    powers = [axis.get_offset_text() for axis in (ax.xaxis, ax.yaxis)]
    taken: list[Any] = [text.get_window_extent() for text in powers if text.get_text()]
    half = np.zeros((len(texts), 2)) if clear is None else clear
    pixels = ax.transData.transform
    sizes = (pixels(half) - pixels(np.zeros_like(half))) * 72.0 / figure.dpi
    spots = pixels(points if others is None else others)
    for point, text, size in zip(points, texts, sizes, strict=True):
        note = ax.annotate(
            text, point, (0, 0), textcoords="offset points", fontsize=_SMALL, **PLAIN
        )
        note.set_in_layout(False)
        note.set_bbox({"facecolor": "white", "alpha": 0.75, "pad": 0.3, "linewidth": 0})
        found = None
        for place in _PLACES:
            _put(note, place, size)
            box = note.get_window_extent().padded(1.0)
            fits = inside.x0 <= box.x0 and box.x1 <= inside.x1
            fits = fits and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if fits and not any(box.overlaps(other) for other in taken):
                low, high = box.get_points()
                hidden = int(((spots > low) & (spots < high)).all(axis=1).sum())
                if found is None or hidden < found[0]:
                    found = (hidden, place, box)
        if found is None:
            note.remove()
            continue
        _put(note, found[1], size)
        taken.append(found[2])
        shown.append(note)
    return shown


def _put(note: Any, place: tuple[int, int], size: Array) -> None:
    """Put a label to the right or left of its point, above or below it."""
    right, up = place
    note.set_position(((4.0 + size[0]) * right, (3.0 + size[1]) * up))
    note.set_ha(("right", "center", "left")[right + 1])
    note.set_va(("top", "center", "bottom")[up + 1])


@contextmanager
def _same_bytes() -> Any:
    """Names inside SVG files do not depend on the time."""
    matplotlib = imported("matplotlib", "plot", "a picture")
    with matplotlib.rc_context({"svg.hashsalt": "mcmodels"}):
        yield


def save(figure: Any, path: Any, kind: str, dpi: float | str = "figure") -> None:
    """Write a figure as "png", "svg" or "pdf"; the same figure gives the same bytes."""
    dates = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with _same_bytes():
        figure.savefig(path, format=kind, metadata=dates[kind], dpi=dpi)
