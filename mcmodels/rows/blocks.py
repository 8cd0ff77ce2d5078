"""A block of design rows, dense or sparse, and the few products that every fit is made of.

A design row is ``x̃ = (x, 1)`` with an intercept and ``x̃ = x`` without; the intercept is always
the last column and is never stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[np.float64]

# A sparse column with more entries than this is centred by filling it in; below it, centring
# about zero costs less than one decimal digit: mean² ≤ density · E[x²], so that
# var ≥ (1 - density) E[x²].
_FILLED_COLUMN_DENSITY = 0.5


class Design(ABC):
    """Rows ``x̃ᵢᵀ`` of a design matrix X̃, with the products that fits are made of.

    Parameters
    ----------
    X : matrix of shape (n_rows, n_features)
        The features, in the storage of the subclass.
    intercept : bool
        Whether a column of ones follows the features.
    """

    def __init__(self, X: Any, *, intercept: bool) -> None:
        self.X = X
        self.intercept = intercept

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    def predictor(self, params: Array) -> Array:
        """Linear predictor ``η = X̃θ``: (n_rows,) for params (P,), (n_rows, K) for (K, P)."""
        if not self.intercept:
            return self.X @ params.T
        return self.X @ params[..., :-1].T + params[..., -1]

    def adjoint(self, r: Array) -> Array:
        """``X̃ᵀr`` in the layout of params: (P,) for r (n_rows,), (K, P) for (n_rows, K)."""
        XTr = (self.X.T @ r).T
        if not self.intercept:
            return XTr
        return np.concatenate([XTr, np.sum(r, axis=0)[..., np.newaxis]], axis=-1)

    def sandwich(self, weights: Array | None) -> Array:
        """``X̃ᵀ diag(weights) X̃`` for weights ≥ 0; None stands for ones. Exactly symmetric."""
        gram = self._gram(weights)
        if not self.intercept:
            return gram
        ones = np.ones(self.n_rows) if weights is None else weights
        border = np.asarray(self.X.T @ ones)
        return np.block([[gram, border[:, np.newaxis]], [border, ones.sum()]])

    @abstractmethod
    def _gram(self, weights: Array | None) -> Array:
        """``Xᵀ diag(weights) X`` of the features alone."""

    def mean(self, weights: Array | None) -> Array:
        """Weighted mean of the features."""
        unit = np.ones(self.n_rows) if weights is None else weights
        return np.asarray(unit @ self.X) / unit.sum()

    def square_sums(self, weights: Array | None = None) -> Array:
        """``Σᵢ wᵢ xᵢⱼ²`` of each feature."""
        unit = np.ones(self.n_rows) if weights is None else weights
        return np.asarray(unit @ self.X**2)

    @abstractmethod
    def centre_near(self, point: Array) -> Array:
        """The part of ``point`` about which these rows are centred without losing their storage."""

    @abstractmethod
    def centred(self, centre: Array) -> Self:
        """The features minus ``centre``, in the same storage, without an intercept."""

    @abstractmethod
    def dense(self) -> Array:
        """The features as an array of shape (n_rows, n_features)."""


class DenseDesign(Design):
    """Design rows in a float64 array."""

    def _gram(self, weights: Array | None) -> Array:
        # The product of an array with its own transpose is one syrk: half the work of a
        # general product, and exactly symmetric.
        Z = self.X if weights is None else self.X * np.sqrt(weights)[:, np.newaxis]
        return Z.T @ Z

    def centre_near(self, point: Array) -> Array:
        """The part of ``point`` about which these rows are centred in their storage."""
        return point

    def centred(self, centre: Array) -> Self:
        """The features minus ``centre``, without an intercept."""
        return type(self)(self.X - centre, intercept=False)

    def dense(self) -> Array:
        """The features as an array."""
        return self.X


class SparseDesign(Design):
    """Design rows in a float64 CSR array; products cost what the stored entries cost."""

    def _gram(self, weights: Array | None) -> Array:
        weighted = self.X if weights is None else sparse.diags_array(weights) @ self.X
        gram = (self.X.T @ weighted).toarray()
        return (gram + gram.T) / 2

    def centre_near(self, point: Array) -> Array:
        """The part of ``point`` about which these rows are centred in their storage."""
        n_rows, n_features = self.X.shape
        stored = np.bincount(self.X.indices, minlength=n_features)
        return np.where(stored > _FILLED_COLUMN_DENSITY * n_rows, point, 0.0)

    def centred(self, centre: Array) -> Self:
        """The features minus ``centre``, without an intercept."""
        (filled,) = np.nonzero(centre)
        if filled.size == 0:
            return type(self)(self.X, intercept=False)
        shift = sparse.csr_array(
            (
                np.tile(centre[filled], self.n_rows),
                np.tile(filled, self.n_rows),
                np.arange(self.n_rows + 1) * filled.size,
            ),
            shape=self.X.shape,
        )
        return type(self)((self.X - shift).tocsr(), intercept=False)

    def dense(self) -> Array:
        """The features as an array."""
        return self.X.toarray()


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows: features, targets and weights.

    Parameters
    ----------
    X : Design
        The design rows.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        The targets: float64 values, or integer class codes.
    weights : ndarray of shape (n_rows,), or None
        Row weights ≥ 0; None stands for ones.
    """

    X: Design
    y: Any
    weights: Array | None

    def weighted(self, values: Array) -> Array:
        """``wᵢ · values[i]`` along the first axis."""
        if self.weights is None:
            return values
        return (values.T * self.weights).T

    @property
    def total_weight(self) -> float:
        """``Σ wᵢ`` of the block."""
        return float(self.X.n_rows if self.weights is None else self.weights.sum())
