"""What weights are, in generalized linear models: statsmodels, densities, brute force."""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats

from mcmodels import GeneralizedLinearRegressor, LinearRegression, likelihood_ratio_test
from mcmodels.exceptions import InferenceError
from tests.inference.problems import with_ones

LINKS = sm.families.links
# Two fits to gradients of 1e-10 and less, in designs of condition 10: their covariances agree to
# about the gradient; with a margin of 100.
FIT = 1e-8
FAMILIES = {
    "poisson": ("poisson", "log", sm.families.Poisson()),
    "binomial": ("binomial", "logit", sm.families.Binomial()),
    "gamma": ("gamma", "log", sm.families.Gamma(LINKS.Log())),
    "gamma, canonical": ("gamma", "inverse", sm.families.Gamma(LINKS.InversePower())),
    "inverse gaussian": ("inverse_gaussian", "log", sm.families.InverseGaussian(LINKS.Log())),
    "normal": ("normal", "identity", sm.families.Gaussian()),
    "normal, log": ("normal", "log", sm.families.Gaussian(LINKS.Log())),
    "tweedie": ("tweedie", "log", sm.families.Tweedie(LINKS.Log(), var_power=1.5)),
    "negative binomial": ("negative_binomial", "log", sm.families.NegativeBinomial(alpha=0.7)),
}
CANONICAL = ["poisson", "binomial", "gamma, canonical", "normal"]


def problem(name, seed=0, n=150):
    """Rows of a family, weights over two decades, labels of groups."""
    rng = np.random.default_rng([seed, len(name)])
    X = rng.normal(size=(n, 2))
    eta = 0.4 * X[:, 0] - 0.3 * X[:, 1]
    family, link, _ = FAMILIES[name]
    w = 10 ** rng.uniform(-1, 1, n)
    if family == "poisson":
        y = rng.poisson(np.exp(1 + eta)).astype(float)
    elif family == "negative_binomial":
        y = rng.negative_binomial(1.5, 0.3, n).astype(float)
    elif family == "binomial":
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    elif family == "tweedie":
        y = np.where(rng.random(n) < 0.2, 0.0, rng.gamma(2.0, np.exp(eta)))
    elif family == "normal":
        y = (eta if link == "identity" else np.exp(1 + eta)) + rng.normal(size=n) / 3
    elif link == "inverse":
        y = rng.gamma(5.0, 1 / (2 + eta) / 5)
    else:
        y = rng.gamma(5.0, np.exp(eta) / 5)
    return X, y, w, rng.integers(0, 12, n)


def ours(name, weights, **options):
    family, link, _ = FAMILIES[name]
    options |= {"power": 1.5} if family == "tweedie" else {}
    options |= {"theta": 0.7} if family == "negative_binomial" else {}
    return GeneralizedLinearRegressor(family, link=link, tol=1e-12, weights=weights, **options)


def theirs(name, X, y, **options):
    """statsmodels', with the dispersion that R and we take by default."""
    model = sm.GLM(y, with_ones(X), FAMILIES[name][2], **options)
    return model.fit(tol=1e-13, maxiter=300)


@pytest.mark.parametrize("name", FAMILIES)
def test_precisions_are_var_weights(name):
    X, y, w, _ = problem(name)
    model = ours(name, "precision").fit(X, y, w)
    peer = theirs(name, X, y, var_weights=w)
    np.testing.assert_allclose(model.params_, peer.params, rtol=1e-7, atol=1e-9)
    assert model.dispersion_ == pytest.approx(peer.scale, rel=FIT)
    expected = model.covariance(X, y, w, kind="expected")
    np.testing.assert_allclose(np.sqrt(np.diag(expected)), peer.bse, rtol=1e-6)
    assert model.n_observations_ == peer.nobs == len(y)
    assert model.deviance_ == pytest.approx(peer.deviance, rel=FIT)
    assert model.pearson_chi2_ == pytest.approx(peer.pearson_chi2, rel=FIT)


