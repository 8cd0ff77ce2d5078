"""Satterthwaite's degrees of freedom of CR2, and Hotelling's of several restrictions.

Under the working model of :mod:`mcmodels.inference.bias_reduced`, with ``B_g = (I - M_g)^(-1/2)``,
the variance of a combination ``cᵀφ`` is estimated by ``Σ_g (p_gᵀε)²`` with

    ``p_gᵀp_h = [g = h] cᵀB_gM_gB_gc - (M_gB_gc)ᵀ(M_hB_hc)``,
    ``df = (Σ_g p_gᵀp_g)² / Σ_{g,h} (p_gᵀp_h)²``,

twice the squared mean over the variance: Bell and McCaffrey (2002), §4. For several restrictions
the statistic is compared with Hotelling's T², whose degrees of freedom η match the total variance
of the covariance (Pustejovsky and Tipton 2018, §3.2, "HTZ").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.inference.tolerances import NO_VARIANCE

__all__ = ["Satterthwaite"]

_SHOWN = 8


@dataclass(frozen=True, repr=False, eq=False)
class Satterthwaite:
    """Degrees of freedom of linear combinations of the parameters.

    Parameters
    ----------
    root : ndarray of shape (k, q)
        From φ to the k quantities.
    grams, adjustments : ndarray of shape (G, q, q)
        ``M_g`` and ``B_g``.
    """

    root: Array
    grams: Array
    adjustments: Array

    def __repr__(self) -> str:
        found = ", ".join(f"{df:.4g}" for df in self.of_each[:_SHOWN])
        more = ", …" if len(self.root) > _SHOWN else ""
        return f"Satterthwaite's degrees of freedom, {len(self.grams)} clusters: {found}{more}"

    def image(self, jacobian: Array) -> Satterthwaite:
        """Those of functions of the quantities."""
        return Satterthwaite(jacobian @ self.root, self.grams, self.adjustments)

    @property
    def of_each(self) -> Array:
        """Degrees of freedom of each quantity, shape (k,); NaN of one without a variance."""
        # They do not depend on the units of the quantity, whose fourth powers may underflow.
        largest = np.abs(self.root).max(axis=1, keepdims=True, initial=0.0)
        root = np.divide(self.root, largest, out=np.zeros_like(self.root), where=largest > 0)
        U, V = self._projections(root)
        of_own, of_hat = np.einsum("gqk,gqk->gk", U, V), np.einsum("gqk,gqk->gk", V, V)
        mean = (of_own - of_hat).sum(axis=0)
        products = np.einsum("gak,gbk->kab", V, V, optimize=True)
        squares = (of_own**2 - 2 * of_own * of_hat).sum(axis=0)
        squares += np.einsum("kab,kab->k", products, products)
        lengths = np.square(root).sum(axis=1)
        known = mean > NO_VARIANCE * lengths
        return np.divide(mean**2, squares, out=np.full(len(mean), np.nan), where=known)

    def hotelling(self, R: Array) -> float:
        """η of Hotelling's T² for restrictions R of shape (r, k) that are independent."""
        U, V = self._projections(R @ self.root)
        expected = np.einsum("gas,gat->st", U, V) - np.einsum("gas,gat->st", V, V)
        # In units in which the expected covariance of the restrictions is the identity.
        scale = np.sqrt(np.diagonal(expected))
        L = linalg.cholesky(expected / np.outer(scale, scale), lower=True)
        inverse = linalg.solve_triangular(L, np.diag(1.0 / scale), lower=True)
        U, V = U @ inverse.T, V @ inverse.T
        r = len(R)
        own = np.einsum("gas,gat->gst", U, V)
        hat = np.einsum("gas,gat->gst", V, V)
        K = np.einsum("gas,gbt->stab", V, V, optimize=True)
        own_trace, hat_trace = np.einsum("gss->g", own), np.einsum("gss->g", hat)
        # Σ_{s,t} Σ_{g,h} (p_gsᵀp_hs)(p_gtᵀp_ht), and then (p_gsᵀp_ht)(p_gtᵀp_hs).
        same = (own_trace**2 - 2 * own_trace * hat_trace).sum()
        wide = np.moveaxis(V, 1, 2).reshape(len(V), -1)
        same += np.square(wide.T @ wide).sum()
        crossed = (own**2 - 2 * own * hat).sum() + np.einsum("stab,stba->", K, K)
        return float(r * (r + 1) / (same + crossed))

    def _projections(self, C: Array) -> tuple[Array, Array]:
        """``B_g c`` and ``M_g B_g c`` for each row c of C, shape (G, q, k)."""
        U = self.adjustments @ C.T
        return U, self.grams @ U
