"""Warnings, one class for each way in which a fit can mean less than it seems to, and an error."""

from __future__ import annotations

import sklearn.exceptions

from mcmodels.user_warnings import NonDifferentiableWarning

__all__ = [
    "ConstantTargetWarning",
    "ConvergenceWarning",
    "FitWarning",
    "InferenceError",
    "LeverageWarning",
    "NoMinimumWarning",
    "NonConvexLossWarning",
    "NonDifferentiableWarning",
    "NonSmoothLossWarning",
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


class NoMinimumWarning(FitWarning):
    """A loss falls for ever along a direction: the objective has no minimum."""


class NonConvexLossWarning(FitWarning):
    """A loss curves down somewhere: there may be other minima than the one that was found."""


class NonSmoothLossWarning(FitWarning):
    """A loss or its derivative jumps: Newton's method and the curvature mean little there."""


class ConvergenceWarning(FitWarning, sklearn.exceptions.ConvergenceWarning):
    """The solver stopped before its tolerance was met."""


class LeverageWarning(FitWarning):
    """Rows that each determine a parameter alone: without them the fit is not defined."""


class InferenceError(ValueError, AttributeError):
    """What was asked for is not determined by the fit: the message says why, and what to do.

    An AttributeError as well, as scikit-learn's NotFittedError is: many things that a fit says are
    attributes, and one that is not there must not stop ``dir``, tab completion or a notebook.
    """
