"""Series in powers of one number z, with exact coefficients, and functions of them.

A series is z^v (c₀ + c₁z + …) with c₀ ≠ 0, up to a fixed number of terms. Functions come by the
recurrences that their differential equations give: Knuth, The Art of Computer Programming, volume
2, section 4.7. Constants that are no ratios (log 2, √2, π) are taken to 60 digits.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["FUNCTIONS", "NoSeriesError", "Series"]

_DIGITS = decimal.Context(prec=60)
_NOTHING = Fraction(1, 10**40)  # what is left of terms that cancel, where constants are rounded
_LONG = 600  # bits
_PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")


class NoSeriesError(Exception):
    """There is no series in whole powers."""


def _decimal(value: Fraction) -> decimal.Decimal:
    return _DIGITS.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))


def _tidied(value: Fraction) -> Fraction:
    """The number, in 60 digits where it has become a long ratio."""
    return value if value.denominator.bit_length() < _LONG else Fraction(_decimal(value))


def _exp_of(value: Fraction) -> Fraction:
    if abs(value) > 500:
        raise NoSeriesError
    return Fraction(_DIGITS.exp(_decimal(value))) if value else Fraction(1)


def _log_of(value: Fraction) -> Fraction:
    if value <= 0:
        raise NoSeriesError
    return Fraction(_DIGITS.ln(_decimal(value))) if value != 1 else Fraction(0)


@dataclass(frozen=True)
class Series:
    """z^order times the power series with these coefficients, the first of which is not 0.

    Nothing but zeros is the series of 0. ``length`` is the number of terms that are known.
    """

    order: int
    terms: tuple[Fraction, ...]

    @staticmethod
    def of(order: int, terms: list[Fraction]) -> Series:
        """The series, with zeros at its start left out."""
        skip = next((i for i, c in enumerate(terms) if c), len(terms))
        return Series(order + skip, tuple(map(_tidied, terms[skip:])))

    @staticmethod
    def constant(value: Fraction, length: int) -> Series:
        """A number."""
        if not value:
            return Series(length, ())
        return Series(0, (value, *[Fraction(0)] * (length - 1)))

    @staticmethod
    def variable(slope: Fraction, length: int) -> Series:
        """slope·z."""
        return Series(1, (slope, *[Fraction(0)] * (length - 1)))

    @property
    def end(self) -> int:
        """The first power that is not known."""
        return self.order + len(self.terms)

    def __add__(self, other: Series) -> Series:
        start, end = min(self.order, other.order), min(self.end, other.end)
        sums = []
        for k in range(start, end):
            a, b = self.at(k), other.at(k)
            c = a + b
            sums.append(Fraction(0) if abs(c) < _NOTHING * abs(a) else c)
        return Series.of(start, sums)

    def at(self, k: int) -> Fraction:
        """The coefficient of z^k."""
        i = k - self.order
        return self.terms[i] if 0 <= i < len(self.terms) else Fraction(0)

    def __mul__(self, other: Series) -> Series:
        n = min(len(self.terms), len(other.terms))
        a, b = self.terms, other.terms
        products = [
            sum((a[i] * b[k - i] for i in range(k + 1) if a[i] and b[k - i]), Fraction(0))
            for k in range(n)
        ]
        return Series(self.order + other.order, tuple(map(_tidied, products)))

    def scaled(self, factor: Fraction) -> Series:
        """The multiple."""
        if not factor:
            return Series(self.end, ())
        return Series(self.order, tuple(c * factor for c in self.terms))

    def raised(self, k: Fraction) -> Series:
        """A power, by c₀(n + 1) dₙ₊₁ = Σ (kj − …)cⱼd: Miller's recurrence."""
        if not self.terms:
            raise NoSeriesError
        order = self.order * k
        first = self.terms[0]
        if order.denominator != 1 or (k.denominator != 1 and (first < 0 or self.order)):
            raise NoSeriesError
        a = [c / first for c in self.terms]
        found = [Fraction(1)]
        for n in range(1, len(a)):
            total = sum(
                ((k * j - (n - j)) * a[j] * found[n - j] for j in range(1, n + 1) if a[j]),
                Fraction(0),
            )
            found.append(_tidied(total / n))
        whole = k.denominator == 1
        c = Fraction(first ** int(k)) if whole else _exp_of(k * _log_of(first))
        if k == Fraction(1, 2) and (root := _root(first)) is not None:
            c = root
        if k == Fraction(-1, 2) and (root := _root(first)) is not None:
            c = 1 / root
        return Series(int(order), tuple(_tidied(c * d) for d in found))

    # -- of power series (order at least 0) ----------------------------------------------------

    def plain(self) -> list[Fraction]:
        """The coefficients of z⁰, z¹ and so on."""
        if self.order < 0:
            raise NoSeriesError
        return [self.at(k) for k in range(max(self.end, 1))]

    def slope(self) -> Series:
        """The derivative."""
        terms = [(self.order + i) * c for i, c in enumerate(self.terms)]
        return Series.of(self.order - 1, terms)

    def integral(self, constant: Fraction) -> Series:
        """The integral with this value at 0."""
        if self.at(-1) or self.order < -1:
            raise NoSeriesError
        end = self.end + 1
        terms = [constant, *(self.at(k - 1) / k for k in range(1, end))]
        return Series.of(0, terms[: max(end, 1)])


