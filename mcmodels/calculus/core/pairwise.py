"""The functions of two arrays, entry by entry: one line each, with derivatives and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcmodels.calculus.core.arithmetic import add, ones, parts, scale, transpose
from mcmodels.calculus.core.arithmetic.transposes import transposes
from mcmodels.calculus.core.elementwise_base import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import Pairwise, Where
from mcmodels.calculus.core.nodes import Ones, Sum, Transpose, Zeros
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sources import ABRAMOWITZ_STEGUN

__all__ = ["PAIRWISE", "PairwiseFunction", "choose", "complement", "pairwise", "unfilled"]

Slope = Callable[[Expression, Expression, Expression], Expression]


@dataclass(frozen=True)
class PairwiseFunction:
    """What is known of a function f(a, b) of two numbers.

    Attributes
    ----------
    name : str
        In Python text.
    statement : str
        Its differential, as a formula.
    source : str
        Where that is proved.
    left, right : callable
        The derivatives by a and by b, as expressions of a, b and f(a, b).
    code : str
        NumPy, with ``{0}`` and ``{1}`` for the arguments.
    kink : str
        Where it is not differentiable.
    """

    name: str
    statement: str
    source: str
    left: Slope
    right: Slope
    code: str
    kink: str


def complement(z: Expression) -> Expression:
    """1 where z is at most 0, else 0."""
    return add([ones(z.rows, z.cols), scale(-1, elementwise("step", z))])


def _difference(a: Expression, b: Expression) -> Expression:
    return add([a, scale(-1, b)])


_EQUAL = "where its arguments are equal"
_BY_PIECES = "from its definition, piece by piece"

PAIRWISE = {
    function.name: function
    for function in (
        PairwiseFunction("maximum", "d max(a, b) = step(a − b)∘da + (1 − step(a − b))∘db",
                         _BY_PIECES,
                         lambda a, b, y: elementwise("step", _difference(a, b)),
                         lambda a, b, y: complement(_difference(a, b)),
                         "np.maximum({0}, {1})", _EQUAL),
        PairwiseFunction("minimum", "d min(a, b) = step(b − a)∘da + (1 − step(b − a))∘db",
                         _BY_PIECES,
                         lambda a, b, y: elementwise("step", _difference(b, a)),
                         lambda a, b, y: complement(_difference(b, a)),
                         "np.minimum({0}, {1})", _EQUAL),
        PairwiseFunction("hypot", "d√(a² + b²) = (a∘da + b∘db)⊘√(a² + b²)",
                         f"{ABRAMOWITZ_STEGUN}, (3.3.6), (3.3.8)",
                         lambda a, b, y: a / y,
                         lambda a, b, y: b / y,
                         "np.hypot({0}, {1})", "where both its arguments are 0"),
    )
}  # fmt: skip


def pairwise(name: str, left: Expression, right: Expression) -> Expression:
    """The function of that name of two arrays of one shape."""
    return _upright(lambda a, b: Pairwise(name, a, b), left, right)


def choose(condition: Expression, left: Expression, right: Expression) -> Expression:
    """The entries of ``left`` where those of ``condition`` are positive, else of ``right``."""
    if left == right:
        return left
    return _upright(Where, _filled_by_terms(condition), left, right)


def _filled_by_terms(condition: Expression) -> Expression:
    """Sums of scalars that fill an array, as sums of arrays that each scalar fills.

    So it is written as a comparison: ``A > a + 1`` in place of ``A + (-a - 1) > 0``.
    """
    written = condition.children if isinstance(condition, Sum) else (condition,)
    terms: list[Expression] = []
    for term in written:
        coefficient, scalars, array = parts(term)
        if isinstance(array, Ones) and len(scalars) == 1 and isinstance(scalars[0], Sum):
            terms += [scale(coefficient, each, array) for each in scalars[0].children]
        else:
            terms.append(term)
    return add(terms) if len(terms) > len(written) else condition


def unfilled(expression: Expression, beside: tuple[Expression, ...]) -> Expression:
    """The scalar that fills an array, where another array beside it tells the shape."""
    if all(_filling(other) is not None or other.is_scalar for other in beside):
        return expression
    scalar = _filling(expression)
    return expression if scalar is None else scalar


def _filling(expression: Expression) -> Expression | None:
    """The scalar that fills an array; None if the array is filled by none."""
    if isinstance(expression, Sum):
        terms = [_filling(term) for term in expression.children]
        known = [term for term in terms if term is not None]
        return add(known) if len(known) == len(terms) else None
    coefficient, scalars, array = parts(expression)
    if isinstance(array, Zeros):
        return number(0)
    return scale(coefficient, *scalars) if isinstance(array, Ones) else None


def _upright(make: Callable[..., Expression], *children: Expression) -> Expression:
    """The node, or the transpose of that of the transposes where more of those are symbols."""
    flipped = [transpose(child) for child in children]
    if _transposes(children) > _transposes(flipped):
        return Transpose(make(*flipped))
    return make(*children)


def _transposes(children: tuple[Expression, ...] | list[Expression]) -> int:
    return sum(isinstance(parts(child)[2], Transpose) for child in children)


@transposes(Pairwise)
def _transposed_pair(node: Pairwise) -> Expression:
    turned = pairwise(node.name, transpose(node.left), transpose(node.right))
    return Transpose(node) if turned.key == node.key else turned


@transposes(Where)
def _transposed_choice(node: Where) -> Expression:
    return choose(*(transpose(child) for child in node.children))
