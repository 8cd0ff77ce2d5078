"""Formula as a step of scikit-learn, and fits by formulas: tables, targets, missing values."""

import builtins
import pickle
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression as SklearnLogistic
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from mcmodels import (
    Formula,
    FormulaFit,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    RowStream,
    fit_formula,
    results,
    summarize,
)
from tests.formulas.designs import table

pytest.importorskip("formulaic")

DATA = table()
N = len(DATA)
GLM = partial(GeneralizedLinearRegressor, "poisson")
LOGIT = partial(LogisticRegression, C=np.inf)


def kinds_of_tables(data):
    """The same rows in every kind of table that is read."""
    yield "pandas", data
    yield "dict", {name: data[name].to_numpy() for name in data}
    yield "nullable", data.convert_dtypes()
    yield "objects", data.astype(object)
    pa = pytest.importorskip("pyarrow")
    yield "arrow", pa.Table.from_pandas(data)
    yield "record batch", pa.RecordBatch.from_pandas(data)
    yield "arrow types", data.convert_dtypes(dtype_backend="pyarrow")
    pl = pytest.importorskip("polars")
    yield "polars", pl.from_pandas(data)


# --- the step ---------------------------------------------------------------------------------


def test_every_kind_of_table_gives_the_same_columns_and_fits():
    data = DATA.drop(columns="size")  # objects and dicts have no order of levels
    reference = fit_formula("counts ~ x*sex + C(k) + flag", data, GLM(), exposure="odd name")
    robust = results(reference).summary(data, kind="HC1").to_frame()
    assert len(reference["formula"].get_feature_names_out()) == 6
    for kind, rows in kinds_of_tables(data):
        fit = fit_formula("counts ~ x*sex + C(k) + flag", rows, GLM(), exposure="odd name")
        np.testing.assert_array_equal(fit[-1].params_, reference[-1].params_, err_msg=kind)
        np.testing.assert_array_equal(reference.predict(rows), reference.predict(data), kind)
        found = results(fit).summary(rows, kind="HC1").to_frame()
        pd.testing.assert_frame_equal(found, robust, check_exact=True)
        labels = fit_formula("sex ~ x + flag", rows, LOGIT())
        assert labels.classes_.tolist() == ["female", "male"], kind
        assert set(labels.predict(rows)) <= {"female", "male"}


def test_the_order_of_levels_is_that_of_the_table():
    """Enums of Polars and dictionaries of Arrow have an order; categories of Polars have none."""
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    names = ["size[T.mid]", "size[T.large]"]
    levels = pl.Enum(["small", "mid", "large"])
    enum = pl.DataFrame({"size": pl.Series(DATA["size"].astype(str).tolist(), dtype=levels)})
    assert list(Formula("size").fit(enum).get_feature_names_out()) == names
    assert list(Formula("size").fit(DATA).get_feature_names_out()) == names
    arrow = pa.Table.from_pandas(DATA[["size"]])
    assert list(Formula("size").fit(arrow).get_feature_names_out()) == names
    unordered = enum.with_columns(pl.col("size").cast(pl.Categorical))
    found = Formula("size").fit(unordered).get_feature_names_out()
    assert list(found) == ["size[T.mid]", "size[T.small]"]


def test_decimals_are_numbers():
    from decimal import Decimal

    data = pd.DataFrame({"d": [Decimal("1.5"), Decimal(2), Decimal(3)]})
    np.testing.assert_array_equal(Formula("d").fit_transform(data)["d"], [1.5, 2, 3])


def test_only_the_columns_of_the_formula_are_needed():
    step = Formula("x + sex").fit(DATA)
    assert step.feature_names_in_.tolist() == ["x", "sex"]
    assert step.n_features_in_ == 2
    reordered = DATA[["sex", "y", "x"]]
    np.testing.assert_array_equal(step.transform(reordered), step.transform(DATA))


@pytest.mark.parametrize("form", ["default", "pandas", "polars"])
def test_set_output(form):
    if form == "polars":
        pytest.importorskip("polars")
    made = Formula("x*sex").set_output(transform=form).fit_transform(DATA)
    assert type(made).__module__.partition(".")[0] == ("polars" if form == "polars" else "pandas")
    assert list(made.columns) == ["x", "sex[T.male]", "x:sex[T.male]"]


