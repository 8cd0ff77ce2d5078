"""Iteratively reweighted least squares: Newton, its coordinates and its diagnosis.

Newton's method does not depend on coordinates, its arithmetic does. Columns far from zero are
shifted; a design that is nearly or exactly singular and not penalised is replaced by an orthonormal
basis of its columns, in which the Hessian is as well conditioned as the weights allow and every
solution is the shortest one. With a penalty and fewer rows than columns, the coefficients lie in
the span of the rows, and an orthonormal basis of that span makes small systems of large ones:
Hastie and Tibshirani (2004), *Efficient quadratic regularization for expression arrays*,
Biostatistics 5(3), §3. More parameters than a Hessian has room for are left to conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import (
    ColumnMoments,
    Derivatives,
    RowBlock,
    Rows,
    Slope,
    TransformedRows,
    Triangle,
    single_threaded_blas,
)
from mcmodels.solvers import newton_cg, room
from mcmodels.solvers.kept_hessian import approach, passes_are_dear
from mcmodels.solvers.modified_newton import iterates_of
from mcmodels.solvers.newton import NEGLIGIBLE_STEP, Iterate
from mcmodels.solvers.overflow import refuse_overflow, refuse_underflow
from mcmodels.solvers.pseudoinverse import PseudoInverse, entry_noise, from_factor, rank_tolerance
from mcmodels.solvers.recession import curvature_is_everywhere, predictors_grow, recedes
from mcmodels.solvers.separation import curvature_has_vanished, separated
from mcmodels.solvers.solution import Solution, Status

# Share of the largest contribution to a direction that makes a column worth naming; and below which
# share of the intercept's no column is.
_NOTABLE, _NOTHING = 1e-2, 1e-6
# Mean over standard deviation from which a column is shifted: beyond, squares lose two digits.
_FAR_FROM_ZERO = 10.0
# Condition of the weighted design beyond which the normal equations lose ten digits.
_ILL_CONDITIONED = 1e5
# A step longer than this, relative to the parameters, is not the last one of a converging sequence.
_LONG_STEP = 1e-3
# Where columns lie is read off so many rows, when there are many.
_SAMPLE = 4096
# Shares of classes are estimated from so many rows.
_SHARE_SAMPLE = 2**16


@dataclass(frozen=True)
class Optimum:
    """The minimiser of an objective and its derivatives there.

    Where columns lie far from zero or close together, the Hessian in the coordinates of the fit
    keeps digits that the one over the user's parameters cannot hold.

    Parameters
    ----------
    params, gradient : ndarray of shape (P,) or (K, P)
        The parameters, and the gradient at them.
    objective : float
        The least value.
    hessian : ndarray of shape (KP, KP), or None
        Over the raveled parameters; None where there are too many of them.
    inner : InnerCurvature or None
        The Hessian in the coordinates of the fit, where they are not the user's.
    """

    params: Array
    objective: float
    gradient: Array
    hessian: Array | None
    inner: InnerCurvature | None = None


@dataclass(frozen=True)
class Coordinates:
    """Parameters θ of design rows x, and γ of ``(x - centre) root``: ``coef_θ = root coef_γ``.

    Parameters
    ----------
    centre : ndarray of shape (p,)
        Zeros where nothing is shifted.
    inverse : PseudoInverse or None
        Its root is that of the inverse scatter of the design.
    basis : ndarray of shape (p, r), or None
        A root with orthonormal columns, which span the rows about the centre.
    """

    centre: Array
    inverse: PseudoInverse | None = None
    basis: Array | None = None

    @property
    def root(self) -> Array | None:
        """The root, None for the identity."""
        return self.basis if self.inverse is None else self.inverse.root

    @property
    def are_the_users(self) -> bool:
        """Whether γ = θ."""
        return self.root is None and not self.centre.any()

    def transform(self, rows: Rows) -> Rows:
        """The rows in these coordinates."""
        if self.are_the_users:
            return rows
        transformed = TransformedRows(rows, self.centre, self.root)
        return transformed if self.basis is None else transformed.held()

    def to_users(self, params: Array, *, intercept: bool) -> Array:
        """θ from γ."""
        if self.are_the_users:
            return params
        coef = params[..., :-1] if intercept else params
        coef = coef if self.root is None else coef @ self.root.T
        if not intercept:
            return coef
        return np.concatenate([coef, params[..., -1:] - (coef @ self.centre)[..., None]], axis=-1)

    def from_users(self, params: Array, *, intercept: bool) -> Array:
        """γ from θ, without what of θ lies outside the row space."""
        if self.are_the_users:
            return params
        coef = params[..., :-1] if intercept else params
        inner = coef if self.basis is None else coef @ self.basis
        if self.inverse is not None:
            # Rows of unit length, lest columns of small scale be taken for dependent.
            scale = np.linalg.norm(self.inverse.root, axis=1)
            scale[scale == 0] = 1.0
            root = self.inverse.root / scale[:, np.newaxis]
            inner = linalg.lstsq(root, (np.atleast_2d(coef) / scale).T)[0].T
            inner = inner.reshape(*coef.shape[:-1], -1)
        if not intercept:
            return inner
        return np.concatenate([inner, params[..., -1:] + (coef @ self.centre)[..., None]], axis=-1)


@dataclass(frozen=True)
class InnerCurvature:
    """A Hessian over the raveled parameters of other coordinates.

    Parameters
    ----------
    hessian : ndarray of shape (KP, KP)
        The Hessian.
    coordinates : Coordinates
        Whose parameters it is over.
    """

    hessian: Array
    coordinates: Coordinates

    def __getstate__(self) -> tuple[Array, Array, Array | None]:
        """Half of the symmetric matrix, and what maps to the user's parameters."""
        half = self.hessian[np.tril_indices(len(self.hessian))]
        return half, self.coordinates.centre, self.coordinates.root

    def __setstate__(self, state: tuple[Array, Array, Array | None]) -> None:
        half, centre, root = state
        n = int(np.sqrt(2 * half.size))
        hessian = np.zeros((n, n))
        hessian[np.tril_indices(n)] = half
        hessian.T[np.tril_indices(n)] = half
        object.__setattr__(self, "hessian", hessian)
        object.__setattr__(self, "coordinates", Coordinates(centre, basis=root))


