"""Estimated quantities and their covariance: standard errors, tests and intervals of each."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import IndefiniteCovarianceWarning, InferenceError, example_of
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.satterthwaite import Satterthwaite
from mcmodels.inference.summary import Summarised, Summary
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING, UNDERFLOWN_VARIANCE
from mcmodels.user_warnings import warn_user

__all__ = ["Estimate", "check_level", "clipped", "coverage", "not_positive", "warn_of_clipping"]


@dataclass(frozen=True, repr=False, eq=False)
class Estimate(Summarised):
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
    df : float or ndarray of shape (k,)
        Degrees of freedom of t; infinite for the normal distribution. An array has those of each
        quantity.
    kind : str
        What the covariance is: "nonrobust", "HC3", "cluster", "Laplace", …
    root : ndarray of shape (k, r), or None
        T with ``TTᵀ`` the covariance, if it is known. With it, variances of functions of the
        quantities have more correct digits. For example, if the features lie far from zero, the
        errors of intercept and slopes are large, and nearly cancel in predictions near the rows.
    clusters : tuple of int
        Number of clusters of each grouping, for ``kind="cluster"`` and "CR2".
    satterthwaite : Satterthwaite or None
        What ``df`` is computed from, where each quantity has its own; so are those of functions of
        the quantities.
    estimable : EstimableSpace or None
        Which functions of the quantities the data determine; None if all. See :meth:`within`.
    generalized : ndarray of shape (k, k), or None
        Without a root: a covariance that is right for the functions that are determined.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.inference import Estimate
    >>> covariance = np.diag([0.01, 0.04])
    >>> heights = Estimate(np.array([1.0, 2.0]), covariance, ("a", "b"), df=np.inf, kind="given")
    >>> heights.standard_errors
    array([0.1, 0.2])
    """

    params: Array
    covariance: Array
    names: tuple[str, ...]
    df: float | Array = np.inf
    kind: str = "nonrobust"
    root: Array | None = None
    clusters: tuple[int, ...] = ()
    satterthwaite: Satterthwaite | None = None
    estimable: EstimableSpace | None = None
    generalized: Array | None = None

    def __post_init__(self) -> None:
        """Refuse variances beyond float64; without a root they are refused where they arise."""
        if self.root is not None and self.root.size:
            known = self.root.any(axis=1) & self.determined
            refuse_lost(np.where(known, np.diagonal(self.covariance), 0.0), known, self.names)

    def within(self, estimable: EstimableSpace | None) -> Self:
        """The same where the data determine not all of the quantities.

        Covariances of the others are NaN; those of functions that are determined are not.
        """
        if estimable is None:
            return self
        covariance, lost = self.covariance.copy(), ~estimable.determined
        covariance[lost] = covariance[:, lost] = np.nan
        raw = self.covariance if self.root is None else None
        return replace(self, covariance=covariance, estimable=estimable, generalized=raw)

    @functools.cached_property
    def determined(self) -> npt.NDArray[np.bool_]:
        """Which of the quantities the data determine, shape (k,)."""
        if self.estimable is None:
            return np.ones(len(self.params), dtype=bool)
        return self.estimable.determined

    @property
    def notes(self) -> tuple[str, ...]:
        """For below a table: why some quantities have no estimate; empty if all have one."""
        if self.estimable is None or self.determined.all():
            return ()
        return (f"NA: {self.estimable.reason}",)

    @classmethod
    def of_root(
        cls,
        params: Array,
        root: Array,
        names: tuple[str, ...],
        df: float | Array = np.inf,
        kind: str = "nonrobust",
    ) -> Self:
        """From a root T of the covariance."""
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = root @ root.T
        return cls(params, covariance, names, df, kind, root)

    @property
    def standard_errors(self) -> Array:
        """Square roots of the variances, shape (k,); NaN where there is no variance left."""
        variances = np.diagonal(self.covariance)
        return np.sqrt(np.where(variances >= 0, variances, np.nan))

    @property
    def statistic_name(self) -> str:
        """The letter of the statistic: "t" or "z"."""
        return "z" if np.isposinf(self.df).all() else "t"

    @property
    def statistics(self) -> Array:
        """``θ̂/s``; if s is zero, ±inf, or 0 if the estimate is zero as well."""
        errors = self.standard_errors
        exact = np.where(self.params == 0, 0.0, np.copysign(np.inf, self.params))
        return np.divide(self.params, errors, out=exact, where=errors != 0)

    @property
    def p_values(self) -> Array:
        """Two-sided probability of a statistic at least as large if the true value is zero."""
        distribution, df = self._distribution
        return 2.0 * distribution.sf(np.abs(self.statistics), *df)

    def intervals(self, level: float = 0.95) -> Array:
        """Ends of intervals that cover the true values with probability ``level``, shape (k, 2)."""
        reach = self.quantile(level) * self.standard_errors
        return np.column_stack([self.params - reach, self.params + reach])

    def quantile(self, level: float) -> Any:
        """Distance from the estimate to the ends of an interval, in standard errors.

        A number; where each quantity has its own degrees of freedom, an array of shape (k,).
        """
        distribution, df = self._distribution
        distance = distribution.isf((1.0 - check_level(level)) / 2.0, *df)
        return float(distance) if np.ndim(self.df) == 0 else distance

    def table(self, level: float = 0.95, *, p_values: bool = True) -> pd.DataFrame:
        """A table with one row for each quantity.

        Columns are coefficient, standard_error, t or z, p_value, lower and upper. Without
        ``p_values`` the two columns of the test are left out. Where each quantity has its own
        degrees of freedom, they are the column df. Quantities that the data do not determine have
        NaN.
        """
        lower, upper = self.intervals(level).T
        values = np.where(self.determined, self.params, np.nan)
        columns = {"coefficient": values, "standard_error": self.standard_errors}
        if isinstance(self.df, np.ndarray):
            columns["df"] = np.where(self.determined, self.df, np.nan)
        if p_values:
            columns |= {self.statistic_name: self.statistics, "p_value": self.p_values}
        return pd.DataFrame(columns | {"lower": lower, "upper": upper}, index=list(self.names))

    def summary(self, level: float = 0.95) -> Summary:
        """Values, standard errors and intervals."""
        table = self.table(level, p_values=False).rename(columns={"coefficient": "value"})
        facts = {"covariance": self.kind, "intervals": coverage(level)}
        return Summary("Estimates", facts, {"": table}, notes=self.notes)

    def image(
        self, jacobian: Array, params: Array, names: tuple[str, ...], *, partly: bool = False
    ) -> Estimate:
        """Functions of the quantities, with the covariance ``JVJᵀ``.

        Exact for linear functions, to first order for others (the delta method). Warns where a
        function has no positive variance, and refuses functions that are not estimable; with
        ``partly`` these are NaN.
        """
        covariance, root, negative = self.covariance_of(jacobian, names, partly=partly)
        if negative.any():
            warn_of_clipping(negative, covariance, names, self.clusters)
        image = replace(
            self,
            params=params,
            covariance=covariance,
            names=names,
            root=root,
            estimable=None,
            generalized=None,
        )
        if self.estimable is not None and partly:
            image = image.within(self.estimable.image(jacobian))
        if self.satterthwaite is None:
            return image
        of_image = self.satterthwaite.image(jacobian)
        return replace(image, df=of_image.of_each, satterthwaite=of_image)

    @np.errstate(over="ignore", invalid="ignore")
    def covariance_of(
        self, jacobian: Array, names: tuple[str, ...], *, partly: bool = False
    ) -> tuple[Array, Array | None, npt.NDArray[np.bool_]]:
        """``JVJᵀ``, its root, and of which functions the variance was not positive.

        Raises if a function is not estimable, unless it is ``partly`` so.
        """
        if self.estimable is not None and not partly:
            self.estimable.require(jacobian, names)
        if self.root is not None:
            root = jacobian @ self.root
            return root @ root.T, root, np.zeros(len(root), dtype=bool)
        used = jacobian.any(axis=0)  # a parameter without a variance spoils only what it is part of
        V = self.covariance if self.generalized is None else self.generalized
        J, S = jacobian[:, used], V[np.ix_(used, used)]
        V, sizes = J @ S @ J.T, np.einsum("ij,jk,ik->i", np.abs(J), np.abs(S), np.abs(J))
        known = np.isfinite(np.diagonal(S))
        refuse_lost(np.where(J[:, ~known].any(axis=1), 1.0, sizes), J.any(axis=1), names)
        negative = not_positive(V, sizes)
        return clipped(V, sizes) if negative.any() else V, None, negative

    @property
    def _distribution(self) -> tuple[Any, tuple[Any, ...]]:
        """The distribution and its parameters: freezing it takes 2 ms."""
        return (stats.norm, ()) if self.statistic_name == "z" else (stats.t, (self.df,))


