"""One Newton step from the fit to the fit without a row, for every row at once.

Without row i the gradient of F at the fit is ``-Zᵢᵀsᵢ`` and the Hessian ``I - ZᵢᵀLᵢZᵢ``, where Zᵢ
(K×R) has the rows z of the K outputs, ``s = w ∂ℓ/∂η`` and ``L = w ∂²ℓ/∂η²``. So the step is

    uᵢ = (I - ZᵢᵀLᵢZᵢ)⁻¹ Zᵢᵀsᵢ = Zᵢᵀ fᵢ,   fᵢ = (I - LᵢGᵢ)⁻¹ sᵢ,   Gᵢ = ZᵢZᵢᵀ,

and the linear predictor of the row that is left out is ``ηᵢ + Gᵢfᵢ``. For squared errors it is
exact. Sources: Pregibon (1981), *Logistic regression diagnostics*, Annals of Statistics 9(4), eq.
3; Rad and Maleki (2020), *A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation*, JRSS B 82(4), theorem 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.tolerances import SMALLEST_REST
from mcmodels.reweighting.whitened_fit import PointwiseTerms

__all__ = ["LeftOut", "left_out"]


class LeftOut(NamedTuple):
    """Steps to the fits without each of some rows.

    Parameters
    ----------
    factor : ndarray of shape (b, K)
        f: the step of row i is ``Zᵢᵀfᵢ``. NaN where the Hessian without the row is singular.
    eta : ndarray of shape (b, K)
        Linear predictors of the rows by the fits without them.
    """

    factor: Array
    eta: Array


def left_out(terms: PointwiseTerms) -> LeftOut:
    """One Newton step for every row."""
    G = np.einsum("ikr,ijr->ikj", terms.Z, terms.Z)
    left = np.eye(G.shape[1]) - terms.curvature @ G
    if G.shape[1] == 1:
        rest = left[:, 0]
        defined = rest > SMALLEST_REST
        factor = np.where(defined, terms.slope / np.where(defined, rest, 1.0), np.nan)
    else:
        # The eigenvalues of I - LG are those of a symmetric matrix; the least may be zero.
        least = np.linalg.eigvals(left).real.min(axis=1)
        defined = least > SMALLEST_REST
        left[~defined] = np.eye(G.shape[1])
        factor = np.linalg.solve(left, terms.slope[..., np.newaxis])[..., 0]
        factor[~defined] = np.nan
    return LeftOut(factor, terms.eta + np.einsum("ikj,ij->ik", G, factor))
