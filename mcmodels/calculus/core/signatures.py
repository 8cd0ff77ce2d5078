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
        A letter for each argument: (e)xpression, (q)uoted subscripts, (s)ize, (i)ndex, (o)rder of a
        norm, (l)ist of expressions, or (g)rid, a list of such lists.
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
_MORE_OF_ONE = (
    "amax amin arccos arccosh arcsin arcsinh arctan arctanh cosh digamma eigvalsh eigvecsh erf "
    "erfc expm expm1 expm_frechet_matrix gammaln gelu hardmax inverse_mills inverse_mills_gap "
    "log1p logm logm_frechet_matrix norm_cdf norm_logcdf norm_pdf pinv polar reciprocal_gaps sinh "
    "sqrtm sqrtm_frechet_matrix tan"
)
_OF_TWO = "expm_frechet hypot logm_frechet maximum minimum solve sqrtm_frechet"
SIGNATURES = {
    **dict.fromkeys(_MORE_OF_ONE.split(), Signature("e", 1)),
    **dict.fromkeys(_OF_TWO.split(), Signature("ee", 2)),
    **dict.fromkeys(("clip", "where"), Signature("eee", 3)),
    "polygamma": Signature("ie", 2),
    **dict.fromkeys(_OF_ONE.split(), Signature("e", 1)),
    **dict.fromkeys(("logsumexp", "mean", "softmax", "sum"), Signature("e", 1, axis=True)),
    **dict.fromkeys(("block_sum", "block_trace", "kron", "matrix_power"), Signature("ee", 2)),
    **dict.fromkeys(
        ("diagonal_selection", "duplication", "elimination", "eye", "size"), Signature("s", 1)
    ),
    **dict.fromkeys(("ones", "zeros"), Signature("ss", 1)),
    "norm": Signature("eo", 1, axis=True),
    **dict.fromkeys(("hstack", "vstack"), Signature("l", 1)),
    "block": Signature("g", 1),
    "commutation": Signature("ss", 2),
    "einsum": Signature("q" + "e" * 32, 2),
    "unit": Signature("is", 2),
    "unvec": Signature("ess", 3),
}
