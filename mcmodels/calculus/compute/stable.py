"""Logarithms of probabilities, rewritten so that they are not those of an underflow."""

from __future__ import annotations

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, matmul, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import rewrite
from mcmodels.calculus.core.sizes import ONE

__all__ = ["stabilised"]


def stabilised(expression: Expression) -> Expression:
    """An equal expression with log σ(z) = −softplus(−z), log softmax(z) = z − logsumexp(z).

    And log(1 − σ(z)) = −softplus(z): 1 − σ(36) has lost all its digits, its logarithm has not.
    """
    return rewrite(expression, _replacement).within(expression.context)


def _replacement(part: Expression) -> Expression | None:
    if not (isinstance(part, N.Elementwise) and part.name == "log"):
        return None
    inner = part.argument
    if isinstance(inner, N.Softmax):
        z = stabilised(inner.argument)
        total: Expression = N.LogSumExp(z)
        one = arithmetic.ones(z.rows, ONE) if z.is_column else arithmetic.ones(ONE, z.cols)
        spread = scale(total, one) if z.is_column else matmul([total, one])
        return add([z, scale(-1, spread)])
    if isinstance(inner, N.Elementwise) and inner.name == "sigmoid":
        return _minus_softplus(scale(-1, stabilised(inner.argument)))
    if isinstance(inner, N.Sum):
        rest = add([arithmetic.ones(inner.rows, inner.cols), scale(-1, inner)])
        if isinstance(rest, N.Elementwise) and rest.name == "sigmoid":
            return _minus_softplus(stabilised(rest.argument))
    return None


def _minus_softplus(z: Expression) -> Expression:
    return scale(-1, elementwise("softplus", z))
