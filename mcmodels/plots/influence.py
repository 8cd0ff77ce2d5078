"""How much each row changes a fit, with the names of the rows that change it most."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_count
from mcmodels.exceptions import InferenceError
from mcmodels.plots.asked import known, require_parameters, require_targets
from mcmodels.plots.display import Display
from mcmodels.plots.names import shortened
from mcmodels.plots.style import COLOURS, GREY, dress, label_points

__all__ = ["InfluenceDisplay"]


class InfluenceDisplay(Display, draws="the influence of the rows of a fitted model"):
    """Cook's distance or another measure of each row; the largest are named.

    A dashed line marks ``4/n`` for Cook's distance and ``±2/√n`` for DFBETAS (Belsley, Kuh and
    Welsch 1980, *Regression Diagnostics*, §2.1): what is worth a look, and no test.

    Parameters
    ----------
    values : Series
        The measure, with the names of the rows as its index.
    measure : str, default="cooks_distance"
        Which one.
    n_labels : int, default=5
        How many rows are named, at most; those without room for their names are not.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.
    largest_ : list
        The rows with the largest absolute values, the largest first.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression
    >>> from mcmodels.plots import InfluenceDisplay
    >>> jobs = pd.read_csv("datasets/duncan.csv", index_col="occupation")
    >>> X, y = jobs[["income", "education"]], jobs["prestige"]
    >>> display = InfluenceDisplay.from_estimator(LinearRegression().fit(X, y), X, y, n_labels=2)
    >>> display.largest_
    ['minister', 'conductor']
    """

    def __init__(
        self, values: pd.Series, *, measure: str = "cooks_distance", n_labels: int = 5
    ) -> None:
        self.values, self.measure, self.n_labels = values, measure, n_labels

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        measure: str = "cooks_distance",
        n_labels: int = 5,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw a column of ``results.influence(X, y)``.

        Parameters
        ----------
        results : Results
            Of a model.
        X, y, sample_weight
            The training rows; the index of a data frame names them.
        measure : str, default="cooks_distance"
            A column of ``influence``, such as "dfbetas_age".
        n_labels : int, default=5
            As in the constructor.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets
            ``offset`` or ``exposure``, if the fit has had one.

        Returns
        -------
        InfluenceDisplay
        """
        results = require_parameters(results, "InfluenceDisplay")
        require_targets(results, X, y, "InfluenceDisplay")
        count = len(getattr(results.model, "classes_", ()))
        if count > 2:
            raise InferenceError(
                f"InfluenceDisplay is of two classes, and there are {count}: with more the "
                "leverage of a row is a matrix, and there are no such measures of rows. Fit a "
                "model to two of them."
            )
        check_count("n_labels", n_labels, at_least=0)
        table = results._of_rows("influence", X, y, sample_weight, **offsets)
        known(measure, table.columns, "measure")
        return cls(table[measure], measure=measure, n_labels=n_labels).plot(ax)

    def _shows(self) -> str:
        return f"{self.measure} of {len(self.values)} rows"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        InfluenceDisplay
        """
        (ax,) = self._start(ax, 2.3)
        values = self.values.to_numpy(dtype=np.float64)
        n, at = len(values), np.arange(len(values))
        ax.vlines(at, 0.0, values, color=COLOURS[0], linewidth=0.8)
        ax.plot(at, values, "o", color=COLOURS[0], markersize=2.2, markeredgewidth=0)
        ax.axhline(0.0, color=GREY, linewidth=0.6)
        limit = {"cooks_distance": 4.0 / n}.get(self.measure)
        if self.measure.startswith("dfbetas_"):
            limit = 2.0 / np.sqrt(n)
        if limit is not None:
            for side in (-1.0, 1.0) if (values < 0).any() else (1.0,):
                ax.axhline(side * limit, color=COLOURS[1], linewidth=0.8, dashes=(4, 2))
        finite = values[np.isfinite(values)]
        low, high = min(finite.min(initial=0.0), 0.0), max(finite.max(initial=0.0), 0.0)
        room = 0.12 * (high - low) or 1.0
        ax.set_ylim(low - (room if low < 0 else 0.0), high + room)
        what = {"cooks_distance": "Cook's distance", "dffits": "DFFITS"}.get(self.measure)
        name = self.measure.removeprefix("dfbetas_")
        if what is None:
            is_change = self.measure.startswith("dfbetas_")
            what = f"DFBETAS of {shortened([name], 16)[0]}" if is_change else name.replace("_", " ")
        dress(ax, "row", what)
        order = np.argsort(-np.abs(np.where(np.isfinite(values), values, 0.0)), kind="stable")
        points = np.column_stack([at, values])
        largest = order[: self.n_labels]
        self.largest_ = list(self.values.index[largest])
        names = self.values.index[largest]
        # An index of days writes no hours.
        written = names.astype(str) if isinstance(names, pd.DatetimeIndex) else map(str, names)
        texts = shortened(list(written), 20)
        self.labels_ = label_points(ax, points[largest], texts, others=points)
        return self
