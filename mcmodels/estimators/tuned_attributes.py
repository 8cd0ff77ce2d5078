"""What estimators with C or alpha share: a penalty that is given or chosen, and its criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, Penalty, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import check_number
from mcmodels.estimators.conditional_methods import unless
from mcmodels.estimators.criterion_curve import criterion_curve
from mcmodels.estimators.model import Fitted
from mcmodels.estimators.penalty_groups import check_penalty, given_penalties
from mcmodels.estimators.validation import Features
from mcmodels.exceptions import InferenceError
from mcmodels.records.given_penalties import GivenPenalties
from mcmodels.rows import Rows, RowStream

__all__ = ["TunedAttributes", "not_chosen"]


def not_chosen(model: Any) -> str | None:
    """Why a model has no criterion of its penalty; None where it has."""
    if isinstance(getattr(model, "C", getattr(model, "alpha", None)), str):
        return None
    return 'is of a penalty that was chosen by a criterion, as C="loo" or alpha="loo" does.'


class TunedAttributes:
    """The criterion by which a penalty was chosen, and the penalties that were tried."""

    _fit: Any
    penalty_groups: Any
    _check_order: Any

    criterion_ = Fitted(
        "criterion",
        "The criterion at the chosen penalty, up to terms that no penalty changes; docs/tuning.md.",
    )
    criterion_gradient_ = Fitted(
        "criterion_gradient",
        "Its derivative by the logarithm of the penalty's parameter, of groups a dict.",
    )
    criterion_path_ = Fitted(
        "criterion_path",
        "The penalties that were tried, with the criterion and effective degrees of freedom.",
    )
    effective_freedom_ = Fitted(
        "effective_freedom", "``tr(H⁻¹ H_loss)`` at the chosen penalty, the intercept included."
    )

    @unless(not_chosen)
    def criterion_curve(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        values: VectorLike | None = None,
        group: str | None = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """The criterion of a chosen penalty at other penalties, each with a fit of its own.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            The training rows.
        y : array-like of shape (n_samples,), default=None
            Their targets; a stream holds them.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        values : array-like of shape (k,), default=None
            Positive values of C, or of alpha; by default 25 between a thousandth and a thousand
            times the chosen one.
        group : str, default=None
            With ``penalty_groups``, the group whose penalty varies, the others held; required
            there.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            The offset of the fit, if it has had one.

        Returns
        -------
        DataFrame
            Columns C or alpha, criterion, and edf (effective degrees of freedom), in the order of
            ``values``. Where a fit did not converge, the last two are NaN.
        """
        return self._criterion_curve(X, y, sample_weight, values, group, {"offset": offset})

    def _criterion_curve(
        self, X: Any, y: Any, sample_weight: Any, values: Any, group: Any, offsets: dict[str, Any]
    ) -> pd.DataFrame:
        given = {"X": X, "y": y, "sample_weight": sample_weight}
        for name, what in given.items():
            refuse_masked(name, what)
        self._check_order(X, y, sample_weight, **offsets)
        return criterion_curve(self, X, y, sample_weight, values, group, offsets)

    def _check_penalty(self, name: str) -> str | None:
        """Refuse a penalty that is neither given nor the name of a criterion, which is returned.

        ``name`` is that of the parameter, C or alpha.
        """
        value = getattr(self, name)
        criterion = check_penalty(name, value, self.penalty_groups)
        if isinstance(value, Mapping):
            return criterion
        if criterion is None and name == "C":
            check_number("C", value, above=0)
            if 1.0 / float(value) == np.inf:
                raise ValueError(f"C={value!r} is so small that 1/C overflows float64.")
        elif criterion is None:
            check_number("alpha", value, at_least=0)
            if not np.isfinite(float(value)):
                raise ValueError(f"alpha={value!r} must be finite.")
        return criterion

    def _given_penalties(self, name: str, features: Features) -> GivenPenalties | None:
        """The numbers of groups of columns; None where there is one for all, or a criterion."""
        value = getattr(self, name)
        if not isinstance(value, Mapping):
            return None
        return given_penalties(name, value, self.penalty_groups, features)

    def _stated_penalty(self, name: str, rows: Rows, features: Features | None = None) -> Penalty:
        """α by the parameter of the estimator; of a name, that of the fit.

        ``features`` are the columns of the rows; by default those of the fit.
        """
        value = getattr(self, name)
        if features is None:
            features = Features(rows.n_features, getattr(self, "feature_names_in_", None))
        given = self._given_penalties(name, features)
        if given is not None:
            return given.penalty(intercept=rows.intercept)
        if not isinstance(value, str):
            return 1.0 / float(value) if name == "C" else float(value)
        if self._fit is None:
            raise InferenceError(
                f"{name}={value!r} has a number after a fit only; fit, or give {name} a number."
            )
        penalty: Penalty = self._fit.penalty
        return penalty
