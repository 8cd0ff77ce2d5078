"""What the methods of results share: the way to the model, and asking it about raw rows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mcmodels.estimators.arguments import refuse_other_order
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.beside_rows import beside
from mcmodels.reports.route import Route
from mcmodels.tables.dask_stream import as_stream, is_dask

__all__ = ["Routed"]


class Routed:
    """A model, and the way from raw rows to it.

    Parameters
    ----------
    fitted : estimator
        What the user has passed.
    route : Route, default=None
        The way to the model in it, if it has been found already.
    """

    def __init__(self, fitted: Any, route: Route | None = None) -> None:
        route = Route.of(fitted, "results") if route is None else route
        route.refuse_fitted_to_targets()
        self.fitted = fitted
        self._route = route
        self.model = route.model

    def _estimate(self) -> Estimate:
        """All parameters with the covariance in use, as every method without rows has it."""
        if isinstance(self.model._fit, PrincipalComponents):
            raise InferenceError("PCA has no covariance of parameters; call summary().")
        found: Estimate = self.model._record().estimate
        return found

    def _asked(self, method: str, X: Any, y: Any = None, weights: Any = None, **named: Any) -> Any:
        """What a method of the model says of these rows, after the steps."""
        found = getattr(self.model, method, None)
        if found is None:
            raise InferenceError(f"{type(self.model).__name__} has no {method}.")
        return found(**self._given(found, X, y, weights, named))

    def _of_rows(self, method: str, X: Any, *rest: Any, **named: Any) -> Any:
        """The same of a method with a row for each row of X: they have the index of X."""
        found = self._asked(method, X, *rest, **named)
        if isinstance(X, pd.DataFrame) and isinstance(found, pd.DataFrame):
            if len(found) < len(X):  # a fit by a formula leaves out rows with missing values
                X = self._route.table.training_rows(X, *rest)[0]
            return found.set_axis(X.index, axis=0)
        return found

    def _given(
        self, method: Any, X: Any, y: Any, weights: Any, named: dict[str, Any]
    ) -> dict[str, Any]:
        """The arguments of a method of the model; those that are None are left out."""
        route = self._route
        beside_rows = beside(X, {"sample_weight": weights, **named})
        weights, named = beside_rows.pop("sample_weight"), beside_rows
        if route.steps or route.target is not None:
            # Steps return arrays, which have no index to pair rows by.
            added = {name: named.get(name) for name in ("offset", "exposure", "groups")}
            refuse_other_order(X=X, y=y, sample_weight=weights, **added)
            X, y, weights, named = self._streamed(X, y, weights, named)
        return route.arguments(method, X, y, weights, **named)

    def _streamed(self, X: Any, y: Any, weights: Any, named: dict[str, Any]) -> tuple[Any, ...]:
        """Collections of Dask as a stream, before steps; all else as it is."""
        if not is_dask(X) or not (self._route.steps or self._route.target is not None):
            return X, y, weights, named
        groups = named.get("groups")
        if groups is not None and is_dask(groups):
            named = named | {"groups": groups.compute()}
        offsets = {key: named[key] for key in ("offset", "exposure") if key in named}
        named = {key: value for key, value in named.items() if key not in offsets}
        X, y, weights, _ = as_stream(X, y, weights, **offsets)
        return X, y, weights, named
