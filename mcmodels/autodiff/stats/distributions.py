"""What the univariate distributions share: arguments, support, and what follows from what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, stack_objects

__all__ = ["Continuous", "Discrete", "arguments_of", "as_array", "log1mexp", "require_positive"]

Function = Callable[..., Any]


def require_positive(called: str, **parameters: Any) -> None:
    """Refuse parameters that are not greater than 0."""
    for name, value in parameters.items():
        plain = np.asarray(constant(value))
        if not np.all(plain > 0):
            raise ValueError(f"{called} needs {name} > 0; found {plain!s:.60}.")


def as_array(x: Any) -> Any:
    """Lists and arrays of traced numbers as one array; anything else as it is."""
    if isinstance(x, Traced):
        return x
    array = np.asarray(x)
    return stack_objects(array) if array.dtype.hasobject else array


def log1mexp(x: Any) -> Any:
    """``log(1 - e⁻ˣ)`` for x > 0, by the form that keeps its digits: Mächler (2012), *log1mexp*."""
    near = np.asarray(constant(x)) < np.log(2.0)
    small, large = np.where(near, x, 1.0), np.where(near, 1.0, x)
    return np.where(near, np.log(-np.expm1(-small)), np.log1p(-np.exp(-large)))


def arguments_of(
    called: str, names: Sequence[str], defaults: dict[str, Any], args: Sequence[Any], kwargs: Any
) -> list[Any]:
    """The values of parameters that were passed by position or by name."""
    if len(args) > len(names):
        raise TypeError(f"{called} takes at most {len(names)} parameters; found {len(args)}.")
    found = {**defaults, **dict(zip(names, args, strict=False))}
    for name, value in kwargs.items():
        if name not in names:
            raise TypeError(f"{called} has no parameter {name!r}; it has {', '.join(names)}.")
        if names.index(name) < len(args):
            raise TypeError(f"{called}: {name} was passed twice.")
        found[name] = value
    missing = [name for name in names if name not in found]
    if missing:
        raise TypeError(f"{called} needs {', '.join(missing)}.")
    return [as_array(found[name]) for name in names]


@dataclass(frozen=True)
class Continuous:
    """A distribution of real numbers, with SciPy's parameters: shapes, then ``loc`` and ``scale``.

    Parameters
    ----------
    name : str
        SciPy's name.
    shapes : tuple of str
        Names of the shape parameters; all are positive.
    support : (float, float)
        Where the density of the standard form is not 0.
    log_density : callable
        ``log f(z, *shapes)`` of the standard form.
    distribution, survival : callable, optional
        ``F(z, *shapes)`` and ``1 - F``.
    log_distribution, log_survival : callable, optional
        Their logarithms, where these have a form of their own.
    """

    name: str
    shapes: tuple[str, ...]
    support: tuple[float, float]
    log_density: Function
    distribution: Function | None = None
    survival: Function | None = None
    log_distribution: Function | None = None
    log_survival: Function | None = None

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density at x; minus infinity outside the support."""
        shapes, loc, scale = self._parameters("logpdf", args, kwargs)
        z, inside = self._standard(x, loc, scale)
        value = self.log_density(z, *shapes) - np.log(scale)
        return value if inside is None else np.where(inside, value, -np.inf)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density at x."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of values of at most x."""
        return self._probability("cdf", self.distribution, (0.0, 1.0), x, args, kwargs)

    def sf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of values greater than x."""
        return self._probability("sf", self.survival, (1.0, 0.0), x, args, kwargs)

    def logcdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of :meth:`cdf`."""
        own = self.log_distribution or _logarithm(self.distribution, self.survival)
        return self._probability("logcdf", own, (-np.inf, 0.0), x, args, kwargs)

    def logsf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of :meth:`sf`."""
        own = self.log_survival or _logarithm(self.survival, self.distribution)
        return self._probability("logsf", own, (0.0, -np.inf), x, args, kwargs)

    def _parameters(
        self, method: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[list[Any], Any, Any]:
        called = f"stats.{self.name}.{method}"
        defaults = {"loc": 0.0, "scale": 1.0}
        *shapes, loc, scale = arguments_of(
            called, (*self.shapes, "loc", "scale"), defaults, args, kwargs
        )
        require_positive(called, **dict(zip(self.shapes, shapes, strict=True)), scale=scale)
        return shapes, loc, scale

    def _standard(self, x: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
        """``(x - loc)/scale``, and where it is in the support; elsewhere it is a point of it."""
        z = (as_array(x) - loc) / scale
        low, high = self.support
        if low == -np.inf and high == np.inf:
            return z, None
        plain = np.asarray(constant(z))
        inside = (plain >= low) & (plain <= high)
        if np.all(inside):
            return z, None
        inner = 0.5 * (low + high) if high < np.inf else low + 1.0
        return np.where(inside, z, inner), np.where(np.isnan(plain), True, inside)

    def _probability(
        self,
        method: str,
        function: Function | None,
        beyond: tuple[float, float],
        x: Any,
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        called = f"stats.{self.name}.{method}"
        if function is None:
            raise NoRuleError(f"{called} has no rule for its derivative.")
        shapes, loc, scale = self._parameters(method, args, kwargs)
        z, inside = self._standard(x, loc, scale)
        value = function(z, *shapes)
        if inside is None:
            return value
        low, _ = self.support
        below = np.asarray(constant((as_array(x) - loc) / scale)) < low
        return np.where(inside, value, np.where(below, *beyond))


def _logarithm(function: Function | None, complement: Function | None) -> Function | None:
    """The logarithm of a probability, from its complement where that is the smaller one."""
    if function is None or complement is None:
        return None

    def logarithm(z: Any, *shapes: Any) -> Any:
        p, q = function(z, *shapes), complement(z, *shapes)
        certain = np.asarray(constant(q)) < 0.5
        if not np.any(certain):
            return np.log(p)
        from_q, from_p = np.where(certain, q, 0.0), np.where(certain, 1.0, p)
        return np.where(certain, np.log1p(-from_q), np.log(from_p))

    return logarithm


@dataclass(frozen=True)
class Discrete:
    """A distribution of whole numbers, with SciPy's parameters: shapes, then ``loc``.

    Parameters
    ----------
    name : str
        SciPy's name.
    shapes : tuple of str
        Names of the shape parameters.
    check : callable
        ``check(called, *shapes)`` refuses shapes that are not allowed.
    smallest : int
        The smallest value.
    largest : callable
        ``largest(*shapes)`` is the largest value; infinity where there is none.
    log_mass : callable
        ``log P(k)``.
    distribution, survival : callable, optional
        ``P(≤ k)`` and ``P(> k)``, for k from the smallest value to the one before the largest.
    """

    name: str
    shapes: tuple[str, ...]
    check: Function
    smallest: int
    largest: Function
    log_mass: Function
    distribution: Function | None = None
    survival: Function | None = None

    def logpmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of k; minus infinity where it is 0."""
        k, shapes = self._arguments("logpmf", k, args, kwargs)
        possible = (k >= self.smallest) & (k <= self._largest(shapes)) & (k == np.floor(k))
        value = self.log_mass(np.where(possible, k, self.smallest), *shapes)
        return value if np.all(possible) else np.where(possible, value, -np.inf)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of k."""
        return np.exp(self.logpmf(k, *args, **kwargs))

    def cdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of values of at most k."""
        return self._probability("cdf", self.distribution, (0.0, 1.0), k, args, kwargs)

    def sf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of values greater than k."""
        return self._probability("sf", self.survival, (1.0, 0.0), k, args, kwargs)

    def logcdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of :meth:`cdf`."""
        own = _logarithm(self.distribution, self.survival)
        return self._probability("logcdf", own, (-np.inf, 0.0), k, args, kwargs)

    def logsf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of :meth:`sf`."""
        own = _logarithm(self.survival, self.distribution)
        return self._probability("logsf", own, (0.0, -np.inf), k, args, kwargs)

    def _largest(self, shapes: Sequence[Any]) -> Any:
        return self.largest(*(np.asarray(constant(shape)) for shape in shapes))

    def _arguments(
        self, method: str, k: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, list[Any]]:
        called = f"stats.{self.name}.{method}"
        *shapes, loc = arguments_of(called, (*self.shapes, "loc"), {"loc": 0}, args, kwargs)
        self.check(called, *(np.asarray(constant(shape)) for shape in shapes))
        for name, value in (("k", k), ("loc", loc)):
            if isinstance(value, Traced):
                raise NoRuleError(
                    f"{called} is a function of whole numbers: it has no derivative by {name}. "
                    f"Pass constant({name})."
                )
        return np.asarray(k) - np.asarray(loc), shapes

    def _probability(
        self,
        method: str,
        function: Function | None,
        beyond: tuple[float, float],
        k: Any,
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        called = f"stats.{self.name}.{method}"
        if function is None:
            raise NoRuleError(f"{called} has no rule for its derivative.")
        k, shapes = self._arguments(method, k, args, kwargs)
        k = np.floor(k)
        below, above = k < self.smallest, k >= self._largest(shapes)
        value = function(np.where(below | above, self.smallest, k), *shapes)
        if not np.any(below | above):
            return value
        return np.where(below, beyond[0], np.where(above, beyond[1], value))
