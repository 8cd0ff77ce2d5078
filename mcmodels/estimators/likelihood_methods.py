"""Inference from the likelihood itself: profile intervals, and tests of single coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_count, check_flag, listed
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.estimators.profiled_model import ProfiledModel
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.profiles import ratio_tests
from mcmodels.inference.ratios import in_ratios
from mcmodels.inference.summary import Summary
from mcmodels.rows import RowStream

__all__ = ["LikelihoodMethods"]

_WITHOUT = "the maximum without it"
_NO_MAXIMUM = (
    "the likelihood is far from quadratic there, or has no maximum. Leave these out of parameters."
)
_NO_SCORE = (
    "the likelihood is far from quadratic there, has no maximum, or is largest at the bounds of "
    "the means, where a score test is not defined. Take profile_intervals, or leave these out of "
    "parameters."
)


class LikelihoodMethods(ProfiledModel):
    """Profile intervals and likelihood-ratio tests of models that Newton's method has fitted.

    They need the training rows, and read them about five times for each bound or test.
    """

    def _summary(
        self,
        rows: tuple[Any, Any, Any],
        robust: RobustOptions,
        exponentiate: bool = False,
        *,
        p_values: bool | None,
        **options: Any,
    ) -> Summary:
        """The summary by the record of the fit; of the covariance that ``robust`` asks for."""
        if p_values is not None:
            check_flag("p_values", p_values)
        check_flag("exponentiate", exponentiate)
        if exponentiate:
            _ = self._record().ratio_name  # raises, before any row is read
        record, estimate = self._estimate(*rows, **robust)
        found = record.summary(estimate, p_values=p_values, **options)
        return in_ratios(found, record.ratio_name) if exponentiate else found

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
