"""What PCA says beyond its components: how precisely they are known, and how many to keep."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from mcmodels._parameter_inference import column_names
from mcmodels._validation import check_count
from mcmodels.exceptions import InferenceError
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.principal_components import (
    ComponentCount,
    Spectrum,
    share_interval,
    sphericity_test,
    variance_interval,
)
from mcmodels.inference.summary import Summary, number
from mcmodels.rows import Covariance
from mcmodels.rows.blocks import Array


class PCAInferenceMixin:
    """Asymptotic inference of PCA, for rows from a normal distribution.

    Formulas and sources are in :mod:`mcmodels.inference.principal_components`.
    """

    components_: Array
    explained_variance_: Array
    explained_variance_ratio_: Array
    mean_: Array
    n_components_: int
    n_features_in_: int
    solver_: str
    _covariance: Covariance | None
    _nu: float

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the components."""

    @property
    def eigenvalue_standard_errors_(self) -> Array:
        """Standard errors ``λ√(2/ν)`` of ``eigenvalues_``, shape (n_components_,)."""
        check_is_fitted(self)
        return self.explained_variance_ * np.sqrt(2.0 / self._nu)

    @property
    def loading_standard_errors_(self) -> Array:
        """Standard errors of ``components_``, in its shape; inf where a variance is repeated."""
        return self._spectrum().loading_errors(self.n_components_)

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Intervals of the variances and of their shares of the whole.

        Parameters
        ----------
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).

        Returns
        -------
        DataFrame
            One row a component; columns variance, standard_error, lower, upper, share,
            share_standard_error, share_lower, share_upper, and the same four of cumulative.

        Notes
        -----
        They need rows enough to tell the variances apart. With variances 8, 4, 2, 1 all cover
        within 1 % of 95 % from 300 rows on; with 30 rows that of the least covers in 86 %.
        """
        check_is_fitted(self)
        k = self.n_components_
        lower, upper = variance_interval(self.explained_variance_, self._nu, level).T
        columns = {
            "variance": self.explained_variance_,
            "standard_error": self.eigenvalue_standard_errors_,
            "lower": lower,
            "upper": upper,
        }
        spectrum = self._spectrum()
        shares = self.explained_variance_ratio_
        for name, values, cumulative in (
            ("share", shares, False),
            ("cumulative", np.minimum(np.cumsum(shares), 1.0), True),
        ):
            errors = spectrum.share_errors(k, cumulative=cumulative)
            lower, upper = share_interval(values, errors, level).T
            columns |= {
                name: values,
                f"{name}_standard_error": errors,
                f"{name}_lower": lower,
                f"{name}_upper": upper,
            }
        return pd.DataFrame(columns, index=list(self.get_feature_names_out()))

    def sphericity_test(self) -> HypothesisTest:
        """Bartlett's test that the columns are uncorrelated, so that there is nothing to reduce.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        InferenceError
            For a single column, constant or linearly dependent ones, or no more rows than columns.
        """
        covariance = self._kept_covariance()
        return sphericity_test(covariance, self.mean_, self._nu, column_names(self))

    def broken_stick(self) -> ComponentCount:
        """Number of components whose share exceeds that of a stick broken at random.

        Returns
        -------
        ComponentCount
            ``count``, and ``table`` with share and threshold of all components.
        """
        return self._spectrum().broken_stick()

    def parallel_analysis(
        self, *, quantile: float = 0.95, n_draws: int = 200, random_state: Any = None
    ) -> ComponentCount:
        """Number of components with more variance than independent columns show by chance.

        The columns by chance have the sample variances of those of the fit: with standardised
        columns this is Horn's parallel analysis of the correlation matrix.

        Parameters
        ----------
        quantile : float, default=0.95
            Of the variances by chance, in (0, 1).
        n_draws : int, default=200
            Random scatter matrices.
        random_state : int, RandomState instance or None, default=None
            Source of the draws.

        Returns
        -------
        ComponentCount
            ``count``, and ``table`` with variance and threshold of all components.
        """
        check_count("n_draws", n_draws, at_least=1)
        if not 0.0 < quantile < 1.0:
            raise ValueError(f"quantile={quantile!r} must lie between 0 and 1, as 0.95 does.")
        random = check_random_state(random_state)
        return self._spectrum().parallel_analysis(quantile, n_draws, random)

    def summary(self, *, level: float = 0.95) -> Summary:
        """Variances with their shares and intervals, and loadings with standard errors.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        intervals = self.confidence_intervals(level)
        shares = intervals[["share", "share_lower", "share_upper", "cumulative"]]
        shares.columns = ["share", "lower", "upper", "cumulative"]
        names = {"index": list(column_names(self)), "columns": list(self.get_feature_names_out())}
        facts = {"observations": number(self._nu + 1), "intervals": f"{100 * level:g} %"}
        notes = ["Standard errors are asymptotic, for rows from a normal distribution."]
        if self._nu < self.n_features_in_:
            notes.append(
                "With no more rows than columns the intervals do not cover the true variances."
            )
        tables = {
            "Variances": intervals[["variance", "standard_error", "lower", "upper"]],
            "Shares of the variance": shares,
            "Loadings": pd.DataFrame(self.components_.T, **names),
            "Standard errors of the loadings": pd.DataFrame(
                self.loading_standard_errors_.T, **names
            ),
        }
        return Summary("Principal components", facts, tables, notes=tuple(notes))

    def _spectrum(self) -> Spectrum:
        covariance = self._kept_covariance()
        return Spectrum.completing(
            self.explained_variance_,
            self.components_,
            covariance,
            self._nu,
            squared=self.solver_ != "svd",
        )

    def _kept_covariance(self) -> Covariance:
        check_is_fitted(self)
        if self._covariance is None:
            raise InferenceError(
                "the covariance of the columns is not kept for data of this size, and this needs "
                "all of its variances; fit fewer columns."
            )
        return self._covariance