def test_conventions_of_scikit_learn():
    step = Formula("x + sex", sparse=True)
    assert step.get_params() == {"formula": "x + sex", "sparse": True}
    assert "_recipe" not in vars(step)
    with pytest.raises(NotFittedError):
        step.transform(DATA)
    assert clone(step).get_params() == step.get_params()
    assert repr(Formula("x")) == "Formula(formula='x')"
    assert "Formula" in make_pipeline(Formula("x"), LOGIT())._repr_html_()
    before = DATA.copy(deep=True)
    step.fit(DATA).transform(DATA)
    pd.testing.assert_frame_equal(DATA, before)
    with pytest.raises(ValueError, match="sparse=1 must be True or False"):
        Formula("x", sparse=1).fit(DATA)


def test_inside_other_steps_and_searches():
    columns = ColumnTransformer([("own", Formula("x*sex"), ["x", "sex", "region"])])
    made = columns.fit(DATA).get_feature_names_out()
    assert made.tolist() == ["own__x", "own__sex[T.male]", "own__x:sex[T.male]"]
    search = GridSearchCV(
        make_pipeline(Formula("x"), LOGIT()), {"formula__formula": ["income", "x + sex"]}
    ).fit(DATA, DATA["died"])
    assert search.best_params_ == {"formula__formula": "x + sex"}
    found = results(search).summary(DATA, DATA["died"], kind="HC0")
    assert "sex[T.male]" in found.to_frame().index
    other = make_pipeline(Formula("x + region"), SklearnLogistic()).fit(DATA, DATA["died"])
    assert other.predict(DATA).shape == (N,)


def test_streams_of_tables():
    """Steps work block by block, on levels of the whole; new ones are refused in later blocks."""
    pipe = make_pipeline(Formula("x*region"), LinearRegression()).fit(DATA, DATA["y"])

    def stream(data):
        cuts = range(0, N, 50)
        return RowStream(lambda: ((data[i : i + 50], data["y"][i : i + 50]) for i in cuts))

    blocks = results(pipe).summary(stream(DATA), kind="HC3").to_frame()
    whole = results(pipe).summary(DATA, DATA["y"], kind="HC3").to_frame()
    # Sums of other blocks: a few roundings of sums of 240 rows.
    np.testing.assert_allclose(blocks.to_numpy(), whole.to_numpy(), rtol=1e-9, atol=1e-12)
    late = DATA.astype({"region": object})
    late.loc[N - 1, "region"] = "moon"
    with pytest.raises(ValueError, match=r"'region' holds 'moon' \(row 39.*not in the fit"):
        results(pipe).summary(stream(late), kind="HC3")


# --- the target -------------------------------------------------------------------------------


def test_left_sides():
    same = partial(np.testing.assert_allclose, rtol=1e-12)  # columns in another order of memory
    logs = fit_formula("log(income) ~ x", DATA, LinearRegression())
    direct = LinearRegression().fit(DATA[["x"]], np.log(DATA["income"]))
    same(logs[-1].params_, direct.params_)
    shares = fit_formula("I(sex == 'male') ~ x", DATA, LinearRegression())
    direct = LinearRegression().fit(DATA[["x"]], (DATA["sex"] == "male").astype(float))
    same(shares[-1].params_, direct.params_)
    flags = fit_formula("flag ~ x", DATA, LinearRegression())
    direct = LinearRegression().fit(DATA[["x"]], DATA["flag"].astype(float))
    same(flags[-1].params_, direct.params_)
    assert fit_formula("flag ~ x", DATA, LOGIT()).classes_.tolist() == [False, True]
    assert fit_formula("died ~ x", DATA, LOGIT()).classes_.tolist() == [0, 1]
    assert fit_formula("C(k) ~ x", DATA, LOGIT()).classes_.tolist() == [1, 2, 3]
    assert fit_formula("I(k > 1) ~ x", DATA, LOGIT()).classes_.tolist() == [0.0, 1.0]
    # A target that remembers: standardised by the rows of the fit, also for other rows.
    scaled = fit_formula("scale(y) ~ x", DATA, LinearRegression())
    few = DATA[:50]
    expected = (few["y"] - DATA["y"].mean()) / DATA["y"].std()
    np.testing.assert_allclose(scaled.training_rows(few)[1], expected, rtol=1e-12)


def test_a_dot_leaves_out_what_is_named_elsewhere():
    data = DATA[["y", "x", "sex", "odd name", "counts"]]
    fit = fit_formula("y ~ .", data, LinearRegression(), sample_weight="odd name")
    assert fit["formula"].get_feature_names_out().tolist() == ["x", "sex[T.male]", "counts"]
    fit = fit_formula("log(counts + 1) ~ . - x", data, LinearRegression())
    assert fit["formula"].get_feature_names_out().tolist() == ["y", "sex[T.male]", "odd name"]


