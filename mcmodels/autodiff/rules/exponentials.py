"""Sums and quotients of exponentials, as people write them, computed without overflow.

The exponential of a traced value remembers its exponent, a sum of two its two exponents. So
``np.log(1 + np.exp(x))`` is computed as ``np.logaddexp(0, x)``, ``1 / (1 + np.exp(-x))`` as
``expit(x)``, ``np.exp(x) / np.sum(np.exp(x))`` as ``softmax(x)``, ``np.log(1 - p)`` of such a p as
``log_expit(-x)``. Values and derivatives are then finite wherever the function is, and keep their
digits in the tails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules import (  # noqa: F401  (some of their rules are marked here)
    arrangement,
    closed_forms,
    complex_numbers,
    elementwise,
    exponents,
    linear_algebra,
    log_differences,
    special,
)
from mcmodels.autodiff.rules.at_zero_forms import quotient_at_zero
from mcmodels.autodiff.rules.exponents import exponent_of, negative_of
from mcmodels.autodiff.rules.origins import is_number, kind_of, made, negated, origin, same
from mcmodels.autodiff.tables import RULES, call, shape_of
from mcmodels.autodiff.tracing import CHANGED, Traced, is_complex

# Sums of exponentials of which the logarithm is taken as written: their size, and how far from 1.
_MOST_TERMS = 8
_LEAST, _MOST, _NEAR = 1e-8, 1e300, 0.01
# What a sum of exponentials may be made of.
_OF_EXPONENTIALS = exponents.KINDS | {"sum", "exponentials", "multiple", CHANGED}
_LN2, _LN10 = float(np.log(2.0)), float(np.log(10.0))

Recogniser = Callable[[Sequence[Any], dict[str, Any]], Any]


def _negative(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return made("negative", args[0])


def _exp(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    # The other forms are of real numbers.
    return None if is_complex(args[0]) else made("exp", args[0])


def _exp2(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return exponents.of_number(2.0, args[0])


def _expit(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return made("expit", args[0])


def _sum_of_two(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if not all(kind_of(x) in _OF_EXPONENTIALS or is_number(x) for x in args):
        found = closed_forms.added(*args)
        return _less_softplus(*args) if found is None else found
    u, v = map(exponent_of, args)
    if u is not None and v is not None:
        return made("sum", u, v)
    terms = [*_terms(args[0]), *_terms(args[1])]
    if len(terms) > 2 or any(origin(x, "multiple") is not None for x in args):
        return made("exponentials", *terms) if _terms(args[0]) and _terms(args[1]) else None
    found = closed_forms.added(*args)
    return _less_softplus(*args) if found is None else found


def _terms(x: Any) -> list[Any]:
    """The exponents of which x is a sum of exponentials, a multiple as a pair with its number."""
    for kind in ("exponentials", "sum"):
        if (found := origin(x, kind)) is not None:
            return list(found) if len(found) <= _MOST_TERMS else []
    if (found := origin(x, "multiple")) is not None:
        return [found]
    u = exponent_of(x)
    return [] if u is None else [u]


def _log_of_terms(terms: Sequence[Any]) -> Any:
    """The logarithm of Σ exp(uᵢ), in pairs: their second derivatives are sums of positive terms."""
    exponents = [u[1] + float(np.log(u[0])) if isinstance(u, tuple) else u for u in terms]
    total = exponents[0]
    for u in exponents[1:]:
        total = np.logaddexp(total, u)
    return total


def _less_softplus(a: Any, b: Any) -> Any:
    """softplus(u) - u = softplus(-u), and log cosh u ± u = softplus(±2u) - log 2, as a sum."""
    for x, y in ((a, b), (b, a)):
        if (found := origin(x, "softplus")) is not None and negated(found[0], y):
            return np.logaddexp(0.0, y)
        found = origin(x, "log cosh")
        if found is not None and (same(found[0], y) or negated(found[0], y)):
            return np.logaddexp(0.0, 2.0 * y) - closed_forms.LN2
    return None


def _softplus_less(a: Any, b: Any) -> Any:
    """The same, as a difference."""
    if (found := origin(a, "softplus")) is not None and same(found[0], b):
        return np.logaddexp(0.0, -b)
    found = origin(a, "log cosh")
    if found is not None and (same(found[0], b) or negated(found[0], b)):
        return np.logaddexp(0.0, -2.0 * b) - closed_forms.LN2
    return None


def _difference(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    a, b = args
    if is_number(a) and a == 1 and (found := origin(b, "expit")) is not None:
        return sp.expit(-found[0])
    u, v = exponent_of(a), exponent_of(b)
    if u is None or v is None:
        found = closed_forms.subtracted(a, b)
        return _softplus_less(a, b) if found is None else found
    if is_number(b) and b == 1:
        return _remembering(np.expm1(u), "difference", u, v)
    if is_number(a) and a == 1:
        return _remembering(-np.expm1(v), "difference", u, v)
    return made("difference", u, v)


def _remembering(y: Any, kind: str, *args: Any) -> Any:
    """A traced value, with its origin."""
    y.origin = made(kind, *args)
    return y


def _log_of_difference(u: Any, v: Any) -> Any:
    """The logarithm of exp(u) - exp(v)."""
    if is_number(u) and u == 0.0:
        return call("log1mexp", -v)
    return u + call("log1mexp", u - v)


def _total(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    options = (kwargs.get("axis"), kwargs.get("keepdims", False))
    if (found := origin(args[0], "exp")) is not None:
        return made("total", found[0], *options)
    # The exponents of others are computed when the logarithm asks for them.
    return (
        None if origin(args[0], "exponent") is None else made("total of powers", args[0], *options)
    )


def _keeps_digits(total: Any) -> bool:
    """Whether sums of exponentials, of which no second derivative is taken, need no other form.

    Their logarithms lose digits near 1 alone, and terms that underflow are shares below 1e-300.
    """
    if not isinstance(total, np.ndarray | float):  # traced by another derivative, too
        return False
    least, largest = np.min(total, initial=_MOST), np.max(total, initial=_LEAST)
    if not (_LEAST <= least and largest < _MOST):
        return False
    return bool(least >= 1 + _NEAR or np.min(np.abs(total - 1.0)) >= _NEAR)


def _log(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    (x,) = args
    if (found := origin(x, "sum")) is not None:
        y = np.logaddexp(*found)
        if is_number(found[0]) or is_number(found[1]):
            number, u = found if is_number(found[0]) else found[::-1]
            if number == 0.0:
                y.origin = made("softplus", u)
        return y
    if (found := origin(x, "exponentials")) is not None:
        return _log_of_terms(found)
    if (found := origin(x, "difference")) is not None:
        return _log_of_difference(*found)
    if (found := origin(x, "expit")) is not None:
        return sp.log_expit(found[0])
    total = origin(x, "total")
    powers = origin(x, "total of powers") if total is None else None
    if (found := total or powers) is not None:
        if _keeps_digits(x.value):
            return None
        u, axis, keepdims = found
        return call(
            "logsumexp", u if powers is None else exponent_of(u), axis=axis, keepdims=keepdims
        )
    if (found := origin(x, "softmax")) is not None:
        u, axis = found
        return u - call("logsumexp", u, axis=axis, keepdims=True)
    if (found := origin(x, "multiple")) is not None:
        return found[1] + float(np.log(found[0]))
    u = exponent_of(x)
    return closed_forms.logarithm(x) if u is None else u + 0.0


def _log2(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    found = _log(args, kwargs)
    return None if found is None else found / _LN2


def _log10(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    found = _log(args, kwargs)
    return None if found is None else found / _LN10


def _log1p(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if kind_of(args[0]) in _OF_EXPONENTIALS and (terms := _terms(args[0])):
        return _log_of_terms([0.0, *terms])
    negative = origin(args[0], "negative")
    if negative is not None and (found := origin(negative[0], "expit")) is not None:
        return sp.log_expit(-found[0])
    if negative is not None and (u := exponent_of(negative[0])) is not None:
        return call("log1mexp", negative_of(u))
    found = closed_forms.log1p_of(args[0])
    return made("log1p", args[0]) if found is None else found


def _divide(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    a, b = args
    if (pair := origin(b, "sum")) is not None:
        return _over_sum(a, *pair)
    if (found := origin(b, "total")) is not None and (top := origin(a, "exp")) is not None:
        u, axis, keepdims = found
        if same(top[0], u) and (keepdims or axis is None or len(shape_of(u)) == 1):
            return call("softmax", u, axis=axis)
    if (found := origin(b, "exp")) is not None:  # in derivatives, 1/exp(u)² underflows
        inverse = np.exp(negative_of(found[0]))
        return inverse if is_number(a) and a == 1 else a * inverse
    if (form := exponents.quotient(a, b)) is not None:
        return form
    found = closed_forms.divided(a, b)
    return quotient_at_zero(a, b) if found is None else found


def _over_sum(a: Any, u: Any, v: Any) -> Any:
    """A over exp(u) + exp(v)."""
    if (found := origin(a, "difference")) is not None:
        x, y = found
        if same(x, u) and same(y, v):
            return np.tanh(0.5 * (x - y))
        if same(x, v) and same(y, u):
            return np.tanh(0.5 * (x - y))
        return None
    x = exponent_of(a)
    if x is not None and same(x, u):
        return sp.expit(u - v)
    if x is not None and same(x, v):
        return sp.expit(v - u)
    if is_number(u) and u == 0.0:
        return a * sp.expit(-v)
    return a * sp.expit(-u) if is_number(v) and v == 0.0 else None


def _reciprocal(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if (pair := origin(args[0], "sum")) is not None:
        return _over_sum(1.0, *pair)
    form = exponents.power(args[0], -1.0)
    return closed_forms.divided(1.0, args[0]) if form is None else form


def _power(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    base, exponent = args
    if not isinstance(base, Traced):
        return exponents.of_number(base, exponent) if is_number(base) else None
    if base.origin is None or not is_number(exponent):
        return None
    if (form := exponents.power(base, exponent)) is not None:
        return form
    pair = origin(base, "sum")
    if pair is None or exponent >= 0:
        return closed_forms.raised(base, exponent)
    found = _over_sum(1.0, *pair)
    return None if found is None else found**-exponent


def _square(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    form = exponents.power(args[0], 2.0)
    return closed_forms.raised(args[0], 2) if form is None else form


def _root(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return exponents.power(args[0], 0.5)


def _product(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    a, b = args
    if a is b:
        return _square([a], kwargs)
    if is_number(b):
        a, b = b, a
    if is_number(a) and a > 0 and (found := origin(b, "exp")) is not None:
        return made("multiple", float(a), found[0])
    return exponents.product(a, b)


def _softmax(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return made("softmax", args[0], kwargs.get("axis"))


RECOGNISERS: dict[Any, Recogniser] = {
    np.negative: _negative,
    np.exp: _exp,
    np.exp2: _exp2,
    sp.expit: _expit,
    np.add: _sum_of_two,
    np.subtract: _difference,
    "sum": _total,
    np.log: _log,
    np.log2: _log2,
    np.log10: _log10,
    np.log1p: _log1p,
    np.divide: _divide,
    np.reciprocal: _reciprocal,
    np.power: _power,
    np.square: _square,
    np.sqrt: _root,
    np.multiply: _product,
    "softmax": _softmax,
    **closed_forms.STARTS,
}
STARTS = {
    np.negative,
    np.exp,
    np.exp2,
    np.power,
    sp.expit,
    np.log1p,
    "softmax",
    *closed_forms.STARTS,
}
for key, recogniser in RECOGNISERS.items():
    RULES[key] = dataclasses.replace(RULES[key], recognise=recogniser, starts=key in STARTS)
