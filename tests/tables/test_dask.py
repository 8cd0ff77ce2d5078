"""Fits of Dask collections are those of the same rows in memory, on every scheduler."""

import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings
from concurrent import futures

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    scan,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning, RechunkWarning
from mcmodels.rows import RowStream, SpreadSample, WalkSums
from mcmodels.tables.dask_stream import DaskStream

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
N, P = 2003, 4
CHUNK = 300  # the last one has 203 rows
TIGHT = {"C": np.inf, "tol": 1e-12}  # so that what is left of a Newton step is no difference


def rows(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, P)) * [1.0, 2.0, 0.5, 1.0] + [0.0, 3.0, -1.0, 10.0]
    eta = (X - X.mean(axis=0)) @ [0.5, -0.3, 1.0, 0.2]
    y = eta + rng.standard_normal(N)
    classes = np.array(["no", "yes"])[(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(int)]
    three = np.array(["a", "b", "c"])[np.digitize(y, [-0.5, 0.5])]
    counts = rng.poisson(np.exp(0.3 * eta))
    weights = rng.uniform(0.2, 2.0, N)
    weights[::7] = 0.0
    groups = rng.integers(0, 40, N)
    return X, y, classes, three, counts, weights, groups


X, Y, CLASSES, THREE, COUNTS, WEIGHTS, GROUPS = rows()


def chunked(values, chunk=CHUNK):
    return da.from_array(values, chunks=(chunk, *values.shape[1:]))


FRAME = pd.DataFrame(X, columns=list("abcd")).assign(
    zone=np.array(["A", "B", "C"])[GROUPS % 3],
    target=Y,
    won=CLASSES,
    weight=WEIGHTS,
    driver=GROUPS,
)


@pytest.fixture(scope="module")
def client():
    """Two workers in processes of their own."""
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def pool():
    """Two processes of Dask's own scheduler, which would start new ones for each pass."""
    with futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


SCHEDULERS = ["sync", "threads", "processes", "two workers"]


@pytest.fixture(params=SCHEDULERS)
def scheduler(request):
    """The scheduler in force."""
    if request.param == "two workers":
        with request.getfixturevalue("client").as_current():
            yield request.param
    elif request.param == "processes":
        with dask.config.set(scheduler="processes", pool=request.getfixturevalue("pool")):
            yield request.param
    else:
        with dask.config.set(scheduler=request.param):
            yield request.param


def results(model, *given, groups):
    """What a fitted model says, with its rows and without."""
    yield model.params_
    yield model.standard_errors_
    yield model.log_likelihood_
    yield model.gradient(*given[:2], sample_weight=given[2])
    yield model.hessian(*given[:2], sample_weight=given[2])
    yield model.score(*given)
    kinds = ["HC0", "HC1"] if len(getattr(model, "classes_", ())) > 2 else ["HC1", "HC2", "HC3"]
    for kind in kinds:
        yield model.covariance(*given, kind=kind)
    yield model.covariance(*given, kind="cluster", groups=groups)
    if isinstance(model, LinearRegression) and model.params_.ndim == 1:
        yield model.summary(*given, kind="CR2", groups=groups).to_frame().to_numpy()
        first = np.eye(model.params_.size)[0]
        options = {"groups": groups, "draws": 99, "random_state": 0}
        yield np.array(model.wild_bootstrap_test(first, *given, **options).interval)


CASES = {
    "linear": (LinearRegression(), Y),
    "linear, no intercept": (LinearRegression(fit_intercept=False), Y),
    "two classes": (LogisticRegression(**TIGHT), CLASSES),
    "penalised": (LogisticRegression(C=0.5, tol=1e-12), CLASSES),
    "three classes, balanced": (LogisticRegression(class_weight="balanced", **TIGHT), THREE),
    "Poisson": (ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True, tol=1e-12), COUNTS),
    "gamma": (GeneralizedLinearRegressor("gamma", tol=1e-12), COUNTS + 1.0),
    "logit": (
        ObjectiveClassifier("softplus(eta) - y*eta", log_likelihood=True, tol=1e-12),
        CLASSES,
    ),
}


# Between processes all of them move the same kinds of results: these are one of each kind.
ON_WORKERS = ("linear", "two classes")


def cases_and_schedulers():
    for case, kind in itertools.product(CASES, SCHEDULERS):
        is_slow = kind == "two workers" and case not in ON_WORKERS
        yield pytest.param(case, kind, marks=[pytest.mark.slow] if is_slow else [])


