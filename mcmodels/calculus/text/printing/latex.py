"""LaTeX that amsmath, KaTeX, MathJax and matplotlib can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, decimal
from mcmodels.calculus.text.printing.letters import GREEK
from mcmodels.calculus.text.printing.structure import ATOM, FACTOR, SUM, TERM, Graded, fraction
from mcmodels.calculus.text.printing.textbook import TextbookPrinter

__all__ = ["LatexPrinter"]

# Greek capitals that look like Latin ones have no command, so they are set upright.
_LIKE_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_LETTERS = {
    letter: f"\\{name}" for name, letter in GREEK.items() if name not in ("lam", "lamda", "Lamda")
}
_LETTERS |= {letter: rf"\mathrm{{{latin}}}" for letter, latin in _LIKE_LATIN.items()}
_LETTERS |= {"ο": r"\mathrm{o}", "ς": r"\varsigma"}

_FUNCTIONS = {name: f"\\{name}" for name in ("exp", "log", "sin", "cos", "tanh", "det")}
_FUNCTIONS |= {"sigmoid": r"\sigma", "d": r"\mathrm{d}"}
_FUNCTIONS |= {name: f"\\{name}" for name in ("tan", "arcsin", "arccos", "arctan", "sinh", "cosh")}
_FUNCTIONS |= {"norm_cdf": r"\Phi", "norm_pdf": r"\phi"}
_FUNCTIONS |= {"maximum": r"\max", "minimum": r"\min", "amax": r"\max"}
_GREEK_FUNCTIONS = (r"\sigma", r"\Phi", r"\phi")
_TALL = re.compile(r"\\frac|\\sqrt")
_DENOMINATORS = (2, 3, 4, 8)  # which look better as a fraction than as a decimal


class LatexPrinter(TextbookPrinter):
    """Letters in italics, names of several letters upright."""

    times, over, kronecker, minus, by = r"\circ", r"\oslash", r"\otimes", "-", r" \times "
    transposed, one, psi = r"\top", r"\mathbf{1}", r"\Psi"
    delta, vec = r"\delta", r"\operatorname{vec}"
    plus, star, greater = "+", "*", ">"
    at_least, unequal, sigma = r"\ge", r"\neq", r"\sum"
    numerator, indexed = SUM, SUM
    sized_identity = True

    def _name(self, stem: str, index: str) -> str:
        return f"{_letters(stem)}_{{{_letters(index)}}}" if index else _letters(stem)

    def _literal_name(self, name: str) -> str:
        return _upright(name)

    def _sizes_multiplied(self, names: Sequence[str]) -> list[str]:
        powers = Counter(map(self._named, names))
        return [name if k == 1 else self._raised(name, str(k)) for name, k in powers.items()]

    def _differential(self, name: str) -> str:
        return rf"\mathrm{{d}}{name}"

    def _positive(self, value: Value) -> Graded:
        if isinstance(value, float):
            mantissa, _, exponent = repr(value).partition("e")
            if not exponent:
                return mantissa, ATOM
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", FACTOR
        if value.denominator == 1:
            return str(value.numerator), ATOM
        short = decimal(value)
        if short is not None and not (value.denominator in _DENOMINATORS and value.numerator < 10):
            return short, ATOM
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}", FACTOR

    def parenthesised(self, text: str) -> str:
        """The text in parentheses, which grow with it."""
        return rf"\left({text}\right)" if _TALL.search(text) else f"({text})"

    def _raised(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def _lowered(self, base: str, index: str) -> str:
        return f"{base}_{{{index}}}"

    def is_scripted(self, text: str) -> bool:
        """Whether a text ends in a script."""
        return text.endswith("}") and bool(re.search(r"[_^]\{[^{}]*\}\Z", text))

    def _function(self, name: str, of_rows: bool = False) -> str:
        upright = rf"\operatorname{{{name}}}".replace("_", r"\_")
        taken = name == "sigmoid" and "σ" in self.letters
        text = upright if taken else _FUNCTIONS.get(name, upright)
        return self._lowered(text, r"\mathrm{rows}") if of_rows else text

    def _bars(self, inside: str, double: bool = False, index: str = "") -> str:
        bar = r"\|" if double else "|"
        text = rf"\left{bar} {inside} \right{bar}"
        return self._lowered(text, index) if index else text

    def _log_det(self, argument: str) -> str:
        return r"\log " + self._bars(rf"\det {argument}")

    def _element(self, name: str, indices: str) -> str:
        return self._lowered(f"[{name}]", indices)

    def _grid(self, rows: Sequence[Sequence[Expression]]) -> str:
        lines = r" \\ ".join(" & ".join(map(self.write, row)) for row in rows)
        return rf"\begin{{bmatrix}} {lines} \end{{bmatrix}}"

    def _root(self, radicand: Expression) -> str:
        return rf"\sqrt{{{self.write(radicand)}}}"

    def _elementwise_power(self, base: str, exponent: str) -> str:
        single = re.fullmatch(r"\\?\w+", exponent)
        return self._raised(base, rf"\circ {exponent if single else self.parenthesised(exponent)}")

    def _quotient(self, above: str, below: list[Expression], divisor: Value) -> Graded:
        number = [] if divisor == 1 else [str(divisor)]
        tightness = FACTOR if number or len(below) > 1 else SUM
        bottom = self._juxtaposed([*number, *(self.write(factor, tightness) for factor in below)])
        return rf"\frac{{{above}}}{{{bottom}}}", TERM

    def _scaled(self, e: N.Scaled) -> Graded:
        """A sum of fractions stands behind the fraction, not in it."""
        if isinstance(e.array, N.Sum) and fraction(e.scalars)[1]:
            terms = [parts(term) for term in e.array.children]
            if any(fraction(scalars)[1] for _, scalars, _ in terms):
                front, own = self._scaled(N.Scaled(e.coefficient, e.scalars, None))
                return f"{front} {self.parenthesised(self.write(e.array))}", own
        return super()._scaled(e)

    def _juxtaposed(self, texts: Sequence[str]) -> str:
        """Factors side by side, set apart where they would run into each other."""
        text = texts[0]
        for previous, factor in pairwise(texts):
            text += self._between(previous, factor) + factor
        return text

    def _between(self, previous: str, factor: str) -> str:
        if _digit(previous[-1]) and _digit(factor[0]):
            return r" \cdot "
        words = previous.startswith(r"\mathrm"), factor.startswith(r"\mathrm")
        argument = previous in _GREEK_FUNCTIONS and factor.startswith(("(", r"\left("))
        return r" \, " if any(words) or argument else " "


def _digit(letter: str) -> bool:
    return letter.isascii() and letter.isdecimal()


def _letters(name: str) -> str:
    if name in _LETTERS:
        return _LETTERS[name]
    return name if name.isascii() and (len(name) == 1 or name.isdecimal()) else _upright(name)


def _upright(name: str) -> str:
    escaped = "".join(_LETTERS.get(letter, letter) for letter in name).replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"
