"""The algebra of shapes: what each operation and function makes of those of its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import mul
from typing import Any

from mcmodels.calculus.core.sizes import ShapeError, Size, half_of_square
from mcmodels.calculus.text.algebra import Found
from mcmodels.calculus.text.arguments import Index
from mcmodels.calculus.text.index_calls import Place
from mcmodels.calculus.text.lengths import (
    ONE_LONG,
    Derived,
    Equations,
    Length,
    length_of,
    length_of_index,
    lengths_of_einsum,
    size_of,
    unknown,
)
from mcmodels.calculus.text.uses import OF_ARRAYS

__all__ = ["CannotFit", "Shape", "Shapes", "ShapesOfArrays", "of_axes"]

_PAIRWISE = {"maximum", "minimum", "hypot", "clip", "where"}
_OF_SQUARES = {"eigvecsh"} | {
    f"{name}{rest}"
    for name in ("expm", "logm", "sqrtm")
    for rest in ("", "_frechet", "_frechet_matrix")
}
_OF_SQUARE = ("trace", "det", "logdet", "inv", "matrix_power", "tril", "triu", "vech")
_SCALARS = ("trace", "det", "logdet", "amax", "amin")
_ALONG = ("sum", "mean", "norm", "logsumexp")  # that take an axis, and all entries without


@dataclass(frozen=True)
class Shape:
    """The numbers of rows and columns; of a tensor, the lengths of its axes."""

    rows: Length = ONE_LONG
    cols: Length = ONE_LONG
    loose: bool = field(default=False, kw_only=True)
    """Whether it is that of a name of which only the first letter tells that it is a vector."""
    axes: tuple[Length, ...] = field(default=(), kw_only=True)
    """Of a tensor, which is held as the vector of its entries: the lengths of its axes."""

    @property
    def is_scalar(self) -> bool:
        """Whether there is one row and one column."""
        return self.rows.is_one and self.cols.is_one

    @property
    def is_column(self) -> bool:
        """Whether there is one column; a scalar is one, too."""
        return self.cols.is_one

    @property
    def is_matrix(self) -> bool:
        """Whether there are several rows and columns, or unknown numbers of them."""
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


def of_axes(axes: Sequence[Length]) -> Shape:
    """The shape of an array with these axes."""
    if len(axes) <= 2:
        return Shape(*axes)
    return Shape(reduce(mul, axes), axes=tuple(axes))


class CannotFit(ShapeError):
    """Shapes that do not fit under any declaration."""


class Shapes:
    """The algebra of shapes."""

    def __init__(self, names: Mapping[str, Shape], sizes: frozenset[str]) -> None:
        self.names, self.sizes = names, sizes
        self.equations = Equations()
        self.open: frozenset[str] = frozenset()  # indices of the sums around

    def number(self, value: int | float) -> Shape:
        """Of a number."""
        return Shape()

    def name(self, name: str) -> Shape:
        """Of a name."""
        # An index outside of its sum counts as a scalar: `parse` refuses it, and says where it is.
        return self.names.get(name, Shape()) if name not in self.sizes | self.open else Shape()

    def total(self, terms: list[tuple[bool, Shape]]) -> Shape:
        """Of a sum of terms, each with whether it is subtracted."""
        return reduce(self._sum, _matrices_first(terms))

    def multiple(self, factors: list[tuple[bool, Shape]]) -> Shape:
        """Of a product entry by entry of factors, each with whether it divides."""
        return reduce(self._elementwise, _matrices_first(factors))

    def binary(self, operator: str, left: Shape, right: Shape) -> Shape:
        """Of a matrix product or a power."""
        if operator == "@":
            if left.is_column and right.is_column and not (left.is_scalar or right.is_scalar):
                raise CannotFit("x @ y of two vectors; write x.T @ y for the scalar, or x @ y.T")
            message = f"{left} @ {right} does not fit"
            if left.is_column and not left.is_scalar and not right.rows.is_one:
                message += "; a vector is a column: write x.T @ A"
            self._require(left.cols, right.rows, message)
            return Shape(left.rows, right.cols)
        if not (right.is_scalar or left.is_scalar):
            raise ShapeError(f"an exponent must be a scalar; found {right}")
        if operator == "^-" and not (left.is_column or left.rows.is_one):
            self.equations.equate(left.rows, left.cols)  # an inverse is meant, if it can be
        return left if right.is_scalar else right

    def compared(self, operator: str, left: Shape, right: Shape) -> Shape:
        """Of a comparison."""
        return self._elementwise(left, right, operator)

    def negative(self, value: Shape) -> Shape:
        """Of the negative."""
        return value

    def transposed(self, value: Shape) -> Shape:
        """Of the transpose."""
        return Shape(value.cols, value.rows)

    def as_row(self, value: Shape) -> Shape:
        """Of a vector as a row, which is `loose` where the vector is."""
        return replace(value, rows=value.cols, cols=value.rows)

    def length(self, value: Shape) -> Shape:
        """Of the number of rows."""
        return Shape()

    def size_of(self, value: Shape, less: int) -> Length:
        """The number of rows less a number."""
        if not less:
            return value.rows
        return Length(1, (Derived((value.rows,), Size(-less)),)).resolved()

    def entry(self, value: Shape, index: tuple[Index, ...]) -> Shape:
        """Of an entry or a slice."""
        if len(index) == 1 and isinstance(index[0], Place) and not value.is_column:
            return Shape(value.cols)
        if len(index) == 1 and not (value.is_column or value.rows.is_one):
            index = (*index, slice(None))  # rows, as in NumPy
        if value.is_scalar or value.is_column != (len(index) == 1):
            raise ShapeError(f"write x[i] for a vector, X[i, j] for a matrix; found {value}")
        rows = length_of_index(index[0], value.rows)
        if len(index) == 1:
            return Shape(rows)
        cols = length_of_index(index[1], value.cols)
        # X[i, :] is a vector, X[i : i + 1, :] a row.
        return Shape(rows, cols) if isinstance(index[0], slice) else Shape(cols)

    def opened(self, name: str, over: Size | None, found: list[Found[Shape]]) -> Any:
        """An index begins; gives what `closed` takes when it ends."""
        before = self.open
        self.open = before | {name}
        ends = [array.cols if axis else array.rows for array, axis, _ in found]
        for end in ends[1:] if over is None else []:
            self._require(ends[0], end, f"the index {name} stands at {ends[0]} and {end} entries")
        if over is not None:
            furthest = {id(end): 0 for end in ends}
            for end, (_, _, shift) in zip(ends, found, strict=True):
                furthest[id(end)] = max(furthest[id(end)], shift)
            for end in ends:  # an array that is declared longer stays so
                self.equations.equate(end, length_of(over + Size(furthest[id(end)])))
        return before

    def closed(self, before: Any) -> None:
        """An index ends."""
        self.open = before

    def summed(
        self, body: Shape, condition: Shape | None, names: tuple[str, ...], is_mean: bool
    ) -> Shape:
        """Of a sum over indices."""
        return body

    def call(self, function: str, arguments: list[Any], axis: int | None) -> Shape:
        """Of a call of a function."""
        if function == "einsum":
            lengths = [shape.lengths for shape in arguments[1:]]
            return of_axes(lengths_of_einsum(arguments[0], lengths, self._require))
        if function in ("hstack", "vstack"):
            return self._stacked(function, arguments[0], 1 if function == "hstack" else 0)
        if function == "block":
            lines = [self._stacked(function, row, 1) for row in arguments[0]]
            return self._stacked(function, lines, 0)
        shapes = [given for given in arguments if isinstance(given, Shape)]
        sizes = [
            length_of(given) if isinstance(given, Size) else given
            for given in arguments
            if isinstance(given, Size | Length)
        ]
        if not shapes:
            return self._constant(function, sizes)
        x = shapes[0]
        if axis in (0, -1) and x.is_column and not x.axes:
            axis = None  # the only one that a vector has
        if function in _PAIRWISE:
            return reduce(self._elementwise, shapes)
        if function in _OF_SQUARES:
            for shape in shapes:
                self._require(shape.rows, shape.cols, f"{function} needs square matrices")
                self._require(x.rows, shape.rows, f"{function} needs matrices of one size")
            return Shape(x.rows * x.rows, x.rows * x.rows) if "matrix" in function else x
        if function == "eigvalsh":
            self._require(x.rows, x.cols, f"eigvalsh needs a square matrix; found {x}")
            return Shape(x.rows)
        if function == "reciprocal_gaps":
            self._require(x.cols, ONE_LONG, f"reciprocal_gaps takes a vector; found {x}")
            return Shape(x.rows, x.rows)
        if function == "pinv":
            return Shape(x.cols, x.rows)
        if function == "solve":
            self._require(x.rows, x.cols, f"solve needs a square matrix; found {x}")
            self._require(x.rows, shapes[1].rows, f"solve of {x} and {shapes[1]} does not fit")
            return shapes[1]
        if function in _OF_SQUARE or (function == "diag" and not x.is_column):
            self._require(x.rows, x.cols, f"{function} needs a square matrix; found {x}")
        if x.axes and axis is not None and function in ("softmax", "logsumexp"):
            return x if function == "softmax" else self._without(x, axis)
        if function in _SCALARS or (function in _ALONG and axis is None):
            return Shape()
        if function in _ALONG:
            return Shape(x.rows if axis in (1, -1) else x.cols)
        if function == "vech":
            return self._lengths_of_halves(x.rows)
        if function == "diag":
            return Shape(x.rows, x.rows) if x.is_column else Shape(x.rows)
        if function == "vec":
            return Shape(x.cols * x.rows)
        if function == "unvec":
            m, n = sizes
            self._require(x.rows, n * m, f"unvec to {m}×{n} needs a vector of {n * m}; found {x}")
            return Shape(m, n)
        if function == "kron":
            y = shapes[1]
            return Shape(x.rows * y.rows, x.cols * y.cols)
        if function in ("block_sum", "block_trace"):
            return self._blocks(function, x, shapes[1])
        return x

    def _without(self, x: Shape, axis: int) -> Shape:
        """The shape of a tensor without one axis, which `parse` requires to be there."""
        place = axis % len(x.axes)
        return of_axes([*x.axes[:place], *x.axes[place + 1 :]])

    def _stacked(self, function: str, blocks: list[Shape], axis: int) -> Shape:
        for block in blocks[1:]:
            message = f"{function} of {blocks[0]} and {block} does not fit"
            if axis:
                self._require(blocks[0].rows, block.rows, message)
            else:
                self._require(blocks[0].cols, block.cols, message)
        lengths = tuple(block.cols if axis else block.rows for block in blocks)
        total = Length(1, (Derived(lengths, Size(0)),)).resolved()
        return Shape(blocks[0].rows, total) if axis else Shape(total, blocks[0].cols)

    def _constant(self, function: str, sizes: list[Length]) -> Shape:
        if function == "eye":
            return Shape(sizes[0], sizes[0])
        if function == "commutation":
            return Shape(sizes[0] * sizes[1], sizes[1] * sizes[0])
        if function == "diagonal_selection":
            return Shape(sizes[0] * sizes[0], sizes[0])
        if function in ("duplication", "elimination"):
            half = self._lengths_of_halves(sizes[0]).rows
            square = sizes[0] * sizes[0]
            return Shape(square, half) if function == "duplication" else Shape(half, square)
        return Shape() if function == "size" else Shape(*sizes)

    def _lengths_of_halves(self, n: Length) -> Shape:
        if not n.is_told:
            return Shape(unknown())
        return Shape(length_of(half_of_square(size_of(n))))

    def _blocks(self, function: str, whole: Shape, given: Shape) -> Shape:
        other = Shape(unknown(), unknown())
        outer, inner = (given, other) if function == "block_sum" else (other, given)
        message = f"{function} of {whole} and {given} does not fit"
        self._require(whole.rows, outer.rows * inner.rows, message)
        self._require(whole.cols, outer.cols * inner.cols, message)
        return other

    def _sum(self, left: Shape, right: Shape) -> Shape:
        return self._elementwise(left, right, "+")

    def _elementwise(self, left: Shape, right: Shape, operator: str = "*") -> Shape:
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
            return Shape(left.rows if left.is_column else right.rows, row.cols)
        self._require(left.rows, right.rows, message)
        self._require(left.cols, right.cols, message)
        return left

    def _repeated(self, line: Shape, matrix: Shape, message: str) -> Shape:
        """A matrix with a column that is repeated in every column, or a row in every row."""
        if line.loose:
            raise ShapeError(message)
        message += "; a vector is a column, .T makes it a row"
        sides = (line.rows, matrix.rows) if line.is_column else (line.cols, matrix.cols)
        before = matrix.rows.resolved(), matrix.cols.resolved()
        self._require(*sides, message)
        if before[0] != before[1] and matrix.rows.resolved() == matrix.cols.resolved():
            side = "column" if line.is_column else "row"
            raise CannotFit(
                f"a vector fits in every {side} of a matrix only if that is square; declare the "
                "matrix so, as --let X=n,n, or give the vector the other direction, as x.T for "
                "x, and beside np. or a method x[:, None] for x"
            )
        return matrix

    def _require(self, left: Length, right: Length, message: str) -> None:
        if not self.equations.equate(left, right):
            raise ShapeError(message)


def _matrices_first(parts: list[tuple[bool, Shape]]) -> list[Shape]:
    """They settle the shape of a column beside a row."""
    return sorted((shape for _, shape in parts), key=lambda shape: not shape.is_matrix)


def _all_told(left: Shape, right: Shape) -> bool:
    """Whether the sizes of a column and a row are known, and differ."""
    sides = [(shape.rows if shape.is_column else shape.cols).resolved() for shape in (left, right)]
    return all(side.is_told for side in sides) and sides[0] != sides[1]


class ShapesOfArrays(Shapes):
    """The same, but what is meant for arrays is refused of scalars, as sum(c) or c.T."""

    def transposed(self, value: Shape) -> Shape:
        """Of the transpose."""
        return super().transposed(_array(value))

    def call(self, function: str, arguments: list[Any], axis: int | None) -> Shape:
        """Of a call of a function."""
        first = arguments[0]
        if function in OF_ARRAYS and isinstance(first, Shape):
            _array(first)
        return super().call(function, arguments, axis)


def _array(value: Shape) -> Shape:
    if value.is_scalar:
        raise ShapeError("a scalar where an array is meant")
    return value
