"""Inference for a loss that the user has written: by likelihood, or by sandwich covariances."""

from __future__ import annotations

from typing import Unpack

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_flag
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.offset_methods import OffsetMethods
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.inference.summary import Summary

__all__ = ["LossMethods"]


class LossMethods(OffsetMethods):
    """Inference of ObjectiveRegressor and ObjectiveClassifier.

    With ``log_likelihood=True`` the covariance is the inverse Hessian. For other losses use a
    sandwich covariance: pass the training rows.
    Formulas and sources are in :mod:`mcmodels.inference.loss_model`.
    """

    _is_convex = False

    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    converged_ = Fitted(
        "converged", "Whether the tolerance was met at a minimum.", describes_coefficients=False
    )
    n_iter_ = Fitted("n_iter", "Number of steps.", describes_coefficients=False)
    log_likelihood_ = Fitted(
        "log_likelihood",
        """Minus the sum of the losses: the log-likelihood up to a constant, without the penalty.

        The constant holds terms without η. It cancels in likelihood-ratio tests, which compare fits
        of the same loss to the same rows.
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
            The training rows, for a robust covariance; required if the loss is not a likelihood.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        p_values : bool, default=None
            Whether to print tests; by default only for fits without a penalty.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and ``offset``.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        if p_values is not None:
            check_flag("p_values", p_values)
        record, estimate = self._estimate(X, y, sample_weight, **robust)
        if p_values is not None:
            check_flag("p_values", p_values)
        return record.summary(estimate, level, p_values)
