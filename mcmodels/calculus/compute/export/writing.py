"""The writer of code in a language: common parts once, arrays of two dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from mcmodels.calculus.compute.code_form import code_form
from mcmodels.calculus.compute.export.language import Language
from mcmodels.calculus.compute.export.texts import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    Graded,
    group,
    is_short,
    name_in,
    number_text,
    snake_case,
)
from mcmodels.calculus.compute.stable.forms import PositiveLogDet
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import Einsum, Lengths, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import magnitude
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.core.sizes import ONE, Size
from mcmodels.calculus.text.printing.structure import fraction, is_half, signed_terms

__all__ = ["UnsupportedFunctionError", "arguments_of", "written"]


class UnsupportedFunctionError(ValueError):
    """A function that a language lacks."""


Bounds = tuple[str, str] | None

_NAMES: dict[type[Expression], str] = {
    N.Trace: "trace", N.Det: "det", N.LogDet: "logdet", PositiveLogDet: "positive_logdet",
    N.Norm: "norm", N.Total: "total", N.DiagonalMatrix: "diagonal_matrix", N.Diagonal: "diagonal",
    N.Vec: "vec", N.Kron: "kron", N.BlockSum: "block_sum", N.BlockTrace: "block_trace",
    F.Where: "where", F.Largest: "amax", F.Hardmax: "hardmax", F.NuclearNorm: "nuclear_norm",
    F.Polar: "polar", F.Pinv: "pinv", F.Eigenvalues: "eigvalsh", F.Eigenvectors: "eigvecsh",
    F.ReciprocalGaps: "reciprocal_gaps", N.Transpose: "transpose",
}  # fmt: skip


def arguments_of(expression: Expression) -> list[str]:
    """Names of the symbols, and of sizes that no symbol tells."""
    symbols = sorted(symbol.name for symbol in expression.used)
    told = {size.names[0] for symbol in expression.used for size in symbol.axes if size.is_name}
    return [*symbols, *sorted(expression.size_names - told)]


def written(expression: Expression, language: Language, dims: Lengths | None = None) -> str:
    """The source of a function ``f`` of `arguments_of` the expression, or of a tensor's entries."""
    form = code_form(expression)
    for part in parts_of(form):
        if isinstance(part, SumOver):
            raise UnsupportedFunctionError(
                f"code for {language.title} writes sums over indices by whole arrays, and "
                f"{expression} has a sum without such a form (see matrix_form); compile() and "
                "code('numpy') have it"
            )
    arguments = arguments_of(expression)
    writer = _Writer(form, expression, language)
    result = writer.value(form)[0]
    if dims is not None:
        shape = ", ".join(writer.size(size) for size in dims.of)
        result = writer.filled("reshape", form, [result, shape])[0]
    elif expression.is_column and not expression.is_scalar:
        result = writer.filled("line", form, [result])[0]
    body = [*writer.openings(), *writer.lines, language.give.format(result)]
    names = ", ".join(writer.names[name] for name in arguments)
    function = [language.opening.format(arguments=names)]
    function += [f"    {line}" for line in body]
    function += [language.closing] if language.closing else []
    text = "\n".join(function)
    helpers = _helpers(text, language)
    everything = "\n".join([text, *helpers])
    imports = [line for word, line in language.imports.items() if word in everything]
    blocks = [*helpers, text] if language.helpers_first else [text, *helpers]
    head = ["\n".join(dict.fromkeys(imports))] if imports else []
    return language.space.join([*head, *blocks]) + "\n"


def _helpers(text: str, language: Language) -> list[str]:
    """The definitions that a text uses, each after those that it uses itself."""
    found: dict[str, str] = {}

    def visit(source: str) -> None:
        words = set(re.findall(r"\w+", source))
        for name, definition in language.helpers.items():
            if name in words and name not in found and definition is not source:
                visit(definition)
                found.setdefault(name, definition)

    visit(text)
    return list(found.values())


