"""Intervals and sets against their definitions, by fits of the rows that are left."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression as OfScikitLearn

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    leave_one_out,
)

N, P, NEW = 40, 3, 25


def with_folds(model, X, y, codes, weights=None, **offsets):
    """The result for groups of rows, by converged refits."""
    return leave_one_out(model, X, y, weights, groups=codes, method="exact", **offsets)


def jackknife_plus(means, own, y, level, scale=None):
    """The definition by sorting; ``means[i, j]`` is that of new row j by the fit without row i."""
    n, n_new = means.shape
    of_new, of_own = (np.ones_like(means), np.ones(n)) if scale is None else scale
    R = np.abs(y - own) / of_own
    k = int(np.ceil(round(level * (n + 1), 9)))
    found = np.empty((n_new, 2))
    for j in range(n_new):
        upper = sorted(means[i, j] + R[i] * of_new[i, j] for i in range(n))
        lower = sorted((means[i, j] - R[i] * of_new[i, j] for i in range(n)), reverse=True)
        found[j] = (lower[k - 1], upper[k - 1]) if k <= n else (-np.inf, np.inf)
    return found


def means_without(model, X, y, new, codes, predict="predict"):
    """Predictions of new and of own rows by fits without each row's group."""
    means, own = [], []
    for i in range(len(y)):
        kept = codes != codes[i]
        fitted = clone(model).fit(X[kept], y[kept])
        means.append(getattr(fitted, predict)(new))
        own.append(getattr(fitted, predict)(X[[i]])[0])
    return np.array(means), np.array(own)


def numbers(seed=3, n=N):
    rng = np.random.default_rng(seed)
    centre = np.array([0.0, 5.0, -40.0])
    X, new = rng.normal(size=(n, P)) + centre, 2 * rng.normal(size=(NEW, P)) + centre
    return X, (X - centre) @ [0.7, -0.5, 0.3], new, rng


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        LinearRegression(fit_intercept=False),
        GeneralizedLinearRegressor(alpha=4.0),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FewRowsWarning")
def test_jackknife_plus_is_its_definition(model, level):
    X, eta, new, rng = numbers()
    y = eta + rng.standard_t(2, size=N)
    found = leave_one_out(clone(model).fit(X, y), X, y).predict_interval(new, level)
    expected = jackknife_plus(*means_without(model, X, y, new, np.arange(N)), y, level)
    # Both solve least squares without the row, to some hundred units of rounding.
    np.testing.assert_allclose(found[["lower", "upper"]], expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found["prediction"], clone(model).fit(X, y).predict(new))


@pytest.mark.parametrize("n_folds", [2, 5, 7])
def test_cv_plus_is_its_definition(n_folds):
    X, eta, new, rng = numbers()
    y = eta + rng.normal(size=N)
    codes = rng.permutation(np.arange(N) % n_folds)
    loo = with_folds(LinearRegression().fit(X, y), X, y, codes)
    found = loo.predict_interval(new, 0.8)[["lower", "upper"]]
    # By another package's fits.
    expected = jackknife_plus(*means_without(OfScikitLearn(), X, y, new, codes), y, 0.8)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_each_target_has_the_intervals_that_it_has_alone():
    X, eta, new, rng = numbers()
    Y = np.column_stack([eta, -eta, 3 * eta]) + rng.normal(size=(N, 3))
    together = leave_one_out(LinearRegression().fit(X, Y), X, Y).predict_interval(new, 0.9)
    assert together.columns.names == ["target", None]
    for k in range(3):
        alone = leave_one_out(LinearRegression().fit(X, Y[:, k]), X, Y[:, k])
        pd.testing.assert_frame_equal(
            together[f"y{k}"], alone.predict_interval(new, 0.9), rtol=1e-10
        )


