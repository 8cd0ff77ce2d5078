"""A pointwise loss composed with design rows: ``Σ wᵢ ℓ(yᵢ, Θx̃ᵢ) + α‖coef‖²/2``.

With a penalty of each column, α is a diagonal matrix: ``Σⱼ αⱼ coefⱼ²/2``.

================  ==========================================================
objective         ``f(θ) = Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ) + α/2 Σ coef²``
gradient          ``X̃ᵀW ℓ' + α coef``, the intercept not penalised
Hessian           ``X̃ᵀ W diag(ℓ'') X̃ + α`` on the diagonal of the coefficients
Hessian-vector    ``X̃ᵀ W (ℓ'' ∘ X̃v) + α v``
================  ==========================================================

Parameters have shape (P,) for one output and (K, P) for K, the intercept last; the Hessian is over
their C-order ravel, so that its block (k, l) is ``X̃ᵀ W diag(∂²ℓ/∂ηₖ∂ηₗ) X̃``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.losses import CurvatureTerm, Loss, Pointwise
from mcmodels.rows import Derivatives, RowBlock, Rows, Slope
from mcmodels.rows.blocks import Sandwich

# Below it a sum of squares has lost digits to underflow.
_LEAST_SQUARE = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)
# The position of a sandwich of weights alone, from which others are multiples.
_UNIT: tuple[tuple[tuple[int, int], ...], float] = ((), 1.0)
# Curvature that a safe Hessian has in every column, as a share of the most that a column has.
_SAFE_SHARE = 1e-6


class LinearPredictorObjective:
    """Value and derivatives of a loss in the linear predictor, summed over rows.

    Parameters
    ----------
    rows : Rows
        Design rows, targets and weights.
    loss : Loss
        The pointwise loss.
    penalty : float, or ndarray of shape (P,), default=0.0
        α in ``α‖coef‖²/2``; the intercept is never penalised. An array holds that of each column,
        all of them positive, and zero for the intercept.
    """

    def __init__(self, rows: Rows, loss: Loss, penalty: Penalty = 0.0) -> None:
        self.rows = rows
        self.loss = loss
        self.penalty = penalty

    def value(self, params: Array) -> float:
        """The objective."""

        def summarise(block: RowBlock) -> float:
            return float(
                block.weighted(self.loss.value(block.y, block.linear_predictor(params))).sum()
            )

        return self.rows.reduce(summarise) + half_squares(self.penalty, self._penalised(params))

    def gradient(self, params: Array) -> Array:
        """The gradient, in the shape of params."""

        def summarise(block: RowBlock) -> Array:
            X = block.X
            eta = block.linear_predictor(params, own=False)
            return X.adjoint(block.weighted(self.loss.gradient(block.y, eta, X.scratch)))

        return self.rows.reduce(summarise) + self.penalty * self._penalised(params)

    def hessian(self, params: Array, *, safe: bool = False) -> Array:
        """The Hessian over ``params.ravel()``.

        With ``safe``, rows have the curvature at :meth:`Loss.with_curvature`, and in every column
        there is some curvature beside that in which there is most.
        """

        def summarise(block: RowBlock) -> CurvatureSums:
            X = block.X
            eta = block.linear_predictor(params, own=False)
            if safe:
                eta = self.loss.with_curvature(block.y, eta)
            return self._curvature(block, self.loss.at(block.y, eta, X.scratch))

        hessian = self._assembled(self.rows.reduce(summarise), params)
        if safe:
            diagonal = np.einsum("ii->i", hessian).reshape(-1, params.shape[-1])
            squares = self.rows.reduce(lambda block: block.X.diagonal(block.weights_or_ones))
            known = squares > 0
            means = diagonal[:, known] / squares[known]
            diagonal[:, known] += _SAFE_SHARE * means.max(initial=0.0) * squares[known]
        return hessian

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """The Hessian times a vector in the shape of params; no Hessian is formed."""

        def summarise(block: RowBlock) -> Array:
            # One product for both, because reading the rows takes most of the time.
            both = block.X.predictor(np.concatenate([np.atleast_2d(params), np.atleast_2d(vector)]))
            half = both.shape[1] // 2
            eta, direction = both[:, :half], both[:, half:]
            if "offset" in block.extras:
                eta = eta + block.extras["offset"].reshape(len(eta), -1)
            if params.ndim == 1:
                eta, direction = eta[:, 0], direction[:, 0]
            curved = self.loss.curvature_product(block.y, eta, direction)
            return block.X.adjoint(block.weighted(curved))

        return self.rows.reduce(summarise) + self.penalty * self._penalised(vector)

    def gradient_remainder(self, params: Array, step: Array) -> Array:
        """What the Hessian leaves out of the change of the gradient by a step.

        ``∇f(θ + s) - ∇f(θ) - ∇²f(θ) s``, in one pass over the rows; the penalty has no part in it.
        """

        def summarise(block: RowBlock) -> Array:
            X, y = block.X, block.y
            eta = block.linear_predictor(params)
            change = X.predictor(step)
            remainder = self.loss.gradient(y, eta + change) - self.loss.gradient(y, eta)
            remainder -= self.loss.curvature_product(y, eta, change)
            return X.adjoint(block.weighted(remainder))

        return self.rows.reduce(summarise)

    def hessian_diagonal(self, params: Array) -> Array:
        """The diagonal of the Hessian, in the shape of params.

        ``Σ wᵢ (∂²ℓ/∂ηₖ²) xᵢⱼ² + α``, and no α for the intercept.
        """

        def summarise(block: RowBlock) -> Array:
            diagonal = np.zeros(params.shape)
            by_class = np.atleast_2d(diagonal)
            X = block.X
            pointwise = self.loss.at(block.y, block.linear_predictor(params, own=False), X.scratch)
            for pairs, sign, magnitude in pointwise.curvature():
                classes = [k for k, j in pairs if k == j]
                if classes:
                    by_class[classes] += sign * X.diagonal(block.weighted(magnitude))
            return diagonal

        return self.rows.reduce(summarise) + self.penalty * self._penalised(np.ones_like(params))

    def slope(self, params: Array) -> Slope:
        """Value and gradient in one pass over the rows."""

        def summarise(block: RowBlock) -> Slope:
            X = block.X
            pointwise = self.loss.at(block.y, block.linear_predictor(params, own=False), X.scratch)
            return self._slope(block, pointwise)

        return self._with_penalty(self.rows.reduce(summarise), params)

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian in one pass over the rows."""
        alike = self._curvature_of_all_rows(params)

        def summarise(block: RowBlock) -> Total:
            X = block.X
            pointwise = self.loss.at(block.y, block.linear_predictor(params, own=False), X.scratch)
            X.form()  # the Hessian needs them; they give the gradient more digits, too
            slope = self._slope(block, pointwise)
            if alike is None or "offset" in block.extras:
                return Total([slope, self._curvature(block, pointwise)])
            least = float(block.weights_or_ones.min(initial=np.inf))
            return Total([slope, CurvatureSums({_UNIT: X.sandwich(block.weights)}, least)])

        slope, curvature = self.rows.reduce(summarise).parts
        if alike is not None and _UNIT in curvature.sandwiches:
            curvature = curvature.times(alike)
        slope = self._with_penalty(slope, params)
        hessian = self._assembled(curvature, params)
        least = curvature.least
        return Derivatives(slope.value, slope.gradient, hessian, least_curvature=least)

    @property
    def is_penalised(self) -> bool:
        """Whether all coefficients are penalised; else none is."""
        return bool(np.any(self.penalty))

    @property
    def least_penalty(self) -> float:
        """The smallest penalty of a coefficient."""
        if isinstance(self.penalty, float | int):
            return self.penalty
        return float(self.penalty[: self.rows.n_features].min(initial=np.inf))

    def over(self, rows: Rows, penalty: Penalty) -> Self:
        """The same objective over other rows, with another penalty."""
        return type(self)(rows, self.loss, penalty)

    def _slope(self, block: RowBlock, pointwise: Pointwise) -> Slope:
        return Slope(
            float(block.weighted(pointwise.value).sum()),
            block.X.adjoint(block.weighted(pointwise.gradient)),
        )

    def _with_penalty(self, slope: Slope, params: Array) -> Slope:
        coef = self._penalised(params)
        value = slope.value + half_squares(self.penalty, coef)
        return Slope(value, slope.gradient + self.penalty * coef)

    def _curvature(self, block: RowBlock, pointwise: Pointwise) -> CurvatureSums:
        sums = CurvatureSums({})
        for pairs, sign, magnitude in _distinct(pointwise):
            weighted = block.weighted(magnitude)
            sums.sandwiches[tuple(pairs), sign] = block.X.sandwich(weighted)
            sums.least = min(sums.least, float(weighted.min(initial=np.inf)))
        return sums

    def _curvature_of_all_rows(self, params: Array) -> list[CurvatureTerm] | None:
        """The entries of d²ℓ/dη² where those of all rows are the same: at zero coefficients.

        Then one sandwich is enough for a Hessian of several classes. None elsewhere. Rows with
        offsets are never alike: whoever calls must look.
        """
        if params.ndim == 1 or not self.loss.shift_invariant or self._penalised(params).any():
            return None
        eta = params[:, -1] if self.rows.intercept else np.zeros(len(params))
        return list(_distinct(self.loss.at(np.zeros(1, dtype=np.intp), eta[np.newaxis])))

    def _assembled(self, curvature: CurvatureSums, params: Array) -> Array:
        P = params.shape[-1]
        K = params.size // P if P else 1
        if K == 1:
            signed = [(sign, part.matrix()) for (_, sign), part in curvature.sandwiches.items()]
            hessian = signed[0][1]
            for sign, matrix in signed[1:]:
                hessian += sign * matrix
        else:
            hessian = np.zeros((K * P, K * P))
            blocks = hessian.reshape(K, P, K, P)
            for (pairs, sign), sandwich in curvature.sandwiches.items():
                matrix = sandwich.matrix()
                for k, j in pairs:
                    blocks[k, :, j, :] = blocks[j, :, k, :] = sign * matrix
            if self.loss.shift_invariant:
                for k in range(K):
                    blocks[k, :, k, :] = -blocks[k].sum(axis=1)
        diagonal = np.einsum("ii->i", hessian)
        diagonal += (self.penalty * self._penalised(np.ones_like(params))).ravel()
        return hessian

    def _penalised(self, params: Array) -> Array:
        """The parameters with the intercept set to zero."""
        if not self.rows.intercept:
            return params
        coef = params.copy()
        coef[..., -1] = 0.0
        return coef

    def with_shift_curvature(self, hessian: Array, shape: tuple[int, ...]) -> Array:
        """The Hessian with curvature added along shifts, which change no probability.

        A shift adds the same vector to the parameters of all classes. It leaves the probabilities
        unchanged: the loss has no curvature along it, and a penalty has little. At parameters that
        sum to zero over the classes, the gradient has no component along shifts. So the added
        rank-one terms change the Newton step only by rounding errors, and the step sums to zero
        over the classes.
        """
        if len(shape) == 1 or not self.loss.shift_invariant:
            return hessian
        K, P = shape
        fixed = hessian.copy()
        view = fixed.reshape(K, P, K, P)
        for j in range(P):
            block = view[:, j, :, j]
            block += np.trace(block) / K**2 or 1.0
        return fixed

    def without_shift(self, vector: Array) -> Array:
        """A vector in the shape of params minus its mean over the classes.

        The result sums to zero over the classes: no shift is left in it. The Hessian maps such
        vectors to such vectors. At such parameters, the gradient is such a vector, too.
        """
        if vector.ndim == 1 or not self.loss.shift_invariant:
            return vector
        return vector - vector.mean(axis=0)


