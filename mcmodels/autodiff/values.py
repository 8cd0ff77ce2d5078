"""The value of a function as its derivatives see it: sums of exponentials do not overflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.tracing import DerivativeRule, Tracer, constant

__all__ = ["traced_value"]


class _Values(Tracer):
    """No derivative: values are followed for what `rules.exponentials` recognises."""

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> TracedArray:
        """Y, with nothing beside it."""
        return TracedArray(y, self)


def traced_value(f: Callable[[Any], Any], x: Any) -> Any:
    """``f(x)``, computed with the forms that a derivative of f is computed with.

    Parameters
    ----------
    f : callable
        NumPy code of one array.
    x : ndarray
        Its argument.

    Returns
    -------
    ndarray or number
    """
    return constant(f(TracedArray(x, _Values())))
