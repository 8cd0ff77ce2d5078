"""Expressions rewritten so that they do not overflow, and lose no digits in their tails."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mcmodels.calculus.compute.stable.differences import is_known_difference, with_known_differences
from mcmodels.calculus.compute.stable.exact_cancellation import Cancellation
from mcmodels.calculus.compute.stable.far_out import FarOut
from mcmodels.calculus.compute.stable.indexed_sums import log_of_sum, quotient_in_sums
from mcmodels.calculus.compute.stable.near_zero import NearZero, has_one
from mcmodels.calculus.compute.stable.nested_exponentials import (
    FarBelow,
    joined_exponentials,
    with_joined_exponentials,
)
from mcmodels.calculus.compute.stable.normal_tails import in_tails
from mcmodels.calculus.compute.stable.roots import root_in_range
from mcmodels.calculus.compute.stable.shifted_sums import replaced_at_end, with_shares
from mcmodels.calculus.compute.stable.small_gammas import with_recurrences
from mcmodels.calculus.compute.stable.tails import with_exact_tails
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, parts, power, scale
from mcmodels.calculus.core.arithmetic.exponentials import argument_of, exponent_of
from mcmodels.calculus.core.arithmetic.quotients import complement, named
from mcmodels.calculus.core.axis_functions import spread
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import magnitude, number
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import parts_of, rebuilt
from mcmodels.calculus.core.sizes import ONE

__all__ = ["PositiveLogDet", "stabilised"]

_LOG_2 = elementwise("log", number(2))


class PositiveLogDet(N.LogDet):
    """The logarithm of a determinant that must be positive."""

    __slots__ = ()


def stabilised(expression: Expression, in_digits: bool = False) -> Expression:
    """An equal expression that is computed without overflow where its value has none.

    log σ(z) = −softplus(−z), log softmax(z) = z − logsumexp(z), log(Σ exp(zᵢ)) as a softplus,
    exp(b)/(Σ exp(zᵢ)) = exp(b − log(Σ exp(zᵢ))), log det X from the factors of X, 1 − σ(z) = σ(−z),
    1 − tanh(z)² = 4σ(2z)σ(−2z).

    Parameters
    ----------
    expression : Expression
    in_digits : bool
        Whether it is computed in more digits than float64 has, where a series that is cut off for
        float64 would be wrong.
    """
    if not _needs_another_form(expression):
        return expression
    return _stabilised(expression, in_digits).within(expression.context)


@lru_cache(maxsize=512)
def _needs_another_form(expression: Expression) -> bool:
    return any(map(_may_lose_digits, parts_of(expression)))


@lru_cache(maxsize=512)
def _stabilised(expression: Expression, in_digits: bool) -> Expression:
    if in_digits:
        return _rewritten(expression, in_digits)
    recurred = with_recurrences(expression)
    form = expression if recurred is None else recurred
    shared = with_shares(form)
    if shared is None:
        return _rewritten(form, in_digits)
    form, meanings = shared
    return replaced_at_end(_rewritten(form, in_digits), meanings)


def _rewritten(expression: Expression, in_digits: bool) -> Expression:
    known: dict[bytes, Expression] = {}
    quotients: set[bytes] = set()  # of the exponentials that stand for 1/Σ exp(zᵢ)
    far: dict[bytes, Expression] = {}  # of what has another form near 0
    cancellation = Cancellation()
    near_zero = NearZero(lambda e: cancellation.covers(e) or is_known_difference(e))
    far_out = FarOut(lambda e: cancellation.covers(e) or is_known_difference(e))
    far_below = FarBelow()
    plain: dict[bytes, Expression] = {}  # of what has another form far out

    def walk(part: Expression) -> Expression:
        if part.key not in known:
            found = None if in_digits else near_zero.rewritten(part, walk_far, walk)
            if found is None:
                found = exactly(part, walk)
            known[part.key] = by_rules(part, walk) if found is None else found
        return known[part.key]

    def exactly(part: Expression, walk: Callable[[Expression], Expression]) -> Expression | None:
        found = in_tails(part, walk)
        if found is None and not in_digits:
            found = far_below.rewritten(part, walk_plainly, walk)
        if found is None and not in_digits:
            found = far_out.rewritten(part, walk_plainly, walk)
        return by_fractions(part, walk) if found is None else found

    def by_fractions(
        part: Expression, walk: Callable[[Expression], Expression]
    ) -> Expression | None:
        found = cancellation.rewritten(part, walk)
        return None if found is None else with_joined_exponentials(found)

    def walk_plainly(part: Expression) -> Expression:
        if part.key not in plain:
            found = in_tails(part, walk_plainly)
            found = by_fractions(part, walk_plainly) if found is None else found
            plain[part.key] = by_rules(part, walk_plainly) if found is None else found
        return plain[part.key]

    def walk_far(part: Expression) -> Expression:
        if part.key not in far:
            found = exactly(part, walk_far)
            far[part.key] = by_rules(part, walk_far) if found is None else found
        return far[part.key]

    def by_rules(part: Expression, walk: Callable[[Expression], Expression]) -> Expression:
        node = rebuilt(part, [walk(child) for child in part.children])
        rule = _RULES.get(type(node))
        found = None if rule is None else rule(node, quotients)
        return node if found is None else found

    return walk(expression)


def _may_lose_digits(part: Expression) -> bool:
    if isinstance(part, N.Power):
        k = part.exponent.value if isinstance(part.exponent, N.Number) else Fraction(1, 2)
        return k < 0 or k != int(k)
    return isinstance(part, N.Elementwise)


# -- logarithms ------------------------------------------------------------------------------------


def _elementwise(e: N.Elementwise, quotients: set[bytes]) -> Expression | None:
    if e.name != "log":
        return None
    found = logarithm(e.argument)
    if found is None and has_one(e.argument):
        one = arithmetic.ones(e.rows, e.cols)
        found = elementwise("log1p", add([e.argument, scale(-1, one)]))
    return found


def logarithm(e: Expression) -> Expression | None:
    """The logarithm of a positive expression, without the expression; None where it is no help."""
    rule = _LOGARITHMS.get(type(e))
    return None if rule is None else rule(e)


def _log_of_function(e: N.Elementwise) -> Expression | None:
    z = e.argument
    if e.name == "sigmoid":
        return scale(-1, elementwise("softplus", scale(-1, z)))
    if e.name == "norm_cdf":
        return elementwise("norm_logcdf", z)
    if e.name == "erfc":  # 2Φ(−√2 z)
        root = power(number(2), number(Fraction(1, 2)))
        return add([_filled(_LOG_2, e), elementwise("norm_logcdf", scale(-1, root, z))])
    if e.name == "cosh":
        return _log_of_cosh(z)
    return z if e.name == "exp" else None


def _log_of_cosh(z: Expression) -> Expression:
    """log(1 + 2 sinh²(z/2)) near 0, where cosh is near 1, and |z| + log(1 + e⁻²ᶻ) − log 2 else."""
    size, half = elementwise("abs", z), elementwise("sinh", scale(Fraction(1, 2), z))
    near = elementwise("log1p", scale(2, power(half, number(2))))
    tail = elementwise("softplus", scale(-2, size))
    far = add([size, tail, scale(-1, _filled(_LOG_2, z))])
    return choose(add([_filled(number(1), z), scale(-1, size)]), near, far)


def _log_of_softmax(e: N.Softmax) -> Expression:
    z = e.argument
    total: Expression = N.LogSumExp(z)
    one = arithmetic.ones(z.rows, ONE) if z.is_column else arithmetic.ones(ONE, z.cols)
    spread = scale(total, one) if z.is_column else matmul([total, one])
    return add([z, scale(-1, spread)])


def _log_of_sum(e: N.Sum) -> Expression | None:
    """Log(eᵃ + eᵇ + eᶜ) = a + softplus(b + softplus(c − b) − a)."""
    known = complement(e)
    if known is not None and known[0] > 0:
        of_number = [] if known[0] == 1 else [_filled(elementwise("log", number(known[0])), e)]
        inner = logarithm(known[1])
        return None if inner is None else add([*of_number, inner])
    exponents = [exponent_of(term) for term in e.children]
    found = [z for z in exponents if z is not None]
    if len(found) < len(exponents) or not any(z.used for z in found):
        return None
    # The constant first: it is the usual 1 + exp(a) + exp(b).
    found.sort(key=lambda z: bool(z.used))
    result = found[-1]
    for z in reversed(found[:-1]):
        result = add([z, elementwise("softplus", add([result, scale(-1, z)]))])
    return result


def _log_of_product(e: N.Product) -> Expression | None:
    """Of an entry, and of what `exponent_of` knows: sums of exponentials along an axis."""
    first, last = e.children[0], e.children[-1]
    if isinstance(first, N.Transpose) and isinstance(first.argument, N.Unit):
        inner = logarithm(matmul(e.children[1:]))
        return None if inner is None else matmul([first, inner])
    if isinstance(last, N.Unit):
        inner = logarithm(matmul(e.children[:-1]))
        return None if inner is None else matmul([inner, last])
    z = exponent_of(e)
    return z if z is not None and z.used else None


def _log_of_factors(e: Expression) -> Expression | None:
    """Of a product, where a factor is known to be positive: log(pq) = log p + log q."""
    coefficient = e.coefficient if isinstance(e, N.Scaled) else 1
    if coefficient <= 0:
        return None
    terms: list[Expression] = []
    left: list[Expression] = []
    for factor in e.children:
        found = None if isinstance(factor, N.Det) else logarithm(factor)
        (left if found is None else terms).append(factor if found is None else found)
    if len(left) == 1 and isinstance(left[0], N.Det):
        # All other factors are positive, so that the determinant must be, too.
        terms.append(PositiveLogDet(left.pop().children[0]))
    if not terms:
        return None
    scalars = [factor for factor in left if factor.is_scalar]
    arrays = [factor for factor in left if factor.is_array]
    rest = scale(coefficient, *scalars, *([hadamard(arrays)] if arrays else []))
    if not (isinstance(rest, N.Number) and rest.value == 1):
        terms.append(elementwise("log", rest))
    return add([_filled(term, e) for term in terms])


def _filled(term: Expression, like: Expression) -> Expression:
    if term.is_array or like.is_scalar:
        return term
    return scale(term, N.Ones(like.rows, like.cols))


def _log_of_power(e: N.Power) -> Expression | None:
    if isinstance(e.base, N.Det):
        # An even power is positive where the determinant is not.
        even = isinstance(e.exponent, N.Number) and e.exponent.value % 2 == 0
        return scale(e.exponent, (N.LogDet if even else PositiveLogDet)(e.base.argument))
    inner = logarithm(e.base)
    return None if inner is None else scale(e.exponent, inner)


def _log_of_transpose(e: N.Transpose) -> Expression | None:
    inner = logarithm(e.argument)
    return None if inner is None else arithmetic.transpose(inner)


def _log_of_total(e: N.Total) -> Expression | None:
    return exponent_of(e)


_LOGARITHMS: dict[type[Expression], Callable[[Any], Expression | None]] = {
    N.Elementwise: _log_of_function,
    N.Softmax: _log_of_softmax,
    AxisSoftmax: lambda e: add(
        [e.argument, scale(-1, spread(AxisLogSumExp(e.argument, e.dims), e.dims))]
    ),
    N.Sum: _log_of_sum,
    N.Product: _log_of_product,
    N.Hadamard: _log_of_factors,
    N.Scaled: _log_of_factors,
    N.Power: _log_of_power,
    N.Transpose: _log_of_transpose,
    N.Total: _log_of_total,
    N.Det: lambda e: PositiveLogDet(e.argument),
    SumOver: lambda e: log_of_sum(e, _exponent),
}


# -- quotients -------------------------------------------------------------------------------------


def _reciprocal_of_cosh(z: Expression) -> Expression:
    """2 exp(−|z|)σ(2|z|), which does not overflow."""
    size = elementwise("abs", z)
    factors = [elementwise("exp", scale(-1, size)), elementwise("sigmoid", scale(2, size))]
    return scale(2, *factors) if z.is_scalar else scale(2, hadamard(factors))


def _power(e: N.Power, quotients: set[bytes]) -> Expression | None:
    """(Σ exp(zᵢ))ᵏ with k < 0 as exp(k log Σ exp(zᵢ))."""
    k = e.exponent.value if isinstance(e.exponent, N.Number) else 0
    inside = named(e.base)
    if k < 0 and inside is not None and inside[0] == "cosh":
        return power(_reciprocal_of_cosh(inside[1]), number(-k))
    if k > 0:
        return root_in_range(e)
    if k >= 0 or not isinstance(e.base, N.Sum | N.Total | N.Product | SumOver):
        return None
    z = logarithm(e.base)
    if z is None or not z.used:
        return None
    result = elementwise("exp", scale(k, z))
    quotients.add(result.key)
    return result


def _multiple(e: Expression, quotients: set[bytes]) -> Expression | None:
    """exp(a) exp(−log Σ) as one exponential, so that neither overflows."""
    moved = quotient_in_sums(e, quotients) if isinstance(e, N.Scaled) else None
    if moved is not None:
        return moved
    e = _with_roots_as_exponentials(e, quotients)
    joined = joined_exponentials(e)
    if joined is not None:
        return joined
    pieces = [
        piece
        for factor in e.children
        for term in (factor.children if isinstance(factor, N.Sum) else (factor,))
        for piece in (term, *(term.children if isinstance(term, N.Scaled | N.Hadamard) else ()))
    ]
    divides = any(isinstance(f, N.Power) and _exponent(f) is not None for f in e.children)
    if not divides and not any(piece.key in quotients for piece in pieces):
        return None
    exponents: list[Expression] = []
    rest: list[Expression] = []
    for factor in e.children:
        z = _exponent(factor)
        (rest if z is None else exponents).append(factor if z is None else z)
    opened = _opened(e, quotients)
    if opened is not None:
        return opened
    if len(exponents) < 2:
        return None
    filled = exponents
    if any(z.is_array for z in exponents):
        like = next(z for z in exponents if z.is_array)
        filled = [_filled(z, like) for z in exponents]
    together = elementwise("exp", add(filled))
    quotients.add(together.key)
    scalars = [factor for factor in (*rest, together) if factor.is_scalar]
    arrays = [factor for factor in (*rest, together) if factor.is_array]
    coefficient = parts(e)[0] if isinstance(e, N.Scaled) else 1
    return scale(coefficient, *scalars, *([hadamard(arrays)] if arrays else []))


def _with_roots_as_exponentials(e: Expression, quotients: set[bytes]) -> Expression:
    """exp(a) σ(z)ᵏ with exp(−k softplus(−z)) for the root: σ is 0 where its root is not."""
    if not any(_exponent(factor) is not None for factor in e.children):
        return e
    factors = []
    for factor in e.children:
        k = factor.exponent if isinstance(factor, N.Power) else None
        z = argument_of("sigmoid", factor.base) if isinstance(factor, N.Power) else None
        if z is None or not isinstance(k, N.Number) or k.value == int(k.value):
            factors.append(factor)
            continue
        root = elementwise("exp", scale(-k.value, elementwise("softplus", scale(-1, z))))
        quotients.add(root.key)
        factors.append(root)
    if all(new is old for new, old in zip(factors, e.children, strict=True)):
        return e
    scalars = [factor for factor in factors if factor.is_scalar]
    arrays = [factor for factor in factors if factor.is_array]
    coefficient = parts(e)[0] if isinstance(e, N.Scaled) else 1
    return scale(coefficient, *scalars, *([hadamard(arrays)] if arrays else []))


def _opened(e: Expression, quotients: set[bytes]) -> Expression | None:
    """(eᵃ − eᵇ)/Σ with a quotient for each term, none of which overflows."""
    for i, factor in enumerate(e.children):
        if not isinstance(factor, N.Sum):
            continue
        terms = [parts(term) for term in factor.children]
        bodies = [arithmetic.assemble(magnitude(c), s, array) for c, s, array in terms]
        if any(exponent_of(body) is None for body in bodies):
            continue
        products = []
        for term in factor.children:
            chosen = [*e.children[:i], term, *e.children[i + 1 :]]
            scalars = [factor for factor in chosen if factor.is_scalar]
            arrays = [factor for factor in chosen if factor.is_array]
            coefficient = parts(e)[0] if isinstance(e, N.Scaled) else 1
            whole = scale(coefficient, *scalars, *([hadamard(arrays)] if arrays else []))
            found = _multiple(whole, quotients)
            products.append(whole if found is None else found)
        return add(products)
    return None


def _exponent(factor: Expression) -> Expression | None:
    z = argument_of("exp", factor)
    if z is None and isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        inner = argument_of("exp", factor.base)
        return None if inner is None else scale(factor.exponent, inner)
    return z


def _sum(e: N.Sum) -> Expression | None:
    found = with_exact_tails(e)
    known = with_known_differences(e if found is None else found)
    return found if known is None else known


Rule = Callable[[Any, set[bytes]], Expression | None]

_RULES: dict[type[Expression], Rule] = {
    N.Elementwise: _elementwise,
    N.Power: _power,
    N.Scaled: _multiple,
    N.Hadamard: _multiple,
    N.Sum: lambda e, quotients: _sum(e),
}
