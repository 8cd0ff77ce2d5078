"""Inference from the Hessian of a fit: covariance of the parameters, and whitened rows.

Without a penalty, the inverse of the Hessian of a negative log-likelihood is the asymptotic
covariance of the maximum-likelihood estimate (Casella and Berger 2002, *Statistical Inference*,
2nd ed., theorem 10.1.12). With a penalty it is the covariance of Laplace's approximation to the
posterior under a normal prior (Bishop 2006, *Pattern Recognition and Machine Learning*, §4.4).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array, Penalty
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.predictor_errors import PredictorErrors
from mcmodels.inference.robust import ScoreSquares, require_scores
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.rows import RowBlock
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import InnerCurvature

__all__ = ["CurvatureInference"]


@dataclass(frozen=True)
class CurvatureInference:
    """Inference from the Hessian of the objective that a fit has minimised.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        The parameters, the intercept last if there is one.
    hessian : ndarray of shape (KP, KP)
        Hessian of the objective over the raveled parameters.
    inner : InnerCurvature or None
        The Hessian in the coordinates in which the fit ran; None if these are the columns of X.
    objective : float
        The minimum of the objective, penalty included.
    penalty : float, or ndarray of shape (P,)
        α in ``α‖coef‖²/2``, or that of each column; 0 for maximum likelihood.
    names : tuple of str
        Names of the features, then of the intercept if there is one.
    intercept : bool
        Whether there is an intercept.
    undetermined : str
        Why there is no unique minimum; empty if there is one.
    n_determined : int or None
        Parameters of one linear predictor that the rows determine; None if there is no minimum.
    log_prior : float, default=None
        ``log det I / 2`` where the objective has Jeffreys' prior; None where it has none.
    weighting : Weighting
        What the weights are.
    scores : ScoreSquares, default=None
        Of HC1, where the weights are those of a survey.
    chosen : Estimate, default=None
        All parameters, with the covariance that predictions and functions of the parameters have
        in place of that of the fit.
    estimable : EstimableSpace, default=None
        Which functions of the parameters are determined; None if all.
    """

    params: Array
    hessian: Array
    inner: InnerCurvature | None
    objective: float
    penalty: Penalty
    names: tuple[str, ...]
    intercept: bool
    undetermined: str
    n_determined: int | None
    log_prior: float | None = field(default=None, kw_only=True)
    weighting: Weighting = field(kw_only=True)
    scores: ScoreSquares | None = field(default=None, kw_only=True)
    chosen: Estimate | None = field(default=None, kw_only=True)
    estimable: EstimableSpace | None = field(default=None, kw_only=True)

    @property
    def penalty_words(self) -> tuple[str, str]:
        """The penalty as the model's parameter, and how to fit without one."""
        if isinstance(self.penalty, np.ndarray):
            return "alpha by group", "alpha=0"
        return f"alpha={self.penalty:g}", "alpha=0"

    @property
    def is_penalised(self) -> bool:
        """Whether coefficients are penalised."""
        return bool(np.any(self.penalty))

    @property
    def without_curvature(self) -> str:
        """Why the Hessian has no curvature, for messages."""
        return "ℓ″ is nearly zero, or negative, in too many rows"

    @property
    def kind(self) -> str:
        """What the covariance is: "nonrobust", "Jeffreys", "Laplace"; "HC1" of survey weights."""
        if not self.weighting.has_likelihood:
            return "HC1"
        if self.log_prior is not None:
            return "Jeffreys"
        return "Laplace" if self.is_penalised else "nonrobust"

    @functools.cached_property
    def covariance(self) -> Array:
        """``H⁻¹`` over the raveled parameters; H⁺ with more than two classes."""
        T = self.root
        return T @ T.T

    @functools.cached_property
    def root(self) -> Array:
        """T with ``TTᵀ`` the covariance, shape (KP, KP)."""
        K = self.params.size // len(self.names)
        centred = self.centred_root
        T = centred.reshape(K, len(self.names), centred.shape[1]).copy()
        if self.intercept:
            T[:, -1] -= np.einsum("j,kjl->kl", self.centre, T[:, :-1])
        columns = self._shift_columns(len(self.names))
        T[:, columns] -= T[:, columns].mean(axis=0)
        return T.reshape(centred.shape)

    @property
    def centre(self) -> Array:
        """The centre of the features in the fit; zeros if the fit did not shift them."""
        if self.inner is None:
            return np.zeros(len(self.names) - self.intercept)
        return self.inner.coordinates.centre

    @functools.cached_property
    def centred_root(self) -> Array:
        """Root of the covariance of coefficients and linear predictors at the centre.

        The linear predictors take the place of the intercepts, so that no large numbers cancel in
        predictions near the rows. With more than two classes, directions that change no probability
        have some variance here, too.
        """
        self.refuse_undetermined()
        inner = self.hessian if self.inner is None else self.inner.hessian
        K = self.params.size // len(self.names)
        curved = self._with_shift_curvature(inner, K)
        T = self._root_of(curved).reshape(K, len(curved) // K, len(curved))
        if self.inner is not None and self.inner.coordinates.root is not None:
            p = self.inner.coordinates.rank
            coef = np.einsum("ij,kjl->kil", self.inner.coordinates.root, T[:, :p])
            T = np.concatenate([coef, T[:, p:]], axis=1)
        return T.reshape(self.params.size, len(curved))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the raveled parameters."""
        return self.names

    @property
    def estimate(self) -> Estimate:
        """All parameters, with the inverse of the Hessian for covariance."""
        return self.estimate_of_kind(self.kind)

    def estimate_of_kind(self, kind: str) -> Estimate:
        """The same with another name for the covariance."""
        names = self.parameter_names
        found = Estimate.of_root(self.params.ravel(), self.root, names, kind=kind)
        return found.within(self.estimable)

    def function_estimate(self, values: Array, jacobian: Array, names: tuple[str, ...]) -> Estimate:
        """Smooth functions of the parameters, by the delta method; NaN where not estimable.

        Parameters
        ----------
        values : ndarray of shape (q,)
            The functions.
        jacobian : ndarray of shape (..., P)
            Their derivatives by the parameters, q·K·P numbers in order.
        names : tuple of str
            Names of the functions.
        """
        space = self.estimable
        if space is not None:
            space = space.image(jacobian.reshape(values.size, -1))
        if self.intercept:  # derivatives by the linear predictors at the centre
            jacobian = jacobian.copy()
            jacobian[..., :-1] -= jacobian[..., -1:] * self.centre
        J = jacobian.reshape(values.size, -1)
        if self._chosen_errors is not None:
            return self._chosen_errors.centred.image(J, values, names).within(space)
        of_survey = not self.weighting.has_likelihood
        root = self.centred_survey_root if of_survey else self._centred_deviations
        df = np.inf if of_survey else self._freedom
        return Estimate.of_root(values, J @ root, names, df=df, kind=self.kind).within(space)

    @functools.cached_property
    def _chosen_errors(self) -> PredictorErrors | None:
        if self.chosen is None:
            return None
        return PredictorErrors.of(self.chosen, self.centre, intercept=self.intercept)

    @property
    def centred_covariance(self) -> Array:
        """The covariance in use, at the centre; see :attr:`centred_root`."""
        if self._chosen_errors is not None:
            return self._chosen_errors.centred.covariance
        of_survey = not self.weighting.has_likelihood
        root = self.centred_survey_root if of_survey else self._centred_deviations
        return root @ root.T

    @property
    def _centred_deviations(self) -> Array:
        """A root of the covariance at the centre."""
        return self.centred_root

    @functools.cached_property
    def survey_root(self) -> Array:
        """G with ``GGᵀ`` the sum of the products of the scores, with the factor of HC1."""
        return require_scores(self.scores).root(self.n_params, self.weighting)

    @property
    def n_params(self) -> int:
        """P of the small-sample corrections."""
        return self.whitening.n_params

    @property
    def centred_survey_root(self) -> Array:
        """A root of HC1 at the centre, where the weights are those of a survey."""
        return self.whitening.matrix_about(self.centre) @ self.survey_root

    def predictor_error(self, block: RowBlock) -> Array:
        """Standard error of the linear predictor of each row, of a single output; shape (b,).

        NaN in rows whose linear predictor is not determined.
        """
        if self._chosen_errors is not None:
            error = self._chosen_errors.of_one(block)
        else:
            error = np.sqrt(self._predictor_variance(block))
        if (lost := self.whitening.without_errors(block)) is not None:
            error[lost] = np.nan
        return error

    def _predictor_variance(self, block: RowBlock) -> Array:
        Z = self.whitening.of(block)
        if not self.weighting.has_likelihood:
            Z = Z @ self.survey_root
        return np.einsum("ij,ij->i", Z, Z)

    def warn_of_rows(self, errors: Array) -> None:
        """Warn of rows without a standard error because their prediction is not determined."""
        if self.estimable is not None:
            self.estimable.warn_of_rows(np.isnan(errors))

    @property
    def _freedom(self) -> float:
        """Degrees of freedom of tests."""
        return np.inf

    @functools.cached_property
    def whitening(self) -> Whitening:
        """For one output, the map to rows z with ``Σ wᵢdᵢ zᵢzᵢᵀ = I`` (up to the penalty)."""
        self.refuse_undetermined()
        inner = self.hessian if self.inner is None else self.inner.hessian
        if not self.intercept:
            root = self._root_of(inner)
            if self.inner is not None and self.inner.coordinates.root is not None:
                root = self.inner.coordinates.root @ root
            return Whitening(root, np.zeros(len(root)), None, self.estimable)
        total = float(inner[-1, -1])
        if not total > 0:
            raise InferenceError(self._singular)
        mean = inner[:-1, -1] / total
        root = self._root_of(inner[:-1, :-1] - np.outer(mean, mean) * total)
        if self.inner is not None:
            coordinates = self.inner.coordinates
            if coordinates.root is not None:
                # Rows are scaled to unit length. Otherwise columns of small scale would look
                # dependent. Columns that do not vary have no length, and are not in the span.
                scale = np.linalg.norm(coordinates.root, axis=1)
                scale[scale == 0] = 1.0
                mean = linalg.lstsq((coordinates.root / scale[:, np.newaxis]).T, mean)[0] / scale
                root = coordinates.root @ root
            mean = mean + coordinates.centre
        return Whitening(root, mean, total**-0.5, self.estimable)

    @property
    def log_likelihood(self) -> float:
        """ℓ at the parameters, without the penalty."""
        coef = self.params
        if self.intercept:
            coef = coef * (np.arange(coef.shape[-1]) < coef.shape[-1] - 1)
        without = self.objective + (self.log_prior or 0.0)
        return -(without - half_squares(self.penalty, coef))

    def refuse_penalised(self, what: str) -> None:
        """Raise if the fit is penalised: ``what`` needs the maximum of the likelihood."""
        if self.log_prior is not None:
            raise InferenceError(
                f"{what} compares maxima of the likelihood, and this fit has Jeffreys' prior. Call "
                "likelihood_ratio_tests(X, y), which keeps the prior of the whole model, or fit "
                "without the prior."
            )
        if self.is_penalised:
            stated, without = self.penalty_words
            raise InferenceError(
                f"{what} compares maxima of the likelihood, and this fit is penalised "
                f"({stated}). Fit with {without}."
            )

    def refuse_undetermined(self) -> None:
        """Raise if there is no unique minimum."""
        if self.undetermined:
            raise InferenceError(self.undetermined)

    @property
    def n_free_params(self) -> int:
        """Number of parameters that the rows determine; raises if there is no minimum."""
        if self.n_determined is None:
            raise InferenceError(self.undetermined)
        return self.n_determined

    def _root_of(self, S: Array) -> Array:
        if len(S) == 0:
            return np.zeros((0, 0))
        return self._factor_of(S).root

    def _factor_of(self, S: Array) -> ScaledCholesky:
        factor = ScaledCholesky.of(S, np.sqrt(np.clip(np.diagonal(S), 0.0, None)))
        if factor is None:
            raise InferenceError(self._singular)
        return factor

    @property
    def _singular(self) -> str:
        return (
            "the information matrix is singular to working precision: columns are nearly "
            f"dependent, or {self.without_curvature}. Drop or scale columns, or penalise."
        )

    def _shift_columns(self, count: int) -> Array:
        """Which of so many columns may have any mean over the classes.

        It changes no probability and no penalty.
        """
        columns = np.full(count, self.params.ndim > 1 and not self.is_penalised)
        if self.params.ndim > 1 and self.intercept:
            columns[-1] = True
        return columns

    def _with_shift_curvature(self, H: Array, K: int) -> Array:
        """H with curvature added along directions that change no probability."""
        curved = H.copy()
        size = len(H) // K
        blocks = curved.reshape(K, size, K, size)
        for j in np.nonzero(self._shift_columns(size))[0]:
            blocks[:, j, :, j] += np.trace(blocks[:, j, :, j]) / K**2
        return curved
