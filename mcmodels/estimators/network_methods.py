"""What a network's curvature says of its predictions: Laplace's approximation, for both shells."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.model import Model
from mcmodels.estimators.parameter_methods import index_of
from mcmodels.estimators.validation import check_choice, validated_rows
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.inference.laplace import Curvature, NetworkPosterior, network_posterior
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.results.networks import NetworkFit
from mcmodels.rows import ArrayRows

__all__ = ["LaplacePredictions", "NetworkMethods"]


@dataclass(frozen=True)
class LaplacePredictions:
    """Predictions of a network with intervals, by the curvature at the fit.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The fitted network.
    posterior : NetworkPosterior
        The normal approximation of the posterior of its parameters.
    """

    estimator: Any
    posterior: NetworkPosterior

    @property
    def covariance(self) -> Array:
        """Covariance of the parameters that vary, in the order of ``params_``; (k, k)."""
        return self.posterior.covariance

    @property
    def effective_parameters(self) -> float:
        """How many parameters the rows determine, against the penalty."""
        return self.posterior.effective_parameters

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
            Of a regression: the function itself, or a new observation of it. Classes have "mean"
            only.

        Returns
        -------
        DataFrame
            Of a regression, columns prediction, standard_error, lower, upper (of two levels, the
            output first, for several outputs). Of classes, columns probability, standard_error,
            lower, upper of the second class, or of two levels with more than two classes.
        """
        check_choice("kind", kind, ("mean", "observation"))
        index = index_of(X)
        rows = ArrayRows(validated_rows(self.estimator, X), intercept=False)
        quantile = self.posterior.quantile(level)
        classes = getattr(self.estimator, "classes_", None)
        if classes is not None:
            if kind == "observation":
                raise ValueError("kind='observation' is for regressions; a class has no spread.")
            values = self.posterior.probabilities(rows, quantile)
            names = ["probability", "standard_error", "lower", "upper"]
            outputs, level_name = classes, "class"
        else:
            eta, error = self.posterior.outputs(rows, of_observation=kind == "observation")
            values = np.stack([eta, error, eta - quantile * error, eta + quantile * error], axis=2)
            names = ["prediction", "standard_error", "lower", "upper"]
            outputs, level_name = np.arange(eta.shape[1]), "output"
        if values.shape[1] == 1:
            return pd.DataFrame(values[:, 0], columns=names, index=index)
        levels = pd.MultiIndex.from_product([outputs, names], names=[level_name, None])
        return pd.DataFrame(values.reshape(len(values), -1), columns=levels, index=index)


class NetworkMethods(Model):
    """Predictive intervals of a network."""

    _coefficients = ("coefs_", "intercepts_")
    _tracked = _coefficients
    coefs_: list[Array]
    intercepts_: list[Array]

    @abstractmethod
    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> NetworkObjective:
        """The objective over rows, which it validates."""

    def laplace(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: Weights = None,
        *,
        curvature: Curvature = "last_layer",
    ) -> LaplacePredictions:
        """Laplace's approximation at the fit: how far predictions are determined by the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows; a fitted network holds none of them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        curvature : {"last_layer", "full"}, default="last_layer"
            The Hessian over the parameters of the last layer, the others held where they are; or
            over all.

        Returns
        -------
        LaplacePredictions
            With ``predict_interval``.

        Raises
        ------
        InferenceError
            When the Hessian has a negative eigenvalue, or nothing is left to estimate the noise
            from.

        Warns
        -----
        ConvergenceWarning
            When the fit has not converged.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.laplace`. Without hidden layers and
        without a penalty these are the intervals of LinearRegression and LogisticRegression.
        """
        check_choice("curvature", curvature, ("last_layer", "full"))
        record: NetworkFit = self._record()
        now, params = self._objective_on(X, y, sample_weight), self.params_
        # Of the fit, where alpha was set to something else since.
        objective = NetworkObjective(now.rows, now.network, now.loss, record.alpha)
        record.require_training_rows(objective.rows, objective, params)
        if not record.converged:
            warn_not_converged(
                "the fit stopped before its gradient was small: the intervals are around the "
                "parameters where it stopped, and those of a minimum may lie elsewhere. Raise "
                "max_iter, or see what fit warned of."
            )
        noise = not hasattr(self, "classes_")
        posterior = network_posterior(objective, params, curvature, noise=noise)
        return LaplacePredictions(self, posterior)
