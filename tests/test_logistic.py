"""LogisticRegression: scikit-learn's optimum, extremes, separation, singularity, callbacks."""

import warnings
from itertools import pairwise

import mpmath
import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from scipy import sparse
from scipy.optimize import linprog

from mcmodels import LogisticRegression
from mcmodels.exceptions import (
    ConvergenceWarning,
    FitWarning,
    RankDeficiencyWarning,
    SeparationWarning,
)
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers import irls
from tests.callbacks import Recorder
from tests.numerics import relative_error
from tests.problems import classes_problem
from tests.versions import needs_callbacks


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, np.inf])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weights", [None, "rows", "balanced", "dict"])
def test_agrees_with_scikit_learn(n_classes, C, intercept, weights):
    X, y = classes_problem(0, 200, 4, n_classes)
    w = np.random.default_rng(1).uniform(0, 2, 200) if weights == "rows" else None
    class_weight = {"balanced": "balanced", "dict": {0: 2.0, 1: 0.5}}.get(weights)
    shared = {"C": C, "fit_intercept": intercept, "class_weight": class_weight, "max_iter": 1000}
    reference = sklearn.linear_model.LogisticRegression(
        solver="newton-cholesky", tol=1e-13, **shared
    )
    reference.fit(X, y, w)
    model = LogisticRegression(**shared).fit(X, y, w)
    # scikit-learn stops on the gradient, which leaves it about nine digits.
    assert relative_error(model.coef_, reference.coef_) < 1e-8
    assert relative_error(model.intercept_, reference.intercept_) < 1e-8
    assert relative_error(model.predict_proba(X), reference.predict_proba(X)) < 1e-8
    np.testing.assert_array_equal(model.predict(X), reference.predict(X))
    assert model.coef_.shape == reference.coef_.shape
    assert model.intercept_.shape == reference.intercept_.shape
    assert model.decision_function(X).shape == reference.decision_function(X).shape


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sparse_rows_and_float32_rows(n_classes, dtype):
    X, y = classes_problem(2, 150, 6, n_classes)
    X[np.abs(X) < 1] = 0
    X = X.astype(dtype)
    reference = LogisticRegression().fit(X.astype(float), y)
    for rows in (X, sparse.csr_array(X), sparse.csc_matrix(X)):
        model = LogisticRegression().fit(rows, y)
        assert relative_error(model.params_, reference.params_) < 1e-12
        # Of float32 rows, log-odds are rounded to float32: 6e-8, times their size of about ten.
        assert relative_error(
            model.predict_proba(rows), reference.predict_proba(X.astype(float))
        ) < (1e-12 if dtype == "float64" else 1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_default_tolerance_gives_the_last_digits(n_classes):
    X, y = classes_problem(3, 300, 4, n_classes)
    loose, tight = LogisticRegression(C=10).fit(X, y), LogisticRegression(C=10, tol=0).fit(X, y)
    assert np.abs(loose.gradient_).max() <= 1e-8 * 300
    assert tight.converged_
    assert relative_error(loose.params_, tight.params_) < 1e-9


def test_symmetric_parametrisation():
    X, y = classes_problem(4, 120, 3, 4)
    for C in (1.0, np.inf):
        model = LogisticRegression(C=C).fit(X, y)
        assert np.abs(model.params_.sum(axis=0)).max() < 1e-13
        # The least eigenvalues of the Hessian are the gauge: P of them unpenalised, else one.
        eigenvalues = np.linalg.eigvalsh(model.hessian_)
        gauge = 4 if C == np.inf else 1
        assert np.all(np.abs(eigenvalues[:gauge]) < 1e-12 * eigenvalues[-1])
        assert eigenvalues[gauge] > 1e-6 * eigenvalues[-1]


def test_every_step_decreases_the_objective_from_a_bad_start():
    """Full Newton steps diverge from here; the line search may not."""
    X, y = classes_problem(5, 60, 3, 2, scale=3.0)
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), penalty=1e-3)
    bad = np.array([40.0, -30.0, 20.0, 60.0])
    newton_step = np.linalg.solve(objective.hessian(bad), objective.gradient(bad))
    assert objective.value(bad - newton_step) > objective.value(bad)
    path = list(irls.fit(objective, bad, tol=1e-8, max_iter=500))
    values = [state.iterate.derivatives.value for state in path]
    assert all(after <= before * (1 + 1e-14) for before, after in pairwise(values))
    model = LogisticRegression(C=1e3).fit(X, y)
    assert relative_error(path[-1].params, model.params_) < 1e-9


