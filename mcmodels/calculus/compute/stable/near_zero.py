"""Functions of one number whose terms cancel near 0, computed there by their series.

(exp(z) − 1)/z, its derivatives, 1/tanh(z) − 1/z and √(1 + z) − 1 are the like: at a small z, what
is left of their terms is smaller than the rounding of these. The series is computed exactly, and
used where |z| is less than a quarter of the distance at which it stops to converge, and at most 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import with_base
from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.compute.stable.power_series import FUNCTIONS, NoSeriesError, Series
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import substitute

__all__ = ["NearZero", "Walk", "enough", "has_one", "polynomial"]

_SHORT, _LONG = 4, 40  # terms: to see whether terms cancel, and to compute
_ROUNDING = 2.0**-56
_SHARE, _FARTHEST = Fraction(1, 4), Fraction(1)  # of the radius of convergence, and at most
_MOST_VARIABLES = 3

Walk = Callable[[Expression], Expression]
_ENTRYWISE = (N.Sum, N.Scaled, N.Hadamard, N.Power)


def _is_entrywise(e: Expression) -> bool:
    return isinstance(e, _ENTRYWISE) or (isinstance(e, N.Elementwise) and e.name in FUNCTIONS)


def _is_whole(exponent: Expression) -> bool:
    value = exponent.value if isinstance(exponent, N.Number) else -1
    return value >= 0 and value == int(value)


def has_one(e: Expression) -> bool:
    """Whether it is 1 and something else."""
    return isinstance(e, N.Sum) and any(term == ones(e.rows, e.cols) for term in e.children)


class NearZero:
    """What is known of the parts of one expression.

    Parameters
    ----------
    is_exact : callable
        Whether an expression keeps all digits in another form.
    """

    def __init__(self, is_exact: Callable[[Expression], bool]) -> None:
        self._is_exact = is_exact
        self._candidates: dict[bytes, bool] = {}
        self._functions: dict[bytes, bool] = {}
        self._variables: dict[bytes, dict[bytes, Expression]] = {}
        self._series: dict[tuple[bytes, bytes, int], Series | None] = {}
        self._cancelling: dict[tuple[bytes, bytes], bool] = {}

    def rewritten(self, e: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        """An equal expression that keeps its digits near 0; None where it keeps them as it is.

        ``plainly`` rewrites what is used far from 0, ``walk`` the other factors.
        """
        if not self._may_cancel(e):
            return None
        variables = self._variables_of(e)
        if not 0 < len(variables) <= _MOST_VARIABLES:
            return None
        for u in variables.values():
            if (u.rows, u.cols) != (e.rows, e.cols):
                continue
            if isinstance(e, N.Sum):
                found = self._sum(e, u, plainly, walk)
            elif isinstance(e, N.Scaled | N.Hadamard):
                rest, of = self._split(e, u)
                found = self._chosen(of, u, plainly)
                found = None if found is None else product([walk(rest), found])
            else:
                found = self._chosen(e, u, plainly)
            if found is not None:
                return found
        return None

    def _may_cancel(self, e: Expression) -> bool:
        """Whether it is a sum that holds functions, a quotient or a logarithm; or holds one."""
        if e.key not in self._candidates:
            found = any(map(self._may_cancel, e.children)) if _is_entrywise(e) else False
            if not found and isinstance(e, N.Sum):
                found = len(e.children) > 1 and any(map(self._holds_function, e.children))
            elif not found and isinstance(e, N.Power):
                found = isinstance(e.exponent, N.Number) and e.exponent.value < 0
            elif not found and isinstance(e, N.Elementwise):
                found = e.name == "log"
            self._candidates[e.key] = found
        return self._candidates[e.key]

    def _holds_function(self, e: Expression) -> bool:
        if e.key not in self._functions:
            found = isinstance(e, N.Elementwise) and e.name in FUNCTIONS and bool(e.used)
            if isinstance(e, N.Power):
                found = isinstance(e.base, N.Sum) or not _is_whole(e.exponent)
            if not found and isinstance(e, _ENTRYWISE):
                found = any(map(self._holds_function, e.children))
            self._functions[e.key] = found
        return self._functions[e.key]

    def _is_of(self, e: Expression, u: Expression) -> bool:
        return self._known(e, u, _SHORT) is not None

    def _sum(self, e: N.Sum, u: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        groups: dict[bytes, tuple[Expression, list[Expression]]] = {}
        for term in e.children:
            rest, of = self._split(term, u)
            groups.setdefault(rest.key, (rest, []))[1].append(of)
        left: list[Expression] = []
        done: list[Expression] = []
        for rest, terms in groups.values():
            of = add(terms)
            found = self._chosen(of, u, plainly)
            if found is None:
                left += [product([rest, term]) for term in terms]
            else:
                done.append(product([walk(rest), found]))
        if not done:
            return None
        return add([*done, walk(add(left))] if left else done)

    def _split(self, term: Expression, u: Expression) -> tuple[Expression, Expression]:
        return _split(term, lambda factor: self._is_of(factor, u))

    # -- where terms cancel ------------------------------------------------------------------------

    def _variables_of(self, e: Expression) -> dict[bytes, Expression]:
        """What sums, products and functions of each entry are made of."""
        if e.key not in self._variables:
            found: dict[bytes, Expression] = {}
            if _is_entrywise(e):
                for child in e.children:
                    found |= self._variables_of(child)
                pair = with_base(e) if isinstance(e, N.Scaled) and len(found) > 1 else None
                if pair is not None and not any(isinstance(p, N.Elementwise) for p in e.children):
                    found = {pair[1].key: pair[1]}
            elif e.used:
                found = {e.key: e}
            self._variables[e.key] = found
        return self._variables[e.key]

    def _known(self, e: Expression, u: Expression, length: int) -> Series | None:
        key = (e.key, u.key, length)
        if key not in self._series:
            try:
                self._series[key] = self._of(e, u, length)
            except (NoSeriesError, OverflowError, ZeroDivisionError):
                self._series[key] = None
        return self._series[key]

    def _child(self, e: Expression, u: Expression, length: int) -> Series:
        found = self._known(e, u, length)
        if found is None:
            raise NoSeriesError
        return found

    def _of(self, e: Expression, u: Expression, length: int) -> Series:
        if not e.used:
            return _constant(e, length)
        if e == u:
            return Series.variable(Fraction(1), length)
        if isinstance(e, N.Scaled):
            pair = with_base(e)
            if pair is not None and pair[1] == u:
                return Series.variable(pair[0], length)
        if isinstance(e, N.Elementwise):
            function = FUNCTIONS.get(e.name)
            if function is None:
                raise NoSeriesError
            return function(self._child(e.argument, u, length))
        if isinstance(e, N.Power):
            if not isinstance(e.exponent, N.Number) or not isinstance(e.exponent.value, Fraction):
                raise NoSeriesError
            return self._child(e.base, u, length).raised(e.exponent.value)
        if not isinstance(e, _ENTRYWISE):
            raise NoSeriesError
        each = [self._child(child, u, length) for child in e.children]
        if isinstance(e, N.Sum):
            total = each[0]
            for other in each[1:]:
                total = total + other
            return total
        if isinstance(e, N.Scaled):
            if not isinstance(e.coefficient, Fraction):
                raise NoSeriesError
            each[0] = each[0].scaled(e.coefficient)
        total = each[0]
        for other in each[1:]:
            total = total * other
        return total

    def _cancels(self, e: Expression, u: Expression) -> bool:
        """Whether terms cancel near u = 0, or 0 is divided by a power of 0."""
        key = (e.key, u.key)
        if key not in self._cancelling:
            plain = not e.used or e == u or self._is_exact(e)
            self._cancelling[key] = not plain and self._cancels_here(e, u)
        return self._cancelling[key]

    def _cancels_here(self, e: Expression, u: Expression) -> bool:
        if any(self._cancels(child, u) for child in e.children):
            return True
        s = self._known(e, u, _SHORT)
        each = [self._known(child, u, _SHORT) for child in e.children]
        if s is None or any(child is None for child in each):
            return False
        orders = [child.order for child in each if child is not None]
        if isinstance(e, N.Sum):
            return s.order > min(orders)
        if isinstance(e, N.Scaled | N.Hadamard):
            return min(orders) < -1 and s.order > min(orders)
        if isinstance(e, N.Elementwise) and e.name == "log":
            return s.order > 0 and not has_one(e.argument)  # of what is near 1
        return False

    # -- the series ----------------------------------------------------------------------------

    def _chosen(self, e: Expression, u: Expression, plainly: Walk) -> Expression | None:
        if not e.used or self._known(e, u, _SHORT) is None or not self._cancels(e, u):
            return None
        s = self._known(e, u, _LONG)
        if s is None or not s.terms:
            return None
        radius, terms = self._reach(s)
        if terms is None:
            return None
        inside, small, outside = self._places(u, radius)
        # The other form is computed also where it is not taken: there of a number not near 0.
        far = substitute(plainly(e), {u: outside})
        return choose(inside, polynomial(s.order, terms, small), far)

    def _reach(self, s: Series) -> tuple[float, list[Fraction] | None]:
        """How far the series is used, and with which terms."""
        radius = _radius(s)
        return radius, enough(s, radius)

    def _places(self, u: Expression, radius: float) -> tuple[Expression, Expression, Expression]:
        """What is positive where the series is used, its variable, and u elsewhere."""
        edge = scale(_as_fraction(radius), ones(u.rows, u.cols))
        inside = add([edge, scale(-1, elementwise("abs", u))])
        return inside, u, choose(inside, edge, u)


def _as_fraction(radius: float) -> Fraction:
    """A short decimal below it."""
    return Fraction(int(radius * 100), 100)


def _constant(e: Expression, length: int) -> Series:
    if isinstance(e, N.Number) and isinstance(e.value, Fraction):
        return Series.constant(e.value, length)
    if isinstance(e, N.Ones):
        return Series.constant(Fraction(1), length)
    if isinstance(e, N.Elementwise) and e.name in ("log", "exp"):
        return FUNCTIONS[e.name](_constant(e.argument, length))
    if isinstance(e, N.Power):
        k = e.exponent.value if isinstance(e.exponent, N.Number) else None
        if isinstance(k, Fraction):
            return _constant(e.base, length).raised(k)
    if isinstance(e, N.Scaled | N.Hadamard):
        total = Series.constant(Fraction(1), length)
        if isinstance(e, N.Scaled):
            if not isinstance(e.coefficient, Fraction):
                raise NoSeriesError
            total = total.scaled(e.coefficient)
        for child in e.children:
            total = total * _constant(child, length)
        return total
    raise NoSeriesError


def _split(term: Expression, is_of: Callable[[Expression], bool]) -> tuple[Expression, Expression]:
    """A term as the product of other factors with its functions of one number."""
    coefficient, scalars, array = parts(term)
    arrays: Iterable[Expression] = ()
    if array is not None:
        arrays = array.children if isinstance(array, N.Hadamard) else (array,)
    rest: list[Expression] = []
    of: list[Expression] = []
    for factor in (*scalars, *arrays):
        alike = (factor.rows, factor.cols) == (term.rows, term.cols)
        (of if alike and is_of(factor) else rest).append(factor)
    filled = [] if term.is_scalar else [ones(term.rows, term.cols)]
    if not isinstance(coefficient, Fraction):
        rest.append(scale(coefficient))
        coefficient = Fraction(1)
    return product([scale(1), *filled, *rest]), scale(
        coefficient, product([scale(1), *filled, *of])
    )


def _radius(s: Series) -> float:
    """A share of the distance at which the series stops to converge, by its last terms."""
    first = abs(s.terms[0])
    growth = 0.0
    for k in range(len(s.terms) // 2, len(s.terms)):
        if s.terms[k]:
            growth = max(growth, float(abs(s.terms[k]) / first) ** (1 / k))
    return float(_FARTHEST) if growth == 0 else min(float(_FARTHEST), float(_SHARE) / growth)


def enough(s: Series, radius: float) -> list[Fraction] | None:
    """The terms that count at this distance; None where they are too few."""
    first = float(abs(s.terms[0]))
    sizes = [float(abs(c)) * radius**k / first for k, c in enumerate(s.terms)]
    last = max(k for k, size in enumerate(sizes) if size > _ROUNDING)
    return None if last > len(sizes) - 4 else list(s.terms[: last + 1])


def polynomial(order: int, terms: list[Fraction], u: Expression) -> Expression:
    """The series with these terms from this order on, by Horner's scheme."""
    one = ones(u.rows, u.cols)
    result: Expression | None = None
    last = 0
    for k in range(len(terms) - 1, -1, -1):
        if not terms[k] and k:
            continue
        if result is not None:
            result = product([power(u, number(last - k)), result])
        c = terms[k] if terms[k].denominator.bit_length() < 64 else float(terms[k])
        term = scale(c, one)
        result = term if result is None else add([term, result])
        last = k
    assert result is not None, "a series has terms"
    return result if order == 0 else product([power(u, number(order)), result])
