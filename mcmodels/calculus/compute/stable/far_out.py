"""Functions of one number whose terms cancel far out, computed there by their series.

z/√(1 + z²) − 1, the derivatives of Mills' ratio, σ(z) − log(1 + eᶻ) and log(softplus(z)e⁻ᶻ) are the
like. They are series in t = 1/|u|, or in t = exp(−|u|), where t is small: above a bound of u, below
one, or both. That of Mills' ratio does not converge: its terms are used where they fall far enough
(Abramowitz and Stegun, 26.2.12).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import with_base
from mcmodels.calculus.compute.stable.near_zero import NearZero, Walk, enough, has_one
from mcmodels.calculus.compute.stable.power_series import FUNCTIONS, NoSeriesError, Series
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["ByExponentials", "FarOut"]

_FARTHER = (1.4, 1.3, 1.2, 1.1)
_MOST_TERMS = 8  # of sums that are looked at: in longer ones other terms hide what cancels
_MILLS = frozenset({"inverse_mills", "inverse_mills_gap"})
_HIGHEST = 16  # power of exp(-|u|) in a series, which holds all lower ones
_EXPONENTIALS = frozenset({"exp", "expm1", "sigmoid", "tanh", "sinh", "cosh", "softplus"})
_ENTRYWISE = (N.Sum, N.Scaled, N.Hadamard, N.Power, N.Elementwise)


class FarOut:
    """What is known of the parts of one expression.

    Parameters
    ----------
    is_exact : callable
        Whether an expression keeps all digits in another form.
    """

    def __init__(self, is_exact: Callable[[Expression], bool]) -> None:
        self._ends = [
            end(is_exact, above) for end in (_ByPowers, ByExponentials) for above in (True, False)
        ]

    def rewritten(self, e: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        """An equal expression that keeps its digits far out; None where it keeps them as it is.

        ``plainly`` rewrites what is used elsewhere, ``walk`` the other factors.
        """
        return self._from(0, e, plainly, walk)

    def _from(self, start: int, e: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        for i in range(start, len(self._ends)):

            def rest(part: Expression, following: int = i + 1) -> Expression:
                found = self._from(following, part, plainly, walk)
                return plainly(part) if found is None else found

            found = self._ends[i].rewritten(e, rest, walk)
            if found is not None:
                return found
        return None


class _End(NearZero):
    """Series in a small t > 0 at one end of a number u."""

    def __init__(self, is_exact: Callable[[Expression], bool], above: bool) -> None:
        super().__init__(is_exact)
        self._sign = 1 if above else -1
        self._holding: dict[bytes, bool] = {}

    # -- of the two kinds of ends ------------------------------------------------------------------

    def _is_reason(self, e: Expression) -> bool:
        """Whether sums that hold this function may cancel there."""
        raise NotImplementedError

    def _inside(self, e: Expression, u: Expression, length: int) -> Series | None:
        """The series of a function of u that has one; None of what is made of others."""
        raise NotImplementedError

    def _numbers_of(self, e: Expression) -> Expression | None:
        """The u of a function of it."""
        raise NotImplementedError

    def _bound(self, radius: float) -> Fraction:
        """The |u| for which t is the radius."""
        raise NotImplementedError

    def _small(self, size: Expression) -> Expression:
        """The t of a |u|."""
        raise NotImplementedError

    # -- where terms cancel ------------------------------------------------------------------------

    def _holds_reason(self, e: Expression) -> bool:
        if e.key not in self._holding:
            found = self._is_reason(e)
            if not found and isinstance(e, _ENTRYWISE):
                found = any(map(self._holds_reason, e.children))
            self._holding[e.key] = found
        return self._holding[e.key]

    def _may_cancel(self, e: Expression) -> bool:
        if e.key not in self._candidates:
            found = isinstance(e, _ENTRYWISE) and self._holds_reason(e)
            if found and isinstance(e, N.Sum):
                found = len(e.children) <= _MOST_TERMS
            if found and not isinstance(e, N.Sum):
                is_log = isinstance(e, N.Elementwise) and e.name == "log"
                found = is_log or any(map(self._may_cancel, e.children))
            self._candidates[e.key] = found
        return self._candidates[e.key]

    def _variables_of(self, e: Expression) -> dict[bytes, Expression]:
        if e.key not in self._variables:
            found: dict[bytes, Expression] = {}
            u = self._numbers_of(e)
            if u is not None:
                found = {u.key: u}
            elif isinstance(e, _ENTRYWISE):
                for child in e.children:
                    found |= self._variables_of(child)
            self._variables[e.key] = found
        return self._variables[e.key]

    def _cancels_here(self, e: Expression, u: Expression) -> bool:
        if any(self._cancels(child, u) for child in e.children):
            return True
        s = self._known(e, u, 4)
        each = [self._known(child, u, 4) for child in e.children]
        if s is None or any(child is None for child in each):
            return False
        if isinstance(e, N.Sum):
            return s.order > min(child.order for child in each if child is not None)
        is_log = isinstance(e, N.Elementwise) and e.name == "log"
        return is_log and s.order > 0 and not has_one(e.children[0])

    # -- the series --------------------------------------------------------------------------------

    def _of(self, e: Expression, u: Expression, length: int) -> Series:
        if e.used:
            found = self._inside(e, u, length)
            if found is not None:
                return found
        if isinstance(e, N.Sum) and len(e.children) > _MOST_TERMS:
            raise NoSeriesError
        if isinstance(e, N.Power) and e.used:
            k = e.exponent.value if isinstance(e.exponent, N.Number) else None
            s = self._child(e.base, u, length)
            if not isinstance(k, Fraction) or not s.terms or (k * s.order).denominator != 1:
                raise NoSeriesError
            raised = Series(0, s.terms).raised(k)  # of t > 0, whose powers have roots
            return Series(int(k * s.order), raised.terms)
        return super()._of(e, u, length)

    def _places(self, u: Expression, radius: float) -> tuple[Expression, Expression, Expression]:
        """What is positive inside, t, and u outside."""
        bound = self._bound(radius)
        edge = scale(self._sign * bound, ones(u.rows, u.cols))
        inside = scale(self._sign, add([u, scale(-1, edge)]))
        size = scale(self._sign, choose(inside, u, edge))
        return inside, self._small(size), choose(inside, edge, u)


class _ByPowers(_End):
    """t = 1/|u|: roots, quotients, and Mills' ratio far below 0."""

    def _is_reason(self, e: Expression) -> bool:
        if isinstance(e, N.Elementwise):
            return e.name in _MILLS
        if not isinstance(e, N.Power) or not isinstance(e.base, N.Sum) or not e.base.used:
            return False
        k = e.exponent.value if isinstance(e.exponent, N.Number) else None
        return k is not None and not (k > 0 and k == int(k))

    def _numbers_of(self, e: Expression) -> Expression | None:
        if isinstance(e, N.Elementwise) and e.name in _MILLS:
            pair = with_base(e.argument)
            return None if pair is None else pair[1]
        return e if e.used and not isinstance(e, _ENTRYWISE) else None

    def _inside(self, e: Expression, u: Expression, length: int) -> Series | None:
        if e == u:
            return Series(-1, (Fraction(self._sign), *[Fraction(0)] * (length - 1)))
        if isinstance(e, N.Scaled):
            pair = with_base(e)
            if pair is not None and pair[1] == u:
                return Series(-1, (self._sign * pair[0], *[Fraction(0)] * (length - 1)))
        if isinstance(e, N.Elementwise) and e.name in _MILLS:
            pair = with_base(e.argument)
            if pair is None or pair[1] != u or pair[0] * self._sign >= 0:
                raise NoSeriesError
            return _mills(e.name == "inverse_mills_gap", abs(pair[0]), length)
        return None

    def _reach(self, s: Series) -> tuple[float, list[Fraction] | None]:
        """Farther, where it is that of Mills' ratio: its terms fall before they grow."""
        radius, terms = super()._reach(s)
        farther = [enough(s, share * radius) for share in _FARTHER]
        return next(
            ((share * radius, t) for share, t in zip(_FARTHER, farther, strict=True) if t),
            (radius, terms),
        )

    def _bound(self, radius: float) -> Fraction:
        return Fraction(math.ceil(100 / radius), 100)

    def _small(self, size: Expression) -> Expression:
        return power(size, number(-1))


