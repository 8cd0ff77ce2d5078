"""What fits by Newton's method have in common: an objective, its Hessian, and sums of the rows."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array, Penalty
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING
from mcmodels.objectives import Objective
from mcmodels.records.given_penalties import GivenPenalties, stated_in_groups
from mcmodels.records.record import ParameterFit, digest
from mcmodels.records.training_rows import TrainingRows
from mcmodels.records.tuned_penalty import TunedPenalty
from mcmodels.rows import Rows, RowsWithCrossSums, Seen
from mcmodels.solvers import Solution, Status
from mcmodels.solvers.coordinates import InnerCurvature
from mcmodels.solvers.fit_state import Optimum
from mcmodels.solvers.pseudoinverse import RowSpace

__all__ = ["CurvatureFit"]


@dataclass(frozen=True, kw_only=True)
class CurvatureFit(ParameterFit):
    """A fit with the Hessian of what it has minimised.

    Parameters
    ----------
    gradient : ndarray of shape (P,) or (K, P)
        The gradient at the parameters.
    objective : float
        The least value, penalty included.
    formed_hessian : ndarray of shape (KP, KP), or None
        The Hessian over the raveled parameters; None where there are too many of them.
    inner : InnerCurvature or None
        The Hessian in the coordinates of the fit, where they are others.
    penalty : float, or ndarray of shape (P,)
        α in ``α‖coef‖²/2``, or that of each column.
    rank : int
        Rank of the features, about their mean if there is an intercept.
    training : TrainingRows
        Sums by which the rows of the fit are recognised.
    log_prior : float, default=None
        ``log det I / 2`` of a fit with Jeffreys' prior; None of one without.
    row_space : RowSpace, default=None
        The span of the rows about ``row_centre``, where columns depend on each other.
    row_centre : ndarray of shape (p,), default=None
        A combination of the rows; None without an intercept.
    tuned : TunedPenalty, default=None
        How the penalty was chosen; None where it was given.
    given : GivenPenalties, default=None
        The penalties of groups of columns that were given; None for one of all, and where they were
        chosen.
    """

    gradient: Array
    objective: float
    formed_hessian: Array | None
    inner: InnerCurvature | None
    penalty: Penalty
    rank: int
    training: TrainingRows
    log_prior: float | None = None
    row_space: RowSpace | None = None
    row_centre: Array | None = None
    tuned: TunedPenalty | None = None
    given: GivenPenalties | None = None

    # The parameter of the estimator, and the sign of its logarithm against that of α.
    _penalty_name, _penalty_sign = "alpha", 1.0

    @classmethod
    def of(
        cls,
        solution: Solution[Optimum],
        rows: RowsWithCrossSums,
        *,
        names: tuple[str, ...],
        coefficients: Iterable[Array],
        penalty: Penalty,
        undetermined: str,
        targets: tuple[str, ...],
        is_classes: bool,
        **of_the_model: Any,
    ) -> Self:
        """The record of a solution.

        Parameters
        ----------
        solution : Solution
            What Newton's method has found.
        rows : RowsWithCrossSums
            The rows that it has walked.
        names : tuple of str
            Names of the features.
        coefficients : iterable of ndarray
            The attributes that predictions are made with, as they will be published.
        penalty, undetermined
            The fields of these names.
        targets : tuple of str
            Names of the classes where y holds classes, else of the target.
        is_classes : bool
            Whether y holds classes.
        **of_the_model
            The fields that the kind of model adds.
        """
        optimum, seen = solution.value, Seen.of(rows)
        row_space = optimum.row_space
        return cls(
            status=solution.status,
            method=solution.method,
            n_iter=solution.iterations,
            names=names,
            seen=seen,
            digest=digest(coefficients),
            params=optimum.params,
            gradient=optimum.gradient,
            intercept=seen.intercept,
            undetermined=undetermined,
            objective=optimum.objective,
            formed_hessian=optimum.hessian,
            inner=None if undetermined else optimum.inner,
            penalty=penalty,
            rank=solution.rank,
            row_space=row_space,
            row_centre=None if row_space is None else optimum.row_centre,
            training=TrainingRows.of(seen, rows.cross_sums, names, targets, is_classes=is_classes),
            **of_the_model,
        )

    @property
    def is_penalised(self) -> bool:
        """Whether coefficients are penalised."""
        return bool(np.any(self.penalty))

    @property
    def _was_tuned(self) -> TunedPenalty:
        if self.tuned is None:
            name, what = self._penalty_name, "a number" if self.given is None else "numbers"
            raise InferenceError(
                f"{name} was given as {what}; fit with {name}='loo', 'evidence' or 'aic' to "
                "choose it by a criterion."
            )
        return self.tuned

    @property
    def alpha(self) -> Any:
        """The penalty: a number, or a dict by the names of groups."""
        if self.tuned is not None:
            return self.tuned.shown(np.exp(self.tuned.log_alphas))
        return self.penalty if self.given is None else self.given.shown

    @property
    def groups_of_penalty(self) -> dict[str, list[int]]:
        """Positions of the columns of each group that has a penalty of its own."""
        found = self.tuned or self.given
        if found is None:
            return {}
        return {
            name: np.flatnonzero(found.of_column == k).tolist()
            for k, name in enumerate(found.names)
        }

    @property
    def criterion(self) -> float:
        """The criterion at the chosen penalty."""
        return self._was_tuned.value

    @property
    def criterion_gradient(self) -> Any:
        """Its derivative by the logarithm of the parameter."""
        return self._was_tuned.shown(self._penalty_sign * self._was_tuned.gradient)

    @property
    def criterion_path(self) -> pd.DataFrame:
        """The penalties that were tried."""
        return self._was_tuned.path(self._penalty_name, self._penalty_sign)

    @property
    def effective_freedom(self) -> float:
        """``tr(H⁻¹ H_loss)`` at the chosen penalty."""
        return self._was_tuned.freedom

    @property
    def has_constant(self) -> bool:
        """Whether there is an intercept, or a column of ones."""
        return self.intercept or bool(self.columns_of_ones.any())

    @property
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """Which features are known to be one in every row, shape (p,)."""
        return self.training.columns_of_ones

    @functools.cached_property
    def estimable(self) -> EstimableSpace | None:
        """Which functions of the parameters the data determine; None if all."""
        if self.row_space is None:
            return None
        K, precision = len(np.atleast_2d(self.params)), self.seen.epsilon
        names = self.parameter_names
        return EstimableSpace(self.row_space, self.row_centre, names, K, precision)

    @property
    def _independent(self) -> tuple[list[int], Array]:
        """Parameters without redundant columns, and the map to them; of one linear predictor."""
        assert self.estimable is not None
        return self.estimable.independent

    def without_redundant_columns(self) -> tuple[Self, list[int]]:
        """The fit without columns that are combinations of others, which has the same predictions.

        Second are the parameters of a linear predictor that are left.
        """
        kept, R = self._independent
        K, P = np.atleast_2d(self.params).shape
        of_all = np.concatenate([P * k + np.array(kept, dtype=int) for k in range(K)])
        columns, training = [j for j in kept if j < len(self.names)], self.training
        names = tuple(self.names[j] for j in columns)
        smaller = replace(
            self,
            names=names,
            params=self.params @ R.T,
            gradient=self.gradient[..., kept],
            formed_hessian=self.hessian[np.ix_(of_all, of_all)],
            inner=None,
            row_space=None,
            row_centre=None,
            training=replace(
                training,
                names=names,
                x=None if training.x is None else training.x[columns],
                xy=None,
                x_squares=training.x_squares[columns],
                x_mean=None if training.x_mean is None else training.x_mean[columns],
            ),
        )
        return smaller, kept

    @property
    def n_determined(self) -> int | None:
        """Parameters of one linear predictor that the rows determine; None without an optimum."""
        if self.undetermined:
            return None
        if self.method != "newton-cg" or self.is_penalised:
            return self._n_by_rank
        # Conjugate gradients do not find the rank; the block of one output has it.
        P = self.params.shape[-1]
        block = self.hessian[:P, :P]
        lengths = np.sqrt(np.clip(np.diagonal(block), 0.0, None))
        unit = block / np.outer(*2 * (np.where(lengths > 0, lengths, 1.0),))
        return int(np.linalg.matrix_rank(unit, rtol=P * EIGENVALUE_ROUNDING, hermitian=True))

    @property
    def _n_by_rank(self) -> int:
        """Parameters that rows of this rank determine."""
        return self.rank + self.intercept

    @property
    def _of_model(self) -> dict[str, Any]:
        """What the inference from any Hessian takes; raises if the Hessian was not formed."""
        return {
            "params": self.params,
            "hessian": self.hessian,
            "inner": self.inner,
            "objective": self.objective,
            "penalty": self.penalty,
            "names": self.parameter_names,
            "intercept": self.intercept,
            "undetermined": self.undetermined,
            "n_determined": self.n_determined,
            "log_prior": self.log_prior,
            "weighting": self.weighting,
            "scores": self.scores,
            "chosen": self.chosen,
            "estimable": self.estimable,
        }

    @property
    def likelihood_scale(self) -> tuple[float, float]:
        """What minus the log-likelihood is multiplied by in the objective, and its freedom."""
        return 1.0, np.inf

    def refuse_without_likelihood(self, what: str) -> None:
        """Raise if the objective is no likelihood, or is penalised.

        The likelihood with Jeffreys' prior has a profile of its own.
        """
        self.weighting.refuse_without_likelihood(what)
        if self.log_prior is None:
            self.model.refuse_penalised(what)

    @property
    def is_a_limit(self) -> bool:
        """Whether the likelihood has no maximum, and profiles are those of its limit.

        They are known where the dispersion is, of columns that do not depend on each other.
        """
        diverges = self.status in (Status.SEPARATED, Status.UNBOUNDED)
        is_known = bool(np.isinf(self.likelihood_scale[1]))
        return diverges and is_known and self.rank == len(self.names)

    @property
    def left_to_gain(self) -> float:
        """``gᵀH⁻¹g``, twice what one more step of Newton's method would change; 0 without H."""
        hessian = self.formed_hessian
        if hessian is None or not np.isfinite(hessian).all():
            return 0.0
        gradient = self.gradient.ravel()
        return abs(float(gradient @ np.linalg.lstsq(hessian, gradient, rcond=None)[0]))

    @property
    def hessian(self) -> Array:
        """The Hessian; refuses where it was not formed."""
        if self.formed_hessian is None:
            raise InferenceError(
                f"hessian_ is not formed for {self.params.size} parameters; call "
                "hessian_vector_product(X, y, vector=…) with the training rows, or hessian(X, y) "
                "if there is room for it."
            )
        return self.formed_hessian

    def require_training_rows(self, rows: Rows, objective: Objective) -> None:
        """Refuse rows that are not those of the fit; ``objective`` is that of the fit over them."""
        self.training.require(rows)
        self.weighting.require_same_count(rows, self.seen)
        rounding = self.training.rounding_of_losses(self.predictor_params, self.objective)
        found = objective.value(self.params)
        self.training.require_objective(self.objective, found, rounding)

    def said_of_penalty(self, facts: dict[str, str]) -> tuple[str, ...]:
        """Notes of a summary on the penalty, which is added to the facts; none without one."""
        if not self.is_penalised:
            return ()
        facts["penalty"] = f"alpha |coefficients|²/2, {self._penalty_in_words}"
        return (
            "The fit is penalised: intervals are centred at coefficients that are shrunk towards "
            "zero, and their coverage is not that of an unpenalised fit (alpha=0).",
            *self.notes_on_the_choice,
        )

    @property
    def _penalty_in_words(self) -> str:
        """The parameter and its value, or the values of groups."""
        name, sign = self._penalty_name, self._penalty_sign
        if self.given is not None:
            return stated_in_groups(name, self.given.names, self.given.values)
        if isinstance(self.penalty, np.ndarray):
            return self._was_tuned.in_groups(name, sign)
        return f"{name} = {self.penalty**sign:g}"

    @property
    def notes_on_the_choice(self) -> tuple[str, ...]:
        """What a summary says of a penalty that was chosen; nothing of one that was given."""
        return () if self.tuned is None else (self.tuned.note(self._penalty_name),)

    def notes_on_the_end(self) -> tuple[str, ...]:
        """A note for summaries of fits that have not simply converged."""
        if self.status == "converged" or (self.status == "rank deficient" and self.row_space):
            return ()
        return (f"The fit ended as {str(self.status)!r}.",)
