"""Whether a matrix of numbers is semidefinite, as the Hessian of x₀² + x₁² − x₀x₁."""

from __future__ import annotations

from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np

__all__ = ["constant_is_definite"]

_MARGIN = 1e-9  # of the largest eigenvalue; rounding moves eigenvalues by 1e-15 or so
_PARTS = (N.Sum, N.Scaled, N.Product, N.Transpose, N.Unit, N.Number, N.Identity)
_LARGEST = 200


def constant_is_definite(H: Expression, sign: int) -> bool:
    """Whether eigenvalues show that ``sign`` H is semidefinite, without doubt of rounding.

    Of a matrix of symbolic size, only the rows and columns that are written out matter, and one
    more where there is a multiple of I: others are like it. The others must have a margin.
    """
    if H.used or H.is_scalar:
        return False
    parts = list(parts_of(H))
    names = {name for part in parts for name in part.size_names}
    places = [part.index for part in parts if isinstance(part, N.Unit)]
    if not all(isinstance(part, _PARTS) for part in parts) or len(names) > 1:
        return False
    if names and (not H.rows.is_name or min(places, default=0) < 0):
        return False
    size = max(places, default=0) + 2 if names else int(H.rows.number or 0)
    if not 0 < size <= _LARGEST:
        return False
    value = sign * walk(H, {}, dict.fromkeys(names, size), checked=True)
    if not np.array_equal(value, value.T):
        return False
    moved = value.any(axis=1)
    found = np.linalg.eigvalsh(value[np.ix_(moved, moved)])
    return bool(found.size and found[0] >= _MARGIN * found[-1])
