"""log Γ and its derivatives of what may underflow, as φσ(η) does in beta regression.

By Γ(1 + f) = f Γ(f), log Γ(f) is log Γ(1 + f) − log f, ψ(f) is ψ(1 + f) − 1/f, and so on
(Abramowitz and Stegun, 6.1.15, 6.3.5, 6.4.6). The logarithm of a product of sigmoids and
exponentials is known where the product underflows, and of f′/f nothing is divided by 0.
"""

from __future__ import annotations

import math
from fractions import Fraction

from mcmodels.calculus.compute.stable.fraction_forms import factors_of, product
from mcmodels.calculus.compute.stable.near_zero import polynomial
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import parts_of, rewrite, with_children

__all__ = ["with_recurrences"]

_NEAR_ONE = Fraction(1, 10)  # of 1 − σ(z), below which log Γ(σ(z)) is a series in it
_TERMS = 16
_MOST_OPENED = 64


def with_recurrences(expression: Expression) -> Expression | None:
    """The expression with Γ(f) by Γ(1 + f), for an f that may underflow; None without one."""
    if not any(_argument(part) is not None for part in parts_of(expression)):
        return None
    return rewrite(rewrite(expression, _tidied), _replaced)


def _argument(part: Expression) -> Expression | None:
    """The f of log Γ(f), ψ(f) and its derivatives, where it may underflow."""
    is_gamma = isinstance(part, N.Elementwise) and part.name in ("gammaln", "digamma")
    if not is_gamma and not isinstance(part, F.Polygamma):
        return None
    f = rewrite(part.children[-1], _tidied)
    return f if any(map(_logarithm_of, factors_of(f))) else None


def _tidied(part: Expression) -> Expression | None:
    """1 − σ(z) as σ(−z)."""
    if not isinstance(part, N.Sum) or len(part.children) != 2:
        return None
    one = ones(part.rows, part.cols)
    rest = add([one, scale(-1, part)])
    if isinstance(rest, N.Elementwise) and rest.name == "sigmoid":
        return elementwise("sigmoid", scale(-1, rest.argument))
    return None


def _logarithm_of(factor: Expression) -> list[Expression]:
    """The logarithm of a factor that may underflow, in a list; or []."""
    if not isinstance(factor, N.Elementwise) or not factor.used:
        return []
    z = factor.argument
    match factor.name:
        case "exp":
            return [z]
        case "sigmoid":
            return [scale(-1, elementwise("softplus", scale(-1, z)))]
        case "norm_cdf":
            return [elementwise("norm_logcdf", z)]
    return []


def _replaced(part: Expression) -> Expression | None:
    if isinstance(part, N.Scaled | N.Hadamard) and _holds_gamma(part):
        terms = _opened(part)
        return add(terms) if len(terms) <= _MOST_OPENED else None
    both = _by_recurrence(part)
    return None if both is None else add(both)


def _holds_gamma(e: Expression) -> bool:
    """Whether it is made of such functions by sums and products of each entry."""
    if isinstance(e, N.Sum | N.Scaled | N.Hadamard):
        return any(map(_holds_gamma, e.children))
    return _argument(e) is not None


def _opened(e: Expression) -> list[Expression]:
    """The terms of a product, with its sums opened, so that f′/f is one factor of a term."""
    if isinstance(e, N.Sum):
        return [term for child in e.children for term in _opened(child)]
    both = _by_recurrence(e)
    if both is not None:
        return both
    if not _holds_gamma(e):
        return [rewrite(e, _replaced)]
    filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
    terms = [scale(parts(e)[0], product([scale(1), *filled]))]
    for factor in factors_of(e):
        terms = [product([term, each]) for term in terms for each in _opened(factor)]
        if len(terms) > _MOST_OPENED:
            break
    return terms


def _by_recurrence(part: Expression) -> list[Expression] | None:
    f = _argument(part)
    if f is None:
        return None
    above = add([ones(f.rows, f.cols), f])
    shifted = with_children(part, [*part.children[:-1], above])
    if isinstance(part, N.Elementwise) and part.name == "gammaln":
        return [_of_sigmoid(f, add([shifted, scale(-1, _logarithm(f))]))]
    n = part.order if isinstance(part, F.Polygamma) else 0
    return [shifted, scale((-1) ** (n + 1) * math.factorial(n), power(f, number(-n - 1)))]


def _logarithm(f: Expression) -> Expression:
    """The logarithm of |f|."""
    coefficient, *_ = parts(f)
    known: list[Expression] = []
    rest: list[Expression] = []
    for factor in factors_of(f):
        found = _logarithm_of(factor)
        known += found
        if not found and not isinstance(factor, N.Ones):
            rest.append(factor)
    left = scale(coefficient, product([scale(1), *rest]))
    if left != number(1):
        known.append(elementwise("log", left if not left.used else elementwise("abs", left)))
    filled = ones(f.rows, f.cols)
    return add([scale(z, filled) if z.is_scalar and f.is_array else z for z in known])


def _of_sigmoid(f: Expression, otherwise: Expression) -> Expression:
    """Log Γ(σ(z)), by its series in 1 − σ(z) where that is small (6.1.33)."""
    if not isinstance(f, N.Elementwise) or f.name != "sigmoid":
        return otherwise
    from mcmodels.plain import scipy  # values in any number of digits do without it

    z = f.argument
    less = elementwise("sigmoid", scale(-1, z))
    further = [float(scipy.special.zeta(k)) / k for k in range(2, _TERMS + 2)]
    terms = [Fraction(c) for c in (-float(scipy.special.digamma(1)), *further)]
    inside = add([scale(_NEAR_ONE, ones(z.rows, z.cols)), scale(-1, less)])
    return choose(inside, polynomial(1, terms, less), otherwise)
