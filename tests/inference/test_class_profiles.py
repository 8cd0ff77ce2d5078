"""Profiles of several classes: against fits with a difference held, and by laws."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import logsumexp, softmax

from mcmodels import (
    LogisticRegression,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import InferenceError
from mcmodels.inference.profiles import Scale, ratio_tests

LIMIT = stats.chi2.ppf(0.95, 1)


def problem(seed, K, n=60, p=2, offsets=False):
    """Rows of K classes with weights; columns that are correlated, of other origins and units."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.5) * 10.0 ** rng.integers(-2, 3, p)
    X += 3.0 * X.std(axis=0)
    eta = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=(p, K))
    y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    w = rng.choice([0.0, 1, 1, 2, 3], n)
    return X, y, w, rng.normal(size=(n, K)) if offsets else None


def least_with_difference_held(X, y, w, offset, K, j, k, reference, value):
    """The least sum of losses with ``θ_kj - θ_rj = value``: Newton's method in what is left.

    Class r has parameters zero. Columns are standardised, but for j, which is only scaled.
    """
    n = len(y)
    D = np.column_stack([X, np.ones(n)])
    scale = np.append(X.std(axis=0), 1.0)
    Z = (D - np.where(np.arange(D.shape[1]) < X.shape[1], D.mean(axis=0), 0.0)) / scale
    others = [c for c in range(K) if c != reference]
    # Moving the origin of column j changes the intercept alone, unless it is what is held.
    if j == X.shape[1]:
        Z = D / scale
    free = [(c, i) for c in others for i in range(D.shape[1]) if (c, i) != (k, j)]
    B = np.zeros((n, K, len(free)))
    for m, (c, i) in enumerate(free):
        B[:, c, m] = Z[:, i]
    fixed = np.zeros((n, K)) if offset is None else offset.copy()
    fixed[:, k] += value * scale[j] * Z[:, j]
    b = np.zeros(len(free))
    for _ in range(100):
        eta = fixed + B @ b
        p = softmax(eta, axis=1)
        r = p.copy()
        r[np.arange(n), y] -= 1
        gradient = np.einsum("n,nk,nkm->m", w, r, B)
        V = p[:, :, None] * np.eye(K) - p[:, :, None] * p[:, None, :]
        hessian = np.einsum("n,nkm,nkl,nlh->mh", w, B, V, B, optimize=True)
        step = np.linalg.solve(hessian, -gradient)
        b = b + step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-13:
            break
    eta = fixed + B @ b
    return w @ (logsumexp(eta, axis=1) - eta[np.arange(n), y])


@pytest.mark.parametrize("K", [3, 5])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("offsets", [False, True])
def test_ends_are_those_of_fits_with_the_difference_held(K, seed, offsets):
    X, y, w, offset = problem(seed, K, offsets=offsets)
    model = LogisticRegression(C=np.inf).fit(X, y, w, offset=offset)
    if model.status_ != "converged":
        pytest.skip("separated")
    reference = seed % K
    table = model.profile_intervals(X, y, w, reference=reference, offset=offset)
    wald = model.confidence_intervals(reference=reference)
    assert list(table.index) == list(wald.index)
    profile = model.likelihood_profile(
        X, y, w, reference=reference, offset=offset, points=3, level=0.95, parameters=wald.index[:2]
    )
    chosen = [(k, j) for k in range(K) if k != reference for j in range(3)]
    for row in (0, 2, len(chosen) - 1):
        k, j = chosen[row]
        error = np.diff(wald.iloc[row])[0] / (2 * np.sqrt(LIMIT))

        def excess(t, k=k, j=j):
            held = least_with_difference_held(X, y, w, offset, K, j, k, reference, t)
            return 2 * (held - model.objective_) - LIMIT

        centre = wald.iloc[row].mean()
        for side, found in zip((-1, 1), table.iloc[row], strict=True):
            far = next(d for d in 2.0 ** np.arange(1, 6) if excess(centre + side * d * error) > 0)
            wanted = optimize.brentq(
                excess, centre, centre + side * far * error, xtol=1e-12 * error
            )
            assert abs(found - wanted) < 1e-7 * error
        if row < 2:
            part = profile[profile["parameter"] == table.index[row]]
            np.testing.assert_allclose(part["value"].to_numpy()[[0, 2]], table.iloc[row])
            np.testing.assert_allclose(part["drop"], [LIMIT, 0, LIMIT], atol=1e-7)


