"""Profiles of a likelihood of several classes.

The data determine differences between the classes alone, and so profiles are of differences: of
``θ_kj - θ_rj``, the parameter j of class k against a class r of reference. The profile

    ``f(t) = min { f(θ) : θ_kj - θ_rj = t }``

does not depend on how the parameters are made unique, and that of r against k is its mirror image.
A likelihood-ratio test leaves a column out of all classes: K - 1 restrictions. With Jeffreys' prior
f is the penalised objective; what is left out is held at zero, and the prior stays that of the
whole model, as in :mod:`mcmodels.solvers.held_fits`. Sources as in
:mod:`mcmodels.inference.profiles`; Agresti (2013), *Categorical Data Analysis*, 3rd ed., §8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.profiles import FiniteProfiles
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.refits import least_without

__all__ = ["ClassProfiles"]


@dataclass(frozen=True)
class ClassProfiles(FiniteProfiles):
    """Profiles of differences between classes about a maximum.

    Parameters
    ----------
    refits : HeldFits or None
        Fits with differences held, of an objective with Jeffreys' prior; None without it.
    objective : LinearPredictorObjective
        Minus the log-likelihood, penalised or not.
    params : ndarray of shape (K, P)
        Its minimum.
    """

    refits: HeldFits | None
    objective: LinearPredictorObjective
    params: Array

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is without columns, given by their positions."""
        if self.refits is None:
            least = [least_without(self.objective, self.params, k) for k in chosen]
        else:
            zeros, P = np.zeros(len(self.params) - 1), self.params.shape[-1]
            of_column = [[k + P * m for m in range(len(zeros))] for k in chosen]
            least = [self.refits.least_of(positions, zeros) for positions in of_column]
        return np.array([self.above_minimum(value) for value in least])
