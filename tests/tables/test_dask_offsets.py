"""Offsets and exposures of Dask collections: fits are those of the same rows in memory."""

import multiprocessing
import warnings
from concurrent import futures

import numpy as np
import pandas as pd
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LinearRegression, scan
from tests.numerics import relative_error

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
N, CHUNK = 1203, 250  # the last chunk has 203 rows
TIGHT = {"tol": 1e-13}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
YEARS = RNG.uniform(0.2, 3.0, N)
OFFSET = np.log(YEARS)
Y = RNG.poisson(YEARS * np.exp(X @ [0.3, -0.2, 0.1] - 0.5)).astype(float)
WEIGHTS = RNG.integers(0, 3, N).astype(float)
GROUPS = RNG.integers(0, 40, N)
FRAME = pd.DataFrame(X, columns=list("abc")).assign(
    y=Y, weight=WEIGHTS, years=YEARS, log_years=OFFSET, driver=GROUPS
)
GIVEN = {"offset": OFFSET, "exposure": YEARS}


def chunked(values, chunk=CHUNK):
    return da.from_array(values, chunks=(chunk, *values.shape[1:]))


@pytest.fixture(scope="module")
def pool():
    """Two processes of Dask's own scheduler, which would start new ones for each pass."""
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(2, mp_context=context) as found:
        yield found


@pytest.fixture(params=["sync", "threads", "processes"])
def scheduler(request):
    """The scheduler in force."""
    if request.param == "processes":
        with dask.config.set(scheduler="processes", pool=request.getfixturevalue("pool")):
            yield request.param
    else:
        with dask.config.set(scheduler=request.param):
            yield request.param


def known():
    return Glm("poisson", **TIGHT).fit(X, Y, WEIGHTS, offset=OFFSET)


def collections(form):
    """X, y and weights, and what makes a collection of further values."""
    if form == "arrays":
        return (chunked(X), chunked(Y), chunked(WEIGHTS)), chunked
    frame = dd.from_pandas(FRAME, npartitions=5)
    names = {id(OFFSET): "log_years", id(YEARS): "years", id(GROUPS): "driver"}
    return (frame[["a", "b", "c"]], frame["y"], frame["weight"]), lambda v: frame[names[id(v)]]


@pytest.mark.parametrize("argument", GIVEN)
@pytest.mark.parametrize("form", ["arrays", "frames"])
def test_everything_is_as_in_memory(form, argument, scheduler):
    (DX, Dy, Dw), collected = collections(form)
    added = {argument: collected(GIVEN[argument])}
    expected, in_memory = known(), {"offset": OFFSET}
    model = Glm("poisson", **TIGHT).fit(DX, Dy, Dw, **added)
    assert relative_error(model.params_, expected.params_) < RTOL
    assert relative_error(model.standard_errors_, expected.standard_errors_) < RTOL
    assert relative_error(model.log_likelihood_, expected.log_likelihood_) < RTOL
    kinds = ("HC0", "HC1", "HC2", "HC3", "expected") if scheduler == "sync" else ("HC3",)
    for kind in kinds:
        found = model.covariance(DX, Dy, Dw, kind=kind, **added)
        robust = expected.covariance(X, Y, WEIGHTS, kind=kind, **in_memory)
        assert relative_error(found, robust) < RTOL
    found = model.covariance(DX, Dy, Dw, kind="cluster", groups=collected(GROUPS), **added)
    robust = expected.covariance(X, Y, WEIGHTS, kind="cluster", groups=GROUPS, **in_memory)
    assert relative_error(found, robust) < RTOL
    assert abs(model.score(DX, Dy, Dw, **added) - expected.score(X, Y, WEIGHTS, **in_memory)) < RTOL
    for name in ("objective", "gradient", "hessian"):
        point = model.params_ + 0.1
        found = getattr(model, name)(DX, Dy, point, Dw, **added)
        assert relative_error(found, getattr(expected, name)(X, Y, point, WEIGHTS, **in_memory)) < (
            RTOL
        )
    if scheduler == "sync" and form == "arrays":
        found = model.profile_intervals(DX, Dy, Dw, **added)
        # Ends are roots that are found up to 1e-9 of their distances.
        profiles = expected.profile_intervals(X, Y, WEIGHTS, **in_memory)
        assert relative_error(found, profiles) < 1e-8


