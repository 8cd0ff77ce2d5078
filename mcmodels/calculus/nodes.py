"""The nodes of expressions: what each holds, and of what shape it is.

Nodes are put together by the constructors of `arithmetic` and `functions`, which bring them into a
normal form and check shapes; a node itself only stores what it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.expression import Expression
from mcmodels.calculus.sizes import ONE, Size

__all__ = [
    "BlockSum",
    "BlockTrace",
    "Commutation",
    "Det",
    "Diagonal",
    "DiagonalMatrix",
    "DiagonalSelection",
    "Differential",
    "Elementwise",
    "Hadamard",
    "Identity",
    "Kron",
    "LogDet",
    "LogSumExp",
    "MatrixPower",
    "Norm",
    "Number",
    "Ones",
    "Power",
    "Product",
    "Scaled",
    "SizeValue",
    "Softmax",
    "Sum",
    "Symbol",
    "Total",
    "Trace",
    "Transpose",
    "Unevaluated",
    "Unit",
    "Unvec",
    "Vec",
    "Zeros",
]


class Symbol(Expression):
    """A named scalar, vector or matrix, and what is declared of it."""

    __slots__ = ("declared", "name")

    def __init__(self, name: str, rows: Size, cols: Size, declared: frozenset[str]) -> None:
        self.name, self.declared = name, declared
        super().__init__(rows, cols, (), (name, *sorted(declared)))
        self.used = frozenset([self])

    def described(self) -> str:
        """Kind, shape and declarations, for messages."""
        if self.is_scalar:
            kind = "a scalar"
        elif self.is_column:
            kind = f"a vector of {self.rows}"
        else:
            kind = f"a matrix of {self.rows}×{self.cols}"
        declared = self.declared - (
            {"symmetric"} if "positive_definite" in self.declared else set()
        )
        words = ", ".join(sorted(declared)).replace("_", " ")
        return f"{kind} ({words})" if words else kind


class Differential(Symbol):
    """The differential dX of a symbol X: a symbol of the same shape, symmetric where X is."""

    __slots__ = ("of",)

    def __init__(self, of: Symbol) -> None:
        self.of = of
        super().__init__(f"d{of.name}", of.rows, of.cols, of.declared & {"symmetric"})

    def described(self) -> str:
        """Whose differential it is."""
        return f"the differential of {self.of.name!r}"


class Unevaluated(Expression):
    """d(E) with the d not yet carried out: what a derivation starts from."""

    __slots__ = ("variables",)

    def __init__(self, argument: Expression, variables: frozenset[Symbol]) -> None:
        self.variables = argument.used & variables
        names = tuple(sorted(symbol.name for symbol in self.variables))
        super().__init__(argument.rows, argument.cols, (argument,), names)
        self.used = self.used | {Differential(symbol) for symbol in self.variables}


class Number(Expression):
    """A real number; exact where it is a ratio of whole numbers."""

    __slots__ = ("value",)

    def __init__(self, value: Fraction | float) -> None:
        self.value = value
        super().__init__(ONE, ONE, (), (value,))


class SizeValue(Expression):
    """A symbolic size, as the number it will be."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(ONE, ONE, (), (name,))
        self.size_names = frozenset([name])


class Identity(Expression):
    """The identity matrix."""

    __slots__ = ()

    def __init__(self, size: Size) -> None:
        super().__init__(size, size)


class Zeros(Expression):
    """An array of zeros."""

    __slots__ = ()


class Ones(Expression):
    """An array of ones."""

    __slots__ = ()


class Unit(Expression):
    """The vector with a one at ``index`` (counted from 0, or from the end) and zeros elsewhere."""

    __slots__ = ("index",)

    def __init__(self, index: int, size: Size) -> None:
        self.index = index
        super().__init__(size, ONE, (), (index,))


class Commutation(Expression):
    """The commutation matrix K with K vec(X) = vec(Xᵀ) for X of m×n.

    Magnus and Neudecker (2019), section 3.7.
    """

    __slots__ = ("m", "n")

    def __init__(self, m: Size, n: Size) -> None:
        self.m, self.n = m, n
        super().__init__(m * n, m * n, (), (str(m), str(n)))


class DiagonalSelection(Expression):
    """The n²×n matrix Ψ with vec(diag(v)) = Ψ v, and so diag(M) = Ψᵀ vec(M)."""

    __slots__ = ("n",)

    def __init__(self, n: Size) -> None:
        self.n = n
        super().__init__(n * n, n)


class Sum(Expression):
    """A sum of two or more terms, none of them a Sum, no two alike but for a number."""

    __slots__ = ()
    commutative = True

    def __init__(self, terms: Sequence[Expression]) -> None:
        super().__init__(terms[0].rows, terms[0].cols, tuple(terms))


class Scaled(Expression):
    """A number times scalars times at most one array: ``coefficient · s₁ ⋯ s_k · A``.

    Without an array it is a scalar, and has at least two parts.
    """

    __slots__ = ("array", "coefficient", "scalars")

    def __init__(
        self,
        coefficient: Fraction | float,
        scalars: tuple[Expression, ...],
        array: Expression | None,
    ) -> None:
        self.coefficient, self.scalars, self.array = coefficient, scalars, array
        rows, cols = (ONE, ONE) if array is None else (array.rows, array.cols)
        children = scalars if array is None else (*scalars, array)
        super().__init__(rows, cols, children, (coefficient, array is None))

    commutative = True


