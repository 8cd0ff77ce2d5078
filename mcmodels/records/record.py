"""The frozen record of a fit, from which all its results are computed."""

from __future__ import annotations

import abc
import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError, PerfectFitWarning, example_of
from mcmodels.inference.delta import DeltaMethod, delta_method
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.robust import RobustModel, ScoreSquares, require_scores
from mcmodels.inference.summary import number
from mcmodels.inference.tolerances import SCORE_LEFT
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives import Objective
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind
from mcmodels.rows import Rows, Seen
from mcmodels.solvers import Status
from mcmodels.user_warnings import warn_user

__all__ = [
    "INTERCEPT",
    "FitRecord",
    "ParameterFit",
    "digest",
    "note_of_perfect_fit",
]

INTERCEPT = "(intercept)"


def digest(arrays: Iterable[Any]) -> bytes:
    """A hash that shows whether coefficients or labels of classes have changed since the fit.

    Empty if they are no arrays of numbers or labels. Those of a fit are: their digest is never
    empty.
    """
    parts = []
    for array in arrays:
        try:
            values = np.asarray(array)
            if values.dtype != np.float64:
                values = values.astype(np.float64 if _are_numbers(values) else str)
        except Exception:  # whatever an object of the user's raises
            return b""
        parts += [repr(values.shape).encode(), values.tobytes()]
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


