"""The approach with a kept Hessian: Newton's optimum in fewer passes, and Newton where it fails."""

import warnings

import numpy as np
import pytest

from mcmodels import LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, RankDeficiencyWarning, SeparationWarning
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers import kept_hessian
from mcmodels.solvers.kept_hessian import approach
from tests.numerics import relative_error

# Both end within a Newton step of 1e-10 of the optimum, relative to the parameters in the metric of
# the Hessian; the columns' correlation makes at most one digit more of it in a single coefficient.
SAME = 1e-9
TOL = 1e-8  # LogisticRegression's


def columns(rng, n, p):
    """Correlated columns scaled over two decades, and their scales."""
    scales = np.geomspace(0.1, 10.0, p)[rng.permutation(p)]
    common = rng.standard_normal((n, 3)) @ rng.standard_normal((3, p)) / 2
    return (rng.standard_normal((n, p)) + common) * scales, scales


def problem(seed, n, p, n_classes=2, *, signal=1.0):
    """Rows of overlapping classes, and the scales of the columns."""
    rng = np.random.default_rng(seed)
    X, scales = columns(rng, n, p)
    assert n * (p + 1) > kept_hessian.LARGE_DESIGN
    k = 1 if n_classes == 2 else n_classes
    eta = (X / scales) @ rng.standard_normal((p, k)) * (signal / np.sqrt(2 * p))
    if n_classes == 2:
        return X, (eta[:, 0] + rng.logistic(size=n) > 0.7).astype(int), scales
    return X, (eta + rng.gumbel(size=eta.shape)).argmax(axis=1), scales


@pytest.fixture
def plainly(monkeypatch):
    """Runs a fit by Newton's method alone."""

    def run(work):
        with monkeypatch.context() as plain:
            plain.setattr(kept_hessian, "LARGE_DESIGN", np.inf)
            return work()

    return run


class Passes:
    """Counts passes over rows, by what they take and whether over all of them."""

    def __init__(self, monkeypatch, n_rows):
        self.hessians = self.gradients = self.sampled = 0
        for name in ("derivatives", "hessian", "slope", "gradient", "value"):
            monkeypatch.setattr(LinearPredictorObjective, name, self._counting(name, n_rows))

    def _counting(self, name, n_rows):
        original = getattr(LinearPredictorObjective, name)

        def counted(objective, params):
            if objective.rows.n_rows < n_rows:
                self.sampled += 1
            elif name in ("derivatives", "hessian"):
                self.hessians += 1
            else:
                self.gradients += 1
            return original(objective, params)

        return counted


@pytest.fixture
def counted(monkeypatch):
    """Runs a fit and counts its passes."""

    def run(n_rows, work):
        with monkeypatch.context() as patched:
            passes = Passes(patched, n_rows)
            work()
            return passes

    return run


def scaled(params, scales):
    """Parameters in units of their columns, so that none hides behind another."""
    return params * np.append(scales, 1.0)


def complaints(model, X, y, scales, plain):
    """What is wrong with a fit, as the optimum and Newton's method alone have it."""
    found = []
    # A sum over the rows, taken anew, rounds as the fit's own did or otherwise.
    gradient = np.abs(model.gradient(X, y, sample_weight=plain.weights)).max()
    if gradient > 2 * TOL * plain.total:
        found.append(f"the gradient is {gradient}")
    if np.abs(model.gradient_).max() > TOL * plain.total:
        found.append(f"gradient_ is {np.abs(model.gradient_).max()}")
    if not model.converged_ or model.status_ != plain.model.status_:
        found.append(f"the status is {model.status_}")
    if not model.n_iter_[0] < model.max_iter:
        found.append(f"steps: {model.n_iter_[0]}")
    error = relative_error(scaled(model.params_, scales), scaled(plain.model.params_, scales))
    if error > SAME:
        found.append(f"parameters differ by {error}")
    # The Hessian moves with the parameters, and as much.
    d = np.sqrt(np.diagonal(plain.model.hessian_))
    error = relative_error(model.hessian_ / np.outer(d, d), plain.model.hessian_ / np.outer(d, d))
    if error > 10 * SAME:
        found.append(f"Hessians differ by {error}")
    # At the minimum the value moves with the square of the parameters: only rounding is left.
    if abs(model.objective_ - plain.model.objective_) > 1e-12 * abs(plain.model.objective_):
        found.append(f"the objective is {model.objective_}")
    return found


