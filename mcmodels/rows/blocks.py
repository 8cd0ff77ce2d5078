"""A block of design rows, dense or sparse, and the few products that every fit is made of.

All products are made by :func:`product`, which lets other threads run meanwhile.

A design row is ``x̃ = (x, 1)`` with an intercept and ``x̃ = x`` without; the intercept is always
the last column and is never stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Matrix
from mcmodels.rows.scratch import Scratch
from mcmodels.rows.sizes import FILLED_COLUMN_DENSITY, JOINED_ROW, SHORT_ROW, SPARSE_PRODUCT_COST


@dataclass
class Sandwich:
    """The matrix ``X̃ᵀ diag(w) X̃`` in parts; ``+=`` adds another one in place.

    Parameters
    ----------
    gram : ndarray or sparse array of shape (p, p)
        ``Xᵀ diag(w) X`` of the features.
    border : ndarray of shape (p,), or None
        ``Xᵀw``; None without an intercept.
    total : float
        ``Σ wᵢ``.
    """

    gram: Any
    border: Array | None
    total: float

    def __iadd__(self, other: Sandwich) -> Self:
        if sparse.issparse(self.gram) and sparse.issparse(other.gram):
            self.gram = self.gram + other.gram
        elif sparse.issparse(self.gram):
            self.gram = other.gram + self.gram
        else:
            self.gram += other.gram
        if self.border is not None and other.border is not None:
            self.border += other.border
        self.total += other.total
        return self

    def __mul__(self, factor: float) -> Sandwich:
        border = None if self.border is None else factor * self.border
        return Sandwich(factor * self.gram, border, factor * self.total)

    def dense_gram(self) -> Array:
        """``Xᵀ diag(w) X`` as an array."""
        return self.gram.toarray() if sparse.issparse(self.gram) else self.gram

    def matrix(self) -> Array:
        """The whole matrix, shape (P, P); exactly symmetric."""
        gram = self.dense_gram()
        if self.border is None:
            return gram
        whole = np.empty((len(gram) + 1, len(gram) + 1))
        whole[:-1, :-1] = gram
        whole[-1, :-1] = whole[:-1, -1] = self.border
        whole[-1, -1] = self.total
        return whole


class Design(ABC):
    """Rows ``x̃ᵢᵀ`` of a design matrix X̃, with the products that fits are made of.

    Parameters
    ----------
    X : matrix of shape (n_rows, n_features)
        The features, in the storage of the subclass.
    intercept : bool
        Whether a column of ones follows the features.
    scratch : Scratch, default=None
        Work arrays; by default new ones.
    """

    def __init__(self, X: Matrix, *, intercept: bool, scratch: Scratch | None = None) -> None:
        self.X: Any = X
        self.intercept = intercept
        self.scratch = Scratch() if scratch is None else scratch

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    def predictor(self, params: Array, *, own: bool = True) -> Array:
        """Linear predictor ``η = X̃θ``: (n_rows,) for params (P,), (n_rows, K) for (K, P).

        With ``own`` the result is a new array. Without, it is a work array, which the next such
        call overwrites.
        """
        coef = params[..., :-1] if self.intercept else params
        eta = self._times(np.ascontiguousarray(coef.T), own)
        if self.intercept:
            eta += params[..., -1]
        return eta

    def _times(self, B: Array, own: bool) -> Array:
        """``XB``."""
        return product(self.X, B)

    def adjoint(self, r: Array) -> Array:
        """``X̃ᵀr`` in the layout of params: (P,) for r (n_rows,), (K, P) for (n_rows, K)."""
        XTr = product(self.X.T, r).T
        if not self.intercept:
            return XTr
        return np.concatenate([XTr, np.sum(r, axis=0)[..., np.newaxis]], axis=-1)

    def products(self, Y: Array) -> Array:
        """``XᵀY`` of the features, for Y of shape (n_rows, m)."""
        return product(self.X.T, Y)

    def form(self) -> None:
        """Form the rows now, where they are formed when they are first read."""
        _ = self.X

    @abstractmethod
    def sandwich(self, weights: Array | None) -> Sandwich:
        """``X̃ᵀ diag(weights) X̃`` for weights ≥ 0; None means ones."""

    def _border(self, weights: Array | None) -> tuple[Array | None, float]:
        """The other parts of a sandwich: ``Xᵀw`` (None without an intercept) and ``Σ wᵢ``."""
        unit = np.ones(self.n_rows) if weights is None else weights
        return self.products(unit) if self.intercept else None, float(unit.sum())

    def mean(self, weights: Array | None) -> Array:
        """Weighted mean of the features, shape (p,)."""
        unit = np.ones(self.n_rows) if weights is None else weights
        return product(self.X.T, unit) / unit.sum()

    @abstractmethod
    def square_sums(self, weights: Array | None = None) -> Array:
        """``Σᵢ wᵢ xᵢⱼ²`` of each feature."""

    def diagonal(self, weights: Array) -> Array:
        """Diagonal of ``X̃ᵀ diag(weights) X̃``."""
        squares = self.square_sums(weights)
        return np.append(squares, weights.sum()) if self.intercept else squares

    @abstractmethod
    def centre_near(self, point: Array) -> Array:
        """The centre closest to ``point`` that can be subtracted without changing the storage."""

    @abstractmethod
    def centred(self, centre: Array) -> Design:
        """The features minus ``centre``, in the same storage, without an intercept."""

    @abstractmethod
    def dense(self) -> Array:
        """The features as an array of shape (n_rows, n_features)."""

    def magnitudes(self) -> Array:
        """``|X̃|``: their rounding errors are at most this, times a few ε; shape (n_rows, P)."""
        return self._with_ones(np.abs(self.dense()))

    def _with_ones(self, X: Array) -> Array:
        return np.column_stack([X, np.ones(len(X))]) if self.intercept else X


class DenseDesign(Design):
    """Design rows in a float64 array."""

    def _times(self, B: Array, own: bool) -> Array:
        if own or B.size == 0:
            return product(self.X, B)
        out = self.scratch.array("predictor", (self.n_rows, B.size // len(B)))
        return product(self.X, B, out=out if B.ndim == 2 else out[:, 0])

    def sandwich(self, weights: Array | None) -> Sandwich:
        """``X̃ᵀ diag(weights) X̃``."""
        Z = self.X
        # First, because it reads the rows from memory in less time than syrk does.
        border, total = self._border(weights)
        if weights is not None:
            Z = self._like_rows("scaled")
            (root,) = self.scratch.vectors("root", 1, self.n_rows)
            np.multiply(self.X, np.sqrt(weights, out=root)[:, np.newaxis], out=Z)
        # BLAS computes the product of an array with its own transpose by syrk: half the work of
        # a general product, and exactly symmetric.
        return Sandwich(product(Z.T, Z), border, total)

    def square_sums(self, weights: Array | None = None) -> Array:
        """``Σᵢ wᵢ xᵢⱼ²`` of each feature."""
        unit = np.ones(self.n_rows) if weights is None else weights
        return product(np.square(self.X, out=self._like_rows("squares")).T, unit)

    def centre_near(self, point: Array) -> Array:
        """The point itself."""
        return point

    def centred(self, centre: Array) -> DenseDesign:
        """The features minus ``centre``, without an intercept; the next call overwrites them."""
        X = self.X
        if centre.any():
            X = self._like_rows("centred")
            subtract_row(self.X, centre, out=X)
        return DenseDesign(X, intercept=False, scratch=self.scratch.inner)

    def dense(self) -> Array:
        """The features as an array."""
        return self.X

    def _like_rows(self, name: str) -> Array:
        return self.scratch.array(name, self.X.shape, by_column=is_by_column(self.X))


class SparseDesign(Design):
    """Design rows in a float64 CSR array; the cost of products is that of the stored entries."""

    def sandwich(self, weights: Array | None) -> Sandwich:
        """``X̃ᵀ diag(weights) X̃``; the gram is a sparse array if that takes less time."""
        X = self.X
        n_rows, n_features = X.shape
        multiplications = float((np.diff(X.indptr).astype(np.float64) ** 2).sum())
        if multiplications * SPARSE_PRODUCT_COST > n_rows * float(n_features) ** 2:
            filled = self.scratch.array("filled", X.shape)
            X.toarray(out=filled)
            dense = DenseDesign(filled, intercept=False, scratch=self.scratch)
            return Sandwich(dense.sandwich(weights).gram, *self._border(weights))
        entries = X.data
        if weights is not None:
            entries = entries * np.sqrt(np.repeat(weights, np.diff(X.indptr)))
        Z = _like_rows(X, entries)
        # Exactly symmetric: an entry and its mirror image are the same sum in the same order. So
        # the transpose is the same matrix, and it is in CSR format.
        return Sandwich(Z.T.dot(Z.tocsc()).T, *self._border(weights))

    def square_sums(self, weights: Array | None = None) -> Array:
        """``Σᵢ wᵢ xᵢⱼ²`` of each feature."""
        unit = np.ones(self.n_rows) if weights is None else weights
        X = self.X
        if not X.has_canonical_format:  # an entry may be stored as a sum of several
            X = X.copy()
            X.sum_duplicates()
        return _like_rows(X, X.data**2).T.dot(unit)

    def centre_near(self, point: Array) -> Array:
        """The entries of ``point`` in nearly full columns, and zero in the others."""
        n_rows, n_features = self.X.shape
        stored = np.bincount(self.X.indices, minlength=n_features)
        return np.where(stored > FILLED_COLUMN_DENSITY * n_rows, point, 0.0)

    def centred(self, centre: Array) -> SparseDesign:
        """The features minus ``centre``, without an intercept."""
        (filled,) = np.nonzero(centre)
        if filled.size == 0:
            return type(self)(self.X, intercept=False, scratch=self.scratch)
        shift = sparse.csr_array(
            (
                np.tile(centre[filled], self.n_rows),
                np.tile(filled, self.n_rows),
                np.arange(self.n_rows + 1) * filled.size,
            ),
            shape=self.X.shape,
        )
        shifted = (self.X - shift).tocsr()
        return type(self)(shifted, intercept=False, scratch=self.scratch)

    def dense(self) -> Array:
        """The features as an array."""
        return self.X.toarray()


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows: features, targets, weights, and further values of each row by name.

    Parameters
    ----------
    X : Design
        The design rows.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        The targets: float64 values, or integer class codes.
    weights : ndarray of shape (n_rows,), or None
        Row weights ≥ 0; None means ones.
    start : int, default=0
        Position of the first row among all rows.
    extras : mapping of str to ndarray, default={}
        Further values of each row, unchanged: ``block.extras["groups"]``. Of these,
        ``"offset"`` is part of the linear predictor; it has the shape of η.
    """

    X: Design
    y: Any
    weights: Array | None
    start: int = 0
    extras: Mapping[str, Any] = field(default_factory=dict)

    def linear_predictor(self, params: Array, *, own: bool = True) -> Array:
        """``η = X̃θ``, plus the offset of each row if there is one.

        ``own`` is that of :meth:`Design.predictor`.
        """
        eta = self.X.predictor(params, own=own)
        offset = self.extras.get("offset")
        if offset is not None:
            eta += offset
        return eta

    def weighted(self, values: Array) -> Array:
        """``wᵢ · values[i]`` along the first axis."""
        if self.weights is None:
            return values
        return (values.T * self.weights).T

    @property
    def offset_or_zeros(self) -> Array:
        """The offset as an array; zeros if the rows have none."""
        offset = self.extras.get("offset")
        return np.zeros(self.X.n_rows) if offset is None else offset

    @property
    def rows(self) -> slice:
        """Positions of the rows among all rows, if no row has weight 0."""
        return slice(self.start, self.start + self.X.n_rows)

    @property
    def weights_or_ones(self) -> Array:
        """The weights as an array; ones if the rows have none."""
        return np.ones(self.X.n_rows) if self.weights is None else self.weights

    @property
    def total_weight(self) -> float:
        """``Σ wᵢ`` of the block."""
        return float(self.X.n_rows if self.weights is None else self.weights.sum())


