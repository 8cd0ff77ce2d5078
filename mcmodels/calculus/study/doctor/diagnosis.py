"""`diagnose`: compare a claimed derivative with the right one, and name the mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.derive.gradients import derivative, symbol_of
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.both_sides import on_both_sides, thresholds
from mcmodels.calculus.study.doctor.case import Case
from mcmodels.calculus.study.doctor.claims import (
    claimed_value,
    in_symbols_of,
    sample_at,
    unsqueezed,
    value_or_nan,
)
from mcmodels.calculus.study.doctor.functions import diagnose_function
from mcmodels.calculus.study.doctor.kink_notes import kink_note
from mcmodels.calculus.study.doctor.more_digits import (
    ROUNDED,
    compared,
    is_clear,
    right_in_digits,
)
from mcmodels.calculus.study.doctor.naming import named, with_an_assumption
from mcmodels.calculus.study.doctor.samples import (
    APPROXIMATE,
    EXACT,
    Sample,
    as_claimed_array,
    draw_instances,
    shape_of,
    value_of_claimed,
)
from mcmodels.calculus.study.doctor.vanishing import seen_elsewhere
from mcmodels.calculus.study.doctor.verdict import Diagnosis, shortly
from mcmodels.calculus.study.doctor.wrong_shapes import wrong_shape
from mcmodels.calculus.study.instances import Instance, as_declared
from mcmodels.differences import difference_quotient
from mcmodels.plain import np

__all__ = ["diagnose"]

_CONFIRMED = 1e-5  # relative; differences are good to 1e-9, and worse beside a kink


def diagnose(
    f: Expression | Callable[[Array], Any],
    x: Any,
    claimed: Any,
    /,
    *,
    seed: Any = None,
    **values: Any,
) -> Diagnosis:
    """Whether a gradient (or Jacobian) is right, and if not, which mistake was made.

    The wrong answers that each known mistake would give are derived, and compared with what was
    claimed at random points of several sizes, and on both sides of each threshold, as that of
    relu(x - 100). The simplest mistake that gives it is named.

    Parameters
    ----------
    f : Expression or callable
        What is differentiated: an expression, or a Python function of one array. Of a scalar the
        gradient is claimed, of anything else the Jacobian (outputs by inputs, matrices counted down
        their columns).
    x : Expression, str or array-like
        For an expression, the symbol to differentiate by, or its name. For a Python function, the
        point: an array at which f is differentiable.
    claimed : Expression, array-like or callable
        The derivative under examination. For an expression f: an expression in its symbols; or a
        function that takes the arrays of the symbols it uses by name (``lambda A, x: ...``); or an
        array, and then all symbols need values. For a Python function f: an array, or a function of
        the same one array.
    seed : int, optional
        Of the random points. Where a symbol or a size is called seed, it is its value.
    **values : float or array-like
        Values of symbols by name. Those that are not given are drawn.

    Returns
    -------
    Diagnosis
        Printing it shows what was found. What is right in another form, or to the accuracy of
        finite differences (1e-5), is right. Cases of which no point was found are named.
        Where terms cancel or values underflow, expressions are compared in more digits (by
        mpmath, where it is installed, for values of up to 2000 entries).

    Raises
    ------
    DerivativeError
        If f has no derivative by x in closed form.
    ValueError
        If values are missing or do not fit, or a function cannot be called; or if f is a Python
        function whose differences cannot tell a right derivative from a wrong one.
    TypeError
        If ``claimed`` is none of the above.

    Examples
    --------
    >>> from mcmodels.calculus import diagnose, matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> diagnose(x.T @ A @ x, x, A @ x + A.T @ x).correct
    True
    >>> print(diagnose(x.T @ A @ x, x, 2 * A @ x))
    wrong (relative error 1.86): assumed symmetric
      A is taken to be symmetric: 2Ax is right only where Aᵀ = A
      the same would come of: mixed layout
      remedy: keep both terms, or declare the matrix with symmetric=True where it is
      right: (A + Aᵀ)x

    Of Python functions:

    >>> import numpy as np
    >>> print(diagnose(lambda x: x @ x, np.array([1.0, 2.0, 3.0]), lambda x: x))
    wrong (relative error 0.5): factor
      the factor 2 is missing
      remedy: multiply by 2
      right: [2. 4. 6.]
    """
    if isinstance(f, Expression):
        symbol = symbol_of(f, x)
        if isinstance(symbol, TensorSymbol):
            raise DerivativeError(
                f"derivatives by scalars, vectors and matrices are diagnosed; {symbol.name} is "
                f"{symbol.described()}. Compare with f.gradient({symbol.name}), by =="
            )
        if seed is not None and "seed" in _names([f, symbol, claimed]):
            seed, values = None, {**values, "seed": seed}
        return _of_expression(f, symbol, claimed, 0 if seed is None else seed, values)
    if not callable(f):
        raise TypeError(
            f"f must be an expression or a function of one array; found {type(f).__name__}"
        )
    if values:
        raise TypeError(
            f"a function f takes one array, the point x; found values for {', '.join(values)}"
        )
    return diagnose_function(f, x, claimed)


def _names(parts: list[Any]) -> set[str]:
    """The names of the symbols and sizes of those parts that are expressions."""
    expressions = [part for part in parts if isinstance(part, Expression)]
    symbols = {symbol.name for expression in expressions for symbol in expression.used}
    return symbols.union(*(expression.size_names for expression in expressions))


def _of_expression(
    f: Expression, symbol: Symbol, claimed: Any, seed: int, values: dict[str, Any]
) -> Diagnosis:
    diagnosis, unseen = _compared(f, symbol, claimed, seed, values)
    if not diagnosis.correct and symbol.name in values:
        note = kink_note(f, symbol, values)
        return replace(diagnosis, explanation=diagnosis.explanation + note)
    if not (diagnosis.correct and unseen):
        return diagnosis
    cases = " or ".join(unseen)
    words = f"{diagnosis.explanation}; not seen: where {cases}"
    return replace(diagnosis, explanation=words)


def _seen_on_both_sides(
    instances: list[Instance],
    right: Expression,
    expressions: tuple[Expression, ...],
    values: dict[str, Any],
) -> list[str]:
    """Add points beyond thresholds; the cases that no point was found for."""
    margins = thresholds(expressions)
    if not margins:
        return []
    given = frozenset(symbol for symbol in instances[0][0] if symbol.name in values)
    added, unseen = on_both_sides(instances, margins, (*expressions, right), given)
    instances += added
    return unseen


def _compared(
    f: Expression, symbol: Symbol, claimed: Any, seed: int, values: dict[str, Any]
) -> tuple[Diagnosis, list[str]]:
    """The diagnosis, and the cases of choices that were not seen."""
    right = derivative(f, symbol)
    if (
        not isinstance(claimed, Expression)
        and np.isscalar(claimed)
        and not isinstance(claimed, str)
    ):
        claimed = as_expression(claimed)
    tolerance = APPROXIMATE
    if isinstance(claimed, Expression):
        claimed, tolerance = in_symbols_of(f, claimed), EXACT
        try:
            instances = draw_instances((f, right, symbol, claimed), seed, values)
        except EvaluationError:  # the claim is undefined where f is defined: NaN is reported
            instances = draw_instances((f, right, symbol, *claimed.symbols), seed, values)
        unseen = _seen_on_both_sides(instances, right, (f, claimed), values)
        claims = [value_or_nan(claimed, instance) for instance in instances]
    elif callable(claimed):
        instances = draw_instances((f, right, symbol), seed, values)
        unseen = _seen_on_both_sides(instances, right, (f,), values)
        claims = [value_of_claimed(claimed, instance, right) for instance in instances]
    else:
        as_claimed_array(claimed)
        missing = sorted({used.name for used in f.used | symbol.used} - set(values))
        if missing:
            raise ValueError(
                "an array is claimed, so every symbol of f needs a value; "
                f"{missing[0]!r} has none. Give it as {missing[0]}=…, or claim an expression or a "
                "function"
            )
        instances = draw_instances((f, right, symbol), seed, values)
        unseen = _seen_on_both_sides(instances, right, (f,), values)
        claims = [as_claimed_array(claimed, shape_of(right, instances[0][1]))]
    samples = [
        sample_at(right, instance, unsqueezed(claim, f, right))
        for instance, claim in zip(instances, claims, strict=True)
    ]
    drawn = instances[0], samples[0]
    wrong = [s.differs(s.claimed, s.right, tolerance) for s in samples]
    if any(wrong):  # mistakes are sought at the first point
        order = sorted(range(len(samples)), key=lambda i: not wrong[i])
        samples, instances = [samples[i] for i in order], [instances[i] for i in order]
    case = Case(f, symbol, right, samples, tolerance, seed)
    given = any(used.name in values for used in f.used | symbol.used)
    if case.shape_is_right and not is_clear(samples, given):
        found = _in_more_digits(case, claimed, instances, seed, values)
        if found is not None:
            return found, unseen
    diagnosis = _examined(case)
    numbers = not isinstance(claimed, Expression) and (given or not callable(claimed))
    if diagnosis.mistake == "unknown" and not numbers and not case.is_large:
        diagnosis = with_an_assumption(case, claimed, seed) or diagnosis
    if given:
        diagnosis = seen_elsewhere(diagnosis, case, claimed, seed, values)
    doubt = _unconfirmed(case, *drawn)
    if doubt:
        words = f"{diagnosis.explanation}; {doubt}"
        return replace(diagnosis, explanation=words), unseen
    return diagnosis, unseen


def _in_more_digits(
    case: Case, claimed: Any, instances: list[Instance], seed: int, values: dict[str, Any]
) -> Diagnosis | None:
    """What digits say, where they can say more than float64."""
    if not isinstance(claimed, Expression):
        found_there = _at_other_points(case, claimed, instances, seed)
        if found_there is None:
            return None
        return seen_elsewhere(found_there, case, claimed, seed, values)
    found = compared(case.right, claimed, instances)
    if found is None:
        return None
    if found.correct:
        agreement = _agreement(case, len(instances), found.error, "; compared in more digits")
        if found.vanishes and values:  # else digits tell what is right there
            return seen_elsewhere(agreement, case, claimed, seed, values)
        return agreement
    exact = Case(case.f, case.x, case.right, found.samples, ROUNDED, seed)
    return named(_clear_case(case, claimed, seed) or exact, found.error)


def _at_other_points(
    case: Case, claimed: Any, instances: list[Instance], seed: int
) -> Diagnosis | None:
    """Numbers are compared with the right ones in digits, a function then at random points."""
    if len(instances) > 1:
        return None
    first = case.samples[0]
    exact = right_in_digits(case.right, instances[0])
    if exact is None or not np.isfinite(first.claimed).all():
        return None
    sample = replace(first, right=exact, largest_term=0.0)
    if not sample.differs(sample.claimed, exact, case.tolerance):
        return _agreement(case, 1, sample.error(), "; the right one in more digits")
    if not callable(claimed):
        return None
    try:
        other = _clear_case(case, claimed, seed)
    except ValueError:  # it works for the values given only
        return None
    return None if other is None else named(other, sample.error())


def _clear_case(case: Case, claimed: Any, seed: int) -> Case | None:
    """The same claim at random points, where float64 tells that it is wrong."""
    expressions = [case.f, case.right, case.x]
    if isinstance(claimed, Expression):
        expressions.append(claimed)
    try:
        instances = draw_instances(expressions, seed, {})
    except EvaluationError:
        return None
    samples = [
        sample_at(case.right, instance, claimed_value(claimed, instance, case.f, case.right))
        for instance in instances
    ]
    other = Case(case.f, case.x, case.right, samples, case.tolerance, seed)
    wrong = any(s.differs(s.claimed, s.right, case.tolerance) for s in samples)
    return other if wrong and is_clear(samples, given=False) else None


def _agreement(case: Case, count: int, error: float, how: str) -> Diagnosis:
    points = "1 point" if count == 1 else f"{count} random points"
    words = (
        f"it agrees with the {case.kind} {shortly(case.right)} at {points} "
        f"(relative error {error:.1e}{how})"
    )
    return Diagnosis(True, error, None, words, "", case.right)


def _unconfirmed(case: Case, instance: Instance, sample: Sample) -> str:
    """A note where differences of f do not confirm the right derivative."""
    values, sizes = instance
    rng = np.random.default_rng(1)
    E = np.asarray(rng.standard_normal(values[case.x].shape))
    if "symmetric" in case.x.declared:
        E = E + E.T
    E = as_declared(case.x, E)
    found = difference_quotient(
        lambda t: walk(case.f, {**values, case.x: values[case.x] + t * E}, sizes)
    )
    right = sample.right
    if case.f.is_scalar:
        expected = np.array([[np.sum(right.reshape(E.shape) * E)]])
    else:
        expected = (right.reshape(-1, E.size) @ E.T.reshape(-1)).reshape(found.shape[::-1]).T
    scale_ = max(float(np.abs(expected).max()), sample.largest_term)
    if np.abs(found - expected).max() <= _CONFIRMED * scale_:
        return ""
    return (
        "note that differences of f do not confirm the right derivative at this point, as beside a "
        "kink or where f is not defined"
    )


def _examined(case: Case) -> Diagnosis:
    samples, right = case.samples, case.right
    error = max(sample.error() for sample in samples)
    if not any(sample.differs(sample.claimed, sample.right, case.tolerance) for sample in samples):
        agreement = _agreement(case, len(samples), error, "")
        first = samples[0]
        cancelled = np.abs(first.right).max(initial=0) <= 1e-6 * first.largest_term
        if len(samples) == 1 and cancelled and first.largest_term > 0:
            unseen = "; the terms cancel there, and many mistakes cannot be seen: try another point"
            return replace(agreement, explanation=agreement.explanation + unseen)
        return agreement
    if not case.shape_is_right:
        return wrong_shape(case)
    if any(not np.isfinite(sample.claimed).all() for sample in samples):
        count = sum(int((~np.isfinite(sample.claimed)).sum()) for sample in samples)
        words = f"{count} of its values are NaN or infinite where the right ones are finite"
        return Diagnosis(False, error, "not finite", words, "", right)
    return named(case, error)
