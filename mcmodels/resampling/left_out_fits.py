"""The fits without each row or group: approximate, exact, or from the start, as each needs.

Every unit, a row or a group, has an approximate fit. Some are fitted exactly: all in small data,
else those whose correction of second order is largest, and a sample of the others, which says how
far the approximations of the rest are off.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.losses import SquaredError
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.resampling.full_refits import FullRefit, refit_in_full, refuse_many
from mcmodels.resampling.groups import positions_of
from mcmodels.resampling.measures import Measure, measure_of
from mcmodels.resampling.noise_without import (
    NO_FREEDOM,
    PERFECT_WITHOUT,
    NoiseWithout,
    has_density,
    noise_of,
)
from mcmodels.resampling.training_fit import TrainingFit
from mcmodels.reweighting.approximation import (
    Approximation,
    approximate_groups,
    approximate_rows,
    approximate_with_prior,
    row_steps,
)
from mcmodels.reweighting.refits import refit_without
from mcmodels.reweighting.row_parts import portions, taken
from mcmodels.reweighting.second_order import ThirdDerivatives
from mcmodels.reweighting.whitened_fit import GROUP, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["Judged", "LeftOutFits"]

# Operations of a refit for each row, of passes, and beside those of the products.
_PASSES, _BESIDE = 8, 60
# All units are fitted exactly where that takes no more operations: about a second.
_FEW_OPERATIONS = 1e9
# Otherwise as many as take so many, between these numbers.
_SOME_OPERATIONS, _FEWEST, _MOST = 2e9, 32, 128
# The third derivatives are summed where that takes no more operations, in so much memory.
_MOST_OF_TENSOR, _LARGEST_TENSOR = 1e11, 2**25
# Fits from the start.
_MOST_FULL_FITS = 5000
# With Jeffreys' prior all exact fits are made from the start: all, or some.
_FEW_FULL_FITS, _SOME_FULL_FITS = 100, 32


@dataclass
class Judged:
    """What is said of the rows by the fits without them.

    Parameters
    ----------
    eta : ndarray of shape (n, K)
        Linear predictors.
    log_scores : ndarray of shape (n,), or None
        Log scores of one observation; None where there are none.
    losses : ndarray of shape (n,)
        Losses of one observation.
    """

    eta: Array
    log_scores: Array | None
    losses: Array


@dataclass
class LeftOutFits:
    """Fits of a model without each unit.

    Parameters
    ----------
    training : TrainingFit
        The fit of all rows, which have the unit of each as ``extras[GROUP]``.
    codes : ndarray of shape (n,), int
        The unit of each row.
    count : int
        The number of units m.
    single : bool
        Whether each row is a unit.
    second_order : bool
        Whether the correction of second order is wanted.
    """

    training: TrainingFit
    codes: Codes
    count: int
    single: bool
    second_order: bool
    lost: Any = field(init=False)
    exact: Any = field(init=False)
    exact_steps: dict[int, Array] = field(init=False, default_factory=dict)
    no_scores: str = field(init=False, default="")
    approximation: Approximation = field(init=False)

    def __post_init__(self) -> None:
        """Approximate the fit without every unit."""
        fit, n = self.fit, len(self.codes)
        self.weights = np.ones(n) if self.training.weights is None else self.training.weights
        self.measure: Measure = measure_of(self.training)
        self.noise: NoiseWithout | None = None
        if self.measure.has_scale:
            self.noise = noise_of(self.training, self.weights, self.codes, self.count)
        self.lost = np.zeros(n, dtype=bool)
        self.is_quadratic = _is_quadratic(self.training)
        self.third = ThirdDerivatives.of(fit) if self._has_tensor else None
        near = None if self.noise is None else self.noise.near
        if self.training.prior is not None:
            self.approximation = approximate_with_prior(fit, self.training.prior)
        elif self.single:
            self.approximation = approximate_rows(fit, self.third, near)
        else:
            self.approximation = approximate_groups(fit, self.count, self.third, near)
        self.eta = self.approximation.eta.copy()
        # Without a unit of weight 0 nothing changes.
        present = self._sum(self.weights) > 0
        self.exact = ~present if not self.is_quadratic else np.ones(self.count, dtype=bool)
        undefined = np.zeros(self.count, dtype=bool)
        undefined[self.codes[~np.isfinite(self.eta).all(axis=1)]] = True
        if self.training.model._record().perfect_targets:
            self.no_scores = (
                "the fit is perfect, up to rounding errors, whose density means nothing; there are "
                "losses and predictions alone."
            )
        elif self.noise is not None and not self.noise.has_freedom:
            self.no_scores = NO_FREEDOM
        self.scale: Any = self._approximate_scale()
        self._first_scale = None if self.scale is None else self.scale.copy()
        self._fit_from_the_start(np.nonzero(undefined & present)[0])
        if self.scale is not None and not has_density(self.scale):
            self.no_scores = PERFECT_WITHOUT

    @property
    def fit(self) -> WhitenedFit:
        """The fit of all rows."""
        return self.training.fit

    @property
    def _has_tensor(self) -> bool:
        R, K, n = self.fit.basis.size, self.fit.basis.n_outputs, len(self.codes)
        work = float(n) * (K + 1) * float(R) ** 3 / 2.0
        affordable = work <= _MOST_OF_TENSOR and float(R) ** 3 / 2.0 <= _LARGEST_TENSOR
        needed = self.second_order and not self.is_quadratic and self.training.prior is None
        return needed and affordable

    @property
    def are_few(self) -> bool:
        """Whether all units can be fitted exactly in little time."""
        if self.training.prior is not None:
            return self.count <= _FEW_FULL_FITS
        return self.count * self._operations <= _FEW_OPERATIONS

    @property
    def some(self) -> int:
        """How many units are fitted exactly where not all are."""
        if self.training.prior is not None:
            return _SOME_FULL_FITS
        return int(np.clip(_SOME_OPERATIONS / self._operations, _FEWEST, _MOST))

    @property
    def _operations(self) -> float:
        basis = self.fit.basis
        each = 4.0 * basis.size * basis.n_outputs + _BESIDE * basis.n_outputs
        return _PASSES * len(self.codes) * each

    @functools.cached_property
    def approximate(self) -> Judged:
        """What is said of the rows by the approximate fits."""
        return self._judge(self.approximation.eta, self._first_scale)

    def judged(self) -> Judged:
        """What is said of the rows by the best fits that are known."""
        found = self._judge(self.eta, self.scale)
        off, on = self.measure.on_bound(self.training.y, self.eta, self.approximation.fitted)
        self.lost |= off & (self.weights > 0)
        found.losses[on] = 0.0
        if found.log_scores is not None:
            found.log_scores[on] = 0.0
        if self.lost.any():
            found.losses[self.lost] = np.inf
            if found.log_scores is not None:
                found.log_scores[self.lost] = -np.inf
        return found

    def fit_exactly(self, units: Codes) -> None:
        """Fit without each of some units, by steps from the fit of all rows or from the start."""
        units = units[~self.exact[units]]
        if units.size == 0:
            return
        if self.training.prior is not None:
            self._fit_from_the_start(units)
            return
        start = None
        if self.approximation.steps is not None:
            start = self.approximation.steps[units]
        elif self.single and units.size == self.count:
            start = row_steps(self.fit, self.third)
        found = refit_without(self.fit, units, start=start)
        done = units[found.converged]
        U = found.U[found.converged]
        self._take(done, U)
        self._fit_from_the_start(units[~found.converged])

    def indicators(self) -> Array:
        """For each unit the size that the error of its approximate score may have, up to a factor.

        With the correction of second order it is that, and a term of third order; else a term of
        second order.
        """
        a, weights = self.approximation, self.measure.times(self.training.y, self.weights)
        lengths = a.lengths[self.codes]
        change = np.abs(a.eta - a.fitted).max(axis=1)
        with np.errstate(invalid="ignore"):
            losses, y = self.approximate.losses, self.training.y
            size = np.abs(losses - self.measure.losses(y, a.first))
            steep = np.abs(losses - self.measure.losses(y, a.fitted))
        steep = np.where(change > 0, steep / np.where(change > 0, change, 1.0), 0.0)
        further = steep * a.reach * lengths ** (3 if self.third is not None else 2)
        size = further if self.third is None else size + further
        found = self._sum(np.nan_to_num(weights * size, nan=0.0, posinf=0.0))
        return found + 1e-3 * found.mean() + np.finfo(np.float64).tiny

    def errors(self, units: Codes) -> Array:
        """Exact less approximate sums of log scores of some units that were fitted exactly."""
        return (self.sums(self.judged()) - self.sums(self.approximate))[units]

    def sums(self, judged: Judged) -> Array:
        """The sum of the log scores of each unit; of minus the losses where there are none."""
        scores = judged.log_scores if judged.log_scores is not None else -judged.losses
        times = self.measure.times(self.training.y, self.weights)
        with np.errstate(invalid="ignore"):
            return self._sum(np.where(times > 0, times * scores, 0.0))

    def steps(self) -> Array:
        """The steps to the fits without each unit, shape (m, R); NaN where there is none."""
        found = self.approximation.steps
        steps = row_steps(self.fit, self.third) if found is None else found.copy()
        for unit, step in self.exact_steps.items():
            steps[unit] = step
        return steps

    def _judge(self, eta: Array, scale: Any) -> Judged:
        y, measure, scores = self.training.y, self.measure, None
        with np.errstate(invalid="ignore", divide="ignore"):
            losses = measure.losses(y, eta)
            if not self.no_scores and not (self.noise is not None and scale is None):
                of_rows = None if scale is None else scale[self.codes]
                scores = measure.log_scores(y, eta, self.weights, of_rows, losses)
            return Judged(eta, scores, losses)

    def _approximate_scale(self) -> Any:
        if self.noise is None or self.no_scores:
            return None
        a = self.approximation
        return self.noise.approximate(a.fitted, a.eta, a.change_of_sum)

    def _take(self, units: Codes, U: Array) -> None:
        """Publish the exact fits without some units."""
        if units.size == 0:
            return
        place = np.full(self.count, -1)
        place[units] = np.arange(units.size)

        def of_block(block: RowBlock) -> list[tuple[Codes, Array]]:
            at = place[block.extras[GROUP]]
            rows = np.nonzero(at >= 0)[0]
            eta = block.linear_predictor(self.fit.params).reshape(-1, self.fit.basis.n_outputs)
            found = eta[rows]
            for part in portions(len(rows), U.shape[1] * eta.shape[1]):
                Z = self.fit.basis.rows_of(taken(block, rows[part]))
                found[part] += np.einsum("ikr,ir->ik", Z, U[at[rows[part]]])
            return [(rows + block.start, found)]

        for rows, eta in self.fit.rows.reduce(of_block):
            self.eta[rows] = eta
        self.exact[units] = True
        self.exact_steps.update(zip(units.tolist(), U, strict=True))
        if self.noise is not None and self.scale is not None:
            better = self.noise.exact(units, U)
            if better is not None:
                self.scale[units] = better

    def _fit_from_the_start(self, units: Codes) -> None:
        if units.size == 0:
            return
        refuse_many(units.size, _MOST_FULL_FITS, "leave_one_out")
        for unit, out in zip(units.tolist(), positions_of(units, self.codes), strict=True):
            found = refit_in_full(self.training, out)
            self.eta[out] = found.eta
            self.lost[out] = found.lost & (self.weights[out] > 0)
            self.exact[unit] = True
            self.exact_steps[unit] = self._step_to(found)
            if self.noise is not None and self.scale is not None and found.model is not None:
                self.scale[unit] = self.noise.of_refit(found.model)

    def _step_to(self, found: FullRefit) -> Array:
        """The step to a fit from the start; NaN where it has no minimum, or other coordinates."""
        basis, nowhere = self.fit.basis, np.full(self.fit.basis.size, np.nan)
        if found.model is None or found.lost.any():
            return nowhere
        here = np.atleast_2d(self.fit.params)
        change = np.atleast_2d(np.asarray(found.model._record().params)) - here
        if basis.intercept:  # that of the intercept becomes that at the centre
            change[:, -1] += change[:, :-1] @ basis.centre
        root = basis.root.reshape(-1, basis.size)
        step: Array = np.asarray(np.linalg.lstsq(root, change.ravel())[0])
        left = root @ step - change.ravel()
        is_there = np.abs(left).max(initial=0.0) <= 1e-6 * np.abs(change).max(initial=0.0)
        return step if is_there else nowhere

    def _sum(self, values: Array) -> Array:
        return np.asarray(np.bincount(self.codes, values, minlength=self.count), np.float64)


def _is_quadratic(training: TrainingFit) -> bool:
    """Whether the loss is known to be quadratic, so that one step is exact."""
    fit, loss = training.fit, training.fit.loss
    if isinstance(loss, SquaredError):
        return True
    if not isinstance(loss, UserLoss):
        return False
    of_family = getattr(training.model._record(), "loss", None)
    if isinstance(of_family, FamilyLoss):
        return of_family.family.name == "normal" and of_family.link.name == "identity"
    return _has_constant_curvature(fit, loss)


def _has_constant_curvature(fit: WhitenedFit, loss: UserLoss) -> bool:
    """Whether ℓ″ is the same number in all rows, and about them as far as a step may reach."""

    def reach(block: RowBlock) -> Array:
        Z, slope = (
            fit.basis.rows_of(block),
            loss.gradient(block.y, block.linear_predictor(fit.params)),
        )
        lengths = np.sqrt(np.einsum("ikr,ikr->i", Z, Z))
        return np.array([[lengths.max(), np.abs(slope * weights_of(block)).max()]])

    found = fit.rows.reduce(lambda block: [reach(block)])
    far, steep = np.concatenate(found).max(axis=0)
    largest = 4.0 * far * far * steep

    def seen(block: RowBlock) -> list[tuple[float, float]]:
        eta = block.linear_predictor(fit.params)
        curvatures = [
            loss.curvature_product(block.y, eta + share * largest, np.ones_like(eta))
            for share in (-1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0)
        ]
        return [(min(c.min() for c in curvatures), max(c.max() for c in curvatures))]

    least, most = zip(*fit.rows.reduce(seen), strict=True)
    return bool(max(most) - min(least) <= 1e-12 * abs(max(most)))
