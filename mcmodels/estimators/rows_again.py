"""Reads the training rows of a fit again, for covariances and tests; other rows are refused."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    refuse_other_order,
    refuse_unknown_keywords,
)
from mcmodels.estimators.lags import check_lags, refuse_rows_without_order
from mcmodels.estimators.linear_predictor import LinearPredictorModel
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parts import clusters_of_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.estimators.weighting import rows_for_sums
from mcmodels.inference.robust import CLUSTER_KINDS, HC_KINDS, ClusterCodes
from mcmodels.objectives import Objective
from mcmodels.records.covariance_kind import CovarianceKind
from mcmodels.records.record import ParameterFit
from mcmodels.rows import Rows, RowStream, rows_of
from mcmodels.tables.dask_stream import is_dask

__all__ = ["RowsAgain"]


class RowsAgain(LinearPredictorModel):
    """The rows of a fit, passed again, with what a kind of covariance needs of them."""

    # The options of a covariance, and its kinds.
    _options: tuple[str, ...] = ("kind", "groups", "use_correction", "df_correction", "max_lags")
    _kinds: tuple[str, ...] = ("nonrobust", *HC_KINDS, "cluster", "HAC")
    # Whether the loss is the squared error, so that sums of y and of y² are all that a fit needs.
    _is_quadratic = False

    @property
    def _default_kind(self) -> str:
        """The kind of covariance if rows are passed without ``kind``."""
        return "HC3"

    @abstractmethod
    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **options: Any
    ) -> tuple[Matrix, Values, Array | None]:
        """X, the targets in the form that the objective needs, and weights; checked.

        Options are those of :func:`mcmodels.estimators.streams.checked_rows`.
        """

    @abstractmethod
    def _objective_of_fit(self, rows: Rows) -> Objective:
        """The objective that the fit has minimised, over these rows."""

    def _robust_rows(
        self,
        X: MatrixLike | None,
        y: VectorLike | None,
        sample_weight: Weights,
        **options: Any,
    ) -> tuple[Rows | None, CovarianceKind]:
        """The training rows with their clusters, and the kind of covariance that was asked for.

        None without rows, where none are needed.
        """
        refuse_unknown_keywords(options, (*self._options, *self._offset_names))
        record: ParameterFit = self._record()
        kind, groups = options.get("kind"), options.get("groups")
        correct, of_df = options.get("use_correction", True), options.get("df_correction", True)
        check_flag("use_correction", correct)
        check_flag("df_correction", of_df)
        offsets = {name: options[name] for name in self._offset_names if name in options}
        given = (X, y, sample_weight, *offsets.values())
        has_rows = any(value is not None for value in given)
        if kind is None:
            default = self._default_kind if record.weighting.has_likelihood else "HC1"
            kind = default if has_rows else "nonrobust"
        elif isinstance(kind, str) and kind in ("nonrobust", "expected"):
            record.weighting.refuse_model_covariance(kind)
        check_choice("kind", kind, self._kinds)
        clustered = kind in CLUSTER_KINDS
        lags = check_lags(kind, options.get("max_lags"))
        robust = CovarianceKind(kind, (), correct, of_df, lags)
        if is_dask(groups) and not clustered:
            raise ValueError(f"groups was given, but kind={kind!r}; pass kind='cluster'.")
        if kind == "HAC":
            refuse_rows_without_order(X)
        X, y, sample_weight, groups, offsets = with_offsets(X, y, sample_weight, groups, **offsets)
        if isinstance(X, RowStream):
            X = X.bound_to(getattr(self, "table_columns_", None))
            if kind != "HAC" and groups is None:  # distinct rows have another order than groups
                of = record.weighting
                X = rows_for_sums(X, of, quadratic=self._is_quadratic, again=True)
            if X.in_parts:
                if groups is not None:
                    raise ValueError(
                        "groups was given as an array beside a table that is read in parts; name "
                        "the column of the table that has them, as in scan(..., groups='firm')."
                    )
                return self._robust_rows_in_parts(X, robust)
            if groups is None and clustered:
                groups = X.group_labels()
        if (groups is not None) != clustered:
            raise ValueError(
                f"kind={kind!r} needs groups, the cluster of each row."
                if groups is None
                else f"groups was given, but kind={kind!r}; pass kind='cluster'."
            )
        if not has_rows and kind == "nonrobust":
            return None, robust
        if X is None or (y is None and not isinstance(X, RowStream)):
            raise ValueError(
                f"kind={kind!r} reads the training rows again; pass X and y (and sample_weight, "
                "if the fit had one)."
            )
        _ = record.model  # raises if there is no covariance, before any row is read
        refuse_masked("groups", groups)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, groups=groups)
        X, targets, weights = self._training_rows(X, y, sample_weight, **offsets)
        extras: dict[str, Any] = dict(self._offsets_of(X, **offsets))
        refuse_other_order(X=X, groups=groups)  # the index of a stream is known now
        if clustered:
            clusters = ClusterCodes.of(groups, weights, X.shape[0])
            robust, extras["groups"] = replace(robust, counts=clusters.counts), clusters.codes
        return rows_of(X, targets, weights, extras, intercept=record.intercept), robust

    def _robust_rows_in_parts(
        self, stream: RowStream, robust: CovarianceKind
    ) -> tuple[Rows, CovarianceKind]:
        """The same of rows in parts, none of which comes here."""
        _ = self._record().model  # raises if there is no covariance, before any row is read
        clustered = robust.kind in CLUSTER_KINDS
        if clustered and not stream.has_groups:
            raise ValueError(f"kind={robust.kind!r} needs groups, the cluster of each row.")
        extras_of = None
        if clustered:
            counts, extras_of = clusters_of_parts(stream)
            robust = replace(robust, counts=counts)
        rows = self._rows_in_parts(stream, extras_of)
        self._require_training_rows(rows)
        return rows, robust

    @abstractmethod
    def _rows_in_parts(self, stream: RowStream, extras_of: ExtrasOfPart | None = None) -> Rows:
        """Rows of a stream in parts, with targets and weights as the objective needs them."""

    def _training_rows(
        self,
        X: MatrixLike,
        y: VectorLike | None,
        sample_weight: Weights,
        **offsets: Any,
    ) -> tuple[Matrix, Values, Array | None]:
        """X, targets and weights; refused if they are not the training rows."""
        record: ParameterFit = self._record()
        self._check_order(X, y, sample_weight, **offsets)
        X, targets, weights = self._validated(X, y, sample_weight)
        extras = self._offsets_of(X, **offsets)
        rows = rows_of(X, targets, weights, extras, intercept=record.intercept)
        self._require_training_rows(rows)
        return X, targets, weights

    def _require_training_rows(self, rows: Rows) -> None:
        """Refuse rows that are not the training rows."""
        self._record().require_training_rows(rows, self._objective_of_fit(rows))
