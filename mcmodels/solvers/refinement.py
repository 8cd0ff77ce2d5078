"""Iterative refinement of a least-squares solution, by residuals in one precision or in two.

The normal equations are solved for the correction only. Their right-hand side is formed from the
residuals of the present solution. Each step multiplies the error by about ε times the condition of
the factor. With residuals in twice the working precision, a few steps reach full float64 accuracy;
with residuals in working precision, one step restores the digits that were lost in forming normal
equations of moderate condition. Sources: Björck (1996), *Numerical Methods for Least Squares
Problems*, §6.6.5 (corrected seminormal equations); Demmel, Hida, Riedy and Li (2009),
*Extra-precise iterative refinement for overdetermined least squares problems*, ACM TOMS 35(4), §3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from mcmodels.arrays import Array
from mcmodels.rows import FactoredMoments, Moments, RowBlock, Rows
from mcmodels.rows.blocks import product
from mcmodels.solvers import compiled_residuals
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import MOST_SLICES, ResidualSums, SlicedColumns

# Largest number of corrections: with one correct digit at the start, each step gains at least a
# digit or stops.
MAX_STEPS = 12
# Products of residuals with columns are added for so many rows at a time: fewer roundings follow
# each other than in one long sum. With few columns a run is longer, because a product of fewer
# entries takes less time than its call.
_RUN_OF_ROWS, _RUN_OF_ENTRIES = 256, 2**14
# The unit roundoff of float64: a correction below it changes nothing.
_UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True)
class ResidualsAt:
    """Sums of the residuals r of all rows at some coefficients, about their mean r̄.

    Parameters
    ----------
    gradient : ndarray of shape (p, m)
        ``Σ wᵢ (xᵢ - x̄) (rᵢ - r̄)ᵀ``.
    mean : DoubleDouble of shape (m,)
        r̄: the rounding error of the means, which matters to the intercept.
    scatter : ndarray of shape (m, m)
        ``Σ wᵢ (rᵢ - r̄) (rᵢ - r̄)ᵀ``.
    x_error : ndarray of shape (p,)
        The mean of the columns minus x̄: the rounding error of x̄. A change δ of the coefficients
        changes r̄ by ``-x_errorᵀδ``.
    """

    gradient: Array
    mean: DoubleDouble
    scatter: Array
    x_error: Array

    def after(self, correction: Array, steps: int, coef: DoubleDouble) -> Refined:
        """What is known after a correction (p, m), without another pass."""
        mean = self.mean + -DoubleDouble.of(self.x_error @ correction)
        return Refined(coef, mean, self.scatter - self.gradient.T @ correction, steps)


Residuals = Callable[[DoubleDouble], ResidualsAt]


@dataclass(frozen=True)
class Stop:
    """When corrections end: where the error that one leaves is small enough.

    Parameters
    ----------
    goal : float
        The largest error, relative to ``sizes``.
    sizes : ndarray of shape (p, m) or (p + 1, m)
        Sizes of the coefficients, and of the intercept if there is one.
    x_mean : ndarray of shape (p,)
        x̄: a correction δ changes the intercept by ``-x̄ᵀδ``.
    contraction : float
        The share of an error that a correction leaves, as far as it is known before.
    digits_lost : int
        Digits that the squares of the residuals may lose because they are not summed once more.
    first_rounding : float, default=0
        The error that the first correction leaves because its residuals are rounded more.
    """

    goal: float
    sizes: Array
    x_mean: Array
    contraction: float
    digits_lost: int
    first_rounding: float = 0.0

    def after(self, correction: Array, observed: float, rounding: float = 0.0) -> bool:
        """Whether to stop after a correction, of residuals that leave an error of this rounding.

        The last two corrections had sizes of the ratio ``observed``.
        """
        if len(self.sizes) > len(correction):
            correction = np.vstack([correction, self.x_mean @ correction])
        changed = correction != 0
        with np.errstate(divide="ignore"):
            largest = np.max(np.abs(correction[changed]) / self.sizes[changed], initial=0.0)
        return float(largest) * max(self.contraction, observed) + rounding <= self.goal


@dataclass(frozen=True)
class Refined:
    """The refined solution, and the sums of its residuals.

    Parameters
    ----------
    coef : DoubleDouble of shape (p, m)
        The refined solution, or the last one before the corrections stopped shrinking.
    mean_residual : DoubleDouble of shape (m,)
        Weighted mean of the residuals: the rounding error of the means.
    residual_scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ`` about that mean.
    steps : int
        Corrections applied.
    """

    coef: DoubleDouble
    mean_residual: DoubleDouble
    residual_scatter: Array
    steps: int


def refine(
    residuals: Residuals,
    coef: Array,
    solve: Callable[[Array], Array],
    scale: Array,
    stop: Stop | None = None,
    max_steps: int = MAX_STEPS,
    first: Residuals | None = None,
) -> Refined:
    """Refine ``coef`` towards the exact minimiser of ``Σ wᵢ ‖(yᵢ - ȳ) - (xᵢ - x̄)ᵀβ‖²``.

    Parameters
    ----------
    residuals : callable
        The sums of the residuals at some coefficients.
    coef : ndarray of shape (p, m)
        A solution with at least one correct digit.
    solve : callable
        ``s -> Sxx⁻¹ s`` approximately, for s of shape (p, m) and the scatter Sxx about x̄.
    scale : ndarray of shape (p,)
        Lengths of the columns about x̄, in which corrections are compared.
    stop : Stop, default=None
        When corrections end. Without it, they end when they change nothing.
    max_steps : int, default=MAX_STEPS
        Largest number of corrections.
    first : callable, default=None
        Residuals for the first correction, where the next one mends their rounding errors.

    Returns
    -------
    Refined
    """
    current = DoubleDouble.of(coef)
    previous_size = np.inf
    step = 0
    while True:
        at = (residuals if first is None or step > 0 else first)(current)
        reached = Refined(current, at.mean, at.scatter, step)
        correction = solve(at.gradient)
        size = _relative_size(correction, current.hi, scale)
        # The first correction may leave a larger error than it mends: it mends the directions in
        # which columns are long, and its rounding errors are in those in which they are short.
        if not np.isfinite(size) or (step > 1 and not size < previous_size / 2):
            return reached
        current = current + DoubleDouble.of(correction)
        step += 1
        if stop is None:
            ended = size <= _UNIT_ROUNDOFF
        else:
            rounding = stop.first_rounding if step == 1 else 0.0
            small = stop.after(correction, size / previous_size, rounding)
            left = at.scatter - at.gradient.T @ correction
            ended = small and _is_known_after(at.scatter, left, stop.digits_lost)
        if ended or step == max_steps:
            return at.after(correction, step, current)
        previous_size = size


def exact_residuals(
    rows: Rows,
    moments: Moments | FactoredMoments,
    lengths: Array | None = None,
    n_slices: int = MOST_SLICES,
) -> Residuals:
    """Sums of residuals in about twice the working precision.

    Parameters
    ----------
    rows : Rows
        Rows with p features, targets (n, m) and weights.
    moments : Moments or FactoredMoments
        Their moments about the mean; about zero without an intercept.
    lengths : ndarray of shape (p,), default=None
        Lengths of the columns. They bound the entries, which are searched without them.
    n_slices : int, default=MOST_SLICES
        Slices of X, of which each gives six digits and takes time. The compiled loop, which takes
        less, always gives all digits.
    """
    p, origin, offset = moments.n_features, moments.origin, moments.offset
    away = offset[:p, np.newaxis]
    y_mean = DoubleDouble.of(origin[p:]) + DoubleDouble.of(offset[p:])
    bounds = None
    if lengths is not None and n_slices < MOST_SLICES:
        # No entry is longer than its column.
        bounds = np.hypot(lengths, np.sqrt(rows.total_weight) * away[:, 0])

    kernel = compiled_residuals.kernel_for(rows)

    def at(coef: DoubleDouble) -> ResidualsAt:
        constant = y_mean + -coef.times(away).sum(axis=0)

        def sums_of(block: RowBlock) -> ResidualSums:
            if kernel is not None and compiled_residuals.takes(block):
                at = coef, origin[:p], constant
                return compiled_residuals.residual_sums(kernel, block, *at)
            return ResidualSums.of_block(block, coef, origin[:p], constant, n_slices, bounds)

        sums = rows.reduce(sums_of)
        mean = sums.totals.times(np.array(1.0 / rows.total_weight))
        gradient, scatter = sums.products + -sums.totals[np.newaxis].times(away), sums.scatter
        x_error = np.zeros(p)
        if rows.intercept:
            # Where x̄ is not exactly the mean, Σ wᵢ (xᵢ - x̄) is not zero. It is small, but matters
            # where columns are nearly dependent.
            weight = np.array(rows.total_weight)
            about_mean = sums.columns + -DoubleDouble.of(away[:, 0]).times(weight)
            x_error = about_mean.hi / rows.total_weight
            gradient = gradient + -about_mean[:, np.newaxis].times(mean)
            scatter = scatter - np.outer(sums.totals.hi, mean.hi)
        return ResidualsAt(gradient.hi, mean, scatter, x_error)

    return at


def working_residuals(rows: Rows, moments: Moments | FactoredMoments) -> Residuals:
    """Sums of residuals in working precision, at the cost of two matrix-vector products."""
    p, origin, offset = moments.n_features, moments.origin, moments.offset
    run = run_of_rows(p)

    def at(coef: DoubleDouble) -> ResidualsAt:
        beta = np.ascontiguousarray(coef.hi.T)
        constant = offset[p:] - beta @ offset[:p]

        def sums(block: RowBlock) -> Array:
            X = block.X.centred(origin[:p])
            residual = (block.y - origin[p:]) - X.predictor(beta) - constant
            weighted = block.weighted(residual)
            total = weighted.sum(axis=0)
            gradient = -np.outer(total, offset[:p])
            step = X.n_rows if sparse.issparse(X.X) else run
            for start in range(0, X.n_rows, step):
                part = slice(start, start + step)
                gradient += product(X.X[part].T, weighted[part]).T
            return np.concatenate([gradient, residual.T @ weighted, total[:, np.newaxis]], axis=1)

        found = rows.reduce(sums).T
        mean = DoubleDouble.of(found[-1] / rows.total_weight)
        return ResidualsAt(found[:p], mean, found[p:-1], np.zeros(p))

    return at


def run_of_rows(n_features: int) -> int:
    """Rows whose products with residuals are added one after another in working precision."""
    return max(_RUN_OF_ROWS, _RUN_OF_ENTRIES // max(n_features, 1))


def whitened_scatter(
    rows: Rows, root: Array, origin: Array, offset: Array, *, extra_precise: bool
) -> Array | None:
    """L with ``LLᵀ = BᵀSB``, which is near the identity when ``BBᵀ ≈ S⁻¹``: it corrects B.

    ``B L⁻ᵀ`` is a root of S⁻¹ as accurate as the rows ``Bᵀ(xᵢ - x̄)``: their error is ε times the
    condition number of the columns, or ε when they are formed in twice the working precision.

    Parameters
    ----------
    rows : Rows
        Rows with p features and weights.
    root : ndarray of shape (p, p)
        B.
    origin, offset : ndarray of shape (p,)
        A point near x̄, and its difference from it; zeros without an intercept.
    extra_precise : bool
        Whether to form the rows in twice the working precision.

    Returns
    -------
    ndarray of shape (p, p), or None when BᵀSB is not positive definite
    """
    B = DoubleDouble.of(root)
    constant = B.times(offset[:, np.newaxis]).sum(axis=0)

    def summarise(block: RowBlock) -> Array:
        if extra_precise:
            X, scratch = block.X.dense(), block.X.scratch
            image = SlicedColumns.of(X, origin, MOST_SLICES, scratch).times(B)
            Z = (image + -constant[:, np.newaxis]).hi.T
        else:
            Z = product(block.X.dense() - origin - offset, root)
        Z = np.column_stack([Z, np.ones(len(Z))])
        if block.weights is not None:
            Z *= np.sqrt(block.weights)[:, np.newaxis]
        return product(Z.T, Z)

    sums = rows.reduce(summarise)
    scatter, total = sums[:-1, :-1], sums[:-1, -1]
    if rows.intercept:  # the rounding error of the mean
        scatter = scatter - np.outer(total, total) / rows.total_weight
    L, info = linalg.lapack.dpotrf(scatter, lower=1, clean=1)
    return L if info == 0 else None


def _is_known_after(scatter: Array, left: Array, digits_lost: int) -> bool:
    """Whether what a correction has left of a scatter has lost no more than some digits."""
    before, after = np.diagonal(scatter), np.diagonal(left)
    return bool((after >= 0.5 * 10.0**-digits_lost * before).all())


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))
