"""Criteria of a penalty at a fit, with their exact derivatives by log α.

With ``η̂ = X̃θ̂`` at the minimum of ``f(θ) = Σ wᵢ ℓ(yᵢ, ηᵢ) + Σₖ αₖ‖coefₖ‖²/2``, H its Hessian there
and ``H_loss`` that of the losses alone,

==========  =======================================================================================
loo         ``Σ wᵢ ℓ(yᵢ, η̃ᵢ)`` with ``η̃ = η̂ + G (I - w L G)⁻¹ w ℓ′``, L = ℓ″ and
            ``G = (I ⊗ x̃)ᵀ H⁻¹ (I ⊗ x̃)``: predictions after one Newton step without the row
evidence    ``f(θ̂) + ½ log det H - ½ Σₖ pₖ log αₖ``: minus the logarithm of Laplace's marginal
            likelihood, with a flat prior for the intercept
aic         ``2 Σ wᵢ ℓ(yᵢ, η̂ᵢ) + 2 tr(H⁻¹ H_loss)``
==========  =======================================================================================

Where a dispersion φ is estimated, the first term of the evidence is ``(N - n₀)/2 · log f(θ̂)`` and
that of AIC is ``N log(2 Σ wᵢ ℓ)``, N the number of observations and n₀ that of intercepts: the
likelihood, or extended quasi-likelihood, at the φ at which it is largest (ℓ is then half of the
unit deviance). A φ that is given divides f and ℓ, and ``α/φ`` stands for α.

Derivatives are in reverse mode: with ``cⱼ = ∂/∂ηⱼ``, B the derivative by H⁻¹, ``N = H⁻¹BH⁻¹`` and
``Qⱼ = (I ⊗ x̃ⱼ)ᵀ N (I ⊗ x̃ⱼ)``, the derivative by θ is ``v = Σⱼ x̃ⱼ (cⱼ - wⱼ ℓ‴:Qⱼ)``, and

``dφ/dlog αₖ = ∂φ/∂log αₖ - (H⁻¹v)ᵀ αₖDₖθ̂ - tr(N αₖDₖ)``

by the implicit function theorem, ``dθ̂/dlog αₖ = -H⁻¹ αₖDₖθ̂``. So many penalties cost as one.

Sources: Rad and Maleki (2020), *A scalable estimate of the out-of-sample prediction error via
approximate leave-one-out cross-validation*, JRSS B 82(4), eq. 9; MacKay (1992), *Bayesian
interpolation*, Neural Computation 4(3), §4; Hastie, Tibshirani and Friedman (2009), *The Elements
of Statistical Learning*, 2nd ed., §7.5–7.6 (effective parameters); Nelder and Pregibon (1987), *An
extended quasi-likelihood function*, Biometrika 74(2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import Loss
from mcmodels.objectives.linear_predictor import Total
from mcmodels.reweighting.penalised_fit import (
    PenalisedFit,
    Values,
    block_forms,
    quadratic_forms,
    signed_products,
    squared_lengths,
    upper_root,
)
from mcmodels.rows import RowBlock

__all__ = ["CRITERIA", "Aic", "Criterion", "Evaluation", "Evidence", "LeaveOneOut"]


# What is left of a row's leverage, where leave-one-out is a quotient of rounding errors.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Evaluation:
    """A criterion at a fit.

    Parameters
    ----------
    value : float
        The criterion; infinite where it is not defined.
    gradient : ndarray of shape (n_groups,)
        Its derivatives by ``log αₖ``.
    loss_slope : float
        Its derivative by the sum of losses.
    spread : ndarray of shape (KP, KP)
        Its derivative by H⁻¹ at constant curvature of the rows; zero for the evidence.
    pull : ndarray of shape (KP,)
        Its derivative by the parameters, other than through the sum of losses.
    """

    value: float
    gradient: Array
    loss_slope: float
    spread: Array
    pull: Array

    @property
    def is_finite(self) -> bool:
        """Whether value and derivatives are numbers."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


