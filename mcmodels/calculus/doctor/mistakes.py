"""The mistakes the doctor knows, in the order in which they are tried: one entry each.

Each derives the wrong answers that it would give, and yields those that are what was claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

from mcmodels.calculus import arithmetic
from mcmodels.calculus import nodes as N
from mcmodels.calculus.arithmetic import add, hadamard, scale, transpose
from mcmodels.calculus.derivatives import gradient, jacobian
from mcmodels.calculus.differentials import differential
from mcmodels.calculus.doctor.case import Case
from mcmodels.calculus.doctor.differential_mistakes import Contribution, contributions
from mcmodels.calculus.doctor.terms import (
    cyclic_orders,
    edited,
    orders,
    single_transposes,
    with_one_turned,
    without_one,
)
from mcmodels.calculus.evaluate import EvaluationError
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.functions import diag, trace
from mcmodels.calculus.nodes import Symbol
from mcmodels.calculus.numbers import number
from mcmodels.calculus.rewriting import parts_of, substitute
from mcmodels.calculus.rules import DerivativeError

__all__ = ["MISTAKES", "Finding", "Mistake", "stopped_inside"]

_MOST_COMBINED = 6  # terms of which combinations are tried


@dataclass(frozen=True)
class Finding:
    """A mistake that gives exactly what was claimed.

    Attributes
    ----------
    words : str
        What was done, in this case.
    reproduced : Expression or None
        What the mistake gives.
    """

    words: str
    reproduced: Expression | None


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake.

    Attributes
    ----------
    name : str
    remedy : str
        What to do about it.
    findings : callable
        The ways in which it explains a case.
    """

    name: str
    remedy: str
    findings: Callable[[Case], Iterator[Finding]]


def _kind(case: Case) -> str:
    return "gradient" if case.f.is_scalar else "Jacobian"


# -- the whole -----------------------------------------------------------------------------------


def _overall_factor(case: Case) -> Iterator[Finding]:
    factor = case.factor_of(case.right)
    if factor is not None and factor.recognised:
        expression = factor.expression()
        yield Finding(
            factor.statement(), None if expression is None else scale(expression, case.right)
        )


def _odd_factor(case: Case) -> Iterator[Finding]:
    factor = case.factor_of(case.right)
    if factor is not None and not factor.recognised:
        expression = factor.expression()
        assert expression is not None
        yield Finding(
            f"it is {factor} times the right one, at every entry", scale(expression, case.right)
        )


def _transposed(case: Case) -> Iterator[Finding]:
    turned = transpose(case.right)
    factor = case.factor_of(turned)
    if factor is not None and factor.recognised:
        other = "numerator layout; the gradient here has the shape of the variable"
        if not case.f.is_scalar:
            other = "denominator layout; the rows of a Jacobian here are the outputs"
        words = f"it is the transpose of the right {_kind(case)} ({other})"
        expression = factor.expression()
        assert expression is not None
        if expression != number(1):
            words += f", and {factor.statement()}"
        yield Finding(words, scale(expression, turned))


def _commuted(case: Case) -> Iterator[Finding]:
    """A Jacobian over entries that are counted along the rows."""
    if case.f.is_scalar:
        return
    by_f = arithmetic.commutation(case.f.rows, case.f.cols)
    by_x = transpose(arithmetic.commutation(case.x.rows, case.x.cols))
    for name, factors in (
        ("of the output", [by_f, case.right]),
        ("of the variable", [case.right, by_x]),
        ("of output and variable", [by_f, case.right, by_x]),
    ):
        wrong = arithmetic.matmul(factors)
        if wrong != case.right and case.is_claimed(wrong):
            yield Finding(
                f"the entries {name} are counted along the rows; here vec stacks columns", wrong
            )


def _another_variable(case: Case) -> Iterator[Finding]:
    by = gradient if case.f.is_scalar else jacobian
    for symbol in case.f.symbols:
        if symbol == case.x or (symbol.rows, symbol.cols) != (case.x.rows, case.x.cols):
            continue
        try:
            wrong = by(case.f, symbol)
        except DerivativeError:
            continue
        if case.is_claimed(wrong):
            yield Finding(
                f"it is the {_kind(case)} by {symbol.mathematics()}, not by {case.x.mathematics()}",
                wrong,
            )


