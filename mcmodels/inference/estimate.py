"""Estimated quantities and their covariance: standard errors, tests and intervals of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array

__all__ = ["Estimate", "check_level"]


@dataclass(frozen=True)
class Estimate:
    """Estimates that are approximately normally distributed about the true values.

    With k of them, an estimate θ̂ and its standard error s give the statistic ``θ̂/s`` and the
    interval ``θ̂ ± q·s``, where q is a quantile of Student's t with ``df`` degrees of freedom, or of
    the normal distribution when df is infinite. Source: Casella and Berger (2002), *Statistical
    Inference*, 2nd ed., §9.2 and §10.3.

    Parameters
    ----------
    params : ndarray of shape (k,)
        Estimates.
    covariance : ndarray of shape (k, k)
        Their covariance.
    names : tuple of str
        Their names.
    df : float
        Degrees of freedom of t; infinite for the normal distribution.
    kind : str
        What the covariance is: "nonrobust", "HC3", "cluster", "Laplace", …
    root : ndarray of shape (k, r), or None
        T with ``TTᵀ`` the covariance, if it is known. With it, variances of functions of the
        quantities have more correct digits. For example, if the features lie far from zero, the
        errors of intercept and slopes are large, and nearly cancel in predictions near the rows.
    """

    params: Array
    covariance: Array
    names: tuple[str, ...]
    df: float = np.inf
    kind: str = "nonrobust"
    root: Array | None = None

    @classmethod
    def of_root(
        cls,
        params: Array,
        root: Array,
        names: tuple[str, ...],
        df: float = np.inf,
        kind: str = "nonrobust",
    ) -> Self:
        """From a root T of the covariance."""
        return cls(params, root @ root.T, names, df, kind, root)

    @property
    def standard_errors(self) -> Array:
        """Square roots of the variances, shape (k,)."""
        return np.sqrt(np.clip(np.diagonal(self.covariance), 0.0, None))

    @property
    def statistic_name(self) -> str:
        """The letter of the statistic: "t" or "z"."""
        return "t" if np.isfinite(self.df) else "z"

    @property
    def statistics(self) -> Array:
        """``θ̂/s``; if s is zero, ±inf, or 0 if the estimate is zero as well."""
        errors = self.standard_errors
        exact = np.where(self.params == 0, 0.0, np.copysign(np.inf, self.params))
        return np.divide(self.params, errors, out=exact, where=errors > 0)

    @property
    def p_values(self) -> Array:
        """Two-sided probability of a statistic at least as large if the true value is zero."""
        return 2.0 * self._distribution.sf(np.abs(self.statistics))

    def intervals(self, level: float = 0.95) -> Array:
        """Ends of intervals that cover the true values with probability ``level``, shape (k, 2)."""
        reach = self.quantile(level) * self.standard_errors
        return np.column_stack([self.params - reach, self.params + reach])

    def quantile(self, level: float) -> float:
        """Distance from the estimate to the ends of an interval, in standard errors."""
        return float(self._distribution.isf((1.0 - check_level(level)) / 2.0))

    def table(self, level: float = 0.95, *, p_values: bool = True) -> pd.DataFrame:
        """A table with one row for each quantity.

        Columns are coefficient, standard_error, t or z, p_value, lower and upper. Without
        ``p_values`` the two columns of the test are left out.
        """
        lower, upper = self.intervals(level).T
        columns = {"coefficient": self.params, "standard_error": self.standard_errors}
        if p_values:
            columns |= {self.statistic_name: self.statistics, "p_value": self.p_values}
        return pd.DataFrame(columns | {"lower": lower, "upper": upper}, index=list(self.names))

    def image(self, jacobian: Array, params: Array, names: tuple[str, ...]) -> Estimate:
        """Functions of the quantities, with the covariance ``JVJᵀ``.

        Exact for linear functions, to first order for others (the delta method).
        """
        if self.root is not None:
            return Estimate.of_root(params, jacobian @ self.root, names, self.df, self.kind)
        V = jacobian @ self.covariance @ jacobian.T
        return Estimate(params, V, names, self.df, self.kind)

    @property
    def _distribution(self) -> stats.rv_continuous:
        return stats.t(self.df) if np.isfinite(self.df) else stats.norm


def check_level(level: float) -> float:
    """Refuse a level that is not a probability strictly between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level!r} must lie between 0 and 1, as 0.95 does.")
    return float(level)
