"""The factors by which parts of the right derivative differ from what was claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.doctor.case import FACTOR_TOLERANCE, Case
from mcmodels.calculus.study.doctor.factors import Factor, Quantity, ratios_of, recognise
from mcmodels.plain import np

__all__ = ["factor_added", "factor_in", "factor_of", "is_seen_in_part"]

_LOOSEST = 1e-2  # relative, of a ratio where its base is nearly 0


def factor_of(case: Case, base: Expression) -> Factor | None:
    """The factor that makes the claimed derivative of ``base``."""
    return _factor(case, [(s.claimed, s.value(base)) for s in case.samples], 0.0)


def factor_added(case: Case, candidate: Expression) -> Factor | None:
    """The factor with which ``candidate`` is added to the right derivative."""
    return _factor(case, [(s.claimed - s.right, s.value(candidate)) for s in case.samples], 0.0)


def factor_in(case: Case, term: Expression) -> Factor | float | None:
    """The factor that ``term``, a part of the right derivative, has in the claimed one.

    0.0 where the term is missing, None where no factor explains the difference.
    """
    pairs = [(s.claimed - s.right, s.value(term)) for s in case.samples]
    limits, _, seen = _telling(case, pairs)
    told = [pairs[i] for i in seen]
    ratios = ratios_of(told, limits)
    if ratios is None:
        return None
    errors = _errors(case, [base for _, base in told], seen)
    if (np.abs(np.array(ratios) + 1) <= np.clip(errors, FACTOR_TOLERANCE, _LOOSEST)).all():
        return 0.0
    return _factor(case, pairs, 1.0)


def _factor(case: Case, pairs: list[tuple[Array, Array]], shift: float) -> Factor | None:
    limits, quantities, seen = _telling(case, pairs)
    pairs = [pairs[i] for i in seen]
    ratios = ratios_of(pairs, limits)
    if ratios is None:
        return None
    bases = [base for _, base in pairs]
    values = np.array(ratios) + shift
    with np.errstate(divide="ignore"):
        tolerance = _errors(case, bases, seen) / np.abs(values)
    factor = recognise(list(values), quantities, np.clip(tolerance, FACTOR_TOLERANCE, _LOOSEST))
    if len(seen) == 1 < len(case.samples) and factor is not None and factor.powers:
        return None  # there, any quantity may have the value by chance
    few = sum(base.size for base in bases) < 3
    if factor is not None and not factor.recognised and few:
        return None  # at one number, a factor explains every difference
    return factor


def is_seen_in_part(case: Case, term: Expression) -> bool:
    """Whether a term is 0 at some points, as below a threshold."""
    return not all(sample.value(term).any() for sample in case.samples)


def _telling(
    case: Case, pairs: list[tuple[Array, Array]]
) -> tuple[list[float], Sequence[Quantity], list[int]]:
    """The points that tell a factor: at others nothing is there, as below a threshold.

    With what is allowed there, and with the quantities there.
    """
    limits = [case.allowed(sample) for sample in case.samples]
    seen = [
        i
        for i, ((found, base), limit) in enumerate(zip(pairs, limits, strict=True))
        if base.any() or not np.abs(found).max(initial=0) <= limit
    ]
    if len(seen) in (0, len(pairs)):
        return limits, case.quantities, list(range(len(pairs)))
    quantities = [
        replace(quantity, values=tuple(quantity.values[i] for i in seen))
        for quantity in case.quantities
    ]
    return [limits[i] for i in seen], quantities, seen


def _errors(case: Case, bases: list[Array], seen: list[int]) -> Array:
    """How far the ratio at each point may be off: much, where the base is small."""
    return np.array(
        [
            case.allowed(case.samples[i]) / float(np.abs(base).max())
            for i, base in zip(seen, bases, strict=True)
        ]
    )
