"""Rewrites of diagonal matrices, diagonals, Ψ, and of rows and columns that are scaled."""

from __future__ import annotations

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    identity,
    matmul,
    parts,
    scale,
    transpose,
    vec,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = [
    "applied_to_a_vector",
    "diagonal_of_product",
    "diagonal_of_sum",
    "kronecker_between_selections",
    "rows_scaled",
    "selected",
    "with_identity",
]


def applied_to_a_vector(e: N.Product) -> Expression | None:
    """diag(v)x as v∘x; but xᵀ diag(v) y stays, in which the symmetry is seen."""
    if e.is_scalar or not e.is_column:
        return None
    for i, factor in enumerate(e.children[:-1]):
        if isinstance(factor, N.DiagonalMatrix):
            rest = hadamard([factor.argument, matmul(e.children[i + 1 :])])
            return matmul([*e.children[:i], rest])
    return None


def diagonal_of_product(e: N.Diagonal) -> Expression | None:
    """diag(uvᵀ) = u∘v, diag(diag(v)M) = v∘diag(M), diag(A diag(v)B) = (A∘Bᵀ)v.

    Magnus & Neudecker (2019), 3.6; the last is Horn & Johnson (1991), 5.1.
    """
    if not isinstance(e.argument, N.Product):
        return None
    c = e.argument.children
    for i in range(len(c) - 1):
        if c[i].is_column:
            return hadamard([matmul(c[: i + 1]), transpose(matmul(c[i + 1 :]))])
    if isinstance(c[0], N.DiagonalMatrix):
        return hadamard([c[0].argument, functions.diag(matmul(c[1:]))])
    if isinstance(c[-1], N.DiagonalMatrix):
        return hadamard([c[-1].argument, functions.diag(matmul(c[:-1]))])
    for i, factor in enumerate(c):
        if isinstance(factor, N.DiagonalMatrix):
            rows = hadamard([matmul(c[:i]), transpose(matmul(c[i + 1 :]))])
            return matmul([rows, factor.argument])
    return None


def diagonal_of_sum(e: N.Diagonal) -> Expression | None:
    """diag(A + diag(v)) = diag(A) + v."""
    if not isinstance(e.argument, N.Sum):
        return None
    terms = []
    for term in e.argument.children:
        diagonal = functions.diag(term)
        coefficient, scalars, array = parts(diagonal)
        shorter = diagonal_of_product(array) if isinstance(array, N.Diagonal) else None
        terms.append(diagonal if shorter is None else scale(coefficient, *scalars, shorter))
    return add(terms)


def kronecker_between_selections(e: N.Product) -> Expression | None:
    """Ψᵀ(A ⊗ B)Ψ = A∘B, also of each term of a sum: Magnus & Neudecker (2019), 3.6."""
    for i in range(len(e.children) - 2):
        left, middle, right = e.children[i : i + 3]
        if not (_is_selection(left, flipped=True) and _is_selection(right, flipped=False)):
            continue
        terms = middle.children if isinstance(middle, N.Sum) else (middle,)
        found = [_between(term) for term in terms]
        joined = [term for term in found if term is not None]
        if len(joined) == len(found):
            return matmul([*e.children[:i], add(joined), *e.children[i + 3 :]])
    return None


def _is_selection(e: Expression, *, flipped: bool) -> bool:
    if flipped:
        return isinstance(e, N.Transpose) and isinstance(e.argument, N.DiagonalSelection)
    return isinstance(e, N.DiagonalSelection)


def _between(term: Expression) -> Expression | None:
    """Ψᵀ term Ψ, where it is known."""
    coefficient, scalars, array = parts(term)
    if isinstance(array, N.Identity | N.Commutation):
        size = array.rows
        root = next((Size.of(name) for name in size.names), None)
        if root is None or root * root != size:
            return None
        return scale(coefficient, *scalars, identity(root))
    if isinstance(array, N.Product):  # ΨᵀK = Ψᵀ, KΨ = Ψ
        first, last = (isinstance(array.children[k], N.Commutation) for k in (0, -1))
        inside = array.children[first : len(array.children) - last]
        array = matmul(inside) if inside else array.children[0]
    if not isinstance(array, N.Kron):
        return None
    A, B = array.left, array.right
    if (A.rows, A.cols) != (B.rows, B.cols):
        return None
    return scale(coefficient, *scalars, hadamard([A, B]))


def selected(e: N.Product) -> Expression | None:
    """Ψᵀ vec(M) = diag(M), Ψv = vec(diag(v)), Ψᵀ(a ⊗ b) = a∘b, Ψᵀ(I + K) = 2Ψᵀ, K by Ψ dropped."""
    for i in range(len(e.children) - 1):
        left, right = e.children[i : i + 2]
        before, after = e.children[:i], e.children[i + 2 :]
        beside = _count_of_copies(right) if _is_selection(left, flipped=True) else None
        if beside is not None:
            return scale(beside, matmul([*before, left, *after]))
        beside = _count_of_copies(left) if _is_selection(right, flipped=False) else None
        if beside is not None:
            return scale(beside, matmul([*before, right, *after]))
        if isinstance(left, N.Commutation) and _is_selection(right, flipped=False):
            return matmul([*before, right, *after])
        if _is_selection(left, flipped=True) and isinstance(right, N.Commutation):
            return matmul([*before, left, *after])
        if _is_selection(left, flipped=True) and isinstance(right, N.Vec):
            return matmul([*before, functions.diag(right.argument), *after])
        if (
            _is_selection(left, flipped=True)
            and isinstance(right, N.Kron)
            and right.left.is_column
            and right.right.is_column
            and right.left.rows == right.right.rows
        ):
            return matmul([*before, hadamard([right.left, right.right]), *after])
        if _is_selection(left, flipped=False) and right.is_column:
            return matmul([*before, vec(functions.diag(right)), *after])
    return None


def _count_of_copies(e: Expression) -> Value | None:
    """How often Ψ stands in its product with numbers of I and K; None of anything else."""
    if not isinstance(e, N.Sum):
        return None
    terms = [parts(term) for term in e.children]
    if any(scalars or not isinstance(a, N.Identity | N.Commutation) for _, scalars, a in terms):
        return None
    return sum((number for number, _, _ in terms[1:]), terms[0][0])


def rows_scaled(e: N.Hadamard) -> Expression | None:
    """v1ᵀ∘X = diag(v)X and 1vᵀ∘X = X diag(v): Magnus & Neudecker (2019), 3.6."""
    for i, factor in enumerate(e.children):
        if not isinstance(factor, N.Product):
            continue
        rest = hadamard([*e.children[:i], *e.children[i + 1 :]])
        first, last = factor.children[0], factor.children[-1]
        if isinstance(last, N.Ones) and last.rows == ONE:
            return matmul([functions.diag(matmul(factor.children[:-1])), rest])
        if isinstance(first, N.Ones) and first.is_column:
            row = matmul(factor.children[1:])
            return matmul([rest, functions.diag(transpose(row))])
    return None


def with_identity(e: N.Hadamard) -> Expression | None:
    """A∘I = diag(diag(A))."""
    for i, factor in enumerate(e.children):
        if isinstance(factor, N.Identity):
            rest = hadamard([*e.children[:i], *e.children[i + 1 :]])
            return functions.diag(functions.diag(rest))
    return None
