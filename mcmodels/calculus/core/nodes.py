"""The nodes of expressions: the fields of each, and its shape.

Nodes are put together by the constructors of `arithmetic` and `functions`, which bring them into a
normal form and check shapes; a node itself only stores its fields.
"""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core.block_nodes import Duplication, Elimination, Selection, Stack, Triangle
from mcmodels.calculus.core.expression import Expression, node
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = [
    "BlockSum",
    "BlockTrace",
    "Commutation",
    "Det",
    "Diagonal",
    "DiagonalMatrix",
    "DiagonalSelection",
    "Differential",
    "Duplication",
    "Elementwise",
    "Elimination",
    "Hadamard",
    "Identity",
    "Kron",
    "LogDet",
    "LogSumExp",
    "MatrixPower",
    "NamedNumber",
    "Norm",
    "Number",
    "Ones",
    "Power",
    "Product",
    "Scaled",
    "Selection",
    "SizeValue",
    "Softmax",
    "Stack",
    "Sum",
    "Symbol",
    "Total",
    "Trace",
    "Transpose",
    "Triangle",
    "Unevaluated",
    "Unit",
    "Unvec",
    "Vec",
    "Zeros",
]


# Declarations that the differential of a symbol has, too.
LINEAR = frozenset({"symmetric", "diagonal", "lower_triangular", "upper_triangular"})


@node
class Symbol(Expression):
    """A named scalar, vector or matrix, and what is declared of it."""

    name: str
    rows: Size
    cols: Size
    declared: frozenset[str]

    def __post_init__(self) -> None:
        self._identify((), (self.name, *sorted(self.declared)))
        self.used = frozenset([self])

    @property
    def axes(self) -> tuple[Size, ...]:
        """The sizes that the shape of a value tells."""
        return self.rows, self.cols

    def described(self) -> str:
        """Kind, shape and declarations, for messages."""
        if self.is_scalar:
            kind = "a scalar"
        elif self.is_column:
            kind = f"a vector of {self.rows}"
        else:
            kind = f"a matrix of {self.rows}×{self.cols}"
        declared = self.declared - (
            {"symmetric"} if self.declared & {"positive_definite", "diagonal"} else set()
        )
        words = ", ".join(sorted(declared)).replace("_", " ")
        return f"{kind} ({words})" if words else kind


class Differential(Symbol):
    """The differential dX of a symbol X: a symbol of the same shape, symmetric where X is."""

    __slots__ = ("of",)
    __match_args__ = ("of",)

    def __init__(self, of: Symbol) -> None:
        self.of = of
        Symbol.__init__(self, f"d{of.name}", of.rows, of.cols, of.declared & LINEAR)
        self.tensors = of.tensors

    def described(self) -> str:
        """Whose differential it is."""
        return f"the differential of {self.of.name!r}"


@node
class Unevaluated(Expression):
    """d(E) before the rules of differentials are applied: a derivation starts from it."""

    argument: Expression
    variables: frozenset[Symbol]

    def __post_init__(self) -> None:
        self.variables = self.argument.used & self.variables
        names = tuple(sorted(symbol.name for symbol in self.variables))
        self._identify((self.argument,), names)
        self.used = self.used | {Differential(symbol) for symbol in self.variables}

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class Number(Expression):
    """A real number; exact where it is a ratio of whole numbers."""

    value: Fraction | float

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class SizeValue(Expression):
    """A symbolic size, used as a number."""

    name: str

    def __post_init__(self) -> None:
        self._identify((), (self.name,))
        self.size_names = frozenset([self.name])

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class NamedNumber(Expression):
    """π or e.

    Examples
    --------
    >>> from mcmodels.calculus import pi, scalar
    >>> r = scalar("r")
    >>> (pi * r**2).gradient(r)
    2πr
    >>> (pi * r**2).evaluate(r=1.0)
    3.141592653589793
    """

    name: str

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class Identity(Expression):
    """The identity matrix."""

    rows: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.rows, self.rows


@node
class Zeros(Expression):
    """An array of zeros."""

    rows: Size
    cols: Size


@node
class Ones(Expression):
    """An array of ones."""

    rows: Size
    cols: Size


@node
class Unit(Expression):
    """The vector with a one at ``index`` (counted from 0, or from the end) and zeros elsewhere."""

    index: int
    rows: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.rows, ONE


@node
class Commutation(Expression):
    """The commutation matrix K with K vec(X) = vec(Xᵀ) for X of m×n.

    Magnus and Neudecker (2019), section 3.7.
    """

    m: Size
    n: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.m * self.n, self.m * self.n


