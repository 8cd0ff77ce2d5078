"""Effects by input variable: through pipelines, against differences of their own predictions."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    fit_formula,
    results,
    scan,
)
from mcmodels.exceptions import InferenceError
from mcmodels.inference.responses import Means
from mcmodels.reports import step_slopes
from mcmodels.rows import RowStream
from tests.reports.brute_force import (
    moved,
    predicted,
    replaced,
    romberg,
    slopes,
    standard_errors,
)
from tests.rotation import rotated

# Slopes against differences of predictions over steps of 1/16 of a unit: five extrapolated steps
# leave 1e-12 of a smooth function, and rounding, 1e-16/(1/256), as much.
SLOPE = {"rtol": 1e-8, "atol": 1e-11}
# Standard errors have differences of differences: 1e-12 over steps of 1/32 in units of the errors.
ERROR = {"rtol": 1e-7}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def people(n=160, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], n),
            "age": rng.uniform(2.0, 8.0, n),
            "region": rng.choice(["north", "south", "west"], n),
            "income": rng.gamma(4.0, 1.0, n) + 1.0,
            "member": rng.random(n) > 0.4,
            "urban": rng.integers(0, 2, n),
            "hours": rng.normal(35.0, 6.0, n),
        }
    )


def signal(X):
    return (
        0.4 * (X["age"] - 5)
        - 0.1 * (X["age"] - 5) ** 2
        + 0.5 * (X["sex"] == "m")
        - 0.3 * (X["region"] == "west")
        + 0.2 * np.log(X["income"])
        + 0.3 * X["member"]
        + 0.02 * (X["hours"] - 35) * (X["income"] - 5)
        + 0.2 * X["urban"]
    )


def targets(X, kind, seed=1):
    rng = np.random.default_rng(seed)
    eta = signal(X).to_numpy(dtype=float)
    if kind == "linear":
        return eta + rng.normal(size=len(X))
    if kind == "two targets":
        noise = rng.normal(size=(len(X), 2))
        return np.column_stack([eta, 1 - 2 * eta]) + noise @ [[1.0, 0.5], [0.0, 1.0]]
    if kind == "counts":
        return rng.poisson(np.exp(0.5 * eta))
    if kind == "two":
        return np.where(eta + rng.logistic(size=len(X)) > 0, "yes", "no")
    noise = rng.gumbel(size=(len(X), 3))
    return np.array(["a", "b", "c"])[(np.column_stack([0 * eta, eta, -eta]) + noise).argmax(axis=1)]


MODELS = {
    "linear": (LinearRegression(), "linear"),
    "two targets": (LinearRegression(), "two targets"),
    "counts": (GeneralizedLinearRegressor("poisson"), "counts"),
    "gamma without intercept": (
        GeneralizedLinearRegressor("gamma", link="log", fit_intercept=False),
        "positive",
    ),
    "two classes": (LogisticRegression(C=np.inf), "two"),
    "three classes": (LogisticRegression(C=np.inf), "three"),
    "penalised": (LogisticRegression(C=2.0), "two"),
    "own loss": (
        ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)", log_likelihood=True),
        "counts",
    ),
    "own loss in NumPy": (
        ObjectiveRegressor(
            lambda y, eta: np.exp(eta) - y * eta, inverse_link=np.exp, log_likelihood=True
        ),
        "counts",
    ),
}


def steps(*more):
    """Splines, squares with an interaction, factors, and columns that pass."""
    squares = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False))
    return ColumnTransformer(
        [
            ("splines", SplineTransformer(3, include_bias=False), ["age"]),
            ("squares", squares, ["income", "hours"]),
            ("factors", OneHotEncoder(drop="first"), ["sex", "region"]),
            ("rest", "passthrough", ["member", "urban"]),
            *more,
        ]
    )


def fitted(name, X=None, first=None):
    X = people() if X is None else X
    model, kind = MODELS[name]
    y = np.exp(targets(X, "linear") / 3) if kind == "positive" else targets(X, kind)
    return X, y, make_pipeline(first or steps(), clone(model)).fit(X, y)


def inside(X):
    """Rows that are farther from the knots of age than any step."""
    knots = np.array([X["age"].min(), (X["age"].min() + X["age"].max()) / 2, X["age"].max()])
    return X[np.abs(X["age"].to_numpy()[:, np.newaxis] - knots).min(axis=1) > 0.07]


def of(table, *keys):
    """The estimates of an effect, one an output, and their errors."""
    names = [name for name in table.index.names if name in ("variable", "effect")]
    part = table.xs(keys, level=names)
    return part["estimate"].to_numpy(), part["standard_error"].to_numpy()


def average(function, weights=None):
    return lambda pipe: np.average(function(pipe), axis=0, weights=weights)


FACTORS = [
    ("sex", "f", "m"),
    ("region", "north", "south"),
    ("region", "north", "west"),
    ("member", False, True),
    ("urban", 0, 1),
]


@pytest.mark.parametrize("name", MODELS)
def test_effects_and_errors_are_those_of_the_predictions(name):
    X, _, pipe = fitted(name)
    rows = inside(X)
    table = results(pipe).marginal_effects(rows)
    covariance = pipe[-1].covariance_
    for number in ("age", "income", "hours"):
        function = average(lambda p, number=number: slopes(p, rows, number, 2.0**-4))
        estimate, error = of(table, number, "slope")
        np.testing.assert_allclose(estimate, function(pipe), **SLOPE)
        # The columns of hours are made as those of income are; errors of splines are seen in one.
        if number == "income" or (number == "age" and name == "counts"):
            found = standard_errors(pipe, function, covariance)
            np.testing.assert_allclose(error, found, **ERROR)
    for factor, low, high in FACTORS:
        function = average(
            lambda p, factor=factor, low=low, high=high: (
                predicted(p, replaced(rows, factor, high))
                - predicted(p, replaced(rows, factor, low))
            )
        )
        estimate, error = of(table, factor, f"{high} - {low}")
        # The same predictions, added in another order.
        np.testing.assert_allclose(estimate, function(pipe), rtol=1e-11, atol=1e-14)
        if high == "west":
            found = standard_errors(pipe, function, covariance)
            np.testing.assert_allclose(error, found, **ERROR)
    assert ("p_value" in table) == (name != "penalised")
    outputs = {"two targets": 2, "three classes": 3}.get(name, 1)
    assert len(table) == 8 * outputs


@pytest.mark.parametrize("name", ["linear", "counts", "three classes"])
def test_weighted_averages_by_group_at_values(name):
    X, _, pipe = fitted(name)
    rows = inside(X)
    weights = np.random.default_rng(5).integers(0, 4, len(rows)).astype(float)
    table = results(pipe).marginal_effects(
        rows, "income", by="region", at={"sex": ["m", "f"], "hours": 30}, sample_weight=weights
    )
    outputs = len(table) // 6
    assert outputs == {"three classes": 3}.get(name, 1)
    for sex in "m":
        for region in ("north", "west"):
            taken = (rows["region"] == region).to_numpy()
            held = replaced(replaced(rows[taken], "sex", sex), "hours", 30.0)
            function = average(lambda p, h=held: slopes(p, h, "income", 2.0**-4), weights[taken])
            estimate, error = of(
                table.xs((sex, region), level=["sex", "region"]), "income", "slope"
            )
            np.testing.assert_allclose(estimate, function(pipe), **SLOPE)
            found = standard_errors(pipe, function, pipe[-1].covariance_)
            np.testing.assert_allclose(error, found, **ERROR)


@pytest.mark.parametrize("name", ["linear", "counts", "two classes", "own loss"])
def test_means_take_means_of_inputs_and_the_most_frequent_levels(name):
    X, _, pipe = fitted(name)
    weights = np.random.default_rng(5).integers(0, 4, len(X)).astype(float)
    table = results(pipe).marginal_effects(X, at="means", sample_weight=weights)
    counted = X.loc[np.repeat(X.index, weights.astype(int))]
    row = X.iloc[[0]].copy()
    for column in ("age", "income", "hours"):
        row[column] = counted[column].mean()
    row["urban"] = counted["urban"].mean()
    for column in ("sex", "region", "member"):
        row[column] = counted[column].value_counts().index[0]
    function = average(lambda p: slopes(p, row, "income", 2.0**-4))
    estimate, error = of(table, "income", "slope")
    np.testing.assert_allclose(estimate, function(pipe), **SLOPE)
    np.testing.assert_allclose(
        error, standard_errors(pipe, function, pipe[-1].covariance_), **ERROR
    )


THREE = pytest.param("three classes", marks=pytest.mark.slow)  # other tests have them, too


@pytest.mark.parametrize("name", ["counts", "two classes", THREE])
def test_elasticities_are_slopes_of_logarithms(name):
    X, _, pipe = fitted(name)
    rows = inside(X)
    table = results(pipe).marginal_effects(rows, measure="elasticity")
    assert set(table.index.get_level_values("variable")) == {"age", "income", "hours"}
    changed = {}
    for number in ("age", "income"):

        def elasticity(p, number=number):
            def along(t):
                if (number, t) not in changed:
                    changed[number, t] = rows.assign(**{number: rows[number] * np.exp(t)})
                return np.log(predicted(p, changed[number, t]))

            return romberg(along, 2.0**-7)  # age moves by less than 0.07

        function = average(elasticity)
        estimate, error = of(table, number, "elasticity")
        # Steps are 2⁻¹¹ at the least: rounding is 1e-16/2⁻¹¹ of the logarithms, which are about 1.
        np.testing.assert_allclose(estimate, function(pipe), rtol=1e-8, atol=1e-11)
        found = standard_errors(pipe, function, pipe[-1].covariance_)
        np.testing.assert_allclose(error, found, rtol=1e-7)


@pytest.mark.parametrize("name", ["linear", "three classes", "gamma without intercept"])
def test_comparisons_and_predictions(name):
    X, y, pipe = fitted(name)
    found = results(pipe)
    asked = {"income": 2, "age": (3, 6.5), "region": ("west", "south"), "hours": None}
    table = found.marginal_effects(X, asked, measure="comparison")
    cases = {
        ("income", "+2"): lambda p: predicted(p, moved(X, "income", 2)) - predicted(p, X),
        ("hours", "+1"): lambda p: predicted(p, moved(X, "hours", 1)) - predicted(p, X),
        ("age", "6.5 - 3"): lambda p: (
            predicted(p, replaced(X, "age", 6.5)) - predicted(p, replaced(X, "age", 3))
        ),
        ("region", "south - west"): lambda p: (
            predicted(p, replaced(X, "region", "south"))
            - predicted(p, replaced(X, "region", "west"))
        ),
    }
    kind = "HC1"
    robust = found.covariance(X, y, kind=kind)
    again = found.marginal_effects(X, asked, measure="comparison", kind=kind, y=y)
    for key, function in cases.items():
        estimate, error = of(table, *key)
        np.testing.assert_allclose(estimate, average(function)(pipe), rtol=1e-11, atol=1e-14)
        wanted = standard_errors(pipe, average(function), pipe[-1].covariance_)
        np.testing.assert_allclose(error, wanted, **ERROR)
        if key[0] in ("income", "region"):  # a step, and a difference
            estimate, error = of(again, *key)
            wanted = standard_errors(pipe, average(function), robust)
            np.testing.assert_allclose(error, wanted, **ERROR)
    table = found.predictions(X, at={"sex": "m"}, by=["region"])
    for region in ("north", "south", "west"):
        held = replaced(X[X["region"] == region], "sex", "m")
        function = average(lambda p, held=held: predicted(p, held))
        part = table.loc[[region]]
        np.testing.assert_allclose(part["estimate"], function(pipe), rtol=1e-12)
        wanted = standard_errors(pipe, function, pipe[-1].covariance_)
        np.testing.assert_allclose(part["standard_error"], wanted, **ERROR)


def test_rows_have_their_own_effects():
    X, _, pipe = fitted("three classes")
    rows = inside(X)
    table = results(pipe).marginal_effects(rows, at="rows")
    assert table.index.equals(rows.index)
    brute = slopes(pipe, rows, "income", 2.0**-4)
    found = np.column_stack([table[label, "income", "slope"] for label in pipe.classes_])
    np.testing.assert_allclose(found, brute, **SLOPE)


def test_offsets_are_part_of_the_predictions():
    X = people()[["age", "income"]]
    exposure = np.random.default_rng(7).uniform(0.5, 3.0, len(X))
    y = np.random.default_rng(8).poisson(exposure * np.exp(0.1 * X["age"]))
    model = GeneralizedLinearRegressor("poisson").fit(X, y, exposure=exposure)
    table = results(model).marginal_effects(X, exposure=exposure)
    slope = model.predict(X, exposure=exposure).mean() * model.coef_
    np.testing.assert_allclose(table["estimate"], slope, rtol=1e-12)
    own = model.marginal_effects(X, exposure=exposure)
    np.testing.assert_allclose(table["standard_error"], own["standard_error"], rtol=1e-9)
    means = results(model).marginal_effects(X, at="means", exposure=exposure)
    own = model.marginal_effects(X, at="means", exposure=exposure)
    np.testing.assert_allclose(means.to_numpy(), own.to_numpy(), rtol=1e-9)
    with pytest.raises(ValueError, match="pass that of these rows"):
        results(model).marginal_effects(X)
    with pytest.raises(TypeError, match="Did you mean 'exposure'"):
        results(model).marginal_effects(X, exposures=exposure)


@pytest.mark.parametrize("at", ["average", "means"])
@pytest.mark.parametrize("far", [0.0, 2000.0])
def test_a_model_alone_has_the_effects_of_its_own_method(at, far):
    """Two formulas: the model's centred one, and that of parts."""
    X = people()[["age", "income", "urban"]].assign(age=lambda X: X["age"] + far)
    y = targets(people(), "three")
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = results(model).marginal_effects(X, at=at)
    own = model.marginal_effects(X, at=at)
    # Far from zero, predictions have lost 2000·2⁻⁵² of each linear predictor.
    rtol = 1e-9 if far == 0 else 1e-7
    np.testing.assert_allclose(found.to_numpy(), own.to_numpy(), rtol=rtol, atol=1e-12)