@pytest.mark.parametrize("argument", GIVEN)
@pytest.mark.parametrize("form", ["arrays", "frames"])
def test_predictions_and_residuals_are_lazy(form, argument, scheduler):
    (DX, Dy, Dw), collected = collections(form)
    added, model = {argument: collected(GIVEN[argument])}, known()
    mean = model.predict(DX, **added)
    assert isinstance(mean, da.Array)
    if form == "frames":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the model was fitted without names
            mean = mean.compute()
    assert relative_error(np.asarray(mean), model.predict(X, offset=OFFSET)) < RTOL
    for kind in ("deviance", "pearson"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = model.residuals(DX, Dy, Dw, kind=kind, **added)
            assert isinstance(found, da.Array)
            found = found.compute()
        assert relative_error(found, model.residuals(X, Y, WEIGHTS, kind=kind, offset=OFFSET)) < (
            RTOL
        )


def test_predictions_of_float32_rows():
    model = known()
    found = model.predict(chunked(X.astype(np.float32)), offset=chunked(OFFSET))
    expected = model.predict(X.astype(np.float32), offset=OFFSET)
    assert found.dtype == expected.dtype == np.float32
    # Sums of a predictor in float32 are rounded in another order.
    assert relative_error(found.compute(), expected) < 1e-6


@pytest.mark.parametrize("argument", GIVEN)
def test_scans_of_frames(argument, scheduler):
    frame = dd.from_pandas(FRAME, npartitions=5)
    named = {argument: "log_years" if argument == "offset" else "years"}
    options = {"weights": "weight", "groups": "driver", **named}
    rows = scan(frame, "y", list("abc"), **options)
    expected, in_memory = known(), {"offset": OFFSET}
    model = Glm("poisson", **TIGHT).fit(rows)
    assert relative_error(model.params_, expected.params_) < RTOL
    found = model.covariance(rows, kind="HC1")
    robust = expected.covariance(X, Y, WEIGHTS, kind="HC1", **in_memory)
    assert relative_error(found, robust) < RTOL
    found = model.covariance(rows, kind="cluster")
    robust = expected.covariance(X, Y, WEIGHTS, kind="cluster", groups=GROUPS, **in_memory)
    assert relative_error(found, robust) < RTOL
    assert abs(model.score(rows) - expected.score(X, Y, WEIGHTS, **in_memory)) < RTOL
    assert relative_error(model.predict(rows), expected.predict(X, **in_memory)) < RTOL
    where = scan(frame, "y", list("abc"), where="a > 0 and years < 2", missing="drop", **options)
    kept = (X[:, 0] > 0) & (YEARS < 2)
    model = Glm("poisson", **TIGHT).fit(where)
    expected = Glm("poisson", **TIGHT).fit(X[kept], Y[kept], WEIGHTS[kept], offset=OFFSET[kept])
    assert relative_error(model.params_, expected.params_) < RTOL


def test_the_same_bits_on_every_scheduler():
    found = []
    for options in ({"scheduler": "sync"}, {"scheduler": "threads", "num_workers": 3}):
        with dask.config.set(**options):
            model = Glm("poisson").fit(chunked(X), chunked(Y), exposure=chunked(YEARS))
            found.append(model.params_.tobytes())
    assert len(set(found)) == 1


def test_partitions_without_rows_and_of_unknown_length():
    keep = chunked(X)[:, 0] > -10
    parts = [values[keep] for values in map(chunked, (X, Y, OFFSET))]
    model = Glm("poisson", **TIGHT).fit(parts[0], parts[1], offset=parts[2])
    expected = Glm("poisson", **TIGHT).fit(X, Y, offset=OFFSET)
    assert relative_error(model.params_, expected.params_) < RTOL
    assert relative_error(
        model.predict(parts[0], offset=parts[2]).compute(), expected.predict(X, offset=OFFSET)
    ) < (RTOL)
    empty = [da.concatenate([values[:0], values]) for values in map(chunked, (X, Y, OFFSET))]
    model = Glm("poisson", **TIGHT).fit(empty[0], empty[1], offset=empty[2])
    assert relative_error(model.params_, expected.params_) < RTOL


def test_chunks_are_those_of_X():
    model = Glm("poisson", **TIGHT).fit(chunked(X), chunked(Y), offset=chunked(OFFSET, 100))
    expected = Glm("poisson", **TIGHT).fit(X, Y, offset=OFFSET)
    assert relative_error(model.params_, expected.params_) < RTOL


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (
            {"offset": np.where(np.arange(N) == 510, np.nan, OFFSET)},
            "partition 2.*offset.* row 10|partition 2, row 10 of offset",
        ),
        (
            {"offset": np.where(np.arange(N) == 510, np.inf, OFFSET)},
            "partition 2.*offset.* row 10|partition 2, row 10 of offset",
        ),
        (
            {"exposure": np.where(np.arange(N) == 510, np.nan, YEARS)},
            "partition 2.*exposure.* row 10|partition 2, row 10 of exposure",
        ),
        ({"exposure": np.where(np.arange(N) == 510, 0, YEARS)}, "partition 2.*positive.* row 10"),
        (
            {"offset": np.stack([OFFSET, OFFSET], axis=1)},
            "(partition .|a row of the).*one number for each",
        ),
        ({"offset": OFFSET[:-1]}, f"offset has {N - 1} rows, and X has {N}"),
    ],
)
def test_bad_values_are_refused_with_their_partition(spoiled, message, scheduler):
    model = known()
    added = {name: chunked(values) for name, values in spoiled.items()}
    with pytest.raises(ValueError, match=message):
        Glm("poisson").fit(chunked(X), chunked(Y), **added)
    with pytest.raises(ValueError, match=message):
        model.predict(chunked(X), **added).compute()


