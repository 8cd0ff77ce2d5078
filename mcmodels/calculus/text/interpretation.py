"""A walk over a syntax tree, which calls the operations of an algebra: of expressions or shapes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.aliases import ALIASES, aliased
from mcmodels.calculus.text.arguments import (
    Index,
    blocks_in,
    index_in,
    number_in,
    order_in,
    size_in,
    subscripts_in,
    unit_place,
    whole_in,
)
from mcmodels.calculus.text.index_calls import (
    IndexCall,
    counted_in,
    index_call,
    place_in,
    places_in,
    tests_in,
)
from mcmodels.calculus.text.lines import (
    has_lines,
    is_column_of_numpy,
    require_no_lines,
    require_no_pairs,
)
from mcmodels.calculus.text.numpy_functions import FUNCTIONS, applied
from mcmodels.calculus.text.numpy_stacks import STACKS, stacked
from mcmodels.calculus.text.spelling import Slash, Star
from mcmodels.calculus.text.syntax import COMPARISONS, OPERATORS, ParseError, Source

__all__ = ["Algebra", "interpret"]

_PAIRWISE = frozenset(["clip", "hypot", "maximum", "minimum", "where"])
T = TypeVar("T")
_MOST_FACTORS = 200  # cancelling neighbours takes time with the cube of their number

Found = tuple[T, int, int]
"""An array with an index in brackets, the axis, and what is added to the index."""

Chained = ast.BinOp | ast.Attribute | ast.Subscript


class Algebra(Protocol[T]):
    """The operations that a walk over a syntax tree calls."""

    def number(self, value: int | float) -> T:
        """A number."""

    def name(self, name: str) -> T:
        """A name that is not in the place of a size."""

    def total(self, terms: list[tuple[bool, T]]) -> T:
        """A sum of two or more terms; of each, whether it is subtracted."""

    def multiple(self, factors: list[tuple[bool, T]]) -> T:
        """Two or more factors with ``*`` between; of each, whether it is a divisor."""

    def binary(self, operator: str, left: T, right: T) -> T:
        """``@``, ``**``, ``^``, or ``^-`` where the exponent starts with a minus."""

    def compared(self, operator: str, left: T, right: T) -> T:
        """A comparison by ``>``, ``>=``, ``<`` or ``<=``."""

    def negative(self, value: T) -> T:
        """``-value``."""

    def transposed(self, value: T) -> T:
        """``value.T``."""

    def length(self, value: T) -> T:
        """The number of rows."""

    def size_of(self, value: T, less: int) -> Any:
        """The number of rows less a number, as a size."""

    def entry(self, value: T, index: tuple[Index, ...]) -> T:
        """``value[index]``."""

    def call(self, function: str, arguments: list[Any], axis: int | None) -> T:
        """A function; its arguments are of the kinds in `SIGNATURES`."""

    def opened(self, name: str, over: Size | None, found: list[Found[T]]) -> Any:
        """An index, from here on; what is returned closes it."""

    def closed(self, before: Any) -> None:
        """The end of what `opened` has opened."""

    def summed(self, body: T, condition: T | None, names: tuple[str, ...], is_mean: bool) -> T:
        """A sum over open indices, that of the outermost sum first."""


def interpret(source: Source, algebra: Algebra[T]) -> T:
    """The value of a text in an algebra.

    Raises
    ------
    ParseError
        If the algebra refuses a part of it by a ValueError other than a `ShapeError`, which passes.
    """
    try:
        return _Walk(source, algebra).value(source.tree)
    except (RecursionError, MemoryError, OverflowError):
        source.refuse("it is too large an expression; read it in parts")


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Expression) and value.is_array)


class _Walk(Generic[T]):
    def __init__(self, source: Source, algebra: Algebra[T]) -> None:
        self.source, self.algebra = source, algebra
        self.has_lines = has_lines(source.tree)

    def value(self, node: ast.expr) -> T:
        """The meaning of a node; long chains a + b + … are followed without recursion."""
        chain: list[Chained] = []
        while isinstance(node, Chained):
            chain.append(node)
            node = node.left if isinstance(node, ast.BinOp) else node.value
        products = [link for link in chain if isinstance(link, ast.BinOp)]
        if sum(isinstance(link.op, ast.MatMult) for link in products) > _MOST_FACTORS:
            message = f"a product has at most {_MOST_FACTORS} factors; name some of it"
            self.source.refuse(message, products[0].right)
        result = self._leaf(node)
        while chain:
            outer = chain.pop()
            try:
                result = self._applied(outer, result, chain)
            except (ParseError, ShapeError):
                raise
            except ValueError as error:
                self.source.refuse(str(error), outer)
        return result

    def _applied(self, node: Chained, value: T, chain: list[Chained]) -> T:
        if isinstance(node, ast.Attribute):
            return self.algebra.transposed(value)
        if isinstance(node, ast.Subscript):
            return self.algebra.entry(value, index_in(self.source.text, node))
        operator = OPERATORS[type(node.op)]
        if operator == "^" and isinstance(node.right, ast.UnaryOp):
            operator = "^-"
        alike = next((pair for pair in ("+-", "*/") if operator in pair), None)
        if alike is None:
            return self.algebra.binary(operator, value, self.value(node.right))
        parts = [(False, value), (operator == alike[1], self.value(node.right))]
        self._require_one_meaning(node, parts)
        while chain:
            after = chain[-1]
            if not (isinstance(after, ast.BinOp) and OPERATORS[type(after.op)] in alike):
                break
            parts.append((OPERATORS[type(after.op)] == alike[1], self.value(after.right)))
            self._require_one_meaning(after, parts)
            chain.pop()
        return self.algebra.total(parts) if alike == "+-" else self.algebra.multiple(parts)

    def _require_no_pairs(self, where: ast.expr, nodes: Sequence[ast.expr], *values: Any) -> None:
        if self.has_lines:
            require_no_pairs(self.source, nodes, values, where)

    def _require_one_meaning(self, node: ast.BinOp, parts: list[tuple[bool, T]]) -> None:
        """Refuse ``A*x`` of arrays in a text with ``.*``, where it means the matrix product.

        And columns of NumPy beside vectors.
        """
        *others, (_, right) = parts
        self._require_no_pairs(node, (node.left, node.right), [p for _, p in others], [right])
        if not isinstance(node.op, Star | Slash):
            return
        *before, (_, last) = parts
        arrays = [part for part in (*(p for _, p in before), last) if _is_array(part)]
        if _is_array(last) and len(arrays) > 1:
            sign = OPERATORS[type(node.op)]
            remedy = "@ for the matrix product" if sign == "*" else "inv(B) @ or @ inv(B)"
            self.source.refuse(
                f"{sign} of two arrays beside .*, ./ or .^ may mean two things: write {remedy}, "
                f".{sign} for each entry",
                node.right,
            )

    def _leaf(self, node: ast.expr) -> T:
        try:
            if isinstance(node, ast.Constant):
                return self.algebra.number(number_in(self.source.text, node))
            if isinstance(node, ast.Name):
                return self.algebra.name(node.id)
            if isinstance(node, ast.UnaryOp):
                operand = self.value(node.operand)
                negative = isinstance(node.op, ast.USub)
                return self.algebra.negative(operand) if negative else operand
            if isinstance(node, ast.Compare):
                left, right = self.value(node.left), self.value(node.comparators[0])
                self._require_no_pairs(node, (node.left, *node.comparators), [left], [right])
                return self.algebra.compared(COMPARISONS[type(node.ops[0])], left, right)
            assert isinstance(node, ast.Call), "all other nodes have been refused"
            return self._call(node)
        except (ParseError, ShapeError):
            raise
        except ValueError as error:
            self.source.refuse(str(error), node)

    def _call(self, node: ast.Call) -> T:
        text = self.source.text
        assert isinstance(node.func, ast.Name)
        sum_ = index_call(node)
        if sum_ is not None and not set(sum_.names).isdisjoint(self.source.indices):
            return self._sum(sum_)
        if node.func.id in STACKS:
            blocks = blocks_in(text, node.func.id, node.args[0])
            axis = self._axis(node)
            if axis == -1 and any(map(is_column_of_numpy, blocks)):
                axis = 1
            parts = [self.value(part) for part in blocks]
            stack: T = stacked(node.func.id, self.algebra, parts, axis)
            return stack
        if self.has_lines and node.func.id in ("np.diff", "np.cumsum"):
            require_no_lines(self.source, node)
        if node.func.id in FUNCTIONS:
            taken = [self.value(argument) for argument in node.args]
            value: T = applied(node.func.id, self.algebra, taken, self._axis(node))
            return value
        if node.func.id in ALIASES:
            given = [self.value(argument) for argument in node.args]
            result: T = aliased(node.func.id, self.algebra, given)
            return result
        arguments: list[Any] = []
        argument: Any
        for kind, argument in zip(SIGNATURES[node.func.id].kinds, node.args, strict=False):
            if kind == "s":
                arguments.append(self._size(argument))
            elif kind == "q":
                arguments.append(subscripts_in(text, argument))
            elif kind == "i" and node.func.id == "unit" and place_in(argument) is not None:
                arguments.append(unit_place(argument))
            elif kind == "i":
                arguments.append(whole_in(text, argument))
            elif kind == "o" and (order := order_in(argument)) is not None:
                arguments.append(order)
            elif kind == "l":
                arguments.append([self.value(part) for part in argument.elts])
            elif kind == "g":
                rows = [row.elts for row in argument.elts]
                arguments.append([[self.value(part) for part in row] for row in rows])
            else:
                arguments.append(self.value(argument))
        if node.func.id in _PAIRWISE:
            self._require_no_pairs(node, node.args, *([argument] for argument in arguments))
        if self.has_lines and node.func.id == "norm" and len(arguments) > 1:
            require_no_lines(self.source, node)
        return self.algebra.call(node.func.id, arguments, self._axis(node))

    def _size(self, node: ast.expr) -> Any:
        counted = counted_in(node)
        if counted is None:
            return size_in(self.source.text, node)
        array, less = counted
        return self.algebra.size_of(self.value(array), less)

    def _axis(self, node: ast.Call) -> int | None:
        return whole_in(self.source.text, node.keywords[0].value) if node.keywords else None

    def _sum(self, call: IndexCall) -> T:
        counted = counted_in(call.over)
        over = None
        if call.over is not None and counted is None:
            over = size_in(self.source.text, call.over)
        before = []
        for name in call.names:
            found = [
                (self.value(array), axis, shift)
                for array, axis, shift in places_in(call, name)
                if isinstance(array, ast.Name)
            ]
            if counted is not None:
                found.append((self.value(counted[0]), 0, counted[1]))
            before.append(self.algebra.opened(name, over, found))
        body = self.value(call.body)
        condition = None if call.where is None else self._condition(call.where)
        result = self.algebra.summed(body, condition, call.names, call.is_mean)
        for state in reversed(before):
            self.algebra.closed(state)
        return result

    def _condition(self, node: ast.expr) -> T:
        tests = []
        for test in tests_in(node) or []:
            left, right = self.value(test.left), self.value(test.comparators[0])
            if isinstance(test.ops[0], ast.NotEq):
                gap = self.algebra.total([(False, left), (True, right)])
                size = self.algebra.call("abs", [gap], None)
                tests.append(self.algebra.compared(">", size, self.algebra.number(0)))
            else:
                tests.append(self.algebra.compared(COMPARISONS[type(test.ops[0])], left, right))
        return tests[0] if len(tests) == 1 else self.algebra.multiple([(False, t) for t in tests])
