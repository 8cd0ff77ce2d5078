"""Rows in the middle of others: numbers at their means, factors at their most frequent level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    for block in rows.blocks():
        keys, codes = labels(block)
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
        with_values(first, {of.position: _middle(of, sums[key][of.position]) for of in variables})
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
    """The weight of the rows of each level of a factor."""
    column = columns_of(X, variable.position)
    levels = variable.levels or ()
    return np.array([weights[variable.are(level, column)].sum() for level in levels])


def _weighted(values: Array, weights: Array) -> Array:
    """Sums of weights times values, and of weights, where there is a value."""
    known = np.isfinite(values) & (weights > 0)
    return np.array([weights[known] @ values[known], weights[known].sum()])


def _middle(variable: Variable, sums: Array) -> Any:
    if variable.levels is not None:
        return variable.levels[int(np.argmax(sums))] if len(sums) else None
    return float(sums[0] / sums[1]) if sums[1] > 0 else np.nan


def _sortable(keys: Any) -> bool:
    try:
        sorted(keys)
    except TypeError:
        return False
    return True
