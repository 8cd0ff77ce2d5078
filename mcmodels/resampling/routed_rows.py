"""Training rows of a model that stands alone, or behind the steps of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.estimators.arguments import refuse_other_order
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.model import Model
from mcmodels.estimators.offsets import with_offsets
from mcmodels.exceptions import InferenceError
from mcmodels.reports.route import Route
from mcmodels.resampling.fit_functions import LossOn, PredictionAt
from mcmodels.resampling.training_data import TrainingData
from mcmodels.tables.dask_stream import is_dask

__all__ = ["RoutedRows", "index_of_rows"]

# Arguments by name, for what is refused.
_ARGUMENTS = {
    "attribution": ("sample_weight", "of", "groups", "order"),
    "most_influential": (
        *("sample_weight", "of", "change", "kind", "groups", "level", "max_share"),
    ),
}


def index_of_rows(
    route: Route, X: Any, y: Any, sample_weight: Any, n_rows: int | None
) -> pd.Index | None:
    """The index of a table that a user has passed, of the rows that are fitted; None without."""
    index = index_of(X)
    if index is not None and len(index) != n_rows:  # a formula leaves out rows
        index = index_of(route.table.training_rows(X, y, sample_weight)[0])
    return index


@dataclass(frozen=True)
class RoutedRows:
    """A model with its training rows as it takes them.

    Parameters
    ----------
    data : TrainingData
        The model, and the rows after the steps before it.
    groups : array-like or None
        Of the rows.
    index : Index or None
        Of the rows as the user has passed them, where steps have lost it.
    route : Route or None
        The way through the steps; None without.
    """

    data: TrainingData
    groups: Any
    index: pd.Index | None
    route: Route | None

    @classmethod
    def of(
        cls,
        function: str,
        fitted: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        offsets: dict[str, Any],
    ) -> RoutedRows:
        """The rows of a fitted model, pipeline, search or fit by a formula.

        Raises
        ------
        TypeError
            Where there is no model of this package at the end.
        InferenceError
            If a step was fitted to y.
        """
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, groups=groups)
        groups = np.asarray(groups) if is_dask(groups) else groups
        if isinstance(fitted, Model):
            data = TrainingData(fitted, X, y, sample_weight, offsets)
            data.check(function, _ARGUMENTS.get(function, ()))
            return cls(data.streamed(), groups, None, None)
        route = Route.of(fitted, function)
        route.refuse_fitted_to_targets()
        if route.table is None:  # steps take blocks, not collections of Dask
            X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
        named = {**offsets, "groups": groups}
        rows, targets, weights, options = route.training_rows(X, y, sample_weight, **named)
        groups = options.pop("groups", None)
        given = {name: value for name, value in options.items() if value is not None}
        data = TrainingData(route.model, rows, targets, weights, given)
        data.check(function, _ARGUMENTS.get(function, ()))
        index = index_of_rows(route, X, y, sample_weight, getattr(rows, "shape", (None,))[0])
        return cls(data.streamed(), groups, index, route)

    def function(self, of: Any) -> Any:
        """The function that is meant, with rows in it as the model takes them.

        Raises
        ------
        InferenceError
            For predictions and losses where y was transformed: the model has them in other units.
        """
        transformed = None if self.route is None else self.route.transformation
        if transformed is not None and isinstance(of, PredictionAt | LossOn):
            raise InferenceError(
                f"the {of!r} would be in units of {transformed}(y), as the model behind the "
                "TransformedTargetRegressor has it. Take it there on purpose: pass its regressor_, "
                f"with {transformed}(y) for y."
            )
        if isinstance(of, PredictionAt):
            X = of.X.to_frame().T if isinstance(of.X, pd.Series) else of.X
            X = np.atleast_2d(X) if isinstance(X, np.ndarray | list | tuple) else X
            return replace(of, X=X if self.route is None else self.route.rows(X))
        if isinstance(of, LossOn) and self.route is not None:
            given = self.route.training_rows(of.X, of.y, of.sample_weight, **of.offsets)
            options = {name: value for name, value in given[3].items() if value is not None}
            return LossOn(*given[:3], options)
        return of
