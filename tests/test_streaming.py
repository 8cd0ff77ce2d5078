"""Rows that come in parts: partial_fit, merge and streams give the fit to all rows."""

import pickle
import re

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from mcmodels import PCA, LinearRegression, LogisticRegression, RowStream
from mcmodels.exceptions import RankDeficiencyWarning, SeparationWarning
from tests.numerics import relative_error

# Sums in another order, amplified by the condition of these problems (below 100, in unit columns).
EXACT = 1e-12
N, P = 300, 5


def problem(seed=0, n_targets=None):
    """Correlated columns, scaled over two decades and away from zero."""
    rng = np.random.default_rng(seed)
    scale = np.logspace(-1, 1, P)
    X = (rng.standard_normal((N, P)) + rng.standard_normal((N, 1))) * scale + 3 * scale
    shape = P if n_targets is None else (P, n_targets)
    y = X @ rng.standard_normal(shape)
    return X, y + rng.standard_normal(y.shape), rng.integers(0, 3, N).astype(float)


def same_linear(part, whole, tolerance=EXACT):
    for name in ("params_", "hessian_", "singular_", "coef_"):
        assert relative_error(getattr(part, name), getattr(whole, name)) < tolerance, name
    assert part.rank_ == whole.rank_
    assert part.condition_number_ == pytest.approx(whole.condition_number_, rel=tolerance)
    # Zero up to the rounding of the products it is the difference of.
    size = np.abs(whole.hessian_).max() * np.abs(whole.params_).max()
    assert np.abs(part.gradient_).max() < EXACT * size


def same_pca(part, whole):
    for name in ("components_", "explained_variance_", "mean_", "hessian_"):
        assert relative_error(getattr(part, name), getattr(whole, name)) < EXACT, name
    # In a batch it is what the leading variances leave of the total.
    difference = part.noise_variance_ - whole.noise_variance_
    assert abs(difference) < EXACT * whole.explained_variance_[0]
    assert part.n_samples_ == whole.n_samples_
    assert part.rank_ == whole.rank_


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(1, N - 1), max_size=40, unique=True),
    solver=st.sampled_from(["auto", "normal", "pinv"]),
    intercept=st.booleans(),
    n_targets=st.sampled_from([None, 2]),
)
def test_linear_any_chunks_in_any_order(seed, cuts, solver, intercept, n_targets):
    X, y, w = problem(seed, n_targets)
    w[0] = 1
    model = LinearRegression(solver=solver, fit_intercept=intercept)
    order = np.random.default_rng(seed).permutation(N)
    parts = [rows for rows in np.split(order, sorted(cuts)) if w[rows].any()]
    part = clone(model)
    for rows in parts:
        part.partial_fit(X[rows], y[rows], sample_weight=w[rows])
    # Squares lose the square of the condition number, which is below 100 here.
    same_linear(part, model.fit(X, y, sample_weight=w), 1e-11 if solver == "normal" else EXACT)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(1, N - 1), max_size=40, unique=True),
    solver=st.sampled_from(["auto", "eigh", "deflation"]),
    n_components=st.sampled_from([1, 3]),
)
def test_pca_any_chunks_in_any_order(seed, cuts, solver, n_components):
    X, _, w = problem(seed)
    # Distinct variances, so that components are well defined, within two decades of each other: the
    # noise variance of a batch is what the leading ones leave of the total.
    X = X / np.logspace(-1, 1, P) * [1, 2, 4, 7, 10]
    model = PCA(n_components, solver=solver, random_state=0)
    order = np.random.default_rng(seed).permutation(N)
    part = clone(model)
    for rows in np.split(order, sorted(cuts)):
        if w[rows].any():
            part.partial_fit(X[rows], sample_weight=w[rows])
    same_pca(part, model.fit(X, sample_weight=w))


@pytest.mark.parametrize("n_components", [None, 0.9, "mle", 2])
def test_pca_chooses_the_same_number_of_components(n_components):
    X, _, _ = problem()
    part = PCA(n_components)
    for rows in np.array_split(np.arange(N), 7):
        part.partial_fit(X[rows])
    whole = PCA(n_components).fit(X)
    assert part.n_components_ == whole.n_components_
    np.testing.assert_allclose(part.transform(X[:5]), whole.transform(X[:5]), rtol=1e-10)


