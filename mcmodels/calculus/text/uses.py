"""How names are used in a text: as arrays, as exponents, tied to others by a size."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.subscripts import read_subscripts
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.arguments import subscripts_in
from mcmodels.calculus.text.index_calls import place_in
from mcmodels.calculus.text.spelling import Star
from mcmodels.calculus.text.syntax import Source

__all__ = [
    "OF_ARRAYS",
    "around_stars",
    "exponents",
    "ranks",
    "rows_taken",
    "untied",
    "used_as_arrays",
]

_OF_ARRAYS = (
    "amax amin det diag eigvalsh eigvecsh expm hardmax inv logdet logm logsumexp matrix_power mean "
    "norm pinv polar reciprocal_gaps softmax solve sqrtm sum trace tril triu unvec vec vech"
)
OF_ARRAYS = frozenset(_OF_ARRAYS.split())
"""Functions that are meant for arrays: nobody writes the sum of a scalar."""

_OF_NUMPY = ("cumsum", "diff", "inner", "matmul", "max", "min", "std", "var")
_FOR_ARRAYS = OF_ARRAYS | ALIASES.keys() | {f"np.{name}" for name in _OF_NUMPY}

_MOST_ROUNDS = 5  # each carries a rank on by one name; more stand in no text that people type


def used_as_arrays(source: Source) -> set[str]:
    """Names that are transposed, indexed or multiplied by ``@``, or that a norm or sum is of.

    The sum may be of functions of each entry, as ``sum(exp(-x))``.
    """
    found: list[ast.AST] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Subscript):
            found.append(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found += [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found += map(_only_name, node.args) if node.func.id in _FOR_ARRAYS else []
    return {node.id for node in found if isinstance(node, ast.Name)}


def _only_name(node: ast.expr) -> ast.expr:
    """The x of a function of each entry of x alone; of all else the node itself."""
    names: dict[str, ast.expr] = {}
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            names[part.id] = part
        elif not isinstance(part, ast.Constant):
            inside = _alike(part)
            if not inside:
                return node
            waiting += inside
    return next(iter(names.values())) if len(names) == 1 else node


def around_stars(source: Source) -> tuple[set[str], set[str]]:
    """Names before ``*``, and behind a matrix and ``*``, in a text with ``.*``.

    As in MATLAB, the first are scalars, as in ``c*x.^2``, and the second are none, as in ``X*w``.
    """
    before, behind = set(), set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, Star):
            left, right = node.left, node.right
            if isinstance(left, ast.Name) and not left.id[0].isupper():
                before.add(left.id)
            elif isinstance(left, ast.Name) and isinstance(right, ast.Name):
                behind.add(right.id)
    return before - used_as_arrays(source) - behind, behind


def ranks(source: Source) -> dict[str, int]:
    """The number of indices of names that are operands of an einsum, or stand beside a tensor."""
    found: dict[str, int] = {}
    nodes = list(ast.walk(source.tree))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _name(node) == "einsum"]
    if not calls:
        return found
    results: dict[ast.AST, int] = {}
    for call in calls:
        subscripts = subscripts_in(source.text, call.args[0])
        terms, output = read_subscripts(subscripts, len(call.args) - 1)
        results[call] = len(output)
        for term, operand in zip(terms, call.args[1:], strict=True):
            if isinstance(operand, ast.Name):
                found[operand.id] = len(term)
    for _ in range(_MOST_ROUNDS):
        before = len(found)
        _spread(nodes, results, found)
        if len(found) == before:
            break
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


def _spread(nodes: list[ast.AST], results: dict[ast.AST, int], found: dict[str, int]) -> None:
    """Give names that stand beside tensors, entry by entry, their rank."""
    rank: dict[ast.AST, int] = {}
    for node in reversed(nodes):  # parts first
        known = results.get(node, found.get(node.id, 0) if isinstance(node, ast.Name) else 0)
        rank[node] = max([known, *(rank.get(part, 0) for part in _alike(node))])
    for node in nodes:  # wholes first
        for part in _alike(node) if rank[node] > 2 else ():
            if rank[part] == 0:
                rank[part] = rank[node]
                if isinstance(part, ast.Name) and part.id[0].isupper():
                    found[part.id] = rank[node]


def _alike(node: ast.AST) -> list[ast.expr]:
    """The parts of the shape of the whole, or scalars."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
        return [node.left] if isinstance(node.op, ast.Pow) else [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    entrywise = isinstance(node, ast.Call) and _name(node) not in OF_ARRAYS | {"einsum"}
    return list(node.args) if entrywise and isinstance(node, ast.Call) else []


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


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