@node
class DiagonalSelection(Expression):
    """The n²×n matrix Ψ with vec(diag(v)) = Ψ v, and so diag(M) = Ψᵀ vec(M)."""

    n: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.n * self.n, self.n


@node
class Sum(Expression):
    """A sum of two or more terms, none of them a Sum, no two equal up to a number."""

    terms: tuple[Expression, ...]
    commutative = True

    def _dimensions(self) -> tuple[Size, Size]:
        return self.terms[0].rows, self.terms[0].cols


@node
class Scaled(Expression):
    """A number times scalars times at most one array: ``coefficient · s₁ ⋯ s_k · A``.

    Without an array it is a scalar, and has at least two parts.
    """

    coefficient: Fraction | float
    scalars: tuple[Expression, ...]
    array: Expression | None
    commutative = True

    def _dimensions(self) -> tuple[Size, Size]:
        return (ONE, ONE) if self.array is None else (self.array.rows, self.array.cols)


@node
class Product(Expression):
    """A matrix product of two or more factors, none of them a Product, Scaled or scalar."""

    factors: tuple[Expression, ...]

    def _dimensions(self) -> tuple[Size, Size]:
        return self.factors[0].rows, self.factors[-1].cols


@node
class Hadamard(Expression):
    """An elementwise product of two or more arrays of the same shape."""

    factors: tuple[Expression, ...]
    commutative = True

    def _dimensions(self) -> tuple[Size, Size]:
        return self.factors[0].rows, self.factors[0].cols


@node
class Power(Expression):
    """An elementwise power with a scalar exponent."""

    base: Expression
    exponent: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.base.rows, self.base.cols


@node
class MatrixPower(Expression):
    """A power of a square matrix; the inverse has exponent -1."""

    base: Expression
    exponent: Expression

    @property
    def is_inverse(self) -> bool:
        """Whether the exponent is -1."""
        return isinstance(self.exponent, Number) and self.exponent.value == -1

    def _dimensions(self) -> tuple[Size, Size]:
        return self.base.rows, self.base.cols


@node
class Elementwise(Expression):
    """A function applied to each entry; ``name`` is one of `elementwise.FUNCTIONS`."""

    name: str
    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class _Unary(Expression):
    """A function of one expression, of the shape of its argument unless it says otherwise."""

    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class _ScalarFunction(_Unary):
    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class Transpose(_Unary):
    """A transpose that could not be moved inwards."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.cols, self.argument.rows


@node
class Trace(_ScalarFunction):
    """The trace of a square matrix."""


@node
class Det(_ScalarFunction):
    """The determinant of a square matrix."""


@node
class LogDet(_ScalarFunction):
    """log |det A| of a square matrix."""


@node
class Norm(_ScalarFunction):
    """The square root of the sum of squares: 2-norm of a vector, Frobenius norm of a matrix."""


@node
class Total(_ScalarFunction):
    """The sum of all entries."""


@node
class DiagonalMatrix(_Unary):
    """The diagonal matrix with a given diagonal."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.rows


@node
class Diagonal(_Unary):
    """The diagonal of a square matrix, as a vector."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, ONE


@node
class Vec(_Unary):
    """The columns of a matrix, stacked."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows * self.argument.cols, ONE


@node
class Unvec(_Unary):
    """The matrix of ``rows``×``cols`` whose vec is a given vector."""

    rows: Size
    cols: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.rows, self.cols


@node
class Softmax(_Unary):
    """exp(z) over its sum, of a vector or of each row of a matrix."""


@node
class LogSumExp(_Unary):
    """The logarithm of the sum of exponentials, of a vector or of each row of a matrix."""

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE if self.argument.is_column else self.argument.rows, ONE


@node
class _Binary(Expression):
    left: Expression
    right: Expression


@node
class Kron(_Binary):
    """The Kronecker product A ⊗ B: the matrix of blocks aᵢⱼ B."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.left.rows * self.right.rows, self.left.cols * self.right.cols


@node
class BlockSum(_Binary):
    """Σᵢⱼ aᵢⱼ Cᵢⱼ over the blocks Cᵢⱼ of C, the ``left``, with A, the ``right``.

    The adjoint of A ⊗ M in M: tr(Cᵀ(A ⊗ M)) = tr(BlockSum(C, A)ᵀ M).
    """

    rows: Size
    cols: Size


@node
class BlockTrace(_Binary):
    """The matrix of tr(BᵀCᵢⱼ) over the blocks Cᵢⱼ of C, the ``left``, with B, the ``right``.

    The adjoint of M ⊗ B in M: tr(Cᵀ(M ⊗ B)) = tr(BlockTrace(C, B)ᵀ M).
    """

    rows: Size
    cols: Size
