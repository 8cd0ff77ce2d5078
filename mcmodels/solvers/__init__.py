"""How it is minimised: one algorithm a file, each returning one frozen Solution."""

from mcmodels.solvers.solution import Solution, Status

__all__ = ["Solution", "Status"]
