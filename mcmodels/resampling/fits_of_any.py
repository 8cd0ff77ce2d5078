"""Fits of any estimator without each row or group, one after the other from the start."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from mcmodels.arrays import Array, Codes
from mcmodels.exceptions import InferenceError
from mcmodels.inference.scores import null_deviance
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.records.curvature import CurvatureFit
from mcmodels.records.linear import LinearFit
from mcmodels.resampling.fit_keywords import needs_groups, takes
from mcmodels.resampling.full_refits import refuse_many
from mcmodels.resampling.groups import positions_of, refuse_a_single_unit, units_of
from mcmodels.resampling.left_out_result import LeaveOneOut, warn_of_rows
from mcmodels.resampling.measures import FamilyMeasure, NormalMeasure
from mcmodels.resampling.noise_without import NO_FREEDOM, PERFECT_WITHOUT, has_density
from mcmodels.resampling.refitted_models import OneClass, RefittedModels, at_the_end
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = ["leave_out_of_any"]

# Fits of which each takes as long as that of all rows.
_MOST_FITS = 1000


def leave_out_of_any(
    model: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    groups: Any,
    method: str,
    offsets: dict[str, Any],
) -> LeaveOneOut:
    """The result of fits without each unit; arguments are those of :func:`.leave_one_out`."""
    name = type(model).__name__
    if isinstance(model, type):
        raise TypeError(
            f"model is the class {model.__name__}; pass a fitted {model.__name__}(...)."
        )
    if not (is_classifier(model) or is_regressor(model)):
        raise TypeError(
            f"{name} is no fitted regressor or classifier; pass a fitted estimator with predict."
        )
    check_is_fitted(model)
    if not hasattr(model, "predict"):  # scikit-learn takes it away
        raise InferenceError(
            f"this {name} has no predict, as a search with refit=False has none: it left no model "
            "of all rows. Fit with refit=True, or pass the estimator that is to be judged."
        )
    if method not in ("auto", "exact"):
        raise InferenceError(
            f"method={method!r} needs a fit that is a sum over rows of a loss and a squared "
            f"penalty, and this {name} is fitted again without each row: leave method out."
        )
    if isinstance(X, RowStream) or is_dask(X):
        raise InferenceError(
            f"{name} is fitted again without each row, for which the rows must be in memory; pass "
            "arrays."
        )
    if y is None:
        raise ValueError("y is None; pass the targets of the training rows.")
    if isinstance(getattr(model, "_fit", None), CurvatureFit):
        model._training_rows(X, y, sample_weight, **offsets)  # refuses others
    end, rows = at_the_end(model, X)
    targets = np.asarray(y)
    n = len(targets)
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if sample_weight is not None and not takes(model, "sample_weight"):
        raise ValueError(
            f"sample_weight was given, and the fit method of this {name} takes none. Leave it out; "
            "pass the estimator at the end of the pipeline; or let metadata routing hand the "
            "weights to the steps."
        )
    if groups is None and needs_groups(model):
        raise ValueError(
            f"this {name} splits rows by groups, which its fits without some rows need, too. Pass "
            "groups, which are then left out whole; or pass its best_estimator_."
        )
    codes, labels = units_of(groups, n)
    along = {} if sample_weight is None else {"sample_weight": weights}
    if groups is not None and takes(model, "groups"):
        along["groups"] = np.asarray(groups)
    count = n if labels is None else len(labels)
    refuse_a_single_unit(codes, weights, count)
    held = (
        ""
        if end is model
        else (
            f" Or pass its {type(end).__name__}, with the rows as it takes them: the steps are "
            "then held, as if they had not been fitted to the rows."
        )
    )
    refuse_many(count, _MOST_FITS, f"leave_one_out of a {name}", held)
    judge = _Judge(model, X, targets, weights, along, offsets)
    for out in positions_of(np.arange(count), codes):
        judge.leave_out(out)
    index = X.index if isinstance(X, pd.DataFrame) else None
    known = copy.deepcopy(model)
    columns = y.columns if isinstance(y, pd.DataFrame) else None
    T = targets.shape[1] if targets.ndim > 1 else 1
    names = [f"y{k}" for k in range(T)] if columns is None else list(columns)
    null = None
    if isinstance(judge.measure, FamilyMeasure):
        at_fit = end._rows_at(rows, y, sample_weight, **offsets)
        null = null_deviance(at_fit, judge.measure.loss)
    found = LeaveOneOut(
        training=None,
        codes=codes,
        groups=labels,
        index=index,
        eta=None,
        y=targets,
        predictions=judge.predictions,
        classes=judge.classes,
        log_scores=None if judge.no_scores else judge.log_scores,
        losses=judge.losses,
        times=judge.times(),
        weights=weights,
        weighting=judge.weighting,
        exact_rows=np.ones(n, dtype=bool),
        lost=judge.lost,
        kind=judge.kind,
        loss_name=judge.loss_name,
        model_name=name,
        no_scores=judge.no_scores,
        known_error=0.0,
        model=known,
        null=null,
        refitted=RefittedModels(known, judge.models, names),
    )
    warn_of_rows(found)
    return found


class _Judge:
    """Rows, and what fits without some of them say of these; fits take ``along`` by name."""

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Array,
        weights: Array,
        along: dict[str, Array],
        offsets: dict[str, Any],
    ) -> None:
        self.model, self.X, self.y = model, X, y
        self.weights, self.along, self.offsets = weights, along, offsets
        self.classes: Any = np.asarray(model.classes_) if is_classifier(model) else None
        n = len(y)
        shape: tuple[int, ...] = (n,)
        end, _ = at_the_end(model)
        weighting = getattr(end, "weights", None)
        self.weighting = Weighting(weighting) if isinstance(weighting, str) else Weighting.FREQUENCY
        self.measure = _measure_of(end, self.weighting)
        self.no_scores = ""
        if self.classes is not None:
            if not hasattr(model, "predict_proba"):
                raise InferenceError(
                    f"{type(model).__name__} has no predict_proba, and so no log scores; give it "
                    "probabilities (probability=True, inverse_link=...)."
                )
            shape, self.kind, self.loss_name = (n, len(self.classes)), "probability", "deviance"
        elif self.measure is not None:
            self.kind, self.loss_name = self.measure.kind, self.measure.loss_name
        else:
            self.kind = "likelihood" if getattr(end, "log_likelihood", False) is True else "loss"
            self.loss_name = "loss" if hasattr(end, "objective") else "squared error"
        if self.classes is None and y.ndim > 1:
            shape = y.shape
        self.predictions = np.full(shape, np.nan)
        self.log_scores, self.losses = np.full(n, np.nan), np.full(n, np.nan)
        self.lost = np.zeros(n, dtype=bool)
        self.models: list[Any] = []

    def times(self) -> Array:
        """How often the log score of each row counts."""
        if self.measure is not None:
            return self.measure.times(self.y, self.weights)
        if self.weighting is Weighting.PRECISION:
            return (self.weights > 0).astype(np.float64)
        return self.weights

    def leave_out(self, out: Codes) -> None:
        """Fit without some rows, and judge these."""
        kept = np.ones(len(self.y), dtype=bool)
        kept[out] = False
        rows = np.nonzero(kept)[0]
        present = rows[self.weights[rows] > 0]
        if self.classes is not None and len(np.unique(self.y[present])) == 1:
            only = self.classes == self.y[present][0]
            self.predictions[out] = only
            self.models.append(OneClass(self.classes[only][0]))
            self._judge_classes(out)
            return
        fitted = clone(self.model)
        options: dict[str, Any] = {name: values[rows] for name, values in self.along.items()}
        options |= self._offsets(rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted.fit(_safe_indexing(self.X, rows), self.y[rows], **options)
            self.models.append(fitted)
            self._judge(fitted, out)

    def _judge(self, fitted: Any, out: Codes) -> None:
        X, offsets = _safe_indexing(self.X, out), self._offsets(out)
        if self.classes is not None:
            found = fitted.predict_proba(X, **offsets)
            place = np.searchsorted(self.classes, fitted.classes_)
            self.predictions[out] = 0.0
            self.predictions[np.ix_(out, place)] = found
            self._judge_classes(out)
            return
        self.predictions[out] = fitted.predict(X, **offsets)
        end, rows = at_the_end(fitted, X)
        if self.measure is not None:
            self._judge_by_density(end, rows, out, offsets)
            return
        y = self.y[out]
        if hasattr(end, "objective"):
            self.losses[out] = [_loss_of(end, rows, y, k, offsets) for k in range(len(out))]
        else:
            squares = (y - self.predictions[out]) ** 2
            self.losses[out] = squares if squares.ndim == 1 else squares.sum(axis=1)
        self.log_scores[out] = -self.losses[out]

    def _judge_by_density(self, end: Any, rows: Any, out: Codes, offsets: dict[str, Any]) -> None:
        """Judge some rows by the noise of a linear model, or of a family, without them."""
        measure: Any = _measure_of(end, self.weighting)
        y, weights = self.y[out], self.weights[out]
        if isinstance(measure, NormalMeasure):
            eta = fitted = self.predictions[out].reshape(len(out), -1)
        else:
            eta = _predictors(end, rows, offsets)
            fitted = _predictors(*at_the_end(self.model, _safe_indexing(self.X, out)), offsets)
        losses = measure.losses(y, eta)
        off, on = measure.on_bound(y, eta, fitted)
        self.losses[out] = np.where(off, np.inf, np.where(on, 0.0, losses))
        self.lost[out] = off & (weights > 0)
        scale = np.ones(1)
        if measure.has_scale:
            self.no_scores = self.no_scores or _why_no_density(end)
            if self.no_scores:
                return
            scale = _noise_of(end)
        scales = np.broadcast_to(scale, (len(out), *scale.shape[1:]))
        scores = measure.log_scores(y, eta, weights, scales, losses)
        self.log_scores[out] = np.where(off, -np.inf, np.where(on, 0.0, scores))

    def _judge_classes(self, out: Codes) -> None:
        own = np.searchsorted(self.classes, self.y[out])
        with np.errstate(divide="ignore"):
            self.log_scores[out] = np.log(self.predictions[out, own])
        self.losses[out] = -2.0 * self.log_scores[out]
        self.lost[out] = np.isinf(self.log_scores[out]) & (self.weights[out] > 0)

    def _offsets(self, rows: Codes) -> dict[str, Any]:
        return {name: np.asarray(values)[rows] for name, values in self.offsets.items()}


def _measure_of(end: Any, weighting: Weighting) -> NormalMeasure | FamilyMeasure | None:
    """The measure of a model with a density of its own; None of other models, and of classes."""
    record: Any = getattr(end, "_fit", None)
    if isinstance(record, LinearFit):
        return NormalMeasure(weighting)
    loss = getattr(record, "loss", None)
    return FamilyMeasure(loss, weighting) if isinstance(loss, FamilyLoss) else None


def _noise_of(end: Any) -> Array:
    """The covariance of the noise of least squares, shape (1, K, K); of families φ, shape (1,)."""
    if isinstance(end._fit, LinearFit):
        return np.asarray(end._fit.model.noise_covariance)[np.newaxis]
    return np.atleast_1d(end.dispersion_)


def _why_no_density(end: Any) -> str:
    """Why the noise of a fit has no density; empty if it has one."""
    record = end._record()
    if not record.model.df > 0:
        return NO_FREEDOM
    return PERFECT_WITHOUT if record.perfect_targets or not has_density(_noise_of(end)) else ""


def _predictors(end: Any, X: Any, offsets: dict[str, Any]) -> Array:
    """Linear predictors of a generalized linear model, as a column."""
    eta: Array = end._linear_predictor(X)[:, np.newaxis]
    return eta + end._offsets_of(eta, **offsets).get("offset", np.zeros(1)).reshape(-1, 1)


def _loss_of(end: Any, X: Any, y: Array, k: int, offsets: dict[str, Any]) -> float:
    """The loss of a row: what the objective of two copies has more than that of one."""
    both, one = (
        end.objective(
            _safe_indexing(X, rows), y[rows], **{name: of[rows] for name, of in offsets.items()}
        )
        for rows in (np.array([k, k]), np.array([k]))
    )
    return float(both - one)
