"""Analysis of variance of a linear model: what each term adds to a model without it.

With F a factor of the (centred, weighted) features, ``FᵀF = X̃ᵀWX̃``, the fit has the coordinates
``c = Fθ̂``, and a model with the columns S explains ``‖P_S c‖²`` of the squares of y, where P_S is
the projection on the columns ``F_S``. So a term T adds to S

    ``SS = ‖(P_{S∪T} - P_S) c‖² = ‖Uᵀc‖²``,

U an orthonormal basis of what ``F_T`` has beside ``F_S``; it has as many columns as there are
degrees of freedom, also where columns depend on each other. No other fit is needed, and no
difference of large numbers is taken. If S is every other column, ``SS`` is
``(Rθ̂)ᵀ (R (X̃ᵀWX̃)⁻¹ Rᵀ)⁻¹ Rθ̂`` of the restrictions ``Rθ = θ_T = 0``. In general, of independent
columns, it is ``‖z_T‖²`` with ``(z_r, z_T) = L⁻¹(θ̂_r, θ̂_T)``, where r are the columns outside of S
and T, and L is the triangular factor of the block of ``(X̃ᵀWX̃)⁻¹`` of r and T: few columns, where
few terms contain T. F is ``(SS/df) / (E/(n - P))`` with the squares of residuals E of the whole
model. A term that depends on the columns it is added to has no degree of freedom, explains nothing,
and has no F.

With another covariance V, T is tested in a model without the terms r by the estimate of ``θ_T``
that is best if ``θ_r`` is zero, ``θ̂_T - V_Tr V_rr⁻¹ θ̂_r``; with the classical V its Wald test is
F above.

Sources: Seber and Lee (2003), *Linear Regression Analysis*, 2nd ed., §3.8 and theorem 4.1; the
types of tests, and the test with another covariance: Fox (2016), *Applied Regression Analysis and
Generalized Linear Models*, 3rd ed., §8.2, and the function ``Anova`` of R's package car.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest, wald_test
from mcmodels.inference.linear_model import LinearModelInference
from mcmodels.rows import FactoredMoments
from mcmodels.solvers.least_squares import LeastSquares
from mcmodels.solvers.tolerances import factorisation_error

__all__ = [
    "RESIDUALS",
    "AddedTerm",
    "anova_table",
    "are_indicators",
    "wald_table",
    "wald_test_of_term",
]

RESIDUALS = "(residuals)"
# Units of rounding by which the sums of x and of x² of indicators may differ.
_UNITS_OF_SUMS = 1e3
# Covariances of quantities of unit variance are singular if there are singular values below this:
# rounding errors leave some 1e-16 of what is zero.
_SINGULAR = 1e-13


class AddedTerm(NamedTuple):
    """A term, and the models that it is the difference of.

    Parameters
    ----------
    name : str
        Its name.
    columns : list of int
        Its columns.
    base : list of int
        The columns of the model that it is added to.
    left_out : list of int
        All other columns.
    """

    name: str
    columns: list[int]
    base: list[int]
    left_out: list[int]


def anova_table(model: LinearModelInference, tests: Sequence[AddedTerm]) -> pd.DataFrame:
    """Sums of squares of terms with their F tests, and of the residuals in the last row.

    A term that adds nothing to its base, because it depends on it, has 0 degrees of freedom and no
    test (NaN).

    Raises
    ------
    InferenceError
        If no degree of freedom is left for the residuals.
    """
    (noise,) = np.diagonal(model.noise_covariance)
    full_rank, table = model.rank == model.fit.moments.n_features, []
    explained = (_by_covariance if full_rank else _by_projections)(model.fit, tests)
    for squares, df in explained:
        if df == 0:
            table.append([0.0, 0.0, np.nan, np.nan])
            continue
        statistic = np.inf if squares > 0 else 0.0
        if noise > 0:
            statistic = squares / df / float(noise)
        table.append([squares, df, statistic, stats.f.sf(statistic, df, model.df)])
    left = max(float(model.fit.residual_scatter[0, 0]), 0.0)
    table.append([left, model.df, np.nan, np.nan])
    index = [*(test.name for test in tests), RESIDUALS]
    return pd.DataFrame(table, index, ["sum_of_squares", "df", "F", "p_value"])


def _by_covariance(fit: LeastSquares, tests: Sequence[AddedTerm]) -> list[tuple[float, int]]:
    """The squares that terms explain, and their degrees of freedom, of independent columns.

    One triangular factor serves all terms where each is added to those before it.
    """
    theta, root = fit.params[0], fit.inverse.root
    later: list[int] = []
    orders = []
    for test in reversed(tests):
        orders.append([*later, *test.columns])
        later = orders[-1]
    orders.reverse()
    if all(
        sorted(test.left_out) == sorted(order[: -len(test.columns)])
        for test, order in zip(tests, orders, strict=True)
    ):
        parts = _uncorrelated(root[later], theta[later])
        ends = [
            (len(order) - len(test.columns), len(order))
            for test, order in zip(tests, orders, strict=True)
        ]
        return [(float(np.sum(parts[a:b] ** 2)), b - a) for a, b in ends]
    found = []
    for test in tests:
        order = [*test.left_out, *test.columns]
        parts = _uncorrelated(root[order], theta[order])[len(test.left_out) :]
        found.append((float(np.sum(parts**2)), len(parts)))
    return found


def _uncorrelated(root: Array, theta: Array) -> Array:
    """``L⁻¹θ`` with ``LLᵀ = TTᵀ``: each entry is uncorrelated with those before it."""
    R = linalg.qr(root.T, mode="r", check_finite=False)[0][: len(theta)]
    return np.asarray(linalg.solve_triangular(R, theta, trans="T", check_finite=False))


def _by_projections(fit: LeastSquares, tests: Sequence[AddedTerm]) -> list[tuple[float, int]]:
    """The same where columns depend on each other.

    The factor has the rank of the fit: what rounding errors add along the null space is taken off.
    """
    space, factor = fit.row_space, fit.factor
    assert space is not None
    coordinates = factor @ fit.params[0, : fit.moments.n_features]
    unit = factor / space.unit - space.left_over(factor)
    # What counts as zero, relative to columns of unit length: rounding errors, of sums of squares
    # by the least singular value; and the errors of the null space, times that value.
    values = linalg.svdvals(unit, check_finite=False) if unit.size else np.zeros(0)
    least = values[fit.inverse.rank - 1] if fit.inverse.rank else 1.0
    rounding = factorisation_error(max(unit.shape))
    if not isinstance(fit.moments, FactoredMoments):
        rounding /= least
    zero = rounding + space.error * least
    return [_added(unit, coordinates, test, zero) for test in tests]


def _added(factor: Array, coordinates: Array, test: AddedTerm, zero: float) -> tuple[float, int]:
    """The squares that a term explains beside its base, and its degrees of freedom."""
    base, both = (
        _basis(factor[:, columns], zero) for columns in (test.base, [*test.base, *test.columns])
    )
    df = both.shape[1] - base.shape[1]
    extra = factor[:, test.columns]
    for _ in range(2):  # the second time removes the rounding errors of the first
        extra = extra - base @ (base.T @ extra)
    basis = linalg.svd(extra, full_matrices=False, check_finite=False)[0][:, :df]
    return float(np.sum((basis.T @ coordinates) ** 2)), df


def _basis(columns: Array, zero: float) -> Array:
    """An orthonormal basis of columns of unit length, but for what counts as zero."""
    if not columns.size:
        return np.zeros((len(columns), 0))
    vectors, values, _ = linalg.svd(columns, full_matrices=False, check_finite=False)
    return np.asarray(vectors[:, values > zero])


def wald_test_of_term(
    estimate: Estimate, name: str, tested: list[int], zero: list[int], n_params: int
) -> HypothesisTest:
    """Wald's test that the parameters of a term are zero, in a model where others are zero, too.

    Parameters
    ----------
    estimate : Estimate
        All parameters, one linear predictor after another.
    name : str
        The name of the term.
    tested, zero : list of int
        The features of the term, and those whose parameters are zero.
    n_params : int
        Number of parameters of a linear predictor.

    Returns
    -------
    HypothesisTest
        With 0 degrees of freedom and the statistic NaN, where the data determine nothing of the
        term beside the others.
    """
    held, R = (_determined(estimate, features, n_params) for features in (zero, [*zero, *tested]))
    if len(R) == len(held):
        freedom = None if estimate.statistic_name == "z" else np.nan
        return HypothesisTest(f"{name} adds nothing", np.nan, 0, freedom)
    if len(held):
        names = tuple(map(str, range(len(held) + len(R))))
        V, _, _ = estimate.covariance_of(np.vstack([held, R]), names)
        scale = np.sqrt(np.diagonal(V))
        if not (scale > 0).all():
            return wald_test(estimate, R)  # raises: a parameter has no variance
        # Functions of all these parameters that are uncorrelated with those that are zero.
        unit = V / np.outer(scale, scale)
        beside = linalg.null_space(unit[: len(held), len(held) :], rcond=_SINGULAR).T
        left = beside @ unit[len(held) :, len(held) :] @ beside.T
        if len(beside) != len(R) - len(held) or linalg.eigvalsh(left)[0] <= _SINGULAR:
            raise InferenceError(
                f"the term {name!r} cannot be tested in a model without the terms that contain it "
                "or follow it: the covariance of their parameters is singular, as with fewer "
                "clusters than parameters. Take type=3, or a covariance of another kind."
            )
        R = beside @ (R / scale[len(held) :, np.newaxis])
    return wald_test(estimate, R)


def _determined(estimate: Estimate, features: list[int], n_params: int) -> Array:
    """Independent functions of the coefficients of some features that the data determine."""
    rows = np.eye(n_params)[features]
    if estimate.estimable is not None:
        rows = estimate.estimable.functions_of(features)
    return np.asarray(np.kron(np.eye(len(estimate.params) // n_params), rows), dtype=np.float64)


def wald_table(tests: dict[str, HypothesisTest], statistic: str = "statistic") -> pd.DataFrame:
    """Tests of terms, one a row; with degrees of freedom of the denominator where they are F."""
    columns = {
        statistic: [test.statistic for test in tests.values()],
        "df": [test.df for test in tests.values()],
    }
    if any(test.df_denominator is not None for test in tests.values()):
        columns["df_denominator"] = [float(test.df_denominator or 0) for test in tests.values()]
    columns["p_value"] = [test.p_value for test in tests.values()]
    return pd.DataFrame(columns, index=list(tests))


def are_indicators(fit: LeastSquares) -> npt.NDArray[np.bool_]:
    """Which features are 0 or 1 in every row: those with ``Σ wx² = Σ wx``, shape (p,)."""
    moments = fit.moments
    if moments.left_out is not None:  # the moments are about zero, and hold no sums
        sums, squares = moments.left_out.x_sums, moments.x_squares
    else:
        sums = moments.weight * moments.x_mean
        squares = moments.x_squares + moments.weight * moments.x_mean**2
    rounding = _UNITS_OF_SUMS * moments.rounding * squares
    return np.asarray((np.abs(squares - sums) <= rounding) & (squares > 0))
