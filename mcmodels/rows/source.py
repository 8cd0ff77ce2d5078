"""How solvers see data: `Rows`, whose `reduce` sums a function over blocks of rows."""

from __future__ import annotations

import functools
import itertools
import operator
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Matrix, Values
from mcmodels.rows.blocks import (
    DenseDesign,
    Design,
    RowBlock,
    SparseDesign,
    is_by_column,
    rows_between,
)
from mcmodels.rows.scratch import Scratch
from mcmodels.rows.single import SINGLE_PRODUCT_EPSILON, SinglePrecisionDesign
from mcmodels.rows.sizes import (
    BLOCK_ENTRIES,
    FEW_ENTRIES,
    MANY_COLUMNS,
    MANY_ENTRIES,
    MAX_BLOCK_ENTRIES,
    MAX_BLOCK_ROWS,
    MIN_BLOCK_ROWS,
    RUNS,
    SAMPLE_RUNS,
    SHORT_ROW,
)
from mcmodels.rows.threads import in_place_sum, ordered_sum, single_threaded_blas

Sum = TypeVar("Sum")


class Extent(Protocol):
    """Number, weight and precision of rows; see :class:`Rows`."""

    @property
    def n_features(self) -> int:
        """Number of features."""
        ...

    @property
    def n_present(self) -> int:
        """Rows whose weight is positive."""
        ...

    @property
    def total_weight(self) -> float:
        """``Σ wᵢ``."""
        ...

    @property
    def epsilon(self) -> float:
        """Relative rounding unit of the entries in their original type."""
        ...

    @property
    def intercept(self) -> bool:
        """Whether the design rows end in a one."""
        ...


class Rows(ABC):
    """Rows of (x̃, y, w) that can be read any number of times, block by block.

    Attributes
    ----------
    n_rows, n_features : int
        Shape of the features.
    n_present : int
        Rows whose weight is positive.
    total_weight : float
        ``Σ wᵢ``.
    dtype : dtype
        float32 for float32 features, else float64.
    epsilon : float
        Relative rounding unit of the entries of X in their original type, at least float64's.
    intercept : bool
        Whether the design rows end in a one.
    walks_are_costly : bool
        Whether each walk reads the rows from outside memory.
    product_epsilon : float
        Relative rounding unit of sums of products of columns.
    known_moments : Moments or None
        Those of the rows, if an earlier walk has taken them.
    """

    walks_are_costly = False
    known_moments: Any = None
    product_epsilon = float(np.finfo(np.float64).eps)

    n_rows: int
    n_features: int
    n_present: int
    total_weight: float
    dtype: np.dtype[Any]
    epsilon: float
    intercept: bool

    def take_extent(self, other: Any, dtype: np.dtype[Any] | None = None) -> None:
        """Set number, weight and precision to those of other rows, or of what is known of them."""
        for name in ("n_rows", "n_features", "n_present", "total_weight", "epsilon", "intercept"):
            setattr(self, name, getattr(other, name))
        self.dtype = other.dtype if dtype is None else dtype
        self.walks_are_costly = getattr(other, "walks_are_costly", self.walks_are_costly)

    @property
    def are_few(self) -> bool:
        """Whether threads would take longer to start than to sum the rows."""
        return self.n_rows * self.n_features < FEW_ENTRIES

    def one_thread_for_algebra(self) -> AbstractContextManager[Any]:
        """BLAS in one thread for a whole fit, also between its walks; not with many columns.

        With few rows, setting the number of threads for each walk and each step would take a tenth
        of the fit. With many, the threads of OpenBLAS are the reason: after a call they wait busily
        for the next one, and take a processor from the walk that follows.
        """
        return nullcontext() if self.n_features >= MANY_COLUMNS else single_threaded_blas()

    @property
    def n_params(self) -> int:
        """Number of columns of the design: the features, and the intercept if there is one."""
        return self.n_features + self.intercept

    @property
    def n_equal(self) -> float:
        """So many rows of equal weight have sums with the same rounding errors: (Σw)²/Σw².

        Where weights cannot be read, all of it may be that of one row.
        """
        return float(self.n_present) if self.total_weight == self.n_present else 1.0

    @abstractmethod
    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum ``summarise(block)`` over all blocks of rows of positive weight, in fixed order.

        ``summarise`` runs in several threads. It must return a new object with ``+=`` or ``+``,
        because the sum is taken in place.
        """

    @abstractmethod
    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly; all rows if there are not many more."""

    def map(self, transform: Callable[[RowBlock], Array]) -> Array:
        """Stack ``transform(block)``, one result for each row, in the order of the rows."""
        return np.concatenate(self.reduce(lambda block: [transform(block)]))


