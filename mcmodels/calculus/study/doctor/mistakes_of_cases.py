"""Mistakes in functions that choose between two cases: one of them is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import closed_parts_of, parts_of
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.simplification.choices import choice
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.terms import substituted
from mcmodels.calculus.text.printing.functions import sides
from mcmodels.plain import np

__all__ = ["indicators_of", "missing_case", "set_to", "wrong_case"]


@dataclass(frozen=True)
class _Choice:
    """A part of f that is ``held`` where a condition is positive, else ``other``."""

    node: Expression
    condition: Expression
    held: Expression
    other: Expression

    @cached_property
    def text(self) -> str:
        """The condition, in words."""
        larger, smaller, *_ = sides(F.Where(self.condition, self.held, self.other))
        return f"{larger.mathematics()} > {smaller.mathematics()}"


def _choices(f: Expression) -> Iterator[_Choice]:
    """The parts of f that choose between two functions."""
    for node in dict.fromkeys(closed_parts_of(f)):
        if isinstance(node, F.Where):
            found = _Choice(node, node.condition, node.left, node.right)
        elif isinstance(node, F.Pairwise) and node.name in ("maximum", "minimum"):
            a, b = (node.left, node.right) if node.name == "maximum" else (node.right, node.left)
            found = _Choice(node, add([a, scale(-1, b)]), node.left, node.right)
        else:
            continue
        yield found


def _absolute_values(f: Expression) -> Iterator[_Choice]:
    """|z| as a choice between z and −z."""
    for node in dict.fromkeys(closed_parts_of(f)):
        if isinstance(node, N.Elementwise) and node.name == "abs":
            z = node.argument
            yield _Choice(node, z, z, scale(-1, z))


def missing_case(case: Case) -> Iterator[Finding]:
    """The derivative of one of two cases stands everywhere, where the other has one, too."""
    for found in (*_choices(case.f), *_absolute_values(case.f)):
        if case.x not in found.held.used & found.other.used:
            continue
        # Of |z|, z in its place is a derivative of |z| that is forgotten.
        sides_of = (False, True) if isinstance(found.node, F.Where | F.Pairwise) else (True,)
        for holds, change in product(sides_of, (_slope_of_one, _one_of_both)):
            here, there = (found.other, found.held) if holds else (found.held, found.other)
            claimed = case.identified_change(*change(case, found.node, here))
            if claimed is None:
                continue
            where = f"{found.text} {'holds' if holds else 'fails'}"
            words = (
                f"the case where {where} is missing: {here.mathematics()} is differentiated "
                f"everywhere, and {there.mathematics()} nowhere"
            )
            other = change(case, found.node, there)
            yield Finding(words, claimed, _remedy(case, found, holds, claimed, other))


_Change = tuple[Expression, Expression]  # of a differential: what goes, and what is added


def _slope_of_one(case: Case, node: Expression, branch: Expression) -> _Change:
    """One case is differentiated in the place of the choice, of which the value is kept."""
    removed, added = (case.outside(node, case.d(part)) for part in (node, branch))
    return removed, added


def _one_of_both(case: Case, node: Expression, branch: Expression) -> _Change:
    """One case stands in the place of the choice."""
    local = substituted(case.f, {node: branch})
    x = frozenset([case.x])
    return differential(local.removed, x), differential(local.added, x)


def _remedy(case: Case, found: _Choice, holds: bool, claimed: Expression, change: _Change) -> str:
    removed, added = change
    other = case.derive(add([case.df, scale(-1, removed), added]))
    by_condition = (other, claimed) if holds else (claimed, other)
    if _is_right_by_entries(case, found.condition, *by_condition):
        where = f"{found.text} {'holds' if holds else 'fails'}"
        return f"where {where}, write {other.mathematics()} in place of {claimed.mathematics()}"
    for indicator, on in indicators_of(case).items():
        for value in (1, 0):
            replaced = _outermost(case.right, indicator, set_to(indicator, on, value))
            if replaced and case.is_claimed_after(substituted(case.right, replaced)):
                pairs = (
                    f"{good.mathematics()} in place of {bad.mathematics()}"
                    for good, bad in replaced.items()
                )
                return f"write {', and '.join(pairs)}"
    return f"write {case.right.mathematics()} in place of {claimed.mathematics()}"


def _is_right_by_entries(
    case: Case, condition: Expression, held: Expression, other: Expression
) -> bool:
    """Whether each entry of the right derivative is that of one case, by the same condition."""
    if not condition.is_scalar and condition.shape != case.right.shape:
        return False
    return all(
        not sample.differs(
            np.where(sample.value(condition) > 0, sample.value(held), sample.value(other)),
            sample.right,
            case.tolerance,
        )
        for sample in case.samples
    )


def _outermost(
    right: Expression, indicator: Expression, values: dict[Expression, Expression]
) -> dict[Expression, Expression]:
    """The largest parts of the shape of an indicator that hold it, with their values without it."""
    found: dict[Expression, Expression] = {}

    def visit(part: Expression) -> None:
        if not any(old in set(parts_of(part)) for old in values):
            return
        if (part.rows, part.cols) == (indicator.rows, indicator.cols):
            found[part] = substituted(part, values).result
            return
        for child in part.children:
            visit(child)

    visit(right)
    return found


def wrong_case(case: Case) -> str:
    """Where the claim is wrong, as "where x > 0 fails", if it is right in the other case."""
    for found in _choices(case.f):
        if not found.condition.is_scalar and found.condition.shape != case.right.shape:
            continue
        wrong_in = set()
        for sample in case.samples:
            off = ~(np.abs(sample.claimed - sample.right) <= case.allowed(sample))
            holds = np.broadcast_to(sample.value(found.condition) > 0, off.shape)
            wrong_in |= {bool(side) for side in holds[off]}
        if len(wrong_in) == 1:
            return f"where {found.text} {'holds' if wrong_in.pop() else 'fails'}"
    return ""


def indicators_of(case: Case) -> dict[Expression, dict[Expression, Expression]]:
    """Each indicator of the right derivative, with what it switches off, and what that is else."""
    switched: dict[Expression, dict[Expression, Expression]] = {}
    for part in parts_of(case.right):
        if case.x not in part.used:  # the condition of a sum
            continue
        found = choice(part)
        if found is not None:
            switched.setdefault(found[0], {})[part] = found[1]
        elif isinstance(part, N.Elementwise) and part.name == "step":
            switched.setdefault(part, {})
    return switched


def set_to(
    indicator: Expression, on: dict[Expression, Expression], value: int
) -> dict[Expression, Expression]:
    """What stands in the place of an indicator, and of what it switches off, where it is 0 or 1."""
    if value:
        one = number(1) if indicator.is_scalar else N.Ones(indicator.rows, indicator.cols)
        return {indicator: one, **on}
    zero = number(0) if indicator.is_scalar else N.Zeros(indicator.rows, indicator.cols)
    return {indicator: zero, **{part: scale(0, part) for part in on}}
