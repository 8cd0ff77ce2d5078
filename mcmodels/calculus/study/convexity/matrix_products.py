"""The curvature of matrix products and of their traces: quadratic forms, inverses, eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import hadamard, is_symmetric, matmul, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.convexity.curvature import (
    CONCAVE,
    CONVEX,
    UNKNOWN,
    Curvature,
    times,
)
from mcmodels.calculus.study.convexity.forms import index_taken
from mcmodels.calculus.study.convexity.ranges import around_centre
from mcmodels.calculus.study.convexity.spectral import matrix_of, trace_bends

if TYPE_CHECKING:
    from mcmodels.calculus.study.convexity.composition import Composition

__all__ = ["of_product", "of_square", "of_trace"]


def of_product(c: Composition, e: N.Product) -> Curvature:
    """Of a matrix product that contains x."""
    varying = [factor for factor in e.factors if c.varies(factor)]
    if isinstance(e.factors[-1], F.Eigenvalues) and index_taken(e):
        S = e.factors[-1].argument
        if len(varying) == 1 and c.is_affine(S) and is_symmetric(S):
            return CONVEX if index_taken(e) == "last" else CONCAVE
    if len(varying) == 1:
        found = c.of_one_of(e.factors)
        if found:
            return found
    if not e.is_scalar:
        return UNKNOWN
    found = of_square(c, e)
    if found:
        return found
    for cut in range(1, len(e.factors)):
        left, right = transpose(matmul(e.factors[:cut])), matmul(e.factors[cut:])
        if left.is_column and not left.is_scalar:
            found = c.of(hadamard([left, right]))
            if found:
                return found
    return UNKNOWN


def of_square(c: Composition, e: N.Product) -> Curvature:
    """Of the diagonal of F C Fᵀ: F affine and C constant, or the inverse of an affine one."""
    found = around_centre(e)
    if found is None or not c.is_affine(found[0]):
        return UNKNOWN
    centre = found[1]
    if centre is None:
        return CONVEX
    if not c.varies(centre):
        signs = [sign for sign in (1, -1) if c.ranges.definite(centre, sign)]
        return times(CONVEX, signs[0]) if signs else UNKNOWN
    return CONVEX if _is_inverse_of_affine(c, centre) else UNKNOWN


def _is_inverse_of_affine(c: Composition, e: Expression) -> bool:
    if not (isinstance(e, N.MatrixPower) and e.is_inverse):
        return False
    return c.is_affine(e.base) and c.ranges.definite(e.base)


def _operator_concave(c: Composition, e: Expression) -> int:
    """-1 of log(A) and √A (Löwner 1934), A affine and semidefinite; 0 where unknown."""
    if not (isinstance(e, F.MatrixFunction) and e.name in ("logm", "sqrtm")):
        return 0
    fits = c.is_affine(e.argument) and c.ranges.definite(e.argument)
    return -1 if fits and is_symmetric(e.argument) else 0


def of_trace(c: Composition, e: Expression) -> Curvature:
    """Of tr(e)."""
    if _is_inverse_of_affine(c, e):
        return CONVEX
    A = matrix_of(e)
    if A is not None:
        bends = trace_bends(e, c.is_affine(A), c.ranges.definite(A))
        if bends:
            return times(CONVEX, bends)
    if not isinstance(e, N.Product):
        return UNKNOWN
    factors = e.factors
    for turn in range(len(factors)):
        turned = matmul([*factors[turn:], *factors[:turn]])
        if not isinstance(turned, N.Product):
            continue
        found = of_square(c, turned)
        if found:
            return found
        last, others = turned.factors[-1], turned.factors[:-1]
        constant = not any(map(c.varies, others))
        bends = 1 if _is_inverse_of_affine(c, last) else _operator_concave(c, last)
        if constant and bends and last.rows == others[0].rows:
            weights = matmul(others)
            signs = [sign for sign in (1, -1) if c.ranges.definite(weights, sign)]
            if signs:
                return times(CONVEX, bends * signs[0])
    return UNKNOWN
