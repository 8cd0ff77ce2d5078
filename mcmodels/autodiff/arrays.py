"""Traced values that look like arrays: operators, methods, and NumPy's protocols.

NumPy passes each call on a traced value to ``__array_ufunc__`` or ``__array_function__``. These
look up the function in the tables of :mod:`mcmodels.autodiff.rules`. A call that would turn a
traced value into a plain array, and so lose its derivative, raises an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from mcmodels.autodiff.captured import kept_index
from mcmodels.autodiff.lists import array_for_numpy, as_objects
from mcmodels.autodiff.operators import binary, changed_to, changing, compared, comparison, method
from mcmodels.autodiff.refusals import calling_function, instead, is_entry, name_of
from mcmodels.autodiff.rules import (
    FUNCTIONS,
    METHODS,
    NOT_DIFFERENTIATED,
    REDUCED,
    RULES,
)
from mcmodels.autodiff.tables import COMPLEX_FUNCTIONS
from mcmodels.autodiff.tracing import NoRuleError, Traced, apply, constant, tracing
from mcmodels.autodiff.without_rule import refuse

__all__ = ["TracedArray"]


def _compress_method(self: Any, condition: Any, axis: int | None = None) -> Any:
    return np.compress(condition, self, axis=axis)


_FLOAT64 = np.dtype(np.float64)
# Indices that the function may change later, or that may hold such.
_MUTABLE = frozenset({np.ndarray, list, tuple})


class TracedArray(Traced):
    """An array that is being differentiated: it behaves as an ndarray, and calls are recorded."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    __add__, __radd__ = binary(np.add)
    __sub__, __rsub__ = binary(np.subtract)
    __mul__, __rmul__ = binary(np.multiply)
    __truediv__, __rtruediv__ = binary(np.divide)
    __pow__, __rpow__ = binary(np.power)
    _, __rmatmul__ = binary(np.matmul)
    __mod__, __rmod__ = binary(np.remainder)
    __iadd__, __isub__, __imul__ = map(changing, (np.add, np.subtract, np.multiply))
    __itruediv__, __ipow__, __imatmul__ = map(changing, (np.divide, np.power, np.matmul))
    __imod__ = changing(np.remainder)
    __lt__, __le__ = comparison(np.less), comparison(np.less_equal)
    __gt__, __ge__ = comparison(np.greater), comparison(np.greater_equal)
    __eq__, __ne__ = comparison(np.equal), comparison(np.not_equal)

    sum, mean, prod = method(np.sum), method(np.mean), method(np.prod)
    max, min, var, std = method(np.max), method(np.min), method(np.var), method(np.std)
    cumsum, trace, diagonal = method(np.cumsum), method(np.trace), method(np.diagonal)
    cumprod, compress, choose = method(np.cumprod), _compress_method, method(np.choose)
    argpartition, searchsorted = method(np.argpartition), method(np.searchsorted)
    dot, clip = method(np.dot), method(np.clip)
    repeat, take = method(np.repeat), method(np.take)
    squeeze, swapaxes, ravel = method(np.squeeze), method(np.swapaxes), method(np.ravel)
    flatten = method(np.ravel)
    argmax, argmin, argsort = method(np.argmax), method(np.argmin), method(np.argsort)
    conj, conjugate = method(np.conjugate), method(np.conjugate)
    any, all, nonzero = method(np.any), method(np.all), method(np.nonzero)

    def __matmul__(self, other: Any) -> Any:
        kind = type(other)
        if kind is not np.ndarray and kind is not type(self) and hasattr(other, "tocsr"):
            return NotImplemented  # a sparse matrix says what it cannot do
        return apply(RULES[np.matmul], (self, other), {})

    def __neg__(self) -> Any:
        return apply(RULES[np.negative], (self,), {})

    def __pos__(self) -> Any:
        return np.positive(self)

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __divmod__(self, other: Any) -> Any:
        return np.floor_divide(self, other), np.remainder(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return np.floor_divide(other, self), np.remainder(other, self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return np.round(self, ndigits or 0)

    def __abs__(self) -> Any:
        return np.abs(self)

    def __getitem__(self, index: Any) -> Any:
        if type(index) in _MUTABLE:
            index = kept_index(index)
        return apply(RULES["getitem"], (self,), {"index": index})

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(constant(self))

    def __format__(self, spec: str) -> str:
        return format(constant(self), spec)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({constant(self)!r})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Number of its axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """Number of its entries."""
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its entries."""
        # NumPy's mean and var of an array of traced numbers end with dtype.type(result): of objects
        # it is the result itself, where float64 would want a plain number.
        if sys._getframe(1).f_globals.get("__name__") == "numpy._core._methods":
            return np.dtype(object)
        return constant(self).dtype

    @property
    def real(self) -> Any:
        """The real parts of its entries."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary parts of its entries."""
        return np.imag(self)

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return np.transpose(self)

    @property
    def flat(self) -> Any:
        """The entries in one axis, to be iterated over."""
        return np.ravel(self)

    @property
    def mT(self) -> Any:
        """The array with its last two axes exchanged."""
        return np.swapaxes(self, -1, -2)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """The entries in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def copy(self, order: Any = "C") -> Any:
        """A copy, which can be filled by index."""
        return np.copy(self, order=order)

    def transpose(self, *axes: Any) -> Any:
        """The array with its axes in another order."""
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def item(self, *index: Any) -> Any:
        """One entry, which is being differentiated as well."""
        if len(index) > 1 or (index and isinstance(index[0], tuple)):
            return self[index if len(index) > 1 else index[0]]
        return np.ravel(self)[index[0]] if index else np.reshape(self, ())

    def tolist(self) -> Any:
        """The entries in lists of lists; each of them is being differentiated."""
        return [part.tolist() for part in self] if self.ndim else self

    def round(self, decimals: int = 0) -> Any:
        """Refused: steps have no derivative."""
        return np.round(self, decimals)

    def astype(self, dtype: Any, *_: Any, **kwargs: Any) -> Any:
        """The array converted to another floating-point type."""
        if self.dtype.kind == "c" and np.dtype(dtype).kind == "f":
            raise NoRuleError(
                f"astype({np.dtype(dtype)}) of complex numbers drops their imaginary parts; use "
                "np.real."
            )
        if np.dtype(dtype).kind not in "fc":
            raise NoRuleError(
                f"astype({np.dtype(dtype)}) has no derivative. For the values alone, use "
                "constant(x).astype(…)."
            )
        return apply(RULES["astype"], (self,), {"dtype": np.dtype(dtype)})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        rule = RULES.get(ufunc)
        if rule is not None and method == "__call__" and not kwargs:
            return apply(rule, inputs, kwargs)
        if method == "reduce" and (function := _REDUCTIONS.get(ufunc)) is not None:
            kwargs.setdefault("axis", 0)
            return self.__array_function__(function, (), inputs, kwargs)
        outputs = kwargs.get("out", ())
        if any(isinstance(out, Traced) for out in outputs):
            if not all(_may_be_replaced(out) for out in outputs):
                return NotImplemented  # an array that is filled takes the result
            if rule is not None and method == "__call__" and kwargs.keys() == {"out"}:
                (output,) = outputs
                result = apply(rule, inputs, {})
                if isinstance(result, Traced):
                    return changed_to(output, result)
        if ufunc in NOT_DIFFERENTIATED and method != "at" and "out" not in kwargs:
            if tracing.limits and method == "__call__" and ufunc.nin == 2 and not kwargs:
                return compared(ufunc, *map(constant, inputs))
            return getattr(ufunc, method)(*map(constant, inputs), **kwargs)
        known = ufunc in REDUCED or (method == "outer" and ufunc.nin == 2)
        known = known and method in METHODS and kwargs.keys() <= {"axis", "keepdims"}
        if rule is not None and known:
            return METHODS[method](ufunc, *inputs, **kwargs)
        called = "" if method == "__call__" else f".{method}"
        refuse(ufunc, name_of(ufunc) + called, kwargs if rule is not None else {})

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        if func in NOT_DIFFERENTIATED:
            return func(*_plain_arguments(args), **_plain_arguments(kwargs))
        implementation = FUNCTIONS.get(func)
        if implementation is None:
            refuse(func, name_of(func), {})
        if func not in COMPLEX_FUNCTIONS and _has_complex(args):
            raise NoRuleError(
                f"{name_of(func)} has a rule for real numbers only; found complex ones."
            )
        args, kwargs = implementation.named(args, kwargs)
        if not kwargs:
            return implementation.function(*args)
        if _may_be_replaced(kwargs.get("out")):
            output = kwargs.pop("out")
            result = func(*args, **kwargs)
            if isinstance(result, Traced):
                return changed_to(output, result)
            kwargs["out"] = output
        kwargs = {key: value for key, value in kwargs.items() if not _is_default(key, value)}
        if "dtype" in kwargs and np.dtype(kwargs["dtype"]) == self.dtype:
            del kwargs["dtype"]
        unknown = kwargs.keys() - implementation.parameters
        if unknown:
            unknown = {key for key in unknown if not implementation.is_default(key, kwargs[key])}
            if unknown:
                refuse(func, name_of(func), unknown)
            kwargs = {k: v for k, v in kwargs.items() if k in implementation.parameters}
        return implementation(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        caller, called, where = calling_function()
        if self.ndim == 0 and dtype is None and not caller:
            # np.array([a, b]) of traced numbers: an array of objects, which `apply` handles.
            return as_objects(self)
        if dtype in (None, np.dtype(object)) and (array := array_for_numpy(self)) is not None:
            return array
        name = caller or called
        if name.startswith("numpy.testing.assert_"):  # returns nothing that could be differentiated
            return np.array(constant(self), dtype)
        advice = instead(name) or (
            "Use functions that have a rule, or give it a derivative by mcmodels.autodiff.rule."
        )
        if not name:
            advice = (
                "Build arrays of such values by np.stack, np.concatenate or np.where; or import "
                "mcmodels.autodiff.numpy in NumPy's place: what its np.zeros, np.array(a) and the "
                "like make can be filled."
            )
        tracing.refused = NoRuleError(
            f"{name or 'NumPy (np.array, an assignment)'}{f', in {where},' if where else ''} wants "
            "a plain array of a value that is being differentiated, and the derivative would be "
            f"lost. {advice} Use constant(x), if no derivative is wanted."
        )
        raise tracing.refused

    def _not_a_number(self, *args: Any) -> NoReturn:
        caller, _, where = calling_function()
        if not caller and is_entry(where):
            raise NoRuleError(
                f"assignment of a value that is being differentiated to {where} cannot be "
                "followed. Import mcmodels.autodiff.numpy in NumPy's place: arrays of real and of "
                "complex numbers that it makes can be filled. Use constant(x), if no derivative is "
                "wanted."
            )
        self._not_a_position()

    def _not_a_position(self, *args: Any) -> NoReturn:
        caller, _, where = calling_function()
        tracing.refused = NoRuleError(
            f"{caller + ' calls float(): ' if caller else ''}float(), int() and functions of math "
            "make a plain number of a value that is being differentiated, and its derivative would "
            f"be lost{', in ' + where if where else ''}. {instead(caller) + ' ' if caller else ''}"
            "Use NumPy's functions (np.exp for math.exp), np.stack for np.array of numbers; or "
            "constant(x), if no derivative is wanted."
        )
        raise tracing.refused

    __float__: Any
    __int__: Any
    __complex__: Any
    __float__ = __int__ = __complex__ = _not_a_number
    __index__: Any = _not_a_position

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise NoRuleError(
            "pickle has no rule for an array that is being differentiated (other processes cannot "
            "take part); constant(x) gives its values."
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise NoRuleError(
            "assignment to entries of an array that is being differentiated has no rule; assign to "
            "x.copy(), or build it by np.where, np.concatenate or np.stack."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python and NumPy look for optional protocols
            raise AttributeError(name)
        if (rule := RULES.get(getattr(np, name, ""))) is not None:
            # A ufunc of an array of objects calls the method of its own name on each of them.
            return lambda *others: apply(rule, (self, *others), {})
        raise AttributeError(
            f"ndarray.{name} has no rule for an array that is being differentiated; "
            "constant(x) gives its values."
        )


class _OfArrays:
    """An attribute of arrays that traced ones have by ``__getattr__`` alone, or not at all.

    CPython drops that hook of a class for good where looking it up fails, as it does while C code
    leaves an error pending. A refusal would then not say what to do.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, x: Any, owner: type) -> Any:
        if x is None:
            raise AttributeError(self.name)
        return x.__getattr__(self.name)


for _name in dir(np.ndarray):
    if not _name.startswith("_") and not hasattr(TracedArray, _name):
        setattr(TracedArray, _name, _OfArrays(_name))


def _may_be_replaced(x: Any) -> bool:
    """Whether it takes a result as a whole: a traced array, but none that is filled by index."""
    return isinstance(x, TracedArray) and type(x).__array_ufunc__ is TracedArray.__array_ufunc__


# ufunc.reduce is called for these functions of arrays.
_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}


def _is_default(key: str, value: Any) -> bool:
    """Whether a keyword has its default value, so that a rule need not know it."""
    return value is None if key in ("out", "dtype", "where") else False


def _has_complex(args: Sequence[Any]) -> bool:
    """Whether complex numbers are among the arguments, or in lists of them."""
    for arg in args:
        for part in arg if isinstance(arg, (list, tuple)) else (arg,):
            while isinstance(part, Traced):
                part = part.value
            dtype = getattr(part, "dtype", None)
            if dtype is None:
                if isinstance(part, complex):
                    return True
            elif dtype is not _FLOAT64 and dtype.kind == "c":
                return True
    return False


def _plain_arguments(values: Any) -> Any:
    """Arguments with each traced value replaced by its plain array, also inside lists."""
    if isinstance(values, dict):
        return {key: _plain_arguments(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return type(values)(_plain_arguments(value) for value in values)
    return constant(values)
