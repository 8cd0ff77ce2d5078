"""Intervals and tests from the likelihood itself, of classes: those of two, or of more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.offset_methods import OffsetMethods
from mcmodels.inference.class_profiles import ClassLimitProfiles, ClassProfiles
from mcmodels.inference.profiles import LikelihoodProfiles, Scale
from mcmodels.records.logistic import LogisticFit
from mcmodels.rows import Rows, RowStream
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.profile import Profile

__all__ = ["ClassLikelihoodMethods"]


class ClassLikelihoodMethods(OffsetMethods):
    """Profile intervals and likelihood-ratio tests of classes.

    With more than two classes profiles are of differences from a class of reference, named
    ``class:feature`` as in ``summary()``, and a test leaves a column out of all classes. Formulas
    are in :mod:`mcmodels.inference.class_profiles`.
    """

    def profile_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        reference: object = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Intervals of parameters that a likelihood-ratio test does not reject.

        The interval of θⱼ has the values at which the largest log-likelihood is no more than
        ``q²/2`` below the maximum, where q is the quantile of the normal distribution. Other than
        intervals from standard errors they need not be symmetric, and do not depend on how the
        parameter is written. Where classes are separated, a parameter that diverges has one
        infinite end, or two.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        level : float, default=0.95
            Coverage, in (0, 1).
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; with more than two classes ``class:feature``. By
            default all parameters.
        reference : label, default=None
            With more than two classes, the class that the others are compared with; by default the
            first.
        offset : array-like, default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.

        Raises
        ------
        InferenceError
            If the fit is penalised, or did not converge; if classes are separated and the supremum
            of the likelihood could not be proved; if a bound was not found; or if the fit turns out
            not to be the least minimum.

        Notes
        -----
        The source of the computation is in :mod:`mcmodels.solvers.profile`, and where classes are
        separated in :mod:`mcmodels.solvers.limits`, of more than two in
        :mod:`mcmodels.solvers.choice_limits`; of the intervals Cox and Hinkley (1974),
        *Theoretical Statistics*, §7.2.

        Examples
        --------
        No row of the second group is of the first class, so that its log-odds are infinite:

        >>> import numpy as np, warnings
        >>> from mcmodels import LogisticRegression
        >>> group, y = np.repeat([[0.0], [1.0]], 6, axis=0), [0, 0, 1, 0, 1, 1] + 6 * [1]
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")  # SeparationWarning
        ...     model = LogisticRegression(C=np.inf).fit(group, y)
        >>> model.profile_intervals(group, y).round(3)
                     lower  upper
        x0           0.491    inf
        (intercept) -1.687  1.687
        """
        added = {"offset": offset}
        return self._profile_intervals(X, y, sample_weight, level, parameters, added, reference)

    def score_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        reference: object = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Intervals of parameters that a score test does not reject.

        For each value of θⱼ the other parameters are at their best, and the derivative of the
        likelihood in θⱼ is compared with its standard error there. Of a proportion it is Wilson's
        interval. Each bound takes some ten fits with the parameter held.

        Parameters are those of :meth:`profile_intervals`.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.

        Raises
        ------
        InferenceError
            As :meth:`profile_intervals`.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.score_intervals`.
        """
        added = {"offset": offset}
        return self._score_intervals(X, y, sample_weight, level, parameters, added, reference)

    def likelihood_profile(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.99,
        points: int = 21,
        parameters: Sequence[str] | None = None,
        reference: object = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """The profile of the likelihood along parameters, for plots.

        Parameters
        ----------
        X, y, sample_weight, parameters, reference, offset
            As in :meth:`profile_intervals`.
        level : float, default=0.99
            The profile reaches to the ends of the profile intervals of this level, in (0, 1).
        points : int, default=21
            Number of values, at least 3.

        Returns
        -------
        DataFrame
            As that of :meth:`mcmodels.GeneralizedLinearRegressor.likelihood_profile`.

        Raises
        ------
        InferenceError
            As :meth:`profile_intervals`.
        """
        return self._likelihood_profile(
            X, y, sample_weight, level, points, parameters, {"offset": offset}, reference
        )

    def _names_of_profiles(self, reference: object) -> Sequence[str]:
        record: LogisticFit = self._record()
        if record.params.ndim == 1:
            record.refuse_other_references(reference)
            return record.parameter_names
        base = record.position(reference)
        others = [label for k, label in enumerate(record.classes) if k != base]
        return [f"{label!s}:{name}" for label in others for name in record.parameter_names]

    def _profiles_of(self, rows: Rows, reference: object) -> LikelihoodProfiles:
        record: LogisticFit = self._record()
        if record.params.ndim == 1:
            return super()._profiles_of(rows, reference)
        record.refuse_without_likelihood("a profile of the likelihood")
        base, params, scale = record.position(reference), record.params, record.likelihood_scale
        if record.is_a_limit:
            return ClassLimitProfiles(
                rows=rows,
                names=self._names_of_profiles(reference),
                scale=Scale(*scale),
                n_classes=len(params),
                reference=base,
                columns=record.parameter_names,
            )
        self._refuse_unfinished(rows)
        record.model.refuse_undetermined()
        objective: Any = self._objective_of_fit(rows)
        differences = record.model.differences(base)
        found = record.model.contrasts(record.fitted_estimate, base)
        return ClassProfiles(
            profile=Profile(objective, params),
            refits=None if self._is_convex else HeldFits(objective, params, differences),
            combinations=differences,
            centres=found.params,
            errors=found.standard_errors,
            scale=Scale(*scale),
            is_convex=self._is_convex,
            objective=objective,
            params=params,
        )
