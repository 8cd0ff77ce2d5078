"""Rules of NumPy's elementwise functions.

Each entry has the function, its differential, and for each argument the term of the differential as
a function of the tangent t of this argument; y is the value of the function.

A tangent t of b is of the size of b, a cotangent t of y of the size of 1/y. So ``t y / b`` neither
overflows nor underflows before its factors do, where ``t (y / b)`` does: the second derivative of
``log b`` is then the square of ``db/b``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import Map, add, call, elementwise, warn_kink
from mcmodels.autodiff.tracing import constant, is_complex

_LN2 = float(np.log(2.0))
_LN10 = float(np.log(10.0))
_FEW = 64  # entries for which NumPy's loop takes less time than several calls
# 1 - y² has an error of half a unit of rounding of 1: by this bound, 5 units of its own.
_FAR_FROM_TAILS = 0.1
_DEGREE = float(np.pi / 180.0)


def _absolute(t: Any, y: Any, x: Any) -> Any:
    side = np.sign(constant(x))
    warn_kink(side == 0, "abs is not differentiable at 0; 0 is taken for its derivative.")
    return t * side


def _of_power(t: Any, y: Any, a: Any, b: Any) -> Any:
    if type(b) in (int, float) and b != 0:
        if b == 2:
            return t * (2 * a)
        return t * (b * a ** (b - 1)) if b > 0 else b * (t * y / a)
    exponent = constant(b)
    if b is not exponent or np.ndim(exponent) > 0:
        # At a = b = 0 the derivative b·aᵇ⁻¹ is 0, but computed as 0·∞ it would be NaN. Elsewhere b
        # stays as it is, possibly traced: this derivative may be differentiated by b in turn.
        vanishes = (exponent == 0) & (np.asarray(constant(a)) == 0)
        return t * np.where(vanishes, 0.0, b * a ** np.where(vanishes, 1, b - 1))
    if exponent == 0:
        return t * np.zeros_like(constant(a))
    return t * (2 * a) if exponent == 2 else t * (b * a ** (b - 1))


def _of_exponent(t: Any, y: Any, a: Any, b: Any) -> Any:
    # For b > 0 the derivative of 0ᵇ by b is 0, but computed as 0·log 0 it would be NaN.
    return t * (y * np.log(np.where((constant(a) == 0) & (constant(b) > 0), 1.0, a)))


def _extremum_rule(better: Callable[[Any, Any], Any]) -> Map:
    """The rule of an extremum of two values: t for the one that is taken, t/2 for equal values."""

    def rule(t: Any, y: Any, mine: Any, other: Any) -> Any:
        mine, other = constant(mine), constant(other)
        tie = mine == other
        if tie.any():
            warn_kink(tie, "an extremum of two equal values has no derivative; half is taken.")
            t = np.where(tie, 0.5 * t, t)
        return np.where(tie | better(mine, other), t, 0)

    return rule


def _swap_arguments(rule: Map) -> Map:
    return lambda t, y, a, b: rule(t, y, b, a)


_of_larger, _of_smaller = _extremum_rule(np.greater), _extremum_rule(np.less)
_of_larger_not_nan = _extremum_rule(lambda mine, other: (mine > other) | np.isnan(other))
_of_smaller_not_nan = _extremum_rule(lambda mine, other: (mine < other) | np.isnan(other))


def _cosine(a: Any, y: Any) -> Any:
    """``a/y`` for the hypotenuse y of a; 0 where y is 0."""
    zero = np.asarray(constant(y)) == 0
    if not zero.any():
        return a / y
    warn_kink(zero, "a norm is not differentiable at 0; 0 is taken for its derivative.")
    return a / np.where(zero, 1.0, y)


def _root_of_one_more(x: Any) -> Any:
    """``√(x² + 1)``."""
    return np.sqrt(x * x + 1.0) if is_complex(x) else np.hypot(x, 1.0)


def _over_square(x: Any, a: Any, b: Any) -> Any:
    """``x/(a² + b²)``, also where the squares are too large or too small for their type."""
    with np.errstate(over="ignore"):
        square = a * a + b * b
    plain = np.asarray(constant(square))
    limits = np.finfo(plain.dtype)
    if plain.size == 0 or (plain.min() > limits.tiny / limits.eps and plain.max() <= limits.max):
        return x / square
    r = np.hypot(a, b)
    return (x / r) / r


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)


_chosen.__name__ = "where"


def _logaddexp(a: Any, b: Any) -> Any:
    """``max(a, b) + log1p(exp(-|a - b|))``: faster than NumPy's loop, which is not vectorised."""
    few = getattr(a, "size", 1) * getattr(b, "size", 1) <= _FEW
    if few and not (np.iscomplexobj(a) or np.iscomplexobj(b)):
        return np.logaddexp(a, b)
    with np.errstate(invalid="ignore"):
        y = np.log1p(np.exp(-np.abs(a - b))) + np.maximum(a, b)
    return y if np.isfinite(np.sum(y)) else np.logaddexp(a, b)


