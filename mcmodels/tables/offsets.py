"""Columns of offsets and exposures: read as numbers, and refused by column, place and row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.tables.values import is_missing, numbers

__all__ = ["described_offset", "has_wrong_offsets", "offset_parts", "refuse_wrong_offsets"]


def offset_parts(batch: Any, columns: Mapping[str, str]) -> tuple[Array | None, ...]:
    """What stands after the weights in a block: its offset and exposure.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        The rows.
    columns : mapping of str to str
        The names of the columns, by ``"offset"`` and ``"exposure"``.

    Returns
    -------
    tuple
        Empty without columns; else the offset, and the exposure if there is one.
    """
    if not columns:
        return ()
    offset, exposure = (
        _values(batch, columns[argument]) if argument in columns else None
        for argument in ("offset", "exposure")
    )
    return (offset,) if exposure is None else (offset, exposure)


def has_wrong_offsets(batch: Any, columns: Mapping[str, str]) -> bool:
    """Whether a value is infinite, or an exposure not positive; NaN is a missing value."""
    return any(_wrong(key, _values(batch, name)).any() for key, name in columns.items())


def refuse_wrong_offsets(
    batches: Iterable[tuple[str, Any]], columns: Mapping[str, str], used: Iterable[str]
) -> None:
    """Raise an error that names the first such value.

    Parameters
    ----------
    batches : iterable of tuple
        Where each batch is from, and the batch.
    columns : mapping of str to str
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
        for argument, name in columns.items():
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


def described_offset(columns: Mapping[str, str]) -> str:
    """The offset in words; empty without one."""
    parts = [columns["offset"]] if "offset" in columns else []
    return " + ".join(parts + [f"log({columns[key]})" for key in columns if key == "exposure"])


def _values(batch: Any, name: str) -> Array:
    return np.asarray(numbers(batch.column(name)), dtype=np.float64)


def _wrong(argument: str, values: Array) -> npt.NDArray[np.bool_]:
    wrong = np.isinf(values)
    return wrong | (values <= 0) if argument == "exposure" else wrong
