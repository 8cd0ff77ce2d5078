"""Base class of MLPClassifier and MLPRegressor: parameters, start, solver, record of the fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, check_flag, check_max_iter, check_number
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks
from mcmodels.estimators.early_stopping import EarlyStopping, check_early_stopping
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.network_layers import refuse_large_hessian
from mcmodels.estimators.network_rows import NetworkRows
from mcmodels.estimators.network_targets import Targets, warn_constant_sums
from mcmodels.estimators.validation import Features, refuse_not_finite
from mcmodels.estimators.verdicts import (
    warn_not_converged,
    warn_saddle,
    warn_small_columns,
    warn_small_targets,
)
from mcmodels.exceptions import example_of
from mcmodels.inference.network_score import NetworkScore
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.objectives.network_units import NetworkInUnits
from mcmodels.records.networks import NetworkFit
from mcmodels.records.record import digest
from mcmodels.records.training_rows import TrainingRows
from mcmodels.rows import RowStream, RowsWithCrossSums, Seen
from mcmodels.solvers import Solution, Status, lbfgs, trust_region
from mcmodels.solvers.definiteness import decrease_to_critical
from mcmodels.solvers.descent import DescentResult
from mcmodels.solvers.network_start import in_units, moderate_start, start_in_units
from mcmodels.tables.dask_stream import as_stream

__all__ = ["NetworkEstimator"]


class NetworkEstimator(CallbackSupportMixin, NetworkRows):
    """A network trained on rows; a subclass defines the targets and the loss."""

    hidden_layer_sizes: int | Sequence[int]
    activation: str
    solver: str
    alpha: float
    max_iter: int
    tol: float
    random_state: RandomState
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: float
    compute_hessian: bool

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
    validation_scores_ = Fitted(
        "validation_scores",
        "With early stopping, the score of the rows that were held out, after each step; or None.",
        describes_coefficients=False,
    )
    best_validation_score_ = Fitted(
        "best_validation_score",
        "With early stopping, the highest of these scores, that of ``params_``; or None.",
        describes_coefficients=False,
    )

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
        check_early_stopping(self.early_stopping, self.validation_fraction, self.n_iter_no_change)
        check_flag("compute_hessian", self.compute_hessian)
        return tuple(map(int, sizes))

    def _train(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights
    ) -> Self:
        hidden = self._check_parameters()
        X, y, sample_weight, _ = as_stream(X, y, sample_weight)
        data = self._rows_of_fit(X, y, sample_weight)
        targets, features = data.targets, data.features
        network = Network((features.n_features, *hidden, targets.n_outputs), self.activation)
        if self.compute_hessian:
            refuse_large_hessian(network.n_params, "compute_hessian=True")
        random = check_random_state(self.random_state)
        start, goes_on = self._start(network, random), self._goes_on(network)
        score = early = None
        if self.early_stopping:
            out = data.held_out(float(self.validation_fraction), random)
            score = NetworkScore(data.part(network, out), network, targets.loss)
            early = EarlyStopping(score, float(self.tol), float(self.n_iter_no_change))
        chosen = data.rows(network) if early is None else data.part(network, ~out)
        rows = RowsWithCrossSums(chosen, targets.n_classes)
        objective = NetworkObjective(rows, network, targets.loss, float(self.alpha))
        published = targets.attributes | features.attributes

        def attributes_of(params: Array) -> dict[str, Any]:
            coefs, intercepts = network.unflatten(params)
            return {"coefs_": coefs, "intercepts_": intercepts} | published

        # Hundreds of passes over rows are not worth a report each: steps are enough.
        with (
            FitCallbacks(self, None, f"{self.solver}-step") as callbacks,
            refuse_not_finite(self, X),
        ):
            shown = X if isinstance(X, RowStream) else data.shown
            callbacks.know(shown, data.y, data.weights, attributes_of)
            units = in_units(objective)
            if units is not None and goes_on:
                start = units.inside(start)
            elif units is not None and units.targets is not None:
                start = start_in_units(network, units.targets, start)
            start = moderate_start(units or objective, start)
            if score is not None:
                score.refuse_undefined(start if units is None else units.params(start))
            solution, stopped = self._minimise(objective, units, start, callbacks, early)
            record = self._recorded(solution, objective, targets, features, early)
            found = attributes_of(solution.value.params)
            callbacks.conclude(found)
        if data.values is None and targets.n_classes is None:
            given = data.given_names == targets.names
            warn_constant_sums(targets, rows.without_sums, rows.cross_sums, given)
        if (
            units is not None
            and units.alpha > objective.rows.total_weight
            and units.targets is not None
        ):
            warn_small_targets(units.targets.largest, float(self.alpha), units.targets.factor)
        if units is not None and units.columns is not None:
            small = units.outweighed_columns
            if small.any():
                warn_small_columns(features, units.columns[1], small, float(self.alpha))
        if record.falls_along > 0:
            warn_saddle(record.falls_along)
        if solution.status is Status.NOT_CONVERGED:
            self._warn_not_converged(solution, stopped, units)
        return self._publish(found | {"_fit": record})

    def _start(self, network: Network, random: np.random.RandomState) -> Array:
        """Random parameters; with ``warm_start`` the last ones, if the network is the same."""
        return self.params_ if self._goes_on(network) else network.random_start(random)

    def _goes_on(self, network: Network) -> bool:
        return self.warm_start and hasattr(self, "params_") and self._network == network

    def _minimise(
        self,
        objective: NetworkObjective,
        units: NetworkInUnits | None,
        start: Array,
        callbacks: FitCallbacks,
        early: EarlyStopping | None,
    ) -> tuple[Solution[DescentResult], bool]:
        """Run the solver, with callbacks; return also whether a callback stopped it."""
        stopped = False

        def after_step(inside: Array) -> bool:
            nonlocal stopped
            params = inside if units is None else units.params(inside)
            callbacks.begin_step()
            stopped = callbacks.end_step(params)
            return (early is not None and early.after_step(params)) or stopped

        callbacks.begin()
        total = objective.rows.total_weight
        options: dict[str, Any] = {
            "gradient_tolerance": float(self.tol) * total,
            "max_iter": int(self.max_iter),
            "after_step": after_step,
        }
        if self.solver == "lbfgs":
            # If the penalty dominates, it determines the size of the objective.
            minimised = units or objective
            scale = max(total, minimised.alpha)
            solution = lbfgs.minimise_by_lbfgs(minimised, start, scale=scale, **options)
        else:
            solution = trust_region.minimise_in_trust_region(units or objective, start, **options)
        if units is not None:
            params, passes = units.params(solution.value.params), solution.value.passes + 1
            value = DescentResult(params, objective.slope(params), passes)
            solution = replace(solution, value=value)
        if early is not None:
            solution = _with_best(solution, objective, early)
        return solution, stopped

    def _recorded(
        self,
        solution: Solution[DescentResult],
        objective: NetworkObjective,
        targets: Targets,
        features: Features,
        early: EarlyStopping | None,
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
            pointwise=targets.loss,
            target_names=targets.names,
            class_factors=targets.class_factors,
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
                is_classes=targets.n_classes is not None,
            ),
            validation_scores=None if early is None else early.scores,
            best_validation_score=None if early is None else early.best,
        )

    def _warn_not_converged(
        self, solution: Solution[DescentResult], stopped: bool, units: NetworkInUnits | None
    ) -> None:
        gradient, of, scale = solution.value.slope.gradient, "", "scale the columns, or "
        if units is not None:
            names = [name for name in ("columns", "targets") if getattr(units, name) is not None]
            gradient = units.gradient_inside(gradient)
            of = f", for {' and '.join(names)} as scaled inside the fit,"
            scale = "" if "columns" in names else scale
        where = f"where the largest entry of the gradient{of} is {np.abs(gradient).max():.1e}"
        if stopped:
            text = f"was stopped by a callback after {solution.iterations} steps, {where}"
        elif solution.iterations >= self.max_iter:
            text = (
                f"stopped after max_iter={solution.iterations} steps, {where}. Raise max_iter, "
                f"{scale.removesuffix('or ')}or raise tol"
            )
        else:
            kink = " This may be a kink of relu; activation='tanh' has none."
            text = (
                f"found no further decrease after {solution.iterations} steps, {where}."
                f"{kink if self.activation == 'relu' else ''} "
                f"{(scale + 'raise tol').capitalize()}"
            )
        warn_not_converged(f"{self.solver} {text}.")


def _with_best(
    solution: Solution[DescentResult], objective: NetworkObjective, early: EarlyStopping
) -> Solution[DescentResult]:
    """The end of a descent with the parameters of the best score, and its status there."""
    last = solution.value
    params = early.at_the_end(last.params)
    if np.array_equal(params, last.params):
        return solution
    status = Status.STOPPED_EARLY
    if solution.status is Status.NOT_CONVERGED and not early.stopped:
        status = Status.NOT_CONVERGED  # max_iter, or a callback
    value = DescentResult(params, objective.slope(params), last.passes + 1)
    return replace(solution, value=value, status=status)
