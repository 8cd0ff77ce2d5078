"""Where a table is: whatever holds one, read as batches of Arrow any number of times."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mcmodels.tables.packages import pyarrow

__all__ = ["BATCH_ROWS", "DatasetSource", "ReaderSource", "Source", "TableSource"]

# Rows of a batch that is asked for; those of a file may be fewer. A block of twenty columns has
# 20 MB then.
BATCH_ROWS = 2**17
# Batches and files that are read ahead, so that decoding does not wait for the sums. The defaults
# of Arrow hold up to 16 batches of 4 files, which is a gigabyte of a hundred columns.
_BATCHES_AHEAD, _FILES_AHEAD = 4, 1
# What a batch comes from, and the batch.
Batches = Iterator[tuple[str, Any]]


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

    def stamp(self) -> Any:
        """Something that changes when the rows do; None where nothing is known of that."""
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
    """

    dataset: Any
    description: str
    filters = True

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.dataset.schema

    def stamp(self) -> Any:
        """Size and time of each local file; tables of Arrow do not change."""
        files = getattr(self.dataset, "files", None)
        if files is None:
            in_memory = isinstance(self.dataset, pyarrow("scan").dataset.InMemoryDataset)
            return "in memory" if in_memory else None
        try:
            found = [os.stat(path) for path in files]
        except OSError:  # not on this machine, or gone
            return None
        return [(file.st_size, file.st_mtime_ns) for file in found]

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        scanner = self.dataset.scanner(
            columns=list(columns),
            filter=where,
            batch_size=BATCH_ROWS,
            batch_readahead=_BATCHES_AHEAD,
            fragment_readahead=_FILES_AHEAD,
        )
        for tagged in scanner.scan_batches():
            place = getattr(tagged.fragment, "path", "") or self.description
            yield place, tagged.record_batch


@dataclass(frozen=True)
class TableSource:
    """A table of Arrow in memory, which can be pickled, as a dataset of it cannot.

    Parameters
    ----------
    table : pyarrow.Table
        The table.
    description : str
        What it is.
    """

    table: Any
    description: str
    filters = True

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.table.schema

    def stamp(self) -> str:
        """Tables of Arrow do not change."""
        return "in memory"

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        dataset = pyarrow("scan").dataset.dataset(self.table)
        yield from DatasetSource(dataset, self.description).batches(columns, where)


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
    """

    open: Callable[[list[str] | None], Any]
    schema: Any
    description: str
    filters = False

    def stamp(self) -> None:
        """Nothing is known of changes."""

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, filtered after they were read."""
        arrow = pyarrow("scan")
        for batch in self.open(list(columns)):
            if where is None:
                yield self.description, batch
                continue
            for part in arrow.Table.from_batches([batch]).filter(where).to_batches():
                yield self.description, part
