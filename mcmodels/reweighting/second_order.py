"""The second-order correction of Newton steps to fits without rows.

The step u of :mod:`mcmodels.reweighting.one_step` ends where the gradient without the rows is
``½ T₋[u, u]`` and terms of third order, with the third derivatives of F without the rows,

    T₋[u, u] = Σⱼ wⱼ Zⱼᵀ ∂³ℓⱼ[Zⱼu, Zⱼu],

the sum over the rows that are left. So ``u - ½ H₋⁻¹ T₋[u, u]`` has an error of third order. The
tensor of all rows has R³ entries, and is formed once, for ``n·K·R³/2`` products; what each row has
in it is subtracted. Without a row ``H₋⁻¹ = I + Zᵀ(I - LG)⁻¹LZ``. Source: Giordano, Jordan and
Broderick (2019), *A higher-order swiss army infinitesimal jackknife*, arXiv:1907.12116, §3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.reweighting.one_step import LeftOut, group_portions, group_sums, rests, solved
from mcmodels.reweighting.row_parts import portions, sums_by_group, taken
from mcmodels.reweighting.whitened_fit import GROUP, PointwiseTerms, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["Corrected", "ThirdDerivatives", "corrected", "corrected_groups", "products_of_pairs"]


@dataclass(frozen=True)
class ThirdDerivatives:
    """``T[e_r, e_s]`` of all rows, for r ≤ s.

    Parameters
    ----------
    pairs : ndarray of shape (R(R + 1)/2, R)
        The vector of each pair, those of r < s twice.
    """

    pairs: Array

    @classmethod
    def of(cls, fit: WhitenedFit) -> ThirdDerivatives:
        """In one pass over the rows."""
        R = fit.basis.size
        r, s = np.triu_indices(R)

        def summarise(block: RowBlock) -> Array:
            found = np.zeros((len(r), R))
            for rows in portions(block.X.n_rows, fit.basis.n_outputs * max(len(r), 1)):
                part = taken(block, rows)
                found += _pairs_of(fit, part, r, s)
            return found

        pairs = fit.rows.reduce(summarise)
        pairs[r < s] *= 2.0
        return cls(pairs)

    def along(self, U: Array) -> Array:
        """``T[u, u]`` of each row of U, shape (m, R)."""
        R = U.shape[1]
        found = np.empty_like(U)
        for rows in portions(len(U), R * (R + 1) // 2):
            found[rows] = products_of_pairs(U[rows]) @ self.pairs
        return found


def products_of_pairs(Z: Array) -> Array:
    """``zᵣzₛ`` of each row for r ≤ s, shape (b, R(R + 1)/2)."""
    b, R = Z.shape
    found = np.empty((b, R * (R + 1) // 2))
    start = 0
    for r in range(R):
        stop = start + R - r
        np.multiply(Z[:, r:], Z[:, r : r + 1], out=found[:, start:stop])
        start = stop
    return found


def _pairs_of(fit: WhitenedFit, block: RowBlock, r: Codes, s: Codes) -> Array:
    Z, eta = fit.basis.rows_of(block), block.linear_predictor(fit.params)
    b, K, R = Z.shape
    w = weights_of(block)
    if K == 1:
        ones = np.ones(b)
        third = fit.loss.third_product(block.y, eta.reshape(b), ones, ones) * w
        Z = Z[:, 0]
        return products_of_pairs(Z).T @ (Z * third[:, np.newaxis])
    found = np.empty((len(r), R))
    for part in portions(len(r), b * K):
        count = part.stop - part.start
        first, second = (
            Z[:, :, index[part]].transpose(2, 0, 1).reshape(count * b, K) for index in (r, s)
        )
        y = np.tile(block.y, (count,) + (1,) * (np.ndim(block.y) - 1))
        third = fit.loss.third_product(y, np.tile(eta, (count, 1)), first, second)
        weighted = third.reshape(count, b, K) * w[:, np.newaxis]
        found[part] = weighted.reshape(count, b * K) @ Z.reshape(b * K, R)
    return found


@dataclass(frozen=True)
class Corrected:
    """Steps to second order.

    Parameters
    ----------
    steps : ndarray of shape (b, R)
        The steps. NaN where the Hessian without the row is singular.
    eta : ndarray of shape (b, K)
        Linear predictors of the rows by the fits without them.
    """

    steps: Array
    eta: Array


def corrected(
    fit: WhitenedFit, block: RowBlock, terms: PointwiseTerms, first: LeftOut, T: ThirdDerivatives
) -> Corrected:
    """The steps of single rows, with the correction of second order."""
    Z = terms.Z
    b, K, _ = Z.shape
    u = np.einsum("ikr,ik->ir", Z, first.factor)
    change = first.eta - terms.eta
    along = T.along(u) - np.einsum("ikr,ik->ir", Z, _third(fit, block, terms, change))
    projected = np.einsum("ikr,ir->ik", Z, along)
    G = np.einsum("ikr,ijr->ikj", Z, Z)
    if K == 1:
        left = 1.0 - terms.curvature * G
        back = terms.curvature[:, 0] * projected / np.where(left[:, 0] == 0, np.nan, left[:, 0])
    else:
        left, _ = rests(terms, G)
        curved = np.einsum("ikj,ij->ik", terms.curvature, projected)
        back = np.linalg.solve(left, curved[..., np.newaxis])[..., 0]
    correction = -0.5 * (along + np.einsum("ikr,ik->ir", Z, back))
    eta = first.eta + np.einsum("ikr,ir->ik", Z, correction)
    return Corrected(u + correction, eta.reshape(b, K))


def corrected_groups(fit: WhitenedFit, steps: Array, T: ThirdDerivatives) -> Array:
    """The steps of groups of rows, with the correction of second order; shape (m, R)."""
    R = fit.basis.size
    found = np.empty_like(steps)
    for groups in group_portions(len(steps), R):

        def summarise(block: RowBlock, groups: Codes = groups) -> Array:
            curvature = group_sums(fit, block, groups)[:, :, :R]
            terms = fit.terms(block)
            code = block.extras[GROUP]

            def values(rows: Codes) -> Array:
                Z = terms.Z[rows]
                change = np.einsum("ikr,ir->ik", Z, steps[code[rows]])
                some = PointwiseTerms(Z, terms.eta[rows], terms.slope[rows], terms.curvature[rows])
                return np.einsum("ikr,ik->ir", Z, _third(fit, taken(block, rows), some, change))

            own = sums_by_group(code, groups, R, values)
            return np.concatenate([curvature, own[..., np.newaxis]], axis=2)

        sums = fit.rows.reduce(summarise)
        along = T.along(steps[groups]) - sums[:, :, R]
        known = np.asarray(np.isfinite(along).all(axis=1))
        correction = solved(sums[:, :, :R], np.where(known[:, np.newaxis], along, 0.0))
        found[groups] = steps[groups] - 0.5 * correction
    return found


def _third(fit: WhitenedFit, block: RowBlock, terms: PointwiseTerms, change: Array) -> Array:
    """``w ∂³ℓ[change, change]`` of each row, shape (b, K)."""
    eta, direction = fit.shape_of_eta(terms.eta), fit.shape_of_eta(change)
    third = fit.loss.third_product(block.y, eta, direction, direction)
    return (third.T * weights_of(block)).T.reshape(terms.eta.shape)
