"""Blocks of a table that are coded already: numbers, with the names of their columns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy import sparse

from mcmodels.arrays import Matrix


@dataclass(frozen=True)
class CodedBlock:
    """Features of some rows whose columns and types are known to be those of every block.

    Checks that find that out for arrays of users are left out: they take longer than the sums.

    Parameters
    ----------
    X : ndarray of floats or CSR array, of shape (n_rows, n_features)
        The features.
    names : tuple of str
        Names of the columns.
    index : Index, default=None
        Labels of the rows; None if they have none.
    """

    X: Matrix
    names: tuple[str, ...]
    index: pd.Index | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows, and of columns."""
        return self.X.shape

    def frame(self) -> pd.DataFrame:
        """The same as a data frame, for a person, or for an error that names a place."""
        if sparse.issparse(self.X):
            return pd.DataFrame.sparse.from_spmatrix(self.X, self.index, columns=[*self.names])
        return pd.DataFrame(self.X, self.index, columns=[*self.names], copy=False)
