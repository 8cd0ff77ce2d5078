"""Predictions of input rows and their changes, through the steps before a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.pointwise import inverse_link_derivatives
from mcmodels.estimators.validation import validated_rows
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.input_effects import (
    GroupSums,
    RowFunctions,
    elasticities,
    predictions,
    slopes,
)
from mcmodels.inference.responses import LinearPredictors, OwnMeans, Response
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.input_rows import numbers_of, with_values
from mcmodels.reports.route import Route
from mcmodels.reports.step_slopes import Told, as_floats, moved_along

__all__ = ["Effect", "EffectModel", "Totals", "groups_of"]


@dataclass(frozen=True)
class Effect:
    """What is computed in each row.

    Parameters
    ----------
    variable : str
        The input that changes; empty for the prediction itself.
    position : int
        Its position.
    measure : {"prediction", "slope", "elasticity", "step", "difference"}
        A prediction; a derivative; a difference from x to x + ``high``, or from ``low`` to
        ``high``.
    label : str
        How it is named in tables.
    low, high : object
        Values of the input.
    """

    variable: str = ""
    position: int = -1
    measure: str = "prediction"
    label: str = ""
    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class EffectModel:
    """A fitted model with its steps, as predictions of inputs and their changes.

    Parameters
    ----------
    route : Route
        The steps and the model.
    response : Response
        Predictions as functions of the linear predictors.
    outputs : tuple, or None
        Classes or targets, where there are several.
    told : Told
        What is to be said of derivatives of steps.
    differed : set of int
        Positions of inputs whose slopes came from differences.
    """

    route: Route
    response: Response
    outputs: tuple[Any, ...] | None
    told: Told = field(default_factory=Told)
    differed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, route: Route) -> EffectModel:
        """Raises for a model that predicts nothing."""
        model = route.model
        record = model._record()
        if isinstance(record, PrincipalComponents):
            raise InferenceError("PCA predicts nothing; effects are those of regressions.")
        response: Response
        if hasattr(model, "_response"):
            response = model._response()
        elif getattr(model, "inverse_link", None) is not None:
            response = OwnMeans(inverse_link_derivatives(model.inverse_link))
        else:
            response = LinearPredictors()
        outputs = None
        if record.params.ndim == 2:
            named = getattr(record, "classes", None)
            if named is None:
                named = getattr(record, "targets", None) or range(len(record.params))
            outputs = tuple(np.asarray(named).tolist() if hasattr(named, "dtype") else named)
        return cls(route, response, outputs)

    @property
    def output_level(self) -> str:
        """The name of the level of an index that holds the outputs."""
        return "class" if hasattr(self.route.model._record(), "classes") else "target"

    def effects(self, X: Any, offsets: Mapping[str, Any], asked: Iterable[Effect]) -> Any:
        """Iterate over the functions of rows, one for each effect that is asked for."""
        base = _Design.of(self, X, offsets)
        known: dict[tuple[int, Any], RowFunctions] = {}

        def with_value(j: int, value: Any) -> RowFunctions:
            if (j, value) not in known:
                known[j, value] = self._predicted(with_values(X, {j: value}), offsets)
            return known[j, value]

        for effect in asked:
            j = effect.position
            if effect.measure == "prediction":
                yield base.predictions()
            elif effect.measure == "difference":
                yield with_value(j, effect.high) - with_value(j, effect.low)
            elif effect.measure == "step":
                stepped = with_values(X, {j: numbers_of(X, j) + effect.high})
                yield self._predicted(stepped, offsets) - base.predictions()
            else:
                slope = base.slopes(j)
                if effect.measure == "slope":
                    yield slope
                else:
                    yield elasticities(numbers_of(X, j), slope, base.predictions())

    def offset_of(self, X: Any, offsets: Mapping[str, Any]) -> Array | None:
        """What the offsets add to the linear predictors of these rows."""
        return _Design.of(self, X, offsets).offset

    def _predicted(self, X: Any, offsets: Mapping[str, Any]) -> RowFunctions:
        return _Design.of(self, X, offsets).predictions()


@dataclass(frozen=True)
class _Design:
    """Design rows, and the rows before each step.

    ``before`` are the rows that each step takes, ``X`` the design with its column of ones.
    """

    model: EffectModel
    before: tuple[Any, ...]
    X: Array
    offset: Array | None

    @classmethod
    def of(cls, model: EffectModel, X: Any, offsets: Mapping[str, Any]) -> _Design:
        before = []
        for _, step in model.route.steps:
            before.append(X)
            X = step.transform(X)
        validated = validated_rows(model.route.model, X)
        offset = model.route.model._offsets_of(validated, **offsets).get("offset")
        return cls(model, tuple(before), _model_columns(model, as_floats(validated), 1.0), offset)

    def predictions(self) -> RowFunctions:
        return predictions(self.model.response, self._params, self.X, self.offset)

    def slopes(self, j: int) -> RowFunctions:
        """Slopes along the input at position j."""
        steps = self.model.route.steps
        width = self.before[0].shape[1] if steps else self.X.shape[1] - self._intercept
        D = np.zeros((len(self.X), width))
        D[:, j] = 1.0
        told = Told()
        for (_, step), X in zip(steps, self.before, strict=True):
            D = moved_along(step, X, D, told)
        if told.differences:
            self.model.differed.add(j)
        self.model.told.differences.update(told.differences)
        self.model.told.one_sided.update(told.one_sided)
        along = _model_columns(self.model, D, 0.0)
        return slopes(self.model.response, self._params, self.X, along, self.offset)

    @property
    def _params(self) -> Array:
        return self.model.route.model._record().params

    @property
    def _intercept(self) -> bool:
        return self.model.route.model._record().intercept


def _model_columns(model: EffectModel, X: Array, last: float) -> Array:
    """Columns of the model, with that of its intercept if there is one."""
    if not model.route.model._record().intercept:
        return X
    return np.hstack([X, np.full((len(X), 1), last)])


@dataclass
class Totals:
    """Sums of functions over groups of rows, by keys; keys stay in the order of their arrival."""

    sums: dict[Any, GroupSums] = field(default_factory=dict)

    def add(self, keys: list[Any], codes: Any, weights: Array, found: RowFunctions) -> None:
        """Add rows; ``codes`` has the position of each row's key."""
        sums = found.summed(codes, weights, len(keys))
        for at, key in enumerate(keys):
            if not sums.weights[at] > 0:
                continue
            part = slice(at, at + 1)
            one = GroupSums(sums.values[part], sums.jacobians[part], sums.weights[part])
            if key in self.sums:
                self.sums[key] += one
            else:
                self.sums[key] = one

    def estimate(self, keys: list[Any], estimate: Estimate) -> Estimate:
        """Averages of these keys, all outputs of each, by the delta method.

        Those that are not estimable have no standard error.
        """
        found = [self.sums[key].averages() for key in keys]
        values = np.concatenate([values.ravel() for values, _ in found])
        jacobian = np.concatenate([jacobian[0] for _, jacobian in found])
        return estimate.image(jacobian, values, tuple(map(str, range(values.size))), partly=True)


def groups_of(block_labels: list[Any]) -> tuple[list[Any], Any]:
    """Keys of the groups of a block, and the group of each row."""
    frame = pd.DataFrame({k: np.asarray(of) for k, of in enumerate(block_labels)})
    grouped = frame.groupby(list(frame.columns), sort=True, dropna=False)
    codes = grouped.ngroup().to_numpy()
    firsts = frame.iloc[[int(np.flatnonzero(codes == code)[0]) for code in range(codes.max() + 1)]]
    rows = firsts.itertuples(index=False, name=None)
    # A missing label is None, which is equal to itself.
    keys = [tuple(None if pd.isna(of) else of for of in row) for row in rows]
    return keys, codes
