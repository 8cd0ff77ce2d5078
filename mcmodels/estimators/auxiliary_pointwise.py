"""A loss with auxiliary parameters, an expression or a NumPy function, and its derivatives.

Every derivative by the linear predictor and by the auxiliary parameters a is that of one row. The
calculus derives an expression by all of them; a NumPy function is run on nested dual numbers, one
run for each pair of variables (Griewank and Walther 2008, *Evaluating Derivatives*, 2nd ed., §3.1
and chapter 13).
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.autodiff import constant, jvp
from mcmodels.autodiff.tables import broadcast
from mcmodels.autodiff.tracing import Traced
from mcmodels.calculus import Expression, parse, scalar
from mcmodels.calculus.compute.rowwise import rowwise
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.estimators.auxiliary_arguments import auxiliary_shapes
from mcmodels.estimators.pointwise import PointwiseCallable, checked_expression, derived_by_eta
from mcmodels.objectives.auxiliary import AuxiliaryFunction, AuxiliaryShapes
from mcmodels.objectives.user_loss import PointwiseFunction

__all__ = [
    "link_with_auxiliary",
    "pointwise_with_auxiliary",
    "require_rows",
]


def pointwise_with_auxiliary(loss: Any, shapes: AuxiliaryShapes) -> AuxiliaryFunction:
    """The loss of an estimator, with its derivatives by η and the auxiliary parameters.

    Raises
    ------
    TypeError
        If it is neither an expression, nor its text, nor callable; or a function that cannot be
        called with the auxiliary parameters.
    ValueError
        For an expression with other symbols, or without one of the auxiliary parameters.
    """
    if isinstance(loss, str):
        loss = _parsed(loss, {name: shape[0] for name, shape in shapes.shapes if shape})
    if isinstance(loss, Expression):
        return AuxiliaryExpression(_checked_loss(loss, shapes), shapes)
    if callable(loss):
        return AuxiliaryCallable(loss, shapes)
    names = ", ".join(name for name, _ in shapes.shapes)
    raise TypeError(
        f"loss is a {type(loss).__name__}; give an expression in the scalars y and eta and in "
        f"{names}, its text, or a function loss(y, eta, {names})."
    )


def _parsed(text: str, lengths: Mapping[str, int]) -> Expression:
    """The expression of a text with vectors of these lengths.

    The calculus takes a vector of one entry for a scalar, which has no entries.
    """
    for name, length in lengths.items():
        if length == 1:
            text = re.sub(rf"\b{name}\s*\[\s*0\s*\]", _symbol(f"{name}[0]"), text)
    return parse(text, **{name: length for name, length in lengths.items() if length > 1})


def _symbol(name: str) -> str:
    """The name of the symbol of one number: ``cuts[1]`` is ``cuts_entry1``."""
    return re.sub(r"\[(\d+)\]$", r"_entry\1", name)


def _checked_loss(loss: Expression, shapes: AuxiliaryShapes) -> Expression:
    """The loss in scalar symbols alone; refused if it has others, or leaves one of them out."""
    vectors = {name: shape[0] for name, shape in shapes.shapes if shape}
    entries = {}
    for part in loss.used:
        if part.name in vectors and part.is_array:
            if part.shape[0] != vectors[part.name]:
                raise ValueError(
                    f"loss holds {part.name!r}, {part.described()}; auxiliary has "
                    f"{vectors[part.name]} entries of it."
                )
            for k in range(vectors[part.name]):
                entries[part[k]] = scalar(_symbol(f"{part.name}[{k}]"))
    found = substitute(loss, entries) if entries else loss
    whole = sorted({part.name for part in found.used if part.name in vectors})
    if whole:
        raise ValueError(
            f"loss holds the vector {whole[0]!r} as a whole; write its entries one by one, as "
            f"{whole[0]}[0], or write the loss as a NumPy function."
        )
    symbols = tuple(_symbol(name) for name in shapes.names)
    found = checked_expression(found, "loss", ("y", "eta", *symbols))
    used = {part.name for part in found.used}
    for name, symbol in zip(shapes.names, symbols, strict=True):
        if symbol not in used:
            raise ValueError(
                f"loss is {loss}, without {name}, which auxiliary holds; there is nothing to "
                "estimate it from. Leave it out of auxiliary, or write it into the loss."
            )
    return found


class AuxiliaryExpression:
    """Derivatives of an expression in y, eta and auxiliary scalars.

    Parameters
    ----------
    expression : Expression
        ℓ.
    shapes : AuxiliaryShapes
        The auxiliary parameters.
    """

    def __init__(self, expression: Expression, shapes: AuxiliaryShapes) -> None:
        self.expression = expression
        self.shapes = shapes

    def __call__(self, y: Array, eta: Array, a: Array, order: int) -> tuple[Array, ...]:
        """ℓ, then up to the order its derivatives by ``(η, a)``."""
        symbols = tuple(_symbol(name) for name in self.shapes.names)
        with np.errstate(all="ignore"):  # solvers reject values that are not finite
            results = _derived(self.expression, symbols, order)(y, eta, *a)
        return _assembled([np.broadcast_to(r, eta.shape) for r in results], 1 + len(a), order)

    def at(self, a: Array) -> PointwiseFunction:
        """The loss as a function of y and η alone, with a held."""
        return functools.partial(self._of_eta, a)

    def _of_eta(self, a: Array, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        symbols = tuple(_symbol(name) for name in self.shapes.names)
        with np.errstate(all="ignore"):
            results = derived_by_eta(self.expression, orders, symbols)(y, eta, *a)
        return tuple(np.array(np.broadcast_to(r, eta.shape)) for r in results)


@functools.lru_cache(maxsize=64)
def _derived(
    expression: Expression, symbols: tuple[str, ...], order: int
) -> Callable[..., tuple[Any, ...]]:
    """ℓ, its gradient by (η, a), and the upper triangle of its Hessian, as far as the order."""
    found, firsts = [expression], list[Expression]()
    by_name = {part.name: part for part in expression.used}
    variables = [by_name[name] for name in ("eta", *symbols)]
    if order > 0:
        firsts = [expression.gradient(variable) for variable in variables]
        found += firsts
    if order > 1:
        found += [
            firsts[j].gradient(variables[k]) if variables[k] in firsts[j].used else _ZERO
            for j in range(len(variables))
            for k in range(j, len(variables))
        ]
    return rowwise(tuple(found), ("y", "eta", *symbols))


def _assembled(parts: list[Any], m: int, order: int) -> tuple[Array, ...]:
    """ℓ, gradient and Hessian from ℓ, m first and ``m(m + 1)/2`` second derivatives of rows."""
    found = [np.array(parts[0])]
    if order > 0:
        found.append(np.stack(parts[1 : 1 + m], axis=1))
    if order > 1:
        second = np.empty((len(found[0]), m, m))
        rest = iter(parts[1 + m :])
        for j in range(m):
            for k in range(j, m):
                second[:, j, k] = second[:, k, j] = next(rest)
        found.append(second)
    return tuple(found)


class AuxiliaryCallable:
    """Derivatives of a NumPy function of y, eta and auxiliary parameters.

    Parameters
    ----------
    function : callable
        ℓ; it takes the auxiliary parameters after eta, by their names if it has arguments of these
        names, else in their order.
    shapes : AuxiliaryShapes
        The auxiliary parameters.
    """

    def __init__(self, function: Callable[..., Any], shapes: AuxiliaryShapes) -> None:
        self.function = function
        self.shapes = shapes
        self._names = _names_of_arguments(function, shapes)

    def value(self, y: Any, eta: Any, parts: tuple[Any, ...]) -> Any:
        """ℓ of each row, at values of the auxiliary parameters."""
        if self._names:
            return self.function(y, eta, **dict(zip(self._names, parts, strict=True)))
        return self.function(y, eta, *parts)

    def __call__(self, y: Array, eta: Array, a: Array, order: int) -> tuple[Array, ...]:
        """ℓ, then up to the order its derivatives by ``(η, a)``."""
        point, units = (eta, *self.shapes.split(a)), self._units(eta)
        m = len(units)

        def loss(*at: Any) -> Any:
            return self.value(y, at[0], at[1:])

        def along(unit: Any, *at: Any) -> Any:
            return jvp(loss, at, unit)[1]

        with np.errstate(all="ignore"):
            found = [constant(loss(*point))]
            if order == 1:
                found += [constant(along(unit, *point)) for unit in units]
            elif order == 2:
                firsts, seconds = [], []
                for j in range(m):
                    for k in range(j, m):
                        by_first = functools.partial(along, units[j])
                        first, second = jvp(by_first, point, units[k])
                        firsts += [constant(first)] if j == k else []
                        seconds.append(constant(second))
                found += firsts + seconds
        return _assembled([broadcast(part, eta.shape) for part in found], m, order)

    def at(self, a: Array) -> PointwiseFunction:
        """The loss as a function of y and η alone, with a held."""
        return PointwiseCallable(functools.partial(self._bound, self.shapes.split(a)))

    def _bound(self, parts: tuple[Any, ...], y: Any, eta: Any) -> Any:
        return self.value(y, eta, parts)

    def _units(self, eta: Array) -> list[tuple[Any, ...]]:
        """Directions: η of all rows, then each number of the auxiliary parameters."""
        zeros = np.zeros(self.shapes.size)
        units = [(np.ones(eta.shape), *self.shapes.split(zeros))]
        for k in range(self.shapes.size):
            unit = zeros.copy()
            unit[k] = 1.0
            units.append((np.zeros(eta.shape), *self.shapes.split(unit)))
        return units


def _names_of_arguments(function: Callable[..., Any], shapes: AuxiliaryShapes) -> tuple[str, ...]:
    """The names by which a function takes the auxiliary parameters; () for their order.

    Raises TypeError if it takes them in neither way.
    """
    names = tuple(name for name, _ in shapes.shapes)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # functions written in C may have none
        return ()
    by_name = {
        name
        for name, argument in signature.parameters.items()
        if argument.kind in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY)
    }
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    known = [name for name in names if name in by_name]
    found = names if len(known) == len(names) or takes_any else ()
    try:
        if found:
            signature.bind(None, None, **dict.fromkeys(names))
        else:
            signature.bind(None, None, *names)
        if known and not found:
            raise TypeError(f"it has no argument {next(n for n in names if n not in known)!r}")
    except TypeError as error:
        listed = ", ".join(names)
        raise TypeError(
            f"loss{signature} cannot be called with y, eta and the auxiliary parameters {listed}: "
            f"{error}. Write it as loss(y, eta, {listed})."
        ) from error
    return found


def require_rows(function: AuxiliaryFunction, a: Array, y: Array, eta: Array) -> None:
    """Refuse a function that is not pointwise, or in which an auxiliary parameter has no part.

    Parameters
    ----------
    function : AuxiliaryFunction
        The loss.
    a : ndarray of shape (q,)
        Values of the auxiliary parameters.
    y, eta : ndarray of shape (n,)
        Some targets and linear predictors.
    """
    held = function.at(a)
    if not isinstance(function, AuxiliaryCallable) or not isinstance(held, PointwiseCallable):
        return
    held.require_rows(y, eta)
    names = [name for name, _ in function.shapes.shapes]
    parts = function.shapes.split(a)
    for position, name in enumerate(names):
        traced = list[bool]()

        def loss(at: Any, position: int = position, traced: list[bool] = traced) -> Any:
            value = function.value(y, eta, (*parts[:position], at, *parts[position + 1 :]))
            traced.append(isinstance(value, Traced))
            return value

        with np.errstate(all="ignore"):
            jvp(loss, (parts[position],), (np.ones_like(parts[position]),))
        if not traced[0]:
            raise ValueError(
                f"loss does not depend on the auxiliary parameter {name}, or in jumps only; there "
                "is nothing to estimate it from. Leave it out of auxiliary."
            )


def link_with_auxiliary(link: Any, values: Mapping[str, Any]) -> Any:
    """An inverse link in η alone: auxiliary parameters that it takes have the given values.

    An expression takes those that it holds, a function those that it has as arguments.
    """
    if not values:
        return link
    if isinstance(link, str | Expression):
        return _expression_with_values(link, values)
    if callable(link):
        taken = {name: values[name] for name in values if name in _arguments_of(link)}
        return functools.partial(link, **taken) if taken else link
    return link


def _expression_with_values(link: str | Expression, values: Mapping[str, Any]) -> Any:
    """The link with numbers for auxiliary parameters; itself if it holds none."""
    vectors = {name: len(value) for name, value in values.items() if np.ndim(value)}
    found = _parsed(link, vectors) if isinstance(link, str) else link
    shapes = auxiliary_shapes(values)
    flat = shapes.ravel(values)
    by_symbol = {_symbol(name): v for name, v in zip(shapes.names, flat, strict=True)}
    known = dict[Expression, Expression]()
    for part in found.used:
        if part.name in vectors and part.is_array:
            known |= {part[k]: _number(v) for k, v in enumerate(values[part.name])}
        elif part.name in by_symbol and not part.is_array:
            known[part] = _number(by_symbol[part.name])
    return substitute(found, known) if known else link


def _number(value: float) -> Expression:
    return parse(repr(float(value)))


def _arguments_of(function: Callable[..., Any]) -> frozenset[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(
        p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    )


_ZERO = parse("0")
