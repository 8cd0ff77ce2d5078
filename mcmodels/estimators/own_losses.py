"""What ObjectiveRegressor and ObjectiveClassifier share: a loss of the user's, fitted by Newton."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_flag, check_number
from mcmodels.estimators.auxiliary_arguments import auxiliary_values
from mcmodels.estimators.auxiliary_methods import loss_of, refuse_names, seen_by_predictor
from mcmodels.estimators.auxiliary_pointwise import link_with_auxiliary, require_rows
from mcmodels.estimators.auxiliary_verdicts import warn_of_auxiliary
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks, with_callbacks
from mcmodels.estimators.linear_predictor import attributes_of
from mcmodels.estimators.loss_convexity import LossConvexity, convexity_of_loss
from mcmodels.estimators.loss_rows import LossRows, TrainingData
from mcmodels.estimators.loss_solvers import concluded, objective_of, steps_to_minimum
from mcmodels.estimators.loss_verdicts import warnings_of_loss
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.pointwise import PointwiseCallable, inverse_link
from mcmodels.estimators.selected_columns import (
    largest_subgradient,
    warn_of_coefficients_not_unique,
    why_no_errors_after_selection,
)
from mcmodels.estimators.validation import Features, refuse_not_finite
from mcmodels.estimators.verdicts import warn_no_minimum, warn_not_converged, warn_rank_deficient
from mcmodels.estimators.weighting import check_newton_arguments, weighting_of
from mcmodels.objectives import Objective
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective
from mcmodels.objectives.user_loss import CurvatureRange, UserDerivatives, UserLoss, UserObjective
from mcmodels.records.auxiliary import AuxiliaryFit
from mcmodels.records.losses import LossFit
from mcmodels.rows import RowBlock, Rows, RowStream, RowsWithCrossSums
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.constant_targets import with_constant_columns
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.joint_conclusion import JointSolution
from mcmodels.solvers.overflow import refuse_underflow_of_targets
from mcmodels.solvers.starts import better_start, intercept_start
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = ["LossEstimator"]

# Rows on which a function is tried before it is trusted.
_TRIED = 16


class LossEstimator(CallbackSupportMixin, LossRows):
    """Minimise ``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ + offsetᵢ) + α‖coef‖²/2`` for a loss of the user's."""

    def __init__(
        self,
        loss: Any,
        *,
        inverse_link: Any = None,
        alpha: float = 0.0,
        l1: float = 0.0,
        fit_intercept: bool = True,
        log_likelihood: bool = False,
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
        weights: str = "frequency",
        auxiliary: Any = None,
    ) -> None:
        self.loss = loss
        self.inverse_link = inverse_link
        self.alpha = alpha
        self.l1 = l1
        self.fit_intercept = fit_intercept
        self.log_likelihood = log_likelihood
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.weights = weights
        self.auxiliary = auxiliary

    @with_callbacks
    def fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. Weight 0 is an absent row; ``weights`` says what others are.
        offset : array-like of shape (n_samples,), default=None
            A part of the linear predictor η that has no coefficient. A stream holds it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, wrong shapes, negative or all-zero weights, a parameter out
            of its range, a loss that is not pointwise, or one that is not finite for some target
            where the fit starts.
        TypeError
            For a loss that is neither an expression nor a function. Of a function,
            :class:`mcmodels.autodiff.NoRuleError` names what has no derivative.

        Warns
        -----
        NoMinimumWarning
            When the objective keeps decreasing along a direction.
        NonConvexLossWarning
            When the second derivative of the loss is negative in some row, near the rows, or (of
            text and expressions) for a target of the rows at some other η.
        NonSmoothLossWarning
            When the loss or its derivative jumps near the rows.
        RankDeficiencyWarning
            When columns are linearly dependent and nothing is penalised; with ``l1``, when columns
            of coefficients that are not zero are, and alpha is zero.
        FlatObjectiveWarning
            When the Hessian is zero along a direction in which predictions change.
        ConvergenceWarning
            When ``max_iter`` steps did not suffice.
        """
        self._check_parameters()
        loss: Any = self._loss_of(self.loss)
        X, y, sample_weight, *_ = with_offsets(X, y, sample_weight, offset=offset)
        with FitCallbacks(self, X, "newton-step") as callbacks:
            found = self._rows_of_fit(X, y, sample_weight, offset)
            refuse_names(loss, found.features)
            callbacks.know(
                found.X, found.y, found.weights, lambda params: self._published(params, found)
            )
            known = convexity_of_loss(loss, found.rows, of_classes=found.classes is not None)
            if known.is_convex:
                loss = UserLoss(loss.derivatives, is_convex=True)
            rows = RowsWithCrossSums(found.rows, None if found.classes is None else 2)
            solution, said = self._minimised(rows, loss, known, X, found.features, callbacks)
            with warnings.catch_warnings():  # kinks were said of the fit
                warnings.simplefilter("ignore", NonDifferentiableWarning)
                convexity = known.after(said)
                record = self._recorded(solution, found, rows, convexity).with_rows(rows, loss)
            published = self._published(record.params, found)
            callbacks.conclude(published)
        self._warn_of(solution, found.features, rows.n_present)
        for warning in said:
            warn_user(warning)
        return self._publish(published | {"_fit": record})

    def _minimised(
        self,
        rows: RowsWithCrossSums,
        loss: UserLoss | AuxiliaryLoss,
        known: LossConvexity,
        X: Any,
        features: Features,
        callbacks: FitCallbacks,
    ) -> tuple[Solution[Optimum], list[Warning]]:
        """The minimum, and what is to be said of the loss."""
        objective = objective_of(rows, loss, float(self.alpha), float(self.l1))
        with refuse_not_finite(self, X), rows.one_thread_for_algebra(), warnings.catch_warnings():
            # Kinks are looked for below, and said once.
            warnings.simplefilter("ignore", NonDifferentiableWarning)
            if isinstance(loss, AuxiliaryLoss):
                a = loss.shapes.ravel(auxiliary_values(self.auxiliary))
                require_rows(loss.function, a, *_first_rows(rows))
            elif isinstance(loss.derivatives, PointwiseCallable):
                loss.derivatives.require_rows(*_first_rows(rows))
            start = self._start(objective)
            steps = steps_to_minimum(objective, start, tol=self.tol, max_iter=self.max_iter)
            visited: list[CurvatureRange] = []
            for step in _recording_curvatures(steps, visited):
                if callbacks.end_after(step):
                    break
            refuse_underflow_of_targets(rows.cross_sums.y, rows.cross_sums.y_squares)
            solution = with_constant_columns(concluded(objective, step), rows)
            seen = seen_by_predictor(objective, solution)
            return solution, list(warnings_of_loss(*seen, visited, features, known.witness))

    def _attributes(self, params: Array, found: TrainingData) -> dict[str, Any]:
        """The attributes that predictions are made with."""
        return attributes_of(params, found.features, intercept=self.fit_intercept)

    def _published(self, params: Array, found: TrainingData) -> dict[str, Any]:
        """The attributes that predictions are made with, and the auxiliary parameters."""
        shapes = self._shapes_given()
        theta = params[: len(params) - shapes.size]
        attributes = self._attributes(theta, found)
        if shapes.size:
            attributes["auxiliary_"] = shapes.named(params[len(theta) :])
        return attributes

    def _check_parameters(self) -> None:
        for name in ("alpha", "l1"):
            check_number(name, getattr(self, name), at_least=0)
            if not np.isfinite(float(getattr(self, name))):
                raise ValueError(f"{name}={getattr(self, name)!r} must be finite.")
        check_flag("log_likelihood", self.log_likelihood)
        check_newton_arguments(self)
        given = auxiliary_values(self.auxiliary)
        if not callable(self.inverse_link):
            inverse_link(link_with_auxiliary(self.inverse_link, given), np.zeros(0))

    def _loss_text(self) -> str:
        if not callable(self.loss):
            return str(self.loss)
        if isinstance(self.loss, functools.partial):
            given = [*self.loss.args, *(f"{name}={v}" for name, v in self.loss.keywords.items())]
            return f"{_name(self.loss.func)}({', '.join(map(str, given))})"
        return _name(self.loss)

    def _start(self, objective: UserObjective) -> Array:
        previous = self.params_ if self.warm_start and hasattr(self, "params_") else None
        if isinstance(objective, AuxiliaryObjective):
            return self._start_with_auxiliary(objective, previous)
        return better_start(objective, previous, intercept_start(objective))

    def _recorded(
        self,
        solution: Solution[Optimum],
        found: TrainingData,
        rows: RowsWithCrossSums,
        convexity: str,
    ) -> LossFit:
        features = found.features
        published = self._published(solution.value.params, found)
        is_classes = found.classes is not None
        shapes = self._shapes_given()
        kind = functools.partial(AuxiliaryFit.of, shapes=shapes) if shapes.size else LossFit.of
        why_no_errors = self._why_undetermined(features, solution, rows.n_present)
        if self.l1 and solution.status is not Status.UNBOUNDED:
            why_no_errors = why_no_errors_after_selection(self.l1)
        return kind(
            solution,
            rows,
            names=features.names,
            coefficients=self._arrays_of(published),
            penalty=float(self.alpha),
            undetermined=why_no_errors,
            targets=tuple(map(str, found.classes)) if is_classes else ("y",),
            is_classes=is_classes,
            is_likelihood=bool(self.log_likelihood),
            l1=float(self.l1),
            convexity=convexity,
            loss=self.loss,
            estimator_name=type(self).__name__,
            loss_text=self._loss_text(),
            weighting=weighting_of(self.weights),
        )

    def _warn_of(self, solution: Solution[Optimum], features: Features, n_rows: int) -> None:
        deficient = solution.status is Status.RANK_DEFICIENT
        if deficient and self.l1 and not getattr(solution, "tied", False):
            warn_of_coefficients_not_unique(features, solution)
        elif isinstance(solution, JointSolution):
            shapes = self._shapes_given()
            first = shapes.ravel(auxiliary_values(self.auxiliary))
            left = self._left_of_gradient(solution.value)
            warn_of_auxiliary(features, solution, shapes.names, n_rows, first, left)
        elif solution.status is Status.UNBOUNDED:
            warn_no_minimum(features, solution)
        elif deficient:
            warn_rank_deficient(
                features,
                solution,
                n_rows=n_rows,
                what="Predictions are unique, parameters are the shortest that give them.",
            )
        elif solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                f"Newton's method stopped after {solution.iterations} steps with "
                f"{self._left_of_gradient(solution.value)}. Raise max_iter, scale the columns, or "
                "smooth the loss where it has kinks."
            )

    def _left_of_gradient(self, optimum: Optimum) -> str:
        """What is left of the gradient where a fit ended; with l1, of the subgradient."""
        if not self.l1:
            return f"the gradient at {np.abs(optimum.gradient).max():.1e}"
        free = int(bool(self.fit_intercept)) + self._shapes_given().size
        return f"the shortest subgradient at {largest_subgradient(self.l1, optimum, free):.1e}"

    def _objective_of(self, rows: Rows) -> Objective:
        return objective_of(rows, self._loss_of(self.loss), float(self.alpha), float(self.l1))

    def _objective_of_fit(self, rows: Rows) -> Objective:
        return objective_of(rows, self._loss_of_user(), self._fit.penalty, self._fit.l1)

    def _loss_of_user(self) -> Any:
        return loss_of(self._fit.loss, getattr(self._fit, "shapes", None))


def _recording_curvatures(
    steps: Iterator[Progress], visited: list[CurvatureRange]
) -> Iterator[Progress]:
    """The same steps; the curvatures of the rows at each are added to ``visited``."""
    for step in steps:
        known = None if step.iterate is None else step.iterate.derivatives
        if isinstance(known, UserDerivatives):
            visited.append(known.curvatures)
        yield step


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _first_rows(rows: Rows) -> tuple[Array, Array]:
    """A few targets, and linear predictors that differ from row to row."""

    def first(block: RowBlock) -> list[Array]:
        return [np.array(block.y[:_TRIED], dtype=np.float64)]

    y = np.concatenate(rows.sample(_TRIED).reduce(first))[:_TRIED]
    return y, np.sin(1.0 + np.arange(y.size))
