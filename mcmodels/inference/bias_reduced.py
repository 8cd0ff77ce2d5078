"""CR2: cluster-robust covariances without bias under a working model, with degrees of freedom.

Of a linear fit with few clusters, residuals vary less than the noise, most in clusters of high
leverage. Bell and McCaffrey (2002), *Bias reduction in standard errors for linear regression with
multi-stage samples*, Survey Methodology 28(2), multiply the residuals of each cluster by the
symmetric root

    ``A_g = (I - H_gg)^(-1/2)``,   covariance ``(X̃ᵀWX̃)⁻¹ (Σ_g S_gS_gᵀ) (X̃ᵀWX̃)⁻¹``,
    ``S_g = X̃_gᵀ W_g^(1/2) A_g W_g^(1/2) u_g``.

If the noise is independent with variances ``σ²/wᵢ``, the covariance has no bias. This is the
working model: also of weights that count rows, where it is independent noise of variance σ² in each
of the wᵢ rows; both readings of weights give the same numbers. Where ``I - H_gg`` is singular, as
for a cluster with an indicator of its own, the root is that of the pseudo-inverse (Pustejovsky and
Tipton 2018, *Small-sample methods for cluster-robust variance estimation and hypothesis testing in
fixed effects models*, Journal of Business & Economic Statistics 36(4), theorem 1). For clusters of
one row each CR2 is HC2. Where weights differ within clusters, the matrices that take the bias away
are many: this is the symmetric root of rows that are divided by their deviations, so that a weight
still stands for equal rows. Pustejovsky and Tipton's matrix ``B_i`` has another root.

In whitened rows ``S_g = B_g s_g`` with ``B_g = (I - M_g)^(-1/2)`` (:mod:`.cluster_sums`).

Degrees of freedom are those of :mod:`mcmodels.inference.satterthwaite`.
"""

from __future__ import annotations

import numpy as np

from mcmodels.inference.cluster_sums import ClusterSums
from mcmodels.inference.linear_model import LinearRobustModel
from mcmodels.inference.robust import RobustCovariance, lengths_of
from mcmodels.inference.satterthwaite import Satterthwaite
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.rows import Rows

__all__ = ["bias_reduced_covariance"]


def bias_reduced_covariance(
    model: LinearRobustModel, rows: Rows, n_clusters: int
) -> tuple[RobustCovariance, Satterthwaite]:
    """CR2 over the parameters of one target, in one pass over the rows.

    Rows carry the codes of one grouping as ``extras["groups"]``. An eigenvalue of
    ``I - H_gg`` that is only rounding error counts as zero: a part that the other clusters do not
    tell changes it by its square, so that errors of rows z by their condition have no effect.
    """
    instead = "choose kind='cluster', or HC2 where each row is a cluster"
    sums = ClusterSums.of(model, rows, n_clusters, instead)
    values, vectors = np.linalg.eigh(sums.grams)
    rest = 1.0 - values
    positive = rest > SMALLEST_REST
    roots = np.divide(1.0, np.sqrt(np.where(positive, rest, 1.0)), where=positive, out=0.0 * rest)
    adjustments = (vectors * roots[:, np.newaxis, :]) @ np.swapaxes(vectors, 1, 2)
    adjusted = np.einsum("gab,gb->ga", adjustments, sums.scores)
    lengths = lengths_of(np.array([sums.residual_squares]), np.ones(adjusted.shape[1]), sums.n)
    covariance = RobustCovariance(sums.root, adjusted.T @ adjusted, lengths, sums.n)
    return covariance, Satterthwaite(sums.root, sums.grams, adjustments)
