"""A chosen covariance is the one of every method without rows, and of predictions."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    results,
)
from mcmodels.exceptions import IndefiniteCovarianceWarning, InferenceError
from tests.rotation import rotated

N = 240


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"age": rng.normal(40, 12, N), "dose": rng.gamma(2.0, 1.0, N)})
    eta = 0.03 * (X["age"] - 40) - 0.4 * X["dose"] + 0.5
    return {
        "X": X,
        "groups": rng.integers(0, 17, N),
        "two": np.column_stack([rng.integers(0, 17, N), rng.integers(0, 13, N)]),
        "weights": rng.integers(0, 4, N).astype(float),
        "linear": (eta + rng.normal(size=N) * (0.3 + X["dose"])).to_numpy(),
        "binary": (rng.random(N) < 1 / (1 + np.exp(-eta))).to_numpy().astype(int),
        "count": rng.poisson(np.exp(eta)).astype(float),
        "over": rng.negative_binomial(2, 1 / (1 + np.exp(eta) / 2)).astype(float),
        "classes": rng.choice(["a", "b", "c"], N),
        "offset": rng.normal(size=N) / 4,
    }


MODELS = {
    "linear": lambda: LinearRegression(),
    "binary": lambda: LogisticRegression(C=np.inf),
    "count": lambda: GeneralizedLinearRegressor("poisson", alpha=0),
    "classes": lambda: LogisticRegression(C=np.inf),
}


def new_rows(data):
    """Rows inside, and far outside, the training rows."""
    return pd.concat([data["X"].iloc[:20], data["X"].iloc[:5] * 3 - 60]).reset_index(drop=True)


def kinds_of(name, data):
    yield from ({"kind": kind} for kind in ("HC0", "HC1", "nonrobust"))
    if name != "classes":
        yield from ({"kind": kind} for kind in ("HC2", "HC3"))
    yield {"kind": "cluster", "groups": data["groups"]}
    yield {"kind": "cluster", "groups": data["groups"], "use_correction": False}
    yield {"kind": "cluster", "groups": data["two"]}
    yield {"kind": "HAC", "max_lags": 3}
    if name == "linear":
        yield {"kind": "CR2", "groups": data["groups"]}
        yield {"kind": "cluster", "groups": data["groups"], "df_correction": False}
    elif name == "count":
        yield {"kind": "expected"}


def said_of(test, *given, **options):
    """The result, or the reason why there is none: two groupings may allow one restriction."""
    try:
        return str(test(*given, **options))
    except InferenceError as error:
        return str(error)


def cases():
    rng = np.random.default_rng(0)
    dummy = {"groups": rng.integers(0, 3, 4), "two": rng.integers(0, 3, (4, 2))}
    return [(name, k) for name in MODELS for k in range(len(list(kinds_of(name, dummy))))]


@pytest.mark.parametrize(
    ("name", "k", "weighted"),
    [
        pytest.param(*of.values[0], of.values[1], marks=of.marks)
        for of in rotated(cases(), [False, True])
    ],
)
def test_methods_without_rows_are_those_of_the_model_with_rows(data, name, k, weighted):
    """The law: exactly what the model itself says with the same options and the training rows."""
    options = list(kinds_of(name, data))[k]
    X, y, w = data["X"], data[name], data["weights"] if weighted else None
    pipeline = make_pipeline(StandardScaler(), MODELS[name]())
    pipeline.fit(X, y, **{f"{pipeline.steps[-1][0]}__sample_weight": w})
    plain = results(pipeline)
    found = plain.with_covariance(X, y, w, **options)
    model = pipeline[-1]
    rows = (pipeline[:-1].transform(X), y, w)
    np.testing.assert_array_equal(found.covariance(), model.covariance(*rows, **options))
    np.testing.assert_array_equal(found._estimate().covariance, found.covariance())
    pd.testing.assert_frame_equal(
        found.summary().to_frame(), plain.summary(X, y, w, **options).to_frame(), check_exact=True
    )
    assert found.summary().facts == plain.summary(X, y, w, **options).facts
    for more in [{}, {"reference": "b"}] if name == "classes" else [{}]:
        pd.testing.assert_frame_equal(
            found.confidence_intervals(0.9, **more),
            plain.confidence_intervals(0.9, X, y, w, **more, **options),
            check_exact=True,
        )
    hypothesis = "`c:age` = 0, `c:dose` = `b:dose`" if name == "classes" else "age = 0, dose = 0"
    said = [
        said_of(found.wald_test, hypothesis),
        said_of(plain.wald_test, hypothesis, X, y, w, **options),
    ]
    assert said[0] == said[1]
    of = (np.square, np.square)
    one, other = found.delta_method(of[0]), plain.delta_method(of[1], X, y, w, **options)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    np.testing.assert_array_equal(one.interval(), other.interval())
    # Nothing else changes: not these results, nor the model that the user has.
    np.testing.assert_array_equal(plain.covariance(), model.covariance_)
    assert model._fit.chosen is None
    # The covariance of the model can still be asked for, and rows have their own default.
    explicit = found.covariance(kind="nonrobust")
    np.testing.assert_array_equal(explicit, model.covariance_)
    np.testing.assert_array_equal(found.covariance(X, y, w), plain.covariance(X, y, w))


@pytest.mark.parametrize("cov_type", ["HC0", "HC1", "HC2", "HC3", "cluster"])
@pytest.mark.parametrize("kind", ["mean", "observation"])
def test_linear_predictions_are_those_of_statsmodels(data, cov_type, kind):
    X, y = data["X"], data["linear"]
    with_groups = {"groups": data["groups"]} if cov_type == "cluster" else {}
    # Their predictions have n - P degrees of freedom with clusters, too, unlike their coefficients.
    of_df = {"df_correction": False} if with_groups else {}
    theirs = sm.OLS(y, sm.add_constant(X)).fit(
        cov_type=cov_type, cov_kwds=with_groups or None, use_t=True
    )
    new = new_rows(data)
    frame = theirs.get_prediction(sm.add_constant(new, has_constant="add")).summary_frame(0.1)
    found = results(LinearRegression().fit(X, y)).with_covariance(
        X, y, kind=cov_type, **with_groups, **of_df
    )
    found = found.predict_interval(new, 0.9, kind=kind)
    ends = (
        ["mean_ci_lower", "mean_ci_upper"] if kind == "mean" else ["obs_ci_lower", "obs_ci_upper"]
    )
    expected = frame[["mean", *ends]].to_numpy()
    # Both lose digits by the condition of the columns, about 1e3 here: 1e-16 times 1e6 is 1e-10.
    np.testing.assert_allclose(
        found[["prediction", "lower", "upper"]], expected, rtol=1e-9, atol=1e-9
    )
    if kind == "mean":
        np.testing.assert_allclose(found["standard_error"], frame["mean_se"], rtol=1e-9)


@pytest.mark.parametrize("cov_type", ["HC0", "cluster"])
@pytest.mark.parametrize("name", ["binary", "count"])
def test_predictions_of_glms_are_those_of_statsmodels(data, cov_type, name):
    X, y = data["X"], data[name]
    with_groups = {"groups": data["groups"]} if cov_type == "cluster" else {}
    family = sm.families.Binomial() if name == "binary" else sm.families.Poisson()
    theirs = sm.GLM(y, sm.add_constant(X), family=family).fit(
        tol=1e-15, maxiter=100, cov_type=cov_type, cov_kwds=with_groups or None
    )
    new = new_rows(data)
    frame = theirs.get_prediction(sm.add_constant(new, has_constant="add")).summary_frame(0.1)
    fitted = MODELS[name]().set_params(tol=1e-12).fit(X, y)
    found = results(fitted).with_covariance(X, y, kind=cov_type, **with_groups)
    found = found.predict_interval(new, 0.9).to_numpy()
    expected = frame[["mean", "mean_se", "mean_ci_lower", "mean_ci_upper"]].to_numpy()
    # Theirs end where the deviance changes by 1e-15 of itself; the next step is its square.
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(("name", "k"), cases())
def test_errors_of_means_are_those_of_the_delta_method_by_brute_force(data, name, k):
    """Differences of the pipeline's own predictions, times the covariance that it reports."""
    options = list(kinds_of(name, data))[k]
    X, y = data["X"], data[name]
    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler())
    pipeline = make_pipeline(*pipeline, MODELS[name]()).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IndefiniteCovarianceWarning)
        found = results(pipeline).with_covariance(X, y, **options)
        V = found.covariance()
    new, model = new_rows(data).iloc[:20], pipeline[-1]
    rows, params = pipeline[:-1].transform(new), model.params_

    def predicted(theta):
        model.params_ = theta.reshape(params.shape)
        if name in ("binary", "classes"):
            p = model.predict_proba(rows)
            return p[:, 1] if name == "binary" else p.ravel()
        return model.predict(rows)

    h = 1e-5
    steps = h * np.eye(params.size)
    try:
        J = np.array(
            [
                (predicted(params.ravel() + e) - predicted(params.ravel() - e)) / (2 * h)
                for e in steps
            ]
        ).T
    finally:
        model.params_ = params
    with np.errstate(invalid="ignore"):  # V of two groupings may give no positive variance
        expected = np.sqrt(np.einsum("ij,jk,ik->i", J, V, J))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IndefiniteCovarianceWarning)
        table = found.predict_interval(new)
    errors = table.loc[:, [c for c in table if "standard_error" in c]].to_numpy()
    # Central differences: h² times a third derivative, and 1e-16/h, are both about 1e-10.
    np.testing.assert_allclose(errors.ravel(), expected, rtol=1e-6)