def test_an_interaction_has_the_margins_of_stata():
    """``reg mpg cyl c.hp##c.wt`` and ``logit am cyl c.hp##c.wt``, then ``margins, dydx(*)``.

    As printed in the vignette "Stata" of the R package margins 0.3, with statistics t and z.
    """
    cars = pd.read_csv("datasets/mtcars.csv")
    X = cars[["cyl", "hp", "wt"]].astype(float)
    crossed = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    design = ColumnTransformer(
        [("hp * wt", crossed, ["hp", "wt"]), ("cyl", "passthrough", ["cyl"])]
    )
    pipe = make_pipeline(design, LinearRegression()).fit(X, cars["mpg"])
    found = results(pipe).marginal_effects(X)
    printed = {
        "cyl": [-0.3652391, 0.5086204, -1.408842, 0.6783638],
        "hp": [-0.0252715, 0.0105097, -0.0468357, -0.0037073],
        "wt": [-3.837584, 0.6730996, -5.21867, -2.456498],
    }
    columns = ["estimate", "standard_error", "lower", "upper"]
    for name, numbers in printed.items():
        # Half a unit of the last of seven digits, or of the seventh decimal.
        wanted = np.array(numbers)
        np.testing.assert_allclose(
            found.loc[(name, "slope"), columns], wanted, rtol=2e-7, atol=6e-8
        )
    pipe = make_pipeline(design, StandardScaler(), LogisticRegression(C=np.inf)).fit(X, cars["am"])
    found = results(pipe).marginal_effects(X)
    printed = {
        "cyl": [0.0215633, 0.0492676, -0.0749994, 0.1181261],
        "hp": [0.0026673, 0.0023004, -0.0018414, 0.007176],
        "wt": [-0.5157922, 0.2685806, -1.042201, 0.0106162],
    }
    for name, numbers in printed.items():
        wanted = np.array(numbers)
        np.testing.assert_allclose(
            found.loc[(name, "slope"), columns], wanted, rtol=5e-7, atol=6e-8
        )


