"""`bootstrap`: fits with random weights of rows, from the curvature of one fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import (
    check_choice,
    check_count,
    refuse_other_order,
    refuse_unknown_keywords,
)
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.estimators.offsets import with_offsets
from mcmodels.exceptions import ConvergenceWarning, InferenceError
from mcmodels.inference.robust import ClusterCodes
from mcmodels.records.auxiliary import AuxiliaryFit
from mcmodels.reports.route import Route
from mcmodels.resampling.bootstrap_result import Bootstrap, Names
from mcmodels.resampling.groups import given_or_held
from mcmodels.resampling.parameter_names import places_of, reported_names, reported_values
from mcmodels.resampling.training_data import read_here
from mcmodels.resampling.training_fit import TrainingFit, training_fit
from mcmodels.reweighting.multipliers import KINDS, Multipliers
from mcmodels.reweighting.refitted_draws import refitted_draws
from mcmodels.reweighting.score_draws import ScoreSums, score_draws, scores_of
from mcmodels.reweighting.units import Units
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock, RowStream, RowsWithTargets
from mcmodels.tables.dask_stream import is_dask
from mcmodels.user_warnings import warn_user

__all__ = ["bootstrap"]

_STEPS = ("one", "converged")
_KEYWORDS = ("draws", "kind", "steps", "groups", "of", "random_state")


def bootstrap(
    model: Any,
    X: MatrixLike | RowStream,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    draws: int = 10_000,
    kind: str = "bayesian",
    steps: str = "one",
    groups: VectorLike | None = None,
    of: Callable[[Array], Any] | Names | None = None,
    random_state: RandomState = None,
    **offsets: Any,
) -> Bootstrap:
    """Draws of the parameters of a fitted model, as fits with random weights of the rows.

    Parameters
    ----------
    model : estimator
        A fitted ``LinearRegression``, ``LogisticRegression``, ``GeneralizedLinearRegressor``,
        ``ObjectiveRegressor`` or ``ObjectiveClassifier``; or what ends in one, as
        :func:`mcmodels.results` takes it: a pipeline, a search, a fit by a formula. What is done
        to the rows before is taken as given, and must not have been fitted to y.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
        The training rows; a stream also holds y and the weights.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights, as they were given to ``fit``.
    draws : int, default=10_000
        How many, B. The first of many draws are those of fewer.
    kind : {"bayesian", "multiplier"}, default="bayesian"
        "bayesian": Dirichlet weights, so that draws are of an approximate posterior in which the
        distribution of the rows is unknown. "multiplier": the weights 1 + ξ, with ξ one of Mammen's
        two points, whose first three moments are 0, 1 and 1.
    steps : {"one", "converged"}, default="one"
        "one": the scores of the fit times ``weights - 1``, times the inverse Hessian: one pass over
        the rows, whatever the number of draws. "converged": the fit with the weights of each draw,
        which takes a few passes for each part of the draws.
    groups : array-like of shape (n_samples,), default=None
        The cluster of each row: all of its rows have the same multiplier. Streams bring their own.
    of : callable, str, tuple, or sequence of str or tuple, default=None
        A function of the parameters (in the shape of ``params_``), or names of coefficients as
        tables of the model have them, ``"intercept"``, or ``("class", "age")`` of several classes
        or targets; by default all of them.
    random_state : int, RandomState instance or None, default=None
        Of the draws.
    **offsets : array-like
        ``offset`` and ``exposure``, as they were given to ``fit``.

    Returns
    -------
    Bootstrap
        ``draws_`` has shape (draws, number of quantities); ``print`` it for errors and intervals.
        Quantities are those of the tables of the model: of more than two classes the differences
        from the first class. ``raw`` has the draws of ``params_`` itself.

    Raises
    ------
    TypeError
        For models that are not sums over rows of a loss in a linear predictor, and for what ``of``
        does not take.
    ValueError
        For rows that are not those of the fit, and arguments that are not known.
    InferenceError
        For fits without a unique minimum, for one cluster alone, for proportions whose weights
        count trials, and for steps of a pipeline that were fitted to y.

    Warns
    -----
    ConvergenceWarning
        Where draws have no minimum that is found; they are NaN.

    See Also
    --------
    LinearRegression.wild_bootstrap_test : a test of one parameter with few clusters.

    Notes
    -----
    With w the weights of the fit, each draw minimises ``Σ wᵢ m_c ℓᵢ`` and the penalty of the fit,
    m_c random with mean one, and c the row or its cluster. One step is

        θ* = θ̂ - H⁻¹ Σᵢ (m_c - 1) wᵢ ∂ℓᵢ/∂θ,

    whose covariance given the rows is the sandwich HC0 (of clusters, theirs), without a correction
    for small samples. If weights count rows, a row of weight two is as two rows. Of more than 4,096
    units, one step draws random groups of them together, whose sums are moved so that the
    covariance of the draws stays the same. Results do not depend on threads.

    Formulas and sources are in :mod:`mcmodels.reweighting.multipliers` (Rubin 1981; Newton and
    Raftery 1994; Mammen 1993) and :mod:`mcmodels.reweighting.score_draws` (Wu 1986; Kline and
    Santos 2012).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, bootstrap
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X @ [1.0, -0.5] + rng.normal(size=200) * (1 + np.abs(X[:, 0]))
    >>> model = LinearRegression().fit(X, y)
    >>> found = bootstrap(model, X, y, random_state=0)
    >>> found.draws_.shape
    (10000, 3)
    >>> found.to_frame()[["standard_error", "lower", "upper"]].round(2)
                 standard_error  lower  upper
    x0                     0.18   0.55   1.27
    x1                     0.13  -0.50   0.03
    (intercept)            0.13  -0.26   0.27
    >>> ratio = bootstrap(model, X, y, of=lambda theta: theta[1] / theta[0], random_state=0)
    >>> ratio.confidence_intervals().round(2)
       lower  upper
    f  -0.64   0.03
    """
    check_count("draws", draws, at_least=2)
    check_choice("kind", kind, KINDS)
    check_choice("steps", steps, _STEPS)
    route = Route.of(model, "bootstrap")
    route.refuse_fitted_to_targets()
    model = route.model
    refuse_unknown_keywords(offsets, (*_KEYWORDS, *getattr(model, "_offset_names", ())))
    rng = check_random_state(random_state)
    refuse_masked("groups", groups)
    refuse_other_order(X=X, y=y, sample_weight=sample_weight, groups=groups)
    groups = np.asarray(groups) if is_dask(groups) else groups
    if route.table is None:  # steps take blocks, not collections of Dask
        X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
    offsets = {"groups": groups, **offsets}
    X, y, sample_weight, offsets = route.training_rows(X, y, sample_weight, **offsets)
    offsets = {name: value for name, value in offsets.items() if value is not None}
    groups = given_or_held(offsets.pop("groups", None), X)
    _refuse_other_sums(model)
    X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
    training = training_fit(model, read_here(X, model), y, sample_weight, **offsets)
    entropy = tuple(rng.randint(2**32, size=4, dtype=np.uint64).tolist())
    record = model._record()
    if not (of is None or callable(of)):
        places_of(reported_names(record), of)
    units = _units(training, groups)
    record.warn_of_perfect_fit()
    fits = _fits_of_targets(training)
    if steps == "one":
        changes = _one_step(training, fits, units, kind, entropy, int(draws))
    else:
        multipliers = Multipliers(kind, units.counts, entropy, int(draws))
        changes = [_converged(fit, units, multipliers) for fit in fits]
    moved = [fit.basis.parameters(U.T) for fit, U in zip(fits, changes, strict=True)]
    raw = np.concatenate(moved, axis=1).reshape(int(draws), -1) + np.ravel(record.params)
    shown = raw
    if record.estimable is not None:
        shown = np.where(record.estimable.determined, raw, np.nan)
    params = np.asarray(record.params)
    what = "clusters" if units.are_clusters else "rows"
    found = Bootstrap(
        reported_values(record, shown),
        reported_values(record, params.reshape(1, -1))[0],
        reported_names(record),
        kind,
        steps,
        f"{units.n_present} {what}",
        _freedom(training.fit, units),
        type(model).__name__,
        raw,
        params,
        record.estimable,
        route.notes,
    )
    _warn_of_failures(found)
    if of is None:
        return found
    if callable(of):
        return found.function(of)
    return found.named(of)


def _refuse_other_sums(model: Any) -> None:
    """Refuse fits that have minimised more than a sum over rows of a loss in η, and a penalty."""
    record = model._record() if isinstance(model, InfluenceMethods) else None
    if isinstance(record, AuxiliaryFit):
        raise InferenceError(
            "bootstrap was given a loss with auxiliary parameters, whose curvature is not that of "
            "the linear predictor alone. Fit with their values in the loss, or take "
            "covariance(X, y, kind='HC0')."
        )
    if getattr(record, "log_prior", None) is not None:
        raise InferenceError(
            "bootstrap was given a fit with Jeffreys' prior, which changes with the weights of a "
            "draw and is no sum over rows. Fit without the prior, or take profile_intervals."
        )


def _units(training: TrainingFit, groups: Any) -> Units:
    """Rows or clusters."""
    fit, record = training.fit, training.model._record()
    of_rows = fit.rows.map(weights_of)
    weights = None if (of_rows == 1.0).all() else of_rows
    if groups is None:
        if getattr(record, "counts_trials", False):
            _refuse_proportions(fit)
        return Units.of_rows(fit.rows.n_rows, weights, record.weighting)
    try:
        clusters = ClusterCodes.of(groups, weights, fit.rows.n_rows)
    except InferenceError:
        raise InferenceError(
            "groups has a single cluster, and a bootstrap draws clusters: it needs at least two, "
            "and many to be of use. Group more finely, or leave groups out."
        ) from None
    if len(clusters.counts) > 1:
        raise ValueError(
            "groups has two columns, and a bootstrap has one cluster for each row. Pass one "
            "grouping, or take covariance(kind='cluster', groups=…), which takes two."
        )
    return Units.of_clusters(clusters.codes[:, 0])


def _freedom(fit: WhitenedFit, units: Units) -> float:
    """Degrees of freedom of intervals by Student's t; at least one."""
    if units.are_clusters:
        return float(units.n_present - 1)
    return max(float(units.counts.sum()) - fit.basis.size / fit.basis.n_outputs, 1.0)


