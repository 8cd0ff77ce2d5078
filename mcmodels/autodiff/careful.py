"""A tape that computes 0/0, ∞ - ∞ and 0·∞ by power series, where there is one.

Derivatives that came out as NaN are taken once more on such a tape. Each such result is a function
of the values before it. It is expanded about the nearest of these that both of its parts were
computed from: an array, if all functions on the way are elementwise, or a single number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.equal_values import LinearForms
from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.rules.power_series import by_power_series, power_series
from mcmodels.autodiff.tables import RULES, call
from mcmodels.autodiff.tracing import DerivativeRule, Traced, constant
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

__all__ = ["CarefulTape", "has_nan", "warn_nan"]

_UNDETERMINED = frozenset({np.divide, np.subtract, np.add, np.multiply})
_CHOICES = (RULES["where"], RULES["getitem"])  # sort takes entries by their values
_ROOTS = (RULES[np.sqrt], RULES[np.abs], RULES["norm"])
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
    """A record of all computations, with 0/0, ∞ - ∞ and 0·∞ by their limits.

    Attributes
    ----------
    has_limits : bool
        Whether there was one.
    """

    has_limits = False

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
        if rule.function in _UNDETERMINED:
            a, b = map(constant, values)
            where = np.isnan(constant(y)) & ~np.isnan(a) & ~np.isnan(b)
            if rule.function is np.divide:  # another derivative may have its limit already
                where = where | ((a == 0) & (b == 0))
            if np.any(where):
                return self._limits(result, np.asarray(where))
        return result

    def _limits(self, result: Variable, zero: npt.NDArray[np.bool_]) -> Any:
        """The result, with these entries by their power series."""
        y = constant(result)
        self.has_limits = True
        if (factored := self._factor_apart(result, zero)) is not None:
            return factored
        found = self._path_to(result.line)
        if found is None:
            return result
        start, lines, first, elementwise = found
        x = Variable(self.entries[start][1], self, start)
        centres = np.broadcast_to(constant(x), y.shape)[zero]

        def again(z: Any, chosen: Callable[[Any], Any]) -> Any:
            return self._again(lines, first, {start: z}, chosen)

        def along(z: Any) -> Any:
            if elementwise:
                return again(z, lambda c: np.broadcast_to(c, y.shape)[zero])
            return np.array([[again(point, lambda c: c)] for point in z[:, 0]])

        series = power_series(along, centres)
        if series is None:
            return result
        if not y.shape:
            return np.reshape(by_power_series(series, np.reshape(x, (1,))), ())
        spread = np.broadcast_to(x, y.shape) if np.shape(constant(x)) != y.shape else x
        limits = by_power_series(series, spread[zero])
        limits = call("scatter", limits, index=np.nonzero(zero), shape=y.shape)
        if zero.all():
            return limits
        others = again(spread[~zero], lambda c: np.broadcast_to(c, y.shape)[~zero])
        return limits + call("scatter", others, index=np.nonzero(~zero), shape=y.shape)

    def _factor_apart(self, result: Variable, zero: npt.NDArray[np.bool_]) -> Any:
        """``pa/b`` as p(a/b), where p is another variable, which is not 0 there."""
        rule, _, values, _, parents = self.entries[result.line]
        lines = dict(parents)
        if rule is None or rule.function is not np.divide or 0 not in lines:
            return None
        rule, _, _, _, parents = self.entries[lines[0]]
        if rule is None or rule.function is not np.multiply or len(parents) < 2:
            return None
        places = dict(parents)
        first, second = (Variable(self.entries[places[i]][1], self, places[i]) for i in (0, 1))
        b = Variable(self.entries[lines[1]][1], self, lines[1]) if 1 in lines else values[1]
        for p, a in ((first, second), (second, first)):
            if np.all(np.broadcast_to(constant(p), zero.shape)[zero]):
                return p * (a / b)
        return None

    def prefers_series(self, x: Any) -> bool:
        """Whether x is a root of 0, whose own derivative is infinite."""
        rule, y, *_ = self.entries[x.line]
        return _is_root_of_zero(rule, y)

    def _path_to(self, line: int) -> tuple[int, list[int], list[int], bool] | None:
        """The line of a value, and those after it that lead from it alone to this line.

        Also the first line of the same value as each, and whether all are elementwise.
        """
        first = LinearForms(self.entries).first_lines(line)
        path: list[int] = []
        waiting, elementwise = {line}, True
        shape = np.shape(self.entries[line][1])
        while len(path) < _LONGEST:
            line = max(waiting)
            rule, y, values, kwargs, parents = self.entries[line]
            fits = np.shape(y) in (shape, ()) if elementwise else np.shape(y) == shape == ()
            if path and len(waiting) == 1 and fits and not _is_root_of_zero(rule, y):
                return line, path[::-1], first, elementwise
            on_tape = {i for i, _ in parents}
            if rule is None or rule in _CHOICES:  # on the other side there may be another limit
                return None
            if any(isinstance(v, Traced) and i not in on_tape for i, v in enumerate(values)):
                return None  # a derivative by a value of another derivative would be lost
            elementwise = elementwise and isinstance(rule.function, np.ufunc) and not kwargs
            waiting.remove(line)
            waiting.update(first[parent] for _, parent in parents)
            path.append(line)
        return None

    def _again(
        self,
        lines: Sequence[int],
        first: Sequence[int],
        known: dict[int, Any],
        chosen: Callable[[Any], Any],
    ) -> Any:
        """The value of the last of these lines, computed anew for chosen entries."""
        for line in lines:
            rule, _, values, kwargs, parents = self.entries[line]
            places = dict(parents)
            assert rule is not None
            arguments = [
                known[first[places[i]]] if i in places else chosen(v) for i, v in enumerate(values)
            ]
            known[line] = rule.function(*arguments, **kwargs)
        return known[lines[-1]]


def _is_root_of_zero(rule: DerivativeRule | None, y: Any) -> bool:
    """Whether it is a square root, an absolute value or a norm at 0.

    Limits are not taken in such a value: a function that has one is analytic in its square alone.
    """
    return rule is not None and rule in _ROOTS and not np.all(constant(y))
