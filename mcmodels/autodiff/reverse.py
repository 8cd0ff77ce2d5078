"""Reverse mode: a tape records each computation, and is then swept backwards (or forwards).

The tape holds the derivative as a product of sparse linear maps, which can be multiplied from
either side: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.captured import SMALL, refuse_overwritten, sample
from mcmodels.autodiff.equal_values import LinearForms, ratio_of
from mcmodels.autodiff.tracing import DerivativeRule, Traced, Tracer, next_level

__all__ = ["Tape", "Variable"]


# One line of a tape: the rule of a function, None for an input; the result; the arguments; the
# keyword arguments; and for each argument on the tape its position, and its line. A plain tuple:
# making a named one takes as long as a small computation.
Entry = tuple[DerivativeRule | None, Any, Sequence[Any], dict[str, Any], Sequence[tuple[int, int]]]

# Functions of which the derivative does not depend on the values of plain arguments.
_UNREAD = frozenset({"add", "subtract", "concatenate"})
_ARRAY = np.ndarray
_NUMBERS = frozenset({float, int, np.float64})


class Variable(TracedArray):
    """A value on a tape.

    Parameters
    ----------
    value : ndarray or Traced
        The value itself.
    tracer : Tape
        The tape.
    line : int
        The line on the tape that it is the result of.
    """

    __slots__ = ()

    def __init__(self, value: Any, tracer: Tracer, line: int) -> None:
        self.value = value
        self.tracer = tracer
        self.origin = None
        self.held = False
        self.line = line

    def give(self, other: Any) -> None:
        """Give another variable the line."""
        other.line = self.line


class Tape(Tracer):
    """A record of all computations with its inputs, in order."""

    _forms: LinearForms | None = None

    def __init__(self) -> None:
        self.level = next_level()
        self.entries: list[Entry] = []
        # Large plain arrays, a sample of each, and the line of the tape that took it.
        self.watched: list[tuple[np.ndarray, bytes, int]] = []

    def input(self, x: Any) -> Variable:
        """An input x as a value to differentiate by; inputs are the first lines of the tape."""
        if isinstance(x, Traced):
            x = x.snapshot()
        self.entries.append((None, x, (), {}, ()))
        return Variable(x, self, len(self.entries) - 1)

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> Variable:
        """Record how y was computed."""
        parents = []
        entries = self.entries
        for i, arg in enumerate(args):
            kind = type(arg)
            if kind is Variable:
                if arg.tracer is self:
                    parents.append((i, arg.line))
            elif kind is _ARRAY or (kind not in _NUMBERS and isinstance(arg, _ARRAY)):
                # The array may be overwritten before it is read again.
                if arg.size <= SMALL:
                    values[i] = arg.__copy__()
                elif rule.name not in _UNREAD:
                    self.watched.append((arg, sample(arg), len(entries)))
        entries.append((rule, y, values, kwargs, parents))
        return Variable(y, self, len(entries) - 1)

    def ratio(self, u: Any, v: Any) -> float | None:
        """The number c with u = c v, as they were computed, if there is one."""
        if self._forms is None:
            self._forms = LinearForms(self.entries)
        return ratio_of(self._forms.of(u.line), self._forms.of(v.line))

    def require_unchanged(self, output: Variable) -> None:
        """Refuse plain arrays that were overwritten, if an output depends on them."""
        changed = {line: x for x, before, line in self.watched if sample(x) != before}
        for line in self.lines_to(output) if changed else ():
            rule = self.entries[line][0]
            if rule is not None and line in changed:
                refuse_overwritten(changed[line], rule.name)

    def pull(self, output: Variable, cotangent: Any, inputs: int) -> list[Any]:
        """``Jᵀ`` times a cotangent of an output, for so many inputs; None stands for zero."""
        found: list[Any] = [None] * max(output.line + 1, inputs)
        found[output.line] = cotangent
        for line in range(output.line, -1, -1):
            g = found[line]
            if g is None:
                continue
            rule, y, values, kwargs, parents = self.entries[line]
            if rule is None:
                continue
            found[line] = None
            for i, parent in parents:
                part = rule.pull(i, g, y, values, kwargs)
                before = found[parent]
                found[parent] = part if before is None else before + part
        return found[:inputs]

    def lines_to(self, output: Variable) -> list[int]:
        """The lines that an output depends on, in order."""
        needed = {output.line}
        for line in range(output.line, -1, -1):
            if line in needed:
                needed.update(parent for _, parent in self.entries[line][4])
        return sorted(needed)

    def push(self, i: int, tangent: Any, lines: Sequence[int]) -> Any:
        """``J`` times a tangent of input i, along the lines to an output; None for zero."""
        found: list[Any] = [None] * (max(i, lines[-1]) + 1)
        found[i] = tangent
        for line in lines:
            rule, y, values, kwargs, parents = self.entries[line]
            if rule is None:
                continue
            for i, parent in parents:
                if (dx := found[parent]) is not None:
                    part = rule.push(i, dx, y, values, kwargs)
                    before = found[line]
                    found[line] = part if before is None else before + part
        return found[lines[-1]]
