"""How a function call is followed: traced values, the level they belong to, and rules.

Each derivative that is being taken has a tracer, with a level of its own; one inside another has
the higher level. A function of traced values is followed by the tracer of the highest level among
them, for which all other values are constants, and which in turn computes with what they stand for:
plain arrays, or values traced at a lower level. So derivatives nest to any depth and never mix:
Siskind and Pearlmutter (2008), *Nesting forward-mode AD in a functional framework*, Higher-Order
and Symbolic Computation 21(4), §2.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array",
    "DerivativeRule",
    "NoRuleError",
    "Traced",
    "Tracer",
    "apply",
    "constant",
    "stack_objects",
]

Array = npt.NDArray[np.floating]
_levels = itertools.count()


class NoRuleError(TypeError):
    """A derivative was needed of a function for which there is no rule; the message names it."""


@dataclass(frozen=True, slots=True)
class DerivativeRule:
    """A function of arrays and the linear maps that are its derivatives.

    With y = f(x₁, x₂, …), argument i contributes ``dy = Jᵢ dxᵢ`` in forward mode; in reverse mode a
    cotangent ȳ contributes ``x̄ᵢ = Jᵢᵀ ȳ`` to it.

    Parameters
    ----------
    name : str
        The function's name, as the user knows it.
    function : callable
        f, of plain arrays.
    identity : str
        What the rule says, as a textbook does.
    push : callable
        ``push(i, dx, y, args, kwargs)`` is ``Jᵢ dxᵢ``, in the shape of y.
    pull : callable
        ``pull(i, g, y, args, kwargs)`` is ``Jᵢᵀ g``, in the shape of argument i.
    """

    name: str
    function: Callable[..., Any]
    identity: str
    push: Callable[[int, Any, Any, Sequence[Any], dict[str, Any]], Any]
    pull: Callable[[int, Any, Any, Sequence[Any], dict[str, Any]], Any]


class Traced:
    """A value that a tracer follows.

    Parameters
    ----------
    value : ndarray or Traced
        What it is, for tracers of lower levels.
    tracer : Tracer
        Who follows it.
    """

    __slots__ = ("tracer", "value")

    def __init__(self, value: Any, tracer: Tracer) -> None:
        self.value = value
        self.tracer = tracer


class Tracer(ABC):
    """One derivative being taken."""

    def __init__(self) -> None:
        self.level = next(_levels)

    @abstractmethod
    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Traced:
        """Y as a traced value, given what it was computed from.

        ``args`` holds values of this tracer, ``values`` the same with what they stand for.
        """


def apply(rule: DerivativeRule, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the function of a rule, followed by every tracer that its arguments belong to."""
    tracer: Tracer | None = None
    for i, arg in enumerate(args):
        if isinstance(arg, Traced):
            if tracer is None or arg.tracer.level > tracer.level:
                tracer = arg.tracer
        elif isinstance(arg, (list, tuple)):
            return apply(rule, [*args[:i], np.asarray(arg), *args[i + 1 :]], kwargs)
        elif isinstance(arg, np.ndarray) and arg.dtype.hasobject:
            return apply(rule, [*args[:i], stack_objects(arg), *args[i + 1 :]], kwargs)
    if tracer is None:
        y = rule.function(*args, **kwargs)
        if not (type(y) is np.ndarray or isinstance(y, np.generic)):
            raise NoRuleError(
                f"{rule.name} gave a {type(y).__name__}; derivatives are of arrays: use np.asarray "
                "of what it was computed from."
            )
        if y.dtype.kind not in "fiub":
            raise NoRuleError(
                f"{rule.name} gave {y.dtype} numbers; derivatives are of real ones only."
            )
        return y
    values = [
        arg.value if isinstance(arg, Traced) and arg.tracer is tracer else arg for arg in args
    ]
    return tracer.follow(rule, apply(rule, values, kwargs), args, values, kwargs)


def stack_objects(array: Any) -> Any:
    """One traced array of an array of traced numbers, as ``np.array([a, b])`` makes it."""
    numbers = array.ravel().tolist()
    if not numbers or not all(isinstance(x, Traced | float | int | np.number) for x in numbers):
        raise NoRuleError(f"an array of objects cannot be differentiated: {array!r:.80}.")
    return np.reshape(np.stack(numbers), array.shape)


def constant(x: Any) -> Any:
    """The plain value of x, which derivatives take for a constant.

    Parameters
    ----------
    x : array-like
        Possibly a value that is being differentiated.

    Returns
    -------
    ndarray or number

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import constant, grad
    >>> float(grad(lambda x: x * np.floor(constant(x)))(2.5))
    2.0
    """
    while isinstance(x, Traced):
        x = x.value
    return x
