"""Coefficients with intervals, of one model or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike
from mcmodels.estimators.arguments import check_flag, listed
from mcmodels.exceptions import example_of
from mcmodels.inference.estimate import check_level
from mcmodels.plots.asked import coefficients, require_parameters
from mcmodels.plots.display import Display
from mcmodels.plots.names import labelled, shortened
from mcmodels.plots.style import (
    COLOURS,
    GREY,
    MARKERS,
    dress,
    label_rows,
    legend,
    log_ticks,
)

__all__ = ["CoefficientDisplay"]

# Ratios beyond 1e130 are drawn there: what matplotlib computes of them stays in float64.
_LARGEST_EXPONENT = 300.0


class CoefficientDisplay(Display):
    """Coefficients with their intervals; several models side by side.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        For each model, by its name, the columns coefficient, lower and upper, one row for each
        coefficient.
    exponentiate : bool, default=False
        Whether to show ``exp(coefficient)`` on a logarithmic axis: odds ratios of logistic models,
        ratios of means of models with a log link.
    level : float, default=0.95
        Coverage of the intervals, for the label of the axis.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.
    names_ : list of str
        The coefficients from top to bottom.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression
    >>> from mcmodels.plots import CoefficientDisplay
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> model = LinearRegression().fit(cars[["wt", "qsec", "am"]], cars["mpg"])
    >>> display = CoefficientDisplay.from_estimator(model)
    >>> display.names_
    ['wt', 'qsec', 'am']
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        exponentiate: bool = False,
        level: float = 0.95,
    ) -> None:
        self.tables, self.exponentiate, self.level = dict(tables), exponentiate, level

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        **options: Any,
    ) -> Self:
        """Draw the coefficients of a model, or of a list of models; see :meth:`from_results`.

        Parameters
        ----------
        estimator : estimator or sequence of estimators
            Fitted models, pipelines that end in one, or results of them, in any mixture.
        X, y, **options
            Those of :meth:`from_results`.

        Returns
        -------
        CoefficientDisplay
        """
        return cls.from_results(estimator, X, y, **options)

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        *,
        level: float = 0.95,
        exponentiate: bool = False,
        intercept: bool = False,
        labels: Sequence[str] | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the coefficients of results, or of a list of results.

        Parameters
        ----------
        results : Results or sequence of Results
            Of the models.
        X, y : default=None
            The training rows, for a robust covariance.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        exponentiate : bool, default=False
            As in the constructor.
        intercept : bool, default=False
            Whether to show intercepts.
        labels : sequence of str, default=None
            Names of the models; their classes by default.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **options
            Those of ``Results.summary``: ``kind``, ``groups``, ``sample_weight``, …

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        InferenceError
            Of a PCA, which has no coefficients.
        """
        check_level(level)
        check_flag("exponentiate", exponentiate)
        check_flag("intercept", intercept)
        given = list(results) if isinstance(results, list | tuple) else [results]
        if not given:
            raise ValueError("results is empty; pass at least one model.")
        found = [require_parameters(one, "CoefficientDisplay") for one in given]
        labels = _labels(labels, found)
        tables = {}
        for name, one in zip(labels, found, strict=True):
            tables[name] = coefficients(one, level, X, y, intercept=intercept, **options)
        return cls(tables, exponentiate=exponentiate, level=level).plot(ax)

    def _shows(self) -> str:
        return f"coefficients of {listed(list(self.tables))}"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        CoefficientDisplay
        """
        self.names_ = list(dict.fromkeys(str(n) for t in self.tables.values() for n in t.index))
        count, models = len(self.names_), len(self.tables)
        if not count:
            raise ValueError("there is no coefficient but the intercept; pass intercept=True.")
        rows = count * (1.0 + 0.5 * (models - 1))
        many = models > 1
        (ax,) = self._start(ax, 0.55 + 0.17 * rows + (0.16 * models if many else 0.0))
        place = {name: k for k, name in enumerate(self.names_)}
        shown: list[float] = []
        short_names = shortened(list(self.tables), 26)
        for k, (short, table) in enumerate(zip(short_names, self.tables.values(), strict=True)):
            shift = 0.0 if not many else (k - (models - 1) / 2) * 0.7 / models
            at = np.array([place[str(name)] for name in table.index]) + shift
            middle, lower, upper = (
                self._scaled(table[c].to_numpy()) for c in ("coefficient", "lower", "upper")
            )
            ax.hlines(at, lower, upper, color=COLOURS[k % 7], linewidth=1.2)
            ax.plot(
                middle,
                at,
                MARKERS[k % 7],
                color=COLOURS[k % 7],
                markersize=4 if count < 30 else 3,
                label=labelled(short),
            )
            shown += [*lower, *upper]
            for y in at[np.isnan(middle)]:
                ax.annotate(
                    "NA",  # not determined
                    (1.0 if self.exponentiate else 0.0, y),
                    (3, 0),
                    textcoords="offset points",
                    fontsize=6.5,
                    color=COLOURS[k % 7],
                    va="center",
                )
        ax.axvline(1.0 if self.exponentiate else 0.0, color=GREY, linewidth=0.8, zorder=0)
        if self.exponentiate:
            ax.set_xscale("log")
        what = "exp(coefficient)" if self.exponentiate else "coefficient"
        dress(ax, f"{what}, {100 * self.level:g} % interval")
        if self.exponentiate:
            finite = np.array([1.0, *shown])
            finite = finite[np.isfinite(finite) & (finite > 0)]
            log_ticks(ax.xaxis, *_widened(finite))
            ax.set_xlim(*_widened(finite))
        label_rows(ax, self.names_)
        ax.grid(axis="y", color="0.92", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines["left"].set_visible(False)
        if many:
            legend(ax, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.1)
        return self

    def _scaled(self, values: Any) -> Any:
        if not self.exponentiate:
            return values
        return np.exp(np.clip(values, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))


def _widened(values: Any) -> tuple[float, float]:
    """Limits of a logarithmic axis with some room."""
    lower, upper = np.log(values.min()), np.log(values.max())
    room = 0.05 * (upper - lower) or 0.5
    return float(np.exp(lower - room)), float(np.exp(upper + room))


def _labels(labels: Sequence[str] | None, found: Sequence[Any]) -> list[str]:
    if labels is not None:
        if not isinstance(labels, list | tuple | np.ndarray | pd.Index) or np.ndim(labels) != 1:
            raise ValueError(f"labels={example_of(labels)} must be a list of names of the models.")
        labels = [str(name) for name in labels]
        if len(labels) != len(found) or len(set(labels)) != len(labels):
            raise ValueError(
                f"labels has {len(labels)} names, {len(set(labels))} of them different, for "
                f"{len(found)} models; give each model a name of its own."
            )
        return list(labels)
    kinds = [type(one.model).__name__ for one in found]
    return [f"{kind} {k + 1}" if len(kinds) > 1 else kind for k, kind in enumerate(kinds)]
