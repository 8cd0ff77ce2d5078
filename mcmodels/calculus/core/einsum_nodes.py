"""Nodes for arrays of any rank: symbols of rank three and more, and sums over indices.

The calculus holds arrays of at most two dimensions. So an array of rank three or more is held as
the vector of its entries, the last index running fastest, as in NumPy; `tensors.Tensor` gives that
vector its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby, islice, permutations, product
from typing import Any

from mcmodels.calculus.core.expression import Expression, node
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["AxisLogSumExp", "AxisSoftmax", "Einsum", "TensorSymbol"]

LETTERS = "ijklmnpqrstuvwxyzabcdefghoABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_ORDERS = 720  # of operands that cannot be told apart; six have as many

Axes = tuple[int, ...]
Factor = tuple[Expression, Axes]
"""An array, and the index of each of its axes."""


class TensorLike:
    """What `Tensor` is derived from, so that the operators of expressions know it."""

    __slots__ = ()
    shape: tuple[int | str, ...]


@dataclass(frozen=True, repr=False)
class Lengths:
    """Sizes, one for each index."""

    of: tuple[Size, ...]

    def __repr__(self) -> str:
        return f"({', '.join(map(str, self.of))})"

    @property
    def shown(self) -> tuple[int | str, ...]:
        """Numbers, and names, for users."""
        return tuple(str(size) if size.names else int(size.factor) for size in self.of)

    @property
    def product(self) -> Size:
        """The number of entries."""
        return reduce(lambda a, b: a * b, self.of, ONE)


class TensorSymbol(Symbol):
    """A named array of three or more dimensions, as the vector of its entries."""

    __slots__ = ("dims",)
    __match_args__ = ("name", "dims")

    def __init__(self, name: str, dims: Lengths) -> None:
        self.dims = dims
        Symbol.__init__(self, name, dims.product, ONE, frozenset())

    def __post_init__(self) -> None:
        self._identify((), (self.name, self.dims))
        self.used = frozenset([self])
        self.tensors = True

    @property
    def shape(self) -> tuple[int | str, ...]:
        """A size for each dimension."""
        return self.dims.shown

    @property
    def axes(self) -> tuple[Size, ...]:
        """The sizes that the shape of a value tells."""
        return self.dims.of

    def described(self) -> str:
        """Kind and shape, for messages."""
        return f"a tensor of {'×'.join(map(str, self.dims.of))}"


@node
class Einsum(Expression):
    """A sum of products of entries; see `numpy.einsum`.

    Made by `einsum_of`, so that the names of indices and the order of operands do not matter.
    A result of rank two or less has its own shape, one of higher rank is the vector of its entries;
    so have the operands.
    """

    subscripts: str
    lengths: Lengths
    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        self._identify(self.operands, (self.subscripts, self.lengths))
        self.size_names = self.size_names.union(*(size.all_names for size in self.lengths.of))
        self.tensors = self.tensors or len(self.output) > 2

    @property
    def terms(self) -> tuple[Axes, ...]:
        """The indices of each operand."""
        terms = self.subscripts.partition("->")[0].split(",")
        return tuple(tuple(map(LETTERS.index, term)) for term in terms)

    @property
    def output(self) -> Axes:
        """The indices of the result."""
        return tuple(map(LETTERS.index, self.subscripts.partition("->")[2]))

    @property
    def factors(self) -> list[Factor]:
        """The operands with their indices."""
        return list(zip(self.operands, self.terms, strict=True))

    @property
    def dims(self) -> Lengths:
        """The sizes of the result."""
        return Lengths(tuple(self.lengths.of[axis] for axis in self.output))

    def transposed(self) -> Einsum:
        """The transpose of a matrix."""
        return einsum_of(self.factors, self.output[::-1], dict(enumerate(self.lengths.of)))

    def _dimensions(self) -> tuple[Size, Size]:
        dims = self.dims
        if len(dims.of) == 2:
            return dims.of[0], dims.of[1]
        return dims.product, ONE


@node
class AxisSoftmax(Expression):
    """exp(z) over its sum along the last axis of a tensor, whose sizes are ``dims``."""

    argument: Expression
    dims: Lengths

    def _dimensions(self) -> tuple[Size, Size]:
        return self.dims.product, ONE


@node
class AxisLogSumExp(Expression):
    """The logarithm of the sum of exponentials along the last axis of a tensor of sizes ``dims``.

    Of a tensor of rank three it is a matrix, else the vector of the entries.
    """

    argument: Expression
    dims: Lengths

    def _dimensions(self) -> tuple[Size, Size]:
        before = self.dims.of[:-1]
        return before if len(before) == 2 else (Lengths(before).product, ONE)


def einsum_of(factors: Sequence[Factor], output: Axes, sizes: dict[int, Size]) -> Einsum:
    """The node, with operands in a fixed order and indices named by where they first occur."""
    ranks = _places(factors, output)
    ordered = sorted(zip(ranks, factors, strict=True), key=lambda pair: pair[0])
    groups = [[f for _, f in group] for _, group in groupby(ordered, key=lambda pair: pair[0])]
    orders = product(*(permutations(group) for group in groups))
    best: tuple[tuple[Axes, ...], list[Factor], list[int]] | None = None
    for order in islice(orders, _MOST_ORDERS):
        arranged = [factor for group in order for factor in group]
        names = list(dict.fromkeys([*output, *(axis for _, at in arranged for axis in at)]))
        place = {axis: number for number, axis in enumerate(names)}
        terms = tuple(tuple(place[axis] for axis in at) for _, at in arranged)
        if best is None or terms < best[0]:
            best = terms, arranged, names
    assert best is not None
    terms, arranged, names = best
    if len(names) > len(LETTERS):
        raise ShapeError(
            f"an einsum has at most {len(LETTERS)} indices; found {len(names)}; name a part of it"
        )
    inputs = ",".join("".join(LETTERS[axis] for axis in at) for at in terms)
    subscripts = f"{inputs}->{LETTERS[: len(output)]}"
    lengths = Lengths(tuple(sizes[axis] for axis in names))
    return Einsum(subscripts, lengths, tuple(e for e, _ in arranged))


def _places(factors: Sequence[Factor], output: Axes) -> list[int]:
    """A rank for each factor, by its symbols and by what it shares indices with.

    Factors of the same rank can in general be exchanged. Ranks are refined until none is split
    (Weisfeiler and Leman, 1968).
    """
    ranks = _ranked([_rank_of(e) for e, _ in factors])
    shared = {
        axis: output.index(axis) if axis in output else -1 for _, at in factors for axis in at
    }
    while True:
        holders: dict[int, list[tuple[int, int]]] = {axis: [] for axis in shared}
        for rank, (_, at) in zip(ranks, factors, strict=True):
            for position, axis in enumerate(at):
                holders[axis].append((rank, position))
        kinds = _ranked([(shared[axis], sorted(held)) for axis, held in holders.items()])
        shared = dict(zip(holders, kinds, strict=True))
        refined = _ranked(
            [
                (rank, [shared[axis] for axis in at])
                for rank, (_, at) in zip(ranks, factors, strict=True)
            ]
        )
        if len(set(refined)) == len(set(ranks)):
            return refined
        ranks = refined


def _ranked(values: list[Any]) -> list[int]:
    """The place of each value among the different ones, in their order."""
    ordered: list[Any] = []
    for value in sorted(values):
        if not ordered or value != ordered[-1]:
            ordered.append(value)
    return [ordered.index(value) for value in values]


def _rank_of(e: Expression) -> tuple[list[str], int, bytes]:
    """What operands are sorted by: their symbols by name, so that texts read as they were typed."""
    return sorted(symbol.name for symbol in e.used), e.height, e.key
