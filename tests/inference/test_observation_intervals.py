"""Intervals of observations and means where they are hard: narrow families, bounds, poles."""

import numpy as np
import pytest
from scipy import stats

from mcmodels import GeneralizedLinearRegressor
from mcmodels.exceptions import NoMeanWarning
from mcmodels.inference.glm_residuals import distribution_of
from mcmodels.inference.mean_intervals import mean_intervals, observation_intervals
from mcmodels.objectives.families import Binomial, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS
from mcmodels.rows import ArrayRows

FAMILIES = {
    "poisson": PowerFamily("poisson", 1.0),
    "gamma": PowerFamily("gamma", 2.0),
    "normal": PowerFamily("normal", 0.0),
    "inverse_gaussian": PowerFamily("inverse_gaussian", 3.0),
    "negative_binomial": NegativeBinomial(1.0),
    "binomial": Binomial(),
}
# Family, link, η, its standard error, φ. The family is wide, narrow, and far narrower than s.
CASES = [
    ("poisson", "log", 1.5, 0.3, 1.0),
    ("poisson", "log", 13.8, 0.01, 1.0),
    ("poisson", "log", 13.8, 0.1, 1.0),
    ("poisson", "sqrt", 300.0, 3.0, 1.0),
    ("gamma", "log", 1.0, 0.1, 1e-4),
    ("gamma", "inverse", 1.0, 0.1, 1e-4),
    ("normal", "log", 1.0, 0.1, 1e-5),
    ("negative_binomial", "log", 14.0, 0.1, 1.0),
    ("binomial", "logit", 0.3, 0.1, 1.0),
    ("inverse_gaussian", "log", 1.0, 0.1, 1e-3),
    ("inverse_gaussian", "log", 1.0, 0.5, 0.5),
    ("inverse_gaussian", "log", -7.0, 0.2, 1.0),
    ("inverse_gaussian", "log", 8.0, 1.0, 3.0),
]
# Where r < 1/25 the ends are those of a stretched normal distribution: its terms left out are of
# the order r² s, here below 2e-6 as a probability. Elsewhere the rule has every digit of the tails.
TOLERANCE = 2e-6


class Known:
    """What intervals ask of a model: an intercept with a standard error."""

    def __init__(self, eta, error, dispersion):
        self.params, self.error, self.dispersion = np.array([0.0, eta]), error, dispersion

    def predictor_error(self, block):
        return np.full(len(block.X.X), self.error)

    def warn_of_rows(self, errors):
        """Every row is determined."""


def below(loss, eta, error, dispersion, trials):
    """F(y) by a sum over 100,001 values of Z, enough for widths of 1e-3."""
    z = np.linspace(-8.0, 8.0, 100_001)
    weights = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    distribution, is_discrete = distribution_of(
        loss.family, loss.link.mean(eta + error * z), trials, dispersion
    )
    return lambda y: float(weights @ distribution.cdf(y)), is_discrete


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("family", "link", "eta", "error", "dispersion"), CASES)
def test_ends_are_quantiles_of_the_average(family, link, eta, error, dispersion, level):
    loss = FamilyLoss(FAMILIES[family], LINKS[link])
    trials = 100_000.0 if family == "binomial" else None
    extras = {} if trials is None else {"trials": np.array([trials])}
    rows = ArrayRows(np.zeros((1, 1)), extras=extras, intercept=True)
    model = Known(eta, error, dispersion)
    _, _, *ends = observation_intervals(model, loss, rows, level, 2.0)[0]
    F, is_discrete = below(loss, eta, error, dispersion, trials)
    for end, p in zip(ends, ((1 - level) / 2, (1 + level) / 2), strict=True):
        if not is_discrete:
            assert F(end) == pytest.approx(p, abs=TOLERANCE)
            continue
        count = np.rint(end * (trials or 1.0))
        assert F(count - 1.0) < p + TOLERANCE
        assert F(count) > p - TOLERANCE


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("mean", np.geomspace(30.0, 120.0, 25))
def test_inverse_gaussian_intervals_warn_of_no_quantile_of_scipy(mean):
    # SciPy's own quantiles warn at some of these means, of which every node of the rule is one.
    loss = FamilyLoss(FAMILIES["inverse_gaussian"], LINKS["log"])
    rows = ArrayRows(np.zeros((1, 1)), intercept=True)
    model = Known(np.log(mean), 0.5, 1.0)
    _, _, *ends = observation_intervals(model, loss, rows, 0.95, 2.0)[0]
    F, _ = below(loss, np.log(mean), 0.5, 1.0, None)
    assert [F(end) for end in ends] == pytest.approx([0.025, 0.975], abs=TOLERANCE)


