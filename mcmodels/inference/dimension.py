"""How many principal components: Minka's Bayesian evidence, and a share of the variance."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from mcmodels.arrays import Array
from mcmodels.inference.tolerances import SMALLEST_VARIANCE


def minka_log_evidence(variances: Array, n_rows: float) -> Array:
    """Log evidence of every dimension 0, …, p-1 of a probabilistic PCA.

    Parameters
    ----------
    variances : ndarray of shape (p,)
        All eigenvalues of the covariance, descending.
    n_rows : float
        Number of rows.

    Returns
    -------
    ndarray of shape (p,)
        -inf for dimension 0, and for dimensions that include a component without variance.

    References
    ----------
    Minka (2000), *Automatic choice of dimensionality for PCA*, NIPS 13, eq. 30 and 77 of the
    technical report (Laplace's method on the orthonormal axes).
    """
    p = variances.size
    evidence = np.full(p, -np.inf)
    for k in range(1, p):
        if variances[k - 1] < SMALLEST_VARIANCE:
            break
        noise = max(SMALLEST_VARIANCE, variances[k:].sum() / (p - k))
        half = (p - np.arange(k)) / 2.0
        log_uniform = -k * np.log(2.0) + np.sum(gammaln(half) - half * np.log(np.pi))
        likelihood = -n_rows / 2.0 * (np.log(variances[:k]).sum() + (p - k) * np.log(noise))
        n_angles = p * k - k * (k + 1) / 2.0
        floored = np.where(np.arange(p) < k, variances, noise)
        rows, columns = np.triu_indices(p, 1)
        inside = rows < k
        i, j = rows[inside], columns[inside]
        with np.errstate(divide="ignore"):
            # With equal eigenvalues a curvature is zero, and the evidence +inf by its definition.
            curvature = np.log((variances[i] - variances[j]) * (1 / floored[j] - 1 / floored[i]))
        log_curvature = np.sum(curvature + np.log(n_rows))
        evidence[k] = (
            log_uniform
            + likelihood
            + np.log(2.0 * np.pi) * (n_angles + k) / 2.0
            - log_curvature / 2.0
            - k * np.log(n_rows) / 2.0
        )
    return evidence


def components_for_share(shares: Array, share: float) -> int:
    """Fewest leading components that explain more than ``share`` of the variance."""
    return int(np.searchsorted(np.cumsum(shares), share, side="right")) + 1
