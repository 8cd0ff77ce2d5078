"""The wild cluster bootstrap against figures of WildBootTests, fwildclusterboot, wildboottest."""

import numpy as np
import pytest
from scipy import linalg

from mcmodels import LinearRegression
from tests.inference.published import agree, data, indicators


def insured():
    """Shares with health insurance of the self-employed and of others, in eight years."""
    rows = data("insurance")
    X = rows[["selfemployed", "post", "post_self"]]
    return LinearRegression().fit(X, rows["hasinsurance"]), X, rows["hasinsurance"], rows["year"]


def all_vectors_of_webb(X, y, codes, null):
    """t and p of the last coefficient: the t statistics of 6^G targets, linear in the draws."""
    A = np.column_stack([np.ones(len(y)), X])
    bread = linalg.inv(A.T @ A)
    left = np.eye(len(y)) - A @ bread @ A.T
    weights = A @ bread[:, -1]
    held = A[:, :-1]
    fit = linalg.lstsq(held, y - null * A[:, -1])[0]
    residuals = y - null * A[:, -1] - held @ fit
    member = (codes[:, np.newaxis] == np.unique(codes)).astype(float)
    G, n, P = member.shape[1], *A.shape
    factor = G / (G - 1) * (n - 1) / (n - P)

    def t_of(draws):
        noise = member * residuals[:, np.newaxis]  # times the draws it is the noise
        sums = (member * weights[:, np.newaxis]).T @ left @ noise
        return (weights @ noise @ draws) / np.sqrt(factor * ((sums @ draws) ** 2).sum(axis=0))

    webb = np.sqrt([0.5, 1.0, 1.5])
    values = np.concatenate([-webb, webb])
    draws = values[np.stack(np.unravel_index(np.arange(6**G), (6,) * G))]
    t = t_of(np.ones((G, 1)))[0]
    return t, np.mean(np.abs(t_of(draws)) >= np.abs(t) * (1 - 1e-9))


def test_webb_in_wildboottests():
    """WildBootTests.jl, test/unittests.log: boottest post_self=.04, weight(webb) reps(9999999)."""
    model, X, y, year = insured()
    t, exact = all_vectors_of_webb(X.to_numpy(float), y.to_numpy(), year.to_numpy(), 0.04)
    agree(t, "2.0194")
    # Four standard errors of the draws there, and half a unit of the last digit.
    assert abs(exact - 0.0757) < 4 * np.sqrt(exact * (1 - exact) / 9_999_999) + 0.5e-4
    options = {"groups": year, "null": 0.04, "distribution": "webb"}
    test = model.wild_bootstrap_test("post_self", X, y, **options, draws=99_999, random_state=0)
    assert test.statistic == pytest.approx(t, rel=1e-12)
    assert abs(test.p_value - exact) < 4 * np.sqrt(exact * (1 - exact) / 99_999)


@pytest.mark.parametrize(
    ("null", "statistic", "p", "left_out"),
    [
        (0.0, "7.4561", "0.0", 2),
        (0.04, "2.019422", "0.070312", 2),
        (0.07, "-2.058086", "0.085938", 0),
    ],
)
def test_all_signs_in_wildboottest(null, statistic, p, left_out):
    """Python's wildboottest 0.3.2 with all 256 vectors of signs, of targets less null·post_self.

    It counts ``|t*| > |t|``. The vectors (1, …, 1) and (-1, …, -1) have ``|t*| = |t|`` in exact
    numbers, and count here. There they count where rounding made them larger.
    """
    model, X, y, year = insured()
    test = model.wild_bootstrap_test("post_self", X, y, groups=year, null=null)
    assert test.draws == 256
    assert test.is_exact
    agree(test.statistic, statistic)
    agree(test.p_value - left_out / 256, p)


def test_voters_in_fwildclusterboot():
    """R's fwildclusterboot 0.14.3, vignette of that name: 9,999 draws, group_id1."""
    rows = data("voters")
    immigration = indicators(rows["Q1_immigration"], sorted(set(rows["Q1_immigration"]))[1:])
    X = rows[["treatment", "ideology1", "log_income"]].join(immigration)
    y, groups = rows["proposition_vote"], rows["group_id1"]
    model = LinearRegression().fit(X, y)
    test = model.wild_bootstrap_test("treatment", X, y, groups=groups, random_state=0, draws=99)
    agree(test.estimate, "0.07290769")
    agree(test.statistic, "3.709435")
    # Its ends are where 5 % of its 9,999 draws are beyond t, of other draws 5 % to within the
    # errors of both numbers: four of them are 0.9 %.
    for end in (0.03326969, 0.1134117):
        at_end = model.wild_bootstrap_test(
            "treatment", X, y, groups=groups, null=end, random_state=1, draws=99_999
        )
        error = np.sqrt(0.05 * 0.95 * (1 / 9999 + 1 / 99_999))
        assert abs(at_end.p_value - 0.05) < 4 * error
