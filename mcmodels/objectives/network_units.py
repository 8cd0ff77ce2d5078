"""A network in units of its columns and targets: the same objective of other parameters.

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

Targets far from zero, or of another size than one, make the first steps so long that the hidden
units end where tanh is flat. With the units ``η = m + sζ`` of :mod:`.target_units` the last layer
is ``W_L = V_L diag(s)``, ``b_L = m + s∘c``, and the objective is divided by their factor u: the
penalty is ``α/2u`` times the squares of the coefficients as given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.objectives.linear_predictor import half_squares
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.objectives.target_units import RowsInTargetUnits, TargetUnits
from mcmodels.rows.scaled import ScaledRows

__all__ = ["NetworkInUnits"]


# A penalty of this share of the weight of the rows is large beside what there is to explain.
_OUTWEIGHS = 0.01


class NetworkInUnits(NetworkObjective):
    """The objective of a network over ``(V, …, c, …)``.

    Parameters
    ----------
    objective : NetworkObjective
        The objective over the coefficients of the columns and targets as given.
    centre, size : ndarray of shape (n_features,), default=None
        m and s of the columns; without them these are as given.
    targets : TargetUnits, default=None
        Units of the targets; without them these are as given.
    """

    def __init__(
        self,
        objective: NetworkObjective,
        centre: Array | None = None,
        size: Array | None = None,
        targets: TargetUnits | None = None,
    ) -> None:
        rows, loss, alpha = objective.rows, objective.loss, objective.alpha
        self.columns = None if centre is None or size is None else (centre, size)
        self.targets = targets
        if self.columns is not None:
            rows = ScaledRows(rows, *self.columns)
        if targets is not None:
            rows, loss = RowsInTargetUnits(rows, targets), targets.loss(loss)
            alpha = alpha / targets.factor
        super().__init__(rows, objective.network, loss, alpha)

    @property
    def outweighed_columns(self) -> npt.NDArray[np.bool_]:
        """Small columns for which the penalty of coefficients of size one outweighs their rows.

        With coefficients a and b of two layers, ``ab = 1/s``, the penalty ``α(a² + b²)/2`` is at
        least ``α/s``.
        """
        assert self.columns is not None
        _, size = self.columns
        found: npt.NDArray[np.bool_] = (size < 1.0) & (
            self.alpha / size > _OUTWEIGHS * self.rows.total_weight
        )
        return found

    def params(self, inside: Array) -> Array:
        """The parameters of the columns and targets as given."""
        params = inside.copy()
        coefs, intercepts = parameters = self.network.unflatten(params)
        if self.targets is not None:
            self.targets.move_out(parameters)
        if self.columns is not None:
            centre, size = self.columns
            coefs[0][:] = (coefs[0].T / size).T
            intercepts[0] -= centre @ coefs[0]
        return params

    def inside(self, params: Array) -> Array:
        """The inverse of `params`."""
        inside = params.copy()
        coefs, intercepts = parameters = self.network.unflatten(inside)
        if self.columns is not None:
            centre, size = self.columns
            intercepts[0] += centre @ coefs[0]
            coefs[0][:] = (coefs[0].T * size).T
        if self.targets is not None:
            self.targets.move_in(parameters)
        return inside

    def gradient_inside(self, gradient: Array) -> Array:
        """The gradient by these parameters, from that by the parameters as given."""
        inside = gradient.copy()
        coefs, intercepts = self.network.unflatten(inside)
        if self.columns is not None:
            centre, size = self.columns
            coefs[0] -= np.multiply.outer(centre, intercepts[0])
            coefs[0][:] = (coefs[0].T / size).T
        if self.targets is not None:
            coefs[-1] *= self.targets.size
            intercepts[-1] *= self.targets.size
            inside /= self.targets.factor
        return inside

    def _penalised(self, params: Array) -> Array:
        return self._as_given(super()._penalised(params), 2)

    def _penalty(self, params: Array) -> float:
        return half_squares(self.alpha, self._as_given(super()._penalised(params), 1))

    def _as_given(self, penalised: Array, power: int) -> Array:
        """Coefficients times this power of what makes them those of the columns and targets."""
        coefs = self.network.unflatten(penalised).coefs
        if self.columns is not None:
            coefs[0][:] = (coefs[0].T / self.columns[1] ** power).T
        if self.targets is not None:
            coefs[-1] *= self.targets.size**power
        return penalised
