"""Offsets of classes and own losses, wherever the rows are: results are those of arrays.

What arrays give is compared with brute force and peers in tests/test_offsets.py.
"""

import functools
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.special import log_softmax
from sklearn.model_selection import cross_val_score

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    scan,
)
from tests.numerics import relative_error
from tests.tables.test_scan import csv_file, parquet_pattern

pa = pytest.importorskip("pyarrow")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
# Bounds of intervals are roots that are found up to 1e-9 of their distances.
ENDS = 1e-8
TIGHT = {"tol": 1e-13}
N = 620
LOSS = "softplus(eta) - y*eta"
RNG = np.random.default_rng(3)
X = RNG.normal(size=(N, 3)) * [1.0, 20.0, 0.1] + [0.0, 300.0, 0.0]
X[:, 2] = RNG.random(N) < 0.3
STANDARD = (X - X.mean(axis=0)) / X.std(axis=0)
ONE, THREE = RNG.normal(size=N), RNG.normal(size=(N, 3))
TWO = np.where(STANDARD @ [1.0, -0.5, 0.3] + ONE + RNG.logistic(size=N) > 0, "yes", "no")
CLASSES = np.array(["a", "b", "c"])[
    (STANDARD * [1.0, -1.0, 0.5] + THREE + RNG.gumbel(size=(N, 3))).argmax(axis=1)
]
NUMBERS = (TWO == "yes").astype(float)
WEIGHTS = RNG.integers(0, 3, N).astype(float)
GROUPS = RNG.integers(0, 30, N)
FRAME = pd.DataFrame(X, columns=["u", "v", "w"]).assign(
    two=TWO, three=CLASSES, number=NUMBERS, weight=WEIGHTS, group=GROUPS, one=ONE
)
FRAME[["a", "b", "c"]] = THREE

# The estimator, its target, and the columns of its offset.
KINDS = {
    "two classes": (LogisticRegression(C=2.0, **TIGHT), "two", "one"),
    "class weights": (LogisticRegression(class_weight="balanced", **TIGHT), "two", "one"),
    "maximum": (LogisticRegression(C=np.inf, **TIGHT), "two", "one"),
    "three classes": (LogisticRegression(C=2.0, **TIGHT), "three", ["a", "b", "c"]),
    "firth": (FirthLogisticRegression(**TIGHT), "two", "one"),
    "firth, three": (FirthLogisticRegression(**TIGHT), "three", ["a", "b", "c"]),
    "own loss": (ObjectiveRegressor(LOSS, log_likelihood=True, **TIGHT), "number", "one"),
    "own classes": (
        ObjectiveClassifier(LOSS, inverse_link="sigmoid(eta)", log_likelihood=True, **TIGHT),
        "two",
        "one",
    ),
}
FEATURES = ["u", "v", "w"]


def blocks(target, offset, height=97, weights=True):
    parts = []
    for start in range(0, N, height):
        part = FRAME.iloc[start : start + height]
        w = part["weight"].to_numpy() if weights else None
        y = None if target is None else part[target].to_numpy()
        parts.append((part[FEATURES], y, w, part[offset].to_numpy()))
    return RowStream(parts)


def chunked(values, chunk=130):
    return da.from_array(values, chunks=(chunk, *values.shape[1:]))


class Form:
    """Rows in some form: the arguments of methods that take them, by the name of the form."""

    def __init__(self, form, target, offset, tmp_path):
        self.form, self.groups = form, {}
        self.is_ordered = form in ("blocks", "dask arrays")
        self.is_lazy = form in ("dask arrays", "dask frames")
        if self.is_lazy:
            self.frame = dd.from_pandas(FRAME, npartitions=3)
            if form == "dask frames":
                self.of = lambda name: self.frame[name]
            else:
                self.of = lambda name: chunked(FRAME[name].to_numpy())
            self.rows = self.of(FEATURES), self.of(target), self.of("weight")
            self.new, self.added = (self.rows[0],), {"offset": self.of(offset)}
            self.groups = {"groups": self.of("group")}
            return
        self.added, options = {}, {"weights": "weight", "groups": "group", "offset": offset}
        if form == "blocks":
            self.rows, self.new = (blocks(target, offset),), (blocks(None, offset),)
            self.groups = {"groups": GROUPS}
            return
        table = {
            "pandas": lambda: FRAME,
            "arrow": lambda: pa.Table.from_pandas(FRAME),
            "files": lambda: parquet_pattern(FRAME, tmp_path),
            "csv": lambda: csv_file(FRAME, tmp_path),
            "scan of dask": lambda: dd.from_pandas(FRAME, npartitions=3),
        }[form]()
        self.rows = (scan(table, target, FEATURES, **options),)
        self.new = (scan(table, offset=offset),)

    def computed(self, found):
        """A result in memory; of collections it must not be before."""
        if not self.is_lazy:
            return np.asarray(found)
        assert hasattr(found, "dask"), type(found)
        expected = getattr(found, "columns", None), getattr(found, "dtype", None)
        result = found.compute()
        if expected[0] is not None:
            assert list(result.columns) == list(expected[0])
        else:
            assert result.dtype == expected[1]
        return np.asarray(result)


