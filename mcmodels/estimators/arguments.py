"""Checks of single arguments, and of the order of rows; each error says what was found."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_array

from mcmodels.arrays import Array, Matrix, VectorLike, Weights, refuse_masked
from mcmodels.estimators.numeric_columns import named_columns, refuse_dates
from mcmodels.exceptions import example_of
from mcmodels.inference.robust import CLUSTER_KINDS, HC_KINDS
from mcmodels.rows import StreamedMatrix

_LONGEST_LIST = 10


def check_choice(
    name: str, value: object, choices: Sequence[str], instead: Mapping[str, str] | None = None
) -> None:
    """Refuse a value that is not one of the choices; ``instead`` has the choice for some others."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        other = (instead or {}).get(str(value))
        hint = "" if other is None else f" Instead of {example_of(value)} take {other!r}."
        raise ValueError(f"{name}={example_of(value)} is not known; choose one of {known}.{hint}")


def check_interval_kind(kind: object, results: str = "") -> None:
    """Refuse a kind that predict_interval does not have; ``results`` has with_covariance."""
    if isinstance(kind, str) and kind in (*HC_KINDS, *CLUSTER_KINDS, "HAC", "nonrobust"):
        raise ValueError(
            f"kind={kind!r} is that of a covariance; kind of predict_interval is 'mean' or "
            f"'observation'. Pass {results}with_covariance(X, y, kind={kind!r})"
            ".predict_interval(X), with the training rows first."
        )
    check_choice("kind", kind, ("mean", "observation"))


def refuse_unknown_keywords(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise TypeError, as Python does, for a keyword that the called method does not have."""
    known = list(known)
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            there = f"There are {listed(known)}." if known else "There are no further ones."
            hint = f"Did you mean {nearest[0]!r}?" if nearest else there
            raise TypeError(f"got an unexpected keyword argument {name!r}. {hint}")


def check_name(name: str, value: object) -> None:
    """Refuse a value that is neither text nor None."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name}={example_of(value)} must be text.")


def check_flag(name: str, value: object) -> None:
    """Refuse a value that is not True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={example_of(value)} must be True or False.")


def check_number(
    name: str, value: object, *, above: float | None = None, at_least: float | None = None
) -> None:
    """Refuse a value that is not a number in its range; infinity is allowed."""
    if not isinstance(value, Real) or isinstance(value, bool) or np.isnan(float(value)):
        raise ValueError(f"{name}={example_of(value)} must be a number.")
    if above is not None and not float(value) > above:
        raise ValueError(f"{name}={example_of(value)} must be greater than {above:g}.")
    if at_least is not None and not float(value) >= at_least:
        raise ValueError(f"{name}={example_of(value)} must be at least {at_least:g}.")


def check_count(name: str, value: object, *, at_least: int) -> None:
    """Refuse a value that is not an integer of at least ``at_least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < at_least:
        raise ValueError(f"{name}={example_of(value)} must be an integer of at least {at_least}.")


def check_max_iter(value: object) -> None:
    """Refuse a limit of steps that is not an integer of at least 1."""
    try:
        check_count("max_iter", value, at_least=1)
    except ValueError as error:
        raise ValueError(
            f"{error} Leave it out: it only limits the steps, and a fit ends when it has "
            "converged. To predict without a fit, assign the coefficients."
        ) from None