class TestFits:
    @pytest.mark.parametrize(
        ("case", "scheduler"), list(cases_and_schedulers()), indirect=["scheduler"]
    )
    def test_everything_is_as_in_memory(self, case, scheduler):
        model, y = CASES[case]
        given, groups = (X, y, WEIGHTS), GROUPS
        model.fit(*given)
        expected = list(results(model, *given, groups=groups))
        given, groups = tuple(map(chunked, given)), chunked(GROUPS)
        model.fit(*given)
        for found, value in zip(results(model, *given, groups=groups), expected, strict=True):
            # Entries that are zero up to rounding, as gradients are, are compared with the sums.
            np.testing.assert_allclose(found, value, rtol=RTOL, atol=1e-7 * RTOL + 1e-9)

    @pytest.mark.parametrize("case", ["linear", "two classes"])
    def test_digits(self, case):
        """Each parameter to 1e-10 of it or of its standard error, whichever is larger."""
        model, y = CASES[case]
        expected = model.fit(X, y, WEIGHTS).params_
        scale = np.maximum(np.abs(expected), model.standard_errors_)
        model.fit(chunked(X), chunked(y), chunked(WEIGHTS))
        assert np.max(np.abs(model.params_ - expected) / scale) < RTOL

    @pytest.mark.parametrize("q", [1, 2])
    def test_a_score_test(self, q, scheduler):
        candidate = np.column_stack([np.sin(3 * X[:, 0]), X[:, 1] ** 2])[:, :q]
        candidate = candidate[:, 0] if q == 1 else candidate
        model = LogisticRegression(**TIGHT).fit(X, CLASSES, WEIGHTS)
        expected = model.score_test(X, CLASSES, candidate, WEIGHTS)
        given = map(chunked, (X, CLASSES, candidate, WEIGHTS))
        found = model.score_test(*given)
        assert found.df == expected.df
        np.testing.assert_allclose(found.statistic, expected.statistic, RTOL)
        frame = dd.from_pandas(FRAME[["a", "b", "won"]], 4)
        model.fit(frame[["a", "b"]], frame["won"])
        named = dd.from_pandas(FRAME["c"], 4)
        found = model.score_test(frame[["a", "b"]], frame["won"], named)
        expected = model.score_test(FRAME[["a", "b"]], FRAME["won"], FRAME["c"])
        np.testing.assert_allclose(found.statistic, expected.statistic, RTOL)
        assert found.hypothesis == expected.hypothesis

    @pytest.mark.parametrize(
        ("candidate", "error", "message"),
        [
            (lambda: X[:, 0] ** 2, TypeError, "candidate is a ndarray, and X a collection"),
            (lambda: chunked(X[:-1, 0]), ValueError, "candidate has 2002 rows"),
            (lambda: chunked(X[:, 0] * np.nan), ValueError, r"partition \d: .*candidate"),
            (lambda: chunked(X[:, 0]), InferenceError, "is a linear combination"),
        ],
    )
    def test_candidates_that_are_refused(self, candidate, error, message):
        model = LogisticRegression(**TIGHT).fit(X, CLASSES)
        with dask.config.set(scheduler="sync"), pytest.raises(error, match=message):
            model.score_test(chunked(X), chunked(CLASSES), candidate())

    def test_components(self, scheduler):
        expected = PCA(2).fit(X, sample_weight=WEIGHTS)
        found = PCA(2).fit(chunked(X), sample_weight=chunked(WEIGHTS))
        np.testing.assert_allclose(found.explained_variance_, expected.explained_variance_, RTOL)
        np.testing.assert_allclose(found.components_, expected.components_, atol=RTOL)
        scores = found.transform(chunked(X))
        np.testing.assert_allclose(scores.compute(), expected.transform(X), rtol=RTOL, atol=1e-10)
        back = found.inverse_transform(scores).compute()
        np.testing.assert_allclose(back, expected.inverse_transform(expected.transform(X)), RTOL)

    def test_several_targets(self):
        both = np.column_stack([Y, X @ [1.0, 2.0, 3.0, 4.0] + Y**2])
        found = LinearRegression().fit(chunked(X), chunked(both))
        expected = LinearRegression().fit(X, both)
        np.testing.assert_allclose(found.params_, expected.params_, RTOL)
        np.testing.assert_allclose(
            found.covariance(chunked(X), chunked(both), kind="HC3"),
            expected.covariance(X, both, kind="HC3"),
            rtol=RTOL,
            atol=1e-14,
        )
        score = found.score(chunked(X), chunked(both))
        np.testing.assert_allclose(score, expected.score(X, both), RTOL)

    def test_networks_walk_the_partitions(self):
        model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=15, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few steps do not converge
            expected = model.fit(X, Y).predict(X)
            found = model.fit(chunked(X), chunked(Y)).predict(chunked(X))
        np.testing.assert_allclose(found.compute(), expected, rtol=1e-6)  # after 15 steps

    @pytest.mark.parametrize("solver", ["auto", "normal", "pinv", "refined"])
    def test_hard_data(self, solver):
        t = np.linspace(0.0, 1.0, N)
        powers = t[:, np.newaxis] ** np.arange(1, 8)
        y = powers.sum(axis=1) + Y
        expected = LinearRegression(solver="refined").fit(powers, y)
        found = LinearRegression(solver=solver).fit(chunked(powers), chunked(y))
        scale = np.maximum(np.abs(expected.params_), expected.standard_errors_)
        # 1e-9 is the promise for large data, 1e-6 what normal equations keep at this condition.
        tolerance = 1e-6 if solver == "normal" else 1e-9
        assert np.max(np.abs(found.params_ - expected.params_) / scale) < tolerance

    def test_dependent_columns_warn_with_their_names(self):
        twice = FRAME[["a", "b"]].assign(c=FRAME["a"] + FRAME["b"])
        with pytest.warns(RankDeficiencyWarning, match="'c'"):
            LinearRegression().fit(dd.from_pandas(twice, 5), dd.from_pandas(FRAME["target"], 5))

    def test_sparse_chunks(self):
        scipy_sparse = pytest.importorskip("scipy.sparse")
        S = np.where(np.abs(X) > 1.0, X, 0.0)
        sparse_chunks = chunked(S).map_blocks(scipy_sparse.csr_array)
        found = LinearRegression().fit(sparse_chunks, chunked(Y))
        np.testing.assert_allclose(found.params_, LinearRegression().fit(S, Y).params_, RTOL)

    def test_float32_stays_small(self):
        single = X.astype(np.float32)
        found = LogisticRegression(**TIGHT).fit(chunked(single), chunked(CLASSES))
        expected = LogisticRegression(**TIGHT).fit(single, CLASSES)
        np.testing.assert_allclose(found.params_, expected.params_, RTOL)
        probabilities = found.predict_proba(chunked(single))
        assert probabilities.dtype == np.float32 == probabilities.compute().dtype

    def test_the_fitted_model_holds_nothing_of_dask(self):
        model = LogisticRegression().fit(chunked(X), chunked(CLASSES))
        assert b"dask" not in pickle.dumps(model)


