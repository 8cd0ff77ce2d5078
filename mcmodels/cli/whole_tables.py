"""Files that are read into memory together: several, patterns, directories, any kind of table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from mcmodels.cli.files import is_text
from mcmodels.cli.reading import DataFile
from mcmodels.cli.table_files import TableFiles, in_options, is_one_file
from mcmodels.tables.packages import pyarrow

__all__ = ["InMemory", "WholeTables", "data_of"]


def data_of(options: argparse.Namespace) -> InMemory:
    """The rows of the files of the options, for those who need all of them together."""
    (first, *_) = options.files
    kinds = (".parquet", ".pq")
    if is_one_file(options.files) and (is_text(first) or first.name.lower().endswith(kinds)):
        return DataFile(first, options)
    return WholeTables(options)


class WholeTables(TableFiles):
    """Files whose rows are in memory together; see :class:`TableFiles`.

    It answers as a :class:`DataFile` does.
    """

    decimal = "."

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self._options = options

    def frame(self, text: Iterable[str] = ()) -> pd.DataFrame:
        """The rows, numbered from 0; the columns named in ``text`` stay text in text files."""
        frames = [frame for frame, _ in self.blocks(text, [])]
        return pd.concat(frames, ignore_index=True)

    def blocks(self, text: Iterable[str], keep: list[str]) -> Iterator[tuple[pd.DataFrame, Any]]:
        """The rows in blocks, and columns of them as they are written, or None."""
        written = self._written([*text, *keep])
        names = [name for name in self.columns if name in self.source.schema.names]
        start = 0
        with in_options():
            for _, batch in written.source.batches(names, None):
                frame = _frame(batch)
                frame.index += start
                start += len(frame)
                yield frame, frame[keep] if keep else None
        if not start:
            yield _frame(written.source.schema.empty_table())[names], None

    def where(self, row: int) -> str:
        """Where a row of the frame is."""
        return f"data row {row + 1}"

    def _written(self, names: list[str]) -> TableFiles:
        """The files with some columns as they are written; those of others have types."""
        known = [name for name in dict.fromkeys(names) if name in self.columns]
        return TableFiles(self._options, known) if known and self.source.is_text else self


InMemory = DataFile | WholeTables


def _frame(batch: Any) -> pd.DataFrame:
    """Rows of Arrow in the types of pandas that hold missing values."""
    arrow = pyarrow("a table")
    types = {
        arrow.bool_(): pd.BooleanDtype(),
        arrow.int8(): pd.Int8Dtype(),
        arrow.int16(): pd.Int16Dtype(),
        arrow.int32(): pd.Int32Dtype(),
        arrow.int64(): pd.Int64Dtype(),
        arrow.uint8(): pd.UInt8Dtype(),
        arrow.uint16(): pd.UInt16Dtype(),
        arrow.uint32(): pd.UInt32Dtype(),
        arrow.uint64(): pd.UInt64Dtype(),
        arrow.float32(): pd.Float32Dtype(),
        arrow.float64(): pd.Float64Dtype(),
        arrow.string(): pd.StringDtype(),
        arrow.large_string(): pd.StringDtype(),
    }
    frame: pd.DataFrame = batch.to_pandas(types_mapper=types.get)
    return frame
