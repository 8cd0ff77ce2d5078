"""The profile of an objective: its least value where a combination of the parameters is held.

With ``f`` the objective, g its gradient, H its Hessian and c the combination, the quadratic model
of f at θ has, among steps with ``cᵀδ = t``, the least value

``f - gᵀH⁻¹g/2 + (t + cᵀH⁻¹g)²/(2v)``, ``v = cᵀH⁻¹c``, at ``δ = -H⁻¹g + (t + cᵀH⁻¹g) H⁻¹c/v``.

The end of an interval is where the profile has a given value. The model is solved for t, and the
step taken, until both are negligible: one pass over the rows for each step, and no fit for each
value of cᵀθ. Source: Venzon and Moolgavkar (1988), *A method for computing profile-likelihood-based
confidence intervals*, Applied Statistics 37(1), §2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Derivatives, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import Coordinates, shifted_coordinates
from mcmodels.solvers.crossing import crossing
from mcmodels.solvers.fit_state import Placed
from mcmodels.solvers.tolerances import SUFFICIENT_DECREASE

__all__ = ["Information", "Profile"]

# An objective with the same gradient, whose Hessian is an information matrix.
Information = Callable[[LinearPredictorObjective], LinearPredictorObjective]

# A step is negligible when it is this share of a standard error.
_NEGLIGIBLE = 1e-9
# Steps up to this length that no longer shrink are rounding errors.
_SMALL = 1e-5
# The longest step, in standard errors: further away the quadratic model may say little. It is
# doubled where the objective has changed as the model says, up to a share of the change.
_LONGEST, _CLOSE = 2.0, 0.1
_MAX_STEPS, _MAX_HALVINGS, _MAX_DESCENTS = 60, 30, 200


class Profile:
    """The profile of an objective near its minimum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        The objective, over the user's rows.
    params : ndarray of shape (P,) or (K, P)
        Its minimum, or where it has none a point from which searches begin. Combinations are of the
        raveled parameters; with several classes those whose sum over the classes is zero, as it is
        of a difference of two: adding a vector to all classes changes nothing.
    coordinates : Coordinates, default=None
        Coordinates in which the Hessian is positive definite; by default those of shifted columns.
    """

    def __init__(
        self,
        objective: LinearPredictorObjective,
        params: Array,
        coordinates: Coordinates | None = None,
    ) -> None:
        self._placed = Placed(objective, coordinates or shifted_coordinates(objective))
        known = self._placed.from_users if params.ndim > 1 else self._placed.by_predictors
        start = known(params)
        self._shape, self._start = start.shape, start.ravel()
        self._known = self._at(self._start)

    @property
    def minimum(self) -> float:
        """The objective at the parameters: its least value, if they are its minimum."""
        return self._known.value

    def standard_error(self, combination: Array) -> float:
        """``√(cᵀH⁻¹c)`` at the parameters; NaN where H or the rows do not determine it."""
        c = self._inner(combination)
        model = _Model.of(self._known, c) if c.any() else None
        return np.nan if model is None else float(np.sqrt(model.variance))

    def scale_of(self, combination: Array, above: float) -> float:
        """The distance in which the profile would fall by ``above`` along its tangent.

        Where it decays as an exponential, that of the decay. NaN where H is not positive definite.
        """
        model = _Model.of(self._known, self._inner(combination))
        if model is None or model.shift == 0:
            return np.nan
        return above * model.variance / abs(model.shift)

    def end(self, combination: Array, side: float, rise: float) -> float:
        """The value of cᵀθ on one side of the minimum at which the profile is higher by ``rise``.

        Parameters
        ----------
        combination : ndarray of shape (P,)
            c, of the user's parameters.
        side : {-1.0, 1.0}
            Which side.
        rise : float
            How much higher than at the parameters; positive if they are the minimum.

        Returns
        -------
        float
            NaN where the search has not ended.
        """
        c = self._inner(combination)
        target = self._known.value + rise

        def step_to(held: Derivatives) -> _Step | None:
            model = _Model.of(held, c)
            return None if model is None else model.to_value(target, side)

        found = self._search(c, step_to)[0]
        if np.isnan(found) and rise > 0:
            # Steps may go to and fro: values of the profile tell the end, in more passes.
            at, error = float(c @ self._start), self.standard_error(combination)
            return crossing(lambda t: self.least(combination, t) - target, at, side * error)
        return found

    def least(self, combination: Array, value: float) -> float:
        """The least value of the objective where cᵀθ has a given value; NaN if none was found."""
        return self._held(self._inner(combination), value)[1]

    def score(self, combination: Array, value: float, information: Information) -> float:
        """The score statistic where cᵀθ is held at a value; NaN if no such minimum was found.

        With g the gradient there and I an information matrix it is ``gᵀI⁻¹g``: g is a multiple of
        c, so that this is the square of its component, times the variance of cᵀθ.
        """
        c = self._inner(combination)
        params = self._held(c, value)[2]
        return np.nan if params is None else self._score(params, c, information)

    def score_at(self, params: Array, combination: Array, information: Information) -> float:
        """The same where a minimum with cᵀθ held is known, in the user's parameters."""
        inner = self._placed.from_users(params).ravel()
        return self._score(inner, self._inner(combination), information)

    def nearest(self, combination: Array, value: float) -> Array | None:
        """The parameters that have a value of cᵀθ and are nearest to the minimum, as the user's.

        Nearest in the metric of the Hessian there; None where it is not positive definite.
        """
        found = self._nearest(self._inner(combination), value)
        return None if found is None else self._placed.to_users(found.reshape(self._shape))

    def _nearest(self, c: Array, value: float) -> Array | None:
        model = _Model.of(self._known, c)
        if model is None:
            return None
        away = value - float(c @ self._start)
        nearest: Array = self._start + away / model.variance * model.along
        return nearest

    def _score(self, params: Array, c: Array, information: Information) -> float:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            model = _Model.of(self._over_inner(information(self._placed.inner), params), c)
        return np.nan if model is None else model.shift**2 / model.variance

    def _held(self, c: Array, value: float) -> tuple[float, float, Array | None]:

        def step_to(held: Derivatives, params: Array) -> _Step | None:
            model = _Model.of(held, c)
            return None if model is None else model.to(value - float(c @ params))

        found = self._search(c, step_to, with_params=True)
        return self._by_descent(c, value) if np.isnan(found[1]) else found

    def _by_descent(self, c: Array, value: float) -> tuple[float, float, Array | None]:
        """The same by Newton's method with halved steps, from the nearest point."""
        nothing = np.nan, np.nan, None
        params = self._nearest(c, value)
        if params is None:
            return nothing
        known, before = self._at(params), np.inf
        for _ in range(_MAX_DESCENTS):
            if not (np.isfinite(known.value) and np.isfinite(known.hessian).all()):
                return nothing
            model = _Model.of(known, c)
            if model is None:
                return nothing
            step = model.to(value - float(c @ params))
            at_rounding = step.length <= _SMALL and step.length > before / 2
            if step.length <= _NEGLIGIBLE or at_rounding:
                return value, known.value + step.change, params + step.delta
            share, before = 1.0, step.length
            slope = min(float(known.gradient @ step.delta), 0.0)
            for _ in range(_MAX_HALVINGS):
                found = self._at(params + share * step.delta)
                if found.value <= known.value + SUFFICIENT_DECREASE * share * slope:
                    break
                share /= 2
            params, known = params + share * step.delta, found
        return nothing

    def _search(
        self, c: Array, step_to: Callable[..., _Step | None], *, with_params: bool = False
    ) -> tuple[float, float, Array | None]:
        """Take steps until they are negligible; cᵀθ, the objective and the parameters there."""
        params, known, longest, before = self._start, self._known, _LONGEST, np.inf
        for _ in range(_MAX_STEPS):
            step = step_to(known, params) if with_params else step_to(known)
            if step is None:
                return np.nan, np.nan, None
            at_rounding = step.length <= _SMALL and step.length > before / 2
            if step.length <= _NEGLIGIBLE or at_rounding:
                reached = params + step.delta
                return float(c @ reached), known.value + step.change, reached
            share, before = min(1.0, longest / step.length), step.length
            for _ in range(_MAX_HALVINGS):
                tried = params + share * step.delta
                found = self._at(tried)
                if np.isfinite(found.value) and np.isfinite(found.hessian).all():
                    break
                share /= 2
            else:
                return np.nan, np.nan, None
            slope = share * float(known.gradient @ step.delta)
            promised = slope + (share * step.length) ** 2 / 2
            close = abs(found.value - known.value - promised) <= _CLOSE * abs(promised)
            longest = 2.0 * longest if close else _LONGEST
            params, known = tried, found
        return np.nan, np.nan, None

    def _at(self, params: Array) -> Derivatives:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._over_inner(self._placed.inner, params)

    def _over_inner(self, objective: LinearPredictorObjective, params: Array) -> Derivatives:
        """Derivatives over the raveled parameters, with curvature where nothing changes."""
        found = objective.derivatives(params.reshape(self._shape))
        hessian = objective.with_shift_curvature(found.hessian, self._shape)
        return Derivatives(found.value, found.gradient.ravel(), hessian)

    def _inner(self, combination: Array) -> Array:
        """The same combination of the parameters in the coordinates."""
        by_output = combination.reshape(*self._shape[:-1], -1).astype(np.float64)
        to_users = self._placed.to_users(np.eye(self._shape[-1]))
        return (by_output @ to_users.T).ravel()


