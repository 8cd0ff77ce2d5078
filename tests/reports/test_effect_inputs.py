"""Inputs as they come: missing levels, numbers as objects, names that are no text."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, SplineTransformer

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    results,
)
from tests.rotation import rotated
from tests.versions import LINEAR_QUANTILES

# The same fit by other names of its levels: columns of the design stand in the same order, or in
# another, so that both differ by rounding, 1e-13 of errors that are sums of 120 rows.
SAME = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def rows(n=120):
    rng = np.random.default_rng(8)
    X = pd.DataFrame(
        {
            "dose": rng.normal(size=n),
            "place": rng.choice(["here", "there", "zz"], n, p=[0.3, 0.2, 0.5]),
            "stage": rng.integers(0, 3, n),
        }
    )
    return X, X["dose"] + X["stage"] * (X["place"] == "zz") + rng.normal(size=n)


def fitted(X, y, drop="first"):
    steps = make_column_transformer(
        (OneHotEncoder(drop=drop), ["place", "stage"]), remainder="passthrough"
    )
    model = LogisticRegression(C=np.inf) if y.dtype == bool else LinearRegression()
    return results(make_pipeline(steps, model).fit(X, y))


def missing_as(form, X):
    known = X["place"] != "zz"
    if form == "None":
        return X.assign(place=X["place"].where(known, None).astype(object).where(known, None))
    if form == "category":
        return X.assign(place=X["place"].where(known).astype("category"))
    return X.assign(place=X["place"].map({"here": 1.0, "there": 2.0}))


@pytest.mark.parametrize(
    ("drop", "form", "binary"),
    rotated(["first", "missing"], ["None", "category", "number"], [False, True]),
)
def test_missing_values_are_a_level_where_the_encoder_has_made_one(form, drop, binary):
    X, y = rows()
    y = y > 0.5 if binary else y
    held = missing_as(form, X)
    absent = None if form == "None" else np.nan
    named = fitted(X, y, ["zz", 0] if drop == "missing" else "first")
    found = fitted(held, y, [absent, 0] if drop == "missing" else "first")
    shown = ["estimate", "standard_error"]
    for asked in (
        lambda of, X: of.marginal_effects(X),
        lambda of, X: of.marginal_effects(X, "place", at="means"),
        lambda of, X: of.marginal_means(X, "place"),
        lambda of, X: of.marginal_means(X, "stage"),
        lambda of, X: of.marginal_means(X, "stage", weights="proportional"),
        lambda of, X: of.contrasts(X, "place"),
        lambda of, X: of.predictions(X, by="place"),
    ):
        ours, plain = asked(found, held), asked(named, X)
        assert len(ours) == len(plain)
        np.testing.assert_allclose(ours[shown], plain[shown], **SAME)
    ours = found.predictions(held, at={"place": absent})
    plain = named.predictions(X, at={"place": "zz"})
    np.testing.assert_allclose(ours[shown], plain[shown], **SAME)


def test_integers_as_objects_stay_objects():
    X, y = rows()
    held = X.assign(stage=X["stage"].astype(object))
    ours, plain = fitted(held, y).marginal_effects(held), fitted(X, y).marginal_effects(X)
    pd.testing.assert_frame_equal(ours, plain, rtol=1e-12)
    pd.testing.assert_frame_equal(
        fitted(held, y).contrasts(held, "stage"), fitted(X, y).contrasts(X, "stage"), rtol=1e-12
    )


def test_names_may_be_numbers_and_tuples():
    X, y = rows()
    for names in ([0, 1], pd.MultiIndex.from_tuples([("a", "dose"), ("a", "stage")])):
        held = X[["dose", "stage"]].set_axis(names, axis=1)
        found = results(LinearRegression().fit(held, y))
        table = found.marginal_effects(held, held.columns[1])
        pd.testing.assert_frame_equal(table, found.marginal_effects(held).iloc[1:])


def test_the_step_that_misses_a_column_says_so():
    X, y = rows()
    found = fitted(X, y)
    for ask in (found.marginal_effects, found.predictions, lambda X: found.contrasts(X, "place")):
        with pytest.raises(ValueError, match=r"step 'columntransformer'.*missing.*stage"):
            ask(X.drop(columns="stage"))


def test_splines_that_sum_to_one_have_the_remedy_of_splines():
    X, y = rows()
    steps = make_column_transformer(
        (SplineTransformer(3), ["dose"]), (OneHotEncoder(), ["place"]), remainder="passthrough"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RankDeficiencyWarning
        table = str(results(make_pipeline(steps, LinearRegression()).fit(X, y)).summary())
    told = " ".join(table.split())
    assert "ake them by SplineTransformer(include_bias=False), or leave out one of spline" in told
    assert 'ncode with OneHotEncoder(drop="first"), or leave out one of onehotencoder' in told


def test_no_rows_are_refused_by_name():
    X, y = rows()
    found = fitted(X, y)
    for ask in (found.marginal_effects, found.predictions, lambda X: found.contrasts(X, "place")):
        with pytest.raises(ValueError, match="X has no rows"):
            ask(X.iloc[:0])


def test_contrasts_take_one_name_in_a_list():
    X, y = rows()
    found = fitted(X, y)
    pd.testing.assert_frame_equal(found.contrasts(X, ["place"]), found.contrasts(X, "place"))
    with pytest.raises(ValueError, match="variable must be one input"):
        found.contrasts(X, ["place", "stage"])


def test_labels_offsets_and_clusters_in_another_order_are_refused():
    X, _ = rows()
    rng = np.random.default_rng(1)
    exposure, clusters = pd.Series(rng.uniform(1, 4, len(X))), pd.Series(rng.integers(0, 9, len(X)))
    counts = rng.poisson(exposure)
    steps = make_column_transformer(
        (OneHotEncoder(drop="first"), ["place"]), remainder="passthrough"
    )
    pipeline = make_pipeline(steps, GeneralizedLinearRegressor("poisson"))
    found = results(pipeline.fit(X, counts, generalizedlinearregressor__exposure=exposure))
    named = {"exposure": exposure}
    with pytest.raises(ValueError, match="X and by have the same index labels in another order"):
        found.predictions(X, by=clusters[::-1], **named)
    with pytest.raises(ValueError, match="X and exposure have the same index labels in another"):
        found.predict_interval(X, exposure=exposure[::-1])
    robust = {"kind": "cluster", "y": counts, "groups": clusters[::-1], **named}
    for ask in (found.marginal_effects, lambda X, **of: found.contrasts(X, "place", **of)):
        with pytest.raises(ValueError, match="X and groups have the same index labels in another"):
            ask(X, **robust)
    with pytest.raises(ValueError, match=r"by must be names .* shape \(120, 2\)"):
        found.predictions(X, by=X[["place", "stage"]], **named)


@pytest.mark.parametrize("form", ["None", "category"])
def test_what_a_step_fills_counts_as_what_it_is_filled_with(form):
    """Of "zz", the most frequent level, values are missing, and a step says "zz" again."""
    X, y = rows()
    held = missing_as(form, X)
    held["place"] = held["place"].astype(object)
    fill = SimpleImputer(
        strategy="constant", fill_value="zz", missing_values=None if form == "None" else np.nan
    )

    def found(X):
        steps = make_column_transformer(
            (make_pipeline(clone(fill), OneHotEncoder(drop="first")), ["place"]),
            (OneHotEncoder(drop="first"), ["stage"]),
            remainder="passthrough",
        )
        return results(make_pipeline(steps, LogisticRegression(C=np.inf)).fit(X, y > 0.5))

    filled, plain = found(held), found(X)
    for asked in (
        lambda of, X: of.marginal_means(X, "stage", weights="proportional"),
        lambda of, X: of.contrasts(X, "stage", weights="proportional"),
        lambda of, X: of.marginal_effects(X, "dose", at="means"),
        lambda of, X: of.marginal_means(X, "stage"),
    ):
        np.testing.assert_allclose(asked(filled, held), asked(plain, X), **SAME)


def test_questions_that_are_none_are_refused_by_name():
    X, y = rows()
    found = fitted(X, y)
    with pytest.raises(ValueError, match="variables is empty"):
        found.marginal_effects(X, [])
    twice = found.marginal_effects(X, ["dose", "dose"])
    pd.testing.assert_frame_equal(twice, found.marginal_effects(X, "dose"))
    for at in ("means", "average", ["dose"]):
        with pytest.raises(TypeError, match=r"at=.* must be a dict of inputs and values"):
            found.predictions(X, at=at)


def test_bins_say_that_their_slopes_are_zero_between_jumps():
    X, y = rows()
    bins = KBinsDiscretizer(3, encode="onehot-dense", **LINEAR_QUANTILES)
    steps = make_column_transformer(
        (bins, ["dose"]), (OneHotEncoder(drop="first"), ["place"]), ("passthrough", ["stage"])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RankDeficiencyWarning
        pipeline = make_pipeline(steps, LinearRegression()).fit(X, y)
    found = results(pipeline)
    slope = found.marginal_effects(X, "dose")
    assert (slope["estimate"] == 0).all()
    assert "KBinsDiscretizer is flat between its jumps" in slope.attrs["notes"][0]
    assert found.marginal_effects(X, ["place", "stage"]).attrs["notes"] == ()
    jump = found.marginal_effects(X, {"dose": (-2, 2)}, measure="comparison")
    ends = [pipeline.predict(X.assign(dose=float(of))).mean() for of in (-2, 2)]
    np.testing.assert_allclose(jump["estimate"], ends[1] - ends[0], **SAME)
