"""Inference of PCA: standard errors, tests, number of components, probabilistic PCA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from mcmodels.arrays import Array, MatrixLike, RandomState, Weights
from mcmodels.estimators.arguments import check_count, check_weights, refuse_other_order
from mcmodels.estimators.model import Fitted, Model, coefficient_array
from mcmodels.estimators.parts import rows_in_parts, without_targets
from mcmodels.estimators.streams import in_memory_but_X, of_blocks
from mcmodels.estimators.validation import validated_rows
from mcmodels.inference.estimate import check_level
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.principal_components import ComponentCount
from mcmodels.inference.probabilistic_pca import ProbabilisticPCA
from mcmodels.inference.summary import Summary
from mcmodels.rows import Rows, rows_of
from mcmodels.tables.dask_stream import in_parts

__all__ = ["ComponentMethods"]


class ComponentMethods(Model):
    """Inference of PCA: asymptotic for normally distributed rows, and by probabilistic PCA.

    Formulas and sources are in :mod:`mcmodels.inference.principal_components` and
    :mod:`mcmodels.inference.probabilistic_pca`.
    """

    eigenvalue_standard_errors_ = Fitted(
        "eigenvalue_standard_errors",
        "Standard errors ``λ√(2/ν)`` of ``eigenvalues_``, shape (n_components,).",
    )
    loading_standard_errors_ = Fitted(
        "loading_standard_errors",
        "Standard errors of ``components_``, in its shape; inf for components of equal variance.",
    )
    gradient_ = Fitted("gradient", "``2Sv - 2λv`` for each component: zero up to rounding.")
    hessian_ = Fitted(
        "hessian",
        "``2(S - λI)`` for each component, shape (n_components, n_features, n_features).",
    )
    explained_variance_ratio_ = Fitted("shares", "Shares of the total variance.")
    singular_values_ = Fitted("singular_values", "Singular values of the centred, weighted rows.")
    n_samples_ = Fitted(
        "n_samples",
        "Number of training rows with positive weight.",
        describes_coefficients=False,
    )
    rank_ = Fitted(
        "rank",
        "Number of components whose variance is above rounding noise.",
        describes_coefficients=False,
    )
    solver_ = Fitted("method", "The algorithm that was used.", describes_coefficients=False)
    status_ = Fitted("status_text", "How the solver ended.", describes_coefficients=False)

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Intervals of the variances and of their shares of the total variance.

        Parameters
        ----------
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).

        Returns
        -------
        DataFrame
            One row for each component. Columns variance, standard_error, lower, upper; share,
            share_standard_error, share_lower, share_upper; and these four for ``cumulative``.

        Notes
        -----
        There must be enough rows to tell the variances apart. With variances 8, 4, 2, 1 and 300
        rows or more, all intervals cover within 1 % of 95 %. With 30 rows, the interval of the
        smallest variance covers in 86 % of cases.
        """
        return self._record().confidence_intervals(level)

    def sphericity_test(self) -> HypothesisTest:
        """Bartlett's test that the columns are uncorrelated.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        InferenceError
            If there is one column, if columns are constant or linearly dependent, or if there are
            no more rows than columns.
        """
        return self._record().sphericity_test()

    def broken_stick(self) -> ComponentCount:
        """Number of components by the broken-stick rule: shares larger than those of random parts.

        Returns
        -------
        ComponentCount
            ``count``, and ``table`` with share and threshold of all components.
        """
        return self._record().spectrum.broken_stick()

    def parallel_analysis(
        self, *, quantile: float = 0.95, n_draws: int = 200, random_state: RandomState = None
    ) -> ComponentCount:
        """Number of components with more variance than independent columns have by chance.

        The independent columns are simulated, with the sample variances of the columns of the fit.
        With standardised columns this is Horn's parallel analysis of the correlation matrix.

        Parameters
        ----------
        quantile : float, default=0.95
            Quantile of the simulated variances that a component must exceed, in (0, 1).
        n_draws : int, default=200
            Number of simulated scatter matrices.
        random_state : int, RandomState instance or None, default=None
            Source of random numbers.

        Returns
        -------
        ComponentCount
            ``count``, and ``table`` with variance and threshold of all components.
        """
        check_count("n_draws", n_draws, at_least=1)
        quantile = check_level(quantile, "quantile")
        random = check_random_state(random_state)
        return self._record().spectrum.parallel_analysis(quantile, n_draws, random)

    def summary(self, *, level: float = 0.95) -> Summary:
        """Variances with their shares and intervals, and loadings with standard errors.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        return self._record().summary(level)

    def get_covariance(self) -> Array:
        """Covariance of probabilistic PCA: ``Vᵀ(Λ - σ²I)V + σ²I``.

        Returns
        -------
        ndarray of shape (n_features, n_features)
        """
        return self._gaussian().covariance()

    def get_precision(self) -> Array:
        """Inverse of :meth:`get_covariance`; its pseudoinverse if it is singular.

        Returns
        -------
        ndarray of shape (n_features, n_features)
        """
        return self._gaussian().precision()

    @of_blocks
    def score_samples(self, X: MatrixLike) -> Array:
        """Log-likelihood of each row under probabilistic PCA.

        If the covariance is singular, this is the density on the subspace that the training rows
        span, and -inf for rows outside it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        rows = self._rows(X)
        return self._gaussian().log_likelihood(rows).astype(rows.dtype, copy=False)

    def score(self, X: MatrixLike, y: object = None) -> float:
        """Mean of :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : None
            Ignored.

        Returns
        -------
        float
        """
        return float(np.mean(self.score_samples(X), dtype=np.float64))

    def _gaussian(self) -> ProbabilisticPCA:
        axes, mean = self.params_, coefficient_array("mean_", self.mean_)
        variances, noise = self._given("explained_variance_"), self._given("noise_variance_")
        return ProbabilisticPCA(mean, axes, variances, noise)

    def _rows(self, X: Any, sample_weight: Weights = None) -> Rows:
        self._check_has_coefficients()
        if (stream := in_parts(X, None, sample_weight)) is not None:
            return rows_in_parts(self, stream, without_targets, intercept=True)
        refuse_other_order(X=X, sample_weight=sample_weight)
        X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
        X = validated_rows(self, X)
        return rows_of(X, weights=check_weights(sample_weight, X))
