"""An objective over two of its parameters, the others at their best, beside its quadratic.

For values of parameters j and k the surface is ``2(min f - f̂)/c``: the minimum is over the other
parameters, f̂ the objective of the fit, and c turns its Hessian into a covariance, ``V = cH⁻¹``. So
the quadratic of the Hessian is ``dᵀ(V of j and k)⁻¹d``, and both are statistics of a hypothesis
about the two parameters: of the likelihood ratio and of Wald.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import interpolate

from mcmodels.arrays import Array
from mcmodels.objectives import Objective

__all__ = ["CurvatureSurface", "curvature_surface"]

_MOST_STEPS, _MOST_HALVINGS = 40, 30
# What Newton's method may leave, as a share of the lowest contour: less than a line is wide.
_LEFT = 1e-8


@dataclass(frozen=True, eq=False)
class CurvatureSurface:
    """A surface on a grid, and the quadratic that approximates it.

    Parameters
    ----------
    first, second : ndarray of shape (m,)
        Values of the two parameters.
    drop : ndarray of shape (m, m)
        ``2(min f - f̂)/c``; rows are values of the second. NaN where the minimum was not found.
    centre : ndarray of shape (2,)
        The parameters of the fit.
    covariance : ndarray of shape (2, 2)
        V of the two.
    """

    first: Array
    second: Array
    drop: Array
    centre: Array
    covariance: Array

    def quadratic(self) -> Array:
        """``dᵀV⁻¹d`` on the grid, shape (m, m); rows are values of the second parameter."""
        a, b = np.meshgrid(self.first - self.centre[0], self.second - self.centre[1])
        d = np.stack([a, b], axis=-1)
        return np.einsum("...i,ij,...j->...", d, np.linalg.inv(self.covariance), d)

    def is_beyond(self, level: float) -> bool:
        """Whether the surface is above a level all along the edge, as far as it is known there."""
        d = self.drop
        edge = np.concatenate([d[0], d[-1], d[:, 0], d[:, -1]])
        return bool((edge[np.isfinite(edge)] > level).all())

    def refined(self, times: int) -> CurvatureSurface:
        """The surface on a finer grid: splines through its difference from the quadratic.

        The difference is smooth, and zero where the objective is quadratic. Where the surface is
        not known everywhere, it stays as it is.
        """
        if not np.isfinite(self.drop).all():
            return self
        count = times * (self.first.size - 1) + 1
        first = np.linspace(self.first[0], self.first[-1], count)
        second = np.linspace(self.second[0], self.second[-1], count)
        spline = interpolate.RectBivariateSpline(
            self.second, self.first, self.drop - self.quadratic(), s=0
        )
        fine = replace(self, first=first, second=second)
        return replace(fine, drop=fine.quadratic() + spline(second, first))


def curvature_surface(
    objective: Objective,
    params: Array,
    hessian: Array,
    pair: tuple[int, int],
    scale: float,
    q: float,
    count: int,
) -> CurvatureSurface:
    """The surface about a minimum, by Newton's method from each point to the next.

    Parameters
    ----------
    objective : Objective
        Of parameters of shape (P,).
    params : ndarray of shape (P,)
        Its minimum.
    hessian : ndarray of shape (P, P)
        Its Hessian there; regular.
    pair : (int, int)
        Which two.
    scale : float
        c.
    q : float
        The grid reaches to ``q`` standard errors on each side.
    count : int
        Values of each parameter, odd, so that the fit is among them.
    """
    chosen = np.array(pair, dtype=np.intp)
    others = np.setdiff1d(np.arange(params.size), chosen).astype(np.intp)
    inverse: Array = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    covariance = scale * inverse[np.ix_(chosen, chosen)]
    centre = params[chosen]
    reach = q * np.sqrt(np.diagonal(covariance))
    steps = np.linspace(-1.0, 1.0, count)
    least, middle = objective.value(params), count // 2
    found: dict[tuple[int, int], tuple[Array, Array]] = {(middle, middle): (params, hessian)}
    drop = np.full((count, count), np.nan)
    drop[middle, middle] = 0.0
    order = sorted(
        ((i, j) for i in range(count) for j in range(count) if (i, j) != (middle, middle)),
        key=lambda at: abs(at[0] - middle) + abs(at[1] - middle),
    )
    for i, j in order:
        towards = (i - np.sign(i - middle), j) if i != middle else (i, j - np.sign(j - middle))
        near = found.get((int(towards[0]), int(towards[1])))
        if near is None:
            continue
        start, curvature = near
        at = start.copy()
        at[chosen] = centre + reach * [steps[j], steps[i]]
        # To first order the best others move along, exactly where the objective is quadratic.
        slope = curvature[np.ix_(others, chosen)] @ (at[chosen] - start[chosen])
        at[others] -= np.linalg.solve(curvature[np.ix_(others, others)], slope)
        minimum = _least_over(objective, at, others, _LEFT * scale)
        if minimum is not None:
            value, point, curvature = minimum
            found[i, j], drop[i, j] = (point, curvature), 2.0 * (value - least) / scale
    return CurvatureSurface(
        centre[0] + reach[0] * steps, centre[1] + reach[1] * steps, drop, centre, covariance
    )


def _least_over(
    objective: Objective, point: Array, others: npt.NDArray[np.intp], left: float
) -> tuple[float, Array, Array] | None:
    """The least value over some parameters, where it is, and the Hessian near there.

    None where it was not found.
    """
    value = objective.value(point)
    for _ in range(_MOST_STEPS):
        gradient, hessian = objective.gradient(point)[others], objective.hessian(point)
        try:
            root = np.linalg.cholesky(hessian[np.ix_(others, others)])
        except np.linalg.LinAlgError:
            return None
        half = np.linalg.solve(root, gradient)
        step, decrement = np.linalg.solve(root.T, half), float(half @ half)
        if decrement <= left:
            # What is left to gain is half of that, to second order.
            moved = point.copy()
            moved[others] -= step
            return value - decrement / 2.0, moved, hessian
        for k in range(_MOST_HALVINGS):
            moved = point.copy()
            moved[others] -= step * 0.5**k
            at_moved = objective.value(moved)
            if at_moved <= value - 0.25 * 0.5**k * decrement:  # a quarter of the promise
                break
        else:
            return None
        point, value = moved, at_moved
    return None
