"""Distinct rows of a table, with the sums over the rows that are equal to each of them.

Where rows repeat, a fit to the distinct ones is the fit to all of them: a weight counts how often a
row was there. Least squares need of the targets of equal rows only their mean ȳ and their variance
s²: three rows with targets near ȳ - √2 s, ȳ and ȳ + √2 s have the same sums of y and of y², with
weights that make up for the rounding of these targets, which is large beside s where ȳ is far from
zero. So coefficients, residual squares, robust covariances of every kind, and clusters that the
rows are distinct by, are those of all rows. The idea of such sums: Wong, Lewis, Wardrop, Moore and
Murray (2021), *You only compress once: optimal data compression for estimating linear models*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.rows import CodedBlock, RowStream
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.offsets import OffsetColumns, offset_parts
from mcmodels.tables.packages import pyarrow
from mcmodels.tables.sources import BATCH_ROWS
from mcmodels.tables.values import labels, numbers

__all__ = [
    "MEAN",
    "MOST_DISTINCT",
    "REST",
    "SQUARES",
    "WEIGHT",
    "DistinctRows",
    "distinct",
    "in_two_parts",
]

# With more distinct rows than this, little is gained, and they would take gigabytes.
MOST_DISTINCT = 2**21
# Fewer rows are not worth the merging of sums.
_FEWEST_TOGETHER = 2**20
# Bits of the number of a combination of values.
_MOST_BITS = 62
# They stand beside the names of a user's columns.
WEIGHT, MEAN, SQUARES = (
    "mcmodels: sum of weights",
    "mcmodels: mean of y",
    "mcmodels: squares about the mean",
)
# What the mean, rounded to a float64 number, leaves of it.
REST = "mcmodels: rest of the mean"
# Targets of rows that stand for equal rows, in deviations from their mean. The middle one has half
# of the weight.
_SIDES = (-np.sqrt(2.0), 0.0, np.sqrt(2.0))


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
        With the keys and four further columns; None where rows hardly repeat, or the columns have
        so many values that their combinations have no number of 62 bits.
    """
    arrow = pyarrow("scan")
    levels, sums = _Levels(keys), _Sums()
    waiting: list[tuple[Any, Any, Any]] = []
    n_rows = n_waiting = 0
    origin: float | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        number = levels.numbered(levels.codes(batch), sums, waiting)
        if number is None:
            return None
        w = np.ones(len(number)) if weights is None else numbers(batch.column(weights))
        y = np.zeros(len(number)) if target is None else numbers(batch.column(target))
        # Sums would hide them.
        if np.min(w) < 0:
            raise ValueError(
                f"the column of weights {weights!r} must not be negative; found {np.min(w):g}. "
                "Leave such rows out, for example by where=."
            )
        for name, column in ((weights, w), (target, y)):
            if not np.isfinite(column).all():
                raise ValueError(
                    f"column {name!r} contains infinity; leave such rows out, for example by "
                    "where=."
                )
        # About a point near them all, means and squares have more digits.
        origin = float(np.mean(y)) if origin is None else origin
        waiting.append((number, np.asarray(w, float), np.asarray(y, float) - origin))
        n_rows, n_waiting = n_rows + len(number), n_waiting + len(number)
        if n_waiting > max(_FEWEST_TOGETHER, 2 * len(sums.number)):
            sums.add(waiting, levels.bits)
            waiting, n_waiting = [], 0
            if len(sums.number) > MOST_DISTINCT:
                return None
    sums.add(waiting, levels.bits)
    if not n_rows or 2 * len(sums.number) > n_rows:
        return None
    columns = levels.values(sums.number)
    mean, rest = in_two_parts(0.0 if origin is None else origin, sums.mean)
    further = {WEIGHT: sums.weight, MEAN: mean, REST: rest, SQUARES: sums.squares}
    return arrow.table(dict(zip(keys, columns, strict=True)) | further)


