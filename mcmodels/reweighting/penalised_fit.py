"""A penalised fit as criteria of its penalty see it: the Hessian, its root, and groups of columns.

The penalty is ``A/2``, of each group k of columns ``αₖ Σⱼ coefⱼ²/2``. The intercept is in no group.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.rows import Derivatives
from mcmodels.rows.blocks import Design, product
from mcmodels.rows.unlocked import times_triangle
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.fit_state import Placed, Progress

__all__ = [
    "Groups",
    "PenalisedFit",
    "Values",
    "block_forms",
    "quadratic_forms",
    "signed_products",
    "squared_lengths",
    "upper_root",
]

# ``values(y, η)``: the loss of each row, with the constants that a criterion is stated with.
Values = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Groups:
    """Which penalty each column has.

    Parameters
    ----------
    of_column : ndarray of shape (p,)
        Position of the group of each column.
    count : int
        Number of groups.
    """

    of_column: npt.NDArray[np.intp]
    count: int

    @classmethod
    def single(cls, n_features: int) -> Groups:
        """One group of all columns."""
        return cls(np.zeros(n_features, dtype=np.intp), 1)

    def penalty(self, alphas: Array, *, intercept: bool) -> Penalty:
        """The penalty as an objective takes it: a number for one group."""
        if self.count == 1:
            return float(alphas[0])
        of_columns = alphas[self.of_column]
        return np.append(of_columns, 0.0) if intercept else of_columns

    def sums(self, values: Array) -> Array:
        """Sums over the columns of each group; values have shape (p,) or (P,)."""
        columns = values[: len(self.of_column)]
        return np.bincount(self.of_column, columns, self.count).astype(np.float64)

    def sizes(self) -> Array:
        """Number of columns of each group."""
        return self.sums(np.ones(len(self.of_column)))


@dataclass(frozen=True)
class PenalisedFit:
    """The minimum of a penalised objective, in the coordinates of the fit.

    Parameters
    ----------
    objective : LinearPredictorObjective
        Loss, rows and penalty.
    groups : Groups
        Which penalty each column has.
    params : ndarray of shape (P,) or (K, P)
        The minimum.
    value : float
        The least value, penalty included.
    hessian : ndarray of shape (KP, KP)
        The Hessian there, penalty included.
    """

    objective: LinearPredictorObjective
    groups: Groups
    params: Array
    value: float
    hessian: Array

    @classmethod
    def of(cls, objective: LinearPredictorObjective, groups: Groups, last: Progress) -> Self:
        """The fit at the last state of :func:`mcmodels.solvers.irls.fit`."""
        inner, state = Placed(objective, last.coordinates).inner, last.iterate
        if state is None or not isinstance(state.derivatives, Derivatives):
            raise ValueError("the Hessian at the minimum is not known")
        if last.coordinates.root is not None:
            groups = Groups.single(inner.rows.n_features)
        found = state.derivatives
        return cls(inner, groups, state.params, found.value, found.hessian)

    @property
    def n_outputs(self) -> int:
        """K."""
        return 1 if self.params.ndim == 1 else len(self.params)

    @functools.cached_property
    def alphas(self) -> Array:
        """``αₖ`` of each group."""
        penalty = self.objective.penalty
        if not isinstance(penalty, np.ndarray):
            return np.array([float(penalty)])
        found = np.empty(self.groups.count)
        found[self.groups.of_column] = penalty[: len(self.groups.of_column)]
        return found

    @functools.cached_property
    def penalised(self) -> Array:
        """The diagonal of A over the raveled parameters."""
        return self.diagonal_of(self.alphas)

    def diagonal_of(self, alphas: Array) -> Array:
        """The same of other penalties of the groups."""
        of_columns = alphas[self.groups.of_column]
        row = np.append(of_columns, 0.0) if self.objective.rows.intercept else of_columns
        return np.tile(row, self.n_outputs)

    def predicted(self, alphas: Array) -> Array:
        """The minimum at penalties B of quadratic losses: ``θ - (H_loss + B)⁻¹(B - A)θ``."""
        change = self.diagonal_of(alphas) - self.penalised
        H = self.shifted_hessian.copy()
        np.einsum("ii->i", H)[:] += change
        _, moves, info = linalg.lapack.dposv(H.T, change * self.params.ravel(), overwrite_a=1)
        return self.params if info != 0 else self.params - moves.reshape(self.params.shape)

    @property
    def half_penalty(self) -> float:
        """``Σ αₖ ‖coef‖²/2``."""
        return half_squares(1.0, np.sqrt(self.penalised) * self.params.ravel())

    @functools.cached_property
    def loss_hessian(self) -> Array:
        """The Hessian without the penalty."""
        found = self.hessian.copy()
        np.einsum("ii->i", found)[:] -= self.penalised
        return found

    @property
    def _shift(self) -> float:
        """Curvature that is added along the shift of all intercepts; zero if there is none."""
        K = self.n_outputs
        if K == 1 or not (self.objective.loss.shift_invariant and self.objective.rows.intercept):
            return 0.0
        P = len(self.hessian) // K
        return float(np.diagonal(self.hessian)[P - 1 :: P].sum()) / K**2

    @functools.cached_property
    def shifted_hessian(self) -> Array:
        """The Hessian with curvature along the shift of the intercepts of all classes.

        Adding a number to all of them changes neither loss nor penalty, and no criterion sees it.
        """
        shift = self._shift
        if shift == 0:
            return self.hessian
        H, P = self.hessian.copy(), len(self.hessian) // self.n_outputs
        H[P - 1 :: P, P - 1 :: P] += shift
        return H

    @functools.cached_property
    def _factor_if_definite(self) -> ScaledCholesky | None:
        H = self.shifted_hessian
        return ScaledCholesky.of(H, np.sqrt(np.clip(np.diagonal(H), 0.0, None)))

    @property
    def is_definite(self) -> bool:
        """Whether the Hessian is positive definite, up to the shift."""
        return self._factor_if_definite is not None

    @property
    def _factor(self) -> ScaledCholesky:
        factor = self._factor_if_definite
        if factor is None:
            raise ValueError("the Hessian is not positive definite")
        return factor

    @functools.cached_property
    def root(self) -> Array:
        """T with ``TTᵀ = H⁻¹``."""
        return self._factor.root

    @functools.cached_property
    def inverse(self) -> Array:
        """``H⁻¹``."""
        return self.root @ self.root.T

    @property
    def log_determinant(self) -> float:
        """``log det H``, without the direction of the shift."""
        factor, shift = self._factor, self._shift
        logs = np.log(np.diagonal(factor.lower)) + np.log(factor.scale)
        added = float(np.log(shift * self.n_outputs)) if shift else 0.0
        return 2.0 * float(logs.sum()) - added

    @property
    def loss_freedom(self) -> float:
        """``tr(H⁻¹ H_loss)``, the effective degrees of freedom."""
        return float(np.einsum("ij,ji->", self.inverse, self.loss_hessian))

    def by_group(self, diagonal: Array) -> Array:
        """Sums over the parameters of each group, of values over the raveled parameters."""
        by_column = diagonal.reshape(self.n_outputs, -1).sum(axis=0)
        return self.groups.sums(by_column)

    def along_penalties(self, slope: Array, weight: Array) -> Array:
        """``dφ/dlog αₖ`` through the minimum and the penalty in the Hessian.

        With ``dθ/dlog αₖ = -H⁻¹ αₖDₖθ`` (implicit function theorem) it is
        ``-(H⁻¹ slope)ᵀαₖDₖθ - tr(weight αₖDₖ)``.

        Parameters
        ----------
        slope : ndarray of shape (KP,)
            Derivative by the parameters, through the curvature too.
        weight : ndarray of shape (KP, KP)
            Minus the derivative by the Hessian.
        """
        solved = self.inverse @ slope
        along = self.penalised * (solved * self.params.ravel() + np.diagonal(weight))
        return -self.by_group(along)


def upper_root(N: Array) -> Array | None:
    """The upper triangular R with ``RRᵀ = N``; None if N is not positive definite."""
    lower, info = linalg.lapack.dpotrf(np.asfortranarray(N[::-1, ::-1]), lower=1, clean=1)
    return None if info != 0 else np.asfortranarray(lower[::-1, ::-1])


def quadratic_forms(X: Design, N: Array, root: Array | None = None) -> Array:
    """``x̃ᵢᵀ N x̃ᵢ`` of each row, for a symmetric N; ``root`` is that of :func:`upper_root`."""
    if root is not None:
        return squared_lengths(X, root)
    XN = X.predictor(np.ascontiguousarray(N))
    features = X.X
    p = features.shape[1]
    if isinstance(features, np.ndarray):
        found = np.einsum("ij,ij->i", XN[:, :p], features)
    else:
        found = np.asarray(features.multiply(XN[:, :p]).sum(axis=1)).ravel()
    return found + XN[:, p] if X.intercept else found


def signed_products(X: Design, weights: Array) -> Array:
    """``X̃ᵀ diag(weights) X̃`` for weights of any sign."""
    found = X.sandwich(np.maximum(weights, 0.0)).matrix()
    if weights.min(initial=0.0) < 0:
        found -= X.sandwich(np.maximum(-weights, 0.0)).matrix()
    return found


def squared_lengths(X: Design, root: Array) -> Array:
    """``|Tᵀx̃ᵢ|²`` of each row, for an upper triangular T."""
    features = X.X
    if isinstance(features, np.ndarray) and features.dtype == np.float64 and features.size:
        p = features.shape[1]
        by_row = X.scratch.array("triangular", features.shape)
        np.copyto(by_row, features)
        times_triangle(by_row, np.asfortranarray(root[:p, :p]))
        squares: Array = np.einsum("ij,ij->i", by_row, by_row)
        if X.intercept:
            squares += (product(features, np.ascontiguousarray(root[:p, p])) + root[p, p]) ** 2
        return squares
    Z = X.predictor(np.ascontiguousarray(root.T), own=False)
    found: Array = np.einsum("ij,ij->i", Z, Z)
    return found


def block_forms(X: Design, N: Array, n_outputs: int) -> Array:
    """``(I ⊗ x̃ᵢ)ᵀ N (I ⊗ x̃ᵢ)`` of each row, K×K, for a symmetric N."""
    P = len(N) // n_outputs
    blocks = N.reshape(n_outputs, P, n_outputs, P)
    found = np.empty((X.n_rows, n_outputs, n_outputs))
    for k in range(n_outputs):
        for j in range(k, n_outputs):
            part = (blocks[k, :, j] + blocks[k, :, j].T) / 2 if k != j else blocks[k, :, k]
            found[:, k, j] = found[:, j, k] = quadratic_forms(X, part)
    return found