# Rounding unit of the entries of X, by the letter of their dtype; others are read as float64.
_EPSILONS = {letter: float(np.finfo(letter).eps) for letter in "efd"}


class ArrayRows(Rows):
    """Rows of an array, a memory map, or a scipy sparse matrix.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The features, of any real dtype and memory order; blocks of them become float64.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), default=None
        The targets.
    weights : ndarray of shape (n_rows,), default=None
        Row weights ≥ 0.
    extras : mapping of str to ndarray, default=None
        Further values of each row by name; the first axis of each array has n_rows entries.
    intercept : bool, default=True
        Whether the design rows end in a one.
    block_rows : int, default=None
        Rows per block; by default as many as stay in cache.
    every : int, default=1
        With k, take only every k-th block: a sample.
    single : bool, default=False
        Whether products of many float32 rows may be taken in float32
        (:class:`SinglePrecisionDesign`).
    alone : bool, default=False
        Whether sums are computed in the caller's thread alone, because others are at work.
    """

    def __init__(
        self,
        X: Matrix,
        y: Values | None = None,
        weights: Array | None = None,
        extras: Mapping[str, Any] | None = None,
        *,
        intercept: bool = True,
        block_rows: int | None = None,
        every: int = 1,
        single: bool = False,
        alone: bool = False,
    ) -> None:
        self.n_features = X.shape[1]
        self.intercept = intercept
        self.dtype = np.dtype(np.float32 if X.dtype == np.float32 else np.float64)
        self.epsilon = _EPSILONS.get(X.dtype.char, _EPSILONS["d"])
        self._X = sparse.csr_array(X) if sparse.issparse(X) else X
        self._alone = alone
        self._single = (
            single
            and X.dtype == np.float32
            and not sparse.issparse(X)
            and X.size > MANY_ENTRIES
            and X.shape[1] >= SHORT_ROW
        )
        if self._single:
            self.product_epsilon = SINGLE_PRODUCT_EPSILON
        self._y = y
        self._weights = weights
        self._extras = dict(extras or {})
        for name, values in self._extras.items():
            if len(values) != X.shape[0]:
                raise ValueError(f"{name} has {len(values)} entries for {X.shape[0]} rows.")
        self._every = every
        height = block_rows or _block_rows(self._X)
        self._parts = [
            slice(start, min(start + height, X.shape[0]))
            for start in range(0, X.shape[0], height * every)
        ]
        self.n_rows = sum(part.stop - part.start for part in self._parts)
        self.n_present, self.total_weight = self.n_rows, float(self.n_rows)
        if weights is not None:
            taken = [weights[part] for part in self._parts] if every > 1 else [weights]
            self.n_present = sum(int(np.count_nonzero(w)) for w in taken)
            self.total_weight = float(sum(w.sum() for w in taken))

    @property
    def n_equal(self) -> float:
        """So many rows of equal weight have sums with the same rounding errors: (Σw)²/Σw²."""
        if self._weights is None or not self.total_weight > 0:
            return float(self.n_present)
        shares = self._weights / self.total_weight
        return float(1 / (shares @ shares))

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        if len(self._parts) == 1:  # a third of the time of what follows, which small fits notice
            with single_threaded_blas():
                (block,) = self._blocks(self._parts, Scratch())
                return summarise(block)
        n_runs = min(RUNS, len(self._parts))
        bounds = [k * len(self._parts) // n_runs for k in range(n_runs + 1)]
        runs = [self._parts[a:b] for a, b in itertools.pairwise(bounds)]
        with single_threaded_blas() as n_threads:
            if self.are_few or self._alone:
                n_threads = 1
            n_threads = min(n_threads, n_runs)
            scratches = [Scratch() for _ in range(n_threads)]

            def sum_run(run: list[slice]) -> Sum | None:
                scratch = scratches.pop()
                sums = map(summarise, self._blocks(run, scratch))
                first = next(sums, None)
                total = None if first is None else functools.reduce(operator.iadd, sums, first)
                scratches.append(scratch)
                return total

            if n_threads == 1:
                total = functools.reduce(in_place_sum, map(sum_run, runs))
            else:
                total = ordered_sum([functools.partial(sum_run, run) for run in runs], n_threads)
        return cast(Sum, total)  # some row has a positive weight

    def map(self, transform: Callable[[RowBlock], Array]) -> Array:
        """Stack ``transform(block)``; rows of weight 0 are left out."""
        if self._weights is not None or self._parts[-1].stop != self.n_rows:
            return super().map(transform)
        stacked: list[Array] = []
        making = threading.Lock()

        def put(block: RowBlock) -> int:
            values = transform(block)
            with making:
                if not stacked:
                    stacked.append(np.empty((self.n_rows, *values.shape[1:]), values.dtype))
            stacked[0][block.rows] = values
            return 0

        self.reduce(put)
        return stacked[0]

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, in runs spread evenly."""
        every = self.n_rows // max(count, 1)
        if every < 2:
            return self
        height = max(min(_block_rows(self._X), count // SAMPLE_RUNS), 1)
        sampled = ArrayRows(
            self._X,
            self._y,
            self._weights,
            self._extras,
            intercept=self.intercept,
            block_rows=height,
            every=self._every * every,
        )
        return sampled if sampled.n_present else self

    def _blocks(self, run: list[slice], scratch: Scratch) -> Iterator[RowBlock]:
        for part in run:
            X = rows_between(self._X, part)
            y = None if self._y is None else self._y[part]
            weights = None if self._weights is None else self._weights[part]
            extras = {name: values[part] for name, values in self._extras.items()}
            if weights is not None and not weights.all():
                present = weights > 0
                if not present.any():
                    continue
                X, weights = X[present], weights[present]
                y = None if y is None else y[present]
                extras = {name: values[present] for name, values in extras.items()}
            if y is not None and y.dtype.kind == "f":
                y = y.astype(np.float64, copy=False)
            yield RowBlock(self._design(X, scratch), y, weights, part.start, extras)

    def _design(self, X: Matrix, scratch: Scratch) -> Design:
        if sparse.issparse(X):
            X = X.astype(np.float64, copy=False)
            return SparseDesign(X, intercept=self.intercept, scratch=scratch)
        if self._single:
            return SinglePrecisionDesign(X, intercept=self.intercept, scratch=scratch)
        if X.dtype != np.float64:
            converted = scratch.array("rows", X.shape, by_column=is_by_column(X))
            np.copyto(converted, X)
            X = converted
        return DenseDesign(np.asarray(X), intercept=self.intercept, scratch=scratch)


def _block_rows(X: Any) -> int:
    n_rows, n_features = X.shape
    if sparse.issparse(X):
        per_row = max(X.nnz // max(n_rows, 1), 1)
        return max(BLOCK_ENTRIES // per_row, 1)
    by_cache = BLOCK_ENTRIES // max(n_features, 1)
    largest = max(MAX_BLOCK_ENTRIES // max(n_features, 1), 1)
    return min(max(by_cache, MIN_BLOCK_ROWS), MAX_BLOCK_ROWS, largest)
