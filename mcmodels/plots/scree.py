"""Variances of principal components beside those of independent columns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.plots.asked import require_components
from mcmodels.plots.display import Display
from mcmodels.plots.style import COLOURS, dress, legend

__all__ = ["ScreeDisplay"]

_MOST = 30  # components that are shown
_FEW = 3  # components, beside which a legend hides some


class ScreeDisplay(Display):
    """Variances of the components with intervals, and the threshold of parallel analysis.

    The threshold is a quantile of the variances that independent normal columns have by chance
    (:meth:`mcmodels.PCA.parallel_analysis`), drawn with a fixed seed. Components before the first
    one below it are filled.

    Parameters
    ----------
    variances, thresholds : ndarray of shape (k,)
        Of each component; all, or the leading ones.
    count : int
        How many components parallel analysis keeps.
    intervals : ndarray of shape (m, 2) or None
        Ends of intervals of the first m variances.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import PCA
    >>> from mcmodels.plots import ScreeDisplay
    >>> iris = pd.read_csv("datasets/iris.csv").drop(columns="Species")
    >>> display = ScreeDisplay.from_estimator(PCA().fit((iris - iris.mean()) / iris.std()))
    >>> display.count
    1
    """

    def __init__(
        self,
        variances: Any,
        thresholds: Any,
        count: int,
        intervals: Any = None,
    ) -> None:
        self.variances, self.thresholds = np.asarray(variances), np.asarray(thresholds)
        self.count, self.intervals = count, intervals

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, y: Any = None, **options: Any) -> Self:
        """Draw the variances of a PCA, alone or at the end of a pipeline; see :meth:`from_results`.

        X and y are not needed.

        Returns
        -------
        ScreeDisplay
        """
        return cls.from_results(estimator, **options)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        level: float = 0.95,
        quantile: float = 0.95,
        random_state: Any = 0,
        ax: Any = None,
    ) -> Self:
        """Draw the variances of results of a PCA.

        Parameters
        ----------
        results : Results
            Of a PCA.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        quantile, random_state
            Those of ``PCA.parallel_analysis``; the seed is fixed by default.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        ScreeDisplay
        """
        model = require_components(results, "ScreeDisplay").model
        found = model.parallel_analysis(quantile=quantile, random_state=random_state)
        table: pd.DataFrame = found.table
        ends = model.confidence_intervals(level)[["lower", "upper"]].to_numpy()
        return cls(table["variance"], table["threshold"], found.count, ends).plot(ax)

    def _shows(self) -> str:
        return f"variances of {len(self.variances)} components, {self.count} kept"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        ScreeDisplay
        """
        (ax,) = self._start(ax, 2.3)
        shown = min(len(self.variances), _MOST)
        at, variances = np.arange(1, shown + 1), self.variances[:shown]
        ax.plot(at, variances, "-", color=COLOURS[0], linewidth=1.0, zorder=2)
        kept = at <= self.count
        dots = {"markersize": 4.5, "markeredgecolor": COLOURS[0], "zorder": 3}
        if self.intervals is not None:
            ends = np.asarray(self.intervals)[:shown]
            ax.vlines(at[: len(ends)], *ends.T, color=COLOURS[0], linewidth=1.0, zorder=2)
        ax.plot(at[kept], variances[kept], "o", color=COLOURS[0], label="kept", **dots)
        if not kept.all():
            ax.plot(at[~kept], variances[~kept], "o", color="white", label="not kept", **dots)
        label = "independent columns"
        ax.plot(at, self.thresholds[:shown], "--", color=COLOURS[1], linewidth=1.0, label=label)
        dress(ax, "component", "variance")
        ax.set_xlim(0.6, shown + 0.4)
        ax.set_ylim(bottom=-0.04 * float(variances.max()))
        step = -(-shown // 10)
        ax.set_xticks(at[::step])
        title = f"{self.count} component{'s' if self.count != 1 else ''} kept"
        # Few components leave no corner free.
        above = {
            "loc": "lower left",
            "bbox_to_anchor": (0.0, 1.0),
            "ncols": 2,
            "borderaxespad": 0.1,
        }
        legend(ax, title=title, **({} if shown > _FEW else above))
        return self
