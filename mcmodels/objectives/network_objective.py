"""The objective of a network, ``Σ wᵢ ℓ(yᵢ, ηᵢ) + α/2 Σ_l ‖W_l‖²``, by backpropagation.

For the b rows of a block, with ``a_l``, ``h_l`` and η of :mod:`mcmodels.objectives.network`:

==================  ==============================================================================
objective           ``f = Σ wᵢ ℓ(yᵢ, ηᵢ) + α/2 Σ_l ‖W_l‖_F²``, intercepts not penalised
gradient            ``δ_L = w ∘ ∂ℓ/∂η``, ``ε_{l-1} = δ_l W_lᵀ``,
                    ``δ_{l-1} = ε_{l-1} ∘ σ′(a_{l-1})``;
                    ``∂f/∂W_l = h_{l-1}ᵀ δ_l + α W_l``, ``∂f/∂b_l = δ_lᵀ 1``
R-forward           along (V_l, c_l): ``R{a_l} = R{h_{l-1}} W_l + h_{l-1} V_l + c_l``,
                    ``R{h_l} = σ′(a_l) ∘ R{a_l}``, ``R{h_0} = 0``
R-backward          ``R{δ_L} = w ∘ (∂²ℓ/∂η²) R{η}``,
                    ``R{δ_{l-1}} = (R{δ_l} W_lᵀ + δ_l V_lᵀ) ∘ σ′(a_{l-1})
                    + ε_{l-1} ∘ σ″(a_{l-1}) ∘ R{a_{l-1}}``
Hessian-vector      ``R{∂f/∂W_l} = R{h_{l-1}}ᵀ δ_l + h_{l-1}ᵀ R{δ_l} + α V_l``,
                    ``R{∂f/∂b_l} = R{δ_l}ᵀ 1``
Hessian             its products with the unit vectors
last layer          ``Σ wᵢ (∂²ℓ/∂ηₖ∂ηⱼ) h̃ᵢh̃ᵢᵀ``, ``h̃ = (h_{L-1}, 1)``, plus α for ``W_L``
==================  ==============================================================================

``R{·}`` is the derivative along (V, c). The sum is n times what scikit-learn minimises: the
minimisers are the same. Sources: Bishop (2006), *Pattern Recognition and Machine Learning*, §5.3.1
(eq. 5.53–5.56) and §5.4.6 (eq. 5.96–5.111); Pearlmutter (1994), *Fast exact multiplication by the
Hessian*, Neural Computation 6(1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg

from mcmodels.objectives.kronecker_curvature import (
    ConditionedSlope,
    KroneckerCurvature,
    KroneckerSums,
)
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.objectives.losses import CurvatureTerm, Loss, Pointwise
from mcmodels.objectives.network import Network, NetworkParameters, squeezed
from mcmodels.rows import RowBlock, Rows, Scratch, Slope, single_threaded_blas
from mcmodels.rows.blocks import Array, product

# Largest number of Hessian-vector products in one pass: each thread holds all of them in memory.
_AT_ONCE = 1024


class HalfSquaredError(Loss):
    """``ℓ = ½ Σₖ (yₖ - ηₖ)²``, ``ℓ' = η - y``, ``ℓ'' = I``; y has the shape of η."""

    def at(self, y: Array, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row."""
        residual = eta - y
        squares = residual**2 / 2
        outputs = 1 if eta.ndim == 1 else eta.shape[1]

        def curvature() -> Iterator[CurvatureTerm]:
            yield CurvatureTerm([(k, k) for k in range(outputs)], 1.0, np.ones(eta.shape[0]))

        return Pointwise(squares if eta.ndim == 1 else squares.sum(axis=1), residual, curvature)

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """The direction."""
        return direction


class NetworkObjective:
    """Value and derivatives of the penalised loss of a network, summed over rows.

    Parameters
    ----------
    rows : Rows
        Features without an intercept (each layer has its own), targets and weights.
    network : Network
        Its layers.
    loss : Loss
        The pointwise loss in η.
    alpha : float
        α in ``α/2 Σ ‖W_l‖²``.
    """

    def __init__(self, rows: Rows, network: Network, loss: Loss, alpha: float) -> None:
        self.rows = rows
        self.network = network
        self.loss = loss
        self.alpha = alpha

    def value(self, params: Array) -> float:
        """The objective."""

        def summarise(block: RowBlock) -> float:
            eta = self.network.outputs(block.X, params)
            return float(block.weighted(self.loss.value(block.y, eta)).sum())

        return self.rows.reduce(summarise) + self._penalty(params)

    def gradient(self, params: Array) -> Array:
        """The gradient, shape (n_params,)."""
        return self.slope(params).gradient

    def slope(self, params: Array) -> Slope:
        """Value and gradient in one pass over the rows."""

        def summarise(block: RowBlock) -> Slope:
            result = self._backpropagation(block, params)
            return Slope(result.value, result.gradient())

        return self._with_penalty(self.rows.reduce(summarise), params)

    def conditioned_slope(self, params: Array) -> ConditionedSlope:
        """Value, gradient and approximate curvature, in one pass over the rows."""

        def summarise(block: RowBlock) -> _SlopeAndCurvature:
            result = self._backpropagation(block, params)
            curvature = KroneckerSums.of(
                self.network,
                self.loss,
                block.X,
                block.y,
                block.weights,
                result.parameters,
                [*result.hidden, result.eta],
                self.rows.n_rows,
            )
            return _SlopeAndCurvature(Slope(result.value, result.gradient()), curvature)

        total = self.rows.reduce(summarise)
        slope = self._with_penalty(total.slope, params)
        curvature = KroneckerCurvature(
            self.network, total.curvature, self.rows.total_weight, self.alpha
        )
        return ConditionedSlope(slope.value, slope.gradient, curvature)

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector of shape (n_params,), in one pass over the rows."""
        return self.hessian_vector_products(params, vector[np.newaxis])[0]

    def hessian_vector_products(self, params: Array, vectors: Array) -> Array:
        """The Hessian times each row of ``vectors``, shape (m, n_params), in one pass.

        The products of a block share one forward and one backward pass through the network.
        """

        def summarise(block: RowBlock) -> Array:
            result = self._backpropagation(block, params)
            return np.stack([result.hessian_vector_product(vector) for vector in vectors])

        penalised = np.stack([self._penalised(vector) for vector in vectors])
        return self.rows.reduce(summarise) + self.alpha * penalised

    def hessian(self, params: Array) -> Array:
        """The Hessian, shape (n_params, n_params): symmetric up to rounding."""
        unit = np.eye(self.network.n_params)
        parts = [
            self.hessian_vector_products(params, unit[start : start + _AT_ONCE])
            for start in range(0, len(unit), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def last_layer_hessian(self, params: Array) -> Array:
        """The block of the Hessian for the last layer alone, ``network.last_layer``."""

        def summarise(block: RowBlock) -> Array:
            h = self.network.last_hidden(block.X, params)
            pointwise = self.loss.at(block.y, h.predictor(stacked.T[index]))
            hessian = np.zeros((len(stacked), K, len(stacked), K))
            for pairs, sign, magnitude in pointwise.curvature():
                matrix = sign * h.sandwich(block.weighted(magnitude)).matrix()
                for k, j in pairs:
                    hessian[:, k, :, j] = hessian[:, j, :, k] = matrix
            return hessian.reshape(stacked.size, stacked.size)

        K = self.network.n_outputs
        index = 0 if K == 1 else slice(None)
        stacked = params[self.network.last_layer].reshape(-1, K)
        penalised = np.ones(stacked.size)
        penalised[-K:] = 0.0
        return self.rows.reduce(summarise) + np.diag(self.alpha * penalised)

    def identified_hessian(self, hessian: Array) -> Array:
        """A Hessian restricted to directions that change the probabilities of softmax.

        The same number added to the intercepts of all outputs changes no probability. Without a
        penalty the same is true of the weights from each unit of the last hidden layer. For other
        losses nothing is removed.

        Parameters
        ----------
        hessian : ndarray of shape (n_params, n_params)
            The Hessian over all parameters.

        Returns
        -------
        ndarray of shape (m, m), m ≤ n_params
            ``NᵀHN`` with an orthonormal basis N of the other directions.
        """
        if not self.loss.shift_invariant:
            return hessian
        from_each_unit = self.network.last_layer.reshape(-1, self.network.n_outputs)
        free = from_each_unit if self.alpha == 0 else from_each_unit[-1:]
        shift = np.zeros((len(free), len(hessian)))
        np.put_along_axis(shift, free, 1.0, axis=1)
        others = linalg.null_space(shift)
        return others.T @ hessian @ others

    def identified_eigenvalues(self, hessian: Array) -> Array:
        """Eigenvalues of :meth:`identified_hessian`, ascending; all positive at a minimum."""
        identified = self.identified_hessian(hessian)
        with single_threaded_blas():
            return np.asarray(np.linalg.eigvalsh(identified), dtype=np.float64)

    def _backpropagation(self, block: RowBlock, params: Array) -> _Backpropagation:
        return _Backpropagation.of(self.network, self.loss, block, params)

    def _with_penalty(self, slope: Slope, params: Array) -> Slope:
        gradient = slope.gradient + self.alpha * self._penalised(params)
        return Slope(slope.value + self._penalty(params), gradient)

    def _penalised(self, params: Array) -> Array:
        """The parameters with the intercepts set to zero."""
        coefs = params.copy()
        coefs[self.network.n_params - sum(self.network.sizes[1:]) :] = 0.0
        return coefs

    def _penalty(self, params: Array) -> float:
        return half_squares(self.alpha, self._penalised(params))


@dataclass
class _SlopeAndCurvature:
    """Slope and curvature from one pass; ``+=`` adds in place."""

    slope: Slope
    curvature: KroneckerSums

    def __iadd__(self, other: _SlopeAndCurvature) -> Self:
        self.slope += other.slope
        self.curvature += other.curvature
        return self


@dataclass(frozen=True)
class _Backpropagation:
    """One forward and one backward pass through the network for a block of rows.

    Parameters
    ----------
    network, loss, block
        The network, its loss, and the rows.
    parameters : NetworkParameters
        The parameters.
    value : float
        ``Σ wᵢ ℓᵢ``.
    hidden : list of ndarray
        ``h_1 … h_{L-1}``.
    eta : ndarray of shape (b, K)
        ``η``.
    slopes : list of ndarray
        ``σ′(a_1) … σ′(a_{L-1})``.
    deltas : list of ndarray
        ``δ_1 … δ_L``.
    errors : list of ndarray
        ``ε_1 … ε_{L-1}``: δ before the product with σ′.
    """

    network: Network
    loss: Loss
    block: RowBlock
    parameters: NetworkParameters
    value: float
    hidden: list[Array]
    eta: Array
    slopes: list[Array]
    deltas: list[Array]
    errors: list[Array]

    @classmethod
    def of(cls, network: Network, loss: Loss, block: RowBlock, params: Array) -> _Backpropagation:
        """Backpropagation for a block of rows."""
        parameters = network.unflatten(params)
        *hidden, eta = network.hidden(block.X, parameters)
        pointwise = loss.at(block.y, squeezed(eta))
        value = float(block.weighted(pointwise.value).sum())
        deltas = [block.weighted(pointwise.gradient).reshape(eta.shape)]
        slopes = [network.sigma.slope(h) for h in hidden]
        errors: list[Array] = []
        for W, slope in zip(parameters.coefs[:0:-1], slopes[::-1], strict=True):
            errors.insert(0, product(deltas[0], W.T))
            deltas.insert(0, errors[0] * slope)
        return cls(network, loss, block, parameters, value, hidden, eta, slopes, deltas, errors)

    def gradient(self) -> Array:
        """``∂/∂params`` of the value."""
        coefs = [self.block.X.products(self.deltas[0])]
        coefs += [product(h.T, d) for h, d in zip(self.hidden, self.deltas[1:], strict=True)]
        return self._flat(coefs, self.deltas)

    def hessian_vector_product(self, vector: Array) -> Array:
        """``R{∂/∂params}`` of the value, along a vector."""
        V, c = self.network.unflatten(vector)
        R_a, R_hidden = self._forward(V, c)
        W = self.parameters.coefs
        R_eta = squeezed(R_a[-1])
        curved = self.loss.curvature_product(self.block.y, squeezed(self.eta), R_eta)
        R_deltas = [self.block.weighted(curved).reshape(self.eta.shape)]
        coefs: list[Array] = []
        for layer in range(len(self.hidden) - 1, -1, -1):
            coefs.insert(0, product(R_hidden[layer].T, self.deltas[layer + 1]))
            coefs[0] += product(self.hidden[layer].T, R_deltas[0])
            R_error = product(R_deltas[0], W[layer + 1].T)
            R_error += product(self.deltas[layer + 1], V[layer + 1].T)
            R_delta = R_error * self.slopes[layer]
            if (curvature := self.network.sigma.curvature) is not None:
                R_delta += self.errors[layer] * curvature(self.hidden[layer]) * R_a[layer]
            R_deltas.insert(0, R_delta)
        coefs.insert(0, self.block.X.products(R_deltas[0]))
        return self._flat(coefs, R_deltas)

    def _forward(self, V: list[Array], c: list[Array]) -> tuple[list[Array], list[Array]]:
        """``R{a_1} … R{a_L}`` and ``R{h_1} … R{h_{L-1}}`` along (V, c)."""
        R_a = [self.block.X.predictor(V[0].T) + c[0]]
        R_hidden: list[Array] = []
        for layer, h in enumerate(self.hidden):
            R_hidden.append(self.slopes[layer] * R_a[layer])
            step = product(R_hidden[layer], self.parameters.coefs[layer + 1])
            step += product(h, V[layer + 1])
            R_a.append(step + c[layer + 1])
        return R_a, R_hidden

    def _flat(self, coefs: list[Array], deltas: list[Array]) -> Array:
        intercepts = [np.sum(delta, axis=0) for delta in deltas]
        return NetworkParameters(coefs, intercepts).ravel()
