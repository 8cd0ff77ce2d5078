"""Functions that Python's `math` lacks, some of them by mpmath, which is imported when used."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from mcmodels.plain.elementwise import guarded, unary

__all__ = ["SPECIAL", "matrix_function", "mpmath"]

_DIGITS = 25
_ROOT_OF_PI = math.sqrt(math.pi)
_ROOT_OF_2 = math.sqrt(2)


@cache
def mpmath() -> Any:
    """The package, or an ImportError that names the extra."""
    try:
        return import_module("mpmath")
    except ImportError as error:
        raise ImportError(
            "without NumPy and SciPy this needs mpmath: pip install 'mcmodels[digits]'.",
            name="mpmath",
        ) from error


def _value(name: str, *arguments: Any) -> float:
    """A function of mpmath at a real number, rounded; NaN at a pole."""
    mp = mpmath().mp
    with mp.workdps(_DIGITS):
        try:
            found = getattr(mp, name)(*arguments)
        except (ValueError, ZeroDivisionError):
            return math.nan
        return float(found.real)


def _of_first_order(
    value: Callable[[float], float], slope: Callable[[float], float]
) -> Callable[[complex], complex]:
    """Of first order in the imaginary part, which is all that the complex step asks for."""
    return lambda z: complex(value(z.real), z.imag * slope(z.real))


def density(z: float) -> float:
    """Of the normal distribution."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def ndtr(z: float) -> float:
    """Its distribution function."""
    return math.erfc(-z / _ROOT_OF_2) / 2


def log_ndtr(z: float) -> float:
    """The logarithm of that."""
    if z > -5:
        return math.log1p(-ndtr(-z)) if z > 0 else math.log(ndtr(z))
    return math.log(erfcx(-z / _ROOT_OF_2) / 2) - z * z / 2


def erfcx(z: float) -> float:
    """exp(z²) erfc(z); by its continued fraction where z is large: DLMF (7.9.1)."""
    if z != z:
        return z
    if z < 5:
        return guarded(lambda w: math.exp(w * w) * math.erfc(w))(z)
    below = z
    for k in range(60, 0, -1):
        below = z + k / 2 / below
    return 1 / (_ROOT_OF_PI * below)


def _gammaln(z: float) -> float:
    if z == math.floor(z) and z <= 0:
        return math.inf
    return math.lgamma(z)


def digamma(z: float) -> float:
    """The derivative of the logarithm of Γ."""
    return _value("digamma", z) if math.isfinite(z) else z


def psi(k: int, z: float) -> float:
    """The k-th derivative of digamma."""
    return _value("psi", k, z) if math.isfinite(z) else math.nan


def expit(z: float) -> float:
    """1/(1 + exp(−z))."""
    if z < 0:
        small = math.exp(z)
        return small / (1 + small)
    return 1 / (1 + math.exp(-z))


def _mills(z: float) -> float:
    return math.sqrt(2 / math.pi) / erfcx(-z / _ROOT_OF_2)


def _slope_of_erf(z: float) -> float:
    return 2 / _ROOT_OF_PI * math.exp(-z * z)


def polygamma(k: Any, x: Any) -> Any:
    """The k-th derivative of digamma at each entry."""
    order = int(k)
    return unary(lambda z: psi(order, z))(x)


SPECIAL: dict[str, Callable[..., Any]] = {
    "erf": unary(math.erf, _of_first_order(math.erf, _slope_of_erf)),
    "erfc": unary(math.erfc, _of_first_order(math.erfc, lambda z: -_slope_of_erf(z))),
    "erfcx": unary(erfcx, _of_first_order(erfcx, lambda z: 2 * z * erfcx(z) - 2 / _ROOT_OF_PI)),
    "ndtr": unary(ndtr, _of_first_order(ndtr, density)),
    "log_ndtr": unary(log_ndtr, _of_first_order(log_ndtr, _mills)),
    "gammaln": unary(guarded(_gammaln)),
    "loggamma": unary(guarded(_gammaln), _of_first_order(guarded(_gammaln), digamma)),
    "digamma": unary(digamma, _of_first_order(digamma, lambda z: psi(1, z))),
    "polygamma": polygamma,
    "expit": unary(expit),
    "zeta": lambda x, q=1.0: _value("zeta", x, q),
}


def matrix_function(name: str, rows: list[list[Any]]) -> list[list[Any]]:
    """Exponential, logarithm or root of a matrix."""
    mp = mpmath().mp
    with mp.workdps(_DIGITS):
        found = getattr(mp, name)(mp.matrix(rows))
        lines = [[complex(entry) for entry in line] for line in found.tolist()]
    largest = max(abs(entry) for line in lines for entry in line)
    if all(abs(entry.imag) <= 1e-13 * largest for line in lines for entry in line):
        return [[entry.real for entry in line] for line in lines]
    return lines