@pytest.mark.parametrize("margin", ["overall", "mean"])
def test_plain_columns_have_the_margins_of_statsmodels(margin):
    import statsmodels.api as sm

    X = people()[["age", "income", "hours"]]
    y = (targets(people(), "two") == "yes").astype(int)
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = results(model).marginal_effects(X, at="means" if margin == "mean" else "average")
    peer = sm.Logit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14).get_margeff(at=margin)
    # Both solve to rounding; statsmodels inverts a Hessian of condition 1e5.
    np.testing.assert_allclose(found["estimate"], peer.margeff, rtol=1e-8)
    np.testing.assert_allclose(found["standard_error"], peer.margeff_se, rtol=1e-8)
    np.testing.assert_allclose(found["p_value"], peer.pvalues, rtol=1e-7)
    elastic = results(model).marginal_effects(X, measure="elasticity")
    peer = sm.Logit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14).get_margeff(method="eyex")
    np.testing.assert_allclose(elastic["estimate"], peer.margeff, rtol=1e-8)
    np.testing.assert_allclose(elastic["standard_error"], peer.margeff_se, rtol=1e-8)


def test_streams_and_other_storage_have_the_same_effects():
    X, y, pipe = fitted("counts")
    weights = np.random.default_rng(5).integers(1, 4, len(X)).astype(float)
    found = results(pipe)
    whole = found.marginal_effects(X, by="region", sample_weight=weights)
    stream = RowStream(
        lambda: ((X[k : k + 33], y[k : k + 33], weights[k : k + 33]) for k in range(0, len(X), 33))
    )
    # Sums in another order.
    parts = found.marginal_effects(stream, by="region")
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-10)
    numbers = X[["age", "income", "urban"]]
    model = LinearRegression().fit(numbers, y)
    table = scan(numbers.assign(y=y), "y", list(numbers.columns))
    pd.testing.assert_frame_equal(
        results(model).marginal_effects(table), results(model).marginal_effects(numbers), rtol=1e-10
    )
    model = LinearRegression().fit(numbers.to_numpy(), y)
    dense = results(model).marginal_effects(numbers.to_numpy())
    thin = results(model).marginal_effects(sparse.csr_array(numbers.to_numpy()))
    pd.testing.assert_frame_equal(thin, dense)
    assert list(dense.index) == [("x0", "slope"), ("x1", "slope"), ("x2", "1 - 0")]


