"""Values of the Hurwitz zeta function and of the polygamma functions, also below zero.

SciPy sums over the steps from a negative argument up to nine, one by one: at -1e10 it does not come
back. By reflection, with r = q - floor(q), all arguments are positive. Of whole s,

``ζ(s, q) = ζ(s, r) + (-1)ˢ (ζ(s, 1 - r) - ζ(s, 1 - q))``,

and ``ψₖ(z) = (-1)ᵏ⁺¹ k! ζ(k + 1, z)``. Sources: DLMF (5.15.6), whose right side is the same for z
and r, because the cotangent has period one; (25.11.12).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

__all__ = ["polygamma", "zeta"]


def zeta(s: Any, q: Any) -> Any:
    """``ζ(s, q)``, the sum of ``(q + j)⁻ˢ``; below zero of whole s only, and else NaN."""
    s, q = np.asarray(s), np.asarray(q)
    whole = (s >= 2) & (s == np.rint(s))
    below = (q < 0) & whole
    if not np.any(below):
        return sp.zeta(s, q)
    sign = np.where(np.mod(s, 2) == 0, 1.0, -1.0)
    return _reflected(lambda at: sp.zeta(s, at), sign, q, below)


def polygamma(n: Any, x: Any) -> Any:
    """``ψₙ(x)``; infinite at the poles."""
    n, x = np.asarray(n), np.asarray(x)
    below = (x < 0) & (n > 0)  # SciPy reflects ψ itself
    if not np.any(below):
        return sp.polygamma(n, x)
    sign = np.where(np.mod(n, 2) == 0, -1.0, 1.0)
    return _reflected(lambda at: sp.polygamma(n, at), sign, x, below)


def _reflected(function: Any, sign: Any, x: Any, below: Any) -> Any:
    """``f(r) + sign·(f(1 - r) - f(1 - x))`` where below holds, and f(x) elsewhere."""
    outer = function(np.where(below, 1 - x, x))
    nearest = np.rint(x)
    with np.errstate(invalid="ignore"):  # of infinities
        near = np.where(below, np.abs(x - nearest), 0.5)  # exact: no digit is lost beside a pole
    is_over = x >= nearest
    inner = function(np.where(is_over, near, 1 - near))
    inner = inner + sign * function(np.where(is_over, 1 - near, near))
    return np.where(below, inner - sign * outer, outer)[()]
