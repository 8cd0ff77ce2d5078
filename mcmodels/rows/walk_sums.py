"""Sums over the rows of a walk over a stream: other rows have others."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Matrix
from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.source import ArrayRows

# Relative difference of sums of the same rows in other blocks: a thousand rounding errors.
_ROUNDING = 1e3 * float(np.finfo(np.float64).eps)
_GOLDEN_RATIO = (1 + 5**0.5) / 2
# Squares of smaller numbers lose digits, or are zero.
_SMALL = float(np.finfo(np.float64).tiny) ** 0.5 / float(np.finfo(np.float64).eps)


class WalkSums:
    """Sums over the rows of one walk: another walk over the same rows has the same, up to rounding.

    They are sums of every column and target, by factors of each row: 1, and the length of two fixed
    mixtures of the columns and targets about the first row. So they change where the entries of a
    column move to other rows, also where that changes no product of two columns. The order of the
    rows has no effect, as it has none on a fit.

    Parameters
    ----------
    in_order : bool, default=False
        Whether also sums that depend on the order of the rows are taken.
    about_zero : bool, default=False
        Whether zero takes the place of the first row, so that sums of several parts can be added.
    remedy : str, default=None
        What errors say that the user can do.
    """

    def __init__(
        self, *, in_order: bool = False, about_zero: bool = False, remedy: str | None = None
    ) -> None:
        self.n_rows, self._in_order = 0, in_order
        self._about_zero, self._remedy = about_zero, remedy or _SAME_ROWS
        self._sums: Any = None
        # The first walk also has sums of squares: they tell how large rounding errors are.
        self._is_first = True
        # Of the first walk: its first row, and the mixtures of the columns.
        self._first_row: Any = None
        self._mixtures: Any = None
        # Names of the columns of further values of the rows, which count as targets after y.
        self._companions: tuple[str, ...] = ()

    def of_next_walk(self) -> WalkSums:
        """Empty sums for another walk, to be compared with these."""
        sums = WalkSums(in_order=self._in_order, about_zero=self._about_zero, remedy=self._remedy)
        sums._first_row, sums._mixtures = self._first_row, self._mixtures
        sums._companions = self._companions
        sums._is_first = False
        return sums

    def __add__(self, other: WalkSums) -> WalkSums:
        """The sums over the rows of two parts; both are about zero."""
        total = copy.copy(self if self._sums is not None else other)
        total.n_rows = self.n_rows + other.n_rows
        if self._sums is not None and other._sums is not None:
            if self._sums.shape != other._sums.shape:
                raise ValueError("the parts of the rows have different columns or targets.")
            total._sums = self._sums + other._sums
        return total

    def add(
        self,
        X: Matrix,
        y: Array | None,
        weights: Array | None,
        companions: Mapping[str, Array] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Add a block; y holds numbers, of shape (n,) or (n, m).

        ``companions`` are further values of the rows by name, of shape (n,) or (n, k). ``alone``
        says that other threads are at work, so that none is started.
        """
        names = tuple(
            name for name, values in (companions or {}).items() for _ in range(_n_targets(values))
        )
        if self._first_row is None:
            self._companions = names
        elif names != self._companions:
            raise ValueError(
                f"the stream gave {_counted(names) or 'no offset'} in this walk, and "
                f"{_counted(self._companions) or 'none'} in the first; {self._remedy}"
            )
        if companions:
            y = np.column_stack([*([] if y is None else [y]), *companions.values()])
        rows = ArrayRows(X, y, weights, intercept=False, alone=alone)
        start = self.n_rows
        self.n_rows += rows.n_rows
        if rows.n_present:
            with np.errstate(over="ignore", invalid="ignore"):
                if self._first_row is None:
                    first = rows.reduce(_first_row)[0]
                    self._first_row = np.zeros_like(first) if self._about_zero else first
                    self._mixtures = _mixtures(self._first_row.size)
                elif self._first_row.size != X.shape[1] + _n_targets(y):
                    raise ValueError(f"the stream gave other targets in this walk; {self._remedy}")
                part = rows.reduce(lambda block: self._of_block(block, start))
                self._sums = part if self._sums is None else self._sums + part

    def _of_block(self, block: RowBlock, start: int) -> Array:
        """Columns: sums of 1, of each target and of each column, by the factors.

        The last rows of the first walk have the squares, and those of the second factor.
        """
        unit, targets, first = block.weights_or_ones, _targets(block), self._first_row
        m = len(targets)
        with np.errstate(over="ignore", invalid="ignore"):
            # One mixture and factor after another: products with a vector take a third of the time
            # of those with two. Not of X minus the first row, because X may be sparse.
            mixed = []
            for shares in self._mixtures:
                mixture = block.X.predictor(shares[m:])
                mixture -= shares[m:] @ first[m:]
                for share, target, origin in zip(shares, targets, first, strict=False):
                    mixture += share * (target - origin)
                mixed.append(mixture)
            length = _length(*mixed)
            factors = [unit, unit * length]
            if self._in_order:
                position = start + block.start + np.arange(block.X.n_rows)
                factors.append(unit * (position * _GOLDEN_RATIO % 1.0))
            sums = [
                np.concatenate([[f.sum()], [f @ y for y in targets], block.X.products(f)])
                for f in factors
            ]
            sums[1][1:] -= sums[1][0] * first
            if self._is_first:
                of_targets = [unit @ y**2 for y in targets]
                of_columns = block.X.square_sums(block.weights)
                sums.append(np.concatenate([[unit.sum()], of_targets, of_columns]))
                sums.append(np.full(first.size + 1, unit @ length**2))
        return np.vstack(sums)

    def require(self, first: WalkSums, names: Sequence[str]) -> None:
        """Refuse sums that differ from those of the first walk.

        Sums of the same rows in other blocks differ by rounding errors, relative to the lengths of
        the columns; see :mod:`mcmodels.records.training_rows`.
        """
        if self.n_rows != first.n_rows:
            ended = (
                " The iterator was at its end already: the function must make a new one each time "
                "it is called."
                if self.n_rows == 0
                else ""
            )
            raise ValueError(
                f"the stream gave {self.n_rows} rows in this walk, and {first.n_rows} in the "
                f"first; {self._remedy}{ended}"
            )
        if first._sums is None or self._sums is None:
            return
        *sums, squares, of_length = first._sums
        origin = np.concatenate([[0.0], first._first_row])
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(squares)
            # The second factor has rounding errors of its own, those of the entries of a row.
            size = np.sqrt(of_length[0])
            error = np.abs(first._mixtures).sum(axis=0) @ lengths[1:]
            near = np.sqrt(np.maximum(squares - 2 * origin * sums[0] + origin**2 * squares[0], 0))
            by_length = size * (lengths + lengths[0] * np.abs(origin)) + error * near
            # Factors of the order are below one.
            bounds = [lengths[0] * lengths, by_length, lengths[0] * lengths][: len(sums)]
            pairs = zip(self._sums, sums, bounds, strict=True)
            for number, (found, expected, bound) in enumerate(pairs):
                wrong = np.abs(found - expected) > _ROUNDING * bound
                if wrong.any():
                    at = int(wrong.argmax())
                    others = [f"the {name}s" for name in first._companions]
                    targets = ["y"] * (wrong.size - 1 - len(names) - len(others)) + others
                    sizes = ["the weights", *targets, *map("column {!r}".format, names)]
                    # A sum by a factor is of all columns of a row, or of its place in the stream.
                    what = (
                        f"a sum over {sizes[at]} is {found[at]:.10g}, and was {expected[at]:.10g}"
                        if number == 0
                        else "the sums of the columns agree, but the entries are in other rows, or "
                        "the rows in another order"
                    )
                    raise ValueError(
                        f"the stream gave other rows in this walk than in the first: {what}; "
                        f"{self._remedy}"
                    )


