"""A penalty that a fit has chosen by a criterion: what was chosen, and what was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array, Penalty
from mcmodels.records.given_penalties import stated_in_groups
from mcmodels.reweighting.penalised_fit import Groups

__all__ = ["CRITERIA_IN_WORDS", "TunedPenalty"]

CRITERIA_IN_WORDS = {
    "loo": "approximate leave-one-out",
    "evidence": "the evidence (Laplace's marginal likelihood)",
    "aic": "AIC with effective degrees of freedom",
}
# Points of a curve.
_CURVE = 25


@dataclass(frozen=True)
class TunedPenalty:
    """A penalty, or one of each group of columns, at which a criterion is least.

    Parameters
    ----------
    criterion : {"loo", "evidence", "aic"}
        The criterion.
    names : tuple of str
        Names of the groups; empty for one penalty of all columns.
    of_column : ndarray of shape (p,)
        The group of each column.
    log_alphas : ndarray of shape (n_groups,)
        Logarithms of the penalties.
    value : float
        The criterion.
    gradient : ndarray of shape (n_groups,)
        Its derivatives by the logarithms of the penalties.
    freedom : float
        Effective degrees of freedom.
    tried : ndarray of shape (n_tried, n_groups)
        Logarithms of the penalties that were tried.
    values, freedoms : ndarray of shape (n_tried,)
        The criterion and the effective degrees of freedom there.
    """

    criterion: str
    names: tuple[str, ...]
    of_column: npt.NDArray[np.intp]
    log_alphas: Array
    value: float
    gradient: Array
    freedom: float
    tried: Array
    values: Array
    freedoms: Array

    def shown(self, values: Array) -> Any:
        """Values of the groups as a user sees them: a number, or a dict by the names of groups."""
        if not self.names:
            return float(values[0])
        return dict(zip(self.names, values.tolist(), strict=True))

    def values_of(self, name: str) -> Array:
        """The parameters C or alpha of the groups."""
        found: Array = np.exp(-self.log_alphas if name == "C" else self.log_alphas)
        return found

    def around(self, name: str, group: int) -> Array:
        """Values of the parameter of a group, three decades to both sides of the chosen one."""
        found: Array = self.values_of(name)[group] * np.logspace(-3.0, 3.0, _CURVE)
        return found

    def log_alphas_at(self, name: str, group: int, value: float) -> Array:
        """Logarithms of the penalties, with that of a group by another value of its parameter."""
        found = self.log_alphas.copy()
        found[group] = -np.log(value) if name == "C" else np.log(value)
        return found

    def penalty(self, *, intercept: bool) -> Penalty:
        """The penalty as objectives take it."""
        groups = Groups(self.of_column, len(self.log_alphas))
        return groups.penalty(np.exp(self.log_alphas), intercept=intercept)

    def path(self, name: str, sign: float) -> pd.DataFrame:
        """What was tried; ``name`` and the sign of its logarithm against that of α."""
        columns = self.names or (name,)
        found = pd.DataFrame(np.exp(sign * self.tried), columns=list(columns))
        found["criterion"], found["edf"] = self.values, self.freedoms
        return found.rename_axis("fit")

    @property
    def words(self) -> str:
        """The criterion in words."""
        return CRITERIA_IN_WORDS[self.criterion]

    def note(self, name: str) -> str:
        """What a summary says of errors: ``name`` is that of the parameter."""
        return (
            f"{name} was chosen by {self.words}: errors are those for this {name} as if it had "
            "been given, and do not know of the choice."
        )

    def in_groups(self, name: str, sign: float) -> str:
        """The penalties of the groups, for a summary."""
        return stated_in_groups(name, self.names, np.exp(sign * self.log_alphas))
