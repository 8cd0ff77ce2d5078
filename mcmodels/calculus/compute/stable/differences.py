"""Differences of two values of one function, and of roots, that are known in another form.

σ(a) − σ(b) of two numbers far out, Φ(a) − Φ(b) in the upper tail, √(1 + z) − 1 at a small z are
smaller than the rounding of their terms.
"""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.arithmetic.quotients import complement, named
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import magnitude, number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["is_known_difference", "with_known_differences"]

_MOST = 40  # terms of sums of which all pairs are looked at
_HALF = Fraction(1, 2)
_ROOT_OF_2 = power(number(2), number(_HALF))


def with_known_differences(e: Expression) -> Expression | None:
    """A sum with such pairs of terms in their other form; None where there is none."""
    if not isinstance(e, N.Sum) or len(e.children) > _MOST:
        return None
    left = list(e.children)
    done: list[Expression] = []
    i = 0
    while i < len(left):
        for j in range(i + 1, len(left)):
            found = _pair(left[i], left[j])
            if found is not None:
                done.append(found)
                del left[j], left[i]
                break
        else:
            i += 1
    return add([*done, *left]) if done else None


def is_known_difference(e: Expression) -> bool:
    """Whether it is a sum of two terms that has another form."""
    return isinstance(e, N.Sum) and len(e.children) == 2 and _pair(*e.children) is not None


def _pair(one: Expression, other: Expression) -> Expression | None:
    """The sum of two terms, where it has another form."""
    mills = _of_mills(one, other)
    if mills is not None:
        return mills
    for first, second in ((one, other), (other, one)):
        found = _difference(first, second)
        if found is not None:
            return found
    return None


def _difference(one: Expression, other: Expression) -> Expression | None:
    """C · rest · (f − g), where f is a function or a root, and f − g has another form."""
    c, d = parts(one)[0], parts(other)[0]
    mine, others = _factors(one), _factors(other)
    keys = {factor.key for factor in mine} & {factor.key for factor in others}
    f = [factor for factor in mine if factor.key not in keys]
    g = [factor for factor in others if factor.key not in keys]
    if len(f) != 1 or len(g) > 2 or c == 0:
        return None
    ratio, plain = d / c, ones(one.rows, one.cols)
    found = named(f[0])
    name = None if found is None else found[0]
    if name not in _NAMES and not _is_root(f[0]):
        return None
    inside = [found[0] for found in map(named, g) if found is not None]
    if name in _OF_TWO and (len(g) == 1 or name not in _OF_ONE):
        fits = ratio == -1 and inside == [name]
    elif name in _OF_ONE:
        fits = not g and magnitude(ratio) == 1
    else:
        fits = name is None or inside in (["norm_cdf"], ["gelu"])
    if not fits:
        return None
    # Scalars stand without the ones that make arrays of them.
    is_scalar = f[0].is_scalar and all(factor.is_scalar for factor in g)
    below = scale(-ratio, product([scale(1), *([] if is_scalar else [plain]), *g]))
    if (below.rows, below.cols) != (f[0].rows, f[0].cols):
        return None
    known = complement(add([f[0], scale(-1, below)])) if not g else None
    form = (_of_functions if found is not None else _of_roots)(f[0], below)
    if known is not None:
        form = scale(known[0], known[1])
    if form is None:
        return None
    rest = [factor for factor in mine if factor.key in keys]
    return scale(c, product([scale(1), plain, *rest, form]))


# Of two values of one function, and of a value and 1.
_OF_TWO = frozenset({"exp", "expm1", "sigmoid", "tanh", "norm_cdf", "erf"})
_OF_ONE = frozenset({"norm_cdf", "erf", "cos"})
_NAMES = _OF_TWO | _OF_ONE | {"norm_pdf"}


def _factors(term: Expression) -> tuple[Expression, ...]:
    _, scalars, array = parts(term)
    if array is None or isinstance(array, N.Ones):
        return scalars
    return (*scalars, *(array.children if isinstance(array, N.Hadamard) else (array,)))


def _is_root(e: Expression) -> bool:
    return isinstance(e, N.Power) and e.exponent == number(_HALF)


# -- functions -------------------------------------------------------------------------------------


