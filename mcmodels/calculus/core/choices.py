"""What users write for choices between entries: maximum, minimum, clip, where and comparisons."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import nodes
from mcmodels.calculus.core.arithmetic import add, ones, parts, scale, transpose
from mcmodels.calculus.core.broadcasting import broadcast
from mcmodels.calculus.core.einsum_nodes import TensorLike
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.operators import as_expression, subtract
from mcmodels.calculus.core.pairwise import choose, complement, pairwise
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["clip", "hypot", "maximum", "minimum", "where"]


def _alike(function: str, *given: Any) -> list[Expression]:
    """The arguments in one shape: scalars, columns and rows are repeated, as by + and *."""
    expressions = [as_expression(value) for value in given]
    whole = expressions[0]
    for other in expressions[1:]:
        whole, _ = broadcast(function, whole, other)
    return [broadcast(function, e, whole)[0] for e in expressions]


def maximum(x: Any, y: Any) -> Expression:
    """The larger of two entries.

    Not differentiable where both are equal, where the derivative of ``y`` is used. So
    ``maximum(x, 0)`` is ``relu(x)``.

    Examples
    --------
    >>> from mcmodels.calculus import maximum, vector
    >>> x, y = vector("x", "n"), vector("y", "n")
    >>> maximum(x, y).evaluate(x=[1.0, 5.0], y=[2.0, 3.0])
    array([2., 5.])
    """
    a, b = _alike("maximum", x, y)
    return a if a == b else pairwise("maximum", a, b)


def minimum(x: Any, y: Any) -> Expression:
    """The smaller of two entries.

    Not differentiable where both are equal, where the derivative of ``y`` is used.

    Examples
    --------
    >>> from mcmodels.calculus import minimum, vector
    >>> x, y = vector("x", "n"), vector("y", "n")
    >>> minimum(x, y).evaluate(x=[1.0, 5.0], y=[2.0, 3.0])
    array([1., 3.])
    """
    a, b = _alike("minimum", x, y)
    return a if a == b else pairwise("minimum", a, b)


def clip(x: Any, low: Any, high: Any) -> Expression:
    """``minimum(maximum(x, low), high)``: each entry, brought between two bounds.

    Examples
    --------
    >>> from mcmodels.calculus import clip, vector
    >>> clip(vector("x", "n"), 0, 1).evaluate(x=[-2.0, 0.5, 3.0])
    array([0. , 0.5, 1. ])
    """
    return minimum(maximum(x, low), high)


def hypot(x: Any, y: Any) -> Expression:
    """√(x² + y²) of two entries, also where the squares overflow; no derivative at (0, 0).

    Examples
    --------
    >>> from mcmodels.calculus import hypot, scalar
    >>> x, y = scalar("x"), scalar("y")
    >>> hypot(x, y).gradient(x)
    x/hypot(x, y)
    """
    a, b = _alike("hypot", x, y)
    return pairwise("hypot", a, b)


def compare(operator: str, left: Any, right: Any) -> Expression:
    """1 where a comparison by >, >=, < or <= holds, else 0.

    ``x > y`` is ``step(x - y)``, and ``x >= y`` is ``1 - step(y - x)``. Its derivative is taken to
    be 0 everywhere.
    """
    if isinstance(right, TensorLike):
        return NotImplemented  # Python asks the tensor
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

    Examples
    --------
    >>> from mcmodels.calculus import abs, sum, vector, where
    >>> r = vector("r", "n")
    >>> huber = sum(where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5))
    >>> huber.gradient(r)
    step(|r| − 1) ∘ sign(r) + r ∘ (1 − step(|r| − 1))
    """
    if isinstance(condition, bool):
        raise ShapeError(
            f"the condition of where is a comparison such as x > 0; found {condition}. == and != "
            "compare how two expressions are written"
        )
    expression = as_expression(condition)
    tests = tests_of(expression)
    if tests is None:
        raise ShapeError(
            "the condition of where is a comparison such as x > 0, or comparisons multiplied; "
            f"found {expression}"
        )
    _, a, b = _alike("where", expression, x, y)
    for test, positive in tests:
        z, _ = _alike("where", test, a)
        a = choose(z, a, b) if positive else choose(z, b, a)
    return a


def condition_as_step(condition: Any) -> Expression:
    """A comparison, or several multiplied: positive where all hold.

    Raises
    ------
    ShapeError
        If it is none.
    """
    if isinstance(condition, bool):
        raise ShapeError(
            f"the condition of a sum is a comparison such as j > i; found {condition}. == and != "
            "compare how two expressions are written; write abs(i - j) > 0 for i != j"
        )
    expression = as_expression(condition)
    if tests_of(expression) is None:
        raise ShapeError(
            "the condition of a sum is a comparison such as t[j] >= t[i], or comparisons "
            f"multiplied; found {expression}"
        )
    return expression


def tests_of(condition: Expression) -> list[tuple[Expression, bool]] | None:
    """Each z of a product of comparisons z > 0 (True) and z <= 0 (False); None of anything else."""
    coefficient, scalars, array = parts(condition)
    factors = list(scalars)
    if isinstance(array, nodes.Hadamard):
        factors += array.children
    elif array is not None and not isinstance(array, nodes.Ones):
        factors.append(array)
    tests = [_test(factor) for factor in factors]
    found = [test for test in tests if test is not None]
    return found if found and len(found) == len(tests) and coefficient == 1 else None


def _test(factor: Expression) -> tuple[Expression, bool] | None:
    if isinstance(factor, nodes.Power):
        factor = factor.base  # two equal comparisons
    z = _argument_of_step(factor)
    if z is not None:
        return z, True
    z = _argument_of_step(add([ones(factor.rows, factor.cols), scale(-1, factor)]))
    return None if z is None else (z, False)


def _argument_of_step(e: Expression) -> Expression | None:
    if isinstance(e, nodes.Transpose):
        z = _argument_of_step(e.argument)
        return None if z is None else transpose(z)
    return e.argument if isinstance(e, nodes.Elementwise) and e.name == "step" else None
