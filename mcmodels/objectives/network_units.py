"""A network in units of its columns: the same objective of other parameters.

The gradient by the coefficients of a column with values of some thousand is a thousand times that
of a column of size one, while these coefficients should change a thousand times less. Random
coefficients that suit columns of size one drive the hidden units to where tanh is flat. A column
far from zero acts as an intercept. So, with m the mean and s the size of each such column (0 and 1
for others),

==============  ==================================================================================
rows            ``z = (x - m)/s``
coefficients    ``V = diag(s) W₁``, ``c = b₁ + W₁ᵀm``, so that ``Vᵀz + c = W₁ᵀx + b₁``
gradient        ``∂f/∂V = diag(s)⁻¹ (∂f/∂W₁ - m (∂f/∂b₁)ᵀ)``, ``∂f/∂c = ∂f/∂b₁``
penalty         ``α/2 Σ_j ‖V_j‖²/s_j²``: that of W₁, the coefficients of the columns as given
==============  ==================================================================================
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows.scaled import ScaledRows

__all__ = ["NetworkInUnits"]


class NetworkInUnits(NetworkObjective):
    """The objective of a network over ``(V, …, c, …)``.

    Parameters
    ----------
    objective : NetworkObjective
        The objective over the coefficients of the columns as given.
    centre, size : ndarray of shape (n_features,)
        m and s.
    """

    def __init__(self, objective: NetworkObjective, centre: Array, size: Array) -> None:
        rows = ScaledRows(objective.rows, centre, size)
        super().__init__(rows, objective.network, objective.loss, objective.alpha)
        self.centre, self.size = centre, size

    def params(self, inside: Array) -> Array:
        """The parameters of the columns as given."""
        params = inside.copy()
        coefs, intercepts = self.network.unflatten(params)
        coefs[0][:] = (coefs[0].T / self.size).T
        intercepts[0] -= self.centre @ coefs[0]
        return params

    def inside(self, params: Array) -> Array:
        """The inverse of `params`."""
        inside = params.copy()
        coefs, intercepts = self.network.unflatten(inside)
        intercepts[0] += self.centre @ coefs[0]
        coefs[0][:] = (coefs[0].T * self.size).T
        return inside

    def gradient_inside(self, gradient: Array) -> Array:
        """The gradient by these parameters, from that by the parameters of the columns as given."""
        inside = gradient.copy()
        coefs, intercepts = self.network.unflatten(inside)
        coefs[0] -= np.multiply.outer(self.centre, intercepts[0])
        coefs[0][:] = (coefs[0].T / self.size).T
        return inside

    def _penalised(self, params: Array) -> Array:
        penalised = super()._penalised(params)
        first = self.network.unflatten(penalised).coefs[0]
        first[:] = (first.T / self.size**2).T
        return penalised

    def _penalty(self, params: Array) -> float:
        given = super()._penalised(params)
        first = self.network.unflatten(given).coefs[0]
        first[:] = (first.T / self.size).T
        return half_squares(self.alpha, given)
