"""Covariances that are valid without equal variances or independence: sandwich estimators.

With scores ``sᵢ = uᵢ ⊗ x̃ᵢ``, u the residual ``y - ŷ`` of least squares or ``y - p`` of classes, and
A the inverse of ``X̃ᵀWX̃`` or of the Hessian,

=========  ==========================================  ================================
kind       covariance                                  source
=========  ==========================================  ================================
HC0        ``A (Σ sᵢsᵢᵀ) A``                           White (1980)
HC1        ``n/(n - P)`` times HC0                     Hinkley (1977)
HC2        ``sᵢsᵢᵀ / (1 - hᵢ)``                        Horn, Horn and Duncan (1975)
HC3        ``sᵢsᵢᵀ / (1 - hᵢ)²``                       Davidson and MacKinnon (1993)
cluster    ``A (Σ_g S_g S_gᵀ) A``, S_g sums of sᵢ       Liang and Zeger (1986)
CR2        with adjusted S_g                            :mod:`mcmodels.inference.bias_reduced`
HAC        with products of neighbouring sᵢ             :mod:`mcmodels.inference.serial`
=========  ==========================================  ================================

and ``Σ wᵢsᵢsᵢᵀ`` or ``Σ wᵢ²sᵢsᵢᵀ`` with weights, by what they are (:mod:`.weighting`, as the
leverage and n), all as compared in MacKinnon and White (1985), *Some heteroskedasticity-consistent
covariance matrix estimators with improved finite sample properties*, Journal of Econometrics 29(3).
A row of weight two that counts rows stands for two, each with the leverage hᵢ. With two groupings
the covariance is that of the first, plus that of the second, minus that of both together: Cameron,
Gelbach and Miller (2011), *Robust inference with multiway clustering*, JBES 29(2), eq. 2.11. The
difference need not be positive semi-definite. Where a variance is not positive, the negative
eigenvalues of the covariance are set to zero, as they propose (fixest has the same rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, sparse

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.tolerances import (
    EIGENVALUE_ROUNDING,
    SMALLEST_REST,
    WEIGHT_ROUNDING,
)
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock, Rows

__all__ = [
    "CLUSTER_KINDS",
    "HC_KINDS",
    "ClusterCodes",
    "RobustCovariance",
    "RobustModel",
    "ScoreSquares",
    "Totals",
    "cluster_covariance",
    "hc_covariance",
    "lengths_of",
    "require_scores",
    "residual_df",
    "scores_of",
    "squares_of",
]

HC_KINDS = ("HC0", "HC1", "HC2", "HC3")
CLUSTER_KINDS = ("cluster", "CR2")
_POWER = {"HC0": 0, "HC1": 0, "HC2": 1, "HC3": 2}


class RobustModel(Protocol):
    """What a robust covariance needs of a fit.

    The scores of a row are ``u ⊗ z`` with u its residuals, one for each output, and z from
    ``whitening``; ``bread`` of shape (k, outputs × entries of z) maps them to the parameters.
    """

    @property
    def weighting(self) -> Weighting:
        """What the weights are."""
        ...

    @property
    def whitening(self) -> Whitening:
        """The map to z."""
        ...

    @property
    def bread(self) -> Array:
        """From ``u ⊗ z`` to the parameters."""
        ...

    @property
    def n_params(self) -> int:
        """P of the small-sample corrections."""
        ...

    def residuals(self, block: RowBlock) -> Array:
        """Residuals u of each row, shape (n_rows, outputs)."""
        ...

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """Leverage h of each row of weight one, shape (n_rows,)."""
        ...


@dataclass(frozen=True)
class ClusterCodes:
    """Which cluster each row belongs to, by one or two groupings.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, 1) or (n_rows, 3)
        The cluster of each row; with two groupings that by the first, by the second, and by both
        together. -1 in rows of weight 0.
    counts : tuple of int
        Number of clusters of each grouping.
    """

    codes: npt.NDArray[np.intp]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, groups: Any, weights: Array | None, n_rows: int) -> ClusterCodes:
        """From labels of shape (n_rows,) or (n_rows, 2); rows of weight 0 are ignored.

        Raises
        ------
        InferenceError
            For a single cluster.
        ValueError
            For another number of rows, or missing labels.
        """
        labels = groups if isinstance(groups, pd.DataFrame) else np.asarray(groups)
        frame = pd.DataFrame(labels if labels.ndim in (1, 2) else []).reset_index(drop=True)
        if len(frame) != n_rows or frame.shape[1] not in (1, 2):
            raise ValueError(
                f"groups has shape {np.shape(groups)}; pass one label a row (or two, for two-way "
                f"clustering) for {n_rows} rows."
            )
        frame.columns = pd.RangeIndex(frame.shape[1])  # names may repeat
        halves = dict.fromkeys(frame.columns[frame.dtypes == np.float16], np.float64)
        frame = frame.astype(halves)  # pandas has no index of float16
        if frame.isna().to_numpy().any():
            raise ValueError("groups has missing labels; every row needs its cluster.")
        present = np.ones(n_rows, dtype=bool) if weights is None else weights > 0
        columns, counts = [], []
        groupings = [[name] for name in frame.columns]
        if len(groupings) == 2:
            groupings.append(list(frame.columns))
        for grouping in groupings:
            codes = np.full(n_rows, -1, dtype=np.intp)
            try:
                codes[present] = frame[present].groupby(grouping, sort=False).ngroup()
            except TypeError as error:
                raise TypeError(
                    f"groups holds labels that cannot be compared ({error}); pass text or numbers."
                ) from error
            columns.append(codes)
            counts.append(int(codes.max()) + 1)
        for count in counts[:2]:
            if count < 2:
                raise InferenceError(
                    "groups has a single cluster; a cluster-robust covariance needs at least two. "
                    "Group more finely, or choose HC3."
                )
        return cls(np.column_stack(columns), tuple(counts))


@dataclass(frozen=True)
class RobustCovariance:
    """``A M Aᵀ`` over the parameters.

    Parameters
    ----------
    bread : ndarray of shape (k, q)
        A.
    meat : ndarray of shape (q, q)
        M; with two groupings it may have negative eigenvalues.
    lengths : ndarray of shape (q,)
        Roots of the diagonal of M if residuals were independent, and as large in all rows.
    n : float
        Number of observations.
    subtracted : ndarray of shape (q, q), or None
        With two groupings the sum of all that M adds and subtracts, for its rounding errors.
    """

    bread: Array
    meat: Array
    lengths: Array
    n: float
    subtracted: Array | None = None

    @property
    def covariance(self) -> Array:
        """``A M Aᵀ``."""
        return self.bread @ self.meat @ self.bread.T

    @property
    def sizes(self) -> Array | None:
        """With two groupings, the sizes of what each variance adds and subtracts."""
        if self.subtracted is None:
            return None
        return np.einsum("ij,jk,ik->i", self.bread, self.subtracted, self.bread)

    def without_variance(self, left: float) -> npt.NDArray[np.bool_]:
        """Which parameters have a variance that is only what a fit leaves of scores that are zero.

        As where residuals are zero in the one row, or sum to zero in the one cluster, that tells a
        parameter. Variances are compared with those of residuals as large in all rows; ``left`` is
        a share of these residuals.
        """
        sizes = np.square(self.bread * self.lengths).sum(axis=1)
        return (np.diagonal(self.covariance) <= left**2 * self.n * sizes) & (sizes > 0)

    @property
    def subtracts(self) -> npt.NDArray[np.bool_]:
        """Which variances have parts that are added and subtracted: not zero in exact numbers."""
        if self.subtracted is None:
            return np.zeros(len(self.bread), dtype=bool)
        return np.asarray((self.bread != 0) @ (np.diagonal(self.subtracted) > 0))

    @property
    def root(self) -> Array | None:
        """T with ``TTᵀ`` the covariance; None where M is not positive semi-definite."""
        values, vectors, units = _eigen(self.meat)
        if values.size and values[0] < -EIGENVALUE_ROUNDING * len(values) * values[-1]:
            return None
        root = (self.bread * units) @ (vectors * np.sqrt(np.clip(values, 0.0, None)))
        # Eigenvectors have rounding errors where scores are zero, as of a column of zeros.
        root[~self.bread[:, self.lengths > 0.0].any(axis=1)] = 0.0
        return root


@dataclass(frozen=True, eq=False)
class ScoreSquares:
    """What HC0 to HC3 need of the rows: the sum of the products of their scores.

    Parameters
    ----------
    kind : str
        "HC0" to "HC3".
    meat : ndarray of shape (q, q)
        The sum, without the factor of HC1.
    lengths : ndarray of shape (q,)
        Those of :class:`RobustCovariance`.
    n : float
        Number of observations.
    """

    kind: str
    meat: Array
    lengths: Array
    n: float

    @classmethod
    def of(cls, model: RobustModel, rows: Rows, kind: str) -> Self:
        """In one pass over the rows."""
        power, weighting = _POWER[kind], model.weighting

        def summarise(block: RowBlock) -> Totals:
            Z = model.whitening.of(block)
            U = model.residuals(block)
            if power:
                h = model.leverage(block, Z)
                left = 1.0 - h * weighting.of_leverage(block.weights)
                if left.min(initial=1.0) < SMALLEST_REST:
                    raise InferenceError(
                        f"a row has leverage 1: it alone determines a parameter, and {kind} "
                        "divides its residual by zero. Drop the column that only it has, or "
                        "choose HC1."
                    )
                U = U / (left ** (power / 2))[:, np.newaxis]
            squares = squares_of(U, Z, block)
            if block.weights is not None:
                U = U * weighting.of_score(block.weights)[:, np.newaxis]
            scores = scores_of(U, Z)
            return Totals([*squares, scores.T @ scores])

        of_u, of_z, meat = rows.reduce(summarise)
        n = weighting.count_of(rows)
        return cls(kind, meat, lengths_of(of_u, of_z, n), n)

    def middle(self, n_params: int, weighting: Weighting) -> Array:
        """The sum; of HC1 times ``n/(n - P)``. Raises if there is no degree of freedom."""
        if self.kind != "HC1":
            return self.meat
        return self.n / residual_df(self.n, n_params, weighting) * self.meat

    def root(self, n_params: int, weighting: Weighting) -> Array:
        """G with ``GGᵀ`` the middle: linear predictors have the variance ``|Gᵀz|²``."""
        values, vectors, units = _eigen(self.middle(n_params, weighting))
        return units[:, np.newaxis] * vectors * np.sqrt(np.clip(values, 0.0, None))

    def covariance(self, model: RobustModel) -> RobustCovariance:
        """Over the parameters."""
        meat = self.middle(model.n_params, model.weighting)
        return RobustCovariance(model.bread, meat, self.lengths, self.n)


def _eigen(meat: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues and eigenvectors of M in units of its columns, and these units.

    Of more than two classes the columns are those of X. Without units the digits of a short one
    would be lost beside a long one.
    """
    units = np.sqrt(np.clip(np.diagonal(meat), 0.0, None))
    units = np.where(units > 0, units, 1.0)
    values, vectors = linalg.eigh(meat / units[:, np.newaxis] / units)
    return values, vectors, units


