"""Functions of a symmetric matrix that read one of its triangles."""

from __future__ import annotations

import dataclasses

from mcmodels.differences.extrapolation import Array
from mcmodels.differences.jacobian import NumericalDerivative
from mcmodels.plain import np

__all__ = ["of_symmetric_matrix"]


def of_symmetric_matrix(found: NumericalDerivative, point: Array) -> NumericalDerivative | None:
    """The gradient of a function that reads one triangle, by the symmetric matrix it stands for.

    Cholesky factors and eigenvalues of a symmetric matrix are computed from one triangle. Entry by
    entry, the numerical gradient G is then triangular. The same derivative along symmetric
    directions is that of its symmetric part ``(G + Gᵀ)/2``, which textbooks give.

    Parameters
    ----------
    found : NumericalDerivative
        The derivative by the entries.
    point : ndarray
        Where it was taken.

    Returns
    -------
    NumericalDerivative or None
        None unless the point is a symmetric matrix, and one triangle was not read.
    """
    G = found.derivative
    if point.ndim != 2 or G.shape != point.shape or not np.array_equal(point, point.T):
        return None
    beside = [np.tri(len(G), k=-1, dtype=bool), np.tri(len(G), k=-1, dtype=bool).T]
    unread = [not np.any(G[triangle]) for triangle in beside]
    if len(G) < 2 or unread[0] == unread[1]:
        return None
    return dataclasses.replace(
        found,
        derivative=0.5 * (G + G.T),
        error=0.5 * (found.error + found.error.T),
        term_sizes=0.5 * (found.term_sizes + found.term_sizes.T),
    )
