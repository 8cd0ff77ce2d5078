"""Jeffreys' prior in the user's parameters, and Newton's method for it.

A fit works in coordinates in which the columns of the design are orthonormal, and independent where
those of the user are not: then the information has no determinant, and the prior takes the
pseudo-determinant, the product of the eigenvalues that are not zero. With ``γ = Gθ``, where G has
the full rank of its rows, ``pdet(GᵀIG) = det(I) det(GGᵀ)``: the two differ by a constant.

The objective need not be convex far from its minimum. So a step is Newton's where the Hessian is
positive definite, else that by the information (which is Firth's), and it is halved until the
objective decreases enough. For binomial targets and design columns that are independent there is a
finite minimum, also where classes are separated: Kosmidis and Firth (2021), *Jeffreys-prior
penalty, finiteness and shrinkage in binomial-response generalized linear models*, Biometrika
108(1), theorem 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective, Loss
from mcmodels.objectives.jeffreys import JeffreysObjective, Prior
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import Derivatives, Rows, Slope, single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import (
    Coordinates,
    InnerCurvature,
    curvature_coordinates,
    orthonormal_coordinates,
    shifted_coordinates,
)
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    line_search,
    status_when_stalled,
)
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of, nowhere
from mcmodels.solvers.refits import BoundsOfProfile
from mcmodels.solvers.solution import Solution, Status

__all__ = ["HeldFits", "PenalisedByInformation", "conclude_with_prior", "fit_with_prior"]

# A step is negligible when it is this share of a standard error: then the last one, whose square it
# is about, has left twelve digits.
_NEGLIGIBLE = 1e-10
# Fits with a parameter held end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-10, 200
# From this condition number of the Hessian on, a fit changes its coordinates: log det I has lost
# κ²ε. Where there are none that are better, again when it is so many times as large.
_ILL_CONDITIONED, _MUCH_WORSE = 1e3, 10.0


@dataclass(frozen=True)
class Place:
    """An objective with Jeffreys' prior in coordinates of its parameters.

    Parameters
    ----------
    coordinates : Coordinates
        The coordinates γ.
    inner : JeffreysObjective
        The objective over the rows in these coordinates.
    """

    coordinates: Coordinates
    inner: JeffreysObjective

    def to_users(self, params: Array) -> Array:
        """The user's parameters."""
        return self.coordinates.to_users(params, intercept=self.inner.rows.intercept)

    def from_users(self, params: Array) -> Array:
        """Parameters in the coordinates."""
        return self.coordinates.from_users(params, intercept=self.inner.rows.intercept)

    def over_users(self, found: Derivatives) -> Derivatives:
        """Derivatives in the coordinates as those over the user's parameters."""
        value = found.value + self.constant(len(np.atleast_2d(found.gradient)))
        hessian = self.square_over_users(found.hessian)
        return Derivatives(value, found.gradient @ self.map.T, hessian)

    def square_over_users(self, matrix: Array) -> Array:
        """``GᵀMG`` of each block."""
        P, r = self.map.shape
        K = len(matrix) // r if r else 1
        blocks = matrix.reshape(K, r, K, r)
        found = np.einsum("pr,krls,qs->kplq", self.map, blocks, self.map, optimize=True)
        square = found.reshape(K * P, K * P)
        return (square + square.T) / 2.0

    def constant(self, n_predictors: int) -> float:
        """What the objective of the user's parameters has more, by ``pdet(GᵀIG)``."""
        determined = max(n_predictors - 1, 1)
        return -self.inner.prior.dispersion / 2.0 * determined * self._log_volume

    @cached_property
    def map(self) -> Array:
        """Gᵀ, shape (P, r)."""
        P = len(self.coordinates.centre) + self.inner.rows.intercept
        return self.from_users(np.eye(P))

    @cached_property
    def _log_volume(self) -> float:
        """``log det(GGᵀ)``, with columns of unit length where G is square."""
        G = self.map.T
        if G.size == 0:
            return 0.0
        lengths = np.linalg.norm(G, axis=0)
        if G.shape[0] == G.shape[1] and lengths.all():
            return 2.0 * float(np.linalg.slogdet(G / lengths)[1] + np.log(lengths).sum())
        factor = linalg.qr(G.T, mode="r")[0][: len(G)]
        return 2.0 * float(np.log(np.abs(np.diagonal(factor))).sum())


