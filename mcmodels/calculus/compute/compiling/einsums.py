"""NumPy code for einsums: two operands at a time, by products of matrices where entries are summed.

The order is the cheapest for the sizes at hand. A step that sums no index is a product entry by
entry; one that sums gathers the axes that both, the left, the right and neither keep, and is a
product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.code import Snippet, safe
from mcmodels.calculus.compute.contractions import order_of_contraction
from mcmodels.calculus.core.einsum_nodes import LETTERS, Einsum, Lengths, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE, Size

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS", "in_shape"]

_ENTRIES = ".reshape(-1)"

Axes = tuple[int, ...]
Operand = tuple[str, Axes]
"""Code for an array, and the index of each of its axes."""


def _einsum(w: Writer, e: Einsum) -> Snippet:
    """The value: a float, an array, or the entries of a tensor."""
    text = _with_axes(w, e)
    if not e.output:
        return Snippet(text)
    return Snippet(text + _ENTRIES if len(e.output) > 2 else text)


def in_shape(w: Writer, result: Snippet, dims: Lengths) -> str:
    """Code for the tensor of which a text gives the entries."""
    if _is_spread_out(result):
        return result.text.removesuffix(_ENTRIES)
    shape = ", ".join(w.size(size) for size in dims.of)
    return f"{result.grouped}.reshape({shape})"


def _is_spread_out(entries: Snippet) -> bool:
    """Whether a text takes the entries of an array that has the shape of the tensor."""
    return entries.atom and entries.text.endswith(_ENTRIES)


def _with_axes(w: Writer, e: Einsum) -> str:
    """The name of the array with an axis for each index of the result."""
    step = _Steps(w, e)
    operands = [(_operand(w, x, at, e), at) for x, at in e.factors]
    shapes = [tuple(step.length(axis) for axis in at) for at in e.terms]
    for places in order_of_contraction(e.subscripts, shapes):
        chosen = [operands[place] for place in sorted(places)]
        operands = [operand for i, operand in enumerate(operands) if i not in places]
        needed = {axis for _, at in operands for axis in at}.union(e.output)
        operands.append(step.contracted(chosen, needed, e.output if not operands else None))
    ((text, at),) = operands
    return step.moved(text, at, e.output)


def _operand(w: Writer, x: Expression, at: Axes, e: Einsum) -> str:
    """Code for an operand with its axes."""
    value = w.value(x)
    if x.is_scalar:
        return f"np.reshape({value}, {(1,) * len(at)})"
    if len(at) < 3:
        return value.grouped
    return in_shape(w, value, Lengths(tuple(e.lengths.of[axis] for axis in at)))


class _Steps:
    """Writes the steps of one einsum."""

    def __init__(self, w: Writer, e: Einsum) -> None:
        self.w = w
        self.sizes = e.lengths.of

    def length(self, axis: int) -> int:
        """How many entries an index counts."""
        return self.sizes[axis].value(self.w.sizes)

    def named(self, text: str) -> str:
        """The name of a value; the same for the same code."""
        if text.isidentifier():
            return text
        known = self.w.contracted
        if text not in known:
            known[text] = self.w.code.assign(Snippet(text)).text
        return known[text]

    def contracted(self, operands: list[Operand], needed: set[int], final: Axes | None) -> Operand:
        """One array for one or two, with the indices that are still needed."""
        if len(operands) == 1:
            (text, at), _result = operands[0], None
            kept = final if final is not None else _unique(axis for axis in at if axis in needed)
            return self.alone(text, at, kept), kept
        (a, left), (b, right) = (self.reduced(*operand, operands, needed) for operand in operands)
        shared = [axis for axis in left if axis in right]
        summed = [axis for axis in shared if axis not in needed]
        both = [axis for axis in shared if axis in needed]
        first = [axis for axis in left if axis not in shared]
        second = [axis for axis in right if axis not in shared]
        if not summed:
            order = final if final is not None else (*both, *first, *second)
            product = f"{self.spread(a, left, order)} * {self.spread(b, right, order)}"
            return self.named(product), tuple(order)
        if not first and not second:
            kept = tuple(both)
            subscripts = f"{_spelt(left)},{_spelt(right)}->{_spelt(kept)}"
            if not kept and len(summed) == 1:
                return self.named(f"{a} @ {b}"), ()
            return self.named(f"np.einsum('{subscripts}', {a}, {b})"), kept
        text = " @ ".join(
            (
                self.gathered(a, left, (both, first, summed)),
                self.gathered(b, right, (both, summed, second)),
            )
        )
        kept = (*both, *first, *second)
        groups = [group for group in (both, first, second) if group]
        if any(len(group) > 1 for group in groups) or (both and not (first and second)):
            text = f"({text}).reshape({self.shape(kept)})"
        return self.named(text), kept

    def alone(self, text: str, at: Axes, kept: Axes) -> str:
        """One array, its diagonals taken, its other indices summed."""
        if set(at) == set(kept) and len(at) == len(kept):
            return self.moved(text, at, kept)
        return self.named(f"np.einsum('{_spelt(at)}->{_spelt(kept)}', {text})")

    def reduced(self, text: str, at: Axes, operands: list[Operand], needed: set[int]) -> Operand:
        """An operand of two without the indices that it alone has, and without repeated ones."""
        others = {axis for other, axes in operands if axes != at or other != text for axis in axes}
        if operands[0] == operands[1]:
            others = set(at)
        kept = _unique(axis for axis in at if axis in needed or axis in others)
        return (text, at) if kept == at else (self.alone(text, at, kept), kept)

    def gathered(self, text: str, at: Axes, groups: tuple[list[int], ...]) -> str:
        """The axes in groups, each group as one axis; without a first group, two at most."""
        order = tuple(axis for group in groups for axis in group)
        moved = self.moved(text, at, order)
        wanted = [*groups] if groups[0] else [group for group in groups if group]
        if all(len(group) == 1 for group in wanted):
            return moved
        counts = [self.product(group) for group in wanted]
        return f"{moved}.reshape({', '.join(counts)})"

    def spread(self, text: str, at: Axes, order: Sequence[int]) -> str:
        """An array with an axis for each index of a product entry by entry."""
        inside = [axis for axis in order if axis in at]
        moved = self.moved(text, at, tuple(inside))
        missing = [axis not in at for axis in order]
        while missing and missing[0]:
            missing.pop(0)  # axes in front are added by NumPy
        if not any(missing):
            return moved
        return f"{moved}[{', '.join('None' if new else ':' for new in missing)}]"

    def moved(self, text: str, at: Axes, order: Axes) -> str:
        """The axes in another order."""
        if at == order:
            return text
        if len(at) == 2:
            return f"{text}.T"
        return f"{text}.transpose({', '.join(str(at.index(axis)) for axis in order)})"

    def shape(self, axes: Sequence[int]) -> str:
        """The lengths of axes as code."""
        return ", ".join(self.product([axis]) for axis in axes)

    def product(self, axes: Sequence[int]) -> str:
        """The number of entries that some axes count together, as code."""
        total: Size = ONE
        for axis in axes:
            total = total * self.sizes[axis]
        return self.w.size(total)


def _unique(axes: Any) -> Axes:
    return tuple(dict.fromkeys(axes))


def _spelt(axes: Sequence[int]) -> str:
    return "".join(LETTERS[axis] for axis in axes)


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    Einsum: _einsum,
    TensorSymbol: lambda w, e: Snippet(safe(e.name) + _ENTRIES),
}
