"""Remedies read as a person would read them, and applied to what was claimed.

A remedy speaks of parts as the explanation prints them. They are looked up among the parts of the
function, of the right derivative and of the doctor's reconstruction of the claim, and of what these
become when they are multiplied out.
"""

import re
from fractions import Fraction

import numpy as np

from mcmodels.calculus import size
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import parts_of, substitute
from tests.calculus.mutations import equal, places, replaced, value_of

CONSTANTS = {"π": np.pi, "2π": 2 * np.pi}


class Reader:
    """What the texts of a diagnosis mean at a point."""

    def __init__(self, f: Expression, right: Expression, sources: list[Expression]) -> None:
        self.f, self.right = f, right
        self.known: dict[str, Expression] = {}
        for source in (f, right, *sources):
            for part in parts_of(source):
                self._learn(part)
        for name in sorted(f.size_names | right.size_names):
            self.known.setdefault(name, size(name))

    def _learn(self, part: Expression) -> None:
        self.known.setdefault(part.mathematics(), part)
        if isinstance(part, N.Elementwise):
            slope = as_expression(FUNCTIONS[part.name].derivative(part.argument, part))
            self.known.setdefault(slope.mathematics(), slope)

    def factor(self, text: str, point) -> float:
        """A product such as 2·n or 1/(2·n), read from left to right."""
        above, _, below = text.partition("/") if text not in self.known else (text, "", "")
        value = np.prod([self._number(part, point) for part in above.split("·")])
        if below:
            inside = below[1:-1] if below.startswith("(") else below
            value /= np.prod([self._number(part, point) for part in inside.split("·")])
        return float(value)

    def _number(self, text: str, point) -> float:
        if re.fullmatch(r"[\d.]+", text):
            return float(Fraction(text))
        if text in self.known:
            return float(value_of(self.known[text], point))
        if text.startswith("√"):
            return self._number(text[1:], point) ** 0.5
        if text.startswith("(") and text.endswith(")"):
            return self._number(text[1:-1], point)
        if text in CONSTANTS:
            return CONSTANTS[text]
        assert text.endswith("²"), text
        return float(value_of(self.known[text[:-1]], point)) ** 2

    def find(self, text: str) -> Expression:
        """The part that a text shows, or a whole number times one."""
        if text == "−1":
            return as_expression(-1)
        found = re.match(r"^(\d+)(.+)$", text)
        if text in self.known or found is None:
            return self.known[text]
        return int(found.group(1)) * self.find(found.group(2))

    def constant(self, text: str, part: Expression) -> Expression:
        """What a text shows that stands in the place of a part."""
        if re.fullmatch(r"[01](_\w+|[ₐ-ₜ])?|11ᵀ", text):
            value = as_expression(int(text[0]))
            return value if part.is_scalar else value * N.Ones(part.rows, part.cols)
        return N.Identity(part.rows) if text == "I" else self.find(text)

    def value(self, text: str, point) -> np.ndarray:
        return value_of(self.find(text), point)


FACTOR = re.compile(r"^(multiply|divide)( the term)? by (.+?)(, and turn the sign)?$")


def cured(remedy: str, explanation: str, claimed: np.ndarray, reader: Reader, point):
    """The claim after a remedy that says what to multiply, divide, add or take away.

    None for a remedy of another kind.
    """
    if remedy == "turn the sign":
        return -claimed
    found = re.match(r"^multiply by (.+) from the (left|right)$", remedy)
    if found is not None:
        matrix = reader.value(found.group(1), point)
        if claimed.ndim == 1 and matrix.ndim == 2 and matrix.shape[0] == 1:
            claimed = claimed[:, None]
        return matrix @ claimed if found.group(2) == "left" else claimed @ matrix
    found = re.match(r"^take the factor (.+?)(?: at the (left|right))? away$", remedy)
    if found is not None:
        inverse = np.linalg.inv(reader.value(found.group(1), point))
        if found.group(2) is None:  # from either end
            assert equal(inverse @ claimed, claimed @ inverse)
        return claimed @ inverse if found.group(2) == "right" else inverse @ claimed
    found = FACTOR.match(remedy)
    if found is not None:
        action, of_term, text, turned = found.groups()
        try:
            factor = reader.factor(text, point)
        except (KeyError, AssertionError):
            return None  # an array, such as the derivative of a function: see `rewritten`
        factor = factor if action == "multiply" else 1 / factor
        factor = -factor if turned else factor
        if not of_term:
            return factor * claimed
        term = re.search(r"in the term (.+?), (?:the|there|it)", explanation).group(1)
        # What stands there is T / factor; the rest is right.
        return claimed + (1 - 1 / factor) * reader.value(term, point)
    found = re.match(r"^(multiply|divide) each entry by (.+)$", remedy)
    if found is not None:
        array = reader.value(found.group(2), point)
        return claimed * array if found.group(1) == "multiply" else claimed / array
    for start, sign in (("add the term ", 1), ("take the term ", -1)):
        if remedy.startswith(start):
            text = remedy.removeprefix(start).partition(" away")[0]
            return claimed + sign * reader.value(text, point)
    if remedy.startswith("turn the sign of the term "):
        return claimed + 2 * reader.value(remedy.removeprefix("turn the sign of the term "), point)
    return None


def undone(remedy: str, reader: Reader, claimed: np.ndarray, point) -> bool | None:
    """Whether "write A in place of B" makes the right derivative of what was claimed.

    It does where B in the place of A makes the claim of the right one. None for other remedies.
    """
    found = re.match(r"^exchange (.+) and (.+)$", remedy)
    if found is not None:
        first, second = (reader.find(text) for text in found.groups())
        exchanged = substitute(reader.right, {first: second, second: first})
        return equal(value_of(exchanged, point), claimed)
    found = re.match(r"^write (.+?) in place of (its transpose|.+?)( \(in .*\))?$", remedy)
    if found is None:
        return None
    good, bad, where = found.groups()
    try:
        part = reader.find(good)
        other = part.T if bad == "its transpose" else reader.constant(bad, part)
    except KeyError:  # a form that is not written out
        return None
    if bad == "its transpose" and part.shape == reader.right.shape and not where:
        turned = value_of(reader.right, point) - value_of(part, point) + value_of(other, point)
        if equal(turned, claimed):  # a term of what is multiplied out
            return True
    if any(isinstance(symbol, Index) for symbol in part.used):
        return None
    if part == reader.right and not where:  # the other may have another shape
        return equal(value_of(other, point), claimed)
    wanted = claimed
    term = re.match(r" \(in the term (.+)\)$", where or "")
    source = reader.find(term.group(1)) if term else reader.right
    before = value_of(reader.right, point) - value_of(source, point)
    return any(
        equal(before + value_of(changed, point), wanted)
        for changed in replacements(source, part, other)
    )


def replacements(source: Expression, part: Expression, other: Expression):
    """The source with a part replaced: wherever it occurs, and in each place."""
    yield substitute(source, {part: other})
    for path, found in places(source):
        if found == part:
            yield replaced(source, path, other)