def test_intervals_of_probabilities_stay_in_their_range(data):
    X, y = data["X"], data["classes"]
    found = results(LogisticRegression(C=np.inf).fit(X, y)).with_covariance(X, y)
    assert found._estimate().kind == "HC1"  # the default of more than two classes
    table = found.predict_interval(X * 50)
    for label in "abc":
        assert (table[label]["lower"] >= 0).all()
        assert (table[label]["upper"] <= 1).all()
        assert (table[label]["lower"] <= table[label]["probability"]).all()
        assert (table[label]["probability"] <= table[label]["upper"]).all()


@pytest.mark.parametrize("kind", ["mean", "observation"])
def test_degrees_of_freedom_of_cr2_are_those_of_each_row(data, kind):
    """Against the model's own test of the same combination of parameters."""
    X, y, groups = data["X"], data["linear"], data["groups"]
    model = LinearRegression().fit(X, y)
    found = results(model).with_covariance(X, y, kind="CR2", groups=groups)
    new = new_rows(data)
    table = found.predict_interval(new, 0.9)
    given = (X, y, None)
    for k in (0, 7, 21):
        R = np.array([[*new.iloc[k], 1.0]])
        one = model.wald_test(R, *given, kind="CR2", groups=groups)
        # One restriction: η of Hotelling's T² are Satterthwaite's degrees of freedom.
        reach = table["upper"][k] - table["prediction"][k]
        expected = stats.t(one.df_denominator).isf(0.05) * table["standard_error"][k]
        np.testing.assert_allclose(reach, expected, rtol=1e-9)
        F = (table["prediction"][k] / table["standard_error"][k]) ** 2
        np.testing.assert_allclose(F, one.statistic, rtol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("kind", ["HC3", "cluster"])
def test_columns_far_from_zero(data, shift, kind):
    """A shift of a column changes no prediction, nor its error."""
    X, y = data["X"], data["linear"]
    with_groups = {"groups": data["groups"]} if kind == "cluster" else {}
    new = new_rows(data)
    tables = []
    for by in (0.0, shift):
        model = LinearRegression().fit(X + by, y)
        found = results(model).with_covariance(X + by, y, kind=kind, **with_groups)
        tables.append(found.predict_interval(new + by))
    # Shifted columns keep 1e-16 of the shift, beside a spread of about one: so do errors.
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-9 + 1e-15 * shift * 100)


