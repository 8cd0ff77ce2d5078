"""Whether classes are separated, decided exactly: a linear program in rational numbers.

The rows ``aᵢ = (2yᵢ - 1) x̃ᵢ`` are not separated if and only if some ``λ ≥ 1`` has ``Aᵀλ = 0``
(Stiemke's lemma; Albert and Anderson 1984, Biometrika 71(1), §3). The first phase of the simplex
method looks for it, with Bland's rule, so that it ends.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt


def exactly_separated(
    X: npt.ArrayLike, y: npt.ArrayLike, *, n_classes: int = 2, intercept: bool = True
) -> bool:
    """Whether some direction separates the classes; rows of weight zero must be left out.

    Parameters
    ----------
    X : array-like of shape (n, p)
        Finite numbers; every float64 is a rational number.
    y : array-like of shape (n,)
        Codes 0, …, n_classes - 1.
    """
    differences = set()
    for x, own in zip(np.asarray(X, dtype=float).tolist(), np.asarray(y).tolist(), strict=True):
        row = [Fraction(value) for value in x] + [Fraction(1)] * intercept
        for other in set(range(n_classes)) - {own}:
            # Class 0 has parameters zero: adding a vector to all classes changes nothing.
            difference = [Fraction(0)] * (len(row) * n_classes)
            for j, value in enumerate(row):
                difference[own * len(row) + j] += value
                difference[other * len(row) + j] -= value
            differences.add(tuple(difference[len(row) :]))
    return not _has_solution([list(column) for column in zip(*differences, strict=True)])


def _has_solution(equations: list[list[Fraction]]) -> bool:
    """Whether ``E λ = 0`` for some ``λ ≥ 1``: with ``λ = 1 + μ``, ``E μ = -E 1`` and ``μ ≥ 0``."""
    tableau = []
    for row in equations:
        right = -sum(row, Fraction(0))
        tableau.append([-value for value in row] + [-right] if right < 0 else [*row, right])
    n = len(tableau[0]) - 1
    basis = [n + i for i in range(len(tableau))]  # an artificial variable for each equation
    cost = [-sum(column, Fraction(0)) for column in zip(*tableau, strict=True)]
    while True:
        entering = next((j for j in range(n) if cost[j] < 0), None)
        if entering is None:
            return cost[-1] == 0
        ratios = [
            (row[-1] / row[entering], basis[i], i)
            for i, row in enumerate(tableau)
            if row[entering] > 0
        ]
        leaving = min(ratios)[2]  # the sum of the artificial variables is bounded below
        pivot = tableau[leaving][entering]
        tableau[leaving] = [value / pivot for value in tableau[leaving]]
        for i, row in enumerate(tableau):
            if i != leaving and row[entering]:
                factor = row[entering]
                tableau[i] = [a - factor * b for a, b in zip(row, tableau[leaving], strict=True)]
        factor = cost[entering]
        cost = [a - factor * b for a, b in zip(cost, tableau[leaving], strict=True)]
        basis[leaving] = entering
