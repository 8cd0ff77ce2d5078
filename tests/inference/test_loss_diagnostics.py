"""Residuals and influence of own losses: against models that have them, and refits."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    results,
)
from mcmodels.exceptions import FewCurvedRowsWarning, InferenceError, LeverageWarning

KINDS = ("frequency", "precision", "probability")
POISSON = "exp(eta) - y*eta"
# Two fits of one problem, each to a negligible step of Newton's method.
FITS = {"rtol": 1e-7, "atol": 1e-10}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(50, 3, 70), "b": rng.normal(size=70)}, rng.permutation(70))
    eta, offset = 0.1 * (X["a"] - 50) + 0.5 * X["b"], rng.uniform(-0.5, 0.5, 70)
    return X, rng.poisson(np.exp(eta + offset + 0.5)), rng.uniform(0.5, 2, 70), offset


def shared(found, expected, names):
    pd.testing.assert_frame_equal(found[names], expected[names], **FITS)


@pytest.mark.parametrize("weights", KINDS)
def test_counts_have_the_influence_of_the_generalized_linear_model(data, weights):
    X, y, w, offset = data
    given = {"sample_weight": w, "offset": offset}
    own = ObjectiveRegressor(POISSON, log_likelihood=True, weights=weights).fit(X, y, **given)
    peer = GeneralizedLinearRegressor("poisson", weights=weights).fit(X, y, **given)
    found, expected = own.influence(X, y, **given), peer.influence(X, y, **given)
    shared(found, expected, [name for name in found if name != "score_residual"])
    shared(results(own).influence(X, y, **given), found, list(found))
    # With the canonical link the score is the response residual.
    unit = 70 / w.sum() if weights == "probability" else 1.0
    response = peer.residuals(X, y, kind="response", offset=offset)
    np.testing.assert_allclose(found["score_residual"], np.sqrt(unit * w) * response, **FITS)


@pytest.mark.parametrize("penalty", [0.0, 0.8])
def test_classes_have_that_of_logistic_regression(data, penalty):
    X, y, w, _ = data
    y = (y > 1).astype(int)
    own = ObjectiveClassifier("softplus(eta) - y*eta", alpha=penalty, log_likelihood=True)
    peer = LogisticRegression(C=1 / penalty if penalty else np.inf)
    found, expected = (model.fit(X, y, w).influence(X, y, w) for model in (own, peer))
    shared(found, expected, [name for name in found if name in expected])


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("factor", [0.5, 40.0])
def test_squared_errors_have_that_of_least_squares_in_any_unit(data, weights, factor):
    X, y, w, _ = data
    found = ObjectiveRegressor(f"{factor}*(y - eta)**2", weights=weights).fit(X, y, w)
    expected = LinearRegression(weights=weights).fit(X, y, w).influence(X, y, w)
    found = found.influence(X, y, w)
    shared(found, expected, ["leverage", "standardized_residual", "cooks_distance"])
    if weights == "frequency":
        return
    # Least squares divide by the noise without the row; R's σ̂²₍ᵢ₎ (n - P - 1) = σ̂²(n - P - r²).
    without = np.sqrt((67 - expected["standardized_residual"] ** 2) / 66)
    np.testing.assert_allclose(found["dfbetas_b"], expected["dfbetas_b"] * without, **FITS)


LOSSES = {
    "pseudo-Huber": ("sqrt(1 + (y - eta)**2)", ObjectiveRegressor),
    "counts": (POISSON, ObjectiveRegressor),
    "function": (lambda y, eta: np.exp(eta) - y * eta, ObjectiveRegressor),
    "classes": ("softplus(eta) - y*eta", ObjectiveClassifier),
    "Cauchy": ("log(4 + (y - eta)**2)", ObjectiveRegressor),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_one_newton_step_is_near_the_refit_without_the_row(name, alpha):
    """The error of a step is of second order in the change: it falls fourfold as n doubles."""
    loss, kind = LOSSES[name]
    errors = []
    for n in (100, 400):
        rng = np.random.default_rng(n)
        X = rng.uniform(-1, 1, (n, 2))
        eta = X @ [1.0, -0.5] + 0.3
        y = {
            ObjectiveClassifier: lambda: (rng.uniform(size=n) < expit(eta)).astype(int),  # noqa: B023
        }.get(kind, lambda: rng.poisson(np.exp(eta)))()  # noqa: B023
        options = {"alpha": alpha, "tol": 1e-12}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the loss that is not convex
            model = kind(loss, **options, log_likelihood=True).fit(X, y)
            table = model.influence(X, y)
            changes = table.filter(like="dfbetas").to_numpy() * np.sqrt(
                np.diag(np.linalg.inv(model.hessian_))
            )
            chosen = np.argsort(-table["cooks_distance"].to_numpy())[:20]
            true = np.empty((20, 3))
            for k, i in enumerate(chosen):
                keep = np.arange(n) != i
                true[k] = model.params_ - kind(loss, **options).fit(X[keep], y[keep]).params_
        errors.append(np.abs(changes[chosen] - true).max())
        assert errors[-1] < 0.15 * np.abs(true).max()
        metric = np.einsum("ij,jk,ik->i", changes, model.hessian_, changes) / 3
        np.testing.assert_allclose(table["cooks_distance"], metric, rtol=1e-9)
    # 16 times smaller on average; maxima over rows vary.
    assert errors[1] < errors[0] / 4


@pytest.mark.parametrize("weighted", [False, True])
def test_the_step_is_that_of_newton_without_the_row(data, weighted):
    """From θ̂, with the Hessian of the other rows, in dense formulas."""
    X, y, w, _ = data
    w = w if weighted else np.ones(70)
    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)", tol=1e-13, log_likelihood=True)
    model.fit(X, y, w)
    table, Z = model.influence(X, y, w), np.column_stack([X, np.ones(70)])
    r = y - Z @ model.params_
    slope, curvature = -r / np.sqrt(1 + r**2), (1 + r**2) ** -1.5
    scale = np.sqrt(np.diag(np.linalg.inv(model.hessian_)))
    for i in range(0, 70, 7):
        H = (Z.T * (w * curvature)) @ Z - w[i] * curvature[i] * np.outer(Z[i], Z[i])
        step = -np.linalg.solve(H, w[i] * slope[i] * Z[i])  # θ̂ - θ̂₍ᵢ₎
        # Columns about 50: a condition of 1e5.
        np.testing.assert_allclose(
            table.filter(like="dfbetas").to_numpy()[i], step / scale, rtol=1e-7, atol=1e-9
        )
        leverage = w[i] * curvature[i] * Z[i] @ np.linalg.solve(model.hessian_, Z[i])
        assert np.isclose(table["leverage"].to_numpy()[i], leverage, rtol=1e-7)


@pytest.mark.parametrize("weights", KINDS)
def test_residuals_are_those_of_the_generalized_linear_model(data, weights):
    X, y, w, offset = data
    given = {"sample_weight": w, "offset": offset}
    options = {"inverse_link": "exp(eta)", "weights": weights}
    own = ObjectiveRegressor(POISSON, **options).fit(X, y, **given)
    peer = GeneralizedLinearRegressor("poisson", weights=weights).fit(X, y, **given)
    for kind in ("working", "response"):
        found, expected = (m.residuals(X, y, **given, kind=kind) for m in (own, peer))
        np.testing.assert_allclose(found, expected, **FITS)
    response = peer.residuals(X, y, kind="response", offset=offset)
    root = np.sqrt(w) if weights == "precision" else 1.0
    np.testing.assert_allclose(own.residuals(X, y, **given), root * response, **FITS)
    # At the fit the scores are orthogonal to the columns: rounding of sums of 70 terms.
    scores = own.residuals(X, y, offset=offset) * w
    assert np.abs(X.to_numpy().T @ scores).max() < 1e-8


def test_residuals_of_classes(data):
    X, y, _, _ = data
    labels = np.where(y > 1, "many", "few")
    model = ObjectiveClassifier("softplus(eta) - y*eta").fit(X, labels)
    p = expit(model.decision_function(X))
    np.testing.assert_allclose(model.residuals(X, labels), (y > 1) - p, atol=1e-14)
    with pytest.raises(InferenceError, match="set inverse_link"):
        model.residuals(X, labels, kind="response")
    model.set_params(inverse_link="sigmoid(eta)").fit(X, labels)
    np.testing.assert_allclose(model.residuals(X, labels, kind="response"), (y > 1) - p, atol=1e-14)
    with pytest.raises(ValueError, match="kind"):
        model.residuals(X, labels, kind="deviance")


def test_rows_without_curvature_are_told():
    X = np.linspace(-2, 2, 12)[:, np.newaxis]
    y = (X[:, 0] > 0.2).astype(int)
    y[3] = 1
    model = ObjectiveClassifier("relu(1 - (2*y - 1)*eta)**2", alpha=0.1).fit(X, y)
    # Outside the margin loss and slope are zero, and so is the residual.
    outside = np.maximum(1 - (2 * y - 1) * model.decision_function(X), 0) == 0
    assert outside.any()
    assert (model.residuals(X, y, kind="working")[outside] == 0).all()
    assert (model.influence(X, y)["cooks_distance"][outside] == 0).all()
    rng = np.random.default_rng(0)
    Z, far = rng.normal(size=(40, 1)), rng.normal(size=40)
    far[0] = 8.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loss is not convex
        cauchy = ObjectiveRegressor("log(1 + (y - eta)**2)").fit(Z, far)
    with pytest.warns(FewCurvedRowsWarning, match="in [0-9]+ of 40 rows"):
        found = cauchy.residuals(Z, far, kind="working")
    assert np.isnan(found[0])
    with pytest.warns(FewCurvedRowsWarning, match="score_residual"):
        table = cauchy.influence(Z, far)
    assert np.isnan(table["standardized_residual"][0])
    assert np.isfinite(table["cooks_distance"]).all()
    assert table["leverage"][0] < 0


def test_weights_of_zero_streams_storages_and_offsets(data):
    X, y, w, offset = data
    w = w.copy()
    w[5] = 0.0
    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)").fit(X, y, w, offset=offset)
    table = model.influence(X, y, w, offset=offset)
    assert list(table.index) == list(X.index)
    assert table.iloc[5][["leverage", "cooks_distance", "dfbetas_a"]].tolist() == [0, 0, 0]
    values = X.to_numpy()

    def blocks():
        for k in range(0, 70, 20):
            part = slice(k, k + 20)
            yield values[part], y[part], w[part], offset[part]

    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)").fit(values, y, w, offset=offset)
    expected = model.influence(values, y, w, offset=offset)
    np.testing.assert_allclose(expected, table, rtol=1e-9, atol=1e-12)
    for found in (
        model.influence(RowStream(blocks)),
        model.influence(sparse.csr_matrix(values), y, w, offset=offset),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    residuals = model.residuals(values, y, w, offset=offset)
    np.testing.assert_allclose(model.residuals(RowStream(blocks)), residuals, rtol=1e-12)
    with pytest.raises(ValueError, match="pass that of"):
        model.influence(values, y, w)
    with pytest.raises(ValueError, match="rows"):
        model.influence(values[:-1], y[:-1], w[:-1], offset=offset[:-1])


def test_dask_collections_are_computed_when_asked(data):
    da = pytest.importorskip("dask.array")
    X, y, w, offset = data
    values = X.to_numpy()
    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)").fit(values, y, w, offset=offset)

    def chunked(array):
        return da.from_array(np.asarray(array), chunks=(20, *np.shape(array)[1:]))

    given = [chunked(part) for part in (values, y, w)]
    added = chunked(offset)
    lazy = model.influence(*given, offset=added)
    expected = model.influence(values, y, w, offset=offset)
    np.testing.assert_allclose(lazy.compute().to_numpy(), expected, rtol=1e-9, atol=1e-12)
    found = model.residuals(*given, offset=added)
    expected = model.residuals(values, y, w, offset=offset)
    np.testing.assert_allclose(found.compute(), expected, rtol=1e-12)


def test_dependent_columns_and_single_rows():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 2))
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    y = rng.poisson(2.0, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
        found = model.influence(X, y)
    single = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X[:, :2], y)
    expected = single.influence(X[:, :2], y)
    names = ["leverage", "standardized_residual", "cooks_distance"]
    np.testing.assert_allclose(found[names], expected[names], rtol=1e-7, atol=1e-10)
    alone = np.column_stack([X[:, 0], np.eye(30)[:, 4]])
    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)", log_likelihood=True).fit(alone, y)
    with pytest.warns(LeverageWarning, match="row.s. 4 "):
        assert np.isnan(model.influence(alone, y)["cooks_distance"][4])


def test_as_many_parameters_as_rows_leave_no_scale():
    X, y = np.random.default_rng(0).normal(size=(4, 3)), np.array([1, 2, 0, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)").fit(X, y)
    with pytest.raises(InferenceError, match="4 observations for 4 parameters"):
        model.influence(X, y)


def test_they_can_be_drawn(data):
    pytest.importorskip("matplotlib").use("Agg")
    from mcmodels.plots import InfluenceDisplay, ResidualsDisplay

    X, y, _, offset = data
    model = ObjectiveRegressor("sqrt(1 + (y - eta)**2)").fit(X, y, offset=offset)
    table = model.influence(X, y, offset=offset)
    drawn = InfluenceDisplay.from_results(results(model), X, y, offset=offset)
    np.testing.assert_allclose(drawn.values, table["cooks_distance"])
    drawn = ResidualsDisplay.from_results(results(model), X, y, offset=offset)
    np.testing.assert_allclose(drawn.residuals, table["standardized_residual"])
