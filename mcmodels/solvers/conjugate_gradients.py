"""Conjugate gradients for a symmetric positive semi-definite matrix, given by its products.

Sources: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., algorithm 5.3; the Lanczos
matrix of its coefficients, Saad (2003), *Iterative Methods for Sparse Linear Systems*,
2nd ed., §6.7.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array


@dataclass(frozen=True)
class Jacobi:
    """The preconditioner ``M = diag(A)``, within a subspace that A maps into itself.

    Parameters
    ----------
    inverse : ndarray
        ``1 / diag(A)``; zero where A has no entries.
    project : callable
        Orthogonal projection on the subspace.
    """

    inverse: Array
    project: Callable[[Array], Array]

    @classmethod
    def of(cls, diagonal: Array, project: Callable[[Array], Array] = np.asarray) -> Self:
        """The preconditioner of a matrix with this diagonal."""
        inverse = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
        return cls(inverse, project)

    def apply(self, r: Array) -> Array:
        """``M⁻¹r``, projected."""
        return self.project(self.inverse * r)

    def norm(self, r: Array) -> float:
        """``√(rᵀM⁻¹r)``, the size of a residual; it does not depend on the scales of columns."""
        return float(np.sqrt(np.vdot(r, self.apply(r))))


@dataclass(frozen=True)
class KrylovSolution:
    """An approximate solution of ``Ax = b``, and estimates of extreme eigenvalues.

    Parameters
    ----------
    x : ndarray, the shape of b
        The solution, in the range of ``M⁻¹A``.
    steps : int
        Number of products with A.
    smallest, largest : float
        Extreme Ritz values: estimates of the extreme eigenvalues of ``M⁻¹A`` among the
        eigenvectors that have a part in b. NaN without a step.
    """

    x: Array
    steps: int
    smallest: float
    largest: float


def conjugate_gradients(
    apply: Callable[[Array], Array],
    b: Array,
    preconditioner: Jacobi,
    *,
    tolerance: float,
    max_steps: int,
) -> KrylovSolution:
    """Solve ``Ax = b`` from zero until ``‖b - Ax‖`` is ``tolerance · ‖b‖``, in the norm of M⁻¹.

    Parameters
    ----------
    apply : callable
        The product of A with an array of the shape of b.
    b : ndarray, of any shape
        The right-hand side, in the range of A.
    preconditioner : Jacobi
        M.
    tolerance : float
        Relative size of the residual at which to stop.
    max_steps : int
        Largest number of products with A.

    Returns
    -------
    KrylovSolution
        ``xᵀAx = bᵀx > 0`` for every iterate, the last included: when b is minus a gradient, x is
        a direction of descent.
    """
    x, r = np.zeros_like(b), b.copy()
    z = preconditioner.apply(r)
    size = float(np.vdot(r, z))
    enough = tolerance**2 * size
    direction = z
    lengths: list[float] = []
    ratios: list[float] = []
    while size > enough and len(lengths) < max_steps:
        image = apply(direction)
        curvature = float(np.vdot(direction, image))
        if not curvature > 0:  # only rounding errors are left
            break
        length = size / curvature
        x += length * direction
        r -= length * image
        z = preconditioner.apply(r)
        before, size = size, float(np.vdot(r, z))
        lengths.append(length)
        ratios.append(size / before)
        direction = z + ratios[-1] * direction
    return KrylovSolution(x, len(lengths), *_ritz_values(np.array(lengths), np.array(ratios)))


def _ritz_values(lengths: Array, ratios: Array) -> tuple[float, float]:
    """Extreme eigenvalues of the Lanczos matrix."""
    if lengths.size == 0:
        return np.nan, np.nan
    diagonal = 1 / lengths
    diagonal[1:] += ratios[:-1] / lengths[:-1]
    beside = np.sqrt(ratios[:-1]) / lengths[:-1]
    values = linalg.eigvalsh_tridiagonal(diagonal, beside)
    return float(values[0]), float(values[-1])
