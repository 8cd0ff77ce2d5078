"""Directions that prove that an objective has no minimum, and steps that prove that it has one.

Some rows have a loss that falls for ever as η grows, others as it shrinks, the rest has a minimum
in η or grows in both directions. The first two are rows of two classes, the last must not change:
a direction along which no row leaves its side, and some row goes further, is one of separated
classes (see separation.py), and proves that there is no minimum. Geyer (2009), *Likelihood
inference in exponential families and directions of recession*, Electronic Journal of Statistics 3,
§3.

There is a minimum, by Stiemke's lemma as in existence.py, if ``Σ λᵢaᵢ = 0`` with ``λᵢ > 0`` in the
rows of both classes, and any λ in those that must rest. At the end of a Newton step δ the gradient
is zero to first order: ``Σ wᵢ (ℓ′ᵢ + ℓ″ᵢ x̃ᵢᵀδ) x̃ᵢ = 0``. So the step is a proof if ``|ℓ″ᵢ x̃ᵢᵀδ|``
is less than ``|ℓ′ᵢ|`` in each row that falls.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.families import Binomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.linear_predictor import Total
from mcmodels.objectives.links import LogitLink
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Derivatives, RowBlock, Rows, RowsWithTargets, Slope
from mcmodels.solvers.fit_state import Placed
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.newton_direction import is_accurate
from mcmodels.solvers.separation import (
    Largest,
    separates,
    separates_by_linear_program,
)
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

__all__ = ["coded_rows", "has_minimum", "proved_direction", "slopes_are_lost"]

# The largest change of ℓ′ by a step that proves a minimum, as a share of ℓ′; and with the changes
# that rounding errors of the gradient make, for which there is a bound.
_PROOF, _PROOF_WITH_ROUNDING = 0.5, 0.9
# A slope that is no number larger than this counts as zero: the other rows are the proof.
_NO_SLOPE = float(np.finfo(np.float64).tiny)
# A slope may have so many rounding errors of the terms that it is made of.
_LOST_SLOPE = 16 * FLOAT64_EPSILON
# Of coded rows; of those with ½ it has its minimum at zero.
_CROSS_ENTROPY = UserLoss(FamilyLoss(Binomial(), LogitLink()))
# Rows far out have less curvature than this, relative to that of the row with most.
_LITTLE_CURVATURE = 1e-10
# The fit that looks for a direction: its gradient by the total weight, and its steps.
_ROUGH, _MAX_STEPS = 1e-9, 100


def coded_rows(objective: LinearPredictorObjective) -> Rows | None:
    """The rows with 1 and 0 for those that fall as η grows and shrinks, ½ for the rest.

    None where it is known of no row that it falls.
    """
    loss = objective.loss

    def falling(block: RowBlock) -> int:
        return int(np.count_nonzero(loss.falls(block.y) != 0.5))

    if not objective.rows.reduce(falling):
        return None
    return RowsWithTargets(objective.rows, lambda block: loss.falls(block.y))


def proved_direction(placed: Placed, state: NewtonIterate[Slope]) -> Array | None:
    """A direction, of the user's parameters, that proves that there is no minimum, or None.

    The next step and the parameters propose one; then a cross-entropy of the coded rows, whose
    steps add one to what grows and nothing to what rests; then a linear program.

    Parameters
    ----------
    placed : Placed
        The objective, of one output and without a penalty, in coordinates.
    state : NewtonIterate
        Where its fit has ended, in these coordinates.
    """
    coded = coded_rows(placed.objective)
    if coded is None:
        return None
    for proposed in (state.direction.step, state.params):
        found = separates(coded, placed.to_users(proposed))
        if found is not None:
            return found
    surrogate = Placed(UserObjective(coded, _CROSS_ENTROPY), placed.coordinates)
    bound = _ROUGH * coded.total_weight
    *_, last = surrogate.newton_iterates(np.zeros_like(state.params), bound, _MAX_STEPS, 0)
    found = separates(coded, placed.to_users(last.direction.step))
    if found is not None:
        return found
    return separates_by_linear_program(coded, placed.to_users(state.params).shape)


def has_minimum(placed: Placed, state: NewtonIterate[Slope]) -> bool:
    """Whether the step at the end of a fit proves that there is a minimum, without a penalty.

    Parameters are those of :func:`proved_direction`. Where rounding errors of the Hessian or the
    gradient could make such a step, it is no proof.
    """
    if not isinstance(state.derivatives, Derivatives) or not is_accurate(state.direction):
        return False
    inner, params, step = placed.inner, state.params, state.direction.step
    loss, size, hessian = inner.loss, np.abs(params), state.derivatives.hessian
    if slopes_are_lost(inner, state):
        gradient, hessian = _without_lost(inner, params)
        if not np.linalg.cond(hessian) < 1 / FLOAT64_EPSILON:
            return False
        step = np.negative(np.linalg.solve(hessian, gradient))

    def errors(block: RowBlock) -> Array:
        first, second = _slopes(inner, block, params)
        Z = block.X.magnitudes()
        terms = np.abs(first) + np.abs(second) * (Z @ size + np.abs(block.offset_or_zeros))
        terms += np.where(_lost(inner, block, params), _slope_sizes(inner, block), 0.0)
        return block.weighted(terms) @ Z

    error = (2 * inner.rows.n_params + 8) * FLOAT64_EPSILON * inner.rows.reduce(errors)
    with np.errstate(all="ignore"):
        scale = np.sqrt(np.diagonal(hessian))
        inverse = np.linalg.inv(hessian / np.outer(scale, scale))
    by_rounding = np.abs(inverse / np.outer(scale, scale)) @ error

    def changes(block: RowBlock) -> Largest:
        first, second = _slopes(inner, block, params)
        counts = (loss.falls(block.y) != 0.5) & (np.abs(first) > _NO_SLOPE)
        counts &= ~_lost(inner, block, params)
        moved = np.abs(block.X.predictor(step))
        rounded = moved + block.X.magnitudes() @ by_rounding
        shares = np.abs(second) * np.stack([moved, rounded]) / np.where(counts, np.abs(first), 1.0)
        return Largest(np.where(counts, shares, 0.0).max(axis=1, initial=0.0))

    change, with_rounding = inner.rows.reduce(changes).values.tolist()
    return bool(change <= _PROOF and with_rounding <= _PROOF_WITH_ROUNDING)


def slopes_are_lost(objective: LinearPredictorObjective, state: NewtonIterate[Slope]) -> bool:
    """Whether a row that falls for ever has a slope that is no more than rounding."""
    seen = getattr(state.derivatives, "curvatures", None)
    if seen is not None and seen.smallest > _LITTLE_CURVATURE * seen.largest:
        return False
    params = state.params
    return bool(objective.rows.reduce(lambda block: int(_lost(objective, block, params).sum())))


def _lost(objective: LinearPredictorObjective, block: RowBlock, params: Array) -> Any:
    """Of which rows that fall for ever the slope is rounding, as that of σ(η) - 1 where η is 37.

    Their curvature may have digits all the same. Then they would seem to rest where they are, and
    prove a minimum. The other rows are the proof. Families and classes have exact slopes.
    """
    loss = objective.loss
    if not isinstance(loss, UserLoss) or loss.falls_are_known:
        return np.zeros(block.X.n_rows, dtype=bool)
    first, second = _slopes(objective, block, params)
    small = np.abs(first) <= _LOST_SLOPE * _slope_sizes(objective, block)
    return (loss.falls(block.y) != 0.5) & small & (second != 0)


def _slope_sizes(objective: LinearPredictorObjective, block: RowBlock) -> Array:
    """Sizes of the terms that slopes are made of: slopes at η = 0."""
    with np.errstate(all="ignore"):
        at_zero, _ = _slopes_at(objective, block, np.zeros(block.X.n_rows))
    return np.where(np.isfinite(at_zero), np.abs(at_zero), 0.0)


def _without_lost(objective: LinearPredictorObjective, params: Array) -> tuple[Array, Array]:
    """Gradient and Hessian of the rows whose slope is not lost."""

    def summarise(block: RowBlock) -> Total:
        first, second = _slopes(objective, block, params)
        lost = _lost(objective, block, params)
        slopes, curvature = (block.weighted(np.where(lost, 0.0, part)) for part in (first, second))
        return Total([block.X.adjoint(slopes), block.X.sandwich(curvature).matrix()])

    gradient, hessian = objective.rows.reduce(summarise).parts
    return gradient, hessian


def _slopes(objective: LinearPredictorObjective, block: RowBlock, params: Array) -> list[Array]:
    """ℓ′ and ℓ″ of the rows of a block."""
    return _slopes_at(objective, block, block.linear_predictor(params))


def _slopes_at(objective: LinearPredictorObjective, block: RowBlock, eta: Array) -> list[Array]:
    loss = objective.loss
    if isinstance(loss, UserLoss):
        first, second = loss.derivatives(block.y, eta, (1, 2))
        return [first, second]
    return [loss.gradient(block.y, eta), loss.curvature_product(block.y, eta, np.ones_like(eta))]
