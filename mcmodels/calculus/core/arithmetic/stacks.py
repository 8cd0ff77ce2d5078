"""Blocks below each other or side by side, brought into a normal form."""

from __future__ import annotations

from collections.abc import Sequence

from mcmodels.calculus.core.arithmetic.constants import is_zero, ones, shape_text, zeros
from mcmodels.calculus.core.arithmetic.transposes import transpose, transposes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Number, Ones, Selection, Stack
from mcmodels.calculus.core.sizes import ShapeError, Size

__all__ = ["blocks_taken", "equal_parts", "stack", "starts"]


def stack(blocks: Sequence[Expression], axis: int) -> Expression:
    """Blocks below each other (axis 0) or side by side (1)."""
    flat: list[Expression] = []
    for block in blocks:
        flat.extend(block.blocks if isinstance(block, Stack) and block.axis == axis else [block])
    sides = [block.rows if axis else block.cols for block in flat]
    for block, side in zip(flat, sides, strict=True):
        if side != sides[0]:
            what, where = ("rows", "side by side") if axis else ("columns", "below each other")
            raise ShapeError(
                f"blocks {where} need equally many {what}; found {shape_text(flat[0])} "
                f"({flat[0]}) and {shape_text(block)} ({block})"
            )
    if len(flat) == 1:
        return flat[0]
    columns = [block for block in flat if isinstance(block, Stack) and block.axis == 0]
    cuts = {tuple(part.rows for part in block.blocks) for block in columns}
    if axis == 1 and len(columns) == len(flat) and len(cuts) == 1:
        # A grid is held by its rows, so that it equals the transpose of its transpose.
        rows = zip(*(block.blocks for block in columns), strict=True)
        return stack([stack(row, 1) for row in rows], 0)
    whole = Stack(tuple(flat), axis)
    if all(is_zero(block) for block in flat):
        return zeros(whole.rows, whole.cols)
    if all(isinstance(b, Ones) or (isinstance(b, Number) and b.value == 1) for b in flat):
        return ones(whole.rows, whole.cols)
    return whole


def starts(node: Stack) -> list[Size]:
    """Where each block starts, along the axis; at the end, where the last one stops."""
    found = [Size(0)]
    for block in node.blocks:
        found.append(found[-1] + (block.cols if node.axis else block.rows))
    return found


def blocks_taken(selection: Selection, node: Stack) -> Expression | None:
    """The blocks that a selection takes of a stack, where it takes them as a whole."""
    edges = starts(node)
    stop = selection.start + selection.rows
    if selection.start not in edges or stop not in edges:
        return None
    first, last = edges.index(selection.start), edges.index(stop)
    return stack(node.blocks[first:last], node.axis) if first < last else None


@transposes(Stack)
def _transposed_stack(node: Stack) -> Expression:
    return stack([transpose(block) for block in node.blocks], 1 - node.axis)


def equal_parts(left: Expression, right: Expression) -> bool:
    """Whether [A, B] and [C; D] are cut in the same places, so that [A, B][C; D] = AC + BD."""
    return (
        isinstance(left, Stack)
        and isinstance(right, Stack)
        and left.axis == 1
        and right.axis == 0
        and [b.cols for b in left.blocks] == [b.rows for b in right.blocks]
    )
