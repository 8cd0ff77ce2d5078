"""Labels of classes, names of targets and components in tables; what is refused by name."""

import re

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
import sklearn.neural_network
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    summarize,
)
from mcmodels.exceptions import ConstantTargetWarning, InferenceError, RankDeficiencyWarning
from mcmodels.rows import RowStream

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["age", "income"])
Y = pd.DataFrame({"rent": RNG.normal(size=60), "food": RNG.normal(size=60)})
LABELS = (RNG.random(60) * 3).astype(int)


@pytest.mark.parametrize(
    ("labels", "kind"), [([0, 1, 2], int), ([-5, 7, 30], int), (["a", "b", "c"], str)]
)
def test_tables_have_the_labels_of_the_classes(labels, kind):
    model = LogisticRegression(C=np.inf).fit(X, np.array(labels)[LABELS])
    for reference in (None, labels[2]):
        summary = model.summary(reference=reference)
        others = [
            label for label in labels if label != (labels[0] if reference is None else reference)
        ]
        assert list(summary.tables) == others
        assert all(type(label) is kind for label in summary.tables)
        frame = summary.to_frame()
        assert frame.index.levels[0].tolist() == others
        assert frame.loc[others[0]].index.tolist() == ["age", "income", "(intercept)"]
        for text in (str(summary), summary._repr_html_()):
            assert all(re.search(rf"(^|>){label}($|<)", text, re.M) for label in others)
        assert all(f": {label}}}" in summary.to_latex() for label in others)
    assert model.predict_interval(X).columns.levels[0].tolist() == labels


def fits_of_targets():
    halves = [(X[:30], Y[:30]), (X[30:], Y[30:])]
    parts = LinearRegression()
    for part in halves:
        parts.partial_fit(*part)
    other = LinearRegression().partial_fit(*halves[1])
    return [
        LinearRegression().fit(X, Y),
        LinearRegression().fit(RowStream(lambda: iter(halves))),
        parts,
        LinearRegression().partial_fit(*halves[0]).merge(other),
    ]


@pytest.mark.parametrize("which", range(4))
def test_targets_keep_their_names(which):
    model = fits_of_targets()[which]
    assert list(model.summary().tables) == ["rent", "food"]
    assert model.confidence_intervals().index[0] == "rent:age"
    assert model.wald_test("`food:age` = `rent:age`").df == 1
    swapped = Y.iloc[::-1].reset_index(drop=True)
    with pytest.raises((ValueError, InferenceError), match=r"rent|food"):
        model.summary(X, swapped, kind="HC3")
    np.testing.assert_array_equal(model.params_.shape, (2, 3))


def test_targets_without_names_are_numbered():
    assert list(LinearRegression().fit(X, Y.to_numpy()).summary().tables) == ["y0", "y1"]
    years = Y.set_axis([2019, 2020], axis=1)
    assert list(LinearRegression().fit(X, years).summary().tables) == ["2019", "2020"]


def test_components_have_one_name():
    model = PCA().fit(X)
    names = model.get_feature_names_out().tolist()
    assert names == ["pca0", "pca1"]
    summary = model.summary()
    assert summary.tables["Variances"].index.tolist() == names
    assert summary.tables["Loadings"].columns.tolist() == names
    assert model.confidence_intervals().index.tolist() == names
    assert model.broken_stick().table.index.tolist() == names
    assert model.parallel_analysis(random_state=0, n_draws=9).table.index.tolist() == names


@pytest.mark.parametrize("kind", [sklearn.neural_network.MLPRegressor, MLPRegressor])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_model_without_a_summary_is_named_with_its_library(kind, wrapped):
    model = kind(hidden_layer_sizes=(2,), max_iter=200, random_state=0)
    fitted = make_pipeline(StandardScaler(), model) if wrapped else model
    fitted.fit(X, Y["rent"])
    library = kind.__module__.partition(".")[0]
    said = "table of parameters" if library == "mcmodels" else "the model comes from sklearn"
    with pytest.raises(TypeError, match=f"{said}; .*found MLPRegressor"):
        summarize(fitted)


@pytest.mark.parametrize(
    "kind", [sklearn.linear_model.LinearRegression, sklearn.linear_model.Ridge]
)
def test_a_foreign_model_of_the_same_name(kind):
    with pytest.raises(TypeError, match=f"comes from sklearn; .*found {kind.__name__}"):
        summarize(kind().fit(X, Y["rent"]))


