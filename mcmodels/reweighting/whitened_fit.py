"""A fit as a sum over rows, in coordinates u in which it lies at zero and has the identity for H.

With ``θ = θ̂ + Tu``, ``TTᵀ = H⁻¹`` the inverse of the Hessian of the objective at the fit, and
``zᵢ = Tᵀx̃ᵢ``, the objective for weights w of the rows is

    F(u; w) = Σ wᵢ ℓ(yᵢ, ηᵢ + zᵢᵀu) + bᵀu + uᵀAu/2,   b = αTᵀDθ̂,   A = αTᵀDT,

where D is 1 on the diagonal of the coefficients and 0 on that of the intercept. For the weights of
the fit ``∇F(0) = 0`` and ``∇²F(0) = I``. What another set of weights changes is small, and is
computed as a change, so that no digits are lost to large coefficients or to columns far from zero.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.losses import Loss
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import product
from mcmodels.rows.covariance import centred_near

__all__ = ["GROUP", "Basis", "PointwiseTerms", "WhitenedFit", "weights_of"]

# The extra of a block that has the number of the group which each row is left out with.
GROUP = "group"


@dataclass(frozen=True)
class Basis:
    """The map from changes u to changes of parameters and of linear predictors.

    Parameters
    ----------
    root : ndarray of shape (K, P, R)
        T of each output: of the coefficients, and of the linear predictor at ``centre``, which
        takes the place of the intercept.
    centre : ndarray of shape (p,)
        A centre of the features; zeros without an intercept.
    intercept : bool
        Whether there is an intercept.
    """

    root: Array
    centre: Array
    intercept: bool

    @property
    def n_outputs(self) -> int:
        """K."""
        return self.root.shape[0]

    @property
    def size(self) -> int:
        """R, the number of entries of u."""
        return self.root.shape[2]

    def rows_of(self, block: RowBlock) -> Array:
        """The rows z of a block, one for each output; shape (b, K, R)."""
        K, P, R = self.root.shape
        columns = self.root.transpose(1, 0, 2).reshape(P, K * R)
        return self._times(block, columns).reshape(-1, K, R)

    def changes(self, block: RowBlock, U: Array) -> Array:
        """Changes of the linear predictors by changes U of shape (R, m); shape (b, K, m)."""
        K, P, R = self.root.shape
        columns = (self.root.reshape(K * P, R) @ U).reshape(K, P, -1).transpose(1, 0, 2)
        return self._times(block, columns.reshape(P, -1)).reshape(-1, K, U.shape[1])

    def adjoint(self, block: RowBlock, slopes: Array) -> Array:
        """``Σᵢ Σₖ zᵢₖ sᵢₖ`` for each column of slopes of shape (b, K, m); shape (R, m)."""
        b, K, m = slopes.shape
        flat = slopes.reshape(b, K * m)
        X, offset = centred_near(block.X, self.centre)
        features = np.asarray(product(X.X.T, flat))
        totals = flat.sum(axis=0)
        if offset.any():
            features -= np.outer(offset, totals)
        if self.intercept:
            features = np.vstack([features, totals])
        sums = features.reshape(-1, K, m)
        return np.einsum("kpr,pkm->rm", self.root, sums, optimize=True)

    def parameters(self, U: Array) -> Array:
        """Changes of the parameters by changes U of shape (R, m); shape (m, K, P)."""
        found = np.einsum("kpr,rm->mkp", self.root, U, optimize=True)
        if self.intercept:
            found[..., -1] -= found[..., :-1] @ self.centre
        return found

    def _times(self, block: RowBlock, columns: Array) -> Array:
        """Centred design rows times columns of shape (P, q)."""
        X, offset = centred_near(block.X, self.centre)
        coef = columns[:-1] if self.intercept else columns
        found = np.asarray(product(X.X, np.ascontiguousarray(coef)))
        if offset.any():
            found -= offset @ coef
        if self.intercept:
            found += columns[-1]
        return found


@dataclass(frozen=True)
class PointwiseTerms:
    """The terms of some rows at the fit.

    Parameters
    ----------
    Z : ndarray of shape (b, K, R)
        The rows z.
    eta : ndarray of shape (b, K)
        Linear predictors.
    slope : ndarray of shape (b, K)
        ``w ∂ℓ/∂η``.
    curvature : ndarray of shape (b, K, K)
        ``w ∂²ℓ/∂η²``.
    """

    Z: Array
    eta: Array
    slope: Array
    curvature: Array


@dataclass(frozen=True)
class WhitenedFit:
    """A fit as F(u; w); see the formulas of the module.

    Parameters
    ----------
    rows : Rows
        Those of the fit with y and offsets, but without weights, so that rows of weight 0 are
        there, too. The weights of the fit, where it had any, are ``extras["frequency"]``.
    loss : Loss
        ℓ, such that the objective of the fit is ``Σ wℓ`` and the penalty.
    params : ndarray of shape (P,) or (K, P)
        θ̂.
    basis : Basis
        T.
    penalty : float or ndarray of shape (p,)
        α, of all coefficients or of each.
    """

    rows: Rows
    loss: Loss
    params: Array
    basis: Basis
    penalty: Any = 0.0

    @functools.cached_property
    def linear(self) -> Array:
        """``b = αTᵀDθ̂``, shape (R,)."""
        coef = np.atleast_2d(self.params)[:, : len(self.basis.centre)]
        return np.einsum("kpr,kp->r", self._coefficient_root, self.penalty * coef)

    @functools.cached_property
    def quadratic(self) -> Array:
        """``A = αTᵀDT``, shape (R, R)."""
        T = self._coefficient_root
        weight = np.broadcast_to(self.penalty, T.shape[1:2])
        flat = (T * np.sqrt(weight)[:, np.newaxis]).reshape(-1, T.shape[2])
        return flat.T @ flat

    @property
    def _coefficient_root(self) -> Array:
        return self.basis.root[:, : len(self.basis.centre)]

    def terms(self, block: RowBlock) -> PointwiseTerms:
        """The terms of the rows of a block."""
        eta = block.linear_predictor(self.params)
        pointwise = self.loss.at(block.y, eta)
        b, K = len(eta), self.basis.n_outputs
        w = weights_of(block)
        curvature = np.zeros((b, K, K))
        slope = (pointwise.gradient.T * w).T.reshape(b, K)
        for pairs, sign, magnitude in pointwise.curvature():
            for k, j in pairs:
                curvature[:, k, j] += sign * w * magnitude
                if k != j:
                    curvature[:, j, k] += sign * w * magnitude
        return PointwiseTerms(self.basis.rows_of(block), eta.reshape(b, K), slope, curvature)

    def shape_of_eta(self, eta: Array) -> Array:
        """Linear predictors (b, K) in the shape that the loss takes."""
        return eta[:, 0] if self.params.ndim == 1 else eta


def weights_of(block: RowBlock) -> Array:
    """The weights that rows have in the fit; ones where it had none."""
    return np.broadcast_to(block.extras.get("frequency", 1.0), block.X.n_rows)
