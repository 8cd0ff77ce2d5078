"""What steps make of rows of which some columns change, against the steps run on all rows again."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import LinearRegression, results
from mcmodels.inference.row_vectors import RowVectors
from mcmodels.reports import step_changes
from mcmodels.reports.step_changes import Changed, PassedRows, with_columns
from tests.reports.test_step_slopes import DIFFERENCES, EXACT, dense

# A row alone and a row among others are scaled and multiplied by the same operations; splines and
# products of matrices may add in another order: a few units of the last place.
SAME = {"rtol": 1e-13, "atol": 1e-13}


def rows(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.uniform(0.1, 1.0, (n, 3)) * [1.0, 30.0, 0.01], columns=list("uvw"))


def words(n=60, seed=4):
    rng = np.random.default_rng(seed)
    return rows(n, seed).assign(
        sex=rng.choice(["f", "m"], n),
        kind=pd.Categorical(rng.choice(list("abc"), n)),
        grade=rng.integers(1, 4, n),
        known=rng.random(n) > 0.5,
    )


NUMBERS = EXACT | DIFFERENCES
MIXED = {
    "columns": ColumnTransformer(
        [
            ("code", OneHotEncoder(drop="first"), ["sex", "grade", "known"]),
            ("scale", make_pipeline(StandardScaler(), PolynomialFeatures(2)), ["u", "w"]),
            ("rare", OneHotEncoder(min_frequency=25), ["kind"]),
            ("none", "drop", ["v"]),
        ],
        transformer_weights={"scale": 2.0},
        sparse_threshold=0,
    ),
    "columns, sparse": ColumnTransformer(
        [("code", OneHotEncoder(), ["kind", "sex"]), ("rest", "passthrough", ["v"])],
        sparse_threshold=1,
    ),
    "codes, then indicators": make_pipeline(
        ColumnTransformer(
            [("code", OrdinalEncoder(), ["kind", "sex"]), ("rest", "passthrough", ["u", "grade"])]
        ),
        ColumnTransformer([("code", OneHotEncoder(), [0, 3]), ("u", SplineTransformer(3), [2])]),
        FeatureUnion([("all", StandardScaler()), ("some", PCA(2))]),
    ),
    "a column for two": ColumnTransformer(
        [
            ("curve", SplineTransformer(4), ["u"]),
            ("line", FrozenEstimator(StandardScaler().fit(words()[["u", "v"]])), ["u", "v"]),
            ("series", FunctionTransformer(lambda x: np.asarray(x)[:, np.newaxis] ** 2), "u"),
            ("frame", FunctionTransformer(pd.get_dummies), ["kind"]),
        ]
    ),
    "filled": ColumnTransformer(
        [("fill", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["u", "v"])],
        remainder="drop",
    ),
    "frames": ColumnTransformer(
        [
            ("code", OneHotEncoder(sparse_output=False), ["sex"]),
            ("scale", StandardScaler(), list("uvw")),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas"),
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def check(step, X, at, columns, rtol=SAME["rtol"]):
    """The columns that change are found, and no others: all the rest stay as they were."""
    passed = PassedRows([step], X)
    found = passed.changed(Changed(np.array(at), columns))
    after = dense(step.transform(with_columns(X, Changed(np.array(at), columns))))
    made = dense(passed.made).copy()
    made[:, found.at] = dense(found.columns)
    np.testing.assert_allclose(made, after, rtol=rtol, atol=SAME["atol"])
    return found


@pytest.mark.parametrize("form", ["frame", "array"])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_change(name, form):
    step, X = NUMBERS[name], rows(60, 1)
    if form == "array":
        if "columns" in name and "masks" not in name:
            pytest.skip("it takes columns by names")
        X = X.to_numpy()
    if isinstance(step, FrozenEstimator):
        step = FrozenEstimator(StandardScaler().fit(X))
    step = step.fit(X, None)
    others = X[::-1].reset_index(drop=True) if form == "frame" else X[::-1].copy()
    for at in ([1], [2, 0], [0, 1, 2]):
        values = others.iloc[:, at] if form == "frame" else others[:, at]
        check(step, X, at, values)
        check(step, X, at, values[:1])


@pytest.mark.parametrize("name", MIXED)
def test_levels_and_numbers_that_change(name):
    X = words()
    if name == "filled":
        X.loc[:8, "u"] = np.nan
    step = MIXED[name].fit(X)
    others = X[::-1].reset_index(drop=True)
    X.index = others.index = np.random.default_rng(0).permutation(len(X)) + 100
    for at in ([0], [1], [3], [4], [5], [6], [3, 0], [0, 4, 5], [6, 2, 1]):
        check(step, X, at, others.iloc[:, at])
        check(step, X, at, others.iloc[:1, at])


def test_a_level_is_coded_in_one_row_and_nothing_else_is_run(monkeypatch):
    """Otherwise 400,000 rows are coded again for every level of every factor."""
    X = words(200)
    step = MIXED["columns"].fit(X)
    passed = PassedRows([step], X)
    assert passed.made.shape[0] == 200
    heights = []
    transform = OneHotEncoder.transform
    monkeypatch.setattr(
        OneHotEncoder, "transform", lambda self, X: heights.append(len(X)) or transform(self, X)
    )
    monkeypatch.setattr(StandardScaler, "transform", None)
    found = passed.changed(Changed(np.array([3]), X.iloc[:1, [3]]))
    assert heights == [1]
    assert found.at.tolist() == [0]
    assert found.columns.shape == (1, 1)


def test_a_step_that_mixes_columns_and_is_said_not_to_is_seen(monkeypatch):
    monkeypatch.setattr(step_changes, "_BY_COLUMN", (FunctionTransformer,))
    X = rows(60, 1).to_numpy()
    step = FunctionTransformer(
        lambda X: X + X.sum(axis=1, keepdims=True), feature_names_out="one-to-one"
    )
    monkeypatch.setattr(step_changes, "columns_of_each", lambda step, n: [1] * n)
    with pytest.raises(AssertionError):
        check(step.fit(X), X, [1], X[:1, [1]])


@pytest.mark.parametrize("large", [1.0, 1e9])
def test_products_and_sums_are_those_of_all_columns(large):
    """Columns that are replaced may be large: their digits must not stay in the product."""
    rng = np.random.default_rng(3)
    base, at = rng.normal(size=(50, 7)), np.array([5, 1])
    base[:, at] *= large
    c, some = rng.normal(size=(50, 4)), np.flatnonzero(rng.random(50) > 0.4)
    for columns in (rng.normal(size=(50, 2)), rng.normal(size=(1, 2))):
        for of, rest in ((base, base.copy()), (None, np.zeros((50, 7)))):
            u = RowVectors(7, of, at, columns)
            rest[:, at] = columns
            np.testing.assert_array_equal(u.dense(50), rest)
            for params in (rng.normal(size=7), rng.normal(size=(3, 7))):
                # Sums of seven products of numbers near one.
                moved = np.broadcast_to(u.times(params), (rest @ params.T).shape)
                np.testing.assert_allclose(moved, rest @ params.T, rtol=0, atol=1e-14)
            for taken in (slice(None), some):
                weighted = c[taken]
                np.testing.assert_allclose(  # of fifty products
                    u.summed(weighted, taken), weighted.T @ rest[taken], rtol=0, atol=1e-13
                )
    np.testing.assert_array_equal(RowVectors.of(base).dense(50), base)


def test_blocks_do_not_share_what_depends_on_their_rows(monkeypatch):
    """Blocks of one row have columns of one row, which are not those of other blocks."""
    X = words(40)
    y = X["u"] * (X["sex"] == "f") + np.random.default_rng(2).normal(size=40)
    products = make_pipeline(
        ColumnTransformer(
            [("code", OneHotEncoder(drop="first"), ["sex"]), ("u", "passthrough", ["u", "v"])]
        ),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        LinearRegression(),
    ).fit(X, y)
    whole = results(products).marginal_effects(X, by="kind")
    monkeypatch.setattr("mcmodels.reports.input_rows._BLOCK", 1)
    pd.testing.assert_frame_equal(results(products).marginal_effects(X, by="kind"), whole)


def test_sparse_rows_stay_rows():
    X = sparse.csr_array(rows(30, 2).to_numpy())
    step = StandardScaler(with_mean=False).fit(X)
    check(step, X, [2], np.ones((1, 1)))
    check(step, X, [2, 0], sparse.csr_array(X.toarray()[::-1][:, [2, 0]]))


def test_rows_with_values_go_through_the_steps_once(monkeypatch):
    """Not once for each slope at them."""
    X = words(50)
    y = np.random.default_rng(2).normal(size=50)
    steps = make_pipeline(MIXED["columns"], LinearRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a ColumnTransformer of all levels is rank deficient
        found = results(steps.fit(X, y))
    calls = []
    transform = ColumnTransformer.transform
    monkeypatch.setattr(
        ColumnTransformer, "transform", lambda self, X: calls.append(len(X)) or transform(self, X)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.marginal_effects(X, ["u", "w"], at={"sex": ["f", "m"]})
    assert [n for n in calls if n > 1] == [50] * 3  # as they are, and with each of the values
