"""Attribution and influential rows through pipelines, searches and formulas."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    attribution,
    fit_formula,
    loss_on,
    most_influential,
    prediction_at,
    results,
)
from mcmodels.exceptions import InferenceError


def quine():
    table = pd.read_csv("datasets/quine.csv")
    table.index = [f"child {k}" for k in range(len(table))]
    return table, np.log1p(table["Days"])


def pipeline(model):
    columns = make_column_transformer(
        (OneHotEncoder(drop="first"), ["Eth", "Sex", "Age", "Lrn"]),
        verbose_feature_names_out=False,
    )
    return make_pipeline(columns, model)


def test_a_pipeline_has_the_effects_of_its_model_with_the_names_and_index_of_the_rows():
    X, y = quine()
    fitted = pipeline(LinearRegression()).fit(X, y)
    Z = pd.get_dummies(X.drop(columns="Days"), drop_first=True).astype(float)
    plain = LinearRegression().fit(Z, y)
    for given in (fitted, results(fitted)):
        found = attribution(given, X, y, of="Sex_M")
        expected = attribution(plain, Z, y, of="Sex_M")
        assert found.of == "Sex_M"
        assert found.effects.index.equals(X.index)
        # The same least squares, from sparse columns.
        assert found.effects.to_numpy() == pytest.approx(expected.effects.to_numpy(), abs=1e-12)
        assert found.refit("child 3").iloc[0] == pytest.approx(
            expected.refit("child 3").iloc[0], abs=1e-12
        )
    for mine, theirs in (
        (prediction_at(X.iloc[4]), prediction_at(Z.iloc[4])),
        (prediction_at(X.iloc[[4]]), prediction_at(Z.iloc[4])),
        (loss_on(X[:30], y[:30]), loss_on(Z[:30], y[:30])),
    ):
        found, expected = attribution(fitted, X, y, of=mine), attribution(plain, Z, y, of=theirs)
        assert found.value == pytest.approx(expected.value, rel=1e-12)
        assert found.effects.to_numpy() == pytest.approx(expected.effects.to_numpy(), abs=1e-12)


def test_influential_rows_of_a_pipeline():
    X, y = quine()
    found = most_influential(
        pipeline(LinearRegression()).fit(X, y), X, y, of="Sex_M", change="sign", max_share=0.3
    )
    Z = pd.get_dummies(X.drop(columns="Days"), drop_first=True).astype(float)
    expected = most_influential(
        LinearRegression().fit(Z, y), Z, y, of="Sex_M", change="sign", max_share=0.3
    )
    assert found.index.equals(expected.index)
    assert found.of == "Sex_M"


def test_searches_and_formulas():
    X, y = quine()
    lost = X.assign(y=y)
    lost.iloc[3, lost.columns.get_loc("y")] = np.nan
    formula = fit_formula("y ~ Eth + Sex", lost, LinearRegression(), na="drop")
    found = attribution(formula, lost, of=results(formula).summary().to_frame().index[1])
    assert found.effects.index.equals(lost.index.delete(3))
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [1.0]}
    )
    numbers = pd.get_dummies(X.drop(columns="Days"), drop_first=True).astype(float)
    classes = (X["Days"] > 10).astype(int)
    search.fit(numbers, classes)
    found = attribution(search, numbers, classes, of="Eth_N")
    scaled = StandardScaler().fit_transform(numbers)
    alone = LogisticRegression().fit(scaled, classes)
    expected = attribution(alone, scaled, classes, of="x0")
    assert found.effects.to_numpy() == pytest.approx(expected.effects.to_numpy(), abs=1e-10)


def test_what_is_refused():
    X, y = quine()
    numbers = pd.get_dummies(X.drop(columns="Days"), drop_first=True).astype(float)
    chosen = make_pipeline(SelectKBest(k=2), LinearRegression()).fit(numbers, y)
    with pytest.raises(InferenceError, match="was fitted to y"):
        attribution(chosen, numbers, y, of="Sex_M")
    network = make_pipeline(StandardScaler(), MLPRegressor((2,), activation="tanh", alpha=1.0))
    network.fit(numbers, y)
    with pytest.raises(TypeError, match="a network"):
        attribution(network, numbers, y, of=prediction_at(numbers.iloc[0]))


def test_predictions_and_losses_of_transformed_targets_are_refused_with_the_remedy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = np.exp(X[:, 0] + rng.normal(size=30) / 3)
    fitted = TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp)
    fitted.fit(X, y)
    assert attribution(fitted, X, y, of="x0").value == fitted.regressor_.coef_[0]
    for of in (prediction_at(X[0]), loss_on(X, y)):
        with pytest.raises(InferenceError, match=r"units of log\(y\).* pass its regressor_"):
            attribution(fitted, X, y, of=of)
    of_model = attribution(fitted.regressor_, X, np.log(y), of=prediction_at(X[0]))
    assert np.exp(of_model.value) == pytest.approx(fitted.predict(X[:1])[0])
    plain = TransformedTargetRegressor(LinearRegression()).fit(X, y)
    assert attribution(plain, X, y, of=prediction_at(X[0])).value == pytest.approx(
        plain.predict(X[:1])[0]
    )
