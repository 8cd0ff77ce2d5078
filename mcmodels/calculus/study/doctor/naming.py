"""The name of the mistake that gives a wrong claim."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core.arithmetic import scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.derive.gradients import derivative
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.assumptions import assumptions
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.claims import claimed_value, sample_at
from mcmodels.calculus.study.doctor.factors import Factor
from mcmodels.calculus.study.doctor.mistakes import MISTAKES
from mcmodels.calculus.study.doctor.mistakes_of_cases import wrong_case
from mcmodels.calculus.study.doctor.places import place_of, worst_entry
from mcmodels.calculus.study.doctor.samples import APPROXIMATE, EXACT, draw_instances
from mcmodels.calculus.study.doctor.terms import is_too_deep
from mcmodels.calculus.study.doctor.verdict import Diagnosis
from mcmodels.plain import np

__all__ = ["named", "transposed_beside", "with_an_assumption"]


def named(case: Case, error: float) -> Diagnosis:
    """The simplest mistake that gives a claim; else the wrong entries, or "unknown"."""
    found = _explained(case, error)
    if found is not None:
        return found
    for multiple in sorted(case.multiples, key=lambda c: (abs(c), c)):
        found = _explained(case.divided(multiple), error)
        if found is not None:
            return _multiplied(found, Factor(multiple))
    found = _explained(case, error, alone=True)
    if found is None and case.right.is_square:
        found = transposed_beside(case, error)
    if found is not None:
        return found
    pairs = [(sample.claimed, sample.right) for sample in case.samples]
    place = place_of(pairs, [case.allowed(sample) for sample in case.samples])
    sample = max(case.samples, key=lambda sample: sample.error())
    worst = worst_entry(sample.claimed, sample.right)
    if place is not None:
        words = f"only {place}; the other entries are right. The worst is {worst}"
        return Diagnosis(False, error, "wrong entries", words, "look at these entries", case.right)
    tried = "no known mistake gives this"
    if is_too_deep(case.right):
        tried = "no mistake that was tried gives this, and for all it is too deep"
    where = wrong_case(case)
    words = f"{tried}{where and f'; it is wrong only {where}'}; the worst entry is {worst}"
    return Diagnosis(
        False, error, "unknown", words, "see f.derivation(x) for the steps", case.right
    )


def transposed_beside(case: Case, error: float) -> Diagnosis | None:
    """The mistake that gives the transpose of a claim."""
    if case.is_long or case.is_large or not case.right.is_array:
        return None
    found = _explained(case.turned(), error)
    if found is None:
        return None
    reproduced = found.reproduced
    return replace(
        found,
        explanation=f"{found.explanation}; and it is transposed",
        remedy=f"transpose it, and {found.remedy}",
        reproduced=None if reproduced is None else transpose(reproduced),
    )


def _explained(case: Case, error: float, alone: bool = False) -> Diagnosis | None:
    """The first mistake that gives what was claimed; ``alone``, of those with none beside them."""
    first: tuple[str, str, Finding] | None = None
    also: list[str] = []
    nothing = not any(sample.claimed.any() for sample in case.samples)
    for mistake in MISTAKES:
        if mistake.single != alone:
            continue
        if mistake.of_zero < nothing:  # 0 is no product, and has no wrong factor
            continue
        better = first is not None and mistake.name in first[2].yields_to
        if first is not None and not better and (case.is_large or mistake.alone):
            continue
        finding = next(iter(mistake.findings(case)), None)
        if finding is None:
            continue
        if first is None or better:
            if first is not None:
                also.append(first[0])
            also = [name for name in also if name != mistake.name]
            first = mistake.name, finding.remedy or mistake.remedy, finding
        elif mistake.name != first[0] and mistake.name not in also:
            also.append(mistake.name)
    if first is None:
        return None
    name, remedy, finding = first
    words, where = finding.words, wrong_case(case) if name == "chain rule" else ""
    if where:  # the factor is missing in one of two cases only
        words, remedy = f"{words}, {where}", f"{where}, {remedy}"
    reproduced = finding.reproduced
    if reproduced is not None:
        reproduced = reproduced.within(case.f.known)
    return Diagnosis(False, error, name, words, remedy, case.right, reproduced, tuple(also))


def _multiplied(found: Diagnosis, factor: Factor) -> Diagnosis:
    """The same mistake, and a factor of the whole beside it."""
    reproduced, by = found.reproduced, factor.expression()
    assert by is not None
    return replace(
        found,
        explanation=f"{found.explanation}; and {factor.statement()}",
        remedy=f"{found.remedy}, and {factor.remedy()}",
        reproduced=None if reproduced is None else scale(by, reproduced),
    )


def with_an_assumption(case: Case, claimed: Any, seed: int) -> Diagnosis | None:
    """The mistake that gives the claim where a symbol is what the student takes it for."""
    error = max(sample.error() for sample in case.samples)
    for old, new, words, remedy in assumptions(case):
        f = substitute(case.f, {old: new})
        other = substitute(claimed, {old: new}) if isinstance(claimed, Expression) else claimed
        under = _case_of(f, case.x, other, seed)
        if under is None:
            continue
        if not any(s.differs(s.claimed, s.right, under.tolerance) for s in under.samples):
            (declared,) = new.declared - old.declared
            as_it_is = claimed if isinstance(claimed, Expression) else None
            words = f"{words}: the claim is right only then"
            return Diagnosis(
                False, error, f"assumed {declared}", words, remedy, case.right, as_it_is
            )
        found = _explained(under, error)
        if found is not None:
            reproduced = found.reproduced
            if reproduced is not None:
                reproduced = substitute(reproduced, {new: old})
                reproduced = reproduced if case.is_claimed(reproduced) else None
            return replace(
                found,
                explanation=f"{found.explanation}; and {words}",
                remedy=f"{found.remedy}; and {remedy}",
                right=case.right,
                reproduced=reproduced,
            )
    return None


def _case_of(f: Expression, x: Symbol, claimed: Any, seed: int) -> Case | None:
    """A claim at random points; None where it cannot be computed, or its shape is wrong there."""
    try:
        right = derivative(f, x)
        expressions = (f, right, x, *((claimed,) if isinstance(claimed, Expression) else ()))
        instances = draw_instances(expressions, seed, {})
        tolerance = EXACT if isinstance(claimed, Expression) else APPROXIMATE
        values = [claimed_value(claimed, instance, f, right) for instance in instances]
    except (EvaluationError, DerivativeError, ValueError):
        return None
    samples = [
        sample_at(right, instance, value) for instance, value in zip(instances, values, strict=True)
    ]
    case = Case(f, x, right, samples, tolerance, seed)
    finite = all(np.isfinite(sample.claimed).all() for sample in samples)
    return case if case.shape_is_right and finite else None