class SameStamp:
    """In place of sums, where files tell that they have changed: their sizes and times.

    Parameters
    ----------
    stamp : callable
        Returns what changes with the rows.
    """

    def __init__(self, stamp: Callable[[], Any]) -> None:
        self._stamp, self._at_first = stamp, stamp()
        self.n_rows = 0

    def of_next_walk(self) -> SameStamp:
        """The same for another walk."""
        return SameStamp(self._stamp)

    def add(self, X: Matrix, *_: Any, **__: Any) -> None:
        """Count the rows of a block."""
        self.n_rows += X.shape[0]

    def require(self, first: SameStamp, names: Sequence[str]) -> None:
        """Refuse rows that have changed since the first walk."""
        if self._stamp() != first._at_first or self.n_rows != first.n_rows:
            raise ValueError(
                "the files have changed since the first walk over them; fit again when nothing "
                "writes to them."
            )


_SAME_ROWS = (
    "every walk must give the same rows in the same order. Pass a function that starts from the "
    "first row each time, and draw samples or random numbers outside of it."
)


def _length(a: Array, b: Array) -> Array:
    """``√(a² + b²)``; np.hypot takes three times as long, and is needed where squares overflow."""
    length: Array = np.sqrt(a * a + b * b)
    if not _SMALL < length.max() < math.inf:
        length = np.hypot(a, b)
    return length


def _first_row(block: RowBlock) -> list[Array]:
    """Targets and features of the first row of a block, in a list to which others are added."""
    X = block.X.X[:1]
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return [np.concatenate([[y[0] for y in _targets(block)], X[0]])]


def _targets(block: RowBlock) -> Array:
    """The targets as float64, one after another: shape (n_targets, n_rows)."""
    if block.y is None:
        return np.empty((0, block.X.n_rows))
    return np.ascontiguousarray(block.y.reshape(block.X.n_rows, -1).T, dtype=np.float64)


def _n_targets(y: Array | None) -> int:
    return 0 if y is None else 1 if y.ndim == 1 else y.shape[1]


def _counted(names: tuple[str, ...]) -> str:
    """Names of companions, with the number of columns where there are several."""
    counts = {name: names.count(name) for name in names}
    return " and ".join(name if n == 1 else f"{n} columns of {name}" for name, n in counts.items())


def _mixtures(size: int) -> Array:
    """Two fixed mixtures of that many values, shape (2, size); no two shares are alike."""
    shares = 0.5 + np.arange(1.0, size + 1) * _GOLDEN_RATIO % 1.0
    return np.stack([shares, (2 - shares) * np.cos(np.pi * np.arange(size))])
