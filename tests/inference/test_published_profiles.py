"""Profile intervals against those that R prints, which are interpolated: why, and by how much."""

import numpy as np
import pytest
from scipy import linalg, stats

from mcmodels import GeneralizedLinearRegressor as Glm
from tests.inference.published import agree


def budworms():
    """Venables and Ripley (2002), pp. 190–192: moths dead of 20, by sex and dose."""
    X = np.column_stack([np.repeat([1.0, 0.0], 6), np.tile(np.arange(6.0), 2)])
    dead = np.array([1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16])
    return "binomial", X, dead / 20, np.full(12, 20.0)


def dobson():
    """Dobson (1990), p. 93, of R's ?glm: counts by outcome and treatment."""
    counts = np.array([18.0, 17, 15, 20, 10, 20, 25, 13, 12])
    outcome, treatment = np.tile([0, 1, 2], 3), np.repeat([0, 1, 2], 3)
    X = np.column_stack([outcome == 1, outcome == 2, treatment == 1, treatment == 2])
    return "poisson", X.astype(float), counts, np.ones(9)


# What confint.glm printed: of the dose in clayford.net/statistics/profile-likelihood-ratio-
# confidence-intervals, of Dobson's counts in the README of R's package profileCI.
PRINTED = {
    budworms: {1: "0.8228708 1.3390581"},
    dobson: {
        0: "-0.8577018 -0.06255840",
        1: "-0.6753696 0.08244089",
        2: "-0.3932548 0.39325483",
        3: "-0.3932548 0.39325483",
        4: "2.6958215 3.36655581",
    },
}
CASES = [(rows, j) for rows, printed in PRINTED.items() for j in printed]


def deviance(family, X, y, w, j, value):
    """Of the fit with parameter j held at a value; the intercept is the last one."""
    columns = np.column_stack([X, np.ones(len(y))])
    model = Glm(family, fit_intercept=False, tol=1e-13)
    model.fit(np.delete(columns, j, axis=1), y, w, offset=value * columns[:, j])
    return model.deviance_


def spline(x, y, at):
    """A cubic spline; the third derivative at an end is that of the cubic through four points."""
    h = np.diff(x)
    A, b = np.zeros((len(x), len(x))), np.zeros(len(x))
    for k in range(1, len(x) - 1):
        A[k, k - 1 : k + 2] = h[k - 1], 2 * (h[k - 1] + h[k]), h[k]
        b[k] = 6 * ((y[k + 1] - y[k]) / h[k] - (y[k] - y[k - 1]) / h[k - 1])
    for row, part in ((0, slice(None, 4)), (-1, slice(-4, None))):
        first = 0 if row == 0 else len(h) - 1
        A[row, first : first + 2] = -1 / h[first], 1 / h[first]
        b[row] = 6 * np.polyfit(x[part] - x[part][0], y[part], 3)[0]
    second = linalg.solve(A, b)
    k = np.clip(np.searchsorted(x, at) - 1, 0, len(h) - 1)
    left, right, step = at - x[k], x[k + 1] - at, h[k]
    curved = (second[k] * right**3 + second[k + 1] * left**3) / (6 * step)
    lines = (y[k] * right + y[k + 1] * left) / step
    return curved + lines - step * (second[k] * right + second[k + 1] * left) / 6


def interpolated(family, X, y, w, j):
    """confint.glm of R: signed roots at steps of a fifth of the reach, a spline, straight lines."""
    model = Glm(family, tol=1e-13).fit(X, y, w)
    far = stats.norm.isf(0.05 / 8)  # alpha is a quarter of 1 - level
    step = far / 5 * model.standard_errors_[j]
    values, roots = [model.params_[j]], [0.0]
    for side in (-1, 1):
        for k in range(1, 10):
            values.append(model.params_[j] + side * k * step)
            drop = deviance(family, X, y, w, j, values[-1]) - model.deviance_
            roots.append(side * np.sqrt(drop))
            if abs(roots[-1]) >= far:
                break
    order = np.argsort(values)
    x, z = np.array(values)[order], np.array(roots)[order]
    fine = np.linspace(x[0], x[-1], 3 * len(x))
    return np.interp(stats.norm.ppf([0.025, 0.975]), spline(x, z, fine), fine)


@pytest.mark.parametrize(("rows", "j"), CASES)
def test_ends_in_r(rows, j):
    family, X, y, w = rows()
    agree(interpolated(family, X, y, w, j), PRINTED[rows][j])
    model = Glm(family, tol=1e-12).fit(X, y, w)
    found = model.profile_intervals(X, y, w).iloc[j]
    # What R interpolates lies within 2e-5 of the ends; at ours the deviance has risen by χ²'s
    # quantile, to 1e-13 of its size.
    np.testing.assert_allclose(found, [float(word) for word in PRINTED[rows][j].split()], atol=2e-5)
    for end in found:
        rise = deviance(family, X, y, w, j, end) - model.deviance_
        assert rise == pytest.approx(stats.chi2.isf(0.05, 1), rel=1e-9)
