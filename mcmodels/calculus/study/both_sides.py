"""Points on both sides of each choice: relu(x − 100) is seen below 100, and above it.

Random points are of size one, and a threshold of 100 is far from them. Some entries of a symbol are
scaled or moved until the other side is met.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.instances import Instance, as_declared
from mcmodels.calculus.text.printing.functions import sides
from mcmodels.plain import np
from mcmodels.user_warnings import NonDifferentiableWarning

__all__ = ["on_both_sides", "same_cases", "thresholds"]

_MOST_THRESHOLDS = 24  # of an expression with more, the others are left to chance
_MOST_ADDED = 6  # points
_MOST_TERMS = 64  # of a sum over indices, in which a threshold stands
_MOST_TRIED = 120  # moves of one symbol
_MOST_SYMBOLS = 6  # of a threshold that are moved
_MOST_NUMBERS = 4  # by which a symbol is moved
_SCALES = (-1.0, *(sign * 10.0**k for k in (1, 2, 3, -1, -2, 5, 7, -4) for sign in (1, -1)))
_FIXED = {"integer", "probability", "orthogonal"}  # such symbols are not moved

_Point = tuple[Instance, dict[bytes, Array]]  # with the values of parts that are known there


def thresholds(expressions: Sequence[Expression]) -> list[Expression]:
    """What the choices in some expressions depend on: which case holds is told by the sign."""
    found: dict[Expression, None] = {}
    for part in dict.fromkeys(part for e in expressions for part in parts_of(e)):
        if isinstance(part, N.Elementwise) and part.name in ("abs", "relu", "sign", "step"):
            margin = part.argument
        elif isinstance(part, F.Pairwise) and part.name in ("maximum", "minimum"):
            margin = add([part.left, scale(-1, part.right)])
        elif isinstance(part, F.Where):
            margin = part.condition
        else:
            continue
        if margin.used and scale(-1, margin) not in found:
            found[margin] = None
        if len(found) == _MOST_THRESHOLDS:
            break
    return list(found)


def on_both_sides(
    instances: Sequence[Instance],
    chosen_by: Sequence[Expression],
    expressions: Sequence[Expression],
    given: Mapping[Symbol, Array] | frozenset[Symbol] = frozenset(),
) -> tuple[list[Instance], list[str]]:
    """Further points, so that each threshold is seen with both signs.

    Parameters
    ----------
    instances : sequence of Instance
        The points there are.
    chosen_by : sequence of Expression
        The thresholds, as `thresholds` gives them.
    expressions : sequence of Expression
        What is to be defined at the points.
    given : set of Symbol
        Those that stay as they are.

    Returns
    -------
    added : list of Instance
    unseen : list of str
        The cases that were not met, as conditions.
    """
    added: list[Instance] = []
    unseen: list[str] = []
    points: list[_Point] = [(instance, {}) for instance in instances]
    signs = [_signs(margin, points) for margin in chosen_by]
    for i, margin in enumerate(chosen_by):
        for sign in (1, -1):
            if sign in signs[i]:
                continue
            found = None
            if len(added) < _MOST_ADDED:
                found = _moved(instances[0], margin, sign, expressions, given)
            if found is None:
                unseen.append(_condition(margin, sign))
                continue
            added.append(found)
            known: dict[bytes, Array] = {}
            for other, seen in zip(chosen_by, signs, strict=True):
                seen |= _signs(other, [(found, known)])
    return added, unseen


def _signs(margin: Expression, points: Sequence[_Point]) -> set[int]:
    """The signs of the entries of a margin at some points."""
    found: set[int] = set()
    for (values, sizes), known in points:
        for at in _with_indices(margin, values, sizes):
            try:
                with np.errstate(all="ignore"):
                    value = walk(margin, at, sizes, known=known if at is values else None)
            except EvaluationError:  # of a claim that is not defined there
                continue
            found |= {sign for sign in (1, -1) if (np.sign(value) == sign).any()}
            if len(found) == 2:
                return found
    return found


def same_cases(chosen_by: Sequence[Expression], one: Instance, other: Instance) -> bool:
    """Whether no entry of a threshold changes its sign from one point to another."""
    for margin in chosen_by:
        places = (_with_indices(margin, *instance) for instance in (one, other))
        for here, there in zip(*places, strict=True):
            with np.errstate(all="ignore"):
                before, after = (walk(margin, at, one[1]) for at in (here, there))
            if not np.array_equal(np.sign(before), np.sign(after)):
                return False
    return True


def _with_indices(
    margin: Expression, values: Mapping[Symbol, Array], sizes: Mapping[str, int]
) -> Iterator[Mapping[Symbol, Array]]:
    """The values, with those of the indices of sums inside of which the margin stands."""
    indices = [s for s in margin.used if isinstance(s, Index) and s not in values]
    if not indices:
        yield values
        return
    ranges = (range(index.over.value(sizes)) for index in indices)
    for chosen in islice(product(*ranges), _MOST_TERMS):
        counted = (np.full((1, 1), float(i)) for i in chosen)
        yield {**values, **dict(zip(indices, counted, strict=True))}


def _moved(
    instance: Instance,
    margin: Expression,
    sign: int,
    expressions: Sequence[Expression],
    given: Mapping[Symbol, Array] | frozenset[Symbol],
) -> Instance | None:
    """A point with one symbol moved, at which some entry of a margin has a sign."""
    values, sizes = instance
    symbols = sorted(
        (s for s in margin.used if s in values and s not in given and not _FIXED & s.declared),
        key=lambda s: s.name,
    )
    shifts = _numbers_in(margin)
    for symbol in symbols[:_MOST_SYMBOLS]:
        for value in islice(_moves(symbol, values[symbol], shifts), _MOST_TRIED):
            point: Instance = ({**values, symbol: value}, sizes)
            try:
                if sign in _signs(margin, [(point, {})]):
                    _require_smooth(expressions, point)
                    return point
            except (EvaluationError, NonDifferentiableWarning):
                continue
    return None


def _require_smooth(expressions: Sequence[Expression], point: Instance) -> None:
    """Raise where an expression is not defined, or is part of a derivative at a kink."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", NonDifferentiableWarning)
        for expression in expressions:
            walk(expression, *point, checked=True)