def check_weights(
    sample_weight: Weights, X: Matrix, *, allow_all_zero: bool = False
) -> Array | None:
    """Weights as a float64 array, one for each row, or None; negative weights are refused."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real) and not isinstance(sample_weight, bool):
        sample_weight = np.full(X.shape[0], float(sample_weight))
    weights = finite_numbers("sample_weight", sample_weight)
    if weights.ndim != 1:
        raise ValueError(
            f"sample_weight must be one-dimensional; found an array of shape {weights.shape}."
        )
    if len(weights) != X.shape[0]:
        raise ValueError(
            f"sample_weight has {len(weights)} entries, and X has {X.shape[0]} rows: inconsistent "
            f"numbers of samples: {[X.shape[0], len(weights)]}."
        )
    if weights.min() < 0:
        row = int(weights.argmin())
        raise ValueError(
            f"sample_weight must not be negative; found {weights[row]:g} in row {row}. "
            "Remove the row, or give it weight 0."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError(
            "the sum of sample_weight overflows float64; divide the weights by a constant."
        )
    if weights.max() == 0 and not allow_all_zero:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    return weights


def refuse_other_order(**arguments: object) -> None:
    """Refuse pandas arguments whose indexes say that pairing by position pairs the wrong rows.

    They say so where they hold the same labels in another order, or share most of them, but not in
    the same rows, as where other rows were dropped from each. A shift of all labels alike is a lag,
    and indexes with other labels, or 0, 1, … as after ``reset_index``, say nothing.
    """
    indexes = {
        name: value.index
        for name, value in arguments.items()
        if isinstance(value, pd.DataFrame | pd.Series | StreamedMatrix) and value.index is not None
    }
    for (first, left), (second, right) in combinations(indexes.items(), 2):
        if _is_reordered(left, right):
            raise ValueError(
                f"{first} and {second} have the same index labels in another order, and rows are "
                f"paired by position. Pass {second}.loc[{first}.index]; or "
                f"{second}.reset_index(drop=True) and {first}.reset_index(drop=True) if the "
                "positions are right."
            )
        shifts = _shifts(left, right)
        if 2 * len(shifts) >= len(left) and len(np.unique(shifts)) > 1:
            raise ValueError(
                f"{first} and {second} share {len(shifts)} of {len(left)} index labels, "
                f"{np.count_nonzero(shifts)} of them in other rows, and rows are paired by "
                f"position. Pass the rows of {first}.index.intersection({second}.index) of both, "
                "by .loc; or both with .reset_index(drop=True) if the positions are right."
            )


def _is_reordered(left: pd.Index, right: pd.Index) -> bool:
    if len(left) != len(right) or left.nlevels != right.nlevels or left.equals(right):
        return False
    return left.symmetric_difference(right, sort=False).empty


def _shifts(left: pd.Index, right: pd.Index) -> npt.NDArray[np.intp]:
    """By how many rows each label of both is apart; none where labels repeat or say nothing."""
    rows = np.arange(len(left))
    unlike = len(left) != len(right) or left.nlevels != right.nlevels or left.equals(right)
    if unlike or not (left.is_unique and right.is_unique):
        return rows[:0]
    if any(index.equals(pd.RangeIndex(len(rows))) for index in (left, right)):
        return rows[:0]
    if isinstance(right, pd.IntervalIndex):  # intervals that overlap cannot be looked up
        left, right = left.astype(object), right.astype(object)
    found = right.get_indexer(left)
    return (found - rows)[found >= 0]


def check_params(params: VectorLike, shape: tuple[int, ...], name: str = "params") -> Array:
    """Parameters as a finite float64 array; ``shape`` is that of the fitted parameters."""
    array = finite_numbers(name, params)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}; the fitted parameters have shape {shape}. Pass "
            "an array with the layout of params_."
        )
    return array


def finite_numbers(name: str, values: Any) -> Array:
    """An argument of any shape as a finite float64 array; dates and masked entries are refused."""
    if type(values) is np.ndarray and values.dtype == np.float64 and 1 <= values.ndim <= 2:
        # scikit-learn's check takes longer than a small block of a stream is worth.
        with np.errstate(over="ignore", invalid="ignore"):
            if values.size and np.isfinite(values.sum()):
                return values
    refuse_masked(name, values)
    is_array = hasattr(values, "__len__") or hasattr(values, "__array__")
    if isinstance(values, str) or not is_array:
        raise TypeError(f"{name}={example_of(values)} must be an array of numbers.")
    with named_columns(**{name: values}):
        array = check_array(values, dtype=np.float64, ensure_2d=False, input_name=name)
    refuse_dates(name, values, np.asarray(values).dtype.kind)
    return array


def listed(items: Iterable[object]) -> str:
    """The first items, separated by commas, and how many more there are."""
    texts = [str(item) for item in items]
    rest = len(texts) - _LONGEST_LIST
    shown = ", ".join(texts[:_LONGEST_LIST])
    return f"{shown} and {rest} more" if rest > 0 else shown
