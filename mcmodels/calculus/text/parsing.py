"""Expressions from text, which is parsed and never run as code."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

from mcmodels.calculus.core import choices, functions, operators
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    power,
    scale,
    shape_text,
    size_value,
    transpose,
)
from mcmodels.calculus.core.broadcasting import broadcast_all
from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Number, Ones, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.core.summation import mean_over, sum_over
from mcmodels.calculus.core.symbols import scalar
from mcmodels.calculus.core.tensors import Tensor, shaped
from mcmodels.calculus.text.algebra import Found
from mcmodels.calculus.text.arguments import Index as Position
from mcmodels.calculus.text.declarations import is_declared_as_column, symbol
from mcmodels.calculus.text.index_calls import Place
from mcmodels.calculus.text.interpretation import interpret
from mcmodels.calculus.text.reading import read
from mcmodels.calculus.text.syntax import ParseError, Source

__all__ = ["ParseError", "parse"]


_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def parse(text: str, /, **shapes: Any) -> Any:
    """Read an expression from text, as Python and NumPy write it.

    The text is taken apart by its grammar and never run as Python code, so that it may come from
    anywhere. It may hold names, numbers, ``+ - * / @ **``, ``.T``, ``x[i]``, ``x[i:j]``,
    ``X[i, j]``, ``X[i, :]``, ``X[:, j]`` and the functions of `mcmodels.calculus`; also ``x'`` and
    ``x^T`` for a transpose, ``X^-T`` for that of an inverse, ``^`` for a power of anything but a
    square matrix, and ``T(x)``. ``sum(f, i)`` sums over an index, which stands in brackets, as in
    ``y[i]`` and ``X[i]`` (a row, as a vector); ``sum(f, i, j, where=t[j] >= t[i])`` over several,
    and so does Python's ``sum(f for i in range(n))``. Calls, stacks and sizes may be written as in
    NumPy: ``np.square(x)``, ``np.c_[X, y]``, ``len(y)``, ``X.shape[1]``, ``x[:, None]``.

    A name that is not declared is a size if it is used as one, in a declaration or as in
    ``eye(n)``; ``pi`` and ``e`` are the numbers; else, if it starts with a small letter, it is a
    scalar (a whole number where it is the exponent of a `matrix_power`).
    ``parse(str(f), **{x.name: x for x in f.symbols})`` gives ``f`` again.

    Parameters
    ----------
    text : str
    **shapes : int, str, tuple or Expression
        Of each name: a size for a vector, two sizes for a matrix, more for a tensor, ``()`` or
        ``"scalar"`` for a scalar, text such as ``"n,n:symmetric"`` (or ``positive_definite``,
        ``diagonal``, ``lower_triangular``, ``upper_triangular``, ``orthogonal``,
        ``n:probability``, ``scalar:integer``), or a symbol of that name.

    Returns
    -------
    Expression or Tensor

    Raises
    ------
    ParseError
        If the text is no expression; the message says where and why.
    ShapeError
        If shapes do not fit together, or a declaration is none.

    Examples
    --------
    >>> from mcmodels.calculus import parse
    >>> f = parse("x.T @ A @ x + c * sum(exp(x))", x="n", A=("n", "n"))
    >>> f
    xᵀAx + c sum(exp(x))
    >>> print(f)
    x.T @ A @ x + c * sum(exp(x))
    """
    symbols = {name: symbol(name, shape) for name, shape in shapes.items()}
    columns = [name for name, shape in shapes.items() if is_declared_as_column(shape)]
    sizes = frozenset(size for made in symbols.values() for size in made.size_names)
    scalars = frozenset(name for name, made in symbols.items() if made.is_scalar)
    source = read(text, sizes | symbols.keys(), scalars)
    for name in sorted(source.indices & (sizes | symbols.keys())):
        source.refuse(f"{name!r} is declared, and cannot be the index of a sum; use another", name)
    for name in sorted(sizes | source.sizes):
        if name in symbols:
            raise ShapeError(
                f"the name {name!r} stands for a size and for a symbol, "
                f"{symbols[name].described()}; rename one"
            )
    algebra = _Expressions(source, symbols, sizes | source.sizes)
    result = interpret(source, algebra, columns)
    if isinstance(result, Tensor) or algebra.met <= result.known:
        return result
    return result.within(result.known | algebra.met)


class _Expressions:
    """The algebra of expressions."""

    def __init__(self, source: Source, symbols: dict[str, Symbol], sizes: frozenset[str]) -> None:
        self.source, self.symbols, self.sizes = source, symbols, sizes
        self.open: dict[str, Index] = {}  # indices of the sums around
        self.met: frozenset[Symbol] = frozenset()  # also those that cancel, or are only counted

    def number(self, value: int | float) -> Expression:
        return number(value)

    def name(self, name: str) -> Any:
        if name in self.open:
            return self.open[name]
        if name in self.source.indices:
            self.source.refuse(f"the index {name} stands outside of its sum", name)
        if name in self.symbols:
            symbol = self.symbols[name]
            self.met |= {symbol}
            return shaped(symbol, symbol.dims) if isinstance(symbol, TensorSymbol) else symbol
        if name in self.sizes:
            return size_value(Size.of(name))
        if name in NAMED_NUMBERS:
            return NAMED_NUMBERS[name]
        if name[0].isupper():
            advice = ", or write eye(n) for the identity" if name == "I" else ""
            self.source.refuse(
                f'{name!r} is not declared; give its shape, as in {name}=("m", "n"){advice}', name
            )
        undeclared = scalar(name, integer=name in self.source.exponents)
        self.met |= undeclared.used
        return undeclared

    def total(self, terms: list[tuple[bool, Any]]) -> Any:
        if any(isinstance(term, Tensor) for _, term in terms):
            return reduce(operator.add, (-term if below else term for below, term in terms))
        signed = [scale(-1, term) if negative else term for negative, term in terms]
        array = next((term for term in signed if term.is_array), None)
        if array is None:
            return add(signed)
        if len({(term.rows, term.cols) for term in signed if term.is_array}) > 1:
            return broadcast_all("+", signed, add)
        # Python adds from left to right: scalars in front are added up before they are filled in.
        first = signed.index(array)
        front = [add(signed[:first])] if first > 1 else signed[:first]
        ones = Ones(array.rows, array.cols)
        summands = [*front, *signed[first:]]
        return add(scale(term, ones) if term.is_scalar else term for term in summands)

    def multiple(self, factors: list[tuple[bool, Any]]) -> Any:
        if any(isinstance(factor, Tensor) for _, factor in factors):
            (_, value), *others = factors  # the first is divided by nothing
            for below, factor in others:
                value = value / factor if below else value * factor
            return value
        raised = [power(factor, number(-1)) if below else factor for below, factor in factors]
        scalars = [factor for factor in raised if factor.is_scalar]
        arrays = [factor for factor in raised if factor.is_array]
        if len(arrays) > 1:
            arrays = [broadcast_all("* (elementwise)", arrays, hadamard)]
        return scale(*scalars, *arrays)

    def binary(self, sign: str, left: Any, right: Any) -> Any:
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            return left @ right if sign == "@" else left**right
        if sign == "@":
            try:
                return operators.matmul(left, right)
            except ShapeError:
                for name in (e.name for e in (left, right) if isinstance(e, Symbol)):
                    if name not in self.symbols:
                        self.source.refuse(
                            f"{name!r} is not declared, and therefore a scalar; give its shape, as "
                            f'in {name}="n"',
                            name,
                        )
                raise
        if sign in ("^", "^-"):
            _require_one_meaning(left, right)
        return operators.power(left, right)

    def compared(self, sign: str, left: Any, right: Any) -> Any:
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            return _COMPARISONS[sign](left, right)
        return choices.compare(sign, left, right)

    def negative(self, value: Any) -> Any:
        return -value if isinstance(value, Tensor) else scale(-1, value)

    def transposed(self, value: Any) -> Any:
        return value.T if isinstance(value, Tensor) else transpose(value)

    def as_row(self, value: Any) -> Any:
        return self.transposed(value)

    def length(self, value: Any) -> Expression:
        return size_value(self.size_of(value, 0))

    def size_of(self, value: Any, less: int) -> Size:
        if isinstance(value, Tensor):
            return value.dims.of[0] - Size(less)
        if value.is_scalar:
            raise ShapeError(f"len takes an array; found {shape_text(value)} ({value})")
        self.met |= value.known
        return (value.rows - Size(less)).checked()

    def entry(self, value: Any, index: tuple[Position, ...]) -> Any:
        if isinstance(value, Tensor):
            return value[index]
        at = [self._position(part) if isinstance(part, Place) else part for part in index]
        return operators.entry(value, at[0] if len(at) == 1 else tuple(at))

    def _position(self, place: Place) -> Expression:
        found = self.name(place.name)
        if not isinstance(found, Index):
            message = f"expected a whole number here, or the index of a sum; found {place.name}"
            self.source.refuse(message, place.name)
        return add([found, number(place.shift)])

    def opened(self, name: str, over: Size | None, found: list[Found[Expression]]) -> Any:
        before = dict(self.open)
        self.met = self.met.union(*(array.known for array, _, _ in found))
        ends = [_length(array, axis, name) - Size(shift) for array, axis, shift in found]
        self.open[name] = Index(name, _smallest(name, ends) if over is None else over)
        return before

    def closed(self, before: Any) -> None:
        self.open = before

    def summed(
        self, body: Expression, condition: Expression | None, names: tuple[str, ...], is_mean: bool
    ) -> Expression:
        indices = [self.open[name] for name in names]
        if is_mean:
            return mean_over(body, *indices)
        return sum_over(body, *indices, where=condition)

    def call(self, function: str, arguments: list[Any], axis: int | None) -> Any:
        arguments = [self._position(a) if isinstance(a, Place) else a for a in arguments]
        first = arguments[0] if arguments else None
        if axis in (0, -1) and _is_vector(first):
            axis = None  # the only one that a vector has
        options = {} if axis is None else {"axis": axis}
        return getattr(functions, function)(*arguments, **options)


def _length(array: Expression, axis: int, name: str) -> Size:
    if array.is_scalar:
        remedy = f'; declare it, as in {array}="n"' if isinstance(array, Symbol) else ""
        raise ShapeError(f"a scalar has no entries; found {array}[{name}]{remedy}")
    return array.cols if axis else array.rows


def _smallest(name: str, ends: list[Size]) -> Size:
    """Over what an index runs: to the end of the shortest array at which it stands."""
    if not ends:
        raise ShapeError(
            f"nothing tells over what the index {name} runs; write entries at it as y[{name}], or "
            f"sum(…, {name}, over=n)"
        )
    for end in ends:
        gaps = [(other - end).number for other in ends]
        if all(gap is not None and gap >= 0 for gap in gaps):
            return end
    sizes = " and ".join(sorted({str(end) for end in ends}))
    raise ShapeError(
        f"the index {name} stands at arrays of {sizes}; write over= for where it ends, or declare "
        "one size"
    )


def _require_one_meaning(base: Expression, exponent: Expression) -> None:
    """Refuse ``A^k`` of a square matrix: mathematics multiplies matrices, NumPy's ** entries."""
    if base.is_array and exponent.is_array:
        raise ValueError(
            f"an exponent must be a scalar; found {exponent}. For a transpose write .T"
        )
    if base.is_array and base.is_square:
        remedy, meaning = _of_matrix(base, exponent)
        raise ValueError(
            f"^ of a square matrix may mean two things: write {remedy} for the {meaning}, ** for "
            "the power of each entry"
        )


def _of_matrix(base: Expression, exponent: Expression) -> tuple[str, str]:
    """The power of a matrix, as it is written here, and its name."""
    value = exponent.value if isinstance(exponent, Number) else None
    if value == -1:
        return f"inv({base})", "inverse"
    if value == 0.5:
        return f"sqrtm({base})", "square root of the matrix"
    if value == -0.5:
        return f"inv(sqrtm({base}))", "inverse of the square root of the matrix"
    if value is not None and value != int(value):
        return f"expm({exponent} * logm({base}))", "power of the matrix"
    return f"matrix_power({base}, {exponent})", "power of the matrix"


def _is_vector(value: Any) -> bool:
    return isinstance(value, Expression) and value.is_column and value.is_array
