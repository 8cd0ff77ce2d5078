"""Shapes of undeclared names, from how they are used: an equation for each operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain, combinations, product
from math import gcd

from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.text.declarations import Declaration
from mcmodels.calculus.text.interpretation import interpret
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.syntax import Index, ParseError, Source, read
from mcmodels.calculus.text.uses import OF_ARRAYS, exponents, untied, used_as_arrays

__all__ = ["infer_symbols"]

_LETTERS = "mnpqrkstuvw"
_MOST_RETRIED = 8  # names tried as scalars when shapes do not fit; combinations double with each


class _Variable:
    """An unknown size, which is not 1."""

    def __init__(self) -> None:
        self.bound: _Length | None = None


@dataclass(frozen=True)
class _Length:
    """A number times names and variables, in the order in which they count an array's entries."""

    factor: int
    parts: tuple[str | _Variable, ...] = ()

    def resolved(self) -> _Length:
        """The same with known variables replaced by their values."""
        result = _Length(self.factor)
        for part in self.parts:
            known = part.bound if isinstance(part, _Variable) else None
            result *= _Length(1, (part,)) if known is None else known.resolved()
        return result

    def __mul__(self, other: _Length) -> _Length:
        return _Length(self.factor * other.factor, self.parts + other.parts)

    @property
    def is_one(self) -> bool:
        return self.resolved() == _ONE

    def __str__(self) -> str:
        found = self.resolved()
        names = [part if isinstance(part, str) else "?" for part in found.parts]
        return "*".join([*([str(found.factor)] if found.factor != 1 or not names else []), *names])


_ONE = _Length(1)


@dataclass(frozen=True)
class _Shape:
    rows: _Length = _ONE
    cols: _Length = _ONE

    @property
    def is_scalar(self) -> bool:
        return self.rows.is_one and self.cols.is_one

    @property
    def is_column(self) -> bool:
        return self.cols.is_one

    def __str__(self) -> str:
        if self.is_scalar:
            return "a scalar"
        if self.is_column:
            return f"a vector of {self.rows}"
        return f"a matrix of {self.rows}×{self.cols}"


class _CannotFit(ShapeError):
    """Shapes that do not fit under any declaration."""


class _Equations:
    """Lengths that must be equal; an equation that cannot be solved yet waits."""

    def __init__(self) -> None:
        self.waiting: list[tuple[_Length, _Length]] = []

    def equate(self, left: _Length, right: _Length) -> bool:
        """Whether two lengths can be equal; binds what has to be for that."""
        a, b = _without_common(left.resolved(), right.resolved())
        if a != b and _ONE in (a, b):
            return False
        for one, other in ((a, b), (b, a)):
            if one.factor == 1 and len(one.parts) == 1 and isinstance(one.parts[0], _Variable):
                one.parts[0].bound = other
                return True
        if a == b:
            return True
        if not any(isinstance(part, _Variable) for part in a.parts + b.parts):
            return False
        self.waiting.append((a, b))
        return True

    def settle(self) -> bool:
        """Whether the waiting equations can be solved; equally long products, factor by factor."""
        for by_order in chain([False], *([True, False] for _ in self.waiting)):
            waiting, self.waiting = self.waiting, []
            for left, right in waiting:
                a, b = _without_common(left.resolved(), right.resolved())
                alike = a.factor == b.factor and len(a.parts) == len(b.parts) > 1
                pairs = [(a, b)]
                if by_order and alike:
                    pairs = [
                        (_Length(1, (p,)), _Length(1, (q,)))
                        for p, q in zip(a.parts, b.parts, strict=True)
                    ]
                    by_order = False
                if not all(self.equate(*pair) for pair in pairs):
                    return False
        return not self.waiting


