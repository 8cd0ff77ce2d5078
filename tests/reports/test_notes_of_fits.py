"""What the warning of a fit says of x0, x1, …, the notes of results say of the user's columns."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    results,
)
from mcmodels.exceptions import NoMinimumWarning, RankDeficiencyWarning, SeparationWarning

NAMES = ["region_n", "region_s", "region_w"]


def rows():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"region": rng.choice(["n", "s", "w"], 80), "age": rng.normal(size=80)})
    return X, rng.normal(size=80)


def pipeline(model):
    steps = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["region"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(steps, model)


def of_numbers(text):
    """The columns x0, x1, … of a text."""
    return {int(number) for number in re.findall(r"\bx(\d+)\b", text)}


X, NOISE = rows()
CASES = {
    "least squares": (LinearRegression(), NOISE, RankDeficiencyWarning),
    "classes": (LogisticRegression(C=np.inf), NOISE > 0, RankDeficiencyWarning),
    "separated": (LogisticRegression(C=np.inf), X["age"] > 0, SeparationWarning),
    "several classes": (
        LogisticRegression(C=np.inf),
        np.digitize(NOISE, [-0.5, 0.5]),
        RankDeficiencyWarning,
    ),
    "no minimum": (
        GeneralizedLinearRegressor("poisson"),
        1.0 * (X["region"] == "n") * (NOISE > 0),
        NoMinimumWarning,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_note_names_the_columns_of_the_warning(case):
    model, y, kind = CASES[case]
    with pytest.warns(kind) as told:
        fitted = pipeline(model).fit(X, y)
    (warning,) = [str(one.message) for one in told if issubclass(one.category, kind)]
    positions = of_numbers(warning)
    assert positions  # else there is nothing to name
    names = [*NAMES, "age"]
    (note,) = results(fitted).notes
    assert not of_numbers(note)
    for j, name in enumerate(names):
        assert (re.search(rf"\b{name}\b", note) is not None) == (j in positions), (name, note)


def test_the_summary_says_it_once():
    model, y, kind = CASES["least squares"]
    with pytest.warns(kind):
        found = results(pipeline(model).fit(X, y))
    (note,) = found.notes
    assert str(" ".join(found.summary().notes)).count(note) == 1


def test_where_all_is_determined_there_is_no_note():
    penalised = pipeline(LogisticRegression(C=1.0)).fit(X, NOISE > 0)
    assert results(penalised).notes == ()
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(X[["age"]], NOISE)
    assert results(scaled).notes == ()


def test_a_model_alone_has_said_it_with_its_names():
    model, y, kind = CASES["least squares"]
    coded = pd.get_dummies(X["region"], dtype=float)
    with pytest.warns(kind, match="'n', 's', 'w'"):
        found = results(model.fit(coded, y))
    assert found.notes == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results(make_pipeline("passthrough", LinearRegression()).fit(coded[["n"]], y))
