"""What weights are, in logistic fits, Firth's, and losses of the user's: peers, and by hand."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, softmax
from sklearn.base import clone

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    likelihood_ratio_test,
)
from mcmodels.exceptions import FewCurvedRowsWarning, InferenceError
from tests.inference.problems import with_ones

KINDS = ["frequency", "precision", "probability"]
# Fits to gradients of 1e-12 in designs of condition 10, with a margin.
FIT = 1e-8
POISSON = "exp(eta) - y*eta"


def problem(seed=0, n=120, classes=2):
    rng = np.random.default_rng(seed)
    X = rng.normal([5.0, 0.0], 1.0, size=(n, 2))
    eta = np.column_stack([k * 0.4 * (X[:, 0] - 5) - 0.3 * k * X[:, 1] for k in range(classes)])
    y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    w = 10 ** rng.uniform(-1, 1, n)
    w[:3] = 0.0
    return X, y, w, rng.integers(0, 9, n)


def logistic(weights, **options):
    return LogisticRegression(C=np.inf, tol=1e-12, weights=weights, **options)


def by_hand(model, X, y, w, power=0):
    """A Σ w²ssᵀ A by class, with HC2's and HC3's leverages for two."""
    D = with_ones(X)
    if model.params_.ndim == 1:
        p = expit(D @ model.params_)
        scores = ((y - p) * w)[:, np.newaxis] * D
        H = (D.T * (w * p * (1 - p))) @ D
        A = np.linalg.inv(H)
        h = w * p * (1 - p) * np.einsum("ij,jk,ik->i", D, A, D)
        scores = scores / ((1 - h) ** (power / 2))[:, np.newaxis]
    else:
        p = softmax(D @ model.params_.T, axis=1)
        u = (y[:, np.newaxis] == np.arange(p.shape[1])) - p
        scores = np.einsum("ik,ij->ikj", u * w[:, np.newaxis], D).reshape(len(y), -1)
        blocks = np.einsum("ik,kl->ikl", p, np.eye(p.shape[1])) - np.einsum("ik,il->ikl", p, p)
        H = np.einsum("ikl,i,ij,im->kjlm", blocks, w, D, D)
        A = np.linalg.pinv(H.reshape(scores.shape[1], -1), rcond=1e-10)
    return A @ scores.T @ scores @ A


@pytest.mark.parametrize("weights", ["precision", "probability"])
@pytest.mark.parametrize("classes", [2, 3])
def test_sandwiches_by_hand(weights, classes):
    X, y, w, _ = problem(classes, classes=classes)
    model = logistic(weights).fit(X, y, w)
    n, k = np.count_nonzero(w), 3 * (classes - 1)
    assert model.n_observations_ == n
    V = by_hand(model, X, y, w)
    np.testing.assert_allclose(model.covariance(X, y, w, kind="HC0"), V, rtol=1e-6, atol=1e-12)
    hc1 = n / (n - k) * V
    np.testing.assert_allclose(model.covariance(X, y, w, kind="HC1"), hc1, rtol=1e-6, atol=1e-12)
    if weights == "probability":
        np.testing.assert_allclose(model.covariance_, hc1, rtol=1e-6, atol=1e-12)
        errors = np.sqrt(np.diag(hc1)).reshape(model.params_.shape)
        np.testing.assert_allclose(model.standard_errors_, errors, rtol=1e-6)
        np.testing.assert_allclose(model.covariance(X, y, w), model.covariance_, rtol=1e-9)
    if classes == 2:
        for kind, power in (("HC2", 1), ("HC3", 2)):
            V = by_hand(model, X, y, w, power)
            np.testing.assert_allclose(model.covariance(X, y, w, kind=kind), V, rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_predictions_of_a_survey_have_its_errors(classes):
    """Probabilities and marginal effects, by the delta method with differences."""
    X, y, w, _ = problem(classes, classes=classes)
    model = logistic("probability").fit(X, y, w)
    n, k = np.count_nonzero(w), 3 * (classes - 1)
    V = n / (n - k) * by_hand(model, X, y, w)
    D, step = with_ones(X), 1e-5

    def probabilities(theta):
        eta = D @ theta.reshape(-1, 3).T
        return expit(eta) if classes == 2 else softmax(eta, axis=1)

    def effects(theta):
        """The average derivatives of the probabilities."""
        p, B = probabilities(theta), theta.reshape(-1, 3)[:, :2]
        if classes == 2:
            return ((p * (1 - p)) * B).mean(axis=0)
        return np.concatenate([(p[:, [c]] * (B[c] - p @ B)).mean(axis=0) for c in range(classes)])

    def error(function):
        theta = model.params_.ravel()
        J = np.array(
            [
                (function(theta + move) - function(theta - move)).ravel() / (2 * step)
                for move in step * np.eye(theta.size)
            ]
        )
        return np.sqrt(np.einsum("ji,jk,ki->i", J, V, J))

    found = model.predict_interval(X)
    if classes == 2:
        # Central differences with this step are right to 1e-9.
        expected = error(probabilities)
        np.testing.assert_allclose(found["standard_error"], expected, rtol=1e-5)
    else:
        found = found.xs("standard_error", axis=1, level=1).to_numpy()
        np.testing.assert_allclose(found.ravel(), error(probabilities), rtol=1e-5)
    table = model.marginal_effects(X)
    np.testing.assert_allclose(table["standard_error"], error(effects), rtol=1e-5)


@pytest.mark.parametrize("model", [logistic, FirthLogisticRegression])
@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_predictions_far_from_zero_keep_their_digits(model, weights):
    """A shift of the columns by 1e6 changes no prediction, and costs six digits of sixteen."""
    X, y, w, _ = problem()
    make = logistic if model is logistic else lambda kind: FirthLogisticRegression(weights=kind)
    near, far = (make(weights).fit(X + shift, y, w) for shift in (0.0, 1e6))
    np.testing.assert_allclose(far.predict_interval(X + 1e6), near.predict_interval(X), rtol=1e-6)
    np.testing.assert_allclose(far.marginal_effects(X + 1e6), near.marginal_effects(X), rtol=1e-6)


def test_precisions_are_var_weights_of_a_binomial_model():
    X, y, w, groups = problem()
    there = w > 0
    model = logistic("precision").fit(X, y, w)
    options = {"family": sm.families.Binomial(), "var_weights": w[there]}
    peer = sm.GLM(y[there], with_ones(X[there]), **options).fit(tol=1e-13)
    np.testing.assert_allclose(model.params_, peer.params, rtol=FIT)
    np.testing.assert_allclose(model.standard_errors_, peer.bse, rtol=FIT)
    assert model.log_likelihood_ == pytest.approx(peer.llf, rel=FIT)
    assert model.aic_ == pytest.approx(peer.aic, rel=FIT)
    assert model.bic_ == pytest.approx(peer.bic_llf, rel=FIT)
    assert model.null_log_likelihood_ == pytest.approx(peer.llnull, rel=FIT)
    robust = sm.GLM(y[there], with_ones(X[there]), **options)
    for kind, extra in (("HC0", {}), ("cluster", {"groups": groups[there]})):
        expected = robust.fit(tol=1e-13, cov_type=kind, cov_kwds=extra).bse
        given = {"groups": groups} if extra else {}
        found = model.summary(X, y, w, kind=kind, **given).to_frame()["standard_error"]
        np.testing.assert_allclose(found, expected, rtol=1e-7)
    for kind in ("pearson", "deviance"):
        found = model.residuals(X, y, kind=kind, sample_weight=w)
        np.testing.assert_allclose(found[there], getattr(peer, f"resid_{kind}"), rtol=1e-6)
        assert not found[~there].any()
        plain = logistic("frequency").fit(X, y, w).residuals(X, y, kind=kind, sample_weight=w)
        np.testing.assert_allclose(plain * np.sqrt(w), found, rtol=1e-6, atol=1e-12)
    test = model.score_test(X, y, X[:, 0] ** 2, w)
    bigger = np.column_stack([X, X[:, 0] ** 2])[there]
    score = peer.score_test(exog_extra=bigger[:, 2:])
    assert test.statistic == pytest.approx(float(np.squeeze(score[0])), rel=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, *rows: m.aic_,
        lambda m, *rows: m.bic_,
        lambda m, *rows: m.likelihood_ratio_test_,
        lambda m, *rows: m.profile_intervals(*rows),
        lambda m, *rows: m.score_intervals(*rows),
        lambda m, *rows: m.likelihood_profile(*rows),
        lambda m, *rows: m.likelihood_ratio_tests(*rows),
        lambda m, X, y, w: m.score_test(X, y, X[:, 0] ** 2, w),
        lambda m, X, y, w: likelihood_ratio_test(logistic("probability").fit(X[:, :1], y, w), m),
    ],
)
def test_a_survey_has_no_likelihood(call):
    X, y, w, _ = problem()
    model = logistic("probability").fit(X, y, w)
    with pytest.raises(InferenceError, match=r"pseudo-likelihood.*wald_test"):
        call(model, X, y, w)
    with pytest.raises(InferenceError, match="kind='nonrobust'"):
        model.covariance(X, y, w, kind="nonrobust")
    # Of two pseudo-likelihoods by the same weights the quotient has a meaning.
    times = logistic("probability").fit(X, y, 7 * w)
    assert times.mcfadden_r_squared_ == pytest.approx(model.mcfadden_r_squared_, rel=1e-9)


def test_the_scale_of_sampling_weights_changes_nothing_that_is_estimated():
    X, y, w, _ = problem()
    model, other = (logistic("probability").fit(X, y, c * w) for c in (1.0, 1e90))
    np.testing.assert_allclose(other.standard_errors_, model.standard_errors_, rtol=1e-7)
    np.testing.assert_allclose(
        other.influence(X, y, 1e90 * w), model.influence(X, y, w), rtol=1e-6, atol=1e-9
    )


def test_influence_of_precisions_is_one_newton_step():
    """The change by the gradient without the row, and the Hessian without it."""
    X, y, w, _ = problem(n=40)
    model = logistic("precision").fit(X, y, w)
    table = model.influence(X, y, w)
    for i in (5, 17, 30):
        rest = np.where(np.arange(40) == i, 0.0, w)
        g, H = (getattr(model, name)(X, y, sample_weight=rest) for name in ("gradient", "hessian"))
        change = np.linalg.solve(H, g)  # θ̂ minus the step without the row
        found = table.iloc[i][["dfbetas_x0", "dfbetas_x1", "dfbetas_(intercept)"]]
        np.testing.assert_allclose(found, change / model.standard_errors_, rtol=1e-6)


@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_firth(weights):
    X, y, w, _ = problem()
    model = FirthLogisticRegression(weights=weights, tol=1e-12).fit(X, y, w)
    plain = FirthLogisticRegression(tol=1e-12).fit(X, y, w)
    np.testing.assert_array_equal(model.params_, plain.params_)
    D, there = with_ones(X), np.count_nonzero(w)
    scores = (w * (y - expit(D @ model.params_)))[:, np.newaxis] * D
    A = np.linalg.inv(model.hessian_)
    V = there / (there - 3) * A @ scores.T @ scores @ A
    np.testing.assert_allclose(model.covariance(X, y, w, kind="HC1"), V, rtol=1e-6)
    if weights == "precision":
        np.testing.assert_array_equal(model.covariance_, plain.covariance_)
        pd_same = model.profile_intervals(X, y, w), plain.profile_intervals(X, y, w)
        np.testing.assert_allclose(*pd_same, rtol=1e-9)
    else:
        np.testing.assert_allclose(model.covariance_, V, rtol=1e-6)
        for call in (model.profile_intervals, model.likelihood_ratio_tests):
            with pytest.raises(InferenceError, match="pseudo-likelihood"):
                call(X, y, w)


@pytest.mark.parametrize("weights", ["precision", "probability"])
@pytest.mark.parametrize("is_likelihood", [True, False])
def test_own_losses(weights, is_likelihood):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 2))
    y = rng.poisson(np.exp(0.5 + 0.3 * X[:, 0])).astype(float)
    w = 10 ** rng.uniform(-1, 1, 80)
    options = {"log_likelihood": is_likelihood, "tol": 1e-12}
    model = ObjectiveRegressor(POISSON, weights=weights, **options).fit(X, y, w)
    family = GeneralizedLinearRegressor("poisson", weights=weights, tol=1e-12).fit(X, y, w)
    assert model.n_observations_ == 80
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        np.testing.assert_allclose(
            model.covariance(X, y, w, kind=kind),
            family.covariance(X, y, w, kind=kind),
            rtol=1e-6,
            atol=1e-12,
        )
    if weights == "probability":  # no likelihood is needed for these
        np.testing.assert_allclose(model.standard_errors_, family.standard_errors_, rtol=1e-7)
        assert "HC1" in str(model.summary())
        with pytest.raises(InferenceError, match="pseudo-likelihood" if is_likelihood else "likel"):
            model.profile_intervals(X, y, w)
    elif is_likelihood:
        np.testing.assert_allclose(model.standard_errors_, family.standard_errors_, rtol=1e-7)
        ours, theirs = (m.profile_intervals(X, y, w) for m in (model, family))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    else:
        with pytest.raises(InferenceError, match="log_likelihood=True"):
            model.standard_errors_  # noqa: B018


def test_few_rows_with_curvature_are_said():
    """Kish's count of the rows of a sample has w² in it, and n rows are compared with it."""
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(400, 1)), rng.normal(size=400)
    loss = "sqrt((y - eta)**2 + 1e-4)"
    said = []
    for w in (np.full(400, 1e-3), None):
        with pytest.warns(FewCurvedRowsWarning, match="of 400 rows") as found:
            ObjectiveRegressor(loss, weights="probability").fit(X, noise, w)
        said += [str(warning.message) for warning in found]
    assert said[0] == said[-1]  # the bandwidth, too, is by 400 rows
    # One row that stands for nearly all of the population is one row.
    w = np.where(np.arange(400) == 7, 1e6, 1.0)
    with pytest.warns(FewCurvedRowsWarning, match=r"lies in 1 of 400 rows"):
        ObjectiveRegressor("(y - eta)**2", weights="probability").fit(X, noise, w)
    # As many equal rows are many.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ObjectiveRegressor("(y - eta)**2").fit(X, noise, w).covariance(X, noise, w, kind="HC0")


