"""What LogisticRegression says beyond its coefficients: likelihood, probabilities, influence."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, check_is_fitted

from mcmodels._parameter_inference import (
    ParameterInferenceMixin,
    RobustOptions,
    described,
    index_of,
)
from mcmodels._validation import check_choice
from mcmodels.exceptions import InferenceError
from mcmodels.inference.diagnostics import score_test
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.influence import deviance_residual, logistic_influence, pearson_residual
from mcmodels.inference.logistic_model import (
    BinaryRobustModel,
    LogisticModelInference,
    MulticlassRobustModel,
)
from mcmodels.inference.marginal_effects import At, marginal_effects
from mcmodels.inference.probability_intervals import probability_intervals
from mcmodels.inference.summary import Summary, number, p_value
from mcmodels.rows import ArrayRows
from mcmodels.rows.blocks import Array


class LogisticInferenceMixin(ParameterInferenceMixin):
    """Inference of LogisticRegression, from the inverse of the Hessian of what was minimised.

    Formulas and sources are in :mod:`mcmodels.inference.logistic_model`.
    """

    C: float
    classes_: Any
    objective_: float
    status_: str
    _inner: Any
    _class_totals: Array
    _undetermined: str

    @property
    def null_log_likelihood_(self) -> float:
        """Log-likelihood of the shares of the classes alone."""
        return self._model().null_log_likelihood

    @property
    def mcfadden_r_squared_(self) -> float:
        """``1 - ℓ/ℓ₀``, with ℓ₀ the null log-likelihood."""
        return self._model().mcfadden_r_squared

    @property
    def likelihood_ratio_test_(self) -> HypothesisTest:
        """Test that every slope is zero, against the shares of the classes."""
        return self._model().likelihood_ratio_test

    def summary(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        level: float = 0.95,
        reference: Any = None,
        p_values: bool | None = None,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals, and how good the fit is.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust ``kind``.
        level : float, default=0.95
            Of the intervals.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        p_values : bool, default=None
            Whether to print tests. By default of unpenalised fits only: a penalty pulls
            coefficients towards zero, and the probability of a larger statistic under a
            coefficient of zero is then not what the normal distribution says.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        estimate = self._estimate(X, y, sample_weight, **robust)
        identified = self._identified(estimate, reference)
        model = self._model()
        shown = not model.penalty if p_values is None else bool(p_values)
        table = identified.table(level, p_values=shown)
        facts = {
            "observations": number(model.n_observations),
            "covariance": described(estimate),
            "intervals": f"{100 * level:g} %",
        }
        names = list(self._parameter_names())
        if len(self.classes_) == 2:
            facts["log-odds of"] = f"{self.classes_[1]} against {self.classes_[0]}"
            tables = {"": table}
        else:
            base = self._position(reference)
            facts["log-odds against"] = str(self.classes_[base])
            others = [label for k, label in enumerate(self.classes_) if k != base]
            P = len(names)
            tables = {
                str(label): table.iloc[k * P : (k + 1) * P].set_axis(names)
                for k, label in enumerate(others)
            }
        conclusions = {
            "log-likelihood": number(model.log_likelihood),
            "null log-likelihood": number(model.null_log_likelihood),
        }
        notes: tuple[str, ...] = ()
        if model.penalty:
            facts["penalty"] = f"|coefficients|²/(2C), C = {self.C:g}"
            posterior = (
                "standard errors and intervals are those of a normal approximation to the "
                "posterior under a normal prior of variance C, and their coverage is not that of "
                "maximum likelihood (C=np.inf)."
            )
            shrunk = "intervals lie round coefficients that are pulled towards zero."
            notes = (
                f"The fit is penalised: {posterior if estimate.kind == 'Laplace' else shrunk}",
            )
        else:
            conclusions["McFadden's R²"] = number(model.mcfadden_r_squared)
            if model.intercept and len(names) > 1 and estimate.kind == "nonrobust":
                test = model.likelihood_ratio_test
                conclusions["likelihood ratio"] = (
                    f"{number(test.statistic)} on {test.df:g} degrees of freedom, "
                    f"p-value {p_value(test.p_value)}"
                )
            conclusions |= {"AIC": number(self.aic_), "BIC": number(self.bic_)}
        if self.status_ != "converged":
            notes = (*notes, f"The fit ended as {self.status_!r}.")
        return Summary("Logistic regression", facts, tables, conclusions, notes)

    def predict_interval(self, X: Any, level: float = 0.95) -> pd.DataFrame:
        """Probabilities of the classes with intervals, taken on the log-odds and mapped back.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        level : float, default=0.95
            Probability that an interval covers, in (0, 1).

        Returns
        -------
        DataFrame
            Columns probability, standard_error (delta method), lower, upper, of the second class.
            With more than two classes, columns of two levels: the class, and these.
        """
        check_is_fitted(self)
        index = index_of(X)
        rows = self._unlabelled_rows(X, None)
        model = self._model()
        values = probability_intervals(model, rows, model.estimate.quantile(level))
        columns = ["probability", "standard_error", "lower", "upper"]
        if len(self.classes_) == 2:
            return pd.DataFrame(values[:, 0], columns=columns, index=index)
        levels = pd.MultiIndex.from_product([self.classes_, columns], names=["class", None])
        return pd.DataFrame(values.reshape(len(values), -1), columns=levels, index=index)

    def marginal_effects(
        self,
        X: Any,
        *,
        at: At = "average",
        discrete: bool = True,
        level: float = 0.95,
        sample_weight: Any = None,
    ) -> pd.DataFrame:
        """How the probability changes with each feature, the others held.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows over which, or at whose means, effects are taken.
        at : {"average", "means", "rows"}, default="average"
            "average": mean over the rows of each row's effect. "means": effect at the means of the
            features. "rows": effects of every row, with no intervals.
        discrete : bool, default=True
            Whether a feature that is 0 or 1 in every row has for effect the change of the
            probability from 0 to 1, instead of a derivative.
        level : float, default=0.95
            Of the intervals.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in means; not for at="rows", which takes none.

        Returns
        -------
        DataFrame
            One row a feature (of every class, with more than two), with columns coefficient (the
            effect), standard_error (delta method), z, p_value, lower and upper. With at="rows" one
            row a row and one column a feature.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.marginal_effects`.
        """
        check_choice("at", at, ("average", "means", "rows"))
        check_is_fitted(self)
        if at == "rows" and sample_weight is not None:
            raise ValueError(
                "at='rows' takes no mean that sample_weight could weigh; leave it out."
            )
        names = self._parameter_names()[: self.n_features_in_]
        index = index_of(X)
        rows = self._unlabelled_rows(X, sample_weight)
        model = self._model()
        found = marginal_effects(model, rows, at=at, discrete=discrete)
        if len(self.classes_) > 2:
            names = tuple(f"{label}:{name}" for label in self.classes_ for name in names)
        if not isinstance(found, Estimate):
            return pd.DataFrame(found, columns=list(names), index=index)
        shown = not model.penalty
        named = Estimate(found.params, found.covariance, names, kind=found.kind)
        return named.table(level, p_values=shown)

    def residuals(
        self, X: Any, y: Any, *, kind: Literal["deviance", "pearson"] = "deviance"
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

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_choice("kind", kind, ("deviance", "pearson"))
        check_is_fitted(self)
        self._refuse_several_classes("residuals")
        X, codes, _ = self._validated(X, y, None)
        of = deviance_residual if kind == "deviance" else pearson_residual
        rows = ArrayRows(X, codes, intercept=bool(self.fit_intercept))
        return rows.map(lambda block: of(block.y, block.X.predictor(self.params_)))

    def influence(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """How much each training row moves the fit, to one Newton step; for two classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        DataFrame
            One row a row, its index that of X; columns leverage, pearson_residual,
            deviance_residual, standardized_residual (Pearson's, divided by ``√(1 - h)``),
            cooks_distance, and dfbetas_<name> for each parameter.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.influence`.
        """
        model = self._model()
        self._refuse_several_classes("influence")
        whitening, index = model.whitening, index_of(X)
        X, codes, weights = self._training_rows(X, y, sample_weight)
        extras = None if weights is None else {"frequency": weights}
        rows = ArrayRows(X, codes, extras=extras, intercept=bool(self.fit_intercept))
        return logistic_influence(whitening, rows, self.params_, model.names, index)

    def score_test(
        self, X: Any, y: Any, candidate: Any, sample_weight: Any = None
    ) -> HypothesisTest:
        """Test whether a column that was left out belongs in the model, without refitting.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        y : array-like of shape (n_samples,)
            Their labels; two classes.
        candidate : array-like of shape (n_samples,) or (n_samples, q)
            The column, or several to be tested together.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        HypothesisTest
            χ² with q degrees of freedom.
        """
        model = self._model()
        model.refuse_penalised("a score test")
        self._refuse_several_classes("score_test")
        X, codes, weights = self._training_rows(X, y, sample_weight)
        named = isinstance(candidate, pd.Series) and candidate.name is not None
        name = str(candidate.name) if named else "the candidate"
        columns = check_array(candidate, dtype=np.float64, ensure_2d=False, input_name="candidate")
        if columns.ndim == 0 or len(columns) != X.shape[0]:
            raise ValueError(
                f"candidate has shape {columns.shape}; it needs one value for each of the "
                f"{X.shape[0]} rows."
            )
        extras = {"candidate": columns.reshape(len(columns), -1)}
        rows = ArrayRows(X, codes, weights, extras, intercept=bool(self.fit_intercept))
        return score_test(model.whitening, rows, self.params_, name)

    @abstractmethod
    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """X, codes of shape (n_samples,), and weights with those of the classes."""

    @abstractmethod
    def _unlabelled_rows(self, X: Any, sample_weight: Any) -> ArrayRows:
        """Validated rows without labels."""

    @abstractmethod
    def _formed_hessian(self) -> Array:
        """The Hessian; refuses where it was not formed."""

    def _model(self) -> LogisticModelInference:
        check_is_fitted(self)
        return LogisticModelInference(
            self.params_,
            self._formed_hessian(),
            self._inner,
            self.objective_,
            1.0 / self.C,
            self._parameter_names(),
            bool(self.fit_intercept),
            self._undetermined,
            self._class_totals,
            tuple(map(str, self.classes_)),
        )

    def _at_maximum(self, what: str) -> LogisticModelInference:
        model = self._model()
        model.refuse_penalised(what)
        return model

    def _own_estimate(self) -> Estimate:
        return self._model().estimate

    def _identified(self, estimate: Estimate, reference: Any) -> Estimate:
        if len(self.classes_) > 2:
            return self._model().contrasts(estimate, self._position(reference))
        if reference is not None and self._position(reference) != 0:
            raise ValueError(
                f"reference={reference!r}; with two classes the log-odds are of "
                f"{self.classes_[1]!s} against {self.classes_[0]!s}."
            )
        return estimate

    def _position(self, reference: Any) -> int:
        """Where the class of reference stands in ``classes_``."""
        if reference is None:
            return 0
        (found,) = np.nonzero(np.asarray(self.classes_ == reference))
        if found.size != 1:
            raise ValueError(
                f"reference={reference!r} is not a class; there are {self.classes_.tolist()}."
            )
        return int(found[0])

    def _robust_estimate(
        self, X: Any, y: Any, sample_weight: Any, kind: str, groups: Any, correct: tuple[bool, bool]
    ) -> Estimate:
        model = self._model()
        binary = self.params_.ndim == 1
        robust = (
            BinaryRobustModel(model.whitening, self.params_)
            if binary
            else MulticlassRobustModel.of(model)
        )
        X, codes, weights = self._training_rows(X, y, sample_weight)
        sandwich, _ = self._sandwich(robust, X, codes, weights, kind, groups, correct[0])
        names = model.estimate.names
        V, T = sandwich.covariance, sandwich.root
        return Estimate(self.params_.ravel(), V, names, kind=kind, root=T)

    def _training_rows(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """The rows of the fit with codes of shape (n,); refused where they are not as many."""
        X, codes, weights = self._validated(X, y, sample_weight)
        self._refuse_other_rows(X, weights)
        return X, codes, weights

    def _refuse_several_classes(self, what: str) -> None:
        if len(self.classes_) > 2:
            raise InferenceError(
                f"{what} is for two classes, and there are {len(self.classes_)}; compare two of "
                "them in a fit of their own."
            )
