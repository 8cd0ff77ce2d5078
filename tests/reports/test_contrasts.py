"""Marginal means and contrasts: published numbers, peers, and averages of predictions."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures
from statsmodels.stats.multicomp import pairwise_tukeyhsd
from statsmodels.stats.multitest import multipletests

from mcmodels import LinearRegression, LogisticRegression, results
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.multiplicity import adjusted_intervals, adjusted_p_values
from tests.reports.brute_force import predicted, replaced, standard_errors
from tests.reports.test_effects import fitted, people, steps, targets


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# R's datasets::warpbreaks: Tippett (1950), Technological Applications of Statistics, p. 106.
WARP = {
    ("A", "L"): [26, 30, 54, 25, 70, 52, 51, 26, 67],
    ("A", "M"): [18, 21, 29, 17, 12, 18, 35, 30, 36],
    ("A", "H"): [36, 21, 24, 18, 10, 43, 28, 15, 26],
    ("B", "L"): [27, 14, 29, 19, 29, 31, 41, 20, 44],
    ("B", "M"): [42, 26, 19, 16, 39, 28, 21, 39, 29],
    ("B", "H"): [20, 21, 24, 17, 13, 15, 15, 16, 28],
}


def warp():
    rows = [(wool, tension, y) for (wool, tension), of in WARP.items() for y in of]
    X = pd.DataFrame(rows, columns=["wool", "tension", "breaks"])
    code = OneHotEncoder(
        categories=[["A", "B"], ["L", "M", "H"]], drop="first", sparse_output=False
    )
    # Products of the levels; that of two levels of tension is zero in every row, and left out.
    crossed = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    pipe = make_pipeline(code, crossed, VarianceThreshold(), LinearRegression())
    y = X.pop("breaks").astype(float)
    return X, y, pipe.fit(X, y)


def test_warpbreaks_has_the_means_and_contrasts_of_emmeans():
    """lm(breaks ~ wool * tension): emmeans' reference pages for as.glht and contrast."""
    X, _, pipe = warp()
    found = results(pipe)
    means = found.marginal_means(X, "tension")
    # A mean has 18 rows, and 5.1573 is the error of a difference between means of 9.
    np.testing.assert_allclose(means["standard_error"], 3 * [5.1573 / 2**0.5 / 2**0.5], rtol=2e-5)
    pairs = found.contrasts(X, "tension", by="wool")
    assert list(pairs.index) == [
        (wool, contrast) for wool in "AB" for contrast in ("M - L", "H - L", "H - M")
    ]
    # To the digits printed, with the sign of level - earlier level.
    printed = {"M - L": -20.5556, "H - L": -20.0, "H - M": 0.5556}
    p = {"M - L": 0.000625, "H - L": 0.000867, "H - M": 0.993622}
    for contrast, estimate in printed.items():
        row = pairs.loc[("A", contrast)]
        assert abs(row["estimate"] - estimate) < 5.1e-5
        assert abs(row["standard_error"] - 5.1573) < 5.1e-5
        # multcomp integrates at random: its digits are good to 1e-4 of the probability.
        assert abs(row["p_value"] - p[contrast]) < 1e-4
    wool_b = pairs.loc["B"]
    np.testing.assert_allclose(wool_b["estimate"], [0.5556, -9.4444, -10.0], atol=5.1e-5)
    alone = found.contrasts(X, "tension", by="wool", adjust=None)
    np.testing.assert_allclose(alone["t"].iloc[:3], [-3.986, -3.878, 0.108], atol=5.1e-4)