class Arrays(Form):
    """The same in memory."""

    def __init__(self, target, offset):
        self.is_lazy, self.is_ordered, self.groups = False, True, {"groups": GROUPS}
        self.added = {"offset": FRAME[offset].to_numpy()}
        self.rows = FRAME[FEATURES], FRAME[target].to_numpy(), WEIGHTS
        self.new = (FRAME[FEATURES],)


FORMS = ["blocks", "pandas", "arrow", "files", "csv", "dask arrays", "dask frames", "scan of dask"]


def fitted(kind, form):
    model = sklearn.base.clone(KINDS[kind][0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arrays of Dask have no names, and the fit had some
        return model.fit(*form.rows, **form.added)


def results(kind, model, form):
    """What a fit says with its rows and their offset, by name."""
    rows, added = form.rows, form.added
    point = 1.2 * model.params_
    y_w = (rows[1], point, rows[2]) if len(rows) > 1 else (None, point)
    found = {name: getattr(model, name)(rows[0], *y_w, **added) for name in DERIVATIVES}
    found["product"] = model.hessian_vector_product(rows[0], *y_w, vector=point, **added)
    found["score"] = model.score(*rows, **added)
    several = model.params_.ndim > 1
    kinds = ["HC0", "HC1", "nonrobust"] + ([] if several else ["HC2", "HC3"])
    kinds += ["expected"] if kind.startswith("firth") and not several else []
    for name in kinds:
        found[name] = model.covariance(*rows, kind=name, **added)
    if form.is_ordered:
        found["HAC"] = model.covariance(*rows, kind="HAC", max_lags=3, **added)
    found["cluster"] = model.covariance(*rows, kind="cluster", **form.groups, **added)
    names = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    for name in names:
        if hasattr(model, name):
            found[name] = form.computed(getattr(model, name)(*form.new, **added))
    if hasattr(model, "marginal_effects"):
        for at in ("average", "means"):
            weights = {"sample_weight": rows[2]} if len(rows) > 1 else {}
            table = model.marginal_effects(rows[0], at=at, **weights, **added)
            found[f"effects, {at}"] = table.to_numpy()
        effects = model.marginal_effects(*form.new, at="rows", **added)
        found["effects"] = form.computed(effects)
        found["intervals"] = form.computed(model.predict_interval(*form.new, **added))
        if not several:
            found["influence"] = form.computed(model.influence(*rows, **added))
            residuals = model.residuals(*rows[:2], **added)
            found["residuals"] = form.computed(residuals)
    return found


DERIVATIVES = ("objective", "gradient", "hessian")


@functools.cache
def in_memory(kind):
    """The rows in memory, and the fit to them, which all forms are compared with."""
    arrays = Arrays(*KINDS[kind][1:])
    return arrays, fitted(kind, arrays)


@functools.cache
def results_in_memory(kind):
    arrays, model = in_memory(kind)
    return results(kind, model, arrays)


@functools.cache
def of_the_likelihood(kind, name):
    """What a method says of the first parameter in memory."""
    arrays, model = in_memory(kind)
    return getattr(model, name)(*arrays.rows, parameters=["u"], **arrays.added)


# All forms with two and three classes, which differ in the shape of their offsets; of the others
# those that differ in who sums.
CASES = [(kind, form) for kind in ("two classes", "three classes") for form in FORMS]
CASES += [
    (kind, form)
    for kind in KINDS
    for form in ("blocks", "files", "dask frames")
    if (kind, form) not in CASES
]


@pytest.mark.filterwarnings("ignore:.*feature names")
@pytest.mark.parametrize(("kind", "form"), CASES)
def test_everything_is_as_in_memory(kind, form, tmp_path):
    with dask.config.set(scheduler="threads" if kind == "three classes" else "sync"):
        _compare(kind, form, tmp_path)


def _compare(kind, form, tmp_path):
    _, target, offset = KINDS[kind]
    rows = Form(form, target, offset, tmp_path)
    known, model = in_memory(kind)[1], fitted(kind, rows)
    for name in ("params_", "standard_errors_", "log_likelihood_", "objective_"):
        assert relative_error(getattr(model, name), getattr(known, name)) < RTOL, name
    if hasattr(known, "null_log_likelihood_"):
        assert relative_error(model.null_log_likelihood_, known.null_log_likelihood_) < RTOL
    expected = results_in_memory(kind)
    found = results(kind, model, rows)
    assert set(found) == set(expected) - ({"HAC"} if not rows.is_ordered else set())
    for name, value in found.items():
        if name == "predict":
            assert np.mean(value == expected[name]) == 1.0 or relative_error(
                value.astype(float), expected[name].astype(float)
            ) < (RTOL)
            continue
        # The point of the derivatives is that of the fit, and so differs by its rounding.
        assert relative_error(value, expected[name]) < 10 * RTOL, name


@pytest.mark.filterwarnings("ignore:.*feature names")
@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *(("maximum", form) for form in ("blocks", "files", "dask arrays", "scan of dask")),
        ("firth", "dask frames"),
        ("own loss", "dask frames"),
        ("own classes", "blocks"),
    ],
)
def test_intervals_and_tests_of_the_likelihood(kind, form, tmp_path):
    _, target, offset = KINDS[kind]
    rows = Form(form, target, offset, tmp_path)
    (arrays, known), model = in_memory(kind), fitted(kind, rows)
    # They share the path of their rows; all of them for one form of rows here, and one elsewhere.
    names = ["profile_intervals"]
    if form in ("blocks", "dask arrays") and kind == "maximum":
        names += ["likelihood_ratio_tests", "likelihood_profile", "score_intervals"]
    for name in names:
        options = {"parameters": [model.feature_names_in_[0] if form != "dask arrays" else "x0"]}
        found = getattr(model, name)(*rows.rows, **options, **rows.added)
        expected = of_the_likelihood(kind, name)
        columns = [c for c in expected if c != "parameter"]
        assert relative_error(found[columns], expected[columns]) < ENDS, name
    if kind == "maximum":
        extra = np.cos(np.arange(N))
        given = rows.of("weight") if rows.is_lazy else None
        if rows.is_lazy:
            given = dd.from_pandas(pd.Series(extra), npartitions=3)
            given = chunked(extra) if form == "dask arrays" else given
        if form != "scan of dask":
            candidate = given if rows.is_lazy else extra
            where = (rows.rows[0], rows.rows[1]) if rows.is_lazy else rows.rows
            weights = {"sample_weight": rows.rows[2]} if rows.is_lazy else {}
            found = model.score_test(*where, candidate=candidate, **weights, **rows.added)
            expected = known.score_test(
                *arrays.rows[:2], extra, arrays.rows[2], offset=arrays.added["offset"]
            )
            assert relative_error(found.statistic, expected.statistic) < RTOL