def _mills(gap: bool, k: Fraction, length: int) -> Series:
    """φ/Φ at −k/t as 1/(t/k − (t/k)³ + 3(t/k)⁵ − …), and this less k/t."""
    terms = [Fraction(0)] * (length + 2)
    c = Fraction(1)
    for i in range(0, len(terms), 2):
        terms[i] = c / k ** (i + 1)
        c *= -(i + 1)
    ratio = Series(1, tuple(terms)).raised(Fraction(-1))
    if gap:
        return Series.of(1, [ratio.at(i) for i in range(1, length + 1)])
    return Series(-1, ratio.terms[:length])


class ByExponentials(_End):
    """t = exp(−|u|): exponentials beside their logarithms and roots."""

    def _is_reason(self, e: Expression) -> bool:
        if isinstance(e, N.Elementwise):
            holds = any(map(self._holds_exponential, e.children))
            return e.name == "softplus" or (e.name in ("log", "log1p") and holds)
        if not isinstance(e, N.Power) or not isinstance(e.exponent, N.Number):
            return False
        k = e.exponent.value
        return k != int(k) and self._holds_exponential(e.base)

    def _holds_exponential(self, e: Expression) -> bool:
        if isinstance(e, N.Elementwise) and e.name in _EXPONENTIALS:
            return True
        return isinstance(e, _ENTRYWISE) and any(map(self._holds_exponential, e.children))

    def _numbers_of(self, e: Expression) -> Expression | None:
        if isinstance(e, N.Elementwise) and e.name in _EXPONENTIALS:
            pair = with_base(e.argument)
            return None if pair is None else pair[1]
        return e if e.used and not isinstance(e, _ENTRYWISE) else None

    def _inside(self, e: Expression, u: Expression, length: int) -> Series | None:
        pair = with_base(e) if e == u or isinstance(e, N.Scaled) else None
        if e == u or (pair is not None and pair[1] == u):
            raise NoSeriesError  # u is −log t, which has none
        if not isinstance(e, N.Elementwise) or e.name not in _EXPONENTIALS:
            return None
        pair = with_base(e.argument)
        if pair is None or pair[1] != u:
            return None
        k = -self._sign * pair[0]
        if k.denominator != 1 or abs(k) > _HIGHEST:
            raise NoSeriesError

        def monomial(order: int) -> Series:
            return Series(order, (Fraction(1), *[Fraction(0)] * (length - 1)))

        return _exponential(e.name, monomial(int(k)), monomial(int(-k)), length)

    def _bound(self, radius: float) -> Fraction:
        return Fraction(math.ceil(-100 * math.log(radius)), 100)

    def _small(self, size: Expression) -> Expression:
        return elementwise("exp", scale(-1, size))


def _exponential(name: str, y: Series, inverse: Series, length: int) -> Series:
    """The function of that name of log y."""
    one = Series.constant(Fraction(1), length)
    less = one.scaled(Fraction(-1))
    half = Fraction(1, 2)
    match name:
        case "exp":
            return y
        case "expm1":
            return y + less
        case "sigmoid":
            return (inverse + one).raised(Fraction(-1))
        case "tanh":
            square, other = y * y, inverse * inverse
            if y.order > 0:
                return (square + less) * (square + one).raised(Fraction(-1))
            return (one + other.scaled(Fraction(-1))) * (one + other).raised(Fraction(-1))
        case "sinh":
            return (y + inverse.scaled(Fraction(-1))).scaled(half)
        case "cosh":
            return (y + inverse).scaled(half)
    if y.order < 0:
        raise NoSeriesError  # softplus(u) is u and something small
    return FUNCTIONS["log1p"](y)
