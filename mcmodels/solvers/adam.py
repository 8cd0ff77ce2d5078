"""Updates of parameters by Adam: a gradient descent that scales each parameter by itself.

==================  ==============================================================================
first moments       ``m ← β₁ m + (1 - β₁) g``
second moments      ``v ← β₂ v + (1 - β₂) g²``
update t            ``θ ← θ - η √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε)``
==================  ==============================================================================

``η = 0.001``, ``β₁ = 0.9``, ``β₂ = 0.999`` and ``ε = 1e-8``, as in the paper and in scikit-learn.
Source: Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR, algorithm 1, in
the more efficient order of computation of the end of §2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array

__all__ = ["AdamState"]

_RATE, _FIRST, _SECOND, _EPSILON = 1e-3, 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class AdamState:
    """The moments of the gradients so far.

    Parameters
    ----------
    count : int
        t, the number of updates.
    first, second : ndarray of shape (n,)
        m and v.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.solvers.adam import AdamState
    >>> params, state = np.zeros(2), AdamState.start(2)
    >>> params, state = state.updated(params, np.array([3.0, -0.1]))
    >>> params.round(6), state.count
    (array([-0.001,  0.001]), 1)
    """

    count: int
    first: Array
    second: Array

    @classmethod
    def start(cls, size: int) -> AdamState:
        """The state before the first of the updates of so many parameters."""
        return cls(0, np.zeros(size), np.zeros(size))

    def updated(self, params: Array, gradient: Array) -> tuple[Array, AdamState]:
        """The parameters after an update by this gradient, and the state for the next."""
        count = self.count + 1
        first = _FIRST * self.first + (1 - _FIRST) * gradient
        second = _SECOND * self.second + (1 - _SECOND) * gradient**2
        rate = _RATE * np.sqrt(1 - _SECOND**count) / (1 - _FIRST**count)
        moved = params - rate * first / (np.sqrt(second) + _EPSILON)
        return moved, AdamState(count, first, second)