def test_a_planted_error_is_seen():
    """The comparison tells offsets that are one row off, and columns that are exchanged."""
    for kind in ("two classes", "three classes"):
        estimator, target, offset = KINDS[kind]
        _, known = in_memory(kind)
        moved = np.roll(FRAME[offset].to_numpy(), 1, axis=0)
        if kind == "three classes":
            moved = FRAME[offset].to_numpy()[:, ::-1]
        given = FRAME[FEATURES].to_numpy(), FRAME[target].to_numpy(), WEIGHTS
        other = sklearn.base.clone(estimator).fit(RowStream([(*given, moved)]))
        assert relative_error(other.params_, known.params_) > 1e-2


def test_the_law_of_the_softmax():
    """The log-likelihood of three classes, from its definition, with offsets of a stream."""
    rows = blocks("three", ["a", "b", "c"], weights=False)
    model = LogisticRegression(C=np.inf, **TIGHT).fit(rows)
    eta = X @ model.coef_.T + model.intercept_ + THREE
    codes = np.searchsorted(model.classes_, CLASSES)
    expected = log_softmax(eta, axis=1)[np.arange(N), codes].sum()
    assert relative_error(model.log_likelihood_, expected) < 1e-12
    assert relative_error(model.predict_log_proba(rows), log_softmax(eta, axis=1)) < RTOL


