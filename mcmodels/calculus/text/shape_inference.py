"""Shapes of undeclared names, from how they are used: an equation for each operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, combinations, product
from operator import mul
from typing import Any

from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError, Size, half_of_square
from mcmodels.calculus.text.declarations import Declaration
from mcmodels.calculus.text.index_calls import Place
from mcmodels.calculus.text.interpretation import Found, interpret
from mcmodels.calculus.text.lengths import (
    ONE_LONG,
    Derived,
    Equations,
    Length,
    Variable,
    length_of,
    length_of_index,
    lengths_of_einsum,
    size_of,
    unknown,
)
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.syntax import Index, ParseError, Source, read
from mcmodels.calculus.text.uses import (
    OF_ARRAYS,
    exponents,
    ranks,
    rows_taken,
    untied,
    used_as_arrays,
)

__all__ = ["infer_symbols"]

_LETTERS = "mnpqrkstuvw"
_PAIRWISE = {"maximum", "minimum", "hypot", "clip", "where"}
_OF_SQUARES = {"eigvecsh"} | {
    f"{name}{rest}"
    for name in ("expm", "logm", "sqrtm")
    for rest in ("", "_frechet", "_frechet_matrix")
}
_OF_SQUARE = ("trace", "det", "logdet", "inv", "matrix_power", "tril", "triu", "vech")
_SCALARS = ("trace", "det", "logdet", "amax", "amin")
_ALONG = ("sum", "mean", "norm", "logsumexp")  # that take an axis, and all entries without
_MOST_RETRIED = 8  # names tried as scalars when shapes do not fit; combinations double with each


@dataclass(frozen=True)
class _Shape:
    rows: Length = ONE_LONG
    cols: Length = ONE_LONG
    loose: bool = field(default=False, kw_only=True)
    """Whether it is that of a name of which only the first letter tells that it is a vector."""
    axes: tuple[Length, ...] = field(default=(), kw_only=True)
    """Of a tensor, which is held as the vector of its entries: the lengths of its axes."""

    @property
    def is_scalar(self) -> bool:
        return self.rows.is_one and self.cols.is_one

    @property
    def is_column(self) -> bool:
        return self.cols.is_one

    @property
    def is_matrix(self) -> bool:
        return not (self.rows.is_one or self.cols.is_one)

    @property
    def lengths(self) -> tuple[Length, ...]:
        """The length of each axis."""
        if self.axes or self.is_scalar:
            return self.axes
        return (self.rows,) if self.is_column else (self.rows, self.cols)

    def __str__(self) -> str:
        if self.axes:
            return f"a tensor of {'×'.join(map(str, self.axes))}"
        if self.is_scalar:
            return "a scalar"
        if self.is_column:
            return f"a vector of {self.rows}"
        return f"a matrix of {self.rows}×{self.cols}"


def _of_axes(axes: Sequence[Length]) -> _Shape:
    if len(axes) <= 2:
        return _Shape(*axes)
    return _Shape(reduce(mul, axes), axes=tuple(axes))


class _CannotFit(ShapeError):
    """Shapes that do not fit under any declaration."""


class _Shapes:
    """The algebra of shapes."""

    def __init__(self, names: Mapping[str, _Shape], sizes: frozenset[str]) -> None:
        self.names, self.sizes = names, sizes
        self.equations = Equations()
        self.open: frozenset[str] = frozenset()  # indices of the sums around

    def number(self, value: int | float) -> _Shape:
        return _Shape()

    def name(self, name: str) -> _Shape:
        return _Shape() if name in self.sizes | self.open else self.names[name]

    def total(self, terms: list[tuple[bool, _Shape]]) -> _Shape:
        return reduce(self._sum, _matrices_first(terms))

    def multiple(self, factors: list[tuple[bool, _Shape]]) -> _Shape:
        return reduce(self._elementwise, _matrices_first(factors))

    def binary(self, operator: str, left: _Shape, right: _Shape) -> _Shape:
        if operator == "@":
            if left.is_column and right.is_column and not (left.is_scalar or right.is_scalar):
                raise _CannotFit("x @ y of two vectors; write x.T @ y for the scalar, or x @ y.T")
            self._require(left.cols, right.rows, f"{left} @ {right} does not fit")
            return _Shape(left.rows, right.cols)
        if not (right.is_scalar or left.is_scalar):
            raise ShapeError(f"an exponent must be a scalar; found {right}")
        if operator == "^-" and not (left.is_column or left.rows.is_one):
            self.equations.equate(left.rows, left.cols)  # an inverse is meant, if it can be
        return left if right.is_scalar else right

    def compared(self, operator: str, left: _Shape, right: _Shape) -> _Shape:
        return self._elementwise(left, right, operator)

    def negative(self, value: _Shape) -> _Shape:
        return value

    def transposed(self, value: _Shape) -> _Shape:
        return _Shape(value.cols, value.rows)

    def entry(self, value: _Shape, index: tuple[Index, ...]) -> _Shape:
        if len(index) == 1 and isinstance(index[0], Place) and not value.is_column:
            return _Shape(value.cols)
        if value.is_scalar or value.is_column != (len(index) == 1):
            raise ShapeError(f"write x[i] for a vector, X[i, j] for a matrix; found {value}")
        rows = length_of_index(index[0], value.rows)
        if len(index) == 1:
            return _Shape(rows)
        cols = length_of_index(index[1], value.cols)
        # X[i, :] is a vector, X[i : i + 1, :] a row.
        return _Shape(rows, cols) if isinstance(index[0], slice) else _Shape(cols)

    def opened(self, name: str, over: Size | None, found: list[Found[_Shape]]) -> Any:
        before = self.open
        self.open = before | {name}
        ends = [array.cols if axis else array.rows for array, axis, _ in found]
        for end in ends[1:] if over is None else []:
            self._require(ends[0], end, f"the index {name} stands at {ends[0]} and {end} entries")
        return before

    def closed(self, before: Any) -> None:
        self.open = before

    def summed(
        self, body: _Shape, condition: _Shape | None, names: tuple[str, ...], is_mean: bool
    ) -> _Shape:
        return body

    def call(self, function: str, arguments: list[Any], axis: int | None) -> _Shape:
        if function == "einsum":
            lengths = [shape.lengths for shape in arguments[1:]]
            return _of_axes(lengths_of_einsum(arguments[0], lengths, self._require))
        if function in ("hstack", "vstack"):
            return self._stacked(function, arguments[0], 1 if function == "hstack" else 0)
        if function == "block":
            lines = [self._stacked(function, row, 1) for row in arguments[0]]
            return self._stacked(function, lines, 0)
        shapes = [given for given in arguments if isinstance(given, _Shape)]
        sizes = [length_of(given) for given in arguments if isinstance(given, Size)]
        if not shapes:
            return self._constant(function, sizes)
        x = shapes[0]
        if function in _PAIRWISE:
            return reduce(self._elementwise, shapes)
        if function in _OF_SQUARES:
            for shape in shapes:
                self._require(shape.rows, shape.cols, f"{function} needs square matrices")
                self._require(x.rows, shape.rows, f"{function} needs matrices of one size")
            return _Shape(x.rows * x.rows, x.rows * x.rows) if "matrix" in function else x
        if function == "eigvalsh":
            self._require(x.rows, x.cols, f"eigvalsh needs a square matrix; found {x}")
            return _Shape(x.rows)
        if function == "reciprocal_gaps":
            self._require(x.cols, ONE_LONG, f"reciprocal_gaps takes a vector; found {x}")
            return _Shape(x.rows, x.rows)
        if function == "pinv":
            return _Shape(x.cols, x.rows)
        if function == "solve":
            self._require(x.rows, x.cols, f"solve needs a square matrix; found {x}")
            self._require(x.rows, shapes[1].rows, f"solve of {x} and {shapes[1]} does not fit")
            return shapes[1]
        if function in _OF_SQUARE or (function == "diag" and not x.is_column):
            self._require(x.rows, x.cols, f"{function} needs a square matrix; found {x}")
        if x.axes and axis is not None and function in ("softmax", "logsumexp"):
            return x if function == "softmax" else self._without(x, axis)
        if function in ("trace", "det", "logdet", "amax", "amin") or (
            function in _ALONG and axis is None
        ):
            return _Shape()
        if function in _ALONG:
            return _Shape(x.rows if axis in (1, -1) else x.cols)
        if function == "vech":
            return self._lengths_of_halves(x.rows)
        if function == "diag":
            return _Shape(x.rows, x.rows) if x.is_column else _Shape(x.rows)
        if function == "vec":
            return _Shape(x.cols * x.rows)
        if function == "unvec":
            m, n = sizes
            self._require(x.rows, n * m, f"unvec to {m}×{n} needs a vector of {n * m}; found {x}")
            return _Shape(m, n)
        if function == "kron":
            y = shapes[1]
            return _Shape(x.rows * y.rows, x.cols * y.cols)
        if function in ("block_sum", "block_trace"):
            return self._blocks(function, x, shapes[1])
        return x

    def _without(self, x: _Shape, axis: int) -> _Shape:
        """The shape of a tensor without one axis, which `parse` requires to be there."""
        place = axis % len(x.axes)
        return _of_axes([*x.axes[:place], *x.axes[place + 1 :]])

    def _stacked(self, function: str, blocks: list[_Shape], axis: int) -> _Shape:
        for block in blocks[1:]:
            message = f"{function} of {blocks[0]} and {block} does not fit"
            if axis:
                self._require(blocks[0].rows, block.rows, message)
            else:
                self._require(blocks[0].cols, block.cols, message)
        lengths = tuple(block.cols if axis else block.rows for block in blocks)
        total = Length(1, (Derived(lengths, Size(0)),)).resolved()
        return _Shape(blocks[0].rows, total) if axis else _Shape(total, blocks[0].cols)

    def _constant(self, function: str, sizes: list[Length]) -> _Shape:
        if function == "eye":
            return _Shape(sizes[0], sizes[0])
        if function == "commutation":
            return _Shape(sizes[0] * sizes[1], sizes[1] * sizes[0])
        if function == "diagonal_selection":
            return _Shape(sizes[0] * sizes[0], sizes[0])
        if function in ("duplication", "elimination"):
            half = self._lengths_of_halves(sizes[0]).rows
            square = sizes[0] * sizes[0]
            return _Shape(square, half) if function == "duplication" else _Shape(half, square)
        return _Shape() if function == "size" else _Shape(*sizes)

    def _lengths_of_halves(self, n: Length) -> _Shape:
        if not n.is_told:
            return _Shape(unknown())
        return _Shape(length_of(half_of_square(size_of(n))))

    def _blocks(self, function: str, whole: _Shape, given: _Shape) -> _Shape:
        other = _Shape(unknown(), unknown())
        outer, inner = (given, other) if function == "block_sum" else (other, given)
        message = f"{function} of {whole} and {given} does not fit"
        self._require(whole.rows, outer.rows * inner.rows, message)
        self._require(whole.cols, outer.cols * inner.cols, message)
        return other

    def _sum(self, left: _Shape, right: _Shape) -> _Shape:
        return self._elementwise(left, right, "+")

    def _elementwise(self, left: _Shape, right: _Shape, operator: str = "*") -> _Shape:
        if left.is_scalar or right.is_scalar:
            return right if left.is_scalar else left
        message = f"{left} {operator} {right} does not fit"
        if left.axes and len(left.axes) == len(right.axes):
            for mine, theirs in zip(left.axes, right.axes, strict=True):
                self._require(mine, theirs, message)
            return left
        if operator == "*":
            message += "; * works entry by entry, @ is the matrix product"
        matrices = [shape for shape in (left, right) if shape.is_matrix]
        if len(matrices) == 1:
            return self._repeated(left if right.is_matrix else right, matrices[0], message)
        if left.is_column != right.is_column and _all_told(left, right):
            row = right if left.is_column else left
            return _Shape(left.rows if left.is_column else right.rows, row.cols)
        self._require(left.rows, right.rows, message)
        self._require(left.cols, right.cols, message)
        return left

    def _repeated(self, line: _Shape, matrix: _Shape, message: str) -> _Shape:
        """A matrix with a column that is repeated in every column, or a row in every row."""
        if line.loose:
            raise ShapeError(message)
        message += "; a vector is a column, .T makes it a row"
        sides = (line.rows, matrix.rows) if line.is_column else (line.cols, matrix.cols)
        self._require(*sides, message)
        return matrix

    def _require(self, left: Length, right: Length, message: str) -> None:
        if not self.equations.equate(left, right):
            raise ShapeError(message)


def _matrices_first(parts: list[tuple[bool, _Shape]]) -> list[_Shape]:
    """They settle the shape of a column beside a row."""
    return sorted((shape for _, shape in parts), key=lambda shape: not shape.is_matrix)


def _all_told(left: _Shape, right: _Shape) -> bool:
    """Whether the sizes of a column and a row are known, and differ."""
    sides = [(shape.rows if shape.is_column else shape.cols).resolved() for shape in (left, right)]
    return all(side.is_told for side in sides) and sides[0] != sides[1]


class _ShapesOfArrays(_Shapes):
    """The same, but what is meant for arrays is refused of scalars, as sum(c) or c.T."""

    def transposed(self, value: _Shape) -> _Shape:
        return super().transposed(_array(value))

    def call(self, function: str, arguments: list[Any], axis: int | None) -> _Shape:
        first = arguments[0]
        if function in OF_ARRAYS and isinstance(first, _Shape):
            _array(first)
        return super().call(function, arguments, axis)


def _array(value: _Shape) -> _Shape:
    if value.is_scalar:
        raise ShapeError("a scalar where an array is meant")
    return value


def infer_symbols(
    text: str, declared: Mapping[str, Declaration], by: str | None = None
) -> dict[str, Symbol]:
    """Symbols for all names of a text, by shapes with which the text makes sense.

    An undeclared name is a vector if it starts with a small letter and a matrix if it starts with a
    capital; one that is the exponent of a `matrix_power` is a whole number. Their sizes, and those
    of declarations without any, are made equal where an operation needs it, and named. Small
    letters that nothing ties to a shape are scalars, as in `parse`; so are those that can be
    nothing else. Undeclared, ``pi`` and ``e`` are numbers where they can be.

    Parameters
    ----------
    text : str
    declared : mapping of str to Declaration
    by : str, optional
        The name that varies, which is no number.

    Returns
    -------
    dict of str to Symbol
        In the order in which the text names them.

    Raises
    ------
    ParseError
        If the text is no expression.
    ShapeError
        If no sizes fit; the message says which declaration would help, if one would.
    """
    known = {size for made in declared.values() for n in made.sizes or () for size in n.all_names}
    scalars = frozenset(name for name, made in declared.items() if made.kind == "scalar")
    source = read(text, frozenset(known | declared.keys()), scalars)
    sizes = frozenset(known | source.sizes)
    names = [name for name in source.names if name not in sizes]
    for name in declared:
        if name in sizes:
            raise ShapeError(f"the name {name!r} stands for a size and for a symbol; rename one")
        if name not in names:
            raise ShapeError(
                f"{name!r} is declared, but the expression has only {', '.join(names)}"
            )
    assumed = {name: declared.get(name) or _by_its_letter(source, name) for name in names}
    numbers = set(NAMED_NUMBERS) & set(names) - {*declared, by} - used_as_arrays(source)
    assumed = _with_scalars(assumed, numbers)
    free = [name for name in names if name not in declared and assumed[name].kind == "vector"]
    try:
        symbols = _inferred(source, assumed, sizes)
    except _CannotFit:
        raise
    except ShapeError as error:
        raised = exponents(source)
        free.sort(key=lambda name: name not in raised)
        found = _scalars_that_fit(source, assumed, sizes, free[:_MOST_RETRIED])
        # A scalar is more likely in an exponent.
        found = [way for way in found if raised.issuperset(way)] or found
        if len(found) > 1:
            advice = ", or ".join(
                " ".join(f"--let {name}=scalar" for name in chosen) for chosen in found
            )
            raise ShapeError(
                f"{error}. A small letter is a vector unless declared: {advice}"
            ) from None
        if not found:
            raise
        assumed = _with_scalars(assumed, found[0])
        symbols = _inferred(source, assumed, sizes)
    for group in untied(symbols, set(free)):
        if _fits(source, _with_scalars(assumed, group), sizes):
            assumed = _with_scalars(assumed, group)
            symbols = _inferred(source, assumed, sizes)
    return {name: made for name, made in symbols.items() if name not in numbers}


def _with_scalars(
    assumed: Mapping[str, Declaration], names: Iterable[str]
) -> dict[str, Declaration]:
    return {**assumed, **dict.fromkeys(names, Declaration("scalar", ()))}


def _by_its_letter(source: Source, name: str) -> Declaration:
    if name in source.exponents:
        return Declaration("scalar", (), ("integer",))
    rank = ranks(source).get(name)
    if rank is not None:
        kind = ("scalar", "vector", "matrix", "tensor")[min(rank, 3)]
        return Declaration(kind, None if rank else (), rank=rank)
    is_matrix = name[0].isupper() or name in rows_taken(source)
    return Declaration("matrix" if is_matrix else "vector", None, is_guess=True)


def _scalars_that_fit(
    source: Source, assumed: Mapping[str, Declaration], sizes: frozenset[str], free: list[str]
) -> list[tuple[str, ...]]:
    """The fewest names that have to be scalars for the shapes to fit: all ways, at most a few."""
    for count in range(1, len(free) + 1):
        ways = [
            chosen
            for chosen in combinations(free, count)
            if _fits(source, _with_scalars(assumed, chosen), sizes)
        ]
        if ways:
            return ways
    return []


def _fits(source: Source, assumed: Mapping[str, Declaration], sizes: frozenset[str]) -> bool:
    """Whether a text makes sense with these, and uses no scalar as an array."""
    try:
        _inferred(source, assumed, sizes, _ShapesOfArrays)
    except (ShapeError, ParseError):
        return False
    return True


def _inferred(
    source: Source,
    assumed: Mapping[str, Declaration],
    sizes: frozenset[str],
    algebra_of: type[_Shapes] = _Shapes,
) -> dict[str, Symbol]:
    shapes = {name: _shape(declaration) for name, declaration in assumed.items()}
    algebra = algebra_of(shapes, sizes)
    interpret(source, algebra)
    if not algebra.equations.settle():
        text = Text.typed_in(source.text)
        raise ShapeError(f"the sizes in {text!r} cannot be told; declare them, as --let A=m,n")
    _name_variables(shapes.values(), sizes | assumed.keys())
    symbols = {name: _sized(assumed[name], shapes[name]).symbol(name) for name in assumed}
    parse(source.text, **symbols)
    return symbols


def _shape(declaration: Declaration) -> _Shape:
    if declaration.sizes is not None:
        return _of_axes([length_of(size) for size in declaration.sizes])
    if declaration.kind == "tensor":
        return _of_axes([unknown() for _ in range(declaration.rank)])
    rows = unknown()
    if declaration.kind == "vector":
        return _Shape(rows, loose=declaration.is_guess)
    return _Shape(rows, rows if declaration.is_square else unknown())


def _sized(declaration: Declaration, shape: _Shape) -> Declaration:
    if declaration.kind == "tensor":
        return declaration.with_sizes(*map(size_of, shape.axes))
    lengths = [shape.rows, shape.cols][: ("scalar", "vector", "matrix").index(declaration.kind)]
    return declaration.with_sizes(*map(size_of, lengths))


def _name_variables(shapes: Iterable[_Shape], taken: frozenset[str]) -> None:
    """Bind what is still unknown to names, in order of appearance; a single one is n."""
    unknown: list[Variable] = []
    for shape in shapes:
        for part in shape.rows.resolved().parts + shape.cols.resolved().parts:
            if isinstance(part, Variable) and part not in unknown:
                unknown.append(part)
    letters = "n" + _LETTERS if len(unknown) == 1 else _LETTERS
    numbered = (f"{letter}{i}" for i, letter in product(range(1, 1000), _LETTERS))
    names = (name for name in chain(letters, numbered) if name not in taken)
    for variable, name in zip(unknown, names, strict=False):
        variable.bound = Length(1, (name,))
