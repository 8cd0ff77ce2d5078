"""The result of `leave_one_out`: a table, sums, their errors, and differences of two models."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Codes
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.deviance_score import DevianceScore
from mcmodels.exceptions import InferenceError, LeftOutWarning, NoMeanWarning
from mcmodels.inference.scores import null_deviance, share_of_deviance
from mcmodels.inference.summary import facts_html, number, table_html, table_text
from mcmodels.resampling.conformal import Conformal
from mcmodels.resampling.left_out_difference import LeftOutDifference, refuse_other_rows
from mcmodels.resampling.left_out_fits import LeftOutFits
from mcmodels.resampling.left_out_scores import LeftOutClassifier, LeftOutRegressor, scorer_for
from mcmodels.resampling.sampled_errors import fit_some_exactly
from mcmodels.rows import rows_of
from mcmodels.user_warnings import warn_user

__all__ = ["LeaveOneOut", "warn_of_rows"]

# Rows of the table that are shown.
_ROWS_SHOWN = 5


@dataclass(frozen=True, repr=False, eq=False)
class LeaveOneOut(Conformal):
    """What a model says of rows by fits without them; :func:`.leave_one_out` makes it.

    Parameters
    ----------
    training : TrainingFit or None
        The fit of all rows, with the rows; None of models that were fitted again without each.
    codes : ndarray of shape (n,), int
        The unit that each row is left out with: its group, or its position.
    groups : Index or None
        Labels of the groups; None if rows are left out one by one.
    index : Index or None
        Of the rows.
    eta : ndarray of shape (n, K), or None
        The linear predictor of each row by the fit without it, offset included.
    y : ndarray
        The targets: of classes their labels.
    predictions : ndarray of shape (n,) or (n, m)
        Predictions by the fits without the rows; of classes, probabilities.
    classes : ndarray or None
        Labels of the classes.
    log_scores, losses : ndarray of shape (n,)
        Of one observation of each row. There are no log scores where ``no_scores`` says why.
    times : ndarray of shape (n,)
        How often the log score of each row counts in the sum.
    weights : ndarray of shape (n,)
        Of the rows; ones where there were none.
    weighting : Weighting
        What they are.
    exact_rows : ndarray of shape (n,), bool
        Rows that are judged by an exact fit without them.
    lost : ndarray of shape (n,), bool
        Rows without which there is no optimum, or one on the bound of the means.
    kind : {"density", "probability", "likelihood", "loss"}
        What the exponential of a log score is. "loss": the log score is minus the loss, and its
        exponential means nothing.
    loss_name, model_name : str
        What the loss is; the class of the model.
    no_scores : str
        Why there are no log scores; empty where there are.
    known_error : float or None
        ``error_``, where it was found with the scores.
    seed : int
        Of the sample that ``error_`` needs, where it was not.
    fits : LeftOutFits or None
        The fits without the units.
    model : estimator
        The fit of all rows.
    null : tuple of float or None
        Of generalized linear models the deviance of an intercept alone, and the size of the
        targets; None where it is found by ``training``.
    refitted : RefittedModels or None
        The models without each unit, where these were fitted again.
    route : Route or None
        The way from a table to the rows of the model, of a fit by a formula.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, leave_one_out
    >>> X = np.arange(6.0)[:, np.newaxis]
    >>> y = np.array([0.1, 0.8, 2.3, 2.9, 4.2, 4.9])
    >>> leave_one_out(LinearRegression().fit(X, y), X, y).predictions.round(3)
    array([-0.01 ,  1.143,  1.978,  3.059,  3.951,  5.15 ])
    """

    training: Any  # a TrainingFit
    codes: Codes
    groups: pd.Index | None
    index: pd.Index | None
    eta: Array | None
    y: Any
    predictions: Array
    classes: Any
    log_scores: Array | None
    losses: Array
    times: Array
    weights: Array
    weighting: Any  # a Weighting
    exact_rows: Any
    lost: Any
    kind: str
    loss_name: str
    model_name: str
    no_scores: str = ""
    known_error: float | None = None
    seed: int = 0
    fits: Any = field(default=None)  # LeftOutFits
    model: Any = None
    null: Any = None  # of models that were fitted again
    refitted: Any = None  # RefittedModels
    route: Any = None  # a Route

    @classmethod
    def of_fits(
        cls,
        fits: LeftOutFits,
        groups: pd.Index | None,
        error: float | None,
        seed: int,
    ) -> LeaveOneOut:
        """From the fits of a model of this package."""
        training, measure, judged = fits.training, fits.measure, fits.judged()
        y = training.y
        if measure.classes is not None:
            y = np.asarray(measure.classes)[np.asarray(y, dtype=np.intp)]
        return cls(
            training=training,
            codes=fits.codes,
            groups=groups,
            index=training.index,
            eta=judged.eta,
            y=y,
            predictions=measure.predictions(judged.eta),
            classes=measure.classes,
            log_scores=None if fits.no_scores else judged.log_scores,
            losses=judged.losses,
            times=measure.times(training.y, fits.weights),
            weights=fits.weights,
            weighting=measure.weighting,
            exact_rows=fits.exact[fits.codes],
            lost=fits.lost,
            kind=measure.kind,
            loss_name=measure.loss_name,
            model_name=type(training.model).__name__,
            no_scores=fits.no_scores,
            known_error=error,
            seed=seed,
            fits=fits,
            model=training.model,
        )

    @functools.cached_property
    def steps(self) -> Array:
        """Changes of the fit without each unit, shape (m, R): ``θ̂ + T steps[g]``; NaN if none.

        T is that of ``training.fit.basis``, whose ``parameters`` makes changes of parameters of
        them.
        """
        if self.fits is None:
            raise InferenceError(
                f"{self.model_name} was fitted again without each row; there are no steps from the "
                "fit of all rows."
            )
        return self.fits.steps()

    def to_frame(self) -> pd.DataFrame:
        """A row for each row of X, with its index.

        Returns
        -------
        DataFrame
            ``prediction`` (one column for each of several targets), or of classes
            ``probability_…`` of each; ``log_score`` and ``loss`` of one observation; ``exact``,
            whether the fit without the row is exact.
        """
        if self.predictions.ndim == 1:
            names = ["prediction"]
        elif self.classes is not None:
            names = [f"probability_{label}" for label in self.classes]
        else:
            names = [f"prediction_{k}" for k in range(self.predictions.shape[1])]
        columns = dict(zip(names, self.predictions.reshape(len(self.y), -1).T, strict=True))
        if self.log_scores is not None:
            columns["log_score"] = self.log_scores
        columns |= {"loss": self.losses, "exact": self.exact_rows}
        return pd.DataFrame(columns, index=self.index)

    @property
    def log_score_(self) -> float:
        """The sum of the log scores, each as often as the weight of its row says."""
        return float(self._sums.sum())

    @property
    def standard_error_(self) -> float:
        """Standard error of ``log_score_``: ``√n`` times the deviation of the scores.

        A weight that counts rows counts scores; other rows are one each. With groups, ``√m`` times
        the deviation of the sums of the m groups. Infinite where a score is.
        """
        return self._error_of(self._scores)

    @property
    def loss_(self) -> float:
        """The mean of the losses, by the weights of the rows."""
        with np.errstate(invalid="ignore"):
            lost = np.where(self.weights > 0, self.weights * self.losses, 0.0)
        return float(lost.sum() / self.weights.sum())

    @functools.cached_property
    def error_(self) -> float:
        """What the approximation leaves of ``log_score_``, with a margin; 0 where all are exact.

        Estimated from exact fits of the units in which the error may be largest, and of a sample
        of the others: it is twice the largest that the sample has shown, and no proof. With
        ``method="newton"`` these fits are made when this is first asked for.
        """
        _ = self._scores  # raises where there are none
        if self.known_error is not None:
            return self.known_error
        assert self.fits is not None
        fits = copy.copy(self.fits)
        for name in ("eta", "exact", "lost", "scale"):
            setattr(fits, name, copy.copy(getattr(fits, name)))
        fits.exact_steps = dict(fits.exact_steps)
        return fit_some_exactly(fits, self.seed, replaces=False)

    @property
    def separated_(self) -> list[Any]:
        """Labels of the rows to which the fit of the others gives a probability of zero.

        That fit has no optimum, and this is its limit; or it has a mean on the bound of the family.
        """
        return self._labels_of(self.lost)

    def score(self, scoring: Any = None) -> float:
        """A score of the predictions of rows that were left out.

        Parameters
        ----------
        scoring : str, callable or None, default=None
            Any scorer of scikit-learn, as in ``cross_val_score``: its name, or ``scorer(estimator,
            X, y)``. None is the score of the estimator: accuracy, R², or the share of the deviance
            that is explained (of quantiles, of the pinball loss).

        Returns
        -------
        float
            One score of all rows. Of scores that are means over rows, as accuracy and squared
            error, it is that of cross-validation with as many folds as rows; of others, as R² and
            the area under the curve, it is that of the predictions together.

        Raises
        ------
        InferenceError
            For scores that need probabilities, of models without; for None, of an estimator whose
            score is not known by predictions alone.
        """
        if scoring is None and (self.null is not None or isinstance(self.model, DevianceScore)):
            return self._explained
        has_probabilities = self.classes is not None and self.predictions.ndim > 1
        scorer = scorer_for(scoring, self.model, self.classes is not None, has_probabilities)
        present = self.weights > 0
        kind = LeftOutRegressor if self.classes is None else LeftOutClassifier
        predictor = kind(self.predictions[present], self.classes)
        positions = np.arange(int(present.sum()))[:, np.newaxis]
        further = {}
        if self.weights is not None and (self.weights[present] != 1).any():
            further["sample_weight"] = self.weights[present]
        return float(scorer(predictor, positions, self.y[present], **further))

    def compare(self, other: LeaveOneOut) -> LeftOutDifference:
        """How much larger the sum of the log scores is than that of another model.

        Parameters
        ----------
        other : LeaveOneOut
            Of another model of the same rows, in the same order, with the same weights and groups.

        Returns
        -------
        LeftOutDifference
            The difference, and its standard error from those of the rows.

        Raises
        ------
        ValueError
            For other rows, or scores that cannot be compared.
        """
        if not isinstance(other, LeaveOneOut):
            raise TypeError(
                f"other is a {type(other).__name__}; pass what leave_one_out returned for the "
                "other model."
            )
        refuse_other_rows(self, other)
        with np.errstate(invalid="ignore"):
            difference = self._scores - other._scores
        both = np.isinf(self._scores) & np.isinf(other._scores)
        difference[both] = 0.0
        total = float(np.where(self.times > 0, self.times * difference, 0.0).sum())
        names = (self.model_name, other.model_name)
        return LeftOutDifference(total, self._error_of(difference), len(self.y), names)

    def __repr__(self) -> str:
        facts = "\n".join(f"{name}: {value}" for name, value in self._facts.items())
        return f"{facts}\n\n{table_text(self._head)}"

    def _repr_html_(self) -> str:
        return facts_html(self._facts) + table_html(self._head)

    @property
    def _head(self) -> pd.DataFrame:
        frame = self.to_frame().head(_ROWS_SHOWN).drop(columns="exact")
        return frame.set_axis([str(label) for label in frame.index])

    @property
    def _facts(self) -> dict[str, str]:
        units = f"{len(self.y)} rows"
        if self.groups is not None:
            units = f"{len(self.groups)} groups of {len(self.y)} rows"
        facts = {f"{self.model_name}, left out": units}
        exact = int(self.exact_rows.sum())
        facts["fitted exactly"] = "all" if exact == len(self.y) else f"{exact} rows"
        # A loss that is no likelihood has no density: its sum is not called a log score.
        name = "minus the sum of losses" if self.kind == "loss" else "log score"
        if self.log_scores is None:
            facts[name] = f"none: {self.no_scores}"
        else:
            what = f"{number(self.log_score_)} (standard error {number(self.standard_error_)}"
            error = self.__dict__.get("error_", self.known_error)
            what += "" if not error else f"; about {number(error)} off or less"
            facts[name] = f"{what})"
        facts[f"mean {self.loss_name}"] = number(self.loss_)
        if self.separated_:
            facts["no optimum without row"] = listed(self.separated_)
        return facts

    @property
    def _explained(self) -> float:
        """The share of the deviance that is explained, ``1 - Σ w d(y, μ₋)/D(y, μ₀)``."""
        null = self.null
        if null is None:
            t = self.training
            extras = {} if t.offset is None else {"offset": t.offset}
            intercept = t.fit.rows.intercept
            rows = rows_of(t.X, t.y, t.weights, extras, intercept=intercept)
            null = null_deviance(rows, self.model._loss())
        return share_of_deviance(self.loss_ * float(self.weights.sum()), *null)

    @property
    def _scores(self) -> Array:
        if self.log_scores is None:
            raise InferenceError(f"there are no log scores: {self.no_scores}")
        return self.log_scores

    @property
    def _sums(self) -> Array:
        return np.where(self.times > 0, self.times * np.where(self.times > 0, self._scores, 0.0), 0)

    def _error_of(self, scores: Array) -> float:
        """The standard error of ``Σ times · scores``."""
        times, present = self.times, self.times > 0
        if not np.isfinite(scores[present]).all():
            return np.inf
        added = np.where(present, times * scores, 0.0)
        if self.groups is not None:
            values: Array = np.asarray(np.bincount(self.codes, added, minlength=len(self.groups)))
            weights = np.bincount(self.codes, present, minlength=len(self.groups)) > 0
            counts = np.asarray(weights, dtype=np.float64)
        elif self.weighting.counts_rows:
            values, counts = scores, times
        else:
            values, counts = added, present.astype(np.float64)
        n = counts.sum()
        if not n > 1:
            return np.nan
        mean = (counts @ values) / n
        return float(np.sqrt(n / (n - 1.0) * (counts @ (values - mean) ** 2)))

    def _labels_of(self, which: Any) -> list[Any]:
        """Labels of some rows, or their positions where the rows have no index."""
        rows = np.nonzero(which)[0]
        return list(rows.tolist() if self.index is None else self.index[rows])


def warn_of_rows(found: LeaveOneOut) -> None:
    """Warn of rows to which fits without them give no probability, or no mean."""
    if labels := found.separated_:
        what = "them" if found.groups is None else "their groups"
        warn_user(
            f"without {what} a fit of the others has no optimum, or one with a mean on the bound "
            f"of the family, and it or its limit gives row(s) {listed(labels)} a probability of "
            "zero: the log score is minus infinity. Penalise the fit (a smaller C, a larger "
            "alpha), or collect more rows.",
            LeftOutWarning,
        )
    outside = np.isinf(found.losses) & ~found.lost & (found.weights > 0)
    if labels := found._labels_of(outside):
        warn_user(
            f"the fits without row(s) {listed(labels)} give them no mean of the family: their "
            "linear predictors are outside the domain of the link, and their log scores are minus "
            "infinity. Choose a link whose means have no bounds (log; logit for binomial).",
            NoMeanWarning,
        )
