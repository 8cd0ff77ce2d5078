"""The objective about its minimum, the quadratic of its Hessian, and the spectrum of that."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError
from mcmodels.inference.class_differences import ClassDifferences
from mcmodels.inference.curvature_surface import CurvatureSurface, curvature_surface
from mcmodels.inference.ellipses import ellipse, squared_radius
from mcmodels.plots.asked import known, require_parameters, require_targets, two_of
from mcmodels.plots.display import Display
from mcmodels.plots.names import shortened
from mcmodels.plots.style import COLOURS, GREY, dress, log_ticks

__all__ = ["CurvatureDisplay"]

_LEVELS = (0.5, 0.8, 0.95)
_COUNT = 17  # values of each parameter
# How far the parameters go, in ends of the largest ellipse, until the largest contour is inside.
_REACHES = (1.35, 2.0, 3.0)
_FINER = 8  # so many times more for the lines
_MOST = 60  # eigenvalues that are shown
# How far below the fit, in heights of the lowest contour, another minimum is; and the share of the
# values at which the objective must be known.
_BELOW, _KNOWN = 1e-3, 0.6


class CurvatureDisplay(Display, draws="the objective of a fitted model"):
    """Contours of the objective in two parameters, and the ellipses of its Hessian.

    The other parameters are minimised over for each pair of values, by some thousand passes over
    the rows. Contours are joint confidence
    regions of 50, 80 and 95 %, by the likelihood; dashed ellipses are the same by the Hessian, so
    that they are equal where the objective is quadratic. The second panel has the eigenvalues of
    the Hessian over all parameters, on a logarithmic axis. With more than two classes parameters
    are differences from the first class, named ``class:feature``
    (:mod:`mcmodels.inference.class_differences`).

    Parameters
    ----------
    surface : CurvatureSurface
        The objective and the quadratic; see :mod:`mcmodels.inference.curvature_surface`.
    eigenvalues : ndarray of shape (P,)
        Of the Hessian, descending.
    names : (str, str)
        Of the two parameters.
    radii : sequence of float
        ``q²`` of the contours.

    Attributes
    ----------
    figure_, ax_, axes_ : matplotlib Figure, Axes, ndarray of Axes
        See :class:`mcmodels.plots.display.Display`; there are two panels.
    contours_ : matplotlib ContourSet
        Of the objective.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LogisticRegression
    >>> from mcmodels.plots import CurvatureDisplay
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> model = LogisticRegression(C=float("inf")).fit(cars[["wt", "hp"]], cars["am"])
    >>> display = CurvatureDisplay.from_estimator(model, cars[["wt", "hp"]], cars["am"])
    >>> display.names, len(display.eigenvalues)
    (('wt', 'hp'), 3)
    """

    def __init__(
        self,
        surface: CurvatureSurface,
        eigenvalues: Array,
        *,
        names: tuple[str, str],
        radii: Any,
    ) -> None:
        self.surface, self.eigenvalues = surface, eigenvalues
        self.names, self.radii = names, tuple(radii)

    @classmethod
    def from_results(
        cls,
        results: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        parameters: tuple[str, str] | None = None,
        ax: Any = None,
        **offsets: Any,
    ) -> Self:
        """Draw the objective of results.

        Parameters
        ----------
        results : Results
            Of a model with one output, or of classes.
        X, y, sample_weight
            The training rows.
        parameters : (str, str), default=None
            Names of the two; the first two by default.
        ax : array of two matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **offsets
            ``offset`` or ``exposure``, if the fit has had one.

        Returns
        -------
        CurvatureDisplay

        Raises
        ------
        InferenceError
            For several targets, a single parameter, or a singular Hessian.
        """
        results = require_parameters(results, "CurvatureDisplay")
        model = results.model
        require_targets(results, X, y, "CurvatureDisplay")
        record, params = model._record(), model.params_
        several = hasattr(model, "classes_") and params.ndim == 2
        if (params.ndim != 1 and not several) or params.size < 2:
            raise InferenceError(
                f"CurvatureDisplay is of models with one output and two parameters or more, and of "
                f"classes; params_ has the shape {params.shape}."
            )
        estimate = record.model_estimate  # raises where the fit has none
        estimate = record.reported(estimate) if several else estimate
        names = list(estimate.names)
        given = names[:2] if parameters is None else parameters
        chosen = two_of(given, "parameters", "names")
        for name in chosen:
            known(name, names, "parameters")
        pair = (names.index(chosen[0]), names.index(chosen[1]))
        rows, targets, sample_weight, offsets = results._route.training_rows(
            X, y, sample_weight, **offsets
        )
        model._training_rows(rows, targets, sample_weight, **offsets)  # refuses others
        objective = model._objective_on(rows, targets, sample_weight, **offsets)
        errors = estimate.standard_errors
        undetermined = [name for name, error in zip(names, errors, strict=True) if np.isnan(error)]
        if undetermined:
            raise InferenceError(
                f"the Hessian is singular: {listed(undetermined)} are not determined, and the "
                "objective has no contours that close. Leave out columns that depend on others, "
                "such as by OneHotEncoder(drop='first')."
            )
        hessian = np.asarray(model.hessian_)
        if several:  # in differences from the first class, and what the penalty holds
            held = len(record.names) if record.is_penalised else 0
            objective = ClassDifferences(objective, params, held)
            params, T = objective.start, objective.map
            hessian = T.T @ hessian @ T
        inverse = np.linalg.inv(hessian)
        scale = float(estimate.covariance[pair[0], pair[0]] / inverse[pair[0], pair[0]])
        if not scale > 0:
            raise InferenceError(
                "the fit is perfect: residuals are zero, and its variance, the scale of the "
                "contours, is zero. Check whether y is computed from columns of X."
            )
        radii = [squared_radius(level, float(np.min(estimate.df))) for level in _LEVELS]
        largest = float(radii[-1])
        for reach in _REACHES:
            q = reach * np.sqrt(largest)
            surface = curvature_surface(objective, params, hessian, pair, scale, q, _COUNT)
            if surface.is_beyond(largest):
                break
        _refuse_half(surface.drop, min(radii))
        eigenvalues = np.linalg.eigvalsh(hessian)[::-1]
        return cls(surface, eigenvalues, names=(chosen[0], chosen[1]), radii=radii).plot(ax)

    def _shows(self) -> str:
        return f"objective in {self.names[0]} and {self.names[1]}"

    def plot(self, ax: Any = None) -> Self:
        """Draw; ``ax`` is an array of two axes, those of a new figure by default.

        Returns
        -------
        CurvatureDisplay
        """
        left, right = self._start(ax, 1.9, columns=2)
        if self._own:
            self.figure_.set_size_inches(3.4, 1.9)
            left.get_gridspec().set_width_ratios([1.7, 1.0])
        found = self.surface
        fine = found.refined(_FINER)
        drop = np.ma.masked_invalid(fine.drop)
        self.contours_ = left.contour(
            fine.first, fine.second, drop, levels=self.radii, colors=COLOURS[0], linewidths=1.1
        )
        for radius in self.radii:
            outline = ellipse(found.centre, found.covariance, float(np.sqrt(radius)))
            left.plot(*outline.T, color=COLOURS[1], linewidth=0.9, dashes=(4, 2))
        left.plot(*found.centre, "+", color="black", markersize=6)
        x, y = shortened(self.names, 18)
        dress(left, x, y, "objective; dashed: Hessian")
        shown = self.eigenvalues[:_MOST]
        positive = shown > 0
        at = np.arange(1, len(shown) + 1)
        right.set_yscale("log")
        right.plot(at[positive], shown[positive], "o", color=COLOURS[0], markersize=3.5)
        dress(right, "eigenvalue", "", "spectrum")
        limits = shown[positive].min() / 2.0, shown[positive].max() * 2.0
        right.vlines(at[positive], limits[0], shown[positive], color=COLOURS[0], linewidth=0.8)
        right.set_ylim(*limits)
        log_ticks(right.yaxis, *limits)
        right.set_xticks(at[:: -(-len(at) // 4)])
        right.set_xlim(0.4, len(shown) + 0.6)
        right.grid(axis="y", color="0.92", linewidth=0.6)
        right.tick_params(axis="x", color=GREY)
        return self


def _refuse_half(drop: Array, least: float) -> None:
    """Raise where the surface has no contours about the fit: it is not at the minimum, or unknown.

    ``least`` is the height of the lowest contour.
    """
    known = np.isfinite(drop)
    if known.any() and drop[known].min() < -_BELOW * least:
        raise InferenceError(
            "the fit did not converge: the objective is lower elsewhere, and its contours are "
            "about its minimum. Fit again with a larger max_iter, or scale the columns."
        )
    if known.mean() < _KNOWN:
        raise InferenceError(
            "the best values of the other parameters were not found: the objective is nearly flat "
            "along some of them, as where a level has one class alone, and has no contours here. "
            "Penalise (a finite C, or alpha > 0), merge levels, or drop columns."
        )
