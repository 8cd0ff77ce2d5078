"""The wild cluster bootstrap against figures of WildBootTests, fwildclusterboot, wildboottest."""

import numpy as np
import pytest

from mcmodels import LinearRegression
from tests.inference.published import agree, data, indicators


def insured():
    """Shares with health insurance of the self-employed and of others, in eight years."""
    rows = data("insurance")
    X = rows[["selfemployed", "post", "post_self"]]
    return LinearRegression().fit(X, rows["hasinsurance"]), X, rows["hasinsurance"], rows["year"]


def test_webb_in_wildboottests():
    """WildBootTests.jl, test/unittests.log: boottest post_self=.04, weight(webb) reps(9999999)."""
    model, X, y, year = insured()
    test = model.wild_bootstrap_test(
        "post_self",
        X,
        y,
        groups=year,
        null=0.04,
        distribution="webb",
        draws=99_999,
        random_state=0,
    )
    agree(test.statistic, "2.0194")
    # Four standard errors of both numbers of draws, and half a unit of the last digit.
    error = np.sqrt(0.0757 * (1 - 0.0757) * (1 / 99_999 + 1 / 9_999_999))
    assert abs(test.p_value - 0.0757) < 4 * error + 0.5e-4


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
    test = model.wild_bootstrap_test("treatment", X, y, groups=groups, random_state=0, draws=9999)
    agree(test.estimate, "0.07290769")
    agree(test.statistic, "3.709435")
    # 0.0006 of 9,999 draws, and ours: four standard errors of their difference.
    assert abs(test.p_value - 0.00060006) < 4 * np.sqrt(2 * 0.0007 / 9999)
    # Its ends 0.03326969 and 0.1134117 are where p is 0.05, to ±0.0044 (two standard errors of
    # it): where the test has 5 ± 0.9 % of the draws beyond t, of both runs four errors.
    for end in (0.03326969, 0.1134117):
        at_end = model.wild_bootstrap_test(
            "treatment", X, y, groups=groups, null=end, random_state=1, draws=9999
        )
        assert abs(at_end.p_value - 0.05) < 4 * np.sqrt(2 * 0.05 * 0.95 / 9999)
