"""Many float32 rows: products in float32 over short runs of rows, summed in float64.

Entries of float32 have a relative error of 6e-8. Rounding errors in a run have random signs, and
mostly cancel over many runs: measured errors of scatter matrices, relative to the lengths of the
columns, were 3e-8 to 1e-7. Everything else (predictors, residuals, factorisations) uses the rows
in float64.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Values
from mcmodels.rows.blocks import DenseDesign, Sandwich, is_by_column
from mcmodels.rows.scratch import Scratch
from mcmodels.rows.sizes import FLOAT32_RUN

# Relative rounding unit of a scatter matrix; measured on 20,000×1,000 to 1,000,000×40 entries.
SINGLE_PRODUCT_EPSILON = 1e-7
# Smaller sums of squares have lost digits: float32 has few digits near its smallest numbers.
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
        Work arrays.
    """

    def __init__(self, raw: Values, *, intercept: bool, scratch: Scratch) -> None:
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
        """The point, rounded to float32."""
        return point.astype(np.float32).astype(np.float64)

    def centred(self, centre: Array) -> DenseDesign:
        """The features minus ``centre``; in float32 if that can represent the centre.

        The next call overwrites them.
        """
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
        columns: Any = Y.reshape(len(Y), -1).astype(np.float32)
        return _products_in_runs(self.raw, columns).reshape(-1, *Y.shape[1:])

    def sandwich(self, weights: Array | None) -> Sandwich:
        """``X̃ᵀ diag(weights) X̃``; the gram by products in float32, unless that loses digits."""
        Z = self.raw
        if weights is not None:
            root = np.sqrt(weights).astype(np.float32)[:, np.newaxis]
            Z = self.scratch.array("scaled", Z.shape, by_column=is_by_column(Z), dtype=np.float32)
            np.multiply(self.raw, root, out=Z)
        gram = _products_in_runs(Z, Z)
        if self._out_of_range(gram):
            gram = self._double().sandwich(weights).gram
        return Sandwich(gram, *self._border(weights))

    def _out_of_range(self, gram: Array) -> bool:
        """Whether squares of some column are too large or too small for float32."""
        squares = np.diagonal(gram)
        (empty,) = np.nonzero(squares == 0)
        too_small = (squares < _SMALLEST) & (squares > 0)
        lost = too_small.any() or any(self.raw[:, j].any() for j in empty)
        return bool(lost or not np.isfinite(squares).all())

    def _double(self) -> DenseDesign:
        return DenseDesign(self.X, intercept=False, scratch=self.scratch)


def _products_in_runs(X: Array, Y: Array) -> Array:
    """``XᵀY``: runs of rows multiplied in float32, all in one call, and summed in float64."""
    whole = len(X) - len(X) % FLOAT32_RUN
    runs_of_X, runs_of_Y = (_in_runs(A[:whole]) for A in (X, Y))
    total = np.matmul(runs_of_X.swapaxes(1, 2), runs_of_Y).sum(axis=0, dtype=np.float64)
    if whole < len(X):
        total += np.matmul(X[whole:].T, Y[whole:])
    return total


def _in_runs(X: Array) -> Array:
    """A view of shape (runs, rows of a run, columns)."""
    step, across = X.strides
    shape = len(X) // FLOAT32_RUN, FLOAT32_RUN, X.shape[1]
    return np.lib.stride_tricks.as_strided(X, shape, (step * FLOAT32_RUN, step, across))
