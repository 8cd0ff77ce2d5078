"""The error of this package, and a class of warnings for each problem that a fit can have."""

from __future__ import annotations

import numpy as np
import sklearn.exceptions

from mcmodels.user_warnings import LostDigitsWarning, NonDifferentiableWarning

__all__ = [
    "BaselineTestWarning",
    "ConstantTargetWarning",
    "ConvergenceWarning",
    "DependentTermWarning",
    "FewCurvedRowsWarning",
    "FewRowsWarning",
    "FitWarning",
    "FlatObjectiveWarning",
    "IndefiniteCovarianceWarning",
    "InferenceError",
    "LeftOutWarning",
    "LeverageWarning",
    "LostDigitsWarning",
    "NoMeanWarning",
    "NoMinimumWarning",
    "NonConvexLossWarning",
    "NonDifferentiableWarning",
    "NonSmoothLossWarning",
    "NotEstimableWarning",
    "PenaltyBoundWarning",
    "PerfectFitWarning",
    "RankDeficiencyWarning",
    "RechunkWarning",
    "ScaleWarning",
    "SecondOrderWarning",
    "SeparationWarning",
    "example_of",
]


# Longer values are cut in messages.
_LONGEST_EXAMPLE = 60


def example_of(value: object) -> str:
    """A value that a user has passed, for a message: on one line, cut where it is long."""
    try:
        text = repr(value.item() if isinstance(value, np.number | np.bool_ | np.str_) else value)
    except Exception:  # whatever a foreign object raises; so does an integer of 5000 digits
        text = f"a value of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[: _LONGEST_EXAMPLE - 1]}…"


class FitWarning(UserWarning):
    """The fit is finite and usable, but has a problem; base class of the other warnings."""


class RankDeficiencyWarning(FitWarning):
    """Columns are linearly dependent: the parameters are not unique."""


class NotEstimableWarning(FitWarning):
    """Predictions at some rows are not the same in all fits that are best: these have no errors."""


class ConstantTargetWarning(FitWarning):
    """A target takes a single value: the features have nothing to explain."""


class ScaleWarning(FitWarning):
    """Columns or targets are of a size for which the fit does not suit: they should be scaled."""


class NonConvexLossWarning(FitWarning):
    """The loss is not convex: the objective may have other, lower minima."""


class NonSmoothLossWarning(FitWarning):
    """The loss or its derivative jumps: Newton's method and the Hessian are unreliable there."""


class ConvergenceWarning(FitWarning, sklearn.exceptions.ConvergenceWarning):
    """The solver stopped before its tolerance was met."""


class SeparationWarning(ConvergenceWarning):
    """Classes are separated: the likelihood has no maximum at finite coefficients."""


class NoMinimumWarning(ConvergenceWarning):
    """The objective keeps decreasing along a direction: it has no minimum."""


class NoMeanWarning(UserWarning):
    """A linear predictor is outside the domain of the link: the row has no mean of the family."""


class FlatObjectiveWarning(FitWarning):
    """The Hessian is zero along a direction in which predictions change."""


class IndefiniteCovarianceWarning(FitWarning):
    """A robust covariance gives parameters no positive variance.

    Negative eigenvalues of two-way clusters are set to zero; what then has no variance is NaN.
    """


class FewCurvedRowsWarning(FitWarning):
    """The curvature of a loss lies in few rows: covariances that use it are unreliable."""


class PerfectFitWarning(FitWarning):
    """The residuals are rounding errors: standard errors, tests and intervals mean nothing."""


class PenaltyBoundWarning(FitWarning):
    """The best penalty is at a bound of the range that is searched: none, or nearly infinite."""


class LeverageWarning(FitWarning):
    """Some rows have leverage one: without such a row the parameters are not determined."""


class SecondOrderWarning(UserWarning):
    """The second term of an expansion is larger than the first: the expansion does not hold."""


class LeftOutWarning(UserWarning):
    """A fit without some rows has no optimum: in its limit it gives them a probability of zero."""


class BaselineTestWarning(UserWarning):
    """Tests of type 3 are of effects at the baseline of another factor: coding decides them."""


class DependentTermWarning(UserWarning):
    """Terms depend on those that they are tested beside: they add nothing, and have no test."""


class FewRowsWarning(UserWarning):
    """Too few rows for a level: intervals have infinite ends, sets hold every class."""


class RechunkWarning(UserWarning):
    """Chunks of a Dask array are joined in each pass over it; the message says what it costs."""


class InferenceError(ValueError, AttributeError):
    """The fit does not determine the result that was asked for; the message says what to do.

    It is also an AttributeError, like scikit-learn's NotFittedError. Many results are attributes,
    and an attribute that is not available must not stop ``dir``, tab completion or a notebook.
    """