@pytest.mark.parametrize("name", ["poisson", "binomial", "gamma", "inverse gaussian", "tweedie"])
def test_log_likelihoods_of_precisions(name):
    X, y, w, _ = problem(name)
    model = ours(name, "precision").fit(X, y, w)
    peer = theirs(name, X, y, var_weights=w)
    if name == "tweedie":  # theirs is a saddlepoint without eql=True, and may fail for small φ
        expected = tweedie_log_density(y, peer.mu, w, peer.scale)
    else:
        expected = peer.llf_scaled(peer.scale)
    assert model.log_likelihood_ == pytest.approx(expected, rel=FIT)
    k = len(model.params_)
    assert model.aic_ == pytest.approx(2 * k - 2 * expected, rel=FIT)
    assert model.bic_ == pytest.approx(np.log(len(y)) * k - 2 * expected, rel=FIT)


def tweedie_log_density(y, mu, w, phi, p=1.5):
    """Jørgensen's compound Poisson density with the dispersion φ/w of each row, by mpmath."""
    total = mp.mpf(0)
    with mp.workdps(30):
        for target, mean, precision in zip(y.tolist(), mu.tolist(), w.tolist(), strict=True):
            f, m = mp.mpf(phi) / precision, mp.mpf(mean)
            rate = m ** (2 - p) / (f * (2 - p))
            if target == 0:
                total -= rate
                continue
            shape, scale = (2 - mp.mpf(p)) / (p - 1), f * (p - 1) * m ** (p - 1)
            t = mp.mpf(target)
            last = int(3 * rate + 60 + 10 * mp.sqrt(rate) + 3 * t / scale)
            # A Poisson number of gamma variables.
            terms = (
                mp.exp(-rate + j * mp.log(rate) - mp.loggamma(j + 1))
                * mp.exp(
                    (j * shape - 1) * mp.log(t)
                    - t / scale
                    - mp.loggamma(j * shape)
                    - j * shape * mp.log(scale)
                )
                for j in range(1, last)
            )
            total += mp.log(mp.fsum(terms))
    return float(total)


def test_the_normal_log_likelihood_of_precisions_is_rs():
    """R's logLik.lm: ½(Σ log w - n(log 2π + 1 - log n + log Σ w r²))."""
    X, y, w, _ = problem("normal")
    model = ours("normal", "precision").fit(X, y, w)
    n, squares = len(y), w @ (y - model.predict(X)) ** 2
    expected = (np.log(w).sum() - n * (np.log(2 * np.pi) + 1 - np.log(n) + np.log(squares))) / 2
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-12)


def test_binomial_precisions_are_trials():
    """As in R, whose weights of proportions are trials; statsmodels leaves the combinations out."""
    rng = np.random.default_rng(3)
    X, trials = rng.normal(size=(80, 1)), rng.integers(1, 30, 80).astype(float)
    y = rng.binomial(trials.astype(int), 1 / (1 + np.exp(-X[:, 0]))) / trials
    by = {
        kind: GeneralizedLinearRegressor("binomial", weights=kind).fit(X, y, trials)
        for kind in ("frequency", "precision")
    }
    assert by["precision"].log_likelihood_ == by["frequency"].log_likelihood_
    assert by["precision"].n_observations_ == 80
    np.testing.assert_array_equal(by["precision"].covariance_, by["frequency"].covariance_)
    counts = np.column_stack([trials * y, trials - trials * y])
    peer = sm.GLM(counts, with_ones(X), sm.families.Binomial()).fit(tol=1e-13)
    assert by["precision"].log_likelihood_ == pytest.approx(peer.llf, rel=1e-10)
    # A row of m trials is one observation: its score counts whole.
    robust = sm.GLM(counts, with_ones(X), sm.families.Binomial()).fit(tol=1e-13, cov_type="HC0")
    found = by["precision"].summary(X, y, trials, kind="HC0").to_frame()["standard_error"]
    np.testing.assert_allclose(found, robust.bse, rtol=FIT)
    with pytest.raises(ValueError, match="proportions need their numbers of trials"):
        GeneralizedLinearRegressor("binomial", weights="probability").fit(X, y, trials)


