"""What ObjectiveRegressor and ObjectiveClassifier share: a loss of the user's, fitted by Newton."""

from __future__ import annotations

import functools
import warnings
from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted

from mcmodels._callbacks import told_of_each_step
from mcmodels._loss_inference import LossInferenceMixin
from mcmodels._loss_verdicts import warnings_of_loss
from mcmodels._pointwise import PointwiseCallable, inverse_link, pointwise
from mcmodels._streams import refuse_other_arguments
from mcmodels._validation import (
    check_count,
    check_flag,
    check_number,
    check_weights,
    refuse_not_finite,
    validated_pair,
    validated_rows,
)
from mcmodels._verdicts import (
    undetermined,
    warn_no_minimum,
    warn_not_converged,
    warn_rank_deficient,
)
from mcmodels.base import DifferentiableMixin
from mcmodels.exceptions import NonDifferentiableWarning
from mcmodels.objectives import Objective
from mcmodels.objectives.user_loss import (
    CurvatureRange,
    UserDerivatives,
    UserLoss,
    UserObjective,
)
from mcmodels.rows import ArrayRows, RowBlock, Rows, RowStream, Seen
from mcmodels.rows.blocks import Array
from mcmodels.solvers import Solution, Status, irls
from mcmodels.solvers.intercept_start import intercept_start

# Rows on which a function is tried before it is trusted.
_TRIED = 16


