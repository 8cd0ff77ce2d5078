"""The walk over an expression, as in `evaluate`, in the digits that mpmath is set to."""

from __future__ import annotations

from collections.abc import Mapping

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.rows import Rows, entries
from mcmodels.calculus.compute.digits.values import (
    VALUES,
    chain_with_selections,
    has_selections,
)
from mcmodels.calculus.compute.undefined import (
    EvaluationError,
    parts_of_choices,
    takes_step_or_sign,
    warn_of_kink,
)
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression

__all__ = ["walk_exactly"]


def walk_exactly(
    expression: Expression,
    values: Mapping[N.Symbol, Rows],
    sizes: Mapping[str, int],
    checked: bool = False,
) -> Rows:
    """The value as lists of rows.

    Raises
    ------
    EvaluationError
        If a part is not defined there; where ``checked``, also if one is not finite.
    """
    known: dict[bytes, Rows] = {}

    def value(part: Expression) -> Rows:
        if part.key not in known:
            known[part.key] = computed(part)
        return known[part.key]

    def computed(part: Expression) -> Rows:
        if isinstance(part, N.Symbol):
            return values[part]
        if has_selections(part):
            return chain_with_selections(part, value, sizes)
        if type(part) not in VALUES:
            raise EvaluationError(f"{part} has no value in digits")
        children = [value(child) for child in part.children]
        try:
            result = VALUES[type(part)](part, children, sizes)
        except ArithmeticError as error:
            why = str(error) or "a division by zero"
            raise EvaluationError(f"{part} is not defined here: {why}") from None
        if checked:
            try:
                _check(part, children, result)
            except EvaluationError:  # what a choice does not choose is checked where it chooses
                if part.key not in parts_of_choices(expression):
                    raise
        return result

    return value(expression)


def _check(part: Expression, children: list[Rows], result: Rows) -> None:
    mp = mpmath().mp
    odd = [entry for entry in entries(result) if not mp.isfinite(entry)]
    if odd:
        what = "a NaN" if any(mp.isnan(entry) for entry in odd) else "an infinity"
        raise EvaluationError(f"{part} is not finite here: its value has {what}")
    if takes_step_or_sign(part) and not all(entries(children[0])):
        warn_of_kink(part)
    if isinstance(part, F.Hardmax):
        inside = entries(children[0])
        if inside.count(max(inside)) > 1:
            warn_of_kink(part)
