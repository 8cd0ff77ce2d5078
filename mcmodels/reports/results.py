"""All that a fitted model says, from the rows that the user has: through pipelines and searches."""

from __future__ import annotations

import html
import textwrap
from dataclasses import replace
from typing import Any

import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_flag
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.summary import Summarised, Summary
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.chosen_covariance import ChosenCovariance
from mcmodels.reports.contrasts import ContrastResults
from mcmodels.reports.predictions import Predictions
from mcmodels.reports.ratios import require_ratios
from mcmodels.reports.term_tests import TermTests

__all__ = ["Results", "results"]

_LINE_WIDTH = 100


def results(fitted: Any) -> Results:
    """Inference of a fitted model, alone or at the end of a pipeline.

    Every method takes rows as ``fitted.predict`` takes them; coefficients have the names that the
    steps give to the columns.

    Parameters
    ----------
    fitted : estimator
        A fitted model of this package; a fitted Pipeline that ends in one; a
        ``TransformedTargetRegressor`` of either; or a search with such a ``best_estimator_``.
        Results are returned as they are.

    Returns
    -------
    Results

    Raises
    ------
    TypeError
        If there is no model of this package at the end.
    NotFittedError
        Before a fit.
    InferenceError
        If a step was fitted to y, such as a selection of columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from mcmodels import LinearRegression, results
    >>> X = pd.DataFrame({"age": [20.0, 30, 40, 50, 60], "tenure": [1.0, 5, 2, 8, 4]})
    >>> y = [10.0, 14, 19, 25, 28]
    >>> pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    >>> results(pipeline).confidence_intervals().round(2)
                 lower  upper
    age           4.63   8.23
    tenure       -1.38   2.21
    (intercept)  17.66  20.74
    """
    return fitted if isinstance(fitted, Results) else Results(fitted)


class Results(ContrastResults, TermTests, ChosenCovariance, Predictions, Summarised):
    """Inference of a fitted model through the steps before it; see :func:`results`.

    Parameters
    ----------
    fitted : estimator
        As :func:`results` takes it.
    route : Route, default=None
        The way to its model, if it has been found already.

    Attributes
    ----------
    fitted : estimator
        What was passed.
    model : estimator
        The model at the end, with the names that the steps give; its methods take the columns that
        the steps make.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, results
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> said = results(LinearRegression().fit(X, y))
    >>> print(said.confidence_intervals().round(2))
                 lower  upper
    x0            0.66   1.12
    x1           -0.06   0.41
    (intercept)  -0.39   0.06
    >>> print(said.wald_test("x1 = 0"))
    x1 = 0: F(1, 97) = 2.14003, p = 0.147
    """

    def __repr__(self) -> str:
        """The summary; where there is none, why. Looking at results never raises."""
        return self._shown("__repr__")

    def _repr_html_(self) -> str:
        return self._shown("_repr_html_")

    def _shown(self, how: str) -> str:
        try:
            return str(getattr(self.summary(), how)())
        except InferenceError as error:
            why = f"No summary of {type(self.model).__name__}: {error}"
            text = "\n".join(textwrap.wrap(why, _LINE_WIDTH, break_on_hyphens=False))
            return text if how == "__repr__" else f"<p>{html.escape(why)}</p>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the steps and of the fit.

        A search that chose the model, a transformed target; and why parameters are not determined,
        with the columns by the names that the steps give. The warning of the fit has said x0, x1,
        … where steps make arrays.
        """
        return (*self._route.notes, *self._told_by_the_fit())

    def _told_by_the_fit(self) -> tuple[str, ...]:
        """Why parameters are not determined, where the steps have names that the fit had not."""
        if self._route.names is None:
            return ()
        why = getattr(self.model._fit, "undetermined", "")
        space = getattr(self.model._fit, "estimable", None)
        return (why,) if why else () if space is None else (space.reason,)

    def summary(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals, and measures of fit.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust covariance. Here and in the other methods weights may
            also be the name of a column of X; so may ``groups``, ``offset`` and ``exposure``.
        **options
            Those of the model's ``summary``: ``level``, ``kind``, ``groups``, ``exponentiate``, ….

        Returns
        -------
        Summary
        """
        has_rows = not (X is None and y is None and sample_weight is None)
        if has_rows and isinstance(self.model._fit, PrincipalComponents):
            raise ValueError(
                "X, y and sample_weight are for robust covariances, and PCA has none; leave them "
                "out."
            )
        check_flag("exponentiate", options.get("exponentiate", False))
        if options.get("exponentiate"):
            require_ratios(self.model)
        found = self._asked("summary", X, y, sample_weight, **options)
        return replace(found, notes=(*found.notes, *self._route.notes))

    def confidence_intervals(
        self,
        level: float = 0.95,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Intervals that cover each parameter with probability ``level``; options as in summary."""
        check_level(level)  # before X and y, which somebody may have passed first
        return self._asked("confidence_intervals", X, y, sample_weight, level=level, **options)

    def covariance(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> Array:
        """Covariance of ``params_.ravel()`` of the model; with rows, a robust one."""
        return self._asked("covariance", X, y, sample_weight, **options)

    def delta_method(
        self,
        g: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> Any:
        """A smooth function of ``params_`` of the model, with its standard error."""
        return self._asked("delta_method", X, y, sample_weight, g=g, **options)

    def likelihood_ratio_tests(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Tests that single parameters are zero, by fits without them; X, y: the training rows."""
        return self._asked("likelihood_ratio_tests", X, y, sample_weight, **options)

    def profile_intervals(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Intervals of the values that a likelihood-ratio test does not reject."""
        return self._asked("profile_intervals", X, y, sample_weight, **options)

    def likelihood_profile(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> pd.DataFrame:
        """The likelihood along each parameter, for plots; X, y: the training rows."""
        return self._asked("likelihood_profile", X, y, sample_weight, **options)

    def influence(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **options: Any,
    ) -> pd.DataFrame:
        """How much each training row changes the fit, without refitting; it has the index of X."""
        return self._of_rows("influence", X, y, sample_weight, **options)