def _distinct(pointwise: Pointwise) -> Iterator[CurvatureTerm]:
    """The entries of d²ℓ/dη² that determine all: without the diagonal where rows sum to zero."""
    return (pointwise.off_diagonal or pointwise.curvature)()


def half_squares(penalty: Penalty, coef: Array) -> float:
    """``penalty · ‖coef‖²/2``; squares outside the range of float64 are scaled first."""
    if isinstance(penalty, np.ndarray):
        return half_squares(1.0, np.sqrt(penalty) * coef)
    if penalty == 0:
        return 0.0
    squares = float(np.vdot(coef, coef))
    if _LEAST_SQUARE < squares < np.inf:
        return penalty * squares / 2
    with np.errstate(over="ignore", under="ignore"):
        largest = float(np.abs(coef).max(initial=0.0))
        if largest in (0.0, np.inf):
            return largest
        scaled = coef / largest
        return float((np.sqrt(penalty) * largest) ** 2 * (np.vdot(scaled, scaled) / 2))


@dataclass
class CurvatureSums:
    """The distinct blocks of a Hessian, by their positions and sign; ``+=`` adds in place.

    ``least`` is the least of the weighted curvatures of all rows.
    """

    sandwiches: dict[tuple[tuple[tuple[int, int], ...], float], Sandwich]
    least: float = np.inf

    def times(self, terms: list[CurvatureTerm]) -> CurvatureSums:
        """The blocks of a Hessian from that of weights alone, if all rows have these curvatures."""
        (unit,) = self.sandwiches.values()
        scaled = {(tuple(pairs), sign): unit * float(size[0]) for pairs, sign, size in terms}
        return CurvatureSums(scaled, self.least * min(float(size[0]) for _, _, size in terms))

    def __iadd__(self, other: CurvatureSums) -> Self:
        self.least = min(self.least, other.least)
        for key, sandwich in other.sandwiches.items():
            if key in self.sandwiches:
                self.sandwiches[key] += sandwich
            else:
                self.sandwiches[key] = sandwich
        return self


@dataclass
class Total:
    """Several sums from one pass; ``+=`` adds them in place."""

    parts: list[Any]

    def __iadd__(self, other: Total) -> Self:
        for k, part in enumerate(other.parts):
            self.parts[k] += part
        return self
