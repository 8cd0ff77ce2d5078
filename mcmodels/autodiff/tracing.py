"""How function calls are traced: traced values, tracers and their levels, and rules.

Each derivative that is being taken has a tracer with its own level; of two nested derivatives the
inner one has the higher level. A function of traced values is handled by the tracer of the highest
level among them. For this tracer all other values are constants. It computes with the underlying
values: plain arrays, or values traced at a lower level. So derivatives nest to any depth and never
mix:
Siskind and Pearlmutter (2008), *Nesting forward-mode AD in a functional framework*, Higher-Order
and Symbolic Computation 21(4), §2.
"""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "CHANGED",
    "DerivativeRule",
    "NoRuleError",
    "Origin",
    "Traced",
    "Tracer",
    "apply",
    "constant",
    "is_complex",
    "next_level",
    "stack_list",
    "stack_objects",
    "tracing",
]

next_level = itertools.count().__next__


class Tracing(threading.local):
    """What this thread differentiates.

    Parameters
    ----------
    depth : int
        How many derivatives are being taken, one inside the other.
    objects : bool
        Whether NumPy was given traced numbers as objects.
    refused : NoRuleError or None
        The last refusal of a plain number or array: code in C may ask for one, and drop the error.
    limits : bool
        Whether a function is recorded whose terms 0/0 are to be taken by their limits.
    tied : bool
        Whether it has compared two equal values since, so that there may be another limit on the
        other side.
    """

    depth = 0
    objects = False
    refused: NoRuleError | None = None
    limits = False
    tied = False


tracing = Tracing()


class NoRuleError(TypeError):
    """A function was differentiated that has no rule; the message names it."""


@dataclass(frozen=True, slots=True)
class DerivativeRule:
    """A function of arrays and the linear maps that are its derivatives.

    With y = f(x₁, x₂, …), argument i contributes ``Jᵢ dxᵢ`` to dy in forward mode. In reverse mode
    the cotangent ȳ contributes ``Jᵢᵀ ȳ`` to x̄ᵢ.

    Parameters
    ----------
    name : str
        The name of the function for users.
    function : callable
        f, called with plain arrays.
    identity : str
        The differential, as a textbook prints it.
    push : callable
        ``push(i, dx, y, args, kwargs)`` returns ``Jᵢ dxᵢ``, in the shape of y.
    pull : callable
        ``pull(i, g, y, args, kwargs)`` returns ``Jᵢᵀ g``, in the shape of argument i.
    holomorphic : bool, default=False
        Whether the rule holds for complex numbers, too.
    recognise : callable, optional
        ``recognise(args, kwargs)`` returns a better form of the result, where the arguments show
        one; or an `Origin` that the result keeps; or None.
    starts : bool, default=False
        Whether to ask it also where no argument has an origin.
    """

    name: str
    function: Callable[..., Any]
    identity: str
    push: Callable[[int, Any, Any, Sequence[Any], dict[str, Any]], Any]
    pull: Callable[[int, Any, Any, Sequence[Any], dict[str, Any]], Any]
    holomorphic: bool = False
    recognise: Callable[[Sequence[Any], dict[str, Any]], Any] | None = None
    starts: bool = False


# How a traced value was made, where functions of it may have a better form: the operation, its
# arguments, and the length of the chain of origins, which is kept short: it holds values in memory.
Origin = tuple[str, tuple[Any, ...], int]
# The kind of origin of a value that was changed in place; its argument is what it was changed to.
CHANGED = "changed in place"


class Traced:
    """A value that a tracer follows.

    Parameters
    ----------
    value : ndarray or Traced
        The underlying value: a plain array, or a value of a tracer of a lower level.
    tracer : Tracer
        The derivative that the value belongs to.
    """

    # Line and tangent are of reverse and of forward mode: one layout, so that a value that is
    # changed in place may come to belong to another derivative. ``held`` says whether the origin of
    # another value may hold this one.
    __slots__ = ("held", "line", "origin", "tangent", "tracer", "value")

    def __init__(self, value: Any, tracer: Tracer) -> None:
        self.value = value
        self.tracer = tracer
        self.origin: Origin | None = None
        self.held = False

    def snapshot(self) -> Traced:
        """The value as it is now, which changes of this one in place do not reach."""
        found = object.__new__(type(self))
        found.held = False
        found.become(self)
        return found

    def become(self, other: Any) -> None:
        """Take the state of another value."""
        self.value, self.tracer, self.origin = other.value, other.tracer, other.origin
        if type(self) is not type(other):
            self.__class__ = type(other)
        other.give(self)

    def give(self, other: Any) -> None:
        """Give another value what only values of this type have."""


