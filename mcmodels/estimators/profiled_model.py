"""A model whose likelihood has profiles over its training rows; the names of what has them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.determined_profiles import DeterminedProfiles
from mcmodels.inference.limit_profiles import LimitProfiles
from mcmodels.inference.profiles import FiniteProfiles, LikelihoodProfiles, Scale
from mcmodels.inference.tolerances import NEGLIGIBLE_GAIN
from mcmodels.rows import Rows, RowsOfColumns
from mcmodels.solvers import Status, irls
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.profile import Information, Profile
from mcmodels.solvers.refits import BoundsOfProfile, Held, Refits, held_by

__all__ = ["ProfiledModel", "positions"]


class ProfiledModel(InfluenceMethods):
    """Profiles of the likelihood of a model that Newton's method has fitted."""

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
