"""Inference from the fit of a loss with auxiliary parameters: of all parameters together.

=====================  ==========================================================================
a likelihood           covariance ``H⁻¹`` of ``(θ, a)``, H the joint Hessian
any loss               scores ``sᵢ = (∂ℓᵢ/∂η x̃ᵢ, ∂ℓᵢ/∂a)``: covariance ``H⁻¹ (Σ sᵢsᵢᵀ) H⁻¹``
linear predictors      errors ``√(x̃ᵀV x̃)``, V the block of θ of the covariance: the inverse of the
                       Schur complement ``H_θθ - H_θa H_aa⁻¹ H_aθ``
=====================  ==========================================================================

Sources: Huber (1967), *The behavior of maximum likelihood estimates under nonstandard conditions*,
Proc. Fifth Berkeley Symposium, theorem 3; Pawitan (2001), *In All Likelihood*, §10.7 (nuisance
parameters and the Schur complement).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.loss_model import LossModelInference
from mcmodels.inference.predictor_errors import PredictorErrors
from mcmodels.inference.robust import require_scores
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.auxiliary import AuxiliaryLoss
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.rows import RowBlock
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import InnerCurvature

__all__ = ["AuxiliaryModelInference", "AuxiliaryRobustModel", "JointScores"]


@dataclass(frozen=True)
class AuxiliaryModelInference(LossModelInference):
    """Inference from the fit of a loss with auxiliary parameters, which are the last of all.

    Parameters
    ----------
    n_auxiliary : int
        How many there are.
    """

    n_auxiliary: int = field(kw_only=True)

    @property
    def _n_predictor(self) -> int:
        """Number of parameters of the linear predictor."""
        return len(self.names) - self.n_auxiliary

    @property
    def predictor_params(self) -> Array:
        """The parameters of the linear predictor."""
        return self.params[: self._n_predictor]

    @property
    def centre(self) -> Array:
        """The centre of the features in the fit; zeros if the fit did not shift them."""
        if self.inner is None:
            return np.zeros(self._n_predictor - self.intercept)
        return self.inner.coordinates.centre

    @functools.cached_property
    def centred_root(self) -> Array:
        """Root of the covariance, with the linear predictor at the centre for the intercept."""
        self.refuse_undetermined()
        hessian = self.hessian if self.inner is None else self.inner.hessian
        T = self._root_of(hessian)
        if self.inner is not None and self.inner.coordinates.root is not None:
            r = self.inner.coordinates.rank
            T = np.concatenate([self.inner.coordinates.root @ T[:r], T[r:]])
        return T

    @functools.cached_property
    def root(self) -> Array:
        """T with ``TTᵀ`` the covariance of all parameters."""
        T = self.centred_root.copy()
        if self.intercept:
            p = self._n_predictor - 1
            T[p] -= self.centre @ T[:p]
        return T

    @functools.cached_property
    def whitening(self) -> Whitening:
        """The map to rows z of which the covariance of linear predictors is ``zzᵀ``."""
        return self.of_predictor.whitening

    @functools.cached_property
    def of_predictor(self) -> LossModelInference:
        """Inference on θ alone, from the Schur complement of the auxiliary parameters."""
        self.refuse_undetermined()
        P = self._n_predictor
        inner = self.inner
        if inner is not None:
            inner = InnerCurvature(self._without_auxiliary(inner.hessian), inner.coordinates)
        return LossModelInference(
            self.params[:P],
            self._without_auxiliary(self.hessian),
            inner,
            self.objective,
            self.penalty,
            self.names[:P],
            self.intercept,
            self.undetermined,
            None if self.n_determined is None else self.n_determined - self.n_auxiliary,
            self.n_observations,
            self.is_likelihood,
            weighting=self.weighting,
            estimable=None if self.estimable is None else replace(self.estimable, through=None),
        )

    def _without_auxiliary(self, hessian: Array) -> Array:
        cut = len(hessian) - self.n_auxiliary
        across, corner = hessian[:cut, cut:], hessian[cut:, cut:]
        scale = np.sqrt(np.clip(np.diagonal(corner), 0.0, None))
        factor = ScaledCholesky.of(corner, scale)
        if factor is None:
            raise InferenceError(self._singular)
        found: Array = hessian[:cut, :cut] - across @ factor.apply(across.T)
        return (found + found.T) / 2

    @functools.cached_property
    def survey_root(self) -> Array:
        """G with ``GGᵀ`` the sum of the products of the scores, with the factor of HC1."""
        return require_scores(self.scores).root(self.n_params, self.weighting)

    @property
    def n_params(self) -> int:
        """P of the small-sample corrections: all parameters."""
        return self.centred_root.shape[1]

    @property
    def centred_survey_root(self) -> Array:
        """A root of HC1 at the centre, where the weights are those of a survey."""
        return self.centred_root @ self.survey_root

    def function_estimate(self, values: Array, jacobian: Array, names: tuple[str, ...]) -> Estimate:
        """Smooth functions of the parameters, by the delta method.

        The derivatives are by all parameters, or by those of the linear predictor alone.
        """
        J = jacobian.reshape(values.size, -1)
        missing = len(self.names) - J.shape[1]
        J = np.concatenate([J, np.zeros((len(J), missing))], axis=1)
        return self._in_use.image(J, values, names, partly=True)

    @property
    def _in_use(self) -> Estimate:
        """All parameters, with the covariance in use."""
        if self.chosen is not None:
            return self.chosen
        if self.weighting.has_likelihood:
            return self.estimate
        root = self.centred_survey_root.copy()
        if self.intercept:
            p = self._n_predictor - 1
            root[p] -= self.centre @ root[:p]
        found = Estimate.of_root(self.params, root, self.names, kind=self.kind)
        return found.within(self.estimable)

    def predictor_error(self, block: RowBlock) -> Array:
        """Standard error of the linear predictor of each row, shape (b,)."""
        if self.chosen is None and self.weighting.has_likelihood:
            return self.of_predictor.predictor_error(block)
        error = self._errors.of_one(block)
        if (lost := self.whitening.without_errors(block)) is not None:
            error[lost] = np.nan
        return error

    @functools.cached_property
    def _errors(self) -> PredictorErrors:
        P, found = self._n_predictor, self._in_use
        part = replace(
            found,
            params=found.params[:P],
            covariance=found.covariance[:P, :P],
            names=found.names[:P],
            root=None if found.root is None else found.root[:P],
            estimable=self.of_predictor.estimable,
            generalized=None if found.generalized is None else found.generalized[:P, :P],
        )
        return PredictorErrors.of(part, self.centre, intercept=self.intercept)

    @property
    def log_likelihood(self) -> float:
        """Minus the sum of the losses, without the penalties."""
        coef = self.params[: self._n_predictor - self.intercept]
        absolute = self.l1 * float(np.abs(coef).sum())
        return -(self.objective - half_squares(self.penalty, coef) - absolute)


@dataclass(frozen=True)
class JointScores:
    """Scores of all parameters in coordinates in which the joint Hessian is the identity.

    It stands where other models have a whitening: the rows z of :meth:`of` are the scores.

    Parameters
    ----------
    root : ndarray of shape (P + q, r)
        T of coefficients, linear predictor at the centre, and auxiliary parameters.
    centre : ndarray of shape (p,)
        The centre.
    params : ndarray of shape (P + q,)
        The parameters.
    intercept : bool
        Whether there is an intercept.
    loss : AuxiliaryLoss or None
        The loss.
    estimable : EstimableSpace, default=None
        Where columns are dependent: which functions of the parameters are determined.
    """

    root: Array
    centre: Array
    params: Array
    intercept: bool
    loss: AuxiliaryLoss | None
    estimable: EstimableSpace | None = None

    @property
    def n_params(self) -> int:
        """Number of parameters."""
        return self.root.shape[1]

    def of(self, block: RowBlock) -> Array:
        """``Tᵀsᵢ`` of each row, shape (n_rows, r)."""
        assert self.loss is not None
        p = len(self.centre)
        P = p + self.intercept
        eta = block.linear_predictor(self.params[:P])
        _, first = self.loss.function(block.y, eta, self.params[P:], 1)
        Z = Whitening(self.root[:p], self.centre, None).of_features(block)
        if self.intercept:
            Z = Z + self.root[p]
        return first[:, :1] * Z + first[:, 1:] @ self.root[P:]


@dataclass(frozen=True)
class AuxiliaryRobustModel:
    """What a robust covariance needs of the fit of a loss with auxiliary parameters."""

    model: AuxiliaryModelInference
    weighting: Weighting
    loss: AuxiliaryLoss | None

    @property
    def whitening(self) -> JointScores:
        """The scores, in place of whitened rows."""
        model = self.model
        return JointScores(
            model.centred_root,
            model.centre,
            model.params,
            model.intercept,
            self.loss,
            model.estimable,
        )

    @property
    def bread(self) -> Array:
        """From the scores to the parameters."""
        return self.model.root

    @property
    def n_params(self) -> int:
        """P of the small-sample corrections: all parameters."""
        return self.model.n_params

    def residuals(self, block: RowBlock) -> Array:
        """Ones: the scores are whole."""
        return np.ones((block.X.n_rows, 1))

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """Refused: a row has no leverage where its score is no multiple of x̃."""
        raise InferenceError(
            "HC2 and HC3 divide by the leverage of a row, and with auxiliary parameters its score "
            "is no multiple of its features. Choose kind='HC1'."
        )
