"""Separated classes: the likelihood has no maximum; it keeps increasing along some direction.

The margin of a row is the predictor of its own class minus that of another class. A direction d
separates the classes if no margin decreases along it and some margin increases. For two classes:
``(2yᵢ - 1) x̃ᵢᵀd ≥ 0`` for all i, not all zero (Albert and Anderson 1984, *On the existence of
maximum likelihood estimates in logistic regression models*, Biometrika 71(1), §3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows

# Where the iterates diverge, ℓ is exponential in the margin, and a Newton step adds about 1 to the
# margins of the separated rows. Near a finite optimum it adds about 0. Margins count as growing if
# a step adds at least the first number to some margin. They count as shrinking if it subtracts more
# than the second number from some margin.
_GROWING = 0.5
_AT_REST = 1e-3
# Classes also count as separated if margins grow, the gradient relative to the total weight is at
# most the first number, and some margin is at least the second: there ℓ″ = e⁻³⁰. At a finite
# optimum this does not occur.
_FLAT = 1e-7
_CERTAIN = 30.0


@dataclass(frozen=True)
class MarginRange:
    """Smallest and largest margin over rows; two ranges are merged by ``+``.

    Parameters
    ----------
    smallest, largest : float
        The margins.
    """

    smallest: float
    largest: float

    def __add__(self, other: MarginRange) -> MarginRange:
        return MarginRange(min(self.smallest, other.smallest), max(self.largest, other.largest))


def margins(rows: Rows, params: Array) -> MarginRange:
    """Range of ``η_own - η_other`` over rows and other classes.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes as targets: 0 and 1 for params of shape (P,), else
        0, …, K-1 for (K, P).
    params : ndarray of shape (P,) or (K, P)
        Parameters, or a direction in them.
    """

    def summarise(block: RowBlock) -> MarginRange:
        eta = block.X.predictor(params)
        if eta.ndim == 1:
            margin = (2.0 * block.y - 1.0) * eta
        else:
            index = np.arange(eta.shape[0])
            others = np.ones(eta.shape, dtype=bool)
            others[index, block.y] = False
            own = eta[index, block.y][:, np.newaxis]
            margin = (own - eta)[others].reshape(eta.shape[0], -1)
        return MarginRange(float(margin.min(initial=np.inf)), float(margin.max(initial=-np.inf)))

    return rows.reduce(summarise)


def separated(rows: Rows, params: Array, step: Array, gradient: Array) -> bool:
    """Whether the classes are separated, judged at an iterate of Newton's method and its step.

    Complete separation is proved when the parameters classify every row correctly. Quasi-complete
    separation shows in the step: some margin still grows by about 1, although no margin shrinks, or
    although the gradient is nearly zero and the largest margin is at least 30.
    """
    now = margins(rows, params)
    if now.smallest > 0:
        return True
    change = margins(rows, step)
    if change.largest < _GROWING:
        return False
    flat = float(np.abs(gradient).max(initial=0.0)) <= _FLAT * rows.total_weight
    return change.smallest >= -_AT_REST or (flat and now.largest >= _CERTAIN)


def curvature_has_vanished(rows: Rows, params: Array) -> bool:
    """Whether margins are so large that ℓ″ vanishes, which makes the Hessian singular."""
    return margins(rows, params).largest >= _CERTAIN
