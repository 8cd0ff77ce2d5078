"""Rewrites of triangular matrices: masks that change nothing, and diagonals that are seen."""

from __future__ import annotations

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, parts, power, scale, transpose
from mcmodels.calculus.core.expression import Expression

__all__ = ["diagonal_of_mirror_images", "diagonal_of_triangular", "masked"]


def masked(e: N.Hadamard) -> Expression | None:
    """tril(L) = L, and tril(U) = diag(diag(U)), of lower triangular L and upper triangular U."""
    for i, mask in enumerate(e.children):
        lower = isinstance(mask, N.Triangle)
        if not (lower or (isinstance(mask, N.Transpose) and isinstance(mask.argument, N.Triangle))):
            continue
        others = [*e.children[:i], *e.children[i + 1 :]]
        if any(_is_triangular(factor, lower) for factor in others):
            return hadamard(others)
        if any(_is_triangular(factor, not lower) for factor in others):
            inside = hadamard(others)
            found = _diagonal(inside)
            return functions.diag(functions.diag(inside) if found is None else found)
    return None


def diagonal_of_triangular(e: N.Diagonal) -> Expression | None:
    """diag(L⁻¹) = 1 ⊘ diag(L), and diag(L₁L₂) = diag(L₁) ∘ diag(L₂), of triangular matrices."""
    return _diagonal(e.argument)


def diagonal_of_mirror_images(e: N.Diagonal) -> Expression | None:
    """diag(A + Aᵀ) = 2 diag(A)."""
    if not isinstance(e.argument, N.Sum):
        return None
    terms: dict[tuple[bytes, ...], list[Expression]] = {}
    for term in e.argument.children:
        _, scalars, array = parts(term)
        assert array is not None
        key = min(array.key, transpose(array).key)
        terms.setdefault((key, *sorted(s.key for s in scalars)), []).append(term)
    if len(terms) == len(e.argument.children):
        return None
    joined = []
    for first, *others in terms.values():
        coefficient, scalars, array = parts(first)
        assert array is not None
        total = sum((parts(other)[0] for other in others), coefficient)
        joined.append(scale(total, *scalars, array))
    return functions.diag(add(joined))


def _is_triangular(e: Expression, lower: bool) -> bool:
    """Whether structure shows that the entries on the other side of the diagonal are 0."""
    if isinstance(e, N.DiagonalMatrix | N.Identity):
        return True
    if isinstance(e, N.Symbol):
        return bool({"diagonal", f"{'lower' if lower else 'upper'}_triangular"} & e.declared)
    if isinstance(e, N.Transpose):
        return _is_triangular(e.argument, not lower)
    if isinstance(e, N.Scaled):
        return e.array is not None and _is_triangular(e.array, lower)
    if isinstance(e, N.MatrixPower):
        return _is_triangular(e.base, lower)
    if isinstance(e, N.Triangle):
        return lower
    if isinstance(e, N.Hadamard):
        return any(_is_triangular(factor, lower) for factor in e.children)
    if isinstance(e, N.Product | N.Sum):
        return e.is_square and all(_is_triangular(part, lower) for part in e.children)
    return False


def _diagonal(e: Expression) -> Expression | None:
    """The diagonal of inverses and products of triangular matrices; None of anything else."""
    if isinstance(e, N.Transpose):
        return _diagonal(e.argument)
    if not (_is_triangular(e, True) or _is_triangular(e, False)):
        return None
    if isinstance(e, N.MatrixPower):
        base = _diagonal(e.base)
        return power(functions.diag(e.base) if base is None else base, e.exponent)
    if isinstance(e, N.Product):
        inside = [_diagonal(part) for part in e.children]
        pairs = zip(inside, e.children, strict=True)
        return hadamard([functions.diag(part) if d is None else d for d, part in pairs])
    return None
