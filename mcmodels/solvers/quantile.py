"""Exact quantile regression: an interior-point method, finished at a vertex that its dual proves.

With rows ``xᵢ`` of the design matrix and ``ρ(r) = max(τr, (τ - 1)r)`` the problem and its dual are

    min Σ wᵢ ρ(yᵢ - xᵢᵀθ)   and   max Σ wᵢ aᵢ yᵢ   over   Σ wᵢ aᵢ xᵢ = 0,  τ - 1 ≤ aᵢ ≤ τ.

Weights multiply rows and targets, since ρ is homogeneous. The Frisch-Newton method of Portnoy and
Koenker solves the dual. A vertex is a θ at which P independent rows have residual zero; there the
dual of the other rows is τ or τ - 1, and that of the P rows is the solution of P equations. If it
lies in the box, the vertex is optimal. Else an edge leads down, as in Barrodale and Roberts.

Columns are whitened first: ``Z = X T`` has orthonormal columns when rows are multiplied by ``√wᵢ``,
and T as many columns as X has independent ones, so that dependent columns have the shortest
coefficients.

Sources: Portnoy and Koenker (1997), *The Gaussian hare and the Laplacian tortoise*, Statistical
Science 12(4); Barrodale and Roberts (1973), *An improved algorithm for discrete l1 linear
approximation*, SIAM J. Numer. Anal. 10(5); Koenker (2005), *Quantile Regression*, §6.2 to §6.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from mcmodels.arrays import Array
from mcmodels.objectives.pinball import pinball
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.frisch_newton import interior_dual
from mcmodels.solvers.pseudoinverse import RowSpace, entry_noise, from_factor, rank_tolerance
from mcmodels.solvers.quantile_vertex import Vertex, first_basis, proved_vertex
from mcmodels.solvers.solution import Solution, Status

__all__ = ["QuantileOptimum", "fit_quantile"]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class QuantileOptimum:
    """The vertex at which a fit has ended, and the rows of positive weight in its coordinates.

    Parameters
    ----------
    params : ndarray of shape (P,)
        Parameters, the intercept last where there is one.
    objective, bound : float
        The objective, and the value of a feasible point of the dual, which no objective is below.
    has_others : bool
        Whether another minimiser was found.
    root : ndarray of shape (P, k)
        T.
    whitened : ndarray of shape (n, k)
        Z.
    y, weights, residuals : ndarray of shape (n,)
        Targets, weights and residuals. Residuals are zero where they are rounding errors.
    row_space : RowSpace or None
        The span of the rows about ``row_centre``, where columns depend on each other.
    row_centre : ndarray of shape (p,), or None
        The mean of the rows; None without an intercept.
    """

    params: Array
    objective: float
    bound: float
    has_others: bool
    root: Array
    whitened: Array
    y: Array
    weights: Array
    residuals: Array
    row_space: RowSpace | None
    row_centre: Array | None


def fit_quantile(rows: Rows, quantile: float) -> Solution[QuantileOptimum]:
    """The least weighted sum of pinball losses, and a vertex at which it is taken.

    Parameters
    ----------
    rows : Rows
        Rows with targets of shape (n,).
    quantile : float
        τ, in (0, 1).

    Returns
    -------
    Solution
        RANK_DEFICIENT where columns depend on others, NOT_CONVERGED where the vertex was not
        proved optimal. Among several minimisers the choice does not depend on the order of rows.

    Raises
    ------
    ValueError
        If numbers overflow.
    """
    X, y, weights = _gathered(rows)
    order = _canonical_order(X, y, weights)
    X, y, weights = X[order], y[order], weights[order]
    # Powers of two round nothing.
    height, heaviest = _power_of_two(np.abs(y).max()), _power_of_two(weights.max())
    b, w = y / height, weights / heaviest
    with np.errstate(over="ignore", invalid="ignore"):
        white = _Whitened.of(rows, X, w, heaviest)
        A = white.Z * w[:, np.newaxis]
        if A.shape[1]:
            basis, steps = np.arange(len(b)), 0
            if len(b) > A.shape[1]:
                dual, steps = interior_dual(A, b * w, quantile)
                basis = first_basis(A, dual)
            vertex, pivots = proved_vertex(A, b * w, quantile, basis)
        else:
            loss = float(pinball(b * w, quantile).sum())
            vertex, steps, pivots = Vertex(np.zeros(0), order[:0], loss, loss, True), 0, 1
        params = white.root @ vertex.params
        residuals = b - white.Z @ vertex.params
        params = _refined(X[vertex.basis], b[vertex.basis], params, white, vertex.basis)
        if rows.intercept and b[0] == b[-1]:  # sorted, so all targets are the same
            params = np.append(np.zeros(X.shape[1]), b[0])
            residuals = np.zeros_like(b)
            vertex.objective = vertex.bound = 0.0
        reach = np.abs(b) + np.abs(white.Z) @ np.abs(vertex.params)
        residuals[np.abs(residuals) <= 8 * (1 + A.shape[1]) * _EPS * reach] = 0.0
        residuals[vertex.basis] = 0.0
        unit = height * heaviest
        optimum = QuantileOptimum(
            params * height,
            vertex.objective * unit,
            vertex.bound * unit,
            vertex.has_others,
            white.root / np.sqrt(heaviest),
            white.Z / np.sqrt(heaviest),
            y,
            weights,
            residuals * height,
            white.row_space,
            white.centre,
        )
    if not np.isfinite([*optimum.params, optimum.objective, *white.root.ravel()]).all():
        raise ValueError(
            "a product of the numbers in X, y and sample_weight overflows float64; divide columns "
            "of X, y or the weights by a power of ten."
        )
    status = Status.CONVERGED if white.row_space is None else Status.RANK_DEFICIENT
    if not vertex.is_proved:
        status = Status.NOT_CONVERGED
    steps += pivots
    return Solution(
        optimum, status, "frisch-newton", steps, white.rank, white.condition, white.dependent
    )


def _gathered(rows: Rows) -> tuple[Array, Array, Array]:
    """The dense rows of positive weight, their targets and weights."""

    def dense(block: RowBlock) -> Array:
        X = block.X.X
        return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)

    X = rows.map(dense)
    if not np.isfinite(X).all():
        raise ValueError("X is not finite.")
    y = rows.map(lambda block: np.asarray(block.y, dtype=np.float64))
    weights = rows.map(lambda block: np.asarray(block.weights_or_ones, dtype=np.float64))
    present = weights > 0
    return (X, y, weights) if present.all() else (X[present], y[present], weights[present])


def _power_of_two(size: float) -> float:
    return float(np.exp2(np.floor(np.log2(size)))) if size > 0 else 1.0


@dataclass(frozen=True)
class _Whitened:
    """The rows in coordinates in which columns are orthonormal."""

    Z: Array
    root: Array
    rank: int
    condition: float
    dependent: tuple[int, ...]
    row_space: RowSpace | None
    centre: Array | None

    @classmethod
    def of(cls, rows: Rows, X: Array, w: Array, heaviest: float) -> _Whitened:
        """From the rows of positive weight; weights are ``w`` times ``heaviest``."""
        total = float(w.sum())
        centre = w @ X / total if rows.intercept else np.zeros(X.shape[1])
        centred = X - centre
        # The mean has rounding errors, which the weights of all rows multiply. A column that is no
        # larger does not vary.
        rounding = 4 * _EPS * np.sqrt(total) * np.abs(centre)
        root_w = np.sqrt(w)[:, np.newaxis]
        centred[:, np.abs(centred * root_w).max(axis=0) <= rounding] = 0.0
        largest = np.abs(centred).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        R: Array = np.asarray(np.linalg.qr(centred / unit * root_w, mode="r"))
        lengths = np.linalg.norm(R, axis=0)
        noise = entry_noise(rows, lengths * unit * np.sqrt(heaviest), centre)
        noise = np.maximum(noise, rounding / unit / np.where(lengths > 0, lengths, np.inf))
        found = from_factor(R * unit, lengths * unit, rank_tolerance(rows), noise)
        Z, root = centred @ found.root, found.root
        if rows.intercept:
            Z = np.column_stack([Z, np.full(len(Z), 1.0 / np.sqrt(total))])
            ones = np.append(-centre @ root, 1.0 / np.sqrt(total))
            root = np.vstack([np.column_stack([root, np.zeros(len(root))]), ones])
        return cls(
            Z,
            root,
            found.rank,
            found.condition,
            found.dependent,
            found.row_space,
            centre if rows.intercept else None,
        )


def _refined(
    X: Array, b: Array, params: Array, white: _Whitened, basis: npt.NDArray[np.intp]
) -> Array:
    """Parameters at which these rows are fitted without the rounding errors of T."""
    if not len(b):
        return params
    factor = linalg.lu_factor(white.Z[basis])
    for _ in range(2):
        coef, constant = (params, 0.0) if white.centre is None else (params[:-1], params[-1])
        left = b - X @ coef - constant
        params = params + white.root @ linalg.lu_solve(factor, left)
    return params


def _canonical_order(X: Array, y: Array, weights: Array) -> npt.NDArray[np.intp]:
    """An order of the rows that does not depend on the order in which they are given."""
    order = np.argsort(y, kind="stable")
    if np.any(np.diff(y[order]) == 0):
        order = np.lexsort([weights, *X.T, y])
    return order
