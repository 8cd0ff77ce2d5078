"""Classification of a critical point by the eigenvalues of the Hessian."""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from mcmodels.calculus.compute.binding import Array, bind
from mcmodels.calculus.compute.evaluate import natural, walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.whole_arrays import by_whole_arrays
from mcmodels.calculus.study.checks import directions
from mcmodels.calculus.study.kinks import SmoothPart, at_kinks, require_decided, with_relu
from mcmodels.plain import np
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

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
    across : {"rises", "falls", "both", "flat"} or None
        At a kink, what the function does at a rate along directions that cross it; "flat" where it
        has no rate on one side. The eigenvalues are then those along the directions that cross
        none; there may be none.

    Examples
    --------
    >>> from mcmodels.calculus import critical_point, scalar
    >>> x = scalar("x")
    >>> found = critical_point(x**2 - x + 1, x, at=0.5)
    >>> found.kind
    'minimum'
    >>> print(found)
    a minimum: eigenvalue of the Hessian 2 (1 positive); the value is 0.75
    """

    kind: str
    eigenvalues: Array
    gradient: Array | float
    value: float
    zero: float
    across: str | None = None

    @classmethod
    def of(cls, eigenvalues: Array, gradient: Array | float, value: float) -> Self:
        """The point at which the Hessian has these eigenvalues, ascending."""
        zero = _ZERO_EIGENVALUE * float(np.abs(eigenvalues).max())
        return cls(_kind(eigenvalues, zero), eigenvalues, gradient, value, zero)

    @classmethod
    def at_kinks(cls, smooth: SmoothPart, gradient: Array | float, value: float) -> Self:
        """The point at which kinks, and along other directions these eigenvalues, decide."""
        found = smooth.eigenvalues
        zero = _ZERO_EIGENVALUE * float(np.abs(found).max(initial=0))
        if not smooth.strict:
            return cls("degenerate", found, gradient, value, zero, "flat")
        signs = [*found, *([smooth.sign] if smooth.sign else [1, -1])]
        across = {1: "rises", -1: "falls", 0: "both"}[smooth.sign]
        return cls(_kind(np.array(signs), zero), found, gradient, value, zero, across)

    def __str__(self) -> str:
        found = self.eigenvalues
        if self.across is not None and not len(found):
            return f"{self._named()}; the value is {self.value + 0.0:.6g}"
        counts = {
            "positive": int((found > self.zero).sum()),
            "negative": int((found < -self.zero).sum()),
            "zero": int((np.abs(found) <= self.zero).sum()),
        }
        signs = ", ".join(f"{count} {sign}" for sign, count in counts.items() if count)
        extent = f"from {found[0]:.6g} to {found[-1]:.6g}" if len(found) > 1 else f"{found[0]:.6g}"
        plural = "eigenvalues" if len(found) > 1 else "eigenvalue"
        where = "" if self.across is None else ", along directions that cross none,"
        return (
            f"{self._named()}: {plural} of the Hessian{where} {extent} ({signs}); "
            f"the value is {self.value + 0.0:.6g}"
        )

    def _named(self) -> str:
        if self.kind == "degenerate":
            named = "a degenerate critical point"
        elif self.across is not None and self.kind != "saddle":
            named = f"a strict {self.kind}"
        else:
            named = f"a {self.kind}"
        return named if self.across is None else f"{named} at a kink"

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

    At a kink of abs, relu, norm, maximum or minimum (an argument, or a difference, that is exactly
    0), the slopes on both sides decide: with multipliers t of size below 1 for the kinks, the
    gradient of the function with t u in the place of each abs(u) must be zero. Along directions
    that cross a kink the function then rises at a rate (or falls, where abs(u) counts negatively),
    and the Hessian of that smooth function decides along the others. Where slopes are flat on one
    side, or only second derivatives jump, as those of x·abs(y), the point is degenerate, which a
    warning notes. Ties of amax and boundaries of where are refused.

    An eigenvalue counts as zero up to 1e-8 of the largest in size. A gradient of relative size 1e-6
    moves the point by about as much, and eigenvalues with it: a point that is only roughly critical
    may have an eigenvalue that should be zero classified by its sign.

    Examples
    --------
    >>> from mcmodels.calculus import abs, critical_point, sum, vector
    >>> x = vector("x", 2)
    >>> critical_point(x[0] ** 2 - x[1] ** 2, x, at=[0.0, 0.0])
    a saddle: eigenvalues of the Hessian from -2 to 2 (1 positive, 1 negative); the value is 0
    >>> critical_point(sum(abs(x)), x, at=[0.0, 0.0])
    a strict minimum at a kink; the value is 0
    """
    gradients.require_scalar(f)
    symbol = gradients.symbol_of(f, x)
    f = by_whole_arrays(f)  # for kinks, which are looked for in parts that have a value
    if symbol not in f.used:
        raise ValueError(f"{symbol.name!r} does not occur in {f}, which is constant in it")
    point, sizes = bind(f, _by_name(f, symbol, at))
    basis = _orthonormal(directions(symbol, (point, sizes)))
    with np.errstate(all="ignore"):
        require_decided(f, symbol, point, sizes)
        smooth = at_kinks(with_relu(f), symbol, point, sizes, basis)
        if smooth is not None:
            if not smooth.strict:
                warn_user(
                    f"{f} stands at a kink where it is flat on one side, up to second derivatives: "
                    "these do not say whether it is an extremum",
                    NonDifferentiableWarning,
                )
            value = walk(f, point, sizes, checked=True)
            shaped = _shaped(symbol, smooth.gradient)
            return CriticalPoint.at_kinks(smooth, shaped, float(value[0, 0]))
    G = gradients.gradient(f, symbol)
    H = gradients.jacobian(G, symbol)
    with np.errstate(all="ignore"), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        value, gradient, hessian = (
            walk(expression, point, sizes, checked=True) for expression in (f, G, H)
        )
    for warning in said:
        warn_user(str(warning.message), warning.category)
    projected = basis.T @ hessian @ basis
    eigenvalues, eigenvectors = np.linalg.eigh((projected + projected.T) / 2)
    components = eigenvectors.T @ basis.T @ gradient.T.ravel()
    _require_critical(symbol, point[symbol], gradient, components, eigenvalues)
    found = CriticalPoint.of(eigenvalues, _shaped(symbol, gradient), float(value[0, 0]))
    if any(issubclass(warning.category, NonDifferentiableWarning) for warning in said):
        # Second derivatives jump there: those of one side say nothing of the others.
        found = replace(found, kind="degenerate")
    return found


def _shaped(x: Symbol, gradient: Array) -> Array | float:
    return float(gradient[0, 0]) if x.is_scalar else natural(x, gradient)


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
