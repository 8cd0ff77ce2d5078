"""CR2, its degrees of freedom, HTZ and the wild bootstrap against figures of R, Stata and Julia."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from mcmodels import LinearRegression
from tests.inference.published import agree, data, indicators

ALCOHOL = ["legal", "beertaxa", "beerpercap", "winepercap"]
PAIRS_AND_MORE = [c for r in (2, 3, 4) for c in itertools.combinations(ALCOHOL, r)]


def test_agreement_is_that_of_the_printed_digits():
    agree([0.43641, -13.4], "0.4364 -13.40")
    for wrong, printed in ((0.43635 - 1e-6, "0.4364"), (13.39, "13.4000"), (24.589, "24.58")):
        with pytest.raises(AssertionError, match="was printed"):
            agree(wrong, printed)
    with pytest.raises(AssertionError, match="2 numbers, and 1 printed"):
        agree([1.0, 2.0], "1.0")


def deaths(columns, *, last=1996, states=False):
    """Deaths of 18 to 20 year olds by motor vehicles, a row a state and year, for lm(… ~ 0 + …)."""
    rows = data("mv_deaths")
    rows = rows[rows["year"] <= last]
    # The source has numbers in single precision, of which the CSV has the shortest decimals.
    rows = rows.astype(dict.fromkeys(["rate", *ALCOHOL], np.float32))
    rows = rows.astype(dict.fromkeys(["rate", *ALCOHOL], np.float64))
    parts = [rows[columns], indicators(rows["year"], range(1970, last + 1))]
    if states:
        parts.append(indicators(rows["state"], sorted(set(rows["state"]))[1:]))
    weights = rows["pop"] / rows["pop"].mean()
    return pd.concat(parts, axis=1), rows["rate"], rows["state"], weights


def hypotheses(model, X, y, groups, weights=None):
    """F, degrees of freedom and p of each hypothesis."""
    options = {"kind": "CR2", "groups": groups}
    for names in PAIRS_AND_MORE:
        yield model.wald_test(", ".join(f"{n} = 0" for n in names), X, y, weights, **options)


def test_state_panel_in_stata():
    """clubSandwich for Stata, tests/wrapper_tests_log.txt of 30 May 2017: without weights."""
    X, y, state, _ = deaths(ALCOHOL)
    assert len(y) == 1361
    model = LinearRegression(fit_intercept=False).fit(X, y)
    table = model.summary(X, y, kind="CR2", groups=state).to_frame()
    rows = table.loc[[*ALCOHOL, "year_1970", "year_1979", "year_1992", "year_1996"]]
    agree(rows["coefficient"], "-4.004 5.433 38.663 -43.787 32.458 23.038 -1.652 0.357")
    agree(rows["standard_error"], "4.65 7.42 11.59 13.45 10.82 13.11 13.89 13.00")
    agree(rows["df"], "36.01 7.98 19.89 10.08 34.82 32.12 31.91 32.36")
    agree(rows["p_value"], "0.3951 0.4851 0.0033 0.0085 0.0050 0.0883 0.9061 0.9782")
    lower = "-13.4398 -11.6872 14.4697 -73.7119 10.4874 -3.6550 -29.9576 -26.1167"
    agree(rows["lower"], lower)
    upper = "5.4309 22.5525 62.8560 -13.8614 54.4292 49.7313 26.6541 26.8313"
    agree(rows["upper"], upper)


def test_hypotheses_of_the_state_panel_in_stata():
    """The same log, test_sandwich: eleven hypotheses with two to four restrictions."""
    X, y, state, _ = deaths(ALCOHOL)
    found = list(hypotheses(LinearRegression(fit_intercept=False).fit(X, y), X, y, state))
    agree(
        [test.statistic for test in found],
        "0.4364 5.4030 7.7413 6.0991 10.3628 7.1582 3.9721 7.6209 5.4258 7.6013 5.8029",
    )
    agree(
        [test.df_denominator for test in found],
        "15.3836 26.3146 16.5037 13.7157 11.1429 13.5708 18.6606 15.3297 17.2870 13.4985 16.2570",
    )
    agree(
        [test.p_value for test in found],
        "0.6541 0.0108 0.0043 0.0127 0.0029 0.0075 0.0239 0.0024 0.0082 0.0032 0.0043",
    )


def test_hypotheses_beside_states_in_stata():
    """The same log, absorb(state): without weights as with an indicator for each state."""
    X, y, state, _ = deaths(ALCOHOL, states=True)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    table = model.summary(X, y, kind="CR2", groups=state).to_frame().loc[ALCOHOL]
    agree(table["coefficient"], "0.167 -1.150 32.100 9.196")
    agree(table["standard_error"], "2.40 6.16 11.28 19.38")
    agree(table["df"], "40.76 8.36 28.76 16.13")
    agree(table["lower"], "-4.6752 -15.2578 9.0272 -31.8601")
    found = list(hypotheses(model, X, y, state))
    agree(
        [test.statistic for test in found],
        "0.0166 4.0817 0.1089 6.1705 0.1195 6.1333 3.9962 0.0774 3.9940 4.3295 3.1673",
    )
    agree(
        [test.df_denominator for test in found],
        "16.2943 35.2447 25.3749 13.2822 13.8827 23.4896 18.6434 19.2165 28.3958 17.0404 20.6148",
    )


def test_panel_vignette_of_clubsandwich():
    """R's clubSandwich 0.6.0, panel-data-CRVE: 1970 to 1983, CR1 and CR2, without weights."""
    X, y, state, _ = deaths(ALCOHOL[:2], last=1983, states=True)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    table = model.summary(X, y, kind="CR2", groups=state).to_frame().iloc[:2]
    agree(table["coefficient"], "7.59 3.82")
    agree(table["standard_error"], "2.51 5.27")
    agree(table["t"], "3.019 0.725")
    agree(table["df"], "24.58 5.77")
    agree(table["p_value"], "0.00583 0.49663")
    # Its CR1 is G/(G-1) times CR0, without (n-1)/(n-P).
    G = state.nunique()
    options = {"kind": "cluster", "groups": state, "use_correction": False}
    plain = model.summary(X, y, **options).to_frame().iloc[:2]
    agree(plain["standard_error"] * np.sqrt(G / (G - 1)), "2.44 5.14")
    agree(plain["t"] / np.sqrt(G / (G - 1)), "3.108 0.743")