def _refuse_proportions(fit: WhitenedFit) -> None:
    def count(block: RowBlock) -> int:
        return int(np.count_nonzero((block.y > 0) & (block.y < 1)))

    if fit.rows.reduce(count):
        raise InferenceError(
            "y has proportions, and weights that count trials make each of these a row of its own. "
            "Pass rows of 0 and 1 with their numbers as sample_weight, or fit with "
            "weights='precision', where each proportion is drawn as a whole."
        )


def _fits_of_targets(training: TrainingFit) -> list[WhitenedFit]:
    """The fit; of several targets of least squares, that of each."""
    fit = training.fit
    if fit.params.ndim == 1 or fit.basis.n_outputs > 1:
        return [fit]
    return [
        replace(fit, rows=RowsWithTargets(fit.rows, _Target(k)), params=fit.params[k])
        for k in range(len(fit.params))
    ]


class _Target:
    """One of the targets of a block."""

    def __init__(self, k: int) -> None:
        self._k = k

    def __call__(self, block: RowBlock) -> Array:
        return np.asarray(block.y[:, self._k])


def _one_step(
    training: TrainingFit,
    fits: list[WhitenedFit],
    units: Units,
    kind: str,
    entropy: tuple[int, ...],
    draws: int,
) -> list[Array]:
    """The changes u of each fit, by the same multipliers."""
    of_each = [scores_of(fit) for fit in fits]

    def scores(block: RowBlock) -> Array:
        if len(of_each) == 1:
            return of_each[0](block)
        targets = range(len(of_each))
        return np.hstack([of_each[k](replace(block, y=block.y[:, k])) for k in targets])

    sizes = [fit.basis.size for fit in fits]
    sums = ScoreSums.of(training.fit.rows, scores, units, entropy)
    U = score_draws(sums, Multipliers(kind, sums.counts, entropy, draws))
    return np.split(U, np.cumsum(sizes)[:-1], axis=1)


def _converged(fit: WhitenedFit, units: Units, multipliers: Multipliers) -> Array:
    found = refitted_draws(fit, units, multipliers)
    return np.where(found.converged[:, np.newaxis], found.U, np.nan)


def _warn_of_failures(found: Bootstrap) -> None:
    if found.n_failed_ == len(found.raw):
        raise InferenceError(
            "no draw has a minimum that was found: the loss has too little curvature. Take "
            "steps='one'."
        )
    if found.n_failed_:
        warn_user(
            f"{found.n_failed_} of {len(found.raw)} draws have no minimum that was found; they "
            "are NaN, and intervals are those of the others. Take steps='one'.",
            ConvergenceWarning,
        )