def test_wrong_columns_of_scanned_frames_are_refused_with_their_partition():
    frame = dd.from_pandas(FRAME.assign(years=np.where(np.arange(N) == 300, -1, YEARS)), 5)
    with pytest.raises(ValueError, match=r"column 'years' of partition 1 holds -1 in row 59"):
        Glm("poisson").fit(scan(frame, "y", list("abc"), exposure="years"))


def test_lengths_that_differ_in_a_partition():
    parts = dd.from_pandas(pd.Series(OFFSET[:-1]), npartitions=5)
    frame = dd.from_pandas(FRAME, npartitions=5)
    with pytest.raises(ValueError, match=r"partition \d.*one number for each"):
        Glm("poisson").fit(frame[["a", "b", "c"]], frame["y"], offset=parts)
    fewer = dd.from_pandas(pd.Series(OFFSET), npartitions=4)
    with pytest.raises(ValueError, match="offset has 4 partitions and X has 5"):
        Glm("poisson").fit(frame[["a", "b", "c"]], frame["y"], offset=fewer)


def test_arrays_beside_collections_are_refused():
    model, DX, Dy = known(), chunked(X), chunked(Y)
    for call in (
        lambda: Glm("poisson").fit(DX, Dy, offset=OFFSET),
        lambda: model.predict(DX, offset=OFFSET),
        lambda: model.score(DX, Dy, exposure=YEARS),
        lambda: model.residuals(DX, Dy, offset=OFFSET),
        lambda: model.covariance(DX, Dy, offset=OFFSET),
        lambda: model.objective(DX, Dy, offset=OFFSET),
    ):
        with pytest.raises(TypeError, match=r"(offset|exposure) is a ndarray, and X a collection"):
            call()
    with pytest.raises(TypeError, match="X is a ndarray, and offset a collection of Dask"):
        model.predict(X, offset=chunked(OFFSET))
    with pytest.raises(TypeError, match="X is a ndarray, and exposure a collection of Dask"):
        Glm("poisson").fit(X, Y, exposure=chunked(YEARS))


def test_missing_and_other_offsets_are_refused():
    model, given = known(), (chunked(X), chunked(Y), chunked(WEIGHTS))
    for call in (
        lambda: model.predict(given[0]),
        lambda: model.score(*given),
        lambda: model.residuals(*given),
        lambda: model.covariance(*given),
        lambda: model.objective(*given[:2], sample_weight=given[2]),
        lambda: model.profile_intervals(*given),
    ):
        with pytest.raises(ValueError, match="fitted with an offset or an exposure"):
            call()
    for other in (np.roll(OFFSET, 1), OFFSET + 1e-6):
        with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
            model.covariance(*given, offset=chunked(other))


def test_exposures_need_the_link_log():
    (DX, Dy, _), added = collections("arrays")[0], {"exposure": chunked(YEARS)}
    with pytest.raises(ValueError, match="exposure multiplies the mean"):
        Glm("poisson", link="sqrt").fit(DX, Dy, **added)
    # The link is that of the fit, whatever the parameters are now.
    model = Glm("poisson").fit(DX, Dy, **added)
    covariance = model.covariance(DX, Dy, **added)
    model.set_params(link="sqrt")
    np.testing.assert_array_equal(model.covariance(DX, Dy, **added), covariance)


def test_offsets_that_change_from_pass_to_pass_are_refused():
    rng = np.random.default_rng(0)
    noise = chunked(np.zeros(N)).map_blocks(lambda block: block + rng.normal(size=block.shape))
    with (
        dask.config.set(scheduler="sync"),
        pytest.raises(ValueError, match="sum over the offsets"),
    ):
        Glm("poisson").fit(chunked(X), chunked(Y), offset=noise)


def test_models_that_take_no_offset_refuse_a_scan_with_one():
    frame = dd.from_pandas(FRAME, npartitions=5)
    with pytest.raises(ValueError, match=r"partition \d has an exposure, and LinearRegression"):
        LinearRegression().fit(scan(frame, "y", list("abc"), exposure="years"))


def test_quantile_residuals_come_here():
    model = Glm("poisson", **TIGHT).fit(X, Y, offset=OFFSET)
    added = {"offset": chunked(OFFSET)}
    found = model.residuals(chunked(X), chunked(Y), kind="quantile", random_state=0, **added)
    expected = model.residuals(X, Y, kind="quantile", random_state=0, offset=OFFSET)
    # Normal quantiles near the ends of their range have large slopes.
    assert relative_error(found, expected) < 1e-8
