"""Distinct rows of a table, with the sums over the rows that are equal to each of them.

Where rows repeat, a fit to the distinct ones is the fit to all of them: a weight counts how often a
row was there. Least squares need of the targets of equal rows only their mean ȳ and their variance
s²: two rows with targets ȳ - s and ȳ + s, each with half of the weight, have the same sums of y and
of y². So coefficients, residual squares, robust covariances of every kind, and clusters that the
rows are distinct by, are those of all rows. The idea of such sums: Wong, Lewis, Wardrop, Moore and
Murray (2021), *You only compress once: optimal data compression for estimating linear models*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.rows import CodedBlock, RowStream
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.packages import pyarrow
from mcmodels.tables.sources import BATCH_ROWS
from mcmodels.tables.values import labels, numbers

__all__ = ["DistinctRows", "distinct"]

# With more distinct rows than this, little is gained, and they would take gigabytes.
_MOST_DISTINCT = 2**21
_WEIGHT, _MEAN, _SQUARES = "sum of weights", "mean of y", "squares about the mean"


def distinct(
    batches: Iterator[Any], keys: Sequence[str], weights: str | None, target: str | None
) -> Any:
    """The distinct rows by some columns, as a table of Arrow.

    Parameters
    ----------
    batches : iterator of pyarrow.RecordBatch
        The rows, without missing values.
    keys : sequence of str
        The columns that tell rows apart.
    weights : str or None
        The column of weights.
    target : str or None
        A target that is no key: its weighted mean and squares about it are wanted.

    Returns
    -------
    pyarrow.Table or None
        With the keys and three further columns; None where rows hardly repeat.
    """
    arrow = pyarrow("scan")
    found: list[Any] = []
    held = n_rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        n_rows += batch.num_rows
        w = np.ones(batch.num_rows) if weights is None else numbers(batch.column(weights))
        w = np.asarray(w, dtype=np.float64)
        y = np.zeros(len(w)) if target is None else np.asarray(numbers(batch.column(target)), float)
        found.append(_merged(batch.select(list(keys)), w, y, np.zeros(len(w)), arrow))
        held += found[-1].num_rows
        if len(found) > 1 and held > 2 * max(part.num_rows for part in found):
            found = [_of_parts(found, keys, arrow)]
            held = found[0].num_rows
        if held > _MOST_DISTINCT:
            return None
    if not found:
        return None
    table = _of_parts(found, keys, arrow)
    return table if 2 * table.num_rows <= n_rows else None


def _of_parts(parts: list[Any], keys: Sequence[str], arrow: Any) -> Any:
    """The distinct rows of several tables of distinct rows."""
    whole = arrow.concat_tables(parts, promote_options="permissive").combine_chunks()
    w, mean, squares = (np.asarray(whole.column(name)) for name in (_WEIGHT, _MEAN, _SQUARES))
    return _merged(whole.select(list(keys)), w, mean, squares, arrow)


def _merged(rows: Any, w: Any, mean: Any, squares: Any, arrow: Any) -> Any:
    """Equal rows in one: their weight, the mean of their means, and the squares about it.

    Squares are added about the mean of the equal rows, which loses no digits: Chan, Golub and
    LeVeque (1983), *Algorithms for computing the sample variance*, eq. 2.1.
    """
    columns = {f"key {j}": _plain(rows.column(j), arrow) for j in range(len(rows.schema.names))}
    place = arrow.table(columns | {"place": np.arange(len(w))})
    grouped = place.group_by(list(columns), use_threads=False).aggregate([("place", "list")])
    members = grouped.column("place_list").combine_chunks()
    order = np.asarray(members.flatten())
    group = np.empty(len(w), dtype=np.intp)
    group[order] = np.repeat(np.arange(len(members)), np.diff(np.asarray(members.offsets)))
    count = len(members)
    weight = np.bincount(group, weights=w, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.where(weight > 0, np.bincount(group, weights=w * mean, minlength=count), 0.0)
        centre = np.where(weight > 0, centre / weight, 0.0)
    away = mean - centre[group]
    about = np.bincount(group, weights=squares + w * away**2, minlength=count)
    # The mean of so many rounded terms, once more, from the deviations.
    shift = np.bincount(group, weights=w * away, minlength=count)
    centre = centre + np.divide(shift, weight, out=np.zeros(count), where=weight > 0)
    names = dict(zip(columns, rows.schema.names, strict=True))
    kept = {names[name]: grouped.column(name) for name in columns}
    return arrow.table(kept | {_WEIGHT: weight, _MEAN: centre, _SQUARES: about})


def _plain(column: Any, arrow: Any) -> Any:
    if isinstance(column, arrow.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if arrow.types.is_dictionary(column.type) else column


class DistinctRows(RowStream):
    """Distinct rows as a stream, for sums over rows.

    Parameters
    ----------
    table : pyarrow.Table
        As :func:`distinct` returns it.
    columns : TableColumns
        How the columns become numbers.
    target : str or None
        The target.
    groups : tuple of str
        The columns of clusters.
    quadratic : bool
        Whether the target is no key, and stands for itself by its mean and squares.
    """

    def __init__(
        self,
        table: Any,
        columns: TableColumns,
        *,
        target: str | None,
        groups: tuple[str, ...],
        quadratic: bool,
        unseen: str,
        place: str,
    ) -> None:
        super().__init__(self._blocks)
        self.table_columns = columns
        self._table, self._target, self._groups = table, target, groups
        self._quadratic, self._unseen, self._place = quadratic, unseen, place

    def __repr__(self) -> str:
        return f"{self._table.num_rows:,} distinct rows of {self._place}"

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, Any, Any]]]:
        """Iterate over the blocks, with their numbers."""
        return enumerate(self._blocks())

    def group_labels(self) -> Any:
        """The clusters of the rows."""
        if not self._groups:
            return None
        parts = []
        for batch in self._table.to_batches(BATCH_ROWS):
            found = pd.DataFrame({name: labels(batch.column(name)) for name in self._groups})
            parts += [found] * (2 if self._quadratic else 1)
        stacked = pd.concat(parts, ignore_index=True)
        return stacked[self._groups[0]].to_numpy() if len(self._groups) == 1 else stacked

    def _blocks(self) -> Iterator[tuple[CodedBlock, Any, Any]]:
        for batch in self._table.to_batches(BATCH_ROWS):
            X, _ = self.table_columns.design(batch, unseen=self._unseen, place=self._place)
            block = CodedBlock(X, self.table_columns.names)
            weight = np.asarray(batch.column(_WEIGHT))
            if not self._quadratic:
                y = None if self._target is None else labels(batch.column(self._target))
                yield block, y, weight
                continue
            mean, squares = np.asarray(batch.column(_MEAN)), np.asarray(batch.column(_SQUARES))
            positive = weight > 0
            spread = np.sqrt(np.divide(squares, weight, out=np.zeros_like(mean), where=positive))
            for side in (-spread, spread):
                yield block, mean + side, weight / 2
