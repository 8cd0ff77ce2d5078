"""Predictions, written block by block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from mcmodels.cli.files import is_parquet, separator_of

__all__ = ["BlockWriter"]


class BlockWriter:
    """Writes blocks of rows to a new file, one after another; a context that closes it.

    Parameters
    ----------
    path : Path
        The file; its name says what is written.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.n_rows = path, 0
        self._as_parquet = is_parquet(path)
        self._parquet: Any = None

    def __enter__(self) -> BlockWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._parquet is not None:
            self._parquet.close()

    def write(self, predicted: pd.DataFrame, kept: Any = None) -> None:
        """Write a block: the columns of a batch of Arrow, if there is one, and those of a frame."""
        self.n_rows += len(predicted)
        if self._as_parquet:
            self._write_parquet(predicted, kept)
            return
        if kept is not None:
            # Types of Arrow, so that a missing value leaves whole numbers whole.
            keys = kept.to_pandas(types_mapper=pd.ArrowDtype)
            predicted = pd.concat([keys, predicted.reset_index(drop=True)], axis=1)
        # A further member of a gzip file is a part of its content.
        first = not self.path.exists()
        separator = separator_of(self.path) or ","
        mode = "w" if first else "a"
        predicted.to_csv(self.path, index=False, sep=separator, mode=mode, header=first)

    def _write_parquet(self, predicted: pd.DataFrame, kept: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(predicted, preserve_index=False)
        if kept is not None:
            keys = [(kept.schema.field(name), kept.column(name)) for name in kept.schema.names]
            for position, (field, column) in enumerate(keys):
                table = table.add_column(position, field, column)
            table = table.replace_schema_metadata(None)  # it speaks of the predictions alone
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self.path, table.schema)
        self._parquet.write_table(table.cast(self._parquet.schema))
