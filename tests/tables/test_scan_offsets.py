"""Offsets and exposures of scanned tables: by the names of columns, whatever holds the table."""

import decimal
import pickle

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    RowStream,
    scan,
)
from mcmodels import GeneralizedLinearRegressor as Glm
from tests.numerics import relative_error
from tests.tables.test_scan import CONNECTIONS, SOURCES, csv_file, dense, parquet_pattern

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
N = 1500
TIGHT = {"tol": 1e-13}
FEATURES = ["distance", "zone"]
NAMED = {"features": FEATURES, "categorical": ["zone"]}


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "distance": rng.gamma(2.0, 1.0, n),
            "zone": rng.choice(["A", "B", "C"], n),
            "years": rng.choice([0.25, 0.5, 1.0, 2.0], n),
            "weight": rng.integers(0, 3, n).astype(float),
            "driver": rng.integers(0, 30, n),
            "unused": rng.normal(size=n),
        }
    )
    frame["log_years"] = np.log(frame["years"])
    eta = 0.2 * frame["distance"] - 0.5 * (frame["zone"] == "B") - 0.3 + frame["log_years"]
    frame["claims"] = rng.poisson(np.exp(eta)).astype(float)
    return frame


FRAME = table()


def in_memory(frame=FRAME, weights="weight", **options):
    X = dense(frame, FEATURES, ("zone",))
    w = None if weights is None else frame[weights].to_numpy()
    model = Glm("poisson", **TIGHT, **options)
    return X, model.fit(X, frame["claims"].to_numpy(), w, offset=np.log(frame["years"].to_numpy()))


@pytest.fixture(params=["offset", "exposure", "both"])
def offset(request):
    return {
        "offset": {"offset": "log_years"},
        "exposure": {"exposure": "years"},
        # Half of the logarithm, and the square root.
        "both": {"offset": "half", "exposure": "root"},
    }[request.param]


def with_halves(frame):
    return frame.assign(half=frame["log_years"] / 2, root=np.sqrt(frame["years"]))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_every_source(source, offset, tmp_path):
    found = source(with_halves(FRAME), tmp_path)
    rows = scan(found, "claims", weights="weight", groups="driver", **offset, **NAMED)
    X, known = in_memory()
    model = Glm("poisson", **TIGHT).fit(rows)
    y, w = FRAME["claims"].to_numpy(), FRAME["weight"].to_numpy()
    added = FRAME["log_years"].to_numpy()
    assert relative_error(model.params_, known.params_) < RTOL
    assert relative_error(model.standard_errors_, known.standard_errors_) < RTOL
    for kind in ("HC0", "HC3"):
        expected = known.covariance(X, y, w, kind=kind, offset=added)
        assert relative_error(model.covariance(rows, kind=kind), expected) < RTOL
    groups = FRAME["driver"].to_numpy()
    expected = known.covariance(X, y, w, kind="cluster", groups=groups, offset=added)
    assert relative_error(model.covariance(rows, kind="cluster"), expected) < RTOL
    assert abs(model.score(rows) - known.score(X, y, w, offset=added)) < RTOL
    new = scan(found, **offset)
    predicted = model.predict(new)
    if "duckdb" not in source.__name__ and "ibis" not in source.__name__:  # an order of their own
        assert relative_error(predicted, known.predict(X, offset=added)) < RTOL
    else:
        expected = np.sort(known.predict(X, offset=added))
        assert relative_error(np.sort(predicted), expected) < RTOL


def test_features_that_are_not_named_leave_the_offset_out(offset):
    frame = with_halves(FRAME)[["distance", "claims", *offset.values()]]
    model = Glm("poisson").fit(scan(frame, "claims", **offset))
    assert model.feature_names_in_.tolist() == ["distance"]


def test_an_offset_may_also_be_a_feature_or_the_weights():
    """A feature whose coefficient is about zero, since the offset has all of it."""
    frame = FRAME.assign(constant=1.0)
    rows = scan(frame, "claims", ["distance", "log_years"], offset="log_years")
    X, o = FRAME[["distance", "log_years"]].to_numpy(), FRAME["log_years"].to_numpy()
    model, known = Glm("poisson", **TIGHT).fit(rows), Glm("poisson", **TIGHT)
    known.fit(X, FRAME["claims"], offset=o)
    assert relative_error(model.params_, known.params_) < RTOL
    rows = scan(frame, "claims", ["distance"], weights="years", exposure="years")
    model = Glm("poisson", **TIGHT).fit(rows)
    known.fit(X[:, :1], FRAME["claims"], FRAME["years"], exposure=FRAME["years"])
    assert relative_error(model.params_, known.params_) < RTOL


