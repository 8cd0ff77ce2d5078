"""The coefficients of a network, its outputs, and derivatives with respect to all parameters."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_params
from mcmodels.estimators.model import Model, coefficient_array
from mcmodels.estimators.network_targets import Prepare
from mcmodels.estimators.streams import checked_rows
from mcmodels.estimators.validation import validated_rows
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Loss
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows, Rows, StreamedMatrix, rows_of
from mcmodels.solvers import room

__all__ = ["NetworkModel", "network_rows", "refuse_large_hessian"]

# Sizes of row blocks for which the activations of a block stay in cache: largest number of entries
# in the widest layer, and the smallest and largest number of rows.
_BLOCK_ENTRIES, _FEWEST_ROWS, _MOST_ROWS = 2**17, 256, 2**13


class NetworkModel(Model):
    """A network with ``coefs_`` and ``intercepts_``, which have one array for each layer."""

    _coefficients = ("coefs_", "intercepts_")
    _tracked: tuple[str, ...] = _coefficients
    activation: str
    alpha: float
    coefs_: list[Array]
    intercepts_: list[Array]

    # How scikit-learn's checks take the targets.
    _for_y: dict[str, Any]

    @abstractmethod
    def _loss_of_outputs(self, n_outputs: int) -> Loss:
        """The pointwise loss as a function of so many outputs, if no fit says which."""

    @abstractmethod
    def _preparation(self) -> Prepare:
        """What makes targets and weights for the loss of those of rows."""

    def _loss(self) -> Loss:
        """The pointwise loss of the fit; that of the parameters where layers were assigned."""
        if self._fit is not None:
            return self._fit.pointwise
        return self._loss_of_outputs(self.n_outputs_)

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> NetworkObjective:
        """The objective over rows, which it validates."""
        X, y, weights = checked_rows(self, X, y, sample_weight, **self._for_y)
        targets, weights = self._preparation()(y, weights)
        return self._objective_over(X, targets, weights)

    @property
    def params_(self) -> Array:
        """All ``W_l`` raveled in C order, then all ``b_l``.

        After a fit, ``coefs_`` and ``intercepts_`` are views of this vector.
        """
        return self._layers().vector()

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``coefs_`` and ``intercepts_``."""
        vector = check_params(self._as_vector(params, "params_"), self.params_.shape)
        self.coefs_, self.intercepts_ = self._network.unflatten(vector.copy())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        with contextlib.suppress(InferenceError, NotFittedError):  # no fit to restore
            # Arrays in a pickle are not views of one vector: make them such again.
            self.coefs_, self.intercepts_ = self._network.unflatten(self.params_)

    def _layers(self) -> NetworkParameters:
        """The coefficients that predictions use; refused if the layers do not fit together."""
        self._check_has_coefficients()
        try:
            lists = list(self.coefs_), list(self.intercepts_)
        except TypeError as error:
            raise InferenceError(
                "coefs_ and intercepts_ must be lists with an array for each layer."
            ) from error
        coefs = [coefficient_array("coefs_", part) for part in lists[0]]
        intercepts = [coefficient_array("intercepts_", part) for part in lists[1]]
        units = [W.shape for W in coefs if W.ndim == 2]
        fit = (
            len(units) == len(coefs) == len(intercepts) > 0
            and all(first[1] == second[0] for first, second in pairwise(units))
            and all(b.shape == shape[1:] for b, shape in zip(intercepts, units, strict=True))
        )
        if not fit:
            raise InferenceError(
                f"coefs_ has arrays of shapes {[W.shape for W in coefs]} and intercepts_ of shapes "
                f"{[b.shape for b in intercepts]}, which do not fit together."
            )
        return NetworkParameters(coefs, intercepts)

    @property
    def n_layers_(self) -> int:
        """Number of layers; the features count as the first."""
        return len(self._network.sizes)

    @property
    def n_outputs_(self) -> int:
        """Number of outputs of the last layer."""
        return self._network.n_outputs

    @property
    def _network(self) -> Network:
        """The network of the coefficients that predictions use."""
        coefs = self._layers().coefs
        sizes = (coefs[0].shape[0], *(W.shape[1] for W in coefs))
        activation = self.activation if self._fit is None else self._fit.network.activation
        return Network(sizes, activation)

    def hessian(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> Array:
        """The Hessian of :meth:`objective` over the vector of parameters.

        Parameters are those of :meth:`objective`.

        Returns
        -------
        ndarray of shape (n_params, n_params)

        Raises
        ------
        ValueError
            With more than 8192 parameters.
        """
        refuse_large_hessian(self.params_.size, "hessian(X, y)")
        return super().hessian(X, y, params, sample_weight)

    def hessian_vector_product(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        vector: VectorLike,
    ) -> Array:
        """The Hessian of :meth:`objective` times a vector, in one pass over the rows.

        Parameters
        ----------
        X, y, params, sample_weight
            As in :meth:`objective`.
        vector : array-like of shape (n_params,), or NetworkParameters
            The direction.

        Returns
        -------
        ndarray of shape (n_params,)
        """
        direction = self._as_vector(vector, "vector")
        return super().hessian_vector_product(X, y, params, sample_weight, vector=direction)

    def _point(self, params: VectorLike | None) -> Array:
        fitted = self.params_
        if params is None:
            return fitted
        return check_params(self._as_vector(params, "params"), fitted.shape)

    def _as_vector(self, given: VectorLike | None, name: str) -> VectorLike | None:
        """NetworkParameters as a vector; any other value is returned unchanged."""
        self._check_has_coefficients()
        if not isinstance(given, NetworkParameters):
            return given
        fitted = self._layers()
        found, expected = (
            [np.shape(p) for p in (*layers[0], *layers[1])] for layers in (given, fitted)
        )
        if found != expected:
            raise ValueError(
                f"{name} has layers of shapes {found}; those of the fitted network are {expected}. "
                "Pass (coefs, intercepts) with these shapes, or a vector like params_."
            )
        return given.ravel()

    def _objective_over(
        self, X: Matrix, targets: Values | None, weights: Array | None
    ) -> NetworkObjective:
        network = self._network
        rows = network_rows(network, X, targets, weights)
        return NetworkObjective(rows, network, self._loss(), float(self.alpha))

    def _outputs(self, X: MatrixLike) -> Array:
        """η of each row, shape (n_samples,) or (n_samples, K); float32 for float32 rows."""
        network, params = self._network, self.params_
        rows = network_rows(network, validated_rows(self, X), None, None)
        return rows.map(
            lambda block: network.outputs(block.X, params).astype(rows.dtype, copy=False)
        )


def network_rows(
    network: Network, X: Matrix | StreamedMatrix, targets: Values | None, weights: Array | None
) -> Rows:
    """Rows in blocks of such a height that the activations of a block stay in cache."""
    if isinstance(X, StreamedMatrix):
        return rows_of(X, targets, weights, intercept=False)
    widest = max(network.sizes[1:] if issparse(X) else network.sizes)
    height = int(np.clip(_BLOCK_ENTRIES // widest, _FEWEST_ROWS, _MOST_ROWS))
    return ArrayRows(X, targets, weights, intercept=False, block_rows=height)


def refuse_large_hessian(n_params: int, wanted: str) -> None:
    """Raise ValueError if ``wanted`` needs a Hessian of too many parameters."""
    if room.too_many(n_params):
        raise ValueError(
            f"{wanted} needs a matrix of {n_params} × {n_params}; the limit is "
            f"{room.LARGEST_SIDE} parameters. Use smaller hidden_layer_sizes, or "
            "hessian_vector_product."
        )
