"""Who is told of passes over rows that are read block by block, and how far each of them is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import TypeVar

__all__ = ["PassListener", "passes_told_to", "told"]

Block = TypeVar("Block")


class PassListener(ABC):
    """Is told of each pass, in the thread that reads the blocks.

    A pass that its reader leaves early has no end: the next begins without it.
    """

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    @abstractmethod
    def begin_pass(self, n_rows: int | None) -> None:
        """A pass begins over so many rows; None if that is not known."""

    @abstractmethod
    def add_rows(self, count: int) -> None:
        """So many more rows were read."""

    @abstractmethod
    def end_pass(self) -> None:
        """All rows were read."""

    def follow(
        self,
        blocks: Generator[Block],
        rows_of: Callable[[Block], int],
        source: object,
        n_rows: int | None,
    ) -> Generator[Block]:
        """The same blocks; a second pass over a source knows the number of rows from the first."""
        self.begin_pass(self._known.get(id(source)) if n_rows is None else n_rows)
        total = 0
        with closing(blocks):
            for block in blocks:
                yield block
                count = rows_of(block)
                total += count
                self.add_rows(count)
        self._known[id(source)] = total
        self.end_pass()


_listener: ContextVar[PassListener | None] = ContextVar("listener of passes", default=None)


@contextmanager
def passes_told_to(listener: PassListener | None) -> Iterator[None]:
    """Tell a listener of the passes of this thread meanwhile; None tells nobody."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def told(
    blocks: Generator[Block],
    rows_of: Callable[[Block], int],
    source: object,
    n_rows: Callable[[], int | None] = lambda: None,
) -> Generator[Block]:
    """The same blocks, of which the listener is told, if there is one.

    Parameters
    ----------
    blocks : generator
        The blocks of one pass.
    rows_of : callable
        The number of rows of a block.
    source : object
        What the blocks are read from.
    n_rows : callable
        Returns the number of rows of the pass, or None; it is called only for a listener.
    """
    listener = _listener.get()
    return blocks if listener is None else listener.follow(blocks, rows_of, source, n_rows())
