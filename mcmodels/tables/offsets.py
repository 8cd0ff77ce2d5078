"""Columns of offsets and exposures: read as numbers, and refused by column, place and row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.tables.values import is_missing, numbers

__all__ = [
    "OffsetColumns",
    "described_offset",
    "has_wrong_offsets",
    "offset_parts",
    "refuse_wrong_offsets",
]


# The names of the columns, by "offset" and "exposure"; an offset for several classes has as many.
OffsetColumns = Mapping[str, tuple[str, ...]]


def offset_parts(batch: Any, columns: OffsetColumns) -> tuple[Any, ...]:
    """What stands after the weights in a block: its offset and exposure.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        The rows.
    columns : mapping of str to tuple of str
        The names of the columns, by ``"offset"`` and ``"exposure"``.

    Returns
    -------
    tuple
        Empty without columns; else the offset, and the exposure if there is one. An offset of
        several columns is a data frame.
    """
    if not columns:
        return ()
    offset, exposure = (_part(batch, columns.get(key, ())) for key in ("offset", "exposure"))
    return (offset,) if exposure is None else (offset, exposure)


def _part(batch: Any, names: tuple[str, ...]) -> Any:
    if len(names) > 1:
        return pd.DataFrame({name: _values(batch, name) for name in names})
    return _values(batch, names[0]) if names else None


def has_wrong_offsets(batch: Any, columns: OffsetColumns) -> bool:
    """Whether a value is infinite, or an exposure not positive; NaN is a missing value."""
    return any(_wrong(key, _values(batch, name)).any() for key, name in _pairs(columns))


def refuse_wrong_offsets(
    batches: Iterable[tuple[str, Any]], columns: OffsetColumns, used: Iterable[str]
) -> None:
    """Raise an error that names the first such value.

    Parameters
    ----------
    batches : iterable of tuple
        Where each batch is from, and the batch.
    columns : mapping of str to tuple of str
        As for :func:`offset_parts`.
    used : iterable of str
        Rows without a value in one of these columns do not count.
    """
    used = list(used)
    before: dict[str, int] = {}
    for place, batch in batches:
        first = before.get(place, 0)
        before[place] = first + batch.num_rows
        present = np.ones(batch.num_rows, dtype=bool)
        for lost in (is_missing(batch.column(name)) for name in used):
            present &= True if lost is None else ~lost
        for argument, name in _pairs(columns):
            values = _values(batch, name)
            wrong = _wrong(argument, values) & present
            if wrong.any():
                row = int(wrong.argmax())
                kind = "a finite number" if argument == "offset" else "positive and finite"
                raise ValueError(
                    f"column {name!r} of {place} holds {values[row]:g} in row {first + row} of the "
                    f"rows that are read (counted from 0); an {argument} must be {kind}. Leave "
                    "such rows out, for example by where=."
                )


def described_offset(columns: OffsetColumns) -> str:
    """The offset in words; empty without one."""
    parts = [", ".join(columns["offset"])] if "offset" in columns else []
    parts += [f"log({name})" for name in columns.get("exposure", ())]
    return " + ".join(parts)


def _pairs(columns: OffsetColumns) -> Iterator[tuple[str, str]]:
    """Each column with what it is."""
    return ((key, name) for key, names in columns.items() for name in names)


def _values(batch: Any, name: str) -> Array:
    return np.asarray(numbers(batch.column(name)), dtype=np.float64)


def _wrong(argument: str, values: Array) -> npt.NDArray[np.bool_]:
    wrong = np.isinf(values)
    return wrong | (values <= 0) if argument == "exposure" else wrong
