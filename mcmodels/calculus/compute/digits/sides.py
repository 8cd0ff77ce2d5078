"""Values at kinks that are none, as in `sides_of_kinks`, in digits: from points close by."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute.digits.certified import certified
from mcmodels.calculus.compute.digits.functions import mpmath, number
from mcmodels.calculus.compute.digits.rows import Rows, entries, mapped
from mcmodels.calculus.compute.undefined import EvaluationError, warn_of_kink
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol

__all__ = ["beside_kinks"]

_DIRECTIONS = 3
_MOVES = (10**8, 10**9)  # steps: from so many one is drawn that no two entries move alike
_BEYOND = 20  # digits of the step beyond three times those asked for, for slopes up to 1e20 or so


def beside_kinks(
    form: Expression,
    given: Mapping[Symbol, Rows],
    sizes: Mapping[str, int],
    digits: int,
    result: Rows,
    kinks: list[Expression],
) -> Rows:
    """The value on all sides, for each entry where these agree; else as it is, with a warning."""
    try:
        sides = _values_beside(form, given, sizes, digits)
    except (EvaluationError, ArithmeticError):
        sides = []
    small, values = mpmath().mp.mpf(10) ** -digits, entries(result)
    merged, agreed = [], True
    for i, value in enumerate(values):
        each = [side[i] for side in sides]
        same = bool(each) and max(each) - min(each) <= small * max(map(abs, each))
        merged.append(each[0] if same else value)
        agreed = agreed and same
    if not agreed:
        for part in kinks:
            warn_of_kink(part)
    width = len(result[0])
    return [merged[start : start + width] for start in range(0, len(merged), width)]


def _values_beside(
    form: Expression, given: Mapping[Symbol, Rows], sizes: Mapping[str, int], digits: int
) -> list[list[Any]]:
    """The entries at points so close that they differ by less than the digits tell."""
    mp, draw = mpmath().mp, random.Random(0)
    power = 3 * digits + _BEYOND
    sides: list[list[Any]] = []
    with mp.workdps(4 * power):
        for _ in range(_DIRECTIONS):
            moves = {
                symbol: mapped(lambda entry: draw.choice((-1, 1)) * draw.randint(*_MOVES), rows)
                for symbol, rows in given.items()
            }
            for sign in (1, -1):
                step = sign * mp.mpf(10) ** -power

                def moved(value: Any, move: int, step: Any = step) -> Any:
                    return number(value) + step * move

                points = {
                    symbol: rows
                    if "integer" in symbol.declared
                    else mapped(moved, rows, moves[symbol])
                    for symbol, rows in given.items()
                }
                ignored: list[Expression] = []
                found, _ = certified(form, points, sizes, digits, tell=ignored.append)
                sides.append(entries(found))
    return sides
