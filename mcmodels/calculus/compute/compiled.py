"""Compiled expressions: a Python function of arrays, written for the sizes it is called with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.binding import (
    Array,
    bind,
    bind_sizes,
    known_names,
    real_numbers,
    refuse_unknown,
    require_indices,
    require_shapes,
    require_whole,
)
from mcmodels.calculus.compute.code_form import code_form, may_hide_overflow
from mcmodels.calculus.compute.compiling.functions import UNCHOSEN
from mcmodels.calculus.compute.compiling.writing import write_function
from mcmodels.calculus.compute.evaluate import EvaluationError, evaluate
from mcmodels.calculus.core.nesting import refuses_depth
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.text.printing import mathematics, tensor_mathematics
from mcmodels.plain import np

if TYPE_CHECKING:
    from mcmodels.calculus.core.einsum_nodes import Lengths
    from mcmodels.calculus.core.expression import Expression
    from mcmodels.calculus.core.nodes import Symbol

__all__ = ["CompiledFunction"]

# NumPy's error state belongs to a context, and to run in one takes less time than `np.errstate`.
_QUIET, _REFUSING = Context(), Context()
_QUIET.run(np.seterr, all="ignore")
_REFUSING.run(np.seterr, all="ignore", over="raise")
_USUAL_SIZE = 100  # of a symbolic size, for the source that is shown before any call


class CompiledFunction:
    """A function of arrays that computes the value of an expression.

    Common parts are computed once, matrix products in the cheapest order for the sizes at hand, a
    diagonal matrix scales rows, an inverse is a solve, and XᵀDX is a symmetric product. The
    function is written anew for each combination of sizes, and kept.

    Call it with the values of the symbols by name: float64 arrays are used as they are. It trusts
    what is declared (a symmetric matrix is not checked for symmetry).

    Parameters
    ----------
    expression : Expression
    dims : Lengths, optional
        The shape of the tensor whose entries it is.

    Attributes
    ----------
    expression : Expression
        What it computes.
    arguments : tuple of str
        Names of the symbols, and of sizes that no symbol tells.
    source : str
        The code, for sizes of 100; `source_for` shows it for others.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, sigmoid, softplus, sum, vector
    >>> X, w = matrix("X", "n", "p"), vector("w", "p")
    >>> hessian = sum(softplus(X @ w)).hessian(w).compile()
    >>> print(hessian.source)
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def f(X, w):
        t1 = X @ w
        t2 = (0.5 / np.cosh(np.minimum(np.abs(0.5 * t1), 700)))[:, np.newaxis] * X
        return t2.T @ t2
    <BLANKLINE>
    """

    def __init__(self, expression: Expression, dims: Lengths | None = None) -> None:
        self.expression = expression
        self._dims = dims
        self._symbols = sorted(expression.used, key=lambda symbol: symbol.name)
        told = {size.names[0] for symbol in self._symbols for size in symbol.axes if size.is_name}
        self._untold = sorted(expression.size_names - told)
        self.arguments = (*(symbol.name for symbol in self._symbols), *self._untold)
        self._named = [
            (symbol.name, symbol, "integer" in symbol.declared) for symbol in self._symbols
        ]
        self._functions: dict[tuple[int, ...], Callable[..., Any]] = {}
        self._size_names = sorted(expression.size_names)
        self._known = known_names(expression)
        self._is_scalar = expression.is_scalar
        self._may_hide_overflow = False  # known when the code is written

    def __repr__(self) -> str:
        shown = mathematics if self._dims is None else tensor_mathematics
        return f"compiled f({', '.join(self.arguments)}) = {shown(self.expression)}"

    @property
    def source(self) -> str:
        """The code for sizes of 100."""
        return self.source_for(**dict.fromkeys(self._size_names, _USUAL_SIZE))

    @refuses_depth
    def source_for(self, /, **sizes: int) -> str:
        """The code for given sizes.

        Parameters
        ----------
        **sizes : int
            Every symbolic size by name.

        Returns
        -------
        str
            Of a module with one function ``f`` of `arguments`, which imports what it needs.

        Raises
        ------
        ShapeError
            If a size is missing.
        """
        return self._written(sizes, flattens=False)

    @refuses_depth
    def standalone_source_for(self, /, **sizes: int) -> str:
        """The code for given sizes, to be run elsewhere: it takes vectors as n×1, too.

        A call checks the shapes of its arrays; code alone would repeat a column along the rows.

        Parameters
        ----------
        **sizes : int
            Those that are not given are 100.

        Returns
        -------
        str
        """
        usual = dict.fromkeys(self._size_names, _USUAL_SIZE)
        return self._written(usual | sizes, flattens=True)

    def _written(self, sizes: Mapping[str, int], flattens: bool) -> str:
        missing = [name for name in self._size_names if name not in sizes]
        if missing:
            raise ShapeError(f"no value for the size {missing[0]!r}; give it as {missing[0]}=…")
        refuse_unknown(self.expression, sizes)
        arguments = list(self.arguments)
        return write_function(self.expression, arguments, sizes, self._dims, flattens=flattens)

    @refuses_depth
    def __call__(self, /, **values: Any) -> Any:
        """The value.

        Parameters
        ----------
        **values : float or array-like
            Every symbol by name, and sizes that no symbol tells. A derivative also takes the
            symbols of its function that it does not contain.

        Returns
        -------
        float or ndarray of float64
            Of the shape of the expression.

        Raises
        ------
        ValueError
            If a name is missing or does not occur, a shape does not fit (`ShapeError`), or the
            value is not finite (`EvaluationError`).
        numpy.linalg.LinAlgError
            If a matrix is singular.
        """
        try:
            arrays = [
                value
                if type(value := values[name]) is np.ndarray
                and value.dtype == np.float64
                and not whole
                else _as_floats(symbol, value)
                for name, symbol, whole in self._named
            ]
            counts = [self._count(name, values) for name in self._untold]
            if not values.keys() <= self._known:
                refuse_unknown(self.expression, values)
        except KeyError as error:
            raise ValueError(
                f"no value for {error.args[0]!r}; it takes {', '.join(self.arguments)}"
            ) from None
        shapes = (*(array.shape for array in arrays), *counts)
        function = self._functions.get(shapes)
        if function is None:
            function = self._functions[shapes] = self._compiled(arrays, counts)
        try:
            if self._may_hide_overflow:
                # Products of float64 numbers say when they overflow; those of floats do not.
                given: list[Any] = [array if array.ndim else array[()] for array in arrays]
                result = _REFUSING.copy().run(function, *given, *counts)
            else:
                given = [array if array.ndim else float(array) for array in arrays]
                result = _QUIET.copy().run(function, *given, *counts)
        except ArithmeticError:  # what has overflowed may be finite in another form
            return self._in_wide_range(values)
        if self._is_scalar:
            try:
                found = float(result)
            except OverflowError:  # a whole number that no float64 is
                return self._in_wide_range(values)
            return found if math.isfinite(found) else self._in_wide_range(values)
        # A sum that is finite has finite terms; a sum that is not may have overflowed.
        if not math.isfinite(np.add.reduce(result, axis=None)) and not np.isfinite(result).all():
            return self._in_wide_range(values)
        # A change of the result must not change the arguments.
        own = result.flags.owndata and not any(result is array for array in arrays)
        if own or not any(np.may_share_memory(result, array) for array in arrays):
            return result
        return result.copy()

    def _in_wide_range(self, values: Mapping[str, Any]) -> Any:
        """The value where the code overflows: part by part, and by exponents of any size."""
        try:
            result = evaluate(self.expression, values)
        except ValueError as error:
            raise EvaluationError("{} is not finite here: {}", self.expression, error) from None
        if self._dims is None:
            return result
        _, sizes = bind(self.expression, values)
        return np.reshape(result, [size.value(sizes) for size in self._dims.of])

    def _count(self, name: str, values: Mapping[str, Any]) -> Any:
        """A size that no symbol determines: given, or from a symbol of the original function."""
        if name in values:
            return values[name]
        for symbol in self.expression.context:
            for axis, size in enumerate(symbol.axes):
                if symbol.name in values and str(size) == name:
                    return np.shape(values[symbol.name])[axis]
        raise KeyError(name)

    def _compiled(self, arrays: list[Array], counts: list[Any]) -> Callable[..., Any]:
        sizes = self._sizes(arrays, dict(zip(self._untold, counts, strict=True)))
        namespace: dict[str, Any] = {}
        source = write_function(self.expression, list(self.arguments), sizes, self._dims)
        self._may_hide_overflow = may_hide_overflow(code_form(self.expression))
        source = source.replace(f"{UNCHOSEN}\n", "")  # of `_QUIET`, which takes less time
        # The source is written from nodes and from names that `symbols` has checked.
        exec(compile(source, "<mcmodels.calculus>", "exec"), namespace)
        return namespace["f"]

    def _sizes(self, arrays: list[Array], given: Mapping[str, Any]) -> dict[str, int]:
        matrices = {}
        for symbol, array in zip(self._symbols, arrays, strict=True):
            if array.ndim != len(symbol.shape):
                raise ShapeError(
                    f"{symbol.name!r} is {symbol.described()}; found shape {array.shape}"
                )
            matrices[symbol] = array.reshape(-1, 1) if array.ndim < 2 else array
        sizes = bind_sizes(matrices, given)
        require_shapes(matrices, sizes)
        require_indices(self.expression, sizes)
        return sizes


def _as_floats(symbol: Symbol, value: Any) -> Array:
    array = real_numbers(symbol, value)
    if "integer" in symbol.declared:
        require_whole(symbol, array)
    return array
