"""What a fit hands on: its objective in coordinates, its state after a step, and the optimum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import Derivatives, RowBlock, Slope
from mcmodels.solvers.coordinates import Coordinates, InnerCurvature
from mcmodels.solvers.curved_steps import SampledCurve
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.modified_newton import modified_newton_iterates
from mcmodels.solvers.newton import NewtonIterate, newton_iterates, status_when_stalled
from mcmodels.solvers.pseudoinverse import RowSpace
from mcmodels.solvers.solution import Status

# A step up to so many times the rounding of the parameters is due to it, and to that of predictors:
# up to 2.5 times were measured where columns have κ of 1e8, and 1.4 times at 1e9.
_AT_ROUNDING = 4.0
# Largest share of a standard error that the last step of such fits may change: a third of 1e-6.
# Sums Xᵀr, taken to other coordinates, made steps of up to 2e-7 at κ of 1e8.
_SHARE_OF_ERROR = 3e-7


@dataclass(frozen=True)
class Placed:
    """An objective in coordinates of its parameters.

    Parameters
    ----------
    objective : LinearPredictorObjective
        The objective over the user's rows.
    coordinates : Coordinates
        The coordinates.
    """

    objective: LinearPredictorObjective
    coordinates: Coordinates

    @cached_property
    def inner(self) -> LinearPredictorObjective:
        """The objective over the rows in these coordinates."""
        rows = self.coordinates.transform(self.objective.rows)
        return self.objective.over(rows, self.objective.penalty)

    @property
    def proof(self) -> MinimumProof | None:
        """What proves that a minimum exists and is near; None for a loss of the user's."""
        return None if isinstance(self.objective, UserObjective) else MinimumProof(self.inner)

    def to_users(self, params: Array) -> Array:
        """Parameters of the user's rows."""
        return self.coordinates.to_users(params, intercept=self.objective.rows.intercept)

    def from_users(self, params: Array) -> Array:
        """Parameters in these coordinates."""
        return self.coordinates.from_users(params, intercept=self.objective.rows.intercept)

    def by_predictors(self, params: Array) -> Array:
        """Parameters in these coordinates that give the same linear predictors; of one output.

        Other than :meth:`from_users` also where columns depend on each other: by least squares,
        which leave nothing.
        """
        coordinates, intercept = self.coordinates, self.objective.rows.intercept
        root = coordinates.root
        if root is None or coordinates.rank == root.shape[0]:
            return self.from_users(params)
        coef, centre = params[:-1] if intercept else params, coordinates.centre

        def summarise(block: RowBlock) -> Array:
            X = block.X.centred(centre)
            Z = np.asarray(X.X @ root)
            return Z.T @ block.weighted(np.column_stack([Z, X.X @ coef]))

        products, r = self.objective.rows.reduce(summarise), coordinates.rank
        inner: Array = np.linalg.solve(products[:, :r], products[:, r]).astype(np.float64)
        return np.append(inner, params[-1] + coef @ centre) if intercept else inner

    def status_at_rounding(
        self, state: NewtonIterate[Derivatives], params: Array, bound: float
    ) -> Status | None:
        """CONVERGED where a step for a cross-entropy is no longer than the parameters' rounding.

        Also where it changes no parameter, and no combination of parameters, by more than a tiny
        share of its standard error: by Cauchy and Schwarz, ``|cᵀδ|`` is at most ``√(cᵀH⁻¹c)`` times
        ``√(δᵀHδ)``. None in coordinates in which steps do not end in rounding.
        """
        proof = self.proof
        rounding = self.coordinates.rounding_of_users(
            params, state.derivatives.hessian, intercept=self.objective.rows.intercept
        )
        if proof is None or rounding == 0:
            return None
        enough = max(_AT_ROUNDING * rounding, _SHARE_OF_ERROR)
        if not math.sqrt(max(state.direction.decrease, 0.0)) <= enough:
            return None
        if status_when_stalled(state, bound) is not Status.CONVERGED:
            return None
        proved = proof.holds(state.params, state.derivatives, state.direction)
        return Status.CONVERGED if proved else None

    def newton_iterates(
        self, start: Array, bound: float, max_iter: int, count: int
    ) -> Iterator[NewtonIterate[Derivatives]]:
        """Newton's method for the objective, or the modified one for a loss of the user."""
        inner = self.inner
        if isinstance(inner, UserObjective):
            return modified_newton_iterates(
                inner, start, gradient_tolerance=bound, max_iter=max_iter, count=count
            )
        return newton_iterates(
            inner,
            start,
            gradient_tolerance=bound,
            max_iter=max_iter,
            count=count,
            proof=self.proof,
            curve=SampledCurve.of(inner, start.size),
        )


@dataclass(frozen=True)
class Progress:
    """The state of a fit after a step.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        Parameters of the user's rows.
    coordinates : Coordinates
        The coordinates in which the fit works.
    iterate : NewtonIterate or None
        The state of Newton's method in them; None during steps with a kept Hessian.
    count : int, default=0
        Number of steps with a kept Hessian.
    by_conjugate_gradients : bool, default=False
        Whether conjugate gradients have found the steps; Newton's method may have judged the end.
    """

    params: Array
    coordinates: Coordinates
    iterate: NewtonIterate[Slope] | None
    count: int = 0
    by_conjugate_gradients: bool = False

    @property
    def status(self) -> Status | None:
        """How the fit has ended; None while it goes on."""
        return None if self.iterate is None else self.iterate.status


@dataclass(frozen=True)
class Optimum:
    """The minimiser of an objective and its derivatives there.

    Where columns are far from zero or nearly dependent, the Hessian in the coordinates of the fit
    has more correct digits than the one over the user's parameters.

    Parameters
    ----------
    params, gradient : ndarray of shape (P,) or (K, P)
        The parameters, and the gradient at them.
    objective : float
        The minimum of the objective.
    hessian : ndarray of shape (KP, KP), or None
        Over the raveled parameters; None where it takes too much memory.
    inner : InnerCurvature or None
        The Hessian in the coordinates of the fit, where they are not the user's.
    """

    params: Array
    objective: float
    gradient: Array
    hessian: Array | None
    inner: InnerCurvature | None = None

    @property
    def row_space(self) -> RowSpace | None:
        """The span of the rows about their centre; None if columns are independent."""
        inverse = None if self.inner is None else self.inner.coordinates.inverse
        return None if inverse is None else inverse.row_space

    @property
    def row_centre(self) -> Array | None:
        """The centre about which this is the span; None without an intercept."""
        if self.inner is None or self.params.shape[-1] == len(self.inner.coordinates.centre):
            return None
        return self.inner.coordinates.centre

    @property
    def accurate_hessian(self) -> Array | None:
        """The Hessian in the coordinates in which it has most digits: those of the fit."""
        return self.hessian if self.inner is None else self.inner.hessian
