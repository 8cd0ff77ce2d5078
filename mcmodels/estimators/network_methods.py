"""Predictions of networks with intervals, by Laplace's approximation."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.network_layers import NetworkModel
from mcmodels.estimators.parameter_methods import index_of, output_table
from mcmodels.estimators.streams import of_blocks
from mcmodels.estimators.validation import target_names, validated_rows
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import InferenceError
from mcmodels.inference.laplace import (
    Curvature,
    NetworkPosterior,
    intervals_of_means,
    network_posterior,
)
from mcmodels.inference.summary import Summarised, Summary
from mcmodels.objectives.network_losses import LabelCrossEntropy
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.records.networks import NetworkRecord, NetworkUpdates
from mcmodels.rows import ArrayRows, RowStream

__all__ = ["LaplacePredictions", "NetworkMethods"]


@dataclass(frozen=True, repr=False, eq=False)
class LaplacePredictions(Summarised):
    """Predictions of a network with intervals, by the Hessian at the fit.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The fitted network.
    posterior : NetworkPosterior
        The normal approximation of the posterior distribution of the parameters.
    targets : tuple of str
        Names of the targets; empty if they have none.
    """

    estimator: Any
    posterior: NetworkPosterior
    targets: tuple[str, ...] = ()

    @property
    def covariance(self) -> Array:
        """Covariance of the parameters that are not held fixed, in the order of ``params_``."""
        return self.posterior.covariance

    @property
    def effective_parameters(self) -> float:
        """Effective number of parameters: those that the rows determine more than the penalty."""
        return self.posterior.effective_parameters

    def summary(self) -> Summary:
        """What the approximation is, and how much the rows determine."""
        found = self.posterior.summary()
        facts = {"network": repr(self.estimator), **found.facts}
        return replace(found, facts=facts, notes=("predict_interval(X) has the predictions.",))

    @of_blocks
    def predict_interval(
        self, X: MatrixLike, level: float = 0.95, kind: str = "mean"
    ) -> pd.DataFrame:
        """Predictions with intervals.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean", "observation"}, default="mean"
            "mean": intervals for the mean of the target. "observation": for a new observation.
            A classifier has "mean" only, and so has a regression of counts (loss="poisson").

        Returns
        -------
        DataFrame
            Of a regression: columns prediction, standard_error, lower, upper. Of a classifier:
            columns probability, standard_error, lower, upper of the second class. With several
            outputs or labels, or more than two classes, the columns have two levels: the output,
            label or class, and these names. Ends of intervals of probabilities and of mean counts
            are those of the outputs of the network, mapped by the same function.
        """
        check_choice("kind", kind, ("mean", "observation"))
        rows = ArrayRows(validated_rows(self.estimator, X), intercept=False)
        quantile = self.posterior.quantile(level)
        classes = getattr(self.estimator, "classes_", None)
        if classes is not None:
            if kind == "observation":
                raise ValueError(
                    "kind='observation' is for regressions; use kind='mean' for classes."
                )
            values = self.posterior.probabilities(rows, quantile)
            names = ["probability", "standard_error", "lower", "upper"]
            outputs, level_name = classes, "class"
            if self.targets:
                outputs, level_name = self.targets, "label"
        elif self.estimator.out_activation_ == "exp":
            if kind == "observation":
                raise ValueError(
                    "kind='observation' is for squared errors; with loss='poisson' use "
                    "kind='mean', and the quantiles of a Poisson distribution with that mean."
                )
            eta, error = self.posterior.outputs(rows)
            values = intervals_of_means(eta, error, quantile)
        else:
            eta, error = self.posterior.outputs(rows, of_observation=kind == "observation")
            values = np.stack([eta, error, eta - quantile * error, eta + quantile * error], axis=2)
        if classes is None:
            names = ["prediction", "standard_error", "lower", "upper"]
            named = len(self.targets) == eta.shape[1]
            outputs, level_name = self.targets if named else range(eta.shape[1]), "output"
        return output_table(values, names, outputs, level_name, index_of(X))


class NetworkMethods(NetworkModel):
    """Predictive intervals of a network."""

    def laplace(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        curvature: Curvature = "last_layer",
    ) -> LaplacePredictions:
        """Predictions with intervals, by Laplace's approximation at the fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        curvature : {"last_layer", "full"}, default="last_layer"
            "last_layer": the Hessian over the parameters of the last layer, the others held fixed.
            "full": the Hessian over all parameters.

        Returns
        -------
        LaplacePredictions
            It has the method ``predict_interval``.

        Raises
        ------
        InferenceError
            If the Hessian has a negative eigenvalue, or there are no degrees of freedom left to
            estimate the variance of the noise.

        Warns
        -----
        ConvergenceWarning
            If the fit has not converged.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.laplace`. Without hidden layers and
        without a penalty these are the intervals of LinearRegression and LogisticRegression.
        """
        check_choice("curvature", curvature, ("last_layer", "full"))
        record = self._record()
        _refuse_no_minimum(record)
        current, params = self._objective_on(X, y, sample_weight), self.params_.copy()
        # The alpha of the fit, because the user may have changed the parameter since.
        objective = NetworkObjective(current.rows, current.network, current.loss, record.alpha)
        record.require_training_rows(objective.rows, objective, params)
        if not record.converged:
            warn_not_converged(
                "the fit stopped before its gradient was small: the intervals are those of the "
                "parameters at which it stopped, and the intervals at a minimum may be different. "
                "Raise max_iter, or read the warning of fit."
            )
        noise = isinstance(record.pointwise, HalfSquaredError)
        is_multilabel = isinstance(record.pointwise, LabelCrossEntropy)
        names = record.target_names if is_multilabel else target_names(y)
        posterior = network_posterior(objective, params, curvature, noise=noise)
        return LaplacePredictions(copy.copy(self), posterior, names)


def _refuse_no_minimum(record: NetworkRecord) -> None:
    """Refuse parameters that were chosen otherwise than as a minimum over rows that are known."""
    if isinstance(record, NetworkUpdates):
        record.refuse("laplace")
    if record.had_early_stopping:
        raise InferenceError(
            "laplace is not available after early stopping: the parameters were chosen by the rows "
            "that were held out, and need not be at a minimum over the others. Fit with "
            "early_stopping=False, and choose alpha by cross-validation."
        )