class PenalisedByInformation(LinearPredictorObjective):
    """A loss with Jeffreys' prior, as a function of the user's parameters.

    It is computed in the first coordinates, or where the information is ill-conditioned in them, in
    those in which the information is about the identity: then rows far on the right side of a
    separation have little information beside others.

    Parameters
    ----------
    rows : Rows
        Design rows, targets and weights; columns may depend on each other.
    loss : Loss
        The pointwise loss: the kernel of a negative log-likelihood.
    prior : Prior
        The prior.
    """

    def __init__(self, rows: Rows, loss: Loss, prior: Prior) -> None:
        super().__init__(rows, loss)
        self.prior = prior

    @cached_property
    def first_place(self) -> Place:
        """Coordinates in which the columns of the design are orthonormal; two passes find them."""
        return self.place_in(orthonormal_coordinates(self.rows))

    def place_in(self, coordinates: Coordinates) -> Place:
        """The objective in some coordinates."""
        inner = JeffreysObjective(coordinates.transform(self.rows), self.loss, self.prior)
        return Place(coordinates, inner)

    def place_by_information(self, params: Array) -> Place | None:
        """Coordinates in which the information at some parameters is about the identity.

        None where it has lower rank than the design, up to rounding.
        """
        loss, weights = self.loss, self.prior.weights
        if weights is not None:
            loss = UserLoss(lambda _, eta, orders: (weights(eta)[0],) * len(orders))
        with np.errstate(all="ignore"):
            found = curvature_coordinates(LinearPredictorObjective(self.rows, loss), params)
        if found is None or found.rank < self.first_place.coordinates.rank:
            return None
        return self.place_in(found)

    def place_at(self, params: Array) -> Place:
        """The coordinates in which the objective is computed at some parameters."""
        first = self.first_place
        if first.inner.condition(first.from_users(params)) <= _ILL_CONDITIONED:
            return first
        return self.place_by_information(params) or first

    def value(self, params: Array) -> float:
        """The objective."""
        place = self.place_at(params)
        constant = place.constant(len(np.atleast_2d(params)))
        return place.inner.value(place.from_users(params)) + constant

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        place = self.place_at(params)
        found = place.inner.slope(place.from_users(params))
        constant = place.constant(len(np.atleast_2d(params)))
        return Slope(found.value + constant, found.gradient @ place.map.T)

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""
        return self.slope(params).gradient

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        place = self.place_at(params)
        return place.over_users(place.inner.derivatives(place.from_users(params)))

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian over ``params.ravel()``; with ``safe`` the information."""
        place = self.place_at(params)
        return place.square_over_users(place.inner.hessian(place.from_users(params), safe=safe))

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector; the Hessian is formed."""
        return (self.hessian(params) @ vector.ravel()).reshape(params.shape)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian, in the shape of params."""
        return np.diagonal(self.hessian(params)).reshape(params.shape)

    def over(self, rows: Rows, penalty: float) -> PenalisedByInformation:
        """The same objective over other rows."""
        return PenalisedByInformation(rows, self.loss, self.prior)


def fit_with_prior(
    objective: PenalisedByInformation, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, until ``‖gradient‖∞ ≤ tol · Σ wᵢ`` and steps are negligible.

    Parameters
    ----------
    objective : PenalisedByInformation
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters; of several classes they sum to zero.
    tol : float
        Bound of the gradient in the coordinates, relative to the total weight.
    max_iter : int
        Largest number of steps; after it, the status is NOT_CONVERGED.

    Raises
    ------
    ValueError
        Where the prior would need more memory than there is for a matrix, or the information has
        no digits at the start.
    """
    shifted_coordinates(objective)  # refuses what overflows
    size = start.size
    if not room.fits(size, size * size // 2):
        raise ValueError(
            f"Jeffreys' prior of {size} parameters forms {size**2 * size // 2:.1e} numbers. Fit "
            "fewer columns, or penalise in another way (LogisticRegression(C=…), alpha)."
        )
    bound = tol * objective.rows.total_weight
    place = objective.place_at(start)
    params = place.inner.without_shift(place.from_users(start))
    worst, count = _ILL_CONDITIONED, 0
    while True:
        begun = count
        for state in _iterates(place.inner, params, bound, max_iter, count):
            condition, count = state.direction.condition, state.count
            stuck = state.status is Status.NOT_CONVERGED and count < max_iter
            users = place.to_users(state.params)
            if condition > worst and count > begun and (stuck or state.status is None):
                worst = _MUCH_WORSE * condition
                other = objective.place_by_information(users)
                if other is not None:
                    moved = other.inner.without_shift(other.from_users(users))
                    if other.inner.condition(moved) < condition:
                        place, params, worst = other, moved, _ILL_CONDITIONED
                        break
            yield Progress(users, place.coordinates, state)
            if state.status is not None:
                return
        else:
            return


def conclude_with_prior(objective: PenalisedByInformation, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`fit_with_prior`, with its status."""
    state, first = last.iterate, objective.first_place.coordinates
    assert state is not None
    assert isinstance(state.derivatives, Derivatives)
    rank, status = first.rank, state.status or Status.NOT_CONVERGED
    columns: tuple[int, ...] = ()
    if first.inverse is not None and rank < objective.rows.n_features:
        columns = first.inverse.dependent
        if status is Status.CONVERGED:
            status = Status.RANK_DEFICIENT
    found = objective.place_in(last.coordinates).over_users(state.derivatives)
    curvature = InnerCurvature(state.derivatives.hessian, last.coordinates)
    optimum = Optimum(last.params, found.value, found.gradient, found.hessian, curvature)
    condition = state.direction.condition
    return Solution(optimum, status, "newton", state.count, rank, condition, columns)


class HeldFits(BoundsOfProfile):
    """Fits with one parameter held, whose penalty stays that of the whole model.

    This is the profile penalised likelihood of Heinze and Schemper (2002), *A solution to the
    problem of separation in logistic regression*, Statistics in Medicine 21, §2.2: a parameter that
    is left out is held at zero, and its column stays in the information.

    Parameters
    ----------
    objective : PenalisedByInformation
        The objective.
    params : ndarray of shape (P,)
        Its minimum.
    """

    def __init__(self, objective: PenalisedByInformation, params: Array) -> None:
        super().__init__(params)
        self._bound = _PRECISE * objective.rows.total_weight
        self._place = objective.place_at(params)

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        place = self._place
        first = place.from_users(self._params)
        c = place.to_users(np.eye(first.size))[:, position]
        c, value = c / np.linalg.norm(c), value / float(np.linalg.norm(c))
        free = linalg.null_space(c[np.newaxis])
        # From the minimum, or where that is too far away, with nothing but the held parameter.
        for start in (first + c * (value - float(c @ first)), c * value):
            if np.isfinite(place.inner.value(start)):
                *_, last = _iterates(place.inner, start, self._bound, _MAX_STEPS, 0, free)
                if last.status is Status.CONVERGED:
                    left = max(last.direction.decrease, 0.0) / 2.0
                    return float(last.derivatives.value - left) + place.constant(1)
        return np.nan


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _iterates(
    objective: JeffreysObjective,
    start: Array,
    bound: float,
    max_iter: int,
    count: int,
    free: Array | None = None,
) -> Iterator[NewtonIterate[Derivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    ``free``, of shape (P, m), are directions in which steps may go; None for all.
    """
    known = objective.derivatives(start)
    if not np.isfinite(known.value):
        raise ValueError(
            "the information is singular to working precision where the fit starts, so that "
            "Jeffreys' prior has no value: columns are nearly dependent, or weights of very "
            "different sizes. Drop or scale columns."
        )
    direction = _direction(objective, start, known, free)
    status = _status(known, direction, bound, free)
    current = NewtonIterate(start, known, direction, count, status)
    while True:
        if current.status is None and current.count >= max_iter:
            current = replace(current, status=Status.NOT_CONVERGED)
        yield current
        if current.status is not None:
            return
        accepted = line_search(objective.value, objective.derivatives, current)
        count = current.count + 1
        if accepted is None:
            small = _gradient(current.derivatives, free)
            stalled = replace(current, derivatives=replace(current.derivatives, gradient=small))
            current = replace(current, count=count, status=status_when_stalled(stalled, bound))
            continue
        params, known = accepted
        direction = _direction(objective, params, known, free)
        status = _status(known, direction, bound, free)
        current = NewtonIterate(params, known, direction, count, status)


def _gradient(known: Derivatives, free: Array | None) -> Array:
    return known.gradient if free is None else known.gradient @ free


def _status(
    known: Derivatives, direction: NewtonDirection, bound: float, free: Array | None
) -> Status | None:
    """CONVERGED when the gradient is small, and the step is by a definite Hessian, and short."""
    small = gradient_is_small(Slope(known.value, _gradient(known, free)), bound)
    short = direction.rank > 0 and np.sqrt(max(direction.decrease, 0.0)) <= _NEGLIGIBLE
    return Status.CONVERGED if direction.step.size == 0 or (small and short) else None


def _direction(
    objective: JeffreysObjective, params: Array, known: Derivatives, free: Array | None
) -> NewtonDirection:
    """Newton's step where the Hessian is positive definite, else that by the information.

    The second has rank 0: its end is no minimum.
    """
    if params.size == 0 or (free is not None and free.shape[1] == 0):
        return nowhere(np.zeros_like(params))
    gradient = _gradient(known, free).ravel()
    rank = gradient.size
    factor = _factor(objective, known.hessian, params, free)
    if factor is None:
        rank, factor = 0, _factor(objective, objective.information(params), params, free)
    if factor is None:
        scale = float(np.abs(known.gradient).max())
        return direction_of(params, known, -known.gradient.ravel() / max(scale, 1e-300), 0, np.inf)
    step = -factor.apply(gradient)
    if free is not None:
        step = free @ step
    return direction_of(params, known, step, rank, factor.condition)


def _factor(
    objective: JeffreysObjective, matrix: Array, params: Array, free: Array | None
) -> ScaledCholesky | None:
    curved = objective.with_shift_curvature(matrix, params.shape)
    with single_threaded_blas():
        if free is not None:
            curved = free.T @ curved @ free
        return ScaledCholesky.of(curved, np.sqrt(np.clip(np.diagonal(curved), 0.0, None)))
