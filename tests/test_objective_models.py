"""ObjectiveRegressor and ObjectiveClassifier against the models that they can stand for."""

import functools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
    summarize,
)
from mcmodels.autodiff import NoRuleError
from mcmodels.calculus import exp, scalar
from mcmodels.exceptions import (
    ConvergenceWarning,
    FitWarning,
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    NonSmoothLossWarning,
    RankDeficiencyWarning,
)
from tests.callbacks import Recorder
from tests.numerics import central_differences, relative_error
from tests.objectives.user_losses import LOSSES, binary, poisson, problem, squared_hinge

POISSON = "exp(eta) - y * eta"
BINARY = "softplus(eta) - y * eta"


def squared(y, eta):
    return (y - eta) ** 2


class Named:
    """A loss whose repr is the same in every process, as names of tests must be."""

    def __init__(self, function):
        self.function = function

    def __call__(self, y, eta):
        return self.function(y, eta)

    def __repr__(self):
        return self.function.__name__


ESTIMATORS = [
    ObjectiveRegressor("(y - eta)**2"),
    ObjectiveRegressor(Named(squared), alpha=0.5, warm_start=True),
    ObjectiveRegressor("log(1 + (y - eta)**2)"),
    ObjectiveClassifier(BINARY, alpha=1.0, inverse_link="sigmoid(eta)"),
    ObjectiveClassifier(Named(squared_hinge), alpha=1.0),
]


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X / X.std(axis=0), y  # targets 25 to 346, whole numbers


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X)[:, :6], y


# -- as the models that exist ---------------------------------------------------------------------


@pytest.mark.parametrize("loss", [POISSON, poisson])
@pytest.mark.parametrize("data", ["drawn", "diabetes", "huge means"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_poisson_is_statsmodels_glm(loss, data, weighted, intercept):
    X, y = problem("counts") if data == "drawn" else diabetes()
    if data == "huge means":
        y = y * 1e6
    w = np.random.default_rng(1).integers(1, 4, len(y)).astype(float) if weighted else None
    if not intercept:
        X = np.column_stack([X, 1 + 0.1 * X[:, 0] ** 2])  # a level that is no constant
    model = ObjectiveRegressor(loss, fit_intercept=intercept, log_likelihood=True)
    model.fit(X, y, sample_weight=w)
    design = np.column_stack([X, np.ones(len(y))]) if intercept else X
    glm = sm.GLM(y, design, family=sm.families.Poisson(), freq_weights=w)
    fit = glm.fit(tol=1e-14, maxiter=200, tol_criterion="params")
    assert model.status_ == "converged"
    # Both stop where a next step would be negligible.
    assert relative_error(model.params_, fit.params) < 1e-8
    assert relative_error(model.standard_errors_, fit.bse) < 1e-6
    differ = likelihood_ratio_test(
        ObjectiveRegressor(loss, fit_intercept=intercept, log_likelihood=True).fit(X[:, 1:], y, w),
        model,
    )
    less = sm.GLM(y, design[:, 1:], family=sm.families.Poisson(), freq_weights=w)
    less = less.fit(tol=1e-14, maxiter=200, tol_criterion="params")
    # The difference of two sums, each rounded at 1e-16 of up to 1e13.
    scale = max(1.0, 1e-12 * abs(fit.llf))
    assert differ.statistic == pytest.approx(2 * (fit.llf - less.llf), rel=1e-7, abs=1e-3 * scale)


@pytest.mark.parametrize("loss", [POISSON, poisson])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 40.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_poisson_is_scikit_learns(loss, alpha, weighted, intercept):
    X, y = problem("counts", seed=4)
    w = np.random.default_rng(2).uniform(0.2, 3, len(y)) if weighted else None
    total = len(y) if w is None else w.sum()
    model = ObjectiveRegressor(loss, alpha=alpha, fit_intercept=intercept, inverse_link=np.exp)
    model.fit(X, y, w)
    theirs = PoissonRegressor(  # the mean of half deviances
        alpha=alpha / total, fit_intercept=intercept, solver="newton-cholesky", tol=1e-13
    ).fit(X, y, w)
    assert relative_error(model.coef_, theirs.coef_) < 1e-8
    assert model.intercept_ == pytest.approx(theirs.intercept_, rel=1e-8, abs=1e-10)
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-8)


@pytest.mark.parametrize("loss", ["(y - eta)**2", squared])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_squared_error_is_linear_regression(loss, weighted, intercept):
    X, y = diabetes()
    w = np.random.default_rng(2).uniform(0.2, 3, len(y)) if weighted else None
    model = ObjectiveRegressor(loss, fit_intercept=intercept).fit(X, y, w)
    theirs = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    # Both solve the normal equations, of condition 20².
    assert relative_error(model.params_, theirs.params_) < 1e-11
    assert relative_error(model.hessian_, theirs.hessian_) < 1e-13
    theta = np.arange(model.params_.size) / 7
    for name in ("objective", "gradient", "hessian"):
        ours = getattr(model, name)(X, y, theta, w)
        assert relative_error(ours, getattr(theirs, name)(X, y, theta, w)) < 1e-13
    v = np.cos(theta)
    assert (
        relative_error(
            model.hessian_vector_product(X, y, sample_weight=w, vector=v), model.hessian_ @ v
        )
        < 1e-12
    )
    assert model.n_iter_ <= 2  # one step is exact; rounding may leave a second
    assert (
        relative_error(
            model.covariance(X, y, w, kind="HC3"), theirs.covariance(X, y, w, kind="HC3")
        )
        < 1e-9
    )


@pytest.mark.parametrize("loss", [BINARY, binary])
@pytest.mark.parametrize("C", [np.inf, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_is_logistic_regression(loss, C, weighted):
    X, y = cancer()
    labels = np.where(y == 1, "benign", "malignant")
    w = np.random.default_rng(2).uniform(0.2, 3, len(y)) if weighted else None
    model = ObjectiveClassifier(
        loss, alpha=1 / C, log_likelihood=True, inverse_link="sigmoid(eta)"
    ).fit(X, labels, w)
    reference = LogisticRegression(C=C).fit(X, labels, w)
    # -y: malignant is the second class of both.
    assert model.classes_.tolist() == reference.classes_.tolist()
    assert relative_error(model.params_, reference.params_) < 1e-8
    assert relative_error(model.hessian_, reference.hessian_) < 1e-8
    assert relative_error(model.standard_errors_, reference.standard_errors_) < 1e-8
    assert model.objective_ == pytest.approx(reference.objective_, rel=1e-13)
    assert model.coef_.shape == reference.coef_.shape
    assert model.intercept_.shape == reference.intercept_.shape
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), rtol=1e-7, atol=1e-14
    )
    np.testing.assert_array_equal(model.predict(X), reference.predict(X))
    robust = [m.covariance(X, labels, w, kind="HC1") for m in (model, reference)]
    assert relative_error(*robust) < 1e-7
    pd.testing.assert_frame_equal(
        model.confidence_intervals(), reference.confidence_intervals(), rtol=1e-7
    )
    if C == np.inf:
        tests = [m.wald_test("x0 = x1, x2 = 0") for m in (model, reference)]
        assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-7)


