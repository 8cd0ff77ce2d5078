"""What the weights of a fit are, and what follows for every formula that has weights in it.

The estimates are the same for all three kinds: they minimise ``Σ wᵢ ℓᵢ``. They differ in what is
said of their precision. With ``n₊`` the number of rows of positive weight and s the score of a row
of weight one,

===============  ====================  ====================  =======================
.                frequency             precision             probability
===============  ====================  ====================  =======================
a weight         counts equal rows     is ``φ / Var yᵢ``     is ``1/P(i is sampled)``
n                ``Σ wᵢ``              ``n₊``                ``n₊``
noise, φ         ``Σ wr²/(n - P)``     ``Σ wr²/(n - P)``     ``Σ w̄r²/(n - P)``
sandwich         ``Σ wᵢ sᵢsᵢᵀ``        ``Σ wᵢ² sᵢsᵢᵀ``       ``Σ wᵢ² sᵢsᵢᵀ``
leverage in it   ``x̃ᵀA x̃``             ``wᵢ x̃ᵀA x̃``          ``wᵢ x̃ᵀA x̃``
log-likelihood   ``Σ wᵢ log p(φ)``     ``Σ log p(φ/wᵢ)``     ``Σ wᵢ log p(φ)``
===============  ====================  ====================  =======================

with ``w̄ᵢ = n wᵢ/Σw`` (the variance of the noise does not depend on the scale of sampling weights)
and A the inverse of ``X̃ᵀWX̃``. Targets without a dispersion, as counts, have ``wᵢ log p`` also as
precision weights; of binomial proportions frequencies and precisions are the trials. The likelihood
of sampling weights is a pseudo-likelihood, which is compared with no other.

Sources: McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.2.2 (prior weights);
Binder (1983), *On the variances of asymptotically normal estimators from complex surveys*,
International Statistical Review 51(3); Lumley (2010), *Complex Surveys*, §5.2; Stata's manual, [U]
20.24 "Weighted estimation".
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives.families import Binomial, Family
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import Rows, Seen

__all__ = ["Weighting"]


class Weighting(enum.Enum):
    """One of the three kinds of weights; see :mod:`mcmodels.inference.weighting`."""

    FREQUENCY = "frequency"
    PRECISION = "precision"
    PROBABILITY = "probability"

    @property
    def counts_rows(self) -> bool:
        """Whether a row of weight two is the same as two rows."""
        return self is Weighting.FREQUENCY

    @property
    def has_likelihood(self) -> bool:
        """Whether ``Σ wᵢ log pᵢ`` is the log-likelihood of a model, not of a sample from many."""
        return self is not Weighting.PROBABILITY

    @property
    def description(self) -> str:
        """What the weights are, for summaries; empty for the default."""
        return {
            Weighting.FREQUENCY: "",
            Weighting.PRECISION: "precisions (inverse variances)",
            Weighting.PROBABILITY: "inverse probabilities of being sampled",
        }[self]

    @property
    def likelihood_name(self) -> str:
        """What ``Σ wᵢ log pᵢ`` is called in summaries."""
        return "log-likelihood" if self.has_likelihood else "pseudo-log-likelihood"

    def count(self, total_weight: float, n_present: int) -> float:
        """Number of observations n: the sum of the weights, or the rows of positive weight."""
        return total_weight if self.counts_rows else float(n_present)

    def count_of(self, rows: Rows | Seen) -> float:
        """How many observations some rows are."""
        return self.count(rows.total_weight, rows.n_present)

    def count_in_likelihood(self, total_weight: float, n_present: int) -> float:
        """How often the variance of normal targets is in the (pseudo-)likelihood."""
        return float(n_present) if self is Weighting.PRECISION else total_weight

    def log_density(
        self,
        family: Family,
        log_likelihood: Callable[[Array, Array | float], Array],
        weights: Array,
        dispersion: float,
    ) -> Array:
        """What each row adds to the (pseudo-)log-likelihood of a generalized linear model.

        ``log_likelihood`` gives it for frequencies and φ of the rows.
        """
        if self is Weighting.PROBABILITY:
            return weights * log_likelihood(np.ones_like(weights), dispersion)
        if self is Weighting.PRECISION and family.has_dispersion:
            return log_likelihood(np.ones_like(weights), dispersion / weights)
        return log_likelihood(weights, dispersion)

    def in_residuals(self, loss: FamilyLoss, weights: Array | None) -> Array | None:
        """Weights whose roots are factors of Pearson's residuals and the like; None for ones.

        Those of precisions, as in R, and the trials of binomial proportions.
        """
        are_trials = isinstance(loss.family, Binomial) and self.has_likelihood
        return weights if are_trials or self is Weighting.PRECISION else None

    def residuals(self, unweighted: Array, weights: Array | None) -> Array:
        """Residuals of classes: those of precisions times their roots."""
        of_rows = weights if self is Weighting.PRECISION else None
        return unweighted if of_rows is None else unweighted * np.sqrt(of_rows)

    def dispersion_of_rows(
        self, loss: FamilyLoss, dispersion: float, weights: Array | None
    ) -> Array | float:
        """``φ/wᵢ`` of precisions (φ for rows of weight 0); raises if there is no such density."""
        is_binomial = isinstance(loss.family, Binomial)
        if self is not Weighting.PRECISION or weights is None or is_binomial:
            return dispersion
        if not loss.family.has_dispersion and (weights != 1.0).any():
            raise InferenceError(
                f"the family ({loss.family.description}) has no distribution of the variance "
                "V(μ)/w, which weights='precision' give its targets; take deviance residuals."
            )
        return dispersion / np.where(weights > 0, weights, 1.0)

    def counted(self, n: float) -> str:
        """The number of observations in words, for messages."""
        return f"{n:g} rows (the sum of the weights)" if self.counts_rows else f"{n:g} rows"

    def in_row(self, weights: Any) -> Any:
        """How many observations a row has: its weight, or one (none where the weight is zero)."""
        return weights if self.counts_rows else np.where(np.asarray(weights) > 0, 1.0, 0.0)

    def of_score(self, weights: Array) -> Array:
        """Factor of the score of each row, whose products with themselves are the sandwich."""
        return np.sqrt(weights) if self.counts_rows else weights

    def of_leverage(self, weights: Array | None) -> Array | float:
        """Factor of ``x̃ᵀA x̃``: one, of one of equal rows; else the weight."""
        return 1.0 if self.counts_rows or weights is None else weights

    def relative(self, total_weight: float, n_present: int) -> float:
        """What weights are multiplied by in a variance of the noise."""
        return 1.0 if self.has_likelihood else n_present / total_weight

    def log_weights(self, rows: Rows) -> float:
        """``Σ log wᵢ`` of precisions, by one more pass over the rows; 0 for other kinds.

        Half of it is what normal log-likelihoods gain by variances ``σ²/wᵢ``.
        """
        if self is not Weighting.PRECISION:
            return 0.0
        return float(rows.reduce(lambda block: np.log(block.weights_or_ones).sum()))

    def refuse_without_likelihood(
        self,
        what: str,
        instead: str = "Use wald_test or confidence_intervals, whose errors are robust.",
    ) -> None:
        """Raise if ``what`` compares likelihoods, and the weights are those of a survey.

        ``instead`` is what the user can do.
        """
        if not self.has_likelihood:
            raise InferenceError(
                f"{what} needs a likelihood, and with weights='probability' there is only a "
                f"pseudo-likelihood, which grows with the scale of the weights. {instead}"
            )

    def refuse_tests_of_noise(self, what: str, instead: str) -> None:
        """Raise if a test supposes normal noise of known relative variances, and there is a survey.

        ``instead`` is what the user can do.
        """
        if not self.has_likelihood:
            raise InferenceError(
                f"{what} supposes that weights tell the variances of the noise, or count rows, and "
                f"with weights='probability' they say how rows were sampled. {instead}"
            )

    def refuse_model_covariance(self, kind: str) -> None:
        """Raise if the inverse of the Hessian is asked for, and the weights are those of a survey.

        ``kind`` is the one that was asked for.
        """
        if not self.has_likelihood:
            raise InferenceError(
                f"kind={kind!r} is the inverse of an information matrix, and with "
                "weights='probability' this is the covariance of no estimate. Choose kind='HC1', "
                "or another robust kind, or fit with weights='precision'."
            )

    def require_same_count(self, rows: Rows, seen: Seen) -> None:
        """Refuse training rows of which equal ones were put together, where that is not the same.

        ``seen`` are those of the fit.
        """
        if not self.counts_rows and rows.n_present != seen.n_present:
            raise ValueError(
                f"the rows have {rows.n_present} of positive weight; those of the fit had "
                f"{seen.n_present}. With weights={self.value!r} a weight of two and a row given "
                "twice are not the same: pass the rows of the fit."
            )
