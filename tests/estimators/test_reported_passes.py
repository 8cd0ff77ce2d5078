"""Callbacks of scikit-learn hear of passes over streams and tables, and how far each is."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
    scan,
)
from tests.problems import classes_problem
from tests.versions import needs_callbacks

pytestmark = needs_callbacks

N_ROWS, N_BLOCKS = 1000, 8


class Tree:
    """A callback that writes down which tasks begin and end, by their names from the fit on."""

    def setup(self, estimator, context):
        self.events, self.sizes = [], []

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", path(context)))
        if context.task_name == "pass":
            self.sizes.append(context.max_subtasks)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(("end", path(context)))
        self.last = fitted_estimator

    def count(self, event, *names):
        return self.events.count((event, names))


def path(context):
    names = []
    while context is not None:
        names.insert(0, context.task_name)
        context = context.parent
    return tuple(names)


def problem(n_rows=N_ROWS):
    X, y = classes_problem(0, n_rows, 3, 2)
    return X, np.asarray(y, dtype=float)


def blocks_of(X, y, walks):
    """A stream that counts its walks."""

    def blocks():
        walks.append(None)
        for part in np.array_split(np.arange(len(y)), N_BLOCKS):
            yield X[part], y[part]

    return RowStream(blocks)


MODELS = {
    "linear": LinearRegression(),
    "logistic": LogisticRegression(),
    "pca": PCA(2),
    "own loss": ObjectiveRegressor(lambda y, eta: (y - eta) ** 4),
}


@pytest.mark.parametrize("name", MODELS)
def test_each_walk_is_a_pass_and_rows_are_parts_of_it(name):
    X, y = problem()
    walks, tree = [], Tree()
    model = type(MODELS[name])(**MODELS[name].get_params()).set_callbacks(tree)
    model.fit(blocks_of(X, y, walks))
    passes = [event for event in tree.events if event[0] == "begin" and event[1][-1] == "pass"]
    assert len(passes) == len(walks) > 0
    # The number of rows is known from the first walk on.
    assert tree.sizes == [None] + [100] * (len(walks) - 1)
    parts = [event for event in tree.events if event[0] == "end" and event[1][-1] == "rows"]
    assert len(parts) == 100 * (len(walks) - 1)
    assert_is_nested(tree.events)
    assert tree.count("begin", "fit") == tree.count("end", "fit") == 1
    # Steps have passes of their own.
    steps = tree.count("begin", "fit", "newton-step")
    assert (steps > 0) == (name in ("logistic", "own loss"))
    assert tree.count("begin", "fit", "newton-step", "pass") >= steps
    # The last task is the fit, whose model can be asked.
    plain = type(model)(**model.get_params()).fit(blocks_of(X, y, []))
    asked = "transform" if name == "pca" else "predict"
    np.testing.assert_array_equal(getattr(tree.last, asked)(X), getattr(plain, asked)(X))


def assert_is_nested(events):
    """Each task ends after the tasks in it, and none is left open."""
    open_tasks = []
    for kind, names in events[:-1]:
        if kind == "begin":
            assert names[:-1] == (open_tasks[-1] if open_tasks else ())
            open_tasks.append(names)
        else:
            assert open_tasks.pop() == names
    assert events[-1] == "teardown"
    assert not open_tasks


@pytest.mark.parametrize("form", ["parquet", "csv", "where", "in memory"])
def test_files_that_say_how_many_rows_they_have_are_parts_from_the_first_pass_on(tmp_path, form):
    pytest.importorskip("pyarrow")
    X, y = problem(20_000)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)
    options = {"target": "y", "where": "a > 0" if form == "where" else None}
    file = tmp_path / ("d.csv" if form == "csv" else "d.parquet")
    if form == "csv":
        frame.to_csv(file, index=False)
    elif form != "in memory":
        frame.to_parquet(file, row_group_size=1000)
    tree = Tree()
    table = frame if form == "in memory" else file
    LogisticRegression().set_callbacks(tree).fit(scan(table, **options))
    known = form in ("parquet", "in memory")
    assert tree.sizes[0] == (100 if known else None)
    assert set(tree.sizes[1:]) == {100}
    ended = tree.count("end", "fit", "pass", "rows")
    assert ended >= (100 if known else 0)
    assert_is_nested(tree.events)


def test_a_table_of_distinct_rows_reports_the_pass_that_finds_them():
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.choice(list("xyz"), 5000), "y": rng.normal(size=5000)})
    tree = Tree()
    LinearRegression().set_callbacks(tree).fit(scan(frame, target="y", categorical=["a"]))
    # Levels, then distinct rows; the few that are left are no pass.
    assert tree.sizes == [100, 100]


def test_a_walk_that_ends_early_or_fails_leaves_no_listener_behind():
    X, y = problem()
    tree = Tree()

    def broken():
        yield X, y
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        LinearRegression().set_callbacks(tree).fit(RowStream(broken))
    assert tree.events == [("begin", ("fit",)), ("begin", ("fit", "pass")), "teardown"]
    LinearRegression().fit(blocks_of(X, y, []))
    assert len(tree.events) == 3


def test_a_callback_that_reads_rows_is_not_told_of_its_own_passes():
    X, y = problem()
    other = LogisticRegression().fit(X, y)
    scores = []

    class Reads(Tree):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
            scores.append(other.score(blocks_of(X, y, [])))

    tree, plain = Reads(), Tree()
    LogisticRegression().set_callbacks(tree).fit(blocks_of(X, y, []))
    LogisticRegression().set_callbacks(plain).fit(blocks_of(X, y, []))
    assert len(scores) == len([event for event in tree.events if event[0] == "end"])
    assert tree.events == plain.events


def test_a_callback_can_stop_a_fit_to_a_stream():
    X, y = problem()

    class Stop(Tree):
        def on_fit_task_end(self, estimator, context):
            return context.task_name == "newton-step"

    with pytest.warns(match="after 1 step"):
        model = LogisticRegression().set_callbacks(Stop()).fit(blocks_of(X, y, []))
    assert model.n_iter_[0] == 1


def test_networks_report_steps_alone():
    X, y = problem(200)
    tree = Tree()
    model = MLPRegressor(3, max_iter=20, tol=1e-1, random_state=0).set_callbacks(tree)
    model.fit(blocks_of(X, y, []))
    assert not tree.sizes
    assert tree.count("end", "fit", "lbfgs-step") == model.n_iter_


@pytest.mark.parametrize("name", MODELS)
def test_arrays_have_no_passes_and_no_callbacks_change_nothing(name):
    X, y = problem(100)
    tree = Tree()
    model = type(MODELS[name])(**MODELS[name].get_params()).set_callbacks(tree)
    plain = type(model)(**model.get_params()).fit(X, y)
    model.fit(X, y)
    attribute = "components_" if name == "pca" else "params_"
    np.testing.assert_array_equal(getattr(model, attribute), getattr(plain, attribute))
    assert not tree.sizes
    assert_is_nested(tree.events)


def test_progress_bar_of_scikit_learn_shows_passes(capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    X, y = problem()
    LinearRegression().set_callbacks(ProgressBar()).fit(blocks_of(X, y, []))
    assert "LinearRegression - pass" in capsys.readouterr().out