@pytest.mark.parametrize("name", CANONICAL)
def test_sandwiches_of_precisions(name):
    X, y, w, groups = problem(name)
    model = ours(name, "precision").fit(X, y, w)
    n, k = len(y), 3
    for kind, options, factor in (
        ("HC0", {}, 1.0),
        ("HC1", {}, np.sqrt(n / (n - k))),  # statsmodels' HC1 of these models is HC0
        ("cluster", {"groups": groups}, 1.0),
    ):
        peer = sm.GLM(y, with_ones(X), FAMILIES[name][2], var_weights=w).fit(
            tol=1e-13, maxiter=300, cov_type=kind, cov_kwds=options
        )
        found = model.summary(X, y, w, kind=kind, **options).to_frame()["standard_error"]
        np.testing.assert_allclose(found, factor * peer.bse, rtol=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_sandwiches_by_brute_force(name, weights):
    """Scores and Hessian by differences of the objective of single rows."""
    X, y, w, groups = problem(name, n=40)
    model = ours(name, weights).fit(X, y, w)
    one = ours(name, "frequency").fit(X, y, w)
    step = 1e-5

    def score(i):
        """Of a row of weight one, by the gradient of the objective over it alone."""
        return one.gradient(X[i : i + 1], y[i : i + 1], params=model.params_)

    scores = np.array([score(i) for i in range(len(y))])
    moves = step * np.eye(3)
    H = np.array(
        [
            (
                one.gradient(X, y, model.params_ + move, w)
                - one.gradient(X, y, model.params_ - move, w)
            )
            / (2 * step)
            for move in moves
        ]
    )
    A = np.linalg.inv((H + H.T) / 2)
    D, n, k = with_ones(X), len(y), 3
    curvature = np.array(
        [np.trace(one.hessian(X[i : i + 1], y[i : i + 1], model.params_)) for i in range(n)]
    ) / np.square(D).sum(axis=1)
    h = w * curvature * np.einsum("ij,jk,ik->i", D, A, D)
    # Central differences with a step of 1e-5: 1e-10 of third derivatives, and of rounding.
    rtol = 1e-6
    for kind, of_row in (
        ("HC0", np.ones(n)),
        ("HC1", np.full(n, n / (n - k))),
        ("HC2", 1 / (1 - h)),
        ("HC3", (1 - h) ** -2),
    ):
        V = A @ (scores.T * (w**2 * of_row)) @ scores @ A
        found = model.covariance(X, y, w, kind=kind)
        np.testing.assert_allclose(np.sqrt(np.diag(found)), np.sqrt(np.diag(V)), rtol=rtol)
        if kind == "HC1" and weights == "probability":
            np.testing.assert_allclose(model.standard_errors_, np.sqrt(np.diag(V)), rtol=rtol)
            at = D[:4]
            eta_errors = np.sqrt(np.einsum("ij,jk,ik->i", at, V, at))
            table = model.predict_interval(X[:4])
            slopes = 1e-6
            mean = [model._loss().link.mean(at @ model.params_ + side * slopes) for side in (1, -1)]
            derivative = np.abs(mean[0] - mean[1]) / (2 * slopes)
            np.testing.assert_allclose(table["standard_error"], derivative * eta_errors, rtol=1e-5)
            assert np.isinf(model._fit.estimate.df)
    g = pd.get_dummies(groups).to_numpy(float)
    sums, G = g.T @ (w[:, np.newaxis] * scores), g.shape[1]
    V = G / (G - 1) * (n - 1) / (n - k) * A @ sums.T @ sums @ A
    found = model.covariance(X, y, w, kind="cluster", groups=groups)
    np.testing.assert_allclose(np.sqrt(np.diag(found)), np.sqrt(np.diag(V)), rtol=rtol)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_scale_of_sampling_weights_changes_nothing_that_is_estimated(name):
    X, y, w, _ = problem(name)
    model = ours(name, "probability").fit(X, y, w)
    for c in (1e-150, 40.0):
        other = ours(name, "probability").fit(X, y, c * w)
        np.testing.assert_allclose(other.standard_errors_, model.standard_errors_, rtol=1e-6)
        assert other.dispersion_ == pytest.approx(model.dispersion_, rel=1e-6)
        pd.testing.assert_frame_equal(
            other.influence(X, y, c * w), model.influence(X, y, w), rtol=1e-5, atol=1e-7
        )
        effects, others = (m.marginal_effects(X) for m in (model, other))
        assert "z" in effects.columns  # as for the parameters, also where φ is estimated
        pd.testing.assert_frame_equal(others, effects, rtol=1e-5)


@pytest.mark.parametrize("name", ["gamma", "normal", "inverse gaussian", "tweedie"])
def test_the_scale_of_precisions_is_a_dispersion(name):
    X, y, w, _ = problem(name)
    model, other = (ours(name, "precision").fit(X, y, c * w) for c in (1.0, 100.0))
    np.testing.assert_allclose(other.standard_errors_, model.standard_errors_, rtol=1e-6)
    assert other.dispersion_ == pytest.approx(100 * model.dispersion_, rel=1e-6)
    # The densities are of φ/w, which is the same.
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-6)


