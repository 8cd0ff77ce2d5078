"""ObjectiveRegressor and ObjectiveClassifier against the models that they can stand for."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.calculus import exp, scalar
from mcmodels.exceptions import ConvergenceWarning
from tests.callbacks import Recorder
from tests.numerics import central_differences, relative_error
from tests.objective_problems import (
    BINARY,
    POISSON,
    Named,
    cancer,
    diabetes,
    pair,
    quietly,
    squared,
)
from tests.objectives.user_losses import LOSSES, binary, poisson, problem, squared_hinge
from tests.versions import BEFORE_1_7, needs_callbacks

ESTIMATORS = [
    ObjectiveRegressor("(y - eta)**2"),
    ObjectiveRegressor(Named(squared), alpha=0.5, warm_start=True),
    ObjectiveRegressor("log(1 + (y - eta)**2)"),
    ObjectiveClassifier(BINARY, alpha=1.0, inverse_link="sigmoid(eta)"),
    ObjectiveClassifier(Named(squared_hinge), alpha=1.0),
]


def failed_by_scikit_learn(estimator):
    """Checks that fail by a fault of their own."""
    if not (BEFORE_1_7 and isinstance(estimator, ObjectiveClassifier)):
        return {}
    reason = "scikit-learn before 1.7 compares fits to two different targets of two classes"
    return {
        f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")
    }


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=failed_by_scikit_learn)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


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


@needs_callbacks
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
