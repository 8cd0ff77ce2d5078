"""Weights, exposures, clusters and groups by the names of columns; which weights averages have."""

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
    fit_formula,
    results,
)
from tests.reports.brute_force import standard_errors

SUMS = {"rtol": 1e-12, "atol": 1e-14}  # both sides are sums of the same hundred products


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n = 120
    X = pd.DataFrame(
        {
            "dose": rng.normal(size=n),
            "place": rng.choice(["here", "there"], n),
            "years": rng.uniform(0.5, 3.0, n),
            "weight": rng.integers(0, 4, n).astype(float),
            "clinic": rng.integers(0, 15, n),
            "ward": rng.integers(0, 12, n),
        },
        index=rng.permutation(n),
    )
    X["count"] = rng.poisson(X["years"] * np.exp(0.3 * X["dose"]))
    return X


@pytest.fixture(scope="module")
def pipeline(data):
    steps = make_column_transformer(
        (StandardScaler(), ["dose"]), (OneHotEncoder(drop="first"), ["place"])
    )
    model = GeneralizedLinearRegressor("poisson")
    return make_pipeline(steps, model).fit(
        data,
        data["count"],
        generalizedlinearregressor__exposure=data["years"],
        generalizedlinearregressor__sample_weight=data["weight"],
    )


ASKED = {
    "summary": lambda of, X, y, **w: of.summary(X, y, kind="HC1", **w).to_frame(),
    "covariance": lambda of, X, y, **w: pd.DataFrame(of.covariance(X, y, kind="HC0", **w)),
    "intervals": lambda of, X, y, **w: of.confidence_intervals(0.9, X, y, kind="HC0", **w),
    "with_covariance": lambda of, X, y, **w: of.with_covariance(
        X, y, kind="HC0", **w
    ).confidence_intervals(),
    "influence": lambda of, X, y, **w: of.influence(X, y, **w),
    "likelihood_ratio_tests": lambda of, X, y, **w: of.likelihood_ratio_tests(X, y, **w),
    "deviance_table": lambda of, X, y, **w: of.deviance_table(X, y, **w),
    "marginal_effects": lambda of, X, y, **w: of.marginal_effects(X, y=y, kind="HC1", **w),
    "predictions": lambda of, X, y, **w: of.predictions(X, by="place", **w),
    "marginal_means": lambda of, X, y, **w: of.marginal_means(X, "place", **w),
    "contrasts": lambda of, X, y, **w: of.contrasts(X, "place", y=y, kind="HC0", **w),
}


@pytest.mark.parametrize("method", ASKED)
def test_a_name_is_the_column_of_that_name(data, pipeline, method):
    ask, found = ASKED[method], results(pipeline)
    y = data["count"]
    named = ask(found, data, y, sample_weight="weight", exposure="years")
    given = ask(found, data, y, sample_weight=data["weight"], exposure=data["years"])
    pd.testing.assert_frame_equal(named, given)


@pytest.mark.parametrize("groups", ["clinic", ["clinic"], ["clinic", "ward"]])
@pytest.mark.parametrize("method", ["summary", "intervals", "marginal_effects"])
def test_clusters_are_named(data, groups, method):
    rows = data[["dose", "place", "clinic", "ward"]]
    steps = make_column_transformer(
        (StandardScaler(), ["dose"]), (OneHotEncoder(drop="first"), ["place"])
    )
    found = results(make_pipeline(steps, LinearRegression()).fit(rows, data["count"]))
    ask = {
        "summary": lambda g: found.summary(
            rows, data["count"], groups=g, kind="cluster"
        ).to_frame(),
        "intervals": lambda g: found.confidence_intervals(
            0.9, rows, data["count"], groups=g, kind="cluster"
        ),
        "marginal_effects": lambda g: found.marginal_effects(
            rows, y=data["count"], groups=g, kind="cluster"
        ),
    }[method]
    given = data["clinic"] if groups in ("clinic", ["clinic"]) else data[groups]
    pd.testing.assert_frame_equal(ask(groups), ask(given))


def test_predict_interval_has_the_exposure_of_a_column(data, pipeline):
    named = results(pipeline).predict_interval(data, exposure="years")
    given = results(pipeline).predict_interval(data, exposure=data["years"])
    pd.testing.assert_frame_equal(named, given)


