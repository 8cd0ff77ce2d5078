"""The minimum of F with one set of weights by Newton's method, for sets that change it much.

Each step solves with the Hessian at the point, and is halved until F decreases enough; near the
minimum, where rounding hides the decrease, full steps are taken as long as they become shorter.
Source: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., algorithm 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.inference.robust import Totals
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["damped_newton"]

_MOST_STEPS, _MOST_HALVINGS = 100, 40
# Steps are shares of a standard error: up to the first the minimum is found, up to the second full
# steps converge quadratically, and differences of F are rounding errors.
_NEGLIGIBLE, _SHORT = 1e-10, 1e-5
_SUFFICIENT_DECREASE = 1e-4


def damped_newton(fit: WhitenedFit, weights: Callable[[RowBlock], Array]) -> Array | None:
    """Where F is least with some weights; None where no minimum is found.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows.
    weights : callable
        Takes a block; returns the weights v of its rows.
    """
    u = np.zeros(fit.basis.size)
    value, gradient, hessian = _at(fit, weights, u)
    for _ in range(_MOST_STEPS):
        try:
            step = -linalg.solve(hessian, gradient, assume_a="pos", check_finite=False)
        except linalg.LinAlgError:
            return None
        length, slope, share = float(np.linalg.norm(step)), float(gradient @ step), 1.0
        if not np.isfinite(length):
            return None
        if length <= _NEGLIGIBLE:
            return u + step
        for _ in range(_MOST_HALVINGS):
            new, new_gradient, new_hessian = _at(fit, weights, u + share * step)
            if length <= _SHORT or new <= value + _SUFFICIENT_DECREASE * share * slope:
                break
            share /= 2.0
        else:
            return None
        u, value, gradient, hessian = u + share * step, new, new_gradient, new_hessian
    return None


def _at(
    fit: WhitenedFit, weights: Callable[[RowBlock], Array], u: Array
) -> tuple[float, Array, Array]:
    """F less F of the fit, its gradient and its Hessian.

    Of several classes the Hessian of the fit has curvature in directions that change nothing, which
    it keeps: ``I + Σ (v L(u) - w L(0))``.
    """
    changed = replace(fit, params=fit.params + _change(fit, u))

    def summarise(block: RowBlock) -> Totals:
        v, w = weights(block), weights_of(block)
        before, now = fit.terms(block), changed.terms(block)
        present = w > 0
        ratio = np.where(present, v, 0.0) / np.where(present, w, 1.0)
        value = v @ (_values(changed, block) - _values(fit, block))
        gradient = np.einsum("ikr,ik->r", now.Z, now.slope * ratio[:, np.newaxis])
        curvature = now.curvature * ratio[:, np.newaxis, np.newaxis] - before.curvature
        hessian = np.einsum("ikr,ikj,ijs->rs", now.Z, curvature, now.Z, optimize=True)
        return Totals([np.array([value]), gradient, hessian])

    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient, hessian = fit.rows.reduce(summarise)
    penalty = fit.quadratic @ u
    total = float(value[0]) + float(fit.linear @ u) + float(u @ penalty) / 2.0
    return total, gradient + fit.linear + penalty, hessian + np.eye(len(u))


def _values(fit: WhitenedFit, block: RowBlock) -> Array:
    return fit.loss.value(block.y, block.linear_predictor(fit.params))


def _change(fit: WhitenedFit, u: Array) -> Array:
    return fit.basis.parameters(u[:, np.newaxis])[0].reshape(fit.params.shape)
