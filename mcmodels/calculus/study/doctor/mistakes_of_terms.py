"""Mistakes in single terms: missing, of the wrong sign, with a wrong factor, taken to be equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.claimed_factors import factor_in, is_seen_in_part
from mcmodels.calculus.study.doctor.differential_mistakes import Contribution
from mcmodels.calculus.study.doctor.factors import Factor, recognise
from mcmodels.calculus.study.doctor.terms import MOST_COMBINED, everywhere_first
from mcmodels.plain import np

__all__ = [
    "Effect",
    "equal_terms",
    "multiplied_terms",
    "of_terms",
    "several_terms",
    "terms_of_rules",
    "written_terms",
]


_SAME = 1e-6  # relative, of a ratio

# A term that stands there when products are multiplied out may be part of the derivative of a
# function, as −tanh² of 1 − tanh².
_OF_SLOPES = frozenset({"chain rule"})

# A term that is 0 at some points is one of a case.
_OF_CASES = frozenset({"missing case", "missing indicator", "sign of a term"})

# A factor such as log(z)/σ(z) is seldom what was done: a function stands in another's place.
_OF_FUNCTIONS = frozenset(
    {"chain rule", "wrong argument", "wrong derivative", "forgotten function", "missing inverse"}
    | {"extra derivative", "product rule", "dropped factor", "extra factor"}
)

# A number that is no simple ratio, and the variable itself, are what a rule brings or takes away.
_OF_RULES = frozenset(
    {"chain rule", "wrong argument", "wrong derivative", "product rule", "quotient rule"}
    | {"wrong power"}
)

Effect = tuple[str, str, Expression, str, frozenset[str]]


def _effects(
    case: Case,
    terms: Iterator[Expression],
    written: Callable[[Expression], Expression] = lambda term: term,
) -> Iterator[Effect]:
    """Terms that have another factor in what was claimed: kind, words, wrong answer, remedy.

    ``written`` brings a term into the form that is shown, which most terms never take.
    """
    seen: set[bytes] = set()
    for term in terms:
        if term.key in seen or not case.differs_from_right(term):
            continue
        seen.add(term.key)
        factor = factor_in(case, term)
        if factor is None:
            continue
        of_cases = _OF_CASES if is_seen_in_part(case, term) else frozenset[str]()
        term = written(term)
        rest = add([case.right, scale(-1, term)])
        text = term.mathematics()
        if isinstance(factor, float):
            remedy = f"add the term {text}"
            yield "dropped term", f"the term {text} is missing", rest, remedy, of_cases
            continue
        expression = factor.expression()
        assert expression is not None
        wrong = add([rest, scale(expression, term)])
        if expression == number(-1):
            words, remedy = (
                f"the term {text} has the wrong sign",
                f"turn the sign of the term {text}",
            )
            yield "sign of a term", words, wrong, remedy, of_cases
        else:
            words, remedy = f"in the term {text}, {factor.statement()}", factor.remedy("the term")
            yields_to = _OF_FUNCTIONS if factor.is_of_functions else frozenset[str]()
            if not factor.recognised or any(case.x == q.expression for q, _ in factor.powers):
                yields_to |= _OF_RULES
            yield "factor of a term", words, wrong, remedy, yields_to | of_cases


def written_terms(case: Case) -> Iterator[Effect]:
    """The effects of terms of the right derivative, as written, and with its products expanded."""
    return _effects(case, iter(_written(case)))


def _written(case: Case) -> list[Expression]:
    expanded = [] if _is_elementwise(case) else case.terms
    return [*expanded, *(case.right.children if isinstance(case.right, N.Sum) else ())]


def _is_elementwise(case: Case) -> bool:
    """Whether multiplying out takes elementwise products apart, such as (f − y) ∘ f′."""
    return len(case.terms) < 2 or any(
        isinstance(part, N.Hadamard) and any(isinstance(child, N.Sum) for child in part.children)
        for part in parts_of(case.right)
    )


def multiplied_terms(case: Case) -> Iterator[Effect]:
    """The effects of terms that stand there only when all products are multiplied out."""

    def terms() -> Iterator[Expression]:
        if len(case.terms) > 1 and _is_elementwise(case):
            yield from case.terms
        if 2 < len(case.terms) <= MOST_COMBINED:
            for pair in combinations(case.terms, 2):
                yield add(pair)
        written = case.right.children if isinstance(case.right, N.Sum) else ()
        if 2 < len(written) <= MOST_COMBINED:
            for count in range(2, len(written)):
                for chosen in combinations(written, count):
                    yield add(chosen)

    return _effects(case, terms())


def terms_of_rules(case: Case) -> Iterator[Effect]:
    """What each rule of differentiation contributes, as where d(AB) is taken for (dA)B."""
    return _effects(
        case,
        (
            case.derived_from(part.value)
            for part in case.contributions
            if _could_be_missing(case, part) and not part.is_too_deep
        ),
        simplify,
    )


def _could_be_missing(case: Case, part: Contribution) -> bool:
    """Whether what was claimed differs by a multiple of this part, in all directions tried."""
    quotients = []
    for claimed, right, value in zip(
        case.claimed_along, case.right_along, case.along(part.direction), strict=True
    ):
        size = float(np.abs(value).max(initial=0))
        if not size > 0:
            return False
        unit = value / size
        quotients.append(float((claimed - right) / size @ unit) / float(unit @ unit))
    largest = max(abs(q) for q in quotients)
    # No deviation at all is no multiple: beside values of 1e200 others cannot be seen.
    return largest > 0 and abs(quotients[0] - quotients[1]) <= 1e-3 * largest


def of_terms(
    kind: str, source: Callable[[Case], Iterator[Effect]], inner: Any = None
) -> Callable[[Case], Iterator[Finding]]:
    """Findings of one kind of effect, and of edits of sums inside the right derivative."""

    def findings(case: Case) -> Iterator[Finding]:
        for found, words, wrong, remedy, yields_to in case.once(source.__name__, source):
            if found == kind:
                within = not isinstance(case.right, N.Sum) and kind == "dropped term"
                yield Finding(
                    words, wrong, remedy, yields_to | (_OF_SLOPES if within else frozenset())
                )
        if inner is not None:
            for edit in everywhere_first(case.edits(inner, inside=True)):
                if case.is_claimed_after(edit.local):
                    yield Finding(str(edit), edit.result, edit.remedy)

    return findings


def several_terms(case: Case) -> Iterator[Finding]:
    """Terms of which several have a wrong factor, each its own."""
    written = list(case.right.children) if isinstance(case.right, N.Sum) else []
    for terms in (written, case.terms):
        if not 1 < len(terms) <= MOST_COMBINED:
            continue
        factors = _factors_of(case, terms)
        if factors is None:
            continue
        said, todo, wrong = [], [], []
        for term, factor in zip(terms, factors, strict=True):
            text = term.mathematics()
            if factor is None:
                said.append(f"the term {text} is missing")
                todo.append(f"add the term {text}")
                continue
            expression = factor.expression()
            assert expression is not None
            wrong.append(scale(expression, term))
            if expression == number(-1):
                said.append(f"the term {text} has the wrong sign")
                todo.append(f"turn the sign of the term {text}")
            elif expression != number(1):
                said.append(f"in the term {text}, {factor.statement()}")
                todo.append(factor.remedy(f"the term {text}"))
        yield Finding("; ".join(said), add(wrong) if wrong else None, "; ".join(todo))


def _factors_of(case: Case, terms: Sequence[Expression]) -> list[Factor | None] | None:
    """The factors with which terms add up to what was claimed, None for one that is missing.

    None where there are no such factors, or where the entries do not tell them.
    """
    rows = []
    for sample in case.samples:
        columns = np.stack([np.ravel(sample.value(term)) for term in terms], axis=1)
        claimed = np.ravel(sample.claimed)
        if len(claimed) <= len(terms) or not np.isfinite(columns).all():
            return None
        found, _, rank, _ = np.linalg.lstsq(columns, claimed, rcond=1e-9)
        if rank < len(terms) or np.abs(columns @ found - claimed).max() > case.allowed(sample):
            return None
        rows.append(found)
    factors: list[Factor | None] = []
    for ratios in np.array(rows).T:
        if np.abs(ratios).max() <= _SAME:
            factors.append(None)
            continue
        factor = recognise(list(ratios), case.quantities, _SAME)
        if factor is None or not factor.recognised:
            return None
        factors.append(factor)
    return factors


def equal_terms(case: Case) -> Iterator[Finding]:
    """One term put in the place of another, as in 2Xb for X(b + c)."""
    if 1 < len(case.terms) <= MOST_COMBINED:
        for first, second in permutations(case.terms, 2):
            wrong = add([case.right, scale(-1, second), first])
            if case.is_claimed(wrong):
                yield Finding(
                    f"{first.mathematics()} and {second.mathematics()} are taken to be equal", wrong
                )
