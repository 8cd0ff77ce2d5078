"""What comes back as the training rows must be the training rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import ConstantTargetWarning

rng = np.random.default_rng(3)
N = 200
X = rng.normal(size=(N, 3)) * [1.0, 1e3, 1e-3] + [0.0, 1e5, 2.0]
SCALED = (X - X.mean(axis=0)) / X.std(axis=0)
ETA = SCALED @ [1.0, -1.0, 0.5]
TARGET = ETA + rng.normal(size=N)
TWO = np.column_stack([TARGET, rng.normal(size=N)])
CLASSES = np.where(ETA + rng.logistic(size=N) > 0, "yes", "no")
THREE = np.array(["a", "b", "c"])[np.argmax(rng.gumbel(size=(N, 3)) + np.outer(ETA, [1, 0, -1]), 1)]
COUNTS = rng.poisson(np.exp(0.3 * ETA))
WEIGHTS = rng.integers(1, 4, N).astype(float)
GROUPS = np.arange(N) % 20


def robust(model, X, y, **data):
    return model.covariance(X, y, kind="HC0", **data)


def clustered(model, X, y, **data):
    return model.summary(X, y, kind="cluster", groups=GROUPS, **data)


def influence(model, X, y, **data):
    return model.influence(X, y, **data)


def score_test(model, X, y, **data):
    return model.score_test(X, y, np.arange(float(len(X))) ** 2, **data)


def laplace(model, X, y, **data):
    return model.laplace(X, y, **data)


def breusch_pagan(model, X, y, **data):
    return model.breusch_pagan(X, y, **data)


def bias_reduced(model, X, y, **data):
    return model.summary(X, y, kind="CR2", groups=GROUPS, **data)


def serial(model, X, y, **data):
    return model.covariance(X, y, kind="HAC", max_lags=3, **data)


def outliers(model, X, y, **data):
    return model.outlier_test(X, y, **data)


def wild_bootstrap(model, X, y, **data):
    return model.wild_bootstrap_test("x0", X, y, groups=GROUPS, draws=9, **data)


FEW = [bias_reduced, serial, outliers, wild_bootstrap]
NETWORK = {"hidden_layer_sizes": (2,), "activation": "tanh", "alpha": 5.0, "random_state": 0}
CASES = {
    "linear": (LinearRegression(), TARGET, [robust, clustered, influence, breusch_pagan, *FEW]),
    "linear, no intercept": (LinearRegression(fit_intercept=False), TARGET, [robust, influence]),
    "linear, two targets": (LinearRegression(), TWO, [robust]),
    "linear, pinv": (LinearRegression(solver="pinv"), TARGET, [robust, influence]),
    "logistic": (LogisticRegression(C=np.inf), CLASSES, [robust, clustered, influence, score_test]),
    "logistic, penalised": (LogisticRegression(), CLASSES, [robust, influence]),
    "logistic, balanced": (LogisticRegression(class_weight="balanced"), CLASSES, [robust]),
    "logistic, three classes": (LogisticRegression(C=np.inf), THREE, [robust]),
    "own likelihood": (
        ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True),
        COUNTS,
        [robust, clustered],
    ),
    "own loss of classes": (
        ObjectiveClassifier("log(1 + exp(-(2*y - 1)*eta))", alpha=1.0),
        CLASSES,
        [robust],
    ),
    "network of classes": (MLPClassifier(**NETWORK), CLASSES, [laplace]),
    "network of three classes": (MLPClassifier(**NETWORK), THREE, [laplace]),
    "network": (MLPRegressor(**NETWORK), TARGET, [laplace]),
}
READERS = [(case, reader) for case, (_, _, readers) in CASES.items() for reader in readers]
STRANGERS = {
    "reversed y": lambda X, y, w: (X, y[::-1], w),
    "two targets swapped": lambda X, y, w: (X, swapped(y), w),
    "rows of another draw": lambda X, y, w: (X[::-1] * 1.01, y, w),
    "X in another order than y": lambda X, y, w: (X[rng.permutation(N)], y, w),
    "one column in another order": lambda X, y, w: (shuffled_column(X), y, w),
    "one row changed": lambda X, y, w: (one_row_changed(X), y, w),
    "two columns swapped": lambda X, y, w: (X[:, [1, 0, 2]], y, w),
    "scaled": lambda X, y, w: ((X - X.mean(axis=0)) / X.std(axis=0), y, w),
    "a subset": lambda X, y, w: (X[:20], y[:20], None if w is None else w[:20]),
    "a bootstrap sample": lambda X, y, w: drawn(X, y, w),
    "other weights": lambda X, y, w: (X, y, WEIGHTS[::-1]),
    "weights doubled": lambda X, y, w: (X, y, np.full(N, 2.0) if w is None else 2 * w),
}


def swapped(y):
    y, different = y.copy(), 1 + int(np.argmax((y[1:] != y[0]).reshape(N - 1, -1)[:, 0]))
    y[[0, different]] = y[[different, 0]]
    return y


def shuffled_column(X):
    X = X.copy()
    X[:, 2] = X[rng.permutation(N), 2]
    return X


def one_row_changed(X):
    X = X.copy()
    X[5, 0] += 1e-3 * X[:, 0].std()
    return X


def drawn(X, y, w):
    chosen = rng.integers(0, N, N)
    return X[chosen], y[chosen], None if w is None else w[chosen]


def model_of(case, w=None):
    prototype, y, _ = CASES[case]
    rows = SCALED if "network" in case or "own" in case else X
    data = {} if w is None else {"sample_weight": w}
    model = type(prototype)(**prototype.get_params()).fit(rows, y, **data)
    return model, rows, y, data


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("case", "reader"), READERS, ids=lambda v: getattr(v, "__name__", v))
def test_strangers_are_refused(case, reader, weighted):
    model, rows, y, data = model_of(case, WEIGHTS if weighted else None)
    reader(model, rows, y, **data)
    for what, change in STRANGERS.items():
        if what == "scaled" and rows is SCALED:
            continue
        Z, z, w = change(rows, y, data.get("sample_weight"))
        weights = {} if w is None else {"sample_weight": w}
        with pytest.raises(ValueError, match=r"rows that the model|was fitted to|weights of the"):
            reader(model, Z, z, **weights)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize(("case", "reader"), READERS, ids=lambda v: getattr(v, "__name__", v))
def test_the_same_rows_pass_whatever_their_form(case, reader):
    model, rows, y, _ = model_of(case, WEIGHTS)
    order = rng.permutation(N)
    forms = [
        (rows[order], y[order], WEIGHTS[order]),
        (np.asfortranarray(rows), y.tolist(), WEIGHTS),
        (sparse.csr_array(rows), y, WEIGHTS.astype(int)),
        (rows, y, pd.Series(WEIGHTS)),
    ]
    for Z, z, w in forms:
        if reader is clustered and Z is forms[0][0]:
            continue  # the groups would have to be permuted, too
        reader(model, Z, z, sample_weight=w) if reader is not score_test else model.score_test(
            Z, z, np.ones(N) + np.arange(N) % 3, sample_weight=w
        )


def test_the_cases_of_the_report():
    """Reversed targets gave standard errors 1.75 times as large, 20 of 442 rows wider intervals."""
    X, y = load_diabetes(return_X_y=True)
    linear = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to: the sum of p"):
        linear.summary(X, y[::-1], kind="HC3")
    network = MLPRegressor((2,), "tanh", alpha=5.0, random_state=0).fit(X, y / 100)
    with pytest.raises(ValueError, match="X has 20 rows; the model was fitted to 442"):
        network.laplace(X[:20], y[:20] / 100)


def test_the_hat_matrix_is_that_of_the_training_rows():
    for intercept in (True, False):
        model = LinearRegression(fit_intercept=intercept).fit(X, TARGET, sample_weight=WEIGHTS)
        H = model.hat_matrix(X, WEIGHTS)
        # H y are the fitted values: one product of n numbers, of columns with means of 100 sds.
        np.testing.assert_allclose(H @ TARGET, model.predict(X), rtol=1e-8, atol=1e-8)
        model.hat_matrix(X[::-1], WEIGHTS[::-1])
        for Z, w in ((X * 1.001, WEIGHTS), (X[:50], WEIGHTS[:50]), (X, WEIGHTS[::-1])):
            with pytest.raises(ValueError, match=r"not the rows|was fitted to|weights of the rows"):
                model.hat_matrix(Z, w)
        # Leverages are of any rows.
        assert model.leverage(X[:3] * 2).shape == (3,)


@pytest.mark.parametrize("case", ["linear", "logistic", "logistic, three classes"])
def test_rows_that_came_as_a_stream(case):
    prototype, y, _ = CASES[case]

    def blocks():
        for start in range(0, N, 64):
            yield X[start : start + 64], y[start : start + 64], WEIGHTS[start : start + 64]

    model = type(prototype)(**prototype.get_params()).fit(RowStream(blocks))
    together = type(prototype)(**prototype.get_params()).fit(X, y, WEIGHTS)
    V = model.covariance(X, y, WEIGHTS, kind="HC1")
    expected = together.covariance(X, y, WEIGHTS, kind="HC1")
    scale = np.sqrt(np.diagonal(expected))
    # Relative to the errors: optima of fits that end at steps of 1e-8 of the parameters.
    np.testing.assert_allclose(
        V / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-6
    )
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.covariance(X, y[::-1], WEIGHTS[::-1])


def test_rows_that_came_in_parts():
    model = LinearRegression().partial_fit(X[:80], TARGET[:80]).partial_fit(X[80:], TARGET[80:])
    model.covariance(X, TARGET)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.covariance(X, TARGET[::-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_far_from_zero(dtype):
    """Float32 columns are multiplied in float32 here, so that their sums have fewer digits."""
    big = (rng.normal(size=(40_000, 40)) + 30.0).astype(dtype)
    y = big @ np.ones(40) + rng.normal(size=40_000)
    model = LinearRegression().fit(big, y)
    model.covariance(big, y)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.covariance(big, y[::-1])
    labels = (y > np.median(y)).astype(int)
    logistic = LogisticRegression().fit(big, labels)
    logistic.covariance(big, labels, kind="HC0")
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        logistic.covariance(big, labels[::-1], kind="HC0")


class TestTwoFits:
    """Whether two models were fitted to the same rows and target, whatever their columns."""

    frame = pd.DataFrame(SCALED, columns=["a", "b", "c"])
    models = {
        "linear": (LinearRegression(), TARGET),
        "logistic": (LogisticRegression(C=np.inf), CLASSES),
        "three": (LogisticRegression(C=np.inf), THREE),
        "own": (ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True), COUNTS),
    }

    def pair(self, case, change):
        prototype, y = self.models[case]
        order, target = change(y)
        small = type(prototype)(**prototype.get_params()).fit(self.frame[["a"]].iloc[order], target)
        return small, type(prototype)(**prototype.get_params()).fit(self.frame, y)

    @pytest.mark.parametrize("case", models)
    def test_the_same_rows_in_another_order(self, case):
        order = rng.permutation(N)
        found = likelihood_ratio_test(*self.pair(case, lambda y: (order, y[order])))
        assert found.p_value < 1.0
        # Without names columns are not compared, and centred columns have sums of rounding errors.
        prototype, y = self.models[case]
        small = type(prototype)(**prototype.get_params()).fit(SCALED[order][:, [1]], y[order])
        big = type(prototype)(**prototype.get_params()).fit(SCALED, y)
        assert likelihood_ratio_test(small, big).df == found.df

    @pytest.mark.parametrize("case", models)
    def test_another_target_or_other_rows(self, case):
        for change in (
            lambda y: (np.arange(N), y[::-1]),
            lambda y: (np.r_[1, 1:N], y),
            lambda y: (np.arange(N), swapped(y)),
        ):
            with pytest.raises(ValueError, match="not fitted to the same rows and target"):
                likelihood_ratio_test(*self.pair(case, change))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1 / 3, 1e6 / 3])
def test_the_rows_of_a_constant_target_are_known(dtype, value):
    """The mean of a constant is rounded, so that sums about it are rounding errors alone."""
    for seed in range(10):
        Z = np.random.default_rng(seed).normal(size=(400, 3)).astype(dtype)
        y = np.full(400, value)
        with pytest.warns(ConstantTargetWarning):
            model = LinearRegression().fit(Z, y)
        assert np.isfinite(model.covariance(Z, y, kind="HC0")).all()
        with pytest.raises(ValueError, match="not the rows"):
            model.covariance(Z * 1.001, y, kind="HC0")


def test_strangers_far_from_zero_without_an_intercept_are_told_by_their_residuals():
    """Sums about zero are the same to 1e-16; the objective is not."""
    noise = np.random.default_rng(11)
    Z = noise.normal(size=(400, 3))
    far, y = Z + 1e6, Z.sum(axis=1) + noise.normal(size=400) + 1e8
    model = LinearRegression(fit_intercept=False).fit(far, y)
    order = noise.permutation(400)
    assert np.isfinite(model.covariance(far[order], y[order], kind="HC0")).all()
    for stranger in (y[::-1], y[order]):
        with pytest.raises(ValueError, match="not the rows"):
            model.covariance(far, stranger, kind="HC0")
