"""Scores and loadings of two principal components in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike
from mcmodels.estimators.arguments import check_count
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.ellipses import ellipse, loading_covariances, squared_radius
from mcmodels.inference.estimate import check_level
from mcmodels.plots.asked import require_components, require_targets, two_of
from mcmodels.plots.display import Display
from mcmodels.plots.names import labelled, shortened
from mcmodels.plots.style import (
    BAND,
    COLOURS,
    GREY,
    MARKERS,
    columns_of,
    dress,
    label_points,
    legend,
)

__all__ = ["BiplotDisplay"]

_MOST_CLASSES = 7
_FLAT = 0.02  # height over width of an ellipse that has no area to be seen
_MOST_LABELS = 12


class BiplotDisplay(Display, draws="a PCA, alone or at the end of a pipeline"):
    """Scores of the rows as points, loadings of the columns as arrows, with ellipses.

    Loadings have no unit in common with scores: they are multiplied by ``factor_``, so that the
    longest arrow is as long as the scores reach. An ellipse covers the two loadings of a column
    together with probability ``level``, asymptotically for normal rows
    (:func:`mcmodels.inference.ellipses.loading_covariances`). Where one is larger than the picture,
    the axes are arbitrary, and ellipses are left out. The twelve longest arrows have names, as far
    as there is room for them.

    Parameters
    ----------
    scores : ndarray of shape (n, 2)
        Of the rows.
    loadings : ndarray of shape (p, 2)
        Of the columns.
    names : sequence of str
        Names of the columns.
    covariances : ndarray of shape (p, 2, 2) or None
        Of the loadings of each column.
    classes : sequence or None
        A class of each row, for colours and markers.
    labels : (str, str)
        What the axes are.
    level : float, default=0.95
        Of the ellipses.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.
    factor_ : float
        Units of the scores for a loading of one.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import PCA
    >>> from mcmodels.plots import BiplotDisplay
    >>> iris = pd.read_csv("datasets/iris.csv")
    >>> X = iris.drop(columns="Species")
    >>> display = BiplotDisplay.from_estimator(PCA().fit(X), X, iris["Species"])
    >>> display.loadings.shape
    (4, 2)
    """

    def __init__(
        self,
        scores: Array,
        loadings: Array,
        names: Sequence[str],
        *,
        covariances: Array | None = None,
        classes: Any = None,
        labels: tuple[str, str] = ("first component", "second component"),
        level: float = 0.95,
    ) -> None:
        self.scores, self.loadings, self.names = scores, loadings, list(names)
        self.covariances, self.classes = covariances, classes
        self.labels, self.level = labels, level

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        *,
        components: tuple[int, int] = (0, 1),
        level: float = 0.95,
        ax: Any = None,
    ) -> Self:
        """Draw two components of results of a PCA.

        Parameters
        ----------
        results : Results
            Of a PCA.
        X : matrix
            Rows, as the pipeline takes them.
        y : sequence, default=None
            A class of each row, at most seven of them.
        components : (int, int), default=(0, 1)
            Which two, counted from 0.
        level : float, default=0.95
            Of the ellipses, in (0, 1).
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        BiplotDisplay
        """
        results = require_components(results, "BiplotDisplay")
        model = results.model
        require_targets(results, X, 0, "BiplotDisplay")
        record = model._fit
        pair = two_of(components, "components", "positions, such as (0, 1)")
        check_level(level)
        if y is not None and np.ndim(y) != 1:
            raise ValueError(f"y={example_of(y)} must have a class for each row of X.")
        for k in pair:
            check_count("components", k, at_least=0)
        if max(pair) >= model.n_components_:
            raise InferenceError(
                f"the fit has {model.n_components_} components, and component {max(pair)} was "
                "asked for; they are counted from 0. Fit more, or choose others."
            )
        scores = np.asarray(model.transform(results._route.rows(X)), dtype=np.float64)[:, pair]
        shares = model.explained_variance_ratio_
        titles = model.get_feature_names_out()
        labels = tuple(f"{titles[k]} ({100 * shares[k]:.3g} % of variance)" for k in pair)
        covariances = loading_covariances(record.spectrum, *pair)
        # The axes of the record may have other signs than those of the model.
        signs = np.sign(np.einsum("kj,kj->k", model.components_[pair], record.spectrum.axes[pair]))
        covariances[:, 0, 1] *= signs[0] * signs[1]
        covariances[:, 1, 0] *= signs[0] * signs[1]
        return cls(
            scores,
            np.asarray(model.components_, dtype=np.float64)[pair].T,
            record.names,
            covariances=covariances,
            classes=y,
            labels=(labels[0], labels[1]),
            level=level,
        ).plot(ax)

    def _shows(self) -> str:
        return f"{len(self.scores)} scores and {len(self.loadings)} loadings on two components"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        BiplotDisplay
        """
        (ax,) = self._start(ax, 3.2)
        reach = np.abs(self.scores).max(initial=0.0) or 1.0
        longest = np.hypot(*self.loadings.T).max(initial=0.0) or 1.0
        self.factor_ = float(0.9 * reach / longest)
        names = self._draw_scores(ax)
        tips = self.factor_ * self.loadings
        outlines = self._ellipses(reach)
        for tip, outline in zip(tips, outlines, strict=True):
            ax.plot([0.0, tip[0]], [0.0, tip[1]], color="black", linewidth=1.0, zorder=4)
            if outline is not None:
                wide, high = np.linalg.svd(outline - outline.mean(axis=0), compute_uv=False)
                # Of two columns an ellipse is a line: loadings turn, and that is all.
                width = 0.0 if high > _FLAT * wide else 2.0
                ax.fill(*outline.T, color="black", alpha=BAND, linewidth=width, zorder=3)
        ax.plot(*tips.T, "o", color="black", markersize=2.5, zorder=5)
        for draw in (ax.axhline, ax.axvline):
            draw(0.0, color=GREY, linewidth=0.5, zorder=0)
        dress(ax, *self.labels)
        ax.margins(0.14)
        if names:
            columns = columns_of(names)
            legend(
                ax, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, handletextpad=0.1
            )
        sizes = np.array([[0.0, 0.0] if o is None else np.ptp(o, axis=0) / 2.0 for o in outlines])
        longest_first = np.argsort(-np.hypot(*tips.T), kind="stable")[:_MOST_LABELS]
        names = [shortened(self.names, 18)[k] for k in longest_first]
        self.labels_ = label_points(
            ax, tips[longest_first], names, sizes[longest_first], self.scores
        )
        for note in self.labels_:
            note.set_zorder(6)
        return self

    def _ellipses(self, reach: float) -> list[Array | None]:
        none: list[Array | None] = [None] * len(self.loadings)
        if self.covariances is None or not np.isfinite(self.covariances).all():
            return none
        q = float(np.sqrt(squared_radius(self.level)))
        found = [
            self.factor_ * ellipse(centre, covariance, q)
            for centre, covariance in zip(self.loadings, self.covariances, strict=True)
        ]
        return none if np.abs(found).max() > 3.0 * reach else list(found)

    def _draw_scores(self, ax: Any) -> list[str]:
        """Points, in the colours of their classes; returns the names of these."""
        dots = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0, "alpha": 0.6}
        if self.classes is None:
            ax.plot(*self.scores.T, marker="o", color=COLOURS[0], **dots)
            return []
        classes = np.asarray(self.classes)
        missing = pd.isna(classes)
        classes = classes.astype(object)
        classes[missing] = None  # NA is not even unequal to a label
        labels = list(dict.fromkeys(classes[~missing].tolist()))
        rows = [~missing & (classes == label) for label in labels]
        if missing.any():
            labels, rows = [*labels, "NA"], [*rows, missing]
        if len(labels) > _MOST_CLASSES or len(classes) != len(self.scores):
            raise ValueError(
                f"y has {len(classes)} rows and {len(labels)} classes; it needs a class for each "
                f"of the {len(self.scores)} rows, and at most {_MOST_CLASSES} can be told apart."
            )
        names = shortened(labels, 14)
        for k, short in enumerate(names):
            ax.plot(
                *self.scores[rows[k]].T,
                marker=MARKERS[k],
                color=COLOURS[k],
                label=labelled(short),
                **dots,
            )
        return names
