"""Classification of a critical point by the eigenvalues of the Hessian."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.calculus.compute.binding import Array, bind
from mcmodels.calculus.compute.evaluate import natural, walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.study.checks import directions

__all__ = ["CriticalPoint", "critical_point"]

_ZERO_GRADIENT = 1e-6  # along an eigenvector of the Hessian: of its eigenvalue times x
_ROUNDING = 1e-12  # the same, of the largest eigenvalue times x
_ZERO_EIGENVALUE = 1e-8  # of the largest eigenvalue


@dataclass(frozen=True, repr=False, eq=False)
class CriticalPoint:
    """What a critical point is; printing it says so in words.

    Attributes
    ----------
    kind : {"minimum", "maximum", "saddle", "degenerate"}
        By the signs of the eigenvalues of the Hessian: all positive, all negative, both, or some
        zero and the others of one sign. Of a degenerate point the second derivatives do not say
        whether it is an extremum.
    eigenvalues : ndarray
        Of the Hessian, ascending. Where x is declared symmetric: of the Hessian along symmetric
        directions, in a basis that is orthonormal in the Frobenius inner product.
    gradient : float or ndarray
        Of the shape of x; zero up to rounding.
    value : float
        Of the function.
    zero : float
        Up to which absolute value an eigenvalue counts as zero.
    """

    kind: str
    eigenvalues: Array
    gradient: Array | float
    value: float
    zero: float

    @classmethod
    def of(cls, eigenvalues: Array, gradient: Array | float, value: float) -> Self:
        """The point at which the Hessian has these eigenvalues, ascending."""
        zero = _ZERO_EIGENVALUE * float(np.abs(eigenvalues).max())
        return cls(_kind(eigenvalues, zero), eigenvalues, gradient, value, zero)

    def __str__(self) -> str:
        found = self.eigenvalues
        counts = {
            "positive": int((found > self.zero).sum()),
            "negative": int((found < -self.zero).sum()),
            "zero": int((np.abs(found) <= self.zero).sum()),
        }
        signs = ", ".join(f"{count} {sign}" for sign, count in counts.items() if count)
        kind = {"degenerate": "a degenerate critical point"}.get(self.kind, f"a {self.kind}")
        extent = f"from {found[0]:.6g} to {found[-1]:.6g}" if len(found) > 1 else f"{found[0]:.6g}"
        plural = "eigenvalues" if len(found) > 1 else "eigenvalue"
        return f"{kind}: {plural} of the Hessian {extent} ({signs}); the value is {self.value:.6g}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def critical_point(f: Expression, x: Any, at: Any) -> CriticalPoint:
    """Whether a critical point is a minimum, a maximum, a saddle or degenerate.

    Parameters
    ----------
    f : Expression
        A scalar.
    x : Expression or str
        The symbol that varies, or its name.
    at : array-like or mapping of str to array-like
        The point: the value of ``x``, or the values of all symbols by name.

    Returns
    -------
    CriticalPoint

    Raises
    ------
    ValueError
        If the point is not critical (see Notes); or if ``f`` does not depend on ``x`` or is not
        defined there, or a value is missing, not finite or of another shape.
    DerivativeError
        If ``f`` is no scalar, or a derivative has no closed form.

    Notes
    -----
    A point is critical if the gradient g is zero along each eigenvector v of the Hessian, of
    eigenvalue λ: abs(vᵀg) is at most 1e-6 abs(λ) r, that is, a step of 1e-6 r would make it zero;
    or at most 1e-12 of the largest abs(λ) times r, which is rounding. r is the norm of x, or 1
    where that is smaller. Where all λ are 0, 1e-12 r is the most.

    An eigenvalue counts as zero up to 1e-8 of the largest in size. A gradient of relative size 1e-6
    moves the point by about as much, and eigenvalues with it: a point that is only roughly critical
    may have an eigenvalue that should be zero classified by its sign.

    Examples
    --------
    >>> from mcmodels.calculus import critical_point, vector
    >>> x = vector("x", 2)
    >>> critical_point(x[0] ** 2 - x[1] ** 2, x, at=[0.0, 0.0])
    a saddle: eigenvalues of the Hessian from -2 to 2 (1 positive, 1 negative); the value is 0
    """
    gradients.require_scalar(f)
    symbol = gradients.symbol_of(f, x)
    if symbol not in f.used:
        raise ValueError(f"{symbol.name!r} does not occur in {f}, which is constant in it")
    point, sizes = bind(f, _by_name(f, symbol, at))
    G = gradients.gradient(f, symbol)
    H = gradients.jacobian(G, symbol)
    with np.errstate(all="ignore"):
        value, gradient, hessian = (
            walk(expression, point, sizes, checked=True) for expression in (f, G, H)
        )
    basis = _orthonormal(directions(symbol, (point, sizes)))
    projected = basis.T @ hessian @ basis
    eigenvalues, eigenvectors = np.linalg.eigh((projected + projected.T) / 2)
    components = eigenvectors.T @ basis.T @ gradient.T.ravel()
    _require_critical(symbol, point[symbol], gradient, components, eigenvalues)
    shaped = float(gradient[0, 0]) if symbol.is_scalar else natural(symbol, gradient)
    return CriticalPoint.of(eigenvalues, shaped, float(value[0, 0]))


def _by_name(f: Expression, x: Symbol, at: Any) -> Mapping[str, Any]:
    if isinstance(at, Mapping):
        return at
    others = sorted(symbol.name for symbol in f.used if symbol != x)
    if others:
        names = ", ".join(f"{name!r}: …" for name in [x.name, *others])
        raise ValueError(
            f"at needs the values of all symbols where there are others than {x.name!r}; "
            f"give at={{{names}}}"
        )
    return {x.name: at}


def _orthonormal(basis: list[Array]) -> Array:
    """The directions in which x may move, stacked, as orthonormal columns."""
    return np.column_stack([E.T.ravel() / np.linalg.norm(E) for E in basis])


def _require_critical(
    x: Symbol, value: Array, gradient: Array, components: Array, eigenvalues: Array
) -> None:
    sizes = np.abs(eigenvalues)
    # Where the Hessian vanishes there is nothing to compare with but 1.
    largest = float(sizes.max()) or 1.0
    radius = max(float(np.linalg.norm(value)), 1.0)
    bounds = (_ZERO_GRADIENT * sizes + _ROUNDING * largest) * radius
    worst = int(np.argmax(np.abs(components) / bounds))
    if abs(components[worst]) > bounds[worst]:
        raise ValueError(
            f"at is not a critical point: the gradient by {x.name!r} has norm "
            f"{float(np.linalg.norm(gradient)):.3g} there, and along the eigenvector of the "
            f"Hessian of eigenvalue {eigenvalues[worst]:.3g} it is {abs(components[worst]):.3g}, "
            f"more than {bounds[worst]:.3g}, rounding's share. Solve gradient = 0 first, more "
            "exactly"
        )


def _kind(eigenvalues: Array, zero: float) -> str:
    positive, negative = bool((eigenvalues > zero).any()), bool((eigenvalues < -zero).any())
    if positive and negative:
        return "saddle"
    if (np.abs(eigenvalues) <= zero).any():
        return "degenerate"
    return "minimum" if positive else "maximum"
