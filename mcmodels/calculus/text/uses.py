"""How names are used in a text: as arrays, as exponents, tied to others by a size."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.index_calls import place_in
from mcmodels.calculus.text.syntax import Source, subscripts_in

__all__ = ["OF_ARRAYS", "exponents", "ranks", "rows_taken", "untied", "used_as_arrays"]

_OF_ARRAYS = (
    "amax amin det diag eigvalsh eigvecsh expm hardmax inv logdet logm logsumexp matrix_power mean "
    "norm pinv polar reciprocal_gaps softmax solve sqrtm sum trace tril triu unvec vec vech"
)
OF_ARRAYS = frozenset(_OF_ARRAYS.split())
"""Functions that are meant for arrays: nobody writes the sum of a scalar."""


def used_as_arrays(source: Source) -> set[str]:
    """Names that are transposed, indexed or multiplied by ``@``, or that a norm or sum is of."""
    found: list[ast.AST] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Subscript):
            found.append(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found += [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found += node.args if node.func.id in OF_ARRAYS | ALIASES.keys() else []
    return {node.id for node in found if isinstance(node, ast.Name)}


def ranks(source: Source) -> dict[str, int]:
    """The number of indices of names that are operands of an einsum."""
    found: dict[str, int] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "einsum":
            inputs = subscripts_in(source.text, node.args[0]).replace(" ", "").partition("->")[0]
            for term, operand in zip(inputs.split(","), node.args[1:], strict=False):
                if isinstance(operand, ast.Name):
                    found[operand.id] = len(term)
    return found


def rows_taken(source: Source) -> set[str]:
    """Names whose entry at an index is used as a vector, as in ``x[i].T @ w``, or at two."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        vectors: list[ast.AST] = []
        if isinstance(node, ast.Attribute):
            vectors = [node.value]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            vectors = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            vectors = list(node.args) if node.func.id in _OF_VECTORS else []
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            places = [place_in(part) for part in node.slice.elts]
            if isinstance(node.value, ast.Name) and places != [None] * len(places):
                found.add(node.value.id)
        for vector in vectors:
            for entry in _terms(vector):
                if isinstance(entry, ast.Subscript) and place_in(entry.slice) is not None:
                    found.update(n.id for n in [entry.value] if isinstance(n, ast.Name))
    return found


_OF_VECTORS = frozenset(["dot", "norm", "outer", "logsumexp", "softmax"])


def _terms(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def exponents(source: Source) -> set[str]:
    """Names behind a ``**``."""
    powers = (node for node in ast.walk(source.tree) if isinstance(node, ast.BinOp))
    exponents = (node.right for node in powers if isinstance(node.op, ast.Pow))
    return {node.id for node in exponents if isinstance(node, ast.Name)}


def untied(symbols: Mapping[str, Symbol], free: set[str]) -> list[list[str]]:
    """Groups of undeclared vectors that share their size with each other alone."""
    groups: dict[frozenset[str], list[str]] = {}
    for name, made in symbols.items():
        groups.setdefault(made.size_names, []).append(name)
    return [
        members
        for size, members in groups.items()
        if size
        and free.issuperset(members)
        and not any(
            other.size_names & size for name, other in symbols.items() if name not in members
        )
    ]