def test_probabilities_without_an_inverse_link():
    model = ObjectiveClassifier("relu(1 - (2*y - 1) * eta) ** 2").fit(X, LABELS > 0)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match=r"needs inverse_link.*decision_function"):
        model.predict_proba(X)
    model.inverse_link = "1/(1 + exp(-eta))"
    assert model.predict_proba(X).shape == (60, 2)
    assert ObjectiveClassifier.predict_proba.__doc__.startswith("Probability of each class")


KEYWORDS = ["nonsense", "robust", "cov_type", "Kind"]


@pytest.mark.parametrize("name", KEYWORDS)
def test_unknown_keywords_are_refused(name):
    models = [
        LinearRegression().fit(X, Y["rent"]),
        LogisticRegression().fit(X, LABELS),
        ObjectiveRegressor("(y - eta)**2 / 2", log_likelihood=True).fit(X, Y["rent"]),
    ]
    wanted = f"unexpected keyword argument '{name}'"
    for model in models:
        calls = [
            lambda model=model: model.summary(**{name: True}),
            lambda model=model: model.confidence_intervals(**{name: True}),
            lambda model=model: model.wald_test("age = 0", **{name: True}),
            lambda model=model: model.delta_method(np.sum, **{name: True}),
            lambda model=model: summarize(model, **{name: True}),
        ]
        for call in calls:
            with pytest.raises(TypeError, match=wanted):
                call()
    with pytest.raises(TypeError, match=wanted):
        summarize(PCA().fit(X), **{name: True})


def test_a_misspelt_keyword_has_a_hint():
    with pytest.raises(TypeError, match="Did you mean 'kind'"):
        LinearRegression().fit(X, Y["rent"]).summary(kimd="HC3")


MODELS = [
    (LinearRegression(), Y["rent"]),
    (LogisticRegression(C=np.inf), LABELS),
    (LogisticRegression(C=np.inf), LABELS > 0),
    (ObjectiveRegressor("(y - eta)**2 / 2", log_likelihood=True), Y["rent"]),
]


@pytest.mark.parametrize(("model", "y"), MODELS)
@pytest.mark.parametrize("value", [1.0, -7.25, 0.0])
def test_a_constant_column_beside_the_intercept(model, y, value):
    said = "Constant in every row: 'const', though fit_intercept=True has fitted a constant already"
    with_constant = X.assign(const=value)
    with pytest.warns(RankDeficiencyWarning, match=said):
        model.fit(with_constant, y)
    said_below = "NA: Leave out const, which is (constant|zero)"
    assert re.match(said_below, model.summary().notes[0])
    dependent = with_constant.assign(twice=2 * X["age"])
    with pytest.warns(RankDeficiencyWarning, match=f"involves .*'age'.*'twice'.*{said}"):
        model.fit(dependent, y)
    with pytest.warns(RankDeficiencyWarning) as warned:
        model.fit(X.assign(twice=2 * X["age"]), y)
    assert "Constant" not in str(warned[0].message)


def test_a_constant_column_without_an_intercept_is_the_intercept():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearRegression(fit_intercept=False).fit(X.assign(const=1.0), Y["rent"])
    # The same least squares by the same route: a few roundings.
    np.testing.assert_allclose(
        model.params_, LinearRegression().fit(X, Y["rent"]).params_, rtol=1e-12
    )


def test_notes_and_warnings_about_targets_have_their_names():
    targets = pd.DataFrame({"rent": X @ [1.0, 2.0], "food": Y["food"], "heat": 3.0})
    halves = [(X[:30], targets[:30]), (X[30:], targets[30:])]
    wanted = r"targets \['heat'\] of y"
    with pytest.warns(ConstantTargetWarning, match=wanted):
        summary = LinearRegression().fit(X, targets).summary()
    assert "perfect fit of rent, heat:" in str(summary).replace("\n", " ")
    with pytest.warns(ConstantTargetWarning, match=wanted):
        LinearRegression().fit(RowStream(halves))
    network = MLPRegressor((2,), alpha=10.0, random_state=0, max_iter=1000)
    with pytest.warns(ConstantTargetWarning, match=wanted):
        network.fit(X, targets)
    for y, names in ((targets, list(targets)), (targets.to_numpy(), [0, 1, 2])):
        table = network.laplace(X, y).predict_interval(X)
        assert table.columns.get_level_values(0).unique().tolist() == names
