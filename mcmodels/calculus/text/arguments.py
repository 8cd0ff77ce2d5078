"""Single arguments of a call or an index: numbers, sizes, places, orders, subscripts, blocks."""

from __future__ import annotations

import ast

from mcmodels.calculus.core.norms import ORDERS
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError, Size, size_of_tree
from mcmodels.calculus.text.absent_functions import REVERSED
from mcmodels.calculus.text.index_calls import Place, place_in
from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.syntax import refuse

__all__ = [
    "Index",
    "blocks_in",
    "index_in",
    "number_in",
    "order_in",
    "size_in",
    "subscripts_in",
    "unit_place",
    "whole_in",
]

Index = int | slice | Place


def number_in(text: str, node: ast.Constant) -> int | float:
    """The number of a node."""
    value = node.value
    if value is None:
        refuse(text, "a vector is a column here: write x for the column, x.T for the row", node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(text, "only whole and decimal numbers are read", node)
    return value


def whole_in(text: str, node: ast.expr) -> int:
    """The whole number, which may be negative, of a node."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    value = number_in(text, node) if isinstance(node, ast.Constant) else None
    if not isinstance(value, int):
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
        message = "expected a whole number here"
        if names:
            message += (
                "; an index of a sum stands as i, i + 1 or i - 1, and what runs the other way is "
                f"written by two: {REVERSED}"
            )
        refuse(text, message, node)
    return sign * value


def subscripts_in(text: str, node: ast.expr) -> str:
    """The subscripts of an einsum, which stand in quotes."""
    quoted = text.quoted if isinstance(text, Text) else {}
    if not isinstance(node, ast.Constant) or node.col_offset not in quoted:
        refuse(text, "einsum takes subscripts in quotes first, as einsum('ij,jk->ik', A, B)", node)
    return quoted[node.col_offset]


def order_in(node: ast.expr) -> str | None:
    """The name of the order of a norm; None for anything else."""
    return node.id if isinstance(node, ast.Name) and node.id in ORDERS else None


def index_in(text: str, node: ast.Subscript) -> tuple[Index, ...]:
    """The index of a node: whole numbers and slices, whose bounds may be sizes."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    index: list[Index] = []
    for part in parts:
        if isinstance(part, ast.Slice):
            if part.step is not None:
                refuse(text, "a slice has two bounds, as in x[1:5], and no step", node)
            index.append(slice(_bound_in(text, part.lower), _bound_in(text, part.upper)))
        else:
            place = place_in(part)
            index.append(whole_in(text, part) if place is None else place)
    if not 1 <= len(index) <= 2 or all(part == slice(None) for part in index):
        message = "write x[i], x[i:j], X[i, j], X[i, :] or X[:, j]"
        if len(index) > 2:
            message = "a tensor has no index in brackets; write einsum('ijk,i->jk', T, unit(0, n))"
        refuse(text, message, node)
    return tuple(index)


def _bound_in(text: str, node: ast.expr | None) -> int | Size | None:
    if node is None:
        return None
    named = any(isinstance(part, ast.Name) for part in ast.walk(node))
    return size_in(text, node) if named else whole_in(text, node)


def blocks_in(text: str, function: str, node: ast.expr) -> list[ast.expr]:
    """The elements of a list of blocks."""
    if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
        grid = "[[A, B], [C, D]]" if function == "block" else "[A, B]"
        refuse(text, f"{function} takes a list, as in {function}({grid})", node)
    if function != "block":
        return list(node.elts)
    return [element for row in node.elts for element in blocks_in(text, "hstack", row)]


def size_in(text: str, node: ast.expr) -> Size:
    """A size: a number, a name, a product or a sum of them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in SIGNATURES:
            refuse(text, f"{part.id!r} is a function, not a size", part)
    try:
        return size_of_tree(node).checked()
    except ShapeError as error:
        message = "a size is a number, a name, a product or a sum of them, as in m*n or n - 1"
        refuse(text, str(error) if "at least" in str(error) else message, node)


def unit_place(node: ast.expr) -> Place:
    """The index of ``unit(i, n)``."""
    place = place_in(node)
    assert place is not None
    return place
