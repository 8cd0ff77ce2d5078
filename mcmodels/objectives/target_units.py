"""Units of the targets of a regression: the outputs of a network are of size one in them.

With the link's value m of the mean of a target, and a size s, an output is ``η = m + sζ``:

==================  ==============================================================================
squared error       m the mean, s the standard deviation, of several targets the smallest one;
                    targets ``t = (y - m)/s``, ``½(y - η)² = s² · ½(t - ζ)²``
counts              m the logarithm of the mean, s = 1; targets ``t = y/eᵐ``; half the Poisson
                    deviance of (y, e^η) is ``eᵐ`` times that of (t, e^ζ)
==================  ==============================================================================

So ζ = 0 is the null model, and the loss is a factor times the same loss of t and ζ. Of several
targets the smallest factor is divided out, and each keeps its share of it. So a gradient that is
small in these units is small for each target, also for one that varies little beside another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.losses import CurvatureTerm, Loss, Pointwise
from mcmodels.objectives.network import NetworkParameters
from mcmodels.rows import RowBlock, Rows, Scratch
from mcmodels.rows.source import Sum

__all__ = ["RowsInTargetUnits", "TargetUnits", "WeightedOutputs"]


@dataclass(frozen=True)
class TargetUnits:
    """Units of each target.

    Parameters
    ----------
    centre, size : ndarray of shape (K,)
        m and s.
    factors : ndarray of shape (K,)
        By how much the loss of each target is larger than in its units.
    spread : ndarray of shape (K,)
        Standard deviation of each target in these units; of counts 1.
    are_counts : bool
        Whether the targets are counts, with the logarithm as link.
    """

    centre: Array
    size: Array
    factors: Array
    spread: Array
    are_counts: bool

    @property
    def factor(self) -> float:
        """The smallest of the factors, by which the objective is divided."""
        return float(self.factors.min())

    @property
    def largest(self) -> float:
        """The largest size of a target: a standard deviation, of counts a mean."""
        sizes = self.factors if self.are_counts else self.size * self.spread
        return float(sizes.max())

    def targets(self, y: Array) -> Array:
        """Targets in their units, of shape (b,) or (b, K)."""
        centre, size = (self.centre[0], self.size[0]) if y.ndim == 1 else (self.centre, self.size)
        if self.are_counts:
            return np.asarray(y * np.exp(-centre))
        return np.asarray((y - centre) / size)

    def move_in(self, parameters: NetworkParameters) -> None:
        """Make parameters of the targets as given, in place, those of targets in these units."""
        coefs, intercepts = parameters
        coefs[-1] /= self.size
        intercepts[-1][:] = (intercepts[-1] - self.centre) / self.size

    def move_out(self, parameters: NetworkParameters) -> None:
        """The inverse of :meth:`move_in`."""
        coefs, intercepts = parameters
        coefs[-1] *= self.size
        intercepts[-1][:] = self.centre + self.size * intercepts[-1]

    def loss(self, loss: Loss) -> Loss:
        """The loss of the outputs in these units, divided by :attr:`factor`."""
        shares = self.factors / self.factor
        return loss if (shares == 1).all() else WeightedOutputs(loss, shares)


class WeightedOutputs(Loss):
    """``Σₖ cₖ ℓ(yₖ, ηₖ)`` of a loss that is a sum over outputs.

    Parameters
    ----------
    each : Loss
        ℓ, also for one output.
    shares : ndarray of shape (K,)
        c.
    """

    def __init__(self, each: Loss, shares: Array) -> None:
        self.each, self.shares = each, shares

    def at(self, y: Array, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row."""
        found = [self.each.at(y[:, k], eta[:, k]) for k in range(len(self.shares))]
        value = np.sum([c * part.value for c, part in zip(self.shares, found, strict=True)], axis=0)
        gradient = np.stack([part.gradient for part in found], axis=1) * self.shares

        def curvature() -> Iterator[CurvatureTerm]:
            for k, (c, part) in enumerate(zip(self.shares, found, strict=True)):
                for term in part.curvature():
                    yield CurvatureTerm([(k, k)], term.sign, c * term.magnitude)

        return Pointwise(value, gradient, curvature)

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """The second derivative of each output, times the direction."""
        return self.shares * self.each.curvature_product(y, eta, direction)


class RowsInTargetUnits(Rows):
    """Rows with the targets in their units, block by block."""

    def __init__(self, rows: Rows, units: TargetUnits) -> None:
        self.rows, self.units = rows, units
        self.take_extent(rows)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self.rows.reduce(
            lambda block: summarise(replace(block, y=self.units.targets(block.y)))
        )

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return RowsInTargetUnits(self.rows.sample(count), self.units)
