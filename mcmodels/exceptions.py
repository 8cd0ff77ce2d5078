"""Warnings, one class for each way in which a fit can mean less than it seems to, and an error."""

from __future__ import annotations

import sklearn.exceptions

__all__ = [
    "ConstantTargetWarning",
    "ConvergenceWarning",
    "FitWarning",
    "InferenceError",
    "LeverageWarning",
    "NonDifferentiableWarning",
    "RankDeficiencyWarning",
    "SeparationWarning",
]


class FitWarning(UserWarning):
    """A fit that is finite and usable, but cannot mean what it seems to; parent of the others."""


class RankDeficiencyWarning(FitWarning):
    """Columns are linearly dependent: the parameters are one choice among many."""


class ConstantTargetWarning(FitWarning):
    """A target takes a single value: there is nothing to explain."""


class SeparationWarning(FitWarning):
    """Classes are separated: the likelihood has no maximum, and coefficients no finite value."""


class ConvergenceWarning(FitWarning, sklearn.exceptions.ConvergenceWarning):
    """The solver stopped before its tolerance was met."""


class LeverageWarning(FitWarning):
    """Rows that each determine a parameter alone: without them the fit is not defined."""


class InferenceError(ValueError):
    """What was asked for is not determined by the fit: the message says why, and what to do."""


class NonDifferentiableWarning(UserWarning):
    """A derivative was asked for at a kink (of abs, relu, a norm, a maximum), where there is none."""
