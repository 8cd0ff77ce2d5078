"""What MLPClassifier and MLPRegressor share: parameters, start, descent, fitted attributes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import linalg
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from mcmodels._callbacks import ToldFit
from mcmodels._network_inference import LaplaceMixin
from mcmodels._validation import (
    check_choice,
    check_count,
    check_flag,
    check_number,
    check_params,
    check_weights,
    refuse_not_finite,
    validated_pair,
    validated_rows,
)
from mcmodels._verdicts import warn_not_converged
from mcmodels.base import DifferentiableMixin
from mcmodels.calculus import CriticalPoint
from mcmodels.objectives import Loss, Network, NetworkObjective, NetworkParameters
from mcmodels.rows import ArrayRows, single_threaded_blas
from mcmodels.rows.blocks import Array
from mcmodels.solvers import Solution, Status, lbfgs, room, trust_region
from mcmodels.solvers.descent import DescentResult

# The activations of a block stay in cache: entries of its widest layer, and how many rows.
_BLOCK_ENTRIES, _FEWEST_ROWS, _MOST_ROWS = 2**17, 256, 2**13


class NetworkEstimator(LaplaceMixin, DifferentiableMixin, CallbackSupportMixin, BaseEstimator):
    """A network trained on rows in memory; its subclasses know the targets and their loss."""

    _for_y: dict[str, Any] = {}
    _hessian: Array | None

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "lbfgs",
        alpha: float = 1e-4,
        max_iter: int = 200,
        tol: float = 1e-4,
        random_state: Any = None,
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

    @abstractmethod
    def _targets_of_fit(self, y: Any, weights: Array | None) -> Any:
        """The targets as the loss takes them, and what they say about the outputs."""

    @abstractmethod
    def _loss(self) -> Loss:
        """The pointwise loss in the outputs."""

    def hessian(
        self, X: Any, y: Any = None, params: Any = None, sample_weight: Any = None
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
        check_is_fitted(self)
        _refuse_too_many(self.params_.size, "hessian(X, y)")
        return super().hessian(X, y, params, sample_weight)

    def hessian_vector_product(
        self,
        X: Any,
        y: Any = None,
        params: Any = None,
        sample_weight: Any = None,
        *,
        vector: Any,
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

    def _point(self, params: Any) -> Array:
        check_is_fitted(self)
        if params is None:
            return self.params_
        return check_params(self._raveled(params, "params"), self.params_.shape)

    def _raveled(self, given: Any, name: str) -> Any:
        """NetworkParameters as a vector; other things as they are."""
        check_is_fitted(self)
        if not isinstance(given, NetworkParameters):
            return given
        fitted = NetworkParameters(self.coefs_, self.intercepts_)
        found, expected = ([np.shape(p) for p in (*of[0], *of[1])] for of in (given, fitted))
        if found != expected:
            raise ValueError(
                f"{name} has layers of shapes {found}; those of the fitted network are {expected}. "
                "Give (coefs, intercepts) with these shapes, or a vector like params_."
            )
        return given.ravel()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "params_" in state:  # a pickle keeps no views
            self.coefs_, self.intercepts_ = self._network.unflatten(self.params_)

    @property
    def hessian_(self) -> Array:
        """Hessian of the objective over ``params_``, when it was asked for."""
        return self._kept_hessian("hessian_")

    @property
    def critical_point_(self) -> CriticalPoint:
        """Whether ``params_`` is a minimum or a saddle, when the Hessian was asked for.

        By the eigenvalues of ``hessian_``; of more than two classes without the directions in which
        all outputs are shifted by their intercepts, or without a penalty by a hidden unit: these
        change no probability.
        """
        self._kept_hessian("critical_point_")
        if not self.converged_:
            raise AttributeError(
                "critical_point_ is not there: the fit stopped before the gradient was small. "
                "Raise max_iter."
            )
        return self._critical_point

    def _kept_hessian(self, asked: str) -> Array:
        check_is_fitted(self)
        if self._hessian is None:
            raise AttributeError(
                f"{asked} is not there: it was not asked for. Fit with compute_hessian=True, or "
                "call hessian(X, y) with the training rows."
            )
        return self._hessian

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

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

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        hidden = self._check_parameters()
        X, y = validated_pair(self, X, y, reset=True, **self._for_y)
        weights = check_weights(sample_weight, X)
        targets = self._targets_of_fit(y, weights)
        sizes = (X.shape[1], *hidden, self.n_outputs_)
        network = Network(sizes, self.activation)
        if self.compute_hessian:
            _refuse_too_many(network.n_params, "compute_hessian=True")
        start = self._start(network)
        self._network = network
        rows = self._rows(X, targets, weights)
        objective = NetworkObjective(rows, network, self._loss(), float(self.alpha))
        with refuse_not_finite(self, X):
            solution, stopped = self._descend(objective, start, X, y, weights)
        return self._conclude(objective, solution, stopped)

    def _start(self, network: Network) -> Array:
        """scikit-learn's law (Glorot and Bengio 2010): uniform, layer by layer, W then b.

        With ``warm_start`` the parameters of the last fit, when the layers are the same.
        """
        if self.warm_start and hasattr(self, "params_"):
            # A fit that was refused, or interrupted, leaves parameters of other layers.
            shapes = [W.shape for W in self.coefs_]
            if self._network == network and shapes == list(pairwise(network.sizes)):
                return self.params_
        random = check_random_state(self.random_state)
        factor = 2.0 if self.activation == "logistic" else 6.0
        start = NetworkParameters([], [])
        for fan_in, fan_out in pairwise(network.sizes):
            bound = np.sqrt(factor / (fan_in + fan_out))
            start.coefs.append(random.uniform(-bound, bound, (fan_in, fan_out)))
            start.intercepts.append(random.uniform(-bound, bound, fan_out))
        return start.ravel()

    def _rows(self, X: Any, targets: Any, weights: Array | None) -> ArrayRows:
        sizes = self._network.sizes
        widest = max(sizes[1:] if issparse(X) else sizes)
        height = int(np.clip(_BLOCK_ENTRIES // widest, _FEWEST_ROWS, _MOST_ROWS))
        return ArrayRows(X, targets, weights, intercept=False, block_rows=height)

    def _objective_over(self, X: Any, targets: Any, weights: Array | None) -> NetworkObjective:
        rows = self._rows(X, targets, weights)
        return NetworkObjective(rows, self._network, self._loss(), float(self.alpha))

    def _outputs(self, X: Any) -> Array:
        """η of each row, shape (n_samples,) or (n_samples, K)."""
        check_is_fitted(self)
        rows = self._rows(validated_rows(self, X), None, None)
        return rows.map(lambda block: self._network.outputs(block.X, self.params_))

    def _descend(
        self, objective: NetworkObjective, start: Array, X: Any, y: Any, weights: Array | None
    ) -> tuple[Solution[DescentResult], bool]:
        """Run the solver, telling scikit-learn's callbacks of each step; whether one stopped it."""
        told = ToldFit(self, X, y, weights, f"{self.solver}-step")
        stopped = False

        def after_step(params: Array) -> bool:
            nonlocal stopped
            told.begin_step()
            stopped = told.end_step(params)
            return stopped

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
        told.end(solution.value.params)
        return solution, stopped

    def _as_attributes(self, params: Array) -> dict[str, Any]:
        """The attributes that predictions read."""
        coefs, intercepts = self._network.unflatten(params)
        return {
            "params_": params,
            "coefs_": coefs,
            "intercepts_": intercepts,
            "n_layers_": len(self._network.sizes),
        }

    def _conclude(
        self, objective: NetworkObjective, solution: Solution[DescentResult], stopped: bool
    ) -> Self:
        minimum = solution.value
        for name, value in self._as_attributes(minimum.params).items():
            setattr(self, name, value)
        self.gradient_ = self._network.unflatten(minimum.slope.gradient)
        self.objective_ = minimum.slope.value
        self.loss_ = minimum.slope.value / objective.rows.total_weight
        self.n_iter_ = solution.iterations
        self.n_passes_ = minimum.passes
        self.converged_ = solution.status is Status.CONVERGED
        self.status_ = str(solution.status)
        self._hessian = None
        if self.compute_hessian:
            self._keep_hessian(objective, minimum)
        if not self.converged_:
            self._warn_not_converged(solution, stopped)
        return self

    def _keep_hessian(self, objective: NetworkObjective, minimum: DescentResult) -> None:
        self._hessian = objective.hessian(minimum.params)
        hessian = self._hessian
        if objective.loss.shift_invariant:
            # A number added to all outputs changes no probability: this is no direction to judge.
            from_each_unit = self._network.last_layer.reshape(-1, self.n_outputs_)
            free = from_each_unit if self.alpha == 0 else from_each_unit[-1:]
            shift = np.zeros((len(free), len(hessian)))
            np.put_along_axis(shift, free, 1.0, axis=1)
            others = linalg.null_space(shift)
            hessian = others.T @ hessian @ others
        with single_threaded_blas():
            eigenvalues = np.linalg.eigvalsh(hessian)
        slope = minimum.slope
        self._critical_point = CriticalPoint.of(eigenvalues, slope.gradient, slope.value)

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
            kink = " This may be a kink of relu, which activation='tanh' has not."
            text = (
                f"found no further decrease after {solution.iterations} steps, {where}."
                f"{kink if self.activation == 'relu' else ''} Scale the columns and the targets, "
                "or allow more by tol"
            )
        warn_not_converged(f"{self.solver} {text}.", stacklevel=7)


def _refuse_too_many(n_params: int, asked: str) -> None:
    if room.too_many(n_params):
        raise ValueError(
            f"{asked} needs a matrix of {n_params} × {n_params}; at most {room.LARGEST_SIDE} "
            "parameters have room. Use smaller hidden_layer_sizes, or hessian_vector_product."
        )
