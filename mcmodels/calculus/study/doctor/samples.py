"""Where a claim is compared with the right derivative: points, values, and how close is equal."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcmodels.calculus.compute.binding import Array, bind, refuse_masked
from mcmodels.calculus.compute.evaluate import natural, walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.study.checks import instance_at
from mcmodels.calculus.study.instances import Instance, random_instance
from mcmodels.plain import np

__all__ = [
    "APPROXIMATE",
    "EXACT",
    "Sample",
    "Tolerance",
    "as_claimed_array",
    "draw_instances",
    "natural_value",
    "shape_of",
    "value_of_claimed",
]

_POINTS = 3  # two different formulas hardly agree at three random points
_SMALLEST_SIZE = 3  # what `random_instance` begins with


@dataclass(frozen=True)
class Tolerance:
    """How far apart two values may be that count as equal.

    Attributes
    ----------
    relative : float
        Of the largest entry.
    rounding : float
        Of the largest term of the right derivative: what is left when large terms cancel, as they
        do at a minimum, is rounding.
    """

    relative: float
    rounding: float


# Two forms of one expression differ by rounding, magnified by the condition numbers of random
# matrices: 1e-12 or so, seldom 1e-9; a mistake that is worth naming is not smaller than 1e-4.
EXACT = Tolerance(1e-7, 1e-11)
# Numbers may come from differences: good ones have an error of 1e-9, forward ones of up to 1e-6.
# At a minimum the latter are off by a step (1e-8) times the curvature.
APPROXIMATE = Tolerance(1e-5, 1e-7)


@dataclass(frozen=True)
class Sample:
    """A point, with the right and the claimed derivative there as NumPy arrays of natural shape.

    Attributes
    ----------
    values, sizes : dict
        The point.
    right, claimed : ndarray
    largest_term : float
        The size of what is summed in the right derivative.
    known : dict
        Values of parts of expressions at the point, by their keys, so that each is computed once.
    """

    values: Mapping[Symbol, Array]
    sizes: Mapping[str, int]
    right: Array
    claimed: Array
    largest_term: float = 0.0
    known: dict[bytes, Array] = field(default_factory=dict, compare=False)

    def value(self, expression: Expression) -> Array:
        """The value of an expression at the point."""
        with np.errstate(all="ignore"):
            found = walk(expression, self.values, self.sizes, known=self.known)
        return natural(expression, found)

    def number(self, expression: Expression) -> float:
        """The value of a scalar."""
        return float(self.value(expression))

    def along(self, df: Expression, dX: Symbol, E: Array, known: dict[bytes, Array]) -> Array:
        """The value of a differential in a direction, of two dimensions."""
        with np.errstate(all="ignore"):
            return walk(df, {**self.values, dX: E}, self.sizes, known=known)

    def differs(self, found: Array, expected: Array, tolerance: Tolerance) -> bool:
        """Whether two values at this point are not equal."""
        if found.shape != expected.shape:
            return True
        if found.size == 0:
            return False
        if (np.isfinite(found) != np.isfinite(expected)).any():  # else infinity allows anything
            return True
        scale = max(float(np.abs(found).max()), float(np.abs(expected).max()))
        allowed = tolerance.relative * scale + tolerance.rounding * self.largest_term
        return not float(np.abs(found - expected).max()) <= allowed

    def error(self) -> float:
        """The largest deviation, relative to the largest entry; infinite for a wrong shape."""
        if self.claimed.shape != self.right.shape or not np.isfinite(self.claimed).all():
            return float("inf")
        deviation = float(np.abs(self.claimed - self.right).max(initial=0.0))
        scale = float(np.abs(self.right).max(initial=0.0))
        if deviation == 0:
            return 0.0
        return deviation / scale if scale > 0 else deviation


def natural_value(expression: Expression, instance: tuple[Any, Any]) -> Array:
    """The value of an expression at an instance, of the expression's shape."""
    with np.errstate(all="ignore"):
        return natural(expression, walk(expression, *instance))


def draw_instances(
    expressions: Sequence[Expression], seed: int, values: Mapping[str, Any]
) -> list[Instance]:
    """Random points at which all expressions are defined, each in other sizes than the one before.

    With values for all symbols, there is one point.
    """
    symbols = {symbol.name for expression in expressions for symbol in expression.used}
    if values:
        if symbols <= set(values):
            return [_bound(expressions, values)]
        first = instance_at(tuple(expressions), seed, values)
        given = {symbol: array for symbol, array in first[0].items() if symbol.name in values}
    else:
        given = {}
    names = {name for expression in expressions for name in expression.size_names}
    given_sizes = {name: values[name] for name in names & set(values) - symbols}
    instances = []
    for i in range(_POINTS):
        fixed = given | _occupied(i, names)
        drawn, sizes = random_instance(expressions, seed + i, fixed, given_sizes)
        instances.append(({s: a for s, a in drawn.items() if s.name in symbols}, dict(sizes)))
    return instances