class TestWhereItRuns:
    def test_the_same_bits_on_every_scheduler(self, client):
        found = []
        for context in (
            dask.config.set(scheduler="sync"),
            dask.config.set(scheduler="threads", num_workers=3),
            client.as_current(),
        ):
            with context:
                found.append(
                    [
                        model.fit(chunked(X), chunked(y), chunked(WEIGHTS)).params_
                        for model, y in CASES.values()
                    ]
                )
        for other in found[1:]:
            for first, second in zip(found[0], other, strict=True):
                np.testing.assert_array_equal(first, second)

    @pytest.mark.filterwarnings("ignore::UserWarning")  # of the cluster, about the lost worker
    @pytest.mark.slow
    def test_a_worker_that_is_killed(self):
        slow = chunked(X).map_blocks(_after_a_while, dtype=float)
        with dask.config.set(scheduler="sync"):
            expected = LogisticRegression(**TIGHT).fit(chunked(X), chunked(CLASSES))
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
        ):
            (process, *_) = distributed.get_client().run(os.getpid).values()
            begun = threading.Event()

            def kill():
                begun.wait()
                time.sleep(0.3)
                os.kill(process, signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            begun.set()
            found = LogisticRegression(**TIGHT).fit(slow, chunked(CLASSES))
            killer.join()
        np.testing.assert_array_equal(found.params_, expected.params_)

    def test_results_of_tasks_are_not_changed(self):
        """A cluster may give a result to two tasks; so a sum must not be taken in place."""
        from mcmodels.tables.dask_parts import _added

        parts = [np.ones(3), np.ones(3)]
        np.testing.assert_array_equal(_added(parts), 2 * np.ones(3))
        np.testing.assert_array_equal(parts[0], np.ones(3))

    def test_a_pass_sends_no_rows(self, monkeypatch):
        """Neither the held sample nor a record goes with what the parts are told."""
        from mcmodels.tables import dask_parts

        sizes = []

        class Measured(dask_parts._Job):
            def __init__(self, *args):
                super().__init__(*args)
                sizes.append(len(cloudpickle.dumps(args)))

        monkeypatch.setattr(dask_parts, "_Job", Measured)
        model = LogisticRegression(**TIGHT).fit(chunked(X), chunked(CLASSES))
        model.covariance(chunked(X), chunked(CLASSES), kind="HC3")
        model.gradient(chunked(X), chunked(CLASSES))
        # A sample of all rows would take N · P · 8 = 64 kB; names, options and parameters few kB.
        assert max(sizes) < 16_000


def _after_a_while(block):
    time.sleep(0.05)
    return block


class TestFrames:
    def given(self, npartitions=6):
        frame = dd.from_pandas(FRAME, npartitions)
        return frame[list("abcd")], frame["target"], frame["weight"], frame["driver"]

    def test_names_and_summary(self):
        features, y, weights, groups = self.given()
        found = LinearRegression().fit(features, y, weights)
        expected = LinearRegression().fit(FRAME[list("abcd")], FRAME["target"], FRAME["weight"])
        assert found.feature_names_in_.tolist() == list("abcd")
        table = found.summary(features, y, weights, kind="cluster", groups=groups)
        expected = expected.summary(
            FRAME[list("abcd")],
            FRAME["target"],
            FRAME["weight"],
            kind="cluster",
            groups=FRAME["driver"],
        )
        pd.testing.assert_frame_equal(table.to_frame(), expected.to_frame(), rtol=1e-8)

    def test_two_groupings(self):
        features, y, weights, _ = self.given()
        frame = dd.from_pandas(FRAME, 6)
        model = LinearRegression().fit(features, y, weights)
        found = model.covariance(
            features, y, weights, kind="cluster", groups=frame[["driver", "zone"]]
        )
        given = FRAME[list("abcd")], FRAME["target"], FRAME["weight"]
        expected = model.covariance(*given, kind="cluster", groups=FRAME[["driver", "zone"]])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)

    def test_categories_are_coded_as_scan_codes_them(self):
        frame = dd.from_pandas(FRAME, 6)
        features = frame[["a", "zone"]].astype({"zone": "category"})
        model = LogisticRegression(**TIGHT).fit(features, frame["won"])
        assert model.feature_names_in_.tolist() == ["a", "zone_B", "zone_C"]
        reference = scan(FRAME, target="won", features=["a", "zone"], categorical=["zone"])
        expected = LogisticRegression(**TIGHT).fit(reference)
        np.testing.assert_allclose(model.params_, expected.params_, RTOL)
        probabilities = model.predict_proba(features).compute()
        np.testing.assert_allclose(probabilities, expected.predict_proba(reference), RTOL)

    def test_scan(self, scheduler):
        options = {
            "features": ["a", "b", "zone"],
            "categorical": ["zone"],
            "weights": "weight",
            "groups": "driver",
            "where": "a > -1 and zone != 'none'",
        }
        for model, target in ((LinearRegression(), "target"), (CASES["two classes"][0], "won")):
            expected, found = (
                scan(table, target=target, **options) for table in (FRAME, dd.from_pandas(FRAME, 6))
            )
            model.fit(expected)
            values = model.params_, model.covariance(expected, kind="cluster")
            values += (model.covariance(expected, kind="HC3"), model.score(expected))
            model.fit(found)
            others = model.params_, model.covariance(found, kind="cluster")
            others += (model.covariance(found, kind="HC3"), model.score(found))
            for value, other in zip(values, others, strict=True):
                np.testing.assert_allclose(other, value, rtol=RTOL, atol=1e-14)

    def test_scan_leaves_out_and_counts_missing_values(self):
        gaps = FRAME.assign(a=FRAME["a"].where(FRAME["a"] > -1))
        rows = scan(dd.from_pandas(gaps, 6), target="target", features=["a"], missing="drop")
        model = LinearRegression().fit(rows)
        kept = FRAME[FRAME["a"] > -1]
        expected = LinearRegression().fit(kept[["a"]], kept["target"])
        np.testing.assert_allclose(model.params_, expected.params_, RTOL)
        assert rows.n_dropped == len(FRAME) - len(kept)
        with pytest.raises(ValueError, match=r"column 'a': \d+ in partition \d"):
            LinearRegression().fit(scan(dd.from_pandas(gaps, 6), target="target", features=["a"]))

    def test_parts_of_one_file(self, tmp_path):
        """Dask reads few columns of Parquet in fewer partitions than many; X and y agree yet."""
        wide = FRAME.assign(text=["x" * 200] * N)
        dd.from_pandas(wide, 9).to_parquet(tmp_path)
        frame = dd.read_parquet(tmp_path)
        given = frame[["a", "b"]], frame["target"], frame["weight"]
        model = LinearRegression().fit(*given)
        plain = FRAME[["a", "b"]], FRAME["target"], FRAME["weight"]
        np.testing.assert_allclose(model.params_, LinearRegression().fit(*plain).params_, RTOL)
        found = model.covariance(*given, kind="cluster", groups=frame["driver"])
        expected = model.covariance(*plain, kind="cluster", groups=FRAME["driver"])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)

    def test_what_is_shared_is_computed_once_a_pass(self):
        loads = [0]

        def load(k):
            loads[0] += 1
            return FRAME.iloc[k * 100 : (k + 1) * 100]

        frame = dd.from_map(load, list(range(20)), meta=FRAME.iloc[:0])
        with dask.config.set(scheduler="sync"):
            LinearRegression().fit(frame[["a", "b"]], frame["target"], frame["weight"])
        # So few rows are looked at in one pass, and summed in another.
        assert loads[0] == 2 * 20

    def test_text_as_python_objects(self, scheduler):
        """The first partitions are empty, or hold no value of it."""
        objects = FRAME.astype({"zone": object, "driver": object})
        objects.loc[objects.index[:600], "zone"] = None
        given = {"target": "target", "categorical": ["zone"], "groups": "driver", "missing": "drop"}
        given |= {"features": ["a", "zone"], "where": "a > -3"}
        with dask.config.set({"dataframe.convert-string": False}):
            table = dd.concat([dd.from_pandas(objects.iloc[:0]), dd.from_pandas(objects, 4)])
            assert pd.api.types.is_object_dtype(table.dtypes["zone"])
            rows, expected = scan(table, **given), scan(objects, **given)
            model = LinearRegression().fit(rows)
            reference = LinearRegression().fit(expected)
            np.testing.assert_allclose(model.params_, reference.params_, RTOL)
            found = model.covariance(rows, kind="cluster")
            np.testing.assert_allclose(found, reference.covariance(expected, kind="cluster"), RTOL)

    def test_methods_of_a_scanned_frame_walk_its_partitions(self):
        table = FRAME.assign(category=FRAME["zone"])
        options = {"target": "target", "features": ["a", "b"], "where": "driver > 4"}
        found, expected = (scan(t, **options) for t in (dd.from_pandas(table, 6), table))
        model = LinearRegression().fit(found)
        for method in ("influence", "leverage", "predict", "predict_interval"):
            np.testing.assert_allclose(
                getattr(model, method)(found), getattr(model, method)(expected), rtol=1e-8
            )

    def test_empty_partitions(self):
        features, y, *_ = self.given()
        late = features.map_partitions(_after_row_1500), y.map_partitions(_after_row_1500)
        found = LinearRegression().fit(*late)
        kept = FRAME.iloc[1501:]
        expected = LinearRegression().fit(kept[list("abcd")], kept["target"])
        np.testing.assert_allclose(found.params_, expected.params_, RTOL)
        np.testing.assert_allclose(
            found.predict(late[0]).compute(), expected.predict(kept[list("abcd")]), RTOL
        )

    def test_a_partition_with_one_class(self):
        ordered = FRAME.sort_values("won", ignore_index=True)
        frame = dd.from_pandas(ordered, 6)
        found = LogisticRegression(**TIGHT).fit(frame[list("abcd")], frame["won"])
        expected = LogisticRegression(**TIGHT).fit(ordered[list("abcd")], ordered["won"])
        np.testing.assert_allclose(found.params_, expected.params_, RTOL)


