"""Exact effects of leaving out rows: fits without them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes
from mcmodels.exceptions import InferenceError
from mcmodels.resampling.fit_functions import fit_function
from mcmodels.resampling.network_attribution import network_function
from mcmodels.resampling.training_data import TrainingData
from mcmodels.reweighting.refits import refit_without
from mcmodels.reweighting.whitened_fit import GROUP, Basis, WhitenedFit

__all__ = ["NetworkRefits", "PredictorRefits", "Refitting", "by_targets"]


def by_targets(fit: WhitenedFit) -> WhitenedFit:
    """The same fit; with a T for each target, where several targets share one.

    Then u has the changes of each target one after the other.
    """
    K, basis = len(np.atleast_2d(fit.params)), fit.basis
    if basis.n_outputs == K:
        return fit
    _, P, R = basis.root.shape
    root = np.zeros((K, P, K, R))
    root[np.arange(K), :, np.arange(K)] = basis.root[0]
    return replace(fit, basis=Basis(root.reshape(K, P, K * R), basis.centre, basis.intercept))


class Refitting(ABC):
    """Exact effects of leaving out rows or groups, by fits without them."""

    @abstractmethod
    def exact(self, codes: Codes, groups: Codes) -> Array:
        """Of each of the groups f without it minus f; NaN where there is no fit without it."""


@dataclass(frozen=True)
class PredictorRefits(Refitting):
    """Exact effects on a fit of linear predictors."""

    data: TrainingData
    of: Any

    def exact(self, codes: Codes, groups: Codes) -> Array:
        """By converged Newton steps from the fit; where they do not converge, by a new fit."""
        if len(groups) == 0:
            return np.zeros(0)
        fit = by_targets(self.data.training({GROUP: codes}).fit)
        found = refit_without(fit, np.asarray(groups))
        function = fit_function(self.data.model, self.of)
        before = function.value(fit.params)
        exact = np.full(len(groups), np.nan)
        exact[found.converged] = function.changes(fit, found.U[found.converged])
        for k in np.flatnonzero(np.logical_not(found.converged)):
            exact[k] = self._fitted_again(codes != groups[k]) - before
        return exact

    def _fitted_again(self, kept: npt.NDArray[np.bool_]) -> float:
        """The value of a fit from the start; NaN where it is at no unique minimum."""
        try:
            model = self.data.without(~kept).fitted()
        except ValueError:  # a class or all rows are gone
            return np.nan
        record = model._fit
        same = np.shape(model.params_) == np.shape(self.data.model.params_)
        if record.undetermined or not same:
            return np.nan
        try:
            function = fit_function(model, self.of)
            function.refuse_undetermined(model)
        except InferenceError:  # f is not determined without these rows
            return np.nan
        return function.value(np.asarray(record.params))


@dataclass(frozen=True)
class NetworkRefits(Refitting):
    """Exact effects on a network, by descents from the fit to where the gradient is very small."""

    data: TrainingData
    of: Any

    def exact(self, codes: Codes, groups: Codes) -> Array:
        """By a descent without each group, from where one with all rows has ended."""
        all_rows = self.data.fitted()
        from_there = replace(self.data, model=all_rows)
        function = network_function(self.data.model, self.of)
        before = function(all_rows.params_)
        exact = np.full(len(groups), np.nan)
        for k, group in enumerate(groups):
            model = from_there.without(codes == group).fitted()
            if model.params_.shape == all_rows.params_.shape and model.converged_:
                exact[k] = function(model.params_) - before
        return exact