def test_generalized_linear_models_agree():
    """A binomial model, whose offsets have another path through the validation of blocks."""
    rows = scan(FRAME, "number", FEATURES, weights="weight", offset="one")
    known = GeneralizedLinearRegressor("binomial", **TIGHT).fit(rows)
    found = LogisticRegression(C=np.inf, **TIGHT).fit(
        scan(FRAME, "two", FEATURES, weights="weight", offset="one")
    )
    assert relative_error(found.params_, known.params_) < RTOL
    assert relative_error(found.covariance_, known.covariance_) < RTOL


def test_the_same_bits_on_every_scheduler():
    for kind in ("two classes", "three classes", "own loss"):
        _, target, offset = KINDS[kind]
        found = []
        for options in ({"scheduler": "sync"}, {"scheduler": "threads", "num_workers": 3}):
            with dask.config.set(**options):
                model = fitted(kind, Form("dask arrays", target, offset, None))
                found.append(model.params_.tobytes())
        assert len(set(found)) == 1


# -- distinct rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss"])
def test_distinct_rows(kind):
    """An offset of several columns is among what tells rows apart."""
    rng = np.random.default_rng(0)
    n = 2000
    frame = pd.DataFrame({"zone": rng.choice(["A", "B", "C"], n), "weight": 1.0})
    frame[["one", "a", "b", "c"]] = rng.integers(-1, 2, size=(n, 4)) / 2
    frame["three"] = rng.choice(["a", "b", "c"], n)
    frame["two"], frame["number"] = rng.choice(["no", "yes"], n), rng.integers(0, 2, n) + 0.0
    estimator, target, offset = KINDS[kind]
    rows = scan(frame, target, ["zone"], categorical=["zone"], offset=offset, compress=True)
    assert rows.for_sums() is not rows
    model = sklearn.base.clone(estimator).fit(rows)
    given = pd.get_dummies(frame["zone"], dtype=float).to_numpy()[:, 1:], frame[target].to_numpy()
    known = sklearn.base.clone(estimator).fit(*given, offset=frame[offset].to_numpy())
    assert relative_error(model.params_, known.params_) < RTOL
    expected = known.covariance(*given, kind="HC0", offset=frame[offset].to_numpy())
    assert relative_error(model.covariance(rows, kind="HC0"), expected) < RTOL
    assert f"offset             {', '.join([offset] if kind != 'three classes' else offset)}" in (
        rows.explain()
    )


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss", "own classes"])
def test_missing_offsets_are_refused(kind, form, tmp_path):
    _, target, offset = KINDS[kind]
    _, model = in_memory(kind)
    rows = Form(form, target, offset, tmp_path)
    if rows.is_lazy:
        given, new = rows.rows, rows.new
    elif form == "blocks":
        given = (RowStream([block[:3] for block in rows.rows[0]]),)
        new = (RowStream([block[0] for block in rows.rows[0]]),)
    else:
        table = dd.from_pandas(FRAME, npartitions=3) if form == "scan of dask" else FRAME
        given = (scan(table, target, FEATURES, weights="weight"),)
        new = (scan(table, features=FEATURES),)
    calls = [(name, given) for name in ("score", "covariance", "summary")]
    calls += [("objective", given[:2])]
    calls += [(name, new) for name in ("predict", "predict_proba", "decision_function")]
    calls += [("marginal_effects", given[:1]), ("predict_interval", new), ("influence", given)]
    calls += [("residuals", given[:2]), ("profile_intervals", given)]
    for name, args in calls:
        several = kind == "three classes"
        if not hasattr(model, name) or (
            several and name in ("influence", "residuals", "profile_intervals")
        ):
            continue
        # Of collections it is said before a partition is read, and so names none.
        start = "^" if rows.is_lazy and args is new else ""
        with pytest.raises(ValueError, match=f"{start}the model was fitted with an offset"):
            getattr(model, name)(*args)


