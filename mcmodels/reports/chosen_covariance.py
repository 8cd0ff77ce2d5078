"""Results under another covariance than that of the model: robust, or clustered."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Self, Unpack

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.parameter_methods import ParameterMethods, RobustOptions
from mcmodels.estimators.quantile_methods import QuantileMethods
from mcmodels.exceptions import InferenceError
from mcmodels.reports.routed import Routed
from mcmodels.rows import RowStream

__all__ = ["ChosenCovariance"]


class ChosenCovariance(Routed):
    """Choosing the covariance that every method without rows uses."""

    def with_covariance(
        self,
        X: MatrixLike | RowStream | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights | str = None,
        **robust: Unpack[RobustOptions],
    ) -> Self:
        """The same results with a robust covariance V in place of that of the model.

        All that is computed without training rows uses V: ``summary``, ``confidence_intervals``,
        ``wald_test``, ``covariance``, ``delta_method`` and ``predict_interval``. Estimates do not
        change; nor do ``influence``, profiles and likelihood-ratio tests, which are of the
        likelihood. Methods that are given training rows compute the covariance that they are asked
        for, as before.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream, default=None
            The training rows as ``fitted.predict`` takes them; a stream also holds y and the
            weights.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Their weights, or the column of X that holds them.
        **robust
            Options of the model's ``covariance``: ``kind`` ("HC0" to "HC3", "cluster", "CR2",
            "HAC", "expected", "nonrobust"), ``groups``, ``max_lags``, ``use_correction``,
            ``df_correction``; and ``offset``, ``exposure`` of the fit. Without ``kind`` it is HC3,
            with more than two classes HC1.

        Returns
        -------
        Results
            New ones; these are left as they are.

        Raises
        ------
        InferenceError
            If the parameters are not determined, or the covariance is not defined.
        ValueError
            If neither rows nor ``kind`` are given, or the rows are not the training rows.

        Notes
        -----
        A robust V is the variance of ``x̃ᵀθ̂`` about its expectation, ``x̃ᵀVx̃``, also where variances
        are unequal or rows of a cluster depend on each other. It does not say that the mean is
        ``x̃ᵀθ``, nor how much a new observation varies: of a linear model
        ``predict_interval(X, kind="observation")`` adds σ̂², the same for all x. With clusters the
        interval of an observation takes it as independent of the training clusters. Degrees of
        freedom are those of V: of a linear fit ``G - 1`` with G clusters (``n - P`` with
        ``df_correction=False``), and with CR2 Satterthwaite's, of each coefficient and of each row
        of predictions. Source: MacKinnon and White (1985), Journal of Econometrics 29(3), and those
        of :mod:`mcmodels.inference.robust`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from mcmodels import LinearRegression, results
        >>> X = np.arange(8.0)[:, np.newaxis]
        >>> y = np.array([1.0, 2, 2, 5, 3, 8, 4, 12])
        >>> found = results(make_pipeline(StandardScaler(), LinearRegression()).fit(X, y))
        >>> robust = found.with_covariance(X, y, kind="HC3")
        >>> robust.predict_interval([[3.5]]).round(2)
           prediction  standard_error  lower  upper
        0        4.62            1.03   2.11   7.14
        >>> print(robust.wald_test("x0 = 0"))
        x0 = 0: F(1, 6) = 4.96798, p = 0.0674
        """
        needs_rows = isinstance(self.model, ParameterMethods)
        if not needs_rows and not isinstance(self.model, QuantileMethods):
            raise InferenceError(
                f"with_covariance is for models with a covariance of parameters; "
                f"{type(self.model).__name__} has none."
            )
        if needs_rows and X is None and robust.get("kind") is None:
            raise ValueError(
                "with_covariance needs the training rows, or kind='nonrobust'; pass X and y (and "
                "sample_weight, if the fit had one), as in with_covariance(X, y, kind='HC3')."
            )
        given = {"X": None, "y": None, "sample_weight": None}
        given |= self._given(self.model._estimate, X, y, sample_weight, dict(robust))
        _, estimate = self.model._warned_estimate(**given)
        chosen, model = copy.copy(self), copy.copy(self.model)
        model._fit = replace(self.model._fit, chosen=estimate)
        chosen.model, chosen._route = model, replace(self._route, model=model)
        return chosen
