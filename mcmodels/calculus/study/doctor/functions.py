"""Diagnosis of derivatives of Python functions, by their values alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.compute.binding import Array, refuse_masked
from mcmodels.calculus.study.doctor.factors import Quantity, ratios_of, recognise
from mcmodels.calculus.study.doctor.places import place_of, worst_entry
from mcmodels.calculus.study.doctor.samples import APPROXIMATE, as_claimed_array
from mcmodels.calculus.study.doctor.shapes import REMEDIES, mismatch, reshaped
from mcmodels.calculus.study.doctor.shapes import remedy as remedy_of_shape
from mcmodels.calculus.study.doctor.verdict import Diagnosis
from mcmodels.differences import NumericalDerivative, numerical_derivative
from mcmodels.plain import np

__all__ = ["claim_at", "compared", "diagnose_function", "real_point", "real_value"]

_FACTOR_TOLERANCE = 1e-4  # relative, of a ratio; the values come from differences
_EPSILON = float(np.finfo(float).eps)


def diagnose_function(f: Callable[[Array], Any], x: Any, claimed: Any) -> Diagnosis:
    """The work of `diagnose` for a Python function of one array."""
    point = real_point(x)
    value = real_value(f, point)
    wanted = point.shape if value.size == 1 else None
    claim = as_claimed_array(claim_at(claimed, point), wanted)
    found = numerical_derivative(f, point, value)
    kind = "gradient" if value.size == 1 else "Jacobian"
    largest = max(np.abs(a[np.isfinite(a)]).max(initial=0.0) for a in (claim, found.derivative))
    allowed = APPROXIMATE.relative * largest + found.error
    return compared(claim, found, allowed, point, value, kind)


def real_point(x: Any) -> Array:
    """The point x as an array of float64; refused unless it is real and finite."""
    refuse_masked("x", x)
    try:
        point = None if np.iscomplexobj(x) else np.asarray(x, dtype=float)
    except (TypeError, ValueError):
        point = None
    if point is None or not np.isfinite(point).all() or point.size == 0:
        raise ValueError(
            f"for a function f, x is the point: an array of finite real numbers; found {x!r:.80}"
        )
    return point


def real_value(f: Callable[[Array], Any], point: Array) -> Array:
    """The value of f at the point; refused unless it is real and finite."""
    try:
        value = f(point.copy())
    except Exception as error:
        raise ValueError(
            f"f could not be called with an array of {point.shape}: {error}"
        ) from error
    refuse_masked("what f returns", value)
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or not np.isfinite(value).all():
        raise ValueError(f"f must be finite and real at x; found {value!r:.80}")
    return value


def claim_at(claimed: Any, point: Array, name: str = "claimed") -> Any:
    """What is claimed at the point, where it is a function of the point or its value."""
    if not callable(claimed):
        return claimed
    try:
        return claimed(point.copy())
    except TypeError:
        raise
    except Exception as error:
        raise ValueError(f"{name} could not be called at x: {error}") from error


def compared(
    claim: Array, found: NumericalDerivative, allowed: Array, point: Array, value: Array, kind: str
) -> Diagnosis:
    """Whether what is claimed is right but for what is allowed, and if not, which mistake it is.

    Parameters
    ----------
    claim : ndarray
        In float64.
    found : NumericalDerivative
    allowed : ndarray
        In the shape of the right derivative: how far each entry may be from it.
    point, value : ndarray
        x and f(x).
    kind : str
        "gradient", "Jacobian" or "Hessian".
    """
    right, doubt = found.derivative, float(found.error.max())
    scale = float(np.abs(right).max())
    if claim.shape != right.shape:
        return _wrong_shape(claim, right, float(allowed.max()), kind)
    if not np.isfinite(claim).all():
        count = int((~np.isfinite(claim)).sum())
        words = f"{count} of its entries are NaN or infinite"
        return Diagnosis(False, float("inf"), "not finite", words, "", right)
    deviation = np.abs(claim - right)
    error = float(deviation.max()) / (scale or 1.0)
    if (deviation <= allowed).all():
        words = f"it agrees with the {kind} by {found.method} at x (relative error {error:.1e}"
        words += f"; which is good to {doubt / scale if scale else doubt:.0e})"
        if found.is_zero:
            words += "; it is nearly 0 there, and many mistakes cannot be seen: try another point"
        return Diagnosis(True, error, None, words, "", right)
    # Deviations are divided by the tolerance of each entry, which depends on how well it is known.
    unit = np.maximum(allowed, _EPSILON * float(max(deviation.max(), scale)))
    pair = [(claim / unit, right / unit)]
    ratios = ratios_of(pair, [1.0])
    if ratios is not None and abs(ratios[0] - 1) > _FACTOR_TOLERANCE:
        factor = recognise(ratios, _sizes(point, value), _FACTOR_TOLERANCE)
        if factor is not None and (factor.recognised or claim.size > 2):
            words, remedy = factor.statement(), factor.remedy()
            return Diagnosis(False, error, "factor", words, remedy, right)
    if right.ndim == 2 and right.shape[0] == right.shape[1]:
        for name, words, wrong in _of_squares(right):
            if (np.abs(claim - wrong) <= np.maximum(allowed, allowed.T)).all():
                return Diagnosis(False, error, name, words, "", right)
    worst = worst_entry(claim, right, unit)
    place = place_of(pair, [1.0])
    if (deviation <= _FACTOR_TOLERANCE * np.abs(right) + allowed).all():
        largest = float((deviation / np.maximum(np.abs(right), unit)).max())
        words = f"it is right to {largest:.0e} and no better"
        if place is not None:
            words = f"{place}; {words}"
        remedy = "look for constants of few digits, for float32, or for differences"
        return Diagnosis(False, error, "inexact", words, remedy, right)
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


def _wrong_shape(claim: Array, right: Array, allowed: float, kind: str) -> Diagnosis:
    shapes, remedy = mismatch(claim, right, kind), REMEDIES[kind]
    found = reshaped([(claim, right)], [allowed])
    if found is None:
        return Diagnosis(False, float("inf"), "wrong shape", shapes, remedy, right)
    name, words, factor = found
    if factor != 1:
        words += f", and {factor:.6g} times the right one"
    remedy = remedy_of_shape(name, kind, factor)
    return Diagnosis(False, float("inf"), name, f"{words}; {shapes}", remedy, right)
