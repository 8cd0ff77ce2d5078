"""What the inputs of a pipeline are: numbers or factors, their levels, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import example_of
from mcmodels.reports.input_rows import InputRows
from mcmodels.reports.step_slopes import columns_of, inner_steps, is_identity

__all__ = ["Variable", "variables_of"]

_ONE_TO_ONE = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)


@dataclass(frozen=True)
class Variable:
    """An input of a pipeline.

    Parameters
    ----------
    name : str
        Its name.
    position : int
        Its position among the inputs.
    levels : tuple, or None
        The levels of a factor, in order; None for a number.
    baseline : object
        The level that others are compared with.
    is_indicator : bool
        Whether it is a number that is 0 or 1 in every row.
    is_read : bool
        Whether some step passes it to the model.
    of_fit : bool
        Whether the levels are those of the fit, as an encoder knows them.
    """

    name: str
    position: int
    levels: tuple[Any, ...] | None = None
    baseline: Any = None
    is_indicator: bool = False
    is_read: bool = True
    of_fit: bool = False

    def level(self, value: Any, argument: str) -> Any:
        """A level that the fit has seen; others are refused."""
        for level in self.levels or ():
            if level is value or level == value:
                return level
        if pd.api.types.is_scalar(value) and pd.isna(value):
            for level in self.missing:
                return level
        where = "in fitting" if self.of_fit else "in X"
        raise ValueError(
            f"{argument}: {example_of(value)} is no level of {self.name!r} that was seen {where}; "
            f"there are {listed(self.levels or ())}."
        )

    def others(self) -> list[Any]:
        """The levels but the baseline."""
        return [level for level in self.levels or () if level is not self.baseline]

    @property
    def missing(self) -> list[Any]:
        """The level that missing values have, if the encoder has made one of them."""
        return [level for level in self.levels or () if pd.isna(level)]

    def are(self, level: Any, column: Any) -> npt.NDArray[np.bool_]:
        """Which entries of a column have a level."""
        held = np.asarray(column, dtype=object)
        if not pd.isna(level):
            return np.asarray(held == level)
        if len(self.missing) == 1:
            return np.asarray(pd.isna(held))
        return np.array([pd.isna(of) and (of is None) == (level is None) for of in held])


@dataclass
class _Readers:
    """What a walk through the steps has found of the inputs.

    Parameters
    ----------
    factors : dict
        Of the inputs whose levels a step knows: the levels, and the baseline.
    read : set of int
        The inputs that some step passes on.
    """

    factors: dict[int, tuple[tuple[Any, ...], Any]]
    read: set[int]


def variables_of(steps: Sequence[tuple[str, Any]], rows: InputRows) -> tuple[Variable, ...]:
    """The inputs that X has, as the steps take them.

    A factor is an input whose values are no numbers, or are True and False, or that an encoder
    reads, or a formula as levels (``C(x)``). Levels are those of the encoder or formula, in its
    order, with that of missing values if it has made one, and the baseline is the one that it drops
    or that has no column, else the first. Without these they are
    those of X: in the order of a categorical type, else sorted.
    """
    held = next(rows.blocks()).X
    n = len(rows.names)
    found = _Readers({}, set())
    ids: list[int | None] = list(range(n))
    sample = held[:1]
    for _, step in steps:
        ids = _walk(step, sample, ids, found)
        sample = step.transform(sample)
    found.read |= {of for of in ids if of is not None}
    factors = {j for j in range(n) if j in found.factors or not _is_number(held, j)}
    seen: dict[int, dict[Any, None]] = {j: {} for j in factors - set(found.factors)}
    indicators = set(range(n)) - factors
    for block in rows.blocks():
        for j, known in seen.items():
            column = pd.Series(columns_of(block.X, j))
            known |= dict.fromkeys(column.dropna().unique().tolist())
        for j in list(indicators):
            values = np.asarray(columns_of(block.X, j))
            if not np.isin(values[~pd.isna(values)], (0, 1)).all():
                indicators.discard(j)
    variables = []
    for j, name in enumerate(rows.names):
        is_read = j in found.read
        if j in found.factors:
            levels, baseline = found.factors[j]
            variables.append(Variable(name, j, levels, baseline, False, is_read, True))
        elif j in factors:
            levels = _in_order(seen[j], columns_of(held, j).dtype)
            baseline = levels[0] if levels else None
            variables.append(Variable(name, j, levels, baseline, False, is_read))
        else:
            variables.append(Variable(name, j, is_indicator=j in indicators, is_read=is_read))
    return tuple(variables)


def _walk(step: Any, X: Any, ids: list[int | None], found: _Readers) -> list[int | None]:
    """The input that each column after a step is, None for columns of another kind."""
    if is_identity(step):
        return ids
    if type(step).__name__ == "FrozenEstimator":
        return _walk(step.estimator, X, ids, found)
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            if not is_identity(part):
                ids = _walk(part, X, ids, found)
                X = part.transform(X)
        return ids
    if isinstance(step, ColumnTransformer | FeatureUnion):
        after: list[int | None] = []
        for _, part, rows, at in inner_steps(step, X):
            after += _walk(part, rows, [ids[j] for j in at], found)
        return after
    if isinstance(step, SelectorMixin):
        return [of for of, kept in zip(ids, step.get_support(), strict=True) if kept]
    width = step.transform(X).shape[1]
    if isinstance(step, _ONE_TO_ONE) or (isinstance(step, SimpleImputer) and width == len(ids)):
        return ids
    names = getattr(step, "feature_names_in_", None)
    if isinstance(X, pd.DataFrame) and names is not None:  # a formula takes those of a table
        known: dict[Any, Any] = getattr(step, "_factors", dict)()
        named = set(names)
        for of, name in zip(ids, map(str, X.columns), strict=True):  # a formula has text of 0
            if of is not None and name in named:
                found.read.add(of)
                if name in known:
                    found.factors[of] = known[name]
    else:
        found.read |= {of for of in ids if of is not None}
    if isinstance(step, OneHotEncoder | OrdinalEncoder):
        for k, of in enumerate(ids):
            if of is not None and (of not in found.factors or isinstance(step, OneHotEncoder)):
                found.factors[of] = _encoded_levels(step, k)
    return [None] * width


def _encoded_levels(encoder: Any, k: int) -> tuple[tuple[Any, ...], Any]:
    """Levels of the k-th column of an encoder, and the one that it drops, else the first."""
    levels = np.asarray(encoder.categories_[k], dtype=object).tolist()
    dropped = getattr(encoder, "drop_idx_", None)
    at = None if dropped is None else dropped[k]
    code = getattr(encoder, "encoded_missing_value", None)
    if isinstance(code, float) and np.isnan(code):  # ordinal: what is missing stays so
        levels = [level for level in levels if not pd.isna(level)]
    return tuple(levels), levels[0 if at is None else at]


def _is_number(X: Any, j: int) -> bool:
    column = columns_of(X, j)
    if column.dtype == object and not isinstance(X, pd.DataFrame):
        return all(isinstance(of, Real) and not isinstance(of, bool) for of in column)
    dtype = column.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def _in_order(levels: Iterable[Any], dtype: Any) -> tuple[Any, ...]:
    """Levels in the order of a categorical type, else sorted."""
    if isinstance(dtype, pd.CategoricalDtype):
        present = set(levels)
        return tuple(of for of in dtype.categories.tolist() if of in present)
    return tuple(sorted(levels, key=lambda of: (str(type(of)), of)))