@dataclass(frozen=True)
class Criterion(ABC):
    """What a penalty is chosen by.

    Parameters
    ----------
    values : callable
        ``values(y, η)``: the loss of each row.
    dispersion : float or None
        φ; None where it is estimated.
    n_observations : float
        N.
    """

    values: Values
    dispersion: float | None
    n_observations: float

    @abstractmethod
    def at(self, fit: PenalisedFit) -> Evaluation:
        """The criterion and its derivatives at a fit."""

    def _losses_and_bend(
        self, fit: PenalisedFit, weight: Array, *, losses: bool = True
    ) -> tuple[float, Array]:
        """``Σ wᵢ values`` and ``Σⱼ x̃ⱼ wⱼ ℓ‴:Qⱼ``, raveled, in one pass over the rows.

        Without ``losses`` the first is zero.
        """
        loss, params, K = fit.objective.loss, fit.params, fit.n_outputs
        sign = -1.0 if weight[0, 0] < 0 else 1.0
        root = upper_root(sign * weight) if K == 1 else None

        def summarise(block: RowBlock) -> Total:
            eta = block.linear_predictor(params)
            value = float(block.weighted(self.values(block.y, eta)).sum()) if losses else 0.0
            if K == 1:
                Q = sign * quadratic_forms(block.X, sign * weight, root)
                bent = loss.third_product(block.y, eta, np.ones(len(eta)), Q)
            else:
                Q, bent = block_forms(block.X, weight, K), np.zeros_like(eta)
                for k in range(K):
                    unit = np.zeros_like(eta)
                    unit[:, k] = 1.0
                    bent += loss.third_product(block.y, eta, unit, Q[:, k])
            return Total([value, block.X.adjoint(block.weighted(bent))])

        value, bent = fit.objective.rows.reduce(summarise).parts
        return value, bent.ravel()


@dataclass(frozen=True)
class LeaveOneOut(Criterion):
    """The sum of losses of each row by a fit without it, after one Newton step."""

    def at(self, fit: PenalisedFit) -> Evaluation:
        """The criterion and its derivatives at a fit."""
        objective, K = fit.objective, fit.n_outputs
        one_row = self._single if K == 1 else self._several

        with np.errstate(all="ignore"):  # what is not finite is refused by who asks
            total = objective.rows.reduce(lambda block: one_row(block, fit))
            value, slope, *products = total.parts
            if not np.isfinite(value):
                return _no_number(fit)
            B = self._assembled(products, K)
            N = fit.inverse @ B @ fit.inverse
            _, bent = self._losses_and_bend(fit, N, losses=False)
            by_params = slope.ravel() - bent
            gradient = fit.along_penalties(by_params, N)
        # At the minimum the gradient of the losses is minus that of the penalty.
        return Evaluation(value, gradient, 1.0, B, by_params + fit.penalised * fit.params.ravel())

    def _single(self, block: RowBlock, fit: PenalisedFit) -> Total:
        """The sums over a block, of one output."""
        loss, y, X = fit.objective.loss, block.y, block.X
        w = block.weights_or_ones
        eta = block.linear_predictor(fit.params)
        first, one = loss.gradient(y, eta), np.ones(len(eta))
        second, third = loss.curvature_product(y, eta, one), loss.third_product(y, eta, one, one)
        g = squared_lengths(X, fit.root)
        left = 1.0 - w * second * g
        rest = 1.0 / left
        moved = eta + w * g * first * rest
        value = float((w * self.values(y, moved)).sum())
        if np.abs(left).min(initial=1.0) < _ROUNDING:
            value = np.inf
        after = w * loss.gradient(y, moved) * rest
        slope = after * (1.0 + (w * g) ** 2 * first * third * rest)
        B = signed_products(X, after * w * first * rest)
        return Total([value, X.adjoint(slope), B])

    def _several(self, block: RowBlock, fit: PenalisedFit) -> Total:
        """The sums over a block, of several outputs."""
        loss, y, X, K = fit.objective.loss, block.y, block.X, fit.n_outputs
        w = block.weights_or_ones[:, np.newaxis]
        eta = block.linear_predictor(fit.params)
        first = w * loss.gradient(y, eta)
        L = w[:, :, np.newaxis] * _curvatures(loss, y, eta)
        G = block_forms(X, fit.inverse, K)
        left = np.eye(K) - L @ G
        u = _solved(left, first)
        change = _times(G, u)
        moved = eta + change
        value = float(block.weighted(self.values(y, moved)).sum())
        after = w * loss.gradient(y, moved)
        s = _solved(left.transpose(0, 2, 1), _times(G, after))
        outer = after + _times(L, s)
        slope = outer + w * loss.third_product(y, eta, change, s)
        parts = [
            signed_products(X, (outer[:, k] * u[:, j] + outer[:, j] * u[:, k]) / 2.0)
            for k in range(K)
            for j in range(k, K)
        ]
        return Total([value, X.adjoint(slope), *parts])

    @staticmethod
    def _assembled(products: list[Array], K: int) -> Array:
        """B from its blocks on and above the diagonal."""
        P = len(products[0])
        B, blocks = np.zeros((K, P, K, P)), iter(products)
        for k in range(K):
            for j in range(k, K):
                part = next(blocks)
                B[k, :, j] = part
                B[j, :, k] = part.T
        return B.reshape(K * P, K * P)


