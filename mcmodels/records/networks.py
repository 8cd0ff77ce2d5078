"""The results of a fit of MLPClassifier or MLPRegressor: its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.records.record import FitRecord
from mcmodels.records.training_rows import TrainingRows
from mcmodels.rows import Rows
from mcmodels.solvers import Status

if TYPE_CHECKING:
    from mcmodels.calculus import CriticalPoint

__all__ = ["NetworkFit"]

# A critical point is near if Newton's step changes the objective by at most this share.
_NEAR_CRITICAL = 1e-2


@dataclass(frozen=True, kw_only=True)
class NetworkFit(FitRecord):
    """A trained network; its parameters are those of the estimator.

    Parameters
    ----------
    network : Network
        The layers.
    gradient : NetworkParameters
        Gradient of the objective at the parameters.
    objective : float
        The objective there, penalty included.
    n_passes : int
        Passes over the rows.
    alpha : float
        Strength of the penalty.
    target_shape : tuple of int
        Shape of the targets of one row.
    kept_hessian, eigenvalues : ndarray of shape (n, n) and (k,), or None
        The Hessian, and its eigenvalues without the directions that change no probability; None if
        they were not requested.
    decrease_to_critical : float
        Change of the objective by Newton's step, with a Hessian; zero at a critical point.
    training : TrainingRows
        Sums that identify the rows of the fit.
    """

    network: Network
    gradient: NetworkParameters
    objective: float
    n_passes: int
    alpha: float
    target_shape: tuple[int, ...]
    kept_hessian: Array | None
    eigenvalues: Array | None
    decrease_to_critical: float
    training: TrainingRows

    @property
    def converged(self) -> bool:
        """Whether the tolerance was met."""
        return self.status is Status.CONVERGED

    @property
    def loss(self) -> float:
        """The objective over the total weight, as in scikit-learn."""
        return self.objective / self.seen.total_weight

    @property
    def hessian(self) -> Array:
        """The Hessian, if it was requested."""
        if self.kept_hessian is None:
            raise InferenceError(_not_requested("hessian_"))
        return self.kept_hessian

    @property
    def critical_point(self) -> CriticalPoint:
        """Whether the parameters are a minimum or a saddle, if the Hessian was requested."""
        if self.eigenvalues is None:
            raise InferenceError(_not_requested("critical_point_"))
        if not self.converged:
            raise InferenceError(
                "critical_point_ is not available: the fit stopped before the gradient was small. "
                "Raise max_iter."
            )
        share = self.decrease_to_critical / (abs(self.objective) or 1.0)
        if share > _NEAR_CRITICAL:
            raise InferenceError(
                "critical_point_ is not available: no critical point is near. The gradient is "
                "below tol, but Newton's step would change the objective by about "
                f"{share:.0%} of it. Lower tol; if that does not help, the objective decreases for "
                "ever (separable classes without a penalty): set alpha > 0."
            )
        from mcmodels.calculus import CriticalPoint  # only imported if needed

        return CriticalPoint.of(self.eigenvalues.copy(), self.gradient.ravel(), self.objective)

    def require_training_rows(self, rows: Rows, objective: NetworkObjective, params: Array) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of these rows."""
        self.training.require(rows)
        self.training.require_objective(self.objective, objective.value(params))


def _not_requested(name: str) -> str:
    return (
        f"{name} is not available: it was not requested. Fit with compute_hessian=True, or "
        "call hessian(X, y) with the training rows."
    )
