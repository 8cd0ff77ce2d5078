"""Whether a cross-entropy without a penalty has a minimum: a Newton step can prove it.

A cross-entropy has a minimum unless the classes are separated (see separation.py). They are not
separated if ``Σ λ a = 0`` for some λ > 0 (Stiemke's lemma), where a is ``x̃ ⊗ (e_own - e_other)``
for each row and other class. At any parameters the gradient is ``-Σ λ a`` with ``λ = w p_other``. A
Newton step δ changes λ to ``λ (1 + d)``, where |d| is at most the change of a difference of linear
predictors, and then the sum is zero. So the step is a proof if it changes none of them by 1 or
more.

The proof holds up to rounding errors of the gradient. In a direction with hardly any curvature they
alone may make a step of any length. So their effect is bounded as well.

With a penalty α there is always a minimum. Where α is tiny it may be far away though no value shows
a decrease: a step that reaches as far is then not the last one, either. A step δ changes the
coefficients by no more than ``√(δᵀHδ / α)``, which mostly tells without the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Derivatives, RowBlock, Rows
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.kept_hessian import passes_are_expensive
from mcmodels.solvers.newton_direction import NewtonDirection, is_accurate
from mcmodels.solvers.recession import curvature_is_everywhere
from mcmodels.solvers.separation import Largest, margins_of
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, SAMPLE_ROWS

# Largest change of a difference of linear predictors by a step that proves that there is a minimum;
# and of that change and its rounding errors together, for which there is a bound.
_PROOF, _PROOF_WITH_ROUNDING = 0.5, 0.9
# Up to this condition number of the scaled Hessian's root, rounding errors of the gradient are
# harmless where every column has curvature.
_WELL_CONDITIONED = 1e4
# A bound is raised by this factor, for the rounding errors of an accurate step.
_ROUNDED = 2.0
# A penalty that bounds the change of the coefficients by this share of them needs no other proof.
_SMALL_CHANGE = 1e-3
# Columns with a larger condition number are nearly dependent.
_NEARLY_DEPENDENT = 1e6
# With a margin above this, the exponential of minus the margin is zero in float64.
_NO_LOSS = 745.0


def largest_change(rows: Rows, step: Array) -> float:
    """Largest change of a difference of linear predictors by a step."""

    def change(block: RowBlock) -> Largest:
        eta = block.X.predictor(step, own=False)
        spread = np.abs(eta) if eta.ndim == 1 else np.ptp(eta, axis=1)
        return Largest(spread.max(initial=0.0))

    return float(rows.reduce(change).values)


@dataclass(frozen=True)
class MinimumProof:
    """Proofs that an objective has a minimum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        A cross-entropy.
    """

    objective: LinearPredictorObjective

    def is_needless(self, params: Array, direction: NewtonDirection) -> bool:
        """Whether the penalty alone shows that the next step changes no coefficient by much."""
        if not self.objective.is_penalised:
            return False
        penalty = self.objective.least_penalty
        coef = params[..., : self.objective.rows.n_features]
        change = math.sqrt(max(direction.decrease, 0.0)) / math.sqrt(penalty)
        return change <= _SMALL_CHANGE * float(np.linalg.norm(coef))

    def reach(self, params: Array, step: Array) -> float:
        """Largest change of a difference of linear predictors by a step.

        Rows so far on their own side that their loss is exactly zero do not count: the others prove
        that there is a minimum without them.

        Parameters
        ----------
        params, step : ndarray of shape (P,) or (K, P)
            Parameters, and a change of them.
        """
        rows = self.objective.rows

        def change_where_it_counts(block: RowBlock) -> Largest:
            counts = margins_of(block.y, block.linear_predictor(params)) <= _NO_LOSS
            changes = np.abs(margins_of(block.y, block.X.predictor(step)))
            return Largest(changes[counts].max(initial=0.0))

        largest = largest_change(rows, step)
        if largest <= _PROOF:
            return largest
        return float(rows.reduce(change_where_it_counts).values)

    def holds(self, params: Array, derivatives: Derivatives, direction: NewtonDirection) -> bool:
        """Whether the Newton step at a point proves that there is a minimum, and that it is near.

        With a penalty, columns that are nearly dependent leave a step inaccurate, too, but only in
        directions that hardly change a predictor.
        """
        if not is_accurate(direction):
            return self.objective.is_penalised and self._has_dependent_columns()
        if self.is_needless(params, direction):
            return True
        reach = _bound_of_reach(derivatives, direction)
        if reach > _PROOF:
            reach = self.reach(params, direction.step)
        if reach > _PROOF:
            return False
        if self._is_regular(derivatives, direction):
            return True
        return reach + self._reach_of_rounding(params, derivatives) <= _PROOF_WITH_ROUNDING

    def _is_regular(self, derivatives: Derivatives, direction: NewtonDirection) -> bool:
        if direction.condition > _WELL_CONDITIONED:
            return False
        rows = self.objective.rows
        sample = rows.sample(SAMPLE_ROWS) if passes_are_expensive(rows) else rows
        return curvature_is_everywhere(sample, derivatives.hessian)

    def _has_dependent_columns(self) -> bool:
        """Whether the design itself, without the curvature of the loss, is near a lower rank."""
        rows = self.objective.rows
        gram = rows.reduce(lambda block: block.X.sandwich(block.weights_or_ones)).matrix()
        scale = np.sqrt(np.diagonal(gram))
        return ScaledCholesky.of(gram, scale, rcond=1 / _NEARLY_DEPENDENT) is None

    def _reach_of_rounding(self, params: Array, derivatives: Derivatives) -> float:
        """Bound of the change of a margin by the step that rounding errors of the gradient make."""
        rows, loss, size = self.objective.rows, self.objective.loss, np.abs(params)

        def errors(block: RowBlock) -> Array:
            Z = block.X.magnitudes()
            slope = loss.gradient(block.y, block.linear_predictor(params))
            terms = 1.0 + Z @ size.T
            if "offset" in block.extras:
                terms += np.abs(block.extras["offset"])
            return (terms * np.abs(block.weighted(slope))).T @ Z

        error = (2 * rows.n_params + 8) * FLOAT64_EPSILON * rows.reduce(errors)
        hessian = self.objective.with_shift_curvature(derivatives.hessian, params.shape)
        scale = np.sqrt(np.diagonal(hessian))
        inverse = np.linalg.inv(hessian / np.outer(scale, scale)) / np.outer(scale, scale)
        step = (np.abs(inverse) @ error.ravel()).reshape(params.shape)

        def change(block: RowBlock) -> Largest:
            changes = block.X.magnitudes() @ np.atleast_2d(step).T
            counts = margins_of(block.y, block.linear_predictor(params)) <= _NO_LOSS
            return Largest(changes[counts.any(axis=1)].max(initial=0.0))

        # With several classes a margin is a difference, of which both parts may change.
        return params.ndim * float(rows.reduce(change).values)


def _bound_of_reach(derivatives: Derivatives, direction: NewtonDirection) -> float:
    """A bound of :meth:`MinimumProof.reach` that needs no pass over the rows.

    Let d be the change of the difference of two linear predictors of a row, and ``pₐ`` and ``p_b``
    the probabilities of their classes. By the inequality of Cauchy and Schwarz, the part of
    ``δᵀHδ`` that comes from the row is at least ``w d² / (1/pₐ + 1/p_b) ≥ w pₐ p_b d²``. So
    ``d² ≤ δᵀHδ / (w pₐ p_b)``.
    """
    if not (direction.decrease >= 0 and derivatives.least_curvature > 0):
        return np.inf
    return _ROUNDED * math.sqrt(direction.decrease) / math.sqrt(derivatives.least_curvature)