def test_tests_leave_columns_out_of_all_classes():
    X, y, w, offset = problem(1, 4, n=90, offsets=True)
    model = LogisticRegression(C=np.inf).fit(X, y, w, offset=offset)
    names = ["x0", "x1", "(intercept)"]
    tests = model.likelihood_ratio_tests(X, y, w, offset=offset, parameters=names)
    assert list(model.likelihood_ratio_tests(X, y, w, offset=offset).index) == names[:2]
    assert (tests["df"] == 3).all()
    for j in range(2):
        small = LogisticRegression(C=np.inf).fit(X[:, [1 - j]], y, w, offset=offset)
        single = likelihood_ratio_test(small, model)
        # Objectives of about 100, each to 1e-13.
        assert tests["statistic"].iloc[j] == pytest.approx(single.statistic, abs=1e-9)
        assert tests["p_value"].iloc[j] == pytest.approx(single.p_value, rel=1e-7)
    small = LogisticRegression(C=np.inf, fit_intercept=False).fit(X, y, w, offset=offset)
    statistic = 2 * (small.objective_ - model.objective_)
    assert tests["statistic"].iloc[2] == pytest.approx(statistic, abs=1e-9)


def test_the_statistic_of_several_restrictions():
    """χ² is the sum itself, F has it by the number of restrictions."""
    table = ratio_tests(np.array([3.0]), Scale(1.0, np.inf), 4)
    assert table["statistic"].iloc[0] == 6.0
    assert table["p_value"].iloc[0] == pytest.approx(stats.chi2.sf(6.0, 4))
    table = ratio_tests(np.array([3.0]), Scale(2.0, 10.0), 4)
    assert table["statistic"].iloc[0] == 0.75
    assert table["p_value"].iloc[0] == pytest.approx(stats.f.sf(0.75, 4, 10))


def test_what_is_compared_the_other_way_round_is_mirrored():
    X, y, w, _ = problem(2, 3)
    labels = np.array(["a", "b", "c"])[y]
    model = LogisticRegression(C=np.inf).fit(X, labels, w)
    for method in ("profile_intervals", "score_intervals"):
        of_b = getattr(model, method)(X, labels, w, reference="a").loc["b:x1"]
        of_a = getattr(model, method)(X, labels, w, reference="b").loc["a:x1"]
        np.testing.assert_allclose(of_b, -of_a[::-1], rtol=1e-7)


def test_two_of_three_classes_that_no_row_confuses():
    """A class on its own side of a column leaves the others' comparison to their own rows.

    With indicators alone, the likelihood of b against a in a group is that of their rows there.
    """
    group = np.repeat([[0.0], [1.0]], 30, axis=0)
    y = np.r_[np.repeat([0, 1, 2], [12, 8, 10]), np.repeat([0, 1, 2], [6, 14, 10])]
    three = LogisticRegression(C=np.inf).fit(group, y)
    two = LogisticRegression(C=np.inf).fit(group[y < 2], y[y < 2])
    for method in ("profile_intervals", "score_intervals"):
        found = getattr(three, method)(group, y).to_numpy()[:2]
        expected = getattr(two, method)(group[y < 2], y[y < 2]).to_numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_streams_and_refusals():
    X, y, w, _ = problem(2, 3)
    model = LogisticRegression(C=np.inf).fit(X, y, w)
    stream = RowStream(lambda: iter([(X[:20], y[:20], w[:20]), (X[20:], y[20:], w[20:])]))
    np.testing.assert_allclose(
        model.profile_intervals(stream), model.profile_intervals(X, y, w), rtol=1e-8
    )
    np.testing.assert_allclose(
        model.likelihood_ratio_tests(stream), model.likelihood_ratio_tests(X, y, w), rtol=1e-8
    )
    with pytest.raises(ValueError, match="reference='d' is not a class"):
        model.profile_intervals(X, y, w, reference="d")
    with pytest.raises(ValueError, match="parameters names 'x0'"):
        model.profile_intervals(X, y, w, parameters=["x0"])
    with pytest.raises(InferenceError, match="penalised"):
        LogisticRegression().fit(X, y, w).profile_intervals(X, y, w)
    two = LogisticRegression(C=np.inf).fit(X, y > 0, w)
    with pytest.raises(ValueError, match="with two classes"):
        two.profile_intervals(X, y > 0, w, reference=True)