class _Writer:
    """Writes the value of each part once."""

    def __init__(self, form: Expression, expression: Expression, language: Language) -> None:
        self.language = language
        self.names: dict[str, str] = {}
        taken = set(language.taken)
        for name in [*arguments_of(expression), *sorted(expression.size_names)]:
            if name not in self.names:
                self.names[name] = name_in(name, taken, language.ascii, language.letter_first)
                taken.add(self.names[name])
        self.taken = taken
        self.symbols = sorted(expression.used, key=lambda symbol: symbol.name)
        self.given = set(arguments_of(expression))
        self.lines: list[str] = []
        self.named: dict[str, str] = {}
        self.sizes_used: set[str] = set()
        self.known: dict[bytes, Graded] = {}
        self.uses: dict[bytes, int] = {}
        for part in parts_of(form):
            for child in part.children:
                self.uses[child.key] = self.uses.get(child.key, 0) + 1

    # -- texts ------------------------------------------------------------------------------------

    def value(self, e: Expression) -> Graded:
        """The text of a value; what is used again gets a name."""
        if e.key not in self.known:
            text = self.written(e)
            if self.uses.get(e.key, 0) > 1 and e.children and not is_short(text[0]):
                text = self.assigned(text[0]), ATOM
            self.known[e.key] = text
        return self.known[e.key]

    def assigned(self, text: str) -> str:
        """A name for a value."""
        if text in self.named:
            return self.named[text]
        count = 1
        while f"t{count}" in self.taken:
            count += 1
        self.taken.add(f"t{count}")
        self.lines.append(self.language.assign.format(f"t{count}", text))
        self.named[text] = f"t{count}"
        return f"t{count}"

    def grouped(self, e: Expression, tightness: int = ATOM) -> str:
        """The text of a value, in parentheses where it binds less tightly."""
        return group(self.value(e), tightness)

    def filled(
        self, name: str, e: Expression, arguments: Sequence[str | Graded], **sizes: Size
    ) -> Graded:
        """A template with texts in it."""
        template = self.language.templates.get(name)
        if template is None:
            raise UnsupportedFunctionError(
                f"{self.language.title} has no {_SPOKEN.get(name, name)}, which {e} needs; "
                "compile() and code('numpy') have it"
            )
        graded = [(a, SUM) if isinstance(a, str) else a for a in arguments]
        values = {f"g{i}": group(text) for i, text in enumerate(graded)}
        values |= {key: self.size(size) for key, size in sizes.items()}
        level = PRODUCT if template.startswith("~") else ATOM
        return template.removeprefix("~").format(*(text for text, _ in graded), **values), level

    def size(self, size: Size) -> str:
        """A size as code."""
        self.sizes_used |= size.all_names
        divisor = math.lcm(*(Fraction(factor).denominator for factor, _ in size.terms))
        text = ""
        for factor, names in size.terms:
            number = abs(factor * divisor)
            numbers = [str(number)] if number != 1 or not names else []
            term = " * ".join([*numbers, *(self.names[name] for name in names)])
            text += (" - " if factor < 0 else " + " if text else "") + term
        text = text.strip()
        return text if divisor == 1 else self.language.divide_sizes.format(text, divisor)

    def openings(self) -> list[str]:
        """Lines that come first: sizes, and vectors as columns."""
        lines = []
        templates, assign = self.language.templates, self.language.assign
        for symbol in self.symbols:
            if symbol.is_column and not symbol.is_scalar:
                name = self.names[symbol.name]
                lines.append(assign.format(name, templates["column"].format(name)))
        shapes = []  # of tensors, read before they are made columns
        for size in sorted(self.sizes_used - self.given):
            symbol, axis = next(
                (symbol, axis)
                for symbol in sorted(self.symbols, key=lambda s: isinstance(s, TensorSymbol))
                for axis, found in enumerate(symbol.axes)
                if found == Size(1, (size,))
            )
            name = self.names[symbol.name]
            if isinstance(symbol, TensorSymbol):
                count = self.filled("length", symbol, [name, str(axis)])[0]
                shapes.append(assign.format(self.names[size], count))
            else:
                count = templates[("rows", "cols")[axis]].format(name)
                lines.append(assign.format(self.names[size], count))
        lines = shapes + lines
        if any("like" in line for line in self.lines) or "like" in str(list(self.known.values())):
            arrays = [self.names[symbol.name] for symbol in self.symbols]
            found = templates.get("like" if arrays else "like_nothing")
            if found:
                lines.insert(0, found.format(*arrays[:1]))
        return lines

    def block(self, e: Expression) -> str:
        """The text of a block of a stack; a scalar is 1×1 there."""
        if e.is_scalar and "one_by_one" in self.language.templates:
            return self.filled("one_by_one", e, [self.value(e)])[0]
        return self.value(e)[0]

    # -- nodes ------------------------------------------------------------------------------------

    def written(self, e: Any) -> Graded:
        """The text of a value, written anew."""
        match e:
            case N.Symbol():
                return self.names[e.name], ATOM
            case N.Number():
                return number_text(e.value), (ATOM if e.value >= 0 else SUM)
            case N.NamedNumber():
                return self.filled(e.name, e, [])
            case N.SizeValue():
                self.sizes_used.add(e.name)
                return self.names[e.name], ATOM
            case N.Identity():
                return self.filled("eye", e, [], n=e.rows)
            case N.Zeros() | N.Ones():
                name = type(e).__name__.lower()
                return self.filled(name, e, [], m=e.rows, n=e.cols)
            case N.Unit():
                return self.slice(self.filled("eye", e, [], n=e.rows), None, self.bounds(e))
            case N.Commutation():
                return self.filled("commutation", e, [], m=e.m, n=e.n)
            case N.DiagonalSelection() | N.Duplication() | N.Elimination():
                return self.filled(snake_case(type(e).__name__), e, [], n=e.n)
            case N.Triangle():
                return self.filled("triangle", e, [], n=e.rows)
            case N.Selection():
                return self.slice(self.filled("eye", e, [], n=e.cols), self.bounds(e), None)
            case Einsum():
                return self.einsum(e)
            case N.Stack():
                name = "side_by_side" if e.axis else "below"
                return self.filled(name, e, [", ".join(map(self.block, e.blocks))])
            case N.Sum():
                return self.sum(e)
            case N.Scaled():
                return self.scaled(e)
            case N.Hadamard():
                return self.quotient(e.children, 1)
            case N.Product():
                return self.product(e)
            case N.Power():
                return self.power(e)
            case N.MatrixPower():
                if e.is_inverse:
                    return self.filled("inv", e, [self.value(e.base)])
                return self.filled("matrix_power", e, [self.value(e.base), self.value(e.exponent)])
            case N.Elementwise() | F.MatrixFunction():
                return self.filled(e.name, e, [self.argument(e.children[0])])
            case N.Unvec():
                return self.filled("unvec", e, [self.value(e.children[0])], m=e.rows, n=e.cols)
            case N.Softmax() | N.LogSumExp():
                name = snake_case(type(e).__name__) + ("" if e.argument.is_column else "_rows")
                return self.filled(name, e, [self.value(e.argument)])
            case F.Polygamma():
                return self.filled("polygamma", e, [str(e.order), self.argument(e.argument)])
            case F.Pairwise():
                return self.filled(e.name, e, [self.argument(child) for child in e.children])
            case F.Frechet() | F.FrechetMatrix():
                name = "frechet" if isinstance(e, F.Frechet) else "frechet_matrix"
                if e.name not in self.language.templates:
                    name = e.name
                return self.filled(name, e, [e.name, *(self.value(c) for c in e.children)])
        return self.filled(_NAMES[type(e)], e, [self.argument(child) for child in e.children])

    def einsum(self, e: Einsum) -> Graded:
        operands = [f"'{e.subscripts}'"]
        for operand, at in e.factors:
            text, level = self.argument(operand)
            if len(at) != 2:
                shape = ", ".join(self.size(e.lengths.of[axis]) for axis in at) or "()"
                text = self.filled("reshape", e, [(text, level), shape])[0]
            operands.append(text)
        result = self.filled("einsum", e, [", ".join(operands)])
        if len(e.output) in (0, 2):
            return result
        return self.filled("reshape", e, [result, "-1, 1"])

    def argument(self, e: Expression) -> Graded:
        """The argument of a function, made an array where it is a number alone."""
        if e.is_scalar and not e.used and "as_array" in self.language.templates:
            return self.filled("as_array", e, [self.value(e)])
        return self.value(e)

    def sum(self, e: N.Sum) -> Graded:
        text = ""
        terms = signed_terms(e)
        mixed = e.is_array and any(term.is_scalar for _, term in terms)
        plus = self.language.plus[mixed]
        minus = plus.replace("+", "-")
        for negative, term in terms:
            found = self.grouped(term, PRODUCT)
            if not text:
                text = f"-{self.grouped(term)}" if negative else found
            else:
                text += f" {minus if negative else plus} {found}"
        return text, SUM

    def scaled(self, e: N.Scaled) -> Graded:
        size = magnitude(e.coefficient)
        above, below = fraction(e.scalars)
        factors = [number_text(size)] if size != 1 else []
        factors += [self.grouped(factor, POWER) for factor in above]
        factors += [] if e.array is None else [self.grouped(e.array)]
        text = f" {self.language.times[0]} ".join(factors) or "1"
        for factor in below:
            text += f" {self.language.over[0]} {self.grouped(factor)}"
        return (f"-{text}", SUM) if e.coefficient < 0 else (text, PRODUCT)

    def quotient(self, factors: tuple[Expression, ...], kind: int) -> Graded:
        above, below = fraction(factors)
        times, over = self.language.times[kind], self.language.over[kind]
        text = f" {times} ".join(self.grouped(factor) for factor in above) or "1"
        for factor in below:
            text += f" {over} {self.grouped(factor)}"
        return text, PRODUCT

    def power(self, e: N.Power) -> Graded:
        if isinstance(e.exponent, N.Number):
            if is_half(e.exponent.value):
                return self.filled("sqrt", e, [self.argument(e.base)])
            if e.exponent.value < 0:
                return self.quotient((e,), int(e.is_array))
        power = self.language.power[e.is_array]
        exponent = self.grouped(e.exponent)
        return f"{self.grouped(e.base)} {power} {exponent}", POWER

    def product(self, e: N.Product) -> Graded:
        """A matrix product; what takes entries of its neighbour is written as an index."""
        found: list[tuple[Expression, Bounds, Bounds]] = []
        rows: Bounds = None
        for i, factor in enumerate(e.children):
            inner = factor.argument if isinstance(factor, N.Transpose) else factor
            flipped = inner is not factor
            taken = isinstance(inner, N.Selection | N.Unit)
            above = taken and flipped == isinstance(inner, N.Unit)
            if above and rows is None and i + 1 < len(e.children):
                rows = self.bounds(inner)
            elif taken and not above and found and rows is None and found[-1][2] is None:
                found[-1] = (*found[-1][:2], self.bounds(inner))
            else:
                found.append((factor, rows, None))
                rows = None
        factors = [
            array if rows is None and cols is None else self.slice(self.value(array), rows, cols)
            for array, rows, cols in found
        ]
        text = self.factors(factors, e.is_column)
        return self.filled("only", e, [text]) if e.is_scalar else text

    def factors(self, factors: list[Any], column: bool) -> Graded:
        """A matrix product: solves for inverses, scaled rows for diagonals, columns first."""
        if len(factors) == 1:
            only = factors[0]
            return only if isinstance(only, tuple) else self.value(only)
        first, rest = factors[0], factors[1:]
        if isinstance(first, N.MatrixPower) and first.is_inverse:
            return self.filled("solve", first, [self.value(first.base), self.factors(rest, column)])
        if isinstance(first, N.DiagonalMatrix):
            inner = self.value(first.argument), self.factors(rest, column)
            return self.filled("scale_rows", first, inner)
        stops = (N.MatrixPower, N.DiagonalMatrix)
        until = next((i for i, f in enumerate(rest, 1) if isinstance(f, stops)), len(factors))
        if until == len(factors) - 1:
            until = len(factors)
        if column:
            until = min(until, 1)
        left = [group(f if isinstance(f, tuple) else self.value(f)) for f in factors[:until]]
        right = [group(self.factors(factors[until:], column))] if until < len(factors) else []
        times = self.language.templates["matmul"]
        return f" {times} ".join([*left, *right]), PRODUCT

    # -- places -----------------------------------------------------------------------------------

    def slice(self, array: Graded, rows: Bounds, cols: Bounds) -> Graded:
        """Rows and columns of an array, each between two bounds, or all."""
        name = array[0] if array[0].isidentifier() else self.assigned(array[0])
        templates = self.language.templates
        places = [
            templates["all"]
            if bounds is None
            else ":".join(f"({bound})" if " " in bound else bound for bound in bounds)
            for bounds in (rows, cols)
        ]
        return templates["take"].format(name, *places), ATOM

    def bounds(self, e: Any) -> tuple[str, str]:
        """The first and the last place of what a selection or a unit vector takes."""
        start, count = (e.start, e.rows) if isinstance(e, N.Selection) else (_start(e), ONE)
        return self.size(start + Size(self.language.first_index)), self.size(start + count)


def _start(e: N.Unit) -> Size:
    return Size(e.index) if e.index >= 0 else e.rows + Size(e.index)


_SPOKEN = {"inverse_mills_gap": "inverse_mills_gap (z + φ/Φ)", "frechet": "Fréchet derivative"}