def test_gamma_loss_is_statsmodels_gamma_glm():
    X, y = problem("positive")
    model = ObjectiveRegressor(LOSSES["gamma"].text).fit(X, y)
    family = sm.families.Gamma(sm.families.links.Log())
    fit = sm.GLM(y, np.column_stack([X, np.ones(len(y))]), family=family).fit(tol=1e-14)
    assert relative_error(model.params_, fit.params) < 1e-8


def test_huber_loss_is_statsmodels_m_estimator_of_the_same_scale():
    X, y = problem("numbers")
    rlm = sm.RLM(y, np.column_stack([X, np.ones(len(y))]), M=sm.robust.norms.HuberT(1.3))
    fit = rlm.fit(update_scale=False, tol=1e-14, maxiter=1000)
    delta = float(1.3 * fit.scale)
    text = f"0.5 * (y - eta)**2 - 0.5 * relu(abs(y - eta) - {delta!r})**2"
    model = ObjectiveRegressor(text).fit(X, y)
    # Reweighting converges linearly; 1e-14 between steps leaves some 1e-12.
    assert relative_error(model.params_, fit.params) < 1e-8


# -- any loss -------------------------------------------------------------------------------------


def quietly(model, X, y, w=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return model.fit(X, y, w)


def pair(name, **options):
    loss = LOSSES[name]
    kind = ObjectiveClassifier if loss.targets == "classes" else ObjectiveRegressor
    return [kind(way, **options) for way in (loss.text, loss.function)]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_expression_and_function_find_the_same_minimum(name, alpha):
    X, y = problem(LOSSES[name].targets)
    a, b = (quietly(model, X, y) for model in pair(name, alpha=alpha))
    assert a.status_ == b.status_ == "converged"
    # Both stop at a step of 1e-10 of the parameters.
    assert relative_error(a.params_, b.params_) < 1e-9
    assert relative_error(a.hessian_, b.hessian_) < 1e-8
    assert np.abs(a.gradient_).max() <= 1e-8 * len(y)
    assert np.linalg.eigvalsh(a.hessian_)[0] > 0
    theta = a.params_ + 0.1 * np.arange(1, 5)
    # Five-point differences; losses with a scale of a quarter, and jumps of ℓ″ within a step.
    smooth = name not in ("huber", "expectile", "squared hinge")
    gradient = central_differences(lambda t: a.objective(X, y, t), theta)
    assert relative_error(a.gradient(X, y, theta), gradient) < (1e-8 if smooth else 1e-4)
    if smooth:
        hessian = central_differences(lambda t: a.gradient(X, y, t), theta)
        assert relative_error(b.hessian(X, y, theta), hessian) < 1e-7


@pytest.mark.parametrize("name", LOSSES)
def test_the_minimum_is_that_of_scipy(name):
    X, y = problem(LOSSES[name].targets, seed=7)
    model = quietly(pair(name)[0], X, y)
    found = minimize(
        lambda t: model.objective(X, y, t),
        model.params_ + 0.05,
        jac=lambda t: model.gradient(X, y, t),
        method="BFGS",
        options={"gtol": 1e-10},
    )
    assert model.objective_ <= found.fun + 1e-12 * abs(found.fun)
    # BFGS stalls where values cannot be told apart: at the root of rounding.
    assert relative_error(model.params_, found.x) < 1e-6


@pytest.mark.parametrize("name", ["poisson", "huber", "student", "smoothed quantile"])
def test_laws_of_weights_order_and_scale(name):
    X, y = problem(LOSSES[name].targets)
    model = pair(name)[0]
    w = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = quietly(clone(model), X, y, w)
    repeated = quietly(clone(model), np.repeat(X, w, axis=0), np.repeat(y, w))
    # Convergence leaves 1e-10 of the parameters, and more in none but the quadratic order.
    assert relative_error(weighted.params_, repeated.params_) < 1e-9
    assert relative_error(weighted.hessian_, repeated.hessian_) < 1e-8
    plain = quietly(clone(model), X, y)
    order = np.random.default_rng(2).permutation(len(y))
    assert relative_error(quietly(clone(model), X[order], y[order]).params_, plain.params_) < 1e-9
    scaled = quietly(clone(model), X * [10.0, 1e-6, 1e5], y)
    assert relative_error(scaled.coef_ * [10.0, 1e-6, 1e5], plain.coef_) < 1e-8
    shifted = quietly(clone(model), X + np.array([0.0, 1e5, 0.0]), y)
    assert relative_error(shifted.coef_, plain.coef_) < 1e-8


@pytest.mark.parametrize("storage", ["C", "F", "float32", "csr", "memmap", "stream"])
@pytest.mark.parametrize("name", ["poisson", "binary"])
def test_every_storage_and_chunking(storage, name, tmp_path):
    X, y = problem(LOSSES[name].targets, n=500)
    X = X.astype(np.float32).astype(float)  # the same numbers in every storage
    expected = [model.fit(X, y) for model in pair(name)]
    for model, reference in zip(pair(name), expected, strict=True):
        if storage == "stream":
            parts = [slice(0, 170), slice(170, 171), slice(171, 500)]
            model.fit(RowStream([(X[part], y[part]) for part in parts]))
        elif storage == "memmap":
            held = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape)
            held[:] = X
            model.fit(held, y)
        else:
            store = {
                "C": np.ascontiguousarray,
                "F": np.asfortranarray,
                "float32": lambda X: X.astype(np.float32),
                "csr": sparse.csr_array,
            }[storage]
            model.fit(store(X), y)
        # The start differs with the sample; the end by less than a negligible step.
        assert relative_error(model.params_, reference.params_) < 1e-9
        assert relative_error(model.hessian_, reference.hessian_) < 1e-9


