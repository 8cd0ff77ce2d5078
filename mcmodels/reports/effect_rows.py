"""Predictions of input rows and their changes, through the steps before a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.pointwise import inverse_link_derivatives
from mcmodels.estimators.validation import validated_rows
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.input_effects import (
    GroupSums,
    RowFunctions,
    elasticities,
    predictions,
    slopes,
)
from mcmodels.inference.responses import LinearPredictors, OwnMeans, Response
from mcmodels.inference.row_vectors import RowVectors
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.input_rows import numbers_of, with_values
from mcmodels.reports.route import Route
from mcmodels.reports.step_changes import Changed, PassedRows
from mcmodels.reports.step_rules import as_floats
from mcmodels.reports.step_slopes import Told, columns_of, moved_along

__all__ = ["Effect", "EffectModel", "InputEffects", "Totals", "groups_of"]


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
    known : dict
        Columns of the design that values of inputs make, the same in every row.
    """

    route: Route
    response: Response
    outputs: tuple[Any, ...] | None
    told: Told = field(default_factory=Told)
    differed: set[int] = field(default_factory=set)
    known: dict[Any, tuple[Any, Array]] = field(default_factory=dict)

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
            response = OwnMeans(inverse_link_derivatives(model._link_of_eta()))
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

    def of_rows(self, X: Any, offsets: Mapping[str, Any]) -> InputEffects:
        """Predictions of some rows, and how they change with the inputs."""
        return InputEffects(self, X, offsets)

    @property
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all."""
        space: EstimableSpace | None = self.route.model._record().estimable
        return space

    def offset_of(self, X: Any, offsets: Mapping[str, Any]) -> Array | None:
        """What the offsets add to the linear predictors of these rows."""
        return self.of_rows(X, offsets).offset


class InputEffects:
    """Predictions of rows, and of the same rows with other values of some inputs.

    Parameters
    ----------
    model : EffectModel
        The model and its steps.
    X : DataFrame or ndarray
        The rows as the first step takes them.
    offsets : dict
        Offsets and exposures of the rows.
    """

    def __init__(self, model: EffectModel, X: Any, offsets: Mapping[str, Any]) -> None:
        self.model, self.X, self.offsets = model, X, offsets
        route = model.route
        self._record = route.model._record()
        self._passed = PassedRows([step for _, step in route.steps], X)
        validated = validated_rows(route.model, self._passed.made)
        self.offset = route.model._offsets_of(validated, **offsets).get("offset")
        design = as_floats(validated)
        self._width = design.shape[1]
        if self._record.intercept:
            design = np.hstack([design, np.ones((len(design), 1))])
        self._design = RowVectors.of(design)

    def __call__(
        self, asked: Iterable[Effect], values: Mapping[int, Any] = MappingProxyType({})
    ) -> Iterator[RowFunctions]:
        """The functions of rows, one for each effect, where some inputs have these values."""
        known: dict[Any, RowFunctions] = {}
        moved: list[InputEffects] = [] if values else [self]

        def slopes_along(j: int) -> RowFunctions:
            if not moved:
                rows = with_values(self.X, values)
                moved.append(InputEffects(self.model, rows, self.offsets))
            return moved[0]._slopes(j)

        def at(j: int, value: Any) -> RowFunctions:
            if (j, value) not in known:
                known[j, value] = self.predictions({**values, j: value})
            return known[j, value]

        def here() -> RowFunctions:
            if None not in known:
                known[None] = self.predictions(values)
            return known[None]

        for effect in asked:
            j = effect.position
            if effect.measure == "prediction":
                yield here()
            elif effect.measure == "difference":
                yield at(j, effect.high) - at(j, effect.low)
            elif effect.measure == "step":
                stepped = self._numbers(j, values) + effect.high
                yield self.predictions({**values, j: stepped}) - here()
            else:
                slope = slopes_along(j)
                if effect.measure == "slope":
                    yield slope
                else:
                    yield elasticities(self._numbers(j, values), slope, here())

    def predictions(self, values: Mapping[int, Any]) -> RowFunctions:
        """Predictions where inputs, by position, have other values: one, or one a row."""
        vectors = self._vectors(values)
        return predictions(self.model.response, self._record.predictor_params, vectors, self.offset)

    def _numbers(self, j: int, values: Mapping[int, Any]) -> Array:
        X = self.X
        return numbers_of(with_values(X, {j: values[j]}) if j in values else X, j)

    def _vectors(self, values: Mapping[int, Any]) -> RowVectors:
        """The design rows with other values of inputs."""
        base = self._design.base
        assert base is not None
        if not values:
            return self._design
        same = not any(np.ndim(of) for of in values.values())
        key = tuple(values.items()) if same else None
        if key in self.model.known:
            return RowVectors(base.shape[1], base, *self.model.known[key])
        at = np.array(list(values), dtype=np.intp)
        inputs = columns_of(with_values(self.X[:1] if same else self.X, values), at)
        try:
            change = self._passed.changed(Changed(at, inputs))
            columns = as_floats(change.columns)
            usable = bool(np.isfinite(columns).all()) and change.at.max(initial=-1) < self._width
        except (ValueError, TypeError):
            usable = False
        if not usable:  # the way of all rows says which step or value is to blame
            return InputEffects(self.model, with_values(self.X, values), self.offsets)._design
        if key is not None and len(columns) == 1 < len(base):
            self.model.known[key] = change.at, columns
        return RowVectors(base.shape[1], base, change.at, columns)

    def _slopes(self, j: int) -> RowFunctions:
        """Slopes along the input at position j."""
        model, before = self.model, self._passed.before
        told = Told()
        D = np.zeros((1, before[0].shape[1]))
        D[:, j] = 1.0
        for step, X in zip(self._passed.steps, before, strict=False):
            D = moved_along(step, X, D, told)
        if told.differences:
            model.differed.add(j)
        model.told.differences.update(told.differences)
        model.told.one_sided.update(told.one_sided)
        model.told.flat.update(told.flat)
        model.told.corners.update(told.corners)
        at = np.flatnonzero(D.any(axis=0))
        along = RowVectors(self._design.size, None, at, D[:, at])
        params = self._record.predictor_params
        return slopes(model.response, params, self._design, along, self.offset)


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
        """Averages of these keys, all outputs of each; NaN where they are not determined."""
        found = [self.sums[key].averages() for key in keys]
        values = np.concatenate([values.ravel() for values, _ in found])
        jacobian = np.concatenate([jacobian[0] for _, jacobian in found])
        # Parameters that a loss has of its own follow those of the linear predictor.
        own = estimate.params.size - jacobian.shape[1]
        jacobian = np.pad(jacobian, ((0, 0), (0, own)))
        names = tuple(map(str, range(values.size)))
        return estimate.image(jacobian, values, names, partly=True)


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