def product(A: Matrix, B: Array, *, out: Array | None = None) -> Any:
    """``AB`` for A dense or sparse.

    NumPy's matmul makes other threads wait when the result is small. Its dot copies arrays that are
    not contiguous, such as slices of F-ordered ones. So each is used where the other is slow.
    """
    if sparse.issparse(A):
        return A.dot(B)
    whole = A.flags.forc and B.flags.forc
    return np.dot(A, B, out=out) if whole else np.matmul(A, B, out=out)


def is_by_column(X: Any) -> bool:
    """Whether an array is stored column by column."""
    return bool(X.strides[0] < X.strides[1])


def rows_between(X: Any, part: slice) -> Any:
    """Some rows of an array or a CSR array, without a copy; SciPy would copy them."""
    if not sparse.issparse(X):
        return X[part]
    start, stop, _ = part.indices(X.shape[0])
    stored = slice(X.indptr[start], X.indptr[stop])
    pointers = X.indptr[start : stop + 1] - stored.start
    return sparse.csr_array(
        (_in_place(X.data[stored]), _in_place(X.indices[stored]), pointers),
        shape=(stop - start, X.shape[1]),
    )


def _in_place(part: Any) -> Any:
    """A new array over the same memory, which is not a slice of the old one.

    SciPy copies a slice that is less than half of the array it was taken from.
    """
    return np.asarray(memoryview(part))[:]


def _like_rows(X: Any, entries: Array) -> Any:
    """A sparse array with entries in the same places as X, and other values."""
    return sparse.csr_array((entries, X.indices, X.indptr), shape=X.shape)


def subtract_row(X: Array, row: Array, *, out: Array) -> None:
    """``X - row``; several short rows are treated as one long row."""
    n_rows, n_columns = X.shape
    if n_columns < SHORT_ROW and X.flags.c_contiguous:
        together = JOINED_ROW // max(n_columns, 1)
        whole = n_rows - n_rows % together
        wide = (-1, together * n_columns)
        np.subtract(X[:whole].reshape(wide), np.tile(row, together), out=out[:whole].reshape(wide))
        X, out = X[whole:], out[whole:]
    np.subtract(X, row, out=out)