def _root(value: Fraction) -> Fraction | None:
    found = Fraction(value.numerator**0.5).limit_denominator(1) / Fraction(
        value.denominator**0.5
    ).limit_denominator(1)
    return found if found * found == value else None


def _plus(s: Series, value: int) -> Series:
    return s + Series.constant(Fraction(value), max(s.end, 1))


def _exp(s: Series) -> Series:
    a = s.plain()
    found = [_exp_of(a[0])]
    for n in range(1, len(a)):
        total = sum((k * a[k] * found[n - k] for k in range(1, n + 1) if a[k]), Fraction(0))
        found.append(_tidied(total / n))
    return Series.of(0, found)


def _log(s: Series) -> Series:
    if s.order != 0 or not s.terms:
        raise NoSeriesError
    return (s.slope() * s.raised(Fraction(-1))).integral(_log_of(s.terms[0]))


def _sine_and_cosine(s: Series) -> tuple[Series, Series]:
    a = s.plain()
    if a[0]:
        raise NoSeriesError
    sine, cosine = [Fraction(0)], [Fraction(1)]
    for n in range(1, len(a)):
        ks = [k for k in range(1, n + 1) if a[k]]
        sine.append(sum((k * a[k] * cosine[n - k] for k in ks), Fraction(0)) / n)
        cosine.append(-sum((k * a[k] * sine[n - k] for k in ks), Fraction(0)) / n)
    return Series.of(0, sine), Series.of(0, cosine)


def _over(a: Series, b: Series) -> Series:
    return a * b.raised(Fraction(-1))


def _sinh(s: Series) -> Series:
    return (_exp(s) + _exp(s.scaled(Fraction(-1))).scaled(Fraction(-1))).scaled(Fraction(1, 2))


def _cosh(s: Series) -> Series:
    return (_exp(s) + _exp(s.scaled(Fraction(-1)))).scaled(Fraction(1, 2))


def _sigmoid(s: Series) -> Series:
    return _plus(_exp(s.scaled(Fraction(-1))), 1).raised(Fraction(-1))


def _at_zero(s: Series) -> Series:
    if s.order < 1 and s.at(0):
        raise NoSeriesError
    s.plain()
    return s


def _by_slope(slope: Callable[[Series], Series]) -> Callable[[Series], Series]:
    """A function that is 0 at 0, by its derivative."""
    return lambda s: (_at_zero(s).slope() * slope(s)).integral(Fraction(0))


def _one_and_square(s: Series, sign: int) -> Series:
    return _plus((s * s).scaled(Fraction(sign)), 1)


_arctan = _by_slope(lambda s: _one_and_square(s, 1).raised(Fraction(-1)))
_arctanh = _by_slope(lambda s: _one_and_square(s, -1).raised(Fraction(-1)))
_arcsin = _by_slope(lambda s: _one_and_square(s, -1).raised(Fraction(-1, 2)))
_arcsinh = _by_slope(lambda s: _one_and_square(s, 1).raised(Fraction(-1, 2)))
_ROOT_OF_PI = _exp_of(_log_of(_PI) / 2)
_ROOT_OF_2 = _exp_of(_log_of(Fraction(2)) / 2)


def _erf(s: Series) -> Series:
    slope = _exp((_at_zero(s) * s).scaled(Fraction(-1)))
    return (s.slope() * slope).integral(Fraction(0)).scaled(2 / _ROOT_OF_PI)


def _norm_cdf(s: Series) -> Series:
    half = _erf(s.scaled(1 / _ROOT_OF_2)).scaled(Fraction(1, 2))
    return half + Series.constant(Fraction(1, 2), max(half.end, 1))


def _norm_pdf(s: Series) -> Series:
    return _exp((s * s).scaled(Fraction(-1, 2))).scaled(1 / (_ROOT_OF_2 * _ROOT_OF_PI))


FUNCTIONS: dict[str, Callable[[Series], Series]] = {
    "exp": _exp,
    "expm1": lambda s: _plus(_exp(s), -1),
    "log": _log,
    "log1p": lambda s: _log(_plus(s, 1)),
    "sin": lambda s: _sine_and_cosine(s)[0],
    "cos": lambda s: _sine_and_cosine(s)[1],
    "tan": lambda s: _over(*_sine_and_cosine(s)),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": lambda s: _over(_sinh(s), _cosh(s)),
    "sigmoid": _sigmoid,
    "softplus": lambda s: _log(_plus(_exp(s), 1)),
    "arctan": _arctan,
    "arctanh": _arctanh,
    "arcsin": _arcsin,
    "arcsinh": _arcsinh,
    "erf": _erf,
    "erfc": lambda s: _plus(_erf(s).scaled(Fraction(-1)), 1),
    "norm_cdf": _norm_cdf,
    "norm_pdf": _norm_pdf,
    "norm_logcdf": lambda s: _log(_norm_cdf(s)),
    "inverse_mills": lambda s: _over(_norm_pdf(s), _norm_cdf(s)),
    "gelu": lambda s: s * _norm_cdf(s),
}
