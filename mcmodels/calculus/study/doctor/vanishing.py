"""Claims that agree where the right derivative is 0: they are compared at another point, too.

At a minimum, each multiple of the gradient agrees with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.doctor.case import Case
from mcmodels.calculus.study.doctor.claims import claimed_value, sample_at
from mcmodels.calculus.study.doctor.more_digits import ROUNDED, compared, is_clear
from mcmodels.calculus.study.doctor.naming import named
from mcmodels.calculus.study.doctor.samples import draw_instances, natural_value
from mcmodels.calculus.study.doctor.verdict import Diagnosis
from mcmodels.calculus.study.instances import Instance
from mcmodels.plain import np

__all__ = ["seen_elsewhere"]

_SMALL = 1e-8  # of a derivative in a tail: there a function may be right but for its rounding
_CANCELLED = 1e-6  # of the largest term: below, the right derivative is 0 but for rounding
_NOTE = "; it is nearly 0 there, and many mistakes cannot be seen: try another point"


def seen_elsewhere(
    diagnosis: Diagnosis, case: Case, claimed: Any, seed: int, values: Mapping[str, Any]
) -> Diagnosis:
    """What another point says of a claim that agrees where the right derivative is 0.

    There x is drawn at random; all other symbols keep the values given.
    """
    if not diagnosis.correct or not all(map(_vanishes, case.samples)):
        return diagnosis
    sizes = case.samples[0].sizes
    kept = {name: value for name, value in values.items() if name != case.x.name}
    symbols = {symbol.name for symbol in case.f.used | {case.x}}
    kept = {**{name: size for name, size in sizes.items() if name not in symbols}, **kept}
    expressions = [case.f, case.right, case.x]
    if isinstance(claimed, Expression):
        expressions.append(claimed)
    names = {name for e in expressions for name in (*e.size_names, *(s.name for s in e.used))}
    kept = {name: value for name, value in kept.items() if name in names}
    try:
        instances = draw_instances(expressions, seed, kept)
        if not any(natural_value(case.right, instance).any() for instance in instances):
            return diagnosis
        found = _compared(case, claimed, instances, seed)
    except (EvaluationError, ValueError, TypeError):  # defined, or written, for this point alone
        found = None
    if found is None:
        noted = "many mistakes cannot be seen" in diagnosis.explanation
        return replace(diagnosis, explanation=diagnosis.explanation + ("" if noted else _NOTE))
    if found.correct:
        words = f"{diagnosis.explanation}, where it is nearly 0, and at random {case.x.name}"
        return replace(diagnosis, explanation=words.replace(_CANCEL_NOTE, ""))
    words = (
        f"it agrees where the {case.kind} is 0, as at the point given; elsewhere "
        f"{found.explanation}"
    )
    return replace(found, explanation=words)


_CANCEL_NOTE = "; the terms cancel there, and many mistakes cannot be seen: try another point"


def _vanishes(sample: Any) -> bool:
    largest = float(np.abs(sample.right).max(initial=0.0))
    return largest <= _CANCELLED * sample.largest_term


def _compared(case: Case, claimed: Any, instances: list[Instance], seed: int) -> Diagnosis | None:
    """The diagnosis at other points; None of numbers, and where float64 does not tell."""
    if not isinstance(claimed, Expression) and not _takes(claimed, case.x.name):
        return None
    samples = [
        sample_at(case.right, instance, claimed_value(claimed, instance, case.f, case.right))
        for instance in instances
    ]
    other = Case(case.f, case.x, case.right, samples, case.tolerance, seed)
    if not other.shape_is_right:
        return None
    error = max(sample.error() for sample in samples)
    if is_clear(samples, given=True):
        return Diagnosis(True, error, None, "", "", case.right)
    if isinstance(claimed, Expression):
        found = compared(case.right, claimed, instances)
        if found is not None:
            if found.correct:
                return Diagnosis(True, found.error, None, "", "", case.right)
            clear = is_clear(samples, given=False)
            exact = Case(case.f, case.x, case.right, found.samples, ROUNDED, seed)
            return named(other if clear else exact, found.error)
    elif min(float(np.abs(s.right).max(initial=0.0)) for s in samples) < _SMALL:
        return None
    if all(s.differs(s.claimed, s.right, case.tolerance) for s in samples):
        return named(other, error) if is_clear(samples, given=False) else None
    return None


def _takes(claimed: Any, name: str) -> bool:
    """Whether it is a function that takes x by its name."""
    if not callable(claimed):
        return False
    try:
        parameters = inspect.signature(claimed).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)
