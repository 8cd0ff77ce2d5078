"""Where float64 cannot tell a claim from the right derivative: both in more digits, by mpmath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.digits.certified import certified
from mcmodels.calculus.compute.digits.functions import mpmath, number
from mcmodels.calculus.compute.digits.rows import Rows, largest_of, mapped
from mcmodels.calculus.compute.digits.walking import walk_exactly
from mcmodels.calculus.compute.evaluate import EvaluationError, natural
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.doctor.samples import EXACT, Sample, Tolerance
from mcmodels.calculus.study.doctor.terms import expanded
from mcmodels.calculus.study.instances import Instance
from mcmodels.plain import np

__all__ = ["ROUNDED", "Compared", "compared", "is_clear", "right_in_digits"]

_WORKING = 60
_KEPT = 25  # digits in which two computations agree
_EQUAL = 1e-20  # relative: two forms of one expression
_LARGEST_DENOMINATOR = 1000  # of ratios that are exact; 0.3989 has another
_MOST_ENTRIES = 2000  # of values; beyond, digits take seconds
_CLEAR = 1e-12  # relative: float64 without cancellation
_CANCELLED = 1e-3  # of the largest term: three digits of fifteen are lost

ROUNDED = Tolerance(1e-12, 0.0)
"""For values that were computed in digits, and rounded to float64."""


def is_clear(samples: Sequence[Sample], given: bool) -> bool:
    """Whether float64 tells if the claim is right.

    Parameters
    ----------
    samples : sequence of Sample
    given : bool
        Whether the points were given: they may lie where a difference is rounding.
    """
    return all(_agrees_clearly(s) for s in samples) or (
        not given and any(_differs_clearly(s) for s in samples)
    )


def _agrees_clearly(sample: Sample) -> bool:
    if sample.claimed.shape != sample.right.shape:
        return False
    largest = float(np.abs(sample.right).max(initial=0.0))
    near = float(np.abs(sample.claimed - sample.right).max(initial=0.0)) <= _CLEAR * largest
    return near and 0 < largest >= _CANCELLED * sample.largest_term


def _differs_clearly(sample: Sample) -> bool:
    if sample.claimed.shape != sample.right.shape:
        return True
    if not np.isfinite(sample.claimed).all():
        return False
    largest = float(np.abs(sample.right).max(initial=0.0))
    apart = float(np.abs(sample.claimed - sample.right).max(initial=0.0))
    return largest >= _CANCELLED * sample.largest_term and apart > EXACT.relative * max(
        largest, float(np.abs(sample.claimed).max(initial=0.0))
    )


@dataclass(frozen=True)
class Compared:
    """What digits say of a claim.

    Attributes
    ----------
    correct : bool
    error : float
        The largest deviation, relative to the largest entry of the right derivative.
    samples : tuple of Sample
        The points, with values in digits. They are rounded when they have been divided by the
        size of the right derivative, so that 1e-400 is not 0.
    vanishes : bool
        Whether the right derivative is 0 at all points.
    """

    correct: bool
    error: float
    samples: tuple[Sample, ...]
    vanishes: bool


@dataclass(frozen=True)
class _InDigits(Sample):
    """A point where values are computed in digits, and divided by ``unit``."""

    working: int = _WORKING
    unit: Any = 1

    def _rounded(self, expression: Expression, unit: Any, more: Any = None) -> Array:
        mp = mpmath().mp
        with mp.workdps(self.working):
            try:
                found = walk_exactly(expression, {**self._exact, **(more or {})}, self.sizes)
                quotients = mapped(lambda value: value / unit, found)
            except (ArithmeticError, EvaluationError):
                rows, cols = expression.rows.value(self.sizes), expression.cols.value(self.sizes)
                return np.full((rows, cols), np.nan)
            return np.array([[float(entry) for entry in row] for row in quotients])

    @cached_property
    def _exact(self) -> dict[Any, Rows]:
        return _exactly(self.values)

    def value(self, expression: Expression) -> Array:
        """The value of an expression at the point, over the unit."""
        if expression.key not in self.known:
            self.known[expression.key] = self._rounded(expression, self.unit)
        return natural(expression, self.known[expression.key])

    def number(self, expression: Expression) -> float:
        """The value of a scalar."""
        return float(self._rounded(expression, 1)[0, 0])

    def along(self, df: Expression, dX: Symbol, E: Array, known: dict[bytes, Array]) -> Array:
        """A differential in a direction, over the unit."""
        if df.key not in known:
            known[df.key] = self._rounded(df, self.unit, {dX: mapped(number, E.tolist())})
        return known[df.key]


def _exactly(values: Any) -> dict[Any, Rows]:
    return {symbol: mapped(number, array.tolist()) for symbol, array in values.items()}


def _value(expression: Expression, instance: Instance) -> tuple[Rows, int] | None:
    """A value to many digits and the digits that it takes; None where it has none."""
    form = guarded(stabilised(expression, in_digits=True), keep_steps=False)
    values, sizes = instance
    given = {symbol: array.tolist() for symbol, array in values.items()}
    try:
        return certified(form, given, sizes, _KEPT, checked=False, as_a_whole=True)
    except EvaluationError:
        return None


def _has_decimals(expression: Expression) -> bool:
    """Whether it has numbers that may have been typed in few digits, such as 0.3989."""
    return any(
        isinstance(value, float)
        or (isinstance(value, Fraction) and value.denominator > _LARGEST_DENOMINATOR)
        for part in parts_of(expression)
        for value in (getattr(part, "value", None), getattr(part, "coefficient", None))
    )


def _is_affordable(instance: Instance) -> bool:
    return sum(array.size for array in instance[0].values()) <= _MOST_ENTRIES


def compared(
    right: Expression, claimed: Expression, instances: Sequence[Instance]
) -> Compared | None:
    """What digits say; None without mpmath, at singular points, and of values that are too many."""
    try:
        mp = mpmath().mp
    except ImportError:
        return None
    tolerance = EXACT.relative if _has_decimals(claimed) else _EQUAL
    samples, correct, error, vanishes = [], True, 0.0, True
    for instance in instances:
        if not _is_affordable(instance):
            return None
        try:
            of_right, of_claim = _value(right, instance), _value(claimed, instance)
            terms = [_value(term, instance) for term in expanded(right)]
        except (ArithmeticError, EvaluationError):
            return None
        if of_right is None or of_claim is None:
            return None
        working = max(of_right[1], of_claim[1])
        with mp.workdps(working):
            largest = largest_of(of_right[0])
            vanishes = vanishes and not largest
            # A mistake in a small term is one, too.
            sizes = [largest_of(term[0]) for term in terms if term is not None]
            smallest = min([largest, *(size for size in sizes if size)])
            apart = largest_of(mapped(lambda a, b: a - b, of_claim[0], of_right[0]))
            correct = correct and bool(apart <= tolerance * smallest)
            unit = max(largest, largest_of(of_claim[0])) or mp.mpf(1)
            error = max(error, float(apart / (largest or 1)))
            values = [
                np.array([[float(entry / unit) for entry in row] for row in value])
                for value in (of_right[0], of_claim[0])
            ]
        samples.append(
            _InDigits(
                instance[0],
                instance[1],
                natural(right, values[0]),
                natural(claimed, values[1]),
                working=working,
                unit=unit,
            )
        )
    return Compared(correct, error, tuple(samples), vanishes)


def right_in_digits(right: Expression, instance: Instance) -> Array | None:
    """The right derivative, computed in digits and rounded; None where it cannot be."""
    if not _is_affordable(instance):
        return None
    try:
        found = _value(right, instance)
    except (ImportError, ArithmeticError, EvaluationError):
        return None
    if found is None:
        return None
    rounded = np.array([[float(entry) for entry in row] for row in found[0]])
    return natural(right, rounded)
