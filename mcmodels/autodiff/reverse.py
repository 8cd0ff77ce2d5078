"""Reverse mode: a tape records each computation, and is then swept backwards (or forwards).

The tape holds the derivative as a product of sparse linear maps, which can be multiplied from
either side: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.tracing import DerivativeRule, Tracer

__all__ = ["Tape", "Variable"]


class Entry(NamedTuple):
    """One line of a tape: a function, its arguments and its result.

    Parameters
    ----------
    rule : DerivativeRule or None
        The rule of the function; None for an input.
    y : ndarray or Traced
        The result.
    values : sequence
        The arguments.
    kwargs : dict
        The keyword arguments.
    parents : list of (int, int)
        For each argument on the tape: its position, and its line.
    """

    rule: DerivativeRule | None
    y: Any
    values: Sequence[Any]
    kwargs: dict[str, Any]
    parents: list[tuple[int, int]]


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

    __slots__ = ("line",)

    def __init__(self, value: Any, tracer: Tracer, line: int) -> None:
        super().__init__(value, tracer)
        self.line = line


class Tape(Tracer):
    """A record of all computations with its inputs, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def input(self, x: Any) -> Variable:
        """An input x as a value to differentiate by."""
        return self._written(Entry(None, x, (), {}, []))

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Variable:
        """Record how y was computed."""
        parents = [
            (i, arg.line)
            for i, arg in enumerate(args)
            if isinstance(arg, Variable) and arg.tracer is self
        ]
        return self._written(Entry(rule, y, values, kwargs, parents))

    def pull(self, output: Variable, cotangent: Any, inputs: Sequence[Variable]) -> list[Any]:
        """``Jᵀ`` times a cotangent of an output, for each input; None stands for zero."""
        found: list[Any] = [None] * (output.line + 1)
        found[output.line] = cotangent
        for line in range(output.line, -1, -1):
            g, entry = found[line], self.entries[line]
            if g is None or entry.rule is None:
                continue
            found[line] = None
            for i, parent in entry.parents:
                part = entry.rule.pull(i, g, entry.y, entry.values, entry.kwargs)
                before = found[parent]
                found[parent] = part if before is None else before + part
        return [found[x.line] if x.line <= output.line else None for x in inputs]

    def lines_to(self, output: Variable) -> list[int]:
        """The lines that an output depends on, in order."""
        needed = {output.line}
        for line in range(output.line, -1, -1):
            if line in needed:
                needed.update(parent for _, parent in self.entries[line].parents)
        return sorted(needed)

    def push(self, x: Variable, tangent: Any, lines: Sequence[int]) -> Any:
        """``J`` times a tangent of an input, along the lines to an output; None for zero."""
        found: list[Any] = [None] * (max(x.line, lines[-1]) + 1)
        found[x.line] = tangent
        for line in lines:
            entry = self.entries[line]
            if entry.rule is None:
                continue
            for i, parent in entry.parents:
                if (dx := found[parent]) is not None:
                    part = entry.rule.push(i, dx, entry.y, entry.values, entry.kwargs)
                    before = found[line]
                    found[line] = part if before is None else before + part
        return found[lines[-1]]

    def _written(self, entry: Entry) -> Variable:
        self.entries.append(entry)
        return Variable(entry.y, self, len(self.entries) - 1)