def _symmetric_convention(case: Case) -> Iterator[Finding]:
    if not (case.f.is_scalar and case.x.is_array and case.x.is_square):
        return
    G, name = case.right, case.x.mathematics()
    diagonal = diag(diag(G))
    declared = "symmetric" in case.x.declared
    symmetric = add([G, transpose(G)])
    for wrong, words in (
        (
            add([symmetric, scale(-1, diagonal)]),
            f"the entries beside the diagonal count twice, as they do when {name} is symmetric and "
            "its entries on one side of the diagonal are the variables",
        ),
        (
            scale(number(1) / 2, symmetric),
            f"it is the symmetric part of the gradient, as though {name} were symmetric",
        ),
        (symmetric, f"it is G + Gᵀ for the gradient G, as though {name} were symmetric"),
    ):
        if case.is_claimed(wrong):
            yield Finding(words, wrong)
    if declared and all(
        not sample.differs((sample.claimed + sample.claimed.T) / 2, sample.right, case.tolerance)
        for sample in case.samples
    ):
        yield Finding(
            f"{name} is symmetric, and this matrix is not: it gives the right df for every "
            "symmetric direction, but of all matrices that do the gradient is the symmetric one",
            None,
        )


# -- symmetry ------------------------------------------------------------------------------------


def _assumed_symmetric(case: Case) -> Iterator[Finding]:
    for chosen in case.symbols_assumed_symmetric():
        stand_in: dict[Expression, Expression] = {
            A: Symbol(A.name, A.rows, A.cols, A.declared | {"symmetric"}) for A in chosen
        }
        names = " and ".join(A.mathematics() for A in chosen)
        back = {new: old for old, new in stand_in.items()}
        written = set(parts_of(case.right))
        both = any(A in written and transpose(A) in written for A in chosen)
        for wrong in _symmetric_answers(case, chosen, stand_in):
            ways = [substitute(wrong, back)]
            if both:
                ways.append(substitute(wrong, {new: transpose(old) for new, old in back.items()}))
            for returned in ways:
                if returned != case.right and case.is_claimed(returned):
                    yield Finding(
                        f"{names} {'are' if len(chosen) > 1 else 'is'} taken to be symmetric: "
                        f"{returned.mathematics()} is right only where "
                        + ", ".join(
                            f"{transpose(A).mathematics()} = {A.mathematics()}" for A in chosen
                        ),
                        returned,
                    )
                    break


def _equal_terms(case: Case) -> Iterator[Finding]:
    if 1 < len(case.terms) <= _MOST_COMBINED:
        for first, second in permutations(case.terms, 2):
            wrong = add([case.right, scale(-1, second), first])
            if case.is_claimed(wrong):
                yield Finding(
                    f"{first.mathematics()} and {second.mathematics()} are taken to be equal", wrong
                )


def _symmetric_answers(
    case: Case, chosen: tuple[Symbol, ...], stand_in: dict[Expression, Expression]
) -> Iterator[Expression]:
    yield substitute(case.right, stand_in)
    if case.x in chosen:
        by = gradient if case.f.is_scalar else jacobian
        yield by(substitute(case.f, stand_in), stand_in[case.x])


# -- terms ---------------------------------------------------------------------------------------


Effect = tuple[str, str, Expression]


def _effects(case: Case, terms: Iterator[Expression]) -> Iterator[Effect]:
    """Terms that have another factor in what was claimed: kind, words, wrong answer."""
    seen: set[bytes] = set()
    for term in terms:
        if term.key in seen or not case.differs_from_right(term):
            continue
        seen.add(term.key)
        factor = case.factor_in(term)
        if factor is None:
            continue
        rest = add([case.right, scale(-1, term)])
        text = term.mathematics()
        if isinstance(factor, float):
            yield "dropped term", f"the term {text} is missing", rest
            continue
        expression = factor.expression()
        assert expression is not None
        wrong = add([rest, scale(expression, term)])
        if expression == number(-1):
            yield "sign of a term", f"the term {text} has the wrong sign", wrong
        else:
            yield "factor of a term", f"in the term {text}, {factor.statement()}", wrong


def _written_terms(case: Case) -> Iterator[Effect]:
    def terms() -> Iterator[Expression]:
        if len(case.terms) > 1:
            yield from case.terms
        if isinstance(case.right, N.Sum):
            yield from case.right.children
        if 2 < len(case.terms) <= _MOST_COMBINED:
            for pair in combinations(case.terms, 2):
                yield add(pair)

    return _effects(case, terms())


