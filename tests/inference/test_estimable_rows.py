"""What the data determine, wherever the rows are: streams, sums in parts, scans, Dask, float32."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    RowStream,
    results,
    scan,
)
from mcmodels.exceptions import InferenceError, NotEstimableWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning"),
    pytest.mark.filterwarnings("error::mcmodels.exceptions.NotEstimableWarning"),
]
N = 400
CLOSE = {"rtol": 1e-10, "atol": 1e-12}  # κ of the columns is about 10


def problem(seed=0):
    """All levels of a factor beside a number, without the first level, and targets."""
    rng = np.random.default_rng(seed)
    codes, x = rng.integers(0, 3, N), rng.normal(size=N) + 3.0
    X = pd.DataFrame(np.eye(3)[codes], columns=["g_a", "g_b", "g_c"]).assign(x=x)
    y = 0.5 * x + codes + rng.normal(size=N)
    return X, X.drop(columns="g_a"), y, (y > 2.5).astype(int), rng


def stream_of(X, y):
    X = np.asarray(X)
    return RowStream(lambda: ((X[i : i + 90], y[i : i + 90]) for i in range(0, N, 90)))


@pytest.mark.parametrize("kind", ["nonrobust", "HC3"])
@pytest.mark.parametrize(
    "model", [LinearRegression(), LogisticRegression(C=np.inf, tol=1e-12)], ids=["linear", "logit"]
)
def test_streams(model, kind):
    X, Z, y, labels, _ = problem()
    target = y if isinstance(model, LinearRegression) else labels
    found = model.fit(stream_of(X, target))
    rows = (stream_of(X, target),) if kind == "HC3" else ()
    table = found.summary(*rows, kind=kind).to_frame()
    test = found.wald_test("x0 = x2, x3 = 0", *rows, kind=kind)
    other = type(model)(**model.get_params()).fit(Z, target)
    rows = (Z, target) if kind == "HC3" else ()
    expected = other.summary(*rows, kind=kind).to_frame()
    assert table.drop(index="x3").isna().all(axis=None)
    np.testing.assert_allclose(table.loc["x3"], expected.loc["x"], **CLOSE)
    wanted = other.wald_test("g_c = 0, x = 0", *rows, kind=kind)
    assert test.statistic == pytest.approx(wanted.statistic, rel=1e-10)


def test_sums_in_parts_and_pickles():
    X, Z, y, *_ = problem(1)
    parts = LinearRegression()
    for i in range(0, N, 100):
        parts.partial_fit(X[i : i + 100], y[i : i + 100])
    other = LinearRegression().fit(Z, y)
    for model in (parts, pickle.loads(pickle.dumps(parts))):
        assert model.status_ == "rank deficient"
        found, expected = model.confidence_intervals(), other.confidence_intervals()
        np.testing.assert_allclose(found.loc["x"], expected.loc["x"], **CLOSE)
        test, wanted = model.wald_test("g_b = g_a"), other.wald_test("g_b = 0")
        assert test.statistic == pytest.approx(wanted.statistic, rel=1e-10)
        with pytest.raises(InferenceError, match="not estimable"):
            model.wald_test("g_b = 0")
    logistic = LogisticRegression(C=np.inf).fit(X, y > 2.5)
    again = pickle.loads(pickle.dumps(logistic))
    np.testing.assert_array_equal(again.covariance_, logistic.covariance_)


def test_a_scan_codes_levels_with_a_baseline():
    """Its columns are independent; a copy of a column is not."""
    _, _, y, _, rng = problem(2)
    frame = pd.DataFrame({"g": rng.choice(list("abc"), N), "x": rng.normal(size=N), "y": y})
    frame["copy"] = 2.0 * frame["x"]
    rows = scan(frame, target="y", features=["g", "x", "copy"], categorical=["g"])
    model = LinearRegression().fit(rows)
    other = LinearRegression().fit(scan(frame, target="y", features=["g", "x"], categorical=["g"]))
    found, expected = model.confidence_intervals(), other.confidence_intervals()
    lost = ["x", "copy"]
    assert found.loc[lost].isna().all(axis=None)
    np.testing.assert_allclose(found.drop(index=lost), expected.drop(index="x"), **CLOSE)


def test_dask():
    dd = pytest.importorskip("dask.dataframe")
    X, Z, y, labels, _ = problem(3)
    for model, target in ((LinearRegression(), y), (LogisticRegression(C=np.inf), labels)):
        rows, targets = (dd.from_pandas(part, npartitions=3) for part in (X, pd.Series(target)))
        model.fit(rows, targets)
        other = type(model)(**model.get_params()).fit(Z, target)
        found = model.confidence_intervals(0.95, rows, targets, kind="HC1")
        expected = other.confidence_intervals(0.95, Z, target, kind="HC1")
        # Newton's method stops at another point of the last digits.
        np.testing.assert_allclose(found.loc["x"], expected.loc["x"], rtol=1e-8)
        lazy, now = model.predict_interval(rows), other.predict_interval(Z)
        np.testing.assert_allclose(lazy.compute(), now, rtol=1e-8)
        new = X.copy()
        new.iloc[7, :3] = 0.0
        lost = model.predict_interval(dd.from_pandas(new, npartitions=3))
        with pytest.warns(NotEstimableWarning):
            assert lost.compute().isna().any(axis=1).to_numpy().nonzero()[0].tolist() == [7]


def test_sparse_rows():
    X, Z, y, *_ = problem(4)
    model = LinearRegression().fit(sparse.csr_array(X.to_numpy()), y)
    other = LinearRegression().fit(Z, y)
    np.testing.assert_allclose(model.standard_errors_[3], other.standard_errors_[2], **CLOSE)
    found, expected = (
        model.predict_interval(sparse.csr_array(X.to_numpy())),
        (other.predict_interval(Z)),
    )
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize(
    ("shift", "dtype"),
    [(0.0, np.float32), (2000.0, np.float32), (0.0, float), (2000.0, float), (1e6, float)],
)
@pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
def test_sums_of_columns_up_to_rounding_have_predictions(shift, dtype, solver):
    """Rows are in the span up to the precision in which they are stored: no row is without one."""
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(N, 3)) + shift
    X = np.column_stack([exact, exact[:, 0] + 0.1 * exact[:, 1]]).astype(dtype)
    model = LinearRegression(solver=solver).fit(X, rng.normal(size=N))
    assert model.status_ == "rank deficient"
    assert np.isnan(model.standard_errors_[[0, 1, 3]]).all()
    assert np.isfinite(model.standard_errors_[2])
    assert model.predict_interval(X).notna().all(axis=None)
    new = X[:5].astype(float)
    new[3, 0] += 1.0  # a standard deviation from the span
    with pytest.warns(NotEstimableWarning, match=r"row\(s\) 3 are"):
        model.predict_interval(new)


def test_few_clusters_and_bootstraps():
    X, Z, y, *_ = problem(5)
    groups = np.arange(N) % 9
    model, other = LinearRegression().fit(X, y), LinearRegression().fit(Z, y)
    given, wanted = {"kind": "CR2", "groups": groups}, {"kind": "CR2", "groups": groups}
    found = model.summary(X, y, **given).to_frame()
    np.testing.assert_allclose(
        found.loc["x"], other.summary(Z, y, **wanted).to_frame().loc["x"], **CLOSE
    )
    assert found.drop(index="x").isna().all(axis=None)
    test = model.wald_test("g_a = g_b = g_c", X, y, **given)
    assert test.df_denominator == pytest.approx(
        other.wald_test("g_b = g_c = 0", Z, y, **wanted).df_denominator, rel=1e-10
    )
    options = {"groups": groups, "draws": 999, "random_state": 0}
    for ours, theirs in (("x", "x"), (np.array([-1.0, 1, 0, 0, 0]), "g_b")):
        boot, expected = (
            model.wild_bootstrap_test(ours, X, y, **options),
            other.wild_bootstrap_test(theirs, Z, y, **options),
        )
        assert boot.p_value == expected.p_value
        np.testing.assert_allclose(boot.interval, expected.interval, rtol=1e-8)
    with pytest.raises(InferenceError, match="g_a is not estimable"):
        model.wild_bootstrap_test("g_a", X, y, **options)


def test_what_rows_say_of_a_fit():
    X, Z, y, labels, rng = problem(6)
    w = rng.integers(0, 4, N).astype(float)
    for weights in ("frequency", "precision"):
        model, other = (LinearRegression(weights=weights).fit(rows, y, w) for rows in (X, Z))
        assert model.f_test_.statistic == pytest.approx(other.f_test_.statistic, rel=1e-11)
        assert model.breusch_pagan(X, y, w).statistic == pytest.approx(
            other.breusch_pagan(Z, y, w).statistic, rel=1e-10
        )
        np.testing.assert_allclose(
            model.outlier_test(X, y, w).to_frame(), other.outlier_test(Z, y, w).to_frame(), **CLOSE
        )
        inflation = model.variance_inflation_factors()
        assert inflation["x"] == pytest.approx(other.variance_inflation_factors()["x"], rel=1e-11)
        assert np.isinf(inflation.drop("x")).all()
        np.testing.assert_allclose(model.leverage(X, w), other.leverage(Z, w), **CLOSE)
    survey, plain = (LinearRegression(weights="probability").fit(rows, y, w) for rows in (X, Z))
    assert survey.f_test_.statistic == pytest.approx(plain.f_test_.statistic, rel=1e-11)
    np.testing.assert_allclose(survey.standard_errors_[3], plain.standard_errors_[2], **CLOSE)
    candidate = rng.normal(size=(N, 1))
    model, other = (LogisticRegression(C=np.inf, tol=1e-12).fit(rows, labels) for rows in (X, Z))
    assert model.score_test(X, labels, candidate).statistic == pytest.approx(
        other.score_test(Z, labels, candidate).statistic, rel=1e-9
    )
    penalised = LogisticRegression(C=1.0).fit(X, labels)
    assert np.isfinite(penalised.standard_errors_).all()  # all is determined by the penalty
    assert penalised._fit.estimable is None


def test_several_targets():
    X, Z, y, labels, _ = problem(7)
    Y = np.column_stack([y, labels])
    model, other = LinearRegression().fit(X, Y), LinearRegression().fit(Z, Y)
    assert np.isnan(model.standard_errors_).tolist() == 2 * [[True, True, True, False, True]]
    np.testing.assert_allclose(model.standard_errors_[:, 3], other.standard_errors_[:, 2], **CLOSE)
    for kind in ("nonrobust", "HC2"):
        rows = ((), ()) if kind == "nonrobust" else ((X, Y), (Z, Y))
        test = model.wald_test("`y0:g_a` = `y0:g_b`, `y1:x` = `y0:x`", *rows[0], kind=kind)
        wanted = other.wald_test("`y0:g_b` = 0, `y1:x` = `y0:x`", *rows[1], kind=kind)
        assert test.statistic == pytest.approx(wanted.statistic, rel=1e-10)
    # A part of one target does not make up for that of another.
    with pytest.raises(InferenceError, match="not estimable"):
        model.wald_test("`y0:g_a` = `y1:g_b`")


def test_names_of_a_pipeline_are_in_the_reason():
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"town": rng.choice(["Bern", "Genf"], 50), "age": rng.normal(size=50)})
    encode = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    pipe = make_pipeline(encode, GeneralizedLinearRegressor("poisson"))
    pipe.fit(frame, rng.poisson(3.0, 50))
    [note, *_] = results(pipe).summary().notes
    assert "leave out one of onehotencoder__town_Bern, onehotencoder__town_Genf" in note


def test_robust_errors_of_nearly_dependent_columns_without_an_intercept():
    """Their whitening had the coordinates of the fit in place of those of the user."""
    mp = pytest.importorskip("mpmath")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 3)), rng.integers(0, 2, 80)
    X[:, 2] = X[:, 0] + 1e-7 * rng.normal(size=80)
    model = LogisticRegression(C=np.inf, fit_intercept=False).fit(X, y)
    assert model.status_ == "converged"
    with mp.workdps(50):
        rows, theta = mp.matrix(X.tolist()), mp.matrix(model.coef_.ravel().tolist())
        H, M = mp.zeros(3), mp.zeros(3)
        for i in range(80):
            row = rows[i, :]
            p = 1 / (1 + mp.exp(-(row * theta)[0]))
            H += p * (1 - p) * row.T * row
            M += (int(y[i]) - p) ** 2 * row.T * row
        V = H**-1 * M * H**-1
        expected = [float(V[j, j]) for j in range(3)]
    found = np.diagonal(model.covariance(X, y, kind="HC0"))
    # Rounded parameters change predictors by κε of about 1e-9, and so residuals.
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_nothing_is_silent():
    X, _, y, *_ = problem(8)
    with pytest.warns(UserWarning, match="OneHotEncoder"):
        model = LinearRegression().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "NA: Encode with OneHotEncoder" in " ".join(str(model.summary()).split())
