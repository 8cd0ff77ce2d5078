"""NumPy code for σ(u)σ(−u) = (½/cosh(u/2))², which one hyperbolic cosine gives to all digits."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from mcmodels.calculus.compute.compiling.code import Snippet
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.expression import Expression

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["logistic_pair", "root_of_logistic_pair", "square_of_root"]


def logistic_pair(factors: Sequence[Expression]) -> tuple[int, int] | None:
    """The positions of σ(u) and σ(−u) among factors."""
    found: dict[bytes, int] = {}
    for i, factor in enumerate(factors):
        if isinstance(factor, N.Elementwise) and factor.name == "sigmoid":
            mirrored = scale(-1, factor.argument)
            if mirrored.key in found:
                return found[mirrored.key], i
            found[factor.argument.key] = i
    return None


def root_of_logistic_pair(w: Writer, sigmoid: Expression) -> Snippet:
    """The root of σ(u)σ(−u), given σ(u); beyond 700 its square is 0 in float64."""
    (u,) = sigmoid.children
    half = w.value(scale(Fraction(1, 2), u))
    return Snippet(f"0.5 / np.cosh(np.minimum(np.abs({half}), 700))", atom=False, fresh=True)


def square_of_root(w: Writer, sigmoid: Expression) -> Snippet:
    """σ(u)σ(−u), given σ(u)."""
    root = root_of_logistic_pair(w, sigmoid)
    return Snippet(f"{root.grouped} ** 2", atom=False, fresh=True)
