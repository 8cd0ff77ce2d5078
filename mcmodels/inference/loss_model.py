"""Inference from the fit of any pointwise loss: as a likelihood, or as an M-estimator.

=====================  ==========================================================================
a likelihood           ``ℓ = -log p(y|η)`` up to terms without η: covariance ``H⁻¹``, and
                       log-likelihoods up to a constant that cancels in differences
any loss               scores ``sᵢ = ℓ′(yᵢ, ηᵢ) x̃ᵢ``: covariance ``H⁻¹ (Σ sᵢsᵢᵀ) H⁻¹``
=====================  ==========================================================================

Source of the second: Huber (1967), *The behavior of maximum likelihood estimates under nonstandard
conditions*, Proc. Fifth Berkeley Symposium, theorem 3; White (1982), *Maximum likelihood estimation
of misspecified models*, Econometrica 50(1), eq. 3.2; corrections for small samples are in
:mod:`mcmodels.inference.robust`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.curvature import CurvatureInference
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import RowBlock

__all__ = ["LossModelInference", "LossRobustModel"]


@dataclass(frozen=True)
class LossModelInference(CurvatureInference):
    """Inference from the fit of a loss in the linear predictor.

    Parameters
    ----------
    n_observations : float
        The sum of the weights.
    is_likelihood : bool
        Whether the loss is a negative log-likelihood up to terms without η.
    """

    n_observations: float
    is_likelihood: bool

    def refuse_other_losses(self, what: str, instead: str) -> None:
        """Raise if the loss is not a likelihood: ``what`` is defined only for likelihoods."""
        if not self.is_likelihood:
            raise InferenceError(
                f"{what} is defined only for a likelihood, and the loss is not declared to be one. "
                "Pass log_likelihood=True if it is -log p(y|eta) up to terms without eta"
                f"{instead}."
            )


@dataclass(frozen=True)
class LossRobustModel:
    """What a robust covariance needs of the fit of a loss; y has shape (n,)."""

    whitening: Whitening
    params: Array
    loss: UserLoss

    @property
    def bread(self) -> Array:
        """T of the whitening: rows z have the identity for a Hessian."""
        return self.whitening.matrix

    @property
    def n_params(self) -> int:
        """Number of parameters."""
        return self.params.size

    def residuals(self, block: RowBlock) -> Array:
        """``-ℓ′``, shape (n_rows, 1)."""
        eta = block.X.predictor(self.params)
        return -self.loss.gradient(block.y, eta)[:, np.newaxis]

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """``ℓ″ x̃ᵀH⁻¹x̃`` of each row."""
        eta = block.X.predictor(self.params)
        return self.loss.curvature_product(block.y, eta, np.einsum("ij,ij->i", Z, Z))
