"""Functions of each entry, as NumPy names them; of complex numbers they are analytic."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

from mcmodels.plain.arrays import made, ndarray
from mcmodels.plain.numbers import joint, kind_of, raised
from mcmodels.plain.shapes import joint_shape

__all__ = ["FUNCTIONS", "where"]


def unary(real: Callable[[Any], Any], analytic: Callable[[Any], Any] | None = None, kind: str = ""):  # type: ignore[no-untyped-def]
    """A function of arrays and of numbers, from that of a number."""

    def of_number(z: Any) -> Any:
        if isinstance(z, complex):
            return (analytic or real)(z)
        return real(z)

    def of(x: Any, **_: Any) -> Any:
        if not isinstance(x, ndarray):
            if not isinstance(x, list | tuple):
                return of_number(x)
            x = made(x)
        work = (analytic or real) if x.kind == "c" else real
        found = kind or ("c" if x.kind == "c" else "f")
        return ndarray([work(entry) for entry in x.entries], x.shape, found)

    return of


def binary(work: Callable[[Any, Any], Any], kind: str = ""):  # type: ignore[no-untyped-def]
    """A function of two arrays or numbers, from that of two numbers."""

    def of(a: Any, b: Any, **_: Any) -> Any:
        if not isinstance(a, ndarray | list | tuple) and not isinstance(b, ndarray | list | tuple):
            return work(a, b)
        A, B = made(a), made(b)
        shape = joint_shape(A.shape, B.shape)
        entries = list(map(work, A.spread(shape).entries, B.spread(shape).entries))
        return ndarray(entries, shape, kind or joint(A.kind, B.kind))

    return of


def guarded(
    function: Callable[[float], float], over: Callable[[float], float] = lambda z: math.inf
) -> Callable[[float], float]:
    """NaN where it is not defined, and what ``over`` gives where it is too large."""

    def of(z: float) -> float:
        try:
            return function(z)
        except ValueError:
            return math.nan
        except OverflowError:
            return over(z)

    return of


def guarded_complex(function: Callable[[complex], complex]) -> Callable[[complex], complex]:
    """NaN where it is not defined or too large."""

    def of(z: complex) -> complex:
        try:
            return function(z)
        except (ValueError, OverflowError, ZeroDivisionError):
            return complex(math.nan, math.nan)

    return of


def _log(z: float) -> float:
    return math.log(z) if z > 0 else -math.inf if z == 0 else math.nan


def _log1p(z: float) -> float:
    return math.log1p(z) if z > -1 else -math.inf if z == -1 else math.nan


def _complex_log1p(z: complex) -> complex:
    x, y = z.real, z.imag
    return complex(0.5 * math.log1p(x * (2 + x) + y * y), math.atan2(y, 1 + x))


def _complex_expm1(z: complex) -> complex:
    half = math.sin(z.imag / 2)
    real = math.expm1(z.real) * math.cos(z.imag) - 2 * half * half
    return complex(real, math.exp(z.real) * math.sin(z.imag))


def _sign(z: float) -> float:
    return 0.0 if z == 0 else math.copysign(1.0, z) if z == z else z


def _heaviside(z: float, at_zero: float) -> float:
    return at_zero if z == 0 else float(z > 0) if z == z else z


def _logaddexp(a: float, b: float) -> float:
    top, low = max(a, b), min(a, b)
    if top == low:
        return top + math.log(2)
    return top + math.log1p(math.exp(low - top)) if low == low and top < math.inf else top


def _larger(a: Any, b: Any) -> Any:
    return a if a != a or a >= b else b


def _smaller(a: Any, b: Any) -> Any:
    return a if a != a or a <= b else b


def _finite(z: Any) -> bool:
    return cmath.isfinite(z)


def where(condition: Any, *choices: Any) -> Any:
    """The entries of one array where a condition holds, else those of another."""
    C = made(condition)
    if not choices:
        return nonzero(C)
    A, B = map(made, choices)
    shape = joint_shape(C.shape, A.shape, B.shape)
    lines = (each.spread(shape).entries for each in (C, A, B))
    entries = [a if chosen else b for chosen, a, b in zip(*lines, strict=True)]
    return ndarray(entries, shape, joint(A.kind, B.kind))


def nonzero(array: ndarray) -> tuple[ndarray, ...]:
    """The places of entries that are not 0, axis by axis."""
    steps = []
    step = 1
    for length in reversed(array.shape):
        steps.append((step, length))
        step *= length
    places = [k for k, entry in enumerate(array.entries) if entry]
    return tuple(
        ndarray([k // step % length for k in places], (len(places),), "i")
        for step, length in reversed(steps)
    )


def clip(array: Any, low: Any, high: Any) -> Any:
    """Between two bounds."""
    return FUNCTIONS["minimum"](FUNCTIONS["maximum"](array, low), high)


def absolute(x: Any) -> Any:
    """The absolute value."""
    return abs(made(x)) if isinstance(x, list | tuple) else abs(x)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": unary(guarded(math.exp), guarded_complex(cmath.exp)),
    "log": unary(_log, guarded_complex(cmath.log)),
    "log2": unary(guarded(math.log2)),
    "log10": unary(guarded(math.log10)),
    "sqrt": unary(guarded(math.sqrt), guarded_complex(cmath.sqrt)),
    "sin": unary(guarded(math.sin), guarded_complex(cmath.sin)),
    "cos": unary(guarded(math.cos), guarded_complex(cmath.cos)),
    "tan": unary(guarded(math.tan), guarded_complex(cmath.tan)),
    "arcsin": unary(guarded(math.asin), guarded_complex(cmath.asin)),
    "arccos": unary(guarded(math.acos), guarded_complex(cmath.acos)),
    "arctan": unary(guarded(math.atan), guarded_complex(cmath.atan)),
    "sinh": unary(
        guarded(math.sinh, lambda z: math.copysign(math.inf, z)), guarded_complex(cmath.sinh)
    ),
    "cosh": unary(guarded(math.cosh), guarded_complex(cmath.cosh)),
    "tanh": unary(guarded(math.tanh), guarded_complex(cmath.tanh)),
    "arcsinh": unary(guarded(math.asinh), guarded_complex(cmath.asinh)),
    "arccosh": unary(guarded(math.acosh), guarded_complex(cmath.acosh)),
    "arctanh": unary(
        guarded(lambda z: math.copysign(math.inf, z) if abs(z) == 1 else math.atanh(z)),
        guarded_complex(cmath.atanh),
    ),
    "log1p": unary(_log1p, guarded_complex(_complex_log1p)),
    "expm1": unary(guarded(math.expm1), guarded_complex(_complex_expm1)),
    "sign": unary(_sign, lambda z: complex(_sign(z.real))),
    "floor": unary(lambda z: float(math.floor(z)) if math.isfinite(z) else z),
    "ceil": unary(lambda z: float(math.ceil(z)) if math.isfinite(z) else z),
    "rint": unary(lambda z: float(round(z)) if math.isfinite(z) else z),
    "isfinite": unary(_finite, _finite, "b"),
    "isnan": unary(lambda z: z != z, lambda z: z != z, "b"),
    "isinf": unary(math.isinf, cmath.isinf, "b"),
    "abs": absolute,
    "hypot": binary(math.hypot, "f"),
    "logaddexp": binary(_logaddexp, "f"),
    "maximum": binary(_larger),
    "minimum": binary(_smaller),
    "fmax": binary(lambda a, b: b if a != a else a if b != b else max(a, b)),
    "power": binary(raised),
    "copysign": binary(math.copysign, "f"),
    "ldexp": binary(lambda a, k: guarded(lambda z: math.ldexp(z, int(k)))(a), "f"),
    "heaviside": binary(_heaviside, "f"),
    "logical_and": binary(lambda a, b: bool(a and b), "b"),
    "clip": clip,
    "where": where,
}


def frexp(x: Any) -> tuple[Any, Any]:
    """Fraction and exponent of each entry."""
    array = made(x)
    pairs = [math.frexp(entry) if math.isfinite(entry) else (entry, 0) for entry in array.entries]
    return (
        ndarray([pair[0] for pair in pairs], array.shape, "f"),
        ndarray([pair[1] for pair in pairs], array.shape, "i"),
    )


def iscomplexobj(x: Any) -> bool:
    """Whether the numbers are complex."""
    return (x.kind if isinstance(x, ndarray) else kind_of(x)) == "c"