def roots(X, y, weights, groups, *, whitened, tolerance=0.0, inverse=True):
    """CR2 by n_g×n_g matrices with one of two roots: V, its mean in the working model, and df.

    The working model has the variances ``Φ = diag(1/w)``, or 1. Both roots fulfil
    ``A_g [(I - H)Φ(I - H)ᵀ]_gg A_gᵀ = Φ_g``. In Pustejovsky and Tipton (2018), and in
    clubSandwich, ``A_g = Φ^½ B^(-½) Φ^½``, ``B = Φ^½ [(I - H)Φ(I - H)ᵀ]_gg Φ^½``. The whitened
    one is the symmetric root for rows that are divided by their deviations, ``Φ^½ S^(-½) Φ^(-½)``
    with ``S = Φ^(-½) [(I - H)Φ(I - H)ᵀ]_gg Φ^(-½)``.
    """
    A, y, w = (np.asarray(part, dtype=float) for part in (X, y, weights))
    M = linalg.inv((A * w[:, np.newaxis]).T @ A)
    residuals = y - A @ (M @ (A.T @ (w * y)))
    left = np.eye(len(y)) - A @ M @ (A * w[:, np.newaxis]).T
    phi = 1 / w if inverse else np.ones(len(y))
    V, rows = 0.0, []
    for group in np.unique(groups):
        at = np.flatnonzero(groups == group)
        scale = np.sqrt(phi[at])
        inner = (left[at] * phi) @ left[at].T
        side = 1 / scale if whitened else scale
        values, vectors = linalg.eigh(side[:, np.newaxis] * inner * side)
        kept = values > max(tolerance, 1e-12 * values.max())
        power = np.where(kept, np.abs(np.where(kept, values, 1.0)) ** -0.5, 0.0)
        root = scale[:, np.newaxis] * ((vectors * power) @ vectors.T) * side
        bread = M @ (A[at] * w[at, np.newaxis]).T @ root
        score = bread @ residuals[at]
        V = V + np.outer(score, score)
        rows.append((bread @ left[at]) * np.sqrt(phi))
    products = np.einsum("gkn,hkn->kgh", np.array(rows), np.array(rows))
    df = np.trace(products, axis1=1, axis2=2) ** 2 / (products**2).sum(axis=(1, 2))
    return V, np.einsum("gkn,gjn->kj", np.array(rows), np.array(rows)), df


