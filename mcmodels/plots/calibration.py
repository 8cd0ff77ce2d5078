"""Observed rates beside predicted probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike
from mcmodels.estimators.arguments import check_count, refuse_other_order
from mcmodels.inference.binned_rates import binned_rates
from mcmodels.inference.estimate import check_level
from mcmodels.plots.asked import class_position, require_probabilities, require_targets
from mcmodels.plots.display import Display
from mcmodels.plots.names import shortened
from mcmodels.plots.style import COLOURS, GREY, dress

__all__ = ["CalibrationDisplay"]


class CalibrationDisplay(Display, draws="the calibration of a classifier"):
    """Rates of a class in bins by predicted probability, with Wilson's intervals.

    Bins have equally many rows. A model that is calibrated has points on the line, up to chance;
    with the rows of the fit it looks better than it is, so take others. The ticks at the bottom
    are the predicted probabilities.

    Parameters
    ----------
    table : DataFrame
        That of :func:`mcmodels.inference.binned_rates.binned_rates`.
    probabilities : ndarray of shape (n,)
        Predicted ones.
    label : object, default=1
        The class.
    level : float, default=0.95
        Of the intervals.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LogisticRegression
    >>> from mcmodels.plots import CalibrationDisplay
    >>> trip = pd.read_csv("datasets/titanic_survival.csv")
    >>> y = trip.pop("survived")
    >>> model = LogisticRegression().fit(trip[::2], y[::2])
    >>> display = CalibrationDisplay.from_estimator(model, trip[1::2], y[1::2], bins=4)
    >>> display.table["rows"].sum()
    np.int64(523)
    """

    def __init__(
        self,
        table: pd.DataFrame,
        probabilities: Array,
        *,
        label: object = 1,
        level: float = 0.95,
    ) -> None:
        self.table, self.probabilities = table, probabilities
        self.label, self.level = label, level

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        *,
        label: Any = None,
        bins: int = 10,
        level: float = 0.95,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw the calibration of results of a classifier.

        Parameters
        ----------
        results : Results
            Of a model with ``predict_proba``.
        X, y
            Rows and their labels; best others than those of the fit.
        label : object, default=None
            The class; the last by default.
        bins : int, default=10
            Number of bins; fewer where many rows have the same probability.
        level : float, default=0.95
            Of the intervals, in (0, 1).
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets
            ``offset``, if the fit has had one.

        Returns
        -------
        CalibrationDisplay
        """
        results = require_probabilities(results, "CalibrationDisplay")
        model = results.model
        require_targets(results, X, y, "CalibrationDisplay")
        check_count("bins", bins, at_least=1)
        check_level(level)
        position, label = class_position(model, label)
        refuse_other_order(X=X, y=y)
        rows, targets, _, offsets = results._route.training_rows(X, y, **offsets)
        targets = np.asarray(targets).ravel()
        found = np.asarray(model.predict_proba(rows, **offsets))[:, position]
        if len(targets) != len(found):
            raise ValueError(
                f"X has {len(found)} rows and y {len(targets)}; pass a label for each."
            )
        unknown = ~np.isin(targets, model.classes_)
        if unknown.any():
            raise ValueError(
                f"y has the label {targets[unknown].tolist()[0]!r}, which the model was not fitted "
                f"to; it knows {', '.join(map(str, model.classes_))}."
            )
        events = (targets == label).astype(np.float64)
        table = binned_rates(events, found.astype(np.float64), bins, level)
        return cls(table, found, label=label, level=level).plot(ax)

    def _shows(self) -> str:
        return f"rates of {self.label} in {len(self.table)} bins of {len(self.probabilities)} rows"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        CalibrationDisplay
        """
        (ax,) = self._start(ax, 3.0)
        table = self.table
        ax.plot([0.0, 1.0], [0.0, 1.0], color=GREY, linewidth=0.8, zorder=0)
        at = table["predicted"]
        ax.vlines(at, table["lower"], table["upper"], color=COLOURS[0], linewidth=1.2)
        ax.plot(at, table["observed"], "o", color=COLOURS[0], markersize=4)
        ticks = np.unique(np.asarray(self.probabilities, dtype=np.float64).round(3))
        ax.vlines(ticks, -0.05, -0.025, color=GREY, linewidth=0.4)
        ax.set_xlim(-0.03, 1.03)
        ax.set_ylim(-0.06, 1.03)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_ticks([0.0, 0.25, 0.5, 0.75, 1.0])
        (name,) = shortened([str(self.label)], 16)
        dress(ax, f"predicted probability of {name}", f"observed rate of {name}")
        return self
