"""Expressions: fields, children, shape and identity; operators and methods are in facades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.facade import ExpressionMethods
from mcmodels.calculus.operator_facade import ExpressionOperators

if TYPE_CHECKING:
    from mcmodels.calculus.core.nodes import Symbol

__all__ = ["Expression", "node"]

Kind = TypeVar("Kind", bound="Expression")


@dataclass_transform(eq_default=False)
def node(kind: type[Kind]) -> type[Kind]:
    """A kind of node: a dataclass whose fields are the arguments of its constructor."""
    return dataclass(slots=True, eq=False, repr=False)(kind)


class Expression(ExpressionOperators, ExpressionMethods):
    """A scalar, vector or matrix written with symbols; immutable.

    Made by `scalar`, `vector`, `matrix`, Python's operators and the functions of
    `mcmodels.calculus`. Two expressions are equal (``==``) when they are written alike, up to the
    order of terms in a sum and of factors in an elementwise product.

    Each kind of node is a subclass that declares its fields (see `node`). Children, key, pickling
    and rebuilding follow from them: fields that are expressions, or tuples of expressions, are the
    children.

    Its ``shape`` is ``()`` for a scalar, ``(n,)`` for a (column) vector, ``(m, n)`` for a matrix;
    a row is ``(1, n)``, and sizes are int or str.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n", symmetric=True)
    >>> f = x.T @ A @ x
    >>> f.shape
    ()
    >>> f.gradient(x)
    2Ax
    >>> f.hessian(x)
    2A
    >>> f.evaluate(x=[1.0, 2.0], A=[[2.0, 0.0], [0.0, 3.0]])
    14.0
    """

    __slots__ = (
        "children",
        "cols",
        "context",
        "hash",
        "height",
        "is_derivative",
        "key",
        "label",
        "rows",
        "size_names",
        "symmetric",
        "tensors",
        "used",
    )

    commutative = False
    __match_args__: tuple[str, ...] = ()
    children: tuple[Expression, ...]
    cols: Size
    context: frozenset[Symbol]
    hash: int
    height: int
    is_derivative: bool
    key: bytes
    label: tuple[object, ...]
    rows: Size
    size_names: frozenset[str]
    symmetric: bool | None  # whether it is known to be a symmetric matrix; None before it is asked
    tensors: bool  # whether a part is the vector of the entries of a tensor
    used: frozenset[Symbol]

    # -- how it is made -----------------------------------------------------------------------

    def _dimensions(self) -> tuple[Size, Size]:
        """Rows and columns, as they follow from the fields."""
        return self.rows, self.cols

    def arguments(self) -> tuple[Any, ...]:
        """The values of the fields: ``type(node)(*node.arguments())`` equals the node."""
        return tuple(getattr(self, name) for name in self.__match_args__)

    def arguments_with(self, children: Sequence[Expression]) -> list[Any]:
        """The values of the fields, with other expressions in the places of the children."""
        following = iter(children)
        return [
            next(following)
            if isinstance(value, Expression)
            else tuple(next(following) for _ in value)
            if isinstance(value, tuple)
            else value
            for value in self.arguments()
        ]

    def __post_init__(self) -> None:
        children: list[Expression] = []
        label: list[object] = []
        for name in self.__match_args__:
            value = getattr(self, name)
            if isinstance(value, Expression):
                children.append(value)
            elif isinstance(value, tuple):
                children += value
            elif name not in ("rows", "cols"):
                label.append(value)
        self._identify(tuple(children), tuple(label))

    def _identify(self, children: tuple[Expression, ...], label: tuple[object, ...]) -> None:
        """Set what follows from the fields; the key is made of kind, shape, label and children."""
        self.rows, self.cols = rows, cols = self._dimensions()
        self.children, self.label = children, label
        self.height = 1 + max((child.height for child in children), default=0)
        self.used = frozenset()
        self.context = frozenset()
        self.is_derivative = False
        self.tensors = False
        self.symmetric = None
        names = rows.names + cols.names
        if rows.rest is not None or cols.rest is not None:
            names = (*rows.all_names, *cols.all_names)
        self.size_names = frozenset(names)
        for child in children:
            if not child.used <= self.used:
                self.used = self.used | child.used
            if not child.size_names <= self.size_names:
                self.size_names = self.size_names | child.size_names
            if child.tensors:
                self.tensors = True
        if len(children) > 1:
            _check_names(self.used, self.size_names)
        self.key = self.key_of([child.key for child in children])
        self.hash = hash(self.key)

    def key_of(self, keys: list[bytes]) -> bytes:
        """The key of a node like this one with children of these keys."""
        if self.commutative:
            keys.sort()
        own = f"{type(self).__name__}|{self.label}|{self.rows}|{self.cols}|{len(keys)}|"
        return blake2b(own.encode() + b"".join(keys), digest_size=16).digest()

    # -- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int | str, ...]:
        """The shape of the value: a tuple of zero, one or two sizes."""
        sizes = () if self.is_scalar else (self.rows,) if self.is_column else (self.rows, self.cols)
        return tuple(str(size) if size.names else int(size.factor) for size in sizes)

    @property
    def symbols(self) -> tuple[Expression, ...]:
        """The symbols in it, sorted by name."""
        return tuple(sorted(self.used, key=lambda symbol: symbol.name))

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1×1."""
        return self.rows == ONE and self.cols == ONE

    @property
    def is_column(self) -> bool:
        """Whether it has one column: a vector, or a scalar."""
        return self.cols == ONE

    @property
    def is_square(self) -> bool:
        """Whether it has as many rows as columns."""
        return self.rows == self.cols

    @property
    def is_array(self) -> bool:
        """Whether it is not a scalar."""
        return not self.is_scalar

    def depends_on(self, symbols: frozenset[Symbol]) -> bool:
        """Whether the expression contains any of ``symbols``."""
        return not self.used.isdisjoint(symbols)

    @property
    def known(self) -> frozenset[Symbol]:
        """The symbols of the expression, and those of what it is a derivative of."""
        return self.used | self.context

    def within(self, symbols: frozenset[Symbol]) -> Expression:
        """The same expression, with more symbols that may be given values.

        A derivative and its function take the same. The values may determine sizes: the Hessian 2I
        of ‖x‖² is n×n, and the value of x determines n.
        """
        context = symbols - self.used
        if context == self.context:
            return self
        result = self._copy()
        result.context = context
        return result

    def as_derivative(self) -> Expression:
        """The same expression, known to be a derivative.

        Where sign and step stand in a derivative, 0 is no value of theirs: it is used at kinks, and
        is wrong where all sides of one agree. In other expressions it is their value.
        """
        if self.is_derivative:
            return self
        result = self._copy()
        result.is_derivative = True
        return result

    def _copy(self) -> Expression:
        result = object.__new__(type(self))
        for slot in _slots_of(self):
            setattr(result, slot, getattr(self, slot))
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return self.hash

    def __bool__(self) -> bool:
        raise TypeError(
            "an expression is neither true nor false; compare two with ==, choose entries by "
            "where(x > y, …), and write maximum(x, y) for the larger"
        )

    def __iter__(self) -> Iterator[Expression]:
        raise TypeError("an expression cannot be iterated over; index it with numbers")


_SLOTS: dict[type[Expression], list[str]] = {}  # by kind, once they are asked for


def _slots_of(e: Expression) -> list[str]:
    kind = type(e)
    if kind not in _SLOTS:
        _SLOTS[kind] = [s for base in kind.__mro__ for s in getattr(base, "__slots__", ())]
    return _SLOTS[kind]


def _check_names(used: frozenset[Symbol], size_names: frozenset[str]) -> None:
    names: dict[str, Symbol] = {}
    for symbol in used:
        other = names.setdefault(symbol.name, symbol)
        if other != symbol:
            first, second = sorted([other.described(), symbol.described()])
            raise ShapeError(
                f"the name {symbol.name!r} stands for two symbols, {first} and {second}; rename one"
            )
        if symbol.name in size_names:
            raise ShapeError(
                f"the name {symbol.name!r} stands for a size and for a symbol, "
                f"{symbol.described()}; rename one"
            )