@pytest.mark.parametrize("storage", [parquet_pattern, csv_file])
def test_conditions_and_missing_values(storage, offset, tmp_path):
    frame = with_halves(FRAME)
    lost = np.arange(N) % 11 == 3
    name = list(offset.values())[-1]
    frame.loc[lost, name] = np.nan
    frame.loc[5, "distance"] = np.nan
    found = storage(frame, tmp_path)
    options = {"where": "distance > 0.5", **offset, **NAMED}
    with pytest.raises(ValueError, match=f"missing values.*column '{name}'"):
        Glm("poisson").fit(scan(found, "claims", **options))
    rows = scan(found, "claims", missing="drop", **options)
    model = Glm("poisson", **TIGHT).fit(rows)
    kept = frame[(frame["distance"] > 0.5) & ~lost]
    _, known = in_memory(kept, weights=None)
    assert relative_error(model.params_, known.params_) < RTOL
    assert rows.n_dropped == int((lost & (frame["distance"] > 0.5)).sum())
    assert len(model.predict(rows)) == len(kept)


def test_explain_names_it():
    text = scan(with_halves(FRAME), "claims", offset="half", exposure="root", **NAMED).explain()
    assert "offset             half + log(root)" in text
    assert "columns read       distance, zone, claims, half, root" in text
    assert "fits take          every row" in text
    text = scan(FRAME, "claims", exposure="years", compress=True, **NAMED).explain()
    assert "distinct rows (also by their offset) with their weights" in text
    assert "offset" not in scan(FRAME, "claims", **NAMED).explain()


class TestDistinctRows:
    """An offset is among what tells rows apart, so that sums over distinct rows stay exact."""

    @pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
    def test_fits_are_those_of_all_rows(self, source, offset, tmp_path):
        frame = with_halves(FRAME)
        frame["weight"] = frame["weight"] + 1.0
        features = {"features": ["zone"], "categorical": ["zone"]}
        found = source(frame, tmp_path)
        rows = scan(found, "claims", weights="weight", compress=True, **offset, **features)
        assert rows.for_sums() is not rows
        model = Glm("poisson", **TIGHT).fit(rows)
        X = dense(frame, ["zone"], ("zone",))
        given = X, frame["claims"].to_numpy(), frame["weight"].to_numpy()
        o = frame["log_years"].to_numpy()
        known = Glm("poisson", **TIGHT).fit(*given, offset=o)
        assert relative_error(model.params_, known.params_) < RTOL
        expected = known.covariance(*given, kind="HC0", offset=o)
        assert relative_error(model.covariance(rows, kind="HC0"), expected) < RTOL
        assert abs(model.score(rows) - known.score(*given, offset=o)) < RTOL

    def test_they_are_not_looked_for_by_themselves(self):
        options = {"features": ["zone"], "categorical": ["zone"]}
        without = scan(FRAME, "claims", **options)
        assert without.for_sums() is not without
        rows = scan(FRAME, "claims", exposure="years", **options)
        assert rows.for_sums() is rows

    def test_wrong_values_are_refused(self):
        frame = FRAME.assign(years=np.where(np.arange(N) == 700, -1.0, FRAME["years"]))
        rows = scan(
            frame, "claims", ["zone"], categorical=["zone"], exposure="years", compress=True
        )
        with pytest.raises(ValueError, match=r"column 'years' .* holds -1 in row 700"):
            Glm("poisson").fit(rows)

    def test_least_squares_with_an_offset_are_refused(self):
        rows = scan(
            FRAME, "claims", ["zone"], categorical=["zone"], exposure="years", compress=True
        )
        with pytest.raises(ValueError, match="LinearRegression takes none"):
            LinearRegression().fit(rows)


@pytest.mark.parametrize("value", [0.0, -2.0, np.inf, -np.inf])
@pytest.mark.parametrize("argument", ["offset", "exposure"])
def test_wrong_values_are_refused_by_column_file_and_row(value, argument, tmp_path):
    if argument == "offset" and np.isfinite(value):
        pytest.skip("any finite number is an offset")
    frame = FRAME.assign(bad=1.0)
    frame.loc[1450, "bad"] = value  # the third file begins with row 1000, and has two row groups
    found = parquet_pattern(frame, tmp_path)
    rows = scan(found, "claims", **{argument: "bad"}, **NAMED)
    message = rf"column 'bad' of .*part-2\.parquet holds {value:g} in row 450 .*an {argument} must"
    for call in (Glm("poisson").fit, Glm("poisson").fit(*_simple()).predict):
        with pytest.raises(ValueError, match=message):
            call(rows)
    # Rows that are left out may hold what they will.
    frame.loc[1450, "distance"] = np.nan
    found = parquet_pattern(frame, tmp_path)
    Glm("poisson").fit(scan(found, "claims", missing="drop", **{argument: "bad"}, **NAMED))
    Glm("poisson").fit(scan(found, "claims", where="distance > 0", **{argument: "bad"}, **NAMED))


@pytest.mark.parametrize("engine", CONNECTIONS, ids=lambda engine: engine.__name__)
def test_queries(engine, tmp_path):
    """A wrong value is looked for by a second query, for which the first must be closed."""
    connection = engine(FRAME.assign(trip=np.arange(N)), tmp_path)
    text = "SELECT distance, claims, years FROM trips ORDER BY trip"
    model = Glm("poisson", **TIGHT).fit(
        scan(text, "claims", exposure="years", connection=connection)
    )
    known = Glm("poisson", **TIGHT)
    known.fit(FRAME[["distance"]], FRAME["claims"], exposure=FRAME["years"])
    assert relative_error(model.params_, known.params_) < RTOL
    text = "SELECT distance, claims, years - 1 AS years FROM trips ORDER BY trip"
    row = int((FRAME["years"] <= 1).argmax())
    value = FRAME["years"][row] - 1
    with pytest.raises(ValueError, match=f"column 'years' of .* holds {value:g} in row {row} "):
        Glm("poisson").fit(scan(text, "claims", exposure="years", connection=connection))
    connection.close()