def test_precisions_multiply_residuals_by_their_roots():
    X, eta, new, rng = numbers()
    w, of_new = rng.uniform(0.2, 5, size=N), rng.uniform(0.2, 5, size=NEW)
    y = eta + rng.normal(size=N) / np.sqrt(w)
    loo = leave_one_out(LinearRegression(weights="precision").fit(X, y, w), X, y, w)
    fits = [OfScikitLearn().fit(*(np.delete(a, i, 0) for a in (X, y, w))) for i in range(N)]
    means = np.array([fit.predict(new) for fit in fits])
    own = np.array([fit.predict(X[[i]])[0] for i, fit in enumerate(fits)])
    scale = np.broadcast_to(1 / np.sqrt(of_new), means.shape), 1 / np.sqrt(w)
    expected = jackknife_plus(means, own, y, 0.8, scale)
    found = loo.predict_interval(new, 0.8, sample_weight=of_new)[["lower", "upper"]]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    # Without √w as soon as residuals are those of the response.
    expected = jackknife_plus(means, own, y, 0.8)
    found = loo.predict_interval(new, 0.8, residuals="response")[["lower", "upper"]]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_targets_have_their_names():
    X, eta, new, _ = numbers()
    Y = pd.DataFrame({"up": eta, "down": -eta}) + np.random.default_rng(0).normal(size=(N, 2))
    found = leave_one_out(LinearRegression().fit(X, Y), X, Y).predict_interval(new)
    assert found.columns.levels[0].tolist() == ["down", "up"]
    assert (found["up"]["prediction"] * found["down"]["prediction"] < 0).mean() > 0.8


CURVED = {
    "poisson": (GeneralizedLinearRegressor("poisson", alpha=0.3, tol=1e-12), np.sqrt),
    "gamma": (GeneralizedLinearRegressor("gamma", link="log", tol=1e-12), lambda mu: mu),
    "negative binomial": (
        GeneralizedLinearRegressor("negative_binomial", theta=0.5, tol=1e-12),
        lambda mu: np.sqrt(mu + 0.5 * mu**2),
    ),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5, tol=1e-12), np.ones_like),
    "own loss with a link": (
        ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)", alpha=0.5, tol=1e-12),
        np.ones_like,
    ),
}


def curved_targets(name, eta, rng):
    if name == "own loss":
        return eta + rng.standard_t(3, size=len(eta))
    if name == "gamma":
        return np.exp(eta) * rng.gamma(3.0, 1 / 3, size=len(eta))
    return rng.poisson(np.exp(eta)).astype(float)


@pytest.mark.parametrize("residuals", ["pearson", "response"])
@pytest.mark.parametrize("name", CURVED)
def test_of_converged_refits_the_intervals_are_those_of_fits_without_the_rows(name, residuals):
    model, deviation = CURVED[name]
    X, eta, new, rng = numbers()
    y = curved_targets(name, eta, rng)
    fitted = clone(model).fit(X, y)
    loo = with_folds(fitted, X, y, np.arange(N))
    found = loo.predict_interval(new, 0.9, residuals=residuals)[["lower", "upper"]]
    means, own = means_without(model, X, y, new, np.arange(N))
    scale = (deviation(means), deviation(own)) if residuals == "pearson" else None
    expected = jackknife_plus(means, own, y, 0.9, scale)
    if not name.startswith("own"):
        expected = np.maximum(expected, 0.0)
    # Both fits stop at about 1e-9 of a standard error; ends are exponentials of what they predict.
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", CURVED)
def test_one_step_has_nearly_the_same_intervals(name):
    model, _ = CURVED[name]
    X, eta, _, rng = numbers(n=200)
    y = curved_targets(name, eta, rng)
    fitted = clone(model).fit(X, y)
    one_step = leave_one_out(fitted, X, y).predict_interval(X[:NEW], 0.8)
    exact = with_folds(fitted, X, y, np.arange(200)).predict_interval(X[:NEW], 0.8)
    # The steps leave errors of second order in 1/n: here a few hundredths of the widths at most.
    width = (exact["upper"] - exact["lower"]).to_numpy()[:, np.newaxis]
    assert (np.abs(one_step - exact).to_numpy() < 0.05 * width).all()


@pytest.mark.parametrize("with_folds_of_copies", [False, True])
def test_a_row_of_weight_two_is_there_twice(with_folds_of_copies):
    X, eta, new, rng = numbers()
    y = rng.poisson(np.exp(eta)).astype(float)
    weights = rng.integers(0, 4, size=N).astype(float)
    model = GeneralizedLinearRegressor("poisson", alpha=0.1, tol=1e-12)
    groups = np.arange(N) // 4 if with_folds_of_copies else np.arange(N)
    weighted = with_folds(clone(model).fit(X, y, weights), X, y, groups, weights)
    rows = np.repeat(np.arange(N), weights.astype(int))
    codes = np.unique(groups[rows], return_inverse=True)[1]
    copies = with_folds(clone(model).fit(X[rows], y[rows]), X[rows], y[rows], codes)
    for level in (0.6, 0.9):
        pd.testing.assert_frame_equal(
            weighted.predict_interval(new, level), copies.predict_interval(new, level), rtol=1e-6
        )