def test_precisions_differ_from_clubsandwich_by_the_root_alone():
    """R's output in clubSandwich-Stata, tests/wrapper_tests_against_R.html, inverse_var = TRUE."""
    X, y, state, weights = deaths(ALCOHOL)
    # The printed one, with its root: 23.732610 -9.976276 … to all digits.
    V, mean, df = roots(X, y, weights, state, whitened=False)
    agree(np.diag(V)[:3], "23.732610 41.114919 45.83896")
    agree(V[0, 1:4], "-9.976276 -19.44657 -4.707518")
    agree(V[3, 1:4], "19.904657 -26.37410 235.870336")
    agree(df[:4], "16.99 7.42 11.34 6.25")
    # Ours is the whitened one, so that equal rows can be one row of their weights' sum.
    model = LinearRegression(fit_intercept=False, weights="precision").fit(X, y, weights)
    found = model.covariance(X, y, weights, kind="CR2", groups=state)
    expected, own_mean, df = roots(X, y, weights, state, whitened=True)
    # Here rounding errors of the reference, with its inverse matrix, are 1e-12 of the entries.
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    table = model.summary(X, y, weights, kind="CR2", groups=state).to_frame()
    np.testing.assert_allclose(table["df"], df, rtol=1e-8)
    assert abs(found[0, 0] / V[0, 0] - 1) > 2e-3  # so the digits above tell them apart
    # Neither has a bias in the working model.
    A = X.to_numpy()
    exact = linalg.inv(A.T @ (A * weights.to_numpy()[:, np.newaxis]))
    np.testing.assert_allclose(mean, exact, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(own_mean, exact, rtol=1e-8, atol=1e-12)
    # Weights that are the same in all rows of a cluster leave no choice.
    of_states = weights.groupby(state).transform("mean")
    model.fit(X, y, of_states)
    found = model.covariance(X, y, of_states, kind="CR2", groups=state)
    expected, _, _ = roots(X, y, of_states, state, whitened=False)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_weighted_rows_of_the_vignette_depend_on_the_unit_of_weights():
    """R's clubSandwich 0.6.0, panel-data-CRVE: it drops eigenvalues under 1e-12, not relative.

    With populations as weights B has entries near their squares' inverses, 1e-12.
    """
    X, y, state, relative = deaths(ALCOHOL[:2], last=1983, states=True)
    rows = data("mv_deaths")
    people = rows.loc[rows["year"] <= 1983, "pop"].astype(float)

    def errors(weights, **options):
        V, _, df = roots(X, y, weights, state, whitened=False, **options)
        return np.sqrt(np.diag(V))[:2], df[:2]

    error, df = errors(people, tolerance=1e-12)
    agree(error, "2.03 4.17")
    agree(df, "12.64 5.06")
    error, df = errors(people, tolerance=1e-12, inverse=False)
    agree(error, "2.13 4.37")
    agree(df, "8.52 6.85")
    # Relative weights have no eigenvalue as small as that, and errors nearer to ours.
    error, df = errors(relative, tolerance=1e-12)
    agree(error, "2.127 4.395")
    model = LinearRegression(fit_intercept=False, weights="precision").fit(X, y, people)
    table = model.summary(X, y, people, kind="CR2", groups=state).to_frame().iloc[:2]
    np.testing.assert_allclose(table["standard_error"], error, rtol=3e-3)
    np.testing.assert_allclose(table["df"], df, rtol=2e-3)


def test_classes_of_the_star_experiment():
    """R's clubSandwich 0.6.0, Wald-tests-in-clubSandwich: small classes, and those with an aide."""
    pupils = data("star_math")
    X = indicators(pupils["class"], "sa")
    model = LinearRegression().fit(X, pupils["math"])
    options = {"kind": "CR2", "groups": pupils["school"]}
    table = model.summary(X, pupils["math"], **options).to_frame()
    agree(table["coefficient"], "9.469 -0.483 531.727")
    agree(table["standard_error"], "2.30 1.86 2.78")
    agree(table["t"], "4.114 -0.259 191.506")
    agree(table["df"], "65.6 65.6 59.9")
    agree(table["p_value"].iloc[1], "0.796")
    both = model.wald_test("class_s = 0, class_a = 0", X, pupils["math"], **options)
    agree([both.statistic, both.df_denominator], "10.2 65.3")
    pair = model.wald_test("class_s = class_a", X, pupils["math"], **options)
    agree([pair.statistic, pair.df_denominator], "17.8137 66.9")


def test_places_of_the_star_experiment():
    """The same page: an ethnicity that two pupils have leaves 1.01 degrees of freedom."""
    pupils = data("star_math").dropna()
    X = pd.concat(
        [
            indicators(pupils["place"], "sr"),
            indicators(pupils["class"], "sa"),
            indicators(pupils["gender"], "f"),
            indicators(pupils["ethnicity"], ["af", "as", "hi", "ot"]),
            indicators(pupils["lunch"], "f"),
        ],
        axis=1,
    )
    for kind in "sa":
        for place in "sr":
            X[f"{place}_{kind}"] = X[f"place_{place}"] * X[f"class_{kind}"]
    model = LinearRegression().fit(X, pupils["math"])
    options = {"kind": "CR2", "groups": pupils["school"]}
    table = model.summary(X, pupils["math"], **options).to_frame()
    agree(
        table["coefficient"],
        "2.77 1.03 9.42 -4.27 2.14 -16.79 13.19 39.23 8.86 -19.37 3.03 -0.31 5.10 8.16 542.62",
    )
    agree(
        table["standard_error"],
        "6.76 6.38 4.56 2.17 1.20 4.19 11.02 20.62 18.78 2.04 6.39 5.58 3.72 3.16 5.91",
    )
    agree(
        table["t"],
        "0.4100 0.1616 2.0649 -1.9631 1.7773 -4.0026 1.1963 1.9028 0.4720 -9.4848 0.4746 -0.0555 "
        "1.3711 2.5857 91.8599",
    )
    agree(
        table["df"],
        "28.35 30.74 17.10 16.73 67.14 34.94 6.23 1.01 3.02 57.38 28.94 34.04 28.64 34.30 21.70",
    )
    of_six = table["p_value"].iloc[[0, 1, 2, 6, 7, 13]]
    agree(of_six, "0.6849 0.8727 0.0544 0.2751 0.3067 0.0141")
    test = model.wald_test("s_s = 0, r_s = 0, s_a = 0, r_a = 0", X, pupils["math"], **options)
    agree([test.statistic, test.df_denominator, test.p_value], "1.96 37.5 0.121")
    test = model.wald_test("s_s = 0, r_s = 0", X, pupils["math"], **options)
    agree([test.statistic, test.df_denominator, test.p_value], "0.189 34.5 0.828")
    test = model.wald_test("s_s = r_s", X, pupils["math"], **options)
    agree([test.statistic, test.df_denominator, test.p_value], "0.36471 24.4 0.551")
