"""Intervals and tests of more than two classes that are separated: closed forms, fits, laws."""

import collections
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse, stats
from scipy.special import logsumexp, softmax

from mcmodels import LogisticRegression, RowStream, scan
from mcmodels.exceptions import ConvergenceWarning, InferenceError
from mcmodels.inference.class_profiles import ClassLimitProfiles
from mcmodels.inference.limit_profiles import LimitProfiles
from mcmodels.inference.profiles import Scale
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows

LIMIT = stats.chi2.ppf(0.95, 1)


def fitted(*rows, **offset):
    """A fit of separated classes, which warns that there is no maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=np.inf).fit(*rows, **offset)
    assert model.status_ == "separated"
    return model


# -- closed forms ----------------------------------------------------------------------------------

# Two groups and the classes a, b and c; no row of the second group is of class a.
COUNTS = np.array([[3.0, 4, 5], [0, 2, 6]])
GROUP = np.repeat([[0.0], [1.0]], 3, axis=0)
CLASS = np.array(["a", "b", "c"] * 2)


def fit_of_the_table(*labels):
    """The rows of some classes, and a fit of them."""
    chosen = np.isin(CLASS, labels or ["a", "b", "c"])
    rows = GROUP[chosen], CLASS[chosen], COUNTS.ravel()[chosen]
    if len(labels) == 2 and "a" not in labels:
        return LogisticRegression(C=np.inf).fit(*rows), rows
    return fitted(*rows), rows


@pytest.mark.parametrize("method", ["profile_intervals", "score_intervals"])
def test_a_table_is_compared_by_pairs_of_classes(method):
    """Each group has its own shares, so that two classes are compared by their own rows alone."""
    model, rows = fit_of_the_table()
    for labels in (("a", "b"), ("a", "c"), ("b", "c")):
        two, own = fit_of_the_table(*labels)
        found = getattr(model, method)(*rows, reference=labels[0])
        expected = getattr(two, method)(*own)
        names = [f"{labels[1]}:x0", f"{labels[1]}:(intercept)"]
        # Both are the same function of the data, computed by steps to 1e-9 standard errors.
        np.testing.assert_allclose(found.loc[names].to_numpy(), expected, rtol=1e-7)
    assert found.loc["a:x0", "lower"] == -np.inf


def test_the_end_of_a_table_in_thirty_digits():
    """With the log-odds ratio of b against a held: one equation, of the rows of a and b."""
    model, rows = fit_of_the_table()

    def log_likelihood(b, t):
        def log_share(eta):
            return -mpmath.log1p(mpmath.exp(-eta))

        return 3 * log_share(-b) + 4 * log_share(b) + 2 * log_share(b + t)

    with mpmath.workdps(30):
        best = 3 * mpmath.log(mpmath.mpf(3) / 7) + 4 * mpmath.log(mpmath.mpf(4) / 7)

        def excess(t):
            b = mpmath.findroot(lambda b: mpmath.diff(lambda c: log_likelihood(c, t), b), 0)
            return 2 * (best - log_likelihood(b, t)) - LIMIT

        lower = float(mpmath.findroot(excess, -1))
    ends = model.profile_intervals(*rows).loc["b:x0"]
    # Steps of 1e-9 standard errors are negligible.
    assert ends["lower"] == pytest.approx(lower, abs=1e-8)
    assert ends["upper"] == np.inf


def test_the_statistic_of_a_table():
    """``2 Σ O log(O/E)`` of independence, where a cell of zero adds nothing."""
    model, rows = fit_of_the_table()
    expected = COUNTS.sum(axis=1, keepdims=True) * COUNTS.sum(axis=0) / COUNTS.sum()
    seen = COUNTS > 0
    statistic = 2 * np.sum(COUNTS[seen] * np.log(COUNTS[seen] / expected[seen]))
    tests = model.likelihood_ratio_tests(*rows)
    assert tests["statistic"].iloc[0] == pytest.approx(statistic, rel=1e-10)
    assert tests["df"].iloc[0] == 2
    assert tests["p_value"].iloc[0] == pytest.approx(stats.chi2.sf(statistic, 2), rel=1e-9)


def test_complete_separation():
    """The supremum is one, so that statistics are deviances of what is left."""
    X = np.array([[0.0], [1], [2], [3], [4], [5], [6]])
    y = np.array([0, 0, 1, 1, 1, 2, 2])
    model = fitted(X, y)
    tests = model.likelihood_ratio_tests(X, y, parameters=["x0", "(intercept)"])
    shares = np.bincount(y) / len(y)
    assert tests["statistic"].iloc[0] == pytest.approx(-2 * np.sum(np.log(shares[y])), rel=1e-10)
    small = LogisticRegression(C=np.inf, fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        small.fit(X, y)
    infimum = least(*margins(X, y, 3, 0, intercept=False)[:2], np.ones(7))
    assert tests["statistic"].iloc[1] == pytest.approx(2 * infimum, abs=1e-7)
    # The last class is on the other side of the middle one: only its order is known.
    ends = model.profile_intervals(X, y)
    assert np.isinf(ends.loc["1:x0", "upper"])
    assert np.isfinite(ends.loc["1:x0", "lower"])


# -- generated cases -------------------------------------------------------------------------------


def case(seed):
    """Whole numbers, so that rows lie on borders; weights with zeros; offsets of each class."""
    rng = np.random.default_rng(seed)
    n, K, p = (int(rng.integers(*between)) for between in ((10, 41), (3, 5), (1, 4)))
    X = rng.integers(-2, 3, (n, p)).astype(float)
    if seed % 4 == 1:
        X[:, 0] = rng.integers(0, 2, n)
    eta = X @ rng.normal(size=(p, K)) * rng.choice([0.5, 2.0])
    y = (eta + rng.gumbel(size=(n, K)) * rng.choice([0.3, 1])).argmax(axis=1)
    if seed % 3 == 0:
        y = np.where((X[:, 0] > 0) & (y == 0), 1, y)
    w = rng.choice([0.0, 1, 1, 2, 3], n) if seed % 2 else np.ones(n)
    return X, y, w, rng.normal(size=(n, K)).round(1) if seed % 5 == 0 else None, K


def margins(X, y, K, reference, *, without=None, held=None, intercept=True):
    """``η = E b + F t``, of differences from a class: E and F of shape (n, K, m) and (n, K); y.

    ``without`` is a column that no class has, ``held`` the class and column of t.
    """
    D = np.column_stack([X, np.ones(len(X))]) if intercept else X
    F, parts = np.zeros((len(X), K)), []
    for k in (k for k in range(K) if k != reference):
        for j in (j for j in range(D.shape[1]) if j != without):
            one = np.zeros((len(X), K))
            one[:, k] = D[:, j]
            if held == (k, j):
                F = one
            else:
                parts.append(one)
    E = np.stack(parts, axis=-1) if parts else np.zeros((len(X), K, 0))
    return E, y, F


def least(E, y, w, fixed=0.0):
    """The infimum over all rows: Newton's method with a ridge from 1 to 1e-8, then without."""
    return minimised(E, y, w, fixed)[0]


