"""Values by numbers whose exponents have no bounds: what overflows on the way to a finite value.

x/√(1 + x²) at 1e200 is 1, and exp(−z) cosh(z) at 1000 is ½, although x² and cosh(z) are larger than
any float64. A number is m·2ᵉ with a float64 m and a whole e. It has the 53 bits of m and no more,
and it is slow: it is used only where float64 has failed. What is not finite is NaN at once, so that
no division makes a number of it again. Each number carries a bound of its rounding, so that what
has lost its digits is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.constant_values import Values
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np, scipy

__all__ = ["may_be_wide", "wide_value"]

_FITS = 1000  # exponents up to this size are those of float64, and so are a few of their products
_FARTHEST = 2.0**50  # an exponent must be a whole float64
_BITS = 53
_DIGITS = -30.0  # bits of an error of 1e-9
_STEP = 2.0**-20  # relative, by which slopes are measured
_WHOLE = 2**20
_LARGEST = 4e6  # beyond it exp(z) has fewer than 9 digits
_PLAIN = 700.0  # below it exp(z) is a float64
_MOST = 2**22  # products of which a matrix product is the sum
_LOG_2 = float(np.log(2))
_LOG_2_HIGH = float(np.float32(_LOG_2))  # so few bits that whole multiples are exact
_LOG_2_LOW = -1.904654299957768e-09  # log 2 less that, to all digits


class _NotKnownError(Exception):
    """A part that has no value here."""


@dataclass(frozen=True)
class _Wide:
    """m·2ᵉ, with m = 0 or ½ ≤ |m| < 1, or NaN; 2ᵈ bounds its absolute error by rounding."""

    m: Array
    e: Array
    d: Array

    @staticmethod
    def exact(m: Array) -> _Wide:
        """Of float64 that are what they should be."""
        m, e = np.frexp(np.where(np.isfinite(m), m, np.nan))
        return _Wide(m, e.astype(float), np.full(m.shape, -np.inf))

    @staticmethod
    def of(m: Array, e: Array | float, d: Array | float) -> _Wide:
        """Of a finite m with one more rounding; what is not finite is NaN."""
        m, shift = np.frexp(np.where(np.isfinite(m), m, np.nan))
        e = np.where(m == 0, 0.0, e + shift)
        rounding = np.where(m == 0, -np.inf, e - _BITS)
        return _Wide(np.where(np.abs(e) < _FARTHEST, m, np.nan), e, np.logaddexp2(d, rounding))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.m.shape

    @property
    def fits(self) -> Array:
        return np.abs(self.e) < _FITS

    @property
    def plain(self) -> Array:
        """As float64: infinite, or 0, where it does not fit."""
        return np.ldexp(self.m, np.clip(self.e, -2200, 2200).astype(np.int32))

    @property
    def size(self) -> Array:
        """The logarithm of |m·2ᵉ| to base 2."""
        return np.log2(np.abs(self.m)) + self.e

    @property
    def has_digits(self) -> bool:
        """Whether all of them are known to 9 digits, or too small for float64."""
        return bool(((self.d < self.size + _DIGITS) | (self.d < -_FITS - _BITS)).all())

    def plus(self, other: _Wide) -> _Wide:
        mine, others = self.m == 0, other.m == 0
        e = np.where(mine, other.e, np.where(others, self.e, np.maximum(self.e, other.e)))
        terms = [
            np.ldexp(each.m, np.clip(each.e - e, -2200, 0).astype(np.int32))
            for each in (self, other)
        ]
        return _Wide.of(terms[0] + terms[1], e, np.logaddexp2(self.d, other.d))

    def times(self, other: _Wide) -> _Wide:
        errors = self.size + other.d, other.size + self.d, self.d + other.d
        d = reduce(np.logaddexp2, [np.where(np.isnan(each), -np.inf, each) for each in errors])
        return _Wide.of(self.m * other.m, self.e + other.e, d)

    def scaled(self, by: float | Array) -> _Wide:
        return self.times(_Wide.exact(np.asarray(by, dtype=float)))

    def with_slope(self, m: Array, e: Array | float, slope: Array | float) -> _Wide:
        """A function of this, by the logarithm of its derivative to base 2."""
        return _Wide.of(m, e, slope + self.d)

    @property
    def reciprocal(self) -> _Wide:
        return self.with_slope(1 / self.m, -self.e, -2 * self.size)

    @property
    def root(self) -> _Wide:
        odd = np.mod(self.e, 2)
        m = np.sqrt(np.ldexp(self.m, odd.astype(np.int32)))
        slope = np.where(self.m == 0, 0.0, -self.size / 2)
        return self.with_slope(m, (self.e - odd) / 2, slope)

    def whole_power(self, k: int) -> _Wide:
        if k < 0:
            return self.whole_power(-k).reciprocal
        result, square = _Wide.exact(np.ones(self.shape)), self
        while k:
            result = result.times(square) if k & 1 else result
            square, k = square.times(square), k >> 1
        return result

    def turned(self, change: Callable[[Array], Array]) -> _Wide:
        """With the entries in other places."""
        return _Wide(change(self.m), change(self.e), change(self.d))

    def summed(self, axis: int) -> _Wide:
        """The sum along an axis, which stays."""
        e = np.where(self.m == 0, -np.inf, self.e).max(axis=axis, keepdims=True)
        e = np.where(np.isfinite(e), e, 0.0)
        near = np.ldexp(self.m, np.clip(self.e - e, -2200, 0).astype(np.int32))
        d = np.logaddexp2.reduce(self.d, axis=axis, keepdims=True)
        rounding = np.where((near == 0).all(axis=axis, keepdims=True), -np.inf, e - _BITS)
        return _Wide.of(near.sum(axis=axis, keepdims=True), e, np.logaddexp2(d, rounding))


def _chosen(where: Array, one: _Wide, other: _Wide) -> _Wide:
    return _Wide(
        np.where(where, one.m, other.m),
        np.where(where, one.e, other.e),
        np.where(where, one.d, other.d),
    )


# -- functions of each entry -----------------------------------------------------------------------
# Their errors are those of their arguments by a slope, which `_function` measures.


def _value(m: Array, e: Array | float = 0.0) -> _Wide:
    return _Wide.of(np.asarray(m), e, -np.inf)


def _exp(z: Array, of_normal: Array | None = None) -> _Wide:
    """exp(z), or exp(−w²/2) for a second argument w, without the rounding of its square."""
    correction: float | Array = 1.0
    if of_normal is not None:
        high = of_normal.astype(np.float32).astype(float)
        low = of_normal - high
        z = -high * high / 2
        correction = np.exp(np.clip(-low * (high + low / 2), -_PLAIN, _PLAIN))
    inside = np.clip(z, -_LARGEST, _LARGEST)
    n = np.rint(inside / _LOG_2)
    rest = (inside - n * _LOG_2_HIGH) - n * _LOG_2_LOW
    m = np.where(z < -_LARGEST, 0.0, np.where(z > _LARGEST, np.nan, np.exp(rest) * correction))
    return _value(m, n)


def _log(w: _Wide) -> _Wide:
    return _value(np.where(w.fits, np.log(w.plain), np.log(w.m) + w.e * _LOG_2))


def _where_plain(z: Array, is_plain: Array, plain: Callable[[Array], Array], far: _Wide) -> _Wide:
    """A float64 where there is one, and the form that has no bounds elsewhere."""
    return _chosen(is_plain, _value(plain(np.where(is_plain, z, 0.0))), far)


def _norm_pdf(z: Array) -> _Wide:
    return _exp(z, z).scaled(1 / np.sqrt(2 * np.pi))


def _norm_cdf(z: Array, plain: Callable[[Array], Array]) -> _Wide:
    scaled = scipy.special.erfcx(-np.minimum(z, -1.0) / np.sqrt(2)) / 2
    return _where_plain(z, z > -30, plain, _exp(z, z).scaled(scaled))


def _erfc(z: Array, plain: Callable[[Array], Array]) -> _Wide:
    # exp(−z²) by √2 z has the rounding of √2 z: of a z whose square is split, and twice.
    half = _exp(z, z)
    tail = half.times(half).scaled(scipy.special.erfcx(np.maximum(z, 1.0)))
    return _where_plain(z, z < 20, plain, tail)


def _half_exp(z: Array, sign: Array | float) -> _Wide:
    return _exp(np.abs(z)).scaled(0.5 * np.asarray(sign))


_IN_PLACE: dict[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "relu": lambda m: np.maximum(m, 0),
}
_AT_MOST_ONE = frozenset({"tanh", "erf", "sigmoid", "arctan", "norm_cdf"})
_ITSELF_AT_ZERO = frozenset(  # f(z) is z where z is tiny
    ["sin", "tan", "tanh", "sinh", "arctan", "arcsin", "arcsinh", "arctanh", "expm1", "log1p"]
)


def _raw(name: str, w: _Wide, xp: Any) -> _Wide:
    """The function of that name of each entry, without the error of the argument."""
    z = w.plain
    if name in _AT_MOST_ONE:
        z = np.clip(z, -1e308, 1e308)
    plain: Callable[[Array], Array] = getattr(xp, name)
    match name:
        case "exp":
            found = _exp(z)
        case "expm1":
            found = _where_plain(z, z < _PLAIN, plain, _exp(z))
        case "log":
            found = _log(w)
        case "log1p":
            found = _where_plain(z, w.fits | (w.m < 0) | (w.e < 0), plain, _log(w))
        case "sinh":
            found = _where_plain(z, np.abs(z) < _PLAIN, plain, _half_exp(z, np.sign(w.m)))
        case "cosh":
            found = _where_plain(z, np.abs(z) < _PLAIN, plain, _half_exp(z, 1.0))
        case "sigmoid":
            found = _where_plain(z, z > -_PLAIN, plain, _exp(z))
        case "softplus":
            small = _where_plain(z, np.abs(z) < _PLAIN, plain, _exp(z))
            found = _chosen(z >= _PLAIN, w, small)
        case "inverse_mills":
            found = _where_plain(z, z < 30, plain, _norm_pdf(z))
        case "gelu":
            found = w.times(_norm_cdf(z, xp.norm_cdf))
        case "norm_pdf":
            found = _norm_pdf(z)
        case "norm_cdf":
            found = _norm_cdf(z, plain)
        case "erfc":
            found = _erfc(z, plain)
        case _:
            found = _value(plain(z))
    return _chosen(w.e < -_FITS, w, found) if name in _ITSELF_AT_ZERO else found


def _function(name: str, w: _Wide, xp: Any) -> _Wide:
    if name in _IN_PLACE:
        return _Wide(_IN_PLACE[name](w.m), w.e, w.d)
    if name in ("sign", "step"):
        return _Wide.exact(np.sign(w.m) if name == "sign" else np.heaviside(w.m, 0))
    if name == "sqrt":
        return w.root
    exact = _Wide(w.m, w.e, np.full(w.shape, -np.inf))
    here = _raw(name, exact, xp)
    if (w.d == -np.inf).all():
        return here
    step = _chosen(w.m == 0, _value(np.full(w.shape, _STEP)), exact.scaled(_STEP))
    slopes = [
        here.plus(_raw(name, exact.plus(step.scaled(sign)), xp).scaled(-1.0)).size - step.size
        for sign in (1.0, -1.0)
    ]
    slope = np.fmax(*slopes)
    return _Wide(here.m, here.e, np.logaddexp2(here.d, np.where(w.m == 0, w.d, slope + w.d)))


# -- nodes -----------------------------------------------------------------------------------------


def _constant(part: Expression, value: Array) -> _Wide:
    rounded = isinstance(part, N.NamedNumber) or (
        isinstance(part, N.Number) and part.value != float(part.value)
    )
    exact = _Wide.exact(value)
    return exact.scaled(1.0) if rounded else exact


def _power(part: N.Power, base: _Wide, exponent: _Wide) -> _Wide:
    k = part.exponent.value if isinstance(part.exponent, N.Number) else None
    if k is not None and -_WHOLE < k < _WHOLE:
        if k == int(k):
            return base.whole_power(int(k))
        if 2 * k == int(2 * k):
            return base.root.whole_power(int(2 * k))
    power = exponent.plain
    logarithm = np.where(base.m > 0, base.size, np.nan)
    total = power * logarithm
    whole = np.floor(total)
    m = np.where(np.abs(total) < _LARGEST, np.exp2(total - whole), np.nan)
    errors = [
        np.log2(np.abs(power)) - base.size + base.d + total,
        np.log2(np.abs(logarithm) + 1) + exponent.d + total,
        np.log2(np.abs(total) + 1) - _BITS + total,
    ]
    found = _Wide.of(m, whole, reduce(np.logaddexp2, errors))
    return _chosen((base.m == 0) & (power > 0), _Wide.exact(np.zeros(found.shape)), found)


def _matrix_product(a: _Wide, b: _Wide) -> _Wide:
    if a.shape[0] * a.shape[1] * b.shape[1] > _MOST:
        raise _NotKnownError
    terms = a.turned(lambda m: m[:, :, None]).times(b.turned(lambda m: m[None]))
    return terms.summed(1).turned(lambda m: m[:, 0, :])


def _total(w: _Wide) -> _Wide:
    return w.turned(lambda m: m.reshape(1, -1)).summed(1)


def _diagonal_matrix(w: _Wide) -> _Wide:
    square = np.broadcast_to(np.eye(len(w.m)) > 0, (len(w.m), len(w.m)))
    return _chosen(square, w, _Wide.exact(np.zeros(square.shape)))


def _pairwise(name: str, a: _Wide, b: _Wide) -> _Wide:
    if name == "hypot":
        return a.times(a).plus(b.times(b)).root
    gap = a.plus(b.scaled(-1.0)).m
    found = _chosen(gap > 0 if name == "maximum" else gap < 0, a, b)
    return _Wide(np.where(np.isnan(gap), np.nan, found.m), found.e, found.d)


def _where(condition: _Wide, one: _Wide, other: _Wide) -> _Wide:
    found = _chosen(condition.m > 0, one, other)
    return _Wide(np.where(np.isnan(condition.m), np.nan, found.m), found.e, found.d)


def _other(part: Expression, children: list[_Wide], by_float64: Callable[..., Array]) -> _Wide:
    """A node of float64, with the largest relative error of its parts."""
    if not all((child.fits & ~np.isnan(child.m)).all() for child in children):
        raise _NotKnownError
    found = _value(by_float64([child.plain for child in children]))
    if any(((child.d > -np.inf) & (child.m == 0)).any() for child in children):
        raise _NotKnownError
    relative = [np.where(child.m == 0, -np.inf, child.d - child.size).max() for child in children]
    return _Wide(found.m, found.e, np.logaddexp2(found.d, found.size + max(relative)))


_NODES: dict[type[Expression], Callable[[Any, list[_Wide], Any], _Wide]] = {
    N.Sum: lambda e, c, xp: reduce(_Wide.plus, c),
    N.Scaled: lambda e, c, xp: reduce(_Wide.times, c).scaled(float(e.coefficient)),
    N.Hadamard: lambda e, c, xp: reduce(_Wide.times, c),
    N.Product: lambda e, c, xp: reduce(_matrix_product, c),
    N.Power: lambda e, c, xp: _power(e, *c),
    N.Elementwise: lambda e, c, xp: _function(e.name, c[0], xp),
    N.Transpose: lambda e, c, xp: c[0].turned(np.transpose),
    N.Total: lambda e, c, xp: _total(c[0]),
    N.Norm: lambda e, c, xp: _total(c[0].times(c[0])).root,
    N.Trace: lambda e, c, xp: _total(c[0].turned(lambda m: np.diagonal(m)[:, None])),
    N.Diagonal: lambda e, c, xp: c[0].turned(lambda m: np.diagonal(m)[:, None]),
    N.DiagonalMatrix: lambda e, c, xp: _diagonal_matrix(c[0]),
    N.Vec: lambda e, c, xp: c[0].turned(lambda m: m.T.reshape(-1, 1)),
    F.Where: lambda e, c, xp: _where(*c),
    F.Pairwise: lambda e, c, xp: _pairwise(e.name, *c),
}
_OTHER_WALKS = (N.Unevaluated, SumOver)


@lru_cache(maxsize=512)
def may_be_wide(expression: Expression) -> bool:
    """Whether all its parts have such values."""
    return not any(isinstance(part, _OTHER_WALKS) for part in parts_of(expression))


def wide_value(
    expression: Expression,
    values: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    nodes: Mapping[type[Expression], Values],
    xp: Any,
) -> Array | None:
    """The value as an array of two dimensions; None where it is not finite, or has no digits.

    Parameters
    ----------
    expression : Expression
    values : mapping of Symbol to array of two dimensions
    sizes : mapping of str to int
    nodes : mapping of type to callable
        The values of nodes in float64, of those that have none of their own here.
    xp : namespace
        The functions of float64 that these take.
    """
    found: dict[bytes, _Wide] = {}

    def value(part: Expression) -> _Wide:
        if part.key not in found:
            found[part.key] = computed(part)
        return found[part.key]

    def computed(part: Expression) -> _Wide:
        if isinstance(part, N.Symbol):
            return _Wide.exact(values[part])
        if isinstance(part, _OTHER_WALKS):
            raise _NotKnownError
        children = [value(child) for child in part.children]
        if type(part) in _NODES:
            return _NODES[type(part)](part, children, xp)
        by_float64 = nodes[type(part)]
        if not children:
            return _constant(part, by_float64(part, [], xp, sizes))
        return _other(part, children, lambda c: by_float64(part, c, xp, sizes))

    with np.errstate(all="ignore"):
        try:
            result = value(expression)
        except (_NotKnownError, np.linalg.LinAlgError, ArithmeticError, ValueError, KeyError):
            return None
        plain = result.plain
        return plain if np.isfinite(plain).all() and result.has_digits else None
