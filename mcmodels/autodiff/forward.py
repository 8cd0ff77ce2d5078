"""Forward mode: values that carry a tangent (dual numbers).

Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.equal_values import equal, is_multiple, ratio
from mcmodels.autodiff.tracing import DerivativeRule, Tracer

__all__ = ["Dual", "Forward"]


class Dual(TracedArray):
    """``x + ẋε`` with ``ε² = 0``.

    Parameters
    ----------
    value : ndarray or Traced
        x.
    tracer : Forward
        The forward sweep that ε belongs to.
    tangent : ndarray or Traced
        ẋ, in the shape of x.
    """

    __slots__ = ()

    def __init__(self, value: Any, tracer: Tracer, tangent: Any) -> None:
        self.value = value
        self.tracer = tracer
        self.origin = None
        self.held = False
        self.tangent = tangent

    def give(self, other: Any) -> None:
        """Give another dual number the tangent."""
        other.tangent = self.tangent


class Forward(Tracer):
    """A directional derivative: each value is computed together with its tangent."""

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> Dual:
        """Y with its tangent: the sum over the arguments of ``Jᵢ ẋᵢ``."""
        tangent = None
        for i, arg in enumerate(args):
            if isinstance(arg, Dual) and arg.tracer is self:
                part = rule.push(i, arg.tangent, y, values, kwargs)
                tangent = part if tangent is None else tangent + part
        return Dual(y, self, tangent)

    def ratio(self, u: Any, v: Any) -> float | None:
        """The number c with u = c v and the same of the tangents, if there is one."""
        if u is v:
            return 1.0
        c = ratio(u.value, v.value)
        return c if c is not None and is_multiple(u.tangent, v.tangent, c) else None

    def same(self, u: Any, v: Any) -> bool:
        """Whether the values and the tangents are equal."""
        return u is v or (equal(u.value, v.value) and equal(u.tangent, v.tangent))
