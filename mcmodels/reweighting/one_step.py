"""One Newton step from the fit to the fit without a row, for every row at once.

Without row i the gradient of F at the fit is ``-Zᵢᵀsᵢ`` and the Hessian ``I - ZᵢᵀLᵢZᵢ``, where Zᵢ
(K×R) has the rows z of the K outputs, ``s = w ∂ℓ/∂η`` and ``L = w ∂²ℓ/∂η²``. So the step is

    uᵢ = (I - ZᵢᵀLᵢZᵢ)⁻¹ Zᵢᵀsᵢ = Zᵢᵀ fᵢ,   fᵢ = (I - LᵢGᵢ)⁻¹ sᵢ,   Gᵢ = ZᵢZᵢᵀ,

and the linear predictor of the row that is left out is ``ηᵢ + Gᵢfᵢ``. For squared errors it is
exact. Without a group of rows the sums ``Σ ZᵢᵀLᵢZᵢ`` and ``Σ Zᵢᵀsᵢ`` of its rows stand in their
places. Sources: Pregibon (1981), *Logistic regression diagnostics*, Annals of Statistics 9(4), eq.
3; Rad and Maleki (2020), *A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation*, JRSS B 82(4), theorem 1.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.reweighting.row_parts import sums_by_group
from mcmodels.reweighting.whitened_fit import GROUP, PointwiseTerms, WhitenedFit
from mcmodels.rows import RowBlock

__all__ = [
    "LeftOut",
    "group_portions",
    "group_sums",
    "left_out",
    "left_out_groups",
    "rests",
    "solved",
]

Flags = npt.NDArray[np.bool_]
# Entries of the Hessians of groups that are in memory at once (32 MB).
_MOST_ENTRIES = 2**22


class LeftOut(NamedTuple):
    """Steps to the fits without each of some rows.

    Parameters
    ----------
    factor : ndarray of shape (b, K)
        f: the step of row i is ``Zᵢᵀfᵢ``. NaN where the Hessian without the row is singular.
    eta : ndarray of shape (b, K)
        Linear predictors of the rows by the fits without them.
    """

    factor: Array
    eta: Array


def left_out(terms: PointwiseTerms) -> LeftOut:
    """One Newton step for every row."""
    if terms.Z.shape[1] == 1:
        Z = terms.Z[:, 0]
        G = np.einsum("ir,ir->i", Z, Z)[:, np.newaxis]
        rest = 1.0 - terms.curvature[:, 0] * G
        defined = rest > SMALLEST_REST
        factor = np.where(defined, terms.slope / np.where(defined, rest, 1.0), np.nan)
        return LeftOut(factor, terms.eta + G * factor)
    G = np.einsum("ikr,ijr->ikj", terms.Z, terms.Z)
    left, defined = rests(terms, G)
    factor = np.asarray(np.linalg.solve(left, terms.slope[..., np.newaxis]))[..., 0]
    factor[~defined] = np.nan
    return LeftOut(factor, terms.eta + np.einsum("ikj,ij->ik", G, factor))


def rests(terms: PointwiseTerms, G: Array) -> tuple[Array, Flags]:
    """``I - LG`` of each row, and whether what is left of the Hessian is positive definite.

    Where it is not, the matrix is the identity.
    """
    left = np.eye(G.shape[1]) - terms.curvature @ G
    # The eigenvalues of I - LG are those of a symmetric matrix; the least may be zero.
    defined: Flags = np.asarray(np.linalg.eigvals(left).real.min(axis=1) > SMALLEST_REST)
    left[~defined] = np.eye(G.shape[1])
    return left, defined


def left_out_groups(fit: WhitenedFit, count: int) -> Array:
    """One Newton step to the fit without each group; shape (count, R).

    NaN where the Hessian without the group is singular. The groups are 0, …, count - 1. There is
    one pass over the rows for each portion of the groups whose Hessians have room.
    """
    R = fit.basis.size
    found = np.empty((count, R))
    for groups in group_portions(count, R):
        sums = fit.rows.reduce(functools.partial(group_sums, fit, groups=groups))
        found[groups] = solved(sums[:, :, :R], sums[:, :, R])
    return found


def group_portions(count: int, R: int) -> list[Codes]:
    """Portions of the groups whose Hessians have room."""
    step = max(_MOST_ENTRIES // (R * (R + 1)), 1)
    return [np.arange(start, min(start + step, count)) for start in range(0, count, step)]


def group_sums(fit: WhitenedFit, block: RowBlock, groups: Codes) -> Array:
    """``Σ ZᵢᵀLᵢZᵢ`` and, as a last column, ``Σ Zᵢᵀsᵢ`` of each group; shape (m, R, R + 1).

    The numbers of the groups are ascending.
    """
    R = fit.basis.size
    terms = fit.terms(block)

    def values(rows: Codes) -> Array:
        Z = terms.Z[rows]
        LZ = terms.curvature[rows] @ Z
        joined = np.concatenate([LZ, terms.slope[rows][..., np.newaxis]], axis=2)
        return (Z.transpose(0, 2, 1) @ joined).reshape(len(rows), -1)

    found = sums_by_group(block.extras[GROUP], groups, R * (R + 1), values)
    return found.reshape(len(groups), R, R + 1)


def solved(removed: Array, gradient: Array) -> Array:
    """``(I - removed)⁻¹ gradient`` of each group; NaN where that is not positive definite."""
    R = removed.shape[1]
    hessians = np.eye(R) - (removed + removed.transpose(0, 2, 1)) / 2.0
    least = np.linalg.eigvalsh(hessians)[:, 0] if R else np.ones(len(hessians))
    defined: Flags = np.asarray(least > SMALLEST_REST)
    hessians[~defined] = np.eye(R)
    found: Array = np.asarray(np.linalg.solve(hessians, gradient[..., np.newaxis]))[..., 0]
    found[~defined] = np.nan
    return found
