"""Columns that hold no numbers are refused by name, with an example and what to do."""

import datetime
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
)
from mcmodels.rows import RowStream
from tests.versions import BEFORE_1_9


def arrow(values, kind):
    return pd.array(values, dtype=pd.ArrowDtype(kind))


Y = [1.0, 2.0, 3.0, 5.0]
NUMBERS = [1.0, 2.0, 4.0, 8.0]
LOGISTIC = "softplus(eta) - y*eta"
DAYS = [datetime.date(2020, 1, day) for day in (1, 2, 5, 6)]
MODELS = [
    LinearRegression(),
    LogisticRegression(),
    FirthLogisticRegression(),
    PCA(),
    GeneralizedLinearRegressor(),
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
    "times": (np.array([datetime.time(9)] * 4, dtype=object), "datetime.time(9", "days since"),
    "arrow text": (pd.array(["u", "v", "u", "w"], dtype="string[pyarrow]"), "'u' in row", "OneHot"),
    "arrow dates": (arrow(DAYS, pa.date32()), "2020, 1, 1", "days since"),
    "arrow durations": (
        arrow([datetime.timedelta(1)] * 4, pa.duration("s")),
        "Timedelta('1 days",
        "total_seconds",
    ),
    "arrow lists": (arrow([[1, 2]] * 4, pa.list_(pa.int64())), "[1, 2]", "convert it to numbers"),
    "categories of dates": (
        pd.Categorical(pd.date_range("2020-01-01", periods=4)),
        "2020-01-01",
        "days since",
    ),
    "complex": (np.array([1j, 2, 3, 4]), "1j", ".real or .imag"),
    "some complex": (np.array([1, 2, 3j, 4], dtype=object), "3j in row 2", ".real or .imag"),
    "too large": (np.array([1, 10**400, 3, 4], dtype=object), "000… in row 1", "power of ten"),
    "beyond text": (
        np.array([1, 10**9999, 3, 4], dtype=object),
        "a value of type int in row 1",
        "power of ten",
    ),
    "fractions": (
        np.array([Fraction(10**400, 3), 2, 3, 4], dtype=object),
        "Fraction(1",
        "power of ten",
    ),
    "long text": (np.array(["line\n" * 500] * 4, dtype=object), "'line", "OneHotEncoder"),
    "intervals": (pd.interval_range(0, 4), "Interval(0", "convert it to numbers"),
    "lists": (pd.Series([[1], [2], [3], [4]]), "[1]", "convert it to numbers"),
}


def refused(data, match, model, y=Y):
    with pytest.raises((TypeError, ValueError), match=match) as refusal:
        model.fit(data, [0, 1, 0, 1] if y is Y and isinstance(model, LogisticRegression) else y)
    assert len(str(refusal.value)) < 400
    assert "\n" not in str(refusal.value)


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


@pytest.mark.parametrize("kind", [k for k in COLUMNS if k != "intervals" and "lists" not in k])
@pytest.mark.parametrize("model", [LinearRegression(), ObjectiveRegressor("(y - eta)**2")])
def test_targets_of_a_regression(kind, model):
    column, example, _ = COLUMNS[kind]
    refused(np.c_[NUMBERS], f" y .*{re.escape(example)}|^y .*{re.escape(example)}", model, column)
    if kind == "text":
        refused(np.c_[NUMBERS], "fit a classifier", model, np.array(["u", "v", "u", "w"]))


@pytest.mark.parametrize("kind", COLUMNS)
def test_weights_parameters_and_candidates(kind):
    column, example, _ = COLUMNS[kind]
    X, labels = np.array([[0.0], [1.0], [2.0], [4.0]]), [0, 1, 0, 1]
    wide = LinearRegression(fit_intercept=False).fit(np.eye(4), Y)
    logistic = LogisticRegression(C=np.inf).fit(X, labels)
    for name, call in {
        "sample_weight": lambda: PCA().fit(X, sample_weight=column),
        "params": lambda: wide.objective(np.eye(4), Y, params=column),
        "vector": lambda: wide.hessian_vector_product(np.eye(4), Y, vector=column),
        "candidate": lambda: logistic.score_test(X, labels, column),
    }.items():
        with pytest.raises((TypeError, ValueError), match=f"{name} .*{re.escape(example)}"):
            call()


def test_a_structured_array_is_no_target():
    column = np.array([(1, 2)] * 4, dtype=[("a", int), ("b", int)])
    refused(np.c_[NUMBERS], "^y holds values of type void", LinearRegression(), column)


