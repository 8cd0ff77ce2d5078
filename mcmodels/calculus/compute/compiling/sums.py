"""NumPy code for sums, multiples, elementwise products and powers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.applying import kron_of
from mcmodels.calculus.compute.compiling.code import Snippet, is_line
from mcmodels.calculus.compute.compiling.tails import logistic_pair, square_of_root
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, matmul, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, magnitude
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.text.printing.structure import fraction, is_half

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS"]


def _number(value: Value) -> Snippet:
    if isinstance(value, Fraction) and value.denominator == 1:
        return Snippet(str(value.numerator), atom=value >= 0)
    return Snippet(repr(float(value)), atom=value >= 0)


def _sum(w: Writer, e: N.Sum) -> Snippet:
    """Dense terms first; multiples of the identity and diagonal matrices are added in place."""
    on_diagonal = [t for t in e.children if isinstance(parts(t)[2], N.Identity | N.DiagonalMatrix)]
    dense = [term for term in e.children if term not in on_diagonal]
    if not on_diagonal or not dense:
        return _plain_sum(w, list(e.children))
    if len(dense) > 1:
        total = w.code.assign(_plain_sum(w, dense))
    elif dense[0].key in w.known or w.uses.get(dense[0].key, 0) > 1 or not dense[0].children:
        total = w.code.assign(f"{w.value(dense[0]).grouped} + 0.0")
    else:
        text = w.written(dense[0])
        total = w.code.assign(text if text.fresh else f"{text.grouped} + 0.0")
    for term in on_diagonal:
        coefficient, scalars, array = parts(term)
        assert array is not None
        body = [array.children[0]] if isinstance(array, N.DiagonalMatrix) else []
        entries = w.value(scale(coefficient, *scalars, *body))
        w.code.do(f"{total}.flat[:: {total}.shape[0] + 1] += {entries}")
    return total


def _plain_sum(w: Writer, terms: list[Expression]) -> Snippet:
    text = ""
    filled = [isinstance(parts(term)[2], N.Ones) for term in terms]
    ordered = sorted(terms, key=lambda term: parts(term)[0] < 0)
    spread = [_spread_side(term) is not None for term in terms]
    for term in ordered:
        coefficient, scalars, array = parts(term)
        if isinstance(array, N.Ones) and not all(filled):
            array = None
        body = assemble(magnitude(coefficient), scalars, array)
        full = any(not (fills or spreads) for fills, spreads in zip(filled, spread, strict=True))
        value = Snippet(_spread(w, body)) if full and _spread_side(body) else w.value(body)
        if not text:
            text = f"-{value.grouped}" if coefficient < 0 else value.term
        else:
            text += f" - {value.term}" if coefficient < 0 else f" + {value.term}"
    return Snippet(text, atom=False, fresh=True)


def _scaled(w: Writer, e: N.Scaled) -> Snippet:
    above, below = fraction(e.scalars)
    array = e.array
    size = magnitude(e.coefficient)
    factors = [] if size == 1 else [_number(size)]
    above, joined = _without_pairs(w, above)
    factors += [*(w.value(factor) for factor in above), *joined]
    if isinstance(array, N.Kron) and factors and not is_line(array):
        # The scalars multiply a small factor, not the large product.
        left, right = array.left, array.right
        if isinstance(left, N.Identity):
            right = scale(e.coefficient, *e.scalars, right)
        else:
            left = scale(e.coefficient, *e.scalars, left)
        return kron_of(w, left, right)
    if array is not None:
        factors.append(w.value(array))
    text = " * ".join(factor.grouped for factor in factors) or "1.0"
    for factor in below:
        text += f" / {w.value(factor).grouped}"
    negative = e.coefficient < 0
    return Snippet(f"-{text}" if negative else text, False, fresh=e.is_array, product=not negative)


def _hadamard(w: Writer, e: N.Hadamard) -> Snippet:
    above, below = fraction(e.children)
    above, joined = _without_pairs(w, above)
    sides = {side and side[1] for side in map(_spread_side, [*above, *below])}
    # Where all are spread along one axis, nothing would give the product its other axis.
    keep_spread = bool(joined) or len(sides) > 1
    texts = [_factor(w, factor, keep_spread) for factor in above]
    texts += [pair.grouped for pair in joined]
    text = " * ".join(texts) or "1.0"
    for factor in below:
        text += f" / {_factor(w, factor, keep_spread)}"
    return Snippet(text, atom=False, fresh=True, product=True)


def _factor(w: Writer, factor: Expression, spread: bool) -> str:
    return _spread(w, factor) if spread else w.value(factor).grouped


def _without_pairs(w: Writer, factors: list[Expression]) -> tuple[list[Expression], list[Snippet]]:
    """The factors without pairs σ(u), σ(−u), and code for each pair."""
    joined = []
    while (pair := logistic_pair(factors)) is not None:
        joined.append(square_of_root(w, factors[pair[0]]))
        factors = [factor for i, factor in enumerate(factors) if i not in pair]
    return factors, joined


def _spread(w: Writer, factor: Expression) -> str:
    """A part of an elementwise operation; u1ᵀ is broadcast rather than formed."""
    side = _spread_side(factor)
    if side is None:
        return w.value(factor).grouped
    vector, axes = side
    return f"{w.value(vector).grouped}[{axes}]"


def _spread_side(factor: Expression) -> tuple[Expression, str] | None:
    """U of u1ᵀ or of 1uᵀ, and how it is indexed to be broadcast."""
    coefficient, scalars, array = parts(factor)
    if not isinstance(array, N.Product) or is_line(array):
        return None
    first, last = array.children[0], array.children[-1]
    if isinstance(last, N.Ones) and last.rows == ONE:
        return assemble(coefficient, scalars, matmul(array.children[:-1])), ":, np.newaxis"
    if isinstance(first, N.Ones) and first.is_column:
        return assemble(coefficient, scalars, matmul(array.children[1:])), "np.newaxis, :"
    return None


def _power(w: Writer, e: N.Power) -> Snippet:
    base = w.value(e.base)
    if not isinstance(e.exponent, N.Number):
        text = f"{base.grouped} ** {w.value(e.exponent).grouped}"
    elif is_half(e.exponent.value):
        return Snippet(f"np.sqrt({base})", fresh=True)
    elif e.exponent.value < 0:
        text = f"1 / {w.value(fraction((e,))[1][0]).grouped}"
    else:
        text = f"{base.grouped} ** {_number(e.exponent.value).grouped}"
    return Snippet(text, atom=False, fresh=True, product=True)


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    N.Number: lambda w, e: _number(e.value),
    N.Sum: _sum,
    N.Scaled: _scaled,
    N.Hadamard: _hadamard,
    N.Power: _power,
}
