"""Python text: what a user types, and `parse` reads."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.named_numbers import exact
from mcmodels.calculus.core.numbers import Value, decimal, magnitude
from mcmodels.calculus.core.sizes import ONE, Size
from mcmodels.calculus.core.tensors import dims_of
from mcmodels.calculus.text.printing.einsums import einsum_call
from mcmodels.calculus.text.printing.functions import FUNCTION_NODES, called, sides
from mcmodels.calculus.text.printing.indexed import (
    python_at_index,
    python_place,
    python_sum,
    told_apart,
)
from mcmodels.calculus.text.printing.structure import (
    ATOM,
    FACTOR,
    SUM,
    TERM,
    Graded,
    Printer,
    entry,
    fraction,
    in_triangle,
    is_at_index,
    is_grid,
    is_half,
    number_to_powers,
    signed_terms,
    slice_text,
    slices,
    upright_slice,
    upright_stack,
    vech_argument,
)

__all__ = ["PythonPrinter"]

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
        self.sizes: frozenset[str] | None = None
        self.taken: frozenset[str] = frozenset()
        self.writers = {
            N.Symbol: lambda e: (e.name, ATOM),
            N.Differential: lambda e: (e.name, ATOM),
            N.NamedNumber: self._named_number,
            N.SizeValue: self._size_value,
            N.Number: lambda e: self._number(e.value),
            N.Identity: lambda e: (f"eye({e.rows})", ATOM),
            N.Zeros: lambda e: (self._filled("zeros", e), ATOM),
            N.Ones: lambda e: (self._filled("ones", e), ATOM),
            N.Unit: lambda e: (f"unit({e.index}, {e.rows})", ATOM),
            N.Commutation: lambda e: (f"commutation({e.m}, {e.n})", ATOM),
            N.DiagonalSelection: lambda e: (f"diagonal_selection({e.n})", ATOM),
            N.Selection: self._selection,
            N.Stack: self._stack,
            N.Sum: self._sum,
            N.Scaled: self._scaled,
            N.Product: self._product,
            N.Hadamard: self._hadamard,
            N.Triangle: lambda e: (f"tril(ones({e.rows}, {e.rows}))", ATOM),
            N.Duplication: lambda e: (f"duplication({e.n})", ATOM),
            N.Elimination: lambda e: (f"elimination({e.n})", ATOM),
            N.Power: self._power,
            N.MatrixPower: self._matrix_power,
            N.Transpose: lambda e: (self.write(e.argument, ATOM) + ".T", ATOM),
            N.Elementwise: self._elementwise,
            N.Unvec: lambda e: (f"unvec({self.write(e.argument)}, {e.rows}, {e.cols})", ATOM),
            N.Softmax: self._softmax,
            N.LogSumExp: lambda e: self._by_row("logsumexp", e),
            **dict.fromkeys(_CALLS, self._call),
            **dict.fromkeys(FUNCTION_NODES, self._function),
            F.NuclearNorm: lambda e: (f"norm({self.write(e.argument)}, nuc)", ATOM),
            F.Where: self._where,
            TensorSymbol: lambda e: (e.name, ATOM),
            Einsum: lambda e: einsum_call(self, e),
            AxisSoftmax: lambda e: (f"softmax({self.of_tensor(e.argument)}, axis=-1)", ATOM),
            AxisLogSumExp: lambda e: (f"logsumexp({self.of_tensor(e.argument)}, axis=-1)", ATOM),
            Index: lambda e: (e.name, ATOM),
            UnitAt: lambda e: (f"unit({python_place(e)}, {e.rows})", ATOM),
            SumOver: lambda e: python_sum(self, e),
        }

    def write(self, e: Expression, tightness: int = SUM) -> str:
        """The text of an expression, in parentheses if it binds less tightly than asked for."""
        if self.sizes is None:
            e = told_apart(e)
            self.sizes = frozenset(name for symbol in e.used for name in symbol.size_names)
            self.taken = frozenset(symbol.name for symbol in e.used) | e.size_names
        return super().write(e, tightness)

    def _size_value(self, e: N.SizeValue) -> Graded:
        # A bare name is read as a size where the declaration of a symbol says that it is one.
        return (e.name if e.name in (self.sizes or ()) else f"size({e.name})"), ATOM

    def _named_number(self, e: N.NamedNumber) -> Graded:
        # A symbol or a size of that name would be read instead.
        return (repr(float(exact(e.name))) if e.name in self.taken else e.name), ATOM

    def _call(self, e: Expression) -> Graded:
        inside = ", ".join(self.write(child) for child in e.children)
        return f"{_CALLS[type(e)]}({inside})", ATOM

    def _function(self, e: Expression) -> Graded:
        name, arguments = called(e)
        return f"{name}({', '.join(map(self.write, arguments))})", ATOM

    def _where(self, e: F.Where) -> Graded:
        left, right, first, second = map(self.write, sides(e))
        return f"where({left} > {right}, {first}, {second})", ATOM

    def _by_row(self, name: str, e: Expression) -> Graded:
        argument = e.children[0]
        axis = "" if argument.is_column else ", axis=1"
        return f"{name}({self.write(argument)}{axis})", ATOM

    def _softmax(self, e: N.Softmax) -> Graded:
        if self.in_tensor and dims_of(e) is not None:
            powers = f"exp({self.write(e.argument)})"
            return f"{powers} / sum({powers})", TERM
        return self._by_row("softmax", e)

    def _filled(self, name: str, e: Expression) -> str:
        sizes: list[Size] = [e.rows] if e.cols == ONE else [e.rows, e.cols]
        return f"{name}({', '.join(map(str, sizes))})"

    def _number(self, value: Value) -> Graded:
        if isinstance(value, Fraction) and value.denominator == 1:
            text, own = str(value.numerator), ATOM
        elif (short := decimal(value)) is not None:
            text, own = short, ATOM
        elif isinstance(value, float):
            text, own = repr(value), ATOM
        else:
            text, own = f"{value.numerator}/{value.denominator}", TERM
        return (text, own) if value >= 0 else (text, SUM)

    def _sum(self, e: N.Sum) -> Graded:
        text = ""
        for negative, term in _arrays_first(e, signed_terms(e)):
            if negative and isinstance(term, N.Sum):
                ones = N.Ones(e.rows, e.cols)
                if scale(scale(-1, term), ones) not in e.children:  # x - (c + d) is x + (-c - d)
                    term = scale(term, ones)
            written = self.write(term, TERM)
            if text:
                text += f" - {written}" if negative else f" + {written}"
            else:
                text = _negated(term, written) if negative else written
        return text, SUM

    def _scaled(self, e: N.Scaled) -> Graded:
        size = magnitude(e.coefficient)
        number = None if size == 1 else self.write(N.Number(size), TERM)
        array = () if e.array is None else (e.array,)
        text, _ = self._quotient(number, e.scalars, array)
        if e.coefficient > 0:
            return text, TERM
        return (_negated(e, text) if number is None else f"-{text}"), SUM

    def _quotient(
        self,
        number: str | None,
        factors: tuple[Expression, ...],
        array: tuple[Expression, ...] = (),
    ) -> Graded:
        above, below = fraction(factors)
        texts = [] if number is None else [number]
        texts += [self.write(factor, FACTOR) for factor in above]
        for factor in array:
            # Python reads from left to right: c * A @ x is (c * A) @ x, and c * x / y fine as well.
            if isinstance(factor, N.Hadamard) and not in_triangle(factor):
                texts.append(self._quotient(None, factor.children)[0])
            else:
                texts.append(self.write(factor, TERM if texts else FACTOR))
        text = " * ".join(texts) or "1"
        for factor in below:
            text += f" / {self.write(factor, FACTOR)}"
        return text, TERM

    def _product(self, e: N.Product) -> Graded:
        found = entry(e)
        if found:
            symbol, indices = found
            return f"{symbol.name}[{', '.join(map(str, indices))}]", ATOM
        half = vech_argument(e)
        if half is not None:
            return f"vech({self.write(half)})", ATOM
        texts = []
        for part in slices(e):
            if is_at_index(part):
                texts.append(python_at_index(self, part)[0])
                continue
            (array, rows, cols), flipped = upright_slice(part)
            if rows is None and cols is None:
                texts.append(self.write(array, FACTOR))
                continue
            where = slice_text(rows, str, str)
            if not array.is_column:
                where += f", {slice_text(cols, str, str)}"
            texts.append(f"{self.write(array, ATOM)}[{where}]{'.T' if flipped else ''}")
        return " @ ".join(texts), TERM if len(texts) > 1 else ATOM

    def _hadamard(self, e: N.Hadamard) -> Graded:
        found = in_triangle(e)
        if found:
            return f"{found[0]}({self.write(found[1])})", ATOM
        return self._quotient(None, e.children)

    def _selection(self, e: N.Selection) -> Graded:
        return f"eye({e.cols})[{slice_text(e, str, str)}, :]", ATOM

    def _stack(self, e: N.Stack) -> Graded:
        if is_grid(e):
            rows = (", ".join(map(self.write, row.children)) for row in e.children)
            return f"block([{', '.join(f'[{row}]' for row in rows)}])", ATOM
        upright = upright_stack(e)
        if upright is not None:
            return f"{self.write(upright)}.T", ATOM
        inside = ", ".join(map(self.write, e.children))
        return f"{'hstack' if e.axis else 'vstack'}([{inside}])", ATOM

    def _power(self, e: N.Power) -> Graded:
        exponent = e.exponent
        if isinstance(exponent, N.Number):
            if is_half(exponent.value):
                return f"sqrt({self.write(e.base)})", ATOM
            if exponent.value < 0:
                return self._quotient(None, (e,))
        return f"{self.write(e.base, ATOM)} ** {self.write(exponent, ATOM)}", FACTOR

    def _elementwise(self, e: N.Elementwise) -> Graded:
        powers = number_to_powers(e)
        if powers is not None:
            base, exponents = powers
            return f"{self.write(base, ATOM)} ** {self.write(exponents, ATOM)}", FACTOR
        return f"{e.name}({self.write(e.argument)})", ATOM

    def _matrix_power(self, e: N.MatrixPower) -> Graded:
        base = self.write(e.base)
        if e.is_inverse:
            return f"inv({base})", ATOM
        return f"matrix_power({base}, {self.write(e.exponent)})", ATOM


def _arrays_first(e: N.Sum, terms: list[tuple[bool, Expression]]) -> list[tuple[bool, Expression]]:
    """The terms, an array first where that saves filling in scalars one by one.

    Python adds from left to right: ``c + d + x`` is ``(c + d) + x``, which adds one scalar to the
    array instead of two.
    """
    first = terms[0][1]
    scalars = [term.is_scalar and e.is_array for _, term in terms]
    if not scalars[0] or not (isinstance(first, N.Sum) or scalars[1]):
        return terms
    place = min((i for i, scalar in enumerate(scalars) if not scalar), key=lambda i: terms[i][0])
    return [terms[place], *terms[:place], *terms[place + 1 :]]


def _negated(e: Expression, text: str) -> str:
    """The text with a minus, which must not be the minus of a sum at its start."""
    while isinstance(e, N.Scaled | N.Product | N.Hadamard):
        if isinstance(e, N.Product):
            e = e.children[0]
            continue
        above, _ = fraction(e.scalars if isinstance(e, N.Scaled) else e.children)
        if isinstance(e, N.Scaled) and e.array is not None:
            above.append(e.array)
        if not above:
            break
        e = above[0]
    return f"-({text})" if isinstance(e, N.Sum) else f"-{text}"
