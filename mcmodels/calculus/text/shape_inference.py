"""Shapes of undeclared names, from how they are used: an equation for each operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, combinations, product

from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.text.declarations import Declaration
from mcmodels.calculus.text.interpretation import interpret
from mcmodels.calculus.text.lengths import Length, Variable, length_of, size_of, unknown
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.reading import read
from mcmodels.calculus.text.shapes import CannotFit, Shape, Shapes, ShapesOfArrays, of_axes
from mcmodels.calculus.text.syntax import ParseError, Source
from mcmodels.calculus.text.uses import (
    around_stars,
    exponents,
    ranks,
    rows_taken,
    untied,
    used_as_arrays,
)

__all__ = ["infer_symbols", "other_kind"]

_LETTERS = "mnpqrkstuvw"
_MOST_RETRIED = 8  # names tried as scalars when shapes do not fit; combinations double with each


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
    columns = [name for name, made in declared.items() if made.is_column]
    if source.is_numpy and columns:
        raise ShapeError(
            f"{columns[0]!r} is declared with two sizes, one of them 1; declare it with one, and "
            f"write {columns[0]}[:, None] for the column of NumPy"
        )
    sizes = frozenset(known | source.sizes)
    names = [name for name in source.names if name not in sizes]
    for name in declared:
        if name in sizes:
            raise ShapeError(f"the name {name!r} stands for a size and for a symbol; rename one")
        if name not in names:
            raise ShapeError(
                f"{name!r} is declared, but the expression has only {', '.join(names)}"
            )
    arrays = used_as_arrays(source)
    numbers = set(NAMED_NUMBERS) - {*declared, by} - arrays
    names = [name for name in names if name not in numbers]
    assumed = {name: declared.get(name) or _by_its_letter(source, name) for name in names}
    scalars_typed, kept = around_stars(source)
    assumed = _with_scalars(assumed, (scalars_typed & assumed.keys()) - declared.keys())
    kept |= declared.keys()
    free = [name for name in names if name not in kept and assumed[name].kind == "vector"]
    try:
        symbols = _inferred(source, assumed, sizes)
    except CannotFit:
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
        if arrays.isdisjoint(group) and _fits(source, _with_scalars(assumed, group), sizes):
            assumed = _with_scalars(assumed, group)
            symbols = _inferred(source, assumed, sizes)
    return symbols


def other_kind(
    text: str, declared: Mapping[str, Declaration], symbols: Mapping[str, Symbol], name: str
) -> str:
    """What else an undeclared name may be, so that the whole has the same number of axes.

    Parameters
    ----------
    text : str
    declared : mapping of str to Declaration
    symbols : mapping of str to Symbol
        What `infer_symbols` gives.
    name : str

    Returns
    -------
    str
        ``"scalar"`` of a vector, ``"vector"`` of a scalar; empty if it can be nothing else.
    """
    made = symbols[name]
    if name in declared or not made.is_column:
        return ""
    other = Declaration("vector", None) if made.is_scalar else Declaration("scalar", ())
    known = {size for made in symbols.values() for size in made.size_names}
    if name in used_as_arrays(read(text, frozenset(known | declared.keys()))):
        return ""
    try:
        others = infer_symbols(text, {**declared, name: other}, name)
        same = len(parse(text, **others).shape) == len(parse(text, **symbols).shape)
    except (ShapeError, ParseError):
        return ""
    return other.kind if same else ""


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
    # In MATLAB, whose users write norm(x), A * x is the product; in NumPy it is one entry by entry.
    is_sure = source.is_numpy and name in used_as_arrays(source)
    return Declaration("matrix" if is_matrix else "vector", None, is_guess=not is_sure)


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
        _inferred(source, assumed, sizes, ShapesOfArrays)
    except (ShapeError, ParseError):
        return False
    return True


def _inferred(
    source: Source,
    assumed: Mapping[str, Declaration],
    sizes: frozenset[str],
    algebra_of: type[Shapes] = Shapes,
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


def _shape(declaration: Declaration) -> Shape:
    if declaration.sizes is not None:
        return of_axes([length_of(size) for size in declaration.sizes])
    if declaration.kind == "tensor":
        return of_axes([unknown() for _ in range(declaration.rank)])
    rows = unknown()
    if declaration.kind == "vector":
        return Shape(rows, loose=declaration.is_guess)
    return Shape(rows, rows if declaration.is_square else unknown())


def _sized(declaration: Declaration, shape: Shape) -> Declaration:
    if declaration.kind == "tensor":
        return declaration.with_sizes(*map(size_of, shape.axes))
    lengths = [shape.rows, shape.cols][: ("scalar", "vector", "matrix").index(declaration.kind)]
    return declaration.with_sizes(*map(size_of, lengths))


def _name_variables(shapes: Iterable[Shape], taken: frozenset[str]) -> None:
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
