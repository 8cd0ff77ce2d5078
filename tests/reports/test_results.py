"""Results through pipelines are those of the model that is fitted to the columns by hand."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    RowStream,
    likelihood_ratio_test,
    results,
    summarize,
)
from mcmodels.exceptions import InferenceError, NoMeanWarning, RankDeficiencyWarning
from tests.reports.pipelines import MODELS, NUMBERS, STEPS, pipeline_of, raw_rows
from tests.rotation import rotated
from tests.versions import BEFORE_1_7


def by_hand(fitted, X):
    """The columns that the steps give, without results(): as scikit-learn applies them."""
    for _, step in fitted.steps[:-1]:
        if step not in ("passthrough", None):
            X = step.transform(X)
    return X


def same(found, expected, names=None, rename=None):
    """Equal to the last digit; ``rename`` are the names that the model by hand has."""
    for table in (found, expected):
        assert isinstance(table, pd.DataFrame)
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    if names is not None:
        assert list(found.index) == [*names]


def assert_all_the_same(found, model, X, Z, y, names, weights=None):
    """Every method of results, from X, beside those of ``model``, from Z."""
    rows = (Z, y, weights)
    raw = (X, y, weights)
    all_names = [*names, "(intercept)"]
    same(found.summary().to_frame(), model.summary().to_frame(), all_names)
    same(
        found.summary(*raw, kind="HC1", level=0.9).to_frame(),
        model.summary(*rows, kind="HC1", level=0.9).to_frame(),
        all_names,
    )
    same(found.confidence_intervals(0.8), model.confidence_intervals(0.8), all_names)
    same(found.profile_intervals(*raw), model.profile_intervals(*rows), all_names)
    same(found.likelihood_ratio_tests(*raw), model.likelihood_ratio_tests(*rows), names)
    found_profile, profile = found.likelihood_profile(*raw), model.likelihood_profile(*rows)
    numeric = profile.select_dtypes("number").columns
    np.testing.assert_array_equal(found_profile[numeric], profile[numeric])
    R = np.eye(len(all_names))[:2]
    test = found.wald_test(f"`{names[0]}` = 0.25")
    expected = model.wald_test((R[:1], [0.25]))
    assert (test.statistic, test.p_value) == (expected.statistic, expected.p_value)
    test, expected = found.wald_test(R, *raw, kind="HC0"), model.wald_test(R, *rows, kind="HC0")
    assert (test.statistic, test.p_value) == (expected.statistic, expected.p_value)
    np.testing.assert_array_equal(found.covariance(), model.covariance_)
    np.testing.assert_array_equal(found._estimate().covariance, model.covariance_)
    np.testing.assert_array_equal(
        found.covariance(*raw, kind="HC3"), model.covariance(*rows, kind="HC3")
    )
    of_found, of_model = found.delta_method(np.exp), model.delta_method(np.exp)
    np.testing.assert_array_equal(of_found.covariance, of_model.covariance)
    table, expected = found.influence(*raw), model.influence(*rows)
    same(table, expected, X.index)
    assert [c for c in table if c.startswith("dfbetas")] == [f"dfbetas_{n}" for n in all_names]
    same(found.predict_interval(X, 0.9), model.predict_interval(Z, 0.9), X.index)


@pytest.mark.parametrize(("steps", "kind"), rotated(STEPS, MODELS))
def test_results_are_those_of_the_model_by_hand(steps, kind):
    X, targets = raw_rows()
    y = targets[kind]
    made, names = STEPS[steps]()
    if steps == "frozen":  # fitted to other rows
        made[1].estimator.fit(raw_rows(seed=9)[0][NUMBERS].to_numpy())
    fitted = pipeline_of(made, MODELS[kind]()).fit(X, y)
    Z = by_hand(fitted, X)
    model = MODELS[kind]().fit(Z, y)
    found = results(fitted)
    assert_all_the_same(found, model, X, Z, y, names)
    assert found.notes == ()
    same(summarize(fitted).to_frame(), model.summary().to_frame(), [*names, "(intercept)"])


@pytest.mark.parametrize(
    ("steps", "output", "kind"),
    rotated(
        ["columns", "union", "pipelines in columns", "power"],
        ["default", "pandas", "polars"],
        MODELS,
    ),
)
def test_containers_and_weights(steps, output, kind):
    if output == "polars":
        pytest.importorskip("polars")
        if steps == "union" and BEFORE_1_7:
            pytest.skip("FeatureUnion makes frames of Polars with equal names since 1.7")
    X, targets = raw_rows()
    y, weights = targets[kind], np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    made, names = STEPS[steps]()
    fitted = pipeline_of(made, MODELS[kind]()).set_output(transform=output)
    fitted.fit(X, y, model__sample_weight=weights)
    Z = by_hand(fitted, X)
    if output == "pandas":
        assert list(Z.columns) == names
    model = MODELS[kind]().fit(Z, y, weights)
    assert_all_the_same(results(fitted), model, X, Z, y, names, weights)


def test_functions_without_names_of_frames():
    """Frames stay frames, so that a later step, or the model, has the names of columns."""
    X, targets = raw_rows()
    X, y = X[NUMBERS], targets["linear"]
    for steps in (
        [FunctionTransformer(np.log1p)],
        [FunctionTransformer(np.log1p), StandardScaler()],
        [FunctionTransformer(np.log1p), StandardScaler(), FunctionTransformer(np.exp)],
    ):
        fitted = pipeline_of(steps, LinearRegression()).fit(X, y)
        found = results(fitted)
        last = [*NUMBERS] if len(steps) < 3 else ["x0", "x1"]
        assert list(found.confidence_intervals().index) == [*last, "(intercept)"]


def test_names_that_repeat_or_do_not_count_the_columns_are_not_taken():
    class Wrong(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def transform(self, X):
            return np.asarray(X)

        def get_feature_names_out(self, names=None):
            return np.array(["a", "b", "c"], dtype=object)

    X, targets = raw_rows()
    fitted = pipeline_of([Wrong()], LinearRegression()).fit(X[NUMBERS], targets["linear"])
    found = results(fitted)
    assert list(found.confidence_intervals().index) == ["x0", "x1", "(intercept)"]


@pytest.mark.parametrize("error", [NotImplementedError, KeyError("x"), RuntimeError("lost")])
def test_a_step_that_loses_names_by_any_error_has_those_of_the_model(error):
    class Nameless(StandardScaler):
        def get_feature_names_out(self, names=None):
            raise error

    X, targets = raw_rows()
    fitted = pipeline_of([Nameless()], LinearRegression()).fit(X[NUMBERS], targets["linear"])
    found = results(fitted)
    assert list(found.confidence_intervals().index) == ["x0", "x1", "(intercept)"]


def ends(kind):
    """Ways in which a model is held: around the pipeline, or at its end."""
    grid = {"fit_intercept": [True]}
    model = MODELS[kind]
    made = lambda: STEPS["columns"]()[0]  # noqa: E731
    inner = {f"model__{key}": value for key, value in grid.items()}
    options = {"cv": 2, "random_state": 0}
    return {
        "pipeline in a pipeline": make_pipeline(*made(), make_pipeline("passthrough", model())),
        "grid around": GridSearchCV(pipeline_of(made(), model()), inner, cv=2),
        "grid inside": pipeline_of(made(), GridSearchCV(model(), grid, cv=2)),
        "random around": RandomizedSearchCV(
            pipeline_of(made(), model()), inner, n_iter=1, **options
        ),
        "halving around": HalvingGridSearchCV(
            pipeline_of(made(), model()), inner, min_resources=140, **options
        ),
        "frozen inside": pipeline_of(made(), model()),
        "grid around a grid": GridSearchCV(
            pipeline_of(made(), GridSearchCV(model(), grid, cv=2)), {"model__cv": [2]}, cv=2
        ),
    }


@pytest.mark.parametrize(("how", "kind"), rotated(ends("linear"), MODELS))
def test_the_model_is_found_wherever_it_is(how, kind):
    X, targets = raw_rows()
    y = targets[kind]
    fitted = ends(kind)[how].fit(X, y)
    if how == "frozen inside":
        fitted = FrozenEstimator(FrozenEstimator(fitted))
    columns = STEPS["columns"]()[0][0].fit(X)
    Z = columns.transform(X)
    model = MODELS[kind]().fit(Z, y)
    found = results(fitted)
    assert_all_the_same(found, model, X, Z, y, STEPS["columns"]()[1])
    searches = how.count("grid") + how.count("random") + how.count("halving")
    assert len(found.notes) == searches
    for note in found.notes:
        assert re.search("has chosen this model by the same rows; .* are too good", note)
    assert found.summary().notes[-searches:] == found.notes or not searches


def test_a_caching_pipeline(tmp_path):
    X, targets = raw_rows()
    y = targets["linear"]
    made, names = STEPS["columns"]()
    fitted = pipeline_of(made, LinearRegression(), memory=str(tmp_path)).fit(X, y)
    Z = by_hand(fitted, X)
    assert_all_the_same(results(fitted), LinearRegression().fit(Z, y), X, Z, y, names)


def test_a_model_alone_is_asked_itself():
    X, targets = raw_rows()
    X = X[NUMBERS]
    for kind, make in MODELS.items():
        model = make().fit(X, targets[kind])
        assert_all_the_same(results(model), model, X, X, targets[kind], NUMBERS)
        assert results(model).model is model


def test_nested_models_by_pipelines():
    X, targets = raw_rows()
    for kind, make in MODELS.items():
        y = targets[kind]
        big = pipeline_of(STEPS["columns"]()[0], make()).fit(X, y)
        small = pipeline_of([STEPS["columns"]()[0][0].set_params(code="drop")], make()).fit(X, y)
        found = likelihood_ratio_test(small, big)
        Z = by_hand(big, X)
        expected = likelihood_ratio_test(make().fit(Z[:, :2], y), make().fit(Z, y))
        assert (found.statistic, found.df) == (expected.statistic, expected.df)
        frozen = likelihood_ratio_test(FrozenEstimator(small), FrozenEstimator(big))
        assert str(frozen) == str(found)


# -- targets ---------------------------------------------------------------------------------------

TARGETS = {
    "log": ({"func": np.log, "inverse_func": np.exp}, np.log, np.exp, np.exp),
    "minus reciprocal": (
        {"func": lambda y: 1 / y, "inverse_func": lambda v: 1 / v},
        lambda y: 1 / y,
        lambda v: 1 / v,
        lambda v: -1 / v**2,
    ),
    "scaled": ({"transformer": StandardScaler()}, None, None, None),
    "nothing": ({}, lambda y: y, lambda v: v, np.ones_like),
}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("how", TARGETS)
@pytest.mark.parametrize("interval", ["mean", "observation"])
def test_targets_of_another_scale(how, inside, interval):
    X, targets = raw_rows()
    y = np.exp(targets["linear"] / 20) + 2
    options, f, g, slope = TARGETS[how]
    if how == "scaled":
        m, s = y.mean(), y.std(ddof=0)
        f, g, slope = (lambda y: (y - m) / s), (lambda v: v * s + m), (lambda v: 0 * v + s)
    made = STEPS["columns"]()[0]
    if inside:
        end = TransformedTargetRegressor(LinearRegression(), **options)
        fitted = pipeline_of(made, end).fit(X, y)
    else:
        fitted = TransformedTargetRegressor(pipeline_of(made, LinearRegression()), **options)
        fitted.fit(X, y)
    Z = STEPS["columns"]()[0][0].fit(X).transform(X)
    model = LinearRegression().fit(Z, f(y))
    found = results(fitted)
    for one, other in (
        (found.summary(X, y, kind="HC3").to_frame(), model.summary(Z, f(y), kind="HC3").to_frame()),
        (found.influence(X, y), model.influence(Z, f(y))),
        (found.profile_intervals(X, y), model.profile_intervals(Z, f(y))),
    ):
        # The same targets, but for the last bit of the function by another library.
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    table, of_model = (
        found.predict_interval(X, 0.9, interval),
        model.predict_interval(Z, 0.9, interval),
    )
    same_ends = np.sort(g(of_model[["lower", "upper"]].to_numpy()), axis=1)
    np.testing.assert_allclose(table[["lower", "upper"]], same_ends, rtol=1e-9)
    np.testing.assert_allclose(table["prediction"], fitted.predict(X), rtol=1e-12)
    expected = np.abs(slope(of_model["prediction"])) * of_model["standard_error"]
    # Differences that are extrapolated to step zero have about ten digits.
    np.testing.assert_allclose(table["standard_error"], expected, rtol=1e-9)
    notes = " ".join(found.notes)
    if how == "nothing":
        assert notes == ""
    else:
        named = {"log": "log", "minus reciprocal": "func", "scaled": "StandardScaler"}[how]
        assert f"in units of {named}(y)" in notes
        assert "medians of y, not means" in notes
    assert found.summary().notes == found.notes


@pytest.mark.parametrize("transformer", [PowerTransformer(), QuantileTransformer(n_quantiles=40)])
def test_transformers_of_targets(transformer):
    X, targets = raw_rows()
    X, y = X[NUMBERS], targets["linear"]
    fitted = TransformedTargetRegressor(LinearRegression(), transformer=transformer).fit(X, y)
    table = results(fitted).predict_interval(X)
    np.testing.assert_allclose(table["prediction"], fitted.predict(X), rtol=1e-12)
    assert (table["lower"] <= table["prediction"]).all()
    assert (table["prediction"] <= table["upper"]).all()
    assert np.isfinite(table).all(axis=None)


def test_targets_whose_inverse_says_nothing():
    X, targets = raw_rows()
    X, y = X[NUMBERS], targets["linear"]
    bent = TransformedTargetRegressor(
        LinearRegression(), func=lambda y: y, inverse_func=np.square, check_inverse=False
    ).fit(X, y - y.mean())
    with pytest.raises(InferenceError, match="not monotone"):
        results(bent).predict_interval(X)
    rooted = TransformedTargetRegressor(
        LinearRegression(), func=np.square, inverse_func=np.sqrt, check_inverse=False
    ).fit(X, np.abs(y))
    with pytest.warns(NoMeanWarning, match=r"no value at an end.*of \d+ of 150 rows"):
        table = results(rooted).predict_interval(X, kind="observation")
    assert table["lower"].isna().any()
    twice = TransformedTargetRegressor(
        TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp),
        func=np.sqrt,
        inverse_func=np.square,
    ).fit(X, np.exp(y / 10))
    with pytest.raises(TypeError, match="one inside another; join their functions"):
        results(twice)


# -- streams ---------------------------------------------------------------------------------------


def close(found, expected):
    """The same sums in other blocks: rounding, times the condition of the columns, about 1e3."""
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


STREAMED = ["columns", "columns, sparse", "splines"]


@pytest.mark.parametrize(
    ("steps", "kind", "target"),
    [
        *(pytest.param(*of.values, None, marks=of.marks) for of in rotated(STREAMED, MODELS)),
        ("columns, sparse", "linear", np.log1p),
        *(
            pytest.param(steps, "linear", np.log1p, marks=pytest.mark.slow)
            for steps in ("columns", "splines")
        ),
    ],
)
def test_streams_of_raw_rows(steps, kind, target):
    X, targets = raw_rows()
    rng = np.random.default_rng(1)
    y, w = targets[kind], rng.integers(0, 3, len(X)).astype(float)
    offset = None if kind == "linear" else rng.normal(size=len(X)) / 3
    fitted = pipeline_of(STEPS[steps]()[0], MODELS[kind]())
    given = {"model__sample_weight": w} | ({} if offset is None else {"model__offset": offset})
    if target is not None:
        fitted, y = (
            TransformedTargetRegressor(fitted, func=np.log1p, inverse_func=np.expm1),
            np.exp(y),
        )
    fitted.fit(X, y, **given)

    def blocks():
        for start in range(0, len(X), 37):
            part = slice(start, start + 37)
            more = () if offset is None else (offset[part],)
            yield (X.iloc[part], np.asarray(y)[part], w[part], *more)

    stream, found = RowStream(blocks), results(fitted)
    added = {} if offset is None else {"offset": offset}
    for options in ({"kind": "HC3"}, {"kind": "cluster", "groups": rng.integers(0, 9, len(X))}):
        close(
            found.summary(stream, **options).to_frame(),
            found.summary(X, y, w, **options, **added).to_frame(),
        )
        robust = found.with_covariance(stream, **options)
        close(robust.covariance(), found.covariance(X, y, w, **options, **added))
        close(robust.predict_interval(stream), robust.predict_interval(X, **added))
    close(found.influence(stream), found.influence(X, y, w, **added))
    close(found.likelihood_ratio_tests(stream), found.likelihood_ratio_tests(X, y, w, **added))


@pytest.mark.parametrize("kind", MODELS)
def test_dask(kind):
    frames = pytest.importorskip("dask.dataframe")
    arrays = pytest.importorskip("dask.array")
    X, targets = raw_rows()
    X = X.reset_index(drop=True)
    rng = np.random.default_rng(1)
    y, w, groups = targets[kind], rng.integers(1, 3, len(X)).astype(float), rng.integers(0, 9, 150)
    fitted = pipeline_of(STEPS["columns"]()[0], MODELS[kind]())
    fitted.fit(X, y, model__sample_weight=w)
    found = results(fitted)
    rows = frames.from_pandas(X, npartitions=3)
    lengths = tuple(rows.map_partitions(len).compute())
    of_rows = [arrays.from_array(np.asarray(part), chunks=(lengths,)) for part in (y, w, groups)]
    close(
        found.summary(rows, *of_rows[:2], kind="HC1").to_frame(),
        found.summary(X, y, w, kind="HC1").to_frame(),
    )
    close(
        found.with_covariance(rows, *of_rows[:2], kind="cluster", groups=of_rows[2]).covariance(),
        found.covariance(X, y, w, kind="cluster", groups=groups),
    )
    close(found.predict_interval(rows), found.predict_interval(X))
    close(found.influence(rows, *of_rows[:2]), found.influence(X, y, w))


def test_a_table_of_numbers():
    pytest.importorskip("pyarrow")
    from mcmodels import scan

    X, targets = raw_rows()
    table = X[NUMBERS].assign(y=targets["linear"])
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(X[NUMBERS], table["y"])
    found = results(fitted).summary(scan(table, "y", NUMBERS), kind="HC3")
    close(found.to_frame(), results(fitted).summary(X[NUMBERS], table["y"], kind="HC3").to_frame())


# -- principal components --------------------------------------------------------------------------


def test_pca_at_the_end():
    X, _ = raw_rows()
    fitted = make_pipeline(StandardScaler(), PCA()).fit(X[NUMBERS])
    found = results(fitted)
    assert list(found.summary().tables["Loadings"].index) == NUMBERS
    model = PCA().fit(fitted[0].transform(X[NUMBERS]))
    same(found.confidence_intervals(0.9), model.confidence_intervals(0.9))
    for ask in (
        lambda: found.wald_test("x = 0"),
        lambda: found.predict_interval(X[NUMBERS]),
        lambda: found.influence(X[NUMBERS]),
        lambda: found._estimate(),
    ):
        with pytest.raises(InferenceError, match="PCA has no"):
            ask()
    with pytest.raises(ValueError, match="PCA has none; leave them out"):
        found.summary(X[NUMBERS])


# -- what users mistype ----------------------------------------------------------------------------


def test_what_is_no_fitted_model_is_refused():
    X, targets = raw_rows()
    X, y = X[NUMBERS], targets["linear"]
    model = LinearRegression().fit(X, y)
    for wrong, message in (
        (LinearRegression, "found the class LinearRegression"),
        ([model, model], "pass one at a time; found"),
        (X, "needs a fitted model of mcmodels, or what ends in one; found"),
        ("model.pkl", "found 'model.pkl'"),
        (None, "found None"),
        (results(model).summary(), "found Summary"),
        (MLPRegressor((2,), alpha=1.0, max_iter=5), "not fitted"),
        (make_pipeline(StandardScaler()).fit(X), "found StandardScaler at the end of the pipeline"),
        (
            make_pipeline(StandardScaler(), "passthrough").fit(X),
            "found 'passthrough' at the end of the pipeline, which fits nothing",
        ),
        (
            GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, refit=False).fit(X, y),
            "found GridSearchCV with refit=False. Fit it with refit=True",
        ),
    ):
        with pytest.raises((TypeError, NotFittedError), match=re.escape(message)):
            results(wrong)
    found = results(model)
    assert results(found) is found
    network = MLPRegressor((2,), alpha=1.0, max_iter=5, random_state=0)
    with pytest.warns(match="converge|max_iter"):
        network.fit(X / 100, y)
    with pytest.raises(TypeError, match="found MLPRegressor, a network"):
        results(network)
    for unfitted in (
        LinearRegression(),
        make_pipeline(StandardScaler(), LinearRegression()),
        TransformedTargetRegressor(LinearRegression()),
        GridSearchCV(LinearRegression(), {}),
    ):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            results(unfitted)


def test_arguments_in_the_wrong_place_are_named():
    X, targets = raw_rows()
    y = targets["linear"]
    fitted = pipeline_of(STEPS["columns"]()[0], LinearRegression()).fit(X, y)
    found = results(fitted)
    with pytest.raises(ValueError, match=r"^level=.* must lie between 0 and 1.*X=…, y=…"):
        found.confidence_intervals(X, y)
    with pytest.raises(ValueError, match=r"^level="):
        found.predict_interval(X, y)
    with pytest.raises(ValueError, match="kind='other' is not known; choose one of 'mean', 'obser"):
        found.predict_interval(X, kind="other")
    # Columns that the steps make, in place of raw ones.
    Z = by_hand(fitted, X)
    for rows in (Z, pd.DataFrame(Z, columns=STEPS["columns"]()[1]), X[NUMBERS], Z[:, :4]):
        for ask in (
            lambda rows=rows: found.predict_interval(rows),
            lambda rows=rows: found.summary(rows, y, kind="HC3"),
            lambda rows=rows: found.with_covariance(rows, y, kind="HC3"),
        ):
            with pytest.raises(
                ValueError, match=r"(?s)^X is refused by step 'step0' \(ColumnT.*rows that the pip"
            ):
                ask()
    with pytest.raises(ValueError, match="X is refused by step 'step0'") as said:
        found.influence(y, X)  # the wrong way round
    assert len(str(said.value)) < 500
    # As many columns as raw ones: no step can tell, but these are not the rows of the fit.
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(X[NUMBERS].to_numpy(), y)
    Z = scaled[0].transform(X[NUMBERS].to_numpy())
    with pytest.raises(ValueError, match="training rows"):
        results(scaled).summary(Z, y, kind="HC3")


def test_rows_in_another_order_are_refused_before_the_steps_drop_their_index():
    X, targets = raw_rows()
    y = targets["linear"]
    fitted = pipeline_of(STEPS["columns"]()[0], LinearRegression()).fit(X, y)
    for other in (y.sample(frac=1, random_state=0),):
        with pytest.raises(ValueError, match="same index labels in another order"):
            results(fitted).summary(X, other, kind="HC3")
        groups = pd.Series(np.arange(len(X)) % 7, index=other.index)
        with pytest.raises(ValueError, match="X and groups have the same index"):
            results(fitted).with_covariance(X, y, kind="cluster", groups=groups)


def test_the_model_of_the_user_is_left_as_it_was():
    X, targets = raw_rows()
    y = targets["binary"]
    fitted = pipeline_of(STEPS["columns"]()[0], LogisticRegression(C=np.inf)).fit(X, y)
    before = dict(vars(fitted[-1]))
    found = results(fitted).with_covariance(X, y, kind="HC3")
    found.summary()
    found.predict_interval(X)
    after = vars(fitted[-1])
    assert after.keys() == before.keys()
    assert all(after[name] is value for name, value in before.items())
    assert clone(fitted[-1]).get_params() == fitted[-1].get_params()


def test_classes():
    X, targets = raw_rows()
    y = np.array(["low", "middle", "top"])[pd.qcut(targets["linear"], 3, labels=False)]
    made, names = STEPS["columns"]()
    fitted = pipeline_of(made, LogisticRegression(C=np.inf)).fit(X, y)
    Z = by_hand(fitted, X)
    model = LogisticRegression(C=np.inf).fit(Z, y)
    found = results(fitted)
    same(
        found.confidence_intervals(reference="middle"),
        model.confidence_intervals(reference="middle"),
        [f"{k}:{name}" for k in ("low", "top") for name in [*names, "(intercept)"]],
    )
    same(found.predict_interval(X), model.predict_interval(Z), X.index)
    with pytest.raises(InferenceError, match="kind='observation' is for targets that are numbers"):
        found.predict_interval(X, kind="observation")


def test_offsets_and_exposures():
    X, targets = raw_rows()
    y, exposure = targets["count"], np.random.default_rng(0).uniform(1, 3, len(X))
    fitted = pipeline_of(STEPS["columns"]()[0], GeneralizedLinearRegressor("poisson", alpha=0))
    fitted.fit(X, y, model__exposure=exposure)
    Z = by_hand(fitted, X)
    model = GeneralizedLinearRegressor("poisson", alpha=0).fit(Z, y, exposure=exposure)
    found, given = results(fitted), {"exposure": exposure}
    for method in ("summary", "influence", "profile_intervals", "likelihood_ratio_tests"):
        one = getattr(found, method)(X, y, **given)
        other = getattr(model, method)(Z, y, **given)
        if method == "summary":
            one, other = one.to_frame(), other.to_frame()
        same(one, other)
    for kind in ("mean", "observation"):
        same(
            found.predict_interval(X, kind=kind, **given),
            model.predict_interval(Z, kind=kind, **given),
        )


def test_pipelines_by_hand_are_recognised():
    """A pipeline of fitted steps that was never fitted itself."""
    X, targets = raw_rows()
    y = targets["linear"]
    columns = STEPS["columns"]()[0][0].fit(X)
    model = LinearRegression().fit(columns.transform(X), y)
    found = results(Pipeline([("columns", columns), ("model", model)]))
    same(
        found.summary(X, y, kind="HC3").to_frame(),
        model.summary(columns.transform(X), y).to_frame(),
    )


def test_looking_at_results_never_raises():
    X, targets = raw_rows()
    y = targets["linear"]
    two = X[NUMBERS].head(2)
    with pytest.warns(RankDeficiencyWarning):  # nothing is left to estimate a variance from
        fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(two, y[:2])
    changed = LinearRegression().fit(X[NUMBERS], y)
    found = results(changed)
    assert repr(found) == repr(found.summary())
    assert found._repr_html_() == found.summary()._repr_html_()
    changed.coef_ = changed.coef_ * 2
    for shown in (results(fitted), found):
        assert repr(shown).startswith("No summary of LinearRegression: ")
        assert shown._repr_html_().startswith("<p>No summary of LinearRegression: ")
        assert max(map(len, str(shown).split("\n"))) <= 100
        with pytest.raises(InferenceError):
            shown.summary()
