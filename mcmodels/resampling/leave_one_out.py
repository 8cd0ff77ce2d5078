"""`leave_one_out`: what a model says of each row that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes, MatrixLike, VectorLike, Weights
from mcmodels.resampling.conformal import Conformal
from mcmodels.resampling.training_fit import TrainingFit, training_fit
from mcmodels.reweighting.one_step import left_out
from mcmodels.rows import RowBlock

__all__ = ["LeaveOneOut", "leave_one_out"]


@dataclass(frozen=True)
class LeaveOneOut(Conformal):
    """Fits without each row, or without each group of rows.

    Parameters
    ----------
    training : TrainingFit
        The fit of all rows, with the rows.
    codes : ndarray of shape (n,), int
        The group of each row; its position, if rows are left out one by one.
    steps : ndarray of shape (m, R)
        The fit without group g has the parameters ``θ̂ + T steps[g]``.
    eta : ndarray of shape (n, K)
        The linear predictor of each row by the fit without its group, offset included.
    """

    training: TrainingFit
    codes: Codes
    steps: Array
    eta: Array


def leave_one_out(
    model: Any,
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    **offsets: Any,
) -> LeaveOneOut:
    """What a model says of each row that it has not seen."""
    training = training_fit(model, X, y, sample_weight, **offsets)
    fit = training.fit
    K = fit.basis.n_outputs

    def without(block: RowBlock) -> Array:
        terms = fit.terms(block)
        found = left_out(terms)
        steps = np.einsum("ikr,ik->ir", terms.Z, found.factor)
        return np.column_stack([found.eta, steps])

    stacked = fit.rows.map(without)
    return LeaveOneOut(training, np.arange(len(stacked)), stacked[:, K:], stacked[:, :K])