DASK = {
    "average": lambda of, X, y, w: of.marginal_effects(X),
    "by group": lambda of, X, y, w: of.marginal_effects(X, "age", by="region", sample_weight=w),
    "by labels": lambda of, X, y, w: of.predictions(X, by=w),
    "at means": lambda of, X, y, w: of.marginal_effects(X, at="means", sample_weight=w),
    "at values": lambda of, X, y, w: of.predictions(X, at={"sex": ["m", "f"], "age": 4}),
    "rows": lambda of, X, y, w: of.marginal_effects(X, at="rows"),
    "means": lambda of, X, y, w: of.marginal_means(X, "region", weights="proportional"),
    "contrasts": lambda of, X, y, w: of.contrasts(X, "region", sample_weight=w),
    "robust": lambda of, X, y, w: of.marginal_effects(X, "income", kind="HC1", y=y),
}


@pytest.mark.parametrize("asked", DASK)
def test_frames_of_dask_have_the_effects_of_rows_in_memory(asked):
    frames = pytest.importorskip("dask.dataframe")
    X, y, pipe = fitted("counts")
    w = pd.Series(np.random.default_rng(5).integers(0, 3, len(X)).astype(float), name="w")
    X = X.assign(region=X["region"].where(X.index < 50, "west"))  # not every level in every part
    found = results(pipe)
    # The model is that of other rows; for a robust covariance it must be that of these.
    found = results(clone(pipe).fit(X, y)) if asked == "robust" else found
    of_dask = [frames.from_pandas(part, npartitions=4) for part in (X, pd.Series(y), w)]
    # Sums in another order.
    pd.testing.assert_frame_equal(
        DASK[asked](found, *of_dask), DASK[asked](found, X, y, w), rtol=1e-12, atol=1e-14
    )


