"""Matrix products and powers: flat, neighbours that cancel gone, scalars taken out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.arithmetic import (
    constants,
    elementwise_products,
    kronecker,
    sums,
    transposes,
)
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import (
    Commutation,
    DiagonalMatrix,
    Identity,
    Kron,
    MatrixPower,
    Number,
    Ones,
    Product,
    Scaled,
    Transpose,
    Unit,
    Vec,
    Zeros,
)
from mcmodels.calculus.numbers import Value
from mcmodels.calculus.sizes import ONE, ShapeError

__all__ = ["inverse", "matmul", "matrix_power"]

_LONGEST_RUN = 16  # factors of an inverse product that are looked for to cancel against it


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
                f"{constants.shape_text(previous)} ({previous}) @ "
                f"{constants.shape_text(factor)} ({factor})"
            )
        previous = factor
        number, scalars, array = sums.parts(factor)
        coefficients += [number, *scalars]
        vanishes = vanishes or number == 0 or isinstance(array, Zeros)
        if array is None or isinstance(array, Identity):
            continue
        if isinstance(array, Product):
            waiting.extend(reversed(array.children))
            previous = None
            continue
        _append(chain, array, coefficients)
    if vanishes:
        return constants.zeros(rows, cols)
    segments = _split(chain)
    outer, scalar_segments = segments if segments else ([], [])
    coefficients += [_atom(segment) for segment in scalar_segments]
    if not outer:
        result: Expression = constants.identity(rows)
        return sums.scale(*coefficients, result)
    if scalar_segments:
        return sums.scale(*coefficients, matmul(outer))  # its parts have become neighbours
    return sums.scale(*coefficients, _atom(outer))


def _atom(chain: list[Expression]) -> Expression:
    return chain[0] if len(chain) == 1 else Product(chain)


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
    """Put a factor at the end of a chain, or let it cancel or join what stands there."""
    if chain:
        joined = _joined(chain, factor)
        if joined is not None:
            taken, replacement = joined
            del chain[len(chain) - taken :]
            number, scalars, array = sums.parts(replacement)
            coefficients += [number, *scalars]
            if array is None or isinstance(array, Identity):
                return
            for part in array.children if isinstance(array, Product) else [array]:
                _append(chain, part, coefficients)
            return
    chain.append(factor)


def _joined(chain: list[Expression], factor: Expression) -> tuple[int, Expression] | None:
    """How many factors at the end of the chain join with a new one, and into what."""
    last = chain[-1]
    if last.is_square and factor.is_square:
        base, exponent, flipped = _matrix_base(last)
        other_base, other_exponent, other_flipped = _matrix_base(factor)
        if base == other_base and flipped == other_flipped:
            merged = matrix_power(base, sums.add([exponent, other_exponent]))
            return 1, transposes.transpose(merged) if flipped else merged
    run = _inverted_product(factor)
    if run and chain[-len(run) :] == run:
        return len(run), constants.identity(factor.rows)
    for back in range(min(len(chain), _LONGEST_RUN), 0, -1):
        run = _inverted_product(chain[-back])
        if len(run) == back and [*chain[len(chain) - back + 1 :], factor] == run:
            return back, constants.identity(factor.cols)
    if isinstance(last, Kron) and isinstance(factor, Kron) and last.left.cols == factor.left.rows:
        left, right = matmul([last.left, factor.left]), matmul([last.right, factor.right])
        return 1, kronecker.kron(left, right)
    beside = _beside_kron(last, factor)
    if beside is not None:
        return 1, beside
    if isinstance(factor, Vec):
        argument = factor.argument
        if isinstance(last, Commutation) and (last.m, last.n) == (argument.rows, argument.cols):
            return 1, kronecker.vec(transposes.transpose(argument))
        if isinstance(last, Kron) and last.right.cols == argument.rows:
            return 1, kronecker.vec(matmul([last.right, argument, transposes.transpose(last.left)]))
    if isinstance(last, Commutation) and isinstance(factor, Commutation) and last.m == factor.n:
        return 1, constants.identity(factor.rows)
    if isinstance(last, Ones) and isinstance(factor, Ones):
        inner = constants.size_value(factor.rows)
        return 1, sums.scale(inner, constants.ones(last.rows, factor.cols))
    if isinstance(factor, Ones) and factor.is_column and isinstance(last, DiagonalMatrix):
        return 1, last.argument
    if isinstance(last, Ones) and last.rows == ONE and isinstance(factor, DiagonalMatrix):
        return 1, transposes.transpose(factor.argument)
    if last.rows == ONE and factor.cols == ONE:
        return _constant_scalar(transposes.transpose(last), factor)
    return None


def _beside_kron(last: Expression, factor: Expression) -> Expression | None:
    """(a ⊗ B)M = a ⊗ BM and M(aᵀ ⊗ B) = aᵀ ⊗ MB, because M = 1 ⊗ M; so for b on the right."""
    if isinstance(last, Kron) and last.left.is_column:
        return kronecker.kron(last.left, matmul([last.right, factor]))
    if isinstance(last, Kron) and last.right.is_column:
        return kronecker.kron(matmul([last.left, factor]), last.right)
    if isinstance(factor, Kron) and factor.left.rows == ONE:
        return kronecker.kron(factor.left, matmul([last, factor.right]))
    if isinstance(factor, Kron) and factor.right.rows == ONE:
        return kronecker.kron(matmul([last, factor.left]), factor.right)
    return None


def _constant_scalar(left: Expression, right: Expression) -> tuple[int, Expression] | None:
    """leftᵀ right of constants that are known."""
    if isinstance(left, Unit) and isinstance(right, Unit):
        if left.index == right.index:
            return 1, Number(Fraction(1))
        if left.index * right.index > 0 or 0 in (left.index, right.index):
            same_side = (left.index >= 0) == (right.index >= 0)
            return (1, Number(Fraction(0))) if same_side else None
    if {type(left), type(right)} == {Ones, Unit}:
        return 1, Number(Fraction(1))
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
        raise ShapeError(
            f"a matrix power needs a square matrix; found {constants.shape_text(base)} ({base})"
        )
    if base.is_scalar:
        return elementwise_products.power(base, exponent)
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
        return sums.scale(
            elementwise_products.power(Number(base.coefficient), exponent),
            *(elementwise_products.power(scalar, exponent) for scalar in base.scalars),
            matrix_power(base.array, exponent),
        )
    if isinstance(base, MatrixPower):
        return matrix_power(base.base, sums.scale(base.exponent, exponent))
    if isinstance(base, Transpose):
        return transposes.transpose(matrix_power(base.argument, exponent))
    if isinstance(base, DiagonalMatrix):
        return DiagonalMatrix(elementwise_products.power(base.argument, exponent))
    if isinstance(base, Kron) and base.left.is_square and base.right.is_square:
        return kronecker.kron(matrix_power(base.left, exponent), matrix_power(base.right, exponent))
    return MatrixPower(base, exponent)


def inverse(expression: Expression) -> Expression:
    """The inverse of a square matrix; of a scalar, its reciprocal."""
    return matrix_power(expression, Number(Fraction(-1)))
