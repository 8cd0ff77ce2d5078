"""What is claimed less what is right, and whether a multiple of something may explain it.

A change of a number in one term of a long sum moves the derivative along that term. Whether the
claim is off in that direction is seen from a few values, before any wrong answer is derived.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.study.doctor.factors import USUAL
from mcmodels.plain import np

__all__ = ["Deviations", "deviations"]

_RATIO = 2e-6  # relative: how far a factor may be from a usual one, twice what is allowed


@dataclass(frozen=True)
class Deviations:
    """Deviations from the right values, one row for the claim and for each usual part of it.

    Attributes
    ----------
    values, limits : ndarray
        The deviations, and how far others may be from them that count as equal.
    """

    values: Array
    limits: Array

    def may_be_multiple_of(self, base: Array) -> bool:
        """Whether a number times ``base`` may be one of the rows.

        True where base tells nothing, as where it is zero or not finite.
        """
        base = np.ravel(base)
        seen = base != 0
        if not (np.isfinite(base).all() and seen.any()):
            return True
        with np.errstate(all="ignore"):
            middle = self.values[:, seen] / base[seen]
            width = self.limits[:, seen] / np.abs(base[seen])
            fits = (middle - width).max(axis=1) <= (middle + width).min(axis=1)
        fits &= (np.abs(self.values) <= self.limits)[:, ~seen].all(axis=1)
        return bool((fits | ~np.isfinite(middle + width).all(axis=1)).any())


def deviations(claimed: Array, right: Array, limit: float) -> Deviations:
    """The deviations of values, of which each may be off by ``limit``."""
    multiples = np.array([1.0, *map(float, sorted(USUAL))])[:, None]
    parts = np.ravel(claimed) / multiples
    return Deviations(parts - np.ravel(right), limit / np.abs(multiples) + _RATIO * np.abs(parts))