def test_a_useless_warm_start_is_not_used():
    X, y = classes_problem(5, 60, 3, 2, scale=3.0)
    reference = LogisticRegression().fit(X, y)
    model = LogisticRegression(warm_start=True).fit(X, y)
    model.params_ = model.params_ * -1e6  # every probability, and all curvature, underflows
    np.testing.assert_array_equal(model.fit(X, y).params_, reference.params_)


def test_warm_start_goes_on_from_where_it_was():
    X, y = classes_problem(6, 100, 4, 3)
    model = LogisticRegression(warm_start=True).fit(X, y)
    first = model.params_.copy()
    steps = int(model.n_iter_[0])
    model.fit(X, y)
    assert model.n_iter_[0] <= 1 < steps
    assert relative_error(model.params_, first) < 1e-10
    assert model.fit(X[:, :2], y).params_.shape == (3, 3)


def test_newton_names_are_the_same_algorithm():
    X, y = classes_problem(7, 80, 3, 2)
    fits = [LogisticRegression(solver=s).fit(X, y) for s in ("auto", "newton", "newton-cholesky")]
    for model in fits[1:]:
        np.testing.assert_array_equal(model.params_, fits[0].params_)


@pytest.mark.parametrize("size", [30.0, 700.0, 5000.0])
def test_extreme_predictors_against_high_precision(size):
    """Value, gradient and Hessian where exp(η) overflows and 1 - σ(η) rounds to zero."""
    X, y = np.array([[1.0], [1.0], [-0.5], [0.25]]), np.array([1, 0, 1, 0])
    model = LogisticRegression(fit_intercept=False, C=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    at = np.array([size])
    with mpmath.workdps(60):
        value = gradient = hessian = mpmath.mpf(0)
        for (x,), target in zip(X.tolist(), y.tolist(), strict=True):
            e = mpmath.exp(-mpmath.mpf(size) * x)
            p = 1 / (1 + e)
            value += -mpmath.log(p) if target else -mpmath.log(e / (1 + e))
            gradient += (p - target) * x
            hessian += e / (1 + e) ** 2 * x * x
    assert model.objective(X, y, at) == pytest.approx(float(value), rel=1e-15)
    assert model.gradient(X, y, at)[0] == pytest.approx(float(gradient), rel=1e-15)
    assert model.hessian(X, y, at)[0, 0] == pytest.approx(float(hessian), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("size", [40.0, 700.0])
def test_extreme_softmax_against_high_precision(size):
    X, y = np.array([[1.0], [0.5], [-1.0], [0.2]]), np.array([0, 1, 2, 0])
    model = LogisticRegression(fit_intercept=False).fit(X, y)
    at = np.array([[size], [0.0], [-size / 2]])
    with mpmath.workdps(60):
        value, gradient = mpmath.mpf(0), [mpmath.mpf(0)] * 3
        for (x,), target in zip(X.tolist(), y.tolist(), strict=True):
            e = [mpmath.exp(mpmath.mpf(t) * x) for t in at[:, 0].tolist()]
            total = sum(e)
            value -= mpmath.log(e[target] / total)
            gradient = [
                g + (v / total - (k == target)) * x
                for k, (g, v) in enumerate(zip(gradient, e, strict=True))
            ]
        penalty = sum(mpmath.mpf(t) ** 2 for t in at[:, 0].tolist()) / 2
    assert model.objective(X, y, at) == pytest.approx(float(value + penalty), rel=1e-15)
    expected = [float(g + t) for g, t in zip(gradient, at[:, 0].tolist(), strict=True)]
    assert relative_error(model.gradient(X, y, at)[:, 0], expected) < 1e-15


def test_probabilities_keep_their_digits_and_sum_to_one():
    X, y = classes_problem(8, 100, 2, 2, scale=30)
    model = LogisticRegression(C=1e4).fit(X, y)
    p, log_p = model.predict_proba(X * 20), model.predict_log_proba(X * 20)
    assert np.isfinite(log_p).all()
    assert p.min() < 1e-30
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-15)
    visible = p > 1e-300
    np.testing.assert_allclose(np.log(p[visible]), log_p[visible], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_complete_separation_is_named(n_classes):
    rng = np.random.default_rng(9)
    y = np.repeat(np.arange(n_classes), 20)
    frame = pd.DataFrame(
        {"noise": rng.standard_normal(y.size), "giveaway": y * 10 + rng.uniform(-1, 1, y.size)}
    )
    with pytest.warns(SeparationWarning, match="'giveaway'.*finite C"):
        model = LogisticRegression(C=np.inf).fit(frame, y)
    assert model.status_ == "separated"
    assert not model.converged_
    assert np.isfinite(model.params_).all()
    assert np.isfinite(model.hessian_).all()
    assert (model.predict(frame) == y).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_column_that_determines_some_rows_is_named(n_classes):
    """Quasi-complete: where 'rare' is 1 the class is always 1; everywhere else classes overlap."""
    X, y = classes_problem(10, 400, 3, n_classes)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["rare"] = 0.0
    rare = np.nonzero(y == 1)[0][:12]
    frame.loc[rare, "rare"] = 1.0
    with pytest.warns(SeparationWarning, match=r"columns 'rare'") as seen:
        model = LogisticRegression(C=np.inf).fit(frame, y)
    assert model.status_ == "separated"
    assert "'a'" not in str(seen[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LogisticRegression(C=1e6).fit(frame, y).converged_
        for other in set(range(n_classes)) - {1}:
            frame.loc[np.nonzero(y == other)[0][0], "rare"] = 1.0
        assert LogisticRegression(C=np.inf).fit(frame, y).status_ == "converged"


def separable(X, y):
    """Whether a direction separates the classes, by the linear program of Konis (2007, §4.2).

    Maximise the sum of all margins ``(d_own - d_other)ᵀx̃`` over bounded d that makes none negative.
    """
    Z = np.column_stack([X, np.ones(len(X))])
    n_classes = y.max() + 1
    margins = []
    for row, own in zip(Z, y, strict=True):
        for other in set(range(n_classes)) - {own}:
            margin = np.zeros((n_classes, Z.shape[1]))
            margin[own], margin[other] = row, -row
            margins.append(margin.ravel())
    margins = np.array(margins)
    program = linprog(
        -margins.sum(axis=0), A_ub=-margins, b_ub=np.zeros(len(margins)), bounds=(-1, 1)
    )
    # Without separation d = 0, up to the program's tolerance of 1e-7 on each margin; with it, some
    # margin is about one, for values rounded to tenths.
    return -program.fun > 1e-4


def check_separation(seed, n, p, n_classes):
    """Coarse values make ties, and with them partial separation, frequent."""
    rng = np.random.default_rng([seed, n, p, n_classes])
    X = np.round(rng.standard_normal((n, p)), rng.integers(0, 2))
    noise = (seed % 4) / 2
    score = X[:, 0] + noise * rng.standard_normal(n)
    y = np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))
    y[:n_classes] = np.arange(n_classes)
    expected = separable(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = LogisticRegression(C=np.inf).fit(X, y)
    assert (model.status_ == "separated") == expected
    assert model.converged_ != expected
    assert np.isfinite(model.params_).all()
    return expected


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("p", [1, 5, 12])
def test_separation_is_found_when_and_only_when_a_linear_program_finds_it(p, n_classes):
    found = [check_separation(seed, 40, p, n_classes) for seed in range(12)]
    assert len(set(found)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("p", [1, 2, 5, 12, 20])
@pytest.mark.parametrize("n", [25, 60, 150])
def test_separation_against_a_linear_program_many_times(n, p, n_classes):
    for seed in range(100):
        check_separation(seed, n, p, n_classes)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_dependent_columns_get_the_shortest_parameters(n_classes):
    X, y = classes_problem(11, 150, 3, n_classes)
    X = X - X.mean(axis=0)
    doubled = np.column_stack([X, X[:, 0]])
    reference = LogisticRegression(C=np.inf).fit(X, y)
    with pytest.warns(
        RankDeficiencyWarning,
        match="X has rank 3 where 4 would be full: a linear dep.*columns x0, x3",
    ):
        model = LogisticRegression(C=np.inf).fit(doubled, y)
    assert model.status_ == "rank deficient"
    assert model.converged_
    expected = np.insert(reference.params_, 3, reference.params_[..., 0] / 2, axis=-1)
    expected[..., 0] /= 2
    assert relative_error(model.params_, expected) < 1e-9


def test_running_out_of_steps_warns_and_leaves_a_model():
    X, y = classes_problem(12, 100, 3, 2)
    with pytest.warns(ConvergenceWarning, match="after 2 steps.*max_iter"):
        model = LogisticRegression(C=100, max_iter=2).fit(X, y)
    assert not model.converged_
    assert model.status_ == "not converged"
    assert model.n_iter_[0] == 2
    assert model.score(X, y) > 0.5
    assert issubclass(ConvergenceWarning, sklearn.exceptions.ConvergenceWarning)


def test_badly_scaled_columns_converge_at_the_precision_of_float64():
    """Gradient entries of a column of size 1e9 can never reach 1e-8·n; the fit must still end."""
    X, y = classes_problem(13, 200, 3, 2)
    scale = np.array([1e9, 1.0, 1e-9])
    plain = LogisticRegression(C=np.inf).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = LogisticRegression(C=np.inf).fit(X * scale, y)
    assert scaled.converged_
    assert scaled.n_iter_[0] < 20
    assert relative_error(scaled.coef_ * scale, plain.coef_) < 1e-9


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_a_class_without_weight_is_absent(C):
    X, y = classes_problem(14, 90, 3, 3)
    model = LogisticRegression(C=C).fit(X, y, (y != 2).astype(float))
    without = LogisticRegression(C=C).fit(X[y < 2], y[y < 2])
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model.objective(X, y, sample_weight=y != 2) == pytest.approx(model.objective_, rel=1e-14)
    assert relative_error(model.params_, without.params_) < 1e-13


@needs_callbacks
def test_callbacks_see_every_newton_step():
    X, y = classes_problem(15, 80, 3, 3)
    recorder = Recorder()
    model = LogisticRegression().set_callbacks(recorder).fit(X, y)
    steps = recorder.ends("newton-step")
    assert [e[2] for e in steps] == list(range(model.n_iter_[0]))
    assert recorder.events[0] == "setup"
    assert recorder.events[-1] == "teardown"
    np.testing.assert_array_equal(steps[-1][3], model.predict(X))
    plain = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(plain.params_, model.params_)


@needs_callbacks
def test_a_callback_can_stop_the_fit():
    X, y = classes_problem(16, 80, 3, 2)
    with pytest.warns(ConvergenceWarning, match="after 3 steps"):
        model = LogisticRegression().set_callbacks(Recorder(stop_after=3)).fit(X, y)
    assert model.n_iter_[0] == 3


@needs_callbacks
def test_callbacks_are_torn_down_after_an_error():
    recorder = Recorder()
    model = LogisticRegression().set_callbacks(recorder)
    recorder.on_fit_task_end = None
    X, y = classes_problem(17, 40, 2, 2)
    with pytest.raises(TypeError):
        model.fit(X, y)
    assert recorder.events[-1] == "teardown"


@needs_callbacks
def test_progress_bar_of_scikit_learn():
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    X, y = classes_problem(18, 60, 2, 2)
    model = LogisticRegression().set_callbacks(ProgressBar()).fit(X, y)
    assert model.converged_
