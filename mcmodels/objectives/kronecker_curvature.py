"""The curvature of a network as Kronecker products, one a layer: a preconditioner of Newton steps.

The parameters of layer l are the matrix ``(W_l; b_l)``. With ``h̃ = (h_{l-1}, 1)`` and the Jacobian
``Dᵢ = ∂ηᵢ/∂a_l`` of a row, the block of layer l of the Gauss-Newton matrix is approximated by

==================  ==============================================================================
block               ``A ⊗ G / Σ wᵢ``
input factor        ``A = Σ wᵢ h̃ᵢh̃ᵢᵀ``
output factor       ``G = Σ wᵢ Dᵢᵀ (∂²ℓ/∂η²) Dᵢ``
damped inverse      of a matrix V of the shape of ``(W; b)``:
                    ``U [(Uᵀ V Q) ∘ 1/(uᵢ qⱼ / Σ wᵢ + λ)] Qᵀ``, where ``A = U diag(u) Uᵀ`` and
                    ``G = Q diag(q) Qᵀ``
==================  ==============================================================================

Source: Martens and Grosse (2015), *Optimizing neural networks with Kronecker-factored approximate
curvature*, ICML, §3 and appendix B. Here G is exact, not estimated from sampled targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from mcmodels.objectives.losses import Loss
from mcmodels.objectives.network import Network, NetworkParameters, squeezed
from mcmodels.rows import DenseDesign, Design, Slope
from mcmodels.rows.blocks import Array, product

# Of layers at least this wide only the diagonal of A is used: the eigenvalues of A cost the third
# power of the width.
_WIDEST = 1024
# With more rows than the first number, A and G are summed over every k-th row only, with about that
# many rows left. G costs K times as much as a gradient for K outputs; k is at most 4K.
_ENOUGH_ROWS, _MOST_SKIPPED_PER_OUTPUT = 2048, 4


@dataclass
class KroneckerSums:
    """A and G of each layer, summed over rows in place.

    Parameters
    ----------
    incoming, outgoing : list of ndarray
        A of shape (m, m), or its diagonal of shape (m,) in wide layers; and G.
    weight : float
        ``Σ wᵢ`` of the rows in the sums.
    """

    incoming: list[Array]
    outgoing: list[Array]
    weight: float

    def __iadd__(self, other: KroneckerSums) -> Self:
        for total, part in zip(self.incoming, other.incoming, strict=True):
            total += part
        for total, part in zip(self.outgoing, other.outgoing, strict=True):
            total += part
        self.weight += other.weight
        return self

    @classmethod
    def of(
        cls,
        network: Network,
        loss: Loss,
        X: Design,
        y: Any,
        weights: Array | None,
        parameters: NetworkParameters,
        layers: list[Array],
        n_rows: int,
    ) -> KroneckerSums:
        """The sums over every k-th row of a block whose ``h_1 … h_{L-1}, η`` are known.

        Parameters
        ----------
        network, loss
            The network and its loss.
        X, y, weights
            The rows.
        parameters : NetworkParameters
            The parameters.
        layers : list of ndarray
            ``h_1 … h_{L-1}, η`` of the rows.
        n_rows : int
            Rows in all blocks.
        """
        K = network.n_outputs
        every_kth = slice(
            None, None, int(np.clip(n_rows // _ENOUGH_ROWS, 1, _MOST_SKIPPED_PER_OUTPUT * K))
        )
        *hidden, eta = (layer[every_kth] for layer in layers)
        y = y[every_kth]
        w = np.ones(len(eta)) if weights is None else weights[every_kth]
        below = [type(X)(X.X[every_kth], intercept=True, scratch=X.scratch)]
        below += [DenseDesign(h, intercept=True) for h in hidden]
        incoming = [
            rows.diagonal(w) if rows.X.shape[1] >= _WIDEST else rows.sandwich(w).matrix()
            for rows in below
        ]
        curvature = np.empty((len(eta), K, K))
        for k, unit in enumerate(np.eye(K)):
            along = squeezed(np.broadcast_to(unit, eta.shape))
            column = loss.curvature_product(y, squeezed(eta), along)
            curvature[:, :, k] = (column.T * w).T.reshape(eta.shape)
        outgoing = [curvature.sum(axis=0)]
        D = np.broadcast_to(np.eye(K), curvature.shape)
        for W, h in zip(parameters.coefs[:0:-1], hidden[::-1], strict=True):
            flat = product(np.ascontiguousarray(D).reshape(-1, W.shape[1]), W.T)
            D = flat.reshape(len(eta), K, -1) * network.sigma.slope(h)[:, np.newaxis]
            curved = np.matmul(curvature, D).reshape(flat.shape)
            outgoing.insert(0, product(D.reshape(flat.shape).T, curved))
        return cls(incoming, outgoing, float(w.sum()))


@dataclass(frozen=True)
class ConditionedSlope(Slope):
    """Value and gradient at a point, and an approximate inverse of the curvature there.

    Parameters
    ----------
    value, gradient
        As in :class:`mcmodels.rows.Slope`.
    curvature : KroneckerCurvature
        The approximate curvature, with a cheap damped inverse.
    """

    curvature: KroneckerCurvature


@dataclass(frozen=True)
class KroneckerCurvature:
    """The approximate curvature of the whole objective.

    Parameters
    ----------
    network : Network
        The layers.
    sums : KroneckerSums
        A and G of each.
    total_weight : float
        ``Σ wᵢ`` of all rows.
    alpha : float
        The penalty, curvature α of all coefficients.
    """

    network: Network
    sums: KroneckerSums
    total_weight: float
    alpha: float
    _factors: list[tuple[Array, Array | None, Array, Array]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        factors = []
        for A, G in zip(self.sums.incoming, self.sums.outgoing, strict=True):
            u, U = (A, None) if A.ndim == 1 else _eigenpairs(A)
            q, Q = _eigenpairs((G + G.T) / 2)
            # Means instead of sums: products of two sums of huge or tiny weights would overflow.
            u = np.clip(u, 0.0, None) / self.sums.weight
            q = np.clip(q, 0.0, None) * (self.total_weight / self.sums.weight)
            factors.append((u, U, q, Q))
        object.__setattr__(self, "_factors", factors)

    def solve(self, vector: Array, damping: float) -> Array:
        """The damped inverse times a vector.

        Parameters
        ----------
        vector : ndarray of shape (n_params,)
            Usually a gradient.
        damping : float
            Curvature that is added in all directions, as a share of the mean curvature.

        Returns
        -------
        ndarray of shape (n_params,)
            NaN where the curvature overflows float64.
        """
        mean = sum(u.sum() * q.sum() for u, _, q, _ in self._factors) / vector.size
        added = damping * mean + self.alpha
        coefs, intercepts = [], []
        for W, b, (u, U, q, Q) in zip(*self.network.unflatten(vector), self._factors, strict=True):
            V = np.vstack([W, b])
            rotated = V @ Q if U is None else U.T @ V @ Q
            rotated /= np.outer(u, q) + (added or 1.0)
            V = rotated @ Q.T if U is None else U @ rotated @ Q.T
            coefs.append(V[:-1])
            intercepts.append(V[-1])
        return NetworkParameters(coefs, intercepts).ravel()


def _eigenpairs(A: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors; NaN where sums of squares have overflowed."""
    if not np.isfinite(A).all():
        return np.full(len(A), np.nan), np.full(A.shape, np.nan)
    values, vectors = np.linalg.eigh(A)
    return values, vectors
