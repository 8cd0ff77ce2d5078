"""Warnings that point at the user's line, whoever called the package on the way."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

__all__ = ["NonDifferentiableWarning", "warn_user"]

# Code that calls estimators and derivatives on behalf of the user: pipelines, searches, the
# decorators of fit, NumPy's dispatch.
_CALLERS = frozenset({"contextlib", "joblib", "mcmodels", "numpy", "scipy", "sklearn"})


class NonDifferentiableWarning(UserWarning):
    """A derivative was asked for at a kink, of abs or a maximum, say, where there is none."""


def warn_user(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn, and name the first line of code that is neither this package nor one of its callers.

    Parameters
    ----------
    message : str or Warning
        What to say; an instance of a warning brings its own category.
    category : type, default=UserWarning
        Class of the warning, of a message that is text.
    """
    frame: FrameType | None = sys._getframe(1)
    stacklevel = 2
    while frame is not None and _is_caller(frame) and frame.f_back is not None:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _is_caller(frame: FrameType) -> bool:
    """Whether a frame runs code of the package or of its callers; examples in docstrings do not."""
    if frame.f_code.co_filename.startswith("<doctest"):
        return False
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _CALLERS
