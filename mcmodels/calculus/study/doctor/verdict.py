"""`Diagnosis`: whether a derivative is right, and which mistake it has."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.doctor.terms import written_size
from mcmodels.plain import np

__all__ = ["Diagnosis", "shortly"]


_LONGEST = 20_000  # parts of a text, some hundred lines


def shortly(right: Expression) -> str:
    """The right derivative as mathematics, or how long it is where nobody would read it."""
    size = written_size(right)
    return right.mathematics() if size <= _LONGEST else f"(a formula of {size} parts: see .right)"


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis:
    """Whether a derivative is right, and which mistake it has.

    Attributes
    ----------
    correct : bool
    error : float
        The largest deviation from the right derivative relative to its largest entry; infinite
        where the shape is wrong.
    mistake : str or None
        None where it is right; else ``"factor"``, ``"transposed layout"``, ``"wrong shape"``,
        ``"assumed symmetric"``, ``"symmetric convention"``, ``"dropped term"``,
        ``"sign of a term"``, ``"factor of a term"``, ``"extra term"``, ``"trace order"``,
        ``"product order"``, ``"rule for numbers"`` (−A X⁻² for −X⁻¹AX⁻¹), ``"product rule"``,
        ``"quotient rule"``, ``"elementwise product"``, ``"mixed layout"``, ``"chain rule"``,
        ``"wrong derivative"`` (of one function, as 1 − tanh), ``"extra derivative"`` (one that
        cancels), ``"diagonal Jacobian"``, ``"not normalised"`` (exp or σ for softmax),
        ``"forgotten function"``, ``"wrong argument"``, ``"missing case"`` (of where, maximum or
        abs), ``"missing indicator"``, ``"missing inverse"``, ``"dropped factor"`` (weights, a
        metric), ``"extra factor"``, ``"row-major vec"``, ``"another variable"``, ``"wrong axis"``
        (softmax or sums along columns), ``"missing condition"`` (of a sum), ``"held constant"`` (a
        mean that varies), ``"forgotten symbol"`` (taken to be 1 or 0),
        ``"inner product"`` (for an outer one), ``"false identity"`` (tr(X⁻¹) = 1/det(X)),
        ``"assumed to be 1"`` (a length, a sum), ``"exchanged symbols"``,
        ``"another sum"`` (a trace for the sum of all entries), ``"missing derivative"`` (0),
        ``"scalar for an array"`` (‖w‖ added to each entry, for w), ``"array for a scalar"`` (x for
        the sum of its entries), ``"wrong power"`` (√v for v), ``"wrong symbol"`` (yₜ for yₜ₋₁),
        ``"assumed probability"``, ``"wrong entries"``, ``"inexact"``, ``"not finite"``, or
        ``"unknown"``.
    explanation : str
        What is wrong: which factor, term, matrix, rows.
    remedy : str
        What makes the claim right: by what to multiply or divide, which term to add, what to write
        in place of what.
    right : Expression or ndarray
        The right derivative: a formula where f is one, else its values.
    reproduced : Expression or None
        The formula that the mistake gives, equal to what was claimed.
    also : tuple of str
        Other mistakes that would give the same.

    Examples
    --------
    >>> from mcmodels.calculus import diagnose, matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> found = diagnose(x.T @ A @ x, x, 2 * A @ x)
    >>> found.correct, found.mistake
    (False, 'assumed symmetric')
    """

    correct: bool
    error: float
    mistake: str | None
    explanation: str
    remedy: str
    right: Any
    reproduced: Expression | None = None
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.correct:
            return f"right: {self.explanation}"
        lines = [
            f"wrong (relative error {self.error:.3g}): {self.mistake}",
            f"  {self.explanation}",
        ]
        if self.also:
            lines.append(f"  the same would come of: {', '.join(self.also)}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        if isinstance(self.right, Expression):
            lines.append(f"  right: {shortly(self.right)}")
        else:
            text = np.array2string(self.right, precision=6, threshold=20, prefix="  right: ")
            lines.append(f"  right: {text}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
