"""Wrong input is refused before any work, by an error that says what was found."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from mcmodels import PCA, LinearRegression, LogisticRegression, MLPClassifier, ObjectiveClassifier
from mcmodels.exceptions import FitWarning

X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.array([0, 1] * 6)
MODELS = (LinearRegression, LogisticRegression, PCA)


def with_entry(value, dtype=float):
    bad = X.astype(dtype)
    bad[4, 1] = value
    return bad


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (with_entry(np.nan), "Input X contains NaN"),
        (with_entry(np.inf), "Input X contains infinity"),
        (X.astype(complex), "Complex data not supported"),
        (with_entry("tall", object), "could not convert string to float: 'tall'"),
        (X[:0], "0 sample"),
        (X[:, :0], "0 feature"),
        (X[0], "Expected 2D array, got 1D array"),
        (X[None], "dim 3"),
        (
            pd.DataFrame(X).assign(word="blue").rename(columns=str),
            "could not convert string to float: 'blue'",
        ),
    ],
    ids=["nan", "inf", "complex", "text", "no rows", "no columns", "1d", "3d", "text column"],
)
def test_rows(model, rows, message):
    with pytest.raises(ValueError, match=message):
        model().fit(rows, Y[: len(rows)])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(12, 3), (3, 12)])
def test_columns_whose_squares_overflow(model, shape):
    rows = X.reshape(shape) * 1.0
    rows[:, 2] *= 1e160
    with pytest.raises(
        ValueError, match=r"weighted squares of column\(s\) \[2\] of X overflow float64; divide"
    ):
        model().fit(rows, np.array([0, 1, 2] * 4)[: len(rows)])


@pytest.mark.parametrize("model", MODELS[:2])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.where(np.arange(12) == 3, np.nan, Y), "Input y contains NaN"),
        (np.where(np.arange(12) == 3, np.inf, Y), "Input y contains infinity"),
        (Y[:-1], r"inconsistent numbers of samples: \[12, 11\]"),
        (None, "requires y to be passed, but the target y is None"),
    ],
    ids=["nan", "inf", "short", "none"],
)
def test_targets(model, target, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, target)


def test_a_single_class():
    with pytest.raises(
        ValueError, match=r"y holds only one class: 1. Classifying needs at least two"
    ):
        LogisticRegression().fit(X, np.ones(12, int))
    with pytest.raises(ValueError, match="only one class in the rows of positive weight: b"):
        LogisticRegression().fit(X, np.array(["a", "b"])[Y], sample_weight=Y)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ({}, r"^Unknown label type: y holds \{\} in row 0\. Labels are text, whole numbers"),
        ({1}, r"^Unknown label type: y holds \{1\} in row 0\."),
        (1j, r"^y holds complex numbers, such as 1j in row 0\. Labels are text, whole numbers"),
    ],
)
@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), MLPClassifier(), ObjectiveClassifier("softplus(eta) - y*eta")],
    ids=lambda model: type(model).__name__,
)
def test_what_is_no_label_is_shown(model, label, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, [label] * 12)


def test_a_continuous_target_is_no_class():
    y = np.where(np.arange(12) == 7, 0.25, Y)
    with pytest.raises(
        ValueError,
        match=r"^Unknown label type: continuous: y holds 0\.25 in row 7 .*Fit a regressor",
    ):
        LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LogisticRegression().fit(X, X[:, 0])


def test_text_is_no_number_to_regress_on():
    with pytest.raises(ValueError, match=r"could not convert string to float|dtype='numeric'"):
        LinearRegression().fit(X, np.array(["a", "b"])[Y])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            np.where(np.arange(12) == 7, -0.5, 1.0),
            "sample_weight must not be negative; found -0.5 in row 7",
        ),
        (np.zeros(12), "sample_weight is zero in every row"),
        (np.ones(11), r"inconsistent numbers of samples: \[12, 11\]"),
        (
            np.ones((12, 1)),
            r"sample_weight must be one-dimensional; found an array of shape \(12, 1\)",
        ),
        (np.full(12, np.nan), "Input sample_weight contains NaN"),
        (np.full(12, np.inf), "Input sample_weight contains infinity"),
        (["heavy"] * 12, "could not convert string to float"),
    ],
    ids=["negative", "zero", "short", "2d", "nan", "inf", "text"],
)
def test_weights(model, weights, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": 0}, "C=0 must be greater than 0"),
        ({"C": -1.0}, "C=-1.0 must be greater than 0"),
        ({"C": np.nan}, "C=nan must be a number"),
        ({"C": "1"}, "C='1' must be a number"),
        ({"tol": -1e-3}, "tol=-0.001 must be at least 0"),
        ({"max_iter": 0}, "max_iter=0 must be an integer of at least 1"),
        ({"max_iter": 2.5}, "max_iter=2.5 must be an integer"),
        ({"solver": "lbfgs"}, "solver='lbfgs' is not known; choose one of 'auto', 'newton'"),
        ({"class_weight": "even"}, "class_weight='even' is not known; choose one of 'balanced'"),
        ({"fit_intercept": "yes"}, "fit_intercept='yes' must be True or False"),
        ({"warm_start": 1}, "warm_start=1 must be True or False"),
    ],
)
def test_logistic_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**parameters).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"solver": "qr"},
            "solver='qr' is not known; choose one of 'auto', 'refined', 'normal', 'pinv'",
        ),
        ({"rcond": -1}, "rcond=-1 must be at least 0"),
        ({"fit_intercept": None}, "fit_intercept=None must be True or False"),
    ],
)
def test_linear_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        LinearRegression(**parameters).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"n_components": 4},
            r"n_components=4 must be between 0 and min\(n_samples, n_features\)=3",
        ),
        ({"n_components": -1}, "n_components=-1 must be between 0"),
        ({"n_components": 1.5}, "n_components=1.5 must be an integer, a share"),
        ({"n_components": True}, "n_components=True must be an integer, a share"),
        ({"n_components": "auto"}, "n_components='auto' is not known; choose one of 'mle'"),
        ({"solver": "full"}, "solver='full' is not known; choose one of 'auto', 'eigh'"),
        ({"tol": "small"}, "tol='small' must be a number"),
        ({"whiten": "yes"}, "whiten='yes' must be True or False"),
    ],
)
def test_pca_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        PCA(**parameters).fit(X)


def test_minka_needs_as_many_rows_as_features():
    with pytest.raises(
        ValueError, match=r"n_components='mle' needs at least as many rows.*2 rows for 3"
    ):
        PCA("mle").fit(X[:2])


@pytest.mark.parametrize("model", MODELS)
def test_other_features_at_predict(model):
    use = "transform" if model is PCA else "predict"
    fitted = model().fit(X, Y)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 3 features"):
        getattr(fitted, use)(X[:, :2])
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    named = model().fit(frame, Y)
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- d"):
        getattr(named, use)(frame.rename(columns={"c": "d"}))
    with pytest.raises(ValueError, match="NaN"):
        getattr(fitted, use)(with_entry(np.nan))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["objective", "gradient", "hessian"])
def test_derivatives_before_fit_and_at_wrong_points(model, name):
    with pytest.raises(NotFittedError):
        getattr(model(), name)(X, Y)
    fitted = model().fit(X, Y)
    with pytest.raises(
        ValueError, match=r"params has shape \(7,\); the fitted parameters have shape"
    ):
        getattr(fitted, name)(X, Y, np.zeros(7))
    with pytest.raises(ValueError, match="Input params contains NaN"):
        getattr(fitted, name)(X, Y, np.full(fitted.params_.shape, np.nan))
    with pytest.raises(ValueError, match="sample_weight must not be negative"):
        getattr(fitted, name)(X, Y, sample_weight=-np.ones(12))
    with pytest.raises(ValueError, match="X has 2 features"):
        getattr(fitted, name)(X[:, :2], Y)


@pytest.mark.parametrize("model", MODELS)
def test_hessian_vector_product_checks_its_vector(model):
    fitted = model().fit(X, Y)
    with pytest.raises(ValueError, match=r"vector has shape \(2,\); the fitted parameters"):
        fitted.hessian_vector_product(X, Y, vector=np.zeros(2))


def test_objective_on_other_targets():
    with pytest.raises(
        ValueError, match=r"y holds the class .*5.*, which was not in the training rows"
    ):
        LogisticRegression().fit(X, Y).objective(X, np.where(Y == 1, 5, 0))
    with pytest.raises(ValueError, match=r"y has 2 target\(s\); the model was fitted to 1"):
        LinearRegression().fit(X, Y).objective(X, np.column_stack([Y, Y]))


OPTIONS = {
    "level text": (lambda m: m.confidence_intervals("x"), "level='x' must lie between 0 and 1"),
    "level None": (lambda m: m.summary(level=None), "level=None must lie between 0 and 1"),
    "correction": (
        lambda m: m.covariance(X, Y, kind="cluster", groups=Y, use_correction="no"),
        "use_correction='no' must be True or False",
    ),
    "degrees": (
        lambda m: m.wald_test("x0 = 0", X, Y, kind="cluster", groups=Y, df_correction="no"),
        "df_correction='no' must be True or False",
    ),
    "no groups": (
        lambda m: m.covariance(X, Y, kind="cluster", groups="a"),
        r"groups has shape \(\)",
    ),
    "p-values": (lambda m: m.summary(p_values="no"), "p_values='no' must be True or False"),
    "discrete": (lambda m: m.marginal_effects(X, discrete="no"), "discrete='no' must be True or"),
    "text": (
        lambda m: m.score_test(X, Y, candidate=list("abcdefghijkl")),
        "candidate holds text, such as 'a' in row 0",
    ),
    "dates": (
        lambda m: m.score_test(X, Y, candidate=pd.date_range("2020-01-01", periods=12)),
        "candidate holds dates or times, such as Timestamp",
    ),
    "labels": (lambda m: m.covariance(X, Y.astype(str)), "y holds the class '0', which was not in"),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_inference(option):
    call, message = OPTIONS[option]
    with pytest.raises((TypeError, ValueError), match=message):
        call(LogisticRegression(C=np.inf).fit(X, Y))


def test_other_options_of_inference():
    with pytest.raises(ValueError, match="return_std='no' must be True or False"):
        LinearRegression().fit(X, Y).predict(X, return_std="no")
    with pytest.raises(ValueError, match="quantile='x' must lie between 0 and 1"):
        PCA().fit(X).parallel_analysis(quantile="x")


@pytest.mark.parametrize("model", MODELS)
def test_use_before_fit(model):
    with pytest.raises(NotFittedError):
        getattr(model(), "transform" if model is PCA else "predict")(X)


def test_scores_of_another_width():
    with pytest.raises(ValueError, match="X has 3 columns; the model has 2 components"):
        PCA(2).fit(X).inverse_transform(X)


def test_warnings_point_at_the_line_of_the_user():
    twice = np.column_stack([X, X[:, 0]])
    for fit in (
        lambda: LinearRegression().fit(twice, X[:, 1]),
        lambda: LinearRegression().fit(X, np.ones(12)),
        lambda: LogisticRegression(C=np.inf, max_iter=500).fit(twice, Y),
        lambda: LogisticRegression(C=1e3, max_iter=1).fit(X, Y),
        lambda: LogisticRegression(C=np.inf).fit(Y[:, None], Y),
        lambda: PCA(whiten=True).fit(twice),
    ):
        with pytest.warns(FitWarning) as seen:
            fit()
        assert [w.filename for w in seen] == [__file__]


def test_a_failed_fit_leaves_the_previous_one_alone():
    model = LinearRegression().fit(X, Y)
    before = model.params_.copy()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(with_entry(np.nan), Y)
    np.testing.assert_array_equal(model.params_, before)
