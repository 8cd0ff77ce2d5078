"""How many components to keep: by chance, by a broken stick; and the summary of a fit."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mcmodels import PCA
from tests.problems import orthonormal


def strong_rows(n=200, p=10, strong=3, seed=0):
    """Columns of unit noise with ``strong`` common factors of variance 9."""
    rng = np.random.default_rng(seed)
    V = orthonormal(rng, p, strong)
    return rng.standard_normal((n, p)) + 3 * rng.standard_normal((n, strong)) @ V.T


def by_chance(X, n_draws, seed):
    """Variances of independent normal columns with the sample variances of X, from rows drawn."""
    rng = np.random.default_rng(seed)
    n, p = X.shape
    drawn = []
    for _ in range(n_draws):
        rows = rng.standard_normal((n, p))
        rows = (rows - rows.mean(axis=0)) * (X.std(axis=0) / rows.std(axis=0))
        drawn.append(np.linalg.svd(rows, compute_uv=False) ** 2 / (n - 1))
    return np.sort(drawn, axis=0)


@pytest.mark.parametrize("shape", [(25, 6), (9, 8), (8, 8), (6, 8), (2, 3)])
def test_thresholds_are_those_of_rows_drawn(shape):
    """Also with as many degrees of freedom as columns, one less, and far fewer."""
    X = np.random.default_rng(1).standard_normal(shape) * np.linspace(1, 3, shape[1])
    model, draws = PCA().fit(X), 3000
    chance = by_chance(X, draws, seed=2)
    r = min(shape[0] - 1, shape[1])
    for quantile in (0.1, 0.5, 0.95):
        found = model.parallel_analysis(quantile=quantile, n_draws=draws, random_state=0)
        thresholds = found.table["threshold"].to_numpy()
        # The share of rows drawn that lie below differs by the errors of two samples of 3000; four
        # standard errors, for some 60 comparisons.
        reach = 4 * np.sqrt(2 * quantile * (1 - quantile) / draws)
        low, high = (
            chance[np.clip(int(draws * end), 0, draws - 1)]
            for end in (quantile - reach, quantile + reach)
        )
        assert (thresholds[:r] >= low[:r] * (1 - 1e-12)).all()
        assert (thresholds[:r] <= high[:r] * (1 + 1e-12)).all()
        assert (thresholds[r:] == 0).all()


@pytest.mark.parametrize("n", [4, 12, 100])
def test_thresholds_of_two_columns_in_closed_form(n):
    """Their variances are 1 ± |r|, and r² of independent columns is Beta(1/2, (n - 2)/2)."""
    rows = np.random.default_rng(0).standard_normal((n, 2))
    model = PCA().fit(rows / rows.std(axis=0, ddof=1))
    draws = 20000
    found = model.parallel_analysis(quantile=0.9, n_draws=draws, random_state=1).table["threshold"]
    reach = 4 * np.sqrt(0.09 / draws)  # four standard errors of the share of draws below
    r = np.sqrt(stats.beta.ppf([0.9 - reach, 0.9 + reach], 0.5, (n - 2) / 2))
    assert r[0] < found.iloc[0] - 1 < r[1]
    r = np.sqrt(stats.beta.ppf([0.1 - reach, 0.1 + reach], 0.5, (n - 2) / 2))
    assert r[0] < 1 - found.iloc[1] < r[1]


@pytest.mark.parametrize("n", [200, 1000])
def test_strong_components_are_counted(n):
    X = strong_rows(n) * np.linspace(1, 2, 10)
    for rows in (X, (X - X.mean(axis=0)) / X.std(axis=0)):
        found = PCA().fit(rows).parallel_analysis(random_state=0)
        assert found.count == 3
        above = found.table["variance"] > found.table["threshold"]
        assert above.tolist() == [True] * 3 + [False] * 7
    alone = np.random.default_rng(5).standard_normal((n, 10)) * np.geomspace(1, 100, 10)
    assert PCA().fit(alone).parallel_analysis(random_state=0).count == 0


def test_draws_come_from_random_state():
    model = PCA().fit(strong_rows())
    once = model.parallel_analysis(n_draws=10, random_state=7).table
    pd.testing.assert_frame_equal(once, model.parallel_analysis(n_draws=10, random_state=7).table)
    generator = np.random.RandomState(7)
    pd.testing.assert_frame_equal(
        once, model.parallel_analysis(n_draws=10, random_state=generator).table
    )
    other = model.parallel_analysis(n_draws=10, random_state=generator).table
    assert (other["threshold"] != once["threshold"]).all()
    for n_draws in (0, 1.5, True):
        with pytest.raises(ValueError, match="n_draws"):
            model.parallel_analysis(n_draws=n_draws)


def test_no_rows_are_drawn():
    """Twenty rows stand for 20 million: 5 draws of them would take 8 GB."""
    X = strong_rows(20)
    model = PCA().fit(X, sample_weight=np.full(20, 1e6))
    tracemalloc.start()
    found = model.parallel_analysis(n_draws=5, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
    # So many rows show no variance by chance beyond the columns' own: within 10/√n.
    own = np.sort(X.var(axis=0))[::-1]
    np.testing.assert_allclose(found.table["threshold"], own, rtol=2e-3)


@pytest.mark.parametrize(
    ("shares", "count"),
    [
        ((0.6, 0.3, 0.06, 0.04), 2),
        ((0.5, 0.3, 0.15, 0.05), 0),  # the first is below, so none counts
        ((0.53, 0.27, 0.1, 0.1), 1),
        ((0.53, 0.28, 0.15, 0.04), 3),
    ],
)
def test_broken_stick(shares, count):
    rng = np.random.default_rng(0)
    U = orthonormal(rng, 30, 4, away_from=np.ones((30, 1)))
    found = PCA(2).fit(U * np.sqrt(shares) * 7).broken_stick()
    # A stick of unit length in 4 pieces: (1/4)Σ_{j≥k} 1/j, and each rounds a few times.
    pieces = [sum(Fraction(1, 4 * j) for j in range(k, 5)) for k in range(1, 5)]
    assert pieces == [Fraction(25, 48), Fraction(13, 48), Fraction(7, 48), Fraction(1, 16)]
    assert list(found.table.columns) == ["share", "threshold"]
    np.testing.assert_allclose(found.table["threshold"], np.array(pieces, float), rtol=1e-15)
    np.testing.assert_allclose(found.table["share"], shares, rtol=1e-13)
    assert found.count == count


def test_broken_stick_is_the_mean_of_broken_sticks():
    rng = np.random.default_rng(3)
    ends = np.sort(rng.uniform(size=(20000, 4)), axis=1)
    pieces = np.diff(ends, axis=1, prepend=0.0, append=1.0)
    pieces = np.sort(pieces, axis=1)[:, ::-1]
    found = PCA().fit(rng.standard_normal((20, 5))).broken_stick().table["threshold"]
    errors = pieces.std(axis=0) / np.sqrt(20000)
    assert (np.abs(found - pieces.mean(axis=0)) < 4 * errors).all()


def test_summary_holds_the_numbers_under_the_names_of_the_data():
    X = pd.DataFrame(strong_rows(50, 3, 1), columns=["height", "weight", "a<b"])
    model = PCA(2).fit(X)
    summary = model.summary(level=0.9)
    frame, text, page = summary.to_frame(), str(summary), summary._repr_html_()
    intervals = model.confidence_intervals(0.9)

    def table(heading, columns):
        return frame.loc[heading][columns].to_numpy()

    pcs = ["pca0", "pca1"]
    variances = ["variance", "standard_error", "lower", "upper"]
    np.testing.assert_array_equal(table("Variances", variances), intervals[variances])
    np.testing.assert_array_equal(
        table("Shares of the variance", ["share", "lower", "upper", "cumulative"]),
        intervals[["share", "share_lower", "share_upper", "cumulative"]],
    )
    np.testing.assert_array_equal(table("Loadings", pcs), model.components_.T)
    np.testing.assert_array_equal(
        table("Standard errors of the loadings", pcs), model.loading_standard_errors_.T
    )
    assert list(frame.loc["Variances"].index) == pcs
    for heading in ("Loadings", "Standard errors of the loadings"):
        assert list(frame.loc[heading].index) == ["height", "weight", "a<b"]
    for number in (*model.eigenvalues_, *intervals["upper"], *model.components_.flat):
        assert f"{number:#.6g}" in text
        assert f"{number:#.6g}" in page
    for part in ("Principal components", "observations  50", "90 %", "height", "asymptotic"):
        assert part in text
    assert "a&lt;b" in page
    assert "a<b" not in page
    assert max(map(len, text.splitlines())) <= 100


def test_summary_of_columns_without_names_and_of_many():
    summary = PCA().fit(np.random.default_rng(0).standard_normal((150, 80))).summary()
    frame = summary.to_frame()
    assert list(frame.loc["Loadings"].index[:2]) == ["x0", "x1"]
    assert frame.loc["Loadings"].shape[0] == 80
    assert "observations  150" in str(summary)
    weighted = PCA().fit(np.eye(3), sample_weight=[2.0, 3.0, 5.0]).summary()
    assert "observations  10" in str(weighted)