def _after_row_1500(part):
    return part[part.index > 1500]


class TestLazily:
    def test_results_are_lazy_with_the_right_meta(self):
        model = LogisticRegression(**TIGHT).fit(X, THREE)
        for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            lazy, value = getattr(model, name)(chunked(X)), getattr(model, name)(X)
            assert isinstance(lazy, da.Array)
            assert lazy.dtype == value.dtype
            assert lazy.shape == value.shape
            if value.dtype.kind == "f":
                np.testing.assert_allclose(lazy.compute(), value, rtol=1e-12)
            else:
                np.testing.assert_array_equal(lazy.compute(), value)

    def test_the_model_as_it_was(self):
        model = LinearRegression().fit(X, Y)
        expected, lazy = model.predict(X), model.predict(chunked(X))
        model.coef_[...] = 0.0
        np.testing.assert_allclose(lazy.compute(), expected, RTOL)
        model.fit(X, -Y)
        np.testing.assert_allclose(lazy.compute(), expected, RTOL)

    def test_containers_are_refused(self):
        model = PCA(1).set_output(transform="pandas").fit(FRAME[["a", "b"]])
        with pytest.raises(TypeError, match="set_output"):
            model.transform(dd.from_pandas(FRAME[["a", "b"]], 3))

    def test_what_cannot_be_is_refused_at_once(self):
        three = LogisticRegression(**TIGHT).fit(X, THREE)
        with pytest.raises(InferenceError, match="two classes"):
            three.residuals(chunked(X), chunked(THREE))
        two = LogisticRegression(**TIGHT).fit(X, CLASSES)
        with pytest.raises(ValueError, match="y is None"):
            two.residuals(chunked(X))

    def test_tables_have_the_index(self):
        frame = FRAME.set_index(pd.Index(np.arange(N) + 100))
        collection = dd.from_pandas(frame, 4)
        model = LinearRegression().fit(frame[list("abcd")], frame["target"])
        found = model.predict_interval(collection[list("abcd")])
        assert found.columns.tolist() == ["prediction", "standard_error", "lower", "upper"]
        pd.testing.assert_frame_equal(
            found.compute(), model.predict_interval(frame[list("abcd")]), rtol=RTOL
        )
        prediction, deviation = model.predict(collection[list("abcd")], return_std=True)
        expected = model.predict(frame[list("abcd")], return_std=True)
        np.testing.assert_allclose(prediction.compute(), expected[0], RTOL)
        np.testing.assert_allclose(deviation.compute(), expected[1], RTOL)

    @pytest.mark.parametrize("case", ["linear", "two classes"])
    def test_influence(self, case):
        model, y = CASES[case]
        expected = model.fit(X, y, WEIGHTS).influence(X, y, WEIGHTS)
        given = chunked(X), chunked(y), chunked(WEIGHTS)
        found = model.fit(*given).influence(*given)
        assert isinstance(found, dd.DataFrame)
        assert found.columns.tolist() == expected.columns.tolist()
        np.testing.assert_allclose(
            found.compute().to_numpy(), expected.to_numpy(), rtol=1e-8, atol=1e-12
        )
        with pytest.raises(ValueError, match="not the rows"):
            model.influence(chunked(X + 1.0), *given[1:])

    @pytest.mark.parametrize("case", ["linear", "two classes"])
    def test_a_partition_without_weight(self, case):
        model, y = CASES[case]
        weights = np.where(np.arange(N) < 2 * CHUNK, 0.0, WEIGHTS)
        expected = model.fit(X, y, weights).influence(X, y, weights)
        given = chunked(X), chunked(y), chunked(weights)
        found = model.influence(*given).compute()
        assert found.index.equals(expected.index)  # continuous, though each partition begins anew
        np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-8, atol=1e-12)
        if case == "linear":
            leverage = model.leverage(given[0], given[2]).compute()
            np.testing.assert_allclose(leverage, model.leverage(X, weights), RTOL, atol=1e-16)

    def test_residuals_and_leverage(self):
        model = LogisticRegression(**TIGHT).fit(X, CLASSES)
        found = model.residuals(chunked(X), chunked(CLASSES), kind="pearson")
        expected = model.residuals(X, CLASSES, kind="pearson")
        np.testing.assert_allclose(found.compute(), expected, RTOL)
        linear = LinearRegression().fit(X, Y, WEIGHTS)
        found = linear.leverage(chunked(X), chunked(WEIGHTS)).compute()
        np.testing.assert_allclose(found, linear.leverage(X, WEIGHTS), rtol=RTOL, atol=1e-16)

    @pytest.mark.parametrize("intercept", [True, False])
    def test_breusch_pagan(self, intercept):
        model = LinearRegression(fit_intercept=intercept).fit(X, Y, WEIGHTS)
        found = model.breusch_pagan(chunked(X), chunked(Y), chunked(WEIGHTS))
        expected = model.breusch_pagan(X, Y, WEIGHTS)
        np.testing.assert_allclose(found.statistic, expected.statistic, RTOL)

    def test_marginal_effects(self):
        model = LogisticRegression(**TIGHT).fit(X, CLASSES)
        for at in ("average", "means"):
            found = model.marginal_effects(chunked(X), at=at, sample_weight=chunked(WEIGHTS))
            expected = model.marginal_effects(X, at=at, sample_weight=WEIGHTS)
            pd.testing.assert_frame_equal(found, expected, rtol=1e-8)