def in_two_parts(origin: float, deviation: Array) -> tuple[Array, Array]:
    """``origin + deviation`` as a rounded sum and what is left of it, exactly.

    Knuth (1998), *The Art of Computer Programming*, vol. 2, §4.2.2, theorem B.
    """
    total = origin + deviation
    part = total - origin
    return total, (origin - (total - part)) + (deviation - part)


def _standing_for(
    weight: Array, mean: Array, rest: Array, squares: Array
) -> Iterator[tuple[Array, Array]]:
    """Targets and weights with the sums of weights, of y and of y² of equal rows.

    With deviations d from the mean and the variance s², the weight of the first of three targets is
    ``W (s² + d₂d₃) / ((d₁ - d₂)(d₁ - d₃))``. Where s is no larger than the rounding of ȳ, the mean
    has all of the weight.
    """
    safe = np.where(weight > 0, weight, 1.0)
    s = np.sqrt(squares / safe)
    targets = [mean + side * s for side in _SIDES]
    d = [(y - mean) - rest for y in targets]
    apart = s > 4 * np.spacing(np.abs(mean))
    for k, y in enumerate(targets):
        first, second = (d[j] for j in range(3) if j != k)
        scale = np.where(apart, (d[k] - first) * (d[k] - second), 1.0)
        share = np.where(apart, (s**2 + first * second) / scale, float(k == 1))
        yield y, weight * share


