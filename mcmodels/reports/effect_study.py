"""Rows of inputs, their groups, and tables of averages over them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import refuse_other_order, refuse_unknown_keywords
from mcmodels.exceptions import NotEstimableWarning
from mcmodels.inference.estimate import Estimate
from mcmodels.reports.beside_rows import beside
from mcmodels.reports.effect_rows import Effect, EffectModel, Totals, groups_of
from mcmodels.reports.input_rows import InputRows
from mcmodels.reports.input_variables import Variable, variables_of
from mcmodels.reports.mean_rows import mean_rows
from mcmodels.tables.dask_stream import is_dask
from mcmodels.user_warnings import warn_user

__all__ = ["Study", "by_outputs", "own_levels", "table_of"]

# Most rows of a table that a warning names.
_SHOWN = 5


@dataclass(frozen=True)
class Study:
    """Rows of inputs, what the inputs are, the model, and groups of the rows.

    Parameters
    ----------
    model : EffectModel
        Predictions of the rows.
    rows : InputRows
        The rows.
    variables : tuple of Variable
        Their inputs.
    by : tuple of str
        Names of the groupings.
    columns : tuple of int
        Positions of the groupings among the inputs; of arrays, the labels in ``rows``.
    notes : tuple of str
        What to know of the weights of the rows.
    """

    model: EffectModel
    rows: InputRows
    variables: tuple[Variable, ...]
    by: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Any, X: Any, by: Any, weights: Any, offsets: Mapping[str, Any]) -> Study:
        """Checked rows and groups; raises before a row is predicted."""
        refuse_unknown_keywords(offsets, found._route.model._offset_names)
        route = found._route
        model = EffectModel.of(route)
        along = beside(X, {"sample_weight": weights, **offsets})
        names: tuple[str, ...] = ()
        if isinstance(by, str) or (by is not None and np.ndim(by) == 0 and not is_dask(by)):
            names = (by,)  # of a table whose names are numbers, one of these
        elif isinstance(by, list | tuple) and by and all(isinstance(of, str) for of in by):
            names = tuple(by)
        elif by is not None:
            along["by"] = by if is_dask(by) else _labels(by, X)
            names = (str(getattr(by, "name", None) or "group"),)
        width = route.model._record().predictor_params.shape[-1]
        rows = InputRows.of(found.fitted, X, along, route.complete, width)
        route.transformed(next(rows.blocks()).X[:1])  # the step that refuses X says so
        columns = () if "by" in along else tuple(rows.position(of, "by") for of in names)
        variables = variables_of(route.steps, rows)
        return cls(model, rows, variables, names, columns, _of_weights(route, along))

    def labels_of(self, block: Any) -> tuple[list[Any], Any]:
        """Keys of the groups of a block, and the group of each row."""
        if not self.by:
            return [()], np.zeros(len(block.weights), dtype=np.intp)
        if block.labels:
            return groups_of(list(block.labels))
        X = block.X
        held = [X.iloc[:, j] if isinstance(X, pd.DataFrame) else X[:, j] for j in self.columns]
        return groups_of(held)

    def at_means(self) -> Study:
        """One row for each group, with the means of its numbers and the modes of its factors."""
        rows = mean_rows(self.rows, self.variables, self.model, self.labels_of)
        return replace(self, rows=rows, columns=())

    def totals(self, asked: Sequence[Effect], values: Mapping[int, list[Any]]) -> Totals:
        """Sums over the rows by combination of ``values``, group and effect."""
        totals = Totals()
        combinations = list(itertools.product(*values.values()))
        for block in self.rows.blocks():
            keys, codes = self.labels_of(block)
            effects = self.model.of_rows(block.X, block.offsets)
            for chosen in combinations:
                found = effects(asked, dict(zip(values, chosen, strict=True)))
                for effect, functions in zip(asked, found, strict=True):
                    named: list[Any] = [(chosen, key, effect) for key in keys]
                    totals.add(named, codes, block.weights, functions)
        return totals

    def keys(self, totals: Totals) -> list[Any]:
        """Keys in the order of tables: as values were asked for, by groups, by effects."""
        chosen = {of: k for k, of in enumerate(dict.fromkeys(of for of, _, _ in totals.sums))}
        groups = list(dict.fromkeys(key for _, key, _ in totals.sums))
        levels = [self.variables[j].levels for j in self.columns]

        def place(key: tuple[Any, ...]) -> tuple[Any, ...]:
            if not levels:
                return key
            known = zip(key, levels, strict=True)
            return tuple(of if at is None else _place(of, at) for of, at in known)

        try:
            ordered = sorted(groups, key=place)
        except (TypeError, ValueError):  # labels of several types, or missing ones
            ordered = groups
        order = {key: k for k, key in enumerate(ordered)}
        return sorted(totals.sums, key=lambda key: (chosen[key[0]], order[key[1]]))

    def table(
        self,
        asked: Sequence[Effect],
        values: Mapping[int, list[Any]],
        estimate: Estimate,
        level: float,
        last: list[str],
    ) -> pd.DataFrame:
        """Averages with standard errors and intervals."""
        shown = [j for j, of in values.items() if len(of) > 1]
        names = [self.rows.names[j] for j in shown]
        clash = set(names) & set(self.by)
        if clash:
            raise ValueError(
                f"at and by both name {clash.pop()!r}; with one value for every row there are no "
                "groups of it."
            )
        totals = self.totals(asked, values)
        if not totals.sums:
            raise ValueError("sample_weight is zero in every row; there is nothing to average.")
        keys = self.keys(totals)
        taken = [k for k, j in enumerate(values) if j in shown]
        index = [
            (
                *(chosen[k] for k in taken),
                *group,
                *(() if output is None else (output,)),
                *((effect.variable,) if len(last) > 1 else ()),
                self._label(effect),
            )
            for chosen, group, effect in keys
            for output in self.model.outputs or (None,)
        ]
        of_output = [] if self.model.outputs is None else [self.model.output_level]
        levels = [*names, *self.by, *own_levels([*of_output, *last], [*names, *self.by])]
        found = totals.estimate(keys, estimate)
        table = table_of(found, index, levels, level, self.model)
        return self.finished(by_outputs(table, len(asked), self.model))

    def finished(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with its notes."""
        told = self.model.told
        notes = [
            f"{name} has no derivative of its own here; slopes through it are extrapolated "
            "differences."
            for name in sorted(told.differences)
        ]
        notes += [
            f"At the ends of what {name} was fitted to, and at corners, slopes are one-sided: of "
            "the inside."
            for name in sorted(told.one_sided)
        ]
        notes += [
            f"{name} is flat between its jumps: what goes through it has the slope zero there. "
            "measure='comparison' with two values has the difference across jumps."
            for name in sorted(told.flat)
        ]
        notes += [
            f"Rows stand on a corner of {name}: their slopes are those to the right of it."
            for name in sorted(told.corners)
        ]
        table.attrs["notes"] = tuple(notes) + self.notes + self.model.route.notes
        return table

    def effects_of_rows(self, asked: Sequence[Effect]) -> pd.DataFrame:
        """Effects in each row, one column for each effect and output."""
        stacked: list[Array] = []
        lost: list[npt.NDArray[np.bool_]] = []
        space = self.model.estimable
        indexes: list[pd.Index] = []
        for block in self.rows.blocks():
            if isinstance(block.X, pd.DataFrame):
                indexes.append(block.X.index)
            found = list(self.model.of_rows(block.X, block.offsets)(asked))
            values = np.hstack([functions.values for functions in found])
            if space is not None:
                known = np.hstack([functions.determined(space) for functions in found])
                values[~known] = np.nan
                lost.append(np.asarray(~known.all(axis=1)))
            stacked.append(values)
        outputs = self.model.outputs
        columns = [
            (*(() if output is None else (output,)), effect.variable, self._label(effect))
            for effect in asked
            for output in outputs or (None,)
        ]
        of_output = [] if outputs is None else [self.model.output_level]
        names = pd.MultiIndex.from_tuples(columns, names=[*of_output, "variable", "effect"])
        index = None if self.rows.is_stream or not indexes else indexes[0].append(indexes[1:])
        found = pd.DataFrame(np.vstack(stacked), columns=names, index=index)
        if space is not None:
            space.warn_of_rows(np.concatenate(lost))
        return self.finished(found)

    def _label(self, effect: Effect) -> str:
        slope = effect.measure in ("slope", "elasticity")
        differed = slope and effect.position in self.model.differed
        return f"{effect.label} (differences)" if differed else effect.label


