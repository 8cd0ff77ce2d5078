"""Rows that need not fit in memory: blocks that a fit can read as often as it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sized
from dataclasses import replace
from typing import Any, cast

import numpy as np

from mcmodels.arrays import Array, Matrix
from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.gathering import Chunk
from mcmodels.rows.moments import Moments
from mcmodels.rows.passes import told
from mcmodels.rows.sizes import MANY_TO_SUM
from mcmodels.rows.source import ArrayRows, Rows, Sum
from mcmodels.rows.streamed import Seen
from mcmodels.rows.threads import sum_behind
from mcmodels.rows.walk_sums import SameStamp, WalkSums

__all__ = ["RowStream", "StreamRows", "StreamedMatrix", "Walk", "offsets_of", "rows_of"]

Walk = Callable[[], Iterator[tuple[Any, ...]]]

# The forms of a block, for errors.
BLOCK_FORMS = (
    "(X, y), (X, y, sample_weight), (X, y, sample_weight, offset) or "
    "(X, y, sample_weight, offset, exposure)"
)


class RowStream:
    """Training rows in blocks that can be read any number of times, few in memory at a time.

    Give it in place of X, without y, to ``fit`` and to the methods that take rows.

    Parameters
    ----------
    blocks : callable or iterable
        A function without arguments that returns an iterator over the blocks, or an iterable that
        can be iterated more than once. A block is ``X``, ``(X, y)``, ``(X, y, sample_weight)``,
        ``(X, y, sample_weight, offset)`` or ``(X, y, sample_weight, offset, exposure)``, each part
        as ``fit`` would take it; None for a part that is not there. Every block needs an offset
        (or an exposure), or none. Every walk must give the same rows in the same order; a walk
        whose sums differ from those of the first is refused. Empty blocks are ignored.

    Notes
    -----
    Blocks may have any size: small ones are gathered. The iterator is advanced only by the thread
    that called ``fit`` or another method, and may give the same array each time with other values.

    Raises
    ------
    TypeError
        For an iterator (a generator, an open reader), which can be walked only once.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, RowStream
    >>> def blocks():
    ...     for start in range(0, 6, 2):
    ...         X = np.arange(start, start + 2.0).reshape(2, 1)
    ...         yield X, 3 * X[:, 0] + 1
    >>> LinearRegression().fit(RowStream(blocks)).params_.round(12)
    array([3., 1.])
    """

    def __init__(self, blocks: Callable[[], Iterable[Any]] | Iterable[Any]) -> None:
        kind = type(blocks).__name__
        if len(getattr(blocks, "shape", (0, 0, 0))) < 3 or isinstance(blocks, str | Mapping):
            raise TypeError(
                f"blocks is a {kind}, which is no sequence of blocks; pass a list of blocks, as in "
                "RowStream([(X, y)]), or a function that returns an iterator over them."
            )
        if not callable(blocks) and (
            isinstance(blocks, Iterator) or not isinstance(blocks, Iterable)
        ):
            raise TypeError(
                f"blocks is a {kind}, which can be walked only once; pass a "
                "function that returns a new iterator each time it is called."
            )
        self.blocks = blocks

    def __repr__(self) -> str:
        if callable(self.blocks):
            name = getattr(self.blocks, "__qualname__", type(self.blocks).__name__)
            return f"RowStream of the blocks of {name}()"
        length = f" of length {len(self.blocks)}" if isinstance(self.blocks, Sized) else ""
        return f"RowStream of the blocks of a {type(self.blocks).__name__}{length}"

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Iterate over the blocks as (X, y, sample_weight); a missing part is None.

        Blocks with an offset are (X, y, sample_weight, offset); with an exposure, which comes
        last, there are five parts.
        """
        blocks = self.blocks() if callable(self.blocks) else self.blocks
        if not isinstance(blocks, Iterable):
            raise TypeError(
                f"the function of the stream returned a {type(blocks).__name__}; it must return an "
                "iterator over the blocks, or be a generator function, with yield."
            )
        first: tuple[str, ...] | None = None
        for number, block in enumerate(blocks):
            parts = block if isinstance(block, tuple) else (block,)
            if isinstance(block, str | Mapping) or _is_list_of_parts(block):
                raise TypeError(
                    f"block {number} of the stream is a {type(block).__name__}; it must be X, or a "
                    f"tuple {BLOCK_FORMS}."
                )
            if not 1 <= len(parts) <= 5:
                raise ValueError(
                    f"block {number} of the stream has {len(parts)} parts; it must be X, "
                    f"{BLOCK_FORMS}."
                )
            names: tuple[str, ...] = ()
            if len(parts) <= 3:
                parts = (*parts, None, None)[:3]
            else:
                names = tuple(offsets_of(parts))
                parts = parts[: 3 if not names else 4 if names == ("offset",) else 5]
            if names != first and _rows_of_block(parts):
                if first is not None:
                    raise ValueError(
                        f"block {number} of the stream has {' and '.join(names) or 'no offset'}, "
                        f"and earlier blocks have {' and '.join(first) or 'none'}; every block "
                        "needs the same. An offset of zeros, or an exposure of ones, is none."
                    )
                first = names
            yield parts

    table_columns: Any = None
    """What a model that is fitted to these rows keeps of their table; None if there is no table."""

    in_parts: bool = False
    """Whether the rows are in parts elsewhere, each of which is summed where it is."""

    parts: Any = None
    """These :class:`~mcmodels.rows.parted.Parts`; None if the rows are read here."""

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return f"block {number} of the stream"

    def bound_to(self, table_columns: Any) -> RowStream:
        """The same rows, in the columns of the table that a model was fitted to."""
        return self

    def for_sums(self, *, quadratic: bool = False, again: bool = False) -> RowStream:
        """Rows with the same sums, maybe fewer; ``quadratic``: sums of y and of y² are enough.

        ``again`` says that these are the rows of a fit, which may have found them already.
        """
        return self

    def walk_check(self, *, in_order: bool = False) -> WalkSums | SameStamp:
        """What tells that a later walk gives other rows; it is empty before the first walk."""
        return WalkSums(in_order=in_order)

    without_rows: str = ""
    """What to say where there are no rows; empty for what is said of blocks."""

    has_groups: bool = False
    """Whether the stream holds the clusters of its rows."""

    def group_labels(self) -> Any:
        """The clusters of the rows, if the stream holds them."""
        return None

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks that have rows, with their numbers."""
        blocks = (block for block in self)
        for number, block in enumerate(told(blocks, _rows_of_block, self)):
            if _rows_of_block(block) > 0:
                yield number, block

    def __array__(self, *_: Any, **__: Any) -> Any:
        """Refuse what reads whole arrays, such as a transformer of scikit-learn."""
        raise TypeError(
            "a RowStream is no array, and is read block by block by mcmodels alone. Pass arrays; "
            "or apply a transformer to each block: "
            "RowStream(lambda: ((transformer.transform(X), *rest) for X, *rest in stream))."
        )


class StreamRows(Rows):
    """Rows of a stream of blocks.

    Parameters
    ----------
    walk : callable
        Starts a walk over chunks, or tuples of their parts; it refuses rows that differ from those
        of the first walk.
    seen : Seen
        The sum over the blocks of one walk.
    dtype : dtype
        float32 when every block was, else float64.
    held : ArrayRows, default=None
        Some of the rows, spread evenly over the stream, in memory.
    moments : Moments, default=None
        Those of the rows, if the first walk has taken them.
    """

    walks_are_costly = True

    def __init__(
        self,
        walk: Walk,
        seen: Seen,
        dtype: np.dtype[Any],
        held: ArrayRows | None = None,
        moments: Moments | None = None,
    ) -> None:
        self._walk, self._held, self.known_moments = walk, held, moments
        self.take_extent(seen, dtype)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight; the next are read meanwhile."""

        def placed(block: RowBlock, start: int) -> Sum:
            return summarise(replace(block, start=block.start + start))

        def tasks() -> Generator[tuple[Callable[[], Sum], bool]]:
            start = 0
            for parts in self._walk():
                chunk = Chunk(*parts)
                rows = chunk.rows(intercept=self.intercept)
                if rows.n_present:
                    summed = functools.partial(placed, start=start)
                    yield functools.partial(rows.reduce, summed), chunk.stays and not rows.are_few
                start += rows.n_rows

        alone = self.n_features < MANY_TO_SUM
        return cast(Sum, sum_behind(tasks(), alone=alone))  # some row has a positive weight

    def reweighted(self, total_weight: float) -> StreamRows:
        """The same rows, for a walk that gives other weights, with this sum."""
        seen = replace(Seen.of(self), total_weight=total_weight)
        return StreamRows(self._walk, seen, self.dtype, self._held)

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows in memory; all rows if none is there."""
        if self._held is None or not self._held.n_present:
            return self
        return self._held.sample(count)


class StreamedMatrix:
    """The features of a stream in place of a matrix: targets and weights are in memory, X is not.

    Parameters
    ----------
    walk : callable
        Starts a walk over chunks of X, which refuses other rows than those of the first walk.
    seen : Seen
        The sum over the blocks of the first walk.
    dtype : dtype
        float32 when every block was, else float64.
    index : pandas.Index, default=None
        Labels of the rows, if the blocks have them.
    extras : mapping of str to ndarray, default={}
        Further values of each row, which the blocks had: ``"offset"``.
    """

    def __init__(
        self,
        walk: Callable[[], Iterator[Chunk]],
        seen: Seen,
        dtype: np.dtype[Any],
        index: Any = None,
        extras: Mapping[str, Array] | None = None,
    ) -> None:
        self.walk, self.seen, self.dtype, self.index = walk, seen, dtype, index
        self.extras = dict(extras or {})
        self.shape = (seen.n_rows, seen.n_features)


def rows_of(
    X: Matrix | StreamedMatrix,
    y: Any = None,
    weights: Array | None = None,
    extras: Mapping[str, Any] | None = None,
    *,
    intercept: bool = True,
) -> Rows:
    """Rows of a matrix, or of a stream whose y, weights and extras are in memory."""
    if not isinstance(X, StreamedMatrix):
        return ArrayRows(X, y, weights, extras, intercept=intercept)
    matrix = X

    def walk() -> Iterator[Chunk]:
        start = 0
        for chunk in matrix.walk():
            part = slice(start, start + chunk.X.shape[0])
            start = part.stop
            yield chunk._replace(
                y=None if y is None else y[part],
                weights=None if weights is None else weights[part],
                extras={name: values[part] for name, values in (extras or {}).items()},
            )

    seen = replace(matrix.seen, intercept=intercept)
    if weights is not None:
        present, total = int(np.count_nonzero(weights)), float(weights.sum())
        seen = replace(seen, n_present=present, total_weight=total)
    return StreamRows(walk, seen, matrix.dtype)


def offsets_of(block: tuple[Any, ...]) -> dict[str, Any]:
    """The offset and the exposure of a block of a stream, by name; empty if it has none."""
    if len(block) <= 3:
        return {}
    parts = zip(("offset", "exposure"), block[3:], strict=False)
    return {name: values for name, values in parts if values is not None}


def _rows_of_block(block: tuple[Any, ...]) -> int:
    """The number of rows of a block, which need not be valid."""
    X = block[0]
    shape = getattr(X, "shape", None)
    return int(shape[0] if shape else len(X) if hasattr(X, "__len__") else 1)


def _is_list_of_parts(block: object) -> bool:
    """Whether this is a list whose first entry is a matrix, not a list of rows."""
    return isinstance(block, list) and len(getattr(block[0] if block else (), "shape", ())) == 2