def test_many_rows_are_approached_with_a_kept_hessian():
    X, y = problem("counts", n=40_000, p=3)
    X = np.column_stack([X, np.random.default_rng(0).standard_normal((40_000, 17))])
    expected = ObjectiveRegressor(POISSON).fit(X[:1000], y[:1000])  # too few for the approach
    assert expected.n_iter_ < 10
    for loss in (POISSON, poisson):
        model = ObjectiveRegressor(loss).fit(X, y)
        glm = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12).fit(X, y)
        assert relative_error(model.coef_, glm.coef_) < 1e-8
        assert model.converged_
        assert np.abs(model.gradient_).max() <= 1e-8 * len(y)
    linear = ObjectiveRegressor("(y - eta)**2").fit(X, y)
    assert linear.n_iter_ == 1
    # Normal equations of a condition near one.
    assert relative_error(linear.params_, LinearRegression().fit(X, y).params_) < 1e-12


# -- curvature that is missing or negative --------------------------------------------------------


def test_huber_from_where_no_row_has_curvature():
    X, y = problem("numbers", seed=5)
    text = "0.5 * (y - eta)**2 - 0.5 * relu(abs(y - eta) - 0.01)**2"
    for offset in (0.0, 1e4):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = ObjectiveRegressor(text, fit_intercept=offset != 0).fit(X, y + offset)
        assert model.status_ == "converged"
        assert np.abs(model.gradient_).max() < 1e-8


