"""What tables of rules are made of: constructors of rules, and the tables themselves.

A rule of an elementwise function is one function of t: multiplication by a derivative, entry by
entry, is its own transpose, so that the same line serves both modes. A linear function is its own
forward rule, and needs its adjoint. Any other rule names both maps.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from mcmodels.autodiff.tracing import DerivativeRule, NoRuleError, apply
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = [
    "FUNCTIONS",
    "NOT_DIFFERENTIATED",
    "RULES",
    "STEPS",
    "add",
    "broadcast",
    "call",
    "elementwise",
    "implements",
    "linear",
    "matrix_function",
    "multilinear",
    "normalized_axes",
    "shape_of",
    "sum_to_shape",
    "warn_kink",
]

# Rules by the ufunc, or by the name of what only this package calls.
RULES: dict[Any, DerivativeRule] = {}
# How functions of NumPy that are no ufuncs are made of the above.
FUNCTIONS: dict[Any, Implementation] = {}
# Functions whose results are no real numbers: truth values, positions, shapes, types.
NOT_DIFFERENTIATED: set[Any] = set()
# Functions that are constant between jumps.
STEPS: set[Any] = set()

Map = Callable[..., Any]


class Implementation:
    """A function of NumPy for traced arrays, and the keywords that it knows.

    Parameters
    ----------
    function : callable
        Called in its place.
    original : callable
        The function of NumPy.
    """

    def __init__(self, function: Callable[..., Any], original: Callable[..., Any]) -> None:
        self.function = function
        own = inspect.signature(function).parameters
        self.parameters = frozenset(own)
        theirs = inspect.signature(original).parameters
        self._names = tuple(theirs)
        variadic = any(p.kind is p.VAR_POSITIONAL for p in own.values())
        alike = (
            name == there or p.kind is p.POSITIONAL_ONLY
            for name, (there, p) in zip(own, theirs.items(), strict=False)
        )
        self._alike = sys.maxsize if variadic else sum(itertools.takewhile(bool, alike))

    def named(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Arguments, those by their names that NumPy has at other positions."""
        if len(args) <= self._alike:
            return args, kwargs
        beyond = zip(self._names[self._alike :], args[self._alike :], strict=False)
        return args[: self._alike], {**dict(beyond), **kwargs}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def add(*rules: tuple[Any, DerivativeRule]) -> None:
    """Add rules to the table, each with what it is looked up by."""
    for key, rule in rules:
        if key in RULES:
            raise ValueError(f"{rule.name} has a rule already")
        RULES[key] = rule


def implements(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that what is decorated stands for functions of NumPy."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = Implementation(implementation, function)
        return implementation

    return register


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the function of a rule that is known by a name."""
    return apply(RULES[name], args, kwargs)


def elementwise(
    function: Callable[..., Any], identity: str, *derivatives: Map | None
) -> tuple[Any, DerivativeRule]:
    """The rule of a function of entries that broadcasts.

    Derivative i is a function of ``(t, y, *args)`` that multiplies t, in the shape of y, with
    ``∂y/∂xᵢ``; None where the function is not differentiable by this argument.
    """
    name = function.__name__
    maps = [_unknown(name, i) if d is None else d for i, d in enumerate(derivatives)]

    def push(i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return broadcast(maps[i](dx, y, *args), shape_of(y))

    def pull(i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return sum_to_shape(maps[i](g, y, *args), shape_of(args[i]))

    return function, DerivativeRule(name, function, identity, push, pull)


def linear(
    name: str, function: Callable[..., Any], identity: str, adjoint: Map
) -> tuple[str, DerivativeRule]:
    """The rule of a function linear in its first argument; adjoint is of ``(g, x, **kwargs)``."""
    return name, DerivativeRule(
        name,
        function,
        identity,
        lambda i, dx, y, args, kwargs: call(name, dx, *args[1:], **kwargs),
        lambda i, g, y, args, kwargs: adjoint(g, *args, **kwargs),
    )


def multilinear(
    key: Any, function: Callable[..., Any], identity: str, adjoint: Map
) -> tuple[Any, DerivativeRule]:
    """The rule of a function linear in each argument; adjoint is of ``(i, g, *args, **kwargs)``."""

    def push(i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return apply(RULES[key], [*args[:i], dx, *args[i + 1 :]], kwargs)

    def pull(i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return sum_to_shape(adjoint(i, g, *args, **kwargs), shape_of(args[i]))

    name = key if isinstance(key, str) else key.__name__
    return key, DerivativeRule(name, function, identity, push, pull)


def matrix_function(
    name: str, function: Callable[..., Any], identity: str, *maps: tuple[Map, Map]
) -> tuple[str, DerivativeRule]:
    """The rule of any function, by a pair of maps for each argument.

    They are functions of ``(dx, y, *args, **kwargs)`` and ``(g, y, *args, **kwargs)``.
    """
    return name, DerivativeRule(
        name,
        function,
        identity,
        lambda i, dx, y, args, kwargs: maps[i][0](dx, y, *args, **kwargs),
        lambda i, g, y, args, kwargs: sum_to_shape(
            maps[i][1](g, y, *args, **kwargs), shape_of(args[i])
        ),
    )


def shape_of(x: Any) -> tuple[int, ...]:
    """Shape of an array, a number, or a traced value."""
    try:
        return x.shape
    except AttributeError:
        return np.shape(x)


def normalized_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Which axes of an array of ndim axes are meant, none of them negative."""
    if axis is None:
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """X in a larger shape."""
    return x if shape_of(x) == shape else np.broadcast_to(x, shape)


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of broadcasting: sums over the axes along which entries were repeated."""
    found = shape_of(g)
    if found == shape:
        return g
    extra = len(found) - len(shape)
    if extra > 0:
        g = np.sum(g, axis=tuple(range(extra)))
    repeated = tuple(
        axis for axis, length in enumerate(shape) if length == 1 and found[extra + axis] != 1
    )
    return np.sum(g, axis=repeated, keepdims=True) if repeated else g


def warn_kink(where: Any, text: str) -> None:
    """Warn if the function is at a point where it has no derivative."""
    if np.any(where):
        warn_user(text, NonDifferentiableWarning)


def _unknown(name: str, i: int) -> Map:
    def refuse(*_: Any) -> NoReturn:
        raise NoRuleError(f"{name} has no rule for the derivative by its argument {i + 1}.")

    return refuse
