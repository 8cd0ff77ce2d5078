"""The second identification: a linear map M of dX written as vec(M) = J vec(dX), J read off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, identity, kron, matmul, scale, transpose, vec
from mcmodels.calculus.core.arithmetic.stacks import starts
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.matrix_functions import frechet_matrix
from mcmodels.calculus.core.nodes import Differential
from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.core.sources import HIGHAM, LAUE
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.core.summation import summed
from mcmodels.calculus.derive.einsum_rules import einsum_jacobian
from mcmodels.calculus.derive.rules import Rule
from mcmodels.calculus.derive.trace_form import paired, peel, position_of

__all__ = ["VEC_RULES", "jacobian_of_linear"]


JacobianOf = Callable[[Expression], Expression]


def jacobian_of_linear(M: Expression, dX: Differential) -> Expression:
    """The matrix J with vec(M) = J vec(dX), for an M that is linear in dX."""
    known: dict[bytes, Expression] = {}
    size = dX.rows * dX.cols

    def J(part: Expression) -> Expression:
        if part.key not in known:
            known[part.key] = _jacobian(part, dX, size, J)
        return known[part.key]

    return J(M)


def _jacobian(M: Expression, dX: Differential, size: Size, J: JacobianOf) -> Expression:
    if dX not in M.used:
        return arithmetic.zeros(M.rows * M.cols, size)
    if M == dX:
        return identity(size)
    if M.is_scalar:  # a sum of scalars as a whole, so that what its terms share is peeled once
        *_, (_, (final,)) = peel(paired(M), dX)
        return transpose(vec(final.C))
    if isinstance(M, N.Sum):
        return add([J(term) for term in M.children])
    if isinstance(M, N.Transpose) and M.argument == dX and "symmetric" in dX.declared:
        return identity(size)
    i = position_of(dX, M)
    return VEC_RULES[type(M)].apply(M, i, J(M.children[i]))


def _scaled(M: Any, i: int, J: Expression) -> Expression:
    part = M.children[i]
    rest = [child for j, child in enumerate(M.children) if j != i and child.is_scalar]
    if part.is_array:
        return scale(M.coefficient, *rest, J)
    return scale(M.coefficient, *rest, matmul([vec(M.array), J]))


def _product(M: Any, i: int, J: Expression) -> Expression:
    c = M.children
    left = matmul(c[:i]) if i else identity(M.rows)
    right = transpose(matmul(c[i + 1 :])) if i + 1 < len(c) else identity(M.cols)
    return matmul([kron(right, left), J])


def _transpose(M: Any, i: int, J: Expression) -> Expression:
    return matmul([arithmetic.commutation(M.argument.rows, M.argument.cols), J])


def _hadamard(M: Any, i: int, J: Expression) -> Expression:
    rest = arithmetic.hadamard([*M.children[:i], *M.children[i + 1 :]])
    return matmul([functions.diag(vec(rest)), J])


def _shuffle(A: Expression, B: Expression) -> Expression:
    """The matrix that takes vec(A) ⊗ vec(B) to vec(A ⊗ B)."""
    middle = arithmetic.commutation(B.cols, A.rows)
    return kron(kron(identity(A.cols), middle), identity(B.rows))


def _kron_with(A: Expression, B: Expression, i: int) -> Expression:
    """The matrix that takes vec of A (i = 0) or of B (i = 1) to vec(A ⊗ B)."""
    if i == 0:
        return matmul([_shuffle(A, B), kron(identity(A.rows * A.cols), vec(B))])
    return matmul([_shuffle(A, B), kron(vec(A), identity(B.rows * B.cols))])


def _rearranged(C: Expression, A: Expression, B: Expression) -> Expression:
    """The blocks of C (of the shape of B, one for each entry of A) as columns vec(Cᵢⱼ)."""
    shuffled = matmul([transpose(_shuffle(A, B)), vec(C)])
    return arithmetic.unvec(shuffled, B.rows * B.cols, A.rows * A.cols)


def _block_sum(M: Any, i: int, J: Expression) -> Expression:
    C, A = M.children
    return matmul([_rearranged(C, A, M) if i else transpose(_kron_with(A, M, 1)), J])


def _block_trace(M: Any, i: int, J: Expression) -> Expression:
    C, B = M.children
    return matmul([transpose(_rearranged(C, M, B) if i else _kron_with(M, B, 0)), J])


def _stack(M: Any, i: int, J: Expression) -> Expression:
    edges, block = starts(M), M.children[i]
    if M.axis:  # the entries of a block of columns follow each other in vec
        rows = M.rows
        E = arithmetic.selection(edges[i] * rows, block.cols * rows, edges[-1] * rows)
        return matmul([transpose(E), J])
    E = arithmetic.selection(edges[i], block.rows, edges[-1])
    return matmul([kron(identity(M.cols), transpose(E)), J])


VEC_RULES: dict[type[Expression], Rule] = {
    N.Scaled: Rule("scalar multiple", "vec(αM) = α vec M", f"{MN}, 2.4", _scaled),
    N.Product: Rule("vec of a product", "vec(AMB) = (Bᵀ⊗A) vec M", f"{MN}, 2.4", _product),
    N.Transpose: Rule("commutation", "vec(Mᵀ) = K vec M", f"{MN}, 3.7", _transpose),
    N.Hadamard: Rule("elementwise", "vec(B∘M) = diag(vec B) vec M", f"{MN}, 3.6", _hadamard),
    N.DiagonalMatrix: Rule("diagonal matrix", "vec diag(m) = Ψm", f"{MN}, 3.6",
                           lambda M, i, J: matmul([functions.diagonal_selection(M.rows), J])),
    N.Diagonal: Rule("diagonal", "diag(M) = Ψᵀ vec M", f"{MN}, 3.6",
                     lambda M, i, J: matmul(
                         [transpose(functions.diagonal_selection(M.rows)), J])),
    N.Vec: Rule("vec", "vec(vec M) = vec M", f"{MN}, 2.4", lambda M, i, J: J),
    N.Unvec: Rule("unvec", "vec(unvec m) = m", f"{MN}, 2.4", lambda M, i, J: J),
    N.Kron: Rule("vec of a Kronecker product",
                 "vec(A⊗B) = (I⊗K⊗I)(vec A⊗vec B)", f"{MN}, 3.7, theorem 3.10",
                 lambda M, i, J: matmul([_kron_with(M.left, M.right, i), J])),
    N.Stack: Rule("blocks", "vec[M, 0] = [vec M; 0], vec[M; 0] = (I⊗[I; 0]) vec M",
                  f"{MN}, 2.4", _stack),
    SumOver: Rule("sum over an index", "vec(Σᵢ Mᵢ) = Σᵢ vec(Mᵢ)", f"{MN}, 2.4",
                  lambda M, i, J: summed(J, M.condition, M.index)),
    N.BlockSum: Rule("sum of blocks", "vec(Σaᵢⱼ Cᵢⱼ) = [vec Cᵢⱼ] vec A",
                     f"{MN}, 3.7, theorem 3.10", _block_sum),
    N.BlockTrace: Rule("traces of blocks", "vec[tr BᵀCᵢⱼ] = [vec Cᵢⱼ]ᵀ vec B",
                       f"{MN}, 3.7, theorem 3.10", _block_trace),
    F.Frechet: Rule("Kronecker form of a Fréchet derivative", "vec L(A, M) = K(A) vec M",
                    f"{HIGHAM}, 3.2",
                    lambda M, i, J: matmul([frechet_matrix(M.name, M.argument), J])),
    Einsum: Rule("einsum as a matrix", "Σⱼ aᵢⱼmⱼ = (A vec M)ᵢ", f"{LAUE}, 3", einsum_jacobian),
}  # fmt: skip
