"""A loss that the user has written, and its objective, which need not be convex.

Where ℓ″ is negative, the Hessian is a difference of two products ``X̃ᵀDX̃`` with ``D ≥ 0``. Each pass
that sums ℓ″ also records its range. From it solvers learn whether the objective is convex near the
parameters, and whether it is quadratic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.far_out import falls_far_out, least_far_out
from mcmodels.objectives.linear_predictor import CurvatureSums, LinearPredictorObjective, Total
from mcmodels.objectives.losses import CurvatureTerm, Loss, Pointwise
from mcmodels.rows import Derivatives, RowBlock, Rows, Scratch, Slope
from mcmodels.rows.blocks import Sandwich

__all__ = [
    "CurvatureRange",
    "PointwiseFunction",
    "UserDerivatives",
    "UserLoss",
    "UserObjective",
    "row_not_finite",
    "signed_curvature",
]


class PointwiseFunction(Protocol):
    """A loss and its derivatives in η, row by row."""

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders (0 is the loss itself), each of shape (b,)."""
        ...


# Rows in the sample that decides whether a loss looks quadratic.
_SAMPLE = 4096


@dataclass(frozen=True)
class CurvatureRange:
    """Least and largest ℓ″ over rows, and where the least is; two ranges are merged by ``+``.

    Parameters
    ----------
    smallest, largest : float
        Values of ℓ″.
    y, eta : float
        Target and linear predictor where it is smallest.
    """

    smallest: float
    largest: float
    y: float
    eta: float

    def __add__(self, other: CurvatureRange) -> CurvatureRange:
        lower = self if self.smallest <= other.smallest else other
        return CurvatureRange(lower.smallest, max(self.largest, other.largest), lower.y, lower.eta)

    @property
    def is_constant(self) -> bool:
        """Whether ℓ″ was the same number in every row: the loss may be quadratic."""
        return self.smallest == self.largest

    @classmethod
    def of(cls, y: Array, eta: Array, curvature: Array) -> CurvatureRange:
        """The range over some rows."""
        k = int(curvature.argmin())
        return cls(float(curvature[k]), float(curvature.max()), float(y[k]), float(eta[k]))


@dataclass(frozen=True)
class UserDerivatives(Derivatives):
    """Value, gradient and Hessian, with the range of ℓ″.

    Parameters
    ----------
    curvatures : CurvatureRange
        Over the rows that were summed.
    """

    curvatures: CurvatureRange


@dataclass(frozen=True)
class UserPointwise(Pointwise):
    """A loss and its derivatives, row by row, with the range of ℓ″.

    Parameters
    ----------
    seen : CurvatureRange
        Over these rows.
    """

    seen: CurvatureRange


class UserLoss(Loss):
    """A loss that the user has written, given by a function for its values and derivatives.

    Parameters
    ----------
    derivatives : PointwiseFunction
        ℓ, ℓ′, ℓ″ and ℓ‴.
    is_convex : bool, default=False
        Whether ℓ is proved to be convex in η for the targets of the rows.
    """

    def __init__(self, derivatives: PointwiseFunction, *, is_convex: bool = False) -> None:
        self.derivatives = derivatives
        self.is_convex = is_convex

    def at(self, y: Any, eta: Array, scratch: Scratch | None = None) -> UserPointwise:
        """Value and derivatives of each row."""
        value, gradient, second = self.derivatives(y, eta, (0, 1, 2))
        seen = CurvatureRange.of(y, eta, second)
        if seen.smallest < 0 and self.is_convex:  # a rounding error
            second = np.maximum(second, 0.0)
            seen = CurvatureRange.of(y, eta, second)
        return UserPointwise(value, gradient, lambda: signed_curvature(second), seen)

    def value(self, y: Any, eta: Array) -> Array:
        """ℓ of each row."""
        return self.derivatives(y, eta, (0,))[0]

    def gradient(self, y: Any, eta: Array, scratch: Scratch | None = None) -> Array:
        """ℓ′ of each row."""
        return self.derivatives(y, eta, (1,))[0]

    @property
    def of_classes(self) -> bool:
        """Whether rows that fall for ever are known to be those of separated classes."""
        return bool(getattr(self.derivatives, "of_classes", False))

    @property
    def falls_are_known(self) -> bool:
        """Whether it is known without looking at values where ℓ falls for ever."""
        return hasattr(self.derivatives, "falls")

    def falls(self, y: Any) -> Array:
        """Where ℓ falls for ever: as the family says, or by its values far out."""
        known = getattr(self.derivatives, "falls", None)
        return falls_far_out(self.derivatives, y) if known is None else known(y)

    def infimum(self, y: Any) -> Array:
        """ℓ far out, in rows that fall for ever."""
        known = getattr(self.derivatives, "infimum", None)
        return least_far_out(self.derivatives, y) if known is None else known(y)

    def curvature_product(self, y: Any, eta: Array, direction: Array) -> Array:
        """ℓ″ · direction."""
        return self.derivatives(y, eta, (2,))[0] * direction

    def third_product(self, y: Any, eta: Array, first: Array, second: Array) -> Array:
        """ℓ‴ times both directions."""
        return self.derivatives(y, eta, (3,))[0] * first * second