def test_weights_of_surveys_have_the_same_errors_either_way(data):
    """HC1 is their own covariance: chosen, it goes another way to the same numbers."""
    X, w = data["X"], data["weights"] + 0.5
    for name in ("linear", "binary", "count", "classes"):
        y = data[name]
        model = MODELS[name]().set_params(weights="probability").fit(X, y, w)
        found = results(model).with_covariance(X, y, w, kind="HC1")
        # Two ways through factors of matrices whose condition is about 1e3.
        np.testing.assert_allclose(
            found.predict_interval(X), model.predict_interval(X), rtol=1e-9, err_msg=name
        )


def test_marginal_effects_of_the_model_have_the_chosen_covariance(data):
    X, y = data["X"], data["binary"]
    found = results(LogisticRegression(C=np.inf).fit(X, y)).with_covariance(X, y, kind="HC0")
    table = found.model.marginal_effects(X)
    theirs = sm.Logit(y, sm.add_constant(X)).fit(disp=False, tol=1e-14, cov_type="HC0")
    margins = theirs.get_margeff()
    # Fits end within 1e-8 of the maximum.
    np.testing.assert_allclose(table["coefficient"], margins.margeff, rtol=1e-7)
    np.testing.assert_allclose(table["standard_error"], margins.margeff_se, rtol=1e-7)


