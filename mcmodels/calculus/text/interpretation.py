"""A walk over a syntax tree, which calls the operations of an algebra: of expressions or shapes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.algebra import Algebra
from mcmodels.calculus.text.aliases import ALIASES, aliased
from mcmodels.calculus.text.arguments import (
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
from mcmodels.calculus.text.numpy_axes import (
    Kind,
    NumpyAxes,
    is_of_columns,
    kind_of,
    not_a_row,
)
from mcmodels.calculus.text.numpy_functions import BROADCAST, FUNCTIONS, applied
from mcmodels.calculus.text.numpy_stacks import STACKS, stacked
from mcmodels.calculus.text.spelling import Across, Slash, SlashBesideMarks, Star, StarBesideMarks
from mcmodels.calculus.text.syntax import COMPARISONS, OPERATORS, ParseError, Source

__all__ = ["interpret"]

_PAIRWISE = frozenset(["clip", "hypot", "maximum", "minimum", "where"])
T = TypeVar("T")
_BESIDE_MARKS = (SlashBesideMarks, StarBesideMarks)
_MOST_FACTORS = 200  # cancelling neighbours takes time with the cube of their number

Chained = ast.BinOp | ast.Attribute | ast.Subscript


def interpret(source: Source, algebra: Algebra[T], columns: Collection[str] = ()) -> T:
    """The value of a text in an algebra.

    Parameters
    ----------
    source : Source
    algebra : Algebra
    columns : collection of str
        Vectors that are declared with two axes, n×1, as NumPy counts them.

    Raises
    ------
    ParseError
        If the algebra refuses a part of it by a ValueError other than a `ShapeError`, which passes.
    """
    try:
        return _Walk(source, algebra, columns).value(source.tree)
    except (RecursionError, MemoryError, OverflowError):
        source.refuse("it is too large an expression; read it in parts")


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Expression) and value.is_array)


class _Walk(Generic[T]):
    def __init__(self, source: Source, algebra: Algebra[T], columns: Collection[str]) -> None:
        self.source, self.algebra, self.columns = source, algebra, columns
        self.numpy = NumpyAxes(algebra) if source.is_numpy else None
        self.kinds: dict[ast.expr, Kind] = {}  # of a text in NumPy's spelling

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
            if self.numpy is not None:
                kind = self.kinds[node.value]
                if isinstance(node, Across):
                    self.numpy.require_second_axis(kind)
                self.kinds[node] = kind.turned
            return self.algebra.transposed(value)
        if isinstance(node, ast.Subscript):
            index = index_in(self.source.text, node)
            if self.numpy is None:
                return self.algebra.entry(value, index)
            entry, self.kinds[node] = self.numpy.entry(value, index, self.kinds[node.value])
            return entry
        operator = OPERATORS[type(node.op)]
        if operator == "^" and isinstance(node.right, ast.UnaryOp):
            operator = "^-"
        alike = next((pair for pair in ("+-", "*/") if operator in pair), None)
        if alike is None:
            return self._binary(node, operator, value, self.value(node.right))
        links, parts = [node], [value, self.value(node.right)]
        if not isinstance(node.op, _BESIDE_MARKS):
            self._require_one_meaning(node, parts)
        while chain:
            after = chain[-1]
            if not (isinstance(after, ast.BinOp) and OPERATORS[type(after.op)] in alike):
                break
            links.append(after)
            parts.append(self.value(after.right))
            if not isinstance(after.op, _BESIDE_MARKS):
                self._require_one_meaning(after, parts)
            chain.pop()
        turned = [False, *(OPERATORS[type(link.op)] == alike[1] for link in links)]
        combined = self.algebra.total if alike == "+-" else self.algebra.multiple
        result = self._side_by_side(
            links[-1],
            [node.left, *(link.right for link in links)],
            parts,
            lambda made: combined(list(zip(turned, made, strict=True))),
        )
        for count, link in enumerate(links, start=2):  # after what does not fit has been refused
            if isinstance(link.op, _BESIDE_MARKS):
                self._require_one_meaning(link, parts[:count])
        return result

    def _binary(self, node: ast.BinOp, operator: str, left: T, right: T) -> T:
        if self.numpy is None:
            return self.algebra.binary(operator, left, right)
        kinds = (self.kinds[node.left], self.kinds[node.right])
        if operator == "@":
            product, self.kinds[node] = self.numpy.product(left, right, kinds)
            return product
        self.kinds[node] = kinds[1] if kinds[0] is Kind.NUMBER else kinds[0]
        return self.algebra.binary(operator, left, right)

    def _side_by_side(
        self,
        node: ast.expr,
        nodes: Sequence[ast.expr],
        values: Sequence[T],
        combined: Callable[[list[T]], T],
    ) -> T:
        """The result of an operation entry by entry; in NumPy's spelling as NumPy repeats."""
        if self.numpy is None:
            self._require_rows_for_columns(nodes, values)
            return combined(list(values))
        kinds = [self.kinds[part] for part in nodes]
        made, self.kinds[node], is_turned = self.numpy.side_by_side(values, kinds)
        try:
            return combined(made)
        except ShapeError as error:
            if not is_turned or type(error) is not ShapeError:
                raise
            raise not_a_row(error) from None

    def _require_rows_for_columns(self, nodes: Sequence[ast.expr], values: Sequence[Any]) -> None:
        """Refuse a vector with an entry for each column beside a matrix: a row is meant."""
        if not self.source.has_axes or any(isinstance(value, Tensor) for value in values):
            return
        for node, value in zip(nodes, values, strict=True):
            beside = value.is_column and not value.is_scalar and is_of_columns(node)
            if beside and any(kind_of(other) is Kind.MATRIX for other in values):
                self.source.refuse(
                    "a vector is a column here, and with axis=0 it has an entry for each column "
                    "of the matrix: write .T behind it, as in X - mean(X, axis=0).T",
                    node,
                )

    def _require_one_meaning(self, node: ast.BinOp, parts: list[T]) -> None:
        """Refuse ``A*x`` of arrays in a text with ``.*`` or ``x'``, where a product is meant."""
        if not isinstance(node.op, Star | Slash):
            return
        *before, last = parts
        arrays = [part for part in (*before, last) if _is_array(part)]
        if _is_array(last) and len(arrays) > 1:
            sign = OPERATORS[type(node.op)]
            remedy = "@ for the matrix product" if sign == "*" else "inv(B) @ or @ inv(B)"
            beside = "x'" if isinstance(node.op, _BESIDE_MARKS) else ".*, ./ or .^"
            self.source.refuse(
                f"{sign} of two arrays beside {beside} may mean two things: write {remedy}, "
                f".{sign} for each entry",
                node.right,
            )

    def _leaf(self, node: ast.expr) -> T:
        try:
            value = self._leaf_value(node)
        except (ParseError, ShapeError):
            raise
        except ValueError as error:
            self.source.refuse(str(error), node)
        if self.numpy is not None and node not in self.kinds:
            self.kinds[node] = kind_of(value)
        return value

    def _leaf_value(self, node: ast.expr) -> T:
        if isinstance(node, ast.Constant):
            return self.algebra.number(number_in(self.source.text, node))
        if isinstance(node, ast.Name):
            value = self.algebra.name(node.id)
            if node.id in self.columns:
                self.kinds[node] = kind_of(value, Kind.COLUMN)
            return value
        if isinstance(node, ast.UnaryOp):
            operand = self.value(node.operand)
            if self.numpy is not None:
                self.kinds[node] = self.kinds[node.operand]
            negative = isinstance(node.op, ast.USub)
            return self.algebra.negative(operand) if negative else operand
        if isinstance(node, ast.Compare):
            sides = [node.left, node.comparators[0]]
            sign = COMPARISONS[type(node.ops[0])]
            return self._side_by_side(
                node,
                sides,
                [self.value(side) for side in sides],
                lambda made: self.algebra.compared(sign, *made),
            )
        assert isinstance(node, ast.Call), "all other nodes have been refused"
        return self._call(node)

    def _call(self, node: ast.Call) -> T:
        text = self.source.text
        assert isinstance(node.func, ast.Name)
        function = node.func.id
        sum_ = index_call(node)
        if sum_ is not None and not set(sum_.names).isdisjoint(self.source.indices):
            result = self._sum(sum_)
            if self.numpy is not None:
                self.kinds[node] = self.kinds[sum_.body]
            return result
        options = self._options(node)
        axis = options.get("axis")
        if function in STACKS:
            blocks = blocks_in(text, function, node.args[0])
            parts = self._taken(function, blocks, [self.value(part) for part in blocks])
            if axis == -1 and any(self.kinds.get(part) is Kind.COLUMN for part in blocks):
                axis = 1
            return self._noted(node, stacked(function, self.algebra, parts, axis), blocks)
        if function in FUNCTIONS or function in ALIASES:
            values = [self.value(argument) for argument in node.args]
            return self._named_otherwise(node, values, options)
        arguments: list[Any] = []
        argument: Any
        nodes: list[ast.expr] = []  # of arguments that have a value
        places: list[int] = []
        for kind, argument in zip(SIGNATURES[function].kinds, node.args, strict=False):
            if kind == "s":
                arguments.append(self._size(argument))
            elif kind == "q":
                arguments.append(subscripts_in(text, argument))
            elif kind == "i" and function == "unit" and place_in(argument) is not None:
                arguments.append(unit_place(argument))
            elif kind == "i":
                arguments.append(whole_in(text, argument))
            elif kind == "o" and (order := order_in(argument)) is not None:
                arguments.append(order)
            elif kind == "l":
                nodes += argument.elts
                arguments.append([self.value(part) for part in argument.elts])
            elif kind == "g":
                rows = [row.elts for row in argument.elts]
                nodes += [part for row in rows for part in row]
                arguments.append([[self.value(part) for part in row] for row in rows])
            else:
                nodes.append(argument)
                places.append(len(arguments))
                arguments.append(self.value(argument))
        if function in _PAIRWISE:
            call = self.algebra.call
            return self._side_by_side(
                node, node.args, arguments, lambda made: call(function, made, axis)
            )
        has_order = function == "norm" and len(arguments) > 1
        taken = self._taken(function, nodes, [arguments[i] for i in places], axis, has_order)
        for place, value in zip(places, taken, strict=False):
            arguments[place] = value
        return self._noted(node, self.algebra.call(function, arguments, axis), nodes)

    def _named_otherwise(self, node: ast.Call, values: list[T], options: dict[str, int]) -> T:
        """A call of a function in `FUNCTIONS` or `ALIASES`."""
        assert isinstance(node.func, ast.Name)
        function = node.func.id

        def called(given: Sequence[T]) -> T:
            result: T
            if function in FUNCTIONS:
                result = applied(function, self.algebra, list(given), options)
            else:
                result = aliased(function, self.algebra, list(given))
            return result

        if function in BROADCAST:
            return self._side_by_side(node, node.args, values, called)
        taken = self._taken(function, node.args, values, options.get("axis"))
        if self.numpy is not None and function in ("T", "transpose"):
            self.kinds[node] = self.kinds[node.args[0]].turned
            return self.algebra.transposed(values[0])
        if self.numpy is not None and function in ("dot", "np.matmul"):
            first = self.kinds[node.args[0]]
            if first is Kind.COLUMN:  # NumPy does not turn it
                return self._noted(node, self.algebra.binary("@", *taken), node.args)
        return self._noted(node, called(taken), node.args)

    def _taken(
        self,
        function: str,
        nodes: Sequence[ast.expr],
        values: list[T],
        axis: int | None = None,
        has_order: bool = False,
    ) -> list[T]:
        """Arguments as the function takes them here."""
        if self.numpy is None:
            return values
        kinds = [self.kinds[part] for part in nodes]
        self.numpy.require_one_axis(function, kinds, axis, has_order)
        return self.numpy.arguments(function, values, kinds)

    def _noted(self, node: ast.Call, result: T, nodes: Sequence[ast.expr]) -> T:
        """The result, after its kind is noted."""
        if self.numpy is not None:
            assert isinstance(node.func, ast.Name)
            kinds = [self.kinds[part] for part in nodes]
            self.kinds[node] = self.numpy.kind_of_call(node.func.id, result, len(node.args), kinds)
        return result

    def _size(self, node: ast.expr) -> Any:
        counted = counted_in(node)
        if counted is None:
            return size_in(self.source.text, node)
        array, less = counted
        return self.algebra.size_of(self.value(array), less)

    def _options(self, node: ast.Call) -> dict[str, int]:
        text = self.source.text
        return {str(option.arg): whole_in(text, option.value) for option in node.keywords}

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
