"""GeneralizedLinearRegressor: families, links, offsets, dispersion, by Newton's method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from mcmodels.arrays import Array, MatrixLike, Penalty, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.callbacks import CallbackSupportMixin, FitCallbacks, with_callbacks
from mcmodels.estimators.deviance_score import DevianceScore
from mcmodels.estimators.family_choice import (
    ESTIMATE,
    POISSON,
    check_dispersion,
    chosen_loss,
    refuse_other_counts,
    refuse_wrong_targets,
)
from mcmodels.estimators.glm_effects import GlmEffects
from mcmodels.estimators.glm_rows import OF_STREAMS, GlmObjective, TargetsOfBlock
from mcmodels.estimators.glm_tuning import glm_tuning, refuse_other_choices, tuned_fitting
from mcmodels.estimators.linear_predictor import attributes_of
from mcmodels.estimators.loss_rows import TrainingData
from mcmodels.estimators.missing_means import warn_without_means
from mcmodels.estimators.offsets import checked_offset, with_offsets
from mcmodels.estimators.penalty_tuning import GivenPenalty, PenaltyTuning
from mcmodels.estimators.stream_fits import stream_rows, survey
from mcmodels.estimators.streams import of_blocks, refuse_other_arguments
from mcmodels.estimators.validation import refuse_not_finite, training_pair
from mcmodels.estimators.verdicts import (
    REMEDIES_OF_FAMILIES,
    undetermined,
    warn_no_minimum,
    warn_not_converged,
    warn_rank_deficient,
    warn_separated,
)
from mcmodels.estimators.weighting import check_newton_arguments, rows_for_sums, weighting_of
from mcmodels.exceptions import NoMinimumWarning
from mcmodels.objectives.families import NegativeBinomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.records.glm import GlmFit
from mcmodels.rows import ArrayRows, RowStream, RowsWithCrossSums
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.conclusion import conclude
from mcmodels.solvers.constant_targets import with_constant_columns
from mcmodels.solvers.family_starts import family_start, rows_at_bounds
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.jeffreys import conclude_with_prior, fit_with_prior
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.starts import better_start
from mcmodels.solvers.theta import fit_theta
from mcmodels.user_warnings import warn_user

__all__ = ["GeneralizedLinearRegressor"]


class GeneralizedLinearRegressor(DevianceScore, RegressorMixin, CallbackSupportMixin, GlmEffects):
    """A generalized linear model: ``E y = g⁻¹(x̃ᵀθ + offset)``, ``Var y = φ V(μ)``.

    The fit minimises ``Σ wᵢ ℓ(yᵢ, ηᵢ) + α‖coef‖²/2``, where ℓ is half of the unit deviance up to
    terms without η, by Newton's method with the exact gradient and Hessian. For α = 0 it is the
    maximum of the likelihood.

    Parameters
    ----------
    family : {"normal", "binomial", "poisson", "gamma", "inverse_gaussian", "tweedie", \
"negative_binomial"}, default="normal"
        The distribution of y. Binomial y is 0 or 1, or a proportion with the trials as weights.
    link : {"auto", "identity", "log", "logit", "probit", "cloglog", "inverse", "inverse_squared", \
"sqrt"}, default="auto"
        The function ``g``; "auto" is identity for normal, logit for binomial, log for all others.
    alpha : float, {"loo", "evidence", "aic"}, or dict of str to float, default=0.0
        Strength of the penalty; the intercept is never penalised. Objectives here are sums over
        rows, so that alpha is glum's alpha times ``Σ wᵢ``. A name chooses it, by
        leave-one-out, Laplace's marginal likelihood, or effective freedom: docs/tuning.md. A dict
        has a positive number for each of ``penalty_groups``, as ``alpha_`` has.
    penalty_groups : dict of str to list, or "each", default=None
        Groups of columns, by names or positions, each with an alpha of its own, chosen or given;
        the columns in no group are one more, "other". "each": every column has its own.
    prior : {"jeffreys"}, default=None
        Jeffreys' prior: the objective has ``-φ/2 log det I(θ)`` more, I the expected information
        ``X̃ᵀW diag(μ′²/V) X̃``. Estimates are finite where those of largest likelihood are not, as
        with separated classes or groups without a count. φ must be known: a number, or 1. See
        docs/glm.md.
    power : float, default=1.5
        p of Tweedie's variance ``μᵖ``: at most 0, or at least 1.
    theta : float or "estimate", default=1.0
        θ of the negative binomial variance ``μ + θμ²``; "estimate" finds it by maximum likelihood,
        jointly with the parameters, whose covariance then has the cross terms. Counts must be whole
        numbers.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    dispersion : {"auto", "pearson", "deviance"} or float, default="auto"
        φ: Pearson's sum, or the deviance, by the degrees of freedom, n less the number of
        free parameters; or a number. "auto" is 1 for poisson, binomial and negative_binomial, and
        "pearson" for the others, as in R.
    tol : float, default=1e-8
        The fit has converged when no entry of the gradient exceeds ``tol · Σ wᵢ`` and the next step
        is negligible, or when float64 can show no further decrease of the objective.
    max_iter : int, default=100
        Largest number of steps.
    warm_start : bool, default=False
        Whether to start from the parameters of the previous fit. They are used if their shape is
        right and the objective there is not larger than at the default start.
    weights : {"frequency", "precision", "probability"}, default="frequency"
        What ``sample_weight`` is: how often a row was there; its precision, the inverse of its
        variance up to a factor; or the inverse of the probability that it was sampled. The
        estimates are the same, what is said of their errors is not: docs/inference.md.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    intercept_ : float
        Intercept; 0.0 when none is fitted.
    params_ : ndarray of shape (P,)
        Coefficients, then the intercept when one is fitted.
    gradient_ : ndarray of shape (P,)
        Gradient of the objective at ``params_``.
    hessian_ : ndarray of shape (P, P)
        Hessian of the objective at ``params_``; ``hessian_ / dispersion_`` is the observed
        information.
    objective_, deviance_, pearson_chi2_, dispersion_, log_likelihood_ : float
        On the training rows.
    alpha_ : float or dict
        alpha as it was given or chosen, of groups by their names.
    criterion_, criterion_gradient_, criterion_path_, effective_freedom_
        Of an alpha that was chosen: the criterion, its derivative by log alpha, what was tried, and
        the effective degrees of freedom.
    theta_, theta_standard_error_ : float
        θ of negative binomial targets; its standard error where it was estimated.
    n_iter_ : int
        Number of steps; with an estimated θ those of the fits that have found it, too.
    status_ : {"converged", "rank deficient", "separated", "no minimum", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    See Also
    --------
    mcmodels.LogisticRegression : Several classes, and proofs of separation.
    mcmodels.ObjectiveRegressor : Losses of your own.

    References
    ----------
    McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.2–2.5.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import GeneralizedLinearRegressor
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> claims, years = np.array([1, 2, 6, 14, 20]), np.array([1.0, 1.0, 2.0, 2.0, 1.5])
    >>> model = GeneralizedLinearRegressor("poisson").fit(X, claims, exposure=years)
    >>> model.params_.round(6)
    array([ 0.67855 , -0.124358])
    >>> model.standard_errors_.round(6)
    array([0.156897, 0.519136])
    >>> model.predict([[5.0]], exposure=[2.0]).round(4)
    array([52.5382])
    """

    _tuning = glm_tuning

    def __init__(
        self,
        family: str = "normal",
        *,
        link: str = "auto",
        alpha: float | str | Mapping[str, float] = 0.0,
        penalty_groups: Mapping[str, Any] | str | None = None,
        prior: str | None = None,
        power: float = 1.5,
        theta: float | str = 1.0,
        fit_intercept: bool = True,
        dispersion: str | float = "auto",
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
        weights: str = "frequency",
    ) -> None:
        self.family = family
        self.link = link
        self.alpha = alpha
        self.penalty_groups = penalty_groups
        self.prior = prior
        self.power = power
        self.theta = theta
        self.fit_intercept = fit_intercept
        self.dispersion = dispersion
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.weights = weights

    @with_callbacks
    def fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; any real dtype and memory order, also a memory map. Nothing of this size is
            copied. A stream holds y, the weights and the offset, too.
        y : array-like of shape (n_samples,)
            Targets, in the range of the family.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0. Weight 0 is an absent row; ``weights`` says what others are. Of
            binomial proportions they are the trials, but for sampling weights.
        offset : array-like of shape (n_samples,), default=None
            A part of the linear predictor that has no coefficient.
        exposure : array-like of shape (n_samples,), default=None
            Positive factors of the mean, for the link "log": their logarithm is an offset.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinite values, wrong shapes, negative or all-zero weights, targets that the
            family cannot have, or a parameter out of its range.

        Warns
        -----
        SeparationWarning
            When a direction is proved to separate the classes of binomial targets.
        NoMinimumWarning
            When the objective keeps decreasing along a direction.
        RankDeficiencyWarning
            When columns are linearly dependent and nothing is penalised.
        ConvergenceWarning
            When ``max_iter`` steps did not suffice.
        """
        loss = self._check_parameters()
        estimated = isinstance(loss.family, NegativeBinomial) and self.theta == ESTIMATE
        X, y, sample_weight, _, offsets = with_offsets(
            X, y, sample_weight, offset=offset, exposure=exposure
        )
        several = isinstance(self.alpha, str)
        with FitCallbacks(self, X, "newton-step", several=several) as callbacks:
            found = self._rows_of_fit(X, y, sample_weight, loss, offsets)
            callbacks.know(
                found.X, found.y, found.weights, lambda params: self._attributes(params, found)
            )
            rows = RowsWithCrossSums(found.rows, None)
            with refuse_not_finite(self, X), rows.one_thread_for_algebra():
                n_steps = 0
                fitting: GivenPenalty | PenaltyTuning
                if several:
                    fitting = tuned_fitting(self, rows, found.features, loss)
                else:
                    given = self._objective_over(rows, loss, found.features)
                    start = self._start(given, loss)
                    if estimated:
                        loss, start, n_steps = self._with_theta(given, loss, start)
                        given = self._objective_over(rows, loss, found.features)
                    groups = self._given_penalties("alpha", found.features)
                    fitting = GivenPenalty(given, lambda: self._steps(given, loss, start), groups)
                for step in fitting.steps():
                    if callbacks.end_after(step):
                        break
                objective = fitting.objective
                solution = with_constant_columns(_concluded(objective, step), rows)
                solution = replace(solution, iterations=solution.iterations + n_steps)
                record = self._recorded(solution, found, rows, loss, objective.penalty, estimated)
                record = fitting.described(record)
            published = self._attributes(record.params, found)
            callbacks.conclude(published)
        fitting.warn()
        self._warn_of(solution, found, rows.n_present, objective, loss)
        return self._publish(published | {"_fit": record})

    @of_blocks
    def predict(
        self,
        X: MatrixLike | RowStream,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> Array:
        """The mean ``g⁻¹(η)`` of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; a stream also holds the offset.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one of them.

        Returns
        -------
        ndarray of shape (n_samples,)

        Warns
        -----
        NoMeanWarning
            When a linear predictor is outside the domain of the link; the prediction is NaN.
        """
        eta, loss = self._linear_predictor(X, keep_dtype=True), self._loss()
        self._check_order(X, offset=offset, exposure=exposure)
        extras = self._offsets_of(eta[:, np.newaxis], offset=offset, exposure=exposure)
        self._refuse_missing_offset(extras)
        wide = eta.astype(np.float64, copy=False) + extras.get("offset", 0.0)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            mean, outside = loss.link.mean(wide), loss.outside(wide)
        if (lost := warn_without_means(loss, outside, "predictions", wide)) is not None:
            mean = np.where(lost, np.nan, mean)
        return mean.astype(eta.dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.family != "normal"
        return tags

    def _check_parameters(self) -> FamilyLoss:
        loss = chosen_loss(self.family, self.link, self.power, self.theta)
        refuse_other_choices(self, self._check_penalty("alpha"), loss)
        check_dispersion(self.dispersion)
        self._refuse_other_priors(loss)
        check_newton_arguments(self)
        return loss

    def _rows_of_fit(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None,
        sample_weight: Weights,
        loss: FamilyLoss,
        offsets: dict[str, Any],
    ) -> TrainingData:
        intercept, weighting = bool(self.fit_intercept), weighting_of(self.weights)
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            X = rows_for_sums(X, weighting)
            surveyed = survey(self, X, intercept=intercept, **OF_STREAMS)
            prepare = TargetsOfBlock(loss.family, self.dispersion, weighting)
            rows = stream_rows(X, surveyed, prepare, **OF_STREAMS)
            return TrainingData(rows, surveyed.features, X, None, None)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        features, matrix, y = training_pair(self, X, y, y_numeric=True)
        refuse_other_order(X=X, **offsets)
        weights = check_weights(sample_weight, matrix)
        targets = np.asarray(y, dtype=np.float64)
        refuse_wrong_targets(loss.family, targets, weights, self.dispersion, weighting)
        added = checked_offset(matrix, offsets["offset"], offsets["exposure"], loss.link)
        extras = None if added is None else {"offset": added}
        in_memory = ArrayRows(matrix, targets, weights, extras, intercept=intercept)
        return TrainingData(in_memory, features, matrix, y, weights)

    def _start(self, objective: GlmObjective, loss: FamilyLoss) -> Array:
        without_prior = UserObjective(objective.rows, UserLoss(loss), objective.penalty)
        start = family_start(without_prior, loss)
        if start is None:
            raise ValueError(
                f"no parameters were found at which every row has a mean of the family "
                f"{loss.family.name!r} with the link {loss.link.name!r}. Fit an intercept, or "
                "choose a link whose means need no bounds (log; logit for binomial)."
            )
        previous = self.params_ if self.warm_start and hasattr(self, "params_") else None
        return better_start(objective, previous, start)

    def _steps(self, objective: GlmObjective, loss: FamilyLoss, start: Array) -> Iterator[Progress]:
        if isinstance(objective, PenalisedByInformation):
            return fit_with_prior(objective, start, tol=self.tol, max_iter=self.max_iter)
        return fit_within_bounds(objective, loss, start, tol=self.tol, max_iter=self.max_iter)

    def _with_theta(
        self, objective: GlmObjective, loss: FamilyLoss, start: Array
    ) -> tuple[FamilyLoss, Array, int]:
        """The loss with θ of largest likelihood, parameters near those of the fit, and steps."""
        refuse_other_counts(objective.rows)
        theta, start, n_steps = fit_theta(objective.rows, loss.link, objective.penalty, start)
        if theta == 0:
            warn_user(
                "theta goes to zero: the counts are not more dispersed than Poisson's. The fit is "
                "Poisson's, and theta_ is 0.",
                NoMinimumWarning,
            )
            return FamilyLoss(POISSON, loss.link), start, n_steps
        if theta == np.inf:
            raise ValueError(
                "theta grows without bound: hardly any count is positive. Give theta a number."
            )
        return FamilyLoss(NegativeBinomial(theta), loss.link), start, n_steps

    def _recorded(
        self,
        solution: Solution[Optimum],
        found: TrainingData,
        rows: RowsWithCrossSums,
        loss: FamilyLoss,
        penalty: Penalty,
        estimated: bool,
    ) -> GlmFit:
        published = self._attributes(solution.value.params, found)
        log_prior = None
        if self.prior is not None:
            kernel = UserObjective(rows, UserLoss(loss)).value(solution.value.params)
            log_prior = (kernel - solution.value.objective) / self._prior(loss).dispersion
        return GlmFit.of_rows(
            solution,
            rows,
            loss=loss,
            dispersion=self.dispersion,
            theta_is_estimated=estimated,
            weighting=weighting_of(self.weights),
            names=found.features.names,
            coefficients=(published[name] for name in self._tracked),
            penalty=penalty,
            undetermined=undetermined(
                found.features, solution, rows.n_present, REMEDIES_OF_FAMILIES
            ),
            log_prior=log_prior,
        )

    def _warn_of(
        self,
        solution: Solution[Optimum],
        found: TrainingData,
        n_rows: int,
        objective: GlmObjective,
        loss: FamilyLoss,
    ) -> None:
        if solution.status is Status.SEPARATED:
            warn_separated(found.features, solution)
        elif solution.status is Status.UNBOUNDED:
            warn_no_minimum(found.features, solution, REMEDIES_OF_FAMILIES)
        elif solution.status is Status.RANK_DEFICIENT:
            warn_rank_deficient(
                found.features,
                solution,
                n_rows=n_rows,
                what="Predictions are unique, parameters are the shortest that give them.",
            )
        elif solution.status is Status.NOT_CONVERGED:
            left = rows_at_bounds(objective, loss, solution.value)
            remedy = "Raise max_iter, or scale the columns."
            if left:
                remedy = (
                    f"{left} rows are at the bounds of the means of the family "
                    f"{loss.family.name!r}, or leave them by the next step: the largest likelihood "
                    f"may be at the bounds of the link {loss.link.name!r}. Choose a link whose "
                    "means have no bounds (log; logit for binomial), or penalise."
                )
            warn_not_converged(
                f"Newton's method stopped after {solution.iterations} steps with the gradient at "
                f"{np.abs(solution.value.gradient).max():.1e}. {remedy}"
            )

    def _attributes(self, params: Array, found: TrainingData) -> dict[str, Any]:
        return attributes_of(params, found.features, intercept=self.fit_intercept)


def _concluded(objective: GlmObjective, step: Progress) -> Solution[Optimum]:
    if isinstance(objective, PenalisedByInformation):
        return conclude_with_prior(objective, step)
    return conclude(objective, step)
