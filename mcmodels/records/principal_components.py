"""The results of a fit of PCA: its record and its summary."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import coverage
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.principal_components import (
    Spectrum,
    share_interval,
    sphericity_test,
    variance_interval,
)
from mcmodels.inference.summary import Summary, number
from mcmodels.objectives import VarianceLagrangian
from mcmodels.records.record import FitRecord, digest
from mcmodels.rows import Covariance, Seen
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.principal_axes import PrincipalAxes

__all__ = ["PrincipalComponents"]


@dataclass(frozen=True, kw_only=True)
class PrincipalComponents(FitRecord):
    """The components that a fit has kept.

    Parameters
    ----------
    components : ndarray of shape (k, p)
        Principal axes.
    variances, shares : ndarray of shape (k,)
        Variances along them, and their shares of the total.
    gradient : ndarray of shape (k, p)
        ``2Sv - 2λv`` of each.
    mean : ndarray of shape (p,)
        Mean of the columns.
    noise_variance : float
        Mean of the variances left out.
    rank : int
        Components whose variance is above rounding noise.
    kept_covariance : Covariance or None
        S, if it fits in memory.
    component_names : tuple of str
        Names of the components.
    """

    components: Array
    variances: Array
    shares: Array
    gradient: Array
    mean: Array
    noise_variance: float
    rank: int
    kept_covariance: Covariance | None
    component_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        solution: Solution[PrincipalAxes],
        names: tuple[str, ...],
        component_names: tuple[str, ...],
        seen: Seen,
        limit: int,
    ) -> Self:
        """The leading components of a solution, one for each name.

        ``limit`` is the number of components that the rows have.
        """
        axes, k = solution.value, len(component_names)
        rank = min(solution.rank, k)
        status = solution.status
        if status is not Status.NOT_CONVERGED:
            status = Status.CONVERGED if rank == k else Status.RANK_DEFICIENT
        components, variances = axes.axes[:k].copy(), axes.variances[:k].copy()
        noise = axes.noise_variance(k, limit)
        return cls(
            status=status,
            method=solution.method,
            n_iter=solution.iterations,
            names=names,
            seen=seen,
            digest=digest([components, axes.mean, variances, noise]),
            components=components,
            variances=variances,
            shares=axes.shares[:k].copy(),
            gradient=axes.gradient[:k].copy(),
            mean=axes.mean,
            noise_variance=noise,
            rank=rank,
            kept_covariance=axes.covariance,
            component_names=component_names,
        )

    @property
    def n_components(self) -> int:
        """Number of components."""
        return len(self.components)

    @property
    def n_samples(self) -> int:
        """Rows of positive weight."""
        return self.seen.n_present

    @property
    def nu(self) -> float:
        """Degrees of freedom of S: the sum of the weights minus one."""
        return self.seen.total_weight - 1

    @property
    def singular_values(self) -> Array:
        """Singular values of the centred, weighted rows."""
        return np.sqrt(self.variances * self.nu)

    @property
    def hessian(self) -> Array:
        """``2(S - λI)`` of each component, shape (k, p, p)."""
        if self.kept_covariance is None:
            raise InferenceError(
                "hessian_ is not kept for data of this size; "
                "call hessian(X) or hessian_vector_product(X, vector=…) with the training rows."
            )
        return VarianceLagrangian(self.kept_covariance, self.variances).hessian_blocks()

    @property
    def covariance(self) -> Covariance:
        """S. Raises if it is not kept."""
        if self.kept_covariance is None:
            raise InferenceError(
                "the covariance of the columns is not kept for data of this size, and this needs "
                "all of its variances; fit fewer columns."
            )
        return self.kept_covariance

    @functools.cached_property
    def spectrum(self) -> Spectrum:
        """All variances, including those of the components that were not kept."""
        return Spectrum.completing(
            self.variances,
            self.components,
            self.covariance,
            self.nu,
            squared=self.method != "svd",
        )

    @property
    def eigenvalue_standard_errors(self) -> Array:
        """``λ√(2/ν)``, shape (k,)."""
        return self.variances * np.sqrt(2.0 / self.nu)

    @property
    def loading_standard_errors(self) -> Array:
        """Standard errors of the components, in their shape; inf where a variance is repeated."""
        return self.spectrum.loading_errors(self.n_components)

    def sphericity_test(self) -> HypothesisTest:
        """Bartlett's test that the columns are uncorrelated."""
        return sphericity_test(self.covariance, self.mean, self.nu, self.names)

    def confidence_intervals(self, level: float) -> pd.DataFrame:
        """Intervals of the variances and of their shares of the whole, one row a component."""
        k = self.n_components
        lower, upper = variance_interval(self.variances, self.nu, level).T
        columns = {
            "variance": self.variances,
            "standard_error": self.eigenvalue_standard_errors,
            "lower": lower,
            "upper": upper,
        }
        for name, values, cumulative in (
            ("share", self.shares, False),
            ("cumulative", np.minimum(np.cumsum(self.shares), 1.0), True),
        ):
            errors = self.spectrum.share_errors(k, cumulative=cumulative)
            lower, upper = share_interval(values, errors, level).T
            columns |= {
                name: values,
                f"{name}_standard_error": errors,
                f"{name}_lower": lower,
                f"{name}_upper": upper,
            }
        return pd.DataFrame(columns, index=list(self.component_names))

    def summary(self, level: float) -> Summary:
        """Variances with their shares and intervals, and loadings with standard errors."""
        intervals = self.confidence_intervals(level)
        shares = intervals[["share", "share_lower", "share_upper", "cumulative"]]
        shares.columns = ["share", "lower", "upper", "cumulative"]
        names = {"index": list(self.names), "columns": list(self.component_names)}
        facts = {"observations": number(self.nu + 1), "intervals": coverage(level)}
        notes = ["Standard errors are asymptotic, for rows from a normal distribution."]
        if self.nu < len(self.names):
            notes.append(
                "With no more rows than columns the intervals do not cover the true variances."
            )
        tables = {
            "Variances": intervals[["variance", "standard_error", "lower", "upper"]],
            "Shares of the variance": shares,
            "Loadings": pd.DataFrame(self.components.T, **names),
            "Standard errors of the loadings": pd.DataFrame(
                self.loading_standard_errors.T, **names
            ),
        }
        return Summary("Principal components", facts, tables, notes=tuple(notes))
