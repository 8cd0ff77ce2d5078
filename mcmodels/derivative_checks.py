"""`check_gradient` and `check_hessian`: checks of derivatives written by hand."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, refuse_masked
from mcmodels.calculus import Diagnosis, Expression
from mcmodels.calculus.study.doctor.functions import claim_at, compared, real_point, real_value
from mcmodels.calculus.study.doctor.places import worst_index
from mcmodels.differences import (
    NumericalDerivative,
    numerical_derivative,
    numerical_hessian,
    of_symmetric_matrix,
)
from mcmodels.differences.constants import USEFUL_ERROR

__all__ = ["DerivativeCheck", "GradientCheck", "HessianCheck", "check_gradient", "check_hessian"]

# A correct entry may be off by this many units of rounding of the terms that it is a sum of.
_ROUNDING_UNITS = 100
# Relative to the largest entry: up to here, an asymmetry counts as rounding.
_LARGEST_ASYMMETRY = 1e-8
_ONE_TRIANGLE = (
    "f reads one triangle of a symmetric matrix; this is its gradient along symmetric directions"
)


@dataclass(frozen=True, repr=False, eq=False)
class DerivativeCheck:
    """The result of checking a derivative: true if it is right; printed as a report.

    Attributes
    ----------
    correct : bool
        Whether every entry agrees with the numerical derivative within what is allowed.
    error : float
        Deviation of the worst entry, relative to its numerical value. If that value is 0 within its
        error, relative to the largest of all entries and errors. Infinite for a wrong shape.
    worst : tuple of int or None
        Index of the entry that deviates most, as a multiple of what is allowed there. None for a
        wrong shape: the three numbers below are NaN then.
    claimed, numerical : float
        Both values of the worst entry.
    numerical_error : float
        How far the numerical value may be off.
    method : str
        ``"complex step"``, exact but for rounding; ``"differences"``, extrapolated; or for Hessians
        ``"differences of the complex step"``.
    diagnosis : Diagnosis or None
        The mistake that was made; None where there is none.
    note : str
        Remarks: entries that could not be judged, the asymmetry of a Hessian. Empty if there are
        none.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_gradient
    >>> check = check_gradient(lambda x: np.sum(x**2), lambda x: x, np.array([1.0, 2.0]))
    >>> check.correct, check.diagnosis.mistake
    (False, 'factor')
    """

    correct: bool
    error: float
    worst: tuple[int, ...] | None
    claimed: float
    numerical: float
    numerical_error: float
    method: str
    diagnosis: Diagnosis | None
    note: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        name = type(self).__name__.removesuffix("Check").replace("Gradient", "gradient")
        lines = [f"{name} {'correct' if self.correct else 'wrong'}"]
        if self.worst is not None:
            place = f" at [{', '.join(map(str, self.worst))}]" if self.worst else ""
            claimed, numerical = _told_apart(self.claimed, self.numerical, self.correct)
            lines[0] += (
                f": relative error {self.error:.2g}{place}: claimed {claimed}, numerical "
                f"{numerical} ± {self.numerical_error:.1g} ({self.method})"
            )
        if self.diagnosis is not None:
            lines.append(f"  {self.diagnosis.mistake}: {self.diagnosis.explanation}")
            if self.diagnosis.remedy:
                lines.append(f"  remedy: {self.diagnosis.remedy}")
        if self.note:
            lines.append(f"  note: {self.note}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


@dataclass(frozen=True, repr=False, eq=False)
class GradientCheck(DerivativeCheck):
    """The result of `check_gradient`: the attributes of `DerivativeCheck`, and the gradient.

    Attributes
    ----------
    gradient : ndarray
        The numerical gradient, in the shape of x; the Jacobian if f has several outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_gradient
    >>> check = check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, 2.0]))
    >>> bool(check)
    True
    >>> check.gradient.round(6)
    array([2., 4.])
    """

    gradient: Array


@dataclass(frozen=True, repr=False, eq=False)
class HessianCheck(DerivativeCheck):
    """The result of `check_hessian`: the attributes of `DerivativeCheck`, and the Hessian.

    Attributes
    ----------
    hessian : ndarray
        The numerical Hessian, in the shape of the claimed one; (n, n) if that shape is wrong.
    asymmetry : float
        The largest difference between the claimed Hessian and its transpose, relative to its
        largest entry. NaN for a wrong shape.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_hessian
    >>> check = check_hessian(lambda x: np.sum(x**2), 2 * np.eye(2), np.array([1.0, 2.0]))
    >>> bool(check)
    True
    >>> check.asymmetry
    0.0
    """

    hessian: Array
    asymmetry: float


def check_gradient(
    f: Callable[[Array], Any],
    grad: Callable[[Array], Any] | npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    rtol: float | None = None,
) -> GradientCheck:
    """Whether a gradient of a Python function is right, and if not, which mistake was made.

    The numerical gradient comes from the complex step ``Im f(x + ih)/h`` if f computes with complex
    numbers and differences confirm the result: its only error is rounding. Otherwise it comes from
    central differences, whose steps adapt to each coordinate, extrapolated to step zero
    (Richardson's tableau in the form of Ridders 1982). The noise of f is measured (Moré and Wild
    2011), so that each entry has a known error. A claimed entry is right if its distance from the
    numerical one is at most this error, plus ``rtol`` times the entry, plus rounding. Of a function
    that reads one triangle of a symmetric matrix, as ``np.linalg.eigvalsh`` does, the symmetric
    gradient is right, too; a note says so.

    Parameters
    ----------
    f : callable
        Function of one float64 array in the shape of x. If f is scalar, its gradient is checked;
        otherwise its Jacobian of shape (size of f, size of x), entries in column-major order.
    grad : callable or array-like
        The claimed gradient, in the shape of x: a function of x, or its value there.
    x : array-like
        The point: finite real numbers in any shape, where f is differentiable. Avoid points where
        the gradient is 0, such as a minimum: many mistakes cannot be seen there.
    rtol : float, optional
        How far each entry may be off relative to its numerical value. By default the square root of
        the machine epsilon of what ``grad`` returns: 1.5e-8 for float64, 3.5e-4 for float32.

    Returns
    -------
    GradientCheck
        True if the gradient is right, so that tests may say ``assert check_gradient(f, grad, x)``.

    Raises
    ------
    ValueError
        If x or f(x) is not finite and real, f or grad cannot be called, f has a kink at x, or f is
        so noisy that a wrong gradient cannot be told from a right one.
    TypeError
        If f is not a function, or grad is not an array of real numbers.

    See Also
    --------
    mcmodels.calculus.diagnose : The same for expressions; it recognises more mistakes.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_gradient
    >>> def f(x):
    ...     return np.sum(np.log(1 + x**2))
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> check_gradient(f, lambda x: 2 * x / (1 + x**2), x).correct
    True
    >>> print(check_gradient(f, lambda x: x / (1 + x**2), x))  # doctest: +ELLIPSIS
    gradient wrong: relative error 0.5 at [...]: claimed ..., numerical ... ± ... (complex step)
      factor: the factor 2 is missing
      remedy: multiply by 2
    """
    point, value = _evaluated(f, x)
    claim, allowance = _claim(grad, point, "grad", rtol)
    found = numerical_derivative(f, point, value)
    kind = "gradient" if value.size == 1 else "Jacobian"
    judged = _judged(claim, found, allowance, point, value, kind)
    symmetric = None if judged["correct"] else of_symmetric_matrix(found, point)
    if symmetric is not None:
        again = _judged(claim, symmetric, allowance, point, value, kind)
        if again["correct"]:
            again["note"] = "; ".join(filter(None, (_ONE_TRIANGLE, again["note"])))
            judged, found = again, symmetric
    return GradientCheck(**judged, gradient=found.derivative)


def check_hessian(
    f: Callable[[Array], Any],
    hessian: Callable[[Array], Any] | npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    grad: Callable[[Array], Any] | None = None,
    rtol: float | None = None,
) -> HessianCheck:
    """Whether a Hessian of a scalar Python function is right, and if not, which mistake was made.

    With ``grad``, the numerical Hessian is the derivative of ``grad``, computed as in
    `check_gradient`: the most exact way. Without it, the Hessian comes from second differences of
    f, extrapolated; or from differences of the gradient by the complex step, if f computes with
    complex numbers and the second differences confirm the result.

    Parameters
    ----------
    f : callable
        Scalar function of one float64 array in the shape of x.
    hessian : callable or array-like
        The claimed Hessian: a function of x, or its value there. Its shape is (n, n) over
        ``x.ravel()`` (C order), or the shape of x twice.
    x : array-like
        The point: n finite real numbers in any shape, where f is twice differentiable.
    grad : callable, optional
        The gradient of f, in the shape of x. It is checked first.
    rtol : float, optional
        As for `check_gradient`.

    Returns
    -------
    HessianCheck
        True if the Hessian is right.

    Raises
    ------
    ValueError, TypeError
        As `check_gradient`; and ValueError if ``grad`` is not the gradient of f.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_hessian
    >>> def f(x):
    ...     return x[0] ** 2 * x[1] + np.exp(x[1])
    >>> def hessian(x):
    ...     return np.array([[2 * x[1], 2 * x[0]], [0.0, np.exp(x[1])]])
    >>> check = check_hessian(f, hessian, [1.0, 2.0])
    >>> check.correct, check.worst
    (False, (1, 0))
    >>> print(check.diagnosis.explanation)  # doctest: +ELLIPSIS
    only entry (1, 0): 0 stands there; ... The worst is [1, 0]: claimed 0, right 2
    """
    point, value = _evaluated(f, x)
    if value.size != 1:
        raise ValueError(
            f"f must be scalar to have a Hessian; it returned an array of shape {value.shape}"
        )
    if grad is not None:
        if not callable(grad):
            raise TypeError(
                f"grad must be a function of x, to be differentiated; found {type(grad).__name__}"
            )
        first = check_gradient(f, grad, point, rtol=rtol)
        if not first:
            raise ValueError(
                f"grad is not the gradient of f, so its derivative tells nothing: {first}"
            )
    claim, allowance = _claim(hessian, point, "hessian", rtol)
    found = numerical_hessian(f, point, value, grad)
    shape = claim.shape
    if shape == point.shape * 2:
        claim = claim.reshape(point.size, point.size)
    parts = _judged(claim, found, allowance, point, value, "Hessian")
    right, asymmetry = found.derivative, float("nan")
    if claim.shape == right.shape:
        right = right.reshape(shape)
        parts["worst"] = tuple(
            int(i)
            for i in np.unravel_index(np.ravel_multi_index(parts["worst"], claim.shape), shape)
        )
        asymmetry, words = _asymmetry(claim.reshape(shape), claim)
        parts["note"] = "; ".join(filter(None, (words, parts["note"])))
    return HessianCheck(**parts, hessian=right, asymmetry=asymmetry)


def _evaluated(f: Callable[[Array], Any], x: npt.ArrayLike) -> tuple[Array, Array]:
    """The point and the value of f there; refused unless both are finite and real."""
    if isinstance(f, Expression):
        raise TypeError("f is an expression: use mcmodels.calculus.diagnose, which knows more")
    if not callable(f):
        raise TypeError(f"f must be a function of one array; found {type(f).__name__}")
    point = real_point(x)
    return point, real_value(f, point)


def _claim(
    claimed: Callable[[Array], Any] | npt.ArrayLike, point: Array, name: str, rtol: float | None
) -> tuple[Array, tuple[float, float]]:
    """The claim in float64, and how far it may be off relative to its values and to their terms."""
    claim = claim_at(claimed, point, name)
    refuse_masked(name, claim)
    array = np.asarray(claim)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must be an array of real numbers, or a function of x that returns one; found "
            f"{array.dtype}"
        )
    if rtol is not None and not (isinstance(rtol, Real) and 0 <= rtol < np.inf):
        raise ValueError(f"rtol must be a finite number, 0 or more; found {rtol!r}")
    epsilon = float(np.finfo(array.dtype if array.dtype.kind == "f" else float).eps)
    relative = epsilon**0.5 if rtol is None else rtol
    return array.astype(float), (relative, _ROUNDING_UNITS * epsilon)


def _judged(
    claim: Array,
    found: NumericalDerivative,
    allowance: tuple[float, float],
    point: Array,
    value: Array,
    kind: str,
) -> dict[str, Any]:
    """The attributes that all checks share."""
    right = found.derivative
    relative, rounding = allowance
    allowed = found.error + relative * np.abs(right) + rounding * found.term_sizes
    allowed = np.maximum(allowed, np.finfo(float).tiny)
    diagnosis = compared(claim, found, allowed, point, value, kind)
    judged: dict[str, Any] = {
        "correct": diagnosis.correct,
        "diagnosis": None if diagnosis.correct else diagnosis,
        "method": found.method,
        "note": _unseen(claim, found),
    }
    if claim.shape != right.shape:
        nan = float("nan")
        return judged | {
            "error": float("inf"),
            "worst": None,
            "claimed": nan,
            "numerical": nan,
            "numerical_error": nan,
        }
    worst = worst_index(claim, right, allowed)
    claimed, numerical, doubt = (float(a[worst]) for a in (claim, right, found.error))
    size = abs(numerical)
    if size <= doubt:
        size = max(float(np.abs(right).max()), float(found.error.max()))
    deviation = abs(claimed - numerical)
    return judged | {
        "error": deviation / (size or 1.0) if np.isfinite(claimed) else float("inf"),
        "worst": worst,
        "claimed": claimed,
        "numerical": numerical,
        "numerical_error": doubt,
    }


def _unseen(claim: Array, found: NumericalDerivative) -> str:
    """A remark on what the check could not judge; empty if there is nothing."""
    if found.is_zero:
        return "it is nearly 0 here, and many mistakes cannot be seen: try another point"
    if claim.shape != found.derivative.shape:
        return ""
    size = np.maximum(np.abs(claim), np.abs(found.derivative))
    unseen = found.is_inaccurate | ((found.error > USEFUL_ERROR * size) & (claim != 0))
    count = int(unseen.sum())
    if not count:
        return ""
    largest = float(found.error[unseen].max())
    entries = "entry" if count == 1 else "entries"
    return f"{count} {entries} cannot be judged to three digits: errors are up to {largest:.1g}"


def _asymmetry(shaped: Array, claim: Array) -> tuple[float, str]:
    """The asymmetry of a claimed Hessian, and a remark if it is more than rounding."""
    if not np.isfinite(claim).all():
        return float("inf"), ""
    apart = np.abs(claim - claim.T)
    largest = float(np.abs(claim).max())
    asymmetry = float(apart.max()) / (largest or 1.0)
    if asymmetry <= _LARGEST_ASYMMETRY:
        return asymmetry, ""
    i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
    entries = []
    for index in ((i, j), (j, i)):
        flat = np.ravel_multi_index(index, claim.shape)
        place = ", ".join(str(int(k)) for k in np.unravel_index(flat, shaped.shape))
        entries.append(f"[{place}] is {claim[index]:.6g}")
    return asymmetry, f"the claim is not symmetric: {entries[0]}, {entries[1]}"


def _told_apart(claimed: float, numerical: float, equal: bool) -> tuple[str, str]:
    """Both numbers with six digits, or with as many as show that they differ."""
    for digits in (6, 9, 12, 17):
        texts = f"{claimed:.{digits}g}", f"{numerical:.{digits}g}"
        if equal or texts[0] != texts[1]:
            break
    return texts