class Product(Expression):
    """A matrix product of two or more factors, none of them a Product, Scaled or scalar."""

    __slots__ = ()

    def __init__(self, factors: Sequence[Expression]) -> None:
        super().__init__(factors[0].rows, factors[-1].cols, tuple(factors))


class Hadamard(Expression):
    """An elementwise product of two or more arrays of the same shape."""

    __slots__ = ()
    commutative = True

    def __init__(self, factors: Sequence[Expression]) -> None:
        super().__init__(factors[0].rows, factors[0].cols, tuple(factors))


class Power(Expression):
    """An elementwise power with a scalar exponent."""

    __slots__ = ("base", "exponent")

    def __init__(self, base: Expression, exponent: Expression) -> None:
        self.base, self.exponent = base, exponent
        super().__init__(base.rows, base.cols, (base, exponent))


class MatrixPower(Expression):
    """A power of a square matrix; the inverse has exponent -1."""

    __slots__ = ("base", "exponent")

    def __init__(self, base: Expression, exponent: Expression) -> None:
        self.base, self.exponent = base, exponent
        super().__init__(base.rows, base.cols, (base, exponent))

    @property
    def is_inverse(self) -> bool:
        """Whether the exponent is -1."""
        return isinstance(self.exponent, Number) and self.exponent.value == -1


class _Unary(Expression):
    """A function of one expression."""

    __slots__ = ()

    @property
    def argument(self) -> Expression:
        return self.children[0]


class Transpose(_Unary):
    """A transpose that could not be moved inwards."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(argument.cols, argument.rows, (argument,))


class Elementwise(_Unary):
    """A function applied to each entry; ``name`` is one of `elementwise.FUNCTIONS`."""

    __slots__ = ("name",)

    def __init__(self, name: str, argument: Expression) -> None:
        self.name = name
        super().__init__(argument.rows, argument.cols, (argument,), (name,))


class _ScalarFunction(_Unary):
    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(ONE, ONE, (argument,))


class Trace(_ScalarFunction):
    """The trace of a square matrix."""

    __slots__ = ()


class Det(_ScalarFunction):
    """The determinant of a square matrix."""

    __slots__ = ()


class LogDet(_ScalarFunction):
    """log |det A| of a square matrix."""

    __slots__ = ()


class Norm(_ScalarFunction):
    """The square root of the sum of squares: 2-norm of a vector, Frobenius norm of a matrix."""

    __slots__ = ()


class Total(_ScalarFunction):
    """The sum of all entries."""

    __slots__ = ()


class DiagonalMatrix(_Unary):
    """The diagonal matrix with a given diagonal."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(argument.rows, argument.rows, (argument,))


class Diagonal(_Unary):
    """The diagonal of a square matrix, as a vector."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(argument.rows, ONE, (argument,))


class Vec(_Unary):
    """The columns of a matrix, stacked."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(argument.rows * argument.cols, ONE, (argument,))


class Unvec(_Unary):
    """The m×n matrix whose vec is a given vector."""

    __slots__ = ()

    def __init__(self, argument: Expression, m: Size, n: Size) -> None:
        super().__init__(m, n, (argument,))


class Softmax(_Unary):
    """exp(z) over its sum, of a vector or of each row of a matrix."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(argument.rows, argument.cols, (argument,))


class LogSumExp(_Unary):
    """The logarithm of the sum of exponentials, of a vector or of each row of a matrix."""

    __slots__ = ()

    def __init__(self, argument: Expression) -> None:
        super().__init__(ONE if argument.is_column else argument.rows, ONE, (argument,))


class _Binary(Expression):
    __slots__ = ()

    @property
    def left(self) -> Expression:
        return self.children[0]

    @property
    def right(self) -> Expression:
        return self.children[1]


class Kron(_Binary):
    """The Kronecker product A ⊗ B: the matrix of blocks aᵢⱼ B."""

    __slots__ = ()

    def __init__(self, left: Expression, right: Expression) -> None:
        super().__init__(left.rows * right.rows, left.cols * right.cols, (left, right))


class BlockSum(_Binary):
    """Σᵢⱼ aᵢⱼ Cᵢⱼ over the blocks Cᵢⱼ of C: what tr(Cᵀ(A ⊗ M)) is multiplied with, seen from M."""

    __slots__ = ()

    def __init__(self, C: Expression, A: Expression, rows: Size, cols: Size) -> None:
        super().__init__(rows, cols, (C, A))


class BlockTrace(_Binary):
    """The matrix of tr(BᵀCᵢⱼ) over the blocks Cᵢⱼ of C: tr(Cᵀ(M ⊗ B)) seen from M."""

    __slots__ = ()

    def __init__(self, C: Expression, B: Expression, rows: Size, cols: Size) -> None:
        super().__init__(rows, cols, (C, B))
