"""Laplace's approximation of a network: the uncertainty of its parameters and outputs.

With H the Hessian of ``Σ wᵢ ℓᵢ + α/2 Σ ‖W‖²`` at a minimum θ̂, the posterior of the parameters
under a normal prior is approximately normal near θ̂:

=====================  ======================================================================
posterior              ``N(θ̂, σ²H⁻¹)``; σ² = 1 where ℓ is a negative log-likelihood
outputs                ``η(x) ~ N(η̂, σ² J H⁻¹ Jᵀ)``, ``J = ∂η/∂θ`` at θ̂ (linearised)
effective parameters   ``γ = tr(H⁻¹ Σ wᵢ ∇²ℓᵢ) = rank - α tr(H⁻¹ on the weights)``
noise of ½‖y - η‖²     ``σ̂² = Σ wᵢ ‖yᵢ - ηᵢ‖² / (nK - γ)``
=====================  ======================================================================

For the last layer alone, with the other layers fixed, H is a diagonal block, and J is that of a
linear model in the last hidden units. Sources: MacKay (1992), *A practical Bayesian framework for
backpropagation networks*, Neural Computation 4(3), eq. 2.20 and §3; Bishop (2006), *Pattern
Recognition and Machine Learning*, §5.7.1 (eq. 5.167–5.173), §5.7.2 (γ, eq. 5.179) and §5.7.3;
Kristiadi, Hein and Hennig (2020), *Being Bayesian, even just a bit, fixes overconfidence in ReLU
networks*, ICML (the last layer).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.probability_intervals import intervals_of_more, intervals_of_two
from mcmodels.inference.summary import Summarised, Summary, number
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING, FLAT_DERIVATIVE, JACOBIAN_ENTRIES
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import Design, RowBlock, Rows
from mcmodels.rows.blocks import rows_between

__all__ = ["Curvature", "NetworkPosterior", "intervals_of_means", "network_posterior"]

Curvature = Literal["last_layer", "full"]


@dataclass(frozen=True, repr=False, eq=False)
class NetworkPosterior(Summarised):
    """The normal approximation of the posterior of a network's parameters.

    Parameters
    ----------
    network : Network
        The network.
    params : ndarray of shape (n_params,)
        θ̂.
    curvature : {"last_layer", "full"}
        Which parameters are uncertain: those of the last layer, or all.
    root : ndarray of shape (k, r)
        T with ``TTᵀ = H⁻¹`` for the k uncertain parameters.
    flat : ndarray of shape (k, k - r)
        Orthonormal directions without curvature.
    effective_parameters : float
        γ.
    dispersion : float
        σ².
    df : float
        Degrees of freedom of σ̂²; infinite if σ² is known.
    shift_invariant : bool
        Whether adding a number to all outputs of a row does not change the loss.
    """

    network: Network
    params: Array
    curvature: Curvature
    root: Array
    flat: Array
    effective_parameters: float
    dispersion: float
    df: float
    shift_invariant: bool

    @property
    def covariance(self) -> Array:
        """``σ²H⁻¹`` of the uncertain parameters, shape (k, k)."""
        return self.dispersion * (self.root @ self.root.T)

    def summary(self) -> Summary:
        """How many parameters are uncertain, and how much the rows determine."""
        facts = {
            "uncertain parameters": str(len(self.root)),
            "effective parameters": number(self.effective_parameters),
            "residual variance": number(self.dispersion),
        }
        return Summary("Laplace's approximation of a network's posterior", facts, {})

    def quantile(self, level: float) -> float:
        """Distance from a prediction to the ends of an interval, in standard errors."""
        return Estimate(np.zeros(0), np.zeros((0, 0)), (), self.df).quantile(level)

    def outputs(self, rows: Rows, *, of_observation: bool = False) -> tuple[Array, Array]:
        """``η̂`` and the standard errors of its entries, each of shape (n_rows, K).

        Errors are those of η itself, or of an observation about it.
        """

        def of(block: RowBlock) -> Array:
            eta, covariance = self._moments(block.X)
            return np.stack([eta, np.sqrt(np.einsum("bkk->bk", covariance))])

        found = rows.map(lambda block: np.moveaxis(of(block), 0, 1))
        eta, error = found[:, 0], found[:, 1]
        return eta, np.sqrt(error**2 + self.dispersion) if of_observation else error

    def probabilities(self, rows: Rows, quantile: float) -> Array:
        """Probability, standard error, lower and upper end; shape (n_rows, 1 or K, 4).

        Of softmax, of each class against all others; else of each output by itself.
        """

        def of(block: RowBlock) -> Array:
            eta, covariance = self._moments(block.X)
            if self.shift_invariant:
                return intervals_of_more(eta, covariance, quantile)
            error = np.sqrt(np.einsum("bkk->bk", covariance))
            each = zip(eta.T, error.T, strict=True)
            return np.concatenate([intervals_of_two(*of, quantile) for of in each], axis=1)

        return rows.map(of)

    def _moments(self, X: Design) -> tuple[Array, Array]:
        """``η̂`` of rows and its covariance, shapes (b, K) and (b, K, K)."""
        K = self.network.n_outputs
        eta = self.network.outputs(X, self.params).reshape(-1, K)
        covariance = np.empty((len(eta), K, K))
        step = max(1, JACOBIAN_ENTRIES // (K * len(self.root)))
        for start in range(0, len(eta), step):
            part = slice(start, start + step)
            some = type(X)(rows_between(X.X, part), intercept=False)
            covariance[part] = self._covariance_over_dispersion(some)
        return eta, self.dispersion * covariance

    def _covariance_over_dispersion(self, X: Design) -> Array:
        full = self.curvature == "full"
        jacobian = self.network.output_jacobian if full else self.network.last_layer_jacobian
        J = jacobian(X, self.params)
        self._refuse_flat(J)
        spread = J @ self.root
        return spread @ np.swapaxes(spread, 1, 2)

    def _refuse_flat(self, J: Array) -> None:
        if not self.flat.size:
            return
        along = J @ self.flat
        if self.shift_invariant:
            along = along - along.mean(axis=1, keepdims=True)
        slope = np.linalg.norm(J, axis=(1, 2))
        if (np.abs(along).max(axis=(1, 2)) > FLAT_DERIVATIVE * slope).any():
            raise InferenceError(
                "an output depends on a combination of parameters that the training rows do not "
                "determine: the objective has no curvature along it. Raise alpha, or take "
                "curvature='last_layer'."
            )


def network_posterior(
    objective: NetworkObjective, params: Array, curvature: Curvature, *, noise: bool
) -> NetworkPosterior:
    """The posterior from the curvature at a minimum; with ``noise``, σ² is estimated.

    Raises
    ------
    InferenceError
        If the Hessian has a negative eigenvalue, or there are fewer rows than effective parameters.
    """
    network = objective.network
    if curvature == "full":
        H, varying = objective.hessian(params), np.arange(network.n_params)
    else:
        H, varying = objective.last_layer_hessian(params), network.last_layer
    root, flat = _root((H + H.T) / 2)
    penalised = np.zeros(network.n_params)
    penalised[: sum(W.size for W in network.unflatten(params).coefs)] = objective.alpha
    shrunk = penalised[varying] @ np.einsum("ij,ij->i", root, root)
    effective = root.shape[1] - float(shrunk)
    dispersion, df = 1.0, np.inf
    if noise:
        residual_squares = 2 * (objective.value(params) - float(penalised @ params**2) / 2)
        df = objective.rows.total_weight * network.n_outputs - effective
        if df <= 0:
            raise InferenceError(
                f"there are {objective.rows.total_weight:g} rows for {effective:.1f} effective "
                "parameters, and nothing is left to estimate the noise from. Raise alpha, or take "
                "fewer hidden units."
            )
        dispersion = residual_squares / df
    shift_invariant = objective.loss.shift_invariant
    return NetworkPosterior(
        network, params, curvature, root, flat, effective, dispersion, df, shift_invariant
    )


def intervals_of_means(eta: Array, error: Array, quantile: float) -> Array:
    """Mean counts ``e^η``, their standard errors and the ends of intervals, shape (n_rows, K, 4).

    The ends are those of η, mapped; the error is ``e^η`` times that of η (the delta method).
    """
    with np.errstate(over="ignore"):
        mean, low, high = (
            np.exp(eta),
            np.exp(eta - quantile * error),
            np.exp(eta + quantile * error),
        )
    return np.stack([mean, mean * error, low, high], axis=2)


def _root(H: Array) -> tuple[Array, Array]:
    """T with ``TTᵀ = H⁺``, and orthonormal directions without curvature."""
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(H)), 0.0))
    scale[scale == 0] = 1.0
    values, vectors = linalg.eigh(H / np.outer(scale, scale))
    zero = EIGENVALUE_ROUNDING * len(H) * values[-1]
    if values[0] < -zero:
        raise InferenceError(
            f"the Hessian has a negative eigenvalue ({values[0]:.2g} of {values[-1]:.2g} with unit "
            "diagonal): the parameters are not at a minimum, so there is no normal approximation. "
            "Train until converged (a smaller tol, more max_iter), raise alpha, or take "
            "curvature='last_layer'."
        )
    curved = values > zero
    root = vectors[:, curved] / np.sqrt(values[curved]) / scale[:, np.newaxis]
    flat = vectors[:, ~curved] / scale[:, np.newaxis]
    return root, np.linalg.qr(flat)[0] if flat.size else flat