def test_merge_is_fit_to_the_rows_of_both_and_survives_pickling():
    X, y, w = problem()
    for solver in ("auto", "normal", "pinv"):
        left = LinearRegression(solver=solver).partial_fit(X[:120], y[:120], w[:120])
        right = LinearRegression(solver=solver).partial_fit(X[120:], y[120:], w[120:])
        before = right.params_.copy()
        left.merge(pickle.loads(pickle.dumps(right)))
        same_linear(left, LinearRegression(solver=solver).fit(X, y, w), 1e-11)
        np.testing.assert_array_equal(right.params_, before)
    for solver in ("auto", "eigh"):
        left = PCA(2, solver=solver).partial_fit(X[:120])
        right = PCA(2, solver=solver)
        for row in X[120:123]:
            right.partial_fit(row[np.newaxis])
        same_pca(left.merge(right.partial_fit(X[123:])), PCA(2, solver=solver).fit(X))


def test_an_offset_costs_no_digits_between_parts_with_centres_far_apart():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 3)) + np.repeat([0.0, 1e6], 200)[:, np.newaxis]
    X += 1e9
    y = X @ [1.0, -2.0, 3.0] + rng.standard_normal(400)
    whole = LinearRegression().fit(X, y)  # refined in extra precision
    part = LinearRegression()
    for rows in np.array_split(np.arange(400), 10):
        part.partial_fit(X[rows], y[rows])
    # The columns are 1e6 apart and differ by 1: condition 1e6, of which a triangular factor loses
    # the first power. Raw sums of squares would lose (1e9)² = 18 digits.
    np.testing.assert_allclose(part.coef_, whole.coef_, rtol=1e-8)


@pytest.mark.parametrize("first", [1, 2, 50])
def test_a_first_part_far_away_costs_no_more_digits_than_its_rows_do(first):
    """Rows about a centre that lies far from most of them would be rounded by their distance."""
    rng = np.random.default_rng(first)
    X, y, _ = problem(first)
    X[:first] += 1e4
    y[:first] += X[:first].sum(axis=1)
    away = X - X.mean(axis=0)
    rounding = np.finfo(float).eps * np.linalg.cond(away / np.linalg.norm(away, axis=0))
    exact = exact_least_squares(X, y)
    # A factor loses the condition number once. Of several hundred updates the errors add up, and
    # are those of rows at the distance of the first; where parts are added, the centre is that of
    # the heavier one.
    for parts, times in (
        ([slice(k, k + 1) for k in range(N)], 30),
        ([slice(0, first), slice(first, None)], 1),
        (np.array_split(rng.permutation(N), 9), 1),
    ):
        part = LinearRegression()
        for rows in parts:
            part.partial_fit(X[rows], y[rows])
        assert relative_error(part.params_, exact) < times * rounding


def exact_least_squares(X, y):
    """Coefficients and intercept by normal equations with 60 digits."""
    with mpmath.workdps(60):
        Z = mpmath.matrix(np.column_stack([X, np.ones(len(X))]).tolist())
        gram = Z.T * Z
        found = mpmath.lu_solve(gram, Z.T * mpmath.matrix(y.tolist()))
        return np.array([float(v) for v in found])


def test_state_and_pickle_do_not_grow_with_the_rows():
    X, y, _ = problem()
    for model in (LinearRegression(), LinearRegression(solver="normal"), PCA(3)):
        sizes = []
        for _ in range(6):
            model.partial_fit(X, y)
            sizes.append(len(pickle.dumps(model)))
        assert max(sizes) - min(sizes) < 64  # a counter may take more bytes
        assert sizes[-1] < 8000


def test_everything_that_needs_no_rows_is_there_after_streaming():
    X, y, _ = problem()
    part, whole = LinearRegression(), LinearRegression().fit(X, y)
    for rows in np.array_split(np.arange(N), 3):
        part.partial_fit(X[rows], y[rows])
    assert part.predict(X[:3]) == pytest.approx(whole.predict(X[:3]), rel=EXACT)
    assert part.leverage(X[:3]) == pytest.approx(whole.leverage(X[:3]), rel=1e-11)
    assert part.objective(X, y) == pytest.approx(whole.objective(X, y), rel=EXACT)


@pytest.mark.parametrize("model", [LinearRegression(), PCA(2)], ids=str)
def test_sparse_parts_and_frames(model):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 4)) * (rng.random((60, 4)) < 0.3)
    y = rng.standard_normal(60)
    by_part = clone(model)
    for rows in np.array_split(np.arange(60), 4):
        by_part.partial_fit(sparse.csr_array(X[rows]), y[rows])
    assert relative_error(by_part.hessian_, clone(model).fit(X, y).hessian_) < EXACT
    frame = pd.DataFrame(X, columns=list("abcd"))
    named = clone(model).partial_fit(frame[:30], y[:30])
    with pytest.raises(ValueError, match="feature names should match"):
        named.partial_fit(frame[30:][list("badc")], y[30:])


