"""Functions of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import call

__all__ = [
    "cosm",
    "det",
    "expm",
    "inv",
    "logm",
    "sinm",
    "sqrtm",
]


def inv(a: Any) -> Any:
    """The inverse of a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.inv(A)))(A).round(6)
    array([[-0.31405 ,  0.082645],
           [ 0.165289, -0.14876 ]])
    """
    return np.linalg.inv(a)


def det(a: Any) -> Any:
    """The determinant of a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(linalg.det)(A).round(6)
    array([[ 3. , -0.5],
           [-1. ,  2. ]])
    """
    return np.linalg.det(a)


def expm(A: Any) -> Any:
    """``Σ Aᵏ/k!``, the exponential of a square matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.expm(A)))(A).round(6)
    array([[10.16197 ,  6.881721],
           [13.763442, 23.925412]])
    """
    return call("expm", A)


def logm(A: Any) -> Any:
    """The logarithm of a square matrix without eigenvalues that are negative or 0.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.logm(A)))(A).round(6)
    array([[ 0.545455, -0.090909],
           [-0.181818,  0.363636]])
    """
    return call("logm", A)


def sqrtm(A: Any) -> Any:
    """The square root of a square matrix; complex if it has negative eigenvalues.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.sqrtm(A)))(A).round(6)
    array([[ 0.366085, -0.034244],
           [-0.068488,  0.297597]])
    """
    return call("sqrtm", A)


def cosm(A: Any) -> Any:
    """The cosine of a square matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.cosm(A)))(A).round(6)
    array([[-0.740071,  0.352345],
           [ 0.70469 , -0.035381]])
    """
    return call("cosm", A)


def sinm(A: Any) -> Any:
    """The sine of a square matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.trace(linalg.sinm(A)))(A).round(6)
    array([[-0.255819, -0.263209],
           [-0.526419, -0.782238]])
    """
    return call("sinm", A)
