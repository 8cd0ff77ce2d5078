"""What NumPy makes of arrays with one axis and with two, in a text that is spelled as NumPy's.

A vector is a column here. In NumPy it has one axis: beside a matrix it is repeated in every row,
and ``.T`` changes nothing. In a text with ``np.`` or ``x.mean()`` operations mean what NumPy
computes; where that cannot be told, they are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.numpy_functions import ENTRYWISE

__all__ = ["Kind", "NumpyAxes", "is_of_columns", "kind_of", "not_a_row"]

_KEEP_ONE_AXIS = frozenset([*FUNCTIONS, *ENTRYWISE, "sqrt"])
_OF_OTHER_AXES = (
    "sum mean norm trace det logdet amax amin logsumexp diag vec outer len size unit T tr "
    "transpose einsum np.flat"
)
_CHANGE_AXES = frozenset(_OF_OTHER_AXES.split())
_STACKS = frozenset(["hstack", "vstack", "block"])
_ALONG = frozenset(["sum", "mean", "norm", "logsumexp"])
_OF_ONE_AXIS = frozenset(["diag", "np.column", "np.cumsum", "np.diff", "np.inner", "np.row"])


class Kind(Enum):
    """How NumPy holds a value; a vector is a column here."""

    NUMBER = auto()
    VECTOR = auto()  # one axis
    TURNED = auto()  # one axis, and a row here: x.T
    COLUMN = auto()  # two axes, n×1: x[:, None]
    ROW = auto()  # two axes, 1×n: x[None, :]
    MATRIX = auto()
    TENSOR = auto()

    @property
    def turned(self) -> Kind:
        """That of the transpose."""
        return _TURNED.get(self, self)


_TURNED = {
    Kind.VECTOR: Kind.TURNED,
    Kind.TURNED: Kind.VECTOR,
    Kind.COLUMN: Kind.ROW,
    Kind.ROW: Kind.COLUMN,
}
_ONE_AXIS = (Kind.VECTOR, Kind.TURNED)


def kind_of(value: Any, column: Kind = Kind.VECTOR) -> Kind:
    """The kind by the shape; a column has one axis unless another kind is given for it."""
    if isinstance(value, Tensor) or (not isinstance(value, Expression) and value.axes):
        return Kind.TENSOR
    if value.is_scalar:
        return Kind.NUMBER
    if value.is_column:
        return column
    return Kind.ROW if _has_one_row(value) else Kind.MATRIX


def _has_one_row(value: Any) -> bool:
    rows = value.rows
    return rows == Size(1) if isinstance(rows, Size) else rows.is_one


class NumpyAxes:
    """The operations of an algebra as NumPy understands them; each gives a value and its kind.

    Parameters
    ----------
    algebra : Algebra
        Of expressions or shapes.
    """

    def __init__(self, algebra: Any) -> None:
        self.algebra = algebra

    def side_by_side(
        self, values: Sequence[Any], kinds: Sequence[Kind]
    ) -> tuple[list[Any], Kind, bool]:
        """Operands of an operation entry by entry, its kind, whether a vector became a row.

        Raises
        ------
        ValueError
            If a column of two axes stands beside a vector of one.
        """
        present = set(kinds) - {Kind.NUMBER}
        if len(present) <= 1:
            return list(values), next(iter(present), Kind.NUMBER), False
        if Kind.TENSOR in present:
            return list(values), Kind.TENSOR, False
        pairs = {Kind.COLUMN, Kind.ROW} <= present and Kind.MATRIX not in present
        whole = pairs or Kind.MATRIX in present
        if not whole and Kind.COLUMN in present and not present.isdisjoint(_ONE_AXIS):
            raise ValueError(
                "a column such as x[:, None] beside a vector is the matrix of all pairs in NumPy: "
                "write x - y for each entry, x[:, None] - y[None, :] for all pairs"
            )
        as_rows = whole or Kind.ROW in present
        made = list(values)
        for i, kind in enumerate(kinds):
            if kind is Kind.VECTOR and as_rows:
                made[i] = self.algebra.as_row(made[i])
            elif kind is Kind.TURNED and not as_rows and Kind.VECTOR in present:
                made[i] = self.algebra.transposed(made[i])
        if pairs:
            column, row = list(kinds).index(Kind.COLUMN), list(kinds).index(Kind.ROW)
            length = self.algebra.size_of(self.algebra.transposed(made[row]), 0)
            ones = self.algebra.call("ones", [Size(1), length], None)
            made[column] = self.algebra.binary("@", made[column], ones)
        order = (Kind.COLUMN, Kind.VECTOR)
        found = next((kind for kind in order if kind in present), Kind.MATRIX)
        found = Kind.MATRIX if whole else Kind.ROW if as_rows else found
        return made, found, as_rows and Kind.VECTOR in present

    def product(self, left: Any, right: Any, kinds: tuple[Kind, Kind]) -> tuple[Any, Kind]:
        """``left @ right``.

        Raises
        ------
        ShapeError
            If one is a scalar.
        ValueError
            If the inner or the outer product may be meant.
        """
        first, second = kinds
        if Kind.TENSOR in kinds:
            return self.algebra.binary("@", left, right), Kind.TENSOR
        if Kind.NUMBER in kinds:
            raise ShapeError(f"@ takes no scalar; found {left} and {right}; write * for scalars")
        if first is Kind.VECTOR and second is Kind.TURNED:
            raise ValueError(
                "x @ y.T of vectors may mean two things: to NumPy a vector has one axis, and this "
                "is the inner product; write np.dot(x, y) for that, np.outer(x, y) for the matrix "
                "of all products"
            )
        if second is Kind.TURNED and first is not Kind.COLUMN:
            right, second = self.algebra.transposed(right), Kind.VECTOR
        was_column = first is Kind.VECTOR
        if was_column:
            left = self.algebra.transposed(left)
        result = self.algebra.binary("@", left, right)
        ends = second in (Kind.VECTOR, Kind.COLUMN)
        if first in (*_ONE_AXIS, Kind.ROW):
            if ends:
                return result, Kind.NUMBER
            if was_column:
                return self.algebra.transposed(result), Kind.VECTOR
            return result, Kind.ROW if first is Kind.ROW else Kind.TURNED
        return result, second if ends else Kind.MATRIX

    def entry(self, value: Any, index: tuple[Any, ...], kind: Kind) -> tuple[Any, Kind]:
        """``value[index]``."""
        if kind is Kind.TURNED:
            value, kind = self.algebra.transposed(value), Kind.VECTOR
        result = self.algebra.entry(value, index)
        keeps_both = kind is Kind.COLUMN or len(index) == 2
        keeps_both = keeps_both and all(isinstance(part, slice) for part in index)
        return result, kind_of(result, Kind.COLUMN if keeps_both else Kind.VECTOR)

    def arguments(self, function: str, given: Sequence[Any], kinds: Sequence[Kind]) -> list[Any]:
        """Arguments of a function that is not entry by entry, as it takes them here.

        Raises
        ------
        ValueError
            If NumPy takes a vector there for a row.
        """
        if function in _KEEP_ONE_AXIS or function in ("hstack", "vstack"):
            return list(given)
        if function == "block":
            if Kind.VECTOR in kinds:
                raise ValueError(
                    "np.block makes a row of a vector, and a vector is a column here: write "
                    "x[:, None] for a column, x[None, :] for a row"
                )
            return list(given)
        made = [
            self.algebra.transposed(value) if kind is Kind.TURNED else value
            for value, kind in zip(given, kinds, strict=True)
        ]
        if function == "kron" and not {Kind.MATRIX, Kind.COLUMN, Kind.ROW}.isdisjoint(kinds):
            made = [
                self.algebra.transposed(value) if kind in _ONE_AXIS else value
                for value, kind in zip(made, kinds, strict=True)
            ]
        return made

    def kind_of_call(self, function: str, result: Any, count: int, kinds: Sequence[Kind]) -> Kind:
        """The kind of what a function of so many arguments gives."""
        if function in _KEEP_ONE_AXIS and Kind.TURNED in kinds:
            return Kind.TURNED
        if function in ("np.column", "outer") or (function in ("ones", "zeros") and count == 2):
            return kind_of(result, Kind.COLUMN)
        keeps = Kind.COLUMN in kinds and function not in _CHANGE_AXES
        return kind_of(result, Kind.COLUMN if keeps else Kind.VECTOR)

    def require_second_axis(self, kind: Kind) -> None:
        """Refuse ``x.shape[1]`` of a vector.

        Raises
        ------
        ValueError
        """
        if kind in _ONE_AXIS:
            raise ValueError("a vector has one axis in NumPy: write x.shape[0] for its length")

    def require_one_axis(
        self, function: str, kinds: Sequence[Kind], axis: int | None, has_order: bool
    ) -> None:
        """Refuse functions that do something else with two axes than with one.

        Parameters
        ----------
        function : str
        kinds : sequence of Kind
            Of the arguments.
        axis : int or None
        has_order : bool
            Of a norm, whether it has an order.

        Raises
        ------
        ValueError
        """
        first = kinds[0] if kinds else None
        two_axes = first in (Kind.COLUMN, Kind.ROW)
        if (two_axes and (function in _OF_ONE_AXIS or has_order)) or (
            first is Kind.COLUMN and axis in (1, -1)
        ):
            raise ValueError(
                "NumPy takes a column such as x[:, None], or a row, for a matrix here: write it "
                "without [:, None], reshape and keepdims"
            )


def is_of_columns(node: ast.expr) -> bool:
    """Whether it has an entry for each column of a matrix, as ``mean(X, axis=0)``."""
    if isinstance(node, ast.UnaryOp):
        return is_of_columns(node.operand)
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.MatMult):
            return False
        return is_of_columns(node.left) or is_of_columns(node.right)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return False
    if node.func.id in _ALONG:
        return any(ast.unparse(option.value) in ("0", "-2") for option in node.keywords)
    if node.func.id in _CHANGE_AXES or node.func.id in _STACKS:
        return False
    return any(map(is_of_columns, node.args))


def not_a_row(error: ShapeError) -> ShapeError:
    """The error where a vector that is read as a row does not fit, with what to write."""
    what = str(error).rsplit("; ", 1)[0]
    return ShapeError(
        f"{what}. Beside np. or a method a vector is repeated in every row, as in NumPy: write "
        "x[:, None] to repeat it in every column"
    )
