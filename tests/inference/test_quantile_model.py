"""Densities and bandwidths of quantile regression: integrals, other formulas, statsmodels."""

import itertools
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate, stats
from statsmodels.regression import quantile_regression as theirs

from mcmodels import QuantileRegressor
from mcmodels.inference import quantile_model as ours
from mcmodels.inference.quantile_model import BANDWIDTHS, KERNELS, KINDS


@pytest.fixture(scope="module")
def engel():
    return sm.datasets.engel.load_pandas().data


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_are_densities(kernel):
    K = KERNELS[kernel]
    reach = [-10, -1, -0.5, 0, 0.5, 1, 10]
    area = sum(integrate.quad(K, a, b)[0] for a, b in itertools.pairwise(reach))
    # Quadrature is good to 1e-8.
    assert area == pytest.approx(1.0, abs=1e-7)
    u = np.linspace(-3, 3, 601)
    assert (K(u) >= 0).all()
    # They are evaluated by other formulas.
    np.testing.assert_allclose(K(u), theirs.kernels[kernel](u), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("quantile", [0.05, 0.3, 0.5, 0.9])
def test_bandwidths(quantile):
    rules = {
        "hsheather": theirs.hall_sheather,
        "bofinger": theirs.bofinger,
        "chamberlain": theirs.chamberlain,
    }
    assert tuple(rules) == BANDWIDTHS
    for name, rule in rules.items():
        expected = rule(137, quantile)
        # The same formula in another order of operations.
        assert ours._bandwidth(name, 137.0, quantile) == pytest.approx(expected, rel=1e-14)


def test_percentiles_of_counts_are_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    values, counts = rng.normal(size=30), rng.integers(0, 5, 30)
    shares = [0.0, 0.1, 0.25, 0.5, 0.77, 1.0]
    expected = np.percentile(np.repeat(values, counts), 100 * np.array(shares))
    found = ours._percentiles(values, counts.astype(float), shares)
    # Interpolation between two numbers.
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("quantile", [0.1, 0.25, 0.5, 0.75, 0.9])
def test_statsmodels_has_the_same_standard_errors(engel, quantile):
    """statsmodels stops where steps are below p_tol, of coefficients of size 0.4 to 100."""
    model = QuantileRegressor(quantile).fit(engel[["income"]], engel["foodexp"])
    reference = theirs.QuantReg(engel["foodexp"], sm.add_constant(engel[["income"]]))
    for kind in KINDS:
        for kernel in KERNELS:
            for bandwidth in BANDWIDTHS:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # it may walk in a circle of rounding errors
                    fit = reference.fit(
                        q=quantile, vcov=kind, kernel=kernel, bandwidth=bandwidth, p_tol=1e-9
                    )
                V = model.covariance(kind=kind, kernel=kernel, bandwidth=bandwidth)
                errors = np.sqrt(np.diagonal(V))
                np.testing.assert_allclose(errors[::-1], fit.bse, rtol=1e-6)
    np.testing.assert_allclose(model.params_[::-1], fit.params, rtol=1e-6)
    assert model.pseudo_r_squared_ == pytest.approx(fit.prsquared, rel=1e-8)
    table = model.confidence_intervals(0.9, kind=kind, kernel=kernel, bandwidth=bandwidth)
    np.testing.assert_allclose(table.to_numpy()[::-1], fit.conf_int(0.1), rtol=1e-5)


def test_covariances_by_their_definition():
    """Dense products of the formulas of the module, with the signs of the dual at the fit."""
    rng = np.random.default_rng(1)
    X, tau = rng.normal(size=(120, 2)), 0.3
    y = X @ [1.0, 2.0] + rng.standard_t(3, 120) * (1 + X[:, 0] ** 2)
    counts = rng.integers(1, 4, 120).astype(float)
    model = QuantileRegressor(tau).fit(X, y, counts)
    e, Z, n = y - model.predict(X), np.column_stack([X, np.ones(120)]), counts.sum()
    on = np.abs(e) < 1e-12
    assert on.sum() == 3
    psi = np.where(e > 0, tau, tau - 1)
    rest = Z[~on].T @ (counts * psi)[~on]
    above = e > 0
    above[on] = np.linalg.solve((Z[on] * counts[on, None]).T, -rest) > 0
    repeated = np.repeat(e, counts.astype(int))
    iqr = np.subtract(*np.percentile(repeated, [75, 25]))
    b = theirs.hall_sheather(n, tau)
    h = min(np.repeat(y, counts.astype(int)).std(), iqr / 1.34)
    h *= stats.norm.ppf(tau + b) - stats.norm.ppf(tau - b)
    f = counts @ theirs.kernels["epa"](e / h) / (n * h)
    A = np.linalg.inv(Z.T @ (Z * counts[:, None]))
    d = np.where(above, tau / f, (1 - tau) / f) ** 2
    robust = A @ (Z.T @ (Z * (counts * d)[:, None])) @ A
    # Products of matrices of condition 2: rounding errors.
    np.testing.assert_allclose(model.covariance(), robust, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(
        model.covariance(kind="iid"), tau * (1 - tau) / f**2 * A, rtol=1e-11, atol=1e-15
    )
