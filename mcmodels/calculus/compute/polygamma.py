"""The polygamma functions of any real number, as code that runs here and in compiled functions.

SciPy sums over the steps from a negative argument up to nine, one by one: at -1e10 it does not come
back. By reflection, with r = z - floor(z), all arguments are positive:

``ψₖ(z) = ψₖ(r) + (-1)ᵏ (ψₖ(1 - z) - ψₖ(1 - r))``

Source: DLMF (5.15.6), whose right side is the same for z and r: the cotangent has period one.
"""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.plain import np, scipy

__all__ = ["POLYGAMMA", "polygamma"]

# The distance to the nearest pole is exact, so that no digit is lost beside one.
POLYGAMMA = """\
def polygamma(k, z):
    above = z > 0
    if np.all(above):
        return special.polygamma(k, z)
    outer = special.polygamma(k, np.where(above, z, 1 - z))
    nearest = np.rint(z)
    near = np.abs(z - nearest)
    is_over = z >= nearest
    r, rest = np.where(is_over, near, 1 - near), np.where(is_over, 1 - near, near)
    inner = special.polygamma(k, r) - (-1) ** k * special.polygamma(k, rest)
    return np.where(above, outer, inner + (-1) ** k * outer)"""

_namespace: dict[str, Any] = {"np": np, "special": scipy.special}
exec(POLYGAMMA, _namespace)


def polygamma(k: int, z: Array) -> Array:
    """``ψₖ(z)``, the k-th derivative of the digamma function; infinite at its poles.

    Parameters
    ----------
    k : int
    z : ndarray of float64
    """
    with np.errstate(all="ignore"):
        return np.asarray(_namespace["polygamma"](k, z))
