"""Values of sums over indices: all terms at once, as arrays with an axis for each index.

A part that depends on indices has the axes (…, rows, columns). The axis of the outermost sum is the
third from the end, and each sum inside has its axis before those of the outer ones. So a part that
does not depend on inner indices needs no axes for them. The terms of the outermost sum are taken in
blocks, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, matmul, parts, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, LogSumOver, SumOver, UnitAt
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np

__all__ = ["Terms"]

_MOST_ENTRIES = 2**21  # of one array of a block of terms; more of them would leave the cache


Node = Callable[[Expression, list[Array]], Array]


class Terms:
    """The terms of sums over indices.

    Parameters
    ----------
    closed : callable
        The value of a part without open indices.
    node : callable
        The value of a node, given those of its children, without axes for indices.
    check : callable or None
        Called with each part, the values of its children and its own.
    along : callable
        For d(E): the values of parts a complex step ahead, as ``closed``, and the step.
    sizes, xp
        As in `evaluate.walk`.
    """

    def __init__(
        self,
        closed: Callable[[Expression], Array],
        node: Node,
        check: Callable[[Expression, list[Array], Array], None] | None,
        along: Callable[[N.Unevaluated], tuple[Callable[[Expression], Array], float]],
        sizes: Mapping[str, int],
        xp: Any,
    ) -> None:
        self.closed, self.node, self.check, self.along = closed, node, check, along
        self.sizes, self.xp = sizes, xp
        self.open: dict[N.Symbol, tuple[int, Array]] = {}  # level and places of each open index
        self.known: dict[tuple[bytes, tuple[int, ...]], Array] = {}

    # -- sums -------------------------------------------------------------------------------------

    def total(self, e: SumOver) -> Array:
        """The value of a sum, with axes for the open indices."""
        count = e.over.value(self.sizes)
        if self.open or isinstance(e, LogSumOver):
            return self._over(e, np.arange(count))
        size = max(1, _MOST_ENTRIES // self._entries_of_a_term(e))
        blocks = []
        for start in range(0, count, size):
            self.known.clear()
            blocks.append(self._over(e, np.arange(start, min(start + size, count))))
        self.known.clear()
        return reduce(lambda a, b: a + b, blocks)

    def _entries_of_a_term(self, e: SumOver) -> int:
        """How many entries the largest part of a term may have, with all inner sums."""
        largest, inner = 1, 1
        for part in parts_of(e.body):
            if isinstance(part, SumOver):
                inner *= part.over.value(self.sizes)
            elif e.index in part.used:
                largest = max(largest, part.rows.value(self.sizes) * part.cols.value(self.sizes))
        return largest * inner

    def _over(self, e: SumOver, places: Array) -> Array:
        # An axis is free again behind the indices on which the sum depends.
        level = 1 + max((at for i, (at, _) in self.open.items() if i in e.used), default=-1)
        around, check = self.open, self.check
        self.open = {**around, e.index: (level, places)}
        try:
            if not e.is_conditional:
                return self._summed(e, None)
            self.check = None  # terms that are left out need not be defined
            with np.errstate(all="ignore"):
                mask = self._on_axis(_real(self.value(e.condition)) > 0, e.index)
                return self._summed(e, mask)
        finally:
            self.open, self.check = around, check

    def _summed(self, e: SumOver, mask: Array | None) -> Array:
        if isinstance(e, LogSumOver):
            return self._logarithm(e, mask)
        return self._sum_of(e.body, e.index, mask)

    def _on_axis(self, array: Array, i: Index) -> Array:
        """An array with the axis of an index as its first, of full length."""
        level, places = self.open[i]
        missing = level + 3 - array.ndim
        array = array.reshape((1,) * missing + array.shape)
        return np.broadcast_to(array, (len(places), *array.shape[1:]))

    def _sum_of(self, body: Expression, i: Index, mask: Array | None) -> Array:
        """The sum of the terms of a body; eᵢuᵀ puts u into a row, without a matrix for each i."""
        if isinstance(body, N.Sum):
            terms = [self._sum_of(term, i, mask) for term in body.children]
            return reduce(lambda a, b: a + b, terms)
        coefficient, scalars, array = parts(body)
        first = array.children[0] if isinstance(array, N.Product) else array
        if isinstance(first, UnitAt) and first.position == i:
            rest = matmul(array.children[1:]) if isinstance(array, N.Product) else None
            row = self._masked(assemble(coefficient, scalars, rest), mask, i)
            return self._placed(row, first)
        last = array.children[-1] if isinstance(array, N.Product) else None
        unit = last.argument if isinstance(last, N.Transpose) else None
        if isinstance(unit, UnitAt) and unit.position == i:
            return self._sum_of(transpose(body), i, mask).swapaxes(-1, -2)
        return self._masked(body, mask, i).sum(axis=0)

    def _masked(self, body: Expression, mask: Array | None, i: Index) -> Array:
        value = self._on_axis(self.value(body), i)
        return value if mask is None else np.where(mask, value, 0)

    def _placed(self, rows: Array, unit: UnitAt) -> Array:
        """Rows (places, …, 1, columns) as an array (…, all places, columns)."""
        _, places = self.open[unit.position]  # type: ignore[index]
        moved = np.moveaxis(rows[..., 0, :], 0, -2)
        length = unit.rows.value(self.sizes)
        result = np.zeros((*moved.shape[:-2], length, moved.shape[-1]), dtype=moved.dtype)
        if moved.dtype == object:
            result = self.xp.array(result)
        result[..., places + unit.shift, :] = moved
        return result

    def _logarithm(self, e: LogSumOver, mask: Array | None) -> Array:
        weight, z = (self._on_axis(self.value(part), e.index) for part in e.body.children)
        counts = weight != 0 if mask is None else mask & (weight != 0)
        # The weight may depend on more indices than the exponent, and the other way round.
        counts = np.broadcast_to(counts, np.broadcast_shapes(counts.shape, z.shape))
        real = _real(z)
        top = np.where(counts, real, real.min()).max(axis=0)
        terms = np.where(counts, weight * self.xp.exp(np.where(counts, z - top, 0)), 0)
        total = terms.sum(axis=0)
        if total.dtype == object and (total == 0).any():
            return top + np.where(total == 0, -np.inf, 0)
        return top + self.xp.log(total)

    # -- parts ------------------------------------------------------------------------------------

    def value(self, e: Expression) -> Array:
        """The value of a part."""
        levels = tuple(level for i, (level, _) in self.open.items() if i in e.used)
        if not levels:
            return self.closed(e)
        name = (e.key, levels)
        if name not in self.known:
            self.known[name] = self._computed(e)
        return self.known[name]

    def _computed(self, e: Expression) -> Array:
        if isinstance(e, SumOver):
            result = self.total(e)
        elif isinstance(e, Index):
            level, places = self.open[e]
            result = self.xp.array(places.astype(float)).reshape(-1, *[1] * (level + 2))
        elif isinstance(e, UnitAt):
            result = self._units(e)
        elif isinstance(e, N.Product):
            result = self._product(e)
        elif isinstance(e, N.Unevaluated):
            ahead, step = self.along(e)
            terms = Terms(ahead, self.node, None, self.along, self.sizes, self.xp)
            terms.open = self.open
            return np.imag(terms.value(e.argument)) / step
        else:
            children = [self.value(child) for child in e.children]
            known = _AT_ONCE.get(type(e))
            if type(e) in _ENTRYWISE:
                result = self.node(e, children)
            elif known is not None and not (type(e) in _BY_LAPACK and children[0].dtype == object):
                result = known(e, children, self)
            else:
                result = self.one_by_one(e, children)
            if self.check is not None:
                self.check(e, children, result)
            return result
        if self.check is not None and not isinstance(e, Index | UnitAt):
            self.check(e, [], result)
        return result

    def one_by_one(self, e: Expression, children: list[Array]) -> Array:
        """A node that NumPy does not compute for many arrays at once."""
        shape = np.broadcast_shapes(*(child.shape[:-2] for child in children))
        full = [np.broadcast_to(child, shape + child.shape[-2:]) for child in children]
        values = [self.node(e, [child[place] for child in full]) for place in np.ndindex(shape)]
        return np.array(values).reshape(shape + values[0].shape)

    def _units(self, e: UnitAt) -> Array:
        level, places = self.open[e.position]  # type: ignore[index]
        one_hot = np.eye(e.rows.value(self.sizes))[places + e.shift]
        return self.xp.array(one_hot).reshape(len(places), *[1] * level, -1, 1)

    def _product(self, e: N.Product) -> Array:
        c = e.children
        entry = self._entry(c)
        if entry is not None:
            return entry
        values: list[Array] = []
        i = 0
        while i < len(c):
            factor = c[i]
            unit = factor.argument if isinstance(factor, N.Transpose) else None
            following = c[i + 1] if i + 1 < len(c) else None
            if isinstance(unit, UnitAt) and following is not None and self._is_closed(following):
                values.append(self._taken(self.closed(following), unit).swapaxes(-1, -2))
                i += 1
            elif isinstance(following, UnitAt) and self._is_closed(factor):
                values.append(self._taken(self.closed(factor).T, following))
                i += 1
            else:
                values.append(self.value(factor))
            i += 1
        for k in range(len(values) - 2, -1, -1):
            if values[k].shape[-1] == 1:  # (Au)(vᵀB), as in `evaluate`
                return _times(reduce(_times, values[: k + 1]), reduce(_times, values[k + 1 :]))
        return reduce(_times, values)

    def _is_closed(self, e: Expression) -> bool:
        return e.used.isdisjoint(self.open) and not isinstance(e, UnitAt)

    def _taken(self, array: Array, unit: UnitAt) -> Array:
        """Rows of an array, as columns."""
        if unit.position not in self.open:  # the place is a number
            place = int(self.closed(unit.position)[0, 0]) + unit.shift
            return array[place][:, None]
        level, places = self.open[unit.position]  # type: ignore[index]
        return array[places + unit.shift].reshape(len(places), *[1] * level, -1, 1)

    def _entry(self, c: tuple[Expression, ...]) -> Array | None:
        """X[i, j] of an array that does not depend on the indices."""
        if len(c) != 3 or not self._is_closed(c[1]):
            return None
        row = c[0].argument if isinstance(c[0], N.Transpose) else None
        if not (isinstance(row, UnitAt) and isinstance(c[2], UnitAt)):
            return None
        if row.position not in self.open or c[2].position not in self.open:
            return None
        places = []
        for unit in (row, c[2]):
            level, at = self.open[unit.position]  # type: ignore[index]
            places.append((at + unit.shift).reshape(-1, *[1] * level))
        return self.closed(c[1])[places[0], places[1]][..., None, None]


def _times(a: Array, b: Array) -> Array:
    """The matrix product, by one product of two matrices where that is possible."""
    if b.ndim == 2 and a.shape[-2] == 1:
        return (a[..., 0, :] @ b)[..., None, :]
    if a.ndim == 2 and b.shape[-1] == 1:
        return (b[..., 0] @ a.T)[..., None]
    if a.shape[-1] == 1:
        return a * b
    return a @ b


def _real(array: Array) -> Array:
    return array.real if np.iscomplexobj(array) else array


def _scalars(array: Array) -> Array:
    return np.asarray(array)[..., None, None]


def _sum_of_entries(array: Array) -> Array:
    return _scalars(array.sum(axis=(-2, -1)))


def _softmax(e: Any, c: list[Array], terms: Terms) -> Array:
    axis = -2 if e.argument.is_column else -1
    power = terms.xp.exp(c[0] - _real(c[0]).max(axis=axis, keepdims=True))
    return power / power.sum(axis=axis, keepdims=True)


def _logsumexp(e: Any, c: list[Array], terms: Terms) -> Array:
    axis = -2 if e.argument.is_column else -1
    top = _real(c[0]).max(axis=axis, keepdims=True)
    return top + terms.xp.log(terms.xp.exp(c[0] - top).sum(axis=axis, keepdims=True))


def _kron(e: Any, c: list[Array], terms: Terms) -> Array:
    A, B = c
    product = A[..., :, None, :, None] * B[..., None, :, None, :]
    *batch, p, q, r, s = product.shape
    return product.reshape(*batch, p * q, r * s)


def _vec(e: Any, c: list[Array], terms: Terms) -> Array:
    return c[0].swapaxes(-1, -2).reshape(*c[0].shape[:-2], -1, 1)


_ENTRYWISE = frozenset(
    [N.Sum, N.Scaled, N.Hadamard, N.Power, N.Elementwise, F.Polygamma, F.Pairwise, F.Where]
)
_BY_LAPACK = frozenset([N.MatrixPower, N.Det, N.LogDet])
_AT_ONCE: dict[type[Expression], Callable[[Any, list[Array], Terms], Array]] = {
    N.Transpose: lambda e, c, terms: c[0].swapaxes(-1, -2),
    N.Trace: lambda e, c, terms: _scalars(np.trace(c[0], axis1=-2, axis2=-1)),
    N.Norm: lambda e, c, terms: terms.xp.sqrt(_sum_of_entries(c[0] ** 2)),
    N.Total: lambda e, c, terms: _sum_of_entries(c[0]),
    N.DiagonalMatrix: lambda e, c, terms: c[0] * terms.xp.array(np.eye(c[0].shape[-2])),
    N.Diagonal: lambda e, c, terms: np.diagonal(c[0], axis1=-2, axis2=-1)[..., None],
    N.MatrixPower: lambda e, c, terms: (
        terms.node(e, c) if c[1].ndim == 2 else terms.one_by_one(e, c)
    ),
    N.Det: lambda e, c, terms: _scalars(terms.xp.det(c[0])),
    N.LogDet: lambda e, c, terms: _scalars(terms.xp.logabsdet(c[0])),
    N.Softmax: _softmax,
    N.LogSumExp: _logsumexp,
    N.Kron: _kron,
    N.Vec: _vec,
}
