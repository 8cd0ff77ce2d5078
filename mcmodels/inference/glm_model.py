"""Inference from the fit of a generalized linear model: the Hessian of its kernel, and φ.

With H the Hessian of ``Σ wᵢ ℓ(yᵢ, ηᵢ) + α‖coef‖²/2``, ℓ the kernel of the family, the observed
information is ``H/φ`` and the covariance of the parameters ``φ H⁻¹``. Where φ is estimated, tests
use Student's t with as many degrees of freedom as φ has (McCullagh and Nelder 1989, §4.4 and §8.3;
R's ``summary.glm``).

The *expected* information has ``E ℓ″ = μ′²/V`` in place of ℓ″; it is what R and statsmodels print.
With a canonical link both are the same. Efron and Hinkley (1978), *Assessing the accuracy of the
maximum likelihood estimator: observed versus expected Fisher information*, Biometrika 65(3), say
why the observed one is to be preferred.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.curvature import CurvatureInference
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.families import Family
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import RowBlock, Rows, WithoutFeatures
from mcmodels.solvers.theta import ThetaDerivatives

__all__ = ["GlmInference", "GlmSums"]


@dataclass(frozen=True)
class GlmSums:
    """What the rows say of a fit, at its parameters.

    Parameters
    ----------
    deviance : float
        ``Σ wᵢ d(yᵢ, μᵢ)``.
    pearson : float
        ``Σ wᵢ (yᵢ - μᵢ)²/V(μᵢ)``.
    log_likelihood : float
        With all constants, by the dispersion of the fit.
    targets, slopes : float
        ``Σ wᵢ yᵢ²/V(μᵢ)`` and ``Σ wᵢ μ′(ηᵢ)²/V(μᵢ)``: what rounding errors of Pearson's sum are
        relative to.
    """

    deviance: float
    pearson: float
    log_likelihood: float = np.nan
    targets: float = np.nan
    slopes: float = np.nan

    @classmethod
    def of(
        cls,
        rows: Rows,
        loss: FamilyLoss,
        params: Array,
        dispersion: float | None = None,
        weighting: Weighting = Weighting.FREQUENCY,
    ) -> GlmSums:
        """Deviance and Pearson's sum, in one pass; with φ also the log-likelihood."""

        def summarise(block: RowBlock) -> Array:
            y, eta = block.y, block.linear_predictor(params)
            parts = loss.deviance(y, eta), loss.pearson(y, eta) ** 2
            sums = [block.weighted(part).sum() for part in parts]
            if dispersion is None:
                slopes = loss.expected_curvature(eta)
                squares = (block.y / loss.family.deviation(loss.link.mean(eta))) ** 2
                of_rounding = [block.weighted(part).sum() for part in (squares, slopes)]
                return np.array([*sums, np.nan, *of_rounding])
            weights = block.weights_or_ones
            of_rows = functools.partial(loss.log_likelihood, y, eta)
            likelihood = weighting.log_density(loss.family, of_rows, weights, dispersion)
            return np.array([*sums, likelihood.sum()])

        with np.errstate(all="ignore"):
            return cls(*rows.reduce(summarise).tolist())


def log_likelihood(
    rows: Rows, family: Family, deviance: float, dispersion: float, weighting: Weighting
) -> float:
    """``Σ wᵢ log p(yᵢ | μᵢ, φ)``, or of precisions with ``φ/wᵢ``, from the deviance D.

    That is ``-D/(2φ)`` and the same sum at ``μᵢ = yᵢ``, for which no feature is read.
    """

    def summarise(block: RowBlock) -> float:
        of_rows = functools.partial(family.saturated_log_likelihood, block.y)
        weights = block.weights_or_ones
        return float(weighting.log_density(family, of_rows, weights, dispersion).sum())

    if not dispersion > 0:
        return np.nan
    with np.errstate(all="ignore"):
        return WithoutFeatures(rows).reduce(summarise) - deviance / (2.0 * dispersion)


