"""Arrays of double-double numbers: unevaluated sums hi + lo of two float64, about 32 digits.

The building blocks are the error-free transformations of Knuth and Dekker as given by Ogita, Rump
and Oishi (2005), *Accurate sum and dot product*, SIAM J. Sci. Comput. 26(6), algorithms 3.1–3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array

# Dekker's constant: it splits the 53 bits of a float64 into two halves.
_SPLITTER = 2.0**27 + 1


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """``(s, e)`` with s = fl(a + b) and s + e = a + b exactly."""
    s = a + b
    b_part = s - a
    return s, (a - (s - b_part)) + (b - b_part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """``(p, e)`` with p = fl(a·b) and p + e = a·b exactly, barring overflow and underflow."""
    p = a * b
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    return p, a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)


def split(a: Array) -> tuple[Array, Array]:
    """``(high, low)`` of 26 bits each, with high + low = a exactly (Veltkamp)."""
    c = _SPLITTER * a
    high = c - (c - a)
    return high, a - high


@dataclass(frozen=True)
class DoubleDouble:
    """The numbers ``hi + lo``, elementwise.

    Parameters
    ----------
    hi, lo : ndarray of float64, of equal shapes
        Leading and trailing part.
    """

    hi: Array
    lo: Array

    @classmethod
    def of(cls, a: Array) -> DoubleDouble:
        """Exact conversion of float64 numbers."""
        a = np.asarray(a, dtype=np.float64)
        return cls(a, np.zeros_like(a))

    def __add__(self, other: DoubleDouble | Array) -> DoubleDouble:
        if not isinstance(other, DoubleDouble):
            s, e = two_sum(self.hi, other)
            return DoubleDouble(*two_sum(s, e + self.lo))
        s, e = two_sum(self.hi, other.hi)
        t, f = two_sum(self.lo, other.lo)
        s, e = two_sum(s, e + t)
        return DoubleDouble(*two_sum(s, e + f))

    def __getitem__(self, index: Any) -> DoubleDouble:
        return DoubleDouble(self.hi[index], self.lo[index])

    def __neg__(self) -> DoubleDouble:
        return DoubleDouble(-self.hi, -self.lo)

    def times(self, other: DoubleDouble | Array) -> DoubleDouble:
        """Product with double-double or float64 numbers, by NumPy's broadcasting."""
        if not isinstance(other, DoubleDouble):
            p, e = two_product(self.hi, other)
            return DoubleDouble(*two_sum(p, e + self.lo * other))
        p, e = two_product(self.hi, other.hi)
        return DoubleDouble(*two_sum(p, e + (self.hi * other.lo + self.lo * other.hi)))

    def sum(self, axis: int) -> DoubleDouble:
        """Sum along one axis: running sums, and the sum of their errors (algorithm 4.4, Sum2).

        Of n terms, its error is at most about ``(nε)²`` of the sum of their absolute values.
        """
        hi, lo = self.hi, self.lo
        if axis:
            hi, lo = np.moveaxis(hi, axis, 0), np.moveaxis(lo, axis, 0)
        running = np.cumsum(hi, axis=0)
        before, after = running[:-1], running[1:]
        added = after - before
        errors = (before - (after - added)) + (hi[1:] - added)
        return DoubleDouble(*two_sum(running[-1], errors.sum(axis=0) + lo.sum(axis=0)))