def _labels(by: Any, X: Any) -> Any:
    """One label for each row."""
    labels = np.asarray(by)
    if labels.ndim != 1:
        raise ValueError(
            f"by must be names of inputs, or one label for each row; found an array of shape "
            f"{labels.shape}."
        )
    refuse_other_order(X=X, by=by)
    return by if isinstance(by, pd.Series) else labels


def _of_weights(route: Any, along: Mapping[str, Any]) -> tuple[str, ...]:
    """That rows count alike where the fit has weighted them."""
    name = None if route.table is None else route.table.sample_weight
    if name is None or along.get("sample_weight") is not None:
        return ()
    return (
        f"Every row counts alike in averages. The fit weighted rows by {name!r}: "
        f"sample_weight={name!r} weights averages, too.",
    )


def _place(label: Any, levels: tuple[Any, ...]) -> int:
    """The place of a level; None is what is missing, after all others."""
    return len(levels) if label is None else levels.index(label)


# Levels of tables where inputs have their names.
_INSTEAD = {
    "class": "predicted class",
    "target": "predicted target",
    "variable": "input variable",
    "effect": "kind of effect",
    "prediction": "kind of prediction",
    "contrast": "contrast of levels",
}


def own_levels(own: Sequence[str], inputs: Sequence[Any]) -> list[str]:
    """Names of the levels of an index that are none of inputs; no name stands there twice."""
    found = []
    for name in own:
        name = _INSTEAD.get(name, name) if name in inputs else name
        while name in inputs:
            name += "_"
        found.append(name)
    return found


