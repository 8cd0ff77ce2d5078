"""Gradient, Jacobian and Hessian: differential, trace form or vec, identification."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.arithmetic import add, require_same_shape, scale, shape_text, transpose
from mcmodels.calculus.differentials import differential
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.jacobians import jacobian_of_linear
from mcmodels.calculus.nodes import Differential, Symbol
from mcmodels.calculus.numbers import number
from mcmodels.calculus.operators import as_expression
from mcmodels.calculus.rewriting import substitute
from mcmodels.calculus.rules import DerivativeError
from mcmodels.calculus.simplification import simplify
from mcmodels.calculus.trace_form import paired, peel

__all__ = [
    "derivative",
    "differential_by",
    "gradient",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "require_scalar",
    "symbol_of",
    "symmetrised",
]


def symbol_of(expression: Expression, x: Any) -> Symbol:
    """The symbol meant by a symbol or a name.

    Raises
    ------
    DerivativeError
        If it is neither, if it is declared otherwise in the expression, or if the expression holds
        differentials.
    """
    for inside in expression.used:
        if isinstance(inside, Differential):
            raise DerivativeError(
                f"{expression} holds the differential {inside}; take the derivative of the "
                "function itself, or hessian() for the second derivative"
            )
    if isinstance(x, Symbol):
        for other in expression.used:
            if other.name == x.name and other != x:
                raise DerivativeError(
                    f"{x.name!r} is {other.described()} in {expression}; found {x.described()}"
                )
        return x
    if isinstance(x, str):
        for symbol in expression.used:
            if symbol.name == x:
                return symbol
        names = ", ".join(sorted(symbol.name for symbol in expression.used)) or "none"
        raise DerivativeError(f"there is no symbol {x!r} in {expression}; its symbols: {names}")
    raise DerivativeError(f"a derivative is taken by a symbol; found {x}")


def require_scalar(expression: Expression) -> None:
    """Refuse the gradient of anything else."""
    if not expression.is_scalar:
        raise DerivativeError(
            f"a gradient is that of a scalar; {expression} is a {shape_text(expression)}. "
            "jacobian() gives all its derivatives, or take a sum, trace or norm first"
        )


def differential_by(expression: Expression, symbols: tuple[Any, ...]) -> Expression:
    """The work of `Expression.differential`."""
    variables = frozenset(symbol_of(expression, symbol) for symbol in symbols) or expression.used
    return differential(expression, variables).within(expression.used)


def gradient(f: Expression, x: Any) -> Expression:
    """The work of `Expression.gradient`."""
    require_scalar(f)
    symbol = symbol_of(f, x)
    df = differential(f, frozenset([symbol]))
    *_, (_, (final,)) = peel(paired(df), Differential(symbol))
    return simplify(symmetrised(final.C, symbol)).within(f.used)


def symmetrised(G: Expression, x: Symbol) -> Expression:
    """The gradient among symmetric matrices, where x is one: (G + Gᵀ)/2."""
    if "symmetric" not in x.declared or x.is_scalar:
        return G
    G = simplify(G)
    mirrored = transpose(G)
    return G if mirrored == G else scale(number(1) / 2, add([G, mirrored]))


def jacobian(F: Expression, x: Any) -> Expression:
    """The work of `Expression.jacobian`."""
    symbol = symbol_of(F, x)
    dF = differential(F, frozenset([symbol]))
    return simplify(jacobian_of_linear(dF, Differential(symbol))).within(F.used)


def derivative(F: Expression, x: Any) -> Expression:
    """The gradient of a scalar, the Jacobian of anything else."""
    return gradient(F, x) if F.is_scalar else jacobian(F, x)


def hessian(f: Expression, x: Any, y: Any) -> Expression:
    """The work of `Expression.hessian`."""
    return jacobian(gradient(f, x), symbol_of(f, y)).within(f.used)


def hessian_vector_product(f: Expression, x: Any, V: Any) -> Expression:
    """The work of `Expression.hessian_vector_product`."""
    symbol, direction = symbol_of(f, x), as_expression(V)
    require_same_shape("a Hessian-vector product", symbol, direction)
    change = differential(gradient(f, symbol), frozenset([symbol]))
    return simplify(substitute(change, {Differential(symbol): direction})).within(f.used)
