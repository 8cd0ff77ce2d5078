"""How a function of a fit changes when rows, or groups of rows, are left out.

In the coordinates u of :mod:`mcmodels.reweighting.whitened_fit`, f has the gradient a and the
Hessian B at the fit, and leaving out a group g moves the fit by about the Newton step

    u_g = (I - Σ ZᵢᵀLᵢZᵢ)⁻¹ Σ Zᵢᵀsᵢ,   sums over the rows of the group,

which is exact for squared errors. The effect on f is

    first order     aᵀu_g,
    second order    aᵀu_g + u_gᵀ(B - M)u_g/2,   M = Σᵢ Zᵢᵀ Tᵢ[Zᵢa] Zᵢ,

where ``Tᵢ[·]`` is the third derivative of ``wℓ`` along a direction in η. The term with M is the
second-order change of the fit: the next term of its expansion is v with ``v = -D[u_g, u_g]/2``, D
the third derivative of the objective, and ``aᵀD[u, u] = uᵀMu``. So all rows share one matrix, and
no sum over pairs of rows is needed. If the share t of the weight of some rows is removed, the error
of the first order is of the order t², that of the second t³.

Sources: Giordano, Stephenson, Liu, Jordan and Broderick (2019), *A Swiss army infinitesimal
jackknife*, AISTATS; Giordano, Jordan and Broderick (2019), *A higher-order Swiss army infinitesimal
jackknife*, arXiv:1907.12116; for the step with the leverage, Pregibon (1981), *Logistic regression
diagnostics*, Annals of Statistics 9(4), eq. 3.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.reweighting.one_step import group_portions, group_sums, left_out
from mcmodels.reweighting.whitened_fit import PointwiseTerms, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["effects_of_groups", "effects_of_rows", "steps_of_rows", "third_along"]

# A function whose slope along a direction is below this share of its gradient does not change along
# it: the rest is rounding of whitened rows.
_DETERMINED = 1e-8


def effects_of_rows(
    fit: WhitenedFit, slope: Array, bend: Array | None = None, *, given: str | None = None
) -> Array:
    """The effect of leaving out each row, shape (n,); NaN where the others determine no fit.

    Parameters
    ----------
    fit : WhitenedFit
        The fit of all rows.
    slope : ndarray of shape (R,)
        The gradient a of f.
    bend : ndarray of shape (R, R), default=None
        ``B - M``, for the second order.
    given : str, default=None
        That of :func:`steps_of_rows`.
    """

    def effects(block: RowBlock) -> Array:
        terms, factor = steps_of_rows(fit, block, given)
        along = terms.Z @ slope
        lost = np.isnan(factor[:, 0])
        if lost.any():  # a row of leverage one moves nothing but what it alone determines
            size = np.linalg.norm(terms.Z[lost], axis=2) * np.linalg.norm(slope)
            needless = (np.abs(along[lost]) <= _DETERMINED * size).all(axis=1)
            factor[lost] = np.where(needless, 0.0, np.nan)[:, np.newaxis]
        found = np.asarray(np.einsum("ik,ik->i", along, factor))
        if bend is not None:
            steps = np.einsum("ikr,ik->ir", terms.Z, factor)
            found += np.einsum("ir,ir->i", steps @ bend, steps) / 2
        return found

    return fit.rows.map(effects)


def steps_of_rows(
    fit: WhitenedFit, block: RowBlock, given: str | None = None
) -> tuple[PointwiseTerms, Array]:
    """The terms of the rows of a block, and f of each: the step without row i is ``Zᵢᵀfᵢ``.

    Parameters
    ----------
    fit : WhitenedFit
        The fit.
    block : RowBlock
        Some of its rows.
    given : str, default=None
        Name of an extra with other weights of the rows, such as those of rows that the fit has
        left out. Then ``fᵢ = sᵢ``, the derivative by the share of the weight: what all rows,
        in the fit or not, contribute at the fit.
    """
    if given is None:
        terms = fit.terms(block)
        return terms, left_out(terms).factor
    weighted = {**block.extras, "frequency": block.extras[given]}
    terms = fit.terms(replace(block, extras=weighted))
    return terms, terms.slope


def effects_of_groups(
    fit: WhitenedFit,
    n_groups: int,
    slope: Array,
    bend: Array | None = None,
) -> Array:
    """The effect of leaving out each group, shape (n_groups,); NaN as for rows.

    Parameters
    ----------
    fit : WhitenedFit
        The fit of all rows; they have the group of each, 0 to ``n_groups - 1``, as
        ``extras[GROUP]``.
    n_groups : int
        Number of groups.
    slope, bend
        Those of :func:`effects_of_rows`.
    """
    parts = []
    for groups in group_portions(n_groups, fit.basis.size):
        steps = _steps_of_groups(fit, groups, slope)
        found = steps @ slope
        if bend is not None:
            found = found + np.einsum("ir,ir->i", steps @ bend, steps) / 2
        parts.append(found)
    return np.concatenate(parts)


def third_along(fit: WhitenedFit, direction: Array) -> Array:
    """M, the third derivative of the objective along a direction in u, shape (R, R)."""

    def summarise(block: RowBlock) -> Array:
        eta = block.linear_predictor(fit.params)
        Z = fit.basis.rows_of(block)
        b, K, R = Z.shape
        along = fit.shape_of_eta(Z @ direction)
        w = weights_of(block)
        total = np.zeros((R, R))
        for k in range(K):
            unit = np.zeros((b, K))
            unit[:, k] = w
            bent = fit.loss.third_product(block.y, eta, along, fit.shape_of_eta(unit))
            total += Z[:, k].T @ np.einsum("ik,ikr->ir", bent.reshape(b, K), Z)
        return total

    found = fit.rows.reduce(summarise)
    return (found + found.T) / 2


def _steps_of_groups(fit: WhitenedFit, groups: Codes, slope: Array) -> Array:
    """The steps u of some groups, shape (m, R).

    Where the others determine not all, as where a group has an indicator of its own, u is the
    shortest step; NaN where f changes along what they do not determine.
    """
    R = fit.basis.size
    sums = fit.rows.reduce(functools.partial(group_sums, fit, groups=groups))
    left = np.eye(R) - sums[:, :, :R]
    left = (left + left.transpose(0, 2, 1)) / 2
    lost = ~(np.linalg.eigvalsh(left).min(axis=1, initial=1.0) > SMALLEST_REST)
    inverse_of_lost = [_pseudoinverse(part, slope) for part in left[lost]]
    left[lost] = np.eye(R)
    steps = np.linalg.solve(left, sums[:, :, R:])[:, :, 0]
    for place, inverse in zip(np.flatnonzero(lost), inverse_of_lost, strict=True):
        steps[place] = inverse @ sums[place, :, R]
    return np.asarray(steps)


def _pseudoinverse(left: Array, slope: Array) -> Array:
    """That of a semidefinite matrix; NaN where it is none, or f changes along its null space."""
    values, vectors = np.linalg.eigh(left)
    null = values <= SMALLEST_REST
    changes = np.abs(slope @ vectors[:, null]).max(initial=0.0) > _DETERMINED * np.linalg.norm(
        slope
    )
    if changes or values[0] < -SMALLEST_REST:
        return np.full_like(left, np.nan)
    kept = vectors[:, ~null]
    return np.asarray((kept / values[~null]) @ kept.T)
