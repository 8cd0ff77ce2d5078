"""Penalties that were given, one for each group of columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Penalty
from mcmodels.inference.summary import number, short
from mcmodels.reweighting.penalised_fit import Groups

__all__ = ["GivenPenalties", "stated_in_groups"]

# Groups that a summary shows.
_SHOWN = 6


@dataclass(frozen=True)
class GivenPenalties:
    """A penalty for each group of columns, as the user gave it.

    Parameters
    ----------
    names : tuple of str
        Names of the groups.
    of_column : ndarray of shape (p,)
        The group of each column.
    values : ndarray of shape (n_groups,)
        The parameters of the estimator: C or alpha.
    alphas : ndarray of shape (n_groups,)
        α of each group: alpha, or 1/C.
    """

    names: tuple[str, ...]
    of_column: npt.NDArray[np.intp]
    values: Array
    alphas: Array

    @property
    def shown(self) -> dict[str, float]:
        """The parameters by the names of the groups."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def penalty(self, *, intercept: bool) -> Penalty:
        """The penalty as objectives take it: a number where there is one group."""
        groups = Groups(self.of_column, len(self.names))
        return groups.penalty(self.alphas, intercept=intercept)


def stated_in_groups(parameter: str, names: tuple[str, ...], values: Array) -> str:
    """The parameters of groups, for a summary."""
    pairs = zip(names[:_SHOWN], values, strict=False)
    shown = ", ".join(f"{short(group)} {number(value)}" for group, value in pairs)
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{parameter} by group: {shown}{more}"