@dataclass(frozen=True)
class Progress:
    """Where a fit stands.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        Parameters of the user's rows.
    coordinates : Coordinates
        Those in which the fit works.
    iterate : Iterate or None
        The state of Newton's method there; None while steps are taken with a kept Hessian.
    count : int, default=0
        Those steps.
    """

    params: Array
    coordinates: Coordinates
    iterate: Iterate[Slope] | None
    count: int = 0

    @property
    def status(self) -> Status | None:
        """How the fit has ended, or None while there is more to do."""
        return None if self.iterate is None else self.iterate.status


def log_odds_start(rows: Rows, n_classes: int) -> Array:
    """Zero coefficients, and the intercepts that reproduce the share of each class in a sample.

    Shape (P,) for two classes, (n_classes, P) for more.
    """

    def summarise(block: RowBlock) -> Array:
        totals = np.bincount(block.y, weights=block.weights, minlength=n_classes)
        return totals.astype(np.float64)

    params = np.zeros((n_classes, rows.n_params))
    if rows.intercept:
        sample = rows.sample(_SHARE_SAMPLE)
        # A class without weight would start at -inf.
        share = np.maximum(sample.reduce(summarise) / sample.total_weight, 1e-9)
        params[:, -1] = np.log(share) - np.log(share).mean()
    return params if n_classes > 2 else params[1] - params[0]


def fit(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    tol: float,
    max_iter: int,
    conjugate_gradients: bool = False,
) -> Iterator[Progress]:
    """Iterates until ``‖gradient‖∞ ≤ tol · Σ wᵢ`` and the next step would be negligible.

    With many rows, steps with a kept Hessian lead to where Newton's method begins. Without a
    penalty the fit also ends, with status SEPARATED, when the classes are; with a loss of the
    user's it ends with UNBOUNDED where there is no minimum. With more parameters
    than a Hessian has room for, or when ``conjugate_gradients`` are asked for, they find the steps.
    """
    rows, intercept = objective.rows, objective.rows.intercept
    bound = tol * rows.total_weight
    coordinates = _first_coordinates(objective)
    if not conjugate_gradients:
        coordinates = _row_space(objective, coordinates.centre, start) or coordinates
    inner = _inside(objective, coordinates)
    first = coordinates.from_users(start, intercept=intercept)
    states: Iterator[Iterate[Slope]]
    if conjugate_gradients or room.too_many(first.size):
        states = newton_cg.iterates(inner, first, gradient_tolerance=bound, max_iter=max_iter)
        state = next(states)
    else:
        count, latest = 0, Progress(start, coordinates, None)
        points = approach(inner, first, gradient_tolerance=bound, max_steps=max_iter - 1)
        quadratic = isinstance(inner, UserObjective) and inner.looks_quadratic(first)
        for point in () if quadratic else points:
            if point.count > 0:
                yield latest  # the last one is what Newton's method begins with
            first, count = point.params, point.count
            params = coordinates.to_users(first, intercept=intercept)
            latest = Progress(params, coordinates, None, count)
        states = _states(inner, first, bound, max_iter, count)
        state = next(states)
        if objective.penalty == 0 and state.direction.condition > _ILL_CONDITIONED:
            params = coordinates.to_users(first, intercept=intercept)
            coordinates = _orthonormal(rows)
            inner = _inside(objective, coordinates)
            first = coordinates.from_users(params, intercept=intercept)
            states = _states(inner, first, bound, max_iter, count)
            state = next(states)
    while True:
        if state.status is None:
            state = replace(state, status=_divergence(inner, state, bound))
        params = coordinates.to_users(state.params, intercept=intercept)
        yield Progress(params, coordinates, state)
        if state.status is not None:
            return
        state = next(states)


