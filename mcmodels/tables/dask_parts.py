"""Partitions of Dask: each is summed by the scheduler in force, and the sums in a tree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mcmodels.rows import PartOfStream, Parts, RowStream, in_one_thread, in_place_sum
from mcmodels.tables.packages import imported

__all__ = ["MOST_LEVELS", "DaskParts", "Levels", "in_order"]

Result = TypeVar("Result")

# Sums that one task adds. Those of a level of the tree wait for the last of them.
_FAN_IN = 8
# Opens what a partition holds as a stream; it also takes the number of the partition.
Open = Callable[[Any, int], RowStream]


class DaskParts(Parts):
    """Partitions that the scheduler of Dask computes: threads, processes, or a cluster.

    Each pass is one graph: a task for each partition, and a tree of sums in the order of the
    partitions. So the result does not depend on the scheduler, nor on which worker is the first.
    What a partition needs to know goes to each worker once a pass.

    Parameters
    ----------
    partitions : sequence of dask.delayed.Delayed
        What each partition holds.
    open : callable
        Makes a stream of it; it is pickled.
    """

    def __init__(self, partitions: Sequence[Any], open: Open) -> None:
        self._partitions, self._open = list(partitions), open
        self.count = len(self._partitions)

    def sum(self, function: Callable[[PartOfStream], Result | None]) -> Result | None:
        """The sum of ``function(part)`` over all partitions."""
        delayed = imported("dask.delayed", "dask", "a fit of Dask collections").delayed
        # A task of its own, so that it is sent to each worker once.
        job = delayed(_Job(self._open, function), traverse=False, pure=False)
        summed, added = delayed(_summed, pure=False), delayed(_added, pure=False)
        level = [summed(job, held, k) for k, held in enumerate(self._partitions)]
        while len(level) > 1:
            level = [added(level[k : k + _FAN_IN]) for k in range(0, len(level), _FAN_IN)]
        try:
            total: Result | None = level[0].compute()
        except Exception as error:
            if not hasattr(error, _IN_PARTITION):
                self._name_unreadable(error)
            raise
        return total

    def _name_unreadable(self, error: Exception) -> None:
        """Raise an error that names the first partition that Dask itself cannot compute."""
        if type(error).__module__.partition(".")[0] == "distributed":
            return  # what the cluster reports is no matter of a partition
        for number, partition in enumerate(self._partitions):
            try:
                partition.compute()
            except Exception as found:
                raise ValueError(
                    f"partition {number} of {self.count} cannot be computed: "
                    f"{type(found).__name__}: {found}. Mend its file or the step that makes it, or "
                    "leave it out by .partitions."
                ) from found

    def walk(self) -> Iterator[PartOfStream]:
        """The partitions one after another, each computed and brought to this process."""
        for number, partition in enumerate(self._partitions):
            yield PartOfStream(self._open(partition.compute(), number), number)


@dataclass(frozen=True)
class _Job:
    open: Open
    function: Callable[[PartOfStream], Any]


# An error of this name's attribute was raised by a sum over a partition, not by Dask.
_IN_PARTITION = "_mcmodels_partition"


def _summed(job: _Job, held: Any, number: int) -> Any:
    try:
        with in_one_thread():
            return job.function(PartOfStream(job.open(held, number), number))
    except Exception as error:
        setattr(error, _IN_PARTITION, number)
        raise


def _added(parts: Sequence[Any]) -> Any:
    """The sum of some results, in their order."""
    total = None
    for part in parts:
        # The scheduler may give the result of a task to another one, too; it must not change.
        total = copy.deepcopy(part) if total is None else in_place_sum(total, part)
    return total


# A column with more levels is an identifier: each would be a column of the design.
MOST_LEVELS = 10_000


def in_order(name: str, values: set[Any]) -> tuple[Any, ...]:
    """The levels of a column in ascending order."""
    if len(values) > MOST_LEVELS:
        raise ValueError(
            f"column {name!r} has more than {MOST_LEVELS} levels, each of which would be a column "
            "of X; leave it out, or merge levels."
        )
    try:
        return tuple(sorted(values))
    except TypeError as error:
        raise ValueError(
            f"column {name!r} has levels of several types, which have no order ({error}); convert "
            "them to one type."
        ) from error


class Levels(dict[str, set[Any]]):
    """Values by the name of the column; ``+=`` unites those of each column."""

    def __iadd__(self, other: Levels) -> Levels:
        for name, values in other.items():
            self[name] = self.get(name, set()) | values
        return self