@pytest.mark.parametrize("dispersion", [1e-8, 1e-10, 1e-12, 1e-14])
def test_narrow_inverse_gaussian_intervals_are_normal(dispersion):
    # SciPy's own quantile at φ = 1e-12 is 0.993 of the mean, 7000 standard deviations too low.
    loss = FamilyLoss(FAMILIES["inverse_gaussian"], LINKS["log"])
    rows = ArrayRows(np.zeros((1, 1)), intercept=True)
    error = np.sqrt(dispersion)
    _, _, *ends = observation_intervals(Known(0.0, error, dispersion), loss, rows, 0.95, 2.0)[0]
    found = (np.array(ends) - 1.0) / np.sqrt(dispersion + error**2)
    # What Cornish and Fisher add for the skewness, 3√φ: below 10√φ; and the rounding of the mean.
    tolerance = 10.0 * error + 4.0 * np.finfo(float).eps / error
    assert found == pytest.approx([-stats.norm.isf(0.025), stats.norm.isf(0.025)], abs=tolerance)


def test_rows_without_a_mean_are_nan_and_said():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 3, size=(60, 1))
    y = rng.poisson(2 * X[:, 0])
    model = GeneralizedLinearRegressor("poisson", link="identity").fit(X, y)
    new = np.array([[2.0], [-50.0]])
    for kind in ("mean", "observation"):
        with pytest.warns(NoMeanWarning, match="1 of 2 rows .* first is row 1"):
            table = model.predict_interval(new, kind=kind)
        assert np.isfinite(table.iloc[0]).all()
        assert np.isnan(table.iloc[1]).all()
    for kind in ("response", "pearson", "deviance", "quantile"):
        with pytest.warns(NoMeanWarning, match="Their residuals are NaN"):
            found = model.residuals(new, [3, 4], kind=kind, random_state=0)
        assert np.isfinite(found[0])
        assert np.isnan(found[1])
    with pytest.warns(NoMeanWarning, match="The score is -inf"):
        assert model.score(new, [3, 4]) == -np.inf


@pytest.mark.parametrize(("link", "ends"), [("inverse", (1 / 3, np.inf)), ("sqrt", (0.0, 9.0))])
def test_ends_at_the_bounds_of_the_link_are_their_limits(link, ends):
    """η = 1 ± 2: the lower end is at zero, where μ is infinite or zero."""
    rows = ArrayRows(np.zeros((1, 1)), intercept=True)
    for name, power in (("gamma", 2.0), ("tweedie", 1.5)):
        loss = FamilyLoss(PowerFamily(name, power), LINKS[link])
        found = mean_intervals(Known(1.0, 1.0, 1.0), loss, rows, 2.0)[0]
        assert found[2:] == pytest.approx(ends, rel=1e-15)
    loss = FamilyLoss(PowerFamily("tweedie", 1.5), LINKS["inverse_squared"])
    found = mean_intervals(Known(1.0, 1.0, 1.0), loss, rows, 2.0)[0]
    assert found[2:] == pytest.approx((3**-0.5, np.inf), rel=1e-15)


def test_an_interval_with_a_pole_in_it_is_the_whole_line():
    """Means 1/η for η between -1 and 3 are those outside (-1, 1/3): 1/1 is not between them."""
    rows = ArrayRows(np.zeros((1, 1)), intercept=True)
    loss = FamilyLoss(FAMILIES["normal"], LINKS["inverse"])
    found = mean_intervals(Known(1.0, 1.0, 1.0), loss, rows, 2.0)[0]
    assert found.tolist() == [1.0, 1.0, -np.inf, np.inf]


def test_counts_beyond_what_float64_tells_apart_have_no_end():
    rows = ArrayRows(np.zeros((1, 1)), intercept=True)
    for family in ("poisson", "negative_binomial"):
        loss = FamilyLoss(FAMILIES[family], LINKS["log"])
        for eta, error in ((40.0, 10.0), (2000.0, 3.0)):
            found = observation_intervals(Known(eta, error, 1.0), loss, rows, 0.95, 2.0)[0]
            assert found[3] == np.inf