class LossEstimator(LossInferenceMixin, DifferentiableMixin, CallbackSupportMixin, BaseEstimator):
    """Minimise ``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ) + α‖coef‖²/2`` for a loss that the user has written."""

    def __init__(
        self,
        loss: Any,
        *,
        inverse_link: Any = None,
        alpha: float = 0.0,
        fit_intercept: bool = True,
        log_likelihood: bool = False,
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.loss = loss
        self.inverse_link = inverse_link
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.log_likelihood = log_likelihood
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y and the weights, too.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0: weight 0 is an absent row, weight 2 a row given twice.

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
            When the objective falls for ever along a direction.
        NonConvexLossWarning
            When the second derivative of the loss is negative in some row, or near the rows.
        NonSmoothLossWarning
            When the loss or its derivative jumps near the rows.
        RankDeficiencyWarning
            When columns are linearly dependent and nothing is penalised.
        ConvergenceWarning
            When ``max_iter`` steps did not suffice.
        """
        self._check_parameters()
        loss = self._user_loss()
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            return self._fit_rows(loss, self._surveyed(X), X, y, None)
        X, y = self._training_pair(X, y)
        weights = check_weights(sample_weight, X)
        targets = self._targets(y, weights)
        with refuse_not_finite(self, X):
            rows = ArrayRows(X, targets, weights, intercept=bool(self.fit_intercept))
            return self._fit_rows(loss, rows, X, y, weights)

    @property
    def hessian_(self) -> Array:
        """Hessian of the objective over ``params_``."""
        return self._formed_hessian()

    def _formed_hessian(self) -> Array:
        check_is_fitted(self)
        if self._hessian is None:
            raise AttributeError(
                f"hessian_ is not formed for {self.params_.size} parameters; call "
                "hessian_vector_product(X, y, vector=…) with the training rows, or hessian(X, y) "
                "if there is room for it."
            )
        return self._hessian

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _training_pair(self, X: Any, y: Any) -> tuple[Any, Any]:
        """X and y of a fit, checked."""

    @abstractmethod
    def _targets(self, y: Any, weights: Array | None) -> Array:
        """What the loss sees of the y of a fit, as float64."""

    @abstractmethod
    def _targets_of(self, y: Any, weights: Array | None) -> Array:
        """The same of any other y."""

    @abstractmethod
    def _surveyed(self, stream: RowStream) -> Rows:
        """The rows of a stream, checked."""

    @abstractmethod
    def _shaped(self, params: Array) -> tuple[Array, Any]:
        """``coef_`` and ``intercept_``."""

    def _check_parameters(self) -> None:
        check_number("alpha", self.alpha, at_least=0)
        if not np.isfinite(float(self.alpha)):
            raise ValueError(f"alpha={self.alpha!r} must be finite.")
        check_flag("fit_intercept", self.fit_intercept)
        check_flag("log_likelihood", self.log_likelihood)
        check_number("tol", self.tol, at_least=0)
        check_count("max_iter", self.max_iter, at_least=1)
        check_flag("warm_start", self.warm_start)
        if not callable(self.inverse_link):
            inverse_link(self.inverse_link, np.zeros(0))

    def _user_loss(self) -> UserLoss:
        return UserLoss(pointwise(self.loss))

    def _loss_text(self) -> str:
        if not callable(self.loss):
            return str(self.loss)
        if isinstance(self.loss, functools.partial):
            given = [*self.loss.args, *(f"{name}={v}" for name, v in self.loss.keywords.items())]
            return f"{_name(self.loss.func)}({', '.join(map(str, given))})"
        return _name(self.loss)

    def _fit_rows(self, loss: UserLoss, rows: Rows, X: Any, y: Any, weights: Array | None) -> Self:
        objective = UserObjective(rows, loss, float(self.alpha))
        with warnings.catch_warnings():
            # Kinks are looked for below, and said once.
            warnings.simplefilter("ignore", NonDifferentiableWarning)
            if isinstance(loss.derivatives, PointwiseCallable):
                loss.derivatives.require_rows(*_first_rows(rows))
            visited: CurvatureRange | None = None
            steps = irls.fit(
                objective, self._start(objective), tol=self.tol, max_iter=self.max_iter
            )
            for state in told_of_each_step(self, steps, X, y, weights):
                known = None if state.iterate is None else state.iterate.derivatives
                if isinstance(known, UserDerivatives):
                    visited = known.curvatures if visited is None else visited + known.curvatures
            solution = irls.conclude(objective, state)
            said = list(warnings_of_loss(objective, solution, visited))
        self._conclude(objective, solution)
        self._warn_of(solution, rows.n_present)
        for warning in said:
            warnings.warn(warning, stacklevel=4)
        return self

    def _start(self, objective: UserObjective) -> Array:
        start = intercept_start(objective)
        previous = getattr(self, "params_", None)
        if not self.warm_start or previous is None or previous.shape != start.shape:
            return start
        return previous if objective.value(previous) <= objective.value(start) else start

    def _conclude(self, objective: UserObjective, solution: Solution[irls.Optimum]) -> None:
        optimum = solution.value
        for name, value in self._as_attributes(optimum.params).items():
            setattr(self, name, value)
        self.gradient_ = optimum.gradient
        self._hessian = optimum.hessian
        self._seen = Seen.of(objective.rows)
        self._undetermined = undetermined(self, solution, objective.rows.n_present)
        self._inner = None if self._undetermined else optimum.inner
        self.objective_ = optimum.objective
        self.n_iter_ = solution.iterations
        self.converged_ = solution.status in (Status.CONVERGED, Status.RANK_DEFICIENT)
        self.solver_ = solution.method
        self.status_ = str(solution.status)

    def _as_attributes(self, params: Array) -> dict[str, Any]:
        """The attributes that predictions read."""
        coef, intercept = self._shaped(params)
        return {"params_": params, "coef_": coef, "intercept_": intercept}

    def _warn_of(self, solution: Solution[irls.Optimum], n_rows: int) -> None:
        if solution.status is Status.UNBOUNDED:
            warn_no_minimum(self, solution, stacklevel=6)
        elif solution.status is Status.RANK_DEFICIENT:
            warn_rank_deficient(
                self,
                solution,
                n_rows=n_rows,
                what="Predictions are unique, parameters are the shortest that give them.",
                stacklevel=6,
            )
        elif solution.status is Status.NOT_CONVERGED:
            warn_not_converged(
                f"Newton's method stopped after {solution.iterations} steps with the gradient at "
                f"{np.abs(self.gradient_).max():.1e}. Raise max_iter, scale the columns, or smooth "
                "the loss where it has kinks.",
                stacklevel=6,
            )

    def _linear_predictor(self, X: Any) -> Array:
        check_is_fitted(self)
        rows = ArrayRows(validated_rows(self, X), intercept=bool(self.fit_intercept))
        return rows.map(lambda block: block.X.predictor(self.params_))

    def _objective_on(self, X: Any, y: Any, sample_weight: Any) -> Objective:
        X, targets, weights = self._validated(X, y, sample_weight)
        rows = ArrayRows(X, targets, weights, intercept=bool(self.fit_intercept))
        return UserObjective(rows, self._user_loss(), float(self.alpha))

    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        X, y = validated_pair(self, X, y, reset=False)
        weights = check_weights(sample_weight, X)
        return X, self._targets_of(y, weights), weights


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _first_rows(rows: Rows) -> tuple[Array, Array]:
    """A few targets, and linear predictors that differ from row to row."""

    def first(block: RowBlock) -> list[Array]:
        return [np.array(block.y[:_TRIED], dtype=np.float64)]

    y = np.concatenate(rows.sample(_TRIED).reduce(first))[:_TRIED]
    return y, np.sin(1.0 + np.arange(y.size))
