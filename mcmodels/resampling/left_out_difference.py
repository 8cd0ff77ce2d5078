"""The difference of the sums of log scores of two models."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.inference.summary import facts_html, number

__all__ = ["LeftOutDifference", "refuse_other_rows"]


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


def refuse_other_rows(first: Any, second: Any) -> None:
    """Raise if two results of ``leave_one_out`` have other rows, or scores of another kind."""
    what = ""
    if not np.array_equal(np.ravel(first.y), np.ravel(second.y)):
        what = "their targets differ"
    elif not (first.index is None or second.index is None or first.index.equals(second.index)):
        what = "their indexes differ"
    elif not np.array_equal(first.weights, second.weights):
        what = "their weights differ"
    elif not np.array_equal(first.codes, second.codes):
        what = "their groups differ"
    if what:
        raise ValueError(
            f"the two results are not of the same rows: {what}. Leave out the same rows of "
            "both models, in the same order."
        )
    if first.kind != second.kind:
        raise ValueError(
            f"the log scores of {first.model_name} are of the kind {first.kind!r} and those of "
            f"{second.model_name} of the kind {second.kind!r}, whose difference means nothing. "
            "Compare predictions: score('neg_mean_squared_error') of both."
        )
