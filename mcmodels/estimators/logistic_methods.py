"""Inference of LogisticRegression: likelihood, tests, intervals, marginal effects, influence."""

from __future__ import annotations

from typing import Any, Literal, Unpack

import pandas as pd

from mcmodels.arrays import Array, Labels, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, finite_numbers, refuse_other_order
from mcmodels.estimators.class_likelihood import ClassLikelihoodMethods
from mcmodels.estimators.effect_methods import EffectMethods
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parameter_methods import RobustOptions, output_table
from mcmodels.estimators.streams import of_blocks
from mcmodels.estimators.tuned_attributes import TunedAttributes
from mcmodels.inference.diagnostics import score_test
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.influence import (
    RESIDUAL_MEASURES,
    deviance_residual,
    logistic_influence,
    pearson_residual,
)
from mcmodels.inference.marginal_effects import At
from mcmodels.inference.probability_intervals import probability_intervals
from mcmodels.inference.responses import ClassProbabilities
from mcmodels.inference.summary import Summary
from mcmodels.records.logistic import LogisticFit
from mcmodels.rows import PartOfStream, Rows, RowStream, rows_of
from mcmodels.tables.dask_stream import is_dask

__all__ = ["LogisticMethods"]


class LogisticMethods(TunedAttributes, EffectMethods, ClassLikelihoodMethods):
    """Inference of LogisticRegression, from the inverse Hessian of the objective.

    Formulas and sources are in :mod:`mcmodels.inference.logistic_model`.
    """

    classes_: Labels

    _influence_measures = RESIDUAL_MEASURES

    C_ = Fitted("C", "C as it was given or chosen; of groups of columns a dict by their names.")
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
        exponentiate: bool = False,
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
        exponentiate : bool, default=False
            Whether to show exp of the coefficients and of the ends of their intervals: odds ratios,
            with more than two classes relative risk ratios. Standard errors are then by the delta
            method, and tests those of the coefficients.
        **robust
            Options of :meth:`covariance`: ``kind``, ``groups``, ``max_lags``, …; and ``offset``.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        options: dict[str, Any] = {"level": level, "p_values": p_values, "reference": reference}
        return self._summary((X, y, sample_weight), robust, exponentiate, **options)

    @property
    def _default_kind(self) -> str:
        """HC3; with more than two classes, where it is not defined, HC1."""
        return "HC3" if len(self._unchecked_record().classes) == 2 else "HC1"

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
        rows, index = self._indexed_rows(X, offset=offset)
        values = probability_intervals(record.model, rows, record.estimate.quantile(level))
        columns = ["probability", "standard_error", "lower", "upper"]
        return output_table(values, columns, record.classes, "class", index)

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
            upper. With ``at="rows"``, one row for each row of X and one column for each feature; of
            collections of Dask they are computed when they are asked for.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.marginal_effects`.
        ``results(model).marginal_effects`` takes a robust covariance, values and groups; see
        :func:`mcmodels.results`.
        """
        return self._marginal_effects(X, at, discrete, level, sample_weight, {"offset": offset})

    def _response(self) -> ClassProbabilities:
        return ClassProbabilities()

    def _names_of_effects(self) -> tuple[str, ...]:
        record: LogisticFit = self._record()
        if len(record.classes) == 2:
            return record.names
        return tuple(f"{label}:{name}" for label in record.classes for name in record.names)

    def residuals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        *,
        kind: Literal["deviance", "pearson"] = "deviance",
        sample_weight: Weights = None,
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
        sample_weight : array-like of shape (n_samples,), default=None
            Where weights are precisions, residuals are multiplied by their roots, as in R; other
            weights change none.
        offset : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_choice("kind", kind, ("deviance", "pearson"))
        record: LogisticFit = self._record()
        record.refuse_several_classes("residuals")
        return self._residuals(kind, X=X, y=y, sample_weight=sample_weight, offset=offset)

    def _residuals_of(self, kind: str, targets: Array, eta: Array, weights: Array | None) -> Array:
        of = deviance_residual if kind == "deviance" else pearson_residual
        return self._record().weighting.residuals(of(targets, eta), weights)

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
            One row for each training row, with the index of X; of collections of Dask it is
            computed when it is asked for. Columns leverage, pearson_residual and deviance_residual
            (times the root of the weight), standardized_residual (Pearson's, divided by
            ``√(1 - h)``), cooks_distance, and dfbetas_<name> for each parameter.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`. With
        ``weights="probability"`` residuals and errors are those of weights that sum to n.
        """
        self._record().refuse_several_classes("influence")
        return self._influence(X=X, y=y, sample_weight=sample_weight, offset=offset)

    def _influence_of(self, rows: Rows, index: pd.Index | None, scale: float) -> pd.DataFrame:
        record: LogisticFit = self._record()
        model, unit = record.model, record.unit_weight
        return logistic_influence(model.whitening, rows, record.params, unit, model.names, index)

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
        record.weighting.refuse_without_likelihood("a score test")
        model.refuse_penalised("a score test")
        record.refuse_several_classes("score_test")
        if candidate is None:
            raise ValueError("candidate is None; pass the column that is tested.")
        series = getattr(candidate, "ndim", 0) == 1 and hasattr(candidate, "index")
        named = series and candidate.name is not None
        name = str(candidate.name) if named else "the candidate"
        if is_dask(X) or is_dask(candidate):
            rest = (y, sample_weight, candidate, "candidate")
            stream, *_ = with_offsets(X, *rest, offset=offset)
            rows = self._rows_in_parts(stream, _candidates_of)
            self._require_training_rows(rows)
            return score_test(model.whitening, rows, record.params, name)
        X, y, sample_weight, _, offsets = with_offsets(X, y, sample_weight, offset=offset)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, candidate=candidate)
        X, codes, weights = self._training_rows(X, y, sample_weight, **offsets)
        refuse_other_order(X=X, candidate=candidate)  # the index of a stream is known now
        columns = finite_numbers("candidate", candidate)
        if columns.ndim == 0 or len(columns) != X.shape[0]:
            raise ValueError(
                f"candidate has shape {columns.shape}; it needs one value for each of the "
                f"{X.shape[0]} rows."
            )
        extras = {"candidate": columns.reshape(len(columns), -1)}
        extras |= self._offsets_of(X, **offsets)
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
