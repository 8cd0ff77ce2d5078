"""Inference for a loss that the user has written: by likelihood, or by sandwich covariances."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.auxiliary_methods import AuxiliaryMethods
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.estimators.pointwise import inverse_link_derivatives
from mcmodels.estimators.streams import of_blocks
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.estimate import check_level
from mcmodels.inference.own_intervals import own_intervals
from mcmodels.inference.summary import Summary

__all__ = ["LossMethods"]


class LossMethods(AuxiliaryMethods):
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
    convexity_ = Fitted(
        "convexity",
        """What is known of the loss as a function of η: "convex", "not convex", or "unknown".

        It is "convex" if the formula proves it; then the minimum that was found is global. Of a
        NumPy function there is no such proof.
        """,
        describes_coefficients=False,
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
        return self._summary((X, y, sample_weight), robust, level=level, p_values=p_values)

    @of_blocks
    def predict_interval(
        self,
        X: MatrixLike,
        level: float = 0.95,
        kind: str = "mean",
        *,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Predictions with intervals: of the linear predictor, mapped by the inverse link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean"}, default="mean"
            What is covered: ``inverse_link(x̃ᵀθ)``; without an inverse link ``x̃ᵀθ``. A loss gives
            no distribution of a new observation.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        DataFrame
            Columns prediction (of classes: probability of the second), standard_error (delta
            method), lower and upper; it has the index of X.

        Raises
        ------
        InferenceError
            For another kind; for classes without an inverse link; where the loss is no likelihood
            and no other covariance was chosen (``results(…).with_covariance``); where the inverse
            link takes auxiliary parameters, or rises and falls within an interval.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.own_intervals`.

        Examples
        --------
        >>> import numpy as np
        >>> from mcmodels import ObjectiveRegressor, results
        >>> X, y = np.arange(6.0)[:, np.newaxis], np.array([1, 2, 2, 5, 9, 12])
        >>> poisson = ObjectiveRegressor(
        ...     "exp(eta) - y * eta", inverse_link="exp(eta)", log_likelihood=True
        ... ).fit(X, y)
        >>> results(poisson).predict_interval([[5.0]]).round(3)
           prediction  standard_error  lower   upper
        0      12.847           3.077  8.034  20.544
        """
        check_level(level)
        if not isinstance(kind, str) or kind != "mean":
            raise InferenceError(
                f"kind={example_of(kind)}: a loss of your own gives the intervals of predictions, "
                "kind='mean', and no distribution of an observation. Take "
                "GeneralizedLinearRegressor for one."
            )
        inverse = self._link_of_eta()
        is_classifier = hasattr(self, "classes_")
        if is_classifier and inverse is None:
            raise InferenceError(
                f"{type(self).__name__} has no inverse_link, so that its predictions are labels "
                "and no numbers; give it one, such as inverse_link='sigmoid(eta)'."
            )
        record = self._record()
        link = _identity if inverse is None else inverse_link_derivatives(inverse)
        quantile = record.estimate.quantile(level)
        model = record.model
        rows, index = self._indexed_rows(X, weighted=False, offset=offset)
        record.warn_of_perfect_fit()
        errors = rows.map(
            lambda block: np.column_stack(
                [block.linear_predictor(model.predictor_params), model.predictor_error(block)]
            )
        )
        model.warn_of_rows(errors[:, 1])
        values = own_intervals(link, errors[:, 0], errors[:, 1], quantile)
        columns = ["standard_error", "lower", "upper"]
        first = "probability" if is_classifier else "prediction"
        return pd.DataFrame(values, columns=[first, *columns], index=index)


def _identity(eta: Array, order: int) -> Array:
    return eta if order == 0 else np.ones_like(eta)
