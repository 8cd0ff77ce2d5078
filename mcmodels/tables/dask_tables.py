"""Partitions of a data frame of Dask as tables, and what is summed over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcmodels.rows import RowStream
from mcmodels.tables.choice import Choice
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.dask_parts import Levels
from mcmodels.tables.engines import source_of_partition

__all__ = ["LevelsOfPart", "OpenTable", "dropped_of_part"]


@dataclass(frozen=True)
class OpenTable:
    """Opens a partition as a table.

    Parameters
    ----------
    stream_of : callable
        Makes a stream of a choice and a condition.
    fields : dict
        Those of the choice, but the source.
    schema : pyarrow.Schema
        Names and types of the columns.
    where : Any
        The condition.
    columns : TableColumns or None
        The columns of X, if they are known.
    """

    stream_of: Callable[[Choice, Any], Any]
    fields: dict[str, Any]
    schema: Any
    where: Any
    columns: TableColumns | None

    def __call__(self, frame: Any, number: int) -> RowStream:
        """The rows that are used."""
        if len(frame) == 0:
            return RowStream([])
        source = source_of_partition(frame, number, self.schema)
        stream: RowStream = self.stream_of(Choice(source=source, **self.fields), self.where)
        return stream if self.columns is None else stream.bound_to(self.columns)


@dataclass(frozen=True)
class LevelsOfPart:
    """The values of some columns in a partition."""

    names: tuple[str, ...]

    def __call__(self, part: Any) -> Levels:
        """The values by the name of the column."""
        if not hasattr(part.stream, "levels_seen"):  # no rows
            return Levels()
        found = part.stream.levels_seen(list(self.names))
        return Levels({name: set(values) for name, values in found.items()})


def dropped_of_part(part: Any) -> int:
    """How many rows of a partition a pass leaves out."""
    if not hasattr(part.stream, "n_dropped"):  # no rows
        return 0
    for _ in part.stream.nonempty():
        pass
    return int(part.stream.n_dropped or 0)
