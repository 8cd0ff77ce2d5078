"""FirthLogisticRegression: finite estimates with less bias, also where classes are separated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.estimators.logistic_rows import ClassRows
from mcmodels.estimators.parameter_methods import ParameterMethods
from mcmodels.estimators.weighting import check_newton_arguments
from mcmodels.exceptions import InferenceError
from mcmodels.logistic import LogisticRegression
from mcmodels.objectives.expected_weights import LOGISTIC
from mcmodels.objectives.jeffreys import Prior
from mcmodels.records.logistic import LogisticFit
from mcmodels.rows import Rows, RowsWithCrossSums
from mcmodels.solvers import Solution
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.jeffreys import conclude_with_prior, fit_with_prior
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.starts import NullFit

__all__ = ["FirthLogisticRegression"]


class FirthLogisticRegression(LogisticRegression):
    """Logistic regression with Jeffreys' prior: ``Σ wᵢ·crossentropy(yᵢ, pᵢ) - log det I(θ)/2``.

    ``I = X̃ᵀWDX̃``, ``D = diag(p(1 - p))``, is the information of two classes. The prior takes the
    first term of the bias, of order 1/n, from the estimates (Firth 1993), and they are finite also
    where classes are separated and the likelihood has no maximum (Heinze and Schemper 2002; proved
    for two classes by Kosmidis and Firth 2021). Gradient and Hessian are exact; with
    ``hᵢ = wᵢDᵢ x̃ᵢᵀI⁻¹x̃ᵢ`` the gradient is ``X̃ᵀ(W(p - y) - h(1/2 - p))``.

    With K > 2 classes p is the softmax of K predictors, which sum to zero over the classes, and the
    prior has the pseudo-determinant of the information. Where columns depend on each other, it is
    the pseudo-determinant, too, and parameters are the shortest that give the probabilities.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to fit an intercept. Its information is part of the prior.
    tol : float, default=1e-8
        The fit has converged when no entry of the gradient, over orthonormal columns, exceeds
        ``tol · Σ wᵢ`` and the next step is negligible, or when float64 can show no further
        decrease of the objective.
    max_iter : int, default=100
        Largest number of Newton steps.
    warm_start : bool, default=False
        Whether to start from the parameters of the previous fit, when their shape agrees and they
        are better than none.
    weights : {"frequency", "precision", "probability"}, default="frequency"
        What ``sample_weight`` is: how often a row was there; its precision, the inverse of its
        variance up to a factor; or the inverse of the probability that it was sampled. The
        estimates are the same, what is said of their errors is not: docs/inference.md.
        The prior does not scale with the weights, so that the estimates depend on their scale.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes that have rows of positive weight.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; zeros when none is fitted.
    params_ : ndarray of shape (P,) or (n_classes, P)
        Coefficients, then the intercept when one is fitted. With more than two classes they sum to
        zero over the classes.
    gradient_ : ndarray, the shape of ``params_``
        Gradient of the objective at ``params_``.
    hessian_ : ndarray of shape (n, n), n the size of ``params_``
        Hessian of the objective over ``params_.ravel()``.
    objective_ : float
        The objective at ``params_``: minus the penalised log-likelihood.
    log_likelihood_ : float
        The log-likelihood at ``params_``, without the prior.
    n_iter_ : ndarray of shape (1,)
        Newton steps taken.
    converged_ : bool
        Whether the tolerance was met.
    status_ : {"converged", "rank deficient", "not converged"}
        How the solver ended.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, when X has names that are all strings.

    See Also
    --------
    mcmodels.LogisticRegression : Maximum likelihood, and a normal prior.
    mcmodels.GeneralizedLinearRegressor : The same prior for other families.

    Notes
    -----
    ``covariance_`` is the inverse of ``hessian_``. ``covariance(X, y, kind="expected")`` is the
    inverse of the information at the estimates, which logistf prints. ``profile_intervals`` and
    ``likelihood_ratio_tests`` take the penalised likelihood, as logistf does: a coefficient that is
    left out is held at zero, and the prior stays that of the whole model. With more than two
    classes they are of differences from a class of reference (Bull, Lewinger and Lee 2007), and a
    test holds a column at zero in all classes.

    The objective may have several minima, of which a fit finds one, and not always the least: in
    one or two of a hundred small data sets whose classes are separated, and in a fifth of those
    with weights from 1e-3 to 1e3 (docs/firth.md). Intervals and tests look for lower minima from
    several starts, which is no proof that there are none, and are refused where they find one
    below the fit. Of 2,400 fits with such weights one ended as "not converged", where the
    information has no digits left. Where rows have offsets hundreds apart, it may have none at
    the start: then the fit is refused.

    Each step takes two passes over the rows, and P³/2 products for each of them; P is the number
    of parameters.

    References
    ----------
    Firth (1993), *Bias reduction of maximum likelihood estimates*, Biometrika 80(1).
    Heinze and Schemper (2002), *A solution to the problem of separation in logistic regression*,
    Statistics in Medicine 21(16).
    Bull, Lewinger and Lee (2007), *Confidence intervals for multinomial logistic regression in
    sparse data*, Statistics in Medicine 26(4).
    Kosmidis and Firth (2021), *Jeffreys-prior penalty, finiteness and shrinkage in
    binomial-response generalized linear models*, Biometrika 108(1).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import FirthLogisticRegression
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> y = np.array(["no", "no", "no", "yes", "yes", "yes"])
    >>> model = FirthLogisticRegression().fit(X, y)
    >>> model.params_.round(6)
    array([ 1.128912, -2.822281])
    >>> model.profile_intervals(X, y).round(3)
                  lower  upper
    x0            0.002  6.070
    (intercept) -15.634  0.414
    """

    # What LogisticRegression has as parameters, and this model has not.
    C = np.inf
    penalty_groups = None
    class_weight = None
    solver = "newton"

    _kinds = (*ParameterMethods._kinds, "expected")

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        tol: float = 1e-8,
        max_iter: int = 100,
        warm_start: bool = False,
        weights: str = "frequency",
    ) -> None:
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.weights = weights

    @property
    def score_test(self) -> Any:
        """Not there: a score test is of a maximum of the likelihood."""
        raise InferenceError(
            "there is no score test of a fit with Jeffreys' prior; fit the column, and call "
            "likelihood_ratio_tests(X, y)."
        )

    @property
    def score_intervals(self) -> Any:
        """Not there: they are those of score tests."""
        raise InferenceError(
            "score intervals are those of a likelihood, and this fit has Jeffreys' prior; call "
            "profile_intervals(X, y)."
        )

    def _check_parameters(self) -> None:
        check_newton_arguments(self)

    def _objective_over(self, rows: Rows, n: int, penalty: Penalty) -> PenalisedByInformation:
        loss = super()._objective_over(rows, n, 0.0).loss
        return PenalisedByInformation(rows, loss, Prior(LOGISTIC if n == 2 else None))

    def _steps(
        self, objective: Any, class_totals: Array, null: NullFit | None
    ) -> Iterator[Progress]:
        start = self._start(objective, class_totals, null)
        return fit_with_prior(objective, start, tol=self.tol, max_iter=self.max_iter)

    def _concluded(self, objective: Any, step: Progress) -> Solution[Optimum]:
        return conclude_with_prior(objective, step)

    def _recorded(
        self,
        solution: Solution[Optimum],
        found: ClassRows,
        rows: RowsWithCrossSums,
        null: NullFit | None,
    ) -> LogisticFit:
        loss = super()._objective_over(rows, len(found.classes), 0.0)
        log_prior = loss.value(solution.value.params) - solution.value.objective
        return replace(super()._recorded(solution, found, rows, null), log_prior=log_prior)