_logaddexp.__name__ = "logaddexp"


def _share(a: Any, b: Any, y: Any) -> Any:
    """``eᵃ/(eᵃ + eᵇ) = σ(a - b)``, given y = log(eᵃ + eᵇ)."""
    return np.exp(a - y)


_share.__name__ = "share"


def _sech_squared(x: Any, y: Any = None) -> Any:
    """``1/cosh²x``, given y = tanh x: 1 - y² where that keeps the digits."""
    if y is None:
        y = np.tanh(x)
    if y.dtype.kind == "c":
        return 1 / np.cosh(x) ** 2
    found = 1.0 - y * y
    if found.size == 0 or found.item(found.argmin()) > _FAR_FROM_TAILS:
        return found
    s = 1 / np.cosh(np.minimum(np.abs(x), 700.0))  # beyond, its square is 0 in float64
    return s * s


_sech_squared.__name__ = "sech_squared"

add(
    elementwise(np.add, "d(a + b) = da + db", lambda t, y, a, b: t, lambda t, y, a, b: t),
    elementwise(np.subtract, "d(a - b) = da - db", lambda t, y, a, b: t, lambda t, y, a, b: -t),
    elementwise(
        np.multiply, "d(ab) = b da + a db", lambda t, y, a, b: t * b, lambda t, y, a, b: t * a
    ),
    elementwise(
        np.divide,
        "d(a/b) = da/b - (a/b) db/b",
        lambda t, y, a, b: t / b,
        lambda t, y, a, b: -(t * y) / b,
    ),
    elementwise(np.power, "d aᵇ = b aᵇ⁻¹ da + aᵇ log a db", _of_power, _of_exponent),
    elementwise(np.float_power, "d aᵇ = b aᵇ⁻¹ da + aᵇ log a db", _of_power, _of_exponent),
    elementwise(
        np.remainder,
        "d(a mod b) = da - ⌊a/b⌋ db",
        lambda t, y, a, b: t,
        lambda t, y, a, b: -t * np.floor_divide(constant(a), constant(b)),
    ),
    elementwise(np.negative, "d(-x) = -dx", lambda t, y, x: -t),
    elementwise(np.positive, "d(+x) = dx", lambda t, y, x: t),
    elementwise(np.absolute, "d|x| = sign(x) dx", _absolute),
    elementwise(np.fabs, "d|x| = sign(x) dx", _absolute),
    elementwise(np.reciprocal, "d(1/x) = -dx/x²", lambda t, y, x: -(t * y) * y),
    elementwise(np.square, "d x² = 2x dx", lambda t, y, x: t * (2 * x)),
    elementwise(np.sqrt, "d √x = dx/(2√x)", lambda t, y, x: t / (2 * y)),
    elementwise(np.cbrt, "d ∛x = dx/(3 ∛x²)", lambda t, y, x: t / (3 * y * y)),
    elementwise(np.exp, "d eˣ = eˣ dx", lambda t, y, x: t * y),
    elementwise(np.exp2, "d 2ˣ = 2ˣ log 2 dx", lambda t, y, x: t * (_LN2 * y)),
    elementwise(np.expm1, "d(eˣ - 1) = eˣ dx", lambda t, y, x: t * np.exp(x)),
    elementwise(np.log, "d log x = dx/x", lambda t, y, x: t / x),
    elementwise(np.log2, "d log₂x = dx/(x log 2)", lambda t, y, x: t / (_LN2 * x)),
    elementwise(np.log10, "d log₁₀x = dx/(x log 10)", lambda t, y, x: t / (_LN10 * x)),
    elementwise(np.log1p, "d log(1 + x) = dx/(1 + x)", lambda t, y, x: t / (1 + x)),
    elementwise(
        np.logaddexp2,
        "d log₂(2ᵃ + 2ᵇ) = 2ᵃ⁻ʸ da + 2ᵇ⁻ʸ db",
        lambda t, y, a, b: t * call("share", _LN2 * a, _LN2 * b, _LN2 * constant(y)),
        lambda t, y, a, b: t * call("share", _LN2 * b, _LN2 * a, _LN2 * constant(y)),
    ),
    elementwise(np.sin, "d sin x = cos x dx", lambda t, y, x: t * np.cos(x)),
    elementwise(np.cos, "d cos x = -sin x dx", lambda t, y, x: -t * np.sin(x)),
    elementwise(np.tan, "d tan x = (1 + tan²x) dx", lambda t, y, x: t * (1 + y * y)),
    elementwise(
        np.arcsin, "d arcsin x = dx/√(1 - x²)", lambda t, y, x: t / np.sqrt((1 - x) * (1 + x))
    ),
    elementwise(
        np.arccos, "d arccos x = -dx/√(1 - x²)", lambda t, y, x: -t / np.sqrt((1 - x) * (1 + x))
    ),
    elementwise(np.arctan, "d arctan x = dx/(1 + x²)", lambda t, y, x: t / (1 + x * x)),
    elementwise(
        np.arctan2,
        "d arctan(a/b) = (b da - a db)/(a² + b²)",
        lambda t, y, a, b: t * _over_square(b, a, b),
        lambda t, y, a, b: -t * _over_square(a, a, b),
    ),
    elementwise(np.sinh, "d sinh x = cosh x dx", lambda t, y, x: t * np.cosh(x)),
    elementwise(np.cosh, "d cosh x = sinh x dx", lambda t, y, x: t * np.sinh(x)),
    elementwise(
        np.tanh,
        "d tanh x = dx/cosh²x",
        lambda t, y, x: t * call("sech_squared", x, constant(y)),
    ),
    elementwise(np.arcsinh, "d arsinh x = dx/√(x² + 1)", lambda t, y, x: t / _root_of_one_more(x)),
    elementwise(
        np.arccosh, "d arcosh x = dx/√(x² - 1)", lambda t, y, x: t / np.sqrt(x - 1) / np.sqrt(x + 1)
    ),
    elementwise(np.arctanh, "d artanh x = dx/(1 - x²)", lambda t, y, x: t / ((1 - x) * (1 + x))),
    elementwise(
        np.hypot,
        "d √(a² + b²) = (a da + b db)/y",
        lambda t, y, a, b: t * _cosine(a, y),
        lambda t, y, a, b: t * _cosine(b, y),
    ),
    elementwise(np.deg2rad, "d(xπ/180) = π/180 dx", lambda t, y, x: t * _DEGREE),
    elementwise(np.radians, "d(xπ/180) = π/180 dx", lambda t, y, x: t * _DEGREE),
    elementwise(np.rad2deg, "d(180x/π) = 180/π dx", lambda t, y, x: t / _DEGREE),
    elementwise(np.degrees, "d(180x/π) = 180/π dx", lambda t, y, x: t / _DEGREE),
    elementwise(
        np.maximum, "d max(a, b) = [a > b] da + [b > a] db", _of_larger, _swap_arguments(_of_larger)
    ),
    elementwise(
        np.fmax,
        "d max(a, b) = [a > b] da + [b > a] db",
        _of_larger_not_nan,
        _swap_arguments(_of_larger_not_nan),
    ),
    elementwise(
        np.minimum,
        "d min(a, b) = [a < b] da + [b < a] db",
        _of_smaller,
        _swap_arguments(_of_smaller),
    ),
    elementwise(
        np.fmin,
        "d min(a, b) = [a < b] da + [b < a] db",
        _of_smaller_not_nan,
        _swap_arguments(_of_smaller_not_nan),
    ),
)
_, _where = elementwise(
    _chosen,
    "d(a where c, b elsewhere) = da where c, db elsewhere",
    None,
    lambda t, y, c, a, b: np.where(c, t, 0),
    lambda t, y, c, a, b: np.where(c, 0, t),
)
_, _log_of_sum = elementwise(
    _logaddexp,
    "d log(eᵃ + eᵇ) = σ(a - b) da + σ(b - a) db",
    lambda t, y, a, b: t * call("share", a, b, constant(y)),
    lambda t, y, a, b: t * call("share", b, a, constant(y)),
)
_, _of_share = elementwise(
    _share,
    "d σ(a - b) = σ(a - b) σ(b - a) (da - db)",
    lambda t, s, a, b, y: t * (s * call("share", b, a, y)),
    lambda t, s, a, b, y: -t * (s * call("share", b, a, y)),
    None,
)
_, _of_tanh = elementwise(
    _sech_squared,
    "d(1/cosh²x) = -2 tanh x/cosh²x dx",
    lambda t, s, x, y=None: t * (-2 * np.tanh(x) * s),
    None,
)
add(
    ("where", _where),
    (np.logaddexp, _log_of_sum),
    ("share", _of_share),
    ("sech_squared", _of_tanh),
)
