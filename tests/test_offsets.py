"""Offsets of LogisticRegression and of own losses: against brute force, peers and laws."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from scipy import sparse
from scipy.special import expit, log_softmax, softmax
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import RankDeficiencyWarning
from mcmodels.solvers import irls
from tests.numerics import central_differences, relative_error

LOSS = "softplus(eta) - y*eta"
KINDS = ("two classes", "three classes", "own loss", "own classes")


def estimator(kind, C=np.inf, **options):
    if kind.startswith("own"):
        alpha = {} if C == np.inf else {"alpha": 1 / C}
        options = {"log_likelihood": True, **alpha, **options}
        if kind == "own loss":
            return ObjectiveRegressor(LOSS, **options)
        return ObjectiveClassifier(LOSS, inverse_link="sigmoid(eta)", **options)
    return LogisticRegression(C=C, **options)


def drawn(kind, X, rng, size=1.5):
    """Classes of rows, and an offset that explains a part of them."""
    dense = X[:, :3].toarray() if sparse.issparse(X) else np.asarray(X[:, :3], dtype=float)
    standard = (dense - dense.mean(axis=0)) / dense.std(axis=0)
    n = len(dense)
    if kind == "three classes":
        offset = size * rng.normal(size=(n, 3))
        eta = np.column_stack([standard[:, 0], -standard[:, 1], 0.5 * standard[:, 2]]) + offset
        return (eta + rng.gumbel(size=(n, 3))).argmax(axis=1), offset
    offset = size * rng.normal(size=n)
    eta = standard @ [1.0, -0.5, 0.3] - 0.4 + offset
    return (eta + rng.logistic(size=n) > 0).astype(int), offset


def problem(kind, n=200, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, *drawn(kind, X, rng)


def design(X, intercept=True):
    dense = X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)
    return np.column_stack([dense, np.ones(len(dense))]) if intercept else dense


def by_class(params, offset):
    """Parameters and offsets with a row and a column for each class."""
    if np.ndim(params) == 2:
        return params, offset
    return np.stack([np.zeros_like(params), params]), np.column_stack([0 * offset, offset])


def derivatives(D, y, params, offset, weights=None, penalty=0.0, intercept=True):
    """Gradient and Hessian of the objective, by their formulas: (K, P) and (KP, KP).

    For two classes those of the second.
    """
    theta, added = by_class(params, offset)
    (K, P), w = theta.shape, np.ones(len(D)) if weights is None else weights
    p = softmax(D @ theta.T + added, axis=1)
    slopes = w[:, np.newaxis] * (p - np.eye(K)[y])
    curved = np.full(P, penalty)
    curved[P - 1 if intercept else P :] = 0.0
    gradient = slopes.T @ D + curved * theta
    hessian = np.zeros((K, P, K, P))
    for k in range(K):
        for j in range(K):
            hessian[k, :, j] = (D.T * (w * p[:, k] * ((k == j) - p[:, j]))) @ D
        hessian[k, :, k] += np.diag(curved)
    if np.ndim(params) == 1:
        return gradient[1], hessian[1, :, 1]
    return gradient, hessian.reshape(K * P, K * P)


def step_left(X, y, params, offset, weights=None, penalty=0.0, intercept=True):
    """The length of Newton's step in standard errors, ``√(gᵀH⁺g)``, of a second derivation."""
    D = design(X, intercept)
    centre = D[:, : D.shape[1] - intercept].mean(axis=0) if intercept else 0.0
    # Columns of unit length about the mean: another basis of the same parameters.
    g, H = derivatives(D, y, params, offset, weights, penalty, intercept)
    A = np.eye(D.shape[1])
    if intercept:
        A[-1, :-1] = -centre
    A = A / np.linalg.norm(D @ A, axis=0)
    A = np.kron(np.eye(H.shape[0] // len(A)), A)
    g, H = A.T @ g.ravel(), A.T @ H @ A
    values, vectors = np.linalg.eigh(H)
    kept = values > 1e-13 * values.max()
    return float(np.sqrt(np.sum((vectors[:, kept].T @ g) ** 2 / values[kept])))


def brute(X, y, offset, K):
    """Contrasts with the first class that solve the score equations, by MINPACK."""
    D = design(X)
    added = offset if K > 2 else np.column_stack([0 * offset, offset])

    def scores(flat):
        theta = np.vstack([np.zeros(D.shape[1]), flat.reshape(K - 1, -1)])
        p = softmax(D @ theta.T + added, axis=1)
        return ((p - np.eye(K)[y]).T @ D)[1:].ravel()

    found = scipy.optimize.root(scores, np.zeros((K - 1) * D.shape[1]), tol=1e-14)
    return found.x.reshape(K - 1, -1)


# -- the fit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_brute_force(kind, seed):
    X, y, offset = problem(kind, seed=seed)
    model = estimator(kind).fit(X, y, offset=offset)
    K = y.max() + 1
    params = model.params_ if K > 2 else np.stack([0 * model.params_, model.params_])
    # MINPACK stops at 1e-14 of the parameters; Newton's method at 1e-8 before its last step.
    assert relative_error((params - params[0])[1:], brute(X, y, offset, K)) < 1e-9
    if K > 2:
        np.testing.assert_allclose(params.sum(axis=0), 0.0, atol=1e-12)
    else:
        glm = GeneralizedLinearRegressor("binomial").fit(X, y, offset=offset)
        assert relative_error(model.params_, glm.params_) < 1e-9
        assert relative_error(model.covariance_, glm.covariance_) < 1e-9
        assert relative_error(model.log_likelihood_, glm.log_likelihood_) < 1e-12


def many(rng, p=10):
    return rng.normal(size=(60_000, p))


def ill_conditioned(rng, n, gap):
    Z = rng.normal(size=(n, 10))
    Z[:, 3:] = Z[:, :1] + gap * Z[:, 3:]
    return Z


# Data that lead a fit through each of its routes, and what it must have called on the way.
ROUTES = {
    "few rows": (lambda rng: rng.normal(size=(300, 4)), {}, None),
    "many rows": (many, {}, "approach"),
    "many rows, penalised": (many, {"C": 0.1}, "approach"),
    "many rows, no intercept": (many, {"fit_intercept": False}, "approach"),
    "many rows, nearly dependent": (
        lambda rng: ill_conditioned(rng, 60_000, 1e-5),
        {},
        "white_coordinates",
    ),
    "many rows, far from zero": (lambda rng: many(rng) + 1e5, {}, "approach"),
    "nearly dependent": (
        lambda rng: ill_conditioned(rng, 500, 1e-6),
        {},
        "orthonormal_coordinates",
    ),
    "far from zero": (lambda rng: rng.normal(size=(300, 4)) + 1e7, {}, None),
    "dependent": (
        lambda rng: np.tile(rng.normal(size=(300, 4)), 2),
        {},
        "orthonormal_coordinates",
    ),
    "fewer rows than columns": (
        lambda rng: rng.normal(size=(50, 120)),
        {"C": 1.0},
        "row_space_coordinates",
    ),
    "sparse": (
        lambda rng: sparse.random_array((60_000, 20), density=0.3, format="csr", rng=rng),
        {},
        "approach",
    ),
    "float32": (lambda rng: many(rng).astype(np.float32), {}, "approach"),
    "by columns": (lambda rng: np.asfortranarray(many(rng)), {}, "approach"),
    "conjugate gradients": (
        lambda rng: rng.normal(size=(300, 4)),
        {"solver": "newton-cg"},
        "newton_cg_iterates",
    ),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss"])
def test_every_route_of_a_fit_has_the_offset(kind, route, monkeypatch):
    made, options, called = ROUTES[route]
    if kind == "own loss" and "solver" in options:
        return
    rng = np.random.default_rng(0)
    X = made(rng)
    y, offset = drawn(kind, X, rng)
    calls = []
    if called is not None:
        original = getattr(irls, called)

        def spy(*args, **kwargs):
            found = original(*args, **kwargs)
            calls.append(found is not None)
            return found

        monkeypatch.setattr(irls, called, spy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        model = estimator(kind, **options).fit(X, y, offset=offset)
    assert called is None or any(calls)
    assert model.status_ == ("rank deficient" if route == "dependent" else "converged")
    penalty = 1 / options.get("C", np.inf)
    intercept = options.get("fit_intercept", True)
    # A converged fit leaves 3e-7 of a standard error at the most (solvers/fit_state.py), and 1e-8
    # of the length of all parameters; that is up to 2e-6 with 60,000 rows.
    left = step_left(X, y, model.params_, offset, None, penalty, intercept)
    assert left < 5e-6
    # Without the offset, the same step is long: the check sees what it should.
    assert step_left(X, y, model.params_, 0 * offset, None, penalty, intercept) > 0.5
    eta = model.decision_function(X, offset=offset) if kind != "own loss" else None
    if eta is not None:
        D = design(X, intercept)
        expected = D @ np.atleast_2d(model.params_).T
        expected = (expected[:, 0] if kind == "two classes" else expected) + offset
        # float32 rows have predictions in float32; columns far from zero lose 8 digits.
        tolerance = 1e-6 if eta.dtype == np.float32 else 1e-8
        np.testing.assert_allclose(eta, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["two classes", "own loss"])
def test_more_parameters_than_a_hessian_is_formed_for(kind):
    rng = np.random.default_rng(0)
    n, p = 9000, 8300
    X = sparse.random_array((n, p), density=1e-3, format="csr", rng=rng)
    offset = rng.normal(size=n)
    y = (X[:, :50].sum(axis=1) + offset + rng.logistic(size=n) > 0).astype(int)
    model = estimator(kind, C=1.0).fit(X, y, offset=offset)
    assert model.solver_ == "newton-cg"
    assert model.converged_
    coef, intercept = model.params_[:-1], model.params_[-1]
    r = expit(X @ coef + intercept + offset) - y
    # The tolerance of the fit, 1e-8 of the total weight.
    assert np.abs(X.T @ r + coef).max() <= 1e-8 * n
    assert abs(r.sum()) <= 1e-8 * n


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_is_a_column_with_a_known_coefficient(kind):
    X, y, offset = problem(kind)
    free = estimator(kind).fit(X, y, offset=offset)
    coef = free.params_[..., 2]
    known = offset + (np.outer(X[:, 2], coef) if coef.ndim else coef * X[:, 2])
    held = estimator(kind).fit(X[:, :2], y, offset=known)
    # Where a coefficient is held at its estimate, the others are theirs.
    assert relative_error(held.params_, np.delete(free.params_, 2, axis=-1)) < 1e-8
    assert relative_error(held.log_likelihood_, free.log_likelihood_) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_offset_moves_the_intercept_alone(kind):
    X, y, offset = problem(kind)
    moved = np.array([0.3, -1.0, 0.7]) if kind == "three classes" else 2.5
    first = estimator(kind).fit(X, y, offset=offset)
    second = estimator(kind).fit(X, y, offset=offset + moved)
    expected = first.params_.copy()
    expected[..., -1] -= moved - np.mean(moved) if kind == "three classes" else moved
    assert relative_error(second.params_, expected) < 1e-8
    zeros = estimator(kind).fit(X, y, offset=np.zeros_like(offset))
    np.testing.assert_allclose(zeros.params_, estimator(kind).fit(X, y).params_, rtol=1e-9)


def test_the_same_number_for_all_classes_changes_nothing():
    X, y, offset = problem("three classes")
    shift = 5 * np.random.default_rng(1).normal(size=(len(y), 1))
    for C in (np.inf, 1.0):
        first = LogisticRegression(C=C).fit(X, y, offset=offset)
        second = LogisticRegression(C=C).fit(X, y, offset=offset + shift)
        assert relative_error(second.params_, first.params_) < 1e-9
        assert relative_error(second.covariance_, first.covariance_) < 1e-8
        assert relative_error(second.null_log_likelihood_, first.null_log_likelihood_) < 1e-12
        proba = [
            m.predict_proba(X, offset=o) for m, o in ((first, offset), (second, offset + shift))
        ]
        np.testing.assert_allclose(*proba, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_of_two_is_a_row_twice_and_a_weight_of_zero_an_absent_row(kind):
    X, y, offset = problem(kind)
    times = np.arange(len(y)) % 3
    weighted = estimator(kind, C=2.0).fit(X, y, times, offset=offset)
    rows = [np.repeat(part, times, axis=0) for part in (X, y, offset)]
    repeated = estimator(kind, C=2.0).fit(*rows[:2], offset=rows[2])
    assert relative_error(weighted.params_, repeated.params_) < 1e-9
    assert relative_error(weighted.covariance_, repeated.covariance_) < 1e-8


def test_class_weights_are_weights_of_rows():
    X, y, offset = problem("three classes")
    factors = {0: 1.0, 1: 2.0, 2: 0.5}
    weights = np.array([factors[k] for k in y.tolist()])
    one = LogisticRegression(C=np.inf, class_weight=factors).fit(X, y, offset=offset)
    other = LogisticRegression(C=np.inf).fit(X, y, weights, offset=offset)
    assert relative_error(one.params_, other.params_) < 1e-9
    assert relative_error(one.null_log_likelihood_, other.null_log_likelihood_) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_warm_starts_end_at_the_same_fit(kind):
    X, y, offset = problem(kind)
    cold = estimator(kind).fit(X, y, offset=offset)
    warm = estimator(kind, warm_start=True).fit(X, y, offset=offset)
    first = np.max(warm.n_iter_)
    warm.fit(X, y, offset=offset)
    assert np.max(warm.n_iter_) < first
    assert relative_error(warm.params_, cold.params_) < 1e-9


# -- derivatives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_derivatives_are_those_of_the_objective(kind, intercept, storage):
    X, y, offset = problem(kind, n=60)
    given, w = storage(X), np.random.default_rng(2).uniform(0.5, 2.0, 60)
    model = estimator(kind, C=3.0, fit_intercept=intercept).fit(given, y, w, offset=offset)
    options = {"sample_weight": w, "offset": offset}
    # At zero, where the curvature of all rows would be the same without an offset, and elsewhere.
    for point in (np.zeros_like(model.params_), model.params_ + 0.3):
        gradient = model.gradient(given, y, point, **options)
        found = central_differences(lambda at: model.objective(given, y, at, **options), point)
        # Five-point differences have nine digits.
        assert relative_error(gradient, found) < 1e-8
        H = model.hessian(given, y, point, **options)
        found = central_differences(lambda at: model.gradient(given, y, at, **options), point)
        assert relative_error(H, found.reshape(H.shape)) < 1e-8
        v = np.cos(np.arange(point.size)).reshape(point.shape)
        product = model.hessian_vector_product(given, y, point, vector=v, **options)
        assert relative_error(product.ravel(), H @ v.ravel()) < 1e-12
    g, H = derivatives(design(X, intercept), y, model.params_, offset, w, 1 / 3, intercept)
    assert relative_error(model.hessian_, H) < 1e-10
    # The gradient at the fit is rounding: by the sum of the weights.
    np.testing.assert_allclose(model.gradient_, g, atol=1e-10 * w.sum())


# -- likelihoods -----------------------------------------------------------------------------------


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", ["two classes", "three classes"])
def test_null_models_have_the_offset(kind, intercept):
    X, y, offset = problem(kind)
    w = np.random.default_rng(3).uniform(0.0, 2.0, len(y))
    model = LogisticRegression(C=np.inf, fit_intercept=intercept).fit(X, y, w, offset=offset)
    _, added = by_class(model.params_, offset)

    def log_likelihood(eta):
        return float(w @ log_softmax(eta + added, axis=1)[np.arange(len(y)), y])

    K = added.shape[1]
    theta = by_class(model.params_, offset)[0]
    assert (
        relative_error(model.log_likelihood_, log_likelihood(design(X, intercept) @ theta.T))
        < 1e-12
    )
    least = scipy.optimize.minimize(
        lambda b: -log_likelihood(np.append(0.0, b)), np.zeros(K - 1), method="BFGS", tol=1e-9
    )
    # At a minimum the value has twice as many digits as the point.
    assert relative_error(model.null_log_likelihood_, -least.fun) < 1e-11
    null = model.null_log_likelihood_
    assert relative_error(model.mcfadden_r_squared_, 1 - model.log_likelihood_ / null) < 1e-12
    if intercept:
        test = model.likelihood_ratio_test_
        assert test.df == 3 * (K - 1)
        assert relative_error(test.statistic, 2 * (model.log_likelihood_ - null)) < 1e-12
    assert f"{null:.6g}" in str(model.summary())


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("size", [10.0, 100.0, 1e4])
@pytest.mark.parametrize("kind", ["two classes", "three classes"])
def test_null_models_beside_steep_offsets(kind, size):
    """Newton's step from the shares of the classes means nothing there."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 2))
    y = rng.integers(0, 3 if kind == "three classes" else 2, 400)
    offset = size * rng.normal(size=(400, 3) if kind == "three classes" else 400)
    model = LogisticRegression(C=1.0).fit(X, y, offset=offset)
    _, added = by_class(model.params_, offset)

    def loss(b):
        return -log_softmax(added + np.append(0.0, b), axis=1)[np.arange(400), y].sum()

    # The loss is convex, and nearly piecewise linear: search without derivatives.
    start, options = np.zeros(added.shape[1] - 1), {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 10**4}
    for _ in range(4):
        found = scipy.optimize.minimize(loss, start, method="Nelder-Mead", options=options)
        start = found.x
    assert model.null_log_likelihood_ >= -found.fun * (1 + 1e-12)
    assert relative_error(model.null_log_likelihood_, -found.fun) < 1e-8


def test_nested_models_need_the_same_offset():
    X, y, offset = problem("three classes")
    big = LogisticRegression(C=np.inf).fit(X, y, offset=offset)
    small = LogisticRegression(C=np.inf).fit(X[:, :2], y, offset=offset)
    gain = 2 * (big.log_likelihood_ - small.log_likelihood_)
    assert relative_error(likelihood_ratio_test(small, big).statistic, gain) < 1e-12
    for other in (None, offset + 0.1, np.roll(offset, 1, axis=0), offset[:, ::-1]):
        small = LogisticRegression(C=np.inf).fit(X[:, :2], y, offset=other)
        with pytest.raises(ValueError, match="different offsets"):
            likelihood_ratio_test(small, big)


# -- storage, copies, routing ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_clones_and_lists(kind):
    X, y, offset = problem(kind)
    model = estimator(kind).fit(X, y, offset=offset)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X, offset=offset), model.predict(X, offset=offset))
    assert str(again.summary()) == str(model.summary())
    with pytest.raises(ValueError, match="fitted with an offset"):
        again.predict(X)
    fresh = clone(model).fit(X.tolist(), y.tolist(), offset=offset.tolist())
    np.testing.assert_array_equal(fresh.params_, model.params_)
    score = model.score(X, y, offset=offset)
    assert score == fresh.score(X.tolist(), y.tolist(), offset=offset.tolist())


@pytest.mark.parametrize("kind", ["two classes", "three classes", "own classes"])
def test_predictions_of_float32_rows_are_float32(kind):
    X, y, offset = problem(kind)
    single = X.astype(np.float32)
    model = estimator(kind).fit(single, y, offset=offset)
    for method in ("decision_function", "predict_proba"):
        found = getattr(model, method)(single, offset=offset)
        wide = getattr(model, method)(single.astype(float), offset=offset)
        assert found.dtype == np.float32
        # The linear predictor is rounded once, to 6e-8 of it.
        np.testing.assert_allclose(found, wide, rtol=1e-5, atol=1e-6)


def test_predictions_are_those_of_the_probabilities():
    X, y, offset = problem("three classes")
    labels = np.array(["a", "b", "c"])[y]
    model = LogisticRegression(C=np.inf).fit(X, labels, offset=offset)
    eta = design(X) @ model.params_.T + offset
    options = {"offset": offset}
    np.testing.assert_allclose(model.decision_function(X, **options), eta, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X, **options), softmax(eta, axis=1), rtol=1e-11)
    logarithms = model.predict_log_proba(X, **options)
    np.testing.assert_allclose(logarithms, log_softmax(eta, axis=1), rtol=1e-11, atol=1e-14)
    predicted = model.predict(X, **options)
    np.testing.assert_array_equal(predicted, np.array(["a", "b", "c"])[eta.argmax(axis=1)])
    w = np.random.default_rng(0).uniform(size=len(y))
    share = w[predicted == labels].sum() / w.sum()
    assert abs(model.score(X, labels, w, offset=offset) - share) < 1e-12


def test_assigned_coefficients_predict_with_an_offset():
    X, y, offset = problem("two classes")
    fitted = LogisticRegression(C=np.inf).fit(X, y, offset=offset)
    model = LogisticRegression()
    model.coef_, model.intercept_, model.classes_ = fitted.coef_, fitted.intercept_, fitted.classes_
    expected = fitted.predict_proba(X, offset=offset)
    np.testing.assert_array_equal(model.predict_proba(X, offset=offset), expected)
    model.predict_proba(X)


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_are_routed_through_pipelines_and_searches(kind):
    import sklearn
    from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y, offset = problem(kind)
    folds, strength = KFold(3), "alpha" if kind.startswith("own") else "C"
    with sklearn.config_context(enable_metadata_routing=True):
        model = estimator(kind).set_fit_request(offset=True).set_score_request(offset=True)
        scores = cross_val_score(model, X, y, cv=folds, params={"offset": offset})
        pipeline = make_pipeline(StandardScaler(), model)
        grid = {f"{type(model).__name__.lower()}__{strength}": [0.1, 10.0]}
        search = GridSearchCV(pipeline, grid, cv=folds).fit(X, y, offset=offset)
    for (train, test), score in zip(folds.split(X), scores, strict=True):
        alone = estimator(kind).fit(X[train], y[train], offset=offset[train])
        assert abs(alone.score(X[test], y[test], offset=offset[test]) - score) < 1e-12
    best = search.best_estimator_[-1]
    again = clone(best).fit(search.best_estimator_[0].transform(X), y, offset=offset)
    np.testing.assert_array_equal(again.params_, best.params_)


# -- refusals --------------------------------------------------------------------------------------

REFUSED = [
    ("two classes", lambda o: o[:-1], "offset has shape"),
    ("two classes", lambda o: np.column_stack([o, o]), "offset has shape"),
    ("three classes", lambda o: o[:, 0], r"shape \(200, 3\)"),
    ("three classes", lambda o: o[:, :2], r"classes 0, 1, 2"),
    ("three classes", lambda o: np.where(o == o.max(), np.nan, o), "offset"),
    ("own loss", lambda o: np.where(o == o.max(), np.inf, o), "offset"),
    ("own classes", lambda o: "text", "offset"),
    (
        "three classes",
        lambda o: pd.DataFrame(o, columns=[2, 0, 1]),
        "columns are taken by position",
    ),
    ("two classes", lambda o: pd.Series(o)[::-1], "another order"),
    ("own loss", lambda o: pd.Series(o)[::-1], "another order"),
]


@pytest.mark.parametrize(("kind", "changed", "said"), REFUSED)
def test_refused(kind, changed, said):
    X, y, offset = problem(kind)
    with pytest.raises((ValueError, TypeError), match=said):
        estimator(kind).fit(pd.DataFrame(X), y, offset=changed(offset))
    model = estimator(kind).fit(pd.DataFrame(X), y, offset=offset)
    calls = [lambda o: model.predict(pd.DataFrame(X), offset=o)]
    calls.append(lambda o: model.score(pd.DataFrame(X), y, offset=o))
    calls.append(lambda o: model.gradient(pd.DataFrame(X), y, offset=o))
    calls.append(lambda o: model.covariance(pd.DataFrame(X), y, kind="HC0", offset=o))
    for call in calls:
        call(offset)
        with pytest.raises((ValueError, TypeError), match=said):
            call(changed(offset))


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_beside_streams_and_missing_ones_are_refused(kind):
    X, y, offset = problem(kind)
    stream = RowStream([(X[:100], y[:100]), (X[100:], y[100:])])
    model = estimator(kind).fit(X, y, offset=offset)
    cases = [((stream,), ValueError, "offset was given together with a RowStream")]
    try:
        import dask.array as da
    except ImportError:
        pass
    else:
        given = da.from_array(X, chunks=(50, 3)), da.from_array(y, chunks=50)
        cases.append((given, TypeError, "offset is a ndarray, and X a collection of Dask"))
    for rows, error, said in cases:
        with pytest.raises(error, match=said):
            estimator(kind).fit(*rows, offset=offset)
        for name in ("objective", "gradient", "covariance", "score", "summary"):
            with pytest.raises(error, match=said):
                getattr(model, name)(*rows, offset=offset)
            with pytest.raises(ValueError, match="fitted with an offset"):
                getattr(model, name)(*rows)
        for name in ("predict", "predict_proba", "decision_function"):
            if hasattr(model, name):
                with pytest.raises(error, match=said):
                    getattr(model, name)(rows[0], offset=offset)
                with pytest.raises(ValueError, match="fitted with an offset"):
                    getattr(model, name)(rows[0])
