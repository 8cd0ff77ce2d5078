"""Warnings that point at the user's line, also when another library calls this package."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

__all__ = ["LostDigitsWarning", "NonDifferentiableWarning", "warn_user"]

# This package, and libraries that call it for the user: in pipelines, searches, the decorators of
# fit, NumPy's dispatch.
_LIBRARIES = frozenset({"contextlib", "joblib", "mcmodels", "numpy", "scipy", "sklearn"})


class LostDigitsWarning(UserWarning):
    """A value has few right digits: in its formula, terms cancel at the point given."""


class NonDifferentiableWarning(UserWarning):
    """A derivative was asked for where it does not exist: at a kink, such as that of abs."""


def warn_user(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn; the warning points at the innermost line of code that is not in a library.

    Parameters
    ----------
    message : str or Warning
        The message, or an instance of a warning, which has a category of its own.
    category : type, default=UserWarning
        Class of the warning, if ``message`` is text.
    """
    frame: FrameType | None = sys._getframe(1)
    stacklevel = 2
    while frame is not None and _is_in_library(frame) and frame.f_back is not None:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _is_in_library(frame: FrameType) -> bool:
    """Whether a frame runs code of a library; examples in docstrings are the user's code."""
    if frame.f_code.co_filename.startswith("<doctest"):
        return False
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES
