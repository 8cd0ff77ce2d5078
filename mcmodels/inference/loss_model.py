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

from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import FewCurvedRowsWarning, InferenceError
from mcmodels.inference.curvature import CurvatureInference
from mcmodels.inference.tolerances import CURVED_ROWS_PER_PARAMETER
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import RowBlock, Rows
from mcmodels.user_warnings import warn_user

__all__ = ["LossModelInference", "LossRobustModel", "warn_of_few_curved_rows"]


@dataclass(frozen=True)
class LossModelInference(CurvatureInference):
    """Inference from the fit of a loss in the linear predictor.

    Parameters
    ----------
    n_observations : float
        The sum of the weights, or the number of rows.
    is_likelihood : bool
        Whether the loss is a negative log-likelihood up to terms without η.
    l1 : float, default=0.0
        Strength of the penalty on absolute values of the coefficients.
    """

    n_observations: float
    is_likelihood: bool
    l1: float = field(default=0.0, kw_only=True)

    @property
    def log_likelihood(self) -> float:
        """Minus the sum of the losses, without the penalties."""
        coef = self.params[:-1] if self.intercept else self.params
        return super().log_likelihood + self.l1 * float(np.abs(coef).sum())

    @property
    def predictor_params(self) -> Array:
        """The parameters of the linear predictor."""
        return self.params

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
    weighting: Weighting
    loss: UserLoss | None

    @property
    def bread(self) -> Array:
        """T of the whitening: rows z have the identity for a Hessian."""
        return self.whitening.matrix

    @property
    def n_params(self) -> int:
        """Number of parameters that the rows determine."""
        return self.whitening.n_params

    def residuals(self, block: RowBlock) -> Array:
        """``-ℓ′``, shape (n_rows, 1)."""
        eta = block.linear_predictor(self.params)
        assert self.loss is not None
        return -self.loss.gradient(block.y, eta)[:, np.newaxis]

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """``ℓ″ x̃ᵀH⁻¹x̃`` of each row."""
        assert self.loss is not None
        eta = block.linear_predictor(self.params)
        return self.loss.curvature_product(block.y, eta, np.einsum("ij,ij->i", Z, Z))


def warn_of_few_curved_rows(model: LossRobustModel, rows: Rows) -> None:
    """Warn if ℓ″ lies in few rows, as where a kink was smoothed over too short a distance.

    The rows are counted as ``(Σ wᵢℓ″ᵢ)² / Σ wᵢℓ″ᵢ²`` (Kish 1965, *Survey Sampling*), where a
    row of weight two is two rows; else with ``Σ wᵢ²ℓ″ᵢ²``. For a smoothed quantile loss the remedy
    is a larger bandwidth; that of Hall and Sheather (1988) is offered, see :func:`hall_sheather`.
    """

    def sums(block: RowBlock) -> Array:
        eta, w = block.linear_predictor(model.params), block.weights_or_ones
        curvature = model.leverage(block, np.ones((len(eta), 1)))
        squares = np.square(weighting.of_score(w) * curvature).sum()
        return np.array([w @ np.abs(curvature), squares])

    weighting = model.weighting
    first, second = rows.reduce(sums)
    n = weighting.count_of(rows)
    counted = first**2 / second if second > 0 else 0.0
    if counted >= min(CURVED_ROWS_PER_PARAMETER * model.n_params, n / 2):
        return
    advice = ""
    y, eta, weights = rows.map(
        lambda block: np.column_stack(
            [block.y, block.linear_predictor(model.params), block.weights_or_ones]
        )
    ).T
    offered = hall_sheather(y - eta, weights * (n / rows.total_weight))
    if offered > 0 and np.unique(y).size > 2:  # with two classes there are no quantiles
        advice = (
            " If it is a smoothed quantile loss, smooth it over a bandwidth of about "
            f"{offered:.3g}, that of Hall and Sheather (1988)."
        )
    warn_user(
        f"the curvature of the loss lies in {counted:.3g} of {n:g} rows, for {model.n_params} "
        f"parameters: standard errors are unreliable, and may be far too small.{advice}",
        FewCurvedRowsWarning,
    )


def hall_sheather(residuals: Array, weights: Array) -> float:
    """Bandwidth for the density of residuals at zero, in units of the target.

    On the scale of probabilities ``b = n^(-1/3) z^(2/3) (1.5 φ(x)²/(2x² + 1))^(1/3)`` with
    ``x = Φ⁻¹(τ)`` and z the 97.5 % point of the normal distribution; τ is the share of residuals
    below zero. In units of the target ``s (Φ⁻¹(τ + b) - Φ⁻¹(τ - b))`` with s the smaller of the
    standard deviation and IQR/1.34. Sources: Hall and Sheather (1988), *On the distribution of a
    Studentized quantile*, JRSS B 50(3), 381-391; Koenker (2005), *Quantile Regression*.
    Zero if τ is 0 or 1.
    """
    present = weights > 0
    u, w = residuals[present], weights[present]
    n = float(w.sum())
    tau = float(w @ (u < 0)) / n
    if not 0 < tau < 1:
        return 0.0
    x = stats.norm.ppf(tau)
    b = (1.5 * stats.norm.pdf(x) ** 2 / (2 * x**2 + 1) / n) ** (1 / 3)
    b = min(b * stats.norm.ppf(0.975) ** (2 / 3), 0.999 * tau, 0.999 * (1 - tau))
    order = np.argsort(u)
    ends = np.interp([0.25 * n, 0.75 * n], np.cumsum(w[order]) - w[order] / 2, u[order])
    spread = float(np.sqrt(w @ (u - w @ u / n) ** 2 / n))
    scale = min(spread, (ends[1] - ends[0]) / 1.34) or spread
    return float(scale * (stats.norm.ppf(tau + b) - stats.norm.ppf(tau - b)))
