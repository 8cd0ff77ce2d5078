"""Intervals and sets of predictions that cover without a distribution, by fits without each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from mcmodels.arrays import Array, Codes, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, check_flag
from mcmodels.estimators.glm_methods import GlmMethods
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.families import Binomial
from mcmodels.resampling.new_row_tables import NewRowTable
from mcmodels.resampling.new_rows import IntervalsOfRows, SetsOfRows, Without
from mcmodels.resampling.outcomes import Means, Strangeness
from mcmodels.resampling.refitted_models import (
    IntervalsByModels,
    SetsByModels,
    TableByModels,
    compared,
    residuals_of,
    strangeness,
)
from mcmodels.resampling.training_fit import TrainingFit
from mcmodels.reweighting.compared_rows import ComparedRows
from mcmodels.reweighting.conformal import of_observed, residual_strangeness
from mcmodels.reweighting.whitened_fit import weights_of
from mcmodels.rows import RowStream

__all__ = ["Conformal"]


class Conformal:
    """Intervals and sets of the result of ``leave_one_out``.

    Formulas and sources are in :mod:`mcmodels.reweighting.conformal`.
    """

    training: TrainingFit | None
    codes: Codes
    eta: Array | None
    y: Any
    predictions: Array
    classes: Any
    weights: Array
    weighting: Any
    model: Any
    refitted: Any
    route: Any

    @property
    def steps(self) -> Array:
        """Changes of the fit without each unit, shape (m, R)."""
        raise NotImplementedError

    def predict_interval(
        self,
        X_new: MatrixLike | RowStream,
        level: float = 0.95,
        *,
        residuals: str = "pearson",
        sample_weight: Weights = None,
        offset: VectorLike | None = None,
        exposure: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Intervals of new observations that cover whatever their distribution is: jackknife+.

        With folds as groups, of which each is left out, this is CV+.

        Parameters
        ----------
        X_new : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features of new rows.
        level : float, default=0.95
            1 - α, in (0, 1).
        residuals : {"pearson", "response"}, default="pearson"
            By which residuals rows are compared. "pearson": ``|y - μ|/√V(μ)``, V the variance
            function of the family; intervals of counts are then wider where their mean is larger.
            V is one for linear models and losses of your own. "response": ``|y - μ|``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the new rows. Where the fit had ``weights="precision"``, their precisions, by
            default one. With ``"probability"`` required: the weight that each row would have had in
            the sample. With ``"frequency"`` refused.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``; required if the model was fitted with one of them.

        Returns
        -------
        DataFrame
            Columns prediction (by the fit of all rows), lower, upper; it has the index of X_new.
            With several targets the columns have two levels: the target, and these names. Ends are
            infinite where there are too few rows for the level; in the range of the family.

        Raises
        ------
        InferenceError
            For classifiers; where the model was fitted again after ``leave_one_out``; for
            proportions with trials as frequencies; for new rows that are not in memory, of models
            that ``leave_one_out`` has fitted again without each row.

        Warns
        -----
        FewRowsWarning
            When there are fewer than ``level/(1 - level)`` rows whose fits are determined.
        NoMeanWarning
            When a new row has no mean of the family; its prediction is NaN.
        PerfectFitWarning
            When residuals are rounding errors, and so the widths.

        Notes
        -----
        If the training rows and a new one are exchangeable, the interval covers its target with
        probability ``1 - 2α`` at least, whether the model is right or wrong, and in nearly all
        applications with about ``1 - α`` (Barber and others 2021, theorem 1; for m folds of equal
        size theorem 4 has ``1 - 2α - √(2/n)``). This is a probability over training and new rows
        together, not one at each x. The proof is about fits without the rows. Where these are
        approximate, as ``error_`` says, so are the ends.

        A row of weight w in a fit with frequencies counts as w rows, which are left out together.
        In a fit with precisions residuals are multiplied by √w. Of a sample with probabilities the
        intervals are those of the population (Tibshirani and others 2019, eq. 7).

        References
        ----------
        Barber, Candès, Ramdas and Tibshirani (2021), *Predictive inference with the jackknife+*,
        Annals of Statistics 49(1), eq. 1.3 and §3.

        Examples
        --------
        >>> import pandas as pd
        >>> from mcmodels import LinearRegression, leave_one_out
        >>> cars = pd.read_csv("datasets/mtcars.csv")
        >>> X, y = cars[["wt", "hp"]], cars["mpg"]
        >>> loo = leave_one_out(LinearRegression().fit(X, y), X, y)
        >>> loo.predict_interval(pd.DataFrame({"wt": [2.5, 4.0], "hp": [100, 200]}), 0.9).round(2)
           prediction  lower  upper
        0       24.36  17.71  30.27
        1       15.36   9.07  21.56
        """
        level = check_level(level)
        check_choice("residuals", residuals, ("pearson", "response"))
        self._refuse_other_model("predict_interval")
        X_new, offsets = self._routed(X_new, {"offset": offset, "exposure": exposure})
        if self.training is None:
            return self._intervals_by_models(X_new, level, residuals, sample_weight, offsets)
        y, given = self._targets()
        counted = self._counted(given)
        self._refuse_trials(y, given)
        self._known.model._record().warn_of_perfect_fit()
        means, scaled = Means(self._known.model), residuals == "pearson"
        precise = scaled and self._weighting is Weighting.PRECISION
        mean = means.of(self._predictors)
        deviation = means.deviation(mean) if scaled else np.ones_like(mean)
        if precise:
            deviation = deviation / np.sqrt(np.where(given > 0, given, np.nan))[:, np.newaxis]
        strange = residual_strangeness(y.reshape(mean.shape), mean, deviation)
        rows = tuple(ComparedRows.of(one, counted, self.codes, self.steps) for one in strange.T)
        is_sample = self._weighting is Weighting.PROBABILITY
        intervals = IntervalsOfRows(self._without, rows, means, scaled, precise, is_sample, level)
        table = NewRowTable(self._known.model, "predict_interval", intervals)
        return table.asked(X_new, sample_weight, offsets)

    def predict_set(
        self,
        X_new: MatrixLike | RowStream,
        level: float = 0.95,
        *,
        score: str = "probability",
        by_class: bool = False,
        allow_empty: bool = False,
        sample_weight: Weights = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Sets of classes that hold the class of a new row, whatever the distribution is.

        Parameters
        ----------
        X_new : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features of new rows.
        level : float, default=0.95
            1 - α, in (0, 1).
        score : {"probability", "adaptive"}, default="probability"
            How strange a class is. "probability": ``1 - p`` of the class; these sets are small.
            "adaptive": the probability of all classes that are at least as likely, which has larger
            sets where the classes are hard to tell apart, and smaller ones elsewhere. It tells
            little of two classes.
        by_class : bool, default=False
            Whether each class is compared with the training rows of that class alone. Then the
            sets cover the rows of each class.
        allow_empty : bool, default=False
            Whether sets may be empty: of a row for which each class is stranger than the level
            allows. Otherwise the class with the largest p-value is always in the set, which can
            only cover more.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the new rows in a fit with ``weights="probability"``, required there: the
            weight that each row would have had in the sample. Otherwise refused.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        DataFrame
            A column of booleans for each class, whether it is in the set, and the column size, the
            number of classes in it; it has the index of X_new.

        Raises
        ------
        InferenceError
            For regressors; where the model was fitted again after ``leave_one_out``; for new rows
            that are not in memory, of models that it has fitted again without each row.

        Warns
        -----
        FewRowsWarning
            When there are fewer than ``level/(1 - level)`` rows; with ``by_class`` of a class.

        Notes
        -----
        A class is in the set if its p-value exceeds α. The coverage is that of
        :meth:`predict_interval` (Romano, Sesia and Candès 2020, theorem 2). ``class_weight`` is
        part of the fit, and does not count rows.

        References
        ----------
        Vovk (2015), *Cross-conformal predictors*, Annals of Mathematics and Artificial Intelligence
        74. Romano, Sesia and Candès (2020), *Classification with valid and adaptive coverage*,
        NeurIPS 33. Vovk (2013), *Conditional validity of inductive conformal predictors*, Machine
        Learning 92, §3 (by class).

        Examples
        --------
        >>> import pandas as pd
        >>> from mcmodels import LogisticRegression, leave_one_out
        >>> iris = pd.read_csv("datasets/iris.csv")
        >>> X, y = iris[["Sepal.Length", "Sepal.Width"]], iris["Species"]
        >>> loo = leave_one_out(LogisticRegression().fit(X, y), X, y)
        >>> loo.predict_set(X.iloc[[0, 60, 148]], level=0.95)
             setosa  versicolor  virginica  size
        0      True       False      False     1
        60    False        True      False     1
        148   False        True       True     2
        """
        level = check_level(level)
        check_choice("score", score, ("probability", "adaptive"))
        check_flag("by_class", by_class)
        check_flag("allow_empty", allow_empty)
        self._refuse_other_model("predict_set")
        X_new, offsets = self._routed(X_new, {"offset": offset})
        if self.training is None:
            return self._sets_by_models(
                X_new,
                level,
                score,
                sample_weight,
                offsets,
                by_class=by_class,
                allow_empty=allow_empty,
            )
        classes = self._known.model.classes_
        observed, given = self._targets()
        codes = observed.astype(np.intp)
        counted = self._counted(self._without_class_weights(given, codes))
        measure = Strangeness(self._known.model, score)
        strange = of_observed(measure.of(self._predictors.T), codes)
        if by_class:
            counts = [np.where(codes == k, counted, 0.0) for k in range(len(classes))]
            rows = [ComparedRows.of(strange, one, self.codes, self.steps) for one in counts]
        else:
            rows = [ComparedRows.of(strange, counted, self.codes, self.steps)] * len(classes)
        is_sample = self._weighting is Weighting.PROBABILITY
        sets = SetsOfRows(
            self._without, tuple(rows), measure, by_class, is_sample, level, not allow_empty
        )
        table = NewRowTable(self._known.model, "predict_set", sets)
        table.refuse_class_of_this_name()
        return table.asked(X_new, sample_weight, offsets)

    def _routed(self, X: Any, offsets: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """New rows as the model takes them, and their offsets; of a formula X is a table."""
        if self.route is None:
            return X, offsets
        return self.route.rows(X), offsets | self.route.offsets(X, offsets)

    @property
    def _known(self) -> TrainingFit:
        """The fit of all rows, where the others are changes of it."""
        assert self.training is not None
        return self.training

    def _intervals_by_models(
        self,
        X: Any,
        level: float,
        residuals: str,
        sample_weight: Weights,
        offsets: dict[str, Any],
    ) -> pd.DataFrame:
        """Intervals by the models that were fitted without each unit."""
        weighting, n = self.weighting, len(self.y)
        self._refuse_trials(self.y, self.weights)
        scaled = residuals == "pearson"
        precise = scaled and weighting is Weighting.PRECISION
        roots: Any = np.ones((n, 1))
        if precise:
            roots = np.sqrt(np.where(self.weights > 0, self.weights, np.nan))[:, np.newaxis]
        y, mean = (np.asarray(of, np.float64).reshape(n, -1) for of in (self.y, self.predictions))
        strange = residuals_of(self.refitted, y, mean, roots, scaled)
        counted = self._counted(self.weights)
        rows = tuple(compared(one, counted, self.codes) for one in strange.T)
        is_sample = weighting is Weighting.PROBABILITY
        values = IntervalsByModels(self.refitted, rows, scaled, precise, is_sample, level)
        table = TableByModels(self.model, "predict_interval", values, weighting)
        table.refuse_streams(X, sample_weight, *offsets.values())
        return table.asked(X, sample_weight, offsets)

    def _sets_by_models(
        self,
        X: Any,
        level: float,
        score: str,
        sample_weight: Weights,
        offsets: dict[str, Any],
        *,
        by_class: bool,
        allow_empty: bool,
    ) -> pd.DataFrame:
        """Sets by the models that were fitted without each unit."""
        codes = np.searchsorted(self.classes, self.y)
        strange = of_observed(strangeness(self.predictions.T, score), codes)
        counted = self._counted(self.weights)
        each = range(len(self.classes))
        counts = [np.where(codes == k, counted, 0.0) if by_class else counted for k in each]
        rows = tuple(compared(strange, one, self.codes) for one in counts)
        is_sample = self.weighting is Weighting.PROBABILITY
        values = SetsByModels(
            self.refitted, rows, score, by_class, is_sample, level, not allow_empty
        )
        table = TableByModels(self.model, "predict_set", values, self.weighting)
        table.refuse_class_of_this_name()
        table.refuse_streams(X, sample_weight, *offsets.values())
        return table.asked(X, sample_weight, offsets)

    @property
    def _predictors(self) -> Array:
        assert self.eta is not None  # there is a fit of all rows
        return self.eta

    @property
    def _without(self) -> Without:
        fit = self._known.fit
        return Without(fit.basis, fit.params, self.steps)

    @property
    def _weighting(self) -> Weighting:
        found: Weighting = self.weighting
        return found

    def _targets(self) -> tuple[Array, Array]:
        """Targets and weights of the training rows, as the loss has them."""
        rows = self._known.fit.rows
        both = rows.map(lambda block: np.column_stack([weights_of(block), block.y]))
        y = both[:, 1:].astype(np.float64, copy=False)
        return (y[:, 0] if y.shape[1] == 1 else y), both[:, 0]

    def _counted(self, weights: Array) -> Array:
        """How much each training row counts among the others."""
        if self._weighting is Weighting.PRECISION:
            return (weights > 0).astype(np.float64)
        return weights

    def _without_class_weights(self, weights: Array, codes: Codes) -> Array:
        record = self._known.model._record()
        factors = getattr(record, "class_factors", {})
        if not factors:
            return weights
        classes = self._known.model.classes_.tolist()
        of_class = np.array([factors.get(label, 1.0) for label in classes])[codes]
        return np.where(of_class > 0, weights / np.where(of_class > 0, of_class, 1.0), 0.0)

    def _refuse_other_model(self, method: str) -> None:
        model = self.model
        if is_classifier(model) == (method == "predict_interval"):
            kind, other = (
                ("a classifier, which has no numbers to predict", "predict_set")
                if is_classifier(model)
                else ("a regressor, which has no classes", "predict_interval")
            )
            raise InferenceError(
                f"{method}: {type(model).__name__} is {kind}; call {other} instead."
            )
        if self.training is None:
            return
        if not np.array_equal(np.squeeze(model.params_), np.squeeze(self.training.fit.params)):
            raise InferenceError(
                f"{method}: the model was changed or fitted again after leave_one_out, which has "
                "fits of other parameters. Call leave_one_out again."
            )

    def _refuse_trials(self, y: Array, weights: Array) -> None:
        """Refuse proportions whose trials are counted as rows: these are rows of 0 and 1."""
        model = self.model
        if not (isinstance(model, GlmMethods) and isinstance(model._loss().family, Binomial)):
            return
        if self._weighting.counts_rows and ((weights > 1) & (y > 0) & (y < 1)).any():
            raise InferenceError(
                "predict_interval: y has proportions, and their trials count as rows of 0 and 1, "
                "of which there is no interval. Fit with weights='precision', and pass the trials "
                "of the new rows as sample_weight."
            )