def _without_common(a: _Length, b: _Length) -> tuple[_Length, _Length]:
    left, right = list(a.parts), []
    for part in b.parts:
        if part in left:
            left.remove(part)
        else:
            right.append(part)
    shared = gcd(a.factor, b.factor)
    return _Length(a.factor // shared, tuple(left)), _Length(b.factor // shared, tuple(right))


class _Shapes:
    """The algebra of shapes."""

    def __init__(self, names: Mapping[str, _Shape], sizes: frozenset[str]) -> None:
        self.names, self.sizes = names, sizes
        self.equations = _Equations()

    def number(self, value: int | float) -> _Shape:
        return _Shape()

    def name(self, name: str) -> _Shape:
        return _Shape() if name in self.sizes else self.names[name]

    def total(self, terms: list[tuple[bool, _Shape]]) -> _Shape:
        return reduce(self._sum, (term for _, term in terms))

    def multiple(self, factors: list[tuple[bool, _Shape]]) -> _Shape:
        return reduce(self._elementwise, (factor for _, factor in factors))

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

    def negative(self, value: _Shape) -> _Shape:
        return value

    def transposed(self, value: _Shape) -> _Shape:
        return _Shape(value.cols, value.rows)

    def entry(self, value: _Shape, index: tuple[Index, ...]) -> _Shape:
        if value.is_scalar or value.is_column != (len(index) == 1):
            raise ShapeError(f"write x[i] for a vector, X[i, j] for a matrix; found {value}")
        if index[0] == slice(None):
            return _Shape(value.rows)
        return _Shape(value.cols) if index[-1] == slice(None) else _Shape()

    def call(self, function: str, arguments: list[_Shape | Size | int], axis: int | None) -> _Shape:
        shapes = [given for given in arguments if isinstance(given, _Shape)]
        sizes = [_length(given) for given in arguments if isinstance(given, Size)]
        if not shapes:
            return self._constant(function, sizes)
        x = shapes[0]
        if function in ("trace", "det", "logdet", "inv", "matrix_power") or (
            function == "diag" and not x.is_column
        ):
            self._require(x.rows, x.cols, f"{function} needs a square matrix; found {x}")
        if function in ("trace", "det", "logdet", "norm", "mean") or (
            function in ("sum", "logsumexp") and axis is None
        ):
            return _Shape()
        if function in ("sum", "logsumexp"):
            return _Shape(x.rows if axis == 1 else x.cols)
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

    def _constant(self, function: str, sizes: list[_Length]) -> _Shape:
        if function == "eye":
            return _Shape(sizes[0], sizes[0])
        if function == "commutation":
            return _Shape(sizes[0] * sizes[1], sizes[1] * sizes[0])
        if function == "diagonal_selection":
            return _Shape(sizes[0] * sizes[0], sizes[0])
        return _Shape() if function == "size" else _Shape(*sizes)

    def _blocks(self, function: str, whole: _Shape, given: _Shape) -> _Shape:
        other = _Shape(_unknown(), _unknown())
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
        if operator == "*":
            message += "; * works entry by entry, @ is the matrix product"
        self._require(left.rows, right.rows, message)
        self._require(left.cols, right.cols, message)
        return left

    def _require(self, left: _Length, right: _Length, message: str) -> None:
        if not self.equations.equate(left, right):
            raise ShapeError(message)


class _ShapesOfArrays(_Shapes):
    """The same, but what is meant for arrays is refused of scalars, as sum(c) or c.T."""

    def transposed(self, value: _Shape) -> _Shape:
        return super().transposed(_array(value))

    def call(self, function: str, arguments: list[_Shape | Size | int], axis: int | None) -> _Shape:
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
    known = {size for made in declared.values() for n in made.sizes or () for size in n.names}
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
    return Declaration("matrix" if name[0].isupper() else "vector", None)


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
        raise ShapeError(
            f"the sizes in {source.text!r} cannot be told; declare them, as --let A=m,n"
        )
    _name_variables(shapes.values(), sizes | assumed.keys())
    symbols = {name: _sized(assumed[name], shapes[name]).symbol(name) for name in assumed}
    parse(source.text, **symbols)
    return symbols


def _shape(declaration: Declaration) -> _Shape:
    if declaration.sizes is not None:
        return _Shape(*map(_length, declaration.sizes))
    rows = _unknown()
    if declaration.kind == "vector":
        return _Shape(rows)
    return _Shape(rows, rows if declaration.is_square else _unknown())


def _sized(declaration: Declaration, shape: _Shape) -> Declaration:
    lengths = [shape.rows, shape.cols][: ("scalar", "vector", "matrix").index(declaration.kind)]
    return declaration.with_sizes(*map(_size, lengths))


def _name_variables(shapes: Iterable[_Shape], taken: frozenset[str]) -> None:
    """Bind what is still unknown to names, in order of appearance; a single one is n."""
    unknown: list[_Variable] = []
    for shape in shapes:
        for part in shape.rows.resolved().parts + shape.cols.resolved().parts:
            if isinstance(part, _Variable) and part not in unknown:
                unknown.append(part)
    letters = "n" + _LETTERS if len(unknown) == 1 else _LETTERS
    numbered = (f"{letter}{i}" for i, letter in product(range(1, 1000), _LETTERS))
    names = (name for name in chain(letters, numbered) if name not in taken)
    for variable, name in zip(unknown, names, strict=False):
        variable.bound = _Length(1, (name,))


def _unknown() -> _Length:
    return _Length(1, (_Variable(),))


def _length(size: Size) -> _Length:
    return _Length(size.factor, size.names)


def _size(length: _Length) -> Size:
    result = ONE
    found = length.resolved()
    for part in found.parts:
        assert isinstance(part, str), "all variables are bound"
        result *= Size.of(part)
    return Size(found.factor) * result