@pytest.mark.parametrize("name", ["poisson", "gamma", "binomial", "normal, log"])
def test_residuals_of_precisions_have_the_roots_of_weights(name):
    """As R's residuals.glm, and statsmodels' with var_weights."""
    X, y, w, _ = problem(name)
    model = ours(name, "precision").fit(X, y, w)
    peer = theirs(name, X, y, var_weights=w)
    np.testing.assert_allclose(
        model.residuals(X, y, w, kind="pearson"), peer.resid_pearson, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(
        model.residuals(X, y, w, kind="deviance"), peer.resid_deviance, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(
        model.residuals(X, y, w, kind="response"), peer.resid_response, rtol=1e-5, atol=1e-7
    )
    of_rows = ours(name, "probability").fit(X, y, w)
    np.testing.assert_allclose(
        of_rows.residuals(X, y, w, kind="pearson"),
        model.residuals(X, y, w, kind="pearson") / np.sqrt(w),
        rtol=1e-9,
    )


def test_quantile_residuals_of_precisions_are_normal_by_their_own_variances():
    rng = np.random.default_rng(0)
    w = 10 ** rng.uniform(-1, 1, 4000)
    X = rng.normal(size=(4000, 1))
    mu = np.exp(0.3 * X[:, 0])
    y = rng.gamma(w / 0.4, 0.4 / w * mu)  # the variance 0.4 μ²/w
    model = GeneralizedLinearRegressor("gamma", weights="precision").fit(X, y, w)
    z = model.residuals(X, y, w, kind="quantile")
    # Of 4000 normal numbers the deviation has an error of 1/√8000, here of those with the smallest
    # weights and the largest, 800 each: 1/√1600 = 0.025, five of which are allowed.
    assert abs(z[w < 0.25].std() - 1) < 0.125
    assert abs(z[w > 6.3].std() - 1) < 0.125
    counts = rng.poisson(mu)
    poisson = GeneralizedLinearRegressor("poisson", weights="precision").fit(X, counts, w)
    with pytest.raises(InferenceError, match="has no distribution of the variance"):
        poisson.residuals(X, counts, w, kind="quantile")


@pytest.mark.parametrize(
    "call",
    [
        lambda m, *rows: m.aic_,
        lambda m, *rows: m.bic_,
        lambda m, *rows: m.profile_intervals(*rows),
        lambda m, *rows: m.score_intervals(*rows),
        lambda m, *rows: m.likelihood_profile(*rows),
        lambda m, *rows: m.likelihood_ratio_tests(*rows),
        lambda m, *rows: m.deviance_table(*rows),
        lambda m, *rows: likelihood_ratio_test(
            ours("poisson", "probability").fit(rows[0][:, :1], *rows[1:]), m
        ),
    ],
)
def test_a_survey_has_no_likelihood(call):
    X, y, w, _ = problem("poisson")
    model = ours("poisson", "probability").fit(X, y, w)
    with pytest.raises(InferenceError, match=r"pseudo-likelihood.*wald_test"):
        call(model, X, y, w)
    for kind in ("nonrobust", "expected"):
        with pytest.raises(InferenceError, match=f"kind='{kind}'"):
            model.covariance(X, y, w, kind=kind)
    assert model.covariance(X, y, w) == pytest.approx(model.covariance_, rel=1e-9)


def test_precisions_have_profiles_and_tests():
    """By the likelihood of var_weights: those of statsmodels' fits with a parameter held."""
    X, y, w, _ = problem("poisson")
    model = ours("poisson", "precision").fit(X, y, w)
    tests = model.likelihood_ratio_tests(X, y, w)
    small = theirs("poisson", X[:, 1:], y, var_weights=w)
    big = theirs("poisson", X, y, var_weights=w)
    expected = 2 * (big.llf - small.llf)
    assert tests.loc["x0", "statistic"] == pytest.approx(expected, rel=1e-6)
    lower, _ = model.profile_intervals(X, y, w).loc["x0"]
    held = sm.GLM(
        y, with_ones(X[:, 1:]), sm.families.Poisson(), var_weights=w, offset=lower * X[:, 0]
    ).fit(tol=1e-13)
    assert 2 * (big.llf - held.llf) == pytest.approx(3.841458820694124, rel=1e-6)
    table = model.deviance_table(X, y, w)
    assert table["residual_df"].tolist() == [149, 148, 147]


@pytest.mark.parametrize("weights", ["precision", "probability"])
@pytest.mark.parametrize("name", ["gamma", "normal", "inverse gaussian"])
def test_a_given_dispersion(name, weights):
    """Densities by SciPy, with φ/w or a factor w."""
    X, y, w, _ = problem(name)
    model = ours(name, weights, dispersion=0.3).fit(X, y, w)
    mu, phi = model.predict(X), (0.3 / w if weights == "precision" else np.full(len(y), 0.3))
    if name == "gamma":
        density = stats.gamma.logpdf(y, 1 / phi, scale=phi * mu)
    elif name == "normal":  # at the variance that makes it largest, whatever was given
        squares = w @ (y - mu) ** 2
        variance = squares / len(y) / w if weights == "precision" else squares / w.sum()
        density = stats.norm.logpdf(y, mu, np.sqrt(variance))
    else:
        density = stats.invgauss.logpdf(y, phi * mu, scale=1 / phi)
    factor = w if weights == "probability" else np.ones(len(y))
    assert model.log_likelihood_ == pytest.approx(factor @ density, rel=1e-10)


@pytest.mark.parametrize("name", ["poisson", "gamma", "normal", "inverse gaussian"])
def test_the_pseudo_log_likelihood_is_a_weighted_sum(name):
    X, y, w, _ = problem(name)
    model = ours(name, "probability").fit(X, y, w)
    mu, phi = model.predict(X), model.dispersion_
    if name == "poisson":
        density = stats.poisson.logpmf(y, mu)
    elif name == "gamma":
        density = stats.gamma.logpdf(y, 1 / phi, scale=phi * mu)
    elif name == "normal":  # at the variance that makes it largest
        density = stats.norm.logpdf(y, mu, np.sqrt(w @ (y - mu) ** 2 / w.sum()))
    else:
        density = stats.invgauss.logpdf(y, phi * mu, scale=1 / phi)
    assert model.log_likelihood_ == pytest.approx(w @ density, rel=1e-10)
    if name != "poisson":
        # n rows, and weights of mean one.
        V = {"gamma": mu**2, "normal": 1.0, "inverse gaussian": mu**3}[name]
        expected = (w / w.mean()) @ ((y - mu) ** 2 / V) / (len(y) - 3)
        assert phi == pytest.approx(expected, rel=1e-10)


def test_sampling_weights_of_proportions_are_no_trials():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 1)), rng.beta(2, 2, 60)
    w = rng.uniform(0.5, 5, 60)
    options = {"dispersion": "pearson", "weights": "probability"}
    model = GeneralizedLinearRegressor("binomial", **options).fit(X, y, w)
    mu, phi = model.predict(X), model.dispersion_
    # Of one trial, whose number of ways with y successes is 1/(Γ(1 + y) Γ(2 - y)).
    ways = -special.gammaln(1 + y) - special.gammaln(2 - y)
    density = (ways + y * np.log(mu) + (1 - y) * np.log1p(-mu)) / phi
    assert model.log_likelihood_ == pytest.approx(w @ density, rel=1e-10)