def _are_numbers(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        return all(isinstance(value, Real) for value in values.flat)
    return values.dtype.kind in "biuf"


@dataclass(frozen=True, kw_only=True)
class FitRecord:
    """How a fit ended, and the data that it used.

    Parameters
    ----------
    status : Status
        How the solver ended.
    method : str
        The algorithm that was used.
    n_iter : int
        Steps taken.
    names : tuple of str
        Names of the features.
    seen : Seen
        Number, weight and precision of the rows.
    digest : bytes
        Digest of the coefficients at the end of the fit; see :func:`digest`.
    """

    status: Status
    method: str
    n_iter: int
    names: tuple[str, ...]
    seen: Seen
    digest: bytes

    def __getstate__(self) -> dict[str, Any]:
        """The fields; what is computed from them is not pickled."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def status_text(self) -> str:
        """How the solver ended, in words."""
        return str(self.status)

    @property
    def converged(self) -> bool:
        """Whether the tolerance was met at an optimum."""
        return self.status in (Status.CONVERGED, Status.RANK_DEFICIENT)


@dataclass(frozen=True, kw_only=True)
class ParameterFit(FitRecord, abc.ABC):
    """A fit of a linear predictor: parameters with a covariance.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        The parameters, the intercept last where there is one.
    intercept : bool
        Whether there is an intercept.
    undetermined : str
        Why nothing is determined by a minimum; empty if there is one.
    weighting : Weighting, default=Weighting.FREQUENCY
        What the weights are.
    scores : ScoreSquares, default=None
        Of the rows at the parameters, where the weights are those of a survey and the fit has read
        its rows once more; see :meth:`with_rows`.
    chosen : Estimate, default=None
        All parameters, with the covariance that is used in place of that of the fit.
    """

    params: Array
    intercept: bool
    undetermined: str
    weighting: Weighting = Weighting.FREQUENCY
    scores: ScoreSquares | None = None
    chosen: Estimate | None = None

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the features, then of the intercept where there is one."""
        return (*self.names, *([INTERCEPT] if self.intercept else []))

    @property
    def predictor_params(self) -> Array:
        """The parameters of linear predictors: all, but those that a loss has of its own."""
        return self.params

    @property
    @abc.abstractmethod
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all."""

    @property
    @abc.abstractmethod
    def model(self) -> Any:
        """The inference of the fit; see :mod:`mcmodels.inference`."""

    @property
    def has_constant(self) -> bool:
        """Whether there is an intercept, or features are known to have a constant in their span."""
        return self.intercept

    @property
    @abc.abstractmethod
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """Which features are known to be one in every row, shape (p,)."""

    @property
    def perfect_targets(self) -> tuple[str, ...]:
        """Names of the targets that are fitted perfectly, up to rounding."""
        return ()

    @abc.abstractmethod
    def robust_model(self, loss: UserLoss | None = None) -> RobustModel:
        """The fit as robust covariances see it. Raises if the parameters are not determined.

        ``loss`` is the user's own loss, if the fit is of one.
        """

    @property
    def robust_freedom(self) -> tuple[float, float]:
        """Degrees of freedom of robust errors, and the share of scores that a fit may leave."""
        return np.inf, SCORE_LEFT

    def with_rows(self, rows: Rows, loss: UserLoss | None = None) -> Self:
        """The record with HC1's sums of scores, by one more pass, if the weights are of a survey.

        Where the parameters are not determined there are none, as it says when they are asked for.
        """
        if self.weighting.has_likelihood:
            return self
        try:
            return replace(self, scores=ScoreSquares.of(self.robust_model(loss), rows, "HC1"))
        except InferenceError:
            return self

    def _survey_estimate(self) -> Estimate:
        """All parameters, with HC1 by the scores of the fit."""
        model = self.model
        robust_model = self.robust_model()
        found = require_scores(self.scores).covariance(robust_model)
        names = model.parameter_names
        kind, of_fit = CovarianceKind("HC1"), robust_model.whitening.estimable
        return kind.of(found, self.params, names, *self.robust_freedom, of_fit)

    def refuse_saturated(self, n_params: int, *, without_one: bool = False) -> None:
        """Raise if there are no more rows than parameters: then every residual is zero.

        ``without_one`` says that one of the rows is left out.
        """
        if self.seen.n_present <= n_params + without_one:
            when = "without one of them every residual" if without_one else "every residual"
            raise InferenceError(
                f"there are {self.seen.n_present} rows for {n_params} parameters: {when} "
                "is zero, and nothing is left to estimate a variance from. Fit fewer columns or "
                "more rows."
            )

    def warn_of_perfect_fit(self) -> None:
        """Warn where the residuals are rounding errors; summaries have a note instead."""
        if self.perfect_targets:
            warn_user(
                f"this is an essentially perfect fit of {', '.join(self.perfect_targets)}: the "
                "residuals are rounding errors, so that standard errors, tests and intervals mean "
                "nothing. Check whether y is computed from columns of X.",
                PerfectFitWarning,
            )

    @property
    def log_likelihood(self) -> float:
        """ℓ at the parameters, without the penalty."""
        return self.model.log_likelihood

    def at_maximum(self, what: str) -> Any:
        """The inference. Raises if ``what`` needs a maximum likelihood and the fit has none."""
        return self.model

    @property
    def aic(self) -> float:
        """``-2ℓ + 2k`` with k free parameters."""
        self.weighting.refuse_without_likelihood("AIC")
        model = self.at_maximum("AIC")
        return -2.0 * model.log_likelihood + 2.0 * model.n_free_params

    @property
    def bic(self) -> float:
        """``-2ℓ + k log n`` with k free parameters."""
        self.weighting.refuse_without_likelihood("BIC")
        model = self.at_maximum("BIC")
        n = float(np.log(model.n_observations))
        return -2.0 * model.log_likelihood + n * model.n_free_params

    @property
    def unit_weight(self) -> float:
        """What weights are multiplied by in measures that must not depend on their scale."""
        return self.weighting.relative(self.seen.total_weight, self.seen.n_present)

    @property
    def facts_of_weights(self) -> dict[str, str]:
        """What summaries say of the weights: nothing where they count rows."""
        said = self.weighting.description
        return {"weights are": said} if said else {}

    @property
    def criteria(self) -> dict[str, str]:
        """AIC and BIC for summaries; nothing where there is only a pseudo-likelihood."""
        if not self.weighting.has_likelihood:
            return {}
        return {"AIC": number(self.aic), "BIC": number(self.bic)}

    @property
    def estimate(self) -> Estimate:
        """All parameters, with the covariance in use: the chosen one, or that of the fit."""
        return self.fitted_estimate if self.chosen is None else self.chosen

    @functools.cached_property
    def fitted_estimate(self) -> Estimate:
        """All parameters, with the covariance of the model; of survey weights, HC1."""
        return self.model_estimate if self.weighting.has_likelihood else self._survey_estimate()

    @property
    def model_estimate(self) -> Estimate:
        """All parameters, with the covariance of the model."""
        return self.model.estimate

    @property
    def n_observations(self) -> float:
        """Number of observations: ``Σ wᵢ``, or the number of rows of positive weight."""
        return self.model.n_observations

    @property
    def n_free_params(self) -> int:
        """Parameters that the data determine."""
        return self.model.n_free_params

    @property
    def covariance(self) -> Array:
        """Covariance of the raveled parameters under the model."""
        return self.estimate.covariance.copy()

    @property
    def standard_errors(self) -> Array:
        """Standard errors in the shape of the parameters."""
        return self.estimate.standard_errors.reshape(self.params.shape)

    @abc.abstractmethod
    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of these rows."""

    @abc.abstractmethod
    def robust_estimate(
        self, rows: Rows, robust: CovarianceKind, loss: UserLoss | None = None
    ) -> Estimate:
        """All parameters, with a robust covariance from the training rows.

        ``loss`` is the user's own loss, if the fit is of one.
        """

    def reported(self, estimate: Estimate, reference: object = None) -> Estimate:
        """The parameters that the data determine: all of them, without classes to compare."""
        if reference is not None:
            raise ValueError(
                f"reference={example_of(reference)} is for models of more than two classes; leave "
                "it out."
            )
        return estimate

    @property
    def ratio_name(self) -> str:
        """What exp of the coefficients are; raises where they are nothing of a name."""
        raise ValueError(
            "exponentiate=True is for logistic models and generalized linear models with the "
            "links log and logit; exp of these coefficients are no ratios of means or odds."
        )

    def delta_method(self, g: Any, estimate: Estimate) -> DeltaMethod:
        """A function of the parameters with its standard error."""
        return delta_method(g, estimate, self.params.shape)


def note_of_perfect_fit(which: str = "") -> str:
    """What a summary says of a perfect fit."""
    return (
        f"This is an essentially perfect fit{which}: the residuals are rounding errors, so that "
        "standard errors, tests and intervals mean nothing."
    )
