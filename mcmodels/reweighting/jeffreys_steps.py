"""One Newton step from a fit with Jeffreys' prior to the fit without a row.

The objective is ``F = Σ wᵢ ℓᵢ - φ/2 log det I`` with the information ``I = Σ wᵢ uᵢ x̃ᵢx̃ᵢᵀ``. Without
row i, ``log det I`` is less by ``-log(1 - qᵢ)``, ``qᵢ = wᵢ uᵢ hᵢ`` and ``hᵢ = x̃ᵢᵀI⁻¹x̃ᵢ``. So at the
fit of all rows the gradient without row i is

    -wᵢ ℓ′ᵢ x̃ᵢ + φ/2 ∇qᵢ/(1 - qᵢ),   ∇qᵢ = wᵢ u′ᵢ hᵢ x̃ᵢ - wᵢ uᵢ Σⱼ wⱼ u′ⱼ (x̃ⱼᵀI⁻¹x̃ᵢ)² x̃ⱼ,

and the Hessian that of all rows less ``wᵢ (ℓ″ᵢ - φ/2 u″ᵢ hᵢ) x̃ᵢx̃ᵢᵀ``, up to terms that are small
where hᵢ is. Derived from the gradient of Firth (1993), *Bias reduction of maximum likelihood
estimates*, Biometrika 80(1), §3, by the determinant of a matrix less one of rank one (Magnus and
Neudecker 2019, *Matrix Differential Calculus*, 3rd ed., §1.13).
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.objectives.expected_weights import LOGISTIC
from mcmodels.objectives.jeffreys import Prior
from mcmodels.reweighting.row_parts import portions, taken
from mcmodels.reweighting.second_order import ThirdDerivatives, products_of_pairs
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["steps_with_prior"]


def steps_with_prior(fit: WhitenedFit, prior: Prior) -> Array:
    """The steps of all rows, shape (n, R); NaN where the Hessian or the information is singular.

    Parameters
    ----------
    fit : WhitenedFit
        Of one linear predictor; its basis is that of the Hessian with the prior.
    prior : Prior
        The prior.
    """
    weights = LOGISTIC if prior.weights is None else prior.weights
    half, R = prior.dispersion / 2.0, fit.basis.size
    r, s = np.triu_indices(R)

    def parts(block: RowBlock) -> tuple[Array, ...]:
        eta = block.linear_predictor(fit.params).reshape(block.X.n_rows)
        return fit.basis.rows_of(block)[:, 0], eta, weights_of(block), *weights(eta)

    def sums(block: RowBlock) -> Array:
        found = np.zeros((R + len(r), R))
        for rows in portions(block.X.n_rows, len(r)):
            Z, _, w, u, first, _ = parts(taken(block, rows))
            found[:R] += Z.T @ (Z * (w * u)[:, np.newaxis])
            found[R:] += products_of_pairs(Z).T @ (Z * (w * first)[:, np.newaxis])
        return found

    total = fit.rows.reduce(sums)
    inverse = np.linalg.inv(total[:R])
    pairs = total[R:]
    pairs[r < s] *= 2.0
    T = ThirdDerivatives(pairs)

    def step(block: RowBlock) -> Array:
        Z, eta, w, u, first, second = parts(block)
        slope = fit.loss.gradient(block.y, eta)
        curvature = fit.loss.curvature_product(block.y, eta, np.ones_like(eta))
        along = Z @ inverse
        h = np.einsum("ir,ir->i", along, Z)
        q = w * u * h
        of_q = Z * (w * first * h)[:, np.newaxis] - (w * u)[:, np.newaxis] * T.along(along)
        defined = 1.0 - q > SMALLEST_REST
        share = half / np.where(defined, 1.0 - q, np.nan)
        gradient = -Z * (w * slope)[:, np.newaxis] + of_q * share[:, np.newaxis]
        removed = w * (curvature - half * second * h)
        left = 1.0 - removed * np.einsum("ir,ir->i", Z, Z)
        back = removed / np.where(left > SMALLEST_REST, left, np.nan)
        back *= np.einsum("ir,ir->i", Z, gradient)
        return -(gradient + Z * back[:, np.newaxis])

    def of_block(block: RowBlock) -> Array:
        found = [step(taken(block, rows)) for rows in portions(block.X.n_rows, R)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    return fit.rows.map(of_block)