@pytest.mark.parametrize("form", ["polars", "arrow", "dict", "dask"])
def test_other_tables_name_columns_too(data, pipeline, form):
    rows = data.reset_index(drop=True)
    if form == "dask":
        table = pytest.importorskip("dask.dataframe").from_pandas(rows, npartitions=3)
    elif form == "dict":
        table = {name: rows[name].to_numpy() for name in rows}
    elif form == "polars":
        table = pytest.importorskip("polars").from_pandas(rows)
    else:
        table = pytest.importorskip("pyarrow").Table.from_pandas(rows)
    asked = {"sample_weight": "weight", "exposure": "years"}
    found = results(pipeline).predictions(table, **asked)
    pd.testing.assert_frame_equal(found, results(pipeline).predictions(rows, **asked), rtol=1e-12)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sample_weight": "wieght"}, "sample_weight='wieght' is no column of X; did you mean 'w"),
        ({"exposure": "zz", "sample_weight": "weight"}, "exposure='zz' is no column of X; there"),
        ({"groups": "clinc", "exposure": "years"}, "groups='clinc' is no column of X; did you"),
        ({"groups": ["clinic", "x"], "exposure": "years"}, "groups='x' is no column of X"),
    ],
)
def test_names_of_no_column_are_refused(data, pipeline, asked, message):
    with pytest.raises(ValueError, match=message):
        results(pipeline).marginal_effects(data, y=data["count"], kind="cluster", **asked)
    model = LinearRegression().fit(data[["dose"]].to_numpy(), data["count"])
    with pytest.raises(ValueError, match="sample_weight='weight' names a column, and X="):
        results(model).predictions(data[["dose"]].to_numpy(), sample_weight="weight")


def binary(data):
    return data.assign(many=(data["count"] > 1).astype(int))


@pytest.mark.parametrize("na", ["refuse", "drop"])
def test_averages_of_a_weighted_fit_are_unweighted_unless_they_are_asked_to_be(data, na):
    """Brute force: means of the fit's own predictions, and of their slopes by the chain rule."""
    rows = binary(data)
    if na == "drop":
        rows = rows.assign(dose=rows["dose"].where(np.arange(len(rows)) % 9 > 0))
    model = LogisticRegression(C=np.inf)
    fit = fit_formula("many ~ dose*place", rows, model, sample_weight="weight", na=na)
    found, kept = results(fit), rows.dropna()

    def change(p, w):
        low, high = (p.predict_proba(kept.assign(place=of))[:, 1] for of in ("here", "there"))
        return np.average(high - low, weights=w)

    for weights, asked in (
        (None, {}),
        (kept["weight"], {"sample_weight": "weight"}),
        (kept["weight"], {"sample_weight": rows["weight"]}),
        (kept["years"], {"sample_weight": "years"}),
    ):
        table = found.marginal_effects(rows, "place", **asked)
        np.testing.assert_allclose(table["estimate"], change(fit, weights), **SUMS)
        told = [note for note in table.attrs["notes"] if "counts alike" in note]
        assert len(told) == (not asked)
    # Of the last weights. A robust covariance is that of the fit's own, whatever those of averages.
    robust = found.marginal_effects(rows, "place", kind="HC1", **asked)
    for of, covariance in (
        (table, fit[-1].covariance_),
        (robust, found.covariance(rows, kind="HC1")),
    ):
        wanted = standard_errors(fit, lambda p: change(p, kept["years"]), covariance)
        # Differences of differences: 1e-12 over steps of 1/32 in units of the errors.
        np.testing.assert_allclose(of["standard_error"], wanted, rtol=1e-7)
    assert "sample_weight='weight' weights averages" in found.predictions(rows).attrs["notes"][0]


def test_weights_of_counts_are_rows_that_stand_there_as_often(data):
    """Stata's rule for frequency weights: margins are those of the expanded rows."""
    import statsmodels.api as sm

    rows = binary(data)
    fit = fit_formula(
        "many ~ dose + years", rows, LogisticRegression(C=np.inf), sample_weight="weight"
    )
    found = results(fit).marginal_effects(rows, sample_weight="weight")
    expanded = rows.loc[np.repeat(rows.index, rows["weight"].astype(int))]
    design = sm.add_constant(expanded[["dose", "years"]])
    peer = sm.Logit(expanded["many"], design).fit(disp=0, tol=1e-14).get_margeff()
    # Both solve to rounding.
    np.testing.assert_allclose(found["estimate"], peer.margeff, rtol=1e-8)
    np.testing.assert_allclose(found["standard_error"], peer.margeff_se, rtol=1e-8)
    plain = results(fit).marginal_effects(rows)
    assert np.abs(plain["estimate"] / peer.margeff - 1).min() > 1e-4  # unweighted is another one


def test_weights_of_zero_in_every_row_are_refused(data, pipeline):
    for weights in (np.zeros(len(data)), 0.0):
        with pytest.raises(ValueError, match="sample_weight"):
            results(pipeline).predictions(data, sample_weight=weights, exposure="years")
