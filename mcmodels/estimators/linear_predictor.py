"""Base class of estimators with linear predictors: coefficients, intercept, predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin

from mcmodels.arrays import Array, Matrix, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_params, check_weights, refuse_other_order
from mcmodels.estimators.model import Model, coefficient_array
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parts import rows_in_parts, without_targets, without_weights
from mcmodels.estimators.streams import in_memory_but_X
from mcmodels.estimators.validation import Features, validated_rows
from mcmodels.exceptions import InferenceError
from mcmodels.rows import ArrayRows, Rows, RowStream, StreamedMatrix, rows_of

__all__ = ["LinearPredictorModel", "attributes_of", "index_of"]


class LinearPredictorModel(Model):
    """A model of ``η = Xw + b``, with ``coef_`` w and ``intercept_`` b as scikit-learn has them."""

    fit_intercept: bool
    coef_: Array
    intercept_: Any

    @property
    def params_(self) -> Array:
        """Coefficients ``coef_``, then ``intercept_`` when an intercept is fitted.

        Shape (P,) for one output, (n_outputs, P) for several.
        """
        return self._predictor_params()

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``coef_`` and ``intercept_``."""
        self._set_predictor_params(check_params(params, self.params_.shape))

    def _predictor_params(self) -> Array:
        """The parameters of the linear predictors."""
        coef, intercept = self._coefficients_of_outputs()
        params = np.column_stack([coef, intercept]) if self._has_intercept else coef.copy()
        return params[0] if self._is_single else params

    def _set_predictor_params(self, values: Array) -> None:
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

    def _unlabelled_rows(self, X: Any, sample_weight: Weights = None) -> Rows:
        """Rows without targets, with an intercept if the fit has one."""
        return self._indexed_rows(X, sample_weight)[0]

    def _indexed_rows(
        self,
        X: Any,
        sample_weight: Weights = None,
        further: Callable[[Matrix], dict[str, Array]] | None = None,
        *,
        weighted: bool = True,
        **offsets: Any,
    ) -> tuple[Rows, pd.Index | None]:
        """Rows without targets and their index, with an intercept if the fit has one.

        ``further`` makes more values of each row, of the validated features. Without ``weighted``
        no row is left out, whatever weight it has in a stream. Rows that are elsewhere have no
        index.
        """
        self._check_has_coefficients()
        X, _, sample_weight, _, offsets = with_offsets(X, None, sample_weight, **offsets)
        if isinstance(X, RowStream) and X.in_parts:
            prepare = without_targets if weighted else without_weights
            return rows_in_parts(self, X, prepare, intercept=self._has_intercept), None
        index = index_of(X)
        refuse_other_order(X=X, sample_weight=sample_weight)
        self._check_order(X, **offsets)
        X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
        index = index_of(X) if index is None else index
        X = validated_rows(self, X)
        weights = check_weights(sample_weight, X) if weighted else None
        extras = self._offsets_of(X, **offsets)
        if further is not None:
            extras |= further(X)
        rows = rows_of(X, weights=weights, extras=extras, intercept=self._has_intercept)
        return rows, index


def attributes_of(params: Array, features: Features, *, intercept: bool) -> dict[str, Any]:
    """The attributes that predictions of one linear predictor are made with."""
    published = {
        "coef_": params[: features.n_features].copy(),
        "intercept_": float(params[-1]) if intercept else 0.0,
    }
    return published | features.attributes


def index_of(X: object) -> pd.Index | None:
    """The index of a data frame, or of a stream of them; None for anything else."""
    return X.index if isinstance(X, pd.DataFrame | StreamedMatrix) else None
