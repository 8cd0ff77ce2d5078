"""Fits of any estimator without each row or group, one after the other from the start."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from mcmodels.arrays import Array, Codes
from mcmodels.exceptions import InferenceError
from mcmodels.inference.scores import null_deviance
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.records.curvature import CurvatureFit
from mcmodels.resampling.full_refits import refuse_many
from mcmodels.resampling.groups import positions_of, refuse_a_single_unit, units_of
from mcmodels.resampling.left_out_result import LeaveOneOut, warn_of_rows
from mcmodels.resampling.measures import FamilyMeasure
from mcmodels.resampling.refitted_models import OneClass, RefittedModels
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
    targets = np.asarray(y)
    n = len(targets)
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if sample_weight is not None and not has_fit_parameter(model, "sample_weight"):
        raise ValueError(
            f"sample_weight was given, and the fit method of {name} has no such argument. Leave it "
            "out, or pass the estimator at the end of the pipeline."
        )
    codes, labels = units_of(groups, n)
    count = n if labels is None else len(labels)
    refuse_a_single_unit(codes, weights, count)
    refuse_many(count, _MOST_FITS, f"leave_one_out of a {name}")
    judge = _Judge(model, X, targets, weights, None if sample_weight is None else weights, offsets)
    for out in positions_of(np.arange(count), codes):
        judge.leave_out(out)
    index = X.index if isinstance(X, pd.DataFrame) else None
    has_weighting = hasattr(model, "weights") and isinstance(model.weights, str)
    weighting = Weighting(model.weights) if has_weighting else Weighting.FREQUENCY
    known = copy.deepcopy(model)
    columns = y.columns if isinstance(y, pd.DataFrame) else None
    T = targets.shape[1] if targets.ndim > 1 else 1
    names = [f"y{k}" for k in range(T)] if columns is None else list(columns)
    null = None
    if judge.family is not None:
        rows = model._rows_at(X, y, sample_weight, **offsets)
        null = null_deviance(rows, judge.family.loss)
    found = LeaveOneOut(
        training=None,
        codes=codes,
        groups=labels,
        index=index,
        eta=None,
        y=targets,
        predictions=judge.predictions,
        classes=judge.classes,
        log_scores=judge.log_scores,
        losses=judge.losses,
        times=judge.times(weighting),
        weights=weights,
        weighting=weighting,
        exact_rows=np.ones(n, dtype=bool),
        lost=judge.lost,
        kind=judge.kind,
        loss_name=judge.loss_name,
        model_name=name,
        known_error=0.0,
        model=known,
        null=null,
        refitted=RefittedModels(known, judge.models, names),
    )
    warn_of_rows(found)
    return found


class _Judge:
    """Rows, and what fits without some of them say of these."""

    def __init__(
        self, model: Any, X: Any, y: Array, weights: Array, given: Any, offsets: dict[str, Any]
    ) -> None:
        self.model, self.X, self.y = model, X, y
        self.weights, self.given, self.offsets = weights, given, offsets
        self.classes: Any = np.asarray(model.classes_) if is_classifier(model) else None
        n = len(y)
        shape: tuple[int, ...] = (n,)
        self.family = _family_of(model)
        if self.classes is not None:
            if not hasattr(model, "predict_proba"):
                raise InferenceError(
                    f"{type(model).__name__} has no predict_proba, and so no log scores; give it "
                    "probabilities (probability=True, inverse_link=...)."
                )
            shape, self.kind, self.loss_name = (n, len(self.classes)), "probability", "deviance"
        elif self.family is not None:
            self.kind, self.loss_name = self.family.kind, "deviance"
        else:
            self.kind = "likelihood" if getattr(model, "log_likelihood", False) is True else "loss"
            self.loss_name = "loss" if hasattr(model, "objective") else "squared error"
        if self.classes is None and y.ndim > 1:
            shape = y.shape
        self.predictions = np.full(shape, np.nan)
        self.log_scores, self.losses = np.full(n, np.nan), np.full(n, np.nan)
        self.lost = np.zeros(n, dtype=bool)
        self.models: list[Any] = []

    def times(self, weighting: Weighting) -> Array:
        """How often the log score of each row counts."""
        if self.family is not None:
            return self.family.times(self.y, self.weights)
        if weighting is Weighting.PRECISION:
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
        options: dict[str, Any] = {} if self.given is None else {"sample_weight": self.given[rows]}
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
        y = self.y[out]
        if self.family is not None:
            measure = FamilyMeasure(fitted._record().loss, self.family.weighting)
            eta = self._predictors(fitted, X, offsets)
            phi = np.full(len(out), fitted.dispersion_)
            self.losses[out] = losses = measure.losses(y, eta)
            self.log_scores[out] = measure.log_scores(y, eta, self.weights[out], phi, losses)
            off, on = measure.on_bound(y, eta, self._predictors(self.model, X, offsets))
            self.losses[out] = np.where(off, np.inf, np.where(on, 0.0, losses))
            self.log_scores[out] = np.where(off, -np.inf, np.where(on, 0.0, self.log_scores[out]))
            self.lost[out] = off & (self.weights[out] > 0)
            return
        if hasattr(fitted, "objective"):
            self.losses[out] = [self._loss_of(fitted, i) for i in out]
        else:
            squares = (y - self.predictions[out]) ** 2
            self.losses[out] = squares if squares.ndim == 1 else squares.sum(axis=1)
        self.log_scores[out] = -self.losses[out]

    def _judge_classes(self, out: Codes) -> None:
        own = np.searchsorted(self.classes, self.y[out])
        with np.errstate(divide="ignore"):
            self.log_scores[out] = np.log(self.predictions[out, own])
        self.losses[out] = -2.0 * self.log_scores[out]
        self.lost[out] = np.isinf(self.log_scores[out]) & (self.weights[out] > 0)

    @staticmethod
    def _predictors(fitted: Any, X: Any, offsets: dict[str, Any]) -> Array:
        """Linear predictors of a generalized linear model, as a column."""
        eta: Array = fitted._linear_predictor(X)[:, np.newaxis]
        return eta + fitted._offsets_of(eta, **offsets).get("offset", np.zeros(1)).reshape(-1, 1)

    def _loss_of(self, fitted: Any, row: int) -> float:
        """The loss of a row: what the objective of two copies has more than that of one."""
        two = [row, row]
        both, one = (
            fitted.objective(_safe_indexing(self.X, rows), self.y[rows], **self._offsets(rows))
            for rows in (np.array(two), np.array(two[:1]))
        )
        return float(both - one)

    def _offsets(self, rows: Codes) -> dict[str, Any]:
        return {name: np.asarray(values)[rows] for name, values in self.offsets.items()}


def _family_of(model: Any) -> FamilyMeasure | None:
    """The measure of a generalized linear model; None of other models."""
    record: Any = getattr(model, "_fit", None)
    loss = getattr(record, "loss", None)
    return FamilyMeasure(loss, record.weighting) if isinstance(loss, FamilyLoss) else None