class TestRefusals:
    def test_parts_that_do_not_fit(self):
        X, y, _ = problem()
        model = LinearRegression().partial_fit(X, y)
        with pytest.raises(ValueError, match="X has 3 features"):
            model.partial_fit(X[:, :3], y)
        with pytest.raises(ValueError, match="earlier rows had targets"):
            model.partial_fit(X, np.column_stack([y, y]))
        with pytest.raises(ValueError, match="has changed since the first partial_fit"):
            model.set_params(solver="normal").partial_fit(X, y)
        with pytest.raises(ValueError, match="NaN"):
            LinearRegression().partial_fit(np.full((3, 2), np.nan), [1, 2, 3])
        with pytest.raises(ValueError, match="NaN"):
            PCA(2).partial_fit(np.full((1, 2), np.nan))

    def test_a_refused_part_leaves_the_model_as_it_was(self):
        X, y, _ = problem()
        model = LinearRegression().partial_fit(X, y)
        before = model.params_.copy()
        bad = X.copy()
        bad[3, 1] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            model.partial_fit(bad, y)
        np.testing.assert_array_equal(model.params_, before)
        same_linear(model.partial_fit(X, y), LinearRegression().fit(X, y, np.full(N, 2.0)))

    def test_merge(self):
        X, y, _ = problem()
        model = LinearRegression().partial_fit(X, y)
        with pytest.raises(TypeError, match="other is a PCA"):
            model.merge(PCA(2).partial_fit(X))
        with pytest.raises(ValueError, match="other has no sums to merge"):
            model.merge(LinearRegression().fit(X, y))
        with pytest.raises(ValueError, match="this model has no sums to merge"):
            LinearRegression().merge(model)
        with pytest.raises(ValueError, match="other has solver='normal'"):
            model.merge(LinearRegression(solver="normal").partial_fit(X, y))
        with pytest.raises(ValueError, match="other has 3 features"):
            model.merge(LinearRegression().partial_fit(X[:, :3], y))
        with pytest.raises(ValueError, match=re.escape("other has params_ of shape (1, 6)")):
            model.merge(LinearRegression().partial_fit(X, y[:, np.newaxis]))

    def test_pca_is_not_fitted_before_it_can_be(self):
        X, _, _ = problem()
        model = PCA(3)
        for k in range(2):
            model.partial_fit(X[k : k + 1])
            with pytest.raises(NotFittedError):
                model.transform(X)
        model.partial_fit(X[2:6])
        same_pca(model, PCA(3).fit(X[:6]))
        with pytest.raises(ValueError, match="n_components=9 must be between"):
            PCA(9).partial_fit(X)

    def test_fit_forgets_the_parts(self):
        X, y, _ = problem()
        model = LinearRegression().partial_fit(X[:50], y[:50]).fit(X, y)
        same_linear(model.partial_fit(X, y), LinearRegression().fit(X, y))


def test_dependent_columns_are_named_once_there_are_enough_rows():
    X, y, _ = problem()
    X[:, 4] = X[:, 0] + X[:, 1]
    model = LinearRegression().partial_fit(X[:3], y[:3])
    assert model.status_ == "rank deficient"
    with pytest.warns(RankDeficiencyWarning, match="x0, x1, x4") as seen:
        model.partial_fit(X[3:], y[3:])
    assert seen[0].filename == __file__


def blocks_of(X, y=None, w=None, size=70):
    def blocks():
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            yield tuple(a[part] for a in (X, y, w) if a is not None)

    return blocks


