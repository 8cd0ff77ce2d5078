"""Profiles of a likelihood of several classes.

The data determine differences between the classes alone, and so profiles are of differences: of
``θ_kj - θ_rj``, the parameter j of class k against a class r of reference. The profile

    ``f(t) = min { f(θ) : θ_kj - θ_rj = t }``

does not depend on how the parameters are made unique, and that of r against k is its mirror image.
A likelihood-ratio test leaves a column out of all classes: K - 1 restrictions. Sources as in
:mod:`mcmodels.inference.profiles`; Agresti (2013), *Categorical Data Analysis*, 3rd ed., §8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.profiles import FiniteProfiles
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.solvers.refits import least_without

__all__ = ["ClassProfiles"]


@dataclass(frozen=True)
class ClassProfiles(FiniteProfiles):
    """Profiles of differences between classes about a maximum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        Minus the log-likelihood.
    params : ndarray of shape (K, P)
        Its minimum.
    """

    objective: LinearPredictorObjective
    params: Array

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is without columns, given by their positions."""
        least = [least_without(self.objective, self.params, k) for k in chosen]
        return np.array(least) - self.profile.minimum
