"""What a logistic fit says by itself: covariance, likelihood and its ratio; no row is needed.

================  =====================================================
covariance        ``H⁻¹``, the inverse of the Hessian of what was minimised
log-likelihood    ``ℓ = -Σ wᵢ crossentropy(yᵢ, pᵢ)``, without the penalty
null              ``ℓ₀ = Σₖ nₖ log(nₖ/n)``, the shares of the classes alone
McFadden's R²     ``1 - ℓ/ℓ₀``
likelihood ratio  ``2(ℓ - ℓ₀)``, about χ² if all slopes are zero
================  =====================================================

Without a penalty H is the information matrix, and its inverse the asymptotic covariance of the
maximum-likelihood estimate (Agresti 2013, *Categorical Data Analysis*, 3rd ed., §5.5.1 and §8.1.4;
McFadden's R² in §6.3.2). With a penalty it is the covariance of Laplace's approximation to the
posterior under a normal prior of variance C (Bishop 2006, *Pattern Recognition and Machine
Learning*, §4.5.1): a statement about belief, for which p-values have no meaning.

With more than two classes only differences between the classes are determined by the data. The
covariance over all parameters is then that of the parameters which sum to zero, a pseudoinverse,
and :meth:`LogisticModelInference.contrasts` gives the differences from a class of reference.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit, softmax

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock
from mcmodels.rows.blocks import Array
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.irls import InnerCurvature

__all__ = ["BinaryRobustModel", "LogisticModelInference", "MulticlassRobustModel"]


@dataclass(frozen=True)
class LogisticModelInference:
    """Inference from a logistic fit.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        The parameters, the intercept last where there is one.
    hessian : ndarray of shape (KP, KP)
        Hessian of the objective over the raveled parameters.
    inner : InnerCurvature or None
        The same in the coordinates of the fit, where they are others.
    objective : float
        What was minimised, penalty included.
    penalty : float
        α in ``α‖coef‖²/2``; 0 for maximum likelihood.
    class_weights : ndarray of shape (n_classes,)
        Total weight of the rows of each class.
    names : tuple of str
        Names of the features, then of the intercept where there is one.
    classes : tuple of str
        Names of the classes.
    intercept : bool
        Whether there is one.
    undetermined : str
        Why the likelihood has no unique maximum; empty where it has one.
    """

    params: Array
    hessian: Array
    inner: InnerCurvature | None
    objective: float
    penalty: float
    class_weights: Array
    names: tuple[str, ...]
    classes: tuple[str, ...]
    intercept: bool
    undetermined: str

    @property
    def kind(self) -> str:
        """What the covariance is: "nonrobust" or "Laplace"."""
        return "Laplace" if self.penalty else "nonrobust"

    @property
    def n_observations(self) -> float:
        """The sum of the weights."""
        return float(self.class_weights.sum())

    @property
    def n_free_params(self) -> int:
        """Parameters that the data determine: P for each class but one."""
        self.refuse_undetermined()
        return len(self.names) * (len(self.classes) - 1)

    @functools.cached_property
    def covariance(self) -> Array:
        """``H⁻¹`` over the raveled parameters; H⁺ with more than two classes."""
        T = self.root
        return T @ T.T

    @functools.cached_property
    def root(self) -> Array:
        """T with ``TTᵀ`` the covariance, shape (KP, KP)."""
        T = self.centred_root.reshape(-1, len(self.names), self.params.size).copy()
        if self.intercept:
            T[:, -1] -= np.einsum("j,kjl->kl", self.centre, T[:, :-1])
        free = self._free
        T[:, free] -= T[:, free].mean(axis=0)
        return T.reshape(self.params.size, -1)

    @property
    def centre(self) -> Array:
        """Where the fit took the features to lie; zeros unless they lie far from zero."""
        if self.inner is None:
            return np.zeros(len(self.names) - self.intercept)
        return self.inner.coordinates.centre

    @functools.cached_property
    def centred_root(self) -> Array:
        """The same of coefficients and linear predictors at the centre, in place of intercepts.

        What is predicted near the rows has no large numbers that cancel in it. With more than two
        classes, what no probability depends on has some variance here, too.
        """
        self.refuse_undetermined()
        inner = self.hessian if self.inner is None else self.inner.hessian
        K = self.params.size // len(self.names)
        gauged = self._gauged(inner, K)
        factor = ScaledCholesky.of(gauged, np.sqrt(np.diagonal(gauged)))
        if factor is None:
            raise InferenceError(
                "the information matrix is singular to working precision: columns are nearly "
                "dependent, or probabilities are all but 0 and 1. Drop or scale columns, or "
                "penalise."
            )
        T = factor.root.reshape(K, -1, len(gauged))
        if self.inner is not None and self.inner.coordinates.root is not None:
            p = self.centre.size
            coef = np.einsum("ij,kjl->kil", self.inner.coordinates.root, T[:, :p])
            T = np.concatenate([coef, T[:, p:]], axis=1)
        return T.reshape(self.params.size, -1)

    @property
    def estimate(self) -> Estimate:
        """All parameters, by the inverse of the Hessian."""
        names = self.names
        if self.params.ndim == 2:
            names = tuple(f"{k}:{name}" for k in self.classes for name in self.names)
        return Estimate.of_root(self.params.ravel(), self.root, names, kind=self.kind)

    @functools.cached_property
    def whitening(self) -> Whitening:
        """Of two classes, the map to rows z with ``Σ wᵢdᵢ zᵢzᵢᵀ = I`` but for the penalty."""
        self.refuse_undetermined()
        inner = self.hessian if self.inner is None else self.inner.hessian
        if not self.intercept:
            return Whitening(self._root_of(inner), np.zeros(len(inner)), None)
        total = inner[-1, -1]
        mean = inner[:-1, -1] / total
        root = self._root_of(inner[:-1, :-1] - np.outer(mean, mean) * total)
        if self.inner is not None:
            coordinates = self.inner.coordinates
            if coordinates.root is not None:
                # Rows of unit length, lest columns of small scale be taken for dependent.
                scale = np.linalg.norm(coordinates.root, axis=1)
                mean = linalg.lstsq((coordinates.root / scale[:, np.newaxis]).T, mean)[0] / scale
                root = coordinates.root @ root
            mean = mean + coordinates.centre
        return Whitening(root, mean, float(total**-0.5))

    def contrasts(self, estimate: Estimate, reference: int) -> Estimate:
        """Differences of each other class from the class of ``reference``, class by class."""
        K, P = len(self.classes), len(self.names)
        others = [k for k in range(K) if k != reference]
        differences = np.eye(K)[others] - np.eye(K)[reference]
        J = np.kron(differences, np.eye(P))
        names = tuple(f"{self.classes[k]}:{name}" for k in others for name in self.names)
        return estimate.image(J, J @ estimate.params, names)

    @property
    def log_likelihood(self) -> float:
        """ℓ at the parameters, the penalty left out."""
        coef = self.params[..., :-1] if self.intercept else self.params
        return -(self.objective - self.penalty * float(np.vdot(coef, coef)) / 2)

    @property
    def null_log_likelihood(self) -> float:
        """ℓ₀, that of the shares of the classes."""
        n = self.class_weights
        return float(np.sum(n * np.log(n / n.sum())))

    @property
    def mcfadden_r_squared(self) -> float:
        """``1 - ℓ/ℓ₀``."""
        return 1.0 - self.log_likelihood / self.null_log_likelihood

    @property
    def likelihood_ratio_test(self) -> HypothesisTest:
        """That every slope is zero, against the shares of the classes."""
        self.refuse_penalised("a likelihood ratio")
        if not self.intercept:
            raise InferenceError(
                "the model has no intercept, so the shares of the classes are not a special case "
                "of it; fit one, or compare two fits by likelihood_ratio_test."
            )
        df = self.n_free_params - (len(self.classes) - 1)
        if df == 0:
            raise InferenceError("the model has no slope to test.")
        gain = 2.0 * (self.log_likelihood - self.null_log_likelihood)
        return HypothesisTest("every slope is zero", max(gain, 0.0), df)

    def refuse_penalised(self, what: str) -> None:
        """Refuse what means something at the maximum of the likelihood only."""
        if self.penalty:
            raise InferenceError(
                f"{what} compares maxima of the likelihood, and this fit is penalised "
                f"(C={1 / self.penalty:g}). Fit with C=np.inf."
            )

    def refuse_undetermined(self) -> None:
        """Refuse where the likelihood has no unique maximum."""
        if self.undetermined:
            raise InferenceError(self.undetermined)

    def _root_of(self, S: Array) -> Array:
        if len(S) == 0:
            return np.zeros((0, 0))
        factor = ScaledCholesky.of(S, np.sqrt(np.clip(np.diagonal(S), 0.0, None)))
        if factor is None:
            raise InferenceError(
                "the information matrix is singular to working precision; drop or scale columns, "
                "or penalise."
            )
        return factor.root

    @property
    def _free(self) -> Array:
        """Columns of which no probability depends on the mean over the classes, shape (P,)."""
        free = np.full(len(self.names), self.params.ndim > 1 and not self.penalty)
        if self.params.ndim > 1 and self.intercept:
            free[-1] = True
        return free

    def _gauged(self, H: Array, K: int) -> Array:
        """H with curvature along what no probability depends on."""
        gauged = H.copy()
        blocks = gauged.reshape(K, len(H) // K, K, -1)
        for j in np.nonzero(self._free)[0]:
            blocks[:, j, :, j] += np.trace(blocks[:, j, :, j]) / K**2
        return gauged


@dataclass(frozen=True)
class BinaryRobustModel:
    """Two classes as sandwiches see them; the codes are the first column of y."""

    whitening: Whitening
    params: Array

    @property
    def bread(self) -> Array:
        """T of the whitening: rows z have the identity for a Hessian."""
        return self.whitening.matrix

    @property
    def n_params(self) -> int:
        """P."""
        return self.params.size

    def residuals(self, block: RowBlock) -> Array:
        """``y - p``, shape (n_rows, 1)."""
        y, eta = block.y[:, 0], block.X.predictor(self.params)
        return np.where(y > 0, expit(-eta), -expit(eta))[:, np.newaxis]

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """``p(1 - p) x̃ᵀH⁻¹x̃`` of one row."""
        eta = block.X.predictor(self.params)
        return expit(eta) * expit(-eta) * np.einsum("ij,ij->i", Z, Z)


@dataclass(frozen=True)
class MulticlassRobustModel:
    """More than two classes as sandwiches see them; the codes are the first column of y."""

    whitening: Whitening
    params: Array
    bread: Array
    n_params: int

    @classmethod
    def of(cls, model: LogisticModelInference) -> MulticlassRobustModel:
        """Of a fit; its rows are taken about their centre."""
        p = model.centre.size
        plain = Whitening(np.eye(p), model.centre, 1.0 if model.intercept else None)
        return cls(plain, model.params, model.root @ model.centred_root.T, model.n_free_params)

    def residuals(self, block: RowBlock) -> Array:
        """``1ₖ(y) - pₖ``, shape (n_rows, K)."""
        p = softmax(block.X.predictor(self.params), axis=1)
        observed = np.arange(len(p)), block.y[:, 0].astype(np.intp)
        p[observed] = 0.0
        others = p.sum(axis=1)  # 1 - p of the observed class, with all its digits
        p[observed] = -others
        return -p

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """Refuses: a row has a matrix for a leverage."""
        raise InferenceError(
            "HC2 and HC3 are not defined for more than two classes, where the leverage of a row is "
            "a matrix; choose kind='HC0', 'HC1' or 'cluster'."
        )