def _terms_of_rules(case: Case) -> Iterator[Effect]:
    """What each rule of differentiation contributes, as where d(AB) is taken for (dA)B."""
    return _effects(
        case,
        (
            case.derive(part.value)
            for part in contributions(case.f, case.x)
            if _could_be_missing(case, part)
        ),
    )


def _could_be_missing(case: Case, part: Contribution) -> bool:
    """Whether what was claimed differs by a multiple of this part, in all directions tried."""
    quotients = []
    for claimed, right, value in zip(
        case.claimed_along, case.right_along, case.along(part.value), strict=True
    ):
        size = float(value @ value)
        if size == 0:
            return False
        quotients.append(float((claimed - right) @ value) / size)
    return abs(quotients[0] - quotients[1]) <= 1e-3 * max(abs(q) for q in quotients)


def _of_terms(
    kind: str, source: Callable[[Case], Iterator[Effect]], inner: Any = None
) -> Callable[[Case], Iterator[Finding]]:
    def findings(case: Case) -> Iterator[Finding]:
        for found, words, wrong in case.once(source.__name__, source):
            if found == kind:
                yield Finding(words, wrong)
        if inner is not None:
            for wrong, words in edited(case.right, inner):
                if case.is_claimed(wrong):
                    yield Finding(words, wrong)

    return findings


# -- order ---------------------------------------------------------------------------------------


def _trace_order(case: Case) -> Iterator[Finding]:
    def reordered(part: Expression) -> Iterator[tuple[Expression, str]]:
        if not isinstance(part, N.Trace) or not isinstance(part.argument, N.Product):
            return
        for chain in cyclic_orders(part.argument.children):
            other = trace(arithmetic.matmul(chain))
            yield other, f"{other.mathematics()} stands for {part.mathematics()}"

    for source, of_df in ((case.df, True), (case.f, False)):
        for wrong, words in edited(source, reordered):
            df = wrong if of_df else differential(wrong, frozenset([case.x]))
            derivative = case.identified(df)
            if derivative is not None:
                yield Finding(
                    f"the factors in a trace are permuted, but not cyclically: {words}", derivative
                )


def _product_order(case: Case) -> Iterator[Finding]:
    def reordered(part: Expression) -> Iterator[tuple[Expression, str]]:
        if isinstance(part, N.Product):
            for chain in orders(part.children):
                other = arithmetic.matmul(chain)
                yield other, f"{other.mathematics()} stands for {part.mathematics()}"

    yield from _changed_rules(case, "product order")
    for wrong, words in edited(case.right, reordered):
        if case.is_claimed(wrong):
            yield Finding(f"factors are exchanged: {words}", wrong)
    for wrong, words in edited(case.f, reordered):
        derivative = case.identified(differential(wrong, frozenset([case.x])))
        if derivative is not None:
            yield Finding(f"factors are exchanged: {words}", derivative)


def _changed_rules(case: Case, kind: str) -> Iterator[Finding]:
    for part in contributions(case.f, case.x):
        changes = part.changes()
        while True:
            try:
                change = next(changes)
            except (StopIteration, ValueError):
                break
            if change.mistake == kind:
                derivative = case.identified_change(part.value, change.added)
                if derivative is not None:
                    yield Finding(change.words, derivative)


# -- layout and chain rule -----------------------------------------------------------------------


def _mixed_layout(case: Case) -> Iterator[Finding]:
    for wrong, words in edited(case.right, single_transposes):
        if case.is_claimed(wrong):
            yield Finding(
                f"layouts are mixed: {words} is transposed in {case.right.mathematics()}", wrong
            )
    if case.right.is_square and 1 < len(case.terms) <= _MOST_COMBINED:
        for count in range(1, len(case.terms)):
            for chosen in combinations(case.terms, count):
                rest = [term for term in case.terms if term not in chosen]
                wrong = add([*rest, *(transpose(term) for term in chosen)])
                if case.is_claimed(wrong):
                    words = ", ".join(term.mathematics() for term in chosen)
                    yield Finding(f"layouts are mixed: {words} is transposed, the rest not", wrong)
    yield from _changed_rules(case, "mixed layout")