STORES = {
    "array": np.asarray,
    "frame": lambda X: pd.DataFrame(X, columns=list("abc")),
    "arrow": lambda X: pd.DataFrame(X, columns=list("abc")).convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda X: pd.DataFrame(X, columns=list("abc")).astype(object),
    "sparse": sparse.csr_array,
    "fortran": np.asfortranarray,
    "list": lambda X: X.tolist(),
}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_entries_that_are_not_finite_are_counted_and_placed(model, store, bad):
    rng = np.random.default_rng(0)
    for count in (1, 4):
        X = rng.normal(size=(30, 3))
        places = sorted({(int(i), int(j)) for i, j in rng.integers((30, 3), size=(count, 2))})
        for place in places:
            X[place] = bad
        row, j = places[0]
        name = repr("abc"[j]) if store in ("frame", "arrow", "objects") else j
        entries = "1 entry" if len(places) == 1 else f"{len(places)} entries"
        y = np.arange(30) % 2
        found = f"contains {'NaN' if np.isnan(bad) else 'infinity'}.*: {entries}, the first in row "
        found += rf"{row}, column {name} \(counted from 0\)\. (Drop|Correct or drop) such rows"
        data = STORES[store](X)
        refused(data, found, clone(model), y)
        fitted = clone(model).fit(STORES[store](np.nan_to_num(X, posinf=0, neginf=0)), y)
        for call in ("predict", "transform"):
            if hasattr(fitted, call):
                with pytest.raises(ValueError, match=found):
                    getattr(fitted, call)(data)
        with pytest.raises(ValueError, match=found):
            fitted.objective(data, y)
        if hasattr(model, "partial_fit") and (store != "frame" or not isinstance(model, PCA)):
            with pytest.raises(ValueError, match=found):
                clone(model).partial_fit(data, y)


@pytest.mark.parametrize("bad", [np.nan, None, pd.NA, Decimal("NaN"), Decimal("sNaN"), np.inf])
def test_targets_and_weights_that_are_not_finite_are_placed(bad):
    X, column = np.c_[NUMBERS], np.array([1.0, 2.0, bad, 4.0], dtype=object)
    what = "infinity" if bad is np.inf else "NaN"
    for name, call in {
        "y": lambda: LinearRegression().fit(X, column),
        "sample_weight": lambda: LinearRegression().fit(X, Y, column),
    }.items():
        with pytest.raises(ValueError, match=f"{name} contains {what}.*: 1 entry, .* in row 2 "):
            call()


@pytest.mark.parametrize(
    "labels",
    [
        pd.array(["u", None, "u", "w"], dtype="string"),
        pd.array([1, None, 0, 1], dtype="Int64"),
        pd.array([True, None, False, True], dtype="boolean"),
        pd.Categorical(["u", None, "u", "w"]),
        arrow([True, None, False, True], pa.bool_()),
        np.array(["2020-01-01", "NaT", "2020-01-01", "2020-01-03"], dtype="M8[D]"),
        pd.to_timedelta([1, None, 1, 2], unit="D"),
        np.array([True, None, False, True], dtype=object),
        [0.0, np.nan, 0.0, 1.0],
    ],
    ids=str,
)
def test_missing_labels_of_classes_are_called_missing(labels):
    for model in (LogisticRegression(), MLPClassifier((2,)), ObjectiveClassifier(LOGISTIC)):
        with pytest.raises(ValueError, match=r"y contains NaN.* in row 1( \(counted|$)"):
            model.fit(np.c_[NUMBERS], labels)


@pytest.mark.parametrize(
    "label",
    [Decimal(1), Fraction(1, 3), DAYS[0], pd.Period("2020"), pd.Interval(0, 1), 1j, 10**400],
    ids=lambda label: type(label).__name__,
)
def test_labels_of_other_types_are_named(label):
    labels = np.array([label, label + 1 if label not in (DAYS[0],) else DAYS[1]] * 2, dtype=object)
    example = re.escape(repr(label)[:40])
    with pytest.raises(ValueError, match=f"holds {example}.* in row 0. Labels are text, whole"):
        LogisticRegression().fit(np.c_[NUMBERS], labels)


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


