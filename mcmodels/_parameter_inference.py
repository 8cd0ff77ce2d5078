"""What the regressions say of their parameters: covariance, tests, intervals, a summary."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol, TypedDict, Unpack

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from mcmodels._validation import check_choice
from mcmodels.inference.delta import DeltaMethod, delta_method
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest, wald_test
from mcmodels.inference.robust import (
    HC_KINDS,
    ClusterCodes,
    RobustCovariance,
    RobustModel,
    cluster_covariance,
    hc_covariance,
)
from mcmodels.rows import ArrayRows, Seen
from mcmodels.rows.blocks import Array

_KINDS = ("nonrobust", *HC_KINDS, "cluster")
INTERCEPT = "(intercept)"


class RobustOptions(TypedDict, total=False):
    """Which covariance; see :meth:`ParameterInferenceMixin.covariance`."""

    kind: str
    groups: Any
    use_correction: bool
    df_correction: bool


class ModelInference(Protocol):
    """What the inference of a linear and of a logistic fit have in common."""

    @property
    def log_likelihood(self) -> float:
        """ℓ at the parameters."""
        ...

    @property
    def n_observations(self) -> float:
        """The sum of the weights."""
        ...

    @property
    def n_free_params(self) -> int:
        """Parameters that the data determine."""
        ...


class ParameterInferenceMixin:
    """Standard errors, tests and intervals of the parameters, from the curvature of the fit.

    What needs no rows is there after any fit, also after ``partial_fit`` and unpickling. Robust
    covariances read the training rows once more: pass them again, with a ``kind``.
    """

    params_: Array
    n_features_in_: int
    fit_intercept: bool
    _seen: Seen

    @abstractmethod
    def _model(self) -> ModelInference:
        """What the fit says by itself."""

    def _at_maximum(self, what: str) -> ModelInference:
        """The same, for what means something at the maximum of the likelihood only."""
        return self._model()

    @abstractmethod
    def _own_estimate(self) -> Estimate:
        """All parameters by the covariance of the model."""

    @abstractmethod
    def _robust_estimate(
        self, X: Any, y: Any, sample_weight: Any, kind: str, groups: Any, correct: tuple[bool, bool]
    ) -> Estimate:
        """All parameters by a robust covariance."""

    @abstractmethod
    def _identified(self, estimate: Estimate, reference: Any) -> Estimate:
        """What the data determine of them."""

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood at the parameters, a penalty left out; noise of a linear fit is normal."""
        return self._model().log_likelihood

    @property
    def n_observations_(self) -> float:
        """Rows that the weights stand for, ``Σ wᵢ``."""
        return self._model().n_observations

    @property
    def n_free_params_(self) -> int:
        """Parameters that the data determine; the variance of the noise is not counted."""
        return self._model().n_free_params

    @property
    def aic_(self) -> float:
        """Akaike's criterion ``-2ℓ + 2k`` with k = ``n_free_params_`` (Akaike 1974)."""
        model = self._at_maximum("AIC")
        return -2.0 * model.log_likelihood + 2.0 * model.n_free_params

    @property
    def bic_(self) -> float:
        """Schwarz's criterion ``-2ℓ + k log n`` (Schwarz 1978)."""
        model = self._at_maximum("BIC")
        return (
            -2.0 * model.log_likelihood + float(np.log(model.n_observations)) * model.n_free_params
        )

    @property
    def covariance_(self) -> Array:
        """Covariance of ``params_.ravel()``, by the model; see docs/inference.md."""
        return self._own_estimate().covariance

    @property
    def standard_errors_(self) -> Array:
        """Standard errors of ``params_``, in its shape."""
        return self._own_estimate().standard_errors.reshape(self.params_.shape)

    def covariance(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        kind: str = "HC3",
        groups: Any = None,
        use_correction: bool = True,
        df_correction: bool = True,
    ) -> Array:
        """Covariance of ``params_.ravel()`` that holds when the model's own does not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights; a weight of two is a row given twice.
        kind : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}, default="HC3"
            HC0 to HC3 hold under unequal variances, "cluster" also under dependence within groups.
        groups : array-like of shape (n_samples,) or (n_samples, 2), default=None
            The cluster of each row, by one grouping or two; for kind="cluster".
        use_correction : bool, default=True
            Whether cluster covariances are multiplied by ``G/(G-1) · (n-1)/(n-P)``: statsmodels'
            name for Stata's small-sample adjustment of ``regress, vce(cluster)``. For logistic fits
            Stata takes ``G/(G-1)`` alone, statsmodels this.
        df_correction : bool, default=True
            Whether tests and intervals of a linear fit with clusters take t with G - 1 degrees of
            freedom, as Stata and statsmodels do, instead of n - P.

        Returns
        -------
        ndarray of shape (n, n), n = params_.size

        Raises
        ------
        InferenceError
            Where the parameters are not determined, for a single cluster, or a leverage of one.
        ValueError
            For rows that are not as many as were fitted.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.robust`.
        """
        options = RobustOptions(
            kind=kind, groups=groups, use_correction=use_correction, df_correction=df_correction
        )
        return self._estimate(X, y, sample_weight, **options).covariance

    def confidence_intervals(
        self,
        level: float = 0.95,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        reference: Any = None,
        **robust: Unpack[RobustOptions],
    ) -> pd.DataFrame:
        """Intervals that cover each parameter with probability ``level``.

        Parameters
        ----------
        level : float, default=0.95
            In (0, 1).
        X, y, sample_weight
            The training rows, for a robust ``kind``.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        DataFrame
            One row a parameter, columns lower and upper.
        """
        estimate = self._reported(X, y, sample_weight, reference, robust)
        return pd.DataFrame(
            estimate.intervals(level), index=list(estimate.names), columns=["lower", "upper"]
        )

    def wald_test(
        self,
        restrictions: Any,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        reference: Any = None,
        **robust: Unpack[RobustOptions],
    ) -> HypothesisTest:
        """Test linear restrictions on the parameters.

        Parameters
        ----------
        restrictions : str, array-like of shape (r, n_params) or pair (R, q)
            Text such as ``"income = 0, age = 2*tenure"``, or R and q in ``Rθ = q``. Names are those
            of the features, ``intercept`` is the intercept, and names that are not plain words
            stand in backticks. With several targets or classes they are ``target:name`` and
            ``class:name``.
        X, y, sample_weight
            The training rows, for a robust ``kind``.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        HypothesisTest
            With F for a linear model, χ² for a logistic one.
        """
        return wald_test(self._reported(X, y, sample_weight, reference, robust), restrictions)

    def delta_method(
        self,
        g: Any,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        **robust: Unpack[RobustOptions],
    ) -> DeltaMethod:
        """A smooth function of the parameters, with its standard error.

        Parameters
        ----------
        g : callable
            From an array of the shape of ``params_`` to a number or an array.
        X, y, sample_weight
            The training rows, for a robust ``kind``.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        DeltaMethod
            With ``estimate``, ``standard_error``, ``covariance`` and ``interval(level)``.
        """
        estimate = self._estimate(X, y, sample_weight, **robust)
        return delta_method(g, estimate, self.params_.shape)

    def _estimate(
        self, X: Any, y: Any, sample_weight: Any, **options: Unpack[RobustOptions]
    ) -> Estimate:
        check_is_fitted(self)
        kind, groups = options.get("kind", "nonrobust"), options.get("groups")
        check_choice("kind", kind, _KINDS)
        if (groups is not None) != (kind == "cluster"):
            raise ValueError(
                "kind='cluster' needs groups, the cluster of each row."
                if groups is None
                else f"groups was given, but kind={kind!r}; pass kind='cluster'."
            )
        if kind == "nonrobust":
            return self._own_estimate()
        if X is None or y is None:
            raise ValueError(
                f"kind={kind!r} reads the training rows once more; pass X and y (and their "
                "sample_weight, where there was one)."
            )
        correct = options.get("use_correction", True), options.get("df_correction", True)
        return self._robust_estimate(X, y, sample_weight, kind, groups, correct)

    def _reported(
        self, X: Any, y: Any, sample_weight: Any, reference: Any, robust: RobustOptions
    ) -> Estimate:
        return self._identified(self._estimate(X, y, sample_weight, **robust), reference)

    def _sandwich(
        self,
        model: RobustModel,
        X: Any,
        targets: Array,
        weights: Array | None,
        kind: str,
        groups: Any,
        use_correction: bool,
    ) -> tuple[RobustCovariance, tuple[int, ...]]:
        """The robust covariance, and how many clusters there are by each grouping."""
        intercept = bool(self.fit_intercept)
        if kind != "cluster":
            rows = ArrayRows(X, targets, weights, intercept=intercept)
            return hc_covariance(model, rows, kind), ()
        clusters = ClusterCodes.of(groups, weights, X.shape[0])
        rows = ArrayRows(X, targets, weights, {"groups": clusters.codes}, intercept=intercept)
        sandwich = cluster_covariance(model, rows, clusters.counts, use_correction=use_correction)
        return sandwich, clusters.counts

    def _refuse_other_rows(self, X: Any, weights: Array | None) -> None:
        """Refuse rows that cannot be those of the fit."""
        if X.shape[0] != self._seen.n_rows:
            raise ValueError(
                f"X has {X.shape[0]} rows; the model was fitted to {self._seen.n_rows}. Pass the "
                "training rows, all of them and in their order."
            )
        total = float(X.shape[0] if weights is None else weights.sum())
        if not np.isclose(total, self._seen.total_weight, rtol=1e-9):
            raise ValueError(
                f"the weights of the rows sum to {total:g}; those of the fit to "
                f"{self._seen.total_weight:g}. Pass the sample_weight of the fit."
            )

    def _parameter_names(self) -> tuple[str, ...]:
        """Names of the features, then of the intercept where there is one."""
        return (*column_names(self), *([INTERCEPT] if self.fit_intercept else []))


def column_names(estimator: Any) -> tuple[str, ...]:
    """Names of the features: those of a pipeline, those of the fit, or x0, x1, ….

    :func:`mcmodels.summarize` sets the first on a copy of the model.
    """
    for names in ("_column_names", "feature_names_in_"):
        if hasattr(estimator, names):
            return tuple(map(str, getattr(estimator, names)))
    return tuple(f"x{j}" for j in range(estimator.n_features_in_))


def described(estimate: Estimate) -> str:
    """What a covariance is, in words."""
    words = {
        "nonrobust": "inverse of the Hessian",
        "Laplace": "inverse of the penalised Hessian (Laplace's approximation to the posterior)",
        "cluster": "cluster-robust",
    }
    return words.get(estimate.kind, f"robust to unequal variances ({estimate.kind})")


def index_of(X: Any) -> pd.Index | None:
    """The index of a data frame, None of anything else."""
    return X.index if isinstance(X, pd.DataFrame) else None
