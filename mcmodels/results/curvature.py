"""What fits by Newton's method have in common: an objective, its Hessian, and sums of the rows."""

from __future__ import annotations

from dataclasses import dataclass

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives import Objective
from mcmodels.results.record import ParameterFit
from mcmodels.results.training_rows import TrainingRows
from mcmodels.rows import Rows
from mcmodels.solvers.irls import InnerCurvature

__all__ = ["CurvatureFit"]


@dataclass(frozen=True, kw_only=True)
class CurvatureFit(ParameterFit):
    """A fit with the Hessian of what it has minimised.

    Parameters
    ----------
    objective : float
        The least value, penalty included.
    formed_hessian : ndarray of shape (KP, KP), or None
        The Hessian over the raveled parameters; None where there are too many of them.
    inner : InnerCurvature or None
        The Hessian in the coordinates of the fit, where they are others.
    penalty : float
        α in ``α‖coef‖²/2``.
    training : TrainingRows
        Sums by which the rows of the fit are recognised.
    """

    objective: float
    formed_hessian: Array | None
    inner: InnerCurvature | None
    penalty: float
    training: TrainingRows

    @property
    def hessian(self) -> Array:
        """The Hessian; refuses where it was not formed."""
        if self.formed_hessian is None:
            raise InferenceError(
                f"hessian_ is not formed for {self.params.size} parameters; call "
                "hessian_vector_product(X, y, vector=…) with the training rows, or hessian(X, y) "
                "if there is room for it."
            )
        return self.formed_hessian

    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of the fit over them."""
        self.training.require(rows)
        rounding = self.training.rounding_of_losses(self.params, self.objective)
        found = objective.value(self.params)
        self.training.require_objective(self.objective, found, rounding)

    def notes_on_the_end(self) -> tuple[str, ...]:
        """A note for summaries of fits that have not simply converged."""
        if self.status == "converged":
            return ()
        return (f"The fit ended as {str(self.status)!r}.",)
