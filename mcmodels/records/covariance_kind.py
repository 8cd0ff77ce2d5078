"""The kind of covariance that the user has chosen: how it is estimated, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.exceptions import IndefiniteCovarianceWarning, InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import (
    Estimate,
    clipped,
    not_positive,
    refuse_lost,
    warn_of_clipping,
)
from mcmodels.inference.robust import (
    RobustCovariance,
    RobustModel,
    cluster_covariance,
    hc_covariance,
)
from mcmodels.inference.serial import hac_covariance
from mcmodels.inference.tolerances import SCORE_LEFT
from mcmodels.rows import Rows
from mcmodels.user_warnings import warn_user

__all__ = ["CovarianceKind", "described"]

_COVARIANCES = {
    "nonrobust": "inverse of the Hessian",
    "Jeffreys": "inverse of the Hessian of the penalised likelihood",
    "Laplace": "inverse of the penalised Hessian (Laplace's approximation to the posterior)",
    "cluster": "cluster-robust",
    "CR2": "cluster-robust with bias reduction (CR2)",
    "HAC": "robust to serial correlation (HAC, Newey-West)",
    "expected": "inverse of the expected information",
}


def described(estimate: Estimate) -> str:
    """Description of a covariance."""
    if estimate.kind.startswith(("iid (", "robust (")):
        return f"from the density of residuals: {estimate.kind}"
    return _COVARIANCES.get(estimate.kind, f"robust to unequal variances ({estimate.kind})")


@dataclass(frozen=True)
class CovarianceKind:
    """The kind of covariance that the user has chosen.

    Parameters
    ----------
    kind : str
        "HC0" to "HC3", "cluster", "CR2", "HAC", or "expected".
    counts : tuple of int
        Number of clusters in each grouping; empty without clusters.
    use_correction, df_correction : bool
        Small-sample corrections; see :meth:`mcmodels.LinearRegression.covariance`.
    max_lags : int
        Lags of HAC.
    """

    kind: str
    counts: tuple[int, ...] = ()
    use_correction: bool = True
    df_correction: bool = True
    max_lags: int = 0

    def only_count(self, what: str) -> int:
        """The number of clusters; raises if there are two groupings."""
        if len(self.counts) > 1:
            raise InferenceError(
                f"{what} takes one grouping, and groups has two columns; pass one of them, or "
                "kind='cluster'."
            )
        return self.counts[0]

    def estimate(
        self,
        model: RobustModel,
        rows: Rows,
        params: Array,
        names: tuple[str, ...],
        df: float = np.inf,
        left: float = SCORE_LEFT,
    ) -> Estimate:
        """All parameters, with this covariance; ``extras["groups"]`` of the rows has clusters.

        ``left`` is the share of scores that the fit may leave of a sum that is zero.
        """
        correct = self.use_correction
        if self.kind == "cluster":
            robust = cluster_covariance(model, rows, self.counts, use_correction=correct)
        elif self.kind == "HAC":
            robust = hac_covariance(model, rows, self.max_lags, use_correction=correct)
        else:
            robust = hc_covariance(model, rows, self.kind)
        return self.of(robust, params, names, df, left, model.whitening.estimable)

    def of(
        self,
        robust: RobustCovariance,
        params: Array,
        names: tuple[str, ...],
        df: float | Array,
        left: float,
        estimable: EstimableSpace | None = None,
    ) -> Estimate:
        """All parameters, with a covariance of this kind that has been computed."""
        determined = np.ones(len(names), dtype=bool) if estimable is None else estimable.determined
        with np.errstate(over="ignore", invalid="ignore"):
            covariance, sizes = robust.covariance, robust.sizes
        refuse_lost(np.diagonal(covariance) if sizes is None else sizes, robust.subtracts, names)
        root = robust.root
        negative = np.zeros_like(determined)
        if sizes is not None:
            negative = not_positive(covariance, sizes) & determined
        if sizes is not None and negative.any():
            covariance, root = clipped(covariance, sizes), None
            warn_of_clipping(negative, covariance, names, self.counts)
        elif sizes is None and (lost := robust.without_variance(left) & determined).any():
            covariance, root = covariance.copy(), None
            covariance[lost] = covariance[:, lost] = np.nan
            _warn_of_no_variance(lost, names, clustered=bool(self.counts))
        found = Estimate(params.ravel(), covariance, names, df, self.kind, root, self.counts)
        return found.within(estimable)


def _warn_of_no_variance(
    lost: npt.NDArray[np.bool_], names: tuple[str, ...], *, clustered: bool
) -> None:
    """Say which parameters are told by rows or clusters of which nothing is left over."""
    why = (
        "residuals sum to zero in the clusters that tell them"
        if clustered
        else "residuals are zero in the rows that tell them"
    )
    warn_user(
        f"{', '.join(np.asarray(names, dtype=object)[lost])}: no robust variance (NaN), because "
        f"{why}. Leave such columns out, or use the covariance of the model.",
        IndefiniteCovarianceWarning,
    )