@pytest.mark.parametrize("width", [1e-1, 1e-2, 1e-3])
def test_smoothed_quantiles_close_in_on_quantile_regression(width):
    X, y = problem("numbers", seed=5)
    text = f"{width} * softplus((y - eta) / {width}) - 0.3 * (y - eta)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ObjectiveRegressor(text).fit(X, y)
    exact = sm.QuantReg(y, np.column_stack([X, np.ones(200)])).fit(q=0.7, max_iter=5000)
    r = y - np.column_stack([X, np.ones(200)]) @ exact.params
    least = np.sum(np.maximum(r, 0) - 0.3 * r)
    # Smoothing adds at most width·log 2 a row, and no fit is below the least pinball loss.
    assert least - 1e-9 * least <= model.objective_ <= least + 200 * width * np.log(2)


def test_a_start_that_is_stationary_and_no_minimum_is_left():
    X = np.ones((20, 1))
    model = ObjectiveRegressor("(eta**2 - 1)**2", fit_intercept=False)
    with pytest.warns(NonConvexLossWarning, match="The point reached is a minimum"):
        model.fit(X, np.zeros(20))
    assert abs(model.coef_[0]) == pytest.approx(1.0, rel=1e-10)
    assert model.converged_
    assert model.hessian_[0, 0] == pytest.approx(8 * 20, rel=1e-8)


def test_a_non_convex_loss_is_said_with_the_place():
    X, y = problem("numbers")
    y[7] += 30.0  # far outside
    message = (
        r"not convex: its second derivative is -\S+ at y=\S+, eta=\S+, in a row of the fit. The "
        r"point reached is a minimum \(least eigenvalue of the Hessian scaled to \S+ unit dia"
    )
    for model in pair("student"):
        with pytest.warns(NonConvexLossWarning, match=message):
            model.fit(X, y)
        assert model.converged_


def test_a_loss_that_is_non_convex_between_the_rows_is_said():
    X = np.linspace(-0.9, 0.9, 100)[:, np.newaxis]
    y = X[:, 0] + 0.01 * np.sin(np.arange(100))  # no residual ever reaches 1, where ℓ″ is zero
    with pytest.warns(NonConvexLossWarning, match="between its rows"):
        ObjectiveRegressor("log(1 + (y - eta)**2)").fit(X, y)


