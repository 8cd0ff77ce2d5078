"""Methods that only some parameters of an estimator allow; else the AttributeError says why."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any


def unless(reason: Callable[[Any], str | None]) -> Callable[[Callable[..., Any]], Any]:
    """A method that is missing where ``reason(estimator)`` is a text.

    Scikit-learn's ``available_if`` says no more than that the attribute is missing.

    Parameters
    ----------
    reason : callable
        Why an estimator lacks the method, as the end of a sentence that begins with its name; or
        None.
    """
    return lambda method: _ConditionalMethod(method, reason)


class _ConditionalMethod:
    def __init__(self, method: Callable[..., Any], reason: Callable[[Any], str | None]) -> None:
        self.__doc__ = method.__doc__
        self.method, self.reason = method, reason

    def __get__(self, estimator: Any, owner: type) -> Any:
        if estimator is None:
            return self.method
        reason = self.reason(estimator)
        if reason is not None:
            name = self.method.__name__
            raise AttributeError(f"{name} {reason}", name=name, obj=estimator)
        return MethodType(self.method, estimator)
