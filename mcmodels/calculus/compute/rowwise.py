"""Scalar expressions as one function of arrays: what they say of numbers, row by row."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from mcmodels.calculus.compute.compiling.code import safe
from mcmodels.calculus.compute.compiling.functions import decorators
from mcmodels.calculus.compute.compiling.writing import Writer
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of

__all__ = ["not_rowwise", "rowwise"]

# What applies to arrays row by row as it does to numbers.
_ROW_BY_ROW = (
    *(N.Symbol, N.Number, N.NamedNumber, N.Sum, N.Scaled, N.Power, N.Elementwise),
    *(F.Polygamma, F.Pairwise, F.Where),
)


# Third and fourth powers of a name.
_POWERS = re.compile(r"(?<![\w.])([A-Za-z_]\w*) \*\* ([34])(?![\w.])")


def not_rowwise(expression: Expression) -> Expression | None:
    """A part that does not apply to arrays entry by entry; None where there is none."""
    parts = parts_of(expression)
    return next((part for part in parts if not isinstance(part, _ROW_BY_ROW)), None)


@functools.lru_cache(maxsize=256)
def rowwise(expressions: tuple[Expression, ...], names: tuple[str, ...]) -> Callable[..., Any]:
    """NumPy code for scalar expressions, each common part computed once.

    Parameters
    ----------
    expressions : tuple of Expression
        Scalars, made of scalar symbols by functions of numbers alone (see `not_rowwise`).
    names : tuple of str
        Names of all symbols, in the order of the arguments.

    Returns
    -------
    callable
        Of arrays of one shape; returns a tuple with an array of that shape, or a number, for each
        expression.
    """
    wanted = [guarded(stabilised(e), keep_steps=False) for e in expressions]
    whole = N.Sum(tuple(wanted))
    writer = Writer(whole, {}, whole.used)
    texts = [str(writer.value(part)) for part in wanted]
    body = [*writer.code.lines, f"return ({', '.join(texts)},)"]
    arguments = ", ".join(safe(name) for name in names)
    top = [*writer.code.imports, "import numpy as np", *writer.code.definitions]
    top += decorators(writer.whole)
    header = [*top, f"def f({arguments}):"]
    namespace: dict[str, Any] = {}
    # Written from nodes and from names that were read as symbols.
    source = "\n".join([*header, *(f"    {_by_squares(line)}" for line in body)])
    exec(compile(source, "<mcmodels rowwise>", "exec"), namespace)
    return namespace["f"]


def _by_squares(line: str) -> str:
    """The line with third and fourth powers by squares, for which NumPy needs no logarithm.

    Its other powers take twenty times as long as a product.
    """

    def written(found: re.Match[str]) -> str:
        base, exponent = found.groups()
        return f"({base} ** 2 * {base})" if exponent == "3" else f"(({base} ** 2) ** 2)"

    return _POWERS.sub(written, line)