class Plain:
    """A fit by Newton's method alone."""

    def __init__(self, model, n, weights):
        self.model, self.weights = model, weights
        self.total = float(n if weights is None else weights.sum())


# (rows, columns, classes, C, strength of the signal): from thousands of rows a column to seven.
REGULAR = {
    "tall": (60_000, 10, 2, np.inf, 1.0),
    "tall, strong signal": (60_000, 10, 2, np.inf, 6.0),
    "tall, penalised": (60_000, 10, 2, 1.0, 1.0),
    "penalty that counts": (60_000, 10, 2, 1e-4, 1.0),
    "hundreds of rows a column": (15_000, 50, 2, np.inf, 1.0),
    "sixty rows a column": (6_000, 100, 2, np.inf, 1.0),
    "ten rows a column": (2_500, 250, 2, np.inf, 0.5),
    "seven rows a column, penalised": (2_000, 290, 2, 1.0, 1.0),
    "fewer rows than steps need": (900, 600, 2, 1e-2, 1.0),
    "softmax": (50_000, 12, 3, np.inf, 1.0),
    "softmax, five classes": (30_000, 20, 5, 1.0, 1.0),
    "softmax, few rows": (8_000, 70, 4, 1e-1, 1.0),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("name", REGULAR)
def test_reaches_what_newton_reaches(name, weighted, plainly):
    n, p, n_classes, C, signal = REGULAR[name]
    X, y, scales = problem(len(name), n, p, n_classes, signal=signal)
    rng = np.random.default_rng(1)
    # A tenth of the rows has no weight, which never reaches the sums.
    weights = rng.uniform(0.2, 2, n) * (rng.random(n) > 0.1) if weighted else None

    def fitted():
        return LogisticRegression(C=C).fit(X, y, sample_weight=weights)

    plain = Plain(plainly(fitted), n, weights)
    model = fitted()
    assert complaints(model, X, y, scales, plain) == []
    again = fitted()
    assert np.array_equal(model.params_, again.params_)
    assert np.array_equal(model.hessian_, again.hessian_)
    assert model.n_iter_ == again.n_iter_


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 40))]
)
def test_for_every_seed(seed, n_classes, intercept, plainly):
    rng = np.random.default_rng(seed)
    p = int(rng.integers(8, 40))
    X, y, scales = problem(seed, 2**19 // p + 500, p, n_classes, signal=rng.uniform(0.3, 4))
    if not intercept:
        y = np.roll(y, 1)  # classes that have little to do with the columns
    C = float(rng.choice([np.inf, 1.0, 1e-3]))

    def fitted():
        return LogisticRegression(C=C, fit_intercept=intercept).fit(X, y)

    plain = Plain(plainly(fitted), len(X), None)
    if not intercept:
        scales = scales.copy()
        error = relative_error(fitted().params_ * scales, plain.model.params_ * scales)
        assert error < SAME
    else:
        assert complaints(fitted(), X, y, scales, plain) == []


def test_planted_errors_are_seen(plainly):
    X, y, scales = problem(0, 60_000, 10)
    plain = Plain(plainly(lambda: LogisticRegression(C=np.inf).fit(X, y)), len(X), None)

    class Spoiled:
        """A fitted model that says something else of itself."""

        def __init__(self, attributes):
            self.model, self.attributes = LogisticRegression(C=np.inf).fit(X, y), attributes

        def __getattr__(self, name):
            return self.attributes[name] if name in self.attributes else getattr(self.model, name)

    def spoiled(**attributes):
        return complaints(Spoiled(attributes), X, y, scales, plain)

    params = plain.model.params_
    assert spoiled() == []
    step = 1e-7 * np.abs(scaled(params, scales)).max() / np.append(scales, 1.0)
    assert spoiled(params_=params + step)
    assert spoiled(gradient_=plain.model.gradient_ + 1e-2)
    assert spoiled(n_iter_=np.array([100]))
    assert spoiled(status_="separated")
    assert spoiled(objective_=plain.model.objective_ * (1 + 1e-10))
    assert LogisticRegression(C=np.inf, tol=0.1).fit(X, y).n_iter_[0] > 0


class TestPasses:
    @pytest.mark.parametrize(
        "name",
        [
            "tall",
            "tall, penalised",
            "hundreds of rows a column",
            "softmax",
            "softmax, five classes",
        ],
    )
    def test_one_hessian_of_all_rows(self, name, counted, plainly):
        n, p, n_classes, C, signal = REGULAR[name]
        X, y, _ = problem(len(name), n, p, n_classes, signal=signal)

        def fit():
            return LogisticRegression(C=C).fit(X, y)

        passes = counted(n, fit)
        # The one that is published, at the optimum.
        assert passes.hessians == 1
        assert passes.sampled > 0
        # The Hessian of an eighth of the rows is that of all but for 2√(P/n), and so much of a step
        # is left for the next one, ten digits down; secants make it less. One more is the start's.
        size = (p + 1) * (1 if n_classes == 2 else n_classes)
        left = 2 * np.sqrt(size / (n / 8))
        assert passes.gradients <= np.ceil(-10 / np.log10(left)) + 1
        plain = plainly(lambda: counted(n, fit))
        assert plain.hessians >= 4, "Newton's method alone takes more"
        assert plain.sampled == 0

    def test_two_where_samples_would_be_too_small(self, counted):
        """The Hessian at the start is kept, if there is a reason to, and one taken at the end."""
        n, p, n_classes, C, signal = REGULAR["sixty rows a column"]
        X, y, _ = problem(1, n, p, n_classes, signal=signal)
        passes = counted(n, lambda: LogisticRegression(C=C).fit(X, y))
        assert passes.hessians <= 3
        assert passes.sampled == 0

    def test_few_rows_a_parameter_are_left_to_newton(self, counted):
        n, p, n_classes, C, signal = REGULAR["fewer rows than steps need"]
        X, y, _ = problem(1, n, p, n_classes, signal=signal)
        passes = counted(n, lambda: LogisticRegression(C=C).fit(X, y))
        assert passes.sampled == 0
        assert passes.gradients <= 2

    def test_columns_far_from_zero_cost_one_more(self, counted):
        """Steps are taken in shifted coordinates; what is published is in the user's."""
        X, y, _ = problem(2, 60_000, 10)
        passes = counted(60_000, lambda: LogisticRegression(C=np.inf).fit(X + 1e4, y))
        assert passes.hessians == 2

    @pytest.mark.parametrize("case", ["by class", "by feature", "outlier"])
    def test_hard_rows_cost_little_more_than_newton(self, case, counted, plainly):
        X, y, _ = HARD[case]()

        def fit():
            return LogisticRegression(C=np.inf).fit(X, y)

        passes, plain = counted(len(X), fit), plainly(lambda: counted(len(X), fit))
        # The approach gives up after some steps with the gradient alone, each of less than half
        # the cost of one with the Hessian.
        assert passes.hessians <= plain.hessians + 2
        assert passes.gradients <= plain.gradients + kept_hessian._MAX_STEPS


def by_class():
    X, y, scales = problem(3, 60_000, 10)
    order = np.argsort(y, kind="stable")
    return X[order], y[order], scales


def by_feature():
    X, y, scales = problem(4, 60_000, 10, signal=3.0)
    order = np.argsort(X[:, 2])
    return X[order], y[order], scales


def rare_class():
    """Ten rows of a class in sixty thousand, where no sample looks: all in one place."""
    X, y, scales = problem(5, 60_000, 10, 3)
    y[:] = np.where(y == 2, 1, y)
    y[30_011:30_600:60] = 2
    return X, y, scales


def rare_binary():
    X, y, scales = problem(6, 60_000, 10)
    y[:] = 0
    y[np.random.default_rng(0).permutation(len(y))[:40]] = 1
    return X, y, scales


def outlier():
    X, y, scales = problem(7, 60_000, 10)
    X[12_345, 3] = 1e6
    return X, y, scales


def outlier_in_the_sample():
    X, y, scales = problem(8, 60_000, 10)
    X[0, 3] = 1e6
    y[0] = 0
    return X, y, scales


def heavy_tails():
    X, y, scales = problem(9, 60_000, 10)
    return X * np.random.default_rng(0).standard_t(2, size=(len(X), 1)), y, scales


def rare_column():
    """A column that is zero but for rows that no sample looks at."""
    X, y, scales = problem(10, 60_000, 10)
    X[:, 4] = 0
    X[40_000:40_040, 4] = 1.0
    return X, y, scales


def periodic():
    """Rows that repeat with the period of the samples, as those of a designed experiment do."""
    X, y, scales = problem(11, 65_536, 10)
    X[:, 0] = (np.arange(65_536) % 64 < 32) + 0.1 * X[:, 0]
    return X, y, scales


HARD = {
    "by class": by_class,
    "by feature": by_feature,
    "rare class": rare_class,
    "forty of sixty thousand": rare_binary,
    "outlier": outlier,
    "outlier in the sample": outlier_in_the_sample,
    "heavy tails": heavy_tails,
    "rare column": rare_column,
    "periodic": periodic,
}


@pytest.mark.parametrize("C", [np.inf, 1.0])
@pytest.mark.parametrize("case", HARD)
def test_hard_rows_reach_the_optimum(case, C, plainly):
    X, y, scales = HARD[case]()
    plain = Plain(plainly(lambda: LogisticRegression(C=C).fit(X, y)), len(X), None)
    assert plain.model.status_ == "converged"
    model = LogisticRegression(C=C).fit(X, y)
    assert complaints(model, X, y, scales, plain) == []


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("offset", [1e2, 1e4, 1e6])
def test_columns_far_from_zero(offset, n_classes, plainly):
    X, y, scales = problem(12, 60_000, 10, n_classes)
    X = X / scales + offset
    plain = plainly(lambda: LogisticRegression(C=np.inf).fit(X, y))
    model = LogisticRegression(C=np.inf).fit(X, y)
    assert model.status_ == plain.status_ == "converged"
    assert relative_error(model.coef_, plain.coef_) < SAME
    # The intercept is that at the mean minus the offset times the coefficients; it loses what they
    # have lost, in units of the offset.
    slack = SAME * offset * np.abs(plain.coef_).sum()
    assert np.abs(model.intercept_ - plain.intercept_).max() < slack


class TestWhereThereIsNoOptimum:
    def both(self, plainly, X, y, warning, **parameters):
        """The statuses and warnings of the fit and of Newton's method alone."""

        def fit():
            with pytest.warns(warning) as caught:
                model = LogisticRegression(C=np.inf, **parameters).fit(X, y)
            return model, [str(w.message) for w in caught if issubclass(w.category, warning)]

        return fit(), plainly(fit)

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("order", ["as drawn", "by class"])
    def test_separated_classes(self, n_classes, order, plainly):
        X, y, scales = problem(13, 60_000, 10, n_classes)
        y = np.digitize(X[:, 0] / scales[0], [0.0] if n_classes == 2 else [-1.0, 1.0])
        X[:, 0] += scales[0] * np.array([-0.5, 0.5, 1.5])[y]
        if order == "by class":
            rows = np.argsort(y, kind="stable")
            X, y = X[rows], y[rows]
        (model, found), (plain, expected) = self.both(plainly, X, y, SeparationWarning)
        assert model.status_ == plain.status_ == "separated"
        assert len(found) == len(expected) == 1
        assert not model.converged_
        assert np.isfinite(model.params_).all()
        assert (model.predict(X) == y).all()

    def test_one_class_is_separated_by_a_rare_column(self, plainly):
        """A column that is filled in rows of one class only, where no sample looks."""
        X, y, _ = problem(14, 60_000, 10)
        X[:, 4] = 0
        X[40_000:40_040, 4] = 1.0
        y[40_000:40_040] = 1
        (model, found), (plain, expected) = self.both(plainly, X, y, SeparationWarning)
        assert model.status_ == plain.status_ == "separated"
        assert "x4" in found[0]
        assert "x4" in expected[0]

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("kind", ["a copy", "a sum", "constant"])
    def test_dependent_columns(self, kind, n_classes, plainly):
        X, y, scales = problem(15, 60_000, 10, n_classes)
        X[:, 4] = {"a copy": X[:, 1], "a sum": X[:, 1] - X[:, 2], "constant": 3.0}[kind]
        (model, _), (plain, _) = self.both(plainly, X, y, RankDeficiencyWarning)
        assert model.status_ == plain.status_ == "rank deficient"
        # The shortest solution is found through a factor of the rows, which loses a digit or two
        # more than the Hessian.
        assert relative_error(scaled(model.params_, scales), scaled(plain.params_, scales)) < 1e-7
        assert np.abs(model.gradient_).max() < TOL * len(X)

    def test_columns_that_are_dependent_in_samples_only(self, plainly):
        X, y, scales = problem(16, 60_000, 10)
        X[:, 4] = X[:, 1]
        X[30_011:30_500:7, 4] += scales[1]
        plain = Plain(plainly(lambda: LogisticRegression(C=np.inf).fit(X, y)), len(X), None)
        assert plain.model.status_ == "converged"
        model = LogisticRegression(C=np.inf).fit(X, y)
        assert complaints(model, X, y, scales, plain) == []


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_few_steps_are_few_steps(max_iter, n_classes):
    X, y, _ = problem(17, 60_000, 10, n_classes, signal=3.0)
    model = LogisticRegression(C=np.inf, max_iter=max_iter, tol=0.0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert model.n_iter_[0] == max_iter
    assert model.status_ == "not converged"
    # What is published belongs to the parameters that are, up to the order of the sums.
    gradient = model.gradient(X, y)
    assert np.abs(model.gradient_ - gradient).max() < 1e-12 * np.abs(X).sum(axis=0).max()
    assert relative_error(model.hessian_, model.hessian(X, y)) < 1e-12
    start = LogisticRegression(C=np.inf).fit(X, y).objective(X, y, params=0 * model.params_)
    assert model.objective_ < start


def test_a_gradient_of_zero_is_left_to_newton():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 5))
    objective = LinearPredictorObjective(
        ArrayRows(X, rng.integers(0, 2, len(X))), BinaryCrossEntropy()
    )
    at = np.full(6, 0.1)
    factor = kept_hessian._factor(objective, objective.derivatives(at).hessian, at.shape)
    model = kept_hessian._SecantModel(factor)
    assert list(kept_hessian._descend(objective, at, np.zeros(6), model, 1e-9, 5)) == []


