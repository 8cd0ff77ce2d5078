"""Early stopping of networks: which rows, which score and parameters, what is said of them."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from mcmodels import MLPClassifier, MLPRegressor, RowStream
from mcmodels.estimators.early_stopping import EarlyStopping
from mcmodels.exceptions import ConvergenceWarning, InferenceError
from mcmodels.objectives.network import Network
from tests.callbacks import Recorder
from tests.versions import needs_callbacks

RNG = np.random.default_rng(0)
N = 120
X = RNG.standard_normal((N, 3))
TWO = (X[:, 0] + RNG.standard_normal(N) > 0).astype(int)
THREE = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + RNG.standard_normal(N), [-0.7, 1.2])]
LABELS = np.column_stack([TWO, X[:, 1] + RNG.standard_normal(N) > 0]).astype(int)
NUMBERS = np.sin(2 * X[:, 0]) + RNG.standard_normal(N)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0]))
CASES = {
    "two classes": (MLPClassifier, {}, TWO),
    "three classes": (MLPClassifier, {}, THREE),
    "labels": (MLPClassifier, {}, LABELS),
    "numbers": (MLPRegressor, {}, NUMBERS),
    "two targets": (MLPRegressor, {}, np.column_stack([NUMBERS, X[:, 1]])),
    "counts": (MLPRegressor, {"loss": "poisson"}, COUNTS),
}
SOLVERS = ["lbfgs", "newton-cg"]
OPTIONS = {"activation": "tanh", "random_state": 3, "early_stopping": True, "max_iter": 60}


def split(kind, y, fraction=0.1, state=3, hidden=20, present=slice(None)):
    """Rows of the fit, rows held out: scikit-learn's split, after the start was drawn."""
    random = check_random_state(state)
    labels = y.shape[1] if y.ndim == 2 else 1
    n_classes = len(np.unique(y)) if kind is MLPClassifier and y.ndim == 1 else 0
    outputs = n_classes if n_classes > 2 else labels
    Network((X.shape[1], hidden, outputs), "tanh").random_start(random)
    rows = np.arange(len(y))[present]
    stratify = y[rows] if n_classes else None
    return train_test_split(rows, random_state=random, test_size=fraction, stratify=stratify)


