"""What is drawn are the numbers of the package: artists against its methods, and formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from sklearn.compose import TransformedTargetRegressor

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    results,
)
from mcmodels.plots import (
    BiplotDisplay,
    CalibrationDisplay,
    CoefficientDisplay,
    CurvatureDisplay,
    EffectDisplay,
    InfluenceDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    ScreeDisplay,
    SeparationDisplay,
)
from tests.plots import displays


def segments(collection):
    return np.array(collection.get_segments())


def band(collection):
    """Lower and upper ends of a filled band, in the order of x."""
    vertices = collection.get_paths()[0].vertices
    found = pd.DataFrame(vertices, columns=["x", "y"]).groupby("x")["y"]
    return found.min().to_numpy(), found.max().to_numpy()


@pytest.mark.parametrize("kind", [None, "HC3"])
def test_coefficients_are_those_of_the_summary(kind):
    model, X, y = displays.linear()
    rows = {} if kind is None else {"X": X, "y": y, "kind": kind}
    display = CoefficientDisplay.from_estimator(model, **rows, level=0.9, intercept=True)
    expected = model.summary(**rows, level=0.9).tables[""]
    assert display.names_ == list(expected.index)
    bars = segments(display.ax_.collections[0])
    np.testing.assert_array_equal(bars[:, :, 0], expected[["lower", "upper"]])
    np.testing.assert_array_equal(display.ax_.lines[0].get_xdata(), expected["coefficient"])
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == display.names_


def test_the_intercept_is_left_out_above_auxiliary_parameters():
    _, X, y = displays.linear()
    loss = "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2"
    model = ObjectiveRegressor(loss, auxiliary={"log_sigma": 0.0}, log_likelihood=True).fit(X, y)
    names = list(model.summary().to_frame().index)
    assert names[-2:] == ["(intercept)", "log_sigma"]
    assert CoefficientDisplay.from_estimator(model, intercept=True).names_ == names
    names.remove("(intercept)")
    assert CoefficientDisplay.from_estimator(model).names_ == names


def test_exponentiated_intervals_are_those_of_odds_ratios():
    model, _X, _y = displays.titanic()
    display = CoefficientDisplay.from_estimator(model, exponentiate=True)
    table = model.summary().tables[""].iloc[:4]
    bars = segments(display.ax_.collections[0])
    np.testing.assert_allclose(bars[:, :, 0], np.exp(table[["lower", "upper"]]), rtol=1e-15)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.lines[1].get_xdata()[0] == 1.0  # the line of no effect


def test_models_side_by_side_have_rows_of_their_own():
    model, X, y = displays.logistic()
    small = LogisticRegression(C=np.inf).fit(X[["hp"]], y)
    display = CoefficientDisplay.from_estimator([model, small], labels=["big", "small"])
    assert display.names_ == ["wt", "hp"]
    first, second = (segments(found)[:, 0, 1] for found in display.ax_.collections[:2])
    assert first[1] != second[0]
    assert abs(first[1] - 1) < 0.5
    assert abs(second[0] - 1) < 0.5
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["big", "small"]


def test_several_classes_have_their_names():
    table = displays.read("iris")
    model = LogisticRegression(C=1.0).fit(table[["Sepal.Length"]], table["Species"])
    names = CoefficientDisplay.from_estimator(model).names_
    assert names == list(results(model).confidence_intervals().index[::2])


def test_bands_are_predict_interval():
    pipeline, X, _ = displays.splines()
    display = EffectDisplay.from_estimator(pipeline, X, variable="age", by="sexmale", level=0.8)
    grid = np.linspace(X["age"].min(), X["age"].max(), 60)
    for k, sex in enumerate((0, 1)):
        rows = pd.DataFrame({"age": grid, "sexmale": sex})
        expected = results(pipeline).predict_interval(rows, 0.8)
        lower, upper = band(display.ax_.collections[k])
        np.testing.assert_allclose(lower, expected["lower"], rtol=1e-13)
        np.testing.assert_allclose(upper, expected["upper"], rtol=1e-13)
        line = display.ax_.lines[k]
        np.testing.assert_array_equal(line.get_xdata(), grid)
        np.testing.assert_allclose(line.get_ydata(), pipeline.predict_proba(rows)[:, 1], rtol=1e-12)
    rug = segments(display.ax_.collections[2])[:, 0, 0]
    np.testing.assert_array_equal(rug, np.unique(X["age"]))


def test_others_are_at_their_means_or_most_frequent_levels():
    pipeline, X, _ = displays.schools()
    X = X.assign(place=X["place"].astype("category"))
    display = EffectDisplay.from_estimator(pipeline, X, variable="class")
    row = {"lunch": X["lunch"].mode()[0], "place": X["place"].mode()[0]}
    rows = pd.DataFrame({"class": ["a", "r", "s"], **row})[list(X)]
    expected = results(pipeline).predict_interval(rows)
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), expected["prediction"], rtol=1e-13)
    bars = segments(display.ax_.collections[0])[:, :, 1]
    np.testing.assert_allclose(bars, expected[["lower", "upper"]], rtol=1e-13)
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["a", "r", "s"]
    model, X, _ = displays.linear()
    display = EffectDisplay.from_estimator(model, X, variable="hp")
    means = X.mean().to_frame().T.loc[[0, 0]].assign(hp=[X["hp"].min(), X["hp"].max()])
    ends = display.ax_.lines[0].get_ydata()[[0, -1]]
    np.testing.assert_allclose(ends, model.predict(means), rtol=1e-13)


def test_averages_are_means_of_predictions():
    pipeline, X, _ = displays.splines()
    display = EffectDisplay.from_estimator(pipeline, X, variable="age", others="average")
    table = display.tables[None]
    for k in (0, 31, 59):
        rows = X.assign(age=table["value"][k])
        mean = pipeline.predict_proba(rows)[:, 1].mean()
        assert table["prediction"][k] == pytest.approx(mean, rel=1e-12)
    # Of least squares it is the prediction at the means.
    model, X, _ = displays.linear()
    average = EffectDisplay.from_estimator(model, X, variable="wt", others="average").tables[None]
    typical = EffectDisplay.from_estimator(model, X, variable="wt").tables[None]
    np.testing.assert_allclose(average[["lower", "upper"]], typical[["lower", "upper"]], rtol=1e-10)


@pytest.mark.parametrize("others", ["typical", "average"])
def test_offsets_are_those_of_all_predictions(others):
    table = displays.read("recreation").query("quality > 0")
    X, y, years = table[["quality", "income"]], table["trips"], 1.0 + table["ski"]
    model = GeneralizedLinearRegressor("poisson").fit(X, y, exposure=years)
    rates, twice = (
        EffectDisplay.from_estimator(model, X, exposure=e, others=others).tables[None]
        for e in (1, 2)
    )
    columns = ["prediction", "lower", "upper"]
    np.testing.assert_allclose(twice[columns], 2 * rates[columns], rtol=1e-12)
    given = {"exposure": np.asarray(years)}
    display = InfluenceDisplay.from_estimator(model, X, y, **given)
    expected = model.influence(X, y, **given)["cooks_distance"]
    np.testing.assert_array_equal(display.values, expected)
    residuals = ResidualsDisplay.from_estimator(model, X, y, **given)
    np.testing.assert_allclose(residuals.fitted, model.predict(X, **given))
    profile = ProfileDisplay.from_estimator(model, X, y, **given)
    assert profile.ends[0] == model.profile_intervals(X, y, **given)["lower"].iloc[0]
    surface = CurvatureDisplay.from_estimator(model, X, y, **given).surface
    np.testing.assert_allclose(surface.covariance, model.covariance_[:2, :2], rtol=1e-10)


def test_a_transformed_target_is_named():
    model, X, y = displays.linear()
    moved = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp).fit(X, y)
    display = EffectDisplay.from_estimator(moved, X)
    assert display.ax_.get_ylabel() == "prediction"  # of y, as those of predict_interval
    ends = display.tables[None]["prediction"].iloc[[0, -1]]
    rows = X.mean().to_frame().T.loc[[0, 0]].assign(wt=[X["wt"].min(), X["wt"].max()])
    np.testing.assert_allclose(ends, moved.predict(rows), rtol=1e-12)
    averages = EffectDisplay.from_estimator(moved, X, others="average")
    assert averages.ax_.get_ylabel() == "prediction of transformed y"
    ends = averages.tables[None]["prediction"].iloc[[0, -1]]
    each = [np.log(moved.predict(X.assign(wt=wt))).mean() for wt in rows["wt"]]
    np.testing.assert_allclose(ends, each, rtol=1e-12)
    residuals = ResidualsDisplay.from_estimator(moved, X, y)
    expected = LinearRegression().fit(X, np.log(y)).influence(X, np.log(y))
    np.testing.assert_allclose(residuals.residuals, expected["standardized_residual"], rtol=1e-10)


@pytest.mark.parametrize("others", ["typical", "average"])
def test_the_first_of_two_classes_is_one_minus_the_second(others):
    pipeline, X, _ = displays.splines()
    first, second = (
        EffectDisplay.from_estimator(pipeline, X, label=label, others=others).tables[None]
        for label in (0, 1)
    )
    np.testing.assert_allclose(first["prediction"], 1 - second["prediction"], rtol=1e-12)
    np.testing.assert_allclose(first["lower"], 1 - second["upper"], rtol=1e-12)


def test_levels_that_are_numbers_are_levels():
    table = displays.read("mtcars")
    X, y = table[["wt", "cyl"]], table["mpg"]
    step = displays.make_column_transformer(
        (displays.OneHotEncoder(drop="first"), ["cyl"]), remainder="passthrough"
    )
    for column in (["cyl"], [1], "cyl"):
        chosen = [column] if isinstance(column, str) else column
        step.set_params(transformers=[("o", displays.OneHotEncoder(drop="first"), chosen)])
        pipeline = displays.make_pipeline(step, LinearRegression()).fit(X, y)
        display = EffectDisplay.from_estimator(pipeline, X, variable="cyl")
        assert display.tables[None]["value"].tolist() == [4, 6, 8]
        assert not display.is_numeric
        EffectDisplay.from_estimator(pipeline, X, variable="wt")  # cyl is 8, not its mean


def test_arrays_and_polars_frames_are_taken_as_they_are():
    model, X, y = displays.linear()
    plain = LinearRegression().fit(X.to_numpy(), y)
    expected = EffectDisplay.from_estimator(model, X, variable="hp").tables[None]
    found = EffectDisplay.from_estimator(plain, X.to_numpy(), variable=1).tables[None]
    pd.testing.assert_frame_equal(found, expected)
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(X)
    fitted = LinearRegression().fit(frame, y.to_numpy())
    found = EffectDisplay.from_estimator(fitted, frame, variable="hp").tables[None]
    pd.testing.assert_frame_equal(found, expected)


def test_residuals_and_contours_of_cooks_distance():
    model, X, y = displays.linear()
    display = ResidualsDisplay.from_estimator(model, X, y)
    table = model.influence(X, y)
    first, quantiles, scale, last = display.axes_
    np.testing.assert_allclose(first.lines[0].get_xdata(), model.predict(X))
    np.testing.assert_array_equal(first.lines[0].get_ydata(), table["standardized_residual"])
    drawn = quantiles.lines[1].get_ydata()
    np.testing.assert_array_equal(drawn, np.sort(table["standardized_residual"]))
    root = np.sqrt(np.abs(table["standardized_residual"]))
    np.testing.assert_array_equal(scale.lines[0].get_ydata(), root)
    # A point of a contour has the distance of the contour, by the formula of the distance.
    for line, distance in zip(last.lines[2:], (0.5, 0.5, 1.0, 1.0), strict=True):
        h, r = line.get_data()
        np.testing.assert_allclose(r**2 * h / ((1 - h) * 4), distance, rtol=1e-12)
    # So points are beyond a contour if and only if their distance is larger.
    h, r = table["leverage"], table["standardized_residual"]
    np.testing.assert_allclose(r**2 * h / ((1 - h) * 4), table["cooks_distance"], rtol=1e-10)


def test_residuals_of_classes_and_counts_are_quantile_residuals():
    model, X, y = displays.poisson()
    display = ResidualsDisplay.from_estimator(model, X, y)
    expected = model.residuals(X, y, kind="quantile", random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(display.residuals, expected)
    model, X, y = displays.titanic()
    display = ResidualsDisplay.from_estimator(model, X, y)
    p = model.predict_proba(X)[:, 1]
    # Φ of a quantile residual lies in the part of [0, 1] that the label has.
    u = stats.norm.cdf(display.residuals)
    assert ((u <= 1 - p + 1e-12) == (y == 0)).all()
    # And they look normal: 1046 rows of a model that fits.
    assert stats.kstest(display.residuals, "norm").pvalue > 1e-3


def test_influence_is_its_table_with_the_names_of_the_rows():
    table = displays.read("duncan", index_col="occupation")
    X, y = table[["income", "education"]], table["prestige"]
    model = LinearRegression().fit(X, y)
    display = InfluenceDisplay.from_estimator(model, X, y, n_labels=3)
    expected = model.influence(X, y)["cooks_distance"]
    np.testing.assert_array_equal(display.ax_.lines[0].get_ydata(), expected)
    assert display.largest_ == list(expected.nlargest(3).index)
    assert {note.get_text() for note in display.labels_} == set(display.largest_)
    # The names survive steps that return arrays.
    pipeline = displays.make_pipeline(displays.StandardScaler(), LinearRegression()).fit(X, y)
    assert InfluenceDisplay.from_estimator(pipeline, X, y, n_labels=3).largest_ == display.largest_


def test_scree_is_parallel_analysis():
    pipeline, _X, _ = displays.iris()
    display = ScreeDisplay.from_estimator(pipeline)
    pca = pipeline[-1]
    found = pca.parallel_analysis(random_state=0)
    assert display.count == found.count
    np.testing.assert_array_equal(display.ax_.lines[0].get_ydata(), pca.explained_variance_)
    np.testing.assert_array_equal(display.thresholds, found.table["threshold"])
    bars = segments(display.ax_.collections[0])[:, :, 1]
    np.testing.assert_array_equal(bars, pca.confidence_intervals()[["lower", "upper"]])


@pytest.mark.parametrize("components", [(0, 1), (2, 0)])
def test_biplot_has_scores_and_loadings(components):
    _, X, _y = displays.iris()
    pca = PCA().fit(X)
    display = BiplotDisplay.from_estimator(pca, X, components=components)
    pair = list(components)
    np.testing.assert_allclose(display.scores, pca.transform(X)[:, pair])
    np.testing.assert_array_equal(display.loadings, pca.components_[pair].T)
    errors = pca.loading_standard_errors_[pair].T
    diagonal = np.einsum("pii->pi", display.covariances)
    np.testing.assert_allclose(np.sqrt(diagonal), errors, rtol=1e-12)
    # Ellipses are centred at the tips, and reach √χ²₂ standard errors in each direction.
    for patch, loading, error in zip(display.ax_.patches, display.loadings, errors, strict=True):
        outline = patch.get_xy() / display.factor_
        reach = np.sqrt(-2 * np.log(0.05)) * error
        # 72 points of an ellipse miss its ends by less than 1 - cos(π/72) = 0.1 %.
        np.testing.assert_allclose(outline.max(axis=0) - loading, reach, rtol=2e-3)


def test_signs_of_covariances_follow_the_loadings():
    _, X, _ = displays.iris()
    pca = PCA().fit(X)
    display = BiplotDisplay.from_estimator(pca, X)
    spectrum = pca._fit.spectrum
    v, lam = pca.components_, spectrum.variances
    expected = -lam[0] * lam[1] / (spectrum.nu * (lam[0] - lam[1]) ** 2) * v[0] * v[1]
    np.testing.assert_allclose(display.covariances[:, 0, 1], expected, rtol=1e-10)


def test_profile_and_parabola_cross_the_line_at_their_ends():
    model, X, y = displays.logistic()
    display = ProfileDisplay.from_estimator(model, X, y, parameter="wt", level=0.9)
    expected = model.profile_intervals(X, y, level=0.9, parameters=["wt"]).loc["wt"]
    assert display.ends == (expected["lower"], expected["upper"])
    wald = model.confidence_intervals(0.9).loc["wt"]
    assert display.wald_ends == (wald["lower"], wald["upper"])
    np.testing.assert_allclose(display.parabola(display.wald_ends), display.limit, rtol=1e-12)
    curve = model.likelihood_profile(X, y, level=0.98, points=41, parameters=["wt"])
    np.testing.assert_array_equal(display.profile["drop"], curve["drop"])
    # Between the points of the curve that are next to an end, the line crosses it.
    value, drop = curve["value"].to_numpy(), curve["drop"].to_numpy()
    for end in display.ends:
        k = np.searchsorted(value, end)
        assert min(drop[k - 1], drop[k]) <= display.limit <= max(drop[k - 1], drop[k])


def test_curvature_contours_of_least_squares_are_ellipses_of_f():
    model, X, y = displays.linear()
    display = CurvatureDisplay.from_estimator(model, X, y)
    V = model.covariance_[:2, :2]
    radii = [2 * stats.f.ppf(level, 2, 28) for level in (0.5, 0.8, 0.95)]
    np.testing.assert_allclose(display.radii, radii, rtol=1e-12)
    for path, radius in zip(display.contours_.get_paths(), radii, strict=True):
        d = path.vertices - model.params_[:2]
        # Contours are straight between the lines of the grid, of which there are 129.
        found = np.einsum("ni,ij,nj->n", d, np.linalg.inv(V), d)
        np.testing.assert_allclose(found, radius, rtol=0.02)
    np.testing.assert_allclose(
        display.eigenvalues, np.linalg.eigvalsh(model.hessian_)[::-1], rtol=1e-12
    )
    drawn = display.axes_[1].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, display.eigenvalues)


def test_curvature_of_a_penalised_fit_is_that_of_what_was_minimised():
    _, X, y = displays.logistic()
    model = LogisticRegression(C=0.1).fit((X - X.mean()) / X.std(), y)
    X = (X - X.mean()) / X.std()
    display = CurvatureDisplay.from_estimator(model, X, y, parameters=("hp", "(intercept)"))
    surface = display.surface
    V = np.linalg.inv(model.hessian_)[1:, 1:]
    np.testing.assert_allclose(surface.covariance, V, rtol=1e-10)
    theta = np.array([0.0, surface.first[-1], surface.second[0]])
    best = minimize_scalar(
        lambda t: model.objective(X, y, np.r_[t, theta[1:]]), bounds=(-2, 1), method="bounded",
        options={"xatol": 1e-6},
    )  # fmt: skip
    excess = 2 * (best.fun - model.objective(X, y))
    # A parameter that is known to 1e-6 leaves less than 1e-12·H/2 < 1e-10 above the minimum, and
    # the surface ends where a step promises 1e-8 at most.
    assert surface.drop[0, -1] == pytest.approx(excess, abs=1e-7)


def test_calibration_is_counted_from_predictions():
    model, X, y = displays.titanic()
    display = CalibrationDisplay.from_estimator(model, X, y, label=0, bins=4)
    p = model.predict_proba(X)[:, 0]
    edges = np.quantile(p, [0, 0.25, 0.5, 0.75, 1])
    for k, row in display.table.iterrows():
        inside = (p > edges[k]) & (p <= edges[k + 1]) if k else p <= edges[1]
        assert row["rows"] == inside.sum()
        assert row["observed"] == pytest.approx((y[inside] == 0).mean(), rel=1e-13)
        assert row["predicted"] == pytest.approx(p[inside].mean(), rel=1e-13)
    drawn = display.ax_.lines[1].get_data()
    np.testing.assert_array_equal(drawn, display.table[["predicted", "observed"]].T)


def test_the_direction_separates():
    model, X, y = displays.separated()
    display = SeparationDisplay.from_estimator(model, X, y)
    design = np.column_stack([X, np.ones(len(X))])
    along = design @ display.direction
    np.testing.assert_allclose(display.projections, along, atol=1e-12)
    assert (along[y == 1] >= -1e-12).all()
    assert (along[y == 0] <= 1e-12).all()
    assert np.abs(along).max() > 0.5
    assert [text.get_text() for text in display.axes_[1].get_yticklabels()] == ["NV"]