def test_a_penalty_that_outweighs_negative_curvature():
    X = np.linspace(-1, 1, 50)[:, np.newaxis]
    with pytest.warns(NonConvexLossWarning, match="is a minimum"):
        model = ObjectiveRegressor("-0.1 * eta**2 - eta * y", alpha=20.0, fit_intercept=False).fit(
            X, X[:, 0]
        )
    squares = (X**2).sum()
    assert model.coef_[0] == pytest.approx(squares / (20 - 0.2 * squares), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("abs(y - eta)", r"the derivative of the loss jumps by 2 at y=(\S+), eta=\1:"),
        ("relu(y - eta) - 0.25 * (y - eta)", r"jumps by 1 at y=.* h\*softplus\(\(y-eta\)/h\)"),
        (lambda y, eta: np.abs(y - eta), r"jumps by 2 at y=(\S+), eta=\1:.*sqrt\(r\*\*2"),
        (lambda y, eta: (y - eta) ** 2 + np.where(eta > 0.1, 1.0, 0.0), "the loss jumps by 1 at y"),
    ],
)
def test_a_kink_is_said_with_the_place_and_the_remedy(loss, message):
    X, y = problem("numbers", n=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(NonSmoothLossWarning, match=message):
            model = ObjectiveRegressor(loss, alpha=0.1).fit(X, y)
    assert np.isfinite(model.params_).all()


@pytest.mark.parametrize("name", [n for n in LOSSES if LOSSES[n].convex])
def test_smooth_convex_losses_warn_of_nothing(name):
    X, y = problem(LOSSES[name].targets)
    for model in pair(name):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(X, y)


# -- no minimum -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [200, 60_000])
def test_counts_that_are_zero_wherever_a_column_is_not(n):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((n, 2)), rng.random(n) < 0.2])
    y = rng.poisson(np.exp(X[:, 0])) * (X[:, 2] == 0)
    message = r"falls for ever along a combination of the columns x2: it has no minimum.*alpha > 0"
    for loss in (POISSON, poisson):
        with pytest.warns(NoMinimumWarning, match=message):
            model = ObjectiveRegressor(loss, log_likelihood=True).fit(X, y)
        assert model.status_ == "no minimum"
        assert not model.converged_
        assert np.isfinite(model.params_).all()
        assert model.coef_[2] < -5
        with pytest.raises(InferenceError, match="has no minimum, and no curvature there"):
            _ = model.standard_errors_
        penalised = ObjectiveRegressor(loss, alpha=1e-3).fit(X, y)
        assert penalised.converged_


def test_separated_classes():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    with pytest.warns(NoMinimumWarning, match="columns x0"):
        model = ObjectiveClassifier(BINARY).fit(X, [0, 0, 1, 1])
    np.testing.assert_array_equal(model.predict(X), [0, 0, 1, 1])
    flat = ObjectiveClassifier("relu(1 - (2*y - 1) * eta)**2").fit(X, [0, 0, 1, 1])
    assert flat.objective_ == 0.0  # a minimum is attained
    assert flat.converged_


