"""Where a table is: whatever holds one, read as batches of Arrow any number of times."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mcmodels.tables.packages import pyarrow

__all__ = [
    "BATCH_ROWS",
    "Batches",
    "DatasetSource",
    "ReaderSource",
    "Source",
    "TableSource",
    "stamp_of",
    "without_views",
]

# Rows of a batch that is asked for; those of a file may be fewer. A block of twenty columns has
# 20 MB then.
BATCH_ROWS = 2**17
# Batches and files that are read ahead, so that decoding does not wait for the sums. With 4 batches
# a fit to 24 million rows of 20 columns took 1.0 GB at its peak; with one it takes 0.7, and less
# time. The defaults of Arrow are 16 batches of 4 files.
_BATCHES_AHEAD, _FILES_AHEAD = 1, 1
# Rows of Parquet that are scanned at a time; row groups are not cut.
_PART_ROWS = 2**19
# What a batch comes from, and the batch.
Batches = Generator[tuple[str, Any]]


class Source(Protocol):
    """A table that can be read any number of times."""

    filters: bool
    """Whether it filters rows itself; else rows are filtered after they were read."""

    @property
    def schema(self) -> Any:
        """Names and types of the columns: a ``pyarrow.Schema``."""
        ...

    @property
    def description(self) -> str:
        """What and where it is."""
        ...

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns that are not in the schema because Arrow cannot hold them, and why."""
        ...

    def stamp(self) -> Any:
        """Something that changes when the rows do; None where nothing is known of that."""
        ...

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """The distinct rows, where an engine groups them; None where they are to be found here."""
        ...

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, in the same order each time.

        Parameters
        ----------
        columns : sequence of str
            The columns that are read.
        where : pyarrow.compute.Expression or None
            Rows for which it is not true are left out.
        """
        ...


@dataclass(frozen=True)
class DatasetSource:
    """Files, or tables in memory, that ``pyarrow.dataset`` reads.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        The files or tables.
    description : str
        What and where it is.
    at_scan : object, default=None
        The stamp of the files when they were scanned: Arrow keeps what it has read of them.
    """

    dataset: Any
    description: str
    at_scan: Any = None
    filters = True
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.dataset.schema

    def stamp(self) -> Any:
        """Size and time of each local file; tables of Arrow do not change."""
        files = getattr(self.dataset, "files", None)
        if files is not None:
            return stamp_of(files)
        in_memory = isinstance(self.dataset, pyarrow("scan").dataset.InMemoryDataset)
        return "in memory" if in_memory else None

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """None: rows are grouped as they are read."""
        return None

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        arrow = pyarrow("scan")
        if self.at_scan is not None and self.stamp() != self.at_scan:
            raise ValueError(f"{self.description} has changed since it was scanned; scan it again.")
        place = self.description
        try:
            for part in _parts(self.dataset, where):
                scanner = part.scanner(
                    columns=list(columns),
                    filter=where,
                    batch_size=BATCH_ROWS,
                    batch_readahead=_BATCHES_AHEAD,
                    fragment_readahead=_FILES_AHEAD,
                    fragment_scan_options=_without_buffers(self.dataset),
                )
                for tagged in scanner.scan_batches():
                    place = getattr(tagged.fragment, "path", "") or self.description
                    yield place, tagged.record_batch
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            raise ValueError(
                f"{self.description} cannot be read further than {place}: {error}. The type of a "
                "column is that in the first rows of all files; text files may need other types "
                "further down: store them as Parquet, or pass a pyarrow.dataset with a schema."
            ) from error


def _is_parquet(dataset: Any) -> bool:
    parquet = pyarrow("scan").dataset.ParquetFileFormat
    return isinstance(getattr(dataset, "format", None), parquet)


def _parts(dataset: Any, where: Any) -> Iterator[Any]:
    """Parts of a dataset, to be scanned one after another: a few row groups of Parquet.

    Where rows are used more slowly than they are decoded, a scan is half a gigabyte ahead, whatever
    it is told. It cannot be further ahead than the end of its part.
    """
    if not _is_parquet(dataset):
        yield dataset
        return
    for file in dataset.get_fragments(filter=where):
        held: list[int] = []
        n_rows, groups = 0, file.row_groups
        for group in groups:
            held.append(group.id)
            n_rows += group.num_rows
            if n_rows >= _PART_ROWS or group is groups[-1]:
                part = file.subset(row_group_ids=held)
                yield type(dataset)([part], dataset.schema, dataset.format)
                held, n_rows = [], 0


def _without_buffers(dataset: Any) -> Any:
    """Options by which Parquet is not buffered: buffers are kept until all of a file is read."""
    if not _is_parquet(dataset):
        return None
    return pyarrow("scan").dataset.ParquetFragmentScanOptions(pre_buffer=False)


def stamp_of(files: Sequence[str]) -> Any:
    """Size and time of each file; None where one is not on this machine."""
    try:
        found = [os.stat(path) for path in files]
    except OSError:
        return None
    return [(file.st_size, file.st_mtime_ns) for file in found]


@dataclass(frozen=True)
class TableSource:
    """A table of Arrow in memory, which can be pickled, as a dataset of it cannot.

    Parameters
    ----------
    table : pyarrow.Table
        The table.
    description : str
        What it is.
    fixed : bool, default=True
        Whether nobody can change it; a table may share memory with a data frame of pandas.
    unreadable : mapping of str to str
        Columns that Arrow cannot hold, and why.
    """

    table: Any
    description: str
    fixed: bool = True
    unreadable: Mapping[str, str] = field(default_factory=dict)
    filters = True

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.table.schema

    def stamp(self) -> str | None:
        """Tables of Arrow do not change."""
        return "in memory" if self.fixed else None

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """None: rows are grouped as they are read."""
        return None

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        table = self.table if where is None else self.table.filter(where)
        for batch in table.select(list(columns)).to_batches(BATCH_ROWS):
            yield self.description, batch


@dataclass(frozen=True)
class ReaderSource:
    """Anything that a function opens as a reader.

    Parameters
    ----------
    open : callable
        Takes the names of columns, or None for all; returns an iterator over batches with these
        columns, and maybe others.
    schema : pyarrow.Schema
        Names and types of the columns.
    description : str
        What and where it is.
    unreadable : mapping of str to str
        Columns that Arrow cannot hold, and why.
    group : callable, default=None
        Finds the distinct rows, as the functions of :mod:`mcmodels.tables.grouping` do.
    """

    open: Callable[[list[str] | None], Any]
    schema: Any
    description: str
    filters = False
    unreadable: Mapping[str, str] = field(default_factory=dict)
    group: Callable[..., Any] | None = None

    def stamp(self) -> None:
        """Nothing is known of changes."""

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """The distinct rows, where the engine can tell them."""
        return None if self.group is None else self.group(keys, weights, target)

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, filtered after they were read."""
        arrow, reader = pyarrow("scan"), self.open(list(columns))
        try:
            for batch in reader:
                lacking = [name for name in columns if name not in batch.schema.names]
                if lacking:
                    raise ValueError(
                        f"{self.description} had the column {lacking[0]!r} before, and has it no "
                        "more; every walk must give the same rows."
                    )
                parts = [batch]
                if where is not None or has_views(batch.schema):
                    table = without_views(arrow.Table.from_batches([batch]))
                    parts = (table if where is None else table.filter(where)).to_batches()
                for part in parts:
                    yield self.description, part
        finally:
            # An open result would block the next query of a connection.
            if hasattr(reader, "close"):
                reader.close()


def has_views(schema: Any) -> bool:
    """Whether a column is a view of text, which Arrow cannot filter."""
    types = pyarrow("scan").types
    return any(types.is_string_view(column.type) for column in schema)


def without_views(table: Any) -> Any:
    """A table with text in place of views of text."""
    arrow = pyarrow("scan")
    if not has_views(table.schema):
        return table
    text = arrow.large_string()
    fields = [
        column.with_type(text) if arrow.types.is_string_view(column.type) else column
        for column in table.schema
    ]
    return table.cast(arrow.schema(fields))
