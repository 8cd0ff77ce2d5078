"""Mathematics in plain text: Xᵀ(Xw − y), X⁻ᵀ, ‖x‖², A ⊗ B."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, decimal
from mcmodels.calculus.text.printing.structure import ATOM, FACTOR, OPERATION, TERM, Graded
from mcmodels.calculus.text.printing.textbook import TextbookPrinter

__all__ = ["PlainPrinter"]

_UP = dict(
    zip(
        "0123456789+−ᵀabcdefghijklmnoprstuvwxyz",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
        strict=True,
    )
)
_DOWN = dict(zip("0123456789+−aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_RATIOS = {
    Fraction(p, q): text
    for p, q, text in (
        (1, 2, "½"),
        (1, 3, "⅓"),
        (2, 3, "⅔"),
        (1, 4, "¼"),
        (3, 4, "¾"),
        (1, 8, "⅛"),
        (3, 8, "⅜"),
        (5, 8, "⅝"),
        (7, 8, "⅞"),
    )
}
_NUMBERS = "".join(_RATIOS.values())
_SCRIPTS = "".join({*_UP.values(), *_DOWN.values()})
_LETTER = rf"(?![{_NUMBERS}])[^\W\d_][{''.join(_DOWN.values())}]*"

_GREEK_FUNCTIONS = {"sigmoid": "σ", "norm_cdf": "Φ", "norm_pdf": "φ"}
_SHORT = {"maximum": "max", "minimum": "min", "amax": "max"}
# The start and end of a factor decide whether a space is needed beside it.
_GROUP = re.compile(rf"\(.*\)[{_SCRIPTS}]*\Z")
_ONE_LETTER = re.compile(rf"{_LETTER}[{_SCRIPTS}]*\Z")
_LETTER_FIRST = re.compile(rf"(?!d\(){_LETTER}[({'['}^]")
_NUMBER = re.compile(rf"([\d.]+|[{_NUMBERS}])[{_SCRIPTS}]*\Z")


class PlainPrinter(TextbookPrinter):
    """Letters of mathematics, products by juxtaposition."""

    times, over, kronecker, minus, by = "∘", "⊘", "⊗", "−", "×"
    transposed, one, psi = "ᵀ", "1", "Ψ"
    delta = "δ"
    plus, star, greater = "+", "*", ">"
    at_least, unequal, sigma = "≥", "≠", "Σ"
    numerator, indexed = TERM, ATOM
    sized_identity = False

    def _name(self, stem: str, index: str) -> str:
        if index and all(letter in _DOWN for letter in index) and _is_short(index):
            return stem + "".join(_DOWN[letter] for letter in index)
        return f"{stem}_{index}" if index else stem

    def _literal_name(self, name: str) -> str:
        return name

    def _differential(self, name: str) -> str:
        return f"d{name}"

    def _positive(self, value: Value) -> Graded:
        if isinstance(value, float):
            mantissa, _, exponent = repr(value).partition("e")
            if not exponent:
                return mantissa, ATOM
            return f"{mantissa}·{self._raised('10', self._integer(int(exponent)))}", FACTOR
        if value.denominator == 1:
            return str(value.numerator), ATOM
        if value in _RATIOS:
            return _RATIOS[value], FACTOR
        short = decimal(value)
        if short is not None:
            return short, ATOM
        return f"{value.numerator}/{value.denominator}", OPERATION

    def _raised(self, base: str, exponent: str) -> str:
        close = re.sub(r" ([+−]) ", r"\1", exponent)
        if all(letter in _UP for letter in close) and not re.search(r"[a-z]{2}", close):
            return base + "".join(_UP[letter] for letter in close)
        return f"{base}^{_script(exponent)}"

    def _lowered(self, base: str, index: str) -> str:
        if all(letter in _DOWN for letter in index):
            return base + "".join(_DOWN[letter] for letter in index)
        return f"{base}_{_script(index)}"

    def is_scripted(self, text: str) -> bool:
        """Whether a text ends in a script."""
        return text[-1] in _SCRIPTS or "_" in text.replace("_rows(", "(")

    def _function(self, name: str, of_rows: bool = False) -> str:
        letter = (_GREEK_FUNCTIONS | _SHORT).get(name, name)
        return (name if letter in self.letters else letter) + ("_rows" if of_rows else "")

    def _bars(self, inside: str, double: bool = False, index: str = "") -> str:
        bar = "‖" if double else "|"
        return f"{bar}{inside}{bar}{'_' if index else ''}{index}"

    def _log_det(self, argument: str) -> str:
        return f"log|det{'' if argument.startswith('(') else ' '}{argument}|"

    def _element(self, name: str, indices: str) -> str:
        return f"{name}[{indices}]"

    def _grid(self, rows: Sequence[Sequence[Expression]]) -> str:
        return f"[{'; '.join(', '.join(map(self.write, row)) for row in rows)}]"

    def _root(self, radicand: Expression) -> str:
        return f"√{self.write(radicand, ATOM)}"

    def _elementwise_power(self, base: str, exponent: str) -> str:
        return f"{base}^∘{_script(exponent)}"

    def _quotient(self, above: str, below: list[Expression], divisor: Value) -> Graded:
        texts = [] if divisor == 1 else [self.write(N.Number(divisor), FACTOR)]
        texts += [self.write(factor, FACTOR) for factor in below]
        bottom = self._juxtaposed(texts)
        return f"{above}/{bottom if len(texts) == 1 else self.parenthesised(bottom)}", OPERATION

    def _juxtaposed(self, texts: Sequence[str]) -> str:
        """Factors side by side, with a space where they would run into each other."""
        text = texts[0]
        for previous, factor in pairwise(texts):
            numbers = _is_number(previous[-1]) and _is_number(factor[0]) and previous != self.one
            text += "·" if numbers else "" if self._close(previous, factor) else " "
            text += factor
        return text

    def _close(self, previous: str, factor: str) -> bool:
        """Whether two factors are told apart without a space: not f(x), dx or a longer name."""
        letter = _ONE_LETTER.match(previous)
        if not (letter or _NUMBER.match(previous) or _GROUP.match(previous)):
            return False
        if previous == "d" or (previous in _GREEK_FUNCTIONS.values() and factor[0] == "("):
            return False
        if factor[0] == "(":
            return True
        if _is_number(factor[0]):
            return previous == self.one or previous[-1] in {")", *_UP.values()}
        if factor[0] in "‖|√":
            return True
        if letter and self.crowded:
            return False
        return bool(_ONE_LETTER.match(factor) or _LETTER_FIRST.match(factor))


def _is_number(letter: str) -> bool:
    return letter.isdecimal() or letter in _NUMBERS


def _is_short(index: str) -> bool:
    return index.isdecimal() or len(index) == 1


def _script(text: str) -> str:
    return text if len(text) == 1 else f"({text})"