def test_frequencies_are_freq_weights():
    for name in ("poisson", "gamma", "binomial"):
        X, y, w, _ = problem(name)
        w = np.ceil(w)
        model = ours(name, "frequency").fit(X, y, w)
        peer = theirs(name, X, y, freq_weights=w)
        assert model.dispersion_ == pytest.approx(peer.scale, rel=FIT)
        expected = np.sqrt(np.diag(model.covariance(X, y, w, kind="expected")))
        np.testing.assert_allclose(expected, peer.bse, rtol=1e-6)
        assert model.log_likelihood_ == pytest.approx(peer.llf_scaled(peer.scale), rel=FIT)
        assert model.n_observations_ == w.sum()


def test_a_row_given_twice_is_not_a_weight_of_two():
    X, y, *_ = problem("poisson")
    model = ours("poisson", "precision").fit(X, y, np.full(150, 2.0))
    with pytest.raises(ValueError, match="those of the fit had 150"):
        model.covariance(np.repeat(X, 2, axis=0), np.repeat(y, 2), kind="HC0")


def test_an_estimated_theta():
    X, y, w, _ = problem("negative binomial", n=400)
    fitted = {
        kind: GeneralizedLinearRegressor(
            "negative_binomial", theta="estimate", weights=kind, tol=1e-12
        ).fit(X, y, w)
        for kind in ("frequency", "precision", "probability")
    }
    assert len({model.theta_ for model in fitted.values()}) == 1
    assert fitted["precision"].theta_standard_error_ == fitted["frequency"].theta_standard_error_
    with pytest.raises(InferenceError, match="the standard error of theta"):
        fitted["probability"].theta_standard_error_  # noqa: B018
    assert "standard error 0" not in str(fitted["probability"].summary())
    assert "theta" in str(fitted["probability"].summary())


