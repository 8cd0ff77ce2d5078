"""Sums of products of entries in normal form: as a textbook writes them where matrices suffice.

What is put in is a list of arrays, each with an index for each of its axes, and the indices of the
result. Constants are removed: a one, a Kronecker delta, a diagonal matrix. A sum inside a sum is
opened. What no index of the result ties to the rest is a scalar factor. If at most two-dimensional
arrays are left, and they can be multiplied as matrices, the result is that product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    identity,
    matmul,
    ones,
    parts,
    scale,
    size_value,
    total,
    transpose,
    upright,
    zeros,
)
from mcmodels.calculus.core.arithmetic.transposes import transposes
from mcmodels.calculus.core.einsum_nodes import LETTERS, Axes, Einsum, Factor, Lengths, einsum_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.matrix_chains import product_of_matrices
from mcmodels.calculus.core.nodes import (
    Diagonal,
    DiagonalMatrix,
    Identity,
    Ones,
    Product,
    Scaled,
    Sum,
    Transpose,
    Zeros,
)
from mcmodels.calculus.core.numbers import Value, magnitude
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["contracted", "contraction_of"]

# A sum inside a sum is opened up to so many factors; beyond, it is computed by itself.
_MOST_FACTORS = 12
_MOST_INDICES = 26


def contraction_of(
    subscripts: str, lengths: Lengths, operands: tuple[Expression, ...]
) -> Expression:
    """What the fields of an `Einsum` stand for, in normal form."""
    inputs, _, output = subscripts.partition("->")
    terms = [tuple(map(LETTERS.index, term)) for term in inputs.split(",")]
    sizes = dict(enumerate(lengths.of))
    factors = list(zip(operands, terms, strict=True))
    return contracted(factors, tuple(map(LETTERS.index, output)), sizes)


def contracted(factors: Iterable[Factor], output: Axes, sizes: Mapping[int, Size]) -> Expression:
    """Σ of the product of the factors over all indices that are not in ``output``.

    Parameters
    ----------
    factors : iterable of (Expression, tuple of int)
        Arrays with the index of each of their axes. An array of three or more axes is the vector of
        its entries.
    output : tuple of int
        Indices of the result, each once.
    sizes : mapping of int to Size

    Returns
    -------
    Expression
        A scalar, vector or matrix; of more indices, the vector of the entries.
    """
    work = _Contraction(output, dict(sizes))
    if not work.take(factors):
        return _zeros([sizes[axis] for axis in output])
    return work.result()


def _zeros(sizes: Sequence[Size]) -> Expression:
    if len(sizes) == 2:
        return zeros(sizes[0], sizes[1])
    rows = ONE
    for size in sizes:
        rows = rows * size
    return zeros(rows, ONE)


class _Contraction:
    """Factors that are brought into normal form."""

    def __init__(self, output: Axes, sizes: dict[int, Size]) -> None:
        self.output = output
        self.sizes = sizes
        self.same: dict[int, int] = {}  # indices that a Kronecker delta makes equal
        self.seen: set[int] = set()
        self.coefficients: list[Expression | Value] = []
        self.factors: list[Factor] = []

    # -- factors ------------------------------------------------------------------------------

    def take(self, factors: Iterable[Factor]) -> bool:
        """Take in factors; False where one of them is zero."""
        waiting = list(factors)[::-1]
        count = len(waiting)
        while waiting:
            e, at = waiting.pop()
            self.seen.update(at)
            number, scalars, array = parts(_number_out(e))
            self.coefficients += [number, *scalars]
            if number == 0 or isinstance(array, Zeros):
                return False
            if array is None or isinstance(array, Ones):
                continue
            opened = self._opened(array, at, count)
            if opened is None:
                self.factors.append((array, at))
            else:
                waiting += reversed(opened)
                count += len(opened) - 1
        # What deltas make equal is known now: diagonals, and arrays that meet in all entries.
        named = [(e, tuple(map(self.name, at))) for e, at in self.factors]
        met = _met([(e, at) for e, at in named if not _repeats(at)], self.output)
        met += [(Diagonal(upright(e)), at[:1]) for e, at in named if _repeats(at)]
        self.factors = []
        simpler: list[Factor] = []
        for e, at in met:
            number, scalars, array = parts(e)
            self.coefficients += [number, *scalars]
            if isinstance(array, Zeros):
                return False
            if array is None or isinstance(array, Ones):
                continue
            is_new = all(array is not other for other, _ in named)  # as B is where A ∘ B / A met
            opened = self._opened(array, at, len(met)) if is_new else None
            if opened is None:
                self.factors.append((array, at))
            else:
                simpler += opened
        return self.take(simpler) if simpler else True

    def _opened(self, e: Expression, at: Axes, count: int) -> list[Factor] | None:
        """Simpler factors in place of one; None where there are none."""
        if len(at) <= 2 and ONE in (e.rows, e.cols):  # an axis of one entry
            kept = tuple(axis for axis in at if self.sizes[axis] != ONE)
            if len(kept) < len(at):
                return [(transpose(e) if e.rows == ONE else e, kept)]
        if len(at) != 2:
            return self._of_einsum(e, at, count) if isinstance(e, Einsum) else None
        if isinstance(e, Transpose):
            return [(e.argument, at[::-1])]
        if isinstance(e, DiagonalMatrix):
            return [(e.argument, at[:1]), (Identity(e.rows), at)]
        if isinstance(e, Identity):
            self._equate(*at)
            return []
        if isinstance(e, Product):
            inner = [i for i, factor in enumerate(e.children[:-1], 1) if factor.cols == ONE]
            if inner:  # xyᵀ
                left, right = e.children[: inner[0]], e.children[inner[0] :]
                return [(matmul(left), at[:1]), (transpose(matmul(right)), at[1:])]
        return self._of_einsum(e, at, count) if isinstance(e, Einsum) else None

    def _of_einsum(self, e: Einsum, at: Axes, count: int) -> list[Factor] | None:
        """The factors of a sum inside the sum, where there are not too many."""
        if count + len(e.operands) - 1 <= _MOST_FACTORS:
            fresh = max(self.sizes, default=0) + 1
            names = dict(zip(e.output, at, strict=True))
            for axis, size in enumerate(e.lengths.of):
                if axis not in names:
                    names[axis] = fresh + axis
                    self.sizes[fresh + axis] = size
            if len(self.sizes) <= _MOST_INDICES:
                return [(x, tuple(names[axis] for axis in term)) for x, term in e.factors]
        return None

    # -- indices ------------------------------------------------------------------------------

    def name(self, axis: int) -> int:
        """The index that stands for all that are equal to one."""
        while axis in self.same:
            axis = self.same[axis]
        return axis

    def _equate(self, a: int, b: int) -> None:
        a, b = self.name(a), self.name(b)
        if a == b:
            return
        places = {axis: place for place, axis in enumerate(self.output)}
        if places.get(b, len(places)) < places.get(a, len(places)):
            a, b = b, a
        self.same[b] = a

    # -- the result ---------------------------------------------------------------------------

    def result(self) -> Expression:
        """The value, once all factors are in."""
        kept = {self.name(axis) for axis in self.output}
        held = {axis for _, at in self.factors for axis in at}
        for axis in {self.name(axis) for axis in self.seen} - kept - held:
            self.coefficients.append(size_value(self.sizes[axis]))
        components = _components(self.factors)
        within: list[list[Factor]] = []
        for component in components:
            if any(axis in kept for _, at in component for axis in at):
                within.append(component)
            else:
                self.coefficients.append(self._scalar(component))
        for axis in self.output:  # δᵢⱼ
            name = self.name(axis)
            if name != axis:
                within.append([(identity(self.sizes[axis]), (name, axis))])
                held |= {name, axis}
        for axis in self.output:  # 1ᵢ
            if axis not in held:
                within.append([(ones(self.sizes[axis], ONE), (axis,))])
        return scale(*self.coefficients, self._array(within))

    def _scalar(self, component: list[Factor]) -> Expression:
        done = product_of_matrices(component, (), self.sizes)
        if done is not None:
            return done
        (only, *others) = component
        if not others and len(set(only[1])) == len(only[1]):
            return total(only[0])
        return einsum_of(component, (), self.sizes)

    def _array(self, components: list[list[Factor]]) -> Expression:
        factors = [factor for component in components for factor in component]
        if len(self.output) <= 2:
            done = product_of_matrices(factors, self.output, self.sizes)
            if done is not None:
                return done
        elif len(factors) == 1 and factors[0][1] == self.output:
            return factors[0][0]
        return einsum_of(factors, self.output, self.sizes)


def _number_out(e: Expression) -> Expression:
    """2(A − B) for 2A − 2B."""
    if isinstance(e, Sum):
        sizes = {magnitude(parts(term)[0]) for term in e.children}
        if len(sizes) == 1:
            (size,) = sizes
            if size != 1:
                return Scaled(size, (), add([scale(1 / size, term) for term in e.children]))
    return e


def _repeats(at: Axes) -> bool:
    return len(at) == 2 and at[0] == at[1]


def _met(factors: list[Factor], output: Axes) -> list[Factor]:
    """Factors of two or more axes, multiplied where they have the same indices."""
    result: list[Factor] = []
    for e, at in factors:
        for i, (other, axes) in enumerate(result):
            flipped = len(at) == 2 and axes == at[::-1]
            if len(at) >= 2 and (at == axes or (flipped and not _closed(at, factors, output))):
                result[i] = (hadamard([other, transpose(e) if flipped else e]), axes)
                break
        else:
            result.append((e, at))
    return result


def _closed(at: Axes, factors: list[Factor], output: Axes) -> bool:
    """Whether two factors with these indices are a trace tr(AB)."""
    holders = [axes for _, axes in factors if set(axes) & set(at)]
    return len(holders) == 2 and not set(at) & set(output)


def _components(factors: list[Factor]) -> list[list[Factor]]:
    """Groups of factors that share indices, directly or through others."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in factors:
        axes, members = set(factor[1]), [factor]
        apart = []
        for group in groups:
            if group[0] & axes:
                axes |= group[0]
                members = group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (axes, members)]
    return [members for _, members in groups]


@transposes(Einsum)
def _transposed(e: Einsum) -> Expression:
    if len(e.output) == 2:
        return e.transposed()
    return Transpose(e)