def test_a_formula_takes_frames_of_dask_partition_by_partition():
    pytest.importorskip("formulaic")
    frames = pytest.importorskip("dask.dataframe")
    X = people(60).assign(y=targets(people(60), "counts"), years=np.linspace(1, 2, 60))
    X.loc[12:33, "age"] = np.nan  # a whole partition, and parts of others
    parts = frames.from_pandas(X, npartitions=4)
    model = GeneralizedLinearRegressor("poisson")
    fit = fit_formula("y ~ age*region", X, model, exposure="years", na="drop")
    for asked in ({"by": "sex", "sample_weight": "urban"}, {"at": "rows"}, {"at": "means"}):
        pd.testing.assert_frame_equal(
            results(fit).marginal_effects(parts, **asked),
            results(fit).marginal_effects(X, **asked),
            rtol=1e-12,
        )
    with pytest.raises(InferenceError, match=r"with_covariance\(X.compute\(\), kind"):
        results(fit).marginal_effects(parts, kind="HC1")


def test_arrays_beside_frames_of_dask_are_refused():
    frames = pytest.importorskip("dask.dataframe")
    X, _, pipe = fitted("counts")
    parts = frames.from_pandas(X, npartitions=2)
    with pytest.raises(TypeError, match="sample_weight is a ndarray, and X a collection of Dask"):
        results(pipe).predictions(parts, sample_weight=np.ones(len(X)))
    with pytest.raises(TypeError, match="by is a Series, and X a collection of Dask"):
        results(pipe).predictions(parts, by=X["sex"])


