"""Derivatives of the steps of a pipeline: how their columns move when an input moves.

A step T is applied to each row alone. Where its rows X move along D, ``T(X)`` moves along
``T′(X) D``. That is exact for the steps in ``RULES``, and for those that route columns to others.
Any other step is differentiated by extrapolated central differences, and its name is noted.
At a point where the derivatives of the two sides differ, it is one of them: at the boundary knots
of a spline, and at the bounds of a clipped scaler, that of the inside; at an inner knot of a
broken line, that of the right.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, SplineTransformer

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.input_effects import differences_along, one_sided_along, step_sizes
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.column_names import parts_of_columns
from mcmodels.reports.step_rules import LINEAR, RULES, as_floats, constant, projected

__all__ = [
    "Told",
    "columns_of",
    "inner_steps",
    "is_identity",
    "moved_along",
    "positions_of",
]


@dataclass
class Told:
    """What is to be said of a derivative.

    Parameters
    ----------
    differences : set of str
        Steps that were differentiated by differences.
    one_sided : set of str
        Steps whose derivative is one-sided at some point, such as a boundary knot.
    flat : set of str
        Steps that jump, such as bins: the derivative of what moves through them is zero.
    corners : set of str
        Expressions with a corner where a row is.
    """

    differences: set[str] = field(default_factory=set)
    one_sided: set[str] = field(default_factory=set)
    flat: set[str] = field(default_factory=set)
    corners: set[str] = field(default_factory=set)


def moved_along(step: Any, X: Any, D: Array, told: Told) -> Array:
    """``T′(X) D`` of a fitted step, row by row.

    Parameters
    ----------
    step : transformer
        Fitted.
    X : array-like of shape (b, p)
        Rows as the step takes them.
    D : ndarray of shape (b, p) or (1, p)
        How they move; zero for what is no number. One row where all move alike.
    told : Told
        Gets what is to be said of the result.

    Returns
    -------
    ndarray of shape (b, q), or (1, q) where all move alike
    """
    if is_identity(step):
        return D
    if not D.any():
        return np.zeros((1, step.transform(X[:1]).shape[1]))
    if isinstance(step, ColumnTransformer | FeatureUnion | Pipeline):
        return _routed(step, X, D, told)
    if type(step).__name__ == "FrozenEstimator":
        return moved_along(step.estimator, X, D, told)
    if isinstance(step, SelectorMixin):
        return D[:, step.get_support()]
    is_ours = isinstance(getattr(step, "_fit", None), PrincipalComponents)
    rule = projected if is_ours else RULES.get(type(step))
    if rule is not None and not _is_broken_line(step):
        has_ends = isinstance(step, SplineTransformer | QuantileTransformer)
        if has_ends or getattr(step, "clip", False):
            told.one_sided.add(type(step).__name__)
        if rule is constant and D.any():
            told.flat.add(type(step).__name__)
        is_linear = rule in LINEAR and not getattr(step, "clip", False)
        return rule(step, X, D if is_linear else _of_all_rows(X, D))
    own = getattr(step, "_moved", None)  # of a formula
    if own is not None and (moved := own(X, D, told)) is not None:
        return np.asarray(moved)
    told.differences.add(type(step).__name__)
    return _by_differences(step, X, _of_all_rows(X, D), told)


def is_identity(step: Any) -> bool:
    """Whether a step returns what it is given."""
    if isinstance(step, str) or step is None:
        return not _is_dropped(step)
    return type(step) is FunctionTransformer and step.func is None


def inner_steps(step: Any, X: Any) -> Iterator[tuple[str, Any, Any, npt.NDArray[np.intp]]]:
    """The parts of a ColumnTransformer or FeatureUnion that are not dropped.

    Name, step, its rows, and the positions of its columns, in the order of what they make.
    """
    if isinstance(step, FeatureUnion):
        for name, part in step.transformer_list:
            if not _is_dropped(part):
                yield name, part, X, np.arange(X.shape[1])
        return
    for name, part, columns in parts_of_columns(step):
        at = np.zeros(0, dtype=np.intp) if _is_dropped(part) else positions_of(step, X, columns)
        if at.size:
            scalar = isinstance(columns, str | int | np.integer)
            yield name, part, columns_of(X, int(at[0]) if scalar else at), at


def positions_of(step: Any, X: Any, columns: Any) -> npt.NDArray[np.intp]:
    """Positions in X of columns as a fitted ColumnTransformer holds them: names, integers, masks.

    Integers count the columns of the fit, which X has by their names where it is a data frame.
    """
    names = getattr(step, "feature_names_in_", None)
    of_fit: list[Any] = list(range(step.n_features_in_) if names is None else names)
    if isinstance(columns, slice):
        first, last = columns.start, columns.stop
        first = of_fit.index(first) if isinstance(first, str) else first
        last = of_fit.index(last) + 1 if isinstance(last, str) else last
        chosen = of_fit[first : last : columns.step]
    else:
        asked = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
        if asked and all(isinstance(of, bool | np.bool_) for of in asked):
            asked = [k for k, taken in enumerate(asked) if taken]
        chosen = [of if isinstance(of, str) else of_fit[int(of)] for of in asked]
    if isinstance(X, pd.DataFrame) and names is not None:
        return np.array([X.columns.get_loc(name) for name in chosen], dtype=np.intp)
    return np.array([of_fit.index(of) for of in chosen], dtype=np.intp)


def columns_of(X: Any, at: Any) -> Any:
    """Columns of a data frame or an array, by position; one column for an integer."""
    return X.iloc[:, at] if hasattr(X, "iloc") else X[:, at]


def _is_dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _routed(step: Any, X: Any, D: Array, told: Told) -> Array:
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            if not is_identity(part):
                D = moved_along(part, X, D, told)
                X = part.transform(X)
        return D
    weights = getattr(step, "transformer_weights", None) or {}
    made = getattr(step, "output_indices_", {})
    moved = []
    for name, part, rows, at in inner_steps(step, X):
        if name in made and not D[:, at].any():
            moved.append(np.zeros((1, made[name].stop - made[name].start)))
        else:
            moved.append(weights.get(name, 1.0) * moved_along(part, rows, D[:, at], told))
    height = max(map(len, moved), default=1)
    return np.hstack([np.broadcast_to(of, (height, of.shape[1])) for of in moved])


def _of_all_rows(X: Any, D: Array) -> Array:
    """How each row moves."""
    return np.broadcast_to(D, (X.shape[0], D.shape[1]))


def _is_broken_line(step: Any) -> bool:
    """Splines of degree 1 or 0 with straight ends.

    scikit-learn 1.9 lets the ends of all features but the first begin at the second inner knot, so
    that the derivative of the spline is not that of its columns.
    """
    is_spline = isinstance(step, SplineTransformer)
    return is_spline and step.degree <= 1 and step.extrapolation == "linear"


def _by_differences(step: Any, X: Any, D: Array, told: Told) -> Array:
    """By changes of the columns that move; one-sided in rows of which a step refuses one side."""
    used = np.flatnonzero(D.any(axis=0))
    column = X.ndim == 1  # a ColumnTransformer gives a single name's values so
    rows = pd.DataFrame({0: X}) if column else X
    values = {j: as_floats(columns_of(rows, [j]))[:, 0] for j in used}
    sizes = np.min(
        [
            np.divide(
                step_sizes(values[j]),
                np.abs(D[:, j]),
                out=np.full(len(D), np.inf),
                where=D[:, j] != 0,
            )
            for j in used
        ],
        axis=0,
    )
    sizes[~np.isfinite(sizes)] = 1.0
    width = step.transform(X[:1]).shape[1]
    around = getattr(step, "_around", step.transform)  # a formula refuses nothing there

    def move(steps: Array, at: Any, transform: Any = around) -> Array:
        changed = {j: values[j][at] + steps * D[at, j] for j in used}
        try:
            with np.errstate(all="ignore"):
                found = as_floats(transform(_with_columns(_rows_at(X, at), changed)))
            if found.shape == (len(at), width):
                return found
        except ValueError:  # such as for values that are not finite, or beyond those of the fit
            if len(at) > 1:  # one row that is refused takes no other with it
                halves = np.array_split(np.arange(len(at)), 2)
                return np.vstack([move(steps[half], at[half], transform) for half in halves])
        return np.full((len(at), width), np.nan)

    all_rows = np.arange(len(D))
    found = differences_along(functools.partial(move, at=all_rows), sizes)
    for sign in (1.0, -1.0):
        lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if lost.size:
            told.one_sided.add(type(step).__name__)
            found[lost] = one_sided_along(functools.partial(move, at=lost), sign * sizes[lost])
    lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if lost.size and around != step.transform:  # beyond the boundaries of a spline
        plain = functools.partial(move, at=lost, transform=step.transform)
        found[lost] = differences_along(plain, sizes[lost])
    if not np.isfinite(found).all():
        row = int((~np.isfinite(found)).any(axis=1).argmax())
        raise InferenceError(
            f"{type(step).__name__} has no finite derivative by differences in row {row} of a "
            "block of rows, as where it jumps; leave such rows out, or take measure='comparison'."
        )
    return found


def _rows_at(X: Any, at: Any) -> Any:
    """Some rows of a data frame, a series, or an array."""
    return X.iloc[at] if hasattr(X, "iloc") else X[at]


def _with_columns(X: Any, changed: dict[Any, Array]) -> Any:
    """A copy of the rows with other numbers in some columns."""
    if isinstance(X, pd.Series):
        return pd.Series(changed[0], index=X.index, name=X.name)
    if isinstance(X, pd.DataFrame):
        copied = X.copy(deep=False)
        for j, values in changed.items():
            copied[X.columns[j]] = values
        return copied
    copied = X.toarray() if sparse.issparse(X) else np.array(X)
    if copied.ndim == 1:
        return changed[0]
    if copied.dtype.kind in "iub":
        copied = copied.astype(np.float64)
    for j, values in changed.items():
        copied[:, j] = values
    return copied