def test_own_losses_of_classes():
    X, y, w, _ = problem()
    loss = "log(1 + exp(eta)) - y*eta"
    model = ObjectiveClassifier(loss, weights="probability", tol=1e-12).fit(X, y, w)
    expected = logistic("probability").fit(X, y, w)
    np.testing.assert_allclose(model.standard_errors_, expected.standard_errors_, rtol=1e-6)


def test_class_weights_are_factors_of_any_weights():
    """Cases and controls: each class was sampled with its own probability."""
    X, y, *_ = problem()
    factors = {0: 20.0, 1: 1.0}
    model = logistic("probability", class_weight=factors).fit(X, y)
    other = logistic("probability").fit(X, y, np.where(y == 0, 20.0, 1.0))
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=1e-9)


MODELS = {
    "linear": LinearRegression(),
    "logistic": LogisticRegression(),
    "firth": FirthLogisticRegression(),
    "glm": GeneralizedLinearRegressor("binomial"),
    "own loss": ObjectiveRegressor("(y - eta)**2"),
    "own loss of classes": ObjectiveClassifier("log(1 + exp(eta)) - y*eta"),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_estimator_has_the_argument(name):
    X, y, w, _ = problem()
    plain = clone(MODELS[name]).fit(X, y, w)
    default = clone(MODELS[name]).set_params(weights="frequency").fit(X, y, w)
    assert MODELS[name].weights == "frequency"
    np.testing.assert_array_equal(default.params_, plain.params_)
    with pytest.raises(ValueError, match=r"weights='pweight'.*'frequency'.*'probability'"):
        clone(MODELS[name]).set_params(weights="pweight").fit(X, y, w)
    for kind in KINDS[1:]:
        model = clone(MODELS[name]).set_params(weights=kind)
        model = clone(model).fit(X, y, w)
        # The estimates do not know what weights are.
        np.testing.assert_array_equal(model.params_, plain.params_)
        assert model.n_observations_ == np.count_nonzero(w)
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            assert other.n_observations_ == model.n_observations_
            if hasattr(model, "covariance_"):
                np.testing.assert_array_equal(other.covariance_, model.covariance_)
        if kind == "probability":
            errors = model.standard_errors_.copy()
            # The fit keeps what it was: its arguments may change.
            model.set_params(weights="frequency")
            np.testing.assert_array_equal(model.standard_errors_, errors)
            assert model.n_observations_ == np.count_nonzero(w)
