"""The difference of the sums of log scores of two models."""

from __future__ import annotations

import html
from dataclasses import dataclass

from mcmodels.inference.summary import facts_html, number

__all__ = ["LeftOutDifference"]


@dataclass(frozen=True, repr=False)
class LeftOutDifference:
    """How much larger the sum of log scores of one model is than that of another.

    Parameters
    ----------
    difference : float
        The difference of the sums; positive where the first model predicts better.
    standard_error : float
        ``√n`` times the deviation of the differences of the rows.
    n : int
        The number of rows.
    names : tuple of str
        Names of the models.
    """

    difference: float
    standard_error: float
    n: int
    names: tuple[str, str]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._facts.items())

    def _repr_html_(self) -> str:
        return facts_html(self._facts)

    @property
    def _facts(self) -> dict[str, str]:
        first, second = self.names
        which = f"{first} less {second}" if first != second else "first less second"
        return {
            f"difference of log scores ({html.escape(which)})": number(self.difference),
            "standard error": number(self.standard_error),
        }