def test_weights_count_rows():
    X, _, pipe = fitted("two classes")
    weights = np.random.default_rng(5).integers(0, 4, len(X))
    found = results(pipe)
    for at in ("average", "means"):
        weighted = found.marginal_effects(X, at=at, sample_weight=weights)
        repeated = found.marginal_effects(X.loc[np.repeat(X.index, weights)], at=at)
        pd.testing.assert_frame_equal(weighted, repeated, rtol=1e-10)


def test_steps_without_a_derivative_are_named():
    first = steps(("log", FunctionTransformer(np.log), ["income"]))
    X, _, pipe = fitted("linear", first=first)
    rows = inside(X)
    table = results(pipe).marginal_effects(rows)
    estimate, _ = of(table, "income", "slope (differences)")
    brute = slopes(pipe, rows, "income", 2.0**-4).mean()
    np.testing.assert_allclose(estimate, brute, rtol=1e-8)
    assert ("hours", "slope") in table.index
    assert any("FunctionTransformer" in note for note in table.attrs["notes"])
    assert any("SplineTransformer" in note for note in table.attrs["notes"])


def test_an_unknown_step_of_raw_columns_takes_numbers_and_factors():
    """Such as a formula: one step that reads names, and remembers its levels."""

    def design(X):
        sex = (X["sex"].to_numpy() == "m").astype(float)
        age = X["age"].to_numpy()
        return np.column_stack([age, age**2, sex, sex * age])

    X = people()[["sex", "age"]]
    y = targets(people(), "counts")
    pipe = make_pipeline(FunctionTransformer(design), GeneralizedLinearRegressor("poisson"))
    table = results(pipe.fit(X, y)).marginal_effects(X)
    assert list(table.index) == [("sex", "m - f"), ("age", "slope (differences)")]
    brute = slopes(pipe, X, "age", 2.0**-4).mean()
    np.testing.assert_allclose(table["estimate"].iloc[1], brute, rtol=1e-8)


def test_a_curve_through_the_steps_is_not_a_line():
    """x and x² as two inputs have two effects; through the step there is one."""
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"age": rng.uniform(-1, 3, 400)})
    y = (0.3 * x["age"] + 0.4 * x["age"] ** 2 + rng.logistic(size=400) > 0).astype(int)
    curve = make_pipeline(PolynomialFeatures(2, include_bias=False), LogisticRegression(C=np.inf))
    found = results(curve.fit(x, y)).marginal_effects(x)
    brute = slopes(curve, x, "age", 2.0**-4).mean()
    np.testing.assert_allclose(found["estimate"], [brute], **SLOPE)
    flat = LogisticRegression(C=np.inf).fit(x.assign(square=x["age"] ** 2), y)
    apart = flat.marginal_effects(x.assign(square=x["age"] ** 2))
    assert abs(apart["coefficient"].iloc[0] - brute) > 0.01


