"""The criterion of a chosen penalty along it, beside the effective degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.tuned_attributes import TunedAttributes
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.plots.asked import known, require_parameters, require_targets
from mcmodels.plots.display import Display
from mcmodels.plots.names import shortened
from mcmodels.plots.style import COLOURS, GREY, dress, legend, log_ticks
from mcmodels.rows import RowStream

__all__ = ["PenaltyCurveDisplay"]

# What the axis says of a criterion.
_WORDS = {"loo": "leave-one-out loss", "evidence": "−log evidence", "aic": "AIC"}
_MOST_PANELS = 6
# Heights in inches: of one panel, and of each of several and what is around them.
_HEIGHT, _OF_EACH, _AROUND = 2.5, 1.25, 0.5
# Beside a pole a criterion has no bound. So the axis shows at most so many times the range of the
# lower half of the points, or so many nats if that is more. The least range, as a share of the
# values.
_MOST_RANGES, _NATS, _LEAST_RANGE = 30.0, 4.0, 1e-7
# Points of a curve.
_POINTS = 41


class PenaltyCurveDisplay(Display, draws="the criterion of a chosen penalty along it"):
    """The criterion by which C or alpha was chosen, over it, and the effective degrees of freedom.

    The vertical line is the chosen value, ticks at the bottom are the values that the search tried.
    With one penalty, points show the criterion that it found there; of groups of columns, the
    others are held at their chosen values, and the search has moved all of them. Where the
    criterion is no number there is a gap. The intercept has no penalty, and no curve: its freedom
    is counted, and the evidence gives it a flat prior.

    Parameters
    ----------
    curves : dict of DataFrame
        By the names of groups, or by None for one penalty: a column of its parameter, then
        criterion and edf, of ``criterion_curve``.
    path : DataFrame
        What was tried, of ``criterion_path_``.
    chosen : dict of float
        The chosen values, by the keys of ``curves``.
    least : float
        The criterion there.
    criterion : str, default="loo"
        Its name: "loo", "evidence" or "aic".

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`; one panel for each group.
    freedom_axes_ : list of matplotlib Axes
        The axes of the degrees of freedom, on the right of each panel.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LogisticRegression
    >>> from mcmodels.plots import PenaltyCurveDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> y = (X[:, 0] + rng.logistic(size=100) > 0).astype(int)
    >>> model = LogisticRegression(C="loo").fit(X, y)
    >>> display = PenaltyCurveDisplay.from_estimator(model, X, y, values=[0.1, 1.0, 10.0])
    >>> display.curves[None].round(1)
          C  criterion  edf
    0   0.1       54.3  4.3
    1   1.0       51.7  5.6
    2  10.0       52.3  6.0
    """

    def __init__(
        self,
        curves: Mapping[Any, pd.DataFrame],
        path: pd.DataFrame,
        *,
        chosen: Mapping[Any, float],
        least: float,
        criterion: str = "loo",
    ) -> None:
        self.curves, self.path = dict(curves), path
        self.chosen, self.least, self.criterion = dict(chosen), least, criterion

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | RowStream | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        groups: Any = None,
        values: VectorLike | None = None,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw the criterion along the penalty; each point of the curve is a fit.

        Parameters
        ----------
        results : Results
            Of a model whose C or alpha was chosen by a criterion.
        X, y, sample_weight
            The training rows; a stream holds y and weights.
        groups : list of str, default=None
            Which of the groups of ``penalty_groups``; by default the first six at most. Of a model
            with one penalty, leave it out.
        values : array-like of shape (k,), default=None
            Positive values of C, or of alpha; by default 41 within three decades to both sides of
            the chosen one.
        ax : matplotlib Axes or array of them, default=None
            Where to draw, one for each group; a new figure by default.
        **offsets
            ``offset`` or ``exposure``, if the fit has had one.

        Returns
        -------
        PenaltyCurveDisplay

        Raises
        ------
        InferenceError
            If the penalty was given, or the model has none that can be chosen.
        """
        results = require_parameters(results, "PenaltyCurveDisplay")
        model: Any = results.model
        if not isinstance(model, TunedAttributes):
            raise InferenceError(
                "PenaltyCurveDisplay is of a penalty that was chosen by a criterion, and "
                f"{type(model).__name__} has none. Fit LogisticRegression(C='loo') or "
                "GeneralizedLinearRegressor(alpha='loo')."
            )
        record: Any = results.model._record()
        tuned = record._was_tuned
        if not isinstance(X, RowStream):
            require_targets(results, X, y, "PenaltyCurveDisplay")
        asked = _groups(groups, tuned.names)
        found = tuned.shown(tuned.values_of(record._penalty_name))
        chosen = {group: found if group is None else found[group] for group in asked}
        curves = {}
        for group, centre in chosen.items():
            at = centre * np.logspace(-3.0, 3.0, _POINTS) if values is None else values
            options = {"values": at, "group": group, **offsets}
            curves[group] = results._asked("criterion_curve", X, y, sample_weight, **options)
        return cls(
            curves,
            record.criterion_path,
            chosen=chosen,
            least=tuned.value,
            criterion=tuned.criterion,
        ).plot(ax)

    @property
    def parameter(self) -> str:
        """C or alpha."""
        return str(next(iter(self.curves.values())).columns[0])

    def _shows(self) -> str:
        groups = [str(group) for group in self.curves if group is not None]
        of = f" of {', '.join(groups)}" if groups else ""
        return f"{_WORDS.get(self.criterion, self.criterion)} along {self.parameter}{of}"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is an array of axes, one for each group; those of a new figure by default.

        Returns
        -------
        PenaltyCurveDisplay
        """
        count = len(self.curves)
        height = _HEIGHT if count == 1 else _AROUND + _OF_EACH * count
        panels = self._start(ax, height, rows=count)
        self.freedom_axes_ = [
            self._panel(panel, group, curve)
            for panel, (group, curve) in zip(panels, self.curves.items(), strict=True)
        ]
        keys = [
            panels[0].lines[0],
            self.freedom_axes_[0].lines[0],
            *panels[0].lines[1:3],
        ]
        legend(
            panels[0],
            handles=keys,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=2,
            borderaxespad=0.1,
        )
        return self

    def _panel(self, ax: Any, group: Any, curve: pd.DataFrame) -> Any:
        """Draw one group; returns the axes of the degrees of freedom."""
        at, values = curve.iloc[:, 0].to_numpy(), curve["criterion"].to_numpy()
        order = np.argsort(at)
        at, values, freedom = at[order], values[order], curve["edf"].to_numpy()[order]
        chosen, column = self.chosen[group], self.parameter if group is None else group
        tried = self.path[column].to_numpy()
        low, high = min(at[0], chosen) / 1.3, max(at[-1], chosen) * 1.3
        inside = (tried >= low) & (tried <= high)
        ax.set_xscale("log")
        ax.plot(at, values, color=COLOURS[0], linewidth=1.4, label="criterion")
        bottom = ax.get_xaxis_transform()
        stated = f"chosen: {chosen:.3g}"
        label = stated if group is None else "chosen"
        ax.axvline(chosen, color=GREY, linewidth=0.8, zorder=0, label=label)
        marks = {"linestyle": "", "color": COLOURS[0], "markersize": 3.2}
        found = self.path["criterion"].to_numpy()
        if group is None:
            ax.plot(tried[inside], found[inside], marker="o", label="tried", **marks)
        ax.plot(
            tried[inside],
            np.full(int(inside.sum()), 0.03),
            marker="|",
            transform=bottom,
            label="tried",
            **marks | {"color": GREY},
        )
        ax.plot([chosen], [self.least], "D", color=COLOURS[1], markersize=4.0)
        ax.set_ylim(*_limits(np.append(values, self.least)))
        ax.set_xlim(low, high)
        right = ax.twinx()
        right.plot(
            at,
            freedom,
            color=COLOURS[2],
            linewidth=1.1,
            dashes=(4, 2),
            label="effective degrees of freedom",
        )
        right.set_ylim(0.0, 1.08 * max(float(np.nanmax(freedom, initial=0.0)), 1.0))
        of = "" if group is None else f" of {shortened([str(group)], 22)[0]}, {stated}"
        dress(ax, f"{self.parameter}{of}", _WORDS.get(self.criterion, self.criterion))
        dress(right, "", "edf")
        right.spines["right"].set_visible(True)
        right.spines["right"].set_linewidth(0.6)
        right.spines["left"].set_visible(False)
        log_ticks(ax.xaxis, low, high)
        return right


def _groups(asked: Any, names: tuple[str, ...]) -> list[Any]:
    """The groups to draw; [None] for one penalty."""
    if not names:
        if asked is not None:
            raise ValueError(
                f"groups={example_of(asked)}, and the fit has one penalty for all columns. Leave "
                "it out."
            )
        return [None]
    if asked is None:
        return list(names[:_MOST_PANELS])
    listed = [asked] if isinstance(asked, str) else asked
    if not isinstance(listed, list | tuple | np.ndarray | pd.Index) or not len(listed):
        raise ValueError(f"groups={example_of(asked)} must be a list of names of groups.")
    found = [known(name, names, "groups") for name in listed]
    if len(found) > _MOST_PANELS or len(set(found)) < len(found):
        raise ValueError(
            f"groups={example_of(asked)} must be at most {_MOST_PANELS} different names; draw "
            "others in another picture."
        )
    return found


def _limits(values: Array) -> tuple[float, float]:
    """Limits of the axis of a criterion."""
    finite = values[np.isfinite(values)]
    low, high, middle = float(finite.min()), float(finite.max()), float(np.median(finite))
    reach = min(high - low, max(_MOST_RANGES * (middle - low), _NATS))
    reach = max(reach, _LEAST_RANGE * abs(low)) or 1.0
    return low - 0.12 * reach, low + 1.08 * reach
