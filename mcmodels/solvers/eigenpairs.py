"""Leading eigenpairs of a symmetric positive semi-definite matrix, by LAPACK."""

from __future__ import annotations

from typing import NamedTuple

from scipy import linalg

from mcmodels.arrays import Array


class Eigenpairs(NamedTuple):
    """Eigenvalues in descending order, and their eigenvectors.

    Parameters
    ----------
    values : ndarray of shape (k,)
        Eigenvalues.
    vectors : ndarray of shape (m, k)
        Orthonormal eigenvectors, one a column.
    iterations : int
        Steps of the algorithm, where it counts them; else 0.
    converged : bool
        Whether every pair met the tolerance.
    method : str
        Name of the algorithm.
    """

    values: Array
    vectors: Array
    iterations: int = 0
    converged: bool = True
    method: str = "eigh"


def leading_eigenpairs(S: Array, count: int) -> Eigenpairs:
    """The ``count`` largest eigenvalues of S and their eigenvectors; only those are computed."""
    size = S.shape[0]
    if count == 0:
        return Eigenpairs(S[0, :0], S[:, :0])
    values, vectors = linalg.eigh(S, subset_by_index=(size - count, size - 1), check_finite=False)
    if values.size < count:  # LAPACK may not tell equal values apart
        values, vectors = linalg.eigh(S, driver="evd", check_finite=False)
        values, vectors = values[size - count :], vectors[:, size - count :]
    return Eigenpairs(values[::-1].copy(), vectors[:, ::-1])
