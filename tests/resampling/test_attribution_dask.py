"""Attribution, influential rows and bootstrap of collections of Dask are those of the same rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    attribution,
    bootstrap,
    leave_one_out,
    most_influential,
    scan,
)
from mcmodels.resampling import coefficient_search

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
N = 90


def rows():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 3))
    return X, X @ [0.3, -0.5, 0.0] + rng.normal(size=N), rng.integers(0, 3, N) * 1.0


def parted(values):
    return da.from_array(values, chunks=(25, *values.shape[1:]))


MODELS = {
    "linear": LinearRegression(),
    "logistic": LogisticRegression(tol=1e-12),
    "poisson": GeneralizedLinearRegressor("poisson", tol=1e-12),
}


@pytest.fixture(params=MODELS)
def fits(request):
    """A model of arrays and one of collections, each with its rows."""
    X, y, w = rows()
    y = {"linear": y, "logistic": (y > 0) * 1, "poisson": np.floor(np.exp(y))}[request.param]
    kind = type(MODELS[request.param])
    models = [kind(**MODELS[request.param].get_params()) for _ in range(2)]
    given = [(X, y, w), tuple(map(parted, (X, y, w)))]
    return [(model.fit(*some), *some) for model, some in zip(models, given, strict=True)]


def test_effects_and_refits(fits):
    groups = np.arange(N) // 9
    of_array, of_dask = fits
    for options, theirs in (({}, {}), ({"groups": groups}, {"groups": parted(groups)})):
        expected = attribution(*of_array, of="x1", order=2, **options)
        found = attribution(*of_dask, of="x1", order=2, **theirs)
        # The same sums in other blocks.
        np.testing.assert_allclose(found.effects, expected.effects, rtol=1e-7, atol=1e-9)
        labels = expected.effects.index[[2, 7]]
        np.testing.assert_allclose(
            found.refit(labels), expected.refit(labels), rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("options", [{}, {"kind": "cluster"}])
def test_influential_rows(fits, options, monkeypatch):
    monkeypatch.setattr(
        coefficient_search, "_FEW_ENTRIES", 0
    )  # without hundreds of fits at the end
    groups = np.arange(N) // 9 if options else None
    found = []
    for model, *given in fits:
        X, y, w = given
        clusters = parted(groups) if options and hasattr(X, "chunks") else groups
        found.append(
            most_influential(model, X, y, w, of="x1", groups=clusters, max_share=0.4, **options)
        )
    assert found[0].found
    assert found[0].rows.tolist() == found[1].rows.tolist()


@pytest.mark.parametrize("steps", ["one", "converged"])
def test_draws(fits, steps):
    options = {"draws": 20, "steps": steps, "random_state": 1}
    expected, found = (bootstrap(*fit, **options) for fit in fits)
    np.testing.assert_allclose(found.draws_, expected.draws_, rtol=1e-7, atol=1e-8)
    groups = np.arange(N) // 9
    clustered = bootstrap(*fits[1], groups=parted(groups), **options)
    assert clustered.units_ == "10 clusters"


def test_frames_with_levels_keep_their_index(monkeypatch):
    monkeypatch.setattr(coefficient_search, "_FEW_ENTRIES", 0)
    X, y, _ = rows()
    index = pd.Index([f"row {k:02}" for k in range(N)])
    level = pd.Categorical(np.where(X[:, 2] > 0, "high", "low"))
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"], index=index).assign(level=level)
    targets = pd.Series(y, index)
    given = dd.from_pandas(frame, npartitions=3), dd.from_pandas(targets, npartitions=3)
    model = LinearRegression().fit(*given)
    coded = frame.assign(level=(level == "low") * 1.0)
    plain = LinearRegression().fit(coded, targets)
    expected = attribution(plain, coded, targets, of="level")
    found = attribution(model, *given, of="level_low")
    assert found.effects.index.equals(index)
    np.testing.assert_allclose(found.effects, expected.effects, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.refit("row 04"), expected.refit("row 04"), rtol=1e-8)
    assert leave_one_out(model, *given).to_frame().index.equals(index)
    rest = {"of": "b", "change": "significance", "max_share": 0.3}
    assert most_influential(model, *given, **rest).index.equals(
        most_influential(plain, coded, targets, **rest).index
    )


def test_steps_of_a_pipeline_take_one_block_after_the_other():
    X, y, _ = rows()
    pipe = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    given = parted(X), parted(y)
    expected = attribution(pipe, X, y, of="x1")
    np.testing.assert_allclose(
        attribution(pipe, *given, of="x1").effects, expected.effects, rtol=1e-9
    )
    options = {"draws": 20, "random_state": 1}
    np.testing.assert_allclose(
        bootstrap(pipe, *given, **options).draws_,
        bootstrap(pipe, X, y, **options).draws_,
        rtol=1e-7,
    )


def test_tables_of_dask_that_are_scanned():
    X, y, _ = rows()
    frame = pd.DataFrame(X, columns=list("abc")).assign(y=y)
    table = scan(dd.from_pandas(frame, npartitions=3), "y", list("abc"))
    model = LinearRegression().fit(table)
    expected = attribution(LinearRegression().fit(X, y), X, y, of="x1")
    found = attribution(model, table, of="b")
    np.testing.assert_allclose(found.effects, expected.effects, rtol=1e-8)
    np.testing.assert_allclose(found.refit(3), expected.refit(3), rtol=1e-8)
    options = {"draws": 20, "random_state": 1}
    np.testing.assert_allclose(
        bootstrap(model, table, **options).draws_,
        bootstrap(LinearRegression().fit(X, y), X, y, **options).draws_,
        rtol=1e-7,
    )
