"""Inference on the parameters of a linear predictor: covariance, tests, intervals."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import pandas as pd

from mcmodels.arrays import Array, Matrix, MatrixLike, Values, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    refuse_other_order,
    refuse_unknown_keywords,
)
from mcmodels.estimators.lags import check_lags, refuse_rows_without_order
from mcmodels.estimators.linear_predictor import LinearPredictorModel, index_of
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parts import clusters_of_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart
from mcmodels.estimators.weighting import rows_for_sums
from mcmodels.inference.delta import DeltaMethod
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.inference.hypotheses import HypothesisTest, wald_test
from mcmodels.inference.robust import CLUSTER_KINDS, HC_KINDS, ClusterCodes
from mcmodels.objectives import Objective
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.records.covariance_kind import CovarianceKind
from mcmodels.records.record import ParameterFit
from mcmodels.rows import Rows, RowStream, rows_of
from mcmodels.tables.dask_stream import is_dask

__all__ = ["ParameterMethods", "RobustOptions", "index_of", "output_table"]


class RobustOptions(TypedDict, total=False):
    """Options of the covariance; see :meth:`ParameterMethods.covariance`.

    The last two are of models that take them, for the training rows.
    """

    kind: str | None
    groups: VectorLike | None
    use_correction: bool
    df_correction: bool
    max_lags: int | None
    offset: VectorLike | None
    exposure: VectorLike | None


class ParameterMethods(LinearPredictorModel):
    """Standard errors, tests and intervals of the parameters, from the curvature of the fit.

    Results that need no rows are available after every fit, also after ``partial_fit`` and
    unpickling. Robust covariances need the training rows: pass them again. Every method has the
    same default: without rows the covariance of the model, with rows the robust one of
    :meth:`covariance`.
    """

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

    gradient_ = Fitted("gradient", "Gradient of the objective at ``params_``.")
    hessian_ = Fitted("hessian", "Hessian of the objective over ``params_.ravel()``.")
    status_ = Fitted("status_text", "How the solver ended.", describes_coefficients=False)
    solver_ = Fitted("method", "The algorithm that was used.", describes_coefficients=False)
    log_likelihood_ = Fitted(
        "log_likelihood",
        "Log-likelihood at ``params_``, without the penalty; a linear fit assumes normal noise.",
    )
    n_observations_ = Fitted(
        "n_observations",
        "Number of observations: ``Σ wᵢ`` where weights count rows, else the number of rows of "
        "positive weight.",
    )
    n_free_params_ = Fitted(
        "n_free_params",
        "Number of parameters that the data determine, without the variance of the noise.",
    )
    aic_ = Fitted(
        "aic", "Akaike's criterion ``-2ℓ + 2k`` with k = ``n_free_params_`` (Akaike 1974)."
    )
    bic_ = Fitted("bic", "Schwarz's criterion ``-2ℓ + k log n`` (Schwarz 1978).")
    covariance_ = Fitted(
        "covariance",
        "Covariance of ``params_.ravel()`` if the model is right, or HC1 with "
        "``weights='probability'``; see docs/inference.md.",
    )
    standard_errors_ = Fitted("standard_errors", "Standard errors of ``params_``, in its shape.")

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
    ) -> Array:
        """Covariance of ``params_.ravel()``; with rows, under weaker assumptions than the model's.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream, default=None
            The training rows; a stream also holds y and the weights. None: the result is
            ``covariance_``.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        kind : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "CR2", "HAC"}, default=None
            "HC0" to "HC3" are valid under unequal variances, "cluster" also under dependence
            within groups, "HAC" also under serial correlation of rows in the order of time,
            "nonrobust" if the model is right. "CR2" is "cluster" for few clusters: residuals are
            adjusted for their leverage, and each coefficient has its own degrees of freedom; linear
            fits of one target have it. None: "nonrobust" without rows, and "HC3" with them; with
            more than two classes, where HC3 is not defined, "HC1". With ``weights="probability"``
            it is "HC1" in both cases, and "nonrobust" is refused.
        groups : array-like of shape (n_samples,) or (n_samples, 2), default=None
            The cluster of each row, in one grouping or in two ("CR2": one).
        use_correction : bool, default=True
            Whether cluster covariances are multiplied by ``G/(G-1) · (n-1)/(n-P)``, the
            small-sample correction of Stata's ``regress, vce(cluster)``, and "HAC" by
            ``n/(n-P)``. The name is that of statsmodels. For logistic fits statsmodels uses the
            same factor, Stata ``G/(G-1)``. "CR2" has no such factor.
        df_correction : bool, default=True
            Whether tests and intervals of a linear fit with clusters use the t distribution with
            G - 1 degrees of freedom, as in Stata and statsmodels, instead of n - P. "CR2" has
            Satterthwaite's degrees of freedom.
        max_lags : int, default=None
            Lags of ``kind="HAC"``: rows further apart are taken as uncorrelated.

        Returns
        -------
        ndarray of shape (n, n), n = params_.size
            Rows and columns of parameters that the data do not determine are NaN.

        Raises
        ------
        InferenceError
            If there is no minimum or maximum, there is a single cluster, or a row has leverage
            one.
        ValueError
            If the rows are not the training rows.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.robust`,
        :mod:`mcmodels.inference.bias_reduced` and :mod:`mcmodels.inference.serial`.
        """
        options = RobustOptions(
            kind=kind,
            groups=groups,
            use_correction=use_correction,
            df_correction=df_correction,
            max_lags=max_lags,
        )
        return self._warned_estimate(X, y, sample_weight, **options)[1].covariance.copy()

    def confidence_intervals(
        self,
        level: float = 0.95,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        reference: object = None,
        **robust: Unpack[RobustOptions],
    ) -> pd.DataFrame:
        """Intervals that cover each parameter with probability ``level``.

        Parameters
        ----------
        level : float, default=0.95
            Probability that an interval covers its parameter, in (0, 1).
        X, y, sample_weight
            The training rows, for a robust covariance.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.
        """
        check_level(level)  # before X and y, which somebody may have passed first
        estimate = self._reported(X, y, sample_weight, reference, robust)
        return pd.DataFrame(
            estimate.intervals(level), index=list(estimate.names), columns=["lower", "upper"]
        )

    def wald_test(
        self,
        restrictions: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        reference: object = None,
        **robust: Unpack[RobustOptions],
    ) -> HypothesisTest:
        """Test linear restrictions on the parameters.

        Parameters
        ----------
        restrictions : str, array-like of shape (r, n_params) or pair (R, q)
            Text such as ``"income = 0, age = 2*tenure"``, or R and q of ``Rθ = q``. In the text,
            features have their names, and ``intercept`` is the intercept. Write names that are not
            plain words in backticks; ``sex[T.m]``, ``a:b`` and ``log(x)`` need none. With several
            targets or classes, write ``target:name`` or ``class:name``.
        X, y, sample_weight
            The training rows, for a robust covariance.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        HypothesisTest
            An F test for a linear model, else a χ² test.
        """
        return wald_test(self._reported(X, y, sample_weight, reference, robust), restrictions)

    def delta_method(
        self,
        g: Any,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        **robust: Unpack[RobustOptions],
    ) -> DeltaMethod:
        """A smooth function of the parameters, with its standard error.

        Parameters
        ----------
        g : callable
            Takes an array with the shape of ``params_``; returns a number or an array.
        X, y, sample_weight
            The training rows, for a robust covariance.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and the offset of
            the fit, for models that take one.

        Returns
        -------
        DeltaMethod
            With ``estimate``, ``standard_error``, ``covariance`` and ``interval(level)``.
        """
        record, estimate = self._warned_estimate(X, y, sample_weight, **robust)
        return record.delta_method(g, estimate)

    def _warned_estimate(self, *rows: Any, **options: Any) -> tuple[Any, Estimate]:
        """As :meth:`_estimate`, with a warning where the residuals are rounding errors."""
        record, estimate = self._estimate(*rows, **options)
        record.warn_of_perfect_fit()
        return record, estimate

    def _estimate(
        self,
        X: MatrixLike | None,
        y: VectorLike | None,
        sample_weight: Weights,
        **options: Any,
    ) -> tuple[Any, Estimate]:
        """The record of the fit, and the parameters with the covariance that was asked for."""
        record: ParameterFit = self._record()
        rows, robust = self._robust_rows(X, y, sample_weight, **options)
        if rows is None and options.get("kind") is None:
            return record, record.estimate
        if rows is None or robust.kind == "nonrobust":
            return record, record.fitted_estimate
        return record, record.robust_estimate(rows, robust, self._loss_of_user())

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
            if kind != "HAC":
                of = record.weighting
                X = rows_for_sums(X, of, quadratic=self._is_quadratic, again=True)
            if X.in_parts:
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

    def _reported(
        self,
        X: MatrixLike | None,
        y: VectorLike | None,
        sample_weight: Weights,
        reference: object,
        robust: RobustOptions,
    ) -> Estimate:
        record, estimate = self._warned_estimate(X, y, sample_weight, **robust)
        return record.reported(estimate, reference)

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

    # The options of a covariance, and its kinds.
    _options: tuple[str, ...] = ("kind", "groups", "use_correction", "df_correction", "max_lags")
    _kinds: tuple[str, ...] = ("nonrobust", *HC_KINDS, "cluster", "HAC")
    # Whether the loss is the squared error, so that sums of y and of y² are all that a fit needs.
    _is_quadratic = False

    @property
    def _default_kind(self) -> str:
        """The kind of covariance if rows are passed without ``kind``."""
        return "HC3"

    def _loss_of_user(self) -> UserLoss | None:
        return None


def output_table(
    values: Array, columns: list[str], outputs: Any, level: str, index: pd.Index | None
) -> pd.DataFrame:
    """Table of values of shape (n_rows, n_outputs, n_columns).

    With several outputs the columns have two levels: the output, whose level has the name
    ``level``, and the column.
    """
    if values.shape[1] == 1:
        return pd.DataFrame(values[:, 0], columns=columns, index=index)
    levels = pd.MultiIndex.from_product([outputs, columns], names=[level, None])
    return pd.DataFrame(values.reshape(len(values), -1), columns=levels, index=index)