def test_a_row_of_weight_two_is_there_twice_in_sets():
    X, eta, new, rng = numbers()
    y = (eta + rng.normal(size=N) > 0).astype(int)
    weights = rng.integers(0, 4, size=N).astype(float)
    model = LogisticRegression(tol=1e-12)
    weighted = with_folds(clone(model).fit(X, y, weights), X, y, np.arange(N), weights)
    rows = np.repeat(np.arange(N), weights.astype(int))
    codes = np.unique(rows, return_inverse=True)[1]
    copies = with_folds(clone(model).fit(X[rows], y[rows]), X[rows], y[rows], codes)
    for options in ({}, {"by_class": True}, {"score": "adaptive"}, {"allow_empty": True}):
        pd.testing.assert_frame_equal(
            weighted.predict_set(new, 0.8, **options), copies.predict_set(new, 0.8, **options)
        )


def p_values(of_new, own, codes, by_class):
    """By counting, of ``of_new[i, j, k]``, the strangeness of class k at new row j without i."""
    n, n_new, K = of_new.shape
    found = np.empty((n_new, K))
    for j in range(n_new):
        for k in range(K):
            rows = [i for i in range(n) if not by_class or codes[i] == k]
            count = sum(own[i] >= of_new[i, j, k] - 1e-9 for i in rows)
            found[j, k] = (1 + count) / (len(rows) + 1)
    return found


def adaptive(p):
    """Probability of all classes that are at least as likely."""
    return np.where(p[..., np.newaxis, :] >= p[..., np.newaxis], p[..., np.newaxis, :], 0).sum(-1)


SETS = {
    "two": LogisticRegression(tol=1e-12),
    "three": LogisticRegression(C=0.5, tol=1e-12),
    "own": ObjectiveClassifier(
        "log(1+exp(eta)) - y*eta", inverse_link="sigmoid(eta)", alpha=0.5, tol=1e-12
    ),
    "cloglog": ObjectiveClassifier(
        "exp(eta) - y*(exp(eta) + log(1 - exp(-exp(eta))))",
        inverse_link="1 - exp(-exp(eta))",
        alpha=1.0,
        tol=1e-12,
    ),
}


@pytest.mark.parametrize(("n_folds", "by_class"), [(50, False), (50, True), (10, False)])
@pytest.mark.parametrize("score", ["probability", "adaptive"])
@pytest.mark.parametrize("name", SETS)
def test_sets_are_those_classes_whose_p_values_exceed_alpha(name, score, n_folds, by_class):
    X, eta, new, rng = numbers(n=50)
    noise = rng.normal(size=50)
    codes = (eta + noise > -0.6).astype(int)
    codes = codes + (eta - noise > 0.8) if name == "three" else (eta + noise > 0).astype(int)
    labels = np.array(["a", "b", "c"])[codes]
    model = SETS[name]
    folds = np.arange(50) % n_folds
    loo = with_folds(clone(model).fit(X, labels), X, labels, folds)
    probabilities, own = means_without(model, X, labels, new, folds, "predict_proba")
    of = (lambda p: 1 - p) if score == "probability" else adaptive
    strange = of(own)[np.arange(50), codes]
    p = p_values(of(probabilities), strange, codes, by_class)
    for level in (0.5, 0.75, 0.9):
        found = loo.predict_set(new, level, score=score, by_class=by_class, allow_empty=True)
        # Some p-values are α: these classes are not in the set, whatever rounding says.
        expected = np.round(p - (1 - level), 12) > 0
        assert (found.drop(columns="size").to_numpy() == expected).all()
        assert (found["size"] == expected.sum(axis=1)).all()
        nonempty = loo.predict_set(new, level, score=score, by_class=by_class)
        filled = nonempty.drop(columns="size").to_numpy()
        some = expected.any(axis=1)
        assert (filled[some] == expected[some]).all()
        assert (filled[~some].sum(axis=1) == 1).all()
        largest = p.max(axis=1, keepdims=True)
        assert (p == largest)[~some][filled[~some]].all()
