"""Inference from a logistic fit without its rows: covariance, likelihood, likelihood ratio.

================  =====================================================
covariance        ``H⁻¹``, the inverse of the Hessian of what was minimised
log-likelihood    ``ℓ = -Σ wᵢ crossentropy(yᵢ, pᵢ)``, without the penalty
null              ``ℓ₀ = Σₖ nₖ log(nₖ/n)``, with the shares of the classes; beside an offset
                  the largest log-likelihood of intercepts alone with this offset
McFadden's R²     ``1 - ℓ/ℓ₀``
likelihood ratio  ``2(ℓ - ℓ₀)``, approximately χ² if all slopes are zero
================  =====================================================

Without a penalty H is the information matrix, and its inverse the asymptotic covariance of the
maximum-likelihood estimate (Agresti 2013, *Categorical Data Analysis*, 3rd ed., §5.5.1 and §8.1.4;
McFadden's R² in §6.3.2). With a penalty it is the covariance of Laplace's approximation to the
posterior under a normal prior of variance C (Bishop 2006, *Pattern Recognition and Machine
Learning*, §4.5.1). For a posterior, p-values have no meaning.

With more than two classes the data determine only differences between the classes. The covariance
is then a pseudoinverse: that of the parameters that sum to zero over the classes.
:meth:`LogisticModelInference.contrasts` gives the differences from a reference class.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.curvature import CurvatureInference
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock

__all__ = ["BinaryRobustModel", "LogisticModelInference", "MulticlassRobustModel"]


# Sums over rows of the same likelihood differ by no more than this share.
_ROUNDING_OF_SUMS = 1e-14


@dataclass(frozen=True)
class LogisticModelInference(CurvatureInference):
    """Inference from a logistic fit.

    Parameters
    ----------
    class_weights : ndarray of shape (n_classes,)
        Total weight of the rows of each class.
    classes : tuple of str
        Names of the classes.
    null_of_offset : float or None
        ℓ₀ where the rows have an offset, NaN if it was not found; None without an offset.
    n_present : int
        Number of rows of positive weight.
    """

    class_weights: Array
    classes: tuple[str, ...]
    null_of_offset: float | None = None
    n_present: int = field(kw_only=True)

    @property
    def penalty_words(self) -> tuple[str, str]:
        """The penalty as the model's parameter, and how to fit without one."""
        if isinstance(self.penalty, np.ndarray):
            return "C by group", "C=np.inf"
        return f"C={1 / self.penalty:g}", "C=np.inf"

    @property
    def without_curvature(self) -> str:
        """Why the Hessian has no curvature, for messages."""
        return "probabilities are nearly 0 and 1"

    @property
    def n_observations(self) -> float:
        """The sum of the weights, or the number of rows."""
        return self.weighting.count(float(self.class_weights.sum()), self.n_present)

    @property
    def n_free_params(self) -> int:
        """Number of parameters that the data determine, in each class but one."""
        return super().n_free_params * (len(self.classes) - 1)

    @property
    def n_params(self) -> int:
        """P of the small-sample corrections."""
        return super().n_params if self.params.ndim == 1 else self.n_free_params

    @property
    def centred_survey_root(self) -> Array:
        """A root of HC1 at the centre, where the weights are those of a survey."""
        if self.params.ndim == 1:
            return super().centred_survey_root
        return MulticlassRobustModel.of(self).centred_bread @ self.survey_root

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the raveled parameters; with more than two classes, the class comes first."""
        if self.params.ndim == 1:
            return self.names
        return tuple(f"{k}:{name}" for k in self.classes for name in self.names)

    def contrasts(self, estimate: Estimate, reference: int) -> Estimate:
        """Differences of the other classes from the class ``reference``, class by class."""
        others = [k for k in range(len(self.classes)) if k != reference]
        J = self.differences(reference)
        names = tuple(f"{self.classes[k]}:{name}" for k in others for name in self.names)
        return estimate.image(J, J @ estimate.params, names, partly=True)

    def differences(self, reference: int) -> Array:
        """The matrix that makes these differences of the raveled parameters."""
        K = len(self.classes)
        others = [k for k in range(K) if k != reference]
        return np.kron(np.eye(K)[others] - np.eye(K)[reference], np.eye(len(self.names)))

    @property
    def null_log_likelihood(self) -> float:
        """ℓ₀, the largest log-likelihood of a model without slopes."""
        if self.null_of_offset is not None:
            if np.isnan(self.null_of_offset):
                raise InferenceError(
                    "the maximum of the likelihood of an intercept alone was not found beside this "
                    "offset; the offset may have values far apart."
                )
            return self.null_of_offset
        n = self.class_weights
        return float(np.sum(n * np.log(n / n.sum())))

    @property
    def mcfadden_r_squared(self) -> float:
        """``1 - ℓ/ℓ₀``."""
        if self.log_prior is not None:  # of maxima of the likelihood
            self.refuse_penalised("McFadden's R²")
        null = self.null_log_likelihood
        gain = self.log_likelihood - null
        return gain / -null if abs(gain) > _ROUNDING_OF_SUMS * abs(null) else 0.0

    @property
    def likelihood_ratio_test(self) -> HypothesisTest:
        """Test that every slope is zero."""
        self.weighting.refuse_without_likelihood("a likelihood ratio")
        self.refuse_penalised("a likelihood ratio")
        if not self.intercept:
            raise InferenceError(
                "the model has no intercept, so that of an intercept alone is no special case of "
                "it; fit one, or compare two fits by likelihood_ratio_test."
            )
        df = self.n_free_params - (len(self.classes) - 1)
        if df == 0:
            raise InferenceError("the model has no slope to test.")
        gain = 2.0 * (self.log_likelihood - self.null_log_likelihood)
        return HypothesisTest("every slope is zero", max(gain, 0.0), df)


@dataclass(frozen=True)
class BinaryRobustModel:
    """What a robust covariance needs of a fit to two classes; y has their codes, shape (n,)."""

    whitening: Whitening
    params: Array
    weighting: Weighting

    @property
    def bread(self) -> Array:
        """T of the whitening: rows z have the identity for a Hessian."""
        return self.whitening.matrix

    @property
    def n_params(self) -> int:
        """Number of parameters that the rows determine."""
        return self.whitening.n_params

    def residuals(self, block: RowBlock) -> Array:
        """``y - p``, shape (n_rows, 1)."""
        eta = block.linear_predictor(self.params)
        return np.where(block.y > 0, expit(-eta), -expit(eta))[:, np.newaxis]

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """``p(1 - p) x̃ᵀH⁻¹x̃`` of each row."""
        eta = block.linear_predictor(self.params)
        return expit(eta) * expit(-eta) * np.einsum("ij,ij->i", Z, Z)


@dataclass(frozen=True)
class MulticlassRobustModel:
    """What a robust covariance needs of a fit to more classes; y has their codes, shape (n,)."""

    whitening: Whitening
    params: Array
    bread: Array
    n_params: int
    weighting: Weighting
    centred_bread: Array

    @classmethod
    def of(cls, model: LogisticModelInference) -> MulticlassRobustModel:
        """From a fit; rows z are the features minus the centre of the fit."""
        p = model.centre.size
        constant = 1.0 if model.intercept else None
        plain = Whitening(np.eye(p), model.centre, constant, model.estimable)
        K = len(model.params)

        def without_shift(T: Array) -> Array:
            """T without equal shifts of all classes, which no score has.

            Under a small penalty their variances are large, and would leave rounding errors.
            """
            by_class = T.reshape(K, len(T) // K, T.shape[1])
            return (by_class - by_class.mean(axis=0)).reshape(T.shape)

        centred = without_shift(model.centred_root)
        bread, centred_bread = without_shift(model.root) @ centred.T, centred @ centred.T
        P, weighting = model.n_free_params, model.weighting
        return cls(plain, model.params, bread, P, weighting, centred_bread)

    def residuals(self, block: RowBlock) -> Array:
        """``1ₖ(y) - pₖ``, shape (n_rows, K)."""
        p = softmax(block.linear_predictor(self.params), axis=1)
        observed = np.arange(len(p)), block.y
        p[observed] = 0.0
        others = p.sum(axis=1)  # 1 - p of the observed class, with all its digits
        p[observed] = -others
        return -p

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """Raises: the leverage of a row is a matrix."""
        raise InferenceError(
            "HC2 and HC3 are not defined for more than two classes, where the leverage of a row is "
            "a matrix; choose kind='HC0', 'HC1' or 'cluster'."
        )
