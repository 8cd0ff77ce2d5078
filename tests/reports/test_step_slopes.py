"""Derivatives of every step that has a rule, against differences of the step itself."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from scipy import stats
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import PCA
from mcmodels.exceptions import InferenceError
from mcmodels.reports import step_slopes
from mcmodels.reports.step_slopes import Told, moved_along
from tests.reports.brute_force import romberg
from tests.versions import AVERAGED_QUANTILES


def rows(n, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.uniform(0, spread, (n, 3)) * [1.0, 30.0, 0.01], columns=list("uvw"))


EXACT = {
    "standard": StandardScaler(),
    "standard without scale": StandardScaler(with_std=False),
    "min-max": MinMaxScaler((-1, 2)),
    "min-max clipped": MinMaxScaler(clip=True),
    "max-abs": MaxAbsScaler(),
    "robust": RobustScaler(),
    "robust without scale": RobustScaler(with_scaling=False),
    "polynomial": PolynomialFeatures(3),
    "interactions": PolynomialFeatures(3, interaction_only=True, include_bias=False),
    "splines": SplineTransformer(4),
    "splines without bias": SplineTransformer(4, include_bias=False),
    "splines continued": SplineTransformer(4, extrapolation="continue"),
    "splines linear": SplineTransformer(4, extrapolation="linear"),
    "splines periodic": SplineTransformer(5, extrapolation="periodic"),
    "splines of degree 1": SplineTransformer(4, degree=1, extrapolation="constant"),
    "splines of degree 2": SplineTransformer(4, degree=2, extrapolation="continue"),
    "splines of degree 0": SplineTransformer(4, degree=0, extrapolation="continue"),
    "splines at quantiles": SplineTransformer(5, knots="quantile", extrapolation="constant"),
    "quantiles": QuantileTransformer(n_quantiles=9),
    "splines, sparse": SplineTransformer(4, sparse_output=True),
    "PCA": PCA(2),
    "PCA whitened": PCA(2, whiten=True),
    "scikit-learn's PCA": sklearn.decomposition.PCA(2, whiten=True),
    "SVD": sklearn.decomposition.TruncatedSVD(2),
    "bins": KBinsDiscretizer(3, **AVERAGED_QUANTILES),
    "binarizer": Binarizer(threshold=0.3),
    "one-hot": OneHotEncoder(handle_unknown="ignore"),
    "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "nothing": FunctionTransformer(),
    "selection": VarianceThreshold(),
    "frozen": FrozenEstimator(StandardScaler()),
    "union": FeatureUnion(
        [
            ("a", StandardScaler()),
            ("b", PolynomialFeatures(2)),
            ("c", "drop"),
            ("d", "passthrough"),
        ],
        transformer_weights={"b": 2.5},
    ),
    "pipeline": make_pipeline(StandardScaler(), "passthrough", PolynomialFeatures(2)),
    "columns": ColumnTransformer(
        [
            ("a", make_pipeline(RobustScaler(), SplineTransformer(4)), ["u", "w"]),
            ("b", "drop", ["v"]),
            ("c", MinMaxScaler(), slice("u", "v")),
        ],
        remainder="passthrough",
        transformer_weights={"c": 3.0},
    ),
    "columns by masks and numbers": ColumnTransformer(
        [("a", StandardScaler(), [True, False, True]), ("b", PolynomialFeatures(2), [-1, 0])]
    ),
}
DIFFERENCES = {
    "logarithm": FunctionTransformer(np.log1p),
    "cubes": FunctionTransformer(lambda X: np.asarray(X) ** 3),
    "power": PowerTransformer(),
    # Beside scikit-learn's own ends of such splines; no row is near a knot.
    "broken line": SplineTransformer(4, degree=1, extrapolation="linear"),
    "inside a union": FeatureUnion([("a", FunctionTransformer(np.exp)), ("b", StandardScaler())]),
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def dense(found):
    found = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(found, dtype=float)


def by_differences(step, X, D):
    """Steps are 2⁻¹⁴ of the columns' spread: shorter than the distance of any row to a knot."""
    scale = np.array([1.0, 30.0, 0.01])
    return romberg(lambda t: dense(step.transform(X + t * D * scale)), 2.0**-14, levels=3)


