"""Tests of LinearRegression that read the training rows: of variances, parameters, single rows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_count,
    check_number,
    finite_numbers,
    listed,
)
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.estimators.parameter_methods import index_of
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.exceptions import example_of
from mcmodels.inference.cluster_sums import ClusterSums
from mcmodels.inference.diagnostics import breusch_pagan
from mcmodels.inference.estimate import check_level
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.outliers import OutlierTest, outlier_test, outlier_test_in_parts
from mcmodels.inference.wild_bootstrap import DISTRIBUTIONS, WildBootstrapTest, wild_bootstrap_test
from mcmodels.records.linear import LinearFit
from mcmodels.rows import PartOfStream, RowBlock, Rows, RowStream, RowsWithTargets, rows_of
from mcmodels.tables.dask_stream import in_parts, is_dask

__all__ = ["LinearTests"]


class LinearTests(InfluenceMethods):
    """Tests of a least-squares fit that need its rows once more."""

    @abstractmethod
    def _rows_in_parts(
        self,
        stream: RowStream,
        extras_of: ExtrasOfPart | None = None,
        *,
        single: bool = False,
        intercept: bool | None = None,
    ) -> Rows:
        """Rows of a stream in parts; with targets of shape (n,), or another intercept."""

    def wild_bootstrap_test(
        self,
        parameter: str | VectorLike,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        groups: VectorLike | None = None,
        null: float = 0.0,
        draws: int = 9999,
        distribution: str = "rademacher",
        level: float = 0.95,
        random_state: RandomState = None,
    ) -> WildBootstrapTest:
        """Test a parameter by the wild cluster bootstrap, for few clusters.

        The hypothesis is imposed (WCR), p-values are two-sided and symmetric, and the interval has
        the values that the test does not reject.

        Parameters
        ----------
        parameter : str, or array-like of shape (n_params,)
            The name of a feature or "(intercept)"; or c of the combination ``cᵀθ`` that is tested.
        X, y, sample_weight
            The training rows; a stream also holds y and the weights.
        groups : array-like of shape (n_samples,)
            The cluster of each row.
        null : float, default=0.0
            The value that is tested.
        draws : int, default=9999
            Number of draws, at least 1. With G clusters there are 2^G vectors of signs; where
            these are no more, all of them are taken in place of random ones.
        distribution : {"rademacher", "webb"}, default="rademacher"
            What residuals are multiplied by: signs; or one of six numbers, for fewer than about ten
            clusters, where there are few vectors of signs.
        level : float, default=0.95
            Coverage of the interval, in (0, 1).
        random_state : int, RandomState or None, default=None
            Makes the draws.

        Returns
        -------
        WildBootstrapTest
            With ``p_value``, ``interval``, ``statistic``, ``draws``, ``is_exact``.

        Raises
        ------
        InferenceError
            For several targets, a single cluster, very many clusters, or a parameter that a
            cluster alone tells.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.wild_bootstrap`.

        Examples
        --------
        >>> import numpy as np
        >>> from mcmodels import LinearRegression
        >>> rng = np.random.default_rng(0)
        >>> school = np.repeat(np.arange(8), 20)
        >>> X = rng.normal(size=(160, 1)) + rng.normal(size=8)[school, np.newaxis]
        >>> y = 0.5 * X[:, 0] + rng.normal(size=8)[school] + rng.normal(size=160)
        >>> model = LinearRegression().fit(X, y)
        >>> test = model.wild_bootstrap_test("x0", X, y, groups=school)
        >>> test.draws, test.is_exact
        (256, True)
        """
        record: LinearFit = self._record()
        record.refuse_several_targets("wild_bootstrap_test")
        check_level(level)
        check_number("null", null)
        if not np.isfinite(null):
            raise ValueError(f"null={null} must be a finite number.")
        check_count("draws", draws, at_least=1)
        check_choice("distribution", distribution, tuple(DISTRIBUTIONS))
        if groups is None and not isinstance(X, RowStream) and not is_dask(X):
            raise ValueError("groups is None; pass the cluster of each row.")
        contrast, name = _contrast(parameter, record.model.names)
        if record.estimable is not None:
            record.estimable.require(contrast[np.newaxis], [name])
        rng = check_random_state(random_state)
        rows, robust = self._robust_rows(X, y, sample_weight, kind="cluster", groups=groups)
        record.refuse_saturated(record.rank + record.intercept)
        record.warn_of_perfect_fit()
        count = robust.only_count("wild_bootstrap_test")
        assert rows is not None
        sums = ClusterSums.of(record.robust_model(), rows, count, "choose kind='cluster'")
        estimate = float((contrast * record.params).sum())
        return wild_bootstrap_test(
            sums,
            contrast,
            estimate,
            f"{name} = {null:g}",
            null=float(null),
            draws=int(draws),
            distribution=distribution,
            level=level,
            rng=rng,
        )

    def outlier_test(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> OutlierTest:
        """Test each training row for being an outlier, with Bonferroni's correction.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights; rows of weight 0 are left out.

        Returns
        -------
        OutlierTest
            ``print`` it for the largest residuals; ``to_frame()`` has all rows, and ``table`` has
            them in the order of X. Of collections of Dask both have the rows whose Bonferroni
            p-value is below one, and no fewer than the ten with the largest residuals.

        Warns
        -----
        LeverageWarning
            For rows with leverage 1, which cannot be tested.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.outliers`.

        Examples
        --------
        >>> import numpy as np
        >>> from mcmodels import LinearRegression
        >>> X = np.arange(12.0).reshape(-1, 1)
        >>> y = 2 * X[:, 0] + np.sin(X[:, 0])
        >>> y[7] += 9
        >>> outliers = LinearRegression().fit(X, y).outlier_test(X, y)
        >>> print(outliers.to_frame().head(1).round(3))
           studentized_residual  p_value  bonferroni_p
        7                12.645      0.0           0.0
        """
        record: LinearFit = self._record()
        record.refuse_several_targets("outlier_test")
        instead = "See influence(X, y) for the rows that change the fit most."
        record.weighting.refuse_tests_of_noise("outlier_test", instead)
        model = record.model
        _ = model.whitening  # raises if there is none, before any row is read
        record.refuse_saturated(record.rank + record.intercept, without_one=True)
        fitted = record.least_squares.params[0], record.residual_squares, model.df, model.weighting
        stream = in_parts(X, y, sample_weight)
        if stream is not None and is_dask(X):
            several: Any = self._rows_in_parts(stream, _places_of)
            self._require_training_rows(several)
            record.warn_of_perfect_fit()
            rows = RowsWithTargets(several, lambda block: block.y[:, 0])
            labels = _Labels(np.asarray(several.starts))
            return outlier_test_in_parts(model.whitening, rows, *fitted, labels)
        index = index_of(X)
        X, targets, weights = self._training_rows(X, y, sample_weight)
        record.warn_of_perfect_fit()
        extras = None if weights is None else {"frequency": weights}
        return outlier_test(
            model.whitening,
            rows_of(X, targets[:, 0], extras=extras, intercept=record.intercept),
            *fitted,
            index_of(X) if index is None else index,
        )

    def breusch_pagan(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
    ) -> HypothesisTest:
        """Test whether the variance of the noise depends on the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        HypothesisTest
            Koenker's version: ``nR²`` of a regression of the squared residuals on the features, χ².
        """
        record: LinearFit = self._record()
        record.refuse_several_targets("breusch_pagan")
        instead = "Errors are those of HC1, which are right under unequal variances, too."
        record.weighting.refuse_tests_of_noise("breusch_pagan", instead)
        record.refuse_saturated(record.rank + record.intercept)
        if (stream := in_parts(X, y, sample_weight)) is not None:
            self._require_training_rows(self._rows_in_parts(stream))
            rows = self._rows_in_parts(stream, intercept=True)
        else:
            X, targets, weights = self._training_rows(X, y, sample_weight)
            rows = rows_of(X, targets, weights, intercept=True)
        record.warn_of_perfect_fit()
        params = record.least_squares.params
        if not record.intercept:
            params = np.column_stack([params, np.zeros(len(params))])
        return breusch_pagan(rows, params, record.rank, record.weighting)


def _places_of(part: PartOfStream) -> dict[str, Any]:
    """The labels of the rows of a part; without an index, where they are."""
    count = sum(X.shape[0] for _, (X, *_) in part.nonempty())
    index = getattr(part.stream, "index", None)
    if index is not None:
        return {"label": index}
    return {"part": np.full(count, part.number), "place": np.arange(count)}


@dataclass(frozen=True)
class _Labels:
    """The labels of the rows of a block: those of :func:`_places_of`, or numbers.

    Parameters
    ----------
    starts : ndarray of int
        The number of the first row of each part.
    """

    starts: Array

    def __call__(self, block: RowBlock) -> pd.Index:
        extras = block.extras
        if "label" in extras:
            return pd.Index(extras["label"])
        return pd.Index(self.starts[extras["part"]] + extras["place"])


def _contrast(parameter: Any, names: tuple[str, ...]) -> tuple[Array, str]:
    """The c of the tested combination ``cᵀθ``, and what it is called."""
    if isinstance(parameter, str):
        if parameter not in names:
            raise ValueError(
                f"parameter={example_of(parameter)} is not a parameter of this model; there are "
                f"{listed(names)}."
            )
        return np.array([float(name == parameter) for name in names]), parameter
    contrast = finite_numbers("parameter", parameter)
    if contrast.shape != (len(names),) or not contrast.any():
        raise ValueError(
            f"parameter={example_of(parameter)} must be the name of a parameter, or {len(names)} "
            f"numbers that are not all zero, for a combination of {listed(names)}."
        )
    terms = [f"{value:+g}*{name}" for value, name in zip(contrast, names, strict=True) if value]
    return contrast, " ".join(terms)
