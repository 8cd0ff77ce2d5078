"""Whether a function is twice differentiable on a convex set, so that its Hessian decides.

The second derivative of abs is 0 beside its kink, and that of 1/x² is positive on both sides of 0:
neither says that the function is convex.
"""

from __future__ import annotations

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.convexity.atoms import domain_of
from mcmodels.calculus.study.convexity.composition import Composition
from mcmodels.calculus.study.convexity.intervals import REAL

__all__ = ["bounded_below", "is_smooth"]

_SMOOTH = (
    N.Symbol,
    N.Sum,
    N.Scaled,
    N.Product,
    N.Hadamard,
    N.Transpose,
    N.Trace,
    N.Det,
    N.Total,
    N.DiagonalMatrix,
    N.Diagonal,
    N.Vec,
    N.Unvec,
    N.Softmax,
    N.LogSumExp,
    N.Kron,
    N.BlockSum,
    N.BlockTrace,
    N.Stack,
    SumOver,
)
_KINKS = frozenset(["abs", "relu", "sign", "step"])


def is_smooth(f: Expression, composition: Composition) -> bool:
    """Whether all parts are twice differentiable, wherever they are defined, on a convex set."""
    return all(
        _is_smooth(part, composition) for part in parts_of(f) if composition.varies(part)
    ) and _norms_are_squared(f, composition)


def _is_smooth(e: Expression, composition: Composition) -> bool:
    if isinstance(e, _SMOOTH):
        return True
    if isinstance(e, N.Norm):
        return True  # see _norms_are_squared
    if isinstance(e, N.MatrixPower | N.LogDet):
        base = e.children[0]
        return composition.is_affine(base) and composition.ranges.definite(base)
    ranges = composition.ranges
    if isinstance(e, N.Power):
        if not isinstance(e.exponent, N.Number):
            return not composition.varies(e.base) and ranges.positive(e.base)
        p = e.exponent.value
        if (p == int(p) and p > 0) or ranges.positive(e.base):
            return True
        half_line = p != int(p) or ranges.sign(e.base) != 0
        return composition.is_affine(e.base) and half_line
    if isinstance(e, F.Polygamma):
        return composition.is_affine(e.argument) and ranges.sign(e.argument) == 1
    if not isinstance(e, N.Elementwise) or e.name in _KINKS:
        return False
    domain = domain_of(e)
    if domain is None:  # gammaln and digamma from 0 on; tan is not defined on an interval
        on_half_line = composition.is_affine(e.argument) and ranges.sign(e.argument) == 1
        return e.name in ("gammaln", "digamma") and on_half_line
    if domain == REAL or composition.is_affine(e.argument):
        return True
    return e.name in ("log", "log1p") and (
        ranges.positive(e.argument) or ranges.of(e.argument)[0] > domain[0]
    )


def _norms_are_squared(f: Expression, composition: Composition) -> bool:
    """Whether each norm that varies is raised to an even power, which has no kink."""
    for part in parts_of(f):
        for child in part.children:
            if isinstance(child, N.Norm) and composition.varies(child):
                even = isinstance(part, N.Power) and isinstance(part.exponent, N.Number)
                if not even or part.arguments()[1].value % 2 or part.arguments()[1].value <= 0:
                    return False
    return not (isinstance(f, N.Norm) and composition.varies(f))


def bounded_below(f: Expression, composition: Composition) -> set[Expression]:
    """The affine parts that are at least 0 wherever the function is defined.

    They are what logarithms and roots are taken of. What a choice may leave out says nothing.
    """
    found: set[Expression] = set()
    for part in parts_of(f):
        if isinstance(part, F.Where) or (isinstance(part, SumOver) and part.is_conditional):
            return set()
        argument = part.children[0] if part.children else None
        if argument is None or not composition.is_affine(argument):
            continue
        of_root = isinstance(part, N.Power) and domain_of(part) not in (None, REAL)
        if of_root or (isinstance(part, N.Elementwise) and part.name == "log"):
            found.add(argument)
    return found
