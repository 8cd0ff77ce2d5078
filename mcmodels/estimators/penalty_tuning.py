"""Fits whose penalty is chosen by a criterion: the search, its errors and its warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.penalty_groups import NamedGroups
from mcmodels.exceptions import ConvergenceWarning, PenaltyBoundWarning
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.records.curvature import CurvatureFit
from mcmodels.records.given_penalties import GivenPenalties
from mcmodels.records.tuned_penalty import CRITERIA_IN_WORDS, TunedPenalty
from mcmodels.reweighting.criteria import CRITERIA
from mcmodels.reweighting.penalised_fit import Values
from mcmodels.reweighting.penalty_search import NoCriterionError, NoLowerBoundError, PenaltySearch
from mcmodels.solvers import room
from mcmodels.solvers.fit_state import Progress
from mcmodels.user_warnings import warn_user

__all__ = ["GivenPenalty", "PenaltyTuning"]

Record = TypeVar("Record", bound=CurvatureFit)


@dataclass(frozen=True)
class GivenPenalty:
    """The fit of an estimator whose penalty is given.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    states : callable
        Yields the states of the fit.
    given : GivenPenalties, default=None
        The penalties of groups of columns; None for one of all.
    """

    objective: Any
    states: Callable[[], Iterator[Progress]]
    given: GivenPenalties | None = None

    def steps(self) -> Iterator[Progress]:
        """The states of the fit."""
        return self.states()

    def described(self, record: Record) -> Record:
        """The record, with the penalties of groups."""
        if self.given is None:
            return record
        penalty = self.given.penalty(intercept=record.intercept)
        return replace(record, penalty=penalty, given=self.given)

    def warn(self) -> None:
        """Nothing: the user has chosen."""


class PenaltyTuning:
    """The fits of an estimator at penalties that a search tries.

    Parameters
    ----------
    argument : {"C", "alpha"}
        The parameter of the estimator.
    criterion : str
        The criterion that it names.
    named : NamedGroups
        Which columns share a penalty.
    objective : LinearPredictorObjective
        Rows and loss; its penalty does not matter.
    values : callable
        The loss of each row, with constants.
    dispersion : float or None
        φ; None where it is estimated.
    weighting : Weighting
        What the weights are.
    start, steps : callable
        Those of :class:`mcmodels.reweighting.penalty_search.PenaltySearch`.
    tol, max_iter
        Those of the estimator.
    """

    def __init__(
        self,
        argument: str,
        criterion: str,
        named: NamedGroups,
        objective: LinearPredictorObjective,
        *,
        values: Values,
        dispersion: float | None,
        weighting: Weighting,
        start: Callable[[Any], Array],
        steps: Callable[[Any, Array], Iterator[Progress]],
        tol: float,
        max_iter: int,
    ) -> None:
        # A str of NumPy would be shown as np.str_('aic').
        self.argument, self.criterion, self.named = argument, str(criterion), named
        rows = objective.rows
        if criterion != "loo":
            instead = f"Take {argument}='loo', or give {argument} a number."
            weighting.refuse_without_likelihood(f"{argument}={criterion!r}", instead)
        count = weighting.count_in_likelihood(rows.total_weight, rows.n_present)
        self.search = PenaltySearch(
            objective,
            CRITERIA[criterion](values, dispersion, count),
            named.groups,
            start,
            steps,
            tol,
            max_iter,
        )

    def steps(self) -> Iterator[Progress]:
        """The states of all fits; the last one is at the chosen penalties.

        Raises
        ------
        ValueError
            If there are too many parameters for a Hessian, or the criterion is no number or has no
            lower bound.
        """
        rows = self.search.objective.rows
        try:
            yield from self.search.run()
        except NoLowerBoundError:
            raise ValueError(
                f"{self.argument}={self.criterion!r} has no lower bound: these columns fit the "
                "targets perfectly, and with an estimated dispersion the logarithm of their "
                f"residuals falls for ever. Take {self.argument}='loo', or give dispersion a "
                "number."
            ) from None
        except NoCriterionError:
            stated = f"{self.argument}={self.criterion!r}"
            if not self.search.tried and room.too_many(rows.n_features):
                raise ValueError(
                    f"{stated} needs the Hessian, which is not formed for more than "
                    f"{room.LARGEST_SIDE} parameters. Give {self.argument} a number, or take "
                    "fewer columns."
                ) from None
            raise ValueError(
                f"{stated}: at no penalty that was tried {CRITERIA_IN_WORDS[self.criterion]} was a "
                "number: the fits did not converge, leaving a row out leads outside the means of "
                "the family, or no residuals are left. Give "
                f"{self.argument} a number, raise max_iter, or choose a link whose means have no "
                "bounds."
            ) from None

    @property
    def objective(self) -> Any:
        """What the last fit has minimised."""
        return self.search.current

    @property
    def result(self) -> TunedPenalty:
        """What was chosen; of a search that was stopped, the last that was tried."""
        search = self.search
        tried = search.tried
        best = search.best
        at = search.current_log_alphas if best is None else best.log_alphas
        nothing = np.full(len(at), np.nan)
        return TunedPenalty(
            self.criterion,
            self.named.names,
            self.named.groups.of_column,
            at,
            np.nan if best is None else best.evaluation.value,
            nothing if best is None else best.evaluation.gradient,
            np.nan if best is None else best.freedom,
            np.array([point.log_alphas for point in tried]).reshape(len(tried), len(at)),
            np.array([point.evaluation.value for point in tried]),
            np.array([point.freedom for point in tried]),
        )

    def described(self, record: Record) -> Record:
        """The record, with the penalty and how it was chosen."""
        tuned = self.result
        penalty = tuned.penalty(intercept=record.intercept)
        return replace(record, penalty=penalty, tuned=tuned)

    @property
    def _remedy(self) -> str:
        """What helps where a search does not end."""
        if self.named.groups.count > 1:
            return "Take fewer groups, or leave out columns that separate the classes."
        return (
            "It may be no number at other values nearby (criterion_path_): look at "
            f"criterion_curve, take another criterion, or give {self.argument} a number."
        )

    def warn(self) -> None:
        """Warn of penalties at a bound of what is searched, and of a search that did not end."""
        if self.search.best is None:
            return
        if not self.search.has_converged:
            warn_user(
                f"the search for {self.argument} stopped after {len(self.search.tried)} fits, "
                f"before {CRITERIA_IN_WORDS[self.criterion]} was stationary "
                f"(criterion_gradient_). {self._remedy}",
                ConvergenceWarning,
            )
        values = self.result.values_of(self.argument)
        at_bound, stated = self.search.at_bound, f"{self.argument}={self.criterion!r}"
        for side, weak in ((1.0, False), (-1.0, True)):
            groups = np.flatnonzero(at_bound == side)
            if groups.size == 0:
                continue
            value = float(values[groups[0]])
            names = self.named.names
            which = f" of {listed(repr(names[k]) for k in groups)}" if names else ""
            said = (
                "a penalty only makes it worse: fit without one "
                f"({'C=np.inf' if self.argument == 'C' else 'alpha=0'})"
                if weak
                else "nothing that these columns predict outweighs what their noise costs: their "
                "coefficients are nearly zero, and they may be left out"
            )
            warn_user(
                f"{stated}{which} ended at the bound {self.argument}={value:.3g} of what is "
                f"searched: by {CRITERIA_IN_WORDS[self.criterion]}, {said}.",
                PenaltyBoundWarning,
            )