@dataclass(frozen=True)
class Evidence(Criterion):
    """Minus the logarithm of Laplace's approximation of the marginal likelihood."""

    def at(self, fit: PenalisedFit) -> Evaluation:
        """The criterion and its derivatives at a fit."""
        sizes = fit.n_outputs * fit.groups.sizes()
        losses, bent = self._losses_and_bend(fit, -fit.inverse / 2.0)
        f = losses + fit.half_penalty
        if self.dispersion is None and not f > 0:
            return _no_number(fit)
        if self.dispersion is not None:
            of_fit, slope = f / self.dispersion, 1.0 / self.dispersion
        else:
            count = self.n_observations - float(fit.objective.rows.intercept)
            of_fit, slope = count / 2.0 * float(np.log(f)), count / (2.0 * f)
        n_flat = fit.params.size - float(sizes.sum())
        if fit.n_outputs > 1 and fit.objective.loss.shift_invariant:
            n_flat -= float(fit.objective.rows.intercept)
        value = of_fit + fit.log_determinant / 2.0 - float(sizes @ np.log(fit.alphas)) / 2.0
        if self.dispersion is not None:
            value -= n_flat / 2.0 * float(np.log(self.dispersion))
        squares = fit.penalised * fit.params.ravel() ** 2 / 2.0
        gradient = slope * fit.by_group(squares) - sizes / 2.0
        gradient = gradient + fit.along_penalties(-bent, -fit.inverse / 2.0)
        return Evaluation(value, gradient, slope, np.zeros_like(fit.hessian), -bent)


@dataclass(frozen=True)
class Aic(Criterion):
    """Twice the sum of losses, and twice the effective degrees of freedom."""

    def at(self, fit: PenalisedFit) -> Evaluation:
        """The criterion and its derivatives at a fit."""
        inverse, H_loss = fit.inverse, fit.loss_hessian
        # ``d tr(H⁻¹H_loss)`` is ``tr(H⁻¹AH⁻¹ dH_loss) - tr(H⁻¹H_lossH⁻¹ dA)``.
        by_loss = -2.0 * (inverse * fit.penalised) @ inverse
        losses, bent = self._losses_and_bend(fit, by_loss)
        if self.dispersion is None and not losses > 0:
            return _no_number(fit)
        if self.dispersion is not None:
            of_fit, slope = 2.0 * losses / self.dispersion, 2.0 / self.dispersion
        else:
            of_fit = self.n_observations * float(np.log(2.0 * losses))
            slope = self.n_observations / losses
        # At the minimum the gradient of the losses is minus that of the penalty.
        by_params = -slope * fit.penalised * fit.params.ravel()
        by_penalty = 2.0 * inverse @ H_loss @ inverse
        gradient = fit.along_penalties(by_params - bent, by_penalty)
        value = of_fit + 2.0 * fit.loss_freedom
        return Evaluation(value, gradient, slope, 2.0 * H_loss, -bent)


CRITERIA: dict[str, type[Criterion]] = {"loo": LeaveOneOut, "evidence": Evidence, "aic": Aic}


def _no_number(fit: PenalisedFit) -> Evaluation:
    """A criterion that is not defined: where a prediction has no loss, or no residuals are left."""
    nothing = np.zeros(0)
    return Evaluation(np.inf, np.zeros(fit.groups.count), 1.0, nothing, nothing)


def _curvatures(loss: Loss, y: Array, eta: Array) -> Array:
    """``d²ℓ/dη²`` of each row, K×K."""
    K = eta.shape[1]
    found = np.zeros((len(eta), K, K))
    for pairs, sign, magnitude in loss.curvature(y, eta):
        for k, j in pairs:
            found[:, k, j] = found[:, j, k] = sign * magnitude
    return found


def _times(matrices: Array, vectors: Array) -> Array:
    """A matrix of each row times a vector of each row."""
    found: Array = np.einsum("bkj,bj->bk", matrices, vectors)
    return found


def _solved(matrices: Array, vectors: Array) -> Array:
    """The inverse of a matrix of each row times a vector of each row."""
    found: Array = np.linalg.solve(matrices, vectors[:, :, np.newaxis])[:, :, 0].astype(np.float64)
    return found
