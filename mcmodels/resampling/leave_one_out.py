"""`leave_one_out`: what a model says of each row that it has not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, refuse_other_order
from mcmodels.reports.route import Route
from mcmodels.resampling.fits_of_any import leave_out_of_any
from mcmodels.resampling.groups import given_or_held, refuse_a_single_unit, units_of
from mcmodels.resampling.left_out_fits import LeftOutFits
from mcmodels.resampling.left_out_result import LeaveOneOut, warn_of_rows
from mcmodels.resampling.routed_rows import index_of_rows
from mcmodels.resampling.sampled_errors import fit_some_exactly
from mcmodels.resampling.training_fit import has_prior, is_served, training_fit
from mcmodels.reweighting.whitened_fit import GROUP

__all__ = ["LeaveOneOut", "leave_one_out"]

METHODS = ("auto", "newton", "second-order", "exact")


def leave_one_out(
    model: Any,
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    groups: VectorLike | None = None,
    method: str = "auto",
    random_state: Any = None,
    offset: VectorLike | None = None,
    exposure: VectorLike | None = None,
) -> LeaveOneOut:
    """What a model says of each row that it has not seen.

    Each row, or each group of rows, is left out in turn, with all of its weight, and judged by the
    fit of the others. This costs little more than the one fit that is there: Newton's step from the
    fit of all rows to that without a row has a closed form, ``uᵢ = H₋ᵢ⁻¹ ∇ℓᵢ``. For squared errors
    it is exact. For other losses a correction of second order follows, ``-½ H₋ᵢ⁻¹ T₋ᵢ[uᵢ, uᵢ]``
    with the third derivatives T; in small data all fits are iterated until they are exact.

    Parameters
    ----------
    model : estimator
        A fitted LinearRegression, LogisticRegression, GeneralizedLinearRegressor,
        ObjectiveRegressor or ObjectiveClassifier, or a fit by a formula that ends in one, whose
        columns are made as in the fit. Any other estimator, pipelines, and those with ``l1``,
        auxiliary parameters or an estimated theta, are fitted again without each row, which is done
        for at most 1000 rows or groups; with Jeffreys' prior groups are, and rows of several
        classes.
    X, y, sample_weight
        The training rows, as they were given to ``fit``: arrays, data frames, sparse matrices,
        memory maps, a :class:`~mcmodels.RowStream`, or what :func:`~mcmodels.scan` returns. Other
        rows are refused.
    groups : array-like of shape (n_samples,), default=None
        The group of each row. All rows of a group are left out together. Without them groups are
        those of the table, if :func:`~mcmodels.scan` was given them.
    method : {"auto", "newton", "second-order", "exact"}, default="auto"
        "newton" is one step. "second-order" adds the correction; the rows in which it is largest,
        and a sample of the others, are fitted exactly. "exact" iterates all. "auto" is "exact"
        where that takes about a second, else "second-order"; where the third derivatives would take
        long to sum (more than about 400 parameters), it does without the correction.
    random_state : int, RandomState or None, default=None
        Of the sample by which ``error_`` is found.
    offset, exposure : array-like, default=None
        As in ``fit``.

    Returns
    -------
    LeaveOneOut

    Raises
    ------
    TypeError
        For a model that is no estimator.
    ValueError
        For rows that are not those of the fit, or groups of another length, or a single group.
    InferenceError
        For a fit without a unique minimum, or that did not converge, or too many rows for fits from
        the start.

    Warns
    -----
    LeftOutWarning
        Where a fit without a row has no optimum: its log score is minus infinity.
    NoMeanWarning
        Where the fit without a row gives it no mean: its linear predictor is outside the domain of
        the link.

    See Also
    --------
    sklearn.model_selection.cross_val_score : Fits of the same model to parts of the rows.

    References
    ----------
    Rad and Maleki (2020), *A scalable estimate of the out-of-sample prediction error via
    approximate leave-one-out cross-validation*, JRSS B 82(4); Giordano, Stephenson, Liu, Jordan and
    Broderick (2019), *A swiss army infinitesimal jackknife*, AISTATS; Vehtari, Gelman and Gabry
    (2017), *Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC*,
    Statistics and Computing 27(5), §5 (standard errors of sums and of differences).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LogisticRegression, leave_one_out
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> y = X[:, 0] + rng.normal(size=60) > 0
    >>> found = leave_one_out(LogisticRegression().fit(X, y), X, y)
    >>> found.to_frame().head(3).round(3)
       probability_False  probability_True  log_score   loss  exact
    0              0.666             0.334     -0.407  0.813   True
    1              0.730             0.270     -0.314  0.628   True
    2              0.406             0.594     -0.521  1.043   True
    >>> narrow = leave_one_out(LogisticRegression().fit(X[:, 1:], y), X[:, 1:], y)
    >>> found.compare(narrow)
    difference of log scores (first less second): 7.98153
    standard error: 4.01245
    """
    check_choice("method", method, METHODS)
    given: dict[str, Any] = {"offset": offset, "exposure": exposure}
    offsets = {name: values for name, values in given.items() if values is not None}
    others = [name for name in offsets if name not in getattr(model, "_offset_names", ())]
    if others:
        raise ValueError(
            f"{others[0]} was given, and {type(model).__name__} takes none; leave it out."
        )
    if isinstance(model, Pipeline) and hasattr(model, "training_rows"):
        return _of_formula(
            model, X, y, sample_weight, groups, offsets, method=method, random_state=random_state
        )
    groups = given_or_held(groups, X)
    if not is_served(model) or (groups is not None and has_prior(model)):
        return leave_out_of_any(model, X, y, sample_weight, groups, method, offsets)
    refuse_other_order(X=X, groups=groups)
    training = training_fit(model, X, y, sample_weight, with_prior=groups is None, **offsets)
    codes, labels = units_of(groups, len(training.y))
    training = training.with_extras({GROUP: codes})
    count = len(codes) if labels is None else len(labels)
    weights = np.ones(len(codes)) if training.weights is None else training.weights
    refuse_a_single_unit(codes, weights, count)
    fits = LeftOutFits(training, codes, count, labels is None, method != "newton")
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    error = None
    if method == "exact" or (method == "auto" and fits.are_few) or fits.exact.all():
        fits.fit_exactly(np.arange(count))
        error = 0.0
    elif method != "newton":
        error = fit_some_exactly(fits, seed)
    found = LeaveOneOut.of_fits(fits, labels, error, seed)
    warn_of_rows(found)
    return found


def _of_formula(
    fitted: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    groups: Any,
    offsets: dict[str, Any],
    **options: Any,
) -> LeaveOneOut:
    """The result of a fit by a formula: X is the table, and its columns are made as in the fit."""
    route = Route.of(fitted, "leave_one_out")
    route.refuse_fitted_to_targets()
    named = {**offsets, "groups": groups}
    rows, targets, weights, given = route.training_rows(X, y, sample_weight, **named)
    given = {name: value for name, value in given.items() if value is not None}
    found = leave_one_out(route.model, rows, targets, weights, **given, **options)
    index = index_of_rows(route, X, y, sample_weight, len(found.y))
    return replace(found, route=route, index=found.index if index is None else index)
