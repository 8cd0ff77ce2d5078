"""Mathematics in plain text: Xᵀ(Xw − y), X⁻ᵀ, ‖x‖², A ⊗ B."""

from __future__ import annotations

import re
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
from mcmodels.calculus.sizes import Size

__all__ = ["GREEK", "PlainPrinter"]

Text = tuple[str, int]

_LETTERS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "omicron",
    "pi",
    "rho",
    "final_sigma",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
]
GREEK = {name: chr(0x3B1 + i) for i, name in enumerate(_LETTERS) if name != "final_sigma"}
GREEK |= {name.capitalize(): letter.upper() for name, letter in GREEK.items()}

_UP = str.maketrans(
    "0123456789+-abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
)
_DOWN = str.maketrans("0123456789+-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_HALVES = {Fraction(1, 2): "½", Fraction(1, 4): "¼", Fraction(3, 4): "¾", Fraction(1, 3): "⅓"}

_CALLS: dict[type[Expression], str] = {
    N.Trace: "tr",
    N.Det: "det",
    N.Total: "sum",
    N.DiagonalMatrix: "diag",
    N.Diagonal: "diag",
    N.Vec: "vec",
    N.Softmax: "softmax",
    N.LogSumExp: "logsumexp",
    N.BlockSum: "blocksum",
    N.BlockTrace: "blocktrace",
    N.Unevaluated: "d",
}
_ENDS_TIGHT = re.compile(r"(\)|^([^\W\d_]|[½¼¾⅓]|\d+)[₀-₉ₐ-ₜ]*[ᵀ⁻⁰¹²³-⁹ᵃ-ᶻⁱⁿ]*)\Z")
_STARTS_TIGHT = re.compile(r"\(|‖|[^\W\d_]([₀-₉ₐ-ₜ]*)([ᵀ⁻⁰¹²³-⁹ᵃ-ᶻⁱⁿ]*\Z|\()")


def name_text(name: str) -> str:
    """A name with Greek letters as such, and a trailing number as index."""
    stem, digits = re.fullmatch(r"(.*?)_?(\d*)_?", name).groups()  # type: ignore[union-attr]
    if not stem:
        return name
    return GREEK.get(stem, stem) + digits.translate(_DOWN)


def raised(text: str) -> str:
    """A superscript, where all its letters exist as such."""
    up = text.replace("−", "-").replace(" ", "").translate(_UP)
    return up if not re.search(r"[0-9A-Za-z()*/.^+\-]", up) else f"^({text})"


def lowered(*sizes: Size) -> str:
    down = "".join(str(size) for size in sizes).translate(_DOWN)
    return down if not re.search(r"[0-9A-Za-z*]", down) else f"_({','.join(map(str, sizes))})"


class PlainPrinter(Printer):
    """Letters of mathematics, products by juxtaposition."""

    def __init__(self) -> None:
        super().__init__()
        self.writers = {
            N.Symbol: lambda e: (name_text(e.name), ATOM),
            N.Differential: lambda e: (f"d{name_text(e.of.name)}", FACTOR),
            N.SizeValue: lambda e: (e.name, ATOM),
            N.Number: lambda e: self._number(e.value),
            N.Identity: lambda e: ("I", ATOM),
            N.Zeros: lambda e: ("0", ATOM),
            N.Ones: lambda e: (
                f"1{lowered(e.rows)}"
                + ("" if e.is_column else "ᵀ" if e.rows == Size(1) else f"1{lowered(e.cols)}ᵀ"),
                ATOM,
            ),
            N.Unit: lambda e: (f"e{str(e.index).translate(_DOWN)}", ATOM),
            N.Commutation: lambda e: (f"K{lowered(e.m, e.n)}", ATOM),
            N.DiagonalSelection: lambda e: (f"Ψ{lowered(e.n)}", ATOM),
            N.Sum: self._sum,
            N.Scaled: self._scaled,
            N.Product: self._product,
            N.Hadamard: self._hadamard,
            N.Power: self._power,
            N.MatrixPower: self._matrix_power,
            N.Transpose: self._transpose,
            N.Elementwise: self._elementwise,
            N.LogDet: lambda e: (f"log|det {self.write(e.argument, ATOM)}|", ATOM),
            N.Norm: lambda e: (f"‖{self.write(e.argument)}‖", ATOM),
            N.Kron: lambda e: (" ⊗ ".join(self.write(c, FACTOR) for c in e.children), TERM),
            N.Unvec: lambda e: (f"unvec{lowered(e.rows, e.cols)}({self.write(e.argument)})", ATOM),
            **dict.fromkeys(_CALLS, self._call),
        }

    def _call(self, e: Expression) -> Text:
        inside = ", ".join(self.write(child) for child in e.children)
        return f"{_CALLS[type(e)]}({inside})", ATOM

    def _number(self, value: Value) -> Text:
        size = abs(value)
        if isinstance(size, Fraction) and size.denominator == 1:
            text, own = str(size.numerator), ATOM
        elif size in _HALVES:
            text, own = _HALVES[Fraction(size)], ATOM
        elif (short := decimal(size)) is not None:
            text, own = short, ATOM
        elif isinstance(size, Fraction):
            text, own = f"{size.numerator}/{size.denominator}", TERM
        else:
            text, own = repr(size), ATOM
        return (text, own) if value >= 0 else (f"−{text}", SUM)

    def _sum(self, e: N.Sum) -> Text:
        text = ""
        for negative, term in signed_terms(e):
            sign = (" − " if negative else " + ") if text else "−" if negative else ""
            text += sign + self.write(term, TERM)
        return text, SUM

    def _scaled(self, e: N.Scaled) -> Text:
        above, below = fraction(e.scalars)
        texts = (
            [] if abs(e.coefficient) == 1 else [self.write(N.Number(abs(e.coefficient)), FACTOR)]
        )
        texts += [self.write(factor, FACTOR) for factor in above]
        if e.array is not None:
            texts += self._array(e.array, alone=not texts)
        text = juxtaposed(texts) if texts else "1"
        if below:
            bottom = juxtaposed([self.write(factor, FACTOR) for factor in below])
            tight = len(below) == 1 and self.writers[type(below[0])](below[0])[1] == ATOM
            text += f"/{bottom if tight else f'({bottom})'}"
        return (f"−{text}", SUM) if e.coefficient < 0 else (text, TERM)

    def _array(self, array: Expression, alone: bool) -> list[str]:
        if isinstance(array, N.Product) and not entry(array):
            return [self.write(factor, FACTOR) for factor in array.children]
        return [self.write(array, SUM if alone else FACTOR)]

    def _product(self, e: N.Product) -> Text:
        found = entry(e)
        if found:
            symbol, indices = found
            text = ",".join(map(str, indices))
            return f"{name_text(symbol.name)}[{text}]", ATOM
        return juxtaposed([self.write(factor, FACTOR) for factor in e.children]), TERM

    def _hadamard(self, e: N.Hadamard) -> Text:
        above, below = fraction(e.children)
        text = " ∘ ".join(self.write(factor, FACTOR) for factor in above) or "1"
        if below:
            bottom = [self.write(factor, ATOM if len(below) == 1 else FACTOR) for factor in below]
            joined = " ∘ ".join(bottom)
            top = text if len(above) <= 1 else f"({text})"
            text = f"{top} / {joined if len(below) == 1 else f'({joined})'}"
        return text, TERM

    def _power(self, e: N.Power) -> Text:
        exponent = e.exponent
        if isinstance(exponent, N.Number) and is_half(exponent.value):
            return f"√{self.write(e.base, ATOM)}", FACTOR
        if isinstance(exponent, N.Number) and exponent.value < 0:
            _, (below,) = fraction((e,))
            return f"1/{self.write(below, ATOM if e.is_scalar else FACTOR)}", TERM
        base, text = self.write(e.base, ATOM), self.write(exponent)
        if e.is_scalar:
            return base + raised(text), ATOM
        return f"{base}^∘{text if exponent.is_scalar and len(text) == 1 else f'({text})'}", FACTOR

    def _matrix_power(self, e: N.MatrixPower) -> Text:
        return self.write(e.base, ATOM) + raised(self.write(e.exponent)), ATOM

    def _transpose(self, e: N.Transpose) -> Text:
        inner = e.argument
        if isinstance(inner, N.MatrixPower):
            inverse = isinstance(inner.exponent, N.Number) and inner.exponent.value == -1
            if inverse:
                return f"{self.write(inner.base, ATOM)}⁻ᵀ", ATOM
            return f"({self.write(inner)})ᵀ", ATOM
        return f"{self.write(inner, ATOM)}ᵀ", ATOM

    def _elementwise(self, e: N.Elementwise) -> Text:
        inside = self.write(e.argument)
        if e.name == "abs":
            return f"|{inside}|", ATOM
        return f"{'σ' if e.name == 'sigmoid' else e.name}({inside})", ATOM


def juxtaposed(factors: list[str]) -> str:
    """Factors side by side, with a space where they would run into each other."""
    text = factors[0]
    previous = factors[0]
    for factor in factors[1:]:
        tight = _ENDS_TIGHT.search(previous) and _STARTS_TIGHT.match(factor)
        number = previous[-1].isdigit() and factor[0].isdigit()
        text += factor if tight and not number else f" {factor}"
        previous = factor
    return text
