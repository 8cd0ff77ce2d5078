"""Signs of mathematics that Python has not: ``x'`` and ``x^2``, as Python writes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

__all__ = [
    "Across",
    "Caret",
    "Slash",
    "SlashBesideMarks",
    "Star",
    "StarBesideMarks",
    "at_places_of",
    "mark",
    "places_of_whole_products",
    "transposes_by_caret",
    "with_nodes_changed",
    "with_plain_options",
]

_KEEPS_LENGTHS = re.compile(r"(\bkeepdims?\s*=\s*)(True|False)\b")
_QUOTED_ORDER = re.compile(r"""([,=]\s*)(["'])(fro|nuc|inf)\2(?=\s*[,)])""")


def with_plain_options(text: str) -> str:
    """The text with ``norm(X, fro)`` for ``norm(X, "fro")``, and ``keepdims=1`` for True.

    All other letters stay at their places.
    """
    text = _QUOTED_ORDER.sub(lambda found: f"{found[1]} {found[3]} ", text)
    return _KEEPS_LENGTHS.sub(
        lambda found: found[1] + str(int(found[2] == "True")).ljust(len(found[2])), text
    )


class Across(ast.Attribute):
    """The transpose by which ``X.shape[1]`` is counted; NumPy's vector has no second axis."""


class Caret(ast.Pow):
    """The power of a text that is typed ``^``: what it means depends on what is raised."""


class Star(ast.Mult):
    """A ``*`` beside ``.*``, ``./`` or ``.^``: of two arrays it means the matrix product there."""


class Slash(ast.Div):
    """A ``/`` beside ``.*``, ``./`` or ``.^``."""


class StarBesideMarks(Star):
    """A ``*`` in a text with ``x'`` and without ``@``, as MATLAB multiplies matrices."""


class SlashBesideMarks(Slash):
    """A ``/`` in such a text."""


_WHOLE_PRODUCT = re.compile(r"(?<![.*])[*/](?!\*)")


def places_of_whole_products(text: str) -> list[int]:
    """Where ``*`` and ``/`` stand without a point."""
    return [found.start() for found in _WHOLE_PRODUCT.finditer(text)]


def at_places_of(text: str, changed: Sequence[tuple[int, str]]) -> tuple[str, list[int]]:
    """Text with some characters written otherwise, and where each of its bytes was.

    Parameters
    ----------
    text : str
    changed : sequence of (int, str)
        Places of single characters, ascending, and what stands there instead.

    Returns
    -------
    written : str
    places : list of int
        For each byte of ``written`` in UTF-8, and its end: the byte of ``text`` it comes from.
        Python's parser counts in bytes.
    """
    replacement = dict(changed)
    written, places, at = [], [], 0
    for i, character in enumerate(text):
        new = replacement.get(i, character)
        written.append(new)
        here = len(character.encode(errors="surrogatepass"))
        there = len(new.encode(errors="surrogatepass"))
        places += [at + (k if new == character else 0) for k in range(there)]
        at += here
    return "".join(written), [*places, at]


def mark(
    tree: ast.expr, written: str, places: Collection[int], kinds: Mapping[type, type[ast.operator]]
) -> None:
    """Give the operators at these characters of the text the kind that belongs to theirs."""
    if not places:
        return
    offsets = {len(written[:place].encode()) for place in places}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and type(node.op) in kinds:
            # One operator stands between the two, with brackets and spaces.
            start, stop = node.left.end_col_offset or 0, node.right.col_offset
            if any(start <= offset < stop for offset in offsets):
                node.op = kinds[type(node.op)]()


def with_nodes_changed(tree: ast.expr, change: Callable[[Any], Any]) -> ast.expr:
    """The tree with ``change(node)`` in the place of each node, from the top downwards.

    Without recursion, so that long sums are no reason to fail.
    """
    root = ast.Expression(tree)
    waiting: list[ast.AST] = [root]
    while waiting:
        node = waiting.pop()
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                value[:] = [change(item) for item in value]
                waiting += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and value._fields:  # no sign of an operator
                changed = change(value)
                setattr(node, name, changed)
                waiting.append(changed)
    return root.body


def transposes_by_caret(tree: ast.expr, scalars: Collection[str]) -> ast.expr:
    """The tree with ``x^T`` as a transpose, ``X^-T`` of the inverse, unless T is a scalar."""
    if "T" in scalars:
        return tree
    return with_nodes_changed(tree, _transposed)


def _transposed(node: Any) -> Any:
    """A node without ``^T`` and ``^-T`` at its top."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, Caret):
        exponent, inverse = node.right, False
        if isinstance(exponent, ast.UnaryOp) and isinstance(exponent.op, ast.USub):
            exponent, inverse = exponent.operand, True
        if not (isinstance(exponent, ast.Name) and exponent.id == "T"):
            break
        base: ast.expr = node.left
        if inverse:
            base = ast.copy_location(ast.Call(_name("inv", node), [base], []), node)
        node = ast.copy_location(ast.Attribute(base, "T", ast.Load()), node)
    return node


def _name(name: str, where: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Load()), where)
