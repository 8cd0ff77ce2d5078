"""Fits without some rows from the start, as `fit` makes them.

They are for rows whose removal changes the fit too much for steps from the fit of all rows: those
that alone determine a parameter, and those without which there is no minimum.

A convex objective that has a unique minimum increases along every direction in the end. If without
a row it falls along a direction d for ever, so that it has no minimum, then the loss of the row
increases along d without bound: in the limit of the fits without the row its log score is minus
infinity. The same holds where a class loses its last row: the fit without it does not know the
class.
Sources: Albert and Anderson (1984), *On the existence of maximum likelihood estimates in logistic
regression models*, Biometrika 71(1); Rockafellar (1970), *Convex Analysis*, theorem 27.1.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from mcmodels.arrays import Array, Codes
from mcmodels.estimators.classes import totals
from mcmodels.exceptions import InferenceError
from mcmodels.resampling.training_fit import TrainingFit
from mcmodels.rows import RowStream, StreamedMatrix

__all__ = ["FullRefit", "refit_in_full", "refuse_many", "with_same_penalty"]

_WITHOUT_MINIMUM = ("separated", "no minimum")
# Margins of rows that grow for ever have passed this by far where a fit without a minimum ends.
_FAR = 10.0


@dataclass(frozen=True)
class FullRefit:
    """A fit without some rows.

    Parameters
    ----------
    eta : ndarray of shape (q, K)
        Linear predictors of the rows that are left out, offset included. Of several classes they
        are logarithms of probabilities.
    model : estimator or None
        The fit; None if a single class is left.
    lost : ndarray of shape (q,), bool
        Rows whose log score is minus infinity in the limit.
    """

    eta: Array
    model: Any
    lost: Any


def refit_in_full(training: TrainingFit, out: Codes) -> FullRefit:
    """The fit without the rows at some positions.

    Parameters
    ----------
    training : TrainingFit
        The fit of all rows.
    out : ndarray of shape (q,), int
        Positions of the rows that are left out.
    """
    n = len(training.y)
    kept = np.ones(n, dtype=bool)
    kept[out] = False
    weights = np.ones(n) if training.weights is None else training.weights
    classes = getattr(training.model, "classes_", None)
    K = training.fit.basis.n_outputs
    left = None
    if classes is not None:
        left = totals(training.y[kept].astype(np.intp), weights[kept], len(classes)) > 0
        if left.sum() == 1:
            (only,) = np.nonzero(left)[0]
            certain = np.where(np.arange(len(classes)) == only, np.inf, -np.inf)
            eta = np.tile(certain, (len(out), 1)) if K > 1 else np.full((len(out), 1), certain[-1])
            return FullRefit(eta, None, training.y[out] != only)
    model = _fitted(training, kept)
    eta = _predictors_of(training, model, out, left)
    lost = np.zeros(len(out), dtype=bool)
    if left is not None and not left.all():
        lost = ~left[training.y[out].astype(np.intp)]
    if str(model._record().status) in _WITHOUT_MINIMUM:
        if len(out) == 1:
            lost[:] = True
        elif classes is not None:
            margins = _margins(training.y[out].astype(np.intp), eta)
            lost |= margins < -_FAR
            lost[np.argmin(margins)] = True
        else:
            loss = training.fit.loss
            growth = loss.value(training.y[out], training.fit.shape_of_eta(eta))
            lost |= ~(growth < np.exp(_FAR))
            lost[np.argmax(growth)] = True
    return FullRefit(eta, model, lost)


def with_same_penalty(model: Any) -> Any:
    """A copy without a fit, whose penalties are the numbers that the fit has given or chosen.

    Groups of columns are named by positions: rows that are fitted again may be without names.
    """
    copy = clone(model)
    for name in ("C", "alpha"):
        if not isinstance(getattr(copy, name, None), str | Mapping):
            continue
        copy.set_params(**{name: getattr(model, f"{name}_")})
        groups = model._record().groups_of_penalty
        if groups:
            copy.set_params(penalty_groups=groups)
    return copy


def _fitted(training: TrainingFit, kept: Array) -> Any:
    """A new fit of the rows that are kept, whose warnings are not shown."""
    model = with_same_penalty(training.model)
    if "class_weight" in model.get_params(deep=False):  # they are in the weights
        model.set_params(class_weight=None)
    classes = getattr(training.model, "classes_", None)
    y = training.y if classes is None else classes[training.y.astype(np.intp)]
    weights, offset, X = training.weights, training.offset, training.X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(X, StreamedMatrix):
            present = kept.astype(np.float64) if weights is None else weights * kept
            return model.fit(_stream(X, y, present, offset))
        further = {} if offset is None else {"offset": offset[kept]}
        some = None if weights is None else weights[kept]
        return model.fit(X[kept], y[kept], some, **further)


def _stream(X: StreamedMatrix, y: Any, weights: Array, offset: Array | None) -> RowStream:
    """The rows of a stream with other weights."""

    def blocks() -> Any:
        start = 0
        for chunk in X.walk():
            part = slice(start, start + chunk.X.shape[0])
            start = part.stop
            rows = (chunk.X, y[part], weights[part])
            yield rows if offset is None else (*rows, offset[part])

    return RowStream(blocks)


def _predictors_of(training: TrainingFit, model: Any, out: Codes, left: Any) -> Array:
    """Linear predictors of some rows by another fit of the same columns."""
    params = np.atleast_2d(np.asarray(model._record().params))
    wanted = np.zeros(len(training.y), dtype=bool)
    wanted[out] = True

    def some(block: Any) -> Array:
        rows = wanted[block.rows]
        eta = block.X.predictor(params)
        return eta[rows]

    offset = training.offset
    found = np.concatenate(training.fit.rows.reduce(lambda block: [some(block)]))
    order = np.argsort(np.argsort(out))  # the passes find them in the order of the rows
    found = found[order]
    K = training.fit.basis.n_outputs
    if left is None or found.shape[1] == K or K == 1:
        return found if offset is None else found + offset[out].reshape(len(out), -1)
    # A class is missing: of the others the probabilities are those of the fit.
    others = np.full((len(out), K), -np.inf)
    if found.shape[1] == 1:
        found = np.column_stack([np.zeros(len(out)), found])
    others[:, left] = found if offset is None else found + offset[out][:, left]
    return others


def _margins(codes: Array, eta: Array) -> Array:
    """The predictor of the class of each row less the largest of the others."""
    if eta.shape[1] == 1:
        return np.where(codes == 1, eta[:, 0], -eta[:, 0])
    rows = np.arange(len(codes))
    others = eta.copy()
    others[rows, codes] = -np.inf
    return eta[rows, codes] - others.max(axis=1)


def refuse_many(count: int, most: int, what: str, other: str = "") -> None:
    """Refuse so many fits from the start; ``other`` is another way, as a sentence."""
    if count > most:
        raise InferenceError(
            f"{what} needs {count} fits from the start, and the most is {most}. Leave out groups "
            f"of rows (groups=...), of which there are fewer.{other}"
        )
