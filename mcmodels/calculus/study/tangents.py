"""Projections on the tangent spaces of constraint sets."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import (
    add,
    inverse,
    matmul,
    power,
    scale,
    transpose,
    unvec,
    vec,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.constraints import (
    Constraints,
    is_stiefel,
    jacobian_of,
    listed,
    require_x,
    share_along,
)
from mcmodels.calculus.study.equalities import Equalities, orthogonal_groups

__all__ = ["tangent_projection"]

_HALF = power(number(2), number(-1))


def tangent_projection(constraints: Constraints, x: Any, V: Any) -> Expression:
    """The orthogonal projection of V on the tangent space of the set where constraints are 0.

    It is V − Jᵀ(JJᵀ)⁻¹JV, with the Jacobian J of the constraints, where that has full row rank. Of
    a gradient it is the gradient on the set (the Riemannian gradient).

    Parameters
    ----------
    constraints : Expression, or list of Expression
        What is 0 on the set: ``x.T @ x - 1`` for the sphere, ``X.T @ X - eye(p)`` for the Stiefel
        manifold, ``sum(x) - 1`` for the simplex (inside of it).
    x : Expression or str
        The symbol that varies, or its name.
    V : Expression
        A direction, of the shape of ``x``.

    Returns
    -------
    Expression
        Of the shape of ``x``; it holds at points where the constraints do.

    Raises
    ------
    DerivativeError
        If ``x`` is not a symbol of the constraints.
    ShapeError
        If V has another shape than ``x``.

    References
    ----------
    Absil, Mahony and Sepulchre (2008), *Optimization Algorithms on Matrix Manifolds*, 3.6.

    Examples
    --------
    >>> from mcmodels.calculus import eye, matrix, sum, tangent_projection, vector
    >>> x, g = vector("x", "n"), vector("g", "n")
    >>> tangent_projection(x.T @ x - 1, x, g)
    g − (xᵀg)x
    >>> tangent_projection(sum(x) - 1, x, g)
    g − sum(g)/n
    >>> X, G = matrix("X", "n", "p"), matrix("G", "n", "p")
    >>> tangent_projection(X.T @ X - eye("p"), X, G)
    G − ½X(GᵀX + XᵀG)
    """
    given = listed(constraints)
    direction = as_expression(V)
    symbol = gradients.symbol_of(functions.vstack([vec(g) for g in given]), x)
    if (direction.rows, direction.cols) != (symbol.rows, symbol.cols):
        raise ShapeError(
            f"a direction has the shape of {symbol.name!r}, {symbol.described()}; found {direction}"
        )
    require_x(given, symbol)
    context = direction.known.union(*(constraint.known for constraint in given))
    return _projected(given, symbol, direction).within(context)


def _projected(given: tuple[Expression, ...], symbol: Symbol, direction: Expression) -> Expression:
    known = Equalities.of_constraints(given, symbol, {})
    if len(given) == 1 and is_stiefel(given[0], symbol):
        XV = matmul([transpose(symbol), direction])
        inside = matmul([symbol, add([XV, transpose(XV)])])
        return simplify(add([direction, scale(-1, _HALF, inside)]))
    if all(constraint.is_scalar for constraint in given):
        slopes = [gradients.gradient(constraint, symbol) for constraint in given]
        if len(orthogonal_groups(known, slopes)) == len(slopes):
            normals = [scale(share_along(known, slope, direction), slope) for slope in slopes]
            return simplify(add([direction, *(scale(-1, known.used_in(n)) for n in normals)]))
    J = jacobian_of(given, symbol)
    gram = known.used_in(matmul([J, transpose(J)]))
    steps = matmul([transpose(J), inverse(gram), J, vec(direction)])
    return simplify(add([direction, scale(-1, unvec(steps, symbol.rows, symbol.cols))]))
