"""How much of a value is rounding: each result is changed in its last digits, and it is compared.

A value that cancels to exactly 0 does not show that digits are lost; changed in its last digits, it
does: Vignes (1993), Mathematics and Computers in Simulation 35(3).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.rows import Rows, entries, mapped
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver, UnitAt

__all__ = ["Again", "Noise", "Range", "is_choice", "is_exact"]

Again = Callable[[Callable[[Any], Any]], Rows]
"""The result once more, from the values of the children with a function of each entry."""

_CHANGED = 3  # of the digits at work, so many are changed: more than any function loses
_STEPS = 10**6  # of which one is drawn: equal changes of two terms would cancel
_EXACT = 2**50  # whole numbers up to this are added and multiplied without rounding
_CHOICES = frozenset({"abs", "relu", "sign", "step", "maximum", "minimum"})
_MOVED = (N.Transpose, N.Vec, N.Unvec, N.Stack, N.Diagonal, N.DiagonalMatrix, UnitAt)
_SELECTIONS = (N.Unit, UnitAt, N.Selection, N.Identity, N.Commutation, N.Elimination)
_CHOSEN = (F.Where, F.Largest, F.Hardmax)
_ADDED = (N.Sum, N.Product, N.Total, N.Trace, N.BlockSum, N.BlockTrace, Einsum, SumOver)
_WHOLE = (*_ADDED, N.Scaled, N.Hadamard, N.Power, N.Kron)
_ELIMINATED = (N.Det, N.LogDet, N.MatrixPower)
_EXPONENTIAL = frozenset({"exp", "expm1", "sigmoid", "softplus", "tanh", "sinh", "cosh"})
_NORMAL = frozenset(
    {"erf", "erfc", "norm_cdf", "norm_pdf", "norm_logcdf", "inverse_mills", "gelu"}
    | {"inverse_mills_gap"}
)
_POWERS = 12  # the highest power of a number given that may be what is left
_POWERS_OF_EXPONENTIALS = 4


def is_choice(part: Expression) -> bool:
    """Whether its value is one of others, or jumps with their signs."""
    if isinstance(part, N.Elementwise | F.Pairwise):
        return part.name in _CHOICES
    return isinstance(part, _CHOSEN)


def is_exact(part: Expression) -> bool:
    """Whether it is computed without rounding, in binary numbers of any precision."""
    if isinstance(part, N.Scaled):
        return len(part.children) == 1 and _is_power_of_2(part.coefficient)
    return is_choice(part) or isinstance(part, _MOVED) or _only_picks(part)


def _is_power_of_2(coefficient: Any) -> bool:
    above, below = abs(coefficient).as_integer_ratio()
    return not (above & (above - 1) or below & (below - 1))


def _only_picks(part: Expression) -> bool:
    """Whether it is a product that takes entries of one factor."""
    if not isinstance(part, N.Product):
        return False
    others = [factor for factor in part.children if not _is_selection(factor)]
    return len(others) <= 1


def _is_selection(factor: Expression) -> bool:
    inner = factor.argument if isinstance(factor, N.Transpose) else factor
    return isinstance(inner, _SELECTIONS)


class Noise:
    """Changes of results, the same at each use.

    Parameters
    ----------
    sign : int
        1 or -1: with the other sign, each result is changed the other way.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._draw = random.Random(0)

    def changed(self, part: Expression, children: list[Rows], result: Rows, again: Again) -> Rows:
        """A result with its last digits changed, unless it is exact."""
        if not children or is_exact(part):
            return result
        if isinstance(part, _WHOLE) and all(map(_is_whole, (*children, result))):
            return result
        mp = mpmath().mp
        unit = self._sign * mp.mpf(10) ** (_CHANGED - mp.dps) / _STEPS

        def share() -> Any:
            size = self._draw.randrange(_STEPS // 2, _STEPS)
            return unit * (size if size % 2 else -size)

        if isinstance(part, N.Sum):  # by the last digits of what was added
            sizes = mapped(_rounded_size, *children)
            return mapped(lambda entry, size: entry + share() * size, result, sizes)
        if isinstance(part, _ADDED):
            return mapped(lambda entry, size: entry + share() * size, result, again(abs))
        if isinstance(part, _ELIMINATED):
            return again(lambda entry: entry * (1 + share()))
        return mapped(lambda entry: entry * (1 + share()), result)


def _rounded_size(*terms: Any) -> Any:
    """The sum of the sizes of some numbers; 0 where they are added without rounding.

    Knuth, The Art of Computer Programming, volume 2, section 4.2.2.
    """
    total, exact = terms[0], True
    for term in terms[1:]:
        found = total + term
        part = found - total
        exact = exact and (total - (found - part)) + (term - part) == 0
        total = found
    return mpmath().mp.mpf(0) if exact else sum(map(abs, terms))


def _is_whole(rows: Rows) -> bool:
    return all(abs(entry) < _EXACT and entry == int(entry) for entry in entries(rows))


class Range:
    """The digits in which what the numbers given can leave of a sum is no rounding.

    What is left of terms that cancel can be as small as some power of the smallest number given, or
    as an exponential of one.

    Attributes
    ----------
    digits : float
    """

    def __init__(self) -> None:
        self.digits = 0.0

    def see(self, part: Expression, children: list[Rows], result: Rows) -> None:
        """Take a part into account."""
        if not children:
            self._reach(_POWERS * max(map(_digits, entries(result))))
        elif _holds_exponentials(part):
            size = min(float(max(map(abs, entries(children[0])))), 1e150)
            normal = isinstance(part, N.Elementwise) and part.name in _NORMAL
            exponent = size * size if normal else size
            self._reach(_POWERS_OF_EXPONENTIALS * exponent / math.log(10))
        elif isinstance(part, N.Power):
            largest = max(float(min(abs(k), 1e9)) for k in entries(children[1]))
            if largest > _POWERS:
                self._reach(2 * largest * max(map(_digits, entries(children[0]))))

    def _reach(self, digits: float) -> None:
        self.digits = max(self.digits, digits)


def _holds_exponentials(part: Expression) -> bool:
    if isinstance(part, N.Elementwise):
        return part.name in _EXPONENTIAL | _NORMAL
    return isinstance(part, N.Softmax | N.LogSumExp | AxisSoftmax | AxisLogSumExp)


def _digits(entry: Any) -> float:
    """The power of ten of a number, up or down; 0 of 0."""
    mp = mpmath().mp
    return abs(float(mp.mag(entry))) * math.log10(2) if entry and mp.isfinite(entry) else 0.0
