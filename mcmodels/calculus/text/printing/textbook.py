"""Mathematics in the forms of textbooks, in any notation of letters and signs.

`TextbookPrinter` knows signs, fractions, products by juxtaposition, and where parentheses are
needed. A `Notation` (plain text, LaTeX) says how letters, scripts, functions and operators look.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.named_numbers import exact
from mcmodels.calculus.core.numbers import Value, decimal, magnitude
from mcmodels.calculus.core.sizes import ONE, Size
from mcmodels.calculus.text.printing import blocks, indexed
from mcmodels.calculus.text.printing.einsums import along_last, index_notation
from mcmodels.calculus.text.printing.functions import FUNCTION_NODES, called, sides
from mcmodels.calculus.text.printing.letters import split_name
from mcmodels.calculus.text.printing.notation import Notation
from mcmodels.calculus.text.printing.ordering import is_product, order
from mcmodels.calculus.text.printing.structure import (
    ATOM,
    FACTOR,
    OPERATION,
    SUM,
    TERM,
    Graded,
    entry,
    fraction,
    is_at_index,
    is_half,
    number_to_powers,
    signed_terms,
    slices,
    vech_argument,
)

__all__ = ["TextbookPrinter"]

_CALLS: dict[type[Expression], str] = {
    N.Trace: "tr",
    N.Det: "det",
    N.Total: "sum",
    N.DiagonalMatrix: "diag",
    N.Diagonal: "diag",
    N.Vec: "vec",
    N.BlockSum: "blocksum",
    N.BlockTrace: "blocktrace",
    N.Unevaluated: "d",
}
# Names that would look like the constants eᵢ, Iₙ, Kₘₙ, Ψₙ.
_LIKE_A_CONSTANT = re.compile(r"(e_?\d+|K_?\d\d+|(I|Psi|Ψ)(_?\d+|_\w+))_?\Z")
_SIMPLE_DENOMINATORS = (1, 2, 3, 4)
_LARGEST_DENOMINATOR = 12  # that joins the denominators of a fraction


class TextbookPrinter(Notation):
    """Writes expressions as mathematics.

    Greek letters may be spelt (``mu``, ``lambda_``, ``lam``) or typed; a number at the end of a
    name is an index. Names that would be printed alike are written out in full. Entries are counted
    from 0, as in NumPy, and stand in brackets: X[0,1], in LaTeX [X] with index 0,1. In a sum with
    arrays, a scalar is the array of that shape whose entries it is, as NumPy broadcasts it; but not
    beside a square matrix, where A − 1 would be read as A − I: that is A − 11ᵀ.
    """

    def __init__(self) -> None:
        super().__init__()
        self.literal: frozenset[str] = frozenset()
        self.beside: frozenset[bytes] = frozenset()  # ones that stand beside terms of their shape
        self.letters: frozenset[str] = frozenset()
        self.names: frozenset[str] = frozenset()
        self.bound: frozenset[str] = frozenset()  # letters of indices of the sums around
        self.crowded = False
        self.writers = {
            N.Symbol: lambda e: (self._named(e.name), ATOM),
            N.Differential: lambda e: (self._differential(self._differentiated(e)), FACTOR),
            N.SizeValue: lambda e: (self._named(e.name), ATOM),
            N.NamedNumber: self._named_number,
            N.Number: self._number,
            N.Identity: self._identity,
            N.Zeros: lambda e: ("0", ATOM),
            N.Ones: self._ones,
            N.Unit: self._unit,
            N.Commutation: self._commutation,
            N.DiagonalSelection: self._selection,
            N.Selection: lambda e: blocks.selection(self, e),
            N.Stack: lambda e: blocks.stack(self, e),
            N.Sum: self.sum,
            N.Scaled: self._scaled,
            N.Product: self._product,
            N.Hadamard: lambda e: blocks.hadamard(self, e),
            N.Triangle: lambda e: blocks.triangle(self, "tril", N.Ones(e.rows, e.rows)),
            N.Duplication: lambda e: (self._sized("D", e.n), ATOM),
            N.Elimination: lambda e: (self._sized("L", e.n), ATOM),
            N.Power: self._power,
            N.MatrixPower: lambda e: (self._with_exponent(e.base, self.write(e.exponent)), FACTOR),
            N.Transpose: self._transpose,
            N.Elementwise: self._elementwise,
            N.LogDet: lambda e: (self._log_det(self.write(e.argument, ATOM)), FACTOR),
            N.Norm: self._norm,
            N.Kron: self._kron,
            N.Unvec: self._unvec,
            N.Softmax: lambda e: self._by_rows("softmax", e),
            N.LogSumExp: lambda e: self._by_rows("logsumexp", e),
            **dict.fromkeys(_CALLS, self._call),
            **dict.fromkeys(FUNCTION_NODES, self._called),
            F.Where: self._where,
            Index: lambda e: (self._named(e.name), ATOM),
            UnitAt: lambda e: indexed.unit(self, e),
            SumOver: lambda e: indexed.sum_over(self, e),
            F.Pinv: lambda e: (self._with_exponent(e.argument, self.plus), FACTOR),
            F.NuclearNorm: lambda e: (
                self._bars(self.write(e.argument), double=True, index=self.star),
                ATOM,
            ),
            TensorSymbol: lambda e: (self._named(e.name), ATOM),
            Einsum: lambda e: index_notation(self, e),
            AxisSoftmax: lambda e: along_last(self, "softmax", e),
            AxisLogSumExp: lambda e: along_last(self, "logsumexp", e),
        }

    # -- names --------------------------------------------------------------------------------

    def text(self, e: Expression, tensor: bool = False) -> str:
        """The text of a whole expression, with names told apart; it may be that of a tensor."""
        self.in_tensor = tensor
        names = {_innermost(symbol).name for symbol in e.used} | e.size_names
        if indices_in(e):
            e = indexed.told_apart(e)
            names |= indices_in(e)
        self.names = frozenset(names)
        shown = {name: self._name(*split_name(name)) for name in names}
        counts = Counter(shown.values())
        self.literal = frozenset(
            name for name in names if counts[shown[name]] > 1 or _LIKE_A_CONSTANT.match(name)
        )
        self.letters = frozenset(split_name(name)[0] for name in names - self.literal)
        letters = {text for text in shown.values() if len(text) == 1} | {"d"}
        words = [text for text in shown.values() if len(text) > 1]
        self.crowded = any(set(word) <= letters for word in words)
        self.sized_identity = self.sized_identity or "I" in names
        return self.write(e)

    def _named(self, name: str) -> str:
        if name in self.literal:
            return self._literal_name(name)
        return self._name(*split_name(name))

    def _differentiated(self, e: N.Differential) -> str:
        of = e.of
        if isinstance(of, N.Differential):
            return self._differential(self._differentiated(of))
        return self._named(of.name)

    def _sized(self, base: str, *sizes: Size, between: str = "") -> str:
        """A letter or function with its sizes as index."""
        texts = [self._size(size) for size in sizes]
        if not between and any(len(text) > 1 for text in texts):
            between = ","
        return self._lowered(base, between.join(texts))

    def _size(self, size: Size) -> str:
        divisor = math.lcm(*(Fraction(factor).denominator for factor, _ in size.terms))
        text = ""
        for factor, names in size.terms:
            count = abs(factor * divisor)
            number = [str(count)] if count != 1 or not names else []
            term = self._juxtaposed([*number, *self._sizes_multiplied(names)])
            sign = self.minus if factor < 0 else "+"
            text += f"{sign}{term}" if text or factor < 0 else term
        return text if divisor == 1 else f"{self.parenthesised(text)}/{divisor}"

    def _sizes_multiplied(self, names: Sequence[str]) -> list[str]:
        return [self._named(name) for name in names]

    def _integer(self, value: int) -> str:
        return str(value) if value >= 0 else f"{self.minus}{-value}"

    # -- constants ----------------------------------------------------------------------------

    def _number(self, e: N.Number) -> Graded:
        text, own = self._positive(magnitude(e.value))
        return (text, own) if e.value >= 0 else (self.minus + text, SUM)

    # What a symbol has the letter of is written by the name of its function.

    def _named_number(self, e: N.NamedNumber) -> Graded:
        letter = split_name(e.name)[0]
        if letter in self.letters:
            return self._positive(float(exact(e.name)))
        return self._name(letter, ""), ATOM

    def _unit(self, e: N.Unit) -> Graded:
        index = self._integer(e.index)
        if "e" in self.letters:
            return self._function("unit") + self.parenthesised(index), ATOM
        return self._lowered("e", index), ATOM

    def _commutation(self, e: N.Commutation) -> Graded:
        if "K" in self.letters:
            sizes = f"{self._size(e.m)}, {self._size(e.n)}"
            return self._function("commutation") + self.parenthesised(sizes), ATOM
        return self._sized("K", e.m, e.n), ATOM

    def _selection(self, e: N.DiagonalSelection) -> Graded:
        if "Ψ" in self.letters:
            size = self.parenthesised(self._size(e.n))
            return self._function("diagonal_selection") + size, ATOM
        return self._sized(self.psi, e.n), ATOM

    def _identity(self, e: N.Identity) -> Graded:
        return (self._sized("I", e.rows) if self.sized_identity else "I"), ATOM

    def _ones(self, e: N.Ones) -> Graded:
        bare = e.key in self.beside and not self.sized_identity
        if ONE not in (e.rows, e.cols) and e.key not in self.beside:
            return self._sized(self.one, e.rows, e.cols, between=self.by), ATOM
        column = self.one if bare else self._sized(self.one, e.rows)
        if e.is_column:
            return column, ATOM
        row = self._raised(self.one if bare else self._sized(self.one, e.cols), self.transposed)
        return (row, FACTOR) if e.rows == ONE else (self._juxtaposed([column, row]), TERM)

    # -- sums and products --------------------------------------------------------------------

    def sum(self, e: N.Sum, entrywise: bool = False) -> Graded:
        """A sum; with ``entrywise``, what a function takes entry by entry."""
        text = ""
        for negative, term in signed_terms(e, entrywise or blocks.is_entrywise(e)):
            sign = f" {self.minus} " if negative else " + "
            written = blocks.beside(self, term, OPERATION)
            text += (sign if text else self.minus if negative else "") + written
        return text, SUM

    def _scaled(self, e: N.Scaled) -> Graded:
        above, below = fraction(e.scalars)
        number, divisor = _split(magnitude(e.coefficient), bool(below))
        loose = self.numerator if below else OPERATION
        texts, own = self._factors(number, above, e.array, loose)
        text = self._juxtaposed(texts)
        if below:
            text, own = self._quotient(text, sorted(below, key=order), divisor)
        return (self.minus + text, SUM) if e.coefficient < 0 else (text, own)

    def _factors(
        self, number: Value, scalars: Iterable[Expression], array: Expression | None, loose: int
    ) -> tuple[list[str], int]:
        """Number, scalars and array; a single one needs no parentheses."""
        factors = sorted(scalars, key=order)
        if array is not None:
            factors.append(array)
        texts = [] if number == 1 else [self.write(N.Number(number), FACTOR)]
        if not factors:
            return texts or ["1"], TERM
        if len(factors) == 1 and not texts:
            return [self.write(factors[0], loose)], TERM
        last = factors[-1]
        products = [factor for factor in factors if is_product(factor)]
        # λxᵀx needs no parentheses, as nothing comes after; (aᵀx)(bᵀx) reads better with them.
        opened = is_product(last) and (array is not None or len(products) == 1)
        if isinstance(last, SumOver):  # 2 Σᵢ xᵢ needs no parentheses, as nothing comes after
            texts += [self.write(factor, FACTOR) for factor in factors[:-1]]
            return [*texts, self.write(last, OPERATION)], OPERATION
        texts += [self.write(factor, FACTOR) for factor in (factors[:-1] if opened else factors)]
        if opened and isinstance(last, N.Product):
            texts += blocks.factor_texts(self, last)
        return texts, TERM

    def _product(self, e: N.Product) -> Graded:
        found = entry(e)
        if found:
            symbol, indices = found
            where = ",".join(self._integer(index) for index in indices)
            return self._element(self.write(symbol), where), ATOM
        half = vech_argument(e)
        if half is not None:
            return self._function("vech") + self.parenthesised(self.write(half)), ATOM
        texts = blocks.factor_texts(self, e)
        if len(texts) > 1:
            return self._juxtaposed(texts), TERM
        if is_at_index(slices(e)[0]):
            return indexed.at_index(self, slices(e)[0])
        transposed = isinstance(slices(e)[0][0], N.Transpose)
        return texts[0], FACTOR if transposed else ATOM

    def _elementwise_quotient(self, factors: tuple[Expression, ...]) -> Graded:
        above, below = fraction(factors)
        texts = [blocks.entrywise(self, factor, TERM) for factor in above]
        text = f" {self.times} ".join(texts) or "1"
        if below:
            texts = [blocks.entrywise(self, factor, FACTOR) for factor in below]
            bottom = f" {self.times} ".join(texts)
            text = self.parenthesised(text) if len(above) > 1 else text
            bottom = self.parenthesised(bottom) if len(below) > 1 else bottom
            text = f"{text} {self.over} {bottom}"
        return text, OPERATION

    def _kron(self, e: N.Kron) -> Graded:
        # Threefold products are held as (A ⊗ B) ⊗ C.
        left = self.write(e.left, OPERATION if isinstance(e.left, N.Kron) else TERM)
        return f"{left} {self.kronecker} {self.write(e.right, TERM)}", OPERATION

    # -- scripts ------------------------------------------------------------------------------

    def _with_exponent(self, base: Expression, exponent: str) -> str:
        return self._raised(self.write(base, ATOM), exponent)

    def _power(self, e: N.Power) -> Graded:
        value = e.exponent.value if isinstance(e.exponent, N.Number) else None
        if is_half(value):
            return self._root(e.base), FACTOR
        if value is not None and value < 0:
            if e.is_array:
                return self._elementwise_quotient((e,))
            return self._quotient("1", fraction((e,))[1], Fraction(1))
        exponent = self._exponent(value) if isinstance(value, Fraction) else self.write(e.exponent)
        if e.is_scalar:
            return self._with_exponent(e.base, exponent), FACTOR
        return self._elementwise_power(self.write(e.base, ATOM), exponent), FACTOR

    def _exponent(self, value: Fraction) -> str:
        if value.denominator in _SIMPLE_DENOMINATORS or decimal(value) is None:
            return str(value)
        return self._positive(value)[0]

    def _transpose(self, e: N.Transpose) -> Graded:
        inner = e.argument
        if isinstance(inner, N.MatrixPower) and inner.is_inverse:
            return self._with_exponent(inner.base, self.minus + self.transposed), FACTOR
        return self._with_exponent(inner, self.transposed), FACTOR

    # -- functions ----------------------------------------------------------------------------

    def _call(self, e: Expression) -> Graded:
        inside = ", ".join(self.write(child) for child in e.children)
        name = _CALLS[type(e)]
        if name == "tr" and name in self.letters:
            name = "trace"
        return self._function(name) + self.parenthesised(inside), ATOM

    def _called(self, e: Expression) -> Graded:
        name, arguments = called(e)
        inside = ", ".join(map(self.write, arguments))
        return self._function(name) + self.parenthesised(inside), ATOM

    def _where(self, e: F.Where) -> Graded:
        left, right, first, second = map(self.write, sides(e))
        inside = f"{left} {self.greater} {right}, {first}, {second}"
        return self._function("where") + self.parenthesised(inside), ATOM

    def _elementwise(self, e: N.Elementwise) -> Graded:
        powers = number_to_powers(e)
        if powers is not None:
            base, exponents = powers
            return self._elementwise_power(self.write(base, ATOM), self.write(exponents)), FACTOR
        inside = blocks.entrywise(self, e.argument)
        if e.name == "abs":
            return self._bars(inside), ATOM
        return self._function(e.name) + self.parenthesised(inside), ATOM

    def _by_rows(self, name: str, e: N.Softmax | N.LogSumExp) -> Graded:
        """A function of a vector, or of each row of a matrix."""
        function = self._function(name, of_rows=not e.argument.is_column)
        return function + self.parenthesised(self.write(e.argument)), ATOM

    def _norm(self, e: N.Norm) -> Graded:
        vector = e.argument.is_column or e.argument.rows == ONE
        return self._bars(self.write(e.argument), double=True, index="" if vector else "F"), ATOM

    def _unvec(self, e: N.Unvec) -> Graded:
        function = self._sized(self._function("unvec"), e.rows, e.cols)
        return function + self.parenthesised(self.write(e.argument)), ATOM


def _innermost(symbol: N.Symbol) -> N.Symbol:
    """The symbol that a differential, or one of a differential, is of."""
    while isinstance(symbol, N.Differential):
        symbol = symbol.of
    return symbol


def _split(coefficient: Value, joins: bool) -> tuple[Value, Value]:
    """A number as numerator and denominator, where there is a fraction that it can be part of."""
    if joins and isinstance(coefficient, Fraction):
        short = decimal(coefficient) is not None
        if coefficient.denominator <= _LARGEST_DENOMINATOR or not short:
            return Fraction(coefficient.numerator), Fraction(coefficient.denominator)
    return coefficient, Fraction(1)
