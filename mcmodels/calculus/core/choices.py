"""What users write for choices between entries: maximum, minimum, clip, where and comparisons."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import nodes
from mcmodels.calculus.core.arithmetic import add, ones, parts, scale, shape_text
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.operators import as_expression, subtract
from mcmodels.calculus.core.pairwise import choose, complement, pairwise
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["clip", "compare", "hypot", "maximum", "minimum", "where"]


def _alike(function: str, *given: Any) -> list[Expression]:
    """The arguments in one shape; a scalar beside an array is filled in."""
    expressions = [as_expression(value) for value in given]
    array = next((e for e in expressions if e.is_array), None)
    if array is None:
        return expressions
    filled = [
        scale(e, nodes.Ones(array.rows, array.cols)) if e.is_scalar else e for e in expressions
    ]
    for other in filled:
        if (other.rows, other.cols) != (array.rows, array.cols):
            raise ShapeError(
                f"{function} needs equal shapes, or scalars; found {shape_text(array)} ({array}) "
                f"and {shape_text(other)} ({other})"
            )
    return filled


def maximum(x: Any, y: Any) -> Expression:
    """The larger of two entries.

    Not differentiable where both are equal, where the derivative of ``y`` is used. So
    ``maximum(x, 0)`` is ``relu(x)``.
    """
    a, b = _alike("maximum", x, y)
    return a if a == b else pairwise("maximum", a, b)


def minimum(x: Any, y: Any) -> Expression:
    """The smaller of two entries.

    Not differentiable where both are equal, where the derivative of ``y`` is used.
    """
    a, b = _alike("minimum", x, y)
    return a if a == b else pairwise("minimum", a, b)


def clip(x: Any, low: Any, high: Any) -> Expression:
    """``minimum(maximum(x, low), high)``: each entry, brought between two bounds."""
    return minimum(maximum(x, low), high)


def hypot(x: Any, y: Any) -> Expression:
    """√(x² + y²) of two entries, also where the squares overflow; no derivative at (0, 0)."""
    a, b = _alike("hypot", x, y)
    return pairwise("hypot", a, b)


def compare(operator: str, left: Any, right: Any) -> Expression:
    """1 where a comparison by >, >=, < or <= holds, else 0.

    ``x > y`` is ``step(x - y)``, and ``x >= y`` is ``1 - step(y - x)``. Its derivative is taken to
    be 0 everywhere.
    """
    if operator in ("<", "<="):
        left, right = right, left
    if operator in (">", "<"):
        return elementwise("step", subtract(left, right))
    return complement(subtract(right, left))


def where(condition: Any, x: Any, y: Any) -> Expression:
    """The entries of ``x`` where a comparison holds, else those of ``y``.

    The derivative is that of the part that is chosen, also on the boundary, where the function may
    have none (`evaluate` warns there). Parts that are not chosen may be undefined:
    ``where(x > 0, x * log(x), 0)``.

    Parameters
    ----------
    condition : Expression
        A comparison such as ``x > y``; comparisons multiplied with ``*`` must all hold.
    x, y : Expression
        Of one shape, or scalars.

    Returns
    -------
    Expression

    Raises
    ------
    ShapeError
        If the condition is no comparison, or shapes differ.
    """
    if isinstance(condition, bool):
        raise ShapeError(
            f"the condition of where is a comparison such as x > 0; found {condition}. == and != "
            "compare how two expressions are written"
        )
    test, a, b = _alike("where", condition, x, y)
    return _chosen(test, a, b)


def _chosen(test: Expression, a: Expression, b: Expression) -> Expression:
    coefficient, scalars, array = parts(test)
    if isinstance(test, nodes.Scaled) and coefficient == 1:
        tests = [_filled(scalar, test) for scalar in scalars]
        tests += [] if array is None or isinstance(array, nodes.Ones) else [array]
    elif isinstance(test, nodes.Hadamard):
        tests = list(test.children)
    else:
        tests = [test]
    if len(tests) > 1:
        for one in tests:
            a = _chosen(one, a, b)
        return a
    test = tests[0]
    if _is_step(test):
        return choose(test.children[0], a, b)
    other = add([ones(test.rows, test.cols), scale(-1, test)])
    if _is_step(other):
        return choose(other.children[0], b, a)
    if isinstance(test, nodes.Transpose):
        inner = test.argument
        if _is_step(inner):
            return choose(nodes.Transpose(inner.children[0]), a, b)
    raise ShapeError(
        f"the condition of where is a comparison such as x > 0, or comparisons multiplied; "
        f"found {test}"
    )


def _filled(scalar: Expression, like: Expression) -> Expression:
    if like.is_scalar:
        return scalar
    if _is_step(scalar):
        return elementwise("step", scale(scalar.children[0], nodes.Ones(like.rows, like.cols)))
    return scale(scalar, nodes.Ones(like.rows, like.cols))


def _is_step(e: Expression) -> bool:
    return isinstance(e, nodes.Elementwise) and e.name == "step"
