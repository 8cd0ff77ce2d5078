"""Many float32 rows: products in float32 over short runs of rows, summed in float64.

Entries of float32 are known to 6e-8. What rounding adds in a run has a random sign, and over many
runs little of it is left: relative to the lengths of the columns, scatter matrices of 100,000 rows
and more were seen to be right to 4e-8. Everything else (predictors, residuals, factorisations) sees
the rows in float64.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mcmodels.rows.blocks import Array, DenseDesign, is_by_column, product
from mcmodels.rows.scratch import Scratch

# Entries in a run, and the fewest rows: what is added in float64 has p² entries.
_RUN_ENTRIES, _SHORTEST_RUN = 2**15, 512
# Rounding unit of a scatter matrix, seen on 100,000×300 to 1,000,000×10.
SINGLE_PRODUCT_EPSILON = 4e-8
# Sums of squares below this have lost digits to gradual underflow of float32.
_SMALLEST = 1e-28


class SinglePrecisionDesign(DenseDesign):
    """Design rows in a float32 array.

    Parameters
    ----------
    raw : ndarray of float32, of shape (n_rows, n_features)
        The features.
    intercept : bool
        Whether a column of ones follows the features.
    scratch : Scratch
        Arrays to work in.
    """

    def __init__(self, raw: Any, *, intercept: bool, scratch: Scratch) -> None:
        self.raw = raw
        self.intercept = intercept
        self.scratch = scratch

    @functools.cached_property
    def X(self) -> Array:
        """The features in float64."""
        converted = self.scratch.array("float64", self.raw.shape, by_column=is_by_column(self.raw))
        np.copyto(converted, self.raw)
        return converted

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.raw.shape[0]

    def centre_near(self, point: Array) -> Array:
        """The part of ``point`` about which these rows are centred in their storage."""
        return point.astype(np.float32).astype(np.float64)

    def centred(self, centre: Array) -> DenseDesign:
        """The features minus ``centre``, in float32 where that can hold it; until the next call."""
        single, raw = centre.astype(np.float32), self.raw
        if not np.array_equal(single, centre):
            return self._double().centred(centre)
        if centre.any():
            raw = self.scratch.array(
                "centred", raw.shape, by_column=is_by_column(raw), dtype=np.float32
            )
            np.subtract(self.raw, single, out=raw)
        return SinglePrecisionDesign(raw, intercept=False, scratch=self.scratch.inner)

    def products(self, Y: Array) -> Array:
        """``XᵀY`` for Y of shape (n_rows, m)."""
        Y = Y.astype(np.float32)
        total = np.zeros((self.raw.shape[1], *Y.shape[1:]))
        for run in self._runs():
            total += product(self.raw[run].T, Y[run])
        return total

    def _gram(self, weights: Array | None) -> Array:
        root = None if weights is None else np.sqrt(weights).astype(np.float32)[:, np.newaxis]
        total = np.zeros((self.raw.shape[1],) * 2)
        for run in self._runs():
            Z = self.raw[run]
            if root is not None:
                Z = self.scratch.array(
                    "scaled", Z.shape, by_column=is_by_column(Z), dtype=np.float32
                )
                np.multiply(self.raw[run], root[run], out=Z)
            total += product(Z.T, Z)
        return self._double()._gram(weights) if self._out_of_range(total) else total

    def _out_of_range(self, gram: Array) -> bool:
        """Whether float32 could not hold the squares of some column."""
        squares = np.diagonal(gram)
        (empty,) = np.nonzero(squares == 0)
        too_small = (squares < _SMALLEST) & (squares > 0)
        lost = too_small.any() or any(self.raw[:, j].any() for j in empty)
        return bool(lost or not np.isfinite(squares).all())

    def _double(self) -> DenseDesign:
        return DenseDesign(self.X, intercept=self.intercept, scratch=self.scratch)

    def _runs(self) -> Iterator[slice]:
        rows = max(_RUN_ENTRIES // max(self.raw.shape[1], 1), _SHORTEST_RUN)
        for start in range(0, self.n_rows, rows):
            yield slice(start, start + rows)
