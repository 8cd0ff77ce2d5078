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
    mp, draw = mpmath().mp, random.Random(0)
    power = 3 * digits + _BEYOND
    sides: list[list[Any]] = []
    try:
        with mp.workdps(4 * power):
            small = mp.mpf(10) ** -digits
            for _ in range(_DIRECTIONS):
                moves = {
                    symbol: mapped(lambda entry: draw.choice((-1, 1)) * draw.randint(5, 9), rows)
                    for symbol, rows in given.items()
                    if "integer" not in symbol.declared
                }
                for sign in (1, -1):
                    step = sign * mp.mpf(10) ** -power
                    moved = {
                        symbol: mapped(lambda v, k: number(v) + step * k, rows, moves[symbol])  # noqa: B023
                        if symbol in moves
                        else rows
                        for symbol, rows in given.items()
                    }
                    unheard: list[Expression] = []
                    found, _ = certified(form, moved, sizes, digits, tell=unheard.append)
                    sides.append(entries(found))
            agreed = iter(
                [max(each) - min(each) <= small * max(map(abs, each)) for each in zip(*sides)]
            )
    except (EvaluationError, ArithmeticError):
        agreed = iter([False] * len(entries(result)))
    flags = list(agreed)
    if not all(flags):
        for part in kinks:
            warn_of_kink(part)
    if not any(flags):
        return result
    width, values = len(result[0]), entries(result)
    merged = [
        sides[0][i] if flag else value for i, (flag, value) in enumerate(zip(flags, values))
    ]
    return [merged[start : start + width] for start in range(0, len(merged), width)]