def require_scores(scores: ScoreSquares | None) -> ScoreSquares:
    """The scores of a fit whose weights are those of a survey; raises if it has kept none."""
    if scores is None:
        raise InferenceError(
            "with weights='probability' errors are sums over the rows at the parameters of the "
            "fit, and partial_fit keeps no rows; pass all of them, as in "
            "summary(X, y, sample_weight)."
        )
    return scores


def hc_covariance(model: RobustModel, rows: Rows, kind: str) -> RobustCovariance:
    """HC0 to HC3 over the parameters, in one pass over the rows."""
    return ScoreSquares.of(model, rows, kind).covariance(model)


def cluster_covariance(
    model: RobustModel,
    rows: Rows,
    counts: tuple[int, ...],
    *,
    use_correction: bool,
) -> RobustCovariance:
    """Cluster-robust covariance with one or two groupings, in one pass over the rows.

    Rows carry the codes of :class:`ClusterCodes` as ``extras["groups"]``.
    """

    def summarise(block: RowBlock) -> Totals:
        U = model.residuals(block)
        Z = model.whitening.of(block)
        squares = squares_of(U, Z, block)
        scores = scores_of(block.weighted(U), Z)
        codes = block.extras["groups"]
        row, one = np.arange(len(scores)), np.ones(len(scores))
        totals = [
            sparse.csr_array((one, (codes[:, k], row)), shape=(count, len(row))) @ scores
            for k, count in enumerate(counts)
        ]
        return Totals([*squares, *totals])

    of_u, of_z, *totals = rows.reduce(summarise)
    n = model.weighting.count_of(rows)
    meat = np.zeros((totals[0].shape[1],) * 2)
    both = np.zeros_like(meat)
    for total, count, sign in zip(totals, counts, (1, 1, -1), strict=False):
        factor = 1.0
        if use_correction and count > 1:
            left = residual_df(n, model.n_params, model.weighting)
            factor = count / (count - 1.0) * (n - 1.0) / left
        squares = factor * (total.T @ total)
        meat += sign * squares
        both += squares
    subtracted = both if len(counts) > 1 else None
    return RobustCovariance(model.bread, meat, lengths_of(of_u, of_z, n), n, subtracted)


