"""The effect of leaving out rows on a number of a network, by one solve with its Hessian.

With the Hessian H of the objective at the parameters, and the gradient a of f,

    s = (H + λI)⁻¹a,    f without row i minus f ≈ wᵢ sᵀ∇ℓᵢ = wᵢ (∂ℓᵢ/∂η) · R{ηᵢ},

where ``R{ηᵢ}`` is the derivative of the outputs of the row along s. H is known by its products with
vectors; the solve is by conjugate gradients. λ is zero where H is positive definite along all
directions that the solve meets. Elsewhere the parameters are at no strict minimum, and λ is the
least of a sequence with which it is. Sources: Koh and Liang (2017), *Understanding black-box
predictions via influence functions*, ICML, eq. 2 and §3; Bishop (2006), *Pattern Recognition and
Machine Learning*, §5.4.6, for R.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.network import Network, squeezed
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import RowBlock
from mcmodels.rows.blocks import product
from mcmodels.solvers.conjugate_gradients import Jacobi, conjugate_gradients

__all__ = ["DampedSolution", "damped_solve", "losses_along"]

# Relative residual of the solve: effects have as many digits.
_TOLERANCE = 1e-8
# λ as a share of the largest curvature that is met, and what it grows by.
_LEAST_DAMPING, _GROWTH, _MOST_DAMPINGS = 1e-8, 10.0, 10


class DampedSolution(NamedTuple):
    """``(H + λI)⁻¹a``, and λ."""

    solution: Array
    damping: float


def damped_solve(objective: NetworkObjective, params: Array, a: Array) -> DampedSolution | None:
    """``(H + λI)⁻¹a`` with the least λ of a sequence from 0 on; None if none will do.

    Parameters
    ----------
    objective : NetworkObjective
        The objective whose Hessian H is.
    params : ndarray of shape (n,)
        Where.
    a : ndarray of shape (n,)
        The right-hand side.
    """
    a = _without_shifts(objective, a)
    if not a.any():
        return DampedSolution(np.zeros_like(a), 0.0)
    identity = Jacobi.of(np.ones_like(a))
    scale = _largest_curvature(objective, params, a)
    damping = 0.0
    for _ in range(_MOST_DAMPINGS):

        def apply(vector: Array, damping: float = damping) -> Array:
            return objective.hessian_vector_product(params, vector) + damping * vector

        # In exact arithmetic n steps are enough; rounding takes some more.
        found = conjugate_gradients(
            apply, a, identity, tolerance=_TOLERANCE, max_steps=10 * a.size + 100
        )
        left = float(np.linalg.norm(a - apply(found.x)))
        if left <= 10.0 * _TOLERANCE * float(np.linalg.norm(a)):
            return DampedSolution(found.x, damping)
        damping = max(damping * _GROWTH, _LEAST_DAMPING * scale)
    return None


def _without_shifts(objective: NetworkObjective, a: Array) -> Array:
    """The part of a without shifts of all classes, along which H is zero and no fit moves."""
    if not objective.loss.shift_invariant:
        return a
    last = objective.network.last_layer.reshape(-1, objective.network.n_outputs)
    free = last if objective.alpha == 0 else last[-1:]  # a penalty holds the weights
    left = a.copy()
    left[free] -= left[free].mean(axis=1, keepdims=True)
    return left


def _largest_curvature(objective: NetworkObjective, params: Array, start: Array) -> float:
    """About the largest eigenvalue of H in size, by powers of it."""
    vector, size = start / np.linalg.norm(start), 0.0
    for _ in range(20):
        image = objective.hessian_vector_product(params, vector)
        size = float(np.linalg.norm(image))
        if size == 0:
            return 1.0
        vector = image / size
    return size


def losses_along(
    network: Network, objective: NetworkObjective, params: Array, direction: Array
) -> Array:
    """The derivative of ``ℓ`` of each row along a direction in the parameters, without weights."""
    parameters, V = network.unflatten(params), network.unflatten(direction)

    def along(block: RowBlock) -> Array:
        *hidden, eta = network.hidden(block.X, parameters)
        change = block.X.predictor(V.coefs[0].T) + V.intercepts[0]
        for layer, h in enumerate(hidden, start=1):
            moved = network.sigma.slope(h) * change
            change = product(moved, parameters.coefs[layer]) + product(h, V.coefs[layer])
            change = change + V.intercepts[layer]
        slopes = objective.loss.gradient(block.y, squeezed(eta)).reshape(eta.shape)
        return np.asarray(np.einsum("ik,ik->i", slopes, change))

    return objective.rows.map(along)