def test_no_intercept_in_the_formula_is_none_in_the_model():
    model = LinearRegression()
    fit = fit_formula("y ~ 0 + region", DATA, model)
    assert model.fit_intercept
    assert not fit["model"].fit_intercept
    means = DATA.groupby("region")["y"].mean()
    np.testing.assert_allclose(fit["model"].coef_, means, rtol=1e-12)
    assert not fit_formula("y ~ x - 1", DATA, LinearRegression(fit_intercept=False))[
        "model"
    ].fit_intercept
    with pytest.raises(ValueError, match=r"fit_intercept=False.*write '0 \+ …'"):
        fit_formula("y ~ x", DATA, LinearRegression(fit_intercept=False))


# --- weights, offsets, missing values -----------------------------------------------------------


def holed():
    data = DATA.astype({"k": "Int64", "region": object})
    data.loc[3, "x"] = np.nan
    data.loc[5, "region"] = None
    data.loc[7, "y"] = np.nan
    data.loc[9, "k"] = pd.NA
    data.loc[11, "odd name"] = np.nan
    data.loc[13, "income"] = np.nan  # is not read
    return data


def test_missing_values_are_refused_with_columns_and_counts():
    with pytest.raises(ValueError, match=r"missing values in 'x' \(1, first in row 3\), 'region'"):
        fit_formula("y ~ x + region", holed(), LinearRegression())
    with pytest.raises(ValueError, match=r"pass na='drop'"):
        fit_formula("y ~ z", holed(), LinearRegression())
    with pytest.raises(ValueError, match=r"missing values in 'x' \(1, first in row 3\)"):
        Formula("x").fit(holed())
    with pytest.raises(ValueError, match=r"missing values in 'k' \(1, first in row 9\)"):
        Formula("C(k)").fit(DATA).transform(holed())
    with pytest.raises(ValueError, match="na='omit' is not known"):
        fit_formula("y ~ x", DATA, LinearRegression(), na="omit")
    with pytest.raises(ValueError, match="every row of the data has a missing value"):
        fit_formula("y ~ x", DATA.assign(x=np.nan), LinearRegression(), na="drop")


@pytest.mark.parametrize("weights", [None, "odd name", "array"])
def test_dropping_is_fitting_to_the_complete_rows(weights):
    data = holed()
    complete = data.drop(index=[3, 5, 7, 9, *([11] if weights == "odd name" else [])])
    text = "y ~ x*region + C(k)"
    given = DATA["odd name"].to_numpy() if weights == "array" else weights
    kept = given[complete.index] if weights == "array" else weights
    dropped = fit_formula(text, data, LinearRegression(), sample_weight=given, na="drop")
    direct = fit_formula(text, complete, LinearRegression(), sample_weight=kept)
    assert dropped.n_dropped_ == N - len(complete)
    np.testing.assert_array_equal(dropped[-1].params_, direct[-1].params_)
    again = {"sample_weight": given} if weights == "array" else {}
    found = results(dropped).summary(data, kind="HC3", **again)
    expected = results(direct).summary(
        complete, kind="HC3", **({"sample_weight": kept} if again else {})
    )
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    assert any(f"{N - len(complete)} rows with missing values" in note for note in found.notes)
    assert not any("missing values" in note for note in expected.notes)