BAD = {
    "missing": (np.nan, "offset"),
    "infinite": (np.inf, "offset"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss", "own classes"])
def test_values_are_refused_with_their_place(kind, bad):
    estimator, target, offset = KINDS[kind]
    _, model = in_memory(kind)
    added = FRAME[offset].to_numpy().copy()
    added[300, ...] = BAD[bad][0]
    given = FRAME[FEATURES], FRAME[target].to_numpy()
    cut = slice(0, 250), slice(250, N)
    stream = RowStream([(given[0].iloc[p], given[1][p], None, added[p]) for p in cut])
    fresh = sklearn.base.clone(estimator)
    for call in (fresh.fit, model.score, model.predict):
        with pytest.raises(ValueError, match="block 1 of the stream, row 50 of offset"):
            call(stream)
    parts = [chunked(values, 250) for values in (given[0].to_numpy(), given[1], added)]
    match = "partition 1, row 50 of offset"
    with pytest.raises(ValueError, match=match):
        fresh.fit(*parts[:2], offset=parts[2])
    model = sklearn.base.clone(estimator).fit(X, given[1], offset=FRAME[offset].to_numpy())
    with pytest.raises(ValueError, match=match):
        model.score(*parts[:2], offset=parts[2])
    with pytest.raises(ValueError, match=r"partition 1: .*offset"):
        model.predict(parts[0], offset=parts[2]).compute()
    frame = FRAME.assign(one=np.where(np.arange(N) == 300, BAD[bad][0], ONE))
    frame["c"] = frame["one"]
    name = "c" if kind == "three classes" else "one"
    rows = scan(frame, target, FEATURES, offset=offset)
    said = f"column '{name}'" + (" of .* holds inf in row 300" if bad == "infinite" else "")
    with pytest.raises(ValueError, match=said):
        sklearn.base.clone(estimator).fit(rows)


def test_shapes_are_refused():
    three, two = LogisticRegression(), LogisticRegression()
    one, columns = FRAME["one"].to_numpy(), FRAME[["a", "b", "c"]].to_numpy()
    cases = {
        r"has one number for each row, and there are the classes a, b, c": (three, "three", one),
        r"has 2 columns, and there are the classes a, b, c.*a column for each class": (
            three,
            "three",
            columns[:, :2],
        ),
        r"has 3 columns, and there are the classes no, yes.*one number for each row": (
            two,
            "two",
            columns,
        ),
    }
    for message, (model, target, added) in cases.items():
        y = FRAME[target].to_numpy()
        halves = slice(0, 300), slice(300, N)
        stream = RowStream([(X[p], y[p], None, added[p]) for p in halves])
        with pytest.raises(ValueError, match=message):
            model.fit(stream)
        with pytest.raises(ValueError, match=message):
            model.fit(chunked(X), chunked(y), offset=chunked(added))
    with pytest.raises(ValueError, match=r"scan\(\) takes their names, as a list: offset=\["):
        three.fit(scan(FRAME, "three", FEATURES, offset="one"))
    # Blocks that differ.
    y = FRAME["three"].to_numpy()
    unlike = RowStream(
        [(X[:300], y[:300], None, columns[:300]), (X[300:], y[300:], None, one[300:])]
    )
    with pytest.raises(ValueError, match=r"an offset of different shapes.* \(\) in block 1 of"):
        three.fit(unlike)

    def narrower(block, block_id=None):
        return block[:, :2] if block_id[0] == 2 else block

    unlike = chunked(columns).map_blocks(narrower, dtype=float)
    with pytest.raises(ValueError, match=r"an offset of different shapes.*\(2,\) in partition 2"):
        three.fit(chunked(X), chunked(y), offset=unlike)
    # Lengths that differ.
    stream = RowStream([(X[:300], y[:300], None, columns[:299])])
    with pytest.raises(ValueError, match=r"block 0 .*offset has shape \(299, 3\).*300 rows"):
        three.fit(stream)
    known = LogisticRegression().fit(X, y, offset=columns)
    for added, said in ((columns[:, :2], r"\(130, 2\)|\(1, 2\)"), (one, r"\(130,\)|\(1,\)")):
        with pytest.raises(ValueError, match=f"offset has shape ({said})"):
            known.predict(chunked(X), offset=chunked(added)).compute()
        with pytest.raises(ValueError, match=r"partition \d.*offset has shape"):
            known.score(chunked(X), chunked(y), offset=chunked(added))


def test_columns_in_another_order_are_refused():
    """A data frame whose columns are the classes says which is whose."""
    y, mixed = FRAME["three"], FRAME[["b", "a", "c"]]
    message = "offset has the columns b, a, c, and the classes are a, b, c"
    halves = slice(0, 300), slice(300, N)
    stream = RowStream([(X[p], y[p].to_numpy(), None, mixed.iloc[p]) for p in halves])
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(stream)
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(scan(FRAME, "three", FEATURES, offset=["b", "a", "c"]))
    frame = dd.from_pandas(FRAME, npartitions=4)
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(frame[FEATURES], frame["three"], offset=frame[["b", "a", "c"]])
    model = LogisticRegression().fit(FRAME[FEATURES], y, offset=FRAME[["a", "b", "c"]])
    with pytest.raises(ValueError, match=message):
        model.predict(scan(FRAME, features=FEATURES, offset=["b", "a", "c"]))


def test_exposures_are_refused():
    frame = FRAME.assign(years=1.5)
    for kind in KINDS:
        estimator, target, _ = KINDS[kind]
        with pytest.raises(ValueError, match=f"an exposure, and {type(estimator).__name__} takes"):
            sklearn.base.clone(estimator).fit(scan(frame, target, FEATURES, exposure="years"))


@pytest.mark.parametrize("kind", ["two classes", "three classes", "own classes"])
def test_other_offsets_are_not_those_of_the_fit(kind):
    estimator, target, offset = KINDS[kind]
    model = sklearn.base.clone(estimator).fit(blocks(target, offset))
    for change in ("moved", "shifted"):
        other = FRAME.copy()
        values = FRAME[offset].to_numpy()
        other[offset] = np.roll(values, 1, axis=0) if change == "moved" else values + 1e-6
        rows = scan(other, target, FEATURES, weights="weight", offset=offset)
        with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
            model.covariance(rows, kind="HC0")


@pytest.mark.parametrize("kind", ["two classes", "three classes"])
def test_offsets_that_change_from_walk_to_walk_are_refused(kind):
    estimator, target, offset = KINDS[kind]
    walks = []

    def walk():
        walks.append(1)
        added = FRAME[offset].to_numpy() + 1e-3 * (len(walks) > 1)
        yield X, FRAME[target].to_numpy(), None, added

    with pytest.raises(ValueError, match="a sum over the offsets"):
        sklearn.base.clone(estimator).fit(RowStream(walk))


# -- partitions of no weight, no rows, unknown length ----------------------------------------------


@pytest.mark.parametrize("kind", ["two classes", "three classes", "own loss"])
def test_hard_partitions(kind):
    estimator, target, offset = KINDS[kind]
    weights = np.where(np.arange(N) < 200, 0.0, WEIGHTS + 1)
    y, added = FRAME[target].to_numpy(), FRAME[offset].to_numpy()
    keep = chunked(X, 100)[:, 0] > -10
    parts = [
        da.concatenate([values[:0], values])[da.concatenate([keep[:0], keep])]
        for values in (chunked(v, 100) for v in (X, y, weights, added))
    ]
    with dask.config.set(scheduler="sync"):
        model = sklearn.base.clone(estimator).fit(*parts[:3], offset=parts[3])
        known = sklearn.base.clone(estimator).fit(X, y, weights, offset=added)
        assert relative_error(model.params_, known.params_) < RTOL
        found = model.predict(parts[0], offset=parts[3]).compute()
        np.testing.assert_array_equal(found, known.predict(X, offset=added)) if (
            kind != "own loss"
        ) else np.testing.assert_allclose(found, known.predict(X, offset=added), rtol=RTOL)
        if kind == "two classes":
            found = model.influence(*parts[:3], offset=parts[3]).compute()
            expected = known.influence(X, y, weights, offset=added)
            assert relative_error(found, expected) < RTOL


def test_metadata_routing_of_arrays_is_as_before():
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(offset=True).set_score_request(offset=True)
        model.set_predict_request(offset=True)
        scores = cross_val_score(model, X, TWO, params={"offset": ONE})
    assert scores.shape == (5,)
