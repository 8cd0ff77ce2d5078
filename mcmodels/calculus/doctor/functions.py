"""Derivatives of Python functions under examination: by their values alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.calculus.binding import Array
from mcmodels.calculus.doctor.factors import Quantity, ratios_of, recognise
from mcmodels.calculus.doctor.measurement import Measured, measured
from mcmodels.calculus.doctor.places import place_of, worst_entry
from mcmodels.calculus.doctor.samples import APPROXIMATE, as_claimed_array
from mcmodels.calculus.doctor.shapes import REMEDIES, mismatch, reshaped
from mcmodels.calculus.doctor.verdict import Diagnosis

__all__ = ["diagnose_function"]

_FACTOR_TOLERANCE = 1e-4


def diagnose_function(f: Callable[[Array], Any], x: Any, claimed: Any) -> Diagnosis:
    """The work of `diagnose` for a Python function of one array."""
    point = _point(x)
    value = _value(f, point)
    if callable(claimed):
        try:
            claim = as_claimed_array(claimed(point.copy()))
        except TypeError:
            raise
        except Exception as error:
            raise ValueError(f"claimed could not be called at x: {error}") from error
    else:
        claim = as_claimed_array(claimed)
    return _compared(claim, measured(f, point, value), point, value)


def _point(x: Any) -> Array:
    try:
        point = np.asarray(x, dtype=float)
    except (TypeError, ValueError):
        point = None
    if point is None or not np.isfinite(point).all() or point.size == 0:
        raise ValueError(
            f"for a function f, x is the point: an array of finite real numbers; found {x!r:.80}"
        )
    return point


def _value(f: Callable[[Array], Any], point: Array) -> Array:
    try:
        value = np.asarray(f(point.copy()))
    except Exception as error:
        raise ValueError(
            f"f could not be called with an array of {point.shape}: {error}"
        ) from error
    if value.dtype.kind not in "biuf" or not np.isfinite(value).all():
        raise ValueError(f"f must be finite and real at x; found {value!r:.80}")
    return value


def _compared(claim: Array, found: Measured, point: Array, value: Array) -> Diagnosis:
    right, doubt = found.right, float(found.doubt.max())
    kind = "gradient" if value.size == 1 else "Jacobian"
    scale = float(np.abs(right).max())
    if claim.shape != right.shape:
        return _wrong_shape(claim, right, doubt, kind)
    deviation = np.abs(claim - right)
    error = float("inf")
    if np.isfinite(claim).all():
        error = float(deviation.max()) / (scale or 1.0)
    largest = max(scale, float(np.abs(claim[np.isfinite(claim)]).max(initial=0)))
    allowed = APPROXIMATE.relative * largest + doubt
    if (deviation <= APPROXIMATE.relative * largest + found.doubt).all():
        words = f"it agrees with the {kind} by differences at x (relative error {error:.1e}"
        trust = doubt / scale if scale else doubt
        words += f"; differences are good to {trust:.0e})"
        if found.flat:
            words += "; it is nearly 0 there, and many mistakes cannot be seen: try another point"
        return Diagnosis(True, error, None, words, "", right)
    if not np.isfinite(claim).all():
        count = int((~np.isfinite(claim)).sum())
        return Diagnosis(
            False, error, "not finite", f"{count} of its entries are NaN or infinite", "", right
        )
    pair = [(claim, right)]
    ratios = ratios_of(pair, [allowed])
    if ratios is not None:
        factor = recognise(ratios, _sizes(point, value), _FACTOR_TOLERANCE)
        if factor is not None and (factor.recognised or claim.size > 2):
            words = factor.statement()
            return Diagnosis(False, error, "factor", words, "multiply by what is missing", right)
    if right.ndim == 2 and right.shape[0] == right.shape[1]:
        for name, words, wrong in _of_squares(right):
            if np.abs(claim - wrong).max() <= allowed:
                return Diagnosis(False, error, name, words, "", right)
    worst = worst_entry(claim, right)
    place = place_of(pair, [allowed])
    if place is not None and np.mean(deviation > allowed) <= 0.5:
        words = f"only {place}; the other entries are right. The worst is {worst}"
        return Diagnosis(False, error, "wrong entries", words, "look at these entries", right)
    words = f"no known mistake gives this; the worst entry is {worst}"
    if place is not None:
        words = f"{place}; {words}"
    remedy = "with an expression for f, mistakes of its derivation can be told, too"
    return Diagnosis(False, error, "unknown", words, remedy, right)


def _sizes(point: Array, value: Array) -> list[Quantity]:
    found: dict[int, str] = {}
    for name, array in (("x", point), ("f(x)", value)):
        for axis, length in enumerate(array.shape):
            if length > 1:
                text = f"len({name})" if array.ndim == 1 else f"{name}.shape[{axis}]"
                found.setdefault(length, text)
    if point.ndim > 1:
        found.setdefault(point.size, "x.size")
    return [Quantity(text, (float(length),), None) for length, text in found.items()]


def _of_squares(right: Array) -> list[tuple[str, str, Array]]:
    diagonal = np.diag(np.diag(right))
    return [
        ("transposed layout", "it is the transpose of the right one", right.T),
        (
            "symmetric convention",
            "the entries beside the diagonal count twice, as for a symmetric variable",
            right + right.T - diagonal,
        ),
        (
            "symmetric convention",
            "it is the symmetric part of the gradient, as for a symmetric variable",
            (right + right.T) / 2,
        ),
    ]


def _wrong_shape(claim: Array, right: Array, doubt: float, kind: str) -> Diagnosis:
    shapes, remedy = mismatch(claim, right, kind), REMEDIES[kind]
    allowed = APPROXIMATE.relative * float(np.abs(right).max()) + doubt
    found = reshaped([(claim, right)], [allowed])
    if found is None:
        return Diagnosis(False, float("inf"), "wrong shape", shapes, remedy, right)
    name, words, factor = found
    if factor != 1:
        words += f", and {factor:.6g} times the right one"
    return Diagnosis(False, float("inf"), name, f"{words}; {shapes}", remedy, right)
