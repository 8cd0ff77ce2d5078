"""What fits with an offset say: against peers, formulas of a second derivation, and differences."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.special import expit, softmax

from mcmodels import (
    GeneralizedLinearRegressor,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
)
from tests.numerics import central_differences, relative_error
from tests.test_offsets import by_class, derivatives, design, estimator, problem

TWO = ("two classes", "own loss", "own classes")
GROUPS = np.arange(200) % 23


def fitted(kind, **options):
    X, y, offset = problem(kind)
    model = estimator(kind, **options).fit(X, y, offset=offset)
    return model, X, y, offset


# -- beside the generalized linear model -----------------------------------------------------------


@pytest.mark.parametrize("kind", TWO)
@pytest.mark.parametrize("covariance", ["HC0", "HC1", "HC2", "HC3", "cluster", "nonrobust"])
def test_covariances_are_those_of_the_generalized_linear_model(kind, covariance):
    model, X, y, offset = fitted(kind)
    glm = GeneralizedLinearRegressor("binomial").fit(X, y, offset=offset)
    options = {"kind": covariance, "offset": offset}
    if covariance == "cluster":
        options["groups"] = GROUPS
    found, expected = (m.covariance(X, y, **options) for m in (model, glm))
    assert relative_error(found, expected) < 1e-9
    errors = np.sqrt(np.diag(expected))
    intervals = model.confidence_intervals(0.9, X, y, **options)
    half = scipy.stats.norm.ppf(0.95) * errors
    np.testing.assert_allclose(intervals["upper"], model.params_ + half, rtol=1e-8)
    test = model.wald_test("x0 = 0, x1 = 0", X, y, **options)
    b, V = model.params_[:2], expected[:2, :2]
    assert relative_error(test.statistic, b @ np.linalg.solve(V, b)) < 1e-8
    delta = model.delta_method(lambda theta: theta[0] / theta[1], X, y, **options)
    J = np.array([1 / b[1], -b[0] / b[1] ** 2])
    assert relative_error(delta.standard_error, np.sqrt(J @ V @ J)) < 1e-8
    assert "x0" in str(model.summary(X, y, **options))


@pytest.mark.parametrize("kind", TWO)
def test_profiles_are_those_of_the_generalized_linear_model(kind):
    model, X, y, offset = fitted(kind)
    glm = GeneralizedLinearRegressor("binomial").fit(X, y, offset=offset)
    found, expected = (m.profile_intervals(X, y, offset=offset) for m in (model, glm))
    # An end is found to 1e-9 of a standard error.
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    found, expected = (m.likelihood_ratio_tests(X, y, offset=offset) for m in (model, glm))
    np.testing.assert_allclose(found["statistic"], expected["statistic"], rtol=1e-9)
    for name, statistic in found["statistic"].items():
        without = estimator(kind).fit(np.delete(X, int(name[1:]), axis=1), y, offset=offset)
        gain = 2 * (model.log_likelihood_ - without.log_likelihood_)
        assert relative_error(statistic, gain) < 1e-8


# -- by formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster"])
def test_covariances_of_three_classes(kind):
    model, X, y, offset = fitted("three classes")
    D = design(X)
    p = softmax(D @ model.params_.T + offset, axis=1)
    r = np.eye(3)[y] - p
    scores = (r[:, :, np.newaxis] * D[:, np.newaxis, :]).reshape(len(y), -1)
    _, H = derivatives(D, y, model.params_, offset)
    inverse = np.linalg.pinv(H, rcond=1e-12, hermitian=True)
    n, k = len(y), 8
    factor = {"HC0": 1.0, "HC1": n / (n - k), "cluster": 23 / 22 * (n - 1) / (n - k)}[kind]
    if kind == "cluster":
        scores = np.array([scores[GROUPS == g].sum(axis=0) for g in range(23)])
    options = {"groups": GROUPS} if kind == "cluster" else {}
    found = model.covariance(X, y, kind=kind, offset=offset, **options)
    assert relative_error(found, factor * inverse @ scores.T @ scores @ inverse) < 1e-8


def test_influence_is_one_newton_step_without_the_row():
    model, X, y, offset = fitted("two classes")
    w = np.arange(len(y)) % 3 + 1.0
    model.fit(X, y, w, offset=offset)
    found = model.influence(X, y, w, offset=offset)
    D = design(X)
    p = expit(D @ model.params_ + offset)
    inverse = np.linalg.inv((D.T * (w * p * (1 - p))) @ D)
    h = w * p * (1 - p) * np.einsum("ij,jk,ik->i", D, inverse, D)
    pearson = np.sqrt(w) * (y - p) / np.sqrt(p * (1 - p))
    np.testing.assert_allclose(found["leverage"], h, rtol=1e-9)
    np.testing.assert_allclose(found["pearson_residual"], pearson, rtol=1e-9)
    cooks = pearson**2 / (1 - h) * h / (1 - h) / 4
    np.testing.assert_allclose(found["cooks_distance"], cooks, rtol=1e-9)
    changes = D @ inverse * (w * (y - p) / (1 - h))[:, np.newaxis] / np.sqrt(np.diag(inverse))
    np.testing.assert_allclose(found.filter(like="dfbetas"), changes, rtol=1e-8, atol=1e-12)


def test_residuals_are_those_of_the_probabilities():
    model, X, y, offset = fitted("two classes")
    p = expit(design(X) @ model.params_ + offset)
    found = model.residuals(X, y, offset=offset)
    assert relative_error(found @ found, -2 * model.log_likelihood_) < 1e-12
    pearson = model.residuals(X, y, kind="pearson", offset=offset)
    np.testing.assert_allclose(pearson, (y - p) / np.sqrt(p * (1 - p)), rtol=1e-9)


def test_score_tests_are_those_of_the_larger_model():
    model, X, y, offset = fitted("two classes")
    candidate = np.random.default_rng(5).normal(size=(len(y), 2))
    found = model.score_test(X, y, candidate, offset=offset)
    larger = np.column_stack([candidate, design(X)])
    g, H = derivatives(larger, y, np.append([0.0, 0.0], model.params_), offset, intercept=False)
    assert relative_error(found.statistic, g @ np.linalg.solve(H, g)) < 1e-8


def test_intervals_of_probabilities():
    model, X, _, offset = fitted("two classes")
    found, D = model.predict_interval(X, 0.9, offset=offset), design(X)
    eta = D @ model.params_ + offset
    s = np.sqrt(np.einsum("ij,jk,ik->i", D, model.covariance_, D))
    q = scipy.stats.norm.ppf(0.95)
    np.testing.assert_allclose(found["probability"], expit(eta), rtol=1e-9)
    np.testing.assert_allclose(found["lower"], expit(eta - q * s), rtol=1e-8)
    np.testing.assert_allclose(found["upper"], expit(eta + q * s), rtol=1e-8)


def test_intervals_of_probabilities_of_three_classes():
    model, X, _, offset = fitted("three classes")
    found = model.predict_interval(X[:5], 0.9, offset=offset[:5])
    for i in range(5):

        def log_odds(flat, i=i):
            p = softmax(flat.reshape(3, -1) @ np.append(X[i], 1.0) + offset[i])
            return np.log(p / (1 - p))

        odds, J = (
            log_odds(model.params_.ravel()),
            central_differences(log_odds, model.params_.ravel()),
        )
        s = np.sqrt(np.diag(J @ model.covariance_ @ J.T))
        q = scipy.stats.norm.ppf(0.95)
        for k in range(3):
            ours = found.iloc[i][k]
            # Differences have nine digits.
            np.testing.assert_allclose(ours["probability"], expit(odds[k]), rtol=1e-9)
            np.testing.assert_allclose(ours["upper"], expit(odds[k] + q * s[k]), rtol=1e-7)


@pytest.mark.parametrize("at", ["average", "means"])
@pytest.mark.parametrize("kind", ["two classes", "three classes"])
def test_marginal_effects_are_derivatives_of_mean_probabilities(kind, at):
    X, _, offset = problem(kind)
    X[:, 2] = X[:, 2] > 0
    y = problem(kind)[1]
    w = np.random.default_rng(6).uniform(0.5, 2.0, len(y))
    model = estimator(kind).fit(X, y, offset=offset)
    found = model.marginal_effects(X, at=at, sample_weight=w, offset=offset)

    def effects(flat, discrete):
        theta, added = by_class(flat.reshape(model.params_.shape), offset)
        rows, weights = X, w
        if at == "means":
            rows, added = (np.average(part, axis=0, weights=w)[None] for part in (X, added))
            weights = np.ones(1)

        def mean(Z):
            p = softmax(design(Z) @ theta.T + added, axis=1)
            return np.average(p, axis=0, weights=weights)

        columns = []
        for j in range(3):
            if discrete and j == 2:
                low, high = rows.copy(), rows.copy()
                low[:, j], high[:, j] = 0.0, 1.0
                columns.append(mean(high) - mean(low))
            else:
                shift = np.eye(1, 3, j)
                # Complex steps would be as good; a difference of 1e-4 has eight digits.
                columns.append((mean(rows + 1e-4 * shift) - mean(rows - 1e-4 * shift)) / 2e-4)
        table = np.array(columns).T
        return (table[1:] if len(table) == 2 else table).ravel()

    discrete = at == "average"
    if not discrete:
        found = model.marginal_effects(X, at=at, sample_weight=w, offset=offset, discrete=False)
    flat = model.params_.ravel()
    np.testing.assert_allclose(found["coefficient"], effects(flat, discrete), rtol=1e-6, atol=1e-8)
    J = central_differences(lambda at: effects(at, discrete), flat)
    errors = np.sqrt(np.diag(J @ model.covariance_ @ J.T))
    np.testing.assert_allclose(found["standard_error"], errors, rtol=1e-5)


def test_marginal_effects_at_rows():
    model, X, _, offset = fitted("two classes")
    found = model.marginal_effects(X, at="rows", offset=offset)
    p = expit(design(X) @ model.params_ + offset)
    np.testing.assert_allclose(found, np.outer(p * (1 - p), model.params_[:3]), rtol=1e-9)


# -- training rows ---------------------------------------------------------------------------------

NOT_OF_ROWS = {"fit", "score", "objective", "gradient", "hessian", "hessian_vector_product"}
NEEDED = {"candidate": np.cos(np.arange(200.0)), "restrictions": "x0 = 0", "vector": None}


def methods_of_training_rows():
    for kind in ("two classes", "three classes", "own loss", "own classes"):
        model = type(estimator(kind))
        for name, method in inspect.getmembers(model, inspect.isfunction):
            taken = inspect.signature(method).parameters
            if not hasattr(fitted(kind)[0], name):  # criterion_curve, of penalties that are chosen
                continue
            if name[0] != "_" and {"X", "y"} <= set(taken) and name not in NOT_OF_ROWS:
                yield kind, name


@pytest.mark.parametrize(("kind", "name"), list(methods_of_training_rows()))
def test_other_offsets_are_not_those_of_the_fit(kind, name):
    model, X, y, offset = fitted(kind)
    method = getattr(model, name)
    taken = inspect.signature(method).parameters
    assert "offset" in taken or "robust" in taken
    options = {key: value for key, value in NEEDED.items() if key in taken}
    if "g" in taken:
        options["g"] = lambda theta: theta.sum()
    if "kind" in taken or "robust" in taken:
        of_rows = "score" if kind.startswith("own") else "pearson"
        options["kind"] = "HC0" if name != "residuals" else of_rows
    if kind == "three classes" and name in (
        "influence",
        "likelihood_ratio_tests",
        "likelihood_profile",
        "profile_intervals",
        "score_intervals",
        "residuals",
        "score_test",
    ):
        return
    if kind == "three classes" and "restrictions" in options:
        options["restrictions"] = "`1:x0` = 0"
    method(X=X, y=y, offset=offset, **options)
    order = np.random.default_rng(7).permutation(len(y))
    again = {"X": X[order], "y": y[order], "offset": offset[order]}
    method(**again, **{k: v[order] if k == "candidate" else v for k, v in options.items()})
    with pytest.raises(ValueError, match="fitted with an offset"):
        method(X=X, y=y, **options)
    if name == "residuals":  # of any rows
        return
    exchanged = offset.copy()
    exchanged[[0, 1]] = offset[[1, 0]]
    slightly = offset.copy()
    slightly[3] += 1e-6
    for other in (offset[order], offset + 0.01, 0 * offset, exchanged, slightly):
        with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
            method(X=X, y=y, offset=other, **options)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss", "own classes"])
def test_an_offset_beside_no_rows_is_not_left_out_in_silence(kind):
    model, X, y, offset = fitted(kind)
    for call in (model.covariance, model.summary, model.confidence_intervals):
        with pytest.raises(ValueError, match="reads the training rows again"):
            call(offset=offset)
    without = estimator(kind).fit(X, y)
    with pytest.raises(ValueError, match="fitted without one"):
        without.covariance(X, y, kind="HC0", offset=offset)


@pytest.mark.parametrize("size", [1e3, 1e6])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss"])
def test_offsets_far_from_zero_are_no_other_rows(kind, size):
    """An intercept takes them back; the predictors have lost digits."""
    X, y, offset = problem(kind)
    far = offset + (size if offset.ndim == 1 else size * np.array([1.0, -1.0, 0.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = estimator(kind).fit(X, y, offset=far)
    near = estimator(kind).fit(X, y, offset=offset)
    # A fit of a loss of one's own ends when a step is 1e-8 of the length of the parameters, the
    # intercept of 1e6 among them: 1e-5 of a standard error were left.
    tolerance = 1e-5 if kind == "own loss" and size == 1e6 else 1e-9
    assert relative_error(model.coef_, near.coef_) < tolerance
    # As the training rows, in another order.
    order = np.random.default_rng(8).permutation(len(y))
    found = model.covariance(X[order], y[order], kind="HC0", offset=far[order])
    expected = near.covariance(X, y, kind="HC0", offset=offset)
    assert relative_error(found[:3, :3], expected[:3, :3]) < 10 * tolerance


def test_frames_keep_their_index():
    X, y, offset = problem("two classes")
    rows = pd.DataFrame(X, columns=list("abc"), index=[f"row {i}" for i in range(len(y))])
    series = pd.Series(offset, index=rows.index)
    model = LogisticRegression(C=np.inf).fit(rows, y, offset=series)
    assert list(model.influence(rows, y, offset=series).index) == list(rows.index)
    assert list(model.predict_interval(rows, offset=series).index) == list(rows.index)
    with pytest.raises(ValueError, match="another order"):
        model.predict_interval(rows, offset=series[::-1])
    with pytest.raises(ValueError, match="another order"):
        model.marginal_effects(rows, offset=series[::-1])


def test_every_public_method_of_rows_takes_an_offset():
    """Or it is one of those that take other data."""
    others = {"set_callbacks"}
    for model in (LogisticRegression, ObjectiveRegressor, ObjectiveClassifier):
        for name in dir(model):
            method = inspect.getattr_static(model, name)
            method = getattr(method, "method", method)  # those that not all parameters allow
            if name[0] == "_" or not inspect.isfunction(method) or name in others:
                continue
            taken = inspect.signature(method).parameters
            if "X" in taken:
                assert "offset" in taken or "robust" in taken, (model.__name__, name)
