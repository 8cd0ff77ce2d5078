"""Intervals, marginal effects, influence and deviances of generalized linear models."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import integrate, stats

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LinearRegression, LogisticRegression, RowStream
from mcmodels.exceptions import InferenceError
from tests.glm_problems import PAIRS, POWER, THETA, problem, statsmodels_family
from tests.numerics import relative_error

OPTIONS = {"power": POWER, "theta": THETA}
CANONICAL = [("normal", "identity"), ("binomial", "logit"), ("poisson", "log")]


def fitted(family, link, n=120, **options):
    X, y, weights, added = problem(family, link, n=n, offset=True, weights=True)
    model = Glm(family, link=link, **OPTIONS, **options).fit(X, y, weights, offset=added)
    return model, X, y, weights, added


# -- influence -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "link"), PAIRS)
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_changes_are_one_newton_step_without_the_row(family, link, alpha):
    model, X, y, weights, added = fitted(family, link, alpha=alpha)
    w = np.ones(len(y)) if weights is None else weights
    table = model.influence(X, y, weights, offset=added)
    errors = np.sqrt(model.dispersion_ * np.diagonal(np.linalg.inv(model.hessian_)))
    changes = table.filter(like="dfbetas").to_numpy() * errors
    for row in (0, 7, 50):
        left = w.copy()
        left[row] = 0.0
        gradient = model.gradient(X, y, None, left, offset=added)
        hessian = model.hessian(X, y, None, left, offset=added)
        # The rows' own gradient at the fit is not quite zero; conditions are below 1e3.
        step = np.linalg.solve(hessian, gradient - model.gradient_)
        np.testing.assert_allclose(changes[row], step, rtol=1e-9, atol=1e-12)
        without = np.linalg.slogdet(hessian)[1] - np.linalg.slogdet(model.hessian_)[1]
        assert np.log1p(-table.leverage[row]) == pytest.approx(without, abs=1e-11)


@pytest.mark.parametrize(("family", "link"), CANONICAL)
def test_influence_agrees_with_statsmodels(family, link):
    X, y, _, added = problem(family, link, n=150, offset=True)
    model = Glm(family, link=link).fit(X, y, offset=added)
    design = sm.add_constant(X, prepend=False)
    peer = sm.GLM(y, design, statsmodels_family(family, link), offset=added).fit(tol=1e-14)
    theirs, ours = peer.get_influence(), model.influence(X, y, offset=added)
    # statsmodels' fit ends with errors of about 1e-8.
    close = {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(ours.leverage, theirs.hat_matrix_diag, **close)
    np.testing.assert_allclose(ours.standardized_residual, theirs.resid_studentized, **close)
    np.testing.assert_allclose(ours.cooks_distance, theirs.cooks_distance[0], **close)
    np.testing.assert_allclose(ours.filter(like="dfbetas"), theirs.dfbetas, **close)


def test_influence_of_two_classes_is_that_of_logistic_regression():
    X, y, _, _ = problem("binomial", "logit")
    w = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    model, logistic = Glm("binomial").fit(X, y, w), LogisticRegression(C=np.inf).fit(X, y, w)
    pd.testing.assert_frame_equal(
        model.influence(X, y, w), logistic.influence(X, y, w), rtol=1e-7, atol=1e-9
    )


def test_influence_of_a_stream_and_of_other_rows():
    model, X, y, weights, _ = fitted("poisson", "log")
    plain = Glm("poisson").fit(X, y, weights)
    w = np.ones(len(y)) if weights is None else weights
    stream = RowStream(lambda: iter([(X[:50], y[:50], w[:50]), (X[50:], y[50:], w[50:])]))
    expected = plain.influence(X, y, weights)
    found = plain.influence(stream)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected, rtol=1e-9)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.influence(X, y, weights)


# -- intervals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "link"), CANONICAL)
def test_intervals_of_means_agree_with_statsmodels(family, link):
    X, y, _, added = problem(family, link, n=150, offset=True)
    model = Glm(family, link=link).fit(X, y, offset=added)
    design = sm.add_constant(X, prepend=False)
    peer = sm.GLM(y, design, statsmodels_family(family, link), offset=added).fit(tol=1e-14)
    frame = peer.get_prediction(design, offset=added).summary_frame(alpha=0.1)
    ours = model.predict_interval(X, 0.9, offset=added)
    # statsmodels takes normal quantiles also where the dispersion was estimated.
    if family == "normal":
        q = stats.t.ppf(0.95, len(y) - X.shape[1] - 1) / stats.norm.ppf(0.95)
        for end in ("mean_ci_lower", "mean_ci_upper"):
            frame[end] = frame["mean"] + q * (frame[end] - frame["mean"])
    np.testing.assert_allclose(ours, frame, rtol=1e-6)


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_ends_of_means_are_those_of_the_linear_predictor(family, link):
    model, X, _, _, added = fitted(family, link)
    ours = model.predict_interval(X, offset=added)
    Z = np.column_stack([X, np.ones(len(X))])
    s = np.sqrt(np.einsum("ij,jk,ik->i", Z, model.covariance_, Z))
    eta, q = Z @ model.params_ + added, model._record().estimate.quantile(0.95)
    loss = model._loss()
    for sign, at in ((-1.0, "lower"), (1.0, "upper")):
        assert (np.diff(ours[["lower", "prediction", "upper"]], axis=1) >= 0).all()
        inside = ~np.isin(eta + sign * q * s, loss.domain)
        with np.errstate(all="ignore"):
            ends = loss.link.mean(np.clip(eta + sign * q * s, *loss.domain))
        falls = link in ("inverse", "inverse_squared")
        other = {"lower": "upper", "upper": "lower"}[at] if falls else at
        np.testing.assert_allclose(ours[other][inside], ends[inside], rtol=1e-9)


def test_observations_with_normal_noise_have_the_t_interval():
    X, y, w, _ = problem("normal", "identity")
    model, linear = Glm().fit(X, y, w), LinearRegression().fit(X, y, w)
    for kind in ("mean", "observation"):
        pd.testing.assert_frame_equal(
            model.predict_interval(X, 0.8, kind),
            linear.predict_interval(X, 0.8, kind),
            rtol=1e-8,
        )


SAMPLED = [pair for pair in PAIRS if pair[0] != "tweedie" and pair != ("normal", "identity")]


@pytest.mark.parametrize(("family", "link"), SAMPLED)
def test_ends_of_observations_are_quantiles(family, link):
    """The mixture is integrated adaptively, over the error of the linear predictor."""
    model, X, _, _, added = fitted(family, link, n=400)
    loss, phi = model._loss(), model.dispersion_
    frame = model.predict_interval(X[:4], 0.9, "observation", offset=added[:4])
    Z = np.column_stack([X, np.ones(len(X))])
    for row in range(4):
        s = float(np.sqrt(Z[row] @ model.covariance_ @ Z[row]))
        eta = float(Z[row] @ model.params_ + added[row])

        ends = frame[["lower", "upper"]].to_numpy()[row]

        def at(z, eta=eta, s=s, ends=ends):
            """The density of z, times P(y <= end) and P(y <= end - 1) given it, and times 1."""
            eta_z = np.array([eta + s * z])
            outside = loss.outside(eta_z)
            if outside is not None and outside[0]:
                return np.zeros(5)
            mu = float(loss.link.mean(eta_z)[0])
            below = distribution_function(family, np.r_[ends, ends - 1], mu, phi)
            return stats.norm.pdf(z) * np.r_[below, 1.0]

        found = integrate.quad_vec(at, -9, 9, epsabs=1e-12, limit=2000)[0]
        reached, before = (found[:4] / found[4]).reshape(2, 2)
        p = np.array([0.05, 0.95])
        if family in ("poisson", "binomial", "negative_binomial"):
            assert (reached >= p - 1e-7).all()
            assert (before < p + 1e-7).all()
        else:
            assert reached == pytest.approx(p, abs=1e-7)


def distribution_function(family, y, mu, phi):
    return {
        "normal": lambda: stats.norm.cdf(y, mu, np.sqrt(phi)),
        "poisson": lambda: stats.poisson.cdf(y, mu),
        "gamma": lambda: stats.gamma.cdf(y, 1 / phi, scale=phi * mu),
        "inverse_gaussian": lambda: stats.invgauss.cdf(y, phi * mu, scale=1 / phi),
        "binomial": lambda: stats.binom.cdf(y, 1, mu),
        "negative_binomial": lambda: stats.nbinom.cdf(y, 1 / THETA, 1 / (1 + THETA * mu)),
    }[family]()


def test_proportions_are_those_of_trials():
    rng = np.random.default_rng(0)
    X, trials = rng.normal(size=(200, 2)), np.full(200, 50)
    y = rng.binomial(trials, 0.3) / trials
    model = Glm("binomial").fit(X, y, trials)
    frame = model.predict_interval(X, kind="observation", trials=trials)
    counts = frame[["lower", "upper"]].to_numpy() * 50
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    inside = (y >= frame.lower - 1e-9) & (y <= frame.upper + 1e-9)
    assert inside.mean() > 0.9  # of 200, at least 95 % are expected
    # The variance of a proportion, and the error of its mean.
    mean = model.predict_interval(X)
    p = mean.prediction
    expected = np.sqrt(p * (1 - p) / 50 + mean.standard_error**2)
    np.testing.assert_allclose(frame.standard_error, expected, rtol=1e-12)


def test_the_error_of_an_estimated_theta_is_part_of_it():
    _, X, y, _, added = fitted("negative_binomial", "log", n=400)
    model = Glm("negative_binomial", theta="estimate").fit(X, y, offset=added)
    Z = np.column_stack([X, np.ones(len(X))])
    s = np.sqrt(np.einsum("ij,jk,ik->i", Z, model.covariance_, Z))
    frame = model.predict_interval(X, offset=added)
    np.testing.assert_allclose(frame.standard_error, frame.prediction * s, rtol=1e-9)


# -- marginal effects ------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "link"), PAIRS)
@pytest.mark.parametrize("at", ["average", "means"])
def test_marginal_effects_are_those_of_the_delta_method(family, link, at):
    X, y, _, added = problem(family, link, n=120, offset=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, offset=added)
    w = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    slopes = model._loss().link.slopes

    def average(params):
        rows, offset = (X, added)
        shares = w / w.sum()
        if at == "means":
            rows, offset, shares = (w @ X / w.sum())[None], [w @ added / w.sum()], np.ones(1)
        eta = rows @ params[:-1] + params[-1] + offset
        return (shares @ slopes(eta)[0]) * params[:-1]

    found = model.marginal_effects(X, at=at, sample_weight=w, offset=added, discrete=False)
    theta, h = model.params_, 1e-5
    J = np.stack(
        [(average(theta + h * e) - average(theta - h * e)) / (2 * h) for e in np.eye(len(theta))]
    ).T
    errors = np.sqrt(np.einsum("ij,jk,ik->i", J, model.covariance_, J))
    np.testing.assert_allclose(found["coefficient"], average(theta), rtol=1e-10)
    # Central differences with steps of 1e-5 have errors of about 1e-10, by derivatives near one.
    np.testing.assert_allclose(found["standard_error"], errors, rtol=1e-6)


@pytest.mark.parametrize("at", ["average", "means", "rows"])
@pytest.mark.parametrize("discrete", [True, False])
def test_marginal_effects_of_two_classes_are_those_of_logistic_regression(at, discrete):
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.normal(size=300), rng.integers(0, 2, 300)])
    y = (rng.uniform(size=300) < 1 / (1 + np.exp(-X @ [1.0, -0.5]))).astype(float)
    options = {"at": at, "discrete": discrete}
    found = Glm("binomial").fit(X, y).marginal_effects(X, **options)
    expected = LogisticRegression(C=np.inf).fit(X, y).marginal_effects(X, **options)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-7)


def test_marginal_effects_agree_with_statsmodels():
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.normal(size=500), rng.integers(0, 2, 500)])
    design = sm.add_constant(X, prepend=False)
    y = rng.poisson(np.exp(X @ [0.4, -0.3] + 0.2))
    peer = sm.Poisson(y, design).fit(disp=0, method="newton", tol=1e-14)
    theirs = peer.get_margeff(dummy=True)
    ours = Glm("poisson").fit(X, y).marginal_effects(X)
    np.testing.assert_allclose(ours["coefficient"], theirs.margeff, rtol=1e-7)
    np.testing.assert_allclose(ours["standard_error"], theirs.margeff_se, rtol=1e-7)
    labels = (y > 1).astype(float)
    theirs = sm.Probit(labels, design).fit(disp=0, tol=1e-14).get_margeff(dummy=True)
    ours = Glm("binomial", link="probit").fit(X, labels).marginal_effects(X)
    np.testing.assert_allclose(ours["coefficient"], theirs.margeff, rtol=1e-7)
    np.testing.assert_allclose(ours["standard_error"], theirs.margeff_se, rtol=1e-7)


# -- analysis of deviance --------------------------------------------------------------------------


def test_the_table_of_dobsons_trial_is_that_of_r():
    """R's ``example(glm)``, ``anova(glm.D93)``: Dobson (1990)."""
    counts = np.array([18, 17, 15, 20, 10, 20, 25, 13, 12])
    outcome, treatment = np.tile([1, 2, 3], 3), np.repeat([1, 2, 3], 3)
    X = pd.DataFrame(
        {
            f"{name}{k}": (of == k).astype(float)
            for name, of in (("outcome", outcome), ("treatment", treatment))
            for k in (2, 3)
        }
    )
    terms = {"outcome": ["outcome2", "outcome3"], "treatment": ["treatment2", "treatment3"]}
    table = Glm("poisson").fit(X, counts).deviance_table(X, counts, terms=terms)
    assert table.index.tolist() == ["(none)", "outcome", "treatment"]
    np.testing.assert_allclose(table.residual_df, [8, 6, 4])
    np.testing.assert_allclose(table.residual_deviance, [10.5814, 5.1291, 5.1291], atol=5e-5)
    np.testing.assert_allclose(table.deviance[1:], [5.4523, 0.0], atol=5e-5)
    assert table.p_value["outcome"] == pytest.approx(0.06547, abs=5e-6)
    assert table.p_value["treatment"] == pytest.approx(1.0)


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_deviances_are_those_of_smaller_fits(family, link):
    X, y, w, added = problem(family, link, n=150, offset=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    table = model.deviance_table(X, y, w, offset=added)
    for k in range(1, X.shape[1] + 1):
        small = Glm(family, link=link, **OPTIONS).fit(X[:, :k], y, w, offset=added)
        assert table.residual_deviance.iloc[k] == pytest.approx(small.deviance_, rel=1e-8)
    assert table.residual_deviance.iloc[-1] == pytest.approx(model.deviance_, rel=1e-10)
    # The share of the deviance that is explained is that of score.
    share = 1 - model.deviance_ / table.residual_deviance.iloc[0]
    assert share == pytest.approx(model.score(X, y, w, offset=added), rel=1e-7)
    last = table.iloc[-1]
    tests = model.likelihood_ratio_tests(X, y, w, offset=added)
    assert last.statistic == pytest.approx(tests.statistic.iloc[-1], rel=1e-5, abs=1e-8)
    assert last.p_value == pytest.approx(tests.p_value.iloc[-1], rel=1e-5)


def test_columns_that_add_nothing_have_no_test():
    X, y, _, _ = problem("poisson", "log")
    X = np.column_stack([X[:, :2], X[:, 0] + X[:, 1], X[:, 2]])
    with pytest.warns(UserWarning, match="linear dependency"):
        model = Glm("poisson").fit(X, y)
    table = model.deviance_table(X, y)
    assert table.loc["x2", "df"] == 0
    assert np.isnan(table.loc["x2", "p_value"])
    others = Glm("poisson").fit(X[:, [0, 1, 3]], y).deviance_table(X[:, [0, 1, 3]], y)
    # Two fits to the same span, each converged to 1e-10 of a step.
    rows = table.drop(index="x2").to_numpy(dtype=float)
    np.testing.assert_allclose(rows, others.to_numpy(dtype=float), rtol=1e-7)


def test_without_an_intercept_the_first_model_is_empty():
    X, y, _, _ = problem("poisson", "log")
    model = Glm("poisson", fit_intercept=False).fit(X, y)
    table = model.deviance_table(X, y)
    # Means of one: Σ 2(y log y - (y - 1)).
    with np.errstate(all="ignore"):
        empty = 2 * (np.where(y > 0, y * np.log(y), 0.0) - (y - 1)).sum()
    assert table.residual_deviance.iloc[0] == pytest.approx(empty, rel=1e-12)
    assert table.residual_df.iloc[0] == len(y)


# -- bad input -------------------------------------------------------------------------------------


def test_errors_name_the_argument():
    model, X, y, weights, added = fitted("poisson", "log")
    with pytest.raises(ValueError, match="trials are those of binomial"):
        model.predict_interval(X, kind="observation", trials=np.ones(len(X)), offset=added)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.predict_interval(X)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.marginal_effects(X)
    with pytest.raises(ValueError, match="terms must hold each feature once"):
        model.deviance_table(X, y, weights, terms={"first": ["x0"]}, offset=added)
    terms = {"none": [], "all": ["x0", "x1", "x2"]}
    with pytest.raises(ValueError, match="no term may be empty"):
        model.deviance_table(X, y, weights, terms=terms, offset=added)
    with pytest.raises(ValueError, match="level=7"):
        model.marginal_effects(X, at="rows", level=7, offset=added)
    with pytest.raises(ValueError, match="at='rows' takes no mean"):
        model.marginal_effects(X, at="rows", sample_weight=y + 1.0, offset=added)
    with pytest.raises(ValueError, match="trials must be positive whole"):
        Glm("binomial").fit(X, y > 1).predict_interval(
            X, kind="observation", trials=np.full(len(X), 1.5)
        )
    tweedie = Glm("tweedie").fit(X, y)
    with pytest.raises(InferenceError, match="distribution function is not known"):
        tweedie.predict_interval(X, kind="observation")
    over = Glm("poisson", dispersion="pearson").fit(X, y)
    with pytest.raises(InferenceError, match="has the dispersion 1"):
        over.predict_interval(X, kind="observation")


def test_rows_without_a_mean_are_refused():
    X, y, _, _ = problem("poisson", "identity")
    model = Glm("poisson", link="identity").fit(X, y)
    far = X - 1e3 * np.sign(model.coef_)
    with pytest.raises(InferenceError, match="have no mean of the family"):
        model.marginal_effects(far)
    model = Glm("gamma", link="inverse_squared").fit(X, y + 1.0)
    with pytest.raises(InferenceError, match="have no mean of the family"):
        model.marginal_effects(X - 1e3 * np.sign(model.coef_))


def test_law_of_the_scale_of_columns():
    model, X, y, weights, added = fitted("gamma", "log")
    scale = 10.0 ** np.arange(X.shape[1])
    other = Glm("gamma").fit(X * scale, y, weights, offset=added)
    found = other.influence(X * scale, y, weights, offset=added)
    expected = model.influence(X, y, weights, offset=added)
    assert relative_error(found.to_numpy(), expected.to_numpy()) < 1e-7


def test_a_table_from_no_parameters_needs_means():
    """Without an intercept the first mean of the identity link is zero, which no count has."""
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 3, size=(60, 2))
    y = rng.poisson(2 * X.sum(axis=1))
    model = Glm("poisson", link="identity", fit_intercept=False).fit(X, y)
    with pytest.raises(InferenceError, match=r"no features and no intercept .* Fit an intercept"):
        model.deviance_table(X, y)