@dataclass(frozen=True)
class _Step:
    """A step, its length in standard errors of the model, and the change that it promises."""

    delta: Array
    length: float
    change: float


@dataclass(frozen=True)
class _Model:
    """The quadratic model of an objective, and a combination of its parameters."""

    value: float
    newton: Array
    decrease: float
    along: Array
    variance: float
    shift: float
    across: float

    @classmethod
    def of(cls, known: Derivatives, c: Array) -> _Model | None:
        """The model; None where the Hessian is not positive definite."""
        with single_threaded_blas():
            scale = np.sqrt(np.clip(np.diagonal(known.hessian), 0.0, None))
            factor = ScaledCholesky.of(known.hessian, scale)
            if factor is None:
                return None
            newton, along = -factor.apply(known.gradient), factor.apply(c)
        decrease, variance = -float(known.gradient @ newton), float(c @ along)
        shift = -float(c @ newton)
        # The part of Newton's step that does not change cᵀθ.
        rest = newton + shift / variance * along
        across = max(-float(known.gradient @ rest), 0.0)
        return cls(known.value, newton, decrease, along, variance, shift, across)

    def to(self, t: float) -> _Step:
        """The step with cᵀδ = t and the least value."""
        moved = t + self.shift
        delta = self.newton + moved / self.variance * self.along
        change = (moved**2 / self.variance - self.decrease) / 2
        # √δᵀHδ, of two parts that are orthogonal in this metric.
        return _Step(delta, float(np.sqrt(self.across + t**2 / self.variance)), change)

    def to_value(self, target: float, side: float) -> _Step:
        """The step at whose end the least value is the target, on one side of the minimum."""
        left = 2.0 * self.variance * (target - self.value + self.decrease / 2)
        return self.to(-self.shift + side * np.sqrt(max(left, 0.0)))
