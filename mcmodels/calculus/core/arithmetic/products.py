"""Matrix products and powers, Kronecker products and vec: flat, without neighbours that cancel."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.core.arithmetic.constants import (
    identity,
    ones,
    shape_text,
    zeros,
)
from mcmodels.calculus.core.arithmetic.entrywise import add, parts, power, scale, size_value
from mcmodels.calculus.core.arithmetic.neighbours import are_inverse, constant_scalar, of_neighbours
from mcmodels.calculus.core.arithmetic.stacks import equal_parts
from mcmodels.calculus.core.arithmetic.transposes import transpose, transposes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import Pinv
from mcmodels.calculus.core.nodes import (
    Commutation,
    DiagonalMatrix,
    Identity,
    Kron,
    MatrixPower,
    Number,
    Ones,
    Product,
    Scaled,
    Symbol,
    Transpose,
    Unvec,
    Vec,
    Zeros,
)
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["inverse", "kron", "matmul", "matrix_power", "unvec", "vec"]

_LONGEST_RUN = 16  # factors; an inverse of a longer product is not searched for in the chain


def matmul(factors: Sequence[Expression]) -> Expression:
    """The matrix product of one or more factors, in their order."""
    coefficients: list[Expression | Value] = []
    chain: list[Expression] = []
    rows, cols = factors[0].rows, factors[-1].cols
    waiting = list(reversed(factors))
    previous: Expression | None = None
    vanishes = False
    while waiting:
        factor = waiting.pop()
        if isinstance(factor, Product):
            waiting.extend(reversed(factor.children))
            continue
        if previous is not None and previous.cols != factor.rows:
            raise ShapeError(
                "a matrix product needs as many columns on its left as rows on its right; found "
                f"{shape_text(previous)} ({previous}) @ "
                f"{shape_text(factor)} ({factor}){_remedy(previous, factor)}"
            )
        previous = factor
        number, scalars, array = parts(factor)
        coefficients += [number, *scalars]
        vanishes = vanishes or number == 0 or isinstance(array, Zeros)
        if array is None or isinstance(array, Identity):
            continue
        if isinstance(array, Product):
            waiting.extend(reversed(array.children))
            previous = None
            continue
        if isinstance(array, Ones) and ONE not in (array.rows, array.cols):
            # 11ᵀX sums the columns of X first; the matrix of ones is never formed.
            _append(chain, Ones(array.rows, ONE), coefficients)
            array = Ones(ONE, array.cols)
        _append(chain, array, coefficients)
    if vanishes:
        return zeros(rows, cols)
    segments = _split(chain)
    outer, scalar_segments = segments if segments else ([], [])
    coefficients += [_atom(segment) for segment in scalar_segments]
    if not outer:
        result: Expression = identity(rows)
        return scale(*coefficients, result)
    if scalar_segments:
        return scale(*coefficients, matmul(outer))  # its parts have become neighbours
    if len(outer) == 2 and isinstance(outer[0], Ones) and isinstance(outer[1], Ones):
        return scale(*coefficients, ones(rows, cols))
    return scale(*coefficients, _atom(outer))


def _remedy(left: Expression, right: Expression) -> str:
    """What to write where a vector, which NumPy turns as a product needs it, is a column here."""
    names = [text if text.isidentifier() else f"({text})" for text in (str(left), str(right))]
    if left.is_column and left.rows == right.rows:
        return f"; a vector is a column: write {names[0]}.T @ {names[1]}"
    if right.rows == ONE and right.cols == left.cols:
        return f"; a vector is a column: write {names[0]} @ {right.T}"
    return ""


def _atom(chain: list[Expression]) -> Expression:
    return chain[0] if len(chain) == 1 else Product(tuple(chain))


def _split(chain: list[Expression]) -> tuple[list[Expression], list[list[Expression]]]:
    """The outer product that remains of a chain, and the scalars xᵀ⋯y in its middle."""
    pieces: list[list[Expression]] = [[]]
    for factor in chain:
        pieces[-1].append(factor)
        if factor.cols == ONE:
            pieces.append([])
    if not pieces[-1]:
        pieces.pop()
    outer: list[Expression] = []
    scalars = []
    for piece in pieces:
        if piece[0].rows == ONE and piece[-1].cols == ONE:
            scalars.append(piece)
        else:
            outer += piece
    return outer, scalars


def _append(
    chain: list[Expression], factor: Expression, coefficients: list[Expression | Value]
) -> None:
    """Append a factor to a chain, or combine it with the factors at the end where a rule does."""
    if chain:
        joined = _joined(chain, factor)
        if joined is not None:
            taken, replacement = joined
            del chain[len(chain) - taken :]
            number, scalars, array = parts(replacement)
            coefficients += [number, *scalars]
            if array is None or isinstance(array, Identity):
                return
            if isinstance(array, Zeros):
                coefficients.append(Fraction(0))
            for part in array.children if isinstance(array, Product) else [array]:
                _append(chain, part, coefficients)
            return
    chain.append(factor)


def _joined(chain: list[Expression], factor: Expression) -> tuple[int, Expression] | None:
    """How many factors at the end of the chain a new one combines with, and the result."""
    last = chain[-1]
    if last.is_square and factor.is_square:
        base, exponent, flipped = _matrix_base(last)
        other_base, other_exponent, other_flipped = _matrix_base(factor)
        if base == other_base and flipped == other_flipped:
            merged = matrix_power(base, add([exponent, other_exponent]))
            return 1, transpose(merged) if flipped else merged
    run = _inverted_product(factor)
    if run and chain[-len(run) :] == run:
        return len(run), identity(factor.rows)
    for back in range(min(len(chain), _LONGEST_RUN), 0, -1):
        run = _inverted_product(chain[-back])
        if len(run) == back and [*chain[len(chain) - back + 1 :], factor] == run:
            return back, identity(factor.cols)
    if isinstance(last, Kron) and isinstance(factor, Kron) and last.left.cols == factor.left.rows:
        left, right = matmul([last.left, factor.left]), matmul([last.right, factor.right])
        return 1, kron(left, right)
    beside = _beside_kron(last, factor)
    if beside is not None:
        return 1, beside
    if isinstance(factor, Vec):
        argument = factor.argument
        if isinstance(last, Commutation) and (last.m, last.n) == (argument.rows, argument.cols):
            return 1, vec(transpose(argument))
        if isinstance(last, Kron) and last.right.cols == argument.rows:
            return 1, vec(matmul([last.right, argument, transpose(last.left)]))
    if isinstance(last, Commutation) and isinstance(factor, Commutation) and last.m == factor.n:
        return 1, identity(factor.rows)
    if isinstance(last, Ones) and isinstance(factor, Ones) and factor.is_column:
        return 1, size_value(factor.rows)
    found = of_neighbours(last, factor)
    if found is not None:
        return 1, found
    if equal_parts(last, factor):
        pairs = zip(last.children, factor.children, strict=True)
        return 1, add([matmul(pair) for pair in pairs])
    if isinstance(factor, Ones) and factor.is_column and isinstance(last, DiagonalMatrix):
        return 1, last.argument
    if isinstance(last, Ones) and last.rows == ONE and isinstance(factor, DiagonalMatrix):
        return 1, transpose(factor.argument)
    pseudo = _beside_pseudoinverse(chain, factor)
    if pseudo is not None:
        return pseudo
    if last.rows == ONE and factor.cols == ONE:
        value = constant_scalar(transpose(last), factor)
        return None if value is None else (1, value)
    return None


def _beside_kron(last: Expression, factor: Expression) -> Expression | None:
    """(a ⊗ B)M = a ⊗ BM and M(aᵀ ⊗ B) = aᵀ ⊗ MB, because M = 1 ⊗ M; so for b on the right."""
    if isinstance(last, Kron) and last.left.is_column:
        return kron(last.left, matmul([last.right, factor]))
    if isinstance(last, Kron) and last.right.is_column:
        return kron(matmul([last.left, factor]), last.right)
    if isinstance(factor, Kron) and factor.left.rows == ONE:
        return kron(factor.left, matmul([last, factor.right]))
    if isinstance(factor, Kron) and factor.right.rows == ONE:
        return kron(matmul([last, factor.left]), factor.right)
    return None


def _beside_pseudoinverse(
    chain: list[Expression], factor: Expression
) -> tuple[int, Expression] | None:
    """XX⁺X = X, X⁺XX⁺ = X⁺, and XX⁺ and X⁺X are symmetric: Magnus and Neudecker (2019), 2.7."""
    last = chain[-1]
    if isinstance(last, Transpose) and isinstance(last.argument, Pinv):
        X = last.argument.argument
        if transpose(factor) == X:
            return 1, matmul([X, last.argument])
    if isinstance(factor, Transpose) and isinstance(factor.argument, Pinv):
        X = factor.argument.argument
        if transpose(last) == X:
            return 1, matmul([factor.argument, X])
    if len(chain) > 1:
        before = chain[-2]
        if are_inverse(before, last) and factor in (before, transpose(last)):
            return 2, factor
        if are_inverse(last, factor) and before == transpose(last):
            return 2, before
    return None


def _matrix_base(factor: Expression) -> tuple[Expression, Expression, bool]:
    """Base and exponent of a matrix power, and whether it is transposed."""
    flipped = isinstance(factor, Transpose)
    inner = factor.children[0] if flipped else factor
    if isinstance(inner, MatrixPower):
        return inner.base, inner.exponent, flipped
    return inner, Number(Fraction(1)), flipped


def _inverted_product(factor: Expression) -> list[Expression]:
    """The factors f₁, …, f_k where the factor is (f₁ ⋯ f_k)⁻¹, else none."""
    if isinstance(factor, MatrixPower) and factor.is_inverse and isinstance(factor.base, Product):
        return list(factor.base.children)
    return []


def matrix_power(base: Expression, exponent: Expression) -> Expression:
    """The power of a square matrix with a whole exponent."""
    if not base.is_square:
        raise ShapeError(f"a matrix power needs a square matrix; found {shape_text(base)} ({base})")
    if base.is_scalar:
        return power(base, exponent)
    value = exponent.value if isinstance(exponent, Number) else None
    if value == 1:
        return base
    if value == 0 or isinstance(base, Identity):
        return Identity(base.rows)
    if isinstance(base, Zeros) and value is not None:
        if value < 0:
            raise ValueError("a matrix of zeros has no inverse")
        return base
    if isinstance(base, Scaled):
        assert base.array is not None
        return scale(
            power(Number(base.coefficient), exponent),
            *(power(scalar, exponent) for scalar in base.scalars),
            matrix_power(base.array, exponent),
        )
    if isinstance(base, MatrixPower):
        return matrix_power(base.base, scale(base.exponent, exponent))
    if isinstance(base, Symbol) and "orthogonal" in base.declared and value == -1:
        return transpose(base)
    if isinstance(base, Transpose):
        return transpose(matrix_power(base.argument, exponent))
    if isinstance(base, DiagonalMatrix):
        return DiagonalMatrix(power(base.argument, exponent))
    if isinstance(base, Kron) and base.left.is_square and base.right.is_square:
        return kron(matrix_power(base.left, exponent), matrix_power(base.right, exponent))
    return MatrixPower(base, exponent)


def inverse(expression: Expression) -> Expression:
    """The inverse of a square matrix; of a scalar, its reciprocal."""
    return matrix_power(expression, Number(Fraction(-1)))


def kron(left: Expression, right: Expression) -> Expression:
    """The Kronecker product left ⊗ right."""
    if left.is_scalar or right.is_scalar:
        return scale(left, right)
    number, scalars, A = parts(left)
    other_number, other_scalars, B = parts(right)
    assert A is not None
    assert B is not None
    coefficients = [number, *scalars, other_number, *other_scalars]
    if isinstance(B, Kron):
        return scale(*coefficients, kron(kron(A, B.left), B.right))
    if isinstance(A, Zeros) or isinstance(B, Zeros):
        return zeros(left.rows * right.rows, left.cols * right.cols)
    if A.is_column and B.rows == ONE:
        return scale(*coefficients, matmul([A, B]))
    if A.rows == ONE and B.is_column:
        return scale(*coefficients, matmul([B, A]))
    if isinstance(A, Identity) and isinstance(B, Identity):
        return scale(*coefficients, Identity(A.rows * B.rows))
    return scale(*coefficients, Kron(A, B))


def vec(expression: Expression) -> Expression:
    """The columns of a matrix, stacked; a vector is its own vec."""
    if expression.rows == ONE or expression.is_column:
        return expression if expression.is_column else transpose(expression)
    if isinstance(expression, Unvec):
        return expression.argument
    if isinstance(expression, Zeros | Ones):
        return type(expression)(expression.rows * expression.cols, ONE)
    if isinstance(expression, Scaled):
        assert expression.array is not None
        return scale(expression.coefficient, *expression.scalars, vec(expression.array))
    if isinstance(expression, Product):
        for i, factor in enumerate(expression.children):
            if factor.is_column:
                # vec(uvᵀ) = v ⊗ u: Magnus and Neudecker (2019), section 2.4.
                u, v = expression.children[: i + 1], expression.children[i + 1 :]
                return kron(transpose(matmul(v)), matmul(u))
    return Vec(expression)


def unvec(expression: Expression, m: Size, n: Size) -> Expression:
    """The m×n matrix whose vec is a given vector."""
    if not expression.is_column or expression.rows != m * n:
        raise ShapeError(
            f"unvec to {m}×{n} needs a vector of {m * n}; found {shape_text(expression)}"
        )
    if n == ONE:
        return expression
    if m == ONE:
        return transpose(expression)
    if isinstance(expression, Vec) and expression.argument.rows == m:
        return expression.argument
    if isinstance(expression, Zeros | Ones):
        return type(expression)(m, n)
    if isinstance(expression, Kron) and (expression.left.rows, expression.right.rows) == (n, m):
        return matmul([expression.right, transpose(expression.left)])  # b ⊗ a is vec(abᵀ)
    if isinstance(expression, Scaled) and expression.array is not None:
        inner = unvec(expression.array, m, n)
        return scale(expression.coefficient, *expression.scalars, inner)
    return Unvec(expression, m, n)


@transposes(Product)
def _transposed_product(node: Product) -> Expression:
    return matmul([transpose(factor) for factor in reversed(node.children)])


@transposes(Kron)
def _transposed_kron(node: Kron) -> Expression:
    return kron(transpose(node.left), transpose(node.right))
