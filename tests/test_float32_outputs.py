"""Results of float32 rows are float32 wherever scikit-learn's are; they are rounded at the end."""

import numpy as np
import pytest
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neural_network
from scipy import sparse

import mcmodels

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4)).astype(np.float32)
T = (X @ [1.0, -2.0, 0.5, 0.0] + RNG.normal(size=90)).astype(np.float32)
TARGETS = {
    "none": None,
    "one": T,
    "several": np.column_stack([T, -T]),
    "two classes": (T > 0).astype(int),
    "three classes": (T > -1).astype(int) + (T > 1),
    "counts": np.abs(T).round(),
}
POISSON = {"loss": "exp(eta) - y*eta", "inverse_link": "exp(eta)"}
LOGISTIC = {"loss": "softplus(eta) - y*eta", "inverse_link": "1/(1 + exp(-eta))"}
NETWORK = {"hidden_layer_sizes": (3,), "max_iter": 30, "random_state": 0}
CASES = [
    ("PCA", {"n_components": 2}, "decomposition.PCA", {}, "none"),
    ("PCA", {"n_components": 3, "whiten": True}, "decomposition.PCA", {}, "none"),
    ("LinearRegression", {}, "linear_model.LinearRegression", {}, "one"),
    ("LinearRegression", {}, "linear_model.LinearRegression", {}, "several"),
    ("LogisticRegression", {}, "linear_model.LogisticRegression", {}, "two classes"),
    ("LogisticRegression", {}, "linear_model.LogisticRegression", {}, "three classes"),
    ("ObjectiveRegressor", POISSON, "linear_model.PoissonRegressor", {}, "counts"),
    ("ObjectiveClassifier", LOGISTIC, "linear_model.LogisticRegression", {}, "two classes"),
    ("MLPRegressor", NETWORK, "neural_network.MLPRegressor", NETWORK, "one"),
    ("MLPRegressor", NETWORK, "neural_network.MLPRegressor", NETWORK, "several"),
    ("MLPClassifier", NETWORK, "neural_network.MLPClassifier", NETWORK, "two classes"),
    ("MLPClassifier", NETWORK, "neural_network.MLPClassifier", NETWORK, "three classes"),
]
METHODS = [
    "transform",
    "inverse_transform",
    "score_samples",
    "predict",
    "decision_function",
    "predict_proba",
    "predict_log_proba",
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize(("name", "options", "peer", "peer_options", "target"), CASES)
def test_as_scikit_learn(name, options, peer, peer_options, target):
    y = TARGETS[target]
    room, _, kind = peer.partition(".")
    theirs = getattr(getattr(sklearn, room), kind)(**peer_options).fit(X, y)
    ours = getattr(mcmodels, name)(**options).fit(X, y)
    checked = 0
    for method in METHODS:
        if not (hasattr(ours, method) and hasattr(theirs, method)):
            continue
        is_inverse = method == "inverse_transform"
        rows = ours.transform(X) if is_inverse else X
        found = np.asarray(getattr(ours, method)(rows))
        if found.dtype.kind != "f":
            continue
        checked += 1
        their_rows = theirs.transform(X) if is_inverse else X
        assert found.dtype == np.asarray(getattr(theirs, method)(their_rows)).dtype == np.float32
        exact = np.asarray(getattr(ours, method)(rows.astype(np.float64)))
        assert exact.dtype == np.float64
        if method == "predict_log_proba":
            # A float32 probability is never below the smallest number.
            exact = np.maximum(exact, np.log(np.finfo(np.float32).smallest_subnormal))
        # Rounding to float32 is 6e-8; log-odds of up to 50 are rounded before the exponential is
        # taken, and logarithms are those of rounded probabilities.
        np.testing.assert_allclose(found, exact, rtol=6e-6, atol=2e-7)
        if not is_inverse:
            np.testing.assert_array_equal(found, getattr(ours, method)(sparse.csr_array(X)))
    assert checked


def test_a_linear_prediction_is_rounded_once():
    model = mcmodels.LinearRegression().fit(X, T)
    exact = model.predict(X.astype(np.float64))
    np.testing.assert_array_equal(model.predict(X), exact.astype(np.float32))
    assert model.predict(X, return_std=True)[0].dtype == np.float64
    assert model.coef_.dtype == np.float64


def test_no_array_of_float64_of_the_size_of_the_result_is_made():
    import tracemalloc

    wide = np.random.default_rng(1).normal(size=(4, 100)).astype(np.float32)
    model = mcmodels.PCA(2).fit(wide)
    scores = np.ones((200_000, 2), np.float32)
    tracemalloc.start()
    rows = model.inverse_transform(scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 80 MB of float32; half as much again for the blocks in which two threads work.
    assert peak < 1.8 * rows.nbytes
