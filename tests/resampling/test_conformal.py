"""Laws of intervals and sets, what they take, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    RowStream,
    leave_one_out,
)
from mcmodels.exceptions import (
    FewRowsWarning,
    InferenceError,
    NoMeanWarning,
    PerfectFitWarning,
    RankDeficiencyWarning,
)
from mcmodels.resampling import new_rows

N, P = 60, 3


def rows(seed=0, n=N):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, P))
    return X, X @ [1.0, -0.5, 0.2] + rng.normal(size=n), rng


def linear(X, y, **fit):
    return leave_one_out(LinearRegression().fit(X, y, **fit), X, y, **fit)


def ends(frame):
    return frame[["lower", "upper"]].to_numpy()


def counts():
    X, eta, rng = rows()
    exposure = rng.uniform(0.5, 5, size=N)
    y = rng.poisson(exposure * np.exp(eta / 3)).astype(float)
    return X, y, exposure


def classes(kinds=3):
    X, eta, rng = rows()
    noise = rng.normal(size=N)
    codes = (eta + noise > -0.7).astype(int) + (eta - noise > 0.7) * (kinds == 3)
    return X, np.array(["low", "middle", "top"])[codes]


def logistic(X, y, **options):
    return leave_one_out(LogisticRegression(**options).fit(X, y), X, y)


def test_a_higher_level_is_wider():
    X, y, _ = rows()
    loo = linear(X, y)
    widths = [np.diff(ends(loo.predict_interval(X, level)))[:, 0] for level in (0.3, 0.6, 0.9)]
    assert (np.diff(widths, axis=0) > 0).all()
    X, y = classes()
    sizes = [logistic(X, y).predict_set(X, level)["size"] for level in (0.3, 0.6, 0.9)]
    assert (np.diff(sizes, axis=0) >= 0).all()
    assert (np.diff(sizes, axis=0) > 0).any()


def test_the_order_of_training_rows_does_not_matter():
    X, y, rng = rows()
    order = rng.permutation(N)
    found = linear(X, y).predict_interval(X, 0.8)
    again = linear(X[order], y[order]).predict_interval(X, 0.8)
    pd.testing.assert_frame_equal(found, again, rtol=1e-10)
    X, y = classes()
    expected = logistic(X, y, tol=1e-12).predict_set(X, 0.8)
    again = logistic(X[order], y[order], tol=1e-12).predict_set(X, 0.8)
    pd.testing.assert_frame_equal(expected, again)


def test_intervals_move_with_a_plane_added_to_the_targets_and_with_their_unit():
    X, y, _ = rows()
    plane = 7.0 + X @ [1.0, 2.0, 3.0]
    found, moved = (ends(linear(X, target).predict_interval(X, 0.8)) for target in (y, y + plane))
    np.testing.assert_allclose(moved, found + plane[:, np.newaxis], rtol=1e-10, atol=1e-10)
    scaled = ends(linear(X, -3.0 * y).predict_interval(X, 0.8))
    np.testing.assert_allclose(scaled, -3.0 * found[:, ::-1], rtol=1e-10, atol=1e-10)


def test_without_features_new_rows_have_the_interval_of_the_mean():
    # Without row i the mean is ȳ - (yᵢ - ȳ)/(n - 1); the rest is the definition by sorting.
    y = np.random.default_rng(0).normal(size=19)
    X = np.zeros((19, 1))
    model = GeneralizedLinearRegressor(alpha=1.0).fit(X, y)
    found = leave_one_out(model, X, y).predict_interval([[0.0]], 0.9)
    without = (y.sum() - y) / 18
    R = np.abs(y - without)
    expected = np.sort(without - R)[1], np.sort(without + R)[17]  # k = 18 of 19
    np.testing.assert_allclose(ends(found)[0], expected, rtol=1e-10)


def test_rows_in_other_storages_have_the_same_intervals(tmp_path):
    X, y, _ = rows()
    loo = linear(X, y)
    expected = loo.predict_interval(X, 0.8)
    as_map = np.memmap(tmp_path / "rows", dtype=np.float64, mode="w+", shape=X.shape)
    as_map[:] = X
    stream = RowStream(lambda: ((X[i : i + 7],) for i in range(0, N, 7)))
    for given in (sparse.csr_array(X), X.tolist(), np.asfortranarray(X), as_map, stream):
        pd.testing.assert_frame_equal(loo.predict_interval(given, 0.8), expected, rtol=1e-12)
    frame = pd.DataFrame(X, columns=list("abc"), index=[f"r{i}" for i in range(N)])
    found = linear(frame, y).predict_interval(frame.iloc[5:8], 0.8)
    assert found.index.tolist() == ["r5", "r6", "r7"]
    np.testing.assert_allclose(found, expected.iloc[5:8], rtol=1e-12)


def test_new_rows_in_small_parts_have_the_same_intervals_and_sets(monkeypatch):
    X, y, _ = rows()
    of_numbers, of_classes = linear(X, y), logistic(*classes())
    expected = of_numbers.predict_interval(X, 0.8), of_classes.predict_set(X, 0.8)
    monkeypatch.setattr(new_rows, "_ENTRIES", 3 * N)
    pd.testing.assert_frame_equal(of_numbers.predict_interval(X, 0.8), expected[0], rtol=1e-12)
    pd.testing.assert_frame_equal(of_classes.predict_set(X, 0.8), expected[1])


def test_the_result_can_be_pickled():
    X, y, _ = rows()
    loo = linear(X, y)
    again = pickle.loads(pickle.dumps(loo))
    pd.testing.assert_frame_equal(again.predict_interval(X), loo.predict_interval(X))


def test_offsets_and_exposures_of_new_rows():
    X, y, exposure = counts()
    model = GeneralizedLinearRegressor("poisson", alpha=0.1).fit(X, y, exposure=exposure)
    loo = leave_one_out(model, X, y, exposure=exposure)
    found = loo.predict_interval(X, 0.8, exposure=exposure)
    np.testing.assert_allclose(found["prediction"], model.predict(X, exposure=exposure))
    by_offset = loo.predict_interval(X, 0.8, offset=np.log(exposure))
    pd.testing.assert_frame_equal(found, by_offset, rtol=1e-12)
    with pytest.raises(ValueError, match="fitted with an offset or an exposure"):
        loo.predict_interval(X)
    X, y, _ = rows()
    with pytest.raises(TypeError, match="LinearRegression takes no exposure"):
        linear(X, y).predict_interval(X, exposure=np.ones(N))


def test_offsets_of_classes():
    X, y = classes()
    offset = np.random.default_rng(0).normal(size=(N, 3))
    model = LogisticRegression().fit(X, y, offset=offset)
    loo = leave_one_out(model, X, y, offset=offset)
    found = loo.predict_set(X, 0.1, offset=offset, allow_empty=False)
    most = model.predict(X, offset=offset)
    # At a low level most sets are the most probable class alone.
    single = found["size"] == 1
    assert single.mean() > 0.9
    assert found.to_numpy()[np.arange(N), np.searchsorted(model.classes_, most)][single].all()


def test_intervals_of_counts_are_wider_where_their_mean_is_and_never_negative():
    x = np.linspace(0, 4, 80)[:, np.newaxis]
    y = np.random.default_rng(0).poisson(np.exp(x[:, 0])).astype(float)
    loo = leave_one_out(GeneralizedLinearRegressor("poisson").fit(x, y), x, y)
    found = loo.predict_interval(x)
    width = np.diff(ends(found))[:, 0]
    assert (ends(found) >= 0).all()
    # √μ grows by e² from first to last, and a lower end at zero takes away a half at most.
    assert 3 < width[-1] / width[0] < 20
    plain = loo.predict_interval(x, residuals="response")
    assert np.ptp(np.diff(ends(plain))[ends(plain)[:, 0] > 0]) < 0.2 * plain["upper"].max()


def test_proportions_stay_between_zero_and_one():
    X, eta, rng = rows()
    trials = rng.integers(5, 30, size=N).astype(float)
    y = rng.binomial(trials.astype(int), 1 / (1 + np.exp(-2 * eta))) / trials
    precise = GeneralizedLinearRegressor("binomial", weights="precision", dispersion="pearson")
    loo = leave_one_out(precise.fit(X, y, trials), X, y, trials)
    one, many = (loo.predict_interval(X, 0.9, sample_weight=m) for m in (1.0, 100.0))
    assert ((ends(one) >= 0) & (ends(one) <= 1)).all()
    # More trials vary less.
    assert (np.diff(ends(many)) < np.diff(ends(one))).all()
    counted = GeneralizedLinearRegressor("binomial").fit(X, y, trials)
    with pytest.raises(InferenceError, match="trials count as rows of 0 and 1"):
        leave_one_out(counted, X, y, trials).predict_interval(X)


def test_precisions_of_new_rows_scale_their_residuals():
    X, y, rng = rows(n=500)
    precision = rng.uniform(0.1, 10, size=500)
    y = X @ [1.0, -0.5, 0.2] + rng.normal(size=500) / np.sqrt(precision)
    model = LinearRegression(weights="precision").fit(X, y, precision)
    loo = leave_one_out(model, X, y, precision)
    one, four = (loo.predict_interval(X, 0.9, sample_weight=w) for w in (1.0, 4.0))
    # The fits without rows differ little among 500: the width is that of the residuals.
    np.testing.assert_allclose(np.diff(ends(one)), 2 * np.diff(ends(four)), rtol=0.02)
    pd.testing.assert_frame_equal(one, loo.predict_interval(X, 0.9))


def test_rows_of_weight_zero_are_absent():
    X, y, rng = rows()
    weights = rng.integers(0, 2, size=N).astype(float)
    there = weights > 0
    found = linear(X, y, sample_weight=weights).predict_interval(X, 0.8)
    expected = linear(X[there], y[there]).predict_interval(X, 0.8)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def test_class_weights_are_part_of_the_fit_and_count_no_rows():
    X, y = classes(2)
    factors = {"low": 5.0, "middle": 1.0}
    weighted = LogisticRegression(class_weight=factors).fit(X, y)
    found = leave_one_out(weighted, X, y).predict_set(X, 0.8)
    # The same fit by probability weights: each row counts once beside a new one of weight one.
    weights = np.where(y == "low", 5.0, 1.0)
    sampled = LogisticRegression(weights="precision").fit(X, y, weights)
    pd.testing.assert_frame_equal(found, leave_one_out(sampled, X, y, weights).predict_set(X, 0.8))


def test_too_few_rows_for_the_level_have_infinite_ends_and_all_classes():
    X, y, _ = rows(n=18)
    loo = linear(X, y)
    with pytest.warns(FewRowsWarning, match="at least 19 rows, and there are 18: the ends"):
        assert np.isinf(ends(loo.predict_interval(X, 0.95))).all()
    X, y, _ = rows(n=19)
    found = ends(linear(X, y).predict_interval(X, 0.95))
    assert np.isfinite(found).all()  # and no warning, which would be an error
    X, y = classes()
    loo = logistic(X, y)
    with pytest.warns(FewRowsWarning, match="at least 99 rows, and there are 60: sets hold every"):
        assert (loo.predict_set(X, 0.99)["size"] == 3).all()
    # 31 rows of one class, 21 and 8 of the others; 24 are needed.
    with pytest.warns(FewRowsWarning, match="24 rows of each.* are 8: every set holds mid"):
        found = loo.predict_set(X, 0.96, by_class=True)
    assert found.drop(columns="size").all().sum() == 2


def test_ends_of_counts_are_zero_and_infinite_where_rows_are_few():
    X, y, _ = counts()
    loo = leave_one_out(GeneralizedLinearRegressor("poisson", alpha=1.0).fit(X, y), X, y)
    with pytest.warns(FewRowsWarning):
        found = ends(loo.predict_interval(X, 0.99))
    assert (found[:, 0] == 0).all()
    assert np.isinf(found[:, 1]).all()


def test_without_the_one_row_of_a_column_the_fit_has_minimum_norm():
    X, y, _ = rows()
    X[:, 1] = 0.0
    X[7, 1] = 1.0
    found = ends(linear(X, y).predict_interval(X, 0.9))
    with pytest.warns(RankDeficiencyWarning):
        fitted = [
            LinearRegression().fit(np.delete(X, i, axis=0), np.delete(y, i)) for i in range(N)
        ]
    R = np.array([abs(y[i] - model.predict(X[[i]])[0]) for i, model in enumerate(fitted)])
    means = np.array([model.predict(X) for model in fitted])
    k = int(np.ceil(0.9 * (N + 1) - 1e-9))
    expected = np.sort(means + R[:, np.newaxis], axis=0)[k - 1]
    # Fits by the definition, sorted; both have rounding errors of some units.
    np.testing.assert_allclose(found[:, 1], expected, rtol=1e-9)


def test_rows_without_a_mean_are_said():
    X = np.abs(rows()[0])
    y = np.random.default_rng(0).poisson(1 + X.sum(axis=1)).astype(float)
    loo = leave_one_out(GeneralizedLinearRegressor("poisson", link="identity").fit(X, y), X, y)
    with pytest.warns(NoMeanWarning, match=r"1 of 2 rows .* predictions are NaN"):
        found = loo.predict_interval([[1.0, 1.0, 1.0], [-50.0, -50.0, -50.0]], 0.9)
    assert np.isnan(found["prediction"]).tolist() == [False, True]
    assert ends(found)[1].tolist() == [0.0, np.inf]


def test_a_perfect_fit_is_said():
    X, _, _ = rows()
    with pytest.warns(PerfectFitWarning):
        linear(X, X.sum(axis=1)).predict_interval(X)


def test_rows_that_are_there_more_than_once_count_as_equally_strange():
    # Two kinds of rows: all p-values are known by counting.
    x = np.repeat([[0.0], [1.0]], 20, axis=0)
    y = np.repeat([0, 1, 0, 1], [15, 5, 4, 16])
    loo = logistic(x, y, C=np.inf)
    found = loo.predict_set([[0.0], [1.0]], 0.7, allow_empty=True)
    # Class 1 at x = 0 is as strange to the fits without one of the 5 such rows as these are, and
    # less strange than the 4 rows of class 0 at x = 1: p = (1 + 5 + 4)/41.
    assert found.to_numpy()[:, :2].astype(bool).tolist() == [[True, False], [False, True]]
    for numerator, is_in in ((10.1, False), (9.9, True)):
        at = loo.predict_set([[0.0]], 1 - numerator / 41, allow_empty=True)
        assert at[1].item() == is_in


def test_sets_are_not_empty_unless_that_is_asked_for():
    X, y = classes()
    loo = logistic(X, y)
    empty = loo.predict_set(X, 0.3, allow_empty=True)
    assert (empty["size"] == 0).any()
    filled = loo.predict_set(X, 0.3)
    assert filled["size"].min() == 1
    some = empty["size"] > 0
    pd.testing.assert_frame_equal(filled[some], empty[some])


def test_a_classifier_without_a_link_is_compared_by_its_linear_predictor():
    X, y = classes(2)
    loss = "log(1 + exp(eta)) - y*eta"
    plain, linked = (
        leave_one_out(model.fit(X, y), X, y).predict_set(X, 0.8)
        for model in (
            ObjectiveClassifier(loss, alpha=1.0),
            ObjectiveClassifier(loss, alpha=1.0, inverse_link="sigmoid(eta)"),
        )
    )
    pd.testing.assert_frame_equal(plain, linked)


REFUSED = [
    ({"level": 1.0}, ValueError, "level=1.0 must lie between 0 and 1"),
    ({"level": [0.5]}, ValueError, "level="),
    ({"residuals": "deviance"}, ValueError, "residuals='deviance' is not known"),
    ({"sample_weight": np.ones(N)}, ValueError, "nothing depends on it"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_wrong_arguments_are_refused(options, error, message):
    X, y, _ = rows()
    with pytest.raises(error, match=message):
        linear(X, y).predict_interval(X, **options)


def test_wrong_arguments_of_sets_are_refused():
    X, y = classes()
    loo = logistic(X, y)
    with pytest.raises(ValueError, match="score='margin' is not known"):
        loo.predict_set(X, score="margin")
    with pytest.raises(ValueError, match="by_class=1 must be True or False"):
        loo.predict_set(X, by_class=1)
    with pytest.raises(ValueError, match="X has 2 features"):
        loo.predict_set(X[:, :2])
    with pytest.raises(InferenceError, match=r"LogisticRegression is a classifier.*predict_set"):
        loo.predict_interval(X)
    named = np.where(y == "low", "size", y)
    with pytest.raises(InferenceError, match="'size', and so is a class"):
        logistic(X, named).predict_set(X)
    X, y, _ = rows()
    with pytest.raises(InferenceError, match=r"LinearRegression is a regressor.*predict_interval"):
        linear(X, y).predict_set(X)


def test_samples_need_the_weights_of_new_rows():
    X, y, rng = rows()
    weights = rng.uniform(1, 9, size=N)
    loo = leave_one_out(LinearRegression(weights="probability").fit(X, y, weights), X, y, weights)
    with pytest.raises(ValueError, match="weight that each new row would have had"):
        loo.predict_interval(X)
    with pytest.raises(ValueError, match="must be positive; found 0 in row 0"):
        loo.predict_interval(X, sample_weight=0.0)
    with pytest.warns(FewRowsWarning, match="60 new rows have more than 0.2 of the weight"):
        assert np.isinf(ends(loo.predict_interval(X, 0.8, sample_weight=1e6))).all()
    # The scale of the weights is arbitrary.
    again = LinearRegression(weights="probability").fit(X, y, 7 * weights)
    scaled = leave_one_out(again, X, y, 7 * weights).predict_interval(X, 0.8, sample_weight=14.0)
    pd.testing.assert_frame_equal(
        loo.predict_interval(X, 0.8, sample_weight=2.0), scaled, rtol=1e-9
    )


def test_a_model_that_was_fitted_again_is_refused():
    X, y, _ = rows()
    model = LinearRegression().fit(X, y)
    loo = leave_one_out(model, X, y)
    model.fit(X, y + X[:, 0] ** 2)
    with pytest.raises(InferenceError, match="fitted again after leave_one_out"):
        loo.predict_interval(X)
