"""The walk over an expression, as in `evaluate`, in the digits that mpmath is set to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.noise import Again
from mcmodels.calculus.compute.digits.rows import Rows, added, entries, mapped
from mcmodels.calculus.compute.digits.sums import sum_of_terms
from mcmodels.calculus.compute.digits.values import (
    VALUES,
    chain_with_selections,
    has_selections,
)
from mcmodels.calculus.compute.kinks import kinks_that_count
from mcmodels.calculus.compute.undefined import (
    EvaluationError,
    parts_of_choices,
    takes_step_or_sign,
    warn_of_kink,
)
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver

__all__ = ["walk_exactly"]

Value = Callable[[Expression], Rows]
Changed = Callable[[Expression, list[Rows], Rows, Again], Rows]
Seen = Callable[[Expression, list[Rows], Rows], None]


def walk_exactly(
    expression: Expression,
    values: Mapping[N.Symbol, Rows],
    sizes: Mapping[str, int],
    checked: bool = False,
    changed: Changed | None = None,
    seen: Seen | None = None,
    tell: Callable[[Expression], None] = warn_of_kink,
) -> Rows:
    """The value as lists of rows.

    Parameters
    ----------
    expression : Expression
    values : mapping of Symbol to lists of rows
    sizes : mapping of str to int
    checked : bool
        Whether a part that is not finite is an error that names it.
    changed : callable, optional
        What is used in place of the value of a part, as `Noise.changed`.
    seen : callable, optional
        Takes each part, the values of its children, and its own.
    tell : callable
        Takes each part that has a kink at this point; it warns of it, where nothing is given.

    Raises
    ------
    EvaluationError
        If a part is not defined there; where ``checked``, also if one is not finite.
    """
    kinks: list[Expression] = []
    value = _value_in(expression, values, sizes, checked, kinks.append, tell, changed, seen)
    result = value(expression)
    for part in kinks_that_count(
        expression, kinks, lambda part: [not entry for entry in entries(value(part))]
    ):
        tell(part)
    return result


def _value_in(
    expression: Expression,
    values: Mapping[N.Symbol, Rows],
    sizes: Mapping[str, int],
    checked: bool,
    met_kink: Callable[[Expression], None],
    tell: Callable[[Expression], None],
    changed: Changed | None,
    seen: Seen | None,
    outer: tuple[N.Symbol, Value] | None = None,
) -> Value:
    """The function that gives the values of parts; ``outer``: an index, and that around its sum.

    ``met_kink`` takes each step and sign with an argument of 0.
    """
    known: dict[bytes, Rows] = {}

    def value(part: Expression) -> Rows:
        if outer is not None and outer[0] not in part.used:
            return outer[1](part)
        if part.key not in known:
            known[part.key] = computed(part)
        return known[part.key]

    def computed(part: Expression) -> Rows:
        if isinstance(part, N.Symbol):
            return reported(part, [], values[part], lambda f: values[part])
        if has_selections(part):
            return with_selections(part)
        if isinstance(part, SumOver):
            added_up: list[Rows] = []

            def term(inner: Expression, place: Rows) -> Rows:
                moved, around = {**values, part.index: place}, (part.index, value)
                # Terms that are left out need not be defined.
                strict = checked and not part.is_conditional
                at_place = _value_in(
                    expression, moved, sizes, strict, tell, tell, changed, seen, around
                )
                found = at_place(inner)
                if changed is not None and inner is part.body:
                    added_up.append(mapped(abs, found))
                return found

            total = after_check(part, [], sum_of_terms(part, term, sizes))
            largest = reduce(added, added_up) if added_up else total  # of a logarithm, itself
            if changed is None:
                return total
            return changed(part, [largest, *added_up], total, lambda f: largest)
        if type(part) not in VALUES:
            raise EvaluationError(f"{part} has no value in digits")
        children = [value(child) for child in part.children]
        try:
            result = VALUES[type(part)](part, children, sizes)
        except ArithmeticError as error:
            why = str(error) or "a division by zero"
            raise EvaluationError(f"{part} is not defined here: {why}") from None

        def again(function: Callable[[Any], Any]) -> Rows:
            moved = [mapped(function, child) for child in children]
            if isinstance(part, N.MatrixPower):
                moved[1] = children[1]
            return VALUES[type(part)](part, moved, sizes)

        return reported(part, children, after_check(part, children, result), again)

    def with_selections(part: N.Product) -> Rows:
        def again(function: Callable[[Any], Any]) -> Rows:
            return chain_with_selections(part, lambda e: mapped(function, value(e)), sizes)

        result = chain_with_selections(part, value, sizes)
        children = [value(child) for child in part.children if not isinstance(child, N.Selection)]
        return reported(part, children, result, again)

    def reported(part: Expression, children: list[Rows], result: Rows, again: Again) -> Rows:
        if seen is not None:
            seen(part, children, result)
        return result if changed is None else changed(part, children, result, again)

    def after_check(part: Expression, children: list[Rows], result: Rows) -> Rows:
        if checked:
            try:
                _check(part, children, result)
            except EvaluationError:  # what a choice does not choose is checked where it chooses
                if part.key not in parts_of_choices(expression):
                    raise
            if takes_step_or_sign(part) and not all(entries(children[0])):
                met_kink(part)
        return result

    return value


def _check(part: Expression, children: list[Rows], result: Rows) -> None:
    mp = mpmath().mp
    odd = [entry for entry in entries(result) if not mp.isfinite(entry)]
    if odd:
        what = "a NaN" if any(mp.isnan(entry) for entry in odd) else "an infinity"
        raise EvaluationError(f"{part} is not finite here: its value has {what}")
    if isinstance(part, F.Hardmax):
        inside = entries(children[0])
        if inside.count(max(inside)) > 1:
            warn_of_kink(part)
