"""Random einsums: of symbols of each rank, and of functions of other einsums."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from mcmodels.calculus.core import functions as mc

SIZES = {"i": "m", "j": "n", "k": "p", "l": "n", "o": "q"}  # j and l count alike
COUNTS = {"m": 2, "n": 3, "p": 4, "q": 2}


def declared(name: str, term: str):
    """A symbol with an axis for each letter."""
    return mc.tensor(name, tuple(SIZES[letter] for letter in term))


def value_for(term: str, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.5, 1.5, [COUNTS[SIZES[letter]] for letter in term])


@st.composite
def subscripts(draw, most: int = 4, rank: int = 3):
    """Terms, in which letters may repeat, and a result, in which they may not."""
    letters = st.sampled_from("ijklo")
    count = draw(st.integers(1, most))
    terms = ["".join(draw(st.lists(letters, min_size=0, max_size=rank))) for _ in range(count)]
    present = sorted(set("".join(terms)))
    output = draw(st.permutations(present))[: draw(st.integers(0, 4))]
    return terms, "".join(output)


@st.composite
def einsums(draw):
    """(the expression, NumPy's value as a function of arrays by name, the terms by name).

    Operands may be the same symbol twice, and a function of a symbol.
    """
    terms, output = draw(subscripts())
    names: dict[str, str] = {}
    operands, functions = [], []
    for i, term in enumerate(terms):
        alike = [name for name, other in names.items() if _shape(other) == _shape(term)]
        name = draw(st.sampled_from([*alike, f"{'aXYZ'[min(len(term), 3)]}{i}"]))
        names.setdefault(name, term)
        ours, theirs = draw(st.sampled_from(FUNCTIONS))
        operands.append(ours(declared(name, names[name])))
        functions.append((name, theirs))
    text = f"{','.join(terms)}->{output}"

    def value(arrays):
        return np.einsum(text, *(theirs(arrays[name]) for name, theirs in functions))

    return mc.einsum(text, *operands), value, names


FUNCTIONS = [
    (lambda x: x, lambda x: x),
    (lambda x: x, lambda x: x),
    (mc.sin, np.sin),
    (lambda x: 2 * x - 3, lambda x: 2 * x - 3),
    (lambda x: x * mc.exp(-x), lambda x: x * np.exp(-x)),
]


def _shape(term: str) -> tuple[str, ...]:
    return tuple(SIZES[letter] for letter in term)
