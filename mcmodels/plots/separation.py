"""The direction along which separated classes part, and the rows along it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError
from mcmodels.plots.asked import require_parameters, require_targets
from mcmodels.plots.display import Display
from mcmodels.plots.names import PLAIN, shortened
from mcmodels.plots.style import COLOURS, GREY, MARKERS, dress, label_rows
from mcmodels.rows import rows_of
from mcmodels.solvers.separation import separates, separates_by_linear_program

__all__ = ["SeparationDisplay"]

_MOST_ENTRIES = 12


class SeparationDisplay(Display, draws="the direction that separates the classes of a fit"):
    """Rows of two classes along a direction d that separates them, and the entries of d.

    No row of the second class has ``x̃ᵀd < 0`` and none of the first ``x̃ᵀd > 0``: along d the
    likelihood grows for ever. Rows at zero rest: they are not separated. The direction is proved
    (:mod:`mcmodels.solvers.separation`); others may separate, too. Columns that are not in it have
    no part in the separation.

    Parameters
    ----------
    projections : ndarray of shape (n,)
        ``x̃ᵀd`` of each row.
    codes : ndarray of shape (n,)
        Class of each row, 0 or 1.
    direction : ndarray of shape (P,)
        d.
    names : sequence of str
        Names of its entries.
    labels : (object, object)
        Labels of the classes.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`; there are two panels.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from mcmodels import LogisticRegression
    >>> from mcmodels.plots import SeparationDisplay
    >>> X, y = pd.DataFrame({"dose": [1.0, 2, 3, 4]}), [0, 0, 1, 1]
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # SeparationWarning
    ...     model = LogisticRegression(C=float("inf")).fit(X, y)
    >>> display = SeparationDisplay.from_estimator(model, X, y)
    >>> bool((display.projections > 0).sum() == 2)
    True
    """

    def __init__(
        self,
        projections: Array,
        codes: Array,
        direction: Array,
        *,
        names: Sequence[str],
        labels: tuple[object, object] = (0, 1),
    ) -> None:
        self.projections, self.codes, self.direction = projections, codes, direction
        self.names, self.labels = list(names), labels

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        ax: Any = None,
    ) -> Self:
        """Draw the direction that separates the classes of results.

        Parameters
        ----------
        results : Results
            Of a logistic model of two classes, with or without a penalty.
        X, y, sample_weight
            The training rows; those of weight 0 are left out.
        ax : array of two matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        SeparationDisplay

        Raises
        ------
        InferenceError
            If no direction is found.
        """
        results = require_parameters(results, "SeparationDisplay")
        model = results.model
        require_targets(results, X, y, "SeparationDisplay")
        labels = getattr(model, "classes_", None)
        if labels is None or len(labels) != 2:
            count = "no classes" if labels is None else f"{len(labels)} classes"
            raise InferenceError(f"SeparationDisplay is of two classes; this model has {count}.")
        *given, offsets = results._route.training_rows(X, y, sample_weight)
        features, codes, weights = model._training_rows(*given, **offsets)
        rows = rows_of(features, codes, weights, intercept=model._fit.intercept)
        params = model.params_
        direction = separates(rows, params)
        if direction is None:
            direction = separates_by_linear_program(rows, params.shape)
        if direction is None:
            raise InferenceError(
                "no direction separates the classes: they overlap, as far as a linear program can "
                "tell, and the likelihood has a maximum."
            )
        proved = np.asarray(direction, dtype=np.float64)
        found = rows.map(lambda block: np.column_stack([block.linear_predictor(proved), block.y]))
        largest = np.abs(proved).max()  # divided afterwards: rows that rest stay at zero
        return cls(
            found[:, 0] / largest,
            found[:, 1],
            proved / largest,
            names=model._fit.parameter_names,
            labels=(labels[0], labels[1]),
        ).plot(ax)

    def _shows(self) -> str:
        return f"{len(self.codes)} rows along the direction that separates {listed(self.labels)}"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is an array of two axes, those of a new figure by default.

        Returns
        -------
        SeparationDisplay
        """
        order = np.argsort(-np.abs(self.direction), kind="stable")
        order = np.sort(order[np.abs(self.direction[order]) > 0][:_MOST_ENTRIES])
        top, bottom = self._start(ax, 1.9 + 0.15 * len(order), rows=2)
        if self._own:
            top.get_gridspec().set_height_ratios([1.3, 0.4 + 0.14 * len(order)])
        for code in (0, 1):
            at = self.projections[self.codes == code]
            # Points of equal places are spread over the height by the golden ratio.
            spread = (np.arange(len(at)) * 0.6180339887498949 % 1.0 - 0.5) * 0.7
            top.plot(
                at,
                code + spread,
                MARKERS[code],
                color=COLOURS[code],
                markersize=2.8,
                markeredgewidth=0,
                alpha=0.7,
            )
        top.axvline(0.0, color=GREY, linewidth=0.9, zorder=0)
        dress(top, "along the direction that separates", "")
        short = shortened([str(label) for label in self.labels], 14)
        top.set_yticks([0, 1], short, **PLAIN)
        top.set_ylim(-0.6, 1.6)
        top.tick_params(axis="y", length=0)
        at = np.arange(len(order))
        bottom.barh(at, self.direction[order], height=0.6, color=COLOURS[2])
        bottom.axvline(0.0, color=GREY, linewidth=0.9)
        dress(bottom, "entry of the direction (largest: 1)")
        label_rows(bottom, [self.names[k] for k in order])
        return self
