"""Rows with their offsets, of models that take these; residuals, covariances and derivatives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_params, refuse_other_order
from mcmodels.estimators.likelihood_methods import LikelihoodMethods
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.estimators.weighting import rows_for_sums
from mcmodels.objectives import Objective
from mcmodels.rows import Rows, RowStream, StreamedMatrix, rows_of
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import is_dask, refuse_mixed

__all__ = ["OffsetMethods", "OffsetRows"]


class OffsetRows(LikelihoodMethods):
    """Rows with their offsets, of a model that takes offsets as keywords of its methods."""

    _offset_names: tuple[str, ...] = ("offset",)

    @abstractmethod
    def _added(self, X: Any, **offsets: Any) -> Array | None:
        """What is added to the linear predictors of validated rows, checked; None for nothing."""

    @abstractmethod
    def _objective_of(self, rows: Rows) -> Objective:
        """The objective by the parameters of the estimator, over these rows."""

    def _check_order(
        self, X: Any, y: Any = None, sample_weight: Any = None, **options: Any
    ) -> None:
        rows = {"X": X, "y": y, "sample_weight": sample_weight}
        refuse_other_order(**rows, **{name: options.get(name) for name in self._offset_names})

    def _offsets_of(self, X: Any, **options: Any) -> dict[str, Array]:
        if isinstance(X, StreamedMatrix):
            extras = dict(X.extras)
        else:
            added = self._added(X, **{name: options.get(name) for name in self._offset_names})
            extras = {} if added is None else {"offset": added}
        self._refuse_missing_offset(extras)
        return extras

    def _refuse_missing_offset(self, extras: Mapping[str, Any]) -> None:
        record = self._fit
        if record is None or record.training.offset is None:
            return
        if any(value is not None for value in extras.values()):
            return
        K = len(record.training.offset.total)
        zeros = "np.zeros(n)" if K == 1 else f"np.zeros((n, {K}))"
        raise ValueError(
            f"the model was fitted with an {' or an '.join(self._offset_names)}; pass that of "
            f"these rows (offset={zeros} if there is none). In a stream it is the fourth part of "
            "each block, and scan() takes the names of the columns."
        )

    def _rows_at(self, X: Any, y: Any, sample_weight: Any, **offsets: Any) -> Rows:
        """Any rows with their offsets, for the current coefficients."""
        X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
        if isinstance(X, RowStream) and X.in_parts:
            return self._rows_in_parts(X)
        self._check_order(X, y, sample_weight, **offsets)
        X, targets, weights = self._validated(X, y, sample_weight)
        extras = self._offsets_of(X, **offsets)
        return rows_of(X, targets, weights, extras, intercept=self._has_intercept)

    def _rows_again(self, X: Any, y: Any, sample_weight: Any, **offsets: Any) -> Rows:
        """The training rows with their offsets, wherever they are; other rows are refused."""
        X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
        if isinstance(X, RowStream):
            X = X.bound_to(getattr(self, "table_columns_", None))
            X = rows_for_sums(X, self._record().weighting, again=True)
            if X.in_parts:
                rows = self._rows_in_parts(X)
                self._require_training_rows(rows)
                return rows
        X, targets, weights = self._training_rows(X, y, sample_weight, **offsets)
        extras = self._offsets_of(X, **offsets)
        return rows_of(X, targets, weights, extras, intercept=self._record().intercept)

    def _objective_on(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **offsets: Any
    ) -> Objective:
        return self._objective_of(self._rows_at(X, y, sample_weight, **offsets))

    def _residuals(self, kind: str, **given: Any) -> Any:
        """Residuals of rows, here or in collections of Dask; ``given`` are arguments by name."""
        self._record()  # raises if there is none, before any row is read
        if is_dask(given["X"]) and given["y"] is not None:
            refuse_mixed(given)
            self._refuse_missing_offset({name: given.get(name) for name in self._offset_names})
            return lazily(self, "_residuals_in_part", given, kind=kind, like=np.empty(0))
        return self._residuals_of(kind, *self._targets_and_predictors(**given))

    def _residuals_in_part(self, X: Any, *, kind: str, **given: Any) -> Any:
        """Residuals of some rows, which may all have weight 0."""
        found = self._targets_and_predictors(X, allow_all_zero=True, **given)
        return self._residuals_of(kind, *found)

    @abstractmethod
    def _residuals_of(self, kind: str, targets: Array, eta: Array, weights: Array | None) -> Array:
        """Residuals of rows of these linear predictors."""

    def _targets_and_predictors(
        self, X: Any, y: Any, sample_weight: Any, *, allow_all_zero: bool = False, **offsets: Any
    ) -> tuple[Array, Array, Array | None]:
        """Targets, linear predictors and weights of rows."""
        record = self._record()
        X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, **offsets)
        self._check_order(X, y, sample_weight, **offsets)
        X, targets, weights = self._validated(X, y, sample_weight, allow_all_zero=allow_all_zero)
        extras = self._offsets_of(X, **offsets)
        rows = rows_of(X, extras=extras, intercept=record.intercept)
        params = record.predictor_params
        return targets, rows.map(lambda block: block.linear_predictor(params)), weights


class OffsetMethods(OffsetRows):
    """Derivatives at any point, and covariances, of models with an offset.

    Methods that take the training rows need the offset of the fit, too.
    """

    def objective(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> float:
        """The objective on the given rows, penalty and weights included.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        params : array-like, the shape of ``params_``, default=None
            Parameters at which to evaluate; ``params_`` by default.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        float
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset).value(point)

    def gradient(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> Array:
        """The gradient of :meth:`objective` with respect to the parameters.

        Parameters are those of :meth:`objective`.

        Returns
        -------
        ndarray, the shape of ``params_``
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset).gradient(point)

    def hessian(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> Array:
        """The Hessian of :meth:`objective` over ``params.ravel()`` (C order).

        Parameters are those of :meth:`objective`.

        Returns
        -------
        ndarray of shape (n, n), n the number of parameters
        """
        point = self._point(params)
        return self._objective_on(X, y, sample_weight, offset=offset).hessian(point)

    def hessian_vector_product(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        params: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        vector: VectorLike,
        offset: VectorLike | None = None,
    ) -> Array:
        """The Hessian of :meth:`objective` times a vector, without forming the Hessian.

        Parameters
        ----------
        X, y, params, sample_weight, offset
            As in :meth:`objective`.
        vector : array-like, the shape of ``params_``
            The direction.

        Returns
        -------
        ndarray, the shape of ``params_``
        """
        point = self._point(params)
        direction = check_params(vector, point.shape, "vector")
        objective = self._objective_on(X, y, sample_weight, offset=offset)
        return objective.hessian_vector_product(point, direction)

    def covariance(
        self,
        X: MatrixLike | RowStream | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        kind: str | None = None,
        groups: VectorLike | None = None,
        use_correction: bool = True,
        df_correction: bool = True,
        max_lags: int | None = None,
        offset: VectorLike | None = None,
    ) -> Array:
        """Covariance of ``params_.ravel()``; with rows, under weaker assumptions than the model's.

        Parameters
        ----------
        X, y, sample_weight, kind, groups, use_correction, df_correction, max_lags
            As in :meth:`mcmodels.LinearRegression.covariance`. With more than two classes, or
            auxiliary parameters of a loss, where HC2 and HC3 are not defined, rows without a
            ``kind`` have "HC1".
        offset : array-like, default=None
            That of the fit, with rows.

        Returns
        -------
        ndarray of shape (n, n), n the size of ``params_``

        Raises
        ------
        InferenceError
            If the parameters are not determined, there is a single cluster, or a row has leverage
            one.
        ValueError
            If the rows are not the training rows.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.robust`.
        """
        options = RobustOptions(
            kind=kind,
            groups=groups,
            use_correction=use_correction,
            df_correction=df_correction,
            max_lags=max_lags,
            offset=offset,
        )
        return self._warned_estimate(X, y, sample_weight, **options)[1].covariance.copy()
