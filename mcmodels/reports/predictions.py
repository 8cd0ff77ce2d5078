"""Intervals of predictions through the steps before a model, and the function of its target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike
from mcmodels.estimators.arguments import check_interval_kind
from mcmodels.exceptions import IndefiniteCovarianceWarning, InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.inverse_targets import through_inverse
from mcmodels.reports.beside_rows import beside
from mcmodels.reports.input_rows import in_memory
from mcmodels.reports.routed import Routed
from mcmodels.rows import RowStream
from mcmodels.user_warnings import warn_user

__all__ = ["Predictions"]


class Predictions(Routed):
    """Predictions with intervals, from raw rows and in units of y."""

    def predict_interval(
        self,
        X: MatrixLike | RowStream,
        level: float = 0.95,
        kind: str = "mean",
        **options: Any,
    ) -> pd.DataFrame:
        """Predictions with intervals, by the covariance in use; see :meth:`with_covariance`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Rows as ``fitted.predict`` takes them.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        kind : {"mean", "observation"}, default="mean"
            The mean of the target, or a new observation: its interval holds the variance of the
            noise, too. Probabilities of classes have "mean" alone.
        **options
            Those of the model's method: ``offset``, ``exposure``, ``trials``.

        Returns
        -------
        DataFrame
            Columns prediction (of classes: probability), standard_error, lower and upper; it has
            the index of X. Rows with missing values are NaN where a fit by a formula has
            ``na="drop"``.

        Raises
        ------
        InferenceError
            If the model has no such intervals, or the inverse function of a
            ``TransformedTargetRegressor`` is not monotone over them.

        Warns
        -----
        NoMeanWarning
            Where the inverse function has no value at an end of an interval, which is NaN.
        IndefiniteCovarianceWarning
            Where the covariance gives a prediction no positive variance: its error is NaN.

        Notes
        -----
        In a ``TransformedTargetRegressor`` the model is of ``f(y)``, and the table is in units of
        y: with f⁻¹ monotone, ends are f⁻¹ of the ends, with the same coverage, and the prediction
        is f⁻¹ of that of the model, which is what ``fitted.predict`` returns. Where the errors of
        f(y) are symmetric, this is the median of y given x, and not its mean: the mean of y after a
        logarithm, say, is larger. So "mean" is then the interval of this median, and "observation"
        that of y. The standard error is that of the delta method, ``|(f⁻¹)′| s``, with the
        derivative by differences. Source: Carroll and Ruppert (1988), *Transformation and Weighting
        in Regression*; Greene (2018), *Econometric Analysis*, 8th ed., §4.8.2.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.compose import TransformedTargetRegressor
        >>> from mcmodels import LinearRegression, results
        >>> X, y = np.arange(6.0)[:, np.newaxis], np.array([1.0, 3, 4, 9, 22, 40])
        >>> fitted = TransformedTargetRegressor(
        ...     LinearRegression(), func=np.log, inverse_func=np.exp
        ... ).fit(X, y)
        >>> results(fitted).predict_interval([[5.0]]).round(1)
           prediction  standard_error  lower  upper
        0        41.0             5.3   28.6   58.6
        """
        check_level(level)  # before X, beside which somebody may have passed y
        check_interval_kind(kind)
        kept = self._route.known(X)
        if not kept.all():
            return self._of_known(X, kept, level=level, kind=kind, **options)
        if hasattr(self.model, "classes_"):
            if kind == "observation":
                raise InferenceError(
                    f"kind='observation' is for targets that are numbers, and "
                    f"{type(self.model).__name__} predicts classes; leave it out."
                )
        else:
            options["kind"] = kind
        found = self._of_rows("predict_interval", X, level=level, **options)
        if isinstance(found, pd.DataFrame) and not self._lost_are_not_estimable():
            _warn_without_variance(found)
        if self._route.target is None or len(found) == 0:
            return found
        values = through_inverse(self._inverse, *found.to_numpy(dtype=np.float64).T)
        return pd.DataFrame(values, columns=found.columns, index=found.index)

    def _of_known(self, X: Any, kept: Any, **asked: Any) -> pd.DataFrame:
        """Intervals of the rows without missing values; the others are NaN."""
        if not kept.any():
            raise ValueError("every row of X has a missing value; none is left.")
        for name, of in beside(X, asked).items():
            if name in ("offset", "exposure", "trials") and np.ndim(of) > 0:
                asked[name] = np.asarray(of)[kept]
        frame = X if isinstance(X, pd.DataFrame) else in_memory(X)
        found = self.predict_interval(frame[kept], **asked)
        index = X.index if isinstance(X, pd.DataFrame) else None
        whole = pd.DataFrame(np.nan, index=pd.RangeIndex(len(kept)), columns=found.columns)
        whole.loc[kept] = found.to_numpy()
        return whole if index is None else whole.set_axis(index)

    def _lost_are_not_estimable(self) -> bool:
        """Whether rows without an error are those that are not estimable, as they are told.

        With a root of the covariance variances are squares, and no other rows have none.
        """
        return self.model._record().estimable is not None and self._estimate().root is not None

    def _inverse(self, values: Array) -> Array:
        """The inverse of what was applied to y."""
        with np.errstate(all="ignore"):
            found = self._route.target.inverse_transform(values.reshape(-1, 1))
        return np.asarray(found, dtype=np.float64).reshape(values.shape)


def _warn_without_variance(table: pd.DataFrame) -> None:
    """Say in which rows there is a prediction, and no error of it."""
    values = table.to_numpy(dtype=np.float64).reshape(len(table), -1, 4)
    lost = (np.isfinite(values[..., 0]) & np.isnan(values[..., 1])).any(axis=1)
    if lost.any():
        warn_user(
            f"the covariance gives no positive variance of the predictions of "
            f"{np.count_nonzero(lost)} of {len(lost)} rows; the first is row {int(lost.argmax())}. "
            "Their errors and intervals are NaN. Use a covariance of another kind.",
            IndefiniteCovarianceWarning,
        )
