"""The results of a fit of MLPClassifier or MLPRegressor, or of ``partial_fit``: its record."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Loss
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.objectives.target_units import TargetUnits
from mcmodels.records.record import FitRecord
from mcmodels.records.training_rows import TrainingRows
from mcmodels.rows import Rows
from mcmodels.solvers import Status
from mcmodels.solvers.adam import AdamState

if TYPE_CHECKING:
    from mcmodels.calculus import CriticalPoint

__all__ = ["NetworkFit", "NetworkRecord", "NetworkUpdates"]

# A critical point is near if Newton's step changes the objective by at most this share.
_NEAR_CRITICAL = 1e-2
# An eigenvalue below zero by this share of the largest is no rounding error.
_NEGATIVE = 1e-6


@dataclass(frozen=True, kw_only=True)
class NetworkRecord(FitRecord):
    """What is known of any trained network; its parameters are those of the estimator.

    Parameters
    ----------
    network : Network
        The layers.
    pointwise : Loss
        The loss of the outputs.
    target_names : tuple of str
        Names of the classes, of the labels, or of the targets.
    target_shape : tuple of int
        Shape of the targets of one row.
    class_factors : dict
        Factor of the weights of the rows of each class.
    n_passes : int
        Passes over the rows.
    """

    network: Network
    pointwise: Loss
    target_names: tuple[str, ...]
    target_shape: tuple[int, ...]
    class_factors: dict[Any, float]
    n_passes: int

    @property
    @abc.abstractmethod
    def had_early_stopping(self) -> bool:
        """Whether rows were held out, which have chosen the parameters."""

    @property
    def converged(self) -> bool:
        """Whether the tolerance was met."""
        return self.status is Status.CONVERGED


@dataclass(frozen=True, kw_only=True)
class NetworkFit(NetworkRecord):
    """A network that was trained by ``fit``.

    Parameters
    ----------
    gradient : NetworkParameters
        Gradient of the objective at the parameters.
    objective : float
        The objective there, penalty included.
    alpha : float
        Strength of the penalty.
    kept_hessian, eigenvalues : ndarray of shape (n, n) and (k,), or None
        The Hessian, and its eigenvalues without the directions that change no probability; None if
        they were not requested.
    decrease_to_critical : float
        Change of the objective by Newton's step, with a Hessian; zero at a critical point.
    training : TrainingRows
        Sums that identify the rows of the fit.
    validation_scores : list of float, or None
        With early stopping, the score of the rows that were held out, after each step.
    best_validation_score : float or None
        The highest of them, which is that of the parameters.
    """

    gradient: NetworkParameters
    objective: float
    alpha: float
    kept_hessian: Array | None
    eigenvalues: Array | None
    decrease_to_critical: float
    training: TrainingRows
    validation_scores: list[float] | None
    best_validation_score: float | None

    @property
    def had_early_stopping(self) -> bool:
        """Whether rows were held out, which have chosen the parameters."""
        return self.validation_scores is not None

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
        if self.status is Status.STOPPED_EARLY:
            raise InferenceError(
                "critical_point_ is not available: early stopping has chosen parameters by the "
                "rows that were held out, and the gradient is not small there. Fit with "
                "early_stopping=False."
            )
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

    @property
    def falls_along(self) -> float:
        """Minus the least eigenvalue over the largest at a saddle point; 0 elsewhere or unknown."""
        if self.eigenvalues is None or not self.converged or not self.eigenvalues.size:
            return 0.0
        if self.decrease_to_critical > _NEAR_CRITICAL * abs(self.objective):
            return 0.0
        share = -float(self.eigenvalues.min() / abs(self.eigenvalues).max())
        return share if share > _NEGATIVE else 0.0

    def require_training_rows(self, rows: Rows, objective: NetworkObjective, params: Array) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of these rows."""
        self.training.require(rows)
        self.training.require_objective(self.objective, objective.value(params))


@dataclass(frozen=True, kw_only=True)
class NetworkUpdates(NetworkRecord):
    """A network that was updated by ``partial_fit``; no row is kept, and it is at no minimum.

    Parameters
    ----------
    loss : float
        Mean loss of the last rows, each batch before its update, with the penalty.
    adam : AdamState
        What the next update continues.
    target_units : TargetUnits or None
        Units of the targets in which it updates; None where they are as given.
    """

    loss: float
    adam: AdamState
    target_units: TargetUnits | None

    had_early_stopping = False
    validation_scores = None
    best_validation_score = None

    @property
    def gradient(self) -> NoReturn:
        """Refused."""
        self.refuse("gradient_")

    @property
    def objective(self) -> NoReturn:
        """Refused."""
        self.refuse("objective_")

    @property
    def hessian(self) -> NoReturn:
        """Refused."""
        self.refuse("hessian_")

    @property
    def critical_point(self) -> NoReturn:
        """Refused."""
        self.refuse("critical_point_")

    def refuse(self, what: str) -> NoReturn:
        """Raise the error for results that need the rows of a fit, or a minimum."""
        raise InferenceError(
            f"{what} is not available after partial_fit, which keeps no rows and ends at no "
            "minimum. Call objective(X, y), gradient(X, y) or hessian(X, y) with rows; or set "
            "warm_start=True and call fit, which goes on from here to a minimum."
        )


def _not_requested(name: str) -> str:
    return (
        f"{name} is not available: it was not requested. Fit with compute_hessian=True, or "
        "call hessian(X, y) with the training rows."
    )
