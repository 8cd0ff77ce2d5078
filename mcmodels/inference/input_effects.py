"""Averages of predictions, of their slopes and elasticities, with Jacobians by the parameters.

A row has the design row ``x̃ = T(x)``, which steps have made of the inputs x, and the prediction
``p(η)`` with ``η = x̃ᵀθ`` (one η a class or target). Along an input v the design moves by
``d = ∂T/∂v``, so that

- the slope is ``sₖ = Σ_l ∂pₖ/∂η_l dᵀθ_l``, with the derivative
  ``(Σ_l ∂²pₖ/∂η_l∂η_m dᵀθ_l) x̃ + ∂pₖ/∂η_m d`` by θ_m;
- the elasticity ``∂ log pₖ/∂ log v`` is ``v sₖ/pₖ``;
- a comparison is a difference of predictions, whose derivative by θ_m is a difference of
  ``∂pₖ/∂η_m x̃``.

Their averages have standard errors by the delta method: Greene (2018), *Econometric Analysis*,
8th ed., §17.2.4–17.2.5. The inputs are taken as given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.differences import difference_with_error
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.responses import Response
from mcmodels.inference.row_vectors import RowVectors

__all__ = [
    "GroupSums",
    "RowFunctions",
    "differences_along",
    "elasticities",
    "one_sided_along",
    "predictions",
    "slopes",
    "step_sizes",
]

# Steps for differences are no smaller than this part of the spread of the input: near zero they
# would have no digits.
_LEAST_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class RowFunctions:
    """Functions of the parameters, K in each row.

    The derivative of function k by θ_m is ``Σ cₖₘ u`` over the parts (c, u), so that sums over rows
    are products of matrices.

    Parameters
    ----------
    values : ndarray of shape (b, K)
        The functions.
    parts : tuple of (ndarray of shape (b, K, K), RowVectors of shape (b, P))
        Coefficients c and vectors u.
    """

    values: Array
    parts: tuple[tuple[Array, RowVectors], ...]

    def __sub__(self, other: RowFunctions) -> RowFunctions:
        subtracted = tuple((-c, u) for c, u in other.parts)
        return RowFunctions(self.values - other.values, self.parts + subtracted)

    def determined(self, space: EstimableSpace) -> npt.NDArray[np.bool_]:
        """Which of the functions the data determine to first order, shape (b, K)."""
        of_one = replace(space, n_outputs=1, through=None)
        found = np.ones(self.values.shape, dtype=bool)
        parts = [(c, u.dense(len(found))) for c, u in self.parts]
        for _, u in parts:
            found &= of_one.are_estimable(u)[:, np.newaxis]
        rows = np.flatnonzero(~found[:, 0])  # a difference may be, where what it is of is not
        for k in range(self.values.shape[1] if rows.size else 0):
            slopes = sum(np.einsum("bl,bp->blp", c[rows, k], u[rows]) for c, u in parts)
            found[rows, k] = space.are_estimable(np.reshape(slopes, (len(rows), -1)))
        return found

    def summed(self, groups: npt.NDArray[np.intp], weights: Array, n_groups: int) -> GroupSums:
        """Weighted sums over the rows of each group; ``groups`` has the group of each row."""
        K, P = self.values.shape[1], self.parts[0][1].size
        sums = GroupSums(np.zeros((n_groups, K)), np.zeros((n_groups, K, K, P)), np.zeros(n_groups))
        for group, rows in _rows_of_groups(groups, weights > 0):
            w = weights[rows]
            sums.weights[group] = w.sum()
            sums.values[group] = w @ self.values[rows]
            for c, u in self.parts:
                weighted = (c[rows] * w[:, np.newaxis, np.newaxis]).reshape(len(w), -1)
                sums.jacobians[group] += u.summed(weighted, rows).reshape(K, K, P)
        return sums


@dataclass(eq=False)
class GroupSums:
    """Weighted sums of functions over groups of rows; ``+=`` adds others in place.

    Parameters
    ----------
    values : ndarray of shape (G, K)
        Sums of the functions.
    jacobians : ndarray of shape (G, K, K, P)
        Sums of their derivatives by the parameters.
    weights : ndarray of shape (G,)
        Sums of the weights.
    """

    values: Array
    jacobians: Array
    weights: Array

    def __iadd__(self, other: GroupSums) -> Self:
        self.values += other.values
        self.jacobians += other.jacobians
        self.weights += other.weights
        return self

    def averages(self) -> tuple[Array, Array]:
        """Averages of each group, shape (G, K), and their Jacobians, shape (G, K, K·P)."""
        w = self.weights
        K = self.values.shape[1]
        jacobians = self.jacobians / w[:, np.newaxis, np.newaxis, np.newaxis]
        return self.values / w[:, np.newaxis], jacobians.reshape(len(w), K, -1)


def predictions(
    response: Response, params: Array, X: RowVectors, offset: Array | None = None
) -> RowFunctions:
    """``p(η)`` of design rows X, shape (b, P), the column of the intercept included."""
    eta = _linear_predictor(response, params, X, offset)
    return RowFunctions(response.values(eta), ((response.slopes(eta), X),))


def slopes(
    response: Response, params: Array, X: RowVectors, D: RowVectors, offset: Array | None = None
) -> RowFunctions:
    """Slopes of the predictions of design rows X that move by D; both of shape (b, P)."""
    eta = _linear_predictor(response, params, X, offset)
    along = D.times(np.atleast_2d(params))
    moved = np.broadcast_to(along, (len(eta), along.shape[1]))
    first = response.slopes(eta)
    second = [np.einsum("blm,bl->bm", of, moved) for of in response.curvatures(eta)]
    values = np.einsum("bkl,bl->bk", first, moved)
    return RowFunctions(values, ((np.stack(second, axis=1), X), (first, D)))


def elasticities(at: Array, slope: RowFunctions, prediction: RowFunctions) -> RowFunctions:
    """``v s/p`` where the input v has the values ``at``, shape (b,).

    Raises
    ------
    InferenceError
        If a prediction is not above zero: its logarithm is not defined.
    """
    p = prediction.values
    if not (p > 0).all():
        raise InferenceError(
            f"an elasticity is a slope of logarithms, and a prediction is {p.min():g}; take "
            "measure='slope'."
        )
    by_slope = at[:, np.newaxis] / p
    by_prediction = -by_slope * slope.values / p
    parts = [(c * by_slope[..., np.newaxis], u) for c, u in slope.parts]
    parts += [(c * by_prediction[..., np.newaxis], u) for c, u in prediction.parts]
    return RowFunctions(by_slope * slope.values, tuple(parts))


def step_sizes(values: Array) -> Array:
    """Lengths in which an input is changed for differences, one a row.

    They are the size of the value, which keeps positive inputs positive, but neither more than the
    spread of all values nor near zero.
    """
    known = values[np.isfinite(values)]
    spread = float(known.std()) if known.size else 0.0
    if not spread > 0:
        spread = float(np.abs(known).max()) if known.any() else 1.0
    return np.clip(np.abs(values), _LEAST_STEP * spread, spread)


def differences_along(move: Callable[[Array], Array], sizes: Array) -> Array:
    """Derivative of ``move(s)`` at s = 0, row by row, by extrapolated central differences.

    Parameters
    ----------
    move : callable
        Takes the step of each row, shape (b,); returns an array of shape (b, q) whose rows depend
        on their own step only; NaN where it is not defined.
    sizes : ndarray of shape (b,)
        Lengths over which each row is smooth.

    Returns
    -------
    ndarray of shape (b, q)
        NaN where differences do not converge, as at a jump.
    """
    found, error = difference_with_error(lambda t: move(t * sizes))
    found[_is_lost(found, error, move(0.0 * sizes))] = np.nan
    return found / sizes[:, np.newaxis]


# Of one-sided differences: the step, as a share of the length over which a row is smooth, and the
# weights of 0 to 4 steps. Errors are of the fourth power of the step, and eps over the step.
_STEPS = (2.0**-10, 2.0**-20)  # the second where there are corners within the first
_ONE_SIDED = np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12.0
# Differences across a jump J are J over the step, and so is their error: far above both of these.
# That of a smooth function is far below one of them, also if it is computed in single precision.
_LOST_SHARE = 0.1  # of the derivative
_LOST_SIZE = 1e-3  # of the values of the column
_LOST_NOISE = 1e-10  # of all values: a column may be zero but for rounding


def one_sided_along(move: Callable[[Array], Array], sizes: Array) -> Array:
    """As :func:`differences_along`, by values on the side that the signs of the sizes say.

    Source: Fornberg (1988), *Generation of finite difference formulas on arbitrarily spaced grids*,
    Mathematics of Computation 51(184), table 3.
    """
    here = move(0.0 * sizes)

    def quotient(step: float) -> Array:
        values = [here, *(move(k * step * sizes) for k in range(1, len(_ONE_SIDED)))]
        return np.asarray(sum(map(np.multiply, _ONE_SIDED, values)) / step)

    found = np.full(here.shape, np.nan)
    for step in _STEPS:
        lost = ~np.isfinite(found)
        if lost.any():
            tried = quotient(step)
            tried[_is_lost(tried, np.abs(quotient(step / 2) - tried), here)] = np.nan
            found[lost] = tried[lost]
    return found / sizes[:, np.newaxis]


def _is_lost(derivative: Array, error: Array, values: Array) -> npt.NDArray[np.bool_]:
    """Where the error of a derivative is large beside it, and beside the values of its column."""
    size = np.nan_to_num(np.abs(values), posinf=0.0)
    least = np.maximum(_LOST_SIZE * size.max(axis=0), _LOST_NOISE * size.max(initial=0.0))
    with np.errstate(invalid="ignore"):
        return (error > _LOST_SHARE * np.abs(derivative)) & (error > least)


def _rows_of_groups(
    groups: npt.NDArray[np.intp], present: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, Any]]:
    """Each group of rows that are present, and where they are."""
    if present.all() and not groups.any():
        if len(groups):
            yield 0, slice(None)
        return
    rows = np.flatnonzero(present)
    rows = rows[np.argsort(groups[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(groups[rows])) + 1
    for part in np.split(rows, ends):
        if part.size:
            yield int(groups[part[0]]), part


def _linear_predictor(
    response: Response, params: Array, X: RowVectors, offset: Array | None
) -> Any:
    eta = X.times(params)
    if offset is not None:
        eta = eta + offset
    response.refuse_outside(eta)
    return eta
