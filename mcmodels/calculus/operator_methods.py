"""Python's operators as methods: what they do stands in `operators`, which builds on this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcmodels.calculus.expression import Expression

__all__ = ["OperatorMethods"]


class OperatorMethods:
    """The operators of an expression, as NumPy has them."""

    __array_ufunc__ = None  # an array beside an expression is not taken apart into its entries
    __slots__ = ()

    def __add__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.add(self, other)

    def __radd__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.add(other, self)

    def __sub__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.subtract(self, other)

    def __rsub__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.subtract(other, self)

    def __neg__(self: Any) -> Expression:
        from mcmodels.calculus import arithmetic

        return arithmetic.scale(-1, self)

    def __pos__(self) -> Any:
        return self

    def __mul__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.multiply(self, other)

    def __rmul__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.multiply(other, self)

    def __truediv__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.divide(self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.divide(other, self)

    def __pow__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.power(self, other)

    def __rpow__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.power(other, self)

    def __matmul__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.matmul(other, self)

    def __abs__(self) -> Expression:
        from mcmodels.calculus import functions

        return functions.abs(self)

    def __getitem__(self: Any, index: Any) -> Expression:
        from mcmodels.calculus import operators

        return operators.entry(self, index)

    @property
    def T(self: Any) -> Expression:
        """The transpose; of a vector, a row."""
        from mcmodels.calculus import arithmetic

        return arithmetic.transpose(self)
