"""The tables of rules, and functions that construct rules.

For an elementwise function, one map serves forward and reverse mode: the Jacobian is diagonal, so
it is its own transpose. A linear function is its own forward map, so its rule needs the adjoint
only. Any other rule states both maps.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import normalize_axis_tuple

from mcmodels.autodiff.tracing import DerivativeRule, NoRuleError, Traced, apply, constant
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = [
    "COMPLEX_FUNCTIONS",
    "FUNCTIONS",
    "JUMPS",
    "NOT_DIFFERENTIATED",
    "RULES",
    "STEPS",
    "Axis",
    "add",
    "broadcast",
    "call",
    "dtype_of",
    "elementwise",
    "implements",
    "in_dtype",
    "linear",
    "matrix_function",
    "multilinear",
    "normalized_axes",
    "shape_of",
    "sum_to_shape",
    "warn_kink",
]

Key = Callable[..., Any] | str
Map = Callable[..., Any]
Axis = int | Sequence[int] | None

# Rules by ufunc, or by name for functions that only this package calls.
RULES: dict[Key, DerivativeRule] = {}
# Functions of NumPy that are not ufuncs, written in terms of functions that have rules.
FUNCTIONS: dict[Callable[..., Any], Implementation] = {}
# Functions that return truth values, positions, shapes or types: they get the plain values.
NOT_DIFFERENTIATED: set[Callable[..., Any]] = set()
# Those of FUNCTIONS that are the same for complex numbers; the others are for real ones only.
COMPLEX_FUNCTIONS: set[Callable[..., Any]] = set()
# Step functions: constant between their jumps. They are refused.
STEPS: set[Callable[..., Any]] = set()
# Functions whose results jump in other ways, and what they do then: they are refused.
JUMPS: dict[Callable[..., Any], str] = {}


_MISSING = object()


class Implementation:
    """What is called in place of a function of NumPy, and the arguments that it knows.

    Parameters
    ----------
    function : callable
        What is called.
    original : callable
        The function of NumPy.
    """

    def __init__(self, function: Callable[..., Any], original: Callable[..., Any]) -> None:
        self.function = function
        self.original = original

    # Signatures are read when a function is first called: reading all of them takes the time of an
    # import.
    @functools.cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the arguments that are known."""
        return frozenset(inspect.signature(self.function).parameters)

    @functools.cached_property
    def _theirs(self) -> dict[str, inspect.Parameter]:
        """The arguments of the function of NumPy, in order."""
        try:
            return dict(inspect.signature(self.original).parameters)
        except ValueError:  # of functions written in C only NumPy 2.4 and later has signatures
            return dict(inspect.signature(self.function).parameters)

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self._theirs)

    @functools.cached_property
    def _same(self) -> int:
        """How many positional arguments mean the same in both."""
        own = inspect.signature(self.function).parameters
        if any(p.kind is p.VAR_POSITIONAL for p in own.values()):
            return sys.maxsize
        same = (
            name == there or p.kind is p.POSITIONAL_ONLY
            for name, (there, p) in zip(own, self._theirs.items(), strict=False)
        )
        return sum(itertools.takewhile(bool, same))

    def named(
        self, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """The arguments; those that NumPy has at other positions are passed by name."""
        if len(args) <= self._same:
            return args, kwargs
        beyond = zip(self._names[self._same :], args[self._same :], strict=False)
        return args[: self._same], {**dict(beyond), **kwargs}

    def is_default(self, name: str, value: Any) -> bool:
        """Whether an argument that the rule does not know has NumPy's own value for it."""
        default = self._theirs[name].default if name in self._theirs else _MISSING
        return value is default or (isinstance(value, str) and value == default)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def add(*rules: tuple[Key, DerivativeRule]) -> None:
    """Add rules to the table, each with the key that it is looked up by."""
    for key, rule in rules:
        if key in RULES:
            raise ValueError(f"{rule.name} has a rule already")
        RULES[key] = rule


def implements(*functions: Map) -> Callable[[Map], Map]:
    """Register the decorated function as the implementation of functions of NumPy."""

    def register(implementation: Map) -> Map:
        for function in functions:
            FUNCTIONS[function] = Implementation(implementation, function)
        return implementation

    return register


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the function whose rule has this name."""
    return apply(RULES[name], args, kwargs)


def elementwise(
    function: Callable[..., Any], identity: str, *derivatives: Map | None
) -> tuple[Key, DerivativeRule]:
    """The rule of an elementwise function whose arguments broadcast.

    Derivative i is a function of ``(t, y, *args)`` that returns ``t · ∂y/∂xᵢ``; t has the shape of
    y. None stands for an argument that the function is not differentiable by.
    """
    name = function.__name__
    maps = [_unknown(name, i) if d is None else d for i, d in enumerate(derivatives)]

    def push(i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found, shape = maps[i](dx, y, *args), y.shape
        return found if found.shape == shape else np.broadcast_to(found, shape)

    def pull(i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found, shape = maps[i](g, y, *args), args[i].shape
        return found if found.shape == shape else sum_to_shape(found, shape)

    return function, DerivativeRule(name, function, identity, push, pull)


def linear(
    name: str, function: Callable[..., Any], identity: str, adjoint: Map
) -> tuple[str, DerivativeRule]:
    """The rule of a function linear in its first argument; ``adjoint(g, x, **kwargs)``."""
    return name, DerivativeRule(
        name,
        function,
        identity,
        lambda i, dx, y, args, kwargs: call(name, dx, *args[1:], **kwargs),
        lambda i, g, y, args, kwargs: adjoint(g, *args, **kwargs),
    )


def multilinear(
    key: Key, function: Callable[..., Any], identity: str, adjoint: Map
) -> tuple[Key, DerivativeRule]:
    """The rule of a function linear in each argument; ``adjoint(i, g, *args, **kwargs)``."""

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

    The first is called as ``push(dx, y, *args, **kwargs)`` and returns ``J dx``, the second as
    ``pull(g, y, *args, **kwargs)`` and returns ``Jᵀg``.
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


def dtype_of(*arrays: Any) -> np.dtype[Any]:
    """The floating-point type of a result computed from arrays and numbers, as NumPy chooses it."""
    return np.result_type(*(constant(a) for a in arrays), 0.0)


def in_dtype(a: Any, dtype: npt.DTypeLike) -> Any:
    """An array, number, list or traced value, converted to a floating-point type."""
    if isinstance(a, Traced):
        return a if constant(a).dtype == dtype else a.astype(dtype)  # type: ignore[attr-defined]
    return np.asarray(a, dtype)


def normalized_axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Axes of an array of ndim axes as nonnegative numbers; None stands for all."""
    if axis is None:
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """X broadcast to a shape."""
    return x if shape_of(x) == shape else np.broadcast_to(x, shape)


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of broadcasting: g summed over the axes along which entries were repeated."""
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


def warn_kink(where: npt.ArrayLike, text: str) -> None:
    """Warn, with a text, if a condition holds anywhere: the function has a kink there."""
    if np.any(where):
        warn_user(text, NonDifferentiableWarning)


def _unknown(name: str, i: int) -> Map:
    def refuse(*_: Any) -> NoReturn:
        raise NoRuleError(f"{name} has no rule for the derivative by its argument {i + 1}.")

    return refuse
