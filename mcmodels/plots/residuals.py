"""Four pictures of residuals: against fitted values, quantiles, scale, leverage."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights
from mcmodels.exceptions import InferenceError
from mcmodels.inference.envelopes import (
    envelope_of_normal,
    envelope_of_regression,
    normal_scores,
    order_positions,
)
from mcmodels.inference.glm_residuals import quantile_residuals
from mcmodels.objectives.families import Binomial
from mcmodels.plots.asked import class_position, require_parameters, require_targets
from mcmodels.plots.display import Display
from mcmodels.plots.style import COLOURS, GREY, dress
from mcmodels.records.linear import LinearFit
from mcmodels.reports.input_rows import len_of

__all__ = ["ResidualsDisplay"]

_SEED, _DRAWS = 0, 200
_CONTOURS = (0.5, 1.0)


class ResidualsDisplay(Display, draws="the residuals of a fitted model or pipeline"):
    """Residuals against fitted values, normal quantiles, scale, and leverage with Cook's contours.

    Residuals of least squares are standardized by ``σ̂√(1 - h)``. Those of classes and of
    generalized linear models are randomized quantile residuals, which are standard normal if the
    model is right (Dunn and Smyth 1996, *Randomized quantile residuals*, JCGS 5(3)), with a fixed
    seed; of Tweedie's family, whose distribution has no closed form, deviance residuals without an
    envelope. The band of the quantiles is simulated: of least squares with the leverages of the
    rows and an estimated σ, else of independent normal values. The last panel has the residuals of
    which Cook's distance is made: ``D = r²h/((1 - h)P)``; dashed lines are where D is 0.5 and 1.

    With more than two classes the residuals are of one class against the others: whether a row is
    of the class is binomial with its probability. Leverages are matrices there, and the last panel
    is empty.

    Parameters
    ----------
    fitted : ndarray of shape (n,)
        Fitted means, or probabilities.
    residuals : ndarray of shape (n,)
        Those of the first three panels.
    leverage, standardized : ndarray of shape (n,) or None
        Leverages, and the residuals that Cook's distance is made of; None leaves the last panel
        empty.
    n_params : int
        The number of parameters, P.
    envelope : ndarray of shape (k, 2) or None
        Ends of the band, for the order statistics of
        :func:`mcmodels.inference.envelopes.order_positions`.
    kind : str, default="standardized"
        What the residuals are, for labels.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`; there are four panels.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression
    >>> from mcmodels.plots import ResidualsDisplay
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> X, y = cars[["wt", "qsec", "am"]], cars["mpg"]
    >>> display = ResidualsDisplay.from_estimator(LinearRegression().fit(X, y), X, y)
    >>> display.kind, len(display.axes_)
    ('standardized', 4)
    """

    def __init__(
        self,
        fitted: Array,
        residuals: Array,
        *,
        leverage: Array | None,
        standardized: Array | None,
        n_params: int,
        envelope: Array | None = None,
        kind: str = "standardized",
    ) -> None:
        self.fitted, self.residuals = fitted, residuals
        self.leverage, self.standardized, self.n_params = leverage, standardized, n_params
        self.envelope, self.kind = envelope, kind

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        label: Any = None,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw the residuals of the training rows.

        Parameters
        ----------
        results : Results
            Of a model with one output, or of classes.
        X, y, sample_weight
            The training rows.
        label : object, default=None
            The class whose residuals are drawn; the last by default. Those of two classes differ in
            the sign, and in what is drawn at random.
        ax : array of four matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets
            ``offset`` or ``exposure``, if the fit has had one.

        Returns
        -------
        ResidualsDisplay
        """
        results = require_parameters(results, "ResidualsDisplay")
        require_targets(results, X, y, "ResidualsDisplay")
        model, route = results.model, results._route
        rows, targets, sample_weight, offsets = route.training_rows(X, y, sample_weight, **offsets)
        sample_weight = check_weights(sample_weight, np.empty((len_of(rows), 0)))
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if sample_weight is not None and not (sample_weight > 0).all():
            raise ValueError(
                "ResidualsDisplay draws every row, and some have weight 0; leave them out of X, y "
                "and sample_weight."
            )
        if not hasattr(model, "influence"):
            raise InferenceError(f"{type(model).__name__} has no influence of rows to draw.")
        is_class = hasattr(model, "classes_")
        if label is not None and not is_class:
            raise ValueError(f"label={label!r} is for classes; {type(model).__name__} has none.")
        n_params = int(model.params_.size)
        leverage = standardized = envelope = None
        if is_class and len(model.classes_) > 2:
            model._training_rows(rows, targets, sample_weight, **offsets)  # refuses others
        else:
            table = model.influence(rows, targets, **given, **offsets)
            leverage, standardized = (
                table[column].to_numpy() for column in ("leverage", "standardized_residual")
            )
        random, simulated = np.random.RandomState(_SEED), np.random.RandomState(_SEED)
        if isinstance(model._fit, LinearFit):
            assert standardized is not None
            fitted, found, kind = model.predict(rows), standardized, "standardized"
            Z = model._unlabelled_rows(rows).map(model._fit.model.whitening.of)
            if sample_weight is not None:
                Z = Z * np.sqrt(np.asarray(sample_weight, dtype=np.float64))[:, np.newaxis]
            positions = order_positions(len(found))
            envelope = envelope_of_regression(Z, positions, 0.95, _DRAWS, simulated)
        else:
            if is_class:
                fitted, found, kind = _of_class(model, rows, targets, label, offsets, random)
            else:
                fitted, found, kind = _quantile(model, rows, targets, given, offsets, random)
            if kind == "quantile":
                n = len(found)
                envelope = envelope_of_normal(n, order_positions(n), 0.95, _DRAWS, simulated)
        return cls(
            np.asarray(fitted),
            np.asarray(found),
            leverage=leverage,
            standardized=standardized,
            n_params=n_params,
            envelope=envelope,
            kind=kind,
        ).plot(ax)

    def _shows(self) -> str:
        return f"{self.kind} residuals of {len(self.residuals)} rows"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is an array of four axes, those of a new figure by default.

        Returns
        -------
        ResidualsDisplay
        """
        panels = self._start(ax, 3.3, columns=2, rows=2)
        dots = {"markersize": 2.4, "color": COLOURS[0], "alpha": 0.7, "markeredgewidth": 0}
        line = {"color": GREY, "linewidth": 0.8, "zorder": 0}
        first, quantiles, scale, last = panels
        first.plot(self.fitted, self.residuals, "o", **dots)
        first.axhline(0.0, **line)
        dress(first, "fitted", f"{self.kind} residual")

        n, positions = len(self.residuals), order_positions(len(self.residuals))
        x = normal_scores(n, positions)
        # Rows that alone determine a parameter have no residual.
        ordered = np.sort(self.residuals)[positions]
        if self.envelope is not None:
            lower, upper = self.envelope.T
            quantiles.fill_between(x, lower, upper, color=COLOURS[5], alpha=0.3, linewidth=0)
        quantiles.plot([x[0], x[-1]], [x[0], x[-1]], **line)
        quantiles.plot(x, ordered, "o", **dots)
        dress(quantiles, "normal quantile", "sorted residual")

        scale.plot(self.fitted, np.sqrt(np.abs(self.residuals)), "o", **dots)
        scale.set_ylim(bottom=0.0)
        dress(scale, "fitted", "√|residual|")

        if self.leverage is None or self.standardized is None:
            last.set_axis_off()
            return self
        last.plot(self.leverage, self.standardized, "o", **dots)
        last.axhline(0.0, **line)
        self._contours(last, self.leverage, self.standardized)
        dress(last, "leverage", "std. residual")
        return self

    def _contours(self, ax: Any, leverage: Array, standardized: Array) -> None:
        """Lines of equal Cook's distance, inside the limits that the points give."""
        finite = np.isfinite(standardized)
        highest = np.abs(standardized[finite]).max(initial=1.0) * 1.15
        right = min(float(leverage.max(initial=0.0)) * 1.12, 1.0) or 1.0
        ax.set_xlim(0.0, right)
        ax.set_ylim(-highest, highest)
        h = np.linspace(right / 400, right * (1.0 - 1e-9), 400)
        labelled = -np.inf
        for distance in _CONTOURS:
            r = np.sqrt(distance * self.n_params * (1.0 - h) / h)
            for side in (-1.0, 1.0):
                ax.plot(h, side * r, color=COLOURS[1], linewidth=0.9, dashes=(4, 2))
            # Where there is room for a label under the line, and beside the one before.
            if r[-1] <= 0.85 * highest and r[-1] - labelled >= 0.25 * highest:
                labelled = r[-1]
                note = ax.annotate(
                    f"{distance:g}",
                    (right, r[-1]),
                    (-1, -1),
                    textcoords="offset points",
                    fontsize=6.5,
                    color=COLOURS[1],
                    ha="right",
                    va="top",
                )
                note.set_in_layout(False)


def _of_class(
    model: Any, rows: Any, targets: Any, label: Any, offsets: dict[str, Any], random: Any
) -> tuple[Array, Array, str]:
    """Probabilities of a class, and quantile residuals of whether rows are of it."""
    position, label = class_position(model, label)
    fitted = np.asarray(model.predict_proba(rows, **offsets), dtype=np.float64)[:, position]
    is_of = (np.asarray(targets).ravel() == label).astype(np.float64)
    return fitted, quantile_residuals(Binomial(), is_of, fitted, None, 1.0, random), "quantile"


def _quantile(
    model: Any,
    rows: Any,
    targets: Any,
    weights: dict[str, Any],
    offsets: dict[str, Any],
    random: Any,
) -> tuple[Array, Array, str]:
    """Fitted values, randomized quantile residuals, and what they are."""
    fitted = model.predict(rows, **offsets)
    if not hasattr(model, "family"):
        table = model.influence(rows, targets, **weights, **offsets)
        name = "deviance" if "deviance_residual" in table else "standardized"  # of own losses
        return fitted, table[f"{name}_residual"].to_numpy(), name
    try:
        found = model.residuals(
            rows, targets, **weights, kind="quantile", random_state=random, **offsets
        )
        return fitted, found, "quantile"
    except InferenceError:
        return fitted, model.residuals(rows, targets, **weights, **offsets), "deviance"