def test_default_encoders_have_their_first_level_for_baseline():
    X, y = people(), targets(people(), "counts")
    encoder = ColumnTransformer([("code", OneHotEncoder(), ["region"])], remainder="drop")
    model = GeneralizedLinearRegressor("poisson", fit_intercept=False)
    found = results(make_pipeline(encoder, model).fit(X, y)).marginal_effects(X)
    means = pd.Series(y).groupby(X["region"].to_numpy()).mean()
    assert list(found.index) == [("region", "south - north"), ("region", "west - north")]
    # A fit of group means ends within 1e-8 of them.
    expected = [means["south"] - means["north"], means["west"] - means["north"]]
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-7, atol=1e-8)
    dropped = ColumnTransformer([("code", OneHotEncoder(drop=["west"]), ["region"])])
    model = GeneralizedLinearRegressor("poisson")
    found = results(make_pipeline(dropped, model).fit(X, y)).marginal_effects(X)
    assert list(found.index) == [("region", "north - west"), ("region", "south - west")]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"variables": "agee"}, "variables: X has no input 'agee'; did you mean 'age'"),
        ({"variables": "id"}, "no step passes 'id' on to the model"),
        ({"by": "regoin"}, "by: X has no input 'regoin'; did you mean 'region'"),
        ({"at": {"sexx": "m"}}, "at: X has no input 'sexx'; did you mean 'sex'"),
        ({"at": {"sex": "x"}}, "'x' is no level of 'sex' that was seen in fitting; there are f, m"),
        ({"at": {"age": "old"}}, "'age' is a number; found 'old'"),
        ({"at": {"age": []}}, "at has no value of 'age'"),
        ({"at": "mean"}, "at='mean' is not known"),
        ({"measure": "slopes"}, "measure='slopes' is not known"),
        ({"variables": {"age": 2}}, "variables as a dict says how much inputs change"),
        ({"variables": {"sex": 1}, "measure": "comparison"}, "'sex' is a factor; give two"),
        ({"variables": "sex", "measure": "elasticity"}, "'sex' is a factor, and has no elasticity"),
        ({"variables": {"age": (1, 2, 3)}, "measure": "comparison"}, "from one value to another"),
        ({"by": "sex", "at": {"sex": ["m", "f"]}}, "at and by both name 'sex'"),
        ({"by": np.zeros(3)}, "by has 3 entries, and X has 160 rows"),
        ({"kind": "HC1"}, "kind='HC1' reads the training rows again"),
        (
            {"at": "rows", "y": np.zeros(160)},
            "at='rows' takes no mean and has no interval; leave y",
        ),
        ({"at": "rows", "by": "sex"}, "at='rows' takes no mean and has no interval; leave by out"),
        ({"level": 2}, "level=2"),
    ],
)
def test_refusals(asked, message):
    X = people().assign(id=np.arange(160))
    y = targets(X, "linear")
    pipe = make_pipeline(steps(), LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match=message):
        results(pipe).marginal_effects(X, **asked)


def test_elasticities_of_predictions_below_zero_are_refused():
    X, _, pipe = fitted("linear")
    with pytest.raises(ValueError, match="an elasticity is a slope of logarithms"):
        results(pipe).marginal_effects(X, "age", measure="elasticity")


def test_components_predict_nothing():
    X = people()[["age", "income"]]
    with pytest.raises(ValueError, match="PCA predicts nothing"):
        results(PCA(1).fit(X)).marginal_effects(X)


def test_clusters_and_searches_and_targets():
    X, y, pipe = fitted("linear")
    groups = np.random.default_rng(4).integers(0, 20, len(X))
    found = results(pipe)
    table = found.marginal_effects(X, "income", kind="cluster", groups=groups, y=y)
    robust = found.covariance(X, y, kind="cluster", groups=groups)
    rows = inside(X)
    part = found.marginal_effects(rows, "income", at="means")
    assert part.shape == table.shape

    def function(p):
        return slopes(p, X, "income", 2.0**-4).mean(axis=0)

    wanted = standard_errors(pipe, function, robust)
    np.testing.assert_allclose(table["standard_error"], wanted, **ERROR)
    cut = GridSearchCV(pipe, {"linearregression__fit_intercept": [True]}, cv=2).fit(X, y)
    noted = results(cut).marginal_effects(X, "income")
    pd.testing.assert_frame_equal(noted, found.marginal_effects(X, "income"))
    assert any("GridSearchCV has chosen this model" in note for note in noted.attrs["notes"])


@pytest.mark.parametrize("form", ["polars", "arrow"])
def test_other_tables(form):
    X, _, pipe = fitted("linear")
    table = (
        pytest.importorskip("polars").from_pandas(X)
        if form == "polars"
        else pytest.importorskip("pyarrow").Table.from_pandas(X)
    )
    found = results(pipe)
    pd.testing.assert_frame_equal(
        found.marginal_effects(table, by="sex"), found.marginal_effects(X, by="sex")
    )


def test_a_planted_error_is_seen(monkeypatch):
    """A Jacobian without the curvature of the response, or slopes of the columns alone."""
    monkeypatch.setattr(Means, "curvatures", lambda self, eta: iter([np.zeros((len(eta), 1, 1))]))
    with pytest.raises(AssertionError):
        test_effects_and_errors_are_those_of_the_predictions("counts")
    monkeypatch.undo()
    rule = step_slopes.RULES[PolynomialFeatures]
    monkeypatch.setitem(
        step_slopes.RULES,
        PolynomialFeatures,
        lambda step, X, D: rule(step, X, D) * (step.powers_.sum(axis=1) == 1),
    )
    with pytest.raises(AssertionError):
        test_effects_and_errors_are_those_of_the_predictions("linear")


