"""The one contract through which solvers see data: a reduction over blocks of rows."""

from __future__ import annotations

import functools
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from mcmodels.rows.blocks import Array, DenseDesign, Design, RowBlock, SparseDesign

Sum = TypeVar("Sum")

# Entries per block: a float64 block of this size (1 MB) stays in cache while every sum is taken
# from it. Wide rows get taller blocks all the same, or the products would not pay.
_BLOCK_ENTRIES = 2**17
_MIN_BLOCK_ROWS = 1024


class Rows(ABC):
    """Rows of (x̃, y, w) that can be walked again, block by block.

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
        Relative rounding unit of the entries of X as they were given, at least float64's.
    intercept : bool
        Whether the design rows end in a one.
    """

    n_rows: int
    n_features: int
    n_present: int
    total_weight: float
    dtype: np.dtype[Any]
    epsilon: float
    intercept: bool

    @property
    def n_params(self) -> int:
        """Number of columns of the design: the features, and the intercept when there is one."""
        return self.n_features + self.intercept

    @abstractmethod
    def blocks(self) -> Iterator[RowBlock]:
        """Walk the rows of positive weight once, in a fixed order."""

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum ``summarise(block)`` over all blocks with ``+``, in the order of the rows."""
        return functools.reduce(operator.add, map(summarise, self.blocks()))

    def map(self, transform: Callable[[RowBlock], Array]) -> Array:
        """Stack ``transform(block)``, one result a row, in the order of the rows."""
        return np.concatenate([transform(block) for block in self.blocks()])


class ArrayRows(Rows):
    """Rows of an array or of a scipy sparse matrix in memory.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The features, of any real dtype and memory order; blocks of them become float64.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), default=None
        The targets.
    weights : ndarray of shape (n_rows,), default=None
        Row weights ≥ 0.
    intercept : bool, default=True
        Whether the design rows end in a one.
    block_rows : int, default=None
        Rows per block; by default as many as stay in cache.
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        weights: Array | None = None,
        *,
        intercept: bool = True,
        block_rows: int | None = None,
    ) -> None:
        self.n_rows, self.n_features = X.shape
        self.intercept = intercept
        self.n_present = self.n_rows if weights is None else int(np.count_nonzero(weights))
        self.total_weight = float(self.n_rows if weights is None else weights.sum())
        self.dtype = np.dtype(np.float32 if X.dtype == np.float32 else np.float64)
        stored = X.dtype if X.dtype in (np.float16, np.float32) else np.float64
        self.epsilon = float(np.finfo(stored).eps)
        self._X = sparse.csr_array(X) if sparse.issparse(X) else X
        self._y = y
        self._weights = weights
        self._block_rows = block_rows or max(
            _BLOCK_ENTRIES // max(self.n_features, 1), _MIN_BLOCK_ROWS
        )

    def blocks(self) -> Iterator[RowBlock]:
        """Walk the rows of positive weight once, in order."""
        for start in range(0, self.n_rows, self._block_rows):
            part = slice(start, start + self._block_rows)
            X = self._X[part]
            y = None if self._y is None else self._y[part]
            weights = None if self._weights is None else self._weights[part]
            if weights is not None and not weights.all():
                present = weights > 0
                if not present.any():
                    continue
                X, weights = X[present], weights[present]
                y = None if y is None else y[present]
            yield RowBlock(self._design(X), y, weights)

    def _design(self, X: Any) -> Design:
        storage = SparseDesign if sparse.issparse(X) else DenseDesign
        return storage(X.astype(np.float64, copy=False), intercept=self.intercept)