def _numbers_in(margin: Expression) -> list[float]:
    """The numbers in a margin, the first few of them."""
    found: dict[float, None] = {}
    for part in parts_of(margin):
        if isinstance(part, N.Number):
            found[float(part.value)] = None
        elif isinstance(part, N.Scaled):
            found[float(part.coefficient)] = None
    return [c for c in found if c not in (0.0, 1.0, -1.0)][:_MOST_NUMBERS]


def _moves(symbol: Symbol, value: Array, shifts: Sequence[float]) -> Iterator[Array]:
    """Every second entry of a value scaled or moved; then all entries."""
    second = (np.indices(value.shape).sum(axis=0) % 2 == 0).astype(float)
    declared = "positive_definite" in symbol.declared
    for mask in (second, np.ones_like(value)) if value.size > 1 and not declared else (1.0,):
        for c in _SCALES:
            if c > 0 or not declared:
                yield as_declared(symbol, value * (1 + (c - 1) * mask))
        if declared:
            continue
        for c in shifts:
            for sign, part in product((1, -1), (1.0, 0.1)):
                moved = value * (1 + (part - 1) * mask) + sign * c * mask
                yield as_declared(symbol, moved)


def _condition(margin: Expression, sign: int) -> str:
    """The condition that a margin has a sign, as text."""
    larger, smaller, *_ = sides(F.Where(scale(sign, margin), number(1), number(0)))
    return f"{larger.mathematics()} > {smaller.mathematics()}"
