"""What MLPClassifier and MLPRegressor share: parameters, start, descent, fitted attributes."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, Matrix, MatrixLike, RandomState, Values, VectorLike, Weights
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks
from mcmodels.estimators.model import Fitted, numbers
from mcmodels.estimators.network_methods import NetworkMethods
from mcmodels.estimators.validation import (
    Features,
    check_choice,
    check_count,
    check_flag,
    check_number,
    check_params,
    check_weights,
    refuse_not_finite,
    training_pair,
    validated_rows,
)
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Loss
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.results.networks import NetworkFit
from mcmodels.results.record import digest
from mcmodels.results.training_rows import TrainingRows
from mcmodels.rows import ArrayRows, RowsWithCrossSums, Seen
from mcmodels.solvers import Solution, lbfgs, room, trust_region
from mcmodels.solvers.descent import DescentResult

__all__ = ["NetworkEstimator", "Targets"]

# The activations of a block stay in cache: entries of its widest layer, and how many rows.
_BLOCK_ENTRIES, _FEWEST_ROWS, _MOST_ROWS = 2**17, 256, 2**13


@dataclass(frozen=True)
class Targets:
    """The targets of a fit as its loss takes them.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Codes of classes, or numbers.
    names : tuple of str
        Names of the classes, or of the targets.
    shape : tuple of int
        Shape of the targets of one row.
    loss : Loss
        The pointwise loss in the outputs.
    n_outputs : int
        Outputs of the network.
    attributes : dict
        What the fit publishes of them.
    """

    values: Values
    names: tuple[str, ...]
    shape: tuple[int, ...]
    loss: Loss
    n_outputs: int
    attributes: dict[str, Any]


class NetworkEstimator(CallbackSupportMixin, NetworkMethods):
    """A network trained on rows in memory; its subclasses know the targets and their loss."""

    _for_y: dict[str, Any] = {}

    gradient_ = Fitted("gradient", "Gradient of the objective at ``params_``, layer by layer.")
    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    loss_ = Fitted("loss", "``objective_ / Σ wᵢ``, as in scikit-learn.")
    hessian_ = Fitted(
        "hessian", "Hessian of the objective over ``params_``, when it was asked for."
    )
    critical_point_ = Fitted(
        "critical_point",
        """Whether ``params_`` is a minimum or a saddle, when the Hessian was asked for.

        By the eigenvalues of ``hessian_``; of more than two classes without the directions in which
        all outputs are shifted by their intercepts, or without a penalty by a hidden unit: these
        change no probability.
        """,
    )
    n_iter_ = Fitted("n_iter", "Steps taken.", describes_coefficients=False)
    n_passes_ = Fitted("n_passes", "Walks over the rows.", describes_coefficients=False)
    status_ = Fitted("status_text", "How the solver ended.", describes_coefficients=False)
    converged_ = Fitted("converged", "Whether the tolerance was met.", describes_coefficients=False)

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "lbfgs",
        alpha: float = 1e-4,
        max_iter: int = 200,
        tol: float = 1e-4,
        random_state: RandomState = None,
        warm_start: bool = False,
        compute_hessian: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start
        self.compute_hessian = compute_hessian

    @property
    def params_(self) -> Array:
        """All ``W_l`` raveled in C order, then all ``b_l``.

        Where ``coefs_`` and ``intercepts_`` are those of the fit, they are views of this vector.
        """
        return self._layers().vector()

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``coefs_`` and ``intercepts_``."""
        vector = check_params(self._raveled(params, "params_"), self.params_.shape)
        self.coefs_, self.intercepts_ = self._network.unflatten(vector.copy())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        with contextlib.suppress(InferenceError, NotFittedError):  # nothing to predict with
            # A pickle keeps no views.
            self.coefs_, self.intercepts_ = self._network.unflatten(self.params_)

    def _layers(self) -> NetworkParameters:
        """The coefficients that predictions use, as arrays of layers that fit together."""
        self._check_has_coefficients()
        given = self.coefs_, self.intercepts_
        if not all(isinstance(parts, Iterable) for parts in given):
            raise InferenceError("coefs_ and intercepts_ must be lists of arrays, one a layer.")
        coefs = [numbers("coefs_", part) for part in given[0]]
        intercepts = [numbers("intercepts_", part) for part in given[1]]
        units = [W.shape for W in coefs if W.ndim == 2]
        fit = (
            len(units) == len(coefs) == len(intercepts) > 0
            and all(first[1] == second[0] for first, second in pairwise(units))
            and all(b.shape == shape[1:] for b, shape in zip(intercepts, units, strict=True))
        )
        if not fit:
            raise InferenceError(
                f"coefs_ has layers of shapes {[W.shape for W in coefs]} and intercepts_ of "
                f"{[b.shape for b in intercepts]}, which do not fit together."
            )
        return NetworkParameters(coefs, intercepts)

    @property
    def n_layers_(self) -> int:
        """Layers, the features included."""
        return len(self._network.sizes)

    @property
    def n_outputs_(self) -> int:
        """Outputs of the last layer."""
        return self._network.n_outputs

    @abstractmethod
    def _targets_of_fit(self, y: Values, weights: Array | None) -> Targets:
        """The targets as the loss takes them, and what they say about the outputs."""

    @abstractmethod
    def _loss(self) -> Loss:
        """The pointwise loss in the outputs."""

    @property
    def _network(self) -> Network:
        """The layers of the coefficients that predictions use."""
        coefs = self._layers().coefs
        sizes = (coefs[0].shape[0], *(W.shape[1] for W in coefs))
        fitted = self.activation if self._fit is None else self._fit.network.activation
        return Network(sizes, fitted)

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
        _refuse_too_many(self.params_.size, "hessian(X, y)")
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
        direction = self._raveled(vector, "vector")
        return super().hessian_vector_product(X, y, params, sample_weight, vector=direction)

    def _point(self, params: VectorLike | None) -> Array:
        fitted = self.params_
        if params is None:
            return fitted
        return check_params(self._raveled(params, "params"), fitted.shape)

    def _raveled(self, given: VectorLike | None, name: str) -> VectorLike | None:
        """NetworkParameters as a vector; other things as they are."""
        self._check_has_coefficients()
        if not isinstance(given, NetworkParameters):
            return given
        fitted = self._layers()
        found, expected = ([np.shape(p) for p in (*of[0], *of[1])] for of in (given, fitted))
        if found != expected:
            raise ValueError(
                f"{name} has layers of shapes {found}; those of the fitted network are {expected}. "
                "Give (coefs, intercepts) with these shapes, or a vector like params_."
            )
        return given.ravel()

    def _check_parameters(self) -> tuple[int, ...]:
        """Refuse what is out of range; return the units of the hidden layers."""
        hidden = self.hidden_layer_sizes
        if isinstance(hidden, np.ndarray):
            hidden = hidden.ravel()
        sizes = tuple(hidden) if isinstance(hidden, Iterable) else (hidden,)
        for size in sizes:
            if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
                raise ValueError(
                    f"hidden_layer_sizes={hidden!r} must hold integers of at least 1, one a "
                    "hidden layer."
                )
        check_choice("activation", self.activation, ("identity", "logistic", "tanh", "relu"))
        check_choice("solver", self.solver, ("lbfgs", "newton-cg"))
        check_number("alpha", self.alpha, at_least=0)
        if not np.isfinite(self.alpha):
            raise ValueError(f"alpha={self.alpha!r} must be finite.")
        check_count("max_iter", self.max_iter, at_least=1)
        check_number("tol", self.tol, at_least=0)
        check_flag("warm_start", self.warm_start)
        check_flag("compute_hessian", self.compute_hessian)
        return tuple(map(int, sizes))

    def _train(self, X: MatrixLike, y: VectorLike, sample_weight: Weights) -> Self:
        hidden = self._check_parameters()
        features, X, y = training_pair(self, X, y, **self._for_y)
        weights = check_weights(sample_weight, X)
        targets = self._targets_of_fit(y, weights)
        network = Network((X.shape[1], *hidden, targets.n_outputs), self.activation)
        if self.compute_hessian:
            _refuse_too_many(network.n_params, "compute_hessian=True")
        n_classes = len(targets.names) if "classes_" in targets.attributes else None
        rows = RowsWithCrossSums(_rows(network, X, targets.values, weights), n_classes)
        objective = NetworkObjective(rows, network, targets.loss, float(self.alpha))
        published = targets.attributes | features.attributes

        def attributes_of(params: Array) -> dict[str, Any]:
            coefs, intercepts = network.unflatten(params)
            return {"coefs_": coefs, "intercepts_": intercepts} | published

        callbacks = FitCallbacks(self, attributes_of, X, y, weights, f"{self.solver}-step")
        with refuse_not_finite(self, X):
            solution, stopped = self._descend(objective, self._start(network), callbacks)
            record = self._recorded(solution, objective, targets, features)
        if not record.converged:
            self._warn_not_converged(solution, stopped)
        return self._publish(attributes_of(solution.value.params) | {"_fit": record})

    def _start(self, network: Network) -> Array:
        """Random; with ``warm_start`` the last parameters, when the layers are the same."""
        if self.warm_start and hasattr(self, "params_") and self._network == network:
            return self.params_
        return network.random_start(check_random_state(self.random_state))

    def _objective_over(
        self, X: Matrix, targets: Values | None, weights: Array | None
    ) -> NetworkObjective:
        network = self._network
        rows = _rows(network, X, targets, weights)
        return NetworkObjective(rows, network, self._loss(), float(self.alpha))

    def _outputs(self, X: MatrixLike) -> Array:
        """η of each row, shape (n_samples,) or (n_samples, K)."""
        network, params = self._network, self.params_
        rows = _rows(network, validated_rows(self, X), None, None)
        return rows.map(lambda block: network.outputs(block.X, params))

    def _descend(
        self, objective: NetworkObjective, start: Array, callbacks: FitCallbacks
    ) -> tuple[Solution[DescentResult], bool]:
        """Run the solver, and the callbacks after each step; whether one of them stopped it."""
        stopped = False

        def after_step(params: Array) -> bool:
            nonlocal stopped
            callbacks.begin_step()
            stopped = callbacks.end_step(params)
            return stopped

        callbacks.begin()
        total = objective.rows.total_weight
        options: dict[str, Any] = {
            "gradient_tolerance": float(self.tol) * total,
            "max_iter": int(self.max_iter),
            "after_step": after_step,
        }
        if self.solver == "lbfgs":
            # A penalty that outweighs the rows sets the scale.
            scale = max(total, float(self.alpha))
            solution = lbfgs.minimise_by_lbfgs(objective, start, scale=scale, **options)
        else:
            solution = trust_region.minimise_in_trust_region(objective, start, **options)
        callbacks.end(solution.value.params)
        return solution, stopped

    def _recorded(
        self,
        solution: Solution[DescentResult],
        objective: NetworkObjective,
        targets: Targets,
        features: Features,
    ) -> NetworkFit:
        minimum, rows = solution.value, objective.rows
        assert isinstance(rows, RowsWithCrossSums)
        seen = Seen.of(rows)
        parameters = objective.network.unflatten(minimum.params)
        hessian = eigenvalues = None
        if self.compute_hessian:
            hessian = objective.hessian(minimum.params)
            eigenvalues = objective.identified_eigenvalues(hessian)
        return NetworkFit(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=features.names,
            seen=seen,
            digest=digest([*parameters.coefs, *parameters.intercepts]),
            network=objective.network,
            gradient=objective.network.unflatten(minimum.slope.gradient),
            objective=minimum.slope.value,
            n_passes=minimum.passes,
            alpha=float(self.alpha),
            target_shape=targets.shape,
            kept_hessian=hessian,
            eigenvalues=eigenvalues,
            training=TrainingRows.of(
                seen,
                rows.cross_sums,
                features.names,
                targets.names,
                is_classes="classes_" in targets.attributes,
            ),
        )

    def _warn_not_converged(self, solution: Solution[DescentResult], stopped: bool) -> None:
        largest = np.abs(solution.value.slope.gradient).max()
        where = f"with the largest entry of the gradient at {largest:.1e}"
        if stopped:
            text = f"was stopped by a callback after {solution.iterations} steps {where}"
        elif solution.iterations >= self.max_iter:
            text = (
                f"stopped after max_iter={solution.iterations} steps {where}. Raise max_iter, "
                "scale the columns, or allow more by tol"
            )
        else:
            kink = " This may be a kink of relu; activation='tanh' has none."
            text = (
                f"found no further decrease after {solution.iterations} steps, {where}."
                f"{kink if self.activation == 'relu' else ''} Scale the columns and the targets, "
                "or allow more by tol"
            )
        warn_not_converged(f"{self.solver} {text}.")


def _rows(network: Network, X: Matrix, targets: Values | None, weights: Array | None) -> ArrayRows:
    """Rows in blocks so tall that the activations of a block stay in cache."""
    widest = max(network.sizes[1:] if issparse(X) else network.sizes)
    height = int(np.clip(_BLOCK_ENTRIES // widest, _FEWEST_ROWS, _MOST_ROWS))
    return ArrayRows(X, targets, weights, intercept=False, block_rows=height)


def _refuse_too_many(n_params: int, asked: str) -> None:
    if room.too_many(n_params):
        raise ValueError(
            f"{asked} needs a matrix of {n_params} × {n_params}; at most {room.LARGEST_SIDE} "
            "parameters have room. Use smaller hidden_layer_sizes, or hessian_vector_product."
        )
