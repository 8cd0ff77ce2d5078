"""The record of a fit of a loss with auxiliary parameters."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.auxiliary_model import AuxiliaryModelInference, AuxiliaryRobustModel
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.loss_model import LossRobustModel, warn_of_few_curved_rows
from mcmodels.inference.robust import ScoreSquares
from mcmodels.objectives import Objective
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryShapes
from mcmodels.records.losses import LossFit
from mcmodels.records.record import CovarianceKind
from mcmodels.rows import Rows

__all__ = ["AuxiliaryFit"]


@dataclass(frozen=True, kw_only=True)
class AuxiliaryFit(LossFit):
    """A fit of a loss with auxiliary parameters, which follow the intercept.

    Parameters
    ----------
    shapes : AuxiliaryShapes
        Their names and shapes.
    """

    shapes: AuxiliaryShapes

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the features, of the intercept, and of the auxiliary parameters."""
        return (*super().parameter_names, *self.shapes.names)

    @property
    def predictor_params(self) -> Array:
        """Coefficients and intercept."""
        return self.params[: len(self.params) - self.shapes.size]

    @property
    def auxiliary(self) -> Array:
        """The auxiliary parameters as a vector."""
        return self.params[len(self.params) - self.shapes.size :]

    @property
    def n_determined(self) -> int | None:
        """Parameters that the rows determine; None without an optimum."""
        return None if self.undetermined else self.rank + self.intercept + self.shapes.size

    @functools.cached_property
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all.

        Along dependencies of columns auxiliary parameters do not change: they are determined.
        """
        if self.row_space is None:
            return None
        P, q = self.predictor_params.size, self.shapes.size
        centre = self.row_centre if self.intercept else None
        names, precision = self.parameter_names[:P], self.seen.epsilon
        of_predictor = EstimableSpace(self.row_space, centre, names, 1, precision)
        return of_predictor.image(np.eye(P + q, P))

    @property
    def _independent(self) -> tuple[list[int], Array]:
        assert self.estimable is not None
        kept, R = self.estimable.independent
        P, q = self.predictor_params.size, self.shapes.size
        return [*kept, *range(P, P + q)], linalg.block_diag(R, np.eye(q))

    @property
    def is_a_limit(self) -> bool:
        """False: where there is no minimum, no limit of the profiles is known."""
        return False

    @functools.cached_property
    def model(self) -> AuxiliaryModelInference:
        """Inference from the joint Hessian."""
        return AuxiliaryModelInference(
            self.params,
            self.hessian,
            self.inner,
            self.objective,
            self.penalty,
            self.parameter_names,
            self.intercept,
            self.undetermined,
            self.n_determined,
            self.weighting.count_of(self.seen),
            self.is_likelihood,
            weighting=self.weighting,
            scores=self.scores,
            chosen=self.chosen,
            estimable=self.estimable,
            n_auxiliary=self.shapes.size,
        )

    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of the fit over them."""
        self.training.require(rows)
        self.weighting.require_same_count(rows, self.seen)
        rounding = self.training.rounding_of_losses(self.predictor_params, self.objective)
        found = objective.value(self.params)
        self.training.require_objective(self.objective, found, rounding)

    def robust_estimate(self, rows: Rows, robust: CovarianceKind, loss: Any = None) -> Estimate:
        """All parameters, with a robust covariance from the training rows."""
        if not self.penalty:
            self.refuse_saturated(self.rank + self.intercept + self.shapes.size)
        robust_model = self.robust_model(loss)
        self._warn_of_few_curved_rows(rows, loss)
        names = self.model.names
        return robust.estimate(robust_model, rows, self.params, names, *self.robust_freedom)

    def with_rows(self, rows: Rows, loss: Any = None) -> Self:
        """The record with what its kind of weights needs of the rows."""
        if self.weighting.has_likelihood:
            return self
        try:
            scores = ScoreSquares.of(self.robust_model(loss), rows, "HC1")
        except InferenceError:
            return self
        self._warn_of_few_curved_rows(rows, loss)
        return replace(self, scores=scores)

    def robust_model(self, loss: Any = None) -> Any:
        """The fit as robust covariances see it; scores of rows need the loss."""
        return AuxiliaryRobustModel(self.model, self.weighting, loss)

    def _warn_of_few_curved_rows(self, rows: Rows, loss: AuxiliaryLoss | None) -> None:
        assert loss is not None
        of_theta = LossRobustModel(
            self.model.whitening,
            self.model.predictor_params,
            self.weighting,
            loss.at(self.auxiliary),
        )
        warn_of_few_curved_rows(of_theta, rows)
