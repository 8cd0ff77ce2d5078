"""The value of a function as its derivatives see it: sums of exponentials do not overflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.equal_values import equal, ratio
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

    def ratio(self, u: Any, v: Any) -> float | None:
        """The number c with u = c v, if there is one."""
        return 1.0 if u is v else ratio(u.value, v.value)

    def same(self, u: Any, v: Any) -> bool:
        """Whether the values are equal."""
        return u is v or equal(u.value, v.value)


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
