"""Subscripts of ``einsum`` converted to the plain form that its rule takes.

Plain subscripts state the output, have one letter for each axis (no ellipsis), and no letter twice
in one operand. For a repeated letter the diagonal of the operand is taken first.
"""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import NoRuleError

__all__ = ["plain_subscripts"]

_LETTERS = string.ascii_uppercase + string.ascii_lowercase


def plain_subscripts(*operands: Any) -> tuple[str, list[Any]]:
    """Plain subscripts, and the operands that they belong to."""
    if not isinstance(operands[0], str):
        operands = _subscripts_as_text(*operands)
    arrays = list(operands[1:])
    terms, arrow, output = operands[0].replace(" ", "").partition("->")
    if not arrow:
        letters = terms.replace(",", "").replace("...", "")
        once = sorted(x for x in set(letters) if letters.count(x) == 1)
        output = "..." * ("..." in terms) + "".join(once)
    inputs = terms.split(",")
    if len(inputs) != len(arrays):
        raise ValueError(
            f"einsum subscripts {operands[0]!r} name {len(inputs)} operands; found {len(arrays)}."
        )
    hidden = [
        len(shape_of(a)) - len(term.replace("...", ""))
        for term, a in zip(inputs, arrays, strict=True)
    ]
    if "..." not in output and max(hidden) > 0:
        raise ValueError(
            f"einsum subscripts {operands[0]!r} have fewer letters than the operands have axes."
        )
    unused = [x for x in string.ascii_letters if x not in operands[0]]
    batch = "".join(unused[: max(hidden)])
    for k, term in enumerate(inputs):
        term = term.replace("...", batch[len(batch) - hidden[k] :])
        inputs[k], arrays[k] = _without_repeats(term, arrays[k])
    return f"{','.join(inputs)}->{output.replace('...', batch)}", arrays


def _subscripts_as_text(*operands: Any) -> tuple[Any, ...]:
    """Text of the subscripts that are given as lists: an operand, its list, …, that of the result.

    NumPy orders the letters of a result that is not given as the numbers in the lists.
    """
    arrays = operands[: 2 * (len(operands) // 2) : 2]
    lists = [*operands[1::2], *operands[2 * (len(operands) // 2) :]]

    def text(labels: Any) -> str:
        return "".join("..." if x is Ellipsis else _LETTERS[x] for x in labels)

    try:
        terms = [text(labels) for labels in lists]
    except (TypeError, IndexError) as error:
        raise NoRuleError(
            "numpy.einsum has a rule for subscripts as text, or as lists of numbers below 52."
        ) from error
    joined = ",".join(terms[: len(arrays)])
    return (joined + "->" + terms[-1] if len(lists) > len(arrays) else joined, *arrays)


def _without_repeats(term: str, a: Any) -> tuple[str, Any]:
    for letter in sorted(set(term)):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            a = np.diagonal(a, axis1=first, axis2=second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, a
