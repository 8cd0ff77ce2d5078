"""The work of `Expression.code` and of `Expression.compile` with a target."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.binding import (
    bind_sizes,
    known_names,
    refuse_unknown,
    require_indices,
)
from mcmodels.calculus.compute.compiled import CompiledFunction
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.compute.export.julia import JULIA
from mcmodels.calculus.compute.export.language import Language
from mcmodels.calculus.compute.export.matlab import MATLAB
from mcmodels.calculus.compute.export.python_languages import JAX, TORCH
from mcmodels.calculus.compute.export.r import R
from mcmodels.calculus.compute.export.writing import arguments_of, written
from mcmodels.calculus.core.nesting import refuses_depth
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.plain import np

if TYPE_CHECKING:
    from mcmodels.calculus.core.einsum_nodes import Lengths
    from mcmodels.calculus.core.expression import Expression
    from mcmodels.calculus.core.nodes import Symbol

__all__ = ["ExportedFunction", "code", "exported"]

_LANGUAGES: dict[str, Language] = {
    "jax": JAX,
    "torch": TORCH,
    "julia": JULIA,
    "matlab": MATLAB,
    "r": R,
}
_TARGETS = ("numpy", "jax", "torch")


def code(expression: Expression, language: str, dims: Lengths | None = None) -> str:
    """The work of `Expression.code`, and of that of a tensor, whose entries are given."""
    if language == "numpy":
        return CompiledFunction(expression, dims).standalone_source_for()
    if language == "latex":
        return expression.latex()
    if language not in _LANGUAGES:
        names = ", ".join(repr(name) for name in ("numpy", *_LANGUAGES, "latex"))
        raise ValueError(f"the language of code() is one of {names}; found {language!r}")
    return written(expression, _LANGUAGES[language], dims)


def exported(expression: Expression, target: str, dims: Lengths | None = None) -> ExportedFunction:
    """The work of `Expression.compile` for other targets than NumPy."""
    if target not in _TARGETS:
        names = ", ".join(repr(name) for name in _TARGETS)
        raise ValueError(f"the target of compile() is one of {names}; found {target!r}")
    return ExportedFunction(expression, target, dims)


class ExportedFunction:
    """A function of JAX arrays or PyTorch tensors that computes the value of an expression.

    It may be differentiated, vectorised and compiled further by the library (``jax.jit``,
    ``torch.compile``). It computes in the precision of what it is given; what is no tensor is
    taken as float64, which JAX keeps only where ``jax_enable_x64`` is set. It trusts what is
    declared of symbols.

    Parameters
    ----------
    expression : Expression
    target : {"jax", "torch"}
    dims : Lengths, optional
        The shape of the tensor whose entries it is.

    Attributes
    ----------
    expression : Expression
        What it computes.
    target : str
    arguments : tuple of str
        Names of the symbols, and of sizes that no symbol tells.
    source : str
        The code.
    """

    def __init__(self, expression: Expression, target: str, dims: Lengths | None = None) -> None:
        self.expression = expression
        self.target = target
        self._dims = dims
        self.source = written(expression, _LANGUAGES[target], dims)
        self.arguments = tuple(arguments_of(expression))
        self._library = _imported(target)
        namespace: dict[str, Any] = {}
        # The source is written from nodes and from names that `symbols` has checked.
        exec(compile(self.source, "<mcmodels.calculus>", "exec"), namespace)
        self._function = namespace["f"]
        ordered = sorted(expression.used, key=lambda symbol: symbol.name)
        self._symbols = {symbol.name: symbol for symbol in ordered}
        self._known = known_names(expression)

    def __repr__(self) -> str:
        return f"compiled f({', '.join(self.arguments)}) = {self.expression!r} for {self.target}"

    def __reduce__(self) -> Any:
        return ExportedFunction, (self.expression, self.target, self._dims)

    @refuses_depth
    def __call__(self, /, **values: Any) -> Any:
        """The value.

        Parameters
        ----------
        **values : array, tensor, float or array-like
            Every symbol by name, and sizes that no symbol tells.

        Returns
        -------
        jax.Array or torch.Tensor
            Of the shape of the expression.

        Raises
        ------
        ValueError
            If a name is missing or does not occur, a shape does not fit (`ShapeError`), or the
            value is not finite (`EvaluationError`; not inside ``jax.jit``, which gives NaN).
        """
        if not values.keys() <= self._known:
            refuse_unknown(self.expression, values)
        values = self._told(values) | values
        for name in self.arguments:
            if name not in values:
                raise ValueError(f"no value for {name!r}; it takes {', '.join(self.arguments)}")
        arrays = self._arrays(values)
        self._require_shapes(arrays)
        try:
            result = self._function(*arrays.values())
            result = float(result) if isinstance(result, int) else result
        except OverflowError:  # a whole number that no float64 is
            raise self._not_finite() from None
        if self.target == "jax":
            result = self._library.numpy.asarray(result, dtype=float)
            traced = isinstance(result, self._library.core.Tracer)
            finite = traced or bool(self._library.numpy.isfinite(result).all())
        else:
            result = self._library.as_tensor(result)
            finite = bool(self._library.isfinite(result).all())
        if not finite:
            raise self._not_finite()
        return result

    def _not_finite(self) -> EvaluationError:
        return EvaluationError(
            f"{self.expression} is not finite here; evaluate() tells which part of it"
        )

    def _told(self, values: dict[str, Any]) -> dict[str, int]:
        """Sizes that symbols of the function that was differentiated tell."""
        return {
            size.names[0]: np.shape(values[symbol.name])[axis]
            for symbol in self.expression.context
            if symbol.name in values
            and symbol.name not in self._symbols
            and len(np.shape(values[symbol.name])) == len(symbol.shape)
            for axis, size in enumerate(symbol.axes[: len(symbol.shape)])
            if size.is_name
        }

    def _arrays(self, values: dict[str, Any]) -> dict[str, Any]:
        """Arrays of the library; numbers take the kind of the tensors beside them."""
        if self.target == "jax":
            number = self._library.numpy.asarray
            return {n: number(values[n], dtype=float) if n in self._symbols else values[n]
                    for n in self.arguments}  # fmt: skip
        torch = self._library
        given = [value for value in values.values() if isinstance(value, torch.Tensor)]
        like: dict[str, Any] = {"dtype": torch.float64}
        if given:
            like = {"dtype": given[0].dtype, "device": given[0].device}
        return {
            name: values[name]
            if name not in self._symbols or isinstance(values[name], torch.Tensor)
            else torch.as_tensor(np.asarray(values[name], dtype=float), **like)
            for name in self.arguments
        }

    def _require_shapes(self, arrays: dict[str, Any]) -> None:
        given = {name: value for name, value in arrays.items() if name not in self._symbols}
        sizes = bind_sizes({}, given)
        for name, symbol in self._symbols.items():
            shape = tuple(arrays[name].shape)
            dimensions = symbol.axes[: len(symbol.shape)]
            fits = len(shape) == len(dimensions)
            for size, length in zip(dimensions, shape, strict=False):
                if size.is_name:
                    fits = fits and sizes.setdefault(size.names[0], length) == length
            if not fits:
                raise ShapeError(_clash(symbol, shape, sizes))
        for name, symbol in self._symbols.items():
            shape = tuple(arrays[name].shape)
            dimensions = symbol.axes[: len(shape)]
            if shape != tuple(size.value(sizes) for size in dimensions):
                raise ShapeError(_clash(symbol, shape, sizes))
        require_indices(self.expression, sizes)


def _clash(symbol: Symbol, shape: tuple[int, ...], sizes: dict[str, int]) -> str:
    known = ", ".join(f"{name} = {sizes[name]}" for name in symbol.size_names if name in sizes)
    where = f", where {known}" if known else ""
    return f"{symbol.name!r} is {symbol.described()}; found shape {shape}{where}"


def _imported(target: str) -> Any:
    try:
        return importlib.import_module(target)
    except ImportError as error:
        raise ImportError(
            f"compile(target={target!r}) needs {target}: pip install {target}.", name=target
        ) from error