def table_of(
    found: Estimate, index: list[Any], levels: list[str], level: float, model: EffectModel
) -> pd.DataFrame:
    """The table of an estimate, with an index of these levels; no p-values for penalised fits.

    What the data do not determine is NaN, and a warning names it.
    """
    if not found.determined.all():
        _warn_of_undetermined([index[k] for k in np.flatnonzero(~found.determined)], model)
    penalised = getattr(model.route.model._record(), "is_penalised", False)
    table = found.table(level, p_values=not penalised)
    table = table.rename(columns={"coefficient": "estimate"})
    if len(levels) == 1:
        return table.set_axis(pd.Index([of for (of,) in index], name=levels[0]))
    return table.set_axis(pd.MultiIndex.from_tuples(index, names=levels))


def _warn_of_undetermined(rows: list[Any], model: EffectModel) -> None:
    shown = ", ".join(" ".join(map(str, row)) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    assert model.estimable is not None
    warn_user(
        f"{shown}{more}: the rows of the fit do not determine this (NaN). It takes predictions of "
        "rows that are no combination of them, as where levels never come together. Leave such "
        f"levels or interactions out, or name other rows. {model.estimable.remedy}.",
        NotEstimableWarning,
    )


def by_outputs(table: pd.DataFrame, n_together: int, model: EffectModel) -> pd.DataFrame:
    """The rows of each output one after another, where each quantity has all outputs.

    ``n_together`` quantities stay together.
    """
    K = len(model.outputs or (None,))
    places = np.arange(len(table)).reshape(-1, n_together, K).swapaxes(1, 2)
    return table.iloc[places.ravel()]
