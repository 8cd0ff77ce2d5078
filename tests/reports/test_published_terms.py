"""Tests of terms, and odds ratios, as R's car, MASS, nnet and aod print them."""

import warnings

import numpy as np
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    anova,
    fit_formula,
    likelihood_ratio_test,
    results,
)
from mcmodels.exceptions import RankDeficiencyWarning
from tests.inference.published import agree, data
from tests.reports.designs import moore

HOUSING = {
    "Infl": "C(Infl, levels=['Low', 'Medium', 'High'])",
    "Type": "C(Type, levels=['Tower', 'Apartment', 'Atrium', 'Terrace'])",
    "Cont": "C(Cont, levels=['Low', 'High'])",
    "Sat": "C(Sat, levels=['Low', 'Medium', 'High'])",
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("coding", ["", ", Sum", ", Helmert"])
def test_robust_tests_of_type_two(coding):
    """car::Anova(mod, white.adjust = TRUE) of Moore's data: type II with HC3, by any coding."""
    table = moore()
    formula = f"conformity ~ C(category{coding})*C(status{coding})"
    found = results(fit_formula(formula, table, LinearRegression()))
    tests = found.anova(table, type=2, kind="HC3")
    assert tests["df"].tolist() == [2, 1, 2, 39]
    agree(tests["F"].iloc[:3], "0.3766 14.0454 2.8294")
    agree(tests["p_value"].iloc[:3], "0.6886545 0.0005775 0.0712175")


def test_two_coefficients_are_equal():
    """car::linearHypothesis(lm(prestige ~ income + education, Duncan), "income = education")."""
    table = data("duncan")
    fit = fit_formula("prestige ~ income + education", table, LinearRegression())
    test = results(fit).wald_test("income = education")
    agree([test.statistic, test.p_value], "0.0682 0.7952")
    squares = results(fit).anova().loc["(residuals)", "sum_of_squares"]
    agree(squares, "7506.7")
    both = fit_formula("prestige ~ I(income + education)", table, LinearRegression())
    nested = results(both).anova().loc["(residuals)", "sum_of_squares"]
    agree([nested, nested - squares], "7518.9 12.195")


def test_several_classes():
    """car::Anova and nnet::multinom of Womenlf: M. Friendly's course psy6136, wlf-glogit."""
    table = data("womenlf")
    fit = fit_formula("partic ~ hincome + children", table, LogisticRegression(C=np.inf))
    shown = fit[-1].summary(reference="not.work").to_frame()
    # multinom stops at 1e-8 of the deviance, which leaves 5e-5 of an estimate's error.
    for name, coefficients, errors in (
        ("parttime", [0.006893838, 0.02145558, -1.432321], [0.02345484, 0.4690352, 0.5924627]),
        ("fulltime", [-0.097232073, -2.55860537, 1.982842], [0.02809599, 0.3621999, 0.4841789]),
    ):
        of = shown.xs(name, level=0)
        gap = (of["coefficient"] - coefficients) / errors
        assert abs(gap).max() < 1e-4
        np.testing.assert_allclose(of["standard_error"], errors, rtol=2e-5)
    tests = results(fit).deviance_table(table, type=2)
    agree(tests.loc["(residuals)", "deviance"], "422.8819")
    agree(tests["statistic"].iloc[:2], "15.153 63.559")
    assert tests["df"].iloc[:2].tolist() == [2, 2]
    agree(tests["p_value"].iloc[:2], "0.0005123 1.579e-14")


def satisfaction(right):
    """Satisfaction with housing, of MASS: 72 cells with their numbers of people."""
    table = data("housing")
    model = LogisticRegression(C=np.inf, tol=1e-10)
    return fit_formula(f"Sat ~ {right}", table, model, sample_weight="Freq")


def test_nested_models_of_several_classes():
    """anova(house.mult, house.mult2) of the documentation of MASS (housing)."""
    three = [HOUSING[name] for name in ("Infl", "Type", "Cont")]
    small, large = satisfaction(" + ".join(three)), satisfaction("*".join(three))
    printed = [
        [0.4464003, 0.6649367, -0.4356851, 0.1313663, -0.6665728, 0.3608513],
        [0.7348626, 1.6126294, -0.7356261, -0.4079808, -1.4123333, 0.4818236],
    ]
    model = small[-1]
    assert list(model.classes_) == ["High", "Low", "Medium"]
    found = model.coef_[[2, 0]] - model.coef_[1]
    # multinom's deviance is right to 1e-8 of it: estimates to 1e-4 of errors of 0.1.
    np.testing.assert_allclose(found, printed, atol=2e-5)
    agree([-2 * model.log_likelihood_, -2 * large[-1].log_likelihood_], "3470.084 3431.422")
    test = likelihood_ratio_test(small, large)
    assert test.df == 34
    # The difference of two deviances of multinom, that of iterative scaling has 38.66222.
    agree(test.statistic, "38.6622")
    agree(test.p_value, "0.26714")
    table = anova(small, large)
    agree(table["statistic"].iloc[1], "38.6622")


def test_terms_of_counts():
    """dropterm(house.glm1, test = "Chisq") of MASS: a log-linear model of the same cells."""
    table = data("housing")
    names = HOUSING
    margins = "*".join(names[name] for name in ("Infl", "Type", "Cont"))
    pairs = " + ".join(f"{names['Sat']}:{names[name]}" for name in ("Infl", "Type", "Cont"))
    formula = f"Freq ~ {margins} + {names['Sat']} + {pairs}"
    found = results(fit_formula(formula, table, GeneralizedLinearRegressor("poisson")))
    tests = found.deviance_table(table, type=2)
    agree(tests.loc["(residuals)", "deviance"], "38.662")
    assert tests.loc["(residuals)", "df"] == 34
    rows = {frozenset(part for part in names if f"C({part}," in term): term for term in tests.index}
    printed = {
        ("Infl", "Sat"): (4, "109.117", None),
        ("Type", "Sat"): (6, "62.227", "1.586e-11"),
        ("Cont", "Sat"): (2, "16.060", "0.0003256"),
        ("Infl", "Type", "Cont"): (6, "5.290", "0.5072454"),
    }
    for key, (df, statistic, p) in printed.items():
        row = tests.loc[rows[frozenset(key)]]
        assert row["df"] == df
        agree(row["statistic"], statistic)
        if p is not None:
            agree(row["p_value"], p)
    assert tests.loc[rows[frozenset(("Infl", "Sat"))], "p_value"] < 2.2e-16


def test_odds_ratios_of_admissions():
    """glm(admit ~ gre + gpa + rank, binomial): the page "Logit regression" of UCLA's statistics."""
    table = data("admissions")
    formula = "admit ~ gre + gpa + C(rank)"
    found = results(fit_formula(formula, table, LogisticRegression(C=np.inf)))
    ratios = found.summary(exponentiate=True).to_frame()
    # R's glm stops at 1e-8 of the deviance: eight digits.
    np.testing.assert_allclose(
        ratios["coefficient"],
        [
            1.00226699153453,
            2.23454482427123,
            0.508930950928136,
            0.261792279380112,
            0.211937538610399,
            0.0185001012612635,
        ],
        rtol=1e-8,
    )
    agree(ratios["z"], "2.070 2.423 -2.134 -3.881 -3.713 -3.500")
    agree(ratios["p_value"], "0.038465 0.015388 0.032829 0.000104 0.000205 0.000465")
    # exp of confint.default.
    ends = np.log(ratios[["lower", "upper"]])
    agree(ends.iloc[1:5]["lower"], "0.153684 -1.295751 -2.016992 -2.370399")
    agree(ends.iloc[1:5]["upper"], "1.454391 -0.055135 -0.663416 -0.732529")
    # confint interpolates a spline of the profile: its ends are off by up to 6e-5 errors here.
    profile = found.profile_intervals(table)
    printed = [
        [0.0001375921, 0.004435874],
        [0.1602959439, 1.464142727],
        [-1.3008888002, -0.056745722],
        [-2.0276713127, -0.670372346],
        [-2.4000265384, -0.753542605],
        [-6.2716202334, -1.792547080],
    ]
    errors = found.summary().to_frame()["standard_error"].to_numpy()
    assert (abs(profile.to_numpy() - printed) / errors[:, np.newaxis]).max() < 1e-4
    tests = found.wald_test(terms=["C(rank)"])
    agree(tests.loc["C(rank)", "statistic"], "20.9")
    agree(tests.loc["C(rank)", "p_value"], "0.00011")
    equal = found.wald_test("C(rank)[T.2] = C(rank)[T.3]")
    agree([equal.statistic, equal.p_value], "5.5 0.019")
    means = found.marginal_means(table, "rank")["estimate"]  # gre and gpa at their means
    agree(means, "0.5166016 0.3522846 0.2186120 0.1846684")


MAIN = "(Eth + Age + Lrn + Sex)"


def test_terms_of_a_design_with_empty_cells():
    """dropterm of log(Days + 2.5) of MASS (quine): no child is in F3 and a slow learner."""
    table = data("quine")
    printed = {
        f"{MAIN}**3": {
            "Eth:Age:Sex": (3, "0.97387 0.60773 0.61125"),
            "Eth:Lrn:Sex": (1, "1.57879 2.95567 0.08816"),
            "Eth:Age:Lrn": (2, "2.12841 1.99230 0.14087"),
            "Age:Lrn:Sex": (2, "1.46623 1.37247 0.25743"),
        },
        f"{MAIN}**2 + Eth:Lrn:Sex + Eth:Age:Lrn": {
            "Age:Sex": (3, "10.7959 6.7542 0.0002933"),
            "Eth:Lrn:Sex": (1, "3.0325 5.6916 0.0185476"),
            "Eth:Age:Lrn": (2, "2.0960 1.9670 0.1441822"),
        },
        f"{MAIN}**2 + Eth:Lrn:Sex": {
            "Eth:Age": (3, "3.0312 1.8679 0.1383323"),
            "Age:Sex": (3, "11.4272 7.0419 0.0002037"),
            "Age:Lrn": (2, "2.8149 2.6020 0.0780701"),
            "Eth:Lrn:Sex": (1, "4.6956 8.6809 0.0038268"),
        },
    }
    for right, rows in printed.items():
        with pytest.warns(RankDeficiencyWarning):
            fit = fit_formula(f"log(Days + 2.5) ~ {right}", table, LinearRegression())
        found = results(fit).anova(type=2)
        for term, (df, numbers) in rows.items():
            assert found.loc[term, "df"] == df
            agree(found.loc[term, ["sum_of_squares", "F", "p_value"]], numbers)


def absent(right, theta="estimate"):
    model = GeneralizedLinearRegressor("negative_binomial", theta=theta)
    return fit_formula(f"Days ~ {right}", data("quine"), model)


def test_negative_binomial_models_each_with_its_theta():
    """anova(quine.nb1, quine.nb2, quine.nb3) of glm.nb, MASS; the second and third lack rank."""
    small = absent("Sex/(Age + Eth*Lrn)")
    with pytest.warns(RankDeficiencyWarning):
        middle = absent("Sex/(Age + Eth*Lrn) + Sex:Age:Lrn")
    with pytest.warns(RankDeficiencyWarning):
        large = absent("Sex/(Age*Eth*Lrn)")
    fits = [small, middle, large]
    agree([1 / fit[-1].theta_ for fit in fits], "1.597991 1.686899 1.928360")
    agree([2 * fit[-1].log_likelihood_ for fit in fits], "-1063.025 -1055.398 -1039.324")
    assert [147 - fit[-1].n_free_params_ for fit in fits] == [132, 128, 118]  # theta is one
    for before, after, df, numbers in (
        (small, middle, 4, "7.627279 0.10622602"),
        (middle, large, 10, "16.073723 0.09754136"),
    ):
        test = likelihood_ratio_test(before, after)
        assert test.df == df
        # glm.nb alternates between theta and the rest until the likelihood changes by 1e-8 of it.
        statistic, p = (float(word) for word in numbers.split())
        assert abs(test.statistic - statistic) < 1e-5
        assert abs(test.p_value - p) < 1e-6


def test_a_negative_binomial_table_of_deviances():
    """anova(m2) of MASS: terms in order, with the theta of the whole model."""
    right = f"{MAIN}**3"
    with pytest.warns(RankDeficiencyWarning):
        theta = float(absent(right)[-1].theta_)
    with pytest.warns(RankDeficiencyWarning):
        found = results(absent(right, theta))
    found = found.deviance_table(data("quine"), type=1)
    agree(1 / theta, "1.908")
    # R sorts Age:Lrn before Eth:Sex, so that what follows both is the same.
    printed = {
        "Eth": "19.0989 250.93 1.241e-05",
        "Age": "16.3483 234.58 0.000962",
        "Lrn": "3.5449 231.04 0.059730",
        "Sex": "0.3989 230.64 0.527666",
        "Eth:Age": "14.6030 216.03 0.002189",
        "Eth:Lrn": "0.0447 215.99 0.832601",
        "Age:Sex": "21.9746 191.12 6.603e-05",
        "Lrn:Sex": "0.0277 191.09 0.867712",
        "Eth:Age:Lrn": "9.0099 182.08 0.011054",
        "Eth:Age:Sex": "4.8218 177.26 0.185319",
        "Eth:Lrn:Sex": "3.3160 173.94 0.068608",
        "Age:Lrn:Sex": "6.3941 167.55 0.040882",
    }
    for term, numbers in printed.items():
        # A unit of the last digit: the theta of glm.nb is right to 1e-6 of it.
        agree(found.loc[term, ["deviance", "residual_deviance", "p_value"]], numbers, units=1)
    assert found.loc["Age:Lrn:Sex", "residual_df"] == 120
