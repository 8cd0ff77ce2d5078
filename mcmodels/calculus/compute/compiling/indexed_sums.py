"""NumPy code for sums over indices: all terms at once, as arrays with an axis for each index.

The axes are those of `compute.sums_of_rows`: the outermost sum has the last of them, and each sum
inside the one before. Behind them a scalar has no axis, a row or a column has one, a matrix two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.code import Snippet, is_line
from mcmodels.calculus.compute.compiling.indexed_functions import ENTRYWISE, RULES, unsupported
from mcmodels.calculus.compute.compiling.indexed_terms import (
    AXES,
    Terms,
    kind_of,
    outer_product,
    product_of,
)
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, matmul, parts, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, LogSumOver, SumOver, UnitAt
from mcmodels.calculus.core.sizes import Size

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS"]


class _Sums:
    """Writes the terms of sums; also stands for the writer where nodes act entry by entry."""

    def __init__(self, w: Writer) -> None:
        self.w, self.code = w, w.code
        self.open: dict[N.Symbol, int] = {}
        self.known: dict[tuple[bytes, tuple[int, ...]], Terms] = {}
        self.filled = 0  # axes of the array beside which scalars stand
        self.names: dict[str, str] = {}  # of texts, so that none is computed twice

    # -- sums -------------------------------------------------------------------------------------

    def total(self, e: SumOver) -> Terms:
        # An axis is free again behind the indices on which the sum depends.
        level = 1 + max((at for i, at in self.open.items() if i in e.used), default=-1)
        around = self.open
        self.open = {**around, e.index: level}
        mask = self.terms(e.condition) if e.is_conditional else None
        is_log = isinstance(e, LogSumOver)
        text = self._logarithm(e, mask) if is_log else self._sum(e.body, e, mask)
        self.open = around
        levels = frozenset(at for i, at in self.open.items() if i in e.used)
        return Terms(text, levels, kind_of(e))

    def _sum(self, body: Expression, e: SumOver, mask: Terms | None) -> str:
        if isinstance(body, N.Sum) and any(_unit_of(term, e.index) for term in body.children):
            terms = [self._sum(term, e, mask) for term in body.children]
            return f"({' + '.join(terms)})"
        coefficient, scalars, array = parts(body)
        chain = array.children if isinstance(array, N.Product) else ()
        if _unit_of(body, e.index) == "first":
            rest = matmul(chain[1:]) if len(chain) > 1 else None
            return self._placed(
                assemble(coefficient, scalars, rest), chain[0] if chain else array, mask
            )
        if _unit_of(body, e.index) == "last":
            flipped = self._sum(transpose(body), e, mask)
            return flipped if is_line(body) else f"{flipped}.swapaxes(-1, -2)"
        weight = assemble(coefficient, scalars, None)
        if isinstance(array, N.Product) and body.is_column:
            found = self._weighted_rows(weight, array, e.index, mask)
            if found is not None:
                return found
        if isinstance(array, N.Product) and not is_line(array):
            found = self._outer_products(weight, chain, e.index, mask)
            if found is not None:
                return found
        return f"{self._masked(body, mask)}.sum(axis=0)"

    def _masked(self, body: Expression, mask: Terms | None) -> str:
        terms = self.terms(body)
        if mask is None:
            return terms.text
        test = f"{mask.with_axes(AXES[terms.kind])} > 0"
        return self._named(f"np.where({test}, {terms.text}, 0)")

    def _weights(self, weight: Expression, i: Index, mask: Terms | None) -> str | None:
        """Weights of the terms, 0 where they are left out; None where all are the same."""
        w, level = self.terms(weight), self.open[i]
        if level not in w.levels | (frozenset() if mask is None else mask.levels):
            return None
        return w.text if mask is None else self._named(f"np.where({mask.text} > 0, {w.text}, 0)")

    def _weighted_rows(
        self, weight: Expression, array: Expression, i: Index, mask: Terms | None
    ) -> str | None:
        """Σᵢ wᵢxᵢ of the rows of an array, as a matrix product."""
        rows = self._rows_at(array, i)
        weights = self._weights(weight, i, mask) if rows else None
        if weights is None:
            return None
        if self.open[i] == 0:
            return f"({weights} @ {rows})"
        return f"np.tensordot({weights}, {rows}, axes=(0, 0))"

    def _rows_at(self, e: Expression, i: Index) -> str:
        """X of a column Xᵀeᵢ; empty for anything else."""
        c = e.children
        unit = c[1] if isinstance(e, N.Product) and len(c) == 2 else None
        if not (isinstance(unit, UnitAt) and unit.position == i and self._is_closed(c[0])):
            return ""
        return self._taken(transpose(c[0]), unit).rows

    def _outer_products(
        self, weight: Expression, chain: tuple[Expression, ...], i: Index, mask: Terms | None
    ) -> str | None:
        """Σᵢ wᵢuᵢvᵢᵀ without the matrix of each term.

        With a condition, v must be a row of an array, which is finite in all terms.
        """
        place = next((k + 1 for k, factor in enumerate(chain) if factor.is_column), 0)
        if not place:
            return None
        column, row = matmul(chain[:place]), matmul(chain[place:])
        level = self.open[i]
        rows = [self._rows_at(part, i) for part in (column, transpose(row))]
        weights = self._weights(weight, i, mask) if all(rows) and level > 0 else None
        if weights is not None:
            return f"np.einsum('z...,zi,zj->...ij', {weights}, {', '.join(rows)}, optimize=True)"
        u, v = self.terms(column), self.terms(row)
        if level not in u.levels or level not in v.levels or (mask is not None and not v.rows):
            return None
        left = u.text
        if not (isinstance(weight, N.Number) and weight.value == 1):
            w = self.terms(weight)
            if w.levels and level not in w.levels:
                return None
            left = self._named(f"{w.with_axes(1)} * {u.text}")
        if mask is not None:
            left = self._named(f"np.where({mask.with_axes(1)} > 0, {left}, 0)")
        if level == 0:
            return f"({left}.T @ {v.text})"
        return f"np.einsum('z...i,z...j->...ij', {left}, {v.text})"

    def _placed(self, rest: Expression, unit: Any, mask: Terms | None) -> str:
        """Σᵢ eᵢuᵢᵀ: the array of all uᵢ, with zeros where i does not come."""
        i = unit.position
        count, level = self.w.size(i.over), self.open[i]
        row = self._masked(rest, mask)
        levels = self.terms(rest).levels | (mask.levels if mask is not None else frozenset())
        axes = AXES[kind_of(rest)]
        if level not in levels:
            one = ", ".join([count, *["1"] * (level + axes)])
            row = f"({row} * np.ones(({one},)))" if levels else f"({row} * np.ones({count}))"
            if not levels:
                row = self._row_for_all(rest, count, level)
        moved = row if level == 0 else f"np.moveaxis({row}, 0, {-1 - axes})"
        if unit.shift == 0 and i.over == unit.rows:
            return moved
        widths = ["(0, 0)"] * level + [self._padding(unit)] + ["(0, 0)"] * axes
        return f"np.pad({moved}, [{', '.join(widths)}])"

    def _row_for_all(self, rest: Expression, count: str, level: int) -> str:
        """A part that depends on no index, once for each value of one."""
        value = self.terms(rest).text
        shape = [count, *["1"] * level]
        if rest.is_scalar:
            return f"np.full(({', '.join(shape)},), {value})"
        return f"({value} * np.ones(({', '.join([*shape, '1'])},)))"

    def _padding(self, unit: UnitAt) -> str:
        i = unit.position
        assert isinstance(i, Index)
        after = unit.rows - i.over - Size(unit.shift)
        behind = self.w.size(after) if after.number != 0 else "0"
        return f"({unit.shift}, {behind})"

    def _logarithm(self, e: SumOver, mask: Terms | None) -> str:
        weight, exponent = e.body.children
        z = self.terms(exponent).text
        factor = ""
        if not (isinstance(weight, N.Number) and weight.value == 1):
            w = self._named(self.terms(weight).text)
            factor = f"{w} * "
            z = f"np.where({w} != 0, {z}, -np.inf)"
        if mask is not None:
            z = f"np.where({mask.text} > 0, {z}, -np.inf)"
        z = self._named(z)
        top = self._named(f"{z}.max(axis=0)")
        terms = f"({factor}np.exp({z} - {top}))" if factor else f"np.exp({z} - {top})"
        return self._named(f"{top} + np.log({terms}.sum(axis=0))")

    # -- parts ------------------------------------------------------------------------------------

    def terms(self, e: Expression) -> Terms:
        """An array with the values of a part, which is named."""
        used = tuple(level for i, level in self.open.items() if i in e.used)
        if not used:
            return Terms(self.w.value(e).grouped, frozenset(), kind_of(e))
        name = (e.key, used)
        if name not in self.known:
            found = self._written(e, frozenset(used))
            self.known[name] = replace(found, text=self._named(found.text))
        return self.known[name]

    def _named(self, text: str) -> str:
        if text.startswith("(") and _closes_at_the_end(text):
            text = text[1:-1]
        if text.isidentifier():
            return text
        if text not in self.names:
            self.names[text] = self.code.assign(text).text
        return self.names[text]

    def _written(self, e: Expression, levels: frozenset[int]) -> Terms:
        if isinstance(e, SumOver):
            return self.total(e)
        if isinstance(e, N.Product):
            return self._product(e)
        kind = kind_of(e)
        if isinstance(e, N.Transpose) and is_line(e):
            return self.terms(e.argument)
        if isinstance(e, N.Sum):
            return Terms(self._added(e), levels, kind)
        if isinstance(e, N.Scaled | N.Hadamard):
            return Terms(self._multiplied(e), levels, kind)
        if isinstance(e, N.MatrixPower) and not e.exponent.used.isdisjoint(self.open):
            raise unsupported(e)
        if type(e) in ENTRYWISE:
            before, self.filled = self.filled, AXES[kind]
            text = str(self.w.writer(type(e))(self, e))
            self.filled = before
            return Terms(text, levels, kind)
        rule = RULES.get(type(e))
        if rule is None:
            raise unsupported(e)
        return Terms(rule(self, e), levels, kind)

    # What the writers of functions of each entry ask of a writer:

    def value(self, e: Expression) -> Snippet:
        """Code for the value of a part; a scalar beside an array is spread over its entries."""
        terms = self.terms(e)
        return Snippet(terms.with_axes(self.filled) if terms.kind == "scalar" else terms.text)

    def size(self, size: Size) -> str:
        """A size as code."""
        return self.w.size(size)

    def _added(self, e: N.Sum) -> str:
        text = ""
        for term in sorted(e.children, key=lambda term: parts(term)[0] < 0):
            coefficient, scalars, array = parts(term)
            negative = coefficient < 0
            body = assemble(-coefficient if negative else coefficient, scalars, array)
            sign = " - " if negative else " + "
            text += (sign if text else "-" if negative else "") + self.terms(body).text
        return text

    def _multiplied(self, e: N.Scaled | N.Hadamard) -> str:
        axes = AXES[kind_of(e)]
        number = e.coefficient if isinstance(e, N.Scaled) else 1
        texts = [] if number == 1 else [self.w.value(N.Number(number)).grouped]
        for child in e.children:
            terms = self.terms(child)
            texts.append(terms.with_axes(axes) if terms.kind == "scalar" else terms.text)
        return " * ".join(texts)

    def _product(self, e: N.Product) -> Terms:
        found: list[tuple[Terms, bool]] = []  # with each, whether it is a column
        c = e.children
        entry = self._entry(c)
        if entry is not None:
            return entry
        k = 0
        while k < len(c):
            factor, following = c[k], c[k + 1] if k + 1 < len(c) else None
            unit = factor.argument if isinstance(factor, N.Transpose) else None
            if self._opens(unit) and following is not None and self._is_closed(following):
                found.append((self._taken(following, unit), False))
                k += 1
            elif self._opens(following) and self._is_closed(factor):
                found.append((self._taken(transpose(factor), following), True))
                k += 1
            else:
                found.append((self.terms(factor), factor.is_column))
            k += 1
        for place in range(len(found) - 1, 0, -1):
            if found[place - 1][1] and found[place - 1][0].kind == "line":
                left, right = (
                    product_of(self._named, found[:place]),
                    product_of(self._named, found[place:]),
                )
                return outer_product(left, right)
        return product_of(self._named, found)

    # -- entries and rows -------------------------------------------------------------------------

    def _opens(self, e: Expression | None) -> bool:
        return isinstance(e, UnitAt) and e.position in self.open

    def _is_closed(self, e: Expression) -> bool:
        return e.used.isdisjoint(self.open) and not isinstance(e, UnitAt)

    def _taken(self, array: Expression, unit: Any) -> Terms:
        """Rows of an array that depends on no index, one for each value of one."""
        level = self.open[unit.position]
        behind = [] if array.is_column else [":"]
        rows = self.w.value(array).grouped
        place = self.place(unit)
        if place != ":":
            rows = f"{rows}[{place}]"
        axes = ["np.newaxis"] * level
        text = f"{rows}[{', '.join([':', *axes, *behind])}]" if level else rows
        kind = "scalar" if array.is_column else "line"
        return Terms(text, frozenset([level]), kind, rows if behind else "")

    def place(self, unit: Any) -> str:
        """The entries that an index takes, as a slice."""
        i, shift = unit.position, unit.shift
        if shift == 0 and i.over == unit.rows:
            return ":"
        return f"{shift or ''}:{self.w.size(i.over + Size(shift))}"

    def _entry(self, c: tuple[Expression, ...]) -> Terms | None:
        """X[i, j] of a matrix that does not depend on indices."""
        row = c[0].argument if isinstance(c[0], N.Transpose) else None
        if len(c) != 3 or not (self._opens(row) and self._opens(c[2]) and self._is_closed(c[1])):
            return None
        assert isinstance(row, UnitAt)
        assert isinstance(c[2], UnitAt)
        levels = [self.open[unit.position] for unit in (row, c[2])]  # type: ignore[index]
        text = self.w.value(c[1]).grouped
        if levels[0] == levels[1]:
            if self.place(row) != ":" or self.place(c[2]) != ":":
                text = f"{text}[{self.place(row)}, {self.place(c[2])}]"
            text = f"np.diagonal({text})"
            axes = ", ".join([":", *["np.newaxis"] * levels[0]])
            return Terms(f"{text}[{axes}]" if levels[0] else text, frozenset(levels), "scalar")
        places = dict(zip(levels, map(self.place, (row, c[2])), strict=True))
        if levels[1] > levels[0]:
            text = f"{text}.T"
        axes = ", ".join(places.get(k, "np.newaxis") for k in range(max(levels), -1, -1))
        text = text if set(axes) <= set(":, ") else f"{text}[{axes}]"
        return Terms(text, frozenset(levels), "scalar")


def _closes_at_the_end(text: str) -> bool:
    """Whether the bracket that a text starts with closes at its end."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _unit_of(body: Expression, i: Index) -> str | None:
    """Whether the array of a term begins with eᵢ, or ends with its transpose."""
    array = parts(body)[2]
    chain = array.children if isinstance(array, N.Product) else (array,)
    if isinstance(chain[0], UnitAt) and chain[0].position == i:
        return "first"
    last = chain[-1]
    inner = last.argument if isinstance(last, N.Transpose) else None
    return "last" if isinstance(inner, UnitAt) and inner.position == i else None


def _sum_over(w: Writer, e: SumOver) -> Snippet:
    return Snippet(_Sums(w).total(e).text, atom=True, fresh=True)


def _unit_at(w: Writer, e: UnitAt) -> Snippet:
    name = w.code.assign(f"np.zeros({w.size(e.rows)})")
    place = w.code.assign(f"int({w.value(e.position)}) + {e.shift}")
    w.code.do(f"if {place} < 0:")
    w.code.do(f'    raise IndexError(f"index {{{place}}} is outside a vector")')
    w.code.do(f"{name}[{place}] = 1")
    return name


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    Index: lambda w, e: Snippet(e.name),
    UnitAt: _unit_at,
    SumOver: _sum_over,
    LogSumOver: _sum_over,
}
