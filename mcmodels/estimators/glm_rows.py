"""The rows of a generalized linear model: checked, with offsets, and their objective."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.family_choice import chosen_loss, refuse_wrong_targets
from mcmodels.estimators.likelihood_methods import MAX_STEPS, TOLERANCE
from mcmodels.estimators.offset_methods import OffsetRows
from mcmodels.estimators.offsets import checked_offset
from mcmodels.estimators.parts import rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.estimators.streams import in_memory_but_X
from mcmodels.estimators.validation import validated_pair
from mcmodels.objectives import Objective
from mcmodels.objectives.family_loss import ExpectedInformation, FamilyLoss
from mcmodels.objectives.links import Link
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows, RowStream, StreamedMatrix
from mcmodels.solvers import Status
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.family_starts import family_start
from mcmodels.solvers.profile import Information

__all__ = ["OF_STREAMS", "GlmRows"]

OF_STREAMS: dict[str, Any] = {"multi_output": False, "y_numeric": True}


class GlmRows(OffsetRows):
    """What the methods of a generalized linear model need of rows."""

    _offset_names = ("offset", "exposure")

    family: str
    link: str
    alpha: float
    power: float
    theta: float | str
    dispersion: str | float

    _takes_offsets = True
    # Of a copy that checks blocks: the link of the fit, which the parameters need not have now.
    _link_of_fit: Link | None = None

    def _added(self, X: Any, **offsets: Any) -> Array | None:
        link = self._link_of_fit or self._loss().link
        return checked_offset(X, offsets["offset"], offsets["exposure"], link)

    def _offsets_of(self, X: Any, **options: Any) -> dict[str, Array]:
        if not isinstance(X, StreamedMatrix):
            return super()._offsets_of(X, **options)
        self._refuse_missing_offset(X.extras)
        return dict(X.extras)

    def _refuse_offsets_of_parts(self, **options: Any) -> None:
        """Streams and collections of Dask have offsets of their own."""

    def _loss(self) -> FamilyLoss:
        """The loss of the fit; that of the parameters where coefficients were assigned."""
        if self._fit is not None:
            return self._fit.loss
        return chosen_loss(self.family, self.link, self.power, self.theta)

    def _objective_of(self, rows: Rows) -> Objective:
        return UserObjective(rows, self._loss_of_user(), float(self.alpha))

    @property
    def _is_convex(self) -> bool:
        return self._loss().is_convex

    def _least_of(self, rows: Rows, start: Array) -> float:
        loss = self._loss()
        objective = UserObjective(rows, UserLoss(loss), self._fit.penalty)
        first: Array | None = start
        if not np.isfinite(objective.value(start)):
            first = family_start(objective, loss)
        if first is None:
            return np.inf
        *_, step = fit_within_bounds(objective, loss, first, tol=TOLERANCE, max_iter=MAX_STEPS)
        # At the bounds of the link the least value is approached.
        left = step.status is Status.NOT_CONVERGED and not np.isfinite(loss.domain).any()
        return np.nan if left or step.status is Status.UNBOUNDED else objective.value(step.params)

    @property
    def _information(self) -> Information:
        loss = UserLoss(ExpectedInformation(self._loss()))
        return lambda objective: UserObjective(objective.rows, loss)

    def _objective_of_fit(self, rows: Rows) -> Objective:
        return UserObjective(rows, self._loss_of_user(), self._fit.penalty)

    def _loss_of_user(self) -> UserLoss:
        return UserLoss(self._loss())

    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> tuple[Matrix, Array, Array | None]:
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        X, y, sample_weight = in_memory_but_X(self, X, y, sample_weight, multi_output=False)
        X, y = validated_pair(self, X, y)
        weights = check_weights(sample_weight, X)
        targets = np.asarray(y, dtype=np.float64)
        refuse_wrong_targets(self._loss().family, targets, weights, self.dispersion)
        return X, targets, weights

    def _rows_in_parts(self, stream: RowStream, extras_of: ExtrasOfPart | None = None) -> Rows:
        options: dict[str, Any] = {"intercept": self._has_intercept, **OF_STREAMS}
        model = copy.copy(self)
        model._link_of_fit = self._loss().link
        return rows_in_parts(model, stream, _as_numbers, extras_of, **options)


def _as_numbers(y: Values, weights: Array | None) -> tuple[Array, Array | None]:
    return np.asarray(y, dtype=np.float64), weights
