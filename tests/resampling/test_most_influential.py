"""Few rows whose removal changes a coefficient: against all subsets, and confirmed by fits."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
    most_influential,
    prediction_at,
    results,
    scan,
)
from mcmodels.exceptions import InferenceError
from mcmodels.resampling import coefficient_search, influential_search
from mcmodels.resampling.influential_search import Point, smallest_set

CHANGES = ("sign", "significance", "significant opposite")


def has_changed(change, before, after, level_before, level_after):
    """Whether the estimate, and the ends of its interval, have changed in this way."""
    sign = np.sign(before)
    if change == "sign":
        return sign * after < 0
    lower, upper = level_after
    if change == "significance":
        was, now = (low <= 0 <= high for low, high in (level_before, level_after))
        return was != now
    return sign * after < 0 and (upper < 0 if sign > 0 else lower > 0)


def statement(model, place, kind, rows):
    table = model.confidence_intervals(0.95, *rows, **({} if kind is None else {"kind": kind}))
    return model.coef_.ravel()[place], table.to_numpy()[place]


def smallest_of_all(model, X, y, change, most, kind=None):
    """Size of the smallest set by fits without every set; None if there is none."""

    def said(kept):
        fitted = clone(model).fit(X[kept], y[kept])
        if fitted._fit.undetermined:
            return None
        rows = () if kind is None else (X[kept], y[kept])
        return statement(fitted, 0, kind, rows)

    before, interval = said(np.arange(len(y)))
    for size in range(1, most + 1):
        for removed in itertools.combinations(range(len(y)), size):
            try:
                found = said(np.setdiff1d(np.arange(len(y)), removed))
            except ValueError:  # a class is gone
                continue
            if found and has_changed(change, before, found[0], interval, found[1]):
                return size
    return None


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n, p = 12 + seed % 3, 1 + seed % 3
    X = rng.normal(size=(n, p))
    X[0] *= 4
    if seed % 4 == 0:
        return LogisticRegression(C=1.0), X, (X[:, 0] / 2 + rng.logistic(size=n) > 0).astype(int)
    return LinearRegression(), X, X[:, 0] / 2 + rng.standard_t(2, size=n)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(9))
def test_no_smaller_set_exists_in_tiny_data(seed, monkeypatch):
    monkeypatch.setattr(influential_search, "_MOST_SETS", 0)  # the search by effects alone
    monkeypatch.setattr(influential_search, "_MOST_PAIRS", 0)
    model, X, y = random_problem(seed)
    change = CHANGES[seed // 3]
    expected = smallest_of_all(model, X, y, change, 3)
    found = most_influential(model.fit(X, y), X, y, of="x0", change=change, max_share=3.5 / len(y))
    assert (len(found.rows) if found.found else None) == expected


@pytest.mark.parametrize("kind", ["HC1", "HC3"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_smaller_set_exists_with_robust_errors(seed, kind):
    model, X, y = random_problem(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = smallest_of_all(model, X, y, "significance", 2, kind)
    found = most_influential(
        model.fit(X, y), X, y, of="x0", change="significance", kind=kind, max_share=2.5 / len(y)
    )
    assert (len(found.rows) if found.found else None) == expected


def duncan():
    table = pd.read_csv("datasets/duncan.csv")
    return LinearRegression(), table[["income", "education"]], table["prestige"], "income"


def titanic():
    table = pd.read_csv("datasets/titanic_survival.csv")
    return LogisticRegression(C=np.inf), table.drop(columns="survived"), table["survived"], "age"


def quine():
    table = pd.read_csv("datasets/quine.csv")
    X = pd.get_dummies(table.drop(columns="Days"), drop_first=True).astype(float)
    return GeneralizedLinearRegressor(family="poisson"), X, table["Days"], "Sex_M"


def journals():
    table = pd.read_csv("datasets/journals.csv")
    X = np.log(table[["price", "citations"]])
    model = GeneralizedLinearRegressor(family="gamma", link="log")
    return model, X, table["subs"], "price"


def own_loss():
    table = pd.read_csv("datasets/duncan.csv")
    model = ObjectiveRegressor("log(cosh((eta - y)/10))")
    return model, table[["income", "education"]], table["prestige"], "income"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("data", [duncan, titanic, quine, journals, own_loss])
def test_a_found_change_is_that_of_a_fit_without_the_rows(data, change, monkeypatch):
    monkeypatch.setattr(influential_search, "_MOST_PAIRS", 0)  # without a thousand fits
    model, X, y, of = data()
    model.fit(X, y)
    found = most_influential(model, X, y, of=of, change=change, max_share=0.35)
    place = list(X.columns).index(of)
    kind = "HC1" if data is own_loss else None
    before, interval = statement(model, place, kind, (X, y) if kind else ())
    kept = np.setdiff1d(np.arange(len(X)), found.rows)
    fewer = clone(model).fit(X.iloc[kept], y.iloc[kept])
    rows = (X.iloc[kept], y.iloc[kept]) if kind else ()
    after, new_interval = statement(fewer, place, kind, rows)
    assert found.found == has_changed(change, before, after, interval, new_interval)
    assert found.index.equals(X.index[found.rows])
    table = found.to_frame()
    # Rows of weight 0 are absent rows: the sums are the same but for rounding.
    assert table["coefficient"].to_numpy() == pytest.approx([before, after], rel=1e-8)
    assert table.loc["without", ["lower", "upper"]].to_numpy() == pytest.approx(
        new_interval, rel=1e-7, abs=1e-9
    )
    assert found.share == pytest.approx(len(found.rows) / len(X))
    assert found.model.coef_.ravel()[place] == pytest.approx(after, rel=1e-8)
    if not found.found:
        return
    assert found.is_minimal
    for row in found.rows[:8]:  # none of them can be kept
        fewer = clone(model).fit(X.iloc[np.append(kept, row)], y.iloc[np.append(kept, row)])
        rows = (X.iloc[np.append(kept, row)], y.iloc[np.append(kept, row)]) if kind else ()
        after, new_interval = statement(fewer, place, kind, rows)
        assert not has_changed(change, before, after, interval, new_interval)


def test_one_planted_row():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 1))
    y = 0.1 * X[:, 0] + rng.normal(size=100) / 4
    X[17], y[17] = 20.0, -30.0
    found = most_influential(LinearRegression().fit(X, y), X, y, of="x0")
    assert found.rows.tolist() == [17]
    assert found.predicted == 1
    assert "Without 1 of 100 rows" in repr(found)
    assert "opposite sign" in repr(found)


def test_two_rows_that_hide_each_other():
    # Two copies: leaving out one changes little, so effects of single rows are too small.
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 1))
    y = X[:, 0] + rng.normal(size=40) / 10
    X[[5, 6]], y[[5, 6]] = 30.0, -60.0
    found = most_influential(LinearRegression().fit(X, y), X, y, of="x0")
    assert found.rows.tolist() == [5, 6]


def test_for_one_regressor_the_sign_is_that_of_the_sum_of_products():
    # Without an intercept the slope is Σxy/Σx²: its sign changes by the largest products alone.
    rng = np.random.default_rng(3)
    for _ in range(3):
        X = rng.normal(size=(40, 1))
        y = 0.3 * X[:, 0] + rng.normal(size=40)
        model = LinearRegression(fit_intercept=False).fit(X, y)
        sign = np.sign(model.coef_[0])
        products = np.sort(sign * X[:, 0] * y)[::-1]
        exact = 1 + int(np.argmax(np.cumsum(products) > products.sum()))
        found = most_influential(model, X, y, of="x0", max_share=0.9)
        assert len(found.rows) == exact


def test_none_found_says_so():
    X = np.arange(30.0)[:, np.newaxis]
    y = X[:, 0] + np.sin(X[:, 0])
    found = most_influential(LinearRegression().fit(X, y), X, y, of="x0")
    assert not found.found
    assert found.predicted is None or found.predicted > 3
    assert "No set of up to 3 of 30 rows was found" in repr(found)
    assert "does not prove" in found._repr_html_()
    single = most_influential(LinearRegression().fit(X, y), X, y, of="x0", max_share=0.04)
    assert single.most == 1
    assert "All of them were tried: there is none" in repr(single)


def test_weights_zero_are_absent_and_rows_keep_their_positions():
    model, X, y, of = duncan()
    weights = np.ones(len(X))
    weights[:6] = 0.0
    found = most_influential(
        model.fit(X, y, weights), X, y, weights, of=of, change="significance", max_share=0.4
    )
    fewer = most_influential(
        LinearRegression().fit(X[6:], y[6:]),
        X[6:],
        y[6:],
        of=of,
        change="significance",
        max_share=0.4,
    )
    assert found.n_rows == len(X) - 6
    assert found.index.equals(fewer.index)
    assert found.rows.min() >= 6


def test_rows_of_a_stream():
    model, X, y, _ = duncan()
    X, y = X.to_numpy(dtype=float), y.to_numpy(dtype=float)
    stream = RowStream(lambda: ((X[k : k + 10], y[k : k + 10]) for k in range(0, 45, 10)))
    options = {"of": "x0", "change": "significance", "max_share": 0.3}
    found = most_influential(LinearRegression().fit(stream), stream, **options)
    expected = most_influential(model.fit(X, y), X, y, **options)
    assert found.rows.tolist() == expected.rows.tolist()


def test_rows_of_a_table_that_is_scanned():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"group": rng.choice(["a", "b"], 90), "age": rng.normal(size=90)})
    table["y"] = table["age"] / 4 + rng.normal(size=90)
    stream = scan(table, "y", ["age", "group"], categorical=["group"])
    options = {"of": "age", "change": "sign", "max_share": 0.3}
    found = most_influential(LinearRegression().fit(stream), stream, **options)
    X = pd.get_dummies(table[["age", "group"]], drop_first=True, dtype=float)
    expected = most_influential(LinearRegression().fit(X, table["y"]), X, table["y"], **options)
    assert found.found
    assert found.rows.tolist() == expected.rows.tolist()
    assert "age" in found.model.feature_names_in_


def test_classes_and_targets(monkeypatch):
    monkeypatch.setattr(
        coefficient_search, "_FEW_ENTRIES", 0
    )  # without the hundreds of fits at the end
    table = pd.read_csv("datasets/iris.csv")
    X, y = table.drop(columns="Species"), table["Species"]
    model = LogisticRegression(C=1.0).fit(X, y)
    found = most_influential(model, X, y, of=("virginica", "Sepal.Length"))
    fewer = clone(model).fit(X.drop(index=found.index), y.drop(index=found.index))
    difference = fewer.coef_[2, 0] - fewer.coef_[0, 0]
    assert found.to_frame()["coefficient"]["without"] == pytest.approx(difference, rel=1e-6)
    assert found.found
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(40, 2))
    Y = np.column_stack([Z[:, 0], 0.2 * Z[:, 1] + rng.normal(size=40)])
    both = LinearRegression().fit(Z, Y)
    alone = LinearRegression().fit(Z, Y[:, 1])
    found = most_influential(both, Z, Y, of="y1:x1", max_share=0.3)
    assert (
        found.rows.tolist()
        == most_influential(alone, Z, Y[:, 1], of="x1", max_share=0.3).rows.tolist()
    )


def test_a_row_that_keeps_the_classes_apart_is_never_left_out():
    X = np.array([[-2.0], [-1], [0], [0.5], [-0.5], [1], [2], [3]])
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = most_influential(model, X, y, of="x0", change="sign", max_share=0.4)
    assert not found.found
    assert np.isfinite(found.to_frame().to_numpy()).all()


def test_a_search_that_cannot_succeed_ends():
    rows = np.arange(5)
    found = smallest_set(
        lambda rows: Point(-1.0, None),
        lambda rows, point, *, of_all=False: np.full(5, np.nan),
        rows,
        most=3,
    )
    assert found.rows == ()
    assert not found.reached
    # Fits that do not exist: each single row is refused once.
    found = smallest_set(
        lambda rows: Point(-1.0 if not rows else np.nan, None),
        lambda rows, point, *, of_all=False: np.arange(5.0),
        rows,
        most=3,
    )
    assert found.rows == ()


def test_effects_that_say_nothing_do_not_mislead_the_search():
    # g is positive without rows 3 and 4; effects point at 0 and 1. All pairs are few.
    found = smallest_set(
        lambda rows: Point(1.0 if {3, 4} <= set(rows) else -1.0, None),
        lambda rows, point, *, of_all=False: np.arange(8.0)[::-1],
        np.arange(8),
        most=3,
    )
    assert found.rows == (3, 4)
    assert found.is_smallest
    assert found.is_minimal


def test_pairs_that_effects_do_not_find_are_tried_by_fits():
    table = pd.read_csv("datasets/mtcars.csv")
    X, y = table[["wt", "hp", "qsec"]], table["mpg"]
    model = LinearRegression().fit(X, y)
    found = most_influential(model, X, y, of="hp", change="significance", kind="HC3")
    assert found.found
    assert len(found.rows) == 2
    assert found.is_smallest
    wider = most_influential(model, X, y, of="hp", change="significance", kind="HC3", max_share=0.4)
    assert len(wider.rows) == 2


@pytest.mark.parametrize("most_pairs", [2000, 0])
def test_pairs_are_tried_in_the_order_of_their_effects(monkeypatch, most_pairs):
    # g is positive without rows 1 and 8, not by 0 and 9, which have the largest effects.
    monkeypatch.setattr(influential_search, "_MOST_PAIRS", most_pairs)
    monkeypatch.setattr(influential_search, "_MOST_SETS", 5)
    effects = np.array([9.0, 7, 1, 1, 0, 0, 0, 1, 6, 8])
    tried = []

    def fit_without(rows):
        tried.append(rows)
        return Point(1.0 if set(rows) == {1, 8} else -1e3, None)

    found = smallest_set(
        fit_without, lambda rows, point, *, of_all=False: effects, np.arange(10), most=2
    )
    if most_pairs:
        assert found.rows == (1, 8)
        assert sum(len(rows) == 2 for rows in tried) <= 7
        assert found.is_smallest
    else:
        assert not found.is_smallest
        assert len([rows for rows in tried if len(rows) == 2]) <= 7


def test_the_covariance_in_use(monkeypatch):
    monkeypatch.setattr(influential_search, "_MOST_PAIRS", 0)  # without a thousand fits
    model, X, y, of = duncan()
    model.fit(X, y)
    options = {"of": of, "change": "significance", "max_share": 0.3}
    robust = results(model).with_covariance(X, y, kind="HC3")
    found = most_influential(robust, X, y, **options)
    assert found.rows.tolist() == most_influential(model, X, y, kind="HC3", **options).rows.tolist()
    assert found.to_frame().loc["all rows", "standard_error"] == pytest.approx(
        robust.summary().to_frame().loc[of, "standard_error"]
    )
    clustered = results(model).with_covariance(X, y, kind="cluster", groups=np.arange(45) // 5)
    with pytest.raises(InferenceError, match="covariance in use is 'cluster'"):
        most_influential(clustered, X, y, **options)
    labels = np.arange(45) // 5
    found = most_influential(clustered, X, y, groups=labels, **options)
    expected = most_influential(model, X, y, groups=labels, kind="cluster", **options)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.to_frame().loc["all rows", "standard_error"] == pytest.approx(
        clustered.summary().to_frame().loc[of, "standard_error"]
    )
    survey = LinearRegression(weights="probability").fit(X, y)
    assert most_influential(survey, X, y, **options).found
    with pytest.raises(InferenceError, match="nonrobust"):
        most_influential(survey, X, y, kind="nonrobust", **options)


def test_clusters():
    table = pd.read_csv("datasets/mv_deaths.csv").dropna(subset=["rate", "legal", "beertaxa"])
    table = table.iloc[: 14 * 16]
    X, y = table[["legal", "beertaxa"]], table["rate"]
    groups = np.arange(len(X)) // 14
    model = LinearRegression().fit(X, y)
    options = {"of": "beertaxa", "change": "significance", "kind": "cluster", "max_share": 0.2}
    found = most_influential(model, X, y, groups=groups, **options)
    kept = np.setdiff1d(np.arange(len(X)), found.rows)
    fewer = LinearRegression().fit(X.iloc[kept], y.iloc[kept])
    ends = [
        fitted.confidence_intervals(0.95, *rows, kind="cluster", groups=labels).loc["beertaxa"]
        for fitted, rows, labels in (
            (model, (X, y), groups),
            (fewer, (X.iloc[kept], y.iloc[kept]), groups[kept]),
        )
    ]
    was, now = (low <= 0 <= high for low, high in ends)
    assert found.found
    assert was != now
    assert found.to_frame().loc["without", ["lower", "upper"]].to_numpy() == pytest.approx(
        ends[1].to_numpy(), rel=1e-7
    )
    with pytest.raises(ValueError, match="groups was given, but kind='nonrobust'"):
        most_influential(model, X, y, of="legal", groups=groups)


def test_lists_and_sparse_rows():
    model, X, y, _ = duncan()
    X, y = X.to_numpy(dtype=float), y.to_numpy(dtype=float)
    options = {"of": "x0", "change": "significance", "max_share": 0.3}
    expected = most_influential(model.fit(X, y), X, y, **options)
    for given in (X.tolist(), sparse.csr_matrix(X)):
        targets = y.tolist()
        found = most_influential(clone(model).fit(given, targets), given, targets, **options)
        assert found.rows.tolist() == expected.rows.tolist()


def test_what_is_refused():
    model, X, y, of = duncan()
    model.fit(X, y)
    with pytest.raises(ValueError, match="change='size'"):
        most_influential(model, X, y, of=of, change="size")
    with pytest.raises(ValueError, match="max_share=2 must lie between 0 and 1"):
        most_influential(model, X, y, of=of, max_share=2)
    with pytest.raises(ValueError, match="level=95 must lie between 0 and 1"):
        most_influential(model, X, y, of=of, level=95)
    with pytest.raises(ValueError, match="no coefficient; there are 'income'"):
        most_influential(model, X, y, of="incom")
    for other in (lambda theta: theta[0], prediction_at(X[:1])):  # which attribution takes
        with pytest.raises(TypeError, match=r"name of a coefficient.*'age'\)\.$"):
            most_influential(model, X, y, of=other)
    with pytest.raises(ValueError, match="kind='cluster' needs groups"):
        most_influential(model, X, y, of=of, kind="cluster")
    with pytest.raises(ValueError, match="training rows"):
        most_influential(model, X[1:], y[1:], of=of)
    network = MLPRegressor(hidden_layer_sizes=(1,), max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(X, y)
    with pytest.raises(TypeError, match="MLPRegressor"):
        most_influential(network, X, y, of=of)
    flat = np.tile([[1.0], [-1.0]], (4, 1))
    constant = LinearRegression().fit(flat, np.repeat([1.0, 2.0, 3.0, 0.0], 2))
    assert constant.coef_[0] == 0
    with pytest.raises(InferenceError, match="exactly zero"):
        most_influential(constant, flat, np.repeat([1.0, 2.0, 3.0, 0.0], 2), of="x0")
