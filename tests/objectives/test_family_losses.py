"""Families and links: kernels, derivatives, deviances and likelihoods against mpmath."""

import mpmath as mp
import numpy as np
import pytest

from mcmodels.objectives.expected_weights import ExpectedWeights
from mcmodels.objectives.families import Binomial, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS

FAMILIES = {
    "normal": PowerFamily("normal", 0.0),
    "poisson": PowerFamily("poisson", 1.0),
    "gamma": PowerFamily("gamma", 2.0),
    "inverse_gaussian": PowerFamily("inverse_gaussian", 3.0),
    "tweedie 1.5": PowerFamily("tweedie", 1.5),
    "tweedie 1.1": PowerFamily("tweedie", 1.1),
    "tweedie 2.5": PowerFamily("tweedie", 2.5),
    "tweedie -1": PowerFamily("tweedie", -1.0),
    "binomial": Binomial(),
    "negative_binomial": NegativeBinomial(0.7),
    "negative_binomial 1e-6": NegativeBinomial(1e-6),
}
INVERSES = {
    "identity": lambda eta: eta,
    "log": mp.exp,
    "logit": lambda eta: 1 / (1 + mp.exp(-eta)),
    "probit": mp.ncdf,
    "cloglog": lambda eta: -mp.expm1(-mp.exp(eta)),
    "inverse": lambda eta: 1 / eta,
    "inverse_squared": lambda eta: 1 / mp.sqrt(eta),
    "sqrt": lambda eta: eta**2,
}
PROBABILITIES = ("logit", "probit", "cloglog")
MODERATE = {
    "identity": (0.1, 0.35, 0.9),
    "log": (-3.0, -0.4, -1e-3),
    "logit": (-6.0, -0.3, 0.0, 2.0, 9.0),
    "probit": (-4.0, -0.7, 0.0, 0.5, 3.0),
    "cloglog": (-7.0, -1.5, -0.2, 0.4, 1.5),
    "inverse": (1.1, 2.0, 30.0),
    "inverse_squared": (1.2, 5.0, 40.0),
    "sqrt": (0.2, 0.6, 0.95),
}
# Where only the simpler forms have digits: (family, link, values of η).
EXTREME = [
    ("binomial", "logit", (-700.0, -40.0, 40.0, 700.0)),
    ("binomial", "probit", (-1e4, -200.0, -50.1, -49.9, -37.0, -15.0, 8.0, 30.0)),
    ("binomial", "cloglog", (-60.0, -36.1, -35.9, -20.0, -1.21, -1.2, 3.0, 5.5)),
    ("binomial", "log", (-80.0, -30.0, -1e-9)),
    ("poisson", "log", (-60.0, 60.0)),
    ("gamma", "log", (-60.0, 60.0)),
    ("tweedie 1.5", "log", (-60.0, 60.0)),
    ("inverse_gaussian", "log", (-40.0, 40.0)),
    ("negative_binomial", "log", (-60.0, 60.0, 600.0)),
]
TARGETS = {
    "normal": (-1.3, 0.0, 2.0),
    "binomial": (0.0, 0.3, 1.0),
    "poisson": (0.0, 1.0, 7.0),
    "negative_binomial": (0.0, 1.0, 7.0),
    "negative_binomial 1e-6": (0.0, 3.0),
    "tweedie 1.5": (0.0, 0.4, 3.0),
    "tweedie 1.1": (0.0, 2.0),
    "tweedie -1": (-0.5, 0.0, 2.0),
}


H = mp.mpf(10) ** -30
# Below it are the errors of the differences, and underflow.
LEAST = 1e-250


def parts(name, mu):
    """b and t of the kernel ``b(μ) - y t(μ)``; of binomial targets those for y = 0 and y = 1."""
    if name == "binomial":
        return -mp.log(1 - mu), mp.log(mu)
    if name.startswith("negative_binomial"):
        theta = mp.mpf(FAMILIES[name].theta)
        return mp.log(1 + theta * mu) / theta, mp.log(mu / (1 + theta * mu))
    p = mp.mpf(FAMILIES[name].power)
    free = mp.log(mu) if p == 2 else mu ** (2 - p) / (2 - p)
    return free, mp.log(mu) if p == 1 else mu ** (1 - p) / (1 - p)


def cases():
    for name in FAMILIES:
        for link, etas in MODERATE.items():
            yield name, link, etas
    yield from EXTREME


@pytest.mark.parametrize(("name", "link", "etas"), list(cases()))
def test_kernel_and_its_derivatives(name, link, etas):
    loss, inverse = FamilyLoss(FAMILIES[name], LINKS[link]), INVERSES[link]
    for at in map(mp.mpf, etas):
        with mp.workdps(800 if abs(at) > 5 else 100):
            of_part = [
                [mp.diff(lambda x, k=k: parts(name, inverse(x))[k], at, order, h=H) for k in (0, 1)]
                for order in range(3)
            ]
        for y in TARGETS.get(name, (0.2, 1.0, 7.0)):
            found = loss(np.array([y]), np.array([float(at)]), (0, 1, 2))
            for order, (b, t) in enumerate(of_part):
                if name == "binomial":
                    terms = (1 - mp.mpf(y)) * b, -mp.mpf(y) * t
                else:
                    terms = b, -mp.mpf(y) * t
                # Each of the two terms has a rounding error of its own; the largest here is 1e-13.
                error = abs(found[order][0] - sum(terms))
                assert error <= 1e-12 * sum(map(abs, terms)) + LEAST, (order, y, at)


