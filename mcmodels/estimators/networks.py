"""Base class of MLPClassifier and MLPRegressor: parameters, start, solver, record of the fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, Values, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    check_max_iter,
    check_number,
    check_weights,
    refuse_other_order,
)
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.network_layers import network_rows, refuse_large_hessian
from mcmodels.estimators.network_methods import NetworkMethods
from mcmodels.estimators.streams import in_memory_but_X
from mcmodels.estimators.validation import (
    Features,
    features_of,
    refuse_not_finite,
    target_names,
    training_pair,
    unfitted,
)
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import example_of
from mcmodels.objectives import Loss
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.records.networks import NetworkFit
from mcmodels.records.record import digest
from mcmodels.records.training_rows import TrainingRows
from mcmodels.rows import RowStream, RowsWithCrossSums, Seen
from mcmodels.solvers import Solution, lbfgs, trust_region
from mcmodels.solvers.definiteness import decrease_to_critical
from mcmodels.solvers.descent import DescentResult
from mcmodels.tables.dask_stream import as_stream

__all__ = ["NetworkEstimator", "Targets"]


@dataclass(frozen=True)
class Targets:
    """The targets of a fit, in the form that its loss needs.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Codes of classes, or numbers.
    names : tuple of str
        Names of the classes, or of the targets.
    shape : tuple of int
        Shape of y without its first axis.
    loss : Loss
        The pointwise loss as a function of the outputs.
    n_outputs : int
        Number of outputs of the network.
    attributes : dict
        Further attributes that the fit publishes: ``classes_``.
    """

    values: Values
    names: tuple[str, ...]
    shape: tuple[int, ...]
    loss: Loss
    n_outputs: int
    attributes: dict[str, Any]


class NetworkEstimator(CallbackSupportMixin, NetworkMethods):
    """A network trained on rows; a subclass defines the targets and the loss."""

    _for_y: dict[str, Any] = {"multi_output": False}

    gradient_ = Fitted("gradient", "Gradient of the objective at ``params_``, layer by layer.")
    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    loss_ = Fitted("loss", "``objective_ / Σ wᵢ``, as in scikit-learn.")
    hessian_ = Fitted(
        "hessian", "Hessian of the objective over ``params_``, with ``compute_hessian=True``."
    )
    critical_point_ = Fitted(
        "critical_point",
        """Whether ``params_`` is a minimum or a saddle point, with ``compute_hessian=True``.

        The eigenvalues of ``hessian_`` decide. With more than two classes, directions that shift
        all outputs equally are left out, because they change no probability: these shift the
        output intercepts, or, without a penalty, the coefficients of one hidden unit. Refused where
        no critical point is near: Newton's step would change the objective by more than 1 %.
        """,
    )
    n_iter_ = Fitted("n_iter", "Number of steps.", describes_coefficients=False)
    n_passes_ = Fitted("n_passes", "Number of passes over the rows.", describes_coefficients=False)
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

    @abstractmethod
    def _targets_of_fit(self, y: Values, weights: Array | None, names: tuple[str, ...]) -> Targets:
        """The targets in the form that the loss needs, with the loss and the number of outputs."""

    def _check_parameters(self) -> tuple[int, ...]:
        """Refuse parameters that are out of range; return the sizes of the hidden layers."""
        hidden = self.hidden_layer_sizes
        if isinstance(hidden, np.ndarray):
            hidden = hidden.ravel()
        sizes = tuple(hidden) if isinstance(hidden, Iterable) else (hidden,)
        for size in sizes:
            if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
                raise ValueError(
                    f"hidden_layer_sizes={example_of(hidden)} must hold integers of at least 1, "
                    "one for each hidden layer."
                )
        check_choice("activation", self.activation, ("identity", "logistic", "tanh", "relu"))
        theirs = dict.fromkeys(("adam", "sgd"), "lbfgs")
        check_choice("solver", self.solver, ("lbfgs", "newton-cg"), theirs)
        check_number("alpha", self.alpha, at_least=0)
        if not np.isfinite(self.alpha):
            raise ValueError(f"alpha={self.alpha!r} must be finite.")
        check_max_iter(self.max_iter)
        check_number("tol", self.tol, at_least=0)
        check_flag("warm_start", self.warm_start)
        check_flag("compute_hessian", self.compute_hessian)
        return tuple(map(int, sizes))

    def _train(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> Self:
        hidden = self._check_parameters()
        X, y, sample_weight, _ = as_stream(X, y, sample_weight)
        features, matrix, values, weights, names = self._data_of_fit(X, y, sample_weight)
        targets = self._targets_of_fit(values, weights, names)
        network = Network((matrix.shape[1], *hidden, targets.n_outputs), self.activation)
        if self.compute_hessian:
            refuse_large_hessian(network.n_params, "compute_hessian=True")
        n_classes = len(targets.names) if "classes_" in targets.attributes else None
        rows = RowsWithCrossSums(network_rows(network, matrix, targets.values, weights), n_classes)
        objective = NetworkObjective(rows, network, targets.loss, float(self.alpha))
        published = targets.attributes | features.attributes

        def attributes_of(params: Array) -> dict[str, Any]:
            coefs, intercepts = network.unflatten(params)
            return {"coefs_": coefs, "intercepts_": intercepts} | published

        shown = X if isinstance(X, RowStream) else matrix
        # Hundreds of passes over rows are not worth a report each: steps are enough.
        with (
            FitCallbacks(self, None, f"{self.solver}-step") as callbacks,
            refuse_not_finite(self, X),
        ):
            callbacks.know(shown, values, weights, attributes_of)
            solution, stopped = self._minimise(objective, self._start(network), callbacks)
            record = self._recorded(solution, objective, targets, features)
            found = attributes_of(solution.value.params)
            callbacks.conclude(found)
        if not record.converged:
            self._warn_not_converged(solution, stopped)
        return self._publish(found | {"_fit": record})

    def _data_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> tuple[Features, Any, Values, Array | None, tuple[str, ...]]:
        """The columns, X, y and weights of a fit, checked, and the names of the targets."""
        if isinstance(X, RowStream):
            checker, names = unfitted(self), list[str]()
            matrix, targets, weights = in_memory_but_X(
                checker, X, y, sample_weight, names, fresh=True, **self._for_y
            )
            return (
                features_of(checker),
                matrix,
                targets,
                check_weights(weights, matrix),
                tuple(names),
            )
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        features, matrix, targets = training_pair(self, X, y, **self._for_y)
        return features, matrix, targets, check_weights(sample_weight, matrix), target_names(y)

    def _start(self, network: Network) -> Array:
        """Random parameters; with ``warm_start`` the last ones, if the network is the same."""
        if self.warm_start and hasattr(self, "params_") and self._network == network:
            return self.params_
        return network.random_start(check_random_state(self.random_state))

    def _minimise(
        self, objective: NetworkObjective, start: Array, callbacks: FitCallbacks
    ) -> tuple[Solution[DescentResult], bool]:
        """Run the solver, with callbacks; return also whether a callback stopped it."""
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
            # If the penalty dominates, it determines the size of the objective.
            scale = max(total, float(self.alpha))
            solution = lbfgs.minimise_by_lbfgs(objective, start, scale=scale, **options)
        else:
            solution = trust_region.minimise_in_trust_region(objective, start, **options)
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
        left = 0.0
        if self.compute_hessian:
            hessian = objective.hessian(minimum.params)
            eigenvalues = objective.identified_eigenvalues(hessian)
            left = decrease_to_critical(hessian, minimum.slope.gradient, minimum.params)
        return NetworkFit(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=features.names,
            seen=seen,
            digest=digest(
                [*parameters.coefs, *parameters.intercepts, *targets.attributes.values()]
            ),
            network=objective.network,
            gradient=objective.network.unflatten(minimum.slope.gradient),
            objective=minimum.slope.value,
            n_passes=minimum.passes,
            alpha=float(self.alpha),
            target_shape=targets.shape,
            kept_hessian=hessian,
            eigenvalues=eigenvalues,
            decrease_to_critical=left,
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
        where = f"where the largest entry of the gradient is {largest:.1e}"
        if stopped:
            text = f"was stopped by a callback after {solution.iterations} steps, {where}"
        elif solution.iterations >= self.max_iter:
            text = (
                f"stopped after max_iter={solution.iterations} steps, {where}. Raise max_iter, "
                "scale the columns, or raise tol"
            )
        else:
            kink = " This may be a kink of relu; activation='tanh' has none."
            text = (
                f"found no further decrease after {solution.iterations} steps, {where}."
                f"{kink if self.activation == 'relu' else ''} Scale the columns and the targets, "
                "or raise tol"
            )
        warn_not_converged(f"{self.solver} {text}.")
