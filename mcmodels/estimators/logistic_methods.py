"""Inference of LogisticRegression: likelihood, tests, intervals, marginal effects, influence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Labels, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_flag,
    check_weights,
    finite_numbers,
    refuse_other_order,
)
from mcmodels.estimators.class_likelihood import ClassLikelihoodMethods
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.offsets import with_rows
from mcmodels.estimators.parameter_methods import RobustOptions, index_of, output_table
from mcmodels.estimators.streams import in_memory_but_X, of_blocks
from mcmodels.inference.diagnostics import score_test
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.influence import (
    deviance_residual,
    logistic_influence,
    logistic_influence_of_no_rows,
    pearson_residual,
)
from mcmodels.inference.marginal_effects import At, marginal_effects
from mcmodels.inference.probability_intervals import probability_intervals
from mcmodels.inference.responses import ClassProbabilities
from mcmodels.inference.summary import Summary
from mcmodels.results.logistic import LogisticFit
from mcmodels.rows import PartOfStream, RowStream, rows_of
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import as_stream, in_parts, is_dask, refuse_parts

__all__ = ["LogisticMethods"]


class LogisticMethods(ClassLikelihoodMethods):
    """Inference of LogisticRegression, from the inverse Hessian of the objective.

    Formulas and sources are in :mod:`mcmodels.inference.logistic_model`.
    """

    classes_: Labels

    objective_ = Fitted("objective", "The objective at ``params_``, on the training rows.")
    converged_ = Fitted(
        "converged",
        "Whether the tolerance was met at a finite optimum.",
        describes_coefficients=False,
    )
    n_iter_ = Fitted("n_iter_array", "Number of Newton steps.", describes_coefficients=False)
    null_log_likelihood_ = Fitted(
        "null_log_likelihood",
        "Log-likelihood of the model with an intercept only: the shares of the classes, or what is "
        "best beside the offset of the fit.",
    )
    mcfadden_r_squared_ = Fitted(
        "mcfadden_r_squared", "``1 - ℓ/ℓ₀``, with ℓ₀ the null log-likelihood."
    )
    likelihood_ratio_test_ = Fitted(
        "likelihood_ratio_test",
        "Likelihood-ratio test that every slope is zero.",
    )

    def summary(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        reference: object = None,
        p_values: bool | None = None,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals, and measures of fit.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust covariance.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        p_values : bool, default=None
            Whether to print tests. By default only for fits without a penalty: a penalty shrinks
            coefficients towards zero, and p-values from the normal distribution are then wrong.
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
        return record.summary(estimate, level, reference, p_values)

    @property
    def _default_kind(self) -> str:
        """HC3; with more than two classes, where it is not defined, HC1."""
        return "HC3" if len(self._unchecked_record().classes) == 2 else "HC1"

    @with_rows
    @of_blocks
    def predict_interval(
        self, X: MatrixLike, level: float = 0.95, *, offset: VectorLike | None = None
    ) -> pd.DataFrame:
        """Probabilities of the classes with intervals, computed for log-odds and transformed back.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        DataFrame
            Columns probability, standard_error (delta method), lower, upper of the second class.
            With more than two classes, the columns have two levels: the class, and these names.
        """
        record: LogisticFit = self._record()
        rows = self._unlabelled_rows(X, offset=offset)
        values = probability_intervals(record.model, rows, record.estimate.quantile(level))
        columns = ["probability", "standard_error", "lower", "upper"]
        return output_table(values, columns, record.classes, "class", index_of(X))

    def marginal_effects(
        self,
        X: MatrixLike,
        *,
        at: At = "average",
        discrete: bool = True,
        level: float = 0.95,
        sample_weight: Weights = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """How the probability changes with each feature, the others held constant.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows at which (or at whose means) the effects are computed.
        at : {"average", "means", "rows"}, default="average"
            "average": the mean of the effects at the rows. "means": the effect at the means of the
            features, and of the offset. "rows": the effect at every row, without intervals.
        discrete : bool, default=True
            Whether the effect of a feature that is 0 or 1 in every row is the difference between
            the probabilities at 1 and at 0. Otherwise it is a derivative.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in means; not for ``at="rows"``.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        DataFrame
            One row for each feature (with more than two classes, for each class and feature).
            Columns coefficient (the effect), standard_error (delta method), z, p_value, lower and
            upper. With ``at="rows"``, one row for each row of X and one column for each feature.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.marginal_effects`.
        """
        check_choice("at", at, ("average", "means", "rows"))
        check_flag("discrete", discrete)
        record: LogisticFit = self._record()
        if at == "rows" and sample_weight is not None:
            raise ValueError(
                "at='rows' takes no mean, so that sample_weight has no effect; leave it out."
            )
        names, index = record.names, index_of(X)
        self._check_order(X, offset=offset)
        if in_parts(X, None, sample_weight) is None:
            X, _, sample_weight = in_memory_but_X(self, X, None, sample_weight)
            index = index_of(X) if index is None else index
        elif at == "rows":
            refuse_parts("marginal_effects(at='rows')", X)
        weights = None if at == "rows" else sample_weight
        rows = self._unlabelled_rows(X, weights, offset=offset)
        check_flag("discrete", discrete)
        found = marginal_effects(record.model, ClassProbabilities(), rows, at=at, discrete=discrete)
        if len(record.classes) > 2:
            names = tuple(f"{label}:{name}" for label in record.classes for name in names)
        if not isinstance(found, Estimate):
            return pd.DataFrame(found, columns=list(names), index=index)
        return replace(found, names=names).table(level, p_values=not record.penalty)

    def residuals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        *,
        kind: Literal["deviance", "pearson"] = "deviance",
        offset: VectorLike | None = None,
    ) -> Array:
        """Residuals of rows, for two classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their labels.
        kind : {"deviance", "pearson"}, default="deviance"
            ``±√(-2 log p(y))``, whose squares sum to the deviance; or ``(y - p)/√(p(1 - p))``.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_choice("kind", kind, ("deviance", "pearson"))
        record: LogisticFit = self._record()
        record.refuse_several_classes("residuals")
        self._check_order(X, offset=offset)
        if is_dask(X) and y is not None:
            return lazily(self, "residuals", {"X": X, "y": y}, kind=kind, like=np.empty(0))
        X, codes, _ = self._validated(X, y, None)
        of = deviance_residual if kind == "deviance" else pearson_residual
        extras = self._offsets_of(X, offset=offset)
        rows = rows_of(X, codes, extras=extras, intercept=record.intercept)
        return rows.map(lambda block: of(block.y, block.linear_predictor(record.params)))

    def influence(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """How much each training row changes the fit, by one Newton step; for two classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,), default=None
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each training row, with the index of X. Columns leverage, pearson_residual,
            deviance_residual, standardized_residual (Pearson's, divided by ``√(1 - h)``),
            cooks_distance, and dfbetas_<name> for each parameter.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`.
        """
        record: LogisticFit = self._record()
        names, index = record.model.names, index_of(X)
        record.refuse_several_classes("influence")
        _ = record.model.whitening  # raises if there is none, before any row is read
        self._check_order(X, offset=offset)
        stream = in_parts(X, y, sample_weight)
        if is_dask(X) and stream is not None:
            self._require_training_rows(self._rows_in_parts(stream))
            given = {"X": X, "y": y, "sample_weight": sample_weight}
            like = logistic_influence_of_no_rows(names)
            return lazily(self, "_influence_in_part", given, like=like)
        X, codes, weights = self._training_rows(X, y, sample_weight, offset=offset)
        index = index_of(X) if index is None else index
        return self._influence_of(X, codes, weights, index, self._offsets_of(X, offset=offset))

    def _influence_in_part(self, X: MatrixLike, y: VectorLike, sample_weight: Weights) -> Any:
        """Influence of some of the training rows, which may all have weight 0."""
        rows, codes, factors = self._validated(X, y, None)
        weights = check_weights(sample_weight, rows, allow_all_zero=True)
        if factors is not None:  # those of the classes
            weights = factors if weights is None else weights * factors
        return self._influence_of(rows, codes, weights, index_of(X), {})

    def _influence_of(
        self,
        X: Matrix,
        codes: Values,
        weights: Array | None,
        index: pd.Index | None,
        offsets: dict[str, Array],
    ) -> pd.DataFrame:
        record: LogisticFit = self._record()
        model = record.model
        extras = offsets if weights is None else offsets | {"frequency": weights}
        rows = rows_of(X, codes, extras=extras, intercept=record.intercept)
        return logistic_influence(model.whitening, rows, record.params, model.names, index)

    def score_test(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        candidate: Any = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> HypothesisTest:
        """Score test whether a further column has an effect, without refitting.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows; a stream also holds y and the weights.
        y : array-like of shape (n_samples,), default=None
            Their labels; two classes.
        candidate : array-like of shape (n_samples,) or (n_samples, q)
            The column, or several columns to be tested together.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        HypothesisTest
            A χ² test with q degrees of freedom.
        """
        record: LogisticFit = self._record()
        model = record.model
        model.refuse_penalised("a score test")
        record.refuse_several_classes("score_test")
        if candidate is None:
            raise ValueError("candidate is None; pass the column that is tested.")
        series = getattr(candidate, "ndim", 0) == 1 and hasattr(candidate, "index")
        named = series and candidate.name is not None
        name = str(candidate.name) if named else "the candidate"
        self._check_order(X, offset=offset)
        if is_dask(X) or is_dask(candidate):
            stream, *_ = as_stream(X, y, sample_weight, candidate, "candidate")
            rows = self._rows_in_parts(stream, _candidates_of)
            self._require_training_rows(rows)
            return score_test(model.whitening, rows, record.params, name)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, candidate=candidate)
        X, codes, weights = self._training_rows(X, y, sample_weight, offset=offset)
        refuse_other_order(X=X, candidate=candidate)  # the index of a stream is known now
        columns = finite_numbers("candidate", candidate)
        if columns.ndim == 0 or len(columns) != X.shape[0]:
            raise ValueError(
                f"candidate has shape {columns.shape}; it needs one value for each of the "
                f"{X.shape[0]} rows."
            )
        extras = {"candidate": columns.reshape(len(columns), -1)}
        extras |= self._offsets_of(X, offset=offset)
        rows = rows_of(X, codes, weights, extras, intercept=record.intercept)
        return score_test(model.whitening, rows, record.params, name)


def _candidates_of(part: PartOfStream) -> dict[str, Array]:
    """The candidates of the rows of a part, which stand where clusters do."""
    count = sum(X.shape[0] for _, (X, *_) in part.nonempty())
    try:
        columns = finite_numbers("candidate", part.group_labels())
        if columns.ndim == 0 or len(columns) != count:
            raise ValueError(f"candidate has shape {columns.shape}, and there are {count} rows.")
    except ValueError as error:
        raise ValueError(f"partition {part.number}: {error}") from error
    return {"candidate": columns.reshape(count, -1)}
