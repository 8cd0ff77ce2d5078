"""Rows in parts that are elsewhere: each part is summed where it is, and only sums come back."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np

from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.gathering import Chunk
from mcmodels.rows.source import ArrayRows, Rows, Sum
from mcmodels.rows.stream import RowStream, StreamRows
from mcmodels.rows.streamed import Seen
from mcmodels.rows.threads import in_place_sum
from mcmodels.rows.walk_sums import WalkSums

__all__ = ["SAME_PARTS", "PartOfStream", "PartedRows", "Parts", "WalkOfPart"]

Result = TypeVar("Result")

SAME_PARTS = (
    "a partition must give the same rows each time it is computed. Give random numbers a seed, or "
    "persist the data before the fit."
)


class Parts(ABC):
    """The parts of a stream, each of which is a stream of its own, at the place where it is.

    Attributes
    ----------
    count : int
        Number of parts.
    """

    count: int

    @abstractmethod
    def sum(self, function: Callable[[PartOfStream], Result | None]) -> Result | None:
        """The sum of ``function(part)`` over all parts, always in the same order.

        ``function`` is pickled, and must return a new object with ``+=`` or ``+``; None adds
        nothing.
        """


class PartOfStream(RowStream):
    """One part of a stream, at the place where it is.

    Parameters
    ----------
    stream : RowStream
        Its rows.
    number : int
        Which part it is, counted from 0.
    """

    def __init__(self, stream: RowStream, number: int) -> None:
        super().__init__(stream.blocks)
        self.stream, self.number = stream, number

    @property
    def table_columns(self) -> Any:
        """What a model keeps of the table of these rows."""
        return self.stream.table_columns

    def walk_check(self, *, in_order: bool = False) -> WalkSums:
        """Sums about zero, which can be added to those of other parts."""
        return WalkSums(about_zero=True, remedy=SAME_PARTS)

    def group_labels(self) -> Any:
        """The clusters of the rows, if they are known."""
        return self.stream.group_labels()

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks that have rows, with the number of the part."""
        return ((self.number, block) for _, block in self.stream.nonempty())

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return f"partition {number}"


# Starts a walk over the chunks of a part, and adds them to the sums that a later walk must have.
WalkOfPart = Callable[[PartOfStream, WalkSums], Iterator[Chunk]]


class PartedRows(StreamRows):
    """Rows of a stream in parts; the sums of each part are taken where it is.

    Parameters
    ----------
    parts : Parts
        The parts.
    walk_of_part : callable
        Starts a walk over one of them.
    seen : Seen
        The sum over the rows.
    dtype : dtype
        float32 when every block was, else float64.
    starts : sequence of int
        The number of the first row of each part.
    require : callable
        Raises an error where the sums of a walk differ from those of the first.
    held : ArrayRows
        Some of the rows, spread evenly over the parts, in memory.
    moments : Moments, default=None
        Those of the rows, if the first walk has taken them.
    """

    def __init__(
        self,
        parts: Parts,
        walk_of_part: WalkOfPart,
        seen: Seen,
        dtype: np.dtype[Any],
        starts: Sequence[int],
        require: Callable[[WalkSums], None],
        held: ArrayRows,
        moments: Any = None,
    ) -> None:
        super().__init__(lambda: iter(()), seen, dtype, held, moments)
        self._parts, self._walk_of_part, self.starts = parts, walk_of_part, starts
        self._require = require

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        of_part = _SumOfPart(self._walk_of_part, summarise, self.starts, Seen.of(self), self.dtype)
        walked = cast(_Walked, self._parts.sum(of_part))
        self._require(walked.check)
        return cast(Sum, walked.total)  # some row has a positive weight

    def reweighted(self, total_weight: float) -> PartedRows:
        """The same rows, for a walk that gives other weights, with this sum."""
        seen = replace(Seen.of(self), total_weight=total_weight)
        assert self._held is not None
        return PartedRows(
            self._parts,
            self._walk_of_part,
            seen,
            self.dtype,
            self.starts,
            self._require,
            self._held,
        )

    def __reduce__(self) -> Any:
        """A sum that is sent to the parts may refer to the rows; it never walks them there."""
        return _AbsentRows, (Seen.of(self), self.dtype)


class _AbsentRows(Rows):
    """What a part knows of the rows that it belongs to: their extent."""

    walks_are_costly = True

    def __init__(self, seen: Seen, dtype: np.dtype[Any]) -> None:
        self.take_extent(seen, dtype)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Refused: the rows are elsewhere."""
        raise RuntimeError("a sum over one part of the rows cannot read the other parts.")

    def sample(self, count: int) -> Rows:
        """Refused: the rows are elsewhere."""
        raise RuntimeError("a sum over one part of the rows cannot read the other parts.")


@dataclass(frozen=True)
class _SumOfPart:
    """The sum over the blocks of one part, with what tells whether its rows are the same."""

    walk: WalkOfPart
    summarise: Callable[[RowBlock], Any]
    starts: Sequence[int]
    seen: Seen
    dtype: np.dtype[Any]

    def __call__(self, part: PartOfStream) -> _Walked:
        check, start = part.walk_check().of_next_walk(), self.starts[part.number]

        def placed(block: RowBlock) -> Any:
            return self.summarise(replace(block, start=block.start + start))

        rows = StreamRows(lambda: self.walk(part, check), self.seen, self.dtype)
        return _Walked(rows.reduce(placed), check)


@dataclass
class _Walked:
    """A sum, and that of the check."""

    total: Any
    check: WalkSums

    def __sizeof__(self) -> int:
        """Bytes of all that it holds, by which Dask decides where sums are added."""
        return len(pickle.dumps((self.total, self.check), protocol=5))

    def __iadd__(self, other: _Walked) -> _Walked:
        self.total = in_place_sum(self.total, other.total)
        self.check = self.check + other.check
        return self
