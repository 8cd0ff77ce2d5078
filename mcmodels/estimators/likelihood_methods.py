"""Inference from the likelihood itself: profile intervals, and tests of single coefficients."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_count, listed
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.determined_profiles import DeterminedProfiles
from mcmodels.inference.estimate import check_level
from mcmodels.inference.limit_profiles import LimitProfiles
from mcmodels.inference.profiles import (
    FiniteProfiles,
    LikelihoodProfiles,
    Scale,
    ratio_tests,
)
from mcmodels.inference.tolerances import NEGLIGIBLE_GAIN
from mcmodels.rows import Rows, RowsOfColumns, RowStream
from mcmodels.solvers import Status, irls
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.profile import Information, Profile
from mcmodels.solvers.refits import BoundsOfProfile, Held, Refits, held_by

__all__ = ["LikelihoodMethods", "positions"]

_WITHOUT = "the maximum without it"
_NO_MAXIMUM = (
    "the likelihood is far from quadratic there, or has no maximum. Leave these out of parameters."
)
_NO_SCORE = (
    "the likelihood is far from quadratic there, has no maximum, or is largest at the bounds of "
    "the means, where a score test is not defined. Take profile_intervals, or leave these out of "
    "parameters."
)


class LikelihoodMethods(InfluenceMethods):
    """Profile intervals and likelihood-ratio tests of models that Newton's method has fitted.

    They need the training rows, and read them about five times for each bound or test.
    """

    def profile_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Intervals of parameters that a likelihood-ratio test does not reject.

        The interval of θⱼ has the values at which the largest log-likelihood is no more than
        ``q²/2`` below the maximum (times the dispersion), where q is the quantile of the normal
        distribution; of Student's t where the dispersion was estimated. Other than intervals from
        standard errors they need not be symmetric, and do not depend on how the parameter is
        written. Of normal linear models they are the t intervals. Where the likelihood has no
        maximum, a parameter that diverges has one infinite end, or two.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        level : float, default=0.95
            Coverage, in (0, 1).
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all parameters.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.

        Raises
        ------
        InferenceError
            If the fit is penalised, or has no likelihood, or did not converge; if it has no maximum
            and its supremum could not be proved; or if a bound was not found.

        Notes
        -----
        The source of the computation is in :mod:`mcmodels.solvers.profile`; of the intervals Cox
        and Hinkley (1974), *Theoretical Statistics*, §7.2.
        """
        return self._profile_intervals(X, y, sample_weight, level, parameters, {"offset": offset})

    def _profile_intervals(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        level: float,
        parameters: Sequence[str] | None,
        offsets: dict[str, Any],
        reference: object = None,
    ) -> pd.DataFrame:
        check_level(level)
        given = (X, y, sample_weight, offsets)
        profiles, names, chosen = self._profiles(given, parameters, reference)
        found = profiles.ends(chosen, level)
        _refuse_unfound(found, names, "a bound", determined=profiles.determined(chosen))
        return pd.DataFrame(found, index=names, columns=["lower", "upper"])

    def likelihood_ratio_tests(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Tests that single parameters are zero: each against the model without it.

        The statistic is twice the difference of the largest log-likelihoods, which is about χ² with
        one degree of freedom. Where the dispersion was estimated, it is the difference of the
        deviances by the dispersion of the whole model, which is about F.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all features.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each parameter; columns statistic, df and p_value.

        Raises
        ------
        InferenceError
            As :meth:`profile_intervals`; or if the maximum of a smaller model was not found.
        """
        return self._likelihood_ratio_tests(X, y, sample_weight, parameters, {"offset": offset})

    def _likelihood_ratio_tests(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        parameters: Sequence[str] | None,
        offsets: dict[str, Any],
        reference: object = None,
    ) -> pd.DataFrame:
        record = self._record()
        if parameters is None:
            parameters = list(record.names)
        given = (X, y, sample_weight, offsets)
        profiles, names, chosen = self._profiles(given, parameters, by_column=True)
        excesses = profiles.excesses(chosen)
        restrictions = max(len(record.params) - 1, 1) if record.params.ndim > 1 else 1
        determined = profiles.determined(chosen)
        table = ratio_tests(excesses, profiles.scale, restrictions, determined)
        found = table.to_numpy()
        found = np.where(np.isfinite(found), found, np.nan)
        _refuse_unfound(found, names, _WITHOUT, determined=determined)
        return table.set_axis(names)

    def score_intervals(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.95,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """Intervals of parameters that a score test does not reject.

        For each value of θⱼ the other parameters are at their best, and the derivative of the
        likelihood in θⱼ is compared with its standard error there. Of a proportion it is Wilson's
        interval. The information is the expected one; of losses of your own, the observed one. If
        the bounds of the means leave θⱼ no farther values before the test rejects, the interval
        ends there.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        level : float, default=0.95
            Coverage, in (0, 1).
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all parameters.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            One row for each parameter; columns lower and upper.

        Raises
        ------
        InferenceError
            If the fit is penalised, or has no likelihood, or did not converge; if it has no maximum
            and its supremum could not be proved; or if a bound was not found.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.score_intervals`. Each bound takes some
        ten fits with the parameter held.
        """
        return self._score_intervals(X, y, sample_weight, level, parameters, {"offset": offset})

    def _score_intervals(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        level: float,
        parameters: Sequence[str] | None,
        offsets: dict[str, Any],
        reference: object = None,
    ) -> pd.DataFrame:
        check_level(level)
        record = self._record()
        if record.log_prior is not None:
            raise InferenceError(
                "score intervals are those of a likelihood, and this fit has Jeffreys' prior; call "
                "profile_intervals."
            )
        given = (X, y, sample_weight, offsets)
        profiles, names, chosen = self._profiles(given, parameters, reference)
        found = profiles.score_ends(chosen, level, self._information)
        _refuse_unfound(found, names, "a bound", _NO_SCORE, profiles.determined(chosen))
        return pd.DataFrame(found, index=names, columns=["lower", "upper"])

    def likelihood_profile(
        self,
        X: MatrixLike | RowStream,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        level: float = 0.99,
        points: int = 21,
        parameters: Sequence[str] | None = None,
        offset: VectorLike | None = None,
    ) -> pd.DataFrame:
        """The profile of the likelihood along parameters, for plots.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        level : float, default=0.99
            The profile reaches to the ends of the profile intervals of this level, in (0, 1).
        points : int, default=21
            Number of values, at least 3: evenly on each side of the estimate, which is among them.
        parameters : sequence of str, default=None
            Names of features, or "(intercept)"; by default all parameters.
        offset : array-like of shape (n_samples,), default=None
            That of the fit.

        Returns
        -------
        DataFrame
            Columns parameter, value, drop (``2(ℓ̂ - ℓ)/φ``, ℓ the largest log-likelihood with the
            parameter held at the value) and root: its root with the sign of ``value - estimate``,
            which is a straight line where the likelihood is quadratic.

        Raises
        ------
        InferenceError
            As :meth:`profile_intervals`.
        """
        added = {"offset": offset}
        return self._likelihood_profile(X, y, sample_weight, level, points, parameters, added)

    def _likelihood_profile(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        level: float,
        points: int,
        parameters: Sequence[str] | None,
        offsets: dict[str, Any],
        reference: object = None,
    ) -> pd.DataFrame:
        check_count("points", points, at_least=3)
        check_level(level)
        given = (X, y, sample_weight, offsets)
        profiles, names, chosen = self._profiles(given, parameters, reference)
        table = profiles.points(chosen, level, points)
        found, determined = table.reshape(len(names), 3 * points), profiles.determined(chosen)
        _refuse_unfound(found, names, "a point", determined=determined)
        frame = pd.DataFrame(table.reshape(-1, 3), columns=["value", "drop", "root"])
        frame.insert(0, "parameter", np.repeat(names, table.shape[1]))
        return frame

    @property
    def _information(self) -> Information:
        """The objective whose Hessian is the information of score tests."""
        return lambda objective: objective

    def _profiles(
        self,
        given: tuple[Any, Any, Any, dict[str, Any]],
        parameters: Sequence[str] | None,
        reference: object = None,
        *,
        by_column: bool = False,
    ) -> tuple[LikelihoodProfiles, list[str], list[int]]:
        """Profiles of the likelihood over the training rows; names and positions of those chosen.

        With ``by_column`` they are of columns, of all classes together.
        """
        record = self._record()
        record.weighting.refuse_without_likelihood("a profile of the likelihood")
        names = list(record.parameter_names if by_column else self._names_of_profiles(reference))
        chosen = positions(parameters, names)
        X, y, sample_weight, offsets = given
        rows = self._rows_again(X, y, sample_weight, **offsets)
        chosen_names = [names[k] for k in chosen]
        if record.estimable is None or record.undetermined:
            return self._profiles_of(rows, reference), chosen_names, chosen
        record.refuse_without_likelihood("a profile of the likelihood")
        smaller, found = copy.copy(self), None
        smaller._fit, kept = record.without_redundant_columns()
        if kept:
            columns = [j for j in kept if j < len(record.names)]
            found = smaller._profiles_of(RowsOfColumns(rows, columns), reference)
        determined = record.estimable.determined[: record.params.shape[-1]]
        scale = Scale(*record.likelihood_scale)
        return DeterminedProfiles(found, scale, kept, determined), chosen_names, chosen

    def _held_fits(self, rows: Rows) -> BoundsOfProfile | None:
        """Fits with a parameter held and the prior of the whole model; None without a prior."""
        record = self._record()
        if record.log_prior is None:
            return None
        objective: Any = self._objective_of_fit(rows)
        return HeldFits(objective, record.params, np.eye(len(record.params)))

    @property
    def _is_convex(self) -> bool:
        """Whether the objective has a single minimum; of one with a prior that is not known."""
        return bool(self._record().log_prior is None)

    def _fit_held(self, rows: Rows, start: Array) -> Held:
        """The least value of the objective over other rows, and where it is, if it was found."""
        return held_by(irls.fit, self._objective_of_fit(rows), start)

    def _refuse_unfinished(self, rows: Rows) -> None:
        """Raise if the fit has stopped before its maximum, to which profiles are compared.

        Steps that go on from there show whether it has. Where rows are at the bounds of the means
        none has a gradient of zero.
        """
        record = self._record()
        if record.status is not Status.NOT_CONVERGED:
            return
        if record.log_prior is None:
            least = self._fit_held(rows, record.params).least
            if record.objective - least <= NEGLIGIBLE_GAIN * record.likelihood_scale[0]:
                return
        raise InferenceError(
            "the fit did not converge, and profiles, tests and intervals of the likelihood compare "
            "with its maximum. Fit again with a larger max_iter, or scale the columns."
        )

    def _names_of_profiles(self, reference: object) -> Sequence[str]:
        """Names of what has profiles: the parameters."""
        return tuple(self._record().parameter_names)

    def _profiles_of(self, rows: Rows, reference: object) -> LikelihoodProfiles:
        """The profiles of the parameters of one linear predictor."""
        record = self._record()
        record.refuse_without_likelihood("a profile of the likelihood")
        objective: Any = self._objective_of_fit(rows)
        params, scale = record.params, Scale(*record.likelihood_scale)
        if record.is_a_limit:
            return LimitProfiles(objective, params, record.parameter_names, scale)
        self._refuse_unfinished(rows)
        if record.perfect_targets:
            raise InferenceError(
                "the fit is perfect, up to rounding: the dispersion is that of rounding errors, "
                "and no likelihood is the largest. Fit fewer columns, or give dispersion a number."
            )
        record.model.refuse_undetermined()
        errors, units = record.fitted_estimate.standard_errors, np.eye(len(params))
        profile = Profile(objective, params)

        def near(k: int, value: float) -> Array | None:
            return profile.nearest(units[k], value)

        convex = self._is_convex
        refits = self._held_fits(rows)
        refits = refits or Refits(rows, params, self._fit_held, near, is_convex=convex)
        return FiniteProfiles(profile, refits, units, params, errors, scale, convex)


def _refuse_unfound(
    found: Array,
    names: list[str],
    what: str,
    reason: str = _NO_MAXIMUM,
    determined: npt.NDArray[np.bool_] | bool = True,
) -> None:
    lost = np.flatnonzero(np.isnan(found).any(axis=1) & determined)
    if lost.size:
        listing = listed([names[k] for k in lost])
        raise InferenceError(f"{what} was not found for {listing}: {reason}")


def positions(parameters: Any, names: Sequence[str]) -> list[int]:
    """Where some parameters are among all, by their names; None means all of them."""
    if parameters is None:
        return list(range(len(names)))
    names = list(names)
    chosen = [parameters] if isinstance(parameters, str) else parameters
    if not isinstance(chosen, list | tuple | pd.Index | np.ndarray) or any(
        not isinstance(name, str) for name in chosen
    ):
        raise TypeError(
            f"parameters={example_of(parameters)} must be a list of names of parameters: "
            f"{listed(names)}."
        )
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise ValueError(
            f"parameters names {example_of(unknown[0])}; the parameters of this model are "
            f"{listed(names)}."
        )
    twice = [name for name in chosen if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"parameters names {twice[0]!r}, which is a feature and the intercept, too; give the "
            "feature another name."
        )
    return [names.index(name) for name in chosen]
