"""The record of a fit of a loss with auxiliary parameters."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.inference.auxiliary_model import AuxiliaryModelInference, AuxiliaryRobustModel
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.loss_model import LossRobustModel, warn_of_few_curved_rows
from mcmodels.objectives.auxiliary import AuxiliaryShapes
from mcmodels.records.losses import LossFit
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
    def _n_by_rank(self) -> int:
        return super()._n_by_rank + self.shapes.size

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
        return AuxiliaryModelInference(**self._of_model, n_auxiliary=self.shapes.size)

    def robust_model(self, loss: Any = None) -> Any:
        """The fit as robust covariances see it; scores of rows need the loss."""
        return AuxiliaryRobustModel(self.model, self.weighting, loss)

    def _warn_of_few_curved_rows(self, rows: Rows, loss: Any) -> None:
        of_theta = LossRobustModel(
            self.model.whitening,
            self.model.predictor_params,
            self.weighting,
            loss.at(self.auxiliary),
        )
        warn_of_few_curved_rows(of_theta, rows)
