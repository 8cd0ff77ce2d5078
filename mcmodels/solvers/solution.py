"""What every solver returns: one frozen Solution."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Status(StrEnum):
    """How a solver ended."""

    CONVERGED = "converged"
    RANK_DEFICIENT = "rank deficient"
    NOT_CONVERGED = "not converged"
    STOPPED_EARLY = "stopped early"
    SEPARATED = "separated"
    UNBOUNDED = "no minimum"


@dataclass(frozen=True)
class Solution(Generic[Value]):
    """Result of a solver.

    Parameters
    ----------
    value : Value
        What was computed; its type is the solver's own.
    status : Status
        How the solver ended.
    method : str
        The algorithm that produced the value.
    iterations : int
        Steps taken after the first solve.
    rank : int
        Numerical rank of the system.
    condition : float
        Estimated 2-norm condition number of the system with columns of unit length; it tells how
        many digits are lost. ``inf`` when the system is singular.
    columns : tuple of int
        Columns that cause a status other than CONVERGED; else empty.
    constant : tuple of int
        Those among them that repeat the intercept.
    nearly_separated : bool
        Whether a fit that has not converged finds classes separated along the columns, but for
        rounding errors of these.
    """

    value: Value
    status: Status
    method: str
    iterations: int
    rank: int
    condition: float
    columns: tuple[int, ...] = ()
    constant: tuple[int, ...] = ()
    nearly_separated: bool = False
