"""Exponentials, and the functions that stand for sums and quotients of them.

What people type as log(1 + exp(z)), 1/(1 + exp(-z)), exp(x)/sum(exp(x)) overflows at z = 710. It is
softplus(z), σ(z), softmax(x), and becomes so as it is put together. The rules are entered where
products and powers are made (`entrywise`), and in `elementwise` for functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from mcmodels.calculus.core.arithmetic.constants import is_zero, zeros_like
from mcmodels.calculus.core.arithmetic.entrywise import (
    Powers,
    add,
    parts,
    power,
    recognises,
    scale,
)
from mcmodels.calculus.core.arithmetic.products import matmul, vec
from mcmodels.calculus.core.arithmetic.quotients import (
    function,
    joined_quotients,
    power_of_sum,
    whole,
)
from mcmodels.calculus.core.arithmetic.transposes import transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    Det,
    DiagonalMatrix,
    Elementwise,
    Hadamard,
    LogDet,
    LogSumExp,
    Number,
    Ones,
    Power,
    Product,
    Scaled,
    SizeValue,
    Softmax,
    Sum,
    Symbol,
    Total,
    Transpose,
    Unit,
)
from mcmodels.calculus.core.numbers import Value, number
from mcmodels.calculus.core.sizes import ONE

__all__ = ["argument_of", "exponent_of", "function", "recognised"]


def argument_of(name: str, e: Expression) -> Expression | None:
    """The z of f(z), for the function f of that name; None for anything else."""
    if isinstance(e, Transpose):
        inner = argument_of(name, e.argument)
        return None if inner is None else transpose(inner)
    return e.argument if isinstance(e, Elementwise) and e.name == name else None


def exponent_of(e: Expression) -> Expression | None:
    """The z with e = exp(z), entry by entry, where e is made of exponentials; else None.

    Positive numbers and sizes count as exponentials: of their logarithms.
    """
    rule = _EXPONENTS.get(type(e))
    return None if rule is None else rule(e)


def _of_number(e: Number) -> Expression | None:
    if e.value <= 0:
        return None
    if e.value < 1:
        return scale(-1, Elementwise("log", number(1 / e.value)))
    return number(0) if e.value == 1 else Elementwise("log", e)


def _of_multiple(e: Scaled) -> Expression | None:
    if e.coefficient <= 0:
        return None
    factors = [Number(e.coefficient), *e.children]
    exponents = _exponents(factors)
    if exponents is None:
        return None
    ones = [] if e.array is None else [Ones(e.array.rows, e.array.cols)]
    return add([z if z.is_array or not ones else scale(z, *ones) for z in exponents])


def _of_product(e: Product) -> Expression | None:
    """Of an entry, of sums along rows or columns, and of a column or row that is repeated."""
    first, last = e.children[0], e.children[-1]
    if isinstance(last, Unit):
        return _mapped(matmul(e.children[:-1]), lambda z: matmul([z, last]))
    if isinstance(first, Transpose) and isinstance(first.argument, Unit):
        return _mapped(matmul(e.children[1:]), lambda z: matmul([first, z]))
    if isinstance(last, Ones):
        rest = matmul(e.children[:-1])
        if last.rows == ONE:
            return _mapped(rest, lambda z: matmul([z, last]))
        row = [] if last.is_column else [Ones(ONE, last.cols)]
        return _mapped(rest, lambda z: matmul([_log_of_row_sums(z), *row]))
    if isinstance(first, Ones):
        rest = matmul(e.children[1:])
        if first.is_column:
            return _mapped(rest, lambda z: matmul([first, z]))
        if first.rows == ONE:
            return _mapped(rest, lambda z: transpose(_log_of_row_sums(transpose(z))))
    return None


def _mapped(e: Expression, change: Callable[[Expression], Expression]) -> Expression | None:
    z = exponent_of(e)
    return None if z is None or not z.used else change(z)


def _log_of_row_sums(z: Expression) -> Expression:
    return LogSumExp(transpose(z) if z.rows == ONE else z)


def _exponents(factors: Sequence[Expression]) -> list[Expression] | None:
    # One that is no exponential ends the search: else shared parts would be walked again and again.
    if any(type(factor) not in _EXPONENTS or _is_other(factor) for factor in factors):
        return None
    found = []
    for factor in factors:
        z = exponent_of(factor)
        if z is None:
            return None
        found.append(z)
    return found


def _is_other(e: Expression) -> bool:
    """Whether it is an elementwise function that is no exponential."""
    return isinstance(e, Elementwise) and e.name != "exp"


def _of_factors(e: Hadamard) -> Expression | None:
    exponents = _exponents(e.children)
    return None if exponents is None else add(exponents)


def _of_power(e: Power) -> Expression | None:
    z = exponent_of(e.base)
    return None if z is None or not isinstance(e.exponent, Number) else scale(e.exponent, z)


_EXPONENTS: dict[type[Expression], Callable[..., Expression | None]] = {
    Number: _of_number,
    SizeValue: lambda e: Elementwise("log", e),
    Ones: zeros_like,
    Elementwise: lambda e: e.argument if e.name == "exp" else None,
    Scaled: _of_multiple,
    Hadamard: _of_factors,
    Power: _of_power,
    Product: _of_product,
    Total: lambda e: _mapped(e.argument, lambda z: LogSumExp(vec(z))),
    Transpose: lambda e: _mapped(e.argument, transpose),
    Sum: lambda e: _log_of_sum(e),
}


# -- logarithms ------------------------------------------------------------------------------------


def recognised(name: str, argument: Expression) -> Expression | None:
    """What a function of exponentials is: log(1 + exp(z)) is softplus(z), and so on."""
    if name == "log":
        if isinstance(argument, Det):
            return _log_of_determinant(argument.argument)
        size_of = argument_of("abs", argument)
        if isinstance(size_of, Det):
            return LogDet(size_of.argument)
        difference = _log_of_difference(argument) if isinstance(argument, Sum) else None
        if difference is not None:
            return difference
        return exponent_of(argument) if argument.used else None
    if name == "log1p":
        z = exponent_of(argument) if argument.used else None
        return None if z is None else function("softplus", z)
    return None


def _log_of_sum(e: Sum) -> Expression | None:
    """log(eᵘ + eᵛ) = u + softplus(v − u); of more terms it stays, and is computed so."""
    if len(e.children) != 2 or not e.used:
        return None
    exponents = _exponents(e.children)
    if exponents is None:
        return None
    u, v = exponents
    if v.used and not u.used:
        u, v = u, v
    elif u.used and not v.used:
        u, v = v, u
    return add([u, function("softplus", add([v, scale(-1, u)]))])


def _log_of_difference(e: Sum) -> Expression | None:
    """Log c(σ(u) − σ(v)) by σ(u) − σ(v) = σ(u)σ(−v)(1 − exp(v − u)), of ordinal models."""
    if len(e.children) != 2:
        return None
    each = [parts(term) for term in e.children]
    bodies = [(*scalars, *([] if array is None else [array])) for _, scalars, array in each]
    if any(len(factors) != 1 for factors in bodies):
        return None
    (c, d), (u, v) = (
        [term[0] for term in each],
        [argument_of("sigmoid", factors[0]) for factors in bodies],
    )
    if u is None or v is None or c != -d:
        return None
    if c < 0:
        c, u, v = d, v, u
    filled = [] if e.is_scalar else [Ones(e.rows, e.cols)]
    ratio = function("exp", add([v, scale(-1, u)]))
    terms = [
        scale(-1, function("softplus", scale(-1, u))),
        scale(-1, function("softplus", v)),
        function("log", add([scale(1, *filled), scale(-1, ratio)])),
    ]
    return add(terms if c == 1 else [*terms, scale(Elementwise("log", number(c)), *filled)])


def _log_of_determinant(X: Expression) -> Expression | None:
    """log|X|, where the determinant is known to be positive."""
    declared = isinstance(X, Symbol) and "positive_definite" in X.declared
    return LogDet(X) if declared else None


# -- quotients -------------------------------------------------------------------------------------


@recognises("power")
def _reciprocal(base: Expression, exponent: Value) -> Expression | None:
    """(c + d exp(u))ᵏ as cᵏ σ(log(c/d) − u)⁻ᵏ, for k < 0; and what `quotients` knows."""
    if not isinstance(base, Sum) or len(base.children) != 2:
        return None
    found = power_of_sum(base, exponent)
    if found is not None or exponent >= 0:
        return found
    one, other = base.children
    if one.used:
        one, other = other, one
    c, scalars, array = parts(one)
    if scalars or not isinstance(array, Ones | None) or c <= 0 or _holds_another(other):
        return None
    z = exponent_of(other if c == 1 else scale(1 / c, other))
    if z is None or not z.used:
        return None
    sigmoid = power(function("sigmoid", scale(-1, z)), number(-exponent))
    return scale(power(number(c), number(exponent)), sigmoid)


@recognises("product")
def _joined(factors: Powers) -> Powers | None:
    """exp(u)σ(−u) = σ(u), (eᵃ − eᵇ)/(eᵃ + eᵇ) = tanh((a − b)/2), among factors of a product."""
    quotient = joined_quotients(factors)
    if quotient is not None:
        return quotient
    wholes = [(i, base, whole(exponent)) for i, (base, exponent) in enumerate(factors)]
    known = [(i, base, k) for i, base, k in wholes if k is not None]
    belows = [each for each in known if _may_be_below(*each[1:])]
    aboves = [each for each in known if _may_be_above(*each[1:])] if belows else []
    for i, below, k in belows:
        for j, above, m in aboves:
            found = _pair(above, m, below, k) if i != j else None
            if found is not None:
                rest = [pair for n, pair in enumerate(factors) if n not in (i, j)]
                return [*rest, *found]
    return None


def _may_be_below(base: Expression, k: int) -> bool:
    """Whether `_pair` knows of such a factor: before pairs are looked at, which are many."""
    if k > 0 and argument_of("sigmoid", base) is not None:
        return True
    return isinstance(base, Product) or (k < 0 and isinstance(base, Sum))


def _may_be_above(base: Expression, m: int) -> bool:
    return argument_of("exp", base) is not None or (m > 0 and _difference(base) is not None)


def _pair(above: Expression, m: int, below: Expression, k: int) -> Powers | None:
    """Two factors aboveᵐ and belowᵏ joined."""
    w = argument_of("sigmoid", below) if k > 0 else None
    u = argument_of("exp", above)
    if w is not None and u is not None:
        # Each eᵘ = c e⁻ʷ turns a σ(w) into cσ(−w).
        sign = 1 if m > 0 else -1
        c = _number_of(add([scale(sign, u), w]))
        if c is None:
            return None
        n = min(sign * m, k)
        turned = function("sigmoid", scale(-1, w))
        return _powers((above, m - sign * n), (below, k - n), (turned, n), (number(c**n), 1))
    below, k = _over_repeated(below, k)
    if k < 0 < m and u is not None and isinstance(below, Product) and not u.is_column:
        # exp(Z) over the sums of its rows, each of them repeated along its row.
        if exponent_of(below) != matmul([LogSumExp(u), Ones(ONE, u.cols)]):
            return None
        n = min(m, -k)
        return _powers((above, m - n), (below, k + n), (Softmax(u), n))
    if m > 0 and isinstance(above, Sum):
        difference = _difference(above)
        if difference is None:
            return None
        c, a, b = difference
        gap = add([a, scale(-1, b)])
        half = function("tanh", scale(Fraction(1, 2), gap))
        if w is not None:
            # σ(w) is 1/(1 + e⁻ʷ): of a and b one must be 0, and the other −w.
            if {is_zero(a), is_zero(b)} != {True, False}:
                return None
            if (b if is_zero(a) else a) != scale(-1, w):
                return None
            n = min(m, k)
            factor = number(c**n)
            return _powers((above, m - n), (below, k - n), (half, n), (factor, 1))
        total = _total(below) if k < 0 else None
        if total is not None and {a.key, b.key} == {z.key for z in total[1:]}:
            n = min(m, -k)
            factor = number((c / total[0]) ** n)
            return _powers((above, m - n), (below, k + n), (half, n), (factor, 1))
    return None


def _over_repeated(e: Expression, k: int) -> tuple[Expression, int]:
    """(u⁻¹1ᵀ)ᵏ, in normal form, as (u1ᵀ)⁻ᵏ; others as they are."""
    if isinstance(e, Product) and len(e.children) == 2:
        line, ones = e.children
        if isinstance(line, Power) and isinstance(ones, Ones) and ones.rows == ONE:
            power = whole(line.exponent)
            if power is not None and power < 0:
                return Product((line.base, ones)), power * k
    return e, k


def _number_of(exponent: Expression) -> Value | None:
    """The c of exp(exponent) = c, where the exponent is 0 or ± log(c)."""
    if exponent.used:
        return None
    if is_zero(exponent):
        return Fraction(1)
    coefficient, scalars, array = parts(exponent)
    if isinstance(array, Ones) and len(scalars) == 1:
        exponent, array = scalars[0], None
    elif array is None and len(scalars) == 1:
        exponent = scalars[0]
    inside = argument_of("log", exponent) if array is None else None
    if not isinstance(inside, Number) or abs(coefficient) != 1:
        return None
    return inside.value if coefficient == 1 else 1 / inside.value


def _powers(*pairs: tuple[Expression, int]) -> Powers:
    return [(base, number(k)) for base, k in pairs if k != 0]


def _two_exponentials(e: Expression, ratio: int) -> list[tuple[Value, Expression]] | None:
    """A sum of two terms c exp(z), as pairs of c and z, where their numbers have the ratio ±1."""
    if not isinstance(e, Sum) or len(e.children) != 2:
        return None
    if any(map(_holds_another, e.children)):  # this first: most sums are no such
        return None
    first, second = (parts(term)[0] for term in e.children)
    if first != (second if ratio == 1 else -second):
        return None
    numbers = (first, second)
    found = []
    for c, term in zip(numbers, e.children, strict=True):
        z = exponent_of(scale(1 / c, term))
        if z is None:
            return None
        found.append((c, z))
    return found


def _holds_another(term: Expression) -> bool:
    """Whether a factor of a term is another function than exp: told without any arithmetic."""
    factors = term.children if isinstance(term, Scaled | Hadamard) else (term,)
    return any(type(factor) not in _EXPONENTS or _is_other(factor) for factor in factors)


def _difference(e: Expression) -> tuple[Value, Expression, Expression] | None:
    """C, a, b of c(eᵃ − eᵇ) with c > 0."""
    pair = _two_exponentials(e, -1)
    if pair is None:
        return None
    (c, a), (_, b) = pair if pair[0][0] > 0 else pair[::-1]
    return c, a, b


def _total(e: Expression) -> tuple[Value, Expression, Expression] | None:
    """C, a, b of c(eᵃ + eᵇ)."""
    pair = _two_exponentials(e, 1)
    return None if pair is None else (pair[0][0], pair[0][1], pair[1][1])


@recognises("multiple")
def _softmax(
    scalars: Sequence[tuple[Expression, Expression]], array: Expression | None
) -> tuple[Powers, Expression | None] | None:
    """exp(x)/sum(exp(x)) as softmax(x), where exp(x) stands in an array or a product."""
    for i, (base, exponent) in enumerate(scalars):
        k = whole(exponent)
        if k is None or k >= 0 or not isinstance(base, Total):
            continue
        x = argument_of("exp", base.argument)
        if x is None or not x.is_column:
            continue
        less = [*scalars[:i], *([(base, number(k + 1))] if k < -1 else []), *scalars[i + 1 :]]
        if array is not None:
            found = _exchanged(array, base.argument, Softmax(x))
            if found is not None:
                return less, found
        for j, (other, power_of_other) in enumerate(less):
            if whole(power_of_other) != 1:
                continue
            found = _exchanged(other, base.argument, Softmax(x))
            if found is not None:
                return [*less[:j], (found, number(1)), *less[j + 1 :]], array
    return None


def _exchanged(e: Expression, old: Expression, new: Expression) -> Expression | None:
    """A product of arrays with one factor replaced, None where it is no factor."""
    if e == old:
        return new
    if isinstance(e, Transpose | DiagonalMatrix):
        inner = _exchanged(e.argument, old, new)
        return None if inner is None else type(e)(inner)
    if isinstance(e, Product | Hadamard):
        for i, factor in enumerate(e.children):
            found = _exchanged(factor, old, new)
            if found is not None:
                return type(e)((*e.children[:i], found, *e.children[i + 1 :]))
    return None