@dataclass(frozen=True)
class GlmInference(CurvatureInference):
    """Inference from the fit of a generalized linear model.

    Parameters
    ----------
    n_observations : float
        The sum of the weights, or the number of rows.
    family : Family
        The family.
    dispersion : float
        φ, or NaN where no degree of freedom is left to estimate it.
    df : float
        Degrees of freedom of φ; infinite where it is known.
    known_log_likelihood : float
        With all constants.
    theta : ThetaDerivatives or None
        Derivatives in θ of negative binomial targets, where it was estimated.
    """

    n_observations: float
    family: Family
    dispersion: float
    df: float
    known_log_likelihood: float
    theta: ThetaDerivatives | None = None

    @property
    def n_free_params(self) -> int:
        """Number of parameters that the rows determine, with θ where it was estimated."""
        return super().n_free_params + (self.theta is not None)

    @functools.cached_property
    def _theta_change(self) -> tuple[Array, float]:
        """``H⁻¹h`` and ``h_θθ - hᵀH⁻¹h``, h the derivatives in θ and the parameters."""
        assert self.theta is not None
        along = self.root @ (self.root.T @ self.theta.cross)
        return along, self.theta.curvature - float(self.theta.cross @ along)

    @property
    def theta_variance(self) -> float:
        """The variance of the estimated θ, from the whole Hessian."""
        self.weighting.refuse_without_likelihood("the standard error of theta")
        self.refuse_undetermined()
        return 1.0 / self._theta_change[1]

    @property
    def log_likelihood(self) -> float:
        """ℓ at the parameters, with all constants and without the penalty."""
        if np.isnan(self.known_log_likelihood):
            raise InferenceError(
                f"the log-likelihood of the family ({self.family.description}) is not known: "
                "there is no dispersion, or its density has no finite form."
            )
        return self.known_log_likelihood

    @property
    def estimate(self) -> Estimate:
        """All parameters, with the covariance ``φ H⁻¹``."""
        root = self.root
        if self.theta is not None:
            # The block of the inverse of the whole Hessian: Golub and Van Loan (2013), §2.1.4.
            along, left = self._theta_change
            root = np.column_stack([root, along / np.sqrt(left)])
        return self.estimate_with(root)

    @property
    def _centred_deviations(self) -> Array:
        self.refuse_without_dispersion()
        root = self.centred_root
        if self.theta is not None:
            along, left = self._theta_change
            if self.intercept:
                along = np.append(along[:-1], along[-1] + self.centre @ along[:-1])
            root = np.column_stack([root, along / np.sqrt(left)])
        return np.sqrt(self.dispersion) * root

    @property
    def _freedom(self) -> float:
        return self.df

    def _predictor_variance(self, block: RowBlock) -> Array:
        if not self.weighting.has_likelihood:
            return super()._predictor_variance(block)
        Z = self.whitening.of(block)
        squares = self.dispersion * np.einsum("ij,ij->i", Z, Z)
        if self.theta is not None:
            along, left = self._theta_change
            squares += block.X.predictor(along) ** 2 / left
        return squares

    def estimate_with(self, root: Array, kind: str = "") -> Estimate:
        """All parameters, with the covariance ``φ TTᵀ`` of a root T."""
        self.refuse_undetermined()
        self.refuse_without_dispersion()
        return Estimate.of_root(
            self.params,
            np.sqrt(self.dispersion) * root,
            self.parameter_names,
            df=self.df,
            kind=kind or self.kind,
        ).within(self.estimable)

    def refuse_without_dispersion(self) -> None:
        """Raise if there is no degree of freedom for the dispersion."""
        if not np.isfinite(self.dispersion):
            raise InferenceError(
                f"there are {self.weighting.counted(self.n_observations)} for {self.n_determined} "
                "parameters: nothing is left to estimate the dispersion from. Fit fewer columns or "
                "more rows, or give dispersion a number."
            )

    def expected_estimate(self, rows: Rows, loss: FamilyLoss) -> Estimate:
        """All parameters, with φ times the inverse of the expected information.

        In the coordinates z in which the Hessian is the identity, it is that and
        ``Σ wᵢ (E ℓ″ᵢ - ℓ″ᵢ) zᵢzᵢᵀ``, so that no digits are lost where columns lie far from zero.
        A Hessian with Jeffreys' prior has more in it: then the information is ``Σ wᵢ E ℓ″ᵢ zᵢzᵢᵀ``.
        """
        whitening, params = self.whitening, self.params
        with_prior = self.log_prior is not None

        def summarise(block: RowBlock) -> Array:
            eta, Z = block.linear_predictor(params), whitening.of(block)
            observed = 0.0 if with_prior else loss(block.y, eta, (2,))[0]
            change = block.weighted(loss.expected_curvature(eta) - observed)
            return Z.T @ (Z * change[:, np.newaxis])

        T = whitening.matrix
        information = rows.reduce(summarise) + (0.0 if with_prior else np.eye(T.shape[1]))
        try:
            factor = linalg.cholesky(information, lower=True)
        except linalg.LinAlgError as error:
            raise InferenceError(self._singular) from error
        root = linalg.solve_triangular(factor, T.T, lower=True).T
        return self.estimate_with(root, "expected")
