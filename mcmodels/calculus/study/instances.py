"""Random values for the symbols of expressions: as declared, in small sizes that all differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from mcmodels.calculus.compute.binding import Array, bind_sizes
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.nodes import Selection, Symbol, Unit
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np

__all__ = ["Instance", "as_declared", "random_instance"]
Instance = tuple[dict[Symbol, Array], dict[str, int]]

Draw = Callable[[np.random.Generator, tuple[int, int]], Array]

# Tried in this order until all expressions are defined: log and sqrt want positive numbers,
# log(1 - x) wants them below one.
_DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.5, 1.5, shape),
    lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    lambda rng, shape: 0.2 * rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.01, 0.1, shape),
)
# Tried next, for each symbol another one: arccosh(x) and log(x - 2) want numbers above one,
# log(a - x) + log(x - b) one between two others, log(det(X)) another matrix.
_OTHER_DRAWS: tuple[Draw, ...] = (
    *_DRAWS,
    lambda rng, shape: rng.uniform(1.1, 3.0, shape),
    lambda rng, shape: rng.uniform(3.0, 9.0, shape),
    lambda rng, shape: rng.uniform(10.0, 30.0, shape),
    lambda rng, shape: rng.uniform(100.0, 300.0, shape),
    lambda rng, shape: rng.uniform(1000.0, 3000.0, shape),
    lambda rng, shape: -rng.uniform(0.5, 3.0, shape),
    lambda rng, shape: -rng.uniform(3.0, 9.0, shape),
)
_OTHERS = 100  # points that are drawn so
_LARGEST = 1e8  # larger entries come from the inverse of a matrix that is nearly singular
_SMALLEST = 3  # 2 is a factor in many formulas, and must not be taken for a size


def random_instance(
    expressions: Iterable[Expression],
    seed: int = 0,
    given: Mapping[Symbol, Array] | None = None,
    given_sizes: Mapping[str, int] | None = None,
) -> Instance:
    """Values and sizes at which all expressions are defined.

    Parameters
    ----------
    expressions : iterable of Expression
    seed : int
    given : mapping of Symbol to array of two dimensions, optional
        Values that are kept.
    given_sizes : mapping of str to int, optional
        Sizes that are kept.

    Raises
    ------
    EvaluationError
        If none is found.
    """
    expressions = tuple(expressions)
    given = dict(given or {})
    known = bind_sizes(given, given_sizes or {})
    symbols = sorted(
        {symbol for expression in expressions for symbol in expression.used} | set(given),
        key=lambda symbol: symbol.name,
    )
    names = sorted({name for expression in expressions for name in expression.size_names})
    free = [name for name in names if name not in known]
    smallest = _smallest(expressions)
    reason: Exception | None = None
    for rng, draws, downwards in _drawn(seed):
        counted = list(reversed(free)) if downwards else free
        sizes = {**known, **_distinct(counted, set(known.values()), smallest)}
        try:
            values = {
                symbol: given[symbol]
                if symbol in given
                else _value(symbol, sizes, rng, _one_of(draws, rng))
                for symbol in symbols
            }
            with np.errstate(all="ignore"):
                for expression in expressions:
                    walk(expression, values, sizes, checked=True, largest=_LARGEST)
        except EvaluationError as error:
            reason = reason or error
            continue
        return values, sizes
    raise EvaluationError(
        f"no random values were found at which {expressions[0]} is defined ({reason}); give some"
    )


def _drawn(seed: int) -> Iterator[tuple[np.random.Generator, tuple[Draw, ...], bool]]:
    """How points are drawn, in the order in which they are tried.

    The generator of random numbers, the ways of which each symbol takes one, and whether the sizes
    are counted downwards.
    """
    for draw, downwards in product(_DRAWS, (False, True)):
        yield np.random.default_rng(seed), (draw,), downwards
    for i in range(_OTHERS):
        yield np.random.default_rng([seed, i]), _OTHER_DRAWS, i % 2 == 1


def _one_of(draws: tuple[Draw, ...], rng: np.random.Generator) -> Draw:
    return draws[0] if len(draws) == 1 else draws[rng.integers(len(draws))]


def _smallest(expressions: Iterable[Expression]) -> int:
    """A size at which entries and slices that are counted from either end are there."""
    parts = (part for expression in expressions for part in parts_of(expression))
    places = [0]
    for part in parts:
        if isinstance(part, Unit):
            places.append(abs(part.index))
        elif isinstance(part, Selection):
            sizes = (part.start, part.rows, part.cols)
            places.append(
                sum(abs(int(n)) for size in sizes for n, names in size.terms if not names)
            )
    return max(_SMALLEST, max(places) + 1)


def _distinct(names: list[str], taken: set[int], size: int) -> dict[str, int]:
    sizes = {}
    for name in names:
        while size in taken:
            size += 1
        sizes[name] = size
        size += 1
    return sizes


def _value(symbol: Symbol, sizes: Mapping[str, int], rng: np.random.Generator, draw: Draw) -> Array:
    shape = (symbol.rows.value(sizes), symbol.cols.value(sizes))
    if isinstance(symbol, Index):
        return np.full(shape, float(rng.integers(symbol.over.value(sizes))))
    if "integer" in symbol.declared:
        return np.full(shape, float(rng.integers(3, 5)))
    value = draw(rng, shape)
    if "positive_definite" in symbol.declared:
        return as_declared(symbol, value @ value.T / shape[0] + np.eye(shape[0]))
    if "orthogonal" in symbol.declared:
        if shape[0] < shape[1]:
            raise EvaluationError(
                f"{symbol.name!r} is declared orthogonal, of more columns than rows: {shape}"
            )
        return np.linalg.qr(value)[0]
    if "probability" in symbol.declared:
        value = np.exp(value)
        return value / value.sum()
    return as_declared(symbol, value)


def as_declared(symbol: Symbol, value: Array) -> Array:
    """The part of a value that is diagonal, symmetric or triangular, where the symbol is."""
    if "diagonal" in symbol.declared:
        return value * np.eye(len(value))
    if "symmetric" in symbol.declared:
        return (value + value.T) / 2
    if "lower_triangular" in symbol.declared:
        return np.tril(value)
    return np.triu(value) if "upper_triangular" in symbol.declared else value
