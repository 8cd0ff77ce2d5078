"""The subscripts of an einsum, read by the rules of NumPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["read_subscripts", "sizes_of_indices"]


def read_subscripts(subscripts: object, count: int) -> tuple[list[str], str]:
    """The indices of each operand, and those of the result.

    Without ``->`` the result has the indices that stand once, in the order of the alphabet.

    Raises
    ------
    TypeError
        If the subscripts are no text.
    ShapeError
        If they are not those of ``count`` operands, or the result has an index twice or one that
        no operand has.
    """
    if not isinstance(subscripts, str):
        raise TypeError(
            "einsum takes the subscripts as text, as in einsum('ij,jk->ik', A, B); found "
            f"{type(subscripts).__name__}"
        )
    where = f"einsum({subscripts!r}, …)"
    if "." in subscripts:
        raise ShapeError(f"{where} has an ellipsis; write a letter for each axis")
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters = inputs.replace(",", "")
    for letter in letters + output:
        if not (letter.isascii() and letter.isalpha()):
            raise ShapeError(
                f"{where} has the character {letter!r}; subscripts are letters, ',' between "
                "operands and '->' before those of the result"
            )
    if len(terms) != count:
        raise ShapeError(f"{where} has subscripts of {len(terms)} operands; found {count}")
    if not arrow:
        output = "".join(sorted(letter for letter, n in Counter(letters).items() if n == 1))
    for letter, n in Counter(output).items():
        if letter not in letters:
            raise ShapeError(f"{where} has the index {letter!r} in the result and in no operand")
        if n > 1:
            raise ShapeError(
                f"{where} has the index {letter!r} twice in the result; for a diagonal matrix "
                "multiply by eye(n), as in einsum('i,ij->ij', x, eye(n))"
            )
    return terms, output


def sizes_of_indices(
    subscripts: str,
    terms: Sequence[str],
    shapes: Sequence[tuple[Size, ...]],
    operands: Sequence[object],
) -> dict[str, Size]:
    """The size of each index.

    Raises
    ------
    ShapeError
        If an operand has another number of axes than indices, or an index two sizes.
    """
    where = f"einsum({subscripts!r}, …)"
    found: dict[str, tuple[Size, object]] = {}
    for term, shape, operand in zip(terms, shapes, operands, strict=True):
        if not shape:  # an array of one entry is a scalar here
            shape = (ONE,) * len(term)
        if len(term) != len(shape):
            described = "×".join(size.grouped for size in shape) or "a scalar"
            raise ShapeError(
                f"{where} has {len(term)} indices, {term!r}, for {operand}, which has {len(shape)} "
                f"({described})"
                + ("; a vector has one index" if len(term) == 2 and len(shape) == 1 else "")
            )
        for letter, size in zip(term, shape, strict=True):
            known, other = found.setdefault(letter, (size, operand))
            if known != size:
                hint = ""
                if ONE in (known, size):
                    hint = "; an axis of 1 is not repeated: sum it away first, or leave it out"
                raise ShapeError(
                    f"{where} has the index {letter!r} for {known} entries of {other} and for "
                    f"{size} of {operand}{hint}"
                )
    return {letter: size for letter, (size, _) in found.items()}