class TestRefused:
    def test_rows_that_change(self):
        unlike = iter(range(1000))

        def noisy(block):
            return block + next(unlike)

        changing = chunked(X).map_blocks(noisy, dtype=float, meta=np.empty((0, 0)))
        with dask.config.set(scheduler="sync"), pytest.raises(ValueError, match="partition must"):
            LogisticRegression(**TIGHT).fit(changing, chunked(CLASSES))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_the_partition_of_what_is_not_finite(self, value, scheduler):
        bad = X.copy()
        bad[700, 2] = value
        with pytest.raises(ValueError, match=r"partition 2, row 100, column x2"):
            LinearRegression().fit(chunked(bad), chunked(Y))

    def test_the_partition_that_cannot_be_read(self, scheduler, tmp_path):
        for number in range(3):
            FRAME[["a", "b", "target"]].to_parquet(tmp_path / f"{number}.parquet")
        table = dd.read_parquet(f"{tmp_path}/*.parquet")
        path = tmp_path / "1.parquet"
        path.write_bytes(path.read_bytes()[:-2000])
        message = r"partition 1 of 3 cannot be computed: ArrowInvalid.*leave it out"
        with pytest.raises(ValueError, match=message):
            LinearRegression().fit(table[["a", "b"]], table["target"])
        with pytest.raises(ValueError, match=message):
            LinearRegression().fit(scan(table, target="target"))

    def test_a_step_of_the_user_that_fails(self, scheduler):
        def fails(frame):
            if frame["b"].iloc[0] == FRAME["b"].iloc[1002]:
                raise KeyError("no such key")
            return frame

        frame = dd.from_pandas(FRAME[["a", "b", "target"]], npartitions=2)
        frame = frame.map_partitions(fails, meta=frame._meta)
        with pytest.raises(ValueError, match="partition 1 of 2 cannot be computed: KeyError"):
            LinearRegression().fit(frame[["a", "b"]], frame["target"])

    def test_a_missing_category(self):
        gaps = FRAME[["a", "zone"]].astype({"zone": "category"})
        gaps.loc[5, "zone"] = None
        with pytest.raises(ValueError, match=r"partition 0: X has missing values in 1 rows.*row 5"):
            LinearRegression().fit(dd.from_pandas(gaps, 4), dd.from_pandas(FRAME["target"], 4))

    def test_columns_in_several_chunks_are_joined_with_a_warning(self):
        split = da.from_array(X, chunks=(CHUNK, 2))
        with pytest.warns(RechunkWarning, match=r"X is split .* into 2 chunks"):
            found = LinearRegression().fit(split, chunked(Y, 500))  # rows of y are rechunked, too
        np.testing.assert_allclose(found.params_, LinearRegression().fit(X, Y).params_, RTOL)

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            (lambda: (chunked(X), Y), TypeError, "y is a ndarray, and X a collection of Dask"),
            (lambda: (X, chunked(Y)), TypeError, "X is a ndarray, and y a collection of Dask"),
            (lambda: (chunked(X),), ValueError, "y is None"),
            (lambda: (chunked(X[:, 0]), chunked(Y)), ValueError, r"X has 1 dimension"),
            (lambda: (chunked(X), chunked(Y[:-1])), ValueError, "y has 2002 rows, and X has 2003"),
            (
                lambda: (dd.from_pandas(FRAME[["a"]], 4), dd.from_pandas(FRAME["target"], 3)),
                ValueError,
                "y has 3 partitions and X has 4",
            ),
            (
                lambda: (dd.from_pandas(FRAME[["zone"]], 4), dd.from_pandas(FRAME["target"], 4)),
                ValueError,
                "'zone' of X holds text",
            ),
            (
                lambda: (chunked(X), chunked(Y), chunked(-WEIGHTS)),
                ValueError,
                r"partition \d.*negative",
            ),
        ],
    )
    def test_bad_arguments(self, given, error, message):
        model = LinearRegression()
        with dask.config.set(scheduler="sync"), pytest.raises(error, match=message):
            model.fit(*given())
        assert not hasattr(model, "coef_")

    def test_partitions_of_other_columns(self):
        def narrower(block, block_id=None):
            return block[:, :3] if block_id[0] == 4 else block

        unlike = chunked(X).map_blocks(narrower, dtype=float)
        with pytest.raises(ValueError, match="partition 4 has 3 columns"):
            LinearRegression().fit(unlike, chunked(Y))

    def test_labels_of_other_kinds(self):
        frame = dd.from_pandas(FRAME[["a"]], 4)
        mixed = FRAME["won"].astype(object).mask(FRAME.index >= frame.divisions[3], 1)
        with (
            dask.config.set({"dataframe.convert-string": False}),
            pytest.raises(ValueError, match=r"labels in partition 3 are numbers"),
        ):
            LogisticRegression().fit(frame, dd.from_pandas(mixed, 4))

    def test_methods_that_need_all_rows(self):
        model = LinearRegression().fit(X, Y)
        with pytest.raises(TypeError, match="hat_matrix takes no Dask collections"):
            model.hat_matrix(chunked(X))
        with pytest.raises(TypeError, match="X is a collection of Dask"):
            model.partial_fit(chunked(X), chunked(Y))

    def test_clusters(self):
        model = LinearRegression().fit(X, Y)
        given = chunked(X), chunked(Y)
        with pytest.raises(ValueError, match="needs groups"):
            model.covariance(*given, kind="cluster")
        with pytest.raises(ValueError, match="groups was given, but kind='HC1'"):
            model.covariance(*given, kind="HC1", groups=chunked(GROUPS))
        with pytest.raises(ValueError, match="X is None, and groups is given"):
            model.covariance(kind="cluster", groups=chunked(GROUPS))
        with pytest.raises(InferenceError, match="single cluster"):
            model.covariance(*given, kind="cluster", groups=chunked(GROUPS * 0))

    def test_labels_of_clusters(self):
        model = LinearRegression().fit(FRAME[["a"]], FRAME["target"])
        frame = dd.from_pandas(FRAME, 5)
        given = frame[["a"]], frame["target"]

        def changed(function, **options):
            groups = frame["driver"].map_partitions(function, **options)
            model.covariance(*given, kind="cluster", groups=groups)

        with pytest.raises(ValueError, match="same index labels in another order"):
            changed(lambda part: part.iloc[::-1])
        with pytest.raises(ValueError, match=r"missing labels in partition \d"):
            changed(lambda part: part.where(part > 0), meta=("driver", float))
        with pytest.raises(ValueError, match="convert them to one"):
            changed(
                lambda part: part.astype(str) if part.index[0] else part, meta=("driver", object)
            )
        random = np.random.default_rng(0)
        with dask.config.set(scheduler="sync"), pytest.raises(ValueError, match="other labels"):
            changed(lambda part: part * 0 + random.integers(0, 9, len(part)))

    def test_columns_beside_categories(self):
        frame = dd.from_pandas(FRAME.assign(day=pd.Timestamp("2020-01-01")), 4)
        coded = frame.astype({"zone": "category"})
        with pytest.raises(TypeError, match="column 'day' of X is datetime"):
            LinearRegression().fit(coded[["a", "zone", "day"]], frame["target"])
        with pytest.raises(TypeError, match="column 'won' of X is"):
            LinearRegression().fit(coded[["a", "zone", "won"]], frame["target"])
        with pytest.raises(ValueError, match="the name 0"):
            LinearRegression().fit(coded[["a", "zone"]].rename(columns={"a": 0}), frame["target"])
        model = LinearRegression().fit(coded[["a", "zone"]], frame["target"])
        with pytest.raises(ValueError, match="X lacks the column 'zone'"):
            model.predict(frame[["a"]]).compute()
        design = pd.DataFrame({"a": X[:, 0], "zone_B": 1.0, "zone_C": 0.0})
        found = model.predict(dd.from_pandas(design, 4)).compute()
        np.testing.assert_allclose(found, model.predict(design), RTOL)

    def test_scores_of_labels_of_another_kind(self):
        model = LogisticRegression().fit(X, CLASSES)
        with pytest.raises(
            ValueError, match=r"labels in partition \d are numbers, and those of the model text"
        ):
            model.score(chunked(X), chunked(GROUPS))

    def test_rows_that_are_not_those_of_the_fit(self):
        model = LinearRegression().fit(chunked(X), chunked(Y))
        with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
            model.covariance(chunked(X * 1.01), chunked(Y), kind="HC1")