def test_a_penalty_and_a_survey():
    """The bread is the Hessian with the penalty."""
    X, y, w, _ = problem("poisson")
    model = ours("poisson", "probability", alpha=5.0).fit(X, y, w)
    r = (y - model.predict(X)) * w
    D, A = with_ones(X), np.linalg.inv(model.hessian_)
    V = 150 / 147 * A @ (D.T * r**2) @ D @ A
    np.testing.assert_allclose(model.covariance_, V, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_normal_models_are_linear_ones(weights):
    """Two estimators of the same model, with different formulas for what they say of it."""
    X, y, w, groups = problem("normal")
    w[:5] = 0.0
    glm = ours("normal", weights).fit(X, y, w)
    linear = LinearRegression(weights=weights).fit(X, y, w)
    assert glm.log_likelihood_ == pytest.approx(linear.log_likelihood_, rel=1e-12)
    assert glm.n_observations_ == linear.n_observations_ == 145
    np.testing.assert_allclose(glm.standard_errors_, linear.standard_errors_, rtol=FIT)
    np.testing.assert_allclose(glm.covariance_, linear.covariance_, rtol=1e-7, atol=1e-12)
    for options in (
        {"kind": "HC2"},
        {"kind": "cluster", "groups": groups},
        {"kind": "HAC", "max_lags": 2},
    ):
        np.testing.assert_allclose(
            glm.covariance(X, y, w, **options),
            linear.covariance(X, y, w, **options),
            rtol=1e-7,
            atol=1e-12,
        )
    for kind in ("mean", "observation"):
        errors = (
            model.predict_interval(X[:9], kind=kind)["standard_error"] for model in (glm, linear)
        )
        np.testing.assert_allclose(*errors, rtol=FIT)
    shared = ["leverage", "standardized_residual", "cooks_distance"]
    np.testing.assert_allclose(
        glm.influence(X, y, w)[shared], linear.influence(X, y, w)[shared], rtol=1e-6, atol=1e-9
    )
