"""What estimators of a loss of the user's do with auxiliary parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mcmodels.arrays import Array, VectorLike
from mcmodels.estimators.arguments import check_params
from mcmodels.estimators.auxiliary_arguments import auxiliary_shapes, auxiliary_values
from mcmodels.estimators.auxiliary_pointwise import link_with_auxiliary, pointwise_with_auxiliary
from mcmodels.estimators.auxiliary_verdicts import undetermined_with_auxiliary
from mcmodels.estimators.offset_methods import OffsetMethods
from mcmodels.estimators.pointwise import pointwise
from mcmodels.estimators.validation import Features
from mcmodels.estimators.verdicts import undetermined
from mcmodels.exceptions import InferenceError
from mcmodels.inference.profiles import FiniteProfiles, LikelihoodProfiles, Scale
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective, AuxiliaryShapes
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.records.record import INTERCEPT
from mcmodels.rows import Rows
from mcmodels.solvers import Solution
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.joint_conclusion import JointSolution
from mcmodels.solvers.joint_newton import joint_coordinates
from mcmodels.solvers.joint_refits import JointRefits, joint_held
from mcmodels.solvers.profile import Profile
from mcmodels.solvers.starts import better_start, intercept_start

__all__ = [
    "AuxiliaryMethods",
    "loss_of",
    "refuse_names",
    "seen_by_predictor",
]


class AuxiliaryMethods(OffsetMethods):
    """Parameters of a linear predictor, then the auxiliary parameters of the loss.

    Without auxiliary parameters these methods are those of other models.
    """

    auxiliary: Any
    inverse_link: Any

    @property
    def params_(self) -> Array:
        """Coefficients, then the intercept when one is fitted, then the auxiliary parameters."""
        of_predictor = self._predictor_params()
        if not self._auxiliary_found:
            return of_predictor
        return np.concatenate([of_predictor, self._shapes.ravel(self._auxiliary_found)])

    @params_.setter
    def params_(self, params: VectorLike) -> None:
        """Set ``coef_``, ``intercept_`` and ``auxiliary_``."""
        values = check_params(params, self.params_.shape)
        if not self._auxiliary_found:
            self._set_predictor_params(values)
            return
        cut = len(values) - self._shapes.size
        self._set_predictor_params(values[:cut])
        self.auxiliary_ = self._shapes.named(values[cut:])

    @property
    def _auxiliary_found(self) -> dict[str, Any]:
        """The auxiliary parameters of the fit, or as the user has set them; empty if none."""
        try:
            return auxiliary_values(vars(self).get("auxiliary_"))
        except (TypeError, ValueError) as error:
            raise InferenceError(f"auxiliary_ was changed: {error}") from error

    @property
    def _shapes(self) -> AuxiliaryShapes:
        return auxiliary_shapes(self._auxiliary_found)

    def _bound_link(self) -> Any:
        """The inverse link, with the values of the auxiliary parameters that it takes."""
        return link_with_auxiliary(self.inverse_link, self._auxiliary_found)

    def _link_of_eta(self) -> Any:
        """The inverse link, for standard errors. Raises if it takes auxiliary parameters."""
        if self._bound_link() is not self.inverse_link:
            raise InferenceError(
                "inverse_link takes auxiliary parameters, and errors of its predictions would "
                "leave theirs out. Write the prediction as a function of params_, and call "
                "delta_method; or set an inverse_link of eta alone."
            )
        return self.inverse_link

    @property
    def _tracked_names(self) -> tuple[str, ...]:
        return (*self._tracked, "auxiliary_") if self._auxiliary_found else self._tracked

    def _coefficient_arrays(self) -> Iterator[Any]:
        yield from super()._coefficient_arrays()
        if self._auxiliary_found:
            yield self._shapes.ravel(self._auxiliary_found)

    def _shapes_given(self) -> AuxiliaryShapes:
        """Names and shapes of the auxiliary parameters that a fit will have."""
        return auxiliary_shapes(auxiliary_values(self.auxiliary))

    def _loss_of(self, loss: Any) -> UserLoss | AuxiliaryLoss:
        """The loss by the parameters of the estimator, which are checked."""
        return loss_of(loss, self._shapes_given())

    def _arrays_of(self, published: dict[str, Any]) -> Iterator[Any]:
        """What the digest of a fit is of: coefficients and auxiliary parameters."""
        yield from (published[name] for name in self._tracked)
        if "auxiliary_" in published:
            yield self._shapes_given().ravel(published["auxiliary_"])

    def _start_with_auxiliary(self, objective: AuxiliaryObjective, previous: Any) -> Array:
        """The values that were given, and the best intercept beside them; or an earlier fit."""
        a = objective.auxiliary.shapes.ravel(auxiliary_values(self.auxiliary))
        start = np.concatenate([intercept_start(objective.of_predictor(a)), a])
        return better_start(objective, previous, start)

    def _why_undetermined(
        self, features: Features, solution: Solution[Optimum], n_rows: int
    ) -> str:
        """Why the parameters have no standard errors; empty if they have them."""
        if not isinstance(solution, JointSolution):
            return undetermined(features, solution, n_rows)
        names = self._shapes_given().names
        return undetermined_with_auxiliary(features, solution, names, n_rows)

    @property
    def _default_kind(self) -> str:
        """HC1 where scores are no multiples of the features, for which HC3 is not defined."""
        return "HC1" if self._auxiliary_found else super()._default_kind

    def _profiles_of(self, rows: Rows, reference: object) -> LikelihoodProfiles:
        """The profiles of all parameters."""
        if not self._auxiliary_found:
            return super()._profiles_of(rows, reference)
        record = self._record()
        record.refuse_without_likelihood("a profile of the likelihood")
        self._refuse_unfinished(rows)
        record.model.refuse_undetermined()
        objective: Any = self._objective_of_fit(rows)
        profile = Profile(objective, record.params, joint_coordinates(objective))
        errors, units = record.fitted_estimate.standard_errors, np.eye(len(record.params))
        scale = Scale(*record.likelihood_scale)
        refits = JointRefits(objective, record.params, profile)
        return FiniteProfiles(profile, refits, units, record.params, errors, scale, False)

    def _fit_held(self, rows: Rows, start: Array) -> Any:
        if not self._auxiliary_found:
            return super()._fit_held(rows, start)
        objective: Any = self._objective_of_fit(rows)
        return joint_held(objective, start)


def loss_of(loss: Any, shapes: AuxiliaryShapes | None) -> UserLoss | AuxiliaryLoss:
    """A loss of the user's, with its derivatives; with auxiliary parameters if it has any."""
    if shapes is None or not shapes.size:
        return UserLoss(pointwise(loss))
    return AuxiliaryLoss(pointwise_with_auxiliary(loss, shapes))


def refuse_names(loss: UserLoss | AuxiliaryLoss, features: Features) -> None:
    """Raise if an auxiliary parameter has the name of a column, or of the intercept."""
    if not isinstance(loss, AuxiliaryLoss):
        return
    taken = {*features.names, INTERCEPT, "intercept"}
    for name in loss.shapes.names:
        if name in taken:
            raise ValueError(
                f"auxiliary has the name {name!r}, which is that of a column of X or of the "
                "intercept; in tables they would be the same. Take another name."
            )


def seen_by_predictor(
    objective: UserObjective, solution: Solution[Optimum]
) -> tuple[UserObjective, Solution[Optimum]]:
    """Objective and solution of the linear predictor, with the auxiliary parameters held.

    What is said of the loss near the rows is about η. The Hessian that tells a minimum stays that
    of all parameters.
    """
    if not isinstance(objective, AuxiliaryObjective):
        return objective, solution
    found = solution.value
    theta, a = objective.split(found.params)
    P = len(theta)
    hessian = None if found.hessian is None else found.hessian[:P, :P]
    part = replace(found, params=theta, gradient=found.gradient[:P], hessian=hessian)
    return objective.of_predictor(a), replace(solution, value=part)