def measure(kind):
    return accuracy_score if kind is MLPClassifier else r2_score


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_each_score_is_that_of_a_fit_stopped_there(case, solver, weighted):
    """A fit to the rows that are left, of so many steps, has the parameters after each step."""
    kind, options, y = CASES[case]
    w = RNG.uniform(0.5, 2.0, N) if weighted else None
    model = kind((20,), solver=solver, **OPTIONS, **options).fit(X, y, w)
    inside, out = split(kind, y)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    best = int(np.argmax(model.validation_scores_))
    w_in, w_out = (None, None) if w is None else (w[inside], w[out])
    for step in {0, best}:
        stopped = kind((20,), solver=solver, **OPTIONS, **options)
        stopped.set_params(early_stopping=False, max_iter=step + 1, tol=0.0).fit(
            X[inside], y[inside], w_in
        )
        score = measure(kind)(y[out], stopped.predict(X[out]), sample_weight=w_out)
        # Sums of rows in other blocks: rounding grows with each step, but changes no class.
        assert model.validation_scores_[step] == pytest.approx(score, rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(model.params_, stopped.params_ if step == best else model.params_)
    # What is said of the fit is true: over the rows that were not held out, at these parameters.
    alone = model.objective(X[inside], y[inside], sample_weight=w_in)
    assert model.objective_ == pytest.approx(alone, rel=1e-12)
    total = len(inside) if w is None else w_in.sum()
    assert model.loss_ == pytest.approx(alone / total, rel=1e-12)
    gradient = model.gradient(X[inside], y[inside], sample_weight=w_in)
    np.testing.assert_allclose(model.gradient_.ravel(), gradient, atol=1e-10 * total)


@pytest.mark.parametrize("case", ["two classes", "three classes"])
def test_classes_are_held_out_in_equal_shares(case):
    kind, _, y = CASES[case]
    seen = []

    class Spy(kind):
        def _rows_of_fit(self, *args):
            data = super()._rows_of_fit(*args)
            mask = data.held_out(0.25, check_random_state(0))
            seen.append(np.unique(y[mask], return_counts=True)[1] / mask.sum())
            return data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Spy((2,), validation_fraction=0.25, **OPTIONS).fit(X, y)
    shares = np.unique(y, return_counts=True)[1] / N
    # Half a row of thirty.
    np.testing.assert_allclose(seen[0], shares, atol=0.5 / 30 + 1e-9)


def steps_of(scores, tolerance, patience):
    """What the rule does with these scores: steps, the best one, and whether it has stopped."""
    early = EarlyStopping(lambda params: scores[int(params[0])], tolerance, patience)
    for step in range(len(scores)):
        if early.after_step(np.array([float(step)])):
            break
    return len(early.scores), int(early.params[0]), early.stopped


def test_the_rule_is_scikit_learns():
    rising = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert steps_of(rising, 1e-4, 1) == (5, 4, False)
    # More than two steps without a gain of the tolerance: the third ends it.
    assert steps_of([0.5, 0.5, 0.5, 0.5, 0.9], 1e-4, 2) == (4, 0, True)
    # Gains below the tolerance keep the parameters, but do not go on.
    assert steps_of([0.5, 0.50001, 0.50002, 0.50003, 0.9], 1e-4, 2) == (4, 3, True)
    # A gain of just the tolerance counts.
    assert steps_of([0.5, 0.4, 0.4, 0.75, 0.4, 0.4, 0.4, 1.0], 0.25, 2) == (7, 3, True)
    assert steps_of([0.5] * 30, 1e-4, np.inf) == (30, 0, False)
    assert steps_of([-np.inf, -np.inf, 0.3, 0.1], 1e-4, 5) == (4, 2, False)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_said_of_a_fit_that_was_stopped(solver):
    model = MLPClassifier((20,), solver=solver, compute_hessian=True, **OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fit that was stopped as asked is no failure
        model.fit(X, TWO)
    assert model.status_ == "stopped early"
    assert not model.converged_
    best = int(np.argmax(model.validation_scores_))
    assert model.n_iter_ == best + 12  # ten steps without a gain, and one more
    with pytest.raises(InferenceError, match="early stopping has chosen parameters"):
        _ = model.critical_point_
    # A Hessian would not help, so that none is proposed where there is none.
    plain = MLPClassifier((20,), solver=solver, **OPTIONS).fit(X, TWO)
    with pytest.raises(InferenceError, match="early stopping has chosen parameters"):
        _ = plain.critical_point_
    with pytest.raises(InferenceError, match="laplace is not available after early stopping"):
        model.laplace(X, TWO)
    inside, _ = split(MLPClassifier, TWO)
    # The Hessian is that of the rows of the fit; sums in other blocks round otherwise.
    np.testing.assert_allclose(model.hessian_, model.hessian(X[inside], TWO[inside]), atol=1e-10)
    restored = pickle.loads(pickle.dumps(model))
    assert restored.validation_scores_ == model.validation_scores_
    assert not hasattr(clone(model), "validation_scores_")
    # Going on from there without early stopping ends at a minimum.
    model.set_params(warm_start=True, early_stopping=False, alpha=1.0, max_iter=5000).fit(X, TWO)
    assert model.status_ == "converged"
    assert model.validation_scores_ is model.best_validation_score_ is None


def test_a_fit_that_converges_first_says_so():
    options = {**OPTIONS, "alpha": 50.0, "n_iter_no_change": np.inf, "max_iter": 1000}
    model = MLPRegressor((2,), **options).fit(X, NUMBERS)
    last = np.argmax(model.validation_scores_) == model.n_iter_ - 1
    assert model.status_ == ("converged" if last else "stopped early")
    none = MLPRegressor((2,), **{**OPTIONS, "tol": np.inf}).fit(X, NUMBERS)
    assert (none.n_iter_, none.validation_scores_) == (0, [])
    _, out = split(MLPRegressor, NUMBERS, hidden=2)
    score = r2_score(NUMBERS[out], none.predict(X[out]))
    assert none.best_validation_score_ == pytest.approx(score, rel=1e-12)


def test_running_out_of_steps_warns():
    options = {**OPTIONS, "max_iter": 3}
    with pytest.warns(ConvergenceWarning, match="max_iter=3 steps"):
        model = MLPClassifier((20,), **options).fit(X, TWO)
    assert model.status_ == "not converged"
    assert len(model.validation_scores_) == 3


@needs_callbacks
def test_a_callback_stops_it_too():
    with pytest.warns(ConvergenceWarning, match="was stopped by a callback after 2 steps"):
        model = MLPClassifier((20,), **OPTIONS).set_callbacks(Recorder(stop_after=2)).fit(X, TWO)
    assert len(model.validation_scores_) == 2


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
def test_weight_zero_is_an_absent_row():
    w = RNG.integers(0, 2, N).astype(float)
    wild = np.where(w[:, np.newaxis] > 0, X, 1e6)
    options = {**OPTIONS, "solver": "newton-cg"}
    found = MLPClassifier((20,), **options).fit(wild, TWO, w)
    expected = MLPClassifier((20,), **options).fit(X[w > 0], TWO[w > 0])
    # The same rows in other blocks: rounding grows with each of some twenty steps.
    np.testing.assert_allclose(found.params_, expected.params_, rtol=1e-6, atol=1e-8)
    assert found.validation_scores_ == pytest.approx(expected.validation_scores_)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
def test_streams_and_storage(case):
    kind, options, y = CASES[case]
    w = RNG.uniform(0.5, 2.0, N)
    options = {**OPTIONS, "solver": "newton-cg", **options}
    expected = kind((20,), **options).fit(X, y, w)
    stream = RowStream([(X[a:b], y[a:b], w[a:b]) for a, b in ((0, 1), (1, 50), (50, N))])
    for found in (
        kind((20,), **options).fit(stream),
        kind((20,), **options).fit(sparse.csr_array(X), y, w),
        kind((20,), **options).fit(np.asfortranarray(X), y, w),
    ):
        # The same sums in other blocks: rounding grows with each of some twenty steps.
        np.testing.assert_allclose(found.params_, expected.params_, rtol=1e-5, atol=1e-7)
        assert found.validation_scores_ == pytest.approx(expected.validation_scores_, abs=1e-6)


def test_weights_of_classes_are_those_of_rows():
    factors = np.where(TWO == 1, 3.0, 1.0)
    options = {**OPTIONS, "solver": "newton-cg"}
    found = MLPClassifier((20,), class_weight={1: 3.0}, **options).fit(X, TWO)
    expected = MLPClassifier((20,), **options).fit(X, TWO, factors)
    assert found.validation_scores_ == expected.validation_scores_
    np.testing.assert_array_equal(found.params_, expected.params_)


def test_it_generalises_better_where_a_fit_learns_the_noise():
    rng = np.random.default_rng(1)
    new = rng.standard_normal((4000, 3))
    truth = np.sin(2 * new[:, 0])
    free = MLPRegressor((50,), "tanh", alpha=0.0, random_state=0, max_iter=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        overfitted = free.fit(X, NUMBERS).score(new, truth)
        stopped = free.set_params(early_stopping=True, validation_fraction=0.25)
        assert stopped.fit(X, NUMBERS).score(new, truth) > overfitted + 0.3


@pytest.mark.parametrize(
    ("options", "y", "match"),
    [
        ({"early_stopping": 1}, TWO, "early_stopping=1 must be True or False"),
        ({"validation_fraction": 0}, TWO, "validation_fraction=0 must be greater than 0"),
        ({"validation_fraction": 1.0}, TWO, "validation_fraction=1.0 must be less than 1"),
        ({"validation_fraction": "0.1"}, TWO, "validation_fraction='0.1' must be a number"),
        ({"n_iter_no_change": 0}, TWO, "n_iter_no_change=0 must be an integer of at least 1"),
        ({"n_iter_no_change": 2.5}, TWO, "n_iter_no_change=2.5 must be an integer"),
        ({"validation_fraction": 0.01}, TWO, "holds out 2 of 120 rows.* class|needs rows of each"),
        ({"validation_fraction": 0.001}, TWO, "holds out 1 of 120 rows; at least 2 are needed"),
        (
            {},
            np.where(np.arange(N) == 7, "rare", THREE),
            "class rare has 1 row.*Raise validation_fraction, join rare classes, or leave",
        ),
    ],
)
def test_refusals(options, y, match):
    model = MLPClassifier((3,), **{**OPTIONS, **options})
    if options.get("validation_fraction") == 0.01:  # two rows, one of each class: that is enough
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert len(np.unique(y)) == 2
            model.fit(X, y)
        return
    with pytest.raises(ValueError, match=match):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_named_in_rows_that_are_held_out(kind, wrong):
    y = TWO if kind is MLPClassifier else NUMBERS
    _, out = split(kind, y, hidden=4)
    spoilt = X.copy()
    spoilt[out[0], 1] = wrong
    with pytest.raises(ValueError, match="Input X contains"):
        kind((4,), **OPTIONS).fit(spoilt, y)
    with pytest.raises(ValueError, match="X contains"):
        kind((4,), **{**OPTIONS, "activation": "relu"}).fit(spoilt, y)
