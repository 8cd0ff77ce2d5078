"""Sums over indices in text: ``sum(f, i)``, ``sum_over(f, i, j, where=t[j] >= t[i])``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

__all__ = [
    "IndexCall",
    "Place",
    "counted_in",
    "index_call",
    "place_in",
    "places_in",
    "tests_in",
]

_TAKE_INDICES = frozenset(["mean", "mean_over", "sum", "sum_over"])


@dataclass(frozen=True)
class Place:
    """An index in brackets: the i + 1 of ``y[i + 1]``."""

    name: str
    shift: int = 0

    def __str__(self) -> str:
        return f"{self.name} + {self.shift}" if self.shift else self.name


@dataclass(frozen=True)
class IndexCall:
    """A call that sums over indices.

    Attributes
    ----------
    node : ast.Call
    names : tuple of str
        The indices, that of the outermost sum first.
    where : ast.expr or None
        The condition.
    over : ast.expr or None
        The size, where it is given.
    """

    node: ast.Call
    names: tuple[str, ...]
    where: ast.expr | None
    over: ast.expr | None

    @property
    def is_mean(self) -> bool:
        """Whether the sum is divided by the number of its terms."""
        assert isinstance(self.node.func, ast.Name)
        return self.node.func.id.startswith("mean")

    @property
    def body(self) -> ast.expr:
        """What is summed."""
        return self.node.args[0]

    @property
    def scope(self) -> list[ast.expr]:
        """Where the indices stand."""
        return [self.body, *([] if self.where is None else [self.where])]


def index_call(
    node: ast.AST, refuse: Callable[[str, ast.AST], NoReturn] | None = None
) -> IndexCall | None:
    """A call that sums over indices; None of any other node.

    What is wrong in such a call is refused by ``refuse``.
    """
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    function = node.func.id
    options = {option.arg: option.value for option in node.keywords}
    if function not in _TAKE_INDICES or "axis" in options:
        return None
    if len(node.args) < 2 and not function.endswith("_over") and not options:
        return None
    names = [name.id for name in node.args[1:] if isinstance(name, ast.Name)]
    if refuse is not None:
        if len(names) < len(node.args) - 1 or not names:
            refuse(
                f"{function} takes what is summed and the names of indices, as in "
                f"{function}(y[i] * X[i], i); along an axis write {function}(X, axis=0)",
                node,
            )
        if len(set(names)) < len(names):
            refuse("an index is given twice", node)
        allowed = ("over",) if function.startswith("mean") else ("over", "where")
        if not set(options) <= set(allowed):
            refuse(f"{function} over an index takes {' and '.join(allowed)} by name", node)
    return IndexCall(node, tuple(names), options.get("where"), options.get("over"))


def counted_in(over: ast.expr | None) -> tuple[ast.expr, int] | None:
    """The array, and how many entries less, of ``len(y) - 1``; None of anything else."""
    whole, less = over, 0
    if isinstance(over, ast.BinOp) and isinstance(over.op, ast.Sub):
        whole, right = over.left, over.right
        if not (isinstance(right, ast.Constant) and type(right.value) is int):
            return None
        less = right.value
    if not (isinstance(whole, ast.Call) and isinstance(whole.func, ast.Name)):
        return None
    is_length = whole.func.id == "len" and len(whole.args) == 1 and not whole.keywords
    return (whole.args[0], less) if is_length else None


def place_in(node: ast.expr) -> Place | None:
    """The index of ``y[i]``, ``y[i + 1]``; None of anything else."""
    if isinstance(node, ast.Name):
        return Place(node.id)
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)):
        return None
    name, shift = node.left, node.right
    if isinstance(node.op, ast.Add) and isinstance(shift, ast.Name):
        name, shift = shift, name
    if not (isinstance(name, ast.Name) and isinstance(shift, ast.Constant)):
        return None
    if type(shift.value) is not int:
        return None
    return Place(name.id, shift.value if isinstance(node.op, ast.Add) else -shift.value)


def places_in(call: IndexCall, name: str) -> Iterator[tuple[ast.expr, int, int]]:
    """Where an index stands: the array, the axis and what is added to the index.

    Sums inside that have an index of the same name are left out.
    """
    waiting: list[ast.AST] = list(call.scope)
    while waiting:
        node = waiting.pop(0)
        inner = index_call(node)
        if inner is not None and name in inner.names:
            continue
        if isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            for axis, part in enumerate(parts):
                place = None if isinstance(part, ast.Slice) else place_in(part)
                if place is not None and place.name == name:
                    yield node.value, axis, place.shift
        waiting.extend(ast.iter_child_nodes(node))


def tests_in(node: ast.expr) -> list[ast.Compare] | None:
    """The comparisons that are multiplied in a condition; None where it is anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = tests_in(node.left), tests_in(node.right)
        return None if left is None or right is None else left + right
    return [node] if isinstance(node, ast.Compare) and len(node.ops) == 1 else None
