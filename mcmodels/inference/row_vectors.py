"""Vectors of rows of which a few columns differ from those of rows that are known.

Where one input of many changes, most columns of the design stay as they are. Products with the
parameters, and sums over rows, are then taken of the known rows and of the few columns apart; no
copy of the rows is made. A column that is equal in all rows is one number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array

__all__ = ["RowVectors"]


@dataclass(frozen=True, eq=False)
class RowVectors:
    """Vectors u of rows, shape (b, P).

    Parameters
    ----------
    size : int
        P.
    base : ndarray of shape (b, P), or None
        Vectors with the columns that do not stand in ``columns``; None: these are zero.
    at : ndarray of int of shape (q,)
        Positions of the columns that stand apart.
    columns : ndarray of shape (b, q) or (1, q)
        Their values; one row where all rows have the same.
    """

    size: int
    base: Array | None
    at: npt.NDArray[np.intp]
    columns: Array

    @classmethod
    def of(cls, X: Array) -> Self:
        """All columns of X, shape (b, P)."""
        return cls(X.shape[1], X, np.zeros(0, dtype=np.intp), np.zeros((1, 0)))

    def dense(self, n_rows: int) -> Array:
        """All of the vectors, shape (n_rows, P)."""
        made = np.zeros((n_rows, self.size)) if self.base is None else self.base.copy()
        made[:, self.at] = self.columns
        return made

    def times(self, params: Array) -> Array:
        """``u θᵀ`` for θ of shape (P,) or (K, P); of one row where all rows have the same.

        The columns of the base that are replaced are left out of its product, so that large ones
        leave no rounding behind.
        """
        moved = self.columns @ params[..., self.at].T
        if self.base is None:
            return np.asarray(moved)
        kept = params.copy()
        kept[..., self.at] = 0.0
        return np.asarray(self.base @ kept.T + moved)

    def summed(self, coefficients: Array, rows: Any) -> Array:
        """``Σᵢ cᵢ uᵢᵀ`` over some rows, shape (k, P).

        Parameters
        ----------
        coefficients : ndarray of shape (m, k)
            One row for each of the rows.
        rows : slice, or ndarray of int of shape (m,)
            The rows.
        """
        C = coefficients.T
        found = np.zeros((len(C), self.size)) if self.base is None else C @ self.base[rows]
        same = len(self.columns) == 1
        found[:, self.at] = (
            C.sum(axis=1)[:, np.newaxis] * self.columns if same else C @ self.columns[rows]
        )
        return found