@pytest.mark.parametrize("form", ["frame", "array"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_derivatives_are_those_of_differences(name, form):
    """Along random directions, at rows within the rows of the fit, and beyond them."""
    step = EXACT[name]
    train, X = rows(60, 1), rows(40, 2, 1.3)
    if "periodic" in name or "continue" in name:
        X -= 0.4 * X.mean()
    if form == "array":
        if isinstance(step, ColumnTransformer) and "masks" not in name:
            pytest.skip("it takes columns by names")
        train, X = train.to_numpy(), X.to_numpy()
    if isinstance(step, FrozenEstimator):
        step = FrozenEstimator(StandardScaler().fit(train))
    step = step.fit(train, None)
    D = np.random.default_rng(3).normal(size=(40, 3))
    told = Told()
    found = moved_along(step, X, D * np.array([1.0, 30.0, 0.01]), told)
    expected = by_differences(step, X, D)
    # Values of size s have rounding errors of 2⁻⁵² s, and steps are 2⁻¹⁶ at the least: 2⁻³⁶ s.
    size = max(np.abs(dense(step.transform(X))).max(), 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=8 * 2.0**-36 * size)
    assert not told.differences
    if not any(of in name for of in ("bins", "binarizer", "hot", "ordinal", "degree 0")):
        assert np.abs(found).max() > 0


@pytest.mark.parametrize("name", DIFFERENCES)
def test_other_steps_are_differentiated_by_differences_and_say_so(name):
    step = DIFFERENCES[name].fit(rows(60, 1).to_numpy())
    X = rows(40, 2).to_numpy() + 0.001
    D = np.random.default_rng(3).normal(size=(40, 3)) * [1.0, 30.0, 0.01]
    told = Told()
    found = moved_along(step, X, D, told)
    # Both are differences: about 1e-11 of the size of the values over the steps.
    expected = romberg(lambda t: dense(step.transform(X + t * D)), 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7 * np.abs(expected).max())
    assert told.differences


def test_at_boundary_knots_the_derivative_is_that_of_the_inside():
    x = np.linspace(0, 1, 11)[:, np.newaxis]
    step = SplineTransformer(3, extrapolation="constant").fit(x)
    told = Told()
    found = moved_along(step, x, np.ones_like(x), told)
    h = 1e-6
    right = (step.transform(x + h) - step.transform(x)) / h
    left = (step.transform(x) - step.transform(x - h)) / h
    # One-sided differences have an error of h times the second derivative, below 100.
    np.testing.assert_allclose(found[0], right[0], atol=1e-4)
    np.testing.assert_allclose(found[-1], left[-1], atol=1e-4)
    assert np.abs(left[0]).max() == 0
    assert np.abs(found[0]).max() > 0.5
    assert told.one_sided == {"SplineTransformer"}


@pytest.mark.parametrize("keep", [False, True])
def test_missing_values_do_not_move(keep):
    X = pd.DataFrame(
        {"a": [1.0, np.nan, 3.0, 4.0], "b": 4 * [np.nan], "c": [1.0, 2.0, np.nan, 5.0]}
    )
    warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, of the empty column
    step = SimpleImputer(add_indicator=True, keep_empty_features=keep).fit(X)
    D = np.ones((4, 3))
    found = moved_along(step, X, D, Told())
    expected = romberg(lambda t: step.transform(X + t * D), 2.0**-4, levels=2)
    # Differences of numbers with few digits are exact.
    np.testing.assert_array_equal(found, expected)


def test_a_planted_error_in_a_rule_is_seen(monkeypatch):
    monkeypatch.setitem(step_slopes.RULES, StandardScaler, lambda step, X, D: D * 1.0001)
    with pytest.raises(AssertionError):
        test_exact_derivatives_are_those_of_differences("standard without scale", "array")


def test_a_step_without_a_derivative_is_refused():
    X = np.array([[0.0], [1.0], [2.0]])
    step = FunctionTransformer(lambda X: np.where(X > 0.5, X, np.nan)).fit(X)
    with pytest.raises(InferenceError, match="FunctionTransformer has no finite derivative"):
        moved_along(step, X, np.ones_like(X), Told())


JUMPS = {
    "floor": (np.floor, [0, 0, 0]),
    "above": (lambda X: 1.0 * (X > 2), [0, 0, 0]),
    "from": (lambda X: 1.0 * (X >= 2), [0, 0, 0]),
    "piece": (lambda X: np.where(X > 2, X**2, X), [1, 1, 6]),
    "single precision": (lambda X: np.asarray(X, dtype=np.float32) ** 2, [2, 4, 6]),
    "corners nearby": (
        lambda X: np.interp(X, [0, 1, 1 + 1e-5, 9], [0, 1, 1.1, 9]),
        [1e4, 7.9 / 8, 7.9 / 8],
    ),
}


@pytest.mark.parametrize("name", JUMPS)
def test_whole_numbers_on_jumps_of_a_function_of_ones_own(name):
    """Derivatives by hand, of the side that has one; differences across a jump were hundreds."""
    function, expected = JUMPS[name]
    X, told = np.array([[1.0], [2.0], [3.0]]), Told()
    found = moved_along(FunctionTransformer(function).fit(X), X, np.ones_like(X), told)
    # Single precision leaves some three digits of a difference; the corner is rounded in its knots.
    tolerance = 1e-3 if name in ("single precision", "corners nearby") else 1e-8
    np.testing.assert_allclose(found[:, 0], expected, rtol=tolerance, atol=1e-8)
    assert bool(told.one_sided) == (name != "single precision")


def test_a_slope_that_grows_without_bound_is_refused():
    X = np.array([[0.0], [1.0], [2.0]])
    with pytest.raises(InferenceError, match="as where it jumps"):
        moved_along(FunctionTransformer(np.sqrt).fit(X), X, np.ones_like(X), Told())


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_slopes_through_quantiles_at_every_row_of_the_fit(distribution):
    """Each row is a quantile; the largest has the derivative of the left, the others the right."""
    x = np.sort(np.random.default_rng(5).exponential(size=60))
    x[20:24] = x[20]  # quantiles that repeat are a jump, and differ by rounding
    step = QuantileTransformer(n_quantiles=60, output_distribution=distribution)
    x = step.fit(x[:, np.newaxis]).quantiles_[:, 0]  # those of the rows but for rounding
    told = Told()
    found = moved_along(step, x[:, np.newaxis], np.ones((1, 1)), told)[:, 0]
    shares = np.arange(60) / 59
    right = np.append(np.arange(1, 60), 58)
    right[20:24] = 24
    from_share = np.where(np.arange(60) == 19, shares[20], shares[right])
    to_share = np.where(np.isin(np.arange(60), range(20, 24)), shares[23], shares)
    expected = (from_share - to_share) / (x[right] - x)
    if distribution == "normal":
        expected[1:59] /= stats.norm.pdf(step.transform(x[:, np.newaxis])[1:59, 0])
        expected[[0, 59]] = 0.0  # where the normal quantiles are cut off
    np.testing.assert_allclose(found, expected, rtol=1e-8)  # values of ppf within 60 roundings
    assert told == Told(one_sided={"QuantileTransformer"})