def check_level(level: float, name: str = "level") -> float:
    """Refuse a level that is not a probability strictly between 0 and 1."""
    scalar = np.ndim(level) == 0 and not isinstance(level, str)
    try:
        found = float(level) if scalar else np.nan
    except (TypeError, ValueError, OverflowError):
        found = np.nan
    if not 0.0 < found < 1.0:
        rows = "" if np.ndim(level) == 0 else " Pass rows by their names: X=…, y=…."
        shown = example_of(level)
        raise ValueError(f"{name}={shown} must lie between 0 and 1, as 0.95 does.{rows}")
    return found


def coverage(level: float) -> str:
    """The level as text: "95 %"."""
    return f"{100 * check_level(level):g} %"


def refuse_lost(variances: Array, positive: npt.ArrayLike, names: tuple[str, ...]) -> None:
    """Refuse variances that overflow, or underflow: errors would be zero, or have few digits.

    Parameters
    ----------
    variances : ndarray of shape (k,)
        Variances, or sizes of what they were subtracted from.
    positive : array-like of bool of shape (k,)
        Which variances are above zero in exact arithmetic.
    names : tuple of str
        What they are variances of.
    """
    for lost, what, remedy in (
        (
            (variances < UNDERFLOWN_VARIANCE) & np.asarray(positive),
            "underflows float64, and would be zero",
            "multiply the target, or divide the columns,",
        ),
        (
            ~np.isfinite(variances),
            "overflows float64",
            "divide the target, or multiply the columns,",
        ),
    ):
        if lost.any():
            listed = ", ".join(np.asarray(names, dtype=object)[lost][:10])
            raise InferenceError(f"the variance of {listed} {what}; {remedy} by a power of ten.")


