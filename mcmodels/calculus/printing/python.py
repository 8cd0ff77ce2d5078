"""Python text: what a user types, and `parse` reads."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus import nodes as N
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.numbers import Value
from mcmodels.calculus.printing.structure import (
    ATOM,
    FACTOR,
    SUM,
    TERM,
    Printer,
    decimal,
    entry,
    fraction,
    is_half,
    signed_terms,
)
from mcmodels.calculus.sizes import ONE, Size

__all__ = ["PythonPrinter"]

Text = tuple[str, int]

_CALLS: dict[type[Expression], str] = {
    N.Trace: "trace",
    N.Det: "det",
    N.LogDet: "logdet",
    N.Norm: "norm",
    N.Total: "sum",
    N.DiagonalMatrix: "diag",
    N.Diagonal: "diag",
    N.Vec: "vec",
    N.Kron: "kron",
    N.BlockSum: "block_sum",
    N.BlockTrace: "block_trace",
    N.Unevaluated: "d",
}


class PythonPrinter(Printer):
    """Operators as Python has them."""

    def __init__(self) -> None:
        super().__init__()
        self.writers = {
            N.Symbol: lambda e: (e.name, ATOM),
            N.Differential: lambda e: (e.name, ATOM),
            N.SizeValue: lambda e: (e.name, ATOM),
            N.Number: lambda e: self._number(e.value),
            N.Identity: lambda e: (f"eye({e.rows})", ATOM),
            N.Zeros: lambda e: (self._filled("zeros", e), ATOM),
            N.Ones: lambda e: (self._filled("ones", e), ATOM),
            N.Unit: lambda e: (f"unit({e.index}, {e.rows})", ATOM),
            N.Commutation: lambda e: (f"commutation({e.m}, {e.n})", ATOM),
            N.DiagonalSelection: lambda e: (f"diagonal_selection({e.n})", ATOM),
            N.Sum: self._sum,
            N.Scaled: self._scaled,
            N.Product: self._product,
            N.Hadamard: lambda e: self._quotient(None, e.children),
            N.Power: self._power,
            N.MatrixPower: self._matrix_power,
            N.Transpose: lambda e: (self.write(e.argument, ATOM) + ".T", ATOM),
            N.Elementwise: lambda e: (f"{e.name}({self.write(e.argument)})", ATOM),
            N.Unvec: lambda e: (f"unvec({self.write(e.argument)}, {e.rows}, {e.cols})", ATOM),
            N.Softmax: lambda e: self._by_row("softmax", e),
            N.LogSumExp: lambda e: self._by_row("logsumexp", e),
            **dict.fromkeys(_CALLS, self._call),
        }

    def _call(self, e: Expression) -> Text:
        inside = ", ".join(self.write(child) for child in e.children)
        return f"{_CALLS[type(e)]}({inside})", ATOM

    def _by_row(self, name: str, e: Expression) -> Text:
        argument = e.children[0]
        axis = "" if argument.is_column else ", axis=1"
        return f"{name}({self.write(argument)}{axis})", ATOM

    def _filled(self, name: str, e: Expression) -> str:
        sizes: list[Size] = [e.rows] if e.cols == ONE else [e.rows, e.cols]
        return f"{name}({', '.join(map(str, sizes))})"

    def _number(self, value: Value) -> Text:
        if isinstance(value, Fraction) and value.denominator == 1:
            text, own = str(value.numerator), ATOM
        elif (short := decimal(value)) is not None:
            text, own = short, ATOM
        elif isinstance(value, float):
            text, own = repr(value), ATOM
        else:
            text, own = f"{value.numerator}/{value.denominator}", TERM
        return (text, own) if value >= 0 else (text, SUM)

    def _sum(self, e: N.Sum) -> Text:
        text = ""
        for negative, term in signed_terms(e):
            sign = (" - " if negative else " + ") if text else "-" if negative else ""
            text += sign + self.write(term, TERM)
        return text, SUM

    def _scaled(self, e: N.Scaled) -> Text:
        size = abs(e.coefficient)
        number = None if size == 1 else self.write(N.Number(size), TERM)
        array = () if e.array is None else (e.array,)
        text, _ = self._quotient(number, e.scalars, array)
        return (f"-{text}", SUM) if e.coefficient < 0 else (text, TERM)

    def _quotient(
        self,
        number: str | None,
        factors: tuple[Expression, ...],
        array: tuple[Expression, ...] = (),
    ) -> Text:
        above, below = fraction(factors)
        texts = [] if number is None else [number]
        texts += [self.write(factor, FACTOR) for factor in above]
        for factor in array:
            # Python reads from left to right: c * A @ x is (c * A) @ x, and c * x / y fine as well.
            inner = self._quotient(None, factor.children)[0] if _is_hadamard(factor) else None
            texts.append(inner or self.write(factor, TERM if texts else FACTOR))
        text = " * ".join(texts) or "1"
        for factor in below:
            text += f" / {self.write(factor, FACTOR)}"
        return text, TERM

    def _product(self, e: N.Product) -> Text:
        found = entry(e)
        if found:
            symbol, indices = found
            return f"{symbol.name}[{', '.join(map(str, indices))}]", ATOM
        return " @ ".join(self.write(factor, FACTOR) for factor in e.children), TERM

    def _power(self, e: N.Power) -> Text:
        exponent = e.exponent
        if isinstance(exponent, N.Number):
            if is_half(exponent.value):
                return f"sqrt({self.write(e.base)})", ATOM
            if exponent.value < 0:
                return self._quotient(None, (e,))
        return f"{self.write(e.base, ATOM)} ** {self.write(exponent, ATOM)}", FACTOR

    def _matrix_power(self, e: N.MatrixPower) -> Text:
        base = self.write(e.base)
        if isinstance(e.exponent, N.Number) and e.exponent.value == -1:
            return f"inv({base})", ATOM
        return f"matrix_power({base}, {self.write(e.exponent)})", ATOM


def _is_hadamard(e: Expression) -> bool:
    return isinstance(e, N.Hadamard)
