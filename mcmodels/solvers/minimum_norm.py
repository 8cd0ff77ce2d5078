"""Extra-precise iterative refinement of the shortest coefficients that fit every row exactly.

With fewer independent rows than columns, β is the shortest solution of ``Xβ = y``: ``β = Xᵀz`` with
multipliers z. Both equations are refined together, with residuals ``g = y - Xβ`` and
``f = Xᵀz - β`` in twice the working precision, and corrections from one QR factorisation
``Xᵀ = QR``. Each step multiplies the error by about ε times the condition of X. Source: Björck
(1996), *Numerical Methods for Least Squares Problems*, §2.9.2 (the augmented system), with the
problem of minimum norm in §1.1.4.

With an intercept the rows are about the mean, and 1ᵀz = 0. An orthonormal basis H of such vectors
turns the n equations into n - 1.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.refinement import MAX_STEPS, Refined
from mcmodels.solvers.tolerances import FLOAT64_EPSILON


def refine_shortest(rows: Rows, coef: Array, mean: DoubleDouble) -> Refined:
    """Refine the shortest ``coef`` with ``(xᵢ - x̄)ᵀβ = yᵢ - ȳ`` in every row.

    Parameters
    ----------
    rows : Rows
        Rows with p features and targets (n, m), as many as the rank (one more with an intercept).
    coef : ndarray of shape (p, m)
        A solution with at least one correct digit.
    mean : DoubleDouble of shape (p + m,)
        x̄ and ȳ, to the rounding of their deviations; zeros without an intercept.

    Returns
    -------
    Refined
    """
    blocks: list[_Block] = rows.reduce(lambda block: [_Block(block)])
    centred = _Centred(blocks, mean, len(coef), intercept=rows.intercept)
    Q, R = linalg.qr(centred.basis_rows().T, mode="economic", check_finite=False)
    beta = DoubleDouble.of(coef)
    z = DoubleDouble.of(np.zeros((centred.n_rows, coef.shape[1])))
    previous, step = np.inf, 0
    while True:
        g, mean_residual = centred.residuals(beta)
        f = (centred.adjoint(z) + -beta).hi
        scatter = centred.scatter(g)
        reached = Refined(beta, mean_residual, scatter, step)
        along = linalg.solve_triangular(R, centred.into_basis(g), trans="T", check_finite=False)
        inside = Q.T @ f
        correction = f + Q @ (along - inside)
        size = _relative_size(correction, beta.hi)
        if not size < previous / 2 or step == MAX_STEPS:
            return reached
        beta = beta + DoubleDouble.of(correction)
        if size <= FLOAT64_EPSILON / 2:
            return Refined(beta, mean_residual, scatter, step + 1)
        dz = linalg.solve_triangular(R, along - inside, check_finite=False)
        z = centred.multipliers(z + DoubleDouble.of(centred.out_of_basis(dz)))
        # The first step is the one that finds z; its size says nothing of the next.
        previous, step = (size if step else np.inf), step + 1


class _Block:
    """A block of rows, kept after the walk."""

    def __init__(self, block: RowBlock) -> None:
        self.X = np.array(block.X.dense())
        self.y = np.array(block.y, dtype=np.float64)
        self.weights = block.weights_or_ones.copy()


class _Centred:
    """The rows about a mean, one block after another in double-double; and the basis H."""

    def __init__(
        self, blocks: list[_Block], mean: DoubleDouble, n_features: int, *, intercept: bool
    ) -> None:
        self.blocks, self.intercept = blocks, intercept
        self.x_mean, self.y_mean = mean[:n_features], mean[n_features:]
        self.n_rows = sum(len(block.X) for block in blocks)
        # I - vvᵀ maps 1/√n to the first unit vector: its other rows are orthonormal, and sum to 0.
        self.v = np.full(self.n_rows, 1 / np.sqrt(self.n_rows))
        self.v[0] -= 1.0
        length = np.linalg.norm(self.v)
        self.v *= np.sqrt(2.0) / length if length > 0 else 0.0

    def basis_rows(self) -> Array:
        """``HᵀX``, shape (n - 1, p); X itself without an intercept."""
        return self._reflected(
            np.concatenate([self._about_mean(block).hi for block in self.blocks])
        )

    def into_basis(self, g: Array) -> Array:
        """``Hᵀg``."""
        return self._reflected(g)

    def out_of_basis(self, t: Array) -> Array:
        """``Ht``."""
        if not self.intercept:
            return t
        z = np.concatenate([np.zeros((1, t.shape[1])), t])
        return z - np.outer(self.v, self.v @ z)

    def _reflected(self, values: Array) -> Array:
        if not self.intercept:
            return values
        return (values - np.outer(self.v, self.v @ values))[1:]

    def multipliers(self, z: DoubleDouble) -> DoubleDouble:
        """The multipliers z, with a sum of zero to the last digit if there is an intercept."""
        if not self.intercept:
            return z
        return z + -z.sum(axis=0).times(np.array(1.0 / self.n_rows))[np.newaxis]

    def residuals(self, beta: DoubleDouble) -> tuple[Array, DoubleDouble]:
        """``y - ȳ - (X - x̄)β`` about its mean, and the mean."""
        parts = [self._residuals_of(block, beta) for block in self.blocks]
        g = _stacked(parts)
        if not self.intercept:
            return g.hi, DoubleDouble.of(np.zeros(g.hi.shape[1]))
        mean = g.sum(axis=0).times(np.array(1.0 / self.n_rows))
        return (g + -mean[np.newaxis]).hi, mean

    def adjoint(self, z: DoubleDouble) -> DoubleDouble:
        """``(X - x̄)ᵀz``, shape (p, m)."""
        total = DoubleDouble.of(np.zeros((len(self.x_mean.hi), z.hi.shape[1])))
        start = 0
        for block in self.blocks:
            X, part = self._about_mean(block), z[start : start + len(block.X)]
            sums = [X.times(part[:, [k]]).sum(axis=0) for k in range(part.hi.shape[1])]
            total = total + _columns(sums)
            start += len(block.X)
        return total

    def scatter(self, g: Array) -> Array:
        """``Σ wᵢ gᵢ gᵢᵀ``."""
        weights = np.concatenate([block.weights for block in self.blocks])
        return g.T @ (weights[:, np.newaxis] * g)

    def _about_mean(self, block: _Block) -> DoubleDouble:
        return DoubleDouble.of(block.X) + -self.x_mean

    def _residuals_of(self, block: _Block, beta: DoubleDouble) -> DoubleDouble:
        X, y = self._about_mean(block), DoubleDouble.of(block.y) + -self.y_mean
        targets = range(y.hi.shape[1])
        return _columns([y[:, k] + -X.times(beta[:, k]).sum(axis=1) for k in targets])


def _columns(parts: list[DoubleDouble]) -> DoubleDouble:
    return DoubleDouble(
        np.column_stack([part.hi for part in parts]), np.column_stack([part.lo for part in parts])
    )


def _stacked(parts: list[DoubleDouble]) -> DoubleDouble:
    return DoubleDouble(
        np.concatenate([part.hi for part in parts]), np.concatenate([part.lo for part in parts])
    )


def _relative_size(correction: Array, coef: Array) -> float:
    """The largest length of a column of the correction, relative to that of the coefficients."""
    if not np.isfinite(correction).all():
        return np.inf
    length, change = (np.linalg.norm(a, axis=0) for a in (coef, correction))
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))
