"""Rules for Kronecker products and commutation matrices."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, commutation, kron, matmul, parts
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of, rebuilt

__all__ = ["commutations_joined", "commutations_to_the_left", "multiplied_out"]


def multiplied_out(expression: Expression) -> Expression:
    """(A ⊗ B)(C ⊗ D + K) as AC ⊗ BD + (A ⊗ B)K everywhere.

    This comes before all rules and may lengthen: only then can the rules find what AC and BD share
    with other terms.
    """
    if not any(isinstance(part, N.Kron) for part in parts_of(expression)):
        return expression
    known: dict[bytes, Expression] = {}

    def walk(part: Expression) -> Expression:
        if part.key not in known:
            result = rebuilt(part, [walk(child) for child in part.children])
            known[part.key] = _opened(result) if isinstance(result, N.Product) else result
        return known[part.key]

    return walk(expression)


def _opened(e: N.Product) -> Expression:
    for i, factor in enumerate(e.children):
        beside = [*e.children[max(i - 1, 0) : i], *e.children[i + 1 : i + 2]]
        if (
            isinstance(factor, N.Sum)
            and all(_is_kronecker(parts(term)[2]) for term in factor.children)
            and any(isinstance(neighbour, N.Kron | N.Commutation) for neighbour in beside)
        ):
            before, after = e.children[:i], e.children[i + 1 :]
            return add(
                [_opened_if_product(matmul([*before, term, *after])) for term in factor.children]
            )
    return e


def _opened_if_product(e: Expression) -> Expression:
    return _opened(e) if isinstance(e, N.Product) else e


def _is_kronecker(array: Expression | None) -> bool:
    if isinstance(array, N.Product):
        return any(_is_kronecker(factor) for factor in array.children)
    return isinstance(array, N.Kron | N.Commutation | N.Identity)


def commutations_to_the_left(e: N.Product) -> Expression | None:
    """(B ⊗ A)K = K(A ⊗ B): Magnus & Neudecker (2019), theorem 3.9."""
    for i in range(len(e.children) - 1):
        left, right = e.children[i : i + 2]
        if not (isinstance(left, N.Kron) and isinstance(right, N.Commutation)):
            continue
        B, A = left.left, left.right
        if (right.m, right.n) == (B.cols, A.cols):
            turned = [commutation(B.rows, A.rows), kron(A, B)]
            return matmul([*e.children[:i], *turned, *e.children[i + 2 :]])
    return None


def commutations_joined(e: N.Product) -> Expression | None:
    """K(A + KᵀB) = KA + B: commutation matrices are orthogonal, Magnus & Neudecker (2019), 3.7."""
    for i in range(len(e.children) - 1):
        left, right = e.children[i : i + 2]
        if not (isinstance(left, N.Commutation) and isinstance(right, N.Sum)):
            continue
        undone = [term for term in right.children if _starts_with_inverse(term, left)]
        others = [term for term in right.children if not any(term is found for found in undone)]
        if undone:
            before, after = e.children[:i], e.children[i + 2 :]
            freed = add([matmul([left, term]) for term in undone])
            kept = [matmul([*before, left, add(others), *after])] if others else []
            return add([*kept, matmul([*before, freed, *after])])
    return None


def _starts_with_inverse(term: Expression, K: N.Commutation) -> bool:
    array = parts(term)[2]
    first = array.children[0] if isinstance(array, N.Product) else array
    return isinstance(first, N.Commutation) and (first.m, first.n) == (K.n, K.m)