def not_positive(V: Array, sizes: Array) -> npt.NDArray[np.bool_]:
    """Which variances are negative or rounding error, given sizes of what was subtracted."""
    return (np.diagonal(V) <= EIGENVALUE_ROUNDING * len(V) * sizes) & (sizes > 0)


def clipped(V: Array, sizes: Array) -> Array:
    """V with its negative eigenvalues set to zero, in the units in which it is given.

    Rows and columns are NaN where the variance is then only rounding error. Jacobi's method keeps
    the digits of small variances beside large ones. Source: Cameron,
    Gelbach and Miller (2011), *Robust inference with multiway clustering*, JBES 29(2).
    """
    known = np.isfinite(np.diagonal(V))
    repaired = np.full_like(V, np.nan)
    V, sizes = V[np.ix_(known, known)], sizes[known]
    values, vectors = _jacobi(V)
    negative = vectors[:, values < 0] * np.sqrt(-values[values < 0])
    positive = (vectors * np.clip(values, 0.0, None)) @ vectors.T
    lost = not_positive(positive, sizes + np.einsum("ij,ij->i", negative, negative))
    positive[lost] = np.nan
    positive[:, lost] = np.nan
    repaired[np.ix_(known, known)] = positive
    return repaired


def warn_of_clipping(
    negative: npt.NDArray[np.bool_], V: Array, names: tuple[str, ...], clusters: tuple[int, ...]
) -> None:
    """Say which variances were not positive, and which are lost in the clipped covariance V."""

    def listed(which: npt.NDArray[np.bool_]) -> str:
        return ", ".join(np.asarray(names, dtype=object)[which])

    two_way = len(clusters) > 1
    said = (
        f"{'two-way clusters give' if two_way else 'the covariance gives'} {listed(negative)} no "
        "positive variance; negative eigenvalues of the covariance were set to zero"
    )
    lost = np.isnan(np.diagonal(V))
    if lost.any():
        said += f", which leaves no variance of {listed(lost)} (NaN)"
    remedy = (
        "The groupings hold too little data for two-way clusters: compare with each grouping alone."
        if two_way
        else "Use a covariance of another kind."
    )
    warn_user(f"{said}. {remedy}", IndefiniteCovarianceWarning)


def _jacobi(V: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors by Jacobi's rotations: Golub and Van Loan (2013)."""
    A, Q = V.copy(), np.eye(len(V))
    for _ in range(30):
        rotated = False
        for i, j in itertools.combinations(range(len(A)), 2):
            if abs(A[i, j]) <= 1e-16 * np.sqrt(abs(A[i, i])) * np.sqrt(abs(A[j, j])):
                continue
            rotated = True
            tau = (A[j, j] - A[i, i]) / (2.0 * A[i, j])
            t = (1.0 if tau >= 0 else -1.0) / (abs(tau) + np.hypot(1.0, tau))
            c = 1.0 / np.hypot(1.0, t)
            turn = np.array([[c, t * c], [-t * c, c]])
            shift = t * A[i, j]
            ends = A[i, i] - shift, A[j, j] + shift
            A[:, [i, j]] = A[:, [i, j]] @ turn
            A[[i, j]] = A[:, [i, j]].T
            A[i, i], A[j, j] = ends
            A[i, j] = A[j, i] = 0.0
            Q[:, [i, j]] = Q[:, [i, j]] @ turn
        if not rotated:
            break
    return np.diagonal(A).copy(), Q
