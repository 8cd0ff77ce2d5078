"""Where the functions of each entry are convex or concave, and where they rise or fall.

A piece is an interval on which a function is convex (+1) or concave (-1), and rises (+1), falls
(-1) or does both (0). Pieces follow from the signs of the first two derivatives (Abramowitz and
Stegun 1964). That φ/Φ is convex is Sampford (1953), *Annals of Mathematical Statistics* 24.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.convexity.intervals import REAL, Bound, Range

__all__ = ["Piece", "domain_of", "pieces_of"]


class Piece(NamedTuple):
    """An interval, +1 where the function is convex on it, and +1 where it rises."""

    low: Bound
    high: Bound
    curvature: int
    slope: int


_INF = math.inf
_0, _1 = Fraction(0), Fraction(1)
_S = (  # convex up to 0, then concave; rising
    Piece(-_INF, _0, 1, 1),
    Piece(_0, _INF, -1, 1),
)
_MIRRORED_S = (Piece(-_INF, _0, -1, 1), Piece(_0, _INF, 1, 1))
_BOWL = (Piece(-_INF, _INF, 1, 0), Piece(_0, _INF, 1, 1), Piece(-_INF, _0, 1, -1))


def _everywhere(curvature: int, slope: int) -> tuple[Piece, ...]:
    return (Piece(-_INF, _INF, curvature, slope),)


_PIECES: dict[str, tuple[Piece, ...]] = {
    **dict.fromkeys(("exp", "expm1", "softplus", "inverse_mills_gap"), _everywhere(1, 1)),
    "inverse_mills": _everywhere(1, -1),
    **dict.fromkeys(("log", "log1p", "norm_logcdf", "arccosh"), _everywhere(-1, 1)),
    **dict.fromkeys(("tanh", "sigmoid", "arctan", "arcsinh", "erf", "norm_cdf"), _S),
    **dict.fromkeys(("sinh", "arcsin", "arctanh"), _MIRRORED_S),
    "arccos": (Piece(-_INF, _0, 1, -1), Piece(_0, _INF, -1, -1)),
    "erfc": (Piece(-_INF, _0, -1, -1), Piece(_0, _INF, 1, -1)),
    "abs": (*_BOWL, Piece(_0, _INF, -1, 1), Piece(-_INF, _0, -1, -1)),
    "relu": (*_everywhere(1, 1), Piece(_0, _INF, -1, 1), Piece(-_INF, _0, -1, 1)),
    "cosh": _BOWL,
    "norm_pdf": (Piece(-_1, _1, -1, 0), Piece(_1, _INF, 1, -1), Piece(-_INF, -_1, 1, 1)),
    "gammaln": (Piece(_0, _INF, 1, 0), Piece(Fraction(2), _INF, 1, 1)),
    "digamma": (Piece(_0, _INF, -1, 1),),
}
_DOMAINS: dict[str, Range] = {
    "log": (_0, _INF),
    "log1p": (-_1, _INF),
    "arcsin": (-_1, _1),
    "arccos": (-_1, _1),
    "arccosh": (_1, _INF),
    "arctanh": (-_1, _1),
}


def domain_of(e: Expression) -> Range | None:
    """The interval, but for its ends, on which a function of each entry is defined.

    None where that is no interval.
    """
    if isinstance(e, N.Elementwise):
        return None if e.name in ("gammaln", "digamma", "tan") else _DOMAINS.get(e.name, REAL)
    if isinstance(e, N.Power) and isinstance(e.exponent, N.Number):
        p = e.exponent.value
        if p != int(p):
            return _0, _INF
        return REAL if p > 0 else None
    return None


def pieces_of(e: Expression) -> tuple[Piece, ...]:
    """The pieces of the function that a node applies to each entry."""
    if isinstance(e, N.Elementwise):
        return _PIECES.get(e.name, ())
    if isinstance(e, F.Polygamma):
        return (Piece(_0, _INF, 1, -1) if e.order % 2 else Piece(_0, _INF, -1, 1),)
    assert isinstance(e, N.Power)
    assert isinstance(e.exponent, N.Number)
    p = e.exponent.value
    is_whole = p == int(p)
    if p > 1:
        return _MIRRORED_S if is_whole and p % 2 else _BOWL if is_whole else (_RISING,)
    if p > 0:
        return (Piece(_0, _INF, -1, 1),)
    falling = Piece(_0, _INF, 1, -1)
    if not is_whole:
        return (falling,)
    return falling, (Piece(-_INF, _0, -1, -1) if p % 2 else Piece(-_INF, _0, 1, 1))


_RISING = Piece(_0, _INF, 1, 1)