def _of_functions(f: Expression, g: Expression) -> Expression | None:
    """The difference f − g."""
    first = named(f)
    if first is None:
        return None
    name, a = first
    if name == "cos" and g == ones(f.rows, f.cols):  # cos(a) − 1 = −2 sin²(a/2)
        return scale(-2, power(elementwise("sin", scale(_HALF, a)), number(2)))
    if name == "norm_pdf":
        return _of_density(f, g, a)
    second = named(g)
    if second is None or second[0] != name or (a.rows, a.cols) != (g.rows, g.cols):
        return None
    b = second[1]
    if not a.used or not b.used:
        return None
    half_gap = elementwise("tanh", scale(_HALF, add([a, scale(-1, b)])))
    if name in ("exp", "expm1"):
        return product([half_gap, add([elementwise("exp", a), elementwise("exp", b)])])
    if name == "sigmoid":
        return product([half_gap, _either_but_not_both(a, b)])
    if name == "tanh":
        gap = elementwise("tanh", add([a, scale(-1, b)]))
        return scale(2, product([gap, _either_but_not_both(scale(2, a), scale(2, b))]))
    if name == "norm_cdf":
        return _of_normal(a, b)
    if name == "erf":
        return scale(2, _of_normal(scale(_ROOT_OF_2, a), scale(_ROOT_OF_2, b)))
    return None


def _either_but_not_both(a: Expression, b: Expression) -> Expression:
    """σ(a)σ(−b) + σ(−a)σ(b)."""
    return add(
        [
            product([elementwise("sigmoid", a), elementwise("sigmoid", scale(-1, b))]),
            product([elementwise("sigmoid", scale(-1, a)), elementwise("sigmoid", b)]),
        ]
    )


def _of_normal(a: Expression, b: Expression) -> Expression:
    """Φ(a) − Φ(b), by Φ(−b) − Φ(−a) above 0, and by erf near 0."""

    def minus(name: str, a: Expression, b: Expression) -> Expression:
        return add([elementwise(name, a), scale(-1, elementwise(name, b))])

    root = power(number(2), number(-_HALF))
    near = scale(_HALF, minus("erf", scale(root, a), scale(root, b)))
    far = choose(
        add([a, b]),
        minus("norm_cdf", scale(-1, b), scale(-1, a)),
        minus("norm_cdf", a, b),
    )
    sizes = [scale(-1, elementwise("abs", z)) for z in (a, b)]
    return choose(add([ones(a.rows, a.cols), *sizes]), near, far)


def _of_density(f: Expression, g: Expression, a: Expression) -> Expression | None:
    """φ(a) + aΦ(a) = Φ(a)(a + φ(a)/Φ(a))."""
    for w in (a, scale(-1, a)):
        cdf = elementwise("norm_cdf", w)
        if g in (scale(-1, product([w, cdf])), scale(-1, elementwise("gelu", w))):
            return product([cdf, elementwise("inverse_mills_gap", w)])
    return None


def _of_mills(one: Expression, other: Expression) -> Expression | None:
    """1 + w/h(w) = (w + h(w))/h(w) for h = φ/Φ, of which both are small far below 0."""
    for plain, term in ((one, other), (other, one)):
        factors = _factors(term)
        if _factors(plain) and plain.used:
            continue
        for factor in factors:
            base = factor.base if isinstance(factor, N.Power) else None
            found = None if base is None else named(base)
            if found is None or found[0] != "inverse_mills":
                continue
            if isinstance(factor, N.Power) and factor.exponent != number(-1):
                continue
            if term == product([plain, found[1], factor]):
                gap = elementwise("inverse_mills_gap", found[1])
                return product([plain, gap, factor])
    return None


# -- roots -----------------------------------------------------------------------------------------


def _of_roots(f: Expression, g: Expression) -> Expression | None:
    """√A − B = (A − B²)/(√A + B) where B > 0, if less is left of A − B² than of A."""
    if not _is_root(f) or not isinstance(f, N.Power) or not isinstance(f.base, N.Sum):
        return None
    left = add([f.base, scale(-1, power(g, number(2)))])
    terms = left.children if isinstance(left, N.Sum) else (left,)
    if len(terms) >= len(f.base.children):
        return None
    total = add([f, g])
    quotient = product([left, power(total, number(-1))])
    if parts(g)[0] > 0 and all(_is_root(e) or not e.used for e in _factors(g)):
        return quotient
    return choose(g, quotient, add([f, scale(-1, g)]))