def test_profiles_and_influence_stay_those_of_the_likelihood(data):
    X = data["X"]
    for name in ("linear", "binary", "count", "classes"):
        y = data[name]
        plain = results(MODELS[name]().fit(X, y))
        robust = plain.with_covariance(X, y, kind="HC1")
        for method in ("profile_intervals", "likelihood_ratio_tests", "influence"):
            if name == "classes" and method == "influence":
                continue
            pd.testing.assert_frame_equal(
                getattr(robust, method)(X, y), getattr(plain, method)(X, y), check_exact=True
            )


def test_offsets(data):
    X, y, offset = data["X"], data["count"], data["offset"]
    model = GeneralizedLinearRegressor("poisson", alpha=0).fit(X, y, offset=offset)
    pipeline = make_pipeline(StandardScaler(), GeneralizedLinearRegressor("poisson", alpha=0))
    pipeline.fit(X, y, generalizedlinearregressor__offset=offset)
    tables = [
        results(fitted)
        .with_covariance(X, y, kind="HC3", offset=offset)
        .predict_interval(X, offset=offset, kind=kind)
        for fitted in (model, pipeline)
        for kind in ("mean", "observation")
    ]
    # Columns in other units: the same predictions. Newton's steps end at a relative 1e-8.
    np.testing.assert_allclose(tables[0], tables[2], rtol=1e-6)
    np.testing.assert_array_equal(tables[1][["lower", "upper"]], tables[3][["lower", "upper"]])


