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
from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective, Loss
from mcmodels.objectives.jeffreys import JeffreysObjective, Prior
from mcmodels.rows import Derivatives, Rows, Slope, single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import (
    Coordinates,
    InnerCurvature,
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


class PenalisedByInformation(LinearPredictorObjective):
    """A loss with Jeffreys' prior, as a function of the user's parameters.

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
    def coordinates(self) -> Coordinates:
        """Those in which the columns of the design are orthonormal; found in two passes."""
        return orthonormal_coordinates(self.rows)

    @cached_property
    def inner(self) -> JeffreysObjective:
        """The same objective, up to a constant, in these coordinates."""
        return JeffreysObjective(self.coordinates.transform(self.rows), self.loss, self.prior)

    def to_users(self, params: Array) -> Array:
        """The user's parameters."""
        return self.coordinates.to_users(params, intercept=self.rows.intercept)

    def from_users(self, params: Array) -> Array:
        """Parameters in the coordinates."""
        return self.coordinates.from_users(params, intercept=self.rows.intercept)

    def value(self, params: Array) -> float:
        """The objective."""
        return self.inner.value(self.from_users(params)) + self._constant(params)

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        found = self.inner.slope(self.from_users(params))
        value = found.value + self._constant(params)
        return Slope(value, found.gradient @ self._map.T)

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""
        return self.slope(params).gradient

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        return self.over_users(self.inner.derivatives(self.from_users(params)))

    def over_users(self, found: Derivatives) -> Derivatives:
        """Derivatives in the coordinates as those over the user's parameters."""
        gradient = found.gradient @ self._map.T
        value = found.value + self._constant(gradient)
        return Derivatives(value, gradient, self._square_over_users(found.hessian))

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian over ``params.ravel()``; with ``safe`` the information."""
        return self._square_over_users(self.inner.hessian(self.from_users(params), safe=safe))

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector; the Hessian is formed."""
        return (self.hessian(params) @ vector.ravel()).reshape(params.shape)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian, in the shape of params."""
        return np.diagonal(self.hessian(params)).reshape(params.shape)

    def log_prior(self, params: Array) -> float:
        """Half of the logarithm of the (pseudo-)determinant of the information."""
        inner = self.inner.log_prior(self.from_users(params))
        return inner - self._constant(params) / self.prior.dispersion

    def over(self, rows: Rows, penalty: float) -> PenalisedByInformation:
        """The same objective over other rows."""
        return PenalisedByInformation(rows, self.loss, self.prior)

    @cached_property
    def _map(self) -> Array:
        """Gᵀ, shape (P, r)."""
        return self.from_users(np.eye(self.rows.n_params))

    @cached_property
    def _log_volume(self) -> float:
        """``log det(GGᵀ)``, with columns of unit length where G is square."""
        G = self._map.T
        if G.size == 0:
            return 0.0
        lengths = np.linalg.norm(G, axis=0)
        if G.shape[0] == G.shape[1] and lengths.all():
            return 2.0 * float(np.linalg.slogdet(G / lengths)[1] + np.log(lengths).sum())
        factor = linalg.qr(G.T, mode="r")[0][: len(G)]
        return 2.0 * float(np.log(np.abs(np.diagonal(factor))).sum())

    def _constant(self, params: Array) -> float:
        """What the objective of the user's parameters has more, by ``pdet(GᵀIG)``."""
        determined = max(len(np.atleast_2d(params)) - 1, 1)
        return -self.prior.dispersion / 2.0 * determined * self._log_volume

    def _square_over_users(self, matrix: Array) -> Array:
        P, r = self._map.shape
        K = len(matrix) // r if r else 1
        blocks = matrix.reshape(K, r, K, r)
        found = np.einsum("pr,krls,qs->kplq", self._map, blocks, self._map, optimize=True)
        square = found.reshape(K * P, K * P)
        return (square + square.T) / 2.0


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
    first = objective.inner.without_shift(objective.from_users(start))
    for state in _iterates(objective.inner, first, bound, max_iter):
        yield Progress(objective.to_users(state.params), objective.coordinates, state)


def conclude_with_prior(objective: PenalisedByInformation, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`fit_with_prior`, with its status."""
    state, coordinates = last.iterate, objective.coordinates
    assert state is not None
    assert isinstance(state.derivatives, Derivatives)
    rank, status = coordinates.rank, state.status or Status.NOT_CONVERGED
    columns: tuple[int, ...] = ()
    if coordinates.inverse is not None and rank < objective.rows.n_features:
        columns = coordinates.inverse.dependent
        if status is Status.CONVERGED:
            status = Status.RANK_DEFICIENT
    found = objective.over_users(state.derivatives)
    curvature = InnerCurvature(state.derivatives.hessian, coordinates)
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
        self._objective = objective

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        objective = self._objective
        first = objective.from_users(self._params)
        c = objective.to_users(np.eye(first.size))[:, position]
        move = c * (value - float(c @ first)) / float(c @ c)
        free = linalg.null_space(c[np.newaxis])
        bound = _PRECISE * objective.rows.total_weight
        # From the minimum, or where that is too far away, with nothing but the held parameter.
        for start in (first + move, c * value / float(c @ c)):
            if np.isfinite(objective.inner.value(start)):
                *_, last = _iterates(objective.inner, start, bound, _MAX_STEPS, free)
                if last.status is Status.CONVERGED:
                    reached = last.derivatives.value - last.direction.decrease / 2.0
                    return float(reached) + objective.value(self._params) - self._inner_minimum
        return np.nan

    @cached_property
    def _inner_minimum(self) -> float:
        return self._objective.inner.value(self._objective.from_users(self._params))


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _iterates(
    objective: JeffreysObjective,
    start: Array,
    bound: float,
    max_iter: int,
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
    current = NewtonIterate(start, known, direction, 0, _status(known, direction, bound, free))
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
