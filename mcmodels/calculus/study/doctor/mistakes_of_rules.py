"""Mistakes in carrying out a rule: order of factors, traces, layout, chain rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import trace
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import closed_parts_of, exchanged, parts_of, substitute
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import gradient
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import (
    Change,
    Contribution,
)
from mcmodels.calculus.study.doctor.terms import (
    MOST_COMBINED,
    Local,
    Words,
    cyclic_orders,
    edited,
    orders,
    single_transposes,
    substituted,
)
from mcmodels.calculus.study.doctor.wrong_derivatives import misremembered

__all__ = [
    "chain_rule",
    "misremembered_rule",
    "mixed_layout",
    "product_order",
    "rule_for_numbers",
    "stopped_inside",
    "taken_elsewhere",
    "trace_order",
]

_MOST_GROUPED = 5  # slopes of which all groups are tried: 31


_PRODUCTS = (N.Sum, N.Scaled, N.Product, N.Hadamard, N.Transpose, N.DiagonalMatrix)


def trace_order(case: Case) -> Iterator[Finding]:
    """Factors in a trace, of f or of df, permuted in a way that is not cyclic."""

    def reordered(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if not isinstance(part, N.Trace) or not isinstance(part.argument, N.Product):
            return
        for chain in cyclic_orders(part.argument.children):
            other = trace(arithmetic.matmul(chain))
            yield other, Words("{} stands for {}", (other, part))

    for source in (case.df, case.f):
        for edit in edited(source, reordered):
            derivative = _identified(case, edit.local)
            if derivative is not None:
                yield Finding(
                    f"the factors in a trace are permuted, but not cyclically: {edit}", derivative
                )


def _identified(case: Case, change: Local) -> Expression | None:
    """The derivative after a change of f or of df, where it is the one claimed."""
    removed, added = change.removed, change.added
    if case.dX not in change.whole.used:
        removed, added = (differential(e, frozenset([case.x])) for e in (removed, added))
    return case.identified_change(removed, added)


def product_order(case: Case) -> Iterator[Finding]:
    """Factors of a product exchanged: in a rule, in the result, or in f."""

    def reordered(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if isinstance(part, N.Product):
            for chain in orders(part.children):
                other = arithmetic.matmul(chain)
                yield other, Words("{} stands for {}", (other, part))

    yield from _changed_rules(case, "product order")
    for edit in case.edits(reordered):
        if case.is_claimed_after(edit.local):
            yield Finding(f"factors are exchanged: {edit}", edit.result)
    for edit in edited(case.f, reordered):
        derivative = _identified(case, edit.local)
        if derivative is not None:
            yield Finding(f"factors are exchanged: {edit}", derivative)


def _changed_rules(
    case: Case, kind: str, source: Callable[[Contribution], Iterator[Change]] = Contribution.changes
) -> Iterator[Finding]:
    for part, change in _changes(case, source):
        if change.mistake == kind and not part.is_changed_too_often:
            derivative = case.identified_within(part.node, part.differential, change.differential)
            if derivative is not None:
                remedy = str(change.remedy)
                if remedy.startswith("multiply by "):
                    remedy = _term_of(case, part) + remedy
                yield Finding(str(change.words), derivative, remedy)


def _term_of(case: Case, part: Contribution) -> str:
    """The term of f in whose gradient a factor is missing, where f has others."""
    if not isinstance(case.f, N.Sum):
        return ""
    terms = [term for term in case.f.children if case.x in term.used]
    own = [term for term in terms if part.node in set(parts_of(term))]
    if len(own) != 1 or len(terms) == 1:
        return ""
    return f"in the {case.kind} of {own[0].mathematics()}, "


def _changes(
    case: Case, source: Callable[[Contribution], Iterator[Change]]
) -> Iterator[tuple[Contribution, Change]]:
    """The wrong forms of the rules that give df, of every kind of mistake, each made once."""
    for i, part in case.once(_explaining.__name__, _explaining):
        if part.is_too_deep:
            continue
        made = case.derived(f"{source.__qualname__} {i}", partial(_made, source, part))
        yield from ((part, change) for change in made)


def _explaining(case: Case) -> list[tuple[int, Contribution]]:
    """The contributions of which a change may give the claim, with their numbers."""
    return [(i, part) for i, part in enumerate(case.contributions) if _may_explain(case, part)]


def _made(
    source: Callable[[Contribution], Iterator[Change]], part: Contribution, case: Case
) -> Iterator[Change]:
    changes = source(part)
    while True:
        try:
            yield next(changes)
        except (StopIteration, ValueError):
            return


def _may_explain(case: Case, part: Contribution) -> bool:
    """Whether a change of a contribution can give the claim, or a usual multiple of it.

    What a scalar adds as part of a scalar is its differential times a number. Any change of the
    rule is a change of that number, so that before any is made it is seen, in two directions,
    whether there is such a number. Of a long sum this leaves few terms.
    """
    if case.x.is_scalar or not part.is_scalar:
        return True
    return case.may_be_off_along(part.direction)


def misremembered_rule(kind: str) -> Callable[[Case], Iterator[Finding]]:
    """Findings of one kind of wrong derivative of a single function."""
    return lambda case: _changed_rules(case, kind, misremembered)


def rule_for_numbers(case: Case) -> Iterator[Finding]:
    """The power of a matrix differentiated as that of a number, in either layout."""
    for part, change in _changes(case, misremembered):
        if change.mistake != "rule for numbers" or part.is_changed_too_often:
            continue
        added = case.outside(part.node, change.differential)
        wrong = case.derive(add([case.df, scale(-1, part.value), added]))
        forms = [wrong, transpose(wrong)]
        forms += [_without_transposes(form, case.x) for form in forms]
        for derivative in dict.fromkeys(forms):
            if derivative.shape == wrong.shape and case.is_claimed(derivative):
                yield Finding(str(change.words), derivative, str(change.remedy))


def _without_transposes(e: Expression, x: Symbol) -> Expression:
    """An expression with what varies in the place of its transpose."""
    return exchanged(
        e,
        {
            part: part.argument
            for part in parts_of(e)
            if isinstance(part, N.Transpose) and part.is_square and x in part.used
        },
    )


def mixed_layout(case: Case) -> Iterator[Finding]:
    """A factor or a term transposed, as where two layouts are mixed."""
    for edit in case.edits(single_transposes):
        if case.is_claimed_after(edit.local):
            yield Finding(
                f"layouts are mixed: {edit} is transposed in {case.right.mathematics()}",
                edit.result,
                f"write {edit} in place of its transpose",
            )
    if case.right.is_square and 1 < len(case.terms) <= MOST_COMBINED:
        for count in range(1, len(case.terms)):
            for chosen in combinations(case.terms, count):
                rest = [term for term in case.terms if term not in chosen]
                wrong = add([*rest, *(transpose(term) for term in chosen)])
                if case.is_claimed(wrong):
                    turned = ", ".join(term.mathematics() for term in chosen)
                    yield Finding(
                        f"layouts are mixed: {turned} is transposed, the rest not",
                        wrong,
                        f"write {turned} in place of its transpose",
                    )
    yield from _changed_rules(case, "mixed layout")


def chain_rule(case: Case) -> Iterator[Finding]:
    """An inner or an outer derivative forgotten."""
    yield from _changed_rules(case, "chain rule")
    factors = {
        factor
        for part in parts_of(case.f)
        if isinstance(part, N.Hadamard)
        for factor in part.children
    }

    def slope_gone(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if isinstance(part, N.Hadamard):
            inner = [child for child in part.children if case.dX in child.used]
            slopes = [child for child in part.children if case.x in child.used - {case.dX}]
            # A factor of a product, which its rule leaves as it is, is no derivative.
            slopes = [child for child in slopes if child not in inner and child not in factors]
            for gone in _groups(slopes) if inner else ():
                rest = hadamard([child for child in part.children if child not in gone])
                yield rest, Words("{}", (partial(_listed, gone),))

    for edit in edited(case.df, slope_gone):
        derivative = _identified(case, edit.local)
        if derivative is not None:
            yield Finding(
                f"the derivative {edit} of a function is missing",
                derivative,
                f"multiply by the derivative {edit}",
            )
    yield from stopped_inside(case)


def _listed(parts: Sequence[Expression]) -> str:
    return " and ".join(part.mathematics() for part in parts)


def _groups(slopes: list[Expression]) -> Iterator[Sequence[Expression]]:
    """All groups of a few slopes; of many, single ones, and those from one on to either end."""
    if len(slopes) <= _MOST_GROUPED:
        for count in range(1, len(slopes) + 1):
            yield from combinations(slopes, count)
        return
    yield from combinations(slopes, 1)
    for i in range(2, len(slopes)):
        yield slopes[:i]
        yield slopes[-i:]
    yield slopes


def taken_elsewhere(case: Case) -> Iterator[Finding]:
    """An outer derivative that is taken at x, as in f′(x) g′(x) for f(g(x))."""
    arguments = {
        part
        for node in parts_of(case.right)
        if not isinstance(node, _PRODUCTS)
        for child in node.children
        for part in parts_of(child)
    }
    for part in parts_of(case.right):
        if part not in arguments:  # a factor that is missing
            continue
        if part.shape != case.x.shape or case.x not in part.used or part in (case.x, case.right):
            continue
        try:
            local = substituted(case.right, {part: case.x})
        except ValueError:
            continue
        if case.is_claimed_after(local):
            at, inner = case.x.mathematics(), part.mathematics()
            yield Finding(
                f"the outer derivative is taken at {at}, not at {inner}",
                local.result,
                f"write {inner} in place of {at}",
            )


def stopped_inside(case: Case) -> Iterator[Finding]:
    """Derivatives by an inner part, in place of the variable."""
    yield from _without_outer_factors(case)
    if not case.f.is_scalar:
        return
    shape = case.samples[0].claimed.shape
    for part in closed_parts_of(case.f):
        if case.x not in part.used or isinstance(part, Symbol) or part == case.f:
            continue
        if case.samples[0].value(part).shape != shape or isinstance(part, N.Transpose):
            continue
        if _occurs_outside(case.f, case.x, part):
            continue
        inner = Symbol("inner_part", part.rows, part.cols, frozenset())
        outer = substitute(case.f, {part: inner})
        try:
            wrong = substitute(gradient(outer, inner), {inner: part})
            matches = wrong.shape == part.shape and case.is_claimed(wrong)
        except (DerivativeError, EvaluationError):
            continue
        if matches:
            yield Finding(
                f"the inner derivative is missing: it is the gradient by {part.mathematics()}, "
                f"not yet by {case.x.mathematics()}",
                wrong,
                f"multiply by the derivative of {part.mathematics()} by {case.x.mathematics()}",
            )


def _occurs_outside(e: Expression, x: Symbol, part: Expression) -> bool:
    """Whether x stands in an expression outside of a part of it."""
    if x not in e.used or e == part:
        return False
    return e == x or any(_occurs_outside(child, x, part) for child in e.children)


def _without_outer_factors(case: Case) -> Iterator[Finding]:
    """The gradient by an inner function z = Wx of the variable, without the Wᵀ that is left."""
    coefficient, scalars, array = parts(case.right)
    if not isinstance(array, N.Product):
        return
    for cut in range(1, len(array.children)):
        for gone, rest, side in (
            (array.children[:cut], array.children[cut:], "left"),
            (array.children[cut:], array.children[:cut], "right"),
        ):
            inner = matmul(gone)
            wrong = scale(coefficient, *scalars, matmul(rest))
            if case.x in inner.used or wrong.shape == case.right.shape:
                continue
            if case.is_claimed(wrong):
                yield Finding(
                    f"the inner derivative {inner.mathematics()} is missing",
                    wrong,
                    f"multiply by {inner.mathematics()} from the {side}",
                )
