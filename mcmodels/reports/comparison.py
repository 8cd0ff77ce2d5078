"""Comparing two fitted models: the likelihood-ratio test of nested ones."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.tolerances import LIKELIHOOD_ROUNDING, NEGLIGIBLE_GAIN
from mcmodels.solvers import Status

__all__ = ["likelihood_ratio_test"]


def likelihood_ratio_test(small: Any, big: Any) -> HypothesisTest:
    """Test that the parameters that only ``big`` has are zero: ``2(ℓ_big - ℓ_small)`` is about χ².

    Of generalized linear models whose dispersion was estimated, the difference of the deviances by
    the dispersion of ``big`` and the number of parameters is about F.

    Sources: Casella and Berger (2002), *Statistical Inference*, 2nd ed., theorem 10.3.3; McCullagh
    and Nelder (1989), *Generalized Linear Models*, 2nd ed., §8.3.

    Parameters
    ----------
    small, big : fitted LinearRegression, LogisticRegression, GeneralizedLinearRegressor, \
ObjectiveRegressor or …Classifier
        Both of the same class, fitted to the same rows without a penalty. ``small`` must be a
        special case of ``big`` (nested models): the columns of ``small`` and its intercept must be
        among those of ``big``. Columns are recognised by their sums, and by their names where
        both models have names; a column of ones is an intercept, and constant columns beside an
        intercept add nothing to it. Or pipelines, searches and
        ``TransformedTargetRegressor`` of them; their columns have the names that the steps give.
        Or results of any of these.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    TypeError
        If one is no model with a likelihood.
    ValueError
        If the two differ in class, rows or targets; if ``big`` has no more parameters than
        ``small``, or not its columns; or if a fit is penalised.
    InferenceError
        If ``big`` fits y perfectly, up to rounding: no likelihood is the largest then.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, likelihood_ratio_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> small, big = LinearRegression().fit(X[:, :1], y), LinearRegression().fit(X, y)
    >>> print(likelihood_ratio_test(small, big))
    small is enough: chi2(1) = 2.18224, p = 0.14
    """
    small, big = _behind_steps(small), _behind_steps(big)
    for name, model in (("small", small), ("big", big)):
        kind = model if isinstance(model, type) else type(model)
        if kind is model or not hasattr(kind, "n_free_params_"):
            raise TypeError(
                f"{name} is {'the class' if kind is model else 'a'} {kind.__name__} of "
                f"{kind.__module__.partition('.')[0]}; pass a fitted LinearRegression, "
                "LogisticRegression, GeneralizedLinearRegressor, ObjectiveRegressor or "
                "ObjectiveClassifier of mcmodels, or a pipeline that ends in one."
            )
    if type(small) is not type(big):
        raise ValueError(
            f"small is a {type(small).__name__} and big a {type(big).__name__}; likelihoods of "
            "different models cannot be compared this way."
        )
    for name, model in (("small", small), ("big", big)):
        model._fit.weighting.refuse_without_likelihood(f"a likelihood-ratio test ({name})")
    if small._fit.weighting is not big._fit.weighting:
        raise ValueError(
            f"small was fitted with weights={small._fit.weighting.value!r} and big with "
            f"weights={big._fit.weighting.value!r}; fit both with the same."
        )
    if small.n_observations_ != big.n_observations_:
        raise ValueError(
            f"small was fitted to {small.n_observations_:g} rows and big to "
            f"{big.n_observations_:g}; both need the same rows."
        )
    difference = small._fit.training.difference(big._fit.training)
    if difference:
        raise ValueError(
            f"small and big were not fitted to the same rows and target: {difference}. Fit both to "
            "the same."
        )
    df = big.n_free_params_ - small.n_free_params_
    if df <= 0:
        raise ValueError(
            f"big has {big.n_free_params_} parameters and small {small.n_free_params_}; big must "
            "have more. Swap them if they are in the wrong order."
        )
    for name, model in (("small", small), ("big", big)):
        if getattr(model._fit, "is_penalised", False):
            inverse, penalty = hasattr(model, "C"), model._fit.penalty
            if isinstance(penalty, np.ndarray):  # of groups of columns
                found, _ = model._fit.model.penalty_words
            else:
                found = f"C={1 / penalty!r}" if inverse else f"alpha={penalty!r}"
            raise ValueError(
                f"{name} was fitted with a penalty ({found}), and does not maximise the "
                f"likelihood; fit both with {'C=np.inf' if inverse else 'alpha=0'}."
            )
        if getattr(model._fit, "log_prior", None) is not None:
            raise ValueError(
                f"{name} was fitted with Jeffreys' prior, and does not maximise the likelihood; "
                "call likelihood_ratio_tests(X, y) of the whole model, or fit both without it."
            )
        _refuse_unfinished(name, model._fit)
    if _family(small._fit) != _family(big._fit):
        raise ValueError(
            "small and big have different losses, whose constants do not cancel; fit both with the "
            "same."
        )
    if big._fit.perfect_targets:
        raise InferenceError(
            "big fits y perfectly, up to rounding: the likelihood grows without bound as the "
            "variance of the noise goes to zero, and no ratio of likelihoods is a test. Fit fewer "
            "columns."
        )
    constant = small._fit.columns_of_ones
    if small._fit.estimable is not None:
        constant = constant | small._fit.estimable.flat
    rows, of_big, known = (small._fit.training, big._fit.training, constant & big._fit.has_constant)
    extra = rows.column_not_in(of_big, known)
    if extra and not rows.column_not_in(of_big, known, by_name=False):
        _refuse_other_names(extra, small._fit.names, big._fit.names)
    if not extra and small._fit.intercept and not big._fit.has_constant:
        extra = "the intercept"
    if extra:
        raise ValueError(
            f"small is not nested in big, or they were fitted to different rows: {extra} of small "
            "is not among the columns of big. Fit big to the columns of small and others; to test "
            "other restrictions, use wald_test."
        )
    if small._fit.training.offsets_differ(big._fit.training):
        raise ValueError(
            "small and big were fitted with different offsets; fit both with the same."
        )
    of_small, scales = (
        getattr(model._fit, "likelihood_scale", (1.0, np.inf)) for model in (small, big)
    )
    scale, freedom = scales
    if np.isfinite(of_small[1]) != np.isfinite(freedom) or (
        not np.isfinite(freedom) and of_small != scales
    ):
        raise ValueError(
            f"small and big have different dispersions ({of_small[0]:g} and {scale:g}); fit both "
            "with the same argument."
        )
    if hasattr(big._fit, "likelihood_scale") and not scale > 0:
        raise InferenceError(
            "big leaves no degree of freedom for its dispersion, or fits perfectly: there is "
            "nothing to compare with. Fit fewer columns."
        )
    if np.isfinite(freedom):
        # Both by the dispersion of the larger model, as R's anova(small, big, test = "F").
        gain = (small.deviance_ - big.deviance_) / scale
        return HypothesisTest("small is enough", max(gain, 0.0) / df, df, freedom)
    largest = _log_likelihood(big)
    gain = 2.0 * (largest - _log_likelihood(small))
    if gain < -LIKELIHOOD_ROUNDING * abs(largest):
        raise ValueError(
            f"big has a lower likelihood than small (by {-gain / 2:g}), so small is not nested in "
            "it, or a fit has not converged."
        )
    return HypothesisTest("small is enough", max(gain, 0.0), df)


def _refuse_other_names(extra: str, names: tuple[str, ...], of_big: tuple[str, ...]) -> NoReturn:
    """Raise: every column of a model is in another one, but under other names."""
    remedy = "If they are the same, give them the same name in both models."
    if any("__" in name for name in (*names, *of_big)):
        remedy += (
            " A ColumnTransformer with verbose_feature_names_out=False does not put the names of "
            "its transformers before them."
        )
    others = [name for name in of_big if name not in names]
    raise ValueError(
        f"{extra} of small is not among the columns of big by its name, though one of "
        f"{listed(others or of_big)} has the same sums, so that it is not known whether small is "
        f"nested in big. {remedy}"
    )


def _refuse_unfinished(name: str, fit: Any) -> None:
    """Raise if a fit has stopped before its maximum.

    Where rows are at the bounds of the means of a link, no maximum has a gradient of zero.
    """
    if fit.status is not Status.NOT_CONVERGED or not hasattr(fit, "left_to_gain"):
        return
    bounds = getattr(getattr(fit, "loss", None), "domain", (-np.inf, np.inf))
    scale = getattr(fit, "likelihood_scale", (1.0, np.inf))[0]
    if fit.left_to_gain > NEGLIGIBLE_GAIN * scale and not np.isfinite(bounds).any():
        raise InferenceError(
            f"{name} did not converge, and a likelihood-ratio test compares maxima of the "
            "likelihood. Fit it again with a larger max_iter, or scale the columns."
        )


def _family(fit: Any) -> Any:
    """What must be the same for likelihoods to be compared."""
    return getattr(fit, "likelihood_family", None) or getattr(fit, "loss", None)


def _log_likelihood(model: Any) -> float:
    """Up to terms that are the same in models that are compared."""
    found = getattr(model._fit, "compared_log_likelihood", None)
    return float(model.log_likelihood_ if found is None else found)


def _behind_steps(fitted: Any) -> Any:
    """The model at the end of a pipeline, or in results; what is neither stays as it is."""
    if isinstance(fitted, type) or hasattr(type(fitted), "n_free_params_"):
        return fitted
    wrappers = ("steps", "regressor_", "best_estimator_", "estimator", "_route")
    if not any(hasattr(fitted, name) for name in wrappers):
        return fitted
    # Loaded when it is used: scikit-learn's pipelines take a while.
    from mcmodels.reports.route import Route

    route = Route.of(fitted, "likelihood_ratio_test")
    route.refuse_fitted_to_targets()
    return route.model
