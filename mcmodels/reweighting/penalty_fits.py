"""Fits at the penalties of a search, each from the minimum that an earlier fit predicts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.reweighting.criteria import Criterion, LeaveOneOut
from mcmodels.reweighting.penalised_fit import Groups, PenalisedFit
from mcmodels.reweighting.penalty_models import Tried
from mcmodels.rows import Derivatives, single_threaded_blas
from mcmodels.solvers import irls
from mcmodels.solvers.fit_state import Placed, Progress
from mcmodels.solvers.solution import Status

__all__ = ["Fitting", "PenaltyFits", "Point", "end_of"]

# What a fit hands on: its states, and in the end its point.
Fitting = Generator[Progress, None, "Point | None"]
Start = Callable[[LinearPredictorObjective], Array]
Steps = Callable[[LinearPredictorObjective, Array], Iterator[Progress]]


@dataclass(frozen=True)
class Point(Tried):
    """A point with its fit."""

    fit: PenalisedFit
    last: Progress


@dataclass
class PenaltyFits:
    """Fits at penalties, and the criterion there.

    Parameters
    ----------
    objective : LinearPredictorObjective
        Rows and loss; its penalty does not matter.
    criterion : Criterion
        What is minimised.
    groups : Groups
        Which penalty each column has.
    start : callable
        The start of a fit of an objective without an earlier fit.
    steps : callable
        ``steps(objective, start)`` yields the states of a fit.
    tol, max_iter
        Those of the fits.

    Attributes
    ----------
    tried : list of Tried
        The points, in the order in which they were tried.
    n_params : int
        Number of parameters of all outputs.
    lowest, highest : ndarray of shape (n_groups,)
        Bounds of the logarithms of the penalties.
    has_converged : bool
        Whether the search ended where the derivatives are zero, or at bounds.
    best : Tried or None
        Where the criterion is least; None before the search has ended.
    current : LinearPredictorObjective
        What the last fit minimised.
    current_log_alphas : ndarray of shape (n_groups,)
        Its penalties.
    """

    objective: LinearPredictorObjective
    criterion: Criterion
    groups: Groups
    start: Start
    steps: Steps
    tol: float
    max_iter: int
    tried: list[Tried] = field(default_factory=list)
    lowest: Array = field(init=False)
    highest: Array = field(init=False)
    n_params: int = field(init=False)
    has_converged: bool = True
    best: Point | None = None
    current: LinearPredictorObjective = field(init=False)
    current_log_alphas: Array = field(init=False)

    def along(self, points: list[Array]) -> list[Tried | None]:
        """The criterion at given penalties, one after the other; None where it is no number."""
        start, last = self.start(self._with_penalty(1.0)), None
        found: list[Tried | None] = []
        for log_alphas in points:
            fitting = self._fitted(start, log_alphas)
            if last is not None:
                fitting = self._refitted(last, log_alphas)
            point = end_of(fitting)
            last = point or last
            found.append(point)
        return found

    def _unit(self, point: Tried) -> float:
        """A nat in units of the criterion: φ for sums of losses, where there is one."""
        if not isinstance(self.criterion, LeaveOneOut):
            return 1.0
        if self.criterion.dispersion is not None:
            return self.criterion.dispersion
        return 2.0 * point.evaluation.value / self.criterion.n_observations

    def _near(self, known: Point, log_alpha: float) -> Fitting:
        """A fit with one penalty from another fit."""
        return (yield from self._refitted(known, np.array([log_alpha])))

    def _with_penalty(self, alphas: Array | float) -> LinearPredictorObjective:
        intercept = self.objective.rows.intercept
        penalty: Penalty = (
            alphas
            if isinstance(alphas, float)
            else self.groups.penalty(alphas, intercept=intercept)
        )
        return self.objective.over(self.objective.rows, penalty)

    def _now_at(self, log_alphas: Array) -> LinearPredictorObjective:
        self.current_log_alphas = log_alphas
        self.current = self._with_penalty(np.exp(log_alphas))
        return self.current

    def _fitted(self, start: Array, log_alphas: Array) -> Fitting:
        """A fit from a start, as other fits are made."""
        objective = self._now_at(log_alphas)
        last: Progress | None = None
        for last in self.steps(objective, start):
            if last.status is None:
                yield last
        return self._point(objective, log_alphas, last)

    def _refitted(self, before: Point, log_alphas: Array) -> Fitting:
        """A fit from the minimum that another fit predicts."""
        objective, fit, alphas = self._now_at(log_alphas), before.fit, np.exp(log_alphas)
        with single_threaded_blas():
            predicted = fit.predicted(alphas)
        change = fit.diagonal_of(alphas) - fit.penalised
        with np.errstate(over="ignore", invalid="ignore"):  # then the last minimum is the start
            here = fit.value + float(change @ fit.params.ravel() ** 2) / 2.0
        if not Placed(objective, before.last.coordinates).inner.value(predicted) < here:
            predicted = fit.params
        hessian = fit.hessian.copy()
        np.einsum("ii->i", hessian)[:] += change
        states = irls.refit(
            objective,
            before.last.coordinates,
            predicted,
            hessian,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        last: Progress | None = None
        for last in states:
            if last.status is None:
                yield last
        if last is None or last.status is not Status.CONVERGED:
            return (yield from self._fitted(self.start(objective), log_alphas))
        return self._point(objective, log_alphas, last)

    def _point(
        self, objective: LinearPredictorObjective, log_alphas: Array, last: Progress | None
    ) -> Point | None:
        """The criterion at the end of a fit; None where it is no number."""
        if last is None or last.status is not Status.CONVERGED:
            return None
        if last.iterate is None or not isinstance(last.iterate.derivatives, Derivatives):
            return None
        fit = PenalisedFit.of(objective, self.groups, last)
        with single_threaded_blas():
            if not fit.is_definite:
                return None
            evaluation, freedom = self.criterion.at(fit), fit.loss_freedom
        self.tried.append(Tried(log_alphas, evaluation, freedom))
        if not evaluation.is_finite:
            return None
        return Point(log_alphas, evaluation, freedom, fit, last)


def end_of(fitting: Fitting) -> Point | None:
    """What a fit hands on in the end."""
    while True:
        try:
            next(fitting)
        except StopIteration as end:
            point: Point | None = end.value
            return point