def minimised(E, y, w, fixed):
    """The infimum, and where the search has ended.

    It ends where nothing is gained: some 1e-11 above. Directions that have lost their curvature are
    left where they are, unless nothing else is gained.
    """
    index = np.arange(len(y))

    def at(b, ridge):
        eta = fixed + E @ b
        return w @ (logsumexp(eta, axis=1) - eta[index, y]) + ridge * b @ b / 2

    b = np.zeros(E.shape[2])
    for ridge in [*10.0 ** -np.arange(9), *[0.0] * 500]:
        p = softmax(fixed + E @ b, axis=1)
        r = p.copy()
        r[index, y] = 0.0
        r[index, y] = -r.sum(axis=1)
        gradient = np.einsum("n,nk,nkm->m", w, r, E) + ridge * b
        C = E - np.einsum("nk,nkm->nm", p, E)[:, np.newaxis]
        hessian = np.einsum("n,nk,nkm,nkl->ml", w, p, C, C, optimize=True)
        hessian += ridge * np.eye(len(b))
        for curved in 1e-12, 1e-14, 1e-16:
            step = -np.linalg.lstsq(hessian, gradient, rcond=curved)[0]
            while step.any() and not at(b + step, ridge) < at(b, ridge):
                step = step / 2 if np.abs(step).max() > 1e-12 else 0.0 * step
            if step.any():
                break
        if ridge == 0 and not step.any():
            break
        b = b + step
    return at(b, 0.0), b


