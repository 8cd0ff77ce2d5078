"""Ticks of horizontal axes, as many as have room for their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from mcmodels.plots.names import measure

__all__ = ["RoomyLocator"]

_MOST = 5
_GAP = 3.0  # points between labels


class RoomyLocator(MaxNLocator):
    """Five ticks at the most, and fewer where their labels would touch.

    Parameters
    ----------
    size : float
        Of the font of the labels, in points.
    """

    def __init__(self, size: float) -> None:
        super().__init__(_MOST, steps=[1, 2, 2.5, 5, 10])
        self.size = size

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """The places of the ticks between two values."""
        found: Any = ()
        for count in range(_MOST, 0, -1):
            self.set_params(nbins=count)
            found = super().tick_values(vmin, vmax)
            if self._have_room(found, vmin, vmax):
                return found
        shown = found[(found >= min(vmin, vmax)) & (found <= max(vmin, vmax))]
        return shown[len(shown) // 2 :][:1]

    def _have_room(self, places: Any, vmin: float, vmax: float) -> bool:
        shown = places[(places >= min(vmin, vmax)) & (places <= max(vmin, vmax))]
        axis: Any = self.axis
        if axis is None or len(shown) < 2:
            return True
        length = axis.axes.get_window_extent().width * 72.0 / axis.axes.figure.dpi
        between = length * np.diff(shown).min() / abs(vmax - vmin)
        width = measure()
        labels = axis.get_major_formatter().format_ticks(shown)
        return max(map(width, labels)) * self.size + _GAP <= between
