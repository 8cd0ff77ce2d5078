"""A tape that computes 0/0, ∞ - ∞ and 0·∞ by power series, where there is one.

Derivatives that came out as NaN are taken once more on such a tape. On it, such a result is
looked at as a function of the nearest value that both parts were computed of by elementwise
functions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.rules.power_series import by_power_series, power_series
from mcmodels.autodiff.tables import call
from mcmodels.autodiff.tracing import DerivativeRule, Traced, constant
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = ["CarefulTape", "has_nan", "warn_nan"]

_UNDETERMINED = frozenset({np.divide, np.subtract, np.add, np.multiply})
_LONGEST = 60  # lines of a tape between the quotient and what it is a function of


def has_nan(x: Any) -> bool:
    """Whether there is NaN among the entries of an array of floating-point numbers."""
    x = constant(x)
    if not x.size:
        return False
    least = x.item(x.argmin())  # NaN, if there is one
    return least != least


def warn_nan(found: Sequence[Any]) -> None:
    """Warn of derivatives that are NaN where the function is finite."""
    for g in map(constant, found):
        if has_nan(g):
            where = [int(i) for i in np.argwhere(np.isnan(g))[0]]
            at = f" at {where}" if where else ""
            warn_user(
                f"the derivative is NaN{at}, though the value is finite: a term is 0/0, 0·∞ or NaN "
                "there, of a kind that the value does not see (a branch that np.where does not "
                "take, a NaN that nansum leaves out). Keep arguments where the function has a "
                "derivative: np.log(np.where(x > 0, x, 1)), residuals[~np.isnan(data)].",
                NonDifferentiableWarning,
            )
            return


class CarefulTape(Tape):
    """A record of all computations, with 0/0, ∞ - ∞ and 0·∞ by their limits."""

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        """Record how y was computed, or its power series."""
        result = super().follow(rule, y, args, values, kwargs)
        if rule.function in _UNDETERMINED and has_nan(y):
            return self._limits(result, values)
        return result

    def _limits(self, result: Variable, values: Sequence[Any]) -> Any:
        """The result, with entries that are NaN of parts that are not by their power series."""
        y = constant(result)
        zero = np.isnan(y) & ~np.isnan(constant(values[0])) & ~np.isnan(constant(values[1]))
        lines = self._lines_from_one(result.line)
        if not zero.any() or lines is None:
            return result
        start, *lines = lines
        x = Variable(self.entries[start][1], self, start)
        plain = constant(x)

        def along(z: Any) -> Any:
            return self._again(lines, {start: z}, lambda c: np.broadcast_to(c, y.shape)[zero])

        series = power_series(along, np.broadcast_to(plain, y.shape)[zero])
        if series is None:
            return result
        if not y.shape:
            return np.reshape(by_power_series(series, np.reshape(x, (1,))), ())
        spread = np.broadcast_to(x, y.shape) if plain.shape != y.shape else x
        limits = by_power_series(series, spread[zero])
        limits = call("scatter", limits, index=np.nonzero(zero), shape=y.shape)
        if zero.all():
            return limits
        others = self._again(
            lines, {start: spread[~zero]}, lambda c: np.broadcast_to(c, y.shape)[~zero]
        )
        return limits + call("scatter", others, index=np.nonzero(~zero), shape=y.shape)

    def _lines_from_one(self, line: int) -> list[int] | None:
        """The line of a value, and those after it that lead from it alone to this line."""
        shape, waiting = np.shape(self.entries[line][1]), {line}
        found: list[int] = []
        while len(found) < _LONGEST:
            line = max(waiting)
            rule, y, values, kwargs, parents = self.entries[line]
            if found and len(waiting) == 1 and np.shape(y) in (shape, ()):
                return [line, *found[::-1]]
            if rule is None or kwargs or not isinstance(rule.function, np.ufunc):
                return None
            on_tape = {i for i, _ in parents}
            if any(isinstance(v, Traced) and i not in on_tape for i, v in enumerate(values)):
                return None  # its derivative by a value of another derivative would be lost
            waiting.remove(line)
            waiting.update(parent for _, parent in parents)
            found.append(line)
        return None

    def _again(self, lines: Sequence[int], known: dict[int, Any], chosen: Any) -> Any:
        """The value of the last of these lines, computed anew for chosen entries."""
        for line in lines:
            rule, _, values, _, parents = self.entries[line]
            places = dict(parents)
            assert rule is not None
            known[line] = rule.function(
                *(known[places[i]] if i in places else chosen(v) for i, v in enumerate(values))
            )
        return known[lines[-1]]