def score_statistic(E, F, y, w, fixed):
    """``U²`` by the information about ``E b`` that is left beside F, where b is at its best.

    Directions without curvature, along which rows have gone, are left out.
    """
    b = minimised(E, y, w, fixed)[1]
    p = softmax(fixed + E @ b, axis=1)
    U = w @ (np.einsum("nk,nk->n", p, F) - F[np.arange(len(y)), y])
    both = np.concatenate([E, F[:, :, np.newaxis]], axis=2)
    C = both - np.einsum("nk,nkm->nm", p, both)[:, np.newaxis]
    information = np.einsum("n,nk,nkm,nkl->ml", w, p, C, C, optimize=True)
    inner, border = information[:-1, :-1], information[:-1, -1]
    left = information[-1, -1] - border @ np.linalg.lstsq(inner, border, rcond=1e-8)[0]
    return U**2 / left


def infinite_ends(X, y, w, K, reference):
    """Which ends are infinite: whether a direction of recession takes a difference there."""
    E, y, _ = margins(X, y, K, reference)
    index = np.arange(len(y))
    A = (E[index, y][:, np.newaxis] - E)[w > 0].reshape(-1, E.shape[2])

    def reaches(c):
        found = optimize.linprog(-c, A_ub=-A, b_ub=np.zeros(len(A)), bounds=(-1, 1))
        return -found.fun > 1e-7  # whole numbers: it is zero or much larger

    return [(reaches(-c), reaches(c)) for c in np.eye(E.shape[2])]


