"""Python's operators on expressions.

As in `facade`, each imports what it calls when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcmodels.calculus.core.expression import Expression

__all__ = ["ExpressionOperators"]


class ExpressionOperators:
    """The operators of `Expression`."""

    __array_ufunc__ = None  # an array beside an expression is not taken apart into its entries
    __slots__ = ()

    def __add__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import add

        return add(self, other)

    def __radd__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import add

        return add(other, self)

    def __sub__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import subtract

        return subtract(self, other)

    def __rsub__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import subtract

        return subtract(other, self)

    def __neg__(self: Any) -> Expression:
        from mcmodels.calculus.core.arithmetic import scale

        return scale(-1, self)

    def __pos__(self: Any) -> Any:
        return self

    def __mul__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import multiply

        return multiply(self, other)

    def __rmul__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import multiply

        return multiply(other, self)

    def __truediv__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import divide

        return divide(self, other)

    def __rtruediv__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import divide

        return divide(other, self)

    def __pow__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import power

        return power(self, other)

    def __rpow__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import power

        return power(other, self)

    def __xor__(self: Any, other: Any) -> Expression:
        raise TypeError("^ is Python's exclusive or; write ** for a power of each entry")

    __rxor__ = __xor__

    def __matmul__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import matmul

        return matmul(self, other)

    def __rmatmul__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.operators import matmul

        return matmul(other, self)

    def __gt__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.choices import compare

        return compare(">", self, other)

    def __ge__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.choices import compare

        return compare(">=", self, other)

    def __lt__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.choices import compare

        return compare("<", self, other)

    def __le__(self: Any, other: Any) -> Expression:
        from mcmodels.calculus.core.choices import compare

        return compare("<=", self, other)

    def __abs__(self: Any) -> Expression:
        from mcmodels.calculus.core.functions import abs

        return abs(self)

    def __getitem__(self: Any, index: Any) -> Expression:
        from mcmodels.calculus.core.operators import entry

        return entry(self, index)

    @property
    def T(self: Any) -> Expression:
        """The transpose; of a vector, a row."""
        from mcmodels.calculus.core.arithmetic import transpose

        return transpose(self)

    def __reduce__(self: Any) -> Any:
        from mcmodels.calculus.core.pickling import pickled

        return pickled(self)
