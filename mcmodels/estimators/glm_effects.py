"""Intervals, marginal effects, influence and deviances of generalized linear models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_interval_kind, refuse_other_order
from mcmodels.estimators.effect_methods import EffectMethods
from mcmodels.estimators.glm_methods import GlmMethods
from mcmodels.estimators.missing_means import warn_without_means
from mcmodels.estimators.offsets import checked_trials
from mcmodels.estimators.profiled_model import positions
from mcmodels.exceptions import example_of
from mcmodels.inference.deviance_table import Deviances, deviance_table
from mcmodels.inference.estimate import check_level
from mcmodels.inference.influence import RESIDUAL_MEASURES, glm_influence
from mcmodels.inference.marginal_effects import At
from mcmodels.inference.mean_intervals import mean_intervals, observation_intervals
from mcmodels.inference.responses import Means
from mcmodels.objectives.families import Binomial
from mcmodels.records.glm import GlmFit
from mcmodels.rows import Rows, RowStream
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import is_dask, refuse_mixed

__all__ = ["GlmEffects"]


class GlmEffects(GlmMethods, EffectMethods):
    """Intervals of predictions, marginal effects, influence and the table of deviances."""

    _influence_measures = RESIDUAL_MEASURES

    def predict_interval(
        self,
        X: MatrixLike | RowStream,
        level: float = 0.95,
        kind: str = "mean",
        *,
        trials: VectorLike | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Means with intervals, or intervals of a new observation.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean", "observation"}, default="mean"
            "mean": ends computed for the linear predictor and mapped back. "observation": quantiles
            of the distribution of a new observation, with the error of the linear predictor.
        trials : array-like of shape (n_samples,), default=None
            Trials of binomial observations, which are proportions; 1 by default.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one of them.

        Returns
        -------
        DataFrame
            Columns prediction, standard_error, lower, upper; it has the index of X. The standard
            error of a mean is that of the delta method; that of an observation holds its variance,
            too. Of collections of Dask it is computed when it is asked for.

        Raises
        ------
        InferenceError
            If the parameters are not determined, there is no dispersion, or the distribution of the
            family is not known (Tweedie's).

        Warns
        -----
        NoMeanWarning
            When a linear predictor is outside the domain of the link; its row is NaN.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.mean_intervals`.

        Examples
        --------
        >>> import numpy as np
        >>> from mcmodels import GeneralizedLinearRegressor
        >>> X, y = np.arange(6.0)[:, np.newaxis], np.array([1, 2, 2, 5, 9, 12])
        >>> model = GeneralizedLinearRegressor("poisson").fit(X, y)
        >>> model.predict_interval([[5.0]]).round(3)
           prediction  standard_error  lower   upper
        0      12.847           3.077  8.034  20.544
        >>> model.predict_interval([[5.0]], kind="observation").round(3)
           prediction  standard_error  lower  upper
        0      12.847           4.724    5.0   24.0
        """
        check_level(level)
        check_interval_kind(kind, "results(model).")
        record: GlmFit = self._record()
        model, loss = record.model, self._loss()
        columns = ["prediction", "standard_error", "lower", "upper"]
        quantile = record.estimate.quantile(level)
        if trials is not None and (not isinstance(loss.family, Binomial) or kind != "observation"):
            raise ValueError(
                "trials are those of binomial observations: family='binomial' and "
                "kind='observation'."
            )
        offsets: dict[str, Any] = {"offset": offset, "exposure": exposure}
        given: dict[str, Any] = {"X": X, "trials": trials, **offsets}
        if any(map(is_dask, given.values())):
            refuse_mixed(given)
            self._refuse_missing_offset(offsets)
            _ = model.whitening  # raises if there is none, before any row is read
            like = pd.DataFrame(columns=columns, dtype=np.float64)
            return lazily(self, "predict_interval", given, level=level, kind=kind, like=like)
        refuse_other_order(X=X, trials=trials)
        further = None if trials is None else (lambda X: {"trials": checked_trials(X, trials)})
        rows, index = self._indexed_rows(X, None, further, weighted=False, **offsets)
        record.warn_of_perfect_fit()
        if kind == "mean":
            values = mean_intervals(model, loss, rows, quantile)
        else:
            values = observation_intervals(model, loss, rows, level, quantile)
        warn_without_means(loss, np.isnan(values[:, 0]), "predictions and intervals")
        return pd.DataFrame(values, columns=columns, index=index)

    def marginal_effects(
        self,
        X: MatrixLike | RowStream,
        *,
        at: At = "average",
        discrete: bool = True,
        level: float = 0.95,
        sample_weight: Weights = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """How the mean changes with each feature, the others held constant.

        Parameters
        ----------
        X, at, discrete, level, sample_weight
            As in :meth:`mcmodels.LogisticRegression.marginal_effects`; X may also be a RowStream.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one of them.

        Returns
        -------
        DataFrame
            As of :meth:`mcmodels.LogisticRegression.marginal_effects`, with t in place of z where
            the dispersion was estimated.

        Raises
        ------
        InferenceError
            If the parameters are not determined, or a row has no mean.
        """
        offsets = {"offset": offset, "exposure": exposure}
        return self._marginal_effects(X, at, discrete, level, sample_weight, offsets)

    def _response(self) -> Means:
        return Means(self._loss())

    def _names_of_effects(self) -> tuple[str, ...]:
        record: GlmFit = self._record()
        return record.names

    def score_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """As :meth:`mcmodels.LogisticRegression.score_intervals`, with offset and exposure.

        The information is the expected one.
        """
        added = {"offset": offset, "exposure": exposure}
        return self._score_intervals(X, y, sample_weight, level, parameters, added)

    def likelihood_profile(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.99,
        points: int = 21,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """As :meth:`mcmodels.LogisticRegression.likelihood_profile`, with offset and exposure."""
        added = {"offset": offset, "exposure": exposure}
        return self._likelihood_profile(X, y, sample_weight, level, points, parameters, added)

    def influence(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """How much each training row changes the fit, by one Newton step.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`mcmodels.LogisticRegression.influence`.
        offset, exposure : array-like of shape (n_samples,), default=None
            Those of the fit.

        Returns
        -------
        DataFrame
            As of :meth:`mcmodels.LogisticRegression.influence`. Leverages are by the observed
            information; standardized_residual is Pearson's, divided by ``√(φ(1 - h))``.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`.
        """
        self._record().model.refuse_without_dispersion()
        offsets = {"offset": offset, "exposure": exposure}
        return self._influence(X=X, y=y, sample_weight=sample_weight, **offsets)

    def _influence_of(self, rows: Rows, index: pd.Index | None, scale: float) -> pd.DataFrame:
        record: GlmFit = self._record()
        return glm_influence(record.model, self._loss(), rows, record.unit_weight, index)

    def deviance_table(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        terms: Mapping[str, Sequence[str]] | None = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Analysis of deviance: what each term adds to those before it, as R's ``anova``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y, the weights and the offset.
        y : array-like of shape (n_samples,), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        terms : mapping of str to sequences of str, default=None
            Names of terms, with the features of each, in the order in which they are added; every
            feature is in one term. None: each feature is a term.
        offset, exposure : array-like of shape (n_samples,), default=None
            Those of the fit.

        Returns
        -------
        DataFrame
            The first row is the model without features; then one row for each term. Columns df and
            deviance (what it explains), residual_df and residual_deviance (what is left), statistic
            and p_value: F where the dispersion was estimated, else χ². The dispersion is that of
            the whole model; so is θ.

        Raises
        ------
        InferenceError
            If the fit is penalised, has no maximum, or a smaller model has none.

        References
        ----------
        McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3 and §8.3.
        """
        record: GlmFit = self._record()
        record.weighting.refuse_without_likelihood("an analysis of deviance")
        record.at_maximum("an analysis of deviance").refuse_without_dispersion()
        found = [(name, [j]) for j, name in enumerate(record.names)]
        if terms is not None:
            if not isinstance(terms, Mapping):
                raise TypeError(
                    f"terms={example_of(terms)} must be a mapping of names to lists of features."
                )
            found = [(name, positions(of, list(record.names))) for name, of in terms.items()]
            given = sorted(j for _, columns in found for j in columns)
            empty = [name for name, columns in found if not columns]
            if empty or given != list(range(len(record.names))):
                raise ValueError(
                    "terms must hold each feature once, and no term may be empty; the features are "
                    f"{', '.join(record.names)}."
                )

        rows = self._rows_again(X, y, sample_weight, offset=offset, exposure=exposure)
        return deviance_table(Deviances.of_family(record.model, self._loss(), rows), found)
