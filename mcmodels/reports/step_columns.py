"""Of which input variables each column is made, after scikit-learn's steps."""

from __future__ import annotations

import itertools
from collections import UserList
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
)

from mcmodels.inference.short_names import factors_of
from mcmodels.reports.column_names import parts_of_columns

__all__ = ["Column", "columns_after", "columns_of_each", "variables_of"]

# What formulas call the column of ones.
_ONES = ("1", "Intercept", "(intercept)")


class Column(NamedTuple):
    """A column: its name, and the variables that it is made of, in their order.

    A column of ones is made of none.
    """

    name: str
    variables: tuple[str, ...]


def columns_after(steps: Sequence[Any]) -> list[Column] | None:
    """The columns after fitted steps; None where their number cannot be known, or without steps."""
    if not steps:
        return None
    names = getattr(steps[0], "feature_names_in_", None)
    if names is None and hasattr(steps[0], "n_features_in_"):
        names = [f"x{j}" for j in range(steps[0].n_features_in_)]
    columns = None if names is None else [Column(str(name), (str(name),)) for name in names]
    for step in steps:
        columns = _through(step, columns)
    return columns


def variables_of(term: str) -> tuple[str, ...]:
    """The variables of a term such as ``"age:C(region)"``; colons in brackets separate nothing."""
    return tuple(dict.fromkeys(part.strip() for part in factors_of(term)))


def _through(step: Any, columns: list[Column] | None) -> list[Column] | None:
    """The columns that a step makes of these."""
    if _passes(step):
        return columns
    if hasattr(step, "get_feature_terms"):
        return _of_own_terms(step, columns)
    if columns is None:
        return None
    if type(step).__name__ == "FrozenEstimator":
        return _through(step.estimator, columns)
    if isinstance(step, Pipeline):
        found: list[Column] | None = columns
        for _, inner in step.steps:
            found = _through(inner, found)
        return found
    if isinstance(step, ColumnTransformer):
        return _renamed(_of_column_transformer(step, columns), step, columns)
    if isinstance(step, FeatureUnion):
        of_all = [_through(part, columns) for _, part in step.transformer_list if part != "drop"]
        joined = None if None in of_all else [*itertools.chain.from_iterable(filter(None, of_all))]
        return _renamed(joined, step, columns)
    if isinstance(step, PolynomialFeatures):
        made = [_product([columns[j] for j in np.flatnonzero(row)]) for row in step.powers_]
        return _renamed(made, step, columns)
    counts = columns_of_each(step, len(columns))
    if counts is not None:
        made = [column for column, n in zip(columns, counts, strict=True) for _ in range(n)]
        return _renamed(made, step, columns)
    return _of_names(step, columns)


def _passes(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _names_after(step: Any, columns: list[Column] | None) -> list[str] | None:
    """What a step calls its columns; None if it does not say."""
    given = None if columns is None else [column.name for column in columns]
    try:
        return [str(name) for name in step.get_feature_names_out(given)]
    except (AttributeError, ValueError):  # a step may give no names
        return None


def _renamed(made: list[Column] | None, step: Any, columns: list[Column]) -> list[Column] | None:
    """The columns with the names that the step gives them."""
    names = _names_after(step, columns)
    if made is None or names is None:
        return made
    if len(names) != len(made):
        return _of_names(step, columns)
    return [Column(name, column.variables) for name, column in zip(names, made, strict=True)]


def _of_names(step: Any, columns: list[Column]) -> list[Column] | None:
    """A column with the name of an input is that; every other one is a variable of its own."""
    names = _names_after(step, columns)
    known = {column.name: column.variables for column in columns}
    return None if names is None else [Column(name, known.get(name, (name,))) for name in names]


def _of_own_terms(step: Any, columns: list[Column] | None) -> list[Column] | None:
    """The columns of a step that says its terms itself."""
    variables: dict[int, tuple[str, ...]] = {}
    read = {column.name for column in columns or ()} | {*getattr(step, "feature_names_in_", ())}
    for term, positions in step.get_feature_terms().items():
        ones = term in _ONES and term not in read  # an input may be called "1"
        of = () if ones else variables_of(str(term))
        variables |= {int(j): of for j in positions}
    names = _names_after(step, columns)
    if names is None:
        names = [f"x{j}" for j in range(1 + max(variables, default=-1))]
    return [Column(name, variables.get(j, (name,))) for j, name in enumerate(names)]


def _of_column_transformer(step: ColumnTransformer, columns: list[Column]) -> list[Column] | None:
    made: dict[int, Column] = {}
    numbers = pd.Series(range(len(columns)), [column.name for column in columns])
    for name, inner, chosen in parts_of_columns(step):
        if isinstance(inner, str) and inner == "drop":
            continue
        where = step.output_indices_[name]
        if where.stop == where.start:
            continue
        found = _through(inner, [columns[j] for j in _positions(chosen, numbers)])
        if found is None or len(found) != where.stop - where.start:
            return None
        made |= dict(zip(range(where.start, where.stop), found, strict=True))
    return [made[j] for j in sorted(made)]


def _positions(chosen: Any, numbers: pd.Series[int]) -> list[int]:
    """Positions of columns that are given as scikit-learn takes them."""
    if isinstance(chosen, UserList):  # the remainder in scikit-learn 1.6, which warns of iteration
        chosen = chosen.data
    if isinstance(chosen, slice):
        of_names = isinstance(chosen.start or chosen.stop, str)
        return list(numbers.loc[chosen] if of_names else numbers.iloc[chosen])
    listed = np.atleast_1d(np.asarray(chosen if isinstance(chosen, str | int) else list(chosen)))
    by_name = listed.dtype.kind in "OUT" and listed.size > 0
    return list(numbers.loc[listed] if by_name else np.arange(len(numbers))[listed])


def _product(columns: list[Column]) -> Column:
    """The product of columns: the variables of all."""
    names = itertools.chain.from_iterable(column.variables for column in columns)
    variables = tuple(dict.fromkeys(names))
    return Column(":".join(variables), variables)


def columns_of_each(step: Any, n: int) -> list[int] | None:
    """How many columns, one after another, a step makes of each of its inputs; None if unknown."""
    if isinstance(step, OneToOneFeatureMixin):
        return [1] * n
    if isinstance(step, SplineTransformer):
        return [step.n_features_out_ // n] * n
    if isinstance(step, KBinsDiscretizer):
        return [1] * n if step.encode == "ordinal" else [int(bins) for bins in step.n_bins_]
    if isinstance(step, OneHotEncoder):
        counts = [len(levels) for levels in step.categories_]
        if (rare := getattr(step, "infrequent_categories_", None)) is not None:
            joined = zip(counts, rare, strict=True)
            counts = [all_ if few is None else all_ - len(few) + 1 for all_, few in joined]
        if step.drop_idx_ is not None:
            counts = [
                count - (k is not None) for count, k in zip(counts, step.drop_idx_, strict=True)
            ]
        return counts
    return None