class TestSums:
    """The sums of parts of rows are those of all rows."""

    def test_checks_of_walks(self):
        whole, parts = WalkSums(about_zero=True), [WalkSums(about_zero=True) for _ in range(3)]
        whole.add(X, Y, WEIGHTS)
        for part, at in zip(parts, np.array_split(np.arange(N), 3), strict=True):
            part.add(X[at], Y[at], WEIGHTS[at])
        later = parts[0].of_next_walk()
        later.add(X, Y, WEIGHTS)
        later.require(parts[0] + parts[1] + parts[2], "abcd")
        moved = parts[0].of_next_walk()
        moved.add(X[::-1].copy(), Y, WEIGHTS)  # each column keeps its sums
        with pytest.raises(ValueError, match="other rows"):
            moved.require(parts[0] + parts[1] + parts[2], "abcd")

    @pytest.mark.parametrize("cuts", [[1000], [100, 101, 900], [1, 2, 2000]])
    def test_samples_stay_evenly_spread(self, cuts):
        number = np.arange(N, dtype=float)[:, np.newaxis]
        total = None
        for part in np.split(number, cuts):
            sample = SpreadSample(64)
            sample.add(part, None, None)
            total = sample if total is None else total + sample
        kept = total.stacked()[0][:, 0]
        # Thinning halves, so that more than half of the share of one part is left.
        assert 32 < len(kept) <= 64 * (len(cuts) + 1)
        # Every k-th row of each part, with the same k: two neighbours are never 2k apart.
        step = np.diff(kept)[len(kept) // 2]
        assert np.diff(kept).max() < 2 * step

    def test_no_more_passes_than_a_stream(self):
        """The sample that a fit starts from is as large as that of a stream."""
        rng = np.random.default_rng(0)
        n, passes = 60_000, {"parts": 0, "stream": 0}
        many = rng.standard_normal((n, 5))
        y = rng.random(n) < 1 / (1 + np.exp(-many.sum(axis=1)))

        def blocks():
            passes["stream"] += 1
            return zip(np.array_split(many, 30), np.array_split(y, 30), strict=True)

        def counted(block, block_info=None):
            passes["parts"] += block_info[0]["chunk-location"][0] == 0
            return block

        expected = LogisticRegression(C=np.inf).fit(RowStream(blocks))
        with dask.config.set(scheduler="sync"):
            lazy = chunked(many, 2000).map_blocks(counted, dtype=float, meta=np.empty((0, 0)))
            found = LogisticRegression(C=np.inf).fit(lazy, chunked(y, 2000))
        assert passes["parts"] == passes["stream"]
        assert found.n_iter_ == expected.n_iter_

    def test_a_stream_walks_the_partitions(self):
        stream = DaskStream(chunked(X), chunked(Y))
        assert isinstance(stream, RowStream)
        blocks = list(stream)
        assert len(blocks) == 7
        np.testing.assert_array_equal(np.concatenate([block for block, _, _ in blocks]), X)