def _simple():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 3)), columns=["distance", "zone_B", "zone_C"])
    return X, rng.poisson(1.0, 40)


@pytest.mark.parametrize("argument", ["offset", "exposure"])
def test_types_of_columns(argument):
    n = 60
    rng = np.random.default_rng(0)
    y, x = rng.poisson(2.0, n), rng.normal(size=n)
    whole = rng.integers(1, 5, n)
    columns = {
        "whole": pa.array(whole),
        "small": pa.array(whole.astype(np.int8)),
        "single": pa.array(whole.astype(np.float32)),
        "half": pa.array(whole.astype(np.float16)),
        "money": pa.array([decimal.Decimal(int(v)) / 4 for v in whole], pa.decimal128(10, 2)),
    }
    for name, column in columns.items():
        found = pa.table({"x": x, "y": y, name: column})
        model = Glm("poisson", **TIGHT).fit(scan(found, "y", ["x"], **{argument: name}))
        values = whole / 4 if name == "money" else whole
        known = Glm("poisson", **TIGHT).fit(x[:, np.newaxis], y, **{argument: values})
        assert relative_error(model.params_, known.params_) < RTOL, name
    for column, kind in {
        "yes": pa.array(whole > 2),
        "text": pa.array(whole.astype(str)),
        "day": pa.array(whole.astype("datetime64[s]")),
        "levels": pa.array(whole.astype(str)).dictionary_encode(),
        "codes": pa.array(whole).dictionary_encode(),
    }.items():
        found = pa.table({"x": x, "y": y, column: kind})
        with pytest.raises(TypeError, match=f"{argument}='{column}' is a column of .*, not of num"):
            scan(found, "y", ["x"], **{argument: column})


def test_wrong_arguments():
    for argument in ("offset", "exposure"):
        with pytest.raises(ValueError, match=f"{argument} names 'year', which .* 'years'"):
            scan(FRAME, "claims", **{argument: "year"})
        for wrong in (["years"], 3) if argument == "exposure" else (["years", 3], [], 3):
            with pytest.raises(TypeError, match=f"{argument}=.* names no columns"):
                scan(FRAME, "claims", **{argument: wrong})
        with pytest.raises(ValueError, match=f"'claims' is both a target and the {argument}"):
            scan(FRAME, "claims", **{argument: "claims"})
    rows = scan(FRAME, "claims", exposure="years", **NAMED)
    with pytest.raises(ValueError, match="exposure multiplies the mean, which needs link='log'"):
        Glm("poisson", link="sqrt").fit(rows)
    model = Glm("poisson", link="sqrt").fit(scan(FRAME, "claims", **NAMED))
    with pytest.raises(ValueError, match="exposure multiplies the mean"):
        model.predict(rows)
    model = Glm("poisson").fit(rows)
    for name in ("offset", "exposure"):
        with pytest.raises(ValueError, match=f"{name} was given together with a RowStream"):
            model.predict(rows, **{name: FRAME["years"]})
    for call in (model.predict, model.score, model.covariance):
        with pytest.raises(ValueError, match="fitted with an offset or an exposure"):
            call(scan(FRAME, "claims", **NAMED))


@pytest.mark.parametrize("model", [LinearRegression(), LogisticRegression(), PCA(2)])
def test_models_that_take_none(model):
    frame = FRAME.assign(claims=(FRAME["claims"] > 0).astype(float))
    for argument in {"offset", "exposure"} - set(model._offset_names):
        rows = scan(frame, "claims", **{argument: "years"}, **NAMED)
        with pytest.raises(ValueError, match=f"an {argument}, and {type(model).__name__} takes"):
            model.fit(rows)


def test_blocks_are_handed_out_with_their_offset(offset):
    rows = scan(with_halves(FRAME), "claims", weights="weight", **offset, **NAMED)
    (block,) = rows
    again = Glm("poisson", **TIGHT).fit(RowStream([block]))
    assert relative_error(again.params_, Glm("poisson", **TIGHT).fit(rows).params_) < RTOL
    assert len(block) == (4 if "exposure" not in offset else 5)


def test_files_that_change_are_refused(tmp_path):
    found = parquet_pattern(FRAME, tmp_path)
    rows = scan(found, "claims", exposure="years", **NAMED)
    model = Glm("poisson").fit(rows)
    parquet_pattern(FRAME.assign(years=FRAME["years"] * 1.0001), tmp_path)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        model.covariance(scan(found, "claims", exposure="years", **NAMED), kind="HC0")


def test_a_fitted_model_is_pickled():
    rows = scan(FRAME, "claims", exposure="years", **NAMED)
    model = Glm("poisson").fit(rows)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
