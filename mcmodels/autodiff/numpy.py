"""NumPy for functions that are differentiated: its makers of arrays are followed.

Import it in NumPy's place: ``import mcmodels.autodiff.numpy as np``. All names are NumPy's. While a
derivative is taken,

- arrays of real numbers that ``zeros``, ``ones``, ``empty``, ``full``, ``eye``, ``array``, ``copy``
  and the like make can be filled by index: ``h[t] = p * t``, ``h[1:] += x``. Views share their
  entries, as NumPy's do;
- functions take lists of values that are differentiated, where they take lists of numbers:
  ``np.array([[1, r], [r, 1]])``, ``np.mean([a, b])``, ``np.linalg.det([[1, r], [r, 1]])``.

At any other time the functions are NumPy's, and return its arrays.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as _numpy

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.filling import FilledArray, copied, followed, gathered, settled
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, tracing

__all__ = list(_numpy.__all__)

# Functions of a sequence of arrays, which need not have one shape.
_OF_SEQUENCES = {
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack",
    "select", "choose", "piecewise", "multi_dot", "lexsort",
}  # fmt: skip
# Functions of a shape or of plain numbers, whose result can be filled.
_MAKERS = {
    "zeros", "ones", "empty", "eye", "identity", "tri", "arange", "linspace", "logspace",
    "geomspace", "zeros_like", "ones_like", "empty_like", "full_like", "fromfunction",
}  # fmt: skip


class Function:
    """A function of NumPy that takes lists of traced values, and returns arrays that can be filled.

    Parameters
    ----------
    function : callable
        The function of NumPy.
    makes : bool
        Whether plain results can be filled.
    """

    def __init__(self, function: Callable[..., Any], makes: bool) -> None:
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__module__ = getattr(function, "__module__", None) or "numpy"
        self.__name__ = function.__name__
        self._makes = makes
        name = function.__name__
        self._takes = _parts_gathered if name in _OF_SEQUENCES else gathered
        if name == "block":  # of nested lists
            self._takes = settled

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not tracing.depth:
            return self.__wrapped__(*args, **kwargs)
        args = tuple(self._takes(x) if type(x) in (list, tuple) else x for x in args)
        for key, x in kwargs.items():
            if type(x) in (list, tuple):
                kwargs[key] = self._takes(x)
        result = self.__wrapped__(*args, **kwargs)
        return followed(result) if self._makes else result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        path = f"{self.__wrapped__.__module__}.{self.__name__}".split(".")[1:]
        return _function, (path if path[0] in ("linalg", "fft") else path[-1:],)


class Namespace(types.ModuleType):
    """A module of NumPy with such functions.

    Parameters
    ----------
    module : module
        The module of NumPy.
    """

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(f"{__name__}.{module.__name__.rpartition('.')[2]}", module.__doc__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = _wrapped(getattr(self._module, name))
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return dir(self._module)


def _wrapped(value: Any) -> Any:
    if isinstance(value, type) or not callable(value) or not hasattr(value, "__name__"):
        return value
    return Function(value, value.__name__ in _MAKERS and value.__module__ == "numpy")


def _function(path: list[str]) -> Any:
    """The function at a path in this module, for pickle."""
    found: Any = globals().get(path[0]) or __getattr__(path[0])
    return found if len(path) == 1 else getattr(found, path[1])


def _parts_gathered(x: Any) -> Any:
    """A sequence of arrays, with each of them an array."""
    return type(x)(map(gathered, x))


def __getattr__(name: str) -> Any:
    found = _wrapped(getattr(_numpy, name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_numpy)})


linalg = Namespace(_numpy.linalg)
fft = Namespace(_numpy.fft)


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, **kwargs: Any) -> Any:
    """``numpy.array``, also of traced values; the result can be filled."""
    if not tracing.depth:
        return _numpy.array(object, dtype, copy=copy, **kwargs)
    found = gathered(object)
    if not isinstance(found, Traced):
        made = _numpy.array(found, dtype, copy=copy, **kwargs)
        shared = isinstance(object, _numpy.ndarray) and _numpy.may_share_memory(made, object)
        return made if shared else followed(made)
    if dtype is not None and _numpy.dtype(dtype) != constant(found).dtype:
        found = found.astype(dtype)  # type: ignore[attr-defined]
    missing = kwargs.get("ndmin", 0) - _numpy.ndim(found)
    if missing > 0:
        found = _numpy.reshape(found, (1,) * missing + _numpy.shape(found))
    order: Any = kwargs.get("order") or "K"
    if found is object:
        like = found.positions if isinstance(found, FilledArray) else constant(found)
        if copy or not _numpy.may_share_memory(_numpy.asarray(like, order=order), like):
            return copied(found, order)
    return found


def asarray(a: Any, dtype: Any = None, order: Any = None, **kwargs: Any) -> Any:
    """``numpy.asarray``, also of traced values; what is an array already stays as it is."""
    return array(a, dtype, **{"copy": None, "order": order, **kwargs})


def full(shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.full``, also of traced values; the result can be filled."""
    value: Any = gathered(fill_value)
    if not isinstance(value, TracedArray):
        made = _numpy.full(shape, fill_value, dtype, **kwargs)
        return followed(made) if tracing.depth else made
    dtype = constant(value).dtype if dtype is None else dtype
    filled = followed(_numpy.zeros(shape, dtype))
    if not isinstance(filled, FilledArray):
        return value.astype(dtype)
    filled[...] = value
    return filled


