"""The functions of a number, by mpmath, at the precision that it is set to.

mpmath is imported when they are first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

__all__ = ["functions", "mpmath", "number", "real", "rounding"]

_FEWEST_DIGITS_LOST = 5
_FAR = 1e100


@cache
def mpmath() -> Any:
    """The package, or an ImportError that names the extra."""
    try:
        return importlib.import_module("mpmath")
    except ImportError as error:
        raise ImportError(
            "digits=… needs mpmath: pip install 'mcmodels[digits]'.", name="mpmath"
        ) from error


def number(value: Any) -> Any:
    """A number of Python, NumPy or mpmath as an mpf; a TypeError where it is none."""
    mpf = mpmath().mpf
    if isinstance(value, mpf | str | float):
        return mpf(value)
    if isinstance(value, int):
        return mpf(int(value))
    if isinstance(value, Decimal | Fraction):
        above, below = value.as_integer_ratio()
        return mpf(above) / below
    if hasattr(value, "dtype"):  # of NumPy
        if value.dtype.kind in "biu":
            return mpf(int(value))
        if value.dtype.kind == "f":
            above, below = value.as_integer_ratio()
            return mpf(above) / below
    raise TypeError(f"no real number: {value!r}")


def real(value: Any) -> Any:
    """NaN where a function of a real number has no real value."""
    mp = mpmath().mp
    return value if not isinstance(value, mp.mpc) else value.real if value.imag == 0 else mp.nan


def rounding() -> Any:
    """What a quotient is taken for zero below, in the digits at work."""
    mp = mpmath().mp
    return mp.mpf(10) ** (_FEWEST_DIGITS_LOST - mp.dps)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    def of_numbers(*arguments: Any) -> Any:
        try:
            return real(function(*arguments))
        except (ValueError, ZeroDivisionError):  # a pole
            return mpmath().mp.nan

    return of_numbers


def _far_out(z: Any) -> Any:
    """√π z exp(z²) erfc(z) = 1 − 1/(2z²) + 3/(2z²)² − …: DLMF (7.12.1)."""
    mp = mpmath().mp
    total = term = mp.mpf(1)
    k = 1
    while abs(term) > mp.eps:
        term *= -k / (2 * z * z)
        total += term
        k += 2
    return total


@cache
def functions() -> Mapping[str, Callable[..., Any]]:
    """By name: those of `core.elementwise`, those of two numbers, and `power` and `polygamma`."""
    mp = mpmath().mp
    mpf = mp.mpf

    def softplus(z: Any) -> Any:
        return z + mp.log1p(mp.exp(-z)) if z > 0 else mp.log1p(mp.exp(z))

    def wider(function: Callable[..., Any]) -> Callable[..., Any]:
        """With the digits more that z² has before the point: the exponent needs them."""

        def at(z: Any) -> Any:
            with mp.workprec(mp.prec + 2 * max(int(mp.mag(z)), 0) if mp.isnormal(z) else mp.prec):
                value = function(z)
            return +value

        return at

    @wider
    def erfc(z: Any) -> Any:
        # mpmath squares z as a float.
        return mp.exp(-z * z) * _far_out(z) / (z * mp.sqrt(mp.pi)) if z > _FAR else mp.erfc(z)

    @wider
    def cdf(z: Any) -> Any:
        return erfc(-z / mp.sqrt(2)) / 2 if z < 0 else mp.ncdf(min(z, mpf(_FAR)))

    density = wider(mp.npdf)

    def log_of_cdf(z: Any) -> Any:
        return mp.log1p(-cdf(-z)) if z > 0 else mp.log(cdf(z))

    def mills(z: Any) -> Any:
        return density(z) / cdf(z)

    def polygamma(k: int, z: Any) -> Any:
        if z > 0:
            return mp.psi(k, z)
        # mpmath would count up from z one by one. By reflection, in z - floor(z): DLMF (5.15.6).
        nearest = mp.nint(z)
        near, far = abs(z - nearest), 1 - abs(z - nearest)
        if z < nearest:
            near, far = far, near
        return mp.psi(k, near) + (-1) ** k * (mp.psi(k, 1 - z) - mp.psi(k, far))

    table = {
        "exp": mp.exp,
        "log": mp.log,
        "sin": mp.sin,
        "cos": mp.cos,
        "tanh": mp.tanh,
        "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
        "softplus": softplus,
        "abs": abs,
        "relu": lambda z: max(z, mpf(0)),
        "sign": mp.sign,
        "step": lambda z: mpf(z > 0),
        "sqrt": mp.sqrt,
        "power": mp.power,
        "log1p": mp.log1p,
        "expm1": mp.expm1,
        "tan": mp.tan,
        "arcsin": mp.asin,
        "arccos": mp.acos,
        "arctan": mp.atan,
        "sinh": mp.sinh,
        "cosh": mp.cosh,
        "arcsinh": mp.asinh,
        "arccosh": mp.acosh,
        "arctanh": mp.atanh,
        "erf": mp.erf,
        "erfc": erfc,
        "norm_cdf": cdf,
        "norm_pdf": density,
        "norm_logcdf": log_of_cdf,
        "inverse_mills": mills,
        "inverse_mills_gap": lambda z: z + mills(z),
        "gammaln": lambda z: mp.log(abs(mp.gamma(z))),
        "digamma": mp.digamma,
        "polygamma": polygamma,
        "gelu": lambda z: z * cdf(z),
        "maximum": max,
        "minimum": min,
        "hypot": mp.hypot,
    }
    return {name: _guarded(function) for name, function in table.items()}