def test_more_steps_are_no_worse():
    X, y, _ = problem(18, 60_000, 10, signal=3.0)
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for max_iter in range(1, 9):
            values.append(LogisticRegression(C=np.inf, max_iter=max_iter).fit(X, y).objective_)
    # The last differ by rounding.
    assert np.all(np.diff(values) <= 1e-13 * values[0])


class Recorder:
    """A callback that writes down the parameters after each step and stops after some."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.before, self.after = [], []

    def setup(self, estimator, context):
        """Nothing to do."""

    def teardown(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator):
        if context.task_name != "fit":
            self.before.append(fitted_estimator.params_)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "newton-step":
            self.after.append(fitted_estimator.params_)
            return len(self.after) == self.stop_after
        return False


@pytest.mark.parametrize("n_classes", [2, 3])
class TestCallbacks:
    def fit(self, n_classes, stop_after=None):
        X, y, _ = problem(22, 60_000, 10, n_classes)
        recorder = Recorder(stop_after)
        model = LogisticRegression(C=np.inf).set_callbacks(recorder)
        return model.fit(X, y), recorder, X, y

    def test_see_every_step(self, n_classes):
        model, recorder, X, y = self.fit(n_classes)
        assert len(recorder.after) == model.n_iter_[0]
        path = [recorder.before[0], *recorder.after]
        for before, after in zip(recorder.before, path, strict=False):
            np.testing.assert_array_equal(before, after)
        values = [model.objective(X, y, params=params) for params in path]
        # Every step is one: it decreases the objective, or at the end leaves it within rounding.
        assert np.all(np.diff(values) <= 1e-14 * values[0])
        np.testing.assert_array_equal(recorder.after[-1], model.params_)

    @pytest.mark.parametrize("stop_after", [1, 2, 3])
    def test_stop_the_fit_where_it_is(self, n_classes, stop_after):
        with pytest.warns(ConvergenceWarning, match=f"after {stop_after} step"):
            model, recorder, X, y = self.fit(n_classes, stop_after)
        assert len(recorder.after) == stop_after
        assert model.n_iter_[0] == stop_after
        assert model.status_ == "not converged"
        np.testing.assert_array_equal(model.params_, recorder.after[-1])
        # Published derivatives are those at the published parameters, up to the order of sums.
        assert relative_error(model.hessian_, model.hessian(X, y)) < 1e-12
        assert model.objective_ == pytest.approx(model.objective(X, y), rel=1e-13)


class TestOverflow:
    @pytest.mark.parametrize("row", [0, 12_345, 59_999])
    @pytest.mark.filterwarnings("error")
    def test_is_refused_wherever_it_lies_or_does_no_harm(self, row):
        """A row so far out that it has no curvature, on its own side, is as good as absent."""
        X, y, _ = problem(19, 60_000, 10)
        X[row, 3] = 1e200
        others = np.arange(len(X)) != row
        without = LogisticRegression(C=np.inf).fit(X[others], y[others]).params_
        try:
            params = LogisticRegression(C=np.inf).fit(X, y).params_
        except ValueError as error:
            refusal = str(error)
        else:
            refusal = None
        assert "overflow float64" in refusal if refusal else relative_error(params, without) < SAME

    @pytest.mark.parametrize("row", [0, 12_345, 59_999])
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.filterwarnings("error")
    def test_what_is_not_finite_is_named(self, value, row):
        X, y, _ = problem(19, 60_000, 10)
        X[row, 3] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            LogisticRegression(C=np.inf).fit(X, y)


class TestApproach:
    def objective(self, n=60_000, p=10, seed=20, penalty=0.0):
        X, y, _ = problem(seed, n, p)
        return LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), penalty)

    def path(self, objective, start=None, *, tolerance=TOL, max_steps=99):
        start = np.zeros(objective.rows.n_params) if start is None else start
        bound = tolerance * objective.rows.total_weight
        return list(approach(objective, start, gradient_tolerance=bound, max_steps=max_steps))

    def test_ends_where_the_gradient_vanishes(self):
        objective = self.objective()
        path = self.path(objective)
        assert [point.count for point in path] == list(range(1, len(path) + 1))
        assert np.abs(objective.gradient(path[-1].params)).max() <= TOL * objective.rows.n_rows
        values = [objective.value(point.params) for point in path]
        # Each step decreases the value as far as float64 shows it.
        assert np.all(np.diff(values) <= 1e-14 * values[0])

    @pytest.mark.parametrize("max_steps", [0, 1, 2, 4])
    def test_takes_no_more_steps_than_it_may(self, max_steps):
        assert len(self.path(self.objective(), max_steps=max_steps)) <= max_steps

    def test_has_nothing_to_say_of_few_rows(self):
        X, y, _ = problem(21, 60_000, 10)
        small = LinearPredictorObjective(ArrayRows(X[:5000], y[:5000]), BinaryCrossEntropy())
        assert self.path(small) == []

    def test_gives_up_where_the_start_is_beyond_hope(self):
        """All margins are so large that nothing has curvature."""
        objective = self.objective()
        with np.errstate(all="ignore"):
            path = self.path(objective, np.full(11, 1e8))
        assert all(np.isfinite(point.params).all() for point in path)

    def test_forgets_nothing_of_the_penalty(self):
        """Samples weigh the penalty by their share; forgotten, the start would be far away."""
        strong = self.objective(penalty=1e5)
        path = self.path(strong)
        assert len(path) <= 8
        assert np.abs(strong.gradient(path[-1].params)).max() <= TOL * strong.rows.n_rows
