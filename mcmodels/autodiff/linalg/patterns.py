"""Matrices built of fewer entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import constant

__all__ = [
    "block_diag",
    "circulant",
    "hankel",
    "mirrored",
    "toeplitz",
]


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with constant diagonals that has the first column c and the first row r.

    Parameters
    ----------
    c : array-like of shape (m,)
        The first column.
    r : array-like of shape (n,), optional
        The first row; c by default. Its first entry is not read.

    Returns
    -------
    ndarray of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> linalg.toeplitz([1.0, 2.0])
    array([[1., 2.],
           [2., 1.]])
    >>> grad(lambda c: np.linalg.det(linalg.toeplitz(c)))(np.array([1.0, 2.0])).round(6)
    array([ 2., -4.])
    """
    c = np.ravel(c)
    r = c if r is None else np.ravel(r)
    m, n = shape_of(c)[0], shape_of(r)[0]
    entries = np.concatenate([r[:0:-1], c])
    return entries[np.arange(m)[:, np.newaxis] - np.arange(n) + n - 1]


def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with constant antidiagonals that has the first column c and the last row r.

    Parameters
    ----------
    c : array-like of shape (m,)
        The first column.
    r : array-like of shape (n,), optional
        The last row; zeros by default. Its first entry is not read.

    Returns
    -------
    ndarray of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> linalg.hankel([1.0, 2.0], [2.0, 3.0])
    array([[1., 2.],
           [2., 3.]])
    >>> grad(lambda c: np.sum(linalg.hankel(c) ** 2))(np.array([1.0, 2.0])).round(6)
    array([2., 8.])
    """
    c = np.ravel(c)
    r = np.zeros(shape_of(c)) if r is None else np.ravel(r)
    entries = np.concatenate([c, r[1:]])
    return entries[np.arange(shape_of(c)[0])[:, np.newaxis] + np.arange(shape_of(r)[0])]


def circulant(c: Any) -> Any:
    """The matrix whose columns are c, each shifted down by one more than the column before it.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> linalg.circulant([1.0, 2.0, 3.0])
    array([[1., 3., 2.],
           [2., 1., 3.],
           [3., 2., 1.]])
    >>> grad(lambda c: np.linalg.det(linalg.circulant(c)))(np.array([1.0, 2.0])).round(6)
    array([ 2., -4.])
    """
    c = np.ravel(c)
    n = shape_of(c)[0]
    return c[(np.arange(n)[:, np.newaxis] - np.arange(n)) % n]


def block_diag(*arrs: Any) -> Any:
    """The matrix with the given matrices along its diagonal, and zeros elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> linalg.block_diag(A, [[5.0]])
    array([[2. , 1. , 0. ],
           [0.5, 3. , 0. ],
           [0. , 0. , 5. ]])
    >>> grad(lambda A: np.linalg.det(linalg.block_diag(A, [[5.0]])))(A).round(6)
    array([[15. , -2.5],
           [-5. , 10. ]])
    """
    blocks = [np.atleast_2d(block) for block in arrs]
    widths = [shape_of(block)[1] for block in blocks]
    rows = []
    for k, block in enumerate(blocks):
        height, before = shape_of(block)[0], sum(widths[:k])
        after = sum(widths) - before - widths[k]
        parts = [np.zeros((height, before)), block, np.zeros((height, after))]
        rows.append(np.concatenate(parts, axis=1))
    return np.concatenate(rows, axis=0)


def mirrored(a: Any, lower: bool) -> Any:
    """The symmetric matrix that one triangle stands for, if the other differs from it."""
    values = np.asarray(constant(a))
    other = np.swapaxes(values, -1, -2)
    if values.shape == other.shape and bool((values == other).all()):
        return a
    half = call("tril", a, k=-1) if lower else call("triu", a, k=1)
    diagonal = call("triu", call("tril", a))
    return half + np.swapaxes(half, -1, -2) + diagonal