def test_categories_of_pandas_keep_their_order():
    X = people()[["age", "region"]]
    X["region"] = pd.Categorical(X["region"], ["west", "south", "north"])
    y = targets(people(), "linear")
    code = ColumnTransformer(
        [("code", FunctionTransformer(pd.get_dummies), ["region"]), ("age", "passthrough", ["age"])]
    )
    pipe = make_pipeline(code, LinearRegression(fit_intercept=False)).fit(X, y)
    found = results(pipe).marginal_effects(X, "region")
    assert list(found.index) == [("region", "south - west"), ("region", "north - west")]
    assert list(results(pipe).predictions(X, by="region").index.get_level_values(0)) == [
        "west",
        "south",
        "north",
    ]


def test_a_text_of_many_levels_is_not_taken_for_a_factor():
    X = people().assign(note=[f"{k} of many" for k in range(160)])
    words = ColumnTransformer(
        [("words", CountVectorizer(max_features=1), "note"), ("age", "passthrough", ["age"])]
    )
    pipe = make_pipeline(words, LinearRegression(fit_intercept=False))
    found = results(pipe.fit(X, targets(X, "linear")))
    with pytest.raises(ValueError, match="'note' has 160 levels; name variables"):
        found.marginal_effects(X)
    table = found.marginal_effects(X, "age")
    np.testing.assert_allclose(table["estimate"], pipe[-1].coef_[1], rtol=1e-12)


def test_frames_between_the_steps():
    X, y, pipe = fitted("linear")
    other = steps().set_params(factors=OneHotEncoder(drop="first", sparse_output=False))
    framed = make_pipeline(other, LinearRegression()).set_output(transform="pandas").fit(X, y)
    # The same columns, but for the order of additions in the fit.
    pd.testing.assert_frame_equal(
        results(framed).marginal_effects(X), results(pipe).marginal_effects(X), rtol=1e-8
    )


def test_missing_numbers_are_imputed_and_do_not_move():
    X, y = people()[["income", "sex"]], targets(people(), "linear")
    X.loc[X.index[:9], "income"] = np.nan
    fill = SimpleImputer(add_indicator=True)
    design = ColumnTransformer(
        [("fill", fill, ["income"]), ("code", OneHotEncoder(drop="first"), ["sex"])]
    )
    pipe = make_pipeline(design, LinearRegression()).fit(X, y)
    table = results(pipe).marginal_effects(X)
    brute = slopes(pipe, X, "income", 2.0**-4).mean(axis=0)
    np.testing.assert_allclose(of(table, "income", "slope")[0], brute, **SLOPE)
    np.testing.assert_allclose(brute, pipe[-1].coef_[0] * 151 / 160, rtol=1e-10)


NAMED = ("target", "class", "variable", "effect", "prediction", "contrast", "group")


@pytest.mark.parametrize(("input_name", "name"), rotated(NAMED, ["two targets", "three classes"]))
def test_inputs_may_be_called_as_the_levels_of_tables_are(name, input_name):
    """No table has two levels of one name, and the numbers are those of any other name."""
    X = people(60)[["sex", "age"]]
    model, kind = MODELS[name]
    y = targets(people(60), kind)
    code = ColumnTransformer([("code", OneHotEncoder(), [0])], remainder="passthrough")

    def asked(X, factor):
        fit = make_pipeline(clone(code), clone(model).set_params(fit_intercept=False)).fit(X, y)
        found = results(fit)
        return [
            found.predictions(X, by=factor),
            found.predictions(X, at={factor: ["m", "f"]}),
            found.marginal_effects(X, by=factor),
            found.marginal_effects(X),
            found.marginal_means(X, factor),
            found.contrasts(X, factor),
            found.contrasts(X, {"age": [3, 4]}, by=factor),
            found.marginal_effects(X, at="rows").T,
        ]

    renamed = X.rename(columns={"sex": input_name})
    for ours, plain in zip(asked(renamed, input_name), asked(X, "sex"), strict=True):
        assert len(set(ours.index.names)) == ours.index.nlevels
        np.testing.assert_array_equal(ours.to_numpy(), plain.to_numpy())
        if "class" in plain.index.names and input_name == "class" and "sex" in plain.index.names:
            assert "predicted class" in ours.index.names
