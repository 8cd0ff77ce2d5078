"""Gradient, Jacobian and Hessian: differential, trace form or vec, identification."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core.arithmetic import require_same_shape, shape_text
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Differential, Symbol
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.products_meant import product_meant
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.derive.structures import free_entries, structure_of
from mcmodels.calculus.derive.trace_form import paired, peel
from mcmodels.calculus.derive.vec_form import jacobian_of_linear

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
    "without_probability",
]


_FREE_TO_MOVE = {"probability", "orthogonal"}  # declarations that a differential does not have


_REMEDIES = {
    "symmetric": "(V + V.T) / 2",
    "diagonal": "diag(v)",
    "lower_triangular": "tril(V)",
    "upper_triangular": "triu(V)",
}


def symbol_of(expression: Expression, x: Any) -> Symbol:
    """The symbol meant by a symbol or a name.

    Raises
    ------
    DerivativeError
        If it is neither, if it is declared otherwise in the expression, or if the expression holds
        differentials.
    """
    if isinstance(x, Tensor):
        x = x.entries
    for inside in expression.used:
        if isinstance(inside, Differential):
            raise DerivativeError(
                f"{expression} holds the differential {inside}; take the derivative of the "
                "function itself, or hessian() for the second derivative"
            )
    if isinstance(x, Index):
        raise DerivativeError(
            f"{x.name!r} is an index, which runs over whole numbers; derivatives are by symbols, "
            "such as X, whose gradient has the derivatives by X[i] in its rows"
        )
    if isinstance(x, Symbol):
        for other in expression.used:
            if other.name == x.name and other != x:
                raise DerivativeError(
                    f"{x.name!r} is {other.described()} in {expression}; found {x.described()}"
                )
        return x
    if isinstance(x, str):
        for symbol in expression.known:  # one that has cancelled, too: its derivative is 0
            if symbol.name == x:
                return symbol
        if x in NAMED_NUMBERS:
            raise DerivativeError(
                f"{x!r} is a number where it is not declared; declare {x}='scalar' to vary it"
            )
        names = ", ".join(sorted(symbol.name for symbol in expression.known)) or "none"
        raise DerivativeError(f"there is no symbol {x!r} in {expression}; its symbols: {names}")
    raise DerivativeError(f"a derivative is taken by a symbol; found {x}")


def require_scalar(expression: Expression) -> None:
    """Raise a `DerivativeError` unless the expression is a scalar."""
    if not expression.is_scalar:
        hint = product_meant(expression)
        raise DerivativeError(
            f"a gradient is that of a scalar; {expression} is a {shape_text(expression)}. "
            "jacobian() gives all its derivatives, or take a sum, trace or norm first"
            f"{'. ' if hint else ''}{hint}"
        )


def differential_by(expression: Expression, symbols: tuple[Any, ...]) -> Expression:
    """The work of `Expression.differential`."""
    variables = frozenset(symbol_of(expression, symbol) for symbol in symbols)
    variables = variables or frozenset(s for s in expression.used if not isinstance(s, Index))
    return differential(expression, variables).within(expression.known)


def without_probability(
    f: Expression, *symbols: Symbol
) -> tuple[Expression, list[Symbol], dict[Expression, Expression]]:
    """The expression and its symbols without "probability" and "orthogonal"; and a way back.

    A vector declared "probability" sums to one, but its differential is any vector. So 1ᵀt = 1 must
    not be used between one derivative by t and the next; nor QᵀQ = I between those by an orthogonal
    Q. The mapping leads from each new symbol to the declared one.
    """
    twins: dict[Expression, Symbol] = {
        s: Symbol(s.name, s.rows, s.cols, s.declared - _FREE_TO_MOVE)
        for s in symbols
        if s.declared & _FREE_TO_MOVE
    }
    stands_for: dict[Expression, Expression] = {twin: s for s, twin in twins.items()}
    return substitute(f, twins), [twins.get(s, s) for s in symbols], stands_for


def gradient(f: Expression, x: Any, entries: str = "all") -> Expression:
    """The work of `Expression.gradient`."""
    if entries not in ("all", "free"):
        raise DerivativeError(f"entries of a gradient are 'all' or 'free'; found {entries!r}")
    require_scalar(f)
    symbol = symbol_of(f, x)
    free, (variable,), stands_for = without_probability(f, symbol)
    df = differential(free, frozenset([variable]))
    *_, (_, (final,)) = peel(paired(df), Differential(variable))
    G = simplify(symmetrised(final.C, variable))
    if entries == "free":
        G = simplify(free_entries(G, variable))
    return substitute(G, stands_for).within(f.known).as_derivative()


def symmetrised(G: Expression, x: Symbol) -> Expression:
    """The gradient among matrices of the structure of x: (G + Gᵀ)/2 among symmetric ones."""
    structure = structure_of(x)
    return G if structure is None else structure.kept(simplify(G))


def jacobian(F: Expression, x: Any) -> Expression:
    """The work of `Expression.jacobian`."""
    free, (variable,), stands_for = without_probability(F, symbol_of(F, x))
    dF = differential(free, frozenset([variable]))
    J = simplify(jacobian_of_linear(dF, Differential(variable)))
    return substitute(J, stands_for).within(F.known).as_derivative()


def derivative(F: Expression, x: Any) -> Expression:
    """The gradient of a scalar, the Jacobian of anything else."""
    return gradient(F, x) if F.is_scalar else jacobian(F, x)


def hessian(f: Expression, x: Any, y: Any) -> Expression:
    """The work of `Expression.hessian`."""
    free, variables, stands_for = without_probability(f, symbol_of(f, x), symbol_of(f, y))
    H = jacobian(gradient(free, variables[0]), variables[1])
    return substitute(H, stands_for).within(f.known).as_derivative()


def hessian_vector_product(f: Expression, x: Any, V: Any) -> Expression:
    """The work of `Expression.hessian_vector_product`."""
    symbol, direction = symbol_of(f, x), as_expression(V)
    require_same_shape("a Hessian-vector product", symbol, direction)
    structure = structure_of(symbol)
    if structure is not None and not structure.holds(direction):
        word, remedy = structure.name.replace("_", " "), _REMEDIES[structure.name]
        raise DerivativeError(
            f"{symbol} is {word}, so its directions are, too; found {direction}. Declare the "
            f"direction with {structure.name}=True, or give {remedy}"
        )
    free, (variable,), stands_for = without_probability(f, symbol)
    change = differential(gradient(free, variable), frozenset([variable]))
    product = simplify(substitute(change, {Differential(variable): direction}))
    return substitute(product, stands_for).within(f.known).as_derivative()