def check(seed, seen, *, scores):
    """Compare a case with linear programs and fits of all rows."""
    X, y, w, offset, K = case(seed)
    D, reference = np.column_stack([X, np.ones(len(X))])[w > 0], seed % K
    P = D.shape[1]
    if len(np.unique(y[w > 0])) < K or np.linalg.matrix_rank(D) < P:
        return
    infinite = infinite_ends(X, y, w, K, reference)
    if not np.any(infinite):
        model = LogisticRegression(C=np.inf).fit(X, y, w, offset=offset)
        assert model.status_ == "converged", seed
        seen["finite"] += 1
        return
    model, given = fitted(X, y, w, offset=offset), {"reference": reference, "offset": offset}
    try:
        ends = model.profile_intervals(X, y, w, **given)
        columns = [*(f"x{j}" for j in range(P - 1)), "(intercept)"]
        tests = model.likelihood_ratio_tests(X, y, w, offset=offset, parameters=columns)
        if scores:
            by_scores = model.score_intervals(X, y, w, **given).to_numpy()
    except InferenceError:
        seen["refused"] += 1
        return
    seen["compared"] += 1
    fixed = np.zeros((len(y), K)) if offset is None else offset
    infimum = least(*margins(X, y, K, reference)[:2], w, fixed)
    others = [k for k in range(K) if k != reference]
    for a, found in enumerate(ends.to_numpy()):
        assert np.isinf(found).tolist() == list(infinite[a]), (seed, a)
        seen[infinite[a]] += 1
        E, _, F = margins(X, y, K, reference, held=(others[a // P], a % P))
        for end in found[np.isfinite(found)]:
            drop = 2 * (least(E, y, w, fixed + end * F) - infimum)
            # Two references, each some 1e-11 above, and an end to 1e-9 standard errors.
            assert drop == pytest.approx(LIMIT, abs=1e-7), (seed, a)
        if scores:
            assert np.isinf(by_scores[a]).tolist() == list(infinite[a]), (seed, a)
            assert by_scores[a, 0] < by_scores[a, 1]
            for end in by_scores[a][np.isfinite(by_scores[a])]:
                # Searches of the reference end where gradients are some 1e-6.
                found = score_statistic(E, F, y, w, fixed + end * F)
                assert found == pytest.approx(LIMIT, rel=1e-5), (seed, a)
    for j in range(P):
        without = least(margins(X, y, K, reference, without=j)[0], y, w, fixed)
        assert tests["statistic"].iloc[j] == pytest.approx(2 * (without - infimum), abs=1e-7)


def test_generated_cases():
    """Infinite ends are those of linear programs, finite ones and tests those of all rows.

    Of 203 a held intercept is far on the wrong side, where rows have lost their curvature.
    """
    seen = collections.Counter()
    for seed in (2, 3, 10, 22, 203):
        check(seed, seen, scores=seed == 3)
    assert seen["refused"] == 0
    assert all(seen[key] for key in ("finite", (False, False), (True, True)))
    assert seen[True, False] + seen[False, True]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_more_generated_cases(part):
    seen = collections.Counter()
    for seed in range(10 * part, 10 * part + 10):
        check(seed, seen, scores=True)
    assert seen["refused"] == 0


def test_a_general_optimiser_with_a_tiny_ridge():
    """BFGS with a ridge of 1e-9, which moves an end by about 1e-7."""
    X, y, w, offset, K = case(5)
    fixed, ridge = np.zeros((len(y), K)) if offset is None else offset, 1e-9
    model = fitted(X, y, w, offset=offset)

    def penalised(E, eta0):
        def f(b):
            eta = eta0 + E @ b
            p = softmax(eta, axis=1)
            value = w @ (logsumexp(eta, axis=1) - eta[np.arange(len(y)), y])
            p[np.arange(len(y)), y] -= 1
            return value + ridge * b @ b / 2, np.einsum("n,nk,nkm->m", w, p, E) + ridge * b

        start = np.zeros(E.shape[2])
        return optimize.minimize(f, start, jac=True, options={"gtol": 1e-10, "maxiter": 5000}).fun

    whole = penalised(margins(X, y, K, 0)[0], fixed)
    tests = model.likelihood_ratio_tests(X, y, w, offset=offset)
    small = penalised(margins(X, y, K, 0, without=0)[0], fixed)
    assert tests["statistic"].iloc[0] == pytest.approx(2 * (small - whole), abs=1e-6)
    ends = model.profile_intervals(X, y, w, offset=offset)
    compared = 0
    for a, found in enumerate(ends.to_numpy()):
        E, _, F = margins(X, y, K, 0, held=(1 + a // 2, a % 2))
        for end in found[np.isfinite(found)]:
            below, above = (
                2 * (penalised(E, fixed + (end + d) * F) - whole) - LIMIT for d in (-1e-5, 1e-5)
            )
            assert below * above < 0
            compared += 1
    assert compared


# -- laws ------------------------------------------------------------------------------------------


def test_two_classes_are_those_of_one_output():
    rng = np.random.default_rng(1)
    X = np.column_stack([np.repeat([0.0, 1.0], 10), rng.integers(-2, 3, 20)])
    y = np.where(X[:, 0] > 0, 1, rng.integers(0, 2, 20))
    offset, w = rng.normal(size=20), rng.choice([1.0, 2], 20)
    one = LimitProfiles(
        LinearPredictorObjective(ArrayRows(X, y, w, {"offset": offset}), BinaryCrossEntropy()),
        np.zeros(3),
        ["x0", "x1", "(intercept)"],
        Scale(1.0, np.inf),
    )
    of_both = {"offset": np.column_stack([np.zeros(20), offset])}
    names = ["1:x0", "1:x1", "1:(intercept)"]
    rows = ArrayRows(X, y, w, of_both)
    two = ClassLimitProfiles(rows, names, Scale(1.0, np.inf), 2, 0, ["x0", "x1", "(intercept)"])
    expected = one.ends([0, 1, 2], 0.95)
    assert np.isinf(expected).any()
    # Steps of 1e-9 standard errors are negligible; of values, rounding.
    np.testing.assert_allclose(two.ends([0, 1, 2], 0.95), expected, rtol=1e-7)
    np.testing.assert_allclose(two.excesses([0, 1, 2]), one.excesses([0, 1, 2]), rtol=1e-9)
    information = [p.score_ends([0, 1, 2], 0.95, lambda objective: objective) for p in (two, one)]
    np.testing.assert_allclose(*information, rtol=1e-7)


X, Y, W, _, CLASSES = case(3)


def test_what_is_compared_the_other_way_round_is_mirrored():
    labels = np.array(["a", "b", "c"])[Y]
    model = fitted(X, labels, W)
    for method in ("profile_intervals", "score_intervals"):
        of = getattr(model, method)
        for j in ("x0", "(intercept)"):
            of_b = of(X, labels, W, reference="a", parameters=[f"b:{j}"]).to_numpy()
            of_a = of(X, labels, W, reference="b", parameters=[f"a:{j}"]).to_numpy()
            np.testing.assert_allclose(of_b[0], -of_a[0, ::-1], rtol=1e-7)


def test_other_labels_and_another_order_of_the_rows():
    model = fitted(X, Y, W)
    ends, tests = model.profile_intervals(X, Y, W), model.likelihood_ratio_tests(X, Y, W)
    order = np.random.default_rng(0).permutation(len(Y))
    labels = np.array(["z", "x", "y"])[Y]
    other = fitted(X[order], labels[order], W[order])
    found = other.profile_intervals(X, labels, W, reference="z")
    expected = ends.set_axis([f"{'xy'[int(name[0]) - 1]}{name[1:]}" for name in ends.index])
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-7)
    again = other.likelihood_ratio_tests(X, labels, W)
    np.testing.assert_allclose(again["statistic"], tests["statistic"], rtol=1e-10)


def test_weights_are_copies_and_rows_of_weight_zero_absent():
    assert (W == 0).any()
    ends = fitted(X, Y, W).profile_intervals(X, Y, W)
    index = np.repeat(np.arange(len(Y)), W.astype(int))
    copies = X[index], Y[index]
    np.testing.assert_allclose(fitted(*copies).profile_intervals(*copies), ends, rtol=1e-7)


def test_any_storage_units_and_origin_give_the_same():
    model = fitted(X, Y, W)
    expected, tests = model.profile_intervals(X, Y, W), model.likelihood_ratio_tests(X, Y, W)
    assert np.isinf(expected.to_numpy()).any()
    thin = sparse.csr_array(X)
    np.testing.assert_allclose(model.profile_intervals(thin, Y, W), expected, rtol=1e-8)
    stream = RowStream(lambda: iter([(X[:15], Y[:15], W[:15]), (X[15:], Y[15:], W[15:])]))
    np.testing.assert_allclose(model.profile_intervals(stream), expected, rtol=1e-8)
    np.testing.assert_allclose(
        model.likelihood_ratio_tests(stream)["statistic"], tests["statistic"], rtol=1e-9
    )
    table = pd.DataFrame(X[W > 0], columns=["x0"]).assign(kind=Y[W > 0], times=W[W > 0])
    scanned = scan(table, "kind", ["x0"], weights="times")
    np.testing.assert_allclose(fitted(scanned).profile_intervals(scanned), expected, rtol=1e-8)
    far = 2.0**30 * (X + 1000.0)
    model = fitted(far, Y, W)
    features = ["1:x0", "2:x0"]
    found = model.profile_intervals(far, Y, W, parameters=features) * 2.0**30
    # Such columns are moved and scaled without a rounding error.
    np.testing.assert_allclose(found, expected.loc[features], rtol=1e-8)
    again = model.likelihood_ratio_tests(far, Y, W)
    np.testing.assert_allclose(again["statistic"], tests["statistic"], rtol=1e-9)


def test_offsets_of_classes():
    """The same number for all classes changes nothing, one in each class moves the intercepts."""
    model = fitted(X, Y, W)
    expected = model.profile_intervals(X, Y, W)
    same = np.random.default_rng(0).normal(size=(len(Y), 1)) * np.ones(CLASSES)
    found = fitted(X, Y, W, offset=same).profile_intervals(X, Y, W, offset=same)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    moved = np.tile([0.0, 1.5, -2.0], (len(Y), 1))
    found = fitted(X, Y, W, offset=moved).profile_intervals(X, Y, W, offset=moved)
    shift = np.array([0.0, -1.5, 0.0, 2.0])[:, np.newaxis]
    np.testing.assert_allclose(found, expected + shift, rtol=1e-7)


def test_points_of_a_profile_end_at_infinity():
    model, rows = fit_of_the_table()
    table = model.likelihood_profile(*rows, level=0.95, points=6, parameters=["b:x0"])
    two, own = fit_of_the_table("a", "b")
    expected = two.likelihood_profile(*own, level=0.95, points=6, parameters=["x0"])
    np.testing.assert_allclose(table.iloc[:, 1:], expected.iloc[:, 1:], rtol=1e-6, atol=1e-9)
    assert table["value"].iloc[-1] == np.inf


# -- what is refused -------------------------------------------------------------------------------


def test_a_constant_column_is_an_intercept_or_one_too_many():
    constant = np.column_stack([X, np.ones(len(Y))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        alone = LogisticRegression(C=np.inf, fit_intercept=False).fit(constant, Y, W)
    expected = fitted(X, Y, W).profile_intervals(X, Y, W)
    np.testing.assert_allclose(alone.profile_intervals(constant, Y, W), expected, rtol=1e-7)
    model = fitted(constant, Y, W)
    with pytest.raises(InferenceError, match="separated"):
        model.profile_intervals(constant, Y, W)


def test_an_end_that_cannot_be_proved_is_refused_by_name():
    """Columns whose origin is so far that the intercepts at zero have no digits."""
    far = np.column_stack([X[:, 0], np.arange(len(Y)) % 3.0]) + 1e9
    model = fitted(far, Y, W)
    with pytest.raises(InferenceError, match="could not be proved what its supremum"):
        model.profile_intervals(far, Y, W)