@pytest.mark.parametrize("loss", ["y * eta", "-(y - eta)**2", lambda y, eta: -eta, "exp(-eta)"])
def test_a_loss_without_a_least_value(loss):
    X, y = problem("numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonConvexLossWarning)
        with pytest.warns(NoMinimumWarning, match="Check the sign of the loss"):
            model = ObjectiveRegressor(loss).fit(X, y)
    assert np.isfinite(model.params_).all()
    assert model.status_ == "no minimum"


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X + np.array([1e9, 0, 0]),
        lambda X: X * [1e8, 1e-8, 1],
        lambda X: np.column_stack([X, X[:, 0]]),
        lambda X: np.column_stack([X, np.zeros(len(X))]),
    ],
    ids=["far", "scaled", "twice", "zero"],
)
def test_whether_a_minimum_was_reached_does_not_depend_on_units(change):
    X, y = problem("numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        with pytest.warns(NonConvexLossWarning, match="point reached is a minimum"):
            ObjectiveRegressor("log(1 + (y - eta)**2)").fit(change(X), y)


def test_nothing_is_called_a_minimum_where_there_is_none():
    X, y = problem("numbers")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ObjectiveRegressor("tanh(eta)*y").fit(X, 10 * y)
    said = [str(warning.message) for warning in caught]
    assert any("it has no minimum" in text for text in said)
    assert any("the loss is not convex" in text for text in said)
    assert not any("point reached" in text for text in said)


def test_a_fit_that_ends_at_the_edge_of_the_domain_says_so():
    X, y = problem("numbers")  # targets of both signs: -log(eta) wants eta at 0, where it ends
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(NonConvexLossWarning, match="the loss is not convex"):
            ObjectiveRegressor("log(eta)*y").fit(X, y)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_zero_counts_that_fewer_rows_than_columns_fit_exactly_have_no_minimum(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((30, 100)), rng.poisson(1.0, 30)
    for loss, targets in ((POISSON, y), ("softplus(eta) - y*eta", y > 0)):
        with pytest.warns(NoMinimumWarning, match="falls for ever"):
            ObjectiveRegressor(loss).fit(X, targets)
    with pytest.warns(RankDeficiencyWarning):  # positive counts are fitted at finite predictors
        exact = ObjectiveRegressor(POISSON).fit(X, y + 1)
    # Interpolation by Newton's method ends at a step of 1e-10.
    assert relative_error(exact.predict(X), np.log(y + 1)) < 1e-8


# -- refusals -------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_names_target_and_predictor():
    X, y = problem("positive")
    y[3] = -1.0
    message = r"not finite where the fit starts: at y=-1, eta=\S+ it is nan"
    for loss in ("y * log(y) - y * eta + exp(eta)", lambda y, eta: y * np.log(y) + np.exp(eta) - y):
        with pytest.raises(ValueError, match=message):
            ObjectiveRegressor(loss).fit(X, y)


def test_a_loss_of_a_half_line_starts_where_it_is_finite():
    X, y = problem("positive")
    model = ObjectiveRegressor("y / eta + log(eta)")  # exponential with the identity link
    quietly(model, 0.02 * X, y)
    assert model.converged_
    assert np.abs(model.gradient_).max() < 1e-6


def test_what_mixes_rows_or_has_no_derivative_is_refused():
    X, y = problem("numbers")
    with pytest.raises(ValueError, match=r"loss returned shape \(\)"):
        ObjectiveRegressor(lambda y, eta: np.mean((y - eta) ** 2)).fit(X, y)
    with pytest.raises(ValueError, match="loss is not pointwise"):
        ObjectiveRegressor(lambda y, eta: (y - eta - np.mean(y - eta)) ** 2).fit(X, y)
    with pytest.raises(NoRuleError, match="nextafter"):
        ObjectiveRegressor(lambda y, eta: np.nextafter(eta, y)).fit(X, y)
    with pytest.raises(ValueError, match="without eta; there is nothing to fit"):
        ObjectiveRegressor(scalar("y") ** 2).fit(X, y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": 3}, TypeError, "loss is a int; give an expression in the scalars y and eta"),
        ({"loss": "exp(eta) - tau * y"}, ValueError, "loss holds 'tau', a scalar"),
        ({"alpha": -1.0}, ValueError, "alpha=-1.0 must be at least 0"),
        ({"alpha": np.inf}, ValueError, "alpha=inf must be finite"),
        ({"log_likelihood": "yes"}, ValueError, "log_likelihood='yes' must be True or False"),
        ({"max_iter": 0}, ValueError, "max_iter=0 must be an integer of at least 1"),
        ({"inverse_link": "exp(y)"}, ValueError, "inverse_link holds 'y'"),
        ({"inverse_link": 3}, TypeError, "inverse_link is a int; give None"),
    ],
)
def test_parameters_are_checked(options, error, message):
    X, y = problem("numbers", n=20)
    model = ObjectiveRegressor("(y - eta)**2").set_params(**options)
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_classes_and_probabilities_are_checked():
    X, y = problem("classes")
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        ObjectiveClassifier(BINARY).fit(X, np.arange(200) % 3)
    with pytest.raises(ValueError, match="only one class in the rows of positive weight: 1"):
        ObjectiveClassifier(BINARY).fit(X, y, sample_weight=y)
    model = ObjectiveClassifier(BINARY).fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as refusal:
        _ = model.predict_proba
    assert "inverse_link, the probability of classes_[1]" in str(refusal.value.__cause__)
    with pytest.raises(ValueError, match="the class 7, which was not there at fit"):
        model.objective(X, np.where(y == 0, 7, 1))
    wrong = ObjectiveClassifier(BINARY, inverse_link="eta").fit(X, y)
    with pytest.raises(ValueError, match="it must be a probability"):
        wrong.predict_proba(X)


def test_dependent_columns_and_early_stops_are_said():
    X, y = problem("counts")
    with pytest.warns(RankDeficiencyWarning, match="columns x0, x3"):
        model = ObjectiveRegressor(POISSON).fit(np.column_stack([X, 2 * X[:, 0]]), y)
    full = ObjectiveRegressor(POISSON).fit(X, y)
    assert model.coef_[0] + 2 * model.coef_[3] == pytest.approx(full.coef_[0], rel=1e-8)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 steps with the gradient"):
        ObjectiveRegressor(POISSON, max_iter=1).fit(X, y)


# -- inference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster"])
@pytest.mark.parametrize("name", ["poisson", "student", "smoothed quantile"])
def test_sandwich_of_an_m_estimator(kind, name):
    X, y = problem(LOSSES[name].targets)
    for model in pair(name):
        quietly(model, X, y)
        groups = np.arange(200) // 5
        options = {"groups": groups, "use_correction": False} if kind == "cluster" else {}
        V = model.covariance(X, y, kind=kind, **options)
        design = np.column_stack([X, np.ones(200)])
        A = np.linalg.inv(model.hessian_)
        loss = LOSSES[name].function
        eta = design @ model.params_
        first = np.diagonal(central_differences(lambda e, y=y: loss(y, e), eta))  # noqa: B023
        scores = first[:, np.newaxis] * design
        if kind == "cluster":
            scores = scores.reshape(40, 5, 4).sum(axis=1)
        factor = 200 / 196 if kind == "HC1" else 1.0
        # Scores by five-point differences.
        assert relative_error(V, factor * A @ scores.T @ scores @ A) < 1e-8
        table = model.summary(X, y, kind=kind, **options).to_frame()
        np.testing.assert_allclose(table["standard_error"], np.sqrt(np.diag(V)), rtol=1e-12)


def test_robust_poisson_is_statsmodels():
    X, y = problem("counts")
    design = np.column_stack([X, np.ones(200)])
    fit = sm.GLM(y, design, family=sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    model = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    assert relative_error(model.covariance(X, y, kind="HC0"), fit.cov_params()) < 1e-8


def test_an_m_estimator_has_no_covariance_of_its_own():
    X, y = problem("numbers")
    model = ObjectiveRegressor(LOSSES["huber"].text).fit(X, y)
    for ask in (lambda: model.standard_errors_, model.summary, model.confidence_intervals):
        with pytest.raises(InferenceError, match=r"not said to be one.*covariance\(X, y, kind='HC"):
            ask()
    with pytest.raises(InferenceError, match="a log-likelihood is that of a likelihood"):
        _ = model.log_likelihood_
    g = model.delta_method(lambda theta: theta[0] / theta[1], X, y, kind="HC0")
    V = model.covariance(X, y, kind="HC0")
    J = np.array([1 / model.coef_[1], -model.coef_[0] / model.coef_[1] ** 2])
    assert g.standard_error == pytest.approx(np.sqrt(J @ V[:2, :2] @ J), rel=1e-8)
    test = model.wald_test("x0 = 0", X, y, kind="HC0")
    assert test.statistic == pytest.approx(model.coef_[0] ** 2 / V[0, 0], rel=1e-10)


def test_a_loss_without_curvature_has_no_sandwich_and_no_stray_warnings():
    X, y = problem("numbers")
    for loss in ("abs(y - eta)", "relu(y - eta) + relu(eta - y)"):
        model = quietly(ObjectiveRegressor(loss), X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(InferenceError, match="ℓ″ is all but zero"):
                model.covariance(X, y, kind="HC0")


def test_functions_of_parameters_are_checked():
    X, y = problem("counts")
    model = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    with pytest.raises(TypeError, match=r"g is a str; give a function of an array of shape \(4,"):
        model.delta_method("x0 / x1")
    for g, found in ((lambda t: 1j * t[0], "complex128"), (lambda t: None, "object")):
        with pytest.raises(TypeError, match=f"g returned {found} values; it must return a real"):
            model.delta_method(g)


def test_a_summary_names_a_partial_loss_by_its_function_and_arguments():
    X, y = problem("counts")
    loss = functools.partial(squared_of, width=2.0)
    text = str(ObjectiveRegressor(loss).fit(X, y).summary(X, y, kind="HC0"))
    assert "squared_of(width=2.0)" in text


def squared_of(y, eta, width):
    return ((y - eta) / width) ** 2


def test_a_likelihood_up_to_a_constant():
    X, y = problem("counts")
    big = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    for name in ("aic_", "bic_"):
        with pytest.raises(InferenceError, match=r"up to terms without eta\. Compare fits"):
            getattr(big, name)
    other = ObjectiveRegressor(poisson, log_likelihood=True).fit(X[:, :2], y)
    with pytest.raises(ValueError, match="different losses"):
        likelihood_ratio_test(other, big)
    penalised = ObjectiveRegressor(POISSON, log_likelihood=True, alpha=1.0).fit(X[:, :2], y)
    with pytest.raises(ValueError, match=r"penalty \(alpha=1.0\)"):
        likelihood_ratio_test(penalised, big)
    text = str(summarize(penalised))
    assert "exp(eta) - y * eta" in text
    assert "alpha = 1" in text
    assert "p-value" not in text


# -- as an estimator ------------------------------------------------------------------------------


def test_tags():
    regressor, classifier = ObjectiveRegressor(POISSON), ObjectiveClassifier(BINARY)
    assert get_tags(regressor).estimator_type == "regressor"
    assert get_tags(classifier).estimator_type == "classifier"
    assert not get_tags(classifier).classifier_tags.multi_class
    assert get_tags(regressor).input_tags.sparse


@pytest.mark.parametrize(
    "loss", [POISSON, exp(scalar("eta")) - scalar("y") * scalar("eta"), poisson]
)
def test_clone_and_pickle(loss):
    X, y = problem("counts")
    model = ObjectiveRegressor(loss, inverse_link=np.exp, log_likelihood=True).fit(X, y)
    assert not hasattr(clone(model), "params_")
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    np.testing.assert_array_equal(restored.hessian_, model.hessian_)
    np.testing.assert_array_equal(restored.gradient(X, y), model.gradient(X, y))
    assert len(pickle.dumps(model)) < 10_000 < X.nbytes + y.nbytes + 10_000


def test_grid_search_over_alpha():
    X, y = problem("counts")
    alphas = [0.0, 1.0, 100.0]
    ours = GridSearchCV(ObjectiveRegressor(POISSON, inverse_link="exp(eta)"), {"alpha": alphas})
    scores = ours.fit(X, y).cv_results_["mean_test_score"]
    theirs = GridSearchCV(
        PoissonRegressor(solver="newton-cholesky", tol=1e-12),
        {"alpha": [alpha / 160 for alpha in alphas]},
        scoring="r2",
    ).fit(X, y)
    np.testing.assert_allclose(scores, theirs.cv_results_["mean_test_score"], rtol=1e-8)


def test_warm_start_begins_where_the_last_fit_ended():
    X, y = problem("counts")
    model = ObjectiveRegressor(POISSON, warm_start=True).fit(X, y)
    steps, params = model.n_iter_, model.params_
    model.fit(X, y)
    assert model.n_iter_ < steps
    assert relative_error(model.params_, params) < 1e-10


def test_inverse_links_of_every_kind():
    X, y = problem("counts")
    links = ("exp(eta)", exp(scalar("eta")), np.exp)
    predicted = [ObjectiveRegressor(POISSON, inverse_link=g).fit(X, y).predict(X) for g in links]
    eta = ObjectiveRegressor(POISSON).fit(X, y).predict(X)
    for found in predicted:
        np.testing.assert_allclose(found, np.exp(eta), rtol=1e-14)
    model = ObjectiveRegressor(POISSON, inverse_link="log(eta)").fit(X, y)
    with pytest.raises(ValueError, match=r"inverse_link is \S+ at eta=\S+; it must be finite"):
        model.predict(X)


def test_an_inverse_link_of_complex_numbers_is_refused():
    X, y = problem("counts")
    model = ObjectiveRegressor(POISSON, inverse_link=lambda eta: eta + 1j).fit(X, y)
    with pytest.raises(TypeError, match="inverse_link returned complex128 numbers; they must be"):
        model.predict(X)


def test_callbacks_see_each_step_and_stop_the_fit():
    X, y = problem("counts")
    recorder = Recorder()
    model = ObjectiveRegressor(POISSON).set_callbacks(recorder).fit(X, y)
    steps = recorder.ends("newton-step")
    assert [step[2] for step in steps] == list(range(model.n_iter_))
    assert (recorder.events[0], recorder.events[-1]) == ("setup", "teardown")
    np.testing.assert_array_equal(steps[-1][3], model.predict(X))
    with pytest.warns(ConvergenceWarning, match="stopped after 2 steps"):
        stopped = ObjectiveRegressor(POISSON).set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert stopped.n_iter_ == 2


@pytest.mark.parametrize(
    ("category", "loss", "options"),
    [
        (ConvergenceWarning, POISSON, {"max_iter": 1}),
        (NonConvexLossWarning, "log(1 + (y - eta)**2)", {}),
        (NonSmoothLossWarning, "abs(y - eta)", {}),
        (NoMinimumWarning, "softplus(eta) - (y + 1)*eta", {}),
        (RankDeficiencyWarning, "(y - eta)**2", {}),
    ],
)
def test_warnings_point_at_the_call_of_fit(category, loss, options):
    X, y = problem("counts")
    if category is RankDeficiencyWarning:
        X = np.column_stack([X, X[:, 0]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ObjectiveRegressor(loss, **options).fit(X, y)
    found = [warning for warning in caught if warning.category is category]
    assert [warning.filename for warning in found] == [__file__]


def test_an_objective_that_falls_along_the_intercept_names_no_column():
    X, _ = problem("counts")
    with pytest.warns(NoMinimumWarning, match="falls for ever along the intercept"):
        ObjectiveRegressor("exp(-eta)").fit(X, np.arange(len(X)))