class _Levels:
    """Numbers the values of each column, and their combinations."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)
        self._known: list[Any] = [None] * len(keys)
        self._bits = [0] * len(keys)

    @property
    def bits(self) -> int:
        """Bits of the number of a combination."""
        return sum(self._bits)

    def codes(self, batch: Any) -> list[npt.NDArray[np.int64]]:
        """The number of each value of each column, in the order in which they were seen."""
        arrow = pyarrow("scan")
        found = []
        for j, name in enumerate(self._keys):
            array = batch.column(name)
            is_dictionary = arrow.types.is_dictionary(array.type)
            values = array.dictionary if is_dictionary else array
            if arrow.types.is_float16(values.type):
                values = values.cast(arrow.float32())
            if self._known[j] is None:
                self._known[j] = values.unique().drop_null()
            codes = arrow.compute.index_in(values, value_set=self._known[j])
            if codes.null_count:
                new = values.filter(codes.is_null()).unique().drop_null()
                self._known[j] = arrow.concat_arrays([self._known[j], new])
                codes = arrow.compute.index_in(values, value_set=self._known[j]).fill_null(-1)
            codes = np.asarray(codes).astype(np.int64)
            found.append(codes[np.asarray(array.indices)] if is_dictionary else codes)
        return found

    def numbered(
        self, codes: list[npt.NDArray[np.int64]], sums: _Sums, waiting: list[tuple[Any, Any, Any]]
    ) -> npt.NDArray[np.int64] | None:
        """One number for each combination; those that are held are numbered anew where needed."""
        needed = [max(len(known) - 1, 0).bit_length() for known in self._known]
        if any(new > old for new, old in zip(needed, self._bits, strict=True)):
            held = [self._parts(sums.number), *(self._parts(number) for number, *_ in waiting)]
            # New values may come, one of them at a time.
            self._bits = [bits + 1 for bits in needed] if sums.number.size else needed
            if self.bits > _MOST_BITS:
                self._bits = needed
            if self.bits > _MOST_BITS:
                return None
            first, *others = map(self._joined, held)
            sums.number = first
            waiting[:] = [
                (number, *rest) for number, (_, *rest) in zip(others, waiting, strict=True)
            ]
        return self._joined(codes)

    def values(self, number: npt.NDArray[np.int64]) -> list[Any]:
        """The values of each column for such numbers."""
        arrow = pyarrow("scan")
        pairs = zip(self._known, self._parts(number), strict=True)
        return [known.take(arrow.array(codes)) for known, codes in pairs]

    def _joined(self, codes: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        number = np.zeros(len(codes[0]), dtype=np.int64)
        for part, bits in zip(codes, self._bits, strict=True):
            number <<= bits
            number |= part
        return number

    def _parts(self, number: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        parts = []
        for bits in reversed(self._bits):
            parts.append(number & ((1 << bits) - 1))
            number = number >> bits
        return parts[::-1]


class _Sums:
    """Distinct rows by their numbers: weight, mean of y, and squares about the mean."""

    def __init__(self) -> None:
        self.number = np.zeros(0, dtype=np.int64)
        self.weight = self.mean = self.squares = np.zeros(0)

    def add(self, parts: list[tuple[Any, Any, Any]], bits: int) -> None:
        """Add rows (number, weight, y).

        Squares are taken about the mean of the equal rows, which loses no digits: Chan, Golub and
        LeVeque (1983), *Algorithms for computing the sample variance*, eq. 2.1.
        """
        number, w, y = map(
            np.concatenate,
            zip((self.number, self.weight, self.mean), *parts, strict=True),
        )
        # Few combinations are places in an array; of many, those that occur are looked up.
        few = 2**bits <= max(_FEWEST_TOGETHER, len(number))
        if few:
            group, count = number, 2**bits
        else:
            group, distinct_numbers = pd.factorize(number)
            count = len(distinct_numbers)
        weight: Array = np.bincount(group, weights=w, minlength=count).astype(np.float64)
        squares = mean = np.zeros(count)
        if y.any() or self.squares.any():
            mean = np.bincount(group, weights=w * y, minlength=count)
            np.divide(mean, weight, out=mean, where=weight > 0)
            away = y - mean[group]
            away *= away
            away *= w
            away[: len(self.squares)] += self.squares
            squares = np.bincount(group, weights=away, minlength=count).astype(np.float64)
        if few:
            # A combination that only rows of weight zero have is left out, as such rows are.
            distinct_numbers = np.flatnonzero(weight)
            weight, mean, squares = (a[distinct_numbers] for a in (weight, mean, squares))
        self.number, self.weight, self.mean = distinct_numbers.astype(np.int64), weight, mean
        self.squares = squares


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
    offsets : mapping of str to tuple of str
        The columns of offsets and exposures, which are among the keys.
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
        offsets: OffsetColumns,
        groups: tuple[str, ...],
        quadratic: bool,
        unseen: str,
        place: str,
    ) -> None:
        super().__init__(self._blocks)
        self.table_columns = columns
        self._table, self._target, self._groups = table, target, groups
        self._offsets = offsets
        self._quadratic, self._unseen, self._place = quadratic, unseen, place

    def __repr__(self) -> str:
        return f"{self._table.num_rows:,} distinct rows of {self._place}"

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks, with their numbers."""
        return enumerate(self._blocks())

    def group_labels(self) -> Any:
        """The clusters of the rows."""
        if not self._groups:
            return None
        parts = []
        for batch in self._table.to_batches(BATCH_ROWS):
            found = pd.DataFrame({name: labels(batch.column(name)) for name in self._groups})
            parts += [found] * (len(_SIDES) if self._quadratic else 1)
        stacked = pd.concat(parts, ignore_index=True)
        return stacked[self._groups[0]].to_numpy() if len(self._groups) == 1 else stacked

    def _blocks(self) -> Iterator[tuple[Any, ...]]:
        for batch in self._table.to_batches(BATCH_ROWS):
            X, _ = self.table_columns.design(batch, unseen=self._unseen, place=self._place)
            block = CodedBlock(X, self.table_columns.names)
            weight, offsets = np.asarray(batch.column(WEIGHT)), offset_parts(batch, self._offsets)
            if not self._quadratic:
                y = None if self._target is None else labels(batch.column(self._target))
                yield block, y, weight, *offsets
                continue
            sums = (np.asarray(batch.column(name)) for name in (MEAN, REST, SQUARES))
            for y, share in _standing_for(weight, *sums):
                yield block, y, share, *offsets