def _occupied(count: int, names: set[str]) -> dict[Symbol, Array]:
    """Values for symbols of our own that take the smallest sizes, so that larger ones are drawn."""
    taken: dict[Symbol, Array] = {}
    for i in range(count):
        name = f"occupied_{i}"
        while name in names:
            name += "_"
        size = _SMALLEST_SIZE + i
        taken[Symbol(f"of_{name}", Size.of(name), Size.of(1), frozenset())] = np.ones((size, 1))
    return taken


def _bound(expressions: Sequence[Expression], values: Mapping[str, Any]) -> Instance:
    arrays: dict[Symbol, Array] = {}
    sizes: dict[str, int] = {}
    known = {name for e in expressions for name in (*(s.name for s in e.used), *e.size_names)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} does not occur in {expressions[0]}; its names are: "
            f"{', '.join(sorted(known))}"
        )
    for expression in expressions:
        names = {symbol.name for symbol in expression.used} | expression.size_names
        more_arrays, more_sizes = bind(
            expression,
            {n: v for n, v in values.items() if n in names}
            | {n: v for n, v in sizes.items() if n in expression.size_names},
        )
        arrays |= more_arrays
        sizes |= more_sizes
        with np.errstate(all="ignore"):
            walk(expression, arrays, sizes, checked=True)
    return arrays, sizes


def as_claimed_array(value: Any, shape: tuple[int, ...] | None = None) -> Array:
    """What was claimed, as an array of float64.

    Parameters
    ----------
    value : array-like
    shape : tuple of int, optional
        That of the right derivative, where it is known.

    Raises
    ------
    TypeError
        If it is no array of real numbers, or a tuple of several.
    """
    if isinstance(value, tuple) and _is_several(value, shape):
        raise TypeError(
            f"claimed is a tuple of {len(value)} ({_listed(value)}); claim the derivative alone, "
            "which is the second item of a tuple (value, gradient)"
        )
    refuse_masked("claimed", value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            "claimed must be an expression, an array of real numbers, or a function that returns "
            f"one; found {type(value).__name__} ({array.dtype})"
        )
    return array.astype(float)


def _is_several(parts: tuple[Any, ...], shape: tuple[int, ...] | None) -> bool:
    """Whether a tuple holds a derivative beside other things, and is not itself one array."""
    if any(isinstance(part, Expression) for part in parts):
        return True
    try:
        shapes = [np.shape(part) for part in parts]
    except ValueError:  # a list of rows of several lengths
        return False
    return len(set(shapes)) > 1 or (len(parts) > 1 and shape == shapes[0])


def _listed(parts: Sequence[Any]) -> str:
    """What a tuple consists of, in words."""
    described = []
    for part in parts:
        if isinstance(part, Expression):
            described.append("an expression")
        else:
            shape = np.shape(part)
            described.append(f"an array of shape {shape}" if shape else f"a {type(part).__name__}")
    return ", ".join(described)


def value_of_claimed(claimed: Callable[..., Any], instance: Instance, right: Expression) -> Array:
    """What a function returns for the symbols (and sizes) that it takes by name.

    ``right`` is the right derivative, which has the shape that is wanted.
    """
    values, sizes = instance
    arguments: dict[str, Any] = {}
    for symbol, array in values.items():
        given = natural(symbol, array, sizes)
        arguments[symbol.name] = float(given) if symbol.is_scalar else given.copy()
    taken = _taken(claimed, arguments, sizes)
    try:
        result = claimed(**taken)
    except Exception as error:
        shapes = ", ".join(f"{name}: {np.shape(value)}" for name, value in taken.items())
        raise ValueError(
            f"claimed could not be called with the symbols by name ({shapes}): {error}. It must "
            "take each symbol that it uses as an argument of that name; if it works for some sizes "
            "or values only, give these as arguments of diagnose"
        ) from error
    return as_claimed_array(result, shape_of(right, sizes))


def shape_of(expression: Expression, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an expression's value as an array."""
    dimensions = (expression.rows, expression.cols)[: len(expression.shape)]
    return tuple(size.value(sizes) for size in dimensions)


def _taken(
    claimed: Callable[..., Any], arguments: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Those arguments that a function takes."""
    expression = getattr(claimed, "expression", None)
    if isinstance(expression, Expression):
        names = {symbol.name for symbol in expression.used}
        told = {n for s in expression.used for n in s.size_names}
        names |= expression.size_names - told
    else:
        try:
            parameters = inspect.signature(claimed).parameters.values()
        except (TypeError, ValueError):
            return dict(arguments)
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            names = set(arguments)
        else:
            names = {parameter.name for parameter in parameters}
    return {name: value for name, value in (*arguments.items(), *sizes.items()) if name in names}
