"""What all notations share: signs, fractions, entries, and where parentheses are needed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, hadamard, parts, power, scale, transpose
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import LogSumOver, SumOver, UnitAt
from mcmodels.calculus.core.numbers import magnitude, number
from mcmodels.calculus.core.sizes import ONE, Size
from mcmodels.calculus.core.tensors import dims_of

__all__ = [
    "ATOM",
    "FACTOR",
    "OPERATION",
    "SUM",
    "TERM",
    "Graded",
    "Printer",
    "Slice",
    "Taken",
    "entry",
    "fraction",
    "in_triangle",
    "is_at_index",
    "is_grid",
    "is_half",
    "is_slice",
    "number_to_powers",
    "signed_terms",
    "slice_text",
    "slices",
    "upright_slice",
    "upright_stack",
    "vech_argument",
]

# How tightly a text binds. It is put in parentheses where a tighter one is needed. In order: a sum
# or anything with a sign; an operation other than + (⊗, ∘, a quotient in one line); a product; a
# factor of a product (Xᵀ, √x); what can take a superscript.
SUM, OPERATION, TERM, FACTOR, ATOM = range(5)

Graded = tuple[str, int]
"""A text and how tightly it binds."""


_TAKING_TENSORS = (N.Total, N.Norm, N.Unvec, F.Largest, Einsum, AxisSoftmax, AxisLogSumExp)


class Printer:
    """Writes expressions; a notation says how each kind of node is written, and how tightly."""

    vec = "vec"

    def __init__(self) -> None:
        self.writers: dict[type[Expression], Callable] = {}
        self.tensors: bool | None = None  # whether there are some, which write then looks after
        self.in_tensor = False  # whether a tensor may stand here as such, or needs vec

    def write(self, e: Expression, tightness: int = SUM) -> str:
        """The text of an expression, in parentheses if it binds less tightly than asked for."""
        if self.tensors is None:
            self.tensors = e.tensors
        if self.tensors:
            return self.beside_tensors(e, tightness)
        return self.plainly(e, tightness)

    def beside_tensors(self, e: Expression, tightness: int) -> str:
        """The text of an expression, with vec around a tensor that stands as its entries."""
        before = self.in_tensor
        try:
            if dims_of(e) is None:
                self.in_tensor = isinstance(e, _TAKING_TENSORS)
            elif not before:
                self.in_tensor = not isinstance(e, N.Softmax)  # softmax(vec(T)) is a vector
                if not self.in_tensor:
                    return self.plainly(e, tightness)
                return f"{self.vec}{self.parenthesised(self.plainly(e, SUM))}"
            return self.plainly(e, tightness)
        finally:
            self.in_tensor = before

    def of_tensor(self, e: Expression, tightness: int = SUM) -> str:
        """The text where a tensor may stand as such."""
        before, self.in_tensor = self.in_tensor, True
        text = self.write(e, tightness)
        self.in_tensor = before
        return text

    def apart(self, e: Expression, tightness: int = SUM) -> str:
        """The text where the entries of a tensor are a vector."""
        before, self.in_tensor = self.in_tensor, False
        text = self.write(e, tightness)
        self.in_tensor = before
        return text

    def plainly(self, e: Expression, tightness: int) -> str:
        """The text of an expression by its own writer."""
        writer = self.writers.get(type(e))
        if writer is None:  # a node that `compute` refines is written as what it was
            if isinstance(e, LogSumOver):
                e = N.Elementwise("log", _plain_sum(e))
            else:
                e = type(e).__mro__[1](*e.arguments())
            writer = self.writers[type(e)]
        text, own = writer(e)
        return text if own >= tightness else self.parenthesised(text)

    def parenthesised(self, text: str) -> str:
        """The text in parentheses."""
        return f"({text})"


def signed_terms(e: N.Sum, scalars_alone: bool = True) -> list[tuple[bool, Expression]]:
    """(whether subtracted, what) for each term, a term that is added first if there is one.

    With ``scalars_alone``, an array whose entries are all the same scalar is written as the scalar,
    as NumPy broadcasts it.
    """
    filled = [isinstance(parts(term)[2], N.Ones) for term in e.children]
    result = []
    for term, same in zip(e.children, filled, strict=True):
        coefficient, scalars, array = parts(term)
        negative = coefficient < 0
        if scalars_alone and same and not all(filled):
            array = None
            if coefficient == 1 and len(scalars) == 1 and _is_subtracted(scalars[0]):
                negative, scalars = True, (scale(-1, scalars[0]),)  # x − (a + b)
        result.append((negative, assemble(magnitude(coefficient), scalars, array)))
    first = next((i for i, (negative, _) in enumerate(result) if not negative), 0)
    return [result[first], *result[:first], *result[first + 1 :]]


def _is_subtracted(e: Expression) -> bool:
    """Whether it is a sum of which all terms are subtracted."""
    return isinstance(e, N.Sum) and all(parts(term)[0] < 0 for term in e.children)


def fraction(factors: tuple[Expression, ...]) -> tuple[list[Expression], list[Expression]]:
    """Factors of numerator and denominator of an elementwise product."""
    above, below = [], []
    for factor in factors:
        if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
            exponent = factor.exponent.value
            if exponent < 0:
                below.append(power(factor.base, number(-exponent)))
                continue
        above.append(factor)
    return above, below


def number_to_powers(e: N.Elementwise) -> tuple[Expression, Expression] | None:
    """B and t of exp(t log(b)) with a number b and an array t, which is bᵗ; None of all else."""
    if e.name != "exp" or not e.is_array:
        return None
    coefficient, scalars, array = parts(e.argument)
    logs = [s for s in scalars if isinstance(s, N.Elementwise) and s.name == "log"]
    if array is None or len(logs) != 1:
        return None
    others = [s for s in scalars if s is not logs[0]]
    return logs[0].argument, scale(coefficient, *others, array)


def entry(e: N.Product) -> tuple[N.Symbol, list[int]] | None:
    """(x, [i]) or (X, [i, j]) where the product is an entry of a symbol."""
    first, last = e.children[0], e.children[-1]
    if not (isinstance(first, N.Transpose) and isinstance(first.argument, N.Unit)):
        return None
    if len(e.children) == 2 and isinstance(last, N.Symbol) and last.is_column:
        return last, [first.argument.index]
    middle = e.children[1]
    if len(e.children) == 3 and isinstance(middle, N.Symbol) and isinstance(last, N.Unit):
        return middle, [first.argument.index, last.index]
    return None


def vech_argument(e: N.Product) -> Expression | None:
    """X where the product is vech(X) = L vec(X)."""
    first, *others = e.children
    if isinstance(first, N.Elimination) and len(others) == 1 and isinstance(others[0], N.Vec):
        return others[0].argument
    return None


def in_triangle(e: N.Hadamard) -> tuple[str, Expression] | None:
    """("tril" or "triu", X) where the product keeps one triangle of X."""
    for i, factor in enumerate(e.children):
        inner = factor.argument if isinstance(factor, N.Transpose) else factor
        if isinstance(inner, N.Triangle):
            rest = hadamard([*e.children[:i], *e.children[i + 1 :]])
            return ("tril" if inner is factor else "triu"), rest
    return None


def is_grid(e: N.Stack) -> bool:
    """Whether it is a stack of rows of equally many blocks."""
    rows = [block for block in e.blocks if isinstance(block, N.Stack) and block.axis == 1]
    counts = {len(row.blocks) for row in rows}
    return e.axis == 0 and len(rows) == len(e.blocks) and len(counts) == 1


Taken = N.Selection | UnitAt | N.Unit | None
"""What takes rows or columns."""

Slice = tuple[Expression, Taken, Taken]
"""An array, and which of its rows and columns are taken (None for all)."""


def slices(e: N.Product) -> list[Slice]:
    """The factors; one that takes entries of its neighbour is a slice of that neighbour."""
    found: list[Slice] = []
    rows: Taken = None
    for i, factor in enumerate(e.children):
        inner = factor.argument if isinstance(factor, N.Transpose) else None
        following = e.children[i + 1 :]
        if isinstance(factor, N.Selection) and following and rows is None:
            rows = factor
        elif isinstance(inner, UnitAt | N.Unit) and _takes_row(inner, following, i == 0):
            rows = inner
        elif (
            (isinstance(factor, UnitAt) or (isinstance(factor, N.Unit) and _is_row(found)))
            and found
            and is_letter(found[-1][0])
            and found[-1][2] is None
        ):
            found[-1] = (*found[-1][:2], factor)
        elif isinstance(inner, N.Selection) and found and rows is None and found[-1][2] is None:
            found[-1] = (*found[-1][:2], inner)
        else:
            found.append((factor, rows, None))
            rows = None
    return found


def _is_row(found: list[Slice]) -> bool:
    """Whether the last factor is a row of a symbol at an index, whose entry a unit vector takes."""
    return bool(found) and isinstance(found[-1][1], UnitAt)


def _takes_row(unit: UnitAt | N.Unit, following: tuple[Expression, ...], is_first: bool) -> bool:
    """Whether eᵢᵀ stands before a symbol; that of a number, where an index takes the column."""
    if isinstance(unit, UnitAt):
        return bool(following) and is_letter(following[0])
    column = len(following) == 2 and isinstance(following[1], UnitAt)
    return is_first and column and is_letter(following[0])


def _plain_sum(e: LogSumOver) -> Expression:
    """The sum of which a node of `compute` is the logarithm."""
    weight, exponent = e.body.children
    term = scale(weight, N.Elementwise("exp", exponent))
    return SumOver(term, e.condition, e.name, e.over)


def is_letter(e: Expression) -> bool:
    """Whether it is a symbol or the transpose of one."""
    return isinstance(e.argument if isinstance(e, N.Transpose) else e, N.Symbol)


def is_at_index(part: Slice) -> bool:
    """Whether it is an entry, a row or a column of a symbol at an index of a sum."""
    return isinstance(part[1], UnitAt) or isinstance(part[2], UnitAt)


def upright_slice(part: Slice) -> tuple[Slice, bool]:
    """A slice of Xᵀ as one of X, and whether it is transposed afterwards."""
    array, rows, cols = part
    if isinstance(array, N.Transpose) and (rows, cols) != (None, None):
        return (array.argument, cols, rows), True
    return part, False


def upright_stack(e: N.Stack) -> N.Stack | None:
    """[A, B] of [Aᵀ; Bᵀ], where that is easier to read."""
    rows = [isinstance(b, N.Ones) and b.rows == ONE for b in e.blocks]
    flipped = [isinstance(b, N.Transpose) for b in e.blocks]
    if any(flipped) and all(map(max, rows, flipped)):
        return N.Stack(tuple(transpose(block) for block in e.blocks), 1 - e.axis)
    return None


def is_slice(e: Expression) -> bool:
    """Whether it is a slice of one array."""
    return isinstance(e, N.Product) and len(slices(e)) == 1


def slice_text(taken: Taken, number: Callable[[int], str], size: Callable[[Size], str]) -> str:
    """A slice as text, its bounds counted from the start or the end where they are numbers."""
    if taken is None:
        return ":"
    assert isinstance(taken, N.Selection)
    start, stop = taken.start, taken.start + taken.rows

    def bound(place: Size, left_out: Size) -> str:
        if place == left_out:
            return ""
        for found in (place.number, (place - taken.cols).number):
            if found is not None:
                return number(int(found))
        return size(place)

    return f"{bound(start, Size(0))}:{bound(stop, taken.cols)}"


def is_half(value: object) -> bool:
    """Whether an exponent is that of a square root."""
    return value == Fraction(1, 2)
