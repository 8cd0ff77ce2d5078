"""Rows in the middle of others: numbers at their means, factors at their most frequent level."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.reports.effect_rows import EffectModel
from mcmodels.reports.input_rows import InputRows, numbers_of, with_values
from mcmodels.reports.input_variables import Variable
from mcmodels.reports.step_slopes import columns_of

__all__ = ["level_weights", "mean_rows"]

Labels = Callable[[Any], tuple[list[Any], Any]]


def mean_rows(
    rows: InputRows, variables: Sequence[Variable], model: EffectModel, labels: Labels
) -> InputRows:
    """One row for each group, in the order of the groups.

    Numbers that are missing are left out of means. A tie of levels goes to the one that comes
    first. What is added to linear predictors as an offset has its mean, too.
    """
    sums: dict[Any, dict[int, Any]] = {}
    offsets: dict[Any, Any] = {}
    absent: dict[int, Any] = {}  # how missing values are written, which steps fill
    for block in rows.blocks():
        keys, codes = labels(block)
        for variable in variables:
            if variable.levels is not None and variable.position not in absent:
                column = np.asarray(columns_of(block.X, variable.position), dtype=object)
                if (lost := pd.isna(column)).any():
                    absent[variable.position] = column[lost][0]
        added = model.offset_of(block.X, block.offsets)
        for code, key in enumerate(keys):
            w = np.where(codes == code, block.weights, 0.0)
            if not w.any():
                continue
            held = sums.setdefault(key, {})
            for variable in variables:
                j = variable.position
                if variable.levels is None:
                    held[j] = held.get(j, 0.0) + _weighted(numbers_of(block.X, j), w)
                else:
                    counts = level_weights(variable, block.X, w)
                    held[j] = held.get(j, 0.0) + counts
            if added is not None:
                total = np.concatenate([np.atleast_1d(w @ added), [w.sum()]])
                offsets[key] = offsets.get(key, 0.0) + total
    keys = sorted(sums) if _sortable(sums) else list(sums)
    first = next(rows.blocks()).X[:1]
    found = [
        with_values(
            first, {of.position: _middle(of, sums[key][of.position], absent) for of in variables}
        )
        for key in keys
    ]
    X = pd.concat(found, ignore_index=True) if isinstance(first, pd.DataFrame) else np.vstack(found)
    means = {}
    if offsets:
        of_keys = np.stack([offsets[key][:-1] / offsets[key][-1] for key in keys])
        means = {"offset": of_keys[:, 0] if of_keys.shape[1] == 1 else of_keys}
    columns = tuple(np.array(of, dtype=object) for of in zip(*keys, strict=True))
    return InputRows(X, rows.names, None, means, columns)


def level_weights(variable: Variable, X: Any, weights: Array) -> Array:
    """The weight of the rows of each level of a factor, and of those whose level steps fill."""
    column = columns_of(X, variable.position)
    levels = variable.levels or ()
    found = [weights[variable.are(level, column)].sum() for level in levels]
    if not variable.missing:
        found.append(weights[np.asarray(pd.isna(column))].sum())
    return np.array(found)


def _weighted(values: Array, weights: Array) -> Array:
    """Sums of weights times values, and of weights, where there is a value."""
    known = np.isfinite(values) & (weights > 0)
    return np.array([weights[known] @ values[known], weights[known].sum()])


def _middle(variable: Variable, sums: Array, absent: Mapping[int, Any]) -> Any:
    if variable.levels is not None:
        known = (*variable.levels, absent.get(variable.position))
        return known[int(np.argmax(sums))]
    return float(sums[0] / sums[1]) if sums[1] > 0 else np.nan


def _sortable(keys: Any) -> bool:
    try:
        sorted(keys)
    except TypeError:
        return False
    return True
