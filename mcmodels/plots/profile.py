"""The likelihood along one parameter, beside the parabola that Wald's interval assumes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.plots.asked import (
    coefficients,
    known,
    require_parameters,
    require_targets,
)
from mcmodels.plots.display import Display
from mcmodels.plots.names import shortened
from mcmodels.plots.style import COLOURS, GREY, dress, legend

__all__ = ["ProfileDisplay"]

_POINTS = 41  # values of the parameter: the line looks smooth


class ProfileDisplay(Display, draws="the profile of a parameter of a fitted model"):
    """Twice the drop of the log-likelihood along a parameter, and ``((θ - θ̂)/s)²``.

    The other parameters are at their best for each value. An interval has the values below the grey
    line, the square of a quantile; its ends are marked for both curves.

    Parameters
    ----------
    profile : DataFrame
        Columns value and drop, of ``likelihood_profile``.
    estimate, standard_error : float
        Of the parameter.
    limit : float
        The square of the quantile.
    ends, wald_ends : (float, float)
        Of the profile interval and of Wald's.
    name : str, default="parameter"
        Of the parameter.
    level : float, default=0.95
        Of the intervals.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import GeneralizedLinearRegressor
    >>> from mcmodels.plots import ProfileDisplay
    >>> X, y = pd.DataFrame({"dose": [0.0, 1, 2, 3, 4, 5]}), [0, 1, 0, 2, 5, 6]
    >>> model = GeneralizedLinearRegressor("poisson").fit(X, y)
    >>> display = ProfileDisplay.from_estimator(model, X, y, parameter="dose")
    >>> round(display.ends[0], 3), round(display.wald_ends[0], 3)
    (0.287, 0.243)
    """

    def __init__(
        self,
        profile: pd.DataFrame,
        *,
        estimate: float,
        standard_error: float,
        limit: float,
        ends: tuple[float, float],
        wald_ends: tuple[float, float],
        name: str = "parameter",
        level: float = 0.95,
    ) -> None:
        self.profile, self.estimate, self.standard_error = profile, estimate, standard_error
        self.limit, self.ends, self.wald_ends = limit, ends, wald_ends
        self.name, self.level = name, level

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        parameter: str | None = None,
        level: float = 0.95,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw the profile of a parameter.

        Parameters
        ----------
        results : Results
            Of a model that has a likelihood, without a penalty.
        X, y, sample_weight
            The training rows.
        parameter : str, default=None
            Its name; the first that is determined by default.
        level : float, default=0.95
            Of the intervals, in (0, 1). The curves reach to the ends of wider ones.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets
            ``offset`` or ``exposure``, if the fit has had one.

        Returns
        -------
        ProfileDisplay
        """
        results = require_parameters(results, "ProfileDisplay")
        require_targets(results, X, y, "ProfileDisplay")
        wide = 1.0 - (1.0 - check_level(level)) / 5.0
        table = coefficients(results, level)
        determined = table.index[table["standard_error"].notna()]
        if parameter is None:
            parameter = table.index[0] if determined.empty else determined[0]
        name = known(parameter, table.index, "parameter")
        if name not in determined:
            raise InferenceError(
                f"{name} has no profile: it is not determined (NA in the summary, which says why). "
                f"Determined are {listed(list(determined))}."
            )
        rows = (X, y, sample_weight)
        named = {"parameters": [name], **offsets}
        profile = results.likelihood_profile(*rows, level=wide, points=_POINTS, **named)
        found = results.profile_intervals(*rows, level=level, **named)
        row = table.loc[name]
        return cls(
            profile.reset_index(drop=True),
            estimate=float(row["coefficient"]),
            standard_error=float(row["standard_error"]),
            limit=float(results.model._fit.estimate.quantile(level)) ** 2,
            ends=(float(found["lower"].iloc[0]), float(found["upper"].iloc[0])),
            wald_ends=(float(row["lower"]), float(row["upper"])),
            name=str(name),
            level=level,
        ).plot(ax)

    def parabola(self, values: Array) -> Array:
        """``((θ - θ̂)/s)²`` at values of the parameter, shape (k,)."""
        return ((np.asarray(values) - self.estimate) / self.standard_error) ** 2

    def _shows(self) -> str:
        return f"likelihood along {self.name}"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is where, a new figure by default.

        Returns
        -------
        ProfileDisplay
        """
        (ax,) = self._start(ax, 2.4)
        values, drop = self.profile["value"].to_numpy(), self.profile["drop"].to_numpy()
        highest = 1.7 * self.limit
        ax.axhline(self.limit, color=GREY, linewidth=0.8, zorder=0)
        ax.plot(values, drop, color=COLOURS[0], linewidth=1.4, label="likelihood")
        reach = self.standard_error * np.sqrt(highest)
        dense = np.linspace(self.estimate - reach, self.estimate + reach, 101)
        ax.plot(
            dense,
            self.parabola(dense),
            color=COLOURS[1],
            linewidth=1.2,
            dashes=(4, 2),
            label="parabola (Wald)",
        )
        for k, ends in enumerate((self.ends, self.wald_ends)):
            at = [end for end in ends if np.isfinite(end)]
            height = [self.limit] * len(at)
            ax.vlines(at, 0.0, height, color=COLOURS[k], linewidth=0.8, linestyle=("-", "--")[k])
            ax.plot(at, height, ("o", "s")[k], color=COLOURS[k], markersize=3.5)
        ax.set_ylim(0.0, highest)
        dress(ax, shortened([self.name], 32)[0], "2 (maximum − log-likelihood)")
        note = ax.annotate(
            f"{100 * self.level:g} %",
            (1.0, self.limit),
            (0, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=7.0,
            color=GREY,
            ha="right",
        )
        note.set_in_layout(False)
        legend(ax, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.1)
        return self
