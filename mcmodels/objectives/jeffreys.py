"""A loss with Jeffreys' prior: ``F = Σ wᵢ ℓ(yᵢ, ηᵢ) - φ/2 log det I(θ)``, I the information.

With one linear predictor ``I = Σ wᵢ u(ηᵢ) x̃ᵢx̃ᵢᵀ``, u the expected weight of a row. A is its
inverse, ``hᵢ = x̃ᵢᵀAx̃ᵢ``, and ``Tⱼ = ∂I/∂θⱼ = Σ wᵢ u′ᵢ x̃ᵢⱼ x̃ᵢx̃ᵢᵀ``:

=========  ========================================================
gradient   ``Σ wᵢ (ℓ′ᵢ - φ/2 u′ᵢ hᵢ) x̃ᵢ``
Hessian    ``Σ wᵢ (ℓ″ᵢ - φ/2 u″ᵢ hᵢ) x̃ᵢx̃ᵢᵀ + φ/2 tr(A Tⱼ A Tₖ)``
=========  ========================================================

K classes have the softmax p of K predictors, and only what sums to zero over the classes is
determined: ``log det`` is that of I in an orthonormal basis C of such vectors, the logarithm of the
pseudo-determinant of I. With ``zₘ = eₘ - p`` the third and fourth derivatives of log Σ e^η are the
third and fourth cumulants of z, so that u, u′ and u″ are such sums over the classes (see
:func:`_sums_of_classes`).

Two passes over the rows: the first sums value, gradient, Hessian and information. With a root B of
A, rows ``zᵢ = Bᵀx̃ᵢ`` have ``hᵢ = ‖zᵢ‖²``, and the second sums the rest, in which
``tr(A Tⱼ A Tₖ)`` is the product of ``BᵀTⱼB = Σ wᵢ u′ᵢ x̃ᵢⱼ zᵢzᵢᵀ`` with the same of k: P³/2 products
for each row.

Sources: Firth (1993), *Bias reduction of maximum likelihood estimates*, Biometrika 80(1), §3 (the
gradient); Kosmidis and Firth (2021), *Jeffreys-prior penalty, finiteness and shrinkage in
binomial-response generalized linear models*, Biometrika 108(1); Magnus and Neudecker (2019),
*Matrix Differential Calculus*, 3rd ed., §8.3–8.4 (``d log det``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.special import softmax

from mcmodels.arrays import Array
from mcmodels.objectives.expected_weights import ExpectedWeights
from mcmodels.objectives.linear_predictor import LinearPredictorObjective, Total
from mcmodels.objectives.losses import Loss
from mcmodels.rows import Derivatives, RowBlock, Rows, Slope, single_threaded_blas

__all__ = ["JeffreysObjective", "Prior"]

# Products of entries of z that are in memory at a time, for each thread.
_PRODUCTS = 2**20
# A factor of unit diagonal, the square of whose least entry is below this many ε for each column,
# has too few digits: rounding errors of log det would pass for a lower objective.
_SINGULAR = 1e4


@dataclass(frozen=True)
class Prior:
    """Which prior: the expected weights of the rows, and φ.

    Parameters
    ----------
    weights : ExpectedWeights or None
        Of one linear predictor; None for the softmax of several classes.
    dispersion : float, default=1.0
        φ.
    """

    weights: ExpectedWeights | None
    dispersion: float = 1.0


class JeffreysObjective(LinearPredictorObjective):
    """A loss with Jeffreys' prior, over rows whose columns are independent.

    Parameters
    ----------
    rows : Rows
        Design rows of full rank, targets and weights.
    loss : Loss
        The pointwise loss: the kernel of a negative log-likelihood.
    prior : Prior
        The prior.
    """

    def __init__(self, rows: Rows, loss: Loss, prior: Prior) -> None:
        super().__init__(rows, loss)
        self.prior = prior

    def value(self, params: Array) -> float:
        """The objective; infinite where the information is singular or a loss is not finite."""
        known, information = self._first_pass(params)
        _, log_det = self._root(information, params)
        return known.value - self.prior.dispersion / 2.0 * log_det

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        found = self._at(params, with_hessian=False)
        return Slope(found.value, found.gradient)

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""
        return self.slope(params).gradient

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian; the value is infinite where the information is singular."""
        return self._at(params, with_hessian=True)

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian over ``params.ravel()``; with ``safe`` the information, which is positive."""
        return self.information(params) if safe else self.derivatives(params).hessian

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector; the Hessian is formed."""
        return (self.hessian(params) @ vector.ravel()).reshape(params.shape)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian, in the shape of params."""
        return np.diagonal(self.hessian(params)).reshape(params.shape)

    def information(self, params: Array) -> Array:
        """``I(θ)`` over ``params.ravel()``."""
        return self._first_pass(params)[1]

    def condition(self, params: Array) -> float:
        """About the root of the condition number of ``I(θ)``, scaled to unit diagonal."""
        return self.information_root(params)[1]

    def information_root(self, params: Array) -> tuple[Array | None, float]:
        """A root of a generalized inverse of ``I(θ)``, and about the root of its condition number.

        None, and infinite, where it is singular to working precision.
        """
        root, _ = self._root(information := self.information(params), params)
        if root is None:
            return None, np.inf
        # ‖B‖² of the scaled matrix is at most its size times its norm.
        scale = np.sqrt(np.clip(np.diagonal(information), 0.0, None))
        return root, float(np.linalg.norm(root * scale[:, np.newaxis], 2)) if root.size else 1.0

    def _first_pass(self, params: Array) -> tuple[Derivatives, Array]:
        """Value, gradient and Hessian without the prior, and the information."""
        weights = self.prior.weights
        with np.errstate(all="ignore"):  # solvers reject values that are not finite
            known = super().derivatives(params)
            if weights is None or weights.is_curvature or not np.isfinite(known.value):
                return known, known.hessian

            def summarise(block: RowBlock) -> Array:
                u, _, _ = weights(block.linear_predictor(params))
                return block.X.sandwich(block.weighted(u)).matrix()

            return known, self.rows.reduce(summarise)

    def all_but_one(self, matrix: Array, shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
        """Positions of the raveled parameters of all classes but one; of one output, all of them.

        The others are then differences from that class, and determined. It is the class in which
        there is most of a matrix of information: where classes have information of very different
        sizes, differences from a small one are all alike, up to rounding, and sums over classes
        hide it.
        """
        K, P = (1, shape[-1]) if len(shape) == 1 else shape
        if K == 1:
            return np.arange(P)
        sizes = np.abs(np.diagonal(matrix)).reshape(K, P).sum(axis=1)
        return np.flatnonzero(np.repeat(np.arange(K) != sizes.argmax(), P))

    def _root(self, information: Array, params: Array) -> tuple[Array | None, float]:
        """A root B of a generalized inverse of the information, shape (KP, m), and ``log det I``.

        What is computed from it does not change where a vector is added to all classes.
        """
        if information.size == 0:
            return np.zeros((0, 0)), 0.0
        kept = self.all_but_one(information, params.shape)
        with single_threaded_blas():
            matrix = information[np.ix_(kept, kept)]
            scale = np.sqrt(np.clip(np.diagonal(matrix), 0.0, None))
            if not (np.isfinite(matrix).all() and scale.all()):
                return None, -np.inf
            try:
                lower = linalg.cholesky(matrix / np.outer(scale, scale), lower=True)
            except linalg.LinAlgError:
                return None, -np.inf
            diagonal = np.diagonal(lower)
            if not diagonal.min() ** 2 > _SINGULAR * len(lower) * np.finfo(np.float64).eps:
                return None, -np.inf
            inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True).T
            root = np.zeros((len(information), len(lower)))
            root[kept] = inverse / scale[:, np.newaxis]
        # That of parameters that sum to zero is K times as large for each column.
        constant = params.shape[-1] * np.log(len(np.atleast_2d(params)))
        log_det = 2.0 * float(np.log(diagonal).sum() + np.log(scale).sum()) + constant
        return root, log_det

    def _at(self, params: Array, *, with_hessian: bool) -> Derivatives:
        known, information = self._first_pass(params)
        root, log_det = self._root(information, params)
        factor = self.prior.dispersion / 2.0
        if root is None or not np.isfinite(known.value):
            return Derivatives(np.inf, np.zeros(params.shape), np.zeros_like(information))
        weights = self.prior.weights

        def summarise(block: RowBlock) -> Total:
            eta = block.linear_predictor(params)
            X = block.X.dense()
            X = np.column_stack([X, np.ones(len(X))]) if block.X.intercept else np.array(X)
            if weights is None:
                return _sums_of_classes(X, eta, block.weights, root, with_hessian)
            _, first, second = weights(eta)
            slopes, curvatures = block.weighted(first), block.weighted(second)
            return _sums_of_one(X, slopes, curvatures, root, with_hessian)

        with np.errstate(under="ignore"):
            slopes, curvature, products = self.rows.reduce(summarise).parts
        gradient = known.gradient - factor * slopes.reshape(params.shape)
        if not with_hessian:
            return Derivatives(known.value - factor * log_det, gradient, known.hessian)
        with single_threaded_blas():
            twice = np.where(np.equal(*np.triu_indices(root.shape[1])), 1.0, 2.0)
            squares = (products * twice) @ products.T
        hessian = known.hessian + factor * (squares - curvature)
        hessian = (hessian + hessian.T) / 2.0
        return Derivatives(known.value - factor * log_det, gradient, hessian)


def _sums_of_one(
    X: Array, slopes: Array, curvatures: Array, root: Array, with_hessian: bool
) -> Total:
    """``Σ wu′hx̃``, ``Σ wu″hx̃x̃ᵀ``, and ``Σ wu′x̃ⱼ zᵣzₛ`` for r ≤ s: the derivatives of log det."""
    Z = X @ root
    h = np.einsum("ij,ij->i", Z, Z)
    gradient = X.T @ (slopes * h)
    if not with_hessian:
        return Total([gradient, 0.0, 0.0])
    curvature = X.T @ (X * (curvatures * h)[:, np.newaxis])
    r, s = np.triu_indices(root.shape[1])
    products = np.zeros((X.shape[1], len(r)))
    for part in _parts(len(X), len(r)):
        weighted = Z[part] * slopes[part, np.newaxis]
        products += X[part].T @ (weighted[:, r] * Z[part][:, s])
    return Total([gradient, curvature, products])


def _sums_of_classes(
    X: Array, eta: Array, weights: Array | None, root: Array, with_hessian: bool
) -> Total:
    """The same of the softmax of K predictors.

    With ``Bₖ`` the rows of the root that belong to class k, and ``yₘ = Bᵀ(zₘ ⊗ x̃)``,
    ``zₘ = eₘ - p``, the sums over m of a row are

    - ``Σ pₘ‖yₘ‖² zₘ`` for the gradient,
    - ``Σ pₘ‖yₘ‖² zₘzₘᵀ - tM - 2 (pₖpₗ yₖᵀyₗ)`` for the curvature, with ``t = Σ pₘ‖yₘ‖²`` and
      ``M = diag(p) - ppᵀ``: the fourth cumulant of z, contracted with the inverse information,
    - ``Σ pₘ zₘ yₘyₘᵀ`` for the products.
    """
    (n, P), K = X.shape, eta.shape[1]
    p = softmax(eta, axis=1)
    by_class = np.stack([X @ part for part in root.reshape(K, P, root.shape[1])], axis=1)
    Y = by_class - np.einsum("ik,ikr->ir", p, by_class)[:, np.newaxis]
    q = p if weights is None else p * weights[:, np.newaxis]
    squares = np.einsum("ikr,ikr->ik", Y, Y)
    total = (p * squares).sum(axis=1)
    gradient = (q * (squares - total[:, np.newaxis])).T @ X
    if not with_hessian:
        return Total([gradient.ravel(), 0.0, 0.0])
    curvature = np.empty((K, P, K, P))
    for k in range(K):
        for j in range(k, K):
            both = squares[:, k] + squares[:, j] - 2.0 * total
            across = -q[:, k] * p[:, j] * (both + 2.0 * np.einsum("ir,ir->i", Y[:, k], Y[:, j]))
            if k == j:
                across += q[:, k] * (squares[:, k] - total)
            curvature[k, :, j] = X.T @ (X * across[:, np.newaxis])
            curvature[j, :, k] = curvature[k, :, j]
    r, s = np.triu_indices(root.shape[1])
    products = np.zeros((K, P, len(r)))
    for part in _parts(n, len(r)):
        pairs = [Y[part, k][:, r] * Y[part, k][:, s] for k in range(K)]
        mean = sum(p[part, k, np.newaxis] * pairs[k] for k in range(K))
        for k in range(K):
            products[k] += X[part].T @ (q[part, k, np.newaxis] * (pairs[k] - mean))
    of_all = curvature.reshape(K * P, K * P), products.reshape(K * P, len(r))
    return Total([gradient.ravel(), *of_all])


def _parts(n_rows: int, size: int) -> list[slice]:
    """Parts of so many rows that products of this size have room."""
    step = max(_PRODUCTS // max(size, 1), 1)
    return [slice(first, first + step) for first in range(0, n_rows, step)]
