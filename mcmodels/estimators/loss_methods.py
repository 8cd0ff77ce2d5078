"""What the fit of a loss of the user's says: as a likelihood where it is one, or by sandwiches."""

from __future__ import annotations

from typing import Unpack

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.parameter_methods import ParameterMethods, RobustOptions
from mcmodels.inference.summary import Summary

__all__ = ["LossMethods"]


class LossMethods(ParameterMethods):
    """Inference of ObjectiveRegressor and ObjectiveClassifier.

    With ``log_likelihood=True`` the inverse Hessian is the covariance. Of any loss the sandwich
    is, which needs the training rows: pass them with ``kind="HC0"`` or another robust kind.
    Formulas and sources are in :mod:`mcmodels.inference.loss_model`.
    """

    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    converged_ = Fitted(
        "converged", "Whether the tolerance was met at a minimum.", describes_coefficients=False
    )
    n_iter_ = Fitted("n_iter", "Steps taken.", describes_coefficients=False)
    log_likelihood_ = Fitted(
        "log_likelihood",
        """Minus the sum of the losses: the log-likelihood up to a constant, no penalty included.

        Terms without η cancel in differences between fits of the same loss to the same rows, which
        is what likelihood-ratio tests are made of.
        """,
    )

    def summary(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        p_values: bool | None = None,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust ``kind``; a loss that is no likelihood needs them.
        level : float, default=0.95
            Of the intervals.
        p_values : bool, default=None
            Whether to print tests; by default of unpenalised fits only.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        record, estimate = self._estimate(X, y, sample_weight, **robust)
        return record.summary(estimate, level, p_values)
