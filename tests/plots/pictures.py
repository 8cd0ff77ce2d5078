"""What tests ask of a picture: its pixels, and the boxes of its texts."""

import io

import numpy as np

from mcmodels.plots.style import save


def rendered(figure, kind="png"):
    """The bytes of a picture."""
    content = io.BytesIO()
    save(figure, content, kind)
    return content.getvalue()


def pixels(figure):
    """Its pixels, shape (height, width, 4)."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def texts(figure):
    """Every text that is shown, with its box in pixels."""
    from matplotlib.text import Text

    figure.canvas.draw()
    found = []
    for artist in figure.findobj(Text):
        if artist.get_visible() and artist.get_text().strip():
            box = artist.get_window_extent()
            found.append((artist, box))
    return found


def tick_labels(axis):
    """Boxes of the labels of an axis that are inside its limits."""
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    found = []
    for tick in axis.get_major_ticks():
        if low - room <= tick.get_loc() <= high + room and tick.label1.get_text():
            found.append(tick.label1.get_window_extent())
    return found


def faults(figure):
    """What is wrong with the texts of a figure: outside of it, or over each other."""
    wrong = []
    shown = texts(figure)
    hidden = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low - room <= tick.get_loc() <= high + room:
                    hidden |= {tick.label1, tick.label2}
    boxes = [(text, box) for text, box in shown if text not in hidden]
    canvas = figure.bbox
    for text, box in boxes:
        # Half a pixel: boxes of letters are rounded up.
        inside = canvas.x0 - 0.5 <= box.x0 and box.x1 <= canvas.x1 + 0.5
        if not (inside and canvas.y0 - 0.5 <= box.y0 and box.y1 <= canvas.y1 + 0.5):
            wrong.append(f"{text.get_text()!r} leaves the figure")
    for k, (text, box) in enumerate(boxes):
        for other, other_box in boxes[:k]:
            # Boxes have room for accents above letters: a pixel of that may be shared.
            if _overlap(box, other_box) > 1.0:
                wrong.append(f"{text.get_text()!r} is over {other.get_text()!r}")
    return wrong


def _overlap(a, b):
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return min(width, height)
