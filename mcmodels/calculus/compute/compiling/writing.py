"""The writer of NumPy code: rows and columns are arrays of one dimension, scalars are floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from mcmodels.calculus.compute.code_form import code_form
from mcmodels.calculus.compute.compiling import (
    chains,
    einsums,
    functions,
    indexed_sums,
    others,
    products,
    sums,
)
from mcmodels.calculus.compute.compiling.code import Code, Snippet, is_line, safe
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import transpose
from mcmodels.calculus.core.einsum_nodes import Lengths, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["Writer", "write_function"]


def write_function(
    expression: Expression,
    arguments: list[str],
    sizes: Mapping[str, int],
    dims: Lengths | None = None,
    *,
    flattens: bool = False,
) -> str:
    """The source of a function of the arguments, in the cheapest order for these sizes.

    Parameters
    ----------
    expression : Expression
    arguments : list of str
    sizes : mapping of str to int
    dims : Lengths, optional
        The shape of the tensor whose entries the expression is.
    flattens : bool, default=False
        Whether vectors may be given as n×1.
    """
    given = expression.used  # the form that is written may have lost some, which name its sizes
    expression = code_form(expression)
    writer = Writer(expression, sizes, given)
    result = writer.written(expression)
    text = str(result)
    if expression.rows == ONE and expression.is_array:
        text = f"{result.grouped}[np.newaxis, :]"
    if dims is not None:
        text = einsums.in_shape(writer, result, dims)
    flat = writer.flattening() if flattens else []
    body = [*flat, *writer.opening(arguments), *writer.code.lines, f"return {text}"]
    imports = ["import numpy as np", *sorted(writer.code.imports)]
    indented = "\n".join(f"    {line}" for line in body)
    names = ", ".join(safe(name) for name in arguments)
    header = [*functions.decorators(expression), f"def f({names}):"]
    return "\n".join([*imports, "", "", *writer.code.definitions, *header, indented, ""])


WRITERS = (
    sums.WRITERS
    | products.WRITERS
    | others.WRITERS
    | functions.WRITERS
    | einsums.WRITERS
    | indexed_sums.WRITERS
)

_APPLIED = (N.DiagonalMatrix, N.Transpose, N.Kron, N.MatrixPower)  # seldom given a value


class Writer:
    """Writes the value of an expression, every part of it once."""

    def __init__(
        self, expression: Expression, sizes: Mapping[str, int], given: Iterable[N.Symbol]
    ) -> None:
        self.whole = expression
        self.sizes: Mapping[str, int] = sizes
        self.symbols = sorted(given, key=lambda symbol: symbol.name)
        names = {symbol.name for symbol in self.symbols} | set(expression.size_names)
        self.code = Code(taken={safe(name) for name in names})
        self.sizes_used: set[str] = set()
        self.known: dict[bytes, Snippet] = {}
        self.contracted: dict[str, str] = {}  # names of steps of einsums, by their code
        self.factored: dict[bytes, Snippet] = {}
        self.uses = _uses(expression)
        self.solves = _solves(expression)

    def value(self, e: Expression) -> Snippet:
        """Code for the value; what is used again gets a name."""
        if e.key in self.known:
            return self.known[e.key]
        flipped = transpose(e) if isinstance(e, N.Product) else None
        if flipped is not None and flipped.key in self.known:
            found = self.known[flipped.key]
            return found if is_line(e) else found.transposed
        text = self.written(e)
        plain = text.text.replace(".T", "").isidentifier()
        if not plain and e.children and (self.uses.get(e.key, 0) > 1 or isinstance(e, N.Product)):
            text = self.code.assign(text)
        self.known[e.key] = text
        return text

    def written(self, e: Expression) -> Snippet:
        """Code for the value, written anew: for what is returned or named, and needs no name."""
        return WRITERS[type(e)](self, e)

    def writer(self, kind: type[Expression]) -> Callable[[Any, Any], Snippet]:
        """What writes a kind of node."""
        return WRITERS[kind]

    def size(self, size: Size) -> str:
        """A size as code."""
        self.sizes_used |= size.all_names
        divisor = math.lcm(*(Fraction(factor).denominator for factor, _ in size.terms))
        text = ""
        for factor, names in size.terms:
            number = abs(factor * divisor)
            numbers = [str(number)] if number != 1 or not names else []
            term = " * ".join([*numbers, *(safe(name) for name in names)])
            sign = "-" if factor < 0 else "+"
            text += f" {sign} {term}" if text else f"-{term}" if factor < 0 else term
        return text if divisor == 1 else f"({text}) // {divisor}"

    def flattening(self) -> list[str]:
        """Lines that make vectors of columns."""
        return [
            f"{safe(symbol.name)} = np.reshape({safe(symbol.name)}, -1)"
            for symbol in self.symbols
            if symbol.is_column and symbol.is_array and not isinstance(symbol, TensorSymbol)
        ]

    def opening(self, arguments: list[str]) -> list[str]:
        """Lines that come first: sizes by name, and rows as arrays of one dimension."""
        lines = []
        for name in sorted(self.sizes_used - set(arguments)):
            symbol, axis = next(
                (symbol, axis)
                for symbol in self.symbols
                for axis, size in enumerate(symbol.axes)
                if size == Size(1, (name,))
            )
            lines.append(f"{safe(name)} = {safe(symbol.name)}.shape[{axis}]")
        for symbol in self.symbols:
            if symbol.rows == ONE and symbol.is_array:
                lines.append(f"{safe(symbol.name)} = {safe(symbol.name)}[0]")
        return lines


def _uses(expression: Expression) -> dict[bytes, int]:
    """How often the value of each part is asked for."""
    uses: dict[bytes, int] = {expression.key: 1}
    for part in reversed(list(parts_of(expression))):
        often = uses[part.key] if isinstance(part, _APPLIED) else 1
        for child in part.children:
            uses[child.key] = uses.get(child.key, 0) + often
    return uses


def _solves(expression: Expression) -> dict[bytes, int]:
    """How often each matrix is inverted by different products."""
    count: dict[bytes, int] = {}
    for part in parts_of(expression):
        for child in part.children:
            inner = child.children[0] if isinstance(child, N.Transpose) else child
            if chains.is_inverse(inner):
                key = inner.children[0].key
                count[key] = count.get(key, 0) + 1
    return count
