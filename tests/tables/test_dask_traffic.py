"""What a pass of a fit sends on a cluster: as much as docs/scale.md says, and no rows."""

import sys
from pathlib import Path

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pytest

from mcmodels import LinearRegression, LogisticRegression
from mcmodels.rows import ArrayRows
from mcmodels.tables import dask_parts
from mcmodels.tables.dask_parts import DaskParts

BENCHMARKS = str(Path(__file__).parents[2] / "docs" / "benchmarks")
P = 100


@pytest.fixture(scope="module")
def traffic():
    """The modules of the benchmark: the formulas, and what counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import dask_formulas
        import dask_sockets
        import dask_traffic

        modules = (dask_formulas, dask_sockets, dask_traffic)
        for module in modules:
            # Workers do not know its place.
            cloudpickle.register_pickle_by_value(module)
        yield modules
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
            del sys.modules[module.__name__]


@pytest.fixture(scope="class")
def measured(traffic):
    """A cluster for the class below, and no longer: it is the default while it is there."""
    _, sockets, _ = traffic
    with sockets.Measured(2, sockets.ROWS_STAY) as measured:
        yield measured


class TestOnACluster:
    def test_newton_step_moves_what_the_formula_says(self, traffic, measured):
        formulas, *_ = traffic
        partitions = 16
        X, y, homes = measured.rows(500 * partitions, P, 2, partitions, turns=False)
        messages = partitions * measured.messages(X, y)[0]
        with measured.passes() as passes:
            LogisticRegression(C=1.0).fit(X, y)
        job, result = formulas.job_bytes(P, 2, partitions), formulas.newton_bytes(P, 2)
        by = formulas.formula("", job, lambda count: result, homes, messages)
        steps = [of for of in passes[2:] if of.result > result / 2]
        assert steps
        for of in steps:
            assert of.job == pytest.approx(job, rel=0.2)
            assert of.result == pytest.approx(result, rel=0.2)
            assert of.between_workers == pytest.approx(by.between_workers, rel=0.2)
            assert of.others == pytest.approx(by.others, rel=0.2)
            assert of.rows == 0

    @pytest.mark.parametrize(
        ("p", "turns"),
        [
            (P, True),
            pytest.param(20, False, marks=pytest.mark.slow),
            pytest.param(300, False, marks=pytest.mark.slow),
        ],
    )
    def test_a_first_pass_moves_what_the_formula_says(self, traffic, measured, p, turns):
        """A sum of some partitions has their share of the sample, or all that may be held."""
        formulas, _, benchmark = traffic
        partitions, height = 16, 1000
        X, y, homes = measured.rows(height * partitions, p, 2, partitions, turns=turns)
        messages = partitions * measured.messages(X, y)[0]
        for model in (LinearRegression(), LogisticRegression(C=1.0)):
            with measured.passes() as passes:
                model.fit(X, y)
            given = (p, partitions, isinstance(model, LinearRegression))
            by = formulas.formula(
                "",
                passes[0].job,
                lambda n, given=given: benchmark.first_of(*given, n, height),
                homes,
                messages,
            )
            assert passes[0].result == pytest.approx(by.result, rel=0.2)
            assert passes[0].between_workers == pytest.approx(by.between_workers, rel=0.2)
            assert passes[0].others == pytest.approx(by.others, rel=0.2)


def jobs_of(fit):
    """Sizes of the jobs of the passes of a fit, and the passes."""
    sizes, functions, original = [], [], DaskParts.sum

    def watched(parts, function):
        sizes.append(len(cloudpickle.dumps(dask_parts._Job(parts._open, function))))
        functions.append(function)
        return original(parts, function)

    with pytest.MonkeyPatch.context() as patch, dask.config.set(scheduler="synchronous"):
        patch.setattr(DaskParts, "sum", watched)
        fit()
    return sizes, functions


def arrays(n=4000):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, P))
    y = (X[:, 0] + rng.standard_normal(n) > 0).astype(int)
    return da.from_array(X, chunks=(500, P)), da.from_array(y, chunks=500)


@pytest.mark.parametrize("model", [LinearRegression(), LogisticRegression()])
def test_jobs_hold_no_rows_and_no_earlier_fit(model):
    X, y = arrays()
    # The second time, the model has a record with p² numbers.
    for _ in range(2):
        sizes, _ = jobs_of(lambda: model.fit(X, y))
        assert max(sizes) < 8 * P * P / 4


def test_a_job_with_rows_or_a_record_would_be_seen():
    X, y = arrays()
    model = LogisticRegression().fit(X, y)
    _, functions = jobs_of(lambda: LogisticRegression().fit(X, y))
    held = ArrayRows(np.ones((500, P)))
    for planted in (held, model._fit):
        job = dask_parts._Job(None, (functions[-1], planted))
        assert len(cloudpickle.dumps(job)) > 8 * P * P / 4