@pytest.mark.parametrize(
    ("link", "etas"),
    [
        ("logit", (-700.0, -30.0, -2.0, -1e-9, 0.0, 0.3, 37.0, 700.0)),
        ("probit", (-5.0, -1.0, 0.0, 2.5, 5.0)),
        ("cloglog", (-30.0, -3.0, 0.0, 2.0)),
    ],
)
@pytest.mark.parametrize("y", [[0.0, 1.0], [0.0, 1.0, 0.25]], ids=["outcomes", "shares"])
def test_deviance_and_pearson_residual_of_binomial_targets(link, etas, y):
    # Blocks of successes and failures alone have formulas of their own.
    loss, targets = FamilyLoss(FAMILIES["binomial"], LINKS[link]), np.array(y)
    for eta in etas:
        deviance = loss.deviance(targets, np.full(targets.shape, eta))
        pearson = loss.pearson(targets, np.full(targets.shape, eta))
        with mp.workdps(800):
            mu = INVERSES[link](mp.mpf(eta))
            for k, at in enumerate(map(mp.mpf, y)):
                terms = [t * mp.log(t / m) for t, m in ((at, mu), (1 - at, 1 - mu)) if t > 0]
                size = 2 * sum(map(abs, terms))
                # One rounding of each term, and those of the functions: 1e-14 was the largest.
                assert abs(deviance[k] - 2 * sum(terms)) <= 1e-13 * size
                expected = (at - mu) / mp.sqrt(mu * (1 - mu))
                parts = (at * (1 - mu) + (1 - at) * mu) / mp.sqrt(mu * (1 - mu))
                assert abs(pearson[k] - expected) <= 1e-13 * parts


@pytest.mark.parametrize("eta", [300.0, 360.0, 709.7, 709.8, 1011.0, 1e5])
def test_cloglog_where_exp_of_eta_is_far_or_overflows(eta):
    """A success is certain there: year-like columns take predictors so far.

    Its loss, slopes and all expected curvatures are less than ``e^-e^300``, which is zero; a
    failure has e^η, which is infinite from 709.8 on, as it was; no value is NaN.
    """
    loss, at = FamilyLoss(FAMILIES["binomial"], LINKS["cloglog"]), np.array([eta])
    assert [v.item() for v in loss(np.ones(1), at, (0, 1, 2))] == [0.0, 0.0, 0.0]
    assert [v.item() for v in ExpectedWeights(loss)(at)] == [0.0, 0.0, 0.0]
    assert loss.expected_curvature(at).item() == 0.0
    for y in (0.0, 0.25):  # (1 - y) e^η, as the part of the success is zero
        with mp.workdps(30):
            exact = float((1 - mp.mpf(y)) * mp.exp(eta)) if eta < 709.78 else np.inf
        # exp rounds η: 709.7 has an error of 1e-13, so have the values.
        np.testing.assert_allclose(
            np.concatenate(loss(np.array([y]), at, (0, 1, 2))), exact, rtol=4e-13
        )


@pytest.mark.parametrize("name", FAMILIES)
def test_the_deviance_is_what_a_likelihood_lacks_of_the_saturated_one(name):
    """``2 (log p(y | y) - log p(y | μ)) = w d(y, μ)/φ``, McCullagh and Nelder (1989), §2.3."""
    family = FAMILIES[name]
    targets = [
        y for y in TARGETS.get(name.split()[0], (0.0, 0.3, 1.0, 4.0)) if _is_target(family, y)
    ]
    y, mu = (a.ravel() for a in np.meshgrid(targets, [0.05, 0.5, 0.9]))
    # Trials of which the proportions are whole numbers; φ of each row.
    weights = np.full(len(y), 10.0)
    phi = np.linspace(0.3, 2.0, len(y))
    at_mean = family.log_likelihood(y, mu, weights, phi)
    saturated = family.saturated_log_likelihood(y, weights, phi)
    wanted = weights * family.deviance(y, mu) / (2 * phi)
    # NaN of families whose density has no finite form; else sums of a few terms of up to 1e4.
    np.testing.assert_allclose(
        saturated - at_mean, np.where(np.isnan(at_mean), np.nan, wanted), rtol=1e-11, atol=1e-9
    )
    own = np.array([family.has_mean(np.array([value]))[0] for value in y])
    at_own = family.log_likelihood(y[own], y[own], weights[own], phi[own])
    np.testing.assert_allclose(saturated[own], at_own, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_likelihoods_of_small_counts_are_those_of_each_alone(name):
    """Many counts are computed by value; one alone, or beside a number that is none, is not."""
    family, rng = FAMILIES[name], np.random.default_rng(0)
    for y in (rng.poisson(3.0, 200).astype(float), rng.poisson(1e3, 50).astype(float)):
        mu, ones = rng.uniform(0.1, 9.0, y.size), np.ones(y.size)
        alone = [family.log_likelihood(y[[i]], mu[[i]], ones[[i]], 1.0)[0] for i in range(y.size)]
        # The same formula: vectorised logarithms may differ by a rounding.
        np.testing.assert_allclose(family.log_likelihood(y, mu, ones, 1.0), alone, rtol=1e-14)
        mixed = family.log_likelihood(
            np.append(y, 0.5), np.append(mu, 1.0), np.ones(y.size + 1), 1.0
        )
        np.testing.assert_allclose(mixed[:-1], alone, rtol=1e-14)


def _is_target(family, y):
    return not family.wrong_targets(np.array([y]))[0][0]