def test_tukey_is_that_of_scipy_and_statsmodels():
    """One factor: independent means, of groups of unequal sizes (Tukey and Kramer)."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"group": np.repeat(["a", "b", "c", "d"], [5, 9, 7, 12])})
    y = rng.normal(size=33) + (X["group"] == "c")
    model = make_pipeline(OneHotEncoder(drop="first"), LinearRegression()).fit(X, y)
    found = results(model).contrasts(X, "group")
    peer = pairwise_tukeyhsd(y, X["group"])
    # Quadrature: 1e-8; statsmodels' quantile is solved to about 1e-6.
    np.testing.assert_allclose(found["estimate"], peer.meandiffs, rtol=1e-11)
    np.testing.assert_allclose(found["p_value"], peer.pvalues, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found[["lower", "upper"]], peer.confint, rtol=1e-5, atol=1e-6)
    assert list(found.index) == [f"{b} - {a}" for a, b in itertools.combinations("abcd", 2)]
    narrow = results(model).contrasts(X, "group", level=0.9)
    np.testing.assert_allclose(
        narrow[["lower", "upper"]],
        pairwise_tukeyhsd(y, X["group"], alpha=0.1).confint,
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("how", ["holm", "bonferroni"])
@pytest.mark.parametrize("df", [np.inf, 7.0])
def test_adjusted_p_values_are_those_of_statsmodels(how, df):
    t = np.random.default_rng(1).normal(0, 2, 9)
    estimate = Estimate(t, np.eye(9), tuple("abcdefghi"), df)
    found = adjusted_p_values(estimate, how, 0)
    np.testing.assert_allclose(found, multipletests(estimate.p_values, method=how)[1], rtol=1e-14)
    # An interval leaves out zero where Bonferroni's p-value is below 1 - level.
    simple = np.minimum(9 * estimate.p_values, 1)
    for level in (0.5, 0.9, 0.99):
        ends = adjusted_intervals(estimate, how, 0, level)
        np.testing.assert_array_equal(ends[:, 0] * ends[:, 1] > 0, simple < 1 - level)


def test_tukey_of_normal_statistics_and_tiny_probabilities():
    """With k = 3 and no end of degrees of freedom: tables of q at 5 % say 3.3145."""
    estimate = Estimate(np.array([3.3145 / 2**0.5, 30.0, 0.0]), np.eye(3), tuple("abc"))
    found = adjusted_p_values(estimate, "tukey", 3)
    assert abs(found[0] - 0.05) < 1e-5
    assert found[1] == estimate.p_values[1] > 0  # quadrature says 0, or a rounding error
    assert found[2] == pytest.approx(1.0)
    two = Estimate(np.array([2.0]), np.eye(1), ("a",), 5.0)
    np.testing.assert_array_equal(adjusted_p_values(two, "tukey", 2), two.p_values)


def balanced_mean(rows, values, shares=None):
    """The mean of predictions over a grid by hand: numbers at their means, factors crossed."""
    grid = pd.DataFrame(
        list(itertools.product(["f", "m"], ["north", "south", "west"], [False, True])),
        columns=["sex", "region", "member"],
    )
    for name in ("age", "income", "hours", "urban"):
        grid[name] = rows[name].mean()
    for name, value in values.items():
        grid = (
            grid[grid[name] == value]
            if name in ("sex", "region", "member")
            else replaced(grid, name, value)
        )
    grid = grid[rows.columns]
    others = [name for name in ("sex", "region", "member") if name not in values]
    if shares == "proportional":
        counts = rows.groupby(others).size()
        weights = [counts.get(tuple(row), 0) for row in grid[others].to_numpy()]
        return lambda p: np.average(predicted(p, grid), axis=0, weights=weights)
    return lambda p: predicted(p, grid).mean(axis=0)


@pytest.mark.parametrize("name", ["linear", "counts", "three classes"])
@pytest.mark.parametrize("weights", ["equal", "proportional"])
def test_marginal_means_are_means_of_predictions_over_the_grid(name, weights):
    X, _, pipe = fitted(name)
    table = results(pipe).marginal_means(X, "region", weights=weights)
    covariance = pipe[-1].covariance_
    for region in ("north", "west"):
        function = balanced_mean(X, {"region": region}, weights)
        part = table.xs(region, level="region") if table.index.nlevels > 1 else table.loc[[region]]
        np.testing.assert_allclose(part["estimate"], function(pipe), rtol=1e-12)
        # Differences of predictions over half a standard error, extrapolated: 1e-9.
        wanted = standard_errors(pipe, function, covariance)
        np.testing.assert_allclose(part["standard_error"], wanted, rtol=1e-7)


SLOW = pytest.param("three classes", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["two classes", SLOW])
def test_contrasts_are_differences_of_means(name):
    X, y, pipe = fitted(name)
    found = results(pipe)
    table = found.contrasts(X, "region", by="sex", method="reference", kind="HC1", y=y)
    robust = found.covariance(X, y, kind="HC1")
    one, two = (balanced_mean(X, {"sex": "m", "region": of}) for of in ("west", "north"))

    def function(p):
        return one(p) - two(p)

    part = table.xs(("m", "west - north"), level=["sex", "contrast"])
    np.testing.assert_allclose(part["estimate"], function(pipe), rtol=1e-10)
    wanted = standard_errors(pipe, function, robust)
    np.testing.assert_allclose(part["standard_error"], wanted, rtol=1e-7)
    others = list(table.index.names[:-1])
    families = table.groupby(level=others[0] if len(others) == 1 else others)
    alone = found.contrasts(X, "region", by="sex", method="reference", adjust=None, kind="HC1", y=y)
    for key, family in families:
        p = alone.loc[key, "p_value"]
        wanted = multipletests(p, method="holm")[1]
        np.testing.assert_allclose(family["p_value"], wanted, rtol=1e-12)


def test_methods_and_values_of_numbers():
    X, _, pipe = fitted("linear")
    found = results(pipe)
    after = found.contrasts(X, "region", method="sequential", adjust="bonferroni")
    assert list(after.index) == ["south - north", "west - south"]
    ages = found.contrasts(X, {"age": [3, 5, 7]}, adjust="holm")
    assert list(ages.index) == ["5 - 3", "7 - 3", "7 - 5"]
    means = found.marginal_means(X, {"age": [3, 5, 7], "urban": None})
    assert list(means.index) == list(itertools.product([3, 5, 7], [0, 1]))
    assert any("3 contrasts: holm" in note for note in ages.attrs["notes"])


def test_weights_count_rows_in_means_and_shares():
    X, _, pipe = fitted("two classes")
    weights = np.random.default_rng(5).integers(0, 4, len(X))
    again = X.loc[np.repeat(X.index, weights)]
    for shares in ("equal", "proportional"):
        one = results(pipe).marginal_means(X, "sex", weights=shares, sample_weight=weights)
        two = results(pipe).marginal_means(again, "sex", weights=shares)
        pd.testing.assert_frame_equal(one, two, rtol=1e-10)


def test_arrays_of_numbers_have_means_too():
    rng = np.random.default_rng(0)
    codes, x = rng.integers(0, 3, 50), rng.normal(size=50)
    X = np.column_stack([codes, x])
    y = codes + x + rng.normal(size=50)
    encode = ColumnTransformer([("c", OneHotEncoder(drop="first"), [0]), ("x", "passthrough", [1])])
    found = results(make_pipeline(encode, LinearRegression()).fit(X, y)).marginal_means(X, "x0")
    fit = LinearRegression().fit(np.column_stack([codes == 1, codes == 2, x]), y)
    expected = fit.predict([[0, 0, x.mean()], [1, 0, x.mean()], [0, 1, x.mean()]])
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"variable": "regoin"}, "did you mean 'region'"),
        ({"variable": "age"}, r"'age' is a number; give its values: \{'age': \[1, 2\]\}"),
        ({"variable": {"age": [1, 1]}}, "values of 'age' must differ"),
        ({"variable": {"region": ["west"]}}, "'region' has one level"),
        ({"variable": {"region": ["east", "west"]}}, "'east' is no level of 'region'"),
        ({"variable": "sex", "by": "sex"}, "by and variable both name 'sex'"),
        ({"variable": "region", "method": "dunnett"}, "method='dunnett' is not known"),
        ({"variable": "region", "adjust": "sidak"}, "adjust='sidak' is not known"),
        ({"variable": "region", "adjust": "tukey", "method": "reference"}, "for all pairs"),
        ({"variable": "region", "weights": "outer"}, "weights='outer' is not known"),
        ({"variable": {"sex": None, "region": None}}, "variable must be one input"),
    ],
)
def test_refusals(asked, message):
    X, _, pipe = fitted("linear")
    with pytest.raises(ValueError, match=message):
        results(pipe).contrasts(X, **asked)


def test_penalised_fits_have_intervals_without_tests():
    X = people()
    pipe = make_pipeline(steps(), LogisticRegression(C=1.0)).fit(X, targets(X, "two"))
    found = results(pipe).contrasts(X, "region")
    assert "p_value" not in found
    assert (found["lower"] < found["estimate"]).all()
