"""Feed-forward networks: layers, activations, their outputs η and the Jacobian of η.

Layer l = 1 … L maps ``h_{l-1}`` to ``h_l``, for b rows at once (one a row of each matrix):

==================  =============================================================================
pre-activation      ``a_l = h_{l-1} W_l + b_l``, ``h_0 = X``
hidden layer        ``h_l = σ(a_l)`` for l < L
output              ``η = a_L``; probabilities are the logistic function or the softmax of it
Jacobian of ``ηₖ``  ``∂ηₖ/∂W_l = h_{l-1}ᵀ δ_l`` row by row, ``δ_L = eₖ``,
                    ``δ_{l-1} = (δ_l W_lᵀ) ∘ σ′(a_{l-1})``
==================  =============================================================================

Layers are stored as in scikit-learn: ``W_l`` of shape (fan in, fan out). The parameters are one
vector: all W_l raveled in C order, then all b_l. Sources: Bishop (2006), *Pattern Recognition and
Machine Learning*, §5.1 and §5.3.4 (eq. 5.70–5.76).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from mcmodels.rows import DenseDesign, Design
from mcmodels.rows.blocks import Array, product


@dataclass(frozen=True)
class Activation:
    """An activation σ and its derivatives, written in ``h = σ(a)``.

    Parameters
    ----------
    value : callable
        ``σ(a)``.
    slope : callable
        ``σ′(a)`` as a function of h.
    curvature : callable or None
        ``σ″(a)`` as a function of h; None where it is zero everywhere.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array] | None


# relu has no derivatives at 0: σ′ counts as 0 there, and σ″ as 0 everywhere.
ACTIVATIONS = {
    "identity": Activation(lambda a: a, np.ones_like, None),
    "relu": Activation(lambda a: np.maximum(a, 0.0), lambda h: (h > 0).astype(np.float64), None),
    "tanh": Activation(np.tanh, lambda h: 1.0 - h**2, lambda h: -2.0 * h * (1.0 - h**2)),
    "logistic": Activation(
        expit, lambda h: h * (1.0 - h), lambda h: h * (1.0 - h) * (1.0 - 2.0 * h)
    ),
}


class NetworkParameters(NamedTuple):
    """Parameters of a network, or derivatives with respect to them, layer by layer.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        ``W_l``.
    intercepts : list of ndarray of shape (fan_out,)
        ``b_l``.
    """

    coefs: list[Array]
    intercepts: list[Array]

    def ravel(self) -> Array:
        """All in one new vector, in the order of the parameters."""
        return np.concatenate([part.ravel() for part in (*self.coefs, *self.intercepts)])

    def vector(self) -> Array:
        """The vector that all arrays are views of, if there is one; else :meth:`ravel`."""
        parts = (*self.coefs, *self.intercepts)
        whole = parts[0].base
        if not isinstance(whole, np.ndarray) or whole.ndim != 1:
            return self.ravel()
        places = np.cumsum([0, *(part.nbytes for part in parts)])
        together = all(
            part.ctypes.data == whole.ctypes.data + place and part.flags.c_contiguous
            for part, place in zip(parts, places[:-1], strict=True)
        )
        return whole if together and whole.nbytes == places[-1] else self.ravel()