class UserObjective(LinearPredictorObjective):
    """``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ) + α‖coef‖²/2`` for a loss that the user has written; one output."""

    loss: UserLoss

    def __init__(self, rows: Rows, loss: UserLoss, penalty: Penalty = 0.0) -> None:
        super().__init__(rows, loss, penalty)

    def slope(self, params: Array) -> Slope:
        """Value and gradient in one pass over the rows."""

        def summarise(block: RowBlock) -> Slope:
            eta = block.linear_predictor(params, own=False)
            value, gradient = self.loss.derivatives(block.y, eta, (0, 1))
            return self._slope(block, Pointwise(value, gradient, lambda: iter(())))

        return self._with_penalty(self.rows.reduce(summarise), params)

    def derivatives(self, params: Array) -> UserDerivatives:
        """Value, gradient, Hessian and the range of ℓ″ in one pass over the rows."""

        def summarise(block: RowBlock) -> Total:
            at = self.loss.at(block.y, block.linear_predictor(params, own=False))
            return Total([self._slope(block, at), at.seen, self._signed_curvature(block, at)])

        slope, seen, sums = self.rows.reduce(summarise).parts
        slope = self._with_penalty(slope, params)
        hessian = self._assembled(sums, params)
        return UserDerivatives(slope.value, slope.gradient, hessian, seen)

    def _signed_curvature(self, block: RowBlock, at: UserPointwise) -> CurvatureSums:
        """The parts of the Hessian. A constant ℓ″ multiplies the sum, not each row."""
        c = at.seen.smallest
        if block.weights is not None or not (at.seen.is_constant and c >= 0):
            return self._curvature(block, at)
        part = block.X.sandwich(None)
        border = None if part.border is None else c * part.border
        return CurvatureSums({(((0, 0),), 1.0): Sandwich(c * part.gram, border, c * part.total)})

    def derivatives_after(self, before: UserDerivatives, params: Array) -> UserDerivatives:
        """The derivatives at another point, cheaper where ℓ″ is the same constant at both.

        The Hessian of a quadratic loss is computed once. Later passes compute ℓ″ only, to see
        whether it is still that constant.
        """
        if not before.curvatures.is_constant:
            return self.derivatives(params)

        def summarise(block: RowBlock) -> Total:
            at = self.loss.at(block.y, block.linear_predictor(params, own=False))
            return Total([self._slope(block, at), at.seen])

        slope, seen = self.rows.reduce(summarise).parts
        if not (seen.is_constant and seen.smallest == before.curvatures.smallest):
            return self.derivatives(params)
        slope = self._with_penalty(slope, params)
        return UserDerivatives(slope.value, slope.gradient, before.hessian, seen)

    def not_finite(self, params: Array) -> tuple[float, ...]:
        """``(y, η, ℓ, ℓ′, ℓ″)`` of a row in which one of the last three is not finite, or ()."""

        def summarise(block: RowBlock) -> list[tuple[float, ...]]:
            eta = block.linear_predictor(params)
            return row_not_finite(block.y, eta, *self.loss.derivatives(block.y, eta, (0, 1, 2)))

        return next(iter(self.rows.reduce(summarise)), ())

    def looks_quadratic(self, params: Array) -> bool:
        """Whether ℓ″ is constant over a sample of the rows, at their predictors and near them."""

        def summarise(block: RowBlock) -> list[tuple[Array, Array]]:
            return [(block.y, block.linear_predictor(params))]

        parts = self.rows.sample(_SAMPLE).reduce(summarise)
        y, eta = (np.concatenate(part) for part in zip(*parts, strict=True))
        y, eta = np.tile(y, 2), np.concatenate([eta, eta + np.sin(1.0 + np.arange(eta.size))])
        return CurvatureRange.of(y, eta, self.loss.derivatives(y, eta, (2,))[0]).is_constant


def row_not_finite(y: Any, eta: Array, *values: Array) -> list[tuple[float, ...]]:
    """The first row in which η is finite and a value is not: y, η and the values; or []."""
    found = np.stack([y, eta, *values])
    bad = np.nonzero(~np.isfinite(found[2:]).all(axis=0) & np.isfinite(eta))[0]
    return [tuple(found[:, bad[0]].tolist())] if bad.size else []


def signed_curvature(second: Array) -> Iterator[CurvatureTerm]:
    """ℓ″ as a difference of two nonnegative parts, as the products with the rows need."""
    if not second.min(initial=0.0) < 0:
        yield CurvatureTerm([(0, 0)], 1.0, second)
        return
    yield CurvatureTerm([(0, 0)], 1.0, np.maximum(second, 0.0))
    yield CurvatureTerm([(0, 0)], -1.0, np.maximum(-second, 0.0))