def conclude(objective: LinearPredictorObjective, last: Progress) -> Solution[Optimum]:
    """The Solution at the last iterate, with what is wrong with it."""
    rows, coordinates = objective.rows, last.coordinates
    state = last.iterate
    if state is None:
        first = coordinates.from_users(last.params, intercept=rows.intercept)
        state = next(_states(_inside(objective, coordinates), first, 0.0, 0, last.count))
    status = state.status or Status.NOT_CONVERGED
    rank = rows.n_features
    columns: tuple[int, ...] = ()
    if coordinates.inverse is not None:
        rank, columns = coordinates.inverse.rank, coordinates.inverse.dependent
    regular = (
        passes_are_dear(rows)
        and state.direction.relative_length <= NEGLIGIBLE_STEP
        and state.direction.condition < _ILL_CONDITIONED
        and state.direction.rank == state.params.size
    )
    # Where classes are separated, margins grow with every step, steps are rarely negligible and the
    # curvature is lopsided: many rows are not read once more for a certainty.
    if isinstance(objective, UserObjective):
        inner = objective.over(coordinates.transform(rows), objective.penalty)
        lost = _falls_for_ever(inner, state, regular)
    else:
        lost = objective.penalty == 0 and not regular
        lost = lost and _is_lost(coordinates.transform(rows), state)
    if lost:
        step = coordinates.to_users(state.direction.step, intercept=rows.intercept)
        status = Status.UNBOUNDED if isinstance(objective, UserObjective) else Status.SEPARATED
        columns = _notable_columns(rows, step)
    elif status is Status.CONVERGED and rank < rows.n_features:
        status = Status.RANK_DEFICIENT
    by_hessian = isinstance(state.derivatives, Derivatives)
    return Solution(
        _optimum(objective, last.params, state.derivatives, coordinates),
        status,
        "newton" if by_hessian else "newton-cg",
        state.count,
        rank,
        state.direction.condition,
        columns,
    )


def _is_lost(inner: Rows, state: Iterate[Slope]) -> bool:
    """Whether an iterate that is not at rest is on its way to infinity."""
    if state.status is Status.SEPARATED:
        return True
    if separated(inner, state.params, state.direction.step, state.derivatives.gradient):
        return True
    singular = state.direction.rank < state.params.size
    return singular and curvature_has_vanished(inner, state.params)


def _optimum(
    objective: LinearPredictorObjective, params: Array, known: Slope, coordinates: Coordinates
) -> Optimum:
    """The derivatives at the user's parameters, the Hessian among them where it has room."""
    at_hand = isinstance(known, Derivatives) or room.too_many(params.size)
    slope = known
    if not (at_hand and coordinates.are_the_users):
        many = room.too_many(params.size)
        slope = objective.slope(params) if many else objective.derivatives(params)
    hessian = slope.hessian if isinstance(slope, Derivatives) else None
    inner = None
    # A basis of the rows leaves out directions in which there is only a penalty.
    if isinstance(known, Derivatives) and not coordinates.are_the_users:
        inner = (
            None if coordinates.basis is not None else InnerCurvature(known.hessian, coordinates)
        )
    return Optimum(params, known.value, slope.gradient, hessian, inner)


def _inside(
    objective: LinearPredictorObjective, coordinates: Coordinates
) -> LinearPredictorObjective:
    """The objective in other coordinates."""
    rows = coordinates.transform(objective.rows)
    return objective.over(rows, objective.penalty)


def _states(
    inner: LinearPredictorObjective, start: Array, bound: float, max_iter: int, count: int
) -> Iterator[Iterate[Derivatives]]:
    newton = iterates_of(inner)
    return newton(inner, start, gradient_tolerance=bound, max_iter=max_iter, count=count)