@dataclass(frozen=True)
class Network:
    """A fully connected network: the order of its parameters in a vector, and its outputs.

    Parameters
    ----------
    sizes : tuple of int
        Units of each layer, from the features to the outputs.
    activation : {"identity", "relu", "tanh", "logistic"}
        The activation σ of the hidden layers.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.objectives.network import Network
    >>> network = Network((2, 3, 1), "tanh")
    >>> network.n_params
    13
    >>> coefs, intercepts = network.unflatten(np.arange(13.0))
    >>> coefs[1].T, intercepts
    (array([[6., 7., 8.]]), [array([ 9., 10., 11.]), array([12.])])
    """

    sizes: tuple[int, ...]
    activation: str

    @property
    def sigma(self) -> Activation:
        """The activation of the hidden layers."""
        return ACTIVATIONS[self.activation]

    @cached_property
    def n_params(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self._shapes)

    @cached_property
    def _shapes(self) -> list[tuple[int, ...]]:
        fans = list(pairwise(self.sizes))
        return [*fans, *[(fan_out,) for _, fan_out in fans]]

    @property
    def n_outputs(self) -> int:
        """K, the number of outputs."""
        return self.sizes[-1]

    @cached_property
    def last_layer(self) -> npt.NDArray[np.intp]:
        """Positions of the parameters of the last layer: ``W_L`` raveled, then ``b_L``."""
        places = self.unflatten(np.arange(self.n_params, dtype=np.float64))
        last = NetworkParameters(places.coefs[-1:], places.intercepts[-1:])
        return last.ravel().astype(np.intp)

    def unflatten(self, params: Array) -> NetworkParameters:
        """Views of a vector of parameters, layer by layer."""
        parts = []
        start = 0
        for shape in self._shapes:
            size = math.prod(shape)
            parts.append(params[start : start + size].reshape(shape))
            start += size
        n_layers = len(self.sizes) - 1
        return NetworkParameters(parts[:n_layers], parts[n_layers:])

    def random_start(self, random: np.random.RandomState) -> Array:
        """Random start of a descent: uniform about zero, layer by layer, W then b.

        The bounds ``√(6/(fan_in + fan_out))``, with 2 in place of 6 for the logistic function, are
        those of Glorot and Bengio (2010), *Understanding the difficulty of training deep
        feedforward neural networks*, AISTATS, eq. 16. scikit-learn draws the same numbers.
        """
        factor = 2.0 if self.activation == "logistic" else 6.0
        start = NetworkParameters([], [])
        for fan_in, fan_out in pairwise(self.sizes):
            bound = np.sqrt(factor / (fan_in + fan_out))
            start.coefs.append(random.uniform(-bound, bound, (fan_in, fan_out)))
            start.intercepts.append(random.uniform(-bound, bound, fan_out))
        return start.ravel()

    def hidden(self, X: Design, parameters: NetworkParameters) -> list[Array]:
        """``h_1 … h_{L-1}`` of each row, then ``η``, shape (b, K)."""
        coefs, intercepts = parameters
        h = X.predictor(coefs[0].T)
        h += intercepts[0]
        layers = []
        for W, b in zip(coefs[1:], intercepts[1:], strict=True):
            layers.append(self.sigma.value(h))
            h = product(layers[-1], W)
            h += b
        return [*layers, h]

    def outputs(self, X: Design, params: Array) -> Array:
        """``η`` of each row: (b,) for one output, (b, K) for K."""
        return squeezed(self.hidden(X, self.unflatten(params))[-1])

    def output_jacobian(self, X: Design, params: Array) -> Array:
        """``∂ηₖ/∂params`` of each row, shape (b, K, n_params).

        Parameters
        ----------
        X : Design
            A block of b rows, without an intercept.
        params : ndarray of shape (n_params,)
            The parameters.

        Returns
        -------
        ndarray of shape (b, K, n_params)
        """
        parameters = self.unflatten(params)
        *hidden, eta = self.hidden(X, parameters)
        below = [X.dense(), *hidden]
        jacobian = np.empty((len(eta), self.n_outputs, self.n_params))
        for k, unit in enumerate(np.eye(self.n_outputs)):
            delta = np.broadcast_to(unit, eta.shape)
            parts: list[Array] = []
            intercepts: list[Array] = []
            for layer in range(len(below) - 1, -1, -1):
                outer = below[layer][:, :, np.newaxis] * delta[:, np.newaxis, :]
                parts.insert(0, outer.reshape(len(eta), -1))
                intercepts.insert(0, delta)
                if layer > 0:
                    delta = product(delta, parameters.coefs[layer].T) * self.sigma.slope(
                        below[layer]
                    )
            np.concatenate([*parts, *intercepts], axis=1, out=jacobian[:, k])
        return jacobian

    def last_layer_jacobian(self, X: Design, params: Array) -> Array:
        """``∂ηₖ/∂(W_L, b_L)`` of each row: columns :attr:`last_layer` of the whole Jacobian.

        Returns
        -------
        ndarray of shape (b, K, (m + 1)·K), m the units of the last hidden layer
        """
        h = self.last_hidden(X, params).dense()
        ones = np.ones((len(h), 1))
        return np.einsum("bi,kj->bkij", np.hstack([h, ones]), np.eye(self.n_outputs)).reshape(
            len(h), self.n_outputs, -1
        )

    def last_hidden(self, X: Design, params: Array) -> Design:
        """The input of the last layer, ``(h_{L-1}, 1)``, as design rows of a linear predictor."""
        if len(self.sizes) == 2:
            return type(X)(X.X, intercept=True, scratch=X.scratch)
        return DenseDesign(self.hidden(X, self.unflatten(params))[-2], intercept=True)


def squeezed(eta: Array) -> Array:
    """η of one output as a vector, which pointwise losses expect."""
    return eta[:, 0] if eta.shape[1] == 1 else eta