def test_groups_of_clusters():
    X = np.c_[NUMBERS]
    model = LinearRegression().fit(X, Y)

    def covariance(groups):
        return model.covariance(X, Y, kind="cluster", groups=groups)

    exact = covariance([0, 0, 1, 2])
    for groups in (
        np.array([0, 0, 1, 2], np.float16),
        pd.DataFrame({"g": np.array([0, 0, 1, 2], np.float16)}),
        arrow(["a", "a", "b", "c"], pa.string()),
        pd.Categorical(["a", "a", "b", "c"]),
        [Fraction(1, 3), Fraction(1, 3), Fraction(2, 3), Fraction(1)],
    ):
        np.testing.assert_array_equal(covariance(groups), exact)
    for lists in (pd.Series([[1], [1], [2], [3]]), pd.Series([{1}, {1}, {2}, {3}])):
        with pytest.raises(TypeError, match="groups holds labels that cannot be compared"):
            covariance(lists)
    two = np.array([[0, 0], [0, 1], [1, 0], [2, 1]])
    same_names = pd.DataFrame(two, columns=["g", "g"])
    np.testing.assert_array_equal(covariance(same_names), covariance(two))


def test_polars():
    pl = pytest.importorskip("polars")
    for name, column in {
        "text": pl.Series(["u", "v", "u", "w"]),
        "categories": pl.Series(["u", "v", "u", "w"], dtype=pl.Categorical),
        "enum": pl.Series(["u", "v", "u", "w"], dtype=pl.Enum(["u", "v", "w"])),
        "dates": pl.Series(DAYS),
        "datetimes": pl.Series([datetime.datetime(2020, 1, day) for day in (1, 2, 5, 6)]),
        "durations": pl.Series([datetime.timedelta(days) for days in (1, 2, 3, 5)]),
        "times": pl.Series([datetime.time(9)] * 4),
        "bytes": pl.Series([b"u", b"v", b"u", b"w"]),
        "lists": pl.Series([[1], [2], [3], [4]]),
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
    for column in ([1.0, None, 3.0, 4.0], [True, None, False, True], [Decimal(1), None] * 2):
        found = r"contains NaN: \d entr(y|ies), the first in row 1"
        refused(pl.DataFrame({"b": NUMBERS, "a": column}), f"X {found}, column 'a'", PCA())
        refused(np.c_[NUMBERS], f"y {found}", LinearRegression(), pl.Series(column))
        with pytest.raises(ValueError, match=f"sample_weight {found}"):
            LinearRegression().fit(np.c_[NUMBERS], Y, pl.Series(column))
        if column[0] is not Decimal(1):
            with pytest.raises(ValueError, match=r"y contains NaN.* row 1"):
                LogisticRegression().fit(np.c_[NUMBERS], pl.Series(column))
    for dates in (pl.Series(DAYS), pl.Series([datetime.timedelta(1)] * 4)):
        with pytest.raises(TypeError, match="sample_weight holds d"):
            LinearRegression().fit(np.c_[NUMBERS], Y, dates)


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_weights_that_are_no_numbers(kind, model):
    """Dates were weights of 1e18, counted in nanoseconds."""
    weights, example, remedy = COLUMNS[kind]
    remedy = "convert it to numbers" if remedy.startswith("OneHot") else remedy
    rows, *y = [[value] for value in NUMBERS], [0, 1, 0, 1]
    for given in (weights, pd.Series(weights)):
        wanted = f"sample_weight.*{re.escape(example)}.*{re.escape(remedy)}"
        with pytest.raises((TypeError, ValueError), match=wanted):
            model.fit(rows, *([] if isinstance(model, PCA) else y), sample_weight=given)


@pytest.mark.skipif(BEFORE_1_9, reason="scikit-learn before 1.9 takes repeated names")
def test_columns_of_the_same_name():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 3)), columns=["a", "b", "a"])
    for fit, argument in (
        (lambda: PCA().fit(frame), "X"),
        (lambda: LinearRegression().fit(frame, frame["b"]), "X"),
        (lambda: LinearRegression().fit(frame[["b"]], frame), "y"),
    ):
        with pytest.raises(ValueError, match=f"^{argument} has several columns named 'a'; give"):
            fit()


@pytest.mark.parametrize(
    "X", [np.array([["1", "2"]] * 4), [["1", "2"]] * 4, np.array([[b"1", b"2"]] * 4)]
)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_text_that_could_be_read_as_numbers(model, X):
    with pytest.raises(
        ValueError, match=r"column 0 of X holds text, such as b?'1' in row 0.*astype"
    ):
        clone(model).fit(X, [0, 1, 0, 1])
