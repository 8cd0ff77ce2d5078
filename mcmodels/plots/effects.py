"""Predictions against one input variable, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike
from mcmodels.estimators.arguments import check_choice
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.average_predictions import average_predictions
from mcmodels.inference.estimate import check_level
from mcmodels.objectives.links import LINKS
from mcmodels.plots.asked import class_position, require_parameters
from mcmodels.plots.display import Display
from mcmodels.plots.grids import Grid
from mcmodels.plots.names import PLAIN, labelled, shortened
from mcmodels.plots.style import (
    BAND,
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    columns_of,
    dress,
    legend,
)
from mcmodels.records.linear import LinearFit

__all__ = ["EffectDisplay"]

_MOST_TICKS = 400  # of the rug


class EffectDisplay(Display, draws="the effect of a variable in a fitted model or pipeline"):
    """Predictions of the mean against an input variable, with a confidence band.

    The variable is a column of X as the pipeline takes it, before splines, indicators or other
    steps. A number goes from its least to its largest value; levels are points with bars. The other
    inputs are at their means or most frequent levels; or predictions are averaged over the rows of
    X with the variable set to each value.

    Parameters
    ----------
    tables : mapping of object to DataFrame
        For each group (None without groups), the columns value, prediction, lower and upper.
    variable : str
        Name of the variable.
    is_numeric : bool, default=True
        Whether it is a number.
    data : ndarray of shape (n,) or None
        Values of the variable in the data, for ticks at the bottom.
    by : str, default=None
        Name of the groups.
    what : str, default="prediction"
        What is predicted.
    level : float, default=0.95
        Of the bands.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import SplineTransformer
    >>> from mcmodels import LinearRegression
    >>> from mcmodels.plots import EffectDisplay
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> X, y = cars[["hp"]], cars["mpg"]
    >>> splines = SplineTransformer(n_knots=3, include_bias=False)
    >>> display = EffectDisplay.from_estimator(
    ...     make_pipeline(splines, LinearRegression()).fit(X, y), X, variable="hp")
    >>> display.tables[None][["value", "prediction"]].iloc[[0, -1]].round(1)
        value  prediction
    0    52.0        31.4
    59  335.0        15.2
    """

    def __init__(
        self,
        tables: Mapping[Any, pd.DataFrame],
        *,
        variable: str,
        is_numeric: bool = True,
        data: Array | None = None,
        by: str | None = None,
        what: str = "prediction",
        level: float = 0.95,
    ) -> None:
        self.tables, self.variable, self.is_numeric = dict(tables), variable, is_numeric
        self.data, self.by, self.what, self.level = data, by, what, level

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        variable: str | int | None = None,
        *,
        by: str | int | None = None,
        others: str = "typical",
        label: Any = None,
        level: float = 0.95,
        ax: Any = None,
        **offsets: float,
    ) -> Self:
        """Draw the effect of a variable.

        Parameters
        ----------
        results : Results
            Of a model with one output, or of classes.
        X : matrix
            Rows as the pipeline takes them: they say where the variable is, and what is typical.
        variable : str or int, default=None
            A column of X; the first by default. As in scikit-learn's ``PartialDependenceDisplay``,
            it stands where other displays have y, which is not needed.
        by : str or int, default=None
            Another column, of at most seven values: one line for each.
        others : {"typical", "average"}, default="typical"
            The other inputs at their means or most frequent levels; or the average of predictions
            for all rows of X (:mod:`mcmodels.inference.average_predictions`), for models with one
            output.
        label : object, default=None
            The class whose probability is drawn; the last by default.
        level : float, default=0.95
            Of the bands, in (0, 1).
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets : float
            ``offset`` or ``exposure`` of all predictions, if the fit has had one: ``exposure=1``
            for rates.

        Returns
        -------
        EffectDisplay
        """
        results = require_parameters(results, "EffectDisplay")
        model = results.model
        if X is None:
            raise ValueError("EffectDisplay needs rows that say what is typical; pass X.")
        check_choice("others", others, ("typical", "average"))
        check_level(level)
        if not hasattr(model, "predict_interval"):
            raise InferenceError(f"{type(model).__name__} has no intervals of predictions.")
        steps = [step for _, step in results._route.steps]
        grid = Grid.of(X, results.fitted, steps, 0 if variable is None else variable, by)
        # Intervals of predictions are in units of y; averages are of the model alone.
        moved = results._route.target is not None and others == "average"
        of_class, what = None, "prediction of transformed y" if moved else "prediction"
        if label is not None and not hasattr(model, "classes_"):
            raise ValueError(
                f"label={example_of(label)} is for classes; {type(model).__name__} has none."
            )
        if hasattr(model, "classes_"):
            _, of_class = class_position(model, label)
            what = f"probability of {shortened([str(of_class)], 14)[0]}"
        tables = {}
        for group in grid.groups:
            compute = _averages if others == "average" else _typical
            found = compute(results, grid, group, level, of_class, offsets)
            tables[group] = found.assign(value=grid.values)
        data = grid.frame[grid.variable].dropna()
        return cls(
            tables,
            variable=str(grid.variable),
            is_numeric=grid.is_numeric,
            data=data.to_numpy(dtype=np.float64) if grid.is_numeric else None,
            by=None if by is None else str(grid.by),
            what=what,
            level=level,
        ).plot(ax)

    def _shows(self) -> str:
        return f"{self.what} by {self.variable}" + (f" and {self.by}" if self.by else "")

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        EffectDisplay
        """
        grouped = self.by is not None
        (ax,) = self._start(ax, 2.5)
        names = shortened([str(group) for group in self.tables], 16)
        for k, (name, table) in enumerate(zip(names, self.tables.values(), strict=True)):
            draw = self._curve if self.is_numeric else self._points
            draw(ax, table, k, labelled(name) if grouped else None)
        if self.is_numeric:
            self._rug(ax)
        else:
            self._levels(ax)
        dress(ax, shortened([self.variable], 32)[0], self.what)
        if grouped:
            legend(
                ax,
                title=shortened([str(self.by)], 24)[0],
                loc="lower left",
                bbox_to_anchor=(0.0, 1.0),
                ncols=columns_of(names),
                borderaxespad=0.1,
            )
        return self

    def _curve(self, ax: Any, table: pd.DataFrame, k: int, name: str | None) -> None:
        colour, x = COLOURS[k % 7], table["value"].to_numpy(dtype=np.float64)
        ax.fill_between(x, table["lower"], table["upper"], color=colour, alpha=BAND, linewidth=0)
        ax.plot(
            x, table["prediction"], color=colour, linestyle=DASHES[k % 7], linewidth=1.4, label=name
        )

    def _points(self, ax: Any, table: pd.DataFrame, k: int, name: str | None) -> None:
        groups = len(self.tables)
        at = np.arange(len(table)) + (k - (groups - 1) / 2) * 0.5 / groups
        colour = COLOURS[k % 7]
        ax.vlines(at, table["lower"], table["upper"], color=colour, linewidth=1.3)
        ax.plot(at, table["prediction"], MARKERS[k % 7], color=colour, markersize=4, label=name)

    def _levels(self, ax: Any) -> None:
        """Names of the levels: beside each other, or turned where there is no room for that."""
        levels = [str(value) for value in next(iter(self.tables.values()))["value"]]
        count = len(levels)
        room = int(46 / count)  # letters of a level in a column
        turned = max(map(len, levels)) > room
        short = shortened(levels, 16 if turned else room)
        step = -(-count // 20)
        ax.set_xticks(range(0, count, step), short[::step], **PLAIN)
        if turned:
            ax.tick_params(axis="x", rotation=90)
        ax.set_xlim(-0.6, count - 0.4)

    def _rug(self, ax: Any) -> None:
        if self.data is None or not len(self.data):
            return
        ticks = np.unique(self.data)
        ticks = ticks[:: -(-len(ticks) // _MOST_TICKS)]
        ax.vlines(ticks, 0.0, 0.025, color=GREY, linewidth=0.4, transform=ax.get_xaxis_transform())


def _typical(
    results: Any, grid: Grid, group: Any, level: float, label: Any, offsets: dict[str, float]
) -> pd.DataFrame:
    """Predictions with intervals where the other inputs are typical."""
    added = {name: np.full(len(grid.values), value) for name, value in offsets.items()}
    table = results.predict_interval(grid.typical(group), level, **added)
    model = results.model
    if label is not None and len(model.classes_) > 2:
        table = table[label]
    elif label is not None and label == model.classes_[0]:  # what is not of the second class
        table = 1.0 - table[["probability", "upper", "lower"]]
        table.columns = ["probability", "lower", "upper"]
    found = table.rename(columns={"probability": "prediction"})
    return found[["prediction", "lower", "upper"]].reset_index(drop=True)


def _averages(
    results: Any, grid: Grid, group: Any, level: float, label: Any, offsets: dict[str, float]
) -> pd.DataFrame:
    """Averages of predictions over the rows, for each value of the variable."""
    model = results.model
    record = model._fit
    if model.params_.ndim != 1 or (label is not None and len(model.classes_) != 2):
        raise InferenceError("others='average' is of models with one output, or two classes.")
    if isinstance(record, LinearFit):
        link = LINKS["identity"]
    else:
        link = LINKS["logit"] if label is not None else model._loss().link
    added = {name: np.full(len(grid.frame), value) for name, value in offsets.items()}
    route = results._route
    samples = (
        model._indexed_rows(route.rows(rows), **route.offsets(rows, added))[0]
        for rows in grid.each(group)
    )
    estimate = record.estimate
    values = average_predictions(estimate, link, samples, float(estimate.quantile(level)))
    table = pd.DataFrame(values[:, [0, 2, 3]], columns=["prediction", "lower", "upper"])
    if label is not None and label == model.classes_[0]:
        table = 1.0 - table[["prediction", "upper", "lower"]]
        table.columns = ["prediction", "lower", "upper"]
    return table
