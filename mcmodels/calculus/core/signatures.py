"""What each function of expressions takes; the names that no symbol may have."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SIGNATURES", "Signature"]


@dataclass(frozen=True)
class Signature:
    """What a function takes.

    Attributes
    ----------
    kinds : str
        A letter for each argument: (e)xpression, (s)ize, (i)ndex, (l)ist of expressions, or (g)rid,
        a list of such lists.
    required : int
        How many must be given.
    axis : bool
        Whether it takes the keyword ``axis``.
    """

    kinds: str
    required: int
    axis: bool = False


_OF_ONE = (
    "abs cos det diag exp inv log logdet relu sigmoid sign sin softplus sqrt step tanh trace "
    "tril triu vec vech"
)
SIGNATURES = {
    **dict.fromkeys(_OF_ONE.split(), Signature("e", 1)),
    **dict.fromkeys(("logsumexp", "mean", "norm", "softmax", "sum"), Signature("e", 1, axis=True)),
    **dict.fromkeys(("block_sum", "block_trace", "kron", "matrix_power"), Signature("ee", 2)),
    **dict.fromkeys(
        ("diagonal_selection", "duplication", "elimination", "eye", "size"), Signature("s", 1)
    ),
    **dict.fromkeys(("ones", "zeros"), Signature("ss", 1)),
    **dict.fromkeys(("hstack", "vstack"), Signature("l", 1)),
    "block": Signature("g", 1),
    "commutation": Signature("ss", 2),
    "unit": Signature("is", 2),
    "unvec": Signature("ess", 3),
}
