"""Convexity of where(z > 0, a, b), as of Huber's loss: its pieces, and where they meet.

A function of one number is convex where it is so on both sides of a place, continuous there, and
its slope does not fall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, is_zero, parts, power, scale, total
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, rewrite, substitute
from mcmodels.calculus.core.symbols import matrix, scalar, vector
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.rule import DerivativeError
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.convexity.curvature import CONCAVE, CONVEX, UNKNOWN, Curvature, common

if TYPE_CHECKING:
    from mcmodels.calculus.study.convexity.composition import Composition

__all__ = ["of_choice"]

_EACH_ENTRY = (N.Elementwise, N.Power, N.Hadamard, N.Scaled, N.Sum, F.Pairwise)
_FILLED = (N.Ones, N.Zeros)
_NAME = "argument_of_pieces"


def of_choice(composition: Composition, e: F.Where) -> Curvature:
    """The curvature of a choice whose condition compares an affine u, or |u|, with a constant."""
    found = common([composition.of(e.left), composition.of(e.right)])
    if not composition.varies(e.condition):
        return found
    met = _boundaries(composition, e.condition)
    if not found or met is None:
        return UNKNOWN
    u, places = met
    t = _symbol_like(u)
    pieces = add([e.left, scale(-1, e.right)])
    difference = rewrite(pieces, lambda part: t if part == u else None)
    if composition.varies(difference) or not all(
        part == t or isinstance(part, _EACH_ENTRY)
        for part in parts_of(difference)
        if t in part.used
    ):
        return UNKNOWN
    try:
        if t.is_array and not _arrays_beside(t, [difference, *(place for place, _ in places)]):
            places = [(_entry(place, t), rising) for place, rising in places]
            difference, t = _entry(difference, t), scalar(_NAME)
        slope = gradients.gradient(total(difference), t)
    except DerivativeError:
        return UNKNOWN
    try:
        return found & _joined(composition, difference, slope, t, places)
    except (ArithmeticError, ValueError):  # not defined where pieces meet
        return UNKNOWN


def _joined(
    composition: Composition,
    difference: Expression,
    slope: Expression,
    t: Expression,
    places: list[tuple[Expression, bool]],
) -> Curvature:
    """What the places where pieces meet leave of the curvature of the pieces."""
    found = CONVEX | CONCAVE
    for place, rising in places:
        if not is_zero(_at(composition, difference, t, place)) or _jumps(
            composition, slope, t, place
        ):
            return UNKNOWN
        jump = scale(1 if rising else -1, _at(composition, slope, t, place))
        if is_zero(jump):
            continue
        sign = composition.ranges.sign(jump)
        found &= CONVEX if sign == 1 else CONCAVE if sign == -1 else UNKNOWN
    return found


def _symbol_like(u: Expression) -> Expression:
    if u.is_scalar:
        return scalar(_NAME)
    return vector(_NAME, u.rows) if u.is_column else matrix(_NAME, u.rows, u.cols)


def _arrays_beside(t: Expression, expressions: list[Expression]) -> bool:
    """Whether there are other arrays than those with one number in all entries."""
    leaves = (part for e in expressions for part in parts_of(e) if not part.children)
    return any(part.is_array and part != t and not isinstance(part, _FILLED) for part in leaves)


def _entry(e: Expression, t: Expression) -> Expression:
    """One of the entries, which are all alike."""
    values: dict[type[Expression], int] = {N.Ones: 1, N.Zeros: 0}

    def replaced(part: Expression) -> Expression | None:
        if part == t:
            return scalar(_NAME)
        return number(values[type(part)]) if isinstance(part, _FILLED) else None

    return rewrite(e, replaced)


def _boundaries(
    composition: Composition, z: Expression
) -> tuple[Expression, list[tuple[Expression, bool]]] | None:
    """An affine u, and the values of u where z is 0, each with whether z rises with u there."""
    terms = z.terms if isinstance(z, N.Sum) else (z,)
    varying = [term for term in terms if composition.varies(term)]
    coefficient, scalars, u = parts(varying[0])
    if u is None and len(scalars) == 1:
        u, scalars = scalars[0], ()
    if len(varying) > 1 or scalars or u is None:
        return None
    constant = [term for term in terms if term is not varying[0]]
    nothing = N.Zeros(z.rows, z.cols) if z.is_array else number(0)
    rest = add(constant) if constant else nothing
    place = scale(-1, power(number(coefficient), number(-1)), rest)
    if isinstance(u, N.Elementwise) and u.name == "abs":
        inner = u.argument
        if not (composition.ranges.positive(place) and composition.is_affine(inner)):
            return None
        rises = coefficient > 0
        return inner, [(place, rises), (scale(-1, place), not rises)]
    return (u, [(place, coefficient > 0)]) if composition.is_affine(u) else None


def _at(composition: Composition, e: Expression, t: Expression, place: Expression) -> Expression:
    """The value there, with abs and sign of what has a known sign, and exp(0), as numbers."""

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, N.Elementwise) or part.is_array:
            return None
        inside = substitute(part.argument, {t: place})
        if part.name == "exp":
            return number(1) if is_zero(inside) else None
        side = composition.ranges.sign(inside)
        if part.name == "abs" and side:
            return scale(side, inside)
        return number(side) if part.name == "sign" and side and not is_zero(inside) else None

    return simplify(substitute(rewrite(e, replaced), {t: place}))


def _jumps(composition: Composition, slope: Expression, t: Expression, place: Expression) -> bool:
    """Whether a slope may jump there, so that its value tells neither side's."""
    for part in parts_of(slope):
        if t not in part.used:
            continue
        if isinstance(part, N.Elementwise) and part.name in ("sign", "step"):
            inside = _at(composition, part.argument, t, place)
            positive = composition.ranges.positive
            if not (positive(inside) or positive(scale(-1, inside))):
                return True
        elif isinstance(part, F.Where | F.Hardmax):
            return True
    return False
