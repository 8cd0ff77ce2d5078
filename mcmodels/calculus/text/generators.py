"""Sums as Python's programs write them: ``sum(y[i] * x[i] for i in range(n))``.

They become the calls that `index_calls` reads: ``sum_over(y[i] * x[i], i, over=n)``.
"""

from __future__ import annotations

import ast

from mcmodels.calculus.text.index_calls import place_in

__all__ = ["GENERATORS", "REMEDY", "over_index"]

GENERATORS = (ast.GeneratorExp, ast.ListComp)
REMEDY = "write sum(y[i] * X[i], i) for a sum over the index i"

_SUMS = frozenset(["sum", "mean"])


def over_index(call: ast.Call) -> ast.Call | None:
    """The call with its generator as a sum over an index; None for anything else.

    A generator that takes other values than those of ``range(n)`` is left as it is, and refused
    with all other nodes that are no part of an expression.
    """
    if not (isinstance(call.func, ast.Name) and call.func.id in _SUMS and len(call.args) == 1):
        return None
    generator = call.args[0]
    if not isinstance(generator, GENERATORS) or call.keywords:
        return None
    mean = call.func.id == "mean"
    body = generator.elt
    for loop in reversed(generator.generators):
        ends = _ends_of_range(loop)
        if ends is None or (mean and loop is not generator.generators[0]):
            return None
        name, start, over = ends
        tests = list(loop.ifs)
        targets = (other.target for other in generator.generators)
        others = {other.id for other in targets if isinstance(other, ast.Name)} - {name.id}
        first = start.value if isinstance(start, ast.Constant) else 0
        if first:
            if type(first) is not int or _holds(over, others) or _is_target(body, name.id):
                return None
            counted = _Counted(name.id, first)
            body, tests = counted.visit(body), [counted.visit(test) for test in tests]
            over = _less(over, first)
        elif start is not None:
            if not _holds(start, others):
                return None
            tests.insert(0, _compared(name, ast.GtE(), start))
        options = []
        if _holds(over, others):
            tests.insert(0, _compared(name, ast.Lt(), over))
        else:
            options.append(ast.keyword("over", over))
        if tests and mean:
            return None
        if tests:
            options.append(ast.keyword("where", _all_of(tests)))
        index = ast.copy_location(ast.Name(name.id, ast.Load()), name)
        function = ast.copy_location(ast.Name(f"{call.func.id}_over", ast.Load()), call.func)
        body = ast.copy_location(ast.Call(function, [body, index], options), call)
    assert isinstance(body, ast.Call)
    return body


def _ends_of_range(loop: ast.comprehension) -> tuple[ast.Name, ast.expr | None, ast.expr] | None:
    """The index, where it starts if not at 0, and where it ends."""
    name, values = loop.target, loop.iter
    if loop.is_async or not isinstance(name, ast.Name) or not isinstance(values, ast.Call):
        return None
    if not (isinstance(values.func, ast.Name) and values.func.id == "range") or values.keywords:
        return None
    if len(values.args) == 1:
        return name, None, values.args[0]
    if len(values.args) != 2:
        return None
    start, over = values.args
    is_zero = isinstance(start, ast.Constant) and type(start.value) is int and start.value == 0
    return name, None if is_zero else start, over


class _Counted(ast.NodeTransformer):
    """What is summed over t from a on, as t from 0 on: ``y[t - 1]`` from 1 on as ``y[t]``."""

    def __init__(self, name: str, first: int) -> None:
        self.name, self.first = name, first

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.slice, ast.Tuple):
            node.slice.elts = [self._index(part) for part in node.slice.elts]
        else:
            node.slice = self._index(node.slice)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._sum(node, self.first) if node.id == self.name else node

    def _index(self, node: ast.expr) -> ast.expr:
        place = place_in(node)
        if place is None or place.name != self.name:
            result: ast.expr = self.visit(node)
            return result
        return self._sum(node, place.shift + self.first)

    def _sum(self, where: ast.expr, shift: int) -> ast.expr:
        name = ast.copy_location(ast.Name(self.name, ast.Load()), where)
        if not shift:
            return name
        more = ast.copy_location(ast.Constant(abs(shift)), where)
        sign = ast.Add() if shift > 0 else ast.Sub()
        return ast.copy_location(ast.BinOp(name, sign, more), where)


def _less(over: ast.expr, first: int) -> ast.expr:
    """The number of terms: n − a of range(a, n)."""
    less = first
    if isinstance(over, ast.BinOp) and isinstance(over.op, ast.Sub):
        right = over.right
        if isinstance(right, ast.Constant) and type(right.value) is int:
            over, less = over.left, less + right.value
    return ast.copy_location(
        ast.BinOp(over, ast.Sub(), ast.copy_location(ast.Constant(less), over)), over
    )


def _is_target(body: ast.expr, name: str) -> bool:
    """Whether a sum inside runs over an index of the same name."""
    loops = (node for node in ast.walk(body) if isinstance(node, ast.comprehension))
    targets = (loop.target for loop in loops)
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _holds(node: ast.expr, names: set[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def _compared(name: ast.Name, operator: ast.cmpop, bound: ast.expr) -> ast.expr:
    left = ast.copy_location(ast.Name(name.id, ast.Load()), bound)
    return ast.copy_location(ast.Compare(left, [operator], [bound]), bound)


def _all_of(tests: list[ast.expr]) -> ast.expr:
    result = tests[0]
    for test in tests[1:]:
        result = ast.copy_location(ast.BinOp(result, ast.Mult(), test), test)
    return result