class Totals(list[Any]):
    """A list of sums; ``+=`` adds each to its counterpart."""

    def __iadd__(self, other: list[Any]) -> Totals:  # type: ignore[override, misc]
        for mine, theirs in zip(self, other, strict=True):
            mine += theirs
        return self


def residual_df(n: float, n_params: int, weighting: Weighting) -> float:
    """Degrees of freedom of the residuals; raises if there are none."""
    if n - n_params <= WEIGHT_ROUNDING * n:
        raise InferenceError(
            f"there are {weighting.counted(n)} for {n_params} parameters, and the small-sample "
            "correction divides by their difference."
        )
    return n - n_params


def scores_of(U: Array, Z: Array) -> Array:
    """``u ⊗ z`` of each row."""
    if U.shape[1] == 1:
        return np.multiply(Z, U, out=Z)
    return (U[:, :, np.newaxis] * Z[:, np.newaxis, :]).reshape(len(Z), -1)


def squares_of(U: Array, Z: Array, block: RowBlock) -> tuple[Array, Array]:
    """``Σ wᵢuᵢ²`` of each output, and ``Σ wᵢzᵢ²``."""
    w = block.weights_or_ones
    return np.einsum("nk,nk,n->k", U, U, w), np.einsum("nz,nz,n->z", Z, Z, w)


def lengths_of(of_u: Array, of_z: Array, n: float) -> Array:
    """Lengths of the columns of scores if residuals were as large in all rows."""
    return np.asarray(np.kron(np.sqrt(of_u / n), np.sqrt(of_z)), dtype=np.float64)
