"""Hessians without some groups of rows, ``I - Σ ZᵢᵀLᵢZᵢ``, and their inverses times vectors.

They are matrices where these have room. Where a group has few rows beside the R parameters, its own
rows are enough: ``(I - ZᵀLZ)⁻¹ = I + Zᵀ(I - LG)⁻¹LZ`` with ``G = ZZᵀ`` (Golub and Van Loan 2013,
*Matrix Computations*, 4th ed., §2.1.4).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes
from mcmodels.reweighting.one_step import group_sums
from mcmodels.reweighting.row_parts import taken
from mcmodels.reweighting.whitened_fit import GROUP, WhitenedFit
from mcmodels.rows import RowBlock

__all__ = ["HessiansWithout", "hessians_without", "is_low_rank"]

# From so many parameters on the rows of a group are looked at; they must be a share of these.
_MANY_PARAMETERS, _FEW_ROWS = 64, 0.25
_EPSILON = float(np.finfo(np.float64).eps)


class HessiansWithout(ABC):
    """Inverse Hessians without each of some groups.

    Attributes
    ----------
    positive : ndarray of shape (m,), bool
        Which are positive definite.
    """

    positive: npt.NDArray[np.bool_]

    @abstractmethod
    def solve(self, at: Codes, vectors: Array) -> Array:
        """The inverses of some of them times a vector each; shape (R, number)."""


class _Formed(HessiansWithout):
    def __init__(self, fit: WhitenedFit, groups: Codes) -> None:
        removed = fit.rows.reduce(lambda block: _removed(fit, block, groups))
        R = fit.basis.size
        hessians = np.eye(R) - removed
        # Eigenvalues that are not positive: without these rows a direction has no curvature.
        self.positive = np.asarray(np.linalg.eigvalsh(hessians)[:, 0] > _EPSILON * R)
        self._inverses = np.zeros_like(hessians)
        self._inverses[self.positive] = np.linalg.inv(hessians[self.positive])

    def solve(self, at: Codes, vectors: Array) -> Array:
        return np.einsum("mrs,sm->rm", self._inverses[at], vectors)


class _OfRows(HessiansWithout):
    def __init__(self, fit: WhitenedFit, groups: Codes) -> None:
        found = fit.rows.reduce(lambda block: _members(fit, block, groups))
        code = np.concatenate([part.code for part in found])
        Z = np.concatenate([part.Z for part in found])
        L = np.concatenate([part.L for part in found])
        K, R = fit.basis.n_outputs, fit.basis.size
        self.positive = np.ones(len(groups), dtype=bool)
        self._rows: list[tuple[Array, Array]] = []
        for k, group in enumerate(groups):
            mine = code == group
            rows, curved = Z[mine].reshape(-1, R), (L[mine] @ Z[mine]).reshape(-1, R)
            left = np.eye(len(rows)) - curved @ rows.T
            least = np.linalg.eigvals(left).real.min(initial=1.0)
            self.positive[k] = least > _EPSILON * max(len(rows), K)
            back = np.asarray(np.linalg.solve(left, curved)) if self.positive[k] else curved
            self._rows.append((rows, back))

    def solve(self, at: Codes, vectors: Array) -> Array:
        found = vectors.copy()
        for column, k in enumerate(at):
            rows, back = self._rows[k]
            found[:, column] += rows.T @ (back @ vectors[:, column])
        return found


def is_low_rank(R: int, rows_of_group: float) -> bool:
    """Whether the rows of the groups are fewer than the parameters by far."""
    return R >= _MANY_PARAMETERS and rows_of_group <= _FEW_ROWS * R


def hessians_without(fit: WhitenedFit, groups: Codes, *, low_rank: bool) -> HessiansWithout:
    """The Hessians without each of some groups; ``low_rank`` takes the rows of the groups."""
    return (_OfRows if low_rank else _Formed)(fit, groups)


def _removed(fit: WhitenedFit, block: RowBlock, groups: Codes) -> Array:
    """``Σ ZᵢᵀLᵢZᵢ`` of the rows of each group, shape (m, R, R)."""
    R = fit.basis.size
    order = np.argsort(groups)
    found = np.empty((len(groups), R, R))
    found[order] = group_sums(fit, block, groups[order])[:, :, :R]
    return found


class _Members(NamedTuple):
    code: Codes
    Z: Array
    L: Array


def _members(fit: WhitenedFit, block: RowBlock, groups: Codes) -> list[_Members]:
    """The rows of the groups in a block."""
    code = block.extras[GROUP]
    rows = np.nonzero(np.isin(code, groups))[0]
    if not rows.size:
        K, R = fit.basis.n_outputs, fit.basis.size
        return [_Members(code[rows], np.empty((0, K, R)), np.empty((0, K, K)))]
    terms = fit.terms(taken(block, rows))
    return [_Members(code[rows], terms.Z, terms.curvature)]
