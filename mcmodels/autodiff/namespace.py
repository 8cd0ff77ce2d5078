"""What :mod:`mcmodels.autodiff.numpy` has in place of NumPy's functions.

The code is not in that module, whose names are NumPy's: its ``any`` is not Python's.
"""

from __future__ import annotations

import importlib
import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.filling import FilledArray, copied, followed, gathered, settled
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, tracing

_NAME = "mcmodels.autodiff.numpy"
# Functions of a sequence of arrays, which need not have one shape.
_OF_SEQUENCES = {
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack",
    "select", "choose", "piecewise", "multi_dot", "lexsort",
}  # fmt: skip
# Functions that make an array, of a shape or of plain arrays, which can be filled.
_MAKERS = {
    "zeros", "ones", "empty", "eye", "identity", "tri", "arange", "linspace", "logspace",
    "geomspace", "zeros_like", "ones_like", "empty_like", "full_like", "fromfunction", "copy",
    "diag", "diagflat", "tile", "repeat", "outer", "kron", "tril", "triu",
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
        """Call the function of NumPy."""
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
        super().__init__(f"{_NAME}.{module.__name__.rpartition('.')[2]}", module.__doc__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = wrapped(getattr(self._module, name))
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return dir(self._module)


def wrapped(value: Any) -> Any:
    """A function of NumPy as one that takes lists of traced values; anything else as it is."""
    if isinstance(value, type) or not callable(value) or not hasattr(value, "__name__"):
        return value
    return Function(value, value.__name__ in _MAKERS and value.__module__ == "numpy")


def _function(path: list[str]) -> Any:
    """The function at a path in this module, for pickle."""
    found: Any = importlib.import_module(_NAME)
    for part in path:
        found = getattr(found, part)
    return found


def _parts_gathered(x: Any) -> Any:
    """A sequence of arrays, with each of them an array."""
    return type(x)(map(gathered, x))


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, **kwargs: Any) -> Any:
    """``numpy.array``, also of traced values; the result can be filled."""
    if not tracing.depth:
        return np.array(object, dtype, copy=copy, **kwargs)
    found = gathered(object)
    if not isinstance(found, Traced):
        made = np.array(found, dtype, copy=copy, **kwargs)
        shared = isinstance(object, np.ndarray) and np.may_share_memory(made, object)
        return made if shared else followed(made)
    if dtype is not None and np.dtype(dtype) != constant(found).dtype:
        found = found.astype(dtype)  # type: ignore[attr-defined]
    missing = kwargs.get("ndmin", 0) - np.ndim(found)
    if missing > 0:
        found = np.reshape(found, (1,) * missing + np.shape(found))
    order: Any = kwargs.get("order") or "K"
    if found is object:
        like = found.positions if isinstance(found, FilledArray) else constant(found)
        if copy or not np.may_share_memory(np.asarray(like, order=order), like):
            return copied(found, order)
    return found


def asarray(a: Any, dtype: Any = None, order: Any = None, **kwargs: Any) -> Any:
    """``numpy.asarray``, also of traced values; what is an array already stays as it is."""
    return array(a, dtype, **{"copy": None, "order": order, **kwargs})


def full(shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.full``, also of traced values; the result can be filled."""
    value: Any = gathered(fill_value)
    if not isinstance(value, TracedArray):
        made = np.full(shape, fill_value, dtype, **kwargs)
        return followed(made) if tracing.depth else made
    dtype = constant(value).dtype if dtype is None else dtype
    filled = followed(np.zeros(shape, dtype))
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


def fromiter(iter: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
    """``numpy.fromiter``, also of traced values."""
    if not tracing.depth:
        return np.fromiter(iter, dtype, count, **kwargs)
    return array(list(iter if count < 0 else itertools.islice(iter, count)), dtype)


def ndenumerate(arr: Any) -> Any:
    """``numpy.ndenumerate``, also of traced values."""
    if not isinstance(settled(arr), Traced):
        return np.ndenumerate(arr)
    return ((index, arr[index]) for index in np.ndindex(np.shape(arr)))


class vectorize(np.vectorize):
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
        shape = np.broadcast_shapes(*map(np.shape, given))
        spread = [np.broadcast_to(x, shape) for x in given]
        found = array([self.pyfunc(*(x[i] for x in spread)) for i in np.ndindex(shape)])
        return np.reshape(found, shape)


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
        original = np.c_ if self._columns else np.r_
        parts = [gathered(part) for part in key] if isinstance(key, tuple) else [gathered(key)]
        if not any(isinstance(part, Traced) for part in parts):
            made = original[key]
            return followed(made) if tracing.depth else made
        if any(isinstance(part, str) for part in parts):
            raise NoRuleError("numpy.r_ and numpy.c_ with a text have no rule; use np.concatenate.")
        arrays = [original[part] if isinstance(part, slice) else part for part in parts]
        if self._columns:
            arrays = [x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in arrays]
            return np.concatenate(arrays, axis=-1)
        return np.concatenate([np.atleast_1d(x) for x in arrays])
