"""Leading eigenpairs of a symmetric matrix, given by its products with vectors.

Source: Lehoucq, Sorensen and Yang (1998), *ARPACK Users' Guide*: the implicitly restarted Lanczos
method, as SciPy has it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from mcmodels.arrays import Array
from mcmodels.solvers.eigenpairs import Eigenpairs


def eigenpairs_by_products(product: Callable[[Array], Array], size: int, count: int) -> Eigenpairs:
    """The ``count`` largest eigenvalues of a symmetric matrix of ``size`` columns, by products.

    The start vector has a fixed seed, so that a fit can be repeated. Pairs that were not found are
    zero, and ``converged`` is then False.
    """
    if count == 0:
        return Eigenpairs(np.zeros(0), np.zeros((size, 0)), method="lanczos")
    count_of_products = 0

    def apply(v: Array) -> Array:
        nonlocal count_of_products
        count_of_products += 1
        return product(v.reshape(1, -1))[0]

    operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size)
    try:
        values, vectors = eigsh(operator, k=count, which="LA", v0=start)
        converged = True
    except ArpackNoConvergence as stopped:
        values, vectors = np.zeros(count), np.zeros((size, count))
        found = len(stopped.eigenvalues)
        values[:found], vectors[:, :found] = stopped.eigenvalues, stopped.eigenvectors
        converged = False
    order = np.argsort(values)[::-1]
    return Eigenpairs(values[order], vectors[:, order], count_of_products, converged, "lanczos")