def test_results_take_everything_from_the_table():
    """Weights, exposure and target by their columns: as the arrays themselves."""
    fit = fit_formula(
        "counts ~ x*sex", DATA, GLM(), exposure="odd name", sample_weight="k", offset="z"
    )
    arrays = {"exposure": DATA["odd name"], "offset": DATA["z"]}
    X = Formula("x*sex").fit_transform(DATA)
    model = GLM().fit(X, DATA["counts"], sample_weight=DATA["k"], **arrays)
    rows = (X, DATA["counts"], DATA["k"])
    ours = results(fit)
    np.testing.assert_array_equal(fit[-1].params_, model.params_)
    for found, expected in [
        (ours.summary(DATA, kind="HC1"), model.summary(*rows, kind="HC1", **arrays)),
        (summarize(fit, DATA, kind="HC1"), model.summary(*rows, kind="HC1", **arrays)),
    ]:
        pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    pd.testing.assert_frame_equal(
        ours.likelihood_ratio_tests(DATA), model.likelihood_ratio_tests(*rows, **arrays)
    )
    pd.testing.assert_frame_equal(
        ours.predict_interval(DATA[:9]),
        model.predict_interval(X[:9], offset=DATA["z"][:9], exposure=DATA["odd name"][:9]),
    )
    np.testing.assert_array_equal(
        fit.predict(DATA[:9]),
        model.predict(X[:9], offset=DATA["z"][:9], exposure=DATA["odd name"][:9]),
    )
    assert fit.score(DATA) == model.score(*rows, **arrays)
    # An argument goes before the column.
    np.testing.assert_array_equal(
        fit.predict(DATA, exposure=np.ones(N)),
        model.predict(X, offset=DATA["z"], exposure=np.ones(N)),
    )
    # y as the model has it may be passed as well.
    with_y = ours.summary(DATA, DATA["counts"], kind="HC1").to_frame()
    pd.testing.assert_frame_equal(with_y, ours.summary(DATA, kind="HC1").to_frame())


def test_clusters_by_name():
    """One or two columns, or arrays of all rows, also where rows are left out."""
    data = holed()
    fit = fit_formula("y ~ x", data, LinearRegression(), na="drop")
    complete = data.drop(index=[3, 7])
    direct = fit_formula("y ~ x", complete, LinearRegression())
    for name, array in [("sex", data["sex"]), (["sex", "size"], data[["sex", "size"]])]:
        expected = results(direct).summary(complete, kind="cluster", groups=array.drop([3, 7]))
        for groups in (name, array):
            found = results(fit).summary(data, kind="cluster", groups=groups)
            pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    with pytest.raises(ValueError, match="groups='sexx' is no column of X; did you mean 'sex'"):
        results(fit).summary(data, kind="cluster", groups="sexx")


def test_other_rows_are_not_training_rows():
    fit = fit_formula("y ~ x", DATA, LinearRegression())
    with pytest.raises(ValueError, match=r"."):
        results(fit).summary(DATA.assign(y=DATA["y"] + 1), kind="HC3")


def test_fits_are_estimators():
    fit = fit_formula("died ~ x*sex", DATA, LOGIT())
    assert isinstance(fit, FormulaFit)
    again = clone(fit).fit(DATA)
    np.testing.assert_array_equal(again[-1].params_, fit[-1].params_)
    stored = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(stored.predict_proba(DATA), fit.predict_proba(DATA))
    assert cross_val_score(fit, DATA, DATA["died"]).shape == (5,)
    np.testing.assert_array_equal(fit[:-1].transform(DATA), fit["formula"].transform(DATA))
    assert fit.score(DATA) == fit[-1].score(fit[:-1].transform(DATA), DATA["died"])
    assert "FormulaFit" in repr(fit)
    fit._repr_html_()
    fit.set_params(formula__formula="x").fit(DATA)
    assert fit["model"].coef_.size == 1


def test_the_given_model_is_not_touched():
    model = LOGIT()
    fit_formula("died ~ x", DATA, model)
    assert not hasattr(model, "coef_")


# --- refusals ---------------------------------------------------------------------------------

