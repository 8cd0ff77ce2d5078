"""Random weights of rows, or of clusters of rows: those of the Bayesian and multiplier bootstrap.

A *unit* is what is drawn as a whole: a row, or a cluster of rows. A draw gives unit c a random
number m_c, whose mean κ_c is 1, and a row of weight w the weight ``w m_c/κ_c``. A row that stands
for w equal rows (:class:`Weighting.FREQUENCY`) has κ = w, and m is as the sum of w such numbers:

============  ===================================  ========================================
kind          m                                    of a row that counts w times
============  ===================================  ========================================
"bayesian"    exponential, over the mean of all:   ``Gamma(w)``, the sum of w exponentials
              Dirichlet weights (Rubin 1981)
"multiplier"  1 + one of ``(1 ± √5)/2`` with mean  w + one of ``(1 ± √(1 + 4w))/2`` with mean
              0: second and third moment are 1     0: second and third moment are w
============  ===================================  ========================================

All are positive. So a sum over rows that had a minimum has one with the weights of a draw, too: it
falls for ever along a direction if no term rises there, whatever the positive weights are. Moments
of 1 make the draws of a sum of scores ``Σ (m_c - 1) s_c`` right in variance and skewness (Liu 1988;
Mammen 1993). ``(0, w, w)`` are the moments of a sum of w such numbers, and w plus the lower point,
``w + (1 - √(1 + 4w))/2``, is positive for every w > 0, also for one that is not whole.

The numbers come from generators that are keyed by the first of their draws. So they depend neither
on blocks of rows nor on threads, and the first of many draws are those of fewer.

Sources: Rubin (1981), *The Bayesian bootstrap*, Annals of Statistics 9(1); Newton and Raftery
(1994), *Approximate Bayesian inference with the weighted likelihood bootstrap*, JRSS B 56(1); Liu
(1988), *Bootstrap procedures under some non-i.i.d. models*, Annals of Statistics 16(4); Mammen
(1993), *Bootstrap and wild bootstrap for high dimensional linear models*, Annals of Statistics
21(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array

__all__ = ["KINDS", "Multipliers"]

KINDS = ("bayesian", "multiplier")
# Numbers of one generator: 2 MB stay in cache while they are used.
_ENTRIES = 2**18


@dataclass(frozen=True)
class Multipliers:
    """The random numbers m of all units in all draws.

    Parameters
    ----------
    kind : {"bayesian", "multiplier"}
        Their distribution.
    counts : ndarray of shape (G,)
        κ of each unit; 0 for one that is absent.
    entropy : tuple of int
        The seed.
    draws : int
        B.
    """

    kind: str
    counts: Array
    entropy: tuple[int, ...]
    draws: int

    @property
    def step(self) -> int:
        """So many draws come from one generator."""
        return max(_ENTRIES // max(len(self.counts), 1), 1)

    def of(self, start: int, stop: int) -> Array:
        """Those of some draws, shape (stop - start, G); start is a multiple of the step."""
        starts = range(start, min(stop, self.draws), self.step)
        return np.concatenate([self._of_part(first, stop) for first in starts])

    def _of_part(self, first: int, stop: int) -> Array:
        seeds = np.random.SeedSequence(list(self.entropy), spawn_key=(first,))
        rng = np.random.Generator(np.random.PCG64(seeds))
        count = min(stop, self.draws, first + self.step) - first
        numbers = _dirichlet if self.kind == "bayesian" else _two_points
        return numbers(rng, self.counts, (count, len(self.counts)))


def _dirichlet(rng: np.random.Generator, counts: Array, size: tuple[int, int]) -> Array:
    """Gamma numbers of these shapes with the sum of the counts."""
    is_unit = bool((counts == 1.0).all())
    found = rng.standard_exponential(size) if is_unit else rng.standard_gamma(counts, size)
    found *= (counts.sum() / found.sum(axis=1))[:, np.newaxis]
    return found


def _two_points(rng: np.random.Generator, counts: Array, size: tuple[int, int]) -> Array:
    """κ plus one of two points with the moments (0, κ, κ)."""
    root = np.sqrt(1.0 + 4.0 * counts)
    # The mean is zero where the upper point has the probability (root - 1)/(2 root).
    found = rng.random(size)
    is_upper = found < (root - 1.0) / (2.0 * root)
    np.multiply(is_upper, root, out=found)
    found += counts + (1.0 - root) / 2.0
    return found