class TestStreams:
    @pytest.mark.parametrize("weighted", [True, False])
    @pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
    def test_linear(self, solver, weighted):
        X, y, w = problem(3)
        w = w if weighted else None
        model = LinearRegression(solver=solver)
        streamed = clone(model).fit(RowStream(blocks_of(X, y, w)))
        same_linear(streamed, model.fit(X, y, w), 1e-11 if solver == "normal" else EXACT)

    def test_pca(self):
        X, _, w = problem(3)
        same_pca(PCA(2).fit(RowStream(blocks_of(X))), PCA(2).fit(X))
        streamed = PCA(2).fit(
            RowStream(lambda: ((X[i : i + 9], None, w[i : i + 9]) for i in range(0, N, 9)))
        )
        same_pca(streamed, PCA(2).fit(X, sample_weight=w))

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("class_weight", [None, "balanced", {"a": 3.0}])
    @pytest.mark.parametrize("C", [1.0, np.inf])
    def test_logistic(self, n_classes, class_weight, C):
        X, _, w = problem(4)
        rng = np.random.default_rng(4)
        X = X / np.logspace(-1, 1, P)
        y = np.array(["a", "b", "c"])[
            (
                X[:, :n_classes]
                - X[:, :n_classes].mean(axis=0)
                + 2 * rng.gumbel(size=(N, n_classes))
            ).argmax(axis=1)
        ]
        model = LogisticRegression(C=C, class_weight=class_weight)
        streamed = clone(model).fit(RowStream(blocks_of(X, y, w)))
        whole = model.fit(X, y, sample_weight=w)
        assert streamed.classes_.tolist() == whole.classes_.tolist()
        # Both end within 1e-10 of the optimum.
        assert relative_error(streamed.params_, whole.params_) < 1e-9
        assert relative_error(streamed.hessian_, whole.hessian_) < 1e-9
        assert streamed.objective_ == pytest.approx(whole.objective_, rel=EXACT)

    def test_few_walks_and_one_block_at_a_time(self):
        rng = np.random.default_rng(5)
        n, p = 60_000, 10
        X = rng.standard_normal((n, p))
        y = rng.random(n) < 1 / (1 + np.exp(-X @ rng.standard_normal(p)))
        alive, most, walks = 0, 0, 0

        class Block(np.ndarray):
            def __del__(self):
                nonlocal alive
                alive -= self.base is not None and self.shape == (5000, p)

        def blocks():
            nonlocal walks, alive, most
            for start in range(0, n, 5000):
                walks += start == n - 5000
                part = X[start : start + 5000].copy().view(Block)
                alive += 1
                most = max(most, alive)
                yield part, y[start : start + 5000]
                del part

        model = LogisticRegression(C=np.inf).fit(RowStream(blocks))
        assert model.converged_
        # One to see what there is; Newton from the first block's fit needs few.
        assert walks <= 6
        # The block being read, the one before it, and the first, which gives the start.
        assert most <= 3

    def test_separation_is_said(self):
        X = np.arange(40.0)[:, np.newaxis]
        stream = RowStream(blocks_of(X, X[:, 0] > 20, size=9))
        with pytest.warns(SeparationWarning):
            model = LogisticRegression(C=np.inf).fit(stream)
        assert model.status_ == "separated"

    def test_frames_give_their_names(self):
        X, y, _ = problem()
        frame = pd.DataFrame(X, columns=list("abcde"))
        blocks = [(frame[:100], y[:100]), (frame[100:], y[100:])]
        model = LinearRegression().fit(RowStream(blocks))
        assert model.feature_names_in_.tolist() == list("abcde")
        wrong = [(frame[:100], y[:100]), (frame[100:][list("bacde")], y[100:])]
        with pytest.raises(ValueError, match="feature names should match"):
            LinearRegression().fit(RowStream(wrong))

    def test_refusals(self):
        X, y, _ = problem()
        with pytest.raises(TypeError, match="blocks is a generator, which can be walked only once"):
            RowStream((X, y) for _ in range(2))
        stream = RowStream([(X, y)])
        for model in (LinearRegression(), LogisticRegression()):
            with pytest.raises(ValueError, match="y was given together with a RowStream"):
                model.fit(stream, y)
        with pytest.raises(ValueError, match="no blocks"):
            PCA(2).fit(RowStream([]))
        with pytest.raises(ValueError, match="block of the stream has no y"):
            LinearRegression().fit(RowStream([X]))
        with pytest.raises(ValueError, match="has 6 parts"):
            LinearRegression().fit(RowStream([(X, y, y, y, y, y)]))
        with pytest.raises(ValueError, match="X has 3 features"):
            LinearRegression().fit(RowStream([(X, y), (X[:, :3], y)]))
        with pytest.raises(ValueError, match="NaN"):
            LinearRegression().fit(RowStream([(X, y), (X * np.nan, y)]))
        with pytest.raises(ValueError, match="zero in every row"):
            PCA(2).fit(RowStream([(X, None, np.zeros(N))]))
        with pytest.raises(ValueError, match="only one class"):
            LogisticRegression().fit(RowStream([(X, np.zeros(N, int))]))

    def test_a_stream_that_changes_between_walks_is_refused(self):
        X, y, _ = problem()
        sizes = iter([N, 100, 50, 20, 10])

        def blocks():
            n = next(sizes)
            yield X[:n], y[:n]

        with pytest.raises(ValueError, match="every walk must give the same rows"):
            LinearRegression().fit(RowStream(blocks))
