"""Intervals, effects, influence and tests of single rows of Dask collections: those in memory.

What arrays give is compared with peers and formulas in tests/inference/test_glm_effects.py.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LinearRegression, LogisticRegression, RowStream, scan
from mcmodels.exceptions import InferenceError, LeverageWarning
from mcmodels.inference import outliers
from mcmodels.tables.dask_parts import DaskParts
from tests.numerics import relative_error

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
TIGHT = {"tol": 1e-13}
N, CHUNK = 700, 150
RNG = np.random.default_rng(5)
X = np.column_stack([RNG.normal(size=N), RNG.normal(size=N), RNG.random(N) < 0.4]).astype(float)
ADDED = RNG.normal(size=N) / 3
ETA = X @ [0.3, -0.2, 0.5] - 0.2 + ADDED
WEIGHTS = RNG.integers(0, 3, N).astype(float)
WEIGHTS[CHUNK : 2 * CHUNK] = 0.0  # a whole partition
TRIALS = np.where(WEIGHTS == 0, 1.0, WEIGHTS)
COUNTS = RNG.poisson(np.exp(ETA)).astype(float)
FAMILIES = {
    "poisson": (Glm("poisson", **TIGHT), COUNTS),
    "gamma": (Glm("gamma", **TIGHT), RNG.gamma(3.0, np.exp(ETA) / 3)),
    "normal": (Glm("normal", **TIGHT), ETA + RNG.normal(size=N)),
    "binomial": (Glm("binomial", **TIGHT), RNG.binomial(TRIALS.astype(int), 0.4) / TRIALS),
    "without intercept": (Glm("poisson", fit_intercept=False, **TIGHT), COUNTS),
}
FRAME = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(N) * 2 + 10)
INTERVALS = ["prediction", "standard_error", "lower", "upper"]


def chunked(values):
    return da.from_array(values, chunks=(CHUNK, *values.shape[1:]))


@pytest.fixture(params=FAMILIES)
def case(request):
    """The model in memory, and its rows there and in partitions."""
    model, y = FAMILIES[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model.fit(X, y, WEIGHTS, offset=ADDED)
    return model, (X, y, WEIGHTS), (chunked(X), chunked(y), chunked(WEIGHTS))


def of(values, form):
    """Offsets or exposures in memory and in partitions."""
    if form == "offset":
        return {"offset": values}, {"offset": chunked(values)}
    return {"exposure": np.exp(values)}, {"exposure": chunked(np.exp(values))}


@pytest.fixture(params=["offset", "exposure"])
def added(request, case):
    if request.param == "exposure" and case[0]._loss().link.name != "log":
        pytest.skip("an exposure needs the link log")
    return of(ADDED, request.param)


@pytest.mark.parametrize("kind", ["mean", "observation"])
def test_intervals(case, added, kind):
    model, (given, *_), (parts, *_) = case
    here, there = added
    found = model.predict_interval(parts, 0.9, kind, **there)
    assert isinstance(found, dd.DataFrame)
    assert found.columns.tolist() == INTERVALS
    assert set(found.dtypes) == {np.dtype(np.float64)}
    expected = model.predict_interval(given, 0.9, kind, **here)
    pd.testing.assert_frame_equal(found.compute(), expected, rtol=RTOL)


def test_intervals_of_proportions():
    y = RNG.binomial(7, 0.3, N) / 7
    model = Glm("binomial").fit(X, y, np.full(N, 7.0))
    trials = RNG.integers(1, 30, N)
    options = {"kind": "observation"}
    found = model.predict_interval(chunked(X), trials=chunked(trials), **options).compute()
    pd.testing.assert_frame_equal(found, model.predict_interval(X, trials=trials, **options))
    with pytest.raises(TypeError, match="trials is a ndarray, and X a collection of Dask"):
        model.predict_interval(chunked(X), trials=trials, **options)
    bad = chunked(np.where(np.arange(N) == 310, 0, trials))
    with pytest.raises(ValueError, match=r"partition 2: trials must be positive .* in row 10"):
        model.predict_interval(chunked(X), trials=bad, **options).compute()


@pytest.mark.parametrize("at", ["average", "means", "rows"])
@pytest.mark.parametrize("discrete", [True, False])
def test_marginal_effects(case, added, at, discrete):
    model, (given, *_), (parts, *_) = case
    here, there = added
    options = {"at": at, "discrete": discrete}
    if at != "rows":
        found = model.marginal_effects(parts, sample_weight=chunked(WEIGHTS), **options, **there)
        expected = model.marginal_effects(given, sample_weight=WEIGHTS, **options, **here)
    else:
        found = model.marginal_effects(parts, **options, **there)
        assert isinstance(found, dd.DataFrame)
        assert found.columns.tolist() == ["x0", "x1", "x2"]
        found, expected = found.compute(), model.marginal_effects(given, **options, **here)
    pd.testing.assert_frame_equal(found, expected, rtol=RTOL, atol=1e-15)


def test_a_feature_that_is_zero_or_one_in_some_partitions_only():
    """Whether an effect is a difference is a matter of all rows."""
    given = X.copy()
    given[600, 2] = 2.0
    model = LogisticRegression(**TIGHT).fit(given, COUNTS > 0)
    found = model.marginal_effects(chunked(given), at="rows").compute()
    expected = model.marginal_effects(given, at="rows")
    pd.testing.assert_frame_equal(found, expected, rtol=RTOL)
    # The difference is another number, so that the comparison sees it.
    wrong = model.marginal_effects(given[:600], at="rows")
    assert relative_error(wrong["x2"], expected["x2"][:600]) > 1e-3


def test_influence(case, added):
    model, given, parts = case
    here, there = added
    found = model.influence(*parts, **there)
    assert isinstance(found, dd.DataFrame)
    expected = model.influence(*given, **here)
    assert found.columns.tolist() == expected.columns.tolist()
    # Residuals near zero are differences of numbers near one.
    pd.testing.assert_frame_equal(found.compute(), expected, rtol=RTOL, atol=1e-14)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.influence(parts[0] + 1.0, *parts[1:], **there)
    with pytest.raises(ValueError, match="the model was fitted with an offset"):
        model.influence(*parts)


@pytest.mark.parametrize("kind", ["deviance", "pearson", "response"])
def test_residuals_of_a_partition_without_weight(case, added, kind):
    model, given, parts = case
    found = model.residuals(*parts, kind=kind, **added[1])
    expected = model.residuals(*given, kind=kind, **added[0])
    np.testing.assert_allclose(found.compute(), expected, rtol=RTOL, atol=1e-14)


TERMS = {"first": ["c"], "second": ["a", "b"]}


def test_deviance_table(case, added):
    model, given, parts = case
    here, there = added
    expected = model.deviance_table(*given, **here)
    found = model.deviance_table(*parts, **there)
    # What a term explains is a difference of deviances, which have the same digits.
    tolerance = RTOL * expected["residual_deviance"].max()
    pd.testing.assert_frame_equal(found, expected, rtol=1e-8, atol=tolerance)
    offset = here.get("offset", ADDED)

    def blocks():
        for start in range(0, N, 64):
            part = slice(start, start + 64)
            yield *(values[part] for values in given), offset[part]

    streamed = model.deviance_table(RowStream(blocks))
    pd.testing.assert_frame_equal(streamed, expected, rtol=1e-8, atol=tolerance)


@pytest.mark.parametrize("storage", ["frame", "sparse", "float32"])
def test_deviance_tables_of_terms_are_fits_of_their_columns(storage):
    """Against fits to the columns of each term, which share no code with the selection."""
    sparse = pytest.importorskip("scipy.sparse")
    given = X.astype(np.float32) if storage == "float32" else X
    model = Glm("poisson", **TIGHT).fit(FRAME if storage == "frame" else given, COUNTS, WEIGHTS)
    columns = [[2], [2, 0, 1]]
    terms = TERMS if storage == "frame" else {"first": ["x2"], "second": ["x0", "x1"]}
    rows = {"frame": FRAME, "sparse": sparse.csr_array(given), "float32": given}[storage]
    table = model.deviance_table(rows, COUNTS, WEIGHTS, terms=terms)
    for k, part in enumerate(columns):
        smaller = Glm("poisson", **TIGHT).fit(given[:, part], COUNTS, WEIGHTS)
        assert relative_error(table["residual_deviance"].iloc[k + 1], smaller.deviance_) < RTOL
    if storage == "frame":
        frame = dd.from_pandas(FRAME.assign(y=COUNTS, w=WEIGHTS), npartitions=4)
        there = model.deviance_table(frame[["a", "b", "c"]], frame["y"], frame["w"], terms=terms)
        pd.testing.assert_frame_equal(there, table, rtol=1e-8)
        scanned = scan(frame, "y", ["a", "b", "c"], weights="w")
        pd.testing.assert_frame_equal(model.deviance_table(scanned, terms=terms), table, rtol=1e-8)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.deviance_table(chunked(given + 1), chunked(COUNTS), chunked(WEIGHTS), terms=terms)


@pytest.fixture
def no_rows_come_here(monkeypatch):
    """Reading partitions in this process is an error."""

    def walk(self):
        raise AssertionError("a partition was brought to this process")

    monkeypatch.setattr(DaskParts, "walk", walk)


def test_score_is_a_sum_over_partitions(case, added, no_rows_come_here):
    model, given, parts = case
    expected = model.score(*given, **added[0])
    assert abs(model.score(*parts, **added[1]) - expected) < RTOL
    frame = dd.from_pandas(
        FRAME.assign(y=given[1], w=WEIGHTS, added=ADDED, years=np.exp(ADDED)), npartitions=4
    )
    (name,) = added[0]
    column = "added" if name == "offset" else "years"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit had no names
        rows = scan(frame, "y", ["a", "b", "c"], weights="w", **{name: column})
        assert abs(model.score(rows) - expected) < RTOL
    with pytest.raises(ValueError, match="the model was fitted with an offset"):
        model.score(*parts)


def test_score_of_constant_targets(no_rows_come_here):
    """As in memory: one if the predictions are right, zero if not; zero deviances are exact."""
    constant = np.full(N, 3.0)
    for y, expected in ((constant, 1.0), (COUNTS, None)):
        model = Glm("poisson", **TIGHT).fit(X, y)
        found = model.score(chunked(X), chunked(constant))
        assert found == model.score(X, constant) == (0.0 if expected is None else expected)


def test_score_refuses_targets_that_the_family_cannot_have():
    model = Glm("poisson").fit(X, COUNTS)
    y = chunked(np.where(np.arange(N) == 400, -1.0, COUNTS))
    with pytest.raises(ValueError, match=r"y must be .* found -1"):
        model.score(chunked(X), y)


def test_frames_keep_their_index():
    frame = dd.from_pandas(FRAME, npartitions=4)
    y = dd.from_pandas(pd.Series(COUNTS, index=FRAME.index), npartitions=4)
    model = Glm("poisson", **TIGHT).fit(FRAME, COUNTS)
    linear = LinearRegression().fit(FRAME, COUNTS)
    for found, expected in (
        (model.predict_interval(frame), model.predict_interval(FRAME)),
        (model.marginal_effects(frame, at="rows"), model.marginal_effects(FRAME, at="rows")),
        (model.influence(frame, y), model.influence(FRAME, COUNTS)),
        (linear.influence(frame, y), linear.influence(FRAME, COUNTS)),
    ):
        pd.testing.assert_frame_equal(found.compute(), expected, rtol=RTOL, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_with_weights_of_zero_has_a_result_for_every_row(seed):
    """Weights have no part in predictions, wherever they stand."""
    frame = FRAME.reset_index(drop=True).assign(y=COUNTS, w=WEIGHTS)
    model = Glm("poisson").fit(X, COUNTS)
    logistic = LogisticRegression().fit(X, COUNTS > 0)
    tables = [frame, dd.from_pandas(frame, npartitions=3 + seed)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fits had no names
        for table in tables:
            rows = scan(table, features=["a", "b", "c"], weights="w")
            assert relative_error(model.predict_interval(rows), model.predict_interval(X)) < RTOL
            for of in (model, logistic):
                found = of.marginal_effects(rows, at="rows")
                assert relative_error(found, of.marginal_effects(X, at="rows")) < RTOL


# -- outliers --------------------------------------------------------------------------------------


def spoiled(n=N, seed=0):
    rng = np.random.default_rng(seed)
    given = rng.normal(loc=[0.0, 1e5, 0.0], size=(n, 3))
    y = given @ [1.0, 2.0, -1.0] + rng.standard_t(3, n)
    at = rng.choice(n, 5, replace=False)
    y[at] += np.array([30.0, -25, 20, 12, -9])
    return given, y


@pytest.mark.parametrize("weighted", [False, True])
def test_outliers(weighted, no_rows_come_here):
    given, y = spoiled()
    w = WEIGHTS if weighted else None
    model = LinearRegression().fit(given, y, w)
    expected = model.outlier_test(given, y, w)
    found = model.outlier_test(chunked(given), chunked(y), None if w is None else chunked(w))
    assert found.n_tested == expected.n_tested == (N if w is None else np.count_nonzero(w))
    assert found.untested == expected.untested == ()
    all_rows, shown = expected.table, found.table
    # Labels are the numbers of the rows among all of them, in their order.
    assert shown.index.is_monotonic_increasing
    assert set(all_rows.index[all_rows["bonferroni_p"] < 1]) <= set(shown.index)
    assert set(expected.to_frame().index[:10]) <= set(shown.index)
    kept = (all_rows["bonferroni_p"] < 1) | all_rows.index.isin(expected.to_frame().index[:10])
    # Leverages of columns far from zero have 1e-11; p-values have the errors of t times t.
    pd.testing.assert_frame_equal(shown, all_rows[kept], rtol=1e-8, check_index_type=False)
    assert str(found.summary()) == str(expected.summary())
    assert len(shown) < 60


def test_outliers_of_frames_have_labels():
    given, y = spoiled()
    frame = pd.DataFrame(given, columns=list("abc"), index=[f"row {k}" for k in range(N)])
    collection = dd.from_pandas(frame.assign(y=y), npartitions=6, sort=False)
    model = LinearRegression().fit(frame, y)
    found = model.outlier_test(collection[["a", "b", "c"]], collection["y"])
    expected = model.outlier_test(frame, y).to_frame()[:10]
    assert found.to_frame().index[:10].tolist() == expected.index.tolist()
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.outlier_test(collection[["a", "b", "c"]] + 1, collection["y"])


def test_outliers_of_partitions_of_unknown_length_and_without_rows():
    given, y = spoiled()
    keep = chunked(given)[:, 0] > -0.5
    inside = given[:, 0] > -0.5
    model = LinearRegression().fit(given[inside], y[inside])
    rows = [
        da.concatenate([values[:0], values])[da.concatenate([keep[:0], keep])]
        for values in (chunked(given), chunked(y))
    ]
    found = model.outlier_test(*rows)
    expected = model.outlier_test(given[inside], y[inside])
    assert found.to_frame().index[:10].tolist() == expected.to_frame().index[:10].tolist()
    assert found.n_tested == inside.sum()


def test_rows_that_cannot_be_tested():
    given, y = spoiled(40)
    given = np.column_stack([given, np.arange(40) == 17]).astype(float)
    model = LinearRegression().fit(given, y)
    parts = [da.from_array(v, chunks=(9, *v.shape[1:])) for v in (given, y)]
    with pytest.warns(LeverageWarning, match=r"row\(s\) 17 are not tested"):
        found = model.outlier_test(*parts)
    with pytest.warns(LeverageWarning):
        expected = model.outlier_test(given, y)
    assert found.untested == expected.untested == (17,)
    assert found.n_tested == expected.n_tested == 39
    assert found.to_frame().index[:10].tolist() == expected.to_frame().index[:10].tolist()
    # Where most rows determine a parameter alone, a second pass takes those that matter: of twelve
    # large residuals, two or more are wanted by their p-values only.
    n, alone, large = 500, 400, 12
    given = np.column_stack([np.eye(n)[:, :alone], np.cos(np.arange(n))])
    noise = 0.1 * np.random.default_rng(0).normal(size=n)
    noise[-large:] = 3.4 * np.sign(noise[-large:])
    model = LinearRegression(fit_intercept=False).fit(given, noise)
    parts = [da.from_array(v, chunks=(225, *v.shape[1:])) for v in (given, noise)]
    with pytest.warns(LeverageWarning):
        found, expected = model.outlier_test(*parts), model.outlier_test(given, noise)
    assert found.n_tested == expected.n_tested == n - alone
    wanted = expected.table[expected.table["bonferroni_p"] < 1]
    assert len(wanted) >= large
    assert wanted["p_value"].max() > 2 / n
    pd.testing.assert_frame_equal(found.table, wanted, rtol=1e-8, check_index_type=False)


def test_outliers_of_partitions_of_many_blocks():
    given, y = spoiled(72_000)  # blocks have 2¹⁵ rows at the most
    model = LinearRegression().fit(given, y)
    rows = [da.from_array(v, chunks=(36_000, *v.shape[1:])) for v in (given, y)]
    found, expected = model.outlier_test(*rows), model.outlier_test(given, y)
    wanted = expected.table[expected.table["bonferroni_p"] < 1]
    assert 10 < len(wanted) < 1000
    pd.testing.assert_frame_equal(found.table, wanted, rtol=1e-8, check_index_type=False)


def test_no_row_can_be_tested():
    y = np.arange(9.0)
    with pytest.raises(InferenceError):
        LinearRegression(fit_intercept=False).fit(np.eye(9), y).outlier_test(
            da.from_array(np.eye(9), chunks=(3, 9)), da.from_array(y, chunks=3)
        )


def test_the_order_of_merges_does_not_matter():
    """The largest of parts are the largest of all, however the parts are added."""
    rng = np.random.default_rng(0)
    t = rng.standard_t(2, 1000)
    p = np.exp(-np.abs(t))
    labels = pd.RangeIndex(1000)
    none = pd.Index([])

    def found(part):
        return outliers._Found(t[part], p[part], labels[part], len(t[part]), none)

    cuts = [slice(a, b) for a, b in ((0, 7), (7, 500), (500, 501), (501, 1000))]
    parts = [found(part).largest(2e-3) for part in cuts]
    whole = found(slice(0, 1000)).largest(2e-3)
    left = ((parts[0] + parts[1]) + parts[2]) + parts[3]
    right = parts[0] + (parts[1] + (parts[2] + parts[3]))
    for other in (left, right):
        assert other.labels.tolist() == whole.labels.tolist()
        assert other.n_tested == 1000
    assert set(np.argsort(-np.abs(t))[:10]) <= set(whole.labels)
    assert set(np.flatnonzero(p < 2e-3)) <= set(whole.labels)