NEW = DATA[:5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Formula("y ~ x").fit(DATA), r"left side, 'y'.*call fit_formula"),
        (lambda: Formula(3).fit(DATA), "formula=3 must be text"),
        (lambda: Formula("x").fit(DATA.to_numpy()), "ndarray has no names; pass a data frame"),
        (lambda: Formula("x").fit(DATA[:0]), "the data have no rows"),
        (
            lambda: Formula("x").fit(DATA.rename(columns={"z": "x"})),
            "2 columns named 'x'; rename them",
        ),
        (
            lambda: Formula("s").fit(pd.DataFrame({"s": ["1", "2.5"]})),
            r"numbers that are written as text, such as '1'.*astype\(float\).*C\(s\)",
        ),
        (
            lambda: Formula("d").fit(pd.DataFrame({"d": pd.date_range("2020", periods=3)})),
            "'d' holds dates or times",
        ),
        (
            lambda: Formula("d").fit(pd.DataFrame({"d": [1 + 2j, 3]})),
            "complex numbers",
        ),
        (
            lambda: Formula("m").fit(pd.DataFrame({"m": [1, "a"]})),
            "values that have no order",
        ),
        (lambda: Formula("sex").fit(DATA.assign(sex="female")), "is 'female' in every row"),
        (lambda: Formula("C(k)").fit(DATA.assign(k=1)), "is 1 in every row"),
        (lambda: Formula("log(x)").fit_transform(DATA), r"log\(x\) is nan in \d+ of 240 rows"),
        (
            lambda: Formula("log(k - 1)").fit_transform(DATA),
            r"log\(k - 1\) is -inf in \d+ of 240 rows, first in row",
        ),
        (lambda: Formula("x").fit_transform(DATA.assign(x=np.inf)), "x is inf in 240 of 240 rows"),
        (lambda: Formula("bs(x, df=2)").fit(DATA), r"bs\(x, df=2\): Invalid value for `df`"),
        (
            lambda: Formula("C(k, levels=[1, 2])").fit(DATA),
            r"C\(k, levels=\[1, 2\]\)|none of its levels",
        ),
        (
            lambda: Formula("bs(x, df=4)").fit(DATA).transform(NEW.assign(x=99.0)),
            r"bs\(x, df=4\): .*extrapolation",
        ),
        (
            lambda: Formula("x + sex").fit(DATA).transform(NEW.assign(sex="q")),
            r"'sex' holds 'q' \(row 0.*not in the fit; it had female, male",
        ),
        (
            lambda: Formula("C(k)").fit(DATA).transform(NEW.assign(k=[1, 2, 3, 9, 1])),
            r"'k' holds 9 \(row 3",
        ),
        (
            lambda: Formula("x").fit(DATA).transform(NEW.assign(x="1")),
            "held numbers in the fit, and holds '1' here",
        ),
        (lambda: Formula("x").fit(DATA).transform(NEW[["y"]]), "'x', which is not a column"),
        (lambda: fit_formula("x", DATA, LOGIT()), "no left side; write 'target ~ x'"),
        (lambda: fit_formula("y ~ x", DATA, LinearRegression), "must be an estimator"),
        (lambda: fit_formula("y + z ~ x", DATA, LinearRegression()), r"2 terms.*I\(a \+ b\)"),
        (lambda: fit_formula("bs(y, df=4) ~ x", DATA, LinearRegression()), "makes 4 columns"),
        (lambda: fit_formula("sex ~ x", DATA, LinearRegression()), "holds 'male|holds 'female"),
        (lambda: fit_formula("C(k) ~ x", DATA, LinearRegression()), "is a class.*needs numbers"),
        (lambda: fit_formula("C(k, Sum) ~ x", DATA, LOGIT()), "classes are those of one column"),
        (
            lambda: fit_formula("y ~ x", DATA, LinearRegression(), exposure="z"),
            "exposure='z': LinearRegression takes none",
        ),
        (
            lambda: fit_formula("counts ~ x", DATA, GLM(), exposure="old name"),
            "exposure names 'old name', which is not a column.*Did you mean 'odd name'",
        ),
        (
            lambda: fit_formula("y ~ x", DATA, LinearRegression(), sample_weight="sex"),
            "sample_weight='sex' holds .*must be numeric",
        ),
        (
            lambda: fit_formula("y ~ x", DATA, LinearRegression(), sample_weight=[1.0]),
            "sample_weight has 1 values, and the data have 240 rows",
        ),
        (
            lambda: fit_formula("counts ~ x", DATA, GLM(), exposure=3),
            "exposure=3 must be the name of a column",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_plans_of_polars_are_refused():
    pl = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"LazyFrame is a plan; pass data.collect\(\)"):
        Formula("x").fit(pl.from_pandas(DATA).lazy())


def test_splines_beyond_their_boundaries():
    """Linear terms of the same spline go on, if the formula says so."""
    step = Formula("bs(x, df=4, extrapolation='extend')").fit(DATA)
    made = step.transform(NEW.assign(x=[-9.0, 0, 1, 2, 9]))
    assert np.isfinite(made.to_numpy()).all()
    clipped = Formula("bs(x, df=4, extrapolation='clip')").fit(DATA)
    ends = clipped.transform(NEW.assign(x=[-9.0, 0, 1, 2, 9])).to_numpy()
    np.testing.assert_array_equal(ends[-1], [0, 0, 0, 1])


def test_without_formulaic_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "formulaic":
            raise ImportError("no formulaic", name=name)
        return real(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.partition(".")[0] == "formulaic"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(sys.modules, "formulaic", None)
    with pytest.raises(ImportError, match=r"pip install 'mcmodels\[formula\]'"):
        Formula("x").fit(DATA)