def test_a_parameter_without_a_variance_spoils_only_its_rows():
    """The second column tells one row alone, whose residual is zero: HC0 of it is zero."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=30), np.eye(30)[4]])
    X[4, 0] = 0.0
    y = rng.normal(size=30)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    with pytest.warns(IndefiniteCovarianceWarning, match="x1"):
        found = results(model).with_covariance(X, y, kind="HC0")
    with pytest.warns(IndefiniteCovarianceWarning, match="1 of 30 rows; the first is row 4"):
        table = found.predict_interval(X)
    assert np.flatnonzero(table.isna().any(axis=1)).tolist() == [4]
    rest = np.delete(np.arange(30), 4)
    other = LinearRegression(fit_intercept=False).fit(X[rest, :1], y[rest])
    expected = results(other).with_covariance(X[rest, :1], y[rest], kind="HC0")
    expected = expected.predict_interval(X[rest, :1])
    # The same numbers from other factors of a matrix of one column.
    np.testing.assert_allclose(
        table["standard_error"][rest], expected["standard_error"], rtol=1e-12
    )


def jacobian(model, X):
    """Derivatives of what is predicted by the parameters, row by row: (n, outputs, size)."""
    Z = np.column_stack([X, np.ones(len(X))])
    if isinstance(model, LinearRegression):
        return Z[:, np.newaxis]
    p = model.predict_proba(X)
    if p.shape[1] == 2:
        return (p[:, :1] * p[:, 1:] * Z)[:, np.newaxis]
    slopes = p[:, :, np.newaxis] * (np.eye(p.shape[1]) - p[:, np.newaxis])
    return np.einsum("nkl,nj->nklj", slopes, Z).reshape(len(X), p.shape[1], -1)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_two_groupings_without_a_root(classes):
    """Where V has a negative eigenvalue there is no root: V tells errors, or that there is none."""
    seen, without = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, two = rng.normal(size=(60, 4)), rng.integers(0, 4, (60, 2))
        y = np.arange(60) % classes if classes else rng.normal(size=60)
        model = (LogisticRegression(C=np.inf) if classes else LinearRegression()).fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IndefiniteCovarianceWarning)
            found = results(model).with_covariance(X, y, kind="cluster", groups=two)
            V = found.covariance()
            if found._estimate().root is not None or np.isnan(V).any():
                continue
        J = jacobian(model, X)
        expected = np.einsum("nkj,ji,nki->nk", J, V, J)
        sizes = np.einsum("nkj,ji,nki->nk", np.abs(J), np.abs(V), np.abs(J))
        clear = np.abs(expected) > 1e-12 * sizes  # else rounding decides
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            table = found.predict_interval(X)
        errors = table.loc[:, [c for c in table if "standard_error" in c]].to_numpy()
        assert np.isnan(errors[clear & (expected < 0)]).all()
        positive = clear & (expected > 0)
        # Sums with cancellation: 1e-16 of the sizes, and at least 1e-12 of them is left.
        np.testing.assert_allclose(errors[positive] ** 2, expected[positive], rtol=1e-3)
        well = expected > 1e-4 * sizes
        np.testing.assert_allclose(errors[well] ** 2, expected[well], rtol=1e-10)
        lost = bool(np.isnan(errors).any())
        assert [w.category for w in said] == lost * [IndefiniteCovarianceWarning]
        seen, without = seen + 1, without + lost
    assert seen > 3
    assert without > 0


ALL_MODELS = {
    "linear": LinearRegression,
    "linear, no intercept": lambda: LinearRegression(fit_intercept=False),
    "binary": lambda: LogisticRegression(C=np.inf),
    "binary, penalised": lambda: LogisticRegression(C=0.1),
    "classes": lambda: LogisticRegression(C=np.inf),
    "classes, penalised": lambda: LogisticRegression(C=0.1),
    "count": lambda: GeneralizedLinearRegressor("poisson", alpha=0),
    "over": lambda: GeneralizedLinearRegressor("negative_binomial", theta="estimate", alpha=0),
    "count, normal": lambda: GeneralizedLinearRegressor("normal", alpha=0),
}


@pytest.mark.parametrize("name", ALL_MODELS)
def test_the_covariance_of_the_model_gives_the_intervals_of_the_model(data, name):
    """Two ways to the same intervals: through V that is chosen, and through whitened rows."""
    X, y = data["X"], data[name.partition(",")[0]]
    model = ALL_MODELS[name]().fit(X, y)
    found = results(model)
    chosen = found.with_covariance(kind="nonrobust")
    of_classes = hasattr(model, "classes_")
    for kind in ("mean",) if of_classes else ("mean", "observation"):
        table, expected = (it.predict_interval(X, 0.9, kind) for it in (chosen, found))
        # The condition of the columns is about 1e3, and both lose its digits of 1e-16.
        np.testing.assert_allclose(table, expected, rtol=1e-9)
    if name not in ("linear", "linear, no intercept"):
        effects = chosen.model.marginal_effects(X)
        np.testing.assert_allclose(effects, model.marginal_effects(X), rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "kind"),
    rotated(["linear", "binary", "count", "classes"], ["HC1", "cluster", "two"]),
)
def test_units_of_columns_change_no_interval(data, name, kind):
    """Columns of tiny and huge scale: predictions and their errors are the same."""
    X, y = data["X"], data[name]
    options = {"kind": kind} if kind == "HC1" else {"kind": "cluster", "groups": data["groups"]}
    if kind == "two":
        options["groups"] = data["two"]
    tables = []
    for scale in ([1.0, 1.0], [2.0**-40, 2.0**50]):
        model = MODELS[name]().fit(X * scale, y)
        found = results(model).with_covariance(X * scale, y, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IndefiniteCovarianceWarning)
            tables.append(found.predict_interval(new_rows(data) * scale))
    # Newton's steps end where a step changes nothing: rounding, times the condition, about 1e3. In
    # two groupings squares cancel to 1e-3 of themselves.
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-6 if kind == "two" else 1e-8)


def test_rows_of_dask_are_computed_when_they_are_asked_for(data):
    frames = pytest.importorskip("dask.dataframe")
    for name in ("linear", "binary", "count"):
        model = MODELS[name]().fit(data["X"], data[name])
        found = results(model).with_covariance(data["X"], data[name], kind="HC3")
        rows = frames.from_pandas(data["X"], npartitions=3)
        # The same sums in other blocks.
        np.testing.assert_allclose(
            found.predict_interval(rows).compute(), found.predict_interval(data["X"]), rtol=1e-12
        )


def test_other_models(data):
    X, y = data["X"], data["binary"]
    firth = results(FirthLogisticRegression().fit(X, y))
    robust = firth.with_covariance(X, y, kind="HC1")
    assert robust._estimate().kind == "HC1"
    np.testing.assert_array_equal(robust.covariance(), firth.model.covariance(X, y, kind="HC1"))
    own = ObjectiveRegressor("(y - eta)**2", alpha=0).fit(X, data["linear"])
    with pytest.raises(InferenceError, match="log_likelihood=True"):
        results(own).summary()
    found = results(own).with_covariance(X, data["linear"], kind="HC0")
    expected = LinearRegression().fit(X, data["linear"])
    # The same minimum by Newton's steps on a quadratic, where one step is exact but for rounding.
    np.testing.assert_allclose(
        found.summary().to_frame()["standard_error"],
        np.sqrt(np.diagonal(expected.covariance(X, data["linear"], kind="HC0"))),
        rtol=1e-8,
    )


def test_what_cannot_be_chosen_is_refused(data):
    X, y = data["X"], data["linear"]
    found = results(LinearRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"needs the training rows.*with_covariance\(X, y"):
        found.with_covariance()
    with pytest.raises(ValueError, match="kind='HC3' reads the training rows again; pass X and y"):
        found.with_covariance(kind="HC3")
    with pytest.raises(ValueError, match="training rows"):
        found.with_covariance(X * 2, y, kind="HC3")
    with pytest.raises(ValueError, match="kind"):
        found.with_covariance(X, y, kind="HC5")
    with pytest.raises(TypeError, match="cov_type"):
        found.with_covariance(X, y, cov_type="HC3")
    with pytest.raises(InferenceError, match="PCA has none"):
        results(PCA().fit(X)).with_covariance(X, y, kind="HC3")
    with pytest.raises(ValueError, match=r"with_covariance\(X, y, kind='HC3'\)"):
        found.predict_interval(X, kind="HC3")
    for model in (found.model, GeneralizedLinearRegressor("normal").fit(X, y)):
        for kind in ("HC0", "cluster", "CR2", "HAC", "nonrobust"):
            said = rf"results\(model\)\.with_covariance\(X, y, kind='{kind}'\)\.predict_interval"
            with pytest.raises(ValueError, match=said):
                model.predict_interval(X, kind=kind)
    back = found.with_covariance(X, y, kind="HC3").with_covariance(kind="nonrobust")
    np.testing.assert_array_equal(back.covariance(), found.covariance())
