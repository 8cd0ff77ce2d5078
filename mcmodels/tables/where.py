"""Conditions on rows of a table, written as text."""

from __future__ import annotations

import ast
import difflib
import functools
import operator
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from mcmodels.tables.packages import pyarrow
from mcmodels.tables.values import is_text

__all__ = ["condition"]

_GRAMMAR = (
    "write comparisons (==, !=, <, <=, >, >=) of columns with numbers or quoted text, and "
    "'in [...]' or 'not in [...]', joined by and, or, not"
)
# A name between backticks; or text between quotes, in which a backtick is a letter.
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""")
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def condition(where: Any, schema: Any) -> tuple[Any, list[str] | None]:
    """A ``pyarrow.compute.Expression``, and the columns that it reads; None: not known.

    Parameters
    ----------
    where : str or pyarrow.compute.Expression
        Comparisons of columns with constants, or of two columns, joined by ``and``, ``or`` and
        ``not``, with ``in`` and ``not in`` for lists. A name that is no identifier stands between
        backticks. Text that is compared with a date or a time is read as one.
    schema : pyarrow.Schema
        The columns.

    Raises
    ------
    ValueError
        For anything else, for columns that are not there, and for text beside numbers.
    TypeError
        If ``where`` is neither text nor an expression.
    """
    if isinstance(where, pyarrow("where").compute.Expression):
        return where, None
    if not isinstance(where, str):
        raise TypeError(
            f"where is a {type(where).__name__}; pass text or a pyarrow.compute.Expression."
        )
    reader = _Reader(where, schema)
    return reader.read(), sorted(reader.used)


class _Reader:
    """Reads one condition; errors show its text."""

    def __init__(self, text: str, schema: Any) -> None:
        self.text, self.schema = text, schema
        self.arrow = pyarrow("where")
        self.names: dict[str, str] = {}
        self.used: set[str] = set()

    def read(self) -> Any:
        """The expression."""
        try:
            tree = ast.parse(_QUOTED.sub(self._placeholder, self.text.strip()), mode="eval")
        except SyntaxError as error:
            raise self._refusal(f"cannot be read ({error.msg})") from None
        return self._logical(tree.body)

    def _placeholder(self, found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        name = f"_column_{len(self.names)}_"
        self.names[name] = found[1]
        return name

    def _refusal(self, what: str) -> ValueError:
        return ValueError(f"where={self.text!r} {what}; {_GRAMMAR}.")

    def _logical(self, node: ast.AST) -> Any:
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            return functools.reduce(join, map(self._logical, node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._logical(node.operand)
        if isinstance(node, ast.Compare):
            return self._comparisons(node)
        if isinstance(node, ast.Name):
            field = self._field(node)
            if self.arrow.types.is_boolean(field.type):
                return self.arrow.compute.field(field.name)
            raise self._refusal(f"has the column {field.name!r}, which is {field.type}, alone")
        raise self._refusal(f"has {self._shown(node)}, which is no comparison")

    def _comparisons(self, node: ast.Compare) -> Any:
        sides = [node.left, *node.comparators]
        parts = [
            self._membership(left, kind, right)
            if isinstance(kind, ast.In | ast.NotIn)
            else self._comparison(left, kind, right)
            for left, kind, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return functools.reduce(operator.and_, parts)

    def _membership(self, left: ast.AST, kind: ast.In | ast.NotIn, right: ast.AST) -> Any:
        if not isinstance(left, ast.Name) or not isinstance(right, ast.List | ast.Tuple):
            raise self._refusal("needs a column before 'in', and a list after it")
        field = self._field(left)
        if not right.elts:
            raise self._refusal("has an empty list")
        values = [self._constant(value, field) for value in right.elts]
        known = self.arrow.array([value.as_py() for value in values], values[0].type)
        column, compute = self._column(field), self.arrow.compute
        # As in SQL, a missing value is neither in a list nor outside of it.
        nothing = compute.scalar(self.arrow.scalar(None, self.arrow.bool_()))
        inside = compute.if_else(column.is_valid(), column.isin(known), nothing)
        return inside if isinstance(kind, ast.In) else ~inside

    def _comparison(self, left: ast.AST, kind: ast.cmpop, right: ast.AST) -> Any:
        if type(kind) not in _COMPARISONS:
            raise self._refusal("has 'is'")
        fields = [self._field(side) for side in (left, right) if isinstance(side, ast.Name)]
        if not fields:
            other = next((side for side in (left, right) if not _is_constant(side)), None)
            if other is not None:
                raise self._refusal(f"has {self._shown(other)}, which is no column")
            raise self._refusal("compares two constants")
        compute = self.arrow.compute
        sides = [
            self._column(self._field(side))
            if isinstance(side, ast.Name)
            else compute.scalar(self._constant(side, fields[0]))
            for side in (left, right)
        ]
        return _COMPARISONS[type(kind)](*sides)

    def _column(self, field: Any) -> Any:
        """The column, of a type that is compared with constants."""
        kind = self._compared_as(field)
        column = self.arrow.compute.field(field.name)
        return column if kind == field.type else column.cast(kind)

    def _compared_as(self, field: Any) -> Any:
        types, kind = self.arrow.types, field.type
        if types.is_dictionary(kind):
            kind = kind.value_type
        if types.is_decimal(kind):
            return self.arrow.float64()
        if types.is_boolean(kind):
            return self.arrow.int8()
        return self.arrow.large_string() if types.is_string_view(kind) else kind

    def _field(self, node: ast.Name) -> Any:
        name = self.names.get(node.id, node.id)
        if name not in self.schema.names:
            near = difflib.get_close_matches(name, self.schema.names, n=1)
            hint = f"did you mean {near[0]!r}" if near else f"it has {', '.join(self.schema.names)}"
            raise ValueError(
                f"where={self.text!r} names the column {name!r}, which is not in the table; {hint}."
            )
        self.used.add(name)
        return self.schema.field(name)

    def _constant(self, node: ast.AST, field: Any) -> Any:
        """A constant as Arrow's scalar, fit to be compared with the column."""
        types = self.arrow.types
        if not _is_constant(node):
            raise self._refusal(f"has {self._shown(node)}, which is no constant")
        value = ast.literal_eval(node)
        if value is None:
            raise self._refusal("has None; missing='drop' drops rows with missing values")
        if not isinstance(value, bool | int | float | str):
            raise self._refusal(f"has {self._shown(node)}, which is no number and no text")
        kind = self._compared_as(field)
        if isinstance(value, str) and types.is_temporal(kind):
            return self._time(value, field, kind)
        if isinstance(value, str) != is_text(kind):
            quotes = "without quotes" if isinstance(value, str) else "in quotes"
            raise ValueError(
                f"where={self.text!r} compares {field.name!r}, which is {kind}, with {value!r}; "
                f"write the constant {quotes}."
            )
        try:
            # Of float32 columns as float32, so that 0.1 is found.
            return self.arrow.scalar(value, kind if types.is_floating(kind) else None)
        except (self.arrow.ArrowInvalid, OverflowError):
            raise self._refusal(f"has {value!r}, which is out of range") from None

    def _time(self, value: str, field: Any, kind: Any) -> Any:
        """A date or a time as text; a time without zone is in the zone of the column."""
        try:
            if self.arrow.types.is_timestamp(kind):
                time = pd.Timestamp(value)
                if kind.tz is not None and time.tz is None:
                    time = time.tz_localize(kind.tz)
                return self.arrow.scalar(time, kind)
            return self.arrow.scalar(value).cast(kind)
        except (ValueError, TypeError):  # those of Arrow are such, too
            form = "2024-12-31"
            if not self.arrow.types.is_date(kind):
                form = "2024-12-31 23:59:59" if self.arrow.types.is_timestamp(kind) else "23:59:59"
            raise ValueError(
                f"where={self.text!r} compares {field.name!r}, which is {kind}, with {value!r}; "
                f"write it as {form}."
            ) from None

    def _shown(self, node: ast.AST) -> str:
        return repr(ast.unparse(node))


def _is_constant(node: ast.AST) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True