def _row_space(
    objective: LinearPredictorObjective, centre: Array, start: Array
) -> Coordinates | None:
    """An orthonormal basis of the rows about a point, where it makes penalised systems smaller.

    With an intercept the residuals sum to zero, and the gradient of the loss lies in the span of
    the centred rows; so do the coefficients, which the penalty makes a multiple of it.
    """
    rows = objective.rows
    if objective.penalty == 0 or rows.n_present >= rows.n_features:
        return None
    n_classes = len(np.atleast_2d(start))
    large = room.too_many(n_classes * (rows.n_present + 1))
    if large or not room.fits(rows.n_present, rows.n_features):
        return None
    triangle = rows.reduce(Triangle.about(np.append(centre, 0.0)))
    with single_threaded_blas():
        Q, _ = linalg.qr(triangle.Rxx.T, mode="economic", check_finite=False)
    return Coordinates(centre, basis=Q)


def _first_coordinates(objective: LinearPredictorObjective) -> Coordinates:
    """Columns that lie far from zero, shifted to their mean."""
    rows = objective.rows

    def first_two_moments(block: RowBlock) -> Array:
        total = block.X.mean(block.weights) * block.total_weight
        return np.stack([total, block.X.square_sums(block.weights)])

    sample = rows.sample(_SAMPLE) if passes_are_dear(rows) else rows
    with np.errstate(over="ignore", invalid="ignore"):
        mean, square = sample.reduce(first_two_moments) / sample.total_weight
    refuse_overflow(square)
    refuse_underflow(square)
    if not rows.intercept:
        return Coordinates(np.zeros(rows.n_features))
    far = mean**2 > _FAR_FROM_ZERO**2 * np.maximum(square - mean**2, 0.0)
    return Coordinates(np.where(far, mean, 0.0))


def _orthonormal(rows: Rows) -> Coordinates:
    """Coordinates in which the (centred) columns of the design are orthonormal."""
    moments = ColumnMoments.of(rows)
    mean = moments.mean if rows.intercept else np.zeros_like(moments.mean)
    triangle = rows.reduce(Triangle.about(mean))
    x_mean = mean[: rows.n_features]
    lengths = np.linalg.norm(triangle.Rxx, axis=0)
    inverse = from_factor(
        triangle.Rxx, lengths, rank_tolerance(rows), entry_noise(rows, lengths, x_mean)
    )
    # Unit columns would make the Hessian small with many rows, and with it the gradient.
    root = inverse.root * np.sqrt(rows.total_weight)
    return Coordinates(x_mean, replace(inverse, root=root))


def _divergence(
    objective: LinearPredictorObjective, state: Iterate[Slope], bound: float
) -> Status | None:
    """How a fit ends whose gradient is at rest, but whose steps are not; else None."""
    gradient, step = state.derivatives.gradient, state.direction.step
    at_rest = np.abs(gradient).max(initial=0.0) <= bound
    if not at_rest or state.direction.relative_length < _LONG_STEP:
        return None
    if isinstance(objective, UserObjective):
        return Status.UNBOUNDED if recedes(objective, state.params, step) else None
    if objective.penalty == 0 and separated(objective.rows, state.params, step, gradient):
        return Status.SEPARATED
    return None


def _falls_for_ever(objective: UserObjective, state: Iterate[Slope], regular: bool) -> bool:
    """Whether what passes for a minimum is a place from which predictors run on."""
    if state.status is not Status.CONVERGED:
        return state.status is Status.UNBOUNDED
    if regular and isinstance(state.derivatives, Derivatives):
        # Many rows are read once more only where some column has lost its curvature.
        sample = objective.rows.sample(_SAMPLE)
        if curvature_is_everywhere(sample, state.derivatives.hessian):
            return False
    return predictors_grow(objective.rows, state.params, state.direction.step)


def _notable_columns(rows: Rows, step: Array) -> tuple[int, ...]:
    """Columns that carry the direction, by what they contribute to the linear predictor.

    None do where the intercept carries it alone.
    """
    moments = ColumnMoments.of(rows, targets=False)
    coef = np.atleast_2d(step)[:, : rows.n_features]
    contribution = np.abs(coef).max(axis=0) * np.sqrt(moments.x_squares)
    largest = contribution.max(initial=0.0)
    if rows.intercept:
        shift = np.atleast_2d(step)[:, -1] + coef @ moments.x_mean
        if largest <= _NOTHING * np.abs(shift).max() * np.sqrt(moments.weight):
            return ()
    return tuple(int(j) for j in np.nonzero(contribution > _NOTABLE * largest)[0])