def _chain_rule(case: Case) -> Iterator[Finding]:
    yield from _changed_rules(case, "chain rule")

    def slope_gone(part: Expression) -> Iterator[tuple[Expression, str]]:
        if isinstance(part, N.Hadamard):
            inner = [child for child in part.children if case.dX in child.used]
            slopes = [child for child in part.children if case.x in child.used - {case.dX}]
            slopes = [child for child in slopes if child not in inner]
            for count in range(1, len(slopes) + 1 if inner else 1):
                for gone in combinations(slopes, count):
                    rest = hadamard([child for child in part.children if child not in gone])
                    yield rest, " and ".join(child.mathematics() for child in gone)

    for wrong, words in edited(case.df, slope_gone):
        derivative = case.identified(wrong)
        if derivative is not None:
            yield Finding(f"the derivative {words} of a function is missing", derivative)
    yield from stopped_inside(case)


def _taken_elsewhere(case: Case) -> Iterator[Finding]:
    """An outer derivative that is taken at x, as in f′(x) g′(x) for f(g(x))."""
    for part in parts_of(case.right):
        same = (part.rows, part.cols) == (case.x.rows, case.x.cols)
        if not (same and case.x in part.used) or part == case.x:
            continue
        try:
            wrong = substitute(case.right, {part: case.x})
        except ValueError:
            continue
        if case.is_claimed(wrong):
            at, inner = case.x.mathematics(), part.mathematics()
            yield Finding(f"the outer derivative is taken at {at}, not at {inner}", wrong)


def stopped_inside(case: Case) -> Iterator[Finding]:
    """Derivatives by an inner part, in place of the variable."""
    if not case.f.is_scalar:
        return
    shape = case.samples[0].claimed.shape
    for part in parts_of(case.f):
        if case.x not in part.used or isinstance(part, Symbol) or part == case.f:
            continue
        if case.samples[0].value(part).shape != shape or isinstance(part, N.Transpose):
            continue
        inner = Symbol("inner_part", part.rows, part.cols, frozenset())
        outer = substitute(case.f, {part: inner})
        if case.x in outer.used:
            continue
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
            )


MISTAKES = (
    Mistake("factor", "multiply by what is missing", _overall_factor),
    Mistake(
        "transposed layout",
        "transpose it: a gradient has the shape of its variable, a Jacobian has outputs as rows",
        _transposed,
    ),
    Mistake(
        "assumed symmetric",
        "keep both terms, or declare the matrix with symmetric=True where it is",
        _assumed_symmetric,
    ),
    Mistake("dropped term", "add the term", _of_terms("dropped term", _written_terms)),
    Mistake(
        "sign of a term", "turn the sign of the term", _of_terms("sign of a term", _written_terms)
    ),
    Mistake(
        "symmetric convention",
        "take G with df = tr(Gᵀ dX), symmetric where X is declared so, for all entries alike",
        _symmetric_convention,
    ),
    Mistake(
        "factor of a term",
        "correct the factor of the term",
        _of_terms("factor of a term", _written_terms),
    ),
    Mistake(
        "dropped term", "add the term", _of_terms("dropped term", _terms_of_rules, without_one)
    ),
    Mistake(
        "sign of a term",
        "turn the sign of the term",
        _of_terms("sign of a term", _terms_of_rules, with_one_turned),
    ),
    Mistake(
        "trace order",
        "shift the factors of a trace cyclically: tr(ABC) = tr(BCA) = tr(CAB), but not tr(ACB)",
        _trace_order,
    ),
    Mistake("product order", "keep the order of the factors: d(AB) = (dA)B + A dB", _product_order),
    Mistake(
        "mixed layout",
        "use one layout throughout: here the gradient of f(Ax) by x is Aᵀ∇f",
        _mixed_layout,
    ),
    Mistake("chain rule", "multiply by the derivative of the inner function", _chain_rule),
    Mistake("row-major vec", "stack the columns, as vec does", _commuted),
    Mistake("another variable", "differentiate by the variable asked for", _another_variable),
    Mistake(
        "factor of a term",
        "correct the factor of the term",
        _of_terms("factor of a term", _terms_of_rules),
    ),
    Mistake("assumed symmetric", "keep both terms", _equal_terms),
    Mistake("chain rule", "take the outer derivative at the inner function", _taken_elsewhere),
    Mistake("factor", "look for the constant in the derivation", _odd_factor),
)
