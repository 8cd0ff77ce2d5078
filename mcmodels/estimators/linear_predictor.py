"""Base class of estimators with linear predictors: coefficients, intercept, predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_params, check_weights, refuse_other_order
from mcmodels.estimators.model import Model, coefficient_array
from mcmodels.estimators.parts import rows_in_parts, without_targets
from mcmodels.estimators.streams import in_memory_but_X
from mcmodels.estimators.validation import validated_rows
from mcmodels.exceptions import InferenceError
from mcmodels.rows import ArrayRows, Rows, rows_of
from mcmodels.tables.dask_stream import in_parts

__all__ = ["LinearPredictorModel"]


class LinearPredictorModel(Model):
    """A model of ``η = Xw + b``, with ``coef_`` w and ``intercept_`` b as scikit-learn has them."""

    fit_intercept: bool
    coef_: Array
    intercept_: Any

    # The keywords of methods that add to the linear predictor.
    _offset_names: tuple[str, ...] = ()

    @property
    def params_(self) -> Array:
        """Coefficients ``coef_``, then ``intercept_`` when an intercept is fitted.

        Shape (P,) for one output, (n_outputs, P) for several.
        """
        coef, intercept = self._coefficients_of_outputs()
        params = np.column_stack([coef, intercept]) if self._has_intercept else coef.copy()
        return params[0] if self._is_single else params

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``coef_`` and ``intercept_``."""
        values = check_params(params, self.params_.shape)
        if self._has_intercept:
            values, intercept = values[..., :-1], values[..., -1]
            if intercept.size == np.size(self.intercept_):
                intercept = intercept.reshape(np.shape(self.intercept_))
            self.intercept_ = intercept.copy() if intercept.ndim else float(intercept)
        self.coef_ = values.reshape(np.shape(self.coef_)).copy()

    @property
    def _has_intercept(self) -> bool:
        """Whether the intercept is a free parameter: it was fitted, or set to a nonzero value."""
        fitted = self.fit_intercept if self._fit is None else self._fit.intercept
        return bool(fitted) or bool(coefficient_array("intercept_", self.intercept_).any())

    @property
    def _is_single(self) -> bool:
        """Whether the parameters are a vector, because there is one target or two classes."""
        shape = coefficient_array("coef_", self.coef_).shape
        return len(shape) < 2 or (isinstance(self, ClassifierMixin) and shape[0] == 1)

    def _coefficients_of_outputs(self) -> tuple[Array, Array]:
        """Coefficients of shape (n_outputs, p) and intercepts of shape (n_outputs,)."""
        self._check_has_coefficients()
        coef = np.atleast_2d(coefficient_array("coef_", self.coef_))
        intercept = np.atleast_1d(coefficient_array("intercept_", self.intercept_)).ravel()
        if coef.ndim != 2 or intercept.size not in (1, len(coef)):
            raise InferenceError(
                f"coef_ has shape {np.shape(self.coef_)} and intercept_ "
                f"{np.shape(self.intercept_)}; each output needs a row of coef_ and an entry of "
                "intercept_."
            )
        return coef, np.broadcast_to(intercept, len(coef))

    def _linear_predictor(
        self,
        X: MatrixLike,
        offsets: dict[str, Any] | None = None,
        *,
        keep_dtype: bool = False,
    ) -> Array:
        """η of each row, shape (n_samples,) or (n_samples, n_outputs).

        float64; or with ``keep_dtype`` float32 for float32 rows, rounded block by block. With
        ``offsets``, the keywords of the method that was called, what they add is checked and added.
        """
        coef, intercept = self._coefficients_of_outputs()
        self._check_order(X, **(offsets or {}))
        X = validated_rows(self, X)
        if X.shape[1] != coef.shape[1]:
            raise ValueError(
                f"X has {X.shape[1]} features, but coef_ has {coef.shape[1]}; each feature needs "
                "a coefficient."
            )
        params = np.column_stack([coef, intercept])
        if self._is_single:
            params = params[0]
        rows = ArrayRows(X, extras=None if offsets is None else self._offsets_of(X, **offsets))
        dtype = rows.dtype if keep_dtype else np.dtype(np.float64)
        return rows.map(lambda block: block.linear_predictor(params).astype(dtype, copy=False))

    def _unlabelled_rows(self, X: Any, sample_weight: Weights = None, **offsets: Any) -> Rows:
        """Rows without targets, with an intercept if the fit has one."""
        self._check_has_coefficients()
        if (stream := in_parts(X, None, sample_weight)) is not None:
            self._refuse_offsets_of_parts(**offsets)
            return rows_in_parts(self, stream, without_targets, intercept=self._has_intercept)
        refuse_other_order(X=X, sample_weight=sample_weight)
        self._check_order(X, **offsets)
        X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
        X = validated_rows(self, X)
        weights, extras = check_weights(sample_weight, X), self._offsets_of(X, **offsets)
        return rows_of(X, weights=weights, extras=extras, intercept=self._has_intercept)

    def _refuse_offsets_of_parts(self, **options: Any) -> None:
        """Refuse offsets beside streams and collections of Dask."""

    def _check_order(
        self, X: Any, y: Any = None, sample_weight: Any = None, **options: Any
    ) -> None:
        """Refuse offsets whose index says that they are in another order than the rows."""

    def _offsets_of(self, X: Any, **options: Any) -> dict[str, Array]:
        """The offset of each row, as an extra of the rows; empty for models that have none."""
        return {}
