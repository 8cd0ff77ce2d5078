"""Values of Arrow's columns as NumPy holds them: numbers, labels, and which are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.tables.packages import pyarrow

__all__ = ["comparable", "is_missing", "is_text", "labels", "numbers", "plain", "refuse_type"]

# The largest power of ten that float64 holds exactly.
_EXACT_POWER = 22
_SECONDS = {"days": 86_400.0, "hours": 3600.0, "seconds": 1.0}
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def plain(array: Any) -> Any:
    """The values of an array; those of a dictionary are looked up in it."""
    arrow = pyarrow("scan")
    if arrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return comparable(array)


def comparable(array: Any) -> Any:
    """Values of a type that Arrow can compare; -0.0 is 0.0."""
    arrow = pyarrow("scan")
    if arrow.types.is_string_view(array.type):
        return array.cast(arrow.large_string())
    if arrow.types.is_float16(array.type):
        array = array.cast(arrow.float32())
    if arrow.types.is_floating(array.type):
        return arrow.compute.add(array, arrow.scalar(0.0, array.type))
    return array


def numbers(array: Any, dates: str = "refuse") -> Array:
    """The values as numbers, NaN where they are missing; :func:`refuse_type` has passed them.

    Parameters
    ----------
    array : pyarrow.Array
        Whole numbers, floats, booleans, decimals, dates or times.
    dates : {"days", "hours", "seconds"}
        The unit of dates and times, which are counted from 1970; of a duration, its length.
    """
    arrow = pyarrow("scan")
    if arrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if arrow.types.is_temporal(kind):
        return _since_1970(array, _SECONDS[dates])
    if arrow.types.is_decimal(kind):
        return _of_decimals(array)
    if not (arrow.types.is_integer(kind) or arrow.types.is_floating(kind)):
        array = array.cast(arrow.float64())
    return np.asarray(array.to_numpy(zero_copy_only=False))


def labels(array: Any) -> Any:
    """Targets: numbers and booleans as they are, and text as NumPy's."""
    array = plain(array)
    if pyarrow("scan").types.is_decimal(array.type):
        return numbers(array)
    values = array.to_numpy(zero_copy_only=False)
    return values.astype(str) if is_text(array.type) else values


def is_missing(array: Any) -> npt.NDArray[np.bool_] | None:
    """Which values are null or NaN; None where none is."""
    arrow = pyarrow("scan")
    if arrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    lost = None
    if array.null_count:
        lost = ~np.asarray(array.is_valid())
    if arrow.types.is_floating(array.type):
        is_nan = np.isnan(array.to_numpy(zero_copy_only=False))
        if is_nan.any():
            lost = is_nan if lost is None else lost | is_nan
    return lost


def is_text(kind: Any) -> bool:
    """Whether a type holds text."""
    types = pyarrow("scan").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def refuse_type(name: str, kind: Any, *, categorical: bool, dates: str) -> None:
    """Raise TypeError for a column that is no number (or no level) and cannot become one."""
    types = pyarrow("scan").types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_interval(kind):
        remedy = "leave it out, or convert it to a duration"
    elif types.is_nested(kind):
        remedy = "take the parts that are meant as columns of their own"
    elif is_text(kind) and not categorical:
        remedy = f"name it in categorical=[{name!r}], leave it out, or convert it to numbers"
    elif types.is_temporal(kind) and not categorical and dates == "refuse":
        remedy = "pass dates='days' (or 'hours', 'seconds') to count from 1970, or leave it out"
    elif types.is_temporal(kind) and categorical:
        remedy = "make text of it first, for example the name of the day"
    elif (
        is_text(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_temporal(kind)
    ):
        return
    else:
        remedy = "leave it out, or convert it"
    raise TypeError(f"column {name!r} is {kind}, which is no number; {remedy}.")


def _of_decimals(array: Any) -> Array:
    """Decimals as the nearest floats; a cast of Arrow may be wrong in the last digit."""
    arrow = pyarrow("scan")
    scale = array.type.scale
    if arrow.types.is_decimal128(array.type) and 0 <= scale <= _EXACT_POWER:
        held = np.frombuffer(array.buffers()[1], np.int64)[2 * array.offset :]
        low, high = held[: 2 * len(array)].reshape(-1, 2).T
        valid = np.asarray(array.is_valid())
        short = (high == low >> 63) & (low >= -(2**53)) & (low <= 2**53)
        if short[valid].all():
            # Both numbers are exact, so that the quotient is rounded once.
            return np.where(valid, low / 10.0**scale, np.nan)
    text = array.cast(arrow.string())
    return np.asarray(text.cast(arrow.float64()).to_numpy(zero_copy_only=False))


def _since_1970(array: Any, unit: float) -> Array:
    arrow = pyarrow("scan")
    if arrow.types.is_date(array.type):
        array = array.cast(arrow.timestamp("s"))
    per_second = _PER_SECOND[array.type.unit]
    if arrow.types.is_time32(array.type):
        array = array.cast(arrow.int32())
    whole = array.cast(arrow.int64()).to_numpy(zero_copy_only=False)
    return np.asarray(whole / (per_second * unit))