class Tracer(ABC):
    """One derivative that is being taken.

    Attributes
    ----------
    ended : bool
        Whether the function that it follows has returned: no value of it is passed on after that.
    """

    ended = False

    def __init__(self) -> None:
        self.level = next_level()

    @abstractmethod
    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> Traced:
        """The result y of a function as a traced value.

        ``args`` are the arguments, some of them traced by this tracer; ``values`` are the same with
        the underlying values in their places, in a list that may be kept.
        """

    def ratio(self, u: Any, v: Any) -> float | None:
        """The number c with u = c v, of two of its values, if one is known."""
        return 1.0 if u is v else None

    def prefers_series(self, x: Any) -> bool:
        """Whether f(x)/x should stay a quotient, to be taken as a function of what made x."""
        return False

    def same(self, u: Any, v: Any) -> bool:
        """Whether two of its values are known to be equal, with all that it computes of them."""
        return self.ratio(u, v) == 1.0


# Types of arguments that need no second look, and the type of most results.
_NUMBERS = frozenset({float, int, np.float64})
_FLOAT64 = np.dtype(np.float64)
_ARRAY = np.ndarray
_SCALAR = np.float64


def apply(rule: DerivativeRule, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the function of a rule, traced by every tracer that its arguments belong to."""
    tracer: Tracer | None = None
    asked, nested, mixed = rule.starts, False, False
    values: list[Any] = []
    for i, arg in enumerate(args):
        kind = type(arg)
        if kind in _NUMBERS:
            values.append(arg)
            continue
        if kind is _ARRAY:
            if arg.dtype is not _FLOAT64 and arg.dtype.hasobject:
                return apply(rule, [*args[:i], stack_objects(arg), *args[i + 1 :]], kwargs)
        elif isinstance(arg, Traced):
            if arg.origin is not None:
                asked = True
            of = arg.tracer
            if tracer is None:
                tracer = of
            elif of is not tracer:
                mixed = True
                if of.level > tracer.level:
                    tracer = of
            arg = arg.value
            if type(arg) is not _ARRAY and isinstance(arg, Traced):
                nested = True
        elif isinstance(arg, (list, tuple)):
            return apply(rule, [*args[:i], stack_list(arg), *args[i + 1 :]], kwargs)
        elif isinstance(arg, np.ndarray) and arg.dtype.hasobject:
            return apply(rule, [*args[:i], stack_objects(arg), *args[i + 1 :]], kwargs)
        values.append(arg)
    if tracer is None:
        return _real_numbers(rule, rule.function(*args, **kwargs))
    if asked and rule.recognise is not None:
        found = rule.recognise(args, kwargs)
        if found is not None and type(found) is not tuple:
            return found
    else:
        found = None
    if mixed:
        nested = True
        for i, arg in enumerate(args):
            if isinstance(arg, Traced) and arg.tracer is not tracer:
                values[i] = arg.snapshot()  # it is kept, and may be changed in place
    if nested:
        y = apply(rule, values, kwargs)
    else:
        y = rule.function(*values, **kwargs)
        kind = type(y)
        if kind is not _SCALAR and (kind is not _ARRAY or y.dtype is not _FLOAT64):
            y = _real_numbers(rule, y)
    result = tracer.follow(rule, y, args, values, kwargs)
    if found is not None:
        result.origin = found
    return result


def _real_numbers(rule: DerivativeRule, y: Any) -> Any:
    """What the function of a rule computed of plain arrays and numbers."""
    kind = type(y)
    if kind is _SCALAR or (kind is _ARRAY and y.dtype is _FLOAT64):
        return y
    if kind is float:
        return np.float64(y)
    if not (kind is _ARRAY or isinstance(y, np.generic)):
        raise NoRuleError(
            f"{rule.name} gave a {kind.__name__}; derivatives are of arrays: use np.asarray "
            "of what it was computed from."
        )
    if y.dtype.kind not in "fiub" and not (rule.holomorphic and y.dtype.kind == "c"):
        raise NoRuleError(f"{rule.name} gave {y.dtype} numbers; it has a rule for real ones only.")
    return y


def stack_list(values: Any) -> Any:
    """One array from a list, traced if there is a traced value in it."""
    if not isinstance(values, list | tuple):
        return values
    parts = [stack_list(part) for part in values]
    if any(isinstance(part, Traced) for part in parts):
        return np.stack(parts)
    return np.asarray(values)


def stack_objects(array: npt.NDArray[np.object_]) -> Any:
    """One traced array from an array of traced numbers, such as ``np.array([a, b])`` returns."""
    numbers = array.ravel().tolist()
    if not numbers or not all(isinstance(x, Traced | float | int | np.number) for x in numbers):
        raise NoRuleError(f"an array of objects cannot be differentiated: {array!r:.80}.")
    return np.reshape(np.stack(numbers), array.shape)


def constant(x: Any) -> Any:
    """The plain value of x itself, which is not to be written to."""
    while isinstance(x, Traced):
        x = x.value
    return x


def is_complex(x: Any) -> bool:
    """Whether a value, traced or not, has complex numbers."""
    while isinstance(x, Traced):
        x = x.value
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return bool(np.iscomplexobj(x))
    return dtype is not _FLOAT64 and dtype.kind == "c"
