"""Rows of a table as a stream of blocks."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.rows import CodedBlock, RowStream, SameStamp, WalkSums, told
from mcmodels.tables.choice import Choice
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.dask_parts import MOST_LEVELS, DaskParts, in_order
from mcmodels.tables.dask_tables import LevelsOfPart, OpenTable, dropped_of_part
from mcmodels.tables.distinct import DistinctRows, distinct
from mcmodels.tables.engines import DaskSource
from mcmodels.tables.offsets import (
    described_offset,
    has_wrong_offsets,
    offset_parts,
    refuse_wrong_offsets,
)
from mcmodels.tables.packages import pyarrow
from mcmodels.tables.sources import BATCH_ROWS
from mcmodels.tables.values import is_missing, labels, numbers, plain
from mcmodels.tables.where import condition

__all__ = ["TableStream"]

# Files that an error names.
_SHOWN_PLACES = 5


class TableStream(RowStream):
    """Rows of a table, as :func:`scan` returns them.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, scan
    >>> trips = pd.DataFrame({"km": [1.0, 2.0, 3.0], "fare": [3.0, 5.0, 7.0]})
    >>> rows = scan(trips, target="fare")
    >>> LinearRegression().fit(rows).coef_.round(12)
    array([2.])
    """

    def __init__(self, choice: Choice, where: Any = None) -> None:
        super().__init__(self._read)
        self._choice, self._source = choice, choice.source
        # By whether the target is a key: the stamp of the table, and the rows.
        self._distinct: dict[bool, tuple[Any, RowStream]] = {}
        self._found: TableColumns | None = None
        # Shared with copies that are bound to a model.
        self._counts: dict[str, int] = {}
        self._where: Any = None
        self._read_by_where: list[str] | None = []
        if where is not None:
            self._where, self._read_by_where = condition(where, self._source.schema)

    @property
    def in_parts(self) -> bool:  # type: ignore[override]
        """Whether the table is in partitions of Dask."""
        return isinstance(self._source, DaskSource)

    @property
    def parts(self) -> Any:
        """The partitions, if the table is in some."""
        return self._parts(self.table_columns) if self.in_parts else None

    def _parts(self, columns: TableColumns | None, used: list[str] | None = None) -> DaskParts:
        fields = {
            field.name: getattr(self._choice, field.name)
            for field in dataclasses.fields(self._choice)
            if field.name != "source"
        }
        wanted = list(used or self._used)
        others = self._read_by_where
        others = self._source.schema.names if others is None else others
        wanted += [name for name in others if name not in wanted]
        open_table = OpenTable(TableStream, fields, self._source.schema, self._where, columns)
        return DaskParts(cast(DaskSource, self._source).partitions(wanted), open_table)

    @property
    def has_groups(self) -> bool:  # type: ignore[override]
        """Whether a column of clusters was named."""
        return bool(self._choice.groups)

    @property
    def without_rows(self) -> str:  # type: ignore[override]
        """What to say where there are no rows."""
        found = "has no rows" if self._where is None else f"has no rows for which {self._where}"
        lost = " and no value is missing" if self._choice.missing == "drop" else ""
        return f"{self!r} {found}{lost}; there is nothing to fit."

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return f"partition {number}" if self.in_parts else super().place(number)

    def __repr__(self) -> str:
        return f"scan of {self._source.description}"

    @property
    def n_dropped(self) -> int | None:
        """Number of rows with missing values that the last pass has left out.

        Of partitions of Dask they are counted when this is asked for.
        """
        if self.in_parts and self._choice.missing == "drop":
            return self._parts(self.table_columns).sum(dropped_of_part)
        return self._counts.get("dropped")

    @property
    def n_rows(self) -> int | None:
        """Number of rows that the last pass has used."""
        return self._counts.get("rows")

    def explain(self) -> str:
        """What is read, where rows are filtered, and how columns become numbers, as text.

        Levels that nobody has given are looked for, which reads the categorical columns once.
        """
        columns, source = self.table_columns, self._source
        where = "all"
        if self._where is not None:
            by = "the reader of the files" if source.filters else "this process, after reading"
            where = f"{self._where} (filtered by {by})"
        missing = "refused" if self._choice.missing == "refuse" else "rows are left out"
        form = "sparse" if columns.is_sparse else "dense"
        stamp = source.stamp()
        check = "sums over the rows" if stamp is None else "sizes and times of the files"
        check = "nothing: the table is in memory" if stamp == "in memory" else check
        fits = "every row"
        if self._repeats():
            by = " (also by their offset)" if self._choice.offsets else ""
            fits = f"distinct rows{by} with their weights, found in one pass"
        lines = {
            "table": source.description,
            "columns read": ", ".join(self._used),
            "rows": where,
            "missing values": missing,
            "X": f"{len(columns.names)} columns, {form} blocks of up to {BATCH_ROWS:,} rows",
            **{f"levels of {name}": f"{len(found)}" for name, found in columns.levels.items()},
            "offset": described_offset(self._choice.offsets),
            "fits take": fits,
            "walks compared by": check,
        }
        lines = {name: value for name, value in lines.items() if value}
        width = max(map(len, lines))
        return "\n".join(f"{name:{width}}  {value}" for name, value in lines.items())

    # -- columns -----------------------------------------------------------------------------------

    @property
    def table_columns(self) -> TableColumns:
        """The columns of X and the levels of the categorical ones; the first time, it looks."""
        if self._found is None:
            choice = self._choice
            features = choice.chosen_features()
            levels = choice.levels_of(features)
            choice.check_types(features, levels, choice.dates)
            unknown = [name for name, given in levels.items() if given is None]
            seen = self.levels_seen(unknown) if unknown else {}
            ordered = {
                name: choice.ordered(name, seen[name] if given is None else given)
                for name, given in levels.items()
            }
            found = TableColumns(features, ordered, choice.dates)
            if len(set(found.names)) < len(found.names):
                twice = next(name for name in found.names if found.names.count(name) > 1)
                raise ValueError(f"two columns of X would have the name {twice!r}; rename one.")
            self._found = found
        return self._found

    def bound_to(self, columns: TableColumns | None) -> TableStream:
        """The same rows with the columns and levels that a model was fitted to."""
        if columns is None or columns == self._found:
            return self
        named = self._choice.features
        if named is not None and set(named) != set(columns.features):
            raise ValueError(
                f"the scan has the features {', '.join(named)}, and the model was fitted "
                f"to {', '.join(columns.features)}; leave features out to take those."
            )
        self._choice.check_types(columns.features, columns.levels, columns.dates)
        bound = object.__new__(TableStream)
        bound.__dict__ = self.__dict__ | {"_found": columns, "_distinct": {}}
        bound.blocks = bound._read
        return bound

    # -- levels ------------------------------------------------------------------------------------

    def levels_seen(self, names: list[str]) -> dict[str, list[Any]]:
        """The values of some columns, in ascending order, in the rows that are used."""
        seen: dict[str, set[Any]] = {name: set() for name in names}
        if self.in_parts:
            used = [*self._choice.chosen_features(), *self._choice.beside_features]
            found: dict[str, Any] = self._parts(None, used).sum(LevelsOfPart(tuple(names))) or {}
            return {name: list(in_order(name, found.get(name, set()))) for name in names}
        for _, batch in self._complete(names):
            for name in names:
                # Of a dictionary only those of its entries that a row has.
                values = plain(batch.column(name).unique()).drop_null()
                seen[name].update(values.to_pylist())
                if len(seen[name]) > MOST_LEVELS:
                    in_order(name, seen[name])  # refuses them
        # NaN differs from itself, and is a missing value.
        return {
            name: list(in_order(name, {v for v in values if v == v}))
            for name, values in seen.items()
        }

    # -- reading -----------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Iterate over the blocks as (X, y, sample_weight), X a data frame.

        An offset and an exposure stand behind the weights, if their columns were named.
        """
        for block, *others in self._read():
            yield block.frame(), *others

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks that have rows, with their numbers."""
        return enumerate(self._read())

    def walk_check(self, *, in_order: bool = False) -> WalkSums | SameStamp:
        """Files that have not changed give the same rows; else sums over the rows tell."""
        if self._source.stamp() is None:
            return super().walk_check(in_order=in_order)
        return SameStamp(self._source.stamp)

    def for_sums(self, *, quadratic: bool = False, again: bool = False) -> RowStream:
        """The distinct rows, where rows repeat; they are found once, and kept."""
        if self.in_parts or not self._repeats() or len(self._choice.targets) > 1:
            return self
        quadratic = quadratic and bool(self._choice.targets)
        stamp = self._source.stamp()
        known, found = self._distinct.get(quadratic, (None, self))
        # Of a table that tells no changes, those of the fit are its training rows.
        if known == stamp and (stamp is not None or (again and quadratic in self._distinct)):
            return found
        columns = self.table_columns
        target = self._choice.targets[0] if self._choice.targets else None
        offsets = self._choice.offsets
        keys = [*columns.features, *self._choice.groups, *chain(*offsets.values())]
        keys += [target] if target and not quadratic else []
        wanted = list(dict.fromkeys(keys)), self._choice.weights, target if quadratic else None
        table = None if self._where is not None else self._source.grouped(*wanted)
        if table is None:
            table = distinct(self._without_missing(), *wanted)
        found = self
        if table is not None:
            if any(has_wrong_offsets(batch, offsets) for batch in table.to_batches()):
                self._refuse_offsets()
            found = DistinctRows(
                table,
                columns,
                target=target,
                offsets=offsets,
                groups=self._choice.groups,
                quadratic=quadratic,
                unseen=self._choice.unseen,
                place=self._source.description,
            )
        self._distinct[quadratic] = stamp, found
        return found

    def _repeats(self) -> bool:
        """Whether distinct rows are wanted: the user says so, or every feature is a level."""
        if self._choice.compress is not None:
            return self._choice.compress
        if self._choice.offsets:  # they are seldom equal
            return False
        types, schema = pyarrow("scan").types, self._source.schema
        columns = self.table_columns
        return all(
            name in columns.levels or types.is_boolean(schema.field(name).type)
            for name in columns.features
        )

    def group_labels(self) -> Any:
        """The clusters of the rows: an array, or a data frame of two columns; None without."""
        if not self._choice.groups:
            return None
        parts = [
            [labels(batch.column(name)) for name in self._choice.groups]
            for _, batch in self._complete(list(self._choice.groups))
        ]
        stacked = [np.concatenate(column) for column in zip(*parts, strict=True)]
        if len(stacked) == 1:
            return stacked[0]
        return pd.DataFrame(dict(zip(self._choice.groups, stacked, strict=True)))

    @property
    def _used(self) -> list[str]:
        features = self._found.features if self._found else self._choice.chosen_features()
        return list(dict.fromkeys([*features, *self._choice.beside_features]))

    def _batches(self, columns: list[str]) -> Generator[tuple[str, Any]]:
        """The rows of some columns for which the condition holds, and where they are from."""
        source = self._source

        def n_rows() -> int | None:
            return source.count() if self._where is None else None

        return told(self._read_batches(columns), lambda found: found[1].num_rows, source, n_rows)

    def _read_batches(self, columns: list[str]) -> Generator[tuple[str, Any]]:
        wanted = list(columns)
        for name in wanted:
            if name in self._source.unreadable:
                why = self._source.unreadable[name]
                raise ValueError(f"column {name!r} of {self!r} cannot be read: {why}.")
        if self._where is not None and not self._source.filters:
            others = self._read_by_where
            others = self._source.schema.names if others is None else others
            wanted += [name for name in others if name not in wanted]
        # Closed where the caller stops: an open result would block a connection.
        with contextlib.closing(self._source.batches(wanted, self._where)) as batches:
            for place, batch in batches:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield place, batch.slice(start, BATCH_ROWS)

    def _complete(self, columns: list[str]) -> Iterator[tuple[str, Any]]:
        """The rows of some columns; rows with missing values are left out if they shall be."""
        if self._choice.missing == "refuse":
            yield from self._batches(columns)
            return
        arrow = pyarrow("scan")
        for place, batch in self._batches(self._used):
            lost = _any_of(is_missing(batch.column(name)) for name in self._used)
            yield place, batch if lost is None else batch.filter(arrow.array(~lost))

    def _without_missing(self) -> Iterator[Any]:
        """All that is used, in batches; missing values are refused or left out and counted."""
        arrow = pyarrow("scan")
        dropped, kept = 0, 0
        batches = self._batches(self._used)
        for _, batch in batches:
            lost = _any_of(is_missing(batch.column(name)) for name in self._used)
            if lost is not None:
                if self._choice.missing == "refuse":
                    batches.close()
                    self._refuse_missing()
                dropped += int(lost.sum())
                batch = batch.filter(arrow.array(~lost))
            kept += batch.num_rows
            yield batch
        self._counts.update(dropped=dropped, rows=kept)

    def _read(self) -> Iterator[tuple[Any, ...]]:
        """The blocks of one pass."""
        offsets = self._choice.offsets
        blocks = self.beside()
        for block, batch in blocks:
            if offsets and has_wrong_offsets(batch, offsets):
                blocks.close()
                self._refuse_offsets()
            weights = None
            if self._choice.weights:
                weights = np.asarray(numbers(batch.column(self._choice.weights)), dtype=np.float64)
            yield block, self._targets(batch), weights, *offset_parts(batch, offsets)

    def beside(self, columns: Sequence[str] = ()) -> Generator[tuple[CodedBlock, Any]]:
        """Iterate over the blocks of X beside other columns of the same rows.

        Parameters
        ----------
        columns : sequence of str
            Columns of the table that are wanted as they stand; their values may be missing.

        Yields
        ------
        block : CodedBlock
            The features.
        batch : pyarrow.RecordBatch
            The same rows; it has these columns, and all that are used.
        """
        arrow, coding = pyarrow("scan"), self.table_columns
        dropped, kept = 0, 0
        batches = self._batches(list(dict.fromkeys([*self._used, *columns])))
        for place, batch in batches:
            X, missing = coding.design(batch, unseen=self._choice.unseen, place=place)
            others = (is_missing(batch.column(name)) for name in self._choice.beside_features)
            lost = _any_of([missing, *others])
            if lost is not None:
                if self._choice.missing == "refuse":
                    batches.close()
                    self._refuse_missing()
                dropped += int(lost.sum())
                if lost.all():
                    continue
                X, batch = X[~lost], batch.filter(arrow.array(~lost))
            kept += batch.num_rows
            yield CodedBlock(X, coding.names), batch
        self._counts.update(dropped=dropped, rows=kept)

    def _targets(self, batch: Any) -> Any:
        if not self._choice.targets:
            return None
        values = [labels(batch.column(name)) for name in self._choice.targets]
        if isinstance(self._choice.target, str):
            return values[0]
        return pd.DataFrame(dict(zip(self._choice.targets, values, strict=True)))

    def _refuse_offsets(self) -> None:
        """Raise, with the first offset that is infinite, or exposure that is not positive."""
        with contextlib.closing(self._batches(self._used)) as batches:
            refuse_wrong_offsets(batches, self._choice.offsets, self._used)
        raise ValueError(f"{self!r} had an infinite offset, or an exposure that is not positive.")

    def _refuse_missing(self) -> None:
        """Raise, with the number of missing values by column and file."""
        counts: dict[str, dict[str, int]] = {}
        for place, batch in self._batches(self._used):
            for name in self._used:
                lost = is_missing(batch.column(name))
                if lost is not None:
                    by_place = counts.setdefault(name, {})
                    by_place[place] = by_place.get(place, 0) + int(lost.sum())
        found = []
        for name, by_place in counts.items():
            shown = [f"{count} in {place}" for place, count in by_place.items()]
            more = len(shown) - _SHOWN_PLACES
            shown = shown[:_SHOWN_PLACES] + ([f"more in {more} others"] if more > 0 else [])
            found.append(f"column {name!r}: {', '.join(shown)}")
        raise ValueError(
            f"{self!r} has missing values ({'; '.join(found)}); pass missing='drop' to leave such "
            "rows out, or fill the values in."
        )


def _any_of(parts: Iterable[npt.NDArray[np.bool_] | None]) -> npt.NDArray[np.bool_] | None:
    """Where any of some arrays is true; None if none of them is there."""
    there = [part for part in parts if part is not None]
    return np.logical_or.reduce(there) if there else None
