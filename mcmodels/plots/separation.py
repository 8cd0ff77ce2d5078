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
from mcmodels.plots.names import PLAIN, labelled, shortened
from mcmodels.plots.style import (
    COLOURS,
    GREY,
    MARKERS,
    columns_of,
    dress,
    label_rows,
    legend,
)
from mcmodels.rows import rows_of
from mcmodels.solvers.separation import separates, separates_by_linear_program

__all__ = ["SeparationDisplay"]

_MOST_ENTRIES = 12


class SeparationDisplay(Display, draws="the direction that separates the classes of a fit"):
    """Rows of the classes along a direction d that separates them, and the entries of d.

    No row of the second class has ``x̃ᵀd < 0`` and none of the first ``x̃ᵀd > 0``: along d the
    likelihood grows for ever. Rows at zero rest: they are not separated. The direction is proved
    (:mod:`mcmodels.solvers.separation`); others may separate, too. Columns that are not in it have
    no part in the separation.

    With more than two classes d has a vector d_k for each. A row of class k has the margin
    ``x̃ᵀ(d_k - d_l)`` against each other class l, drawn in the colour of l: none is negative, and
    those at zero rest. Entries are of the differences ``d_k - d_0`` from the first class.

    Parameters
    ----------
    projections : ndarray of shape (n,) or (n, K)
        ``x̃ᵀd`` of each row; of several classes ``x̃ᵀd_k``.
    codes : ndarray of shape (n,)
        Class of each row, 0, 1, ….
    direction : ndarray of shape (P,) or ((K - 1)·P,)
        d; of several classes the differences.
    names : sequence of str
        Names of its entries.
    labels : sequence of object
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
        labels: Sequence[object] = (0, 1),
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
            Of a logistic model of at most seven classes, with or without a penalty.
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
        if labels is None or len(labels) > len(COLOURS):
            count = "no classes" if labels is None else f"{len(labels)} classes"
            raise InferenceError(
                f"SeparationDisplay is of two to {len(COLOURS)} classes, which colours can tell "
                f"apart; this model has {count}."
            )
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
        names = list(model._fit.parameter_names)
        entries = proved
        if proved.ndim == 2:
            entries = (proved[1:] - proved[0]).ravel()
            names = [f"{label}:{name}" for label in labels[1:] for name in names]
        largest = np.abs(entries).max()  # divided afterwards: rows that rest stay at zero
        projections = found[:, :-1] if proved.ndim == 2 else found[:, 0]
        return cls(
            projections / largest,
            found[:, -1],
            entries / largest,
            names=names,
            labels=list(labels),
        ).plot(ax)

    def margins(self, code: int) -> list[tuple[int, Array]]:
        """What is drawn of a class: colours, and a number for each of its rows.

        Of two classes its projections; of several, its margins against each other class.
        """
        of = self.projections[self.codes == code]
        if of.ndim == 1:
            return [(code, of)]
        return [(k, of[:, code] - of[:, k]) for k in range(len(self.labels)) if k != code]

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
        K = len(self.labels)
        several = K > 2
        strips = 1.3 + 0.35 * (K - 2)
        top, bottom = self._start(ax, 0.6 + strips + 0.15 * len(order) + 0.2 * several, rows=2)
        if self._own:
            top.get_gridspec().set_height_ratios([strips, 0.4 + 0.14 * len(order)])
        short = shortened([str(label) for label in self.labels], 14)
        names = shortened([self.names[k] for k in order], 22)
        for code in range(K):
            drawn = self.margins(code)
            for part, (colour, at) in enumerate(drawn):
                # Points of equal places are spread over the height by the golden ratio.
                spread = (np.arange(len(at)) * 0.6180339887498949 % 1.0 - 0.5) * 0.7
                top.plot(
                    at,
                    code + (spread + part + 0.5) / len(drawn) - 0.5,
                    MARKERS[colour],
                    color=COLOURS[colour],
                    markersize=2.8,
                    markeredgewidth=0,
                    alpha=0.7,
                )
        top.axvline(0.0, color=GREY, linewidth=0.9, zorder=0)
        what = "margin of a class along the direction" if several else ""
        dress(top, what or "along the direction that separates", "")
        top.set_yticks(range(K), short, **PLAIN)
        top.set_ylim(-0.6, K - 0.4)
        if several:
            for code, name in enumerate(short):
                style = {"color": COLOURS[code], "linestyle": "none", "markersize": 4}
                top.plot([], [], MARKERS[code], label=labelled(name), **style)
            legend(
                top,
                "against",
                loc="lower left",
                bbox_to_anchor=(0.0, 1.0),
                ncols=columns_of(short, names),
                handletextpad=0.1,
            )
        top.tick_params(axis="y", length=0)
        bottom.barh(range(len(order)), self.direction[order], height=0.6, color=COLOURS[2])
        bottom.axvline(0.0, color=GREY, linewidth=0.9)
        dress(bottom, "entry of the direction (largest: 1)")
        label_rows(bottom, names)
        return self
