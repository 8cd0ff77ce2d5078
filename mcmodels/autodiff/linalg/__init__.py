"""Functions of matrices of ``scipy.linalg`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that calls of ``scipy.linalg`` cannot be followed.
The functions here have its names, its arguments and its values; ``numpy.linalg`` may be called
directly. ``cholesky``, ``cho_factor``, ``eigh`` and ``eigvalsh`` are functions of a symmetric
matrix: their derivatives are those of its symmetric part.
"""

from mcmodels.autodiff.linalg.equations import (
    solve,
    solve_banded,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
    solve_toeplitz,
    solve_triangular,
)
from mcmodels.autodiff.linalg.factorisations import (
    cho_factor,
    cho_solve,
    cholesky,
    eigh,
    eigvalsh,
    lu,
    lu_factor,
    lu_solve,
    svd,
    svdvals,
)
from mcmodels.autodiff.linalg.functions import (
    cosm,
    det,
    expm,
    inv,
    logm,
    sinm,
    sqrtm,
)
from mcmodels.autodiff.linalg.patterns import (
    block_diag,
    circulant,
    hankel,
    toeplitz,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "cosm",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "hankel",
    "inv",
    "logm",
    "lu",
    "lu_factor",
    "lu_solve",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]