def ascontiguousarray(a: Any, dtype: Any = None) -> Any:
    """``numpy.ascontiguousarray``, also of traced values."""
    return asarray(a, dtype, order="C")


def asfortranarray(a: Any, dtype: Any = None) -> Any:
    """``numpy.asfortranarray``, also of traced values."""
    return asarray(a, dtype, order="F")


asanyarray = asarray


def fromiter(iter: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
    """``numpy.fromiter``, also of traced values."""
    if not tracing.depth:
        return _numpy.fromiter(iter, dtype, count, **kwargs)
    return array(list(iter if count < 0 else itertools.islice(iter, count)), dtype)


def ndenumerate(arr: Any) -> Any:
    """``numpy.ndenumerate``, also of traced values."""
    if not isinstance(settled(arr), Traced):
        return _numpy.ndenumerate(arr)
    return ((index, arr[index]) for index in _numpy.ndindex(_numpy.shape(arr)))


class vectorize(_numpy.vectorize):
    """``numpy.vectorize``, also of traced values, for functions that return one number."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function for each entry."""
        given = [gathered(x) for x in args]
        if not any(isinstance(settled(x), Traced) for x in [*given, *kwargs.values()]):
            return super().__call__(*args, **kwargs)
        if kwargs or self.signature is not None or self.excluded:
            raise NoRuleError(
                "numpy.vectorize with signature=, excluded= or named arguments has no rule; loop."
            )
        shape = _numpy.broadcast_shapes(*map(_numpy.shape, given))
        spread = [_numpy.broadcast_to(x, shape) for x in given]
        found = array([self.pyfunc(*(x[i] for x in spread)) for i in _numpy.ndindex(shape)])
        return _numpy.reshape(found, shape)


class Joined:
    """``numpy.r_`` and ``numpy.c_``, also of traced values.

    Parameters
    ----------
    columns : bool
        Whether vectors are joined as columns.
    """

    def __init__(self, columns: bool) -> None:
        self._columns = columns

    def __getitem__(self, key: Any) -> Any:
        original = _numpy.c_ if self._columns else _numpy.r_
        parts = [gathered(part) for part in key] if isinstance(key, tuple) else [gathered(key)]
        if not any(isinstance(part, Traced) for part in parts):
            made = original[key]
            return followed(made) if tracing.depth else made
        if any(isinstance(part, str) for part in parts):
            raise NoRuleError("numpy.r_ and numpy.c_ with a text have no rule; use np.concatenate.")
        arrays = [original[part] if isinstance(part, slice) else part for part in parts]
        if self._columns:
            arrays = [x if _numpy.ndim(x) > 1 else _numpy.reshape(x, (-1, 1)) for x in arrays]
            return _numpy.concatenate(arrays, axis=-1)
        return _numpy.concatenate([_numpy.atleast_1d(x) for x in arrays])


r_, c_ = Joined(columns=False), Joined(columns=True)
