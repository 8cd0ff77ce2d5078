"""`bootstrap`: what its draws depend on, intervals, functions, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    QuantileRegressor,
    RowStream,
    attribution,
    bootstrap,
    fit_formula,
    prediction_at,
    results,
    scan,
    tidy,
)
from mcmodels.exceptions import ConvergenceWarning, InferenceError, RankDeficiencyWarning
from mcmodels.reweighting.score_draws import MOST_UNITS

N = 300


def data(n=N, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ [1.0, 2.0, 0.0] + rng.normal(size=n) * (0.5 + np.abs(X[:, 0]))


@pytest.fixture
def model():
    return LinearRegression().fit(*data())


@pytest.mark.parametrize("steps", ["one", "converged"])
def test_draws_do_not_depend_on_where_rows_are(steps):
    X, y = data(n=MOST_UNITS + 500)  # more rows than are drawn one by one
    options = {"draws": 20, "steps": steps, "random_state": 3}
    expected = bootstrap(LinearRegression().fit(X, y), X, y, **options).draws_
    stream = RowStream(lambda: ((X[i : i + 371], y[i : i + 371]) for i in range(0, len(X), 371)))
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)
    table = scan(frame, "y", ["a", "b", "c"])
    for rows in ((sparse.csr_array(X), y), (stream,), (table,), (np.asfortranarray(X), y)):
        found = bootstrap(LinearRegression().fit(*rows), *rows, **options).draws_
        # The same sums in other blocks.
        assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("steps", ["one", "converged"])
def test_draws_do_not_depend_on_threads(steps):
    X, y = data(n=60_000)
    labels = (y > 0).astype(int)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            fitted = LogisticRegression().fit(X, labels)
            draws = 60 if steps == "one" else 2
            found.append(bootstrap(fitted, X, labels, draws=draws, steps=steps, random_state=1))
    assert np.array_equal(found[0].draws_, found[1].draws_)


def test_a_seed_gives_the_same_draws_and_the_first_are_those_of_fewer(model):
    X, y = data()
    many = bootstrap(model, X, y, draws=3000, random_state=5)
    few = bootstrap(model, X, y, draws=700, random_state=5)
    # The same numbers in products of matrices of other sizes.
    assert many.draws_[:700] == pytest.approx(few.draws_, rel=1e-12)
    assert np.array_equal(few.draws_, bootstrap(model, X, y, draws=700, random_state=5).draws_)
    other = bootstrap(model, X, y, draws=700, random_state=6)
    assert not np.array_equal(few.draws_, other.draws_)
    np.random.seed(8)  # noqa: NPY002
    first = bootstrap(model, X, y, draws=5).draws_
    np.random.seed(8)  # noqa: NPY002
    assert np.array_equal(first, bootstrap(model, X, y, draws=5).draws_)


@pytest.mark.parametrize("steps", ["one", "converged"])
def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_zero_is_none(steps):
    X, y = data(40)
    weights = np.random.default_rng(2).integers(0, 3, 40) * 3.0
    repeated = np.repeat(np.arange(40), weights.astype(int))
    options = {"draws": 4000, "steps": steps, "of": "x0"}
    counted = LinearRegression().fit(X, y, weights)
    copied = LinearRegression().fit(X[repeated], y[repeated])
    found = bootstrap(counted, X, y, weights, random_state=1, **options).draws_[:, 0]
    expected = bootstrap(copied, X[repeated], y[repeated], random_state=2, **options).draws_[:, 0]
    # Equal laws: a level that is violated once in ten thousand seeds.
    assert stats.ks_2samp(found, expected).pvalue > 1e-4
    # As precisions the same weights have another law, that of rows which are there once.
    precise = LinearRegression(weights="precision").fit(X, y, weights)
    other = bootstrap(precise, X, y, weights, random_state=1, **options).draws_[:, 0]
    assert stats.ks_2samp(other, expected).pvalue < 1e-4


def test_labels_of_clusters_mean_nothing(model):
    X, y = data()
    codes = np.arange(N) // 10
    names = np.array([f"school {k}" for k in range(30)])
    found = [
        bootstrap(model, X, y, groups=groups, draws=50, random_state=1).draws_
        for groups in (codes, names[codes], pd.Series(codes))
    ]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(y=y, school=codes)
    rows = scan(frame, "y", ["x0", "x1", "x2"], groups="school")
    of_table = bootstrap(LinearRegression().fit(rows), rows, draws=50, random_state=1)
    assert of_table.draws_ == pytest.approx(found[0], rel=1e-10)
    assert of_table.units_ == "30 clusters"


def test_simultaneous_intervals_of_independent_estimates_have_the_known_length():
    # Orthogonal columns: q of k independent normal numbers is that of level^(1/k).
    rng = np.random.default_rng(3)
    X, _ = np.linalg.qr(rng.normal(size=(3000, 8)))
    y = rng.normal(size=3000)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    found = bootstrap(model, X, y, draws=20_000, kind="multiplier", random_state=1)
    expected = stats.norm.isf((1 - 0.95 ** (1 / 8)) / 2)
    # The deviation of a quantile of 20,000 draws is about 0.01; multipliers are nearly normal.
    assert found.critical_value(0.95) == pytest.approx(expected, abs=0.04)
    ends = found.confidence_intervals(0.95, kind="simultaneous").to_numpy()
    inside = ((found.draws_ >= ends[:, 0]) & (found.draws_ <= ends[:, 1])).all(axis=1)
    assert 0.95 <= inside.mean() < 0.951  # by construction


def test_tables_hold_quantiles_and_deviations_of_the_draws(model):
    X, y = data()
    found = bootstrap(model, X, y, draws=2000, random_state=1)
    table = found.to_frame(0.9)
    assert list(table.index) == ["x0", "x1", "x2", "(intercept)"]
    assert table["estimate"].to_numpy() == pytest.approx(model.params_)
    assert table["standard_error"].to_numpy() == pytest.approx(found.draws_.std(axis=0, ddof=1))
    ends = np.quantile(found.draws_, [0.05, 0.95], axis=0)
    assert table[["lower", "upper"]].to_numpy().T == pytest.approx(ends)
    assert found.covariance_ == pytest.approx(np.cov(found.draws_.T))
    reach = stats.t(N - 4).isf(0.05) * found.standard_errors_
    ends = found.confidence_intervals(0.9, "t").to_numpy().T
    assert ends == pytest.approx(np.array([model.params_ - reach, model.params_ + reach]))
    clustered = bootstrap(model, X, y, groups=np.arange(N) // 10, draws=9, random_state=1)
    assert clustered.df_ == 29
    narrow, wide = (found.critical_value(level) for level in (0.8, 0.95))
    assert stats.norm.isf(0.1) < narrow < wide


def test_functions_are_evaluated_at_each_draw(model):
    X, y = data()
    found = bootstrap(model, X, y, draws=500, random_state=1)

    def ratio(theta):
        return theta[0] / theta[1]

    of_ratio = found.function(ratio)
    assert of_ratio.names_ == ("ratio",)
    assert of_ratio.draws_[:, 0] == pytest.approx(found.draws_[:, 0] / found.draws_[:, 1])
    of_pair = bootstrap(model, X, y, draws=500, random_state=1, of=lambda theta: theta[:2] * 2)
    assert of_pair.names_ == ("f[0]", "f[1]")
    assert of_pair.draws_ == pytest.approx(2 * found.draws_[:, :2])
    named = bootstrap(model, X, y, draws=500, random_state=1, of=["x2", "x0"])
    assert np.array_equal(named.draws_, found.draws_[:, [2, 0]])
    # Of a function of a part of the quantities, too, f takes all parameters.
    assert named.function(ratio).draws_ == pytest.approx(of_ratio.draws_)


def test_of_classes_functions_take_the_parameters_in_their_shape():
    X, y = data()
    labels = np.digitize(y, [-1, 1])
    model = LogisticRegression().fit(X, labels)
    found = bootstrap(model, X, labels, draws=40, random_state=1)
    assert found.names_[:2] == ("1:x0", "1:x1")
    # Classes sum to zero in every draw, as in the fit: to rounding.
    sums = found.function(lambda theta: theta.sum(axis=0))
    assert np.abs(sums.draws_).max() < 1e-10
    X0 = np.append(X[0], 1.0)
    first = found.function(lambda theta: np.exp(theta @ X0) / np.exp(theta @ X0).sum())
    assert first.estimate_ == pytest.approx(model.predict_proba(X[:1])[0])


@pytest.mark.parametrize("dependent", [False, True])
def test_tables_of_classes_have_the_quantities_of_the_tables_of_the_model(dependent):
    X, y = data()
    X, labels = pd.DataFrame(X, columns=["a", "b", "c"]), np.digitize(y, [-1, 1])
    if dependent:
        X["d"] = X["a"] + X["b"]
        with pytest.warns(RankDeficiencyWarning):
            model = LogisticRegression(C=np.inf).fit(X, labels)
    else:
        model = LogisticRegression(C=np.inf).fit(X, labels)
    found = bootstrap(model, X, labels, draws=3000, random_state=1)
    table, expected = found.to_frame(), tidy(model)
    intervals = model.confidence_intervals()
    for each in (table, found.confidence_intervals(), found.confidence_intervals(kind="t")):
        assert list(each.index) == list(intervals.index)
    known = table["estimate"].notna().to_numpy()
    assert np.array_equal(known, expected["estimate"].notna())
    assert known.sum() == (4 if dependent else 8)
    assert table["estimate"].to_numpy() == pytest.approx(
        expected["estimate"].to_numpy(), rel=1e-12, nan_ok=True
    )
    of_each = found.raw.reshape(3000, 3, -1)
    difference = (of_each[:, 2, 2] - of_each[:, 0, 2]).std(ddof=1)
    assert table.loc["2:c", "standard_error"] == pytest.approx(difference, rel=1e-12)
    named = bootstrap(model, X, labels, draws=3000, random_state=1, of="1:c")
    value = attribution(model, X, labels, of="1:c").value
    assert named.estimate_ == pytest.approx([value], rel=1e-12)
    assert "1:c" in str(named)
    with pytest.raises(ValueError, match="of='0:c'"):
        bootstrap(model, X, labels, draws=10, of="0:c")


@pytest.mark.parametrize("steps", ["one", "converged"])
def test_of_dependent_columns_what_is_determined_is_that_of_fewer_columns(steps):
    X, y = data()
    full = LinearRegression().fit(X, y)
    with pytest.warns(RankDeficiencyWarning):
        model = LinearRegression().fit(np.column_stack([X, X[:, 0] + X[:, 1]]), y)
    expected = bootstrap(full, X, y, draws=50, steps=steps, random_state=1)
    wide = np.column_stack([X, X[:, 0] + X[:, 1]])
    found = bootstrap(model, wide, y, draws=50, steps=steps, random_state=1)
    assert np.isnan(found.draws_[:, [0, 1, 3]]).all()
    assert found.to_frame().isna().all(axis=1).tolist() == [True, True, False, True, False]
    assert found.draws_[:, 2] == pytest.approx(expected.draws_[:, 2], rel=1e-9)
    assert "NA: Leave out one of" in str(found)
    total = found.function(lambda theta: theta[0] + theta[3])
    assert total.draws_[:, 0] == pytest.approx(expected.draws_[:, 0], rel=1e-9)

    def slope(theta):
        return theta[0]

    with pytest.raises(InferenceError, match="slope is not estimable"):
        found.function(slope)


def test_pipelines_searches_and_formulas_are_gone_through():
    X, y = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    options = {"draws": 40, "random_state": 1}
    expected = bootstrap(LinearRegression().fit(frame, y), frame, y, **options)
    pipe = make_pipeline(StandardScaler(with_mean=False), LinearRegression()).fit(frame, y)
    found = bootstrap(pipe, frame, y, **options)
    assert found.names_ == ("a", "b", "c", "(intercept)")
    scale = np.append(frame.std(ddof=0), 1.0)
    assert found.draws_ == pytest.approx(expected.draws_ * scale, rel=1e-9)
    table = frame.assign(y=y, school=np.arange(N) % 30)
    formula = fit_formula("y ~ a + b + c", table, LinearRegression())
    assert bootstrap(formula, table, of=["a", "b"], **options).draws_ == pytest.approx(
        expected.draws_[:, :2], rel=1e-9
    )
    clustered = bootstrap(formula, table, groups="school", **options)
    assert clustered.units_ == "30 clusters"
    search = GridSearchCV(GeneralizedLinearRegressor(), {"alpha": [0.0]}).fit(frame, y)
    searched = bootstrap(search, frame, y, **options)
    assert searched.draws_ == pytest.approx(expected.draws_, rel=1e-7)
    assert "has chosen this model by the same rows" in " ".join(str(searched).split())


@pytest.mark.parametrize(
    ("of", "name"),
    [
        ("y1:intercept", "y1:(intercept)"),
        ("y1:(intercept)", "y1:(intercept)"),
        (("y1", "intercept"), "y1:(intercept)"),
        (("y1", "b"), "y1:b"),
        ("y0:b", "y0:b"),
    ],
)
def test_names_are_those_that_attribution_takes(of, name):
    X, y = data()
    X, Y = pd.DataFrame(X, columns=["a", "b", "c"]), pd.DataFrame({"y0": y, "y1": y**2})
    model = LinearRegression().fit(X, Y)
    everything = bootstrap(model, X, Y, draws=20, random_state=1)
    value = attribution(model, X, Y, of=of).value
    for given in (of, [of]):
        found = bootstrap(model, X, Y, draws=20, random_state=1, of=given)
        assert found.names_ == (name,)
        assert found.estimate_ == pytest.approx([value], rel=1e-12)
        place = everything.names_.index(name)
        assert np.array_equal(found.draws_[:, 0], everything.draws_[:, place])
    for both in (["y0:a", of], ("y0:a", of), (("y0", "a"), of)):
        assert everything.named(both).names_ == ("y0:a", name)
    for unknown in (("y1", "z"), [("y1", "z")]):
        with pytest.raises(ValueError, match=r"of=\('y1', 'z'\) is no coefficient"):
            everything.named(unknown)


def test_names_of_one_target_and_of_classes_are_those_that_attribution_takes():
    X, y = data()
    X = pd.DataFrame(X, columns=["a", "b", "a:b"])
    model, options = LinearRegression().fit(X, y), {"draws": 20, "random_state": 1}
    assert bootstrap(model, X, y, of="intercept", **options).names_ == ("(intercept)",)
    assert bootstrap(model, X, y, of=("b", "intercept"), **options).names_ == ("b", "(intercept)")
    assert bootstrap(model, X, y, of=["a", "b"], **options).names_ == ("a", "b")
    with pytest.raises(ValueError, match="may be 'a:b', or the two coefficients"):
        bootstrap(model, X, y, of=("a", "b"), **options)
    labels = np.digitize(y, [-1, 1])
    classes = LogisticRegression(C=np.inf).fit(X, labels)
    found = bootstrap(classes, X, labels, of=(2, "b"), **options)
    assert found.names_ == ("2:b",)
    value = attribution(classes, X, labels, of=(2, "b")).value
    assert found.estimate_ == pytest.approx([value], rel=1e-12)


def test_steps_that_were_fitted_to_y_are_refused_as_results_refuses_them():
    X, y = data()
    chosen = make_pipeline(SelectKBest(f_regression, k=1), LinearRegression()).fit(X, y)
    search = GridSearchCV(chosen, {"selectkbest__k": [1]}).fit(X, y)
    for fitted in (chosen, search):
        with pytest.raises(InferenceError, match="was fitted to y") as expected:
            results(fitted).confidence_intervals()
        with pytest.raises(InferenceError) as found:
            bootstrap(fitted, X, y, draws=10)
        assert str(found.value) == str(expected.value)
    other = SelectKBest(f_regression, k=1).fit(*data(seed=5))
    frozen = make_pipeline(FrozenEstimator(other), LinearRegression()).fit(X, y)
    assert bootstrap(frozen, X, y, draws=10).n_failed_ == 0


def test_printed_and_pickled(model):
    X, y = data()
    found = bootstrap(model, X, y, draws=100, random_state=1, kind="multiplier", steps="converged")
    text = str(found)
    assert "multipliers of Mammen" in text
    assert "100 of 300 rows" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "<table" in found._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    assert np.array_equal(again.draws_, found.draws_)
    assert str(again) == text


def test_draws_without_a_minimum_are_named_and_left_out():
    # Least absolute deviations nearly: where the weights of the other group prevail, the way to it
    # leads over predictors without curvature.
    X, y = np.ones((7, 1)), np.array([0.0, 0.0, 0.0, 10.0, 10.0, 10.1, 10.2])
    loss = "where(abs(y - eta) < 0.6, (y - eta)**2/2, 0.6*abs(y - eta) - 0.18)"
    model = ObjectiveRegressor(loss, fit_intercept=False).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="draws have no minimum") as caught:
        found = bootstrap(model, X, y, draws=300, steps="converged", random_state=1)
    assert f"{found.n_failed_} of 300" in str(caught[0].message)
    assert np.isnan(found.draws_).any(axis=1).sum() == found.n_failed_
    assert np.isfinite(found.confidence_intervals().to_numpy()).all()
    assert "left out" in str(found)


REFUSED = {
    "draws": ({"draws": 1}, ValueError, "draws=1 must be"),
    "kind": ({"kind": "wild"}, ValueError, "kind='wild' is not known"),
    "steps": ({"steps": "two"}, ValueError, "steps='two' is not known"),
    "name": ({"of": "age"}, ValueError, "of='age' is no coefficient; there are 'x0', 'x1'"),
    "no name": ({"of": []}, ValueError, "names no parameter"),
    "a number": ({"of": 0}, TypeError, "of=0 is a int; give the name of a coefficient, as 'age' "
                 r"or, .* a list of these; or a function of params_\."),
    "numbers": ({"of": ["x0", 1.5]}, TypeError, "of=1.5 is a float; give the name"),
    "an array": ({"of": np.array(0)}, TypeError, "is a ndarray; give the name"),
    "a prediction": ({"of": prediction_at(np.zeros(3))}, TypeError, "is a PredictionAt; give"),
    "keyword": ({"draw": 7}, TypeError, "Did you mean 'draws'"),
    "offset": ({"offset": np.zeros(N)}, TypeError, "unexpected keyword argument 'offset'"),
    "one cluster": ({"groups": np.zeros(N)}, InferenceError, "groups has a single cluster"),
    "two groupings": ({"groups": np.ones((N, 2)) * [[1, 2]] + np.arange(N)[:, None] % 3},
                      ValueError, "groups has two columns"),
    "short groups": ({"groups": np.arange(5)}, ValueError, "groups has shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_arguments_are_refused(model, name):
    options, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        bootstrap(model, *data(), **options)


def test_other_rows_and_other_models_are_refused(model):
    X, y = data()
    labels = (y > 0).astype(int)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        bootstrap(model, X, y[::-1])
    with pytest.warns(ConvergenceWarning):
        network = MLPRegressor(hidden_layer_sizes=(2,), max_iter=3).fit(X, y)
    for other in (network, QuantileRegressor().fit(X, y)):
        with pytest.raises(TypeError, match=type(other).__name__):
            bootstrap(other, X, y)
    with pytest.raises(InferenceError, match="Jeffreys"):
        bootstrap(FirthLogisticRegression().fit(X, labels), X, labels)
    scale = ObjectiveRegressor("(y - eta)**2/(2*exp(2*s)) + s", auxiliary={"s": 0.0})
    with pytest.raises(InferenceError, match="auxiliary parameters"):
        bootstrap(scale.fit(X, y), X, y)
    trials = np.full(N, 4.0)
    shares = np.random.default_rng(0).binomial(4, 0.5, N) / 4
    proportions = GeneralizedLinearRegressor("binomial").fit(X, shares, trials)
    with pytest.raises(InferenceError, match="y has proportions"):
        bootstrap(proportions, X, shares, trials)


def test_functions_that_are_not_finite_are_refused(model):
    found = bootstrap(model, *data(), draws=200, random_state=1)
    with np.errstate(invalid="ignore"), pytest.raises(InferenceError, match="f is not finite at"):
        found.function(lambda theta: np.log(theta[2] + 0.0))
    with pytest.raises(TypeError, match="must return a real number"):
        found.function(lambda theta: "wide")
    with pytest.raises(TypeError, match="returned an empty array"):
        found.function(lambda theta: theta[:0])
    with pytest.raises(TypeError, match="at draw 0, and"):
        found.function(lambda theta: theta if theta[0] == model.params_[0] else theta[:2])
    with pytest.raises(TypeError, match="give a function"):
        found.function(3)


def test_offsets_and_exposures_are_those_of_the_fit():
    rng = np.random.default_rng(4)
    X, exposure = rng.normal(size=(200, 1)), rng.uniform(1, 5, 200)
    y = rng.poisson(exposure * np.exp(X[:, 0] / 2))
    by_exposure = GeneralizedLinearRegressor("poisson").fit(X, y, exposure=exposure)
    by_offset = GeneralizedLinearRegressor("poisson").fit(X, y, offset=np.log(exposure))
    for steps in ("one", "converged"):
        options = {"draws": 20, "steps": steps, "random_state": 1}
        first = bootstrap(by_exposure, X, y, exposure=exposure, **options).draws_
        second = bootstrap(by_offset, X, y, offset=np.log(exposure), **options).draws_
        assert first == pytest.approx(second, rel=1e-9)


def test_draws_at_the_bounds_of_means_are_found_or_named():
    """Where a fit with the weights of a draw ends at a mean of zero, the draw is NaN."""
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(60, 1))
    y = rng.poisson(0.2 + 2 * x[:, 0])
    model = GeneralizedLinearRegressor("poisson", link="identity").fit(x, y)
    with pytest.warns(ConvergenceWarning, match="1 of 400 draws have no minimum"):
        found = bootstrap(model, x, y, draws=400, steps="converged", random_state=0)
    means = found.function(lambda theta: theta[1] + theta[0] * x.min()).draws_
    assert np.nanmin(means) > 0
    assert np.isnan(means).sum() == 1
