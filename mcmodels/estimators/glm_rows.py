"""The rows of a generalized linear model: checked, with offsets, and their objective."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.family_choice import chosen_loss, refuse_wrong_targets
from mcmodels.estimators.likelihood_methods import MAX_STEPS, TOLERANCE, LikelihoodMethods
from mcmodels.estimators.offsets import checked_offset, with_offsets
from mcmodels.estimators.parts import rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.estimators.streams import in_memory_but_X
from mcmodels.estimators.validation import validated_pair
from mcmodels.objectives import Objective
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import Link
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows, RowStream, StreamedMatrix, rows_of
from mcmodels.solvers import Status
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.family_starts import family_start

__all__ = ["OF_STREAMS", "GlmRows"]

OF_STREAMS: dict[str, Any] = {"multi_output": False, "y_numeric": True}


class GlmRows(LikelihoodMethods):
    """What the methods of a generalized linear model need of rows."""

    family: str
    link: str
    alpha: float
    power: float
    theta: float | str
    dispersion: str | float

    _takes_offsets = True
    # Of a copy that checks blocks: the link of the fit, which the parameters need not have now.
    _link_of_fit: Link | None = None

    def _check_order(self, X: Any, **options: Any) -> None:
        refuse_other_order(X=X, offset=options.get("offset"), exposure=options.get("exposure"))

    def _offsets_of(self, X: Any, **options: Any) -> dict[str, Array]:
        if isinstance(X, StreamedMatrix):
            return X.extras
        offset, exposure = options.get("offset"), options.get("exposure")
        added = checked_offset(X, offset, exposure, self._link_of_fit or self._loss().link)
        return {} if added is None else {"offset": added}

    def _refuse_missing_offset(self, extras: Mapping[str, Any]) -> None:
        if "offset" not in extras and self._fit is not None and self._fit.offset_sums is not None:
            raise ValueError(
                "the model was fitted with an offset or an exposure; pass that of these rows "
                "(offset=np.zeros(n) or exposure=np.ones(n) if there is none). In a stream it is "
                "the fourth part of each block, and scan() takes the names of the columns."
            )

    def _loss(self) -> FamilyLoss:
        """The loss of the fit; that of the parameters where coefficients were assigned."""
        if self._fit is not None:
            return self._fit.loss
        return chosen_loss(self.family, self.link, self.power, self.theta)

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights
    ) -> Objective:
        return self._objective_at(X, y, sample_weight, None, None)

    def _objective_at(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, exposure: Any
    ) -> Objective:
        loss = self._loss()
        X, y, sample_weight, _, offsets = with_offsets(
            X, y, sample_weight, offset=offset, exposure=exposure
        )
        if isinstance(X, RowStream) and X.in_parts:
            rows = self._rows_in_parts(X)
        else:
            self._check_order(X, **offsets)
            X, targets, weights = self._validated(X, y, sample_weight)
            extras = self._offsets_of(X, **offsets)
            self._refuse_missing_offset(extras)
            rows = rows_of(X, targets, weights, extras, intercept=self._has_intercept)
        return UserObjective(rows, UserLoss(loss), float(self.alpha))

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
