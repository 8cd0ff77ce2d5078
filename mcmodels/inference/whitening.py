"""Rows in the coordinates in which their information matrix is the identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.rows import RowBlock
from mcmodels.rows.blocks import product
from mcmodels.rows.covariance import centred_near
from mcmodels.solvers.least_squares import LeastSquares

__all__ = ["Whitening"]


@dataclass(frozen=True)
class Whitening:
    """``z = Tᵀx̃`` with ``TTᵀ = (Σ wᵢ dᵢ x̃ᵢx̃ᵢᵀ)⁻¹``, so that ``Σ wᵢ dᵢ zᵢzᵢᵀ = I``.

    Leverages are the squared lengths of z. Products in these coordinates lose no digits if columns
    lie far from zero or are nearly dependent.

    Parameters
    ----------
    root : ndarray of shape (p, r)
        Maps the features minus ``mean`` to z.
    mean : ndarray of shape (p,)
        The centre of the features.
    constant : float or None
        The last entry of z; None without an intercept.
    estimable : EstimableSpace, default=None
        Where columns are dependent: which functions of the parameters are determined.
    """

    root: Array
    mean: Array
    constant: float | None
    estimable: EstimableSpace | None = None

    @classmethod
    def of_least_squares(
        cls, fit: LeastSquares, estimable: EstimableSpace | None = None
    ) -> Whitening:
        """From a least-squares fit: ``d = 1``; a pseudoinverse if columns are dependent."""
        moments = fit.moments
        intercept = fit.params.shape[1] > moments.n_features
        constant = moments.weight**-0.5 if intercept else None
        return cls(fit.inverse.root, moments.x_mean, constant, estimable)

    @property
    def n_params(self) -> int:
        """Number of parameters that the rows determine: that of the entries of z."""
        return self.root.shape[1] + (self.constant is not None)

    def without_errors(self, block: RowBlock) -> npt.NDArray[np.bool_] | None:
        """Which rows have a linear predictor that is not determined; None if there are none."""
        if self.estimable is None:
            return None
        lost = ~self.estimable.contains(block)
        return lost if lost.any() else None

    @property
    def matrix(self) -> Array:
        """T, shape (P, number of entries of z)."""
        return self.matrix_about(np.zeros(len(self.mean)))

    def matrix_about(self, centre: Array) -> Array:
        """T of coefficients and of the linear predictor at ``centre``, which is the intercept's."""
        if self.constant is None:
            return self.root
        p, r = self.root.shape
        T = np.zeros((p + 1, r + 1))
        T[:p, :r] = self.root
        T[p, :r] = (centre - self.mean) @ self.root
        T[p, r] = self.constant
        return T

    def of(self, block: RowBlock) -> Array:
        """The rows z of a block, shape (n_rows, number of entries of z)."""
        Z = self.of_features(block)
        if self.constant is None:
            return Z
        return np.column_stack([Z, np.full(len(Z), self.constant)])

    def of_features(self, block: RowBlock) -> Array:
        """The rows z without their last entry, which is the constant."""
        X, offset = centred_near(block.X, self.mean)
        Z = np.asarray(product(X.X, self.root))
        if offset.any():
            Z -= offset @ self.root
        return Z
