"""What to write for words of LaTeX, which is not read."""

from __future__ import annotations

import re

from mcmodels.calculus.core.signatures import SIGNATURES

__all__ = ["for_backslash"]

_WORD = re.compile(r"\\([A-Za-z]+|\|)")
_PRODUCTS = "@ for a matrix product, * for an elementwise one"
_INSTEAD = {
    "sum": "sum(f, i) for a sum over the index i, as in sum(y[i] * X[i], i)",
    "frac": "a / b",
    "tfrac": "a / b",
    "dfrac": "a / b",
    "ln": "log(x)",
    "max": "maximum(a, b), or amax(x) for the largest entry",
    "min": "minimum(a, b), or amin(x) for the smallest entry",
    "operatorname": "the function alone, as in trace(A)",
    **dict.fromkeys(("left", "right", "big", "Big", "bigl", "bigr"), "( and )"),
    **dict.fromkeys(("cdot", "times", "ast"), _PRODUCTS),
    **dict.fromkeys(("circ", "odot"), "* for an elementwise product"),
    "lambda": "lambda_ for λ",
    "otimes": "kron(A, B)",
    **dict.fromkeys(("top", "intercal", "mathsf", "mathrm"), ".T for a transpose"),
    **dict.fromkeys(("|", "lVert", "rVert", "Vert"), "norm(x)"),
    **dict.fromkeys(("lvert", "rvert", "vert"), "abs(x)"),
    **dict.fromkeys(("mathbf", "boldsymbol", "bm", "vec", "hat", "bar"), "the name alone"),
}
# Behind an operand a backslash is MATLAB's division, but for these.
_NAMES = "cdot times ast circ odot otimes top intercal right rVert rvert"
_BETWEEN = frozenset(_NAMES.split())


def for_backslash(text: str, position: int, operand: bool) -> tuple[str, str] | None:
    """The word of LaTeX at a backslash, and what to write for it; None where it is none."""
    found = _WORD.match(text, position)
    if found is None or (operand and found[1] not in _BETWEEN):
        return None
    word = found[1]
    if word in SIGNATURES and word not in _INSTEAD:
        return found[0], f"write {word}(x)"
    return found[0], f"write {_INSTEAD.get(word, word)}"
