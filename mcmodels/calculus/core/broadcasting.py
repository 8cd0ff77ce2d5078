"""Arrays of different shapes side by side: what an elementwise operation repeats and refuses.

A vector is a column. So an m×n matrix takes a vector of m along every column, as x1ᵀ, and a row of
n along every row, as 1yᵀ. A scalar is repeated in every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcmodels.calculus.core.arithmetic import (
    matmul,
    ones,
    parts,
    require_same_shape,
    scale,
    shape_text,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Ones, Power
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["as_factor", "as_transpose", "broadcast", "broadcast_all", "spread"]

Shape = tuple[Size, Size]


def broadcast(operation: str, a: Expression, b: Expression) -> tuple[Expression, Expression]:
    """Two arrays or scalars in the shape that an elementwise operation gives them.

    Raises
    ------
    ShapeError
        If they do not fit; the message names the transpose where that would fit.
    """
    shape = _common(operation, a, b)
    return spread(a, shape), spread(b, shape)


def broadcast_all(
    operation: str,
    arrays: Sequence[Expression],
    join: Callable[[Sequence[Expression]], Expression],
) -> Expression:
    """Two or more arrays, joined from left to right; a matrix among them settles the shape.

    Parts of equal shape are joined at once, so that the time for many of them is not squared.
    """
    full = next((part for part in arrays if _is_matrix(part)), None)
    group, shape = [arrays[0]], _shape(arrays[0])
    for part in arrays[1:]:
        if _shape(part) != shape and not part.is_scalar:
            here = join(group)
            crossed = not (_is_matrix(here) or _is_matrix(part) or here.is_scalar)
            if full is not None and crossed:
                here, _ = broadcast(operation, here, full)
                part, _ = broadcast(operation, part, full)
            wider = _common(operation, here, part)
            if wider != shape:
                group, shape = [spread(here, wider)], wider
        group.append(spread(part, shape))
    return join(group)


def spread(part: Expression, shape: Shape) -> Expression:
    """A scalar, column or row repeated to a shape that it fits."""
    rows, cols = shape
    if _shape(part) == shape:
        return part
    if part.is_scalar:
        return scale(part, Ones(rows, cols))
    if part.is_column:
        return matmul([part, ones(ONE, cols)])
    return matmul([ones(rows, ONE), part])


def _shape(part: Expression) -> Shape:
    return part.rows, part.cols


def _is_matrix(part: Expression) -> bool:
    return ONE not in _shape(part)


def _common(operation: str, a: Expression, b: Expression) -> Shape:
    """The shape that both are repeated to."""
    if _shape(a) == _shape(b) or b.is_scalar:
        return _shape(a)
    if a.is_scalar:
        return _shape(b)
    if _is_matrix(a) and _is_matrix(b):
        require_same_shape(operation, a, b)
    if not (_is_matrix(a) or _is_matrix(b)):
        return _crossed(operation, a, b)
    operation, b = _as_typed(operation, b)
    line, matrix = (b, a) if _is_matrix(a) else (a, b)
    if (line.rows == matrix.rows) if line.is_column else (line.cols == matrix.cols):
        return _shape(matrix)
    if line.is_column and line.rows == matrix.cols:
        hint = f"write {as_transpose(line)} for every row"
    elif not line.is_column and line.cols == matrix.rows:
        hint = f"write {line.T} for every column"
    else:
        hint = f"a matrix of {matrix.rows}×{matrix.cols} takes {matrix.rows} or, as a row, "
        hint += f"{matrix.cols} entries"
    if operation.startswith("*") and a.cols == b.rows:
        product = f"write {as_factor(a)} @ {as_factor(b)} for the matrix product"
        hint = f"{product}, or {hint.removeprefix('write ')}"
    raise ShapeError(
        f"{operation} takes a vector, which is a column, for every column of a matrix, and a row "
        f"for every row; found {_described(a)} and {_described(b)}; {hint}"
    )


def _crossed(operation: str, a: Expression, b: Expression) -> Shape:
    """The shape of a column with a row: all pairs, where their sizes tell that this is meant."""
    if a.is_column == b.is_column:
        require_same_shape(operation, a, b)
    operation, b = _as_typed(operation, b)
    column, row = (a, b) if a.is_column else (b, a)
    if column.rows == row.cols:
        kind = "inner" if b.is_column else "outer"
        factors = [str(part) if _is_plain(part) else as_factor(part) for part in (a, b)]
        product = f"{' @ '.join(factors)} for the {kind} product, "
        raise ShapeError(
            f"{operation} of a column and a row of {row.cols}; found {_described(a)} and "
            f"{_described(b)}. Write {product if operation.startswith('*') else ''}{row.T} for the "
            f"vector, or {as_transpose(column)} for the row; "
            f"for the matrix of all pairs, multiply one by ones, as {as_factor(column)} @ "
            f"ones(1, {row.cols})"
        )
    return column.rows, row.cols


def _as_typed(operation: str, b: Expression) -> tuple[str, Expression]:
    """A term that is subtracted without the sign that it has in a sum, and a divisor as itself."""
    if operation == "+" and parts(b)[0] < 0:
        return "-", scale(-1, b)
    if operation.startswith("*") and isinstance(b, Power) and b.exponent == number(-1):
        return operation.replace("*", "/", 1), b.base
    return operation, b


def _described(part: Expression) -> str:
    return f"{shape_text(part)} ({part})"


def as_factor(part: Expression) -> str:
    """The text of a part as a factor, in brackets if it is more than a name."""
    text = str(part)
    return text if text.isidentifier() else f"({text})"


def _is_plain(part: Expression) -> bool:
    return str(part).removesuffix(".T").isidentifier()


def as_transpose(part: Expression) -> str:
    """The text of its transpose."""
    return f"{as_factor(part)}.T"
