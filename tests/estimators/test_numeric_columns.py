"""Columns that hold no numbers are refused by name, with an example and what to do."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
)
from mcmodels.rows import RowStream

Y = [1.0, 2.0, 3.0, 5.0]
NUMBERS = [1.0, 2.0, 4.0, 8.0]
DAYS = [datetime.date(2020, 1, day) for day in (1, 2, 5, 6)]
MODELS = [
    LinearRegression(),
    LogisticRegression(),
    PCA(),
    ObjectiveRegressor("(y - eta)**2"),
    MLPRegressor((2,), max_iter=2),
]
# A column, what its example looks like, and words of the remedy.
COLUMNS = {
    "categories": (pd.Categorical(["u", "v", "u", "w"]), "'u' in row 0", "OneHotEncoder"),
    "text": (pd.array(["u", "v", "u", "w"], dtype="string"), "'u' in row 0", "OneHotEncoder"),
    "objects": (np.array(["u", "v", "u", "w"], dtype=object), "'u' in row 0", "OneHotEncoder"),
    "mixed": (np.array([1, 2.5, "n/a?", 4], dtype=object), "'n/a?' in row 2", "correct or remove"),
    "bytes": (np.array([b"u", b"v", b"u", b"w"], dtype=object), "b'u' in row 0", "OneHotEncoder"),
    "periods": (pd.period_range("2020-01", periods=4, freq="M"), "2020-01", "days since"),
    "datetimes": (pd.date_range("2020-01-01", periods=4), "2020-01-01", "days since"),
    "zoned": (pd.date_range("2020-01-01", periods=4, tz="UTC"), "2020-01-01", "days since"),
    "dates": (np.array(DAYS, dtype=object), "2020, 1, 1", "days since"),
    "durations": (pd.to_timedelta([1, 2, 3, 5], unit="D"), "1 days", "total_seconds"),
    "intervals": (pd.interval_range(0, 4), "Interval(0", "convert it to numbers"),
    "lists": (pd.Series([[1], [2], [3], [4]]), "[1]", "convert it to numbers"),
}


def refused(data, match, model, y=Y):
    with pytest.raises((TypeError, ValueError), match=match):
        model.fit(data, [0, 1, 0, 1] if isinstance(model, LogisticRegression) else y)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_of_a_data_frame(kind, alone, model):
    column, example, remedy = COLUMNS[kind]
    frame = pd.DataFrame({"income": column})
    if not alone:
        frame.insert(0, "age", NUMBERS)
    refused(frame, f"column 'income' of X.*{re.escape(example)}.*{re.escape(remedy)}", model)


@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_to_predict_and_blocks_of_a_stream(kind):
    column, example, _ = COLUMNS[kind]
    model = LinearRegression().fit(pd.DataFrame({"a": NUMBERS}), Y)
    bad = pd.DataFrame({"a": column})
    wanted = f"column 'a' of X.*{re.escape(example)}"
    with pytest.raises((TypeError, ValueError), match=wanted):
        model.predict(bad)
    with pytest.raises((TypeError, ValueError), match=wanted):
        LinearRegression().fit(RowStream(lambda: iter([(bad, Y)])))
    with pytest.raises((TypeError, ValueError), match=wanted):
        LinearRegression().partial_fit(bad, Y)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (np.array([["1", "u"], ["2", "v"], ["3", "w"], ["5", "x"]]), "column 1 of X.*'u' in row 0"),
        ([[1.0, 2], [3, 4], [5, "x"], [6, 7]], "column 1 of X.*'x' in row 2"),
        (np.array([[1, 2], [3, "x"], [5, 6], [7, 8]], dtype=object), "column 1 of X.*'x' in row 1"),
        (np.array(DAYS, dtype="M8[D]")[:, np.newaxis], "column 0 of X.*2020-01-01"),
        (np.array([[1], [2], [3], [4]], dtype="m8[D]"), "column 0 of X.*durations"),
    ],
)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_arrays_and_lists(data, where, model):
    refused(data, where, model)


@pytest.mark.parametrize("kind", [k for k in COLUMNS if k not in ("intervals", "lists")])
@pytest.mark.parametrize("model", [LinearRegression(), ObjectiveRegressor("(y - eta)**2")])
def test_targets_of_a_regression(kind, model):
    column, example, _ = COLUMNS[kind]
    refused(np.c_[NUMBERS], f" y .*{re.escape(example)}|^y .*{re.escape(example)}", model, column)
    if kind == "text":
        refused(np.c_[NUMBERS], "fit a classifier", model, np.array(["u", "v", "u", "w"]))


@pytest.mark.parametrize("column", [pd.array([1, None, 3, 4], dtype="Int64"), [1, None, 3, 4]])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_missing_values_are_called_missing(column, model):
    frame = pd.DataFrame({"a": pd.Series(column, dtype=getattr(column, "dtype", object))})
    refused(frame, "X contains NaN", model)


def test_what_scikit_learn_takes_is_taken():
    exact = LinearRegression().fit(np.c_[NUMBERS], Y).params_
    for column in (
        [Decimal(int(x)) for x in NUMBERS],
        pd.Categorical([int(x) for x in NUMBERS]),
        ["1", "2", "4", "8"],
        pd.array([1, 2, 4, 8], dtype="Int64"),
    ):
        found = LinearRegression().fit(pd.DataFrame({"a": column}), Y).params_
        np.testing.assert_array_equal(found, exact)


def test_polars():
    pl = pytest.importorskip("polars")
    for name, column in {
        "text": pl.Series(["u", "v", "u", "w"]),
        "categories": pl.Series(["u", "v", "u", "w"], dtype=pl.Categorical),
        "enum": pl.Series(["u", "v", "u", "w"], dtype=pl.Enum(["u", "v", "w"])),
        "dates": pl.Series(DAYS),
        "datetimes": pl.Series([datetime.datetime(2020, 1, day) for day in (1, 2, 5, 6)]),
        "durations": pl.Series([datetime.timedelta(days) for days in (1, 2, 3, 5)]),
    }.items():
        for data in ({"a": column}, {"b": NUMBERS, "a": column}):
            for model in MODELS:
                refused(pl.DataFrame(data), "column 'a' of X", model)
        if name != "categories":
            refused(np.c_[NUMBERS], "^y holds", LinearRegression(), column)
    decimals = pl.Series([Decimal(int(x)) for x in NUMBERS])
    exact = LinearRegression().fit(np.c_[NUMBERS], Y).params_
    found = LinearRegression().fit(pl.DataFrame({"a": decimals}), Y)
    np.testing.assert_array_equal(found.params_, exact)
    np.testing.assert_array_equal(found.predict(pl.DataFrame({"a": decimals}))[0], exact.sum())
    swapped = LinearRegression().fit(np.c_[Y], decimals)
    np.testing.assert_array_equal(
        swapped.params_, LinearRegression().fit(np.c_[Y], NUMBERS).params_
    )
    weighted = LinearRegression().fit(np.c_[NUMBERS], Y, decimals)
    np.testing.assert_array_equal(
        weighted.params_, LinearRegression().fit(np.c_[NUMBERS], Y, NUMBERS).params_
    )
    PCA().fit(pl.DataFrame({"a": decimals}))


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_weights_that_are_no_numbers(kind, model):
    """Dates were weights of 1e18, counted in nanoseconds."""
    weights, example, remedy = COLUMNS[kind]
    remedy = "convert it to numbers" if remedy == "OneHotEncoder" else remedy
    rows, *y = [[value] for value in NUMBERS], [0, 1, 0, 1]
    for given in (weights, pd.Series(weights)):
        wanted = f"sample_weight.*{re.escape(example)}.*{re.escape(remedy)}"
        with pytest.raises((TypeError, ValueError), match=wanted):
            model.fit(rows, *([] if isinstance(model, PCA) else y), sample_weight=given)
